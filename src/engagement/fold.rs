//! One event changes what is true. Total: every event is accepted, also one that comes at an odd moment.

use super::event::{Event, Outcome, Purpose, Recorded};
use super::state::{Engagement, Given, Identity, Made, Stage, State, StepRecord, TrustedKey};
use super::Address;

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
            engagement.runbook_files = std::sync::Arc::new(files.clone());
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
            record.attempts = record.attempts.max(intent.attempt);
            record.pending = Some(intent.clone());
            let stage = match intent.purpose {
                Purpose::Apply => Stage::Applying,
                Purpose::Undo => Stage::Undoing,
            };
            record.state = State::Running { attempt: intent.attempt, stage, since: at };
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
        Event::Stopped { why, .. } => record.interrupt(at, why),
        Event::Skipped { reason, .. } => {
            record.state = State::Skipped { reason: reason.clone(), by: by.clone(), at };
        }
        Event::Reopened { .. } => record.state = State::Idle,
        Event::Settled { choice, .. } => {
            record.pending = None;
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

fn conclude(record: &mut StepRecord, recorded: &Recorded, attempt: u32, purpose: Purpose, outcome: &Outcome) {
    let at = recorded.at;
    let verifying = State::Running { attempt, stage: Stage::Verifying, since: at };
    if let Outcome::InDoubt { why } = outcome {
        if let Some(intent) = &record.pending {
            record.state = State::InDoubt { intent: intent.clone(), since: at, why: why.clone() };
        }
        return;
    }
    let intent = record.pending.take();
    match outcome {
        Outcome::Changed { created, operations, output, .. } if purpose == Purpose::Apply => {
            // A repaired object that we made earlier stays ours.
            let ours = *created || record.made.as_ref().is_some_and(|made| made.created);
            record.made = Some(Made {
                at,
                seq: recorded.seq,
                digest: intent.map(|intent| intent.digest).unwrap_or_default(),
                created: ours,
                operations: operations.clone(),
                output: output.clone(),
            });
            record.state = verifying;
        }
        Outcome::AlreadySo { .. } if purpose == Purpose::Apply => record.state = verifying,
        // An undo ends with its own event, `Undone`.
        Outcome::Changed { .. } | Outcome::AlreadySo { .. } | Outcome::InDoubt { .. } => {}
        Outcome::Failed { failure } => record.state = State::Failed { attempt, failure: failure.clone(), at },
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
