//! Tests of the room: a corpus for each kind, the rules between answers, and properties.

mod between;
mod corpus;
mod kinds;
mod openpgp;
mod properties;
mod tables;

use super::{Choice, Column, Kind, KindParams, Refusal, Setting, Value, parse};

/// 2027-01-15T12:00Z: the tests judge as on one day, whatever day it is.
const DAY: jiff::Timestamp = jiff::Timestamp::constant(1_800_014_400, 0);
pub(super) const REAL: Setting = Setting { practice: false, now: Some(DAY) };
pub(super) const PRACTICE: Setting = Setting { practice: true, now: Some(DAY) };

/// The kind of that name with default parameters; choices are two paths, entries are e-mail addresses.
pub(super) fn kind(name: &str) -> Kind {
    let choice = |value: &str, label: &str| Choice { value: value.into(), label: label.into() };
    let mut params = KindParams::default();
    if name.starts_with("choice") {
        params.choices =
            vec![choice("bastion_in_vpc", "In the VPC"), choice("bastion_in_customer_dc", "At the customer")];
    }
    match name {
        "name" => params.used_as = Some("environment".into()),
        "list" => params.of = Some("email".into()),
        "table" => {
            let column = |name: &str, kind: Kind, optional| Column { name: name.into(), kind, optional };
            params.columns = vec![
                column("user", kind("unix-name"), false),
                column("email", kind("email"), false),
                column("note", kind("text"), true),
            ];
        }
        _ => {}
    }
    Kind::named(name, &params).unwrap()
}

pub(super) fn given(name: &str, text: &str) -> Result<Value, Refusal> {
    parse(&kind(name), text, &REAL)
}

/// Every good answer is accepted and shown as given behind the arrow; every bad one is refused with these words.
pub(super) fn corpus(name: &str, setting: Setting, good: &[(&str, &str)], bad: &[(&str, &str)]) {
    for (text, shown) in good {
        let accepted = parse(&kind(name), text, &setting).map(|value| value.shown());
        assert_eq!(accepted.as_deref(), Ok(*shown), "{name}: {text}");
    }
    for (text, words) in bad {
        let refusal = parse(&kind(name), text, &setting).expect_err(text);
        let said = refusal.to_string();
        assert!(said.contains(words), "{name}: {text}: \"{said}\" does not say \"{words}\"");
        assert!(!refusal.source.is_empty() && !refusal.example.is_empty(), "{name}: {text}: {refusal:?}");
        assert!(!said.contains(char::is_control), "{said:?}");
    }
}
