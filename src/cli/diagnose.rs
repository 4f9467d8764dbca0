//! `onramp diagnose [ENGAGEMENT] STEP`: what is the matter with a step, by looks that change nothing.

use std::fmt::Write;
use std::process::ExitCode;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::print::{self, Format};
use super::session::{self, Session};
use crate::engagement::{Address, Diagnosed};
use crate::engine::{Notice, Request};
use crate::text;

/// Exit 0: it is known which branch this is. 1: no branch fits what was seen.
#[derive(Debug, clap::Args)]
#[command(allow_missing_positional = true)]
pub struct Arguments {
    /// The only engagement that there is, when none is named
    #[arg(value_name = "ENGAGEMENT")]
    pub name: Option<String>,
    /// The step that failed or waits, as status lists it: connection/tunnels-up, or access/jump[app-1]
    step: Address,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => the_only_one(context)?,
    };
    let session = Session::open(context, everywhere, &name, session::runtime()?)?;
    session.greet();
    let ended = report(&session, &arguments.step, arguments.format);
    session.close();
    ended.map(|()| ExitCode::SUCCESS)
}

fn the_only_one(context: &Context) -> Result<String, Failure> {
    let names = context.names();
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::usage("there is no engagement yet").hint("begin one with: onramp new NAME")),
        several => Err(Failure::usage("it is not said which engagement is meant")
            .hint(format!("name it before the step: {}", text::either(several)))),
    }
}

/// What was asked and what it brought, on standard output.
///
/// # Errors
/// The step has no diagnosis, or no branch of it fits what was seen.
pub fn report(session: &Session, step: &Address, format: Format) -> Result<(), Failure> {
    session.handle.send(Request::Diagnose(step.clone()));
    let diagnosed = loop {
        match session.recv()? {
            Notice::Diagnosed(diagnosed) => break diagnosed,
            Notice::Undiagnosed(_, refusal) | Notice::Refused(refusal) => {
                return Err(Failure::usage(refusal.why).hint(refusal.advice));
            }
            _ => {}
        }
    };
    match format {
        Format::Text => print::out(&self::text(&diagnosed))?,
        Format::Json => print::json(diagnosed.as_ref())?,
    }
    match diagnosed.branch {
        Some(_) => Ok(()),
        None => Err(Failure::new(Kind::StepFailed, "no branch of the diagnosis fits what was seen")
            .hint("nothing is guessed: what was asked and what it brought stands above")),
    }
}

fn text(diagnosed: &Diagnosed) -> String {
    // Writing to a string does not fail.
    let mut out = String::new();
    let _ = writeln!(out, "{}  {}\n", diagnosed.step, diagnosed.title);
    for asked in &diagnosed.asked {
        let _ = writeln!(out, "? {}", asked.ask);
        let _ = writeln!(out, "    {}", indented(&asked.answered.told()));
    }
    if let Some(placed) = &diagnosed.branch {
        let _ = writeln!(out, "\n{}  [{}]", indented(&placed.what), placed.branch);
        let who = placed.who.to_string();
        for (label, said) in [("seen", &placed.seen), ("do", &placed.todo), ("who", &who)] {
            let _ = writeln!(out, "  {label:<5} {}", indented(said));
        }
    }
    out
}

/// What has several lines keeps its place.
fn indented(said: &str) -> String {
    said.trim_end().replace('\n', "\n        ")
}
