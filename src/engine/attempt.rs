//! One attempt at one step.
//!
//! ```text
//!            ┌─ same ──────────────────────────────────────────► check ─► done (already so)
//! probe ─────┼─ different, not ours to mend ──────────────────► asked
//!            ├─ unknown ───────────────────────────────────────► failed, or asked (host key)
//!            └─ absent ─► approved? ─► INTENT ─► apply ─► check ─► done
//!                          └ no: held             │  └ not yet, for too long: failed, or waiting
//!                                                 └ reply lost: in doubt
//! ```
//!
//! An attempt changes nothing in the journal itself: it asks the dispatcher, and goes on when the dispatcher says that
//! it is durable.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::progress::Progress;
use crate::action::{Action, Found, Probe, Trouble, Verified, World};
use crate::engagement::{
    Address, Asking, At, Change, DoneHow, Event, Evidence, Failure, Finding, FindingKind, Intent, Inverse, Kept,
    Outcome, Purpose, Question, Until, Wait, deadline, digest_of,
};
use crate::journal::DurableIntent;
use crate::runbook::{Save, UndoUntil};
use crate::text::fingerprint;

/// Until what a step sends is sent; what it waits for comes after.
const SENDING: Duration = Duration::from_secs(60);

/// What an attempt tells the dispatcher.
pub(super) enum Report {
    /// All of them durable, or none.
    Record(Vec<Event>, oneshot::Sender<()>),
    /// Does the approval that is in force now cover the change?
    MayChange(oneshot::Sender<bool>),
    Intend(Intent, oneshot::Sender<DurableIntent>),
    /// Nothing was done and there is nothing to record: whoever asked for it is told.
    Refuse(Failure),
    Output(Vec<u8>),
    /// What holds it up now; nothing, when it goes on again.
    Progress(Option<Progress>),
}

/// Where an attempt begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Job {
    /// From the start.
    Full,
    /// The change was made earlier; only the check is left.
    Verify,
    /// The step waits on somebody outside: one look, which changes nothing and records nothing new of what is known. One
    /// that nobody asked for asks nobody anything.
    Poll {
        wait: Box<Wait>,
        unasked: bool,
    },
    /// An earlier attempt ended between intent and outcome.
    Recover {
        intent: Intent,
        since: At,
        made: BTreeMap<String, Json>,
    },
    /// An earlier attempt may have made something that is to be taken back: find out, and make nothing.
    LookFor {
        intent: Intent,
        since: At,
    },
    Undo {
        made: BTreeMap<String, Json>,
    },
    /// An undo was cut off, and a person asks for it again.
    UndoAgain {
        intent: Intent,
        made: BTreeMap<String, Json>,
    },
    /// A person says which object the step stands for; without an id, the one that is ours.
    Adopt {
        id: Option<String>,
        reason: String,
    },
}

impl Job {
    /// Is a change taken back?
    pub fn takes_back(&self) -> bool {
        match self {
            Job::Undo { .. } | Job::UndoAgain { .. } => true,
            Job::Recover { intent, .. } | Job::LookFor { intent, .. } => intent.purpose == Purpose::Undo,
            Job::Full | Job::Verify | Job::Poll { .. } | Job::Adopt { .. } => false,
        }
    }
}

/// The facts an attempt needs; all of them fixed when it starts.
pub(super) struct Attempt {
    pub address: Address,
    pub number: u32,
    pub action: Box<dyn Action>,
    pub world: World,
    pub intent: Intent,
    pub account: Option<String>,
    pub waits_on: Option<Asking>,
    pub within: Duration,
    pub saves: Vec<Save>,
    /// How the step is done when the first look says that it is so: we may have made it earlier.
    pub found_how: DoneHow,
    /// What the step made was made under an earlier edition of the runbook, by other work than the step has now.
    pub made_otherwise: bool,
    /// Until when the change may be taken back.
    pub undo_until: UndoUntil,
    /// Ends every look and every wait. A change that has begun is cut only by the token in `world`.
    pub stop: CancellationToken,
    pub clock: Clock,
    pub reports: mpsc::Sender<(Address, Report)>,
}

/// The dispatcher is gone, or cannot record any more: nothing further may be done.
pub(super) struct Gone;

pub(super) type Step<T> = Result<T, Gone>;

impl Attempt {
    /// Runs to an end. Every end is recorded, unless the dispatcher is gone.
    pub async fn run(self, job: Job) {
        let ended = match job {
            Job::Full => self.full().await,
            Job::Verify => self.check(DoneHow::Applied, None).await,
            Job::Poll { wait, .. } => self.poll(&wait).await,
            Job::Recover { intent, made, .. } if intent.purpose == Purpose::Undo => self.undo_again(intent, made).await,
            Job::Recover { intent, since, .. } => self.recover(intent, since).await,
            Job::LookFor { intent, since } => self.look_for(intent, since).await,
            Job::Undo { made } => self.undo(made).await,
            Job::UndoAgain { intent, made } => self.undo_once_more(intent, made).await,
            Job::Adopt { reason, .. } => self.adopt_chosen(&reason).await,
        };
        if ended.is_err() {
            tracing::warn!(step = %self.address, "the attempt ended because nothing can be recorded any more");
        }
    }

    pub(super) async fn full(&self) -> Step<()> {
        let Some(probe) = self.uncut(self.action.probe(&self.world)).await else {
            return self.stopped().await;
        };
        self.probed(finding(&probe)).await?;
        match probe {
            Probe::Same(found) if self.only_looks() => self.done(self.found_how, found).await,
            Probe::Same(found) => self.there_already(found).await,
            Probe::Unknown(trouble) => self.trouble(trouble).await,
            Probe::Absent { said } | Probe::Different { said, .. } if self.only_looks() => {
                self.check(self.found_how, Some(said)).await
            }
            Probe::Different { mend, differences, said, .. } if mend.is_empty() => {
                self.asked(Question::Different { said, differences }).await
            }
            Probe::Absent { said } if self.made_otherwise && !self.only_scripts() => {
                let said = format!(
                    "{said}. What this step made under an earlier edition of the runbook is something else: u takes it \
                     back, and then this is made"
                );
                self.asked(Question::Different { said, differences: Vec::new() }).await
            }
            Probe::Absent { .. } => self.change(self.action.keeps()).await,
            Probe::Different { keep, .. } => self.change(keep).await,
        }
    }

    /// It is there; whether it works is for the check to say. What this engagement made is its own, also where nothing
    /// here tells of it: it was made elsewhere, or what told of it was lost.
    async fn there_already(&self, found: Found) -> Step<()> {
        if self.found_how == DoneHow::Applied || found.foreign {
            return self.check(self.found_how, None).await;
        }
        match self.uncut(self.action.made_by_us(&self.world, &found)).await {
            None => self.stopped().await,
            Some(Err(failure)) => self.trouble(Trouble::Failure(failure)).await,
            Some(Ok(None)) => self.check(self.found_how, None).await,
            Some(Ok(Some(id))) => {
                self.take(id, true, "its tags say that this engagement made it".to_owned(), found).await?;
                self.check(DoneHow::Applied, None).await
            }
        }
    }

    /// A script that runs again leaves nothing behind that nobody knows of; a second object would be.
    fn only_scripts(&self) -> bool {
        self.action.changes().iter().all(|change| change.service == "ssh")
    }

    /// Its probe and its check are one question, and nothing is ever changed.
    fn only_looks(&self) -> bool {
        self.action.changes().is_empty()
    }

    /// Intent, apply, outcome, check: in this order and no other.
    async fn change(&self, before: BTreeMap<String, Json>) -> Step<()> {
        if !self.may_change().await? {
            return self.record(Event::Held { step: self.address.clone(), attempt: self.number }).await;
        }
        if let Err(failure) = self.ready_to_change().await {
            return self.failed(failure).await;
        }
        if let Err(question) = self.action.at_hand(&self.world).await {
            return self.asked(question).await;
        }
        let intent = self.intend(Intent { before, ..self.intent.clone() }).await?;
        // From here on a cut is not clean: the action itself answers to the cancel token.
        self.applied(self.action.apply(&self.world, &intent).await, intent.token()).await
    }

    /// Outcome, check.
    pub(super) async fn applied(&self, outcome: Outcome, token: &str) -> Step<()> {
        let after = match &outcome {
            Outcome::Changed { output, .. } => Some(self.world.having_made(output)),
            Outcome::AlreadySo { .. } => Some(self.world.clone()),
            _ => None,
        };
        self.concluded(outcome, token).await?;
        match after {
            Some(world) => self.check_in(&world, DoneHow::Applied, None).await,
            None => Ok(()),
        }
    }

    /// Nothing is changed in an account that is not the engagement's. Scripts on hosts, files here and mail need no account.
    pub(super) async fn ready_to_change(&self) -> Result<(), Failure> {
        if self.action.changes().iter().all(|change| !change.is_of_aws()) {
            return Ok(());
        }
        match &self.account {
            Some(account) => self.world.ready_to_change(Some(account), self.within + SENDING).await,
            None => Err(Failure::new("the engagement has no AWS account yet", "Give the input aws.account_id")),
        }
    }

    /// Is it so now? Asked again until it is, or until `within` has passed. `said` is what a first look said already.
    pub(super) async fn check(&self, how: DoneHow, said: Option<String>) -> Step<()> {
        self.check_in(&self.world, how, said).await
    }

    async fn check_in(&self, world: &World, how: DoneHow, said: Option<String>) -> Step<()> {
        let (began, since) = (Instant::now(), self.clock.peek());
        let mut turn = 0;
        let mut answer = said.map(|said| Verified::NotYet { said });
        loop {
            let now = match answer.take() {
                Some(answer) => answer,
                None => match self.uncut(self.look(world)).await {
                    Some(answer) => answer,
                    None => return self.stopped().await,
                },
            };
            let said = match now {
                Verified::So(found) => return self.done(how, found).await,
                Verified::NotSo(failure) => return self.failed(failure).await,
                Verified::Unknown(trouble) => return self.trouble(trouble).await,
                Verified::NotYet { said } => said,
            };
            if let Some(asking) = &self.waits_on {
                return self.waiting(asking.clone(), said).await;
            }
            if self.clock.passed(since, began) >= self.within {
                return self.failed(self.too_late(&said)).await;
            }
            if !self.rest(turn, Progress::looking(said, since, since.after(self.within))).await? {
                return self.stopped().await;
            }
            turn += 1;
        }
    }

    /// Asks once whether it is so.
    async fn look(&self, world: &World) -> Verified {
        if !self.only_looks() {
            return self.action.verify(world).await;
        }
        match self.action.probe(world).await {
            Probe::Same(found) => Verified::So(found),
            Probe::Absent { said } | Probe::Different { said, .. } => Verified::NotYet { said },
            Probe::Unknown(trouble) => Verified::Unknown(trouble),
        }
    }

    /// One look at a step that waits. A question that could not be asked is no answer: the step goes on waiting.
    async fn poll(&self, wait: &Wait) -> Step<()> {
        let Some(answer) = self.uncut(self.look(&self.world)).await else { return Ok(()) };
        let said = match answer {
            Verified::So(found) => return self.done(self.found_how, found).await,
            Verified::NotSo(failure) => return self.failed(failure).await,
            Verified::Unknown(Trouble::Question(question)) => return self.asked(question).await,
            // Nothing is said of what is waited for: it is looked at again when somebody has signed in.
            Verified::Unknown(Trouble::Failure(failure)) if failure.sign_in => return Ok(()),
            Verified::Unknown(Trouble::Failure(failure)) => failure.what,
            Verified::NotYet { said } => said,
        };
        match &self.waits_on {
            Some(asking) if said != wait.said || asking.differs(wait) => self.waiting(asking.clone(), said).await,
            _ => Ok(()),
        }
    }

    fn too_late(&self, said: &str) -> Failure {
        Failure {
            what: said.to_owned(),
            meaning: format!("still so after {}", crate::text::duration(self.within)),
            advice: "Look at what the other side says, then try the step again".to_owned(),
            ..Failure::default()
        }
    }

    async fn done(&self, how: DoneHow, found: Found) -> Step<()> {
        let mut kept = Vec::new();
        for save in &self.saves {
            match found.output.get(&save.from) {
                Some(value) => {
                    kept.push(Kept { name: save.to.clone(), key: self.address.key.clone(), value: value.clone() });
                }
                None => {
                    let what = format!("the step's result has no \"{}\", which {} needs", save.from, save.to);
                    return self.failed(Failure::new(what, "This is a fault of the runbook or of onramp")).await;
                }
            }
        }
        let evidence = Evidence { said: found.said, facts: found.output };
        self.record(Event::Done { step: self.address.clone(), attempt: self.number, how, evidence, kept }).await
    }

    pub(super) async fn trouble(&self, trouble: Trouble) -> Step<()> {
        match trouble {
            Trouble::Failure(failure) => self.failed(failure).await,
            Trouble::Question(question) => self.asked(question).await,
        }
    }

    pub(super) async fn probed(&self, finding: Finding) -> Step<()> {
        self.record(Event::Probed { step: self.address.clone(), attempt: self.number, finding }).await
    }

    /// What a session's end cut short has not failed: it asks for a sign-in.
    pub(super) async fn failed(&self, failure: Failure) -> Step<()> {
        if failure.sign_in {
            return self.asked(Question::SignIn { failure }).await;
        }
        self.record(Event::Failed { step: self.address.clone(), attempt: self.number, failure }).await
    }

    pub(super) async fn asked(&self, question: Question) -> Step<()> {
        self.record(Event::Asked { step: self.address.clone(), attempt: self.number, question }).await
    }

    async fn waiting(&self, asking: Asking, said: String) -> Step<()> {
        self.record(asking.waiting(self.address.clone(), self.number, said)).await
    }

    pub(super) async fn stopped(&self) -> Step<()> {
        let why = "stopped by a person".to_owned();
        self.record(Event::Stopped { step: self.address.clone(), attempt: self.number, why }).await
    }

    /// Nothing more is known than before.
    pub(super) async fn doubt(&self, why: &str) -> Step<()> {
        self.conclude(self.intent.purpose, Outcome::InDoubt { why: why.to_owned() }).await
    }

    /// As `doubt`; where a session has ended, that is what is said.
    pub(super) async fn unsettled(&self, failure: Failure) -> Step<()> {
        if failure.sign_in { self.failed(failure).await } else { self.doubt(&failure.what).await }
    }

    async fn may_change(&self) -> Step<bool> {
        let (answer, may) = oneshot::channel();
        self.send(Report::MayChange(answer)).await?;
        may.await.map_err(|_| Gone)
    }

    /// The outcome of a change that was made under this token, together with how it is taken back.
    pub(super) async fn concluded(&self, outcome: Outcome, token: &str) -> Step<()> {
        let certain = !matches!(outcome, Outcome::InDoubt { .. });
        let (step, attempt) = (self.address.clone(), self.number);
        let output = match &outcome {
            Outcome::Changed { output, .. } => Some(output),
            Outcome::Failed { failure } if !failure.changed.is_empty() => Some(&failure.made),
            _ => None,
        };
        let changes = output.map(|output| self.action.inverse(output)).unwrap_or_default();
        let changes = changes.into_iter().map(noted).collect();
        let inverse = Inverse { changes, until: Until::from(self.undo_until, self.clock.now()) };
        let undoable = output.map(|_| Event::Undoable { step: step.clone(), attempt, inverse });
        let asked = self.cut_short(&outcome);
        let concluded = Event::Concluded { step, attempt, purpose: Purpose::Apply, outcome };
        self.record_all(std::iter::once(concluded).chain(undoable).chain(asked).collect()).await?;
        if certain {
            self.action.let_go(&self.world, token).await;
        }
        Ok(())
    }

    /// Half of it is done, and then the session ended: it goes on when somebody has signed in.
    pub(super) fn cut_short(&self, outcome: &Outcome) -> Option<Event> {
        match outcome {
            Outcome::Failed { failure } if failure.sign_in => Some(Event::Asked {
                step: self.address.clone(),
                attempt: self.number,
                question: Question::SignIn { failure: failure.clone() },
            }),
            _ => None,
        }
    }

    pub(super) async fn conclude(&self, purpose: Purpose, outcome: Outcome) -> Step<()> {
        self.record(Event::Concluded { step: self.address.clone(), attempt: self.number, purpose, outcome }).await
    }

    /// Waits before the next look; false when it was cut short by a person.
    pub(super) async fn rest(&self, turn: u32, progress: Progress) -> Step<bool> {
        self.send(Report::Progress(Some(progress))).await?;
        tokio::select! {
            () = tokio::time::sleep(self.clock.pause(turn)) => Ok(true),
            () = self.stop.cancelled() => Ok(false),
        }
    }

    /// A question may be cut off at any time: it changes nothing.
    pub(super) async fn uncut<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            answer = question => Some(answer),
            () = self.stop.cancelled() => None,
        }
    }

    pub(super) async fn record(&self, event: Event) -> Step<()> {
        self.record_all(vec![event]).await
    }

    pub(super) async fn record_all(&self, events: Vec<Event>) -> Step<()> {
        let (durable, is_durable) = oneshot::channel();
        self.send(Report::Record(events, durable)).await?;
        is_durable.await.map_err(|_| Gone)
    }

    pub(super) async fn intend(&self, intent: Intent) -> Step<DurableIntent> {
        let intent = Intent { deadline: Some(deadline(self.clock.now())), ..intent };
        let (durable, is_durable) = oneshot::channel();
        self.send(Report::Intend(intent, durable)).await?;
        is_durable.await.map_err(|_| Gone)
    }

    pub(super) async fn send(&self, report: Report) -> Step<()> {
        self.reports.send((self.address.clone(), report)).await.map_err(|_| Gone)
    }
}

/// How a change is taken back, as the journal keeps it: the text of a script stands in the runbook.
pub(super) fn noted(change: Change) -> Change {
    match change.service.as_str() {
        "ssh" => Change { arguments: json!({ "script": digest_of(&change.arguments) }), ..change },
        _ => change,
    }
}

/// What a probe found, as the journal keeps it.
pub(super) fn finding(probe: &Probe) -> Finding {
    let finding = |kind, said: &str, differences: &[_]| Finding {
        kind,
        said: said.to_owned(),
        differences: differences.to_vec(),
    };
    match probe {
        Probe::Absent { said } => finding(FindingKind::Absent, said, &[]),
        Probe::Same(found) => finding(FindingKind::Same, &found.said, &[]),
        Probe::Different { said, differences, .. } => finding(FindingKind::Different, said, differences),
        Probe::Unknown(Trouble::Failure(failure)) => finding(FindingKind::Unknown, &failure.whole(), &[]),
        Probe::Unknown(Trouble::Question(Question::HostKey { hop, fingerprint, openssh, .. })) => {
            let shown = fingerprint::both(fingerprint, openssh);
            let said = format!("host {hop} shows a key that nothing vouches for: {shown}");
            finding(FindingKind::Unknown, &said, &[])
        }
        Probe::Unknown(Trouble::Question(Question::NeedsSecret { reference, .. })) => {
            finding(FindingKind::Unknown, &format!("a secret is missing: {}", reference.said()), &[])
        }
        Probe::Unknown(Trouble::Question(Question::Different { said, differences })) => {
            finding(FindingKind::Unknown, said, differences)
        }
        Probe::Unknown(Trouble::Question(Question::SignIn { failure })) => {
            finding(FindingKind::Unknown, &failure.what, &[])
        }
    }
}
