//! What is the matter with a step: asked for by a key, told in the step's pane.

use ratatui::style::Style;

use crate::engagement::{Asked, Diagnosed, So, diagnosable};
use crate::engine::Request;
use crate::ui::diagnosed::Diagnosis;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Said};
use crate::ui::look::Role;
use crate::ui::state::State;
use crate::ui::widget::prose::Prose;

/// May the chosen step be asked about?
pub fn can(state: &State) -> Result<(), String> {
    let address = state.board.address(&state.facts).ok_or("choose a step first")?;
    let open = state.facts.open.as_ref().ok_or("nothing is open")?;
    let (row, step) = open.row(&address).zip(open.step(&address)).ok_or("this step is not known yet")?;
    if open.diagnoses.get(&address) == Some(&Diagnosis::Asking) {
        return Err("it is being asked".to_owned());
    }
    match (diagnosable(step, &row.status), &step.diagnosis) {
        (true, _) => Ok(()),
        (false, Some(_)) if open.is_drift(row) => Ok(()),
        (false, None) => Err("the runbook has no diagnosis for this step".to_owned()),
        (false, Some(_)) => {
            Err("it has not failed, and waits on nobody: V looks whether all is still as it was made".to_owned())
        }
    }
}

/// `d`: asks, and turns to the pane where the answer will stand.
pub fn ask(state: &mut State) -> Vec<Effect> {
    let Some(step) = state.board.address(&state.facts) else { return Vec::new() };
    state.board.jump(&step);
    state.board.read();
    if let Some(open) = &mut state.facts.open {
        open.diagnoses.insert(step.clone(), Diagnosis::Asking);
    }
    state.say(Said::plain("Looking what is the matter; nothing is changed"));
    vec![Effect::Send(Request::Diagnose(step))]
}

/// What there is to say of it, at the top of the step's pane.
pub fn add(prose: &mut Prose, facts: &Facts, diagnosis: &Diagnosis) {
    let look = &facts.look;
    match diagnosis {
        Diagnosis::Asking => {
            prose.item("Looks", "what is the matter; nothing is changed", look.style(Role::Accent));
        }
        Diagnosis::Told(diagnosed) => told(prose, facts, diagnosed),
    }
    prose.blank();
}

fn told(prose: &mut Prose, facts: &Facts, diagnosed: &Diagnosed) {
    let look = &facts.look;
    match &diagnosed.branch {
        Some(placed) => {
            // What may be cut off at the end of a small pane comes last.
            prose.item("Is", &placed.what, look.style(Role::Problem));
            prose.item("Who", &placed.who.to_string(), Style::new());
            prose.item("Do", &placed.todo, look.bold());
            prose.item("Seen", &placed.seen, Style::new());
        }
        None => {
            let said = "no branch of the diagnosis fits what was seen; nothing is guessed";
            prose.item("Is", said, look.style(Role::Problem));
        }
    }
    for Asked { ask, answered, .. } in &diagnosed.asked {
        prose.item("Asked", ask, look.style(Role::Muted));
        let role = if answered.so == So::Unknown { Role::Waiting } else { Role::Muted };
        prose.item("", &answered.told(), look.style(role));
    }
}
