//! Lines and transit gateways: each kind from nothing to nothing, one order whatever happens, and no key anywhere.

use serde_json::json;

use super::dx_macsec::macsec_lives;
use super::dx_neighbours::neighbours_live;
use super::life::{ground, lives, lives_once};
use super::rungs::tried_here;
use super::*;
use crate::action::Undoes;
use crate::practice::fault::Fault;

const HOSTED: &str = "dxcon-ffabc123";

fn port(key: &str) -> Json {
    json!({ "location": "EqDC2", "bandwidth": "1Gbps", "provider": "Equinix, Inc.", "key": key })
}

/// A line that is up.
async fn line(stage: &Stage, key: &str) -> String {
    let id = text(&stage.make("aws/dx-connection", port(key)).await, "id");
    stage.make("aws/dx-letter", json!({ "connection": id })).await;
    stage.make("aws/dx-connection-state", json!({ "connection": id })).await;
    id
}

fn interface(line: &str, gateway: &str, vlan: i32) -> Json {
    json!({ "connection": line, "gateway": gateway, "vlan": vlan, "asn": 65_010, "key": format!("dx/interface/{vlan}") })
}

pub(super) async fn undone(stage: &Stage, kind: &str, with: &Json, made: &Kept) -> Outcome {
    let outcome = stage.action(kind, with).undo(&stage.world, &stage.intent(kind, with), made).await;
    stage.next_generation();
    outcome
}

/// Each kind, in a VPC with two subnets in two zones, a virtual private gateway and a route table.
pub(super) async fn every_kind_lives(stage: &Stage, vpc: &str, subnets: [&str; 2], vgw: &str, table: &str) {
    let transit = json!({ "asn": 64_620, "key": "tgw/main" });
    let transit = text(&lives(stage, "aws/transit-gateway", transit).await, "id");
    if !tried_here(stage, "aws/transit-attachment") {
        return;
    }
    let attachment = json!({ "gateway": transit, "vpc": vpc, "subnets": subnets, "key": "tgw/attachment" });
    let attached = lives(stage, "aws/transit-attachment", attachment.clone()).await;
    let routes = json!({ "table": table, "gateway": transit, "to": ["172.20.0.0/16", "172.21.0.0/16"] });
    lives(stage, "aws/transit-routes", routes.clone()).await;
    let device = json!({ "address": "198.51.100.77", "asn": 65_000, "key": "cgw/transit" });
    let device = text(&stage.make("aws/customer-gateway", device).await, "id");
    let vpn = json!({ "customer_gateway": device, "transit": transit, "routing": "static", "key": "vpn/transit" });
    let vpn = text(&stage.make("aws/vpn-connection", vpn).await, "id");
    let place = stage.make("aws/transit-vpn", json!({ "vpn": vpn, "attachment": attached["id"] })).await;
    let behind =
        json!({ "table": place["table"], "attachment": place["attachment"], "to": ["172.22.0.0/16", "172.23.0.0/16"] });
    lives(stage, "aws/transit-static-routes", behind).await;
    let back = json!({ "from": [vpn], "through": attached["id"], "to": ["10.40.0.0/16"] });
    stage.make("aws/transit-back", back).await;
    if tried_here(stage, "aws/dx-connection") {
        lines_live(stage, vgw, &transit).await;
    }
    let routed: Kept = [("ranges".to_owned(), routes["to"].clone())].into();
    for (kind, with, made) in
        [("aws/transit-routes", &routes, &routed), ("aws/transit-attachment", &attachment, &attached)]
    {
        let outcome = undone(stage, kind, with, made).await;
        assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    }
}

async fn lines_live(stage: &Stage, vgw: &str, transit: &str) {
    stage.make("aws/dx-location", json!({ "location": "EqDC2", "bandwidth": "1Gbps", "provider": "Equinix" })).await;
    lives_once(stage, "aws/dx-connection", port("dx/line/first")).await;
    lag_lives(stage).await;
    macsec_lives(stage).await;
    let hosted = json!({ "connection": HOSTED, "vlan": 101, "key": "dx/line/hosted" });
    lives(stage, "aws/dx-hosted-connection", hosted).await;
    let line = line(stage, "dx/line/first").await;
    let gateway = json!({ "asn": 64_513, "key": "dx/gateway" });
    let gateway = text(&lives(stage, "aws/dx-gateway", gateway).await, "id");
    let tie = json!({ "gateway": gateway, "to": vgw, "prefixes": ["10.40.0.0/16"] });
    lives(stage, "aws/dx-association", tie).await;
    let private = text(&lives(stage, "aws/dx-interface", interface(&line, &gateway, 101)).await, "id");
    stage.make("aws/dx-bgp", json!({ "interface": private })).await;
    let asked = json!({ "interface": private, "router": "CiscoSystemsInc-2900SeriesRouters-IOS124" });
    stage.make("aws/dx-router-configuration", asked).await;
    failover_lives(stage, &private).await;

    // Or straight to the gateway of one VPC.
    let mut straight = interface(&line, "", 103);
    straight["virtual_gateway"] = json!(vgw);
    let straight = lives(stage, "aws/dx-interface", straight).await;
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let there = ec2.describe_vpn_gateways().vpn_gateway_ids(vgw).send().await.unwrap();
    let asn = there.vpn_gateways()[0].amazon_side_asn().unwrap();
    assert_eq!(straight["amazon_asn"], json!(asn), "it is that gateway's: {straight:?}");

    let other = json!({ "asn": 64_514, "key": "dx/transit" });
    let other = text(&stage.make("aws/dx-gateway", other).await, "id");
    let mut with = interface(&line, &other, 102);
    with["type"] = json!("transit");
    with["mtu"] = json!("8500");
    let (amazon, customer) = ("169.254.100.1/30", "169.254.100.2/30");
    (with["amazon_ip"], with["customer_ip"]) = (json!(amazon), json!(customer));
    let made = lives(stage, "aws/dx-interface", with).await;
    assert_eq!((&*text(&made, "amazon_address"), &*text(&made, "customer_address")), (amazon, customer));
    let tie = json!({ "gateway": other, "to": transit, "prefixes": ["10.40.0.0/16"] });
    lives_once(stage, "aws/dx-association", tie.clone()).await;
    neighbours_live(stage, [&other, transit], vgw).await;
}

/// Its ports go with it, though AWS leaves them there.
async fn lag_lives(stage: &Stage) {
    let lag = json!({ "location": "EqDC2", "bandwidth": "1Gbps", "ports": 2, "key": "dx/lag/first" });
    let made = lives(stage, "aws/dx-lag", lag.clone()).await;
    let id = text(&made, "id");
    let letter = stage.make("aws/dx-letter", json!({ "connection": id })).await;
    assert!(text(&letter, "file").ends_with(&format!("letter-{id}.pdf")));
    stage.make("aws/dx-connection-state", json!({ "connection": id })).await;
    let outcome = undone(stage, "aws/dx-lag", &lag, &made).await;
    let Outcome::Changed { operations, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(operations, &["DeleteLag", "DeleteConnection", "DeleteConnection"]);
}

/// A test that an undo ends early counts for nothing; one that ran to its end does.
async fn failover_lives(stage: &Stage, interface: &str) {
    let with = json!({ "interface": interface, "minutes": 10 });
    let kind = "aws/dx-failover-test";
    let begun = stage.action(kind, &with).apply(&stage.world, &stage.intent(kind, &with)).await;
    let Outcome::Changed { output: begun, .. } = begun else { panic!("{begun:?}") };
    assert!(matches!(stage.action(kind, &with).verify(&stage.world).await, Verified::NotYet { .. }));
    let bgp = stage.action("aws/dx-bgp", &json!({ "interface": interface })).verify(&stage.world).await;
    assert!(matches!(bgp, Verified::NotYet { .. }), "{bgp:?}");
    // Somebody else's is left to go on.
    let theirs: Kept = [("id".to_owned(), json!("dxtest-00000000"))].into();
    for made in [&Kept::new(), &theirs] {
        let left = stage.action(kind, &with).undoes(&stage.world, made).await;
        assert!(matches!(&left, Undoes::Leaves { said } if said.contains("did not begin")), "{left:?}");
    }
    let ended = undone(stage, kind, &with, &begun).await;
    assert!(matches!(ended, Outcome::Changed { .. }), "{ended:?}");
    assert!(is_absent(&stage.action(kind, &with).probe(&stage.world).await));
    stage.make(kind, with).await;
    stage.make("aws/dx-bgp", json!({ "interface": interface })).await;
}

#[test]
fn amazons_side_has_a_private_number() {
    for (kind, asn, taken) in [
        ("aws/transit-gateway", 64_512, true),
        ("aws/transit-gateway", 65_536, false),
        ("aws/dx-gateway", 4_200_000_000_u32, true),
        ("aws/dx-gateway", 65_535, false),
    ] {
        let with = json!({ "asn": asn, "key": "a" }).as_object().cloned().unwrap();
        let call = crate::engagement::Call::Kind { kind: kind.to_owned(), with };
        assert_eq!(build(&call, &subject("e1")).is_ok(), taken, "{kind} {asn}");
    }
}

#[tokio::test]
async fn a_test_is_ended_whatever_becomes_of_the_answer() {
    for fault in [Fault::LostReply, Fault::ServerErrorAfter, Fault::ServerErrorBefore, Fault::Throttle] {
        let stage = Stage::with(Pace::Instant, Faults::none().aim(fault, "StopBgpFailoverTest", 1)).await;
        let line = line(&stage, "dx/line/first").await;
        let gateway = text(&stage.make("aws/dx-gateway", json!({ "asn": 64_513, "key": "dx/gateway" })).await, "id");
        let interface = text(&stage.make("aws/dx-interface", interface(&line, &gateway, 101)).await, "id");
        let (kind, with) = ("aws/dx-failover-test", json!({ "interface": interface }));
        let begun = stage.action(kind, &with).apply(&stage.world, &stage.intent(kind, &with)).await;
        let Outcome::Changed { output: begun, .. } = begun else { panic!("{begun:?}") };
        let ended = undone(&stage, kind, &with, &begun).await;
        assert!(matches!(ended, Outcome::Changed { .. }), "{fault:?}: {ended:?}");
        assert_eq!(stage.practice.as_ref().unwrap().struck().len(), 1, "{fault:?}");
        let probe = stage.action(kind, &with).probe(&stage.world).await;
        assert!(is_absent(&probe), "{fault:?}: one that was ended early counts for nothing: {probe:?}");
    }
}

#[tokio::test]
async fn a_port_is_ordered_once_whatever_becomes_of_the_answer() {
    let with = port("dx/line/first");
    let kind = "aws/dx-connection";
    for (fault, in_doubt, orders) in [
        (Fault::LostReply, false, 1),
        (Fault::ServerErrorAfter, false, 1),
        (Fault::ServerErrorBefore, true, 1),
        (Fault::Throttle, false, 2),
    ] {
        let stage = Stage::with(Pace::Instant, Faults::none().aim(fault, "CreateConnection", 1)).await;
        let outcome = stage.action(kind, &with).apply(&stage.world, &stage.intent(kind, &with)).await;
        assert_eq!(matches!(outcome, Outcome::InDoubt { .. }), in_doubt, "{fault:?}: {outcome:?}");
        let calls = stage.practice.as_ref().unwrap().calls();
        let sent = calls.iter().filter(|call| call.operation == "CreateConnection").count();
        assert_eq!(sent, orders, "{fault:?}");
        assert_eq!(stage.action(kind, &with).class(), crate::engagement::RepeatClass::Person);
        let there = stage.practice.as_ref().unwrap().objects().await;
        assert_eq!(there.len(), usize::from(!in_doubt), "{fault:?}: {there:?}");
    }
}

#[tokio::test]
async fn a_line_that_somebody_ordered_by_hand_is_not_ordered_again_and_may_be_taken_over() {
    let stage = Stage::new().await;
    let lines = stage.world.cloud.as_ref().unwrap().direct_connect();
    let by_hand = lines.create_connection().location("EqDC2").bandwidth("1Gbps").connection_name("acme dx/line/first");
    let id = by_hand.send().await.unwrap().connection_id.unwrap();
    let probe = stage.action("aws/dx-connection", &port("dx/line/first")).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    let subject = Subject { adopted: Some(id.clone()), ..stage.world.subject.clone() };
    let world = World { subject: subject.clone(), ..stage.world.clone() };
    let chosen = action("aws/dx-connection", &port("dx/line/first"), &subject).adopt(&world).await.unwrap();
    assert_eq!((chosen.id, chosen.ours), (id, false));
}

#[tokio::test]
async fn a_line_that_carries_something_is_not_given_back() {
    let stage = Stage::new().await;
    let with = port("dx/line/first");
    let line = line(&stage, "dx/line/first").await;
    let gateway = text(&stage.make("aws/dx-gateway", json!({ "asn": 64_513, "key": "dx/gateway" })).await, "id");
    let on_it = interface(&line, &gateway, 101);
    let made = stage.make("aws/dx-interface", on_it.clone()).await;
    let of_line: Kept = [("id".to_owned(), json!(line))].into();
    let looked = stage.action("aws/dx-connection", &with).undoes(&stage.world, &of_line).await;
    assert!(matches!(looked, Undoes::Sends(_)), "its own goes first, in the same undo: {looked:?}");
    assert!(matches!(undone(&stage, "aws/dx-connection", &with, &of_line).await, Outcome::Failed { .. }));
    assert!(matches!(undone(&stage, "aws/dx-interface", &on_it, &made).await, Outcome::Changed { .. }));

    let theirs = stage.as_engagement("e2");
    let other = interface(&line, &gateway, 102);
    let intent = stage.intent("aws/dx-interface", &other);
    let outcome = action("aws/dx-interface", &other, &theirs.subject).apply(&theirs, &intent).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    let refused = undone(&stage, "aws/dx-connection", &with, &of_line).await;
    assert!(
        matches!(&refused, Outcome::Failed { failure } if failure.what.contains("in use") && failure.what.contains(&text(&made, "id"))),
        "{refused:?}"
    );
    let outcome = action("aws/dx-interface", &other, &theirs.subject).undo(&theirs, &intent, &made).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert!(matches!(undone(&stage, "aws/dx-connection", &with, &of_line).await, Outcome::Changed { .. }));
}

#[tokio::test]
async fn a_letter_is_issued_once_and_is_a_file_of_the_engagement() {
    let stage = Stage::new().await;
    let line = text(&stage.make("aws/dx-connection", port("dx/line/first")).await, "id");
    let with = json!({ "connection": line, "provider": "Equinix, Inc." });
    assert!(is_absent(&stage.action("aws/dx-letter", &with).probe(&stage.world).await));
    let made = stage.make("aws/dx-letter", with.clone()).await;
    let file = text(&made, "file");
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.4") && String::from_utf8_lossy(&bytes).contains("Equinix, Inc."));
    assert_eq!(text(&made, "blake3"), blake3::hash(&bytes).to_hex().to_string());
    // Looks do not issue another one.
    let calls = stage.calls();
    assert!(matches!(stage.action("aws/dx-letter", &with).probe(&stage.world).await, Probe::Same(_)));
    assert_eq!(stage.make("aws/dx-letter", with.clone()).await, made);
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    std::fs::remove_file(&file).unwrap();
    let probe = stage.action("aws/dx-letter", &with).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Absent { said } if said.contains("not on this machine")), "{probe:?}");
    stage.make("aws/dx-letter", with.clone()).await;
    assert_eq!(stage.sent_since(calls), ["DescribeLoa"]);
    assert!(matches!(undone(&stage, "aws/dx-letter", &with, &made).await, Outcome::AlreadySo { .. }));
    assert!(std::path::Path::new(&file).exists(), "it is evidence");
}

#[tokio::test]
async fn the_key_of_a_session_is_in_no_result_and_in_no_configuration() {
    let stage = Stage::new().await;
    let line = line(&stage, "dx/line/first").await;
    let gateway = text(&stage.make("aws/dx-gateway", json!({ "asn": 64_513, "key": "dx/gateway" })).await, "id");
    let secret = stage.make("aws/secret", json!({ "key": "dx/bgp/first", "use": "bgp" })).await;
    let mut with = interface(&line, &gateway, 101);
    with["md5"] = secret["reference"].clone();
    let planned = json!(stage.action("aws/dx-interface", &with).changes()).to_string();
    assert!(planned.contains("the secret") && planned.contains("dx/bgp/first"), "{planned}");
    let made = stage.make("aws/dx-interface", with).await;
    let lines = stage.world.cloud.as_ref().unwrap().direct_connect();
    let there = lines.describe_virtual_interfaces().send().await.unwrap();
    let key = there.virtual_interfaces()[0].auth_key().unwrap().to_owned();
    assert_eq!(key.len(), 32, "the one that was made");
    let asked = json!({ "interface": made["id"] });
    let configuration = stage.make("aws/dx-router-configuration", asked).await;
    assert!(text(&configuration, "configuration").contains("sent separately"));
    for kept in [&made, &configuration] {
        assert!(!json!(kept).to_string().contains(&key), "{kept:?}");
    }
    let told = stage.world.vault.masks();
    assert!(!told.now().mask(&format!("password {key}")).contains(&key));
}

#[tokio::test]
async fn what_differs_is_said_and_nothing_is_changed() {
    let stage = Stage::new().await;
    let line = line(&stage, "dx/line/first").await;
    let gateway = text(&stage.make("aws/dx-gateway", json!({ "asn": 64_513, "key": "dx/gateway" })).await, "id");
    stage.make("aws/dx-interface", interface(&line, &gateway, 101)).await;
    let mut jumbo = interface(&line, &gateway, 101);
    jumbo["mtu"] = json!("8500");
    let mut other_key = interface(&line, &gateway, 101);
    other_key["key"] = json!("dx/interface/second");
    let faster = json!({ "location": "EqDC2", "bandwidth": "10Gbps", "key": "dx/line/first" });
    let renumbered = json!({ "asn": 64_999, "key": "dx/gateway" });
    let calls = stage.calls();
    for (kind, with, what) in [
        ("aws/dx-interface", jumbo, "MTU"),
        ("aws/dx-interface", other_key, "VLAN 101"),
        ("aws/dx-connection", faster, "speed"),
        ("aws/dx-gateway", renumbered, "AS number"),
    ] {
        let probe = stage.action(kind, &with).probe(&stage.world).await;
        let Probe::Different { differences, mend, .. } = &probe else { panic!("{kind} {with}: {probe:?}") };
        assert!(mend.is_empty() && differences.iter().any(|one| one.what.contains(what)), "{kind}: {differences:?}");
        let outcome = stage.action(kind, &with).apply(&stage.world, &stage.intent(kind, &with)).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{kind}: {outcome:?}");
    }
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
}

#[tokio::test]
async fn a_building_without_the_line_says_what_there_is_instead() {
    let stage = Stage::new().await;
    for (with, why) in
        [(json!({ "location": "TCSH" }), "EqDC2"), (json!({ "location": "EqDC2", "bandwidth": "400Gbps" }), "1Gbps")]
    {
        let said = stage.action("aws/dx-location", &with).verify(&stage.world).await;
        assert!(matches!(&said, Verified::NotSo(failure) if failure.advice.contains(why)), "{said:?}");
    }
    let other = json!({ "location": "EqDC2", "bandwidth": "1Gbps", "provider": "Carrier of the corner" });
    let Verified::So(all) = stage.action("aws/dx-location", &json!({})).verify(&stage.world).await else {
        panic!("the locations are told")
    };
    assert!(all.output["codes"].as_array().is_some_and(|codes| codes.contains(&json!("EqDC2"))), "{all:?}");
    let said = stage.action("aws/dx-location", &other).verify(&stage.world).await;
    assert!(matches!(&said, Verified::So(found) if found.said.contains("does not list")), "{said:?}");
}

#[tokio::test]
async fn a_route_of_somebody_elses_to_the_same_range_is_left_alone() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let table = json!({ "vpc": ground.vpc, "key": "routes/public", "routes": [{ "to": "192.168.0.0/16", "gateway": ground.gateway }] });
    let table = text(&stage.make("aws/route-table", table).await, "id");
    let transit = text(&stage.make("aws/transit-gateway", json!({ "asn": 64_620, "key": "tgw/main" })).await, "id");
    let attachment =
        json!({ "gateway": transit, "vpc": ground.vpc, "subnets": [ground.public], "key": "tgw/attachment" });
    stage.make("aws/transit-attachment", attachment).await;
    let with = json!({ "table": table, "gateway": transit, "to": ["192.168.0.0/16", "172.20.0.0/16"] });
    let probe = stage.action("aws/transit-routes", &with).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    // One of two was there before: the other one is made.
    let first = json!({ "table": table, "gateway": transit, "to": ["172.20.0.0/16"] });
    stage.make("aws/transit-routes", first).await;
    let both = json!({ "table": table, "gateway": transit, "to": ["172.20.0.0/16", "172.21.0.0/16"] });
    let action = stage.action("aws/transit-routes", &both);
    let probe = action.probe(&stage.world).await;
    let Probe::Different { mend, keep, .. } = &probe else { panic!("{probe:?}") };
    assert_eq!((mend.len(), &keep["ranges"]), (1, &json!(["172.21.0.0/16"])), "the other one is not its own");
    // Where an earlier try of it made the first, both are.
    let half: Kept = [("ranges".to_owned(), json!(["172.20.0.0/16"]))].into();
    let probe = action.probe(&stage.world.having_made(&half)).await;
    let own = |keep: &Kept| keep["ranges"] == json!(["172.20.0.0/16", "172.21.0.0/16"]);
    assert!(matches!(&probe, Probe::Different { keep, .. } if own(keep)), "{probe:?}");
    // Of what nobody wrote down nobody takes anything away.
    let left = action.undoes(&stage.world, &Kept::new()).await;
    assert!(matches!(&left, Undoes::Leaves { said } if said.contains("nobody wrote down")), "{left:?}");
}

#[tokio::test]
async fn a_vpn_connection_may_end_on_a_transit_gateway() {
    let stage = Stage::new().await;
    let transit = text(&stage.make("aws/transit-gateway", json!({ "asn": 64_620, "key": "tgw/main" })).await, "id");
    let device = json!({ "address": "198.51.100.9", "asn": 65_010, "key": "cgw/main" });
    let device = text(&stage.make("aws/customer-gateway", device).await, "id");
    let vpn = json!({ "customer_gateway": device, "transit": transit, "routing": "bgp", "key": "vpn/main" });
    let made = lives(&stage, "aws/vpn-connection", vpn.clone()).await;
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let there = ec2.describe_vpn_connections().vpn_connection_ids(text(&made, "id")).send().await.unwrap();
    assert_eq!(there.vpn_connections()[0].transit_gateway_id(), Some(&*transit));
    let with = json!({ "asn": 64_620, "key": "tgw/main" });
    let of_gateway: Kept = [("id".to_owned(), json!(transit))].into();
    let refused = undone(&stage, "aws/transit-gateway", &with, &of_gateway).await;
    assert!(matches!(refused, Outcome::Failed { .. }), "a connection ends on it: {refused:?}");
    stage.make("aws/vpn-tunnels", json!({ "vpn": made["id"], "up": 2, "routes": 1 })).await;
}

#[tokio::test]
async fn static_routes_of_a_transit_gateway_lead_into_the_tunnels_or_are_left_alone() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let transit = text(&stage.make("aws/transit-gateway", json!({ "asn": 64_620, "key": "tgw/main" })).await, "id");
    let device = json!({ "address": "198.51.100.9", "asn": 65_000, "key": "cgw/main" });
    let device = text(&stage.make("aws/customer-gateway", device).await, "id");
    let vpn = json!({
        "customer_gateway": device, "transit": transit, "routing": "static", "bandwidth": "large", "key": "vpn/main",
    });
    let vpn = text(&stage.make("aws/vpn-connection", vpn).await, "id");
    let ask = |attachment: &str| json!({ "vpn": vpn, "attachment": attachment });
    let nowhere = stage.action("aws/transit-vpn", &ask("tgw-attach-0a1b2c3d")).verify(&stage.world).await;
    assert!(matches!(&nowhere, Verified::NotYet { said } if said.contains("is not there")), "{nowhere:?}");
    let attachment =
        json!({ "gateway": transit, "vpc": ground.vpc, "subnets": [ground.public], "key": "tgw/attachment" });
    let attached = text(&stage.make("aws/transit-attachment", attachment).await, "id");
    let place = stage.make("aws/transit-vpn", ask(&attached)).await;
    let to =
        |attachment: &str, ranges: Json| json!({ "table": place["table"], "attachment": attachment, "to": ranges });
    let tunnels = text(&place, "attachment");
    stage.make("aws/transit-static-routes", to(&tunnels, json!(["192.168.0.0/16"]))).await;
    the_way_back(&stage, [&vpn, &transit, &attached, &text(&place, "table")]).await;
    // Learnt ranges, such as the VPC's own, do not count; what somebody wrote does.
    let other = to(&attached, json!(["192.168.0.0/16", "10.40.0.0/16"]));
    let probe = stage.action("aws/transit-static-routes", &other).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    let both = to(&tunnels, json!(["192.168.0.0/16", "172.20.0.0/16"]));
    let probe = stage.action("aws/transit-static-routes", &both).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.len() == 1), "{probe:?}");
    // What leads elsewhere is nobody's to take away.
    let undone = undone(&stage, "aws/transit-static-routes", &other, &Kept::new()).await;
    assert!(matches!(undone, Outcome::AlreadySo { .. }), "{undone:?}");
}

/// The VPC is learnt by the gateway's table, or written into it, or what comes from the tunnels is lost.
async fn the_way_back(stage: &Stage, [vpn, transit, attached, table]: [&str; 4]) {
    let ask = |from: &str, to: &str| json!({ "from": [from], "through": attached, "to": [to] });
    let back = async |with: Json| stage.action("aws/transit-back", &with).verify(&stage.world).await;
    let not = async |with: Json, why: &str| {
        let seen = back(with).await;
        assert!(matches!(&seen, Verified::NotYet { said } if said.contains(why)), "{why}: {seen:?}");
    };
    let vpc = "10.40.0.0/16";
    assert!(matches!(back(ask(vpn, vpc)).await, Verified::So(_)), "it is learnt");
    not(ask(vpn, "10.50.0.0/16"), "knows no way to 10.50.0.0/16").await;
    not(ask("vpn-0a1b2c3d", vpc), "is not attached to a transit gateway").await;

    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let off = ec2.disable_transit_gateway_route_table_propagation();
    let off = off.transit_gateway_route_table_id(table).transit_gateway_attachment_id(attached);
    off.clone().send().await.unwrap();
    assert!(off.send().await.is_err(), "it is off already");
    not(ask(vpn, vpc), "knows no way to 10.40.0.0/16").await;
    let write = |range: &str| {
        let route = ec2.create_transit_gateway_route().transit_gateway_route_table_id(table);
        route.transit_gateway_attachment_id(attached).destination_cidr_block(range)
    };
    write("10.0.0.0/8").send().await.unwrap();
    assert!(matches!(back(ask(vpn, vpc)).await, Verified::So(_)), "it is written, within a wider range");
    let place = stage.make("aws/transit-vpn", json!({ "vpn": vpn, "attachment": attached })).await;
    let astray = ec2.create_transit_gateway_route().transit_gateway_route_table_id(table);
    let astray = astray.transit_gateway_attachment_id(text(&place, "attachment")).destination_cidr_block(vpc);
    astray.send().await.unwrap();
    not(ask(vpn, vpc), "sends 10.40.0.0/16 to").await;
    for range in [vpc, "10.0.0.0/8"] {
        let gone = ec2.delete_transit_gateway_route().transit_gateway_route_table_id(table);
        gone.destination_cidr_block(range).send().await.unwrap();
    }
    let on = ec2.enable_transit_gateway_route_table_propagation().transit_gateway_route_table_id(table);
    on.transit_gateway_attachment_id(attached).send().await.unwrap();
    assert!(matches!(back(ask(vpn, vpc)).await, Verified::So(_)), "{transit} learns it again");
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_asked() {
    let interface = |name: &str, value: Json| {
        let mut with = interface("dxcon-1", "gateway", 101);
        with[name] = value;
        with
    };
    for (kind, with, why) in [
        ("aws/dx-lag", json!({ "location": "l", "bandwidth": "100Gbps", "ports": 3, "key": "k" }), "two ports"),
        ("aws/dx-gateway", json!({ "asn": 65_535, "key": "g" }), "no private AS number"),
        ("aws/dx-association", json!({ "gateway": "g", "to": "vgw-1", "prefixes": [] }), "needs `prefixes`"),
        (
            "aws/dx-association-proposal",
            json!({ "gateway": "g", "owner": "4", "to": "vgw-1", "prefixes": [] }),
            "needs `prefixes`",
        ),
        ("aws/dx-allocated-interface", json!({ "interface": "dxvif-1", "key": "k" }), "either `gateway` or"),
        (
            "aws/dx-allocated-interface",
            json!({ "interface": "dxvif-1", "type": "transit", "virtual_gateway": "vgw-1", "key": "k" }),
            "either `gateway` or",
        ),
        ("aws/dx-interface", interface("vlan", json!(4_095)), "from 1 to 4094"),
        ("aws/dx-interface", interface("asn", json!(0)), "no AS number"),
        ("aws/dx-interface", interface("mtu", json!("9000")), "not 1500"),
        ("aws/dx-interface", interface("amazon_ip", json!("169.254.100.1/30")), "both addresses"),
        ("aws/dx-interface", interface("virtual_gateway", json!("vgw-1")), "either `gateway` or"),
        ("aws/dx-interface", interface("gateway", json!("")), "either `gateway` or"),
        ("aws/vpn-connection", json!({ "customer_gateway": "cgw-1", "key": "v" }), "either `gateway` or `transit`"),
        ("aws/transit-gateway", json!({ "asn": 1, "key": "t" }), "no private AS number"),
        ("aws/transit-attachment", json!({ "gateway": "tgw-1", "vpc": "vpc-1", "key": "t" }), "needs `subnets`"),
        ("aws/transit-routes", json!({ "gateway": "tgw-1", "table": "rtb-1" }), "needs `to`"),
        ("aws/transit-static-routes", json!({ "attachment": "tgw-attach-1", "table": "tgw-rtb-1" }), "needs `to`"),
    ] {
        let call = crate::engagement::Call::Kind { kind: kind.to_owned(), with: with.as_object().cloned().unwrap() };
        let refused = build(&call, &subject("e1")).err().unwrap_or_else(|| panic!("{kind} {with} is taken"));
        assert!(refused.what.contains(why), "{kind} {with}: {refused:?}");
    }
}
