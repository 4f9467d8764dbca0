//! What the log of a VPN connection's tunnels tells: in practice, and in a cloud that nobody here wrote.

use serde_json::{Value as Json, json};

use super::lent::lent;
use super::vpn::{ends, ends_at};
use super::*;
use crate::aws::Cloud;
use crate::aws::logs::types::InputLogEvent;

/// A connection whose tunnels write, and its id.
async fn writing(stage: &Stage) -> String {
    let group = json!({ "type": "AWS::Logs::LogGroup", "key": "logs/vpn",
                        "properties": { "LogGroupName": "/aws/vendedlogs/vpn", "RetentionInDays": 90 } });
    let arn = text(&stage.make("aws/resource", group).await, "arn");
    let mut with = ends(stage).await.connection();
    (with["routing"], with["log_group"]) = (json!("bgp"), json!(arn));
    text(&stage.make("aws/vpn-connection", with).await, "id")
}

async fn log(stage: &Stage, with: Json) -> Kept {
    match stage.action("aws/vpn-log", &with).verify(&stage.world).await {
        Verified::So(found) => found.output,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_line_that_says_most_of_the_last_attempt_counts_and_of_a_tunnel_that_is_up_none() {
    let stage = Stage::new().await;
    let vpn = writing(&stage).await;
    let cloud = stage.practice.as_ref().unwrap();
    let asked = json!({ "vpn": vpn });
    let well = log(&stage, asked.clone()).await;
    assert_eq!((text(&well, "cause"), text(&well, "session")), (String::new(), String::new()), "{well:?}");
    assert!(text(&well, "log").contains("CREATE_CHILD_SA"), "{well:?}");
    assert!(text(&well, "session_log").contains("Established"), "{well:?}");

    let attempt = [
        "AWS tunnel detected a pre-shared key mismatch with cgw: 198.51.100.9",
        "AWS tunnel Timeout: deleting un-established Phase 1 IKE_SA",
    ];
    cloud.write_log(&vpn, 1, &attempt, false).await;
    let wrong = log(&stage, asked.clone()).await;
    assert_eq!((text(&wrong, "cause"), &wrong["down"]), ("key".to_owned(), &json!(1)), "{wrong:?}");
    assert!(text(&wrong, "log").contains("UTC, 192.0.2.11: AWS tunnel detected a pre-shared key"), "{wrong:?}");
    assert_eq!(text(&wrong, "group"), "/aws/vendedlogs/vpn");

    // What the other tunnel wrote before it came up is about that one.
    cloud.write_log(&vpn, 0, &["No Proposal Match Found by AWS"], false).await;
    cloud.set_tunnel(&vpn, 0, false).await;
    assert_eq!(text(&log(&stage, asked.clone()).await, "cause"), "key");
    cloud
        .write_log(&vpn, 1, &["AWS-side peer detected a bad OPEN message - remote AS is 65010, expected 65001"], true)
        .await;
    let session = log(&stage, asked).await;
    assert_eq!((text(&session, "session"), &session["up"]), ("as_number".to_owned(), &json!(2)), "{session:?}");

    let nowhere = log(&stage, json!({ "vpn": vpn, "group": "/aws/vendedlogs/other" })).await;
    assert_eq!(text(&nowhere, "log"), "/aws/vendedlogs/other is not there");
}

#[tokio::test]
async fn a_connection_without_a_log_says_so() {
    let stage = Stage::new().await;
    let vpn = text(&stage.make("aws/vpn-connection", ends(&stage).await.connection()).await, "id");
    assert_eq!(text(&log(&stage, json!({ "vpn": vpn })).await, "log"), "the tunnels write none");
}

/// moto's tunnels write nothing: what AWS writes of one is put there first, as its page on logs has it.
#[tokio::test]
async fn in_a_lent_cloud_the_log_is_read_as_text_and_as_json() {
    let Some(stage) = lent().await else { return };
    // Other tests have devices there, too.
    let [_, a, b, c] = u32::from_str_radix(&stage.world.subject.engagement[..8], 16).unwrap().to_be_bytes();
    let ends = ends_at(&stage, &format!("10.{a}.{b}.{c}")).await;
    let vpn = text(&stage.make("aws/vpn-connection", ends.connection()).await, "id");
    let cloud = Cloud::connect(stage.wiring.clone()).await.unwrap();
    let shown = cloud.ec2().describe_vpn_connections().vpn_connection_ids(&vpn).send().await.unwrap();
    let tunnels = shown.vpn_connections()[0].vgw_telemetry().to_vec();
    let outside = tunnels.first().and_then(|one| one.outside_ip_address()).unwrap_or("192.0.2.10").to_owned();
    let group = format!("/aws/vendedlogs/{}", stage.world.subject.engagement);
    let logs = cloud.logs();
    logs.create_log_group().log_group_name(&group).send().await.unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let details = "AWS: Traffic Selector: TS_UNACCEPTABLE: received from responder";
    let line = json!({ "event_timestamp": now / 1_000, "details": details, "ike_phase1_state": "established",
                       "ike_phase2_state": "down", "dpd_enabled": true, "nat_t_detected": false });
    for (stream, at, message) in [
        (format!("{vpn}_{outside}"), now - 2_000, line.to_string()),
        (
            format!("{vpn}_{outside}"),
            now - 1_000,
            "AWS tunnel Phase 2 was unable to establish while keeping Phase 1".to_owned(),
        ),
        (format!("vpn-0123_{outside}"), now, "No Proposal Match Found by AWS".to_owned()),
        (format!("{vpn}_{outside}-old"), now - 7_200_000, "AWS tunnel detected a pre-shared key mismatch".to_owned()),
    ] {
        // The stream may be there from the line before.
        let _ = logs.create_log_stream().log_group_name(&group).log_stream_name(&stream).send().await;
        let event = InputLogEvent::builder().timestamp(at).message(message).build().unwrap();
        let put = logs.put_log_events().log_group_name(&group).log_stream_name(&stream).log_events(event);
        put.send().await.unwrap();
    }
    let read = log(&stage, json!({ "vpn": vpn, "group": group })).await;
    assert_eq!(text(&read, "cause"), "selectors", "{read:?}");
    assert!(text(&read, "log").contains(details), "{read:?}");
    logs.delete_log_group().log_group_name(&group).send().await.unwrap();
}
