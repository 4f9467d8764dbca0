//! What is different between two editions of a runbook: steps by their ids and former ids, inputs, hosts.
//!
//! A step is the same step when it has the same id, or says that it had (`was`). What it does is compared without its
//! words for people: a new title changes nothing that was done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::model::{Field, HostTemplate, Phase, Runbook, Shell, Step, StepId, Work};
use super::template::Template;

/// Everything that differs, in the order of the newer edition; what is gone comes last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    pub steps: Vec<StepChange>,
    pub inputs: Vec<InputChange>,
    /// Names, as the runbook writes them, of hosts that are new, gone, or reached in another way.
    pub hosts: BTreeSet<String>,
    /// The former id of each step that is called otherwise now, and what it is called.
    pub renamed: BTreeMap<StepId, StepId>,
}

/// One way in which a step is not as it was. A step may be there more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepChange {
    /// In the newer edition; of a step that is gone, in the older one.
    pub id: StepId,
    pub title: String,
    pub how: StepDifference,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepDifference {
    Added,
    Removed,
    /// It was called so.
    Renamed(StepId),
    /// It stands elsewhere among the steps.
    Moved,
    /// It does something else: the keys that say so.
    Changed(Vec<&'static str>),
    /// It does the same; other words, times or ways back: the keys.
    Reworded(Vec<&'static str>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputChange {
    pub id: String,
    pub label: String,
    pub how: InputDifference,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputDifference {
    Added,
    Removed,
    /// Another kind, or other bounds or choices of the same: before and after.
    Kind(String, String),
    /// It is asked at other times, or something else is offered: the keys.
    Asked(Vec<&'static str>),
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.inputs.is_empty() && self.hosts.is_empty()
    }
}

/// What a step does, by key; equal for two editions that do the same.
type Does = BTreeMap<&'static str, Json>;

/// A digest of what a step does: its work with all templates, `when`, `for_each`, `needs` and `saves`. Titles, reasons,
/// time limits and the way back are not in it.
pub fn does(step: &Step) -> String {
    digest(&does_what(step, &BTreeMap::new()))
}

/// As [`does`], with the steps that it needs called as `renamed` says.
pub fn does_after(step: &Step, renamed: &BTreeMap<StepId, StepId>) -> String {
    digest(&does_what(step, renamed))
}

fn digest(does: &Does) -> String {
    blake3::hash(json!(does).to_string().as_bytes()).to_hex()[..32].to_owned()
}

fn does_what(step: &Step, renamed: &BTreeMap<StepId, StepId>) -> Does {
    let now = |id: &StepId| renamed.get(id).unwrap_or(id).to_string();
    let needs: BTreeSet<String> = step.needs.iter().map(now).collect();
    let saves: BTreeMap<&str, &str> = step.saves.iter().map(|save| (save.from.as_str(), save.to.as_str())).collect();
    let mut does = Does::from([
        ("when", json!(step.when.as_ref().map(|when| when.source()))),
        ("for_each", json!(step.for_each.as_ref().map(|each| each.source()))),
        ("needs", json!(needs)),
        ("saves", json!(saves)),
    ]);
    match &step.work {
        Work::Form(inputs) => {
            does.insert("form", json!(inputs.iter().map(|id| id.as_str()).collect::<Vec<_>>()));
        }
        Work::Choice(input) => {
            does.insert("choice", json!(input.as_str()));
        }
        Work::Manual(manual) => {
            does.insert("manual", json!(manual.ask.source()));
        }
        Work::Shell(shell) => does.extend(scripts(shell)),
        Work::Kind { kind, with, .. } => {
            let family = ["aws", "os"].into_iter().find(|family| kind.starts_with(&format!("{family}/")));
            does.insert(family.unwrap_or("probe"), json!(kind));
            does.insert("with", with.sources());
        }
    }
    does
}

fn scripts(shell: &Shell) -> Does {
    let source = |script: &Option<Template>| json!(script.as_ref().map(Template::source));
    Does::from([
        ("host", json!(shell.host.source())),
        ("library", json!(shell.library)),
        ("sudo", json!(shell.sudo)),
        ("check", source(&shell.check)),
        ("run", source(&shell.run)),
        ("then", source(&shell.then)),
        ("verify", source(&shell.verify)),
    ])
}

/// Words, times and ways back: what may differ without anything being done otherwise.
fn says(step: &Step) -> Does {
    let wait = step.waits_on.as_ref();
    let mut says = Does::from([
        ("title", json!(step.title)),
        ("why", json!(step.why)),
        ("owner", json!(step.owner)),
        ("cost", json!(step.cost)),
        ("breaks", json!(step.breaks)),
        ("no_undo", json!(step.no_undo)),
        ("until", json!(step.until)),
        ("within", json!(step.within.map(|within| within.as_secs()))),
        ("waits_on", json!(wait.map(|wait| wait.party))),
        ("ask", json!(wait.map(|wait| wait.ask.source()))),
        ("who", json!(wait.and_then(|wait| wait.who.as_ref()).map(Template::source))),
        ("due", json!(wait.and_then(|wait| wait.due).map(|due| due.as_secs()))),
        ("diagnosis", json!(step.diagnosis)),
    ]);
    match &step.work {
        // What a person is asked to sign off is what the step does; it is not said twice.
        Work::Manual(manual) if wait.is_some_and(|wait| wait.ask == manual.ask) => {
            says.remove("ask");
        }
        Work::Shell(shell) => {
            says.insert("undo", json!(shell.undo.as_ref().map(Template::source)));
            says.insert("limit", json!(shell.limit.as_secs()));
        }
        _ => {}
    }
    says
}

/// The keys under which two differ.
fn differ(before: &Does, now: &Does) -> Vec<&'static str> {
    let keys: BTreeSet<&'static str> = before.keys().chain(now.keys()).copied().collect();
    let absent = Json::Null;
    keys.into_iter().filter(|key| before.get(key).unwrap_or(&absent) != now.get(key).unwrap_or(&absent)).collect()
}

/// What is different in `new`.
pub fn changes(old: &Runbook, new: &Runbook) -> Changes {
    let renamed = renamed(old, new);
    let former: BTreeMap<&StepId, &StepId> = renamed.iter().map(|(was, is)| (is, was)).collect();
    let moved = out_of_order(old, new, &renamed);
    let mut changes = Changes { inputs: inputs(old, new), hosts: hosts(old, new), ..Changes::default() };
    for step in new.steps() {
        let mut add = |how| changes.steps.push(StepChange { id: step.id.clone(), title: step.title.clone(), how });
        let Some(before) = old.step(former.get(&step.id).copied().unwrap_or(&step.id)) else {
            add(StepDifference::Added);
            continue;
        };
        if before.id != step.id {
            add(StepDifference::Renamed(before.id.clone()));
        }
        if moved.contains(&step.id) {
            add(StepDifference::Moved);
        }
        let changed = differ(&does_what(before, &renamed), &does_what(step, &BTreeMap::new()));
        if !changed.is_empty() {
            add(StepDifference::Changed(changed));
        }
        let reworded = differ(&says(before), &says(step));
        if !reworded.is_empty() {
            add(StepDifference::Reworded(reworded));
        }
    }
    let gone = old.steps().filter(|step| gone(step, new, &renamed));
    changes.steps.extend(gone.map(|step| StepChange {
        id: step.id.clone(),
        title: step.title.clone(),
        how: StepDifference::Removed,
    }));
    changes.renamed = renamed;
    changes
}

fn gone(step: &Step, new: &Runbook, renamed: &BTreeMap<StepId, StepId>) -> bool {
    new.step(&step.id).is_none() && !renamed.contains_key(&step.id)
}

/// Former ids: as the newer edition says them, or, where it is the older one that is gone back to, as that one said them.
fn renamed(old: &Runbook, new: &Runbook) -> BTreeMap<StepId, StepId> {
    let only = |id: &StepId, there: &Runbook, not: &Runbook| there.step(id).is_some() && not.step(id).is_none();
    let mut renamed = BTreeMap::new();
    for step in new.steps().filter(|step| old.step(&step.id).is_none()) {
        let was = step.was.iter().find(|was| only(was, old, new) && !renamed.contains_key(*was));
        if let Some(was) = was {
            renamed.insert(was.clone(), step.id.clone());
        }
    }
    for step in old.steps().filter(|step| new.step(&step.id).is_none()) {
        let taken = |id: &StepId| renamed.values().any(|taken| taken == id);
        let again = step.was.iter().find(|was| only(was, new, old) && !taken(was));
        if let (Some(again), false) = (again, renamed.contains_key(&step.id)) {
            renamed.insert(step.id.clone(), again.clone());
        }
    }
    renamed
}

/// The fewest steps whose move would explain the new order.
fn out_of_order(old: &Runbook, new: &Runbook, renamed: &BTreeMap<StepId, StepId>) -> BTreeSet<StepId> {
    let places: BTreeMap<&StepId, usize> =
        old.steps().enumerate().map(|(place, step)| (renamed.get(&step.id).unwrap_or(&step.id), place)).collect();
    let now: Vec<(&StepId, usize)> = new.steps().filter_map(|step| Some((&step.id, *places.get(&step.id)?))).collect();
    // The longest part of them that is still in order: for each the length of the longest that ends there, and its last but one.
    let mut longest: Vec<(usize, Option<usize>)> = Vec::with_capacity(now.len());
    for (at, (_, place)) in now.iter().enumerate() {
        let before = (0..at).filter(|earlier| now[*earlier].1 < *place).max_by_key(|earlier| longest[*earlier].0);
        longest.push((before.map_or(1, |before| longest[before].0 + 1), before));
    }
    let mut in_order = BTreeSet::new();
    let mut at = (0..now.len()).max_by_key(|at| longest[*at].0);
    while let Some(here) = at {
        in_order.insert(now[here].0);
        at = longest[here].1;
    }
    now.iter().map(|(id, _)| *id).filter(|id| !in_order.contains(id)).cloned().collect()
}

fn inputs(old: &Runbook, new: &Runbook) -> Vec<InputChange> {
    let change = |field: &Field, how| InputChange { id: field.id.to_string(), label: field.label.clone(), how };
    let mut changes = Vec::new();
    for field in new.fields.values() {
        let Some(before) = old.fields.get(&field.id) else {
            changes.push(change(field, InputDifference::Added));
            continue;
        };
        if before.kind != field.kind {
            let (mut was, mut is) = (before.kind.name().to_owned(), field.kind.name().to_owned());
            if was == is {
                was.push_str(" as it was");
                is.push_str(" with other bounds or choices");
            }
            changes.push(change(field, InputDifference::Kind(was, is)));
        }
        let asked = differ(&asked(before), &asked(field));
        if !asked.is_empty() {
            changes.push(change(field, InputDifference::Asked(asked)));
        }
    }
    let gone = old.fields.values().filter(|field| !new.fields.contains_key(&field.id));
    changes.extend(gone.map(|field| change(field, InputDifference::Removed)));
    changes
}

fn asked(field: &Field) -> Does {
    Does::from([
        ("when", json!(field.when.as_ref().map(|when| when.source()))),
        ("optional", json!(field.optional)),
        ("required_when", json!(field.required_when.as_ref().map(|when| when.source()))),
        ("default", json!(field.default.as_ref().map(Template::source))),
    ])
}

fn hosts(old: &Runbook, new: &Runbook) -> BTreeSet<String> {
    let ways = |runbook: &Runbook| runbook.hosts.iter().map(way).collect::<BTreeSet<_>>();
    let (before, now) = (ways(old), ways(new));
    before.symmetric_difference(&now).map(|(name, _)| name.clone()).collect()
}

/// A host's name, and everything that says how it is reached.
fn way(host: &HostTemplate) -> (String, String) {
    let source = |template: &Option<Template>| template.as_ref().map(|template| template.source().to_owned());
    let way = json!({
        "when": host.when.as_ref().map(|when| when.source()),
        "for_each": host.for_each.as_ref().map(|each| each.source()),
        "address": host.address.source(),
        "user": source(&host.user),
        "port": source(&host.port),
        "key": source(&host.key),
        "via": source(&host.via),
        "sudo": source(&host.sudo),
        "known_as": source(&host.known_as),
        "fingerprints": source(&host.fingerprints),
        "hop": host.hop,
    });
    (host.name.source().to_owned(), way.to_string())
}

/// A step as it was in an earlier edition: what it is called now, that edition, and what it was called there.
#[derive(Debug, Clone)]
pub struct Former<'a> {
    pub now: &'a StepId,
    pub edition: &'a Runbook,
    pub then: &'a StepId,
}

/// The runbook with these steps as they were in earlier editions, under the names that they have now; those that are gone
/// stand at the end. For taking back what was made by them. `called_now` gives the present name of a former id.
pub fn with_former(runbook: &Runbook, former: &[Former<'_>], called_now: impl Fn(&StepId) -> StepId) -> Runbook {
    let mut whole = runbook.clone();
    let mut gone = Phase { id: "gone".to_owned(), title: "No longer there".to_owned(), ..Phase::default() };
    for Former { now, edition, then } in former {
        let Some(step) = edition.step(then) else { continue };
        let mut step = step.clone();
        step.id = (*now).clone();
        step.needs = step.needs.iter().map(&called_now).collect();
        step.until = step.until.as_ref().map(&called_now);
        let there = whole.phases.iter_mut().flat_map(|phase| &mut phase.steps).find(|there| there.id == **now);
        match there {
            Some(there) => *there = step,
            None => gone.steps.push(step),
        }
        let named = |host: &HostTemplate| whole.hosts.iter().any(|known| known.name.source() == host.name.source());
        let hosts: Vec<HostTemplate> = edition.hosts.iter().filter(|host| !named(host)).cloned().collect();
        whole.hosts.extend(hosts);
    }
    whole.phases.push(gone);
    whole
}
