//! One engagement, walked by the real program, which may die on the way and is started again until it is through.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use onramp::journal::Reader;
use serde_json::Value as Json;

use super::ledger::{Broken, Ledger};
use super::shim::{Deeds, Shim};
use super::trap::{Boundary, Point};
use super::world::{ACCOUNT, Ground, Kept, REGION, World};
use crate::stage::{Answer, Stage};

/// What a person calls, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    New,
    Input,
    /// Up to where a person has to sign off.
    Run,
    Sign,
    Finish,
    Undo,
}

const MAKE: [Act; 5] = [Act::New, Act::Input, Act::Run, Act::Sign, Act::Finish];
const NAME: &str = "acme";
/// The engineer comes back some minutes later. That is longer than EC2 may hide what was made, so nothing is waited for.
const BACK_AFTER: Duration = Duration::from_secs(300);
/// A program that does not end by then hangs.
const HANGS: Duration = Duration::from_secs(420);
/// How often one act is begun again before it counts as stuck, deaths not counted.
const TRIES: u32 = 3;

/// Which runbook is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One of everything.
    Short,
    /// Remote access as it is shipped, on hosts that are there.
    Long,
}

impl Form {
    fn runbook(self, stage: &Stage) -> String {
        match self {
            Form::Short => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/crash/crash.yaml").to_owned(),
            Form::Long => stage.remote_access().display().to_string(),
        }
    }

    /// The step that a person signs off.
    fn person(self) -> &'static str {
        match self {
            Form::Short => "sweep/seen",
            Form::Long => "access/shown",
        }
    }

    fn answers(self, ground: &Ground) -> String {
        let (key, public, hosts) = (ground.key(), ground.public_key(), ground.hosts());
        let both = format!(
            "eng.customer_name: Acme\neng.customer_slug: acme\naws.account_id: '{ACCOUNT}'\naws.region_primary: {REGION}\n\
             aws.azs: [{REGION}a, {REGION}b]\nnet.vpc_cidr: 10.40.0.0/16\n\
             net.subnets: |\n  10.40.0.0/24 public {REGION}a\n  10.40.10.0/24 app {REGION}b\n\
             net.ssh_public_key: {public}\nnet.ssh_key_ref: {}\nhosts.existing: |\n{hosts}",
            key.display()
        );
        match self {
            Form::Short => format!("{both}crash.size: whole\n"),
            Form::Long => format!(
                "{both}net.access_path: bastion_in_vpc\nhosts.source: existing\nnet.vpc_source: create\nnet.nat_mode: single\nnet.bastion_inside: 10.40.0.10\n\
                 net.provider_cidrs: [203.0.114.16/29]\nnet.ssh_port: {}\n",
                ground.moved_port()
            ),
        }
    }
}

pub struct Walk<'a> {
    ground: &'a Ground,
    form: Form,
    pub world: World,
    stage: Stage,
    shim: &'a Shim,
    deeds: Deeds,
    point: Option<Point>,
    /// Moments of death still to come: for the acts in their order, as parts of how long each takes undisturbed.
    moments: Option<Moments>,
    pub deaths: u32,
    pub took: BTreeMap<Act, Duration>,
    pub ledger: Ledger,
}

/// Random deaths.
pub struct Moments {
    pub dice: Dice,
    pub left: u32,
    pub took: BTreeMap<Act, Duration>,
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same seed, the same moments.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most.max(1)
    }
}

impl<'a> Walk<'a> {
    pub fn new(ground: &'a Ground, form: Form, kept: Option<&Kept>, shim: &'a Shim) -> Self {
        let stage = Stage::new().with_credentials();
        let deeds = Deeds::new(stage.data(), stage.home().join("deeds"));
        let (point, moments, deaths, took, ledger) = Default::default();
        Walk { ground, form, world: ground.world(kept), stage, shim, deeds, point, moments, deaths, took, ledger }
    }

    /// From here on the program is in danger.
    pub fn endanger(&mut self, point: Option<Point>, moments: Option<Moments>) {
        self.point = point;
        self.moments = moments;
        let calls = |point: Point| (point.boundary, point.k);
        self.world.trap.set(point.map(calls));
        self.deeds.done = 0;
    }

    /// How often each boundary was passed since the danger began.
    pub fn passed(&self, boundary: Boundary) -> u64 {
        match boundary {
            Boundary::DeedBefore | Boundary::DeedAfter => self.deeds.done,
            boundary => self.world.trap.count(boundary),
        }
    }

    /// Everything is made, whatever happens on the way.
    pub fn make(&mut self) {
        for act in MAKE {
            if !self.carry_out(act) {
                return;
            }
        }
    }

    pub fn undo(&mut self) {
        self.carry_out(Act::Undo);
    }

    /// An engagement that has everything it asks for, and nothing made.
    pub fn begin(&mut self) {
        for act in [Act::New, Act::Input] {
            self.carry_out(act);
        }
    }

    /// Makes until the program ends or dies, and then takes back what is there.
    pub fn abandon(&mut self) {
        let answer = self.start(Act::Run);
        self.look(&answer, Act::Run);
        // What is in doubt has to be known before it can be taken back.
        let url = self.ground.endpoint();
        for step in self.ledger.doubts.clone() {
            let answer = self.run(&["run", NAME, "--yes", "--only", &step, "--endpoint-url", &url], None);
            self.look(&answer, Act::Run);
        }
        self.undo();
    }

    /// One act, begun again after each death. False when it is stuck.
    fn carry_out(&mut self, act: Act) -> bool {
        let mut tries = 0;
        while tries < TRIES {
            let before = self.deaths;
            let answer = self.start(act);
            self.look(&answer, act);
            if self.deaths > before {
                continue;
            }
            tries += 1;
            if self.is_through(act, &answer) {
                return true;
            }
            if tries == TRIES {
                let end = |text: &str| text.lines().rev().take(6).collect::<Vec<_>>().join(" | ");
                let said =
                    format!("{act:?} is stuck with code {}: {} {}", answer.code, end(&answer.err), self.ledger.stand());
                self.ledger.broken(Broken::Unfinished, said);
            }
        }
        false
    }

    fn is_through(&self, act: Act, answer: &Answer) -> bool {
        let died = self.deaths > 0;
        let is = |step: &str, word: &str| self.ledger.words.get(step).is_some_and(|found| found == word);
        match (act, answer.code) {
            // Whoever is told that it is there already goes on with it.
            (Act::New, 2) => died && !self.ledger.words.is_empty(),
            (Act::Sign, 2) => died && is(self.form.person(), "done"),
            (Act::Run, 3) => is(self.form.person(), "sign-off") || is(self.form.person(), "waiting"),
            (Act::Run, _) => died && is(self.form.person(), "done"),
            (_, code) => code == 0,
        }
    }

    fn start(&mut self, act: Act) -> Answer {
        let (url, early, late) = (self.ground.endpoint(), self.early(), self.late());
        let (early, late) = (early.to_str().unwrap(), late.to_str().unwrap());
        let (runbook, person) = (self.form.runbook(&self.stage), self.form.person());
        let run = ["run", NAME, "--yes", "--format", "jsonl", "--endpoint-url", &url];
        match act {
            Act::New => self.run(&["new", NAME, "--runbook", &runbook, "--answers", early], Some(act)),
            Act::Input => self.run(&["input", NAME, "--file", late], Some(act)),
            Act::Run | Act::Finish => self.run(&run, Some(act)),
            Act::Sign => self.run(&["sign", NAME, person, "J. Doe saw it"], Some(act)),
            Act::Undo => self.run(&["undo", NAME, "--all", "--yes", "--endpoint-url", &url], Some(act)),
        }
    }

    fn early(&self) -> PathBuf {
        self.stage.file("early.yaml", "eng.customer_name: Acme\neng.customer_slug: acme\n")
    }

    fn late(&self) -> PathBuf {
        self.stage.file("late.yaml", &self.form.answers(self.ground))
    }

    /// Runs the program to its end or its death. Only as an act of the walk is it in danger.
    fn run(&mut self, arguments: &[&str], act: Option<Act>) -> Answer {
        let mut command = self.stage.command(arguments);
        let late = self.point.is_some_and(|point| point.boundary == Boundary::CallLate);
        self.shim.later(&mut command, if late { Duration::ZERO } else { BACK_AFTER * self.deaths });
        if act.is_some() {
            self.deeds.watch(&mut command, self.point);
        }
        let began = Instant::now();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        self.world.trap.watch(Some(child.id()));
        let moment = self.next_moment(act).unwrap_or(HANGS);
        let killing = self.world.kill_after(moment);
        let output = child.wait_with_output().expect("its output");
        self.world.trap.watch(None);
        killing.cancel();
        if began.elapsed() >= HANGS {
            self.ledger.broken(Broken::Unfinished, format!("it hangs: {}", arguments.join(" ")));
        }
        if let Some(act) = act {
            self.took.insert(act, began.elapsed());
        }
        let died = std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9);
        self.deaths += u32::from(died);
        self.deeds.ended(died);
        let answer = Answer::of(output);
        self.ledger.heard(&answer.out, arguments.contains(&"jsonl"));
        answer
    }

    fn next_moment(&mut self, act: Option<Act>) -> Option<Duration> {
        let moments = self.moments.as_mut()?;
        let took = moments.took.get(&act?)?;
        if moments.left == 0 || moments.dice.below(10) < 2 {
            return None;
        }
        moments.left -= 1;
        Some(took.mul_f64(moments.dice.below(1000) as f64 / 1000.0))
    }

    /// What `status` says and what the journal holds, held against what was heard before.
    fn look(&mut self, answer: &Answer, act: Act) {
        let status = self.stage.run(&["status", NAME, "--format", "json"]);
        if status.code != 0 {
            let nothing_yet = act == Act::New && answer.code != 0;
            if !nothing_yet {
                self.ledger.broken(Broken::LostStep, format!("status ends with {}: {}", status.code, status.err));
            }
            return;
        }
        let said: Json = serde_json::from_str(&status.out).expect("status is JSON");
        let words = said["steps"].as_array().into_iter().flatten().map(|step| {
            (
                step["address"].as_str().unwrap_or_default().to_owned(),
                step["status"].as_str().unwrap_or_default().to_owned(),
            )
        });
        let folder = self.stage.data().join("engagements").join(NAME);
        let events = Reader::open(&folder).and_then(|reader| reader.since(0));
        let events = match events {
            Ok(events) => events.into_iter().map(|event| serde_json::to_value(event).unwrap()).collect::<Vec<_>>(),
            Err(error) => return self.ledger.broken(Broken::LostStep, format!("the journal cannot be read: {error}")),
        };
        if act == Act::Input && answer.code == 0 {
            self.ledger.given = inputs(&events);
        }
        self.ledger.compare(words.collect(), events, act == Act::Undo);
    }

    /// Takes over the state files of another walk.
    pub fn inherit(&self, data: &Path) {
        copy(data, &self.stage.data());
    }

    /// Puts the state files away, for others to begin from.
    pub fn keep_data(&self, data: &Path) {
        copy(&self.stage.data(), data);
    }
}

/// The ids of the inputs that are given.
pub fn inputs(events: &[Json]) -> BTreeSet<String> {
    let given = events.iter().filter(|one| one["event"]["event"] == "input_given");
    given.filter_map(|one| one["event"]["id"].as_str().map(str::to_owned)).collect()
}

fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(to).expect("a folder");
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).expect("its mode");
    for entry in std::fs::read_dir(from).expect("a folder to copy").flatten() {
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy")),
        }
    }
}
