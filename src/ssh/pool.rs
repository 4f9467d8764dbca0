//! Connections that are made once and used by many: one to each hop, found again by everything that identifies it.

mod slot;

use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use russh::keys::Algorithm;

use self::slot::{HopKey, Slot};
use super::carry::may_carry;
use super::connect::{Connection, Lane, greeting, kind_that_changed};
use super::dial::{self, Wire};
use super::error::{Problem, SshError, Stage};
use super::exec::{Lease, Session};
use super::hostkey::Judge;
use super::kept::Shells;
use super::known_hosts::Shelf;
use super::pace::{Pace, Turn};
use super::{Asked, Extra, Hop, Route, Settings};

/// How often, and how long after, a session is asked for again where the server had allowed one before.
const REFUSALS: u32 = 20;
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Connections to one bastion, at most. The next one is made when those before it are full.
const MOST_LANES: usize = 8;

/// A connect that takes longer than this gives its turn to another: it waits for packets that may never come.
const TURN: Duration = Duration::from_secs(1);

/// How long one waits, in all, for a server that turns connections away at the door; and for how long at a time.
const PATIENCE: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connections to hosts, kept for as long as they work.
///
/// One connection to a bastion serves many hosts behind it. A connection that turns out to be dead before a command was
/// sent over it is made anew, once. A command that may have started is never sent again.
///
/// As many hosts are connected to at the same time as goes well. A server that turns connections away because too many
/// log in to it is asked again; one that refused a login is left alone for a while.
pub struct Pool {
    pub(super) settings: Settings,
    kept: Arc<Connections>,
    /// Somebody is there, or nobody ever was: whoever waits for a login shares what comes of it.
    attended: bool,
}

/// What all views of a pool have in common.
#[derive(Default)]
struct Connections {
    slots: Mutex<HashMap<Vec<HopKey>, Arc<Slot>>>,
    known: Shelf,
    pace: Pace,
}

/// A connection, and whether it was there before: only then is it worth trying another one.
struct Got {
    connection: Arc<Connection>,
    cached: bool,
}

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Arc<Connection>, SshError>> + Send + 'a>>;

impl Pool {
    /// A pool without connections.
    pub fn new(settings: Settings) -> Self {
        Self { settings, kept: Arc::default(), attended: true }
    }

    /// The same connections for somebody behind whom nobody stands: what takes a person fails there, is tried once, and
    /// then not until a login has gone well with somebody there.
    #[must_use]
    pub fn unattended(&self) -> Self {
        let settings = Settings { person: None, ..self.settings.clone() };
        Self { settings, kept: Arc::clone(&self.kept), attended: false }
    }

    /// The same settings without the connections: for whoever wants to know whether one can be made now.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self { settings: self.settings.clone(), kept: Arc::default(), attended: self.attended }
    }

    /// The keys that people accepted: to be added to as they accept more.
    pub fn trusted(&self) -> &Arc<std::sync::RwLock<super::Trusted>> {
        &self.settings.trusted
    }

    /// The way to the last of `asked`, as the runbook says and the engineer's own set-up completes it.
    ///
    /// # Errors
    /// Those of [`super::Config::route`].
    pub async fn route(&self, asked: &[Asked]) -> Result<Route, SshError> {
        self.settings.config.route(asked).await
    }

    /// Connects to `address:port` (through `via`, if there are hops) and reads the SSH identification line,
    /// such as `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u6`. Nothing is verified: it only says what listens there.
    ///
    /// # Errors
    /// Those of connecting, or [`Problem::NotSsh`].
    pub async fn banner(&self, via: &[Hop], address: &str, port: u16) -> Result<String, SshError> {
        let place = Place::of(address, port);
        let (mut wire, _held) = self.wire(via, place).await?;
        let limit = self.settings.limits.banner;
        let read = tokio::time::timeout(limit, greeting(&mut wire)).await;
        let read = read.unwrap_or(Err((Stage::Banner, Problem::Timeout(limit))));
        read.map(|greeting| greeting.line).map_err(|(stage, problem)| place.failed(stage, problem))
    }

    /// Connects to `address:port` (through `via`, if there are hops) and hangs up. The answer is how long the connect
    /// took, without the time to reach the last hop of `via`.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn tcp(&self, via: &[Hop], address: &str, port: u16) -> Result<Duration, SshError> {
        if !via.is_empty() {
            self.lane(via).await?;
        }
        let started = Instant::now();
        self.wire(via, Place::of(address, port)).await?;
        Ok(started.elapsed())
    }

    /// A byte stream to `address:port`, opened by the last of `via` (by this machine, if there are no hops). Where its sshd
    /// forwards nothing, a shell over there opens it.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn stream(&self, via: &[Hop], address: &str, port: u16) -> Result<Box<dyn Wire>, SshError> {
        let place = Place::of(address, port);
        match self.wire(via, place).await {
            Ok((wire, lane)) => Ok(Box::new(dial::Held::new(wire, lane))),
            Err(error) if may_carry(via, &error) => self.carried(via, place, error).await,
            Err(error) => Err(error),
        }
    }

    /// Forgets every connection to or through the hop called `name`, for example after its port has changed. What is
    /// running over them goes on; the next command connects anew.
    pub async fn forget(&self, name: &str) {
        self.slots().retain(|hops, _| hops.iter().all(|hop| hop.name != name));
    }

    /// Hangs up everywhere. What still runs is lost.
    pub async fn close(&self) {
        let slots: Vec<Arc<Slot>> = self.slots().drain().map(|(_, slot)| slot).collect();
        for slot in slots {
            slot.shells.let_go();
            for connection in std::mem::take(&mut slot.kept.lock().await.connections) {
                connection.hang_up().await;
            }
        }
    }

    /// A person asks again, and may have mended what was refused, or their set-up: every login may be tried once more at
    /// once, and what the set-up says of a host is asked anew.
    pub async fn try_again(&self) {
        self.settings.config.forget();
        let slots: Vec<Arc<Slot>> = self.slots().values().cloned().collect();
        for slot in slots {
            slot.kept.lock().await.try_again();
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Vec<HopKey>, Arc<Slot>>> {
        self.kept.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, hops: &[Hop]) -> Arc<Slot> {
        let key = hops.iter().map(HopKey::of).collect();
        Arc::clone(self.slots().entry(key).or_default())
    }

    /// Something changes on this host: no shell stays there, whoever it belongs to.
    pub(super) fn let_shells_go(&self, host: &Hop) {
        let slots = self.slots();
        let of_host = |hops: &[HopKey]| hops.last().is_some_and(|hop| hop.address == host.address);
        slots.iter().filter(|(hops, _)| of_host(hops)).for_each(|(_, slot)| slot.shells.let_go());
    }

    /// The shells that wait on the last of `hops`.
    pub(super) fn shells(&self, hops: &[Hop]) -> Arc<Shells> {
        Arc::clone(&self.slot(hops).shells)
    }

    /// The connection to the last of `hops`, made if need be.
    async fn connection(&self, hops: &[Hop]) -> Result<Got, SshError> {
        let asked = Instant::now();
        let slot = self.slot(hops);
        let mut kept = slot.kept.lock().await;
        kept.connections.retain(|connection| connection.is_live());
        if let Some(connection) = kept.connections.first() {
            return Ok(Got { connection: Arc::clone(connection), cached: true });
        }
        if let Some(failure) = kept.answer(asked, self.attended) {
            return Err(failure);
        }
        match self.connect_in_turn(hops).await {
            Ok(connection) => {
                kept.welcome(&connection);
                Ok(Got { connection, cached: false })
            }
            Err(failure) => Err(kept.note(failure, self.attended)),
        }
    }

    /// Room for one stream through the last of `via`: in a connection that is there, or in another one when all are full.
    /// The flag says whether it was there.
    async fn lane(&self, via: &[Hop]) -> Result<(Lane, bool), SshError> {
        let asked = Instant::now();
        let slot = self.slot(via);
        let mut kept = slot.kept.lock().await;
        kept.connections.retain(|connection| connection.is_live());
        let free = kept.connections.iter().find_map(|connection| Some((connection, connection.room()?)));
        if let Some((connection, room)) = free {
            return Ok((Lane::new(Arc::clone(connection), Some(room)), true));
        }
        let crowded = kept.connections.iter().min_by_key(|connection| connection.crowd()).cloned();
        if let Some(connection) = &crowded
            && (kept.no_more || connection.took_a_person || kept.connections.len() >= MOST_LANES)
        {
            return Ok((Lane::new(Arc::clone(connection), None), true));
        }
        if let Some(failure) = kept.answer(asked, self.attended) {
            return Err(failure);
        }
        match (self.connect(via, None).await, crowded) {
            (Ok(connection), _) => {
                kept.welcome(&connection);
                let room = connection.room();
                Ok((Lane::new(connection, room), false))
            }
            (Err(failure), Some(connection)) => {
                tracing::warn!(%failure, "no further connection to the bastion");
                kept.no_more = true;
                Ok((Lane::new(connection, None), true))
            }
            (Err(failure), None) => Err(kept.note(failure, self.attended)),
        }
    }

    /// Connects to a host when it is its turn. Bastions wait for none: everybody waits for them.
    async fn connect_in_turn(&self, hops: &[Hop]) -> Result<Arc<Connection>, SshError> {
        let [via @ .., _] = hops else { return Err(no_hops()) };
        if !via.is_empty() {
            // A turn is not spent on waiting for the bastion.
            self.lane(via).await?;
        }
        let turn = self.kept.pace.turn().await;
        self.connect(hops, Some(turn)).await
    }

    /// Connects to the last of `hops`, again while it turns connections away at the door. What that takes is put aside: a
    /// thousand hosts that wait for their turn, or run something, need no room for it.
    fn connect<'a>(&'a self, hops: &'a [Hop], mut turn: Option<Turn<'a>>) -> Connecting<'a> {
        Box::pin(async move {
            let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
            loop {
                let failure = match self.connect_once(hops, &mut turn).await {
                    Ok(connection) => return Ok(connection),
                    Err(failure) => failure,
                };
                if is_overload(&failure)
                    && let Some(turn) = &turn
                {
                    turn.turned_away();
                }
                if !is_at_the_door(&failure) || waited > PATIENCE {
                    return Err(failure);
                }
                let paced = turn.take().is_some();
                tokio::time::sleep(pause.mul_f64(0.5 + share(hops, waited))).await;
                waited += pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                if paced {
                    turn = Some(self.kept.pace.turn().await);
                }
            }
        })
    }

    /// Connects to the last of `hops`. A host whose key is known by its fingerprint alone may have several keys and
    /// show another one first: it is then asked for the other kinds before it is called changed.
    async fn connect_once<'a>(
        &'a self,
        hops: &[Hop],
        turn: &mut Option<Turn<'a>>,
    ) -> Result<Arc<Connection>, SshError> {
        let mut shown: Vec<Algorithm> = Vec::new();
        let mut first_failure = None;
        loop {
            let failure = match self.attempt(hops, &shown, turn).await {
                Ok(connection) => return Ok(Arc::new(connection)),
                Err((failure, by_fingerprint)) if by_fingerprint => failure,
                Err((failure, _)) => return Err(first_failure.unwrap_or(failure)),
            };
            match kind_that_changed(&failure.problem) {
                Some(kind) if !shown.contains(&kind) => shown.push(kind),
                _ => return Err(first_failure.unwrap_or(failure)),
            }
            first_failure.get_or_insert(failure);
        }
    }

    /// One attempt, without the kinds of key in `not`. The flag says whether asking for another kind may help.
    async fn attempt<'a>(
        &'a self,
        hops: &[Hop],
        not: &[Algorithm],
        turn: &mut Option<Turn<'a>>,
    ) -> Result<Connection, (SshError, bool)> {
        let [via @ .., hop] = hops else { return Err((no_hops(), false)) };
        let at_hop = |(stage, problem)| failed(hop, stage, problem);
        let known = self.kept.known.for_hop(hop, &self.settings.known_hosts).await;
        let judge = known.and_then(|known| Judge::for_hop(hop, &self.settings, &known));
        let judge = judge.map_err(|problem| (at_hop((Stage::HostKey, problem)), false))?;
        let (wanted, by_fingerprint) = (judge.wanted(not), judge.knows_fingerprints_only());
        let place = Place::hop(hop);
        let (wire, lane) = self.wire_in_turn(via, place, turn).await.map_err(|failure| (failure, false))?;
        let began = Instant::now();
        let established = Connection::establish(wire, hop, judge, wanted, &self.settings, lane).await;
        if let (Ok(_), Some(turn)) = (&established, turn) {
            turn.went_well(began.elapsed());
        }
        established.map_err(|failure| (at_hop(failure), by_fingerprint))
    }

    /// A byte stream to a place. One that takes long to come lets others go first.
    async fn wire_in_turn<'a>(
        &'a self,
        via: &[Hop],
        place: Place<'_>,
        turn: &mut Option<Turn<'a>>,
    ) -> Result<(Box<dyn Wire>, Option<Lane>), SshError> {
        let wire = self.wire(via, place);
        tokio::pin!(wire);
        match tokio::time::timeout(TURN, &mut wire).await {
            Ok(wire) => wire,
            Err(_) => {
                let paced = turn.take().is_some();
                let wire = wire.await?;
                if paced {
                    *turn = Some(self.kept.pace.turn().await);
                }
                Ok(wire)
            }
        }
    }

    /// A byte stream to a place, directly or through the last of `via`, whose connection has to be held as long.
    async fn wire(&self, via: &[Hop], place: Place<'_>) -> Result<(Box<dyn Wire>, Option<Lane>), SshError> {
        let limits = &self.settings.limits;
        let limit = place.extra.and_then(|extra| extra.connect).unwrap_or(limits.connect);
        let [.., last] = via else { return Ok((self.first_wire(place, limit).await?, None)) };
        loop {
            let (lane, cached) = self.lane(via).await?;
            let problem = match lane.connection.forward(place.address, place.port, limit).await {
                Ok(stream) => return Ok((Box::new(stream), Some(lane))),
                Err(problem) => problem,
            };
            let connection = lane.connection;
            // Silence has two causes: the place behind the bastion, or the bastion.
            let dead = match problem {
                Problem::Timeout(_) => !connection.answers(limits).await,
                Problem::Lost(_) => true,
                _ => false,
            };
            if dead {
                self.drop_dead(via, &connection).await;
            }
            match problem {
                _ if dead && cached => {}
                _ if dead => return Err(failed(last, Stage::Channel, connection.lost().await)),
                Problem::ForwardingRefused { .. } => return Err(failed(last, Stage::Channel, problem)),
                Problem::ConnectFailed { ref reason, .. } if is_no_such_name(reason) => {
                    return Err(place.failed(Stage::Name, problem));
                }
                problem => return Err(place.failed(Stage::Connect, problem)),
            }
        }
    }

    /// A byte stream from this machine.
    async fn first_wire(&self, place: Place<'_>, limit: Duration) -> Result<Box<dyn Wire>, SshError> {
        if let Some(command) = place.extra.and_then(|extra| extra.command.as_deref()) {
            let started = dial::command(command, limit).await;
            return started
                .map_err(|said| place.failed(Stage::Connect, Problem::Command { command: command.to_owned(), said }));
        }
        match tokio::time::timeout(limit, self.settings.dial.dial(place.address, place.port)).await {
            Ok(result) => result.map_err(|error| place.unreachable(&error)),
            Err(_) => Err(place.failed(Stage::Connect, Problem::Timeout(limit))),
        }
    }

    /// A session channel on the last of `hops`.
    pub(super) async fn session(&self, hops: &[Hop]) -> Result<Session, SshError> {
        let [.., target] = hops else { return Err(no_hops()) };
        let (limits, shells) = (&self.settings.limits, self.shells(hops));
        let mut refused = 0;
        loop {
            let Got { connection, cached } = self.connection(hops).await?;
            let Some(lease) = Lease::take(&connection, || shells.let_go()).await else { continue };
            let problem = match connection.session(limits.channel).await {
                Ok(channel) => return Ok(lease.with(channel)),
                Err(problem) => problem,
            };
            if matches!(problem, Problem::ChannelRefused(_)) {
                shells.let_go();
            }
            match problem {
                Problem::ChannelRefused(_) if lease.was_one_too_many() => {}
                // It has allowed some before: one that has ended here may count over there for a moment longer.
                Problem::ChannelRefused(_) if refused < REFUSALS && connection.finished.load(Ordering::SeqCst) > 0 => {
                    refused += 1;
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
                Problem::Timeout(_) if connection.answers(limits).await => {
                    return Err(failed(target, Stage::Channel, problem));
                }
                Problem::Timeout(_) | Problem::Lost(_) => {
                    self.drop_dead(hops, &connection).await;
                    if !cached {
                        return Err(failed(target, Stage::Channel, connection.lost().await));
                    }
                }
                problem => return Err(failed(target, Stage::Channel, problem)),
            }
        }
    }

    /// Forgets this very connection, unless somebody has replaced it already.
    async fn drop_dead(&self, hops: &[Hop], dead: &Arc<Connection>) {
        let slot = self.slot(hops);
        slot.shells.let_go();
        let mut kept = slot.kept.lock().await;
        kept.connections.retain(|connection| !Arc::ptr_eq(connection, dead));
    }
}

/// Did the server hang up before it said who it is, as sshd does when too many log in to it?
fn is_at_the_door(failure: &SshError) -> bool {
    failure.stage == Stage::Banner && matches!(failure.problem, Problem::Busy | Problem::Lost(_))
}

/// May fewer logins at the same time be what it takes?
fn is_overload(failure: &SshError) -> bool {
    let silent = matches!(failure.problem, Problem::Timeout(_)) && failure.stage < Stage::Authentication;
    let hung_up = failure.stage == Stage::KeyExchange && matches!(failure.problem, Problem::Lost(_));
    silent || hung_up || is_at_the_door(failure)
}

/// Between 0 and 1, another one for each host: those who were turned away together do not come back together.
fn share(hops: &[Hop], waited: Duration) -> f64 {
    let mut hasher = DefaultHasher::new();
    (hops.last().map(|hop| (&hop.name, &hop.address)), waited, std::process::id()).hash(&mut hasher);
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// The words of a bastion's resolver, glibc's and others'.
pub(super) fn is_no_such_name(reason: &str) -> bool {
    let words = ["not known", "name resolution", "No address associated", "does not resolve", "nodename nor servname"];
    words.iter().any(|words| reason.contains(words))
}

/// Somewhere to connect to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    name: &'a str,
    pub(super) address: &'a str,
    pub(super) port: u16,
    /// Of a hop: what the set-up says of it.
    extra: Option<&'a Extra>,
}

impl<'a> Place<'a> {
    fn of(address: &'a str, port: u16) -> Self {
        Self { name: address, address, port, extra: None }
    }

    fn hop(hop: &'a Hop) -> Self {
        Self { name: &hop.name, address: &hop.address, port: hop.port, extra: Some(&hop.extra) }
    }

    pub(super) fn failed(&self, stage: Stage, problem: Problem) -> SshError {
        SshError { hop: self.name.to_owned(), at: at(self.address, self.port), stage, problem }
    }

    /// The resolver has no error kind of its own; its text is the only sign.
    fn unreachable(&self, error: &std::io::Error) -> SshError {
        let text = error.to_string();
        let stage = if text.contains("lookup address") { Stage::Name } else { Stage::Connect };
        self.failed(stage, Problem::Io(text))
    }
}

/// `address:port`, with brackets around an IPv6 address.
pub(super) fn at(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

pub(super) fn failed(hop: &Hop, stage: Stage, problem: Problem) -> SshError {
    Place::hop(hop).failed(stage, problem)
}

pub(super) fn no_hops() -> SshError {
    let problem = Problem::BadRoute("the route has no hops".to_owned());
    SshError { hop: String::new(), at: String::new(), stage: Stage::Connect, problem }
}

/// A hop that comes twice would connect to itself for ever.
pub(super) fn checked(route: &Route) -> Result<&[Hop], SshError> {
    for (index, hop) in route.hops.iter().enumerate() {
        if route.hops.iter().take(index).any(|earlier| earlier.name == hop.name) {
            let problem = Problem::BadRoute(format!("{} comes twice in the route", hop.name));
            return Err(failed(hop, Stage::Connect, problem));
        }
    }
    Ok(&route.hops)
}
