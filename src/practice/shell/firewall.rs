//! The host's own firewall: nft, ufw and firewalld each judge a new connection, and each can stop it.

pub mod firewalld;
pub mod nft;
mod nft_parse;
pub mod ufw;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A new TCP connection, as the input hook sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    pub from: IpAddr,
    pub to: IpAddr,
    pub port: u16,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    Accept,
    /// No answer: the caller waits until its own time limit.
    Drop,
    /// An answer that says no at once.
    Reject,
}

/// All the packet filters of one host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Firewall {
    pub nft: nft::Ruleset,
    pub ufw: ufw::Ufw,
    pub zones: firewalld::Firewalld,
}

impl Firewall {
    /// The first filter that does not accept decides.
    pub fn judge(&self, packet: Packet) -> Judgement {
        let judgements = [self.nft.judge(packet), self.ufw.judge(packet), self.zones.judge(packet)];
        judgements.into_iter().find(|judgement| *judgement != Judgement::Accept).unwrap_or(Judgement::Accept)
    }
}

/// An address or a range of addresses, as the commands take it.
pub fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A port by number or by the name in /etc/services that hosts are asked about.
pub fn service_port(name: &str) -> Option<u16> {
    let known = [("ssh", 22), ("domain", 53), ("http", 80), ("ntp", 123), ("https", 443), ("submission", 587)];
    name.parse().ok().or_else(|| known.iter().find(|(service, _)| *service == name).map(|(_, port)| *port))
}
