//! Key files that must be refused, before anything is sent.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::{read, read_private};
use crate::ssh::error::KeyFileTrouble;

/// A file with this text and mode in a new folder.
fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (dir, path)
}

fn trouble(text: &str, mode: u32) -> KeyFileTrouble {
    let (_dir, path) = file(text, mode);
    read(&path).expect_err("refused")
}

#[test]
fn others_must_not_be_able_to_read_it() {
    for mode in [0o644, 0o640, 0o604, 0o610, 0o666] {
        assert_eq!(trouble("x", mode), KeyFileTrouble::Mode(mode));
    }
    for mode in [0o600, 0o400, 0o700] {
        let (_dir, path) = file("x", mode);
        assert_eq!(read_private(&path).expect("private enough").expose_secret(), "x");
    }
}

#[test]
fn what_is_not_a_private_key_says_so() {
    let unusable = |text: &str| match trouble(text, 0o600) {
        KeyFileTrouble::Unusable(why) => why,
        other => other.to_string(),
    };
    assert!(unusable("ssh-ed25519 AAAA me").contains("public half"));
    assert!(unusable("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").contains("public half"));
    assert!(!unusable("hello").is_empty());
    assert!(!unusable("").is_empty());
    let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n";
    assert_eq!(trouble(encrypted, 0o600), KeyFileTrouble::Encrypted);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(&dir.path().join("none")).unwrap_err(), KeyFileTrouble::Missing);
    assert!(matches!(read(dir.path()), Err(KeyFileTrouble::Unusable(_))));
}
