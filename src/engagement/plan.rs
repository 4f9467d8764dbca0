//! What would change, as it is shown and as it is digested. Probes feed it; nothing here looks at the world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{Address, Finding, digest_of};
use crate::text::count;

/// The answer of `onramp plan`. Its JSON form is stable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub entries: Vec<PlanEntry>,
    /// What an approval binds to: the steps that would change something, each with its arguments.
    pub digest: String,
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
    pub cost: Option<String>,
    pub breaks: Option<String>,
    pub undo: Option<String>,
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

impl Plan {
    pub fn new(entries: Vec<PlanEntry>) -> Self {
        let mut plan = Plan { entries, digest: String::new() };
        plan.digest = digest_of(&json!(plan.approval()));
        plan
    }

    /// The part of it that is about these steps, with a digest of its own.
    pub fn only(&self, wanted: impl Fn(&Address) -> bool) -> Plan {
        Plan::new(self.entries.iter().filter(|entry| wanted(&entry.step)).cloned().collect())
    }

    /// The steps an approval of this plan covers.
    pub fn approval(&self) -> BTreeMap<Address, String> {
        self.entries
            .iter()
            .filter(|entry| entry.would_change())
            .map(|entry| (entry.step.clone(), entry.digest.clone()))
            .collect()
    }

    /// All calls and scripts of the steps that would change something.
    pub fn changes(&self) -> impl Iterator<Item = (&PlanEntry, &Change)> {
        self.entries
            .iter()
            .filter(|entry| entry.would_change())
            .flat_map(|entry| entry.changes.iter().map(move |change| (entry, change)))
    }
}

impl PlanEntry {
    pub fn would_change(&self) -> bool {
        matches!(self.verdict, Verdict::Change | Verdict::Unknown) && !self.changes.is_empty()
    }
}
