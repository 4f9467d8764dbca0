//! Questions that need an answer before something happens: what it means first, then a line to type.

mod host_key;
mod secrets;

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use secrecy::SecretString;

use crate::engagement::doubt::{Choice, choices, told};
use crate::engagement::{Address, Command, MissingSecret, Question, RunScope, Settlement, Status};
use crate::engine::{AheadOf, Request};
use crate::input::{InputId, SecretRef, SecretStore};
use crate::text;
use crate::ui::acts;
use crate::ui::effect::{ConcatEffects, Effect};
use crate::ui::facts::{Facts, Said};
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::{Move, Screen, draw_prose, undo};
use crate::ui::state::{Place, Popup, State, run};
use crate::ui::widget::field::Editor;
use crate::ui::widget::prose::Prose;
use crate::ui::widget::secret_line::SecretLine;
use crate::ui::widget::{diff, popup};
use crate::ui::words;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The name of a new engagement.
    New,
    Skip(Address),
    /// The step, or the host from here on?
    SkipOnHost(Address),
    SignOff(Address),
    /// Is this the key of the right host?
    TrustKey(Address),
    /// Something else is there.
    Different(Address),
    Settle(Address),
    Approve,
    /// What stands on the undo screen.
    Undo,
    /// Secrets that are missing, one after the other; then what they are needed for goes on.
    Secrets {
        missing: Vec<MissingSecret>,
        ahead_of: AheadOf,
    },
    /// Where to keep the secret that was typed for this input.
    Store(InputId),
    /// What to look for in the output.
    Find,
    /// Look at it again, or keep it as it was done?
    Outdated(Address),
    /// Walk another edition of the runbook?
    TakeEdition,
    /// Steps are running: leave all the same?
    Leave,
}

/// The popup.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub ask: Ask,
    editor: Editor,
    /// Where a secret is typed, and what was said to those before it.
    hidden: SecretLine,
    given: Vec<(SecretRef, Option<SecretString>)>,
    /// A passphrase that is chosen now, typed once.
    first: Option<SecretString>,
    choices: Vec<Choice>,
    choice: usize,
    problem: Option<String>,
}

/// Entries of a list that a popup shows.
const LONGEST_LIST: usize = 5;

const DIFFERENT: [Choice; 3] = [
    Choice { name: "look again", does: "I have put it right: probe it once more", then: "" },
    Choice {
        name: "adopt",
        does: "it is the one that is wanted: take it, by its id",
        then: "onramp will never take it away",
    },
    Choice { name: "skip", does: "leave it as it is", then: "the reason stands in the handover report" },
];
const OUTDATED: [Choice; 2] = [
    Choice {
        name: "look again",
        does: "onramp looks whether it is so",
        then: "what would change something waits for your approval",
    },
    Choice { name: "keep", does: "it is well as it was done", then: "" },
];

const STORES: [Choice; 4] = [
    Choice { name: "file", does: "secrets.age beside the state file", then: "sealed with a passphrase" },
    Choice { name: "keyring", does: "the keyring of this machine's user", then: "" },
    Choice { name: "AWS", does: "Secrets Manager in the engagement's account", then: "" },
    Choice { name: "ask me", does: "nowhere: I am asked each time it is needed", then: "" },
];

impl Prompt {
    pub fn new(ask: Ask, facts: &Facts) -> Self {
        let (hidden, given, first) = Default::default();
        let choices = match &ask {
            Ask::Different(_) => DIFFERENT.to_vec(),
            Ask::Settle(step) => {
                let open = facts.open.as_ref();
                let doubt = open.and_then(|open| Some((open, open.engagement.record(step)?)));
                doubt.map(|(open, record)| choices(&open.runbook, step, record)).unwrap_or_default()
            }
            Ask::SkipOnHost(_) => words::ON_HOST.to_vec(),
            Ask::Outdated(_) => OUTDATED.to_vec(),
            Ask::Store(_) => STORES.to_vec(),
            _ => Vec::new(),
        };
        Prompt { ask, editor: Editor::line(""), hidden, given, first, choices, choice: 0, problem: None }
    }

    fn chosen(&self) -> &'static str {
        self.choices.get(self.choice).map_or("", |choice| choice.name)
    }

    fn heading(&self, facts: &Facts) -> String {
        let title = |address: &Address| match &facts.open {
            Some(open) => words::title(&open.runbook, address),
            None => address.to_string(),
        };
        match &self.ask {
            Ask::New => "Begin a new engagement".to_owned(),
            Ask::Skip(step) | Ask::SkipOnHost(step) => format!("Skip: {}", title(step)),
            Ask::SignOff(step) => format!("Sign off: {}", title(step)),
            Ask::TrustKey(_) => "Is this the right host?".to_owned(),
            Ask::Different(step) => format!("Not as expected: {}", title(step)),
            Ask::Settle(step) => format!("In doubt: {}", title(step)),
            Ask::Outdated(step) => format!("Changed since it was done: {}", title(step)),
            Ask::TakeEdition => "Take this edition of the runbook".to_owned(),
            Ask::Approve => "Approve the plan".to_owned(),
            Ask::Undo => "Take back what is shown".to_owned(),
            Ask::Secrets { missing, .. } => format!("{} missing", text::count(missing.len(), "secret")),
            Ask::Store(_) => "Where is this secret to be kept?".to_owned(),
            Ask::Find => "Find in the output".to_owned(),
            Ask::Leave => "Steps are still running".to_owned(),
        }
    }

    /// What the line is for; empty where nothing is to be typed.
    fn label(&self, facts: &Facts) -> String {
        match &self.ask {
            Ask::New => "Name".to_owned(),
            Ask::Skip(_) | Ask::SkipOnHost(_) => "Reason".to_owned(),
            Ask::SignOff(_) => "Who saw or did what?".to_owned(),
            Ask::TrustKey(_) => "yes, or the fingerprint from there".to_owned(),
            Ask::Different(_) if self.chosen() == "skip" => "Reason".to_owned(),
            Ask::Different(_) if self.chosen() == "adopt" => "Its id".to_owned(),
            Ask::Settle(_) if self.chosen() == "adopt" => "Its id (empty: the one that is ours)".to_owned(),
            Ask::Settle(_) if self.chosen() == "done" => "What did you see?".to_owned(),
            Ask::Different(_) | Ask::Settle(_) | Ask::Outdated(_) => String::new(),
            Ask::TakeEdition => "Type yes to take it".to_owned(),
            Ask::Approve | Ask::Undo => format!("Type {} to go on", facts.approval_word()),
            Ask::Secrets { .. } if self.first.is_some() => "Once more".to_owned(),
            Ask::Secrets { .. } => "Secret (not shown)".to_owned(),
            Ask::Store(_) => String::new(),
            Ask::Find => "Text".to_owned(),
            Ask::Leave => "Type yes to stop them and leave".to_owned(),
        }
    }

    fn explain(&self, facts: &Facts, prose: &mut Prose) {
        let look = &facts.look;
        let plain = Style::new();
        match &self.ask {
            Ask::New => {
                prose.text("A short name for this customer and environment, e.g. acme-prod: letters, digits and hyphens. It is the name of the file on this machine.", plain);
            }
            Ask::Skip(_) | Ask::SkipOnHost(_) => {
                prose.text(
                    "What needs this step goes on as if it were done. The reason stands in the handover report.",
                    plain,
                );
            }
            Ask::SignOff(step) => self.explain_sign_off(facts, step, prose),
            Ask::TrustKey(step) => host_key::explain(facts, step, prose),
            Ask::Different(step) => {
                if let Some(Status::Asked(Question::Different { said, differences })) = status(facts, step) {
                    prose.text(said, look.style(Role::Problem));
                    diff::add(prose, look, differences);
                }
                prose.text("onramp does not change what it did not make. Put it right, or decide:", plain);
            }
            Ask::Settle(step) => explain_doubt(facts, step, prose),
            Ask::Approve => explain_approval(facts, prose),
            Ask::Undo => explain_undo(facts, prose),
            Ask::Outdated(_) => {
                prose.text(
                    "It is done as an earlier edition of the runbook said. This one would do it otherwise.",
                    plain,
                );
            }
            Ask::TakeEdition => {
                prose.text(
                    "The engagement walks it from now on. Nothing runs by that, and nothing that is done is lost; the \
                     edition it walked until now stays in its state file, for undoing what was made with it.",
                    plain,
                );
            }
            Ask::Secrets { missing, .. } => self.explain_secrets(facts, missing, prose),
            Ask::Store(_) => {
                prose.text("The state file only says where it lives, never what it is.", plain);
            }
            Ask::Find => {
                prose.text("Small letters find capitals too. n and N go on.", plain);
            }
            Ask::Leave => {
                prose.text("onramp would let them come to a safe end, start nothing new, and leave then. Everything is kept. Esc stays.", plain);
            }
        }
    }

    fn explain_sign_off(&self, facts: &Facts, step: &Address, prose: &mut Prose) {
        let ask = facts.open.as_ref().and_then(|open| {
            let found = open.step(step)?;
            let item = crate::engagement::item_of(found, step, &open.scope).ok()??;
            match crate::engagement::call(found, item.as_ref(), &open.scope).ok()? {
                crate::engagement::Call::Manual { ask } => Some(ask),
                _ => None,
            }
        });
        if let Some(ask) = ask {
            prose.text(&ask, facts.look.bold()).blank();
        }
        prose.text("Signing off says that you did it, or saw it done. Your name and the time are kept.", Style::new());
    }
}

fn status<'a>(facts: &'a Facts, step: &Address) -> Option<&'a Status> {
    facts.open.as_ref()?.row(step).map(|row| &row.status)
}

fn explain_approval(facts: &Facts, prose: &mut Prose) {
    let Some(planned) = facts.open.as_ref().and_then(|open| open.planned.as_ref()) else { return };
    let summary = words::plan_summary(&planned.plan);
    let said = format!("{summary}. onramp runs them then; a step that would do anything else stops and asks again.");
    prose.text(&said, Style::new());
    let entries = || planned.plan.entries.iter().filter(|entry| entry.would_change());
    let look = &facts.look;
    let costly: BTreeSet<&str> =
        entries().filter(|entry| entry.cost.is_some()).map(|entry| entry.title.as_str()).collect();
    if !costly.is_empty() {
        prose.blank().item("Costs", &costly.into_iter().collect::<Vec<_>>().join("; "), look.style(Role::Waiting));
    }
    let care: BTreeSet<String> = entries()
        .filter_map(|entry| entry.breaks.as_ref().map(|breaks| format!("{}: {breaks}", entry.title)))
        .collect();
    for (index, words) in care.iter().enumerate().take(LONGEST_LIST) {
        prose.item(if index == 0 { "Care" } else { "" }, words, look.style(Role::Waiting));
    }
    more(prose, care.len());
}

fn explain_undo(facts: &Facts, prose: &mut Prose) {
    let Some(plan) = undo::plan(facts) else { return };
    let said =
        format!("{}, one after another, and only what onramp made. What cannot be taken back ends it.", plan.summary());
    prose.text(&said, Style::new());
    for (index, (_, title, why)) in plan.stays.iter().enumerate().take(LONGEST_LIST) {
        prose.item(if index == 0 { "Stays" } else { "" }, &format!("{title}: {why}"), facts.look.style(Role::Waiting));
    }
    more(prose, plan.stays.len());
}

/// What was intended, under which token, and what a look found; the guard and the reason stand on the board.
fn explain_doubt(facts: &Facts, step: &Address, prose: &mut Prose) {
    let record = facts.open.as_ref().and_then(|open| open.engagement.record(step));
    for (label, said) in record.map(told).unwrap_or_default() {
        if !matches!(label, "Guard" | "Known") {
            prose.item(label, &said, Style::new());
        }
    }
}

/// A list that is longer says so; the rest stands in the plan or in the tree.
fn more(prose: &mut Prose, length: usize) {
    if length > LONGEST_LIST {
        prose.text(&format!("    and {} more", length - LONGEST_LIST), Style::new());
    }
}

impl Screen for Prompt {
    fn on(&mut self, _facts: &Facts, key: &KeyEvent) -> Vec<Effect> {
        let taken = if self.wanted().is_some() { self.hidden.key(key) } else { self.editor.key(key) };
        if taken {
            self.problem = None;
        }
        Vec::new()
    }

    fn go(&mut self, _facts: &Facts, to: Move) -> Vec<Effect> {
        let last = self.choices.len().saturating_sub(1);
        self.choice = match to {
            Move::Up | Move::Previous => self.choice.saturating_sub(1),
            Move::Down | Move::Next => (self.choice + 1).min(last),
            _ => self.choice,
        };
        Vec::new()
    }

    fn paste(&mut self, facts: &Facts, text: &str) -> Vec<Effect> {
        match self.ask {
            // A fingerprint is compared, which a yes is not.
            Ask::TrustKey(_) if text.contains(':') => self.editor.paste(text),
            Ask::Approve | Ask::Undo | Ask::TrustKey(_) | Ask::TakeEdition | Ask::Leave => {
                self.problem = Some("this must be typed, not pasted".to_owned());
            }
            Ask::Secrets { .. } => self.hidden.paste(text),
            _ => self.editor.paste(text),
        }
        let _ = facts;
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let look = &facts.look;
        let width = area.width.saturating_sub(6).min(84);
        let labels = if matches!(self.ask, Ask::Settle(_)) { 10 } else { 7 };
        let mut prose = Prose::new(look, width.saturating_sub(4), labels);
        self.explain(facts, &mut prose);
        if !self.choices.is_empty() {
            prose.blank();
        }
        for (index, choice) in self.choices.iter().enumerate() {
            let (name, marked) = (choice.name, index == self.choice);
            // What is marked is told in full; of the others a line, so that all of them can be seen at once.
            let room = usize::from(width.saturating_sub(18));
            let means = if marked { choice.means() } else { text::clip(choice.does, room) };
            let cursor = if marked { look.glyph(Glyph::Cursor) } else { " " };
            let style = if marked { look.focus() } else { Style::new() };
            prose.indented(&format!("{cursor} {name:<11}"), &means, style);
        }
        let label = self.label(facts);
        let mut below = Prose::new(look, width.saturating_sub(4), 0);
        if let Some(problem) = &self.problem {
            below.text(problem, look.style(Role::Problem));
        }
        let typed = u16::from(!label.is_empty());
        let below_height = u16::try_from(below.height()).unwrap_or(0);
        let height = u16::try_from(prose.height()).unwrap_or(u16::MAX).saturating_add(typed * 2 + below_height + 2);
        let inside = popup::open(frame, look, area, width, height, &self.heading(facts));
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        let [text_area, _, line, problem] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(typed),
            Constraint::Length(typed),
            Constraint::Length(below_height),
        ])
        .areas(inside);
        draw_prose(frame, text_area, prose, 0);
        draw_prose(frame, problem, below, 0);
        if typed > 0 {
            let lead = format!("{label}: ");
            let lead_width = u16::try_from(crate::ui::widget::prose::cells(&lead)).unwrap_or(0);
            let [lead_area, field] =
                Layout::horizontal([Constraint::Length(lead_width), Constraint::Fill(1)]).areas(line);
            frame.render_widget(Span::styled(lead, look.style(Role::Accent)), lead_area);
            match self.wanted() {
                Some(_) => self.hidden.draw(frame, field, look.bold()),
                None => self.editor.draw(frame, field, look.bold(), true),
            }
        } else {
            frame.set_cursor_position(text_area.as_position());
        }
    }
}

pub fn accept_hint(state: &State) -> String {
    match &state.popup {
        Some(Popup::Wait(form)) => form.enter_hint().to_owned(),
        _ => "go on".to_owned(),
    }
}

/// `Enter`: takes the answer, or says what is wrong with it.
pub fn accept(state: &mut State) -> Vec<Effect> {
    if matches!(state.popup, Some(Popup::Login(_))) {
        return super::login::accept(state);
    }
    if let Some(Popup::Prompt(open)) = &mut state.popup
        && open.wanted().is_some()
        && !open.take_secret()
    {
        return Vec::new();
    }
    let Some(crate::ui::state::Popup::Prompt(prompt)) = &state.popup else { return super::waiting::accept(state) };
    let prompt = prompt.clone();
    match answer(state, &prompt) {
        Ok(effects) => {
            if matches!(&state.popup, Some(crate::ui::state::Popup::Prompt(open)) if open.ask == prompt.ask) {
                state.popup = None;
            }
            effects
        }
        Err(problem) => {
            if let Some(crate::ui::state::Popup::Prompt(open)) = &mut state.popup {
                open.problem = Some(problem);
            }
            Vec::new()
        }
    }
}

fn answer(state: &mut State, prompt: &Prompt) -> Result<Vec<Effect>, String> {
    let typed = prompt.editor.text().trim().to_owned();
    let command = |command| Effect::Send(Request::Command(command));
    match &prompt.ask {
        Ask::New => {
            check_name(&typed, &state.facts)?;
            Ok(vec![Effect::CreateEngagement(typed)])
        }
        Ask::Skip(step) | Ask::SkipOnHost(step) => {
            let reason = required(typed, "a skipped step needs a reason")?;
            Ok(vec![command(match &step.key {
                Some(host) if prompt.chosen() == "the host" => Command::LeaveOut { host: host.clone(), reason },
                _ => Command::Skip { step: step.clone(), reason },
            })])
        }
        Ask::SignOff(step) => {
            let note = required(typed, "say who saw or did what: it stands in the handover report")?;
            Ok(vec![command(Command::SignOff { step: step.clone(), note })])
        }
        Ask::TrustKey(step) => {
            host_key::agreed(&state.facts, step, &typed)?;
            let trust = command(Command::TrustHostKey(step.clone()));
            Ok([vec![trust], run(state, RunScope::Only(step.clone()))].concat_effects())
        }
        Ask::Different(step) if prompt.chosen() == "skip" => {
            let reason = required(typed, "a skipped step needs a reason")?;
            Ok(vec![command(Command::Skip { step: step.clone(), reason })])
        }
        Ask::Different(step) if prompt.chosen() == "adopt" => {
            let id = required(typed, "give the id of the object, such as vpc-0123")?;
            let reason = "a person said that it is the one".to_owned();
            Ok(vec![Effect::Send(Request::Adopt { step: step.clone(), id: Some(id), reason })])
        }
        Ask::Different(step) => {
            let reopen = command(Command::Reopen(step.clone()));
            Ok([vec![reopen], run(state, RunScope::Only(step.clone()))].concat_effects())
        }
        Ask::Settle(step) => settle(state, prompt, step, typed),
        Ask::Outdated(step) if prompt.chosen() == "keep" => Ok(vec![command(Command::KeepDone(step.clone()))]),
        Ask::Outdated(step) => {
            let reopen = command(Command::Reopen(step.clone()));
            Ok([vec![reopen], run(state, RunScope::Only(step.clone()))].concat_effects())
        }
        Ask::TakeEdition => {
            exactly(&typed, "yes")?;
            let other = state.facts.open.as_ref().and_then(|open| open.other_edition.clone());
            let other = other.ok_or("it is taken already")?;
            state.show(Place::Board);
            Ok(vec![Effect::Send(Request::Update { edition: other.runbook, files: other.files })])
        }
        Ask::Approve => {
            exactly(&typed, &state.facts.approval_word())?;
            approve(state)
        }
        Ask::Undo => {
            exactly(&typed, &state.facts.approval_word())?;
            let Some(open) = &mut state.facts.open else { return Ok(Vec::new()) };
            let Some(planned) = open.undo_plan.take() else { return Err("look again first: d".to_owned()) };
            open.running = true;
            state.show(Place::Board);
            Ok(vec![Effect::Send(Request::Undo(planned.steps))])
        }
        Ask::Secrets { ahead_of, .. } => {
            let said = Effect::Send(Request::Secrets(prompt.given.clone()));
            let then = match ahead_of.clone() {
                AheadOf::Run(scope) => run(state, scope),
                AheadOf::Approval(scope) => vec![Effect::Send(Request::SeekSecrets(scope))],
                AheadOf::Keeping => Vec::new(),
            };
            Ok([vec![said], then].concat_effects())
        }
        Ask::Store(input) => {
            let store = match prompt.chosen() {
                "keyring" => SecretStore::Keyring,
                "AWS" => SecretStore::SecretsManager,
                "ask me" => SecretStore::Prompt,
                _ => SecretStore::Age,
            };
            let text = state.form.take_secret(input).ok_or("the field is empty by now")?;
            Ok(vec![Effect::Send(Request::KeepSecret { input: input.clone(), store, text })])
        }
        Ask::Find => {
            let (said, effects) = state.output.find(&state.facts, typed);
            state.say(said);
            Ok(effects)
        }
        Ask::Leave => {
            exactly(&typed, "yes")?;
            state.leaving = true;
            state.say(Said::plain("Leaving: running steps come to a safe end first. Ctrl-C leaves at once"));
            Ok(vec![Effect::Quit])
        }
    }
}

fn settle(state: &mut State, prompt: &Prompt, step: &Address, typed: String) -> Result<Vec<Effect>, String> {
    let settle = |how, reason| Effect::Send(Request::Command(Command::Settle { step: step.clone(), how, reason }));
    let again = RunScope::Only(step.clone());
    match prompt.chosen() {
        "look" => Ok(run(state, again)),
        "adopt" => {
            let (id, reason) = (Some(typed).filter(|id| !id.is_empty()), "found after the interruption".to_owned());
            Ok(vec![Effect::Send(Request::Adopt { step: step.clone(), id, reason })])
        }
        "undo" => Ok(acts::show_undo(state, vec![step.clone()])),
        "retry" => Ok([vec![settle(Settlement::Retry, String::new())], run(state, again)].concat_effects()),
        _ => {
            let reason = required(typed, "say what you saw: it stands in the handover report")?;
            Ok(vec![settle(Settlement::Done, reason)])
        }
    }
}

/// The approval binds to the digest of the plan that is on the screen.
fn approve(state: &mut State) -> Result<Vec<Effect>, String> {
    let planned = state.facts.open.as_ref().and_then(|open| open.planned.as_ref());
    let planned = planned.filter(|planned| !planned.stale).ok_or("the plan is old: make it anew first")?;
    let (digest, steps) = (planned.plan.digest.clone(), planned.plan.approval());
    let approve = Effect::Send(Request::Command(Command::Approve { digest, steps }));
    state.show(Place::Board);
    Ok([vec![approve], run(state, RunScope::All)].concat_effects())
}

fn required(typed: String, problem: &str) -> Result<String, String> {
    if typed.is_empty() { Err(problem.to_owned()) } else { Ok(typed) }
}

fn exactly(typed: &str, wanted: &str) -> Result<(), String> {
    if typed == wanted { Ok(()) } else { Err(format!("type {wanted} to go on, or Esc to leave everything as it is")) }
}

fn check_name(name: &str, facts: &Facts) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        return Err("give it a name, e.g. acme-prod".to_owned());
    }
    if !name.chars().all(plain) || name.starts_with('-') || name.ends_with('-') || name.len() > 40 {
        return Err("at most 40 small letters, digits and hyphens, e.g. acme-prod".to_owned());
    }
    if facts.cards.iter().any(|card| card.name == name) {
        return Err(format!("there is an engagement {name} already: choose it in the list"));
    }
    Ok(())
}
