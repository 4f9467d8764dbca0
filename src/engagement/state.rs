//! What is true of one engagement: the fold of its events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::event::{
    Actor, At, DoneAs, DoneHow, Evidence, Failure, Finding, Intent, Inverse, Purpose, Question, RunbookFile,
};
use super::wait::{Wait, Waited};
use super::{Address, Kept};
use crate::input::{InputId, Value};
use crate::runbook::StepId;

/// Everything known of one engagement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Engagement {
    pub identity: Identity,
    pub runbook: String,
    pub runbook_digest: String,
    pub runbook_files: Arc<Vec<RunbookFile>>,
    /// The files of every edition that it has walked, by digest.
    pub editions: BTreeMap<String, Arc<Vec<RunbookFile>>>,
    /// By which name a step was known first, of those that are called otherwise now.
    pub first_ids: BTreeMap<StepId, StepId>,
    /// Inputs whose value the runbook would not take any more; they count as not given.
    pub unfit: BTreeSet<InputId>,
    pub inputs: BTreeMap<InputId, Given>,
    pub steps: BTreeMap<Address, StepRecord>,
    /// Values that steps kept, by the step that kept them.
    pub kept: BTreeMap<Address, Vec<Kept>>,
    /// Approved changes: step and digest of its arguments.
    pub approved: BTreeMap<Address, String>,
    pub trusted: Vec<TrustedKey>,
    /// Hosts that what is repeated over hosts goes on without.
    pub left_out: BTreeMap<String, LeftOut>,
    /// The undo that was agreed to last, until somebody goes forward again.
    pub undo: Option<UndoBegun>,
    /// Sequence number and moment of the last event.
    pub seq: u64,
    pub at: At,
}

/// An undo that somebody agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoBegun {
    pub steps: Vec<Address>,
    /// Everything that could be taken back.
    pub all: bool,
    pub at: At,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    /// Random, made once; on every tag and in every token.
    pub id: String,
    pub practice: bool,
    pub began: At,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    pub value: Value,
    pub by: Actor,
    pub at: At,
}

/// A host key that a person accepted for this engagement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    pub host: String,
    pub port: u16,
    pub fingerprint: String,
    pub openssh: String,
}

/// Why a host was left out, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub reason: String,
    pub by: Actor,
    pub at: At,
}

/// What is known of one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepRecord {
    pub attempts: u32,
    /// The last attempt was refused for its credentials before it changed anything: the next one has its number.
    pub refused: bool,
    pub state: State,
    pub finding: Option<Finding>,
    /// `finding` is older than the last intent: it says nothing of what became of that.
    pub found_before: bool,
    /// What was intended and has no outcome yet.
    pub pending: Option<Intent>,
    /// Until when `pending` may have been sent.
    pub sent_until: At,
    /// What we made, or may have made, and nobody took back.
    pub made: Option<Made>,
    /// The object of somebody else that a person chose to stand for this step.
    pub adopted: Option<String>,
    /// Part of the token; grows with each undo.
    pub generation: u32,
    /// What the step was called in earlier editions of the runbook, the first name first.
    pub formerly: Vec<Address>,
    /// As what it was done, where that is not what the runbook would do now.
    pub done_as: Option<DoneAs>,
    /// Waits on others that are over: how long each took, and who was asked.
    pub waited: Vec<Waited>,
}

/// A change that an undo would take back.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The edition of the runbook under which it was made, and what the step was called there.
    pub edition: String,
    pub step: Option<Address>,
    /// When it was made first; what was mended later keeps its place in the order of undoing.
    pub at: At,
    pub seq: u64,
    pub digest: String,
    /// Made by us, not adopted: only then may an undo delete it.
    pub created: bool,
    pub operations: Vec<String>,
    pub output: BTreeMap<String, Json>,
    /// How it is taken back; none for what was made by an older version, or may have been made.
    pub inverse: Option<Inverse>,
}

/// The life of a step, as far as events tell; whether an idle one can run is the board's to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum State {
    #[default]
    Idle,
    Running {
        attempt: u32,
        stage: Stage,
        since: At,
    },
    /// Changed, but the check has not said so yet: a resume goes on with the check.
    Applied {
        attempt: u32,
        since: At,
    },
    Held {
        attempt: u32,
        since: At,
    },
    Waiting {
        attempt: u32,
        wait: Wait,
    },
    Asked {
        attempt: u32,
        question: Question,
        since: At,
    },
    /// An intent without an outcome.
    InDoubt {
        intent: Intent,
        since: At,
        why: String,
    },
    Done {
        how: DoneHow,
        evidence: Evidence,
        by: Actor,
        at: At,
    },
    Failed {
        attempt: u32,
        failure: Failure,
        at: At,
    },
    Skipped {
        reason: String,
        by: Actor,
        at: At,
    },
    Undone {
        by: Actor,
        at: At,
        /// Why what was made is there for all that.
        stays: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Probing,
    /// A change was cut off: what became of it is looked up, or, while its script still runs, waited for.
    Resuming,
    Applying,
    Verifying,
    Undoing,
}

impl Engagement {
    pub fn record(&self, step: &Address) -> Option<&StepRecord> {
        self.steps.get(step)
    }

    pub fn state(&self, step: &Address) -> &State {
        self.steps.get(step).map_or(&State::Idle, |record| &record.state)
    }

    /// Every answer as it was given, those of ways that were left among them.
    pub fn given(&self) -> BTreeMap<InputId, Value> {
        self.inputs.iter().map(|(id, given)| (id.clone(), given.value.clone())).collect()
    }

    /// The value of an input, if it was given and fits.
    pub fn input(&self, id: &str) -> Option<&Value> {
        self.inputs.get(id).filter(|_| !self.unfit.contains(id)).map(|given| &given.value)
    }

    /// The address under which a step was known first: what was made is found again by it.
    pub fn first_name(&self, step: &Address) -> Address {
        self.record(step).and_then(|record| record.formerly.first()).unwrap_or(step).clone()
    }

    /// The account this engagement may touch, twelve digits.
    pub fn account(&self) -> Option<String> {
        self.input("aws.account_id").map(Value::shown)
    }

    pub fn region(&self) -> Option<String> {
        self.input("aws.region_primary").map(Value::shown)
    }

    /// Does the approval in force cover this step with these arguments?
    pub fn covers(&self, step: &Address, digest: &str) -> bool {
        self.approved.get(step).is_some_and(|approved| approved == digest)
    }

    /// Steps that were running when this was written: after a crash, what each of them is now in truth.
    pub fn interrupt(&mut self) {
        let at = self.at;
        for record in self.steps.values_mut() {
            record.interrupt(at, "onramp ended in the middle of it");
        }
    }

    /// What is left of an undo that was begun and has not come to its end; it goes on only when somebody asks for it again.
    pub fn half_undone(&self) -> Option<(&UndoBegun, Vec<&Address>)> {
        let undo = self.undo.as_ref()?;
        let stands = |step: &&Address| self.record(step).is_some_and(StepRecord::may_stand);
        let left: Vec<&Address> = undo.steps.iter().filter(stands).collect();
        (!left.is_empty()).then_some((undo, left))
    }

    /// Changes that can be undone, newest first. What was there before us is not ours to take away.
    pub fn ledger(&self) -> Vec<(&Address, &Made)> {
        let made = self.steps.iter().filter_map(|(step, record)| record.made.as_ref().map(|made| (step, made)));
        let mut made: Vec<_> = made.filter(|(_, made)| made.created).collect();
        made.sort_by_key(|(_, made)| std::cmp::Reverse(made.seq));
        made
    }
}

impl Made {
    /// No change of ours made it, as far as is recorded: it was found, with the tags of this engagement.
    pub fn was_found(&self) -> bool {
        self.created && self.operations.is_empty()
    }
}

impl StepRecord {
    /// The change that may or may not have been made, for a step that is in doubt about one.
    pub fn doubtful_change(&self) -> Option<&Intent> {
        self.pending.as_ref().filter(|intent| intent.purpose == Purpose::Apply)
    }

    /// What the journal tells of what it made; of a change in doubt, also what was written down before that.
    pub fn written_down(&self) -> BTreeMap<String, Json> {
        let mut written = self.made.as_ref().map(|made| made.output.clone()).unwrap_or_default();
        written.extend(self.doubtful_change().map(|intent| intent.before.clone()).unwrap_or_default());
        written
    }

    /// It was taken back, and what it made is there for all that, as it is meant to be: why.
    pub fn stays(&self) -> Option<&str> {
        match &self.state {
            State::Undone { stays, .. } => stays.as_deref(),
            _ => None,
        }
    }

    /// Something that onramp made stands, or may stand.
    pub fn may_stand(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.created) || self.doubtful_change().is_some()
    }

    /// The number of the next attempt. None is used twice, because output is kept under them; but an attempt that was
    /// refused for its credentials goes on with new ones, and is no other.
    pub fn next_attempt(&self) -> u32 {
        if self.refused { self.attempts } else { self.attempts.saturating_add(1) }
    }

    /// A running attempt was cut off.
    pub(super) fn interrupt(&mut self, at: At, why: &str) {
        let State::Running { attempt, stage, .. } = self.state else { return };
        self.rest(
            at,
            why,
            match stage {
                Stage::Verifying => State::Applied { attempt, since: at },
                Stage::Probing | Stage::Resuming | Stage::Applying | Stage::Undoing => State::Idle,
            },
        );
    }

    /// The step comes to rest in `state`; or in doubt, when a change may have been made and nobody knows.
    pub(super) fn rest(&mut self, at: At, why: &str, state: State) {
        self.state = match &self.pending {
            // The time that onramp was not running counts: it was sent soon after it was intended, or never.
            Some(intent) => {
                State::InDoubt { intent: intent.clone(), since: at.min(self.sent_until), why: why.to_owned() }
            }
            None => state,
        };
    }
}
