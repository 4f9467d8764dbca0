//! A command becomes events, or is refused with the reason.

use std::fmt;

use super::command::{Command, Settlement};
use super::event::{At, DoneHow, Event, Evidence, Question, Recorded};
use super::scope::made_differently;
use super::state::{Engagement, State};
use super::{Address, fold};
use crate::input::{self, InputId, Value};
use crate::runbook::Runbook;
use crate::text;

/// Why a command was not carried out, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub why: String,
    pub advice: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.advice.is_empty() { write!(f, "{}", self.why) } else { write!(f, "{}. {}", self.why, self.advice) }
    }
}

impl std::error::Error for Refusal {}

fn refuse<T>(why: impl Into<String>, advice: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { why: why.into(), advice: advice.into() })
}

/// What the command makes true, or why not. Nothing is stored when it is refused.
///
/// # Errors
/// The command does not fit what is true now.
pub fn decide(engagement: &Engagement, runbook: &Runbook, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::GiveInputs(given) => give(engagement, runbook, given),
        Command::ForgetInput(id) => forget(engagement, runbook, id),
        Command::Approve { digest, steps } => {
            Ok(vec![Event::PlanApproved { digest: digest.clone(), steps: steps.clone() }])
        }
        Command::SignOff { step, note } => sign_off(engagement, runbook, step, note),
        Command::Skip { step, reason } => skip(engagement, runbook, step, reason),
        Command::Reopen(step) => reopen(engagement, step),
        Command::TrustHostKey(step) => trust(engagement, step),
        Command::Settle { step, how, reason } => settle(engagement, step, *how, reason),
    }
}

fn give(engagement: &Engagement, runbook: &Runbook, given: &[(InputId, Value)]) -> Result<Vec<Event>, Refusal> {
    let mut after = engagement.clone();
    let mut events = Vec::new();
    for (id, value) in given {
        if !runbook.fields.contains_key(id) {
            let known = runbook.fields.keys().map(InputId::as_str);
            let hint = text::nearest(id.as_str(), known).map(|near| format!("Did you mean {near}?")).unwrap_or_default();
            return refuse(format!("this runbook has no input \"{id}\""), hint);
        }
        if engagement.inputs.get(id).is_some_and(|known| &known.value == value) {
            continue;
        }
        let event = Event::InputGiven { id: id.clone(), value: value.clone() };
        let recorded =
            Recorded { seq: after.seq, at: At::default(), actor: String::new(), event: event.clone() };
        fold(&mut after, &recorded);
        events.push(event);
    }
    agree(&after, given)?;
    unchanged_behind(engagement, &after, runbook)?;
    Ok(events)
}

/// Cross-field rules: only those that the new values take part in can refuse them.
fn agree(after: &Engagement, given: &[(InputId, Value)]) -> Result<(), Refusal> {
    let values = after.inputs.iter().map(|(id, given)| (id.clone(), given.value.clone())).collect();
    let broken = input::agree(&values)
        .into_iter()
        .find(|broken| !broken.warning && broken.ids.iter().any(|id| given.iter().any(|(new, _)| new == id)));
    match broken {
        None => Ok(()),
        Some(broken) => {
            let ids: Vec<_> = broken.ids.iter().map(InputId::to_string).collect();
            refuse(format!("{} ({})", broken.refusal, ids.join(", ")), "")
        }
    }
}

fn unchanged_behind(before: &Engagement, after: &Engagement, runbook: &Runbook) -> Result<(), Refusal> {
    let touched = made_differently(before, after, runbook);
    if touched.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = touched.iter().take(3).map(Address::to_string).collect();
    let more = if touched.len() > 3 { format!(" and {} more", touched.len() - 3) } else { String::new() };
    refuse(
        format!("{}{more} already ran with the value that stands now", names.join(", ")),
        "Undo those steps first, then give the new value",
    )
}

fn forget(engagement: &Engagement, runbook: &Runbook, id: &InputId) -> Result<Vec<Event>, Refusal> {
    if !engagement.inputs.contains_key(id) {
        return refuse(format!("{id} was not given"), "");
    }
    let mut after = engagement.clone();
    after.inputs.remove(id);
    unchanged_behind(engagement, &after, runbook)?;
    Ok(vec![Event::InputForgotten { id: id.clone() }])
}

fn attempt_of(engagement: &Engagement, step: &Address) -> u32 {
    engagement.record(step).map_or(0, |record| record.attempts)
}

fn known<'a>(runbook: &'a Runbook, step: &Address) -> Result<&'a crate::runbook::Step, Refusal> {
    match runbook.step(&step.step) {
        Some(found) => Ok(found),
        None => {
            let known: Vec<String> = runbook.steps().map(|step| step.id.to_string()).collect();
            let hint = text::nearest(&step.step.0, known.iter().map(String::as_str))
                .map(|near| format!("Did you mean {near}?"))
                .unwrap_or_default();
            refuse(format!("this runbook has no step \"{}\"", step.step), hint)
        }
    }
}

fn sign_off(engagement: &Engagement, runbook: &Runbook, step: &Address, note: &str) -> Result<Vec<Event>, Refusal> {
    let found = known(runbook, step)?;
    if !matches!(found.work, crate::runbook::Work::Manual(_)) {
        return refuse(format!("{step} is not for a person to sign off"), "onramp checks it itself; run it, or skip it with a reason");
    }
    if matches!(engagement.state(step), State::Done { .. }) {
        return refuse(format!("{step} is signed off already"), "");
    }
    Ok(vec![Event::Done {
        step: step.clone(),
        attempt: attempt_of(engagement, step),
        how: DoneHow::SignedOff,
        evidence: Evidence::said(if note.trim().is_empty() { "signed off" } else { note.trim() }),
        kept: Vec::new(),
    }])
}

fn skip(engagement: &Engagement, runbook: &Runbook, step: &Address, reason: &str) -> Result<Vec<Event>, Refusal> {
    known(runbook, step)?;
    if reason.trim().is_empty() {
        return refuse("a skipped step needs a reason", "The reason stands in the handover report");
    }
    match engagement.state(step) {
        State::Done { .. } | State::Applied { .. } => refuse(format!("{step} is done"), "Undo it instead"),
        State::InDoubt { .. } => refuse(format!("{step} is in doubt"), "Say first what became of it"),
        State::Running { .. } => refuse(format!("{step} is running"), "Stop it first"),
        _ => Ok(vec![Event::Skipped { step: step.clone(), reason: reason.trim().to_owned() }]),
    }
}

fn reopen(engagement: &Engagement, step: &Address) -> Result<Vec<Event>, Refusal> {
    match engagement.state(step) {
        State::Failed { .. }
        | State::Skipped { .. }
        | State::Undone { .. }
        | State::Waiting { .. }
        | State::Held { .. }
        | State::Asked { .. } => Ok(vec![Event::Reopened { step: step.clone() }]),
        State::Idle => Ok(Vec::new()),
        State::Done { .. } | State::Applied { .. } => refuse(format!("{step} is done"), "Undo it to do it again"),
        State::InDoubt { .. } => refuse(format!("{step} is in doubt"), "Say first what became of it"),
        State::Running { .. } => refuse(format!("{step} is running"), ""),
    }
}

fn trust(engagement: &Engagement, step: &Address) -> Result<Vec<Event>, Refusal> {
    match engagement.state(step) {
        State::Asked { question: Question::HostKey { host, port, fingerprint, openssh, .. }, .. } => Ok(vec![
            Event::HostKeyTrusted {
                host: host.clone(),
                port: *port,
                fingerprint: fingerprint.clone(),
                openssh: openssh.clone(),
            },
            Event::Reopened { step: step.clone() },
        ]),
        _ => refuse(format!("{step} does not ask about a host key"), ""),
    }
}

fn settle(engagement: &Engagement, step: &Address, how: Settlement, reason: &str) -> Result<Vec<Event>, Refusal> {
    let State::InDoubt { intent, .. } = engagement.state(step) else {
        return refuse(format!("{step} is not in doubt"), "");
    };
    let settled = |choice: &str| Event::Settled {
        step: step.clone(),
        choice: choice.to_owned(),
        reason: reason.trim().to_owned(),
    };
    match how {
        Settlement::Retry => Ok(vec![settled("retry")]),
        Settlement::Done if reason.trim().is_empty() => {
            refuse("marking a step done by hand needs a reason", "Say what you saw")
        }
        Settlement::Done => Ok(vec![
            settled("done"),
            Event::Done {
                step: step.clone(),
                attempt: intent.attempt,
                how: DoneHow::SignedOff,
                evidence: Evidence::said(reason.trim()),
                kept: Vec::new(),
            },
        ]),
    }
}
