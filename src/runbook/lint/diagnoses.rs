//! Rules of diagnoses: every question and every answer is reached, and steps name diagnoses that there are.

use std::collections::BTreeSet;

use super::Book;
use crate::runbook::diagnosis::{Diagnosis, IN_A_DIAGNOSIS, Leads, Question};
use crate::runbook::model::{Step, Work};
use crate::runbook::names::Names;
use crate::runbook::needs::{ROUND, host_of, host_reference, overlap};
use crate::runbook::place::Place;
use crate::runbook::problem::Problem;

/// What every answer has, whatever was looked at.
const OF_EVERY_ANSWER: [&str; 2] = ["so", "said"];
/// What of the step may be read.
const HOST: &str = "step.host";
const ID: &str = "step.id";
/// From where it looks; every step has that.
const FROM: &str = "step.from";

pub(super) fn unknown(book: &Book) -> Vec<Problem> {
    let known = || book.runbook.diagnoses.iter().map(|diagnosis| diagnosis.id.as_str());
    let named = book.steps().filter_map(|(step, cursor)| Some((step.diagnosis.as_ref()?, cursor)));
    named
        .filter(|(id, _)| !known().any(|known| known == *id))
        .map(|(id, cursor)| {
            let message = format!("there is no diagnosis `{id}`");
            Problem::error(&cursor.key("diagnosis").place(), "unknown-diagnosis", message).nearest(id, known())
        })
        .collect()
}

pub(super) fn ways(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for diagnosis in &book.runbook.diagnoses {
        let mut found = |place: &Place, message: String| problems.push(error(place, message));
        if !seen.insert(&diagnosis.id) {
            found(&diagnosis.place, format!("the diagnosis `{}` is there twice", diagnosis.id));
        }
        twice(diagnosis).into_iter().for_each(|(place, message)| found(place, message));
        for question in &diagnosis.questions {
            wrong_answers(book, question).into_iter().for_each(|message| found(&question.place, message));
        }
        problems.extend(leads(diagnosis));
        problems.extend(named_by(book, diagnosis));
    }
    problems
}

fn error(place: &Place, message: String) -> Problem {
    Problem::error(place, "diagnosis-way", message)
}

/// Questions and branches that have one id.
fn twice(diagnosis: &Diagnosis) -> Vec<(&Place, String)> {
    let (mut questions, mut branches, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for question in &diagnosis.questions {
        if !questions.insert(&question.id) {
            found.push((&question.place, format!("the question `{}` is there twice", question.id)));
        }
        for answer in &question.answers {
            if let Leads::In(branch) = &answer.leads
                && !branches.insert(&branch.id)
            {
                found.push((&question.place, format!("the branch `{}` is there twice", branch.id)));
            }
        }
    }
    found
}

/// What nothing can come to in one question, and what its answer does not have.
fn wrong_answers(book: &Book, question: &Question) -> Vec<String> {
    let mut found = Vec::new();
    let always = question.answers.iter().position(|answer| answer.when.is_none());
    if always.is_some_and(|at| at + 1 < question.answers.len()) {
        found.push(format!("nothing comes to the answers of `{}` after the one that always holds", question.id));
    }
    let results: Vec<&str> = match &question.look {
        Work::Kind { kind, .. } => {
            let results = book.catalog.kinds.get(kind).into_iter().flat_map(|spec| &spec.results);
            results.map(|result| result.name).collect()
        }
        Work::Shell(_) => vec!["stdout"],
        Work::Form(_) | Work::Choice(_) | Work::Manual(_) => Vec::new(),
    };
    let read: BTreeSet<String> = answers_read(question).flat_map(|names| names.all.iter().cloned()).collect();
    for name in read.iter().filter_map(|name| name.strip_prefix("answer.")) {
        let of = name.split('.').next().unwrap_or_default();
        if !OF_EVERY_ANSWER.contains(&of) && !results.contains(&of) {
            found.push(format!("the answer to `{}` has no `{of}`", question.id));
        }
    }
    found
}

/// Names in the conditions and the words of the answers.
fn answers_read(question: &Question) -> impl Iterator<Item = &Names> {
    question.answers.iter().flat_map(|answer| {
        let words = match &answer.leads {
            Leads::In(branch) => branch.words().map(|(_, text)| text.reads()).to_vec(),
            Leads::To(_) => Vec::new(),
        };
        answer.when.iter().map(|when| when.reads()).chain(words)
    })
}

/// Answers that lead to no question, questions that nothing leads to, and circles.
fn leads(diagnosis: &Diagnosis) -> Vec<Problem> {
    let mut problems = Vec::new();
    for question in &diagnosis.questions {
        for next in question.next().filter(|next| diagnosis.question(next).is_none()) {
            let message = format!("`{}` leads to the question `{next}`, which is not there", question.id);
            let known = diagnosis.questions.iter().map(|question| question.id.as_str());
            problems.push(error(&question.place, message).nearest(next, known));
        }
    }
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&Question> = diagnosis.questions.first().into_iter().collect();
    while let Some(question) = todo.pop() {
        if reached.insert(&question.id) {
            todo.extend(diagnosis.after(question));
        }
    }
    for question in diagnosis.questions.iter().filter(|question| !reached.contains(question.id.as_str())) {
        problems.push(error(&question.place, format!("nothing leads to the question `{}`", question.id)));
    }
    if let Some(question) = diagnosis.questions.iter().find(|question| comes_back(diagnosis, question)) {
        problems.push(error(&question.place, format!("the question `{}` leads back to itself", question.id)));
    }
    problems
}

fn comes_back(diagnosis: &Diagnosis, from: &Question) -> bool {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&Question> = diagnosis.after(from).collect();
    while let Some(question) = todo.pop() {
        if question.id == from.id {
            return true;
        }
        if seen.insert(&question.id) {
            todo.extend(diagnosis.after(question));
        }
    }
    false
}

/// What the steps that name it must have, and whether any does.
fn named_by(book: &Book, diagnosis: &Diagnosis) -> Vec<Problem> {
    let named: Vec<&Step> =
        book.runbook.steps().filter(|step| step.diagnosis.as_ref() == Some(&diagnosis.id)).collect();
    if named.is_empty() {
        let message = format!("no step names the diagnosis `{}`", diagnosis.id);
        return vec![Problem::warning(&diagnosis.place, "diagnosis-way", message)];
    }
    let read: BTreeSet<String> = diagnosis.questions.iter().flat_map(all_reads).flat_map(|names| names.all).collect();
    let reads_host = read.iter().any(|name| overlap(HOST, name));
    // Where there may be none, `item | default(…)` says what is meant.
    let required = diagnosis.questions.iter().flat_map(all_reads);
    let reads_item = required
        .flat_map(|names| names.required().cloned().collect::<Vec<_>>())
        .any(|name| ROUND.iter().any(|round| overlap(round, &name)));
    let mut problems = Vec::new();
    for step in named {
        if reads_host && host_reference(step).is_none() {
            let message = format!("`{}` asks about `{HOST}`, and this step goes to no host", diagnosis.id);
            problems.push(error(&step.place, message));
        }
        if reads_item && step.for_each.is_none() {
            let message = format!("`{}` reads `item` or `key`, and this step is not repeated", diagnosis.id);
            problems.push(error(&step.place, message));
        }
    }
    problems
}

fn all_reads(question: &Question) -> Vec<Names> {
    let look = match &question.look {
        Work::Kind { with, .. } => with.reads(),
        work => {
            let mut names = Names::default();
            host_of(work).into_iter().for_each(|host| names.merge(host.reads()));
            if let Work::Shell(shell) = work {
                shell.check.iter().for_each(|check| names.merge(check.reads()));
            }
            names
        }
    };
    let when = question.when.iter().map(|when| when.reads().clone());
    answers_read(question).cloned().chain([look]).chain(when).collect()
}

/// What diagnoses read of what everybody reads: the place, the names, and that `item` may be among them.
pub(super) fn reads(book: &Book) -> Vec<(Place, Names, bool)> {
    let questions = book.runbook.diagnoses.iter().flat_map(|diagnosis| &diagnosis.questions);
    let own = |name: &String| IN_A_DIAGNOSIS.iter().any(|own| overlap(own, name));
    let mut found = Vec::new();
    for question in questions {
        for mut names in all_reads(question) {
            if let Some(name) =
                names.all.iter().find(|name| overlap("step", name) && ![HOST, ID, FROM].contains(&name.as_str()))
            {
                // A name that nothing gives, as the rule of names says.
                let unknown = Names { all: [name.clone()].into(), ..Names::default() };
                found.push((question.place.clone(), unknown, true));
            }
            names.all.retain(|name| !own(name));
            names.optional.retain(|name| !own(name));
            found.push((question.place.clone(), names, true));
        }
    }
    found
}
