//! `onramp sign NAME ADDRESS NOTE`: a person did it, and says so.

use std::process::ExitCode;

use super::context::{Context, runbook_of};
use super::failure::Failure;
use super::print;
use crate::engagement::{Address, Command, decide};
use crate::engine::Clock;
use crate::journal::Writer;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// As in access/shown
    step: Address,
    /// Who saw or did what
    note: String,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut writer = Writer::open(&context.folder(&arguments.name)?, &context.holder())?;
    if let Some(greeting) = writer.greeting() {
        print::say(&greeting);
    }
    let runbook = runbook_of(writer.engagement())?;
    let command = Command::SignOff { step: arguments.step.clone(), note: arguments.note.clone() };
    let events =
        decide(writer.engagement(), &runbook, &command).map_err(|refusal| Failure::usage(refusal.to_string()))?;
    writer.append(Clock::default().now(), &context.actor(), events)?;
    print::line(&format!("{} is signed off", arguments.step))?;
    Ok(ExitCode::SUCCESS)
}
