//! Where a runbook may read a secret, and which secrets a step needs.

use marked_yaml::Node;

use super::lint::Book;
use super::model::{Runbook, Step, Work};
use super::needs::{self, overlap};
use super::place::{Cursor, Place};
use super::problem::Problem;
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
    problems
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
        if let Work::Kind { kind, with } = &step.work {
            found.extend(open_arguments(book, kind, with, &cursor.key("with")));
        }
    }
    for (id, cursor) in book.inputs {
        let default = book.runbook.fields.get(id).and_then(|field| field.default.as_ref());
        found.extend(default.map(|default| (cursor.key("default"), names(default))));
    }
    for (host, cursor) in book.runbook.hosts.iter().zip(book.hosts) {
        found.extend(host.for_each.iter().map(|each| (cursor.key("for_each"), each.names().into_iter().collect())));
        let texts = [("name", &host.name), ("address", &host.address), ("user", &host.user)];
        found.extend(texts.into_iter().map(|(key, text)| (cursor.key(key), names(text))));
        let optional = [
            ("port", &host.port),
            ("key", &host.key),
            ("via", &host.via),
            ("known_as", &host.known_as),
            ("fingerprints", &host.fingerprints),
        ];
        found.extend(optional.into_iter().filter_map(|(key, text)| Some((cursor.key(key), names(text.as_ref()?)))));
    }
    found
}

fn open_arguments<'a>(book: &Book, kind: &str, with: &Args, cursor: &Cursor<'a>) -> Vec<(Cursor<'a>, Vec<String>)> {
    let spec = book.catalog.kinds.get(kind);
    let takes_secret = |key: &str| spec.is_some_and(|spec| spec.args.iter().any(|arg| arg.name == key && arg.secret));
    let open = with.keys().filter(|key| !takes_secret(key));
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

/// `stdin` reads a secret input, or a name under which a step saved where a secret lives.
pub(super) fn on_stdin(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let Work::Shell(shell) = &step.work else { continue };
        let Some(stdin) = &shell.stdin else { continue };
        let open = |name: &String| {
            book.runbook
                .fields
                .values()
                .any(|field| field.id.as_str() == name && !matches!(field.kind, Kind::Secret(_)))
        };
        if let Some(name) = stdin.names().iter().find(|name| open(name)) {
            let message = format!("`{name}` is no secret: write it into the script");
            problems.push(Problem::error(&cursor.key("shell").key("stdin").place(), "secret-stdin", message));
        }
    }
    problems
}
