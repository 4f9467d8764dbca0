//! Calls are sent in order, and what came of each is written down.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::Found;
use super::call::Call;
use super::send::Sender;
use super::world::World;
use crate::aws::{AwsFailure, Cloud, Effect, Fate, Kind};
use crate::engagement::{Failure, Leave, Outcome, Question, Rehearsal, SENT_WITHIN};
use crate::journal::DurableIntent;

/// The token of calls that are only rehearsed: AWS keeps none of those.
const REHEARSAL: &str = "onramp-rehearsal";

/// What a durable intent says of the calls under it.
pub(super) struct Orders<'a> {
    token: &'a str,
    /// On everything that is made.
    marks: BTreeMap<String, String>,
    /// No call that may not be repeated starts later than this.
    until: Instant,
}

impl<'a> Orders<'a> {
    pub(super) fn new(world: &World, intent: &'a DurableIntent) -> Self {
        let (token, said) = (intent.token(), intent.intent());
        // An intent of an older version does not say.
        let marks = if said.tags.is_empty() { world.subject.marks(token, said.attempt) } else { said.tags.clone() };
        Orders { token, marks, until: Instant::now() + SENT_WITHIN }
    }
}

/// Why a list of calls was not carried out to its end.
pub(super) enum Stopped {
    ThereAlready(Failure),
    /// Something hangs on what was to be taken away, or it is on its way from one state to another.
    InUse(Failure),
    /// The token was used before, for other values or for something that is gone since.
    Spent(Failure),
    /// This call may or may not have been executed.
    Lost(String, Failure),
    Refused(Failure),
}

/// Sends calls in order and writes down what each did. What is to be removed and is not there counts as removed.
pub(super) async fn carry_out(
    world: &World,
    orders: &Orders<'_>,
    calls: Vec<Call>,
    ledger: &mut Ledger,
) -> Result<(), Stopped> {
    let cloud = world.cloud().map_err(Stopped::Refused)?;
    let mut secrets = BTreeMap::new();
    for reference in calls.iter().flat_map(Call::secrets) {
        let text = world.secret(reference).await.map_err(|question| Stopped::Refused(missing(&question)))?;
        secrets.insert(reference.clone(), text);
    }
    let sender = Sender {
        world,
        cloud,
        marks: &orders.marks,
        token: orders.token,
        until: orders.until,
        secrets: &secrets,
        rehearsal: false,
    };
    for call in calls {
        let call = match &ledger.id {
            Some(id) => call.about(id),
            None => call,
        };
        let (operation, takes_away) = (call.operation().name(), call.operation().row().effect == Effect::TakesAway);
        if world.cancel.is_cancelled() {
            return Err(Stopped::Refused(stopped_before(operation)));
        }
        world.say(operation).await;
        let answer = sender.send(&call).await;
        ledger.sent |= answer.as_ref().err().is_none_or(|failure| failure.fate != Fate::NotExecuted);
        match answer {
            Ok(id) => {
                if let Some(id) = &id {
                    world.say(&format!("  {id}")).await;
                }
                ledger.did(operation, id);
            }
            Err(failure) if takes_away && matches!(failure.kind, Kind::NotFound | Kind::Gone) => {
                ledger.did(operation, None);
            }
            Err(failure) if failure.kind == Kind::Exists => {
                ledger.there_already = Some(operation.to_owned());
                return Err(Stopped::ThereAlready(failure.into()));
            }
            Err(failure) if matches!(failure.kind, Kind::InUse | Kind::NotReady) => {
                return Err(Stopped::InUse(failure.into()));
            }
            Err(failure) if failure.kind == Kind::Token => return Err(Stopped::Spent(failure.into())),
            Err(failure) if failure.fate == Fate::Unknown => {
                return Err(Stopped::Lost(operation.to_owned(), failure.into()));
            }
            Err(failure) => {
                // It may have been for the secret.
                if failure.kind == Kind::Invalid {
                    call.secrets().into_iter().for_each(|reference| world.forget_secret(reference));
                }
                return Err(Stopped::Refused(failure.into()));
            }
        }
    }
    Ok(())
}

/// It was there when the step began.
fn missing(question: &Question) -> Failure {
    let what = match question {
        Question::NeedsSecret { reference, why } => format!("{}: {why}", reference.said()),
        Question::SignIn { failure } => failure.what.clone(),
        _ => "a person must answer a question first".to_owned(),
    };
    Failure::new(what, "Run the step again, which asks for it first. Nothing was sent.")
}

/// Asks AWS whether these calls may be made, one of each operation, and makes none.
pub(super) async fn rehearse(world: &World, calls: &[Call]) -> Vec<Rehearsal> {
    let mut said = Vec::new();
    let mut asked = BTreeSet::new();
    for call in calls.iter().filter(|call| asked.insert(call.operation())) {
        let operation = call.operation();
        let permission = format!("{}:{}", operation.row().service.prefix(), operation.name());
        said.push(Rehearsal { permission, answer: may(world, call).await });
    }
    said
}

async fn may(world: &World, call: &Call) -> Leave {
    let untold = |why: String| Leave::Untold { why };
    if !call.operation().row().dry_run {
        return untold("AWS takes no rehearsal of it".to_owned());
    }
    let cloud = match world.cloud() {
        Ok(cloud) => cloud,
        Err(failure) => return untold(failure.what),
    };
    match rehearsed(world, cloud, call).await {
        Rehearsed::Allowed => Leave::Allowed,
        Rehearsed::Made => untold("the endpoint took it for a call that is meant: look what it made".to_owned()),
        Rehearsed::Refused(failure) if failure.kind == Kind::Denied => Leave::Denied { raw: failure.raw },
        Rehearsed::Refused(failure) if failure.kind == Kind::NotFound => {
            untold("AWS looks first for what it builds on, and that is not there yet".to_owned())
        }
        Rehearsed::Refused(failure) => untold(failure.to_string()),
    }
}

/// What AWS says to the rehearsal of a call.
pub(super) enum Rehearsed {
    Allowed,
    Refused(AwsFailure),
    /// By an endpoint that knows no rehearsals.
    Made,
}

/// Asks AWS whether this one call may be made; only for those that can be rehearsed.
pub(super) async fn rehearsed(world: &World, cloud: &Cloud, call: &Call) -> Rehearsed {
    let marks = world.subject.marks(REHEARSAL, 0);
    let (secrets, until) = (BTreeMap::new(), Instant::now() + SENT_WITHIN);
    let sender = Sender { world, cloud, marks: &marks, token: REHEARSAL, until, secrets: &secrets, rehearsal: true };
    match sender.send(call).await {
        Ok(_) => Rehearsed::Made,
        Err(failure) if failure.code.as_deref() == Some("DryRunOperation") => Rehearsed::Allowed,
        Err(failure) => Rehearsed::Refused(failure),
    }
}

/// What was sent so far, and what came of it.
pub(super) struct Ledger {
    id_name: &'static str,
    id: Option<String>,
    pub operations: Vec<String>,
    changed: Vec<String>,
    pub output: BTreeMap<String, Json>,
    /// Something went out, whatever came of it.
    sent: bool,
    /// The call that found its object there, although a look before it had not: an earlier try of it made it.
    there_already: Option<String>,
    /// It changes something that was there before, and what an undo has to know of that is written down.
    mends: bool,
}

impl Ledger {
    pub(super) fn new(id_name: &'static str) -> Self {
        let (operations, changed, output) = Default::default();
        Ledger { id_name, id: None, operations, changed, output, sent: false, there_already: None, mends: false }
    }

    /// What an undo has to know of how it was, written down with the result. What stands in the intent counts for more.
    pub(super) fn keep(&mut self, keep: BTreeMap<String, Json>, before: &BTreeMap<String, Json>) {
        self.output.extend(keep);
        self.output.extend(before.clone());
    }

    /// The same, of something that is there and lacks a part.
    pub(super) fn mend(&mut self, keep: BTreeMap<String, Json>, before: &BTreeMap<String, Json>) {
        self.mends |= !keep.is_empty();
        self.keep(keep, before);
    }

    pub(super) fn did(&mut self, operation: &str, id: Option<String>) {
        self.operations.push(operation.to_owned());
        match id {
            Some(id) => {
                self.changed.push(format!("{operation}: {id}"));
                self.output.insert(self.id_name.to_owned(), json!(id));
                self.id = Some(id);
            }
            None => self.changed.push(operation.to_owned()),
        }
    }

    pub(super) fn made(self, noun: &str) -> Outcome {
        let said = match &self.id {
            Some(id) => format!("{noun} is made: {id}"),
            None => format!("{noun}: {}", crate::text::list(&self.operations)),
        };
        Outcome::Changed { said, created: true, operations: self.operations, output: self.output }
    }

    /// A look found it whole.
    pub(super) fn there(mut self, found: Found) -> Outcome {
        if !found.foreign || self.mends {
            self.operations.extend(self.there_already.take());
        }
        if self.operations.is_empty() {
            return Outcome::AlreadySo { said: found.said, output: found.output };
        }
        self.output.extend(found.output);
        Outcome::Changed { said: found.said, created: true, operations: self.operations, output: self.output }
    }

    pub(super) fn taken_away(self, noun: &str) -> Outcome {
        if self.operations.is_empty() {
            return Outcome::AlreadySo { said: format!("{noun} is not there any more"), output: BTreeMap::new() };
        }
        let said = format!("{noun} is taken away");
        Outcome::Changed { said, created: false, operations: self.operations, output: BTreeMap::new() }
    }

    /// It is meant to stay; what was sent before that is said.
    pub(super) fn stays(self, said: &str) -> Outcome {
        let said = match self.operations.as_slice() {
            [] => said.to_owned(),
            sent => format!("{said} ({} before that)", crate::text::list(sent)),
        };
        Outcome::Stays { said }
    }

    pub(super) fn stopped(self, mut failure: Failure) -> Outcome {
        failure.unsent = !self.sent;
        failure.changed = self.changed;
        failure.made = self.output;
        Outcome::Failed { failure }
    }

    pub(super) fn in_doubt(self, failure: &Failure) -> Outcome {
        let mut why = format!("{} ({})", told(failure), failure.raw);
        if !self.changed.is_empty() {
            why = format!("{why}. Before that: {}", crate::text::list(&self.changed));
        }
        Outcome::InDoubt { why }
    }
}

pub(super) fn stopped_before(what: &str) -> Failure {
    Failure::new(format!("stopped before {what}"), "Run the step again: it goes on where it stopped.")
}

pub(super) fn told(failure: &Failure) -> String {
    match failure.meaning.is_empty() {
        true => failure.what.clone(),
        false => format!("{}: {}", failure.what, failure.meaning),
    }
}
