//! What is being taken back, and how far it has come.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::attempt::Job;
use super::handle::Notice;
use super::start::{drop_output, prepare};
use crate::action::{Trouble, Undoes, Worlds};
use crate::engagement::{
    Address, At, Engagement, Made, Refusal, Stays, StepRecord, TakeBack, UndoEntry, UndoPlan, Until, reach,
};
use crate::runbook::Runbook;

/// An undo under way: doubts are cleared up by looking first, then everything is taken back, one at a time.
#[derive(Debug)]
pub(super) struct Undoing {
    doubts: VecDeque<Address>,
    queue: VecDeque<Address>,
}

impl Undoing {
    /// Takes these steps back, or all when none is named.
    ///
    /// # Errors
    /// A step that is named cannot be taken back; nothing is.
    pub fn new(engagement: &Engagement, runbook: &Runbook, steps: &[Address], now: At) -> Result<Undoing, Refusal> {
        let reach = reach(engagement, runbook, steps, now);
        if !steps.is_empty() {
            refuse(&reach.stays)?;
        }
        let in_doubt = |step: &&Address| record(engagement, step).is_some_and(|one| one.doubtful_change().is_some());
        let doubts = reach.order.iter().filter(in_doubt).cloned().collect();
        Ok(Undoing { doubts, queue: reach.order.into() })
    }

    /// The next step, and what is to be done with it.
    pub fn next(&mut self, engagement: &Engagement) -> Option<(Address, Job)> {
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

    /// An attempt of it ended. What it was about may have come to nothing: then things that it stands on stay.
    pub fn ended(&mut self, engagement: &Engagement, step: &Address) {
        let Some(one) = record(engagement, step) else { return };
        let is_next = self.queue.contains(step);
        let looked = is_next && one.pending.is_none();
        let taken_back = !is_next && one.made.is_none() && one.pending.is_none();
        if !looked && !taken_back {
            self.give_up();
        }
    }

    pub fn give_up(&mut self) {
        self.doubts.clear();
        self.queue.clear();
    }
}

fn record<'a>(engagement: &'a Engagement, step: &Address) -> Option<&'a StepRecord> {
    engagement.record(step)
}

fn refuse(stays: &[(Address, Stays)]) -> Result<(), Refusal> {
    let Some((step, why)) = stays.first() else { return Ok(()) };
    let advice = match why {
        Stays::NoUndo(_) => "Take it back by hand; the runbook says why there is none".to_owned(),
        Stays::Adopted(_) => "onramp takes away only what it made".to_owned(),
        Stays::UsedBy(user) => format!("Undo {user} first, or both together"),
        Stays::Late(_) | Stays::Found(_) => String::new(),
    };
    let why = match why {
        Stays::NoUndo(_) => format!("{step} has no undo"),
        Stays::UsedBy(user) => format!("{step} is still used by {user}"),
        why => format!("{step} stays: {why}"),
    };
    Err(Refusal { why, advice })
}

/// What taking these steps back would send now, or all of them. Looks at the world and changes nothing.
pub(super) async fn plan(
    engagement: Engagement,
    runbook: Arc<Runbook>,
    worlds: Arc<Worlds>,
    steps: Vec<Address>,
    now: At,
) -> Notice {
    let worlds = worlds.read_only();
    let reach = reach(&engagement, &runbook, &steps, now);
    let title = |step: &Address| runbook.step(&step.step).map_or_else(|| step.to_string(), |step| step.title.clone());
    let stays = reach.stays.into_iter().map(|(step, why)| (step.clone(), title(&step), why));
    let mut plan = UndoPlan { entries: Vec::new(), stays: stays.collect() };
    for step in reach.order {
        let made = record(&engagement, &step).and_then(|one| one.made.as_ref()).filter(|made| made.created);
        let does = match made {
            None => Ok(TakeBack::Look),
            Some(made) => would_send(&engagement, &runbook, &worlds, &step, made).await,
        };
        let until = made.and_then(|made| made.inverse.as_ref()).map_or(Until::default(), |inverse| inverse.until);
        let at = made.map_or(engagement.at, |made| made.at);
        match does {
            Ok(does) => plan.entries.push(UndoEntry { title: title(&step), step, made: at, until, does }),
            Err(said) => plan.stays.push((step.clone(), title(&step), Stays::Found(said))),
        }
    }
    Notice::UndoPlanned(steps, Arc::new(plan))
}

/// Err is why the world would not have it taken back.
async fn would_send(
    engagement: &Engagement,
    runbook: &Runbook,
    worlds: &Worlds,
    step: &Address,
    made: &Made,
) -> Result<TakeBack, String> {
    let recorded = || made.inverse.as_ref().map(|inverse| inverse.changes.clone()).unwrap_or_default();
    let job = Job::Undo { made: made.output.clone() };
    let cancel = CancellationToken::new();
    let prepared = match prepare(engagement, runbook, worlds, step, &job, drop_output(), cancel) {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(TakeBack::Unseen { recorded: recorded(), why: failure.what }),
    };
    match prepared.action.undoes(&prepared.world, &made.output).await {
        Undoes::Sends(changes) => Ok(TakeBack::Send(changes)),
        Undoes::Nothing => Ok(TakeBack::Nothing),
        Undoes::Leaves { said } => Err(said),
        Undoes::Unknown(Trouble::Failure(failure)) => Ok(TakeBack::Unseen { recorded: recorded(), why: failure.what }),
        Undoes::Unknown(Trouble::Question(_)) => {
            Ok(TakeBack::Unseen { recorded: recorded(), why: "a person must answer a question first".to_owned() })
        }
    }
}
