//! `onramp verify NAME`: every verify again; what is no longer so is drift.

use std::process::ExitCode;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::print;
use super::session::{self, Session};
use crate::engagement::{Status, board};
use crate::engine::{Notice, Request};
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    session.greet();
    let ended = report(&session);
    session.close();
    ended.map(|()| ExitCode::SUCCESS)
}

/// A line for every step that is done, on standard output.
///
/// # Errors
/// Something is no longer so, or could not be asked.
pub fn report(session: &Session) -> Result<(), Failure> {
    let rows = board(session.handle.engagement(), session.handle.runbook()).rows;
    let mut left = rows.iter().filter(|row| row.touches_world && matches!(row.status, Status::Done { .. })).count();
    session.handle.send(Request::Verify);
    let (mut drifted, mut unknown) = (0, 0);
    while left > 0 {
        match session.recv() {
            Ok(Notice::Drift { step, so, said }) => {
                left -= 1;
                let word = match so {
                    Some(true) => "so",
                    Some(false) => "drifted",
                    None => "unknown",
                };
                drifted += usize::from(so == Some(false));
                unknown += usize::from(so.is_none());
                print::line(&format!("{word:<8} {step}  {said}"))?;
            }
            Ok(_) => {}
            Err(gone) => return Err(gone),
        }
    }
    match (drifted, unknown) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::new(Kind::Waiting, format!("{} could not be asked", text::count(unknown, "step")))),
        _ => {
            let hint = "put right what was changed by hand, and verify again; or make it anew: onramp undo NAME STEP, then onramp \
                        run NAME --only STEP";
            Err(Failure::new(Kind::StepFailed, format!("{} drifted", text::count(drifted, "step"))).hint(hint))
        }
    }
}
