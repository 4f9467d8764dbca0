//! What templates can see: values under dotted names, and the value the template engine is given for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object, Value};
use serde_json::Value as Json;

/// Values by dotted name: `network.vpc_id` is `vpc_id` in the map `network`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope(serde_json::Map<String, Json>);

impl Scope {
    pub fn new() -> Self {
        Scope::default()
    }

    /// Puts a value under a dotted name. Maps on the way are made; a value on the way that is no map is replaced by one.
    pub fn insert_dotted(&mut self, name: &str, value: Json) {
        let mut map = &mut self.0;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                map.insert(part.to_owned(), value);
                return;
            }
            let next = map.entry(part).or_insert_with(|| Json::Object(serde_json::Map::new()));
            if !next.is_object() {
                *next = Json::Object(serde_json::Map::new());
            }
            match next {
                Json::Object(inner) => map = inner,
                _ => return,
            }
        }
    }

    /// The value under a dotted name, whole maps included.
    pub fn get_dotted(&self, name: &str) -> Option<&Json> {
        let mut parts = name.split('.');
        let mut value = self.0.get(parts.next()?)?;
        for part in parts {
            value = value.as_object()?.get(part)?;
        }
        Some(value)
    }

    pub fn as_map(&self) -> &serde_json::Map<String, Json> {
        &self.0
    }
}

impl From<serde_json::Map<String, Json>> for Scope {
    fn from(map: serde_json::Map<String, Json>) -> Self {
        Scope(map)
    }
}

/// The name looked up last that was not there: when the engine then stops at an undefined value, this is its name.
#[derive(Debug, Clone, Default)]
pub(super) struct Missed(Arc<Mutex<Option<String>>>);

impl Missed {
    fn note(&self, name: String) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(name);
        }
    }

    pub(super) fn last(&self) -> Option<String> {
        self.0.lock().ok().and_then(|last| last.clone())
    }
}

/// The scope as the template engine sees it. The maps on the way to each of `names` are there even when nothing is in
/// them yet, so that `vpn.asn | default(65000)` is 65000 and not an error about `vpn`.
pub(super) fn engine_value<'a>(scope: &Scope, names: impl IntoIterator<Item = &'a String>, missed: &Missed) -> Value {
    let mut known = scope.clone();
    for name in names {
        if let Some((way, _)) = name.rsplit_once('.') {
            known.ensure_map(way);
        }
    }
    Value::from_object(Known::new("", &known.0, missed))
}

impl Scope {
    /// Makes the maps of a dotted name where nothing is; what is there already stays, whatever it is.
    fn ensure_map(&mut self, name: &str) {
        let mut map = &mut self.0;
        for part in name.split('.') {
            let next = map.entry(part).or_insert_with(|| Json::Object(serde_json::Map::new()));
            match next {
                Json::Object(inner) => map = inner,
                _ => return,
            }
        }
    }
}

/// A map that remembers what was looked for in vain.
#[derive(Debug)]
struct Known {
    path: String,
    entries: BTreeMap<String, Value>,
    missed: Missed,
}

impl Known {
    fn new(path: &str, map: &serde_json::Map<String, Json>, missed: &Missed) -> Self {
        let entries = map.iter().map(|(key, value)| (key.clone(), convert(&below(path, key), value, missed))).collect();
        Known { path: path.to_owned(), entries, missed: missed.clone() }
    }
}

impl Object for Known {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let found = self.entries.get(key).cloned();
        if found.is_none() {
            self.missed.note(below(&self.path, key));
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries.keys().map(Value::from).collect())
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn convert(path: &str, value: &Json, missed: &Missed) -> Value {
    match value {
        Json::Object(map) => Value::from_object(Known::new(path, map, missed)),
        Json::Array(items) => {
            let item = |(index, item)| convert(&format!("{path}[{index}]"), item, missed);
            Value::from(items.iter().enumerate().map(item).collect::<Vec<_>>())
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Null => Value::from(()),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (_, Some(whole)) => Value::from(whole),
            _ => Value::from(number.as_f64()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dotted_names_nest() {
        let mut scope = Scope::new();
        scope.insert_dotted("network.vpc_id", json!("vpc-1"));
        scope.insert_dotted("network.subnets.a", json!(1));
        scope.insert_dotted("network.subnets.a.id", json!("s-1"));
        assert_eq!(scope.get_dotted("network.vpc_id"), Some(&json!("vpc-1")));
        assert_eq!(scope.get_dotted("network.subnets"), Some(&json!({"a": {"id": "s-1"}})));
        assert_eq!(scope.get_dotted("network.vpc_id.x"), None);
        assert_eq!(scope.get_dotted(""), None);
    }
}
