//! JSON Schemas: of a file of a runbook, and of the answers to one. Editors complete and check with them.

use serde_json::{Map, Value as Json, json};

use super::model::{Field, Runbook, Work};
use super::shape;
use crate::input::Kind;

/// The schema of one file of a runbook.
pub fn runbook_schema() -> Json {
    shape::schema().clone()
}

/// The schema of a file of answers to a runbook: one key for each input, and the sign-offs.
pub fn answers_schema(runbook: &Runbook) -> Json {
    let mut properties: Map<String, Json> =
        runbook.fields.values().map(|field| (field.id.to_string(), answer(field))).collect();
    let signed: Vec<String> = runbook
        .steps()
        .filter(|step| matches!(step.work, Work::Manual(_)))
        .map(|step| format!("^{}(\\[.+\\])?$", step.id))
        .collect();
    let notes: Map<String, Json> = signed.into_iter().map(|pattern| (pattern, json!({ "type": "string" }))).collect();
    properties.insert(
        "sign_off".to_owned(),
        json!({
            "type": "object",
            "description": "Steps that a person does, by address, with a note: who did or saw it.",
            "patternProperties": notes,
            "additionalProperties": false,
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Answers for {}", runbook.title),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn answer(field: &Field) -> Json {
    let description = format!("{} {}", field.help.trim(), field.kind.describe());
    let mut schema = json!({ "title": field.label, "description": description.trim() });
    if !field.example.is_empty() {
        schema["examples"] = json!([field.example]);
    }
    let values =
        |choices: &[crate::input::Choice]| choices.iter().map(|choice| choice.value.clone()).collect::<Vec<_>>();
    match &field.kind {
        Kind::Choice(choices) => schema["enum"] = json!(values(choices)),
        Kind::Choices(choices, _) => {
            schema["type"] = json!(["string", "array"]);
            schema["items"] = json!({ "enum": values(choices) });
        }
        Kind::YesNo => schema["type"] = json!(["boolean", "string"]),
        Kind::Number(bounds) => {
            schema["type"] = json!(["integer", "string"]);
            schema["minimum"] = json!(bounds.min);
            schema["maximum"] = json!(bounds.max);
        }
        Kind::Port | Kind::SshPort | Kind::Asn(_) => schema["type"] = json!(["integer", "string"]),
        Kind::Tags => schema["type"] = json!(["string", "array", "object"]),
        Kind::Prose(..) | Kind::Certificates(_) | Kind::PgpKey => schema["type"] = json!("string"),
        kind if kind.has_many_lines() || matches!(kind, Kind::Zones(_)) => schema["type"] = json!(["string", "array"]),
        _ => schema["type"] = json!("string"),
    }
    schema
}
