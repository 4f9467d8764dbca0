//! The plan and its gate.

use insta::assert_snapshot;

use super::stage::{Stage, address};
use crate::engagement::{DoneHow, Event as Fact, Evidence};
use crate::ui::state::Place;

fn planned() -> Stage {
    let mut stage = Stage::answered();
    stage.press(&["n", "p"]);
    stage.planned();
    stage.wished();
    stage
}

#[test]
fn the_plan_at_80() {
    assert_snapshot!(planned().screen(80, 24));
}

#[test]
fn the_plan_at_120() {
    let mut stage = planned();
    stage.press(&["o"]);
    assert_snapshot!(stage.screen(120, 40));
}

#[test]
fn enter_alone_never_approves() {
    let mut stage = planned();
    for _ in 0..200 {
        stage.press(&["Enter"]);
    }
    stage.press(&["a"]);
    for _ in 0..200 {
        stage.press(&["Enter"]);
    }
    assert!(stage.wished().is_empty());
}

#[test]
fn the_right_word_approves_and_runs() {
    let mut stage = planned();
    stage.press(&["a"]).write("acm").press(&["Enter"]);
    assert!(stage.wished().is_empty());
    assert_snapshot!(stage.screen(80, 24));
    stage.write("e").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("Approve") && wished[0].contains("network/vpc"), "{wished:?}");
    assert_eq!(wished[1], "Send(Run(All))");
    assert_eq!(stage.state.place, Place::Board);
}

#[test]
fn practice_says_what_to_type() {
    let mut stage = Stage::practice();
    stage.press(&["p"]);
    stage.planned();
    let screen = stage.screen(80, 24);
    assert!(screen.contains("type practice") && screen.contains("PRACTICE"), "{screen}");
}

#[test]
fn an_answer_makes_the_plan_old() {
    let mut stage = planned();
    stage.give("net.vpc_cidr", "10.60.0.0/16");
    assert!(stage.screen(80, 24).contains("OLD"));
    stage.wished();
    stage.press(&["a"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(80, 24).contains("the plan is old"));
    stage.press(&["d"]);
    assert_eq!(stage.wished(), ["Send(Plan)"]);
}

#[test]
fn what_is_done_is_not_planned_any_more() {
    let mut stage = planned();
    let done = Fact::Done {
        step: address("network/vpc"),
        attempt: 1,
        how: DoneHow::Applied,
        evidence: Evidence::said("vpc-0a1b is available"),
        kept: Vec::new(),
    };
    stage.fact(done);
    stage.press(&["a"]);
    assert!(stage.state.popup.is_none(), "an old plan cannot be approved");
    stage.press(&["Esc"]);
    stage.wished();
    stage.press(&["p"]);
    assert_eq!(stage.wished(), ["Send(Plan)"], "and it is made anew when somebody looks");
}

#[test]
fn the_plan_can_be_copied() {
    let mut stage = planned();
    stage.press(&["y"]);
    assert!(stage.wished()[0].contains("CreateVpc"));
}
