//! The pace of one cloud: how many calls a second all steps together may send, and how long every pause is.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Calls at once, and calls a second after that: well below what EC2 gives an account and region for its cheaper calls
/// (100 at once, 20 a second; EC2 API throttling), because people's consoles drink from the same bucket.
const BURST: f64 = 40.0;
const PER_SECOND: f64 = 15.0;

/// Shared by every call of one cloud.
#[derive(Debug)]
pub struct Limiter {
    hurry: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    filled: Instant,
    closed_until: Instant,
}

impl Limiter {
    /// Every pause is divided by `hurry`: 1 in life, more where the other side is a program on this machine.
    pub fn new(hurry: u32) -> Self {
        let now = Instant::now();
        let state = State { tokens: BURST, filled: now, closed_until: now };
        Limiter { hurry: hurry.max(1), state: Mutex::new(state) }
    }

    /// Sleeps that long, or less in a hurry.
    pub async fn pause(&self, pause: Duration) {
        tokio::time::sleep(pause / self.hurry).await;
    }

    /// Waits for this call's turn.
    pub async fn turn(&self) {
        while let Some(wait) = self.take() {
            tokio::time::sleep(wait).await;
        }
    }

    /// AWS said "too fast": nobody sends anything for that long.
    pub fn back_off(&self, pause: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tokens = 0.0;
        state.closed_until = state.closed_until.max(Instant::now() + pause / self.hurry);
    }

    fn per_second(&self) -> f64 {
        PER_SECOND * f64::from(self.hurry)
    }

    fn take(&self) -> Option<Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now < state.closed_until {
            return Some(state.closed_until - now);
        }
        let gained = now.saturating_duration_since(state.filled).as_secs_f64() * self.per_second();
        state.tokens = (state.tokens + gained).min(BURST);
        state.filled = now;
        if state.tokens >= 1.0 {
            state.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - state.tokens) / self.per_second()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_the_burst_calls_are_paced() {
        let limiter = Limiter::new(10);
        let began = Instant::now();
        for _ in 0..(40 + 30) {
            limiter.turn().await;
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(190), "30 calls at 150 a second took {took:?}");
    }

    #[tokio::test]
    async fn throttling_stops_everybody_for_a_while() {
        let limiter = Limiter::new(10);
        limiter.back_off(Duration::from_secs(2));
        let began = Instant::now();
        limiter.turn().await;
        assert!(began.elapsed() >= Duration::from_millis(200));
    }
}
