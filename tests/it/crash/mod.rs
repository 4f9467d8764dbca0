//! Never lose the place, never do a thing twice: the real program dies at every point at which it can, and is started
//! again until it is through.
//!
//! The world outlives it: an AWS account and hosts in this process, reached over real ports. Death comes from outside
//! (SIGKILL); the program knows nothing of it. Points are told from outside, too: a call arrives, was executed, was
//! answered; a piece of an SSH connection passes; a file of the engagement is about to be changed or synced, or just was
//! (`tests/it/shim`); or it is just some moment.
//!
//! `cargo test` does some points of each kind; `ONRAMP_SWEEP=full` all of them, `ONRAMP_SWEEP=make:call-done:7` one.

mod front;
mod ledger;
mod lent;
mod shim;
mod sweep;
pub mod trap;
mod walk;
pub mod world;

use sweep::sweep;
use trap::Boundary::{CallAnswered, CallArrived, CallDone, CallLate, DeedAfter, DeedBefore, Moments, Wire};
use trap::Half::{Abandon, Long, Make, Undo};

/// Where the program dies, and how many of these points are enough for every day.
const POINTS: &[(trap::Half, trap::Boundary, u64)] = &[
    (Make, CallArrived, 2),
    (Make, CallDone, 3),
    (Make, CallAnswered, 2),
    (Make, DeedBefore, 4),
    (Make, DeedAfter, 2),
    (Make, Wire, 3),
    (Make, Moments, 2),
    (Undo, CallArrived, 1),
    (Undo, CallDone, 1),
    (Undo, CallAnswered, 1),
    (Undo, DeedBefore, 2),
    (Undo, DeedAfter, 1),
    (Undo, Wire, 1),
    (Undo, Moments, 1),
    (Abandon, Moments, 2),
    (Long, Moments, 0),
    // Minutes pass here, because nothing may be repeated before EC2 must have shown what it made: not every day.
    (Make, CallLate, 0),
];

/// Engagements with random moments of death: at four a walk, more than three hundred deaths.
const WALKS: u64 = 70;

#[test]
fn whenever_it_dies_it_is_resumed_to_the_end_and_nothing_is_lost_or_done_twice() {
    sweep(POINTS, WALKS);
}
