//! Single attempts at their edges.

use super::*;
use crate::engagement::{DoneHow, Kept};

#[tokio::test]
async fn what_is_there_already_is_checked_before_it_is_called_done() {
    // A NAT gateway takes a minute: it is there, but pending, when the engine comes back to it.
    let stage = Stage::paced(NETWORK, Faults::none(), Pace::Human);
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    let step = at("net/nat");
    let pending = |notice: &Notice| matches!(notice, Notice::Progress { step: s, .. } if s == &step).then_some(());
    desk.hear("the NAT gateway is pending", pending).await;
    desk.close().await;
    {
        // As if the step had failed and somebody tried it again.
        let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
        let failure = Failure::new("too late", "try again");
        let failed = Event::Failed { step: at("net/nat"), attempt: 1, failure };
        let events = vec![failed, Event::reopened(at("net/nat"))];
        let now = writer.engagement().at;
        writer.append(now, &"jane@desk".to_owned(), events).unwrap();
    }
    let mut desk = stage.open().await;
    desk.handle.send(Request::Run(RunScope::All));
    let done = |event: &Event| matches!(event, Event::Done { step: s, .. } if s == &at("net/nat")).then_some(());
    desk.event("it is done", done).await;
    let Status::Done { how, .. } = desk.status("net/nat") else { panic!("{:?}", desk.status("net/nat")) };
    assert_eq!(how, DoneHow::Applied, "we made it");
    let cloud = Cloud::connect(stage.wiring()).await.unwrap();
    let gateways = cloud.ec2().describe_nat_gateways().send().await.unwrap();
    let state = gateways.nat_gateways()[0].state().unwrap().as_str().to_owned();
    assert_eq!(state, "available", "done means that it works");
    desk.close().await;
}

#[tokio::test]
async fn what_aws_does_not_take_yet_is_told_while_it_lasts_and_is_no_fact() {
    let stage = Stage::new(NETWORK, Faults::none().aim(Fault::Throttle, "CreateVpc", 1));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    let vpc = at("net/vpc");
    let of_vpc = |notice: &Notice| match notice {
        Notice::Progress { step, now } if step == &vpc => Some(now.clone()),
        _ => None,
    };
    let held_up = desk.hear("AWS does not take it yet", |notice| of_vpc(notice).flatten()).await;
    assert_eq!((held_up.code.as_deref(), held_up.tries), (Some("RequestLimitExceeded"), 1), "{held_up:?}");
    assert!(held_up.why.starts_with("AWS says RequestLimitExceeded. More calls than AWS takes"), "{held_up:?}");
    assert!(!held_up.raw.is_empty() && held_up.until >= held_up.since, "{held_up:?}");
    desk.hear("it goes on", |notice| of_vpc(notice).filter(Option::is_none)).await;
    desk.idle().await;

    let written = |notice: &Notice| match notice {
        Notice::Output { step, text, .. } if step == &vpc => Some(text.clone()),
        _ => None,
    };
    let output: String = desk.heard.iter().filter_map(written).collect();
    assert_eq!(output.matches("AWS says RequestLimitExceeded").count(), 1, "who reads it later sees it once: {output}");
    let facts = serde_json::to_string(&stage.events()).unwrap();
    assert!(!facts.contains("RequestLimitExceeded"), "{facts}");
    desk.close().await;
}

#[tokio::test]
async fn a_value_that_is_missing_fails_the_step_once_and_names_it() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    // The VPC is skipped, so nobody knows its id.
    desk.handle.command(Command::Skip { step: at("net/vpc"), reason: "it is there".to_owned() });
    desk.approve().await;
    desk.run(RunScope::All).await;
    let Status::Failed(failure) = desk.status("net/gateway") else { panic!("{:?}", desk.status("net/gateway")) };
    assert!(failure.what.contains("net.vpc_id"), "{failure:?}");
    assert_eq!(attempts(&stage.events())["net/gateway"], 1);
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test]
async fn kept_values_and_evidence_are_those_of_the_check() {
    let stage = Stage::new(NETWORK, Faults::none());
    let engagement = stage.to_the_end().await;
    let subnets: Vec<&Kept> =
        ["net/subnets[a]", "net/subnets[b]"].iter().map(|step| &engagement.kept[&at(step)][0]).collect();
    assert_eq!(subnets.iter().map(|kept| kept.key.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
    assert_ne!(subnets[0].value, subnets[1].value);
    let State::Done { evidence, by, .. } = engagement.state(&at("net/vpc")) else { panic!() };
    assert!(evidence.said.contains("10.40.0.0/16"), "{evidence:?}");
    assert_eq!(by, "jane@desk");
}

#[tokio::test]
async fn every_intent_comes_before_its_call_and_has_an_outcome_after_it() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let events = stage.events();
    for (place, event) in events.iter().enumerate() {
        let Event::Intended { step, intent } = event else { continue };
        let concluded = |event: &Event| matches!(event, Event::Concluded { step: s, attempt, .. } if s == step && *attempt == intent.attempt);
        assert_eq!(count(&events[place..], concluded), 1, "{step}");
        assert_eq!(count(&events[..place], concluded), 0, "{step}");
    }
    // The token that was durable is the token that AWS got.
    let calls = stage.account.cloud().calls();
    let nat = calls.iter().find(|call| call.operation == "CreateNatGateway").unwrap();
    let sent = nat.parameters.get("ClientToken").unwrap();
    let durable = events.iter().any(|event| matches!(event, Event::Intended { intent, .. } if &intent.token == sent));
    assert!(durable, "{sent}");
}
