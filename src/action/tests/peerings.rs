//! A peering with a VPC of another region.

use serde_json::json;

use super::life::ground;
use super::*;

#[tokio::test]
async fn the_other_side_may_be_in_another_region_and_only_in_that_one() {
    let stage = Stage::new().await;
    let vpc = ground(&stage).await.vpc;
    let with = |region: &str| {
        json!({ "vpc": vpc, "peer_vpc": "vpc-0a1b2c3d4e5f60718", "peer_account": "111122223334", "peer_region": region,
                "key": "peering/operator" })
    };
    let id = text(&stage.make("aws/peering-connection", with("eu-central-1")).await, "id");
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let there = ec2.describe_vpc_peering_connections().vpc_peering_connection_ids(&id).send().await.unwrap();
    let accepter = there.vpc_peering_connections()[0].accepter_vpc_info().unwrap();
    assert_eq!(accepter.region(), Some("eu-central-1"));
    let said = stage.leaves_alone("aws/peering-connection", with("eu-west-2")).await;
    assert_eq!(said, "its region eu-west-2 eu-central-1");
    let said = stage.leaves_alone("aws/peering-connection", with("")).await;
    assert_eq!(said, "its region eu-west-1 eu-central-1", "none that is named is the same one");
}
