//! Questions that need an answer before something happens: what it means first, then a line to type.

pub mod adopt;
mod drawn;
mod explain;
mod host_key;
mod secrets;

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use secrecy::SecretString;

use crate::engagement::doubt::{Choice, choices};
use crate::engagement::{Address, Command, MissingSecret, RunScope, Settlement};
use crate::engine::{AheadOf, Request};
use crate::input::{InputId, SecretRef, SecretStore};
use crate::text;
use crate::ui::acts;
use crate::ui::effect::{ConcatEffects, Effect};
use crate::ui::facts::{Facts, Said};
use crate::ui::screen::{Move, Screen};
use crate::ui::state::{Place, Popup, State, run};
use crate::ui::widget::field::Editor;
use crate::ui::widget::secret_line::SecretLine;
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
    /// It is signed off: otherwise, or not at all?
    SignAgain(Address),
    /// Is this the key of the right host?
    TrustKey(Address),
    /// Something else is there.
    Different(Address),
    Settle(Address),
    /// Which object stands for a step that failed.
    Adopt(Address),
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
    /// It failed while it was taken back: go on with that, or make it again?
    HalfUndone(Address),
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
    adoption: adopt::Adoption,
    choices: Vec<Choice>,
    choice: usize,
    /// Rows of what it means that stand above the popup.
    scroll: usize,
    problem: Option<String>,
}

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
const HALF_UNDONE: [Choice; 2] = [
    Choice { name: "take back", does: "go on with the undo", then: "it shows first what would go" },
    Choice { name: "make again", does: "it looks first what is there", then: "the undo ends where it is" },
];

const SIGNED: [Choice; 2] = [
    Choice { name: "correct", does: "say it as it was", then: "what was signed first stays in the journal" },
    Choice {
        name: "withdraw",
        does: "it was not so: it is to be signed anew",
        then: "what comes after it waits for that",
    },
];

const STORES: [Choice; 4] = [
    Choice { name: "file", does: "secrets.age beside the state file", then: "sealed with a passphrase" },
    Choice { name: "keyring", does: "the keyring of this machine's user", then: "" },
    Choice { name: "AWS", does: "Secrets Manager in the engagement's account", then: "" },
    Choice { name: "ask me", does: "nowhere: I am asked each time it is needed", then: "" },
];

impl Prompt {
    pub fn new(ask: Ask, facts: &Facts) -> Self {
        let (hidden, given, first, adoption) = Default::default();
        let choices = match &ask {
            Ask::Different(_) => DIFFERENT.to_vec(),
            Ask::Settle(step) => {
                let open = facts.open.as_ref();
                let doubt = open.and_then(|open| Some((open, open.engagement.record(step)?)));
                doubt.map(|(open, record)| choices(&open.runbook, step, record)).unwrap_or_default()
            }
            Ask::SkipOnHost(_) => words::ON_HOST.to_vec(),
            Ask::Outdated(_) => OUTDATED.to_vec(),
            Ask::HalfUndone(_) => HALF_UNDONE.to_vec(),
            Ask::SignAgain(_) => SIGNED.to_vec(),
            Ask::Store(_) => STORES.to_vec(),
            _ => Vec::new(),
        };
        let signed = match &ask {
            Ask::SignAgain(step) => words::signed(facts, step).unwrap_or_default(),
            _ => String::new(),
        };
        let editor = Editor::line(&signed);
        Prompt { ask, editor, hidden, given, first, adoption, choices, choice: 0, scroll: 0, problem: None }
    }

    /// Somebody's own words, which nobody should have to write twice.
    pub fn has_a_text_to_keep(&self) -> bool {
        let is_told = matches!(self.ask, Ask::SignOff(_) | Ask::Skip(_) | Ask::SkipOnHost(_));
        is_told && !self.editor.text().trim().is_empty()
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
            Ask::SignAgain(step) => format!("Signed off: {}", title(step)),
            Ask::TrustKey(_) => "Is this the right host?".to_owned(),
            Ask::Different(step) => format!("Not as expected: {}", title(step)),
            Ask::Settle(step) => format!("In doubt: {}", title(step)),
            Ask::Adopt(step) => format!("Adopt what is there: {}", title(step)),
            Ask::Outdated(step) => format!("Changed since it was done: {}", title(step)),
            Ask::HalfUndone(step) => format!("Half undone: {}", title(step)),
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
            Ask::SignAgain(_) if self.chosen() == "correct" => "Who saw or did what?".to_owned(),
            Ask::TrustKey(_) => "yes, or the fingerprint from there".to_owned(),
            Ask::Different(_) if self.chosen() == "skip" => "Reason".to_owned(),
            Ask::Different(_) if self.chosen() == "adopt" => "Its id".to_owned(),
            Ask::Settle(_) if self.chosen() == "adopt" => "Its id (empty: the one that is ours)".to_owned(),
            Ask::Settle(_) if self.chosen() == "done" => "What did you see?".to_owned(),
            Ask::Different(_) | Ask::Settle(_) | Ask::Outdated(_) | Ask::HalfUndone(_) | Ask::SignAgain(_) => {
                String::new()
            }
            Ask::Adopt(_) => self.adoption.label().to_owned(),
            Ask::TakeEdition => "Type yes to take it".to_owned(),
            Ask::Approve | Ask::Undo => format!("Type {} to go on", facts.approval_word()),
            Ask::Secrets { .. } if self.first.is_some() => "Once more".to_owned(),
            Ask::Secrets { .. } => "Secret (not shown)".to_owned(),
            Ask::Store(_) => String::new(),
            Ask::Find => "Text".to_owned(),
            Ask::Leave => "Type yes to stop them and leave".to_owned(),
        }
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

    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let last = self.choices.len().saturating_sub(1);
        match to {
            Move::Up if last > 0 => self.choice = self.choice.saturating_sub(1),
            Move::Down if last > 0 => self.choice = (self.choice + 1).min(last),
            _ => self.read_on(facts, to),
        }
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
        self.draw_over(facts, frame, area);
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
        && !open.take_secret(&state.facts)
    {
        return Vec::new();
    }
    if let Some(Popup::Prompt(open)) = &mut state.popup
        && matches!(open.ask, Ask::Adopt(_))
    {
        return open.adopt();
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

/// What is left of an undo that was begun.
fn undo_the_rest(state: &mut State) -> Vec<Effect> {
    // Of an undo of everything nothing is named: the rest is everything that still stands.
    let left = acts::half_undone(state);
    acts::show_undo(state, left)
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
        Ask::SignAgain(step) if prompt.chosen() == "withdraw" => Ok(vec![command(Command::Reopen(step.clone()))]),
        Ask::SignOff(step) | Ask::SignAgain(step) => {
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
        // It stays open until the engine has answered.
        Ask::Adopt(_) => Ok(Vec::new()),
        Ask::Outdated(step) if prompt.chosen() == "keep" => Ok(vec![command(Command::KeepDone(step.clone()))]),
        Ask::Outdated(step) => {
            let reopen = command(Command::Reopen(step.clone()));
            Ok([vec![reopen], run(state, RunScope::Only(step.clone()))].concat_effects())
        }
        Ask::HalfUndone(_) if prompt.chosen() == "take back" => Ok(undo_the_rest(state)),
        Ask::HalfUndone(step) => Ok(acts::again(state, step.clone())),
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
            Ok(vec![Effect::Send(Request::Undo(planned.targets))])
        }
        Ask::Secrets { ahead_of, .. } => {
            let said = Effect::Send(Request::Secrets(prompt.given.clone()));
            let then = match ahead_of.clone() {
                AheadOf::Run(scope) => run(state, scope),
                AheadOf::Approval(scope) => vec![Effect::Send(Request::SeekSecrets(scope))],
                AheadOf::Checks => vec![Effect::Send(Request::Verify)],
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
        "undo" => Ok(acts::show_undo(state, vec![step.clone().into()])),
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
