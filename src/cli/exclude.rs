//! `onramp exclude NAME HOST… --reason TEXT`: go on without hosts. Without a host, which ones failed.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::context::{Context, runbook_of};
use super::failure::Failure;
use super::{print, session};
use crate::engagement::{Board, Command, Engagement, Row, Status, board, decide};
use crate::engine::Clock;
use crate::journal::Writer;
use crate::text;

/// Hosts that are named of one step; the others are counted.
const NAMED: usize = 12;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// As between the brackets of a step's address
    hosts: Vec<String>,
    /// Why it goes on without them; it stands in the handover report
    #[arg(long, value_name = "TEXT", requires = "hosts")]
    reason: Option<String>,
    /// They take part again
    #[arg(long, conflicts_with = "reason", requires = "hosts")]
    again: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.hosts.is_empty() {
        let (engagement, runbook, _) = session::look(context, &arguments.name)?;
        print::out(&listed(&engagement, &board(&engagement, &runbook)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.reason.is_none() && !arguments.again {
        return Err(Failure::usage("why does it go on without them?")
            .hint("--reason TEXT says so in the handover report; --again lets them take part again"));
    }
    let mut writer = Writer::open(&context.folder(&arguments.name)?, &context.holder())?;
    if let Some(greeting) = writer.greeting() {
        print::say(&greeting);
    }
    let runbook = runbook_of(writer.engagement())?;
    let mut events = Vec::new();
    for host in &arguments.hosts {
        let command = match &arguments.reason {
            Some(reason) => Command::LeaveOut { host: host.clone(), reason: reason.clone() },
            None => Command::LetIn(host.clone()),
        };
        let decided = decide(writer.engagement(), &runbook, &command);
        events.extend(decided.map_err(|refusal| Failure::usage(refusal.to_string()))?);
    }
    writer.append(Clock::default().now(), &context.actor(), events)?;
    let word = if arguments.again { "takes part again" } else { "is left out" };
    for host in &arguments.hosts {
        print::line(&format!("{host} {word}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(engagement: &Engagement, board: &Board) -> String {
    let mut out = String::new();
    for (step, failed) in failed_by_step(board) {
        out.push_str(&format!("{step}\n"));
        for (host, row) in failed.rows {
            let Status::Failed(failure) = &row.status else { continue };
            out.push_str(&format!("  failed    {host}  {}\n", failure.what));
        }
    }
    for (host, left_out) in &engagement.left_out {
        out.push_str(&format!("left out    {host}  {} ({}, {})\n", left_out.reason, left_out.by, left_out.at.date()));
    }
    if out.is_empty() { "No host failed, and none is left out.\n".to_owned() } else { out }
}

/// The instances of one step that failed.
struct FailedOn<'a> {
    rows: Vec<(&'a str, &'a Row)>,
    of: usize,
}

/// By step, by name.
fn failed_by_step(board: &Board) -> BTreeMap<String, FailedOn<'_>> {
    let mut steps: BTreeMap<String, FailedOn<'_>> = BTreeMap::new();
    for row in &board.rows {
        let Some(key) = &row.address.key else { continue };
        let step = steps.entry(row.address.step.to_string()).or_insert_with(|| FailedOn { rows: Vec::new(), of: 0 });
        step.of += 1;
        if matches!(row.status, Status::Failed(_)) {
            step.rows.push((key, row));
        }
    }
    steps.retain(|_, failed| !failed.rows.is_empty());
    steps
}

/// On which hosts the repeated steps failed, a line for each step; and what may be done.
pub fn failed_on(board: &Board) -> String {
    let mut out = String::new();
    for (step, failed) in failed_by_step(board) {
        let mut names: Vec<String> = failed.rows.iter().take(NAMED).map(|(key, _)| (*key).to_owned()).collect();
        if failed.rows.len() > NAMED {
            names.push(format!("{} more", failed.rows.len() - NAMED));
        }
        out.push_str(&format!("\n  {step} on {} of {}: {}", failed.rows.len(), failed.of, text::list(&names)));
    }
    if !out.is_empty() {
        out.push_str("\n  run --failed tries these alone; exclude HOST --reason TEXT goes on without one");
    }
    out
}
