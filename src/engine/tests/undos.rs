//! Undoing: newest first, one at a time, and only what is ours.

use super::*;

#[tokio::test]
async fn undoing_all_leaves_nothing_behind_and_everything_can_be_made_again() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    stage.assert_each_once(0).await;
    let events = stage.events();
    let undone: Vec<String> = events
        .iter()
        .filter_map(|event| if let Event::Undone { step, .. } = event { Some(step.to_string()) } else { None })
        .collect();
    assert_eq!(undone.last().unwrap(), "net/vpc");
    assert_eq!(undone.len(), 6);
    // Making it again is a new change: it has to be approved again, under new tokens.
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::Undone, "nothing comes back by itself");
    for step in ["vpc", "subnets[a]", "subnets[b]", "gateway", "address", "nat"] {
        desk.handle.command(Command::Reopen(at(&format!("net/{step}"))));
    }
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::NeedsApproval);
    desk.approve().await;
    desk.run(RunScope::All).await;
    stage.assert_each_once(6).await;
    desk.close().await;
}

#[tokio::test]
async fn what_others_stand_on_is_not_undone() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.handle.send(Request::Undo(vec![at("net/vpc")]));
    assert!(desk.refusal().await.contains("still used by"));
    desk.handle.send(Request::Undo(vec![at("net/address")]));
    assert!(desk.refusal().await.contains("net/nat"));
    desk.undo(&["net/nat", "net/address"]).await;
    assert_eq!(desk.engagement.ledger().len(), 4);
    desk.close().await;
    stage.assert_each_once(4).await;
}

#[tokio::test]
async fn what_was_made_half_way_is_undone_too() {
    let stage = Stage::new(NETWORK, Faults::new(1, []).deny("ModifyVpcAttribute"));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/vpc"), Status::Failed(_)), "{:?}", desk.status("net/vpc"));
    stage.assert_each_once(1).await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    stage.assert_each_once(0).await;
    desk.close().await;
}

#[tokio::test]
async fn a_failed_undo_ends_the_queue() {
    let stage = Stage::new(NETWORK, Faults::new(1, []).deny("DeleteInternetGateway"));
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    let left: Vec<String> = desk.engagement.ledger().iter().map(|(step, _)| step.to_string()).collect();
    assert!(left.contains(&"net/gateway".to_owned()) && left.contains(&"net/vpc".to_owned()), "{left:?}");
    assert!(matches!(desk.status("net/gateway"), Status::Failed(_)));
    assert!(matches!(desk.status("net/vpc"), Status::Done { .. }), "what it stands on is not touched");
    let events = stage.events();
    let after = events.iter().position(|event| matches!(event, Event::Concluded { step, outcome: crate::engagement::Outcome::Failed { .. }, .. } if step == &at("net/gateway"))).unwrap();
    assert_eq!(count(&events[after..], |event| matches!(event, Event::Intended { .. })), 0);
    desk.close().await;
}

#[tokio::test]
async fn an_undo_whose_answers_are_lost_is_done_once_and_to_its_end() {
    for seed in 0..4 {
        let stage = Stage::new(NETWORK, Faults::new(seed, [Fault::LostReply]));
        stage.to_the_end().await;
        for _ in 0..12 {
            let mut desk = stage.open().await;
            desk.undo(&[]).await;
            let left = desk.engagement.ledger().len();
            desk.close().await;
            if left == 0 {
                break;
            }
        }
        assert_eq!(stage.engagement().ledger(), [], "seed {seed}");
        stage.assert_each_once(0).await;
    }
}

/// An undo that was sent, and then the state file was full.
async fn doubtful_undo() -> Stage {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    let full = refuse_events(&stage.file(), "concluded");
    desk.handle.send(Request::Undo(vec![at("net/nat")]));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    assert!(matches!(stage.engagement().state(&at("net/nat")), State::InDoubt { .. }));
    stage
}

#[tokio::test]
async fn a_doubtful_undo_is_finished_by_the_next_run_and_nothing_is_made_again() {
    let stage = doubtful_undo().await;
    let mut desk = stage.open().await;
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/nat"), Status::Undone);
    assert_eq!(stage.changes().iter().filter(|name| *name == "CreateNatGateway").count(), 1);
    desk.close().await;
    stage.assert_each_once(5).await;
}

#[tokio::test]
async fn a_doubtful_undo_is_finished_by_the_next_undo() {
    let stage = doubtful_undo().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    desk.close().await;
    stage.assert_each_once(0).await;
}

#[tokio::test]
async fn what_may_have_been_made_is_looked_for_before_an_undo() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    let full = refuse_events(&stage.file(), "concluded");
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    drop(full);
    stage.assert_each_once(1).await;
    let mut desk = stage.open().await;
    assert!(matches!(desk.status("net/vpc"), Status::InDoubt { .. }));
    desk.handle.send(Request::Undo(Vec::new()));
    assert!(desk.refusal().await.contains("in doubt"));
    desk.run(RunScope::Only(at("net/vpc"))).await;
    desk.undo(&[]).await;
    stage.assert_each_once(0).await;
    desk.close().await;
}

#[tokio::test]
async fn nothing_is_undone_while_something_runs_nor_run_while_something_is_undone() {
    let stage = Stage::new(NETWORK, Faults::new(1, [Fault::Slow]));
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.handle.send(Request::Undo(Vec::new()));
    desk.handle.send(Request::Run(RunScope::All));
    assert!(desk.refusal().await.contains("being undone"));
    desk.idle().await;
    assert_eq!(desk.engagement.ledger(), []);
    desk.handle.command(Command::Reopen(at("net/vpc")));
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.handle.send(Request::Undo(Vec::new()));
    assert!(desk.refusal().await.contains("something is running"));
    desk.idle().await;
    desk.close().await;
}
