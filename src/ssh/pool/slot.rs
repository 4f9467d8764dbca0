//! The place of one connection: what is kept there, and what is known of logins that failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::keys::HashAlg;

use super::super::connect::Connection;
use super::super::error::{Problem, SshError, Stage};
use super::super::kept::Shells;
use super::super::{Extra, Hop, Identity};
use super::failed;

/// For how long a refused login is the answer to everybody: sshd counts failed logins, and punishes a whole address.
const FIRST_HOLD: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_secs(10 * 60);

/// Everything that makes two hops the same: another key or pin is another connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HopKey {
    pub(super) name: String,
    pub(super) address: String,
    port: u16,
    user: String,
    identity: String,
    pins: Vec<String>,
    extra: Extra,
}

/// The place of one connection. Its lock is held while connecting, so that others wait for the same connection.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) kept: tokio::sync::Mutex<Kept>,
    pub(super) shells: Arc<Shells>,
}

#[derive(Default)]
pub(super) struct Kept {
    /// More than one only to a bastion of many hosts.
    pub(super) connections: Vec<Arc<Connection>>,
    /// No further one could be had.
    pub(super) no_more: bool,
    /// Of logins with somebody there, and of those of which nobody knows: where a person could have answered, what the one
    /// came to says nothing of the other.
    attended: Failures,
    unattended: Failures,
}

/// What is known of connecting that failed.
#[derive(Default)]
struct Failures {
    /// The last one: it is also the answer to those who were waiting for that attempt.
    last: Option<(Instant, SshError)>,
    hold: Hold,
    /// How many logins in a row were refused.
    refused: u32,
}

/// For how long the last failure is the answer to everybody.
#[derive(Default)]
enum Hold {
    #[default]
    No,
    Until(Instant),
    /// Until somebody has logged in.
    UntilWelcome,
}

impl Kept {
    fn failures(&mut self, attended: bool) -> &mut Failures {
        if attended { &mut self.attended } else { &mut self.unattended }
    }

    /// The failure that answers whoever asked at that time.
    pub(super) fn answer(&mut self, asked: Instant, attended: bool) -> Option<SshError> {
        self.failures(attended).answer(asked).cloned()
    }

    /// Remembers a failure; what is to be said of it.
    pub(super) fn note(&mut self, failure: SshError, attended: bool) -> SshError {
        if !attended && is_for_a_person(&failure.problem) {
            let failure = SshError { problem: Problem::TakesPerson(Box::new(failure.problem)), ..failure };
            // Each try counts as failed over there, and may ring somebody's telephone.
            let last = Some((Instant::now(), failure.clone()));
            self.unattended = Failures { last, hold: Hold::UntilWelcome, refused: 0 };
            return failure;
        }
        self.failures(attended).note(&failure);
        failure
    }

    pub(super) fn welcome(&mut self, connection: &Arc<Connection>) {
        self.connections.push(Arc::clone(connection));
        (self.attended, self.unattended) = <_>::default();
        if connection.took_a_person {
            let asked = Problem::Unanswered("the last login took one".to_owned());
            self.note(failed(&connection.hop, Stage::Authentication, asked), false);
        }
    }

    /// Somebody is there, and may have put right what was refused.
    pub(super) fn try_again(&mut self) {
        (self.attended.hold, self.no_more) = (Hold::No, false);
    }
}

impl Failures {
    fn answer(&self, asked: Instant) -> Option<&SshError> {
        let (at, failure) = self.last.as_ref()?;
        let held = match self.hold {
            Hold::No => false,
            Hold::Until(until) => Instant::now() < until,
            Hold::UntilWelcome => true,
        };
        (held || *at >= asked).then_some(failure)
    }

    fn note(&mut self, failure: &SshError) {
        let now = Instant::now();
        self.last = Some((now, failure.clone()));
        self.hold = match failure.problem {
            Problem::Denied(_) | Problem::Penalty => {
                let hold = FIRST_HOLD.saturating_mul(1 << self.refused.min(10)).min(LONGEST_HOLD);
                self.refused += 1;
                Hold::Until(now + hold)
            }
            _ => Hold::No,
        };
    }
}

/// Might somebody have answered what the login asked?
fn is_for_a_person(problem: &Problem) -> bool {
    match problem {
        Problem::Unanswered(_) => true,
        Problem::Denied(denial) => denial.partial,
        _ => false,
    }
}

impl HopKey {
    pub(super) fn of(hop: &Hop) -> Self {
        let identity = match &hop.identity {
            Identity::Agent => "agent".to_owned(),
            Identity::File(path) => format!("file {}", path.display()),
            Identity::Usual { files, only } => format!("usual {only} {files:?}"),
            Identity::Key(key) => key.fingerprint(HashAlg::Sha256).to_string(),
        };
        Self {
            name: hop.name.clone(),
            address: hop.address.clone(),
            port: hop.port,
            user: hop.user.clone(),
            identity,
            pins: hop.pins.clone(),
            extra: hop.extra.clone(),
        }
    }
}
