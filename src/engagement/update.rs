//! Another edition of the runbook in mid-engagement: what it would mean, and what is recorded when a person takes it.
//!
//! Taking it runs nothing and forgets nothing. A step keeps its history, under its new name where it has one; what was
//! done and would be done otherwise now is marked, for a person to look at again or to keep.

use std::collections::{BTreeMap, BTreeSet};

use super::Address;
use super::decide::{Refusal, refuse};
use super::event::{DoneAs, DoneHow, Event, RunbookFile};
use super::state::{Engagement, State, StepRecord};
use crate::input::{InputId, Setting, Value, from_plain};
use crate::runbook::{
    Changes, InputChange, InputDifference, Runbook, StepChange, StepDifference, StepId, changes, does_after,
};
use crate::text;

/// What a person reads before they take it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Review {
    pub changes: Changes,
    /// Done steps that would be done otherwise now, as they are called in the newer edition.
    pub outdated: Vec<Address>,
    /// Steps that made something and are not in the newer edition: their undo stays, as it was when they were made.
    pub left: Vec<Address>,
    /// Values that are given and do not fit any more: input, label, value, and why.
    pub unfit: Vec<Unfit>,
}

/// A value that its input would not take any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    pub id: String,
    pub label: String,
    pub value: String,
    pub why: String,
}

/// One line of a review, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewLine {
    /// What kind of change it is, in a word or two.
    pub what: &'static str,
    pub said: String,
    /// A person should think about it before they take the edition.
    pub weighs: bool,
}

impl Review {
    /// Everything in it, what weighs first.
    pub fn lines(&self) -> Vec<ReviewLine> {
        let heavy = |what, said| ReviewLine { what, said, weighs: true };
        let light = |what, said| ReviewLine { what, said, weighs: false };
        let mut lines = Vec::new();
        for step in &self.outdated {
            lines.push(heavy("done otherwise", format!("{step}: it is done, and would be done otherwise now")));
        }
        for unfit in &self.unfit {
            let Unfit { id, label, value, why } = unfit;
            lines.push(heavy(
                "does not fit",
                format!("{label} ({id}): {} no longer fits: {why}", text::clip(value, 40)),
            ));
        }
        for step in &self.left {
            lines.push(heavy("gone", format!("{step}: what it made stays until it is undone; undo still knows how")));
        }
        for StepChange { id, title, how } in &self.changes.steps {
            lines.push(match how {
                StepDifference::Added => light("added", format!("{id}: {title}")),
                StepDifference::Removed => light("removed", format!("{id}: {title}")),
                StepDifference::Renamed(was) => {
                    light("renamed", format!("{id} was {was}; what is known of it goes along"))
                }
                StepDifference::Moved => light("moved", format!("{id}: {title}")),
                StepDifference::Changed(keys) => light("changed", format!("{id}: {title} ({})", keys.join(", "))),
                StepDifference::Reworded(keys) => light("reworded", format!("{id}: {title} ({})", keys.join(", "))),
            });
        }
        for InputChange { id, label, how } in &self.changes.inputs {
            lines.push(match how {
                InputDifference::Added => light("new input", format!("{id}: {label}")),
                InputDifference::Removed => light("input gone", format!("{id}: {label}")),
                InputDifference::Kind(was, is) => light("other kind", format!("{id}: {label}: {was}, now {is}")),
                InputDifference::Asked(keys) => light("input", format!("{id}: {label} ({})", keys.join(", "))),
            });
        }
        let hosts = self.changes.hosts.iter();
        lines.extend(hosts.map(|host| light("host", format!("{host} is reached otherwise, new, or gone"))));
        if lines.is_empty() {
            lines.push(light("nothing", "only its layout or its comments differ".to_owned()));
        }
        lines
    }
}

/// What taking `new` would mean.
pub fn review(engagement: &Engagement, old: &Runbook, new: &Runbook) -> Review {
    let changes = changes(old, new);
    let moved = moved(engagement, &changes);
    let definitions = outdated(engagement, old, new, &moved);
    let outdated: Vec<Address> = definitions.into_keys().filter(|step| new.step(&step.step).is_some()).collect();
    let gone = |step: &Address| new.step(&step.step).is_none() && !moved.contains_key(&step.step);
    let left = engagement.steps.iter().filter(|(step, record)| record.made.is_some() && gone(step));
    let left = left.map(|(step, _)| step.clone()).collect();
    let unfit = refit(engagement, old, new).into_iter().filter_map(|(id, fits)| {
        let (field, given) = (new.fields.get(&id)?, engagement.inputs.get(&id)?);
        let (label, value) = (field.label.clone(), given.value.shown());
        Some(Unfit { id: id.to_string(), label, value, why: fits.err()? })
    });
    Review { unfit: unfit.collect(), changes, outdated, left }
}

/// The events with which the engagement takes `new`, whose text `files` are.
///
/// # Errors
/// It is another runbook, or the same edition; or something is running or in doubt.
pub fn update(
    engagement: &Engagement,
    old: &Runbook,
    new: &Runbook,
    files: &[RunbookFile],
) -> Result<Vec<Event>, Refusal> {
    if new.id != old.id {
        let why = format!("this engagement walks the runbook {}, and this is {}", old.id, new.id);
        return refuse(why, "Begin a new engagement for another runbook");
    }
    if new.digest == engagement.runbook_digest {
        return refuse("the engagement walks this edition of the runbook already", "");
    }
    let busy = |wanted: fn(&StepRecord) -> bool| -> Vec<String> {
        engagement.steps.iter().filter(|(_, record)| wanted(record)).map(|(step, _)| step.to_string()).collect()
    };
    let running = busy(|record| matches!(record.state, State::Running { .. }));
    if !running.is_empty() {
        return refuse(format!("{} runs", text::list(&running)), "Wait until it ends, or stop it, then update");
    }
    let doubtful = busy(|record| record.pending.is_some() || matches!(record.state, State::InDoubt { .. }));
    if !doubtful.is_empty() {
        let why = format!("{} is in doubt: it may or may not have been made", text::list(&doubtful));
        return refuse(why, "Say first what became of it, or run it so that onramp looks");
    }
    let moved = moved(engagement, &changes(old, new));
    let outdated = outdated(engagement, old, new, &moved);
    let (id, digest, files) = (new.id.clone(), new.digest.clone(), files.to_vec());
    let refit = refit(engagement, old, new);
    let unfit = refit.iter().filter(|(_, fits)| fits.is_err()).map(|(id, _)| id.clone()).collect();
    let mut events = vec![Event::RunbookTaken { id, digest, files, moved, outdated, unfit }];
    for (id, fits) in refit {
        if let (Ok(value), Some(given)) = (fits, engagement.inputs.get(&id))
            && value != given.value
        {
            events.push(Event::InputGiven { id, value });
        }
    }
    Ok(events)
}

/// Values of inputs whose kind is another now: what they are as that kind, or why they cannot be.
fn refit(engagement: &Engagement, old: &Runbook, new: &Runbook) -> BTreeMap<InputId, Result<Value, String>> {
    // It was given before, and stands: what day it is says nothing against it.
    let setting = Setting { practice: engagement.identity.practice, now: None };
    let mut refit = BTreeMap::new();
    for (id, given) in &engagement.inputs {
        let Some(field) = new.fields.get(id) else { continue };
        let same = old.fields.get(id).is_some_and(|before| before.kind == field.kind);
        if !same || engagement.unfit.contains(id) {
            let fits = from_plain(&field.kind, &given.value.plain(), &setting).map_err(|refusal| refusal.to_string());
            refit.insert(id.clone(), fits);
        }
    }
    refit
}

/// The steps whose history goes to another name. One that would run into another history stays where it is.
fn moved(engagement: &Engagement, changes: &Changes) -> BTreeMap<StepId, StepId> {
    let told = |record: &StepRecord| *record != StepRecord::default();
    let with_history: BTreeSet<&StepId> =
        engagement.steps.iter().filter(|(_, record)| told(record)).map(|(step, _)| &step.step).collect();
    let free = |(_, to): &(&StepId, &StepId)| !with_history.contains(to);
    changes.renamed.iter().filter(free).map(|(from, to)| (from.clone(), to.clone())).collect()
}

/// Done steps, as they are called afterwards, whose work is not what it was when they were done: and what it was then.
fn outdated(
    engagement: &Engagement,
    old: &Runbook,
    new: &Runbook,
    moved: &BTreeMap<StepId, StepId>,
) -> BTreeMap<Address, DoneAs> {
    let (before, after) = first_names(engagement, moved);
    let mut outdated = BTreeMap::new();
    for (address, record) in &engagement.steps {
        // A form is done while its inputs are given, whatever else it asks for.
        if !matches!(record.state, State::Done { how, .. } if how != DoneHow::Given) {
            continue;
        }
        let known = old.step(&address.step);
        let did = known.map(|step| does_after(step, &before));
        let done_as = || did.clone().map(|does| DoneAs { does, kept: false });
        let Some(then) = record.done_as.clone().or_else(done_as) else { continue };
        let id = moved.get(&address.step).unwrap_or(&address.step);
        let now = new.step(id).map(|step| does_after(step, &after));
        let unchanged = now.is_some() && now == did;
        let as_it_was_done = now.as_ref() == Some(&then.does) || (unchanged && record.done_as.is_none());
        if !as_it_was_done {
            // What a person chose to keep stays kept while nothing more changes.
            let kept = then.kept && unchanged;
            outdated.insert(Address::new(id.clone(), address.key.clone()), DoneAs { kept, ..then });
        }
    }
    outdated
}

/// By which name each step was known first, of those that are called otherwise: before this update and after it. What a
/// step does is compared with the steps that it needs called so, in whatever edition that was.
fn first_names(
    engagement: &Engagement,
    moved: &BTreeMap<StepId, StepId>,
) -> (BTreeMap<StepId, StepId>, BTreeMap<StepId, StepId>) {
    let before = engagement.first_ids.clone();
    let mut after: BTreeMap<StepId, StepId> = before.clone();
    after.retain(|id, _| !moved.contains_key(id));
    after.extend(moved.iter().map(|(from, to)| (to.clone(), before.get(from).unwrap_or(from).clone())));
    (before, after)
}

/// Does the step stand as done, though it would be done otherwise now, and has nobody said yet that this is well?
pub fn is_outdated(engagement: &Engagement, step: &Address) -> bool {
    engagement.record(step).and_then(|record| record.done_as.as_ref()).is_some_and(|done| !done.kept)
}
