//! Logging in to real sshd: agents, key files, refusals.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::lab::{Server, fingerprint, new_key, no_sshd, pool, public_line, run, run_tool, write, write_key};
use crate::ssh::{Hop, Identity, KeyFileTrouble, Pool, PrivateKey, Problem, Settings, Stage};

/// A real ssh-agent.
pub(super) struct Agent {
    pub(super) socket: PathBuf,
    child: Child,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent {
    pub(super) fn start(dir: &Path) -> Self {
        let socket = dir.join("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("ssh-agent");
        while !socket.exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { socket, child }
    }

    pub(super) fn add(&self, key: &Path) {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null());
        assert!(command.status().expect("ssh-add").success());
    }
}

fn with_agent(agent: &Agent) -> Pool {
    let settings = pool("").settings;
    Pool::new(Settings { agent_socket: Some(agent.socket.clone()), ..settings })
}

fn with(identity: Identity, hop: &Hop) -> [Hop; 1] {
    [Hop { identity, ..hop.clone() }]
}

#[tokio::test]
async fn a_wrong_key_is_denied_with_its_fingerprint() {
    if no_sshd() {
        return;
    }
    let (right, wrong) = (new_key(), new_key());
    let server = Server::start(&[&right], "").await;
    let hop = [server.hop("host", "deploy", &wrong)];
    let error = run(&pool(""), &hop, "true").await.expect_err("denied");
    assert_eq!(error.stage, Stage::Authentication);
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert_eq!(denial.tried, [fingerprint(&wrong)]);
    assert_eq!(denial.methods_left, ["publickey"]);
    assert!(error.advice().contains("authorized_keys"), "{}", error.advice());
}

#[tokio::test]
async fn a_server_that_wants_more_than_a_key_is_told_apart() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let settings = "AuthenticationMethods publickey,publickey";
    let server = Server::start(&[&key], settings).await;
    let error = run(&pool(""), &[server.hop("host", "deploy", &key)], "true").await.expect_err("two factors");
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert!(denial.partial, "{error}");
    assert!(error.advice().contains("second factor"), "{}", error.advice());
}

#[tokio::test]
async fn a_server_that_hangs_up_while_logging_in_is_quoted() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let agent = Agent::start(dir.path());
    for n in 0..6 {
        agent.add(&write_key(&dir.path().join(format!("key{n}")), &new_key()));
    }
    let patient = Server::start(&[&new_key()], "").await;
    let hop = with(Identity::Agent, &patient.hop("host", "deploy", &new_key()));
    let error = run(&with_agent(&agent), &hop, "true").await.expect_err("none fits");
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert_eq!((denial.tried.len(), denial.untried, &denial.said), (4, 2, &None));
    assert!(error.advice().contains("2 more keys"), "{}", error.advice());

    let strict = Server::start(&[&new_key()], "MaxAuthTries 2").await;
    let hop = with(Identity::Agent, &strict.hop("host", "deploy", &new_key()));
    let error = run(&with_agent(&agent), &hop, "true").await.expect_err("too many");
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert_eq!(denial.tried.len(), 2);
    assert!(denial.said.as_ref().is_some_and(|said| said.contains("Too many authentication failures")), "{error}");
}

#[tokio::test]
async fn agent_keys_and_key_files_log_in() {
    if no_sshd() {
        return;
    }
    let (key, other) = (new_key(), new_key());
    let server = Server::start(&[&key], "").await;
    let hop = server.hop("host", "deploy", &key);
    let dir = tempfile::tempdir().unwrap();
    let file = write_key(&dir.path().join("id"), &key);
    let none = pool("");
    run(&none, &with(Identity::File(file.clone()), &hop), "true").await.expect("a key file");
    run(&none, &with(Identity::Usual { files: vec![file.clone()], only: false }, &hop), "true")
        .await
        .expect("a key file without an agent");

    let error = run(&none, &with(Identity::Agent, &hop), "true").await.expect_err("no agent");
    assert!(matches!(error.problem, Problem::NoAgent(_)), "{error}");
    let agent = Agent::start(dir.path());
    let error = run(&with_agent(&agent), &with(Identity::Agent, &hop), "true").await.expect_err("an empty agent");
    assert_eq!(error.problem, Problem::NoKeys);

    agent.add(&write_key(&dir.path().join("other"), &other));
    agent.add(&file);
    run(&with_agent(&agent), &with(Identity::Agent, &hop), "true").await.expect("the second key of the agent");
    let missing = Identity::Usual { files: vec![dir.path().join("missing")], only: false };
    run(&with_agent(&agent), &with(missing, &hop), "true").await.expect("the agent, for want of a file");
    let wrong = Identity::File(dir.path().join("other"));
    let error = run(&with_agent(&agent), &with(wrong, &hop), "true").await.expect_err("only this file");
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert_eq!(denial.tried, [fingerprint(&other)]);
}

#[tokio::test]
async fn every_kind_of_key_that_ssh_keygen_makes_logs_in() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let kinds: [&[&str]; 6] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "3072", "-m", "PEM"],
    ];
    let agent = Agent::start(dir.path());
    for (n, kind) in kinds.iter().enumerate() {
        let file = dir.path().join(format!("key{n}"));
        let path = file.display().to_string();
        run_tool("ssh-keygen", &[kind, &["-q", "-N", "", "-f", &path][..]].concat());
        let server = Server::start(&[], "").await;
        let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
        write(&server.dir.path().join("authorized_keys"), &public, 0o644);
        let hop = server.hop("host", "deploy", &new_key());
        run(&pool(""), &with(Identity::File(file.clone()), &hop), "true").await.expect(&path);
        agent.add(&file);
        run(&with_agent(&agent), &with(Identity::Usual { files: vec![file], only: false }, &hop), "true")
            .await
            .expect(&path);
    }
}

#[tokio::test]
async fn an_encrypted_key_file_needs_the_agent() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key: PrivateKey = new_key();
    let server = Server::start(&[&key], "").await;
    let hop = server.hop("host", "deploy", &key);
    let file = write_key(&dir.path().join("id"), &key);
    let agent = Agent::start(dir.path());
    agent.add(&file);
    let path = file.display().to_string();
    run_tool("ssh-keygen", &["-q", "-p", "-P", "", "-N", "long enough", "-f", &path]);

    let error = run(&pool(""), &with(Identity::File(file.clone()), &hop), "true").await.expect_err("a passphrase");
    assert_eq!(error.problem, Problem::KeyFile { path: file.clone(), why: KeyFileTrouble::Encrypted });
    assert_eq!((error.stage, error.advice()), (Stage::Authentication, format!("ssh-add {path}")));
    run(&with_agent(&agent), &with(Identity::File(file), &hop), "true").await.expect("the agent's copy");
    assert_eq!(server.logins(), 1);
}

/// Before it is offered to anybody: whoever can read it may have it already.
#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused_with_what_to_do() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let hop = server.hop("host", "deploy", &key);
    let dir = tempfile::tempdir().unwrap();
    let own = write_key(&dir.path().join("own"), &key);
    let file = write(&dir.path().join("id"), &std::fs::read_to_string(&own).unwrap(), 0o640);
    let error = run(&pool(""), &with(Identity::File(file.clone()), &hop), "true").await.expect_err("too open");
    assert_eq!(error.problem, Problem::KeyFile { path: file.clone(), why: KeyFileTrouble::Mode(0o640) });
    assert_eq!(error.advice(), format!("chmod 600 {}", file.display()));
    let public = write(&dir.path().join("id.pub.txt"), &public_line(&key), 0o600);
    let error = run(&pool(""), &with(Identity::File(public), &hop), "true").await.expect_err("the public half");
    assert!(error.to_string().contains("this is the public half"), "{error}");
    let missing = dir.path().join("none");
    let error = run(&pool(""), &with(Identity::File(missing.clone()), &hop), "true").await.expect_err("no file");
    assert_eq!(error.problem, Problem::KeyFile { path: missing, why: KeyFileTrouble::Missing });
    assert_eq!((error.advice(), server.logins()), ("Check the path, or use the SSH agent.".to_owned(), 0));
    run(&pool(""), &with(Identity::File(own), &hop), "true").await.expect("its owner's alone");
}

#[tokio::test]
async fn an_agent_that_never_answers_is_limited() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("agent");
    let _mute = tokio::net::UnixListener::bind(&socket).unwrap();
    let mut settings = pool("").settings;
    settings.agent_socket = Some(socket);
    settings.limits.auth = Duration::from_millis(500);
    let hop = with(Identity::Agent, &server.hop("host", "deploy", &key));
    let file = write_key(&dir.path().join("id"), &key);
    let pool = Pool::new(settings);
    run(&pool, &with(Identity::File(file), &hop[0]), "true").await.expect("a key file does not need the agent");
    let error = run(&pool, &hop, "true").await.expect_err("a mute agent");
    assert_eq!((error.stage, error.problem), (Stage::Authentication, Problem::Timeout(Duration::from_millis(500))));
}

#[tokio::test]
async fn keys_in_memory_are_shared_by_their_fingerprint() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let pool = pool("");
    for _ in 0..3 {
        let hop = Hop { identity: Identity::Key(Arc::new(key.clone())), ..server.hop("host", "deploy", &key) };
        run(&pool, &[hop], "true").await.expect("logged in");
    }
    assert_eq!(server.logins(), 1);
    assert!(public_line(&key).starts_with("ssh-ed25519 "));
}
