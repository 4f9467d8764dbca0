//! Holds a YAML file against the schema of [`super::file`]: every unknown key, every missing key and every value of the
//! wrong type, each with its place. serde_yaml alone would stop at the first.

use std::sync::LazyLock;

use marked_yaml::Node;
use marked_yaml::types::MarkedScalarNode;
use serde_json::Value as Json;

use super::file::File;
use super::place::Cursor;
use super::problem::Problem;
use crate::text::{clean, clip, either};

static SCHEMA: LazyLock<Json> = LazyLock::new(|| schemars::schema_for!(File).to_value());

/// The JSON Schema of one file.
pub(super) fn schema() -> &'static Json {
    &SCHEMA
}

/// Everything in the file that has not the right shape.
pub(super) fn check(root: &Cursor) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_node(root, &SCHEMA, &mut problems);
    problems
}

fn check_node(cursor: &Cursor, schema: &'static Json, problems: &mut Vec<Problem>) {
    let schema = resolve(schema);
    let Some(node) = cursor.node() else { return };
    if let Some(words) = words(schema) {
        return check_word(cursor, node, &words, problems);
    }
    let types = types(schema);
    let found = kinds(node);
    if !types.is_empty() && !found.iter().any(|kind| types.contains(kind)) {
        // An optional key with nothing after it is most often forgotten, so null is not offered.
        let message = format!("expected {}, found {}", expected(&types), said(node));
        problems.push(Problem::error(&cursor.place(), "wrong-type", message));
        return;
    }
    match node {
        Node::Mapping(_) => check_map(cursor, schema, problems),
        Node::Sequence(list) => {
            if let Some(items) = schema.get("items") {
                (0..list.len()).for_each(|index| check_node(&cursor.item(index), items, problems));
            }
        }
        Node::Scalar(_) => {}
    }
}

fn check_map(cursor: &Cursor, schema: &'static Json, problems: &mut Vec<Problem>) {
    let properties = schema.get("properties").and_then(Json::as_object);
    let known: Vec<&str> = properties.map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
    let extra = schema.get("additionalProperties");
    for (key, place) in cursor.keys() {
        match properties.and_then(|map| map.get(key)) {
            Some(inner) => check_node(&cursor.key(key), inner, problems),
            None if extra == Some(&Json::Bool(false)) => {
                let problem = Problem::error(&place, "unknown-key", format!("there is no key `{key}` here"));
                problems.push(problem.nearest(key, known.iter().copied()));
            }
            None => {
                if let Some(inner) = extra {
                    check_node(&cursor.key(key), inner, problems);
                }
            }
        }
    }
    let required = schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    for key in required {
        if cursor.key(key).node().is_none() || !cursor.keys().iter().any(|(found, _)| *found == key) {
            problems.push(Problem::error(&cursor.place(), "missing-key", format!("`{key}` is missing")));
        }
    }
}

fn check_word(cursor: &Cursor, node: &Node, words: &[&str], problems: &mut Vec<Problem>) {
    let written = node.as_scalar().map(|scalar| scalar.as_str());
    if written.is_some_and(|written| words.contains(&written)) {
        return;
    }
    let message = format!("expected {}, found {}", either(words), said(node));
    problems.push(
        Problem::error(&cursor.place(), "wrong-type", message).nearest(written.unwrap_or(""), words.iter().copied()),
    );
}

/// Follows references, and takes the one real alternative of what may also be null.
fn resolve(schema: &'static Json) -> &'static Json {
    if let Some(name) = schema.get("$ref").and_then(Json::as_str).and_then(|reference| reference.rsplit('/').next())
        && let Some(found) = SCHEMA.get("$defs").and_then(|definitions| definitions.get(name))
    {
        return resolve(found);
    }
    let real = |alternative: &&Json| alternative.get("type") != Some(&Json::String("null".to_owned()));
    let alternatives = schema.get("anyOf").and_then(Json::as_array);
    match alternatives.and_then(|alternatives| alternatives.iter().find(real)) {
        Some(alternative) => resolve(alternative),
        None => schema,
    }
}

fn words(schema: &Json) -> Option<Vec<&str>> {
    let listed = schema.get("enum").and_then(Json::as_array);
    listed.map(|words| words.iter().filter_map(Json::as_str).collect())
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one.as_str()],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).filter(|one| *one != "null").collect(),
        _ => Vec::new(),
    }
}

fn expected(types: &[&str]) -> String {
    let said: Vec<&str> = types
        .iter()
        .map(|one| match *one {
            "string" => "text",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "keys and values",
            other => other,
        })
        .collect();
    either(&said)
}

/// The types that a node can be read as. A number can be read as text, too.
fn kinds(node: &Node) -> Vec<&'static str> {
    match node {
        Node::Mapping(_) => vec!["object"],
        Node::Sequence(_) => vec!["array"],
        Node::Scalar(scalar) if is_null(scalar) => vec!["null"],
        Node::Scalar(scalar) if scalar.may_coerce() && is_boolean(scalar.as_str()) => vec!["boolean", "string"],
        Node::Scalar(scalar) if scalar.may_coerce() && scalar.as_str().parse::<i64>().is_ok() => {
            vec!["integer", "number", "string"]
        }
        Node::Scalar(scalar) if scalar.may_coerce() && scalar.as_str().parse::<f64>().is_ok() => {
            vec!["number", "string"]
        }
        Node::Scalar(_) => vec!["string"],
    }
}

fn is_null(scalar: &MarkedScalarNode) -> bool {
    scalar.may_coerce() && matches!(scalar.as_str(), "" | "~" | "null" | "Null" | "NULL")
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

fn said(node: &Node) -> String {
    match node {
        Node::Mapping(_) => "keys and values".to_owned(),
        Node::Sequence(_) => "a list".to_owned(),
        Node::Scalar(scalar) if is_null(scalar) => "nothing".to_owned(),
        Node::Scalar(scalar) => {
            let text = clip(&clean(scalar.as_str().as_bytes()), 40);
            format!("`{text}`")
        }
    }
}
