//! Answers from a file or from `ID=VALUE` arguments: all are checked before one is stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::failure::Failure;
use crate::engagement::Address;
use crate::input::{self, InputId, Setting, Value};
use crate::runbook::Runbook;
use crate::text;

/// What a file of answers holds: inputs by id, and sign-offs of manual steps by address.
#[derive(Debug, Default)]
pub struct Answers {
    pub inputs: Vec<(InputId, Value)>,
    pub sign_offs: Vec<(Address, String)>,
}

const SIGN_OFF: &str = "sign_off";

/// Reads a YAML (or JSON) file: `net.ssh_port: 22022`, one input a key, and `sign_off:` with addresses and notes.
///
/// # Errors
/// The file cannot be read, is no map, or holds answers that are refused: all refusals are listed.
pub fn from_file(path: &Path, runbook: &Runbook, setting: &Setting) -> Result<Answers, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    from_text(&text, &path.display().to_string(), runbook, setting)
}

/// As `from_file`, for text that was read already; `name` stands in messages.
pub fn from_text(text: &str, name: &str, runbook: &Runbook, setting: &Setting) -> Result<Answers, Failure> {
    of_map(map(text, name)?, name, runbook, setting)
}

/// As `from_text`, of answers that were made for another runbook: those that this one does not ask for are left out.
pub fn of_those_asked_for(text: &str, name: &str, runbook: &Runbook, setting: &Setting) -> Result<Answers, Failure> {
    let mut map = map(text, name)?;
    map.retain(|id, _| id == SIGN_OFF || runbook.fields.keys().any(|known| known.as_str() == id));
    let mut answers = of_map(map, name, runbook, setting)?;
    answers.sign_offs.retain(|(address, _)| runbook.steps().any(|step| step.id == address.step));
    Ok(answers)
}

fn map(text: &str, name: &str) -> Result<BTreeMap<String, Json>, Failure> {
    serde_yaml::from_str(text).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

fn of_map(map: BTreeMap<String, Json>, name: &str, runbook: &Runbook, setting: &Setting) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    let mut refused = Vec::new();
    for (id, plain) in map {
        if id == SIGN_OFF {
            match sign_offs(&plain) {
                Ok(found) => answers.sign_offs = found,
                Err(why) => refused.push(format!("{SIGN_OFF}: {why}")),
            }
            continue;
        }
        match one(&id, &plain, runbook, setting) {
            Ok(given) => answers.inputs.push(given),
            Err(why) => refused.push(why),
        }
    }
    all_or_nothing(answers, refused, name)
}

/// Reads `ID=VALUE` arguments.
///
/// # Errors
/// One is not of that form, or refused.
pub fn from_arguments(arguments: &[String], runbook: &Runbook, setting: &Setting) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    let mut refused = Vec::new();
    for argument in arguments {
        match argument.split_once('=') {
            None => refused.push(format!("\"{argument}\": write ID=VALUE, as in net.ssh_port=22022")),
            Some((id, value)) => match one(id, &Json::String(value.to_owned()), runbook, setting) {
                Ok(given) => answers.inputs.push(given),
                Err(why) => refused.push(why),
            },
        }
    }
    all_or_nothing(answers, refused, "the command line")
}

fn all_or_nothing(answers: Answers, refused: Vec<String>, name: &str) -> Result<Answers, Failure> {
    if refused.is_empty() {
        return Ok(answers);
    }
    let count = text::count(refused.len(), "answer");
    Err(Failure::usage(format!("{count} of {name} cannot be taken; nothing was stored\n  {}", refused.join("\n  "))))
}

fn one(id: &str, plain: &Json, runbook: &Runbook, setting: &Setting) -> Result<(InputId, Value), String> {
    let Some((known, field)) = runbook.fields.iter().find(|(known, _)| known.as_str() == id) else {
        let near = text::nearest(id, runbook.fields.keys().map(InputId::as_str));
        let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        return Err(format!("{id}: this runbook has no such input.{hint}"));
    };
    match input::from_plain_for(&field.kind, &field.example, plain, setting) {
        Ok(value) => Ok((known.clone(), value)),
        Err(refusal) => Err(format!("{id}: {refusal}")),
    }
}

fn sign_offs(plain: &Json) -> Result<Vec<(Address, String)>, String> {
    let Json::Object(map) = plain else { return Err("write a map of step addresses and notes".to_owned()) };
    map.iter()
        .map(|(address, note)| {
            let address = address.parse::<Address>().map_err(|error| error.to_string())?;
            match note.as_str().map(str::trim) {
                None => Err(format!("{address}: the note must be text")),
                Some("") => Err(format!("{address}: a sign-off needs a note: say who saw or did what")),
                Some(note) => Ok((address, note.to_owned())),
            }
        })
        .collect()
}
