//! One field of a form: what was typed, what is offered, what is wrong with it, and how it is drawn.

mod offered;

use std::ops::Range;

use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::input::{self, Choice, InputId, Kind, Refusal, SecretRef, Setting, Value};
use crate::runbook::Field;
use crate::ui::facts::Facts;
use crate::ui::keys;
use crate::ui::look::{Glyph, Look, Role};
use crate::ui::screen::content_now;
use crate::ui::widget::field::Editor;
use crate::ui::widget::prose::{Prose, cells, fitted};
use crate::ui::widget::secret_line::SecretLine;

/// Rows of a form that a field leaves to its label, what is said of it, and the fields around it.
const AROUND: usize = 10;
/// So many rows of a text are shown at once, however small the terminal is.
const LOWEST: usize = 4;

/// How a field is answered.
#[derive(Debug, Clone)]
pub enum Control {
    Text(Box<Editor>),
    /// Typed unseen; where it lives is the answer.
    Secret(SecretLine),
    /// One of several, or some of them.
    Select {
        choices: Vec<Choice>,
        cursor: usize,
        marked: Vec<bool>,
        several: bool,
    },
}

/// A field on the screen. A draft that was refused stays until a person changes it.
#[derive(Debug, Clone)]
pub struct FormField {
    pub id: InputId,
    pub label: String,
    pub help: String,
    pub example: String,
    pub optional: bool,
    pub kind: Kind,
    pub control: Control,
    /// The answer that is stored.
    pub saved: Option<Value>,
    /// Offered, and taken by Enter in an empty field.
    pub offer: Option<String>,
    /// Rows of the offer that stand above what is shown of it.
    above: usize,
    /// What is known to be answered.
    pub known: Vec<String>,
    /// What is wrong with the draft, in words; or what is strange about it.
    pub problem: Option<Problem>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub said: String,
    pub tone: Tone,
    /// It is about how the answer fits to others, and may be over once one of those changes.
    pub between: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It would not be taken as it stands; it is still being typed.
    SoFar,
    /// It is taken, and strange.
    Strange,
    /// It was not taken.
    Refused,
}

impl Problem {
    pub fn error(said: impl Into<String>) -> Self {
        Problem { said: said.into(), tone: Tone::Refused, between: false }
    }

    /// Of an answer beside others.
    pub fn between(said: impl Into<String>, tone: Tone) -> Self {
        Problem { said: said.into(), tone, between: true }
    }

    pub fn refuses(&self) -> bool {
        self.tone == Tone::Refused
    }
}

/// What came of leaving a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Left {
    Unchanged,
    Give(Value),
    Forget,
    Wrong,
}

impl FormField {
    pub fn new(field: &Field, saved: Option<Value>, offer: Option<String>) -> Self {
        let shown = saved.as_ref().map(Value::shown);
        FormField {
            id: field.id.clone(),
            label: field.label.clone(),
            help: field.help.clone(),
            example: example(field),
            optional: field.optional,
            control: control(&field.kind, shown.as_deref(), offer.as_deref()),
            kind: field.kind.clone(),
            saved,
            offer,
            above: 0,
            known: Vec::new(),
            problem: None,
        }
    }

    pub fn takes_text(&self) -> bool {
        matches!(self.control, Control::Text(_) | Control::Secret(_))
    }

    /// A choice is taken by a key alone, and a secret goes where a person says, and only then.
    pub fn is_taken_when_left(&self) -> bool {
        !matches!(self.control, Control::Secret(_) | Control::Select { several: false, .. })
    }

    /// What is typed or marked, as text that the rules read.
    pub fn draft(&self) -> String {
        match &self.control {
            Control::Text(editor) => editor.text(),
            Control::Secret(_) => self.saved.as_ref().map(Value::shown).unwrap_or_default(),
            Control::Select { choices, marked, several, cursor } => {
                if *several {
                    let marked = choices.iter().zip(marked).filter(|(_, marked)| **marked);
                    marked.map(|(choice, _)| choice.value.clone()).collect::<Vec<_>>().join(", ")
                } else {
                    let _ = cursor;
                    self.saved.as_ref().map(Value::shown).unwrap_or_default()
                }
            }
        }
    }

    /// The choice under the cursor becomes the draft's value; text stays as it is.
    pub fn picked(&self) -> String {
        match &self.control {
            Control::Select { choices, cursor, several: false, .. } => {
                choices.get(*cursor).map(|choice| choice.value.clone()).unwrap_or_default()
            }
            _ => self.draft(),
        }
    }

    pub fn is_blank(&self) -> bool {
        match &self.control {
            Control::Text(editor) => editor.is_blank(),
            Control::Secret(line) => line.is_blank(),
            Control::Select { marked, several, .. } => *several && !marked.iter().any(|marked| *marked),
        }
    }

    fn judged(&self, text: &str, setting: &Setting) -> Result<Value, Refusal> {
        input::parse_beside(&self.kind, &self.example, text, setting, self.saved.as_ref())
    }

    /// What the draft says, where it is right by itself.
    pub fn value(&self, setting: &Setting) -> Option<Value> {
        self.judged(&self.draft(), setting).ok()
    }

    /// Reads `text` by the rules of the kind. The problem, if any, is kept beside the draft.
    pub fn check(&mut self, text: &str, setting: &Setting) -> Left {
        self.problem = None;
        if text.trim().is_empty() {
            return if self.saved.is_some() { Left::Forget } else { Left::Unchanged };
        }
        match self.judged(text, setting) {
            Ok(value) if self.saved.as_ref() == Some(&value) => Left::Unchanged,
            Ok(value) => Left::Give(value),
            Err(refusal) => {
                self.problem = Some(Problem::error(refusal.to_string()));
                Left::Wrong
            }
        }
    }

    /// While typing: what is wrong so far is said, and quietly. Only a draft that was refused once is called wrong until it is
    /// right. `disagrees` says how a value that the rules take fits those given elsewhere.
    pub fn recheck(&mut self, setting: &Setting, disagrees: impl Fn(&InputId, &Value) -> Option<Problem>) {
        let draft = self.draft();
        let tone = match &self.problem {
            Some(problem) if problem.refuses() => Tone::Refused,
            _ => Tone::SoFar,
        };
        self.problem = match self.judged(&draft, setting) {
            _ if draft.trim().is_empty() => None,
            Ok(value) => disagrees(&self.id, &value)
                .map(|problem| if problem.refuses() { Problem { tone, ..problem } } else { problem }),
            Err(refusal) => Some(Problem { tone, ..Problem::error(refusal.to_string()) }),
        };
    }

    /// Something else changed: what was said of how this answer fits to others is said anew. `waits` is true of a draft that
    /// is neither under the cursor nor on its way.
    pub fn reconsider(
        &mut self,
        setting: &Setting,
        waits: bool,
        disagrees: impl Fn(&InputId, &Value) -> Option<Problem>,
    ) {
        if self.problem.as_ref().is_some_and(|problem| !problem.between) {
            return;
        }
        let value = match &self.control {
            // What was refused is still under the cursor.
            Control::Select { several: false, .. } if self.problem.as_ref().is_some_and(Problem::refuses) => {
                self.judged(&self.picked(), setting).ok()
            }
            _ if !self.is_taken_when_left() => self.saved.clone(),
            _ if self.is_blank() => None,
            _ => self.judged(&self.draft(), setting).ok(),
        };
        let said = value.as_ref().and_then(|value| disagrees(&self.id, value));
        let tone = match &self.problem {
            Some(problem) => problem.tone,
            None if self.saved == value => Tone::Refused,
            None => Tone::SoFar,
        };
        self.problem = match said {
            Some(problem) if problem.refuses() && tone != Tone::Strange => Some(Problem { tone, ..problem }),
            None if waits && self.is_taken_when_left() && value.is_some() && self.saved != value => {
                Some(Problem::between("This fits now. It is taken as you go through this field.", Tone::Strange))
            }
            said => said,
        };
    }

    /// Of yes and no, a first letter that is typed brings the cursor there.
    pub fn answers_by_letter(&mut self, key: &KeyEvent) -> bool {
        let (Kind::YesNo, Control::Select { choices, cursor, .. }) = (&self.kind, &mut self.control) else {
            return false;
        };
        let Some(letter) = keys::types_text(key).map(|letter| letter.to_ascii_lowercase()) else { return false };
        let Some(at) = choices.iter().position(|choice| choice.value.starts_with(letter)) else { return false };
        *cursor = at;
        true
    }

    /// Another choice is under the cursor: what was refused was the one before.
    pub fn moved_on(&mut self) {
        if self.problem.as_ref().is_some_and(Problem::refuses) {
            self.problem = None;
        }
    }

    /// The same for a secret, or for the place where it is kept.
    pub fn recheck_secret(&mut self) {
        let (Control::Secret(line), Kind::Secret(rule)) = (&self.control, &self.kind) else { return };
        let fine = line.is_blank() || line.text().parse::<SecretRef>().is_ok();
        let refusal = if fine { None } else { rule.check(line.text()).err() };
        self.problem = refusal.map(|refusal| Problem { tone: Tone::SoFar, ..Problem::error(refusal.to_string()) });
    }

    /// The stored answer changed: an untouched draft follows it.
    pub fn stored(&mut self, value: Option<Value>) {
        if self.saved == value {
            return;
        }
        let untouched = self.draft() == self.saved.as_ref().map(Value::shown).unwrap_or_default();
        let shown = value.as_ref().map(Value::shown);
        let same_meaning = value.as_ref().is_some_and(|value| {
            input::parse(&self.kind, &self.draft(), &Setting { practice: true, now: None }).as_ref() == Ok(value)
        });
        self.saved = value;
        if untouched || same_meaning || self.is_blank() {
            let cursor = match &self.control {
                Control::Select { cursor, .. } => Some(*cursor),
                Control::Text(_) | Control::Secret(_) => None,
            };
            self.control = control(&self.kind, shown.as_deref(), self.offer.as_deref());
            if let (Some(before), Control::Select { cursor, several: true, .. }) = (cursor, &mut self.control) {
                *cursor = before;
            }
            self.problem = None;
        }
    }

    pub fn offer(&mut self, offer: Option<String>) {
        if self.saved.is_none() && self.offer != offer {
            self.offer = offer;
            self.above = 0;
            if let Control::Select { several: false, .. } = self.control {
                self.control = control(&self.kind, None, self.offer.as_deref());
            }
        }
    }

    /// Puts the offered answer into an empty field, to change it.
    pub fn edit_offer(&mut self) -> bool {
        match (&mut self.control, &self.offer) {
            (Control::Text(editor), Some(offer)) if editor.is_blank() => {
                **editor = if editor.has_many_lines() { Editor::lines(offer) } else { Editor::line(offer) };
                true
            }
            _ => false,
        }
    }

    /// Sign and role for the margin.
    fn sign(&self) -> (Glyph, Role) {
        match (&self.problem, &self.saved) {
            (Some(problem), _) if problem.refuses() => (Glyph::Failed, Role::Failed),
            (Some(problem), Some(_)) if problem.tone == Tone::Strange => (Glyph::Recheck, Role::Waiting),
            (_, Some(_)) => (Glyph::Done, Role::Done),
            (_, None) if self.optional => (Glyph::Todo, Role::Muted),
            (_, None) => (Glyph::Yours, Role::Accent),
        }
    }
}

/// Of a secret that is typed, the form of its text, where it has one.
fn example(field: &Field) -> String {
    match &field.kind {
        _ if !field.example.is_empty() => field.example.clone(),
        Kind::Secret(rule) => rule.form().to_owned(),
        kind => kind.example().to_owned(),
    }
}

fn control(kind: &Kind, shown: Option<&str>, offer: Option<&str>) -> Control {
    let yes_no = || {
        let choice = |value: &str| Choice { value: value.to_owned(), label: value.to_owned() };
        vec![choice("yes"), choice("no")]
    };
    let (choices, several) = match kind {
        Kind::Choice(choices) => (choices.clone(), false),
        Kind::Choices(choices, _) => (choices.clone(), true),
        Kind::YesNo => (yes_no(), false),
        Kind::Secret(_) => return Control::Secret(SecretLine::default()),
        kind if kind.has_many_lines() => {
            return Control::Text(Box::new(Editor::lines(&one_per_line(kind, shown.unwrap_or_default()))));
        }
        _ => return Control::Text(Box::new(Editor::line(shown.unwrap_or_default()))),
    };
    let given: Vec<&str> =
        shown.or(offer).unwrap_or_default().split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let marked: Vec<bool> =
        choices.iter().map(|choice| shown.is_some() && given.contains(&choice.value.as_str())).collect();
    let cursor = choices.iter().position(|choice| given.first() == Some(&choice.value.as_str())).unwrap_or(0);
    Control::Select { choices, cursor, marked, several }
}

fn one_per_line(kind: &Kind, shown: &str) -> String {
    if kind.is_list() { shown.replace(", ", "\n") } else { shown.to_owned() }
}

/// How one field looks: its lines, and where in them the text is edited.
pub struct Drawn {
    pub lines: Vec<Line<'static>>,
    /// Relative to the first line.
    pub editor: Option<Rect>,
}

/// Width of the labels in a form of this width.
pub fn label_width(width: u16) -> usize {
    (usize::from(width) * 2 / 5).clamp(16, 34)
}

/// A text in whole sentences has the width of the form, below its label.
fn has_a_line_of_its_own(look: &Look, field: &FormField, width: u16) -> bool {
    matches!(field.kind, Kind::Prose(..)) || cells(&look.text(&field.label)) >= label_width(width)
}

/// Where the text of a field begins in a form of this width, and how wide it is.
fn text_columns(field: &FormField, width: u16) -> (usize, usize) {
    let column = if matches!(field.kind, Kind::Prose(..)) { 4 } else { label_width(width) + 4 };
    (column, usize::from(width).saturating_sub(column + 3))
}

/// How wide the text of a field is in a form of this width.
pub fn text_width(field: &FormField, width: u16) -> usize {
    text_columns(field, width).1
}

/// So many rows of a text are shown at once.
fn tallest(facts: &Facts) -> usize {
    usize::from(content_now(facts).height).saturating_sub(AROUND + 2).max(LOWEST)
}

/// A label as wide as all of them, and never up against what stands after it.
fn label_cell(look: &Look, field: &FormField, width: u16) -> String {
    fitted(&look.text(&field.label), label_width(width) - 1) + " "
}

/// Draws a field that does not have the focus: one line.
pub fn closed(facts: &Facts, field: &FormField, width: u16) -> Drawn {
    let look = &facts.look;
    let room = usize::from(width).saturating_sub(label_width(width) + 5);
    let draft = match (&field.control, &field.saved) {
        (Control::Secret(line), _) if !line.is_blank() => "typed, not kept yet".to_owned(),
        (Control::Secret(_), Some(Value::Secret(reference))) => format!("kept: {}", reference.said()),
        _ if field.is_blank() => String::new(),
        _ => field.draft(),
    };
    let (value, style) = match (&field.saved, draft.is_empty()) {
        (Some(_), false) | (None, false) => (several_lines(&draft), Style::new()),
        (_, true) => match &field.offer {
            Some(offer) => (format!("offered: {}", several_lines(offer)), look.style(Role::Muted)),
            None if field.optional => ("may stay empty".to_owned(), look.style(Role::Muted)),
            None => (String::new(), Style::new()),
        },
    };
    let value = labelled(field, &value);
    let mut lines = vec![Line::from(vec![
        Span::raw("  "),
        sign_span(look, field),
        Span::raw(" "),
        Span::raw(label_cell(look, field, width)),
        Span::styled(fitted(&look.text(&value), room), style),
    ])];
    if let Some(problem) = &field.problem {
        let mut prose = Prose::new(look, width.saturating_sub(1), 0);
        problem_lines(&mut prose, look, problem);
        lines.extend(prose.lines());
    }
    Drawn { lines, editor: None }
}

/// A choice is shown by its label.
fn labelled(field: &FormField, value: &str) -> String {
    match &field.control {
        Control::Select { choices, several: false, .. } => {
            let plain = value.strip_prefix("offered: ");
            let found = choices.iter().find(|choice| choice.value == plain.unwrap_or(value));
            match (found, plain) {
                (Some(choice), None) => choice.label.clone(),
                (Some(choice), Some(_)) => format!("offered: {}", choice.label),
                (None, _) => value.to_owned(),
            }
        }
        _ => value.to_owned(),
    }
}

fn several_lines(text: &str) -> String {
    let count = text.lines().count();
    let first = text.lines().next().unwrap_or_default();
    if count > 1 { format!("{first}  (and {} more)", count - 1) } else { first.to_owned() }
}

fn sign_span(look: &Look, field: &FormField) -> Span<'static> {
    let (glyph, role) = field.sign();
    Span::styled(look.glyph(glyph), look.style(role))
}

/// Choices that are shown at once: what is said of them has room below, on a small screen too.
const MOST_CHOICES: usize = 10;

/// Which of so many choices are shown, with the cursor among them.
fn window(many: usize, cursor: usize) -> Range<usize> {
    // One row more costs as much as the word that there is one.
    if many <= MOST_CHOICES + 1 {
        return 0..many;
    }
    let first = cursor.saturating_sub(MOST_CHOICES / 2).min(many - MOST_CHOICES);
    first..first + MOST_CHOICES
}

/// Draws the field that has the focus: label, control, help and problem. `help` is false where a pane shows it.
pub fn focused(facts: &Facts, field: &FormField, width: u16, help: bool) -> Drawn {
    let look = &facts.look;
    let mut prose = Prose::new(look, width.saturating_sub(1), 0);
    let (column, room) = text_columns(field, width);
    let mut head = vec![
        Span::styled(look.glyph(Glyph::Cursor), look.style(Role::Accent)),
        Span::raw(" "),
        sign_span(look, field),
        Span::raw(" "),
    ];
    let mut editor_area = None;
    // A label that has no room beside the field has a line of its own.
    let beside = !has_a_line_of_its_own(look, field, width);
    if !beside && field.takes_text() {
        head.push(Span::styled(look.text(&field.label), look.style(Role::Accent)));
        prose.line(Line::from(std::mem::replace(&mut head, vec![Span::raw("    ")])));
    }
    let label = if beside { label_cell(look, field, width) } else { " ".repeat(column - 4) };
    let y = u16::from(!beside);
    match &field.control {
        Control::Text(editor) => {
            let offered = offered::rows(facts, field, room);
            let lowest = if editor.has_many_lines() { 2 } else { 1 };
            let rows = editor.height(room).max(offered.len()).clamp(lowest, tallest(facts));
            head.push(Span::styled(label, look.style(Role::Accent)));
            head.push(Span::raw("["));
            for row in 0..rows {
                let offered = look.text(offered.get(row).map(String::as_str).unwrap_or_default());
                let body = Span::styled(fitted(&offered, room), look.style(Role::Muted));
                let close = Span::raw("]");
                if row == 0 {
                    head.extend([body, close]);
                    prose.line(Line::from(std::mem::take(&mut head)));
                } else {
                    prose.line(Line::from(vec![Span::raw(" ".repeat(column)), Span::raw("["), body, close]));
                }
            }
            let (x, width) = (u16::try_from(column + 1).unwrap_or(0), u16::try_from(room).unwrap_or(0));
            editor_area = Some(Rect { x, y, width, height: u16::try_from(rows).unwrap_or(1) });
        }
        Control::Secret(_) => {
            head.push(Span::styled(label, look.style(Role::Accent)));
            head.extend([Span::raw("["), Span::raw(" ".repeat(room)), Span::raw("]")]);
            prose.line(Line::from(head));
            let (x, width) = (u16::try_from(column + 1).unwrap_or(0), u16::try_from(room).unwrap_or(0));
            editor_area = Some(Rect { x, y, width, height: 1 });
            let said = match &field.saved {
                Some(Value::Secret(reference)) => format!("Kept: {}. Type to replace it.", reference.said()),
                _ => "Not shown while you type. Enter asks where to keep it.".to_owned(),
            };
            prose.indented("    ", &said, look.style(Role::Muted));
        }
        Control::Select { choices, cursor, marked, several } => {
            head.push(Span::styled(look.text(&field.label), look.style(Role::Accent)));
            prose.line(Line::from(head));
            let shown = window(choices.len(), *cursor);
            let beyond = |many: usize, where_to: &str| match many {
                0 => None,
                _ => Some(Line::styled(format!("      {many} more {where_to}"), look.style(Role::Muted))),
            };
            if let Some(line) = beyond(shown.start, "above") {
                prose.line(line);
            }
            for (index, choice) in choices.iter().enumerate().take(shown.end).skip(shown.start) {
                let taken = if *several { marked.get(index) == Some(&true) } else { field.draft() == choice.value };
                let mut offer = field.offer.as_deref().unwrap_or_default().split(", ");
                let offered = field.saved.is_none() && !taken && offer.any(|offered| offered == choice.value);
                prose.line(option(look, choice, index == *cursor, taken, offered));
            }
            if let Some(line) = beyond(choices.len() - shown.end, "below") {
                prose.line(line);
            }
        }
    }
    if help {
        let said = match field.example.is_empty() || field.offer.is_some() {
            true => field.help.clone(),
            false => format!("{} For example: {}", field.help, several_lines(&field.example)),
        };
        if !said.is_empty() {
            prose.indented("    ", &said, look.style(Role::Muted));
        }
        if let Some(known) = offered::like_the_draft(field) {
            prose.indented("    ", &known, look.style(Role::Muted));
        }
        if field.offer.is_some() && field.is_blank() && matches!(field.control, Control::Text(_)) {
            prose.indented(
                "    ",
                "Enter takes what is offered. Right puts it into the field, to change it.",
                look.style(Role::Muted),
            );
        } else if field.optional && field.is_blank() {
            prose.indented("    ", "It may stay empty.", look.style(Role::Muted));
        }
    }
    if let Some(problem) = &field.problem {
        problem_lines(&mut prose, look, problem);
    }
    Drawn { lines: prose.lines(), editor: editor_area }
}

fn option(look: &Look, choice: &Choice, focused: bool, taken: bool, offered: bool) -> Line<'static> {
    let mark = if taken { "x" } else { " " };
    let note = if offered { "  (offered)" } else { "" };
    let style = if focused { look.focus() } else { Style::new() };
    let text = look.text(&format!("[{mark}] {}{note}", choice.label));
    let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
    Line::from(vec![Span::raw(format!("    {cursor} ")), Span::styled(text, style)])
}

fn problem_lines(prose: &mut Prose, look: &Look, problem: &Problem) {
    let (glyph, role) = match problem.tone {
        Tone::SoFar => (Glyph::Todo, Role::Muted),
        Tone::Strange => (Glyph::Recheck, Role::Waiting),
        Tone::Refused => (Glyph::Failed, Role::Problem),
    };
    let lead = format!("    {} ", look.glyph(glyph));
    debug_assert!(cells(&lead) == 6);
    prose.indented(&lead, &problem.said, look.style(role));
}
