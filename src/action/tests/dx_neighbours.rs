//! Another account has the line: what it allocated is accepted once, and its gateway is asked for and never taken.

use serde_json::json;

use super::life::{ground, lives, lives_once};
use super::*;
use crate::action::Undoes;
use crate::practice::fault::Fault;

const INTERFACE: &str = "aws/dx-allocated-interface";
const PROPOSAL: &str = "aws/dx-association-proposal";
const NEIGHBOUR: &str = "444455556666";
const NEIGHBOURS_GATEWAY: &str = "7a1bd8c2-51f0-4c57-a3d1-0f5a2c9e7b64";

/// What another account has: interfaces that it allocates, and a gateway of its own.
pub(super) async fn neighbours_live(stage: &Stage, [gateway, transit]: [&str; 2], vgw: &str) {
    let kind = "aws/dx-allocated-interface";
    let straight = json!({ "interface": "dxvif-fgneigh1", "virtual_gateway": vgw, "key": "dx/interface/theirs" });
    let made = lives(stage, kind, straight).await;
    assert_eq!((&made["vlan"], &made["customer_asn"]), (&json!(101), &json!(65_010)), "as it was allocated: {made:?}");
    stage.make("aws/dx-bgp", json!({ "interface": "dxvif-fgneigh1" })).await;
    let over =
        json!({ "interface": "dxvif-fgneigh3", "type": "transit", "gateway": gateway, "key": "dx/interface/over" });
    lives(stage, kind, over).await;
    let pair = |first: &str, second: &str| json!({ "first": first, "second": second });
    let apart = stage.make("aws/dx-apart", pair("dxvif-fgneigh1", "dxvif-fgneigh2")).await;
    assert_eq!(apart["locations"], json!(["EqDC2", "EqSe2"]), "{apart:?}");
    let failure = stage.not_so("aws/dx-apart", pair("dxvif-fgneigh1", "dxvif-fgneigh3")).await;
    assert!(failure.what.contains("both end on Amazon's router"), "{failure:?}");
    let later = stage.action("aws/dx-apart", &pair("dxvif-fgneigh1", "dxvif-ffffffff")).verify(&stage.world).await;
    assert!(matches!(&later, Verified::NotYet { said } if said.contains("dxvif-ffffffff is not there")), "{later:?}");
    let private = json!({ "interface": "dxvif-fgneigh4", "gateway": gateway, "key": "dx/interface/wrong" });
    let probe = stage.action(kind, &private).probe(&stage.world).await;
    let Probe::Different { differences, .. } = &probe else { panic!("{probe:?}") };
    assert!(differences.iter().any(|one| one.what == "type"), "{differences:?}");
    let nowhere = json!({ "interface": "dxvif-ffffffff", "gateway": gateway, "key": "dx/interface/none" });
    let probe = stage.action(kind, &nowhere).probe(&stage.world).await;
    let Probe::Different { said, mend, .. } = &probe else { panic!("{probe:?}") };
    assert!(said.contains("no virtual interface dxvif-ffffffff") && mend.is_empty(), "{probe:?}");

    let proposal = json!({
        "gateway": NEIGHBOURS_GATEWAY, "owner": NEIGHBOUR, "to": transit, "prefixes": ["10.40.0.0/16"],
    });
    lives_once(stage, "aws/dx-association-proposal", proposal.clone()).await;
    let mut unanswered = proposal;
    unanswered["prefixes"] = json!(["10.0.0.0/7"]);
    lives_once(stage, "aws/dx-association-proposal", unanswered).await;
}

pub(super) async fn vgw(stage: &Stage) -> String {
    let vpc = ground(stage).await.vpc;
    text(&stage.make("aws/vpn-gateway", json!({ "vpc": vpc, "key": "vgw/main" })).await, "id")
}

/// The same on a clock that stands still: a minute later it is attached.
async fn vgw_in_time(stage: &Stage) -> String {
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let with = json!({ "vpc": vpc, "key": "vgw/main" });
    let outcome =
        stage.action("aws/vpn-gateway", &with).apply(&stage.world, &stage.intent("aws/vpn-gateway", &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    stage.practice.as_ref().unwrap().advance(std::time::Duration::from_secs(60));
    text(&made, "id")
}

fn proposal(to: &str) -> Json {
    json!({
        "gateway": NEIGHBOURS_GATEWAY, "owner": NEIGHBOUR, "to": to,
        "prefixes": ["10.40.0.0/16"],
    })
}

fn allocated(vgw: &str) -> Json {
    json!({ "interface": "dxvif-fgneigh1", "virtual_gateway": vgw, "key": "dx/interface/first" })
}

#[tokio::test]
async fn an_allocated_interface_is_accepted_once_whatever_becomes_of_the_answer() {
    for fault in [Fault::LostReply, Fault::ServerErrorAfter, Fault::Throttle] {
        let faults = Faults::none().aim(fault, "ConfirmPrivateVirtualInterface", 1);
        let stage = Stage::with(Pace::Instant, faults).await;
        let with = allocated(&vgw(&stage).await);
        stage.make(INTERFACE, with.clone()).await;
        let probe = stage.action(INTERFACE, &with).probe(&stage.world).await;
        assert!(matches!(probe, Probe::Same(_)), "{fault:?}: {probe:?}");
    }
}

#[tokio::test]
async fn an_interface_that_somebody_else_accepted_is_used_and_stays_theirs() {
    let stage = Stage::new().await;
    let vgw = vgw(&stage).await;
    let lines = stage.world.cloud.as_ref().unwrap().direct_connect();
    let by_hand = lines.confirm_private_virtual_interface().virtual_interface_id("dxvif-fgneigh1");
    by_hand.virtual_gateway_id(&vgw).send().await.unwrap();
    let with = allocated(&vgw);
    let probe = stage.action(INTERFACE, &with).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Same(found) if found.foreign), "{probe:?}");
    let made: Kept = [("id".to_owned(), json!("dxvif-fgneigh1"))].into();
    let left = stage.action(INTERFACE, &with).undoes(&stage.world, &made).await;
    assert!(matches!(&left, Undoes::Leaves { .. }), "{left:?}");
}

#[tokio::test]
async fn a_proposal_is_made_once_and_says_what_became_of_it() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let with = proposal(&vgw_in_time(&stage).await);
    let practice = stage.practice.as_ref().unwrap();
    let asked = json!({ "gateway": with["gateway"], "to": with["to"], "prefixes": with["prefixes"] });
    let state = async || stage.action("aws/dx-association-state", &asked).verify(&stage.world).await;
    let seen = state().await;
    assert!(matches!(&seen, Verified::NotYet { said } if said.contains("no proposal of one")), "{seen:?}");

    let calls = stage.calls();
    let outcome = stage.action(PROPOSAL, &with).apply(&stage.world, &stage.intent(PROPOSAL, &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    let seen = state().await;
    let waits = format!("proposal {} waits for an answer from account 444455556666", text(&made, "id"));
    assert!(matches!(&seen, Verified::NotYet { said } if *said == waits), "{seen:?}");
    let again = stage.action(PROPOSAL, &with).apply(&stage.world, &stage.intent(PROPOSAL, &with)).await;
    assert!(matches!(again, Outcome::AlreadySo { .. }), "{again:?}");
    assert_eq!(stage.sent_since(calls), ["CreateDirectConnectGatewayAssociationProposal"]);

    practice.advance(std::time::Duration::from_secs(60));
    let seen = state().await;
    assert!(matches!(&seen, Verified::NotYet { said } if said.contains("associating")), "{seen:?}");
    practice.advance(std::time::Duration::from_secs(60));
    assert!(matches!(state().await, Verified::So(_)));
    let mut wider = asked.clone();
    wider["prefixes"] = json!(["10.0.0.0/8"]);
    let seen = stage.action("aws/dx-association-state", &wider).verify(&stage.world).await;
    assert!(matches!(&seen, Verified::NotYet { said } if said.contains("and not 10.0.0.0/8")), "{seen:?}");
}

#[tokio::test]
async fn a_proposal_that_nobody_answered_is_withdrawn() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let with = proposal(&vgw_in_time(&stage).await);
    let intent = stage.intent(PROPOSAL, &with);
    let outcome = stage.action(PROPOSAL, &with).apply(&stage.world, &intent).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    let calls = stage.calls();
    let gone = stage.action(PROPOSAL, &with).undo(&stage.world, &intent, &made).await;
    assert!(matches!(gone, Outcome::Changed { .. }), "{gone:?}");
    assert_eq!(stage.sent_since(calls), ["DeleteDirectConnectGatewayAssociationProposal"]);
    assert!(is_absent(&stage.action(PROPOSAL, &with).probe(&stage.world).await));
}
