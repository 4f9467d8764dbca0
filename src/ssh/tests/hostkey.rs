//! The judgement on a host key, case by case. Real servers are in `openssh.rs`.

use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, PublicKeyOrCertificate};

use super::{Judge, fingerprint_in};
use crate::ssh::error::Problem;
use crate::ssh::known_hosts::{KnownHosts, written};

const P256: Algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };

fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), algorithm).unwrap()
}

fn line(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap()
}

fn print(key: &PrivateKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// A judge of `Web.example.com` at `port` who knows this file.
fn judge(known: &str, port: u16) -> Judge {
    let known = KnownHosts::from_text(known);
    let usual = known.of(&written("Web.example.com", 22));
    Judge {
        sha1: false,
        name: "web-1".to_owned(),
        address: "Web.example.com".to_owned(),
        port,
        known_as: None,
        pins: Vec::new(),
        here: known.of(&written("Web.example.com", port)),
        without_port: if port == 22 { Vec::new() } else { usual },
        accepted_here: Vec::new(),
        accepted_elsewhere: Vec::new(),
        now: 1_000_000,
    }
}

fn verdict(judge: &Judge, key: &PrivateKey) -> &'static str {
    match judge.judge(&PublicKeyOrCertificate::from(key.public_key().clone())) {
        Ok(()) => "accepted",
        Err(Problem::UnknownHostKey(_)) => "unknown",
        Err(Problem::ChangedHostKey { .. }) => "changed",
        Err(Problem::RevokedHostKey { .. }) => "revoked",
        Err(_) => "other",
    }
}

#[test]
fn any_of_several_recorded_keys_will_do() {
    let (one, two, three) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let known = format!("web.example.com {}\nweb.example.com {}\n", line(&one), line(&two));
    let judge = judge(&known, 22);
    assert_eq!(
        [verdict(&judge, &one), verdict(&judge, &two), verdict(&judge, &three)],
        ["accepted", "accepted", "changed"]
    );
}

#[test]
fn a_key_of_another_kind_than_recorded_is_a_change() {
    let (recorded, shown) = (key(Algorithm::Ed25519), key(P256));
    assert_eq!(verdict(&judge(&format!("web.example.com {}", line(&recorded)), 22), &shown), "changed");
    assert_eq!(verdict(&judge("", 22), &shown), "unknown");
}

#[test]
fn a_port_has_its_own_key_and_may_share_the_hosts() {
    let (usual, special) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let host = format!("web.example.com {}", line(&usual));
    assert_eq!(verdict(&judge(&host, 2222), &usual), "accepted", "it moved");
    assert_eq!(verdict(&judge(&host, 2222), &special), "unknown", "another server at that port");
    let both = format!("{host}\n[web.example.com]:2222 {}", line(&special));
    assert_eq!(verdict(&judge(&both, 2222), &special), "accepted");
    assert_eq!(verdict(&judge(&both, 2222), &usual), "changed");
    assert_eq!(verdict(&judge(&both, 22), &special), "changed");
}

#[test]
fn revocation_beats_everything() {
    let bad = key(Algorithm::Ed25519);
    let known = format!("web.example.com {0}\n@revoked *.example.com {0}", line(&bad));
    let mut judge = judge(&known, 22);
    assert_eq!(verdict(&judge, &bad), "revoked");
    judge.accepted_here = vec![print(&bad)];
    judge.pins = vec![print(&bad)];
    assert_eq!(verdict(&judge, &bad), "revoked");
}

#[test]
fn pins_decide_alone_and_acceptance_counts_for_its_hop() {
    let (one, two) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let mut pinned = judge(&format!("web.example.com {}", line(&one)), 22);
    pinned.pins = vec![print(&two)];
    pinned.accepted_here = vec![print(&one)];
    assert_eq!([verdict(&pinned, &one), verdict(&pinned, &two)], ["changed", "accepted"]);

    let mut accepted = judge("", 22);
    accepted.accepted_here = vec![print(&one)];
    assert_eq!([verdict(&accepted, &one), verdict(&accepted, &two)], ["accepted", "changed"]);
    let mut moved = judge("", 2222);
    moved.accepted_elsewhere = vec![print(&one)];
    assert_eq!([verdict(&moved, &one), verdict(&moved, &two)], ["accepted", "unknown"]);
    let mut replaced = judge(&format!("web.example.com {}", line(&one)), 22);
    replaced.accepted_here = vec![print(&two)];
    assert_eq!(verdict(&replaced, &two), "accepted", "a person looked at the change and accepted it");
}

#[test]
fn known_kinds_are_asked_for_first() {
    let plain = judge("", 22).wanted(&[]);
    assert_eq!(plain.keys.first(), Some(&Algorithm::Ed25519));
    assert!(plain.certificates.is_empty());
    assert!(!plain.keys.contains(&Algorithm::Rsa { hash: None }), "no SHA-1");
    let ecdsa = judge(&format!("web.example.com {}", line(&key(P256))), 2222).wanted(&[]);
    assert_eq!((ecdsa.keys.first(), ecdsa.keys.len()), (Some(&P256), plain.keys.len()));
    let without = judge("", 22).wanted(&[Algorithm::Ed25519, Algorithm::Rsa { hash: None }]);
    assert_eq!(without.keys.len(), 3);
    let ca = judge(&format!("@cert-authority *.example.com {}", line(&key(P256))), 22).wanted(&[]);
    assert_eq!(ca.certificates, plain.keys);
}

#[test]
fn a_pin_is_a_fingerprint_in_any_dress() {
    let print = "SHA256:10fEmrYeXAXVHokgKz3plcedZbJFn5XhzrPqF3ZP/h0";
    for pin in [print, &format!("{print}="), &format!("256 {print} root@host (ED25519)"), &format!("  {print}\n")] {
        assert_eq!(fingerprint_in(pin), Ok(print.to_owned()));
    }
    for pin in ["", "SHA256:", "MD5:aa:bb", "10fEmrYeXAXVHokgKz3plcedZbJFn5XhzrPqF3ZP/h0", "SHA256:short"] {
        assert!(matches!(fingerprint_in(pin), Err(Problem::BadPin(_))), "{pin}");
    }
}
