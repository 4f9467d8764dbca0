//! What leads from one field of a form to the next, and out of it.

use super::FormScreen;
use crate::ui::screen::form_field::{Control, FormField, Tone};

impl FormScreen {
    /// What Tab does: on the last field of a form that wants nothing else it is done.
    pub fn next_hint(&self) -> String {
        match (self.leaves_offer(), self.tab_ends_it()) {
            (true, _) => "leave it empty",
            (false, true) => "done",
            (false, false) => "next",
        }
        .to_owned()
    }

    /// Does Tab lead anywhere? It takes no choice and no secret, and accepts no empty form: Enter does.
    pub fn can_go_on(&self) -> Result<(), String> {
        let typed = self.field().is_some_and(|field| matches!(field.control, Control::Text(_)) && !field.is_blank());
        if self.fields.len() > 1 || typed || self.tab_ends_it() {
            return Ok(());
        }
        match self.fields.is_empty() {
            true => Err("nothing is asked here".to_owned()),
            false => Err(format!("there is no other field; Enter: {}", self.enter_hint())),
        }
    }

    pub fn can_go_back(&self) -> Result<(), String> {
        if self.cursor > 0 { Ok(()) } else { Err("this is the first field".to_owned()) }
    }

    /// Would Tab leave an offer where it is, and the form empty? Enter takes it, so nothing else does that.
    pub(super) fn leaves_offer(&self) -> bool {
        let offered = |field: &FormField| field.optional && field.is_blank() && field.offer.is_some();
        self.is_last() && self.complete() && self.accept_empty().is_some() && self.field().is_some_and(offered)
    }

    pub(super) fn tab_ends_it(&self) -> bool {
        if self.leaves_offer() {
            return true;
        }
        let Some(field) = self.field().filter(|_| self.is_last()) else { return false };
        let others = self.first_open().is_none_or(|open| open == self.cursor);
        let given = field.saved.is_some() || (field.is_taken_when_left() && !field.is_blank());
        let wrong = field.problem.as_ref().is_some_and(|problem| problem.tone != Tone::Strange);
        let anything = given || !self.pending.is_empty() || self.fields.iter().any(|field| field.saved.is_some());
        others && anything && (given || field.optional) && !wrong
    }
}
