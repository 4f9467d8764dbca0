//! Looking again and again until something is so, and telling meanwhile what is waited for, and until when.

use std::time::Duration;

use tokio::time::Instant;

use super::world::World;
use crate::aws::{Cloud, Holdup};
use crate::engagement::Failure;

/// Looks at one thing with pauses between them. When it is dropped, the wait is over.
pub(super) struct Vigil<'a> {
    world: &'a World,
    cloud: &'a Cloud,
    since: Instant,
    until: Instant,
}

impl<'a> Vigil<'a> {
    /// The pauses come to so much at most.
    pub(super) fn new(world: &'a World, cloud: &'a Cloud, at_most: Duration) -> Self {
        let since = Instant::now();
        Vigil { world, cloud, since, until: since + cloud.takes(at_most) }
    }

    /// It is only looked at until it is so.
    pub(super) fn waits_for(&self, said: &str) -> Holdup {
        let (why, code, raw) = (said.to_owned(), None, String::new());
        Holdup { why, code, raw, tries: 0, since: self.since, until: self.until }
    }

    /// It was tried so often, and refused each time.
    pub(super) fn was_refused(&self, failure: &Failure, tries: u32) -> Holdup {
        let Failure { code, what, meaning, raw, .. } = failure;
        let why = Holdup::why(code.as_deref(), what, meaning);
        let (code, raw) = (code.clone(), raw.clone());
        Holdup { why, code, raw, tries, since: self.since, until: self.until }
    }

    /// As `was_refused`, where the pauses that are left come to so much at most.
    pub(super) fn is_refused_for(&self, failure: &Failure, tries: u32, at_most: Duration) -> Holdup {
        Holdup { until: Instant::now() + self.cloud.takes(at_most), ..self.was_refused(failure, tries) }
    }

    /// Waits before the next look; false when a person stopped it.
    pub(super) async fn rest(&self, holdup: Holdup, pause: Duration) -> bool {
        self.world.teller.held_up(holdup);
        tokio::select! {
            () = self.world.cancel.cancelled() => false,
            () = self.cloud.pause(pause) => true,
        }
    }
}

impl Drop for Vigil<'_> {
    fn drop(&mut self) {
        self.world.teller.goes_on();
    }
}
