//! What holds for every answer: what is accepted can be shown and read back; what is not never breaks anything.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use proptest::prelude::*;

use super::{PRACTICE, REAL, kind};
use crate::input::{Kind, TIERS, Value, agree, from_plain, parse, suggest_subnets};

/// Accepted text whose canonical forms, shown, plain and stored, all lead back to the same value.
fn round_trips(name: &str, text: &str) -> Result<(), TestCaseError> {
    let kind = kind(name);
    let value =
        parse(&kind, text, &PRACTICE).map_err(|refusal| TestCaseError::fail(format!("{name} {text}: {refusal}")))?;
    let again = |outcome| prop_assert_eq_ok(outcome, &value);
    again(parse(&kind, &value.shown(), &PRACTICE))?;
    again(from_plain(&kind, &value.plain(), &PRACTICE))?;
    let stored = serde_json::to_string(&value).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let read: Value = serde_json::from_str(&stored).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(read, value);
    Ok(())
}

fn prop_assert_eq_ok(outcome: Result<Value, crate::input::Refusal>, value: &Value) -> Result<(), TestCaseError> {
    match outcome {
        Ok(again) => {
            prop_assert_eq!(&again, value);
            Ok(())
        }
        Err(refusal) => Err(TestCaseError::fail(format!("{}: {refusal}", value.shown()))),
    }
}

fn private_net(prefixes: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = Ipv4Net> {
    (any::<u32>(), prefixes).prop_map(|(low, prefix)| {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 | (low & 0x00ff_ffff));
        Ipv4Net::new(address, prefix).unwrap().trunc()
    })
}

/// Hosts each of which may be reached through one that comes before it.
fn hosts_text() -> impl Strategy<Value = String> {
    let one = (any::<prop::sample::Index>(), any::<bool>(), 1_u16..65_535, "[a-z]{1,8}", any::<bool>());
    proptest::collection::vec(one, 1..8).prop_map(|rows| {
        let lines = rows.iter().enumerate().map(|(index, (before, direct, port, user, key))| {
            let via = if *direct || index == 0 { String::new() } else { format!(" via=h{}", before.index(index)) };
            let key = if *key { " identity=/k/x" } else { "" };
            format!("h{index} 10.0.0.{index}:{port} {user}{via}{key}")
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

proptest! {
    #[test]
    fn single_values_round_trip(
        text in "[a-zA-Zäé0-9][a-zA-Zäé0-9 .,;=#-]{0,38}[a-z]",
        number in any::<i64>(),
        port in 1_u16..,
        address in any::<[u8; 16]>(),
        net in private_net(8..=32),
        vpc in private_net(16..=28),
    ) {
        round_trips("text", &text)?;
        round_trips("number", &number.to_string())?;
        round_trips("port", &port.to_string())?;
        round_trips("cidr", &net.to_string())?;
        round_trips("vpc-cidr", &vpc.to_string())?;
        let six = std::net::Ipv6Addr::from(address);
        if !six.is_multicast() {
            round_trips("address", &six.to_string())?;
            round_trips("host", &six.to_string())?;
        }
    }

    #[test]
    fn names_round_trip(slug in "[a-z][a-z0-9]{1,18}[a-z0-9]", user in "[a-z_][a-z0-9_-]{0,31}", labels in proptest::collection::vec("[a-z0-9]{1,10}", 1..4)) {
        let domain = format!("{}.example", labels.join("."));
        round_trips("slug", &slug)?;
        round_trips("unix-name", &user)?;
        round_trips("host", &domain)?;
        round_trips("email", &format!("{slug}@{domain}"))?;
    }

    #[test]
    fn tags_round_trip(tags in proptest::collection::btree_map("[A-Za-z][A-Za-z0-9:/@]{0,10}", "[A-Za-z0-9=+._-]{0,10}", 0..6)) {
        let lines: Vec<String> = tags.iter().map(|(key, value)| format!("T{key}={value}")).collect();
        round_trips("tags", &lines.join("\n"))?;
    }

    #[test]
    fn hosts_round_trip(text in hosts_text()) {
        round_trips("hosts", &text)?;
    }

    /// Whatever the size, a proposed plan is a plan that the kind accepts, inside of the VPC and without complaint.
    #[test]
    fn proposals_are_good_plans(vpc in private_net(16..=28), tiers in 1_usize..=5, zones in 2_usize..=3) {
        let zones: Vec<String> = ["a", "b", "c"][..zones].iter().map(|letter| format!("eu-west-1{letter}")).collect();
        let wanted = tiers * zones.len();
        match suggest_subnets(vpc, &TIERS[..tiers], &zones) {
            Ok(plan) => {
                prop_assert_eq!(plan.rows().len(), wanted);
                round_trips("subnets", &plan.shown())?;
                let values = BTreeMap::from([
                    ("net.vpc_cidr".parse().unwrap(), Value::Cidr(vpc)),
                    ("net.subnets".parse().unwrap(), plan),
                    ("aws.azs".parse().unwrap(), Value::List(zones.into_iter().map(Value::Text).collect())),
                ]);
                let errors: Vec<_> = agree(&values, None).into_iter().filter(|one| !one.warning).collect();
                prop_assert!(errors.is_empty(), "{errors:?}");
            }
            Err(refusal) => {
                let cells = 1_usize << (28 - vpc.prefix_len());
                prop_assert!(cells < wanted, "{vpc} holds {cells}, {wanted} are wanted: {refusal}");
            }
        }
    }

    /// No text makes a rule panic; what is accepted by chance round trips; what is refused is said in printable words.
    #[test]
    fn anything_at_all_is_answered(text in "\\PC{0,30}|[a-z0-9./:=,; \n#@-]{0,40}|(?s).{0,20}") {
        for row in Kind::all() {
            for setting in [REAL, PRACTICE] {
                match parse(&kind(row.name), &text, &setting) {
                    Ok(value) => {
                        let again = parse(&kind(row.name), &value.shown(), &setting);
                        prop_assert_eq!(again.as_ref(), Ok(&value), "{}: {:?}", row.name, text);
                        let again = from_plain(&kind(row.name), &value.plain(), &setting);
                        prop_assert_eq!(again.as_ref(), Ok(&value), "{}: {:?}", row.name, text);
                    }
                    Err(refusal) => prop_assert!(!refusal.to_string().contains(char::is_control), "{refusal:?}"),
                }
            }
        }
    }
}
