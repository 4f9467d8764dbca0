//! `onramp wait NAME`: who must move, since when and until when; and what a person says about it.

use std::process::ExitCode;

use super::Everywhere;
use super::context::{Context, runbook_of};
use super::failure::{Failure, Kind};
use super::home::utc_offset;
use super::session::{self, Follower, Session};
use super::{print, secret, status};
use crate::engagement::{Address, At, Command, RunScope, WaitOrder, decide, due, waiting};
use crate::engine::{Clock, Notice, Request};
use crate::journal::Writer;
use crate::runbook::Party;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// The step that waits, or that is to wait; without one, all waits are listed
    step: Option<Address>,
    /// Who must move: customer, aws, colocation, third-party or us
    #[arg(long, value_name = "PARTY", requires = "step")]
    on: Option<Party>,
    /// The person, the team or the case
    #[arg(long, value_name = "NAME", requires = "step")]
    who: Option<String>,
    /// 2026-12-05, or 10 days; none takes it away
    #[arg(long, value_name = "DATE", requires = "step")]
    due: Option<String>,
    /// Why, or what was asked
    #[arg(long, value_name = "TEXT", requires = "step")]
    note: Option<String>,
    /// The wait is over
    #[arg(long, requires = "step", conflicts_with_all = ["on", "who", "due"])]
    end: bool,
    /// Look now at everything that waits
    #[arg(long, conflicts_with = "step")]
    look: bool,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.step {
        Some(step) => set(context, arguments, step),
        None if arguments.look => look(context, everywhere, &arguments.name),
        None => list(context, &arguments.name),
    }
}

fn set(context: &Context, arguments: &Arguments, step: &Address) -> Result<ExitCode, Failure> {
    let mut writer = Writer::open(&context.folder(&arguments.name)?, &context.holder())?;
    let runbook = runbook_of(writer.engagement())?;
    let now = Clock::default().now();
    let order = WaitOrder {
        on: arguments.on,
        who: arguments.who.clone(),
        due: arguments.due.as_deref().map(|text| when(text, now)).transpose()?,
        note: arguments.note.clone(),
    };
    let command = if arguments.end {
        Command::EndWait { step: step.clone(), note: arguments.note.clone().unwrap_or_default() }
    } else if order == WaitOrder::default() {
        return Err(Failure::usage(format!("say something about {step}"))
            .hint("--on PARTY, --who NAME, --due DATE, --note TEXT, or --end"));
    } else {
        Command::Wait { step: step.clone(), order }
    };
    let events =
        decide(writer.engagement(), &runbook, &command).map_err(|refusal| Failure::usage(refusal.to_string()))?;
    writer.append(now, &context.actor(), events)?;
    match writer.engagement().state(step) {
        crate::engagement::State::Waiting { wait, .. } => {
            let due = wait.due.map(|due| format!(" until {}", due.date())).unwrap_or_default();
            print::line(&format!("{step} waits on {}{due}", wait.whom()))?;
        }
        _ => print::line(&format!("{step} does not wait any more"))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn when(text: &str, now: At) -> Result<Option<At>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    due(text, now, utc_offset()).map(Some).map_err(Failure::usage)
}

fn list(context: &Context, name: &str) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    let board = crate::engagement::board(&engagement, &runbook);
    let waits = status::waits(&board, Clock::default().now());
    print::out(if waits.is_empty() { "Nothing waits on anybody.\n" } else { &waits })?;
    Ok(ExitCode::SUCCESS)
}

/// One look at everything that waits, whenever it would be looked at next.
fn look(context: &Context, everywhere: &Everywhere, name: &str) -> Result<ExitCode, Failure> {
    let session = Session::open(context, everywhere, name, session::runtime()?)?;
    session.handle.send(Request::Run(RunScope::Waits));
    let mut follower = Follower::new(&session);
    let ended = loop {
        match session.recv() {
            Ok(Notice::Recorded(recorded)) => follower.fold(&recorded),
            Ok(Notice::Refused(refusal)) => break Err(Failure::usage(refusal.to_string())),
            Ok(Notice::Broken(broken)) => break Err(follower.cut_off(broken)),
            Ok(Notice::NeedsSecrets { missing, ahead_of }) => {
                if let Err(nobody) = secret::give(&session, &missing, ahead_of) {
                    break Err(nobody);
                }
            }
            Ok(Notice::Idle(_)) => break Ok(()),
            Ok(_) => {}
            Err(gone) => break Err(gone),
        }
    };
    session.close();
    ended?;
    let board = follower.board();
    print::out(&status::waits(&board, Clock::default().now()))?;
    match waiting(&board).len() {
        0 => print::line("Nothing waits on anybody.").map(|()| ExitCode::SUCCESS),
        left => Err(Failure::new(Kind::Waiting, format!("{} still waits", text::count(left, "step")))),
    }
}
