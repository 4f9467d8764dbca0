//! Many hosts through one bastion, within what sshd allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;

use super::lab::{Server, new_key, no_sshd, pool, run};
use crate::ssh::{Hop, Pool, Problem, Stage};

/// The same server under many names: each is a host of its own to the pool.
fn hosts(server: &Server, key: &russh::keys::PrivateKey, count: usize) -> Vec<Hop> {
    (0..count).map(|index| server.hop(&format!("host{index}"), "deploy", key)).collect()
}

async fn on_all(pool: &Pool, via: &[Hop], hosts: &[Hop], text: &str) -> Vec<Result<String, String>> {
    let one = async |host: &Hop| {
        let route = [via, std::slice::from_ref(host)].concat();
        run(pool, &route, text).await.map(|ran| ran.out).map_err(|error| error.to_string())
    };
    join_all(hosts.iter().map(one)).await
}

#[tokio::test]
async fn a_server_that_lets_only_two_log_in_at_once_lets_in_everybody_in_the_end() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "MaxStartups 2:100:2").await;
    let target = Server::start(&[&key], "MaxStartups 2:100:2").await;
    let jump = [bastion.hop("bastion", "jump", &key)];
    for via in [&[][..], &jump[..]] {
        let answers = on_all(&pool(""), via, &hosts(&target, &key, 24), "echo here").await;
        assert_eq!(answers, vec![Ok("here\n".to_owned()); 24]);
    }
    assert_eq!((bastion.logins(), target.logins()), (1, 48));
}

#[tokio::test]
async fn a_bastion_that_is_full_gets_one_connection_more_and_sessions_are_kept() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let target = Server::start(&[&key], "").await;
    let mut settings = pool("").settings;
    settings.limits.streams = 4;
    let (pool, jump) = (Pool::new(settings), [bastion.hop("bastion", "jump", &key)]);
    let hosts = hosts(&target, &key, 10);
    for _ in 0..3 {
        let answers = on_all(&pool, &jump, &hosts, "echo here").await;
        assert_eq!(answers, vec![Ok("here\n".to_owned()); 10]);
    }
    assert_eq!((bastion.logins(), target.logins()), (3, 10));
}

#[tokio::test]
async fn more_hosts_than_all_connections_to_the_bastion_are_good_for_are_reached_all_the_same() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let bastion = Server::start(&[&key], "").await;
    let target = Server::start(&[&key], "").await;
    let mut settings = pool("").settings;
    settings.limits.streams = 1;
    let (pool, jump) = (Pool::new(settings), [bastion.hop("bastion", "jump", &key)]);
    let answers = on_all(&pool, &jump, &hosts(&target, &key, 20), "echo here").await;
    assert_eq!(answers, vec![Ok("here\n".to_owned()); 20]);
    assert_eq!(bastion.logins(), 8);
}

#[tokio::test]
async fn one_session_at_a_time_is_enough() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let (bastion, target) = (Server::start(&[&key], "").await, Server::start(&[&key], "MaxSessions 1").await);
    let (pool, jump) = (pool(""), [bastion.hop("bastion", "jump", &key)]);
    let host = vec![target.hop("host", "deploy", &key); 8];
    assert_eq!(on_all(&pool, &jump, &host, "echo here").await, vec![Ok("here\n".to_owned()); 8]);
    assert_eq!(target.logins(), 1);
}

#[tokio::test]
async fn a_login_that_was_refused_is_not_tried_again_until_a_person_asks() {
    if no_sshd() {
        return;
    }
    let (key, stranger) = (new_key(), new_key());
    let (bastion, target) = (Server::start(&[&key], "").await, Server::start(&[&key], "").await);
    let (pool, jump) = (pool(""), [bastion.hop("bastion", "jump", &stranger)]);
    let refused = || bastion.log().matches("Failed publickey").count();
    for _ in 0..5 {
        let answers = on_all(&pool, &jump, &hosts(&target, &key, 4), "true").await;
        assert!(
            answers.iter().all(|answer| answer.as_ref().is_err_and(|why| why.contains("does not let"))),
            "{answers:?}"
        );
    }
    let once = refused();
    assert!(bastion.log().matches("Connection from").count() <= 2, "{}", bastion.log());
    pool.try_again().await;
    on_all(&pool, &jump, &hosts(&target, &key, 4), "true").await;
    assert_eq!(refused(), 2 * once, "once more");
    assert_eq!(target.logins(), 0);
}

/// Something that hangs up on everybody with these words. It counts them.
async fn doorman(words: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counting.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    (port, count)
}

#[tokio::test]
async fn a_server_that_punishes_our_address_is_left_alone() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let (port, count) = doorman("Not allowed at this time\r\n").await;
    let hop = [Hop { port, ..server.hop("host", "deploy", &key) }];
    let pool = pool("");
    for _ in 0..4 {
        let error = run(&pool, &hop, "true").await.expect_err("punished");
        assert_eq!((error.stage, &error.problem), (Stage::Banner, &Problem::Penalty));
        assert!(error.advice().contains("Wait some minutes"), "{}", error.advice());
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_at_its_limit_is_asked_again_after_growing_pauses() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let server = Server::start(&[&key], "").await;
    let (port, count) = doorman("Exceeded MaxStartups\r\n").await;
    let hop = [Hop { port, ..server.hop("host", "deploy", &key) }];
    let pool = pool("");
    let asking = tokio::time::timeout(Duration::from_secs(3), run(&pool, &hop, "true")).await;
    assert!(asking.is_err(), "it goes on for a while");
    let asked = count.load(Ordering::SeqCst);
    assert!((2..=8).contains(&asked), "{asked} times in three seconds");
}
