//! What becomes of a token whose object is gone: undone and made again, or ended by somebody else.

use std::collections::BTreeSet;

use super::matrix::{EVERYTHING, made};
use super::*;
use crate::aws::ec2::types::AttributeBooleanValue;

/// Every token that was written down for the step.
fn tokens(stage: &Stage, step: &str) -> BTreeSet<String> {
    let of_step = |event: &Event| match event {
        Event::Intended { step: intended, intent } if intended == &at(step) => Some(intent.token.clone()),
        _ => None,
    };
    stage.events().iter().filter_map(of_step).collect()
}

#[tokio::test]
async fn undone_and_made_again_it_has_a_new_token_and_a_new_object() {
    let stage = Stage::new(EVERYTHING, Faults::none());
    let before = made(&stage, None).await;
    let mut desk = stage.open().await;
    let id = |desk: &Desk| {
        desk.engagement.record(&at("net/instance")).unwrap().made.clone().map(|made| made.output["id"].clone())
    };
    let first = id(&desk);
    desk.undo(&[]).await;
    assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new());
    let undone = desk.board().rows.into_iter().filter(|row| row.status == Status::Undone);
    for row in undone.collect::<Vec<_>>() {
        desk.handle.command(Command::Reopen(row.address));
    }
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(desk.board().tally.all_done(), "{:#?}", desk.board());
    assert_ne!(id(&desk), first, "with the old token AWS would have said IdempotentInstanceTerminated");
    // Apply, undo, apply: three tokens.
    assert_eq!(tokens(&stage, "net/instance").len(), 3);
    desk.close().await;
    assert_eq!(stage.account.cloud().objects().await, before);
}

#[tokio::test]
async fn an_instance_that_somebody_ended_meanwhile_is_said_and_the_next_try_has_a_new_token() {
    let stage = Stage::new(EVERYTHING, Faults::none());
    made(&stage, Some("group")).await;
    let mut desk = stage.open().await;
    for step in ["net/image", "net/key", "net/subnet"] {
        desk.run(RunScope::Only(at(step))).await;
    }
    let full = refuse_events(&stage.file(), "concluded");
    desk.handle.send(Request::Run(RunScope::Only(at("net/instance"))));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    let ec2 = Cloud::connect(stage.wiring()).await.unwrap().ec2().clone();
    let there = ec2.describe_instances().send().await.unwrap();
    let id = there.reservations()[0].instances()[0].instance_id().unwrap();
    // Whoever ends it means it: its protection has to go first.
    let meant = AttributeBooleanValue::builder().value(false).build();
    ec2.modify_instance_attribute().instance_id(id).disable_api_termination(meant).send().await.unwrap();
    ec2.terminate_instances().instance_ids(id).send().await.unwrap();
    let mut desk = stage.open().await;
    assert!(matches!(desk.status("net/instance"), Status::InDoubt { .. }));
    desk.run(RunScope::Only(at("net/instance"))).await;
    let Status::Failed(failure) = desk.status("net/instance") else { panic!("{:?}", desk.status("net/instance")) };
    assert_eq!(failure.code.as_deref(), Some("IdempotentInstanceTerminated"));
    assert!(failure.meaning.contains("terminated") && failure.advice.contains("new token"), "{failure:?}");
    desk.handle.command(Command::Reopen(at("net/instance")));
    desk.run(RunScope::Only(at("net/instance"))).await;
    assert!(matches!(desk.status("net/instance"), Status::Done { .. }), "{:?}", desk.status("net/instance"));
    assert_eq!(tokens(&stage, "net/instance").len(), 2);
    desk.close().await;
}
