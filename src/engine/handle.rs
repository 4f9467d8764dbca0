//! The one door to a running engine: requests go in, notices come out.

use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use secrecy::SecretString;
use tokio::sync::mpsc;

use super::progress::Progress;
use crate::engagement::{
    Address, Caller, Command, Diagnosed, Engagement, Finding, LoginQuestion, MissingSecret, Plan, Recorded, Refusal,
    RunScope, RunbookFile, Tally, Target, UndoPlan,
};
use crate::input::{InputId, SecretRef, SecretStore};
use crate::journal::{JournalError, Lines, PageAt};
use crate::runbook::Runbook;
use crate::text::{self, Masks};

/// What a reader may ask of the engine.
#[derive(Debug)]
pub enum Request {
    /// Something a person decided. Refused ones come back as `Notice::Refused`.
    Command(Command),
    /// Start everything in scope that can start, and go on until nothing can.
    Run(RunScope),
    /// Take these changes back, what hangs on something before it. An empty list means all. Doubts are cleared up first.
    Undo(Vec<Target>),
    /// Walk another edition of the runbook from now on. Refused ones come back as `Notice::Refused`.
    Update {
        edition: Arc<Runbook>,
        files: Vec<RunbookFile>,
    },
    /// Say what taking these back would do, or everything; the answer is `Notice::UndoPlanned`. Changes nothing.
    UndoPlan(Vec<Target>),
    /// This object is what the step stands for: the one of that id, or the one that is ours. Looked at before it is believed.
    Adopt {
        step: Address,
        id: Option<String>,
        reason: String,
    },
    /// Run every verify again and say what drifted; changes nothing.
    Verify,
    /// Ask the questions of a step's diagnosis; the answer is `Notice::Diagnosed`, or `Notice::Undiagnosed` where it has none.
    /// Changes nothing.
    Diagnose(Address),
    /// Let running attempts come to a safe end and start no new ones.
    Stop,
    /// Cut one running attempt off.
    Cancel(Address),
    /// Probe everything and say what would change; the answer is `Notice::Planned`.
    Plan,
    /// As `Plan`, and AWS is asked by rehearsal whether these credentials may do it. Changes nothing.
    Rehearse,
    /// Output lines of an attempt; the answer is `Notice::Page`.
    Page {
        step: Address,
        attempt: u32,
        at: PageAt,
        lines: usize,
    },
    /// Look for a text in the whole output of an attempt; the answer is `Notice::Found`. One search goes on at a time.
    Find(Find),
    /// Nobody waits for what is looked for any more.
    StopFinding,
    /// Look for the secrets that a run of this scope will need, before anybody approves what it changes. The answer is
    /// `Notice::NeedsSecrets`, or `Notice::SecretsAtHand` when none is missing.
    SeekSecrets(RunScope),
    /// What a person said when asked for secrets. Without a text: they would rather be asked when its step comes.
    Secrets(Vec<(SecretRef, Option<SecretString>)>),
    /// Keep what was typed in this store; the reference becomes the answer to the input.
    KeepSecret {
        input: InputId,
        store: SecretStore,
        text: SecretString,
    },
    /// What a person answers to the question of that number, a text for each line; nothing: nobody answers.
    LoginAnswers {
        number: u64,
        answers: Option<Vec<SecretString>>,
    },
    /// Make the way to the account anew now: somebody has signed in, or would say a code.
    SignIn,
    Subscribe(std_mpsc::Sender<Notice>),
    /// Stop, write everything, let go of the state file.
    Close,
}

/// What the engine tells every reader.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A new fact. Never dropped; always in order.
    Recorded(Recorded),
    /// The output of a running attempt grew; `text` is what was added, control sequences made harmless. It begins or goes
    /// on with line `from`, counted from 0.
    Output {
        step: Address,
        attempt: u32,
        from: usize,
        text: String,
    },
    /// What holds a running attempt up right now; nothing, when it goes on again. Only the latest counts.
    Progress {
        step: Address,
        now: Option<Progress>,
    },
    Planned(Arc<Plan>),
    /// This edition of the runbook is walked from now on.
    Runbook(Arc<Runbook>),
    /// These secrets are missing. Once a person has said something to each, what they were asked for ahead of is to be
    /// asked for again.
    NeedsSecrets {
        missing: Vec<MissingSecret>,
        ahead_of: AheadOf,
    },
    /// Nothing is missing any more that `Request::SeekSecrets` looked for.
    SecretsAtHand,
    /// A login asks a person: `Request::LoginAnswers` answers. Somebody waits, so that no answer is one, too.
    LoginAsks(LoginQuestion),
    /// Nobody waits for the answer to the question of that number any more.
    LoginWithdrawn(u64),
    /// What was asked for, and what would be done.
    UndoPlanned(Vec<Target>, Arc<UndoPlan>),
    Page(Page),
    Found(Found),
    Refused(Refusal),
    /// Who AWS takes us for, and until when; or why there is no way to the account. Told anew when it changes.
    Identity(Result<Caller, String>),
    /// A run came to its end: nothing more can start.
    Idle(Summary),
    /// A drift report's line.
    Drift {
        step: Address,
        finding: Finding,
    },
    /// What is the matter with a step.
    Diagnosed(Box<Diagnosed>),
    /// Why that cannot be said of this step.
    Undiagnosed(Address, Refusal),
    /// Only when reading along: who holds the engagement now, `user@host`; nobody, when nobody does.
    HeldBy(Option<String>),
    /// The engine cannot go on. Nothing was sent after it.
    Broken(Broken),
    Closed,
}

/// The state file cannot be written any more, or, when reading along, be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub why: String,
    /// What to do, a sentence without a full stop.
    pub advice: &'static str,
    /// The file is not as it was written; else it is what it stands on that fails: the disk, the folder.
    pub damaged: bool,
}

impl Broken {
    /// One line for people.
    pub fn said(&self) -> String {
        format!("onramp cannot go on: {}. {}", self.why, self.advice)
    }
}

impl From<&JournalError> for Broken {
    fn from(error: &JournalError) -> Self {
        let damaged = matches!(error, JournalError::Damaged { .. } | JournalError::Newer { .. });
        let advice = match error {
            JournalError::Gone { .. } => {
                "Bring it back to where it was (mount it, move it back), leave, and open it again: it goes on there"
            }
            JournalError::Unwritable { .. } => {
                "Make room for it, or make it writable, leave, and open it again: it goes on where it stopped"
            }
            JournalError::Damaged { .. } => {
                "Keep a copy of its folder, leave, and open it again: that says what can be saved"
            }
            _ => "Leave, and open it again: it goes on where it stopped",
        };
        Broken { why: error.to_string(), advice, damaged }
    }
}

/// What comes once the missing secrets are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AheadOf {
    Run(RunScope),
    /// The approval of what a run of this scope changes.
    Approval(RunScope),
    /// A typed secret goes into its store by itself.
    Keeping,
    /// A second look at what is done: `Request::Verify`, once more.
    Checks,
}

/// A piece of an attempt's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub step: Address,
    pub attempt: u32,
    pub from: usize,
    pub lines: Vec<String>,
    /// Lines there are in all, so far.
    pub total: usize,
}

impl Page {
    /// Lines as the state file keeps them, made harmless for a terminal.
    pub(super) fn of(step: Address, attempt: u32, found: Lines) -> Self {
        let lines = found.lines.iter().map(|line| clean_line(line)).collect();
        Page { step, attempt, from: found.from, lines, total: found.total }
    }
}

/// A line of the state file. In one from before CR ended a line, CRs are in the middle.
pub(super) fn clean_line(line: &[u8]) -> String {
    let line = text::clean(line);
    if line.contains('\n') { line.trim_end_matches('\n').replace('\n', " ^M ") } else { line }
}

/// What is looked for in an attempt's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    pub step: Address,
    pub attempt: u32,
    /// Part of a line; small letters find capitals too.
    pub wanted: String,
    /// Down: the first line looked at; up: the line after it. Counted from 0.
    pub from: usize,
    pub down: bool,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub find: Find,
    /// The nearest line, and those around it; none when all of the output was searched in vain.
    pub hit: Option<Hit>,
}

/// A line that holds what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub line: usize,
    /// The search came to one end of the output and went on from the other.
    pub around: bool,
    pub page: Page,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub tally: Tally,
    pub stopped: bool,
}

/// Cheap to clone; every clone talks to the same engine.
#[derive(Debug, Clone)]
pub struct Handle {
    /// What the engagement is called on this machine.
    name: Arc<str>,
    requests: mpsc::UnboundedSender<Request>,
    runbook: Arc<Runbook>,
    /// As it was when the engine started; the feed brings it up to date.
    engagement: Arc<Engagement>,
    greeting: Option<Arc<str>>,
    masks: Masks,
}

impl Handle {
    pub(super) fn new(
        name: String,
        requests: mpsc::UnboundedSender<Request>,
        runbook: Arc<Runbook>,
        engagement: Arc<Engagement>,
        greeting: Option<String>,
        masks: Masks,
    ) -> Self {
        Handle { name: Arc::from(name), requests, runbook, engagement, greeting: greeting.map(Arc::from), masks }
    }

    /// What the engagement is called on this machine: what commands take and people type. Where it was imported under
    /// another name than it began with, its tags, tokens and templates keep the first one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a person should know before they go on: a crash before, a new format, a folder that others write too.
    pub fn greeting(&self) -> Option<&str> {
        self.greeting.as_deref()
    }

    /// Sends a request; false when the engine is gone.
    pub fn send(&self, request: Request) -> bool {
        self.requests.send(request).is_ok()
    }

    pub fn command(&self, command: Command) -> bool {
        self.send(Request::Command(command))
    }

    /// A feed that starts with the first event after `engagement()`.
    pub fn subscribe(&self) -> std_mpsc::Receiver<Notice> {
        let (sender, receiver) = std_mpsc::channel();
        self.send(Request::Subscribe(sender));
        receiver
    }

    pub fn runbook(&self) -> &Arc<Runbook> {
        &self.runbook
    }

    /// What hides the secrets that the engine knows.
    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    pub fn engagement(&self) -> &Arc<Engagement> {
        &self.engagement
    }
}
