//! What steps can do, as data: the kinds of action with their arguments and results. The action room fills it, so that
//! a runbook can be checked without it.

use std::collections::{BTreeMap, BTreeSet};

use super::place::Cursor;
use super::problem::Problem;
use super::template::Args;
use crate::text;

/// Two types may be alike: `AWS::EC2::NatGateway` is not meant to be `AWS::EC2::VPNGateway`.
const SLIPS: usize = 2;

/// Every kind of action, by its full name: `aws/vpc`, `probe/tcp`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub kinds: BTreeMap<String, KindSpec>,
    /// Types of what an action makes of `type` and `properties`: `AWS::EC2::FlowLog`. One that is not here may be right.
    pub types: BTreeMap<&'static str, TypeSpec>,
}

/// One type of resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSpec {
    pub properties: BTreeSet<&'static str>,
    pub required: Vec<&'static str>,
    /// AWS says them; nobody can set them.
    pub read_only: Vec<&'static str>,
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
    pub results: Vec<ResultSpec>,
    /// Does applying it change anything?
    pub mutates: bool,
    pub has_undo: bool,
    /// Why it has none.
    pub undo_reason: Option<&'static str>,
}

/// One key of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultSpec {
    pub name: &'static str,
    pub summary: &'static str,
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
    /// It is taken when the thing is made, and nobody can change it afterwards: another value later is no drift.
    pub once: bool,
    /// A person can change it where the thing stands: another value needs no undo, and the look says what is left to do.
    pub by_hand: bool,
    pub summary: &'static str,
}

impl Catalog {
    /// The arguments of a kind that take a secret, by where it lives.
    pub(super) fn secrets(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.args(kind).filter(|arg| arg.secret).map(|arg| arg.name)
    }

    /// The arguments of a kind that are taken when it is made, and never again.
    pub(super) fn once(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.args(kind).filter(|arg| arg.once).map(|arg| arg.name)
    }

    /// The arguments of a kind that a person can change where it stands.
    pub(super) fn by_hand(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.args(kind).filter(|arg| arg.by_hand).map(|arg| arg.name)
    }

    fn args(&self, kind: &str) -> impl Iterator<Item = &ArgSpec> {
        self.kinds.get(kind).map(|spec| spec.args.as_slice()).unwrap_or_default().iter()
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
        problems.extend(self.unknown_type(step, with));
        problems.extend(self.properties(step, with));
        let results = || spec.results.iter().map(|result| result.name);
        for result in saves.filter(|result| !results().any(|name| name == result.as_str())) {
            let message = format!("`{key}: {kind}` gives no `{result}`");
            let place = step.key("saves").key_place(result);
            let problem = Problem::error(&place, "unknown-result", message);
            problems.push(problem.nearest(result, results()));
        }
        problems
    }

    /// A type that is not known may be right, but hardly where it is a slip away from one that is.
    fn unknown_type(&self, step: &Cursor, with: &Args) -> Option<Problem> {
        let name = with.fixed_text("type").filter(|name| name.contains("::") && !self.types.contains_key(name))?;
        let meant = text::nearest::within(name, self.types.keys().copied(), SLIPS)?;
        let place = step.key("with").key("type").place();
        let message = format!("onramp does not know the type {name}, so nothing of it is checked");
        Some(Problem::warning(&place, "unknown-type", message).hint(format!("did you mean `{meant}`?")))
    }

    /// What is wrong with the properties of a type that is known.
    fn properties(&self, step: &Cursor, with: &Args) -> Vec<Problem> {
        let typed = with.fixed_text("type").and_then(|name| Some((name, self.types.get(name)?)));
        let Some(((of, spec), given)) = typed.zip(with.keys_of("properties")) else { return Vec::new() };
        let properties = step.key("with").key("properties");
        let mut problems = Vec::new();
        for name in &given {
            let place = properties.key_place(name);
            if !spec.properties.contains(name) {
                let message = format!("`{name}` is no property of {of}");
                let problem = Problem::error(&place, "unknown-argument", message);
                problems.push(problem.nearest(name, spec.properties.iter().copied()));
            } else if spec.read_only.contains(name) {
                let message = format!("`{name}` of {of} is said by AWS, and nobody can set it");
                problems.push(Problem::error(&place, "unknown-argument", message));
            }
        }
        for name in spec.required.iter().filter(|name| !given.contains(name)) {
            let message = format!("{of} needs the property `{name}`");
            problems.push(Problem::error(&step.key("with").key_place("properties"), "missing-argument", message));
        }
        problems
    }
}
