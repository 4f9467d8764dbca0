//! A form: the inputs that one step asks for. Each answer is checked and saved as its field is left; none is ever lost.

mod agree;
mod going_on;
mod refused;
mod together;

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use secrecy::SecretString;

use crate::engagement::{Address, Command, Target, known_answers};
use crate::engine::Request;
use crate::input::{InputId, Kind, SecretRef, Value};
use crate::text;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Opened, Said};
use crate::ui::look::Role;
use crate::ui::screen::form_field::{Control, Drawn, FormField, Left, Problem, Tone, closed, focused, text_width};
use crate::ui::screen::prompt::Ask;
use crate::ui::screen::{Move, Screen, content_now, draw_prose};
use crate::ui::state::{Place, State};
use crate::ui::widget::popup::{margin, pane};
use crate::ui::widget::prose::Prose;
use crate::ui::widget::secret_line::SecretLine;
use crate::ui::words;
use agree::{applies, brings_up, disagreement, kind_beside, offer, setting};

/// From this width on, help has a pane of its own.
const WIDE: u16 = 110;

/// The form screen. Without a step it is empty.
#[derive(Debug, Clone, Default)]
pub struct FormScreen {
    step: Option<Address>,
    fields: Vec<FormField>,
    cursor: usize,
    /// The field that was just answered: whatever its answer brings up comes next.
    answered: Option<InputId>,
    /// Drafts of fields that are hidden now, and of other forms, so that showing them again brings them back.
    hidden: BTreeMap<InputId, FormField>,
    /// Answers on their way to the state file.
    pending: Vec<(InputId, Value)>,
    in_the_way: Vec<Target>,
    /// The field whose answer they are in the way of.
    makes_way_for: Option<InputId>,
    /// All of them are taken back: the answer that was refused can be given.
    way_is_free: bool,
}

/// Opens the form of a step, on its first open field. Drafts are kept, those of other forms too.
pub fn begin(state: &mut State, step: &Address) -> Vec<Effect> {
    if state.form.step.as_ref() != Some(step) {
        let before = std::mem::take(&mut state.form);
        let mut hidden = before.hidden;
        hidden.extend(before.fields.into_iter().map(|field| (field.id.clone(), field)));
        state.form = FormScreen { step: Some(step.clone()), hidden, ..FormScreen::default() };
    }
    state.form.refresh(&state.facts);
    let open = state.form.fields.iter().position(|field| field.saved.is_none() && !field.optional);
    let wrong = state.form.fields.iter().position(|field| field.problem.as_ref().is_some_and(Problem::refuses));
    state.form.cursor = wrong.or(open).unwrap_or(0);
    state.show(Place::Form);
    Vec::new()
}

/// `Enter`: takes the answer or the offer, and goes on; at the end of a complete form back to the runbook.
pub fn enter(state: &mut State) -> Vec<Effect> {
    let Some(field) = state.form.fields.get_mut(state.form.cursor) else { return Vec::new() };
    if let Control::Secret(line) = &field.control
        && !line.is_blank()
    {
        return enter_secret(state);
    }
    if let Control::Text(editor) = &mut field.control
        && editor.has_many_lines()
        && !editor.is_blank()
    {
        editor.key(&KeyEvent::from(KeyCode::Enter));
        return Vec::new();
    }
    let offered = field.offer.clone().filter(|_| field.is_blank());
    let text = offered.unwrap_or_else(|| field.picked());
    let (mut effects, good) = state.form.take_answer(&state.facts, &text);
    if !good {
        return effects;
    }
    // What the answer brings up is seen once it is recorded.
    let more = state.form.is_last() && state.form.more_to_come(&state.facts);
    let goes_on = state.form.field().filter(|_| more || !state.form.is_last());
    state.form.answered = goes_on.map(|field| field.id.clone());
    if more {
        return effects;
    } else if !state.form.is_last() {
        state.form.cursor += 1;
    } else if state.form.complete() {
        effects.extend(state.form.accept_empty());
        finish(state);
    } else {
        state.form.cursor = state.form.first_open().unwrap_or(state.form.cursor);
    }
    effects
}

/// `Tab`: on to the next field; from the last one of a complete form back to the runbook, as `Enter` does. It takes
/// nothing that is offered, and accepts no empty form.
pub fn next(state: &mut State) -> Vec<Effect> {
    let last = state.form.is_last();
    let leaves_offer = state.form.leaves_offer();
    let mut effects = state.go(Move::Next);
    if leaves_offer {
        effects.extend(state.form.accept_empty());
        finish(state);
    } else if last && state.form.more_to_come(&state.facts) {
        state.form.answered = state.form.fields.last().map(|field| field.id.clone());
    } else if last && state.form.complete() && state.form.accept_empty().is_none() {
        finish(state);
    }
    effects
}

/// Back to the runbook from a form that is complete.
fn finish(state: &mut State) {
    state.show(Place::Board);
    state.say(Said::good("All answers of this form are given"));
    // Where the last answer is still on its way, the cursor goes on once it is recorded.
    state.board.go_along();
    let step = state.form.step.clone();
    let settled = |open: &Opened| step.is_some_and(|step| open.row(&step).is_some_and(|row| row.status.settled()));
    if state.facts.open.as_ref().is_some_and(settled) {
        state.board.jump_to_next(&state.facts);
    }
}

/// What was typed into a secret's field: where one lives, or the secret itself, which is kept nowhere before a person says
/// where.
fn enter_secret(state: &mut State) -> Vec<Effect> {
    let Some(field) = state.form.fields.get_mut(state.form.cursor) else { return Vec::new() };
    let kind = field.kind.clone();
    let (Control::Secret(line), Kind::Secret(rule)) = (&mut field.control, kind) else {
        return Vec::new();
    };
    if line.text().parse::<SecretRef>().is_ok() {
        let reference = line.text().to_owned();
        *line = SecretLine::default();
        return state.form.take_answer(&state.facts, &reference).0;
    }
    if let Err(refusal) = rule.check(line.text()) {
        field.problem = Some(Problem::error(refusal.to_string()));
        return Vec::new();
    }
    let id = field.id.clone();
    state.ask(Ask::Store(id));
    Vec::new()
}

impl FormScreen {
    /// What was typed for a secret, on its way to a store.
    pub fn take_secret(&mut self, id: &InputId) -> Option<SecretString> {
        let field = self.fields.iter_mut().find(|field| field.id == *id)?;
        match &mut field.control {
            Control::Secret(line) if !line.is_blank() => Some(line.take()),
            _ => None,
        }
    }

    fn field(&self) -> Option<&FormField> {
        self.fields.get(self.cursor)
    }

    /// Builds the fields that apply now, keeping drafts.
    fn refresh(&mut self, facts: &Facts) {
        let (Some(open), Some(step)) = (&facts.open, &self.step) else { return };
        let Some(step) = open.step(step) else { return };
        let focused = self.field().map(|field| field.id.clone());
        let mut before: BTreeMap<InputId, FormField> = std::mem::take(&mut self.hidden);
        before.extend(std::mem::take(&mut self.fields).into_iter().map(|field| (field.id.clone(), field)));
        for id in step.asks() {
            let Some(field) = open.runbook.fields.get(id).filter(|field| applies(open, field)) else { continue };
            let saved = open.engagement.inputs.get(id).map(|given| given.value.clone());
            let offer = offer(open, field, &setting(facts));
            let mut shown = match before.remove(id) {
                Some(mut known) => {
                    known.stored(saved);
                    known.offer(offer);
                    known
                }
                None => FormField::new(field, saved, offer),
            };
            shown.kind = kind_beside(open, field);
            shown.known = known_answers(field, &open.scope);
            shown.optional = field.may_stay_empty(&open.scope);
            self.fields.push(shown);
        }
        self.hidden = before;
        let at = |id: &InputId| self.fields.iter().position(|field| field.id == *id);
        let next = self.answered.as_ref().and_then(at).map(|answered| answered + 1);
        let again = next.or_else(|| focused.as_ref().and_then(at));
        self.cursor = again.unwrap_or(self.cursor).min(self.fields.len().saturating_sub(1));
        self.reconsider(facts);
    }

    /// How the answers fit to each other may have changed with any of them.
    fn reconsider(&mut self, facts: &Facts) {
        let setting = setting(facts);
        for (index, field) in self.fields.iter_mut().enumerate() {
            let on_its_way = self.pending.iter().any(|(id, _)| *id == field.id);
            let waits = index != self.cursor && !on_its_way;
            field.reconsider(&setting, waits, |id, value| disagreement(facts, id, value, &[]));
        }
    }

    /// A fact came in.
    pub fn known(&mut self, facts: &Facts) {
        let Some(open) = &facts.open else { return };
        self.pending.retain(|(id, value)| open.engagement.inputs.get(id).is_none_or(|given| given.value != *value));
        let stands =
            |target: &Target| open.engagement.steps.iter().any(|(step, one)| target.covers(step) && one.may_stand());
        let stood = !self.in_the_way.is_empty();
        self.in_the_way.retain(stands);
        if stood && self.in_the_way.is_empty() {
            self.free_the_way();
        }
        self.refresh(facts);
    }

    #[cfg(test)]
    pub fn expect_answer(&mut self, id: InputId, value: Value) {
        self.pending.push((id, value));
    }

    #[cfg(test)]
    pub fn takes_answer_of(&self, id: &str, draft: &str) -> bool {
        self.field().is_some_and(|field| field.id.as_str() == id && field.draft() == draft)
    }

    fn is_last(&self) -> bool {
        self.cursor + 1 >= self.fields.len()
    }

    fn complete(&self) -> bool {
        self.first_open().is_none()
    }

    /// Will an answer that is on its way bring up another field?
    fn more_to_come(&self, facts: &Facts) -> bool {
        let shown: Vec<&InputId> = self.fields.iter().map(|field| &field.id).collect();
        self.step.as_ref().is_some_and(|step| brings_up(facts, step, &shown, &self.pending))
    }

    /// The first field that still wants something.
    fn first_open(&self) -> Option<usize> {
        self.fields.iter().position(|field| {
            let wrong = field.problem.as_ref().is_some_and(Problem::refuses);
            let missing =
                field.saved.is_none() && !field.optional && !self.pending.iter().any(|(id, _)| *id == field.id);
            wrong || missing || field.holds_a_secret()
        })
    }

    /// A form of which nothing is given closes because the person went through it, and not by itself.
    fn accept_empty(&self) -> Option<Effect> {
        let empty = self.pending.is_empty() && self.fields.iter().all(|field| field.saved.is_none());
        let step = self.step.clone().filter(|_| empty)?;
        Some(Effect::Send(Request::Command(Command::AcceptForm(step))))
    }

    /// Checks the text of the focused field and sends it off. True when nothing stands against going on.
    fn take_answer(&mut self, facts: &Facts, text: &str) -> (Vec<Effect>, bool) {
        let (setting, drafts) = (setting(facts), self.drafts_beside(facts));
        let Some(field) = self.fields.get_mut(self.cursor) else { return (Vec::new(), true) };
        let id = field.id.clone();
        let command = match field.check(text, &setting) {
            Left::Wrong => return (Vec::new(), false),
            Left::Unchanged => {
                let empty = field.saved.is_none() && !field.optional;
                if empty {
                    field.problem = Some(Problem::error("an answer is needed here"));
                }
                field.reconsider(&setting, false, |id, value| disagreement(facts, id, value, &[]));
                return (Vec::new(), !empty);
            }
            Left::Forget => Command::ForgetInput(id),
            Left::Give(value) => {
                field.problem = disagreement(facts, &id, &value, &drafts);
                if field.problem.as_ref().is_some_and(Problem::refuses) {
                    return (Vec::new(), false);
                }
                if let Some(answers) = Self::together(facts, (&id, &value), &drafts) {
                    self.pending.extend(answers.iter().cloned());
                    return (vec![Effect::Send(Request::Command(Command::GiveInputs(answers)))], true);
                }
                if field.is_blank() && matches!(field.control, Control::Text(_)) {
                    field.edit_offer();
                }
                self.pending.push((id.clone(), value.clone()));
                Command::GiveInputs(vec![(id, value)])
            }
        };
        (vec![Effect::Send(Request::Command(command))], true)
    }

    /// The focused field is left: what was typed is checked and saved; a wrong draft stays and says what is wrong.
    pub fn leave_field(&mut self, facts: &Facts) -> Vec<Effect> {
        let Some(field) = self.field() else { return Vec::new() };
        let untouched = field.is_blank() && field.saved.is_none();
        // What was refused as it stands is not sent again: it would bring back whoever leaves.
        let refused = field.problem.as_ref().is_some_and(|problem| problem.tone == Tone::Refused && !problem.between);
        if untouched || refused || !field.is_taken_when_left() {
            return Vec::new();
        }
        let draft = field.draft();
        self.take_answer(facts, &draft).0
    }

    fn step_to(&mut self, facts: &Facts, to: usize) -> Vec<Effect> {
        let effects = self.leave_field(facts);
        self.answered = None;
        self.cursor = to.min(self.fields.len().saturating_sub(1));
        effects
    }

    pub fn enter_hint(&self) -> String {
        let Some(field) = self.field() else { return "next".to_owned() };
        match &field.control {
            Control::Text(editor) if editor.has_many_lines() && !editor.is_blank() => "new line",
            Control::Text(_) if field.is_blank() && field.offer.is_some() => "take what is offered",
            Control::Text(_) if field.is_blank() && field.saved.is_none() && field.optional => "leave it empty",
            Control::Text(_) => "save",
            Control::Secret(line) if line.is_blank() => "next",
            Control::Secret(_) => "keep..",
            Control::Select { several: true, .. } if field.is_blank() && field.offer.is_some() => {
                "take what is offered"
            }
            Control::Select { several: true, .. } if field.is_blank() => "next",
            Control::Select { several: true, .. } => "take what is marked",
            Control::Select { several: false, .. } => "choose",
        }
        .to_owned()
    }

    pub fn can_mark(&self) -> Result<(), String> {
        match self.field().map(|field| &field.control) {
            Some(Control::Select { several: true, .. }) => Ok(()),
            _ => Err("Enter takes the choice".to_owned()),
        }
    }

    /// `Space` where several can be taken.
    pub fn mark(&mut self, facts: &Facts) -> Vec<Effect> {
        if let Some(field) = self.fields.get_mut(self.cursor)
            && let Control::Select { marked, cursor, .. } = &mut field.control
            && let Some(mark) = marked.get_mut(*cursor)
        {
            *mark = !*mark;
            field.recheck(&setting(facts), |id, value| disagreement(facts, id, value, &[]));
        }
        Vec::new()
    }

    pub fn can_edit_offer(&self) -> Result<(), String> {
        match self.field() {
            Some(field) if field.is_blank() && matches!(field.control, Control::Text(_)) && field.offer.is_some() => {
                Ok(())
            }
            _ => Err("nothing is offered here".to_owned()),
        }
    }

    pub fn undo(&mut self) -> Vec<Effect> {
        if let Some(FormField { control: Control::Text(editor), .. }) = self.fields.get_mut(self.cursor)
            && let Some(key) = crate::ui::keys::event("Ctrl-7")
        {
            editor.key(&key);
        }
        Vec::new()
    }
}

impl Screen for FormScreen {
    fn on(&mut self, facts: &Facts, key: &KeyEvent) -> Vec<Effect> {
        let (setting, drafts) = (setting(facts), self.drafts_beside(facts));
        let Some(field) = self.fields.get_mut(self.cursor) else { return Vec::new() };
        if key.code == KeyCode::Right && field.edit_offer() {
            return Vec::new();
        }
        match &mut field.control {
            Control::Text(editor) => {
                if editor.key(key) {
                    field.recheck(&setting, |id, value| disagreement(facts, id, value, &drafts));
                }
            }
            Control::Secret(line) => {
                if line.key(key) {
                    field.recheck_secret();
                }
            }
            Control::Select { .. } => {
                if field.answers_by_letter(key) {
                    field.moved_on();
                    field.reconsider(&setting, false, |id, value| disagreement(facts, id, value, &[]));
                }
            }
        }
        Vec::new()
    }

    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let last = self.fields.len().saturating_sub(1);
        let width = panes(content_now(facts)).0.width.saturating_sub(2);
        if let (Move::Up | Move::Down, Some(field)) = (to, self.fields.get_mut(self.cursor)) {
            let down = to == Move::Down;
            let width = text_width(field, width);
            match &mut field.control {
                Control::Text(editor) if editor.has_many_lines() => {
                    if editor.move_row(down, width) {
                        return Vec::new();
                    }
                }
                Control::Select { choices, cursor, several, .. } => {
                    let next = if down { *cursor + 1 } else { cursor.wrapping_sub(1) };
                    if next < choices.len() {
                        *cursor = next;
                        if !*several {
                            field.moved_on();
                            field.reconsider(&setting(facts), false, |id, value| disagreement(facts, id, value, &[]));
                        }
                        return Vec::new();
                    }
                }
                Control::Text(_) | Control::Secret(_) => {}
            }
        }
        if let (Move::PageUp | Move::PageDown, Some(field)) = (to, self.fields.get_mut(self.cursor)) {
            let room = text_width(field, width);
            field.page(facts, to == Move::PageDown, room);
        }
        match to {
            Move::Up | Move::Previous if self.cursor > 0 => self.step_to(facts, self.cursor - 1),
            Move::Down | Move::Next if self.cursor < last => self.step_to(facts, self.cursor + 1),
            Move::Next => self.step_to(facts, 0),
            _ => Vec::new(),
        }
    }

    fn paste(&mut self, facts: &Facts, text: &str) -> Vec<Effect> {
        let (setting, drafts) = (setting(facts), self.drafts_beside(facts));
        let Some(field) = self.fields.get_mut(self.cursor) else { return Vec::new() };
        match &mut field.control {
            Control::Text(editor) => {
                editor.paste(text);
                field.recheck(&setting, |id, value| disagreement(facts, id, value, &drafts));
            }
            Control::Secret(line) => {
                line.paste(text);
                field.recheck_secret();
            }
            Control::Select { .. } => {}
        }
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        self.field().is_some_and(FormField::takes_text)
    }

    fn title(&self, facts: &Facts) -> String {
        match (&facts.open, &self.step) {
            (Some(open), Some(step)) => words::title(&open.runbook, step),
            _ => String::new(),
        }
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let Some(open) = &facts.open else { return };
        let (form, about) = panes(area);
        let given = self.fields.iter().filter(|field| field.saved.is_some()).count();
        let note = format!("{given} of {} given", text::count(self.fields.len(), "answer"));
        let inside = pane(frame, &facts.look, form, &self.title(facts), &note, true);
        let step = self.step.as_ref().and_then(|step| open.step(step));
        let why = step.map(|step| step.why.clone()).unwrap_or_default();
        self.draw_fields(facts, frame, inside, &why, about.is_none());
        if let (Some(about), Some(field)) = (about, self.field()) {
            draw_about(facts, open, frame, about, field);
        }
    }
}

/// The form, and help beside it where there is room.
fn panes(area: Rect) -> (Rect, Option<Rect>) {
    if area.width < WIDE {
        return (area, None);
    }
    let [form, about] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(area);
    (form, Some(about))
}

impl FormScreen {
    fn draw_fields(&self, facts: &Facts, frame: &mut Frame, area: Rect, why: &str, help: bool) {
        let look = &facts.look;
        let mut intro = Prose::new(look, area.width.saturating_sub(1), 0);
        if !why.is_empty() {
            intro.indented(" ", why, look.style(Role::Muted)).blank();
        }
        if self.fields.is_empty() {
            intro.indented(" ", "Nothing is asked here as things stand. Esc goes back.", Style::new());
        }
        let mut lines = intro.lines();
        let mut focus = 0..0;
        let mut editor = None;
        for (index, field) in self.fields.iter().enumerate() {
            let is_focus = index == self.cursor;
            let Drawn { lines: own, editor: at } =
                if is_focus { focused(facts, field, area.width, help) } else { closed(facts, field, area.width) };
            if is_focus {
                focus = lines.len()..lines.len() + own.len();
                editor = at;
            }
            lines.extend(own);
            if is_focus {
                lines.push(ratatui::text::Line::default());
            }
        }
        let height = usize::from(area.height);
        let first = focus.end.saturating_sub(height).min(focus.start).max(if focus.end + 2 > height {
            focus.start.min(focus.end + 2 - height)
        } else {
            0
        });
        for (index, line) in lines.into_iter().enumerate().skip(first).take(height) {
            let y = area.y + u16::try_from(index - first).unwrap_or(0);
            frame.render_widget(line, Rect { y, height: 1, ..area });
        }
        let y = area.y + u16::try_from(focus.start - first).unwrap_or(0);
        frame.set_cursor_position((area.x, y.min(area.bottom().saturating_sub(1))));
        let Some(at) = editor else { return };
        let place = Rect { x: area.x + at.x, y: y + at.y, width: at.width, height: at.height }.intersection(area);
        match self.field().map(|field| &field.control) {
            // What is offered shows through an empty field; only the cursor is ours then.
            Some(Control::Text(text)) => text.draw(frame, place, Style::new(), true),
            Some(Control::Secret(line)) => line.draw(frame, place, Style::new()),
            _ => {}
        }
    }
}

fn draw_about(facts: &Facts, open: &Opened, frame: &mut Frame, area: Rect, field: &FormField) {
    let look = &facts.look;
    let inside = margin(pane(frame, look, area, &field.label, "", false));
    let mut prose = Prose::new(look, inside.width, 9);
    if !field.help.is_empty() {
        prose.text(&field.help, Style::new()).blank();
    }
    prose.item("Rule", field.kind.describe(), Style::new());
    for (index, line) in field.example.lines().enumerate() {
        prose.item(if index == 0 { "Example" } else { "" }, &field.kind.in_words(line), Style::new());
    }
    if !field.known.is_empty() {
        prose.item("Known", &field.known.join("; "), Style::new());
    }
    if let Some(offer) = &field.offer {
        for (index, line) in offer.lines().enumerate() {
            let line = field.kind.in_words(line);
            prose.item(if index == 0 { "Offered" } else { "" }, &line, look.style(Role::Done));
        }
        if field.is_blank() && field.takes_text() {
            prose.item("", "Enter takes it; Right puts it into the field, to change it.", look.style(Role::Muted));
        }
    }
    if let Some(given) = open.engagement.inputs.get(&field.id) {
        prose.item("Given", &format!("by {}, {}", given.by, words::moment(facts, given.at)), Style::new());
    }
    prose.item("Name", field.id.as_str(), look.style(Role::Muted));
    draw_prose(frame, inside, prose, 0);
}
