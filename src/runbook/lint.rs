//! The rules of runbooks: one table, and one function for each rule that needs the whole runbook.
//!
//! Rules without a function are held where the text is read ([`super::shape`], [`super::lower`], [`super::load`]).

mod diagnoses;
mod hosts;
mod inputs;
mod steps;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Catalog;
use super::model::{Runbook, Step, StepId};
use super::needs;
use super::place::{Cursor, Place};
use super::problem::Problem;
use super::secrets;
use crate::input::InputId;

/// A rule: what `onramp check` says with it, and why it is there.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub id: &'static str,
    /// What is wrong.
    pub text: &'static str,
    /// Why it matters.
    pub why: &'static str,
    pub(super) check: Option<fn(&Book) -> Vec<Problem>>,
}

/// A runbook with the places of its parts.
pub(super) struct Book<'a> {
    pub runbook: &'a Runbook,
    pub catalog: &'a Catalog,
    pub steps: &'a [(StepId, Cursor<'a>)],
    pub inputs: &'a [(InputId, Cursor<'a>)],
    pub hosts: &'a [Cursor<'a>],
    /// What was written in `needs`, before reading added to it.
    pub written: &'a BTreeMap<StepId, BTreeSet<StepId>>,
}

const fn read(id: &'static str, text: &'static str, why: &'static str) -> Rule {
    Rule { id, text, why, check: None }
}

const fn rule(id: &'static str, check: fn(&Book) -> Vec<Problem>, text: &'static str, why: &'static str) -> Rule {
    Rule { id, text, why, check: Some(check) }
}

/// Every rule there is.
pub const RULES: [Rule; 58] = [
    read("too-big", "A file is larger than 1 MiB.", "Reading is bounded, whoever wrote the file."),
    read("too-deep", "A file nests deeper than 32 levels.", "Reading is bounded, whoever wrote the file."),
    read("yaml", "The file is no YAML.", "Nothing else can be told."),
    read(
        "plain-yaml",
        "An anchor, an alias, a tag, or a key that is there twice.",
        "What stands in a line must be all that it means.",
    ),
    read("unknown-key", "A key that nothing reads.", "A mistyped key would be ignored in silence."),
    read("missing-key", "A key that must be there is not.", "A step cannot be half said."),
    read("wrong-type", "A value of the wrong type.", "A list is no text."),
    read(
        "no-runbook",
        "No file says which runbook this is, or two do.",
        "A runbook has one id and one order of phases.",
    ),
    read("phase-file", "`phases` names a file that is not there, or not a phase.", "Its steps would be missing."),
    read("phase-order", "A file has a phase that `phases` does not name.", "Its steps would never be walked."),
    read(
        "one-work",
        "A step has none, or more than one, of form, choice, manual, shell, aws, os and probe.",
        "A step is one thing.",
    ),
    read("stray-key", "A key that means nothing beside this kind of work.", "It would be ignored in silence."),
    read(
        "id-shape",
        "An id with other than lower-case letters, digits and hyphens.",
        "Ids stand in addresses, file names and tags.",
    ),
    read(
        "input-id",
        "A name that is not lower-case words joined by dots.",
        "Inputs and saved values share one space of names.",
    ),
    read(
        "input-kind",
        "A kind of input that does not exist, or takes no such parameter.",
        "The rules of an input come from its kind.",
    ),
    read("template", "A template that cannot be read.", "It would fail in the middle of an engagement."),
    read("expression", "A condition or a list that cannot be read.", "It would fail in the middle of an engagement."),
    read(
        "script",
        "A value in a script where quoting cannot keep it one word.",
        "What a customer typed would run as a command.",
    ),
    read(
        "library-value",
        "A library with a value in it, or one that leaves the scripts after it inside quotes.",
        "Functions are the same for every customer, and a script is proved by itself.",
    ),
    read("nothing-to-run", "A shell step without `run` and without `check`.", "It does nothing."),
    read(
        "duration",
        "A time that is not written as 90s, 10m, 1h or 3 days, or that is too long.",
        "A time without a unit is read wrongly sooner or later.",
    ),
    read("unknown-action", "A kind of action that does not exist.", "Nothing could be done."),
    read("unknown-argument", "An argument that the action does not take.", "It would be ignored in silence."),
    read(
        "unknown-type",
        "A type of resource that is not known, and is almost one that is.",
        "AWS would refuse it in the middle of an engagement.",
    ),
    read(
        "missing-argument",
        "An argument that the action needs is not there.",
        "It would fail in the middle of an engagement.",
    ),
    read(
        "unknown-result",
        "`saves` names something that the action does not give.",
        "What reads it would wait for ever.",
    ),
    rule("duplicate-id", duplicate_id, "Two phases, steps or inputs have one id.", "An address must mean one thing."),
    rule(
        "was",
        steps::was,
        "A former id of a step that is no address, that a step still has, or that two steps claim.",
        "What an engagement knows of a step must go to one step.",
    ),
    rule(
        "unknown-step",
        steps::unknown_step,
        "`needs` names a step that does not exist.",
        "The step would wait for ever.",
    ),
    rule(
        "until",
        steps::until,
        "`until` names no later step that needs this one.",
        "What nothing takes away again has to stay as it is.",
    ),
    rule(
        "unknown-input",
        inputs::unknown_input,
        "A form asks for an input that is not declared.",
        "It has no label, no help and no rule.",
    ),
    rule(
        "choice-kind",
        inputs::choice_kind,
        "`choice` names an input of another kind.",
        "There is nothing to choose from.",
    ),
    rule(
        "refused-value",
        inputs::refused_value,
        "The `default` or the `example` of an input is none that its form takes.",
        "Whoever follows it is refused.",
    ),
    rule("unknown-name", inputs::unknown_name, "Something reads a name that nothing gives.", "It would wait for ever."),
    rule(
        "no-key",
        inputs::no_key,
        "A step is repeated over a table without a column `key` or `name`.",
        "Its rounds could not be told apart.",
    ),
    rule(
        "may-be-missing",
        inputs::may_be_missing,
        "A step reads an input that may stay empty, and does not say what then.",
        "It would stand still for whoever leaves it empty.",
    ),
    rule(
        "unknown-part",
        inputs::unknown_part,
        "A repeated step reads something of `item` that no row and no host has.",
        "It would wait for ever.",
    ),
    rule("item-outside", inputs::item_outside, "`item` or `key` is read without `for_each`.", "There is no item."),
    rule(
        "unknown-choice",
        inputs::unknown_choice,
        "A condition compares an input with a value that cannot be chosen.",
        "It can never hold.",
    ),
    rule("unreachable", steps::unreachable, "A condition that can never hold.", "The step would never be done."),
    rule(
        "unknown-host",
        hosts::unknown_host,
        "A step or a `via` names a host that the runbook does not have.",
        "Nothing could reach it.",
    ),
    rule(
        "duplicate-host",
        hosts::duplicate_host,
        "Two hosts have one name, and no condition tells them apart.",
        "A name must mean one host.",
    ),
    rule(
        "name-clash",
        inputs::name_clash,
        "A saved name is an input, or lies within another saved name.",
        "One would replace the other.",
    ),
    rule(
        "secret-printed",
        secrets::printed,
        "A secret is read where its place would be printed, and its text could be.",
        "Scripts, arguments and texts stand in the plan, in the journal and in the list of processes.",
    ),
    rule(
        "secret-stdin",
        secrets::taken,
        "What takes a secret is not given one, by where it lives.",
        "Every other value stands in the script, where the plan shows it.",
    ),
    rule(
        "secret-file",
        secrets::in_files,
        "A script that reads a secret has a here-document.",
        "bash before 5.1 (RHEL 8) writes what stands in one into a file in /tmp.",
    ),
    rule("cycle", steps::cycle, "Steps that need each other.", "None of them could begin."),
    rule(
        "no-account",
        steps::account,
        "A change in AWS, and no input `aws.account_id`.",
        "Nothing is changed in an account that is not the engagement's, and nobody could say which one it is.",
    ),
    rule(
        "blind-change",
        steps::blind_change,
        "A change that is made without a check.",
        "A second run could not tell that it is done, and nobody that it worked.",
    ),
    rule(
        "no-undo",
        steps::no_undo,
        "A change without an undo that does not say why.",
        "Who has to take it back should know before it is made.",
    ),
    rule("asked-twice", inputs::asked_twice, "Two steps ask for one input.", "The second answer replaces the first."),
    rule(
        "never-asked",
        inputs::never_asked,
        "An input is read, but no step asks for it.",
        "It has a value only when somebody gives it on the command line.",
    ),
    rule(
        "unused-input",
        inputs::unused_input,
        "An input that nothing asks for and nothing reads, and `asked_in` names nothing that is still to come.",
        "Nobody would miss it.",
    ),
    read(
        "diagnosis",
        "A question that looks at nothing or leads nowhere, or a branch without words.",
        "Who is told where it fails must be told what that is, how one sees it, what to do, and who.",
    ),
    rule(
        "diagnosis-way",
        diagnoses::ways,
        "A question or an answer that nothing leads to, one that is not there, or questions in a circle.",
        "What is never reached is never said.",
    ),
    rule(
        "unknown-diagnosis",
        diagnoses::unknown,
        "A step names a diagnosis that does not exist.",
        "Nobody would find out what is the matter.",
    ),
    rule(
        "unfilled",
        texts::unfilled,
        "A template in `title`, `why`, `cost`, `breaks`, `no_undo`, in an input's `label` or `help`, or in what a tree asks.",
        "People would read the braces.",
    ),
    rule("idle-key", steps::idle_key, "`no_undo` on a step that has an undo.", "One of the two is not true."),
];

/// Everything that the rules find.
pub(super) fn check(book: &Book) -> Vec<Problem> {
    RULES.iter().filter_map(|rule| rule.check).flat_map(|check| check(book)).collect()
}

impl<'a> Book<'a> {
    pub(super) fn steps(&self) -> impl Iterator<Item = (&'a Step, &'a Cursor<'a>)> {
        let runbook = self.runbook;
        self.steps.iter().filter_map(move |(id, cursor)| Some((runbook.step(id)?, cursor)))
    }

    /// Every text and expression that reads names: what it belongs to, its place, the names, and whether it is repeated.
    fn reads(&self) -> Vec<(Place, super::names::Names, bool)> {
        let mut found = Vec::new();
        for (step, cursor) in self.steps() {
            for (keys, names) in needs::reads(step) {
                let place = keys.iter().fold(cursor.clone(), |at, key| at.key(key)).place();
                let repeated = step.for_each.is_some() && keys != ["for_each"];
                found.push((place, names, repeated));
            }
        }
        for (id, cursor) in self.inputs {
            let Some(field) = self.runbook.fields.get(id) else { continue };
            let templates = [("default", &field.default), ("known", &field.known)].into_iter();
            let default = templates.filter_map(|(key, template)| Some((key, template.as_ref()?.reads())));
            let exprs = [("when", &field.when), ("required_when", &field.required_when)].into_iter();
            let exprs = exprs.filter_map(|(key, expr)| Some((key, expr.as_ref()?.reads())));
            found.extend(default.chain(exprs).map(|(key, names)| (cursor.key(key).place(), names.clone(), false)));
        }
        for (host, cursor) in self.runbook.hosts.iter().zip(self.hosts) {
            let exprs = [("when", &host.when), ("for_each", &host.for_each)];
            for (key, expr) in exprs {
                found.extend(expr.iter().map(|expr| (cursor.key(key).place(), expr.reads().clone(), false)));
            }
            let whole = [("name", &host.name), ("address", &host.address)];
            let optional = [
                ("port", &host.port),
                ("user", &host.user),
                ("key", &host.key),
                ("via", &host.via),
                ("sudo", &host.sudo),
                ("known_as", &host.known_as),
                ("fingerprints", &host.fingerprints),
            ];
            let optional = optional.into_iter().filter_map(|(key, template)| Some((key, template.as_ref()?)));
            for (key, template) in whole.into_iter().chain(optional) {
                found.push((cursor.key(key).place(), template.reads().clone(), host.for_each.is_some()));
            }
        }
        found.extend(diagnoses::reads(self));
        found
    }
}

fn duplicate_id(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    let steps = book.steps.iter().map(|(id, cursor)| (format!("the step `{id}`"), cursor.key("id").place()));
    let inputs = book.inputs.iter().map(|(id, cursor)| (format!("the input `{id}`"), cursor.key("id").place()));
    for (what, place) in steps.chain(inputs) {
        if let Some(first) = seen.get(&what) {
            problems.push(Problem::error(&place, "duplicate-id", format!("{what} is there twice, first at {first}")));
        } else {
            seen.insert(what, place);
        }
    }
    problems
}
