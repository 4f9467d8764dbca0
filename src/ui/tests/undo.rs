//! What was taken back, and what stays for all that.

use super::stage::{Stage, address};
use crate::engagement::{Event as Fact, Evidence};

#[test]
fn what_an_undo_lets_be_says_that_it_stays_and_until_when() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    let evidence = Evidence::said("snap-1 is a backup: it is kept until 2027-01-01");
    stage.fact(Fact::Undone { step: step.clone(), attempt: 2, evidence, stays: true });
    stage.state.board.jump(&step);
    let screen = stage.screen(120, 40);
    assert!(screen.contains("kept until 2027-01-01") && screen.contains(" stays"), "{screen}");
    assert!(!screen.contains("undone"), "{screen}");
}
