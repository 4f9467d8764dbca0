//! On whom a step waits, until when and why: a small form over the board.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::engagement::{Address, At, Command, Status, Wait, WaitOrder, due};
use crate::engine::Request;
use crate::runbook::Party;
use crate::ui::effect::Effect;
use crate::ui::facts::Facts;
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::{Move, Screen, draw_prose};
use crate::ui::state::{Popup, State};
use crate::ui::widget::field::Editor;
use crate::ui::widget::popup;
use crate::ui::widget::prose::{Prose, fitted};
use crate::ui::words;

const PARTIES: [Party; 5] = [Party::Customer, Party::Aws, Party::Colocation, Party::ThirdParty, Party::Operator];

/// Cells that the names of the lines take.
const LABELS: usize = 10;

/// What a line of the form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    On,
    Who,
    Due,
    Note,
    /// The wait is over.
    End,
}

/// The form.
#[derive(Debug, Clone)]
pub struct WaitForm {
    pub step: Address,
    /// The wait that there is already.
    before: Option<Wait>,
    on: usize,
    who: Editor,
    due: Editor,
    note: Editor,
    /// What stood in the field for the date at first: left alone, the moment stays as it is.
    due_was: String,
    focus: usize,
    problem: Option<String>,
}

impl WaitForm {
    pub fn new(facts: &Facts, step: Address) -> Self {
        let status = facts.open.as_ref().and_then(|open| open.row(&step)).map(|row| &row.status);
        let before = match status {
            Some(Status::Waiting(wait)) => Some(wait.clone()),
            _ => None,
        };
        let (who, note) = before.as_ref().map(|wait| (wait.who.clone(), wait.note.clone())).unwrap_or_default();
        let due_was = before.as_ref().and_then(|wait| wait.due).map(|due| local_date(facts, due)).unwrap_or_default();
        let on = before.as_ref().and_then(|wait| PARTIES.iter().position(|party| *party == wait.party)).unwrap_or(0);
        let line = |text: &str| Editor::line(text);
        let (who, due, note) = (line(&who), line(&due_was), line(&note));
        let mut form = WaitForm { step, before, on, who, due, note, due_was, focus: 0, problem: None };
        form.focus = form.rows().iter().position(|row| *row == Row::End).unwrap_or(0);
        form
    }

    /// Whom a check of the runbook waits on is for the runbook to say.
    fn rows(&self) -> Vec<Row> {
        match &self.before {
            None => vec![Row::On, Row::Who, Row::Due, Row::Note],
            Some(wait) if wait.by_hand => vec![Row::End, Row::On, Row::Who, Row::Due, Row::Note],
            Some(_) => vec![Row::Who, Row::Due, Row::Note],
        }
    }

    fn row(&self) -> Row {
        self.rows().get(self.focus).copied().unwrap_or(Row::Note)
    }

    fn party(&self) -> Party {
        PARTIES.get(self.on).copied().unwrap_or(Party::Customer)
    }

    fn editor(&mut self) -> Option<&mut Editor> {
        match self.row() {
            Row::Who => Some(&mut self.who),
            Row::Due => Some(&mut self.due),
            Row::Note => Some(&mut self.note),
            Row::On | Row::End => None,
        }
    }

    fn turn(&mut self, forward: bool) {
        let all = PARTIES.len();
        self.on = if forward { (self.on + 1) % all } else { (self.on + all - 1) % all };
    }

    fn command(&self, facts: &Facts) -> Result<Command, String> {
        let step = self.step.clone();
        if self.row() == Row::End {
            return Ok(Command::EndWait { step, note: String::new() });
        }
        let (due, note) = (self.due_given(facts)?, self.note.text().trim().to_owned());
        if self.before.is_none() && note.is_empty() {
            return Err("say why it waits, or what was asked: it stands in the handover report".to_owned());
        }
        let on = self.rows().contains(&Row::On).then(|| self.party());
        Ok(Command::Wait { step, order: WaitOrder { on, who: Some(self.who.text()), due, note: Some(note) } })
    }

    /// `Enter`: on to the next line, as in every form; from the last one, or from the end of the wait, what is to be sent.
    fn enter(&mut self, facts: &Facts) -> Result<Option<Command>, String> {
        let last = self.focus + 1 == self.rows().len();
        if last || self.row() == Row::End {
            return self.command(facts).map(Some);
        }
        if self.row() == Row::Due {
            self.due_given(facts)?;
        }
        self.problem = None;
        self.focus += 1;
        Ok(None)
    }

    /// What Enter does in this line.
    pub fn enter_hint(&self) -> &'static str {
        match self.row() {
            Row::End => "end the wait",
            _ if self.focus + 1 == self.rows().len() => "save",
            _ => "next line",
        }
    }

    /// Until when, where that was changed; `Some(None)` takes the time limit away.
    fn due_given(&self, facts: &Facts) -> Result<Option<Option<At>>, String> {
        match self.due.text().trim() {
            same if same == self.due_was => Ok(None),
            "" => Ok(Some(None)),
            typed => Ok(Some(Some(due(typed, facts.now, facts.utc_offset)?))),
        }
    }

    fn explain(&self, facts: &Facts, prose: &mut Prose) {
        let plain = Style::new();
        match &self.before {
            None => prose
                .text("The step rests until you say that it is over; everything that does not need it goes on.", plain),
            Some(wait) => {
                let lasted = crate::text::about(wait.lasted(facts.now));
                let said = if wait.said.is_empty() { String::new() } else { format!(": {}", wait.said) };
                prose.text(&format!("It waits on {}, for {lasted} now{said}", wait.party), plain)
            }
        };
        prose.blank();
    }

    fn label(row: Row) -> &'static str {
        match row {
            Row::On => "On whom",
            Row::Who => "Who",
            Row::Due => "Until",
            Row::Note => "Why",
            Row::End => "It is over",
        }
    }

    /// What an empty line is for.
    fn help(&self, row: Row) -> String {
        match row {
            Row::On => format!("{}   (Left, Right)", self.party()),
            Row::Who => "a person, a team, a case number".to_owned(),
            Row::Due => "2026-12-05, or 10 days; empty for no time limit".to_owned(),
            Row::Note => "what was asked, or what it hangs on".to_owned(),
            Row::End => "Enter ends the wait, and the step is ready again".to_owned(),
        }
    }
}

fn local_date(facts: &Facts, at: At) -> String {
    At(at.0.saturating_add(i64::from(facts.utc_offset) * 60_000)).date()
}

impl Screen for WaitForm {
    fn on(&mut self, facts: &Facts, key: &KeyEvent) -> Vec<Effect> {
        match (key.code, self.row()) {
            (KeyCode::Tab, _) => return self.go(facts, Move::Next),
            (KeyCode::BackTab, _) => return self.go(facts, Move::Previous),
            (KeyCode::Left, Row::On) => self.turn(false),
            (KeyCode::Right | KeyCode::Char(' '), Row::On) => self.turn(true),
            _ => {
                if self.editor().is_some_and(|editor| editor.key(key)) {
                    self.problem = None;
                }
            }
        }
        Vec::new()
    }

    fn go(&mut self, _facts: &Facts, to: Move) -> Vec<Effect> {
        let last = self.rows().len() - 1;
        self.focus = match to {
            Move::Up | Move::Previous => self.focus.saturating_sub(1),
            Move::Down | Move::Next => (self.focus + 1).min(last),
            _ => self.focus,
        };
        Vec::new()
    }

    fn paste(&mut self, _facts: &Facts, text: &str) -> Vec<Effect> {
        if let Some(editor) = self.editor() {
            editor.paste(text);
        }
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let look = &facts.look;
        let width = area.width.saturating_sub(6).min(84);
        let mut prose = Prose::new(look, width.saturating_sub(4), 0);
        self.explain(facts, &mut prose);
        let mut below = Prose::new(look, width.saturating_sub(4), 0);
        if let Some(problem) = &self.problem {
            below.blank().text(problem, look.style(Role::Problem));
        }
        let rows = self.rows();
        let height = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let (above, form) = (height(prose.height()), height(rows.len()));
        let title = facts.open.as_ref().map(|open| words::title(&open.runbook, &self.step)).unwrap_or_default();
        let all = above.saturating_add(form).saturating_add(height(below.height())).saturating_add(2);
        let inside = popup::open(frame, look, area, width, all, &format!("Waiting: {title}"));
        let inside = popup::margin(inside);
        draw_prose(frame, inside, prose, 0);
        for (index, row) in rows.iter().enumerate() {
            let y = inside.y.saturating_add(above).saturating_add(height(index));
            if y < inside.bottom() {
                self.draw_row(facts, frame, Rect { y, height: 1, ..inside }, *row, index == self.focus);
            }
        }
        let from = inside.y.saturating_add(above).saturating_add(form);
        if from < inside.bottom() {
            draw_prose(frame, Rect { y: from, height: inside.bottom() - from, ..inside }, below, 0);
        }
    }
}

impl WaitForm {
    fn draw_row(&self, facts: &Facts, frame: &mut Frame, area: Rect, row: Row, focused: bool) {
        let look = &facts.look;
        let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
        let style = if focused { look.focus() } else { Style::new() };
        let lead = format!("{cursor} {}", fitted(WaitForm::label(row), LABELS));
        let lead_width = u16::try_from(LABELS + 2).unwrap_or(0).min(area.width);
        frame.render_widget(Line::from(Span::styled(lead, style)), Rect { width: lead_width, ..area });
        let field = Rect { x: area.x + lead_width, width: area.width - lead_width, ..area };
        let editor = match row {
            Row::Who => Some(&self.who),
            Row::Due => Some(&self.due),
            Row::Note => Some(&self.note),
            Row::On | Row::End => None,
        };
        match editor.filter(|editor| focused || !editor.is_blank()) {
            Some(editor) if !editor.is_blank() => editor.draw(frame, field, look.bold(), focused),
            _ => {
                let help_style = if row == Row::On { look.bold() } else { look.style(Role::Muted) };
                let help = crate::text::clip(&self.help(row), usize::from(field.width));
                frame.render_widget(Span::styled(help, help_style), field);
                if focused {
                    frame.set_cursor_position(field.as_position());
                }
            }
        }
    }
}

/// Opens the form for a step.
pub fn open(state: &mut State, step: Address) -> Vec<Effect> {
    state.popup = Some(Popup::Wait(Box::new(WaitForm::new(&state.facts, step))));
    Vec::new()
}

/// `Enter`: goes on, and in the end takes what is said; or says what is wrong with it.
pub fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Popup::Wait(form)) = &mut state.popup else { return Vec::new() };
    match form.enter(&state.facts) {
        Ok(None) => Vec::new(),
        Ok(Some(command)) => {
            state.popup = None;
            vec![Effect::Send(Request::Command(command))]
        }
        Err(problem) => {
            form.problem = Some(problem);
            Vec::new()
        }
    }
}

/// May something be said about the wait of the chosen step, or may it be put on waiting?
pub fn can_open(state: &State) -> Result<(), String> {
    let step = state.board.address(&state.facts).ok_or("choose a step first")?;
    let row = state.facts.open.as_ref().and_then(|open| open.row(&step)).ok_or("this step is not known yet")?;
    match &row.status {
        Status::Waiting(_)
        | Status::Ready
        | Status::SignOff
        | Status::NeedsInput(_)
        | Status::NeedsApproval
        | Status::Failed(_)
        | Status::Asked(_) => Ok(()),
        status => Err(format!("it is {}", status.word())),
    }
}

/// The text that was asked, for the clipboard.
pub fn reminder(state: &State) -> Result<String, String> {
    let step = state.board.address(&state.facts).ok_or("choose a step first")?;
    match state.facts.open.as_ref().and_then(|open| open.row(&step)).map(|row| &row.status) {
        Some(Status::Waiting(wait)) => Ok(wait.reminder(state.facts.now)),
        _ => {
            let open = state.facts.open.as_ref();
            open.and_then(|open| words::manual_text(open, &step)).ok_or_else(|| "it waits on nobody".to_owned())
        }
    }
}
