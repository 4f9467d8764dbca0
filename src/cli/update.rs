//! `onramp update NAME`: another edition of the runbook in mid-engagement, shown before it is taken.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::context::{self, Context};
use super::failure::{Failure, Kind};
use super::print::{self, Format};
use crate::engagement::{Address, Command, Engagement, Review, RunbookFile, board, decide, review, update};
use crate::engine::Clock;
use crate::journal::Writer;
use crate::runbook::Runbook;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// Another edition of the runbook, by path; without it the one inside onramp
    #[arg(long, value_name = "PATH")]
    runbook: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Look again at this step, which is done and would be done otherwise now; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    look: Vec<Address>,
    /// Keep this step as it was done; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    keep: Vec<Address>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let name = &arguments.name;
    let mut writer = Writer::open(&context.folder(name)?, &context.holder())?;
    let old = context::runbook_of(writer.engagement())?;
    let mut walked = old.as_ref().clone();
    match edition(writer.engagement(), arguments.runbook.as_deref())? {
        Some((files, new)) => {
            known(&new, arguments)?;
            // Refused before anybody reads it in vain.
            let events = update(writer.engagement(), &old, &new, &files)
                .map_err(|refusal| Failure::usage(refusal.to_string()))?;
            let review = review(writer.engagement(), &old, &new);
            match arguments.format {
                Format::Json => print::json(&as_json(&review, &old, &new))?,
                Format::Text => print::out(&as_text(&review))?,
            }
            if !arguments.yes && !confirmed(name)? {
                return Err(Failure::new(Kind::Waiting, "the runbook stays as it is").hint("--yes does not ask"));
            }
            writer.append(Clock::default().now(), &context.actor(), events)?;
            print::say(&format!("{name} walks this edition now"));
            walked = new;
        }
        None if arguments.look.is_empty() && arguments.keep.is_empty() => {
            let said = match &arguments.runbook {
                Some(path) => format!("{name} walks the edition in {path} already; nothing was changed"),
                None => {
                    format!("onramp has no other edition of the runbook {}; --runbook takes one from a file", old.id)
                }
            };
            return print::line(&said).map(|()| ExitCode::SUCCESS);
        }
        None => {}
    }
    choose(context, &mut writer, &walked, arguments)?;
    let outdated: Vec<String> = board(writer.engagement(), &walked)
        .rows
        .iter()
        .filter(|row| row.outdated)
        .map(|row| row.address.to_string())
        .collect();
    if !outdated.is_empty() {
        print::say(&format!(
            "done, and would be done otherwise now: {}\n  look at them again with --look, or keep them with --keep",
            text::list(&outdated)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The edition to take; none where the engagement walks it already.
fn edition(engagement: &Engagement, named: Option<&str>) -> Result<Option<(Vec<RunbookFile>, Runbook)>, Failure> {
    let Some(named) = named else {
        return Ok(context::shipped_edition(&engagement.runbook, &engagement.runbook_digest));
    };
    let files = context::runbook_files(named)?;
    let edition = context::usable(&files)?;
    Ok((edition.digest != engagement.runbook_digest).then_some((files, edition)))
}

/// A mistyped address is said before anything is taken.
fn known(runbook: &Runbook, arguments: &Arguments) -> Result<(), Failure> {
    match arguments.look.iter().chain(&arguments.keep).find(|step| runbook.step(&step.step).is_none()) {
        None => Ok(()),
        Some(step) => Err(Failure::usage(format!("this edition has no step \"{step}\"")).hint("nothing was changed")),
    }
}

/// Look again, or keep.
fn choose(context: &Context, writer: &mut Writer, runbook: &Runbook, arguments: &Arguments) -> Result<(), Failure> {
    let look =
        arguments.look.iter().map(|step| (Command::Reopen(step.clone()), step, "is looked at again by the next run"));
    let keep = arguments.keep.iter().map(|step| (Command::KeepDone(step.clone()), step, "is kept as it was done"));
    for (command, step, said) in look.chain(keep) {
        let events =
            decide(writer.engagement(), runbook, &command).map_err(|refusal| Failure::usage(refusal.to_string()))?;
        writer.append(Clock::default().now(), &context.actor(), events)?;
        print::say(&format!("{step} {said}"));
    }
    Ok(())
}

fn as_text(review: &Review) -> String {
    let line = |line: &crate::engagement::ReviewLine| format!("  {:<15} {}\n", line.what, line.said);
    review.lines().iter().map(line).collect()
}

fn as_json(review: &Review, old: &Runbook, new: &Runbook) -> Json {
    let lines: Vec<Json> = review
        .lines()
        .iter()
        .map(|line| json!({ "change": line.what, "said": line.said, "weighs": line.weighs }))
        .collect();
    json!({
        "runbook": new.id,
        "from": old.digest,
        "to": new.digest,
        "outdated": review.outdated,
        "left": review.left,
        "unfit": review.unfit.iter().map(|unfit| &unfit.id).collect::<Vec<_>>(),
        "changes": lines,
    })
}

fn confirmed(name: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print::say(&format!("Type the engagement's name ({name}) to take this edition, anything else to leave:"));
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(typed.trim() == name)
}
