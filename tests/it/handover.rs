//! One engagement, two machines, two people: locks, reading along, export and import, what is saved of a damaged file.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use age::secrecy::ExposeSecret;
use onramp::engagement::Recorded;
use onramp::journal::{FILE, Holder, Writer};
use serde_json::Value as Json;

use crate::stage::{Answer, Stage};

const RUNBOOK: &str = "\
runbook: small
title: Small
phase: one
inputs:
  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}
  - {id: net.ssh_port, label: Port, kind: ssh-port}
steps:
  - {id: range, title: Which range, form: [net.vpc_cidr, net.ssh_port]}
  - {id: first, title: First, needs: [range], manual: Do this.}
";

fn begun() -> Stage {
    let stage = Stage::new();
    let runbook = stage.file("small.yaml", RUNBOOK).display().to_string();
    stage.run(&["new", "acme", "--runbook", &runbook]).expect(0);
    stage.run(&["input", "acme", "net.vpc_cidr=10.40.0.0/16"]).expect(0);
    stage.file("passphrase", "correct horse battery staple\n");
    stage
}

fn status(stage: &Stage, name: &str) -> Json {
    serde_json::from_str(&stage.run(&["status", name, "--format", "json"]).expect(0).out).unwrap()
}

fn folder(stage: &Stage, name: &str) -> std::path::PathBuf {
    stage.data().join("engagements").join(name)
}

fn other_person() -> Holder {
    Holder { user: "joe".to_owned(), host: "sofa".to_owned(), process: 4711, since: "2026-11-23T08:15:00Z".to_owned() }
}

#[test]
fn a_colleague_goes_on_where_it_was_left_and_the_first_machine_does_not() {
    let (here, there) = (begun(), Stage::new());
    let file = here.home().join("acme.age").display().to_string();
    here.run(&["export", "acme", &file, "--passphrase-file", "passphrase"]).expect(0).says("handed over");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let sealed = fs::read(&file).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1"));
    assert!(!String::from_utf8_lossy(&sealed).contains("10.40.0.0"), "the customer's network can be read");
    assert!(!here.home().join("acme.age.part").exists(), "nothing half-written is left");

    let before = status(&here, "acme");
    there.file("passphrase", "correct horse battery staple\n");
    there.run(&["import", &file, "--passphrase-file", "passphrase"]).expect(0).says("go on with: onramp open acme");
    let after = status(&there, "acme");
    for what in ["name", "id", "events", "tally", "steps", "runbook"] {
        assert_eq!(before[what], after[what], "{what}");
    }
    there.run(&["input", "acme", "net.ssh_port=22022"]).expect(0);

    let refused = here.run(&["input", "acme", "net.ssh_port=22023"]).expect(4);
    refused.says("jane@");
    refused.says("acme.age");
    refused.says("--take-back");
    here.run(&["export", "acme", "--take-back"]).expect(0);
    here.run(&["input", "acme", "net.ssh_port=22023"]).expect(0);
}

/// Under two names, since one name is one folder.
#[test]
fn of_two_imports_at_one_moment_one_is_refused() {
    let (here, there) = (begun(), Stage::new());
    let file = here.home().join("acme.age").display().to_string();
    here.run(&["export", "acme", &file, "--passphrase-file", "passphrase"]).expect(0);
    there.file("passphrase", "correct horse battery staple\n");
    let import = |name: &str| {
        let mut command = there.command(&["import", &file, "--passphrase-file", "passphrase", "--name", name]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [import("one"), import("two")].map(|child| Answer::from(child.wait_with_output().unwrap()));
    let mut codes = both.each_ref().map(|answer| answer.code);
    codes.sort();
    assert_eq!(codes, [0, 2]);
    let [refused] = both.into_iter().filter(|answer| answer.code == 2).collect::<Vec<_>>().try_into().ok().unwrap();
    refused.says("this engagement is here already, as ");
}

#[test]
fn an_export_for_safekeeping_changes_nothing_here() {
    let stage = begun();
    stage.run(&["export", "acme", "kept.age", "--passphrase-file", "passphrase", "--keep"]).expect(0);
    stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(0);
}

#[test]
fn what_is_there_is_never_written_over() {
    let (stage, other) = (begun(), begun());
    stage.file("acme.age", "something else");
    stage.run(&["export", "acme", "acme.age", "--passphrase-file", "passphrase"]).expect(2).says("is there already");
    assert_eq!(fs::read_to_string(stage.home().join("acme.age")).unwrap(), "something else");
    let file = stage.home().join("new.age").display().to_string();
    stage.run(&["export", "acme", &file, "--passphrase-file", "passphrase"]).expect(0);
    other.run(&["import", &file, "--passphrase-file", "passphrase"]).expect(2).says("already");
    other.run(&["import", &file, "--passphrase-file", "passphrase", "--name", "second"]).expect(0);
    assert_eq!(status(&other, "second")["id"], status(&stage, "acme")["id"]);
    assert_ne!(status(&other, "second")["id"], status(&other, "acme")["id"]);
}

#[test]
fn one_engagement_is_on_one_machine_once_under_whatever_name() {
    let (here, there) = (begun(), Stage::new());
    let kept = here.home().join("kept.age").display().to_string();
    here.run(&["export", "acme", &kept, "--passphrase-file", "passphrase", "--keep"]).expect(0);
    for name in ["acme", "second"] {
        let refused = here.run(&["import", &kept, "--passphrase-file", "passphrase", "--name", name]).expect(2);
        refused.says("here already, as acme");
        refused.says("onramp open acme");
    }
    assert!(!folder(&here, "second").exists());
    there.file("passphrase", "correct horse battery staple\n");
    there.run(&["import", &kept, "--passphrase-file", "passphrase", "--name", "first"]).expect(0);
    let refused = there.run(&["import", &kept, "--passphrase-file", "passphrase"]).expect(2);
    refused.says("here already, as first");
    assert_eq!(there.run(&["status", "--format", "json"]).expect(0).out.matches("\"id\"").count(), 1);
}

#[test]
fn what_comes_back_takes_the_place_of_the_copy_that_was_handed_over() {
    let (here, there) = (begun(), Stage::new());
    let [out, back, older] =
        ["out.age", "back.age", "older.age"].map(|name| here.home().join(name).display().to_string());
    here.run(&["export", "acme", &older, "--passphrase-file", "passphrase", "--keep"]).expect(0);
    here.run(&["input", "acme", "net.ssh_port=2022"]).expect(0);
    here.run(&["export", "acme", &out, "--passphrase-file", "passphrase"]).expect(0);
    there.file("passphrase", "correct horse battery staple\n");
    there.run(&["import", &out, "--passphrase-file", "passphrase", "--name", "acme-2"]).expect(0);
    there.run(&["input", "acme-2", "net.ssh_port=22022"]).expect(0);
    there.run(&["export", "acme-2", &back, "--passphrase-file", "passphrase"]).expect(0);

    let stale = here.run(&["import", &older, "--passphrase-file", "passphrase"]).expect(2);
    stale.says("it ends at event 3, the copy goes on to event 4");
    here.run(&["import", &back, "--passphrase-file", "passphrase", "--name", "other"]).expect(2).says("called acme");
    here.run(&["import", &back, "--passphrase-file", "passphrase"]).expect(0).says("onramp open acme");
    assert_eq!(status(&here, "acme")["events"], 5);
    here.run(&["input", "acme", "net.ssh_port=22023"]).expect(0);
    assert!(here.run(&["input", "acme"]).expect(0).out.contains("22023"));
    let backups = |name: &str| name.starts_with("journal-v");
    let names = fs::read_dir(folder(&here, "acme")).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| backups(name)).count(), 1, "the copy that was here is kept");
}

#[test]
fn under_another_name_people_see_and_type_that_name() {
    let (here, there) = (begun(), begun());
    let file = here.home().join("acme.age").display().to_string();
    here.run(&["export", "acme", &file, "--passphrase-file", "passphrase"]).expect(0);
    let import = ["import", &file, "--passphrase-file", "passphrase", "--name", "taken-over"];
    there.run(&import).expect(0).says("onramp open taken-over");
    assert_eq!(status(&there, "taken-over")["name"], "taken-over");
    assert!(there.run(&["status", "taken-over"]).expect(0).out.starts_with("taken-over "));
    there.run(&["input", "taken-over", "net.ssh_port=22022"]).expect(0);
    let holder = Writer::open(&folder(&there, "taken-over"), &other_person()).unwrap();
    there.run(&["sign", "taken-over", "one/first", "seen"]).expect(4).says("onramp watch taken-over");
    drop(holder);
    let back = there.home().join("back.age").display().to_string();
    let export = there.run(&["export", "taken-over", &back, "--passphrase-file", "passphrase"]).expect(0);
    export.says("onramp export taken-over --take-back");
}

#[test]
fn a_wrong_passphrase_and_a_damaged_file_say_so_and_leave_nothing() {
    let (here, there) = (begun(), Stage::new());
    let path = here.home().join("acme.age");
    let file = path.display().to_string();
    here.run(&["export", "acme", &file, "--passphrase-file", "passphrase"]).expect(0);
    there.file("passphrase", "correct horse battery staple\n");
    there.file("wrong", "incorrect horse\n");
    there.run(&["import", &file, "--passphrase-file", "wrong"]).expect(2).says("does not open");
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    let middle = whole.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() - 1], &whole[..middle]] {
        fs::write(&path, damaged).unwrap();
        there.run(&["import", &file, "--passphrase-file", "passphrase"]).expect(5).says("damaged");
        assert!(!folder(&there, "acme").exists(), "nothing half-made is left");
    }
    let foreign = there.file("foreign", "not a bundle at all").display().to_string();
    there.run(&["import", &foreign, "--passphrase-file", "passphrase"]).expect(2).says("onramp export");
    fs::write(&path, &whole).unwrap();
    there.run(&["import", &file, "--passphrase-file", "passphrase"]).expect(0);
}

#[test]
fn a_file_locked_for_a_person_opens_with_their_key_alone() {
    let (here, there) = (begun(), Stage::new());
    let (key, another) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let file = here.home().join("acme.age").display().to_string();
    here.run(&["export", "acme", &file, "--recipient", "age1nonsense"]).expect(2).says("age1nonsense");
    here.run(&["export", "acme", &file, "--recipient", &key.to_public().to_string()]).expect(0);
    there.file("another.txt", another.to_string().expose_secret());
    there.run(&["import", &file, "--identity", "another.txt"]).expect(2).says("does not open");
    there.file("key.txt", &format!("# created: today\n{}\n", key.to_string().expose_secret()));
    there.run(&["import", &file, "--identity", "key.txt"]).expect(0);
}

#[test]
fn a_living_holder_is_named_and_a_dead_one_is_taken_over_from() {
    let stage = begun();
    let writer = Writer::open(&folder(&stage, "acme"), &other_person()).unwrap();
    let refused = stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(4);
    refused.says("joe@sofa (process 4711, since 2026-11-23T08:15:00Z)");
    stage.run(&["export", "acme", "acme.age", "--passphrase-file", "passphrase"]).expect(4).says("joe@sofa");
    drop(writer);
    // A process that was killed leaves its name, and no lock.
    let left = serde_json::to_string(&other_person()).unwrap();
    fs::write(folder(&stage, "acme").join("journal.lock"), left).unwrap();
    let stage = stage.with_credentials().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9").with("AWS_REGION", "eu-west-1");
    let taken = stage.run(&["run", "acme", "--yes"]).expect(3);
    taken.says("joe@sofa (process 4711, since 2026-11-23T08:15:00Z) ended without letting go");
    let again = stage.run(&["run", "acme", "--yes"]).expect(3);
    assert!(!again.err.contains("letting go"), "{}", again.err);
}

struct Follows {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Follows {
    fn start(stage: &Stage) -> Follows {
        let mut command = stage.command(&["watch", "acme", "--format", "jsonl"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Follows { child, lines }
    }

    fn next(&mut self) -> Recorded {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Follows {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn whoever_reads_along_sees_every_event_once_whoever_writes() {
    let stage = begun();
    let mut follows = Follows::start(&stage);
    let already: Vec<u64> = (0..3).map(|_| follows.next().seq).collect();
    assert_eq!(already, [1, 2, 3]);
    stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(0);
    assert_eq!(follows.next().seq, 4);
    // Another process, later: it is followed on.
    stage.run(&["input", "acme", "net.ssh_port=22023"]).expect(0);
    assert_eq!(follows.next().seq, 5);
}

#[test]
fn what_is_whole_of_a_damaged_file_is_saved_and_can_be_taken_up() {
    let stage = begun();
    stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(0);
    let path = folder(&stage, "acme").join(FILE);
    let edit = "DROP TRIGGER events_stay; UPDATE events SET body = replace(body, '22022', '22023') WHERE seq = 4;";
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(edit).unwrap();
    drop(connection);
    let damaged = fs::read(&path).unwrap();
    let refused = stage.run(&["input", "acme", "net.ssh_port=22024"]).expect(5);
    refused.says("event 4");
    refused.says("--salvage");
    let arguments = ["export", "acme", "saved.age", "--salvage", "--passphrase-file", "passphrase"];
    let saved = stage.run(&arguments).expect(0);
    saved.says("events 1 to 3 are whole and saved");
    saved.says("events up to 4 were recorded, so 1 are lost");
    assert_eq!(fs::read(&path).unwrap(), damaged, "the damaged file stays as it is");
    stage.run(&["import", "saved.age", "--passphrase-file", "passphrase", "--name", "saved"]).expect(0).says("1 to 3");
    assert_eq!(status(&stage, "saved")["events"], 3);
    stage.run(&["input", "saved", "net.ssh_port=22022"]).expect(0);
}

#[test]
fn of_a_file_that_lost_its_end_is_saved_what_is_there_and_else_it_is_said_where_copies_are() {
    let stage = begun();
    // More than the first pages: what was recorded last is lost first.
    for port in 22022..22062 {
        stage.run(&["input", "acme", &format!("net.ssh_port={port}")]).expect(0);
    }
    let path = folder(&stage, "acme").join(FILE);
    let bytes = fs::read(&path).unwrap();
    let salvage = |to: &str| stage.run(&["export", "acme", to, "--salvage", "--passphrase-file", "passphrase"]);
    fs::write(&path, &bytes[..bytes.len() - 4096]).unwrap();
    stage.run(&["status", "acme"]).expect(5).says("--salvage");
    salvage("some.age").expect(0).says("are whole and saved");
    stage.run(&["import", "some.age", "--passphrase-file", "passphrase", "--name", "saved"]).expect(0);
    assert!(status(&stage, "saved")["events"].as_u64().unwrap() > 20, "and it is gone on with");
    stage.run(&["input", "saved", "net.ssh_port=22022"]).expect(0);
    fs::write(&path, &bytes[..4000]).unwrap();
    let nothing = salvage("none.age").expect(5);
    nothing.says("nothing of ");
    nothing.says("there is no copy of it in ");
    nothing.says("onramp import FILE");
    assert!(!nothing.err.contains("--salvage"), "it is no way out of itself: {}", nothing.err);
    let copy = path.with_file_name("journal-v1-2026-11-23T00-00-00Z.db");
    fs::write(&copy, &bytes).unwrap();
    salvage("none.age").expect(5).says(&copy.display().to_string());
}

#[test]
fn an_older_copy_of_the_file_is_known() {
    let stage = begun();
    let path = folder(&stage, "acme").join(FILE);
    let older = fs::read(&path).unwrap();
    stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(0);
    fs::write(&path, older).unwrap();
    let refused = stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(5);
    refused.says("events up to 4 were recorded, the file ends at 3");
    stage.run(&["status", "acme"]).expect(5).says("events up to 4");
    // Whoever means it can say so.
    fs::remove_file(folder(&stage, "acme").join("journal.mark")).unwrap();
    stage.run(&["input", "acme", "net.ssh_port=22022"]).expect(0);
}

#[test]
fn a_folder_that_others_write_too_is_warned_about() {
    let stage = Stage::new();
    let data = stage.home().join("Dropbox/state").display().to_string();
    let runbook = stage.file("small.yaml", RUNBOOK).display().to_string();
    stage.run(&["new", "acme", "--runbook", &runbook, "--data-dir", &data]).expect(0).says("Dropbox");
    stage.run(&["doctor", "--data-dir", &data]).says("Dropbox");
}
