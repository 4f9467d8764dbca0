//! A script on a host: how it is sent, how its two streams come back, how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::connect::{Connection, Failure};
use super::dial::{Held, Wire};
use super::error::{Problem, Stage};
use super::kept::may_share;
use super::pool::{checked, failed, no_hops};
use super::spool::{Spool, Verdict};
use super::{Chunk, Exit, Limits, Pool, Route, Script, SshError};

/// CIS images set umask 027 and a bare PATH; files would become unreadable for service users.
const PROLOGUE: &str = "set -eu\numask 022\nexport LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\n";

/// sudo reads a password only where it wants one, so what stands before this line is passed over where it did not.
const BEGINS: &str = "onramp-script-begins";
const WITH_PASSWORD: &str = "sudo -S -p '' sh -c 'while IFS= read -r line; do if [ \"$line\" = onramp-script-begins ]; then exec sh -s; fi; done; exit 125'";

/// A script in the form in which it is sent.
pub(super) struct Prepared {
    pub(super) command: &'static str,
    pub(super) input: SecretString,
    sudo: bool,
    limit: Duration,
}

impl Prepared {
    /// `script` on the standard input of a shell of `user`, or of root. sudo is told `password` where it wants one.
    pub(super) fn new(script: &Script, user: &str, password: Option<&SecretString>) -> Result<Self, Problem> {
        Ok(Self::for_shell(as_sent(script)?, script.sudo && user != "root", script.limit, password))
    }

    /// `text` on the standard input of a shell, which is root's by `sudo`.
    pub(super) fn for_shell(text: SecretString, sudo: bool, limit: Duration, password: Option<&SecretString>) -> Self {
        let (command, input) = match password.filter(|_| sudo) {
            None if sudo => ("sudo -n sh -s", text),
            None => ("sh -s", text),
            Some(password) => {
                let input = format!("{}\n{BEGINS}\n{}", password.expose_secret(), text.expose_secret());
                (WITH_PASSWORD, SecretString::from(input))
            }
        };
        Self { command, input, sudo, limit }
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

/// What nobody can guess: 32 digits.
pub(super) fn nonce() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Problem::Io(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
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

impl Session {
    /// Starts a command; what it reads and prints is the stream.
    pub(super) async fn stream(self, command: &str) -> Result<Box<dyn Wire>, Problem> {
        let Session { mut channel, lease } = self;
        let refused = || Problem::ChannelRefused("the server runs no command".to_owned());
        channel.exec(true, command).await.map_err(|_| refused())?;
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => break,
                Some(ChannelMsg::Failure | ChannelMsg::Close) | None => return Err(refused()),
                Some(_) => {}
            }
        }
        Ok(Box::new(Held::new(Box::new(channel.into_stream()), lease)))
    }
}

/// The right to one session on a connection, until it is dropped.
pub(super) struct Lease {
    connection: Arc<Connection>,
    permit: Option<OwnedSemaphorePermit>,
    finished_before: usize,
    opened: bool,
}

impl Lease {
    /// Waits until fewer than the most sessions are open. Whoever has to wait first has `room` made: from then on it is
    /// seen to be waiting.
    pub(super) async fn take(connection: &Arc<Connection>, room: impl FnOnce()) -> Option<Self> {
        let permit = Arc::clone(&connection.sessions).acquire_owned();
        tokio::pin!(permit);
        let permit = tokio::select! {
            biased;
            permit = &mut permit => permit,
            () = std::future::ready(()) => {
                room();
                permit.await
            }
        };
        let permit = permit.ok()?;
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

impl Pool {
    /// Runs `script` on the last hop of `route`, in a shell that stays there where it may share one. Output goes to `sink`
    /// as it comes; when nobody takes it, the oldest is dropped and counted, and the connection goes on. Up to eight
    /// scripts run at once on a host, others wait.
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
        let keeps = self.settings.dial.reads_as_it_comes() && !self.settings.limits.stays.is_zero();
        if keeps
            && may_share(&script.text)
            && let Some(exit) = Box::pin(self.run_in_shell(hops, script, sink, cancel)).await?
        {
            return Ok(exit);
        }
        let at_target = |(stage, problem)| failed(target, stage, problem);
        let ready = async {
            let password = self.sudo_password(hops, script.sudo).await?;
            let prepared = Prepared::new(script, &target.user, password.as_ref());
            let prepared = prepared.map_err(|problem| at_target((Stage::Command, problem)))?;
            Ok::<_, SshError>((prepared, self.session(hops).await?))
        };
        let (prepared, session) = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(at_target((Stage::Connect, Problem::Cancelled))),
            ready = ready => ready?,
        };
        run_alone(session, &prepared, sink, cancel, &self.settings.limits).await.map_err(at_target)
    }
}

/// Runs a prepared script on an open session.
pub(super) async fn run_alone(
    session: Session,
    script: &Prepared,
    sink: &Sender<Chunk>,
    cancel: &CancellationToken,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let running = Running::start(session, script.command, cancel, limits).await?;
    running.see_through(Input::of(&script.input, Then::End), script.limit, sink, cancel, limits).await?;
    match running.spool.verdict(script.sudo) {
        Verdict::Ended(exit) => Ok(exit),
        Verdict::Sudo(problem) => Err((Stage::Command, problem)),
        Verdict::Lost => Err((Stage::Command, running.connection.lost().await)),
    }
}

/// What a command is to read.
pub(super) struct Input {
    bytes: Bytes,
    then: Then,
}

/// What comes after it.
pub(super) enum Then {
    /// Nothing: this was all.
    End,
    /// More, later.
    More,
    /// More, later, if the look has begun within that time. Otherwise this was all.
    MoreIfBegun(Duration),
}

impl Input {
    pub(super) fn of(text: &SecretString, then: Then) -> Self {
        Self { bytes: Bytes::copy_from_slice(text.expose_secret().as_bytes()), then }
    }
}

/// A command that the server has started. Its channel is closed when this is dropped, and read until then.
pub(super) struct Running {
    line: Line,
    pub(super) spool: Arc<Spool>,
    pub(super) connection: Arc<Connection>,
    /// It was told that it has all of its input.
    told_all: AtomicBool,
}

impl Running {
    /// Asks for the command and waits for the server's answer.
    pub(super) async fn start(
        session: Session,
        command: &str,
        cancel: &CancellationToken,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let (spool, connection) = (Arc::new(Spool::default()), Arc::clone(&session.lease.connection));
        let (read, write) = session.channel.split();
        let closed = CancellationToken::new();
        tokio::spawn(drain(read, Arc::clone(&spool), session.lease, closed.clone()));
        // Closes the channel when this future ends early or is dropped.
        let line = Line { write: Arc::new(write), closed };
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err((Stage::Channel, Problem::Cancelled)),
            started = start(&line, command, &spool, limits.channel) => started?,
        }
        Ok(Self { line, spool, connection, told_all: AtomicBool::new(false) })
    }

    /// Can it be given more to read?
    pub(super) fn takes_more(&self) -> bool {
        !self.told_all.load(Ordering::SeqCst)
    }

    /// Gives it `input` and hands on what comes back until that has ended. When it takes too long, or is cancelled, it is
    /// told to end.
    pub(super) async fn see_through(
        &self,
        input: Input,
        limit: Duration,
        sink: &Sender<Chunk>,
        cancel: &CancellationToken,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let deliver = deliver(&self.spool, sink);
        tokio::pin!(deliver);
        let problem = tokio::select! {
            biased;
            () = &mut deliver => None,
            () = self.feed(input) => None,
            () = tokio::time::sleep(limit) => Some(Problem::Timeout(limit)),
            () = cancel.cancelled() => Some(Problem::Cancelled),
        };
        match problem {
            // It ended while the caller was slow to take its output: that is not a time-out of the script.
            Some(Problem::Timeout(_)) if self.spool.has_ended() => {
                tokio::select! { () = &mut deliver => {}, () = cancel.cancelled() => {} }
            }
            Some(problem) if !self.spool.has_ended() => {
                let _ = self.line.write.signal(Sig::TERM).await;
                let _ = tokio::time::timeout(limits.grace, deliver).await;
                return Err((Stage::Command, problem));
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends the input. Never ends: what counts is the end of the command, which need not read all of it.
    async fn feed(&self, input: Input) {
        if self.line.write.data_bytes(input.bytes).await.is_ok() && self.was_all(input.then).await {
            self.told_all.store(true, Ordering::SeqCst);
            let _ = self.line.write.eof().await;
        }
        std::future::pending().await
    }

    async fn was_all(&self, then: Then) -> bool {
        match then {
            Then::End => true,
            Then::More => false,
            Then::MoreIfBegun(limit) => {
                tokio::time::sleep(limit).await;
                !self.spool.has_begun()
            }
        }
    }
}

async fn start(line: &Line, command: &str, spool: &Spool, limit: Duration) -> Result<(), Failure> {
    let ask = async {
        // For sudo's sentences, which come before the script sets its own. sshd may ignore it.
        let lost = |error: russh::Error| Problem::Lost(error.to_string());
        line.write.set_env(false, "LC_ALL", "C").await.map_err(lost)?;
        line.write.exec(true, command).await.map_err(lost)?;
        spool.answer().await
    };
    let answer = tokio::time::timeout(limit, ask).await.unwrap_or(Err(Problem::Timeout(limit)));
    // Whatever went wrong, the script has not been sent yet: only a refusal is the command's own.
    answer.map_err(|problem| match problem {
        Problem::CommandRefused => (Stage::Command, problem),
        problem => (Stage::Channel, problem),
    })
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
/// waits for this one. Yields but does not wait when the output piles up. Holds the lease until the channel is closed:
/// of the answer to our own closing russh says nothing.
async fn drain(mut channel: ChannelReadHalf, spool: Arc<Spool>, lease: Lease, closed: CancellationToken) {
    loop {
        let message = tokio::select! {
            message = channel.wait() => message,
            () = closed.cancelled() => None,
        };
        let Some(message) = message else { break };
        let was_last = matches!(message, ChannelMsg::Close);
        spool.note(message);
        if was_last {
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
    closed: CancellationToken,
}

impl Drop for Line {
    fn drop(&mut self) {
        let (write, closed) = (Arc::clone(&self.write), self.closed.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = write.close().await;
                closed.cancel();
            });
        }
    }
}

#[cfg(test)]
#[path = "tests/spool.rs"]
mod tests;
