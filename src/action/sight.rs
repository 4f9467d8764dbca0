//! What a look shows of an object, and what is left of one.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::Found;
use super::arguments::known;
use super::call::Call;
use crate::engagement::{Difference, Failure};

/// What a look showed.
#[derive(Debug)]
pub(super) enum Sight {
    Nothing {
        said: String,
    },
    /// Not there, and another one has its place, which these calls give it: what was there is put back by an undo.
    Replaces {
        said: String,
        calls: Vec<Call>,
    },
    Ready(Found),
    /// Ours, but seen by one look and not yet by another: look again.
    Appearing {
        said: String,
    },
    /// Ours, whole, and still on its way.
    Coming(Found),
    /// Asked for, and there is nothing more to send: somebody else has to act, which may take days. No look waits for it.
    Awaited(Found),
    /// Ours, or free to be arranged, but not complete.
    Partial(Partial),
    /// Something is there that onramp will not touch by itself.
    Foreign {
        said: String,
        differences: Vec<Difference>,
    },
    /// It is there and will never work.
    Broken(Failure),
    /// What was asked for came to nothing; these calls ask for it once more.
    Failed {
        failure: Failure,
        again: Vec<Call>,
    },
}

/// What is there of it, and the calls that complete it.
#[derive(Debug)]
pub(super) struct Partial {
    pub said: String,
    pub differences: Vec<Difference>,
    pub missing: Vec<Call>,
    /// What an undo needs to know of the state before.
    pub keep: BTreeMap<String, Json>,
}

/// What is left of something that was made.
#[derive(Debug)]
pub(super) enum Remains {
    Gone,
    Going {
        said: String,
    },
    /// It is there, but it is not ours (any more).
    NotOurs {
        said: String,
    },
    /// It is ours and stays, as it is meant to: why.
    Kept {
        said: String,
    },
    /// It is ours, and cannot go before a person has taken out what is in it.
    Holds {
        said: String,
        advice: String,
    },
    /// These calls take it away.
    Takes(Vec<Call>),
    /// These calls take it away, and, when that is gone, those what it leaves behind.
    InTurn(Vec<Call>, Vec<Call>),
}

impl Remains {
    /// What is to be done about it now.
    pub(super) fn first(self) -> Remains {
        match self {
            Remains::InTurn(first, _) => Remains::Takes(first),
            other => other,
        }
    }
}

/// What is found, as later steps use it.
pub(super) fn found(said: impl Into<String>, output: Json) -> Found {
    let output: Map<String, Json> = match output {
        Json::Object(output) => output,
        _ => Map::new(),
    };
    Found { said: said.into(), output: output.into_iter().collect(), foreign: false }
}

/// The same, of what was there before and is taken: no undo takes it away.
pub(super) fn there_before(id: &str, what: &str) -> Found {
    let said = format!("{id} was there before and is taken: {what}");
    Found { foreign: true, ..found(said, json!({ "id": id })) }
}

/// What is not as wanted; a value that only an earlier step can tell is taken to be right.
pub(super) fn differing(compared: &[(&str, &str, Option<&str>)]) -> Vec<Difference> {
    compared
        .iter()
        .filter(|(_, wanted, found)| known(wanted) && *found != Some(*wanted))
        .map(|(what, wanted, found)| difference(what, *wanted, found.unwrap_or("nothing")))
        .collect()
}

/// One difference.
pub(super) fn difference(what: &str, wanted: impl Into<String>, found: impl Into<String>) -> Difference {
    Difference { what: what.to_owned(), wanted: wanted.into(), found: found.into(), diff: String::new() }
}

/// Their ids.
pub(super) fn ids<T>(found: Vec<T>, id: fn(&T) -> Option<&str>) -> Vec<String> {
    found.iter().filter_map(id).map(str::to_owned).collect()
}
