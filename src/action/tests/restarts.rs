//! A restart in the hosts of practice, and its script in a real shell.

use std::fs;
use std::process::Command;

use serde_json::Map;

use super::super::super::arguments::Arguments;
use super::super::super::tests::subject;
use super::*;

fn restart(if_needed: &str) -> Restart {
    let given = Map::from_iter([("host".to_owned(), json!("app")), ("if".to_owned(), json!(if_needed))]);
    Restart::new(Arguments { kind: "os/restart", given: &given }, &subject("e1")).unwrap_or_else(|_| panic!())
}

/// Runs the look with what is kept in `dir`, in a boot of which the script is told.
fn look(dir: &std::path::Path, wanted: &Restart) -> (Option<i32>, String) {
    let text = wanted.look.replace("/var/lib/onramp-kept", &dir.display().to_string());
    let text = text.replace("/var/run/reboot-required", &dir.join("required").display().to_string());
    let output = Command::new("/bin/sh").env("HOME", dir).args(["-euc", &text]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[test]
fn it_is_so_when_the_boot_is_another_than_the_one_that_was_to_end() {
    let (dir, always) = (tempfile::tempdir().unwrap(), restart("always"));
    let kept = if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        dir.path().join(&always.place.store)
    } else {
        dir.path().join(".onramp-kept").join(&always.place.store)
    };
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(look(dir.path(), &always).0, Some(1));
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("boot"), &boot).unwrap();
    let (code, said) = look(dir.path(), &always);
    assert!(code == Some(1) && said.contains("has not happened yet"), "{said}");
    fs::write(kept.join("boot"), "another\n").unwrap();
    assert_eq!(look(dir.path(), &always), (Some(0), format!("restarted {boot}")));
}

#[test]
fn where_none_is_required_none_is_made() {
    let (dir, wanted) = (tempfile::tempdir().unwrap(), restart("when_required"));
    if std::path::Path::new("/usr/bin/needs-restarting").exists() {
        return eprintln!("SKIPPED: this machine has its own idea of what is required");
    }
    let (code, said) = look(dir.path(), &wanted);
    assert!(code == Some(0) && said.starts_with("unneeded "), "{said}");
    fs::write(dir.path().join("required"), "").unwrap();
    assert_eq!(look(dir.path(), &wanted).0, Some(1));
}
