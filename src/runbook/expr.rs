//! Conditions and lists in a runbook: `when` and `for_each`.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use super::names::{Names, compared};
use super::render::{self, BadTemplate, Unrendered};
use super::scope::Scope;

/// An expression, checked when the runbook was read.
#[derive(Clone, PartialEq)]
pub struct Expr {
    source: String,
    names: Names,
}

/// One round of a `for_each`.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Stands in the address of the step: `phase/step[key]`.
    pub key: String,
    /// What templates see as `item`.
    pub value: Json,
}

impl Expr {
    /// An expression, with or without `{{ }}` around it.
    pub fn parse(source: &str) -> Result<Self, BadTemplate> {
        let trimmed = source.trim();
        let inner = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map_or(trimmed, str::trim);
        let offset = source.find(inner).unwrap_or(0);
        if inner.is_empty() {
            return Err(BadTemplate { offset: 0, message: "an expression is expected here".to_owned(), hint: None });
        }
        let names = render::check_expression(inner, offset)?;
        Ok(Expr { source: inner.to_owned(), names })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Does it hold? Empty lists and texts, zero and null do not.
    pub fn truth(&self, scope: &Scope) -> Result<bool, Unrendered> {
        render::evaluate(&self.source, &self.names, scope).map(|value| value.is_true())
    }

    /// The rounds of a `for_each`, keyed by the item's `key`, else its `name`, else the item itself where it is text.
    pub fn list(&self, scope: &Scope) -> Result<Vec<Item>, Unrendered> {
        let items = match render::json(&self.source, &self.names, scope)? {
            Json::Array(items) => items,
            other => return Err(Unrendered::wrong(format!("`{}` is {}, not a list", self.source, what(&other)))),
        };
        let mut rounds: Vec<Item> = Vec::with_capacity(items.len());
        let mut keys = BTreeSet::new();
        for (index, value) in items.into_iter().enumerate() {
            let Some(key) = key_of(&value) else {
                let which = format!("item {} of `{}`", index + 1, self.source);
                return Err(Unrendered::wrong(format!("{which} has no key: it is no text and has no `key` or `name`")));
            };
            if !keys.insert(key.clone()) {
                return Err(Unrendered::wrong(format!("two items of `{}` have the key `{key}`", self.source)));
            }
            rounds.push(Item { key, value });
        }
        Ok(rounds)
    }

    /// The dotted names it reads.
    pub fn names(&self) -> BTreeSet<String> {
        self.names.all.clone()
    }

    /// The names, and which of them it can do without.
    pub fn reads(&self) -> &Names {
        &self.names
    }

    /// Names that are compared with words: `conn.mode == "vpn"`, `conn.mode in ["vpn", "dx"]`.
    pub(super) fn compared(&self) -> Vec<(&str, Vec<&str>)> {
        compared(&self.source)
    }
}

fn key_of(value: &Json) -> Option<String> {
    let text = |value: &Json| match value {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Json::Object(map) => map.get("key").or_else(|| map.get("name")).and_then(text),
        other => text(other),
    }
}

fn what(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing (null)",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({:?})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::new();
        scope.insert_dotted("conn.mode", json!("vpn"));
        scope.insert_dotted("net.subnets", json!([{"key": "app/a", "cidr": "x"}, {"name": "b"}]));
        scope.insert_dotted("net.zones", json!(["a", "b"]));
        scope
    }

    fn truth(code: &str) -> Result<bool, Unrendered> {
        Expr::parse(code).unwrap().truth(&scope())
    }

    #[test]
    fn conditions() {
        assert_eq!(truth("conn.mode == \"vpn\""), Ok(true));
        assert_eq!(truth("{{ conn.mode in ['dx', 'vpn'] and net.zones | length > 2 }}"), Ok(false));
        assert_eq!(truth("dns.mode == 'route53'"), Err(Unrendered::Missing { name: "dns.mode".into() }));
        assert_eq!(truth("dns.mode | default('customer') == 'customer'"), Ok(true));
        assert_eq!(truth("dns.mode is defined"), Ok(false));
        assert_eq!(truth("conn.mode == 'vpn' or dns.mode == 'x'"), Ok(true), "what is not needed is not missed");
        assert!(Expr::parse("conn.mode ==").is_err());
        assert!(Expr::parse("  ").is_err());
    }

    #[test]
    fn lists_have_keys() {
        let keys = |code: &str| {
            let rounds = Expr::parse(code).unwrap().list(&scope());
            rounds.map(|rounds| rounds.into_iter().map(|item| item.key).collect::<Vec<_>>())
        };
        assert_eq!(keys("net.subnets"), Ok(vec!["app/a".into(), "b".into()]));
        assert_eq!(keys("net.zones"), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(keys("net.zones[:1]"), Ok(vec!["a".into()]));
        assert_eq!(keys("(net.zones | reverse)[:1]"), Ok(vec!["b".into()]));
        assert_eq!(keys("hosts.private[:1]"), Err(Unrendered::Missing { name: "hosts.private".into() }));
        assert_eq!(keys("[]"), Ok(vec![]));
        for wrong in ["['a', 'a']", "[{'id': 1}]", "conn.mode", "[['a']]", "['']"] {
            assert!(matches!(keys(wrong), Err(Unrendered::Wrong { .. })), "{wrong}");
        }
        assert_eq!(keys("hosts.all"), Err(Unrendered::Missing { name: "hosts.all".into() }));
    }
}
