//! What the program uses of a runbook, once read and checked: phases, steps, fields, hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::diagnosis::Diagnosis;
use super::expr::Expr;
use super::place::Place;
use super::scope::Scope;
use super::template::{Args, Template};
use crate::input::{InputId, Kind};

/// A whole runbook: data only, nothing of a customer in it.
#[derive(Debug, Clone)]
pub struct Runbook {
    /// Stable name, e.g. `managed-cloud`.
    pub id: String,
    pub title: String,
    pub phases: Vec<Phase>,
    /// Every input, by id; declared once.
    pub fields: BTreeMap<InputId, Field>,
    /// How the hosts of an engagement are found, in order of declaration.
    pub hosts: Vec<HostTemplate>,
    /// How it is found out what is the matter with a step.
    pub diagnoses: Vec<Diagnosis>,
    /// BLAKE3 of all the files it was read from, in hexadecimal.
    pub digest: String,
}

impl Runbook {
    /// All steps, in the order of the page.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.phases.iter().flat_map(|phase| phase.steps.iter())
    }

    /// The step of that id, if the runbook has it.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps().find(|step| &step.id == id)
    }

    /// The diagnosis that a step names.
    pub fn diagnosis_of(&self, step: &Step) -> Option<&Diagnosis> {
        let named = step.diagnosis.as_ref()?;
        self.diagnoses.iter().find(|diagnosis| &diagnosis.id == named)
    }

    /// Does an input belong to a phase, or to a step, that the runbook does not have yet?
    pub fn is_to_come(&self, field: &Field) -> bool {
        let there = |wanted: &String| {
            self.phases.iter().any(|phase| phase.id == *wanted) || self.steps().any(|step| step.id.0 == *wanted)
        };
        field.asked_in.as_ref().is_some_and(|wanted| !there(wanted))
    }

    /// A step and everything it needs, directly or not.
    pub fn closure(&self, step: &StepId) -> BTreeSet<StepId> {
        let mut found = BTreeSet::new();
        let mut todo = vec![step.clone()];
        while let Some(id) = todo.pop() {
            if found.insert(id.clone())
                && let Some(step) = self.step(&id)
            {
                todo.extend(step.needs.iter().cloned());
            }
        }
        found
    }

    /// The form or choice step that asks for an input, if there is one.
    pub fn asked_in(&self, input: &InputId) -> Option<&Step> {
        self.steps().find(|step| step.asks().contains(input))
    }
}

/// One part of the page, e.g. "Remote access".
#[derive(Debug, Clone, Default)]
pub struct Phase {
    pub id: String,
    pub title: String,
    /// Why it is done, in the customer's words.
    pub why: String,
    pub steps: Vec<Step>,
}

/// `phase/step`: stable for the life of a runbook, whatever moves around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl StepId {
    pub fn new(phase: &str, step: &str) -> Self {
        StepId(format!("{phase}/{step}"))
    }

    pub fn phase(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One step: something onramp does, asks or checks, or a person signs off.
#[derive(Debug, Clone)]
pub struct Step {
    pub id: StepId,
    /// Ids that it had in earlier editions of the runbook.
    pub was: Vec<StepId>,
    pub title: String,
    pub why: String,
    pub owner: Party,
    /// Absent means always.
    pub when: Option<Expr>,
    /// Absent means once. Its items are strings, or maps with `key` or `name`.
    pub for_each: Option<Expr>,
    /// Steps named in `needs`, and those that the step's own templates read from (what others save, what forms ask).
    pub needs: BTreeSet<StepId>,
    /// No later step changes anything before this one is done.
    pub gate: bool,
    /// The step that takes the change away again: once it is done, this need not be so any more.
    pub until: Option<StepId>,
    pub work: Work,
    /// Set when somebody else must move before the check can succeed, or before a person can sign it off.
    pub waits_on: Option<WaitsOn>,
    pub saves: Vec<Save>,
    /// What begins to be billed, in words.
    pub cost: Option<String>,
    /// What breaks if it is wrong, in words.
    pub breaks: Option<String>,
    /// Why there is no undo, where there is none.
    pub no_undo: Option<String>,
    /// Can onramp take the change back? Nothing where the step changes nothing outside the state file.
    pub takes_back: Option<bool>,
    /// Until when its change may be taken back.
    pub undo_until: UndoUntil,
    /// How long the check after the change may go on saying "not yet".
    pub within: Option<Duration>,
    /// Id of the diagnosis that finds out what is the matter with it.
    pub diagnosis: Option<String>,
    pub place: Place,
}

/// Until when a change may be taken back, as the runbook says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UndoUntil {
    Always,
    #[default]
    Unused,
    /// So long after the change, and as long as nothing hangs on it.
    Within(Duration),
}

impl Step {
    /// The inputs this step asks for.
    pub fn asks(&self) -> &[InputId] {
        match &self.work {
            Work::Form(inputs) => inputs,
            Work::Choice(input) => std::slice::from_ref(input),
            Work::Manual(_) | Work::Shell(_) | Work::Kind { .. } => &[],
        }
    }

    /// Is it repeated over hosts, under their names?
    pub fn over_hosts(&self) -> bool {
        let names = self.for_each.as_ref().map(|each| &each.reads().all);
        names.is_some_and(|names| !names.is_empty() && names.iter().all(|name| name.starts_with("hosts.")))
    }

    /// Does what it does on one host need of `earlier` only what that did on the same host? Not where `earlier` finds
    /// something out: that may be needed of all of them.
    pub fn follows_on_each_host(&self, earlier: &Step) -> bool {
        self.over_hosts() && earlier.over_hosts() && earlier.saves.is_empty()
    }

    /// May running it change the world outside the state file?
    pub fn touches_world(&self) -> bool {
        matches!(self.work, Work::Shell(_) | Work::Kind { .. })
    }
}

/// What a step is made of: exactly one of these.
#[expect(clippy::large_enum_variant, reason = "a runbook has a few hundred of them, each made once")]
#[derive(Debug, Clone)]
pub enum Work {
    Form(Vec<InputId>),
    Choice(InputId),
    Manual(Manual),
    Shell(Shell),
    /// A kind of the action registry: `aws/vpc`, `os/file`, `probe/tcp`, … with its arguments.
    Kind {
        kind: String,
        with: Args,
        /// Names of the arguments that take a secret, by where it lives.
        secrets: Vec<String>,
        /// Names of the arguments that are taken when it is made, and never again.
        once: Vec<String>,
        /// Names of the arguments that a person can change where it stands.
        by_hand: Vec<String>,
    },
}

/// Kinds whose `host` is the address or the name of a server, and no host of the engagement.
const ASK_A_SERVER: [&str; 2] = ["probe/message", "probe/smtp"];

/// Is what this kind takes as `host`, where it takes that, the name of a host of the engagement?
pub fn names_a_host(kind: &str) -> bool {
    !ASK_A_SERVER.contains(&kind)
}

/// Something a person does and signs off; its machine check, where there is one, is any other work that changes nothing.
#[derive(Debug, Clone)]
pub struct Manual {
    pub ask: Template,
}

/// Scripts run on one host, each a POSIX shell script on standard input.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Renders to the name of a host of the engagement.
    pub host: Template,
    /// Shell functions that come before each script; the same for a whole phase.
    pub library: String,
    /// Run as root through `sudo -n`.
    pub sudo: bool,
    /// Exit 0: it is already so. 1: it is not. Anything else: unknown.
    pub check: Option<Template>,
    pub run: Option<Template>,
    /// Runs after `run` has ended well, over a login that is made anew.
    pub then: Option<Template>,
    /// Exit 0: it is so now. Without one, `check` is used.
    pub verify: Option<Template>,
    pub undo: Option<Template>,
    /// Renders to where a secret lives; the script that does the work reads the secret on its standard input.
    pub stdin: Option<Template>,
    /// Limit of one script.
    pub limit: Duration,
}

/// Who has to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Operator,
    Customer,
    Aws,
    Colocation,
    ThirdParty,
}

impl FromStr for Party {
    type Err = String;

    /// Reads what `Display` writes, with blanks, hyphens or underscores in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.to_ascii_lowercase().replace(['-', '_'], " ");
        let known = [Party::Customer, Party::Aws, Party::Colocation, Party::ThirdParty, Party::Operator];
        known.into_iter().find(|party| party.to_string().eq_ignore_ascii_case(&plain)).ok_or_else(|| {
            let words = known.map(|party| party.to_string().to_lowercase().replace(' ', "-"));
            format!("\"{text}\" is nobody who could be waited on: {}", crate::text::either(&words))
        })
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Party::Operator => "us",
            Party::Customer => "customer",
            Party::Aws => "AWS",
            Party::Colocation => "colocation",
            Party::ThirdParty => "third party",
        })
    }
}

/// A wait on somebody else: who, and what they were asked.
#[derive(Debug, Clone)]
pub struct WaitsOn {
    pub party: Party,
    /// The person or the team, where the runbook can tell.
    pub who: Option<Template>,
    pub ask: Template,
    /// How long they have for it; no time limit where the runbook gives none.
    pub due: Option<Duration>,
}

/// One value kept from a step's result: `{from: id, to: network.vpc_id}`. Under `for_each` the name becomes a map by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Save {
    /// The key in the step's result.
    pub from: String,
    /// Dotted name that later templates use.
    pub to: String,
}

/// One input as the runbook declares it.
#[derive(Debug, Clone)]
pub struct Field {
    pub id: InputId,
    pub label: String,
    pub help: String,
    pub kind: Kind,
    /// Rendered with what is known so far; offered, never taken silently.
    pub default: Option<Template>,
    /// What is known to be answered, as far as that can be told; it is shown, and no limit.
    pub known: Option<Template>,
    pub example: String,
    /// Asked only when this holds.
    pub when: Option<Expr>,
    /// An empty answer is allowed.
    pub optional: bool,
    /// Where this holds, an optional one is needed after all.
    pub required_when: Option<Expr>,
    /// The phase, or the step as `phase/step`, that asks for it, where the runbook need not have that yet.
    pub asked_in: Option<String>,
    /// Which person of the customer's can answer it; one of us where nobody is named.
    pub answered_by: Option<String>,
    pub place: Place,
}

impl Field {
    /// May the answer be left out, by what is known so far?
    pub fn may_stay_empty(&self, scope: &Scope) -> bool {
        self.optional && !self.required_when.as_ref().is_some_and(|when| when.truth(scope).unwrap_or(false))
    }
}

/// How one host, or under `for_each` several, is reached. All templates render late, so a port may change in mid-run.
#[derive(Debug, Clone)]
pub struct HostTemplate {
    pub name: Template,
    pub when: Option<Expr>,
    pub for_each: Option<Expr>,
    pub address: Template,
    pub port: Option<Template>,
    /// None: whom the engineer's own SSH set-up says.
    pub user: Option<Template>,
    /// `agent` or the path of a private key file.
    pub key: Option<Template>,
    /// Name of the host to go through; none for a direct connection.
    pub via: Option<Template>,
    /// Renders to where the password lives that sudo asks for there.
    pub sudo: Option<Template>,
    /// The host whose keys it shows, where two ways lead to one machine.
    pub known_as: Option<Template>,
    /// Known fingerprints from a second source, one or a list.
    pub fingerprints: Option<Template>,
    /// Only on the way to others, and somebody else's: in none of the lists of hosts.
    pub hop: bool,
    pub place: Place,
}

impl HostTemplate {
    /// Does it always have one and the same name?
    pub fn names_one(&self) -> bool {
        self.for_each.is_none() && self.name.reads().all.is_empty()
    }
}
