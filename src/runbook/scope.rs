//! What templates can see: values under dotted names, and the value the template engine is given for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use serde_json::Value as Json;

use super::expr::Item;
use super::names::Names;

/// Values by dotted name: `network.vpc_id` is `vpc_id` in the map `network`. A copy shares them: each round of a
/// `for_each` has one, with its own item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope(BTreeMap<String, Arc<Json>>);

impl Scope {
    pub fn new() -> Self {
        Scope::default()
    }

    /// Puts a value under a dotted name. Maps on the way are made; a value on the way that is no map is replaced by one.
    pub fn insert_dotted(&mut self, name: &str, value: Json) {
        match name.split_once('.') {
            None => drop(self.0.insert(name.to_owned(), Arc::new(value))),
            Some((first, rest)) => {
                let top = self.0.entry(first.to_owned()).or_insert_with(|| Arc::new(empty()));
                insert_below(Arc::make_mut(top), rest, value);
            }
        }
    }

    /// What one round of a `for_each` sees: the same, with its own `item` and `key`.
    #[must_use]
    pub fn of_round(&self, item: Option<&Item>) -> Self {
        let mut scope = self.clone();
        if let Some(Item { key, value }) = item {
            scope.insert_dotted("item", value.clone());
            scope.insert_dotted("key", Json::String(key.clone()));
        }
        scope
    }

    /// The value under a dotted name, whole maps included.
    pub fn get_dotted(&self, name: &str) -> Option<&Json> {
        let mut parts = name.split('.');
        let mut value = self.0.get(parts.next()?)?.as_ref();
        for part in parts {
            value = value.as_object()?.get(part)?;
        }
        Some(value)
    }

    /// Does only a step tell this, or some of it where an item is taken of it?
    pub(super) fn awaits(&self, name: &str, indexed: bool) -> bool {
        let is_awaited = |value: &Json| value.as_str().and_then(Awaited::named).is_some();
        let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
        let on_the_way = |end: usize| self.get_dotted(&name[..end]).is_some_and(is_awaited);
        let within = || match self.get_dotted(name) {
            Some(Json::Object(map)) => map.values().any(is_awaited),
            Some(Json::Array(items)) => items.iter().any(is_awaited),
            _ => false,
        };
        ends.into_iter().any(on_the_way) || (indexed && within())
    }
}

fn empty() -> Json {
    Json::Object(serde_json::Map::new())
}

fn insert_below(mut place: &mut Json, name: &str, value: Json) {
    for part in name.split('.') {
        if !place.is_object() {
            *place = empty();
        }
        let Json::Object(map) = place else { return };
        place = map.entry(part).or_insert_with(empty);
    }
    *place = value;
}

impl From<serde_json::Map<String, Json>> for Scope {
    fn from(map: serde_json::Map<String, Json>) -> Self {
        Scope(map.into_iter().map(|(name, value)| (name, Arc::new(value))).collect())
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

/// What the template engine sees of the scope: the values of `names` and no others, for there may be a thousand hosts.
/// The maps on the way to each of them are there even when nothing is in them yet, so that `vpn.asn | default(65000)` is
/// 65000 and not an error about `vpn`. A placeholder for one of which an item is taken is one for the item, too.
pub(super) fn engine_value(scope: &Scope, names: &Names, missed: &Missed) -> Value {
    let mut seen = Scope::default();
    for name in &names.all {
        match nearest_value(scope, name) {
            Some((way, value)) if way == name || !value.is_object() => seen.insert_dotted(way, value.clone()),
            // It is missing in a map, or the map is missing.
            _ => seen.ensure_map(name.rsplit_once('.').map_or("", |(way, _)| way)),
        }
    }
    let seen = seen.0.into_iter().map(|(name, value)| (name, Arc::unwrap_or_clone(value))).collect();
    Value::from_object(Known::new("", &seen, &Looking { missed, indexed: &names.indexed }))
}

/// The value of a dotted name, or of as much of the name as there is a value for.
fn nearest_value<'a, 'b>(scope: &'a Scope, name: &'b str) -> Option<(&'b str, &'a Json)> {
    let mut way = name;
    loop {
        match scope.get_dotted(way) {
            Some(value) => return Some((way, value)),
            None => (way, _) = way.rsplit_once('.')?,
        }
    }
}

impl Scope {
    /// Makes the maps of a dotted name where nothing is; what is there already stays, whatever it is.
    fn ensure_map(&mut self, name: &str) {
        let mut way = 0;
        while way < name.len() {
            way = name[way..].find('.').map_or(name.len(), |dot| way + dot);
            let part = &name[..way];
            match self.get_dotted(part) {
                Some(Json::Object(_)) => {}
                Some(_) => return,
                None => self.insert_dotted(part, empty()),
            }
            way += 1;
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

/// How one template looks at the values.
struct Looking<'a> {
    missed: &'a Missed,
    indexed: &'a BTreeSet<String>,
}

impl Known {
    fn new(path: &str, map: &serde_json::Map<String, Json>, how: &Looking<'_>) -> Self {
        let entries = map.iter().map(|(key, value)| (key.clone(), convert(&below(path, key), value, how))).collect();
        Known { path: path.to_owned(), entries, missed: how.missed.clone() }
    }
}

/// Stands for a value that only a step can tell, by its name; and for whatever is in it.
#[derive(Debug)]
struct Awaited(String);

impl Awaited {
    fn named(placeholder: &str) -> Option<Awaited> {
        let name = placeholder.strip_prefix('\u{2039}')?.strip_suffix('\u{203a}')?;
        (!name.contains('\u{2039}')).then(|| Awaited(name.to_owned()))
    }
}

impl Object for Awaited {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = match key.as_str() {
            Some(key) => below(&self.0, key),
            None => format!("{}[{key}]", self.0),
        };
        Some(Value::from_object(Awaited(name)))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\u{2039}{}\u{203a}", self.0)
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

fn convert(path: &str, value: &Json, how: &Looking<'_>) -> Value {
    match value {
        Json::Object(map) => Value::from_object(Known::new(path, map, how)),
        Json::Array(items) => {
            let item = |(index, item)| convert(&format!("{path}[{index}]"), item, how);
            Value::from(items.iter().enumerate().map(item).collect::<Vec<_>>())
        }
        Json::String(text) => match Awaited::named(text).filter(|_| how.indexed.contains(path)) {
            Some(awaited) => Value::from_object(awaited),
            None => Value::from(text.as_str()),
        },
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

    #[test]
    fn a_copy_shares_what_it_does_not_change() {
        let mut scope = Scope::new();
        scope.insert_dotted("hosts.all", json!(["a", "b"]));
        let mut round = scope.clone();
        round.insert_dotted("item", json!("a"));
        assert!(Arc::ptr_eq(&scope.0["hosts"], &round.0["hosts"]));
        round.insert_dotted("hosts.all", json!([]));
        assert_eq!((scope.get_dotted("hosts.all"), scope.get_dotted("item")), (Some(&json!(["a", "b"])), None));
    }

    #[test]
    fn the_engine_sees_what_is_read_and_the_ways_to_it() {
        let mut scope = Scope::new();
        scope.insert_dotted("net.cidr", json!("10.0.0.0/8"));
        scope.insert_dotted("net.subnets", json!({"a": 1, "b": 2}));
        scope.insert_dotted("conn", json!("vpn"));
        let seen = |names: &[&str]| {
            let names = Names { all: names.iter().map(|name| (*name).to_owned()).collect(), ..Names::default() };
            serde_json::to_value(engine_value(&scope, &names, &Missed::default())).unwrap()
        };
        assert_eq!(seen(&["net.cidr"]), json!({"net": {"cidr": "10.0.0.0/8"}}));
        assert_eq!(seen(&["net", "net.cidr"]), json!({"net": {"cidr": "10.0.0.0/8", "subnets": {"a": 1, "b": 2}}}));
        assert_eq!(seen(&["net.subnets.a", "net.subnets.c"]), json!({"net": {"subnets": {"a": 1}}}));
        assert_eq!(seen(&["net.dns.zone", "vpn.asn", "x"]), json!({"net": {"dns": {}}, "vpn": {}}));
        assert_eq!(seen(&["conn.mode"]), json!({"conn": "vpn"}));
    }
}
