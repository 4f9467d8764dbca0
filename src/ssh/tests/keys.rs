//! Kinds of keys and certificates, against real sshd.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::signature::Signer;
use russh::keys::ssh_key::Signature;
use russh::keys::{HashAlg, PrivateKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::lab::{OurPool, Server, account, make_keys, new_key, no_sshd, pool, run, run_tool, write};
use super::logins::Agent;
use crate::ssh::{Extra, Hop, Identity, Pool, Problem, Settings, Sha1, Stage};

fn with_agent(socket: PathBuf) -> Pool {
    let ours: OurPool = pool("");
    Pool::new(Settings { agent_socket: Some(socket), ..ours.settings.clone() })
}

fn usual(files: &[&Path]) -> Identity {
    Identity::Usual { files: files.iter().map(|file| file.to_path_buf()).collect(), only: false }
}

#[tokio::test]
async fn user_certificates_beside_the_key_and_in_the_agent() {
    if no_sshd() {
        return;
    }
    let kinds: [&[&str]; 4] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "3072"],
    ];
    for kind in kinds {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        run_tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path("ca")]);
        run_tool("ssh-keygen", &[kind, &["-q", "-N", "", "-f", &path("key")][..]].concat());
        run_tool("ssh-keygen", &["-q", "-s", &path("ca"), "-I", "jane", "-n", &account("deploy"), &path("key.pub")]);
        let server = Server::start(&[], &format!("TrustedUserCAKeys {}", path("ca.pub"))).await;
        let key = PathBuf::from(path("key"));
        let hop = |identity| [Hop { identity, ..server.hop("host", "deploy", &new_key()) }];
        run(&pool(""), &hop(Identity::File(key.clone())), "true").await.expect("the certificate beside the key");
        let agent = Agent::start(dir.path());
        agent.add(&key);
        std::fs::remove_file(&key).unwrap();
        std::fs::remove_file(path("key-cert.pub")).unwrap();
        let by_agent = with_agent(agent.socket.clone());
        run(&by_agent, &hop(Identity::Agent), "true").await.expect("the certificate in the agent");
        let by_certificate = |line: &&str| line.starts_with("Accepted publickey") && line.contains("-CERT");
        assert_eq!(server.log().lines().filter(by_certificate).count(), 2, "{kind:?}\n{}", server.log());
    }
}

#[tokio::test]
async fn a_certificate_that_has_expired_does_not_keep_the_key_from_being_tried() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    make_keys(dir.path(), &["ca", "key"]);
    let user = account("deploy");
    run_tool("ssh-keygen", &["-q", "-s", &path("ca"), "-I", "old", "-n", &user, "-V", "-2d:-1d", &path("key.pub")]);
    let server = Server::start(&[], &format!("TrustedUserCAKeys {}", path("ca.pub"))).await;
    let hop = Hop { identity: Identity::File(path("key").into()), ..server.hop("host", "deploy", &new_key()) };
    let error = run(&pool(""), std::slice::from_ref(&hop), "true").await.expect_err("expired, and the key is unknown");
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert!(denial.tried.len() == 2 && denial.tried[0].starts_with("the certificate of SHA256:"), "{error}");
    let public = std::fs::read_to_string(path("key.pub")).unwrap();
    write(&server.dir.path().join("authorized_keys"), &public, 0o644);
    run(&pool(""), &[hop], "true").await.expect("the key itself");
}

#[tokio::test]
async fn rsa_signs_with_sha2_wherever_the_server_says_that_it_takes_it() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rsa");
    run_tool("ssh-keygen", &["-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", &file.display().to_string()]);
    let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    for (allowed, works) in [("rsa-sha2-512", true), ("rsa-sha2-256,rsa-sha2-512", true), ("ssh-rsa", false)] {
        let server = Server::start(&[], &format!("PubkeyAcceptedAlgorithms {allowed}")).await;
        write(&server.dir.path().join("authorized_keys"), &public, 0o644);
        let hop = [Hop { identity: Identity::File(file.clone()), ..server.hop("host", "deploy", &new_key()) }];
        assert_eq!(run(&pool(""), &hop, "true").await.is_ok(), works, "{allowed}\n{}", server.log());
        let sha1 = Sha1 { login: true, ..Sha1::default() };
        let opted = hop.map(|hop| Hop { extra: Extra { sha1, ..hop.extra.clone() }, ..hop });
        // This sshd says that it takes SHA-2 whatever it is set to, so there is something better than SHA-1 in its words.
        assert_eq!(run(&pool(""), &opted, "true").await.is_ok(), works, "{allowed}: SHA-2 comes first all the same");
    }
}

/// As servers of before 2016 are. Nothing of it is offered to a host of which the set-up does not ask for it by name.
#[tokio::test]
async fn a_server_with_sha1_alone_is_reached_where_each_part_is_asked_for() {
    if no_sshd() {
        return;
    }
    let (dir, key) = (tempfile::tempdir().unwrap(), new_key());
    let file = dir.path().join("rsa_host").display().to_string();
    run_tool("ssh-keygen", &["-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", &file]);
    let line = run_tool("ssh-keygen", &["-lf", &file]);
    let pin = line.split(' ').nth(1).unwrap().to_owned();
    let settings = format!("HostKey {file}\nHostKeyAlgorithms ssh-rsa\nKexAlgorithms diffie-hellman-group14-sha1");
    let server = Server::start(&[&key], &settings).await;
    for (host_key, key_exchange) in [(false, false), (true, false), (false, true), (true, true)] {
        let sha1 = Sha1 { host_key, key_exchange, login: false };
        let hop = server.stranger("old", "deploy", &key);
        let hop = [Hop { pins: vec![pin.clone()], extra: Extra { sha1, ..hop.extra.clone() }, ..hop }];
        match run(&pool(""), &hop, "true").await {
            Ok(_) => assert!(host_key && key_exchange, "{sha1:?}"),
            Err(error) => {
                assert!(!(host_key && key_exchange), "{sha1:?}: {error}\n{}", server.log());
                assert_eq!(error.stage, Stage::KeyExchange, "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_usual_order_is_the_agents_copies_then_its_others_then_the_files() {
    if no_sshd() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let agent = Agent::start(dir.path());
    let key = |name: &str| {
        let key = new_key();
        (super::lab::write_key(&dir.path().join(name), &key), super::lab::fingerprint(&key))
    };
    let (other, in_agent, on_disk) = (key("other"), key("in-agent"), key("on-disk"));
    agent.add(&other.0);
    agent.add(&in_agent.0);
    let server = Server::start(&[&new_key()], "").await;
    let tried = async |identity| {
        let hop = [Hop { identity, ..server.hop("host", "deploy", &new_key()) }];
        let error = run(&with_agent(agent.socket.clone()), &hop, "true").await.expect_err("none of them");
        let Problem::Denied(denial) = error.problem else { unreachable!("{error}") };
        denial.tried
    };
    let files = [on_disk.0.as_path(), in_agent.0.as_path()];
    assert_eq!(tried(usual(&files)).await, [in_agent.1.clone(), other.1, on_disk.1.clone()]);
    let only = Identity::Usual { files: files.map(Path::to_path_buf).to_vec(), only: true };
    assert_eq!(tried(only).await, [in_agent.1, on_disk.1]);
}

/// A security key in software: an agent that holds one `sk-ssh-ed25519@openssh.com` key and signs as the hardware
/// does (PROTOCOL.u2f of OpenSSH), touched or not.
struct SecurityKey {
    key: PrivateKey,
    touched: bool,
}

const APPLICATION: &str = "ssh:";

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

impl SecurityKey {
    /// The public key, as it stands in authorized_keys and in the agent's list.
    fn blob(&self) -> Vec<u8> {
        let public = self.key.public_key().key_data().ed25519().expect("an Ed25519 key").0;
        [string(b"sk-ssh-ed25519@openssh.com"), string(&public), string(APPLICATION.as_bytes())].concat()
    }

    fn sign(&self, data: &[u8]) -> Vec<u8> {
        let (flags, counter) = ([u8::from(self.touched)], 7_u32.to_be_bytes());
        let digest = |text: &[u8]| HashAlg::Sha256.digest(text);
        let signed = [digest(APPLICATION.as_bytes()), flags.to_vec(), counter.to_vec(), digest(data)].concat();
        let signature: Signature = self.key.try_sign(&signed).expect("a signature");
        let kind = string(b"sk-ssh-ed25519@openssh.com");
        [kind, string(signature.as_bytes()), flags.to_vec(), counter.to_vec()].concat()
    }

    /// Answers one client: the list of keys, and signatures. Everything else is refused, as agents may.
    async fn serve(&self, mut stream: UnixStream) -> std::io::Result<()> {
        loop {
            let length = stream.read_u32().await?;
            let mut message = vec![0; length as usize];
            stream.read_exact(&mut message).await?;
            let answer = match message.first() {
                Some(11) => [vec![12], 1_u32.to_be_bytes().to_vec(), string(&self.blob()), string(b"token")].concat(),
                Some(13) => {
                    let rest = message.split_off(1 + 4 + self.blob().len());
                    let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
                    [vec![14], string(&self.sign(&rest[4..4 + length]))].concat()
                }
                _ => vec![5],
            };
            stream.write_all(&string(&answer)).await?;
        }
    }
}

#[tokio::test]
async fn a_security_key_signs_through_the_agent() {
    if no_sshd() {
        return;
    }
    for touched in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("agent");
        let token = Arc::new(SecurityKey { key: new_key(), touched });
        let listener = UnixListener::bind(&socket).unwrap();
        let serving = tokio::spawn({
            let token = Arc::clone(&token);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let token = Arc::clone(&token);
                    tokio::spawn(async move { token.serve(stream).await });
                }
            }
        });
        let server = Server::start(&[], "").await;
        let line = {
            use base64::Engine;
            let blob = base64::engine::general_purpose::STANDARD.encode(token.blob());
            format!("sk-ssh-ed25519@openssh.com {blob} token\n")
        };
        write(&server.dir.path().join("authorized_keys"), &line, 0o644);
        let hop = [Hop { identity: Identity::Agent, ..server.hop("host", "deploy", &new_key()) }];
        let outcome = run(&with_agent(socket), &hop, "true").await;
        assert_eq!(outcome.is_ok(), touched, "sshd wants it touched: {outcome:?}\n{}", server.log());
        serving.abort();
    }
}
