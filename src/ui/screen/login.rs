//! The box in which a server, or a key file, asks while onramp logs in. What the server says is data: it is shown as text.

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use secrecy::SecretString;

use crate::engagement::{LoginLine, LoginQuestion};
use crate::engine::Request;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Said};
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::prompt::adopt;
use crate::ui::screen::{Move, Screen, draw_prose};
use crate::ui::state::{Popup, State};
use crate::ui::widget::field::Editor;
use crate::ui::widget::popup;
use crate::ui::widget::prose::{Prose, cells};
use crate::ui::widget::secret_line::SecretLine;

/// One question, with as many lines to answer as it has.
#[derive(Debug, Clone)]
pub struct LoginForm {
    question: LoginQuestion,
    given: Vec<SecretString>,
    /// The line that is typed now: unseen, or not.
    hidden: SecretLine,
    editor: Editor,
}

impl LoginForm {
    pub fn new(question: LoginQuestion) -> Self {
        LoginForm { question, given: Vec::new(), hidden: SecretLine::default(), editor: Editor::line("") }
    }

    /// The line that is asked for now.
    fn now(&self) -> Option<&LoginLine> {
        self.question.lines.get(self.given.len())
    }

    fn is_hidden(&self) -> bool {
        self.now().is_none_or(|line| !line.shown)
    }

    /// Takes what was typed; true after the last line.
    fn take(&mut self) -> bool {
        let typed = if self.is_hidden() { self.hidden.take() } else { SecretString::from(self.editor.text()) };
        self.editor = Editor::line("");
        self.given.push(typed);
        self.now().is_none()
    }
}

impl Screen for LoginForm {
    fn on(&mut self, _facts: &Facts, key: &KeyEvent) -> Vec<Effect> {
        if self.is_hidden() {
            self.hidden.key(key);
        } else {
            self.editor.key(key);
        }
        Vec::new()
    }

    fn go(&mut self, _facts: &Facts, _to: Move) -> Vec<Effect> {
        Vec::new()
    }

    fn paste(&mut self, _facts: &Facts, text: &str) -> Vec<Effect> {
        if self.is_hidden() {
            self.hidden.paste(text);
        } else {
            self.editor.paste(text);
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
        prose.text(&self.question.asks, look.bold());
        for line in &self.question.said {
            prose.indented("  ", line, Style::new());
        }
        for line in self.question.lines.iter().take(self.given.len()) {
            prose.indented(look.glyph(Glyph::Done), &format!(" {}", line.label), look.style(Role::Muted));
        }
        prose.text(
            "The answer goes there and nowhere else. Esc answers nothing: what needs it does not go on.",
            look.style(Role::Muted),
        );
        let label = self.now().map(|line| line.label.clone()).unwrap_or_default();
        let unseen = if self.is_hidden() { " (not shown)" } else { "" };
        let lead = format!("{label}{unseen}: ");
        let height = u16::try_from(prose.height()).unwrap_or(u16::MAX).saturating_add(4);
        let inside = popup::open(frame, look, area, width, height, "A login asks you");
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        let [text_area, _, line] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inside);
        draw_prose(frame, text_area, prose, 0);
        let lead_width = u16::try_from(cells(&lead)).unwrap_or(0).min(line.width.saturating_sub(8));
        let [lead_area, field] = Layout::horizontal([Constraint::Length(lead_width), Constraint::Fill(1)]).areas(line);
        frame.render_widget(Span::styled(lead, look.style(Role::Accent)), lead_area);
        if self.is_hidden() {
            self.hidden.draw(frame, field, look.bold());
        } else {
            self.editor.draw(frame, field, look.bold(), true);
        }
    }
}

/// A question came: it is shown at once, or when the box that is open closes.
pub fn asked(state: &mut State, question: LoginQuestion) {
    if state.popup.as_ref().is_some_and(|popup| !adopt::only_waits(popup)) {
        state.say(Said::plain(format!("{}: close this box to answer (Esc)", question.asks)));
    }
    state.login = Some(question);
    show_waiting(state);
}

/// Shows the question that waits, where nothing else is in the way.
pub fn show_waiting(state: &mut State) {
    if state.popup.as_ref().is_none_or(adopt::only_waits)
        && let Some(question) = state.login.take()
    {
        state.popup = Some(Popup::Login(Box::new(LoginForm::new(question))));
    }
}

/// Nobody waits for the answer any more.
pub fn withdrawn(state: &mut State, number: u64) {
    state.login = state.login.take().filter(|question| question.number != number);
    if matches!(&state.popup, Some(Popup::Login(form)) if form.question.number == number) {
        state.popup = None;
        state.say(Said::plain("The question of the login was withdrawn: nobody waits for the answer any more"));
    }
}

/// `Enter`: the next line, or off it goes.
pub fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Popup::Login(form)) = &mut state.popup else { return Vec::new() };
    if !form.take() {
        return Vec::new();
    }
    let (number, answers) = (form.question.number, std::mem::take(&mut form.given));
    state.popup = None;
    vec![Effect::Send(Request::LoginAnswers { number, answers: Some(answers) })]
}

/// `Esc`: nothing is answered.
pub fn decline(form: &LoginForm) -> Vec<Effect> {
    vec![Effect::Send(Request::LoginAnswers { number: form.question.number, answers: None })]
}
