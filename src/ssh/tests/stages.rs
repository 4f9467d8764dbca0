//! A failure at each stage of a hop, on the first hop and on one behind a bastion: it names the hop and the stage, and
//! says what to try.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::lab::{Server, free_port, new_key, no_sshd, pool, run};
use crate::ssh::{Hop, Pool, PrivateKey, Problem, SshError, Stage};

/// Two ways to the same hop: directly, and over a bastion.
struct Ways {
    key: PrivateKey,
    bastion: Server,
    target: Server,
    pool: Pool,
}

impl Ways {
    async fn new() -> Self {
        let key = new_key();
        let bastion = Server::start(&[&key], "").await;
        let target = Server::start(&[&key], "").await;
        let mut settings = pool("").settings;
        settings.limits.connect = Duration::from_secs(2);
        settings.limits.banner = Duration::from_millis(600);
        Self { key, bastion, target, pool: Pool::new(settings) }
    }

    /// The failure of the hop that `change` spoils, directly and behind the bastion.
    async fn failures(&self, change: impl Fn(Hop) -> Hop) -> [SshError; 2] {
        let spoiled = change(self.target.hop("app", "deploy", &self.key));
        let bastion = self.bastion.hop("bastion", "jump", &self.key);
        let direct = run(&self.pool, std::slice::from_ref(&spoiled), "true").await.expect_err("spoiled");
        let behind = run(&self.pool, &[bastion, spoiled], "true").await.expect_err("spoiled, behind the bastion");
        [direct, behind]
    }
}

/// Every one of them names this hop and stage, in its message too, and has something to try.
fn name(errors: &[SshError], hop: &str, stage: Stage, advice: &str) {
    for error in errors {
        assert_eq!((error.hop.as_str(), error.stage), (hop, stage), "{error}");
        assert!(error.to_string().starts_with(&format!("{hop} (")), "{error}");
        assert!(error.to_string().contains(&format!(", {stage}: ")), "{error}");
        assert!(error.advice().contains(advice), "{error}: {}", error.advice());
    }
}

#[tokio::test]
async fn stage_name() {
    if no_sshd() {
        return;
    }
    let ways = Ways::new().await;
    let errors = ways.failures(|hop| Hop { address: "no.such.host.invalid".to_owned(), ..hop }).await;
    name(&errors, "app", Stage::Name, "DNS");
    assert!(errors[1].advice().contains("bastion"), "it is the bastion that looks it up: {}", errors[1].advice());
}

#[tokio::test]
async fn stage_connect() {
    if no_sshd() {
        return;
    }
    let (ways, port) = (Ways::new().await, free_port());
    name(&ways.failures(|hop| Hop { port, ..hop }).await, "app", Stage::Connect, "heck");
}

#[tokio::test]
async fn stage_banner() {
    if no_sshd() {
        return;
    }
    let ways = Ways::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    name(&ways.failures(|hop| Hop { port, ..hop }).await, "app", Stage::Banner, "silent");
}

#[tokio::test]
async fn stage_key_exchange() {
    if no_sshd() {
        return;
    }
    let ways = Ways::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // It speaks no SSH beyond the first line.
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut seen = [0; 1024];
                let _ = stream.write_all(b"SSH-2.0-Broken\r\n").await;
                let _ = stream.read(&mut seen).await;
                let _ = stream.write_all(&[0xff; 64]).await;
                let _ = stream.read(&mut seen).await;
            });
        }
    });
    name(&ways.failures(|hop| Hop { port, ..hop }).await, "app", Stage::KeyExchange, "sshd");
    let old = Server::start(&[&ways.key], "KexAlgorithms diffie-hellman-group1-sha1").await;
    let errors = ways.failures(|hop| Hop { port: old.port, ..hop }).await;
    name(&errors, "app", Stage::KeyExchange, "sshd -T");
    assert!(errors[0].to_string().contains("diffie-hellman-group1-sha1"), "{}", errors[0]);
}

#[tokio::test]
async fn stage_host_key() {
    if no_sshd() {
        return;
    }
    let ways = Ways::new().await;
    let errors = ways.failures(|hop| Hop { pins: Vec::new(), ..hop }).await;
    name(&errors, "app", Stage::HostKey, "ssh-keygen -lf");
    assert_eq!(ways.target.logins(), 0);
}

#[tokio::test]
async fn stage_authentication() {
    if no_sshd() {
        return;
    }
    let ways = Ways::new().await;
    let stranger = Server::start(&[&new_key()], "").await;
    let pins = stranger.hop("app", "deploy", &ways.key).pins;
    let errors = ways.failures(|hop| Hop { port: stranger.port, pins: pins.clone(), ..hop }).await;
    name(&errors, "app", Stage::Authentication, "authorized_keys");
}

#[tokio::test]
async fn stage_channel() {
    if no_sshd() {
        return;
    }
    let ways = Ways::new().await;
    let closed = Server::start(&[&ways.key], "MaxSessions 0").await;
    let pins = closed.hop("app", "deploy", &ways.key).pins;
    let errors = ways.failures(|hop| Hop { port: closed.port, pins: pins.clone(), ..hop }).await;
    name(&errors, "app", Stage::Channel, "MaxSessions");

    let shut = Server::start(&[&ways.key], "AllowTcpForwarding no").await;
    let hops = [shut.hop("bastion", "jump", &ways.key), ways.target.hop("app", "deploy", &ways.key)];
    let error = run(&ways.pool, &hops, "true").await.expect_err("forwards nothing");
    name(std::slice::from_ref(&error), "bastion", Stage::Channel, "AllowTcpForwarding");
    assert!(matches!(error.problem, Problem::ForwardingRefused { .. }));
}
