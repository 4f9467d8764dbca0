//! Can it be reached, from here or from another host? Connects, looks, and hangs up.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::mpsc;

use super::arguments::{Arguments, known};
use super::check::Question;
use super::object::found;
use super::world::{Subject, trouble_of_ssh};
use super::{Trouble, Verified, World};
use crate::engagement::Failure;
use crate::ssh::{Hop, Problem, Route, Script, SshError, Stage};

/// How long a host may try to connect to another one.
const PATIENCE: u64 = 5;

/// `probe/tcp`
pub(super) struct Tcp {
    target: Target,
    /// The host that connects; none is this machine.
    from: Option<String>,
    wanted_open: bool,
}

enum Target {
    Host { name: String, port: Option<u16> },
    Address { address: String, port: u16 },
}

impl Tcp {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let port = arguments.port("port")?;
        let target = match (arguments.optional("host")?, arguments.optional("address")?, port) {
            (Some(name), None, port) => Target::Host { name, port },
            (None, Some(address), Some(port)) if is_plain(&address) => Target::Address { address, port },
            _ => {
                let what = "probe/tcp needs either `host`, or `address` and `port`";
                return Err(Failure::new(what, "Correct the step in the runbook, or the input it is made of."));
            }
        };
        let from = arguments.optional("from")?.filter(|from| from != "here");
        Ok(Tcp { target, from, wanted_open: arguments.one_of("expect", &["open", "closed"])? == "open" })
    }

    async fn place(&self, world: &World) -> Result<(String, u16), Failure> {
        Ok(match &self.target {
            Target::Address { address, port } => (address.clone(), *port),
            Target::Host { name, port } => {
                let route = world.route(name).await?;
                let host = route.hops.last().ok_or_else(no_way)?;
                (host.address.clone(), port.unwrap_or(host.port))
            }
        })
    }
}

fn no_way() -> Failure {
    Failure::new("there is no way to the host", "Name its address.")
}

/// An address or a name, and nothing that a shell could take for something else; or a placeholder.
fn is_plain(address: &str) -> bool {
    !known(address) || address.chars().all(|c| c.is_ascii_alphanumeric() || ".:-_".contains(c))
}

/// What a try to connect showed.
enum Door {
    Open(String),
    /// Refused, or no answer.
    Shut(String),
}

#[async_trait]
impl Question for Tcp {
    async fn ask(&self, world: &World) -> Verified {
        let (address, port) = match self.place(world).await {
            Ok(place) => place,
            Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
        };
        let from = self.from.as_deref().unwrap_or("here");
        let door = match &self.from {
            None => from_here(world, &address, port).await,
            Some(host) => from_host(world, host, &address, port).await,
        };
        let output =
            json!({ "from": from, "to": format!("{address}:{port}"), "open": matches!(door, Ok(Door::Open(_))) });
        match (door, self.wanted_open) {
            (Err(trouble), _) => Verified::Unknown(trouble),
            (Ok(Door::Open(said)), true) => {
                Verified::So(found(format!("{address}:{port} is open from {from}, {said}"), output))
            }
            (Ok(Door::Shut(said)), false) => {
                Verified::So(found(format!("{address}:{port} is closed from {from}: {said}"), output))
            }
            (Ok(Door::Shut(said)), true) => {
                Verified::NotYet { said: format!("{address}:{port} is closed from {from}: {said}") }
            }
            (Ok(Door::Open(_)), false) => Verified::NotSo(Failure::new(
                format!("{address}:{port} is open from {from}, and should be closed"),
                "Look at the security groups and the host's own firewall, then check again.",
            )),
        }
    }
}

async fn from_here(world: &World, address: &str, port: u16) -> Result<Door, Trouble> {
    match world.ssh.tcp(&[], address, port).await {
        Ok(took) => Ok(Door::Open(crate::text::duration(took))),
        Err(error) if error.stage == Stage::Connect => Ok(Door::Shut(error.problem.to_string())),
        Err(error) => Err(trouble_of_ssh(&error)),
    }
}

async fn from_host(world: &World, host: &str, address: &str, port: u16) -> Result<Door, Trouble> {
    let route = world.route(host).await.map_err(Trouble::Failure)?;
    match world.ssh.tcp(&route.hops, address, port).await {
        Ok(took) => Ok(Door::Open(crate::text::duration(took))),
        // A hardened host forwards nothing: that says nothing of the door. It can still try by itself.
        Err(SshError { problem: Problem::ForwardingRefused { .. }, .. }) => {
            by_script(world, &route, address, port).await
        }
        Err(error) if is_about(&error, &route.hops, address) => Ok(Door::Shut(error.problem.to_string())),
        Err(error) => Err(trouble_of_ssh(&error)),
    }
}

/// Is the failure one of the last connect, and not of the way to the host that tried?
fn is_about(error: &SshError, hops: &[Hop], address: &str) -> bool {
    error.stage == Stage::Connect && error.hop == address && hops.iter().all(|hop| hop.name != error.hop)
}

async fn by_script(world: &World, route: &Route, address: &str, port: u16) -> Result<Door, Trouble> {
    let text = format!(
        "command -v bash >/dev/null && command -v timeout >/dev/null || exit 90\n\
         timeout {PATIENCE} bash -c ': </dev/tcp/{address}/{port}' 2>/dev/null"
    );
    let limit = Duration::from_secs(3 * PATIENCE);
    let (sink, _nobody) = mpsc::channel(1);
    let script = Script { text, sudo: false, limit, stdin_after: None };
    let exit = world.ssh.run(route, &script, &sink, &world.cancel).await.map_err(|error| trouble_of_ssh(&error))?;
    match exit.code {
        Some(0) => Ok(Door::Open("by its own try".to_owned())),
        Some(1) => Ok(Door::Shut("refused".to_owned())),
        Some(124) => Ok(Door::Shut(format!("no answer within {PATIENCE} s"))),
        _ => Err(Trouble::Failure(Failure::new(
            "the host cannot try the connection: it forwards nothing, and has no bash or no timeout command",
            "Try it by hand on the host, and sign the step off.",
        ))),
    }
}

/// `probe/ssh-banner`
pub(super) struct Banner {
    host: String,
}

impl Banner {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Banner { host: arguments.text("host")? })
    }
}

#[async_trait]
impl Question for Banner {
    async fn ask(&self, world: &World) -> Verified {
        let route = match world.route(&self.host).await {
            Ok(route) => route,
            Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
        };
        let Some((host, via)) = route.hops.split_last() else {
            return Verified::Unknown(Trouble::Failure(no_way()));
        };
        match world.ssh.banner(via, &host.address, host.port).await {
            Ok(banner) => Verified::So(found(format!("{} says {banner}", self.host), json!({ "banner": banner }))),
            Err(error) if is_about(&error, via, &host.address) || matches!(error.problem, Problem::NotSsh(_)) => {
                Verified::NotYet { said: error.to_string() }
            }
            Err(error) if error.hop == host.address && error.stage == Stage::Banner => {
                Verified::NotYet { said: error.to_string() }
            }
            Err(error) => Verified::Unknown(trouble_of_ssh(&error)),
        }
    }
}
