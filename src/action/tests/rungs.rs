//! Every kind of AWS, and so every operation of the table, on each rung that the table says it is tried on: the practice
//! cloud, and a cloud that nobody here wrote, where one is lent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::lent::lent;
use super::life::{PUBLIC_KEY, lives, lives_once};
use super::*;
use crate::aws::{Row, Rung};

#[tokio::test]
async fn every_operation_is_tried_in_the_practice_cloud() {
    let stage = Stage::new().await;
    every_kind_lives(&stage).await;
    tried_as_the_table_says(&stage, |row| row.practice);
}

#[tokio::test]
async fn every_operation_is_tried_in_a_lent_cloud_but_those_that_it_lacks() {
    let Some(stage) = lent().await else { return };
    every_kind_lives(&stage).await;
    tried_as_the_table_says(&stage, |row| row.moto);
}

fn tried_as_the_table_says(stage: &Stage, rung: fn(&Row) -> Rung) {
    let tried = stage.operations_since(0);
    for operation in Operation::ALL {
        let says = rung(&operation.row());
        assert_eq!(tried.contains(operation), says == Rung::Tried, "{operation:?}: the table says {says:?}");
    }
}

/// Does the rung know all that the kind sends?
pub(super) fn tried_here(stage: &Stage, kind: &str) -> bool {
    let known = stage.practice.is_some()
        || crate::action::operations(kind).iter().all(|operation| operation.row().moto == Rung::Tried);
    if !known {
        eprintln!("SKIPPED: {kind} is not tried at moto, which lacks calls of it (docs/aws.md)");
    }
    known
}

/// Each kind from nothing to nothing, and made once more.
async fn every_kind_lives(stage: &Stage) {
    stage.make("aws/account", json!({ "account": ACCOUNT })).await;
    let zones = json!({ "region": REGION, "zones": [format!("{REGION}a")] });
    stage.make("aws/region", zones).await;
    stage.make("aws/instance-type", json!({ "type": "t3.micro", "zone": format!("{REGION}a") })).await;
    stage.make("aws/endpoint-service", json!({ "service": format!("com.amazonaws.{REGION}.ec2") })).await;
    // Two engagements of the same lent cloud must not meet.
    let id: String = stage.world.subject.engagement.chars().take(6).collect();
    let vpc = text(&lives(stage, "aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let zone = format!("{REGION}a");
    let subnet =
        json!({ "vpc": vpc, "cidr": "10.40.0.0/24", "zone": zone, "tier": "public", "key": "subnet/public/a" });
    let subnet = text(&lives(stage, "aws/subnet", subnet).await, "id");
    stage.make("aws/acl-lets", json!({ "subnet": subnet, "to": ["192.168.1.50", "192.168.1.25:465"] })).await;
    // What hangs on it is named, where AWS does not let it go.
    let (with, made) = (json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" }), json!({ "id": vpc }));
    let made = serde_json::from_value(made).unwrap();
    let held = stage.action("aws/vpc", &with).undo(&stage.world, &stage.intent("aws/vpc", &with), &made).await;
    let Outcome::Failed { failure } = held else { panic!("a subnet is in it: {held:?}") };
    assert!(failure.meaning.contains(&format!("subnet {subnet}")), "{failure:?}");
    let gateway = text(&lives(stage, "aws/internet-gateway", json!({ "vpc": vpc, "key": "igw/main" })).await, "id");
    let routes = json!([{ "to": "0.0.0.0/0", "gateway": gateway }]);
    let table = json!({ "vpc": vpc, "key": "routes/public", "routes": routes, "subnets": [subnet] });
    lives(stage, "aws/route-table", table).await;
    let address = lives(stage, "aws/elastic-address", json!({ "key": "eip/nat/a" })).await;
    // In moto an elastic address stays taken after its NAT gateway was deleted.
    let nat = |address: &Kept| json!({ "subnet": subnet, "allocation": address["allocation"], "key": "nat/a" });
    lives_once(stage, "aws/nat-gateway", nat(&address)).await;
    let address = stage.make("aws/elastic-address", json!({ "key": "eip/nat/b" })).await;
    let nat = text(&stage.make("aws/nat-gateway", nat(&address)).await, "id");
    let table = json!({ "vpc": vpc, "key": "routes/private", "routes": [{ "to": "0.0.0.0/0", "nat": nat }] });
    let tables = [text(&lives(stage, "aws/route-table", table).await, "id")];
    let other = text(&stage.make("aws/vpc", json!({ "cidr": "10.99.0.0/20", "key": "vpc/other" })).await, "id");
    let peering = json!({ "vpc": vpc, "peer_vpc": other, "peer_account": ACCOUNT, "key": "peering/operator" });
    let peering = text(&lives(stage, "aws/peering-connection", peering).await, "id");
    let accepted = stage.action("aws/peering-accepted", &json!({ "peering": peering })).verify(&stage.world).await;
    // Nobody accepts in a lent cloud.
    assert!(matches!(accepted, Verified::So(_)) == stage.practice.is_some(), "{accepted:?}");
    lives_once(stage, "aws/peering-names", json!({ "peering": peering })).await;
    lives(stage, "aws/route", json!({ "table": tables[0], "to": "10.99.0.0/20", "peering": peering })).await;
    // What an earlier test has registered in the same lent cloud would be taken.
    let [_, a, b, c] = u32::from_str_radix(&id, 16).unwrap().to_be_bytes();
    let device = json!({ "address": format!("10.{a}.{b}.{c}"), "asn": 65_010, "key": "cgw/main" });
    let device = text(&lives(stage, "aws/customer-gateway", device).await, "id");
    let gateway = text(&lives(stage, "aws/vpn-gateway", json!({ "vpc": vpc, "key": "vgw/main" })).await, "id");
    let vpn = json!({ "customer_gateway": device, "gateway": gateway, "key": "vpn/main" });
    let vpn = text(&lives(stage, "aws/vpn-connection", vpn).await, "id");
    stage.make("aws/vpn-log", json!({ "vpn": vpn, "group": "/aws/vendedlogs/nobody" })).await;
    if tried_here(stage, "aws/dx-light") {
        let light = stage.make("aws/dx-light", json!({ "ports": ["dxcon-ffffffff"], "bandwidth": "10Gbps" })).await;
        let seen = (text(&light, "light"), &light["least"]);
        assert_eq!(seen, ("unknown".to_owned(), &json!(-14.4)), "there is no such line");
    }
    if tried_here(stage, "aws/vpn-route") {
        lives(stage, "aws/vpn-route", json!({ "vpn": vpn, "to": "192.168.0.0/16" })).await;
        lives(stage, "aws/route-propagation", json!({ "gateway": gateway, "table": tables[0] })).await;
        stage.make("aws/vpn-tunnels", json!({ "vpn": vpn })).await;
        let chosen = stage.make("aws/vpn-device", json!({ "vendor": "Generic" })).await;
        stage.make("aws/vpn-device-configuration", json!({ "vpn": vpn, "device": chosen["id"] })).await;
        let handout =
            json!({ "vpn": vpn, "address": "198.51.100.9", "ours": ["10.40.0.0/16"], "theirs": ["192.168.0.0/16"] });
        let papers = stage.make("aws/vpn-handout", handout).await;
        assert!(text(&papers, "sheet").contains("AWS's outside address"), "{papers:?}");
    }
    let told = json!({ "vpc": vpc, "domain": "mc.acme.example", "name_servers": ["10.40.0.2"], "key": "dhcp/main" });
    if tried_here(stage, "aws/dhcp-options") {
        lives(stage, "aws/dhcp-options", told).await;
    }
    let ingress = json!([
        { "port": 22022, "cidrs": ["198.51.100.16/29", "203.0.113.0/28"], "why": "operator" },
        { "port": 9443, "cidrs": "10.40.0.0/16" },
    ]);
    let group = json!({ "vpc": vpc, "name": format!("bastion-{id}"), "key": "sg/bastion", "ingress": ingress });
    let group = text(&lives(stage, "aws/security-group", group).await, "id");
    let inside = json!([{ "port": 22, "group": group, "why": "from the bastion" }]);
    let hosts = json!({ "vpc": vpc, "name": format!("hosts-{id}"), "key": "sg/hosts", "ingress": inside });
    lives(stage, "aws/security-group", hosts).await;
    let door = json!({ "group": group, "port": 22, "cidrs": "198.51.100.16/29", "why": "first", "key": "sg/first" });
    lives(stage, "aws/security-group-rule", door).await;
    lives(stage, "aws/security-group-closed", json!({ "group": group, "port": 22 })).await;
    let second = json!({ "vpc": vpc, "cidr": "10.40.1.0/24", "zone": format!("{REGION}b"), "key": "subnet/public/b" });
    let second = text(&stage.make("aws/subnet", second).await, "id");
    super::dns::every_kind_lives(stage, &vpc, [&subnet, &second], &group).await;
    super::dx::every_kind_lives(stage, &vpc, [&subnet, &second], &gateway, &tables[0]).await;
    let key = json!({ "name": format!("ops-{id}"), "public_key": PUBLIC_KEY, "key": "key/operator" });
    lives(stage, "aws/key-pair", key).await;
    let image = stage.make("aws/image", json!({ "family": "ubuntu-22.04" })).await;
    let instance = json!({
        "image": image["id"], "root_device": image["root_device"], "type": "t3.micro", "subnet": subnet,
        "groups": [group], "key_pair": format!("ops-{id}"), "key": "instance/bastion",
    });
    stage.make("aws/launch-allowed", instance.clone()).await;
    let mut protected = instance.clone();
    let instance = text(&lives(stage, "aws/instance", instance).await, "id");
    protected["key"] = json!("instance/protected");
    stage.make("aws/instance", protected.clone()).await;
    protected["protected"] = json!(true);
    let made = stage.make("aws/instance", protected.clone()).await;
    let intent = stage.intent("aws/instance", &protected);
    let undone = stage.action("aws/instance", &protected).undo(&stage.world, &intent, &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    super::backups::disks_and_images_live(stage, &instance, &id).await;
    super::backups::databases_live(stage, [&subnet, &second], &group, &id).await;
    let address = lives(stage, "aws/elastic-address", json!({ "key": "eip/bastion" })).await;
    let at = json!({ "instance": instance, "allocation": address["allocation"] });
    lives(stage, "aws/instance-address", at).await;
    stage.make("aws/instance-ready", json!({ "instance": instance })).await;
    let asked = json!({ "vpc": vpc, "ssh_port": 22022, "allowed": ["198.51.100.16/29", "203.0.113.0/28"], "public": [instance] });
    stage.make("aws/exposure", asked).await;
    let _ = stage.action("aws/console-host-keys", &json!({ "instance": instance })).probe(&stage.world).await;
    super::mail::every_kind_lives(stage, &id).await;
    if tried_here(stage, "aws/resource") {
        super::resources::every_kind_lives(stage, &vpc, [&subnet, &second], &id).await;
    }
    super::vaults::every_kind_lives(stage, &id).await;
    super::quotas::every_kind_lives(stage).await;
    super::settings::every_kind_lives(stage, &id).await;
    let secret = json!({ "key": "psk/one", "name": format!("onramp/{id}/psk") });
    let made = stage.make("aws/secret", secret.clone()).await;
    let intent = stage.intent("aws/secret", &secret);
    let undone = stage.action("aws/secret", &secret).undo(&stage.world, &intent, &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    stage.next_generation();
    stage.make("aws/secret", secret).await;
    signs_in(stage).await;
    let taken_over = stage.action("aws/elastic-address", &json!({ "key": "eip/bastion" })).adopt(&stage.world).await;
    assert!(taken_over.is_ok_and(|chosen| chosen.ours));
}

/// A role over the caller's own credentials; and what a denial says when it is decoded.
async fn signs_in(stage: &Stage) {
    let role = aws::Role {
        arn: format!("arn:aws:iam::{ACCOUNT}:role/OnboardingOperator"),
        external_id: Some("7f1c9f0a".to_owned()),
        seconds: 3_600,
        mfa_serial: None,
        session: "onramp-acme".to_owned(),
    };
    let cloud = stage.world.cloud.as_ref().unwrap();
    let over = cloud.again(Wiring { role: Some(role), ..stage.wiring.clone() }).await.unwrap();
    let identity = over.identity().await.unwrap();
    assert_eq!(identity.caller(), "assumed-role/OnboardingOperator/onramp-acme");
    assert!(identity.expires.is_some());
    if Operation::DecodeAuthorizationMessage.row().moto == Rung::Tried || stage.practice.is_some() {
        let message = BASE64.encode(r#"{"allowed":false}"#);
        let request = cloud.sts().decode_authorization_message().encoded_message(message);
        let answer = cloud.read(Operation::DecodeAuthorizationMessage, || request.clone().send()).await.unwrap();
        assert_eq!(answer.decoded_message(), Some(r#"{"allowed":false}"#));
    }
}
