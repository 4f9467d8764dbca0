//! `onramp sign NAME ADDRESS NOTE`: a person did it, and says so.

use std::process::ExitCode;

use super::context::{Context, runbook_of};
use super::failure::Failure;
use super::print;
use crate::engagement::{Address, Command, DoneHow, State, decide};
use crate::engine::Clock;
use crate::journal::Writer;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// As in access/shown
    step: Address,
    /// Who saw or did what
    #[arg(required_unless_present = "withdraw")]
    note: Option<String>,
    /// It was not so: the step is to be signed anew
    #[arg(long, conflicts_with = "note")]
    withdraw: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut writer = Writer::open(&context.folder(&arguments.name)?, &context.holder())?;
    if let Some(greeting) = writer.greeting() {
        print::say(&greeting);
    }
    let runbook = runbook_of(writer.engagement())?;
    let step = &arguments.step;
    let signed = matches!(writer.engagement().state(step), State::Done { how: DoneHow::SignedOff, .. });
    let (command, done) = match &arguments.note {
        Some(note) => (Command::SignOff { step: step.clone(), note: note.clone() }, "is signed off"),
        None if signed => (Command::Reopen(step.clone()), "is to be signed anew"),
        None => return Err(Failure::usage(format!("{step} is not signed off")).hint("nothing was changed")),
    };
    let events =
        decide(writer.engagement(), &runbook, &command).map_err(|refusal| Failure::usage(refusal.to_string()))?;
    writer.append(Clock::default().now(), &context.actor(), events)?;
    print::line(&format!("{step} {done}"))?;
    Ok(ExitCode::SUCCESS)
}
