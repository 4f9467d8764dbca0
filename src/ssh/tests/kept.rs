//! Shells that stay, against real sshd: what runs in them is as it would be alone, and nothing of one look is in another.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lab::{OurPool, Server, below, kill, new_key, no_sshd, no_users, pool, route, run, run_script, script};
use crate::ssh::{Chunk, Detached, Hop, Pool, Problem, Script, Stage};

async fn one_server(settings: &str) -> (Server, OurPool, [Hop; 1]) {
    let key = new_key();
    let server = Server::start(&[&key], settings).await;
    let hop = [server.hop("host", "deploy", &key)];
    (server, pool(""), hop)
}

/// How many commands the server was asked to start.
fn sessions(server: &Server) -> usize {
    server.log().matches("Starting session: ").count()
}

/// A folder that everybody on a server may write to.
fn open_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    dir
}

/// Kills every shell below this process, and no other test's. How many they were.
fn kill_shells(process: u32) -> usize {
    let is_shell = |process: &u32| {
        std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim_end() == "sh")
    };
    let shells: Vec<u32> = below(process).into_iter().filter(is_shell).collect();
    kill(&shells);
    shells.len()
}

async fn out(pool: &Pool, hop: &[Hop], text: &str) -> String {
    run(pool, hop, text).await.expect("ran").out
}

#[tokio::test]
async fn many_looks_are_one_session_and_each_begins_as_if_it_were_the_first() {
    if no_sshd() {
        return;
    }
    // sh is dash here, and bash on many a host.
    for settings in ["", "ForceCommand exec bash --posix -s", "ForceCommand exec bash -c 'exec -a sh bash -s'"] {
        each_begins_as_if_it_were_the_first(settings).await;
    }
}

async fn each_begins_as_if_it_were_the_first(settings: &str) {
    let (server, pool, hop) = one_server(settings).await;
    // bash counts the lines of its input.
    let facts =
        "pwd; umask; echo $- $#; echo $PATH; echo ${mine:-none}; set | grep -v BASH_LINENO; ulimit -n; trap; cat";
    let first = out(&pool, &hop, facts).await;
    let spoils = "cd /usr; umask 077; export mine=1 PATH=/nowhere LC_ALL=POSIX; set -- a b; trap 'echo late' EXIT\n\
                  ulimit -n 20; exec 5>/dev/null; onramp_look() { echo no; }; exit 3";
    let ran = run(&pool, &hop, spoils).await.expect("ran");
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.exit.code), ("late\n", "", Some(3)));
    assert_eq!(out(&pool, &hop, facts).await, first);
    for code in [0, 1, 97, 255] {
        assert_eq!(run(&pool, &hop, &format!("exit {code}")).await.expect("ran").exit.code, Some(code));
    }
    let ran = run(&pool, &hop, "echo began\nif true; then").await.expect("ran");
    assert_eq!((ran.out.as_str(), ran.exit.code), ("", Some(2)), "a mistake in the last line");
    let ran = run(&pool, &hop, "exec sh -c 'printf \"a\\0b\"; printf c >&2; exit 7'").await.expect("ran");
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.exit.code), ("a\0b", "c", Some(7)));
    assert_eq!(sessions(&server), 1);
}

#[tokio::test]
async fn a_look_with_something_to_read_reads_that_and_nothing_else() {
    if no_sshd() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    let given = Script { stdin_after: Some(SecretString::from("it's \"one\"\n$(two)\\")), ..script("cat") };
    for _ in 0..3 {
        assert_eq!(run_script(&pool, &hop, &given).await.expect("ran").out, "it's \"one\"\n$(two)\\\n");
        assert_eq!(out(&pool, &hop, "cat; read -r x || echo nothing").await, "nothing\n");
    }
    assert_eq!(sessions(&server), 1);
}

#[tokio::test]
async fn what_looks_like_a_mark_is_output() {
    if no_sshd() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    // A look that knows how marks are made, and those of looks before it.
    let text = "set; printf '\\036%032d 0\\n' 0; printf '\\036'; printf '\\036 begin\\n\\036' >&2; exit 5";
    for _ in 0..2 {
        let ran = run(&pool, &hop, text).await.expect("ran");
        assert_eq!((ran.exit.code, ran.err.as_str()), (Some(5), "\u{1e} begin\n\u{1e}"));
        assert!(ran.out.ends_with(&format!("\u{1e}{:032} 0\n\u{1e}", 0)), "{:?}", ran.out);
    }
    assert_eq!(sessions(&server), 1);
}

#[tokio::test]
async fn after_a_flood_the_shell_is_as_good_as_before() {
    if no_sshd() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    let ran = run(&pool, &hop, "head -c 3000000 /dev/zero | tr '\\0' '\\036'; head -c 500000 /dev/zero >&2").await;
    let ran = ran.expect("ran");
    assert_eq!((ran.out.len(), ran.err.len(), ran.exit.missed), (3_000_000, 500_000, 0));
    let (sink, taken) = mpsc::channel::<Chunk>(1);
    drop(taken);
    let untaken = script("head -c 20000000 /dev/zero");
    let exit = pool.run(&route(&hop), &untaken, &sink, &CancellationToken::new()).await.expect("ran");
    assert!(exit.is_success());
    assert_eq!(out(&pool, &hop, "echo here").await, "here\n");
    assert_eq!(sessions(&server), 1);
}

#[tokio::test]
async fn a_look_that_takes_too_long_takes_its_shell_along_and_no_other_look() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    run(&pool, &hop, "true").await.expect("ran");
    let limit = Duration::from_millis(500);
    let slow = Script { limit, ..script("echo began; sleep 30.125") };
    let (slow, quick) = tokio::join!(run_script(&pool, &hop, &slow), out(&pool, &hop, "echo beside"));
    let error = slow.expect_err("too long");
    assert_eq!((error.stage, &error.problem), (Stage::Command, &Problem::Timeout(limit)));
    assert_eq!(quick, "beside\n");
    assert_eq!(out(&pool, &hop, "pgrep -f '[s]leep 30[.]125' || echo gone").await, "gone\n");
    assert_eq!((sessions(&server), server.logins()), (2, 1));
}

#[tokio::test]
async fn a_shell_that_dies_is_replaced_and_its_look_is_told_of_and_not_repeated() {
    if no_sshd() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    let dir = open_folder();
    let count = dir.path().join("count");
    // The whole group: the shell that stays, and this look.
    let kills = format!("echo once >>{}; kill -KILL 0", count.display());
    for round in 1..=3 {
        let ran = run(&pool, &hop, &kills).await.expect("told");
        assert_eq!((ran.exit.code, ran.exit.signal.as_deref()), (None, Some("KILL")));
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "once\n".repeat(round));
        assert_eq!(out(&pool, &hop, "echo here").await, "here\n");
    }
    // One that dies while nothing runs in it.
    assert!(kill_shells(server.process()) > 0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(out(&pool, &hop, "echo here").await, "here\n");
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn what_a_look_leaves_behind_is_in_no_later_look() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    run(&pool, &hop, "true").await.expect("ran");
    // It gets a shell of its own, and is over when nothing of it can write any more, as ever.
    assert_eq!(out(&pool, &hop, "(sleep 0.5; echo late) & echo early").await, "early\nlate\n");
    // It does not look as if it left something; what comes between two looks is nobody's.
    let hidden = "echo 'sleep 0.3; echo stray' | setsid --fork sh; echo early";
    assert_eq!(out(&pool, &hop, hidden).await, "early\n");
    let before = sessions(&server);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(out(&pool, &hop, "echo here").await, "here\n");
    assert_eq!(sessions(&server), before + 1, "another shell");
}

#[tokio::test]
async fn root_and_the_user_have_a_shell_each() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    let as_root = Script { sudo: true, ..script("id -u; umask; pwd; cat") };
    for _ in 0..3 {
        let ran = run_script(&pool, &hop, &as_root).await.expect("sudo");
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("0\n0022\n/\n", ""));
        assert_eq!(out(&pool, &hop, "id -un").await, "deploy\n");
    }
    assert_eq!(sessions(&server), 2);
    // sudo's own words are the look's here: it has been let in already.
    let says = Script { text: "echo 'sudo: a password is required' >&2; exit 1".to_owned(), ..as_root };
    assert_eq!(run_script(&pool, &hop, &says).await.expect("an answer").exit.code, Some(1));
}

#[tokio::test]
async fn a_server_of_one_session_has_room_for_whoever_needs_it() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("MaxSessions 1").await;
    let as_root = Script { sudo: true, ..script("id -u") };
    for round in 0..3 {
        assert_eq!(out(&pool, &hop, "echo here").await, "here\n");
        assert_eq!(run_script(&pool, &hop, &as_root).await.expect("sudo").out, "0\n");
        assert_eq!(out(&pool, &hop, "echo $$ >/dev/null; echo alone").await, "alone\n");
        let work = Detached { script: script("echo changed"), token: format!("0123abcd{round}") };
        let (sink, _heard) = mpsc::channel(64);
        let fate = pool.run_detached(&route(&hop), &work, &sink, &CancellationToken::new()).await;
        assert_eq!(fate, Ok(crate::ssh::Fate::Ended { code: 0 }));
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn what_a_change_takes_away_no_shell_still_has() {
    if no_users() {
        return;
    }
    let (_server, pool, hop) = one_server("").await;
    let as_root = |text: &str| Script { sudo: true, ..script(text) };
    assert_eq!(run_script(&pool, &hop, &as_root("id -u")).await.expect("sudo").out, "0\n");
    let takes = "sed 's/^deploy .*/deploy ALL=(ALL) ALL/' /etc/sudoers >/var/lib/less; cat /var/lib/less >/etc/sudoers";
    let (sink, _heard) = mpsc::channel(64);
    let work = Detached { script: as_root(takes), token: "feed01".to_owned() };
    let fate = pool.run_detached(&route(&hop), &work, &sink, &CancellationToken::new()).await;
    assert_eq!(fate, Ok(crate::ssh::Fate::Ended { code: 0 }));
    let error = run_script(&pool, &hop, &as_root("id -u")).await.expect_err("no longer");
    assert_eq!(error.problem, Problem::PasswordNeededForSudo);
}

#[tokio::test]
async fn a_shell_stays_for_a_while_and_not_for_ever() {
    if no_sshd() {
        return;
    }
    let (server, ours, hop) = one_server("").await;
    let mut settings = ours.settings.clone();
    // Wide enough for a machine that has much else to do.
    settings.limits.stays = Duration::from_secs(4);
    let pool = Arc::new(Pool::new(settings.clone()));
    for _ in 0..3 {
        out(&pool, &hop, "true").await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    assert_eq!(sessions(&server), 1, "each look is a new beginning");
    let gone = async {
        while server.log().matches("Close session").count() < 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap_or_else(|_| panic!("{}", server.log()));
    out(&pool, &hop, "true").await;
    assert_eq!((sessions(&server), server.logins()), (2, 1));

    settings.limits.stays = Duration::ZERO;
    let pool = Pool::new(settings);
    out(&pool, &hop, "true").await;
    out(&pool, &hop, "true").await;
    assert_eq!(sessions(&server), 4, "none stays");
}

#[tokio::test]
async fn a_pool_that_forgets_a_host_leaves_no_connection_behind() {
    if no_sshd() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    for round in 1..=2 {
        out(&pool, &hop, "true").await;
        assert_eq!(server.logins(), round);
        pool.forget("host").await;
    }
    let gone = async {
        while server.log().matches("Closing connection to").count() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), gone).await.is_ok(), "{}", server.log());
}

/// A command that hands on all that it read once there is no more, and keeps a copy of it.
fn reads_everything_first(copy: &std::path::Path) -> String {
    let script = format!(
        "#!/bin/sh\nall=$(cat; echo .)\nprintf '%s' \"${{all%.}}\" >>{}\nprintf '%s' \"${{all%.}}\" | $SSH_ORIGINAL_COMMAND\n",
        copy.display()
    );
    let program = super::lab::write(&copy.with_file_name("reads"), &script, 0o755);
    format!("ForceCommand {}", program.display())
}

#[tokio::test]
async fn a_host_that_reads_everything_first_gets_each_look_once_and_no_shell_stays_there() {
    if no_users() {
        return;
    }
    let dir = open_folder();
    let [read, ran] = ["read", "ran"].map(|name| dir.path().join(name));
    let (server, ours, hop) = one_server(&reads_everything_first(&read)).await;
    let mut settings = ours.settings.clone();
    settings.limits.silence = Duration::from_millis(500);
    let pool = Pool::new(settings);
    let counted = format!("echo once >>{}; id -un; cat; exit 3", ran.display());
    let given = Script { stdin_after: Some(SecretString::from("given")), ..script(&counted) };
    for (round, as_root) in [(1, false), (2, true), (3, false)] {
        let look = Script { sudo: as_root, ..given.clone() };
        let ended = run_script(&pool, &hop, &look).await.expect("told");
        let who = if as_root { "root" } else { "deploy" };
        assert_eq!((ended.exit.code, ended.out, ended.err.as_str()), (Some(3), format!("{who}\ngiven\n"), ""));
        assert_eq!(std::fs::read_to_string(&ran).unwrap(), "once\n".repeat(round));
    }
    let read = std::fs::read_to_string(&read).unwrap();
    assert_eq!(read.matches("onramp_look()").count(), 1, "it was tried once: {read}");
    assert_eq!((sessions(&server), server.logins()), (3, 1));
}

#[tokio::test]
async fn a_host_whose_shell_starts_slowly_loses_no_look() {
    if no_sshd() {
        return;
    }
    let (server, ours, hop) = one_server("ForceCommand sleep 1; exec $SSH_ORIGINAL_COMMAND").await;
    let mut settings = ours.settings.clone();
    for _ in 0..3 {
        assert_eq!(out(&ours, &hop, "echo here; cat").await, "here\n");
    }
    assert_eq!(sessions(&server), 1, "one that is waited for stays");
    settings.limits.silence = Duration::from_millis(100);
    let hasty = Pool::new(settings);
    for _ in 0..2 {
        let ran = run(&hasty, &hop, "echo here; echo there >&2; exit 4").await.expect("told");
        assert_eq!((ran.exit.code, ran.out.as_str(), ran.err.as_str()), (Some(4), "here\n", "there\n"));
    }
    assert_eq!((sessions(&server), server.logins()), (3, 2));
}

#[tokio::test]
async fn a_command_that_takes_no_script_is_told_of_as_without_a_shell_that_stays() {
    if no_sshd() {
        return;
    }
    let (_server, ours, hop) = one_server("ForceCommand cat >/dev/null; echo 'no shell here'; exit 9").await;
    let mut settings = ours.settings.clone();
    settings.limits.silence = Duration::from_millis(200);
    let pool = Pool::new(settings);
    for _ in 0..2 {
        let ran = run(&pool, &hop, "echo here").await.expect("told");
        assert_eq!((ran.exit.code, ran.out.as_str()), (Some(9), "no shell here\n"));
    }
}

#[tokio::test]
async fn after_a_restart_of_the_host_a_look_gets_another_shell() {
    if no_sshd() {
        return;
    }
    let (mut server, pool, hop) = one_server("").await;
    for _ in 0..2 {
        assert_eq!(out(&pool, &hop, "echo here").await, "here\n");
        server.restart().await;
        assert_eq!(out(&pool, &hop, "echo again").await, "again\n");
    }
    assert_eq!(server.logins(), 3);
}

#[tokio::test]
async fn what_a_look_was_given_is_in_no_shell_afterwards() {
    if no_users() {
        return;
    }
    const SECRET: &str = "hunter2-in-a-look";
    for settings in ["", "ForceCommand exec bash --posix -s"] {
        let (server, pool, hop) = one_server(settings).await;
        let given = Script { stdin_after: Some(SecretString::from(SECRET)), ..script("read -r x; export x; env; set") };
        let ran = run_script(&pool, &hop, &given).await.expect("ran");
        assert!(ran.out.contains(SECRET), "this look has it");
        let after = out(&pool, &hop, "env; set; export -p; echo $_ $*").await;
        assert!(!after.contains(SECRET), "{after}");
        let mut looked_at = 0;
        for process in below(server.process()) {
            for what in ["cmdline", "environ"] {
                let text = std::fs::read(format!("/proc/{process}/{what}")).unwrap_or_default();
                looked_at += usize::from(!text.is_empty());
                assert!(!String::from_utf8_lossy(&text).contains(SECRET), "{process} {what}");
            }
        }
        assert!(looked_at >= 4, "sshd and a shell");
        assert_eq!(sessions(&server), 1);
    }
}
