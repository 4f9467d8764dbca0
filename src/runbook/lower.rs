//! From what the YAML looks like to what the program uses. Everything that can be told from one file is checked here.

mod questions;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use super::catalog::Catalog;
use super::expr::Expr;
use super::file;
use super::model::{Field, HostTemplate, Manual, Party, Phase, Save, Shell, Step, StepId, UndoUntil, WaitsOn, Work};
use super::place::Cursor;
use super::problem::Problem;
use super::render::BadTemplate;
use super::script::leaves_plain;
use super::template::{Arg, Args, Template};
use crate::input::{Choice, Column, InputId, Kind, KindParams};
use crate::text::read_duration;

/// Long enough for a package to be installed.
const LIMIT: Duration = Duration::from_secs(300);
/// The longest time that `within` and `limit` may give.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// The model of a file with something to complain about.
pub(super) struct Lowering<'c> {
    pub catalog: &'c Catalog,
    pub problems: Vec<Problem>,
    /// Of the phase that is being lowered.
    pub library: String,
}

/// A node of the model, and where it stands.
pub(super) type At<'a, T> = (T, Cursor<'a>);

impl Lowering<'_> {
    fn error(&mut self, cursor: &Cursor, rule: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::error(&cursor.place(), rule, message));
    }

    fn bad(&mut self, cursor: &Cursor, rule: &'static str, source: &str, bad: BadTemplate) {
        let (line, column) = bad.line_column(source);
        let problem = Problem::error(&cursor.within(line, column), rule, bad.message);
        self.problems.push(match bad.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }

    fn template(&mut self, cursor: &Cursor, source: &str) -> Option<Template> {
        Template::parse(source).map_err(|bad| self.bad(cursor, "template", source, bad)).ok()
    }

    fn optional_template(&mut self, cursor: &Cursor, source: Option<&String>) -> Option<Template> {
        source.and_then(|source| self.template(cursor, source))
    }

    fn script(&mut self, cursor: &Cursor, source: Option<&String>) -> Option<Template> {
        let source = source?;
        let faults = match Template::parse_script(source) {
            Ok(template) => return Some(template),
            Err(faults) => faults,
        };
        faults.into_iter().for_each(|fault| self.bad(cursor, "script", source, fault));
        None
    }

    /// Functions are the same for every customer: a value in them would be a value that no plan shows at its step. And a
    /// script is proved by itself, so what comes before it must not leave it inside quotes.
    fn library(&mut self, cursor: &Cursor, source: Option<&String>) -> String {
        let Some(template) = self.script(cursor, source) else { return String::new() };
        if let Some(name) = template.names().first() {
            let message = format!("`{name}` cannot stand in a library; give it to the function as an argument");
            self.error(cursor, "library-value", message);
        } else if let Err(why) = leaves_plain(template.source()) {
            self.error(cursor, "library-value", format!("a script after this library would have {why}"));
        }
        template.source().to_owned()
    }

    fn expr(&mut self, cursor: &Cursor, source: Option<&String>) -> Option<Expr> {
        let source = source?;
        Expr::parse(source).map_err(|bad| self.bad(cursor, "expression", source, bad)).ok()
    }

    /// An id of the runbook, a phase or a step.
    pub fn id(&mut self, cursor: &Cursor, id: &str) {
        let good = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !good {
            let message = format!("`{id}` is no id: it has lower-case letters, digits and hyphens, a letter first");
            self.error(cursor, "id-shape", message);
        }
    }

    fn input_id(&mut self, cursor: &Cursor, id: &str) -> Option<InputId> {
        id.parse().map_err(|refusal: crate::input::Refusal| self.error(cursor, "input-id", refusal.to_string())).ok()
    }

    pub fn field<'a>(&mut self, cursor: Cursor<'a>, input: &file::Input) -> Option<At<'a, Field>> {
        let params = KindParams {
            choices: input.choices.iter().flatten().map(choice).collect(),
            min: input.min,
            max: input.max,
            min_prefix: input.min_prefix,
            max_prefix: input.max_prefix,
            used_as: input.used_as.clone(),
            of: input.of.clone(),
            columns: self.columns(&cursor.key("columns"), input.columns.as_deref().unwrap_or_default()),
        };
        let kind = Kind::named(&input.kind, &params)
            .map_err(|message| self.error(&cursor.key("kind"), "input-kind", message))
            .ok();
        let default = scalar(input.default.as_ref());
        let field = Field {
            id: self.input_id(&cursor.key("id"), &input.id)?,
            label: input.label.clone(),
            help: input.help.clone().unwrap_or_default(),
            kind: kind?,
            default: self.optional_template(&cursor.key("default"), default.as_ref()),
            known: self.optional_template(&cursor.key("known"), input.known.as_ref()),
            example: scalar(input.example.as_ref()).unwrap_or_default(),
            when: self.expr(&cursor.key("when"), input.when.as_ref()),
            optional: input.optional.unwrap_or(input.required_when.is_some()),
            required_when: self.expr(&cursor.key("required_when"), input.required_when.as_ref()),
            asked_in: input.asked_in.clone(),
            answered_by: self.answered_by(&cursor.key("answered_by"), input.answered_by.as_ref()),
            place: cursor.place(),
        };
        Some((field, cursor))
    }

    /// The columns of a table; one whose kind is wrong is left out, and said.
    fn columns(&mut self, cursor: &Cursor, columns: &[file::Column]) -> Vec<Column> {
        let mut lowered = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let params = KindParams {
                choices: column.choices.iter().flatten().map(choice).collect(),
                min: column.min,
                max: column.max,
                used_as: column.used_as.clone(),
                ..KindParams::default()
            };
            match Kind::named(&column.kind, &params) {
                Ok(kind) => {
                    lowered.push(Column { name: column.name.clone(), kind, optional: column.optional.unwrap_or(false) })
                }
                Err(message) => self.error(&cursor.item(index).key("kind"), "input-kind", message),
            }
        }
        lowered
    }

    fn answered_by(&mut self, cursor: &Cursor, person: Option<&String>) -> Option<String> {
        let person = person?;
        self.id(cursor, person);
        Some(person.clone())
    }

    pub fn host<'a>(&mut self, cursor: Cursor<'a>, host: &file::Host) -> Option<At<'a, HostTemplate>> {
        let port = scalar(host.port.as_ref());
        let name = self.template(&cursor.key("name"), &host.name);
        let address = self.template(&cursor.key("address"), &host.address);
        let template = HostTemplate {
            when: self.expr(&cursor.key("when"), host.when.as_ref()),
            for_each: self.expr(&cursor.key("for_each"), host.for_each.as_ref()),
            port: self.optional_template(&cursor.key("port"), port.as_ref()),
            user: self.optional_template(&cursor.key("user"), host.user.as_ref()),
            key: self.optional_template(&cursor.key("key"), host.key.as_ref()),
            via: self.optional_template(&cursor.key("via"), host.via.as_ref()),
            sudo: self.secret(&cursor.key("sudo"), "sudo", host.sudo.as_ref()),
            known_as: self.optional_template(&cursor.key("known_as"), host.known_as.as_ref()),
            fingerprints: self.optional_template(&cursor.key("fingerprints"), host.fingerprints.as_ref()),
            hop: host.hop.unwrap_or(false),
            name: name?,
            address: address?,
            place: cursor.place(),
        };
        Some((template, cursor))
    }

    /// The phase of a file, and its steps with their places.
    pub fn phase<'a>(&mut self, root: &Cursor<'a>, id: &str, file: &file::File) -> (Phase, Vec<At<'a, Step>>) {
        self.id(&root.key("phase"), id);
        self.library = self.library(&root.key("library"), file.library.as_ref());
        let steps = root.key("steps");
        let lowered = file.steps.iter().flatten().enumerate();
        let steps = lowered.filter_map(|(index, step)| self.step(steps.item(index), id, step)).collect();
        let phase = Phase {
            id: id.to_owned(),
            title: file.title.clone().unwrap_or_else(|| id.to_owned()),
            why: file.why.clone().unwrap_or_default(),
            steps: Vec::new(),
        };
        (phase, steps)
    }

    fn step<'a>(&mut self, cursor: Cursor<'a>, phase: &str, step: &file::Step) -> Option<At<'a, Step>> {
        self.id(&cursor.key("id"), &step.id);
        let work = self.work(&cursor, step);
        self.stray_keys(&cursor, step);
        let lowered = Step {
            id: StepId::new(phase, &step.id),
            was: self.was(&cursor, step),
            title: step.title.clone(),
            why: step.why.clone().unwrap_or_default(),
            owner: step.owner.unwrap_or(Party::Operator),
            when: self.expr(&cursor.key("when"), step.when.as_ref()),
            for_each: self.expr(&cursor.key("for_each"), step.for_each.as_ref()),
            needs: step.needs.iter().flatten().map(|need| step_id(phase, need)).collect(),
            gate: step.gate.unwrap_or_default(),
            until: step.until.as_ref().map(|until| step_id(phase, until)),
            waits_on: self.waits_on(&cursor, step, work.as_ref()),
            saves: self.saves(&cursor, step),
            cost: step.cost.clone(),
            breaks: step.breaks.clone(),
            no_undo: step.no_undo.clone(),
            takes_back: work.as_ref().and_then(|work| takes_back(work, self.catalog)),
            undo_until: self.undo_until(&cursor.key("undo_until"), step.undo_until.as_ref()),
            within: self.duration(&cursor.key("within"), step.within.as_ref()),
            diagnosis: step.diagnosis.clone(),
            place: cursor.place(),
            work: work?,
        };
        Some((lowered, cursor))
    }

    fn undo_until(&mut self, cursor: &Cursor, said: Option<&String>) -> UndoUntil {
        match said.map(String::as_str) {
            None | Some("unused") => UndoUntil::Unused,
            Some("always") => UndoUntil::Always,
            Some(_) => self.duration(cursor, said).map_or(UndoUntil::Unused, UndoUntil::Within),
        }
    }

    /// Exactly one of the kinds of work.
    fn work(&mut self, cursor: &Cursor, step: &file::Step) -> Option<Work> {
        let has: Vec<&str> = works(step).into_iter().filter_map(|(key, there)| there.then_some(key)).collect();
        if has.len() != 1 {
            let number = match has.len() {
                0 => "none".to_owned(),
                2 => "two".to_owned(),
                more => more.to_string(),
            };
            let message = format!("a step has one of {}; this one has {number}", WORKS);
            let place = has.get(1).map_or_else(|| cursor.place(), |second| cursor.key_place(second));
            self.problems.push(Problem::error(&place, "one-work", message));
            return None;
        }
        if let Some(inputs) = &step.form {
            let list = cursor.key("form");
            let ids = inputs.iter().enumerate().filter_map(|(index, id)| self.input_id(&list.item(index), id));
            return Some(Work::Form(ids.collect()));
        }
        if let Some(input) = &step.choice {
            return self.input_id(&cursor.key("choice"), input).map(Work::Choice);
        }
        if let Some(ask) = &step.manual {
            return Some(Work::Manual(Manual { ask: self.template(&cursor.key("manual"), ask)? }));
        }
        if let Some(shell) = &step.shell {
            return self.shell(cursor, step, shell).map(Work::Shell);
        }
        let kinds = [("aws", &step.aws), ("os", &step.os), ("probe", &step.probe)];
        let (key, kind) = kinds.into_iter().find_map(|(key, kind)| Some((key, kind.as_ref()?)))?;
        let saves = step.saves.iter().flat_map(BTreeMap::keys);
        Some(self.kind(cursor, (key, kind), step.with.as_ref(), saves))
    }

    /// The use of a kind of action: what it takes, and whether it gives what is kept of it.
    fn kind<'s>(
        &mut self,
        cursor: &Cursor,
        (key, kind): (&str, &str),
        with: Option<&serde_yaml::Mapping>,
        saves: impl Iterator<Item = &'s String>,
    ) -> Work {
        let with = self.args(&cursor.key("with"), &format!("{key}/{kind}"), with);
        self.problems.extend(self.catalog.check(cursor, (key, kind), &with, saves));
        let kind = format!("{key}/{kind}");
        let secrets: Vec<String> = self.catalog.secrets(&kind).map(str::to_owned).collect();
        for name in with.keys().filter(|key| secrets.iter().any(|secret| secret == key)) {
            self.one_secret(&cursor.key("with").key(name), name, with.template(name));
        }
        let once = self.catalog.once(&kind).map(str::to_owned).collect();
        let by_hand = self.catalog.by_hand(&kind).map(str::to_owned).collect();
        Work::Kind { kind, with, secrets, once, by_hand }
    }

    fn shell(&mut self, cursor: &Cursor, step: &file::Step, shell: &file::Shell) -> Option<Shell> {
        let scripts = cursor.key("shell");
        if shell.run.is_none() && (shell.check.is_none() || shell.then.is_some()) {
            let message = "a shell step needs `run`, or `check` and no `then` when it changes nothing";
            self.problems.push(Problem::error(&cursor.key_place("shell"), "nothing-to-run", message));
        }
        let host = match &step.host {
            Some(host) => self.template(&cursor.key("host"), host),
            None => {
                let message = "`host` is missing: `shell` runs on a host";
                self.problems.push(Problem::error(&cursor.key_place("shell"), "missing-key", message));
                None
            }
        };
        let limit = self.duration(&cursor.key("limit"), step.limit.as_ref());
        let scripts = Shell {
            library: self.library.clone(),
            sudo: step.sudo.unwrap_or(true),
            check: self.script(&scripts.key("check"), shell.check.as_ref()),
            run: self.script(&scripts.key("run"), shell.run.as_ref()),
            then: self.script(&scripts.key("then"), shell.then.as_ref()),
            verify: self.script(&scripts.key("verify"), shell.verify.as_ref()),
            undo: self.script(&scripts.key("undo"), shell.undo.as_ref()),
            stdin: self.secret(&scripts.key("stdin"), "stdin", shell.stdin.as_ref()),
            limit: limit.unwrap_or(LIMIT),
            host: host?,
        };
        Some(scripts)
    }

    fn secret(&mut self, cursor: &Cursor, what: &str, source: Option<&String>) -> Option<Template> {
        let template = self.optional_template(cursor, source)?;
        self.one_secret(cursor, what, Some(&template));
        Some(template)
    }

    /// Anything around the value would be a secret's neighbour in a text that somebody prints; and a secret itself does
    /// not stand in a runbook.
    fn one_secret(&mut self, cursor: &Cursor, what: &str, given: Option<&Template>) {
        if !given.is_some_and(Template::is_one_value) {
            let message = format!("`{what}` is one secret and nothing else, as in \"{{{{ smtp.password }}}}\"");
            self.error(cursor, "secret-stdin", message);
        }
    }

    /// Keys that mean nothing beside the work that the step has.
    fn stray_keys(&mut self, cursor: &Cursor, step: &file::Step) {
        let action = step.aws.is_some() || step.os.is_some() || step.probe.is_some();
        let asks_somebody = step.waits_on.is_some() || others_sign(step).is_some();
        for (key, there, belongs, to) in [
            ("host", step.host.is_some(), step.shell.is_some(), "shell"),
            ("sudo", step.sudo.is_some(), step.shell.is_some(), "shell"),
            ("limit", step.limit.is_some(), step.shell.is_some(), "shell"),
            ("with", step.with.is_some(), action, "aws`, `os` or `probe"),
            ("saves", step.saves.is_some(), action || step.shell.is_some(), "aws`, `os`, `probe` or `shell"),
            ("ask", step.ask.is_some(), step.waits_on.is_some(), "waits_on"),
            ("who", step.who.is_some(), asks_somebody, "waits_on"),
            ("due", step.due.is_some(), asks_somebody, "waits_on"),
        ] {
            if there && !belongs {
                let message = format!("`{key}` goes with `{to}`, which this step has not");
                self.problems.push(Problem::error(&cursor.key_place(key), "stray-key", message));
            }
        }
    }

    /// On whom it waits. What somebody else has to do and sign off waits on them, too, and its text is what they are asked.
    fn waits_on(&mut self, cursor: &Cursor, step: &file::Step, work: Option<&Work>) -> Option<WaitsOn> {
        let (party, ask) = match (step.waits_on, &step.ask, work) {
            (Some(party), Some(ask), _) => (party, self.template(&cursor.key("ask"), ask)?),
            (Some(_), None, _) => {
                let message = "`ask` is missing: whom a step waits on must be told what to do";
                self.problems.push(Problem::error(&cursor.key_place("waits_on"), "missing-key", message));
                return None;
            }
            (None, _, Some(Work::Manual(manual))) => (others_sign(step)?, manual.ask.clone()),
            (None, _, _) => return None,
        };
        let who = self.optional_template(&cursor.key("who"), step.who.as_ref());
        Some(WaitsOn { party, who, ask, due: self.time(&cursor.key("due"), step.due.as_ref(), Duration::MAX) })
    }

    fn was(&mut self, cursor: &Cursor, step: &file::Step) -> Vec<StepId> {
        let written = cursor.key("was");
        let names: Vec<(Cursor, &str)> = match &step.was {
            Some(serde_yaml::Value::String(one)) => vec![(written, one)],
            Some(serde_yaml::Value::Sequence(list)) => {
                let named = list.iter().enumerate();
                named.filter_map(|(index, name)| Some((written.item(index), name.as_str()?))).collect()
            }
            _ => Vec::new(),
        };
        let mut was = Vec::new();
        for (cursor, name) in names {
            match name.split_once('/') {
                Some((phase, step)) => {
                    self.id(&cursor, phase);
                    self.id(&cursor, step);
                    was.push(StepId(name.to_owned()));
                }
                None => self.error(&cursor, "was", format!("`{name}` is no address: write `phase/step`")),
            }
        }
        was
    }

    fn saves(&mut self, cursor: &Cursor, step: &file::Step) -> Vec<Save> {
        let saves = cursor.key("saves");
        let mut kept = Vec::new();
        for (from, to) in step.saves.iter().flatten() {
            if let Some(shell) = &step.shell {
                let wrong = match (from.as_str(), shell.check.is_some() || shell.verify.is_some()) {
                    ("stdout", true) => None,
                    ("stdout", false) => {
                        Some("`stdout` is what `check` or `verify` writes, and there is neither".to_owned())
                    }
                    _ => Some(format!("a script gives no `{from}`, only `stdout`")),
                };
                wrong.into_iter().for_each(|wrong| self.error(&saves.key(from), "unknown-result", wrong));
            }
            // Saved values and inputs live under the same dotted names.
            if self.input_id(&saves.key(from), to).is_some() {
                kept.push(Save { from: from.clone(), to: to.clone() });
            }
        }
        kept
    }

    fn duration(&mut self, cursor: &Cursor, text: Option<&String>) -> Option<Duration> {
        self.time(cursor, text, LONGEST)
    }

    fn time(&mut self, cursor: &Cursor, text: Option<&String>, longest: Duration) -> Option<Duration> {
        let text = text?;
        let read = read_duration(text).filter(|time| *time <= longest);
        if read.is_none() {
            let most = if longest == LONGEST { "a week" } else { "a year" };
            let message = format!("`{text}` is no time: write `90s`, `10m`, `1h` or `3 days`, up to {most}");
            self.error(cursor, "duration", message);
        }
        read
    }

    /// The arguments of a kind. One that is a script is read as one, so that its values are quoted.
    fn args(&mut self, cursor: &Cursor, kind: &str, with: Option<&serde_yaml::Mapping>) -> Args {
        let catalog = self.catalog;
        let specs = catalog.kinds.get(kind).map(|spec| spec.args.as_slice()).unwrap_or_default();
        let is_script = |key: &str| specs.iter().any(|spec| spec.script && spec.name == key);
        let mut args = Vec::new();
        for (key, value) in with.into_iter().flatten() {
            let key = scalar(Some(key)).unwrap_or_default();
            let at = cursor.key(&key);
            let arg = match value {
                serde_yaml::Value::String(text) if is_script(&key) => self.script(&at, Some(text)).map(Arg::Template),
                value => self.arg(&at, value),
            };
            args.extend(arg.map(|arg| (key, arg)));
        }
        Args(args)
    }

    fn arg_map(&mut self, cursor: &Cursor, map: &serde_yaml::Mapping) -> Vec<(String, Arg)> {
        let mut args = Vec::new();
        for (key, value) in map {
            let key = scalar(Some(key)).unwrap_or_default();
            if let Some(arg) = self.arg(&cursor.key(&key), value) {
                args.push((key, arg));
            }
        }
        args
    }

    fn arg(&mut self, cursor: &Cursor, value: &serde_yaml::Value) -> Option<Arg> {
        match value {
            serde_yaml::Value::String(text) => self.template(cursor, text).map(Arg::Template),
            serde_yaml::Value::Sequence(items) => {
                let items = items.iter().enumerate();
                Some(Arg::List(items.filter_map(|(index, item)| self.arg(&cursor.item(index), item)).collect()))
            }
            serde_yaml::Value::Mapping(map) => Some(Arg::Map(self.arg_map(cursor, map))),
            fixed => serde_json::to_value(fixed).ok().or(Some(Json::Null)).map(Arg::Fixed),
        }
    }
}

const WORKS: &str = "`form`, `choice`, `manual`, `shell`, `aws`, `os` and `probe`";

fn works(step: &file::Step) -> [(&'static str, bool); 7] {
    [
        ("form", step.form.is_some()),
        ("choice", step.choice.is_some()),
        ("manual", step.manual.is_some()),
        ("shell", step.shell.is_some()),
        ("aws", step.aws.is_some()),
        ("os", step.os.is_some()),
        ("probe", step.probe.is_some()),
    ]
}

/// Who does a step that a person signs off, where it is not us.
fn others_sign(step: &file::Step) -> Option<Party> {
    step.owner.filter(|owner| step.manual.is_some() && *owner != Party::Operator)
}

fn step_id(phase: &str, written: &str) -> StepId {
    if written.contains('/') { StepId(written.to_owned()) } else { StepId::new(phase, written) }
}

fn scalar(value: Option<&serde_yaml::Value>) -> Option<String> {
    match value? {
        serde_yaml::Value::String(text) => Some(text.clone()),
        serde_yaml::Value::Number(number) => Some(number.to_string()),
        serde_yaml::Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn choice(written: &serde_yaml::Value) -> Choice {
    let part = |key: &str| scalar(written.get(key));
    let value = scalar(Some(written)).or_else(|| part("value")).unwrap_or_default();
    Choice { label: part("label").unwrap_or_else(|| value.clone()), value }
}

/// Is there an undo? Nothing where the work changes nothing.
fn takes_back(work: &Work, catalog: &Catalog) -> Option<bool> {
    match work {
        Work::Shell(shell) => shell.run.is_some().then_some(shell.undo.is_some()),
        Work::Kind { kind, .. } => {
            let spec = catalog.kinds.get(kind)?;
            spec.mutates.then_some(spec.has_undo)
        }
        Work::Form(_) | Work::Choice(_) | Work::Manual(_) => None,
    }
}
