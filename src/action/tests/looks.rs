//! Kinds that only look, and what a question that cannot be answered becomes.

use serde_json::json;

use super::life::{ground, instance};
use super::*;
use crate::action::Trouble;

impl Stage {
    async fn asks(&self, kind: &str, with: Json) -> Verified {
        let action = self.action(kind, &with);
        assert_eq!(action.changes(), [], "{kind} changes nothing");
        let calls = self.calls();
        let verified = action.verify(&self.world).await;
        let probe = action.probe(&self.world).await;
        match (&verified, &probe) {
            (Verified::So(one), Probe::Same(other)) => assert_eq!(one, other, "{kind}"),
            (Verified::NotSo(_) | Verified::NotYet { .. }, Probe::Absent { .. }) => {}
            (Verified::Unknown(_), Probe::Unknown(_)) => {}
            other => panic!("{kind}: {other:?}"),
        }
        let nothing = action.apply(&self.world, &self.intent(kind, &with)).await;
        assert!(matches!(nothing, Outcome::AlreadySo { .. }), "{nothing:?}");
        assert_eq!(self.sent_since(calls), Vec::<String>::new(), "{kind}");
        verified
    }

    async fn so(&self, kind: &str, with: Json) -> Kept {
        match self.asks(kind, with).await {
            Verified::So(found) => found.output,
            other => panic!("{kind}: {other:?}"),
        }
    }

    pub(super) async fn not_so(&self, kind: &str, with: Json) -> Failure {
        match self.asks(kind, with).await {
            Verified::NotSo(failure) => failure,
            other => panic!("{kind}: {other:?}"),
        }
    }
}

use crate::engagement::Failure;

#[tokio::test]
async fn the_account_and_the_region() {
    let stage = Stage::new().await;
    let kept = stage.so("aws/account", json!({ "account": ACCOUNT })).await;
    assert_eq!(kept["account"], json!(ACCOUNT));
    assert!(text(&kept, "arn").contains(ACCOUNT));
    let failure = stage.not_so("aws/account", json!({ "account": "210987654321" })).await;
    assert!(failure.what.contains(ACCOUNT) && failure.what.contains("210987654321"), "{failure:?}");

    let kept = stage.so("aws/region", json!({ "region": REGION, "zones": ["eu-west-1a", "eu-west-1b"] })).await;
    let ids = kept["zone_ids"].as_object().unwrap();
    assert_eq!(ids.keys().collect::<Vec<_>>(), ["eu-west-1a", "eu-west-1b"]);
    assert!(ids.values().all(|id| id.as_str().unwrap().starts_with("euw1-az")), "{ids:?}");
    stage.not_so("aws/region", json!({ "region": REGION, "zones": ["eu-west-1z"] })).await;
    stage.not_so("aws/region", json!({ "region": "us-east-1", "zones": ["us-east-1a"] })).await;
    // Another region of the account is only asked for whether it is enabled.
    stage.so("aws/region", json!({ "region": "us-east-1" })).await;
    stage.not_so("aws/region", json!({ "region": "eu-west-99" })).await;
}

#[tokio::test]
async fn changes_are_refused_in_another_account() {
    let stage = Stage::new().await;
    assert_eq!(stage.world.ready_to_change(Some(ACCOUNT), std::time::Duration::ZERO).await, Ok(()));
    assert_eq!(stage.world.ready_to_change(None, std::time::Duration::ZERO).await, Ok(()));
    let failure = stage.world.ready_to_change(Some("210987654321"), std::time::Duration::ZERO).await.unwrap_err();
    assert!(failure.what.contains(ACCOUNT), "{failure:?}");
}

#[tokio::test]
async fn the_newest_image_of_a_family() {
    let stage = Stage::new().await;
    let families = [
        ("ubuntu-22.04", "ubuntu", "jammy-22.04-amd64-server-20260712", "CIS Ubuntu Linux 22.04 LTS Benchmark"),
        ("ubuntu-24.04", "ubuntu", "noble-24.04-amd64-server-20260714", "CIS Ubuntu Linux 24.04 LTS Benchmark"),
        ("rhel-8", "ec2-user", "RHEL-8.10.0_HVM-20260210-", "CIS Red Hat Enterprise Linux 8 Benchmark"),
        ("rhel-9", "ec2-user", "RHEL-9.7.0_HVM-20260609-", "CIS Red Hat Enterprise Linux 9 Benchmark"),
        ("rhel-10", "ec2-user", "RHEL-10.1.0_HVM-20260616-", "CIS Red Hat Enterprise Linux 10 Benchmark"),
    ];
    for (family, user, plain, hardened) in families {
        let wanted = [("none", plain.to_owned())]
            .into_iter()
            .chain([("cis_l1", format!("{hardened} - Level 1")), ("cis_l2", format!("{hardened} - Level 2"))]);
        for (hardening, name) in wanted {
            let kept = stage.so("aws/image", json!({ "family": family, "hardening": hardening })).await;
            assert!(text(&kept, "id").starts_with("ami-") && text(&kept, "name").contains(&name), "{name}: {kept:?}");
            assert_eq!(text(&kept, "user"), user);
            assert!(text(&kept, "root_device").starts_with("/dev/"));
        }
    }
    let arm = stage.so("aws/image", json!({ "family": "rhel-9", "architecture": "arm64" })).await;
    assert!(text(&arm, "name").contains("-arm64-"), "{arm:?}");
    let none = json!({ "family": "ubuntu-24.04", "architecture": "arm64", "hardening": "cis_l1" });
    let failure = stage.not_so("aws/image", none).await;
    assert!(failure.what.contains("by CIS, level 1") && failure.what.contains("arm64"), "{failure:?}");
    let id = text(&arm, "id").to_owned();
    let chosen = json!({ "family": "rhel-9", "architecture": "arm64", "id": id.clone() });
    assert_eq!(text(&stage.so("aws/image", chosen).await, "id"), id);
    let wrong = json!({ "family": "rhel-9", "id": id });
    let failure = stage.not_so("aws/image", wrong).await;
    assert!(failure.what.contains("is for arm64, and the hosts are x86_64"), "{failure:?}");
    let gone = json!({ "family": "rhel-9", "id": "ami-0abcdef1234567890" });
    let failure = stage.not_so("aws/image", gone).await;
    assert!(failure.what.contains("there is no image ami-0abcdef1234567890 in eu-west-1"), "{failure:?}");
    let with = json!({ "family": "debian-12", "hardening": "cis_l1" });
    let call = Call::Kind { kind: "aws/image".to_owned(), with: with.as_object().cloned().unwrap() };
    let refused = build(&call, &stage.world.subject);
    assert!(refused.is_err_and(|failure| failure.what.contains("no image of debian-12 that CIS has hardened")));
}

#[tokio::test]
async fn a_type_that_a_zone_does_not_have_is_found_before_anything_is_made() {
    let stage = Stage::new().await;
    let of = |kind: &str, zone: &str| json!({ "type": kind, "zone": zone });
    stage.so("aws/instance-type", of("m7i.large", "eu-west-1a")).await;
    let failure = stage.not_so("aws/instance-type", of("m7i.large", "eu-west-1c")).await;
    assert_eq!(failure.what, "eu-west-1c has no m7i.large");
    assert!(failure.advice.contains("a subnet in eu-west-1a or eu-west-1b"), "{failure:?}");
    let failure = stage.not_so("aws/instance-type", of("u7i-6tb.112xlarge", "eu-west-1a")).await;
    assert!(failure.advice.contains("No zone of eu-west-1 has it"), "{failure:?}");
}

#[tokio::test]
async fn a_zone_that_a_service_is_not_in_is_left_out_of_its_endpoint() {
    let stage = Stage::new().await;
    let of = |zones: Json| json!({ "service": format!("com.amazonaws.{REGION}.email-smtp"), "zones": zones });
    let found = stage.so("aws/endpoint-service", of(json!(["eu-west-1b", "eu-west-1c"]))).await;
    assert_eq!(found["zones"], json!(["eu-west-1b"]));
    let failure = stage.not_so("aws/endpoint-service", of(json!(["eu-west-1c"]))).await;
    assert!(failure.what.ends_with("has no address in eu-west-1c"), "{failure:?}");
    assert!(failure.advice.contains("eu-west-1a or eu-west-1b"), "{failure:?}");
    let unknown = json!({ "service": "com.amazonaws.eu-west-1.none" });
    let failure = stage.not_so("aws/endpoint-service", unknown).await;
    assert!(failure.what.contains("eu-west-1 has no endpoint of com.amazonaws.eu-west-1.none"), "{failure:?}");
}

#[tokio::test]
async fn terms_that_nobody_has_accepted_are_found_before_the_launch() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let key = json!({ "name": "ops", "public_key": super::life::PUBLIC_KEY, "key": "key/a" });
    stage.make("aws/key-pair", key).await;
    let mut with = json!({
        "type": "t3.micro", "subnet": ground.public, "groups": [ground.group], "key_pair": "ops",
        "volume_gib": 40, "key": "instance/rehearsed",
    });
    let image = stage.so("aws/image", json!({ "family": "rhel-9", "hardening": "cis_l2" })).await;
    with["image"] = image["id"].clone();
    let ask = async |with: &Json| stage.action("aws/launch-allowed", with).verify(&stage.world).await;
    let Verified::NotYet { said } = ask(&with).await else { panic!("not yet") };
    assert!(
        said.contains("accept terms and subscribe") && said.contains("https://aws.amazon.com/marketplace/"),
        "{said}"
    );
    let practice = stage.practice.as_ref().unwrap();
    practice.customer_buys(&format!("the terms of {}", text(&image, "name"))).await;
    assert!(matches!(ask(&with).await, Verified::So(_)));
    // What is missing is said, and that it cannot be told is no refusal of the terms.
    with["volume_gib"] = json!(20);
    let Verified::Unknown(Trouble::Failure(failure)) = ask(&with).await else { panic!("a disk that is too small") };
    assert_eq!(failure.code.as_deref(), Some("InvalidBlockDeviceMapping"));
    with["image"] = json!("\u{2039}access.image_id\u{203a}");
    let Verified::NotYet { said } = ask(&with).await else { panic!("not yet") };
    assert!(said.contains("not there yet"), "{said}");
    assert_eq!(practice.machines().await.len(), 0, "nothing was launched");
}

#[tokio::test]
async fn an_instance_gets_ready_and_prints_its_keys() {
    let stage = Stage::with(Pace::Human, Faults::none()).await;
    let ground = ground(&stage).await;
    let with = instance(&stage, &ground).await;
    let id = text(&stage.make("aws/instance", with).await, "id");
    let ready = json!({ "instance": id });
    assert!(matches!(stage.asks("aws/instance-ready", ready.clone()).await, Verified::NotYet { .. }));
    stage.make("aws/instance-ready", ready.clone()).await;

    assert!(matches!(stage.asks("aws/console-host-keys", ready.clone()).await, Verified::NotYet { .. }));
    let key = format!("SHA256:{}", "a".repeat(43));
    let printed = format!(
        "-----BEGIN SSH HOST KEY FINGERPRINTS-----\n256 {key} root@ip (ED25519)\n-----END SSH HOST KEY FINGERPRINTS-----\n"
    );
    stage.practice.as_ref().unwrap().set_console_output(&id, &printed);
    let kept = stage.so("aws/console-host-keys", ready).await;
    assert_eq!(kept["fingerprints"], json!([key]));
}

#[tokio::test]
async fn exposure_is_measured() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let with = instance(&stage, &ground).await;
    let id = text(&stage.make("aws/instance", with).await, "id");
    let allocation = text(&stage.make("aws/elastic-address", json!({ "key": "eip/bastion" })).await, "allocation");
    stage.make("aws/instance-address", json!({ "instance": id, "allocation": allocation })).await;
    let door = |port: u16, cidr: &str| {
        let key = format!("sg/{port}/{}", cidr.len());
        json!({ "group": ground.group, "port": port, "cidrs": cidr, "why": "x", "key": key })
    };
    stage.make("aws/security-group-rule", door(22022, "198.51.100.16/29")).await;
    let asked = json!({ "vpc": ground.vpc, "ssh_port": "22022", "allowed": ["198.51.100.16/29"], "public": [id] });
    let kept = stage.so("aws/exposure", asked.clone()).await;
    assert!(kept["report"].as_array().unwrap().iter().all(|row| row["ok"] == json!(true)), "{kept:?}");

    // Where nobody says which, ours is the one with an address, whatever the customer's have.
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2().clone();
    let (image, subnet) = (instance(&stage, &ground).await["image"].as_str().unwrap().to_owned(), &ground.public);
    let theirs = ec2.run_instances().image_id(image).instance_type("t3.micro".into()).min_count(1).max_count(1);
    let theirs = theirs.subnet_id(subnet).send().await.unwrap().instances()[0].instance_id().unwrap().to_owned();
    let address = ec2.allocate_address().domain("vpc".into()).send().await.unwrap().allocation_id.unwrap();
    ec2.associate_address().instance_id(&theirs).allocation_id(&address).send().await.unwrap();
    let mut unsaid = asked.clone();
    unsaid.as_object_mut().unwrap().remove("public");
    unsaid["others"] = json!("shown");
    let kept = stage.so("aws/exposure", unsaid.clone()).await;
    assert!(kept["report"].to_string().contains(&theirs), "{kept:?}");
    unsaid["others"] = json!("judged");
    stage.not_so("aws/exposure", unsaid).await;
    ec2.terminate_instances().instance_ids(&theirs).send().await.unwrap();

    let mut others = asked.clone();
    others["public"] = json!(["i-0123456789abcdef0"]);
    let failure = stage.not_so("aws/exposure", others).await;
    assert!(failure.meaning.contains(&id) && failure.meaning.contains("i-0123456789abcdef0"), "{failure:?}");

    let mut nobody = asked.clone();
    nobody["public"] = json!([]);
    let failure = stage.not_so("aws/exposure", nobody).await;
    assert!(failure.meaning.contains(&format!("{id} has the public address")), "{failure:?}");

    for (port, cidr) in [(22, "198.51.100.16/29"), (22022, "0.0.0.0/0")] {
        let undo = stage.make("aws/security-group-rule", door(port, cidr)).await;
        let failure = stage.not_so("aws/exposure", asked.clone()).await;
        assert!(failure.meaning.contains(&format!("tcp {port} from {cidr}")), "{failure:?}");
        let rule = stage.action("aws/security-group-rule", &door(port, cidr));
        rule.undo(&stage.world, &stage.intent("undo", &door(port, cidr)), &undo).await;
    }
    stage.so("aws/exposure", asked).await;
}

/// One step of every kind that looks at AWS first.
fn one_of_each() -> Vec<(&'static str, Json)> {
    let group = "sg-0123456789abcdef0";
    vec![
        ("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })),
        ("aws/subnet", json!({ "vpc": "vpc-1", "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "key": "subnet/a" })),
        ("aws/internet-gateway", json!({ "vpc": "vpc-1", "key": "igw/main" })),
        ("aws/elastic-address", json!({ "key": "eip/a" })),
        ("aws/nat-gateway", json!({ "subnet": "subnet-1", "allocation": "eipalloc-1", "key": "nat/a" })),
        ("aws/route-table", json!({ "vpc": "vpc-1", "key": "routes/a", "subnets": ["subnet-1"] })),
        ("aws/security-group", json!({ "vpc": "vpc-1", "name": "bastion", "key": "sg/a" })),
        ("aws/security-group-rule", json!({ "group": group, "port": 22, "cidrs": "10.0.0.0/8", "key": "sg/b" })),
        ("aws/security-group-closed", json!({ "group": group, "port": 22 })),
        ("aws/key-pair", json!({ "name": "ops", "public_key": super::life::PUBLIC_KEY, "key": "key/a" })),
        (
            "aws/instance",
            json!({ "image": "ami-1", "type": "t3.micro", "subnet": "subnet-1", "groups": [group], "key_pair": "ops", "key": "i/a" }),
        ),
        ("aws/instance-address", json!({ "instance": "i-1", "allocation": "eipalloc-1" })),
        ("aws/account", json!({ "account": ACCOUNT })),
        ("aws/region", json!({ "region": REGION, "zones": [] })),
        ("aws/instance-type", json!({ "type": "t3.micro", "zone": "eu-west-1a" })),
        ("aws/endpoint-service", json!({ "service": "com.amazonaws.eu-west-1.email-smtp" })),
        ("aws/image", json!({ "family": "ubuntu-22.04" })),
        (
            "aws/launch-allowed",
            json!({ "image": "ami-1", "type": "t3.micro", "subnet": "subnet-1", "groups": [group], "key_pair": "ops", "key": "i/a" }),
        ),
        ("aws/instance-ready", json!({ "instance": "i-1" })),
        ("aws/console-host-keys", json!({ "instance": "i-1" })),
        ("aws/exposure", json!({ "vpc": "vpc-1", "ssh_port": 22022, "allowed": [] })),
    ]
}

/// Nobody answers there.
async fn nobody() -> Stage {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let wiring = Wiring {
        region: REGION.to_owned(),
        endpoint_url: Some(format!("http://127.0.0.1:{port}")),
        credentials: Some(
            crate::practice::cloud::Cloud::new(ACCOUNT, REGION, Pace::Instant, Faults::none()).credentials(),
        ),
        hurry: 1_000,
        ..Wiring::default()
    };
    Stage::over(wiring, None, "e1").await
}

#[tokio::test]
async fn what_cannot_be_asked_is_unknown_and_never_absent() {
    let unreachable = nobody().await;
    let mut no_account = nobody().await;
    no_account.world.cloud = Err(Failure::new("there are no credentials for AWS", "Sign in."));
    for stage in [unreachable, no_account] {
        for (kind, with) in one_of_each() {
            let action = stage.action(kind, &with);
            let probe = action.probe(&stage.world).await;
            let Probe::Unknown(Trouble::Failure(failure)) = probe else { panic!("{kind}: {probe:?}") };
            assert!(!failure.what.is_empty() && !failure.advice.is_empty(), "{kind}: {failure:?}");
            assert!(matches!(action.verify(&stage.world).await, Verified::Unknown(_)), "{kind}");
            let outcome = action.apply(&stage.world, &stage.intent(kind, &with)).await;
            assert!(matches!(outcome, Outcome::Failed { .. } | Outcome::AlreadySo { .. }), "{kind}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn what_may_not_be_asked_is_unknown_and_never_absent() {
    let denied = [
        ("aws/vpc", "DescribeVpcs"),
        ("aws/subnet", "DescribeSubnets"),
        ("aws/internet-gateway", "DescribeInternetGateways"),
        ("aws/elastic-address", "DescribeAddresses"),
        ("aws/nat-gateway", "DescribeNatGateways"),
        ("aws/route-table", "DescribeRouteTables"),
        ("aws/security-group", "DescribeSecurityGroups"),
        ("aws/security-group-rule", "DescribeSecurityGroupRules"),
        ("aws/security-group-closed", "DescribeSecurityGroupRules"),
        ("aws/key-pair", "DescribeKeyPairs"),
        ("aws/instance", "DescribeInstances"),
        ("aws/instance-address", "DescribeAddresses"),
        ("aws/region", "DescribeRegions"),
        ("aws/instance-type", "DescribeInstanceTypeOfferings"),
        ("aws/endpoint-service", "DescribeVpcEndpointServices"),
        ("aws/image", "DescribeImages"),
        ("aws/launch-allowed", "RunInstances"),
        ("aws/instance-ready", "DescribeInstanceStatus"),
        ("aws/console-host-keys", "GetConsoleOutput"),
        ("aws/exposure", "DescribeSecurityGroups"),
    ];
    for (kind, operation) in denied {
        let stage = Stage::with(Pace::Instant, Faults::none().deny(operation)).await;
        let with = one_of_each().into_iter().find(|(name, _)| *name == kind).unwrap().1;
        let probe = stage.action(kind, &with).probe(&stage.world).await;
        let Probe::Unknown(Trouble::Failure(failure)) = probe else { panic!("{kind}: {probe:?}") };
        assert_eq!(failure.code.as_deref(), Some("UnauthorizedOperation"), "{kind}: {failure:?}");
        assert!(failure.what.contains(operation), "{kind}: {failure:?}");
    }
}

#[tokio::test]
async fn a_plan_with_what_is_not_known_yet_is_absent_and_shows_the_names() {
    let stage = Stage::new().await;
    let cloud = stage.world.cloud.as_ref().unwrap();
    let looking = World { cloud: Ok(Arc::new(cloud.read_only())), ..stage.world.clone() };
    let with = json!({ "vpc": "\u{2039}access.vpc_id\u{203a}", "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "key": "subnet/a" });
    let action = stage.action("aws/subnet", &with);
    assert!(is_absent(&action.probe(&looking).await));
    assert_eq!(action.changes()[0].arguments["VpcId"], json!("\u{2039}access.vpc_id\u{203a}"));
    let address =
        json!({ "instance": "\u{2039}access.bastion_id\u{203a}", "allocation": "\u{2039}access.allocation\u{203a}" });
    assert!(is_absent(&stage.action("aws/instance-address", &address).probe(&looking).await));
}
