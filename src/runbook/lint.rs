//! The rules of runbooks: one table, and one function for each rule that needs the whole runbook.
//!
//! Rules without a function are held where the text is read ([`super::shape`], [`super::lower`], [`super::load`]).

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Catalog;
use super::model::{Runbook, Step, StepId, Work};
use super::needs::{self, Givers, ROUND, overlap};
use super::place::{Cursor, Place};
use super::problem::Problem;
use super::scope::Scope;
use super::secrets;
use crate::input::{InputId, Kind};

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
pub const RULES: [Rule; 48] = [
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
        was,
        "A former id of a step that is no address, that a step still has, or that two steps claim.",
        "What an engagement knows of a step must go to one step.",
    ),
    rule("unknown-step", unknown_step, "`needs` names a step that does not exist.", "The step would wait for ever."),
    rule(
        "until",
        until,
        "`until` names no later step that needs this one.",
        "What nothing takes away again has to stay as it is.",
    ),
    rule(
        "unknown-input",
        unknown_input,
        "A form asks for an input that is not declared.",
        "It has no label, no help and no rule.",
    ),
    rule("choice-kind", choice_kind, "`choice` names an input of another kind.", "There is nothing to choose from."),
    rule("unknown-name", unknown_name, "Something reads a name that nothing gives.", "It would wait for ever."),
    rule("item-outside", item_outside, "`item` or `key` is read without `for_each`.", "There is no item."),
    rule(
        "unknown-choice",
        unknown_choice,
        "A condition compares an input with a value that cannot be chosen.",
        "It can never hold.",
    ),
    rule("unreachable", unreachable, "A condition that can never hold.", "The step would never be done."),
    rule(
        "unknown-host",
        unknown_host,
        "A step or a `via` names a host that the runbook does not have.",
        "Nothing could reach it.",
    ),
    rule(
        "duplicate-host",
        duplicate_host,
        "Two hosts have one name, and no condition tells them apart.",
        "A name must mean one host.",
    ),
    rule(
        "name-clash",
        name_clash,
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
    rule("cycle", cycle, "Steps that need each other.", "None of them could begin."),
    rule(
        "blind-change",
        blind_change,
        "A change that is made without a check.",
        "A second run could not tell that it is done, and nobody that it worked.",
    ),
    rule(
        "no-undo",
        no_undo,
        "A change without an undo that does not say why.",
        "Who has to take it back should know before it is made.",
    ),
    rule("asked-twice", asked_twice, "Two steps ask for one input.", "The second answer replaces the first."),
    rule(
        "never-asked",
        never_asked,
        "An input is read, but no step asks for it.",
        "It has a value only when somebody gives it on the command line.",
    ),
    rule("unused-input", unused_input, "An input that nothing asks for and nothing reads.", "Nobody would miss it."),
    rule("idle-key", idle_key, "`no_undo` on a step that has an undo.", "One of the two is not true."),
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
            let default = field.default.iter().map(|default| ("default", default.reads()));
            let when = field.when.iter().map(|when| ("when", when.reads()));
            found.extend(default.chain(when).map(|(key, names)| (cursor.key(key).place(), names.clone(), false)));
        }
        for (host, cursor) in self.runbook.hosts.iter().zip(self.hosts) {
            let exprs = [("when", &host.when), ("for_each", &host.for_each)];
            for (key, expr) in exprs {
                found.extend(expr.iter().map(|expr| (cursor.key(key).place(), expr.reads().clone(), false)));
            }
            let whole = [("name", &host.name), ("address", &host.address), ("user", &host.user)];
            let optional = [
                ("port", &host.port),
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

fn was(book: &Book) -> Vec<Problem> {
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

fn unknown_step(book: &Book) -> Vec<Problem> {
    let known: Vec<&StepId> = book.runbook.steps().map(|step| &step.id).collect();
    let mut problems = Vec::new();
    for (step, cursor) in book.steps() {
        let list = cursor.key("needs");
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

fn until(book: &Book) -> Vec<Problem> {
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

fn unknown_input(book: &Book) -> Vec<Problem> {
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

fn choice_kind(book: &Book) -> Vec<Problem> {
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

fn unknown_name(book: &Book) -> Vec<Problem> {
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

fn item_outside(book: &Book) -> Vec<Problem> {
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

fn unknown_choice(book: &Book) -> Vec<Problem> {
    let steps = book.steps().filter_map(|(step, cursor)| Some((step.when.as_ref()?, cursor)));
    let inputs =
        book.inputs.iter().filter_map(|(id, cursor)| Some((book.runbook.fields.get(id)?.when.as_ref()?, cursor)));
    let hosts =
        book.runbook.hosts.iter().zip(book.hosts).filter_map(|(host, cursor)| Some((host.when.as_ref()?, cursor)));
    let mut problems = Vec::new();
    for (when, cursor) in steps.chain(inputs).chain(hosts) {
        for (name, words) in when.compared() {
            let Some(field) = book.runbook.fields.get(name) else { continue };
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

fn unreachable(book: &Book) -> Vec<Problem> {
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

fn unknown_host(book: &Book) -> Vec<Problem> {
    let hosts = &book.runbook.hosts;
    let names: Vec<&str> = hosts.iter().map(|host| host.name.source()).collect();
    let mut references = Vec::new();
    for (step, cursor) in book.steps() {
        let place =
            if matches!(step.work, Work::Shell(_)) { cursor.key("host") } else { cursor.key("with").key("host") };
        references.extend(needs::host_reference(step).map(|host| (host, place.place())));
    }
    for (host, cursor) in hosts.iter().zip(book.hosts) {
        references.extend(host.via.iter().map(|via| (via, cursor.key("via").place())));
        references.extend(host.known_as.iter().map(|other| (other, cursor.key("known_as").place())));
    }
    let unknown = references.into_iter().filter(|(reference, _)| needs::matching(hosts, reference).is_empty());
    unknown
        .map(|(reference, place)| {
            let message = format!("there is no host `{}`", reference.source());
            Problem::error(&place, "unknown-host", message).nearest(reference.source(), names.iter().copied())
        })
        .collect()
}

fn duplicate_host(book: &Book) -> Vec<Problem> {
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    let mut problems = Vec::new();
    for (host, cursor) in book.runbook.hosts.iter().zip(book.hosts) {
        let conditional = host.when.is_some();
        if host.names_one() && seen.insert(host.name.source(), conditional).is_some_and(|first| !first || !conditional)
        {
            let message = format!("the host `{}` is there twice", host.name.source());
            problems.push(Problem::error(&cursor.key("name").place(), "duplicate-host", message));
        }
    }
    problems
}

fn name_clash(book: &Book) -> Vec<Problem> {
    let givers = Givers::of(book.runbook);
    let mut problems = Vec::new();
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

fn cycle(book: &Book) -> Vec<Problem> {
    let Some(circle) = needs::cycle(book.runbook) else { return Vec::new() };
    let said: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
    let place =
        book.steps.iter().find(|(id, _)| Some(id) == circle.first()).map(|(_, cursor)| cursor.key("id").place());
    let message = format!("these steps need each other: {}", said.join(" needs "));
    place.map(|place| Problem::error(&place, "cycle", message)).into_iter().collect()
}

fn blind_change(book: &Book) -> Vec<Problem> {
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

/// Is there a change that cannot be undone? `None` when the step changes nothing.
fn lacks_undo(book: &Book, step: &Step) -> Option<bool> {
    match &step.work {
        Work::Shell(shell) => shell.run.is_some().then_some(shell.undo.is_none()),
        Work::Kind { kind, .. } => {
            let spec = book.catalog.kinds.get(kind)?;
            spec.mutates.then_some(!spec.has_undo && spec.undo_reason.is_none())
        }
        Work::Form(_) | Work::Choice(_) | Work::Manual(_) => None,
    }
}

fn no_undo(book: &Book) -> Vec<Problem> {
    let lacking = book.steps().filter(|(step, _)| step.no_undo.is_none() && lacks_undo(book, step) == Some(true));
    lacking
        .map(|(_, cursor)| {
            let message = "a change without an undo";
            Problem::warning(&cursor.place(), "no-undo", message).hint("say why there is none: `no_undo: …`")
        })
        .collect()
}

fn idle_key(book: &Book) -> Vec<Problem> {
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

fn asked_twice(book: &Book) -> Vec<Problem> {
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

/// Inputs that no step asks for, with their places, and whether something reads them.
fn not_asked<'a>(book: &'a Book) -> impl Iterator<Item = (&'a InputId, Place, bool)> {
    let givers = Givers::of(book.runbook);
    let read: BTreeSet<String> = book.reads().into_iter().flat_map(|(_, names, _)| names.all).collect();
    book.inputs.iter().filter_map(move |(id, cursor)| {
        let asked = givers.inputs.get(id.as_str()).is_some_and(|steps| !steps.is_empty());
        let used = read.iter().any(|name| overlap(id.as_str(), name));
        (!asked).then(|| (id, cursor.key("id").place(), used))
    })
}

fn never_asked(book: &Book) -> Vec<Problem> {
    let read = not_asked(book).filter(|(_, _, used)| *used);
    read.map(|(id, place, _)| {
        Problem::warning(&place, "never-asked", format!("`{id}` is read, but no step asks for it"))
    })
    .collect()
}

fn unused_input(book: &Book) -> Vec<Problem> {
    let idle = not_asked(book).filter(|(_, _, used)| !used);
    idle.map(|(id, place, _)| {
        Problem::warning(&place, "unused-input", format!("nothing asks for `{id}` and nothing reads it"))
    })
    .collect()
}
