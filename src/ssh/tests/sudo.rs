//! A sudo that wants a password, real: it is told once, on standard input, and nobody else hears it.

use std::fs;

use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lab::{Server, new_key, no_users, pool, route, run_script, script};
use crate::ssh::{Detached, Fate, Heard, Problem, Script, Stage};

/// The password of `meek`, whose hash the lab has.
const PASSWORD: &str = "onramp-lab-meek";

fn as_root(text: &str) -> Script {
    Script { sudo: true, ..script(text) }
}

fn given(text: &str) -> SecretString {
    SecretString::from(text)
}

/// Every command line and environment on this machine, where the lab's hosts are.
fn processes() -> String {
    let mut all = String::new();
    for process in fs::read_dir("/proc").expect("/proc").filter_map(Result::ok) {
        for file in ["cmdline", "environ"] {
            all += &String::from_utf8_lossy(&fs::read(process.path().join(file)).unwrap_or_default());
        }
    }
    all
}

#[tokio::test]
async fn sudo_is_told_the_password_and_the_script_is_whole() {
    if no_users() {
        return;
    }
    let key = new_key();
    let (server, pool) = (Server::start(&[&key], "").await, pool(""));
    let meek = [server.hop("meek", "meek", &key)];
    pool.sudo_passwords().give("meek", "meek", &given(PASSWORD));
    let ran = run_script(&pool, &meek, &as_root("id -u; umask; echo $PATH $LC_ALL; cat; exit 7")).await.expect("sudo");
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str(), ran.exit.code),
        ("0\n0022\n/usr/sbin:/usr/bin:/sbin:/bin C\n", "", Some(7))
    );
    let secret = Script { stdin_after: Some(given("a secret")), ..as_root("cat; sleep 1") };
    let (ran, seen) = tokio::join!(run_script(&pool, &meek, &secret), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        processes()
    });
    assert_eq!(ran.expect("sudo").out, "a secret\n");
    assert!(seen.contains("onramp-script-begins"), "the shell that sudo runs is there");
    assert!(!seen.contains(PASSWORD));

    // A detached one, by the same way; and it is found again by a second watcher.
    let work = Detached { script: as_root("id -un; echo err >&2; exit 3"), token: "0123abcd".to_owned() };
    for _ in 0..2 {
        let (sink, mut heard) = mpsc::channel(64);
        let (route, cancel) = (route(&meek), CancellationToken::new());
        let fate = pool.run_detached(&route, &work, &sink, &cancel).await;
        assert_eq!(fate, Ok(Fate::Ended { code: 3 }));
        let mut said = String::new();
        while let Ok(word) = heard.try_recv() {
            if let Heard::Output(chunk) = word {
                said += &String::from_utf8_lossy(&chunk.bytes);
            }
        }
        assert!(said.contains("root\n") && !said.contains(PASSWORD), "{said}");
    }
}

/// sudo would go on to read the script as further tries, and the host might lock the user.
#[tokio::test]
async fn a_wrong_password_is_one_failed_try_and_no_part_of_the_script_is_one() {
    if no_users() {
        return;
    }
    let key = new_key();
    let (server, pool) = (Server::start(&[&key], "").await, pool(""));
    let (meek, deploy) = ([server.hop("meek", "meek", &key)], [server.hop("deploy", "deploy", &key)]);
    pool.sudo_passwords().give("meek", "meek", &given("not-it"));
    let echo = as_root("echo ran");
    let tries = [run_script(&pool, &meek, &echo), run_script(&pool, &meek, &echo)];
    for tried in futures_util::future::join_all(tries).await {
        let error = tried.expect_err("a wrong password");
        assert_eq!((error.stage, &error.problem), (Stage::Command, &Problem::WrongPasswordForSudo), "{error}");
        assert!(!error.may_have_run());
    }
    let log = run_script(&pool, &deploy, &as_root("cat /var/lib/sudo.log")).await.expect("the log").out;
    assert_eq!(log.matches("incorrect password attempt").count(), 1, "{log}");
    assert!(log.contains("1 incorrect password attempt") && !log.contains("not-it"), "{log}");

    let error = run_script(&pool, &meek, &as_root("echo ran")).await.expect_err("it is forgotten");
    assert_eq!(error.problem, Problem::PasswordNeededForSudo);
    pool.sudo_passwords().give("meek", "meek", &given(PASSWORD));
    assert_eq!(run_script(&pool, &meek, &as_root("id -u")).await.expect("the right one").out, "0\n");
}

#[tokio::test]
async fn a_password_that_sudo_does_not_want_is_passed_over() {
    if no_users() {
        return;
    }
    let key = new_key();
    let (server, pool) = (Server::start(&[&key], "").await, pool(""));
    let deploy = [server.hop("deploy", "deploy", &key)];
    pool.sudo_passwords().give("deploy", "deploy", &given("touch /var/lib/oops"));
    let ran = run_script(&pool, &deploy, &as_root("id -u; ls /var/lib/oops 2>/dev/null || echo none; cat")).await;
    let ran = ran.expect("sudo");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("0\nnone\n", ""));
}
