//! What templates see, what they become, and what a digest binds to.

use super::super::scope::{expand_planned, plan_digests};
use super::super::{Call, bound, digest_of, hosts, item_of, plan_digest};
use super::*;
use crate::runbook::{Scope, StepId, Template, Unrendered};

fn values(walk: &Walk, mode: ScopeMode) -> Scope {
    scope(&walk.engagement, &walk.runbook, mode)
}

fn rendered(walk: &Walk, step: &str, mode: ScopeMode) -> Result<Call, Unrendered> {
    let values = values(walk, mode);
    let address = at(step);
    let found = walk.runbook.step(&address.step).unwrap();
    let item = item_of(found, &address, &values)?.unwrap();
    call(found, item.as_ref(), &values)
}

#[test]
fn real_values_are_what_steps_kept_and_missing_ones_are_named() {
    let mut walk = Walk::filled();
    let missing = rendered(&walk, "net/subnets[eu-west-1a]", ScopeMode::Real).unwrap_err();
    assert_eq!(missing, Unrendered::Missing { name: "net.vpc_id".to_owned() });
    walk.makes("net/vpc", "net.vpc_id", "vpc-1");
    let Call::Kind { with, .. } = rendered(&walk, "net/subnets[eu-west-1a]", ScopeMode::Real).unwrap() else {
        panic!()
    };
    assert_eq!(Json::Object(with), json!({ "vpc": "vpc-1", "cidr": "10.40.0.0/16", "key": "subnet/eu-west-1a" }));
}

#[test]
fn planned_values_are_the_same_before_and_after_and_show_where_they_come_from() {
    let before = Walk::filled();
    let after = Walk::made();
    let step = "net/subnets[eu-west-1b]";
    let Call::Kind { with, .. } = rendered(&before, step, ScopeMode::Plan).unwrap() else { panic!() };
    assert_eq!(with["vpc"], json!("\u{2039}net.vpc_id\u{203a}"));
    assert_eq!(rendered(&before, step, ScopeMode::Plan), rendered(&after, step, ScopeMode::Plan));
    assert_ne!(rendered(&after, step, ScopeMode::Plan), rendered(&after, step, ScopeMode::Real));
    let digest = |walk: &Walk| plan_digest(&walk.runbook, &at(step), &values(walk, ScopeMode::Plan));
    assert_eq!(digest(&before), digest(&after));
    assert!(digest(&before).is_some());
}

/// A condition on what a step is yet to find out is shown as it was written, and never as one of its two ends.
#[test]
fn what_hangs_on_something_that_is_not_known_yet_is_shown_as_it_was_written() {
    let more = r#"  - id: tagged
    title: Tagged
    aws: subnet
    with: {vpc: "{{ 'v-1' if net.vpc_id == 'vpc-1' else 'v-2' }}", cidr: "{{ 'x' if net.mode == 'vpn' else 'y' }}", key: k}
  - id: script
    title: Script
    host: app
    shell:
      run: |
        d={{ '/a' if net.vpc_id == 'vpc-1' else '/b' }}
        echo "$d"
      undo: |
        true
"#;
    let with = |walk: &mut Walk, step: &str, mode: ScopeMode| {
        walk.runbook = runbook(&format!("{SMALL}{more}"));
        rendered(walk, step, mode).unwrap()
    };
    let written = "\u{2039}'v-1' if net.vpc_id == 'vpc-1' else 'v-2'\u{203a}";
    for walk in [&mut Walk::filled(), &mut Walk::made()] {
        let Call::Kind { with, .. } = with(walk, "net/tagged", ScopeMode::Plan) else { panic!() };
        assert_eq!((&with["vpc"], &with["cidr"]), (&json!(written), &json!("x")), "and an answer decides at once");
    }
    let Call::Kind { with: real, .. } = with(&mut Walk::made(), "net/tagged", ScopeMode::Real) else { panic!() };
    assert_eq!(real["vpc"], json!("v-1"));
    let shown = format!("{:?}", with(&mut Walk::filled(), "net/script", ScopeMode::Plan));
    assert!(shown.contains("\u{2039}") && shown.contains("if net.vpc_id") && !shown.contains("d='/b'"), "{shown}");
}

/// Two ways to one thing: the plan shows what the way that is taken will have made, whichever stands last.
#[test]
fn a_step_that_is_left_out_hides_nothing_that_another_saves_under_the_same_name() {
    let step = |id: &str, mode: &str| {
        format!(
            "  - id: {id}\n    title: Lines\n    when: net.mode == \"{mode}\"\n    for_each: net.zones\n    aws: subnet\n    \
             with: {{vpc: v, cidr: c, key: \"{{{{ item }}}}\"}}\n    saves: {{id: net.line_ids}}\n"
        )
    };
    for modes in [["vpn", "dx"], ["dx", "vpn"]] {
        let mut walk = Walk::filled();
        walk.runbook = runbook(&format!("{SMALL}{}{}", step("one", modes[0]), step("other", modes[1])));
        let plan = values(&walk, ScopeMode::Plan);
        let shown = json!("\u{2039}net.line_ids[eu-west-1b]\u{203a}");
        assert_eq!(plan.get_dotted("net.line_ids.eu-west-1b"), Some(&shown), "{modes:?}");
    }
}

#[test]
fn an_item_of_what_is_not_known_yet_shows_the_name_that_it_waits_for() {
    let mut values = Scope::new();
    values.insert_dotted("net.rows", json!("\u{2039}net.rows\u{203a}"));
    values.insert_dotted("net.seen", json!([{ "id": "a" }]));
    let template = |source: &str| Template::parse(source).unwrap();
    let text = template("to {{ net.rows[0].id }} and {{ net.rows['b'] }}, not {{ net.seen[0].id }}").text(&values);
    let shown = "to \u{2039}net.rows[0].id\u{203a} and \u{2039}net.rows.b\u{203a}, not a";
    assert_eq!(text, Ok(shown.to_owned()));
    assert_eq!(template("{{ net.rows[0] }}").value(&values), Ok(json!("\u{2039}net.rows[0]\u{203a}")));
    let whole = template("{{ net.rows }}").value(&values);
    assert_eq!(whole, Ok(json!("\u{2039}net.rows\u{203a}")), "as before where nothing is taken of it");
    let script = Template::parse_script("ping {{ net.rows[0].id }}").unwrap().shell(&values).unwrap();
    assert!(script.contains("\u{2039}net.rows[0].id\u{203a}"), "{script}");
}

#[test]
fn a_condition_takes_a_step_away_and_a_list_repeats_it() {
    let mut walk = Walk::filled();
    let count = |walk: &Walk, step: &str| {
        let step = walk.runbook.step(&StepId::new("net", step)).unwrap();
        expand(step, &values(walk, ScopeMode::Real)).map(|items| items.len())
    };
    assert_eq!((count(&walk, "tunnel"), count(&walk, "line"), count(&walk, "subnets")), (Ok(1), Ok(0), Ok(2)));
    walk.gives("net.mode", "dx").unwrap();
    assert_eq!((count(&walk, "tunnel"), count(&walk, "line")), (Ok(0), Ok(1)));
    assert!(count(&Walk::new(), "tunnel").is_err());
    assert_eq!(
        item_of(
            walk.runbook.step(&StepId::new("net", "subnets")).unwrap(),
            &at("net/subnets[mars]"),
            &values(&walk, ScopeMode::Real)
        ),
        Ok(None)
    );
}

#[test]
fn scripts_are_rendered_quoted() {
    let walk = Walk::made();
    let Call::Shell { run, host, .. } = rendered(&walk, "net/port", ScopeMode::Real).unwrap() else { panic!() };
    assert_eq!(host, "app");
    assert!(run.as_deref().unwrap().contains("10.40.0.0/16"), "{run:?}");
}

#[test]
fn a_digest_covers_all_that_is_sent_and_nothing_else() {
    let digest_with = |from: &str, to: &str| {
        let mut walk = Walk::made();
        walk.runbook = runbook(&SMALL.replace(from, to));
        rendered(&walk, "net/port", ScopeMode::Real).unwrap().digest()
    };
    let plain = digest_with("nothing of it", "");
    assert_eq!(plain, digest_with("title: The port", "title: Another title"));
    assert_eq!(plain, digest_with("undo: \"true\"", "undo: \"false\""), "how it is taken back is not what is done");
    assert_ne!(plain, digest_with("check: \"true\"", "check: \"false\""));
    assert_ne!(plain, digest_with("echo {{", "printf %s {{"));
    assert_ne!(plain, digest_with("host: app", "host: bastion"));
    assert_ne!(plain, digest_with("shell: {check", "sudo: false\n    shell: {check"));
}

#[test]
fn a_digest_does_not_depend_on_the_order_of_keys() {
    let one: Json = serde_json::from_str(r#"{"a": 1, "b": {"c": 2, "d": 3}}"#).unwrap();
    let other: Json = serde_json::from_str(r#"{"b": {"d": 3, "c": 2}, "a": 1}"#).unwrap();
    assert_eq!(digest_of(&one), digest_of(&other));
    assert_ne!(digest_of(&json!(["ab", "c"])), digest_of(&json!(["a", "bc"])));
}

#[test]
fn the_account_and_the_region_are_part_of_what_is_planned_in_aws() {
    let mut walk = Walk::filled();
    let planned = |walk: &Walk, step: &str| {
        bound(&rendered(walk, step, ScopeMode::Plan).unwrap(), &values(walk, ScopeMode::Plan))
    };
    let (vpc, tunnel) = (planned(&walk, "net/vpc"), planned(&walk, "net/tunnel"));
    walk.gives("aws.region_primary", "eu-central-1").unwrap();
    assert_ne!(vpc, planned(&walk, "net/vpc"));
    assert_eq!(tunnel, planned(&walk, "net/tunnel"));
}

#[test]
fn hosts_that_are_known_can_be_named_and_others_say_why_not() {
    let walk = Walk::made();
    let values = values(&walk, ScopeMode::Real);
    let found = hosts(&walk.runbook, &values);
    assert_eq!(found.len(), 2);
    let by_name: BTreeMap<_, _> = found.into_iter().collect();
    assert!(by_name["bastion"].is_err());
    let app = by_name["app"].as_ref().unwrap();
    assert_eq!((app.address.as_str(), app.port, app.via.as_deref()), ("10.0.0.9", None, Some("bastion")));
    assert_eq!(
        values.get_dotted("hosts.private"),
        Some(&json!([{ "name": "app", "via": "bastion", "address": "10.0.0.9" }]))
    );
    assert_eq!(
        values.get_dotted("hosts.bastions"),
        Some(&json!([{ "name": "bastion", "via": "" }])),
        "not known before it is there"
    );
}

#[test]
fn addresses_are_read_as_they_are_written() {
    for text in ["net/vpc", "net/subnets[eu-west-1a]", "net/subnets[app/a]", "net/x[a[0]]", "net/x[a]b]"] {
        assert_eq!(at(text).to_string(), text);
        assert_eq!(serde_json::from_value::<Address>(json!(text)).unwrap(), at(text));
    }
    for wrong in ["", "net", "net/", "/vpc", "net/vpc[", "net/vpc[]", "net/vpc[a", "Net/vpc", "net/vpc a", "a/b/c"] {
        assert!(wrong.parse::<Address>().is_err(), "{wrong}");
    }
}

#[test]
fn a_step_that_hangs_on_what_another_finds_out_is_planned_before_and_after() {
    let found_out = SMALL.replace("when: net.mode == \"vpn\"", "when: net.vpc_id == \"vpc-1\"");
    assert_ne!(found_out, SMALL, "or this shows nothing");
    let mut walk = Walk::filled();
    walk.runbook = runbook(&found_out);
    let planned = |walk: &Walk| {
        let step = walk.runbook.step(&StepId::new("net", "tunnel")).unwrap();
        expand_planned(step, &values(walk, ScopeMode::Plan), &values(walk, ScopeMode::Real)).map(|items| items.len())
    };
    assert_eq!(planned(&walk), Ok(1), "it may be needed");
    let digest = |walk: &Walk| plan_digests(&walk.engagement, &walk.runbook).remove(&at("net/tunnel"));
    let before = digest(&walk);
    walk.makes("net/vpc", "net.vpc_id", "vpc-1");
    assert_eq!(planned(&walk), Ok(1), "it is needed");
    assert!(before.is_some() && before == digest(&walk), "an approval of the one covers the other");
    let mut other = Walk::filled();
    other.runbook = runbook(&found_out);
    other.makes("net/vpc", "net.vpc_id", "vpc-2");
    assert_eq!(planned(&other), Ok(0), "it is not needed");
}

/// Somebody decided otherwise: what was answered for the way that was left is worked with no more, and is there again with it.
#[test]
fn an_answer_of_a_way_that_was_left_counts_for_nothing_until_that_way_is_taken_again() {
    let mut walk = Walk::filled();
    let peer = |walk: &Walk| values(walk, ScopeMode::Real).get_dotted("net.peer").cloned();
    assert_eq!(peer(&walk), Some(json!("198.51.100.7")));
    walk.gives("net.mode", "dx").unwrap();
    assert_eq!(peer(&walk), None);
    walk.gives("net.mode", "vpn").unwrap();
    assert_eq!(peer(&walk), Some(json!("198.51.100.7")));
}

const TWO_WAYS: &str = r#"
runbook: ways
title: Ways
phase: net
inputs:
  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}
  - {id: vpn.routing, label: Routing, kind: choice, choices: [static, bgp]}
  - {id: vpn.static_prefixes, label: Behind it, kind: cidr-list, use: routes, min: 1, max: 9, min_prefix: 0, when: vpn.routing == "static"}
steps:
  - {id: ask, title: Ask, form: [net.vpc_cidr, vpn.routing, vpn.static_prefixes]}
"#;

#[test]
fn a_rule_between_answers_looks_at_those_that_count_also_when_one_counts_again() {
    let mut walk = Walk::new();
    walk.runbook = runbook(TWO_WAYS);
    walk.gives("vpn.routing", "static").unwrap();
    walk.gives("vpn.static_prefixes", "10.0.0.0/8").unwrap();
    assert!(walk.gives("net.vpc_cidr", "10.40.0.0/16").unwrap_err().why.contains("10.0.0.0/8"));
    walk.gives("vpn.routing", "bgp").unwrap();
    walk.gives("net.vpc_cidr", "10.40.0.0/16").unwrap();
    let refusal = walk.gives("vpn.routing", "static").unwrap_err();
    assert!(refusal.why.contains("10.0.0.0/8"), "{refusal}");
}
