//! What would agree instead: ranges that nobody has yet, and addresses inside of those that are known.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Answers, lines, overlap};
use crate::input::Value;
use crate::input::value::{Row, cell};

/// Whose ranges a new one must not touch.
const KNOWN: [&str; 7] = [
    "net.vpc_cidr",
    "net.secondary_cidrs",
    "net.other_vpc_cidrs",
    "peer.provider_vpc_cidr",
    "net.onprem_cidrs",
    "vpn.static_prefixes",
    "vpn.advertised_prefixes",
];

/// A private range that shares no address with any that is known; empty where there is none.
pub(super) fn range(answers: &Answers<'_>, fits: impl Fn(Ipv4Net) -> bool) -> String {
    let mut known = answers.blocks(&KNOWN);
    known.extend(lines::peers(answers));
    let taken = |net: Ipv4Net| known.iter().any(|(_, other)| other.prefix_len() > 0 && overlap(net, *other));
    let ten = (40..=250).map(|second| ([10, second, 0, 0], 16));
    let twelve = (20..=31).map(|second| ([172, second, 0, 0], 16));
    let sixteen = (0..=15).map(|part| ([192, 168, part * 16, 0], 20));
    let ranges = ten.chain(twelve).chain(sixteen);
    let mut ranges = ranges.filter_map(|(octets, prefix)| Ipv4Net::new(Ipv4Addr::from(octets), prefix).ok());
    ranges.find(|net| fits(*net) && !taken(*net)).map(|net| net.to_string()).unwrap_or_default()
}

/// The inside of a tunnel that no tunnel has, nor any line.
pub(super) fn tunnel(answers: &Answers<'_>) -> String {
    let mut known = answers.blocks(&["vpn.t1_inside", "vpn.t2_inside"]);
    known.extend(lines::peers(answers));
    let ranges = (0..=252).step_by(4).filter_map(|last| Ipv4Net::new(Ipv4Addr::new(169, 254, 44, last), 30).ok());
    let mut free = ranges.filter(|net| !known.iter().any(|(_, other)| overlap(*net, *other)));
    free.next().map(|net| net.to_string()).unwrap_or_default()
}

/// The row with a range inside of the VPC that no other row has.
pub(super) fn subnet(vpc: Ipv4Net, row: &Row, rows: &[Row]) -> String {
    let of = |row: &Row| row.get("cidr").and_then(Value::cidr);
    let prefix = of(row).map_or(24, |net| net.prefix_len()).max(vpc.prefix_len());
    let taken = |net: Ipv4Net| rows.iter().filter_map(of).any(|other| overlap(net, other));
    let free = vpc.subnets(prefix).ok().and_then(|mut nets| nets.find(|net| !taken(*net)));
    free.map(|net| format!("{net} {} {}", cell(row, "tier"), cell(row, "zone"))).unwrap_or_default()
}

/// The address of a host in that range.
pub(super) fn inside(net: Ipv4Net) -> String {
    let host = net.hosts().nth(9).or_else(|| net.hosts().next());
    host.map(|host| host.to_string()).unwrap_or_default()
}
