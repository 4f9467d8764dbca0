//! Output of running attempts: collected, written in one go, and shown made harmless; and what is asked of it later.

use tokio_util::sync::CancellationToken;

use super::Dispatcher;
use crate::engine::find::find;
use crate::engine::handle::{Find, Notice};

impl Dispatcher {
    /// Writes and shows what came since the last time.
    pub(super) fn flush_output(&mut self) {
        let mut pieces = Vec::new();
        for (step, running) in self.running.iter_mut().filter(|(_, running)| !running.output.is_empty()) {
            pieces.push((step.clone(), running.number, std::mem::take(&mut running.output)));
        }
        let placed = self.book.output(&pieces);
        for ((step, attempt, bytes), placed) in pieces.into_iter().zip(placed) {
            let Some(running) = self.running.get_mut(&step) else { continue };
            let mut text = running.cleaner.push(&bytes);
            if placed.broken {
                text.push_str(&running.cleaner.finish());
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            self.book.tell(&Notice::Output { step, attempt, from: placed.from, text });
        }
    }

    /// Looks for it on a thread of its own; what was looked for before is given up.
    pub(super) fn find(&mut self, wanted: Find) {
        self.flush_output();
        let stop = CancellationToken::new();
        self.finding = Some(stop.clone().drop_guard());
        let (folder, masks) = (self.book.folder(), self.book.masks().clone());
        let named = self.book.named_at(&wanted.step, wanted.attempt);
        self.searches.spawn_blocking(move || find(&folder, &named, wanted, &masks, &stop));
    }
}
