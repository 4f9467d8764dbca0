//! Where the person is and what they see; changed by events only.

use ratatui::crossterm::event::KeyEvent;

use crate::engagement::{At, DoneHow, Event as Fact, LoginQuestion, Recorded};
use crate::engine::{Handle, Notice, Request};
use crate::ui::effect::Effect;
use crate::ui::event::Event;
use crate::ui::facts::{Edition, Facts, Opened, Said, Tone};
use crate::ui::keys;
use crate::ui::screen::board::BoardScreen;
use crate::ui::screen::edition::EditionScreen;
use crate::ui::screen::form::FormScreen;
use crate::ui::screen::home::HomeScreen;
use crate::ui::screen::login::{self, LoginForm};
use crate::ui::screen::output::OutputScreen;
use crate::ui::screen::palette::Palette;
use crate::ui::screen::plan::PlanScreen;
use crate::ui::screen::prompt::{Ask, Prompt, adopt};
use crate::ui::screen::undo::UndoScreen;
use crate::ui::screen::waiting::WaitForm;
use crate::ui::screen::{Move, SMALLEST, Screen};
use crate::ui::words;
use crate::ui::{acts, command};

/// Commands that need nothing to be seen.
const BLIND: [&str; 3] = ["app.stop", "app.suspend", "app.redraw"];

/// The screen under everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Home,
    Board,
    Output,
    Form,
    Plan,
    Edition,
    Undo,
}

/// Where a key goes: a screen, or the popup over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Home,
    Board,
    Output,
    Form,
    Plan,
    Edition,
    Undo,
    Palette,
    Prompt,
}

impl From<Place> for Where {
    fn from(place: Place) -> Self {
        match place {
            Place::Home => Where::Home,
            Place::Board => Where::Board,
            Place::Output => Where::Output,
            Place::Form => Where::Form,
            Place::Plan => Where::Plan,
            Place::Edition => Where::Edition,
            Place::Undo => Where::Undo,
        }
    }
}

/// A box over the screen. There is at most one.
#[derive(Debug, Clone)]
pub enum Popup {
    Palette(Box<Palette>),
    Prompt(Box<Prompt>),
    Wait(Box<WaitForm>),
    Login(Box<LoginForm>),
}

/// Everything the terminal shows comes from here.
#[derive(Debug, Clone)]
pub struct State {
    pub facts: Facts,
    pub place: Place,
    pub home: HomeScreen,
    pub board: BoardScreen,
    pub output: OutputScreen,
    pub form: FormScreen,
    pub plan: PlanScreen,
    pub edition: EditionScreen,
    pub undo: UndoScreen,
    pub popup: Option<Popup>,
    /// A question that was left with something typed into it, for when it is asked again.
    left: Option<Box<Prompt>>,
    /// What a login asks, until it can be shown.
    pub login: Option<LoginQuestion>,
    /// The person wants to leave; we wait for running steps to come to a safe end.
    pub leaving: bool,
    /// When Ctrl-C was pressed last: twice within two seconds leaves.
    pub interrupted: Option<At>,
}

impl State {
    pub fn new(facts: Facts) -> Self {
        State {
            facts,
            place: Place::Home,
            home: HomeScreen::default(),
            board: BoardScreen::default(),
            output: OutputScreen::default(),
            form: FormScreen::default(),
            plan: PlanScreen::default(),
            edition: EditionScreen::default(),
            undo: UndoScreen::default(),
            popup: None,
            left: None,
            login: None,
            leaving: false,
            interrupted: None,
        }
    }

    /// An engagement was opened: its board is shown, on the next thing to do. `printing` is the command that prints a text that
    /// it keeps, but for the text's name.
    pub fn opened(&mut self, handle: &Handle, printing: String) -> Vec<Effect> {
        let mut open = Opened::new(handle.runbook().clone(), handle.engagement().as_ref().clone());
        open.name = handle.name().to_owned();
        open.printing = printing;
        open.masks = handle.masks().clone();
        let effects = self.enter(open);
        if let Some(greeting) = handle.greeting() {
            self.greet(greeting);
        }
        effects
    }

    /// What was found while it was opened; it hides no change in doubt.
    pub fn greet(&mut self, greeting: &str) {
        let said = match &self.facts.said {
            Said { text, tone: Tone::Bad } => format!("{text}. {greeting}"),
            _ => greeting.to_owned(),
        };
        self.say(Said::bad(said));
    }

    /// As [`State::opened`], for facts that come from elsewhere.
    pub fn enter(&mut self, open: Opened) -> Vec<Effect> {
        let next = open.board.next().map(|row| words::title(&open.runbook, &row.address));
        let half_undone = words::half_undone(&open.engagement);
        let doubts: Vec<String> = open.board.doubts().map(|row| words::title(&open.runbook, &row.address)).collect();
        let said = match next {
            _ if !doubts.is_empty() => {
                let count = crate::text::count(doubts.len(), "change");
                Said::bad(format!("{count} in doubt: {}", crate::text::list(&doubts)))
            }
            _ if half_undone.is_some() => Said::bad(half_undone.unwrap_or_default()),
            Some(title) => Said::plain(format!("Next: {title} (Enter; ? is help)")),
            None => Said::plain(words::nothing_next(&open.board)),
        };
        self.facts.say(said);
        self.facts.open = Some(open);
        self.board = BoardScreen::default();
        self.plan = PlanScreen::default();
        self.form = FormScreen::default();
        self.output = OutputScreen::default();
        (self.popup, self.left) = (None, None);
        self.place = Place::Board;
        self.board.jump_to_next(&self.facts);
        self.ask_for_output()
    }

    /// Asks for the lines of output that are to be seen and are not here.
    fn ask_for_output(&mut self) -> Vec<Effect> {
        let shown = match self.place {
            Place::Board => self.board.shows(&self.facts),
            Place::Output => self.output.shows(&self.facts),
            _ => None,
        };
        let (Some((step, view, height)), Some(open)) = (shown, &mut self.facts.open) else { return Vec::new() };
        open.shows(&step, view, height).map(Effect::Send).into_iter().collect()
    }

    /// There is another edition of the runbook than the one that is walked.
    pub fn found_edition(&mut self, edition: Edition) {
        if let Some(open) = &mut self.facts.open {
            open.other_edition = Some(edition);
            self.facts.say(Said::plain("Another edition of the runbook is here: B shows what is different"));
        }
    }

    pub fn here(&self) -> Where {
        match &self.popup {
            Some(Popup::Palette(_)) => Where::Palette,
            Some(Popup::Prompt(_) | Popup::Wait(_) | Popup::Login(_)) => Where::Prompt,
            None => self.place.into(),
        }
    }

    pub fn say(&mut self, said: Said) {
        self.facts.say(said);
    }

    /// Is the person writing? Then letters are text and not commands.
    pub fn takes_text(&self) -> bool {
        match &self.popup {
            Some(Popup::Palette(palette)) => palette.takes_text(),
            Some(Popup::Prompt(prompt)) => prompt.takes_text(),
            Some(Popup::Wait(form)) => form.takes_text(),
            Some(Popup::Login(form)) => form.takes_text(),
            None => self.screen().takes_text(),
        }
    }

    /// The screen under the popup.
    pub fn screen(&self) -> &dyn Screen {
        match self.place {
            Place::Home => &self.home,
            Place::Board => &self.board,
            Place::Output => &self.output,
            Place::Form => &self.form,
            Place::Plan => &self.plan,
            Place::Edition => &self.edition,
            Place::Undo => &self.undo,
        }
    }

    /// What has the focus, and the facts it may read.
    fn focus(&mut self) -> (&mut dyn Screen, &Facts) {
        let screen: &mut dyn Screen = match (&mut self.popup, self.place) {
            (Some(Popup::Palette(palette)), _) => palette.as_mut(),
            (Some(Popup::Prompt(prompt)), _) => prompt.as_mut(),
            (Some(Popup::Wait(form)), _) => form.as_mut(),
            (Some(Popup::Login(form)), _) => form.as_mut(),
            (None, Place::Home) => &mut self.home,
            (None, Place::Board) => &mut self.board,
            (None, Place::Output) => &mut self.output,
            (None, Place::Form) => &mut self.form,
            (None, Place::Plan) => &mut self.plan,
            (None, Place::Edition) => &mut self.edition,
            (None, Place::Undo) => &mut self.undo,
        };
        (screen, &self.facts)
    }

    pub fn go(&mut self, to: Move) -> Vec<Effect> {
        let (screen, facts) = self.focus();
        screen.go(facts, to)
    }

    /// Asks, with what was typed when the same was asked before and left.
    pub fn ask(&mut self, ask: Ask) {
        let left = self.left.take_if(|left| left.ask == ask);
        self.popup = Some(Popup::Prompt(left.unwrap_or_else(|| Box::new(Prompt::new(ask, &self.facts)))));
    }

    /// Leaves the popup, if there is one.
    pub fn leave_popup(&mut self) -> Option<Popup> {
        if let Some(Popup::Prompt(prompt)) = self.popup.as_ref()
            && prompt.has_a_text_to_keep()
        {
            self.left = Some(prompt.clone());
        }
        self.popup.take()
    }

    /// Shows another screen of the open engagement.
    pub fn show(&mut self, place: Place) {
        self.popup = None;
        self.place = place;
    }
}

/// Folds one event into the state; answers what the world must do for it.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = take_in(state, event);
    login::show_waiting(state);
    effects.extend(state.ask_for_output());
    effects
}

fn take_in(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) if keys::counts(&key) => press(state, &key),
        Event::Key(_) => Vec::new(),
        Event::Paste(_) if !has_room(state) => Vec::new(),
        Event::Paste(text) => {
            let (screen, facts) = state.focus();
            screen.paste(facts, &text)
        }
        Event::Resize(columns, rows) => {
            state.facts.size = (columns, rows);
            Vec::new()
        }
        Event::Tick(now) => {
            state.facts.now = now;
            // While it leaves, what it waits for stays in sight.
            if !state.leaving {
                state.facts.forget_news();
            }
            Vec::new()
        }
        Event::Notice(notice) => take(state, notice),
        Event::Terminated => vec![Effect::Quit],
    }
}

/// Where nothing can be shown nothing is done blindly either: only stopping, leaving and redrawing work.
fn has_room(state: &State) -> bool {
    let (columns, rows) = state.facts.size;
    columns >= SMALLEST.0 && rows >= SMALLEST.1
}

fn press(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    let command = command::for_key(state, key);
    if !has_room(state) && !command.is_some_and(|command| BLIND.contains(&command.id)) {
        return Vec::new();
    }
    if let Some(command) = command {
        return command::perform(state, command);
    }
    let (screen, facts) = state.focus();
    screen.on(facts, key)
}

fn take(state: &mut State, notice: Notice) -> Vec<Effect> {
    match notice {
        Notice::LoginAsks(question) => {
            login::asked(state, question);
            return Vec::new();
        }
        Notice::LoginWithdrawn(number) => {
            login::withdrawn(state, number);
            return Vec::new();
        }
        Notice::SecretsAtHand => return acts::approve_now(state),
        _ => {}
    }
    let Some(open) = &mut state.facts.open else { return Vec::new() };
    let was_running = open.running;
    let planned = matches!(notice, Notice::Planned(_));
    let recorded = matches!(notice, Notice::Recorded(_));
    let filled = match &notice {
        Notice::Recorded(Recorded { event: Fact::Done { step, how: DoneHow::Given, .. }, .. }) => Some(step.clone()),
        _ => None,
    };
    let refused = match &notice {
        Notice::Refused(refusal) => Some(refusal.clone()),
        _ => None,
    };
    let wanted = match &notice {
        Notice::NeedsSecrets { missing, ahead_of } => {
            Some(Ask::Secrets { missing: missing.clone(), ahead_of: ahead_of.clone() })
        }
        _ => None,
    };
    let adopted = match &notice {
        Notice::Recorded(Recorded { event: Fact::Adopted { step, .. }, .. }) => Some(step.clone()),
        _ => None,
    };
    let found = match &notice {
        Notice::Found(found) => Some(found.clone()),
        _ => None,
    };
    let said = open.take(notice, state.facts.now);
    let closed = open.closed;
    let found = found.and_then(|found| state.output.found(&state.facts, &found));
    // What stands in its box already is not said twice.
    let in_its_box = refused.as_ref().is_some_and(|refusal| adopt::refused(state, &refusal.to_string()));
    // A form that was left with its last answer is there again: what to press stands in it.
    let in_its_form = refused.as_ref().is_some_and(|refusal| state.form.refused(refusal));
    if in_its_form && state.place == Place::Board && state.popup.is_none() {
        state.show(Place::Form);
    }
    let in_its_box = in_its_box || (in_its_form && state.place == Place::Form);
    if let Some(said) = said.or(found).filter(|_| !in_its_box) {
        state.say(said);
    }
    if let Some(step) = adopted {
        adopt::adopted(state, &step);
    }
    if let Some(ask) = wanted {
        state.ask(ask);
        return Vec::new();
    }
    if recorded {
        state.form.known(&state.facts);
        state.board.known(&state.facts);
        state.board.watch_what_runs(&state.facts);
    }
    if planned {
        state.plan.arrived(&state.facts);
    }
    if closed && state.leaving {
        return vec![Effect::QuitAtOnce];
    }
    let goes_along = state.place == Place::Board && state.popup.is_none() && state.board.follows();
    if goes_along && filled.is_some() && filled == state.board.address(&state.facts) {
        state.board.jump_to_next(&state.facts);
        return Vec::new();
    }
    let stopped = was_running && state.facts.open.as_ref().is_some_and(|open| !open.running);
    if stopped && state.place == Place::Board && state.popup.is_none() && state.form.takes_the_free_way() {
        state.show(Place::Form);
        state.say(Said::whole("What was in the way is taken back: Enter gives the answer that was refused"));
        return Vec::new();
    }
    if !stopped || !goes_along {
        return Vec::new();
    }
    // The run came as far as it may: what it would change is shown for approval.
    // What is being taken back is not built upon, whatever was wanted before it.
    let open = state.facts.open.as_ref().filter(|open| words::half_undone(&open.engagement).is_none());
    let held = open.and_then(|open| open.held().cloned());
    match held {
        Some(first) => acts::show_plan(state, Some(first)),
        None => {
            state.board.jump_to_next(&state.facts);
            Vec::new()
        }
    }
}

/// Runs steps, unless something stands against it; the words are the same wherever it was asked for.
pub fn run(state: &mut State, scope: crate::engagement::RunScope) -> Vec<Effect> {
    state.board.go_along();
    match &mut state.facts.open {
        Some(open) => {
            open.running = true;
            vec![Effect::Send(Request::Run(scope))]
        }
        None => Vec::new(),
    }
}
