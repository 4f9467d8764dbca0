//! Detached scripts over real sshd: lost connections, a dead onramp, stops, limits, sudo, slow listeners.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lab::{OurPool, Server, new_key, no_sshd, no_users, pool, route};
use crate::ssh::{Detached, Fate, Heard, Hop, Pool, Problem, Reason, Script, SshError, Stream};

/// A host, the way to it, and a folder in which scripts count their starts.
struct Far {
    server: Server,
    pool: OurPool,
    hop: [Hop; 1],
    dir: TempDir,
}

/// What was heard of a script.
#[derive(Debug, Default)]
struct Story {
    out: Vec<u8>,
    err: Vec<u8>,
    found: usize,
    lost: usize,
}

impl Far {
    async fn new() -> Self {
        let key = new_key();
        let server = Server::start(&[&key], "").await;
        let hop = [server.hop("host", "deploy", &key)];
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("a mode");
        Self { server, pool: pool(""), hop, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A script that counts its start and then does something.
    fn work(&self, then: &str) -> Detached {
        let text = format!("echo began >>{}\n{then}", self.path("count").display());
        let token = format!("test{:032x}", rand());
        let limit = Duration::from_secs(60);
        Detached { script: Script { text, sudo: false, limit, stdin_after: None }, token }
    }

    fn starts(&self) -> usize {
        std::fs::read_to_string(self.path("count")).unwrap_or_default().lines().count()
    }

    async fn run(&self, work: &Detached) -> (Result<Fate, SshError>, Story) {
        self.run_until(work, &CancellationToken::new(), |_| ()).await
    }

    /// Runs it, and does something whenever output has come.
    async fn run_until(
        &self,
        work: &Detached,
        cancel: &CancellationToken,
        mut at_output: impl FnMut(&Story),
    ) -> (Result<Fate, SshError>, Story) {
        let (sink, mut heard) = mpsc::channel(16);
        let (pool, way): (&Pool, _) = (&self.pool, route(&self.hop));
        let running = async move { pool.run_detached(&way, work, &sink, cancel).await };
        let listening = async {
            let mut story = Story::default();
            while let Some(heard) = heard.recv().await {
                match heard {
                    Heard::Output(chunk) => {
                        match chunk.stream {
                            Stream::Out => story.out.extend(chunk.bytes),
                            Stream::Err => story.err.extend(chunk.bytes),
                        }
                        at_output(&story);
                    }
                    Heard::Found(_) => story.found += 1,
                    Heard::Lost(_) => story.lost += 1,
                }
            }
            story
        };
        tokio::join!(running, listening)
    }

    /// Kills the server's side of every connection, and not what runs on the host.
    fn cut(&self) {
        let sshd = self.server.process().to_string();
        let monitors = Command::new("pgrep").args(["-P", &sshd]).output().expect("pgrep").stdout;
        for monitor in text(&monitors).lines() {
            // Where it gave up its rights, another process holds the connection.
            let _ = Command::new("pkill").args(["-KILL", "-x", "sshd", "-P", monitor]).status();
            let _ = Command::new("kill").args(["-KILL", monitor]).stderr(Stdio::null()).status();
        }
    }

    fn gone(&self, file: &Path) {
        let pid = std::fs::read_to_string(file).expect("a number").trim().to_owned();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    }
}

fn rand() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("randomness");
    u128::from_be_bytes(bytes)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn it_runs_as_the_user_or_as_root_and_says_how_it_ended() {
    if no_users() {
        return;
    }
    let far = Far::new().await;
    let mut work = far.work("id -un; echo err >&2; umask; exit 9");
    let (fate, story) = far.run(&work).await;
    assert_eq!(fate, Ok(Fate::Ended { code: 9 }));
    assert_eq!((text(&story.out).as_str(), text(&story.err).as_str()), ("deploy\n0022\n", "err\n"));
    assert_eq!((story.found, story.lost), (0, 0));

    work.script.sudo = true;
    let (fate, story) = far.run(&work).await;
    assert_eq!((fate, text(&story.out).as_str()), (Ok(Fate::Ended { code: 9 }), "root\n0022\n"));
    let (fate, story) = far.run(&work).await;
    assert_eq!((fate, story.found), (Ok(Fate::Ended { code: 9 }), 1), "the same token again");
    assert_eq!(far.starts(), 2);

    let meek = [Hop { user: "meek".to_owned(), name: "meek".to_owned(), ..far.hop[0].clone() }];
    let (sink, _heard) = mpsc::channel(16);
    let asked = far.pool.run_detached(&route(&meek), &work, &sink, &CancellationToken::new()).await;
    assert_eq!(
        asked.map_err(|error| (error.may_have_run(), error.problem)),
        Err((false, Problem::PasswordNeededForSudo))
    );
}

#[tokio::test]
async fn a_lost_connection_loses_no_output_and_starts_nothing_twice() {
    if no_sshd() {
        return;
    }
    let far = Far::new().await;
    let work = far.work("for n in 1 2 3 4 5 6 7 8; do echo line $n; sleep 0.4; done; exit 3");
    let mut cuts = 0;
    let cancel = CancellationToken::new();
    let (fate, story) = far
        .run_until(&work, &cancel, |story| {
            let lines = story.out.iter().filter(|byte| **byte == b'\n').count();
            if (lines >= 2 && cuts == 0) || (lines >= 5 && cuts == 1) {
                cuts += 1;
                far.cut();
            }
        })
        .await;
    assert_eq!(fate, Ok(Fate::Ended { code: 3 }));
    let expected: String = (1..=8).map(|n| format!("line {n}\n")).collect();
    assert_eq!(text(&story.out), expected);
    assert!(cuts >= 1 && story.lost >= cuts, "{story:?}");
    assert_eq!(far.starts(), 1);
}

#[tokio::test]
async fn after_the_death_of_onramp_the_next_one_hears_all_of_it() {
    if no_sshd() {
        return;
    }
    let far = Far::new().await;
    let work = far.work("echo first; sleep 1.5; echo second; exit 4");
    let (sink, mut heard) = mpsc::channel(16);
    let (way, never) = (route(&far.hop), CancellationToken::new());
    tokio::select! {
        fate = far.pool.run_detached(&way, &work, &sink, &never) => panic!("{fate:?}"),
        _ = heard.recv() => {}
    }
    far.pool.close().await;
    let next = Far { pool: pool(""), ..far };
    let (sink, mut heard) = mpsc::channel(16);
    let way = route(&next.hop);
    let finding = async {
        let fate = next.pool.find_detached(&way, &work, &sink, &never).await;
        drop(sink);
        fate
    };
    let listening = async {
        let (mut out, mut found) = (Vec::new(), false);
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::Output(chunk) => out.extend(chunk.bytes),
                Heard::Found(_) => found = true,
                Heard::Lost(error) => panic!("{error}"),
            }
        }
        (text(&out), found)
    };
    let (fate, (out, found)) = tokio::join!(finding, listening);
    assert_eq!(fate, Ok(Some(Fate::Ended { code: 4 })));
    assert_eq!((out.as_str(), found), ("first\nsecond\n", true));
    assert_eq!(next.starts(), 1);
    let other = next.work("exit 0");
    let (sink, _heard) = mpsc::channel(16);
    assert_eq!(next.pool.find_detached(&way, &other, &sink, &CancellationToken::new()).await, Ok(None));
}

#[tokio::test]
async fn a_stop_and_a_limit_end_the_script_for_real() {
    if no_users() {
        return;
    }
    let far = Far::new().await;
    let child = far.path("child");
    let mut work = far.work(&format!("sleep 600 & echo $! >{}; echo began; wait", child.display()));
    work.script.sudo = true;
    let cancel = CancellationToken::new();
    let (fate, story) = far.run_until(&work, &cancel, |_| cancel.cancel()).await;
    assert_eq!(fate, Ok(Fate::Stopped { reason: Reason::Person, signal: "TERM".to_owned() }));
    assert_eq!(text(&story.out), "began\n");
    far.gone(&child);

    let work = far.work(&format!("sleep 600 & echo $! >{}; echo began; wait", child.display()));
    std::fs::remove_file(&child).expect("removed");
    let work = Detached { script: Script { limit: Duration::from_secs(2), sudo: true, ..work.script }, ..work };
    let (fate, _) = far.run(&work).await;
    assert_eq!(fate, Ok(Fate::Stopped { reason: Reason::Limit, signal: "TERM".to_owned() }));
    far.gone(&child);
    let (fate, story) = far.run(&work).await;
    assert_eq!(fate, Ok(Fate::Stopped { reason: Reason::Limit, signal: "TERM".to_owned() }), "the host remembers");
    assert_eq!((text(&story.out).as_str(), far.starts()), ("began\n", 2));
}

#[tokio::test]
async fn a_stop_that_does_not_reach_the_host_says_that_it_may_be_running() {
    if no_sshd() {
        return;
    }
    let far = Far::new().await;
    let own = far.path("own");
    let work = far.work(&format!("echo $$ >{}; echo began; sleep 20", own.display()));
    let cancel = CancellationToken::new();
    let (fate, _) = far
        .run_until(&work, &cancel, |_| {
            far.cut();
            let sshd = far.server.process().to_string();
            let _ = Command::new("kill").args(["-KILL", &sshd]).status();
            cancel.cancel();
        })
        .await;
    let Ok(Fate::Unknown { why, claim: Some(claim) }) = fate else { panic!("{fate:?}") };
    assert!(why.contains("could not be"), "{why}");
    assert!(claim.ends_with(&work.token), "{claim}");
    let pid = std::fs::read_to_string(&own).expect("a number").trim().to_owned();
    assert!(Path::new(&format!("/proc/{pid}")).exists(), "it goes on");
    let _ = Command::new("pkill").args(["-KILL", "-s", &session_of(&pid)]).status();
}

fn session_of(pid: &str) -> String {
    let output = Command::new("ps").args(["-o", "sid=", "-p", pid]).output().expect("ps");
    text(&output.stdout).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_slowly_hears_everything_all_the_same() {
    if no_sshd() {
        return;
    }
    const SIZE: usize = 24 * 1024 * 1024;
    let far = Far::new().await;
    let work = far.work(&format!("head -c {SIZE} /dev/zero | tr '\\0' x; echo; echo done"));
    let mut pauses = 0;
    let (fate, story) = far
        .run_until(&work, &CancellationToken::new(), |story| {
            // Long enough for more to pile up than is kept.
            if story.out.len() > 1024 * 1024 && pauses == 0 {
                pauses = 1;
                std::thread::sleep(Duration::from_secs(3));
            }
        })
        .await;
    assert_eq!(fate, Ok(Fate::Ended { code: 0 }));
    assert_eq!(story.out.len(), SIZE + "\ndone\n".len());
    assert!(story.out.ends_with(b"x\ndone\n"));
    assert_eq!((far.starts(), story.lost), (1, 0));
}
