//! What would change, call by call, before anything is touched; and the gate.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::engagement::{Address, Bill, Change, Consequence, Known, Plan, PlanEntry, Room, Verdict, dollars};
use crate::engine::Request;
use crate::text;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Opened, Planned};
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::{Move, Screen, content_now, draw_prose};
use crate::ui::widget::popup::pane;
use crate::ui::widget::prose::{Prose, cells, fitted};
use crate::ui::widget::{diff, tree};
use crate::ui::words;

/// Rows of the box that says what an approval means, with its border.
const GATE_HEIGHT: u16 = 6;

/// The plan screen.
#[derive(Debug, Clone, Default)]
pub struct PlanScreen {
    cursor: usize,
    opened: BTreeSet<Address>,
    /// Steps that change nothing are shown too.
    everything: bool,
    /// In the order of the page, and not by what they cost and what breaks.
    by_phase: bool,
    /// The step for which the plan was asked.
    wanted: Option<Address>,
}

/// One row: a heading, an entry, or a line of an opened entry.
enum PlanRow<'a> {
    Heading(String),
    Entry(&'a PlanEntry),
    Line(&'a PlanEntry, Line<'static>),
    /// Of what the account has room for, and of what the credentials may do.
    Room(Line<'static>),
}

impl PlanScreen {
    /// Shows the plan, and asks for a new one where there is none that holds.
    pub fn begin(&mut self, facts: &mut Facts, wanted: Option<Address>) -> Vec<Effect> {
        self.wanted = wanted;
        let Some(open) = &mut facts.open else { return Vec::new() };
        if open.planned.as_ref().is_some_and(|planned| !planned.stale) {
            self.arrived(facts);
            return Vec::new();
        }
        ask(open, Request::Plan)
    }

    /// A plan came: the cursor goes to the step it was asked for, and that step is opened.
    pub fn arrived(&mut self, facts: &Facts) {
        self.cursor = 0;
        let Some(wanted) = self.wanted.clone() else { return };
        self.opened.insert(wanted.clone());
        let Some(planned) = facts.open.as_ref().and_then(|open| open.planned.as_ref()) else { return };
        if planned.plan.entries.iter().any(|entry| entry.step == wanted && !entry.would_change()) {
            self.everything = true;
        }
        self.stand_on(facts, &wanted);
    }

    fn rows<'a>(&self, facts: &'a Facts, width: u16) -> Vec<PlanRow<'a>> {
        let Some(open) = &facts.open else { return Vec::new() };
        let Some(planned) = &open.planned else { return Vec::new() };
        let shown = |entry: &&PlanEntry| self.everything || matters(entry);
        let groups = match self.by_phase {
            true => by_phase(open, planned.plan.entries.iter().filter(shown)),
            false => by_consequence(&planned.plan, shown),
        };
        let mut rows = Vec::new();
        let rooms = || rooms(facts, &planned.plan, width);
        let is_short = planned.plan.quotas.iter().any(Room::is_short);
        rows.extend(rights(facts, &planned.plan, width));
        if is_short {
            rows.extend(rooms());
        }
        for (heading, entries) in groups {
            rows.push(PlanRow::Heading(heading));
            for entry in entries {
                rows.push(PlanRow::Entry(entry));
                if self.opened.contains(&entry.step) {
                    let lines = opened(facts, entry, width).lines();
                    rows.extend(lines.into_iter().map(|line| PlanRow::Line(entry, line)));
                }
            }
        }
        if !is_short {
            rows.extend(rooms());
        }
        rows
    }

    /// Opens or closes the entry under the cursor.
    pub fn toggle(&mut self, facts: &Facts) {
        let Some(step) = self.here(facts) else { return };
        if !self.opened.remove(&step) {
            self.opened.insert(step.clone());
        }
        self.stand_on(facts, &step);
    }

    /// `e`: the steps too that would change nothing, or not.
    pub fn toggle_everything(&mut self, facts: &Facts) {
        let here = self.here(facts);
        self.everything = !self.everything;
        here.iter().for_each(|step| self.stand_on(facts, step));
    }

    /// `b`: in the order of the page, or by what they cost and break.
    pub fn toggle_grouping(&mut self, facts: &Facts) {
        let here = self.here(facts);
        self.by_phase = !self.by_phase;
        here.iter().for_each(|step| self.stand_on(facts, step));
    }

    fn all_rows<'a>(&self, facts: &'a Facts) -> Vec<PlanRow<'a>> {
        self.rows(facts, facts.size.0.saturating_sub(2))
    }

    /// The step under the cursor.
    fn here(&self, facts: &Facts) -> Option<Address> {
        match self.all_rows(facts).get(self.cursor) {
            Some(PlanRow::Entry(entry) | PlanRow::Line(entry, _)) => Some(entry.step.clone()),
            _ => None,
        }
    }

    fn stand_on(&mut self, facts: &Facts, step: &Address) {
        let here = |row: &PlanRow| matches!(row, PlanRow::Entry(entry) if entry.step == *step);
        self.cursor = self.all_rows(facts).iter().position(here).unwrap_or(0);
    }

    /// Opens all entries, or closes them all when all are open.
    pub fn toggle_all(&mut self, facts: &Facts) {
        let Some(planned) = facts.open.as_ref().and_then(|open| open.planned.as_ref()) else { return };
        let all: BTreeSet<Address> =
            planned.plan.entries.iter().filter(|entry| matters(entry)).map(|entry| entry.step.clone()).collect();
        self.opened = if all.is_subset(&self.opened) { BTreeSet::new() } else { all };
        self.cursor = 0;
    }
}

/// Which permissions are missing, where that was asked.
fn rights<'a>(facts: &'a Facts, plan: &Plan, width: u16) -> Vec<PlanRow<'a>> {
    let known = plan.permissions();
    if known.is_empty() {
        return Vec::new();
    }
    let look = &facts.look;
    let mut prose = Prose::new(look, width.saturating_sub(1), 14);
    for (permission, steps) in &known.denied {
        let said = format!("{permission}, needed by {}", text::list(steps));
        prose.item("    ! missing", &said, look.style(Role::Problem));
    }
    for (permission, why) in &known.untold {
        prose.item("    ? untold", &format!("{permission}: {why}"), look.style(Role::Waiting));
    }
    if !known.allowed.is_empty() {
        let allowed: Vec<&str> = known.allowed.iter().copied().collect();
        prose.item("    = allowed", &text::list(&allowed), look.style(Role::Muted));
    }
    let heading = match known.denied.len() {
        0 => "These credentials lack nothing, as far as AWS takes a rehearsal".to_owned(),
        many => format!("These credentials lack {}", text::count(many, "permission")),
    };
    below(heading, prose)
}

fn below<'a>(heading: String, prose: Prose) -> Vec<PlanRow<'a>> {
    let lines = prose.lines().into_iter().map(PlanRow::Room);
    std::iter::once(PlanRow::Heading(heading)).chain(lines).collect()
}

/// The quotas that the plan runs into, and how much is left of each.
fn rooms<'a>(facts: &'a Facts, plan: &Plan, width: u16) -> Vec<PlanRow<'a>> {
    if plan.quotas.is_empty() {
        return Vec::new();
    }
    let short = plan.quotas.iter().filter(|room| room.is_short()).count();
    let heading = match short {
        0 => "What the account has room for".to_owned(),
        _ => format!("The account is short of {}", text::count(short, "thing")),
    };
    let look = &facts.look;
    let mut prose = Prose::new(look, width.saturating_sub(1), 14);
    for room in &plan.quotas {
        let (label, role) = match (&room.known, room.is_short()) {
            (_, true) => ("    ! short", Role::Problem),
            (Known::Untold { .. }, _) => ("    ? unknown", Role::Problem),
            (Known::Counted { .. }, _) => ("    = enough", Role::Muted),
        };
        prose.item(label, &room.said(), look.style(role));
    }
    below(heading, prose)
}

type Group<'a> = (String, Vec<&'a PlanEntry>);

fn by_phase<'a>(open: &Opened, entries: impl Iterator<Item = &'a PlanEntry>) -> Vec<Group<'a>> {
    let mut groups: Vec<(&str, Group<'a>)> = Vec::new();
    for entry in entries {
        let phase = entry.step.step.phase();
        if groups.last().is_none_or(|(last, _)| *last != phase) {
            let known = open.runbook.phases.iter().find(|known| known.id == phase);
            let title = known.map_or_else(|| phase.to_owned(), |known| known.title.clone());
            groups.push((phase, (title, Vec::new())));
        }
        if let Some((_, (_, group))) = groups.last_mut() {
            group.push(entry);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn by_consequence<'a>(plan: &'a Plan, shown: impl Fn(&&PlanEntry) -> bool) -> Vec<Group<'a>> {
    let group = |(consequence, entries): (Consequence, Vec<&'a PlanEntry>)| {
        let entries: Vec<&PlanEntry> = entries.into_iter().filter(&shown).collect();
        let bill: Bill = entries.iter().flat_map(|entry| &entry.prices).collect();
        let sum = if bill.is_empty() { String::new() } else { format!(", {}", bill.said()) };
        (!entries.is_empty()).then(|| (format!("{}{sum}", consequence.said()), entries))
    };
    plan.by_consequence().into_iter().filter_map(group).collect()
}

/// Asks the engine for a new plan: a `Plan`, or a `Rehearse` that rehearses every call, too.
pub fn ask(open: &mut Opened, request: Request) -> Vec<Effect> {
    open.planning = true;
    vec![Effect::Send(request)]
}

/// Worth a row in the short list: a change, a doubt, or something a person must do.
fn matters(entry: &PlanEntry) -> bool {
    entry.would_change() || matches!(entry.verdict, Verdict::Person | Verdict::Unknown)
}

fn sign(verdict: Verdict) -> (&'static str, &'static str, Role) {
    match verdict {
        Verdict::Change => ("+", "change", Role::Running),
        Verdict::Nothing => ("=", "nothing", Role::Muted),
        Verdict::Unknown => ("?", "unknown", Role::Problem),
        Verdict::Person => ("!", "decide", Role::Problem),
        Verdict::Input => ("-", "not yet", Role::Muted),
        Verdict::Check => ("~", "check", Role::Muted),
    }
}

fn opened<'a>(facts: &'a Facts, entry: &PlanEntry, width: u16) -> Prose<'a> {
    let look = &facts.look;
    let mut prose = Prose::new(look, width.saturating_sub(1), 12);
    let (_, word, role) = sign(entry.verdict);
    let word = entry.finding.as_ref().map_or(word, |finding| finding.kind.word());
    prose.item("      Says", &format!("{word}: {}", entry.said), look.style(role));
    if let Some(finding) = &entry.finding {
        diff::add(&mut prose, look, &finding.differences);
    }
    for (number, change) in entry.changes.iter().enumerate() {
        let call = format!("{} {}", change.service, change.operation);
        prose.item(&format!("      {:>2}.", number + 1), &call, look.bold());
        arguments(&mut prose, change);
    }
    for (number, line) in entry.asks.iter().flat_map(|asks| asks.lines()).enumerate() {
        prose.item(if number == 0 { "      Asks" } else { "" }, line, Style::new());
    }
    for price in &entry.prices {
        prose.item("      Price", &price.said(), Style::new());
    }
    let rest = [("Costs", &entry.cost), ("Care", &entry.breaks), ("Undo", &entry.undo)];
    for (label, said) in rest {
        if let Some(said) = said {
            prose.item(&format!("      {label}"), said, Style::new());
        }
    }
    prose
}

/// The arguments of a call, one a line, or the lines of a script.
pub fn arguments(prose: &mut Prose, change: &Change) {
    for (name, text) in change.values() {
        let name = if name.is_empty() { name } else { format!("{name}: ") };
        if text.contains('\n') {
            prose.item("", name.trim_end(), Style::new());
            for line in text.lines() {
                prose.verbatim(&format!("            {line}"), Style::new());
            }
        } else {
            prose.item("", &format!("{name}{text}"), Style::new());
        }
    }
}

impl Screen for PlanScreen {
    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let area = content_now(facts);
        let rows = self.rows(facts, area.width.saturating_sub(2)).len();
        let page = usize::from(area.height.saturating_sub(gate_height(facts, area) + 3)).max(1);
        let last = rows.saturating_sub(1);
        self.cursor = to.within(self.cursor, last, page);
        Vec::new()
    }

    fn title(&self, _facts: &Facts) -> String {
        "plan".to_owned()
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let Some(open) = &facts.open else { return };
        let [list, gate] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(gate_height(facts, area))]).areas(area);
        match (&open.planned, open.planning) {
            (_, true) => draw_asking(facts, frame, list),
            (None, false) => draw_nothing(facts, frame, list),
            (Some(planned), false) => self.draw_plan(facts, planned, frame, list),
        }
        draw_gate(facts, open, frame, gate);
    }
}

impl PlanScreen {
    fn draw_plan(&self, facts: &Facts, planned: &Planned, frame: &mut Frame, area: Rect) {
        let title = format!("Plan: {}", words::plan_summary(&planned.plan));
        let short = planned.plan.quotas.iter().filter(|room| room.is_short()).count();
        let lacking = planned.plan.permissions().denied.len();
        let note = match (planned.stale, short, lacking) {
            (true, ..) => "OLD: d makes it anew".to_owned(),
            (false, 0, 0) => words::moment(facts, planned.at),
            // It stands at the top, and the cursor may be far below.
            (false, _, 0) => format!("SHORT of {}: Home", text::count(short, "quota")),
            (false, ..) => format!("LACKS {}: Home", text::count(lacking, "permission")),
        };
        let inside = pane(frame, &facts.look, area, &title, &note, true);
        let rows = self.rows(facts, inside.width);
        let cursor = self.cursor.min(rows.len().saturating_sub(1));
        let width = usize::from(inside.width);
        let lines: Vec<Line> =
            rows.iter().enumerate().map(|(index, row)| self.line(facts, row, width, index == cursor)).collect();
        if lines.is_empty() {
            let mut prose = Prose::new(&facts.look, inside.width, 0);
            let said = "No step would change anything now. What waits for answers, people or steps before it is planned when its \
                        turn comes: e shows every step.";
            prose.text(said, Style::new());
            draw_prose(frame, inside, prose, 0);
        }
        tree::draw(frame, &facts.look, inside, &lines, cursor, true);
    }

    fn line(&self, facts: &Facts, row: &PlanRow, width: usize, focused: bool) -> Line<'static> {
        let look = &facts.look;
        let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
        match row {
            PlanRow::Heading(title) => Line::from(vec![
                Span::raw(format!("{cursor} ")),
                Span::styled(fitted(&look.text(title), width.saturating_sub(2)), look.bold()),
            ]),
            PlanRow::Line(_, line) | PlanRow::Room(line) => {
                let mut line = line.clone();
                if focused && let Some(first) = line.spans.first_mut() {
                    let rest: String = first.content.chars().skip(1).collect();
                    first.content = format!("{cursor}{rest}").into();
                }
                line
            }
            PlanRow::Entry(entry) => {
                let (sign, word, role) = sign(entry.verdict);
                let open = self.opened.contains(&entry.step);
                let fold = look.glyph(if open { Glyph::Open } else { Glyph::Folded });
                let calls = match entry.bill().cents {
                    0 => calls(entry),
                    cents => format!("{}  {}", calls(entry), dollars(cents)),
                };
                let before = format!("{cursor} {fold} ");
                let room = width.saturating_sub(cells(&before) + 11 + cells(&calls) + 2);
                let style = look.style(role);
                Line::from(vec![
                    Span::raw(before),
                    Span::styled(format!("{sign} {} ", fitted(word, 8)), style),
                    Span::raw(fitted(&words::fitted_title(look, &entry.title, entry.step.key.as_ref(), room), room)),
                    Span::raw(" "),
                    Span::styled(calls, look.style(Role::Muted)),
                ])
            }
        }
    }
}

fn calls(entry: &PlanEntry) -> String {
    match entry.changes.as_slice() {
        [] => String::new(),
        [only] => format!("{} {}", only.service, only.operation),
        [first, rest @ ..] => format!("{} {} and {} more", first.service, first.operation, rest.len()),
    }
}

fn draw_asking(facts: &Facts, frame: &mut Frame, area: Rect) {
    let inside = pane(frame, &facts.look, area, "Plan", "being made", true);
    let mut prose = Prose::new(&facts.look, inside.width, 0);
    prose.blank();
    prose.indented(
        "  ",
        "onramp asks every step's probe what is there already. Nothing is changed by this.",
        Style::new(),
    );
    draw_prose(frame, inside, prose, 0);
}

fn draw_nothing(facts: &Facts, frame: &mut Frame, area: Rect) {
    let inside = pane(frame, &facts.look, area, "Plan", "", true);
    let mut prose = Prose::new(&facts.look, inside.width, 0);
    prose.blank();
    prose.indented("  ", "There is no plan yet. d makes one; nothing is changed by that.", Style::new());
    draw_prose(frame, inside, prose, 0);
}

fn draw_gate(facts: &Facts, open: &Opened, frame: &mut Frame, area: Rect) {
    let place = if facts.practice() { "PRACTICE: nothing here is real".to_owned() } else { open.target() };
    let inside = pane(frame, &facts.look, area, "Before you approve", &place, false);
    draw_prose(frame, inside, gate(facts, open, inside.width), 0);
}

/// As high as what stands in it, where the screen has room for that.
fn gate_height(facts: &Facts, area: Rect) -> u16 {
    let lines = facts.open.as_ref().map_or(0, |open| gate(facts, open, area.width.saturating_sub(2)).height());
    let wanted = u16::try_from(lines + 2).unwrap_or(GATE_HEIGHT).max(GATE_HEIGHT);
    wanted.min((area.height / 2).max(GATE_HEIGHT))
}

fn gate<'a>(facts: &'a Facts, open: &Opened, width: u16) -> Prose<'a> {
    let look = &facts.look;
    let mut prose = Prose::new(look, width.saturating_sub(1), 10);
    let Some(planned) = open.planned.as_ref().filter(|_| !open.planning) else {
        prose.text(" The gate opens when the plan is there.", look.style(Role::Muted));
        return prose;
    };
    match &open.identity {
        Some(Ok(caller)) if open.engagement.account().is_some_and(|account| account != caller.account) => {
            let said = format!("{}, which is not the engagement's: nothing will be changed", caller.said());
            prose.item(" Caller", &said, look.style(Role::Problem))
        }
        Some(Ok(caller)) => {
            let left =
                caller.left(facts.now).map(|left| format!(", for {} more", text::about(left))).unwrap_or_default();
            prose.item(" Caller", &format!("{}{left}", caller.said()), Style::new())
        }
        // Before a region is given nothing goes to AWS, and a runbook over hosts alone needs none.
        Some(Err(why)) if open.engagement.region().is_none() => prose.item(" Caller", why, look.style(Role::Muted)),
        Some(Err(why)) => prose.item(" Caller", why, look.style(Role::Problem)),
        None => prose.item(" Caller", "not known yet", look.style(Role::Muted)),
    };
    let approval = planned.plan.approval();
    let costs = planned.plan.entries.iter().filter(|entry| entry.consequence() == Consequence::Billed).count();
    let costly = if costs == 1 {
        "one of them begins to cost money".to_owned()
    } else {
        format!("{costs} of them begin to cost money")
    };
    let said = if approval.is_empty() {
        "nothing to approve: r runs the checks that are left".to_owned()
    } else {
        let bill = planned.plan.bill();
        let cost = match costs {
            0 => String::new(),
            _ if bill.is_empty() => format!("; {costly}"),
            _ => format!("; {costly}, {}", bill.said()),
        };
        format!("{}{cost}", text::count(approval.len(), "step"))
    };
    prose.item(" Covers", &said, Style::new());
    if let Some(said) = words::held_back(open, &approval.keys().map(|step| step.step.clone()).collect()) {
        prose.item(" Waits", &said, look.style(Role::Waiting));
    }
    if !approval.is_empty() {
        let said = format!("a, then type {}; Enter alone never approves", facts.approval_word());
        prose.item(" Approve", &said, look.style(Role::Accent));
        let digest: String = planned.plan.digest.chars().take(12).collect();
        prose.item(" Digest", &format!("{digest}: it holds for exactly these calls"), Style::new());
    }
    prose
}
