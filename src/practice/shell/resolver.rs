//! Whom a host asks for names: what DHCP told it, in the files where resolv.conf(5) and systemd-resolved(8) have it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::super::cloud::{AMAZON, Lease};
use super::super::net::{Reach, Source};
use super::super::outside::{self, Reply};
use super::disk::Owner;
use super::machine::Machine;

const FILE: &str = "/etc/resolv.conf";
/// The servers behind systemd-resolved, which itself listens at `STUB`.
const BEHIND_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
const STUB: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));
const PORT: u16 = 53;
/// How long a program waits for a server.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a resolver is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolv {
    pub servers: Vec<IpAddr>,
    search: Vec<String>,
}

impl Resolv {
    fn read(text: &str) -> Self {
        let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let (mut servers, mut search) = (Vec::new(), Vec::new());
        for line in words {
            match line.as_slice() {
                ["nameserver", server, ..] => servers.extend(server.parse::<IpAddr>().ok()),
                ["search" | "domain", domains @ ..] => search = domains.iter().map(|one| (*one).to_owned()).collect(),
                _ => {}
            }
        }
        Resolv { servers, search }
    }

    /// The names that stand behind one that a program asks for (resolv.conf(5), ndots).
    fn candidates(&self, name: &str) -> Vec<String> {
        let longer = self.search.iter().map(|domain| format!("{name}.{domain}"));
        match name.contains('.') {
            true => std::iter::once(name.to_owned()).chain(longer).collect(),
            false => longer.collect(),
        }
    }
}

impl Machine {
    /// Follows what DHCP tells.
    pub fn take(&self, lease: &Lease) {
        let servers: String = lease.name_servers.iter().map(|server| format!("nameserver {server}\n")).collect();
        // systemd-networkd 252 reads one name, and writes the blank between two as its code.
        let domain = if self.image.has_resolved() { lease.domain.replace(' ', "032") } else { lease.domain.clone() };
        let search = if domain.is_empty() { String::new() } else { format!("search {domain}\n") };
        let put = |path: &str, servers: &str| self.disk.put(path, &format!("{servers}{search}"), 0o644, Owner::root());
        if self.image.has_resolved() {
            self.disk.dir("/run/systemd/resolve", 0o755, Owner::root());
            put(BEHIND_RESOLVED, &servers);
            put(FILE, &format!("nameserver {STUB}\noptions edns0 trust-ad\n"));
        } else {
            put(FILE, &servers);
        }
    }

    /// Whom it asks now.
    pub async fn resolv(&self) -> Resolv {
        let read = async |path: &str| Resolv::read(&self.disk.text(path).await.unwrap_or_default());
        let own = read(FILE).await;
        let own = if own.servers.contains(&STUB) { read(BEHIND_RESOLVED).await } else { own };
        if own.servers.is_empty() { Resolv { servers: vec![AMAZON.into()], ..own } } else { own }
    }
}

/// What a server answers a host; nothing when it is silent. Walls are asked as for TCP: rules for names are for both.
pub fn ask<'a>(
    reach: &'a Reach,
    machine: &'a Machine,
    server: IpAddr,
    name: &'a str,
    kind: &'a str,
) -> BoxFuture<'a, Option<Reply>> {
    Box::pin(async move {
        let from = Source::Host(machine.address()?);
        if server != IpAddr::V4(AMAZON) {
            let at = server.to_string();
            tokio::time::timeout(PATIENCE, reach.dial(machine, &at, PORT)).await.ok()?.ok()?;
        }
        Some(outside::look_up(reach.gate.as_ref(), &outside::question(from, server, name, kind)).await)
    })
}

/// The addresses of a name, as the host's own resolver finds them.
pub async fn addresses_of(reach: &Reach, machine: &Machine, name: &str) -> Vec<Ipv4Addr> {
    let resolv = machine.resolv().await;
    for name in resolv.candidates(name) {
        for server in &resolv.servers {
            // The first server that says anything decides.
            let Some(reply) = ask(reach, machine, *server, &name, "A").await else { continue };
            if !reply.addresses().is_empty() {
                return reply.addresses();
            }
            break;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_whom_to_ask_and_what_may_be_left_out_of_a_name() {
        let read = Resolv::read("# by DHCP\nnameserver 10.40.0.2\noptions edns0\nsearch mc.acme.example\n");
        assert_eq!(read.servers, ["10.40.0.2".parse::<IpAddr>().unwrap()]);
        assert_eq!(read.candidates("app-1"), ["app-1.mc.acme.example"]);
        assert_eq!(read.candidates("a.example"), ["a.example", "a.example.mc.acme.example"]);
    }
}
