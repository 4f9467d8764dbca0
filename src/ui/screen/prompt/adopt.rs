//! The box in which a person says what stands for a step that failed: its id, then why. It stays until the engine has
//! looked at it, so that a refusal is read where it can be mended.

use ratatui::style::Style;

use super::explain::status;
use super::{Ask, Prompt, required};
use crate::engagement::{Address, Question, Status, may_adopt};
use crate::engine::Request;
use crate::runbook::Work;
use crate::ui::effect::Effect;
use crate::ui::facts::Facts;
use crate::ui::look::Role;
use crate::ui::state::{Popup, State};
use crate::ui::widget::field::Editor;
use crate::ui::widget::prose::Prose;

/// By the rules of `onramp settle NAME STEP adopt`. Where onramp asks what to do with what is there, Enter answers.
pub fn can(state: &State) -> Result<(), String> {
    let open = state.facts.open.as_ref().ok_or("nothing is open")?;
    let step = state.board.address(&state.facts).ok_or("choose a step first")?;
    match open.row(&step).map(|row| &row.status) {
        Some(Status::Failed(_)) => {}
        Some(Status::Asked(Question::Different { .. }) | Status::InDoubt { .. }) => {
            return Err("Enter lets you decide".to_owned());
        }
        _ => return Err("this step has not failed".to_owned()),
    }
    if !matches!(open.step(&step).map(|step| &step.work), Some(Work::Kind { .. })) {
        return Err("it makes nothing that has an id; Enter tries it again".to_owned());
    }
    // The reason is asked for in the box.
    may_adopt(&open.engagement, &open.runbook, &step, "to be said").map_err(|refusal| refusal.to_string())
}

/// `A`: asks for the id and the reason.
pub fn open(state: &mut State) -> Vec<Effect> {
    if let Some(step) = state.board.address(&state.facts) {
        state.ask(Ask::Adopt(step));
    }
    Vec::new()
}

/// How far a person is.
#[derive(Debug, Clone, Default)]
pub(super) struct Adoption {
    /// Empty for the one that carries this engagement's tags.
    id: Option<String>,
    /// It need not be typed again where only the id was wrong.
    reason: String,
    /// The engine looks at it.
    sent: bool,
}

impl Adoption {
    pub(super) fn label(&self) -> &'static str {
        match self.id {
            None => "Its id (empty: the one that is ours)",
            Some(_) => "Reason",
        }
    }
}

impl Prompt {
    /// `Enter`: the id, and then the reason; with both the engine is asked.
    pub(super) fn adopt(&mut self) -> Vec<Effect> {
        let Ask::Adopt(step) = &self.ask else { return Vec::new() };
        if self.adoption.sent {
            return Vec::new();
        }
        let typed = self.editor.text().trim().to_owned();
        let Some(id) = &self.adoption.id else {
            self.adoption.id = Some(typed);
            self.editor = Editor::line(&self.adoption.reason);
            return Vec::new();
        };
        match required(typed, "taking over what is there needs a reason: it stands in the handover report") {
            Ok(reason) => {
                let id = Some(id.clone()).filter(|id| !id.is_empty());
                let adopt = Request::Adopt { step: step.clone(), id, reason: reason.clone() };
                (self.adoption.reason, self.adoption.sent) = (reason, true);
                vec![Effect::Send(adopt)]
            }
            Err(problem) => {
                self.problem = Some(problem);
                Vec::new()
            }
        }
    }

    pub(super) fn explain_adoption(&self, facts: &Facts, step: &Address, prose: &mut Prose) {
        let look = &facts.look;
        if let Some(Status::Failed(failure)) = status(facts, step) {
            prose.text(&failure.what, look.style(Role::Problem));
        }
        let means = "What is there already can stand for this step, where it is as the step wants it. onramp never takes away what \
                     it did not make.";
        prose.text(means, Style::new());
        if let Some(id) = &self.adoption.id {
            let said = if id.is_empty() { "the one that carries this engagement's tags" } else { id };
            prose.item("Id", said, look.bold());
        }
        if self.adoption.sent {
            prose.text("onramp looks at it…", look.style(Role::Accent));
        }
    }
}

fn waiting(state: &mut State) -> Option<&mut Prompt> {
    match &mut state.popup {
        Some(Popup::Prompt(prompt)) if prompt.adoption.sent => Some(prompt.as_mut()),
        _ => None,
    }
}

/// The engine refused it: the id is there again, to be mended. True where somebody waited for that.
pub fn refused(state: &mut State, why: &str) -> bool {
    let Some(prompt) = waiting(state) else { return false };
    prompt.problem = Some(why.to_owned());
    prompt.editor = Editor::line(&prompt.adoption.id.take().unwrap_or_default());
    prompt.adoption.sent = false;
    true
}

/// The engine took it: the box closes.
pub fn adopted(state: &mut State, step: &Address) {
    if waiting(state).is_some_and(|prompt| prompt.ask == Ask::Adopt(step.clone())) {
        state.popup = None;
    }
}

/// Does this box only wait for the engine? Then what the engine asks meanwhile may take its place.
pub fn only_waits(popup: &Popup) -> bool {
    matches!(popup, Popup::Prompt(prompt) if prompt.adoption.sent)
}
