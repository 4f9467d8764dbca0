//! The network of practice: who may reach whom, and what answers there. Nothing leaves the process.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use async_trait::async_trait;
use tokio::io::DuplexStream;

use super::cloud::{Lease, Letter, Question, Said};
use super::keeper::Keeper;
use super::outside::{self, Caller, Outside};
use super::shell::firewall::Packet;
use super::shell::machine::{Answered, Connection, Machine};
use super::shell::resolver;
use super::shell::sshd;
use crate::ssh::dial::{Dial, Wire};

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Somebody on the Internet, with this public address.
    Internet(IpAddr),
    /// A virtual host, with its address in the VPC.
    Host(IpAddr),
}

impl Source {
    /// The engineer at the operator's office, in the operator's range of RFC 5737 addresses.
    pub const ENGINEER: Self = Self::Internet(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 18)));

    pub fn address(self) -> IpAddr {
        match self {
            Self::Internet(address) | Self::Host(address) => address,
        }
    }
}

/// What a packet filter between two hosts says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Open,
    /// Nothing comes back: security groups do not refuse, they are silent.
    Filtered,
}

/// The security groups of the cloud, asked for every new connection.
#[async_trait]
pub trait Gate: Send + Sync {
    /// May `from` open a TCP connection to `to` on `port`? `to` is the address that was dialled, public or private.
    async fn allows(&self, from: Source, to: IpAddr, port: u16) -> Verdict;

    /// As whom a host at a private address sees somebody outside whose network is joined with the host's; none where it is
    /// not, and nothing leads there.
    async fn joined(&self, _from: Source, _to: IpAddr) -> Option<IpAddr> {
        None
    }

    /// The largest packet on the way there, if an answer comes back. Without a cloud there is nobody outside.
    async fn answers(&self, _from: Source, _to: IpAddr, _service: Service) -> Option<u32> {
        None
    }

    /// What a name server says of the cloud's own names. Without a cloud there are none.
    async fn names(&self, _question: &Question) -> Said {
        Said::Outside
    }

    /// A mail server outside takes a message, or says why not. Without a cloud it throws it away.
    ///
    /// # Errors
    /// Its refusal, as SMTP has it.
    async fn post(&self, _server: &str, _letter: &Letter) -> Result<String, String> {
        Ok("250 2.0.0 Ok: queued as PRACTICE".to_owned())
    }

    /// What a mail server outside says to one line of the talk, where it does not do as practice's do.
    async fn mail_says(&self, _server: &str, _line: &str) -> Option<String> {
        None
    }

    /// The last message that came to an address.
    async fn mailbox(&self, _address: &str) -> Option<String> {
        None
    }

    /// What S3 says to a host that puts something at a path, or asks for names there: the status, and a text. None where that
    /// server is no S3 of the cloud's.
    async fn stored(&self, _from: Source, _server: &str, _path: &str, _puts: bool) -> Option<(u16, String)> {
        None
    }

    /// What DHCP tells a host now.
    async fn lease(&self, _host: Ipv4Addr) -> Option<Lease> {
        None
    }
}

/// What of the world outside the practice cloud can be asked by a host beside opening connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// NTP, by UDP port 123.
    Time,
    /// ICMP echo.
    Ping,
}

/// A gate that is never shut: for hosts without a cloud around them.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGate;

#[async_trait]
impl Gate for NoGate {
    async fn allows(&self, _: Source, _: IpAddr, _: u16) -> Verdict {
        Verdict::Open
    }
}

/// Every virtual host that is up, by name.
#[derive(Default)]
pub struct Network {
    machines: RwLock<BTreeMap<String, Arc<Machine>>>,
    dialled: AtomicU16,
    /// What answers where no host is.
    pub(super) outside: Arc<Outside>,
    /// Where the hosts are kept, if they are.
    pub(super) keeper: OnceLock<Arc<Keeper>>,
}

/// The bytes that a connection holds before its writer waits.
const BUFFER: usize = 64 * 1024;

impl Network {
    /// Puts a host on the network. The host that had the name before loses its connections.
    pub fn attach(&self, machine: Arc<Machine>) {
        let old = self.machines.write().unwrap_or_else(PoisonError::into_inner).insert(machine.name.clone(), machine);
        old.into_iter().for_each(|old| old.power.cancel());
    }

    /// Takes a host away, and its connections with it.
    pub fn detach(&self, name: &str) {
        let old = self.machines.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        old.into_iter().for_each(|old| old.power.cancel());
    }

    pub fn machine(&self, name: &str) -> Option<Arc<Machine>> {
        self.machines.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub fn machines(&self) -> Vec<Arc<Machine>> {
        self.machines.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The caller's port: from the range that Linux gives out (ip(7), ip_local_port_range).
    fn next_port(&self) -> u16 {
        32_768 + self.dialled.fetch_add(1, Ordering::Relaxed) % 28_232
    }

    fn at(&self, address: IpAddr) -> Option<Arc<Machine>> {
        self.machines().into_iter().find(|machine| machine.addresses().contains(&address))
    }

    /// An address as it stands, or the private address of the host with that name, or what the asker's name server says.
    async fn resolve(self: &Arc<Self>, from: Source, gate: &Arc<dyn Gate>, name: &str) -> io::Result<IpAddr> {
        let literal = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let named = || self.machine(name).and_then(|machine| machine.address());
        if let Some(address) = literal.or_else(named) {
            return Ok(address);
        }
        let found = match from {
            Source::Internet(_) => {
                let question = outside::question(from, outside::NAME_SERVER.into(), name, "A");
                outside::look_up(gate.as_ref(), &question).await.addresses()
            }
            Source::Host(address) => match self.at(address) {
                Some(machine) => {
                    let reach = Reach { network: self.clone(), gate: gate.clone() };
                    resolver::addresses_of(&reach, &machine, name).await
                }
                None => Vec::new(),
            },
        };
        let unknown = || {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("failed to lookup address information: {name}: name or service not known"),
            )
        };
        found.first().copied().map(IpAddr::V4).ok_or_else(unknown)
    }

    /// Connects as TCP would: refused where nothing listens, unreachable where a firewall says so, silent for ever
    /// where packets are dropped or where there is no host. The caller sets the time limit.
    pub async fn dial(
        self: &Arc<Self>,
        from: Source,
        gate: &Arc<dyn Gate>,
        name: &str,
        port: u16,
    ) -> io::Result<DuplexStream> {
        let to = self.resolve(from, gate, name).await?;
        let own = from == Source::Host(to) || to.is_loopback();
        let plainly = own || matches!(from, Source::Host(_)) || !is_private(to);
        let joined = if plainly { None } else { gate.joined(from, to).await };
        let routed = plainly || joined.is_some();
        let found = if to.is_loopback() { self.at(from.address()) } else { self.at(to) };
        let outside = found.is_none() && !to.is_loopback() && Outside::serves(port);
        // The Internet around the cloud has no security groups.
        let gated = !(own || outside && matches!(from, Source::Internet(_)));
        if !routed || (gated && gate.allows(from, to, port).await == Verdict::Filtered) {
            return std::future::pending().await;
        }
        if outside {
            let (near, far) = tokio::io::duplex(BUFFER);
            let caller = Caller { from, server: to, gate: gate.clone() };
            self.outside.serve(caller, name, port, far);
            return Ok(near);
        }
        let Some(machine) = found else { return std::future::pending().await };
        // Public addresses are translated on the way: the host only ever sees its private one.
        let seen = if to.is_loopback() { to } else { machine.address().unwrap_or(to) };
        let from = if to.is_loopback() { to } else { joined.unwrap_or(from.address()) };
        match machine.answer(Packet { from, to: seen, port }) {
            Answered::Silence => std::future::pending().await,
            Answered::Refused => Err(io::ErrorKind::ConnectionRefused.into()),
            Answered::Unreachable => Err(io::ErrorKind::HostUnreachable.into()),
            Answered::Connected => {
                let (near, far) = tokio::io::duplex(BUFFER);
                let reach = Reach { network: self.clone(), gate: gate.clone() };
                let from = SocketAddr::new(from, self.next_port());
                let ends = Connection { local: SocketAddr::new(seen, port), peer: from };
                tokio::spawn(sshd::serve(machine, ends, reach, far));
                Ok(near)
            }
        }
    }
}

/// RFC 1918 and RFC 4193: addresses that the Internet does not route.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// A network together with the gate that its connections pass.
#[derive(Clone)]
pub struct Reach {
    pub network: Arc<Network>,
    pub gate: Arc<dyn Gate>,
}

impl Reach {
    /// Connects from a virtual host.
    pub async fn dial(&self, from: &Machine, name: &str, port: u16) -> io::Result<DuplexStream> {
        let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let source = Source::Host(from.address().unwrap_or(unspecified));
        self.network.dial(source, &self.gate, name, port).await
    }
}

/// The seam of `ssh`, from one place in the virtual network.
pub struct Dialer {
    pub from: Source,
    pub reach: Reach,
}

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self, address: &str, port: u16) -> io::Result<Box<dyn Wire>> {
        let wire = self.reach.network.dial(self.from, &self.reach.gate, address, port).await?;
        Ok(Box::new(wire))
    }

    fn reads_as_it_comes(&self) -> bool {
        false
    }
}
