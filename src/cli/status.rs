//! `onramp status [NAME]`: where engagements stand, also while somebody else holds one.

use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::context::Context;
use super::failure::Failure;
use super::print::{self, Format};
use super::session;
use crate::engagement::{Board, Engagement, Row, Status, board};
use crate::runbook::Runbook;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// All of them when none is named
    name: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.name {
        Some(name) => {
            let (engagement, runbook, holder) = session::look(context, name)?;
            let board = board(&engagement, &runbook);
            match arguments.format {
                Format::Json => print::json(&one(&engagement, &board, holder.as_deref()))?,
                Format::Text => print::out(&page(&engagement, &runbook, &board, holder.as_deref()))?,
            }
        }
        None => all(context, arguments.format)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where one engagement stands, for people.
///
/// # Errors
/// There is none of that name, or it cannot be read.
pub fn one_text(context: &Context, name: &str) -> Result<ExitCode, Failure> {
    let (engagement, runbook, holder) = session::look(context, name)?;
    print::out(&page(&engagement, &runbook, &board(&engagement, &runbook), holder.as_deref()))?;
    Ok(ExitCode::SUCCESS)
}

fn all(context: &Context, format: Format) -> Result<(), Failure> {
    let mut found = Vec::new();
    for name in context.names() {
        match session::look(context, &name) {
            Ok((engagement, runbook, holder)) => {
                let board = board(&engagement, &runbook);
                found.push((name, Ok((engagement, board, holder))));
            }
            Err(failure) => found.push((name, Err(failure.message))),
        }
    }
    if format == Format::Json {
        let list: Vec<Json> = found
            .iter()
            .map(|(name, found)| match found {
                Ok((engagement, board, holder)) => one(engagement, board, holder.as_deref()),
                Err(why) => json!({ "name": name, "error": why }),
            })
            .collect();
        return print::json(&list);
    }
    if found.is_empty() {
        return print::line("There is no engagement yet. Begin one with: onramp new NAME, or try: onramp practice");
    }
    for (name, found) in found {
        match found {
            Ok((_, board, holder)) => {
                let next =
                    board.next().map_or("all done".to_owned(), |row| format!("{}: {}", row.status.word(), row.title));
                let held = holder.map(|holder| format!("  [held by {holder}]")).unwrap_or_default();
                print::line(&format!("{name:<20} {:>3}/{:<3} {next}{held}", board.tally.done, board.tally.total))?;
            }
            Err(why) => print::line(&format!("{name:<20} {why}"))?,
        }
    }
    Ok(())
}

fn page(engagement: &Engagement, runbook: &Runbook, board: &Board, holder: Option<&str>) -> String {
    let identity = &engagement.identity;
    let mut out = format!(
        "{}{}  account {}  region {}  {} of {} done\n",
        identity.name,
        if identity.practice { " (practice)" } else { "" },
        engagement.account().unwrap_or_else(|| "not given".to_owned()),
        engagement.region().unwrap_or_else(|| "not given".to_owned()),
        board.tally.done,
        text::count(board.tally.total, "step"),
    );
    if let Some(holder) = holder {
        out.push_str(&format!("held by {holder}\n"));
    }
    for phase in &runbook.phases {
        out.push_str(&format!("\n{}\n", phase.title));
        for row in board.rows.iter().filter(|row| row.address.step.phase() == phase.id) {
            if row.status == Status::NotNeeded {
                continue;
            }
            out.push_str(&format!("  {:<14} {}  {}{}\n", row.status.word(), row.address, row.title, why(row)));
        }
    }
    out
}

fn why(row: &Row) -> String {
    match &row.status {
        Status::NeedsInput(ids) => {
            format!(" ({})", text::list(&ids.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        Status::Failed(failure) => format!(": {}", failure.what),
        Status::Waiting { party, said, .. } => format!(": on {party}: {said}"),
        Status::InDoubt { why, .. } | Status::Unclear(why) => format!(": {why}"),
        Status::Skipped { reason } => format!(": {reason}"),
        _ => String::new(),
    }
}

fn one(engagement: &Engagement, board: &Board, holder: Option<&str>) -> Json {
    let steps: Vec<Json> = board
        .rows
        .iter()
        .map(|row| json!({ "address": row.address, "title": row.title, "status": row.status.word(), "owner": row.owner }))
        .collect();
    let tally = board.tally;
    json!({
        "name": engagement.identity.name,
        "id": engagement.identity.id,
        "practice": engagement.identity.practice,
        "account": engagement.account(),
        "region": engagement.region(),
        "runbook": engagement.runbook,
        "events": engagement.seq,
        "held_by": holder,
        "tally": {
            "total": tally.total, "done": tally.done, "ready": tally.ready, "running": tally.running,
            "failed": tally.failed, "person": tally.person, "waiting": tally.waiting, "blocked": tally.blocked,
        },
        "next": board.next().map(|row| &row.address),
        "steps": steps,
    })
}
