//! What a field offers, and what is known to be answered, as much of it as has room.

use super::{Control, FormField, tallest};
use crate::text;
use crate::ui::facts::Facts;
use crate::ui::widget::field::Editor;

/// Known answers that are shown at once.
const MOST_KNOWN: usize = 8;

/// Known answers that have what is typed in them; all, where none has.
pub(super) fn like_the_draft(field: &FormField) -> Option<String> {
    let draft = field.draft().trim().to_lowercase();
    let alike: Vec<&String> = field.known.iter().filter(|known| known.to_lowercase().contains(&draft)).collect();
    let alike = if alike.is_empty() { field.known.iter().collect() } else { alike };
    let shown: Vec<&str> = alike.iter().take(MOST_KNOWN).map(|known| known.as_str()).collect();
    let more = match alike.len().saturating_sub(MOST_KNOWN) {
        0 => String::new(),
        more => format!("; {more} more, which typing finds"),
    };
    (!shown.is_empty()).then(|| format!("Known: {}{more}", shown.join("; ")))
}

/// What is offered shows through an empty field; below a part of it stands how to read the rest.
pub(super) fn rows(facts: &Facts, field: &FormField, room: usize) -> Vec<String> {
    let rows = all_rows(field, room);
    let page = tallest(facts) - 1;
    if rows.len() <= page + 1 {
        return rows;
    }
    let above = field.above.min(rows.len() - page);
    let mut shown = rows[above..above + page].to_vec();
    shown.push(match (above, rows.len() - page - above) {
        (above, 0) => format!("{} above: PgUp", text::count(above, "row")),
        (0, below) => format!("{} below: PgDn", text::count(below, "row")),
        (above, below) => format!("{above} above: PgUp, {below} below: PgDn"),
    });
    shown
}

fn all_rows(field: &FormField, room: usize) -> Vec<String> {
    let offer = field.offer.as_deref().filter(|_| field.is_blank());
    offer.map(|offer| Editor::lines(offer).shown(room)).unwrap_or_default()
}

impl FormField {
    /// A page down or up in what is offered, or in a long text.
    pub fn page(&mut self, facts: &Facts, down: bool, room: usize) {
        let page = tallest(facts) - 1;
        let last = all_rows(self, room).len().saturating_sub(page);
        match &mut self.control {
            Control::Text(editor) if editor.has_many_lines() && !editor.is_blank() => {
                // At the first row and at the last it stays.
                let _ = (0..page).all(|_| editor.move_row(down, room));
            }
            _ if down => self.above = (self.above + page).min(last),
            _ => self.above = self.above.min(last).saturating_sub(page),
        }
    }
}
