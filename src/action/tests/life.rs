//! The life of every kind that changes something: not there, made, there, taken away, not there; and made again.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::*;
use crate::action::Undoes;
use crate::engagement::Change;

/// A key that is of the right form and opens nothing.
pub(super) const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfJ8H0mCFO1wFs0JoCZsXn5pDGvXbYnVwYIXZxsWPcL anna@example.com";

/// A network to build on.
pub(super) struct Ground {
    pub vpc: String,
    pub public: String,
    pub gateway: String,
    pub group: String,
}

pub(super) async fn ground(stage: &Stage) -> Ground {
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let zone = format!("{}a", stage.world.cloud.as_ref().unwrap().region());
    let subnet =
        json!({ "vpc": vpc, "cidr": "10.40.0.0/24", "zone": zone, "tier": "public", "key": "subnet/public/a" });
    let public = text(&stage.make("aws/subnet", subnet).await, "id");
    let gateway = text(&stage.make("aws/internet-gateway", json!({ "vpc": vpc, "key": "igw/main" })).await, "id");
    let group = json!({ "vpc": vpc, "name": "ground", "key": "sg/ground", "ingress": [] });
    let group = text(&stage.make("aws/security-group", group).await, "id");
    Ground { vpc, public, gateway, group }
}

/// The whole life of one step, and its second one. Answers what was made the second time.
pub(super) async fn lives(stage: &Stage, kind: &str, with: Json) -> Kept {
    lives_once(stage, kind, with.clone()).await;
    stage.make(kind, with).await
}

/// From nothing to nothing.
pub(super) async fn lives_once(stage: &Stage, kind: &str, with: Json) {
    let first = stage.calls();
    let action = stage.action(kind, &with);
    let world = &stage.world;

    let planned = action.changes();
    assert!(!planned.is_empty(), "{kind} changes nothing");
    let before = action.probe(world).await;
    let expected = match &before {
        Probe::Absent { .. } => planned.clone(),
        Probe::Different { mend, .. } => mend.clone(),
        other => panic!("{kind}: {other:?}"),
    };

    let (calls, arrived) = (stage.calls(), stage.arrived());
    let outcome = action.apply(world, &stage.intent(kind, &with)).await;
    let Outcome::Changed { created: true, operations, output: made, .. } = outcome else {
        panic!("{kind}: {outcome:?}")
    };
    let names: Vec<String> = expected.iter().map(|change| change.operation.clone()).collect();
    assert_eq!(stage.sent_since(calls), names, "{kind}: what was sent is what was planned");
    assert_eq!(operations, names, "{kind}: what was sent is what is written down");
    stage.arguments_are(arrived, &expected);

    let kept = stage.proved(&*action).await;
    for (name, value) in &made {
        assert!(
            ["revoked", "association", "former", "ranges", "accepted"].contains(&name.as_str())
                || kept.get(name) == Some(value),
            "{kind} {name}: {made:?} {kept:?}"
        );
    }

    let calls = stage.calls();
    let again = action.probe(world).await;
    assert!(matches!(&again, Probe::Same(found) if found.output == kept), "{kind}: {again:?}");
    let repeated = action.apply(world, &stage.intent(kind, &with)).await;
    assert!(matches!(repeated, Outcome::AlreadySo { .. }), "{kind}: {repeated:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new(), "{kind}: a second run sends nothing");

    let noted: BTreeSet<String> = action.inverse(&made).into_iter().map(|change| change.operation).collect();
    let Undoes::Sends(shown) = action.undoes(world, &made).await else { panic!("{kind}: nothing would be sent") };
    let (calls, arrived) = (stage.calls(), stage.arrived());
    let undone = action.undo(world, &stage.intent(kind, &with), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{kind}: {undone:?}");
    let names: Vec<String> = shown.iter().map(|change| change.operation.clone()).collect();
    assert_eq!(stage.sent_since(calls), names, "{kind}: what an undo sends is what it shows");
    stage.arguments_are(arrived, &shown);
    for sent in &names {
        assert!(noted.contains(sent), "{kind}: an undo sends {sent}, and what is written down says {noted:?}");
    }
    let after = action.probe(world).await;
    assert!(is_absent(&after) || matches!(before, Probe::Different { .. }), "{kind}: {after:?}");
    let calls = stage.calls();
    let undone = action.undo(world, &stage.intent(kind, &with), &made).await;
    assert!(matches!(undone, Outcome::AlreadySo { .. }), "{kind}: {undone:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new(), "{kind}: a second undo sends nothing");
    // A secret is read by whatever takes one.
    let secrets = crate::action::catalog().kinds[kind].args.iter().any(|one| one.secret);
    for operation in stage.operations_since(first) {
        let reads_it = secrets && operation == crate::aws::Operation::GetSecretValue;
        assert!(
            reads_it || crate::action::operations(kind).contains(&operation),
            "{kind} sends {operation:?}, and its row does not say so"
        );
    }
    stage.next_generation();
}

impl Stage {
    fn arrived(&self) -> usize {
        self.practice.as_ref().map_or(0, |practice| practice.calls().len())
    }

    /// Every value of the planned calls was in the calls that arrived, and nothing else was, but tags and tokens.
    fn arguments_are(&self, from: usize, planned: &[Change]) {
        let Some(practice) = &self.practice else { return };
        let arrived: Vec<_> = practice.calls().split_off(from).into_iter().filter(|call| call.mutating).collect();
        assert_eq!(arrived.len(), planned.len());
        for (call, change) in arrived.iter().zip(planned) {
            assert_eq!(call.operation, change.operation);
            // What other services are asked stands in the body, which is not written down; see `mail.rs`.
            if change.service != "ec2" {
                continue;
            }
            let mut wanted = BTreeSet::new();
            leaves(&change.arguments, &mut wanted);
            let about_us = |name: &str| {
                [
                    "TagSpecification",
                    "ClientToken",
                    "Action",
                    "Change.Action",
                    "Version",
                    "CreateHostedZoneRequest.CallerReference",
                    "CreatorRequestId",
                    "Tags.",
                    "Tag.",
                ]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                    // Their texts are planned by nobody.
                    || name.ends_with("PreSharedKey")
                    || name == "PresignedUrl"
            };
            let sent: BTreeSet<String> = call
                .parameters
                .iter()
                .filter(|(name, _)| !about_us(name))
                .map(|(name, value)| match name.as_str() {
                    // What is shown as text travels in base 64.
                    "PublicKeyMaterial" | "UserData" => decoded(value),
                    _ => value.clone(),
                })
                .collect();
            let unknown = |value: &&String| !value.contains('\u{2039}');
            let wanted: BTreeSet<String> = wanted.iter().filter(unknown).cloned().collect();
            assert!(wanted.is_subset(&sent), "{}: planned {wanted:?}, sent {sent:?}", call.operation);
            let extra: Vec<&String> = sent.difference(&wanted).filter(|value| !is_id(value)).collect();
            assert!(extra.is_empty(), "{}: sent but not planned: {extra:?}", call.operation);
        }
    }
}

fn decoded(text: &str) -> String {
    use base64::Engine;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
}

/// An id that only an earlier call could tell.
fn is_id(value: &str) -> bool {
    let zone = |id: &str| id.len() >= 12 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if value.strip_prefix('Z').is_some_and(zone) {
        return true;
    }
    value.rsplit_once('-').is_some_and(|(kind, id)| {
        kind.chars().all(|c| c.is_ascii_lowercase()) && id.len() >= 8 && id.chars().all(|c| c.is_ascii_hexdigit())
    })
}

fn leaves(value: &Json, into: &mut BTreeSet<String>) {
    match value {
        Json::Object(map) => {
            map.iter()
                // Where a call is sent does not stand in it.
                .filter(|(name, _)| !["TagSpecifications", "Tags", "AddTags", "onramp:region"].contains(&name.as_str()))
                .for_each(|(_, value)| leaves(value, into));
        }
        Json::Array(items) => items.iter().for_each(|value| leaves(value, into)),
        Json::String(text) => {
            into.insert(text.clone());
        }
        other => {
            into.insert(other.to_string());
        }
    }
}

#[tokio::test]
async fn a_vpc_lives() {
    let stage = Stage::new().await;
    lives(&stage, "aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await;
}

#[tokio::test]
async fn a_subnet_lives() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let with =
        json!({ "vpc": vpc, "cidr": "10.40.1.0/24", "zone": "eu-west-1b", "tier": "app", "key": "subnet/app/b" });
    lives(&stage, "aws/subnet", with).await;
}

#[tokio::test]
async fn an_internet_gateway_lives() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    lives(&stage, "aws/internet-gateway", json!({ "vpc": vpc, "key": "igw/main" })).await;
}

#[tokio::test]
async fn an_elastic_address_lives() {
    lives(&Stage::new().await, "aws/elastic-address", json!({ "key": "eip/nat/a" })).await;
}

#[tokio::test]
async fn a_nat_gateway_lives() {
    for pace in [Pace::Instant, Pace::Human] {
        let stage = Stage::with(pace, Faults::none()).await;
        let ground = ground(&stage).await;
        let allocation = text(&stage.make("aws/elastic-address", json!({ "key": "eip/nat/a" })).await, "allocation");
        let with = json!({ "subnet": ground.public, "allocation": allocation, "key": "nat/a" });
        let usual = stage.action("aws/nat-gateway", &with).usually_takes();
        assert_eq!(usual, Some(std::time::Duration::from_secs(120)), "by which a step that says no limit waits");
        lives(&stage, "aws/nat-gateway", with).await;
    }
}

#[tokio::test]
async fn a_route_table_lives() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let routes = json!([{ "to": "0.0.0.0/0", "gateway": ground.gateway }]);
    let with = json!({ "vpc": ground.vpc, "key": "routes/public", "routes": routes, "subnets": [ground.public] });
    lives(&stage, "aws/route-table", with).await;
}

#[tokio::test]
async fn a_route_table_to_a_nat_gateway_lives() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let allocation = text(&stage.make("aws/elastic-address", json!({ "key": "eip/nat/a" })).await, "allocation");
    let nat = json!({ "subnet": ground.public, "allocation": allocation, "key": "nat/a" });
    let nat = text(&stage.make("aws/nat-gateway", nat).await, "id");
    let with = json!({ "vpc": ground.vpc, "key": "routes/a", "routes": [{ "to": "0.0.0.0/0", "nat": nat }] });
    lives(&stage, "aws/route-table", with).await;
}

#[tokio::test]
async fn a_security_group_lives() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let ingress = json!([
        { "port": "22022", "cidrs": ["198.51.100.16/29", "203.0.113.0/28"], "why": "SSH from the operator's network" },
        { "from_port": 8000, "to_port": 8010, "group": ground.group, "why": "products" },
        { "protocol": "icmp", "cidrs": "10.40.0.0/16" },
    ]);
    // AWS takes no apostrophe in a description.
    let description = "SSH from the operator's network \u{2192} the bastion";
    let with = json!({
        "vpc": ground.vpc, "name": "bastion", "description": description, "key": "sg/bastion", "ingress": ingress,
    });
    lives(&stage, "aws/security-group", with).await;
}

#[tokio::test]
async fn an_extra_rule_lives() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let cidrs = ["198.51.100.16/29", "203.0.113.0/28"];
    let with = json!({ "group": ground.group, "port": 22, "cidrs": cidrs, "why": "first contact", "key": "sg/first" });
    lives(&stage, "aws/security-group-rule", with).await;
}

#[tokio::test]
async fn a_closed_port_lives_and_undo_puts_the_rules_back() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let open =
        json!({ "group": ground.group, "port": 22, "cidrs": "198.51.100.16/29", "why": "first", "key": "sg/first" });
    stage.make("aws/security-group-rule", open.clone()).await;
    let kept = lives(&stage, "aws/security-group-closed", json!({ "group": ground.group, "port": 22 })).await;
    assert!(kept.is_empty(), "{kept:?}");
    assert!(is_absent(&stage.action("aws/security-group-rule", &open).probe(&stage.world).await));
}

#[tokio::test]
async fn what_is_closed_once_more_is_known_beside_what_was_closed_before() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let open = |cidr: &str| json!({ "group": ground.group, "port": 22, "cidrs": cidr, "why": "w", "key": "sg/first" });
    stage.make("aws/security-group-rule", open("198.51.100.16/29")).await;
    let with = json!({ "group": ground.group, "port": 22 });
    let action = stage.action("aws/security-group-closed", &with);
    let closed = action.apply(&stage.world, &stage.intent("aws/security-group-closed", &with)).await;
    let Outcome::Changed { output: made, .. } = closed else { panic!("{closed:?}") };
    stage.make("aws/security-group-rule", open("203.0.113.0/28")).await;
    let probe = action.probe(&stage.world.having_made(&made)).await;
    let Probe::Different { keep, .. } = &probe else { panic!("{probe:?}") };
    let sources: Vec<&Json> = keep["revoked"].as_array().unwrap().iter().map(|rule| &rule["source"]).collect();
    assert_eq!(sources, ["198.51.100.16/29", "203.0.113.0/28"]);
}

#[tokio::test]
async fn a_key_pair_lives() {
    let with = json!({ "name": "onramp-acme", "public_key": PUBLIC_KEY, "key": "key/operator" });
    let kept = lives(&Stage::new().await, "aws/key-pair", with).await;
    assert_eq!(kept["name"], json!("onramp-acme"));
}

/// An instance as P01 makes it.
pub(super) async fn instance(stage: &Stage, ground: &Ground) -> Json {
    let image = stage.make("aws/image", json!({ "family": "ubuntu-22.04" })).await;
    stage.make("aws/key-pair", json!({ "name": "ops", "public_key": PUBLIC_KEY, "key": "key/operator" })).await;
    json!({
        "image": image["id"], "root_device": image["root_device"], "type": "t3.micro", "subnet": ground.public,
        "groups": [ground.group], "key_pair": "ops", "key": "instance/bastion", "name": "bastion",
        "volume_gib": 30, "user_data": "#cloud-config\n",
    })
}

#[tokio::test]
async fn an_instance_lives_and_can_be_made_again_after_an_undo() {
    for pace in [Pace::Instant, Pace::Human] {
        let stage = Stage::with(pace, Faults::none()).await;
        let ground = ground(&stage).await;
        let mut with = instance(&stage, &ground).await;
        lives(&stage, "aws/instance", with.clone()).await;
        with["key"] = json!("instance/protected");
        with["protected"] = json!(true);
        lives(&stage, "aws/instance", with).await;
    }
}

#[tokio::test]
async fn an_address_of_an_instance_lives() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = instance(&stage, &ground).await;
    let instance = text(&stage.make("aws/instance", with).await, "id");
    let address = stage.make("aws/elastic-address", json!({ "key": "eip/bastion" })).await;
    let with = json!({ "instance": instance, "allocation": address["allocation"] });
    let kept = lives(&stage, "aws/instance-address", with).await;
    assert_eq!(kept["address"], address["address"]);
}

#[tokio::test]
async fn every_new_object_carries_the_tags_of_the_specification() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = instance(&stage, &ground).await;
    stage.make("aws/instance", with).await;
    let created =
        ["CreateVpc", "CreateSubnet", "CreateInternetGateway", "CreateSecurityGroup", "ImportKeyPair", "RunInstances"];
    for operation in created {
        let calls = stage.practice.as_ref().unwrap().calls();
        let call = calls.iter().find(|call| call.operation == operation).unwrap();
        let values = |prefix: &str, suffix: &str| -> Vec<String> {
            let named = call.parameters.iter().filter(|(name, _)| name.starts_with(prefix) && name.ends_with(suffix));
            named.map(|(_, value)| value.clone()).collect()
        };
        let kinds = values("TagSpecification.", ".ResourceType");
        assert_eq!(kinds.len(), if operation == "RunInstances" { 3 } else { 1 }, "{operation}: {kinds:?}");
        for number in 1..=kinds.len() {
            let keys: BTreeSet<String> =
                values(&format!("TagSpecification.{number}.Tag."), ".Key").into_iter().collect();
            let wanted = [
                "CostCentre",
                "Name",
                "onramp:customer",
                "onramp:engagement",
                "onramp:key",
                "onramp:managed",
                "onramp:phase",
                "onramp:run",
                "onramp:step",
                "onramp:token",
            ];
            assert_eq!(keys, wanted.map(str::to_owned).into(), "{operation}");
        }
    }
}
