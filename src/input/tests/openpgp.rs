//! OpenPGP keys as GnuPG writes them, judged on 15 January 2027.

use super::*;

const ENDED: &str = include_str!("openpgp/ended.asc");
const PROLONGED: &str = include_str!("openpgp/prolonged.asc");
const ENCRYPTION_ENDED: &str = include_str!("openpgp/encryption-ended.asc");
const ENCRYPTION_RENEWED: &str = include_str!("openpgp/encryption-renewed.asc");
const ENCRYPTION_REVOKED: &str = include_str!("openpgp/encryption-revoked.asc");
const REVOKED: &str = include_str!("openpgp/revoked.asc");
const SIGNS: &str = include_str!("openpgp/signs.asc");
/// RSA, with the signature of another key on its name.
const CERTIFIED: &str = include_str!("openpgp/certified.asc");

fn refusal(key: &str) -> String {
    given("pgp-key", key).unwrap_err().to_string()
}

#[test]
fn keys_that_something_can_be_encrypted_with_are_taken() {
    for (what, key) in [
        ("one whose end was put off", PROLONGED),
        ("one with a newer key for encryption", ENCRYPTION_RENEWED),
        ("one that others have signed", CERTIFIED),
    ] {
        let taken = given("pgp-key", key);
        assert_eq!(taken, Ok(Value::Text(key.trim().to_owned())), "{what}");
    }
}

#[test]
fn keys_that_nothing_can_be_encrypted_with_are_refused() {
    for (key, what) in [
        (ENDED, "the key ended on 2026-06-30"),
        (ENCRYPTION_ENDED, "its key for encryption ended on 2026-04-01"),
        (ENCRYPTION_REVOKED, "nothing can be encrypted with this key"),
        (SIGNS, "nothing can be encrypted with this key"),
        (REVOKED, "the key was revoked"),
    ] {
        assert!(refusal(key).contains(what), "{}", refusal(key));
    }
}

/// What was answered before stands, however much time went by.
#[test]
fn a_key_that_has_ended_since_stands() {
    let kind = kind("pgp-key");
    for key in [ENDED, ENCRYPTION_ENDED] {
        assert!(parse(&kind, key, &REAL.whenever()).is_ok());
        let before = Some(Value::Text(key.trim().to_owned()));
        assert!(crate::input::parse_beside(&kind, "", key, &REAL, before.as_ref()).is_ok());
    }
}

/// A letter that was changed, a name that was exchanged for that of another key, and half of a key.
#[test]
fn a_key_that_was_changed_is_refused() {
    let body = |key: &str| -> Vec<String> { key.lines().map(str::to_owned).collect() };
    let lines = body(PROLONGED);
    for at in 2..lines.len() - 2 {
        let mut lines = lines.clone();
        let swapped: String = lines[at].chars().rev().collect();
        lines[at] = swapped;
        assert!(given("pgp-key", &lines.join("\n")).is_err(), "line {at}");
    }
    let half: Vec<String> = [&lines[..lines.len() / 2], &lines[lines.len() - 1..]].concat();
    assert!(given("pgp-key", &half.join("\n")).is_err());
    let two = format!("{PROLONGED}\n{CERTIFIED}");
    assert!(refusal(&two).contains("more than one block"), "{}", refusal(&two));
}
