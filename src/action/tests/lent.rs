//! The same life in a cloud that nobody here wrote: moto's server, when ONRAMP_MOTO_URL names one.

use serde_json::json;

use super::life::{PUBLIC_KEY, lives, lives_once};
use super::*;

/// A fresh engagement in the lent cloud.
pub(super) async fn lent() -> Option<Stage> {
    #[expect(clippy::disallowed_methods, reason = "only a test asks whether a cloud is lent to it")]
    let Ok(url) = std::env::var("ONRAMP_MOTO_URL") else {
        eprintln!("SKIPPED: no cloud is lent; tests/lab/moto up prints the URL for ONRAMP_MOTO_URL");
        return None;
    };
    let wiring = Wiring {
        region: REGION.to_owned(),
        endpoint_url: Some(url),
        credentials: Some(aws_credential_types::provider::SharedCredentialsProvider::new(
            aws_credential_types::Credentials::for_tests(),
        )),
        hurry: 100,
        ..Wiring::default()
    };
    let mut seed = [0u8; 8];
    getrandom::fill(&mut seed).unwrap();
    Some(Stage::over(wiring, None, &format!("{:016x}", u64::from_le_bytes(seed))).await)
}

#[tokio::test]
async fn every_kind_lives_in_a_lent_cloud() {
    let Some(stage) = lent().await else { return };
    // Two engagements of the same lent cloud must not meet.
    let id = &stage.world.subject.engagement[..6];
    let vpc = text(&lives(&stage, "aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let zone = format!("{REGION}a");
    let subnet =
        json!({ "vpc": vpc, "cidr": "10.40.0.0/24", "zone": zone, "tier": "public", "key": "subnet/public/a" });
    let subnet = text(&lives(&stage, "aws/subnet", subnet).await, "id");
    let gateway = text(&lives(&stage, "aws/internet-gateway", json!({ "vpc": vpc, "key": "igw/main" })).await, "id");
    let routes = json!([{ "to": "0.0.0.0/0", "gateway": gateway }]);
    let table = json!({ "vpc": vpc, "key": "routes/public", "routes": routes, "subnets": [subnet] });
    lives(&stage, "aws/route-table", table).await;
    let address = lives(&stage, "aws/elastic-address", json!({ "key": "eip/nat/a" })).await;
    // In moto an elastic address stays taken after its NAT gateway was deleted.
    let nat = |address: &Kept| json!({ "subnet": subnet, "allocation": address["allocation"], "key": "nat/a" });
    lives_once(&stage, "aws/nat-gateway", nat(&address)).await;
    let address = stage.make("aws/elastic-address", json!({ "key": "eip/nat/b" })).await;
    let nat = text(&stage.make("aws/nat-gateway", nat(&address)).await, "id");
    let table = json!({ "vpc": vpc, "key": "routes/private", "routes": [{ "to": "0.0.0.0/0", "nat": nat }] });
    lives(&stage, "aws/route-table", table).await;
    let ingress = json!([
        { "port": 22022, "cidrs": ["198.51.100.16/29", "203.0.113.0/28"], "why": "operator" },
        { "port": 9443, "cidrs": "10.40.0.0/16" },
    ]);
    let group = json!({ "vpc": vpc, "name": format!("bastion-{id}"), "key": "sg/bastion", "ingress": ingress });
    let group = text(&lives(&stage, "aws/security-group", group).await, "id");
    let inside = json!([{ "port": 22, "group": group, "why": "from the bastion" }]);
    let hosts = json!({ "vpc": vpc, "name": format!("hosts-{id}"), "key": "sg/hosts", "ingress": inside });
    lives(&stage, "aws/security-group", hosts).await;
    let door = json!({ "group": group, "port": 22, "cidrs": "198.51.100.16/29", "why": "first", "key": "sg/first" });
    lives(&stage, "aws/security-group-rule", door).await;
    lives(&stage, "aws/security-group-closed", json!({ "group": group, "port": 22 })).await;
    let key = json!({ "name": format!("ops-{id}"), "public_key": PUBLIC_KEY, "key": "key/operator" });
    lives(&stage, "aws/key-pair", key).await;
    let image = stage.make("aws/image", json!({ "family": "ubuntu-22.04" })).await;
    let instance = json!({
        "image": image["id"], "root_device": image["root_device"], "type": "t3.micro", "subnet": subnet,
        "groups": [group], "key_pair": format!("ops-{id}"), "key": "instance/bastion",
    });
    let instance = text(&lives(&stage, "aws/instance", instance).await, "id");
    let address = lives(&stage, "aws/elastic-address", json!({ "key": "eip/bastion" })).await;
    let at = json!({ "instance": instance, "allocation": address["allocation"] });
    lives(&stage, "aws/instance-address", at).await;
    stage.make("aws/instance-ready", json!({ "instance": instance })).await;
    let asked = json!({ "vpc": vpc, "ssh_port": 22022, "allowed": ["198.51.100.16/29", "203.0.113.0/28"], "public": [instance] });
    stage.make("aws/exposure", asked).await;
}

#[tokio::test]
async fn what_is_taken_over_and_what_is_found_by_its_tags_in_a_lent_cloud() {
    let Some(stage) = lent().await else { return };
    super::taken_over::somebody_elses_is_taken_and_never_taken_away(&stage).await;
    super::taken_over::ours_is_found_by_its_tags_alone(&stage).await;
}
