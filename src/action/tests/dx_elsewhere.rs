//! Lines that end in another region than the engagement's: each kind lives there from nothing to nothing, is seen there and
//! nowhere else, and a gateway leads from there to the network here.

use serde_json::json;

use super::dx::undone;
use super::dx_neighbours::vgw;
use super::life::lives;
use super::*;

const AWAY: &str = "us-east-1";
const LINE: &str = "aws/dx-connection";
const INTERFACE: &str = "aws/dx-interface";

fn port(key: &str) -> Json {
    json!({ "location": "EqDC2", "bandwidth": "10Gbps", "macsec": "yes", "key": key, "region": AWAY })
}

async fn connections(stage: &Stage, region: &str) -> Vec<String> {
    let place = stage.world.cloud.as_ref().unwrap().in_region(region);
    let there = place.direct_connect().describe_connections().send().await.unwrap();
    let is_live = |state: &str| !["deleting", "deleted", "ordering"].contains(&state);
    let live =
        there.connections().iter().filter(|line| line.connection_state().is_some_and(|one| is_live(one.as_str())));
    live.filter_map(|line| line.connection_id().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_line_of_another_region_is_seen_there_only_and_a_gateway_leads_here() {
    let stage = Stage::new().await;
    let vgw = vgw(&stage).await;
    let line = text(&lives(&stage, LINE, port("dx/line/first")).await, "id");
    assert_eq!((connections(&stage, AWAY).await, connections(&stage, REGION).await), (vec![line.clone()], vec![]));

    let at_line = json!({ "connection": line, "region": AWAY });
    stage.make("aws/dx-letter", at_line.clone()).await;
    stage.make("aws/dx-connection-state", at_line.clone()).await;
    let here = stage.action("aws/dx-connection-state", &json!({ "connection": line })).verify(&stage.world).await;
    assert!(matches!(&here, Verified::NotYet { said } if said.contains(&line)), "{here:?}");
    let ckn = "5f3a0c91d2b84e67a1f09c3d7be24586902f6ad3c1e8b57440d96f1b2ca37e08";
    let cak = stage.make("aws/secret", json!({ "key": "dx/macsec/first", "use": "key256" })).await["reference"].clone();
    lives(&stage, "aws/dx-macsec-key", json!({ "connection": line, "ckn": ckn, "cak": cak, "region": AWAY })).await;
    let mode = json!({ "connection": line, "mode": "should_encrypt", "region": AWAY });
    lives(&stage, "aws/dx-encryption-mode", mode).await;

    let gateway = text(&stage.make("aws/dx-gateway", json!({ "asn": 64_513, "key": "dx/gateway" })).await, "id");
    let tie = json!({ "gateway": gateway, "to": vgw, "prefixes": ["10.40.0.0/16"] });
    lives(&stage, "aws/dx-association", tie).await;
    let md5 = stage.make("aws/secret", json!({ "key": "dx/bgp/first", "use": "bgp" })).await["reference"].clone();
    let on_it = json!({
        "connection": line, "gateway": gateway, "vlan": 101, "asn": 65_010, "md5": md5, "key": "dx/interface/first",
        "region": AWAY,
    });
    let interface = text(&lives(&stage, INTERFACE, on_it).await, "id");
    let at_interface = json!({ "interface": interface, "region": AWAY });
    stage.make("aws/dx-bgp", at_interface.clone()).await;
    stage.make("aws/dx-router-configuration", at_interface.clone()).await;
    stage.make("aws/dx-failover-test", at_interface).await;

    let away = stage.world.cloud.as_ref().unwrap().in_region(AWAY);
    let vpcs = away.ec2().describe_vpn_gateways().send().await.unwrap();
    assert!(vpcs.vpn_gateways().is_empty(), "the gateway of the network is here");
    let mut straight =
        json!({ "connection": line, "virtual_gateway": vgw, "vlan": 102, "asn": 65_010, "region": AWAY });
    straight["key"] = json!("dx/interface/straight");
    let refused = stage.action(INTERFACE, &straight).apply(&stage.world, &stage.intent(INTERFACE, &straight)).await;
    assert!(matches!(&refused, Outcome::Failed { failure } if failure.raw.contains(&vgw)), "{refused:?}");
}

#[tokio::test]
async fn ports_that_work_as_one_and_lines_of_others_live_in_another_region() {
    let stage = Stage::new().await;
    vgw(&stage).await;
    let lag = json!({ "location": "EqDC2", "bandwidth": "1Gbps", "key": "dx/lag/first", "region": AWAY });
    let made = lives(&stage, "aws/dx-lag", lag.clone()).await;
    assert_eq!(connections(&stage, REGION).await, Vec::<String>::new());
    let outcome = undone(&stage, "aws/dx-lag", &lag, &made).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    let hosted = json!({ "connection": "dxcon-ffabc123", "vlan": 101, "key": "dx/line/hosted", "region": AWAY });
    lives(&stage, "aws/dx-hosted-connection", hosted).await;

    let gateway = text(&stage.make("aws/dx-gateway", json!({ "asn": 64_513, "key": "dx/gateway" })).await, "id");
    let allocated = |id: &str, key: &str| json!({ "interface": id, "gateway": gateway, "key": key, "region": AWAY });
    let first = lives(&stage, "aws/dx-allocated-interface", allocated("dxvif-fgneigh1", "dx/interface/first")).await;
    let second = stage.make("aws/dx-allocated-interface", allocated("dxvif-fgneigh2", "dx/interface/second")).await;
    let apart = json!({ "first": first["id"], "second": second["id"], "region": AWAY });
    stage.make("aws/dx-apart", apart).await;
}
