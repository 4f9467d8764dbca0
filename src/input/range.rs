//! The IPv4 ranges that are not ordinary, and what may be done with each.
//!
//! Source: the IANA IPv4 Special-Purpose Address Registry (RFC 6890), and the RFC named in each row.

use ipnet::Ipv4Net;

/// What a special range is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For networks that do not route to the Internet: what a VPC should use.
    Private,
    /// Between carriers and their customers (RFC 6598); works in a VPC, surprises elsewhere.
    Shared,
    /// For examples in documents; nobody has these addresses.
    Documentation,
    /// Has a meaning to routers; some networks use it against the book.
    Odd,
    /// Cannot be the address of a host in a network.
    Never,
}

/// A range with its purpose, its name in messages, and its source.
pub(super) struct Special {
    pub net: Ipv4Net,
    pub purpose: Purpose,
    pub name: &'static str,
    pub source: &'static str,
}

const fn special(octets: [u8; 4], prefix: u8, purpose: Purpose, name: &'static str, source: &'static str) -> Special {
    let [a, b, c, d] = octets;
    Special { net: Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, c, d), prefix), purpose, name, source }
}

const SPECIAL: [Special; 15] = [
    special([0, 0, 0, 0], 8, Purpose::Never, "\"this network\"", "RFC 1122 section 3.2.1.3"),
    special([10, 0, 0, 0], 8, Purpose::Private, "private", "RFC 1918"),
    special([100, 64, 0, 0], 10, Purpose::Shared, "shared address space of carriers", "RFC 6598"),
    special([127, 0, 0, 0], 8, Purpose::Never, "loopback", "RFC 1122 section 3.2.1.3"),
    special([169, 254, 0, 0], 16, Purpose::Never, "link-local", "RFC 3927"),
    special([172, 16, 0, 0], 12, Purpose::Private, "private", "RFC 1918"),
    special([192, 0, 0, 0], 24, Purpose::Odd, "reserved for protocols", "RFC 6890"),
    special([192, 0, 2, 0], 24, Purpose::Documentation, "for documentation", "RFC 5737"),
    special([192, 88, 99, 0], 24, Purpose::Odd, "the withdrawn 6to4 relay range", "RFC 7526"),
    special([192, 168, 0, 0], 16, Purpose::Private, "private", "RFC 1918"),
    special([198, 18, 0, 0], 15, Purpose::Odd, "for benchmarks", "RFC 2544"),
    special([198, 51, 100, 0], 24, Purpose::Documentation, "for documentation", "RFC 5737"),
    special([203, 0, 113, 0], 24, Purpose::Documentation, "for documentation", "RFC 5737"),
    special([224, 0, 0, 0], 4, Purpose::Never, "multicast", "RFC 5771"),
    special([240, 0, 0, 0], 4, Purpose::Never, "reserved", "RFC 1112 section 4"),
];

/// The special range that `net` touches; the first one where it touches several.
pub(super) fn special_range(net: Ipv4Net) -> Option<&'static Special> {
    SPECIAL.iter().find(|special| overlap(special.net, net))
}

/// The special range that holds all of `net`.
pub(super) fn special_range_around(net: Ipv4Net) -> Option<&'static Special> {
    SPECIAL.iter().find(|special| special.net.contains(&net))
}

/// Whether two ranges of IPv4 share an address; what is no range shares one only with itself.
pub fn share_addresses(one: &str, other: &str) -> bool {
    match (one.parse(), other.parse()) {
        (Ok(one), Ok(other)) => overlap(one, other),
        _ => one == other,
    }
}

/// Whether two ranges share an address. Two CIDR blocks do so only when one lies in the other.
pub(super) fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}
