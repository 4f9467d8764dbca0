//! Resources that stand on what other steps made: questions to their zone are logged, and their VPC gets a further range.

use serde_json::json;

use super::life::lives_once;
use super::resources::{of, questions, stage_with_subnets};
use super::*;

/// The zone is another step's, with its tags; this one adds to it, and takes away what it added.
#[tokio::test]
async fn questions_to_a_zone_that_another_step_made_are_logged() {
    let stage = Stage::new().await;
    let zone = stage.make("aws/hosted-zone", json!({ "name": "mc.acme.example", "key": "zone/public" })).await;
    let with = |group: Json| {
        json!({
            "type": "AWS::Route53::HostedZone", "identifier": zone["id"], "tags": "none", "existing": "change",
            "key": "log/public", "properties": { "QueryLoggingConfig": group },
        })
    };
    lives_once(&stage, "aws/resource", with(questions())).await;
    let elsewhere =
        json!({ "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/route53/mc" });
    let elsewhere = with(elsewhere);
    let action = stage.action("aws/resource", &elsewhere);
    let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &elsewhere)).await;
    assert!(format!("{outcome:?}").contains("us-east-1"), "{outcome:?}");
}

/// A subnet lies in any block of its VPC, and a block stays as long as one does.
#[tokio::test]
async fn a_further_range_holds_subnets() {
    let (stage, vpc, _) = stage_with_subnets().await;
    let range = of("AWS::EC2::VPCCidrBlock", "vpc/range", json!({ "VpcId": vpc, "CidrBlock": "10.41.0.0/20" }));
    let made = stage.make("aws/resource", range.clone()).await;
    let subnet = json!({ "vpc": vpc, "cidr": "10.41.0.0/24", "zone": format!("{REGION}a"), "key": "subnet/mgmt/a" });
    let there = stage.make("aws/subnet", subnet.clone()).await;
    let action = stage.action("aws/resource", &range);
    let outcome = action.undo(&stage.world, &stage.intent("aws/resource", &range), &made).await;
    assert!(format!("{outcome:?}").contains("in use by subnets"), "a subnet stands in it: {outcome:?}");
    let of_subnet = stage.action("aws/subnet", &subnet);
    let outcome = of_subnet.undo(&stage.world, &stage.intent("aws/subnet", &subnet), &there).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    let outcome = action.undo(&stage.world, &stage.intent("aws/resource", &range), &made).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    for (refused, why) in [
        ("10.40.128.0/20", "conflicts"),
        ("10.40.0.0/16", "conflicts"),
        ("172.20.0.0/20", "restricted"),
        ("198.19.0.0/20", "restricted"),
    ] {
        let other = of("AWS::EC2::VPCCidrBlock", "vpc/other", json!({ "VpcId": vpc, "CidrBlock": refused }));
        let action = stage.action("aws/resource", &other);
        let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &other)).await;
        assert!(format!("{outcome:?}").contains(why), "{refused}: {outcome:?}");
    }
}
