//! What routers agree on: numbers of autonomous systems, and addresses inside of tunnels and between peers.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::range::{Purpose, special_range};
use super::refusal::{Refusal, quoted};
use super::{Setting, Value, network};

const TUNNEL: &str = "docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpnTunnelOptionsSpecification.html";
const GATEWAY: &str = "docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpnGateway.html";
const CUSTOMER: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/cgw-options.html";
const PEERS: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/create-vif.html";

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsnUse {
    /// Of the customer's routers.
    Customer,
    /// Of a gateway on Amazon's side, which takes private numbers only.
    Amazon,
}

pub(super) const ASN_USES: [(&str, AsnUse); 2] = [("customer", AsnUse::Customer), ("amazon", AsnUse::Amazon)];

/// Private use (RFC 6996 section 5).
pub fn is_private_asn(asn: i64) -> bool {
    (64_512..=65_534).contains(&asn) || (4_200_000_000..=4_294_967_294).contains(&asn)
}

/// No address of the Internet: private (RFC 1918), or shared between a provider and its customers (RFC 6598), which some use inside.
pub(super) fn is_inside(address: Ipv4Addr) -> bool {
    let range = special_range(Ipv4Net::from(address));
    range.is_some_and(|range| matches!(range.purpose, Purpose::Private | Purpose::Shared))
}

/// Numbers that no router of a customer may have: first, last, why, source.
const NO_CUSTOMER: [(i64, i64, &str, &str); 6] = [
    (0, 0, "0 means that there is none", "RFC 7607 section 2"),
    (7224, 7224, "7224 is Amazon's own", CUSTOMER),
    (23_456, 23_456, "23456 stands for numbers that old routers cannot read", "RFC 6793 section 9"),
    (65_535, 65_535, "65535 is the last of the old numbers and reserved", "RFC 7300 section 2"),
    (65_552, 131_071, "65552 to 131071 are reserved by IANA", "IANA, Autonomous System Numbers"),
    (4_294_967_295, 4_294_967_295, "4294967295 is the last number and reserved", "RFC 7300 section 2"),
];

const DOCUMENTATION: [(i64, i64); 2] = [(64_496, 64_511), (65_536, 65_551)];

/// The number of an autonomous system, of 16 or 32 bits, also written `x.y` (RFC 5396 section 2), and with `AS` before it.
pub(super) fn asn(text: &str, whose: AsnUse, setting: &Setting) -> Result<Value, Refusal> {
    let bare = match text.get(..2) {
        Some(mark) if mark.eq_ignore_ascii_case("AS") => text[2..].trim_start(),
        _ => text,
    };
    let Some(asn) = asn_number(bare) else {
        let why = "it is a whole number up to 4294967294, or two up to 65535 with a dot between";
        return Err(Refusal::new(format!("{} is no AS number", quoted(text)), why, "RFC 5396 section 2"));
    };
    match whose {
        AsnUse::Amazon if is_private_asn(asn) => Ok(Value::Number(asn)),
        AsnUse::Amazon => {
            let why = "a gateway of Amazon has a private number: 64512 to 65534, or 4200000000 to 4294967294";
            Err(Refusal::new(format!("{asn} cannot be the number of Amazon's side"), why, GATEWAY).suggest("64512"))
        }
        AsnUse::Customer => customer_asn(asn, setting),
    }
}

fn asn_number(text: &str) -> Option<i64> {
    let digits = |text: &str| !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (high, low) = match text.split_once('.') {
        Some((high, low)) if digits(high) && digits(low) => (high.parse::<u16>().ok()?, low.parse::<u16>().ok()?),
        Some(_) => return None,
        None if digits(text) => return text.parse::<u32>().ok().map(i64::from),
        None => return None,
    };
    Some(i64::from(high) * 65_536 + i64::from(low))
}

/// "Customer gateway options" of the Site-to-Site VPN user guide, and IANA's registry of special AS numbers.
fn customer_asn(asn: i64, setting: &Setting) -> Result<Value, Refusal> {
    let refuse = |why: &str, source| {
        Err(Refusal::new(format!("{asn} cannot be the customer's AS number"), why, source).suggest("65010"))
    };
    let within = |first: i64, last: i64| (first..=last).contains(&asn);
    if let Some((_, _, why, source)) = NO_CUSTOMER.iter().find(|(first, last, ..)| within(*first, *last)) {
        return refuse(why, source);
    }
    if !setting.practice && DOCUMENTATION.iter().any(|(first, last)| within(*first, *last)) {
        return refuse("64496 to 64511 and 65536 to 65551 are for documentation", "RFC 5398 section 4");
    }
    Ok(Value::Number(asn))
}

/// Blocks at the ends of the range that AWS keeps (EC2, VpnTunnelOptionsSpecification, `TunnelInsideCidr`).
const KEPT_INSIDE: [[u8; 2]; 7] = [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [169, 252]];

/// The inside of a VPN tunnel: a /30 of 169.254.0.0/16 that AWS does not keep.
pub(super) fn tunnel_range(text: &str) -> Result<Value, Refusal> {
    let link_local = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16);
    let net = network::any_cidr(text).map_err(|refusal| Refusal { source: TUNNEL, ..refusal })?;
    let refuse = |why: String| Err(Refusal::new(format!("{net} cannot be inside of a tunnel"), why, TUNNEL));
    if net.prefix_len() != 30 {
        return refuse(format!("a tunnel has a /30, two addresses and no more; this is a /{}", net.prefix_len()));
    }
    if !link_local.contains(&net) {
        return refuse("it must be a part of 169.254.0.0/16".to_owned());
    }
    let [_, _, third, fourth] = net.network().octets();
    if KEPT_INSIDE.contains(&[third, fourth]) {
        return refuse("AWS keeps 169.254.0.0/30 to 169.254.5.0/30 and 169.254.169.252/30 for itself".to_owned());
    }
    Ok(Value::Cidr(net))
}

/// The address of one peer with the prefix that both share: `169.254.100.1/30`. /31 has two addresses and no other
/// (RFC 3021), in a /30 the first and the last are not for hosts.
pub(super) fn interface(text: &str, setting: &Setting) -> Result<Value, Refusal> {
    let refuse =
        |why: &str, source| Err(Refusal::new(format!("{} is no address of a peer", quoted(text)), why, source));
    let Some((address, prefix)) = text.split_once('/') else {
        return refuse("behind the address stand a slash and the prefix, 30 or 31", PEERS);
    };
    let (address, prefix) = (network::ipv4(address.trim())?, prefix.trim());
    let bits = match prefix {
        "30" => 30,
        "31" => 31,
        _ => return refuse("both peers stand in one range of two addresses: /30 or /31", PEERS),
    };
    let Ok(net) = Ipv4Net::new(address, bits) else { return refuse("the prefix is 30 or 31", PEERS) };
    if bits == 30 && (address == net.network() || address == net.broadcast()) {
        let first = Ipv4Addr::from(u32::from(net.network()) + 1);
        return refuse("the first and the last address of a /30 are not for hosts", "RFC 3021 section 1")
            .map_err(|refusal| refusal.suggest(format!("{first}/30")));
    }
    let metadata = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 169, 252), 30);
    if metadata.contains(&address) {
        return refuse("169.254.169.254 is where hosts in AWS ask about themselves", TUNNEL);
    }
    if !(address.is_private() || address.is_link_local()) {
        network::usable(net, setting)?;
        return refuse("peers of a private virtual interface have private addresses, or some of 169.254.0.0/16", PEERS);
    }
    Ok(Value::Text(format!("{address}/{bits}")))
}

/// Whose address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressUse {
    Any,
    /// One that a network of IPv4 alone reaches.
    Ipv4,
    /// One that AWS reaches over the Internet.
    Public,
}

pub(super) const ADDRESS_USES: [(&str, AddressUse); 3] =
    [("any", AddressUse::Any), ("ipv4", AddressUse::Ipv4), ("public", AddressUse::Public)];

/// An IPv4 address that the Internet routes: in none of the special ranges (RFC 6890), which AWS refuses for a customer
/// gateway. Behind NAT it is the address that the world sees.
pub(super) fn public_address(text: &str, setting: &Setting) -> Result<Value, Refusal> {
    let address = network::address(text, setting)?;
    let std::net::IpAddr::V4(four) = address else {
        return Err(Refusal::new(format!("{address} is IPv6"), "the tunnels of the platform run over IPv4", CUSTOMER));
    };
    match special_range(Ipv4Net::from(four)) {
        Some(special) if special.purpose == Purpose::Documentation && setting.practice => Ok(Value::Address(address)),
        Some(special) => {
            let why = format!(
                "{} is {}; behind NAT, give the fixed address that the Internet sees",
                special.net, special.name
            );
            Err(Refusal::new(format!("{address} does not route on the Internet"), why, special.source)
                .suggest("the fixed public address of the router"))
        }
        None => Ok(Value::Address(address)),
    }
}
