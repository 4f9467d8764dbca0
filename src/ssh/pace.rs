//! How many hosts are connected to at the same time: as many as goes well.
//!
//! It begins with a few and takes one more for each that went well. After a server has turned us away or fallen silent it
//! takes half as many, and from then on it grows slowly. It does not grow while more at once only make each other slower.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

const FIRST: usize = 16;
const MOST: usize = 256;
/// A login that takes so many times as long as the quickest one waits for a processor, and not for the network.
const CROWDED: u32 = 3;

/// The turns to connect to a host.
pub(super) struct Pace {
    turns: Semaphore,
    state: Mutex<State>,
}

struct State {
    /// How many turns there are, taken ones too.
    width: usize,
    /// Turns that are taken, and not given out again when they come back.
    surplus: usize,
    /// How often it was halved: those who began before the last time say nothing new.
    round: u64,
    /// Logins that went well since it last grew, once it has been halved.
    credit: usize,
    quickest: Option<Duration>,
}

/// The right to connect to one host, until it is dropped.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    permit: Option<SemaphorePermit<'a>>,
    round: u64,
}

impl Default for Pace {
    fn default() -> Self {
        let state = State { width: FIRST, surplus: 0, round: 0, credit: 0, quickest: None };
        Self { turns: Semaphore::new(FIRST), state: Mutex::new(state) }
    }
}

impl Pace {
    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Turn<'_> {
        // Nobody closes it.
        let permit = self.turns.acquire().await.ok();
        Turn { pace: self, permit, round: self.state().round }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may connect at the same time now.
    #[cfg(test)]
    pub(super) fn width(&self) -> usize {
        self.state().width
    }
}

impl Turn<'_> {
    /// The host let us in, and that took so long.
    pub(super) fn went_well(&self, took: Duration) {
        let mut state = self.pace.state();
        let quickest = state.quickest.map_or(took, |before| before.min(took));
        state.quickest = Some(quickest);
        if took > quickest * CROWDED || state.width >= MOST {
            return;
        }
        state.credit += 1;
        if state.round > 0 && state.credit < state.width {
            return;
        }
        state.credit = 0;
        state.width += 1;
        match state.surplus {
            0 => self.pace.turns.add_permits(1),
            _ => state.surplus -= 1,
        }
    }

    /// The server turned us away, or said nothing in time.
    pub(super) fn turned_away(&self) {
        let mut state = self.pace.state();
        if self.round < state.round {
            return;
        }
        let less = state.width / 2;
        state.width -= less;
        state.surplus += less - self.pace.turns.forget_permits(less);
        state.round += 1;
        state.credit = 0;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn it_doubles_while_all_goes_well_and_is_halved_once_for_all_who_were_turned_away_together() {
        let pace = Pace::default();
        let mut turns = Vec::new();
        for _ in 0..FIRST {
            turns.push(pace.turn().await);
        }
        turns.iter().for_each(|turn| turn.went_well(QUICK));
        assert_eq!(pace.width(), 2 * FIRST);
        turns.iter().for_each(Turn::turned_away);
        assert_eq!(pace.width(), FIRST);
        drop(turns);
        assert_eq!(pace.turns.available_permits(), FIRST);

        let turn = pace.turn().await;
        (0..FIRST).for_each(|_| turn.went_well(QUICK));
        assert_eq!(pace.width(), FIRST + 1, "slowly from then on");
    }

    #[tokio::test]
    async fn it_never_ends_and_comes_back() {
        let pace = Pace::default();
        for _ in 0..20 {
            let turn = pace.turn().await;
            turn.turned_away();
        }
        assert_eq!((pace.width(), pace.turns.available_permits()), (1, 1));
        for _ in 0..10 {
            pace.turn().await.went_well(QUICK);
        }
        assert!(pace.width() > 3);
        assert_eq!(pace.turns.available_permits(), pace.width());
    }

    #[tokio::test]
    async fn more_at_once_that_only_make_each_other_slower_are_not_taken() {
        let pace = Pace::default();
        let turn = pace.turn().await;
        turn.went_well(QUICK);
        let width = pace.width();
        (0..50).for_each(|_| turn.went_well(QUICK * 10));
        assert_eq!(pace.width(), width);
    }
}
