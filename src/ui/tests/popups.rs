//! Help and palette.

use insta::assert_snapshot;

use super::stage::{Stage, address};
use crate::engagement::{DoneHow, Event as Fact, Evidence};
use crate::ui::state::Place;

#[test]
fn help_at_80() {
    let mut stage = Stage::practice();
    stage.press(&["?"]);
    assert_snapshot!(stage.screen(80, 24));
}

#[test]
fn help_at_120() {
    let mut stage = Stage::practice();
    stage.press(&["?"]);
    assert_snapshot!(stage.screen(120, 40));
}

#[test]
fn the_palette_at_80() {
    let mut stage = Stage::answered();
    stage.press(&[":"]).write("gate");
    assert_snapshot!(stage.screen(80, 24));
}

#[test]
fn the_palette_goes_to_steps() {
    let mut stage = Stage::answered();
    stage.press(&[":"]).write("firewall").press(&["Enter"]);
    assert_eq!(stage.state.board.address(&stage.state.facts), Some(address("handover/firewall")));
}

#[test]
fn help_runs_what_is_marked() {
    let mut stage = Stage::answered();
    stage.press(&["?"]).write("call by call").press(&["Enter"]);
    assert_eq!(stage.state.place, Place::Plan);
}

#[test]
fn a_command_that_is_off_says_why() {
    let mut stage = Stage::open();
    stage.press(&["u"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("undo: it has changed nothing"), "{screen}");
    stage.press(&["?"]).write("undo the change");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Off now: it"), "{screen}");
}

/// Who looks something up in the middle of a sign-off finds the half sentence again, at that step and at no other.
#[test]
fn what_was_typed_into_a_sign_off_is_there_when_it_is_opened_again() {
    let mut stage = Stage::on(
        "runbook: one\ntitle: One\nphase: network\nsteps:\n  - {id: agreed, title: It is agreed, manual: Agree.}\n  \
         - {id: shown, title: It is shown, manual: Show it.}\n",
    );
    stage.press(&["Enter"]).write("J. Doe, by tele").press(&["Esc"]);
    let screen = stage.screen(80, 24);
    assert!(!screen.contains("J. Doe"), "{screen}");
    stage.press(&["Down", "Enter"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Sign off: It is shown") && !screen.contains("J. Doe"), "{screen}");
    stage.press(&["Esc", "Up", "Enter"]).write("phone");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("J. Doe, by telephone"), "{screen}");
}

#[test]
fn a_sign_off_can_be_said_otherwise_or_withdrawn() {
    let mut stage = Stage::on(
        "runbook: one\ntitle: One\nphase: network\nsteps:\n  - {id: agreed, title: It is agreed, manual: Agree.}\n",
    );
    let (step, how) = (address("network/agreed"), DoneHow::SignedOff);
    let evidence = Evidence::said("J. Doe, by telephone");
    stage.fact(Fact::Done { step: step.clone(), attempt: 0, how, evidence, kept: Vec::new() });
    stage.state.board.jump(&step);
    stage.press(&["Enter"]);
    assert_snapshot!(stage.screen(80, 24));
    stage.wished();
    stage.write(" on Monday").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished.iter().any(|wish| wish.contains("SignOff") && wish.contains("telephone on Monday")), "{wished:?}");
    stage.press(&["Enter", "Down", "Enter"]);
    let wished = stage.wished();
    assert!(wished.iter().any(|wish| wish.contains("Reopen(")), "{wished:?}");
}
