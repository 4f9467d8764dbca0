//! Where a runbook may read a secret, and which secrets a step needs.

use marked_yaml::Node;

use super::diagnosis::Leads;
use super::lint::Book;
use super::model::{Runbook, Step, Work};
use super::needs::{self, overlap};
use super::place::{Cursor, Place};
use super::problem::Problem;
use super::script::writes_files;
use super::template::{Args, Template};
use crate::input::{InputId, Kind};

impl Runbook {
    /// The inputs that are secrets and that a step's work reads.
    pub fn secrets_of(&self, step: &Step) -> Vec<&InputId> {
        let read: Vec<String> = needs::reads(step).into_iter().flat_map(|(_, names)| names.all).collect();
        let is_read = |id: &&InputId| read.iter().any(|name| overlap(id.as_str(), name));
        secrets(self).filter(is_read).collect()
    }
}

fn secrets(runbook: &Runbook) -> impl Iterator<Item = &InputId> {
    runbook.fields.values().filter(|field| matches!(field.kind, Kind::Secret(_))).map(|field| &field.id)
}

/// A secret is read by standard input, by the arguments that take one, and by conditions, which print nothing.
pub(super) fn printed(book: &Book) -> Vec<Problem> {
    let secrets: Vec<&InputId> = secrets(book.runbook).collect();
    if secrets.is_empty() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (cursor, names) in read_openly(book) {
        for name in &names {
            if let Some(secret) = secrets.iter().find(|secret| overlap(secret.as_str(), name)) {
                let place = place_of(&cursor, name).unwrap_or_else(|| cursor.place());
                let message = format!("a secret would be printed: `{secret}` is one");
                let hint = "a script reads it on standard input: `stdin: \"{{ … }}\"`";
                problems.push(Problem::error(&place, "secret-printed", message).hint(hint));
            }
        }
    }
    for (place, name) in read_in_diagnoses(book) {
        if let Some(secret) = secrets.iter().find(|secret| overlap(secret.as_str(), &name)) {
            let message = format!("a secret would be printed: `{secret}` is one");
            problems.push(Problem::error(place, "secret-printed", message));
        }
    }
    problems
}

/// What the looks and words of diagnoses read where somebody sees it.
fn read_in_diagnoses<'a>(book: &'a Book) -> Vec<(&'a Place, String)> {
    let mut found = Vec::new();
    for question in book.runbook.diagnoses.iter().flat_map(|diagnosis| &diagnosis.questions) {
        let mut read: Vec<String> = Vec::new();
        match &question.look {
            Work::Kind { with, secrets, .. } => {
                let open = with.keys().filter(|key| !secrets.iter().any(|secret| secret == key));
                read.extend(open.flat_map(|key| with.reads_of(key).all));
            }
            Work::Shell(shell) => read.extend(shell.check.iter().flat_map(names)),
            Work::Form(_) | Work::Choice(_) | Work::Manual(_) => {}
        }
        for answer in &question.answers {
            if let Leads::In(branch) = &answer.leads {
                read.extend(branch.words().into_iter().flat_map(|(_, text)| names(text)));
            }
        }
        found.extend(read.into_iter().map(|name| (&question.place, name)));
    }
    found
}

/// Every text of the runbook whose values somebody sees, with the names it reads.
fn read_openly<'a>(book: &'a Book) -> Vec<(Cursor<'a>, Vec<String>)> {
    let mut found: Vec<(Cursor<'a>, Vec<String>)> = Vec::new();
    for (step, cursor) in book.steps() {
        for (keys, names) in needs::reads(step) {
            let closed = keys == ["when"] || keys == ["shell", "stdin"] || keys == ["with"];
            if !closed {
                let at = keys.iter().fold(cursor.clone(), |at, key| at.key(key));
                found.push((at, names.all.into_iter().collect()));
            }
        }
        if let Work::Kind { with, secrets, .. } = &step.work {
            found.extend(open_arguments(with, secrets, &cursor.key("with")));
        }
    }
    for (id, cursor) in book.inputs {
        let default = book.runbook.fields.get(id).and_then(|field| field.default.as_ref());
        found.extend(default.map(|default| (cursor.key("default"), names(default))));
    }
    for (host, cursor) in book.runbook.hosts.iter().zip(book.hosts) {
        found.extend(host.for_each.iter().map(|each| (cursor.key("for_each"), each.names().into_iter().collect())));
        let texts = [("name", &host.name), ("address", &host.address)];
        found.extend(texts.into_iter().map(|(key, text)| (cursor.key(key), names(text))));
        let optional = [
            ("port", &host.port),
            ("user", &host.user),
            ("key", &host.key),
            ("via", &host.via),
            ("known_as", &host.known_as),
            ("fingerprints", &host.fingerprints),
        ];
        found.extend(optional.into_iter().filter_map(|(key, text)| Some((cursor.key(key), names(text.as_ref()?)))));
    }
    found
}

fn open_arguments<'a>(with: &Args, secrets: &[String], cursor: &Cursor<'a>) -> Vec<(Cursor<'a>, Vec<String>)> {
    let open = with.keys().filter(|key| !secrets.iter().any(|secret| secret == key));
    open.map(|key| (cursor.key(key), with.reads_of(key).all.into_iter().collect())).collect()
}

fn names(template: &Template) -> Vec<String> {
    template.names().into_iter().collect()
}

/// Where in a text, or in the texts of a list or map, a name stands.
fn place_of(cursor: &Cursor, name: &str) -> Option<Place> {
    let node = cursor.node()?;
    match node {
        Node::Scalar(scalar) => {
            let at = scalar.as_str().find(name)?;
            let (line, column) = super::pieces::line_column(scalar.as_str(), at);
            Some(cursor.within(line, column))
        }
        Node::Mapping(map) => map.keys().find_map(|key| place_of(&cursor.key(key.as_str()), name)),
        Node::Sequence(list) => (0..list.iter().count()).find_map(|index| place_of(&cursor.item(index), name)),
    }
}

/// What takes a secret reads a secret input, or a name under which a step saved where a secret lives.
pub(super) fn taken(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        for (keys, template) in takes_secrets(step) {
            let place = || keys.iter().fold(cursor.clone(), |at, key| at.key(key)).place();
            let open = |name: &String| {
                let field = book.runbook.fields.values().find(|field| field.id.as_str() == name);
                field.is_some_and(|field| !matches!(field.kind, Kind::Secret(_)))
            };
            if let Some(name) = template.names().iter().find(|name| open(name)) {
                let message = match keys.as_slice() {
                    ["shell", ..] => format!("`{name}` is no secret: write it into the script"),
                    _ => format!("`{name}` is no secret, and this takes one"),
                };
                problems.push(Problem::error(&place(), "secret-stdin", message));
            }
        }
    }
    problems
}

/// A here-document can carry what the script has read onto a disk.
pub(super) fn in_files(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let Work::Shell(shell) = &step.work else { continue };
        let scripts = [("check", &shell.check), ("run", &shell.run), ("verify", &shell.verify)];
        let reads = scripts.into_iter().filter(|_| shell.stdin.is_some());
        for (key, script) in reads.filter_map(|(key, script)| Some((key, script.as_ref()?))) {
            if writes_files(script.source()) {
                let message = "older shells keep a here-document in a file in /tmp, and this script reads a secret";
                let hint = "pass it on by a pipe: `printf '%s\\n' \"$secret\" | …`";
                let place = cursor.key("shell").key_place(key);
                problems.push(Problem::warning(&place, "secret-file", message.to_owned()).hint(hint));
            }
        }
    }
    problems
}

impl Step {
    /// What is written in this step that says where a secret lives.
    pub fn secrets(&self) -> Vec<&Template> {
        takes_secrets(self).into_iter().map(|(_, template)| template).collect()
    }
}

/// With the keys on the way to it.
fn takes_secrets(step: &Step) -> Vec<(Vec<&str>, &Template)> {
    match &step.work {
        Work::Shell(shell) => shell.stdin.iter().map(|stdin| (vec!["shell", "stdin"], stdin)).collect(),
        Work::Kind { with, secrets, .. } => {
            secrets.iter().filter_map(|name| Some((vec!["with", name.as_str()], with.template(name)?))).collect()
        }
        Work::Form(_) | Work::Choice(_) | Work::Manual(_) => Vec::new(),
    }
}
