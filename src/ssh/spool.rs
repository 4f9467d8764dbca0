//! What came over a session channel and was not delivered yet; and what its end means.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use russh::{ChannelMsg, Sig};
use tokio::sync::Notify;

use super::error::{Problem, printable};
use super::kept::Frame;
use super::{Chunk, Exit, Stream};

/// Output that nobody has taken yet. More than this is dropped, the oldest first.
pub(super) const MOST_WAITING: usize = 8 * 1024 * 1024;

/// With more than this waiting, whoever takes the output gets a turn after every piece.
const MANY_WAITING: usize = 256 * 1024;

/// Pieces are joined up to this size, so that a slow reader gets few large ones.
pub(super) const LARGEST_PIECE: usize = 32 * 1024;

/// How much of the beginning of standard error is kept to recognise sudo's complaints.
const HEAD: usize = 2 * 1024;

/// What came over a channel and was not delivered yet.
#[derive(Default)]
pub(super) struct Spool {
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
    /// In a shell that stays: the look that it runs, or the last one that it ran.
    look: Option<Frame>,
}

pub(super) enum Verdict {
    Ended(Exit),
    Sudo(Problem),
    Lost,
}

/// What became of a look in a shell that stays.
pub(super) enum Told {
    Ended(Exit),
    /// The shell ended before.
    NotBegun,
    Lost,
}

impl Spool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, message: ChannelMsg) {
        let mut state = self.lock();
        match message {
            ChannelMsg::Data { data } => state.hear(Stream::Out, &data),
            ChannelMsg::ExtendedData { data, ext: 1 } => state.hear(Stream::Err, &data),
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

    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_waiters();
    }

    pub(super) fn piles_up(&self) -> bool {
        self.lock().waiting_bytes > MANY_WAITING
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().is_over()
    }

    /// What comes from now on is a look's, as far as `look` says so.
    pub(super) fn begin(&self, look: Frame) {
        let mut state = self.lock();
        state.waiting.clear();
        (state.waiting_bytes, state.missed, state.missed_since_last) = (0, 0, 0);
        state.look = Some(look);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.lock().look.as_ref().is_some_and(Frame::has_begun)
    }

    /// Its look is over, and nothing else came.
    pub(super) fn is_clean(&self) -> bool {
        let state = self.lock();
        !state.ended && state.look.as_ref().is_some_and(|look| look.is_over() && !look.has_strays())
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

    pub(super) async fn answer(&self) -> Result<(), Problem> {
        let look = |state: &State| match state.accepted {
            Some(true) => Some(Ok(())),
            Some(false) => Some(Err(Problem::CommandRefused)),
            None if state.ended => Some(Err(Problem::Lost("the server closed the channel".to_owned()))),
            None => None,
        };
        self.wait_for(look).await
    }

    /// Waits for output: false when there will be none.
    pub(super) fn has_more(&self) -> impl Future<Output = bool> {
        self.wait_for(|state| match (state.waiting.is_empty(), state.is_over()) {
            (false, _) => Some(true),
            (true, true) => Some(false),
            (true, false) => None,
        })
    }

    pub(super) fn take(&self) -> Option<Chunk> {
        let mut state = self.lock();
        let mut chunk = state.waiting.pop_front()?;
        state.waiting_bytes -= chunk.bytes.len();
        chunk.missed = std::mem::take(&mut state.missed_since_last);
        Some(chunk)
    }

    pub(super) fn verdict(&self, sudo: bool) -> Verdict {
        let state = self.lock();
        if !state.closed {
            return Verdict::Lost;
        }
        if let Some(problem) = state.complaint_of_sudo().filter(|_| sudo) {
            return Verdict::Sudo(problem);
        }
        Verdict::Ended(Exit { code: state.code, signal: state.signal.clone(), missed: state.missed })
    }

    /// The same of a look in a shell that stays. The code is the look's; a signal would have ended both.
    pub(super) fn told(&self) -> Told {
        let state = self.lock();
        let Some(look) = &state.look else { return Told::Lost };
        let exit = Exit { code: look.code(), signal: state.signal.clone(), missed: state.missed };
        match (look.code(), state.closed) {
            (Some(_), _) => Told::Ended(Exit { signal: None, ..exit }),
            (None, true) if look.has_begun() => Told::Ended(exit),
            (None, true) => Told::NotBegun,
            (None, false) => Told::Lost,
        }
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.ended || self.look.as_ref().is_some_and(Frame::is_over)
    }

    fn hear(&mut self, stream: Stream, data: &[u8]) {
        let of_look = self.look.as_mut().map(|look| look.hear(stream, data));
        self.push(stream, of_look.as_deref().unwrap_or(data));
    }

    fn push(&mut self, stream: Stream, data: &[u8]) {
        if data.is_empty() {
            return;
        }
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
