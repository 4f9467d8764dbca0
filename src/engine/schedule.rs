//! Which ready steps start now. Steps that do not depend on each other run side by side; one host runs one script at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::engagement::{Address, Board, RunScope, Row, Status};
use crate::runbook::{Runbook, StepId};

/// Attempts that may run at the same time.
pub(super) const TOGETHER: usize = 8;

/// A run in progress: what it may touch, and what it has tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    allowed: Option<BTreeSet<StepId>>,
    only: Option<Address>,
    /// Waiting and doubtful steps are looked at once in a run.
    pub looked_at: BTreeSet<Address>,
}

impl Run {
    pub fn new(scope: &RunScope, runbook: &Runbook) -> Self {
        match scope {
            RunScope::All => Run::default(),
            RunScope::Only(address) => Run { only: Some(address.clone()), ..Run::default() },
            RunScope::Until(address) => Run { allowed: Some(closure(runbook, &address.step)), ..Run::default() },
        }
    }

    fn wants(&self, address: &Address) -> bool {
        let only = self.only.as_ref().is_none_or(|only| {
            only == address || (only.key.is_none() && only.step == address.step)
        });
        only && self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&address.step))
    }

    /// Rows to start now, in the order of the page. `hosts` says which host a step's script runs on.
    pub fn next<'a>(
        &self,
        board: &'a Board,
        running: &BTreeMap<Address, Option<String>>,
        host_of: impl Fn(&Address) -> Option<String>,
    ) -> Vec<(&'a Row, Option<String>)> {
        let mut busy: BTreeSet<String> = running.values().flatten().cloned().collect();
        let mut free = TOGETHER.saturating_sub(running.len());
        let mut start = Vec::new();
        for row in &board.rows {
            if free == 0 {
                break;
            }
            if running.contains_key(&row.address) || !self.wants(&row.address) || !self.startable(row) {
                continue;
            }
            let host = host_of(&row.address);
            if let Some(name) = &host
                && !busy.insert(name.clone())
            {
                continue;
            }
            free -= 1;
            start.push((row, host));
        }
        start
    }

    fn startable(&self, row: &Row) -> bool {
        match &row.status {
            status if status.runnable() => true,
            Status::Waiting { .. } | Status::InDoubt { .. } => !self.looked_at.contains(&row.address),
            _ => false,
        }
    }
}

/// A step and everything it needs, directly or not.
fn closure(runbook: &Runbook, step: &StepId) -> BTreeSet<StepId> {
    let mut found = BTreeSet::new();
    let mut todo = vec![step.clone()];
    while let Some(id) = todo.pop() {
        if found.insert(id.clone())
            && let Some(step) = runbook.step(&id)
        {
            todo.extend(step.needs.iter().cloned());
        }
    }
    found
}
