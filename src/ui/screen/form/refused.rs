//! What becomes of what was typed and not taken: an answer that the engine refused, a secret that no store has yet.

use super::FormScreen;
use crate::engagement::{Refusal, Target};
use crate::text;
use crate::ui::facts::Said;
use crate::ui::screen::form_field::{Control, FormField, Problem};
use crate::ui::words;

impl FormField {
    /// A secret that was typed, and that no store has yet.
    pub(super) fn holds_a_secret(&self) -> bool {
        matches!(&self.control, Control::Secret(line) if !line.is_blank())
    }
}

impl FormScreen {
    /// What is typed and was not taken, for whoever leaves the form.
    pub fn not_taken(&self) -> Option<Said> {
        let wrong = self.fields.iter().filter(|field| field.problem.as_ref().is_some_and(Problem::refuses));
        let labels: Vec<&str> = wrong.map(|field| field.label.as_str()).collect();
        let unkept = self.fields.iter().find(|field| field.holds_a_secret() && !labels.contains(&field.label.as_str()));
        match unkept {
            _ if !labels.is_empty() => {
                let labels = text::list(&labels);
                Some(Said::bad(format!(
                    "Not taken as it stands, and kept here until you quit, for you to mend: {labels}"
                )))
            }
            Some(field) => {
                Some(Said::bad(format!("Typed, and kept nowhere yet: {}; Enter in its field keeps it", field.label)))
            }
            None => None,
        }
    }

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
