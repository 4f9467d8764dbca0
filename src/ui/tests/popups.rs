//! Help and palette.

use insta::assert_snapshot;

use super::stage::{Stage, address};
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
