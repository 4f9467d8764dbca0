//! The only clock: what time it is, and the jitter that keeps pollers from marching in step.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::engagement::At;

/// The system's clock, or one that stands still for tests.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    fixed: Option<(Arc<AtomicI64>, i64)>,
    /// Its pauses are over at once, and it has moved by them.
    lapses: bool,
}

impl Clock {
    /// A clock that shows `at` and moves by `step` with each look: recorded times are the same in every run.
    pub fn stepping(at: At, step: Duration) -> Self {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        Clock { fixed: Some((Arc::new(AtomicI64::new(at.0)), step)), ..Clock::default() }
    }

    /// A clock that moves by what is paused, and pauses for nothing: what takes hours is over in a moment.
    pub fn lapsing(at: At) -> Self {
        Clock { lapses: true, ..Clock::stepping(at, Duration::ZERO) }
    }

    /// How long it has been since then, which was `began`. A clock on the wall may be put forward or back meanwhile.
    pub(super) fn passed(&self, since: At, began: Instant) -> Duration {
        if self.lapses { self.peek().since(since) } else { began.elapsed() }
    }

    pub fn now(&self) -> At {
        match &self.fixed {
            Some((shown, step)) => At(shown.fetch_add(*step, Ordering::Relaxed)),
            None => At(jiff::Timestamp::now().as_millisecond()),
        }
    }

    /// The time, without moving a clock that moves with each look.
    pub(super) fn peek(&self) -> At {
        match &self.fixed {
            Some((shown, _)) => At(shown.load(Ordering::Relaxed)),
            None => self.now(),
        }
    }

    /// How long to wait before the `turn`-th look (from 0): 1, 2, 4, 8, 8, … seconds, each ± 20 %. Where time moves by
    /// looks, there is no need to wait for it long.
    pub(super) fn pause(&self, turn: u32) -> Duration {
        let base = 1000_u64 << turn.min(3);
        let pause = Duration::from_millis(base * 4 / 5 + base * 2 / 5 * u64::from(noise()) / 255);
        if let (true, Some((shown, _))) = (self.lapses, &self.fixed) {
            shown.fetch_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
            return Duration::from_millis(1);
        }
        if self.fixed.is_some() { pause / 50 } else { pause }
    }
}

/// Any number; always the same one on a machine without entropy.
pub(super) fn noise() -> u8 {
    let mut noise = [0_u8; 1];
    let _ = getrandom::fill(&mut noise);
    noise[0]
}
