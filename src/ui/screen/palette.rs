//! Help and the command palette: one list, from the one table. Help shows what works here; the palette shows everything,
//! and the steps to go to. Commands that are switched off say why.

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::engagement::Address;
use crate::ui::command::{self, Command};
use crate::ui::effect::Effect;
use crate::ui::facts::Facts;
use crate::ui::look::{Glyph, Role};
use crate::ui::next::next_move;
use crate::ui::screen::{Move, Screen};
use crate::ui::state::{Place, State, Where};
use crate::ui::widget::badge::LEGEND;
use crate::ui::widget::field::Editor;
use crate::ui::widget::prose::{Prose, fitted};
use crate::ui::widget::{popup, tree};
use crate::ui::words;

/// The popup of `?` and `:`.
#[derive(Debug, Clone)]
pub struct Palette {
    filter: Editor,
    cursor: usize,
    /// Help: only what works on the screen below.
    help: bool,
    under: Place,
}

/// What the marked row does.
#[derive(Debug, Clone)]
pub enum Entry {
    Command(&'static Command),
    Step(Address, String),
}

impl Palette {
    pub fn help(under: Place) -> Self {
        Palette { filter: Editor::line(""), cursor: 0, help: true, under }
    }

    pub fn everything(under: Place) -> Self {
        Palette { filter: Editor::line(""), cursor: 0, help: false, under }
    }

    /// All rows that fit what was typed; those for the screen below come first.
    fn entries(&self, facts: &Facts) -> Vec<Entry> {
        let here = Where::from(self.under);
        let wanted = self.filter.text().to_lowercase();
        let fits = |text: &str| {
            let text = text.to_lowercase();
            wanted.split_whitespace().all(|word| text.contains(word))
        };
        let local = command::TABLE.iter().filter(|command| command.is_only_at(here));
        let global = command::TABLE.iter().filter(|command| command.is_at(here) && !command.is_only_at(here));
        let mut entries: Vec<Entry> = local
            .chain(global)
            .filter(|command| command.in_palette && fits(&format!("{} {} {}", command.id, command.label, command.help)))
            .map(Entry::Command)
            .collect();
        if !self.help
            && !wanted.trim().is_empty()
            && let Some(open) = &facts.open
        {
            let steps =
                open.board.rows.iter().map(|row| (row.address.clone(), words::title(&open.runbook, &row.address)));
            let found = steps.filter(|(address, title)| fits(&format!("go to {title} {address}")));
            let mut found: Vec<_> = found.collect();
            // Whose title holds it as it was typed comes first.
            found.sort_by_key(|(_, title)| !title.to_lowercase().contains(wanted.trim()));
            entries.extend(found.into_iter().map(|(address, title)| Entry::Step(address, title)));
        }
        entries
    }

    /// The row that Enter takes.
    pub fn marked(&self, facts: &Facts) -> Option<Entry> {
        let mut entries = self.entries(facts);
        let last = entries.len().checked_sub(1)?;
        Some(entries.swap_remove(self.cursor.min(last)))
    }

    /// Draws over the screen; reads the whole state, because a command's reason to be off may lie anywhere in it.
    pub fn draw_over(&self, state: &State, frame: &mut Frame, area: Rect) {
        let facts = &state.facts;
        let look = &facts.look;
        let title = if self.help { format!("Help: {}", state.screen().title(facts)) } else { "Commands".to_owned() };
        let inside = popup::margin(popup::open(frame, look, area, 100, area.height, &title));
        let mut intro = Prose::new(look, inside.width, 8);
        if self.help {
            here_and_next(&mut intro, state);
        }
        let entries = self.entries(facts);
        let cursor = self.cursor.min(entries.len().saturating_sub(1));
        let legend = legend(state, entries.get(cursor), inside.width, self.help);
        let intro_height = u16::try_from(intro.height()).unwrap_or(0);
        let legend_height = u16::try_from(legend.height()).unwrap_or(0);
        let [intro_area, line, list, legend_area] = Layout::vertical([
            Constraint::Length(intro_height),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(legend_height),
        ])
        .areas(inside);
        super::draw_prose(frame, intro_area, intro, 0);
        super::draw_prose(frame, legend_area, legend, 0);
        let rows: Vec<Line> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| row(state, entry, usize::from(list.width), index == cursor))
            .collect();
        tree::draw(frame, look, list, &rows, cursor, true);
        let lead = if self.help { "Type to find: " } else { ": " };
        let beyond = beyond(entries.len(), cursor, usize::from(list.height));
        let [lead_area, field, beyond_area] = Layout::horizontal([
            Constraint::Length(u16::try_from(lead.len()).unwrap_or(0)),
            Constraint::Fill(1),
            Constraint::Length(u16::try_from(beyond.len()).unwrap_or(0)),
        ])
        .areas(line);
        frame.render_widget(Span::styled(beyond, look.style(Role::Muted)), beyond_area);
        frame.render_widget(Span::styled(lead, look.style(Role::Accent)), lead_area);
        self.filter.draw(frame, field, look.bold(), true);
    }
}

/// Where in a list that is longer than its room the marked row stands, and how to see the rest.
fn beyond(rows: usize, cursor: usize, height: usize) -> String {
    if rows <= height { String::new() } else { format!(" {} of {rows}: PgUp, PgDn", cursor + 1) }
}

/// The two lines a newcomer needs: where am I, and what is next.
fn here_and_next(prose: &mut Prose, state: &State) {
    let facts = &state.facts;
    let look = &facts.look;
    let (here, next) = match (&facts.open, state.place) {
        (Some(open), place) if place != Place::Home => {
            let here = format!("{}: {}", open.name, words::counters(&open.board.tally, open.drifts()));
            let next = match open.board.next() {
                Some(row) => {
                    let does = next_move(facts, &row.address).hint();
                    format!("{} ({does})", words::title(&open.runbook, &row.address))
                }
                None => words::nothing_next(&open.board),
            };
            (here, next)
        }
        _ => ("the list of engagements".to_owned(), "choose one and press Enter, or n for a new one".to_owned()),
    };
    prose.item("Here", &here, ratatui::style::Style::new());
    prose.item("Next", &next, look.style(Role::Accent));
}

/// Under the list: all of the marked row, which may have been cut; in help also the signs.
fn legend<'a>(state: &'a State, marked: Option<&Entry>, width: u16, help: bool) -> Prose<'a> {
    let look = &state.facts.look;
    let mut prose = Prose::new(look, width, 8);
    let said = match marked {
        Some(Entry::Command(command)) => match command.may(state) {
            Ok(()) => format!("{}.", command.help),
            Err(why) => format!("{}. Off now: {why}.", command.help),
        },
        Some(Entry::Step(_, title)) => format!("Puts the cursor on {title}."),
        None => "Nothing fits what you typed. Esc closes.".to_owned(),
    };
    prose.item("Does", &said, look.bold());
    while prose.height() < 3 {
        prose.blank();
    }
    if help {
        let signs: Vec<String> =
            LEGEND.iter().map(|(glyph, _, word)| format!("{} {word}", look.glyph(*glyph))).collect();
        prose.item("Signs", &signs.join(", "), look.style(Role::Muted));
    }
    prose
}

fn row(state: &State, entry: &Entry, width: usize, focused: bool) -> Line<'static> {
    let look = &state.facts.look;
    let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
    let (keys, said, off) = match entry {
        Entry::Command(command) => (command.keys_text(), command.help.to_owned(), command.may(state).err()),
        Entry::Step(_, title) => (String::new(), format!("Go to: {title}"), None),
    };
    let key_width = 16;
    let (text, style) = match &off {
        Some(_) => (format!("(off) {said}"), look.style(Role::Muted)),
        None => (said, ratatui::style::Style::new()),
    };
    Line::from(vec![
        Span::raw(format!("{cursor} ")),
        Span::styled(fitted(&keys, key_width), if off.is_some() { style } else { look.style(Role::Accent) }),
        Span::raw(" "),
        Span::styled(fitted(&look.text(&text), width.saturating_sub(key_width + 3)), style),
    ])
}

impl Screen for Palette {
    fn on(&mut self, _facts: &Facts, key: &KeyEvent) -> Vec<Effect> {
        if self.filter.key(key) {
            self.cursor = 0;
        }
        Vec::new()
    }

    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let last = self.entries(facts).len().saturating_sub(1);
        self.cursor = to.within(self.cursor, last, 10);
        Vec::new()
    }

    fn paste(&mut self, _facts: &Facts, text: &str) -> Vec<Effect> {
        self.filter.paste(text);
        self.cursor = 0;
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn draw(&self, _facts: &Facts, _frame: &mut Frame, _area: Rect) {}
}
