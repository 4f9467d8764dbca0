//! `onramp undo NAME`: the undo ledger, newest first, reviewed before it runs.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::print;
use super::session::{self, Follower, Session};
use crate::engagement::{Address, Event};
use crate::engine::{Notice, Request};
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    name: String,
    /// Steps to undo; without any and without --all the ledger is listed
    steps: Vec<Address>,
    /// Everything that this engagement changed
    #[arg(long, conflicts_with = "steps")]
    all: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (engagement, _, _) = session::look(context, &arguments.name)?;
    let ledger = engagement.ledger();
    for (step, made) in &ledger {
        if arguments.steps.is_empty() || arguments.steps.contains(step) {
            let kept = if made.created { "" } else { " (was there before; it stays)" };
            print::line(&format!("{}  {step}  {}{kept}", made.at, made.operations.join(", ")))?;
        }
    }
    if ledger.is_empty() {
        print::line("Nothing was changed that could be undone.")?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.steps.is_empty() && !arguments.all {
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.yes && !confirmed(&arguments.name)? {
        return Err(Failure::new(Kind::Waiting, "nothing was undone").hint("--yes does not ask"));
    }
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    session.greet();
    session.handle.send(Request::Undo(arguments.steps.clone()));
    let mut follower = Follower::new(&session.handle);
    let ended = loop {
        match session.feed.recv() {
            Ok(Notice::Recorded(recorded)) => {
                if let Event::Undone { step, evidence, .. } = &recorded.event {
                    print::say(&format!("undone {step}: {}", evidence.said));
                }
                if let Event::Failed { step, failure, .. } = &recorded.event {
                    print::say(&format!("failed {step}: {} {}", failure.what, failure.advice));
                }
                follower.fold(&recorded);
            }
            Ok(Notice::Refused(refusal)) => break Err(Failure::usage(refusal.to_string())),
            Ok(Notice::Broken(why)) => break Err(Failure::new(Kind::StateFile, why)),
            Ok(Notice::Idle(_)) => break Ok(()),
            Ok(_) => {}
            Err(_) => break Err(Failure::usage("the engine ended unexpectedly")),
        }
    };
    session.close();
    ended?;
    let left = follower.engagement.ledger();
    let left = left.iter().filter(|(step, _)| arguments.all || arguments.steps.contains(step)).count();
    match left {
        0 => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::new(Kind::StepFailed, format!("{} could not be undone", text::count(left, "step")))),
    }
}

fn confirmed(name: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print::say(&format!("Type the engagement's name ({name}) to undo this, anything else to leave:"));
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(typed.trim() == name)
}
