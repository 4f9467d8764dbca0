//! The output of an attempt: a window on it, and a view that wraps only what it shows.

mod rows;
mod window;

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};

use crate::ui::look::{Look, Role};

use rows::rows_of;
pub use window::{Output, PAGE_LINES, Seen};

/// Where a reader stands in an output.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// New lines move the view.
    pub follow: bool,
    /// Number of the first line shown, when not following.
    pub top: usize,
    /// Rows of that line that stand above the screen, where it takes several.
    pub above: usize,
    /// What is looked for.
    pub find: String,
}

impl Default for View {
    fn default() -> Self {
        View { follow: true, top: 0, above: 0, find: String::new() }
    }
}

impl View {
    /// Moves by rows of the screen; up ends following, and reaching the end resumes it.
    pub fn scroll(&mut self, rows: isize, output: &Output, room: Size) {
        let bottom = output.bottom(room);
        let from = if self.follow { bottom } else { (self.top, self.above).min(bottom) };
        let to = output.moved(from, rows, room.width).min(bottom);
        (self.top, self.above) = to;
        self.follow = rows > 0 && to == bottom;
    }

    /// New lines move the view, or no more: then it stands still where it is. Answers which.
    pub fn toggle_follow(&mut self, output: Option<&Output>, room: Size) -> bool {
        match output.filter(|_| self.follow) {
            Some(output) => self.scroll(0, output, room),
            None => self.follow = !self.follow,
        }
        self.follow
    }

    /// `FOLLOW`, or where the reader stands, e.g. `lines 12-40 of 214`.
    pub fn place(&self, output: &Output, room: Size) -> String {
        let total = output.total();
        if output.is_empty() {
            String::new()
        } else if self.follow {
            format!("FOLLOW  {}", crate::text::count(total, "line"))
        } else {
            let rows = isize::try_from(room.height.saturating_sub(1)).unwrap_or(0);
            let (last, _) = output.moved((self.top, self.above), rows, room.width);
            format!("lines {}-{} of {total}", self.top + 1, (last + 1).min(total))
        }
    }
}

/// Draws the visible part. Only visible lines are wrapped.
pub fn draw(frame: &mut Frame, look: &Look, area: Rect, output: &Output, view: &View) {
    if area.is_empty() {
        return;
    }
    let room = area.as_size();
    let rows = if view.follow { from_below(output, room) } else { from_top(output, view, room) };
    if rows.is_empty() {
        frame.render_widget(Line::styled(look.text("It is read from the state file…"), look.style(Role::Muted)), area);
    }
    for (index, text) in rows.iter().enumerate() {
        let y = area.y + u16::try_from(index).unwrap_or(0);
        frame.render_widget(marked(look, text, &view.find), Rect { y, height: 1, ..area });
    }
    frame.set_cursor_position(Position { x: area.x, y: area.y });
}

fn from_top(output: &Output, view: &View, room: Size) -> Vec<String> {
    // The terminal may be wider by now, and the line lower.
    let above = view.above.min(output.rows(view.top, room.width) - 1);
    let wanted = above + usize::from(room.height);
    let mut rows = Vec::new();
    for line in output.from(view.top) {
        rows.extend(rows_of(line, room.width));
        if rows.len() >= wanted {
            break;
        }
    }
    rows.truncate(wanted);
    rows.split_off(above.min(rows.len()))
}

fn from_below(output: &Output, room: Size) -> Vec<String> {
    let height = usize::from(room.height);
    let mut rows = VecDeque::new();
    for line in output.newest_first() {
        for piece in rows_of(line, room.width).into_iter().rev() {
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
    use crate::engine::Page;

    #[test]
    fn moving_up_ends_following_and_the_end_resumes_it() {
        let lines = (0..100).map(|n| n.to_string()).collect();
        let step = "net/vpc".parse().unwrap();
        let output = Output::of(Page { step, attempt: 1, from: 0, lines, total: 100 });
        let mut view = View::default();
        let room = Size::new(80, 10);
        view.scroll(-1, &output, room);
        assert_eq!((view.follow, view.top), (false, 89));
        view.scroll(5, &output, room);
        assert!(view.follow);
        assert_eq!(from_below(&output, Size::new(80, 3)), ["97", "98", "99"]);
        view.scroll(0, &output, room);
        assert_eq!((view.follow, view.top), (false, 90), "it stands still where it is");
    }
    #[test]
    fn it_moves_by_what_is_on_the_screen_and_passes_no_row_over() {
        let lines = (0..30).map(|n| format!("{n} {}", "word ".repeat(n)).trim_end().to_owned()).collect();
        let step = "net/vpc".parse().unwrap();
        let output = Output::of(Page { step, attempt: 1, from: 0, lines, total: 30 });
        let all: Vec<String> = output.from(0).flat_map(|line| rows_of(line, 20)).collect();
        for page in [1, 4] {
            let room = Size::new(20, 4);
            let mut view = View { follow: false, ..View::default() };
            let mut seen = from_top(&output, &view, room);
            while !view.follow {
                view.scroll(page, &output, room);
                let shown = if view.follow { from_below(&output, room) } else { from_top(&output, &view, room) };
                let fresh = usize::try_from(page).unwrap().min(all.len() - seen.len());
                seen.extend(shown.into_iter().skip(4 - fresh));
            }
            assert_eq!(seen, all);
            (0..all.len()).for_each(|_| view.scroll(-page, &output, room));
            assert_eq!((view.top, view.above), (0, 0), "and back");
        }
    }
}
