//! Templates: texts and scripts with values in them, and trees of them.
//!
//! A text for people is rendered by minijinja as a whole. A script never is: only the expressions between its braces
//! are evaluated, and each value goes into the script quoted, at a place that was proved to be outside quotes when the
//! runbook was read. So there is no filter and no statement that could leave the quoting out.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use super::deciding::deciding;
use super::names::Names;
use super::pieces::{self, Syntax, What};
use super::quote;
use super::render::{self, BadTemplate, Unrendered};
use super::scope::Scope;
use super::script::{self, Part, Script};

/// A text or a script with `{{ values }}` in it.
#[derive(Clone, PartialEq)]
pub struct Template {
    source: String,
    names: Names,
    form: Form,
}

#[derive(Clone, PartialEq)]
enum Form {
    /// No braces at all.
    Plain,
    /// The whole source is one `{{ expression }}`.
    Single(String),
    Text,
    Script(Script),
}

impl Template {
    /// A text.
    pub fn parse(source: &str) -> Result<Self, BadTemplate> {
        let names = render::check_text(source)?;
        let form = match pieces::pieces(source.trim(), Syntax::Full).unwrap_or_default().as_slice() {
            [] => Form::Plain,
            [piece] if piece.what == What::Value => Form::Single(piece.code.trim().to_owned()),
            pieces if pieces.iter().all(|piece| piece.what == What::Text) && !source.contains("{#") => Form::Plain,
            _ => Form::Text,
        };
        Ok(Template { source: source.to_owned(), names, form })
    }

    /// A shell script, in which only `{{ values }}` are read. Every fault, not the first.
    pub fn parse_script(source: &str) -> Result<Self, Vec<BadTemplate>> {
        let from_fault = |fault: script::Fault| BadTemplate {
            offset: fault.offset,
            message: fault.message,
            hint: fault.hint.map(str::to_owned),
        };
        let script = script::parse(source).map_err(|faults| faults.into_iter().map(from_fault).collect::<Vec<_>>())?;
        let mut names = Names::default();
        let mut bad = Vec::new();
        for part in &script.parts {
            if let Part::Value { code, offset, .. } = part {
                match render::check_expression(code, *offset) {
                    Ok(read) => names.merge(&read),
                    Err(error) => bad.push(error),
                }
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(Template { source: source.to_owned(), names, form: Form::Script(script) })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Does it stand for itself, whatever is known?
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.form, Form::Plain)
    }

    /// Is the whole of it one `{{ value }}`?
    pub(super) fn is_one_value(&self) -> bool {
        matches!(self.form, Form::Single(_))
    }

    /// The dotted names it reads: `net.vpc_cidr`, `item.name`.
    pub fn names(&self) -> BTreeSet<String> {
        self.names.all.clone()
    }

    /// The names, and which of them it can do without.
    pub fn reads(&self) -> &Names {
        &self.names
    }

    /// As text for people, or for an argument that is text.
    pub fn text(&self, scope: &Scope) -> Result<String, Unrendered> {
        match self.form {
            Form::Plain => Ok(self.source.clone()),
            Form::Single(_) | Form::Text => render::text(&self.source, &self.names, scope),
            Form::Script(_) => self.shell(scope),
        }
    }

    /// With its type where the whole source is one `{{ expression }}`; else as text. What hangs on something that only a step
    /// tells stands there as it was written.
    pub fn value(&self, scope: &Scope) -> Result<Json, Unrendered> {
        match &self.form {
            Form::Single(code) => told(code, &self.names, scope),
            Form::Text if codes(&self.source).any(|code| is_open(code, scope)) => Ok(as_written(&self.source)),
            _ => self.text(scope).map(Json::String),
        }
    }

    /// As a POSIX shell script, every value quoted. A text that is no safe script is refused.
    pub fn shell(&self, scope: &Scope) -> Result<String, Unrendered> {
        match &self.form {
            Form::Script(script) => assemble(script, &self.names, scope),
            _ => match Template::parse_script(&self.source) {
                Ok(script) => script.shell(scope),
                Err(faults) => {
                    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
                    Err(Unrendered::wrong(messages.join("; ")))
                }
            },
        }
    }
}

/// Does it hang on something that only a step tells?
fn is_open(code: &str, scope: &Scope) -> bool {
    deciding(code).into_iter().any(|(name, indexed)| scope.awaits(name, indexed))
}

fn as_written(code: &str) -> Json {
    Json::String(format!("\u{2039}{}\u{203a}", code.trim()))
}

/// The value of an expression, or the expression where nobody can tell yet which value it will be.
fn told(code: &str, names: &Names, scope: &Scope) -> Result<Json, Unrendered> {
    if is_open(code, scope) { Ok(as_written(code)) } else { render::json(code, names, scope) }
}

/// The code of everything between braces.
fn codes(source: &str) -> impl Iterator<Item = &str> {
    let pieces = pieces::pieces(source, Syntax::Full).unwrap_or_default();
    pieces.into_iter().filter(|piece| piece.what != What::Text).map(|piece| piece.code)
}

fn assemble(script: &Script, names: &Names, scope: &Scope) -> Result<String, Unrendered> {
    let mut text = String::new();
    for part in &script.parts {
        match part {
            Part::Shell(shell) => text.push_str(shell),
            Part::Value { code, whole_word, .. } => {
                let value = told(code, names, scope)?;
                let words = quote::words(&value, *whole_word);
                text.push_str(&words.map_err(|why| Unrendered::wrong(format!("{{{{ {code} }}}} {why}")))?);
            }
        }
    }
    Ok(text)
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.source)
    }
}

/// The arguments of an action: a tree with templates where it has text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Args(pub(super) Vec<(String, Arg)>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arg {
    Template(Template),
    /// A number, a truth value or nothing.
    Fixed(Json),
    List(Vec<Arg>),
    Map(Vec<(String, Arg)>),
}

impl Args {
    /// The arguments with their values.
    pub fn render(&self, scope: &Scope) -> Result<serde_json::Map<String, Json>, Unrendered> {
        render_map(&self.0, scope)
    }

    /// The arguments as far as their values are known, and the names of the others.
    pub fn render_known(&self, scope: &Scope) -> (serde_json::Map<String, Json>, BTreeSet<String>) {
        let (mut known, mut untold) = (serde_json::Map::new(), BTreeSet::new());
        for (key, arg) in &self.0 {
            match arg.render(scope) {
                Ok(value) => drop(known.insert(key.clone(), value)),
                Err(_) => drop(untold.insert(key.clone())),
            }
        }
        (known, untold)
    }

    /// The dotted names that all of them read.
    pub fn names(&self) -> BTreeSet<String> {
        self.reads().all
    }

    /// The names, and which of them they can do without.
    pub fn reads(&self) -> Names {
        let mut names = Names::default();
        self.0.iter().for_each(|(_, arg)| arg.collect(&mut names));
        names
    }

    /// As they were written, whatever their order.
    pub(super) fn sources(&self) -> Json {
        sources(&self.0)
    }

    /// What one argument reads, whatever it is made of.
    pub(super) fn reads_of(&self, key: &str) -> Names {
        let mut names = Names::default();
        self.0.iter().filter(|(name, _)| name == key).for_each(|(_, arg)| arg.collect(&mut names));
        names
    }

    /// The text of an argument that reads nothing.
    pub(super) fn fixed_text(&self, key: &str) -> Option<&str> {
        match self.0.iter().find(|(name, _)| name == key)? {
            (_, Arg::Template(template)) if template.names().is_empty() => Some(template.source()),
            _ => None,
        }
    }

    /// What is named in an argument that is a map.
    pub(super) fn keys_of(&self, key: &str) -> Option<Vec<&str>> {
        match self.0.iter().find(|(name, _)| name == key)? {
            (_, Arg::Map(map)) => Some(map.iter().map(|(name, _)| name.as_str()).collect()),
            _ => None,
        }
    }

    /// The names of the arguments, in the order they were written.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The template of an argument that is text.
    pub fn template(&self, key: &str) -> Option<&Template> {
        self.0.iter().find_map(|(name, arg)| match arg {
            Arg::Template(template) if name == key => Some(template),
            _ => None,
        })
    }
}

fn sources(entries: &[(String, Arg)]) -> Json {
    entries.iter().map(|(key, arg)| (key.clone(), arg.source())).collect()
}

fn render_map(entries: &[(String, Arg)], scope: &Scope) -> Result<serde_json::Map<String, Json>, Unrendered> {
    entries.iter().map(|(key, arg)| Ok((key.clone(), arg.render(scope)?))).collect()
}

impl Arg {
    fn render(&self, scope: &Scope) -> Result<Json, Unrendered> {
        match self {
            Arg::Template(template) => template.value(scope),
            Arg::Fixed(value) => Ok(value.clone()),
            Arg::List(items) => items.iter().map(|item| item.render(scope)).collect::<Result<_, _>>().map(Json::Array),
            Arg::Map(entries) => render_map(entries, scope).map(Json::Object),
        }
    }

    fn source(&self) -> Json {
        match self {
            Arg::Template(template) => Json::from(template.source()),
            Arg::Fixed(value) => value.clone(),
            Arg::List(items) => items.iter().map(Arg::source).collect(),
            Arg::Map(entries) => sources(entries),
        }
    }

    fn collect(&self, names: &mut Names) {
        match self {
            Arg::Template(template) => names.merge(template.reads()),
            Arg::Fixed(_) => {}
            Arg::List(items) => items.iter().for_each(|item| item.collect(names)),
            Arg::Map(entries) => entries.iter().for_each(|(_, arg)| arg.collect(names)),
        }
    }
}
