//! What is to be taken back, as a person names it; and how to name what has to go before an answer can change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::event::Until;
use super::undo::{has_undo, until};
use super::ways::{Ways, standing};
use super::{Address, AddressError, Engagement};
use crate::runbook::{Runbook, StepId};

/// One step, all instances of a repeated one, or a whole phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Phase(String),
    Step(Address),
}

impl Target {
    pub fn covers(&self, step: &Address) -> bool {
        match self {
            Target::Phase(phase) => step.step.phase() == phase,
            Target::Step(named) => named == step || (named.key.is_none() && named.step == step.step),
        }
    }

    /// Is it this very step that is named, and not something that it is part of?
    pub fn is(&self, step: &Address) -> bool {
        matches!(self, Target::Step(named) if named == step)
    }
}

impl From<Address> for Target {
    fn from(step: Address) -> Self {
        Target::Step(step)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Phase(phase) => f.write_str(phase),
            Target::Step(step) => step.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match !text.is_empty() && text.chars().all(plain) {
            true => Ok(Target::Phase(text.to_owned())),
            false => text.parse().map(Target::Step),
        }
    }
}

/// Everything that has to be taken back so that these steps can be: whole phases where that is all that stands of them.
pub(super) fn way_back(engagement: &Engagement, runbook: &Runbook, steps: &[&Address]) -> Vec<Target> {
    let can_go: BTreeMap<&Address, Until> = standing(engagement)
        .filter(|(step, _)| has_undo(runbook, step).is_ok())
        .map(|(step, record)| (step, until(record)))
        .collect();
    let ways = Ways::of(engagement, runbook);
    let held = |used: &&&Address| can_go.get(**used) != Some(&Until::Always);
    let held: BTreeSet<&StepId> = steps.iter().filter(held).map(|step| &step.step).collect();
    let stands_on_them =
        |user: &Address| ways.behind(&user.step).iter().any(|used| *used != user.step && held.contains(used));
    let goes = |step: &Address| steps.contains(&step) || stands_on_them(step);
    let (go, stay): (BTreeSet<&Address>, BTreeSet<&Address>) = can_go.keys().copied().partition(|step| goes(step));
    let late = |step: &&&Address| matches!(can_go.get(**step), Some(Until::Moment(_)));
    let late: BTreeSet<&Address> = go.iter().filter(late).copied().collect();
    let part_of = |target: &Target, steps: &BTreeSet<&Address>| steps.iter().filter(|step| target.covers(step)).count();
    let mut targets: Vec<Target> = Vec::new();
    for step in go {
        let phase = Target::Phase(step.step.phase().to_owned());
        let all = Target::Step(Address::new(step.step.clone(), None));
        // A phase lets be what is safe no longer.
        let named = match () {
            () if part_of(&phase, &stay) + part_of(&phase, &late) == 0 => phase,
            () if part_of(&all, &stay) == 0 => all,
            () => Target::Step(step.clone()),
        };
        if !targets.contains(&named) {
            targets.push(named);
        }
    }
    targets
}

/// What to write so that these are taken back.
pub(super) fn undo_command(engagement: &Engagement, targets: &[Target]) -> String {
    if engagement.identity.practice {
        let named: Vec<String> = targets.iter().map(ToString::to_string).collect();
        return format!("onramp open NAME, and there u on {}", crate::text::list(&named));
    }
    let quoted = |target: &Target| match target.to_string() {
        named if named.contains('[') => format!("'{named}'"),
        named => named,
    };
    format!("onramp undo NAME {}", targets.iter().map(quoted).collect::<Vec<_>>().join(" "))
}
