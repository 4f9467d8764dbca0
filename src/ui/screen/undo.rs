//! What taking changes back would do, call by call, in its order; what stays, and why; and the gate.

use std::collections::BTreeSet;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::engagement::{Address, Stays, TakeBack, Target, UndoEntry, UndoPlan};
use crate::engine::Request;
use crate::text;
use crate::ui::effect::Effect;
use crate::ui::facts::Facts;
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::plan::arguments;
use crate::ui::screen::{Move, Screen, content_now, draw_prose};
use crate::ui::widget::popup::pane;
use crate::ui::widget::prose::{Prose, cells, fitted};
use crate::ui::widget::tree;
use crate::ui::words;

/// Rows of the box that says what an approval means, with its border.
const GATE_HEIGHT: u16 = 5;

/// The undo screen.
#[derive(Debug, Clone, Default)]
pub struct UndoScreen {
    cursor: usize,
    opened: BTreeSet<Address>,
}

enum UndoRow<'a> {
    Entry(&'a UndoEntry),
    Line(&'a Address, Line<'static>),
    Stays(&'a (Address, String, Stays)),
}

impl UndoRow<'_> {
    fn step(&self) -> &Address {
        match self {
            UndoRow::Entry(entry) => &entry.step,
            UndoRow::Line(step, _) => step,
            UndoRow::Stays((step, ..)) => step,
        }
    }

    fn is_head(&self) -> bool {
        !matches!(self, UndoRow::Line(..))
    }
}

impl UndoScreen {
    /// Asks the engine what taking these back would do, or everything.
    pub fn begin(&mut self, facts: &mut Facts, targets: Vec<Target>) -> Vec<Effect> {
        let step = |target: &Target| match target {
            Target::Step(step) => Some(step.clone()),
            Target::Phase(_) => None,
        };
        (self.cursor, self.opened) = (0, targets.iter().filter_map(step).collect());
        let Some(open) = &mut facts.open else { return Vec::new() };
        open.undo_plan = None;
        vec![Effect::Send(Request::UndoPlan(targets))]
    }

    fn rows<'a>(&self, facts: &'a Facts, width: u16) -> Vec<UndoRow<'a>> {
        let Some(plan) = plan(facts) else { return Vec::new() };
        let mut rows = Vec::new();
        for entry in &plan.entries {
            rows.push(UndoRow::Entry(entry));
            if self.opened.contains(&entry.step) {
                let lines = opened(facts, entry, width).lines();
                rows.extend(lines.into_iter().map(|line| UndoRow::Line(&entry.step, line)));
            }
        }
        for stays in &plan.stays {
            rows.push(UndoRow::Stays(stays));
            if self.opened.contains(&stays.0) {
                let mut prose = Prose::new(&facts.look, width.saturating_sub(1), 12);
                prose.item("      Why", &stays.2.to_string(), Style::new());
                rows.extend(prose.lines().into_iter().map(|line| UndoRow::Line(&stays.0, line)));
            }
        }
        rows
    }

    /// Opens or closes the entry under the cursor.
    pub fn toggle(&mut self, facts: &Facts) {
        let rows = self.rows(facts, facts.size.0.saturating_sub(2));
        let Some(step) = rows.get(self.cursor).map(|row| row.step().clone()) else { return };
        if !self.opened.remove(&step) {
            self.opened.insert(step.clone());
        }
        let rows = self.rows(facts, facts.size.0.saturating_sub(2));
        let here = |row: &UndoRow| row.is_head() && *row.step() == step;
        self.cursor = rows.iter().position(here).unwrap_or(0);
    }

    fn line(&self, facts: &Facts, row: &UndoRow, width: usize, focused: bool) -> Line<'static> {
        let look = &facts.look;
        let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
        match row {
            UndoRow::Line(_, line) => line.clone(),
            UndoRow::Stays((step, _, why)) => {
                // The reason is what the row is there for.
                let room = width.saturating_sub(13);
                let title = fitted_title(facts, step, room.saturating_sub(cells(&why.to_string()) + 2).max(room / 2));
                let said = fitted(&look.text(&format!("{title}: {why}")), room);
                let fold = look.glyph(if self.opened.contains(step) { Glyph::Open } else { Glyph::Folded });
                Line::from(vec![
                    Span::raw(format!("{cursor} {fold} ")),
                    Span::styled("= stays  ", look.style(Role::Muted)),
                    Span::raw(said),
                ])
            }
            UndoRow::Entry(entry) => {
                let open = self.opened.contains(&entry.step);
                let fold = look.glyph(if open { Glyph::Open } else { Glyph::Folded });
                let (word, calls, role) = does(&entry.does);
                let before = format!("{cursor} {fold} ");
                let room = width.saturating_sub(cells(&before) + 11 + cells(&calls) + 2);
                Line::from(vec![
                    Span::raw(before),
                    Span::styled(format!("- {} ", fitted(word, 8)), look.style(role)),
                    Span::raw(fitted(&fitted_title(facts, &entry.step, room), room)),
                    Span::raw(" "),
                    Span::styled(calls, look.style(Role::Muted)),
                ])
            }
        }
    }
}

fn fitted_title(facts: &Facts, step: &Address, room: usize) -> String {
    let found = facts.open.as_ref().and_then(|open| open.step(step));
    let title = found.map_or_else(|| step.step.to_string(), |found| found.title.clone());
    words::fitted_title(&facts.look, &title, step.key.as_ref(), room)
}

/// The plan that has come, if one has.
pub fn plan(facts: &Facts) -> Option<&UndoPlan> {
    facts.open.as_ref()?.undo_plan.as_ref().map(|planned| planned.plan.as_ref())
}

fn does(does: &TakeBack) -> (&'static str, String, Role) {
    let calls = |changes: &[crate::engagement::Change]| match changes {
        [] => String::new(),
        [only] => format!("{} {}", only.service, only.operation),
        [first, rest @ ..] => format!("{} {} and {} more", first.service, first.operation, rest.len()),
    };
    match does {
        TakeBack::Send(changes) => ("undo", calls(changes), Role::Running),
        TakeBack::Nothing => ("gone", "nothing is sent".to_owned(), Role::Muted),
        TakeBack::NotMade { .. } => ("not made", "nothing is sent".to_owned(), Role::Muted),
        TakeBack::NotSeenYet { changes, .. } => ("not seen", format!("perhaps {}", calls(changes)), Role::Waiting),
        TakeBack::Unclear { .. } => ("unclear", "nobody can tell".to_owned(), Role::Problem),
        TakeBack::Unseen { recorded, .. } => ("unseen", calls(recorded), Role::Problem),
    }
}

/// What is left now of the seconds that there were when somebody looked.
fn still_to_look(facts: &Facts, seconds: u64) -> Duration {
    let looked = facts.open.as_ref().and_then(|open| open.undo_plan.as_ref()).map_or(facts.now, |planned| planned.at);
    Duration::from_secs(Duration::from_secs(seconds).saturating_sub(facts.now.since(looked)).as_secs())
}

fn opened<'a>(facts: &'a Facts, entry: &UndoEntry, width: u16) -> Prose<'a> {
    let look = &facts.look;
    let mut prose = Prose::new(look, width.saturating_sub(1), 12);
    let none = Vec::new();
    let changes = match &entry.does {
        TakeBack::Send(changes) => changes,
        TakeBack::Unseen { recorded, why } => {
            prose.item("      Says", &format!("it could not be looked at: {why}"), look.style(Role::Problem));
            recorded
        }
        TakeBack::Nothing => {
            prose.item("      Says", "it is not there any more; only the ledger is cleared", Style::new());
            &none
        }
        TakeBack::NotMade { said } => {
            prose.item("      Says", &format!("it was looked for, and was not made: {said}"), Style::new());
            &none
        }
        TakeBack::NotSeenYet { seconds, changes } => {
            let left = still_to_look(facts, *seconds);
            let said = match left.is_zero() {
                true => "it was not seen, and by now that would be certain: d looks again. If it turns up:".to_owned(),
                false => format!(
                    "it is not seen, which is not certain yet: it is looked for for {} more. If it turns up:",
                    text::duration(left)
                ),
            };
            prose.item("      Says", &said, look.style(Role::Waiting));
            changes
        }
        TakeBack::Unclear { why } => {
            let said = format!("nobody can tell whether it was made: {why}. Nothing is undone before somebody can");
            prose.item("      Says", &said, look.style(Role::Problem));
            &none
        }
    };
    for (number, change) in changes.iter().enumerate() {
        let call = format!("{} {}", change.service, change.operation);
        prose.item(&format!("      {:>2}.", number + 1), &call, look.bold());
        arguments(&mut prose, change);
    }
    let moment = words::moment(facts, entry.made);
    if entry.doubt {
        prose.item("      Made", &format!("it was in doubt, sent at the latest {moment}"), Style::new());
    } else if entry.found {
        prose.item("      Found", &format!("{moment}; its tags say that this engagement made it"), Style::new());
    }
    for lost in entry.loses() {
        prose.item("      Care", lost, look.style(Role::Waiting));
    }
    prose.item("      Goes", &entry.until.to_string(), Style::new());
    prose
}

impl Screen for UndoScreen {
    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let area = content_now(facts);
        let last = self.rows(facts, area.width.saturating_sub(2)).len().saturating_sub(1);
        let page = usize::from(area.height.saturating_sub(GATE_HEIGHT + 3)).max(1);
        self.cursor = to.within(self.cursor, last, page);
        Vec::new()
    }

    fn title(&self, _facts: &Facts) -> String {
        "undo".to_owned()
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let [list, gate] = Layout::vertical([Constraint::Fill(1), Constraint::Length(GATE_HEIGHT)]).areas(area);
        let look = &facts.look;
        let summary = plan(facts).map_or_else(|| "Undo".to_owned(), |plan| format!("Undo: {}", plan.summary()));
        let inside = pane(frame, look, list, &summary, "in this order", true);
        let rows = self.rows(facts, inside.width);
        let cursor = self.cursor.min(rows.len().saturating_sub(1));
        let width = usize::from(inside.width);
        let lines: Vec<Line> =
            rows.iter().enumerate().map(|(index, row)| self.line(facts, row, width, index == cursor)).collect();
        if lines.is_empty() {
            let said = match plan(facts) {
                None => "onramp looks what is there of what it made. Nothing is changed by this.",
                Some(_) => "Nothing was changed that could be undone.",
            };
            let mut prose = Prose::new(look, inside.width, 0);
            prose.blank();
            prose.indented("  ", said, Style::new());
            draw_prose(frame, inside, prose, 0);
        }
        tree::draw(frame, look, inside, &lines, cursor, true);
        draw_gate(facts, frame, gate);
    }
}

fn draw_gate(facts: &Facts, frame: &mut Frame, area: Rect) {
    let look = &facts.look;
    let place = match &facts.open {
        _ if facts.practice() => "PRACTICE: nothing here is real".to_owned(),
        Some(open) => open.target(),
        None => String::new(),
    };
    let inside = pane(frame, look, area, "Before you approve", &place, false);
    let mut prose = Prose::new(look, inside.width.saturating_sub(1), 10);
    match plan(facts).filter(|plan| !plan.entries.is_empty()) {
        None if plan(facts).is_none() => {
            prose.text(" The gate opens when it is known what would go.", look.style(Role::Muted));
        }
        None => {
            prose.text(" There is nothing to approve.", look.style(Role::Muted));
            if plan(facts).is_some_and(|plan| !plan.users().is_empty()) {
                prose.text(" w shows it together with what still uses it.", look.style(Role::Accent));
            }
        }
        Some(_) => {
            let said = "only what onramp made, as its tags say; what stays is named with its reason";
            prose.item(" Takes", said, Style::new());
            let said = format!("a, then type {}; Enter alone never approves", facts.approval_word());
            prose.item(" Approve", &said, look.style(Role::Accent));
            prose.item(" If cut", "undo again: it goes on where it stopped", Style::new());
        }
    }
    draw_prose(frame, inside, prose, 0);
}
