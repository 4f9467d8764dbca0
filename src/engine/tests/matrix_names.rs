//! The lost-reply matrix of names: every call of Route 53 and its Resolver that changes something × every way in which its
//! answer can go astray, as in `matrix`.

use std::collections::BTreeSet;

use super::matrix::{WAYS, assert_all_is_shown, assert_struck, made, take_all_back, take_place, undone_in_spite_of};
use super::*;
use crate::aws::route53;

/// A network, names in it and beside it, and the way to the data centre's names.
const NAMES: &str = r#"
runbook: names
title: Names
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {cidr: 10.40.0.0/16, key: vpc/main}
    saves: {id: net.vpc_id}
  - id: dr
    title: The other VPC
    aws: vpc
    with: {cidr: 10.41.0.0/16, key: vpc/dr}
    saves: {id: net.dr_id}
  - id: subnet-a
    title: A subnet
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: 10.40.0.0/24, zone: "{{ aws.region_primary }}a", key: subnet/a}
    saves: {id: net.subnet_a}
  - id: subnet-b
    title: Another subnet
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: 10.40.1.0/24, zone: "{{ aws.region_primary }}b", key: subnet/b}
    saves: {id: net.subnet_b}
  - id: group
    title: The group
    aws: security-group
    with: {vpc: "{{ net.vpc_id }}", name: resolver, key: sg/resolver, ingress: [{port: 53, cidrs: [192.168.0.0/16], why: names}]}
    saves: {id: net.group_id}
  - id: zone
    title: The zone
    aws: hosted-zone
    with: {name: mc.acme.example, vpc: "{{ net.vpc_id }}", region: "{{ aws.region_primary }}", key: zone/main}
    saves: {id: net.zone_id}
    within: 2m
  - id: tie
    title: The zone is asked from the other VPC
    aws: zone-association
    with: {zone: "{{ net.zone_id }}", vpc: "{{ net.dr_id }}", region: "{{ aws.region_primary }}"}
  - id: leave
    title: A VPC of somebody else's may ask it
    aws: zone-authorization
    with: {zone: "{{ net.zone_id }}", vpc: vpc-0a1b2c3d4e5f60718, region: "{{ aws.region_primary }}"}
  - id: records
    title: The records
    aws: dns-records
    with:
      zone: "{{ net.zone_id }}"
      key: records/main
      records: [{name: gw.mc.acme.example, values: [10.40.0.10]}, {name: db.mc.acme.example, values: [10.40.0.11]}]
  - id: out
    title: The way out
    aws: resolver-endpoint
    with:
      direction: outbound
      groups: ["{{ net.group_id }}"]
      subnets: ["{{ net.subnet_a }}", "{{ net.subnet_b }}"]
      key: resolver/out
    saves: {id: net.out_id}
    within: 2m
  - id: rule
    title: The rule
    aws: resolver-rule
    with: {domain: corp.acme.example, endpoint: "{{ net.out_id }}", targets: [192.168.1.10], key: rule/corp}
    saves: {id: net.rule_id}
  - id: rule-holds
    title: The rule holds
    aws: resolver-rule-association
    with: {rule: "{{ net.rule_id }}", vpc: "{{ net.vpc_id }}"}
  - id: log
    title: What is asked is logged
    needs: [tie, leave, records, rule-holds]
    aws: resolver-query-log
    with:
      destination: arn:aws:logs:eu-west-1:123456789012:log-group:names
      vpcs: ["{{ net.vpc_id }}"]
      key: log/names
"#;

/// Which step sends it first, on the way there.
pub(super) const MAKES: [(&str, &str); 10] = [
    ("CreateHostedZone", "zone"),
    ("ChangeTagsForResource", "zone"),
    ("AssociateVPCWithHostedZone", "tie"),
    ("CreateVPCAssociationAuthorization", "leave"),
    ("ChangeResourceRecordSets", "records"),
    ("CreateResolverEndpoint", "out"),
    ("CreateResolverRule", "rule"),
    ("AssociateResolverRule", "rule-holds"),
    ("CreateResolverQueryLogConfig", "log"),
    ("AssociateResolverQueryLogConfig", "log"),
];

/// What an undo of everything sends.
pub(super) const TAKES: [&str; 9] = [
    "DisassociateVPCFromHostedZone",
    "DeleteVPCAssociationAuthorization",
    "ChangeResourceRecordSets",
    "DeleteHostedZone",
    "DisassociateResolverRule",
    "DeleteResolverRule",
    "DeleteResolverEndpoint",
    "DisassociateResolverQueryLogConfig",
    "DeleteResolverQueryLogConfig",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_name_whatever_becomes_of_the_answer() {
    // In the order of their ids, which are others each time.
    let sorted = |mut objects: Vec<String>| {
        objects.sort_unstable();
        objects
    };
    let usual = sorted(made(&Stage::new(NAMES, Faults::none()), Some("log")).await);
    let usual = &usual;
    let cells = MAKES.iter().flat_map(|(operation, step)| WAYS.map(|way| (*operation, *step, way)));
    let cells = cells.filter(|(operation, _, way)| *way != Fault::Invisible || operation.starts_with("Create"));
    let asked: Vec<_> = cells
        .map(|(operation, step, way)| async move {
            let stage = Stage::new(NAMES, Faults::none().aim(way, operation, 1));
            let after = sorted(made(&stage, Some(step)).await);
            let what = format!("{operation} × {}", way.name());
            assert_struck(&stage, &what);
            let expected: Vec<&String> = usual.iter().filter(|object| after.contains(object)).collect();
            assert_eq!(after.iter().collect::<Vec<_>>(), expected, "{what}: each object once");
            assert_references_are_ours(&stage, &what).await;
            take_all_back(&stage, &what).await;
            assert_nothing_left(&stage, &what).await;
            (operation, way)
        })
        .collect();
    take_place("names made", &MAKES.map(|(operation, _)| operation), asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_gone_whatever_becomes_of_the_answer() {
    let built = Stage::new(NAMES, Faults::none());
    made(&built, Some("log")).await;
    let kept = built.home.path().join("account.json");
    built.account.save(&kept).await.unwrap();
    assert_all_is_shown(&built, &kept).await;
    let (built, kept) = (&built, &kept);
    let cells = TAKES.iter().flat_map(|operation| WAYS.map(|way| (*operation, way)));
    let asked: Vec<_> = cells
        .filter(|(_, way)| *way != Fault::Invisible)
        .map(|(operation, way)| async move {
            let (stage, what) = undone_in_spite_of(way, operation, built, kept).await;
            assert_nothing_left(&stage, &what).await;
            (operation, way)
        })
        .collect();
    take_place("names taken back", &TAKES, asked).await;
}

async fn names(stage: &Stage) -> route53::Client {
    Cloud::connect(stage.wiring()).await.unwrap().route53()
}

/// Every zone was made under a token that was written down before, with the engagement before it.
async fn assert_references_are_ours(stage: &Stage, what: &str) {
    let tokens: BTreeSet<String> = stage
        .events()
        .iter()
        .filter_map(|event| if let Event::Intended { intent, .. } = event { Some(intent.token.clone()) } else { None })
        .collect();
    for zone in names(stage).await.list_hosted_zones().send().await.unwrap().hosted_zones() {
        let (_, token) = zone.caller_reference().rsplit_once('/').unwrap();
        assert!(tokens.contains(token), "{what}: {}", zone.caller_reference());
    }
    for call in stage.account.cloud().calls() {
        if let Some(token) = call.parameters.get("CreatorRequestId") {
            assert!(tokens.contains(token), "{what}: {}", call.operation);
        }
    }
}

async fn assert_nothing_left(stage: &Stage, what: &str) {
    assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}");
    assert_eq!(names(stage).await.list_hosted_zones().send().await.unwrap().hosted_zones().len(), 0, "{what}");
}
