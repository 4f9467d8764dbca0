//! The template engine as runbooks use it: minijinja, strict about what is missing, with a bound on the work it may do
//! and a few functions of ours.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde_json::Value as Json;

use super::functions;
use super::names::{self, Names, Role, words};
use super::pieces::{self, Syntax, What, line_column};
use super::scope::{Missed, Scope, engine_value};
use crate::text::nearest;

/// Enough for a plan of two hundred subnets, and far below a second.
const FUEL: u64 = 500_000;

/// Why a template has no value now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrendered {
    /// Something it reads is not known yet.
    #[error("{name} is not known yet")]
    Missing { name: String },
    /// It can never be rendered with these values.
    #[error("{message}")]
    Wrong { message: String },
}

impl Unrendered {
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Unrendered::Wrong { message: message.into() }
    }
}

/// What is wrong with the text of a template or an expression, and where: a byte offset into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadTemplate {
    pub offset: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl BadTemplate {
    /// Line and column, both from 1, within the source.
    pub fn line_column(&self, source: &str) -> (usize, usize) {
        line_column(source, self.offset)
    }
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(64);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(format_for_people);
    // Escaping is for HTML; a function that prints everything it can see has no place in a text for customers.
    for name in ["safe", "escape", "e", "pprint"] {
        environment.remove_filter(name);
    }
    for name in ["safe", "escaped"] {
        environment.remove_test(name);
    }
    for name in ["debug", "namespace"] {
        environment.remove_global(name);
    }
    functions::add_to(&mut environment);
    environment
});

static FUNCTIONS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| ENVIRONMENT.globals().map(|(name, _)| name.to_owned()).collect());

/// How a value is written into a text: a list with commas, and nothing at all for a map, whose look nobody chose.
fn format_for_people(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    out.write_str(&shown(value)?).map_err(Error::from)
}

fn shown(value: &Value) -> Result<String, Error> {
    let refuse = |what: &str| Err(Error::new(ErrorKind::InvalidOperation, format!("{what} cannot stand in a text")));
    match value.kind() {
        ValueKind::Bool => Ok(value.is_true().to_string()),
        // Plain is what stands for a value that nobody knows yet.
        ValueKind::Number | ValueKind::String | ValueKind::Plain => Ok(value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Result<Vec<String>, Error> = value.try_iter()?.map(|item| shown(&item)).collect();
            Ok(items?.join(", "))
        }
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => refuse("an empty value (null)"),
        ValueKind::Map => refuse("a map"),
        _ => refuse("this value"),
    }
}

/// Checks a text with `{{ }}`, `{% %}` and `{# #}` in it, and tells what it reads.
pub(super) fn check_text(source: &str) -> Result<Names, BadTemplate> {
    let cut = pieces::pieces(source, Syntax::Full).map_err(|unclosed| BadTemplate {
        offset: unclosed.0,
        message: "a brace is not closed".to_owned(),
        hint: None,
    })?;
    for piece in cut.iter().filter(|piece| piece.what != What::Text) {
        readable(piece.code, piece.offset)?;
    }
    let template = ENVIRONMENT.template_from_str(source).map_err(|error| bad(error, source, 0))?;
    for piece in cut.iter().filter(|piece| piece.what != What::Text) {
        known_words(piece.code, piece.offset)?;
    }
    let codes = cut.iter().filter(|piece| piece.what != What::Text).map(|piece| piece.code);
    Ok(Names::new(template.undeclared_variables(true), &FUNCTIONS, codes))
}

/// Checks one expression, which begins at `offset` of some source, and tells what it reads.
pub(super) fn check_expression(code: &str, offset: usize) -> Result<Names, BadTemplate> {
    readable(code, offset)?;
    let expression = ENVIRONMENT.compile_expression(code).map_err(|error| bad(error, code, offset))?;
    known_words(code, offset)?;
    Ok(Names::new(expression.undeclared_variables(true), &FUNCTIONS, [code]))
}

/// What no code has outside of quotes. minijinja (3.1) drops a character that it cannot read where text in quotes stands before
/// it, and all that follows: a condition would hold with half of it left out. And two texts side by side are one to it, where a
/// comma was meant.
fn readable(code: &str, offset: usize) -> Result<(), BadTemplate> {
    let bad = |at: usize, message: String, hint: &str| {
        Err(BadTemplate { offset: offset + at, message, hint: Some(hint.to_owned()) })
    };
    let mut after_text = false;
    for (at, piece) in names::lexed(code) {
        let is_text = piece.starts_with(['"', '\'']);
        if is_text && after_text {
            return bad(
                at,
                "two texts stand side by side".to_owned(),
                "put a comma between them, or `~` to make them one",
            );
        }
        after_text = is_text;
        let is_known = |c: char| c.is_ascii_alphanumeric() || "_().[]{},:|+-*/%~=<>".contains(c);
        let unequal = code[at..].starts_with("!=");
        if !(is_text || unequal || piece.chars().all(is_known)) {
            let hint = match piece {
                "&" => "write `and`",
                "!" => "write `not`",
                _ => "text stands in quotes",
            };
            return bad(at, format!("`{piece}` means nothing here"), hint);
        }
    }
    Ok(())
}

/// minijinja finds an unknown filter or test only when it comes to it; a runbook's author wants to know before.
fn known_words(code: &str, offset: usize) -> Result<(), BadTemplate> {
    for word in words(code) {
        let (what, known): (_, Vec<&str>) = match word.role {
            Role::Name => continue,
            Role::Filter => ("filter", functions::FILTERS.to_vec()),
            Role::Test => ("test", functions::TESTS.to_vec()),
            Role::Function => ("function", FUNCTIONS.iter().map(String::as_str).collect()),
        };
        if !known.contains(&word.text) {
            let hint = nearest(word.text, known).map(|meant| format!("did you mean `{meant}`?"));
            let message = format!("there is no {what} called `{}`", word.text);
            return Err(BadTemplate { offset: offset + word.start, message, hint });
        }
    }
    Ok(())
}

fn bad(error: Error, source: &str, offset: usize) -> BadTemplate {
    let within = error.range().map_or(0, |range| range.start).min(source.len());
    let message = error.detail().unwrap_or("this cannot be read").to_owned();
    let rest = source.get(within..).unwrap_or_default();
    let hint = (rest.starts_with('=') && !rest.starts_with("==")).then(|| "compare with `==`".to_owned());
    BadTemplate { offset: offset + within, message, hint }
}

#[cfg(test)]
pub(super) fn exists(question: &str) -> bool {
    ENVIRONMENT
        .compile_expression(question)
        .and_then(|expression| expression.eval(()))
        .is_ok_and(|answer| answer.is_true())
}

/// The text with its values in it.
pub(super) fn text(source: &str, names: &Names, scope: &Scope) -> Result<String, Unrendered> {
    let missed = Missed::default();
    let known = engine_value(scope, names, &missed);
    ENVIRONMENT.render_str(source, known).map_err(|error| unrendered(&error, names, &missed))
}

/// The value of one expression.
pub(super) fn evaluate(code: &str, names: &Names, scope: &Scope) -> Result<Value, Unrendered> {
    let missed = Missed::default();
    let known = engine_value(scope, names, &missed);
    let expression = ENVIRONMENT.compile_expression(code).map_err(|error| Unrendered::wrong(said(&error)))?;
    let value = expression.eval(known).map_err(|error| unrendered(&error, names, &missed))?;
    match value.kind() {
        ValueKind::Undefined => Err(missing(names, &missed)),
        ValueKind::Invalid => Err(Unrendered::wrong("this has no value")),
        _ => Ok(value),
    }
}

/// As [`evaluate`], as JSON.
pub(super) fn json(code: &str, names: &Names, scope: &Scope) -> Result<Json, Unrendered> {
    let value = evaluate(code, names, scope)?;
    serde_json::to_value(&value).map_err(|error| Unrendered::wrong(format!("this value cannot be kept: {error}")))
}

fn unrendered(error: &Error, names: &Names, missed: &Missed) -> Unrendered {
    if error.kind() == ErrorKind::UndefinedError { missing(names, missed) } else { Unrendered::wrong(said(error)) }
}

/// The name that was missed. Where only a map on the way to it is missing, the name in the template says what is wanted.
fn missing(names: &Names, missed: &Missed) -> Unrendered {
    let Some(name) = missed.last() else {
        return Unrendered::wrong("it reads something that the value before it does not have");
    };
    let below = format!("{name}.");
    let wanted = names.all.iter().find(|read| read.starts_with(&below));
    Unrendered::Missing { name: wanted.unwrap_or(&name).clone() }
}

fn said(error: &Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too much work".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    }
}
