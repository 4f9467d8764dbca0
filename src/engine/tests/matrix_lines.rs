//! The lost-reply matrix of the way to the data centre that is no VPN: every call of Direct Connect and of transit gateways
//! that changes something × every way in which its answer can go astray, as in `matrix`. None of the creates has a token.

use super::matrix::{WAYS, assert_all_is_shown, assert_struck, made, take_all_back, take_place, undone_in_spite_of};
use super::*;
use crate::action::every_operation;
use crate::engagement::{RepeatClass, Settlement};

/// A line of one's own and one of a partner's, each with what leads over it.
const LINES: &str = r#"
runbook: lines
title: Lines
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
  - id: subnet
    title: A subnet
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: 10.40.0.0/24, zone: "{{ aws.region_primary }}a", key: subnet/a}
    saves: {id: net.subnet_id}
  - id: table
    title: Its routes
    aws: route-table
    with: {vpc: "{{ net.vpc_id }}", key: routes/a, subnets: ["{{ net.subnet_id }}"]}
    saves: {id: net.table_id}
  - id: vgw
    title: The gateway of the VPC
    aws: vpn-gateway
    with: {vpc: "{{ net.vpc_id }}", key: vgw/main}
    saves: {id: net.vgw_id}
    within: 2m
  - id: line
    title: The line
    aws: dx-connection
    with: {location: EqDC2, bandwidth: 10Gbps, macsec: "yes", key: dx/line}
    saves: {id: net.line_id}
  - id: letter
    title: Its letter
    aws: dx-letter
    with: {connection: "{{ net.line_id }}"}
    saves: {file: net.letter}
  - id: secret
    title: A key to encrypt with
    aws: secret
    with: {use: key256, key: dx/macsec}
    saves: {reference: net.macsec_key}
  - id: key
    title: The line has it
    needs: [letter]
    aws: dx-macsec-key
    with: {connection: "{{ net.line_id }}", ckn: 5f3a0c91d2b84e67a1f09c3d7be24586902f6ad3c1e8b57440d96f1b2ca37e08, cak: "{{ net.macsec_key }}"}
    within: 2m
  - id: mode
    title: It encrypts
    needs: [key]
    aws: dx-encryption-mode
    with: {connection: "{{ net.line_id }}"}
  - id: gateway
    title: The gateway of the line
    aws: dx-gateway
    with: {asn: 64513, key: dx/gateway}
    saves: {id: net.gateway_id}
    within: 2m
  - id: tie
    title: It leads to the VPC
    aws: dx-association
    with: {gateway: "{{ net.gateway_id }}", to: "{{ net.vgw_id }}", prefixes: [10.40.0.0/16]}
    within: 2m
  - id: private
    title: The interface on the line
    needs: [letter, tie]
    aws: dx-interface
    with: {connection: "{{ net.line_id }}", gateway: "{{ net.gateway_id }}", vlan: 101, asn: 65010, key: dx/private}
    saves: {id: net.private_id}
    within: 2m
  - id: test
    title: The other way takes over
    aws: dx-failover-test
    with: {interface: "{{ net.private_id }}", minutes: 1}
    within: 2m
  - id: lag
    title: Two more lines that work as one
    aws: dx-lag
    with: {location: EqSe2, bandwidth: 10Gbps, macsec: "yes", ports: 2, key: dx/lag}
    saves: {id: net.lag_id}
  - id: lag-mode
    title: They would encrypt
    aws: dx-encryption-mode
    with: {connection: "{{ net.lag_id }}"}
  - id: hosted
    title: The partner's line
    aws: dx-hosted-connection
    with: {connection: dxcon-ffabc123, vlan: 101, key: dx/hosted}
    saves: {id: net.hosted_id}
  - id: transit
    title: The transit gateway
    aws: transit-gateway
    with: {asn: 64620, key: tgw/main}
    saves: {id: net.transit_id}
    within: 2m
  - id: attachment
    title: The VPC at it
    aws: transit-attachment
    with: {gateway: "{{ net.transit_id }}", vpc: "{{ net.vpc_id }}", subnets: ["{{ net.subnet_id }}"], key: tgw/attachment}
    saves: {id: net.attachment_id}
    within: 2m
  - id: routes
    title: The way to it
    needs: [attachment]
    aws: transit-routes
    with: {table: "{{ net.table_id }}", gateway: "{{ net.transit_id }}", to: [192.168.0.0/16]}
  - id: device
    title: The customer's router
    aws: customer-gateway
    with: {address: 198.51.100.9, asn: 65000, key: cgw/main}
    saves: {id: net.device_id}
  - id: vpn
    title: A connection without BGP
    aws: vpn-connection
    with: {customer_gateway: "{{ net.device_id }}", transit: "{{ net.transit_id }}", key: vpn/main}
    saves: {id: net.vpn_id}
    within: 2m
  - id: place
    title: Where it hangs
    aws: transit-vpn
    with: {vpn: "{{ net.vpn_id }}", attachment: "{{ net.attachment_id }}"}
    saves: {attachment: net.place_id, table: net.transit_table}
  - id: behind
    title: What lies behind it
    aws: transit-static-routes
    with: {table: "{{ net.transit_table }}", attachment: "{{ net.place_id }}", to: [192.168.0.0/16]}
  - id: theirs
    title: An interface on the line of another account
    aws: dx-allocated-interface
    needs: [tie]
    with: {interface: dxvif-fgneigh1, gateway: "{{ net.gateway_id }}", key: dx/theirs}
    within: 2m
  - id: over-transit
    title: The gateway of the partner's line
    aws: dx-gateway
    with: {asn: 64514, key: dx/transit}
    saves: {id: net.other_gateway_id}
    within: 2m
  - id: their-transit
    title: A transit interface on the line of another account
    aws: dx-allocated-interface
    with: {interface: dxvif-fgneigh3, type: transit, gateway: "{{ net.other_gateway_id }}", key: dx/their-transit}
    within: 2m
  - id: proposed
    title: The gateway of another account is to lead here
    aws: dx-association-proposal
    with:
      gateway: 7a1bd8c2-51f0-4c57-a3d1-0f5a2c9e7b64
      owner: "444455556666"
      to: "{{ net.transit_id }}"
      prefixes: [10.40.0.0/16]
    within: 2m
  - id: transit-interface
    title: The interface on the partner's line
    needs: [routes, behind, test, lag-mode, mode, theirs, their-transit, proposed]
    aws: dx-interface
    with:
      connection: "{{ net.hosted_id }}"
      type: transit
      gateway: "{{ net.other_gateway_id }}"
      vlan: 101
      asn: 65010
      key: dx/over-transit
    within: 2m
"#;

const LAST: &str = "transit-interface";

/// Which step sends it first, on the way there.
pub(super) const MAKES: [(&str, &str); 19] = [
    ("CreateConnection", "line"),
    ("CreateLag", "lag"),
    ("AssociateMacSecKey", "key"),
    ("UpdateConnection", "mode"),
    ("UpdateLag", "lag-mode"),
    ("DescribeLoa", "letter"),
    ("CreateDirectConnectGateway", "gateway"),
    ("CreateDirectConnectGatewayAssociation", "tie"),
    ("CreatePrivateVirtualInterface", "private"),
    ("StartBgpFailoverTest", "test"),
    ("ConfirmConnection", "hosted"),
    ("ConfirmPrivateVirtualInterface", "theirs"),
    ("ConfirmTransitVirtualInterface", "their-transit"),
    ("CreateDirectConnectGatewayAssociationProposal", "proposed"),
    ("TagResource", "hosted"),
    ("CreateTransitGateway", "transit"),
    ("CreateTransitGatewayVpcAttachment", "attachment"),
    ("CreateTransitGatewayRoute", "behind"),
    ("CreateTransitVirtualInterface", LAST),
];

/// What an undo of everything sends.
pub(super) const TAKES: [&str; 12] = [
    "DisassociateMacSecKey",
    "UpdateConnection",
    "UpdateLag",
    "DeleteVirtualInterface",
    "DeleteDirectConnectGatewayAssociation",
    "DeleteDirectConnectGateway",
    "DeleteConnection",
    "DeleteLag",
    "DeleteRoute",
    "DeleteTransitGatewayRoute",
    "DeleteTransitGatewayVpcAttachment",
    "DeleteTransitGateway",
];

/// Only sent while a test is under way: tried with the actions, in `a_test_is_ended_whatever_becomes_of_the_answer`.
/// A proposal is withdrawn only where it was not accepted: `a_proposal_that_nobody_answered_is_withdrawn`.
pub(super) const ELSEWHERE: [&str; 2] = ["StopBgpFailoverTest", "DeleteDirectConnectGatewayAssociationProposal"];

/// In the order of their ids, which are others each time.
fn sorted(mut objects: Vec<String>) -> Vec<String> {
    objects.sort_unstable();
    objects
}

fn is_of_a_person(operation: &str) -> bool {
    every_operation().iter().any(|(known, class)| known == operation && *class == RepeatClass::Person)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_line_whatever_becomes_of_the_answer() {
    let usual = sorted(made(&Stage::new(LINES, Faults::none()), Some(LAST)).await);
    let usual = &usual;
    let cells = MAKES.iter().flat_map(|(operation, step)| WAYS.map(|way| (*operation, *step, way)));
    let cells = cells.filter(|(operation, _, way)| *way != Fault::Invisible || operation.starts_with("Create"));
    // An order that nobody saw arrive is for a person; see below.
    let cells = cells.filter(|(operation, _, way)| *way != Fault::ServerErrorBefore || !is_of_a_person(operation));
    let asked: Vec<_> = cells
        .map(|(operation, step, way)| async move {
            let stage = Stage::new(LINES, Faults::none().aim(way, operation, 1));
            let after = sorted(made(&stage, Some(step)).await);
            let what = format!("{operation} × {}", way.name());
            assert_struck(&stage, &what);
            let expected: Vec<&String> = usual.iter().filter(|object| after.contains(object)).collect();
            assert_eq!(after.iter().collect::<Vec<_>>(), expected, "{what}: each object once");
            take_all_back(&stage, &what).await;
            assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}");
            (operation, way)
        })
        .collect();
    take_place("lines made", &MAKES.map(|(operation, _)| operation), asked).await;
}

/// AWS answered with an error of its own, and no port, or no test, is to be seen: it is not asked for again, neither in this
/// run nor in the next, but by whoever says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_saw_ordered_or_begun_is_asked_for_again_by_a_person_only() {
    said_again_by_a_person("CreateConnection", "line").await;
    said_again_by_a_person("CreateDirectConnectGatewayAssociation", "tie").await;
    said_again_by_a_person("CreateDirectConnectGatewayAssociationProposal", "proposed").await;
    said_again_by_a_person("StartBgpFailoverTest", "test").await;
}

async fn said_again_by_a_person(operation: &str, step: &str) {
    let step = at(&format!("net/{step}"));
    let stage = Stage::new(LINES, Faults::none().aim(Fault::ServerErrorBefore, operation, 1));
    let orders = || stage.account.cloud().calls().iter().filter(|call| call.operation == operation).count();
    for round in 0..2 {
        let mut desk = stage.open().await;
        if round == 0 {
            let given = [("aws.account_id", ACCOUNT), ("aws.region_primary", REGION)];
            let given = given.iter().map(|(id, text)| desk.value(id, text)).collect();
            desk.handle.command(Command::GiveInputs(given));
        }
        desk.approve().await;
        desk.run(RunScope::Until(step.clone())).await;
        let row = desk.row(&step.to_string());
        assert!(!matches!(row.status, Status::Done { .. }), "{row:#?}");
        assert!(desk.engagement.steps.values().any(|record| record.pending.is_some()), "it is in doubt");
        desk.close().await;
        assert_eq!(orders(), 1, "{operation}");
    }
    let mut desk = stage.open().await;
    let (how, reason) = (Settlement::Retry, String::new());
    desk.handle.command(Command::Settle { step: step.clone(), how, reason });
    desk.run(RunScope::Until(step.clone())).await;
    assert!(matches!(desk.status(&step.to_string()), Status::Done { .. }), "{:?}", desk.status(&step.to_string()));
    desk.close().await;
    assert_eq!(orders(), 2, "{operation}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_gone_whatever_becomes_of_the_answer() {
    let built = Stage::new(LINES, Faults::none());
    made(&built, Some(LAST)).await;
    let kept = built.home.path().join("account.json");
    built.account.save(&kept).await.unwrap();
    assert_all_is_shown(&built, &kept).await;
    let (built, kept) = (&built, &kept);
    let cells = TAKES.iter().flat_map(|operation| WAYS.map(|way| (*operation, way)));
    let asked: Vec<_> = cells
        .filter(|(_, way)| *way != Fault::Invisible)
        .map(|(operation, way)| async move {
            let (stage, what) = undone_in_spite_of(way, operation, built, kept).await;
            assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}");
            (operation, way)
        })
        .collect();
    take_place("lines taken back", &TAKES, asked).await;
}
