//! The way to the customer's data centre, and what hosts are told: lives, keys that nobody sees, and what is in the way.

use serde_json::{Value as Json, json};

use super::life::{lives, lives_once};
use super::*;
use crate::engagement::Question;

/// A VPC with a table, a device and a gateway.
pub(super) struct Ends {
    vpc: String,
    table: String,
    device: String,
    gateway: String,
}

pub(super) async fn ends(stage: &Stage) -> Ends {
    ends_at(stage, "198.51.100.9").await
}

pub(super) async fn ends_at(stage: &Stage, address: &str) -> Ends {
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let table = text(&stage.make("aws/route-table", json!({ "vpc": vpc, "key": "routes/app" })).await, "id");
    let device = json!({ "address": address, "asn": "65010", "key": "cgw/main" });
    let device = text(&stage.make("aws/customer-gateway", device).await, "id");
    let gateway = json!({ "vpc": vpc, "asn": 64620, "key": "vgw/main" });
    let gateway = text(&stage.make("aws/vpn-gateway", gateway).await, "id");
    Ends { vpc, table, device, gateway }
}

impl Ends {
    pub(super) fn connection(&self) -> Json {
        json!({
            "customer_gateway": self.device, "gateway": self.gateway, "key": "vpn/main",
            "inside": ["169.254.44.0/30", "169.254.44.4/30"], "ike": ["ikev2"], "startup": "start", "dpd": "restart",
            "p1_life": 14_400, "p2_life": 1_800, "dpd_timeout": 40, "encryption": ["AES256"], "integrity": ["SHA2-256"], "dh_groups": [14, 19, 20],
        })
    }
}

#[tokio::test]
async fn both_ends_live() {
    for pace in [Pace::Instant, Pace::Human] {
        let stage = Stage::with(pace, Faults::none()).await;
        let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
        lives(&stage, "aws/vpn-gateway", json!({ "vpc": vpc, "key": "vgw/main" })).await;
        // A number that needs all 32 bits has a field of its own.
        for (asn, key) in [(65_010_u32, "cgw/one"), (4_200_000_001, "cgw/two")] {
            let device = json!({ "address": "198.51.100.9", "asn": asn, "device": "acme-fw1", "key": key });
            lives_once(&stage, "aws/customer-gateway", device).await;
        }
    }
}

#[tokio::test]
async fn a_connection_its_routes_and_their_propagation_live() {
    for pace in [Pace::Instant, Pace::Human] {
        let stage = Stage::with(pace, Faults::none()).await;
        let ends = ends(&stage).await;
        let kept = lives(&stage, "aws/vpn-connection", ends.connection()).await;
        assert_eq!(kept["tunnels"][1]["inside"], json!("169.254.44.4/30"), "{kept:?}");
        let vpn = text(&kept, "id");
        lives(&stage, "aws/vpn-route", json!({ "vpn": vpn, "to": "192.168.0.0/16" })).await;
        let learns = json!({ "gateway": ends.gateway, "table": ends.table });
        lives(&stage, "aws/route-propagation", learns).await;
        let ec2 = stage.world.cloud.as_ref().unwrap().ec2().clone();
        let tables = ec2.describe_route_tables().route_table_ids(&ends.table).send().await.unwrap();
        let learnt = tables.route_tables()[0].routes().iter().find(|one| one.gateway_id() == Some(&ends.gateway));
        assert_eq!(learnt.unwrap().destination_cidr_block(), Some("192.168.0.0/16"), "the table has learnt it");
    }
}

#[tokio::test]
async fn a_device_that_is_connected_already_is_refused_at_once_and_its_connection_is_named() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let theirs = stage.as_engagement("e2");
    let action = stage.action("aws/vpn-connection", &ends.connection());
    let made = action.apply(&theirs, &stage.intent("aws/vpn-connection", &ends.connection())).await;
    assert!(matches!(made, Outcome::Changed { .. }), "{made:?}");
    let twin = json!({ "address": "198.51.100.9", "asn": 65_011, "key": "cgw/twin" });
    let twin = text(&stage.make("aws/customer-gateway", twin).await, "id");
    let mut with = ends.connection();
    (with["customer_gateway"], with["key"]) = (json!(twin), json!("vpn/twin"));

    let from = stage.calls();
    let outcome =
        stage.action("aws/vpn-connection", &with).apply(&stage.world, &stage.intent("aws/vpn-connection", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code.as_deref(), Some("InvalidCustomerGateway.DuplicateIpAddress"));
    let named = format!("of the engagement e2, to 198.51.100.9 by {}", ends.device);
    assert!(failure.meaning.contains("In the way: vpn-") && failure.meaning.contains(&named), "{failure:?}");
    assert!(failure.advice.contains("second public address") && !failure.raw.is_empty(), "{failure:?}");
    assert_eq!(stage.sent_since(from), ["CreateVpnConnection"], "it does not help to say it again");
}

#[tokio::test]
async fn what_a_table_has_learnt_is_not_in_the_way_of_a_route_of_its_own() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let vpn = text(&stage.make("aws/vpn-connection", ends.connection()).await, "id");
    stage.make("aws/vpn-route", json!({ "vpn": vpn, "to": "192.168.0.0/16" })).await;
    stage.make("aws/route-propagation", json!({ "gateway": ends.gateway, "table": ends.table })).await;
    let transit = text(&stage.make("aws/transit-gateway", json!({ "asn": 64_630, "key": "tgw/main" })).await, "id");
    let subnet = json!({ "vpc": ends.vpc, "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "key": "subnet/a" });
    let subnet = text(&stage.make("aws/subnet", subnet).await, "id");
    let attachment = json!({ "gateway": transit, "vpc": ends.vpc, "subnets": [subnet], "key": "tgw/attachment" });
    stage.make("aws/transit-attachment", attachment).await;

    // AWS prefers a route of the table's own to a learnt one of the same range, so both may be there.
    let through = json!({ "table": ends.table, "gateway": transit, "to": ["192.168.0.0/16"] });
    let action = stage.action("aws/transit-routes", &through);
    let probe = action.probe(&stage.world).await;
    assert!(is_absent(&probe), "{probe:?}");
    stage.make("aws/transit-routes", through.clone()).await;
    // As it was written down before the first call.
    let made: Kept = [("ranges".to_owned(), through["to"].clone())].into();
    let leads = json!({ "tables": [ends.table], "to": "192.168.4.0/24", "through": transit });
    assert!(matches!(stage.action("aws/route-to", &leads).verify(&stage.world).await, Verified::So(_)));
    assert!(matches!(
        action.undo(&stage.world, &stage.intent("aws/transit-routes", &through), &made).await,
        Outcome::Changed { .. }
    ));
    let probe = action.probe(&stage.world).await;
    assert!(is_absent(&probe), "the learnt one is left, and is no route of ours: {probe:?}");
}

#[tokio::test]
async fn a_key_is_sent_and_stands_nowhere_else() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let secret = json!({ "key": "psk/one", "use": "psk" });
    let reference = text(&stage.make("aws/secret", secret).await, "reference");
    let mut with = ends.connection();
    with["key_one"] = json!(reference);
    let action = stage.action("aws/vpn-connection", &with);
    assert_eq!(action.at_hand(&stage.world).await, Ok(()));
    let outcome = action.apply(&stage.world, &stage.intent("aws/vpn-connection", &with)).await;
    let kept = stage.proved(&*action).await;
    let calls = stage.practice.as_ref().unwrap().calls();
    let sent = calls.iter().find(|call| call.operation == "CreateVpnConnection").unwrap();
    let key = sent.parameters["Options.TunnelOptions.1.PreSharedKey"].clone();
    assert_eq!(key.len(), 32, "the secret's text was sent");
    assert!(!sent.parameters.contains_key("Options.TunnelOptions.2.PreSharedKey"), "AWS makes the other one");
    // The sample has both keys, and what is kept of it has none; nor has anything that is shown.
    let asked = json!({ "vpn": kept["id"], "device": "51cb26fd" });
    let Verified::So(sample) = stage.action("aws/vpn-device-configuration", &asked).verify(&stage.world).await else {
        panic!("no sample")
    };
    let cloud = stage.world.cloud.as_ref().unwrap();
    let there = super::super::aws_vpn_connection::connection(cloud, &text(&kept, "id")).await.unwrap().unwrap();
    let keys: Vec<&str> =
        there.options().unwrap().tunnel_options().iter().filter_map(|one| one.pre_shared_key()).collect();
    assert_eq!((keys.len(), keys[0]), (2, key.as_str()));
    let probe = action.probe(&stage.world).await;
    let shown = format!("{:?} {outcome:?} {kept:?} {sample:?} {probe:?} {there:?}", action.changes());
    for key in keys {
        assert!(!shown.contains(key), "a key is shown");
        assert!(
            !stage.world.vault.masks().now().mask(&format!("x {key} y")).contains(key),
            "a key would not be masked"
        );
    }
    assert!(shown.contains("pre-shared key of tunnel 2, sent separately"));
    assert!(shown.contains("the secret"), "the plan says where it lives");
}

#[tokio::test]
async fn keys_that_aws_keeps_in_a_secret_are_shown_by_nobody_and_the_sample_is_without_them() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let mut with = ends.connection();
    with["key_storage"] = json!("secrets_manager");
    lives(&stage, "aws/vpn-connection", with.clone()).await;
    for number in ["one", "two"] {
        let secret = json!({ "key": format!("psk/{number}"), "use": "psk" });
        with[format!("key_{number}")] = stage.make("aws/secret", secret).await["reference"].clone();
    }
    let planned = format!("{:?}", stage.action("aws/vpn-connection", &with).changes());
    assert!(planned.contains("PreSharedKeyStorage") && planned.contains("SecretsManager"), "{planned}");
    let kept = stage.make("aws/vpn-connection", with.clone()).await;
    let secret = text(&kept, "keys_secret");
    assert!(secret.starts_with("arn:aws:secretsmanager:") && secret.contains(":secret:s2svpn!vpn-"), "{secret}");
    let cloud = stage.world.cloud.as_ref().unwrap();
    let vpn = text(&kept, "id");
    let there = super::super::aws_vpn_connection::connection(cloud, &vpn).await.unwrap().unwrap();
    assert_eq!(super::super::aws_vpn_connection::keys_shown(&there), Vec::<&str>::new());

    // Of ours, where AWS shows none: what its sample has in their place is held back as well.
    let mut asked = json!({ "vpn": vpn, "device": "51cb26fd" });
    let blind = stage.action("aws/vpn-device-configuration", &asked).verify(&stage.world).await;
    let Verified::NotSo(failure) = blind else { panic!("nothing is known to be held back: {blind:?}") };
    assert!(failure.advice.contains("get-vpn-connection-device-sample-configuration"), "{failure:?}");
    (asked["key_one"], asked["key_two"]) = (with["key_one"].clone(), with["key_two"].clone());
    let sample = stage.action("aws/vpn-device-configuration", &asked).verify(&stage.world).await;
    let Verified::So(sample) = sample else { panic!("{sample:?}") };
    let sample = sample.output["configuration"].as_str().unwrap();
    assert!(sample.contains("pre-shared key, sent separately") && !sample.contains("REDACTED"), "{sample}");

    let mut other = with.clone();
    other["key_storage"] = json!("standard");
    let probe = stage.action("aws/vpn-connection", &other).probe(&stage.world).await;
    let Probe::Different { mend, differences, .. } = probe else { panic!("they are in a secret: {probe:?}") };
    let what: Vec<&str> = differences.iter().map(|one| one.what.as_str()).collect();
    let whats = ["where AWS keeps the key of tunnel 1", "where AWS keeps the key of tunnel 2"];
    assert_eq!((mend.len(), what), (0, whats.to_vec()), "another place replaces a tunnel: a person says when");
    other["key_storage"] = json!("");
    assert!(matches!(stage.action("aws/vpn-connection", &other).probe(&stage.world).await, Probe::Same(_)));

    let undone = stage.action("aws/vpn-connection", &with);
    let undone = undone.undo(&stage.world, &stage.intent("aws/vpn-connection", &with), &kept).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    let gone = cloud.read_secret(&secret).await;
    assert!(gone.is_err(), "AWS takes its secret away with the connection");
}

#[tokio::test]
async fn keys_that_the_service_shows_are_seen_where_a_secret_is_wanted() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let mut with = ends.connection();
    with["key_storage"] = json!("standard");
    let kept = stage.make("aws/vpn-connection", with.clone()).await;
    let calls = stage.practice.as_ref().unwrap().calls();
    let sent = calls.iter().find(|call| call.operation == "CreateVpnConnection").unwrap();
    assert!(!sent.parameters.contains_key("PreSharedKeyStorage"), "what is usual is not said");
    assert_eq!(kept["keys_secret"], json!(""));
    with["key_storage"] = json!("secrets_manager");
    let probe = stage.action("aws/vpn-connection", &with).probe(&stage.world).await;
    let Probe::Different { differences, .. } = probe else { panic!("whoever may look reads them: {probe:?}") };
    assert_eq!((differences.len(), differences[0].wanted.as_str()), (2, "Secrets Manager"));
}

#[tokio::test]
async fn acceleration_is_for_a_transit_gateway_and_for_ever() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let mut with = ends.connection();
    with["acceleration"] = json!(true);
    let call = Call::Kind { kind: "aws/vpn-connection".to_owned(), with: with.as_object().cloned().unwrap() };
    let Err(failure) = build(&call, &stage.world.subject) else { panic!("a virtual private gateway takes none") };
    assert!(failure.what.contains("on a transit gateway only"), "{failure:?}");

    let transit = text(&stage.make("aws/transit-gateway", json!({ "asn": 64_630, "key": "tgw/main" })).await, "id");
    (with["gateway"], with["transit"]) = (json!(""), json!(transit));
    let kept = lives(&stage, "aws/vpn-connection", with.clone()).await;
    let calls = stage.practice.as_ref().unwrap().calls();
    let sent = calls.iter().find(|call| call.operation == "CreateVpnConnection").unwrap();
    assert_eq!(sent.parameters["Options.EnableAcceleration"], "true");
    assert!(text(&kept, "outside_one").starts_with("198.51.100."), "from another pool: {kept:?}");
    let papers =
        json!({ "vpn": kept["id"], "address": "198.51.100.9", "theirs": ["192.168.0.0/16"], "ours": ["10.40.0.0/16"] });
    let papers = stage.action("aws/vpn-handout", &papers).verify(&stage.world).await;
    let Verified::So(papers) = papers else { panic!("{papers:?}") };
    assert!(papers.output["sheet"].as_str().unwrap().contains("UDP 4500 (NAT traversal, which acceleration needs"));
    assert!(papers.output["swanctl"].as_str().unwrap().contains("encap = yes"));

    with["acceleration"] = json!(false);
    let probe = stage.action("aws/vpn-connection", &with).probe(&stage.world).await;
    let Probe::Different { mend, differences, .. } = probe else { panic!("it cannot be turned off: {probe:?}") };
    let one = &differences[0];
    assert_eq!(
        (mend.len(), one.what.as_str(), one.wanted.as_str(), one.found.as_str()),
        (0, "acceleration", "off", "on")
    );
}

#[tokio::test]
async fn tunnels_write_into_the_log_group_and_one_that_does_not_is_seen() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let group = json!({ "type": "AWS::Logs::LogGroup", "key": "logs/vpn",
                        "properties": { "LogGroupName": "/aws/vendedlogs/vpn", "RetentionInDays": 90 } });
    let arn = text(&stage.make("aws/resource", group).await, "arn");
    assert!(arn.ends_with(":log-group:/aws/vendedlogs/vpn:*"), "{arn}");
    let mut with = ends.connection();
    (with["routing"], with["log_group"]) = (json!("bgp"), json!(arn));
    let action = stage.action("aws/vpn-connection", &with);
    let planned = format!("{:?}", action.changes());
    assert!(planned.contains("LogEnabled") && planned.contains("BgpLogEnabled"), "{planned}");
    stage.make("aws/vpn-connection", with.clone()).await;
    let calls = stage.practice.as_ref().unwrap().calls();
    let sent = calls.iter().find(|call| call.operation == "CreateVpnConnection").unwrap();
    let asked = |name: &str| {
        sent.parameters[&format!("Options.TunnelOptions.2.LogOptions.CloudWatchLogOptions.{name}")].clone()
    };
    let bare = arn.trim_end_matches(":*");
    assert_eq!([asked("LogGroupArn"), asked("BgpLogGroupArn"), asked("LogOutputFormat")], [bare, bare, "json"]);
    assert!(matches!(action.probe(&stage.world).await, Probe::Same(_)), "the tunnels write there");

    with["log_group"] = json!("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/other");
    let Probe::Different { differences, mend, .. } =
        stage.action("aws/vpn-connection", &with).probe(&stage.world).await
    else {
        panic!("the log goes elsewhere")
    };
    let what: Vec<&str> = differences.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(what, ["log of tunnel 1", "BGP log of tunnel 1", "log of tunnel 2", "BGP log of tunnel 2"]);
    assert!(mend.is_empty(), "turning it on replaces a tunnel: a person says when");
}

#[tokio::test]
async fn a_connection_without_bgp_has_no_log_of_it_and_a_group_that_is_not_there_is_refused() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let mut with = ends.connection();
    with["routing"] = json!("static");
    with["log_group"] = json!("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/nowhere");
    let action = stage.action("aws/vpn-connection", &with);
    let planned = format!("{:?}", action.changes());
    assert!(planned.contains("LogEnabled") && !planned.contains("BgpLog"), "{planned}");
    let outcome = action.apply(&stage.world, &stage.intent("aws/vpn-connection", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.raw.contains("log group does not exist"), "{failure:?}");
}

#[tokio::test]
async fn a_key_that_an_earlier_step_makes_is_planned_by_its_name() {
    let stage = Stage::new().await;
    let with = json!({ "customer_gateway": "cgw-0a1b2c3d", "gateway": "vgw-0a1b2c3d", "key_one": "\u{2039}net.psk\u{203a}",
                       "key": "vpn/main" });
    let planned = format!("{:?}", stage.action("aws/vpn-connection", &with).changes());
    assert!(planned.contains("net.psk"), "{planned}");
}

#[tokio::test]
async fn a_key_that_nobody_has_is_asked_for_before_anything_is_sent() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let mut with = ends.connection();
    with["key_one"] = json!("prompt:psk");
    let action = stage.action("aws/vpn-connection", &with);
    assert!(matches!(action.at_hand(&stage.world).await, Err(Question::NeedsSecret { .. })));
    let calls = stage.calls();
    let outcome = action.apply(&stage.world, &stage.intent("aws/vpn-connection", &with)).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
}

#[tokio::test]
async fn tunnels_are_told_one_by_one_until_enough_are_up() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let vpn = text(&stage.make("aws/vpn-connection", ends.connection()).await, "id");
    let practice = stage.practice.as_ref().unwrap();
    practice.set_tunnel(&vpn, 1, true).await;
    let both = stage.action("aws/vpn-tunnels", &json!({ "vpn": vpn }));
    let Verified::NotYet { said } = both.verify(&stage.world).await else { panic!("one is down") };
    assert!(said.contains("1 of 2 tunnels up") && said.contains("DOWN (IPSEC IS DOWN)"), "{said}");
    let one = json!({ "vpn": vpn, "up": 1 });
    assert!(matches!(stage.action("aws/vpn-tunnels", &one).verify(&stage.world).await, Verified::So(_)));
    practice.set_tunnel(&vpn, 1, false).await;
    let Verified::So(found) = both.verify(&stage.world).await else { panic!("both are up") };
    assert_eq!(found.output["tunnels"][1]["status"], json!("UP"));
    let carrying = stage.action("aws/vpn-tunnels", &json!({ "vpn": vpn, "routes": 1 }));
    assert!(matches!(carrying.verify(&stage.world).await, Verified::NotYet { .. }), "no route yet");
    stage.make("aws/vpn-route", json!({ "vpn": vpn, "to": "192.168.0.0/16" })).await;
    assert!(matches!(carrying.verify(&stage.world).await, Verified::So(_)));
}

#[tokio::test]
async fn a_device_is_found_by_its_nearest_name_and_an_unknown_vendor_is_said() {
    let stage = Stage::new().await;
    let device = |with: Json| stage.action("aws/vpn-device", &with);
    let with = json!({ "vendor": "fortinet", "platform": "Fortigate 40+ Series", "software": "FortiOS 6.4.4+" });
    let Verified::So(found) = device(with).verify(&stage.world).await else { panic!("AWS has it") };
    assert_eq!(found.output["id"], json!("7125681a"), "{found:?}");
    for (software, wanted) in [("FortiOS 7.2", "FortiOS 6.4.4+ (GUI)"), ("FortiOS 5.6", "FortiOS 5.0+")] {
        let with = json!({ "vendor": "Fortinet", "platform": "Fortigate 40+ Series", "software": software });
        let Verified::So(found) = device(with).verify(&stage.world).await else { panic!("AWS has a nearest one") };
        assert_eq!(found.output["software"], json!(wanted), "{software}");
    }
    let Verified::So(all) = device(json!({})).verify(&stage.world).await else { panic!("AWS has a list") };
    assert!(all.output["list"].as_str().unwrap().contains("Fortinet; Fortigate 40+ Series; FortiOS 6.4.4+"), "{all:?}");
    assert_eq!(all.output.get("id"), None, "none is chosen");
    let Verified::NotSo(failure) = device(json!({ "vendor": "Fortinett" })).verify(&stage.world).await else {
        panic!("there is none")
    };
    assert!(failure.advice.contains("Fortinet"), "{failure:?}");
}

#[tokio::test]
async fn what_somebody_else_made_is_neither_used_nor_taken_away() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let other = stage.as_engagement("e2");
    let device = json!({ "address": "198.51.100.9", "asn": 65010, "key": "cgw/main" });
    let gateway = json!({ "vpc": ends.vpc, "key": "vgw/main" });
    for (kind, with) in [("aws/customer-gateway", device), ("aws/vpn-gateway", gateway)] {
        let calls = stage.calls();
        let action = action(kind, &with, &other.subject);
        let Probe::Different { mend, differences, .. } = action.probe(&other).await else { panic!("{kind}: taken") };
        assert!(mend.is_empty() && differences[0].found.contains("of the engagement e1"), "{differences:?}");
        let outcome = action.apply(&other, &stage.intent(kind, &with)).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
        assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_connection_that_is_otherwise_is_shown_and_left() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    stage.make("aws/vpn-connection", ends.connection()).await;
    let mut with = ends.connection();
    (with["routing"], with["inside"]) = (json!("bgp"), json!(["169.254.44.0/30", "169.254.45.0/30"]));
    let Probe::Different { mend, differences, .. } =
        stage.action("aws/vpn-connection", &with).probe(&stage.world).await
    else {
        panic!("it is otherwise")
    };
    let what: Vec<&str> = differences.iter().map(|one| one.what.as_str()).collect();
    assert_eq!((mend.len(), what), (0, vec!["routing", "inside range of tunnel 2"]));
}

async fn set_of(stage: &Stage, vpc: &str) -> String {
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2().clone();
    let there = ec2.describe_vpcs().vpc_ids(vpc).send().await.unwrap();
    there.vpcs()[0].dhcp_options_id().unwrap().to_owned()
}

#[tokio::test]
async fn what_hosts_are_told_lives_and_another_set_takes_its_place() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let first = set_of(&stage, &vpc).await;
    let told = |servers: Json| {
        json!({ "vpc": vpc, "domain": "mc.acme.example", "name_servers": servers, "time_servers": "169.254.169.123",
                "key": "dhcp/main" })
    };
    let before = text(&lives(&stage, "aws/dhcp-options", told(json!(["192.168.1.10"]))).await, "id");
    assert_eq!(set_of(&stage, &vpc).await, before);

    let with = told(json!(["192.168.1.10", "192.168.1.11"]));
    let action = stage.action("aws/dhcp-options", &with);
    let Probe::Different { differences, mend, .. } = action.probe(&stage.world).await else {
        panic!("it is otherwise")
    };
    assert_eq!(differences[0].what, "domain-name-servers");
    let calls = stage.calls();
    let outcome = action.apply(&stage.world, &stage.intent("aws/dhcp-options", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let sent = ["CreateDhcpOptions", "AssociateDhcpOptions", "DeleteDhcpOptions"];
    assert_eq!(stage.sent_since(calls), sent, "a set is never edited");
    assert_eq!(mend.iter().map(|change| change.operation.as_str()).collect::<Vec<_>>(), sent);
    assert!(matches!(action.probe(&stage.world).await, Probe::Same(_)));
    assert_ne!(set_of(&stage, &vpc).await, before);

    let undone = action.undo(&stage.world, &stage.intent("aws/dhcp-options", &with), &output).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    assert_eq!(set_of(&stage, &vpc).await, first, "what was there before onramp is back");
    assert!(is_absent(&action.probe(&stage.world).await));
}

#[tokio::test]
async fn of_a_vpc_that_was_there_what_is_not_said_anew_goes_on_to_be_said() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2().clone();
    let option = |key: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        crate::aws::ec2::types::NewDhcpConfiguration::builder().key(key).set_values(Some(values)).build()
    };
    let theirs = ec2
        .create_dhcp_options()
        .dhcp_configurations(option("domain-name", &["corp.acme.com"]))
        .dhcp_configurations(option("domain-name-servers", &["10.40.0.53", "10.40.1.53"]))
        .dhcp_configurations(option("netbios-node-type", &["2"]))
        .send();
    let theirs = theirs.await.unwrap().dhcp_options().unwrap().dhcp_options_id().unwrap().to_owned();
    ec2.associate_dhcp_options().dhcp_options_id(&theirs).vpc_id(&vpc).send().await.unwrap();

    let with = json!({ "vpc": vpc, "time_servers": ["10.40.0.123"], "keep": "true", "key": "dhcp/main" });
    let made = stage.make("aws/dhcp-options", with.clone()).await;
    assert_eq!(set_of(&stage, &vpc).await, text(&made, "id"));
    let shown = ec2.describe_dhcp_options().dhcp_options_ids(text(&made, "id")).send().await.unwrap();
    let shown = format!("{:?}", shown.dhcp_options()[0].dhcp_configurations());
    for kept in ["corp.acme.com", "10.40.0.53", "10.40.1.53", "netbios-node-type", "10.40.0.123"] {
        assert!(shown.contains(kept), "{kept}: {shown}");
    }
    let undone = stage.action("aws/dhcp-options", &with);
    undone.undo(&stage.world, &stage.intent("aws/dhcp-options", &with), &made).await;
    assert_eq!(set_of(&stage, &vpc).await, theirs);
}

#[tokio::test]
async fn what_both_sides_may_choose_from_is_compared_and_group_5_is_for_phase_two() {
    let stage = Stage::new().await;
    let ends = ends(&stage).await;
    let mut with = ends.connection();
    with["dh_groups"] = json!([5, 14]);
    let action = stage.action("aws/vpn-connection", &with);
    let planned = format!("{:?}", action.changes());
    assert!(planned.contains("Phase1DHGroupNumbers") && planned.contains("Phase2DHGroupNumbers"), "{planned}");
    stage.make("aws/vpn-connection", with.clone()).await;
    assert!(matches!(action.probe(&stage.world).await, Probe::Same(_)));
    with["dh_groups"] = json!([14, 20]);
    with["encryption"] = json!(["AES256", "AES128"]);
    let Probe::Different { differences, mend, .. } =
        stage.action("aws/vpn-connection", &with).probe(&stage.world).await
    else {
        panic!("it takes other algorithms")
    };
    assert!(mend.is_empty(), "a person says when a tunnel is replaced");
    let said: Vec<String> =
        differences.iter().map(|one| format!("{} {} {}", one.what, one.wanted, one.found)).collect();
    assert!(
        said.iter().any(|said| said.contains("phase 2, DHGroupNumbers of tunnel 1 14 and 20 5 and 14")),
        "{said:?}"
    );
    assert!(said.iter().any(|said| said.contains("EncryptionAlgorithms of tunnel 2 AES256 and AES128")), "{said:?}");
}

#[tokio::test]
async fn two_engagements_do_not_tell_one_vpc_two_things() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let with = json!({ "vpc": vpc, "time_servers": ["10.0.0.1"], "key": "dhcp/main" });
    stage.make("aws/dhcp-options", with.clone()).await;
    let other = stage.as_engagement("e2");
    let probe = action("aws/dhcp-options", &with, &other.subject).probe(&other).await;
    assert!(
        matches!(&probe, Probe::Different { mend, said, .. } if mend.is_empty() && said.contains("e1")),
        "{probe:?}"
    );
}
