//! What is being taken back, and how far it has come.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::attempt::Job;
use super::doubt::{ONLY_A_PERSON, looked_for_as, passed, shown, with};
use super::handle::Notice;
use super::sight::Sight;
use super::start::{Prepared, drop_output, prepare};
use crate::action::{Probe, Recalled, Trouble, Undoes, Worlds};
use crate::engagement::{
    Address, At, Engagement, Event, Failure, Intent, Made, Outcome, Recovery, Refusal, State, Stays, StepRecord,
    TakeBack, Target, UndoEntry, UndoPlan, Until, held_by, reach, recover,
};
use crate::runbook::Runbook;

/// How long a plan waits for a script that is still going on.
const PATIENCE: Duration = Duration::from_secs(10);

/// An undo under way: doubts are cleared up by looking first, then everything is taken back, one at a time.
#[derive(Debug)]
pub(super) struct Undoing {
    doubts: VecDeque<Address>,
    queue: VecDeque<Address>,
    /// Under which it is taken back.
    runbook: Arc<Runbook>,
    /// The session with AWS has ended: it goes on when somebody has signed in.
    paused: bool,
}

impl Undoing {
    /// Takes these back, or everything when nothing is named.
    ///
    /// # Errors
    /// A step that is named itself cannot be taken back; nothing is.
    pub fn new(
        engagement: &Engagement,
        runbook: &Arc<Runbook>,
        targets: &[Target],
        now: At,
    ) -> Result<Undoing, Refusal> {
        let mut reach = reach(engagement, runbook, targets, now);
        // Of all that a phase has, what can be is taken back, and the plan says what stays.
        reach.stays.retain(|(step, _)| targets.iter().any(|target| target.is(step)));
        refuse(&reach.stays)?;
        let in_doubt = |step: &&Address| record(engagement, step).is_some_and(|one| one.doubtful_change().is_some());
        let doubts = reach.order.iter().filter(in_doubt).cloned().collect();
        Ok(Undoing { doubts, queue: reach.order.into(), runbook: runbook.clone(), paused: false })
    }

    /// What the journal keeps of it, so that one that is cut off is not forgotten.
    pub fn began(&self, all: bool) -> Vec<Event> {
        let steps: Vec<Address> = self.queue.iter().cloned().collect();
        if steps.is_empty() { Vec::new() } else { vec![Event::UndoBegan { steps, all }] }
    }

    /// The next step, and what is to be done with it.
    pub fn next(&mut self, engagement: &Engagement) -> Option<(Address, Job)> {
        if self.paused {
            return None;
        }
        while let Some(step) = self.doubts.pop_front() {
            let Some(one) = record(engagement, &step) else { continue };
            if let Some(intent) = one.doubtful_change() {
                let job = Job::LookFor { intent: intent.clone(), since: one.sent_until };
                return Some((step, job));
            }
        }
        while let Some(step) = self.queue.pop_front() {
            let Some(one) = record(engagement, &step) else { continue };
            let Some(made) = one.made.as_ref().filter(|made| made.created) else { continue };
            let made = made.output.clone();
            let job = match one.pending.clone() {
                Some(intent) => Job::UndoAgain { intent, made },
                None => Job::Undo { made },
            };
            return Some((step, job));
        }
        None
    }

    /// An attempt of it ended. Where it stays, what it stands on stays, too; and nothing goes on where nobody was there to
    /// say so, or where it is in doubt.
    pub fn ended(&mut self, engagement: &Engagement, step: &Address) {
        let Some(one) = record(engagement, step) else { return };
        let is_next = self.queue.contains(step);
        if one.pending.is_none() && (is_next || one.made.is_none()) {
            return;
        }
        match &one.state {
            State::Failed { failure, .. } if one.pending.is_none() && failure.was_answered() => {
                let is_held = held_by(engagement, &self.runbook, step);
                self.queue.retain(|used| !is_held(used));
            }
            _ => self.give_up(),
        }
    }

    /// The step was cut short by the end of a session: it comes first when somebody has signed in.
    pub fn pause(&mut self, step: Address) {
        let queue = if self.queue.contains(&step) { &mut self.doubts } else { &mut self.queue };
        queue.push_front(step);
        self.paused = true;
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn go_on(&mut self) {
        self.paused = false;
    }

    pub fn give_up(&mut self) {
        self.doubts.clear();
        self.queue.clear();
        self.paused = false;
    }
}

fn record<'a>(engagement: &'a Engagement, step: &Address) -> Option<&'a StepRecord> {
    engagement.record(step)
}

fn refuse(stays: &[(Address, Stays)]) -> Result<(), Refusal> {
    // Whoever names once more what an undo has let be is told so by the plan, and the others go.
    let Some((step, why)) = stays.iter().find(|(_, why)| !matches!(why, Stays::Kept(_))) else { return Ok(()) };
    let advice = match why {
        Stays::NoUndo(_) => "Take it back by hand; the runbook says why there is none".to_owned(),
        Stays::Adopted(_) => "onramp takes away only what it made".to_owned(),
        Stays::UsedBy(users) => format!("Undo {} first, or all of them together", Address::list(users)),
        Stays::Late(_) | Stays::Found(_) | Stays::Kept(_) => String::new(),
    };
    let why = match why {
        Stays::NoUndo(_) => format!("{step} has no undo"),
        Stays::UsedBy(users) => format!("{step} is still used by {}", Address::list(users)),
        why => format!("{step} stays: {why}"),
    };
    Err(Refusal::new(why, advice))
}

/// What taking these back would send now, or everything. What is in doubt is looked for first. Looks at the world
/// and changes nothing.
pub(super) async fn plan(
    engagement: Engagement,
    sight: Arc<Sight>,
    worlds: Arc<Worlds>,
    targets: Vec<Target>,
    now: At,
) -> Notice {
    let worlds = worlds.read_only();
    let runbook = &sight.runbook;
    let reach = reach(&engagement, runbook, &targets, now);
    let title = |step: &Address| runbook.step(&step.step).map_or_else(|| step.to_string(), |step| step.title.clone());
    let stays = reach.stays.into_iter().map(|(step, why)| (step.clone(), title(&step), why));
    let mut plan = UndoPlan { entries: Vec::new(), stays: stays.collect() };
    let looking = Looking { engagement: &engagement, sight: &sight, worlds: &worlds, now };
    let mut holding = Vec::new();
    for step in reach.order {
        let Some(one) = record(&engagement, &step) else { continue };
        let made = one.made.as_ref().filter(|made| made.created);
        let does = match (one.doubtful_change(), made) {
            (Some(intent), _) => looking.for_doubt(&step, intent, one.sent_until).await,
            (None, Some(made)) => looking.at_made(&step, made).await,
            (None, None) => continue,
        };
        let (doubt, found) = (one.doubtful_change().is_some(), made.is_some_and(Made::was_found));
        let until = made.and_then(|made| made.inverse.as_ref()).map_or(Until::default(), |inverse| inverse.until);
        let at = made.map_or(one.sent_until, |made| made.at);
        match does {
            Ok(does) => plan.entries.push(UndoEntry { title: title(&step), step, made: at, doubt, found, until, does }),
            Err(Left { said, holds }) => {
                holding.extend(holds.then(|| step.clone()));
                plan.stays.push((step.clone(), title(&step), Stays::Found(said)));
            }
        }
    }
    for user in holding {
        plan.hold_back(&user, held_by(&engagement, runbook, &user));
    }
    Notice::UndoPlanned(targets, Arc::new(plan))
}

/// Why the world would not have it taken back.
struct Left {
    said: String,
    /// What it stands on stays with it.
    holds: bool,
}

/// The looks of one plan.
struct Looking<'a> {
    engagement: &'a Engagement,
    sight: &'a Arc<Sight>,
    worlds: &'a Worlds,
    now: At,
}

impl Looking<'_> {
    fn prepared(&self, step: &Address, job: &Job) -> Result<Prepared, Failure> {
        let cancel = CancellationToken::new();
        prepare(self.engagement, self.sight, self.worlds, step, job, drop_output(), cancel)
    }

    async fn at_made(&self, step: &Address, made: &Made) -> Result<TakeBack, Left> {
        let recorded = || made.inverse.as_ref().map(|inverse| inverse.changes.clone()).unwrap_or_default();
        let unseen = |why: String| TakeBack::Unseen { recorded: recorded(), why };
        match self.prepared(step, &Job::Undo { made: made.output.clone() }) {
            Ok(prepared) => would_send(&prepared, &made.output).await.map(|seen| seen.unwrap_or_else(unseen)),
            Err(failure) => Ok(unseen(failure.what)),
        }
    }

    /// As the undo itself will look for it, but without waiting.
    async fn for_doubt(&self, step: &Address, intent: &Intent, since: At) -> Result<TakeBack, Left> {
        let unclear = |why: String| TakeBack::Unclear { why };
        let prepared = match self.prepared(step, &Job::LookFor { intent: intent.clone(), since }) {
            Ok(prepared) => prepared,
            Err(failure) => return Ok(unclear(failure.what)),
        };
        let output = match sought(&prepared, intent, (self.now, since)).await {
            Sought::There(output) => with(&intent.before, output),
            Sought::InPart => intent.before.clone(),
            Sought::NotOurs(said) => return Err(Left { said, holds: false }),
            Sought::NotMade(said) => return Ok(TakeBack::NotMade { said }),
            Sought::Unclear(why) => return Ok(unclear(why)),
            Sought::NotSeenYet(left) => {
                // The quiet time counts from when it can have been sent, which may still be to come.
                let seconds = (since.since(self.now) + left).as_secs();
                let changes = prepared.action.inverse(&intent.before);
                return Ok(TakeBack::NotSeenYet { seconds, changes });
            }
        };
        would_send(&prepared, &output).await.map(|seen| seen.unwrap_or_else(unclear))
    }
}

/// What a look for a change in doubt came to.
enum Sought {
    There(BTreeMap<String, Json>),
    /// Its tags tell what there is of it.
    InPart,
    NotOurs(String),
    NotMade(String),
    NotSeenYet(Duration),
    Unclear(String),
}

async fn sought(prepared: &Prepared, intent: &Intent, (now, since): (At, At)) -> Sought {
    let Prepared { action, world, .. } = prepared;
    let recalled = match tokio::time::timeout(PATIENCE, action.recall(world, intent)).await {
        Ok(recalled) => recalled,
        Err(_) => return Sought::Unclear("its script is still running: wait until it ends".to_owned()),
    };
    match recalled {
        Recalled::Nothing => {}
        Recalled::Ended(outcome) => return ended(outcome),
        Recalled::CutOff { .. } => return Sought::InPart,
        Recalled::Trouble(trouble) => return Sought::Unclear(said_of(trouble)),
    }
    let probe = action.probe(world).await;
    let passed = passed(world, now, since);
    match (recover(looked_for_as(intent.class), shown(&probe), passed), probe) {
        (_, Probe::Unknown(trouble)) => Sought::Unclear(said_of(trouble)),
        (Recovery::Adopt, Probe::Same(found)) if found.foreign && intent.before.is_empty() => {
            Sought::NotOurs(found.said)
        }
        (Recovery::Adopt, Probe::Same(found)) => Sought::There(found.output),
        (Recovery::Repeat, Probe::Absent { said }) => Sought::NotMade(said),
        (Recovery::Repeat, _) => Sought::InPart,
        (Recovery::LookAgain(left), _) => Sought::NotSeenYet(left),
        _ => Sought::Unclear(ONLY_A_PERSON.to_owned()),
    }
}

/// As the far side itself tells it.
fn ended(outcome: Outcome) -> Sought {
    match outcome {
        Outcome::Changed { created: true, output, .. } => Sought::There(output),
        Outcome::Changed { said, .. } => Sought::NotOurs(said),
        Outcome::Failed { failure } if !failure.changed.is_empty() => Sought::There(failure.made),
        Outcome::Failed { failure } => Sought::NotMade(failure.what),
        Outcome::NotMade { said } | Outcome::AlreadySo { said, .. } | Outcome::Stays { said } => Sought::NotMade(said),
        Outcome::InDoubt { why } => Sought::Unclear(why),
    }
}

/// What an undo of it would send; or why that could not be seen.
async fn would_send(prepared: &Prepared, made: &BTreeMap<String, Json>) -> Result<Result<TakeBack, String>, Left> {
    match prepared.action.undoes(&prepared.world, made).await {
        Undoes::Sends(changes) => Ok(Ok(TakeBack::Send(changes))),
        Undoes::Nothing => Ok(Ok(TakeBack::Nothing)),
        Undoes::Leaves { said } => Err(Left { said, holds: true }),
        Undoes::Keeps { said } => Err(Left { said, holds: false }),
        Undoes::Unknown(trouble) => Ok(Err(said_of(trouble))),
    }
}

fn said_of(trouble: Trouble) -> String {
    match trouble {
        Trouble::Failure(failure) => failure.what,
        Trouble::Question(_) => "a person must answer a question first".to_owned(),
    }
}
