//! What can run next, and who waits for whom: every step with its status.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Address;
use super::event::{At, DoneHow, Failure, Question};
use super::scope::{ScopeMode, call, expand, scope};
use super::state::{Engagement, Stage, State};
use super::update::is_outdated;
use super::wait::Wait;
use crate::input::InputId;
use crate::runbook::{Field, Item, Party, Runbook, Scope, Step, StepId, Unrendered, Work};

/// All steps of an engagement, in the order of the page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Board {
    pub rows: Vec<Row>,
    pub tally: Tally,
}

/// One step, or one instance of a repeated one.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub address: Address,
    pub title: String,
    pub owner: Party,
    pub status: Status,
    pub touches_world: bool,
    /// It is done, and the runbook would do it otherwise now: a person looks at it again, or keeps it.
    pub outdated: bool,
}

impl Row {
    /// Does it wait on something that onramp can look at by itself?
    pub fn can_be_looked_at(&self) -> bool {
        matches!(&self.status, Status::Waiting(wait) if !wait.by_hand) && self.touches_world
    }
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Its condition does not hold: another branch was chosen.
    NotNeeded,
    NeedsInput(Vec<InputId>),
    /// Steps that have to be done before.
    Blocked(Vec<StepId>),
    /// Its condition or its list cannot be told yet.
    Unclear(String),
    Ready,
    /// The change is made; the check goes on.
    ReadyToVerify,
    /// A person has to do it and sign it off.
    SignOff,
    Running {
        stage: Stage,
        since: At,
    },
    NeedsApproval,
    /// Somebody else must move.
    Waiting(Wait),
    Asked(Question),
    InDoubt {
        why: String,
        since: At,
    },
    Done {
        how: DoneHow,
        at: At,
    },
    Failed(Failure),
    Skipped {
        reason: String,
    },
    Undone,
    /// It was taken back as far as it goes: what was made is there, as it is meant to be, and why.
    Stays {
        said: String,
    },
}

/// How many steps stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub total: usize,
    pub done: usize,
    pub ready: usize,
    pub running: usize,
    pub failed: usize,
    /// Somebody outside, or a person here, must move: input, approval, sign-off, question, doubt.
    pub person: usize,
    pub waiting: usize,
    pub blocked: usize,
    /// Of those that are done: how many the runbook would do otherwise now.
    pub outdated: usize,
}

impl Status {
    /// Nothing more will happen to it, and what needs it may go on.
    pub fn settled(&self) -> bool {
        matches!(self, Status::NotNeeded | Status::Done { .. } | Status::Skipped { .. })
    }

    /// It was taken back, whether or not what was made is gone; it does not come back by itself.
    pub fn was_undone(&self) -> bool {
        matches!(self, Status::Undone | Status::Stays { .. })
    }

    /// The engine may start it now.
    pub fn runnable(&self) -> bool {
        matches!(self, Status::Ready | Status::ReadyToVerify)
    }

    /// A person of ours must do something before it can go on.
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Status::NeedsInput(_)
                | Status::SignOff
                | Status::NeedsApproval
                | Status::Asked(_)
                | Status::InDoubt { .. }
                | Status::Undone
                | Status::Stays { .. }
        )
    }

    /// One or two words.
    pub fn word(&self) -> &'static str {
        match self {
            Status::NotNeeded => "not needed",
            Status::NeedsInput(_) => "needs input",
            Status::Blocked(_) | Status::Unclear(_) => "blocked",
            Status::Ready => "ready",
            Status::ReadyToVerify => "to verify",
            Status::SignOff => "sign-off",
            Status::Running { stage: Stage::Probing, .. } => "probing",
            Status::Running { stage: Stage::Resuming, .. } => "resuming",
            Status::Running { stage: Stage::Applying, .. } => "applying",
            Status::Running { stage: Stage::Verifying, .. } => "verifying",
            Status::Running { stage: Stage::Undoing, .. } => "undoing",
            Status::NeedsApproval => "needs approval",
            Status::Waiting { .. } => "waiting",
            Status::Asked(_) => "asks",
            Status::InDoubt { .. } => "in doubt",
            Status::Done { .. } => "done",
            Status::Failed(_) => "failed",
            Status::Skipped { .. } => "skipped",
            Status::Undone => "undone",
            Status::Stays { .. } => "stays",
        }
    }
}

impl Board {
    pub fn row(&self, address: &Address) -> Option<&Row> {
        self.rows.iter().find(|row| &row.address == address)
    }

    /// Changes that may or may not have been made.
    pub fn doubts(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| matches!(row.status, Status::InDoubt { .. }))
    }

    /// The first step that somebody or onramp can move, in the order of the page: where the work goes on.
    pub fn next(&self) -> Option<&Row> {
        let moves = self.rows.iter().filter_map(|row| Some((Urgency::of(row, None)?, row)));
        moves.min_by_key(|(urgency, _)| *urgency).map(|(_, row)| row)
    }

    /// Everything that somebody or onramp can move, the most urgent first: a wait that is over its time comes before the
    /// work that goes on anyway, because nobody else will think of it.
    pub fn agenda(&self, now: At) -> Vec<&Row> {
        let moves = self.rows.iter().filter_map(|row| Some((Urgency::of(row, Some(now))?, row)));
        let mut moves: Vec<(Urgency, &Row)> = moves.collect();
        moves.sort_by_key(|(urgency, _)| *urgency);
        moves.into_iter().map(|(_, row)| row).collect()
    }
}

/// How soon somebody should look at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// It failed, asks, or is in doubt.
    Stuck,
    Overdue,
    Open,
    Outdated,
    Waiting,
}

impl Urgency {
    /// Without a moment no wait is over its time.
    fn of(row: &Row, now: Option<At>) -> Option<Urgency> {
        match &row.status {
            Status::Failed(_) | Status::InDoubt { .. } | Status::Asked(_) => Some(Urgency::Stuck),
            Status::Waiting(wait) if now.is_some_and(|now| wait.overdue(now).is_some()) => Some(Urgency::Overdue),
            status if status.runnable() || status.needs_person() => Some(Urgency::Open),
            _ if row.outdated => Some(Urgency::Outdated),
            Status::Waiting(_) => Some(Urgency::Waiting),
            _ => None,
        }
    }
}

/// The step that has taken away again what this one made, where that is how it was meant.
pub fn taken_away_by<'a>(engagement: &Engagement, runbook: &'a Runbook, step: &Address) -> Option<&'a StepId> {
    let until = runbook.step(&step.step)?.until.as_ref()?;
    let mut there = engagement.steps.iter().filter(|(address, _)| &address.step == until).peekable();
    there.peek()?;
    there.all(|(_, record)| matches!(record.state, State::Done { .. })).then_some(until)
}

/// Does the step go on without this host?
pub fn is_left_out(engagement: &Engagement, runbook: &Runbook, step: &StepId, host: &str) -> bool {
    engagement.left_out.contains_key(host) && runbook.step(step).is_some_and(Step::over_hosts)
}

/// Works out where every step stands.
pub fn board(engagement: &Engagement, runbook: &Runbook) -> Board {
    board_within(engagement, runbook, &scope(engagement, runbook, ScopeMode::Real))
}

/// The same, where the real scope is at hand.
pub fn board_within(engagement: &Engagement, runbook: &Runbook, scope: &Scope) -> Board {
    let mut rows: Vec<(&Step, Row)> = Vec::new();
    for step in runbook.steps() {
        rows.extend(own_rows(engagement, runbook, step, scope).into_iter().map(|row| (step, row)));
    }
    let settled = Settled::of(&rows);
    let needs: BTreeMap<&StepId, Vec<&Step>> = runbook
        .steps()
        .map(|step| (&step.id, step.needs.iter().filter_map(|need| runbook.step(need)).collect()))
        .collect();
    let blocked = |(step, row): &(&Step, Row)| -> Vec<StepId> {
        let open = |need: &&&Step| !settled.lets_on(step, row.address.key.as_deref(), need);
        needs.get(&step.id).into_iter().flatten().filter(open).map(|need| need.id.clone()).collect()
    };
    let blocked: Vec<Vec<StepId>> =
        rows.iter().map(|one| if blockable(one.0, &one.1.status) { blocked(one) } else { Vec::new() }).collect();
    let mut board = Board::default();
    for ((_, mut row), by) in rows.into_iter().zip(blocked) {
        if !by.is_empty() {
            row.status = Status::Blocked(by);
        }
        board.tally.count(&row.status);
        board.tally.outdated += usize::from(row.outdated);
        board.rows.push(row);
    }
    board
}

/// Steps of which nothing more is to come, whole and host by host.
struct Settled {
    open: BTreeSet<StepId>,
    /// Of steps that are repeated: which instances are settled.
    instances: HashMap<StepId, HashMap<String, bool>>,
}

impl Settled {
    fn of(rows: &[(&Step, Row)]) -> Self {
        let mut settled = Settled { open: BTreeSet::new(), instances: HashMap::new() };
        for (step, row) in rows {
            let over = row.status.settled();
            if !over {
                settled.open.insert(step.id.clone());
            }
            if let Some(key) = &row.address.key {
                settled.instances.entry(step.id.clone()).or_default().insert(key.clone(), over);
            }
        }
        settled
    }

    /// May an instance of `step` begin, as far as `need` is concerned? What is done host by host goes on host by host.
    fn lets_on(&self, step: &Step, key: Option<&str>, need: &Step) -> bool {
        let same_host = key.filter(|_| step.follows_on_each_host(need));
        let instance = same_host.and_then(|key| self.instances.get(&need.id)?.get(key));
        instance.copied().unwrap_or_else(|| !self.open.contains(&need.id))
    }
}

/// Statuses that unfinished predecessors override: the step has not begun. What a person was asked and has not signed yet is
/// asked about something that is not so any more.
fn blockable(step: &Step, status: &Status) -> bool {
    match status {
        Status::Ready | Status::SignOff | Status::Unclear(_) | Status::NeedsInput(_) => true,
        Status::Waiting(wait) => !wait.by_hand && matches!(step.work, Work::Manual(_)),
        _ => false,
    }
}

fn own_rows(engagement: &Engagement, runbook: &Runbook, step: &Step, scope: &Scope) -> Vec<Row> {
    let row = |key: Option<&str>, status: Status| Row {
        address: Address::new(step.id.clone(), key.map(str::to_owned)),
        title: step.title.clone(),
        owner: step.owner,
        status,
        touches_world: step.touches_world(),
        outdated: false,
    };
    match expand(step, scope) {
        Ok(items) if items.is_empty() => vec![row(None, Status::NotNeeded)],
        Ok(items) => items
            .iter()
            .map(|item| {
                let key = item.as_ref().map(|item: &Item| item.key.as_str());
                let found = row(key, status(engagement, runbook, step, item.as_ref(), scope));
                let outdated = is_outdated(engagement, &found.address);
                Row { outdated: outdated && matches!(found.status, Status::Done { .. }), ..found }
            })
            .collect(),
        Err(Unrendered::Missing { name }) => vec![row(None, unknown_yet(runbook, name))],
        Err(Unrendered::Wrong { message }) => vec![row(None, Status::Unclear(message))],
    }
}

fn unknown_yet(runbook: &Runbook, name: String) -> Status {
    match runbook.fields.keys().find(|id| id.as_str() == name) {
        Some(id) => Status::NeedsInput(vec![id.clone()]),
        None => Status::Unclear(format!("{name} is not known yet")),
    }
}

fn status(engagement: &Engagement, runbook: &Runbook, step: &Step, item: Option<&Item>, scope: &Scope) -> Status {
    let key = item.map(|item| item.key.as_str());
    let address = Address::new(step.id.clone(), key.map(str::to_owned));
    let state = engagement.state(&address);
    let goes_on =
        matches!(state, State::Running { .. } | State::Applied { .. } | State::InDoubt { .. } | State::Done { .. });
    if let Some(left_out) = key.filter(|_| step.over_hosts() && !goes_on).and_then(|key| engagement.left_out.get(key)) {
        return Status::Skipped { reason: format!("the host is left out: {}", left_out.reason) };
    }
    let missing = missing_inputs(engagement, runbook, step, scope);
    let by_hand = matches!(state, State::Waiting { wait, .. } if wait.by_hand);
    if !missing.is_empty() && !by_hand && !matches!(state, State::Skipped { .. }) {
        return Status::NeedsInput(missing);
    }
    let unseen = unseen_inputs(engagement, runbook, step, scope);
    if !unseen.is_empty() && matches!(state, State::Idle) {
        return Status::NeedsInput(unseen);
    }
    match state {
        // The answers that were waited for have come.
        State::Waiting { .. } if missing.is_empty() && unseen.is_empty() && !step.asks().is_empty() => Status::Ready,
        // Nobody signs what nobody can read.
        State::Idle if matches!(step.work, Work::Manual(_)) => match call(step, item, scope) {
            Ok(_) => Status::SignOff,
            Err(Unrendered::Missing { name }) => unknown_yet(runbook, name),
            Err(Unrendered::Wrong { message }) => Status::Unclear(message),
        },
        State::Idle => Status::Ready,
        State::Running { stage, since, .. } => Status::Running { stage: *stage, since: *since },
        State::Applied { .. } => Status::ReadyToVerify,
        State::Held { .. } => Status::NeedsApproval,
        State::Waiting { wait, .. } => Status::Waiting(wait.clone()),
        State::Asked { question, .. } => Status::Asked(question.clone()),
        State::InDoubt { why, since, .. } => Status::InDoubt { why: why.clone(), since: *since },
        State::Done { how, at, .. } => Status::Done { how: *how, at: *at },
        State::Failed { failure, .. } => Status::Failed(failure.clone()),
        State::Skipped { reason, .. } => Status::Skipped { reason: reason.clone() },
        State::Undone { stays: Some(said), .. } => Status::Stays { said: said.clone() },
        State::Undone { stays: None, .. } => Status::Undone,
    }
}

/// The inputs a form still waits for: asked for here, wanted by their own condition, not to be left out, not given.
fn missing_inputs(engagement: &Engagement, runbook: &Runbook, step: &Step, scope: &Scope) -> Vec<InputId> {
    let missing = |field: &&Field| !field.may_stay_empty(scope) && engagement.input(field.id.as_str()).is_none();
    asked(runbook, step, scope).filter(missing).map(|field| field.id.clone()).collect()
}

/// A form that wants nothing would close before anybody has seen it. So one whose inputs are all optional, none of them
/// given, stays open until a person accepts it as it is (`Command::AcceptForm`); a run without a screen does so itself.
fn unseen_inputs(engagement: &Engagement, runbook: &Runbook, step: &Step, scope: &Scope) -> Vec<InputId> {
    let seen = |field: &Field| !field.may_stay_empty(scope) || engagement.input(field.id.as_str()).is_some();
    if asked(runbook, step, scope).any(seen) {
        return Vec::new();
    }
    asked(runbook, step, scope).map(|field| field.id.clone()).collect()
}

/// The fields of a form that their own conditions want now.
fn asked<'a>(runbook: &'a Runbook, step: &'a Step, scope: &Scope) -> impl Iterator<Item = &'a Field> {
    let applies = |field: &&Field| field.when.as_ref().is_none_or(|when| when.truth(scope).unwrap_or(false));
    step.asks().iter().filter_map(|id| runbook.fields.get(id)).filter(applies)
}

/// An open form of which nothing has to be given: a person only has to see it once.
pub fn may_stay_empty(engagement: &Engagement, runbook: &Runbook, row: &Row) -> bool {
    let Status::NeedsInput(inputs) = &row.status else { return false };
    let asks = runbook.step(&row.address.step).map(Step::asks).unwrap_or_default();
    let scope = scope(engagement, runbook, ScopeMode::Real);
    let field = |id: &InputId| runbook.fields.get(id).filter(|field| asks.contains(&field.id));
    inputs.iter().all(|id| field(id).is_some_and(|field| field.may_stay_empty(&scope)))
}

impl Tally {
    fn count(&mut self, status: &Status) {
        if matches!(status, Status::NotNeeded) {
            return;
        }
        self.total += 1;
        match status {
            Status::NotNeeded => {}
            Status::Done { .. } | Status::Skipped { .. } => self.done += 1,
            Status::Ready | Status::ReadyToVerify => self.ready += 1,
            Status::Running { .. } => self.running += 1,
            Status::Failed(_) => self.failed += 1,
            Status::Waiting { .. } => self.waiting += 1,
            Status::Blocked(_) | Status::Unclear(_) => self.blocked += 1,
            _ => self.person += 1,
        }
    }

    pub fn all_done(&self) -> bool {
        self.done == self.total
    }
}
