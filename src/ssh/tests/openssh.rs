//! Routes and host keys against real sshd.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::lab::{Server, account, fingerprint, free_port, new_key, no_sshd, pool, public_line, run, run_tool, write};
use crate::ssh::dial::{Dial, Tcp, Wire};
use crate::ssh::{Extra, Hop, Identity, Pool, Problem, Stage};

#[tokio::test]
async fn each_hop_has_its_own_user_key_and_host_key_and_the_bastion_is_shared() {
    if no_sshd() {
        return;
    }
    let (jump_key, host_key) = (new_key(), new_key());
    let bastion = Server::start(&[&jump_key], "").await;
    let first = Server::start(&[&host_key], "AllowTcpForwarding no").await;
    let second = Server::start(&[&host_key], "AllowTcpForwarding no").await;
    let pool = pool("");
    let jump = bastion.hop("bastion", "jump", &jump_key);
    let to = |server: &Server, name| [jump.clone(), server.hop(name, "deploy", &host_key)];
    let (one, two) = (to(&first, "first"), to(&second, "second"));

    let (a, b, c) = tokio::join!(
        run(&pool, &one, "id -un; echo oops >&2; exit 7"),
        run(&pool, &two, "echo two"),
        run(&pool, &one, "echo $LC_ALL; umask"),
    );
    let (a, b, c) = (a.expect("a"), b.expect("b"), c.expect("c"));
    assert_eq!((a.out.trim(), a.err.trim(), a.exit.code), (account("deploy").as_str(), "oops", Some(7)));
    assert_eq!(b.out, "two\n");
    assert_eq!(c.out, "C\n0022\n");
    run(&pool, &two, "true").await.expect("again");
    assert_eq!((bastion.logins(), first.logins(), second.logins()), (1, 1, 1));
    pool.close().await;
    run(&pool, &one, "true").await.expect("a closed pool connects anew");
    assert_eq!(bastion.logins(), 2);
}

#[tokio::test]
async fn an_unknown_key_is_refused_until_a_person_accepts_it() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let pool = pool("");
    let hop = [server.stranger("host", "deploy", &key)];
    let error = run(&pool, &hop, "true").await.expect_err("refused");
    assert_eq!((error.stage, error.hop.as_str()), (Stage::HostKey, "host"));
    let Problem::UnknownHostKey(offered) = error.problem else { unreachable!("{error}") };
    let public = write(&pool.dir.path().join("offered.pub"), &offered.openssh, 0o644);
    let line = run_tool("ssh-keygen", &["-lf", &public.display().to_string()]);
    assert_eq!(line.split(' ').nth(1), Some(offered.fingerprint_sha256.as_str()));
    assert_eq!(offered.openssh, public_line(&server.host_key));
    assert_eq!(server.logins(), 0);

    pool.settings.trusted.write().unwrap().accept(&offered.host, offered.port, &offered.fingerprint_sha256);
    run(&pool, &hop, "true").await.expect("accepted");
}

#[tokio::test]
async fn a_changed_key_is_refused_on_every_hop() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let target = Server::start(&[&key], "").await;
    let hops = [bastion.stranger("bastion", "jump", &key), target.stranger("target", "deploy", &key)];

    let good = pool(&(bastion.known_as(&bastion.host_key) + &target.known_as(&target.host_key)));
    run(&good, &hops, "true").await.expect("both known");

    // Each other's key is as wrong as any: the names must not be mixed up.
    let swapped = pool(&(bastion.known_as(&target.host_key) + &target.known_as(&bastion.host_key)));
    let error = run(&swapped, &hops, "true").await.expect_err("bastion changed");
    assert_eq!((error.hop.as_str(), error.stage), ("bastion", Stage::HostKey));

    let one_wrong = pool(&(bastion.known_as(&bastion.host_key) + &target.known_as(&bastion.host_key)));
    let error = run(&one_wrong, &hops, "true").await.expect_err("target changed");
    assert_eq!(error.hop, "target");
    let Problem::ChangedHostKey { offered, expected, from } = error.problem else { unreachable!("{error}") };
    assert_eq!(offered.fingerprint_sha256, fingerprint(&target.host_key));
    assert_eq!(expected, [format!("ssh-ed25519 {}", fingerprint(&bastion.host_key))]);
    assert!(from.ends_with("known_hosts:2"), "{from}");
    assert_eq!(target.logins(), 1);
}

#[tokio::test]
async fn hashed_entries_of_ssh_keygen_and_revocations_are_understood() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let hop = [server.stranger("host", "deploy", &key)];
    let hashing = pool(&server.known_as(&server.host_key));
    let file = hashing.settings.known_hosts[0].display().to_string();
    run_tool("ssh-keygen", &["-q", "-H", "-f", &file]);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("|1|"));
    run(&hashing, &hop, "true").await.expect("found in a hashed file");

    let revoked = format!("@revoked * {}\n{}", public_line(&server.host_key), server.known_as(&server.host_key));
    let error = run(&pool(&revoked), &hop, "true").await.expect_err("revoked");
    assert!(matches!(error.problem, Problem::RevokedHostKey { .. }), "{error}");

    let unreadable = pool("");
    std::fs::remove_file(&unreadable.settings.known_hosts[0]).unwrap();
    std::fs::create_dir(&unreadable.settings.known_hosts[0]).unwrap();
    let error = run(&unreadable, &[server.hop("host", "deploy", &key)], "true").await.expect_err("unreadable");
    assert!(matches!(error.problem, Problem::KnownHosts { .. }), "{error}");
}

#[tokio::test]
async fn a_server_with_several_keys_shows_the_one_we_know() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let keys = tempfile::tempdir().unwrap();
    let rsa = keys.path().join("rsa");
    run_tool("ssh-keygen", &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &rsa.display().to_string()]);
    let server = Server::start(&[&key], &format!("HostKey {}", rsa.display())).await;
    let rsa_public = std::fs::read_to_string(rsa.with_extension("pub")).unwrap();
    let hop = server.stranger("host", "deploy", &key);

    let by_file = pool(&format!("[127.0.0.1]:{} {rsa_public}", server.port));
    run(&by_file, std::slice::from_ref(&hop), "true").await.expect("known by its RSA key");

    let print = run_tool("ssh-keygen", &["-lf", &rsa.display().to_string()]);
    let by_pin = pool("");
    run(&by_pin, &[Hop { pins: vec![print], ..hop.clone() }], "true").await.expect("pinned by its RSA key");

    let other = Hop { pins: vec![fingerprint(&new_key())], ..hop };
    let error = run(&by_pin, &[other], "true").await.expect_err("another pin");
    let Problem::ChangedHostKey { offered, from, .. } = error.problem else { unreachable!("{error}") };
    assert_eq!((offered.algorithm.as_str(), from.as_str()), ("ssh-ed25519", "the pinned fingerprint"));
}

#[tokio::test]
async fn host_certificates_hold_for_their_host_and_time_only() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca").display().to_string();
    run_tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &ca]);
    let authority = std::fs::read_to_string(format!("{ca}.pub")).unwrap();
    let host = dir.path().join("host").display().to_string();
    run_tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &host]);
    let settings = format!("HostKey {host}\nHostCertificate {host}-cert.pub");
    let cases = [
        ("127.0.0.1", "-1d:+1d", None),
        ("127.0.0.*", "-1d:+1d", None),
        ("other.example.com", "-1d:+1d", Some("it is for other.example.com")),
        ("127.0.0.1", "-2d:-1d", Some("it has expired")),
        ("127.0.0.1", "+1d:+2d", Some("it is not valid yet (is this machine's clock right?)")),
    ];
    for (principal, validity, wrong) in cases {
        run_tool(
            "ssh-keygen",
            &["-q", "-s", &ca, "-I", "host", "-h", "-n", principal, "-V", validity, &format!("{host}.pub")],
        );
        let server = Server::start(&[&key], &settings).await;
        let hop = [server.stranger("host", "deploy", &key)];
        let trusting = pool(&format!("@cert-authority 127.0.0.*,[127.0.0.*]:* {authority}"));
        let result = run(&trusting, &hop, "true").await.map(|_| ()).map_err(|error| error.problem);
        match wrong {
            None => assert_eq!(result, Ok(())),
            Some(text) => {
                assert!(matches!(&result, Err(Problem::HostCertificate { why, .. }) if why == text), "{result:?}");
            }
        }
        let error = run(&pool(""), &hop, "true").await.expect_err("no authority, no trust");
        assert!(matches!(error.problem, Problem::UnknownHostKey(_)), "{error}");
    }
}

#[tokio::test]
async fn a_bastion_that_does_not_forward_is_named() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "AllowTcpForwarding no").await;
    let target = Server::start(&[&key], "").await;
    let hops = [bastion.hop("bastion", "jump", &key), target.hop("target", "deploy", &key)];
    let error = run(&pool(""), &hops, "true").await.expect_err("no forwarding");
    assert_eq!((error.hop.as_str(), error.stage), ("bastion", Stage::Channel));
    assert!(matches!(error.problem, Problem::ForwardingRefused { .. }), "{error}");
    assert!(error.advice().contains("AllowTcpForwarding"));
}

#[tokio::test]
async fn a_host_that_forwards_nothing_carries_a_connection_by_its_shell_and_leaves_nothing_running() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let host = Server::start(&[&key], "AllowTcpForwarding no").await;
    let hops = [host.hop("app-1", "deploy", &key)];
    let pool = pool("");
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for who_ends in ["us", "them"] {
        let mut near = pool.stream(&hops, "127.0.0.1", port).await.expect("a shell carries it");
        let (mut far, _) = server.accept().await.unwrap();
        for _ in 0..2 {
            let (sent, heard) = (bytes.clone(), bytes.len());
            let mut got = vec![0; heard];
            let (_, far_back) = tokio::join!(async { near.write_all(&sent).await.unwrap() }, async {
                far.read_exact(&mut got).await.unwrap()
            });
            assert_eq!((far_back, got == bytes), (heard, true));
            let mut got = vec![0; heard];
            tokio::join!(async { far.write_all(&sent).await.unwrap() }, async {
                near.read_exact(&mut got).await.unwrap()
            });
            assert!(got == bytes);
        }
        if who_ends == "us" {
            drop(near);
            assert_eq!(far.read(&mut [0; 8]).await.unwrap_or(0), 0, "the other side sees the end");
        } else {
            drop(far);
            assert_eq!(near.read(&mut [0; 8]).await.unwrap_or(0), 0, "we see the end");
        }
    }
    // Established, or closed by the other side only.
    let held = || {
        let ours = format!(":{port:04X} ");
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        table.lines().filter(|line| line.contains(&ours) && (line.contains(" 01 ") || line.contains(" 08 "))).count()
    };
    for _ in 0..50 {
        if held() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(held(), 0, "nobody over there holds on to the connection");
    let error = pool.stream(&hops, "127.0.0.1", free_port()).await.err().expect("nobody listens");
    assert_eq!((error.hop.as_str(), error.stage), ("127.0.0.1", Stage::Connect));
    assert!(error.to_string().contains("Connection refused"), "{error}");
    let error = pool.stream(&hops, "no-such-host.invalid", 25).await.err().expect("no such name");
    assert_eq!(error.stage, Stage::Name, "{error}");
}

#[tokio::test]
async fn a_dead_port_fails_at_once_directly_and_behind_a_bastion() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let dead = Hop { port: free_port(), ..bastion.hop("target", "deploy", &key) };
    let pool = pool("");
    let started = Instant::now();
    let error = run(&pool, std::slice::from_ref(&dead), "true").await.expect_err("nobody listens");
    assert_eq!(error.stage, Stage::Connect);
    assert!(error.advice().contains("nothing listens"), "{error}: {}", error.advice());

    let error = run(&pool, &[bastion.hop("bastion", "jump", &key), dead], "true").await.expect_err("nobody listens");
    let expected = Problem::ConnectFailed { via: "bastion".to_owned(), reason: "Connection refused".to_owned() };
    assert_eq!((error.hop.as_str(), error.stage, error.problem), ("target", Stage::Connect, expected));
    assert!(started.elapsed() < Duration::from_secs(3));
    let nowhere = Hop { address: "no.such.host.invalid".to_owned(), ..bastion.hop("nowhere", "deploy", &key) };
    let error = run(&pool, &[nowhere], "true").await.expect_err("no such name");
    assert_eq!(error.stage, Stage::Name, "{error}");
}

/// A listener that accepts in the kernel and never answers, and one whose queue is full so that nothing is accepted.
async fn black_holes() -> (tokio::net::TcpListener, tokio::net::TcpListener, Vec<tokio::task::JoinHandle<()>>) {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let filling = (0..4).map(|_| {
        tokio::spawn(async move {
            let stream = tokio::net::TcpStream::connect(address).await;
            std::future::pending::<()>().await;
            drop(stream);
        })
    });
    let filling = filling.collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    (silent, full, filling)
}

#[tokio::test]
async fn silence_is_limited_and_the_silent_hop_is_named() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let other = Server::start(&[&key], "").await;
    let (silent, full, _filling) = black_holes().await;
    let jump = bastion.hop("bastion", "jump", &key);
    let pool = pool("");
    let behind = |listener: &tokio::net::TcpListener| {
        let port = listener.local_addr().unwrap().port();
        [jump.clone(), Hop { port, ..other.hop("hole", "deploy", &key) }]
    };
    let started = Instant::now();
    let (mute, closed) = (behind(&silent), behind(&full));
    let beside = [jump.clone(), other.hop("other", "deploy", &key)];
    let (mute, closed, beside) =
        tokio::join!(run(&pool, &mute, "true"), run(&pool, &closed, "true"), run(&pool, &beside, "true"));
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    let error = mute.expect_err("no banner");
    let timeout = |limit| Problem::Timeout(limit);
    assert_eq!(
        (error.hop.as_str(), error.stage, error.problem),
        ("hole", Stage::Banner, timeout(pool.settings.limits.banner))
    );
    let error = closed.expect_err("no connection");
    assert_eq!(
        (error.hop.as_str(), error.stage, error.problem),
        ("hole", Stage::Connect, timeout(pool.settings.limits.connect))
    );
    beside.expect("the bastion serves others meanwhile");
    assert_eq!(bastion.logins(), 1);
}

/// A network in which nothing ever answers.
struct Nowhere;

#[async_trait]
impl Dial for Nowhere {
    async fn dial(&self, _: &str, _: u16) -> std::io::Result<Box<dyn Wire>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn those_who_wait_for_a_failing_connection_share_its_failure() {
    let mut settings = pool("").settings;
    settings.dial = Arc::new(Nowhere);
    settings.limits.connect = Duration::from_millis(300);
    let pool = Pool::new(settings);
    let hop = [Hop {
        name: "host".to_owned(),
        address: "192.0.2.1".to_owned(),
        port: 22,
        user: "deploy".to_owned(),
        identity: Identity::Agent,
        pins: Vec::new(),
        extra: Extra::default(),
    }];
    let started = Instant::now();
    let all = futures_util::future::join_all((0..20).map(|_| run(&pool, &hop, "true"))).await;
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    for error in all.into_iter().map(|one| one.expect_err("nothing answers")) {
        assert_eq!((error.stage, error.problem), (Stage::Connect, Problem::Timeout(Duration::from_millis(300))));
    }
}

#[tokio::test]
async fn banner_and_tcp_probe_directly_and_through_a_bastion() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let target = Server::start(&[&key], "").await;
    let pool = pool("");
    let via = [bastion.hop("bastion", "jump", &key)];
    for via in [&[][..], &via[..]] {
        let banner = pool.banner(via, "127.0.0.1", target.port).await.expect("a banner");
        assert!(banner.starts_with("SSH-2.0-OpenSSH_"), "{banner}");
        pool.tcp(via, "127.0.0.1", target.port).await.expect("a connection");
        let error = pool.tcp(via, "127.0.0.1", free_port()).await.expect_err("nobody listens");
        assert_eq!(error.stage, Stage::Connect);
    }
    let talker = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = talker.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = talker.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail\x1b[31m\r\n").await.unwrap();
    });
    let error = pool.banner(&[], "127.0.0.1", port).await.expect_err("not SSH");
    assert_eq!(error.problem, Problem::NotSsh("220 mail\u{fffd}[31m".to_owned()));
}

#[tokio::test]
async fn a_server_that_moves_to_another_port_keeps_its_key() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let new_port = free_port();
    let server = Server::start(&[&key], &format!("Port {new_port}")).await;
    let pool = pool("");
    pool.settings.trusted.write().unwrap().accept("host", server.port, &fingerprint(&server.host_key));
    let hop = server.stranger("host", "deploy", &key);
    run(&pool, std::slice::from_ref(&hop), "true").await.expect("at the old port");
    run(&pool, std::slice::from_ref(&hop), "true").await.expect("the same connection");
    assert_eq!(server.logins(), 1);
    pool.forget("host").await;
    run(&pool, std::slice::from_ref(&hop), "true").await.expect("a new connection");
    assert_eq!(server.logins(), 2);

    let moved = Hop { port: new_port, ..hop.clone() };
    run(&pool, &[moved], "true").await.expect("the same key at the new port");
    let another = Server::start(&[&key], "").await;
    let error = run(&pool, &[Hop { port: another.port, ..hop }], "true").await.expect_err("another key");
    assert!(matches!(error.problem, Problem::UnknownHostKey(_)), "{error}");
}

/// A network that can be frozen: what was connected before stays connected and silent, as after a laptop has slept.
struct Freezable(tokio::sync::watch::Sender<usize>);

#[async_trait]
impl Dial for Freezable {
    async fn dial(&self, address: &str, port: u16) -> std::io::Result<Box<dyn Wire>> {
        let mut wire = Tcp.dial(address, port).await?;
        let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
        let mut frozen = self.0.subscribe();
        let born = *frozen.borrow();
        tokio::spawn(async move {
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut ours, &mut wire) => return,
                _ = frozen.wait_for(|times| *times != born) => {}
            }
            std::future::pending::<()>().await;
            drop((ours, wire));
        });
        Ok(Box::new(theirs))
    }
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_replaced_without_the_caller_noticing() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let (target, other) = (Server::start(&[&key], "").await, Server::start(&[&key], "").await);
    let (freeze, mut settings) = (Arc::new(Freezable(tokio::sync::watch::Sender::new(0))), pool("").settings);
    settings.dial = Arc::clone(&freeze) as Arc<dyn Dial>;
    (settings.limits.channel, settings.limits.connect) = (Duration::from_millis(700), Duration::from_millis(700));
    // No answer is so fresh that it would not be asked for another one first.
    (settings.limits.ping, settings.limits.fresh) = (Duration::from_millis(300), Duration::ZERO);
    let pool = Pool::new(settings);
    let jump = bastion.hop("bastion", "jump", &key);
    let there = [jump.clone(), target.hop("target", "deploy", &key)];
    let elsewhere = [jump, other.hop("other", "deploy", &key)];
    run(&pool, &there, "true").await.expect("awake");
    freeze.0.send_modify(|times| *times += 1);
    let (one, two) = tokio::join!(run(&pool, &there, "echo one"), run(&pool, &elsewhere, "echo two"));
    assert_eq!((one.expect("again").out.as_str(), two.expect("for the first time").out.as_str()), ("one\n", "two\n"));
    assert_eq!(bastion.logins(), 2);
}

#[tokio::test]
async fn a_look_that_was_sent_into_the_silence_is_told_of_and_not_sent_again() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let target = Server::start(&[&key], "").await;
    let (freeze, mut settings) = (Arc::new(Freezable(tokio::sync::watch::Sender::new(0))), pool("").settings);
    settings.dial = Arc::clone(&freeze) as Arc<dyn Dial>;
    (settings.limits.channel, settings.limits.ping) = (Duration::from_millis(700), Duration::from_millis(300));
    let pool = Pool::new(settings);
    let there = [target.hop("target", "deploy", &key)];
    run(&pool, &there, "true").await.expect("awake");
    freeze.0.send_modify(|times| *times += 1);
    let error = run(&pool, &there, "echo one").await.expect_err("it may have run");
    assert!(matches!(error.problem, Problem::Lost(_)) && error.may_have_run(), "{error}");
    assert_eq!(run(&pool, &there, "echo two").await.expect("again").out, "two\n");
    assert_eq!(target.logins(), 2);
}

#[tokio::test]
async fn a_server_that_falls_silent_in_the_key_exchange_is_let_go() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut settings = pool("").settings;
    settings.limits.handshake = Duration::from_millis(300);
    let pool = Pool::new(settings);
    let server = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"hello\r\nSSH-2.0-Mute\r\n").await.unwrap();
        let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(n) = stream.read(&mut piece).await
            && n > 0
        {
            seen.extend_from_slice(&piece[..n]);
        }
        seen
    };
    let identity = Identity::Key(Arc::new(new_key()));
    let (name, address, user) = ("mute".to_owned(), "127.0.0.1".to_owned(), "deploy".to_owned());
    let hop = [Hop { name, address, port, user, identity, pins: Vec::new(), extra: Extra::default() }];
    let both = async { tokio::join!(run(&pool, &hop, "true"), server) };
    let (error, seen) = tokio::time::timeout(Duration::from_secs(3), both).await.expect("the socket is closed");
    let error = error.expect_err("mute");
    assert_eq!((error.stage, error.problem), (Stage::KeyExchange, Problem::Timeout(Duration::from_millis(300))));
    assert!(seen.starts_with(b"SSH-2.0-onramp_"));
}
