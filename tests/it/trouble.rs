//! Disks that fill up, fail, turn read-only: the program stops before the next effect, says why, and goes on when the
//! disk does.

use std::path::{Path, PathBuf};
use std::process::Command;

use onramp::engagement::Recorded;

use crate::shim::{Deed, Shim};
use crate::stage::Stage;

const RUNBOOK: &str = "\
runbook: small
title: Small
phase: one
inputs:
  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}
steps:
  - {id: range, title: Which range, form: [net.vpc_cidr]}
  - {id: first, title: First, needs: [range], manual: Do this.}
  - {id: second, title: Second, needs: [range], manual: Do that.}
";

const ANSWERS: &str = "\
net.vpc_cidr: 10.40.0.0/16
sign_off:
  one/first: seen
  one/second: seen
";

fn begun() -> (Stage, String) {
    let stage =
        Stage::new().with_credentials().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9").with("AWS_REGION", "eu-west-1");
    let runbook = stage.file("small.yaml", RUNBOOK).display().to_string();
    let answers = stage.file("answers.yaml", ANSWERS).display().to_string();
    stage.run(&["new", "acme", "--runbook", &runbook]).expect(0);
    (stage, answers)
}

fn walk(answers: &str) -> [&str; 7] {
    ["run", "acme", "--yes", "--answers", answers, "--format", "jsonl"]
}

fn seqs(out: &[u8]) -> Vec<u64> {
    let lines = String::from_utf8_lossy(out).into_owned();
    lines.lines().map(|line| serde_json::from_str::<Recorded>(line).unwrap().seq).collect()
}

#[test]
fn a_disk_that_fails_at_any_deed_stops_the_run_and_loses_nothing() {
    let Some(shim) = Shim::new() else { return };
    let deeds = {
        let (stage, answers) = begun();
        let mut command = stage.command(&walk(&answers));
        shim.watch(&mut command, &stage.data());
        assert!(command.output().unwrap().status.success());
        shim.read().into_iter().filter(|(_, deed)| !matches!(deed, Deed::Said(_))).count() as u64
    };
    let every = if std::env::var("ONRAMP_SWEEP").is_ok_and(|asked| asked == "full") { 1 } else { 9 };
    for (k, error) in (1..=deeds).step_by(every).zip(["ENOSPC", "EIO", "EROFS"].into_iter().cycle()) {
        let (stage, answers) = begun();
        let mut command = stage.command(&walk(&answers));
        shim.fail(&mut command, &stage.data(), k, error);
        let failed = command.output().unwrap();
        shim.read();
        let told = seqs(&failed.stdout);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        // At its very end there is nothing left to lose.
        let code = failed.status.code();
        assert!(matches!(code, Some(0 | 1 | 2 | 5)), "{error} at {k}: {code:?} {said}");
        assert!(error != "ENOSPC" || code != Some(5), "a full disk is no damage: {said}");
        assert!(code != Some(1) || said.contains("in doubt"), "{error} at {k}: {said}");
        assert!(code == Some(0) || said.contains("onramp: "), "{error} at {k}: {said}");
        let again = stage.run(&walk(&answers)).expect(0);
        let status = stage.run(&["status", "acme"]).expect(0);
        assert!(status.out.contains("3 of 3 steps done"), "{error} at {k}: {}", status.out);
        let after = seqs(again.out.as_bytes());
        let overlap = after.iter().filter(|seq| told.contains(seq)).count();
        assert_eq!(overlap, 0, "{error} at {k}: an event that was told was recorded once more");
    }
}

/// A small file system of its own, for root on Linux; said loudly where there is none.
struct Mounted {
    at: PathBuf,
}

impl Mounted {
    fn small(at: &Path) -> Option<Mounted> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "onramp-test"]).arg(at).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Mounted { at: at.to_owned() });
        }
        eprintln!("SKIPPED: a file system cannot be mounted here (it takes root), so none was filled");
        None
    }

    fn remount(&self, options: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.at).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[test]
fn a_disk_that_is_full_is_said_and_goes_on_when_there_is_room() {
    let stage = Stage::new();
    let Some(disk) = Mounted::small(&stage.data()) else { return };
    let runbook = stage.file("small.yaml", RUNBOOK).display().to_string();
    let answers = stage.file("answers.yaml", ANSWERS).display().to_string();
    let stage = stage.with_credentials().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9").with("AWS_REGION", "eu-west-1");
    stage.run(&["new", "acme", "--runbook", &runbook]).expect(0);
    let ballast = disk.at.join("ballast");
    let filled = std::fs::write(&ballast, vec![0; 1024 * 1024]);
    assert!(filled.is_err(), "the disk is full now");
    let full = stage.run(&walk(&answers));
    assert!([1, 2].contains(&full.code), "{} {}", full.code, full.err);
    assert!(full.err.contains("full") || full.err.contains("No space"), "{}", full.err);
    // Looking takes no room.
    stage.run(&["status", "acme"]).expect(0).says("0 of 3 steps done");
    std::fs::remove_file(ballast).unwrap();
    stage.run(&walk(&answers)).expect(0);
    stage.run(&["status", "acme"]).expect(0).says("3 of 3 steps done");
}

#[test]
fn a_disk_that_is_read_only_is_said_and_can_still_be_looked_at() {
    let stage = Stage::new();
    let Some(disk) = Mounted::small(&stage.data()) else { return };
    let runbook = stage.file("small.yaml", RUNBOOK).display().to_string();
    stage.run(&["new", "acme", "--runbook", &runbook]).expect(0);
    disk.remount("ro");
    let refused = stage.run(&["input", "acme", "net.vpc_cidr=10.40.0.0/16"]).expect(2);
    refused.says("Read-only file system");
    stage.run(&["new", "other", "--runbook", &runbook]).expect(2).says("Read-only file system");
    stage.run(&["status", "acme"]).expect(0).says("0 of 3 steps done");
    stage.run(&["export", "acme", "--take-back"]).expect(0).says("was not handed over");
    disk.remount("rw");
    stage.run(&["input", "acme", "net.vpc_cidr=10.40.0.0/16"]).expect(0);
}
