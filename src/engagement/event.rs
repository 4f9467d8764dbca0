//! Everything that can have happened. These types are the state file's format: they only ever grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Address, Change};
use crate::input::{InputId, SecretRef, Value};
use crate::runbook::{Party, StepId, UndoUntil};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At(pub i64);

impl At {
    /// Time from `earlier` to this moment; zero when the clock went backwards.
    pub fn since(self, earlier: At) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl At {
    /// So much later; the last moment there is, where that is sooner.
    #[must_use]
    pub fn after(self, time: Duration) -> At {
        At(self.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// So much earlier.
    #[must_use]
    pub fn before(self, time: Duration) -> At {
        At(self.0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// For arithmetic with calendars.
    pub fn timestamp(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.0).ok()
    }

    /// The day where clocks are so many minutes ahead of UTC, `2026-12-05`.
    pub fn day(self, utc_offset: i32) -> String {
        At(self.0.saturating_add(i64::from(utc_offset) * 60_000)).date()
    }

    /// The time of day where clocks are so many minutes ahead of UTC, `14:32:10`.
    pub fn time_of_day(self, utc_offset: i32) -> String {
        let seconds = self.0.div_euclid(1000) + i64::from(utc_offset) * 60;
        let [hours, minutes] = [3600, 60].map(|unit| seconds.div_euclid(unit));
        format!("{:02}:{:02}:{:02}", hours.rem_euclid(24), minutes.rem_euclid(60), seconds.rem_euclid(60))
    }

    /// The day in UTC, `2026-12-05`.
    pub fn date(self) -> String {
        self.to_string().split('T').next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for At {
    /// RFC 3339, in UTC, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// Who did it: `user@host`.
pub type Actor = String;

/// An event as the journal holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub seq: u64,
    pub at: At,
    pub actor: Actor,
    pub event: Event,
}

/// One immutable fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The engagement exists.
    Began {
        name: String,
        id: String,
        practice: bool,
    },
    /// The runbook it walks, whole, so that a later edit of the files changes nothing here.
    RunbookTaken {
        id: String,
        digest: String,
        files: Vec<RunbookFile>,
        /// Steps whose history goes to another id, by the former one.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        moved: BTreeMap<StepId, StepId>,
        /// All steps that stand as done, though this edition would do them otherwise.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outdated: BTreeMap<Address, DoneAs>,
        /// All inputs whose value this edition would not take; they count as not given.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        unfit: BTreeSet<InputId>,
    },
    /// A person said that a step which would be done otherwise now is well as it was done.
    ChangeKept {
        step: Address,
    },
    InputGiven {
        id: InputId,
        value: Value,
    },
    InputForgotten {
        id: InputId,
    },
    AttemptStarted {
        step: Address,
        attempt: u32,
    },
    Probed {
        step: Address,
        attempt: u32,
        finding: Finding,
    },
    /// A change is needed and no approval covers it.
    Held {
        step: Address,
        attempt: u32,
    },
    PlanApproved {
        digest: String,
        steps: BTreeMap<Address, String>,
    },
    Intended {
        step: Address,
        intent: Intent,
    },
    Concluded {
        step: Address,
        attempt: u32,
        purpose: Purpose,
        outcome: Outcome,
    },
    Done {
        step: Address,
        attempt: u32,
        how: DoneHow,
        evidence: Evidence,
        #[serde(default)]
        kept: Vec<Kept>,
    },
    Failed {
        step: Address,
        attempt: u32,
        failure: Failure,
    },
    /// Somebody outside must move; the check is repeated until they have.
    Waiting {
        step: Address,
        attempt: u32,
        party: Party,
        ask: String,
        said: String,
        /// The person or the team; empty where nobody said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        who: String,
        /// Seconds that they have for it, from when the wait began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_in: Option<u64>,
    },
    /// A person said on whom the step waits, and until when: of a step that waits anyway, or of one that would be ready.
    WaitSet {
        step: Address,
        party: Party,
        who: String,
        due: Option<At>,
        note: String,
    },
    /// A person ended a wait that a person had begun.
    WaitEnded {
        step: Address,
        note: String,
    },
    /// Only a person here can say how to go on.
    Asked {
        step: Address,
        attempt: u32,
        question: Question,
    },
    /// The attempt ended without a result, by a person's wish or because onramp stopped.
    Stopped {
        step: Address,
        attempt: u32,
        why: String,
    },
    HostKeyTrusted {
        host: String,
        port: u16,
        fingerprint: String,
        openssh: String,
    },
    Skipped {
        step: Address,
        reason: String,
    },
    /// What is repeated over hosts goes on without this one.
    HostLeftOut {
        host: String,
        reason: String,
    },
    HostLetIn {
        host: String,
    },
    /// A failed, skipped, undone or waiting step may be tried again.
    Reopened {
        step: Address,
        /// What it hangs on, and what was undone: it has to be done, or seen, anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undone: Option<Address>,
    },
    Settled {
        step: Address,
        choice: String,
        reason: String,
    },
    Undone {
        step: Address,
        attempt: u32,
        evidence: Evidence,
        /// What was made is there for all that, as it is meant to be; the evidence says why.
        #[serde(default, skip_serializing_if = "is_false")]
        stays: bool,
    },
    /// Somebody agreed to take these steps back, in this order. It is over when nothing of them is left.
    UndoBegan {
        steps: Vec<Address>,
        /// Everything that could be.
        all: bool,
    },
    /// How the change that was just made is taken back, and until when that is safe; recorded with its outcome.
    Undoable {
        step: Address,
        attempt: u32,
        inverse: Inverse,
    },
    /// A person said which object the step stands for. What is not `ours` is never taken away by an undo.
    Adopted {
        step: Address,
        attempt: u32,
        id: String,
        ours: bool,
        reason: String,
        output: BTreeMap<String, Json>,
    },
}

/// How a change is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inverse {
    /// The calls, or the host whose `undo` script runs: its text is in the runbook that the engagement keeps.
    pub changes: Vec<Change>,
    pub until: Until,
}

impl Event {
    /// Somebody wants the step tried again.
    pub fn reopened(step: Address) -> Event {
        Event::Reopened { step, undone: None }
    }
}

impl Until {
    /// As the runbook says it, for a change made at this moment.
    pub fn from(said: UndoUntil, made: At) -> Until {
        match said {
            UndoUntil::Always => Until::Always,
            UndoUntil::Unused => Until::Unused,
            UndoUntil::Within(time) => {
                let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
                Until::Moment(At(made.0.saturating_add(millis)))
            }
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Always => f.write_str("always"),
            Until::Unused => f.write_str("as long as nothing hangs on it"),
            Until::Moment(end) => write!(f, "until {end}, as long as nothing hangs on it"),
        }
    }
}

/// Until when it is safe to take a change back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Whatever came after it.
    Always,
    /// For as long as nothing that was made later hangs on it.
    #[default]
    Unused,
    /// Until this moment, and for as long as nothing hangs on it.
    Moment(At),
}

/// One file of a runbook as it was when the engagement took it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunbookFile {
    pub path: String,
    pub text: String,
}

/// As what a step was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneAs {
    /// Digest of what the step did in the edition under which it was done.
    pub does: String,
    /// A person said that it is well so.
    #[serde(default)]
    pub kept: bool,
}

/// What a probe answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub kind: FindingKind,
    pub said: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Absent,
    // State files of before say it by the older words.
    #[serde(rename = "matches", alias = "same")]
    Same,
    #[serde(rename = "differs", alias = "different")]
    Different,
    /// Could not be told: never taken for absent.
    Unknown,
}

impl FindingKind {
    /// The word for people, and the one of the JSON.
    pub fn word(self) -> &'static str {
        match self {
            FindingKind::Absent => "absent",
            FindingKind::Same => "matches",
            FindingKind::Different => "differs",
            FindingKind::Unknown => "unknown",
        }
    }
}

/// One thing that is not as the step wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub what: String,
    pub wanted: String,
    pub found: String,
    /// The way from what was found to what is wanted, in the form of `diff -u`, where both are texts of lines.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub diff: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Apply,
    Undo,
}

/// How a change may be repeated after a lost answer (domain specification, classes A to E).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatClass {
    /// The call carries our token: the same call again returns the same object.
    Token,
    /// The same call again leaves the same state, or fails because the object is there.
    Natural,
    /// Nothing guards against a second object: find it by tag, and wait before repeating.
    Tag,
    /// Only a person may repeat it.
    Person,
}

/// Durable before any effect: what is about to be done, and under which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub attempt: u32,
    pub purpose: Purpose,
    pub generation: u32,
    pub token: String,
    /// Digest of the resolved arguments.
    pub digest: String,
    pub class: RepeatClass,
    /// The operations that may be sent.
    pub operations: Vec<String>,
    /// What every object that it makes carries; empty where nothing can carry it. A repeat says the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// After this moment nothing of it that may not be repeated is under way any more.
    #[serde(default)]
    pub deadline: Option<At>,
    /// What an undo has to know of how it was before, as the look that it follows showed it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, Json>,
}

/// How an apply or an undo ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The world changed; `created` says whether the object is ours to delete again.
    Changed {
        said: String,
        created: bool,
        operations: Vec<String>,
        #[serde(default)]
        output: BTreeMap<String, Json>,
    },
    AlreadySo {
        said: String,
        #[serde(default)]
        output: BTreeMap<String, Json>,
    },
    Failed {
        failure: Failure,
    },
    /// The change may or may not have been made.
    InDoubt {
        why: String,
    },
    /// It was looked for until nothing of it can turn up any more: it was not made.
    NotMade {
        said: String,
    },
    /// Of an undo: what was made stays, as it is meant to; why, and until when where that is known.
    Stays {
        said: String,
    },
}

/// Why something did not work, in the words a person needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What could not be done.
    pub what: String,
    /// What that means here.
    #[serde(default)]
    pub meaning: String,
    /// What to do now.
    #[serde(default)]
    pub advice: String,
    /// Error code, where the other side gave one.
    #[serde(default)]
    pub code: Option<String>,
    /// The other side's own words.
    #[serde(default)]
    pub raw: String,
    /// What did change before it failed.
    #[serde(default)]
    pub changed: Vec<String>,
    /// What an undo needs to know of that, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made: BTreeMap<String, Json>,
    /// It ended before anything was sent: what an earlier try did is as uncertain as before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsent: bool,
    /// The token was used up before: the next try takes a new one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub token_spent: bool,
    /// The session with AWS has ended, or ends too soon: it goes on as soon as somebody has signed in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sign_in: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Failure {
    /// Somebody was there and said no: what has nothing to do with it may still be asked.
    pub fn was_answered(&self) -> bool {
        self.code.is_some() || self.raw.is_empty()
    }

    /// What could not be done and why, in one line: `CreateSubnet was refused: The range overlaps (InvalidSubnet.Conflict:
    /// The CIDR '10.40.0.0/24' conflicts with another subnet)`.
    pub fn why(&self) -> String {
        let raw = self.raw.split_whitespace().collect::<Vec<_>>().join(" ");
        let theirs: Vec<&str> = self.code.iter().map(String::as_str).chain([raw.as_str()]).collect();
        let theirs = theirs.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        let meaning = self.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        match (meaning.is_empty(), theirs.is_empty()) {
            (true, true) => self.what.clone(),
            (true, false) => format!("{}: {theirs}", self.what),
            (false, true) => format!("{}: {meaning}", self.what),
            (false, false) => format!("{}: {} ({theirs})", self.what, meaning.trim_end_matches('.')),
        }
    }

    /// All that is known of it, in one text: the far side's own words stand last.
    pub fn whole(&self) -> String {
        let Failure { what, meaning, advice, raw, .. } = self;
        let said = [what, meaning, advice, raw].map(|part| part.trim_end_matches('.'));
        said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(". ")
    }

    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Failure { what: what.into(), advice: advice.into(), ..Failure::default() }
    }
}

/// What a step leaves behind to show that it is so.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub said: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Json>,
}

impl Evidence {
    pub fn said(said: impl Into<String>) -> Self {
        Evidence { said: said.into(), facts: BTreeMap::new() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneHow {
    /// All its inputs are given.
    Given,
    /// It was already so.
    AlreadySo,
    /// onramp made it so.
    Applied,
    /// A person says so.
    SignedOff,
}

/// A value that later steps use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub name: String,
    /// Under `for_each`, the instance it belongs to.
    pub key: Option<String>,
    pub value: Json,
}

/// What only a person can answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "snake_case")]
pub enum Question {
    /// A host showed a key that nothing vouches for.
    HostKey { hop: String, host: String, port: u16, algorithm: String, fingerprint: String, openssh: String },
    /// Something is there, but not as the step wants it, and onramp will not change it by itself.
    Different { said: String, differences: Vec<Difference> },
    /// The step needs a secret that is not where it should be, or that only a person knows. The answer stays in memory.
    NeedsSecret { reference: SecretRef, why: String },
    /// The session with AWS has ended, or ends too soon. Somebody signs in, and the step goes on by itself.
    SignIn { failure: Failure },
}
