//! The same through the whole engine: a runbook with steps over all hosts, each look and each end of it durable.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use onramp::action::{Worlds, catalog};
use onramp::engagement::{Address, At, Event, Failure, RunScope};
use onramp::engine::{Clock, Handle, Notice, Request, Settings, start};
use onramp::journal::{Holder, Writer};
use onramp::ssh::dial::Tcp;
use onramp::ssh::{Pool, Settings as Wires};

use super::lab::Lab;
use super::measure::{Measured, Took, own_time};

const STEPS: [&str; 3] = ["first", "second", "third"];

/// Measures it in a process of its own.
pub fn run(lab: &Lab) -> Result<Measured, String> {
    super::ours::in_own_process(lab, "walked", &[])
}

pub fn main(arguments: &[String]) {
    let [dir, user, port, ..] = arguments else { panic!("walked DIR USER PORT") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (dir, port) = (Path::new(dir), port.parse().unwrap());
    let handle = runtime.block_on(async { open(dir, &runbook(dir, user, port)) });
    let feed = handle.subscribe();
    let until_idle = || loop {
        match feed.recv().unwrap() {
            Notice::Idle(summary) => return summary,
            Notice::Broken(why) => panic!("{why:?}"),
            Notice::Refused(refusal) => panic!("{refusal}"),
            _ => {}
        }
    };
    let mut took = Vec::new();
    let mut summary = None;
    for name in STEPS {
        let (began, before) = (Instant::now(), own_time());
        handle.send(Request::Run(RunScope::Only(step(name))));
        summary = Some(until_idle());
        took.push(Took { wall: began.elapsed(), busy: own_time() - before });
    }
    let failures = summary.map_or(0, |summary| summary.tally.failed + summary.tally.person + summary.tally.ready);
    super::ours::say(took[0], took[2], failures, &[]);
    std::process::exit(0);
}

fn step(name: &str) -> Address {
    format!("fan/{name}").parse().unwrap()
}

/// Each step only looks: what a look finds is recorded in three events.
fn runbook(dir: &Path, user: &str, port: u16) -> String {
    let key = dir.join(".ssh/id_ed25519").display().to_string();
    let mut text = format!(
        "runbook: fan\ntitle: Fan\nphase: fan\nhosts:\n  - {{name: bastion, address: 127.0.0.1, port: \"{port}\", user: {user}, key: {key}}}\n"
    );
    let listed = std::fs::read_to_string(dir.join("hosts")).unwrap();
    for line in listed.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (name, address, port) = (fields[0], fields[1], fields[2]);
        text += &format!(
            "  - {{name: {name}, address: {address}, port: \"{port}\", user: {user}, key: {key}, via: bastion}}\n"
        );
    }
    text += "steps:\n";
    for (index, name) in STEPS.iter().enumerate() {
        let needs = if index > 0 { format!("needs: [{}], ", STEPS[index - 1]) } else { String::new() };
        text += &format!(
            "  - {{id: {name}, title: Look, {needs}for_each: hosts.private, host: \"{{{{ item.name }}}}\", sudo: false, shell: {{check: uptime}}}}\n"
        );
    }
    text
}

fn open(dir: &Path, yaml: &str) -> Handle {
    let (runbook, problems) = onramp::runbook::load(&[("fan.yaml".to_owned(), yaml.to_owned())], &catalog());
    let runbook = Arc::new(runbook.unwrap_or_else(|| panic!("{problems:#?}")));
    let holder = Holder { user: "jane".to_owned(), host: "desk".to_owned(), process: 7, since: "2026".to_owned() };
    let folder = dir.join("engagement");
    let actor = "jane@desk".to_owned();
    let mut writer = Writer::create(&folder, &holder).unwrap();
    let began = Event::Began { name: "fan".to_owned(), id: "0123456789abcdef".to_owned(), practice: true };
    writer.append(At(1_000), &actor, vec![began]).unwrap();
    let wires = Wires::new(Arc::new(Tcp), vec![dir.join(".ssh/known_hosts")], None);
    let cloud = Err(Failure::new("there is no account", ""));
    let worlds = Arc::new(Worlds::new(cloud, Pool::new(wires)));
    start(Settings { writer, runbook, worlds, actor, clock: Clock::default() }).unwrap()
}
