//! Questions to services: is it open, does it answer as it should? They change nothing; `message` alone sends something.
//!
//! Every answer says in one line what was asked, of whom, from where, and what came back; details go to the step's
//! output. A service that refuses, is silent or answers something else is not so *yet*: whoever polls asks again. What
//! could not be asked is unknown: no way to the host that asks, a tool that is missing there.

pub(super) mod banner;
mod certificate;
pub(super) mod dkim;
pub(super) mod dns;
pub(super) mod http;
pub(super) mod mail_domains;
pub(super) mod message;
pub(super) mod ntp;
pub(super) mod path_mtu;
mod relay;
pub(super) mod smtp;
pub(super) mod ssh_way;
pub(super) mod tcp;
pub(super) mod tls;

use std::time::Duration;

use async_trait::async_trait;

use super::arguments::Arguments;
use super::check::Question;
use super::os;
use super::world::trouble_of_ssh;
use super::{Found, Trouble, Verified, World};
use crate::engagement::Failure;
use crate::ssh::dial::Wire;
use crate::ssh::{Hop, Problem, SshError, Stage};
use crate::text::{clean, duration, read_duration};

/// A probe ends after this, unless its step says otherwise.
const LIMIT: Duration = Duration::from_secs(30);
/// How a script says that a tool is not on its host.
const NO_TOOL: u32 = 90;

/// Why a service is not as it should be.
pub(super) enum Miss {
    /// It was asked, or tried to be: this is the matter with it.
    NotSo(String),
    /// It is plainly otherwise, with what to do about it.
    Wrong(Failure),
    /// The question could not be asked.
    Unknown(Trouble),
}

impl Miss {
    fn unknown(what: impl Into<String>, advice: impl Into<String>) -> Miss {
        Miss::Unknown(Trouble::Failure(Failure::new(what, advice)))
    }
}

/// What one kind of service is asked.
#[async_trait]
pub(super) trait Asks: Send + Sync {
    /// Who is asked, in a few words.
    fn whom(&self) -> String;

    /// Asks.
    ///
    /// # Errors
    /// It is not as it should be, or could not be asked.
    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss>;
}

/// A question to a service, with who asks it and how long that may take.
pub(super) struct Probing<Q> {
    question: Q,
    from: Origin,
    limit: Duration,
    /// All that it asks is known; an earlier step may have to tell it first.
    known: bool,
}

impl<Q: Asks> Probing<Q> {
    /// The question that `make` takes out of the arguments.
    pub(super) fn new<'a>(
        arguments: Arguments<'a>,
        make: impl FnOnce(&Arguments<'a>) -> Result<Q, Failure>,
    ) -> Result<Self, Failure> {
        let limit = match arguments.optional("limit")? {
            None => LIMIT,
            Some(said) => {
                read_duration(&said).ok_or_else(|| wrong(&arguments, "limit", &said, "no time: write 10s"))?
            }
        };
        let known = !arguments.given.values().any(|value| value.to_string().contains('\u{2039}'));
        Ok(Probing { question: make(&arguments)?, from: Origin::new(&arguments)?, limit, known })
    }
}

#[async_trait]
impl<Q: Asks> Question for Probing<Q> {
    async fn ask(&self, world: &World) -> Verified {
        if !self.known {
            return Verified::NotYet { said: "what it asks for is not known yet".to_owned() };
        }
        match tokio::time::timeout(self.limit, self.question.ask(world, &self.from)).await {
            Ok(Ok(found)) => Verified::So(found),
            Ok(Err(Miss::NotSo(said))) => Verified::NotYet { said },
            Ok(Err(Miss::Wrong(failure))) => Verified::NotSo(failure),
            Ok(Err(Miss::Unknown(trouble))) => Verified::Unknown(trouble),
            Err(_) => Verified::NotYet {
                said: format!("{}: no answer to {} within {}", self.question.whom(), self.from, duration(self.limit)),
            },
        }
    }
}

/// An argument that does not fit.
fn wrong(arguments: &Arguments<'_>, name: &str, given: &str, why: &str) -> Failure {
    let what = format!("the argument `{name}` of {} is \"{given}\", which is {why}", arguments.kind);
    Failure::new(what, "Correct the step in the runbook, or the input that the argument is made of.")
}

/// Who asks: this machine, or a host of the engagement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin(Option<String>);

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("here"))
    }
}

impl Origin {
    fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        Ok(Origin(arguments.optional("from")?.filter(|from| from != "here")))
    }

    /// The host that asks; none is this machine.
    fn host(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The hops of the host that asks; none for this machine.
    async fn hops(&self, world: &World) -> Result<Vec<Hop>, Miss> {
        match &self.0 {
            None => Ok(Vec::new()),
            Some(host) => match world.route(host).await {
                Ok(route) => Ok(route.hops),
                Err(failure) => Err(Miss::Unknown(Trouble::Failure(failure))),
            },
        }
    }

    /// Opens a stream to a service; through the connection to the host where one asks.
    async fn stream(&self, world: &World, address: &str, port: u16) -> Result<Box<dyn Wire>, Miss> {
        let hops = self.hops(world).await?;
        world.ssh.stream(&hops, address, port).await.map_err(|error| match shut(&error, &hops, address) {
            Some(shut) => Miss::NotSo(format!("{} from {self}", shut.of(&at(address, port)))),
            None => Miss::Unknown(no_way(&error)),
        })
    }

    /// Runs a script that only looks on the host that asks; its output, once it ended well.
    async fn script(&self, world: &World, sudo: bool, text: &str, tool: &str) -> Result<String, Miss> {
        let Some(host) = self.host() else {
            return Err(Miss::unknown("this probe runs on a host", "Name the host in the step: from."));
        };
        let seen = os::look(world, host, sudo, text).await.map_err(Miss::Unknown)?;
        match seen.exit.code {
            Some(0) => Ok(clean(&seen.out)),
            Some(NO_TOOL) => Err(Miss::unknown(
                format!("{host} has no {tool}"),
                "Install it there (`os: packages`), or let another host ask.",
            )),
            _ => {
                let last = seen.err.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                let what = format!("the script that asks from {host} did not end well: {last}");
                Err(Miss::unknown(what, "Put right what it says, and try again."))
            }
        }
    }
}

/// `address:port`, as people write it.
fn at(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// Why a door did not open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shut {
    /// Somebody there said no: nothing listens, or a firewall answers in its place.
    Refused,
    /// Nothing came back: a firewall swallows it, or there is no way back.
    Silent,
    Other(String),
}

impl Shut {
    fn word(&self) -> &'static str {
        match self {
            Shut::Refused => "refused",
            Shut::Silent => "silent",
            Shut::Other(_) => "unreachable",
        }
    }

    /// The door of this place, in a sentence.
    fn of(&self, place: &str) -> String {
        match self {
            Shut::Refused => format!("{place} refuses: nothing listens there, or a firewall says no;"),
            Shut::Silent => {
                format!("{place} is silent: a firewall drops it, or there is no way there or back;")
            }
            Shut::Other(why) => format!("{place} cannot be reached: {why};"),
        }
    }
}

/// What a failure says of the door behind the hops; nothing when it is one of the way to it.
fn shut(error: &SshError, hops: &[Hop], address: &str) -> Option<Shut> {
    let about = matches!(error.stage, Stage::Connect | Stage::Name)
        && error.hop == address
        && hops.iter().all(|hop| hop.name != error.hop);
    if !about {
        return None;
    }
    Some(match &error.problem {
        Problem::Timeout(_) => Shut::Silent,
        Problem::Io(why) | Problem::ConnectFailed { reason: why, .. } => {
            let lower = why.to_lowercase();
            if lower.contains("refused") {
                Shut::Refused
            } else if lower.contains("timed out") {
                Shut::Silent
            } else {
                Shut::Other(why.clone())
            }
        }
        other => Shut::Other(other.to_string()),
    })
}

/// Why nothing could be asked over the hops.
fn no_way(error: &SshError) -> Trouble {
    match &error.problem {
        Problem::ForwardingRefused { .. } => Trouble::Failure(Failure::new(
            format!(
                "{} forwards nothing and has no bash, so nothing can be asked from there: {}",
                error.hop, error.problem
            ),
            "Let another host ask, or this machine.",
        )),
        _ => trouble_of_ssh(error),
    }
}
