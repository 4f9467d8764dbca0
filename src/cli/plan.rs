//! `onramp plan NAME`: every probe and no apply.

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::permissions;
use super::print::{self, Format};
use super::session::{self, Session};
use crate::engagement::{Change, Difference, PRICE_BASIS, Plan, PlanEntry, Verdict};
use crate::engine::{Notice, Request};
use crate::runbook::Runbook;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// Only the steps of this phase, as in connection, with a digest of their own
    #[arg(long, value_name = "PHASE", conflicts_with = "permissions")]
    phase: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print the AWS policy that allows the chosen steps and nothing else; nobody is asked anything
    #[arg(long, conflicts_with = "permissions")]
    policy: bool,
    /// Also ask AWS, by rehearsal, whether these credentials may do what is planned
    #[arg(long)]
    permissions: bool,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.policy {
        return permissions::policy(context, everywhere, &arguments.name, arguments.phase.as_deref());
    }
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    if let Some(phase) = &arguments.phase {
        is_there(session.handle.runbook(), phase)?;
    }
    session.greet();
    session.handle.send(if arguments.permissions { Request::Rehearse } else { Request::Plan });
    let mut unknown = None;
    let plan = loop {
        match session.recv() {
            Ok(Notice::Planned(plan)) => break plan,
            Ok(Notice::Identity(caller)) => unknown = caller.err(),
            Ok(_) => {}
            Err(gone) => return Err(gone),
        }
    };
    // Without a region nothing goes to AWS yet.
    let unknown = unknown.filter(|_| session.handle.engagement().region().is_some());
    session.close();
    let of_phase = |phase: &String| Arc::new(plan.only(|step| step.step.phase() == phase));
    let plan = arguments.phase.as_ref().map_or_else(|| plan.clone(), of_phase);
    match arguments.format {
        Format::Text => print::out(&self::text(&plan))?,
        Format::Json => print::json(plan.as_ref())?,
    }
    if let Some(why) = unknown {
        let said = format!("the account was not asked what is there: {why}");
        return Err(Failure::new(Kind::Waiting, said).hint("the plan shows what would be made where nothing is yet"));
    }
    if arguments.permissions {
        return permissions::report(&arguments.name, &plan, arguments.format);
    }
    Ok(ExitCode::SUCCESS)
}

pub fn is_there(runbook: &Runbook, phase: &str) -> Result<(), Failure> {
    let known = || runbook.phases.iter().map(|one| one.id.as_str());
    if known().any(|one| one == phase) {
        return Ok(());
    }
    let hint = match text::nearest(phase, known()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it has {}", text::list(&known().collect::<Vec<_>>())),
    };
    Err(Failure::usage(format!("the runbook has no phase \"{phase}\"")).hint(hint))
}

/// The plan for people, by what it costs and what breaks if it is wrong: what would change, with the exact call or script,
/// then what is as it should be.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Plan {}", plan.digest);
    let _ = writeln!(out, "+ would be changed, = stays, ? unknown, ! a person decides, … not yet, √ only looks");
    for (consequence, entries) in plan.by_consequence() {
        let _ = writeln!(out, "\n{}:", consequence.said());
        entries.into_iter().for_each(|entry| one(&mut out, entry));
    }
    let mut libraries: Vec<&str> = plan
        .changes()
        .filter_map(|(_, change)| change.arguments.get("library")?.as_str())
        .filter(|library| !library.is_empty())
        .collect();
    libraries.dedup();
    for library in libraries {
        let _ = writeln!(out, "\nFunctions that come before these scripts:");
        for line in library.lines() {
            let _ = writeln!(out, "      | {line}");
        }
    }
    let (changes, steps) = (plan.changes().count(), plan.approval().len());
    let _ = match changes {
        0 => writeln!(out, "\nNothing would be changed."),
        _ => writeln!(out, "\n{} in {}.", text::count(changes, "change"), text::count(steps, "step")),
    };
    match plan.entries.iter().filter(|entry| entry.verdict == Verdict::Person).count() {
        0 => {}
        open => {
            let _ = writeln!(out, "{} to be decided by a person: marked with ! above.", text::count(open, "step"));
        }
    }
    for room in &plan.quotas {
        let _ = writeln!(out, "{} {}.", if room.is_short() { "SHORT:" } else { "Quota:" }, room.said());
    }
    let bill = plan.bill();
    if !bill.is_empty() {
        let _ = writeln!(out, "Begins to be billed: {}. These are {PRICE_BASIS}.", bill.said());
    }
    out
}

fn one(out: &mut String, entry: &PlanEntry) {
    let sign = match entry.verdict {
        Verdict::Change => "+",
        Verdict::Nothing => "=",
        Verdict::Unknown => "?",
        Verdict::Person => "!",
        Verdict::Input => "…",
        Verdict::Check => "√",
    };
    let _ = writeln!(out, "{sign} {}  {}", entry.step, entry.title);
    match &entry.finding {
        Some(finding) => below(out, &format!("{}: {}", finding.kind.word(), entry.said)),
        None if entry.said.is_empty() => {}
        None => below(out, &entry.said),
    }
    details(out, entry);
}

/// A text of several lines stands below its step, each of them.
fn below(out: &mut String, said: &str) {
    let mut lines = said.trim_end().lines();
    let _ = writeln!(out, "    {}", lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(out, "{}", format!("      {line}").trim_end());
    }
}

/// What is otherwise than wanted, a line each.
pub fn differences(out: &mut String, differences: &[Difference]) {
    for difference in differences {
        let _ = writeln!(out, "    {}: found {}, wanted {}", difference.what, difference.found, difference.wanted);
        for line in difference.diff.lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
}

fn details(out: &mut String, entry: &PlanEntry) {
    differences(out, entry.finding.as_ref().map_or(&[], |finding| &finding.differences));
    for one in &entry.changes {
        change(out, one);
    }
    if let Some(asks) = entry.asks.as_ref().filter(|_| entry.verdict != Verdict::Nothing) {
        below(out, &format!("asks {asks}"));
    }
    if entry.would_change() {
        for price in &entry.prices {
            let _ = writeln!(out, "    billed: {}", price.said());
        }
        for (word, said) in [("cost", &entry.cost), ("careful", &entry.breaks), ("undo", &entry.undo)] {
            if let Some(said) = said {
                let _ = writeln!(out, "    {word}: {said}");
            }
        }
    }
}

/// One change as it would be made: a call, or a script with what it says, or what a kind of onramp's own does on a host.
pub(super) fn change(out: &mut String, change: &Change) {
    if change.service != "ssh" {
        let _ = writeln!(out, "    {}:{}", change.service, change.operation);
        for (name, text) in change.values() {
            match text.contains('\n') {
                true => {
                    let _ = writeln!(out, "      {name}:");
                    verbatim(out, &text);
                }
                false => {
                    let _ = writeln!(out, "      {name}: {text}");
                }
            }
        }
        return;
    }
    let _ = writeln!(out, "    on host {}:", change.operation);
    for (name, value) in change.arguments.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("library" | "sudo", _) => {}
            ("script", value) => verbatim(out, value.as_str().unwrap_or_default()),
            (_, Json::String(text)) if text.contains('\n') => {
                let _ = writeln!(out, "      {name}:");
                verbatim(out, text);
            }
            (_, Json::String(text)) => {
                let _ = writeln!(out, "      {name}: {text}");
            }
            (_, value) => {
                let _ = writeln!(out, "      {name}: {value}");
            }
        }
    }
}

fn verbatim(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "      | {line}");
    }
}
