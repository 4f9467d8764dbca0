//! The hosts of practice: made, reached, taken away, put to sleep and woken again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cloud::Lease;
use super::keeper::Keeper;
use super::net::{Dialer, Gate, Network, Reach, Source};
use super::outside::FromHere;
use super::shell::clock::Clock;
use super::shell::image::{self, Login};
use super::shell::machine::{Machine, SavedMachine};
use super::shell::program::Answer;
use super::shell::{Job, Session, commands};
use crate::net::Net;
use crate::ssh::dial::Dial;

pub use super::shell::image::{Cis, Image};

/// What a host is made of.
#[derive(Debug, Clone)]
pub struct HostSpec {
    /// Unlike every other host's, such as the instance id.
    pub name: String,
    pub image: Image,
    /// By CIS, if it is one of theirs.
    pub hardened: Option<Cis>,
    /// The address in the VPC first, then public ones.
    pub addresses: Vec<IpAddr>,
    /// The image's own user, such as `ubuntu`.
    pub user: String,
    /// OpenSSH public key lines for that user.
    pub authorized_keys: Vec<String>,
}

/// What is known about a host from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostInfo {
    /// `SHA256:…`, as `ssh-keygen -l` prints them.
    pub host_key_fingerprints: Vec<String>,
    /// What GetConsoleOutput shows after the first boot.
    pub console_output: String,
}

/// Why hosts could not be made or woken.
#[derive(Debug, thiserror::Error)]
pub enum HostsError {
    #[error("the host keys could not be made: {0}")]
    Keys(#[from] russh::keys::Error),
    #[error("the saved hosts cannot be read: {0}")]
    Saved(String),
}

/// The hosts of one practice, and the network that joins them.
pub struct Hosts {
    network: Arc<Network>,
    clock: RwLock<Arc<Clock>>,
}

const SAVED_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    elapsed: Duration,
    machines: Vec<SavedMachine>,
    /// Of mail servers outside.
    #[serde(default)]
    logins: BTreeMap<String, String>,
}

impl Default for Hosts {
    fn default() -> Self {
        Self::new()
    }
}

impl Hosts {
    pub fn new() -> Self {
        Self { network: Arc::default(), clock: RwLock::new(Arc::new(Clock::showing(Duration::ZERO))) }
    }

    /// Makes a host and boots it. A host of the same name is taken away first.
    pub async fn add(&self, spec: HostSpec) -> Result<HostInfo, HostsError> {
        self.add_with(spec, None).await
    }

    /// The same, with an ed25519 host key that is made of a number, and the same each time.
    pub(super) async fn add_known(&self, spec: HostSpec, number: u8) -> Result<HostInfo, HostsError> {
        self.add_with(spec, Some(number)).await
    }

    async fn add_with(&self, spec: HostSpec, number: Option<u8>) -> Result<HostInfo, HostsError> {
        let hostname = image::hostname(&spec.name, &spec.addresses);
        let login = Login { user: &spec.user, authorized_keys: &spec.authorized_keys };
        let disk = image::lay_out(spec.image, spec.hardened, &hostname, &login)?;
        if let Some(number) = number {
            image::known_host_key(&disk, &hostname, number)?;
        }
        let machine = Arc::new(Machine::new(&spec.name, spec.image, spec.addresses, disk, self.clock()));
        if spec.hardened.is_some() {
            image::shut(&machine);
        }
        let programs: Vec<_> = commands::optional()
            .iter()
            .filter(|program| program.package.is_some_and(|package| machine.installed(package)))
            .chain(commands::always())
            .copied()
            .collect();
        image::link_programs(&machine.disk, &programs);
        let keys = image::read_host_keys(&machine.disk).await;
        let console = image::console(spec.image, &hostname, &spec.user, &keys);
        machine.disk.put(CONSOLE, &console, 0o600, super::shell::disk::Owner::root());
        machine.boot().await;
        self.network.attach(machine);
        Ok(HostInfo { host_key_fingerprints: image::fingerprints(&keys), console_output: console })
    }

    /// Takes a host away; its connections end. Nothing happens if there is none of that name.
    pub async fn remove(&self, name: &str) {
        self.network.detach(name);
    }

    /// Gives a host other addresses, the private one first: an elastic address comes and goes. Connections stay.
    pub async fn set_addresses(&self, name: &str, addresses: Vec<IpAddr>) {
        if let Some(machine) = self.network.machine(name) {
            machine.with(|state| state.addresses = addresses);
        }
    }

    /// The names of the hosts that are up.
    pub fn names(&self) -> Vec<String> {
        self.network.machines().iter().map(|machine| machine.name.clone()).collect()
    }

    /// What is known about a host from outside: its keys as they are now, its console as the first boot left it.
    pub async fn info(&self, name: &str) -> Option<HostInfo> {
        let machine = self.network.machine(name)?;
        let keys = image::read_host_keys(&machine.disk).await;
        let console_output = machine.disk.text(CONSOLE).await.unwrap_or_default();
        Some(HostInfo { host_key_fingerprints: image::fingerprints(&keys), console_output })
    }

    /// How a program of `ssh` reaches these hosts from `from`, past `gate`.
    pub fn dialer(&self, from: Source, gate: Arc<dyn Gate>) -> Arc<dyn Dial> {
        Arc::new(Dialer { from, reach: Reach { network: self.network.clone(), gate } })
    }

    /// What the engineer's machine sees of the network around the hosts, past `gate`.
    pub fn net(&self, gate: Arc<dyn Gate>) -> Arc<dyn Net> {
        Arc::new(FromHere { outside: self.network.outside.clone(), gate })
    }

    /// What DHCP tells a host, which it follows at once. Nothing happens if there is none of that name.
    pub fn tell(&self, name: &str, lease: &Lease) {
        if let Some(machine) = self.network.machine(name) {
            machine.take(lease);
        }
    }

    /// Runs a script on a host as root, as if at its console: for faults, and for tests. Nothing if there is no such
    /// host.
    pub async fn at_console(&self, name: &str, script: &str) -> Option<Answer> {
        let machine = self.network.machine(name)?;
        let job = Job { script: script.to_string(), ..Job::default() };
        Some(Session::root(machine).output(job).await)
    }

    /// Puts the hosts' clock forward, and runs what became due by it.
    pub async fn advance(&self, by: Duration) {
        self.clock().advance(by);
        for machine in self.network.machines() {
            machine.fire_due().await;
        }
    }

    /// From now on no program's end is told before the keeper has what it did.
    pub(super) fn keep_with(&self, keeper: Arc<Keeper>) {
        // A second keeper is never made: an account lives in one file.
        let _ = self.network.keeper.set(keeper);
    }

    /// Everything of every host that outlives a connection: keys, files, services, listening ports, timers, firewalls.
    pub async fn snapshot(&self) -> Vec<u8> {
        let machines = self.network.machines().iter().map(|machine| machine.save()).collect();
        let logins = self.network.outside.passwords.snapshot();
        let saved = Saved { version: SAVED_VERSION, elapsed: self.clock().now(), machines, logins };
        // Only maps with keys that are not text could fail, and there are none.
        serde_json::to_vec(&saved).unwrap_or_default()
    }

    /// Becomes what `snapshot` gave; hosts that are up now go away, unless it cannot be read. Time has stood still for
    /// the woken hosts, so timers have left what they had: whoever wants it otherwise calls `advance`.
    pub async fn restore(&self, saved: &[u8]) -> Result<(), HostsError> {
        let saved: Saved = serde_json::from_slice(saved).map_err(|error| HostsError::Saved(error.to_string()))?;
        if saved.version != SAVED_VERSION {
            return Err(HostsError::Saved(format!("version {} is not {SAVED_VERSION}", saved.version)));
        }
        self.network.outside.passwords.restore(saved.logins);
        let clock = Arc::new(Clock::showing(saved.elapsed));
        let woken = saved.machines.into_iter().map(|machine| Machine::load(machine, clock.clone()));
        let woken = woken.collect::<Result<Vec<_>, _>>().map_err(HostsError::Saved)?;
        self.names().iter().for_each(|name| self.network.detach(name));
        *self.clock.write().unwrap_or_else(PoisonError::into_inner) = clock;
        for machine in woken.into_iter().map(Arc::new) {
            let timers = machine.with(|state| state.timers.clone());
            timers.into_iter().for_each(|timer| machine.await_timer(timer));
            self.network.attach(machine.clone());
            machine.come_up().await;
        }
        Ok(())
    }

    fn clock(&self) -> Arc<Clock> {
        self.clock.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where a host keeps what its first boot printed; no user's files are there.
const CONSOLE: &str = "/var/lib/console.log";

#[cfg(test)]
#[path = "tests/lab.rs"]
mod lab;

#[cfg(test)]
#[path = "tests/hosts.rs"]
mod tests;

#[cfg(test)]
#[path = "tests/access.rs"]
mod access;

#[cfg(test)]
#[path = "tests/chrony.rs"]
mod chrony;

#[cfg(test)]
#[path = "tests/postfix.rs"]
mod postfix;

#[cfg(test)]
#[path = "tests/names.rs"]
mod names;

#[cfg(test)]
#[path = "tests/scripts.rs"]
mod scripts;
