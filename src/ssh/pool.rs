//! Connections that are made once and used by many: one to each hop, found again by everything that identifies it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use russh::keys::{Algorithm, HashAlg};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::connect::{Connection, greeting, kind_that_changed};
use super::dial::Wire;
use super::error::{Problem, SshError, Stage};
use super::exec::{self, Lease, Prepared, Session};
use super::hostkey::Judge;
use super::{Chunk, Exit, Hop, Identity, Route, Script, Settings};

/// How often, and how long after, a session is asked for again where the server had allowed one before.
const REFUSALS: u32 = 20;
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Connections to hosts, kept for as long as they work.
///
/// A bastion's connection serves all hosts behind it. A connection that turns out to be dead before a command was
/// sent over it is made anew, once. A command that may have started is never sent again.
pub struct Pool {
    pub(super) settings: Settings,
    slots: Mutex<HashMap<Vec<HopKey>, Arc<Slot>>>,
}

/// Everything that makes two hops the same: another key or pin is another connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct HopKey {
    name: String,
    address: String,
    port: u16,
    user: String,
    identity: String,
    pins: Vec<String>,
}

/// The place of one connection. Its lock is held while connecting, so that others wait for the same connection.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<Kept>);

#[derive(Default)]
struct Kept {
    connection: Option<Arc<Connection>>,
    /// The last failure: it is also the answer to those who were waiting for that attempt.
    failure: Option<(Instant, SshError)>,
}

/// A connection, and whether it was there before: only then is it worth trying another one.
struct Got {
    connection: Arc<Connection>,
    cached: bool,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, SshError>> + Send + 'a>>;

impl Pool {
    /// A pool without connections.
    pub fn new(settings: Settings) -> Self {
        Self { settings, slots: Mutex::default() }
    }

    /// The keys that people accepted: to be added to as they accept more.
    pub fn trusted(&self) -> &Arc<std::sync::RwLock<super::Trusted>> {
        &self.settings.trusted
    }

    /// Runs `script` on the last hop of `route`. Output goes to `sink` as it comes; when nobody takes it, the oldest
    /// is dropped and counted, and the connection goes on. Up to eight scripts run at once on a host, others wait.
    ///
    /// `cancel` ends the wait for a connection at once; a running script gets TERM, then its channel is closed. sshd
    /// sends signals with the rights of the user, so a script under sudo does not get it: it goes on until it ends or
    /// writes.
    ///
    /// # Errors
    /// Any [`Problem`]. [`SshError::may_have_run`] says whether the script may have been started. A script that ended
    /// by itself, with whatever code, is not an error.
    pub async fn run(
        &self,
        route: &Route,
        script: &Script,
        sink: &Sender<Chunk>,
        cancel: &CancellationToken,
    ) -> Result<Exit, SshError> {
        let hops = checked(route)?;
        let [.., target] = hops else { return Err(no_hops()) };
        let at_target = |(stage, problem)| failed(target, stage, problem);
        let prepared = Prepared::new(script, &target.user).map_err(|problem| at_target((Stage::Command, problem)))?;
        let session = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(at_target((Stage::Connect, Problem::Cancelled))),
            session = self.session(hops) => session?,
        };
        exec::run(session, &prepared, sink, cancel, &self.settings.limits).await.map_err(at_target)
    }

    /// Connects to `address:port` (through `via`, if there are hops) and reads the SSH identification line,
    /// such as `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u6`. Nothing is verified: it only says what listens there.
    ///
    /// # Errors
    /// Those of connecting, or [`Problem::NotSsh`].
    pub async fn banner(&self, via: &[Hop], address: &str, port: u16) -> Result<String, SshError> {
        let place = Place { name: address, address, port };
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
            self.connection(via).await?;
        }
        let started = Instant::now();
        self.wire(via, Place { name: address, address, port }).await?;
        Ok(started.elapsed())
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
            if let Some(connection) = slot.0.lock().await.connection.take() {
                connection.hang_up().await;
            }
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Vec<HopKey>, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, hops: &[Hop]) -> Arc<Slot> {
        let key = hops.iter().map(HopKey::of).collect();
        Arc::clone(self.slots().entry(key).or_default())
    }

    /// The connection to the last of `hops`, made if need be.
    fn connection<'a>(&'a self, hops: &'a [Hop]) -> Boxed<'a, Got> {
        Box::pin(async move {
            let asked = Instant::now();
            let slot = self.slot(hops);
            let mut kept = slot.0.lock().await;
            if let Some(connection) = kept.connection.take_if(|c| c.is_live()) {
                kept.connection = Some(Arc::clone(&connection));
                return Ok(Got { connection, cached: true });
            }
            kept.connection = None;
            if let Some((at, failure)) = &kept.failure
                && *at >= asked
            {
                return Err(failure.clone());
            }
            match self.connect(hops).await {
                Ok(connection) => {
                    kept.connection = Some(Arc::clone(&connection));
                    Ok(Got { connection, cached: false })
                }
                Err(failure) => {
                    kept.failure = Some((Instant::now(), failure.clone()));
                    Err(failure)
                }
            }
        })
    }

    /// Connects to the last of `hops`. A host whose key is known by its fingerprint alone may have several keys and
    /// show another one first: it is then asked for the other kinds before it is called changed.
    async fn connect(&self, hops: &[Hop]) -> Result<Arc<Connection>, SshError> {
        let mut shown: Vec<Algorithm> = Vec::new();
        let mut first_failure = None;
        loop {
            let failure = match self.attempt(hops, &shown).await {
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
    async fn attempt(&self, hops: &[Hop], not: &[Algorithm]) -> Result<Connection, (SshError, bool)> {
        let [via @ .., hop] = hops else { return Err((no_hops(), false)) };
        let at_hop = |(stage, problem)| failed(hop, stage, problem);
        let judge = Judge::for_hop(hop, &self.settings).await;
        let judge = judge.map_err(|problem| (at_hop((Stage::HostKey, problem)), false))?;
        let (wanted, by_fingerprint) = (judge.wanted(not), judge.knows_fingerprints_only());
        let place = Place { name: &hop.name, address: &hop.address, port: hop.port };
        let (wire, held) = self.wire(via, place).await.map_err(|failure| (failure, false))?;
        let established = Connection::establish(wire, hop, judge, wanted, &self.settings, held).await;
        established.map_err(|failure| (at_hop(failure), by_fingerprint))
    }

    /// A byte stream to a place, directly or through the last of `via`, whose connection has to be held as long.
    async fn wire(&self, via: &[Hop], place: Place<'_>) -> Result<(Box<dyn Wire>, Option<Arc<Connection>>), SshError> {
        let limits = &self.settings.limits;
        let [.., last] = via else {
            let dialled =
                tokio::time::timeout(limits.connect, self.settings.dial.dial(place.address, place.port)).await;
            let wire = match dialled {
                Ok(result) => result.map_err(|error| place.unreachable(&error))?,
                Err(_) => return Err(place.failed(Stage::Connect, Problem::Timeout(limits.connect))),
            };
            return Ok((wire, None));
        };
        loop {
            let Got { connection, cached } = self.connection(via).await?;
            let problem = match connection.forward(place.address, place.port, limits.connect).await {
                Ok(stream) => return Ok((Box::new(stream), Some(connection))),
                Err(problem) => problem,
            };
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
                problem => return Err(place.failed(Stage::Connect, problem)),
            }
        }
    }

    /// A session channel on the last of `hops`.
    pub(super) async fn session(&self, hops: &[Hop]) -> Result<Session, SshError> {
        let [.., target] = hops else { return Err(no_hops()) };
        let limits = &self.settings.limits;
        let mut refused = 0;
        loop {
            let Got { connection, cached } = self.connection(hops).await?;
            let Some(lease) = Lease::take(&connection).await else { continue };
            let problem = match connection.session(limits.channel).await {
                Ok(channel) => return Ok(lease.with(channel)),
                Err(problem) => problem,
            };
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
        let mut kept = slot.0.lock().await;
        kept.connection.take_if(|connection| Arc::ptr_eq(connection, dead));
    }
}

/// Somewhere to connect to.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    address: &'a str,
    port: u16,
}

impl Place<'_> {
    fn failed(&self, stage: Stage, problem: Problem) -> SshError {
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
    Place { name: &hop.name, address: &hop.address, port: hop.port }.failed(stage, problem)
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

impl HopKey {
    fn of(hop: &Hop) -> Self {
        let identity = match &hop.identity {
            Identity::Agent => "agent".to_owned(),
            Identity::File(path) => format!("file {}", path.display()),
            Identity::AgentOrFile(path) => format!("agent or file {}", path.display()),
            Identity::Key(key) => key.fingerprint(HashAlg::Sha256).to_string(),
        };
        Self {
            name: hop.name.clone(),
            address: hop.address.clone(),
            port: hop.port,
            user: hop.user.clone(),
            identity,
            pins: hop.pins.clone(),
        }
    }
}
