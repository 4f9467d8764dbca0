//! Rules of steps: their order, their changes, the way back.

use std::collections::BTreeMap;

use super::Book;
use crate::runbook::model::{Step, StepId, Work};
use crate::runbook::needs;
use crate::runbook::place::Cursor;
use crate::runbook::problem::Problem;
use crate::runbook::scope::Scope;

pub(super) fn was(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut claimed: BTreeMap<&StepId, &StepId> = BTreeMap::new();
    for (step, cursor) in book.steps() {
        for was in &step.was {
            let error = |message: String| Problem::error(&cursor.key("was").place(), "was", message);
            if book.runbook.step(was).is_some() {
                problems.push(error(format!("`{was}` is still the id of a step")));
            } else if let Some(other) = claimed.insert(was, &step.id) {
                problems.push(error(format!("`{other}` says that it was `{was}`, too")));
            }
        }
    }
    problems
}

pub(super) fn unknown_step(book: &Book) -> Vec<Problem> {
    let known: Vec<&StepId> = book.runbook.steps().map(|step| &step.id).collect();
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let list = cursor.key("needs");
        let itself = |need: &StepId| *need == step.id;
        if book.written.get(&step.id).into_iter().flatten().any(itself) {
            problems.push(Problem::warning(
                &list.place(),
                "unknown-step",
                "a step that needs itself: that need counts for nothing",
            ));
        }
        for need in book.written.get(&step.id).into_iter().flatten().filter(|need| !known.contains(need)) {
            let own = need.phase() == step.id.phase();
            let short =
                |id: &'_ StepId| if own { id.0.rsplit('/').next().map(str::to_owned) } else { Some(id.0.clone()) };
            let written = short(need).unwrap_or_default();
            let candidates: Vec<String> = known.iter().filter_map(|id| short(id)).collect();
            let place = list.items().find(|(text, _)| *text == written || *text == need.0).map(|(_, place)| place);
            let problem = Problem::error(
                &place.unwrap_or_else(|| list.place()),
                "unknown-step",
                format!("there is no step `{need}`"),
            );
            problems.push(problem.nearest(&written, candidates.iter().map(String::as_str)));
        }
    }
    problems
}

pub(super) fn until(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let Some(until) = &step.until else { continue };
        let later: Vec<&StepId> = book.runbook.steps().map(|later| &later.id).collect();
        let later = later.into_iter().filter(|id| **id != step.id && book.runbook.closure(id).contains(&step.id));
        let later: Vec<&str> = later.map(|id| id.0.as_str()).collect();
        if !later.contains(&until.0.as_str()) {
            let message = format!("no step `{until}` comes after this one and needs it");
            problems.push(Problem::error(&cursor.key("until").place(), "until", message).nearest(&until.0, later));
        }
    }
    problems
}

pub(super) fn unreachable(book: &Book) -> Vec<Problem> {
    let never = |step: &Step| {
        let when = step.when.as_ref()?;
        (when.names().is_empty() && when.truth(&Scope::new()) != Ok(true)).then(|| when.source().to_owned())
    };
    let found = book.steps().filter_map(|(step, cursor)| Some((never(step)?, cursor)));
    found
        .map(|(when, cursor)| {
            let message = format!("this step is never done: `{when}` never holds");
            Problem::error(&cursor.key("when").place(), "unreachable", message)
        })
        .collect()
}

pub(super) fn cycle(book: &Book) -> Vec<Problem> {
    let Some(circle) = needs::cycle(book.runbook) else { return Vec::new() };
    let said: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
    let place =
        book.steps.iter().find(|(id, _)| Some(id) == circle.first()).map(|(_, cursor)| cursor.key("id").place());
    let message = format!("these steps need each other: {}", said.join(" needs "));
    place.map(|place| Problem::error(&place, "cycle", message)).into_iter().collect()
}

/// One step is enough to say so.
pub(super) fn account(book: &Book) -> Vec<Problem> {
    if book.runbook.fields.keys().any(|id| id.as_str() == "aws.account_id") {
        return Vec::new();
    }
    // A secret may be kept in a file beside the state file, and touches no account then.
    let elsewhere = |kind: &str| kind == "aws/secret";
    let changes = |step: &Step| match &step.work {
        Work::Kind { kind, .. } if elsewhere(kind) => false,
        Work::Kind { kind, .. } => {
            kind.starts_with("aws/") && book.catalog.kinds.get(kind).is_some_and(|spec| spec.mutates)
        }
        _ => false,
    };
    let first = book.steps().find(|(step, _)| changes(step));
    let problem = |cursor: &Cursor| {
        let message = "this changes something in AWS, and no input says in which account";
        let input = "{id: aws.account_id, label: AWS account, kind: account-id}";
        Problem::error(&cursor.key_place("aws"), "no-account", message)
            .hint(format!("declare it under `inputs`, and ask for it in a form: {input}"))
    };
    first.map(|(_, cursor)| problem(cursor)).into_iter().collect()
}

pub(super) fn blind_change(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let Work::Shell(shell) = &step.work else { continue };
        if shell.run.is_some() && shell.check.is_none() {
            let message = match shell.verify {
                Some(_) => "a change without `check`: a second run makes it again",
                None => "a change without `check` and without `verify`: nobody can tell whether it was made",
            };
            problems.push(Problem::warning(&cursor.key_place("shell"), "blind-change", message));
        }
    }
    problems
}

/// Is there a change that cannot be undone, and nothing of its kind that says why?
fn lacks_undo(book: &Book, step: &Step) -> bool {
    let says_why = match &step.work {
        Work::Kind { kind, .. } => book.catalog.kinds.get(kind).is_some_and(|spec| spec.undo_reason.is_some()),
        _ => false,
    };
    step.takes_back == Some(false) && !says_why
}

pub(super) fn no_undo(book: &Book) -> Vec<Problem> {
    let lacking = book.steps().filter(|(step, _)| step.no_undo.is_none() && lacks_undo(book, step));
    lacking
        .map(|(_, cursor)| {
            let message = "a change without an undo";
            Problem::warning(&cursor.place(), "no-undo", message).hint("say why there is none: `no_undo: …`")
        })
        .collect()
}

pub(super) fn idle_key(book: &Book) -> Vec<Problem> {
    let has_undo = |step: &Step| match &step.work {
        Work::Shell(shell) => shell.undo.is_some(),
        Work::Kind { kind, .. } => book.catalog.kinds.get(kind).is_some_and(|spec| spec.has_undo),
        _ => false,
    };
    let idle = book.steps().filter(|(step, _)| step.no_undo.is_some() && has_undo(step));
    idle.map(|(_, cursor)| {
        Problem::warning(&cursor.key_place("no_undo"), "idle-key", "`no_undo` on a step that has an undo")
    })
    .collect()
}
