//! Output of running attempts: collected, written in one go, and shown made harmless.

use super::Dispatcher;
use crate::engine::handle::Notice;

impl Dispatcher {
    /// Writes and shows what came since the last time.
    pub(super) fn flush_output(&mut self) {
        let mut pieces = Vec::new();
        for (step, running) in self.running.iter_mut().filter(|(_, running)| !running.output.is_empty()) {
            pieces.push((step.clone(), running.number, std::mem::take(&mut running.output)));
        }
        self.book.output(&pieces);
        for (step, attempt, bytes) in pieces {
            let text = self.running.get_mut(&step).map(|running| running.cleaner.push(&bytes)).unwrap_or_default();
            self.book.tell(&Notice::Output { step, attempt, text });
        }
    }
}
