//! The rules between answers, and the plan that onramp proposes.

use std::collections::BTreeMap;

use super::{PRACTICE, kind};
use crate::input::{Disagreement, InputId, Value, agree, parse, suggest_subnets};

fn answers(given: &[(&str, &str, &str)]) -> BTreeMap<InputId, Value> {
    let one = |(id, name, text): &(&str, &str, &str)| {
        let value =
            if *name == "any" { Value::Text((*text).into()) } else { parse(&kind(name), text, &PRACTICE).unwrap() };
        (id.parse().unwrap(), value)
    };
    given.iter().map(one).collect()
}

fn said(found: &[Disagreement]) -> Vec<String> {
    let line = |one: &Disagreement| {
        let ids: Vec<&str> = one.ids.iter().map(InputId::as_str).collect();
        format!("{} [{}]{}", one.refusal, ids.join(" "), if one.warning { " (warning)" } else { "" })
    };
    found.iter().map(line).collect()
}

const GOOD: [(&str, &str, &str); 9] = [
    ("aws.region_primary", "region", "eu-west-1"),
    ("aws.azs", "zones", "eu-west-1a, eu-west-1b"),
    ("net.vpc_cidr", "vpc-cidr", "10.40.0.0/16"),
    ("net.onprem_cidrs", "cidr-list", "192.168.0.0/16"),
    ("net.access_path", "any", "bastion_in_vpc"),
    ("net.nat_mode", "any", "per_az"),
    (
        "net.subnets",
        "subnets",
        "10.40.0.0/24 public eu-west-1a\n10.40.1.0/24 public eu-west-1b\n10.40.16.0/24 app eu-west-1a",
    ),
    ("hosts.all", "hosts", "bastion 10.40.0.5 ops role=bastion\napp-1 10.40.16.5 ops via=bastion"),
    ("hosts.launch", "launch", "app-2 app/a t3.small"),
];

#[test]
fn good_answers_agree() {
    assert_eq!(said(&agree(&answers(&GOOD), None)), Vec::<String>::new());
    assert_eq!(agree(&BTreeMap::new(), None), []);
}

/// The good answers with these in their place, and a fragment of every message that must come of it, in order.
fn check(changes: &[(&str, &str, &str)], expected: &[&str]) {
    let mut values = answers(&GOOD);
    values.extend(answers(changes));
    let said = said(&agree(&values, None));
    assert_eq!(said.len(), expected.len(), "{changes:?}: {said:#?}");
    for (said, fragment) in said.iter().zip(expected) {
        assert!(said.contains(fragment), "{changes:?}: \"{said}\" does not say \"{fragment}\"");
    }
}

#[test]
fn ranges_that_overlap_are_named_with_both_answers() {
    check(
        &[("net.onprem_cidrs", "cidr-list", "192.168.0.0/16, 10.40.128.0/20")],
        &["10.40.0.0/16 of net.vpc_cidr and 10.40.128.0/20 of net.onprem_cidrs overlap"],
    );
    check(&[("net.onprem_cidrs", "cidr-list", "10.0.0.0/8")], &["[net.vpc_cidr net.onprem_cidrs]"]);
    check(&[("net.other_vpc_cidrs", "cidr-list", "10.40.0.0/20")], &["10.40.0.0/20 of net.other_vpc_cidrs overlap"]);
    check(&[("peer.provider_vpc_cidr", "cidr", "10.40.0.0/15")], &["10.40.0.0/15 of peer.provider_vpc_cidr overlap"]);
    check(
        &[("peer.provider_vpc_cidr", "cidr", "10.99.0.0/20"), ("net.other_vpc_cidrs", "cidr-list", "10.99.1.0/24")],
        &["10.99.1.0/24 of net.other_vpc_cidrs and 10.99.0.0/20 of peer.provider_vpc_cidr overlap"],
    );
}

#[test]
fn ranges_that_hurt_later_are_warned_of() {
    let subnets = |net: &'static str| [("net.vpc_cidr", "vpc-cidr", net)];
    for (net, words) in [
        ("172.17.0.0/16", "default network of containers"),
        ("198.19.0.0/16", "AWS uses 198.19.0.0/16"),
        ("100.64.0.0/16", "shared by carriers"),
        ("52.1.0.0/16", "not private (RFC 1918)"),
        ("203.0.113.0/24", "good for practice only"),
    ] {
        let mut values = answers(&subnets(net));
        values.extend(answers(&[("net.onprem_cidrs", "cidr-list", "192.168.0.0/16")]));
        let said = said(&agree(&values, None));
        assert!(
            said.len() == 1 && said[0].contains(words) && said[0].ends_with("[net.vpc_cidr] (warning)"),
            "{said:?}"
        );
    }
}

#[test]
fn secondary_ranges_fit_the_primary_one() {
    check(&[("net.secondary_cidrs", "cidr-list", "10.41.0.0/16")], &[]);
    check(&[("net.secondary_cidrs", "cidr-list", "10.0.0.0/16")], &[]);
    let beside = ("net.secondary_cidrs", "cidr-list", "10.1.0.0/16 10.0.0.0/16");
    check(&[beside], &["beside a block from 10.0.0.0/15 AWS takes none from 10.0.0.0/16"]);
    let theirs = ("net.secondary_cidrs", "cidr-list", "198.19.4.0/22");
    check(&[theirs], &["may hurt later", "takes no further block from 198.19.0.0/16"]);
    check(&[("net.secondary_cidrs", "cidr-list", "172.20.0.0/16")], &["two private ranges in one VPC"]);
    check(&[("net.secondary_cidrs", "cidr-list", "100.64.0.0/20")], &["shared by carriers"]);
    let five = "10.41.0.0/16 10.42.0.0/16 10.43.0.0/16 10.44.0.0/16 10.45.0.0/16";
    check(&[("net.secondary_cidrs", "cidr-list", five)], &["net.secondary_cidrs has 5 ranges"]);
}

#[test]
fn subnets_fit_the_network() {
    let with = |text: &'static str| [("net.subnets", "subnets", text), ("hosts.launch", "launch", "")];
    let public = "10.40.0.0/24 public eu-west-1a\n10.40.1.0/24 public eu-west-1b";
    check(&with(public), &[]);
    check(
        &with("10.40.0.0/24 public eu-west-1a\n10.41.1.0/24 public eu-west-1b"),
        &["subnet public/b (10.41.1.0/24) lies outside of 10.40.0.0/16"],
    );
    check(&with("10.40.0.0/24 public eu-west-1a"), &["eu-west-1b has no public subnet"]);
    check(
        &with("10.40.0.0/24 app eu-west-1a"),
        &["eu-west-1a has no public subnet", "eu-west-1b has no public subnet", "the bastion needs one"],
    );
    check(
        &with("10.40.0.0/24 public eu-west-1a\n10.40.1.0/24 public eu-west-1b\n10.40.2.0/24 app eu-west-1c"),
        &["subnet app/c is in eu-west-1c, which is not among the zones eu-west-1a and eu-west-1b"],
    );
    check(
        &with("10.40.0.0/28 public eu-west-1a\n10.40.1.0/24 public eu-west-1b\n10.40.2.0/28 data eu-west-1b"),
        &["subnet public/a (10.40.0.0/28) is too small for a load balancer"],
    );
    check(
        &[
            ("net.secondary_cidrs", "cidr-list", "10.41.0.0/16"),
            (
                "net.subnets",
                "subnets",
                "10.40.0.0/24 public eu-west-1a\n10.41.1.0/24 public eu-west-1b\n10.40.2.0/24 app eu-west-1a",
            ),
        ],
        &[],
    );
}

#[test]
fn one_nat_gateway_needs_one_public_subnet() {
    let app = ("net.subnets", "subnets", "10.40.0.0/24 app eu-west-1a");
    let public = ("net.subnets", "subnets", "10.40.0.0/24 app eu-west-1a\n10.40.1.0/24 public eu-west-1b");
    let dc = ("net.access_path", "any", "bastion_in_customer_dc");
    check(&[("net.nat_mode", "any", "single"), dc, app], &["net.nat_mode = single, the NAT gateway needs one"]);
    check(&[("net.nat_mode", "any", "single"), dc, public], &[]);
    check(&[("net.nat_mode", "any", "none_proxy"), dc, app], &[]);
}

#[test]
fn regions_and_zones_fit() {
    check(
        &[("aws.region_primary", "region", "eu-central-1")],
        &["eu-west-1a of aws.azs is not in eu-central-1", "eu-west-1b of aws.azs"],
    );
    check(&[("aws.region_dr", "region", "eu-central-1")], &[]);
    check(&[("aws.region_dr", "region", "eu-west-1")], &["eu-west-1 cannot stand in for eu-west-1"]);
    check(&[("aws.region_dr", "region", "us-gov-west-1")], &["one partition"]);
}

#[test]
fn a_small_vpc_is_refused_before_the_plan() {
    let values =
        answers(&[("net.vpc_cidr", "vpc-cidr", "10.40.0.0/28"), ("aws.azs", "zones", "eu-west-1a, eu-west-1b")]);
    assert!(said(&agree(&values, None))[0].contains("10.40.0.0/28 has no room for 4 subnets"));
}

#[test]
fn the_customers_bastion_is_on_premises() {
    check(&[("dc.bastion_egress_ip", "address", "192.168.10.5")], &[]);
    check(&[("dc.bastion_egress_ip", "address", "8.8.8.8")], &["8.8.8.8 of dc.bastion_egress_ip is a public address"]);
    check(
        &[("dc.bastion_egress_ip", "address", "10.9.0.5")],
        &["10.9.0.5 of dc.bastion_egress_ip is in none of the ranges of net.onprem_cidrs"],
    );
}

#[test]
fn hosts_have_their_place() {
    check(
        &[("hosts.launch", "launch", "app-1 app/a t3.small")],
        &["app-1 of hosts.launch is already a host of hosts.all"],
    );
    check(&[("hosts.launch", "launch", "app-2 app/b t3.small")], &["For example: app/a"]);
    check(&[("hosts.launch", "launch", "app-2 public/a t3.small")], &["would stand in the public subnet public/a"]);
    check(
        &[("hosts.all", "hosts", "bastion 10.40.0.5 ops role=bastion\napp-1 10.40.16.5 ops")],
        &[
            "app-1 of hosts.all is reached directly: hosts will accept SSH from the bastion bastion only. For example: via=bastion [hosts.all] (warning)",
        ],
    );
}

#[test]
fn the_proposed_plan_fits_every_size() {
    let zones = ["eu-west-1a".to_owned(), "eu-west-1b".to_owned()];
    let plan = |vpc: &str, tiers: &[&str]| suggest_subnets(vpc.parse().unwrap(), tiers, &zones);
    assert_eq!(
        plan("10.40.0.0/16", &["public", "app", "data"]).unwrap().shown(),
        "10.40.0.0/24 public eu-west-1a\n10.40.1.0/24 public eu-west-1b\n10.40.16.0/24 app eu-west-1a\n\
         10.40.17.0/24 app eu-west-1b\n10.40.32.0/24 data eu-west-1a\n10.40.33.0/24 data eu-west-1b"
    );
    assert_eq!(
        plan("10.40.0.0/24", &["public", "app"]).unwrap().shown(),
        "10.40.0.0/26 public eu-west-1a\n10.40.0.64/26 public eu-west-1b\n10.40.0.128/26 app eu-west-1a\n10.40.0.192/26 app eu-west-1b"
    );
    let refusal = plan("10.40.0.0/27", &["public", "app"]).unwrap_err().to_string();
    assert!(
        refusal.contains("10.40.0.0/27 has no room for 4 subnets") && refusal.ends_with("For example: 10.40.0.0/26"),
        "{refusal}"
    );
    assert!(plan("10.40.0.0/16", &[]).is_err());
    assert!(plan("10.40.0.0/16", &["public", "public"]).is_err());
    assert!(plan("10.40.0.0/16", &["publik"]).unwrap_err().to_string().contains("public"));
}

#[test]
fn a_mail_from_domain_that_is_the_verified_one_is_complained_of_once() {
    let mail = |mail_from: &'static str| {
        [
            ("smtp.mode", "any", "amazon_ses"),
            ("ses.domain", "any", "mc.acme.example"),
            ("ses.mail_from", "any", mail_from),
            ("smtp.from", "any", "no-reply@mc.acme.example"),
        ]
    };
    check(&mail("mc.acme.example"), &["is not below mc.acme.example"]);
    check(&mail("bounce.mc.acme.example"), &[]);
}

#[test]
fn a_line_has_an_earliest_day() {
    let now = "2026-12-30T23:30:00Z".parse().ok();
    let said_of = |mode: &'static str, kind: &'static str| {
        let values = answers(&[("conn.mode", "any", mode), ("dx.kind", "any", kind)]);
        said(&agree(&values, now))
    };
    let alone = said_of("direct_connect", "dedicated");
    assert!(alone[0].contains("ordered today is there on 2027-01-02 at the very earliest"), "{alone:?}");
    assert!(alone[0].contains("nothing else is there until then") && alone[0].contains("a VPN is the bridge"));
    let beside = said_of("direct_connect_with_vpn_backup", "hosted");
    assert!(beside[0].contains("2027-01-02") && beside[0].contains("the VPN carries alone until then"), "{beside:?}");
    for (mode, kind) in [("ipsec_vpn", "hosted"), ("direct_connect", "interface"), ("direct_connect", "gateway")] {
        assert_eq!(said_of(mode, kind), Vec::<String>::new());
    }
    let whenever = said(&agree(&answers(&[("conn.mode", "any", "direct_connect")]), None));
    assert!(whenever[0].contains("three days after it was ordered"), "{whenever:?}");
}
