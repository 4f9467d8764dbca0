//! What is there and is not ours, or not as it should be: a person decides, and an undo keeps its hands off.

use serde_json::json;

use super::life::{PUBLIC_KEY, ground, instance};
use super::*;

impl Stage {
    /// The probe shows a difference and plans nothing; an apply sends nothing.
    pub(super) async fn leaves_alone(&self, kind: &str, with: Json) -> String {
        let action = self.action(kind, &with);
        let calls = self.calls();
        let probe = action.probe(&self.world).await;
        let Probe::Different { differences, mend, said, .. } = probe else { panic!("{kind}: {probe:?}") };
        assert_eq!(mend, [], "{kind}");
        assert!(!differences.is_empty(), "{kind}: {said}");
        let outcome = action.apply(&self.world, &self.intent(kind, &with)).await;
        let Outcome::Failed { failure } = outcome else { panic!("{kind}: {outcome:?}") };
        assert!(failure.changed.is_empty() && !failure.advice.is_empty(), "{kind}: {failure:?}");
        let verified = action.verify(&self.world).await;
        assert!(matches!(verified, Verified::NotSo(_)), "{kind}: {verified:?}");
        assert_eq!(self.sent_since(calls), Vec::<String>::new(), "{kind}");
        differences.iter().map(|d| format!("{} {} {}", d.what, d.wanted, d.found)).collect::<Vec<_>>().join("; ")
    }

    /// Another engagement makes it first.
    pub(super) async fn stranger_makes(&self, kind: &str, with: Json) -> Kept {
        let world = self.as_engagement("e2");
        let action = action(kind, &with, &world.subject);
        let token = crate::engagement::digest_of(&json!([kind, with, "e2"]));
        let outcome = action.apply(&world, &DurableIntent::for_tests(&world.subject.address, &token)).await;
        let Outcome::Changed { output, .. } = outcome else { panic!("{kind}: {outcome:?}") };
        output
    }
}

#[tokio::test]
async fn a_vpc_of_the_same_range_that_nobody_tagged() {
    let stage = Stage::new().await;
    let made = stage.world.cloud.as_ref().unwrap().ec2().create_vpc().cidr_block("10.40.0.0/16").send().await.unwrap();
    let said = stage.leaves_alone("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await;
    assert!(said.contains(made.vpc().unwrap().vpc_id().unwrap()) && said.contains("onramp did not make"), "{said}");
}

#[tokio::test]
async fn a_vpc_of_the_same_range_for_another_engagement_is_no_obstacle() {
    let stage = Stage::new().await;
    let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    stage.stranger_makes("aws/vpc", with.clone()).await;
    stage.make("aws/vpc", with).await;
}

#[tokio::test]
async fn a_vpc_of_ours_with_another_range() {
    let stage = Stage::new().await;
    stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await;
    let said = stage.leaves_alone("aws/vpc", json!({ "cidr": "10.41.0.0/16", "key": "vpc/main" })).await;
    assert_eq!(said, "range 10.41.0.0/16 10.40.0.0/16");
}

#[tokio::test]
async fn of_two_of_ours_the_older_counts_and_an_undo_takes_both() {
    let stage = Stage::new().await;
    let with = json!({ "key": "eip/bastion" });
    let mut made = Vec::new();
    for token in ["one", "two"] {
        let call = super::super::call::Call::AllocateAddress {
            domain: "vpc",
            tag_specifications: super::super::call::Label { key: "eip/bastion".to_owned(), name: "n".to_owned() },
        };
        let marks = stage.world.subject.marks(token, if token == "one" { 2 } else { 1 });
        let cloud = stage.world.cloud.as_ref().unwrap();
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        let sender = super::super::send::Sender {
            world: &stage.world,
            cloud,
            marks: &marks,
            token,
            until,
            secrets: &BTreeMap::new(),
            rehearsal: false,
        };
        made.push(sender.send(&call).await.unwrap().unwrap());
    }
    let action = stage.action("aws/elastic-address", &with);
    let calls = stage.calls();
    let Probe::Same(found) = action.probe(&stage.world).await else { panic!("the older one is as wanted") };
    assert_eq!(found.output["allocation"], json!(made[1]), "the tags say which attempt came first");
    assert_eq!(found.output["duplicates"], json!([made[0]]));
    assert!(found.said.contains(&made[0]), "a person reads of it: {}", found.said);
    let outcome = action.apply(&stage.world, &stage.intent("aws/elastic-address", &with)).await;
    assert!(matches!(outcome, Outcome::AlreadySo { .. }), "{outcome:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new(), "nobody said that it may go");
    let kept = found.output.into_iter().filter(|(name, _)| name == "allocation").collect();
    let undone = action.undo(&stage.world, &stage.intent("aws/elastic-address", &with), &kept).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    assert_eq!(stage.sent_since(calls), ["ReleaseAddress", "ReleaseAddress"]);
    assert!(is_absent(&action.probe(&stage.world).await));
}

#[tokio::test]
async fn a_subnet_in_the_same_place() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = |key: &str| json!({ "vpc": ground.vpc, "cidr": "10.40.9.0/24", "zone": "eu-west-1a", "key": key });
    stage.stranger_makes("aws/subnet", with("subnet/app/a")).await;
    let said = stage.leaves_alone("aws/subnet", with("subnet/app/a")).await;
    assert!(said.contains("of the engagement e2"), "{said}");
    let larger = json!({ "vpc": ground.vpc, "cidr": "10.40.8.0/23", "zone": "eu-west-1a", "key": "subnet/data/a" });
    let said = stage.leaves_alone("aws/subnet", larger).await;
    assert!(said.contains("10.40.9.0/24") && said.contains("overlaps 10.40.8.0/23"), "{said}");
    let moved = json!({ "vpc": ground.vpc, "cidr": "10.40.0.0/24", "zone": "eu-west-1b", "key": "subnet/public/a" });
    assert_eq!(stage.leaves_alone("aws/subnet", moved).await, "zone eu-west-1b eu-west-1a");
}

#[tokio::test]
async fn a_subnet_outside_of_the_vpc_is_shown_beside_the_ranges_that_there_are() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = json!({ "vpc": ground.vpc, "cidr": "10.99.0.0/24", "zone": "eu-west-1a", "key": "subnet/app/a" });
    let outcome = stage.action("aws/subnet", &with).apply(&stage.world, &stage.intent("aws/subnet", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(
        failure.meaning.contains("no other subnet") && failure.meaning.contains("which has 10.40.0.0/16"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_second_internet_gateway() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let said = stage.leaves_alone("aws/internet-gateway", json!({ "vpc": ground.vpc, "key": "igw/other" })).await;
    assert!(said.contains("ours as igw/main"), "{said}");
}

#[tokio::test]
async fn a_route_that_leads_elsewhere_and_a_subnet_of_another_table() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = |gateway: &str, key: &str| {
        let routes = json!([{ "to": "0.0.0.0/0", "gateway": gateway }]);
        json!({ "vpc": ground.vpc, "key": key, "routes": routes, "subnets": [ground.public] })
    };
    stage.make("aws/route-table", with(&ground.gateway, "routes/public")).await;
    let said = stage.leaves_alone("aws/route-table", with("igw-0123456789abcdef0", "routes/public")).await;
    assert!(said.contains("the route to 0.0.0.0/0 igw-0123456789abcdef0"), "{said}");
    let said = stage.leaves_alone("aws/route-table", with(&ground.gateway, "routes/other")).await;
    assert!(said.contains(&ground.public) && said.contains("ours as routes/public"), "{said}");
}

#[tokio::test]
async fn a_security_group_of_that_name_and_a_door_that_somebody_opened() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = |name: &str| {
        let ingress = json!([{ "port": 22022, "cidrs": ["198.51.100.16/29"], "why": "operator" }]);
        json!({ "vpc": ground.vpc, "name": name, "key": "sg/bastion", "ingress": ingress })
    };
    stage.stranger_makes("aws/security-group", with("taken")).await;
    let said = stage.leaves_alone("aws/security-group", with("taken")).await;
    assert!(said.contains("of the engagement e2"), "{said}");

    let group = text(&stage.make("aws/security-group", with("bastion")).await, "id");
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let opened = aws::ec2::types::IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .ip_ranges(aws::ec2::types::IpRange::builder().cidr_ip("0.0.0.0/0").build())
        .build();
    ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(opened).send().await.unwrap();
    let said = stage.leaves_alone("aws/security-group", with("bastion")).await;
    assert!(said.contains("tcp 22 from 0.0.0.0/0"), "{said}");
}

#[tokio::test]
async fn a_door_of_our_own_other_step_is_no_surprise() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let group = json!({ "vpc": ground.vpc, "name": "ground", "key": "sg/ground", "ingress": [] });
    let door =
        json!({ "group": ground.group, "port": 22, "cidrs": "198.51.100.16/29", "why": "first", "key": "sg/first" });
    stage.make("aws/security-group-rule", door).await;
    let probe = stage.action("aws/security-group", &group).probe(&stage.world).await;
    assert!(matches!(probe, Probe::Same(_)), "{probe:?}");
}

#[tokio::test]
async fn a_port_inside_a_wider_rule_is_not_cut_out() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let wide =
        json!({ "group": ground.group, "from_port": 20, "to_port": 30, "cidrs": "198.51.100.16/29", "key": "sg/wide" });
    stage.make("aws/security-group-rule", wide).await;
    let said = stage.leaves_alone("aws/security-group-closed", json!({ "group": ground.group, "port": 22 })).await;
    assert!(said.contains("tcp 20-30"), "{said}");
}

#[tokio::test]
async fn a_key_pair_of_that_name_is_whoevers_it_is_whether_or_not_it_holds_the_same_key() {
    let stage = Stage::new().await;
    let other = PUBLIC_KEY.replace("JfJ8", "JfJ9");
    let with = |key: &str| json!({ "name": "ops", "public_key": key, "key": "key/operator" });
    let theirs = stage.stranger_makes("aws/key-pair", with(&other)).await;
    let id = text(&theirs, "id");
    let said = stage.leaves_alone("aws/key-pair", with(PUBLIC_KEY)).await;
    assert!(said.contains("with another public key") && said.contains("of the engagement e2"), "{said}");
    let said = stage.leaves_alone("aws/key-pair", with(&other)).await;
    assert!(
        said.contains("with the same public key") && said.contains(&format!("{id} of the engagement e2")),
        "{said}"
    );

    let same = stage.action("aws/key-pair", &with(&other));
    let undone = same.undo(&stage.world, &stage.intent("aws/key-pair", &json!({})), &theirs).await;
    let Outcome::Failed { failure } = undone else { panic!("{undone:?}") };
    assert!(failure.what.contains("is left alone") && failure.what.contains("of the engagement e2"), "{failure:?}");
    // Where nothing of ours was made, theirs is not what is gone.
    let undone = same.undo(&stage.world, &stage.intent("aws/key-pair", &json!({})), &Kept::new()).await;
    let Outcome::AlreadySo { said, .. } = undone else { panic!("{undone:?}") };
    assert_eq!(said, "key pair key/operator is not there any more");
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let left = ec2.describe_key_pairs().key_names("ops").send().await.unwrap();
    assert_eq!(left.key_pairs()[0].key_pair_id(), Some(id.as_str()));
}

#[tokio::test]
async fn an_instance_of_another_size_and_an_address_at_another_instance() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = instance(&stage, &ground).await;
    let first = text(&stage.make("aws/instance", with.clone()).await, "id");
    let mut larger = with.clone();
    larger["type"] = json!("t3.large");
    assert_eq!(stage.leaves_alone("aws/instance", larger).await, "type t3.large t3.micro");

    let mut second = with;
    second["key"] = json!("instance/other");
    let second = text(&stage.make("aws/instance", second).await, "id");
    let allocation = text(&stage.make("aws/elastic-address", json!({ "key": "eip/bastion" })).await, "allocation");
    stage.make("aws/instance-address", json!({ "instance": first, "allocation": allocation })).await;
    let said =
        stage.leaves_alone("aws/instance-address", json!({ "instance": second, "allocation": allocation })).await;
    assert_eq!(said, format!("instance {second} {first}"));
}

#[tokio::test]
async fn an_image_whose_root_disk_would_stay_unencrypted() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let mut with = instance(&stage, &ground).await;
    with["root_device"] = json!("/dev/xvdz");
    let said = stage.leaves_alone("aws/instance", with).await;
    assert!(said.contains("root device /dev/xvdz"), "{said}");
}

#[tokio::test]
async fn an_undo_leaves_what_another_engagement_made() {
    let stage = Stage::new().await;
    let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    let theirs = stage.stranger_makes("aws/vpc", with.clone()).await;
    let calls = stage.calls();
    let undone = stage.action("aws/vpc", &with).undo(&stage.world, &stage.intent("aws/vpc", &with), &theirs).await;
    let Outcome::Failed { failure } = undone else { panic!("{undone:?}") };
    assert!(failure.what.contains("of the engagement e2"), "{failure:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
}

#[tokio::test]
async fn an_undo_says_what_still_hangs_on_it() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    let made = BTreeMap::from([("id".to_owned(), json!(ground.vpc))]);
    let undone = stage.action("aws/vpc", &with).undo(&stage.world, &stage.intent("aws/vpc", &with), &made).await;
    let Outcome::Failed { failure } = undone else { panic!("{undone:?}") };
    assert_eq!(failure.code.as_deref(), Some("DependencyViolation"));
    // Most often it is an interface of some service: its description says of which.
    let endpoint = json!({
        "VpcId": ground.vpc, "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.eu-west-1.email-smtp",
        "PrivateDnsEnabled": true, "SubnetIds": [ground.public], "SecurityGroupIds": [ground.group],
    });
    let endpoint = json!({ "type": "AWS::EC2::VPCEndpoint", "key": "endpoint/mail", "properties": endpoint });
    let endpoint = text(&stage.make("aws/resource", endpoint).await, "id");
    let with = json!({
        "vpc": ground.vpc, "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "tier": "public", "key": "subnet/public/a"
    });
    let made = BTreeMap::from([("id".to_owned(), json!(ground.public))]);
    let undone = stage.action("aws/subnet", &with).undo(&stage.world, &stage.intent("aws/subnet", &with), &made).await;
    let Outcome::Failed { failure } = undone else { panic!("{undone:?}") };
    let named = failure.meaning.contains("network interface eni-") && failure.meaning.contains(&endpoint);
    assert!(named, "{failure:?}");
}

#[tokio::test]
async fn an_undo_says_which_addresses_still_need_the_way_out() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let there = stage.make("aws/internet-gateway", json!({ "vpc": ground.vpc, "key": "igw/main" })).await;
    let bastion = instance(&stage, &ground).await;
    let bastion = text(&stage.make("aws/instance", bastion).await, "id");
    let made = stage.make("aws/elastic-address", json!({ "key": "eip/bastion" })).await;
    let (allocation, address) = (text(&made, "allocation"), text(&made, "address"));
    stage.make("aws/instance-address", json!({ "instance": bastion, "allocation": allocation })).await;
    let with = json!({ "vpc": ground.vpc, "key": "igw/main" });
    let action = stage.action("aws/internet-gateway", &with);
    let undone = action.undo(&stage.world, &stage.intent("aws/internet-gateway", &with), &there).await;
    let Outcome::Failed { failure } = undone else { panic!("{undone:?}") };
    assert_eq!(failure.code.as_deref(), Some("DependencyViolation"));
    let named = format!("public address {address} (instance {bastion})");
    assert!(failure.meaning.contains(&named), "{failure:?}");
}

#[tokio::test]
async fn a_nat_gateway_that_failed_shows_why() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let subnet = json!({ "vpc": vpc, "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "key": "subnet/public/a" });
    let subnet = text(&stage.make("aws/subnet", subnet).await, "id");
    let allocation = text(&stage.make("aws/elastic-address", json!({ "key": "eip/nat/a" })).await, "allocation");
    // Without an internet gateway it is made, and fails.
    let with = json!({ "subnet": subnet, "allocation": allocation, "key": "nat/a" });
    let action = stage.action("aws/nat-gateway", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/nat-gateway", &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    let Verified::NotSo(failure) = action.verify(&stage.world).await else { panic!("it failed") };
    assert_eq!(failure.code.as_deref(), Some("Gateway.NotAttached"));
    assert!(failure.meaning.len() > 10, "{failure:?}");
    let probe = action.probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    let undone = action.undo(&stage.world, &stage.intent("aws/nat-gateway", &with), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
}

#[tokio::test]
async fn more_rules_than_a_group_may_have_are_counted_before_the_first_is_written() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let door = |port: u16, from: std::ops::Range<u8>| {
        let all: Vec<String> = from.map(|n| format!("10.9.{n}.0/24")).collect();
        json!({ "port": port, "cidrs": all, "why": "branch offices" })
    };
    let group = |name: &str, ingress: Json| json!({ "vpc": ground.vpc, "name": name, "key": format!("sg/{name}"), "ingress": ingress });
    let said =
        stage.leaves_alone("aws/security-group", group("many", json!([door(22, 0..40), door(443, 0..21)]))).await;
    assert_eq!(said, "rules 60 at most 61");
    let sixty = stage.make("aws/security-group", group("full", json!([door(22, 0..40), door(443, 0..20)]))).await;
    let (mut rule, id) = (door(8443, 0..1), text(&sixty, "id"));
    (rule["group"], rule["key"]) = (json!(id), json!("sg/full/one"));
    let said = stage.leaves_alone("aws/security-group-rule", rule.clone()).await;
    assert_eq!(said, "rules 60 at most 61");
    // What AWS has granted counts, and IPv6 by itself.
    rule["cidrs"] = json!(["2001:db8::/32"]);
    stage.make("aws/security-group-rule", rule).await;
    stage.make("aws/quota-increase", json!({ "service": "vpc", "code": "L-0EA8095F", "wanted": 100 })).await;
    stage.make("aws/security-group", group("many", json!([door(22, 0..40), door(443, 0..21)]))).await;
}
