//! An object in the account: from one look at it, all four questions are answered.
//!
//! A kind says what it is called, which calls make it from nothing, what a look shows, and what would take it away.
//! The rest is here, once: what is missing is sent, what is there is left, a lost answer is a doubt.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};

use super::arguments::known;
use super::ec2_call::{Ec2Call, changes};
use super::ec2_send::Sender;
use super::world::{Subject, World};
use super::{Action, Found, Probe, Trouble, Verified};
use crate::aws::ec2::types::{Filter, Tag};
use crate::aws::{self, AwsFailure, Cloud, Fate, Holder, Kind};
use crate::engagement::{Change, Difference, Failure, Outcome, RepeatClass};
use crate::journal::DurableIntent;

/// Looks at something that is being taken away.
const GOING: Duration = Duration::from_secs(10);
/// So many of them: a NAT gateway or an instance is gone within ten minutes, or something is wrong.
const GOING_LOOKS: u32 = 60;
/// Rounds of looking and sending: a second one after AWS said that something is there already; more, when it says so
/// and does not show it yet.
const ROUNDS: u32 = 12;
const BETWEEN_ROUNDS: Duration = Duration::from_secs(3);
/// Seconds between looks for something whose making was asked for, and the answer lost. To find it is certain; not to
/// find it says nothing, so the rest of the quiet time is for the recovery to wait.
const LOST_LOOKS: [u64; 5] = [1, 2, 4, 8, 15];
/// How often the same thing is taken away when it does not look gone.
const TAKES: u32 = 3;
/// Looks at something that is still on its way, so that a probe does not call a half-made thing done.
const COMING: Duration = Duration::from_secs(5);
const COMING_LOOKS: u32 = 120;

/// What a look showed.
#[derive(Debug)]
pub(super) enum Sight {
    Nothing {
        said: String,
    },
    Ready(Found),
    /// Ours, but seen by one look and not yet by another: look again.
    Appearing {
        said: String,
    },
    /// Ours, whole, and still on its way.
    Coming(Found),
    /// Ours, or free to be arranged, but not complete.
    Partial(Partial),
    /// Something is there that onramp will not touch by itself.
    Foreign {
        said: String,
        differences: Vec<Difference>,
    },
    /// It is there and will never work.
    Broken(Failure),
}

/// What is there of it, and the calls that complete it.
#[derive(Debug)]
pub(super) struct Partial {
    pub said: String,
    pub differences: Vec<Difference>,
    pub missing: Vec<Ec2Call>,
    /// What an undo needs to know of the state before.
    pub keep: BTreeMap<String, Json>,
}

/// What is left of something that was made.
#[derive(Debug)]
pub(super) enum Remains {
    Gone,
    Going {
        said: String,
    },
    /// It is there, but it is not ours (any more).
    NotOurs {
        said: String,
    },
    /// These calls take it away.
    Takes(Vec<Ec2Call>),
}

/// One kind of object.
#[async_trait]
pub(super) trait Thing: Send + Sync {
    /// `VPC vpc/main`
    fn noun(&self) -> String;

    /// Everything that makes it from nothing, in order. The first one tells the class.
    fn calls(&self) -> Vec<Ec2Call>;

    /// The result that holds its id.
    fn id_name(&self) -> &'static str {
        "id"
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure>;

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure>;
}

/// The account as a look uses it.
pub(super) struct Account<'a> {
    pub cloud: &'a Cloud,
    pub subject: &'a Subject,
}

impl Account<'_> {
    pub(super) fn ec2(&self) -> &aws::ec2::Client {
        self.cloud.ec2()
    }

    /// Finds our object of that key.
    pub(super) fn ours(&self, key: &str) -> Vec<Filter> {
        aws::lookup(&self.subject.engagement, key)
    }

    pub(super) fn is_ours(&self, tags: Option<&[Tag]>) -> bool {
        matches!(self.holder(tags), Holder::Us { .. })
    }

    pub(super) fn holder(&self, tags: Option<&[Tag]>) -> Holder {
        aws::holder(tags.unwrap_or_default(), &self.subject.engagement)
    }

    /// What a look-up by tags brought, looked at once more: not every endpoint heeds every filter (moto gives all NAT
    /// gateways), and nobody else's object may be taken for ours.
    pub(super) fn of_ours<T>(&self, key: &str, found: Vec<T>, tags: fn(&T) -> &[Tag]) -> Vec<T> {
        let ours = Holder::Us { key: key.to_owned() };
        found.into_iter().filter(|one| self.holder(Some(tags(one))) == ours).collect()
    }

    /// The one object that carries our tags, if any. Of several a person must say which one stays.
    pub(super) fn only_one<T>(
        &self,
        noun: &str,
        key: &str,
        found: Vec<T>,
        id: fn(&T) -> Option<&str>,
        tags: fn(&T) -> &[Tag],
    ) -> Result<Option<T>, Sight> {
        let mut found = self.of_ours(key, found, tags);
        if found.len() < 2 {
            return Ok(found.pop());
        }
        let ids: Vec<&str> = found.iter().filter_map(id).collect();
        Err(Sight::Foreign {
            said: format!("there are {} of {noun}", ids.len()),
            differences: vec![difference("how many", "1", crate::text::list(&ids))],
        })
    }

    /// What is left of an object that onramp made, if these calls would take it away.
    pub(super) fn remains(&self, id: &str, there: Option<Option<&[Tag]>>, calls: Vec<Ec2Call>) -> Remains {
        match there {
            None => Remains::Gone,
            Some(tags) if !self.is_ours(tags) => Remains::NotOurs { said: self.whose(id, tags) },
            Some(_) => Remains::Takes(calls),
        }
    }

    /// Something is in the place of our object `key`, and the look-up by tags did not bring it: it is somebody else's, or
    /// it is ours and made so recently that not every look-up knows it.
    pub(super) fn taken(&self, noun: &str, key: &str, place: &str, by: (&str, Option<&[Tag]>)) -> Sight {
        let (id, tags) = by;
        if self.holder(tags) == (Holder::Us { key: key.to_owned() }) {
            return Sight::Appearing { said: format!("{noun} is there as {id}, but not every look shows it yet") };
        }
        Sight::Foreign {
            said: format!("the place of {noun} is taken: {place}"),
            differences: vec![difference(place, format!("{noun}, made by onramp"), self.whose(id, tags))],
        }
    }

    /// `vpc-123 of another engagement`, `vpc-123 that onramp did not make`
    pub(super) fn whose(&self, id: &str, tags: Option<&[Tag]>) -> String {
        match self.holder(tags) {
            Holder::Us { key } => format!("{id}, ours as {key}"),
            Holder::Engagement(other) => format!("{id} of the engagement {other}"),
            Holder::Stranger => format!("{id}, which onramp did not make"),
        }
    }
}

/// What an earlier apply wrote down of what it made.
pub(super) struct Made<'a>(pub &'a BTreeMap<String, Json>);

impl Made<'_> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Json::as_str)
    }
}

/// Sends what is missing to a kind of object.
pub(super) struct Object<T>(pub T);

#[async_trait]
impl<T: Thing> Action for Object<T> {
    fn changes(&self) -> Vec<Change> {
        changes(&self.0.calls())
    }

    fn class(&self) -> RepeatClass {
        self.0.calls().first().map_or(RepeatClass::Natural, Ec2Call::class)
    }

    async fn probe(&self, world: &World) -> Probe {
        match self.settled(world).await {
            Err(failure) => Probe::Unknown(Trouble::Failure(failure)),
            Ok(Sight::Nothing { said }) => Probe::Absent { said },
            Ok(Sight::Ready(found) | Sight::Coming(found)) => Probe::Same(found),
            Ok(Sight::Appearing { said }) => {
                Probe::Unknown(Trouble::Failure(Failure::new(said, "Look again in a minute.")))
            }
            Ok(Sight::Partial(Partial { said, differences, missing, .. })) => {
                Probe::Different { said, differences, mend: changes(&missing) }
            }
            Ok(Sight::Foreign { said, differences }) => Probe::Different { said, differences, mend: Vec::new() },
            Ok(Sight::Broken(failure)) => {
                Probe::Different { said: told(&failure), differences: Vec::new(), mend: Vec::new() }
            }
        }
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        let mut ledger = Ledger::new(self.0.id_name());
        let mut hidden = Failure::default();
        for _ in 0..ROUNDS {
            let calls = match self.see(world).await {
                Err(failure) => return ledger.stopped(failure),
                Ok(Sight::Nothing { .. }) => self.0.calls(),
                Ok(Sight::Appearing { said }) => {
                    hidden = Failure::new(said, "Wait a minute and try again.");
                    between_rounds(world).await;
                    continue;
                }
                Ok(Sight::Partial(partial)) => {
                    ledger.output.extend(partial.keep);
                    partial.missing
                }
                Ok(Sight::Ready(found) | Sight::Coming(found)) => return ledger.there(found),
                Ok(Sight::Broken(failure)) => return ledger.stopped(failure),
                Ok(Sight::Foreign { said, differences }) => return ledger.stopped(foreign(&said, &differences)),
            };
            if calls.is_empty() {
                return ledger.stopped(foreign(&format!("{} is not as wanted", self.0.noun()), &[]));
            }
            match carry_out(world, intent.token(), calls, &mut ledger).await {
                Ok(()) => return ledger.made(&self.0.noun()),
                Err(Stopped::ThereAlready(failure)) => hidden = failure,
                Err(Stopped::Lost(operation, failure)) => {
                    if !self.turns_up(world).await {
                        return ledger.in_doubt(&failure);
                    }
                    ledger.did(&operation, None);
                    continue;
                }
                Err(Stopped::Refused(failure)) => return ledger.stopped(failure),
            }
            between_rounds(world).await;
        }
        ledger.stopped(Failure {
            what: format!("AWS says that {} is in use already, but does not show it", self.0.noun()),
            ..hidden
        })
    }

    async fn verify(&self, world: &World) -> Verified {
        match self.see(world).await {
            Err(failure) => Verified::Unknown(Trouble::Failure(failure)),
            Ok(Sight::Ready(found)) => Verified::So(found),
            Ok(Sight::Nothing { said } | Sight::Appearing { said } | Sight::Coming(Found { said, .. })) => {
                Verified::NotYet { said }
            }
            Ok(Sight::Partial(partial)) => Verified::NotYet { said: partial.said },
            Ok(Sight::Foreign { said, differences }) => Verified::NotSo(foreign(&said, &differences)),
            Ok(Sight::Broken(failure)) => Verified::NotSo(failure),
        }
    }

    async fn undo(&self, world: &World, intent: &DurableIntent, made: &BTreeMap<String, Json>) -> Outcome {
        let noun = self.0.noun();
        let mut ledger = Ledger::new(self.0.id_name());
        let cloud = match world.cloud() {
            Ok(cloud) => cloud,
            Err(failure) => return ledger.stopped(failure),
        };
        for look in 0..GOING_LOOKS {
            let at = Account { cloud, subject: &world.subject };
            match self.0.remains(&at, &Made(made)).await.map_err(Failure::from) {
                Err(failure) => return ledger.stopped(failure),
                Ok(Remains::Gone) => return ledger.taken_away(&noun),
                Ok(Remains::NotOurs { said }) => {
                    let advice = "Its owner must take it away, or skip this undo.";
                    return ledger.stopped(Failure::new(format!("{noun} is left alone: {said}"), advice));
                }
                Ok(Remains::Takes(calls)) if look < TAKES => {
                    match carry_out(world, intent.token(), calls, &mut ledger).await {
                        Ok(()) | Err(Stopped::ThereAlready(_)) => continue,
                        Err(Stopped::Lost(_, failure)) => return ledger.in_doubt(&failure),
                        Err(Stopped::Refused(failure)) => return ledger.stopped(failure),
                    }
                }
                Ok(Remains::Takes(_)) => world.say(&format!("{noun} is still shown")).await,
                Ok(Remains::Going { said }) => world.say(&said).await,
            }
            tokio::select! {
                () = world.cancel.cancelled() => return ledger.stopped(stopped_before("looking again")),
                () = cloud.pause(GOING) => {}
            }
        }
        ledger.stopped(Failure::new(format!("{noun} does not go away"), "Look at it in the console, then undo again."))
    }
}

impl<T: Thing> Object<T> {
    async fn see(&self, world: &World) -> Result<Sight, Failure> {
        let at = Account { cloud: world.cloud()?, subject: &world.subject };
        self.0.look(&at).await.map_err(Failure::from)
    }

    /// The answer to a call was lost: can what it makes be seen, all or in part?
    async fn turns_up(&self, world: &World) -> bool {
        let Ok(cloud) = world.cloud() else { return false };
        for seconds in LOST_LOOKS {
            world.say("the answer was lost; looking for what it made").await;
            tokio::select! {
                () = world.cancel.cancelled() => return false,
                () = cloud.pause(Duration::from_secs(seconds)) => {}
            }
            match self.see(world).await {
                Ok(Sight::Ready(_) | Sight::Coming(_) | Sight::Partial(_)) => return true,
                Ok(Sight::Nothing { .. } | Sight::Appearing { .. }) => {}
                Ok(Sight::Foreign { .. } | Sight::Broken(_)) | Err(_) => return false,
            }
        }
        false
    }

    /// As `see`, but something that is on its way is waited for, unless this is only a look.
    async fn settled(&self, world: &World) -> Result<Sight, Failure> {
        let cloud = world.cloud()?;
        for _ in 0..COMING_LOOKS {
            match self.see(world).await? {
                Sight::Coming(Found { said, .. }) | Sight::Appearing { said } if !cloud.is_read_only() => {
                    world.say(&said).await;
                }
                sight => return Ok(sight),
            }
            tokio::select! {
                () = world.cancel.cancelled() => break,
                () = cloud.pause(COMING) => {}
            }
        }
        self.see(world).await
    }
}

async fn between_rounds(world: &World) {
    if let Ok(cloud) = world.cloud() {
        cloud.pause(BETWEEN_ROUNDS).await;
    }
}

/// Why a list of calls was not carried out to its end.
enum Stopped {
    ThereAlready(Failure),
    /// This call may or may not have been executed.
    Lost(String, Failure),
    Refused(Failure),
}

/// Sends calls in order and writes down what each did. What is to be removed and is not there counts as removed.
async fn carry_out(world: &World, token: &str, calls: Vec<Ec2Call>, ledger: &mut Ledger) -> Result<(), Stopped> {
    let cloud = world.cloud().map_err(Stopped::Refused)?;
    let subject = &world.subject;
    let owner = subject.owner();
    let sender = Sender { cloud, owner: &owner, address: &subject.address, token };
    for call in calls {
        let call = match &ledger.id {
            Some(id) => call.about(id),
            None => call,
        };
        let operation = call.operation();
        if world.cancel.is_cancelled() {
            return Err(Stopped::Refused(stopped_before(&operation)));
        }
        world.say(&operation).await;
        match sender.send(&call).await {
            Ok(id) => {
                if let Some(id) = &id {
                    world.say(&format!("  {id}")).await;
                }
                ledger.did(&operation, id);
            }
            Err(failure) if takes_away(&operation) && matches!(failure.kind, Kind::NotFound | Kind::Gone) => {
                ledger.did(&operation, None);
            }
            Err(failure) if failure.code.as_deref() == Some("InvalidPermission.Duplicate") => {
                ledger.did(&operation, None);
            }
            Err(failure) if failure.kind == Kind::Exists => return Err(Stopped::ThereAlready(failure.into())),
            Err(failure) if failure.fate == Fate::Unknown => return Err(Stopped::Lost(operation, failure.into())),
            Err(failure) => return Err(Stopped::Refused(failure.into())),
        }
    }
    Ok(())
}

fn takes_away(operation: &str) -> bool {
    ["Delete", "Detach", "Disassociate", "Release", "Revoke", "Terminate"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// What was sent so far, and what came of it.
struct Ledger {
    id_name: &'static str,
    id: Option<String>,
    operations: Vec<String>,
    changed: Vec<String>,
    output: BTreeMap<String, Json>,
}

impl Ledger {
    fn new(id_name: &'static str) -> Self {
        let (operations, changed, output) = Default::default();
        Ledger { id_name, id: None, operations, changed, output }
    }

    fn did(&mut self, operation: &str, id: Option<String>) {
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

    fn made(self, noun: &str) -> Outcome {
        let said = match &self.id {
            Some(id) => format!("{noun} is made: {id}"),
            None => format!("{noun}: {}", crate::text::list(&self.operations)),
        };
        Outcome::Changed { said, created: true, operations: self.operations, output: self.output }
    }

    /// A look found it whole.
    fn there(mut self, found: Found) -> Outcome {
        if self.operations.is_empty() {
            return Outcome::AlreadySo { said: found.said, output: found.output };
        }
        self.output.extend(found.output);
        Outcome::Changed { said: found.said, created: true, operations: self.operations, output: self.output }
    }

    fn taken_away(self, noun: &str) -> Outcome {
        if self.operations.is_empty() {
            return Outcome::AlreadySo { said: format!("{noun} is not there any more"), output: BTreeMap::new() };
        }
        let said = format!("{noun} is taken away");
        Outcome::Changed { said, created: false, operations: self.operations, output: BTreeMap::new() }
    }

    fn stopped(self, mut failure: Failure) -> Outcome {
        failure.changed = self.changed;
        failure.made = self.output;
        Outcome::Failed { failure }
    }

    fn in_doubt(self, failure: &Failure) -> Outcome {
        let mut why = format!("{} ({})", told(failure), failure.raw);
        if !self.changed.is_empty() {
            why = format!("{why}. Before that: {}", crate::text::list(&self.changed));
        }
        Outcome::InDoubt { why }
    }
}

fn stopped_before(what: &str) -> Failure {
    Failure::new(format!("stopped before {what}"), "Run the step again: it goes on where it stopped.")
}

fn foreign(said: &str, differences: &[Difference]) -> Failure {
    let differences: Vec<String> =
        differences.iter().map(|d| format!("{}: wanted {}, found {}", d.what, d.wanted, d.found)).collect();
    Failure {
        meaning: differences.join("; "),
        ..Failure::new(said, "onramp does not touch it by itself. Change it by hand, or change the input that differs.")
    }
}

fn told(failure: &Failure) -> String {
    format!("{}: {}", failure.what, failure.meaning)
}

/// What is found, as later steps use it.
pub(super) fn found(said: impl Into<String>, output: Json) -> Found {
    let output: Map<String, Json> = match output {
        Json::Object(output) => output,
        _ => Map::new(),
    };
    Found { said: said.into(), output: output.into_iter().collect() }
}

/// What is not as wanted; a value that only an earlier step can tell is taken to be right.
pub(super) fn differing(compared: &[(&str, &str, Option<&str>)]) -> Vec<Difference> {
    compared
        .iter()
        .filter(|(_, wanted, found)| known(wanted) && *found != Some(*wanted))
        .map(|(what, wanted, found)| difference(what, *wanted, found.unwrap_or("nothing")))
        .collect()
}

/// One difference.
pub(super) fn difference(what: &str, wanted: impl Into<String>, found: impl Into<String>) -> Difference {
    Difference { what: what.to_owned(), wanted: wanted.into(), found: found.into() }
}
