//! How a question looks: what it means, which is read by pages where it is long; below it what is chosen or typed, always in
//! sight.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Span;

use super::{Ask, Prompt};
use crate::text;
use crate::ui::facts::Facts;
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::{Move, content_now, draw_prose};
use crate::ui::widget::popup;
use crate::ui::widget::prose::{Prose, cells};

/// What stands in the popup, and how many rows there are for it.
struct Parts<'a> {
    width: u16,
    /// With its border.
    height: u16,
    means: Prose<'a>,
    /// Rows for what it means; fewer than it has, where the terminal is small.
    shown: u16,
    choices: Prose<'a>,
    typed: u16,
    problem: Prose<'a>,
}

impl Parts<'_> {
    fn most_scrolled(&self) -> usize {
        self.means.height().saturating_sub(usize::from(self.shown))
    }
}

impl Prompt {
    fn parts<'a>(&self, facts: &'a Facts, area: Rect) -> Parts<'a> {
        let look = &facts.look;
        let width = area.width.saturating_sub(6).min(84);
        let labels = if matches!(self.ask, Ask::Settle(_)) { 10 } else { 7 };
        let mut means = Prose::new(look, width.saturating_sub(4), labels);
        self.explain(facts, &mut means);
        let choices = self.list(facts, width);
        let mut problem = Prose::new(look, width.saturating_sub(4), 0);
        if let Some(said) = &self.problem {
            problem.text(said, look.style(Role::Problem));
        }
        let typed = u16::from(!self.label(facts).is_empty());
        let rows = |prose: &Prose| u16::try_from(prose.height()).unwrap_or(u16::MAX);
        let between = u16::from(rows(&choices) > 0 && typed > 0);
        // Border, the row under what it means, and what is always in sight.
        let others = 3 + rows(&choices).saturating_add(between + typed + rows(&problem));
        let shown = rows(&means).min(area.height.saturating_sub(others));
        Parts { width, height: others.saturating_add(shown), means, shown, choices, typed, problem }
    }

    fn list<'a>(&self, facts: &'a Facts, width: u16) -> Prose<'a> {
        let look = &facts.look;
        let mut list = Prose::new(look, width.saturating_sub(4), 0);
        for (index, choice) in self.choices.iter().enumerate() {
            let (name, marked) = (choice.name, index == self.choice);
            // What is marked is told in full; of the others a line, so that all of them can be seen at once.
            let room = usize::from(width.saturating_sub(18));
            let means = if marked { choice.means() } else { text::clip(choice.does, room) };
            let cursor = if marked { look.glyph(Glyph::Cursor) } else { " " };
            let style = if marked { look.focus() } else { Style::new() };
            list.indented(&format!("{cursor} {name:<11}"), &means, style);
        }
        list
    }

    /// Moves in what it means, where that is longer than the popup.
    pub(super) fn read_on(&mut self, facts: &Facts, to: Move) {
        let parts = self.parts(facts, content_now(facts));
        self.scroll = to.within(self.scroll, parts.most_scrolled(), usize::from(parts.shown).max(1));
    }

    pub(super) fn draw_over(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let look = &facts.look;
        let parts = self.parts(facts, area);
        let scroll = self.scroll.min(parts.most_scrolled());
        let inside = popup::open(frame, look, area, parts.width, parts.height, &self.heading(facts));
        let inside = popup::margin(inside);
        let rows = |prose: &Prose| u16::try_from(prose.height()).unwrap_or(0);
        let [means, rest, choices, _, line, problem] = Layout::vertical([
            Constraint::Length(parts.shown),
            Constraint::Length(1),
            Constraint::Length(rows(&parts.choices)),
            Constraint::Fill(1),
            Constraint::Length(parts.typed),
            Constraint::Length(rows(&parts.problem)),
        ])
        .areas(inside);
        let said = beyond(parts.most_scrolled() - scroll, scroll);
        frame.render_widget(Span::styled(look.text(&said), look.style(Role::Accent)), rest);
        draw_prose(frame, means, parts.means, scroll);
        draw_prose(frame, choices, parts.choices, 0);
        draw_prose(frame, problem, parts.problem, 0);
        match parts.typed {
            0 => frame.set_cursor_position(means.as_position()),
            _ => self.draw_line(facts, frame, line),
        }
    }

    fn draw_line(&self, facts: &Facts, frame: &mut Frame, line: Rect) {
        let look = &facts.look;
        let label = self.label(facts);
        let lead = if label.ends_with('?') { format!("{label} ") } else { format!("{label}: ") };
        let lead_width = u16::try_from(cells(&lead)).unwrap_or(0);
        let [lead_area, field] = Layout::horizontal([Constraint::Length(lead_width), Constraint::Fill(1)]).areas(line);
        frame.render_widget(Span::styled(lead, look.style(Role::Accent)), lead_area);
        match self.wanted() {
            Some(_) => self.hidden.draw(frame, field, look.bold()),
            None => self.editor.draw(frame, field, look.bold(), true),
        }
    }
}

/// What of a text is not in sight, and which key shows it.
fn beyond(below: usize, above: usize) -> String {
    match (below, above) {
        (0, 0) => String::new(),
        (0, above) => format!("{} above: PgUp", text::count(above, "line")),
        (below, _) => format!("{}: PgDn", text::count(below, "more line")),
    }
}
