//! What becomes of an answer that looked right and was refused by the engine.

use super::FormScreen;
use crate::engagement::{Refusal, Target};
use crate::ui::screen::form_field::Problem;
use crate::ui::words;

impl FormScreen {
    /// An answer that looked right was refused by the engine: the words go to its field, the draft stays. False where
    /// no answer was on its way.
    pub fn refused(&mut self, refusal: &Refusal) -> bool {
        if !refusal.undo.is_empty() {
            self.in_the_way.clone_from(&refusal.undo);
        }
        // What was given with it was refused with it.
        let Some((id, _)) = std::mem::take(&mut self.pending).pop() else { return false };
        let Some(at) = self.fields.iter().position(|field| field.id == id) else { return false };
        self.fields[at].problem = Some(Problem::error(words::refused(refusal)));
        // The cursor had gone on, as after any answer.
        (self.cursor, self.answered) = (at, None);
        self.makes_way_for = (!refusal.undo.is_empty()).then_some(id);
        true
    }

    /// What was in the way is gone: the refusal is, too, and the draft stands where it was typed.
    pub(super) fn free_the_way(&mut self) {
        let Some(id) = self.makes_way_for.take() else { return };
        let Some(at) = self.fields.iter().position(|field| field.id == id) else { return };
        self.fields[at].problem = None;
        (self.cursor, self.answered, self.way_is_free) = (at, None, true);
    }

    /// Is the way free since the last time this was asked?
    pub fn takes_the_free_way(&mut self) -> bool {
        std::mem::take(&mut self.way_is_free)
    }

    /// What has to be taken back before the answer that was refused last can be given.
    pub fn in_the_way(&self) -> &[Target] {
        &self.in_the_way
    }
}
