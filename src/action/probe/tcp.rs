//! `probe/tcp`: which doors are open, from here or from a host. Connects, looks, and hangs up.

use std::fmt::Write;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::{Map, Value as Json, json};

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, Trouble, World, os};
use super::{Asks, Miss, NO_TOOL, Origin, Shut, at, no_way, shut, wrong};
use crate::ssh::Problem;

/// How long a host may try to connect to another one, in seconds.
const PATIENCE: u64 = 5;

/// `probe/tcp`
pub(in super::super) struct Tcp {
    targets: Vec<Target>,
    wanted: Wanted,
    /// A host whose door has to be open at the same time: where nothing is reached, that a door is closed says nothing.
    beside: Option<Target>,
}

enum Target {
    Host { name: String, port: Option<u16> },
    Address { address: String, port: u16 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Open,
    /// Refused or silent, it does not matter which.
    Closed,
    Refused,
    Silent,
    /// Whatever it is: the answer tells.
    Any,
}

impl Wanted {
    fn fits(self, door: &Door) -> bool {
        match (self, door) {
            (Wanted::Any, _) | (Wanted::Open, Door::Open(_)) => true,
            (Wanted::Closed, Door::Shut(_)) => true,
            (Wanted::Refused, Door::Shut(shut)) => *shut == Shut::Refused,
            (Wanted::Silent, Door::Shut(shut)) => *shut == Shut::Silent,
            _ => false,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Wanted::Open => "open",
            Wanted::Closed => "closed",
            Wanted::Refused => "refused",
            Wanted::Silent => "silent",
            Wanted::Any => "anything",
        }
    }
}

/// What a try to connect showed.
enum Door {
    Open(String),
    Shut(Shut),
}

impl Door {
    fn word(&self) -> &'static str {
        match self {
            Door::Open(_) => "open",
            Door::Shut(shut) => shut.word(),
        }
    }
}

/// An address or a name, and nothing that a shell could take for something else; or a placeholder.
pub(super) fn is_plain(address: &str) -> bool {
    !known(address) || address.chars().all(|c| c.is_ascii_alphanumeric() || ".:-_".contains(c))
}

/// `host:port`, `address:port` or `[address]:port`.
pub(super) fn place(text: &str) -> Option<(String, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    let bare = address.strip_prefix('[').and_then(|inside| inside.strip_suffix(']'));
    // Without brackets nobody can tell an IPv6 address from its port.
    let address = bare.or_else(|| (!address.contains(':')).then_some(address))?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    (!address.is_empty() && is_plain(address)).then(|| (address.to_owned(), port))
}

impl Tcp {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let wanted = match arguments.one_of("expect", &["open", "closed", "refused", "silent", "any"])? {
            "closed" => Wanted::Closed,
            "refused" => Wanted::Refused,
            "silent" => Wanted::Silent,
            "any" => Wanted::Any,
            _ => Wanted::Open,
        };
        let to = arguments.list("to")?;
        let one = (arguments.optional("host")?, arguments.optional("address")?, arguments.port("port")?);
        let targets = match one {
            (None, None, None) if !to.is_empty() => many(arguments, &to)?,
            (Some(name), None, port) if to.is_empty() => vec![Target::Host { name, port }],
            (None, Some(address), Some(port)) if to.is_empty() && is_plain(&address) => {
                vec![Target::Address { address, port }]
            }
            _ => {
                let what = "probe/tcp needs either `host`, or `address` and `port`, or `to`";
                return Err(Failure::new(what, "Correct the step in the runbook, or the input it is made of."));
            }
        };
        let beside = arguments.optional("beside")?.map(|name| Target::Host { name, port: None });
        Ok(Tcp { targets, wanted, beside })
    }

    async fn door(&self, world: &World, from: &Origin, target: &Target) -> Result<(String, Door), Miss> {
        let (address, port) = match target {
            Target::Address { address, port } => (address.clone(), *port),
            Target::Host { name, port } => {
                let route = world.route(name).await.map_err(|failure| Miss::Unknown(Trouble::Failure(failure)))?;
                let host =
                    route.hops.last().ok_or_else(|| Miss::unknown("there is no way to it", "Name its address."))?;
                (host.address.clone(), port.unwrap_or(host.port))
            }
        };
        Ok((at(&address, port), knock(world, from, &address, port).await?))
    }
}

fn many(arguments: &Arguments<'_>, to: &[String]) -> Result<Vec<Target>, Failure> {
    let target = |text: &String| match place(text) {
        Some((address, port)) => Ok(Target::Address { address, port }),
        None if !known(text) => Ok(Target::Address { address: text.clone(), port: 0 }),
        None => Err(wrong(arguments, "to", text, "no address:port")),
    };
    to.iter().map(target).collect()
}

#[async_trait]
impl Asks for Tcp {
    fn whom(&self) -> String {
        match self.targets.as_slice() {
            [Target::Address { address, port }] => at(address, *port),
            [Target::Host { name, .. }] => name.clone(),
            several => crate::text::count(several.len(), "port"),
        }
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let asked = join_all(self.targets.iter().map(|target| self.door(world, from, target))).await;
        let doors = asked.into_iter().collect::<Result<Vec<_>, Miss>>()?;
        let beside = match &self.beside {
            Some(target) => format!("; {}", self.open_beside(world, from, target).await?),
            None => String::new(),
        };
        for (place, door) in &doors {
            world.say(&format!("{place} from {from}: {}", door.word())).await;
        }
        let bad = doors.iter().filter(|(_, door)| !self.wanted.fits(door));
        let mut bad = bad.map(|(place, door)| said(place, door, from)).peekable();
        if bad.peek().is_none() {
            return Ok(self.as_wanted(&doors, from, &beside));
        }
        let all: Vec<String> = bad.collect();
        let said = all.join("; ");
        let open = doors.iter().any(|(_, door)| matches!(door, Door::Open(_)));
        if self.wanted != Wanted::Open && open {
            return Err(Miss::Wrong(Failure::new(
                format!("{said}, and should be {}", self.wanted.word()),
                "Look at the security groups and the host's own firewall, then check again.",
            )));
        }
        Err(Miss::NotSo(said))
    }
}

impl Tcp {
    /// What the door beside it showed, in words.
    async fn open_beside(&self, world: &World, from: &Origin, target: &Target) -> Result<String, Miss> {
        let (place, door) = self.door(world, from, target).await?;
        let words = said(&place, &door, from);
        match door {
            Door::Open(_) => Ok(words),
            Door::Shut(_) => Err(Miss::unknown(
                format!("{words}, and it should be open: whether the others are closed cannot be told from here now"),
                "See that this machine reaches its network, and the way in is open, then check again.",
            )),
        }
    }

    fn as_wanted(&self, doors: &[(String, Door)], from: &Origin, beside: &str) -> Found {
        let mut said = String::new();
        for (place, door) in doors {
            let between = if said.is_empty() { "" } else { "; " };
            // Writing to a string does not fail.
            let _ = write!(said, "{between}{}", self::said(place, door, from));
        }
        said += beside;
        let words: Map<String, Json> = doors.iter().map(|(place, door)| (place.clone(), json!(door.word()))).collect();
        let places: Vec<&str> = doors.iter().map(|(place, _)| place.as_str()).collect();
        let open = doors.iter().all(|(_, door)| matches!(door, Door::Open(_)));
        found(said, json!({ "from": from.to_string(), "to": places.join(", "), "open": open, "doors": words }))
    }
}

fn said(place: &str, door: &Door, from: &Origin) -> String {
    match door {
        Door::Open(how) => format!("{place} is open from {from}, {how}"),
        Door::Shut(Shut::Refused) => format!("{place} is closed from {from}: refused"),
        Door::Shut(Shut::Silent) => format!("{place} is closed from {from}: no answer, as behind a firewall"),
        Door::Shut(Shut::Other(why)) => format!("{place} is closed from {from}: {why}"),
    }
}

async fn knock(world: &World, from: &Origin, address: &str, port: u16) -> Result<Door, Miss> {
    let hops = from.hops(world).await?;
    match world.ssh.tcp(&hops, address, port).await {
        Ok(took) => Ok(Door::Open(crate::text::duration(took))),
        // A hardened host forwards nothing: that says nothing of the door. It can still try by itself.
        Err(error) if matches!(error.problem, Problem::ForwardingRefused { .. }) => {
            by_script(world, from, address, port).await
        }
        Err(error) => match shut(&error, &hops, address) {
            Some(shut) => Ok(Door::Shut(shut)),
            None => Err(Miss::Unknown(no_way(&error))),
        },
    }
}

async fn by_script(world: &World, from: &Origin, address: &str, port: u16) -> Result<Door, Miss> {
    let text = format!(
        "command -v bash >/dev/null && command -v timeout >/dev/null || exit {NO_TOOL}\n\
         LC_ALL=C timeout {PATIENCE} bash -c ': </dev/tcp/{address}/{port}'"
    );
    let host = from.host().unwrap_or_default();
    let seen = os::look(world, host, false, &text).await.map_err(Miss::Unknown)?;
    match seen.exit.code {
        Some(0) => Ok(Door::Open("by its own try".to_owned())),
        Some(1) => Ok(Door::Shut(as_bash_says(&seen.err))),
        Some(124) => Ok(Door::Shut(Shut::Silent)),
        _ => Err(Miss::unknown(
            "the host cannot try the connection: it forwards nothing, and has no bash or no timeout command",
            "Try it by hand on the host, and sign the step off.",
        )),
    }
}

/// bash ends alike where it is refused, where it finds no name and where there is no way; what it says tells them apart.
fn as_bash_says(words: &str) -> Shut {
    let first = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let lower = first.to_lowercase();
    match first.is_empty() || lower.contains("refused") {
        true => Shut::Refused,
        false if lower.contains("timed out") => Shut::Silent,
        false => Shut::Other(first.trim_start_matches("bash: ").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bash_says_tells_a_refusal_from_a_name_that_is_not_found() {
        let refused = "bash: connect: Connection refused\nbash: /dev/tcp/127.0.0.1/9: Connection refused\n";
        assert!(matches!(as_bash_says(refused), Shut::Refused) && matches!(as_bash_says(""), Shut::Refused));
        let nobody = "bash: nowhere: Name or service not known\nbash: /dev/tcp/nowhere/22: Invalid argument\n";
        assert!(matches!(as_bash_says(nobody), Shut::Other(why) if why == "nowhere: Name or service not known"));
        let late = "bash: connect: Connection timed out\n";
        assert!(matches!(as_bash_says(late), Shut::Silent));
    }

    #[test]
    fn a_place_is_an_address_and_a_port_and_nothing_for_a_shell() {
        assert_eq!(place("10.0.0.1:22"), Some(("10.0.0.1".to_owned(), 22)));
        assert_eq!(place("[fd00::1]:53"), Some(("fd00::1".to_owned(), 53)));
        assert_eq!(place("smtp.acme.example:587"), Some(("smtp.acme.example".to_owned(), 587)));
        for wrong in ["10.0.0.1", "10.0.0.1:0", "fd00::1:53", "a b:1", "$(id):1", ":22", "a:70000"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
