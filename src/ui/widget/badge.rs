//! A status as glyph, word and role: the meaning must survive without colour.

use crate::engagement::{Stage, Status};
use crate::ui::look::{Glyph, Role};

/// How a status is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    pub glyph: Glyph,
    pub role: Role,
    pub word: &'static str,
}

/// The badge of a status; glyph and word together are different for every status.
pub fn of(status: &Status) -> Badge {
    let (glyph, role) = match status {
        Status::NotNeeded => (Glyph::Skipped, Role::Muted),
        Status::NeedsInput(_) | Status::SignOff | Status::NeedsApproval | Status::Asked(_) => {
            (Glyph::Yours, Role::Accent)
        }
        Status::Undone | Status::Stays { .. } => (Glyph::Todo, Role::Accent),
        Status::Blocked(_) | Status::Unclear(_) => (Glyph::Blocked, Role::Muted),
        Status::Ready => (Glyph::Todo, Role::Accent),
        Status::ReadyToVerify | Status::InDoubt { .. } => (Glyph::Recheck, Role::Waiting),
        Status::Running { .. } => (Glyph::Running, Role::Running),
        Status::Waiting { .. } => (Glyph::Waiting, Role::Waiting),
        Status::Done { .. } => (Glyph::Done, Role::Done),
        Status::Failed(_) => (Glyph::Failed, Role::Failed),
        Status::Skipped { .. } => (Glyph::Skipped, Role::Muted),
    };
    Badge { glyph, role, word: status.word() }
}

/// A step that was done and no longer is so.
pub const DRIFTED: Badge = Badge { glyph: Glyph::Recheck, role: Role::Waiting, word: "drifted" };

/// A step that was done, of which nobody can tell now whether it still is so.
pub const UNKNOWN: Badge = Badge { glyph: Glyph::Recheck, role: Role::Waiting, word: "unknown" };

/// Of a step that is done, and that the runbook would do otherwise now.
pub const OUTDATED: Badge = Badge { glyph: Glyph::Recheck, role: Role::Waiting, word: "outdated" };

/// For the help: every state with its sign.
pub const LEGEND: [(Glyph, Role, &str); 9] = [
    (Glyph::Todo, Role::Accent, "ready"),
    (Glyph::Running, Role::Running, "running"),
    (Glyph::Yours, Role::Accent, "your move"),
    (Glyph::Waiting, Role::Waiting, "waiting on others"),
    (Glyph::Done, Role::Done, "done"),
    (Glyph::Failed, Role::Failed, "failed"),
    (Glyph::Blocked, Role::Muted, "blocked"),
    (Glyph::Skipped, Role::Muted, "skipped, not needed"),
    (Glyph::Recheck, Role::Waiting, "look again"),
];

/// What stands for a group of steps: the state that most needs a person's eye.
pub fn worst<'a>(statuses: impl Iterator<Item = &'a Status>) -> Option<&'a Status> {
    statuses.min_by_key(|status| match status {
        Status::Failed(_) => 0,
        Status::InDoubt { .. } => 1,
        Status::Asked(_) => 2,
        Status::Running { stage: Stage::Applying | Stage::Undoing, .. } => 3,
        Status::Running { .. } => 4,
        Status::NeedsApproval => 5,
        Status::NeedsInput(_) => 6,
        Status::SignOff => 7,
        Status::Undone | Status::Stays { .. } => 8,
        Status::ReadyToVerify => 9,
        Status::Ready => 10,
        Status::Waiting { .. } => 11,
        Status::Unclear(_) => 12,
        Status::Blocked(_) => 13,
        Status::Done { .. } => 14,
        Status::Skipped { .. } => 15,
        Status::NotNeeded => 16,
    })
}
