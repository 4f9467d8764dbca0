//! Scripts against real sshd: streams, exit codes, floods, cancelling, sudo, standard input.

use std::process::Command;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lab::{OurPool, Server, new_key, no_sshd, no_users, pool, route, run, run_script, script};
use crate::ssh::{Chunk, Hop, Pool, Problem, Script, Stage, Stream};

/// A server and a pool that knows it. The user may use sudo where the lab has users.
async fn one_server(settings: &str) -> (Server, OurPool, [Hop; 1]) {
    let key = new_key();
    let server = Server::start(&[&key], settings).await;
    let hop = [server.hop("host", "deploy", &key)];
    (server, pool(""), hop)
}

#[tokio::test]
async fn exit_codes_signals_and_both_streams_come_back() {
    if no_users() {
        return;
    }
    let (_server, pool, hop) = one_server("").await;
    for code in [0, 1, 2, 97, 126, 255] {
        let ran = run(&pool, &hop, &format!("exit {code}")).await.expect("ran");
        assert_eq!((ran.exit.code, ran.exit.is_success()), (Some(code), code == 0));
    }
    let ran = run(&pool, &hop, "kill -KILL $PPID").await.expect("ran");
    assert_eq!((ran.exit.code, ran.exit.signal.as_deref()), (None, Some("KILL")));
    assert!(!ran.exit.is_success());

    let ran = run(&pool, &hop, "printf 'a\\377b'; echo e1 >&2; echo c; echo e2 >&2").await.expect("ran");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("a\u{fffd}bc\n", "e1\ne2\n"));

    let ran = run(&pool, &hop, "false\necho not reached").await.expect("ran");
    assert_eq!((ran.exit.code, ran.out.as_str()), (Some(1), ""));
    let ran = run(&pool, &hop, "echo $undefined").await.expect("ran");
    assert_ne!(ran.exit.code, Some(0));
    let ran = run(&pool, &hop, "cat; read -r line || echo empty").await.expect("ran");
    assert_eq!(ran.out, "empty\n", "a command that reads gets nothing, and not the script");
    let ran = run(&pool, &hop, "# only a comment \\").await.expect("ran");
    assert!(ran.exit.is_success(), "{ran:?}");
    let ran = run(&pool, &hop, "say() { cat <<EOF\nsaid $1\nEOF\n}\nsay one | tr o 0").await.expect("ran");
    assert_eq!(ran.out, "said 0ne\n");
    let error = run(&pool, &hop, "echo a\0b").await.expect_err("NUL");
    assert!(matches!(error.problem, Problem::BadScript(_)));
}

#[tokio::test]
async fn a_script_with_a_mistake_in_its_last_line_does_not_begin() {
    if no_sshd() {
        return;
    }
    let (_server, pool, hop) = one_server("").await;
    let ran = run(&pool, &hop, "echo began\nif true; then").await.expect("ran");
    assert_eq!((ran.out.as_str(), ran.exit.code), ("", Some(2)));
}

#[tokio::test]
async fn a_flood_that_nobody_reads_does_not_stop_another_command() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    const FLOOD: u64 = 20 * 1024 * 1024;
    let flood = script(&format!("head -c {FLOOD} /dev/zero; echo done"));
    let (sink, mut output) = mpsc::channel::<Chunk>(1);
    let (pool, way) = (&pool, route(&hop));
    // Takes the sink along, so that it is closed when the script has ended.
    let mut flooding = Box::pin(async move { pool.run(&way, &flood, &sink, &CancellationToken::new()).await });

    let started = Instant::now();
    let beside = async {
        for _ in 0..5 {
            let ran = run(pool, &hop, "echo quick").await.expect("ran");
            assert_eq!(ran.out, "quick\n");
        }
        // The flood is over on the host although nobody has read it.
        run(pool, &hop, "while pgrep -f 'head -c 20971520' >/dev/null; do sleep 0.05; done").await.expect("ran");
    };
    tokio::select! {
        _ = &mut flooding => unreachable!("its output has not been taken"),
        () = beside => {}
    }
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(server.logins(), 1);

    let read = async {
        let (mut got, mut missed, mut last) = (0, 0, Vec::new());
        while let Some(chunk) = output.recv().await {
            got += chunk.bytes.len() as u64;
            missed += chunk.missed;
            last = chunk.bytes;
        }
        (got, missed, last)
    };
    let ended = async {
        let exit = (&mut flooding).await.expect("ran");
        drop(flooding);
        exit
    };
    let (exit, (got, missed, last)) = tokio::join!(ended, read);
    assert!(exit.is_success());
    assert_eq!((missed, got + missed), (exit.missed, FLOOD + 5));
    assert!(missed > 0, "the ring is smaller than the flood");
    assert!(last.ends_with(b"done\n"), "the end is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_that_is_read_arrives_whole() {
    if no_sshd() {
        return;
    }
    let (_server, pool, hop) = one_server("").await;
    let ran = run(&pool, &hop, "head -c 10485760 /dev/zero | tr '\\0' x").await.expect("ran");
    assert_eq!((ran.out.len(), ran.exit.missed), (10_485_760, 0));
}

/// Starts a script, waits for its first output, then cancels it or waits for its limit.
async fn interrupted(pool: &Pool, hop: &[Hop], script: &Script, cancel_it: bool) -> (Problem, Duration) {
    let (sink, mut output) = mpsc::channel::<Chunk>(16);
    let (way, cancel) = (route(hop), CancellationToken::new());
    let stop = async {
        let first = output.recv().await.expect("output");
        assert_eq!(first.bytes, b"began\n");
        if cancel_it {
            cancel.cancel();
        }
        Instant::now()
    };
    let (ended, since) = tokio::join!(pool.run(&way, script, &sink, &cancel), stop);
    let error = ended.expect_err("interrupted");
    assert_eq!(error.stage, Stage::Command);
    assert!(error.may_have_run());
    (error.problem, since.elapsed())
}

#[tokio::test]
async fn cancel_and_limit_send_term_and_leave_the_connection_usable() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let told = dir.path().join("told");
    let text = format!("trap 'echo TERM >>{}; exit 3' TERM\necho began\nwhile :; do sleep 0.1; done", told.display());
    let (problem, took) = interrupted(&pool, &hop, &script(&text), true).await;
    assert_eq!(problem, Problem::Cancelled);
    assert!(took < Duration::from_secs(2), "{took:?}");

    let limit = Duration::from_secs(1);
    let (problem, took) = interrupted(&pool, &hop, &Script { limit, ..script(&text) }, false).await;
    assert_eq!(problem, Problem::Timeout(limit));
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(std::fs::read_to_string(&told).unwrap(), "TERM\nTERM\n");

    let deaf = "trap '' TERM\necho began\nsleep 20";
    let (_, took) = interrupted(&pool, &hop, &script(deaf), true).await;
    assert!(took < Duration::from_secs(5), "closed after the grace: {took:?}");
    // More often than there may be sessions: each that was ended gives its place back.
    let ended = Script { limit: Duration::from_millis(50), ..script("trap '' TERM; sleep 5") };
    let all = futures_util::future::join_all((0..10).map(|_| run_script(&pool, &hop, &ended)));
    assert!(tokio::time::timeout(Duration::from_secs(30), all).await.is_ok_and(|all| all.iter().all(Result::is_err)));
    run(&pool, &hop, "true").await.expect("still usable");
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn more_scripts_than_the_server_allows_wait_for_each_other() {
    if no_sshd() {
        return;
    }
    let (server, pool, hop) = one_server("MaxSessions 2").await;
    let all = futures_util::future::join_all((0..12).map(|_| run(&pool, &hop, "sleep 0.1; echo ok"))).await;
    for ran in all {
        assert_eq!(ran.expect("ran").out, "ok\n");
    }
    assert_eq!(server.logins(), 1);

    let (_server, pool, hop) = one_server("MaxSessions 0").await;
    let all = futures_util::future::join_all((0..3).map(|_| run(&pool, &hop, "true"))).await;
    for error in all.into_iter().map(|ran| ran.expect_err("no sessions at all")) {
        assert!(matches!(error.problem, Problem::ChannelRefused(_)), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_died_is_made_anew_but_the_script_is_not_repeated() {
    if no_users() {
        return;
    }
    let (server, pool, hop) = one_server("").await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let text = format!("echo once >>{}/count; kill -KILL $(ps -o ppid= -p $PPID); sleep 5", dir.path().display());
    let error = run(&pool, &hop, &text).await.expect_err("its own connection is gone");
    assert!(matches!(error.problem, Problem::Lost(_)), "{error}");
    assert!(error.may_have_run());
    let ran = run(&pool, &hop, "echo back").await.expect("connected anew");
    assert_eq!(ran.out, "back\n");
    assert_eq!(std::fs::read_to_string(dir.path().join("count")).unwrap(), "once\n");
    assert_eq!(server.logins(), 2);
}

#[tokio::test]
async fn sudo_runs_as_root_or_says_that_it_wants_a_password() {
    if no_users() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let pool = pool("");
    let as_root = |text: &str| Script { sudo: true, ..script(text) };
    let who = "id -u; umask; cat";
    let ran = run_script(&pool, &[server.hop("host", "deploy", &key)], &as_root(who)).await.expect("sudo");
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.exit.code), ("0\n0022\n", "", Some(0)));
    let ran = run_script(&pool, &[server.hop("host", "root", &key)], &as_root(who)).await.expect("root");
    assert_eq!(ran.out, "0\n0022\n");

    let meek = [server.hop("meek", "meek", &key)];
    let error = run_script(&pool, &meek, &as_root(who)).await.expect_err("a password");
    assert_eq!((error.stage, &error.problem), (Stage::Command, &Problem::PasswordNeededForSudo));
    assert!(!error.may_have_run());
    let ran = run(&pool, &meek, "echo 'sudo: a password is required' >&2; exit 1").await.expect("no sudo, no guess");
    assert_eq!(ran.exit.code, Some(1));
    let error = run_script(&pool, &[server.hop("jump", "jump", &key)], &as_root(who)).await.expect_err("no sudoer");
    assert!(matches!(error.problem, Problem::PasswordNeededForSudo | Problem::SudoRefused(_)), "{error}");
}

#[tokio::test]
async fn a_secret_reaches_standard_input_and_nothing_else() {
    if no_users() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let hop = [server.hop("host", "deploy", &key)];
    let secret = "pa$$'\"`word\n%s\\n\\end";
    let text = "tr '\\0' ' ' </proc/$$/cmdline; echo; tr '\\0' ' ' </proc/$PPID/cmdline; echo; env; \
                install -m 0600 /dev/stdin /tmp/onramp-secret.$$; cat /tmp/onramp-secret.$$; rm /tmp/onramp-secret.$$";
    let script = Script { sudo: true, stdin_after: Some(SecretString::from(secret)), ..script(text) };
    let ran = run_script(&pool(""), &hop, &script).await.expect("ran");
    assert!(ran.exit.is_success(), "{ran:?}");
    let before = ran.out.strip_suffix(&format!("{secret}\n")).expect("the secret comes last");
    assert!(!before.contains("word"), "{before}");
    assert!(before.contains("sh -s"), "{before}");
}

#[test]
fn a_script_that_is_cut_off_anywhere_does_not_run_at_all() {
    for shell in ["dash", "bash"] {
        if Command::new(shell).args(["-c", "true"]).status().is_err() {
            eprintln!("SKIPPED: no {shell}");
            continue;
        }
        for secret in [None, Some(SecretString::from("first\nsecond"))] {
            let text = "read -r line || line=none\necho \"ran: $line\"";
            let sent = crate::ssh::exec::as_sent(&Script { stdin_after: secret.clone(), ..script(text) });
            let whole = sent.expect("a text").expose_secret().to_owned();
            let expected = if secret.is_some() { "ran: first\n" } else { "ran: none\n" };
            assert_eq!(fed(shell, &whole), expected, "{shell}");
            let enough = whole.trim_end().len() - if secret.is_some() { 0 } else { " </dev/null".len() };
            for length in 0..enough {
                let Some(part) = whole.get(..length) else { continue };
                assert!(!fed(shell, part).contains("ran:"), "{shell} after {length} bytes of {whole}");
            }
        }
    }
}

/// What a shell writes to standard output when it reads `input`.
fn fed(shell: &str, input: &str) -> String {
    use std::io::Write;
    let mut command = Command::new(shell);
    command.arg("-s").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect(shell);
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    String::from_utf8_lossy(&child.wait_with_output().expect(shell).stdout).into_owned()
}

#[tokio::test]
async fn output_comes_while_the_script_runs() {
    if no_sshd() {
        return;
    }
    let (_server, pool, hop) = one_server("").await;
    let (sink, mut output) = mpsc::channel::<Chunk>(16);
    let (way, cancel) = (route(&hop), CancellationToken::new());
    let slow = script("echo first; sleep 1; echo second >&2");
    let watch = async {
        let first = output.recv().await.expect("first");
        let at = Instant::now();
        let second = output.recv().await.expect("second");
        (first, at.elapsed(), second)
    };
    let (exit, (first, between, second)) = tokio::join!(pool.run(&way, &slow, &sink, &cancel), watch);
    exit.expect("ran");
    assert_eq!((first.stream, second.stream), (Stream::Out, Stream::Err));
    assert!(between > Duration::from_millis(700), "{between:?}");
}
