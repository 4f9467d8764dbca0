//! The output of an attempt: the newest lines, bounded, and a view that wraps only what it shows.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::ui::look::{Look, Role};
use crate::ui::widget::prose::broken;

/// More lines than this are paged from the engine, not kept.
pub const KEPT_LINES: usize = 20_000;

/// A line longer than this is cut in the view; the journal has all of it.
const LONGEST_LINE: usize = 8_192;

/// The end of one attempt's output, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    pub attempt: u32,
    /// Lines before the first one kept.
    pub dropped: usize,
    lines: VecDeque<String>,
    /// The last line has no line end yet.
    open: bool,
}

impl Output {
    pub fn new(attempt: u32) -> Self {
        Output { attempt, ..Output::default() }
    }

    /// A page that the engine sent: lines `from` and following.
    pub fn page(attempt: u32, from: usize, lines: Vec<String>) -> Self {
        Output { attempt, dropped: from, lines: lines.into(), open: false }
    }

    /// Adds what just came.
    pub fn push(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let (body, ends) = match piece.strip_suffix('\n') {
                Some(body) => (body, true),
                None => (piece, false),
            };
            match self.lines.back_mut().filter(|_| self.open) {
                Some(line) if line.len() < LONGEST_LINE => line.push_str(body),
                Some(_) => {}
                None => self.lines.push_back(body.to_owned()),
            }
            self.open = !ends;
        }
        while self.lines.len() > KEPT_LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
    }

    /// Puts an earlier page before what is there, when it fits.
    pub fn prepend(&mut self, from: usize, lines: Vec<String>) -> bool {
        if from + lines.len() != self.dropped {
            return false;
        }
        for line in lines.into_iter().rev() {
            self.lines.push_front(line);
        }
        self.dropped = from;
        true
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines kept here.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Lines there are, with those that were dropped.
    pub fn total(&self) -> usize {
        self.dropped + self.lines.len()
    }

    pub fn last(&self) -> Option<&str> {
        self.lines.iter().rev().map(String::as_str).find(|line| !line.trim().is_empty())
    }

    /// The next line that holds `wanted`, from `start` on, up or down; small letters find capitals too.
    pub fn find(&self, wanted: &str, start: usize, down: bool) -> Option<usize> {
        let wanted = wanted.to_lowercase();
        let holds = |index: &usize| self.lines.get(*index).is_some_and(|line| line.to_lowercase().contains(&wanted));
        if down { (start..self.lines.len()).find(holds) } else { (0..start.min(self.lines.len())).rev().find(holds) }
    }
}

/// Where a reader stands in an output.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// New lines move the view.
    pub follow: bool,
    /// First line shown, when not following.
    pub top: usize,
    /// What is looked for.
    pub find: String,
}

impl Default for View {
    fn default() -> Self {
        View { follow: true, top: 0, find: String::new() }
    }
}

impl View {
    /// Moves by lines; up ends following, and reaching the end resumes it.
    pub fn scroll(&mut self, lines: isize, output: &Output, height: usize) {
        let bottom = output.len().saturating_sub(height.max(1));
        let from = if self.follow { bottom } else { self.top.min(bottom) };
        self.top = from.saturating_add_signed(lines).min(bottom);
        self.follow = lines > 0 && self.top >= bottom;
    }

    /// `FOLLOW`, or where the reader stands, e.g. `lines 12-40 of 214`.
    pub fn place(&self, output: &Output, height: usize) -> String {
        let total = output.total();
        if output.is_empty() {
            String::new()
        } else if self.follow {
            format!("FOLLOW  {}", crate::text::count(total, "line"))
        } else {
            let first = output.dropped + self.top + 1;
            format!("lines {first}-{} of {total}", (first + height).min(total))
        }
    }
}

/// Draws the visible part. Only visible lines are wrapped.
pub fn draw(frame: &mut Frame, look: &Look, area: Rect, output: &Output, view: &View) {
    if area.is_empty() {
        return;
    }
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let rows = if view.follow { from_below(output, width, height) } else { from_top(output, view.top, width, height) };
    for (index, text) in rows.iter().enumerate() {
        let y = area.y + u16::try_from(index).unwrap_or(0);
        frame.render_widget(marked(look, text, &view.find), Rect { y, height: 1, ..area });
    }
    frame.set_cursor_position(Position { x: area.x, y: area.y });
}

fn from_top(output: &Output, top: usize, width: usize, height: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for line in output.lines.iter().skip(top) {
        rows.extend(broken(line, width));
        if rows.len() >= height {
            break;
        }
    }
    rows.truncate(height);
    rows
}

fn from_below(output: &Output, width: usize, height: usize) -> Vec<String> {
    let mut rows = VecDeque::new();
    for line in output.lines.iter().rev() {
        for piece in broken(line, width).into_iter().rev() {
            rows.push_front(piece);
        }
        if rows.len() >= height {
            break;
        }
    }
    let surplus = rows.len().saturating_sub(height);
    rows.into_iter().skip(surplus).collect()
}

fn marked(look: &Look, text: &str, find: &str) -> Line<'static> {
    let text = look.text(text);
    let found = if find.is_empty() { None } else { text.to_lowercase().find(&find.to_lowercase()) };
    match found {
        Some(start) if text.is_char_boundary(start) && text.is_char_boundary(start + find.len()) => {
            let end = start + find.len();
            Line::from(vec![
                Span::raw(text[..start].to_owned()),
                Span::styled(text[start..end].to_owned(), look.style(Role::Accent).patch(look.focus())),
                Span::raw(text[end..].to_owned()),
            ])
        }
        _ => Line::raw(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines() {
        let mut output = Output::new(1);
        output.push("one\ntw");
        output.push("o\nthree");
        assert_eq!(output.lines, ["one", "two", "three"]);
        assert_eq!(output.last(), Some("three"));
    }

    #[test]
    fn memory_is_bounded_and_what_was_dropped_is_counted() {
        let mut output = Output::new(1);
        for number in 0..KEPT_LINES + 10 {
            output.push(&format!("{number}\n"));
        }
        assert_eq!((output.len(), output.dropped, output.total()), (KEPT_LINES, 10, KEPT_LINES + 10));
        let mut endless = Output::new(1);
        for _ in 0..10_000 {
            endless.push("xxxxxxxxxx");
        }
        assert!(endless.lines[0].len() <= LONGEST_LINE + 10);
    }

    #[test]
    fn an_earlier_page_is_put_before() {
        let mut output = Output::page(1, 2, vec!["c".to_owned()]);
        assert!(!output.prepend(0, vec!["x".to_owned()]));
        assert!(output.prepend(0, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(
            (output.lines.iter().map(String::as_str).collect::<String>(), output.dropped),
            ("abc".to_owned(), 0)
        );
    }

    #[test]
    fn moving_up_ends_following_and_the_end_resumes_it() {
        let output = Output::page(1, 0, (0..100).map(|n| n.to_string()).collect());
        let mut view = View::default();
        view.scroll(-1, &output, 10);
        assert_eq!((view.follow, view.top), (false, 89));
        view.scroll(5, &output, 10);
        assert!(view.follow);
        assert_eq!(from_below(&output, 80, 3), ["97", "98", "99"]);
    }

    #[test]
    fn finding_goes_both_ways() {
        let output = Output::page(1, 0, ["Alpha", "beta", "ALPHA"].map(str::to_owned).to_vec());
        assert_eq!(output.find("alpha", 1, true), Some(2));
        assert_eq!(output.find("alpha", 2, false), Some(0));
        assert_eq!(output.find("gamma", 0, true), None);
    }
}
