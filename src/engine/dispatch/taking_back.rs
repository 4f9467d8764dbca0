//! Taking back what was made, and adopting what others made.

use super::{Dispatcher, Going};
use crate::engagement::{Address, Refusal, Target, may_adopt};
use crate::engine::attempt::Job;
use crate::engine::undoing::Undoing;

impl Dispatcher {
    /// Takes back what was made by these, or everything.
    pub(super) fn start_undo(&mut self, targets: &[Target]) {
        if self.book.is_broken() {
            return self.book.tell_broken();
        }
        if self.running.values().any(|running| !running.poll) || !matches!(self.going, Going::Nothing) {
            return self.refuse("something is running", "Stop it first, then undo");
        }
        let runbook = self.library.for_undo(self.book.engagement());
        match Undoing::new(self.book.engagement(), &runbook, targets, self.clock.now()) {
            Ok(undoing) if self.book.append(undoing.began(targets.is_empty())) => self.going = Going::Undo(undoing),
            Ok(_) => return,
            Err(Refusal { why, advice, .. }) => return self.refuse(why, advice),
        }
        self.go_on();
    }

    pub(super) fn undo_next(&mut self) {
        if !self.running.is_empty() {
            return;
        }
        let Going::Undo(undoing) = &mut self.going else { return };
        let Some((step, job)) = undoing.next(self.book.engagement()) else { return };
        self.begin(&step, None, job);
        if !self.running.contains_key(&step)
            && let Going::Undo(undoing) = &mut self.going
        {
            undoing.give_up();
        }
    }

    pub(super) fn adopt(&mut self, step: &Address, id: Option<String>, reason: String) {
        if self.book.is_broken() {
            return self.book.tell_broken();
        }
        if self.running.get(step).is_some_and(|running| !running.poll) || matches!(self.going, Going::Undo(_)) {
            return self.refuse(format!("{step} is being worked on"), "Wait until that ends, or stop it");
        }
        if let Err(Refusal { why, advice, .. }) = may_adopt(self.book.engagement(), &self.runbook, step, &reason) {
            return self.refuse(why, advice);
        }
        self.begin(step, None, Job::Adopt { id, reason });
    }
}
