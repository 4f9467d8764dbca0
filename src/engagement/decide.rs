//! A command becomes events, or is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::json;

use super::board::{Row, Status, board, is_left_out, may_stay_empty};
use super::command::{Command, Settlement, WaitOrder};
use super::counted::answers;
use super::doubt::finds_out_for_others;
use super::event::{At, DoneHow, Event, Evidence, Purpose, Question, Recorded};
use super::scope::{ChangedStep, changed_behind, plan_digests};
use super::state::{Engagement, State, StepRecord};
use super::target::{Target, undo_command, way_back};
use super::undo::has_undo;
use super::update::is_outdated;
use super::wording::told;
use super::{Address, digest_of, fold};
use crate::input::{self, InputId, Value};
use crate::runbook::{Runbook, Step, StepId};
use crate::text;

/// Why a command was not carried out, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub why: String,
    pub advice: String,
    /// What has to be taken back first, where that is what stands against it.
    pub undo: Vec<Target>,
}

impl Refusal {
    pub fn new(why: impl Into<String>, advice: impl Into<String>) -> Self {
        Refusal { why: why.into(), advice: advice.into(), undo: Vec::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.advice.is_empty() { write!(f, "{}", self.why) } else { write!(f, "{}. {}", self.why, self.advice) }
    }
}

impl std::error::Error for Refusal {}

pub(super) fn refuse<T>(why: impl Into<String>, advice: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(why, advice))
}

/// What the command makes true, or why not. Nothing is stored when it is refused.
///
/// # Errors
/// The command does not fit what is true now.
pub fn decide(engagement: &Engagement, runbook: &Runbook, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::GiveInputs(given) => give(engagement, runbook, given),
        Command::ForgetInput(id) => forget(engagement, runbook, id),
        Command::Approve { digest, steps } => approve(engagement, runbook, digest, steps),
        Command::AcceptForm(step) => accept_form(engagement, runbook, step),
        Command::SignOff { step, note } => sign_off(engagement, runbook, step, note),
        Command::Skip { step, reason } => skip(engagement, runbook, step, reason),
        Command::LeaveOut { host, reason } => leave_out(engagement, runbook, host, reason),
        Command::LetIn(host) => let_in(engagement, host),
        Command::Reopen(step) => reopen(engagement, runbook, step),
        Command::KeepDone(step) => keep_done(engagement, step),
        Command::Wait { step, order } => wait(engagement, runbook, step, order),
        Command::EndWait { step, note } => end_wait(engagement, runbook, step, note),
        Command::TrustHostKey(step) => trust(engagement, step),
        Command::Settle { step, how, reason } => settle(engagement, runbook, step, *how, reason),
    }
}

fn give(engagement: &Engagement, runbook: &Runbook, given: &[(InputId, Value)]) -> Result<Vec<Event>, Refusal> {
    let mut after = engagement.clone();
    let mut events = Vec::new();
    for (id, value) in given {
        if !runbook.fields.contains_key(id) {
            let known = runbook.fields.keys().map(InputId::as_str);
            let hint =
                text::nearest(id.as_str(), known).map(|near| format!("Did you mean {near}?")).unwrap_or_default();
            return refuse(format!("this runbook has no input \"{id}\""), hint);
        }
        if engagement.inputs.get(id).is_some_and(|known| &known.value == value) {
            continue;
        }
        let event = Event::InputGiven { id: id.clone(), value: value.clone() };
        let recorded = Recorded { seq: after.seq, at: At::default(), actor: String::new(), event: event.clone() };
        fold(&mut after, &recorded);
        events.push(event);
    }
    agree(engagement, &after, runbook, given)?;
    events.extend(changes_behind(engagement, &after, runbook)?);
    Ok(events)
}

/// Cross-field rules: only those that the new values take part in can refuse them.
fn agree(
    before: &Engagement,
    after: &Engagement,
    runbook: &Runbook,
    given: &[(InputId, Value)],
) -> Result<(), Refusal> {
    let values = answers(after, runbook);
    // An answer that was void and counts again is as good as new.
    let counted = answers(before, runbook);
    let new = |id: &InputId| given.iter().any(|(new, _)| new == id) || !counted.contains_key(id);
    let broken: Vec<String> = input::agree(&values, None)
        .iter()
        .filter(|broken| !broken.warning && broken.ids.iter().any(new))
        .map(|broken| told(broken, runbook))
        .collect();
    if broken.is_empty() { Ok(()) } else { refuse(broken.join("; "), "") }
}

/// What a change of inputs means for steps that have begun: what onramp made with the old value forbids it, as long as
/// it can be taken back; what was only looked at, or signed off, or has no way back, is looked at again.
fn changes_behind(before: &Engagement, after: &Engagement, runbook: &Runbook) -> Result<Vec<Event>, Refusal> {
    let changed = changed_behind(before, after, runbook);
    let with_state = |wanted: &dyn Fn(&ChangedStep, &StepRecord) -> bool| -> Vec<&Address> {
        let wanted = |one: &&ChangedStep| before.record(one.step).is_some_and(|record| wanted(one, record));
        changed.iter().filter(wanted).map(|one| one.step).collect()
    };
    let running = with_state(&|_, record| matches!(record.state, State::Running { .. }));
    if !running.is_empty() {
        let why = format!("{} is running with the value that stands now", some_of(&running));
        return refuse(why, "Wait until it ends, or stop it, then give the new value");
    }
    let made = with_state(&|one, record| {
        let stands = record.may_stand() && has_undo(runbook, one.step).is_ok();
        record.pending.is_some() || (stands && !one.by_hand)
    });
    if !made.is_empty() {
        let why = format!("{} already ran with the value that stands now", some_of(&made));
        let undo = way_back(before, runbook, &made);
        let advice = match undo.is_empty() {
            true => "Say first what became of it".to_owned(),
            false => format!("Undo what has to go first, then give the new value: {}", undo_command(before, &undo)),
        };
        return Err(Refusal { why, advice, undo });
    }
    // What waits has been made with the old value, and a look at it makes nothing; what a person has put on waiting stays
    // there until that person says so.
    let looked_at = with_state(&|_, record| match &record.state {
        State::Done { .. } | State::Applied { .. } | State::Asked { .. } => true,
        State::Waiting { wait, .. } => record.made.is_some() && !wait.by_hand,
        _ => false,
    });
    // What was read from a thing that a person changes is read anew.
    let by_hand: BTreeSet<&StepId> =
        with_state(&|one, record| one.by_hand && record.may_stand()).into_iter().map(|step| &step.step).collect();
    let read_from_it = |(step, record): &(&Address, &StepRecord)| {
        let found = runbook.step(&step.step).filter(|found| found.touches_world());
        let reads = found.is_some_and(|found| found.needs.iter().any(|need| by_hand.contains(need)));
        reads && record.made.is_none() && matches!(record.state, State::Done { .. }) && !looked_at.contains(step)
    };
    let read = before.steps.iter().filter(read_from_it).map(|(step, _)| step);
    Ok(looked_at.iter().copied().chain(read).map(|step| Event::reopened(step.clone())).collect())
}

fn some_of(steps: &[&Address]) -> String {
    let names: Vec<_> = steps.iter().map(ToString::to_string).collect();
    text::some(&names, ", ", 3)
}

fn forget(engagement: &Engagement, runbook: &Runbook, id: &InputId) -> Result<Vec<Event>, Refusal> {
    if !engagement.inputs.contains_key(id) {
        return refuse(format!("{id} was not given"), "");
    }
    let mut after = engagement.clone();
    after.inputs.remove(id);
    let mut events = vec![Event::InputForgotten { id: id.clone() }];
    events.extend(changes_behind(engagement, &after, runbook)?);
    Ok(events)
}

/// An approval is for what was shown, and only for as long as that is what would be done.
fn approve(
    engagement: &Engagement,
    runbook: &Runbook,
    digest: &str,
    steps: &BTreeMap<Address, String>,
) -> Result<Vec<Event>, Refusal> {
    let now = plan_digests(engagement, runbook);
    let stale: Vec<&Address> =
        steps.iter().filter(|(step, shown)| now.get(step) != Some(shown)).map(|(step, _)| step).collect();
    if !stale.is_empty() || digest_of(&json!(steps)) != digest {
        let which = if stale.is_empty() { "the plan".to_owned() } else { some_of(&stale) };
        return refuse(format!("{which} changed since the plan was made"), "Make the plan again and look at it");
    }
    Ok(vec![Event::PlanApproved { digest: digest.to_owned(), steps: steps.clone() }])
}

fn attempt_of(engagement: &Engagement, step: &Address) -> u32 {
    engagement.record(step).map_or(0, |record| record.attempts)
}

/// The step of that name.
///
/// # Errors
/// There is none; the one that was probably meant is named.
pub fn known_step<'a>(runbook: &'a Runbook, step: &Address) -> Result<&'a crate::runbook::Step, Refusal> {
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
    let found = known_step(runbook, step)?;
    if !matches!(found.work, crate::runbook::Work::Manual(_)) {
        return refuse(
            format!("{step} is not for a person to sign off"),
            "onramp checks it itself; run it, or skip it with a reason",
        );
    }
    if note.trim().is_empty() {
        return refuse("a sign-off needs a note", "Say who saw or did what: it stands in the handover report");
    }
    let board = board(engagement, runbook);
    match board.row(step).map(|row| &row.status) {
        Some(Status::SignOff | Status::Waiting(_)) => {}
        // Whoever signed the wrong thing says the right one: both stand in the journal, the later one counts.
        Some(Status::Done { how: DoneHow::SignedOff, .. }) => {}
        Some(Status::Done { .. }) => return refuse(format!("{step} is done already"), ""),
        Some(Status::Blocked(by)) => {
            let by: Vec<_> = by.iter().map(ToString::to_string).collect();
            return refuse(format!("{step} comes after {}", text::list(&by)), "");
        }
        Some(status) => return refuse(format!("{step} cannot be signed off: {}", status.word()), ""),
        None => return refuse(format!("this engagement has no step \"{step}\""), ""),
    }
    Ok(vec![Event::Done {
        step: step.clone(),
        attempt: attempt_of(engagement, step),
        how: DoneHow::SignedOff,
        evidence: Evidence::said(note.trim()),
        kept: Vec::new(),
    }])
}

fn accept_form(engagement: &Engagement, runbook: &Runbook, step: &Address) -> Result<Vec<Event>, Refusal> {
    known_step(runbook, step)?;
    match board(engagement, runbook).row(step) {
        Some(Row { status: Status::Done { .. }, .. }) => Ok(Vec::new()),
        Some(row) if may_stay_empty(engagement, runbook, row) => Ok(vec![Event::Done {
            step: step.clone(),
            attempt: 0,
            how: DoneHow::Given,
            evidence: Evidence::said("nothing of it is needed"),
            kept: Vec::new(),
        }]),
        Some(row) => refuse(format!("{step} is no form that may stay empty: {}", row.status.word()), ""),
        None => refuse(format!("this engagement has no step \"{step}\""), ""),
    }
}

fn skip(engagement: &Engagement, runbook: &Runbook, step: &Address, reason: &str) -> Result<Vec<Event>, Refusal> {
    known_step(runbook, step)?;
    if reason.trim().is_empty() {
        return refuse("a skipped step needs a reason", "The reason stands in the handover report");
    }
    if board(engagement, runbook).row(step).is_none() {
        return refuse(format!("this engagement has no step \"{step}\""), "");
    }
    match engagement.state(step) {
        State::Done { .. } | State::Applied { .. } => refuse(format!("{step} is done"), "Undo it instead"),
        _ if engagement.record(step).is_some_and(|record| record.pending.is_some()) => {
            refuse(format!("{step} is in doubt"), "Say first what became of it")
        }
        State::InDoubt { .. } => refuse(format!("{step} is in doubt"), "Say first what became of it"),
        State::Running { .. } => refuse(format!("{step} is running"), "Stop it first"),
        _ => Ok(vec![Event::Skipped { step: step.clone(), reason: reason.trim().to_owned() }]),
    }
}

fn leave_out(engagement: &Engagement, runbook: &Runbook, host: &str, reason: &str) -> Result<Vec<Event>, Refusal> {
    if reason.trim().is_empty() {
        return refuse("a host that is left out needs a reason", "The reason stands in the handover report");
    }
    if engagement.left_out.contains_key(host) {
        return refuse(format!("{host} is left out already"), "");
    }
    let board = board(engagement, runbook);
    let over_hosts = |row: &&Row| runbook.step(&row.address.step).is_some_and(Step::over_hosts);
    let on_hosts: Vec<&Row> = board.rows.iter().filter(over_hosts).collect();
    let on_it = |row: &&&Row| row.address.key.as_deref() == Some(host);
    if on_hosts.iter().filter(on_it).count() == 0 {
        let names = on_hosts.iter().filter_map(|row| row.address.key.as_deref());
        let near = crate::text::nearest(host, names).map(|near| format!("Did you mean {near}?"));
        return refuse(format!("nothing is repeated over a host called \"{host}\""), near.unwrap_or_default());
    }
    for row in on_hosts.iter().filter(on_it) {
        match row.status {
            Status::Running { .. } => return refuse(format!("{} is running", row.address), "Stop it first"),
            Status::InDoubt { .. } => {
                return refuse(format!("{} is in doubt", row.address), "Say first what became of it");
            }
            _ => {}
        }
    }
    Ok(vec![Event::HostLeftOut { host: host.to_owned(), reason: reason.trim().to_owned() }])
}

fn let_in(engagement: &Engagement, host: &str) -> Result<Vec<Event>, Refusal> {
    match engagement.left_out.contains_key(host) {
        true => Ok(vec![Event::HostLetIn { host: host.to_owned() }]),
        false => refuse(format!("{host} is not left out"), ""),
    }
}

fn reopen(engagement: &Engagement, runbook: &Runbook, step: &Address) -> Result<Vec<Event>, Refusal> {
    known_step(runbook, step)?;
    if let Some(host) = step.key.as_ref().filter(|host| is_left_out(engagement, runbook, &step.step, host)) {
        return Ok(vec![Event::HostLetIn { host: host.clone() }]);
    }
    let ours = engagement.record(step).is_some_and(|record| record.made.is_some());
    match engagement.state(step) {
        // Nothing was made, so nothing has to be undone before it is looked at or signed off again. What would be done
        // otherwise now is looked at; nothing is changed without approval.
        State::Done { .. } if !ours || is_outdated(engagement, step) => Ok(vec![Event::reopened(step.clone())]),
        State::Failed { .. }
        | State::Skipped { .. }
        | State::Undone { .. }
        | State::Waiting { .. }
        | State::Held { .. }
        | State::Asked { .. } => Ok(vec![Event::reopened(step.clone())]),
        State::Idle => Ok(Vec::new()),
        State::Done { .. } | State::Applied { .. } => refuse(format!("{step} is done"), "Undo it to do it again"),
        State::InDoubt { .. } => refuse(format!("{step} is in doubt"), "Say first what became of it"),
        State::Running { .. } => refuse(format!("{step} is running"), ""),
    }
}

fn keep_done(engagement: &Engagement, step: &Address) -> Result<Vec<Event>, Refusal> {
    match is_outdated(engagement, step) {
        true => Ok(vec![Event::ChangeKept { step: step.clone() }]),
        false => refuse(format!("{step} is not done otherwise than the runbook says"), ""),
    }
}

fn wait(engagement: &Engagement, runbook: &Runbook, step: &Address, order: &WaitOrder) -> Result<Vec<Event>, Refusal> {
    known_step(runbook, step)?;
    let board = board(engagement, runbook);
    let before = match board.row(step).map(|row| &row.status) {
        Some(Status::Waiting(wait)) => Some(wait),
        Some(
            Status::Ready
            | Status::SignOff
            | Status::NeedsInput(_)
            | Status::NeedsApproval
            | Status::Failed(_)
            | Status::Asked(_),
        ) => None,
        Some(status) => {
            let why = format!("{step} cannot be put on waiting: it is {}", status.word());
            return refuse(why, "A step that is ready, or that stands still because of somebody, can");
        }
        None => return refuse(format!("this engagement has no step \"{step}\""), ""),
    };
    let party = match (before, order.on) {
        (Some(wait), Some(on)) if on != wait.party && !wait.by_hand => {
            let why = format!("{step} waits on {}, as the runbook says", wait.party);
            return refuse(why, "Say with who which person or team it is");
        }
        (_, Some(on)) => on,
        (Some(wait), None) => wait.party,
        (None, None) => return refuse(format!("say on whom {step} waits"), "customer, AWS, colocation or third party"),
    };
    let note = order.note.as_ref().map(|note| note.trim().to_owned());
    if before.is_none() && note.as_ref().is_none_or(String::is_empty) {
        return refuse(format!("say why {step} waits"), "The reason stands in the handover report");
    }
    let who = order.who.as_ref().map(|who| who.trim().to_owned());
    let set = Event::WaitSet {
        step: step.clone(),
        party,
        who: who.or_else(|| before.map(|wait| wait.who.clone())).unwrap_or_default(),
        due: order.due.unwrap_or_else(|| before.and_then(|wait| wait.due)),
        note: note.or_else(|| before.map(|wait| wait.note.clone())).unwrap_or_default(),
    };
    let same = before.is_some_and(|wait| {
        let known = (wait.party, wait.who.clone(), wait.due, wait.note.clone());
        matches!(&set, Event::WaitSet { party, who, due, note, .. } if known == (*party, who.clone(), *due, note.clone()))
    });
    Ok(if same { Vec::new() } else { vec![set] })
}

fn end_wait(engagement: &Engagement, runbook: &Runbook, step: &Address, note: &str) -> Result<Vec<Event>, Refusal> {
    let found = known_step(runbook, step)?;
    match engagement.state(step) {
        State::Waiting { wait, .. } if wait.by_hand => {
            Ok(vec![Event::WaitEnded { step: step.clone(), note: note.trim().to_owned() }])
        }
        State::Waiting { .. } if matches!(found.work, crate::runbook::Work::Manual(_)) => {
            refuse(format!("{step} waits until it is signed off"), "Sign it off, or skip it with a reason")
        }
        State::Waiting { .. } => {
            refuse(format!("{step} waits until its check says that it is so"), "Look again, or skip it with a reason")
        }
        _ => refuse(format!("{step} does not wait on anybody"), ""),
    }
}

fn trust(engagement: &Engagement, step: &Address) -> Result<Vec<Event>, Refusal> {
    match engagement.state(step) {
        State::Asked { question: Question::HostKey { host, port, fingerprint, openssh, .. }, .. } => {
            let trusted = Event::HostKeyTrusted {
                host: host.clone(),
                port: *port,
                fingerprint: fingerprint.clone(),
                openssh: openssh.clone(),
            };
            // The same answer serves every step that asks the same.
            let same = |record: &StepRecord| match &record.state {
                State::Asked { question: Question::HostKey { host: h, port: p, openssh: key, .. }, .. } => {
                    (h, *p, key) == (host, *port, openssh)
                }
                _ => false,
            };
            let asking = engagement.steps.iter().filter(|(_, record)| same(record));
            let reopened = asking.map(|(step, _)| Event::reopened(step.clone()));
            Ok(std::iter::once(trusted).chain(reopened).collect())
        }
        _ => refuse(format!("{step} does not ask about a host key"), ""),
    }
}

/// May a person say now which object this step stands for?
///
/// # Errors
/// Nothing is open about it, or there is no reason.
pub fn may_adopt(engagement: &Engagement, runbook: &Runbook, step: &Address, reason: &str) -> Result<(), Refusal> {
    known_step(runbook, step)?;
    let undoing = engagement.record(step).and_then(|record| record.pending.as_ref());
    if undoing.is_some_and(|intent| intent.purpose == Purpose::Undo) {
        return refuse(format!("{step} was being undone"), "Undo it again: that looks first what is left");
    }
    let of_ours = engagement.record(step).and_then(|record| record.made.as_ref()).is_some_and(|made| made.created);
    match engagement.state(step) {
        State::InDoubt { .. } => Ok(()),
        State::Failed { .. } if of_ours => {
            refuse(format!("{step} has made something already"), "Undo it first; then another one can stand for it")
        }
        // AWS may have refused to make one beside another that no look finds by itself.
        State::Asked { question: Question::Different { .. }, .. } | State::Failed { .. } => match reason.trim() {
            "" => refuse("taking over what is there needs a reason", "It stands in the handover report"),
            _ => Ok(()),
        },
        _ => refuse(format!("{step} is not in doubt"), "Run it: it looks what is there by itself"),
    }
}

fn settle(
    engagement: &Engagement,
    runbook: &Runbook,
    step: &Address,
    how: Settlement,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let State::InDoubt { intent, .. } = engagement.state(step) else {
        return refuse(format!("{step} is not in doubt"), "");
    };
    let settled = |choice: &str| Event::Settled {
        step: step.clone(),
        choice: choice.to_owned(),
        reason: reason.trim().to_owned(),
    };
    let undoing = intent.purpose == Purpose::Undo;
    known_step(runbook, step)?;
    let keeps = finds_out_for_others(runbook, step);
    match how {
        Settlement::Retry if undoing => refuse(
            format!("{step} was being undone"),
            "Undo it again: that may be repeated, and looks first what is left",
        ),
        Settlement::Retry => Ok(vec![settled("retry")]),
        Settlement::Done if reason.trim().is_empty() => {
            refuse("marking a step done by hand needs a reason", "Say what you saw")
        }
        Settlement::Done if undoing => Ok(vec![
            settled("undone"),
            Event::Undone {
                step: step.clone(),
                attempt: intent.attempt,
                evidence: Evidence::said(reason.trim()),
                stays: false,
            },
        ]),
        Settlement::Done if !keeps.is_empty() => refuse(
            format!("{step} finds out {}, which later steps need", text::list(&keeps)),
            "Look, or adopt what is there: that finds it out",
        ),
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
