//! Which answers count: those whose question is asked. One that another decision has made void stays in the file and counts again
//! with that decision; until then nothing is worked out from it, and no rule holds it against another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Engagement;
use crate::input::{InputId, Value};
use crate::runbook::{Runbook, Scope, Unrendered};

/// A void answer may make others void; no runbook asks in longer chains.
const ROUNDS: usize = 8;

/// Of these answers, those whose question is asked as far as can be told, and what templates see of them.
pub(super) fn counted_in(runbook: &Runbook, mut values: BTreeMap<InputId, Value>) -> (BTreeMap<InputId, Value>, Scope) {
    let mut void = BTreeSet::new();
    for _ in 0..ROUNDS {
        let scope = seen(&values);
        let gone: Vec<InputId> = values.keys().filter(|id| is_void(runbook, id, &scope, &void)).cloned().collect();
        if gone.is_empty() {
            return (values, scope);
        }
        values.retain(|id, _| !gone.contains(id));
        void.extend(gone);
    }
    let scope = seen(&values);
    (values, scope)
}

/// Of these answers, those whose question is asked as far as can be told.
pub fn counted(runbook: &Runbook, values: BTreeMap<InputId, Value>) -> BTreeMap<InputId, Value> {
    counted_in(runbook, values).0
}

/// The answers of an engagement that count.
pub fn answers(engagement: &Engagement, runbook: &Runbook) -> BTreeMap<InputId, Value> {
    counted(runbook, engagement.given())
}

fn seen(values: &BTreeMap<InputId, Value>) -> Scope {
    let mut scope = Scope::default();
    for (id, value) in values {
        let plain = match value {
            Value::Secret(reference) => Json::String(reference.of(id).to_string()),
            value => value.plain(),
        };
        scope.insert_dotted(id.as_str(), plain);
    }
    scope
}

/// It is not asked for, whatever the questions that are open will be answered.
fn is_void(runbook: &Runbook, id: &InputId, scope: &Scope, void: &BTreeSet<InputId>) -> bool {
    let Some(when) = runbook.fields.get(id).and_then(|field| field.when.as_ref()) else { return false };
    if matches!(when.truth(scope), Ok(true) | Err(Unrendered::Wrong { .. })) {
        return false;
    }
    let is_open = |name: &String| scope.get_dotted(name).is_none() && !void.contains(name.as_str());
    !when.reads().all.iter().any(is_open)
}
