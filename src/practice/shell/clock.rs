//! The hosts' time: it runs as fast as ours, and practice can put it forward.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Time since the hosts came up. Leaving practice stops it, coming back goes on from there.
pub struct Clock {
    started: Instant,
    ahead: watch::Sender<Duration>,
}

impl Clock {
    /// A clock that shows `elapsed` now.
    pub fn showing(elapsed: Duration) -> Self {
        Self { started: Instant::now(), ahead: watch::Sender::new(elapsed) }
    }

    pub fn now(&self) -> Duration {
        self.started.elapsed() + *self.ahead.borrow()
    }

    pub fn advance(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead += by);
    }

    /// Waits until the clock shows `due`.
    pub async fn reach(&self, due: Duration) {
        let mut changes = self.ahead.subscribe();
        loop {
            let Some(left) = due.checked_sub(self.now()).filter(|left| !left.is_zero()) else { return };
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = changes.changed() => {}
            }
        }
    }
}
