//! Answers from a file or from `ID=VALUE` arguments: all are checked before one is stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use marked_yaml::{LoadError, LoaderOptions, Node};
use serde_json::Value as Json;

use super::failure::Failure;
use crate::engagement::{Address, Engagement, counted, told};
use crate::input::{self, InputId, Setting, Value};
use crate::runbook::{Runbook, Work};
use crate::text;

/// What a file of answers holds: inputs by id, and sign-offs of manual steps by address.
#[derive(Debug, Default)]
pub struct Answers {
    pub inputs: Vec<(InputId, Value)>,
    pub sign_offs: Vec<(Address, String)>,
}

const SIGN_OFF: &str = "sign_off";

/// What answers are read for: the runbook that asks, and the answers beside which they will stand.
pub struct Asked<'a> {
    pub runbook: &'a Runbook,
    pub setting: Setting,
    standing: BTreeMap<InputId, Value>,
}

impl<'a> Asked<'a> {
    pub fn new(runbook: &'a Runbook, setting: Setting) -> Self {
        Asked { runbook, setting, standing: BTreeMap::new() }
    }

    pub fn beside(mut self, engagement: &Engagement) -> Self {
        self.standing = engagement.given();
        self
    }

    /// The rules between answers that these break, although others of them are refused; those count for nothing here.
    fn disagreements(&self, taken: &[(InputId, Value)], refused: &BTreeMap<String, String>) -> Vec<String> {
        let mut values = self.standing.clone();
        values.extend(taken.iter().cloned());
        values.retain(|id, _| !refused.contains_key(id.as_str()));
        let new = |id: &InputId| taken.iter().any(|(taken, _)| taken == id);
        let broken = input::agree(&counted(self.runbook, values), None)
            .into_iter()
            .filter(|one| !one.warning && one.ids.iter().any(new));
        broken.map(|one| told(&one, self.runbook)).collect()
    }
}

/// Reads a YAML (or JSON) file: `net.ssh_port: 22022`, one input a key, and `sign_off:` with addresses and notes.
///
/// # Errors
/// The file cannot be read, is no map, or holds answers that are refused: all refusals are listed.
pub fn from_file(path: &Path, asked: &Asked<'_>) -> Result<Answers, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    from_text(&text, &path.display().to_string(), asked)
}

/// As `from_file`, for text that was read already; `name` stands in messages.
pub fn from_text(text: &str, name: &str, asked: &Asked<'_>) -> Result<Answers, Failure> {
    of_map(map(text, name)?, name, asked)
}

/// As `from_text`, of answers that were made for another runbook: those that this one does not ask for are left out.
pub fn of_those_asked_for(text: &str, name: &str, asked: &Asked<'_>) -> Result<Answers, Failure> {
    let mut map = map(text, name)?;
    map.retain(|id, _| id == SIGN_OFF || asked.runbook.fields.keys().any(|known| known.as_str() == id));
    if let Some(Json::Object(notes)) = map.get_mut(SIGN_OFF) {
        let is_signed = |step: &str| step.parse().is_ok_and(|step: Address| signed(&step, asked.runbook).is_ok());
        notes.retain(|step, _| is_signed(step));
    }
    of_map(map, name, asked)
}

fn map(text: &str, name: &str) -> Result<BTreeMap<String, Json>, Failure> {
    let read: BTreeMap<String, Json> =
        serde_yaml::from_str(text).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let options = LoaderOptions::default().error_on_duplicate_keys(true);
    match marked_yaml::parse_yaml_with_options(0, text, options) {
        Ok(Node::Mapping(written)) => {
            let exact = |(id, plain): (String, Json)| {
                let node = written.get_node(&id);
                (id, as_written(plain, node))
            };
            Ok(read.into_iter().map(exact).collect())
        }
        Err(LoadError::DuplicateKey(keys)) => {
            let line = keys.key.span().start().map_or(0, |marker| marker.line());
            let what = format!("{name}: {} is there twice, again in line {line}", keys.key.as_str());
            Err(Failure::usage(what).hint("keep the one that is right"))
        }
        // What has no places, such as an anchor, has no other text either.
        Ok(_) | Err(_) => Ok(read),
    }
}

/// Numbers are what was written: 64512.10 is no AS number 64512.1, and no telephone number loses its +.
fn as_written(plain: Json, node: Option<&Node>) -> Json {
    match (plain, node) {
        (Json::Number(_), Some(Node::Scalar(written))) => Json::String(written.as_str().to_owned()),
        (Json::Array(entries), Some(Node::Sequence(written))) => {
            let nodes = written.iter().map(Some).chain(std::iter::repeat(None));
            Json::Array(entries.into_iter().zip(nodes).map(|(entry, node)| as_written(entry, node)).collect())
        }
        (Json::Object(table), Some(Node::Mapping(written))) => {
            let exact = |(name, value): (String, Json)| {
                let node = written.get_node(&name);
                (name, as_written(value, node))
            };
            Json::Object(table.into_iter().map(exact).collect())
        }
        (plain, _) => plain,
    }
}

fn of_map(map: BTreeMap<String, Json>, name: &str, asked: &Asked<'_>) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    let mut refused = BTreeMap::new();
    for (id, plain) in map {
        if id == SIGN_OFF {
            match sign_offs(&plain, asked.runbook) {
                Ok(found) => answers.sign_offs = found,
                Err(why) => {
                    refused.insert(id, format!("{SIGN_OFF}: {why}"));
                }
            }
            continue;
        }
        match one(&id, &plain, asked) {
            Ok(given) => answers.inputs.push(given),
            Err(why) => {
                refused.insert(id, why);
            }
        }
    }
    all_or_nothing(answers, &refused, name, asked)
}

/// Reads `ID=VALUE` arguments.
///
/// # Errors
/// One is not of that form, or refused.
pub fn from_arguments(arguments: &[String], asked: &Asked<'_>) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    let mut refused = BTreeMap::new();
    for argument in arguments {
        let read = match argument.split_once('=') {
            None => Err((argument.as_str(), format!("\"{argument}\": write ID=VALUE, as in net.ssh_port=22022"))),
            Some((id, value)) => one(id, &Json::String(value.to_owned()), asked).map_err(|why| (id, why)),
        };
        match read {
            Ok(given) => answers.inputs.push(given),
            Err((id, why)) => {
                refused.insert(id.to_owned(), why);
            }
        }
    }
    all_or_nothing(answers, &refused, "the command line", asked)
}

fn all_or_nothing(
    answers: Answers,
    refused: &BTreeMap<String, String>,
    name: &str,
    asked: &Asked<'_>,
) -> Result<Answers, Failure> {
    if refused.is_empty() {
        return Ok(answers);
    }
    let broken = asked.disagreements(&answers.inputs, refused);
    let count = match (refused.len(), broken.len()) {
        (0, _) => "some".to_owned(),
        (refused, 0) => text::count(refused, "answer"),
        (refused, broken) => {
            format!("{}, and {} between answers,", text::count(refused, "answer"), text::count(broken, "disagreement"))
        }
    };
    let all: Vec<&str> = refused.values().chain(&broken).map(String::as_str).collect();
    Err(Failure::usage(format!("{count} of {name} cannot be taken; nothing was stored\n  {}", all.join("\n  "))))
}

fn one(id: &str, plain: &Json, asked: &Asked<'_>) -> Result<(InputId, Value), String> {
    let fields = &asked.runbook.fields;
    let Some((known, field)) = fields.iter().find(|(known, _)| known.as_str() == id) else {
        let near = text::nearest(id, fields.keys().map(InputId::as_str));
        let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        return Err(format!("{id}: this runbook has no such input.{hint}"));
    };
    // What stands already is taken again, whatever day it is by now.
    let again = input::from_plain(&field.kind, plain, &asked.setting.whenever());
    if let (Ok(value), Some(standing)) = (again, asked.standing.get(known))
        && value == *standing
    {
        return Ok((known.clone(), value));
    }
    match input::from_plain_for(&field.kind, &field.example, plain, &asked.setting) {
        Ok(value) => Ok((known.clone(), value)),
        Err(refusal) => Err(format!("{id}: {refusal} (rule: {})", refusal.source)),
    }
}

/// Is it a step that a person signs off?
fn signed(address: &Address, runbook: &Runbook) -> Result<(), String> {
    match runbook.step(&address.step) {
        Some(step) if matches!(step.work, Work::Manual(_)) => Ok(()),
        Some(_) => Err(format!("{address}: nobody signs this step off")),
        None => {
            let near = text::nearest(&address.step.0, runbook.steps().map(|step| step.id.0.as_str()));
            let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
            Err(format!("{address}: this runbook has no such step.{hint}"))
        }
    }
}

fn sign_offs(plain: &Json, runbook: &Runbook) -> Result<Vec<(Address, String)>, String> {
    let Json::Object(map) = plain else { return Err("write a map of step addresses and notes".to_owned()) };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (address, note) in map {
        match sign_off(address, note, runbook) {
            Ok(one) => found.push(one),
            Err(why) => wrong.push(why),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong.join(&format!("\n  {SIGN_OFF}: "))) }
}

fn sign_off(address: &str, note: &Json, runbook: &Runbook) -> Result<(Address, String), String> {
    let address = address.parse::<Address>().map_err(|error| error.to_string())?;
    signed(&address, runbook)?;
    match note.as_str().map(str::trim) {
        None => Err(format!("{address}: the note must be text")),
        Some("") => Err(format!("{address}: a sign-off needs a note: say who saw or did what")),
        Some(note) => Ok((address, note.to_owned())),
    }
}
