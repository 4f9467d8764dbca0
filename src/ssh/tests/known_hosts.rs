//! What a known_hosts file means. The hashed lines were made by `ssh-keygen -H` of OpenSSH 9.2.

use super::{KnownHosts, Marker, Shelf, glob_matches, parse, written};
use crate::ssh::error::Problem;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGwcL17bSYhSRWEkCxEm9RKNu7R+kvuvgCsLG+JPB0lc";
const PRINT: &str = "SHA256:10fEmrYeXAXVHokgKz3plcedZbJFn5XhzrPqF3ZP/h0";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDZttvHkVPMoZsZsHQmP/j7vLvh9TGS7XfqOEltjWiFl";

/// For which of `names` the text has an entry.
fn known<'a>(text: &str, names: &[&'a str]) -> Vec<&'a str> {
    let file = KnownHosts::from_text(text);
    names.iter().copied().filter(|name| !file.of(name).is_empty()).collect()
}

#[test]
fn hashed_names_of_ssh_keygen() {
    let text = format!(
        "|1|+7UdkozDk1BH20w8MxAUIKCLhuk=|SbImjx/ZamXEug6c+MvB4FOFKeY= {KEY}\n\
         |1|LPwP/ShI5ivaxFye2lHr6HW01rA=|svr8S4g8PpymNakXL7W+/Gc5Ubg= {KEY}\n\
         |1|i8izc7dsm0UCYMZxTh9t5wUaOXE=|47GlxWM+0lWkXbKUjl1OWl+1fhU= {KEY}\n"
    );
    let file = KnownHosts::from_text(&text);
    let lines = |host, port| file.of(&written(host, port)).iter().map(|e| e.at.clone()).collect::<Vec<_>>();
    assert_eq!(lines("bastion.example.com", 22), ["kh:1"]);
    assert_eq!(lines("BASTION.Example.com", 2222), ["kh:2"]);
    assert_eq!(lines("2001:db8::5", 2222), ["kh:3"]);
    assert!(lines("bastion.example.com", 2223).is_empty());
    assert!(lines("example.com", 22).is_empty());
    assert_eq!(file.of(&written("bastion.example.com", 22))[0].fingerprint(), PRINT);
}

#[test]
fn lists_patterns_negation_and_case() {
    let names = ["a.example.com", "b.example.com", "secret.example.com", "example.com", "10.0.0.7", "[10.0.0.7]:2222"];
    assert_eq!(known(&format!("*.example.com,!SECRET.example.com {KEY}"), &names), ["a.example.com", "b.example.com"]);
    assert_eq!(known(&format!("!secret.example.com {KEY}"), &names), [""; 0], "negation alone matches nothing");
    assert_eq!(known(&format!("A.EXAMPLE.COM,10.0.0.? {KEY}"), &names), ["a.example.com", "10.0.0.7"]);
    assert_eq!(known(&format!("[10.0.0.7]:2222 {KEY}"), &names), ["[10.0.0.7]:2222"]);
    assert_eq!(known(&format!("* {KEY}"), &names), names);
}

#[test]
fn several_lines_markers_tabs_and_comments() {
    let text = format!(
        "# a comment\n\n  \t host \t {KEY}\ta comment here\r\nhost {OTHER}\n@cert-authority *.x.org {KEY} ca\n\
         @revoked host {OTHER}\n"
    );
    let file = KnownHosts::from_text(&text);
    let of = |name: &str| file.of(name).iter().map(|e| (e.at.clone(), e.marker)).collect::<Vec<_>>();
    assert_eq!(of("host"), [("kh:3".into(), None), ("kh:4".into(), None), ("kh:6".into(), Some(Marker::Revoked))]);
    assert_eq!(of("a.x.org"), [("kh:5".into(), Some(Marker::CertAuthority))]);
}

#[test]
fn nonsense_makes_a_host_less_known_but_a_revocation_must_be_understood() {
    let broken =
        ["host", "host ssh-ed25519", "host ssh-ed25519 ????", "|2|a|b ssh-ed25519 AAAA", "@what host ssh-ed25519 AAAA"];
    for line in broken {
        assert_eq!(known(&format!("{line}\nother {KEY}"), &["host", "other"]), ["other"], "{line}");
    }
    let mixed = KEY.replace("ssh-ed25519", "ssh-rsa");
    assert!(known(&format!("host {mixed}"), &["host"]).is_empty(), "the two places must name the same kind");
    let error = parse(b"host x y\n@revoked host ssh-ed25519 AAAA\n", "kh").expect_err("a lost revocation");
    assert!(error.starts_with("line 2:"), "{error}");
    assert!(parse(b"\xff\xfe\nhost\n", "kh").unwrap().is_empty());
}

#[tokio::test]
async fn a_file_is_read_anew_when_it_is_another_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("known_hosts");
    let (shelf, files) = (Shelf::default(), [path.clone()]);
    let known = async |name: &str| shelf.read(&files).await.map(|known| known.of(name).len());
    assert_eq!(known("host").await, Ok(0), "a missing file is an empty one");
    std::fs::write(&path, format!("host {KEY}\n")).unwrap();
    assert_eq!((known("host").await, known("other").await), (Ok(1), Ok(0)));
    std::fs::write(&path, format!("host {KEY}\nother {KEY}\n")).unwrap();
    assert_eq!((known("host").await, known("other").await), (Ok(1), Ok(1)));
    std::fs::write(dir.path().join("next"), format!("next {KEY}\nother {KEY}\n")).unwrap();
    std::fs::rename(dir.path().join("next"), &path).unwrap();
    assert_eq!((known("host").await, known("next").await), (Ok(0), Ok(1)), "of the same length");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(known("other").await, Ok(0));
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(known("other").await, Err(Problem::KnownHosts { .. })));
}

#[test]
fn plain_lines_and_patterns_come_in_the_order_of_the_file() {
    let text = format!("a,b {KEY}\n* {OTHER}\nb {KEY}\nb,!b {KEY}\n|1|x|y {KEY}\n");
    let of = |name: &str| KnownHosts::from_text(&text).of(name).iter().map(|e| e.at.clone()).collect::<Vec<_>>();
    assert_eq!(of("b"), ["kh:1", "kh:2", "kh:3"]);
    assert_eq!(of("a"), ["kh:1", "kh:2"]);
}

#[test]
fn globs_take_linear_time() {
    for (glob, name, expected) in [
        ("", "", true),
        ("*", "", true),
        ("?", "", false),
        ("a*b*c", "aXXbYYc", true),
        ("a*b*c", "aXXbYY", false),
        ("*.*", "a.b", true),
        ("[a]:22", "[a]:22", true),
        ("a", "ab", false),
        ("**a", "bba", true),
        ("?é", "xé", true),
    ] {
        assert_eq!(glob_matches(glob, name), expected, "{glob} {name}");
    }
    assert!(!glob_matches(&"*a".repeat(200), &"a".repeat(190)));
}
