//! The way to the account: made beside the loop, because it takes its time and a person may have to say a code for it,
//! and made anew when its session has ended. Steps that the end cut short wait for that, and go on by themselves.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Dispatcher, Going};
use crate::action::{Access, NotConnected};
use crate::engagement::{Address, Caller, Command, Failure, waiting_for_sign_in};
use crate::engine::handle::{Notice, Request};
use crate::engine::schedule::Run;

/// Looks for new credentials come at longer and longer intervals, and at this one in the end.
const SELDOM: Duration = Duration::from_secs(30);
/// Looks until then.
const OFTEN: u32 = 10;

/// What is under way, and what waits for it.
#[derive(Default)]
pub(super) struct SignIn {
    making: JoinSet<Result<(), NotConnected>>,
    /// What was asked for meanwhile.
    behind: Vec<Request>,
    /// Who are we, by the way that was made?
    asking: JoinSet<Result<Caller, Failure>>,
    /// Looks for new credentials that came to nothing, and those whose credentials steps were tried with again.
    looks: u32,
    next: Next,
    /// What was said last of the caller.
    told: Option<Result<Caller, String>>,
}

/// What came of a question.
pub(super) enum Known {
    Way(Result<(), NotConnected>),
    Caller(Result<Caller, Failure>),
}

/// When it is looked for new credentials.
#[derive(Default, Clone, Copy)]
enum Next {
    #[default]
    Unset,
    At(Instant),
    /// Not before a person asks for it: they would be asked for a code.
    Asked,
}

impl SignIn {
    fn is_under_way(&self) -> bool {
        !self.making.is_empty()
    }

    /// Waits for the next thing to be known; for ever when nobody was asked.
    pub async fn known(&mut self) -> Known {
        loop {
            let known = tokio::select! {
                Some(made) = self.making.join_next(), if !self.making.is_empty() => made.map(Known::Way),
                Some(caller) = self.asking.join_next(), if !self.asking.is_empty() => caller.map(Known::Caller),
                else => std::future::pending().await,
            };
            match known {
                Ok(known) => return known,
                Err(error) => tracing::error!(%error, "a sign-in ended unexpectedly"),
            }
        }
    }

    /// What waits is not begun any more.
    pub fn forget_behind(&mut self) {
        self.behind.clear();
    }
}

impl Dispatcher {
    /// The caller is told of, or the way to the account is made first.
    pub(super) fn begin_sign_in(&mut self) {
        match self.worlds.is_stale(&self.access()) {
            true => self.sign_in(),
            false => self.ask_identity(),
        }
    }

    fn access(&self) -> Access {
        Access::of(self.book.engagement())
    }

    fn sign_in(&mut self) {
        if self.signing.is_under_way() {
            return;
        }
        let (worlds, access) = (self.worlds.clone(), self.access());
        self.signing.making.spawn(async move { worlds.connect(&access).await });
    }

    fn ask_identity(&mut self) {
        let worlds = self.worlds.clone();
        self.signing.asking.spawn(async move { worlds.caller().await });
    }

    /// Whoever tries again may have signed in meanwhile, or given the region. What needs the account waits while the way
    /// to it is made.
    pub(super) async fn take_request(&mut self, request: Request) {
        use Request::{Adopt, Diagnose, KeepSecret, Plan, Rehearse, Run, SeekSecrets, Undo, UndoPlan, Verify};
        if matches!(request, Request::SignIn) {
            (self.signing.looks, self.signing.next) = (0, Next::Unset);
            return self.sign_in();
        }
        let tries_again = matches!(request, Run(_) | SeekSecrets(_) | Plan | Rehearse | Verify | Diagnose(_) | Undo(_));
        if tries_again {
            self.worlds.try_hosts_again().await;
            if self.worlds.is_stale(&self.access()) {
                self.sign_in();
            }
        }
        let needs_account = tries_again || matches!(request, UndoPlan(_) | Adopt { .. } | KeepSecret { .. });
        match needs_account && self.signing.is_under_way() {
            true => self.signing.behind.push(request),
            false => self.serve_request(request),
        }
    }

    pub(super) fn take_known(&mut self, known: Known) {
        match known {
            Known::Way(made) => {
                match made {
                    Ok(()) => self.ask_identity(),
                    Err(NotConnected { failure, by_itself }) => self.signed_out(failure, by_itself),
                }
                for request in std::mem::take(&mut self.signing.behind) {
                    self.serve_request(request);
                }
            }
            Known::Caller(Ok(caller)) => {
                // What goes on now may be refused again: AWS tells everybody who they are, and not every service takes it.
                self.signing.looks += 1;
                self.signing.next = Next::Unset;
                self.tell_caller(Ok(caller));
                self.go_on_signed_in();
            }
            Known::Caller(Err(failure)) => self.signed_out(failure, true),
        }
        self.go_on();
    }

    fn signed_out(&mut self, failure: Failure, by_itself: bool) {
        self.signing.looks += 1;
        self.signing.next = if by_itself { self.next_look() } else { Next::Asked };
        // There is one line for it: what AWS said in its own words stands with the step.
        self.tell_caller(Err(Failure { raw: String::new(), ..failure }.whole()));
    }

    fn next_look(&self) -> Next {
        let pause = if self.signing.looks > OFTEN { SELDOM } else { self.clock.pause(self.signing.looks) };
        Next::At(Instant::now() + pause)
    }

    fn tell_caller(&mut self, caller: Result<Caller, String>) {
        if self.signing.told.as_ref() != Some(&caller) {
            self.signing.told = Some(caller.clone());
            self.book.tell(&Notice::Identity(caller));
        }
    }

    /// What the end of a session cut short goes on.
    pub(super) fn go_on_signed_in(&mut self) {
        if let Going::Undo(undoing) = &mut self.going {
            return undoing.go_on();
        }
        let waiting: Vec<Address> = waiting_for_sign_in(self.book.engagement()).cloned().collect();
        for step in waiting {
            self.command(&Command::Reopen(step));
        }
    }

    /// Is the way to the account one that goes, as far as is known?
    pub(super) fn has_account(&self) -> bool {
        !self.signing.is_under_way() && !self.worlds.is_stale(&self.access())
    }

    pub(super) fn is_signing_in(&self) -> bool {
        self.signing.is_under_way()
    }

    /// Does the run wait for a sign-in? Then it is not over.
    pub(super) fn is_paused(&self) -> bool {
        match &self.going {
            Going::Run(run) => self.pauses(run),
            Going::Undo(undoing) => undoing.is_paused(),
            Going::Nothing | Going::Stopping => false,
        }
    }

    fn pauses(&self, run: &Run) -> bool {
        waiting_for_sign_in(self.book.engagement()).any(|step| run.starts(step))
    }

    /// Looks now and then for new credentials, where something waits for them; and keeps the clock of those that are in
    /// use, which the SDK makes anew by itself.
    pub(super) fn watch_session(&mut self) {
        if self.signing.is_under_way() || !self.signing.asking.is_empty() {
            return;
        }
        if let Some(Ok(caller)) = &self.signing.told
            && !self.worlds.is_refused()
        {
            let caller = self.worlds.as_of_now(caller.clone());
            self.tell_caller(Ok(caller));
        }
        let waits = waiting_for_sign_in(self.book.engagement()).next().is_some() || self.is_paused();
        if !waits && !self.worlds.is_refused() {
            self.signing.looks = if self.running.is_empty() { 0 } else { self.signing.looks };
            return;
        }
        match self.signing.next {
            Next::Unset => self.signing.next = self.next_look(),
            Next::At(due) if Instant::now() >= due => self.sign_in(),
            Next::At(_) | Next::Asked => {}
        }
    }
}
