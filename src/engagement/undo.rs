//! Taking back: what can be, in which order, and why the rest stays. Nothing here looks at the world.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::event::{At, Event, Until};
use super::state::{Engagement, State, StepRecord};
use super::target::Target;
use super::ways::{Ways, standing};
use super::{Address, Change};
use crate::runbook::{Runbook, StepId, Work};

/// What an undo of some steps would touch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reach {
    /// Steps that can be taken back, in the order in which that is done; some of them may still be in doubt.
    pub order: Vec<Address>,
    pub stays: Vec<(Address, Stays)>,
}

/// Why something that was made, or taken over, stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// The runbook says why there is no undo.
    NoUndo(String),
    /// It was there before, and a person said that it is the one.
    Adopted(String),
    /// It was safe to take back until then; by its name alone it still can be.
    Late(At),
    /// Other steps stand on it.
    UsedBy(Vec<Address>),
    /// The world says that it is not ours (any more), or could not be asked.
    Found(String),
    /// An undo has let it be, as it is meant to stay.
    Kept(String),
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stays::NoUndo(why) if why.is_empty() => write!(f, "it has no undo"),
            Stays::NoUndo(why) => write!(f, "it has no undo: {why}"),
            Stays::Adopted(id) => write!(f, "{id} was there before; onramp did not make it"),
            Stays::Late(until) => {
                write!(f, "it was safe to take back until {until}; name the step to do it all the same")
            }
            Stays::UsedBy(users) => write!(f, "it is still used by {}", Address::list(users)),
            Stays::Found(said) | Stays::Kept(said) => f.write_str(said),
        }
    }
}

impl Serialize for Stays {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an undo would do, as it is shown before somebody agrees to it. Its JSON form is stable.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct UndoPlan {
    /// In the order in which it is done: what stands on something goes before it.
    pub entries: Vec<UndoEntry>,
    /// What stays, with its title and the reason.
    pub stays: Vec<(Address, String, Stays)>,
}

/// One step of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UndoEntry {
    pub step: Address,
    pub title: String,
    /// When it was made; of what is in doubt, until when it can have been sent.
    pub made: At,
    /// Nobody has written down that it was made: it is looked for.
    pub doubt: bool,
    /// It was found, and its tags said that this engagement made it.
    pub found: bool,
    pub until: Until,
    pub does: TakeBack,
}

/// How one step is taken back, as far as a look can tell now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeBack {
    /// Every call or script, in order.
    Send(Vec<Change>),
    /// It is not there any more: only the ledger is cleared.
    Nothing,
    /// It may have been made, but it is not there, and by now that is certain: only the doubt is cleared.
    NotMade { said: String },
    /// It may have been made, and not to see it says nothing yet: it is looked for for so much longer, and if it turns up,
    /// this takes it away.
    NotSeenYet { seconds: u64, changes: Vec<Change> },
    /// Nobody can tell whether it was made, and why: nothing is taken back before somebody can.
    Unclear { why: String },
    /// What is there could not be seen, and why; this was written down when it was made.
    Unseen { recorded: Vec<Change>, why: String },
}

/// What is lost with a call that takes away, beside the thing itself, and does not come back when it is made again.
fn lost_by(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "TerminateInstances" => "the host goes, with what is on its disks",
        "DeleteConnection" | "DeleteLag" => {
            "the line goes back: another one is ordered, connected in the building, and billed anew"
        }
        "DeleteVirtualInterface" => "what goes over the line is cut off at once",
        "DeleteVpnConnection" => {
            "its tunnels end; made again they have other addresses, and the customer's router is set anew"
        }
        "DeleteHostedZone" => "its records go; a zone that is made again has other name servers",
        "ReleaseAddress" => "the address goes back to AWS, and another one comes in its place",
        "DeleteEmailIdentity" => "mail of the domain is refused; made again it has other keys to publish",
        "DeleteResolverEndpoint" => "its addresses answer nobody any more",
        "DeleteNatGateway" => "the hosts behind it reach nothing outside",
        "DeleteDBInstance" => "the database goes",
        _ => return None,
    })
}

impl TakeBack {
    /// Calls and scripts, as far as they are known; also those that may turn out not to be needed.
    pub fn changes(&self) -> &[Change] {
        match self {
            TakeBack::Send(changes)
            | TakeBack::Unseen { recorded: changes, .. }
            | TakeBack::NotSeenYet { changes, .. } => changes,
            TakeBack::Nothing | TakeBack::NotMade { .. } | TakeBack::Unclear { .. } => &[],
        }
    }
}

impl UndoEntry {
    /// What taking it back loses for good, each once.
    pub fn loses(&self) -> BTreeSet<&'static str> {
        self.does.changes().iter().filter_map(|change| lost_by(&change.operation)).collect()
    }
}

impl UndoPlan {
    /// Calls and scripts, as far as they are known; also those that may turn out not to be needed.
    pub fn changes(&self) -> usize {
        self.entries.iter().map(|entry| entry.does.changes().len()).sum()
    }

    /// That step stays, and what it stands on with it.
    pub fn hold_back(&mut self, user: &Address, is_held: impl Fn(&Address) -> bool) {
        let (held, entries) = std::mem::take(&mut self.entries).into_iter().partition(|entry| is_held(&entry.step));
        self.entries = entries;
        let stays = |entry: UndoEntry| (entry.step, entry.title, Stays::UsedBy(vec![user.clone()]));
        self.stays.extend(held.into_iter().map(stays));
    }

    /// Steps of which nobody can tell whether they made anything. Nothing is taken back while there is one: not to see it
    /// is not to know that it is not there.
    pub fn unclear(&self) -> Vec<&Address> {
        let unclear = self.entries.iter().filter(|entry| matches!(entry.does, TakeBack::Unclear { .. }));
        unclear.map(|entry| &entry.step).collect()
    }

    /// What it loses for good, and by which steps.
    pub fn losses(&self) -> BTreeMap<&'static str, Vec<&str>> {
        let mut losses: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
        for entry in &self.entries {
            for lost in entry.loses() {
                let titles = losses.entry(lost).or_default();
                if !titles.contains(&entry.title.as_str()) {
                    titles.push(&entry.title);
                }
            }
        }
        losses
    }

    /// What still uses something that was named, each once.
    pub fn users(&self) -> BTreeSet<Address> {
        let users = self.stays.iter().filter_map(|(_, _, stays)| match stays {
            Stays::UsedBy(users) => Some(users),
            _ => None,
        });
        users.flatten().cloned().collect()
    }

    /// One line: how much, and how much stays.
    pub fn summary(&self) -> String {
        let stays = match self.stays.len() {
            0 => String::new(),
            1 => "; 1 step stays".to_owned(),
            stays => format!("; {stays} steps stay"),
        };
        let unclear = match self.unclear().len() {
            0 => String::new(),
            unclear => format!("; {} cannot be told", crate::text::count(unclear, "step")),
        };
        let perhaps = self.entries.iter().any(|entry| matches!(entry.does, TakeBack::NotSeenYet { .. }));
        format!(
            "{}{} in {}{unclear}{stays}",
            if perhaps { "up to " } else { "" },
            crate::text::count(self.changes(), "change"),
            crate::text::count(self.entries.len(), "step")
        )
    }
}

/// Can onramp take it back at all?
pub(super) fn has_undo(runbook: &Runbook, step: &Address) -> Result<(), String> {
    match runbook.step(&step.step) {
        None => Err("the runbook does not have it any more".to_owned()),
        Some(found) => match (&found.work, &found.no_undo) {
            (Work::Shell(shell), why) if shell.undo.is_none() => Err(why.clone().unwrap_or_default()),
            (Work::Shell(_), _) | (_, None) => Ok(()),
            (_, Some(why)) => Err(why.clone()),
        },
    }
}

pub(super) fn until(record: &StepRecord) -> Until {
    let inverse = record.made.as_ref().and_then(|made| made.inverse.as_ref());
    inverse.map(|inverse| inverse.until).unwrap_or_default()
}

/// Which steps stay for as long as that one stands: it hangs on them, and the runbook does not say that they may go all the
/// same.
pub fn held_by<'a>(
    engagement: &'a Engagement,
    runbook: &Runbook,
    user: &'a Address,
) -> impl Fn(&Address) -> bool + use<'a> {
    let needs = Ways::of(engagement, runbook).behind(&user.step);
    move |used| {
        let always = engagement.record(used).is_some_and(|record| until(record) == Until::Always);
        !always && user.step != used.step && needs.contains(&used.step)
    }
}

/// What follows from these events: whatever hangs on a step that was undone has to be done, or seen, anew. Answers stay, and
/// so does what a person has skipped, or put on waiting.
pub fn loosened(engagement: &Engagement, runbook: &Runbook, events: &[Event]) -> Vec<Event> {
    let undone = events.iter().filter_map(|event| match event {
        Event::Undone { step, stays: false, .. } => Some(step),
        _ => None,
    });
    let mut undone = undone.peekable();
    if undone.peek().is_none() {
        return Vec::new();
    }
    let ways = Ways::of(engagement, runbook);
    let mut loosened = Vec::new();
    for gone in undone {
        let hangs = ways.after(gone);
        let users = engagement.steps.iter().filter(|(step, _)| hangs(step));
        let open = users.filter(|(step, record)| loosens(runbook, step, record));
        loosened.extend(open.map(|(step, _)| Event::Reopened { step: step.clone(), undone: Some(gone.clone()) }));
    }
    loosened
}

fn loosens(runbook: &Runbook, step: &Address, record: &StepRecord) -> bool {
    let is_answer = runbook.step(&step.step).is_none_or(|step| !step.asks().is_empty());
    // What can be taken back is, or holds what it stands on.
    let goes_itself = record.may_stand() && has_undo(runbook, step).is_ok();
    let has_begun = match &record.state {
        State::Done { .. } | State::Failed { .. } | State::Asked { .. } | State::Held { .. } => true,
        State::Waiting { wait, .. } => !wait.by_hand,
        _ => false,
    };
    has_begun && !is_answer && !goes_itself
}

/// Works out what taking these back means, or everything when nothing is named.
pub fn reach(engagement: &Engagement, runbook: &Runbook, targets: &[Target], now: At) -> Reach {
    let mut reach = Reach::default();
    let wanted = |step: &Address| targets.is_empty() || targets.iter().any(|target| target.covers(step));
    let named = |step: &Address| targets.iter().any(|target| target.covers(step) && matches!(target, Target::Step(_)));
    for (step, record) in engagement.steps.iter().filter(|(step, _)| wanted(step)) {
        if let Some(id) = &record.adopted {
            reach.stays.push((step.clone(), Stays::Adopted(id.clone())));
        }
        if let Some(said) = record.stays() {
            reach.stays.push((step.clone(), Stays::Kept(said.to_owned())));
        }
        if !record.may_stand() {
            continue;
        }
        match (has_undo(runbook, step), until(record)) {
            (Err(why), _) => reach.stays.push((step.clone(), Stays::NoUndo(why))),
            (Ok(()), Until::Moment(end)) if now > end && !named(step) => {
                reach.stays.push((step.clone(), Stays::Late(end)));
            }
            (Ok(()), _) => reach.order.push(step.clone()),
        }
    }
    let ways = Ways::of(engagement, runbook);
    let needs: BTreeMap<&StepId, BTreeSet<StepId>> =
        standing(engagement).map(|(step, _)| (&step.step, ways.behind(&step.step))).collect();
    let hangs_on = |user: &Address, used: &Address| {
        user.step != used.step && needs.get(&user.step).is_some_and(|needs| needs.contains(&used.step))
    };
    // What is not taken back holds what it stands on; what has no undo stays whatever happens, and holds nothing.
    let mut held_back = Vec::new();
    loop {
        let holds = |user: &Address| {
            let record = engagement.record(user);
            record.is_some_and(StepRecord::may_stand) && !reach.order.contains(user) && has_undo(runbook, user).is_ok()
        };
        let held = reach.order.iter().find(|used| {
            let always = engagement.record(used).is_some_and(|record| until(record) == Until::Always);
            !always && engagement.steps.keys().any(|user| holds(user) && hangs_on(user, used))
        });
        let Some(used) = held.cloned() else { break };
        reach.order.retain(|step| step != &used);
        held_back.push(used);
    }
    let stands = |user: &&Address| {
        let record = engagement.record(user);
        record.is_some_and(StepRecord::may_stand) && !reach.order.contains(user) && has_undo(runbook, user).is_ok()
    };
    for used in held_back {
        let users = engagement.steps.keys().filter(stands).filter(|user| hangs_on(user, &used)).cloned().collect();
        reach.stays.push((used, Stays::UsedBy(users)));
    }
    reach.order = in_order(engagement, reach.order, hangs_on);
    reach
}

/// What hangs on something goes before it; among steps that do not depend on each other the newest goes first.
fn in_order(
    engagement: &Engagement,
    mut steps: Vec<Address>,
    hangs_on: impl Fn(&Address, &Address) -> bool,
) -> Vec<Address> {
    // What is in doubt is the newest there is.
    let age = |step: &Address| {
        let record = engagement.record(step);
        record.and_then(|record| record.made.as_ref()).map_or(u64::MAX, |made| made.seq)
    };
    steps.sort_by_key(|step| std::cmp::Reverse(age(step)));
    let mut order = Vec::new();
    while !steps.is_empty() {
        let free = |used: &&Address| !steps.iter().any(|user| hangs_on(user, used));
        // A circle cannot be: the runbook has none. Whatever is first would end one.
        let next = steps.iter().position(|step| free(&step)).unwrap_or(0);
        order.push(steps.remove(next));
    }
    order
}
