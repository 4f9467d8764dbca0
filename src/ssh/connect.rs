//! One hop: from a byte stream to a verified, authenticated connection. Every stage has its own time limit.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{borrow::Cow, io};

use russh::client::{self, ChannelOpenHandle, DisconnectReason, Handle, Msg, Session};
use russh::keys::{Algorithm, PublicKeyOrCertificate};
use russh::{Channel, ChannelId, ChannelOpenFailure, ChannelStream, Disconnect, Preferred, SshId};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::auth;
use super::dial::Wire;
use super::error::{Problem, Stage, printable};
use super::hostkey::{Judge, Wanted};
use super::{Alive, Extra, Hop, Limits, Settings};

/// sshd's MaxSessions is 10; two are left for people.
const MOST_SESSIONS: usize = 8;

/// How much a server may send before it hears that we took it: no stream of a connection is behind more of another one.
const WINDOW: u32 = 256 * 1024;

/// Pieces of one stream that wait for their reader. When there are more, all streams of the connection wait for it.
const PIECES_WAITING: usize = 512;

/// A host may send so much at once, and so many bytes in a second from then on: one that floods slows nobody else.
const BURST: f64 = 1024.0 * 1024.0;
const BYTES_IN_A_SECOND: f64 = 16.0 * 1024.0 * 1024.0;

/// A server may say something before its identification line (RFC 4253, 4.2), but not a book.
const LONGEST_GREETING: usize = 8 * 1024;

/// How a dead connection is noticed, where the set-up does not say.
const ALIVE: Alive = Alive { interval: Duration::from_secs(15), unanswered: 3 };

/// What is kept of a server's text before the login.
const LONGEST_BANNER: usize = 4 * 1024;

/// Where a failure happened and what it was; the pool adds the hop.
pub(super) type Failure = (Stage, Problem);

/// A verified and authenticated connection to one hop.
pub(super) struct Connection {
    pub(super) hop: Hop,
    handle: Handle<Guard>,
    /// Permits for session channels. There are fewer of them when the server allows fewer.
    pub(super) sessions: Arc<Semaphore>,
    /// Session channels that are open or being opened.
    pub(super) leases: AtomicUsize,
    /// Session channels that were open and are closed.
    pub(super) finished: AtomicUsize,
    /// Permits for streams to hosts behind this one.
    streams: Arc<Semaphore>,
    /// Others run through it: it is not held back when it brings much.
    carries_others: Arc<AtomicBool>,
    /// Its login took a person: another one would ask again.
    pub(super) took_a_person: bool,
    news: watch::Receiver<News>,
    /// The connection that this one runs through must live as long.
    _via: Option<Lane>,
    /// A peer that falls silent in the middle of a key exchange would keep the russh task, and with it the socket, for
    /// ever. Dropping the leash lets go of both.
    _leash: DropGuard,
}

/// A connection to a bastion, and the room for one stream in it.
pub(super) struct Lane {
    pub(super) connection: Arc<Connection>,
    /// None when every connection is full, and no other one can be had.
    _room: Option<OwnedSemaphorePermit>,
}

impl Lane {
    pub(super) fn new(connection: Arc<Connection>, room: Option<OwnedSemaphorePermit>) -> Self {
        Self { connection, _room: room }
    }
}

/// What the connection told us, beyond answers to questions.
#[derive(Debug, Default, Clone)]
struct News {
    ended: Option<Ending>,
    /// Channels that were refused lately, with the server's words. russh gives the words to the handler only.
    refused: VecDeque<(Instant, ChannelOpenFailure, String)>,
    /// What the server says before the login.
    banner: String,
}

/// Why the connection ended.
#[derive(Debug, Clone)]
enum Ending {
    /// The server said goodbye, in these words.
    Goodbye(String),
    /// It broke.
    Broken(String),
}

impl Connection {
    /// Makes `wire` a connection to `hop`: banner, key exchange, host key, authentication.
    pub(super) async fn establish(
        wire: Box<dyn Wire>,
        hop: &Hop,
        judge: Judge,
        wanted: Wanted,
        settings: &Settings,
        via: Option<Lane>,
    ) -> Result<Self, Failure> {
        let limits = settings.limits;
        let token = CancellationToken::new();
        let leash = token.clone().drop_guard();
        let carries_others = Arc::new(AtomicBool::new(false));
        let mut wire = Leashed::new(wire, token, Arc::clone(&carries_others));
        let greeting = within(limits.banner, Stage::Banner, greeting(&mut wire)).await?;
        wire.replay = greeting.bytes;

        let (tell, news) = watch::channel(News::default());
        let guard = Guard { judge, tell };
        let exchange = async {
            let connected = client::connect_stream(Arc::new(config(wanted, &hop.extra)), wire, guard).await;
            connected.map_err(Refusal::into_failure)
        };
        let mut handle = within(limits.handshake, Stage::KeyExchange, exchange).await?;
        let heard = news.clone();
        let banner = move || heard.borrow().banner.clone();
        let logged_in = auth::log_in(&mut handle, hop, settings, &banner).await;
        let logged_in = logged_in.map_err(|problem| (Stage::Authentication, problem));
        let connection = Self {
            hop: hop.clone(),
            handle,
            sessions: Arc::new(Semaphore::new(MOST_SESSIONS)),
            leases: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            streams: Arc::new(Semaphore::new(limits.streams)),
            carries_others,
            took_a_person: logged_in == Ok(true),
            news,
            _via: via,
            _leash: leash,
        };
        match logged_in {
            Ok(_) => Ok(connection),
            Err(failure) => Err(connection.explain(failure).await),
        }
    }

    /// A login that failed because the connection ended: the server's last words say more than we know.
    async fn explain(&self, (stage, problem): Failure) -> Failure {
        if !self.handle.is_closed() {
            return (stage, problem);
        }
        let problem = match (problem, self.ending().await) {
            // russh reports an end in the middle of an attempt as a denial that leaves no method.
            (Problem::Denied(mut denial), Some(Ending::Goodbye(words))) => {
                denial.said = Some(words);
                Problem::Denied(denial)
            }
            (Problem::Denied(denial), Some(Ending::Broken(words))) if denial.methods_left.is_empty() => {
                Problem::Lost(words)
            }
            (Problem::Lost(_), Some(Ending::Goodbye(words) | Ending::Broken(words))) => Problem::Lost(words),
            (other, _) => other,
        };
        (stage, problem)
    }

    /// Why the connection ended. russh closes the handle a moment before it tells us.
    async fn ending(&self) -> Option<Ending> {
        let mut news = self.news.clone();
        let told = tokio::time::timeout(Duration::from_millis(200), news.wait_for(|n| n.ended.is_some())).await;
        told.ok()?.ok()?.ended.clone()
    }

    /// False once the connection is known to have ended.
    pub(super) fn is_live(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Asks the server for a sign of life.
    pub(super) async fn answers(&self, limits: &Limits) -> bool {
        let pong = tokio::time::timeout(limits.ping, self.handle.send_ping()).await;
        matches!(pong, Ok(Ok(()))) && self.is_live()
    }

    /// The problem to report when this connection turned out to be dead.
    pub(super) async fn lost(&self) -> Problem {
        let ending = if self.is_live() { None } else { self.ending().await };
        Problem::Lost(match ending {
            Some(Ending::Goodbye(words) | Ending::Broken(words)) => words,
            None => "it stopped answering".to_owned(),
        })
    }

    /// Room for one stream more, if there is any.
    pub(super) fn room(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// How many hold on to it: the one with the fewest is the least crowded.
    pub(super) fn crowd(self: &Arc<Self>) -> usize {
        Arc::strong_count(self)
    }

    /// Opens a byte stream from this hop to `address:port`.
    pub(super) async fn forward(
        self: &Arc<Self>,
        address: &str,
        port: u16,
        limit: Duration,
    ) -> Result<ChannelStream<Msg>, Problem> {
        let started = Instant::now();
        self.carries_others.store(true, Ordering::Relaxed);
        let (connection, to) = (Arc::clone(self), address.to_owned());
        let open = async move { connection.handle.channel_open_direct_tcpip(to, port.into(), "127.0.0.1", 0).await };
        let channel = match open_in_background(open, limit).await? {
            Ok(channel) => channel,
            Err(russh::Error::ChannelOpenFailure(code)) => {
                let said = self.words_for(&code, started).await;
                let reason = said.unwrap_or_else(|| code.description().to_lowercase());
                return Err(match code {
                    ChannelOpenFailure::AdministrativelyProhibited => {
                        Problem::ForwardingRefused { to: super::pool::at(address, port), reason }
                    }
                    _ => Problem::ConnectFailed { via: self.hop.name.clone(), reason },
                });
            }
            Err(_) => return Err(self.lost().await),
        };
        Ok(channel.into_stream())
    }

    /// Opens a session channel. The caller holds a lease.
    pub(super) async fn session(self: &Arc<Self>, limit: Duration) -> Result<Channel<Msg>, Problem> {
        let started = Instant::now();
        let connection = Arc::clone(self);
        let open = async move { connection.handle.channel_open_session().await };
        match open_in_background(open, limit).await? {
            Ok(channel) => Ok(channel),
            Err(russh::Error::ChannelOpenFailure(code)) => {
                let said = self.words_for(&code, started).await;
                Err(Problem::ChannelRefused(said.unwrap_or_else(|| code.description().to_lowercase())))
            }
            Err(_) => Err(self.lost().await),
        }
    }

    /// What the server said about a refused channel. When it refused several at once for different reasons, russh
    /// does not tell which is which, and silence is better than the wrong words.
    async fn words_for(&self, code: &ChannelOpenFailure, since: Instant) -> Option<String> {
        let mine = |news: &News| -> Vec<String> {
            let fitting = news.refused.iter().filter(|(at, c, _)| *at >= since && c == code);
            fitting.map(|(_, _, words)| words.clone()).filter(|words| !words.is_empty()).collect()
        };
        let mut news = self.news.clone();
        let told = tokio::time::timeout(Duration::from_millis(50), news.wait_for(|n| !mine(n).is_empty())).await;
        let words = mine(&*told.ok()?.ok()?);
        let first = words.first()?.clone();
        words.iter().all(|other| *other == first).then_some(first)
    }

    /// Says goodbye. What still runs over this connection is lost.
    pub(super) async fn hang_up(&self) {
        let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "");
        let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
    }
}

/// Runs a stage under its limit.
async fn within<T>(
    limit: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err((stage, Problem::Timeout(limit))))
}

/// Waits for a channel to be opened. When that takes too long, the opening goes on in the background and the late
/// channel is closed: russh would otherwise leave it open on the server.
async fn open_in_background(
    open: impl Future<Output = Result<Channel<Msg>, russh::Error>> + Send + 'static,
    limit: Duration,
) -> Result<Result<Channel<Msg>, russh::Error>, Problem> {
    let (give, take) = oneshot::channel();
    tokio::spawn(async move {
        if let Err(Ok(late)) = give.send(open.await) {
            let _ = late.close().await;
        }
    });
    match tokio::time::timeout(limit, take).await {
        Ok(opened) => Ok(opened.unwrap_or(Err(russh::Error::Disconnect))),
        Err(_) => Err(Problem::Timeout(limit)),
    }
}

fn config(wanted: Wanted, extra: &Extra) -> client::Config {
    let alive = extra.alive.unwrap_or(ALIVE);
    let old = extra.sha1.key_exchange.then_some(russh::kex::DH_G14_SHA1);
    let exchanges = Preferred::DEFAULT.kex.iter().cloned().chain(old).collect();
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-onramp_", env!("CARGO_PKG_VERSION")))),
        preferred: Preferred {
            kex: Cow::Owned(exchanges),
            key: Cow::Owned(wanted.keys),
            host_key_certificates: Cow::Owned(wanted.certificates),
            // A compressed packet can be a bomb (CVE-2026-46702), and text gains little.
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..Preferred::DEFAULT
        },
        window_size: WINDOW,
        channel_buffer_size: PIECES_WAITING,
        nodelay: true,
        keepalive_interval: Some(alive.interval),
        keepalive_max: alive.unanswered,
        ..client::Config::default()
    }
}

/// The server's first line, and every byte from there on that was read with it.
pub(super) struct Greeting {
    /// Such as `SSH-2.0-OpenSSH_9.2p1`.
    pub(super) line: String,
    bytes: Vec<u8>,
}

/// Reads up to the identification line (RFC 4253, 4.2).
pub(super) async fn greeting(wire: &mut (impl AsyncRead + Unpin)) -> Result<Greeting, Failure> {
    let fail = |problem| Err((Stage::Banner, problem));
    let mut seen = Vec::new();
    loop {
        if let Some(start) = identification(&seen) {
            let bytes = seen.split_off(start);
            let line = String::from_utf8_lossy(bytes.split(|b| *b == b'\n').next().unwrap_or_default());
            let line = printable(&line);
            return Ok(Greeting { line, bytes });
        }
        if seen.len() > LONGEST_GREETING {
            return fail(Problem::NotSsh(printable(&String::from_utf8_lossy(&seen))));
        }
        let mut piece = [0; 512];
        match wire.read(&mut piece).await {
            Ok(0) if seen.is_empty() => return fail(Problem::Lost("the server hung up without a word".to_owned())),
            Ok(0) => {
                return fail(turned_away(&printable(&String::from_utf8_lossy(&seen))));
            }
            Ok(n) => seen.extend(piece.iter().take(n)),
            Err(error) => return fail(Problem::Lost(error.to_string())),
        }
    }
}

/// What sshd says instead of its identification line, when it says anything.
fn turned_away(said: &str) -> Problem {
    match said {
        "Exceeded MaxStartups" => Problem::Busy,
        "Not allowed at this time" => Problem::Penalty,
        _ => Problem::NotSsh(said.to_owned()),
    }
}

/// Where the complete line that starts with `SSH-` begins.
fn identification(seen: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in seen.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b"SSH-") && line.ends_with(b"\n") {
            return Some(start);
        }
        start += line.len();
    }
    None
}

/// The russh handler: judges the host key, refuses channels that the server opens, keeps the server's words.
pub(super) struct Guard {
    judge: Judge,
    tell: watch::Sender<News>,
}

/// Why the handler ended the connection.
#[derive(Debug)]
pub(super) enum Refusal {
    Russh(russh::Error),
    HostKey(Problem),
}

impl From<russh::Error> for Refusal {
    fn from(error: russh::Error) -> Self {
        Self::Russh(error)
    }
}

impl Refusal {
    fn into_failure(self) -> Failure {
        match self {
            Self::HostKey(problem) => (Stage::HostKey, problem),
            Self::Russh(russh::Error::UnknownKey) => {
                (Stage::HostKey, Problem::Protocol("the key was refused".to_owned()))
            }
            Self::Russh(russh::Error::IO(error)) => (Stage::KeyExchange, Problem::Lost(error.to_string())),
            Self::Russh(russh::Error::Disconnect | russh::Error::HUP) => {
                (Stage::KeyExchange, Problem::Lost("the server hung up".to_owned()))
            }
            Self::Russh(russh::Error::NoCommonAlgo { kind, ours, theirs }) => {
                let text = format!(
                    "no {kind:?} algorithm in common: ours {}, theirs {}",
                    ours.join(" "),
                    printable(&theirs.join(" "))
                );
                (Stage::KeyExchange, Problem::Protocol(text))
            }
            Self::Russh(error) => (Stage::KeyExchange, Problem::Protocol(printable(&error.to_string()))),
        }
    }
}

/// Refuses a channel that the server wants to open: russh would accept forwarded ones that nobody asked for.
macro_rules! refuse {
    ($($name:ident($($kind:ty),*);)*) => {
        $(async fn $name(
            &mut self, _: Channel<Msg>, $(_: $kind,)* reply: ChannelOpenHandle, _: &mut Session,
        ) -> Result<(), Refusal> {
            drop(reply);
            Ok(())
        })*
    };
}

impl client::Handler for Guard {
    type Error = Refusal;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refusal> {
        self.judge.judge(shown).map(|()| true).map_err(Refusal::HostKey)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Refusal> {
        self.tell.send_modify(|news| {
            let room = LONGEST_BANNER.saturating_sub(news.banner.len());
            news.banner.extend(banner.chars().take(room));
        });
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        _: ChannelId,
        reason: ChannelOpenFailure,
        description: &str,
        _: &str,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        const ENOUGH: usize = 32;
        self.tell.send_modify(|news| {
            news.refused.push_back((Instant::now(), reason, printable(description)));
            if news.refused.len() > ENOUGH {
                news.refused.pop_front();
            }
        });
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Refusal>) -> Result<(), Refusal> {
        let ending = match reason {
            DisconnectReason::ReceivedDisconnect(info) => Ending::Goodbye(printable(&info.message)),
            DisconnectReason::Error(Refusal::Russh(error)) => {
                Ending::Broken(printable(&error.to_string()).to_lowercase())
            }
            DisconnectReason::Error(Refusal::HostKey(problem)) => Ending::Broken(problem.to_string()),
        };
        self.tell.send_modify(|news| news.ended = Some(ending));
        Ok(())
    }

    refuse! {
        server_channel_open_forwarded_tcpip(&str, u32, &str, u32);
        server_channel_open_forwarded_streamlocal(&str);
        server_channel_open_agent_forward();
        server_channel_open_session();
        server_channel_open_direct_tcpip(&str, u32, &str, u32);
        server_channel_open_direct_streamlocal(&str);
        server_channel_open_x11(&str, u32);
    }
}

/// A wire that can be let go from outside, whatever the task that reads it is doing. A host that floods is read slowly.
struct Leashed {
    wire: Box<dyn Wire>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What was read already, to be read again first.
    replay: Vec<u8>,
    carries_others: Arc<AtomicBool>,
    /// Bytes that may be read now; below zero, nothing is for a while.
    allowance: f64,
    counted: Instant,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Leashed {
    fn new(wire: Box<dyn Wire>, leash: CancellationToken, carries_others: Arc<AtomicBool>) -> Self {
        let (cut, counted) = (Box::pin(leash.cancelled_owned()), Instant::now());
        Self { wire, cut, replay: Vec::new(), carries_others, allowance: BURST, counted, pause: None }
    }

    /// So much was read: is it time for a pause?
    fn took(&mut self, bytes: usize) {
        let bytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        let earned = self.counted.elapsed().as_secs_f64() * BYTES_IN_A_SECOND;
        self.counted = Instant::now();
        self.allowance = (self.allowance + earned).min(BURST) - bytes;
        if self.allowance < 0.0 && !self.carries_others.load(Ordering::Relaxed) {
            let pause = Duration::from_secs_f64(-self.allowance / BYTES_IN_A_SECOND);
            self.pause = Some(Box::pin(tokio::time::sleep(pause)));
        }
    }
}

impl AsyncRead for Leashed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if !self.replay.is_empty() {
            let now = self.replay.len().min(buf.remaining());
            buf.put_slice(&self.replay.drain(..now).collect::<Vec<u8>>());
            return Poll::Ready(Ok(()));
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.wire).poll_read(cx, buf));
        self.took(buf.filled().len().saturating_sub(before));
        Poll::Ready(read)
    }
}

impl AsyncWrite for Leashed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.wire).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

/// The kind of key that did not fit, when asking for another kind may help.
pub(super) fn kind_that_changed(problem: &Problem) -> Option<Algorithm> {
    match problem {
        Problem::ChangedHostKey { offered, .. } => Algorithm::new(&offered.algorithm).ok(),
        _ => None,
    }
}
