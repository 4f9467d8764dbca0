//! One event changes what is true. Total: every event is accepted, also one that comes at an odd moment.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Address;
use super::event::{At, Event, Intent, Outcome, Purpose, Question, Recorded};
use super::recover::deadline;
use super::state::{Engagement, Given, Identity, LeftOut, Made, Stage, State, StepRecord, TrustedKey, UndoBegun};
use super::wait::{Wait, Waited};
use crate::runbook::StepId;

/// Applies one recorded event.
pub fn fold(engagement: &mut Engagement, recorded: &Recorded) {
    engagement.seq = recorded.seq;
    engagement.at = recorded.at;
    let (at, by) = (recorded.at, &recorded.actor);
    match &recorded.event {
        Event::Began { name, id, practice } => {
            engagement.identity = Identity { name: name.clone(), id: id.clone(), practice: *practice, began: at };
        }
        Event::RunbookTaken { id, digest, files, moved, outdated, unfit } => {
            engagement.runbook.clone_from(id);
            engagement.runbook_digest.clone_from(digest);
            engagement.runbook_files = std::sync::Arc::new(files.clone());
            engagement.editions.insert(digest.clone(), engagement.runbook_files.clone());
            rename(engagement, moved);
            for (step, record) in &mut engagement.steps {
                record.done_as = outdated.get(step).cloned();
            }
            engagement.unfit.clone_from(unfit);
        }
        Event::InputGiven { id, value } => {
            engagement.unfit.remove(id);
            engagement.inputs.insert(id.clone(), Given { value: value.clone(), by: by.clone(), at });
        }
        Event::InputForgotten { id } => {
            engagement.inputs.remove(id);
            engagement.unfit.remove(id);
        }
        Event::PlanApproved { steps, .. } => {
            engagement.undo = None;
            approve(engagement, steps);
        }
        Event::UndoBegan { steps, all } => {
            engagement.undo = Some(UndoBegun { steps: steps.clone(), all: *all, at });
        }
        Event::HostKeyTrusted { host, port, fingerprint, openssh } => {
            let (host, fingerprint, openssh) = (host.clone(), fingerprint.clone(), openssh.clone());
            let key = TrustedKey { host, port: *port, fingerprint, openssh };
            if !engagement.trusted.contains(&key) {
                engagement.trusted.push(key);
            }
        }
        Event::HostLeftOut { host, reason } => {
            let left_out = LeftOut { reason: reason.clone(), by: by.clone(), at };
            engagement.left_out.insert(host.clone(), left_out);
        }
        Event::HostLetIn { host } => {
            engagement.left_out.remove(host);
        }
        event => fold_step(engagement, recorded, event),
    }
}

/// As much of what is true as it takes to fold these events and see what becomes of the steps: the steps they speak of,
/// or all steps, where an event speaks of no single one.
pub fn draft(engagement: &Engagement, events: &[Event]) -> Engagement {
    let (seq, at, runbook_digest) = (engagement.seq, engagement.at, engagement.runbook_digest.clone());
    let mut draft = Engagement { seq, at, runbook_digest, ..Engagement::default() };
    for event in events {
        let Some(step) = step_of(event) else {
            draft.steps.clone_from(&engagement.steps);
            break;
        };
        if let Some(record) = engagement.steps.get(step) {
            draft.steps.insert(step.clone(), record.clone());
        }
    }
    draft
}

/// What is known of these steps goes to their new names. Where it was, a step that nothing is known of is left.
fn rename(engagement: &mut Engagement, moved: &BTreeMap<StepId, StepId>) {
    let new_name = |step: &Address| Some(Address::new(moved.get(&step.step)?.clone(), step.key.clone()));
    let renamed = engagement.steps.iter_mut().filter_map(|(step, record)| {
        let (name, mut record) = (new_name(step)?, std::mem::take(record));
        record.formerly.push(step.clone());
        Some((name, record))
    });
    let renamed: Vec<(Address, StepRecord)> = renamed.collect();
    engagement.steps.extend(renamed);
    let firsts: Vec<(StepId, StepId)> =
        moved.iter().map(|(from, to)| (to.clone(), engagement.first_ids.get(from).unwrap_or(from).clone())).collect();
    engagement.first_ids.retain(|id, _| !moved.contains_key(id));
    engagement.first_ids.extend(firsts);
    let name = |step: Address| new_name(&step).unwrap_or(step);
    if let Some(undo) = &mut engagement.undo {
        undo.steps = std::mem::take(&mut undo.steps).into_iter().map(name).collect();
    }
    let (kept, approved) = (std::mem::take(&mut engagement.kept), std::mem::take(&mut engagement.approved));
    engagement.kept = kept.into_iter().map(|(step, kept)| (name(step), kept)).collect();
    engagement.approved = approved.into_iter().map(|(step, digest)| (name(step), digest)).collect();
}

fn approve(engagement: &mut Engagement, steps: &BTreeMap<Address, String>) {
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
    if matches!(event, Event::Reopened { .. }) {
        // Whoever tries one of its steps again goes forward.
        engagement.undo = engagement.undo.take().filter(|undo| !undo.steps.contains(step));
    }
    let record = engagement.steps.entry(step.clone()).or_default();
    record.attempts = record.attempts.max(attempt_of(event));
    record.refused = refused(record, event) || (record.refused && attempt_of(event) == 0);
    let before = match &record.state {
        State::Waiting { wait, .. } => Some(wait.clone()),
        _ => None,
    };
    match event {
        Event::AttemptStarted { attempt, .. } => {
            let stage = match &record.state {
                State::Applied { .. } => Stage::Verifying,
                _ if record.pending.is_some() => Stage::Resuming,
                _ => Stage::Probing,
            };
            record.state = State::Running { attempt: *attempt, stage, since: at };
        }
        Event::Probed { finding, .. } => {
            record.finding = Some(finding.clone());
            record.found_before = false;
        }
        Event::Held { attempt, .. } => {
            record.rest(at, "no approval covers it", State::Held { attempt: *attempt, since: at });
        }
        Event::Intended { intent, .. } => {
            record.found_before = record.finding.is_some();
            record.pending = Some(intent.clone());
            record.sent_until = intent.deadline.unwrap_or_else(|| deadline(at));
            let stage = match intent.purpose {
                Purpose::Apply => Stage::Applying,
                Purpose::Undo => Stage::Undoing,
            };
            record.state = State::Running { attempt: intent.attempt, stage, since: at };
        }
        Event::Concluded { attempt, purpose, outcome, .. } => conclude(record, recorded, *attempt, *purpose, outcome),
        Event::Done { how, evidence, kept, .. } => {
            record.pending = None;
            record.done_as = None;
            record.state = State::Done { how: *how, evidence: evidence.clone(), by: by.clone(), at };
            if let Some(made) = &mut record.made {
                // What was made in doubt, or mended, is known in full only now.
                complete(&mut made.output, &evidence.facts);
            }
            if kept.is_empty() {
                engagement.kept.remove(step);
            } else {
                engagement.kept.insert(step.clone(), kept.clone());
            }
        }
        Event::Failed { attempt, failure, .. } => {
            let state = State::Failed { attempt: *attempt, failure: failure.clone(), at };
            record.rest(at, &failure.what, state);
        }
        Event::Waiting { attempt, said, .. } => {
            if let Some(wait) = asked(before.as_ref(), at, event) {
                record.rest(at, said, State::Waiting { attempt: *attempt, wait });
            }
        }
        Event::WaitSet { note, .. } => {
            if let Some(wait) = set(before.as_ref(), at, event) {
                record.rest(at, note, State::Waiting { attempt: record.attempts, wait });
            }
        }
        Event::WaitEnded { note, .. } if before.is_some() => record.rest(at, note, State::Idle),
        Event::Asked { attempt, question, .. } => {
            record.state = State::Asked { attempt: *attempt, question: question.clone(), since: at };
        }
        Event::Stopped { why, .. } => record.interrupt(at, why),
        Event::ChangeKept { .. } => {
            if let Some(done) = &mut record.done_as {
                done.kept = true;
            }
        }
        Event::Skipped { reason, .. } => {
            record.rest(at, reason, State::Skipped { reason: reason.clone(), by: by.clone(), at });
        }
        Event::Reopened { undone, .. } => {
            if undone.is_some() {
                begin_anew(record);
                engagement.approved.remove(step);
            }
            let attempt = record.attempts;
            let waiting = |wait| State::Waiting { attempt, wait };
            let state = wait_that_asked(record).map_or(State::Idle, waiting);
            record.rest(at, "it was not settled yet", state);
        }
        Event::Settled { .. } => settle(record, recorded),
        Event::Undone { evidence, stays, .. } => {
            record.pending = None;
            let stays = stays.then(|| evidence.said.clone());
            record.state = State::Undone { by: by.clone(), at, stays };
            record.made = None;
            record.adopted = None;
            record.generation = record.generation.saturating_add(1);
            engagement.kept.remove(step);
            // To make it once more is a new change.
            engagement.approved.remove(step);
        }
        Event::Undoable { inverse, .. } => {
            if let Some(made) = &mut record.made {
                made.inverse = Some(inverse.clone());
            }
        }
        Event::Adopted { attempt, id, ours, output, .. } => {
            let before = record.pending.take().filter(|_| *ours).map(|intent| intent.before).unwrap_or_default();
            record.adopted = (!ours).then(|| id.clone());
            let mut taken = Made { created: *ours, ..made(recorded, &[], output) };
            complete(&mut taken.output, &before);
            make(record, recorded, taken);
            record.state = State::Running { attempt: *attempt, stage: Stage::Verifying, since: at };
        }
        _ => {}
    }
    if let Some(made) = record.made.as_mut().filter(|made| made.step.is_none()) {
        (made.edition, made.step) = (engagement.runbook_digest.clone(), Some(step.clone()));
    }
    if let Some(wait) = before.filter(|_| !matches!(record.state, State::Waiting { .. })) {
        record.waited.push(Waited { wait, until: at });
    }
}

/// Are these the credentials that a look, or a change, was refused for, of an attempt that had changed nothing?
fn refused(record: &StepRecord, event: &Event) -> bool {
    let Event::Asked { attempt, question: Question::SignIn { .. }, .. } = event else { return false };
    match &record.state {
        State::Running { attempt: running, stage: Stage::Probing | Stage::Resuming, .. } => running == attempt,
        // What AWS answered to the change is written down together with the question.
        State::Failed { attempt: failed, failure, .. } => {
            failed == attempt && failure.sign_in && failure.changed.is_empty()
        }
        _ => false,
    }
}

/// The wait that a look found, or found again: it lasts since the first time, and what a person said of it stays.
fn asked(before: Option<&Wait>, at: At, event: &Event) -> Option<Wait> {
    let Event::Waiting { party, ask, said, who, due_in, .. } = event else { return None };
    let since = before.map_or(at, |wait| wait.since);
    let due = due_in.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1000));
    let by_person = before.filter(|wait| wait.set);
    Some(Wait {
        party: *party,
        who: by_person.map_or_else(|| who.clone(), |wait| wait.who.clone()),
        since,
        due: by_person.map_or_else(|| due.map(|time| At(since.0.saturating_add(time))), |wait| wait.due),
        ask: ask.clone(),
        said: said.clone(),
        note: before.map(|wait| wait.note.clone()).unwrap_or_default(),
        by_hand: false,
        set: by_person.is_some(),
    })
}

/// The wait that a look ended with a question: with the answer it goes on.
fn wait_that_asked(record: &mut StepRecord) -> Option<Wait> {
    let State::Asked { since, .. } = record.state else { return None };
    record.waited.pop_if(|waited| waited.until == since).map(|waited| waited.wait)
}

/// The wait as a person says it is.
fn set(before: Option<&Wait>, at: At, event: &Event) -> Option<Wait> {
    let Event::WaitSet { party, who, due, note, .. } = event else { return None };
    Some(Wait {
        party: *party,
        who: who.clone(),
        since: before.map_or(at, |wait| wait.since),
        due: *due,
        ask: before.map(|wait| wait.ask.clone()).unwrap_or_default(),
        said: before.map(|wait| wait.said.clone()).unwrap_or_default(),
        note: note.clone(),
        by_hand: before.is_none_or(|wait| wait.by_hand),
        set: true,
    })
}

fn conclude(record: &mut StepRecord, recorded: &Recorded, attempt: u32, purpose: Purpose, outcome: &Outcome) {
    let at = recorded.at;
    let verifying = State::Running { attempt, stage: Stage::Verifying, since: at };
    if let Outcome::InDoubt { why } = outcome {
        if matches!(record.state, State::Running { stage: Stage::Applying | Stage::Undoing, .. }) {
            record.sent_until = at;
        }
        let unchanged = record.state.clone();
        record.rest(at, why, unchanged);
        return;
    }
    let digest = record.pending.take().map(|intent| intent.digest).unwrap_or_default();
    match outcome {
        Outcome::NotMade { .. } => record.state = State::Idle,
        Outcome::Changed { created, operations, output, .. } if purpose == Purpose::Apply => {
            make(record, recorded, Made { digest, created: *created, ..made(recorded, operations, output) });
            record.state = verifying;
        }
        Outcome::AlreadySo { .. } if purpose == Purpose::Apply => record.state = verifying,
        // An undo ends with its own event, `Undone`, which is written together with this one.
        Outcome::Changed { .. } | Outcome::AlreadySo { .. } | Outcome::Stays { .. } | Outcome::InDoubt { .. } => {
            record.state = State::Running { attempt, stage: Stage::Undoing, since: at };
        }
        Outcome::Failed { failure } => {
            if purpose == Purpose::Apply && !failure.changed.is_empty() {
                // It failed half-way: what it did until then is there, and an undo must know of it.
                make(record, recorded, Made { digest, ..made(recorded, &failure.changed, &failure.made) });
            }
            if failure.token_spent {
                record.generation = record.generation.saturating_add(1);
            }
            record.state = State::Failed { attempt, failure: failure.clone(), at };
        }
    }
}

fn made(recorded: &Recorded, operations: &[String], output: &BTreeMap<String, Json>) -> Made {
    let (operations, output) = (operations.to_vec(), output.clone());
    let (edition, digest, step, inverse) = (String::new(), String::new(), None, None);
    let (at, seq, created) = (recorded.at, recorded.seq, true);
    Made { edition, step, at, seq, digest, created, operations, output, inverse }
}

/// What was made, together with what was made before: something of ours that is mended stays ours, where it stood.
fn make(record: &mut StepRecord, recorded: &Recorded, mut now: Made) {
    if let Some(before) = record.made.take() {
        now.created |= before.created;
        now.inverse = now.inverse.or(before.inverse);
        (now.at, now.seq) = (before.at, before.seq.min(recorded.seq));
        now.operations.splice(0..0, before.operations);
        complete(&mut now.output, &before.output);
    }
    record.made = Some(now);
}

/// What the step hangs on was undone: what it told of itself is of the time before, and to do it once more is a new change.
fn begin_anew(record: &mut StepRecord) {
    if let Some(made) = &mut record.made {
        made.output.clear();
    }
    record.generation = record.generation.saturating_add(1);
}

fn complete(output: &mut BTreeMap<String, Json>, more: &BTreeMap<String, Json>) {
    for (name, value) in more {
        output.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// A person answered for a change in doubt.
fn settle(record: &mut StepRecord, recorded: &Recorded) {
    let Some(intent) = record.pending.take() else { return };
    if intent.purpose == Purpose::Apply {
        // It may have been made, so an undo looks for it.
        make(record, recorded, Made { digest: intent.digest, ..made(recorded, &intent.operations, &intent.before) });
    }
    // Whatever else was chosen stands in the event that is written together with this one.
    record.state = State::Idle;
}

fn attempt_of(event: &Event) -> u32 {
    match event {
        Event::AttemptStarted { attempt, .. }
        | Event::Probed { attempt, .. }
        | Event::Held { attempt, .. }
        | Event::Intended { intent: Intent { attempt, .. }, .. }
        | Event::Concluded { attempt, .. }
        | Event::Done { attempt, .. }
        | Event::Failed { attempt, .. }
        | Event::Waiting { attempt, .. }
        | Event::Asked { attempt, .. }
        | Event::Stopped { attempt, .. }
        | Event::Undoable { attempt, .. }
        | Event::Adopted { attempt, .. }
        | Event::Undone { attempt, .. } => *attempt,
        _ => 0,
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
        | Event::WaitSet { step, .. }
        | Event::WaitEnded { step, .. }
        | Event::Asked { step, .. }
        | Event::Stopped { step, .. }
        | Event::Skipped { step, .. }
        | Event::ChangeKept { step }
        | Event::Reopened { step, .. }
        | Event::Settled { step, .. }
        | Event::Undoable { step, .. }
        | Event::Adopted { step, .. }
        | Event::Undone { step, .. } => Some(step),
        Event::Began { .. }
        | Event::RunbookTaken { .. }
        | Event::InputGiven { .. }
        | Event::InputForgotten { .. }
        | Event::PlanApproved { .. }
        | Event::UndoBegan { .. }
        | Event::HostKeyTrusted { .. }
        | Event::HostLeftOut { .. }
        | Event::HostLetIn { .. } => None,
    }
}
