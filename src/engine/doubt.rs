//! What an attempt does about a change that may or may not have been made, and how a change is taken back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use super::attempt::{Attempt, Report, Step, finding, noted};
use super::progress::Progress;
use crate::action::{Chosen, Found, Probe, Recalled, Trouble, World};
use crate::engagement::{
    At, DoneHow, Event, Evidence, FindingKind, Intent, Inverse, Outcome, Purpose, Recovery, RepeatClass, Until, recover,
};
use crate::journal::DurableIntent;

pub(super) const ONLY_A_PERSON: &str = "only a person can say what became of it";

/// What is to be taken back is looked for without being sent again, not even with a token; so as what has none.
pub(super) fn looked_for_as(class: RepeatClass) -> RepeatClass {
    if class == RepeatClass::Person { RepeatClass::Person } else { RepeatClass::Tag }
}

/// What a look says of a change in doubt: something else in its place says nothing of what became of ours.
pub(super) fn shown(probe: &Probe) -> FindingKind {
    match probe {
        Probe::Different { mend, .. } if mend.is_empty() => FindingKind::Absent,
        _ => finding(probe).kind,
    }
}

/// How much of the quiet time has passed since it can have been sent; all of it, where what is made shows at once.
pub(super) fn passed(world: &World, now: At, since: At) -> Duration {
    if world.shows_at_once { Duration::MAX } else { now.since(since) }
}

/// What a look shows, and what was written down before the change.
pub(super) fn with(before: &BTreeMap<String, Json>, mut shown: BTreeMap<String, Json>) -> BTreeMap<String, Json> {
    shown.extend(before.clone());
    shown
}

/// What looking for it came to.
enum Seen {
    There(Found),
    /// Not there, or only in part; it may be sent again.
    Repeat(Probe),
    /// The attempt has ended, and that is recorded.
    Ended,
}

impl Attempt {
    /// An earlier attempt was cut off between intent and outcome: find out, and go on.
    pub(super) async fn recover(&self, mut intent: Intent, since: At) -> Step<()> {
        let mut why = ONLY_A_PERSON.to_owned();
        match self.action.recall(&self.world, &intent).await {
            Recalled::Nothing => {}
            Recalled::Ended(outcome) => return self.applied(outcome, &intent.token).await,
            // Its check may still say that it is so; otherwise only a person can.
            Recalled::CutOff { why: told } => (intent.class, why) = (RepeatClass::Person, told),
            Recalled::Trouble(trouble) => return self.still_in_doubt(trouble).await,
        }
        match self.search(&intent, since, &why).await? {
            Seen::There(found) => {
                self.found_again(&intent, found).await?;
                self.check(DoneHow::Applied, None).await
            }
            Seen::Repeat(_) => self.repeat(intent).await,
            Seen::Ended => Ok(()),
        }
    }

    async fn still_in_doubt(&self, trouble: Trouble) -> Step<()> {
        match trouble {
            Trouble::Question(question) => self.asked(question).await,
            Trouble::Failure(failure) => self.doubt(&failure.what).await,
        }
    }

    /// As `recover`, but what it wants is to be taken back: nothing is made that is not there.
    pub(super) async fn look_for(&self, intent: Intent, since: At) -> Step<()> {
        match self.action.recall(&self.world, &intent).await {
            Recalled::Nothing => {
                let intent = Intent { class: looked_for_as(intent.class), ..intent };
                match self.search(&intent, since, ONLY_A_PERSON).await? {
                    Seen::There(found) => self.found_again(&intent, found).await?,
                    Seen::Repeat(Probe::Absent { said }) => return self.nothing_to_take_back(said).await,
                    Seen::Repeat(_) => self.found_in_part(&intent, "found in part after the interruption").await?,
                    Seen::Ended => return Ok(()),
                }
            }
            Recalled::Ended(outcome) => self.concluded(outcome, &intent.token).await?,
            // What it did until then is for the undo to take back.
            Recalled::CutOff { why } => self.found_in_part(&intent, &why).await?,
            Recalled::Trouble(trouble) => return self.still_in_doubt(trouble).await,
        }
        let (step, attempt) = (self.address.clone(), self.number);
        self.record(Event::Stopped { step, attempt, why: "it is to be taken back".to_owned() }).await
    }

    /// It was not made. Who wanted it taken back does not want it made by the next run either.
    async fn nothing_to_take_back(&self, said: String) -> Step<()> {
        let (step, attempt) = (self.address.clone(), self.number);
        let outcome = Outcome::NotMade { said: said.clone() };
        let mut events = vec![Event::Concluded { step: step.clone(), attempt, purpose: Purpose::Apply, outcome }];
        let made_before = self.found_how == DoneHow::Applied;
        let undone = |said| Event::Undone { step, attempt, evidence: Evidence::said(said), stays: false };
        events.extend((!made_before).then(|| undone(said)));
        self.record_all(events).await
    }

    /// Looks until it is clear what became of it.
    async fn search(&self, intent: &Intent, since: At, why: &str) -> Step<Seen> {
        let mut seen = None;
        let mut turn = 0;
        loop {
            let Some(probe) = self.uncut(self.action.probe(&self.world)).await else {
                self.stopped().await?;
                return Ok(Seen::Ended);
            };
            let (found, kind) = (finding(&probe), shown(&probe));
            let passed = passed(&self.world, self.clock.now(), since);
            let recovery = recover(intent.class, kind, passed);
            if seen.replace(kind) != Some(kind) {
                self.probed(found).await?;
            }
            match (recovery, probe) {
                (Recovery::Adopt, Probe::Same(found)) => return Ok(Seen::There(found)),
                (Recovery::Repeat, probe) => return Ok(Seen::Repeat(probe)),
                (Recovery::LookAgain(left), _) => {
                    let sent = intent.operations.first().map_or("it", String::as_str);
                    let why =
                        format!("{sent} may have been sent, and is not there yet: nothing is repeated before that");
                    let until = self.clock.peek().after(left);
                    if !self.rest(turn, Progress::looking(why, since, until)).await? {
                        self.stopped().await?;
                        return Ok(Seen::Ended);
                    }
                    turn += 1;
                }
                (_, Probe::Unknown(Trouble::Question(question))) => {
                    self.asked(question).await?;
                    return Ok(Seen::Ended);
                }
                (_, Probe::Unknown(Trouble::Failure(failure))) => {
                    self.unsettled(failure).await?;
                    return Ok(Seen::Ended);
                }
                _ => {
                    self.doubt(why).await?;
                    return Ok(Seen::Ended);
                }
            }
        }
    }

    /// What is found now was made by the attempt that was cut off, where its tags do not say otherwise.
    async fn found_again(&self, intent: &Intent, found: Found) -> Step<()> {
        let outcome = Outcome::Changed {
            said: format!("found after the interruption: {}", found.said),
            // What was there before, and was changed, is put back by an undo, whosever it is.
            created: !found.foreign || !intent.before.is_empty(),
            operations: intent.operations.clone(),
            output: with(&intent.before, found.output),
        };
        self.concluded(outcome, &intent.token).await
    }

    /// Some of it is there. What exactly, the undo finds out by its tags.
    async fn found_in_part(&self, intent: &Intent, said: &str) -> Step<()> {
        let outcome = Outcome::Changed {
            said: said.to_owned(),
            created: true,
            operations: intent.operations.clone(),
            output: intent.before.clone(),
        };
        self.concluded(outcome, &intent.token).await
    }

    fn tags(&self, token: &str) -> BTreeMap<String, String> {
        if self.runs_scripts() { BTreeMap::new() } else { self.world.subject.marks(token, self.number) }
    }

    fn runs_scripts(&self) -> bool {
        self.action.changes().iter().any(|change| change.service == "ssh")
    }

    /// The same token again.
    async fn repeat(&self, intent: Intent) -> Step<()> {
        if let Err(failure) = self.ready_to_change().await {
            return self.unsettled(failure).await;
        }
        if let Err(question) = self.action.at_hand(&self.world).await {
            return self.asked(question).await;
        }
        let (operations, before) = (intent.operations.clone(), intent.before.clone());
        // A call with a token must be the very same; of any other it is told by the tags which try made it.
        let tags = match intent.class {
            RepeatClass::Token => intent.tags.clone(),
            _ => self.tags(&intent.token),
        };
        let intent = self.intend(Intent { attempt: self.number, tags, ..intent }).await?;
        let outcome = match self.action.apply(&self.world, &intent).await {
            // It was made after all, and by us.
            Outcome::AlreadySo { said, output } => {
                Outcome::Changed { said, created: true, operations, output: with(&before, output) }
            }
            // Nothing was sent this time, and so nothing more is known of the time before.
            Outcome::Failed { failure } if failure.unsent => Outcome::InDoubt { why: failure.what },
            outcome => outcome,
        };
        self.applied(outcome, intent.token()).await
    }

    pub(super) async fn undo(&self, made: BTreeMap<String, Json>) -> Step<()> {
        if let Err(failure) = self.ready_to_change().await {
            if failure.sign_in {
                return self.failed(failure).await;
            }
            return self.send(Report::Refuse(failure)).await;
        }
        let intent = self.intend(self.intent.clone()).await?;
        self.take_back(&intent, &made).await
    }

    /// An undo was cut off. Taking away what is gone already does no harm; a script may be another matter.
    pub(super) async fn undo_again(&self, intent: Intent, made: BTreeMap<String, Json>) -> Step<()> {
        match self.action.recall(&self.world, &intent).await {
            Recalled::Nothing => {}
            Recalled::Ended(outcome) => return self.taken_back(outcome, &intent.token).await,
            Recalled::CutOff { why } => return self.doubt(&why).await,
            Recalled::Trouble(trouble) => return self.still_in_doubt(trouble).await,
        }
        if intent.class == RepeatClass::Person {
            return self.doubt("only a person can say whether it was taken back").await;
        }
        if let Err(failure) = self.ready_to_change().await {
            return self.unsettled(failure).await;
        }
        let intent = self.intend(Intent { attempt: self.number, ..intent }).await?;
        self.take_back(&intent, &made).await
    }

    /// As `undo_again`, but a person has seen that it was cut off, and wants it all the same.
    pub(super) async fn undo_once_more(&self, intent: Intent, made: BTreeMap<String, Json>) -> Step<()> {
        match self.action.recall(&self.world, &intent).await {
            Recalled::Nothing | Recalled::CutOff { .. } => self.undo(made).await,
            Recalled::Ended(outcome) => self.taken_back(outcome, &intent.token).await,
            Recalled::Trouble(trouble) => self.still_in_doubt(trouble).await,
        }
    }

    async fn take_back(&self, intent: &DurableIntent, made: &BTreeMap<String, Json>) -> Step<()> {
        self.taken_back(self.action.undo(&self.world, intent, made).await, intent.token()).await
    }

    async fn taken_back(&self, outcome: Outcome, token: &str) -> Step<()> {
        let certain = !matches!(outcome, Outcome::InDoubt { .. });
        let stays = matches!(outcome, Outcome::Stays { .. });
        let said = match &outcome {
            Outcome::Changed { said, .. }
            | Outcome::AlreadySo { said, .. }
            | Outcome::NotMade { said }
            | Outcome::Stays { said } => Some(said.clone()),
            Outcome::Failed { .. } | Outcome::InDoubt { .. } => None,
        };
        let (step, attempt) = (self.address.clone(), self.number);
        let asked = self.cut_short(&outcome);
        let mut events = vec![Event::Concluded { step: step.clone(), attempt, purpose: Purpose::Undo, outcome }];
        events.extend(asked);
        events.extend(said.map(|said| Event::Undone { step, attempt, evidence: Evidence::said(said), stays }));
        self.record_all(events).await?;
        if certain {
            self.action.let_go(&self.world, token).await;
        }
        Ok(())
    }

    /// A person says which object it is. It must be there, of the right kind and as the step wants it.
    pub(super) async fn adopt_chosen(&self, reason: &str) -> Step<()> {
        let Some(chosen) = self.uncut(self.action.adopt(&self.world)).await else { return Ok(()) };
        let Chosen { id, ours, whole, found } = match chosen {
            Ok(chosen) => chosen,
            // Nothing is recorded: the step stands as before.
            Err(failure) => return self.send(Report::Refuse(failure)).await,
        };
        self.take(id, ours, reason.to_owned(), found).await?;
        if !whole {
            // Ours from now on. What is missing is sent as after any look: where an approval covers it.
            return self.full().await;
        }
        self.check(if ours { DoneHow::Applied } else { DoneHow::AlreadySo }, None).await
    }

    /// What is there stands for this step from now on; what is ours can be taken back.
    pub(super) async fn take(&self, id: String, ours: bool, reason: String, found: Found) -> Step<()> {
        let (step, attempt) = (self.address.clone(), self.number);
        let mut known = self.world.subject.made.clone();
        known.extend(found.output.clone());
        let inverse = Inverse {
            changes: self.action.inverse(&known).into_iter().map(noted).collect(),
            until: Until::from(self.undo_until, self.clock.now()),
        };
        let mut events = vec![Event::Adopted { step: step.clone(), attempt, id, ours, reason, output: found.output }];
        events.extend(ours.then_some(Event::Undoable { step, attempt, inverse }));
        self.record_all(events).await
    }
}
