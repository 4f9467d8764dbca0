//! What hangs on what in one engagement: the ways along which steps are begun, and along which they are taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::Address;
use super::scope::{ScopeMode, expand, scope};
use super::state::{Engagement, StepRecord};
use crate::runbook::{Runbook, Step, StepId};

/// The steps of a runbook, and between which of them there is a way here. One that is not needed, and of which nothing
/// stands, leads from none to another: who comes after it does not wait for it, and does not stand on what it needs.
pub(super) struct Ways<'r> {
    runbook: &'r Runbook,
    barred: BTreeSet<&'r StepId>,
}

impl<'r> Ways<'r> {
    pub fn of(engagement: &Engagement, runbook: &'r Runbook) -> Self {
        let scope = scope(engagement, runbook, ScopeMode::Real);
        let standing: BTreeSet<&StepId> = standing(engagement).map(|(step, _)| &step.step).collect();
        let not_needed = |step: &&Step| matches!(expand(step, &scope), Ok(items) if items.is_empty());
        let barred = runbook.steps().filter(not_needed).map(|step| &step.id).filter(|id| !standing.contains(id));
        Ways { runbook, barred: barred.collect() }
    }

    /// A step, and everything it stands on.
    pub fn behind(&self, step: &StepId) -> BTreeSet<StepId> {
        let mut found = BTreeSet::new();
        let mut todo = vec![step.clone()];
        while let Some(id) = todo.pop() {
            let goes_on = id == *step || !self.barred.contains(&id);
            if found.insert(id.clone())
                && goes_on
                && let Some(step) = self.runbook.step(&id)
            {
                todo.extend(step.needs.iter().cloned());
            }
        }
        found
    }

    /// Which steps come after that one, host by host where that is how they go on.
    pub fn after(&self, first: &Address) -> impl Fn(&Address) -> bool + use<> {
        let mut users: BTreeMap<&StepId, Vec<&Step>> = BTreeMap::new();
        for step in self.runbook.steps().filter(|step| !self.barred.contains(&step.id)) {
            step.needs.iter().for_each(|need| users.entry(need).or_default().push(step));
        }
        let mut found: BTreeSet<(StepId, Option<String>)> = BTreeSet::new();
        let mut todo = vec![(first.step.clone(), first.key.clone())];
        while let Some((id, key)) = todo.pop() {
            let Some(need) = self.runbook.step(&id) else { continue };
            for user in users.get(&id).into_iter().flatten() {
                let key = key.clone().filter(|_| user.follows_on_each_host(need));
                if found.insert((user.id.clone(), key.clone())) {
                    todo.push((user.id.clone(), key));
                }
            }
        }
        move |step| [&step.key, &None].into_iter().any(|key| found.contains(&(step.step.clone(), key.clone())))
    }
}

/// Steps of which something that onramp made stands, or may stand.
pub(super) fn standing(engagement: &Engagement) -> impl Iterator<Item = (&Address, &StepRecord)> {
    engagement.steps.iter().filter(|(_, record)| record.may_stand())
}
