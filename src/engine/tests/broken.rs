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
        Notice::Broken(broken) => Some(broken.why.clone()),
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

/// A network that is planned, approved and ready to be made; what happens to its folder then is said, and nothing is
/// sent.
async fn nothing_is_sent_once(happens: impl FnOnce(&Stage)) -> (Stage, String) {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Only(at("net/caller"))).await;
    happens(&stage);
    desk.handle.send(Request::Run(RunScope::All));
    let broken = |notice: &Notice| match notice {
        Notice::Broken(broken) => Some(broken.why.clone()),
        _ => None,
    };
    let why = desk.hear("it is said", broken).await;
    desk.close().await;
    assert_eq!(stage.sent(), 0, "{:?}", stage.changes());
    (stage, why)
}

#[tokio::test]
async fn a_folder_that_vanishes_under_a_run_stops_it_before_its_effect() {
    let (_, why) = nothing_is_sent_once(|stage| std::fs::remove_dir_all(stage.folder()).unwrap()).await;
    assert!(why.contains("removed, moved or unmounted"), "{why}");
}

#[tokio::test]
async fn a_folder_that_vanishes_is_noticed_before_anything_is_written() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    std::fs::remove_dir_all(stage.folder()).unwrap();
    let broken = |notice: &Notice| match notice {
        Notice::Broken(broken) => Some(broken.clone()),
        _ => None,
    };
    // Nobody asks for anything.
    let broken = desk.hear("it is said", broken).await;
    assert!(
        broken.why.contains("removed, moved or unmounted") && broken.advice.contains("Bring it back"),
        "{broken:?}"
    );
    assert!(!broken.damaged);
    desk.close().await;
}

#[tokio::test]
async fn a_folder_that_is_moved_away_is_found_again_with_everything_in_it() {
    let away = |stage: &Stage| stage.folder().with_file_name("away");
    let (stage, why) = nothing_is_sent_once(|stage| std::fs::rename(stage.folder(), away(stage)).unwrap()).await;
    assert!(why.contains("removed, moved or unmounted"), "{why}");
    std::fs::rename(away(&stage), stage.folder()).unwrap();
    stage.to_the_end().await;
    stage.assert_each_once(6).await;
}

#[tokio::test]
async fn a_file_that_is_replaced_by_another_stops_the_run() {
    let (_, why) = nothing_is_sent_once(|stage| {
        std::fs::rename(stage.file(), stage.folder().join("old")).unwrap();
        std::fs::copy(stage.folder().join("old"), stage.file()).unwrap();
    })
    .await;
    assert!(why.contains("another file is in its place"), "{why}");
}
