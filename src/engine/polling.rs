//! When a step that waits on somebody outside is looked at again, for as long as the engine is open.
//!
//! Often at first and seldom later: who was asked a minute ago may answer any second, who was asked a week ago will not
//! answer to the second. Nothing of this is kept: an engine that opens looks soon at everything that waits.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engagement::{Address, At, Board, Status};

/// How often the time of the next look is thought of.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// Between two looks at what has only just begun to wait, and at what waits for hours and weeks.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// The time until the next look at a step that has waited so long: a tenth of that, not below 5 s and not above half an
/// hour, and then up to a fifth shorter or longer, as `noise` says, so that many waits do not march in step.
fn pause(waited: Duration, noise: u8) -> Duration {
    let base = (waited / 10).clamp(SHORTEST, LONGEST);
    base * 4 / 5 + base * 2 / 5 * u32::from(noise) / 255
}

/// The first look: soon after the engine was opened, or after the step began to wait, and not at everything at once.
fn first(noise: u8) -> Duration {
    Duration::from_millis(1000 + 8 * u64::from(noise))
}

/// When what waits is looked at next.
#[derive(Debug, Default)]
pub(super) struct Polling {
    next: BTreeMap<Address, At>,
}

impl Polling {
    /// A person spoke of it: it is looked at as soon as one that has only just begun to wait.
    pub fn soon(&mut self, step: &Address) {
        self.next.remove(step);
    }

    /// The steps to look at now, at most `free`; `noise` gives any number.
    pub fn due(&mut self, board: &Board, now: At, free: usize, noise: impl Fn() -> u8) -> Vec<Address> {
        let waiting: BTreeMap<&Address, At> = board
            .rows
            .iter()
            .filter(|row| row.can_be_looked_at())
            .filter_map(|row| match &row.status {
                Status::Waiting(wait) => Some((&row.address, wait.since)),
                _ => None,
            })
            .collect();
        self.next.retain(|step, _| waiting.contains_key(step));
        let mut due = Vec::new();
        for (step, since) in waiting {
            let next = self.next.entry(step.clone()).or_insert_with(|| now.after(first(noise())));
            // A clock that was put back must not put the look off for as long.
            *next = (*next).min(now.after(LONGEST * 6 / 5));
            if *next <= now && due.len() < free {
                *next = now.after(pause(now.since(since), noise()));
                due.push(step.clone());
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engagement::{Row, Tally, Wait};
    use crate::runbook::{Party, StepId};

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    #[test]
    fn it_looks_often_at_first_and_seldom_later() {
        for (waited, seconds) in [
            (0, 5),
            (30, 5),
            (MINUTE, 6),
            (10 * MINUTE, MINUTE),
            (HOUR, 6 * MINUTE),
            (5 * HOUR, 30 * MINUTE),
            (DAY, 30 * MINUTE),
            (60 * DAY, 30 * MINUTE),
        ] {
            let waited = Duration::from_secs(waited);
            let middle = (pause(waited, 0) + pause(waited, 255)) / 2;
            assert_eq!(middle.as_secs(), seconds, "{waited:?}");
        }
    }

    fn board(waits: &[(&str, At)]) -> Board {
        let row = |(key, since): &(&str, At)| Row {
            address: Address::new(StepId::new("net", "door"), Some((*key).to_owned())),
            title: String::new(),
            owner: Party::Operator,
            status: Status::Waiting(Wait {
                party: Party::Customer,
                who: String::new(),
                since: *since,
                due: None,
                ask: String::new(),
                said: String::new(),
                note: String::new(),
                by_hand: *key == "by-hand",
                set: false,
            }),
            touches_world: *key != "manual",
            outdated: false,
        };
        Board { rows: waits.iter().map(row).collect(), tally: Tally::default() }
    }

    /// Looks at one wait, in seconds after the start.
    fn looks(since: At, until: u64) -> Vec<u64> {
        let board = board(&[("one", since)]);
        let mut polling = Polling::default();
        let looked = |second: &u64| !polling.due(&board, At(1000 * *second as i64), 8, || 128).is_empty();
        (0..until).filter(looked).collect()
    }

    #[test]
    fn the_first_look_is_soon_also_at_what_has_waited_for_weeks() {
        assert_eq!(looks(At(0), 30), [3, 9, 15, 21, 27]);
        assert_eq!(looks(At(-21 * 86_400_000), 6 * HOUR).len(), 12);
        assert_eq!(looks(At(-21 * 86_400_000), 10), [3]);
    }

    #[test]
    fn only_what_onramp_can_look_at_is_looked_at_and_no_more_than_there_is_room_for() {
        let board = board(&[("a", At(0)), ("b", At(0)), ("c", At(0)), ("by-hand", At(0)), ("manual", At(0))]);
        let mut polling = Polling::default();
        assert!(polling.due(&board, At(0), 8, || 0).is_empty());
        let keys = |due: Vec<Address>| due.into_iter().filter_map(|step| step.key).collect::<Vec<_>>();
        assert_eq!(keys(polling.due(&board, At(1000), 2, || 0)), ["a", "b"]);
        assert_eq!(keys(polling.due(&board, At(1001), 8, || 0)), ["c"], "it did not lose its turn");
        assert!(polling.due(&Board::default(), At(1002), 8, || 0).is_empty());
        assert!(polling.next.is_empty(), "what no longer waits is forgotten");
    }

    #[test]
    fn a_clock_that_is_put_back_does_not_put_the_looks_off() {
        let (day, board) = (86_400_000, board(&[("one", At(0))]));
        let mut polling = Polling::default();
        polling.due(&board, At(day), 8, || 0);
        assert!(polling.due(&board, At(0), 8, || 0).is_empty());
        assert_eq!(polling.due(&board, At(36 * 60_000), 8, || 0).len(), 1);
    }

    proptest! {
        #[test]
        fn a_pause_is_bounded_and_never_gets_shorter(seconds in 0_u64..10_000_000, more in 0_u64..10_000, noise in any::<u8>()) {
            let (earlier, now) = (Duration::from_secs(seconds), Duration::from_secs(seconds + more));
            prop_assert!(pause(earlier, noise) <= pause(now, noise));
            prop_assert!(pause(now, noise) >= SHORTEST * 4 / 5 && pause(now, noise) <= LONGEST * 6 / 5);
        }
    }
}
