//! The screens, and what is the same on each of them: where you are, whether it is real, what happened, which keys.

pub mod board;
pub mod detail;
pub mod diagnosis;
pub mod edition;
pub mod form;
pub mod form_field;
pub mod home;
pub mod login;
pub mod output;
pub mod palette;
pub mod plan;
pub mod prompt;
pub mod rows;
pub mod undo;
pub mod waiting;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::text::{self, Masker};
use crate::ui::command;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Opened, Said, Tone};
use crate::ui::look::Role;
use crate::ui::state::{Place, Popup, State};
use crate::ui::widget::prose::{Prose, cells, wrap};
use crate::ui::words;

/// Below this nothing can be read.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Ways to move, whatever moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    /// The next pane or field, and the one before.
    Next,
    Previous,
}

impl Move {
    /// Where a cursor at `at` goes in a list of which `last` is the last row and `page` rows are seen.
    pub fn within(self, at: usize, last: usize, page: usize) -> usize {
        let to = match self {
            Move::Up => at.saturating_sub(1),
            Move::Down => at + 1,
            Move::PageUp => at.saturating_sub(page),
            Move::PageDown => at + page,
            Move::First => 0,
            Move::Last => last,
            Move::Left | Move::Right | Move::Next | Move::Previous => at,
        };
        to.min(last)
    }
}

/// A screen or popup: it reads facts, keeps its own place, and answers with wishes.
pub trait Screen {
    /// A key that is no command here.
    fn on(&mut self, _facts: &Facts, _key: &KeyEvent) -> Vec<Effect> {
        Vec::new()
    }

    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect>;

    fn paste(&mut self, _facts: &Facts, _text: &str) -> Vec<Effect> {
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        false
    }

    /// What stands at the end of the path in the top line; nothing for a dialog.
    fn title(&self, _facts: &Facts) -> String {
        String::new()
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect);
}

/// Draws everything. The same state always gives the same frame.
pub fn draw(state: &State, frame: &mut Frame) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(frame, area);
    }
    let said_lines = said(state, area.width);
    let said_height = Constraint::Length(u16::try_from(said_lines.len()).unwrap_or(1));
    let [top, content, said, hints] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), said_height, Constraint::Length(1)]).areas(area);
    frame.set_cursor_position(Position { x: content.x, y: content.y });
    draw_top(state, frame, top);
    state.screen().draw(&state.facts, frame, content);
    match &state.popup {
        Some(Popup::Palette(palette)) => palette.draw_over(state, frame, content),
        Some(Popup::Prompt(prompt)) => prompt.draw(&state.facts, frame, content),
        Some(Popup::Login(form)) => form.draw(&state.facts, frame, content),
        Some(Popup::Wait(form)) => form.draw(&state.facts, frame, content),
        None => {}
    }
    for (line, row) in said_lines.into_iter().zip(said.rows()) {
        frame.render_widget(line, row);
    }
    draw_hints(state, frame, hints);
    disarm(frame.buffer_mut());
    if let Some(open) = &state.facts.open {
        hide(frame.buffer_mut(), &open.masks.now());
    }
}

/// Whatever was drawn, nothing of it moves a cursor or turns text around. (Ratatui keeps characters without width.)
fn disarm(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().chars().any(text::is_hostile) {
            let shown: String = cell.symbol().chars().filter(|c| !text::is_hostile(*c)).collect();
            cell.set_symbol(if shown.is_empty() { " " } else { &shown });
        }
    }
}

/// The last net: whatever was drawn, a known secret is not seen.
fn hide(buffer: &mut Buffer, masker: &Masker) {
    if masker.is_idle() {
        return;
    }
    let area = buffer.area;
    for y in area.rows().map(|row| row.y) {
        let mut line = String::new();
        let mut cells = Vec::new();
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            cells.extend(std::iter::repeat_n(x, symbol.len()));
            line.push_str(symbol);
        }
        for found in masker.find(line.as_bytes()) {
            for x in &cells[found] {
                buffer[(*x, y)].set_symbol("*");
            }
        }
    }
}

/// The room for the screen's own content in a terminal of this size, where news take one row.
pub fn content(size: (u16, u16)) -> Rect {
    Rect { x: 0, y: 1, width: size.0, height: size.1.saturating_sub(3) }
}

/// The same for the screens of the open engagement as they are drawn now, with as many rows as the news take.
pub fn content_now(facts: &Facts) -> Rect {
    let news = u16::try_from(news(facts, false, facts.size.0).lines.len()).unwrap_or(1);
    Rect { height: facts.size.1.saturating_sub(2 + news), ..content(facts.size) }
}

fn too_small(frame: &mut Frame, area: Rect) {
    let said = format!(
        "onramp needs {}x{} cells, this terminal has {}x{}. Make it larger, or its letters smaller. Nothing is lost; \
         what runs goes on. Ctrl-C twice leaves.",
        SMALLEST.0, SMALLEST.1, area.width, area.height
    );
    for (y, line) in wrap(&said, usize::from(area.width)).into_iter().enumerate() {
        let y = area.y + u16::try_from(y).unwrap_or(u16::MAX - area.y);
        if y < area.bottom() {
            frame.render_widget(line, Rect { y, height: 1, ..area });
        }
    }
    frame.set_cursor_position(Position { x: area.x, y: area.y });
}

fn draw_top(state: &State, frame: &mut Frame, area: Rect) {
    let facts = &state.facts;
    let look = &facts.look;
    let mut right = Vec::new();
    if facts.practice() {
        right.push(Span::styled(" PRACTICE ", look.style(Role::Practice)));
        right.push(Span::raw(" "));
    }
    if let Some(open) = facts.open.as_ref().filter(|_| state.place != Place::Home) {
        if open.broken.is_some() {
            right.push(Span::styled(" STOPPED ", look.style(Role::Problem)));
            right.push(Span::raw(" "));
        } else if let Some(along) = &open.along {
            let heading = if area.width >= 72 { along.heading() } else { " READING ALONG ".to_owned() };
            right.push(Span::styled(heading, look.style(Role::Waiting)));
            right.push(Span::raw(" "));
        }
        let target = open.target();
        if !target.is_empty() && area.width >= 72 {
            right.push(Span::styled(format!("{target}  "), look.style(Role::Muted)));
        }
        right.extend(session(facts, open, area.width));
    }
    right.push(Span::raw(format!("{} ", facts.clock())));
    let right = Line::from(right);
    let width = u16::try_from(right.width()).unwrap_or(area.width).min(area.width);
    let [left_area, right_area] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(area);
    let path = text::clip(&look.text(&format!(" {}", path(state))), usize::from(left_area.width).saturating_sub(1));
    frame.render_widget(Span::styled(path, look.bold()), left_area);
    frame.render_widget(right, right_area);
}

/// Who AWS takes us for, where there is room, and for how much longer.
fn session(facts: &Facts, open: &Opened, width: u16) -> Vec<Span<'static>> {
    let look = &facts.look;
    if open.is_signed_out() {
        return vec![Span::styled(" SIGN IN ", look.style(Role::Problem)), Span::raw(" ")];
    }
    let Some(Ok(caller)) = &open.identity else { return Vec::new() };
    let clock = caller.clock(facts.now);
    let role = if width >= 100 { caller.role() } else { "" };
    let said = [role, &clock].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let style = look.style(if caller.is_ending(facts.now) { Role::Problem } else { Role::Muted });
    match said.is_empty() {
        true => Vec::new(),
        false => vec![Span::styled(said, style), Span::raw("  ")],
    }
}

fn path(state: &State) -> String {
    let mut parts = vec!["onramp".to_owned()];
    if let Some(open) = state.facts.open.as_ref().filter(|_| state.place != Place::Home) {
        parts.push(open.name.clone());
    }
    parts.push(state.screen().title(&state.facts));
    parts.retain(|part| !part.is_empty());
    parts.join(" / ")
}

/// Rows that bad news and refusals may take, so that they are read whole.
const BAD_NEWS: usize = 5;
/// Rows for anything else.
const GOOD_NEWS: usize = 2;
/// Rows for why nothing goes on at all.
const LAST_NEWS: usize = 6;

/// The last thing that happened, in as many rows as it takes, and how far everything is.
struct News {
    lines: Vec<String>,
    tone: Tone,
    counters: String,
}

fn news(facts: &Facts, home: bool, width: u16) -> News {
    let open = facts.open.as_ref().filter(|_| !home);
    let counters = match open {
        Some(open) => words::counters(&open.board.tally, open.drifts()),
        None => text::count(facts.cards.len(), "engagement"),
    };
    // What stops everything stays in sight, whatever else is said.
    let (said, most) = match open.and_then(|open| open.broken.as_ref()) {
        Some(broken) => (Said::bad(broken.said()), LAST_NEWS),
        None => match facts.said.tone {
            Tone::Bad | Tone::Whole => (facts.said.clone(), BAD_NEWS),
            Tone::Plain | Tone::Good => (facts.said.clone(), GOOD_NEWS),
        },
    };
    let room = usize::from(width).saturating_sub(cells(&counters) + 4);
    let text = facts.look.text(&said.text);
    let mut lines = if cells(&text) > room { wrap(&text, room) } else { vec![text] };
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(rest);
    }
    let lines = lines.into_iter().map(|line| text::clip(&line, room)).collect();
    News { lines, tone: said.tone, counters }
}

/// Left the last thing that happened, right how far everything is.
fn said(state: &State, width: u16) -> Vec<Line<'static>> {
    let look = &state.facts.look;
    let News { lines, tone, counters } = news(&state.facts, state.place == Place::Home, width);
    let style = match tone {
        Tone::Plain | Tone::Whole => Style::new(),
        Tone::Good => look.style(Role::Done),
        Tone::Bad => look.style(Role::Problem),
    };
    let with_counters = |(index, line): (usize, String)| {
        let counters = if index == 0 { counters.clone() } else { String::new() };
        let gap = usize::from(width).saturating_sub(cells(&line) + cells(&counters) + 2);
        Line::from(vec![
            Span::raw(" "),
            Span::styled(line, style),
            Span::raw(" ".repeat(gap)),
            Span::styled(counters, look.bold()),
        ])
    };
    lines.into_iter().enumerate().map(with_counters).collect()
}

/// The keys that mean something now, the most useful first; help and quit are never cut off.
fn draw_hints(state: &State, frame: &mut Frame, area: Rect) {
    let look = &state.facts.look;
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (key, label) in command::hints(state, usize::from(area.width).saturating_sub(2)) {
        if used > 1 {
            spans.push(Span::raw("  "));
        }
        used += cells(&key) + cells(&label) + 3;
        spans.push(Span::styled(key, look.style(Role::Accent)));
        spans.push(Span::raw(format!(" {label}")));
    }
    frame.render_widget(Line::from(spans), area);
}

/// Draws prose into an area, from a line on.
pub fn draw_prose(frame: &mut Frame, area: Rect, prose: Prose, from: usize) {
    let lines = prose.lines();
    let from = from.min(lines.len().saturating_sub(usize::from(area.height)));
    for (index, line) in lines.into_iter().skip(from).take(usize::from(area.height)).enumerate() {
        let y = area.y + u16::try_from(index).unwrap_or(0);
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
}
