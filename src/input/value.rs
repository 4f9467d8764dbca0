//! A checked answer. Its stored form is frozen: journals of every version hold it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{SecretRef, cloud, hosts, records, subnets, table};

/// One row of a table: column to value.
pub type Row = BTreeMap<String, Value>;

/// A checked answer, as the journal keeps it and as templates read it. Only [`super::parse`] and its siblings make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Anything that stays text: names, regions, keys, choices.
    Text(String),
    /// A whole number: ports, days.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
    /// An IPv4 range, always its network address.
    Cidr(Ipv4Net),
    /// Several values of one kind, in the order in which they were given.
    List(Vec<Value>),
    /// A table: subnets, hosts, tags.
    Rows(Vec<Row>),
    /// Where a secret lives.
    Secret(SecretRef),
}

impl Value {
    /// The value without its type, for templates and exports. [`super::from_plain`] reads it back.
    pub fn plain(&self) -> Json {
        match self {
            Self::Text(text) => Json::from(text.as_str()),
            Self::Number(number) => Json::from(*number),
            Self::Flag(flag) => Json::from(*flag),
            Self::Address(address) => Json::from(address.to_string()),
            Self::Cidr(net) => Json::from(net.to_string()),
            Self::List(items) => items.iter().map(Self::plain).collect(),
            Self::Rows(rows) => rows
                .iter()
                .map(|row| row.iter().map(|(name, value)| (name.clone(), value.plain())).collect::<Json>())
                .collect(),
            Self::Secret(reference) => Json::from(reference.to_string()),
        }
    }

    /// The value as a person writes it. [`super::parse`] reads it back. A table has one line per row.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Address(address) => address.to_string(),
            Self::Cidr(net) => net.to_string(),
            Self::List(items) => items.iter().map(Self::shown).collect::<Vec<_>>().join(", "),
            Self::Rows(rows) => rows.iter().map(line).collect::<Vec<_>>().join("\n"),
            Self::Secret(reference) => reference.to_string(),
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Yes or no, if it is one.
    pub fn flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }

    /// The range, if it is one.
    pub fn cidr(&self) -> Option<Ipv4Net> {
        if let Self::Cidr(net) = self { Some(*net) } else { None }
    }

    /// Where the secret lives, if it is one.
    pub fn secret(&self) -> Option<&SecretRef> {
        if let Self::Secret(reference) = self { Some(reference) } else { None }
    }

    /// The entries of a list; nothing for anything else.
    pub fn items(&self) -> &[Value] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The rows of a table; nothing for anything else.
    pub fn rows(&self) -> &[Row] {
        if let Self::Rows(rows) = self { rows } else { &[] }
    }
}

/// A column's text; empty where the row has none.
pub(super) fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::text).unwrap_or_default()
}

/// A row as its kind writes it. The columns tell the kind: no two tables have the same.
fn line(row: &Row) -> String {
    let has = |columns: &[&str]| columns.iter().all(|column| row.contains_key(*column));
    if has(&["cidr", "tier", "zone"]) {
        subnets::line(row)
    } else if has(&["name", "address", "user"]) {
        hosts::line(row)
    } else if has(&["name", "subnet", "type"]) {
        hosts::launch_line(row)
    } else if has(&["key", "value"]) {
        cloud::tag_line(row)
    } else if has(&["name", "type", "value"]) {
        records::line(row)
    } else {
        table::line(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored form. A change here breaks every journal: add variants, never alter these lines.
    #[test]
    fn the_stored_form_is_frozen() {
        let row = Row::from([("cidr".to_owned(), Value::Cidr("10.40.0.0/24".parse().unwrap()))]);
        for (value, stored) in [
            (Value::Text("acme".into()), r#"{"text":"acme"}"#),
            (Value::Number(-7), r#"{"number":-7}"#),
            (Value::Flag(true), r#"{"flag":true}"#),
            (Value::Address("10.40.0.1".parse().unwrap()), r#"{"address":"10.40.0.1"}"#),
            (Value::Address("2001:db8::1".parse().unwrap()), r#"{"address":"2001:db8::1"}"#),
            (Value::Cidr("10.40.0.0/16".parse().unwrap()), r#"{"cidr":"10.40.0.0/16"}"#),
            (Value::List(vec![Value::Text("a".into()), Value::Number(1)]), r#"{"list":[{"text":"a"},{"number":1}]}"#),
            (
                Value::Secret("age:secrets.age#smtp.password".parse().unwrap()),
                r#"{"secret":"age:secrets.age#smtp.password"}"#,
            ),
            (Value::Rows(vec![row]), r#"{"rows":[{"cidr":{"cidr":"10.40.0.0/24"}}]}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Value>(stored).unwrap(), value);
        }
    }

    #[test]
    fn the_plain_form_has_no_types() {
        let value = Value::List(vec![Value::Cidr("10.0.0.0/8".parse().unwrap()), Value::Flag(false), Value::Number(3)]);
        assert_eq!(value.plain(), serde_json::json!(["10.0.0.0/8", false, 3]));
        let row = Row::from([("port".to_owned(), Value::Number(22))]);
        assert_eq!(Value::Rows(vec![row]).plain(), serde_json::json!([{"port": 22}]));
    }
}
