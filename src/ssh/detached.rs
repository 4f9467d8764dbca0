//! Scripts that change something. Each runs on its host by itself, in a folder that is named by its token: its claim.
//!
//! ```text
//! claim/run     made by the one shell that runs the script; whoever comes later finds it
//! claim/pid     its number, its group, when it began, in which boot
//! claim/out err what it wrote          claim/rc   how it ended, there at once or not at all
//! ```
//!
//! A second shell, the watcher, hands the output on as it comes. When its connection is lost, or onramp ends, the script
//! goes on; another watcher goes on where the first one was. So a script is started once under one token, whatever
//! happens on the way.

mod words;

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use self::words::{Word, Words};
use super::error::{Problem, SshError, Stage};
use super::exec::{self, Prepared, as_sent, nonce, quoted};
use super::pool::{checked, failed, no_hops};
use super::{Chunk, Hop, Pool, Route, Script, Stream};

const PROCESS: &str = include_str!("detached/process.sh");
const JOB: &str = include_str!("detached/job.sh");
const WATCH: &str = include_str!("detached/watch.sh");

/// Between TERM and KILL, when a script is stopped.
const GRACE: Duration = Duration::from_secs(10);
/// How long stopping a script may take in one try: the connection, TERM, KILL, and the rest of its output.
const STOPPING: Duration = Duration::from_secs(60);
const STOP_TRIES: u32 = 3;
/// A watcher that ends so often without a word is not tried again.
const WORDLESS: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// After this long without a connection the script is left to itself: a resume finds it again.
const LOST_FOR: Duration = Duration::from_secs(10 * 60);
/// The watcher has no limit of its own.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Pieces between the wire and the watcher's reader.
const UNDER_WAY: usize = 64;
/// How much of what the watcher's shell complains about is kept.
const COMPLAINT: usize = 2 * 1024;

/// A script that is started at most once.
#[derive(Debug, Clone)]
pub struct Detached {
    /// Its limit counts from its start, also when that was long ago.
    pub script: Script,
    /// The name of its claim: letters and digits.
    pub token: String,
}

/// What is heard of a detached script while it runs.
#[derive(Debug)]
pub enum Heard {
    /// What it wrote, from its beginning.
    Output(Chunk),
    /// It had been started earlier. The folder is its claim.
    Found(String),
    /// The connection was lost. The script goes on, and is looked for again.
    Lost(SshError),
}

/// What became of a detached script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It ended by itself.
    Ended {
        /// Above 128: a signal, and that many.
        code: u32,
    },
    /// onramp ended it and its whole process group, and they are gone.
    Stopped {
        reason: Reason,
        /// The signal that was enough, without `SIG`.
        signal: String,
    },
    /// It is certain that it was not started, and will not be.
    NotStarted { why: String },
    /// It was started, no process of it is left, and it left no exit code: it was killed, or its host restarted.
    CutOff { claim: String },
    /// It may be running.
    Unknown {
        why: String,
        /// None when not even that is known.
        claim: Option<String>,
    },
}

/// Why onramp ended a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A person asked for it.
    Person,
    /// It ran for longer than its limit.
    Limit,
}

impl Pool {
    /// Runs a script on the last hop of `route`, or finds the one that was started under the same token, and stays with
    /// it until it ends. What it writes goes to `sink` as it comes, all of it, once. A connection that is lost is made
    /// anew until the script's limit has passed.
    ///
    /// `cancel`, and the limit, end the script and everything that it started.
    ///
    /// # Errors
    /// The host could not be asked at all: by this call nothing was started.
    pub async fn run_detached(
        &self,
        route: &Route,
        work: &Detached,
        sink: &Sender<Heard>,
        cancel: &CancellationToken,
    ) -> Result<Fate, SshError> {
        let fate = Watch::new(self, route, work, sink, cancel)?.follow(Mode::Start).await?;
        Ok(fate.unwrap_or_else(|| Fate::NotStarted { why: "the host knows nothing of it".to_owned() }))
    }

    /// Stays with the script that was started under this token until it ends, as `run_detached`; none when no script
    /// was.
    ///
    /// # Errors
    /// The host could not be asked.
    pub async fn find_detached(
        &self,
        route: &Route,
        work: &Detached,
        sink: &Sender<Heard>,
        cancel: &CancellationToken,
    ) -> Result<Option<Fate>, SshError> {
        Watch::new(self, route, work, sink, cancel)?.follow(Mode::Find).await
    }

    /// Removes from the host what the script of this token wrote, once all of it is kept here. That it ran and how it
    /// ended stays there, so that it is never started again.
    ///
    /// # Errors
    /// The host could not be asked: it stays there for two weeks.
    pub async fn forget_detached(&self, route: &Route, token: &str, sudo: bool) -> Result<(), SshError> {
        let script = Script { text: String::new(), sudo, limit: FORGETTING, stdin_after: None };
        let work = Detached { script, token: token.to_owned() };
        let (sink, never) = (mpsc::channel(1).0, CancellationToken::new());
        let mut watch = Watch::new(self, route, &work, &sink, &never)?;
        watch.deadline = Some(Instant::now() + FORGETTING);
        watch.watch(Mode::Forget).await.map(drop)
    }
}

/// How long removing what a script wrote may take: it is gone in two weeks anyhow.
const FORGETTING: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Start,
    Find,
    /// What it wrote is removed from its host.
    Forget,
    Stop(Reason),
}

/// How one watcher ended.
enum Told {
    Fate(Fate),
    /// There is no such claim.
    Nothing,
    /// Output was lost on this side, because nobody took it in time: the next watcher sends it again.
    Gap,
    Cancelled,
    /// The limit has passed.
    Late,
}

struct Watch<'a> {
    pool: &'a Pool,
    hops: &'a [Hop],
    target: &'a Hop,
    work: &'a Detached,
    sink: &'a Sender<Heard>,
    cancel: &'a CancellationToken,
    /// A watcher may have begun: it is no longer certain that nothing was started.
    sent: bool,
    /// What watchers have said so far.
    words: u64,
    claim: Option<String>,
    out: u64,
    err: u64,
    deadline: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(
        pool: &'a Pool,
        route: &'a Route,
        work: &'a Detached,
        sink: &'a Sender<Heard>,
        cancel: &'a CancellationToken,
    ) -> Result<Self, SshError> {
        let hops = checked(route)?;
        let [.., target] = hops else { return Err(no_hops()) };
        let (sent, words, claim, deadline) = (false, 0, None, None);
        Ok(Self { pool, hops, target, work, sink, cancel, sent, words, claim, out: 0, err: 0, deadline })
    }

    async fn follow(&mut self, first: Mode) -> Result<Option<Fate>, SshError> {
        let _changing = Changing::on(self.pool, self.target);
        let (mut failures, mut wordless, mut last_word) = (0, 0, Instant::now());
        loop {
            // What is known to have been started is only looked for.
            let known = self.claim.is_some();
            let before = self.words;
            let error = match self.watch(if known { Mode::Find } else { first }).await {
                Ok(Told::Fate(fate)) => return Ok(Some(fate)),
                Ok(Told::Nothing) if known => {
                    return Ok(Some(self.unknown("its claim is no longer there")));
                }
                Ok(Told::Nothing) => return Ok(None),
                Ok(Told::Gap) => continue,
                Ok(Told::Cancelled) => return self.stop(Reason::Person).await,
                Ok(Told::Late) => return self.stop(Reason::Limit).await,
                Err(error) => error,
            };
            self.sent |= error.may_have_run();
            if !self.sent {
                return Err(error);
            }
            if self.words > before {
                (failures, wordless, last_word) = (0, 0, Instant::now());
            }
            failures += 1;
            wordless += u32::from(!known);
            if !may_pass(&error.problem) || wordless >= WORDLESS || last_word.elapsed() > LOST_FOR {
                return Ok(Some(self.unknown(&error.to_string())));
            }
            self.tell(Heard::Lost(error)).await;
            tokio::select! {
                () = tokio::time::sleep(pause_after(failures)) => {}
                () = self.cancel.cancelled() => return self.stop(Reason::Person).await,
                () = passed(self.deadline) => return self.stop(Reason::Limit).await,
            }
        }
    }

    /// Ends the script and its process group, and waits until they are gone.
    async fn stop(&mut self, reason: Reason) -> Result<Option<Fate>, SshError> {
        if !self.sent {
            let problem = Problem::Cancelled;
            return Err(failed(self.target, Stage::Connect, problem));
        }
        let mut last = String::new();
        for failures in 1..=STOP_TRIES {
            match timeout(STOPPING, self.watch(Mode::Stop(reason))).await {
                Ok(Ok(Told::Fate(fate))) => return Ok(Some(fate)),
                Ok(Ok(_)) => "the host did not say what became of it".clone_into(&mut last),
                Ok(Err(error)) => {
                    last = error.to_string();
                    self.tell(Heard::Lost(error)).await;
                }
                Err(_) => last = format!("no answer within {} s", STOPPING.as_secs()),
            }
            if failures < STOP_TRIES {
                tokio::time::sleep(pause_after(failures)).await;
            }
        }
        Ok(Some(self.unknown(&format!("it was to be stopped, and could not be: {last}"))))
    }

    /// One watcher on the host, from its start to its end or ours.
    async fn watch(&mut self, mode: Mode) -> Result<Told, SshError> {
        let stopping = matches!(mode, Mode::Stop(_));
        let nonce = format!("onramp-{}", nonce().map_err(|problem| self.at_target((Stage::Command, problem)))?);
        let ready = async {
            let password = self.pool.sudo_password(self.hops, self.work.script.sudo).await?;
            let watcher = self.watcher(mode, &nonce, password.as_ref());
            let watcher = watcher.map_err(|problem| self.at_target((Stage::Command, problem)))?;
            Ok::<_, SshError>((watcher, self.pool.session(self.hops).await?))
        };
        let (watcher, session) = tokio::select! {
            biased;
            () = self.cancel.cancelled(), if !stopping => return Ok(Told::Cancelled),
            () = passed(self.deadline), if !stopping => return Ok(Told::Late),
            ready = ready => ready?,
        };
        let (piece, mut pieces) = mpsc::channel::<Chunk>(UNDER_WAY);
        self.deadline.get_or_insert_with(|| Instant::now() + self.work.script.limit);
        // A watcher is let go of, not cancelled: it ends when it notices, and the script does not.
        let (never, limits) = (CancellationToken::new(), self.pool.settings.limits);
        let running = async move { exec::run_alone(session, &watcher, &piece, &never, &limits).await };
        tokio::pin!(running);
        let mut ended = None;
        let (mut words, mut complaint) = (Words::new(&nonce), Vec::new());
        loop {
            let chunk = tokio::select! {
                biased;
                () = self.cancel.cancelled(), if !stopping => return Ok(self.cut(Told::Cancelled)),
                () = passed(self.deadline), if !stopping => return Ok(self.cut(Told::Late)),
                chunk = pieces.recv() => chunk,
                end = &mut running, if ended.is_none() => {
                    ended = Some(end);
                    continue;
                }
            };
            let Some(chunk) = chunk else { break };
            if chunk.missed > 0 {
                return Ok(Told::Gap);
            }
            if chunk.stream == Stream::Err {
                complaint.extend(chunk.bytes.into_iter().take(COMPLAINT - complaint.len().min(COMPLAINT)));
                continue;
            }
            for word in words.push(&chunk.bytes) {
                if let Some(told) = self.hear(word, stopping).await {
                    return Ok(told);
                }
            }
        }
        Err(match ended {
            Some(Err(failure)) => self.at_target(failure),
            _ => {
                let said = super::error::printable(&String::from_utf8_lossy(&complaint));
                self.at_target((Stage::Command, Problem::Lost(format!("the watcher ended without a word {said}"))))
            }
        })
    }

    /// We let go of a watcher that may have begun.
    fn cut(&mut self, told: Told) -> Told {
        self.sent = true;
        told
    }

    async fn hear(&mut self, word: Word, stopping: bool) -> Option<Told> {
        self.sent = true;
        self.words += 1;
        match word {
            Word::Claim { found, elapsed, claim } => {
                if found && !stopping && self.claim.is_none() {
                    self.tell(Heard::Found(claim.clone())).await;
                }
                self.claim = Some(claim);
                let left = self.work.script.limit.saturating_sub(Duration::from_secs(elapsed));
                // A clock over there that runs backwards gives no more time than there was.
                let deadline = Instant::now() + left;
                self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
            }
            Word::Data(stream, bytes) => {
                match stream {
                    Stream::Out => self.out += bytes.len() as u64,
                    Stream::Err => self.err += bytes.len() as u64,
                }
                self.tell(Heard::Output(Chunk { stream, bytes, missed: 0 })).await;
            }
            Word::Ended { code } => return Some(Told::Fate(Fate::Ended { code })),
            Word::Stopped { signal, reason } => return Some(Told::Fate(Fate::Stopped { reason, signal })),
            Word::Never => {
                let why = "it was stopped before it began".to_owned();
                return Some(Told::Fate(Fate::NotStarted { why }));
            }
            Word::Refused(why) => return Some(Told::Fate(Fate::NotStarted { why })),
            Word::Nothing => return Some(Told::Nothing),
            Word::Gone => {
                let claim = self.claim.clone().unwrap_or_default();
                return Some(Told::Fate(Fate::CutOff { claim }));
            }
            Word::Stuck { pid } => {
                let why = format!("process {pid} did not end, not even by KILL");
                return Some(Told::Fate(self.unknown(&why)));
            }
        }
        None
    }

    fn watcher(&self, mode: Mode, nonce: &str, password: Option<&SecretString>) -> Result<Prepared, Problem> {
        let token = &self.work.token;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Problem::BadScript(format!("\"{token}\" cannot name a claim")));
        }
        let text = watcher(self.work, mode, nonce, (self.out, self.err))?;
        let (text, sudo) = (text.expose_secret().to_owned(), self.work.script.sudo);
        Prepared::new(&Script { text, sudo, limit: FOR_EVER, stdin_after: None }, &self.target.user, password)
    }

    async fn tell(&self, heard: Heard) {
        // Whoever listened has gone away: that stops no script.
        let _ = self.sink.send(heard).await;
    }

    fn unknown(&self, why: &str) -> Fate {
        Fate::Unknown { why: why.to_owned(), claim: self.claim.clone() }
    }

    fn at_target(&self, (stage, problem): (Stage, Problem)) -> SshError {
        failed(self.target, stage, problem)
    }
}

/// Something changes on a host. Shells that stay are as things were when they were started: groups, limits, mounts.
struct Changing<'a> {
    pool: &'a Pool,
    host: &'a Hop,
}

impl<'a> Changing<'a> {
    fn on(pool: &'a Pool, host: &'a Hop) -> Self {
        pool.let_shells_go(host);
        Self { pool, host }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.pool.let_shells_go(self.host);
    }
}

/// The text of a watcher.
fn watcher(work: &Detached, mode: Mode, nonce: &str, (out, err): (u64, u64)) -> Result<SecretString, Problem> {
    let (mode, reason) = match mode {
        Mode::Start => ("start", ""),
        Mode::Find => ("find", ""),
        Mode::Forget => ("find", "forget"),
        Mode::Stop(Reason::Person) => ("stop", "person"),
        Mode::Stop(Reason::Limit) => ("stop", "limit"),
    };
    let job = match mode {
        "start" => {
            let script = as_sent(&work.script)?;
            let script = quoted(script.expose_secret());
            // Read whole before any of it runs: see `as_sent`.
            format!("job={}\n", quoted(&format!("{{\n:\nscript={script}\n{PROCESS}{JOB}\n}}")))
        }
        _ => String::new(),
    };
    let (token, grace) = (&work.token, GRACE.as_secs());
    Ok(SecretString::from(format!(
        "set +eu\nmode={mode} reason={reason} token={token} nonce={nonce} out_at={out} err_at={err} grace={grace}\n\
         {job}{PROCESS}{WATCH}"
    )))
}

/// Is it worth waiting for this to pass?
fn may_pass(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Timeout(_)
            | Problem::Io(_)
            | Problem::Lost(_)
            | Problem::NotSsh(_)
            | Problem::ConnectFailed { .. }
            | Problem::ChannelRefused(_)
    )
}

/// 1, 2, 4, 8, 15, 15, … seconds.
fn pause_after(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(4)).min(LONGEST_PAUSE)
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The text of a watcher that starts `work`, finds it, or stops it, for tests that have no wire.
#[cfg(test)]
fn as_watched(work: &Detached, mode: &str, nonce: &str, at: (u64, u64)) -> String {
    let mode = match mode {
        "start" => Mode::Start,
        "find" => Mode::Find,
        "forget" => Mode::Forget,
        _ => Mode::Stop(Reason::Person),
    };
    let text = watcher(work, mode, nonce, at).expect("a text").expose_secret().to_owned();
    let script = Script { text, sudo: false, limit: FOR_EVER, stdin_after: None };
    as_sent(&script).expect("a script").expose_secret().to_owned()
}

#[cfg(test)]
#[path = "tests/detached.rs"]
mod tests;
