//! Every host key of a route is exchanged, one after the other, in every way in which a key can be known: no byte of a
//! login may reach the host then. What counts is what the sshd with the wrong key saw.

use super::lab::{OurPool, Server, fingerprint, new_key, no_sshd, pool, run};
use crate::ssh::{Hop, PrivateKey, Problem, Stage};

/// How a host's key is known before it is exchanged.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// By known_hosts.
    File,
    /// By a pinned fingerprint.
    Pin,
    /// By a person who accepted it.
    Person,
    /// Not at all: the first time.
    Never,
}

/// A route of this many hops to servers with fresh keys, and a pool that knows them in that way.
async fn route(length: usize, known: Known, key: &PrivateKey) -> (Vec<Server>, Vec<Hop>, OurPool) {
    let (mut servers, mut hops, mut file) = (Vec::new(), Vec::new(), String::new());
    for number in 0..length {
        let server = Server::start(&[key], "").await;
        let name = format!("hop-{number}");
        hops.push(match known {
            Known::Pin => server.hop(&name, "deploy", key),
            _ => server.stranger(&name, "deploy", key),
        });
        file += &server.known_as(&server.host_key);
        servers.push(server);
    }
    let pool = pool(if matches!(known, Known::File) { &file } else { "" });
    if matches!(known, Known::Person) {
        let mut trusted = pool.settings.trusted.write().unwrap();
        for (server, hop) in servers.iter().zip(&hops) {
            trusted.accept(&hop.name, hop.port, &fingerprint(&server.host_key));
        }
        drop(trusted);
    }
    (servers, hops, pool)
}

/// Whether anybody tried to log in, or asked for anything, after the key exchange.
fn was_talked_to(server: &Server) -> bool {
    let log = server.log();
    ["Accepted", "Failed", "Postponed", "userauth", "authenticating", "Invalid user"]
        .iter()
        .any(|word| log.contains(word))
}

#[tokio::test]
async fn hosts_whose_key_was_not_verified_are_none() {
    if no_sshd() {
        return;
    }
    let key = new_key();
    let (mut swaps, mut unverified) = (0, Vec::new());
    for length in [2, 3] {
        for known in [Known::File, Known::Pin, Known::Person, Known::Never] {
            let (servers, hops, pool) = route(length, known, &key).await;
            if !matches!(known, Known::Never) {
                run(&pool, &hops, "true").await.unwrap_or_else(|error| panic!("{known:?}: {error}"));
            }
            for swapped in 0..length {
                swaps += 1;
                // Another machine at the same place: the address stays, the key is another one. It listens elsewhere,
                // and the route leads there while everything that is known stays what it was.
                let other = Server::start(&[&key], "").await;
                let pool = moved(&pool, &servers[swapped], &other, known);
                let mut hops = hops.clone();
                hops[swapped].port = other.port;
                let outcome = run(&pool, &hops, "true").await;
                let refused = match &outcome {
                    Ok(_) => false,
                    Err(error) => {
                        // Where nothing is known, the first hop is refused before the others are reached.
                        let at = if matches!(known, Known::Never) { 0 } else { swapped };
                        let expected = match known {
                            Known::Never => matches!(error.problem, Problem::UnknownHostKey(_)),
                            _ => matches!(error.problem, Problem::ChangedHostKey { .. }),
                        };
                        expected && error.stage == Stage::HostKey && error.hop == format!("hop-{at}")
                    }
                };
                if !refused || was_talked_to(&other) {
                    unverified.push(format!("{length} hops, {known:?}, hop {swapped}: {outcome:?}\n{}", other.log()));
                }
            }
        }
    }
    assert_eq!(swaps, 4 * (2 + 3));
    assert!(unverified.is_empty(), "{} of {swaps} not verified: {}", unverified.len(), unverified.join("\n"));
}

/// The same knowledge, at the port of the other server: as if it had taken the place of the first.
fn moved(known_of: &OurPool, first: &Server, other: &Server, known: Known) -> OurPool {
    let file = std::fs::read_to_string(known_of.dir.path().join("known_hosts")).unwrap();
    let at = |port: u16| format!("[127.0.0.1]:{port} ");
    let pool = pool(&file.replace(&at(first.port), &at(other.port)));
    *pool.settings.trusted.write().unwrap() = known_of.settings.trusted.read().unwrap().clone();
    if matches!(known, Known::Person) {
        let names = ["hop-0", "hop-1", "hop-2"];
        let mut trusted = pool.settings.trusted.write().unwrap();
        for name in names {
            if !known_of.settings.trusted.read().unwrap().here(name, first.port).is_empty() {
                trusted.accept(name, other.port, &fingerprint(&first.host_key));
            }
        }
    }
    pool
}
