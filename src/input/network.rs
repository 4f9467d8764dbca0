//! Addresses, hosts and ranges of addresses.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::given::{Item, every};
use super::kind::Bounds;
use super::range::{Purpose, special_range, special_range_around};
use super::refusal::{Refusal, quoted};
use super::{Setting, Value, name};

const CIDR: &str = "RFC 4632 section 3.1";
const VPC_SIZES: &str = "docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html";
const SECURITY_GROUPS: &str = "docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html";

/// A range as `address/prefix` or `address/mask`, the address being the first of the range.
pub(super) fn any_cidr(text: &str) -> Result<Ipv4Net, Refusal> {
    let refuse = |what: &str, why: &str| Refusal::new(format!("{} {what}", quoted(text)), why, CIDR);
    if text.contains(':') {
        return Err(refuse("is IPv6", "the platform's networks are IPv4"));
    }
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (ipv4(address.trim())?, prefix.trim()),
        None => {
            let address = ipv4(text)?;
            let why = "a range is an address, a slash and the number of fixed bits; one address alone is /32";
            return Err(refuse("has no prefix", why).suggest(format!("{address}/32")));
        }
    };
    let net = if prefix.contains('.') {
        Ipv4Net::with_netmask(address, ipv4(prefix)?).ok()
    } else {
        prefix.parse().ok().filter(|_| prefix.len() <= 2).and_then(|bits| Ipv4Net::new(address, bits).ok())
    };
    let net = net.ok_or_else(|| {
        refuse("has no valid prefix", "the prefix is a number from 0 to 32, or a mask such as 255.255.0.0")
    })?;
    if net.trunc() != net {
        let why = format!("with /{} the range begins at {}", net.prefix_len(), net.network());
        return Err(refuse("is not the first address of its range", &why).suggest(net.trunc().to_string()));
    }
    Ok(net)
}

/// Four numbers with dots between (RFC 6943 section 3.1.1).
pub(super) fn ipv4(text: &str) -> Result<Ipv4Addr, Refusal> {
    text.parse().map_err(|_| {
        let octets: Vec<&str> = text.split('.').collect();
        let leading_zero = octets.iter().any(|octet| octet.len() > 1 && octet.starts_with('0'));
        let too_large = octets.iter().any(|octet| octet.parse().is_ok_and(|number: u32| number > 255));
        let why = match octets.len() {
            4 if leading_zero && !too_large => {
                "a number with a leading zero is octal to some programs and decimal to others"
            }
            4 => "each of the four numbers is 0 to 255",
            _ => "an address is four numbers from 0 to 255 with dots between",
        };
        Refusal::new(format!("{} is not an IPv4 address", quoted(text)), why, "RFC 6943 section 3.1.1")
    })
}

fn sized(net: Ipv4Net, prefix: Bounds, whose: &str, source: &'static str) -> Result<(), Refusal> {
    let bits = i64::from(net.prefix_len());
    if prefix.hold(bits) {
        return Ok(());
    }
    let size = if bits < prefix.min { "too large" } else { "too small" };
    let why = format!(
        "{whose} from /{} ({}) to /{} ({})",
        prefix.min,
        addresses(prefix.min),
        prefix.max,
        addresses(prefix.max)
    );
    let fitting =
        u8::try_from(bits.clamp(prefix.min, prefix.max)).ok().and_then(|bits| Ipv4Net::new(net.addr(), bits).ok());
    let refusal = Refusal::new(format!("{net} is {size}"), why, source);
    Err(match fitting {
        Some(fitting) if net.prefix_len() > 0 => refusal.suggest(fitting.trunc().to_string()),
        _ => refusal,
    })
}

/// How many addresses a prefix leaves, in words.
fn addresses(prefix: i64) -> String {
    let count = 1_u64 << (32 - prefix.clamp(0, 32));
    let digits = count.to_string();
    let mut said = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    format!("{said} {}", if count == 1 { "address" } else { "addresses" })
}

/// Refuses what no network has: loopback, link-local, multicast; and outside of practice the ranges for documents.
pub(super) fn usable(net: Ipv4Net, setting: &Setting) -> Result<(), Refusal> {
    let never = special_range(net).filter(|special| special.purpose == Purpose::Never);
    let documents =
        special_range_around(net).filter(|special| special.purpose == Purpose::Documentation && !setting.practice);
    match never.or(documents) {
        Some(special) => {
            let why = format!("{} is {}: no host of a real network has such an address", special.net, special.name);
            Err(Refusal::new(format!("{net} cannot be used"), why, special.source))
        }
        None => Ok(()),
    }
}

/// Refuses, outside of practice, a text with an address in it that is kept for documents (RFC 5737): a copied example.
pub(super) fn no_example_address(text: &str, setting: &Setting) -> Result<(), Refusal> {
    if setting.practice {
        return Ok(());
    }
    let words = text.split(|c: char| !(c.is_ascii_digit() || ".".contains(c)));
    let documents = words.filter_map(|word| word.parse::<Ipv4Addr>().ok()).find_map(|address| {
        let range = special_range(Ipv4Net::from(address)).filter(|range| range.purpose == Purpose::Documentation)?;
        Some((address, range))
    });
    match documents {
        Some((address, range)) => {
            let why = format!("{} is {}: no host of a real network has such an address", range.net, range.name);
            Err(Refusal::new(format!("{address} cannot be used"), why, range.source))
        }
        None => Ok(()),
    }
}

/// The range of the VPC: /16 to /28, which is what CreateVpc takes, and no range that cannot be routed inside one.
pub(super) fn vpc_cidr(text: &str, setting: &Setting) -> Result<Value, Refusal> {
    let net = any_cidr(text)?;
    sized(net, Bounds { min: 16, max: 28 }, "AWS accepts a VPC", VPC_SIZES)?;
    usable(net, setting)?;
    Ok(Value::Cidr(net))
}

/// Any range whose prefix is within its bounds. The one that covers everything is allowed only where 0 is.
pub(super) fn cidr(text: &str, prefix: Bounds, setting: &Setting) -> Result<Ipv4Net, Refusal> {
    let net = any_cidr(text)?;
    if net.prefix_len() == 0 && prefix.min > 0 {
        return Err(Refusal::new(format!("{net} is every address there is"), "name the ranges that are meant", CIDR));
    }
    if net.prefix_len() == 0 {
        return Ok(net);
    }
    sized(net, prefix, "the range may be", CIDR)?;
    usable(net, setting)?;
    Ok(net)
}

/// What a list of ranges is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangesUse {
    /// Each address is in one of them at most.
    Apart,
    /// What a router announces: a range, and perhaps a part of it that goes another way.
    Routes,
}

pub(super) const RANGES_USES: [(&str, RangesUse); 2] = [("apart", RangesUse::Apart), ("routes", RangesUse::Routes)];

/// Ranges of which none lies in another; or routes, where the narrower one counts, and none is there twice.
pub(super) fn cidr_list(
    items: &[Item],
    (count, prefix): (Bounds, Bounds),
    used_as: RangesUse,
    setting: &Setting,
) -> Result<Value, Refusal> {
    let nets = placed(items, |text| cidr(text, prefix, setting))?;
    count.check(nets.len(), "range")?;
    match used_as {
        RangesUse::Apart => disjoint(&nets)?,
        RangesUse::Routes => each_once(&nets)?,
    }
    Ok(Value::List(nets.into_iter().map(|(_, net)| Value::Cidr(net)).collect()))
}

/// Where the operators come from: public addresses, /24 or smaller, so that the bastion is not open to half the world.
pub(super) fn provider_cidrs(items: &[Item], count: Bounds, setting: &Setting) -> Result<Value, Refusal> {
    let nets = placed(items, |text| provider_cidr(text, setting))?;
    // Each range is one rule of the bastion's security group, which holds 60; the rest is for other rules.
    count.check(nets.len(), "range").map_err(|refusal| Refusal { source: SECURITY_GROUPS, ..refusal })?;
    disjoint(&nets)?;
    Ok(Value::List(nets.into_iter().map(|(_, net)| Value::Cidr(net)).collect()))
}

/// A range of the Internet (RFC 6890), no wider than a provider's own.
fn provider_cidr(text: &str, setting: &Setting) -> Result<Ipv4Net, Refusal> {
    let net = any_cidr(text)?;
    if net.prefix_len() == 0 {
        let why = "it would open the bastion to the whole Internet; name the addresses that operators come from";
        return Err(Refusal::new(
            format!("{net} is every address there is"),
            why,
            "the implementation guide, remote access",
        ));
    }
    sized(net, Bounds { min: 24, max: 32 }, "a range of operators is", "the implementation guide, remote access")?;
    match special_range(net) {
        Some(special) if special.purpose == Purpose::Documentation && setting.practice => Ok(net),
        Some(special) => {
            let why = format!(
                "{} is {}; AWS sees the public address behind which the operators are",
                special.net, special.name
            );
            Err(Refusal::new(format!("{net} does not route on the Internet"), why, special.source)
                .suggest("the address that https://checkip.amazonaws.com shows, with /32"))
        }
        None => Ok(net),
    }
}

fn placed<T>(items: &[Item], rule: impl Fn(&str) -> Result<T, Refusal>) -> Result<Vec<(String, T)>, Refusal> {
    every(items, |item| rule(&item.text).map(|good| (item.place.clone(), good)))
}

/// A router may announce a range and a part of it; the way for everything stands alone.
fn each_once(nets: &[(String, Ipv4Net)]) -> Result<(), Refusal> {
    for (index, (place, net)) in nets.iter().enumerate() {
        if let Some((other, _)) = nets[..index].iter().find(|(_, earlier)| earlier == net) {
            let what = format!("{place}: {net} is there twice, also in {other}");
            return Err(Refusal::new(what, "delete one of the two", CIDR));
        }
        if net.prefix_len() == 0 && nets.len() > 1 {
            let what = format!("{place}: {net} is everything, and does not stand alone");
            return Err(Refusal::new(what, "delete it, or all the others", CIDR));
        }
    }
    Ok(())
}

/// Refuses a list in which a range lies inside another, and names both.
pub(super) fn disjoint(nets: &[(String, Ipv4Net)]) -> Result<(), Refusal> {
    let mut sorted: Vec<(usize, &(String, Ipv4Net))> = nets.iter().enumerate().collect();
    sorted.sort_by_key(|(index, (_, net))| (net.network(), net.prefix_len(), *index));
    // In this order a range comes right after the widest one that holds it.
    let mut wide = None;
    for (_, (place, net)) in sorted {
        match wide {
            Some((around_place, around)) if Ipv4Net::contains(&around, net) => {
                let what = if around == *net {
                    format!("{place}: {net} is there twice, also in {around_place}")
                } else {
                    format!("{place}: {net} lies inside {around_place} ({around})")
                };
                let why = "an address may be in one range only: delete one of the two, or split the other";
                return Err(Refusal::new(what, why, CIDR));
            }
            _ => wide = Some((place, *net)),
        }
    }
    Ok(())
}

/// The address of one host.
pub(super) fn address(text: &str, setting: &Setting) -> Result<IpAddr, Refusal> {
    if text.contains('/') {
        let what = format!("{} is a range", quoted(text));
        return Err(Refusal::new(what, "one address is wanted, without a prefix", "RFC 4632 section 3.1"));
    }
    let address = if text.contains(':') {
        let why = "an IPv6 address is up to eight groups of hexadecimal digits with colons between";
        text.parse()
            .map_err(|_| Refusal::new(format!("{} is not an address", quoted(text)), why, "RFC 4291 section 2.2"))?
    } else {
        IpAddr::V4(ipv4(text)?)
    };
    let IpAddr::V6(six) = address else {
        let IpAddr::V4(four) = address else { return Ok(address) };
        return usable_address(four, setting).map(|()| address);
    };
    let documents = six.segments()[..2] == [0x2001, 0x0db8];
    if six.is_unspecified() || six.is_multicast() || six.is_loopback() || (documents && !setting.practice) {
        let why = "it is one of the ranges that no single host of a real network has";
        return Err(Refusal::new(format!("{six} cannot be used"), why, "RFC 4291 section 2, RFC 3849"));
    }
    Ok(address)
}

fn usable_address(address: Ipv4Addr, setting: &Setting) -> Result<(), Refusal> {
    usable(Ipv4Net::from(address), setting)
        .map_err(|refusal| Refusal { what: format!("{address} cannot be used"), ..refusal })
}

/// Who reaches a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostUse {
    Any,
    /// What stands in a network of IPv4 alone.
    Ipv4,
}

pub(super) const HOST_USES: [(&str, HostUse); 2] = [("any", HostUse::Any), ("ipv4", HostUse::Ipv4)];

/// The platform's VPC has addresses of IPv4 only: nothing in it reaches one of IPv6.
pub(super) fn not_ipv6(host: &str) -> Result<(), Refusal> {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(six)) => {
            let why = "the platform's networks are IPv4, and nothing in them reaches it: give the IPv4 address";
            Err(Refusal::new(
                format!("{six} is IPv6"),
                why,
                "docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html",
            ))
        }
        _ => Ok(()),
    }
}

/// Something that SSH can dial: an address or a full name, in lower case. Loopback is allowed: it may be a forwarded port.
pub(super) fn host(text: &str, setting: &Setting) -> Result<String, Refusal> {
    let refuse =
        |why: &str| Err(Refusal::new(format!("{} is more than a host", quoted(text)), why, "RFC 1123 section 2.1"));
    if text.contains("://") {
        return refuse("give the name or address alone, without a scheme and a path");
    }
    if text.contains('@') {
        return refuse("the user has a field of its own");
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return Ok(bare.to_owned());
    }
    if bare.split_once(':').is_some_and(|(name, port)| !name.is_empty() && !port.contains(':')) {
        return refuse("the port has a field of its own");
    }
    let looks_like_address =
        bare.contains([':', '/']) || bare.rsplit('.').next().is_some_and(|last| last.parse::<u64>().is_ok());
    if looks_like_address { address(bare, setting).map(|address| address.to_string()) } else { name::domain(bare) }
}
