//! Which secrets the steps ahead will need, so that the missing ones are asked for before a run and not in the middle.

use std::collections::BTreeSet;

use super::event::Question;
use super::scope::{ScopeMode, item_of, scope};
use super::state::{Engagement, State};
use super::{Address, Row, Status, board};
use crate::input::{Kind, SecretRef, SecretRule, Value};
use crate::runbook::{Runbook, Scope, Step};

/// A secret that is not where it should be, or that only a person knows: what to ask for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSecret {
    /// The secret, or the passphrase of the file that it is in.
    pub reference: SecretRef,
    pub why: String,
    /// It is chosen now, for something new: a person says it twice.
    pub chosen_now: bool,
}

/// What a server, or a key file, asks a person while onramp logs in to a host. No event holds it, nor the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginQuestion {
    pub number: u64,
    /// Who asks, of whom: hop, address and user.
    pub asks: String,
    /// What the server says to it, made printable.
    pub said: Vec<String>,
    /// An answer is wanted for each.
    pub lines: Vec<LoginLine>,
}

/// One line to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginLine {
    pub label: String,
    /// May be seen while it is typed.
    pub shown: bool,
}

/// Where the secrets live that steps of `wanted` will read which are not settled yet: secrets that were given as
/// inputs, those that earlier steps made, and those that a step asked for already.
pub fn secrets_ahead(
    engagement: &Engagement,
    runbook: &Runbook,
    wanted: impl Fn(&Address) -> bool,
) -> BTreeSet<SecretRef> {
    secrets_of(engagement, runbook, |row| !row.status.settled() && wanted(&row.address))
}

/// Where the secrets live that a second look at what is done will read.
pub fn secrets_behind(engagement: &Engagement, runbook: &Runbook) -> BTreeSet<SecretRef> {
    secrets_of(engagement, runbook, |row| matches!(row.status, Status::Done { .. }))
}

fn secrets_of(engagement: &Engagement, runbook: &Runbook, wanted: impl Fn(&Row) -> bool) -> BTreeSet<SecretRef> {
    let scope = scope(engagement, runbook, ScopeMode::Real);
    let mut found = BTreeSet::new();
    for row in board(engagement, runbook).rows.into_iter().filter(|row| row.touches_world && wanted(row)) {
        let Some(step) = runbook.step(&row.address.step) else { continue };
        for input in runbook.secrets_of(step) {
            found.extend(engagement.inputs.get(input).and_then(|given| given.value.secret()).map(|it| it.of(input)));
        }
        found.extend(named(step, &row.address, &scope));
        if let State::Asked { question: Question::NeedsSecret { reference, .. }, .. } = engagement.state(&row.address) {
            found.insert(reference.clone());
        }
    }
    found
}

/// The secrets that a step reads, as far as it is known by now where they live.
fn named(step: &Step, address: &Address, scope: &Scope) -> Vec<SecretRef> {
    let mut scope = scope.clone();
    if let Ok(Some(Some(item))) = item_of(step, address, &scope) {
        scope.insert_dotted("item", item.value);
        scope.insert_dotted("key", item.key.into());
    }
    step.secrets().into_iter().filter_map(|template| template.text(&scope).ok()?.parse().ok()).collect()
}

/// The rule for the text of the secret that lives there, where it answers an input, beside what else is answered.
pub fn secret_rule(engagement: &Engagement, runbook: &Runbook, reference: &SecretRef) -> Option<SecretRule> {
    let (input, _) = engagement.secrets().find(|(_, known)| known == reference)?;
    match runbook.fields.get(input)?.kind {
        Kind::Secret(rule) => Some(rule.beside(&engagement.given())),
        _ => None,
    }
}

/// Steps that ended with the question for a secret, and the secret.
pub fn asking_for_secrets(engagement: &Engagement) -> impl Iterator<Item = (&Address, &SecretRef)> {
    engagement.steps.iter().filter_map(|(step, record)| match &record.state {
        State::Asked { question: Question::NeedsSecret { reference, .. }, .. } => Some((step, reference)),
        _ => None,
    })
}

impl Engagement {
    /// Where each secret lives, by the input that it answers.
    pub fn secrets(&self) -> impl Iterator<Item = (&crate::input::InputId, SecretRef)> {
        self.inputs.iter().filter_map(|(id, given)| match &given.value {
            Value::Secret(reference) => Some((id, reference.of(id))),
            _ => None,
        })
    }
}
