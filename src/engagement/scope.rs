//! What templates see: inputs, what steps kept, the hosts; and a step's work with all its values filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::counted::counted_in;
use super::state::State;
use super::{Address, Engagement, Event, Wait, digest_of};
use crate::input::InputId;
use crate::runbook::{
    Expr, HostTemplate, Item, Party, Question, Runbook, Save, Scope, Step, Template, Unrendered, Work, names_a_host,
};

/// Whether values that only earlier steps can tell are taken as they are, or shown by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeMode {
    /// What steps kept. A value nobody kept yet is missing.
    Real,
    /// Every kept value is replaced by `‹its.name›`: the same today and after the run, so a digest can bind to it.
    Plan,
}

/// A step's work with its values filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Form(Vec<InputId>),
    Manual {
        ask: String,
    },
    Shell {
        host: String,
        /// Functions that come before each script.
        library: String,
        sudo: bool,
        check: Option<String>,
        run: Option<String>,
        /// After `run`, over a login that is made anew.
        then: Option<String>,
        verify: Option<String>,
        undo: Option<String>,
        /// Where the secret lives that the script reads on its standard input. Never its text.
        stdin: Option<String>,
        limit: Duration,
    },
    Kind {
        kind: String,
        with: Map<String, Json>,
    },
}

impl Call {
    /// The host that the scripts of it run on, where it runs scripts.
    pub fn script_host(&self) -> Option<&str> {
        match self {
            Call::Shell { host, .. } => Some(host),
            Call::Kind { kind, with } if kind.starts_with("os/") => with.get("host").and_then(Json::as_str),
            _ => None,
        }
    }

    /// The host that it is about, where it is about one.
    pub fn host(&self) -> Option<&str> {
        match self {
            Call::Shell { host, .. } => Some(host),
            Call::Kind { kind, with } if names_a_host(kind) => with.get("host").and_then(Json::as_str),
            Call::Kind { .. } | Call::Form(_) | Call::Manual { .. } => None,
        }
    }

    /// From where it looks: a host, or `here`.
    pub fn from(&self) -> &str {
        let said = match self {
            Call::Shell { host, .. } => Some(host.as_str()),
            // Elsewhere it is a range, or whoever sends a message.
            Call::Kind { kind, with } if kind.starts_with("probe/") => {
                with.get("from").and_then(Json::as_str).filter(|from| !from.is_empty())
            }
            Call::Kind { .. } | Call::Form(_) | Call::Manual { .. } => None,
        };
        said.unwrap_or("here")
    }

    /// Digest of what would be sent.
    pub fn digest(&self) -> String {
        digest_of(&match self {
            Call::Form(inputs) => json!({ "form": inputs.iter().map(InputId::as_str).collect::<Vec<_>>() }),
            Call::Manual { ask } => json!({ "manual": ask }),
            Call::Shell { host, library, sudo, check, run, then, verify, stdin, .. } => {
                let mut said = json!({
                    "host": host, "library": library, "sudo": sudo, "check": check, "run": run, "verify": verify
                });
                // Engagements that are under way have approved digests without it.
                if let Some(stdin) = stdin {
                    said["stdin"] = json!(stdin);
                }
                if let Some(then) = then {
                    said["then"] = json!(then);
                }
                said
            }
            Call::Kind { kind, with } => json!({ "kind": kind, "with": with }),
        })
    }
}

/// One way to a host, as the runbook's `hosts` section gives it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    /// The name under which its host key is known: its own, or that of another way to the same machine.
    pub known_as: String,
    /// An address, a name, or an alias of the engineer's SSH set-up.
    pub address: String,
    /// Where nobody says it, the engineer's SSH set-up does, or it is 22.
    pub port: Option<u16>,
    /// Where it is empty, the engineer's SSH set-up says it.
    pub user: String,
    /// `agent` or a path.
    pub key: Option<String>,
    pub via: Option<String>,
    /// Where the password lives that sudo asks for there.
    pub sudo: Option<String>,
    pub fingerprints: Vec<String>,
}

/// Everything a template of this engagement may name.
pub fn scope(engagement: &Engagement, runbook: &Runbook, mode: ScopeMode) -> Scope {
    let fit = engagement.inputs.iter().filter(|(id, _)| !engagement.unfit.contains(*id));
    let (_, mut scope) = counted_in(runbook, fit.map(|(id, given)| (id.clone(), given.value.clone())).collect());
    let identity = &engagement.identity;
    scope.insert_dotted(
        "engagement",
        json!({ "name": identity.name, "id": identity.id, "practice": identity.practice }),
    );
    let mut real = scope.clone();
    insert_kept(engagement, runbook, &mut real);
    insert_host_names(runbook, &mut real);
    if mode == ScopeMode::Real {
        return real;
    }
    insert_placeholders(runbook, &mut scope, &real);
    insert_host_names(runbook, &mut scope);
    // A step may be repeated over hosts, so its placeholders need the host names first.
    insert_placeholders(runbook, &mut scope, &real);
    scope
}

/// Steps that are no longer in the runbook tell nothing any more: another one may give the same name now.
fn insert_kept(engagement: &Engagement, runbook: &Runbook, scope: &mut Scope) {
    let mut keyed: BTreeMap<&str, Map<String, Json>> = BTreeMap::new();
    let there = |(step, _): &(&Address, &Vec<super::Kept>)| runbook.step(&step.step).is_some();
    for kept in engagement.kept.iter().filter(there).flat_map(|(_, kept)| kept) {
        match &kept.key {
            None => scope.insert_dotted(&kept.name, kept.value.clone()),
            Some(key) => {
                keyed.entry(&kept.name).or_default().insert(key.clone(), kept.value.clone());
            }
        }
    }
    for (name, values) in keyed {
        scope.insert_dotted(name, Json::Object(values));
    }
}

fn insert_placeholders(runbook: &Runbook, scope: &mut Scope, real: &Scope) {
    for step in runbook.steps().filter(|step| !step.saves.is_empty()) {
        let Ok(items) = expand_planned(step, scope, real) else { continue };
        for save in &step.saves {
            // Another step may save the same name, for the other case.
            if items.is_empty() && scope.get_dotted(&save.to).is_some() {
                continue;
            }
            let value = if step.for_each.is_some() {
                let named = |item: &Item| {
                    (item.key.clone(), Json::String(format!("\u{2039}{}[{}]\u{203a}", save.to, item.key)))
                };
                Json::Object(items.iter().flatten().map(named).collect())
            } else if items.is_empty() {
                continue;
            } else {
                Json::String(format!("\u{2039}{}\u{203a}", save.to))
            };
            scope.insert_dotted(&save.to, value);
        }
    }
}

/// The instances of a step: one without an item, or one for each item for which `when` holds.
///
/// # Errors
/// A name that `when` or `for_each` reads is not known yet, or is of the wrong type.
pub fn expand(step: &Step, scope: &Scope) -> Result<Vec<Option<Item>>, Unrendered> {
    rounds(step, scope, |when, item| when.truth(&scope.of_round(item)))
}

/// The instances that a plan shows and an approval covers: those that the step has, and those that it may come to have when
/// earlier steps have found out what its `when` reads. `plan` and `real` are the scopes of both modes.
///
/// # Errors
/// As `expand`, but for what only steps can find out.
pub fn expand_planned(step: &Step, plan: &Scope, real: &Scope) -> Result<Vec<Option<Item>>, Unrendered> {
    rounds(step, plan, |when, item| match when.truth(&real.of_round(item)) {
        Ok(holds) => Ok(holds),
        // What is no placeholder either is missing for another reason.
        Err(_) => when.truth(&plan.of_round(item)).map(|_| true),
    })
}

fn rounds(
    step: &Step,
    scope: &Scope,
    holds: impl Fn(&Expr, Option<&Item>) -> Result<bool, Unrendered>,
) -> Result<Vec<Option<Item>>, Unrendered> {
    let when_reads_item = step.when.as_ref().is_some_and(|when| when.names().iter().any(|name| is_item(name)));
    if let Some(when) = step.when.as_ref().filter(|_| !when_reads_item)
        && !holds(when, None)?
    {
        return Ok(Vec::new());
    }
    let Some(for_each) = &step.for_each else { return Ok(vec![None]) };
    let mut items = Vec::new();
    for item in for_each.list(scope)? {
        let wanted = match &step.when {
            Some(when) if when_reads_item => holds(when, Some(&item))?,
            _ => true,
        };
        if wanted {
            items.push(Some(item));
        }
    }
    Ok(items)
}

/// An action of a step that is chosen, as far as it can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenKind {
    pub kind: String,
    /// What only a step can find out is shown by name.
    pub with: Map<String, Json>,
    /// Arguments that are given, and whose value is missing yet.
    pub untold: BTreeSet<String>,
    /// What of its result later steps use.
    pub saves: Vec<Save>,
    /// A diagnosis asks it, and it changes nothing.
    pub looks: bool,
}

fn steps_of<'r>(runbook: &'r Runbook, phase: Option<&str>) -> impl Iterator<Item = &'r Step> {
    runbook.steps().filter(move |step| phase.is_none_or(|phase| step.id.phase() == phase))
}

/// The actions of the steps that are chosen, of one phase or of all. Where nobody can tell yet how often one is repeated, it
/// stands here once.
pub fn chosen_actions(engagement: &Engagement, runbook: &Runbook, phase: Option<&str>) -> Vec<ChosenKind> {
    let [plan, real] = [ScopeMode::Plan, ScopeMode::Real].map(|mode| scope(engagement, runbook, mode));
    let items = |step| {
        let items = expand_planned(step, &plan, &real).unwrap_or_else(|_| vec![None]);
        items.into_iter().map(move |item| (step, item))
    };
    let chosen =
        steps_of(runbook, phase).flat_map(items).filter_map(|(step, item): (&Step, Option<Item>)| match &step.work {
            Work::Kind { kind, with, .. } => {
                let (with, untold) = with.render_known(&plan.of_round(item.as_ref()));
                Some(ChosenKind { kind: kind.clone(), with, untold, saves: step.saves.clone(), looks: false })
            }
            _ => None,
        });
    chosen.chain(looks(runbook, phase, &plan, &real)).collect()
}

/// What the diagnoses of the steps that are chosen ask, each look once. From which host a step looks is known only when it does.
fn looks(runbook: &Runbook, phase: Option<&str>, plan: &Scope, real: &Scope) -> Vec<ChosenKind> {
    let is_chosen = |step: &&Step| expand_planned(step, plan, real).is_ok_and(|items| !items.is_empty());
    let mut looks: Vec<ChosenKind> = Vec::new();
    for step in steps_of(runbook, phase).filter(is_chosen) {
        let Some(diagnosis) = runbook.diagnosis_of(step) else { continue };
        let mut scope = plan.clone();
        scope.insert_dotted("step.id", Json::from(step.id.to_string()));
        let may_be_asked =
            |question: &&Question| question.when.as_ref().is_none_or(|when| when.truth(&scope) != Ok(false));
        for question in diagnosis.questions.iter().filter(may_be_asked) {
            let Work::Kind { kind, with, .. } = &question.look else { continue };
            let (with, untold) = with.render_known(&scope);
            let look = ChosenKind { kind: kind.clone(), with, untold, saves: Vec::new(), looks: true };
            if !looks.contains(&look) {
                looks.push(look);
            }
        }
    }
    looks
}

fn is_item(name: &str) -> bool {
    name == "item" || name.starts_with("item.") || name == "key"
}

/// The work of one instance, every template filled in.
///
/// # Errors
/// A name is not known yet, or a value does not fit where it is used.
pub fn call(step: &Step, item: Option<&Item>, scope: &Scope) -> Result<Call, Unrendered> {
    call_of(&step.work, &scope.of_round(item))
}

/// The same of any work, with what one round sees.
pub(super) fn call_of(work: &Work, scope: &Scope) -> Result<Call, Unrendered> {
    Ok(match work {
        Work::Form(inputs) => Call::Form(inputs.clone()),
        Work::Choice(input) => Call::Form(vec![input.clone()]),
        Work::Manual(manual) => Call::Manual { ask: manual.ask.text(scope)? },
        Work::Shell(shell) => {
            let script = |template: &Option<Template>| template.as_ref().map(|script| script.shell(scope)).transpose();
            Call::Shell {
                host: shell.host.text(scope)?,
                library: shell.library.clone(),
                sudo: shell.sudo,
                check: script(&shell.check)?,
                run: script(&shell.run)?,
                then: script(&shell.then)?,
                verify: script(&shell.verify)?,
                undo: script(&shell.undo)?,
                stdin: shell.stdin.as_ref().map(|stdin| stdin.text(scope)).transpose()?,
                limit: shell.limit,
            }
        }
        Work::Kind { kind, with, .. } => Call::Kind { kind: kind.clone(), with: with.render(scope)? },
    })
}

/// Who is asked, for what, and how much time they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    pub party: Party,
    pub who: String,
    pub ask: String,
    pub due_in: Option<Duration>,
}

impl Asking {
    /// Is something else asked than what this wait says?
    pub fn differs(&self, wait: &Wait) -> bool {
        let who = wait.set || wait.who == self.who;
        !who || wait.party != self.party || wait.ask != self.ask
    }

    /// The step waits, as `said` tells.
    pub fn waiting(self, step: Address, attempt: u32, said: String) -> Event {
        let Asking { party, who, ask, due_in } = self;
        Event::Waiting { step, attempt, party, ask, said, who, due_in: due_in.map(|time| time.as_secs()) }
    }
}

/// Whom a step asks, if it waits on somebody.
///
/// # Errors
/// A name that the text reads is not known yet, or does not fit there.
pub fn asking(step: &Step, item: Option<&Item>, scope: &Scope) -> Result<Option<Asking>, Unrendered> {
    let Some(wait) = &step.waits_on else { return Ok(None) };
    let scope = scope.of_round(item);
    let who = wait.who.as_ref().map(|who| who.text(&scope)).transpose()?.unwrap_or_default();
    let ask = with_our_name(wait.ask.text(&scope)?, &scope);
    Ok(Some(Asking { party: wait.party, who, ask, due_in: wait.due }))
}

/// Below what somebody is asked for, who of ours answers questions, where the engagement says that.
fn with_our_name(ask: String, scope: &Scope) -> String {
    let ours = ["eng.our_name", "eng.our_phone"].map(|id| scope.get_dotted(id));
    let ours: Vec<&str> = ours.iter().filter_map(|value| value.as_ref()?.as_str()).collect();
    if ours.is_empty() { ask } else { format!("{}\n\nQuestions: {}", ask.trim_end(), ours.join(", ")) }
}

/// The item of an address, found again by its key.
pub fn item_of(step: &Step, address: &Address, scope: &Scope) -> Result<Option<Option<Item>>, Unrendered> {
    let found = expand(step, scope)?;
    Ok(found.into_iter().find(|item| item.as_ref().map(|item| &item.key) == address.key.as_ref()))
}

/// Every host of the engagement that can be named now; those whose address is not known yet carry the reason.
pub fn hosts(runbook: &Runbook, scope: &Scope) -> Vec<(String, Result<Host, Unrendered>)> {
    let mut found = Vec::new();
    for template in &runbook.hosts {
        for scope in host_scopes(template, scope).unwrap_or_default() {
            if let Ok(name) = template.name.text(&scope) {
                let host = host(template, &name, &scope);
                found.push((name, host));
            }
        }
    }
    found
}

fn host_scopes(template: &HostTemplate, scope: &Scope) -> Result<Vec<Scope>, Unrendered> {
    if let Some(when) = &template.when
        && !when.truth(scope)?
    {
        return Ok(Vec::new());
    }
    match &template.for_each {
        None => Ok(vec![scope.clone()]),
        Some(each) => Ok(each.list(scope)?.iter().map(|item| scope.of_round(Some(item))).collect()),
    }
}

fn host(template: &HostTemplate, name: &str, scope: &Scope) -> Result<Host, Unrendered> {
    let optional = |template: &Option<Template>| -> Result<Option<String>, Unrendered> {
        let text = template.as_ref().map(|template| template.text(scope)).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    };
    let port = match optional(&template.port)? {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Unrendered::Wrong {
            message: format!("the port of host {name} is \"{text}\", not a number"),
        })?),
    };
    let fingerprints = match template.fingerprints.as_ref().map(|template| template.value(scope)).transpose()? {
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Some(Json::String(one)) => {
            one.split([',', ' ', '\n']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    Ok(Host {
        name: name.to_owned(),
        known_as: optional(&template.known_as)?.unwrap_or_else(|| name.to_owned()),
        address: template.address.text(scope)?,
        port,
        user: optional(&template.user)?.unwrap_or_default(),
        key: optional(&template.key)?,
        via: optional(&template.via)?,
        sudo: optional(&template.sudo)?,
        fingerprints,
    })
}

/// `hosts.all`, `hosts.private` (reached through another host) and `hosts.bastions`, each a list of `{name, via, address}`. What is only
/// a hop, and somebody else's, is in none of them. None of them is there until every host can be named: an empty list would
/// make steps look unneeded.
fn insert_host_names(runbook: &Runbook, scope: &mut Scope) {
    let Ok(all) = host_names(runbook, scope) else { return };
    let entry = |host: &Named| {
        let mut entry = json!({ "name": host.name, "via": host.via });
        // Not known before it is there.
        if let Some(address) = &host.address {
            entry["address"] = json!(address);
        }
        entry
    };
    let ours = || all.iter().filter(|host| !host.hop);
    let is_bastion = |host: &&Named| all.iter().any(|other| other.via == host.name);
    let bastions: Vec<_> = ours().filter(is_bastion).map(entry).collect();
    // Another way to a host that is there anyway is no host of its own: what is done on every host is done on it once.
    let ways: BTreeSet<String> = runbook.hosts.iter().flat_map(|template| other_ways(template, scope)).collect();
    let machines = || ours().filter(|host| !ways.contains(&host.name));
    let private = machines().filter(|host| !host.via.is_empty()).map(entry);
    scope.insert_dotted("hosts.private", Json::Array(private.collect()));
    scope.insert_dotted("hosts.all", Json::Array(machines().map(entry).collect()));
    scope.insert_dotted("hosts.bastions", Json::Array(bastions));
}

/// The names of a template's hosts that are known as another one.
fn other_ways(template: &HostTemplate, scope: &Scope) -> Vec<String> {
    let Some(known_as) = &template.known_as else { return Vec::new() };
    let scopes = host_scopes(template, scope).unwrap_or_default();
    let named = scopes.iter().filter_map(|scope| Some((template.name.text(scope).ok()?, known_as.text(scope).ok()?)));
    named.filter(|(name, known_as)| name != known_as).map(|(name, _)| name).collect()
}

/// A host by its name, and the one that leads to it.
struct Named {
    name: String,
    /// Empty where nothing does.
    via: String,
    hop: bool,
    address: Option<String>,
}

fn host_names(runbook: &Runbook, scope: &Scope) -> Result<Vec<Named>, Unrendered> {
    let mut all = Vec::new();
    for template in &runbook.hosts {
        for scope in host_scopes(template, scope)? {
            let via = template.via.as_ref().map(|via| via.text(&scope)).transpose()?.unwrap_or_default();
            let address = template.address.text(&scope).ok();
            all.push(Named { name: template.name.text(&scope)?, via, hop: template.hop, address });
        }
    }
    Ok(all)
}

/// Could templates see something else after this event? What a step only tells of itself changes no value.
pub fn changes_values(engagement: &Engagement, event: &Event) -> bool {
    match event {
        Event::AttemptStarted { .. }
        | Event::Probed { .. }
        | Event::Intended { .. }
        | Event::Concluded { .. }
        | Event::Undoable { .. }
        | Event::Failed { .. }
        | Event::Held { .. }
        | Event::Asked { .. }
        | Event::Waiting { .. }
        | Event::Stopped { .. }
        | Event::PlanApproved { .. }
        | Event::HostLeftOut { .. }
        | Event::HostLetIn { .. } => false,
        Event::Done { step, kept, .. } => !kept.is_empty() || engagement.kept.contains_key(step),
        _ => true,
    }
}

/// Digest of what a step would send, the same before and after its predecessors ran: what an approval binds to.
pub fn plan_digest(runbook: &Runbook, address: &Address, plan_scope: &Scope) -> Option<String> {
    let step = runbook.step(&address.step)?;
    let item = item_of(step, address, plan_scope).ok()??;
    call(step, item.as_ref(), plan_scope).ok().map(|call| bound(&call, plan_scope))
}

/// Digest of a call together with where it goes: the same arguments in another account or region are another change.
pub fn bound(call: &Call, plan_scope: &Scope) -> String {
    match call {
        Call::Kind { kind, .. } if kind.starts_with("aws/") => {
            let place = ["aws.account_id", "aws.region_primary"].map(|id| plan_scope.get_dotted(id));
            digest_of(&json!({ "call": call.digest(), "place": place }))
        }
        _ => call.digest(),
    }
}

/// `plan_digest` of every instance of every step that can be worked out.
pub(super) fn plan_digests(engagement: &Engagement, runbook: &Runbook) -> BTreeMap<Address, String> {
    digests_of(engagement, runbook, |_, _, call, scope| bound(&call, scope))
}

fn digests_of<D>(
    engagement: &Engagement,
    runbook: &Runbook,
    digest: impl Fn(&Address, &Step, Call, &Scope) -> D,
) -> BTreeMap<Address, D> {
    let [scope, real] = [ScopeMode::Plan, ScopeMode::Real].map(|mode| scope(engagement, runbook, mode));
    let mut digests = BTreeMap::new();
    for step in runbook.steps() {
        for item in expand_planned(step, &scope, &real).unwrap_or_default() {
            if let Ok(call) = call(step, item.as_ref(), &scope) {
                let address = Address::new(step.id.clone(), item.map(|item| item.key));
                let digest = digest(&address, step, call, &scope);
                digests.insert(address, digest);
            }
        }
    }
    digests
}

/// A step that has begun, and whose arguments would be other ones with another answer.
pub(super) struct ChangedStep<'e> {
    pub step: &'e Address,
    /// A person can change what it made where that stands: nothing has to be made anew.
    pub by_hand: bool,
}

/// The steps that have begun, and whose arguments would be other ones with `after`. What is taken only when a thing is made
/// counts for as long as that is under way, or in doubt.
pub(super) fn changed_behind<'e>(
    before: &'e Engagement,
    after: &Engagement,
    runbook: &Runbook,
) -> Vec<ChangedStep<'e>> {
    let open = |step: &Address| {
        let record = before.record(step);
        record.is_some_and(|record| record.pending.is_some() || matches!(record.state, State::Running { .. }))
    };
    // What counts at all, and what of it only an undo can change.
    let digest = |address: &Address, step: &Step, call: Call, scope: &Scope| match &step.work {
        Work::Kind { once, by_hand, .. } if !open(address) => {
            let compared = without(call, once);
            let fixed = without(compared.clone(), by_hand);
            (bound(&compared, scope), bound(&fixed, scope))
        }
        _ => (bound(&call, scope), bound(&call, scope)),
    };
    let (old, new) = (digests_of(before, runbook, digest), digests_of(after, runbook, digest));
    let changed = before.steps.keys().filter(|step| old.get(step) != new.get(step));
    let fixed = |digests: &BTreeMap<Address, (String, String)>, step| digests.get(step).map(|(_, fixed)| fixed.clone());
    changed.map(|step| ChangedStep { step, by_hand: fixed(&old, step) == fixed(&new, step) }).collect()
}

/// The call without these arguments.
fn without(call: Call, names: &[String]) -> Call {
    match call {
        Call::Kind { kind, mut with } => {
            with.retain(|name, _| !names.contains(name));
            Call::Kind { kind, with }
        }
        call => call,
    }
}
