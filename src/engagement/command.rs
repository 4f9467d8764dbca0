//! Everything a person may ask of an engagement.

use std::collections::BTreeMap;

use super::Address;
use crate::input::{InputId, Value};

/// A wish; `decide` turns it into events or refuses it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    GiveInputs(Vec<(InputId, Value)>),
    ForgetInput(InputId),
    /// Binds to the plan's digest: `steps` are the changes that were shown, each with its own digest.
    Approve {
        digest: String,
        steps: BTreeMap<Address, String>,
    },
    SignOff {
        step: Address,
        note: String,
    },
    Skip {
        step: Address,
        reason: String,
    },
    /// Try a failed, skipped, undone or waiting step again.
    Reopen(Address),
    /// Accept the host key that the step's question shows.
    TrustHostKey(Address),
    /// Say what became of an attempt that was cut off.
    Settle {
        step: Address,
        how: Settlement,
        reason: String,
    },
}

/// What became of an attempt with an intent and no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Nothing was changed, or repeating it is harmless: try again.
    Retry,
    /// A person saw that it is done.
    Done,
}

/// Which steps a run may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    #[default]
    All,
    /// This step, and what it needs, and nothing after it.
    Until(Address),
    Only(Address),
}
