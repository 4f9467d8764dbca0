//! Every probe and no apply: what would change. And every verify again: what drifted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use serde_json::Value as Json;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::attempt::{Job, finding};
use super::handle::Notice;
use super::schedule::{HOSTS_TOGETHER, TOGETHER};
use super::sight::{Sight, View};
use super::start::{Prepared, drop_output, prepare, subject};
use crate::action::{Action, Found, Probe, Rehearsing, Trouble, Verified, World, Worlds, build};
use crate::engagement::{
    Address, Asking, Board, Call, Change, Engagement, Finding, FindingKind, Leave, Plan, PlanEntry, Question,
    Rehearsal, State, Status, Verdict, asking, board_within, bound, call, taken_away_by, takes,
};
use crate::input::InputId;
use crate::runbook::{Item, Scope, Step, StepId, Unrendered, Work};

/// Asks every probe that can be asked now. Changes nothing: the way to AWS it uses refuses mutating calls. With `rehearse`,
/// AWS is also asked whether these credentials may make the calls.
pub(super) async fn plan(engagement: Engagement, sight: Arc<Sight>, worlds: Arc<Worlds>, rehearse: bool) -> Plan {
    let rehearsing = rehearse.then(|| worlds.rehearsing());
    let worlds = worlds.read_only();
    let mut facts = Facts { rehearsing, ..Facts::new(&engagement, &sight) };
    let mut instances = Vec::new();
    for step in sight.runbook.steps() {
        match facts.plan.expand(step) {
            Ok(items) => instances.extend(items.into_iter().map(|item| (step, Ok(item)))),
            Err(why) => instances.push((step, Err(why))),
        }
    }
    let mut entries = facts.entries(&worlds, instances.iter().collect()).await;
    // What only had to be looked at, and is as it should be, holds nothing up: what waits for it alone is asked, too. And what
    // the looks have found tells others what is there for them to take.
    loop {
        let (met, foresees_more) = (facts.met(&entries), facts.foresee());
        if met.is_empty() && !foresees_more {
            break;
        }
        facts.unsettled.retain(|step| !met.contains(step));
        let waited = |at: &usize| {
            let (step, entry) = (instances[*at].0, &entries[*at]);
            entry.finding.is_none() && (foresees_more || step.needs.iter().any(|need| met.contains(need)))
        };
        let waited: Vec<usize> = (0..entries.len()).filter(waited).collect();
        let again = facts.entries(&worlds, waited.iter().map(|at| &instances[*at]).collect()).await;
        for (at, entry) in waited.into_iter().zip(again) {
            entries[at] = entry;
        }
    }
    // Once for each, when it is known what would be sent.
    let mut rehearsed: Vec<BoxFuture<'_, PlanEntry>> = Vec::new();
    for (instance, entry) in instances.iter().zip(entries) {
        rehearsed.push(Box::pin(facts.rehearsed(instance, entry)));
    }
    let entries = stream::iter(rehearsed).buffered(HOSTS_TOGETHER).collect().await;
    let mut plan = Plan::new(entries);
    plan.quotas = worlds.room(takes(&plan.entries)).await;
    plan
}

/// What is still to be made, for whoever asks whether these credentials may.
pub(super) struct StillToMake {
    engagement: Engagement,
    sight: Arc<Sight>,
    worlds: Worlds,
}

impl StillToMake {
    pub fn new(engagement: &Engagement, sight: &Arc<Sight>, worlds: &Worlds) -> Self {
        StillToMake { engagement: engagement.clone(), sight: sight.clone(), worlds: worlds.clone() }
    }
}

#[async_trait]
impl Rehearsing for StillToMake {
    async fn rehearsed(&self, phase: Option<&str>) -> Plan {
        let rehearsing = Some(self.worlds.rehearsing());
        let facts = Facts { rehearsing, ..Facts::new(&self.engagement, &self.sight) };
        let of_phase = |step: &&Step| phase.is_none_or(|phase| step.id.phase() == phase);
        let mut rehearsed: Vec<BoxFuture<'_, PlanEntry>> = Vec::new();
        for step in self.sight.runbook.steps().filter(of_phase) {
            for item in facts.plan.expand(step).unwrap_or_default() {
                rehearsed.extend(facts.to_make(step, item.as_ref()).map(|entry| -> BoxFuture<'_, PlanEntry> {
                    let (facts, instance) = (&facts, (step, Ok(item)));
                    Box::pin(async move { facts.rehearsed(&instance, entry).await })
                }));
            }
        }
        Plan::new(stream::iter(rehearsed).buffered(HOSTS_TOGETHER).collect().await)
    }
}

/// As a step keeps it: of one that is repeated, by key.
fn put(scope: &mut Scope, name: &str, key: Option<&str>, value: &Json) {
    let value = match key {
        None => value.clone(),
        Some(key) => {
            let mut all = scope.get_dotted(name).and_then(Json::as_object).cloned().unwrap_or_default();
            all.insert(key.to_owned(), value.clone());
            Json::Object(all)
        }
    };
    scope.insert_dotted(name, value);
}

/// A step once, or once for one of those that it is repeated for; what is missing to know for which.
type Instance<'a> = (&'a Step, Result<Option<Item>, Unrendered>);

struct Facts<'a> {
    engagement: &'a Engagement,
    sight: &'a Sight,
    plan: &'a View,
    /// The way for rehearsals, where they are wanted.
    rehearsing: Option<Worlds>,
    /// Turns to ask AWS.
    turns: Semaphore,
    unsettled: BTreeSet<StepId>,
    /// The inputs that are missing, by the step that cannot go on without them.
    missing: BTreeMap<Address, Vec<InputId>>,
    /// What the looks of this plan have found, of steps that are not done.
    found: Mutex<BTreeMap<Address, BTreeMap<String, Json>>>,
    /// What a plan shows by name, with all of it that is known by now.
    foreseen: Scope,
    foreseen_of: usize,
}

impl<'a> Facts<'a> {
    fn new(engagement: &'a Engagement, sight: &'a Sight) -> Self {
        let board = board_within(engagement, &sight.runbook, &sight.real.scope);
        let unsettled =
            board.rows.iter().filter(|row| !row.status.settled()).map(|row| row.address.step.clone()).collect();
        let missing = board.rows.iter().filter_map(|row| match &row.status {
            Status::NeedsInput(inputs) => Some((row.address.clone(), inputs.clone())),
            _ => None,
        });
        let missing = missing.collect();
        Facts {
            engagement,
            sight,
            plan: sight.plan(engagement),
            rehearsing: None,
            turns: Semaphore::new(TOGETHER),
            unsettled,
            missing,
            found: Mutex::default(),
            foreseen: Scope::default(),
            foreseen_of: 0,
        }
    }

    /// Takes over what was found since; false where that is nothing.
    fn foresee(&mut self) -> bool {
        let found = self.found.get_mut().unwrap_or_else(PoisonError::into_inner);
        if found.len() == self.foreseen_of {
            return false;
        }
        self.foreseen_of = found.len();
        self.foreseen = self.plan.scope.clone();
        // A step that is no longer in the runbook tells nothing any more.
        let there = self.engagement.kept.iter().filter(|(step, _)| self.sight.runbook.step(&step.step).is_some());
        for kept in there.flat_map(|(_, kept)| kept) {
            put(&mut self.foreseen, &kept.name, kept.key.as_deref(), &kept.value);
        }
        for (address, output) in found {
            let saves = self.sight.runbook.step(&address.step).map(|step| step.saves.as_slice()).unwrap_or_default();
            for save in saves {
                if let Some(value) = output.get(&save.from) {
                    put(&mut self.foreseen, &save.to, address.key.as_deref(), value);
                }
            }
        }
        true
    }

    async fn entries(&self, worlds: &Worlds, instances: Vec<&Instance<'_>>) -> Vec<PlanEntry> {
        let mut entries: Vec<BoxFuture<'_, PlanEntry>> = Vec::new();
        for (step, item) in instances {
            entries.push(Box::pin(async move {
                match item {
                    Ok(item) => self.entry(worlds, step, item.clone()).await,
                    Err(why) => self.unclear(step, None, why),
                }
            }));
        }
        stream::iter(entries).buffered(HOSTS_TOGETHER).collect().await
    }

    /// The steps that are not settled yet and would change nothing, since each look at them found what they want.
    fn met(&self, entries: &[PlanEntry]) -> BTreeSet<StepId> {
        let is_so = |entry: &PlanEntry| {
            let found = entry.finding.as_ref().is_some_and(|finding| finding.kind == FindingKind::Same);
            found && entry.verdict == Verdict::Nothing && entry.asks.is_none()
        };
        let looked_at: BTreeSet<&StepId> = entries.iter().map(|entry| &entry.step.step).collect();
        let open: BTreeSet<&StepId> =
            entries.iter().filter(|entry| !is_so(entry)).map(|entry| &entry.step.step).collect();
        self.unsettled.iter().filter(|step| looked_at.contains(step) && !open.contains(step)).cloned().collect()
    }

    async fn entry(&self, worlds: &Worlds, step: &Step, item: Option<Item>) -> PlanEntry {
        let address = Address::new(step.id.clone(), item.as_ref().map(|item| item.key.clone()));
        let planned = match call(step, item.as_ref(), &self.plan.scope) {
            Ok(planned) => planned,
            Err(why) => return self.unclear(step, item.as_ref(), &why),
        };
        let mut entry = entry(step, address.clone(), bound(&planned, &self.plan.scope));
        entry.asks = self.asks(step, item.as_ref());
        if self.missing.contains_key(&address) && !matches!(self.engagement.state(&address), State::Skipped { .. }) {
            return with(entry, Verdict::Input, &self.lacks(&address));
        }
        match &planned {
            Call::Form(_) if matches!(self.engagement.state(&address), State::Done { .. }) => {
                entry.said = "all its inputs are given".to_owned();
                return entry;
            }
            // Its answers may be there already: whether they fit is seen when the step's turn comes.
            Call::Form(_) => return with(entry, Verdict::Input, &self.after(step)),
            Call::Manual { ask } => {
                return match self.engagement.state(&address) {
                    State::Done { .. } | State::Skipped { .. } => with(entry, Verdict::Nothing, "signed off"),
                    // Of somebody else it stands where they are asked.
                    _ if entry.asks.is_some() => with(entry, Verdict::Input, &self.after(step)),
                    _ => with(entry, Verdict::Input, ask),
                };
            }
            Call::Shell { .. } | Call::Kind { .. } => {}
        }
        if let State::Skipped { reason, .. } = self.engagement.state(&address) {
            return with(entry, Verdict::Nothing, &format!("skipped: {reason}"));
        }
        if let State::Undone { stays, .. } = self.engagement.state(&address) {
            let said = match stays {
                Some(stays) => format!("it stays ({stays}), and is made again only when somebody asks for that"),
                None => "it was undone, and is made again only when somebody asks for that".to_owned(),
            };
            return with(entry, Verdict::Person, &said);
        }
        if let Some(left_out) = address.key.as_ref().and_then(|host| self.engagement.left_out.get(host))
            && step.over_hosts()
            && !matches!(self.engagement.state(&address), State::Done { .. })
        {
            return with(entry, Verdict::Nothing, &format!("the host is left out: {}", left_out.reason));
        }
        if let Some(by) = taken_away_by(self.engagement, &self.sight.runbook, &address) {
            return with(entry, Verdict::Nothing, &format!("it was to hold until {by}, which is done"));
        }
        let action = match build(&planned, &subject(self.engagement, &address)) {
            Ok(action) => action,
            Err(failure) => return with(entry, Verdict::Input, &failure.what),
        };
        // A plan rehearses nothing, and what was found when the step ran stands.
        if action.asks_for_rehearsals() && matches!(self.engagement.state(&address), State::Done { .. }) {
            return with(entry, Verdict::Nothing, "it is done");
        }
        match self.askable(step, &address) {
            Some(real) => self.ask(worlds, entry, real).await,
            // A run does not look again at what is done, whatever comes of the steps before it.
            None if matches!(self.engagement.state(&address), State::Done { .. }) => {
                with(entry, Verdict::Nothing, "it is done")
            }
            None => {
                entry.changes = action.changes();
                let verdict = if entry.changes.is_empty() { Verdict::Check } else { Verdict::Change };
                let after = self.after(step);
                // Not known before then: it is approved, and may turn out not to be needed.
                let open = step
                    .when
                    .as_ref()
                    .filter(|when| when.truth(&self.sight.real.scope.of_round(item.as_ref())).is_err());
                let only_if = open.map(|when| format!(", if {}", when.source())).unwrap_or_default();
                with(entry, verdict, &format!("{after}{only_if}"))
            }
        }
    }

    fn after(&self, step: &Step) -> String {
        let after = step.needs.iter().filter(|need| self.unsettled.contains(need)).map(StepId::to_string);
        match after.collect::<Vec<_>>().as_slice() {
            [] => "when its turn comes".to_owned(),
            after => format!("after {}", crate::text::list(after)),
        }
    }

    fn lacks(&self, address: &Address) -> String {
        let inputs: Vec<String> = self.missing.get(address).into_iter().flatten().map(InputId::to_string).collect();
        format!("without {}", crate::text::list(&inputs))
    }

    /// The step with real values, where everything it needs is there already; or with those that are known, where it takes
    /// what is there.
    fn askable(&self, step: &Step, address: &Address) -> Option<(Address, Call)> {
        let with = |view: &View, scope: &Scope| {
            let item = view.item(step, address).ok()??;
            call(step, item.as_ref(), scope).ok()
        };
        let real = || with(&self.sight.real, &self.sight.real.scope);
        let takes = |call: &Call| {
            build(call, &subject(self.engagement, address)).is_ok_and(|action| action.takes_what_is_there())
        };
        let done = matches!(self.engagement.state(address), State::Done { .. });
        let call = match !done && step.needs.iter().any(|need| self.unsettled.contains(need)) {
            false => real(),
            true => real().or_else(|| with(self.plan, &self.foreseen)).filter(takes),
        };
        call.map(|call| (address.clone(), call))
    }

    async fn ask(&self, worlds: &Worlds, mut entry: PlanEntry, (address, call): (Address, Call)) -> PlanEntry {
        let subject = subject(self.engagement, &address);
        let action: Box<dyn Action> = match build(&call, &subject) {
            Ok(action) => action,
            Err(failure) => return with(entry, Verdict::Input, &failure.what),
        };
        let cancel = CancellationToken::new();
        let world = worlds.world(self.engagement, self.sight.routes(worlds), subject, drop_output(), cancel);
        let _turn = match call.script_host() {
            Some(_) => None,
            // Nobody closes it; without a turn it would only be asked at once.
            None => self.turns.acquire().await.ok(),
        };
        let probe = action.probe(&world).await;
        let found = finding(&probe);
        entry.said.clone_from(&found.said);
        let made = matches!(self.engagement.state(&address), State::Done { .. });
        if let (false, Probe::Same(Found { output: there, .. }) | Probe::Different { keep: there, .. }) = (made, &probe)
        {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(address, there.clone());
        }
        let all = action.changes();
        let (verdict, changes) = match probe {
            Probe::Same(_) => (Verdict::Nothing, Vec::new()),
            _ if all.is_empty() => (Verdict::Check, Vec::new()),
            // A step that was done and no longer is has drifted: nothing is repeated behind the engineer's back.
            Probe::Absent { .. } | Probe::Different { .. } if made => (Verdict::Person, Vec::new()),
            Probe::Absent { .. } => (Verdict::Change, all),
            Probe::Different { mend, .. } if mend.is_empty() => (Verdict::Person, Vec::new()),
            Probe::Different { mend, .. } => (Verdict::Change, mend),
            Probe::Unknown(_) if made => (Verdict::Unknown, Vec::new()),
            Probe::Unknown(_) => (Verdict::Unknown, all),
        };
        if made && verdict == Verdict::Person {
            entry.said.push_str(
                ". It was done, and nothing is repeated by itself: put it right where it was changed, or undo the step and run \
                 it again",
            );
        }
        entry.finding = Some(found);
        entry.changes = changes;
        entry.verdict = verdict;
        entry
    }

    /// What the step would change if nothing of it were there; nothing where it is over, or where too little is known.
    fn to_make(&self, step: &Step, item: Option<&Item>) -> Option<PlanEntry> {
        let address = Address::new(step.id.clone(), item.map(|item| item.key.clone()));
        let over = |state: &State| {
            matches!(state, State::Applied { .. } | State::Done { .. } | State::Skipped { .. } | State::Undone { .. })
        };
        if over(self.engagement.state(&address)) {
            return None;
        }
        let call = call(step, item, &self.plan.scope).ok()?;
        let action = build(&call, &subject(self.engagement, &address)).ok()?;
        Some(PlanEntry { changes: action.changes(), ..entry(step, address, String::new()) })
    }

    /// AWS is asked whether these credentials may make the changes: with real values, where those were looked at.
    async fn rehearsed(&self, (step, item): &Instance<'_>, mut entry: PlanEntry) -> PlanEntry {
        let Some(worlds) = self.rehearsing.as_ref().filter(|_| !entry.changes.is_empty()) else { return entry };
        let subject = subject(self.engagement, &entry.step);
        let planned = item.as_ref().ok().and_then(|item| call(step, item.as_ref(), &self.plan.scope).ok());
        let Some(Ok(planned)) = planned.map(|call| build(&call, &subject)) else { return entry };
        let real = self.askable(step, &entry.step).filter(|_| entry.finding.is_some());
        let action = real.and_then(|(_, call)| build(&call, &subject).ok()).unwrap_or(planned);
        // Nobody closes it; without a turn it would only be asked at once.
        let _turn = self.turns.acquire().await.ok();
        let cancel = CancellationToken::new();
        let world = worlds.world(self.engagement, self.sight.routes(worlds), subject, drop_output(), cancel);
        entry.rehearsals = action.rehearse(&world).await;
        // What was not rehearsed is said, so that nobody takes it for allowed.
        for change in entry.changes.iter().filter(|change| change.is_of_aws()) {
            let permission = format!("{}:{}", change.service, change.operation);
            if !entry.rehearsals.iter().any(|one| one.permission == permission) {
                let why = "AWS takes no rehearsal of it".to_owned();
                entry.rehearsals.push(Rehearsal { permission, answer: Leave::Untold { why } });
            }
        }
        entry
    }

    fn unclear(&self, step: &Step, item: Option<&Item>, why: &Unrendered) -> PlanEntry {
        let said = match why {
            Unrendered::Missing { name } => format!("{name} is not known yet"),
            // A name stands there for what only an earlier step can tell, and may fit nowhere.
            Unrendered::Wrong { .. } if step.needs.iter().any(|need| self.unsettled.contains(need)) => {
                format!("{}; what it is about is known then", self.after(step))
            }
            Unrendered::Wrong { message } => message.clone(),
        };
        let address = Address::new(step.id.clone(), item.map(|item| item.key.clone()));
        let mut entry = entry(step, address, String::new());
        // Where an answer is missing it may not be needed at all.
        if matches!(why, Unrendered::Wrong { .. }) {
            entry.asks = self.asks(step, item);
        }
        with(entry, Verdict::Input, &said)
    }

    /// Whom it asks, for how long, and what; where the words hang on what is not known yet, what it is about.
    fn asks(&self, step: &Step, item: Option<&Item>) -> Option<String> {
        let scope = &self.plan.scope;
        if let Ok(asking) = asking(step, item, scope) {
            return asking.as_ref().map(|asking| asked(step, asking));
        }
        let wait = step.waits_on.as_ref()?;
        let who = wait.who.as_ref().and_then(|who| who.text(&scope.of_round(item)).ok()).unwrap_or_default();
        let ask =
            format!("{}. The words come when what they are about is known.", step.title.trim_end_matches(['.', '?']));
        Some(asked(step, &Asking { party: wait.party, who, ask, due_in: wait.due }))
    }
}

fn entry(step: &Step, address: Address, digest: String) -> PlanEntry {
    PlanEntry {
        step: address,
        title: step.title.clone(),
        verdict: Verdict::Nothing,
        said: String::new(),
        finding: None,
        changes: Vec::<Change>::new(),
        digest,
        cost: step.cost.clone(),
        prices: Vec::new(),
        breaks: step.breaks.clone(),
        undo: match (&step.no_undo, step.takes_back) {
            (Some(why), _) => Some(format!("none: {why}")),
            (None, Some(true)) => Some("onramp can take it back".to_owned()),
            (None, _) => None,
        },
        asks: None,
        rehearsals: Vec::new(),
    }
}

/// What onramp can see for itself is asked for only where it is not so when its turn comes.
fn asked(step: &Step, asking: &Asking) -> String {
    let whom = if asking.who.is_empty() { asking.party.to_string() } else { asking.who.clone() };
    let time = asking.due_in.map(|due| format!(", within {}", crate::text::about(due))).unwrap_or_default();
    let unless = if matches!(step.work, Work::Manual(_)) { "" } else { ", unless it is so by then" };
    format!("{whom}{time}{unless}: {}", asking.ask.trim_end())
}

fn with(mut entry: PlanEntry, verdict: Verdict, said: &str) -> PlanEntry {
    entry.verdict = verdict;
    said.clone_into(&mut entry.said);
    entry
}

/// One line for each step that is done and touches the world: is it still so?
pub(super) fn drift(
    engagement: &Engagement,
    sight: &Arc<Sight>,
    worlds: &Worlds,
    board: &Board,
) -> Vec<impl Future<Output = Notice> + use<>> {
    let worlds = worlds.read_only();
    let on_aws = Arc::new(Semaphore::new(TOGETHER));
    let on_hosts = Arc::new(Semaphore::new(HOSTS_TOGETHER));
    let done = board.rows.iter().filter(|row| row.touches_world && matches!(row.status, Status::Done { .. }));
    done.map(|row| {
        let step = row.address.clone();
        let cancel = CancellationToken::new();
        let prepared = prepare(engagement, sight, &worlds, &step, &Job::Verify, drop_output(), cancel);
        let together = if sight.host_of(&step).is_some() { on_hosts.clone() } else { on_aws.clone() };
        let over = taken_away_by(engagement, &sight.runbook, &step).cloned();
        async move {
            let finding = match (over, prepared) {
                (Some(by), _) => of_kind(FindingKind::Same, format!("it was to hold until {by}, which is done")),
                (None, Err(failure)) => of_kind(FindingKind::Unknown, failure.what),
                (None, Ok(Prepared { action, world, .. })) => {
                    // Nobody closes it; without a turn it would only be asked at once.
                    let _turn = together.acquire().await;
                    still(&*action, &world).await
                }
            };
            Notice::Drift { step, finding }
        }
    })
    .collect()
}

/// Is it still so? Where it is not, a look at the thing itself tells whether it is gone or otherwise, and in what.
async fn still(action: &dyn Action, world: &World) -> Finding {
    let said = match action.verify(world).await {
        Verified::So(found) => return of_kind(FindingKind::Same, found.said),
        // A question that could not be asked is no drift.
        Verified::Unknown(Trouble::Failure(failure)) => return of_kind(FindingKind::Unknown, failure.whole()),
        Verified::Unknown(Trouble::Question(Question::NeedsSecret { reference, .. })) => {
            let said = "was not given; the next look asks for it again";
            return of_kind(FindingKind::Unknown, format!("{} {said}", reference.said()));
        }
        Verified::Unknown(Trouble::Question(_)) => {
            return of_kind(FindingKind::Unknown, "a person must answer a question first".to_owned());
        }
        Verified::NotYet { said } => said,
        Verified::NotSo(failure) => failure.what,
    };
    // A check has nothing but its answer.
    if action.changes().is_empty() {
        return of_kind(FindingKind::Different, said);
    }
    let seen = finding(&action.probe(world).await);
    match seen.kind {
        FindingKind::Absent => of_kind(FindingKind::Absent, said),
        FindingKind::Different => Finding { said, ..seen },
        FindingKind::Same | FindingKind::Unknown => of_kind(FindingKind::Different, said),
    }
}

fn of_kind(kind: FindingKind, said: String) -> Finding {
    Finding { kind, said, differences: Vec::new() }
}
