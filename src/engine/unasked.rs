//! What follows by itself from what is known: complete forms are closed, and others are asked when their turn has come.

use crate::engagement::{
    Address, Asking, Board, DoneHow, Engagement, Event, Evidence, ScopeMode, Status, asking, item_of, scope,
};
use crate::runbook::{Runbook, Work};

/// A form is done when the last of its inputs is given.
pub(super) fn closed(runbook: &Runbook, board: &Board) -> Vec<Event> {
    let is_form = |step: &Address| {
        runbook.step(&step.step).is_some_and(|step| matches!(step.work, Work::Form(_) | Work::Choice(_)))
    };
    let complete = board.rows.iter().filter(|row| row.status == Status::Ready && is_form(&row.address));
    complete
        .map(|row| Event::Done {
            step: row.address.clone(),
            attempt: 0,
            how: DoneHow::Given,
            evidence: Evidence::said("all its inputs are given"),
            kept: Vec::new(),
        })
        .collect()
}

/// What somebody else has to do and a person of ours signs off: from when its turn has come it waits on them; and it
/// is said anew when other words ask for it.
pub(super) fn asked(engagement: &Engagement, runbook: &Runbook, board: &Board) -> Vec<Event> {
    let mut events = Vec::new();
    let asks = |step: &Address| {
        runbook.step(&step.step).filter(|step| matches!(step.work, Work::Manual(_)) && step.waits_on.is_some())
    };
    let mut rows = board
        .rows
        .iter()
        .filter(|row| match &row.status {
            Status::SignOff => true,
            Status::Waiting(wait) => !wait.by_hand,
            _ => false,
        })
        .filter_map(|row| Some((row, asks(&row.address)?)))
        .peekable();
    if rows.peek().is_none() {
        return events;
    }
    let values = scope(engagement, runbook, ScopeMode::Real);
    for (row, step) in rows {
        let item = item_of(step, &row.address, &values).ok().flatten();
        let asking: Option<Asking> = item.and_then(|item| asking(step, item.as_ref(), &values).ok()).flatten();
        let Some(asking) = asking else { continue };
        if !matches!(&row.status, Status::Waiting(wait) if !asking.differs(wait)) {
            events.push(asking.waiting(row.address.clone(), 0, "not signed off yet".to_owned()));
        }
    }
    events
}
