//! A state file that cannot be written: nothing is done that could not be recorded.

use super::*;

async fn broken_at(kind: &str) -> (Stage, String) {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Only(at("net/caller"))).await;
    let full = refuse_events(&stage.file(), kind);
    desk.handle.send(Request::Run(RunScope::All));
    let broken = |notice: &Notice| match notice {
        Notice::Broken(why) => Some(why.clone()),
        _ => None,
    };
    let why = desk.hear("it is said", broken).await;
    // Asked again, it says so again, and still does nothing.
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("it is said again", broken).await;
    desk.give("net.mode", "dx");
    desk.hear("and again", broken).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    (stage, why)
}

#[tokio::test]
async fn without_a_durable_intent_nothing_is_sent() {
    let (stage, why) = broken_at("intended").await;
    assert!(why.contains("disk is full"), "{why}");
    assert_eq!(stage.sent(), 0);
    stage.to_the_end().await;
    stage.assert_each_once(6).await;
}

#[tokio::test]
async fn without_a_recorded_start_nothing_is_even_asked() {
    let (stage, _) = broken_at("attempt_started").await;
    assert_eq!(stage.sent(), 0);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_is_a_doubt_and_nothing_follows() {
    let (stage, _) = broken_at("concluded").await;
    let engagement = stage.engagement();
    assert!(
        matches!(engagement.state(&at("net/vpc")), State::InDoubt { .. }),
        "{:?}",
        engagement.state(&at("net/vpc"))
    );
    assert!(stage.sent() <= 3, "{:?}", stage.changes());
    stage.assert_each_once(1).await;
    let engagement = stage.to_the_end().await;
    stage.assert_each_once(6).await;
    assert_eq!(engagement.ledger().len(), 6);
}

#[tokio::test]
async fn a_file_that_somebody_else_locks_is_as_good_as_full() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Only(at("net/caller"))).await;
    let other = rusqlite::Connection::open(stage.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("it is said", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}
