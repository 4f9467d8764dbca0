//! What runs, is tried again, looked at and stopped; and when it can be.

use super::acts::{Can, chosen, show_plan};
use crate::engagement::{Address, Command, Row, RunScope, Status};
use crate::engine::Request;
use crate::text;
use crate::ui::effect::Effect;
use crate::ui::facts::Said;
use crate::ui::state::{State, run};
use crate::ui::words;

fn ready(state: &State) -> Vec<Address> {
    let rows = state.facts.open.iter().flat_map(|open| open.board.rows.iter());
    rows.filter(|row| row.status.runnable()).map(|row| row.address.clone()).collect()
}

/// What failed on the way forward: what failed while it was taken back is not made again by the way.
fn failed(state: &State) -> Vec<Address> {
    let Some(open) = &state.facts.open else { return Vec::new() };
    let failed = open.board.rows.iter().filter(|row| matches!(row.status, Status::Failed(_)));
    failed.map(|row| row.address.clone()).filter(|step| !open.is_half_undone(step)).collect()
}

pub fn can_run_all(state: &State) -> Can {
    let Some(open) = &state.facts.open else { return Err("nothing is open".to_owned()) };
    let looks =
        open.board.rows.iter().any(|row| row.can_be_looked_at() || matches!(row.status, Status::InDoubt { .. }));
    let held = open.held().is_some() || open.is_signed_out();
    if open.running || open.busy() > 0 {
        Err("it is running".to_owned())
    } else if let Some(left) = words::half_undone(&open.engagement) {
        // What is being taken back must not be built upon by the way.
        Err(format!("{left}; or Enter on a step that is to stay"))
    } else if ready(state).is_empty() && failed(state).is_empty() && !looks && !held {
        Err(nothing_ready(state))
    } else {
        Ok(())
    }
}

/// What was taken back; nothing of it comes back by itself.
fn undone(state: &State) -> Vec<Address> {
    let rows = state.facts.open.iter().flat_map(|open| open.board.rows.iter());
    rows.filter(|row| row.status.was_undone()).map(|row| row.address.clone()).collect()
}

pub fn can_redo(state: &State) -> Can {
    let Some(open) = &state.facts.open else { return Err("nothing is open".to_owned()) };
    if open.running || open.busy() > 0 {
        Err("it is running".to_owned())
    } else if let Some(left) = words::half_undone(&open.engagement) {
        Err(format!("{left}; or Enter on a step that is to come back"))
    } else if undone(state).is_empty() {
        Err("nothing was undone".to_owned())
    } else {
        Ok(())
    }
}

/// All that was undone is wanted again: it is looked at, and every change of it waits for an approval.
pub fn redo(state: &mut State) -> Vec<Effect> {
    let undone = undone(state);
    state.say(Said::plain(format!("Again: {}; changes wait for your approval", text::count(undone.len(), "step"))));
    run_again(state, undone)
}

/// Whatever is ready, and these steps once more.
fn run_again(state: &mut State, steps: Vec<Address>) -> Vec<Effect> {
    let mut effects: Vec<Effect> =
        steps.into_iter().map(|step| Effect::Send(Request::Command(Command::Reopen(step)))).collect();
    effects.extend(run(state, RunScope::All));
    effects
}

fn nothing_ready(state: &State) -> String {
    match undone(state).len() {
        0 => "nothing is ready to run; n goes to what is next".to_owned(),
        undone => format!("nothing is ready; {} undone: Ctrl-R makes it again", text::count(undone, "step")),
    }
}

/// Checks run at once; what would change something is held by the engine until it is approved. What failed is tried again.
pub fn run_all(state: &mut State) -> Vec<Effect> {
    let held = state.facts.open.as_ref().and_then(|open| open.held().cloned());
    let failed = failed(state);
    match held {
        Some(first) if ready(state).is_empty() && failed.is_empty() => show_plan(state, Some(first)),
        _ => run_again(state, failed),
    }
}

pub fn can_stop(state: &State) -> Can {
    let runs = state.facts.open.as_ref().is_some_and(|open| open.running || open.busy() > 0);
    if runs { Ok(()) } else { Err("nothing is running".to_owned()) }
}

pub fn stop(state: &mut State) -> Vec<Effect> {
    state.say(Said::plain("Stopping: what runs comes to a safe end"));
    vec![Effect::Send(Request::Stop)]
}

pub fn can_cancel(state: &State) -> Can {
    let Some(address) = chosen(state) else { return Err("choose a running step".to_owned()) };
    let running = state.facts.open.as_ref().and_then(|open| open.row(&address));
    match running {
        Some(row) if matches!(row.status, Status::Running { .. }) => Ok(()),
        _ => Err("this step is not running".to_owned()),
    }
}

pub fn cancel(state: &mut State) -> Vec<Effect> {
    chosen(state).map(|step| Effect::Send(Request::Cancel(step))).into_iter().collect()
}

pub fn can_verify(state: &State) -> Can {
    let done = state.facts.open.as_ref().is_some_and(|open| open.board.tally.done > 0);
    if done { Ok(()) } else { Err("nothing is done yet".to_owned()) }
}

pub fn verify(state: &mut State) -> Vec<Effect> {
    state.say(Said::plain("Checking every finished step again; nothing is changed"));
    if let Some(open) = &mut state.facts.open {
        open.drift.clear();
    }
    vec![Effect::Send(Request::Verify)]
}

pub fn can_look(state: &State) -> Can {
    let Some(open) = &state.facts.open else { return Err("nothing is open".to_owned()) };
    if open.running || open.busy() > 0 {
        Err("a run is going on: it looks by itself".to_owned())
    } else if open.board.rows.iter().any(Row::can_be_looked_at) {
        Ok(())
    } else {
        Err("nothing waits that onramp could look at".to_owned())
    }
}

pub fn look(state: &mut State) -> Vec<Effect> {
    state.say(Said::plain("Looking at everything that waits"));
    run(state, RunScope::Waits)
}
