//! Which steps come before which: those that are written in `needs`, and those that a step reads from.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{HostTemplate, Runbook, Step, StepId, Work, names_a_host};
use super::names::Names;
use super::template::Template;

/// Names that are always there: what the engagement is, and the names of its hosts.
pub(super) const GIVEN: [&str; 6] =
    ["engagement.id", "engagement.name", "engagement.practice", "hosts.all", "hosts.bastions", "hosts.private"];

/// Those of them that are lists of hosts.
pub(super) const HOST_LISTS: [&str; 3] = ["hosts.all", "hosts.bastions", "hosts.private"];

/// Names that `for_each` gives.
pub(super) const ROUND: [&str; 2] = ["item", "key"];

/// Who gives which name.
pub(super) struct Givers {
    /// Inputs by id; the steps that ask for each.
    pub inputs: BTreeMap<String, BTreeSet<StepId>>,
    /// Names that steps save.
    pub saved: BTreeMap<String, BTreeSet<StepId>>,
}

impl Givers {
    pub fn of(runbook: &Runbook) -> Givers {
        let mut inputs: BTreeMap<String, BTreeSet<StepId>> =
            runbook.fields.keys().map(|id| (id.to_string(), BTreeSet::new())).collect();
        let mut saved: BTreeMap<String, BTreeSet<StepId>> = BTreeMap::new();
        for step in runbook.steps() {
            for id in step.asks() {
                inputs.entry(id.to_string()).or_default().insert(step.id.clone());
            }
            for save in &step.saves {
                saved.entry(save.to.clone()).or_default().insert(step.id.clone());
            }
        }
        Givers { inputs, saved }
    }

    /// Is there anything that gives this name, or a part of it, or a map that it is in?
    pub fn know(&self, name: &str) -> bool {
        let given = GIVEN.iter().chain(&ROUND).any(|given| overlap(given, name));
        given || self.inputs.keys().chain(self.saved.keys()).any(|given| overlap(given, name))
    }

    /// Every name that could have been meant.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let own = self.inputs.keys().chain(self.saved.keys()).map(String::as_str);
        own.chain(GIVEN).chain(ROUND)
    }

    fn steps(&self, name: &str) -> impl Iterator<Item = &StepId> {
        let all = self.inputs.iter().chain(&self.saved);
        all.filter(move |(given, _)| overlap(given, name)).flat_map(|(_, steps)| steps)
    }
}

/// Is one the other, or a map on the way to it? `access.subnet_ids` and `access.subnet_ids.a` overlap.
pub(super) fn overlap(a: &str, b: &str) -> bool {
    let within =
        |whole: &str, part: &str| part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    within(a, b) || within(b, a)
}

/// Every place of a step where names are read: the keys on the way to it, and the names.
pub(super) fn reads(step: &Step) -> Vec<(Vec<&'static str>, Names)> {
    let mut found: Vec<(Vec<&'static str>, Names)> = Vec::new();
    found.extend(step.when.as_ref().map(|when| (vec!["when"], when.reads().clone())));
    found.extend(step.for_each.as_ref().map(|each| (vec!["for_each"], each.reads().clone())));
    if let Some(wait) = &step.waits_on {
        // What a person is asked to sign off is one text, whoever does it.
        if !matches!(&step.work, Work::Manual(manual) if manual.ask == wait.ask) {
            found.push((vec!["ask"], wait.ask.reads().clone()));
        }
        found.extend(wait.who.as_ref().map(|who| (vec!["who"], who.reads().clone())));
    }
    match &step.work {
        Work::Form(_) | Work::Choice(_) => {}
        Work::Manual(manual) => found.push((vec!["manual"], manual.ask.reads().clone())),
        Work::Kind { with, .. } => found.push((vec!["with"], with.reads())),
        Work::Shell(shell) => {
            found.push((vec!["host"], shell.host.reads().clone()));
            let scripts = [
                ("check", &shell.check),
                ("run", &shell.run),
                ("then", &shell.then),
                ("verify", &shell.verify),
                ("undo", &shell.undo),
            ];
            for (key, script) in scripts {
                found.extend(script.as_ref().map(|script| (vec!["shell", key], script.reads().clone())));
            }
            found.extend(shell.stdin.as_ref().map(|stdin| (vec!["shell", "stdin"], stdin.reads().clone())));
        }
    }
    found
}

/// Adds to each step's needs what it reads from.
pub(super) fn add_implied(runbook: &mut Runbook) {
    let givers = Givers::of(runbook);
    let implied: Vec<BTreeSet<StepId>> = runbook.steps().map(|step| direct(runbook, &givers, step)).collect();
    let mut all = implied.into_iter();
    for step in runbook.phases.iter_mut().flat_map(|phase| &mut phase.steps) {
        step.needs.extend(all.next().unwrap_or_default());
        step.needs.remove(&step.id);
    }
    add_way_to_hosts(runbook, &givers);
    add_forms(runbook, &givers);
}

/// A step that reads an input with `default` or `is defined` comes after the form that asks for it: before that, nobody can
/// have given it, and the step would do without what is about to be said. Where that would make a circle the need is left out.
fn add_forms(runbook: &mut Runbook, givers: &Givers) {
    let mut before = needs_of(runbook);
    let forms: Vec<(StepId, BTreeSet<StepId>)> = runbook
        .steps()
        .map(|step| {
            let names = own_names(step);
            let asked =
                givers.inputs.iter().filter(|(input, _)| names.optional.iter().any(|name| overlap(input, name)));
            (step.id.clone(), asked.flat_map(|(_, forms)| forms.iter().cloned()).collect())
        })
        .collect();
    for (id, forms) in forms {
        add_unless_circle(&mut before, &id, forms);
    }
    set_needs(runbook, before);
}

fn needs_of(runbook: &Runbook) -> BTreeMap<StepId, BTreeSet<StepId>> {
    runbook.steps().map(|step| (step.id.clone(), step.needs.clone())).collect()
}

fn set_needs(runbook: &mut Runbook, mut needs: BTreeMap<StepId, BTreeSet<StepId>>) {
    for step in runbook.phases.iter_mut().flat_map(|phase| &mut phase.steps) {
        step.needs = needs.remove(&step.id).unwrap_or_default();
    }
}

fn add_unless_circle(needs: &mut BTreeMap<StepId, BTreeSet<StepId>>, id: &StepId, added: BTreeSet<StepId>) {
    for giver in added {
        if giver != *id && !comes_before(needs, id, &giver) {
            needs.entry(id.clone()).or_default().insert(giver);
        }
    }
}

/// What comes after a gate and changes something needs it, unless the gate needs that itself.
pub(super) fn add_gates(runbook: &mut Runbook) {
    let gates: Vec<StepId> = runbook.steps().filter(|step| step.gate).map(|step| step.id.clone()).collect();
    for gate in gates {
        let before = runbook.closure(&gate);
        let after = runbook.phases.iter_mut().flat_map(|phase| &mut phase.steps).skip_while(|step| step.id != gate);
        for step in after.filter(|step| step.takes_back.is_some() && !before.contains(&step.id)) {
            step.needs.insert(gate.clone());
        }
    }
}

/// What a step reads, without the fields of a form: what is asked there follows what is answered elsewhere at any time.
fn own_names(step: &Step) -> Names {
    let mut names = Names::default();
    reads(step).iter().for_each(|(_, read)| names.merge(read));
    names
}

/// The steps that give what a step reads by name.
fn direct(runbook: &Runbook, givers: &Givers, step: &Step) -> BTreeSet<StepId> {
    let mut names = own_names(step);
    for field in step.asks().iter().filter_map(|id| runbook.fields.get(id)) {
        field.when.iter().for_each(|when| names.merge(when.reads()));
        field.default.iter().for_each(|default| names.merge(default.reads()));
    }
    let mut needed = BTreeSet::new();
    for name in names.required() {
        needed.extend(givers.steps(name).cloned());
        // The lists of hosts are made of what the host section reads for their names.
        if HOST_LISTS.iter().any(|list| overlap(list, name)) {
            for host in &runbook.hosts {
                let mut listed = Names::default();
                listing(host).for_each(|read| listed.merge(read));
                needed.extend(listed.required().flat_map(|name| givers.steps(name)).cloned());
            }
        }
    }
    needed.remove(&step.id);
    needed
}

fn listing(host: &HostTemplate) -> impl Iterator<Item = &Names> {
    let exprs = [&host.when, &host.for_each].into_iter().flatten().map(|expr| expr.reads());
    exprs.chain([host.name.reads()]).chain(host.via.iter().map(|via| via.reads()))
}

fn way(host: &HostTemplate) -> impl Iterator<Item = &Names> {
    let optional =
        [&host.port, &host.user, &host.key, &host.sudo, &host.known_as, &host.fingerprints].into_iter().flatten();
    listing(host).chain([&host.address].into_iter().chain(optional).map(|template| template.reads()))
}

/// A step that goes to a host needs what the way to it is made of. Which hosts those are can only be guessed from the
/// names, so a need that would make a circle is left out: the step then says for itself that its host is not known yet.
fn add_way_to_hosts(runbook: &mut Runbook, givers: &Givers) {
    let mut before = needs_of(runbook);
    let ids: Vec<StepId> = runbook.steps().map(|step| step.id.clone()).collect();
    for id in ids {
        let Some(step) = runbook.step(&id) else { continue };
        let Some(reference) = host_reference(step) else { continue };
        let mut names = Names::default();
        for host in on_the_way(&runbook.hosts, step, reference) {
            way(host).for_each(|read| names.merge(read));
        }
        let steps: BTreeSet<StepId> = names.required().flat_map(|name| givers.steps(name)).cloned().collect();
        add_unless_circle(&mut before, &id, steps);
    }
    set_needs(runbook, before);
}

/// Does `later` need `first`, directly or through others?
fn comes_before(needs: &BTreeMap<StepId, BTreeSet<StepId>>, first: &StepId, later: &StepId) -> bool {
    let mut seen: BTreeSet<&StepId> = BTreeSet::new();
    let mut open = vec![later];
    while let Some(step) = open.pop() {
        if step == first {
            return true;
        }
        if seen.insert(step) {
            open.extend(needs.get(step).into_iter().flatten());
        }
    }
    false
}

/// The template that names the host a step goes to. An action that goes to a host takes its name as `host`.
pub(super) fn host_reference(step: &Step) -> Option<&Template> {
    host_of(&step.work)
}

/// The same of any work.
pub(super) fn host_of(work: &Work) -> Option<&Template> {
    match work {
        Work::Shell(shell) => Some(&shell.host),
        Work::Kind { kind, with, .. } if names_a_host(kind) => with.template("host"),
        _ => None,
    }
}

fn on_the_way<'a>(hosts: &'a [HostTemplate], step: &Step, reference: &Template) -> Vec<&'a HostTemplate> {
    let rounds: BTreeSet<String> = step.for_each.iter().flat_map(|each| each.names()).collect();
    let fits = |host: &&&HostTemplate| match (rounds.contains("hosts.private"), rounds.contains("hosts.bastions")) {
        (true, false) => host.via.is_some(),
        (false, true) => host.via.is_none(),
        _ => true,
    };
    let meant = matching(hosts, reference);
    let fitting: Vec<&HostTemplate> = meant.iter().filter(fits).copied().collect();
    let mut found = if fitting.is_empty() { meant } else { fitting };
    let mut at = 0;
    while let Some(host) = found.get(at) {
        at += 1;
        for hop in host.via.iter().flat_map(|via| matching(hosts, via)) {
            if !found.iter().any(|known| std::ptr::eq(*known, hop)) {
                found.push(hop);
            }
        }
    }
    found
}

/// The host templates that a name can mean: those that say most about it, when some do.
pub(super) fn matching<'a>(hosts: &'a [HostTemplate], reference: &Template) -> Vec<&'a HostTemplate> {
    let wanted = Pattern::of(reference);
    let all: Vec<&HostTemplate> = hosts.iter().filter(|host| wanted.meets(Pattern::of(&host.name))).collect();
    let specific: Vec<&HostTemplate> =
        all.iter().filter(|host| !Pattern::of(&host.name).is_anything()).copied().collect();
    if specific.is_empty() || wanted.is_anything() { all } else { specific }
}

/// What is fixed in the name of a host: `{{ item.name }}-first` ends in `-first`.
#[derive(Debug, Clone, Copy)]
struct Pattern<'a> {
    begin: &'a str,
    end: &'a str,
    fixed: bool,
}

impl<'a> Pattern<'a> {
    fn of(template: &'a Template) -> Pattern<'a> {
        let source = template.source().trim();
        match (source.find("{{"), source.rfind("}}")) {
            (Some(open), Some(close)) if open < close => {
                Pattern { begin: &source[..open], end: &source[close + 2..], fixed: false }
            }
            _ => Pattern { begin: source, end: source, fixed: true },
        }
    }

    fn is_anything(self) -> bool {
        !self.fixed && self.begin.is_empty() && self.end.is_empty()
    }

    /// Can some name be both?
    fn meets(self, other: Pattern) -> bool {
        let begin = self.begin.starts_with(other.begin) || other.begin.starts_with(self.begin);
        let end = self.end.ends_with(other.end) || other.end.ends_with(self.end);
        match (self.fixed, other.fixed) {
            (true, true) => self.begin == other.begin,
            (true, false) => self.begin.starts_with(other.begin) && self.end.ends_with(other.end),
            (false, true) => other.meets(self),
            (false, false) => begin && end,
        }
    }
}

/// A circle of needs, if there is one, in the order of the page.
pub(super) fn cycle(runbook: &Runbook) -> Option<Vec<StepId>> {
    let mut done: BTreeSet<&StepId> = BTreeSet::new();
    for step in runbook.steps() {
        let mut path: Vec<(&StepId, Vec<&StepId>)> = Vec::new();
        if !done.contains(&step.id) {
            path.push((&step.id, step.needs.iter().collect()));
        }
        while let Some((id, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                done.insert(id);
                path.pop();
                continue;
            };
            if let Some(start) = path.iter().position(|(seen, _)| *seen == next) {
                let mut circle: Vec<StepId> = path[start..].iter().map(|(id, _)| (*id).clone()).collect();
                circle.push(next.clone());
                return Some(circle);
            }
            if let Some(needed) = runbook.step(next).filter(|needed| !done.contains(&needed.id)) {
                path.push((&needed.id, needed.needs.iter().collect()));
            }
        }
    }
    None
}
