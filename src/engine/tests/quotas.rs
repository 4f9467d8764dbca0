//! What the account has room for is counted when a plan is made: what is short is said before anything is made.

use super::*;
use crate::engagement::{Known, Limited};

const MANY: &str = r#"
runbook: many
title: Many
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: net.count, label: Addresses, kind: list, of: unix-name}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary, net.count]}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {cidr: 10.40.0.0/16, key: vpc/main}
  - id: addresses
    title: Addresses
    for_each: net.count
    aws: elastic-address
    with: {key: "eip/{{ item }}"}
"#;

#[tokio::test]
async fn a_plan_counts_what_is_there_and_says_what_is_short() {
    let stage = Stage::new(MANY, Faults::none());
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.give("net.count", "a, b, c, d, e");
    let plan = desk.plan().await;
    let rooms: Vec<(Limited, u64, bool)> =
        plan.quotas.iter().map(|room| (room.of, room.planned, room.is_short())).collect();
    assert_eq!(rooms, [(Limited::Vpcs, 1, false), (Limited::Addresses, 5, false)]);
    // The account has a VPC already, the one that AWS gave it.
    assert_eq!(plan.quotas[0].known, Known::Counted { allowed: 5, used: 1, adjustable: true });
    desk.give("net.count", "a, b, c, d, e, f");
    let plan = desk.plan().await;
    let short = &plan.quotas[0];
    assert!(short.is_short() && short.of == Limited::Addresses, "{:?}", plan.quotas);
    assert_eq!(
        short.said(),
        "Elastic IP addresses: the account may have 5, has 0, and 6 more are planned. Ask AWS for 6 before you begin: quota \
         L-0263D0A3 of ec2; it takes minutes to days"
    );
    assert_eq!(stage.account.cloud().calls().iter().filter(|call| call.mutating).count(), 0);
    desk.close().await;
}

#[tokio::test]
async fn what_aws_does_not_tell_of_a_quota_is_said_and_not_taken_for_enough() {
    let stage = Stage::new(MANY, Faults::none().deny("GetServiceQuota"));
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.give("net.count", "a");
    let plan = desk.plan().await;
    assert!(plan.quotas.iter().all(|room| matches!(room.known, Known::Untold { .. })), "{:?}", plan.quotas);
    assert!(plan.quotas[0].said().contains("what there is room for is not known"), "{}", plan.quotas[0].said());
    desk.close().await;
}
