//! A script on a host: how it is sent, how its two streams come back, how it ends.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::Sender;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::connect::{Connection, Failure};
use super::error::{Problem, Stage, printable};
use super::{Chunk, Exit, Limits, Script, Stream};

/// Output that nobody has taken yet. More than this is dropped, the oldest first.
const MOST_WAITING: usize = 8 * 1024 * 1024;

/// With more than this waiting, whoever takes the output gets a turn after every piece.
const MANY_WAITING: usize = 256 * 1024;

/// Pieces are joined up to this size, so that a slow reader gets few large ones.
const LARGEST_PIECE: usize = 32 * 1024;

/// How much of the beginning of standard error is kept to recognise sudo's complaints.
const HEAD: usize = 2 * 1024;

/// CIS images set umask 027 and a bare PATH; files would become unreadable for service users.
const PROLOGUE: &str = "set -eu\numask 022\nexport LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\n";

/// sudo reads a password only where it wants one, so what stands before this line is passed over where it did not.
const BEGINS: &str = "onramp-script-begins";
const WITH_PASSWORD: &str = "sudo -S -p '' sh -c 'while IFS= read -r line; do if [ \"$line\" = onramp-script-begins ]; then exec sh -s; fi; done; exit 125'";

/// A script in the form in which it is sent.
pub(super) struct Prepared {
    command: &'static str,
    input: SecretString,
    sudo: bool,
    limit: Duration,
}

impl Prepared {
    /// `script` on the standard input of a shell of `user`, or of root. sudo is told `password` where it wants one.
    pub(super) fn new(script: &Script, user: &str, password: Option<&SecretString>) -> Result<Self, Problem> {
        let sudo = script.sudo && user != "root";
        let (script_text, limit) = (as_sent(script)?, script.limit);
        let (command, input) = match password.filter(|_| sudo) {
            None if sudo => ("sudo -n sh -s", script_text),
            None => ("sh -s", script_text),
            Some(password) => {
                let text = script_text.expose_secret();
                let input = format!("{}\n{BEGINS}\n{text}", password.expose_secret());
                (WITH_PASSWORD, SecretString::from(input))
            }
        };
        Ok(Self { command, input, sudo, limit })
    }

    /// Only a try whether sudo takes `password`, and nothing after it that could be taken for one.
    pub(super) fn trial(password: &SecretString, limit: Duration) -> Self {
        let input = SecretString::from(format!("{}\n", password.expose_secret()));
        Self { command: "sudo -k -S -p '' true", input, sudo: true, limit }
    }
}

/// The text for `sh -s`: wrapped so that the shell reads all of it before it runs any of it. A script that is cut off by
/// a broken connection is then a syntax error, and a command that reads standard input cannot eat the script.
///
/// What the script is to read comes from a pipe within it: some shells read ahead on their own standard input, and
/// bytes sent after the script would be lost to them; and some write a here-document to /tmp.
pub(super) fn as_sent(script: &Script) -> Result<SecretString, Problem> {
    let given = script.stdin_after.as_ref().map(ExposeSecret::expose_secret);
    if script.text.contains('\0') || given.is_some_and(|text| text.contains('\0')) {
        return Err(Problem::BadScript("it contains a NUL byte, which no shell can read".to_owned()));
    }
    let text = &script.text;
    Ok(SecretString::from(match given {
        None => format!("{PROLOGUE}{{\n:\n{text}\n\n}} </dev/null\n"),
        Some(given) => {
            let given = quoted(given);
            format!("{PROLOGUE}{{\nprintf '%s\\n' {given} 2>/dev/null | {{\n:\n{text}\n\n}}\n}}\n")
        }
    }))
}

/// One word for a shell, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// An open session channel and what it holds.
pub(super) struct Session {
    channel: Channel<Msg>,
    lease: Lease,
}

/// The right to one session on a connection, until it is dropped.
pub(super) struct Lease {
    connection: Arc<Connection>,
    permit: Option<OwnedSemaphorePermit>,
    finished_before: usize,
    opened: bool,
}

impl Lease {
    /// Waits until fewer than the most sessions are open.
    pub(super) async fn take(connection: &Arc<Connection>) -> Option<Self> {
        let permit = Arc::clone(&connection.sessions).acquire_owned().await.ok()?;
        connection.leases.fetch_add(1, Ordering::SeqCst);
        let finished_before = connection.finished.load(Ordering::SeqCst);
        Some(Self { connection: Arc::clone(connection), permit: Some(permit), finished_before, opened: false })
    }

    /// The server opened a channel for it.
    pub(super) fn with(mut self, channel: Channel<Msg>) -> Session {
        self.opened = true;
        Session { channel, lease: self }
    }

    /// The server refused this session: is it worth trying again? When others hold leases, the server allows fewer
    /// than we thought, and there is one permit less from now on. When others have finished meanwhile, there is room
    /// now. Otherwise the server allows none.
    pub(super) fn was_one_too_many(mut self) -> bool {
        let others = self.connection.leases.fetch_sub(1, Ordering::SeqCst) > 1;
        match self.permit.take() {
            Some(permit) if others => permit.forget(),
            permit => drop(permit),
        }
        others || self.connection.finished.load(Ordering::SeqCst) != self.finished_before
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.opened {
            self.connection.finished.fetch_add(1, Ordering::SeqCst);
        }
        if self.permit.is_some() {
            self.connection.leases.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Runs a prepared script on an open session.
pub(super) async fn run(
    session: Session,
    script: &Prepared,
    sink: &Sender<Chunk>,
    cancel: &CancellationToken,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let spool = Arc::new(Spool::default());
    let connection = Arc::clone(&session.lease.connection);
    let (read, write) = session.channel.split();
    tokio::spawn(drain(read, Arc::clone(&spool), session.lease));
    // Closes the channel when this future ends early or is dropped.
    let line = Line { write: Arc::new(write) };

    let failed = |problem| (Stage::Command, problem);
    tokio::select! {
        biased;
        () = cancel.cancelled() => return Err((Stage::Channel, Problem::Cancelled)),
        started = start(&line, script, &spool, limits.channel) => started?,
    }
    let deliver = deliver(&spool, sink);
    tokio::pin!(deliver);
    let problem = tokio::select! {
        biased;
        () = &mut deliver => None,
        () = feed(&line, script) => None,
        () = tokio::time::sleep(script.limit) => Some(Problem::Timeout(script.limit)),
        () = cancel.cancelled() => Some(Problem::Cancelled),
    };
    match problem {
        // It ended while the caller was slow to take its output: that is not a time-out of the script.
        Some(Problem::Timeout(_)) if spool.has_ended() => {
            tokio::select! { () = &mut deliver => {}, () = cancel.cancelled() => {} }
        }
        Some(problem) if !spool.has_ended() => {
            let _ = line.write.signal(Sig::TERM).await;
            let _ = tokio::time::timeout(limits.grace, deliver).await;
            return Err(failed(problem));
        }
        _ => {}
    }
    match spool.verdict(script.sudo) {
        Verdict::Ended(exit) => Ok(exit),
        Verdict::Sudo(problem) => Err(failed(problem)),
        Verdict::Lost => Err(failed(connection.lost().await)),
    }
}

/// Asks for the command and waits for the server's answer.
async fn start(line: &Line, script: &Prepared, spool: &Spool, limit: Duration) -> Result<(), Failure> {
    let ask = async {
        // For sudo's sentences, which come before the script sets its own. sshd may ignore it.
        let lost = |error: russh::Error| Problem::Lost(error.to_string());
        line.write.set_env(false, "LC_ALL", "C").await.map_err(lost)?;
        line.write.exec(true, script.command).await.map_err(lost)?;
        spool.answer().await
    };
    let answer = tokio::time::timeout(limit, ask).await.unwrap_or(Err(Problem::Timeout(limit)));
    // Whatever went wrong, the script has not been sent yet: only a refusal is the command's own.
    answer.map_err(|problem| match problem {
        Problem::CommandRefused => (Stage::Command, problem),
        problem => (Stage::Channel, problem),
    })
}

/// Sends the script. Never ends: what counts is the end of the command, which need not read all of it.
async fn feed(line: &Line, script: &Prepared) {
    let bytes = bytes::Bytes::copy_from_slice(script.input.expose_secret().as_bytes());
    if line.write.data_bytes(bytes).await.is_ok() {
        let _ = line.write.eof().await;
    }
    std::future::pending().await
}

/// Hands the output on until the channel is closed and all is delivered. A sink that is gone wants no more.
async fn deliver(spool: &Spool, sink: &Sender<Chunk>) {
    while spool.has_more().await {
        match sink.reserve().await {
            Ok(place) => {
                if let Some(chunk) = spool.take() {
                    place.send(chunk);
                }
            }
            Err(_) => drop(spool.take()),
        }
    }
}

/// Takes everything from the channel, always, so that russh's loop, which serves all channels of the connection, never
/// waits for this one. Yields but does not wait when the output piles up. Holds the lease until the channel is closed.
async fn drain(mut channel: ChannelReadHalf, spool: Arc<Spool>, lease: Lease) {
    while let Some(message) = channel.wait().await {
        let closed = matches!(message, ChannelMsg::Close);
        spool.note(message);
        if closed {
            break;
        }
        if spool.piles_up() {
            tokio::task::yield_now().await;
        }
    }
    spool.end();
    drop(lease);
}

/// The sending half, which closes the channel when dropped: russh does not.
struct Line {
    write: Arc<ChannelWriteHalf<Msg>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let write = Arc::clone(&self.write);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { write.close().await });
        }
    }
}

/// What came over a channel and was not delivered yet.
#[derive(Default)]
struct Spool {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Chunk>,
    waiting_bytes: usize,
    missed: u64,
    missed_since_last: u64,
    head_of_err: Vec<u8>,
    any_out: bool,
    accepted: Option<bool>,
    code: Option<u32>,
    signal: Option<String>,
    /// The server closed the channel: everything has been said.
    closed: bool,
    /// Nothing more will come, closed or not.
    ended: bool,
}

enum Verdict {
    Ended(Exit),
    Sudo(Problem),
    Lost,
}

impl Spool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, message: ChannelMsg) {
        let mut state = self.lock();
        match message {
            ChannelMsg::Data { data } => state.push(Stream::Out, &data),
            ChannelMsg::ExtendedData { data, ext: 1 } => state.push(Stream::Err, &data),
            ChannelMsg::Success => state.accepted = state.accepted.or(Some(true)),
            ChannelMsg::Failure => state.accepted = state.accepted.or(Some(false)),
            ChannelMsg::ExitStatus { exit_status } => state.code = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => state.signal = Some(signal_text(&signal_name)),
            ChannelMsg::Close => state.closed = true,
            _ => return,
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_waiters();
    }

    fn piles_up(&self) -> bool {
        self.lock().waiting_bytes > MANY_WAITING
    }

    fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Waits until `look` finds something.
    async fn wait_for<T>(&self, mut look: impl FnMut(&State) -> Option<T>) -> T {
        loop {
            let change = self.changed.notified();
            if let Some(found) = look(&self.lock()) {
                return found;
            }
            change.await;
        }
    }

    async fn answer(&self) -> Result<(), Problem> {
        let look = |state: &State| match state.accepted {
            Some(true) => Some(Ok(())),
            Some(false) => Some(Err(Problem::CommandRefused)),
            None if state.ended => Some(Err(Problem::Lost("the server closed the channel".to_owned()))),
            None => None,
        };
        self.wait_for(look).await
    }

    /// Waits for output: false when there will be none.
    fn has_more(&self) -> impl Future<Output = bool> {
        self.wait_for(|state| match (state.waiting.is_empty(), state.ended) {
            (false, _) => Some(true),
            (true, true) => Some(false),
            (true, false) => None,
        })
    }

    fn take(&self) -> Option<Chunk> {
        let mut state = self.lock();
        let mut chunk = state.waiting.pop_front()?;
        state.waiting_bytes -= chunk.bytes.len();
        chunk.missed = std::mem::take(&mut state.missed_since_last);
        Some(chunk)
    }

    fn verdict(&self, sudo: bool) -> Verdict {
        let state = self.lock();
        if !state.closed {
            return Verdict::Lost;
        }
        if let Some(problem) = state.complaint_of_sudo().filter(|_| sudo) {
            return Verdict::Sudo(problem);
        }
        Verdict::Ended(Exit { code: state.code, signal: state.signal.clone(), missed: state.missed })
    }
}

impl State {
    fn push(&mut self, stream: Stream, data: &[u8]) {
        match stream {
            Stream::Out => self.any_out = true,
            Stream::Err => {
                let room = HEAD.saturating_sub(self.head_of_err.len());
                self.head_of_err.extend(data.iter().take(room));
            }
        }
        match self.waiting.back_mut() {
            Some(last) if last.stream == stream && last.bytes.len() + data.len() <= LARGEST_PIECE => {
                last.bytes.extend_from_slice(data);
            }
            _ => self.waiting.push_back(Chunk { stream, bytes: data.to_vec(), missed: 0 }),
        }
        self.waiting_bytes += data.len();
        while self.waiting_bytes > MOST_WAITING {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= oldest.bytes.len();
            self.missed += oldest.bytes.len() as u64;
            self.missed_since_last += oldest.bytes.len() as u64;
        }
    }

    /// sudo's own refusal: code 1, no output, and one of its sentences on standard error. Its warnings (such as
    /// `unable to resolve host`) may stand beside it, but alone they say nothing: a check that ends with code 1 is
    /// an answer.
    fn complaint_of_sudo(&self) -> Option<Problem> {
        if self.code != Some(1) || self.any_out {
            return None;
        }
        let text = String::from_utf8_lossy(&self.head_of_err);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let refusal = lines.iter().find(|line| is_refusal_of_sudo(line))?;
        if !lines.iter().all(|line| line.starts_with("sudo: ") || is_refusal_of_sudo(line)) {
            return None;
        }
        Some(match *refusal {
            "sudo: a password is required" | "sudo: interactive authentication is required" => {
                Problem::PasswordNeededForSudo
            }
            other => Problem::SudoRefused(printable(other)),
        })
    }
}

/// The sentences with which sudo ends before it runs anything. They are English: the session asks for that.
fn is_refusal_of_sudo(line: &str) -> bool {
    match line.strip_prefix("sudo: ") {
        Some(rest) => {
            let wants = ["a password is required", "interactive authentication is required"];
            wants.contains(&rest) || rest.starts_with("sorry, you must have a tty")
        }
        None => {
            let names_user = line.starts_with("Sorry, user ");
            line.contains(" is not in the sudoers file")
                || (names_user && line.contains(" may not run sudo"))
                || (names_user && line.contains(" is not allowed to execute"))
        }
    }
}

fn signal_text(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => printable(name),
        known => format!("{known:?}"),
    }
}

#[cfg(test)]
#[path = "tests/spool.rs"]
mod tests;
