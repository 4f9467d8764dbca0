//! Which ready steps start now. Steps that do not depend on each other run side by side; one host runs one script at a time.

use std::collections::BTreeSet;

use crate::engagement::{Address, Board, Event, Row, RunScope, Status};
use crate::runbook::{Runbook, StepId};

/// Attempts that may run at the same time, beside those on hosts: AWS counts requests.
pub(super) const TOGETHER: usize = 16;

/// Attempts on hosts that may run at the same time, one on each. How many of them connect at once is for `ssh` to say.
pub(super) const HOSTS_TOGETHER: usize = 128;

/// How many more attempts may start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Free {
    pub hosts: usize,
    pub others: usize,
}

impl Free {
    /// Beside these, each with the host it runs on.
    pub fn beside<'a>(running: impl Iterator<Item = Option<&'a String>>) -> Self {
        running.fold(Free { hosts: HOSTS_TOGETHER, others: TOGETHER }, |free, host| free.less_one(host.is_some()))
    }

    fn less_one(self, on_host: bool) -> Self {
        match on_host {
            true => Free { hosts: self.hosts.saturating_sub(1), ..self },
            false => Free { others: self.others.saturating_sub(1), ..self },
        }
    }

    fn has_room(self, on_host: bool) -> bool {
        if on_host { self.hosts > 0 } else { self.others > 0 }
    }

    pub fn is_none(self) -> bool {
        self.hosts == 0 && self.others == 0
    }
}

/// A run in progress: what it may touch, and what it has tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    allowed: Option<BTreeSet<StepId>>,
    only: Option<Vec<Address>>,
    /// Nothing is started but looks at what waits.
    only_looks: bool,
    /// A step gets each kind of turn once in a run, so that every run ends whatever happens in it.
    had: BTreeSet<(Address, Turn)>,
}

/// Why a step is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Ready,
    Verify,
    /// Looked at once in a run, and not right after it was found waiting.
    Waiting,
    Doubt,
}

impl Turn {
    fn of(row: &Row) -> Option<Turn> {
        match row.status {
            Status::Ready => Some(Turn::Ready),
            Status::ReadyToVerify => Some(Turn::Verify),
            Status::Waiting(_) if row.can_be_looked_at() => Some(Turn::Waiting),
            Status::InDoubt { .. } => Some(Turn::Doubt),
            _ => None,
        }
    }
}

impl Run {
    pub fn new(scope: &RunScope, runbook: &Runbook) -> Self {
        match scope {
            RunScope::All => Run::default(),
            RunScope::Waits => Run { only_looks: true, ..Run::default() },
            RunScope::Only(address) => Run { only: Some(vec![address.clone()]), ..Run::default() },
            RunScope::These(steps) => Run { only: Some(steps.clone()), ..Run::default() },
            RunScope::Until(address) => Run { allowed: Some(runbook.closure(&address.step)), ..Run::default() },
        }
    }

    /// The step began, as its status says.
    pub fn begun(&mut self, row: &Row) {
        if let Some(turn) = Turn::of(row) {
            self.had.insert((row.address.clone(), turn));
            if turn != Turn::Doubt {
                self.had.insert((row.address.clone(), Turn::Waiting));
            }
        }
    }

    /// A person cut it off, or it broke: it is not started again in this run.
    pub fn leave(&mut self, step: &Address) {
        for turn in [Turn::Ready, Turn::Verify, Turn::Waiting, Turn::Doubt] {
            self.had.insert((step.clone(), turn));
        }
    }

    /// A person said something about it: it may be started again.
    pub fn welcome(&mut self, step: &Address) {
        self.had.retain(|(had, _)| had != step);
    }

    fn has_left(&self, row: &Row, turn: Turn) -> bool {
        (turn == Turn::Waiting || !self.only_looks) && !self.had.contains(&(row.address.clone(), turn))
    }

    /// May it start the step, and not only look at it?
    pub fn starts(&self, address: &Address) -> bool {
        !self.only_looks && self.wants(address)
    }

    /// Is the step within what was asked for?
    pub fn wants(&self, address: &Address) -> bool {
        let named = |only: &Address| only == address || (only.key.is_none() && only.step == address.step);
        let only = self.only.as_ref().is_none_or(|only| only.iter().any(named));
        only && self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&address.step))
    }

    /// Rows to start now, in the order of the page, at most `free`. `busy` are the hosts that run a script; `host_of` says
    /// which host a step's script runs on.
    pub fn next<'a>(
        &self,
        board: &'a Board,
        running: impl Fn(&Address) -> bool,
        mut free: Free,
        mut busy: BTreeSet<String>,
        host_of: impl Fn(&Address) -> Option<String>,
    ) -> Vec<(&'a Row, Option<String>)> {
        let mut start = Vec::new();
        for row in &board.rows {
            if free.is_none() {
                break;
            }
            let has_turn = Turn::of(row).is_some_and(|turn| self.has_left(row, turn));
            if !has_turn || running(&row.address) || !self.wants(&row.address) {
                continue;
            }
            let host = host_of(&row.address);
            if !free.has_room(host.is_some()) || host.as_ref().is_some_and(|name| busy.contains(name)) {
                continue;
            }
            busy.extend(host.clone());
            free = free.less_one(host.is_some());
            start.push((row, host));
        }
        start
    }
}

/// The steps that an event of a command speaks of.
pub(super) fn steps_of(event: &Event) -> Vec<&Address> {
    match event {
        Event::PlanApproved { steps, .. } => steps.keys().collect(),
        Event::Done { step, .. }
        | Event::Skipped { step, .. }
        | Event::Reopened { step, .. }
        | Event::WaitSet { step, .. }
        | Event::WaitEnded { step, .. }
        | Event::Settled { step, .. }
        | Event::Undone { step, .. } => vec![step],
        _ => Vec::new(),
    }
}
