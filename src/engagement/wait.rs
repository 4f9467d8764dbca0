//! A wait on somebody else: who, since when, until when, what was asked; and how the waits of an engagement add up.

use std::cmp::Reverse;
use std::time::Duration;

use super::board::{Board, Row, Status};
use super::event::At;
use crate::runbook::Party;
use crate::text;

/// On whom a step waits, and everything that was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub party: Party,
    /// The person, the team or the case; empty where nobody said.
    pub who: String,
    pub since: At,
    pub due: Option<At>,
    /// The text that they were asked.
    pub ask: String,
    /// What the last look said.
    pub said: String,
    /// A person's own words about it.
    pub note: String,
    /// A person put the step on waiting, and a person ends it: nothing is looked at meanwhile.
    pub by_hand: bool,
    /// A person said who or until when; what the runbook says of it no longer counts.
    pub set: bool,
}

/// A wait that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    pub wait: Wait,
    pub until: At,
}

impl Wait {
    pub fn lasted(&self, now: At) -> Duration {
        now.since(self.since)
    }

    /// How long it is over its time; nothing while it is not.
    pub fn overdue(&self, now: At) -> Option<Duration> {
        self.due.filter(|due| now > *due).map(|due| now.since(due))
    }

    /// `customer`, or `customer (Jane Doe)`.
    pub fn whom(&self) -> String {
        if self.who.is_empty() { self.party.to_string() } else { format!("{} ({})", self.party, self.who) }
    }

    /// `customer (Jane Doe), since 2026-11-11 (12 d), overdue by 2 d`.
    pub fn stands(&self, now: At) -> String {
        let due = self.due_in(now);
        let due = if due.is_empty() { due } else { format!(", {due}") };
        format!("{}, since {} ({}){due}", self.whom(), self.since.date(), text::about(self.lasted(now)))
    }

    /// What they were asked: the runbook's text, or a person's own words.
    pub fn asked(&self) -> &str {
        if self.ask.is_empty() { &self.note } else { &self.ask }
    }

    /// `due in 1 d 23 h`, `overdue by 2 d`; empty where there is no time limit. Two units: in one, nearly two days would
    /// be read as one.
    pub fn due_in(&self, now: At) -> String {
        let said = |time: Duration| text::duration(Duration::from_secs(time.as_secs()));
        match (self.overdue(now), self.due) {
            (Some(over), _) => format!("overdue by {}", said(over)),
            (None, Some(due)) => format!("due in {}", said(due.since(now))),
            (None, None) => String::new(),
        }
    }

    /// The text that was asked, to be sent once more: since when it stands, and until when it was wanted.
    pub fn reminder(&self, now: At) -> String {
        let due = self.due.map(|due| format!(", due {}", due.date())).unwrap_or_default();
        let days = text::count(usize::try_from(self.lasted(now).as_secs() / 86_400).unwrap_or(usize::MAX), "day");
        format!("{}\n\n(Asked {}, {days} ago{due}.)\n", self.asked().trim_end(), self.since.date())
    }
}

impl Waited {
    pub fn lasted(&self) -> Duration {
        self.until.since(self.wait.since)
    }
}

/// The waits of an engagement, each with its row: overdue ones first, then by when they are due, then the oldest.
pub fn waiting(board: &Board) -> Vec<(&Row, &Wait)> {
    let rows = board.rows.iter().filter_map(|row| match &row.status {
        Status::Waiting(wait) => Some((row, wait)),
        _ => None,
    });
    let mut waits: Vec<(&Row, &Wait)> = rows.collect();
    waits.sort_by_key(|(_, wait)| (wait.due.is_none(), wait.due, wait.since));
    waits
}

/// The waits on one party, added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitsOn {
    pub party: Party,
    pub count: usize,
    pub overdue: usize,
    /// Since when the oldest of them lasts.
    pub since: At,
}

impl WaitsOn {
    /// `customer 2 (1 overdue, oldest 12 d)`.
    pub fn said(&self, now: At) -> String {
        let oldest = text::about(now.since(self.since));
        match self.overdue {
            0 => format!("{} {} (oldest {oldest})", self.party, self.count),
            overdue => format!("{} {} ({overdue} overdue, oldest {oldest})", self.party, self.count),
        }
    }
}

/// Waits by party, the party with most overdue first, then the one with the oldest.
pub fn by_party<'a>(waits: impl IntoIterator<Item = &'a Wait>, now: At) -> Vec<WaitsOn> {
    let mut sums: Vec<WaitsOn> = Vec::new();
    for wait in waits {
        let overdue = usize::from(wait.overdue(now).is_some());
        match sums.iter_mut().find(|sum| sum.party == wait.party) {
            Some(sum) => {
                sum.count += 1;
                sum.overdue += overdue;
                sum.since = sum.since.min(wait.since);
            }
            None => sums.push(WaitsOn { party: wait.party, count: 1, overdue, since: wait.since }),
        }
    }
    sums.sort_by_key(|sum| (Reverse(sum.overdue), sum.since));
    sums
}

/// Waits with what they belong to, by who must move, in the order of `by_party`.
pub fn grouped<T>(mut waits: Vec<(T, &Wait)>, now: At) -> Vec<(T, &Wait)> {
    let parties: Vec<Party> = by_party(waits.iter().map(|(_, wait)| *wait), now).iter().map(|sum| sum.party).collect();
    waits.sort_by_key(|(_, wait)| parties.iter().position(|party| *party == wait.party));
    waits
}

/// A date as a person gives it: `2026-12-05` is the end of that day where they are, `10 days` is from now on.
///
/// # Errors
/// It is neither; says what to write.
pub fn due(text: &str, now: At, utc_offset_minutes: i32) -> Result<At, String> {
    let wrong = || format!("\"{text}\" is no date: write 2026-12-05, or 10 days");
    let text = text.trim();
    if let Some(time) = text::read_duration(text) {
        return i64::try_from(time.as_millis()).map(|time| At(now.0.saturating_add(time))).map_err(|_| wrong());
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let end = date.at(23, 59, 59, 0);
    let offset = jiff::tz::Offset::from_seconds(utc_offset_minutes.saturating_mul(60)).map_err(|_| wrong())?;
    offset.to_timestamp(end).map(|at| At(at.as_millisecond())).map_err(|_| wrong())
}
