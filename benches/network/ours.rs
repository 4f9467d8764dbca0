//! onramp itself, as an engineer starts it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use onramp::action::catalog;
use onramp::runbook::{StepId, load};
use serde_json::Value as Json;

const RUNBOOK: &str = include_str!("network.yaml");

pub struct Took {
    /// The command, with everything that it looks at to show the plan.
    pub all: Duration,
    /// From the approval to the last step.
    pub run: Duration,
}

pub fn credentials(url: &str) -> [(&'static str, String); 4] {
    [
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "example".to_owned()),
        ("AWS_REGION", "eu-north-1".to_owned()),
    ]
}

fn home() -> PathBuf {
    std::env::temp_dir().join(format!("onramp-network-{}", std::process::id()))
}

pub fn forget() {
    let _ = std::fs::remove_dir_all(home());
}

/// Runs the real program; its standard output.
fn onramp(url: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onramp"));
    command.args(arguments).env("ONRAMP_DATA_DIR", home().join("data")).env("HOME", home()).stdin(Stdio::null());
    for (name, value) in credentials(url) {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // 3: the one step that was asked for is done, and others are open.
    let ended = output.status.code().is_some_and(|code| code == 0 || code == 3 && arguments.contains(&"--only"));
    assert!(ended, "onramp {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// An engagement in which everything is given and nothing is made.
fn begin(url: &str) {
    forget();
    std::fs::create_dir_all(home()).unwrap();
    let (runbook, answers) = (home().join("network.yaml"), home().join("answers.yaml"));
    std::fs::write(&runbook, RUNBOOK).unwrap();
    let mut subnets = "net.subnets: |\n".to_owned();
    for (first, tier) in [(0, "public"), (10, "app"), (20, "data"), (30, "mgmt")] {
        for (number, zone) in ["a", "b", "c"].iter().enumerate() {
            subnets += &format!("  10.40.{}.0/24 {tier} eu-north-1{zone}\n", first + number);
        }
    }
    std::fs::write(&answers, subnets).unwrap();
    let runbook = runbook.display().to_string();
    onramp(url, &["new", "net", "--runbook", &runbook, "--account", "123456789012", "--region", "eu-north-1"]);
    onramp(url, &["input", "net", "--file", &answers.display().to_string()]);
}

/// Begins and makes everything at once.
pub fn whole(url: &str) -> Took {
    begin(url);
    let began = Instant::now();
    let events = onramp(url, &["run", "net", "--yes", "--format", "jsonl"]);
    let all = began.elapsed();
    let times: Vec<(String, i64)> = events.lines().map(|line| named(&parsed(line))).collect();
    let approved = times.iter().find(|(event, _)| event == "plan_approved").unwrap().1;
    let run = Duration::from_millis((times.last().unwrap().1 - approved) as u64);
    Took { all, run }
}

/// A run in which everything is there already.
pub fn again(url: &str) -> Duration {
    let began = Instant::now();
    onramp(url, &["run", "net", "--yes"]);
    began.elapsed()
}

/// The longest chain of steps, when each is run alone.
pub fn critical_path(url: &str) -> Duration {
    let (runbook, problems) = load(&[("network.yaml".to_owned(), RUNBOOK.to_owned())], &catalog());
    let runbook = runbook.unwrap_or_else(|| panic!("{problems:#?}"));
    begin(url);
    let mut alone: BTreeMap<StepId, Duration> = BTreeMap::new();
    let status: Json = serde_json::from_str(&onramp(url, &["status", "net", "--format", "json"])).unwrap();
    let mut open: Vec<String> =
        status["steps"].as_array().unwrap().iter().map(|step| step["address"].as_str().unwrap().to_owned()).collect();
    open.retain(|step| step != "net/who");
    // In the order of the runbook; what is repeated over subnets shows its instances once they can be counted.
    for step in open {
        let events = onramp(url, &["run", "net", "--yes", "--only", &step, "--format", "jsonl"]);
        let id = StepId(step.split('[').next().unwrap().to_owned());
        let took = alone.entry(id).or_default();
        *took = (*took).max(from_start_to_end(&events));
    }
    let mut longest = Duration::ZERO;
    let mut until: BTreeMap<StepId, Duration> = BTreeMap::new();
    for step in runbook.steps() {
        let before = runbook.closure(&step.id).into_iter().filter(|id| *id != step.id);
        let before = before.filter_map(|id| until.get(&id).copied()).max().unwrap_or_default();
        let ended = before + alone.get(&step.id).copied().unwrap_or_default();
        until.insert(step.id.clone(), ended);
        longest = longest.max(ended);
    }
    longest
}

fn from_start_to_end(events: &str) -> Duration {
    let times: Vec<(String, i64)> = events.lines().map(|line| named(&parsed(line))).collect();
    let at = |wanted: &str, last: bool| {
        let mut found = times.iter().filter(|(event, _)| event == wanted).map(|(_, at)| *at);
        if last { found.next_back() } else { found.next() }
    };
    match (at("attempt_started", false), at("done", true)) {
        (Some(began), Some(ended)) => Duration::from_millis((ended - began).max(0) as u64),
        _ => Duration::ZERO,
    }
}

fn parsed(line: &str) -> Json {
    serde_json::from_str(line).unwrap()
}

fn named(recorded: &Json) -> (String, i64) {
    (recorded["event"]["event"].as_str().unwrap().to_owned(), recorded["at"].as_i64().unwrap())
}
