//! What commands do. Each changes the state, or answers with wishes; conditions stand beside what they guard.

use crate::engagement::{Address, Command, DoneHow, MissingSecret, Question, RunScope, Status, StepRecord, Target};
use crate::engine::{AheadOf, Request};
use crate::runbook::Step;
use crate::ui::effect::Effect;
use crate::ui::facts::{Opened, Said};
use crate::ui::next::{NextMove, next_move};
use crate::ui::runs;
use crate::ui::screen::palette::{Entry, Palette};
use crate::ui::screen::prompt::Ask;
use crate::ui::screen::rows::Node;
use crate::ui::screen::{form, login, plan as plan_screen, undo as undo_screen, waiting};
use crate::ui::state::{Place, Popup, State, run};

pub(super) type Can = Result<(), String>;

fn ask(state: &mut State, ask: Ask) -> Vec<Effect> {
    state.ask(ask);
    Vec::new()
}

pub(super) fn chosen(state: &State) -> Option<Address> {
    state.board.address(&state.facts)
}

pub fn nothing(_: &mut State) -> Vec<Effect> {
    Vec::new()
}

pub fn new_engagement(state: &mut State) -> Vec<Effect> {
    ask(state, Ask::New)
}

pub fn refresh(_: &mut State) -> Vec<Effect> {
    vec![Effect::RefreshCards]
}

/// `Enter` on the board.
pub fn enter(state: &mut State) -> Vec<Effect> {
    let node = state.board.node().cloned();
    match (node, chosen(state)) {
        (Some(Node::Step(address)), _) => do_next(state, &address),
        (Some(node @ Node::Group(_)), Some(first)) => {
            state.board.open_group(&node);
            state.board.jump(&first);
            Vec::new()
        }
        _ => fold(state),
    }
}

fn do_next(state: &mut State, address: &Address) -> Vec<Effect> {
    match next_move(&state.facts, address) {
        NextMove::FillForm(step) | NextMove::Look(step) => form::begin(state, &step),
        NextMove::Plan(step) => show_plan(state, Some(step)),
        NextMove::Run(step) | NextMove::LookAgain(step) => run(state, RunScope::Only(step)),
        NextMove::Again(step) => again(state, step),
        NextMove::HalfUndone(step) => ask(state, Ask::HalfUndone(step)),
        NextMove::TrustKey(step) => ask(state, Ask::TrustKey(step)),
        NextMove::Decide(step) => ask(state, Ask::Different(step)),
        NextMove::GiveSecret(step) => give_secret(state, step),
        NextMove::SignIn => sign_in(state),
        NextMove::SignOff(step) => ask(state, Ask::SignOff(step)),
        NextMove::SignAgain(step) => ask(state, Ask::SignAgain(step)),
        NextMove::Outdated(step) => ask(state, Ask::Outdated(step)),
        NextMove::Wait(step) => waiting::open(state, step),
        NextMove::Settle(step) => ask(state, Ask::Settle(step)),
        NextMove::Drifted(step) => {
            let sentence = NextMove::Drifted(step).sentence(&state.facts);
            state.say(Said::whole(sentence));
            Vec::new()
        }
        NextMove::Watch(_) => full_output(state),
        NextMove::GoTo(step) => {
            state.board.jump(&step);
            Vec::new()
        }
        NextMove::Nothing(why) => {
            state.say(Said::plain(why));
            Vec::new()
        }
    }
}

/// Looks first what is there.
pub fn again(state: &mut State, step: Address) -> Vec<Effect> {
    let mut effects = vec![Effect::Send(Request::Command(Command::Reopen(step.clone())))];
    effects.extend(run(state, RunScope::Only(step)));
    effects
}

/// `n`: to the most urgent step; from a step that is to be done, to the next one after it.
pub fn next(state: &mut State) -> Vec<Effect> {
    let agenda = state.facts.open.as_ref().map(|open| {
        let mut agenda = open.board.agenda(state.facts.now);
        agenda.extend(open.board.rows.iter().filter(|row| open.is_drift(row)));
        agenda
    });
    let agenda = agenda.unwrap_or_default();
    let here = match state.board.node() {
        Some(Node::Step(address)) => agenda.iter().position(|row| &row.address == address),
        _ => None,
    };
    let after = here.map_or(0, |at| at + 1);
    match agenda.get(after).or(agenda.first()).map(|row| row.address.clone()) {
        Some(address) => {
            state.board.stay();
            state.board.jump(&address);
        }
        None => {
            state.say(Said::good("Nothing is left to do here"));
            state.board.jump_to_next(&state.facts);
        }
    }
    Vec::new()
}

pub fn fold(state: &mut State) -> Vec<Effect> {
    state.board.fold(None);
    Vec::new()
}

// ── the plan ─────────────────────────────────────────────────────────────────────────────────────────────────────

pub fn show_plan(state: &mut State, wanted: Option<Address>) -> Vec<Effect> {
    state.show(Place::Plan);
    state.plan.begin(&mut state.facts, wanted)
}

pub fn plan(state: &mut State) -> Vec<Effect> {
    // What is done is at the end of it, below all that would change.
    let is_done = |address: &Address| {
        let row = state.facts.open.as_ref().and_then(|open| open.row(address));
        row.is_some_and(|row| matches!(row.status, Status::Done { .. }))
    };
    let wanted = chosen(state).filter(|address| !is_done(address));
    show_plan(state, wanted)
}

pub fn plan_again(state: &mut State) -> Vec<Effect> {
    plan_anew(state, Request::Plan)
}

/// A plan anew, with every call rehearsed.
pub fn rehearse(state: &mut State) -> Vec<Effect> {
    plan_anew(state, Request::Rehearse)
}

fn plan_anew(state: &mut State, request: Request) -> Vec<Effect> {
    match &mut state.facts.open {
        Some(open) if !open.planning => plan_screen::ask(open, request),
        _ => Vec::new(),
    }
}

pub fn has_plan(state: &State) -> Can {
    match state.facts.open.as_ref().map(|open| (open.planning, &open.planned)) {
        Some((true, _)) => Err("the plan is being made".to_owned()),
        Some((false, Some(planned))) if planned.stale => Err("the plan is old: d makes it anew".to_owned()),
        Some((false, Some(_))) => Ok(()),
        _ => Err("there is no plan yet: d makes one".to_owned()),
    }
}

fn changes_left(state: &State) -> bool {
    let planned = state.facts.open.as_ref().and_then(|open| open.planned.as_ref());
    planned.is_some_and(|planned| !planned.plan.approval().is_empty())
}

pub fn can_approve(state: &State) -> Can {
    has_plan(state)?;
    if state.facts.open.as_ref().is_some_and(|open| open.running) {
        return Err("steps are running: wait, or stop them".to_owned());
    }
    if changes_left(state) { Ok(()) } else { Err("nothing would be changed".to_owned()) }
}

/// `a`: nobody approves what stops halfway for a secret, so those that are missing are asked for first.
pub fn approve(state: &mut State) -> Vec<Effect> {
    let planned = state.facts.open.as_ref().and_then(|open| open.planned.as_ref());
    let steps = planned.map(|planned| planned.plan.approval().into_keys().collect()).unwrap_or_default();
    vec![Effect::Send(Request::SeekSecrets(RunScope::These(steps)))]
}

/// Every secret is there that the plan needs. What was learnt on the way may have made the plan old.
pub fn approve_now(state: &mut State) -> Vec<Effect> {
    if state.place != Place::Plan || state.popup.is_some() {
        return Vec::new();
    }
    match can_approve(state) {
        Ok(()) => ask(state, Ask::Approve),
        Err(_) => {
            state.say(Said::plain("The secrets are there. The plan is made anew with them: a approves it"));
            plan_again(state)
        }
    }
}

pub fn can_run_planned(state: &State) -> Can {
    has_plan(state)?;
    if changes_left(state) {
        return Err("changes need your approval: a".to_owned());
    }
    runs::can_run_all(state)
}

pub fn run_planned(state: &mut State) -> Vec<Effect> {
    state.show(Place::Board);
    run(state, RunScope::All)
}

pub fn copy_plan(state: &mut State) -> Vec<Effect> {
    let planned = state.facts.open.as_ref().and_then(|open| open.planned.as_ref());
    match planned.map(|planned| serde_json::to_string_pretty(planned.plan.as_ref())) {
        Some(Ok(json)) if json.len() <= 64 * 1024 => {
            state.say(Said::good(format!("Copied the plan, {} bytes of JSON", json.len())));
            vec![Effect::Copy(json)]
        }
        Some(_) => {
            let name = state.facts.open.as_ref().map(|open| open.name.clone()).unwrap_or_default();
            let instead = format!("onramp plan {name} --format json has all of it");
            state.say(Said::bad(format!("The plan is too long for the clipboard, which takes 64 KiB; {instead}")));
            Vec::new()
        }
        None => Vec::new(),
    }
}

pub fn take_edition(state: &mut State) -> Vec<Effect> {
    ask(state, Ask::TakeEdition)
}

// ── waiting ──────────────────────────────────────────────────────────────────────────────────────────────────────

pub fn wait(state: &mut State) -> Vec<Effect> {
    match chosen(state) {
        Some(step) => waiting::open(state, step),
        None => Vec::new(),
    }
}

pub fn sign_in(state: &mut State) -> Vec<Effect> {
    state.say(Said::plain("Looking for new credentials"));
    vec![Effect::Send(Request::SignIn)]
}

pub fn copy_reminder(state: &mut State) -> Vec<Effect> {
    match waiting::reminder(state) {
        Ok(text) => {
            state.say(Said::good("Copied the text that was asked, and since when"));
            vec![Effect::Copy(text)]
        }
        Err(_) => Vec::new(),
    }
}

// ── one step ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// Asks for the secret that a step stopped at, and runs the step then.
fn give_secret(state: &mut State, step: Address) -> Vec<Effect> {
    let row = state.facts.open.as_ref().and_then(|open| open.row(&step));
    let Some(Status::Asked(Question::NeedsSecret { reference, why })) = row.map(|row| &row.status) else {
        return Vec::new();
    };
    let missing = MissingSecret { reference: reference.clone(), why: why.clone(), chosen_now: false };
    ask(state, Ask::Secrets { missing: vec![missing], ahead_of: AheadOf::Run(RunScope::Only(step)) })
}

pub fn can_skip(state: &State) -> Can {
    let address = chosen(state).ok_or("choose a step first")?;
    let row = state.facts.open.as_ref().and_then(|open| open.row(&address)).ok_or("this step is not known yet")?;
    match &row.status {
        Status::Done { how: DoneHow::SignedOff, .. } => {
            Err("it is signed off: Enter corrects what was signed".to_owned())
        }
        Status::Done { .. } | Status::ReadyToVerify => Err("it is done: u undoes it".to_owned()),
        Status::Skipped { .. } => Err("it is skipped already".to_owned()),
        Status::NotNeeded => Err("it is not needed".to_owned()),
        Status::InDoubt { .. } => Err("say first what became of it: Enter".to_owned()),
        Status::Running { .. } => Err("it is running: stop it first".to_owned()),
        _ => Ok(()),
    }
}

pub fn skip(state: &mut State) -> Vec<Effect> {
    let Some(step) = chosen(state) else { return Vec::new() };
    let found = state.facts.open.as_ref().and_then(|open| open.runbook.step(&step.step));
    let on_host = step.key.is_some() && found.is_some_and(Step::over_hosts);
    ask(state, if on_host { Ask::SkipOnHost(step) } else { Ask::Skip(step) })
}

/// What the chosen row stands for: a step, a repeated one with all its instances, or a phase.
fn chosen_target(state: &State) -> Option<Target> {
    Some(match state.board.node()? {
        Node::Step(step) => Target::Step(step.clone()),
        Node::Group(step) => Target::Step(Address::new(step.clone(), None)),
        Node::Phase(phase) => Target::Phase(phase.clone()),
    })
}

pub fn can_undo(state: &State) -> Can {
    match what_to_undo(state).as_slice() {
        [] => Err("choose a step or a phase first".to_owned()),
        targets => can_undo_these(state, targets),
    }
}

/// What is chosen. Where an undo was cut off, and what is chosen is a part of it or has changed nothing, what is left of that.
fn what_to_undo(state: &State) -> Vec<Target> {
    let chosen = chosen_target(state);
    let left = half_undone(state);
    let stands = |target: &Target| {
        let mut steps = state.facts.open.iter().flat_map(|open| open.engagement.steps.iter());
        steps.any(|(step, record)| {
            target.covers(step) && record.may_stand() && !left.contains(&Target::Step(step.clone()))
        })
    };
    match chosen {
        Some(target) if left.is_empty() || stands(&target) => vec![target],
        _ => left,
    }
}

/// What is left of an undo that was begun, of named steps.
pub fn half_undone(state: &State) -> Vec<Target> {
    let begun = state.facts.open.as_ref().and_then(|open| open.engagement.half_undone());
    let left = begun.filter(|(undo, _)| !undo.all).map(|(_, left)| left).unwrap_or_default();
    left.into_iter().cloned().map(Target::Step).collect()
}

fn can_undo_these(state: &State, targets: &[Target]) -> Can {
    let open = state.facts.open.as_ref().ok_or("nothing is open")?;
    if open.busy() > 0 {
        return Err("steps are running: stop them first".to_owned());
    }
    let covered = |step: &Address| targets.iter().any(|target| target.covers(step));
    match open.engagement.steps.iter().any(|(step, record)| covered(step) && record.may_stand()) {
        true => Ok(()),
        false if targets.iter().any(|target| is_signed(open, target)) => {
            Err("it has changed nothing: Enter corrects or withdraws what was signed".to_owned())
        }
        false => Err("it has changed nothing".to_owned()),
    }
}

fn is_signed(open: &Opened, target: &Target) -> bool {
    let signed = |status: &Status| matches!(status, Status::Done { how: DoneHow::SignedOff, .. });
    open.board.rows.iter().any(|row| target.is(&row.address) && signed(&row.status))
}

/// Shows what taking these back would do, or everything when nothing is named.
pub fn show_undo(state: &mut State, targets: Vec<Target>) -> Vec<Effect> {
    state.show(Place::Undo);
    state.undo.begin(&mut state.facts, targets)
}

pub fn undo(state: &mut State) -> Vec<Effect> {
    match what_to_undo(state) {
        targets if targets.is_empty() => Vec::new(),
        targets => show_undo(state, targets),
    }
}

pub fn can_make_way(state: &State) -> Can {
    match state.form.in_the_way() {
        [] => Err("nothing stands in the way of an answer".to_owned()),
        targets => can_undo_these(state, targets),
    }
}

/// `Ctrl-X` in a form: what has to be taken back before the answer can change.
pub fn make_way(state: &mut State) -> Vec<Effect> {
    let targets = state.form.in_the_way().to_vec();
    show_undo(state, targets)
}

pub fn undo_again(state: &mut State) -> Vec<Effect> {
    let planned = state.facts.open.as_ref().and_then(|open| open.undo_plan.as_ref());
    let targets = planned.map(|planned| planned.targets.clone());
    targets.map(|targets| show_undo(state, targets)).unwrap_or_default()
}

pub fn can_undo_users(state: &State) -> Can {
    match undo_screen::plan(&state.facts) {
        None => Err("onramp still looks what is there".to_owned()),
        Some(plan) if plan.users().is_empty() => Err("nothing stays because something else uses it".to_owned()),
        Some(_) => Ok(()),
    }
}

/// What was named, and what still uses it, goes together.
pub fn undo_users(state: &mut State) -> Vec<Effect> {
    let planned = state.facts.open.as_ref().and_then(|open| open.undo_plan.as_ref());
    let Some(planned) = planned else { return Vec::new() };
    let users = planned.plan.users().into_iter().map(Target::Step);
    let targets = planned.targets.iter().cloned().chain(users).collect();
    show_undo(state, targets)
}

pub fn can_approve_undo(state: &State) -> Can {
    match undo_screen::plan(&state.facts) {
        None => Err("onramp still looks what is there".to_owned()),
        Some(plan) if plan.entries.is_empty() => Err("nothing would be taken back".to_owned()),
        Some(plan) if !plan.unclear().is_empty() => {
            let unclear = Address::list(plan.unclear());
            Err(format!("nobody can tell what became of {unclear}: d looks again, Enter on the board settles it"))
        }
        Some(_) if state.facts.open.as_ref().is_some_and(|open| open.running) => {
            Err("steps are running: wait, or stop them".to_owned())
        }
        Some(_) => Ok(()),
    }
}

pub fn approve_undo(state: &mut State) -> Vec<Effect> {
    ask(state, Ask::Undo)
}

fn has_changed(state: &State) -> bool {
    let open = state.facts.open.iter();
    open.flat_map(|open| open.engagement.steps.values()).any(StepRecord::may_stand)
}

pub fn can_undo_all(state: &State) -> Can {
    if state.facts.open.as_ref().is_some_and(|open| open.busy() > 0) {
        return Err("steps are running: stop them first".to_owned());
    }
    if has_changed(state) { Ok(()) } else { Err("nothing was changed".to_owned()) }
}

pub fn undo_all(state: &mut State) -> Vec<Effect> {
    show_undo(state, Vec::new())
}

pub fn full_output(state: &mut State) -> Vec<Effect> {
    if let Some(step) = chosen(state) {
        state.output.show(&state.facts, step, state.board.log.clone());
        state.show(Place::Output);
    }
    Vec::new()
}

pub fn find(state: &mut State) -> Vec<Effect> {
    ask(state, Ask::Find)
}

pub fn find_again(state: &mut State, down: bool) -> Vec<Effect> {
    let (said, effects) = state.output.find_again(&state.facts, down);
    state.say(said);
    effects
}

// ── everywhere ───────────────────────────────────────────────────────────────────────────────────────────────────

pub fn help(state: &mut State) -> Vec<Effect> {
    state.popup = Some(Popup::Palette(Box::new(Palette::help(state.place))));
    Vec::new()
}

pub fn palette(state: &mut State) -> Vec<Effect> {
    state.popup = Some(Popup::Palette(Box::new(Palette::everything(state.place))));
    Vec::new()
}

/// `Enter` in help or palette: closes it and does what is marked.
pub fn palette_run(state: &mut State) -> Vec<Effect> {
    let marked = match &state.popup {
        Some(Popup::Palette(palette)) => palette.marked(&state.facts),
        _ => None,
    };
    state.popup = None;
    match marked {
        Some(Entry::Command(command)) => crate::ui::command::perform(state, command),
        Some(Entry::Step(step, _)) => {
            let leave = leave_form(state);
            state.show(Place::Board);
            state.board.jump(&step);
            leave
        }
        None => Vec::new(),
    }
}

/// What was typed into a form is saved when the form is left, however it is left.
fn leave_form(state: &mut State) -> Vec<Effect> {
    if state.place == Place::Form { state.form.leave_field(&state.facts) } else { Vec::new() }
}

/// At the top Esc only says how to leave.
pub fn can_go_back(state: &State) -> Can {
    let top = state.popup.is_none() && state.place == Place::Home;
    if top { Err("this is the top; q quits".to_owned()) } else { Ok(()) }
}

/// `Esc`: one step back.
pub fn back(state: &mut State) -> Vec<Effect> {
    match state.leave_popup() {
        Some(Popup::Login(form)) => return login::decline(&form),
        Some(_) => return Vec::new(),
        None => {}
    }
    match state.place {
        Place::Home => Vec::new(),
        Place::Board => home(state),
        Place::Output if state.output.stop_finding() => {
            state.say(Said::plain("Stopped looking"));
            vec![Effect::Send(Request::StopFinding)]
        }
        Place::Output => {
            if state.output.shows(&state.facts).map(|(step, ..)| step) == chosen(state) {
                state.board.log = state.output.view().clone();
            }
            state.show(Place::Board);
            Vec::new()
        }
        Place::Plan | Place::Undo | Place::Edition => {
            state.show(Place::Board);
            Vec::new()
        }
        Place::Form => {
            let effects = leave_form(state);
            if let Some(said) = state.form.not_taken() {
                state.say(said);
            }
            state.show(Place::Board);
            effects
        }
    }
}

pub fn back_hint(state: &State) -> String {
    match (&state.popup, state.place) {
        (Some(_), _) => "close".to_owned(),
        (None, Place::Board) => "engagements".to_owned(),
        (None, Place::Output) if state.output.is_finding() => "stop looking".to_owned(),
        (None, _) => "back".to_owned(),
    }
}

pub fn home(state: &mut State) -> Vec<Effect> {
    let mut effects = leave_form(state);
    // What was said was about the engagement.
    state.say(Said::plain(""));
    state.show(Place::Home);
    effects.push(Effect::RefreshCards);
    effects
}

/// Do steps run that leaving would have to wait for?
fn runs_here(state: &State) -> bool {
    runs::can_stop(state).is_ok() && state.facts.open.as_ref().is_some_and(|open| open.along.is_none())
}

/// `q`: leaves from the list and the board, goes back from everything above them.
pub fn quit(state: &mut State) -> Vec<Effect> {
    match state.place {
        Place::Output | Place::Plan | Place::Undo | Place::Form | Place::Edition => back(state),
        Place::Home | Place::Board if runs_here(state) => ask(state, Ask::Leave),
        Place::Home | Place::Board => {
            state.leaving = true;
            vec![Effect::Quit]
        }
    }
}

/// How long after the first a second Ctrl-C leaves, in milliseconds: two seconds, and one that the clock may be late.
const TWICE: u64 = 3_000;

/// `Ctrl-C`: stops what runs; twice it leaves.
pub fn interrupt(state: &mut State) -> Vec<Effect> {
    let now = state.facts.now;
    let twice = state.interrupted.is_some_and(|before| now.since(before).as_millis() <= u128::from(TWICE));
    state.interrupted = Some(now);
    if state.leaving {
        return vec![Effect::QuitAtOnce];
    }
    let mut effects = leave_form(state);
    if twice {
        state.leaving = true;
        state.say(Said::plain("Leaving: running steps come to a safe end first. Ctrl-C leaves at once"));
        effects.push(Effect::Quit);
    } else if runs_here(state) {
        state.say(Said::plain("Stopping: running steps come to a safe end. Ctrl-C again leaves"));
        effects.push(Effect::Send(Request::Stop));
    } else {
        state.say(Said::plain("Nothing is running. Ctrl-C again leaves"));
    }
    effects
}
