//! Shells that stay on a host, so that a look is one question and one answer, and costs the host one fork.
//!
//! A look of its own opens a channel, has a shell started, and sends it the script: three round trips, and most of the
//! work is sshd's. A shell that stays reads one look after the other from its channel. Each runs in a subshell, between
//! two marks that only this side knows ([`Frame`]); its channel is as its script would have it alone: output as it comes,
//! signals, limits.
//!
//! A shell that does not soon begin with its first look may be one that reads all of its input before it runs any of it.
//! It is told that this was all, so that the look runs there once in any case; and for a while no shell stays on that host.
//!
//! A shell stays for a while, and at most one of a user and one of root on each host; it makes room for whoever needs
//! the channel. It is let go of where it may no longer be as a new one would be: when something was changed on its host,
//! when a look ended in any other way than by itself, when bytes came that were no look's.

mod frame;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

pub(super) use self::frame::Frame;
use super::connect::Failure;
use super::error::{Problem, SshError, Stage};
use super::exec::{Input, Prepared, Running, Session, Then, as_sent, nonce, quoted};
use super::pool::{failed, no_hops};
use super::spool::Told;
use super::{Chunk, Exit, Hop, Limits, Pool, Script};

const KEEPER: &str = include_str!("kept/keeper.sh");

/// For how long a host is one on which no shell stays: it may have been busy when it was tried.
const PLAIN: Duration = Duration::from_secs(10 * 60);

impl Pool {
    /// Runs `script` in a shell that stays on the last of `hops`. None: none can stay there, or none began with it, and
    /// nothing was run.
    pub(super) async fn run_in_shell(
        &self,
        hops: &[Hop],
        script: &Script,
        sink: &Sender<Chunk>,
        cancel: &CancellationToken,
    ) -> Result<Option<Exit>, SshError> {
        let [.., target] = hops else { return Err(no_hops()) };
        let (at_target, limits) = (|(stage, problem)| failed(target, stage, problem), &self.settings.limits);
        let shells = self.shells(hops);
        if shells.cannot_stay() {
            return Ok(None);
        }
        let mut shell = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(at_target((Stage::Connect, Problem::Cancelled))),
            shell = self.shell(hops, &shells, script.sudo, cancel) => shell?,
        };
        let ended = shell.look(script, sink, cancel, limits).await;
        if !shell.running.takes_more() {
            shells.give_up();
        }
        let ended = ended.map_err(at_target)?;
        shells.put(shell, limits);
        Ok(ended)
    }

    /// A shell that waits on the last of `hops`, or another one.
    async fn shell(
        &self,
        hops: &[Hop],
        shells: &Arc<Shells>,
        sudo: bool,
        cancel: &CancellationToken,
    ) -> Result<Shell, SshError> {
        let [.., target] = hops else { return Err(no_hops()) };
        let (sudo, limits) = (sudo && target.user != "root", &self.settings.limits);
        let password = self.sudo_password(hops, sudo).await?;
        if let Some(shell) = shells.take(sudo)
            && shell.is_there(limits).await
        {
            return Ok(shell);
        }
        let round = shells.round();
        let session = self.session(hops).await?;
        let shell = Shell::start(session, (sudo, password.as_ref()), round, cancel, limits).await;
        shell.map_err(|(stage, problem)| failed(target, stage, problem))
    }
}

/// A shell that reads one look after the other.
pub(super) struct Shell {
    running: Running,
    sudo: bool,
    /// What it has still to read before its first look.
    first: Option<SecretString>,
    /// Which round of its host's shells it belongs to.
    round: u64,
    answered: Instant,
}

impl Shell {
    /// Has one started on an open session, root's with `sudo`; `password` is what sudo is told.
    pub(super) async fn start(
        session: Session,
        (sudo, password): (bool, Option<&SecretString>),
        round: u64,
        cancel: &CancellationToken,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let keeper = Prepared::for_shell(SecretString::from(KEEPER), sudo, Duration::ZERO, password);
        let running = Running::start(session, keeper.command, cancel, limits).await?;
        Ok(Self { running, sudo, first: Some(keeper.input), round, answered: Instant::now() })
    }

    /// Runs `script` in it. None: it ended before the script began.
    pub(super) async fn look(
        &mut self,
        script: &Script,
        sink: &Sender<Chunk>,
        cancel: &CancellationToken,
        limits: &Limits,
    ) -> Result<Option<Exit>, Failure> {
        let at_command = |problem| (Stage::Command, problem);
        let nonce = nonce().map_err(at_command)?;
        let text = as_sent(script).map_err(at_command)?;
        let first = self.first.take();
        let then = first.as_ref().map_or(Then::More, |_| Then::MoreIfBegun(limits.silence));
        let first = first.as_ref().map_or("", |first| first.expose_secret());
        let text = SecretString::from(format!("{first}onramp_look {nonce} {}\n", quoted(text.expose_secret())));
        self.running.spool.begin(Frame::new(&nonce));
        let input = Input::of(&text, then);
        tokio::select! {
            ended = self.running.see_through(input, script.limit, sink, cancel, limits) => ended?,
            () = self.falls_silent(limits) => return Err(at_command(self.running.connection.lost().await)),
        }
        self.answered = Instant::now();
        match self.running.spool.told() {
            Told::Ended(exit) => Ok(Some(exit)),
            Told::NotBegun => Ok(None),
            Told::Lost => Err(at_command(self.running.connection.lost().await)),
        }
    }

    /// Is it there, as far as is known? After a while that has to be asked.
    pub(super) async fn is_there(&self, limits: &Limits) -> bool {
        self.answered.elapsed() <= limits.fresh || self.running.connection.answers(limits).await
    }

    /// Ends when it has not begun with its look for long, and its connection does not answer either.
    async fn falls_silent(&self, limits: &Limits) {
        tokio::time::sleep(limits.channel).await;
        if self.running.spool.has_begun() || self.running.connection.answers(limits).await {
            std::future::pending().await
        }
    }

    /// Nobody waits for a channel to its host, and it is as good as new.
    fn may_stay(&self) -> bool {
        self.is_fit() && self.running.connection.sessions.available_permits() > 0
    }

    fn is_fit(&self) -> bool {
        self.running.takes_more() && self.running.spool.is_clean() && self.running.connection.is_live()
    }
}

/// May this text run in a shell that stays? Not when it asks for that shell's number or parent, or leaves something
/// running, whose output would come among that of later ones.
pub(super) fn may_share(text: &str) -> bool {
    let of_its_own = ["$$", "${$", "PPID", "BASHPID", "coproc", "<(", ">("];
    !of_its_own.iter().any(|sign| text.contains(sign)) && !leaves_something_running(text)
}

/// An `&` that is not one of `&&`, `>&`, `<&` and `&>`. Within quotes it counts too: that costs a channel, and no more.
fn leaves_something_running(text: &str) -> bool {
    let bytes = text.as_bytes();
    let at = |index: Option<usize>| index.and_then(|index| bytes.get(index)).copied().unwrap_or(b' ');
    let alone = |index: usize| {
        let (before, after) = (at(index.checked_sub(1)), at(index.checked_add(1)));
        !matches!(before, b'&' | b'>' | b'<') && !matches!(after, b'&' | b'>')
    };
    bytes.iter().enumerate().any(|(index, byte)| *byte == b'&' && alone(index))
}

/// The shells of one host that wait for their next look.
#[derive(Default)]
pub(super) struct Shells(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Shell>,
    /// How often all were let go of.
    round: u64,
    is_watched: bool,
    /// When a shell there did not begin with its first look before it had all of its input.
    gave_up: Option<Instant>,
}

impl Shells {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn round(&self) -> u64 {
        self.lock().round
    }

    fn cannot_stay(&self) -> bool {
        self.lock().gave_up.is_some_and(|when| when.elapsed() < PLAIN)
    }

    fn give_up(&self) {
        self.lock().gave_up = Some(Instant::now());
    }

    /// One that waits, if there is any.
    pub(super) fn take(&self, sudo: bool) -> Option<Shell> {
        let mut state = self.lock();
        state.waiting.retain(Shell::is_fit);
        let at = state.waiting.iter().position(|shell| shell.sudo == sudo)?;
        Some(state.waiting.swap_remove(at))
    }

    /// Its look is over: it waits for the next one, for as long as `limits` say, or is let go of.
    pub(super) fn put(self: &Arc<Self>, shell: Shell, limits: &Limits) {
        let mut state = self.lock();
        let is_there_one = state.waiting.iter().any(|other| other.sudo == shell.sudo);
        if is_there_one || shell.round != state.round || !shell.may_stay() {
            return;
        }
        state.waiting.push(shell);
        if !std::mem::replace(&mut state.is_watched, true) {
            tokio::spawn(watch(Arc::downgrade(self), limits.stays));
        }
    }

    /// Lets go of all that wait, and of all that run a look when that has ended.
    pub(super) fn let_go(&self) {
        let mut state = self.lock();
        state.round += 1;
        state.waiting.clear();
    }
}

/// Lets go of shells that have waited for so long, until there are none.
async fn watch(shells: std::sync::Weak<Shells>, stays: Duration) {
    let mut pause = stays;
    loop {
        tokio::time::sleep(pause).await;
        let Some(shells) = shells.upgrade() else { return };
        let mut state = shells.lock();
        state.waiting.retain(|shell| shell.answered.elapsed() < stays);
        let Some(oldest) = state.waiting.iter().map(|shell| shell.answered.elapsed()).max() else {
            state.is_watched = false;
            return;
        };
        pause = stays.saturating_sub(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::may_share;

    #[test]
    fn what_knows_its_shell_or_outlives_it_gets_one_of_its_own() {
        for text in ["uptime", "a && b", "a >&2", "a 2>&1 | b", "a >/dev/null 2>&1", "a &>b", "exec 3<&0", "test -f $x"]
        {
            assert!(may_share(text), "{text}");
        }
        for text in ["a &", "a & b", "&", "(a; b) >/dev/null &\nwait", "kill $$", "x=${$}", "ps -p $PPID", "a <(b)"] {
            assert!(!may_share(text), "{text}");
        }
    }
}
