//! Which ranges of a list of routes a step made. A route carries no tag, and one to the same place may have been there
//! before: so it is written down before the first call, and an undo takes away no other.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::object::{Made, Remains};

const RANGES: &str = "ranges";

/// What is written down, where the step makes these.
pub(super) fn written(ranges: &[String]) -> BTreeMap<String, Json> {
    [(RANGES.to_owned(), json!(ranges))].into()
}

/// The same, where it makes what is missing, beside those that it made earlier.
pub(super) fn written_too(earlier: &BTreeMap<String, Json>, missing: &[String]) -> BTreeMap<String, Json> {
    let mut all = read(earlier).unwrap_or_default();
    let new: Vec<String> = missing.iter().filter(|one| !all.contains(one)).cloned().collect();
    all.extend(new);
    written(&all)
}

/// Those that the step made; none where nobody wrote it down.
pub(super) fn of(made: &Made<'_>) -> Option<Vec<String>> {
    read(made.0)
}

fn read(made: &BTreeMap<String, Json>) -> Option<Vec<String>> {
    let ranges = made.get(RANGES)?.as_array()?;
    Some(ranges.iter().filter_map(Json::as_str).map(str::to_owned).collect())
}

/// Routes are there, and nobody knows whether the step made them.
pub(super) fn nobody_knows(noun: &str) -> Remains {
    let said =
        format!("nobody wrote down which of the {noun} were there before. Delete those that are not needed by hand");
    Remains::NotOurs { said }
}
