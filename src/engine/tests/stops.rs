//! Stopping: a change that has begun is made and recorded; everything else ends at once, and nothing new begins.

use super::*;

fn intended(name: &str) -> impl Fn(&Event) -> Option<()> {
    let step = at(name);
    move |event| matches!(event, Event::Intended { step: s, .. } if s == &step).then_some(())
}

#[tokio::test]
async fn a_stop_lets_a_change_be_made_and_starts_nothing_new() {
    let stage = Stage::new(NETWORK, Faults::new(1, [Fault::Slow]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.event("the VPC is about to be made", intended("net/vpc")).await;
    desk.handle.send(Request::Stop);
    let summary = desk.idle().await;
    assert!(summary.stopped);
    let made: Vec<_> = stage.changes();
    assert_eq!(made, ["CreateVpc", "ModifyVpcAttribute", "ModifyVpcAttribute"], "all of the change");
    assert!(
        matches!(desk.status("net/vpc"), Status::ReadyToVerify | Status::Done { .. }),
        "{:?}",
        desk.status("net/vpc")
    );
    assert!(!attempts(&stage.events()).contains_key("net/gateway"));
    // It goes on where it stopped.
    desk.run(RunScope::All).await;
    assert_eq!(stage.changes(), CHANGES);
    desk.close().await;
}

#[tokio::test]
async fn closing_waits_for_a_change_that_has_begun() {
    let stage = Stage::new(NETWORK, Faults::new(1, [Fault::Slow]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.event("the VPC is about to be made", intended("net/vpc")).await;
    desk.close().await;
    assert_eq!(stage.changes(), ["CreateVpc", "ModifyVpcAttribute", "ModifyVpcAttribute"]);
    let engagement = stage.engagement();
    assert!(engagement.record(&at("net/vpc")).unwrap().pending.is_none(), "nothing is in doubt");
}

#[tokio::test]
async fn a_stop_with_nothing_to_stop_is_answered() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.handle.send(Request::Stop);
    assert!(desk.idle().await.stopped);
    desk.close().await;
}

/// Waits for a door that never opens.
const DOOR: &str = r#"
runbook: door
title: Door
phase: net
steps:
  - {id: door, title: The door, probe: tcp, with: {address: 127.0.0.1, port: 1}, within: 1h}
  - {id: shown, title: Shown, needs: [door], manual: Show it.}
"#;

#[tokio::test]
async fn a_step_that_is_cancelled_is_not_started_again_in_the_same_run() {
    let stage = Stage::new(DOOR, Faults::none());
    let mut desk = stage.open().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("it looks again and again", |notice| matches!(notice, Notice::Progress { .. }).then_some(())).await;
    assert!(matches!(desk.status("net/door"), Status::Running { .. }));
    desk.handle.send(Request::Cancel(at("net/door")));
    let summary = desk.idle().await;
    assert!(!summary.stopped);
    assert_eq!(desk.status("net/door"), Status::Ready);
    assert_eq!(attempts(&stage.events())["net/door"], 1);
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("a new run starts it again", |notice| matches!(notice, Notice::Progress { .. }).then_some(())).await;
    desk.handle.send(Request::Stop);
    assert!(desk.idle().await.stopped);
    desk.close().await;
}

#[tokio::test]
async fn a_stop_ends_a_wait_at_once() {
    let stage = Stage::new(DOOR, Faults::none());
    let mut desk = stage.open().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("it looks again and again", |notice| matches!(notice, Notice::Progress { .. }).then_some(())).await;
    let began = Instant::now();
    desk.handle.send(Request::Stop);
    assert!(desk.idle().await.stopped);
    assert!(began.elapsed() < Duration::from_secs(1));
    desk.close().await;
}

#[tokio::test]
async fn inputs_of_a_running_step_cannot_be_changed_under_it() {
    let stage = Stage::new(NETWORK, Faults::new(1, [Fault::Slow]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.event("the VPC is about to be made", intended("net/vpc")).await;
    desk.give("net.vpc_cidr", "10.41.0.0/16");
    assert!(desk.refusal().await.contains("net/vpc"));
    desk.idle().await;
    desk.close().await;
}
