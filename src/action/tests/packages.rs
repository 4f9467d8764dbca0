//! The scripts for packages in a real shell, with package managers that write down how they were called.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Map;

use super::super::super::arguments::Arguments;
use super::super::super::tests::subject;
use super::*;

fn packages(names: &Json, limit: &str) -> Result<Packages, Failure> {
    let given = Map::from_iter([
        ("host".to_owned(), json!("app")),
        ("names".to_owned(), names.clone()),
        ("limit".to_owned(), json!(limit)),
    ]);
    Packages::new(Arguments { kind: "os/packages", given: &given }, &subject("e1"))
}

struct Far(tempfile::TempDir);

impl Far {
    /// A host where dpkg knows the packages in `installed`, and apt-get puts them there.
    fn new() -> Far {
        let far = Far(tempfile::tempdir().unwrap());
        let dir = far.0.path().display().to_string();
        far.tool(
            "dpkg-query",
            &format!("for name; do :; done; grep -qx \"$name\" {dir}/installed && printf installed"),
        );
        far.tool(
            "apt-get",
            &format!(
                "echo \"apt-get $*\" >>{dir}/calls\n\
                 [ ! -e {dir}/busy ] || {{ rm {dir}/busy; echo 'E: Could not get lock /var/lib/dpkg/lock-frontend.' >&2; exit 100; }}\n\
                 case $* in *install*) for name; do case $name in -* | DPkg* | Dpkg* | install) ;; *) echo $name >>{dir}/installed ;; esac; done ;; esac"
            ),
        );
        far.tool(
            "dpkg",
            &format!(
                "echo \"dpkg $*\" >>{dir}/calls; shift; for name; do sed -i \"/^$name\\$/d\" {dir}/installed; done"
            ),
        );
        fs::write(far.0.path().join("installed"), "").unwrap();
        fs::write(far.0.path().join("calls"), "").unwrap();
        far
    }

    fn tool(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, text: Option<&String>) -> Output {
        let kept = self.0.path().join("kept").display().to_string();
        let text = text.unwrap().replace("/var/lib/onramp-kept", &kept);
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let lock = self.0.path().join("lock");
        let mut command = Command::new("/bin/sh");
        command.env("PATH", path).env("HOME", self.0.path()).env("onramp_locks", lock).args(["-euc", &text]);
        command.output().unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.0.path().join("calls")).unwrap()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn names_that_could_be_anything_else_are_refused() {
    for bad in [json!(["-rf"]), json!(["a b"]), json!(["$(id)"]), json!([]), json!("")] {
        assert!(packages(&bad, "10m").is_err(), "{bad}");
    }
    assert!(packages(&json!(["libstdc++6", "chrony", "python3.11", "foo:amd64"]), "10m").is_ok());
}

#[test]
fn what_is_missing_is_installed_and_only_that_is_removed_again() {
    let (far, wanted) = (Far::new(), packages(&json!(["chrony", "curl"]), "10m").unwrap_or_else(|_| panic!()));
    fs::write(far.0.path().join("installed"), "curl\n").unwrap();
    let look = far.run(wanted.shell.check.as_ref());
    assert_eq!(look.status.code(), Some(1));
    assert!(said(&look).contains("not installed: chrony"), "{}", said(&look));
    let done = far.run(wanted.shell.run.as_ref());
    assert!(done.status.success(), "{}", said(&done));
    assert!(far.calls().contains("install chrony\n"), "{}", far.calls());
    assert!(far.run(wanted.shell.check.as_ref()).status.success());
    assert!(far.run(wanted.shell.run.as_ref()).status.success(), "nothing is left to do");

    let back = far.run(wanted.shell.undo.as_ref());
    assert!(back.status.success(), "{}", said(&back));
    assert!(far.calls().ends_with("dpkg --remove chrony\n"), "curl was there before: {}", far.calls());
}

#[test]
fn another_package_manager_that_is_quicker_is_waited_for() {
    let (far, wanted) = (Far::new(), packages(&json!(["chrony"]), "10m").unwrap_or_else(|_| panic!()));
    fs::write(far.0.path().join("busy"), "").unwrap();
    let done = far.run(wanted.shell.run.as_ref());
    assert!(done.status.success(), "{}", said(&done));
}

#[test]
fn whoever_holds_the_lock_for_too_long_is_named_and_nothing_is_changed() {
    let (far, wanted) = (Far::new(), packages(&json!(["chrony"]), "6s").unwrap_or_else(|_| panic!()));
    let lock = far.0.path().join("lock");
    fs::write(&lock, "").unwrap();
    if !Path::new("/proc/locks").exists() || !Path::new("/usr/bin/flock").exists() {
        return eprintln!("SKIPPED: no /proc/locks or no flock here");
    }
    let mut holder = Command::new("/usr/bin/flock").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
    let late = loop {
        let late = far.run(wanted.shell.run.as_ref());
        // It may not have begun to hold it.
        if late.status.code() == Some(75) {
            break late;
        }
        fs::write(far.0.path().join("installed"), "").unwrap();
        fs::write(far.0.path().join("calls"), "").unwrap();
    };
    holder.kill().unwrap();
    holder.wait().unwrap();
    let pid = holder.id();
    assert!(said(&late).contains(&format!("waiting for the package lock: process {pid} (")), "{}", said(&late));
    assert!(said(&late).contains(&format!("the package lock is held by process {pid} (")), "{}", said(&late));
    assert_eq!(far.calls(), "", "no package manager was started");
}
