//! `onramp verify NAME`: every verify again; what is no longer so is drift.

use std::process::ExitCode;

use serde::Serialize;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::plan;
use super::print::{self, Format};
use super::secret;
use super::session::{self, Session};
use crate::engagement::{Address, Finding, FindingKind, MissingSecret, Status, board};
use crate::engine::{AheadOf, Notice, Request};
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// One line of the report.
#[derive(Serialize)]
struct Line<'a> {
    step: &'a Address,
    #[serde(flatten)]
    finding: &'a Finding,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    session.greet();
    let ended = report(&session, arguments.format);
    session.close();
    ended.map(|()| ExitCode::SUCCESS)
}

/// Every step that is done, on standard output: a line each as it becomes known, or all of them as JSON.
///
/// # Errors
/// Something is no longer so, or could not be asked.
pub fn report(session: &Session, format: Format) -> Result<(), Failure> {
    let rows = board(session.handle.engagement(), session.handle.runbook()).rows;
    let done = rows.iter().filter(|row| row.touches_world && matches!(row.status, Status::Done { .. })).count();
    session.handle.send(Request::Verify);
    let mut found: Vec<(Address, Finding)> = Vec::new();
    while found.len() < done {
        match session.recv()? {
            Notice::Drift { step, finding } => {
                if format == Format::Text {
                    print::out(&line(&step, &finding))?;
                }
                found.push((step, finding));
            }
            Notice::NeedsSecrets { missing, ahead_of } => give_or_leave(session, missing, ahead_of),
            _ => {}
        }
    }
    if format == Format::Json {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        print::json(&found.iter().map(|(step, finding)| Line { step, finding }).collect::<Vec<_>>())?;
    }
    let number = |wanted: &[FindingKind]| found.iter().filter(|(_, finding)| wanted.contains(&finding.kind)).count();
    let drifted = number(&[FindingKind::Absent, FindingKind::Different]);
    let unknown = number(&[FindingKind::Unknown]);
    match (drifted, unknown) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::new(Kind::Waiting, format!("{} could not be asked", text::count(unknown, "step")))),
        _ => {
            let hint = match session.handle.engagement().identity.practice {
                true => {
                    "onramp practice --diagnose STEP says what is the matter, where nobody has changed it. What was changed by hand, put right \
                     and verify again; or make it anew: onramp practice, there u on the step, and then Enter on it"
                }
                false => {
                    "onramp diagnose NAME STEP says what is the matter, where nobody has changed it. What was changed by hand, put right \
                     and verify again; or make it anew: onramp undo NAME STEP, then onramp run NAME --only STEP"
                }
            };
            Err(Failure::new(Kind::StepFailed, format!("{} drifted", text::count(drifted, "step"))).hint(hint))
        }
    }
}

/// Where nobody is there to be asked, what needs them stays unknown.
fn give_or_leave(session: &Session, missing: Vec<MissingSecret>, ahead_of: AheadOf) {
    if secret::give(session, &missing, ahead_of).is_err() {
        let none = missing.into_iter().map(|one| (one.reference, None)).collect();
        session.handle.send(Request::Secrets(none));
        session.handle.send(Request::Verify);
    }
}

fn line(step: &Address, finding: &Finding) -> String {
    let mut out = format!("{:<8} {step}  {}\n", finding.kind.word(), finding.said);
    plan::differences(&mut out, &finding.differences);
    out
}
