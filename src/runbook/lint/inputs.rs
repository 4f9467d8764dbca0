//! Rules of inputs and saved values: who asks for them, who gives them, who reads them.

use std::collections::{BTreeMap, BTreeSet};

use super::Book;
use crate::input::{Column, InputId, Kind, Setting, parse};
use crate::runbook::expr::Expr;
use crate::runbook::model::{Step, StepId, Work};
use crate::runbook::names::Names;
use crate::runbook::needs::{self, Givers, ROUND, overlap};
use crate::runbook::place::{Cursor, Place};
use crate::runbook::problem::Problem;
use crate::runbook::template::Template;

pub(super) fn unknown_input(book: &Book) -> Vec<Problem> {
    let known = || book.runbook.fields.keys().map(InputId::as_str);
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        for id in step.asks().iter().filter(|id| !book.runbook.fields.contains_key(*id)) {
            let message = format!("there is no input `{id}`");
            problems
                .push(Problem::error(&asked_at(cursor, id), "unknown-input", message).nearest(id.as_str(), known()));
        }
    }
    problems
}

fn asked_at(cursor: &Cursor, id: &InputId) -> Place {
    let in_form = cursor.key("form").items().find(|(text, _)| *text == id.as_str()).map(|(_, place)| place);
    in_form.unwrap_or_else(|| cursor.key("choice").place())
}

pub(super) fn choice_kind(book: &Book) -> Vec<Problem> {
    let other = |step: &Step| match &step.work {
        Work::Choice(id) => book.runbook.fields.get(id).filter(|field| !matches!(field.kind, Kind::Choice(_))).cloned(),
        _ => None,
    };
    let wrong = book.steps().filter_map(|(step, cursor)| Some((other(step)?, cursor)));
    wrong
        .map(|(field, cursor)| {
            let message =
                format!("`{}` is of the kind {}, and `choice` asks for one of choices", field.id, field.kind.name());
            Problem::error(&cursor.key("choice").place(), "choice-kind", message).hint("write `form: […]`")
        })
        .collect()
}

pub(super) fn unknown_name(book: &Book) -> Vec<Problem> {
    let givers = Givers::of(book.runbook);
    let mut problems = Vec::new();
    for (place, names, _) in book.reads() {
        for name in names.all.iter().filter(|name| !givers.know(name)) {
            let message = format!("nothing gives `{name}`");
            let problem = if names.optional.contains(name) {
                Problem::warning(&place, "unknown-name", format!("{message}: its default is always taken"))
            } else {
                Problem::error(&place, "unknown-name", message)
            };
            problems.push(problem.nearest(name, givers.all()));
        }
    }
    problems
}

pub(super) fn item_outside(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, names, repeated) in book.reads() {
        let of_a_round = names.all.iter().find(|name| ROUND.iter().any(|round| overlap(round, name)));
        if let Some(name) = of_a_round.filter(|_| !repeated) {
            let message = format!("`{name}` is known only in what `for_each` repeats");
            problems.push(Problem::error(&place, "item-outside", message));
        }
    }
    problems
}

pub(super) fn unknown_choice(book: &Book) -> Vec<Problem> {
    let steps = book.steps().filter_map(|(step, cursor)| Some((step.when.as_ref()?, cursor)));
    let inputs =
        book.inputs.iter().filter_map(|(id, cursor)| Some((book.runbook.fields.get(id)?.when.as_ref()?, cursor)));
    let hosts =
        book.runbook.hosts.iter().zip(book.hosts).filter_map(|(host, cursor)| Some((host.when.as_ref()?, cursor)));
    let mut problems = Vec::new();
    for (when, cursor) in steps.chain(inputs).chain(hosts) {
        for (name, words) in when.compared() {
            let Some(field) = book.runbook.fields.get(name) else { continue };
            let place = cursor.key("when").place();
            if let Some(hint) = never_text(&field.kind, name) {
                let message = format!("`{name}` is of the kind {}, which is never equal to a text", field.kind.name());
                problems.push(Problem::warning(&place, "unknown-choice", message).hint(hint));
            }
            let Kind::Choice(choices) = &field.kind else { continue };
            let known = || choices.iter().map(|choice| choice.value.as_str());
            for word in words.into_iter().filter(|word| !known().any(|value| value == *word)) {
                let message = format!("`{name}` can never be `{word}`");
                let problem =
                    Problem::error(&cursor.key("when").place(), "unknown-choice", message).nearest(word, known());
                let offered: Vec<&str> = known().collect();
                let said = format!("it is {}", crate::text::either(&offered));
                problems.push(if problem.hint.is_some() { problem } else { problem.hint(said) });
            }
        }
    }
    problems
}

/// What to write instead, of a kind whose values are no texts.
fn never_text(kind: &Kind, name: &str) -> Option<String> {
    match kind {
        Kind::YesNo => Some(format!("it is true or false: write `{name}`, or `not {name}`")),
        Kind::Number(..) => Some(format!("write the number without quotes, as in `{name} == 3`")),
        Kind::Secret(..) => Some(format!("nothing reads a secret but what it is given to; ask `{name} is defined`")),
        _ => None,
    }
}

/// Words that a name of an input cannot begin with: onramp gives what stands there.
const TAKEN: [&str; 6] = ["answer", "asked", "engagement", "item", "key", "step"];

pub(super) fn name_clash(book: &Book) -> Vec<Problem> {
    let givers = Givers::of(book.runbook);
    let mut problems = Vec::new();
    for (id, cursor) in book.inputs {
        let inputs = givers.inputs.keys().map(String::as_str).filter(|other| *other != id.as_str());
        let own = id.as_str().split('.').next().filter(|word| TAKEN.contains(word));
        if let Some(other) = inputs.chain(needs::GIVEN).find(|other| overlap(other, id.as_str())).or(own) {
            let message = format!("the input `{id}` cannot be beside `{other}`: one would replace the other");
            problems.push(Problem::error(&cursor.place(), "name-clash", message));
        }
    }
    for (step, cursor) in book.steps() {
        for save in &step.saves {
            let others = givers.saved.keys().filter(|other| **other != save.to && overlap(other, &save.to));
            let inputs = givers.inputs.keys().filter(|input| overlap(input, &save.to));
            let given = needs::GIVEN.iter().copied().filter(|given| overlap(given, &save.to));
            if let Some(other) = inputs.chain(others).map(String::as_str).chain(given).next() {
                let message = format!("`{}` cannot be saved beside `{other}`: one would replace the other", save.to);
                problems.push(Problem::error(&cursor.key("saves").key(&save.from).place(), "name-clash", message));
            }
        }
    }
    problems
}

pub(super) fn asked_twice(book: &Book) -> Vec<Problem> {
    let mut first: BTreeMap<&InputId, &StepId> = BTreeMap::new();
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        for id in step.asks() {
            if let Some(other) = first.get(id) {
                let message = format!("`{id}` is asked for in `{other}` too");
                problems.push(Problem::warning(&asked_at(cursor, id), "asked-twice", message));
            } else {
                first.insert(id, &step.id);
            }
        }
    }
    problems
}

/// Inputs that no step asks for, with their places, and whether something reads them; without those that belong to a
/// phase or a step which is not written yet.
fn not_asked<'a>(book: &'a Book) -> impl Iterator<Item = (&'a InputId, Place, bool)> {
    let givers = Givers::of(book.runbook);
    let to_come = |id: &InputId| book.runbook.fields.get(id).is_some_and(|field| book.runbook.is_to_come(field));
    let read: BTreeSet<String> = book.reads().into_iter().flat_map(|(_, names, _)| names.all).collect();
    book.inputs.iter().filter_map(move |(id, cursor)| {
        let asked = givers.inputs.get(id.as_str()).is_some_and(|steps| !steps.is_empty());
        let used = read.iter().any(|name| overlap(id.as_str(), name));
        (!asked && !to_come(id)).then(|| (id, cursor.key("id").place(), used))
    })
}

pub(super) fn never_asked(book: &Book) -> Vec<Problem> {
    let read = not_asked(book).filter(|(_, _, used)| *used);
    read.map(|(id, place, _)| {
        Problem::warning(&place, "never-asked", format!("`{id}` is read, but no step asks for it"))
    })
    .collect()
}

pub(super) fn unused_input(book: &Book) -> Vec<Problem> {
    let idle = not_asked(book).filter(|(_, _, used)| !used);
    idle.map(|(id, place, _)| {
        Problem::warning(&place, "unused-input", format!("nothing asks for `{id}` and nothing reads it"))
    })
    .collect()
}

/// The columns of the table that is walked, where a table is walked as it stands.
fn columns_of<'a>(book: &'a Book, each: &Expr) -> Option<&'a [Column]> {
    match &book.runbook.fields.get(each.source().trim())?.kind {
        Kind::Table(columns, _) => Some(columns),
        _ => None,
    }
}

pub(super) fn no_key(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let Some(each) = &step.for_each else { continue };
        let Some(columns) = columns_of(book, each) else { continue };
        if !columns.iter().any(|column| ["key", "name"].contains(&column.name.as_str())) {
            let message = format!("the rows of `{}` have no column that tells them apart", each.source());
            let problem = Problem::error(&cursor.key("for_each").place(), "no-key", message);
            problems.push(problem.hint("call one of its columns `key` or `name`"));
        }
    }
    problems
}

/// What an `item` of this `for_each` has, where that can be told: a row of a table its columns, a host what every host has.
fn parts_of_item<'a>(book: &'a Book, each: &Expr) -> Option<Vec<&'a str>> {
    if each.source().split(" or ").all(|list| needs::HOST_LISTS.contains(&list.trim())) {
        return Some(vec!["name", "via", "address"]);
    }
    Some(columns_of(book, each)?.iter().map(|column| column.name.as_str()).collect())
}

pub(super) fn unknown_part(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let Some(parts) = step.for_each.as_ref().and_then(|each| parts_of_item(book, each)) else { continue };
        for (keys, names) in needs::reads(step) {
            let read = names.all.iter().filter_map(|name| name.strip_prefix("item."));
            let read = read.map(|rest| rest.split('.').next().unwrap_or(rest));
            for part in read.filter(|part| !parts.contains(part)) {
                let place = keys.iter().fold(cursor.clone(), |at, key| at.key(key)).place();
                let problem = Problem::error(&place, "unknown-part", format!("`item` has no `{part}` here"));
                problems.push(problem.hint(format!("it has {}", crate::text::list(&parts))));
            }
        }
    }
    problems
}

/// What is offered, or shown as an example, must be what the form takes; an example with `…` shows where a long one begins.
/// No error: nothing is done by it, and an engagement that began when a rule was less strict must go on.
pub(super) fn refused_value(book: &Book) -> Vec<Problem> {
    let setting = Setting { practice: true, now: None };
    let mut problems = Vec::new();
    for (id, cursor) in book.inputs {
        let Some(field) = book.runbook.fields.get(id) else { continue };
        let default = field.default.as_ref().filter(|default| default.is_plain()).map(Template::source);
        let example = Some(field.example.as_str()).filter(|example| !example.contains('…'));
        for (key, text) in [("default", default), ("example", example)] {
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            if let Err(refusal) = parse(&field.kind, text, &setting) {
                let message = format!("the {key} of `{id}` would be refused: {}: {}", refusal.what, refusal.why);
                problems.push(Problem::warning(&cursor.key(key).place(), "refused-value", message));
            }
        }
    }
    problems
}

/// Where a condition of the step mentions the input, its author has thought of it.
pub(super) fn may_be_missing(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let reads = needs::reads(step);
        let asks = |id: &str| step.when.iter().chain(&step.for_each).any(|expr| expr.reads().optional.contains(id));
        let fields = book.runbook.fields.values().filter(|field| field.optional && field.required_when.is_none());
        let fields = fields.filter(|field| !asks(field.id.as_str()));
        for field in fields {
            let required = |names: &Names| names.required().any(|name| overlap(field.id.as_str(), name));
            let Some((keys, _)) = reads.iter().find(|(_, names)| required(names)) else { continue };
            let place = keys.iter().fold(cursor.clone(), |at, key| at.key(key)).place();
            let message = format!("`{}` may stay empty, and this step stands still then", field.id);
            let hint = format!("read it with `| default(…)`, or do the step `when: {} is defined`", field.id);
            problems.push(Problem::warning(&place, "may-be-missing", message).hint(hint));
        }
    }
    problems
}
