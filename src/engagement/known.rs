//! What is known to be answered to a question, and an answer that is none of that: a word about it, and no refusal.

use serde_json::Value as Json;

use crate::runbook::{Field, Scope};
use crate::text;

/// What the runbook knows to be answered; empty where it knows nothing, or cannot tell yet.
pub fn known_answers(field: &Field, scope: &Scope) -> Vec<String> {
    let list = field.known.as_ref().and_then(|known| known.value(scope).ok());
    let entries = list.as_ref().and_then(Json::as_array).into_iter().flatten();
    entries.filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

/// An answer that is none of those known, with the one that was probably meant.
pub fn unheard_of(known: &[String], answer: &str) -> Option<String> {
    if known.is_empty() || known.iter().any(|one| one == answer.trim()) {
        return None;
    }
    let near = meant(known, answer.trim());
    let hint = match near.is_empty() {
        false => format!("did you mean {}?", text::either(&near)),
        true => format!("known are {}", text::list(known)),
    };
    Some(format!("\"{}\" is not in the list of what is known; {hint}", text::clip(answer.trim(), 60)))
}

/// The few that were probably meant, the nearest first: one that is spelt nearly so, or else those with it in them.
fn meant<'a>(known: &'a [String], answer: &str) -> Vec<&'a str> {
    const FEW: usize = 3;
    let all = || known.iter().map(String::as_str);
    if let Some(near) = text::nearest_release(answer, all()).or_else(|| text::nearest(answer, all())) {
        return vec![near];
    }
    let part = answer.to_lowercase();
    let mut holding: Vec<(usize, &str)> =
        known.iter().filter_map(|one| Some((one.to_lowercase().find(&part)?, one.as_str()))).collect();
    holding.sort_by_key(|(at, one)| (*at, one.len()));
    holding.into_iter().take(FEW).map(|(_, one)| one).collect()
}
