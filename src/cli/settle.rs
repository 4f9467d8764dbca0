//! `onramp settle NAME ADDRESS`: a person says what became of a change that was cut off.

use std::process::ExitCode;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::print::{self, Format};
use super::reach::Reach;
use super::session::{self, Follower, Session};
use super::{Everywhere, secret, undo};
use crate::engagement::doubt::{choices, told};
use crate::engagement::{
    Address, Board, Command, Engagement, Event, Purpose, Row, RunScope, Settlement, Status, may_adopt,
};
use crate::engine::{Notice, Request};
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// As in access/vpc
    step: Address,
    /// Without one, it is only said what is known and what can be decided
    #[arg(value_enum)]
    decision: Option<Decision>,
    /// For adopt: the object that it is; without it, the one that carries this engagement's tags
    id: Option<String>,
    /// Stands in the handover report
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// For undo: do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Decision {
    /// It is there: take it
    Adopt,
    /// Nothing was made: try again
    Retry,
    /// Take back what may have been made
    Undo,
    /// It is done; needs a reason
    Done,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Some(decision) = arguments.decision else { return show(context, arguments) };
    if arguments.id.is_some() && decision != Decision::Adopt {
        return Err(Failure::usage("only adopt takes the id of an object"));
    }
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    session.greet();
    let ended = carry_out(&session, decision, arguments);
    session.close();
    ended.map(|()| ExitCode::SUCCESS)
}

/// Names every change that may or may not have been made, with what it was and what to do; none when all is certain.
pub fn doubts(engagement: &Engagement, board: &Board, reach: &Reach) -> Option<String> {
    let lines: Vec<String> = board
        .doubts()
        .map(|row| {
            let intent = engagement.record(&row.address).and_then(|record| record.pending.as_ref());
            let calls = intent.map(|intent| text::list(&intent.operations)).unwrap_or_default();
            format!("  {}  {}: {calls}", row.address, row.title)
        })
        .collect();
    let undoing = |row: &Row| {
        let pending = engagement.record(&row.address).and_then(|record| record.pending.as_ref());
        pending.is_some_and(|intent| intent.purpose == Purpose::Undo)
    };
    let what_to_do = reach.put(match engagement.identity.practice {
        // Going on with the undo settles them; what it goes on with is said beside.
        _ if board.doubts().all(undoing) => "to go on with the undo looks what became of it",
        true => "onramp open NAME looks what became of it (R), or lets you decide (Enter)",
        false => {
            "onramp run NAME looks what became of it; onramp settle NAME ADDRESS says what is known, and lets you decide"
        }
    });
    (!lines.is_empty()).then(|| {
        format!(
            "{} in doubt: sent or not, and no answer was recorded.\n{}\n  {what_to_do}",
            text::count(lines.len(), "change"),
            lines.join("\n")
        )
    })
}

/// What is known of the doubt, and what can be said about it.
fn show(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, &arguments.name)?;
    let step = &arguments.step;
    let Some(record) = engagement.record(step).filter(|record| !told(record).is_empty()) else {
        if may_adopt(&engagement, &runbook, step, "to be said").is_ok() {
            let reach = context.reach(&arguments.name, engagement.identity.practice);
            let said = format!(
                "{step} is not in doubt. What is there already can stand for it:\nonramp settle NAME {step} adopt ID --reason WHY"
            );
            print::line(&reach.put(&said))?;
            return Ok(ExitCode::SUCCESS);
        }
        return Err(Failure::usage(format!("{step} is not in doubt")).hint("onramp status NAME names what is"));
    };
    for (label, said) in told(record) {
        print::line(&format!("{label:<10} {said}"))?;
    }
    print::line("")?;
    for choice in choices(&runbook, step, record).iter().filter(|choice| choice.name != "look") {
        print::line(&format!("{:<10} {}", choice.name, choice.means()))?;
    }
    let reach = context.reach(&arguments.name, engagement.identity.practice);
    print::line(&reach.put(&format!("\nonramp run NAME --only {step} looks and decides nothing.")))?;
    Ok(ExitCode::SUCCESS)
}

fn carry_out(session: &Session, decision: Decision, arguments: &Arguments) -> Result<(), Failure> {
    let mut follower = Follower::new(session);
    let (step, reason) = (arguments.step.clone(), arguments.reason.clone());
    match decision {
        Decision::Undo => {
            let (name, steps) = (arguments.name.clone(), vec![step.into()]);
            let arguments = undo::Arguments {
                name,
                steps,
                all: false,
                with_users: false,
                yes: arguments.yes,
                format: Format::Text,
            };
            return undo::review(session, &arguments);
        }
        Decision::Adopt => {
            session.handle.send(Request::Adopt { step: step.clone(), id: arguments.id.clone(), reason });
            until(session, &mut follower, |notice| matches!(notice, Notice::Recorded(one) if ends(&one.event, &step)))?;
        }
        Decision::Retry => {
            session.handle.command(Command::Settle { step: step.clone(), how: Settlement::Retry, reason });
            session.handle.send(Request::Run(RunScope::Only(step.clone())));
            until(session, &mut follower, |notice| matches!(notice, Notice::Idle(_)))?;
        }
        Decision::Done => {
            session.handle.command(Command::Settle { step: step.clone(), how: Settlement::Done, reason });
            let settled = |event: &Event| match event {
                Event::Done { step: done, .. } | Event::Undone { step: done, .. } => done == &step,
                _ => false,
            };
            until(session, &mut follower, |notice| matches!(notice, Notice::Recorded(one) if settled(&one.event)))?;
        }
    }
    let board = follower.board();
    match board.row(&step).map(|row| &row.status) {
        Some(status @ (Status::Done { .. } | Status::Undone | Status::Stays { .. })) => {
            print::line(&format!("{step} is settled: {}, and it is {} now", settled_by(decision), status.word()))
        }
        Some(Status::Failed(failure)) => {
            Err(Failure::new(Kind::StepFailed, format!("{step}: {}", failure.what)).hint(failure.advice.clone()))
        }
        Some(status) => Err(Failure::new(Kind::Waiting, format!("{step} is not done: {}", status.word()))),
        None => Ok(()),
    }
}

fn settled_by(decision: Decision) -> &'static str {
    match decision {
        Decision::Adopt => "what is there was taken for it",
        Decision::Retry => "it was tried again",
        Decision::Undo => "it was taken back",
        Decision::Done => "a person saw it",
    }
}

/// Does an attempt at this step end with this event?
fn ends(event: &Event, step: &Address) -> bool {
    match event {
        Event::Done { step: ended, .. }
        | Event::Failed { step: ended, .. }
        | Event::Waiting { step: ended, .. }
        | Event::Asked { step: ended, .. }
        | Event::Held { step: ended, .. }
        | Event::Stopped { step: ended, .. } => ended == step,
        _ => false,
    }
}

fn until(session: &Session, follower: &mut Follower, ended: impl Fn(&Notice) -> bool) -> Result<(), Failure> {
    loop {
        let notice = session.recv()?;
        match &notice {
            Notice::Recorded(recorded) => {
                follower.fold(recorded);
                if let Some(said) = follower.line(recorded) {
                    print::say(&said);
                }
            }
            Notice::Refused(refusal) => return Err(Failure::usage(refusal.to_string())),
            Notice::Broken(broken) => return Err(follower.cut_off(broken.clone())),
            Notice::NeedsSecrets { missing, ahead_of } => secret::give(session, missing, ahead_of.clone())?,
            Notice::Progress { step, now } => follower.progress(step, now.as_ref()),
            _ => {}
        }
        if ended(&notice) {
            return Ok(());
        }
    }
}
