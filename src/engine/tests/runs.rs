//! A run: what is ready runs side by side, an approval is waited for, and nothing is done twice.

use super::*;
use crate::engagement::{FindingKind, Verdict};

#[tokio::test]
async fn an_engagement_is_walked_to_its_end_and_a_second_run_changes_nothing() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    let plan = desk.approve().await;
    let mut planned: Vec<String> = plan.changes().map(|(_, change)| change.operation.clone()).collect();
    planned.sort();
    assert_eq!(planned, CHANGES);
    assert_eq!(stage.sent(), 0, "a plan changes nothing");

    let summary = desk.run(RunScope::All).await;
    assert!(!summary.stopped);
    assert_eq!(stage.changes(), CHANGES, "what was planned is what was sent");
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    assert_eq!((summary.tally.person, summary.tally.done + 1), (1, summary.tally.total));
    desk.sign("net/shown").await;
    assert!(desk.board().tally.all_done(), "{:#?}", rows(&desk.engagement, &stage.runbook));

    let events = stage.events().len();
    desk.run(RunScope::All).await;
    assert_eq!(stage.events().len(), events, "there is nothing to do");
    let again = desk.plan().await;
    assert_eq!(again.changes().count(), 0, "{again:#?}");
    assert!(again.entries.iter().all(|entry| entry.verdict == Verdict::Nothing), "{again:#?}");
    assert_eq!(stage.sent(), CHANGES.len());
    desk.close().await;
    stage.assert_each_once(6).await;
}

#[tokio::test]
async fn what_waits_only_for_a_look_that_finds_what_it_wants_is_asked_in_the_same_plan() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    let plan = desk.plan().await;
    let found = |step: &str| plan.entries.iter().find(|entry| entry.step == at(step)).unwrap().finding.as_ref();
    assert_eq!(found("net/caller").map(|finding| finding.kind), Some(FindingKind::Same));
    assert_eq!(found("net/vpc").map(|finding| finding.kind), Some(FindingKind::Absent));
    assert!(found("net/gateway").is_none(), "the VPC is not there yet");
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test]
async fn without_an_approval_nothing_is_changed() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::NeedsApproval);
    assert!(matches!(desk.status("net/subnets[a]"), Status::Blocked(_)));
    assert_eq!(stage.sent(), 0);
    desk.run(RunScope::All).await;
    assert_eq!(attempts(&stage.events())["net/vpc"], 1, "what is held is not looked at again and again");
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert_eq!(stage.changes(), CHANGES);
    desk.close().await;
}

#[tokio::test]
async fn an_approval_of_other_values_does_not_count() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.give("net.vpc_cidr", "10.40.0.0/20");
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::NeedsApproval);
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test]
async fn an_approval_given_while_a_form_is_unanswered_does_not_count_for_what_is_answered_later() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.give("net.mode", "vpn");
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/plan"), Status::NeedsInput(_)), "{:?}", desk.status("net/plan"));
    assert_eq!(stage.sent(), 0);

    // Nobody was shown which range that would be.
    desk.give("net.vpc_cidr", "10.40.0.0/16");
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::NeedsApproval);
    assert!(!stage.changes().contains(&"CreateVpc".to_owned()), "{:?}", stage.changes());
    desk.close().await;
}

#[tokio::test]
async fn steps_that_do_not_need_each_other_run_side_by_side() {
    let stage = Stage::new(NETWORK, Faults::new(1, [Fault::Slow]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    let events = stage.events();
    let place = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let begins = |name: &str| {
        let step = at(name);
        place(&move |event| matches!(event, Event::AttemptStarted { step: s, .. } if s == &step))
    };
    let ends = |name: &str| {
        let step = at(name);
        place(&move |event| matches!(event, Event::Done { step: s, .. } if s == &step))
    };
    let side_by_side = ["net/subnets[a]", "net/subnets[b]", "net/gateway"];
    for one in side_by_side {
        for other in side_by_side {
            assert!(begins(one) < ends(other), "{other} ended before {one} began");
        }
    }
    assert!(ends("net/vpc") < begins("net/subnets[a]"));
    desk.close().await;
}

#[tokio::test]
async fn a_run_can_be_kept_to_a_step_and_what_it_needs() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Only(at("net/caller"))).await;
    assert!(attempts(&stage.events()).keys().eq(["net/caller"]));
    desk.run(RunScope::Until(at("net/gateway"))).await;
    assert!(attempts(&stage.events()).keys().eq(["net/caller", "net/gateway", "net/vpc"]));
    desk.handle.send(Request::Run(RunScope::Until(at("net/gatewy"))));
    assert!(desk.refusal().await.contains("no step"));
    desk.close().await;
}

#[tokio::test]
async fn who_comes_late_hears_everything_from_the_handles_snapshot_on() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Only(at("net/caller"))).await;
    let mut late = Desk::new(desk.handle.clone());
    late.hear("the identity", |notice| matches!(notice, Notice::Identity(Ok(_))).then_some(())).await;
    assert_eq!(late.engagement, desk.engagement);
    drop(late);
    desk.close().await;
}

#[tokio::test]
async fn forms_close_when_they_are_full_and_open_again_when_they_are_not() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.mode", "vpn");
    let done = |name: &str| {
        let step = at(name);
        move |event: &Event| matches!(event, Event::Done { step: s, .. } if s == &step).then_some(())
    };
    desk.event("the choice is made", done("net/how")).await;
    assert_eq!(desk.status("net/peer"), Status::NotNeeded);
    desk.give("net.mode", "dx");
    desk.event("the other choice", |event| matches!(event, Event::InputGiven { .. }).then_some(())).await;
    assert!(matches!(desk.status("net/peer"), Status::NeedsInput(_)));
    desk.give("net.peer", "198.51.100.7");
    desk.event("the peer is given", done("net/peer")).await;
    assert_eq!(count(&stage.events(), |event| done("net/how")(event).is_some()), 1, "closed once");
    desk.close().await;
}

#[tokio::test]
async fn credentials_of_another_account_change_nothing() {
    let stage = Stage::new(&NETWORK.replace("needs: [caller, how]", "needs: [how]"), Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.give("aws.account_id", "444455556666");
    desk.approve().await;
    desk.run(RunScope::All).await;
    let Status::Failed(failure) = desk.status("net/vpc") else { panic!("{:?}", desk.status("net/vpc")) };
    assert!(failure.what.contains("444455556666"), "{failure:?}");
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test]
async fn what_has_drifted_is_said_and_nothing_is_put_right() {
    let stage = Stage::new(NETWORK, Faults::none());
    let engagement = stage.to_the_end().await;
    let allocation = engagement.kept[&at("net/address")][0].value.as_str().unwrap().to_owned();
    let nat = engagement.kept[&at("net/nat")][0].value.as_str().unwrap().to_owned();
    let cloud = Cloud::connect(stage.wiring()).await.unwrap();
    cloud.ec2().delete_nat_gateway().nat_gateway_id(nat).send().await.unwrap();
    let sent = stage.sent();
    let mut desk = stage.open().await;
    desk.handle.send(Request::Verify);
    let mut drifted = Vec::new();
    let expected = desk.board().rows.iter().filter(|row| row.touches_world).count();
    for _ in 0..expected {
        let line = |notice: &Notice| match notice {
            Notice::Drift { step, finding } => Some((step.to_string(), finding.clone())),
            _ => None,
        };
        let (step, finding) = desk.hear("a line of the report", line).await;
        if finding.kind != FindingKind::Same {
            assert_eq!(finding.kind, FindingKind::Absent, "it is gone: {finding:?}");
            drifted.push((step, finding.said));
        }
    }
    assert_eq!(
        drifted.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>(),
        ["net/nat"],
        "{drifted:?} {allocation}"
    );
    let plan = desk.plan().await;
    assert_eq!(plan.changes().count(), 0, "what is done is not done again behind anybody's back");
    let entry = plan.entries.iter().find(|entry| entry.step == at("net/nat")).unwrap();
    assert!(entry.said.contains("It was done") && entry.said.contains("undo the step"), "{entry:?}");
    assert_eq!(stage.sent(), sent);
    desk.close().await;
}
