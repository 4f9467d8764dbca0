//! The engineer's own set-up, honoured on the way to real sshd.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::lab::{
    OurPool, Server, account, free_port, make_keys, new_key, no_sshd, pool, public_line, run, run_tool, write,
    write_key,
};
use super::logins::Agent;
use crate::ssh::{Asked, Config, Hop, Pool, Problem, Settings, SshError, Stage};

#[expect(clippy::disallowed_methods, reason = "a test looks for this machine's ssh")]
fn path_of_this_machine() -> String {
    std::env::var("PATH").unwrap()
}

/// A pool that honours a set-up of this text, which lies in the pool's folder.
fn with_setup(text: &str) -> (OurPool, Pool) {
    let ours = pool("");
    let file = write(&ours.dir.path().join("config"), text, 0o600);
    let path = path_of_this_machine();
    let config = Config::of(ours.dir.path(), "jane", Some(&file), &path, ours.settings.known_hosts.clone());
    let pool = Pool::new(Settings { config: Arc::new(config), ..ours.settings.clone() });
    (ours, pool)
}

fn asked(alias: &str, hop: &Hop) -> Asked {
    with_pins(alias, hop.pins.clone())
}

fn with_pins(alias: &str, pins: Vec<String>) -> Asked {
    let (name, address) = (alias.to_owned(), alias.to_owned());
    Asked { name, address, port: None, user: None, identity: None, pins }
}

/// Runs `id -un` on the last of `asked`.
async fn user_there(pool: &Pool, asked: &[Asked]) -> Result<String, SshError> {
    let route = pool.route(asked).await?;
    Ok(run(pool, &route.hops, "id -un").await?.out.trim().to_owned())
}

/// Lines of a set-up for one server.
fn host(alias: &str, server: &Server, user: &str, key: &Path) -> String {
    format!(
        "Host {alias}\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n",
        server.port,
        account(user),
        key.display()
    )
}

#[tokio::test]
async fn the_engineers_own_bastions_lead_to_a_host_of_the_runbook() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let keys = [new_key(), new_key(), new_key()];
    let files: Vec<_> =
        keys.iter().enumerate().map(|(n, key)| write_key(&dir.path().join(format!("key{n}")), key)).collect();
    let outer = Server::start(&[&keys[0]], "").await;
    let inner = Server::start(&[&keys[1]], "").await;
    let target = Server::start(&[&keys[2]], "AllowTcpForwarding no").await;
    let known = write(
        &dir.path().join("known"),
        &format!("{}{}", outer.known_as(&outer.host_key), inner.known_as(&inner.host_key)),
        0o600,
    );
    let (_ours, pool) = with_setup(&format!(
        "UserKnownHostsFile {}\n{} ProxyJump inner\n{} ProxyJump outer\n{}",
        known.display(),
        host("app", &target, "deploy", &files[2]),
        host("inner", &inner, "jump", &files[1]),
        host("outer", &outer, "jump", &files[0]),
    ));
    let app = [asked("app", &target.hop("app", "deploy", &keys[2]))];
    assert_eq!(user_there(&pool, &app).await.expect("over two hops"), account("deploy"));
    assert_eq!((outer.logins(), inner.logins(), target.logins()), (1, 1, 1));
}

#[tokio::test]
async fn an_unknown_jump_host_of_the_set_up_is_refused_under_its_own_name() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key = new_key();
    let file = write_key(&dir.path().join("key"), &key);
    let (jump, target) = (Server::start(&[&key], "").await, Server::start(&[&key], "").await);
    let off = "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n";
    let text = format!(
        "{off}{} ProxyJump jump\n{}",
        host("app", &target, "deploy", &file),
        host("jump", &jump, "jump", &file)
    );
    let (_ours, pool) = with_setup(&text);
    let app = [asked("app", &target.hop("app", "deploy", &key))];
    let error = user_there(&pool, &app).await.expect_err("nobody vouches for the jump host");
    assert_eq!((error.hop.as_str(), error.stage), ("jump of your ssh config", Stage::HostKey));
    assert!(matches!(error.problem, Problem::UnknownHostKey(_)), "{error}");
    assert_eq!(jump.logins(), 0);
    let remarks = pool.route(&app).await.unwrap().remarks.join("\n");
    assert!(remarks.contains("verified all the same") && remarks.contains("does not switch the verification off"));
}

#[tokio::test]
async fn a_proxy_command_is_the_connection_and_its_last_words_are_told() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key = new_key();
    let file = write_key(&dir.path().join("key"), &key);
    let server = Server::start(&[&key], "").await;
    // Both halves end with the connection.
    let relay = "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&0 >&3 & exec cat <&3'";
    let (_ours, pool) = with_setup(&format!("{} ProxyCommand {relay}\n", host("app", &server, "deploy", &file)));
    let app = asked("app", &server.hop("app", "deploy", &key));
    assert_eq!(user_there(&pool, std::slice::from_ref(&app)).await.expect("through the command"), account("deploy"));

    let (_ours, pool) = with_setup("Host app\n ProxyCommand sh -c 'echo no route to %h >&2; exit 3'\n");
    let error = user_there(&pool, &[app]).await.expect_err("the command fails");
    assert_eq!((error.hop.as_str(), error.stage), ("app", Stage::Connect));
    let Problem::Command { said, .. } = &error.problem else { unreachable!("{error}") };
    assert_eq!(said, "it ended with code 3: no route to app");
    assert!(error.advice().contains("by hand"));
}

#[tokio::test]
async fn another_agent_and_only_the_named_keys() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (key, others) = (new_key(), [new_key(), new_key(), new_key(), new_key(), new_key()]);
    let agent = Agent::start(dir.path());
    for (n, other) in others.iter().enumerate() {
        agent.add(&write_key(&dir.path().join(format!("other{n}")), other));
    }
    let file = write_key(&dir.path().join("mine"), &key);
    agent.add(&file);
    // Only the agent has the private half from here on.
    write(&file, &public_line(&key), 0o600);
    let server = Server::start(&[&key], "MaxAuthTries 3").await;
    let text = host("app", &server, "deploy", &file);
    let app = [asked("app", &server.hop("app", "deploy", &key))];
    let (_ours, pool) = with_setup(&format!("{text} IdentitiesOnly yes\n IdentityAgent {}\n", agent.socket.display()));
    user_there(&pool, &app).await.expect("the named key, of the other agent, and it alone");
    assert!(!server.log().contains("Failed publickey"), "{}", server.log());

    let (_ours, pool) = with_setup(&format!("{text} IdentityAgent none\n"));
    let error = user_there(&pool, &app).await.expect_err("no agent, and the file is the public half");
    assert!(matches!(error.problem, Problem::KeyFile { .. }), "{error}");
}

#[tokio::test]
async fn the_set_up_says_where_host_keys_are_and_under_which_name() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key = new_key();
    let file = write_key(&dir.path().join("key"), &key);
    let server = Server::start(&[&key], "").await;
    let known = write(&dir.path().join("known"), &format!("acme-app {}\n", public_line(&server.host_key)), 0o600);
    let text = format!("{} UserKnownHostsFile {}\n", host("app", &server, "deploy", &file), known.display());
    let app = [asked("app", &server.stranger("app", "deploy", &key))];
    let (_ours, pool) = with_setup(&text);
    let error = user_there(&pool, &app).await.expect_err("not under this address");
    assert!(matches!(error.problem, Problem::UnknownHostKey(_)), "{error}");
    let (_ours, pool) = with_setup(&format!("{text} HostKeyAlias acme-app\n"));
    user_there(&pool, &app).await.expect("under its alias");

    let revoked = write(&dir.path().join("revoked"), &format!("# stolen\n{}\n", public_line(&server.host_key)), 0o600);
    let (_ours, pool) = with_setup(&format!("{text} HostKeyAlias acme-app\n RevokedHostKeys {}\n", revoked.display()));
    let error = user_there(&pool, &app).await.expect_err("revoked");
    assert!(matches!(error.problem, Problem::RevokedHostKey { .. }), "{error}");
    let krl = dir.path().join("krl").display().to_string();
    let public = write(&dir.path().join("host.pub"), &public_line(&server.host_key), 0o644).display().to_string();
    run_tool("ssh-keygen", &["-q", "-k", "-f", &krl, &public]);
    let (_ours, pool) = with_setup(&format!("{text} HostKeyAlias acme-app\n RevokedHostKeys {krl}\n"));
    let error = user_there(&pool, &app).await.expect_err("a list that cannot be read is no empty list");
    assert!(matches!(error.problem, Problem::KnownHosts { .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_of_the_set_up_logs_in() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    make_keys(dir.path(), &["ca", "key"]);
    run_tool("ssh-keygen", &["-q", "-s", &path("ca"), "-I", "jane", "-n", &account("deploy"), &path("key.pub")]);
    // Away from the key, so that only the set-up knows of it.
    std::fs::rename(path("key-cert.pub"), path("elsewhere-cert.pub")).unwrap();
    let server = Server::start(&[], &format!("TrustedUserCAKeys {}", path("ca.pub"))).await;
    let text = host("app", &server, "deploy", Path::new(&path("key")));
    let app = [asked("app", &server.hop("app", "deploy", &new_key()))];
    let (_ours, pool) = with_setup(&text);
    user_there(&pool, &app).await.expect_err("the key alone is not known there");
    let certified = format!("{text} CertificateFile {}\n", path("elsewhere-cert.pub"));
    let (_ours, pool) = with_setup(&certified);
    user_there(&pool, &app).await.expect("the certificate");
    assert!(server.log().contains("Accepted certificate ID \"jane\""), "{}", server.log());

    let agent = Agent::start(dir.path());
    agent.add(Path::new(&path("key")));
    std::fs::remove_file(path("key")).unwrap();
    let (_ours, pool) = with_setup(&format!("{certified} IdentityAgent {}\n", agent.socket.display()));
    user_there(&pool, &app).await.expect("the certificate, signed by the agent's key");
}

#[tokio::test]
async fn the_set_up_limits_the_time_to_connect() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (taken, full) = (silent.local_addr().unwrap().port(), free_port());
    let text = format!(
        "Host slow\n HostName 127.0.0.1\n Port {taken}\n ConnectTimeout 1\n ProxyCommand sleep 30\nHost gone\n HostName 127.0.0.1\n \
         Port {full}\n"
    );
    let (ours, _) = with_setup(&text);
    let file = ours.dir.path().join("config");
    let config = Config::of(ours.dir.path(), "jane", Some(&file), "", Vec::new());
    let mut settings = Settings { config: Arc::new(config), ..ours.settings.clone() };
    settings.limits.banner = Duration::from_millis(300);
    let pool = Pool::new(settings);
    let error = user_there(&pool, &[with_pins("slow", Vec::new())]).await.expect_err("a command that says nothing");
    assert_eq!((error.stage, error.problem), (Stage::Banner, Problem::Timeout(Duration::from_millis(300))));
    let error = user_there(&pool, &[with_pins("gone", Vec::new())]).await.expect_err("nobody listens");
    assert_eq!(error.stage, Stage::Connect);
}
