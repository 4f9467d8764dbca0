//! One event changes what is true. Total: every event is accepted, also one that comes at an odd moment.

use super::event::{Event, Outcome, Purpose, Recorded};
use super::state::{Engagement, Given, Identity, Made, Stage, State, StepRecord, TrustedKey};
use super::{Address, At};

/// Applies one recorded event.
pub fn fold(engagement: &mut Engagement, recorded: &Recorded) {
    engagement.seq = recorded.seq;
    engagement.at = recorded.at;
    let (at, by) = (recorded.at, &recorded.actor);
    match &recorded.event {
        Event::Began { name, id, practice } => {
            engagement.identity = Identity { name: name.clone(), id: id.clone(), practice: *practice, began: at };
        }
        Event::RunbookTaken { id, digest, files } => {
            engagement.runbook.clone_from(id);
            engagement.runbook_digest.clone_from(digest);
            engagement.runbook_files.clone_from(files);
        }
        Event::InputGiven { id, value } => {
            engagement.inputs.insert(id.clone(), Given { value: value.clone(), by: by.clone(), at });
        }
        Event::InputForgotten { id } => {
            engagement.inputs.remove(id);
        }
        Event::PlanApproved { steps, .. } => approve(engagement, steps),
        Event::HostKeyTrusted { host, port, fingerprint, openssh } => {
            engagement.trusted.push(TrustedKey {
                host: host.clone(),
                port: *port,
                fingerprint: fingerprint.clone(),
                openssh: openssh.clone(),
            });
        }
        event => fold_step(engagement, recorded, event),
    }
}

fn approve(engagement: &mut Engagement, steps: &std::collections::BTreeMap<Address, String>) {
    engagement.approved.clone_from(steps);
    for record in engagement.steps.values_mut() {
        if matches!(record.state, State::Held { .. }) {
            record.state = State::Idle;
        }
    }
}

fn fold_step(engagement: &mut Engagement, recorded: &Recorded, event: &Event) {
    let (at, by) = (recorded.at, &recorded.actor);
    let Some(step) = step_of(event) else { return };
    let record = engagement.steps.entry(step.clone()).or_default();
    match event {
        Event::AttemptStarted { attempt, .. } => {
            record.attempts = *attempt;
            record.state = State::Running { attempt: *attempt, stage: Stage::Probing, since: at };
        }
        Event::Probed { finding, .. } => record.finding = Some(finding.clone()),
        Event::Held { attempt, .. } => record.state = State::Held { attempt: *attempt, since: at },
        Event::Intended { intent, .. } => {
            // Until the outcome is known this *is* in doubt; `Running` is what a live engine shows on top of it.
            record.attempts = record.attempts.max(intent.attempt);
            record.state =
                State::InDoubt { intent: intent.clone(), since: at, why: "the outcome was never recorded".to_owned() };
        }
        Event::Concluded { attempt, purpose, outcome, .. } => conclude(record, recorded, *attempt, *purpose, outcome),
        Event::Done { how, evidence, kept, .. } => {
            record.state = State::Done { how: *how, evidence: evidence.clone(), by: by.clone(), at };
            if kept.is_empty() {
                engagement.kept.remove(step);
            } else {
                engagement.kept.insert(step.clone(), kept.clone());
            }
        }
        Event::Failed { attempt, failure, .. } => {
            record.state = State::Failed { attempt: *attempt, failure: failure.clone(), at };
        }
        Event::Waiting { attempt, party, ask, said, .. } => {
            let since = match &record.state {
                State::Waiting { since, .. } => *since,
                _ => at,
            };
            record.state =
                State::Waiting { attempt: *attempt, party: *party, ask: ask.clone(), said: said.clone(), since };
        }
        Event::Asked { attempt, question, .. } => {
            record.state = State::Asked { attempt: *attempt, question: question.clone(), since: at };
        }
        Event::Stopped { .. } => stopped(record, at),
        Event::Skipped { reason, .. } => {
            record.state = State::Skipped { reason: reason.clone(), by: by.clone(), at };
        }
        Event::Reopened { .. } => record.state = State::Idle,
        Event::Settled { choice, .. } => {
            if choice == "retry" {
                record.state = State::Idle;
            }
        }
        Event::Undone { .. } => {
            record.state = State::Undone { by: by.clone(), at };
            record.made = None;
            record.generation += 1;
            engagement.kept.remove(step);
        }
        _ => {}
    }
}

/// A stopped attempt never hides a doubt: only one that had not intended anything becomes idle again.
fn stopped(record: &mut StepRecord, at: At) {
    match &record.state {
        State::Running { attempt, stage: Stage::Verifying, .. } => {
            record.state = State::Applied { attempt: *attempt, since: at };
        }
        State::Running { .. } => record.state = State::Idle,
        _ => {}
    }
}

fn conclude(record: &mut StepRecord, recorded: &Recorded, attempt: u32, purpose: Purpose, outcome: &Outcome) {
    let at = recorded.at;
    let intended = match &record.state {
        State::InDoubt { intent, .. } => Some(intent.clone()),
        _ => None,
    };
    match outcome {
        Outcome::Changed { created, operations, output, .. } if purpose == Purpose::Apply => {
            // A repaired object that we made earlier stays ours.
            let ours = *created || record.made.as_ref().is_some_and(|made| made.created);
            record.made = Some(Made {
                at,
                seq: recorded.seq,
                digest: intended.map(|intent| intent.digest).unwrap_or_default(),
                created: ours,
                operations: operations.clone(),
                output: output.clone(),
            });
            record.state = State::Applied { attempt, since: at };
        }
        Outcome::Changed { .. } => {}
        Outcome::AlreadySo { .. } => record.state = State::Applied { attempt, since: at },
        Outcome::Failed { failure } => record.state = State::Failed { attempt, failure: failure.clone(), at },
        Outcome::InDoubt { why } => {
            if let Some(intent) = intended {
                record.state = State::InDoubt { intent, since: at, why: why.clone() };
            }
        }
    }
}

fn step_of(event: &Event) -> Option<&Address> {
    match event {
        Event::AttemptStarted { step, .. }
        | Event::Probed { step, .. }
        | Event::Held { step, .. }
        | Event::Intended { step, .. }
        | Event::Concluded { step, .. }
        | Event::Done { step, .. }
        | Event::Failed { step, .. }
        | Event::Waiting { step, .. }
        | Event::Asked { step, .. }
        | Event::Stopped { step, .. }
        | Event::Skipped { step, .. }
        | Event::Reopened { step }
        | Event::Settled { step, .. }
        | Event::Undone { step, .. } => Some(step),
        Event::Began { .. }
        | Event::RunbookTaken { .. }
        | Event::InputGiven { .. }
        | Event::InputForgotten { .. }
        | Event::PlanApproved { .. }
        | Event::HostKeyTrusted { .. } => None,
    }
}
