//! `onramp status [NAME]`: where engagements stand, also while somebody else holds one.

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::context::{self, Context};
use super::failure::Failure;
use super::print::{self, Format};
use super::reach::Reach;
use super::session;
use super::{settle, undo};
use crate::engagement::{
    At, Board, Engagement, Question, Row, ScopeMode, Status, Wait, board, by_party, grouped, scope, waiting,
};
use crate::engine::Clock;
use crate::input::InputId;
use crate::runbook::Runbook;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// All of them when none is named
    pub name: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Only print one value that a step kept or somebody gave, as it is: connection.sheet, to keep it as a file
    #[arg(long, value_name = "VALUE", requires = "name")]
    value: Option<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let now = Clock::default().now();
    match &arguments.name {
        Some(name) => {
            let (engagement, runbook, holder) = session::inspect(context, name)?;
            if let Some(value) = &arguments.value {
                return print_value(&engagement, &runbook, value);
            }
            let board = board(&engagement, &runbook);
            match arguments.format {
                Format::Json => print::json(&one(name, &engagement, &board, holder.as_deref(), now))?,
                Format::Text => {
                    let reach = context.reach(name, engagement.identity.practice);
                    print::out(&page(&reach, &engagement, &runbook, &board, holder.as_deref(), now))?;
                }
            }
        }
        None => all(context, arguments.format, now)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One value by its dotted name. A secret is no value: what is printed says where it lives.
fn print_value(engagement: &Engagement, runbook: &Runbook, name: &str) -> Result<ExitCode, Failure> {
    let scope = scope(engagement, runbook, ScopeMode::Real);
    match scope.get_dotted(name) {
        Some(Json::String(text)) => print::out(text)?,
        Some(value) => print::json(value)?,
        None => {
            let kept: BTreeSet<&str> =
                runbook.steps().flat_map(|step| step.saves.iter().map(|save| save.to.as_str())).collect();
            let near = text::nearest(name, kept.iter().copied().chain(runbook.fields.keys().map(InputId::as_str)));
            let family = |known: &&str| known.split('.').next() == name.split('.').next();
            let relatives: Vec<&str> = kept.iter().copied().filter(family).collect();
            let hint = match near {
                Some(near) => Some(format!("did you mean {near}? A step that is not done has kept nothing yet")),
                None if relatives.is_empty() => None,
                None => Some(format!("what steps keep there: {}", text::some(&relatives, ", ", 12))),
            };
            let failure = Failure::usage(format!("nothing is known under the name \"{name}\""));
            return Err(hint.into_iter().fold(failure, |failure, hint| failure.hint(hint)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where one engagement stands, for people.
///
/// # Errors
/// There is none of that name, or it cannot be read.
pub fn one_text(context: &Context, name: &str) -> Result<ExitCode, Failure> {
    let (engagement, runbook, holder) = session::inspect(context, name)?;
    let now = Clock::default().now();
    let reach = context.reach(name, engagement.identity.practice);
    print::out(&page(&reach, &engagement, &runbook, &board(&engagement, &runbook), holder.as_deref(), now))?;
    Ok(ExitCode::SUCCESS)
}

fn all(context: &Context, format: Format, now: At) -> Result<(), Failure> {
    let mut found = Vec::new();
    for name in context.names() {
        match session::inspect(context, &name) {
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
                Ok((engagement, board, holder)) => one(name, engagement, board, holder.as_deref(), now),
                Err(why) => json!({ "name": name, "error": why }),
            })
            .collect();
        return print::json(&list);
    }
    if found.is_empty() {
        return print::line("There is no engagement yet. Begin one with: onramp new NAME, or try: onramp practice");
    }
    // What is overdue comes first.
    found.sort_by_key(|(_, found)| !found.as_ref().is_ok_and(|(_, board, _)| overdue(board, now)));
    for (name, found) in found {
        match found {
            Ok((engagement, board, holder)) => {
                let next = match (engagement.half_undone(), board.next()) {
                    (Some((_, left)), _) => format!("undo half done: {} left", text::count(left.len(), "step")),
                    (None, Some(row)) => format!("{}: {}", row.status.word(), row.title),
                    (None, None) => "all done".to_owned(),
                };
                let held = holder.map(|holder| format!("  [held by {holder}]")).unwrap_or_default();
                let sums = by_party(waiting(&board).into_iter().map(|(_, wait)| wait), now);
                let sums: Vec<String> = sums.iter().map(|sum| sum.said(now)).collect();
                let sums = if sums.is_empty() { String::new() } else { format!("  [{}]", sums.join(", ")) };
                let (done, total) = (board.tally.done, board.tally.total);
                print::line(&format!("{name:<20} {done:>3}/{total:<3} {next}{sums}{held}"))?;
                print::out(&waits(&board, now))?;
            }
            Err(why) => print::line(&format!("{name:<20} {why}"))?,
        }
    }
    Ok(())
}

fn overdue(board: &Board, now: At) -> bool {
    waiting(board).iter().any(|(_, wait)| wait.overdue(now).is_some())
}

/// A line for every wait, by who must move: on whom, since when, until when; what was asked, and what was heard last.
pub fn waits(board: &Board, now: At) -> String {
    let mut out = String::new();
    for (row, wait) in grouped(waiting(board), now) {
        out.push_str(&format!("  {}  {}  {}\n", wait.stands(now), row.address, row.title));
        for line in wait.ask.lines().filter(|line| !line.trim().is_empty()) {
            out.push_str(&format!("      asked: {line}\n"));
        }
        for said in [&wait.note, &wait.said].into_iter().filter(|said| !said.is_empty()) {
            out.push_str(&format!("      {said}\n"));
        }
    }
    out
}

fn page(
    reach: &Reach,
    engagement: &Engagement,
    runbook: &Runbook,
    board: &Board,
    holder: Option<&str>,
    now: At,
) -> String {
    let identity = &engagement.identity;
    let mut out = format!(
        "{}{}  account {}  region {}  {} of {} done\n",
        reach.name(),
        if identity.practice { " (practice)" } else { "" },
        engagement.account().unwrap_or_else(|| "not given".to_owned()),
        engagement.region().unwrap_or_else(|| "not given".to_owned()),
        board.tally.done,
        text::count(board.tally.total, "step"),
    );
    if let Some(holder) = holder {
        out.push_str(&format!("held by {holder}\n"));
    }
    if !identity.practice && context::shipped_edition(&engagement.runbook, &engagement.runbook_digest).is_some() {
        out.push_str(&reach.put("another edition of its runbook is here: onramp update NAME shows it\n"));
    }
    if let Some(said) = settle::doubts(engagement, board, reach) {
        out.push_str(&format!("\n{said}\n"));
    }
    if let Some(said) = undo::half_done(engagement, reach) {
        out.push_str(&format!("\n{said}\n"));
    }
    let waits = waits(board, now);
    if !waits.is_empty() {
        out.push_str(&format!("\nWaiting on others\n{waits}"));
    }
    for phase in &runbook.phases {
        out.push_str(&format!("\n{}\n", phase.title));
        for row in board.rows.iter().filter(|row| row.address.step.phase() == phase.id) {
            if row.status == Status::NotNeeded {
                continue;
            }
            out.push_str(&format!(
                "  {:<14} {}  {}{}\n",
                row.status.word(),
                row.address,
                row.title,
                reach.put(&why(row))
            ));
        }
    }
    out
}

fn why(row: &Row) -> String {
    match &row.status {
        Status::NeedsInput(ids) => {
            format!(" ({})", text::list(&ids.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        Status::Failed(failure) => format!(": {}", failure.why()),
        Status::Waiting(wait) if wait.by_hand => format!(": on {}: {}", wait.whom(), wait.note),
        Status::Waiting(wait) => format!(": on {}: {}", wait.whom(), wait.said),
        Status::InDoubt { why, .. } | Status::Unclear(why) => format!(": {why}"),
        Status::Skipped { reason: said } | Status::Stays { said } => format!(": {said}"),
        Status::Asked(Question::HostKey { hop, fingerprint, openssh, .. }) => {
            let shown = text::fingerprint::both(fingerprint, openssh);
            format!(": is {shown} the host key of {hop}? Say so in the terminal, or as its fingerprint= in the hosts")
        }
        Status::Asked(Question::Different { said, .. }) => format!(": {said}"),
        Status::Done { .. } if row.outdated => {
            ": the runbook would do it otherwise now (onramp update NAME --look ADDRESS looks at it again; --keep ADDRESS keeps it)".to_owned()
        }
        _ => String::new(),
    }
}

fn one(name: &str, engagement: &Engagement, board: &Board, holder: Option<&str>, now: At) -> Json {
    let steps: Vec<Json> = board
        .rows
        .iter()
        .map(|row| {
            let mut step = json!({
                "address": row.address, "title": row.title, "status": row.status.word(), "owner": row.owner,
                "outdated": row.outdated,
            });
            if let Status::Stays { said } = &row.status {
                step["stays"] = json!(said);
            }
            let waited = engagement.record(&row.address).map(|record| record.waited.as_slice()).unwrap_or_default();
            if !waited.is_empty() {
                step["waited"] = waited.iter().map(|waited| wait_json(&waited.wait, waited.until, true)).collect();
            }
            step
        })
        .collect();
    let waits: Vec<Json> = waiting(board)
        .into_iter()
        .map(|(row, wait)| {
            let mut wait = wait_json(wait, now, false);
            wait["address"] = json!(row.address);
            wait["title"] = json!(row.title);
            wait
        })
        .collect();
    let tally = board.tally;
    json!({
        "name": name,
        "id": engagement.identity.id,
        "practice": engagement.identity.practice,
        "account": engagement.account(),
        "region": engagement.region(),
        "runbook": engagement.runbook,
        "events": engagement.seq,
        "held_by": holder,
        "tally": {
            "total": tally.total, "done": tally.done, "ready": tally.ready, "running": tally.running,
            "outdated": tally.outdated, "failed": tally.failed, "person": tally.person, "waiting": tally.waiting, "blocked": tally.blocked,
        },
        "waits": waits,
        "next": board.next().map(|row| &row.address),
        "undo_left": engagement.half_undone().map(|(_, left)| left).unwrap_or_default(),
        "in_doubt": board.doubts().map(|row| &row.address).collect::<Vec<_>>(),
        "steps": steps,
    })
}

/// A wait as it stands `now`, or as it ended then.
fn wait_json(wait: &Wait, now: At, over: bool) -> Json {
    let mut json = json!({
        "on": wait.party,
        "who": wait.who,
        "since": wait.since.to_string(),
        "due": wait.due.map(|due| due.to_string()),
        "overdue": wait.overdue(now).is_some(),
        "seconds": wait.lasted(now).as_secs(),
        "asked": wait.ask,
        "said": wait.said,
        "note": wait.note,
        "by_hand": wait.by_hand,
    });
    if over {
        json["until"] = json!(now.to_string());
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engagement::Address;
    use crate::runbook::Party;

    #[test]
    fn what_stays_after_an_undo_says_why_for_people_and_for_programs() {
        let said = "arn:1 is a backup: AWS Backup keeps it until 2027-01-01, and deletes it then".to_owned();
        let row = Row {
            address: "net/backup".parse::<Address>().unwrap(),
            title: "A backup".to_owned(),
            owner: Party::Operator,
            status: Status::Stays { said: said.clone() },
            touches_world: true,
            outdated: false,
        };
        assert_eq!((row.status.word(), why(&row)), ("stays", format!(": {said}")));
        let board = Board { rows: vec![row], ..Board::default() };
        let shown = one("acme", &Engagement::default(), &board, None, At(0));
        assert_eq!((&shown["steps"][0]["status"], &shown["steps"][0]["stays"]), (&json!("stays"), &json!(said)));
    }
}
