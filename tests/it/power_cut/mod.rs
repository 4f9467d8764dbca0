//! The power goes, at every point at which the state file is touched: it opens again, its chain verifies, and every event
//! that was acknowledged is there.
//!
//! A real program runs on a disk that writes everything down (`shim/disk.c`); the folder is then built as it would be
//! found after a cut, at each point and with everything that a disk may do to what was not synced. `cargo test` takes
//! some points by a seed, `ONRAMP_SWEEP=full` all of them.

mod disk;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use onramp::engagement::{Address, At, Event, Evidence, Intent, Outcome, Purpose, Recorded, RepeatClass};
use onramp::journal::{Holder, Reader, Writer};
use tempfile::TempDir;

use crate::shim::{Deed, Shim};
use crate::stage::Stage;
use disk::{Disk, Luck};

/// Points that the short form takes, of each run.
const SOME: usize = 120;

fn everything() -> bool {
    std::env::var("ONRAMP_SWEEP").is_ok_and(|asked| asked == "full")
}

fn holder() -> Holder {
    Holder { user: "jane".to_owned(), host: "desk".to_owned(), process: 7, since: "2026-11-23T00:00:00Z".to_owned() }
}

/// In memory, where there is such a place: the cuts are ours, not this machine's.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

const RUNBOOK: &str = "\
runbook: small
title: Small
phase: one
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - {id: range, title: Which range, form: [net.vpc_cidr]}
  - {id: first, title: First, needs: [where], manual: Do this.}
  - {id: second, title: Second, needs: [range], manual: Do that.}
  - {id: third, title: Third, manual: And that.}
";

const ANSWERS: &str = "\
net.vpc_cidr: 10.40.0.0/16
sign_off:
  one/first: seen
  one/second: seen
  one/third: seen
";

/// The real program: an engagement begins and is walked, in two processes. An event is acknowledged when it is printed.
#[test]
fn the_real_program_loses_nothing_it_told() {
    let Some(shim) = Shim::new() else { return };
    let stage = Stage::new().with_credentials().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let runbook = stage.file("small.yaml", RUNBOOK);
    let answers = stage.file("answers.yaml", ANSWERS);
    let (runbook, answers) = (runbook.display().to_string(), answers.display().to_string());
    for arguments in [
        &["new", "acme", "--runbook", &runbook, "--account", "123456789012", "--region", "eu-west-1"][..],
        &["run", "acme", "--yes", "--answers", &answers, "--format", "jsonl"][..],
    ] {
        let mut command = stage.command(arguments);
        shim.watch(&mut command, stage.home());
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    let told = |line: &str| {
        let event: Option<Recorded> = serde_json::from_str(line).ok();
        event.map(|event| event.seq).or_else(|| line.contains("acme begins").then_some(4))
    };
    cut_everywhere(&shim.read(), stage.home(), Path::new("data/engagements/acme"), told);
}

/// The journal alone, long enough for what is written ahead to be carried over and begun anew, and opened twice.
#[test]
fn a_long_journal_loses_nothing_it_acknowledged() {
    let Some(shim) = Shim::new() else { return };
    let home = TempDir::new().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "power_cut::a_journal_is_filled", "--nocapture", "--test-threads=1"]);
    child.env("ONRAMP_POWER_CUT_HOME", home.path());
    shim.watch(&mut child, home.path());
    assert!(child.output().unwrap().status.success());
    let deeds = shim.read();
    let restarted = deeds
        .iter()
        .filter(|(path, deed)| path.ends_with("journal.db-wal") && matches!(deed, Deed::Written { place: 0, .. }));
    assert!(restarted.count() >= 3, "it was never carried over: the run is too short");
    let told = |line: &str| line.strip_prefix("acknowledged ")?.parse().ok();
    cut_everywhere(&deeds, home.path(), Path::new("acme"), told);
    // A disk that only says that it has synced what was written ahead, from half-way on: this test would see that.
    let honest = |(at, (path, deed)): &(usize, &(PathBuf, Deed))| {
        *at < deeds.len() / 2 || *deed != Deed::Synced || !path.ends_with("acme/journal.db-wal")
    };
    let lying: Vec<_> = deeds.iter().enumerate().filter(honest).map(|(_, deed)| deed.clone()).collect();
    let lost = lost(&lying, home.path(), Path::new("acme"), told);
    assert!(lost.iter().any(|lost| lost.contains("acknowledged events")), "{lost:?}");
}

/// What the test above starts as a program of its own; by itself it does nothing.
#[test]
fn a_journal_is_filled() {
    let Ok(home) = std::env::var("ONRAMP_POWER_CUT_HOME") else { return };
    let folder = Path::new(&home).join("acme");
    let acknowledge = |seq: u64| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("acknowledged {seq}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
    };
    let mut writer = Writer::create(&folder, &holder()).unwrap();
    let began = Event::Began { name: "acme".to_owned(), id: "0011223344556677".to_owned(), practice: false };
    writer.append(At(1), &"jane@desk".to_owned(), vec![began]).unwrap();
    acknowledge(1);
    for attempt in 1..=130 {
        if attempt == 100 {
            drop(writer);
            writer = Writer::open(&folder, &holder()).unwrap();
        }
        try_once(&mut writer, attempt, &acknowledge);
    }
}

/// One attempt with everything that it records: an intent, output, an outcome together with its evidence.
fn try_once(writer: &mut Writer, attempt: u32, acknowledge: &impl Fn(u64)) {
    let actor = "jane@desk".to_owned();
    let at = At(i64::from(attempt) * 1000);
    let step: Address = format!("net/host[{}]", attempt % 7).parse().unwrap();
    let started = Event::AttemptStarted { step: step.clone(), attempt };
    writer.append(at, &actor, vec![started]).unwrap();
    acknowledge(writer.engagement().seq);
    let intent = Intent {
        attempt,
        purpose: Purpose::Apply,
        generation: 0,
        token: "t".repeat(32),
        digest: "d".repeat(32),
        class: RepeatClass::Token,
        operations: vec!["CreateVpc".to_owned()],
        tags: Default::default(),
        deadline: None,
        before: Default::default(),
    };
    let (recorded, _) = writer.intend(at, &actor, &step, intent).unwrap();
    acknowledge(recorded.seq);
    writer.output(&[(step.clone(), attempt, b"a line of output\n".repeat(50))]).unwrap();
    let outcome = Outcome::Changed {
        said: "made it".to_owned(),
        created: true,
        operations: vec!["CreateVpc".to_owned()],
        output: BTreeMap::new(),
    };
    let concluded = Event::Concluded { step: step.clone(), attempt, purpose: Purpose::Apply, outcome };
    let evidence = Evidence::said("it is there. ".repeat(40));
    let how = onramp::engagement::DoneHow::Applied;
    let done = Event::Done { step, attempt, how, evidence, kept: Vec::new() };
    writer.append(at, &actor, vec![concluded, done]).unwrap();
    acknowledge(writer.engagement().seq);
}

fn cut_everywhere(deeds: &[(PathBuf, Deed)], home: &Path, folder: &Path, told: impl Fn(&str) -> Option<u64>) {
    let lost = lost(deeds, home, folder, told);
    assert!(lost.is_empty(), "{} cuts lose something: {:#?}", lost.len(), &lost[..lost.len().min(5)]);
}

/// Cuts the power after each deed, in every way, and opens what is left; what is wrong with it, in words. `told` reads an
/// acknowledged number off a line.
fn lost(deeds: &[(PathBuf, Deed)], home: &Path, folder: &Path, told: impl Fn(&str) -> Option<u64>) -> Vec<String> {
    let whole = cut(&all(deeds), home, folder, Luck::All);
    let reference = Reader::open(&whole.path().join(folder)).unwrap().since(0).unwrap();
    let stride = if everything() { 1 } else { (deeds.len() / SOME).max(1) };
    let lucks = if everything() { 8 } else { 2 };
    let mut disk = Disk::default();
    let mut acknowledged = 0;
    let mut cuts = 0;
    let mut lost = Vec::new();
    for (point, (path, deed)) in deeds.iter().enumerate() {
        disk.take(path, deed);
        if let Deed::Said(said) = deed {
            let said = String::from_utf8_lossy(said).into_owned();
            acknowledged = said.lines().filter_map(&told).fold(acknowledged, u64::max);
        }
        // A prime offset: the short form must not fall into step with the deeds of a commit.
        if (point + 7) % stride != 0 {
            continue;
        }
        let coins = (0..lucks).map(|seed| Luck::Coins(seed << 32 | point as u64));
        for luck in [Luck::None, Luck::All].into_iter().chain(coins) {
            let left = cut(&disk, home, folder, luck);
            let checked = check(&left.path().join(folder), acknowledged, &reference);
            lost.extend(checked.err().map(|why| format!("point {point}, {luck:?}: {why}")));
            cuts += 1;
        }
    }
    assert_eq!(acknowledged, reference.len() as u64, "the last event was acknowledged, too");
    assert!(cuts > 300, "only {cuts} cuts");
    eprintln!(
        "{cuts} power cuts at {} deeds, {acknowledged} events acknowledged: {} lose something",
        deeds.len(),
        lost.len()
    );
    lost
}

fn all(deeds: &[(PathBuf, Deed)]) -> Disk {
    let mut disk = Disk::default();
    deeds.iter().for_each(|(path, deed)| disk.take(path, deed));
    disk
}

/// The folder as it is found after a cut.
fn cut(disk: &Disk, home: &Path, folder: &Path, luck: Luck) -> TempDir {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let found = scratch();
    for (path, bytes) in disk.after_a_cut(home, luck) {
        let inside = path.strip_prefix(home).unwrap();
        if !inside.starts_with(folder) && !folder.starts_with(inside) {
            continue;
        }
        let path = found.path().join(inside);
        match bytes {
            None => std::fs::DirBuilder::new().mode(0o700).create(path).unwrap(),
            Some(bytes) => {
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                options.open(path).unwrap().write_all(&bytes).unwrap();
            }
        }
    }
    found
}

/// # Errors
/// What is wrong with the folder as it was left.
fn check(folder: &Path, acknowledged: u64, reference: &[Recorded]) -> Result<(), String> {
    if acknowledged == 0 {
        // Nothing was promised yet: it is there, or it can be begun (again).
        let begun = Writer::create(folder, &holder()).or_else(|_| Writer::open(folder, &holder()));
        return begun.map(drop).map_err(|error| error.to_string());
    }
    Reader::glance(folder).map_err(|error| format!("reading: {error}"))?;
    let writer = Writer::open(folder, &holder()).map_err(|error| format!("opening: {error}"))?;
    let events = writer.since(0).map_err(|error| error.to_string())?;
    if (events.len() as u64) < acknowledged {
        return Err(format!("{} of {acknowledged} acknowledged events", events.len()));
    }
    if reference.get(..events.len()) != Some(&events[..]) {
        return Err("the events are others".to_owned());
    }
    drop(writer);
    let again = Reader::glance(folder).map_err(|error| format!("opened again: {error}"))?;
    (again.engagement.seq == events.len() as u64).then_some(()).ok_or_else(|| "opened again, it is shorter".to_owned())
}
