//! Everything about one step, in words: what it is, where it stands, what it needs, what it did.

use std::time::Duration;

use ratatui::layout::Size;
use ratatui::style::Style;

use crate::engagement::{
    Address, Call, DoneHow, Failure, FindingKind, PlanEntry, Purpose, Question, Row, State as StepState, Status, Wait,
    call, item_of, may_stay_empty,
};
use crate::input::Kind;
use crate::runbook::{Field, Step, StepId, Work};
use crate::text;
use crate::ui::facts::{Facts, Opened};
use crate::ui::look::Role;
use crate::ui::next::next_move;
use crate::ui::screen::diagnosis;
use crate::ui::screen::rows::{Node, badge_of};
use crate::ui::widget::prose::{Prose, cells};
use crate::ui::widget::{badge, diff};
use crate::ui::words;

/// Width of the labels.
const LABELS: usize = 8;
/// The label of an answer that is wider stands in the text.
const WIDE_LABEL: usize = 24;

/// The pane's title and its note.
pub fn heading(open: &Opened, node: &Node) -> (String, String) {
    match node {
        Node::Phase(id) => {
            let title = open.runbook.phases.iter().find(|phase| &phase.id == id).map(|phase| phase.title.clone());
            (title.unwrap_or_default(), String::new())
        }
        Node::Group(id) => (words::title(&open.runbook, &Address::new(id.clone(), None)), "repeated".to_owned()),
        Node::Step(address) => {
            let record = open.engagement.record(address).map_or(0, |record| record.attempts);
            let word = open.row(address).map_or("", |row| badge_of(open, row).word);
            let attempt = if record > 1 { format!("{word}  attempt {record}") } else { word.to_owned() };
            (words::title(&open.runbook, address), attempt)
        }
    }
}

/// What the pane's note says besides where there is more than it shows.
const MORE: &str = "  PgDn: more";

/// The pane's note, which says by which key more is shown.
pub fn note(note: &str, more: bool, focused: bool) -> String {
    match (more, focused) {
        // The title wants the room more than the number of the attempt.
        (true, true) => format!("{}{MORE}", note.split("  attempt").next().unwrap_or(note)),
        (true, false) => format!("{}  Tab: more", note.split("  attempt").next().unwrap_or(note)),
        (false, _) => note.to_owned(),
    }
}

/// The pane's text, for a pane with so much room. A title that the pane's own line would cut stands above it, whole.
pub fn prose<'a>(facts: &'a Facts, open: &Opened, node: &Node, room: Size) -> Prose<'a> {
    let mut prose = Prose::new(&facts.look, room.width, LABELS);
    match node {
        Node::Phase(id) => phase(&mut prose, facts, open, id),
        Node::Group(id) => group(&mut prose, facts, open, id),
        Node::Step(address) => {
            if let (Some(row), Some(step)) = (open.row(address), open.step(address)) {
                Detail { facts, open, address, row, step }.add(&mut prose);
            }
        }
    }
    let (title, note) = heading(open, node);
    let more = if prose.height() > usize::from(room.height) { cells(MORE) } else { 0 };
    // The corners and the blanks around title and note.
    if cells(&title) + cells(&note) + more + 4 > usize::from(room.width) {
        prose.above(&title, facts.look.bold());
    }
    prose
}

fn phase(prose: &mut Prose, facts: &Facts, open: &Opened, id: &str) {
    let plain = Style::new();
    if let Some(phase) = open.runbook.phases.iter().find(|phase| phase.id == id) {
        if !phase.why.is_empty() {
            prose.item("Why", &phase.why, plain);
        }
        let rows = open.board.rows.iter().filter(|row| row.address.step.phase() == id);
        let wanted = rows.filter(|row| row.status.needs_person() || matches!(row.status, Status::Failed(_)));
        let mut wanted = wanted.peekable();
        if wanted.peek().is_some() {
            prose.blank().head("For you here");
            for row in wanted {
                status_line(prose, facts, row, &words::title(&open.runbook, &row.address));
            }
        }
    }
}

fn group(prose: &mut Prose, facts: &Facts, open: &Opened, id: &StepId) {
    if let Some(step) = open.runbook.step(id).filter(|step| !step.why.is_empty()) {
        prose.item("Why", &step.why, Style::new());
    }
    prose.item("Enter", "goes to the first that is not done", Style::new()).blank();
    for row in open.board.rows.iter().filter(|row| &row.address.step == id) {
        status_line(prose, facts, row, row.address.key.as_deref().unwrap_or_default());
    }
}

fn status_line(prose: &mut Prose, facts: &Facts, row: &Row, name: &str) {
    let badge = badge::of(&row.status);
    let lead = format!("{} ", facts.look.glyph(badge.glyph));
    prose.indented(&lead, &format!("{name}: {}", badge.word), facts.look.style(badge.role));
}

struct Detail<'a> {
    facts: &'a Facts,
    open: &'a Opened,
    address: &'a Address,
    row: &'a Row,
    step: &'a Step,
}

impl Detail<'_> {
    fn add(&self, prose: &mut Prose) {
        let look = &self.facts.look;
        let plain = Style::new();
        if let Some(diagnosis) = self.open.diagnoses.get(self.address) {
            diagnosis::add(prose, self.facts, diagnosis);
        }
        let drifted = self.open.is_drift(self.row);
        if drifted {
            self.drift(prose);
        }
        prose.item("Next", &self.next(), look.style(Role::Accent));
        self.status(prose);
        self.waited(prose);
        if !self.step.why.is_empty() {
            prose.item("Why", &self.step.why, plain);
        }
        if !self.row.status.settled() {
            self.what(prose);
        }
        self.needs(prose);
        if self.row.owner != crate::runbook::Party::Operator {
            prose.item("Who", &self.row.owner.to_string(), plain);
        }
        if let Some(cost) = &self.step.cost {
            prose.item("Cost", cost, look.style(Role::Waiting));
        }
        if let Some(breaks) = &self.step.breaks {
            prose.item("Care", breaks, look.style(Role::Waiting));
        }
        self.undo(prose);
        if !drifted {
            self.drift(prose);
        }
        prose.item("Address", &self.address.to_string(), look.style(Role::Muted));
    }

    /// What Enter does here; where nothing can be changed, only looking is offered.
    fn next(&self) -> String {
        let next = next_move(self.facts, self.address);
        match self.open.barred() {
            Some(why) if !next.only_looks() => why,
            _ => next.sentence(self.facts),
        }
    }

    fn status(&self, prose: &mut Prose) {
        let look = &self.facts.look;
        let style = look.style(badge::of(&self.row.status).role);
        match &self.row.status {
            Status::Failed(failure) => self.failure(prose, failure),
            Status::Asked(question) => self.question(prose, question),
            Status::Done { .. } => self.evidence(prose),
            Status::Waiting(wait) => self.wait(prose, wait, style),
            Status::Running { since, .. } => {
                let word = self.row.status.word();
                let elapsed = text::duration(whole_seconds(self.facts.now.since(*since)));
                prose.item("Now", &format!("{word}, {elapsed}"), style);
                if let Some(progress) = self.open.progress.get(self.address) {
                    prose.item(
                        "Waits",
                        &progress.said(self.facts.now, self.facts.utc_offset),
                        look.style(Role::Waiting),
                    );
                    if !progress.raw.is_empty() {
                        prose.item("Raw", &progress.raw, Style::new());
                    }
                }
            }
            Status::InDoubt { why, .. } => {
                let record = self.open.engagement.record(self.address);
                let taken_back = record
                    .and_then(|record| record.pending.as_ref())
                    .is_some_and(|intent| intent.purpose == Purpose::Undo);
                let then = match taken_back {
                    true => "It may or may not have been taken back; undoing it again looks first.",
                    false => "The change may or may not have been made; running it again looks first.",
                };
                let said = format!("{why}. {then}");
                prose.item("Doubt", &said, look.style(Role::Problem));
            }
            Status::Skipped { reason } => {
                prose.item("Skipped", reason, style);
            }
            Status::Stays { said } => {
                prose.item("Stays", said, style);
            }
            Status::Unclear(why) => {
                prose.item("Later", why, style);
            }
            Status::NeedsInput(missing) => {
                let fields = &self.open.runbook.fields;
                let label = |id: &crate::input::InputId| {
                    fields.get(id).map_or_else(|| id.to_string(), |field| field.label.clone())
                };
                let labels: Vec<String> = missing.iter().map(label).collect();
                let optional = may_stay_empty(&self.open.engagement, &self.open.runbook, self.row);
                prose.item(if optional { "Asks" } else { "Missing" }, &labels.join(", "), Style::new());
            }
            Status::NeedsApproval => {
                prose.item("Held", "it would change something, and nobody has approved that yet", style);
            }
            Status::NotNeeded | Status::Blocked(_) | Status::Ready | Status::ReadyToVerify => {}
            Status::SignOff | Status::Undone => {}
        }
    }

    fn wait(&self, prose: &mut Prose, wait: &Wait, style: Style) {
        let now = self.facts.now;
        let lasted = text::duration(whole_seconds(wait.lasted(now)));
        let said = if wait.said.is_empty() { String::new() } else { format!(": {}", wait.said) };
        prose.item("Waits", &format!("on {}, for {lasted} now{said}", wait.whom()), style);
        if let Some(due) = wait.due {
            let role = if wait.overdue(now).is_some() { Role::Problem } else { Role::Waiting };
            let said = format!("{}, {}", words::moment(self.facts, due), wait.due_in(now));
            prose.item("Due", &said, self.facts.look.style(role));
        }
        if !wait.note.is_empty() {
            prose.item("Note", &wait.note, Style::new());
        }
        if !wait.ask.is_empty() {
            prose.item("Asked", &format!("{} (y copies it)", wait.ask.trim_end()), Style::new());
        }
    }

    /// Waits that are over: how long they took, and who was asked.
    fn waited(&self, prose: &mut Prose) {
        let Some(record) = self.open.engagement.record(self.address) else { return };
        for waited in &record.waited {
            let said = format!("{} on {}", text::duration(whole_seconds(waited.lasted())), waited.wait.whom());
            prose.item("Waited", &said, Style::new());
        }
    }

    fn failure(&self, prose: &mut Prose, failure: &Failure) {
        let look = &self.facts.look;
        let advice = words::with_names(&failure.advice, &self.open.name, self.address);
        let parts = [
            ("What", failure.what.as_str(), look.style(Role::Problem)),
            ("Means", failure.meaning.as_str(), Style::new()),
            ("Do", advice.as_str(), look.bold()),
        ];
        for (label, said, style) in parts.iter().filter(|(_, said, _)| !said.is_empty()) {
            prose.item(label, said, *style);
        }
        let made = self.open.engagement.record(self.address).and_then(|record| record.made.as_ref());
        let made = made.filter(|made| made.created && !made.operations.is_empty());
        let changed = match (failure.changed.is_empty(), made, &self.step.work) {
            (false, ..) => failure.changed.join(", "),
            (true, Some(made), _) => format!("{}; u takes it back", made.operations.join(", ")),
            (true, None, Work::Shell(_)) => "nothing that onramp knows of".to_owned(),
            (true, None, _) => "nothing".to_owned(),
        };
        prose.item("Changed", &changed, Style::new());
        self.raw(prose, failure);
    }

    /// The other side's own words.
    fn raw(&self, prose: &mut Prose, failure: &Failure) {
        let code = failure.code.iter().map(String::as_str).chain(Some(failure.raw.as_str()));
        let raw: Vec<&str> = code.filter(|part| !part.is_empty()).collect();
        if !raw.is_empty() {
            prose.item("Raw", &raw.join(": "), self.facts.look.style(Role::Muted));
        }
    }

    fn question(&self, prose: &mut Prose, question: &Question) {
        let look = &self.facts.look;
        match question {
            Question::HostKey { hop, host, port, .. } => {
                let said = format!("{hop} ({host}, port {port}) showed a host key that nothing vouches for yet");
                prose.item("Asks", &said, look.style(Role::Accent));
            }
            Question::Different { said, differences } => {
                prose.item("Asks", said, look.style(Role::Problem));
                diff::add(prose, look, differences);
            }
            Question::SignIn { failure } => {
                prose.item("Paused", &failure.what, look.style(Role::Problem));
                if !failure.meaning.is_empty() {
                    prose.item("Means", &failure.meaning, Style::new());
                }
                let advice = format!(
                    "{} It goes on by itself; C looks at once.",
                    sentence(&words::with_names(&failure.advice, &self.open.name, self.address))
                );
                prose.item("Do", &advice, look.bold());
                self.raw(prose, failure);
            }
            Question::NeedsSecret { reference, why } => {
                prose.item("Asks", &format!("for a secret: {}. {why}", reference.said()), look.style(Role::Accent));
            }
        }
    }

    fn evidence(&self, prose: &mut Prose) {
        let look = &self.facts.look;
        let StepState::Done { how, evidence, by, at } = self.open.engagement.state(self.address) else { return };
        if self.row.outdated {
            let said = "it was done as an earlier edition of the runbook said; this one would do it otherwise";
            prose.item("Changed", said, look.style(Role::Waiting));
        }
        let moment = words::moment(self.facts, *at);
        let how_by = match how {
            // Whoever looked has not made it so.
            DoneHow::AlreadySo => format!("found so by {by}"),
            _ => format!("{} by {by}", words::done_how(*how)),
        };
        prose.item("Done", &format!("{how_by}, {moment}"), look.style(Role::Done));
        if !evidence.said.is_empty() && *how != DoneHow::Given {
            prose.item("Proof", &evidence.said, Style::new());
        }
        for (name, value) in &evidence.facts {
            // A sheet is laid out in columns, and no pane beside the tree is as wide.
            if let Some(text) = value.as_str().filter(|text| text.contains('\n')) {
                let lines = text::count(text.lines().count(), "line");
                prose.item("", &format!("{name}: {lines}, which L shows"), Style::new());
                continue;
            }
            let table = value.as_array().filter(|rows| rows.iter().all(serde_json::Value::is_object));
            match table {
                Some(rows) => rows.iter().for_each(|row| {
                    prose.item("", &pairs(row), Style::new());
                }),
                None => {
                    prose.item("", &format!("{name} = {}", shown(value)), Style::new());
                }
            }
        }
        for (name, _) in words::kept_texts(self.open, self.address) {
            prose.item("File", &words::into_a_file(self.open, &name), Style::new());
        }
        if !self.step.asks().is_empty() {
            self.answers(prose);
        }
    }

    fn answers(&self, prose: &mut Prose) {
        for id in self.step.asks() {
            let Some(given) = self.open.engagement.inputs.get(id) else { continue };
            let field = self.open.runbook.fields.get(id);
            let label = field.map_or_else(|| id.to_string(), |field| field.label.clone());
            let mark = if label.ends_with('?') { " " } else { ": " };
            let (label, value) = (format!("{label}{mark}"), chosen(field, given.value.shown()));
            // A long label would leave no room beside it.
            match cells(&label) > WIDE_LABEL {
                true => prose.text(&format!("{label}{value}"), Style::new()),
                false => prose.indented(&label, &value, Style::new()),
            };
        }
    }

    /// What it will do: from the plan where there is one, else from the runbook with what is known.
    fn what(&self, prose: &mut Prose) {
        match self.open.planned_entry(self.address) {
            Some(entry) if self.step.touches_world() => planned(prose, self.facts, entry),
            _ => self.unplanned(prose),
        }
    }

    fn unplanned(&self, prose: &mut Prose) {
        let scope = &self.open.scope;
        let item = item_of(self.step, self.address, scope).ok().flatten();
        let call = item.and_then(|item| call(self.step, item.as_ref(), scope).ok());
        let said = match (&call, &self.step.work) {
            (Some(Call::Manual { ask }), _) => {
                prose.item("Do", ask, self.facts.look.bold());
                return;
            }
            (Some(Call::Kind { kind, with }), _) => {
                let arguments: Vec<String> =
                    with.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
                if arguments.is_empty() { kind.clone() } else { format!("{kind}: {}", arguments.join(", ")) }
            }
            (Some(Call::Shell { host, sudo, .. }), _) => {
                let shown = if self.open.along.is_none() { "; p shows it" } else { "" };
                format!("a script on {host}{}{shown}", if *sudo { ", as root" } else { "" })
            }
            (Some(Call::Form(_)), _) => return,
            (None, Work::Kind { kind, .. }) => format!("{kind}, with values that earlier steps will tell"),
            (None, Work::Shell(_)) => "a script on a host that earlier steps will tell".to_owned(),
            (None, Work::Manual(_) | Work::Form(_) | Work::Choice(_)) => return,
        };
        prose.item("Does", &said, Style::new());
    }

    fn needs(&self, prose: &mut Prose) {
        if let Status::Blocked(needs) = &self.row.status {
            for (index, need) in needs.iter().enumerate() {
                let address = Address::new(need.clone(), None);
                let label = if index == 0 { "After" } else { "" };
                prose.item(label, &words::title(&self.open.runbook, &address), Style::new());
            }
        }
    }

    fn undo(&self, prose: &mut Prose) {
        let Some(made) = self.open.engagement.record(self.address).and_then(|record| record.made.as_ref()) else {
            let how = match (&self.step.no_undo, self.step.takes_back) {
                (Some(why), _) => why,
                (None, Some(true)) => "onramp can, once it is made",
                (None, _) => return,
            };
            prose.item("Undo", how, Style::new());
            return;
        };
        let how = match (made.created, &self.open.along) {
            (true, _) if self.step.no_undo.is_some() => self.step.no_undo.as_deref().unwrap_or_default(),
            (true, None) => "u takes it back: onramp made it",
            (true, Some(_)) => "onramp made it, and can take it back",
            (false, _) => "it was there before onramp; an undo leaves it",
        };
        prose.item("Undo", how, Style::new());
    }

    fn drift(&self, prose: &mut Prose) {
        if let Some(found) = self.open.drift.get(self.address) {
            let role = if found.kind == FindingKind::Same { Role::Done } else { Role::Problem };
            let look = &self.facts.look;
            prose.item("Checked", &format!("{}: {}", found.kind.word(), found.said), look.style(role));
            diff::add(prose, look, &found.differences);
        }
    }
}

fn planned(prose: &mut Prose, facts: &Facts, entry: &PlanEntry) {
    prose.item("Plan", &entry.said, Style::new());
    for change in &entry.changes {
        let line = format!("{} {}", change.service, change.operation);
        prose.item("", &line, facts.look.bold());
    }
}

/// With its full stop.
fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// A clock on the screen ticks in seconds.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

/// `group bastion, ok true`: one row of a table, what is empty left out.
fn pairs(row: &serde_json::Value) -> String {
    let entries = row.as_object().into_iter().flatten().map(|(name, value)| (name, shown(value)));
    let said = entries.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name} {value}"));
    said.collect::<Vec<_>>().join(", ")
}

/// A JSON value as a person reads it: text without quotes.
pub fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Of a choice what a person has read when it was taken.
fn chosen(field: Option<&Field>, value: String) -> String {
    let Some(Kind::Choice(choices)) = field.map(|field| &field.kind) else { return value };
    choices.iter().find(|choice| choice.value == value).map_or(value, |choice| choice.label.clone())
}
