//! What would change, as it is shown and as it is digested. Probes feed it; nothing here looks at the world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::price::{Bill, Price, price};
use super::quota::{Room, in_order, takes};
use super::{Address, Finding, Permissions, digest_of};
use crate::text::count;

/// The answer of `onramp plan`. Its JSON form is stable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub entries: Vec<PlanEntry>,
    /// What an approval binds to: the steps that would change something, each with its arguments.
    pub digest: String,
    /// Whether the account has room for what would be made, what is short first; empty where nobody asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Room>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanEntry {
    pub step: Address,
    pub title: String,
    pub verdict: Verdict,
    /// What the probe said, or why there was none.
    pub said: String,
    pub finding: Option<Finding>,
    /// Every call or script that would be sent, in order.
    pub changes: Vec<Change>,
    /// Digest of the arguments, with placeholders for what only earlier steps can tell.
    pub digest: String,
    /// What begins to be billed, in the runbook's words.
    pub cost: Option<String>,
    /// The same, call by call, and about how much it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    pub breaks: Option<String>,
    pub undo: Option<String>,
    /// Whom the step will wait on, for how long, and what they will be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
    /// What AWS says when the calls are only rehearsed; empty when nobody asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rehearsals: Vec<Rehearsal>,
}

/// One call that was asked for without being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// `ec2:CreateVpc`
    pub permission: String,
    pub answer: Leave,
}

/// May these credentials make the call?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Leave {
    Allowed,
    Denied {
        /// AWS's own words.
        raw: String,
    },
    Untold {
        why: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It would be made.
    Change,
    /// It is already so, or done.
    Nothing,
    /// The probe could not tell; running it may change something.
    Unknown,
    /// Something else is there; a person must decide.
    Person,
    /// Inputs are missing, or a sign-off.
    Input,
    /// Only a check, when its turn comes.
    Check,
}

/// One call or script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `ec2`, or `ssh` for a script.
    pub service: String,
    /// `CreateVpc`, or the name of the host.
    pub operation: String,
    pub arguments: Json,
}

impl Change {
    pub fn new(service: &str, operation: &str, arguments: Json) -> Self {
        Change { service: service.to_owned(), operation: operation.to_owned(), arguments }
    }

    /// Is it sent to AWS? Scripts on hosts, files here and mail are not.
    pub fn is_of_aws(&self) -> bool {
        !["ssh", "age", "smtp"].contains(&self.service.as_str())
    }

    /// Every value of its arguments with the way to it: `Options.TunnelOptions[1].DPDTimeoutAction` and `restart`. A list of
    /// plain values is one value, also where each of them stands in a `Value` of its own.
    pub fn values(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        add_values(&mut found, String::new(), &self.arguments);
        found
    }

    /// In a few words, as an intent names it: a call by its operation, and of a host also what is done there.
    pub fn named(&self) -> String {
        if self.service != "ssh" {
            return self.operation.clone();
        }
        let said = |name: &str| self.arguments.get(name).and_then(Json::as_str);
        let what = match (said("file"), said("packages"), said("script"), said("does")) {
            (Some(file), ..) => format!("the file {file}"),
            (_, Some(packages), ..) => format!("the packages {packages}"),
            (_, _, Some(script), _) => format!("a script of {}", count(script.trim().lines().count(), "line")),
            (.., Some(does)) => does.to_owned(),
            (.., None) => return self.operation.clone(),
        };
        format!("{}: {what}", self.operation)
    }
}

fn add_values(found: &mut Vec<(String, String)>, way: String, value: &Json) {
    match value {
        Json::Null => {}
        // A call that takes nothing.
        Json::Object(map) if map.is_empty() && way.is_empty() => {}
        Json::Object(map) if !map.is_empty() => {
            for (name, inner) in map {
                let dot = if way.is_empty() { "" } else { "." };
                add_values(found, format!("{way}{dot}{name}"), inner);
            }
        }
        Json::Array(items) => match items.iter().map(plain).collect::<Option<Vec<String>>>() {
            Some(values) => found.push((way, values.join(", "))),
            None => {
                for (index, inner) in items.iter().enumerate() {
                    add_values(found, format!("{way}[{}]", index + 1), inner);
                }
            }
        },
        other => found.push((way, plain(other).unwrap_or_else(|| "nothing".to_owned()))),
    }
}

/// A value in which nothing else stands.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Object(map) if map.len() == 1 => map.get("Value").and_then(plain),
        Json::Null | Json::Object(_) | Json::Array(_) => None,
    }
}

impl Plan {
    pub fn new(entries: Vec<PlanEntry>) -> Self {
        let mut plan = Plan { entries, digest: String::new(), quotas: Vec::new() };
        for entry in plan.entries.iter_mut().filter(|entry| entry.would_change()) {
            entry.prices = entry.changes.iter().filter_map(price).collect();
        }
        plan.digest = digest_of(&json!(plan.approval()));
        plan
    }

    /// The part of it that is about these steps, with a digest of its own.
    pub fn only(&self, wanted: impl Fn(&Address) -> bool) -> Plan {
        let mut part = Plan::new(self.entries.iter().filter(|entry| wanted(&entry.step)).cloned().collect());
        let more = takes(&part.entries);
        let room = |room: &Room| Some(Room::new(room.of, *more.get(&room.of)?, room.known.clone()));
        part.quotas = in_order(self.quotas.iter().filter_map(room).collect());
        part
    }

    /// What its rehearsals came to; empty where nobody asked for them.
    pub fn permissions(&self) -> Permissions<'_> {
        Permissions::of(self)
    }

    /// The steps an approval of this plan covers.
    pub fn approval(&self) -> BTreeMap<Address, String> {
        self.entries
            .iter()
            .filter(|entry| entry.would_change())
            .map(|entry| (entry.step.clone(), entry.digest.clone()))
            .collect()
    }

    /// What begins to be billed.
    pub fn bill(&self) -> Bill {
        self.entries.iter().flat_map(|entry| &entry.prices).collect()
    }

    /// The entries by what happens when one of them is wrong, the dearest first; within each in the order of the page.
    pub fn by_consequence(&self) -> Vec<(Consequence, Vec<&PlanEntry>)> {
        let of = |wanted: Consequence| {
            let entries: Vec<&PlanEntry> = self.entries.iter().filter(|entry| entry.consequence() == wanted).collect();
            (!entries.is_empty()).then_some((wanted, entries))
        };
        Consequence::ALL.into_iter().filter_map(of).collect()
    }

    /// All calls and scripts of the steps that would change something.
    pub fn changes(&self) -> impl Iterator<Item = (&PlanEntry, &Change)> {
        self.entries
            .iter()
            .filter(|entry| entry.would_change())
            .flat_map(|entry| entry.changes.iter().map(move |change| (entry, change)))
    }
}

/// What an entry costs, and what breaks if it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Something begins to be billed.
    Billed,
    /// Something breaks if it is wrong.
    Breaks,
    /// It is changed, and neither of the two.
    Changed,
    /// Nothing is changed by it now.
    Nothing,
}

impl Consequence {
    const ALL: [Consequence; 4] =
        [Consequence::Billed, Consequence::Breaks, Consequence::Changed, Consequence::Nothing];

    /// As a heading.
    pub fn said(self) -> &'static str {
        match self {
            Consequence::Billed => "Begins to be billed",
            Consequence::Breaks => "Breaks something if it is wrong",
            Consequence::Changed => "Changes that cost nothing by themselves",
            Consequence::Nothing => "Changes nothing now",
        }
    }
}

impl PlanEntry {
    pub fn consequence(&self) -> Consequence {
        match () {
            () if !self.would_change() => Consequence::Nothing,
            () if self.cost.is_some() || !self.prices.is_empty() => Consequence::Billed,
            () if self.breaks.is_some() => Consequence::Breaks,
            () => Consequence::Changed,
        }
    }

    pub fn bill(&self) -> Bill {
        self.prices.iter().collect()
    }

    pub fn would_change(&self) -> bool {
        matches!(self.verdict, Verdict::Change | Verdict::Unknown) && !self.changes.is_empty()
    }
}
