//! What credentials may do is asked without doing it.

use std::sync::Arc;

use serde_json::json;

use super::super::send::Sender;
use super::calls::one_of_each;
use super::lent::lent;
use super::*;
use crate::engagement::{Leave, Rehearsal};

fn rehearsing(stage: &Stage) -> World {
    let cloud = stage.world.cloud.as_ref().unwrap().rehearsing();
    World { cloud: Ok(Arc::new(cloud)), ..stage.world.clone() }
}

#[tokio::test]
async fn what_is_denied_is_named_and_nothing_is_made() {
    let stage = Stage::with(Pace::Instant, Faults::none().deny("AttachInternetGateway")).await;
    let gateway = stage.action("aws/internet-gateway", &json!({ "vpc": "vpc-0a1b2c3d", "key": "igw/main" }));
    let said = gateway.rehearse(&rehearsing(&stage)).await;
    let [
        Rehearsal { permission: first, answer: Leave::Allowed },
        Rehearsal { permission, answer: Leave::Denied { raw } },
    ] = said.as_slice()
    else {
        panic!("{said:?}")
    };
    assert_eq!((first.as_str(), permission.as_str()), ("ec2:CreateInternetGateway", "ec2:AttachInternetGateway"));
    assert!(raw.contains("not authorized"), "{raw}");

    let vpc = stage.action("aws/vpc", &json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" }));
    let said = vpc.rehearse(&rehearsing(&stage)).await;
    assert_eq!(said[0].answer, Leave::Allowed);
    assert!(matches!(&said[1].answer, Leave::Untold { why } if why.contains("no rehearsal")), "{said:?}");
    assert_eq!(said.len(), 2, "each permission once");

    let practice = stage.practice.as_ref().unwrap();
    assert_eq!(practice.objects().await, Vec::<String>::new());
    assert_eq!(practice.calls().iter().filter(|call| call.mutating).count(), 0);
}

/// Which of all calls are answered as rehearsals: as many as the table says.
async fn rehearsed(stage: &Stage) {
    let world = rehearsing(stage);
    let marks = world.subject.marks("rehearsal", 0);
    for call in one_of_each() {
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        let cloud = world.cloud.as_ref().unwrap();
        let sender = Sender {
            world: &world,
            cloud,
            marks: &marks,
            token: "rehearsal",
            until,
            secrets: &BTreeMap::new(),
            rehearsal: true,
        };
        let (operation, sent) = (call.operation(), sender.send(&call).await.unwrap_err());
        match operation.row().dry_run {
            true => assert_eq!(sent.code.as_deref(), Some("DryRunOperation"), "{operation:?}: {sent:?}"),
            false => assert_eq!(sent.fate, aws::Fate::NotExecuted, "{operation:?} is not sent: {sent:?}"),
        }
    }
}

#[tokio::test]
async fn every_call_can_be_rehearsed_in_practice_but_those_that_aws_does_not_take_so() {
    let stage = Stage::new().await;
    rehearsed(&stage).await;
    assert_eq!(stage.practice.as_ref().unwrap().calls().iter().filter(|call| call.mutating).count(), 0);
}

/// Of the calls that need nothing else, moto makes a VPC all the same, and rehearses the others.
#[tokio::test]
async fn a_call_can_be_rehearsed_in_a_lent_cloud() {
    let Some(stage) = lent().await else { return };
    let address = stage.action("aws/elastic-address", &json!({ "key": "eip/rehearsed" }));
    assert_eq!(address.rehearse(&rehearsing(&stage)).await[0].answer, Leave::Allowed);
    assert!(is_absent(&address.probe(&stage.world).await), "nothing was made");
    let missing = json!({ "vpc": "vpc-0a1b2c3d", "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "key": "subnet/a" });
    let subnet = stage.action("aws/subnet", &missing).rehearse(&rehearsing(&stage)).await;
    assert!(matches!(&subnet[0].answer, Leave::Untold { why } if why.contains("not there yet")), "{subnet:?}");
}
