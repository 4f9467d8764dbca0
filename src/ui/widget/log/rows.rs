//! Where a row of the screen is in an output: each of its lines takes as many rows as it needs.

use ratatui::layout::Size;

use super::window::{LONGEST_LINE, Output};
use crate::ui::widget::prose::broken_at_words;

/// A row: the number of its line, and how many rows of that line stand above it.
pub type Row = (usize, usize);

/// A line as it stands on the screen: broken between words, never in them.
pub fn rows_of(line: &str, width: u16) -> Vec<String> {
    broken_at_words(line, usize::from(width.max(1)))
}

impl Output {
    /// How many rows a line takes; one that is not here counts for one.
    pub fn rows(&self, line: usize, width: u16) -> usize {
        match self.line(line) {
            Some(text) if text.len() > usize::from(width) => rows_of(text, width).len(),
            _ => 1,
        }
    }

    /// How many rows of a line stand above the one with this text in it; none where it is broken in two.
    pub fn above(&self, line: usize, wanted: &str, width: u16) -> usize {
        let wanted = wanted.to_lowercase();
        let rows = self.line(line).map(|line| rows_of(line, width)).unwrap_or_default();
        rows.iter().position(|row| row.to_lowercase().contains(&wanted)).unwrap_or(0)
    }

    /// The row at the top when the newest one stands at the bottom.
    pub fn bottom(&self, room: Size) -> Row {
        let last = self.total().saturating_sub(1);
        let newest = (last, self.rows(last, room.width) - 1);
        self.up(newest, usize::from(room.height.saturating_sub(1)), room.width)
    }

    /// So many rows down from a row, or up where it is less than nothing.
    pub fn moved(&self, from: Row, by: isize, width: u16) -> Row {
        // Farther than there are rows at all: nobody has to count them.
        let far = by.unsigned_abs() > self.total().saturating_mul(LONGEST_LINE);
        match (far, by < 0) {
            (true, true) => (0, 0),
            (true, false) => (self.total(), 0),
            (false, true) => self.up(from, by.unsigned_abs(), width),
            (false, false) => self.down(from, by.unsigned_abs(), width),
        }
    }

    fn down(&self, (mut line, mut above): Row, mut rows: usize, width: u16) -> Row {
        while line < self.total() {
            let rest = self.rows(line, width).saturating_sub(above + 1);
            if rows <= rest {
                break;
            }
            rows -= rest + 1;
            (line, above) = (line + 1, 0);
        }
        (line, if line < self.total() { above + rows } else { 0 })
    }

    fn up(&self, (mut line, above): Row, mut rows: usize, width: u16) -> Row {
        let mut above = above.min(self.rows(line, width) - 1);
        while rows > above {
            if line == 0 {
                return (0, 0);
            }
            rows -= above + 1;
            line -= 1;
            above = self.rows(line, width) - 1;
        }
        (line, above - rows)
    }
}
