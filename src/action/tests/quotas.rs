//! Quotas: what there is, what is asked for once, and what AWS makes of it.

use serde_json::json;

use super::*;
use crate::practice::fault::Fault;

fn vpcs(wanted: u32) -> Json {
    json!({ "service": "vpc", "code": "L-F678F1CE", "wanted": wanted })
}

/// Both kinds, in a lent cloud as far as it knows them.
pub(super) async fn every_kind_lives(stage: &Stage) {
    let has = stage.make("aws/quota", vpcs(5)).await;
    assert_eq!((&has["value"], &has["name"]), (&json!(5.0), &json!("VPCs per Region")));
    // What has no value of the account's own has AWS's default, or is nowhere.
    let nowhere = json!({ "service": "vpc", "code": "L-00000000", "wanted": 1 });
    let Verified::NotSo(failure) = stage.action("aws/quota", &nowhere).verify(&stage.world).await else {
        panic!("there is none")
    };
    assert!(failure.what.contains("L-00000000"), "{failure:?}");
    if stage.practice.is_some() {
        stage.make("aws/quota-increase", vpcs(8)).await;
        assert_eq!(stage.make("aws/quota", vpcs(8)).await["value"], json!(8.0));
    }
}

#[tokio::test]
async fn more_is_asked_for_once_and_waited_for() {
    for way in [None, Some(Fault::LostReply), Some(Fault::ServerErrorBefore), Some(Fault::ServerErrorAfter)] {
        let faults = way.map_or(Faults::none(), |way| Faults::none().aim(way, "RequestServiceQuotaIncrease", 1));
        let stage = Stage::with(Pace::Stopped, faults).await;
        let action = stage.action("aws/quota-increase", &vpcs(8));
        assert!(is_absent(&action.probe(&stage.world).await));
        let outcome = action.apply(&stage.world, &stage.intent("aws/quota-increase", &vpcs(8))).await;
        assert!(matches!(outcome, Outcome::Changed { .. }), "{way:?}: {outcome:?}");
        let Verified::NotYet { said } = action.verify(&stage.world).await else { panic!("somebody reads it") };
        assert!(said.contains("8 was asked for: PENDING, case "), "{said}");
        let calls = stage.calls();
        assert!(matches!(action.probe(&stage.world).await, Probe::Same(_)), "{way:?}");
        let again = action.apply(&stage.world, &stage.intent("aws/quota-increase", &vpcs(8))).await;
        assert!(matches!(again, Outcome::AlreadySo { .. }), "{way:?}: {again:?}");
        // One request at a time: more than what is asked for waits for a person.
        let more = stage.action("aws/quota-increase", &vpcs(12)).probe(&stage.world).await;
        assert!(matches!(&more, Probe::Different { mend, .. } if mend.is_empty()), "{way:?}: {more:?}");
        assert_eq!(stage.sent_since(calls), Vec::<String>::new());
        stage.practice.as_ref().unwrap().advance(std::time::Duration::from_secs(60));
        let Verified::So(found) = action.verify(&stage.world).await else { panic!("granted") };
        assert_eq!(found.output["value"], json!(8.0));
        assert!(is_absent(&stage.action("aws/quota-increase", &vpcs(12)).probe(&stage.world).await));
    }
}

#[tokio::test]
async fn what_aws_raises_for_nobody_is_said_and_not_asked_for() {
    let stage = Stage::new().await;
    let with = json!({ "service": "vpc", "code": "L-3248932A", "wanted": 30_000 });
    let calls = stage.calls();
    let action = stage.action("aws/quota-increase", &with);
    let Probe::Different { said, mend, .. } = action.probe(&stage.world).await else { panic!("never") };
    assert!(mend.is_empty() && said.contains("for nobody"), "{said}");
    let Verified::NotYet { said } = stage.action("aws/quota", &with).verify(&stage.world).await else { panic!("less") };
    assert!(said.contains("the account has 20480, and 30000 is wanted"), "{said}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_used_is_counted_and_more_is_wanted_beside_it() {
    let stage = Stage::new().await;
    let with =
        |more: u32, expect: &str| json!({ "service": "ec2", "code": "L-0263D0A3", "more": more, "expect": expect });
    stage.stranger_makes("aws/elastic-address", json!({ "key": "eip/one" })).await;
    let enough = stage.make("aws/quota", with(4, "enough")).await;
    assert_eq!((&enough["needed"], &enough["value"]), (&json!(5), &json!(5.0)));
    let Verified::NotYet { said } = stage.action("aws/quota", &with(5, "enough")).verify(&stage.world).await else {
        panic!("another engagement has one already")
    };
    assert!(said.contains("has 5, and 6 is wanted"), "{said}");
    assert_eq!(stage.make("aws/quota", with(5, "any")).await["needed"], json!(6));
    // Granted, it is the account's, and as many are given out.
    stage.make("aws/quota-increase", json!({ "service": "ec2", "code": "L-0263D0A3", "wanted": 6 })).await;
    for key in ["two", "three", "four", "five", "six"] {
        stage.make("aws/elastic-address", json!({ "key": format!("eip/{key}") })).await;
        // What is ours is a part of what was wanted, however often somebody looks again.
        assert_eq!(stage.make("aws/quota", with(5, "any")).await["needed"], json!(6), "{key}");
    }
    let uncounted = json!({ "service": "vpc", "code": "L-0EA8095F", "more": 1 });
    let call = Call::Kind { kind: "aws/quota".to_owned(), with: uncounted.as_object().cloned().unwrap() };
    let Err(refused) = build(&call, &stage.world.subject) else { panic!("it is not counted") };
    assert!(refused.what.contains("does not count"), "{refused:?}");
}

#[test]
fn what_tells_how_much_is_used_is_among_what_the_kind_sends() {
    let sends = crate::action::operations("aws/quota");
    for limited in crate::engagement::Limited::ALL {
        assert!(crate::action::counted_by(limited).iter().all(|one| sends.contains(one)), "{limited:?}");
    }
}
