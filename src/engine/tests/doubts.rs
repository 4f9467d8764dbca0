//! Lost answers: one object at the end, and it is ours.

use super::*;
use crate::engagement::Outcome;

#[tokio::test]
async fn lost_answers_end_with_exactly_one_of_each() {
    for seed in 0..6 {
        let stage = Stage::new(NETWORK, Faults::new(seed, [Fault::LostReply]));
        let engagement = stage.to_the_end().await;
        stage.assert_each_once(6).await;
        assert_eq!(engagement.ledger().len(), 6, "seed {seed}: all of it can be undone");
    }
}

#[tokio::test]
async fn errors_of_the_server_end_with_exactly_one_of_each() {
    for fault in [Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle] {
        for seed in 0..3 {
            let stage = Stage::new(NETWORK, Faults::new(seed, [fault]));
            stage.to_the_end().await;
            stage.assert_each_once(6).await;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_made_up_for_in_the_same_run() {
    // This seed loses the answer of the very first change. The action looks for its object by tag before it doubts.
    let stage = Stage::new(NETWORK, Faults::new(0, [Fault::LostReply]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Until(at("net/vpc"))).await;
    assert!(matches!(desk.status("net/vpc"), Status::Done { .. }), "{:?}", desk.status("net/vpc"));
    assert_eq!(desk.engagement.ledger().len(), 1, "what was found again is ours");
    assert_eq!(stage.changes().iter().filter(|name| *name == "CreateVpc").count(), 1);
    desk.close().await;
}

#[tokio::test]
async fn a_doubt_is_resolved_in_the_same_run() {
    // This seed answers the very first change with an error, and makes nothing: nothing is found, however long one looks.
    let stage = Stage::new(NETWORK, Faults::new(0, [Fault::ServerErrorBefore]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Until(at("net/vpc"))).await;
    let events = stage.events();
    let doubt = |event: &Event| matches!(event, Event::Concluded { outcome: Outcome::InDoubt { .. }, .. });
    assert_eq!(count(&events, doubt), 1, "{events:#?}");
    assert!(matches!(desk.status("net/vpc"), Status::Done { .. }), "{:?}", desk.status("net/vpc"));
    assert_eq!(attempts(&events)["net/vpc"], 2);
    let tokens: std::collections::BTreeSet<&str> = events
        .iter()
        .filter_map(|event| if let Event::Intended { intent, .. } = event { Some(intent.token.as_str()) } else { None })
        .collect();
    assert_eq!(tokens.len(), 1, "it says the same token again");
    desk.close().await;
    stage.assert_each_once(1).await;
}
