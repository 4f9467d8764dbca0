//! Everything a person may ask of an engagement.

use std::collections::BTreeMap;

use super::{Address, At};
use crate::input::{InputId, Value};
use crate::runbook::Party;

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
    /// A person saw a form whose inputs are all optional, and leaves them empty.
    AcceptForm(Address),
    SignOff {
        step: Address,
        note: String,
    },
    Skip {
        step: Address,
        reason: String,
    },
    /// Go on without a host: with what is repeated over hosts, from here on.
    LeaveOut {
        host: String,
        reason: String,
    },
    /// A host that was left out takes part again.
    LetIn(String),
    /// Try a failed, skipped, undone or waiting step again; a host that was left out takes part again.
    Reopen(Address),
    /// What was done is well, though the runbook would do it otherwise now.
    KeepDone(Address),
    /// Say on whom a step waits and until when; a step that would be ready is put on waiting.
    Wait {
        step: Address,
        order: WaitOrder,
    },
    /// A wait that a person began is over.
    EndWait {
        step: Address,
        note: String,
    },
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

/// What a person says of a wait; what is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitOrder {
    pub on: Option<Party>,
    pub who: Option<String>,
    /// `Some(None)` takes the time limit away.
    pub due: Option<Option<At>>,
    pub note: Option<String>,
}

/// Which steps a run may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    #[default]
    All,
    /// This step, and what it needs, and nothing after it.
    Until(Address),
    Only(Address),
    /// These alone, such as those that failed.
    These(Vec<Address>),
    /// One look at every step that waits, and nothing else.
    Waits,
}
