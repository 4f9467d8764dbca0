//! How one thing stands that AWS is at for minutes or hours, and what that means for a step: snapshots, copies, images,
//! restored databases.

use serde_json::Value as Json;

use super::account::Account;
use super::call::Call;
use super::object::{Remains, Sight, found};
use super::tagged::otherwise;
use crate::aws::Holder;
use crate::engagement::{Difference, Failure};

/// How far AWS is with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Ready,
    Coming,
    /// It is being taken away.
    Going,
    /// It will never be ready.
    Broken,
}

/// One thing as a look saw it.
pub(super) struct Standing {
    pub id: String,
    pub holder: Holder,
    pub stage: Stage,
    /// In AWS's own words: `copying, 40 %`.
    pub state: String,
    pub differences: Vec<Difference>,
    /// What later steps use.
    pub output: Json,
}

/// What it means for a step that wants it under this key.
pub(super) fn sight(at: &Account<'_>, (noun, key): (&str, &str), seen: Option<Standing>) -> Sight {
    let Some(seen) = seen else { return Sight::Nothing { said: format!("{noun} is not there") } };
    if at.subject.adopted.is_none() && seen.holder != (Holder::Us { key: key.to_owned() }) {
        return at.taken_by(noun, noun, (&seen.id, &seen.holder));
    }
    let said = format!("{noun} is {}", seen.state);
    match seen.stage {
        Stage::Going => Sight::Appearing { said: format!("the {noun} of before is still {}", seen.state) },
        Stage::Broken => Sight::Broken(Failure::new(
            said,
            "It does not come right by itself. Read what AWS says of it, undo the step, and run it again.",
        )),
        _ if !seen.differences.is_empty() => otherwise(noun, &seen.id, seen.differences),
        Stage::Coming => Sight::Coming(found(said, seen.output)),
        Stage::Ready => Sight::Ready(found(said, seen.output)),
    }
}

/// What is left of it, if these calls would take it away.
pub(super) fn remains(at: &Account<'_>, noun: &str, seen: Option<Standing>, calls: Vec<Call>) -> Remains {
    match seen {
        None => Remains::Gone,
        Some(Standing { stage: Stage::Going, state, .. }) => Remains::Going { said: format!("{noun} is {state}") },
        Some(Standing { holder: Holder::Us { .. }, .. }) => Remains::Takes(calls),
        Some(seen) => Remains::NotOurs { said: at.said_of(&seen.id, &seen.holder) },
    }
}

/// `copying`, `copying, 40 %`
pub(super) fn with_progress(state: &str, percent: Option<i32>) -> String {
    match percent {
        Some(percent) if (1..100).contains(&percent) => format!("{state}, {percent} %"),
        _ => state.to_owned(),
    }
}
