//! An object in the account: from one look at it, all four questions are answered.
//!
//! A kind says what it is called, which calls make it from nothing, what a look shows, and what would take it away.
//! The rest is here, once: what is missing is sent, what is there is left, a lost answer is a doubt.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::call::{Call, ITSELF, changes};
use super::sending::{Ledger, Orders, Stopped, carry_out, rehearse, stopped_before, told};
pub(super) use super::sight::{Partial, Remains, Sight, difference, differing, found, ids, there_before};
use super::vigil::Vigil;
use super::world::World;
use super::{Action, Chosen, Found, Probe, Trouble, Undoes, Verified};
use crate::aws::{AwsFailure, Holder};
use crate::engagement::{Change, Difference, Failure, Outcome, Question, Rehearsal, RepeatClass};
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

/// One kind of object.
#[async_trait]
pub(super) trait Thing: Send + Sync {
    /// Does it carry tags that tell whose it is? Of what carries none only its step knows.
    const TAGGED: bool = true;

    /// `VPC vpc/main`
    fn noun(&self) -> String;

    /// Everything that makes it from nothing, in order. The first one tells the class.
    fn calls(&self) -> Vec<Call>;

    /// What is written down before the first call, where nothing of it is there: what an undo has to know.
    fn keeps(&self) -> BTreeMap<String, Json> {
        BTreeMap::new()
    }

    /// The result that holds its id.
    fn id_name(&self) -> &'static str {
        "id"
    }

    /// Is what is in its place already taken as it is?
    fn takes_what_is_there(&self) -> bool {
        false
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure>;

    /// Ids of everything of ours under its key, as the tags say; empty for a kind that carries none.
    async fn ours(&self, _at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(Vec::new())
    }

    /// What takes away the object of that id, as far as can be said without a look.
    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        Vec::new()
    }

    /// Whose is the object of that id? By its tags.
    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        if Self::TAGGED { at.holder_of(id).await } else { Ok(Holder::Stranger) }
    }

    /// May another engagement's be used, where a person says so by its id? Only what AWS does not let them take away
    /// meanwhile. It stays theirs.
    fn serves_several(&self) -> bool {
        false
    }

    /// What still hangs on the object, for a person who wants to know why AWS does not let it go.
    async fn dependents(&self, _at: &Account<'_>, _id: &str) -> Result<Vec<String>, AwsFailure> {
        Ok(Vec::new())
    }

    /// What is in the way, of others' too, where AWS has refused to make it: for a person who has to find out.
    async fn in_the_way(&self, _at: &Account<'_>, _refused: &Failure) -> Result<Vec<String>, AwsFailure> {
        Ok(Vec::new())
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure>;

    /// What an undo takes away: all of it, or what was set in something that stays.
    fn goes(&self, _made: &Made<'_>) -> String {
        self.noun()
    }

    /// How often it is looked at while it is going away.
    fn going_looks(&self) -> u32 {
        GOING_LOOKS
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
        self.0.calls().first().map_or(RepeatClass::Natural, Call::class)
    }

    fn takes_what_is_there(&self) -> bool {
        self.0.takes_what_is_there()
    }

    async fn probe(&self, world: &World) -> Probe {
        match self.settled(world).await {
            Err(failure) => Probe::Unknown(Trouble::Failure(failure)),
            Ok(Sight::Nothing { said } | Sight::Replaces { said, .. }) => Probe::Absent { said },
            Ok(Sight::Ready(found) | Sight::Coming(found) | Sight::Awaited(found)) => Probe::Same(found),
            Ok(Sight::Appearing { said }) => {
                Probe::Unknown(Trouble::Failure(Failure::new(said, "Look again in a minute.")))
            }
            Ok(Sight::Partial(Partial { said, differences, missing, keep })) => {
                Probe::Different { said, differences, mend: changes(&missing), keep }
            }
            Ok(Sight::Foreign { said, differences }) => Probe::left(said, differences),
            Ok(Sight::Broken(failure)) => Probe::left(told(&failure), Vec::new()),
            Ok(Sight::Failed { failure, again }) => Probe::mended(told(&failure), Vec::new(), changes(&again)),
        }
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        self.0.keeps()
    }

    fn usually_takes(&self) -> Option<Duration> {
        self.0.calls().iter().filter_map(|call| call.operation().usually_takes()).max()
    }

    async fn at_hand(&self, world: &World) -> Result<(), Question> {
        for reference in self.0.calls().iter().flat_map(Call::secrets) {
            world.secret(reference).await?;
        }
        Ok(())
    }

    async fn rehearse(&self, world: &World) -> Vec<Rehearsal> {
        rehearse(world, &self.0.calls()).await
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        let orders = Orders::new(world, intent);
        let mut ledger = Ledger::new(self.0.id_name());
        // An earlier try of it may have changed part of it: what the look before that showed counts.
        let before = &intent.intent().before;
        ledger.output.extend(before.clone());
        let mut hidden = Failure::default();
        let cloud = match world.cloud() {
            Ok(cloud) => cloud,
            Err(failure) => return ledger.stopped(failure),
        };
        let vigil = Vigil::new(world, cloud, BETWEEN_ROUNDS * ROUNDS);
        for round in 1..=ROUNDS {
            let calls = match self.see(&world.knowing(&ledger.output)).await {
                Err(failure) => return ledger.stopped(failure),
                Ok(Sight::Nothing { .. }) => {
                    ledger.keep(self.0.keeps(), before);
                    self.0.calls()
                }
                Ok(Sight::Replaces { calls, .. } | Sight::Failed { again: calls, .. }) => calls,
                Ok(Sight::Appearing { said }) => {
                    hidden = Failure::new(said, "Wait a minute and try again.");
                    if !vigil.rest(vigil.waits_for(&hidden.what), BETWEEN_ROUNDS).await {
                        return ledger.stopped(stopped_before("looking again"));
                    }
                    continue;
                }
                Ok(Sight::Partial(partial)) => {
                    ledger.mend(partial.keep, before);
                    partial.missing
                }
                Ok(Sight::Ready(found) | Sight::Coming(found) | Sight::Awaited(found)) => return ledger.there(found),
                Ok(Sight::Broken(failure)) => return ledger.stopped(failure),
                Ok(Sight::Foreign { said, differences }) => {
                    // Where AWS said so first, its words stay with what a look shows.
                    let Failure { code, raw, .. } = hidden;
                    return ledger.stopped(Failure { code, raw, ..foreign(&said, &differences) });
                }
            };
            if calls.is_empty() {
                return ledger.stopped(foreign(&format!("{} is not as wanted", self.0.noun()), &[]));
            }
            match carry_out(world, &orders, calls, &mut ledger).await {
                Ok(()) => return ledger.made(&self.0.noun()),
                Err(Stopped::ThereAlready(failure)) => hidden = failure,
                Err(Stopped::Lost(operation, failure)) => {
                    if !self.turns_up(&world.knowing(&ledger.output)).await {
                        return ledger.in_doubt(&failure);
                    }
                    ledger.did(&operation, None);
                    continue;
                }
                Err(Stopped::Spent(failure)) => {
                    // An earlier call with this token was taken. Either what it made is there, or it is gone since.
                    if !self.turns_up(&world.knowing(&ledger.output)).await {
                        return ledger.stopped(Failure { token_spent: true, ..failure });
                    }
                    continue;
                }
                Err(Stopped::InUse(failure) | Stopped::Refused(failure)) => {
                    let at = Account::new(cloud, &world.subject);
                    let others = self.0.in_the_way(&at, &failure).await.unwrap_or_default();
                    return ledger.stopped(with_those("In the way", &others, failure));
                }
            }
            if !vigil.rest(vigil.was_refused(&hidden, round), BETWEEN_ROUNDS).await {
                return ledger.stopped(stopped_before("looking again"));
            }
        }
        let what = match &hidden.code {
            Some(_) => format!("{}: something is there already, and {ROUNDS} looks do not show what", hidden.what),
            None => hidden.what.clone(),
        };
        ledger.stopped(Failure { what, ..hidden })
    }

    async fn verify(&self, world: &World) -> Verified {
        match self.see(world).await {
            Err(failure) => Verified::Unknown(Trouble::Failure(failure)),
            Ok(Sight::Ready(found)) => Verified::So(found),
            Ok(
                Sight::Nothing { said }
                | Sight::Replaces { said, .. }
                | Sight::Appearing { said }
                | Sight::Awaited(Found { said, .. }),
            ) => Verified::NotYet { said },
            Ok(Sight::Coming(Found { said, .. })) => Verified::NotYet { said: self.on_its_way(&said) },
            Ok(Sight::Partial(Partial { said, differences, .. })) => {
                let said = if differences.is_empty() { said } else { format!("{said}: {}", told_apart(&differences)) };
                Verified::NotYet { said }
            }
            Ok(Sight::Foreign { said, differences }) => Verified::NotSo(foreign(&said, &differences)),
            Ok(Sight::Broken(failure) | Sight::Failed { failure, .. }) => Verified::NotSo(failure),
        }
    }

    async fn undo(&self, world: &World, intent: &DurableIntent, made: &BTreeMap<String, Json>) -> Outcome {
        let orders = Orders::new(world, intent);
        let mut ledger = Ledger::new(self.0.id_name());
        let targets = match self.targets(world, made).await {
            Ok(targets) => targets,
            Err(failure) => return ledger.stopped(failure),
        };
        let mut kept = None;
        for made in targets {
            match self.take_away(world, &orders, &made, &mut ledger).await {
                Ok(()) => {}
                Err(Left::Kept(said)) => kept = Some(said),
                Err(Left::Doubt(failure)) => return ledger.in_doubt(&failure),
                Err(Left::There(failure)) => return ledger.stopped(failure),
            }
        }
        match kept {
            Some(said) => ledger.stays(&said),
            None => ledger.taken_away(&self.0.goes(&Made(made))),
        }
    }

    fn inverse(&self, made: &BTreeMap<String, Json>) -> Vec<Change> {
        let made = Made(made);
        changes(&self.0.inverse(made.text(self.0.id_name()).unwrap_or(ITSELF), &made))
    }

    async fn undoes(&self, world: &World, made: &BTreeMap<String, Json>) -> Undoes {
        match self.all_remains(world, made).await {
            Err(failure) => Undoes::Unknown(Trouble::Failure(failure)),
            Ok(remains) => {
                let mut calls = Vec::new();
                for one in remains {
                    match one {
                        Remains::Gone | Remains::Going { .. } => {}
                        Remains::NotOurs { said } => return Undoes::Leaves { said },
                        Remains::Kept { said } => return Undoes::Keeps { said },
                        Remains::Holds { said, advice } => {
                            return Undoes::Leaves { said: format!("{said}. {advice}") };
                        }
                        Remains::Takes(takes) => calls.extend(changes(&takes)),
                        Remains::InTurn(takes, then) => calls.extend(changes(&takes).into_iter().chain(changes(&then))),
                    }
                }
                if calls.is_empty() { Undoes::Nothing } else { Undoes::Sends(calls) }
            }
        }
    }

    async fn made_by_us(&self, world: &World, found: &Found) -> Result<Option<String>, Failure> {
        let id = found.output.get(self.0.id_name()).and_then(Json::as_str);
        let at = Account::new(world.cloud()?, &world.subject);
        Ok(self.0.ours(&at).await?.into_iter().find(|ours| Some(ours.as_str()) == id))
    }

    async fn adopt(&self, world: &World) -> Result<Chosen, Failure> {
        let noun = self.0.noun();
        let advice = "Give the id of the one that is meant, or let onramp make it.";
        let found = match self.see(world).await? {
            Sight::Ready(found) | Sight::Coming(found) | Sight::Awaited(found) => found,
            Sight::Appearing { said } => return Err(Failure::new(said, "Wait a minute, then adopt it again.")),
            Sight::Nothing { said } | Sight::Replaces { said, .. } => {
                let said =
                    world.subject.adopted.as_ref().map_or(said, |id| format!("there is no {id} that could be {noun}"));
                return Err(Failure::new(said, advice));
            }
            Sight::Partial(partial) => return self.half_made(world, partial).await,
            Sight::Foreign { said, differences } if world.subject.adopted.is_none() => {
                let advice = "If it is the one that is meant, say so by its id. It must be as wanted: change it by hand \
                              first, or change the input that differs.";
                return Err(Failure { advice: advice.to_owned(), ..foreign(&said, &differences) });
            }
            Sight::Foreign { said, differences } => return Err(foreign(&said, &differences)),
            Sight::Broken(failure) | Sight::Failed { failure, .. } => return Err(failure),
        };
        let id = found.output.get(self.0.id_name()).and_then(Json::as_str).unwrap_or_default().to_owned();
        let at = Account::new(world.cloud()?, &world.subject);
        // Without an id there is nothing to ask about.
        let holder =
            if id.is_empty() { Holder::Stranger } else { self.0.holder(&at, &id).await.map_err(Failure::from)? };
        let ours = match holder {
            Holder::Us { .. } => true,
            Holder::Stranger => false,
            Holder::Engagement(_) if self.0.serves_several() => false,
            Holder::Engagement(other) => {
                let said = format!("{id} belongs to the engagement {other}, whose undo would take it away");
                let advice = "Let that engagement take it away first, give this one another place (a name, an address, a \
                              range of its own), or give the id of another that is meant.";
                return Err(Failure::new(said, advice));
            }
        };
        // Kinds that carry no tags are ours where the step made them; a chosen id is ours only where its tags say so.
        let ours = ours || (world.subject.adopted.is_none() && !found.foreign);
        Ok(Chosen { id, ours, whole: true, found })
    }
}

/// Why something that was to be taken away is still there, or may be.
enum Left {
    There(Failure),
    Doubt(Failure),
    /// It is meant to be.
    Kept(String),
}

impl<T: Thing> Object<T> {
    /// Not complete. Only what our tags are on is taken as it is.
    async fn half_made(&self, world: &World, partial: Partial) -> Result<Chosen, Failure> {
        let Partial { said, differences, .. } = partial;
        let at = Account::new(world.cloud()?, &world.subject);
        let candidate = match &world.subject.adopted {
            Some(id) => Some(id.clone()),
            None => self.0.ours(&at).await?.into_iter().next(),
        };
        let ours = match &candidate {
            Some(id) => matches!(self.0.holder(&at, id).await?, Holder::Us { .. }),
            None => false,
        };
        match candidate {
            Some(id) if ours => {
                let found = found(said, json!({ self.0.id_name(): id }));
                Ok(Chosen { id, ours, whole: false, found })
            }
            None => {
                let advice = "Look instead of adopting: a look completes what is there of it. Or say by its id which one \
                              is meant; it must be as wanted.";
                Err(Failure { advice: advice.to_owned(), ..foreign(&said, &differences) })
            }
            Some(_) => Err(foreign(&said, &differences)),
        }
    }

    async fn see(&self, world: &World) -> Result<Sight, Failure> {
        let at = Account::new(world.cloud()?, &world.subject);
        let mut sight = self.0.look(&at).await?;
        let twice = at.duplicates();
        if let (Sight::Ready(found) | Sight::Coming(found), false) = (&mut sight, twice.is_empty()) {
            found.said = format!(
                "{}. It is there more than once: {} besides, which nothing uses and an undo of this step takes away",
                found.said,
                crate::text::list(&twice)
            );
            found.output.insert("duplicates".to_owned(), json!(twice));
        }
        Ok(sight)
    }

    /// What was made, as an undo takes it: one for each id that is known or carries our tags.
    async fn targets(
        &self,
        world: &World,
        made: &BTreeMap<String, Json>,
    ) -> Result<Vec<BTreeMap<String, Json>>, Failure> {
        let at = Account::new(world.cloud()?, &world.subject);
        let mut ids: Vec<String> = Made(made).text(self.0.id_name()).map(str::to_owned).into_iter().collect();
        for id in self.0.ours(&at).await? {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let about = |id: String| {
            let mut made = made.clone();
            made.insert(self.0.id_name().to_owned(), json!(id));
            made
        };
        Ok(if ids.is_empty() { vec![made.clone()] } else { ids.into_iter().map(about).collect() })
    }

    async fn all_remains(&self, world: &World, made: &BTreeMap<String, Json>) -> Result<Vec<Remains>, Failure> {
        let mut all = Vec::new();
        for made in self.targets(world, made).await? {
            let at = Account::new(world.cloud()?, &world.subject);
            all.push(self.0.remains(&at, &Made(&made)).await?);
        }
        Ok(all)
    }

    /// Looks and takes away until it is gone. To take away what may be gone already does no harm, so a lost answer is
    /// made up for by looking again.
    async fn take_away(
        &self,
        world: &World,
        orders: &Orders<'_>,
        made: &BTreeMap<String, Json>,
        ledger: &mut Ledger,
    ) -> Result<(), Left> {
        let noun = self.0.noun();
        let cloud = world.cloud().map_err(Left::There)?;
        let at = Account::new(cloud, &world.subject);
        let vigil = Vigil::new(world, cloud, GOING * self.0.going_looks());
        let mut takes = 0;
        // AWS has said why, or nothing at all.
        let mut told = false;
        let mut last = Left::There(Failure::new(
            format!("{noun} does not go away"),
            "Undo it again: that looks first what is left, and shows what AWS answers.",
        ));
        for _ in 0..self.0.going_looks() {
            let remains = self.0.remains(&at, &Made(made)).await.map_err(|failure| Left::There(failure.into()))?;
            let in_turn = matches!(remains, Remains::InTurn(..));
            let holdup = match remains.first() {
                Remains::Gone => return Ok(()),
                Remains::Kept { said } => return Err(Left::Kept(said)),
                Remains::NotOurs { said } => {
                    let advice = "Its owner must take it away, or skip this undo.";
                    return Err(Left::There(Failure::new(format!("{noun} is left alone: {said}"), advice)));
                }
                Remains::Holds { said, advice } => return Err(Left::There(Failure::new(said, advice))),
                Remains::Takes(calls) if takes < TAKES => {
                    takes += 1;
                    match carry_out(world, orders, calls, ledger).await {
                        // What comes in its turn may not be seen to be ready at once.
                        Ok(()) if in_turn => vigil.waits_for(&format!("{noun} is going")),
                        Ok(()) => continue,
                        // What it puts back may be there; the next look says so, or it is in the way to the end.
                        Err(Stopped::ThereAlready(failure)) => {
                            (told, last) = (true, Left::There(failure));
                            continue;
                        }
                        Err(Stopped::Lost(_, failure)) => {
                            let holdup = vigil.was_refused(&failure, takes);
                            told = true;
                            last = Left::Doubt(failure);
                            holdup
                        }
                        Err(Stopped::InUse(failure)) if takes < TAKES => {
                            let holdup = vigil.is_refused_for(&failure, takes, GOING * (TAKES - takes));
                            last = Left::There(failure);
                            holdup
                        }
                        Err(Stopped::InUse(failure)) => {
                            return Err(Left::There(self.held(&at, made, failure).await));
                        }
                        Err(Stopped::Spent(failure) | Stopped::Refused(failure)) => return Err(Left::There(failure)),
                    }
                }
                Remains::Takes(_) if takes >= TAKES && told => return Err(last),
                Remains::Takes(_) | Remains::InTurn(..) => vigil.waits_for(&format!("{noun} is still shown")),
                Remains::Going { said } => vigil.waits_for(&said),
            };
            if !vigil.rest(holdup, GOING).await {
                return Err(Left::There(stopped_before("looking again")));
            }
        }
        Err(last)
    }

    /// AWS does not let it go: says what hangs on it, as far as that can be seen.
    async fn held(&self, at: &Account<'_>, made: &BTreeMap<String, Json>, failure: Failure) -> Failure {
        let made = Made(made);
        let id = made.text(self.0.id_name()).unwrap_or_default();
        with_those("Still there", &self.0.dependents(at, id).await.unwrap_or_default(), failure)
    }

    /// On its way; how long that usually takes, where it is known.
    fn on_its_way(&self, said: &str) -> String {
        let usual = self.usually_takes();
        let usual = usual.map(|usual| format!("; it usually takes about {}", crate::text::duration(usual)));
        format!("{} is not ready yet: {said}{}", self.0.noun(), usual.unwrap_or_default())
    }

    /// The answer to a call was lost: can what it makes be seen, all or in part?
    async fn turns_up(&self, world: &World) -> bool {
        let Ok(cloud) = world.cloud() else { return false };
        let vigil = Vigil::new(world, cloud, Duration::from_secs(LOST_LOOKS.iter().sum()));
        for seconds in LOST_LOOKS {
            let holdup = vigil.waits_for("the answer was lost; looking for what it made");
            if !vigil.rest(holdup, Duration::from_secs(seconds)).await {
                return false;
            }
            match self.see(world).await {
                Ok(Sight::Ready(_) | Sight::Coming(_) | Sight::Awaited(_) | Sight::Partial(_)) => return true,
                Ok(Sight::Nothing { .. } | Sight::Replaces { .. } | Sight::Appearing { .. }) => {}
                Ok(Sight::Foreign { .. } | Sight::Broken(_) | Sight::Failed { .. }) | Err(_) => return false,
            }
        }
        false
    }

    /// As `see`, but something that is on its way is waited for, unless this is only a look.
    async fn settled(&self, world: &World) -> Result<Sight, Failure> {
        let cloud = world.cloud()?;
        let vigil = Vigil::new(world, cloud, COMING * COMING_LOOKS);
        for _ in 0..COMING_LOOKS {
            let holdup = match self.see(world).await? {
                Sight::Coming(Found { said, .. }) | Sight::Appearing { said } if !cloud.is_read_only() => {
                    vigil.waits_for(&said)
                }
                sight => return Ok(sight),
            };
            if !vigil.rest(holdup, COMING).await {
                break;
            }
        }
        self.see(world).await
    }
}

/// What it means, with what a look has found of it.
fn with_those(what: &str, found: &[String], failure: Failure) -> Failure {
    if found.is_empty() {
        return failure;
    }
    Failure { meaning: format!("{} {what}: {}.", failure.meaning, crate::text::list(found)), ..failure }
}

fn foreign(said: &str, differences: &[Difference]) -> Failure {
    Failure {
        meaning: told_apart(differences),
        ..Failure::new(said, "onramp does not touch it by itself. Change it by hand, or change the input that differs.")
    }
}

fn told_apart(differences: &[Difference]) -> String {
    let one = |d: &Difference| format!("{}: wanted {}, found {}", d.what, d.wanted, d.found);
    differences.iter().map(one).collect::<Vec<_>>().join("; ")
}
