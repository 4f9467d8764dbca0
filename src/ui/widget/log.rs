//! The output of an attempt: a window on it, and a view that wraps only what it shows.

mod window;

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::ui::look::{Look, Role};
use crate::ui::widget::prose::broken;

pub use window::{Output, PAGE_LINES, Seen};

/// Where a reader stands in an output.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// New lines move the view.
    pub follow: bool,
    /// Number of the first line shown, when not following.
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
        let bottom = output.total().saturating_sub(height.max(1));
        let from = if self.follow { bottom } else { self.top.min(bottom) };
        self.top = from.saturating_add_signed(lines).min(bottom);
        self.follow = lines > 0 && self.top >= bottom;
    }

    /// New lines move the view, or no more: then it stands still where it is. Answers which.
    pub fn toggle_follow(&mut self, output: Option<&Output>, height: usize) -> bool {
        match output.filter(|_| self.follow) {
            Some(output) => self.scroll(0, output, height),
            None => self.follow = !self.follow,
        }
        self.follow
    }

    /// `FOLLOW`, or where the reader stands, e.g. `lines 12-40 of 214`.
    pub fn place(&self, output: &Output, height: usize) -> String {
        let total = output.total();
        if output.is_empty() {
            String::new()
        } else if self.follow {
            format!("FOLLOW  {}", crate::text::count(total, "line"))
        } else {
            format!("lines {}-{} of {total}", self.top + 1, (self.top + height).min(total))
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
    if rows.is_empty() {
        frame.render_widget(Line::styled(look.text("It is read from the state file…"), look.style(Role::Muted)), area);
    }
    for (index, text) in rows.iter().enumerate() {
        let y = area.y + u16::try_from(index).unwrap_or(0);
        frame.render_widget(marked(look, text, &view.find), Rect { y, height: 1, ..area });
    }
    frame.set_cursor_position(Position { x: area.x, y: area.y });
}

fn from_top(output: &Output, top: usize, width: usize, height: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for line in output.from(top) {
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
    for line in output.newest_first() {
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
    use crate::engine::Page;

    #[test]
    fn moving_up_ends_following_and_the_end_resumes_it() {
        let lines = (0..100).map(|n| n.to_string()).collect();
        let step = "net/vpc".parse().unwrap();
        let output = Output::of(Page { step, attempt: 1, from: 0, lines, total: 100 });
        let mut view = View::default();
        view.scroll(-1, &output, 10);
        assert_eq!((view.follow, view.top), (false, 89));
        view.scroll(5, &output, 10);
        assert!(view.follow);
        assert_eq!(from_below(&output, 80, 3), ["97", "98", "99"]);
        view.scroll(0, &output, 10);
        assert_eq!((view.follow, view.top), (false, 90), "it stands still where it is");
    }
}
