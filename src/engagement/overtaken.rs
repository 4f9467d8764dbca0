//! What a step found out is another value than before: who went by that looks again.

use super::scope::{ScopeMode, call, item_of, scope};
use super::state::{Engagement, State, StepRecord};
use super::{Address, Event};
use crate::runbook::{Runbook, Scope, Step};

/// What follows when a step has found out something else than before: what is done and has only looked, or was signed off,
/// with the value of before is looked at anew.
pub fn overtaken(engagement: &Engagement, runbook: &Runbook, events: &[Event]) -> Vec<Event> {
    let other = events.iter().filter_map(|event| match event {
        Event::Done { step, kept, .. } => {
            engagement.kept.get(step).filter(|before| *before != kept).map(|_| (step, kept))
        }
        _ => None,
    });
    let other: Vec<_> = other.collect();
    if other.is_empty() {
        return Vec::new();
    }
    let mut after = engagement.clone();
    after.kept.extend(other.iter().map(|(step, kept)| ((*step).clone(), (*kept).clone())));
    let [old, new] = [engagement, &after].map(|one| scope(one, runbook, ScopeMode::Real));
    let rendered = |step: &Step, address: &Address, scope: &Scope| {
        item_of(step, address, scope).ok().flatten().and_then(|item| call(step, item.as_ref(), scope).ok())
    };
    let changed = |(address, record): &(&Address, &StepRecord)| {
        let Some(step) = runbook.step(&address.step) else { return false };
        let reads = other.iter().any(|(found, _)| step.needs.contains(&found.step));
        let only_looked = matches!(record.state, State::Done { .. }) && record.made.is_none() && step.asks().is_empty();
        reads && only_looked && rendered(step, address, &old) != rendered(step, address, &new)
    };
    let changed = engagement.steps.iter().filter(changed);
    changed.map(|(step, _)| Event::reopened(step.clone())).collect()
}
