//! Things of services that tag as maps from key to value: which one is ours, whose the others are, what is left of one.

use std::collections::BTreeMap;

use serde_json::json;

use super::account::Account;
use super::call::Call;
use super::object::{Partial, Remains, Sight};
use crate::aws::{Holder, run_of};
use crate::engagement::Difference;

/// One thing, with its id and its tags.
pub(super) struct Tagged<T> {
    pub thing: T,
    pub id: String,
    tags: BTreeMap<String, String>,
}

impl<T> Tagged<T> {
    pub(super) fn new(thing: T, id: impl Into<String>, tags: impl IntoIterator<Item = (String, String)>) -> Self {
        Tagged { thing, id: id.into(), tags: tags.into_iter().collect() }
    }

    /// Whose it is, as its tags say.
    pub(super) fn holder(&self, at: &Account<'_>) -> Holder {
        at.holder_by_tags(&self.tags)
    }
}

/// Ours, or the one that a person chose, the oldest first.
pub(super) fn ours<T>(at: &Account<'_>, key: &str, all: Vec<Tagged<T>>) -> Vec<Tagged<T>> {
    let wanted = Holder::Us { key: key.to_owned() };
    let mut found: Vec<Tagged<T>> = all
        .into_iter()
        .filter(|one| match &at.subject.adopted {
            Some(id) => one.id == *id,
            None => one.holder(at) == wanted,
        })
        .collect();
    found.sort_by_cached_key(|one| (run_of(&one.tags), one.id.clone()));
    found
}

/// The oldest of ours; the others are told as duplicates.
pub(super) fn the_one<T>(at: &Account<'_>, key: &str, all: Vec<Tagged<T>>) -> Option<Tagged<T>> {
    let mut found = ours(at, key, all).into_iter();
    let first = found.next();
    at.also_there(found.map(|one| one.id));
    first
}

pub(super) fn holder<T>(at: &Account<'_>, id: &str, all: &[Tagged<T>]) -> Holder {
    all.iter().find(|one| one.id == id).map_or(Holder::Stranger, |one| one.holder(at))
}

/// What is left of the thing of that id, if these calls would take it away.
pub(super) fn left<T>(at: &Account<'_>, id: &str, all: &[Tagged<T>], calls: Vec<Call>) -> Remains {
    match all.iter().find(|one| one.id == id).map(|one| one.holder(at)) {
        None => Remains::Gone,
        Some(Holder::Us { .. }) => Remains::Takes(calls),
        Some(other) => Remains::NotOurs { said: at.said_of(id, &other) },
    }
}

/// Something of ours that differs, and that onramp does not change by itself.
pub(super) fn otherwise(noun: &str, id: &str, differences: Vec<Difference>) -> Sight {
    let said = format!("{noun} is there as {id}, but not as wanted");
    let keep = [("id".to_owned(), json!(id))].into_iter().collect();
    Sight::Partial(Partial { said, differences, missing: Vec::new(), keep })
}
