//! An answer is corrected after the fact: what it costs, and how what stands against it is taken out of its way.

use super::*;
use crate::engagement::Question;

const LINE: &str = r#"
runbook: line
title: Line
phase: line
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: vpn.vendor, label: Maker, kind: text}
  - {id: vpn.platform, label: Model, kind: text}
  - {id: vpn.software, label: Software, kind: text}
  - {id: vpn.dpd_timeout, label: Silence, kind: text}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - {id: router, title: The router, form: [vpn.vendor, vpn.platform, vpn.software, vpn.dpd_timeout]}
  - id: device
    title: What AWS knows of it
    needs: [where]
    aws: vpn-device
    with: {vendor: "{{ vpn.vendor }}", platform: "{{ vpn.platform }}", software: "{{ vpn.software }}"}
    saves: {id: line.device}
  - id: vpc
    title: The VPC
    needs: [where]
    aws: vpc
    with: {cidr: 10.40.0.0/16, key: vpc/main}
    saves: {id: line.vpc}
  - id: gateway
    title: The gateway
    aws: vpn-gateway
    with: {vpc: "{{ line.vpc }}", key: vgw/main}
    saves: {id: line.gateway}
  - id: customer
    title: AWS knows the router
    needs: [where]
    aws: customer-gateway
    with: {address: 203.0.113.12, device: "{{ vpn.vendor }}, {{ vpn.platform }}", key: cgw/main}
    saves: {id: line.customer}
  - id: vpn
    title: The connection
    aws: vpn-connection
    with:
      customer_gateway: "{{ line.customer }}"
      gateway: "{{ line.gateway }}"
      ike: [ikev2]
      dpd_timeout: "{{ vpn.dpd_timeout }}"
      key: vpn/main
    saves: {id: line.vpn}
    within: 15m
  - id: sample
    title: AWS's sample
    aws: vpn-device-configuration
    with: {vpn: "{{ line.vpn }}", device: "{{ line.device }}"}
    saves: {configuration: line.sample}
"#;

/// Everything is made, for a router whose maker is not listed.
async fn made() -> Stage {
    let stage = Stage::new(LINE, Faults::none());
    let mut desk = stage.open().await;
    let answers = [
        ("aws.account_id", ACCOUNT),
        ("aws.region_primary", REGION),
        ("vpn.vendor", "Generic"),
        ("vpn.platform", "Generic"),
        ("vpn.software", "Vendor Agnostic"),
        ("vpn.dpd_timeout", "30"),
    ];
    let given = answers.iter().map(|(id, text)| desk.value(id, text)).collect();
    desk.handle.command(Command::GiveInputs(given));
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(desk.board().tally.all_done(), "{:#?}", rows(&desk.engagement, &stage.runbook));
    desk.close().await;
    stage
}

async fn taken(desk: &mut Desk) {
    desk.event("the answer", |event| matches!(event, Event::InputGiven { .. }).then_some(())).await;
}

#[tokio::test]
async fn a_label_is_corrected_without_undoing_anything_and_the_papers_are_made_anew() {
    let stage = made().await;
    let (sent, before) = (stage.sent(), attempts(&stage.events()));
    let mut desk = stage.open().await;
    let cisco =
        [("vpn.vendor", "Cisco Systems, Inc."), ("vpn.platform", "ASA 5500 Series"), ("vpn.software", "ASA 9.7+ VTI")];
    let given = cisco.iter().map(|(id, text)| desk.value(id, text)).collect();
    desk.handle.command(Command::GiveInputs(given));
    taken(&mut desk).await;
    assert!(matches!(desk.status("line/customer"), Status::Done { .. }), "{:?}", desk.status("line/customer"));
    desk.run(RunScope::All).await;
    assert!(desk.board().tally.all_done(), "{:#?}", rows(&desk.engagement, &stage.runbook));
    desk.close().await;
    assert_eq!(stage.sent(), sent, "nothing is changed");
    let after = attempts(&stage.events());
    let again: Vec<&String> = after.keys().filter(|step| after.get(*step) != before.get(*step)).collect();
    assert_eq!(again, ["line/device", "line/sample"], "what depends on the name, and no more");
}

#[tokio::test]
async fn what_a_person_changes_at_aws_is_taken_as_an_answer_and_never_made_anew() {
    let mut stage = made().await;
    let sent = stage.sent();
    let mut desk = stage.open().await;
    desk.give("vpn.dpd_timeout", "45");
    taken(&mut desk).await;
    desk.run(RunScope::All).await;
    let Status::Asked(Question::Different { said, differences }) = desk.status("line/vpn") else {
        panic!("{:?}", desk.status("line/vpn"))
    };
    assert_eq!(said.matches("aws ec2 modify-vpn-tunnel-options --vpn-connection-id vpn-").count(), 2, "{said}");
    assert_eq!(said.matches("--tunnel-options DPDTimeoutSeconds=45").count(), 2, "{said}");
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(matches!(desk.status("line/sample"), Status::Blocked(_)), "{:?}", desk.status("line/sample"));
    // The old answer takes it back.
    desk.give("vpn.dpd_timeout", "30");
    taken(&mut desk).await;
    desk.run(RunScope::All).await;
    assert!(desk.board().tally.all_done(), "{:#?}", rows(&desk.engagement, &stage.runbook));
    desk.give("vpn.dpd_timeout", "45");
    taken(&mut desk).await;
    desk.close().await;

    // Meanwhile a person has done it.
    stage.aws_says = &[("<dpdTimeoutSeconds>30<", "<dpdTimeoutSeconds>45<")];
    let before = attempts(&stage.events())["line/sample"];
    let mut desk = stage.open().await;
    desk.run(RunScope::All).await;
    assert!(desk.board().tally.all_done(), "{:#?}", rows(&desk.engagement, &stage.runbook));
    desk.close().await;
    assert_eq!(stage.sent(), sent, "nothing is changed by onramp");
    assert_eq!(attempts(&stage.events())["line/sample"], before + 1, "what was read from it is read anew");
}

#[tokio::test]
async fn a_changed_answer_says_what_has_to_go_and_is_taken_once_that_is_gone() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.give("net.vpc_cidr", "10.50.0.0/16");
    let refusal = desk.refusal().await;
    assert!(refusal.ends_with("and there u on net"), "{refusal}");
    desk.undo(&["net"]).await;
    assert_eq!(desk.engagement.ledger(), [], "a phase is taken back in one go, in its order");
    desk.give("net.vpc_cidr", "10.50.0.0/16");
    taken(&mut desk).await;
    desk.close().await;
    stage.assert_each_once(0).await;
}

/// A step of the other branch stands between a gateway and an address.
const APART: &str = "  - {id: side, title: Aside, when: net.mode == \"dx\", needs: [gateway], manual: Look.}\n  - id: twin\n    title: Another address\n    needs: [side]\n    aws: elastic-address\n    with: {key: eip/twin}\n  - id: shown\n";

#[tokio::test]
async fn a_step_that_is_not_needed_holds_nothing_and_loosens_nothing() {
    let network =
        NETWORK.replace("  - id: shown\n", APART).replace("needs: [gateway]\n    aws", "needs: [vpc]\n    aws");
    let network = network.replace("needs: [nat, subnets]", "needs: [side, subnets]");
    let stage = Stage::new(&network, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&["net/nat", "net/address"]).await;
    let plan = desk.undo_plan_of(&["net/gateway"]).await;
    assert_eq!((plan.entries.len(), plan.stays.len()), (1, 0), "{plan:?}");
    desk.undo(&["net/gateway"]).await;
    assert_eq!(desk.status("net/gateway"), Status::Undone);
    assert!(matches!(desk.status("net/twin"), Status::Done { .. }));
    let loosened = Event::Reopened { step: at("net/shown"), undone: Some(at("net/gateway")) };
    assert!(!stage.events().contains(&loosened), "what comes after a step that is not needed stays as it is");
    desk.close().await;
}

#[tokio::test]
async fn a_repeated_step_is_named_as_a_whole() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&["net/nat", "net/subnets"]).await;
    let mut left: Vec<String> = desk.engagement.ledger().iter().map(|(step, _)| step.to_string()).collect();
    left.sort();
    assert_eq!(left, ["net/address", "net/gateway", "net/vpc"]);
    desk.close().await;
}

#[tokio::test]
async fn only_what_has_to_go_is_named() {
    let network = NETWORK
        .replace("'10.40.1.0/24'", "net.second")
        .replace("form: [net.vpc_cidr]", "form: [net.vpc_cidr, net.second]")
        .replace("  - {id: net.mode,", "  - {id: net.second, label: Second, kind: text}\n  - {id: net.mode,");
    let stage = Stage::new(&network, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.give("net.second", "10.40.1.0/24");
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    desk.give("net.second", "10.40.2.0/24");
    let refusal = desk.refusal().await;
    assert!(refusal.ends_with("u on net/nat and net/subnets[b]"), "{refusal}");
    desk.undo(&["net/nat", "net/subnets[b]"]).await;
    desk.give("net.second", "10.40.2.0/24");
    taken(&mut desk).await;
    desk.close().await;
    stage.assert_each_once(4).await;
}
