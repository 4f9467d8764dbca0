//! Records of the DNS as a step is given them: rows of an input with one value each, whole sets, and hosts by name.

use super::Failure;
use super::arguments::Arguments;
use super::aws_zone::{said_name, whole_name};
use super::call::dns::RecordSet;

/// "TTL 86400 copied from a template" makes a failover take a day.
pub(super) const TTL: i32 = 300;
pub(super) const TYPES: [&str; 9] = ["A", "AAAA", "CNAME", "TXT", "MX", "SRV", "PTR", "NS", "CAA"];

/// The type of records that are not known yet.
const UNKNOWN: &str = "…";

fn refused(what: String) -> Failure {
    Failure::new(what, "Correct the step in the runbook, or the inputs that it is made of.")
}

/// The sets of `records`, each with `values` of its own or made of all rows of its name and type that have a `value`; and a
/// set for each of `hosts`, a map from name to address, below `domain`. `ttl` is for those that say none.
///
/// # Errors
/// Something is missing, or two of them cannot stand side by side.
pub(super) fn sets(arguments: &Arguments<'_>) -> Result<Vec<RecordSet>, Failure> {
    let ttl = i64::from(arguments.number("ttl", 0, i32::MAX)?.unwrap_or(TTL));
    if let Some(unknown) = arguments.placeholder("records") {
        // An earlier step tells them. Until then what stands for them is shown, and found nowhere.
        return Ok(vec![RecordSet { name: unknown.clone(), r#type: UNKNOWN.to_owned(), ttl, values: vec![unknown] }]);
    }
    let mut sets: Vec<RecordSet> = Vec::new();
    // The places of those that are made of rows.
    let mut of_rows: Vec<usize> = Vec::new();
    for one in arguments.maps("records")? {
        one.only(&["name", "type", "ttl", "value", "values"])?;
        let (set, is_row) = (set_of(&one, ttl)?, one.given.contains_key("value"));
        let (name, kind) = (said_name(&set.name), set.r#type.clone());
        let same = sets.iter().position(|other| (&other.name, &other.r#type) == (&set.name, &set.r#type));
        match same {
            None => {
                if is_row {
                    of_rows.push(sets.len());
                }
                sets.push(set);
            }
            Some(at) if !is_row || !of_rows.contains(&at) => {
                return Err(refused(format!("the record {name} {kind} is given twice: put its values together")));
            }
            Some(at) if sets[at].ttl != set.ttl => {
                let (one, other) = (sets[at].ttl, set.ttl);
                return Err(refused(format!(
                    "the records {name} {kind} are to live {one} s and {other} s: those of one name and type live equally \
                     long"
                )));
            }
            Some(at) => sets[at].values.extend(set.values),
        }
    }
    for (name, address) in arguments.pairs("hosts")? {
        let name = whole_name(&format!("{name}.{}", arguments.text("domain")?));
        if sets.iter().any(|set| set.name == name && ["A", "CNAME"].contains(&set.r#type.as_str())) {
            return Err(refused(format!("the host {} is among the records too: leave it out there", said_name(&name))));
        }
        sets.push(RecordSet { name, r#type: "A".to_owned(), ttl, values: vec![address] });
    }
    match sets.iter().find_map(fault) {
        Some(what) => Err(refused(what)),
        None => Ok(sets),
    }
}

fn set_of(one: &Arguments<'_>, ttl: i64) -> Result<RecordSet, Failure> {
    let kind = one.one_of("type", &TYPES)?;
    let mut values = one.list("values")?;
    values.extend(one.optional("value")?);
    let as_held = |value: String| if kind == "TXT" && !value.starts_with('"') { quoted(&value) } else { value };
    Ok(RecordSet {
        name: whole_name(&one.text("name")?),
        r#type: kind.to_owned(),
        ttl: one.number("ttl", 0, i32::MAX)?.map_or(ttl, i64::from),
        values: values.into_iter().map(as_held).collect(),
    })
}

fn fault(set: &RecordSet) -> Option<String> {
    let (name, kind) = (said_name(&set.name), &set.r#type);
    let twice = |(at, value): (usize, &String)| set.values[..at].contains(value);
    match set.values.len() {
        0 => Some(format!("the record {name} {kind} has no values")),
        2.. if kind == "CNAME" => Some(format!("the record {name} CNAME has several values: it leads to one name")),
        _ if set.values.iter().enumerate().any(twice) => {
            Some(format!("the record {name} {kind} has a value that is there twice"))
        }
        _ => None,
    }
}

/// As a TXT record holds it: in strings of at most 255 characters.
pub(super) fn quoted(text: &str) -> String {
    let escaped: Vec<String> =
        text.chars().map(|c| if "\"\\".contains(c) { format!("\\{c}") } else { c.into() }).collect();
    let mut parts = vec![String::new()];
    for piece in escaped {
        let last = parts.len() - 1;
        if parts[last].len() + piece.len() > 255 {
            parts.push(piece);
        } else {
            parts[last].push_str(&piece);
        }
    }
    parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(" ")
}

pub(super) fn unquoted(value: &str) -> String {
    value.trim_matches('"').replace("\" \"", "").replace("\\\"", "\"").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    type Set = (String, String, i64, Vec<String>);

    fn given(with: Json) -> Result<Vec<Set>, String> {
        let Json::Object(given) = with else { panic!() };
        let made = sets(&Arguments { kind: "aws/dns-records", given: &given });
        let parts = |set: RecordSet| (set.name, set.r#type, set.ttl, set.values);
        made.map(|sets| sets.into_iter().map(parts).collect()).map_err(|failure| failure.what)
    }

    #[test]
    fn rows_of_one_name_and_type_are_one_set() {
        let rows = json!([
            {"name": "mc.acme.example", "type": "MX", "value": "10 mail.acme.example", "ttl": ""},
            {"name": "GW.mc.acme.example", "type": "A", "value": "10.40.10.20", "ttl": 30},
            {"name": "mc.acme.example", "type": "MX", "value": "20 mail2.acme.example", "ttl": ""},
            {"name": "mc.acme.example", "type": "TXT", "value": "v=spf1 -all", "ttl": ""},
        ]);
        let whole = |name: &str, kind: &str, ttl, values: &[&str]| {
            (name.to_owned(), kind.to_owned(), ttl, values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        let hosts = json!({"app-1": "10.40.10.11"});
        let with = json!({"records": rows, "ttl": 60, "hosts": hosts, "domain": "mc.acme.example"});
        assert_eq!(
            given(with),
            Ok(vec![
                whole("mc.acme.example.", "MX", 60, &["10 mail.acme.example", "20 mail2.acme.example"]),
                whole("gw.mc.acme.example.", "A", 30, &["10.40.10.20"]),
                whole("mc.acme.example.", "TXT", 60, &["\"v=spf1 -all\""]),
                whole("app-1.mc.acme.example.", "A", 60, &["10.40.10.11"]),
            ])
        );
    }

    #[test]
    fn what_cannot_stand_side_by_side_is_refused_with_both_values() {
        let refused = |rows: Json, word: &str| {
            let with = json!({"records": rows, "hosts": {"app-1": "10.40.10.11"}, "domain": "mc.acme.example"});
            let why = given(with).unwrap_err();
            assert!(why.contains(word), "{why}");
        };
        let a = |ttl: i64, value: &str| json!({"name": "gw.mc.acme.example", "type": "A", "ttl": ttl, "value": value});
        refused(json!([a(60, "10.0.0.1"), a(300, "10.0.0.2")]), "live 60 s and 300 s");
        refused(json!([a(60, "10.0.0.1"), a(60, "10.0.0.1")]), "there twice");
        let set = json!({"name": "gw.mc.acme.example", "values": ["10.0.0.1"]});
        refused(json!([set, set]), "given twice");
        refused(json!([set, a(300, "10.0.0.2")]), "given twice");
        refused(json!([{"name": "gw.mc.acme.example"}]), "has no values");
        refused(
            json!([{"name": "www.mc.acme.example", "type": "CNAME", "values": ["a.example", "b.example"]}]),
            "one name",
        );
        refused(json!([{"name": "app-1.mc.acme.example", "values": ["10.0.0.1"]}]), "app-1.mc.acme.example is among");
    }
}
