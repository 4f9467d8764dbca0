//! What network ACLs and security groups let through, as AWS has it.

use serde_json::json;

use super::lent::lent;
use super::*;
use crate::aws::ec2::types::{IcmpTypeCode, IpPermission, IpRange, PortRange, RuleAction};
use crate::aws::{Cloud, filter};

async fn asked(stage: &Stage, kind: &str, with: Json) -> Verified {
    stage.action(kind, &with).verify(&stage.world).await
}

async fn so(stage: &Stage, kind: &str, with: Json) {
    let found = asked(stage, kind, with.clone()).await;
    assert!(matches!(found, Verified::So(_)), "{with}: {found:?}");
}

async fn not_so(stage: &Stage, kind: &str, with: Json) -> String {
    match asked(stage, kind, with.clone()).await {
        Verified::NotYet { said } => said,
        other => panic!("{with}: {other:?}"),
    }
}

struct Network {
    vpc: String,
    subnet: String,
}

async fn network(stage: &Stage) -> Network {
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let zone = format!("{REGION}a");
    let subnet = json!({ "vpc": vpc, "cidr": "10.40.10.0/24", "zone": zone, "tier": "app", "key": "subnet/app/a" });
    let subnet = text(&stage.make("aws/subnet", subnet).await, "id");
    Network { vpc, subnet }
}

impl Network {
    fn ask(&self, more: Json) -> Json {
        let mut with = json!({ "subnet": self.subnet });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with
    }
}

#[tokio::test]
async fn the_acl_that_a_vpc_has_at_first_lets_everything_through() {
    let stage = Stage::new().await;
    let network = network(&stage).await;
    so(&stage, "aws/acl-lets", network.ask(json!({ "to": ["192.168.1.50", "192.168.1.25:465"] }))).await;
    so(&stage, "aws/acl-lets", network.ask(json!({ "from": "192.168.0.0/16" }))).await;
    let by_address = json!({ "subnet": "10.40.10.11", "vpc": network.vpc, "to": "192.168.1.50" });
    so(&stage, "aws/acl-lets", by_address).await;
    let nowhere = json!({ "subnet": "10.40.99.11", "vpc": network.vpc, "to": "192.168.1.50" });
    let nowhere = asked(&stage, "aws/acl-lets", nowhere).await;
    assert!(matches!(nowhere, Verified::Unknown(_)), "{nowhere:?}");
}

/// At a cloud where rules can be made.
#[tokio::test]
async fn a_rule_that_denies_is_named_and_so_is_an_answer_that_no_rule_lets_in() {
    let Some(stage) = lent().await else { return };
    let network = network(&stage).await;
    let ec2 = Cloud::connect(stage.wiring.clone()).await.unwrap().ec2().clone();
    let acls = ec2.describe_network_acls().filters(filter("association.subnet-id", [network.subnet.as_str()]));
    let acl = acls.send().await.unwrap().network_acls()[0].network_acl_id().unwrap().to_owned();
    let pings = json!({ "to": "192.168.1.50" });
    let door = json!({ "to": "192.168.1.25:465" });
    so(&stage, "aws/acl-lets", network.ask(pings.clone())).await;

    let rule = |number: i32, egress: bool, protocol: &str, action: RuleAction| {
        let rule = ec2.create_network_acl_entry().network_acl_id(&acl).rule_number(number).egress(egress);
        rule.protocol(protocol).cidr_block("192.168.0.0/16").rule_action(action)
    };
    let answers = IcmpTypeCode::builder().r#type(0).code(-1).build();
    rule(90, false, "1", RuleAction::Deny).icmp_type_code(answers).send().await.unwrap();
    let said = not_so(&stage, "aws/acl-lets", network.ask(pings)).await;
    assert!(
        said.contains(&acl) && said.contains("answers to pings in from 192.168.1.50, for rule 90 denies it"),
        "{said}"
    );
    so(&stage, "aws/acl-lets", network.ask(door.clone())).await;
    let answers = PortRange::builder().from(40_000).to(40_001).build();
    rule(91, false, "6", RuleAction::Deny).port_range(answers).send().await.unwrap();
    let said = not_so(&stage, "aws/acl-lets", network.ask(door.clone())).await;
    assert!(said.contains("answers by TCP to ports 32768 to 60999 in from 192.168.1.25"), "{said}");
    ec2.delete_network_acl_entry().network_acl_id(&acl).rule_number(100).egress(true).send().await.unwrap();
    let said = not_so(&stage, "aws/acl-lets", network.ask(door)).await;
    assert!(said.contains("TCP 465 out to 192.168.1.25/32, for no rule does"), "{said}");
}

#[tokio::test]
async fn a_group_lets_out_what_its_own_rules_say() {
    let stage = Stage::new().await;
    let network = network(&stage).await;
    let group = json!({ "vpc": network.vpc, "name": "hosts", "key": "sg/hosts", "ingress": [] });
    let group = text(&stage.make("aws/security-group", group).await, "id");
    let asks = |to: Json| json!({ "group": group, "to": to });
    so(&stage, "aws/admits", asks(json!(["192.168.1.25:465", "192.168.0.0/16"]))).await;
    let both = json!({ "group": group, "to": "192.168.1.25:465", "from": "192.168.1.25" });
    let both = Call::Kind { kind: "aws/admits".to_owned(), with: both.as_object().cloned().unwrap() };
    assert!(build(&both, &stage.world.subject).is_err());

    let ec2 = Cloud::connect(stage.wiring.clone()).await.unwrap().ec2().clone();
    let permission = |protocol: &str, range: &str, port: Option<i32>| {
        let range = IpRange::builder().cidr_ip(range).build();
        let permission = IpPermission::builder().ip_protocol(protocol).ip_ranges(range);
        permission.set_from_port(port).set_to_port(port).build()
    };
    let off = ec2.revoke_security_group_egress().group_id(&group);
    off.ip_permissions(permission("-1", "0.0.0.0/0", None)).send().await.unwrap();
    let said = not_so(&stage, "aws/admits", asks(json!("192.168.1.25:465"))).await;
    assert!(said.contains("does not let tcp 465 out to 192.168.1.25/32, but nothing"), "{said}");
    let on = ec2.authorize_security_group_egress().group_id(&group);
    on.ip_permissions(permission("tcp", "192.168.0.0/16", Some(465))).send().await.unwrap();
    so(&stage, "aws/admits", asks(json!("192.168.1.25:465"))).await;
    let said = not_so(&stage, "aws/admits", asks(json!("192.168.1.25:587"))).await;
    assert!(said.contains("tcp 587 out to 192.168.1.25/32, but tcp 465 to 192.168.0.0/16"), "{said}");
}
