//! Another edition of the runbook: shown, taken by a word, and what was done otherwise chosen step by step.

use insta::assert_snapshot;

use super::stage::{Stage, address, edition};
use crate::engagement::{DoneAs, Event as Fact, Status};
use crate::engine::Notice;
use crate::ui::facts::Edition;
use crate::ui::state::Place;

fn with_another() -> Stage {
    let mut stage = Stage::answered();
    let runbook = edition("Show the customer the report of", "Walk the customer through the report of");
    stage.state.found_edition(Edition { files: Vec::new(), runbook });
    stage
}

/// The engine took it; the sign-off was given under the edition before.
fn taken() -> Stage {
    let mut stage = with_another();
    let step = address("handover/sign");
    stage.fact(Fact::Done {
        step: step.clone(),
        attempt: 0,
        how: crate::engagement::DoneHow::SignedOff,
        evidence: crate::engagement::Evidence::said("J. Doe"),
        kept: Vec::new(),
    });
    let runbook = stage.state.facts.open.as_ref().unwrap().other_edition.clone().unwrap().runbook;
    stage.fact(Fact::RunbookTaken {
        id: runbook.id.clone(),
        digest: runbook.digest.clone(),
        files: Vec::new(),
        moved: std::collections::BTreeMap::new(),
        outdated: [(step.clone(), DoneAs { does: "x".to_owned(), kept: false })].into(),
        unfit: std::collections::BTreeSet::new(),
    });
    stage.notice(Notice::Runbook(runbook));
    stage.state.board.jump(&step);
    stage.wished();
    stage
}

#[test]
fn it_is_said_on_open_and_shown_on_a_key() {
    let mut stage = with_another();
    assert!(stage.screen(80, 24).contains("Another edition of the runbook is here: B shows what is different"));
    stage.press(&["B"]);
    assert_snapshot!(stage.screen(80, 24));
}

#[test]
fn it_is_taken_by_a_word_and_not_by_enter() {
    let mut stage = with_another();
    stage.wished();
    stage.press(&["B", "a", "Enter"]);
    assert!(stage.screen(80, 24).contains("type yes to go on"));
    stage.paste("yes").press(&["Enter"]);
    assert!(stage.wished().is_empty());
    stage.write("yes").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished.len() == 1 && wished[0].starts_with("Send(Update"), "{wished:?}");
    assert_eq!(stage.state.place, Place::Board);
}

#[test]
fn what_was_done_otherwise_is_kept_or_looked_at_again() {
    let mut stage = taken();
    let screen = stage.screen(80, 24);
    assert!(screen.contains("outdated") && screen.contains("Changed"), "{screen}");
    assert!(stage.state.facts.open.as_ref().unwrap().other_edition.is_none(), "it is taken");
    stage.press(&["Enter"]);
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Down", "Enter"]);
    let row = |stage: &Stage| stage.state.facts.open.as_ref().unwrap().row(&address("handover/sign")).unwrap().clone();
    assert!(matches!(row(&stage).status, Status::Done { .. }) && !row(&stage).outdated);

    let mut stage = taken();
    stage.press(&["Enter", "Enter"]);
    assert!(!matches!(row(&stage).status, Status::Done { .. }), "it is to be signed off again");
}
