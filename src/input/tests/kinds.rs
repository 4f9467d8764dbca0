//! The table of kinds itself, and what a runbook may say about them.

use std::time::Instant;

use super::{PRACTICE, REAL, kind};
use crate::input::{Choice, Kind, KindParams, parse};

#[test]
fn every_row_has_a_kind_and_every_example_is_accepted() {
    for row in Kind::all() {
        let kind = kind(row.name);
        assert_eq!((kind.name(), kind.describe()), (row.name, row.summary));
        assert!(row.summary.ends_with('.'), "{}", row.name);
        if !row.example.is_empty() {
            assert_eq!(parse(&kind, row.example, &PRACTICE).unwrap().shown(), row.example, "{}", row.name);
        }
    }
}

#[test]
fn a_wrong_kind_is_named_with_the_nearest() {
    let named = |name: &str, params: KindParams| Kind::named(name, &params).unwrap_err();
    assert_eq!(
        named("vpc_cidr", KindParams::default()),
        "there is no kind of input called vpc_cidr; did you mean vpc-cidr?"
    );
    let said = named("wibble", KindParams::default());
    assert!(said.starts_with("there is no kind of input called wibble; there are text, slug, "), "{said}");
    assert!(Kind::all().iter().all(|row| said.contains(row.name)), "{said}");
    let min = KindParams { min: Some(1), ..KindParams::default() };
    assert_eq!(named("slug", min.clone()), "the kind slug takes no min");
    assert_eq!(named("cidr", min), "the kind cidr takes no min, only min_prefix and max_prefix");
    let empty = KindParams { min: Some(5), max: Some(4), ..KindParams::default() };
    assert_eq!(named("number", empty), "min 5 and max 4 of the kind number leave nothing");
    let negative = KindParams { min: Some(-1), ..KindParams::default() };
    assert!(named("text", negative).contains("leave nothing"));
    let prefix = KindParams { max_prefix: Some(33), ..KindParams::default() };
    assert!(named("cidr", prefix).contains("0 to 32"));
    assert!(named("choice", KindParams::default()).contains("nothing to choose from"));
    for (values, words) in [(&["a", "A"][..], "there twice"), (&["two words"], "not one word"), (&[""], "not one word")]
    {
        let choices = values.iter().map(|value| Choice { value: (*value).into(), label: String::new() }).collect();
        assert!(named("choice", KindParams { choices, ..KindParams::default() }).contains(words));
    }
}

#[test]
fn parameters_move_the_bounds() {
    let with = |name: &str, params: KindParams| Kind::named(name, &params).unwrap();
    let number = with("number", KindParams { min: Some(0), max: Some(90), ..KindParams::default() });
    assert!(parse(&number, "90", &REAL).is_ok());
    assert!(parse(&number, "91", &REAL).unwrap_err().to_string().contains("0 to 90"));
    let at_least = with("number", KindParams { min: Some(92), ..KindParams::default() });
    assert!(parse(&at_least, "7", &REAL).unwrap_err().to_string().contains("at least 92"));
    let text = with("text", KindParams { max: Some(3), ..KindParams::default() });
    assert!(parse(&text, "four", &REAL).unwrap_err().to_string().contains("For example: fou"));
    let everything = with("cidr", KindParams { min_prefix: Some(0), ..KindParams::default() });
    assert_eq!(parse(&everything, "0.0.0.0/0", &REAL).unwrap().shown(), "0.0.0.0/0");
    let one =
        with("cidr-list", KindParams { min: Some(1), max: Some(1), min_prefix: Some(24), ..KindParams::default() });
    assert!(parse(&one, "", &REAL).unwrap_err().to_string().contains("0 ranges given: the number of entries is 1"));
    assert!(parse(&one, "10.0.0.0/16", &REAL).unwrap_err().to_string().contains("from /24 (256 addresses)"));
}

/// Generous, because test machines are slow and this is no release build; what it finds is a rule that is not linear.
#[test]
fn the_longest_answers_are_refused_quickly() {
    let junk = ["10.0.0.0/8 ".repeat(20_000), "a=b\n".repeat(16_000), "x".repeat(65_000), "\u{202e}".repeat(20_000)];
    for row in Kind::all() {
        for text in &junk {
            let started = Instant::now();
            let _ = parse(&kind(row.name), text, &REAL);
            assert!(started.elapsed().as_millis() < 500, "{} took {:?}", row.name, started.elapsed());
        }
    }
    assert!(parse(&kind("text"), &"x".repeat(70_000), &REAL).unwrap_err().to_string().contains("65,536"));
}
