//! How much of a runbook a machine proves, and how much of what it changes it can take back.

use super::model::{Runbook, Step, Work};

/// The counts of one runbook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub steps: usize,
    /// Steps that a machine checks: everything but what a person only signs off.
    pub checked: usize,
    /// Steps that say why they are there.
    pub reasoned: usize,
    /// Steps that change something outside the state file.
    pub changes: usize,
    /// Changes that have an undo.
    pub undone: usize,
}

impl Stats {
    /// Counts a runbook.
    pub fn of(runbook: &Runbook) -> Stats {
        let mut stats = Stats::default();
        for step in runbook.steps() {
            stats.steps += 1;
            stats.checked += usize::from(is_checked(step));
            stats.reasoned += usize::from(!step.why.is_empty());
            if let Some(undone) = step.takes_back {
                stats.changes += 1;
                stats.undone += usize::from(undone);
            }
        }
        stats
    }

    /// Steps with a machine check, in percent; a runbook without steps lacks none.
    pub fn checked_percent(&self) -> usize {
        percent(self.checked, self.steps)
    }

    /// Changes with an undo, in percent.
    pub fn undone_percent(&self) -> usize {
        percent(self.undone, self.changes)
    }
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(100)
}

/// A form is checked by the rules of its inputs, and every kind of action has a check of its own.
fn is_checked(step: &Step) -> bool {
    match &step.work {
        Work::Manual(_) => false,
        Work::Shell(shell) => shell.check.is_some() || shell.verify.is_some(),
        Work::Form(_) | Work::Choice(_) | Work::Kind { .. } => true,
    }
}
