//! A VPC of the customer's: a plan tells what is taken and what is made, and whatever becomes of an answer, the VPC is after the
//! undo as it was before.

use super::matrix::{WAYS, assert_struck, made, take_all_back, take_place};
use super::*;
use crate::aws::ec2::types::{Tenancy, VpcAttributeName};
use crate::aws::filter;
use crate::engagement::Change;

/// The one that practice's customer has.
const VPC: &str = "vpc-00000002";

const THEIRS: &str = r#"
runbook: theirs
title: Theirs
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {id: vpc-00000002, cidr: 10.60.0.0/16, key: vpc/main}
    saves: {id: net.vpc_id}
  - id: subnets
    title: Subnets
    needs: [vpc]
    for_each: "[{'key': 'public', 'cidr': '10.60.0.0/24'}, {'key': 'app', 'cidr': '10.60.10.0/24'}, {'key': 'more', 'cidr': '10.60.1.0/24'}]"
    aws: subnet
    with: {vpc: vpc-00000002, cidr: "{{ item.cidr }}", zone: "{{ aws.region_primary }}a", existing: take, key: "subnet/{{ item.key }}"}
    saves: {id: net.subnet_ids}
  - id: gateway
    title: The gateway
    needs: [vpc]
    aws: internet-gateway
    with: {vpc: vpc-00000002, existing: take, key: igw/main}
    saves: {id: net.gateway_id}
  - id: public
    title: The way out of public subnets
    aws: route-table
    with:
      vpc: "{{ net.vpc_id }}"
      existing: take
      key: routes/public
      routes: [{to: 0.0.0.0/0, gateway: "{{ net.gateway_id }}"}]
      subnets: ["{{ net.subnet_ids['public'] }}", "{{ net.subnet_ids['more'] }}"]
  - id: address
    title: An address
    aws: elastic-address
    with: {key: eip/nat}
    saves: {allocation: net.allocation}
  - id: nat
    title: The NAT gateway
    needs: [public]
    aws: nat-gateway
    with: {subnet: "{{ net.subnet_ids['public'] }}", allocation: "{{ net.allocation }}", key: nat/main}
    saves: {id: net.nat_id}
  - id: private
    title: The way out of private ones
    needs: [public]
    aws: route-table
    with:
      vpc: "{{ net.vpc_id }}"
      existing: take
      key: routes/private
      routes: [{to: 0.0.0.0/0, nat: "{{ net.nat_id }}"}]
      subnets: ["{{ net.subnet_ids['app'] }}"]
"#;

async fn stage(faults: Faults) -> Stage {
    let stage = Stage::new(THEIRS, faults);
    stage.account.cloud().customer_has_vpc().await;
    stage
}

/// Everything in the VPC, so that what changed is seen.
async fn picture(stage: &Stage) -> Vec<String> {
    let ec2 = stage.ec2().await;
    let mut all = Vec::new();
    for name in [VpcAttributeName::EnableDnsSupport, VpcAttributeName::EnableDnsHostnames] {
        let said = ec2.describe_vpc_attribute().vpc_id(VPC).attribute(name).send().await.unwrap();
        all.push(format!("{:?} {:?}", said.enable_dns_support, said.enable_dns_hostnames));
    }
    let vpcs = ec2.describe_vpcs().vpc_ids(VPC).send().await.unwrap();
    let subnets = ec2.describe_subnets().filters(filter("vpc-id", [VPC])).send().await.unwrap();
    let gateways = ec2.describe_internet_gateways().filters(filter("attachment.vpc-id", [VPC])).send().await.unwrap();
    let tables = ec2.describe_route_tables().filters(filter("vpc-id", [VPC])).send().await.unwrap();
    all.extend(vpcs.vpcs().iter().map(|one| format!("{one:?}")));
    all.extend(subnets.subnets().iter().map(|one| format!("{one:?}")));
    all.extend(gateways.internet_gateways().iter().map(|one| format!("{one:?}")));
    all.extend(tables.route_tables().iter().map(|one| format!("{one:?}")));
    all
}

#[tokio::test]
async fn a_plan_tells_what_is_taken_and_what_is_made_before_anything_is_done() {
    let stage = stage(Faults::none()).await;
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    let plan = desk.plan().await;
    let of = |step: &str| plan.entries.iter().find(|entry| entry.step == at(step)).unwrap();
    for taken in ["net/subnets[public]", "net/subnets[app]", "net/gateway"] {
        let said = &of(taken).said;
        assert!(of(taken).changes.is_empty() && said.contains("was there before and is taken"), "{taken}: {said}");
    }
    let made: Vec<&str> = of("net/subnets[more]").changes.iter().map(|change| change.operation.as_str()).collect();
    assert_eq!(made, ["CreateSubnet"]);
    let switched: Vec<&str> = of("net/vpc").changes.iter().map(|change| change.operation.as_str()).collect();
    assert_eq!(switched, ["ModifyVpcAttribute"], "only what is off");
    // The tables of subnets that are there are told from what the looks at those found; the others are shown by name.
    let calls = |step: &str| -> Vec<String> {
        let change = |change: &Change| format!("{} {}", change.operation, change.arguments);
        of(step).changes.iter().map(change).collect()
    };
    let (public, private) = (calls("net/public"), calls("net/private"));
    assert!(public.len() == 1 && public[0].starts_with("AssociateRouteTable"), "{public:?}: {}", of("net/public").said);
    assert!(public[0].contains("‹net.subnet_ids[more]›") && public[0].contains("rtb-"), "{public:?}");
    assert!(private.len() == 1 && private[0].starts_with("CreateRoute "), "{private:?}: {}", of("net/private").said);
    assert!(private[0].contains("‹net.nat_id›") && private[0].contains("rtb-"), "{private:?}");
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_an_answer_the_vpc_is_as_it_was_before() {
    let calls = ["ModifyVpcAttribute", "AssociateRouteTable", "CreateRoute", "DisassociateRouteTable", "DeleteRoute"];
    let ways = WAYS.into_iter().filter(|way| *way != Fault::Invisible);
    let cells = ways.flat_map(|way| calls.map(|operation| (operation, way)));
    let asked = cells.map(|(operation, way)| async move {
        let what = format!("{operation} × {}", way.name());
        let stage = stage(Faults::none().aim(way, operation, 1)).await;
        let before = picture(&stage).await;
        made(&stage, Some("private")).await;
        let there = picture(&stage).await;
        assert_ne!(there, before, "{what}");
        take_all_back(&stage, &what).await;
        assert_struck(&stage, &what);
        assert_eq!(picture(&stage).await, before, "{what}");
        assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}: nothing of ours is left");
        (operation, way)
    });
    take_place("a VPC of the customer's", &calls, asked.collect()).await;
}

const NAMES: &str = r#"
runbook: names
title: Names
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: net.existing_vpc, label: VPC, kind: text}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary, net.existing_vpc]}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {id: "{{ net.existing_vpc }}", cidr: 10.63.0.0/16, key: vpc/main}
  - id: subnets
    title: Subnets
    for_each: "[{'key': 'a', 'cidr': '10.63.10.0/24'}, {'key': 'b', 'cidr': '10.63.11.0/24'}]"
    aws: subnet
    with: {vpc: "{{ net.existing_vpc }}", cidr: "{{ item.cidr }}", zone: "{{ aws.region_primary }}{{ item.key }}", key: "subnet/{{ item.key }}"}
    saves: {id: net.subnet_ids}
  - id: group
    title: Who may ask
    aws: security-group
    with: {vpc: "{{ net.existing_vpc }}", name: resolver, key: sg/resolver}
    saves: {id: net.group_id}
  - id: inbound
    title: Addresses that the data centre asks
    aws: resolver-endpoint
    with: {vpc: "{{ net.existing_vpc }}", groups: ["{{ net.group_id }}"], subnets: "{{ net.subnet_ids | pick(['a', 'b']) }}", key: resolver/inbound}
"#;

#[tokio::test]
async fn a_plan_tells_of_a_vpc_of_dedicated_hosts_and_no_endpoint_is_asked_for_in_it() {
    let stage = Stage::new(NAMES, Faults::none());
    let theirs = stage.ec2().await.create_vpc().cidr_block("10.63.0.0/16").instance_tenancy(Tenancy::Dedicated);
    let theirs = theirs.send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.give("net.existing_vpc", &theirs);
    let plan = desk.approve().await;
    let vpc = plan.entries.iter().find(|entry| entry.step == at("net/vpc")).unwrap();
    assert!(vpc.said.contains("it can have no resolver endpoints"), "{vpc:?}");
    desk.run(RunScope::All).await;
    assert!(stage.changes().contains(&"CreateSecurityGroup".to_owned()), "what comes before is made");
    assert!(!stage.account.cloud().calls().iter().any(|call| call.operation == "CreateResolverEndpoint"));
    // By now its arguments are known, and so is what a look shows.
    let plan = desk.plan().await;
    let inbound = plan.entries.iter().find(|entry| entry.step == at("net/inbound")).unwrap();
    assert!(inbound.said.contains("whose tenancy is dedicated") && inbound.changes.is_empty(), "{inbound:?}");
    desk.close().await;
}
