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
        let Some((id, _)) = self.pending.pop() else { return false };
        let field = self.fields.iter_mut().find(|field| field.id == id);
        field.map(|field| field.problem = Some(Problem::error(words::refused(refusal)))).is_some()
    }

    /// What has to be taken back before the answer that was refused last can be given.
    pub fn in_the_way(&self) -> &[Target] {
        &self.in_the_way
    }
}
