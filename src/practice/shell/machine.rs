//! One virtual host: its disk, its services, its firewalls, and what listens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::chrony::Chronyd;
use super::clock::Clock;
use super::disk::{Disk, SavedDisk};
use super::firewall::{Firewall, Judgement, Packet};
use super::image::{self, Image};
use super::postfix::Postfix;
use super::processes::Processes;
use super::sshd_config::SshdConfig;
use super::systemd::{Timer, Unit};

/// A host that is up.
pub struct Machine {
    pub name: String,
    pub image: Image,
    pub disk: Arc<Disk>,
    pub clock: Arc<Clock>,
    /// Cancelled when the host is taken away: its connections end.
    pub power: CancellationToken,
    pub processes: Arc<Processes>,
    state: Mutex<State>,
    connections: Mutex<BTreeMap<u64, Connection>>,
}

/// The two ends of an open connection, this host's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    pub local: SocketAddr,
    pub peer: SocketAddr,
}

/// Keeps a connection in the list of `ss` while it is open.
pub struct OpenConnection {
    machine: Arc<Machine>,
    number: u64,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.machine.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// What of a host is neither a file nor fixed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The private one first.
    pub addresses: Vec<IpAddr>,
    pub units: BTreeMap<String, Unit>,
    pub timers: Vec<Timer>,
    pub firewall: Firewall,
    pub packages: BTreeSet<String>,
    pub selinux: Selinux,
    pub sshd: Sshd,
    /// chronyd as it runs now; nothing if it does not.
    #[serde(default)]
    pub chrony: Option<Chronyd>,
    #[serde(default)]
    pub postfix: Postfix,
    /// What `journalctl` shows: the unit or program, and its line.
    pub journal: Vec<(String, String)>,
    pub next_number: u64,
    /// It was restarted, and its services have not been started yet.
    #[serde(default)]
    pub coming_up: bool,
}

/// sshd as it runs now, whatever its files say by now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sshd {
    /// As read at the last start or reload; nothing if it does not run.
    pub running: Option<SshdConfig>,
    /// Bound by sshd itself.
    pub bound: Vec<SocketAddr>,
    /// Held by systemd for ssh.socket.
    pub held: Vec<SocketAddr>,
    /// The ListenStream lines of ssh.socket as systemd last read them.
    pub socket_streams: Vec<String>,
}

/// SELinux as far as sshd's port meets it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Selinux {
    pub enforcing: bool,
    /// Ports that `semanage port -a` labelled, with their type and protocol.
    pub local_ports: Vec<(u16, String, String)>,
}

/// A connection attempt, as the host answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    Connected,
    Refused,
    Unreachable,
    Silence,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SavedMachine {
    name: String,
    image: Image,
    disk: SavedDisk,
    state: State,
}

impl Machine {
    pub fn new(name: &str, image: Image, addresses: Vec<IpAddr>, disk: Disk, clock: Arc<Clock>) -> Self {
        let state = State {
            units: image::units(image),
            packages: image::packages(image),
            selinux: Selinux { enforcing: image.is_rhel(), local_ports: Vec::new() },
            next_number: 800,
            addresses,
            ..State::default()
        };
        Self {
            name: name.to_string(),
            image,
            disk: Arc::new(disk),
            clock,
            power: CancellationToken::new(),
            processes: Processes::new(),
            state: Mutex::new(state),
            connections: Mutex::default(),
        }
    }

    pub fn save(&self) -> SavedMachine {
        SavedMachine {
            name: self.name.clone(),
            image: self.image,
            disk: self.disk.save(),
            state: self.with(|state| state.clone()),
        }
    }

    /// A host as it was saved. The error says what of it cannot be read.
    pub fn load(saved: SavedMachine, clock: Arc<Clock>) -> Result<Self, String> {
        Ok(Self {
            name: saved.name,
            image: saved.image,
            disk: Arc::new(Disk::load(saved.disk)?),
            clock,
            power: CancellationToken::new(),
            processes: Processes::new(),
            state: Mutex::new(saved.state),
            connections: Mutex::default(),
        })
    }

    /// Looks at or changes the state. Nothing waits while it is held.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every address, private and public.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.with(|state| state.addresses.clone())
    }

    /// The address in the VPC: the first one.
    pub fn address(&self) -> Option<IpAddr> {
        self.with(|state| state.addresses.first().copied())
    }

    /// Notes a connection until what is returned is dropped.
    pub fn note_connection(self: &Arc<Self>, connection: Connection) -> OpenConnection {
        let number = self.with(|state| {
            state.next_number += 1;
            state.next_number
        });
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(number, connection);
        OpenConnection { machine: self.clone(), number }
    }

    pub fn connections(&self) -> Vec<Connection> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }

    pub fn hostname(&self) -> String {
        image::hostname(&self.name, &self.addresses())
    }

    /// What the host's filters and listeners say to a new connection. Packets from the host itself pass.
    pub fn answer(&self, packet: Packet) -> Answered {
        let own = self.addresses().contains(&packet.from) || packet.to.is_loopback();
        self.with(|state| match state.firewall.judge(packet) {
            Judgement::Drop if !own => Answered::Silence,
            Judgement::Reject if !own => Answered::Unreachable,
            _ if state.listens(packet) => Answered::Connected,
            _ => Answered::Refused,
        })
    }

    pub fn log(&self, unit: &str, line: impl Into<String>) {
        let line = line.into();
        self.with(|state| state.journal.push((unit.to_string(), line)));
    }

    pub fn uptime(&self) -> Duration {
        self.clock.now()
    }

    pub fn installed(&self, package: &str) -> bool {
        self.with(|state| state.packages.contains(package))
    }
}

impl State {
    /// Every socket of sshd or of systemd on its behalf, without doubles, IPv4 before IPv6.
    pub fn listeners(&self) -> Vec<SocketAddr> {
        let all: BTreeSet<SocketAddr> = self.sshd.bound.iter().chain(&self.sshd.held).copied().collect();
        all.into_iter().collect()
    }

    fn listens(&self, packet: Packet) -> bool {
        self.listeners().iter().any(|socket| {
            let same_family = socket.is_ipv4() == packet.to.is_ipv4();
            socket.port() == packet.port && same_family && (socket.ip().is_unspecified() || socket.ip() == packet.to)
        })
    }
}
