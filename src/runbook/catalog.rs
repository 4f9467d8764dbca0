//! What steps can do, as data: the kinds of action with their arguments and results. The action room fills it, so that
//! a runbook can be checked without it.

use std::collections::BTreeMap;

use super::place::Cursor;
use super::problem::Problem;
use super::template::Args;

/// Every kind of action, by its full name: `aws/vpc`, `probe/tcp`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub kinds: BTreeMap<String, KindSpec>,
}

/// One kind of action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindSpec {
    /// `aws/vpc`
    pub name: &'static str,
    /// What it makes so, in one line.
    pub summary: &'static str,
    pub args: Vec<ArgSpec>,
    /// The keys of its result, which `saves` can keep.
    pub results: Vec<&'static str>,
    /// Does applying it change anything?
    pub mutates: bool,
    pub has_undo: bool,
    /// Why it has none.
    pub undo_reason: Option<&'static str>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgSpec {
    pub name: &'static str,
    pub required: bool,
    /// It takes a secret: its value is where the secret lives, and only the action reads the text.
    pub secret: bool,
    /// It is a shell script: each value in it is quoted.
    pub script: bool,
    pub summary: &'static str,
}

impl Catalog {
    /// The arguments of a kind that take a secret, by where it lives.
    pub(super) fn secrets(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        let args = self.kinds.get(kind).map(|spec| spec.args.as_slice()).unwrap_or_default();
        args.iter().filter(|arg| arg.secret).map(|arg| arg.name)
    }

    /// What is wrong with a step's use of a kind. `step` is the step; `key` is `aws`, `os` or `probe`, and `kind` what it says.
    pub(super) fn check<'a>(
        &self,
        step: &Cursor,
        (key, kind): (&str, &str),
        with: &Args,
        saves: impl Iterator<Item = &'a String>,
    ) -> Vec<Problem> {
        let Some(spec) = self.kinds.get(&format!("{key}/{kind}")) else {
            let family = format!("{key}/");
            let known = self.kinds.keys().filter_map(|name| name.strip_prefix(&family));
            let message = format!("there is no action `{key}: {kind}`");
            return vec![Problem::error(&step.key(key).place(), "unknown-action", message).nearest(kind, known)];
        };
        let mut problems = Vec::new();
        let names = || spec.args.iter().map(|arg| arg.name);
        for argument in with.keys().filter(|argument| !names().any(|name| name == *argument)) {
            let message = format!("`{key}: {kind}` takes no `{argument}`");
            let place = step.key("with").key_place(argument);
            problems.push(Problem::error(&place, "unknown-argument", message).nearest(argument, names()));
        }
        for argument in spec.args.iter().filter(|argument| argument.required) {
            if !with.keys().any(|given| given == argument.name) {
                let message = format!("`{key}: {kind}` needs `{}`: {}", argument.name, argument.summary);
                problems.push(Problem::error(&step.key(key).place(), "missing-argument", message));
            }
        }
        for result in saves.filter(|result| !spec.results.contains(&result.as_str())) {
            let message = format!("`{key}: {kind}` gives no `{result}`");
            let place = step.key("saves").key_place(result);
            let problem = Problem::error(&place, "unknown-result", message);
            problems.push(problem.nearest(result, spec.results.iter().copied()));
        }
        problems
    }
}
