//! The engine dies in the middle, at any event; the next one goes on, and each object is there once.

use super::*;

/// Runs until `events` events are recorded, and then pulls the plug: the runtime and all that is on it is gone.
fn until_the_plug_is_pulled(stage: &Stage, events: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut desk = stage.open().await;
        desk.answer();
        desk.approve().await;
        desk.handle.send(Request::Run(RunScope::All));
        for _ in 0..events {
            let moved = |notice: &Notice| match notice {
                Notice::Recorded(_) => Some(true),
                Notice::Idle(_) => Some(false),
                _ => None,
            };
            if !desk.hear("an event", moved).await {
                return;
            }
        }
    });
    drop(runtime);
}

#[test]
fn it_goes_on_from_any_moment_and_makes_nothing_twice() {
    // The inputs and forms are the first twelve or so events; then come the attempts.
    for events in (1..60).step_by(3) {
        let stage = Stage::new(NETWORK, Faults::none());
        until_the_plug_is_pulled(&stage, events);
        let left = stage.engagement();
        let running = left.steps.values().any(|record| matches!(record.state, State::Running { .. }));
        assert!(!running, "after {events} events");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let engagement = stage.to_the_end().await;
            stage.assert_each_once(6).await;
            assert_eq!(engagement.ledger().len(), 6, "after {events} events");
        });
        let numbers = stage.events();
        let mut seen = std::collections::BTreeSet::new();
        for event in &numbers {
            if let Event::AttemptStarted { step, attempt } = event {
                assert!(seen.insert((step.clone(), *attempt)), "{step} has two attempts {attempt}");
            }
        }
    }
}

#[test]
fn the_same_place_is_found_again() {
    let stage = Stage::new(NETWORK, Faults::none());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut desk = stage.open().await;
        desk.answer();
        desk.approve().await;
        desk.run(RunScope::Until(at("net/gateway"))).await;
        let before = desk.board();
        desk.close().await;
        let desk = stage.open().await;
        assert_eq!(desk.board(), before);
        desk.close().await;
    });
}

#[tokio::test]
async fn an_attempt_that_was_cut_off_is_said_to_be_when_the_next_engine_opens() {
    let stage = Stage::new(NETWORK, Faults::none());
    {
        let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
        let started = Event::AttemptStarted { step: at("net/caller"), attempt: 1 };
        writer.append(At(2_000), &"jane@desk".to_owned(), vec![started]).unwrap();
    }
    let desk = stage.open().await;
    assert!(matches!(stage.events().last(), Some(Event::Stopped { attempt: 1, .. })));
    assert_eq!(desk.engagement.state(&at("net/caller")), &State::Idle, "the handle's snapshot knows it");
    desk.close().await;
}

#[tokio::test]
async fn whoever_hears_that_it_is_closed_can_open_it() {
    let stage = Stage::new(NETWORK, Faults::none());
    for _ in 0..10 {
        stage.open().await.close().await;
    }
}
