//! Who reaches whom: security groups, addresses, gateways and routes, as the VPC would decide.

use std::net::{IpAddr, Ipv4Addr};

use super::kind::Kind;
use super::naming::own_server;
use super::resolver::Endpoint;
use super::vpn_connections::ANNOUNCED;
use super::world::{Instance, Peer, Rule, World};
use super::{endpoints, peering, routes};

/// Where a connection starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Somewhere on the Internet, with this public address.
    Internet(IpAddr),
    /// An instance, by its private address.
    Instance(IpAddr),
}

/// What happens to the first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It arrives at the instance; whether anything listens there is the host's affair.
    Open,
    /// Nothing comes back, ever: a closed security group, no route, no such machine.
    Filtered,
}

/// Would a TCP connection from `from` arrive at `port` of `to`?
pub(super) fn reach(world: &World, from: Source, to: IpAddr, port: u16) -> Reach {
    let IpAddr::V4(to) = to else { return Reach::Filtered };
    let open = match from {
        Source::Internet(IpAddr::V4(_)) if to.is_private() => peering::lets_in(world, to, port),
        Source::Internet(IpAddr::V4(from)) => from_internet(world, from, to, port),
        Source::Instance(IpAddr::V4(from)) => from_instance(world, from, to, port),
        _ => false,
    };
    if open { Reach::Open } else { Reach::Filtered }
}

/// The largest packets inside a VPC, on the Internet, and in a tunnel with AES-GCM ("Best practices for your customer
/// gateway device").
const IN_VPC: u32 = 9_001;
const ON_THE_INTERNET: u32 = 1_500;
const IN_A_TUNNEL: u32 = 1_446;

/// Does anybody answer an instance there, and how large may a packet be on the way? On the Internet everybody answers, in the
/// data centre everybody behind a tunnel that is up; in the VPC, whoever lets pings in.
pub(super) fn answers(world: &World, from: Ipv4Addr, to: Ipv4Addr, door: (&str, i64)) -> Option<u32> {
    let (id, source) = running(world).find(|(_, instance)| instance.private_ip == from)?;
    let inside = running(world).find(|(_, i)| i.private_ip == to && i.vpc == source.vpc);
    let groups = inside.map(|(_, target)| target.groups.as_slice()).unwrap_or_default();
    if is_own_name_server(world, source, to) {
        return (door == ("udp", NAMES)).then_some(IN_VPC);
    }
    if let Some(endpoint) = name_endpoint(world, source, to) {
        let open = admits_by(world, &source.groups, true, door, |peer| meets(peer, to, &endpoint.groups))
            && admits_by(world, &endpoint.groups, false, door, |peer| meets(peer, from, &source.groups));
        return open.then_some(IN_VPC);
    }
    if !admits_to(world, source, true, door, |peer| meets(peer, to, groups)) {
        return None;
    }
    if let Some((_, target)) = inside {
        let let_in = admits_to(world, target, false, door, |peer| meets(peer, from, &source.groups));
        return (door.0 == "icmp" && let_in).then_some(IN_VPC);
    }
    let (answers, largest) = match way_out(world, &source.subnet, to)? {
        Kind::InternetGateway => (world.public_ip(id, source).is_some() && !to.is_private(), ON_THE_INTERNET),
        Kind::NatGateway => (!to.is_private(), ON_THE_INTERNET),
        // A line comes before a tunnel ("Route priority" of the VPN user guide, and "Route evaluation order" of that of
        // transit gateways).
        Kind::VpnGateway | Kind::TransitGateway => {
            let gateway = target(world, &source.subnet, to)?;
            if world.firewall_closed || !finds_back(world, &gateway, &source.vpc, from) {
                return None;
            }
            match world.line_behind(&gateway).filter(|_| ANNOUNCED.contains(&to)) {
                Some(largest) => (true, largest),
                None => (world.is_behind(&gateway, to), IN_A_TUNNEL),
            }
        }
        _ => (false, 0),
    };
    answers.then_some(largest)
}

/// Where DNS is answered.
const NAMES: i64 = 53;

/// Amazon's own in the VPC, which no security group is in the way of.
fn is_own_name_server(world: &World, asker: &Instance, to: Ipv4Addr) -> bool {
    world.vpcs.get(&asker.vpc).is_some_and(|vpc| own_server(vpc.cidr.network()) == to)
}

fn name_endpoint<'w>(world: &'w World, asker: &Instance, to: Ipv4Addr) -> Option<&'w Endpoint> {
    world.resolver.asked_at(world, to).filter(|endpoint| endpoint.vpc == asker.vpc)
}

/// Do these groups let names be asked of, or by, an address?
pub(super) fn admits_names(world: &World, groups: &[String], egress: bool, other: Ipv4Addr) -> bool {
    admits_by(world, groups, egress, ("udp", NAMES), |peer| meets(peer, other, &[]))
}

/// Does a way lead from the subnet to that address in the data centre, and carry?
pub(super) fn carries(world: &World, subnet: &str, to: Ipv4Addr) -> bool {
    let asker = world.subnets.get(subnet).map(|subnet| (&*subnet.vpc, subnet.cidr.network()));
    let (Some(gateway), Some((vpc, from))) = (target(world, subnet, to), asker) else { return false };
    leads_there(world, &gateway, to) && finds_back(world, &gateway, vpc, from)
}

/// Does what comes through the gateway find an address of the VPC? One of the VPC's own always does.
fn finds_back(world: &World, gateway: &str, vpc: &str, to: Ipv4Addr) -> bool {
    Kind::of(gateway) != Some(Kind::TransitGateway) || world.comes_back(gateway, vpc, to)
}

/// Is the gateway one behind which that address in the data centre is, over a line or a tunnel?
fn leads_there(world: &World, gateway: &str, to: Ipv4Addr) -> bool {
    !world.firewall_closed
        && matches!(Kind::of(gateway), Some(Kind::VpnGateway | Kind::TransitGateway))
        && (world.is_behind(gateway, to) || (ANNOUNCED.contains(&to) && world.line_behind(gateway).is_some()))
}

pub(super) fn running(world: &World) -> impl Iterator<Item = (&String, &Instance)> {
    world.instances.iter().filter(|(_, instance)| world.instance_state(instance) == "running")
}

/// From outside only a public address is reached, and only when the answer finds its way back out.
fn from_internet(world: &World, from: Ipv4Addr, to: Ipv4Addr, port: u16) -> bool {
    let target = running(world).find(|(id, instance)| world.public_ip(id, instance) == Some(to));
    target.is_some_and(|(_, instance)| {
        way_out(world, &instance.subnet, from) == Some(Kind::InternetGateway)
            && admits(world, instance, false, port, |peer| matches!(peer, Peer::V4(net) if net.contains(&from)))
    })
}

fn from_instance(world: &World, from: Ipv4Addr, to: Ipv4Addr, port: u16) -> bool {
    let Some((id, source)) = running(world).find(|(_, instance)| instance.private_ip == from) else {
        return from_data_centre(world, from, to, port);
    };
    if is_own_name_server(world, source, to) {
        return i64::from(port) == NAMES;
    }
    if let Some(endpoint) = name_endpoint(world, source, to) {
        let door = ("tcp", i64::from(port));
        return admits_by(world, &source.groups, true, door, |peer| meets(peer, to, &endpoint.groups))
            && admits_by(world, &endpoint.groups, false, door, |peer| meets(peer, from, &source.groups));
    }
    if let Some(door) = endpoints::at(world, &source.vpc, to) {
        return admits(world, source, true, port, |peer| meets(peer, to, &door.groups))
            && admits_by(world, &door.groups, false, ("tcp", i64::from(port)), |peer| {
                meets(peer, from, &source.groups)
            });
    }
    let inside = running(world).find(|(_, i)| i.private_ip == to && i.vpc == source.vpc);
    if let Some((_, target)) = inside {
        return admits(world, source, true, port, |peer| meets(peer, to, &target.groups))
            && admits(world, target, false, port, |peer| meets(peer, from, &source.groups));
    }
    let leaves = admits(world, source, true, port, |peer| matches!(peer, Peer::V4(net) if net.contains(&to)));
    if matches!(way_out(world, &source.subnet, to), Some(Kind::VpnGateway | Kind::TransitGateway)) {
        let gateway = target(world, &source.subnet, to);
        let there_and_back =
            |gateway: String| leads_there(world, &gateway, to) && finds_back(world, &gateway, &source.vpc, from);
        return leaves && gateway.is_some_and(there_and_back);
    }
    let seen_as = match way_out(world, &source.subnet, to) {
        Some(Kind::InternetGateway) => world.public_ip(id, source),
        Some(Kind::NatGateway) => nat_ip(world, &source.subnet, to),
        _ => None,
    };
    match seen_as.filter(|_| leaves) {
        None => false,
        Some(_) if !ours(world, to) => !to.is_private(),
        Some(public) => from_internet(world, public, to, port),
    }
}

/// From behind a tunnel an instance is reached by its private address, when the answer finds its way back into the tunnel.
fn from_data_centre(world: &World, from: Ipv4Addr, to: Ipv4Addr, port: u16) -> bool {
    let Some((_, host)) = running(world).find(|(_, instance)| instance.private_ip == to) else { return false };
    let back = target(world, &host.subnet, from);
    let through = back.is_some_and(|back| leads_there(world, &back, from) && finds_back(world, &back, &host.vpc, to));
    through && admits(world, host, false, port, |peer| meets(peer, from, &[]))
}

/// True for a public address that belongs to this practice cloud.
fn ours(world: &World, ip: Ipv4Addr) -> bool {
    world.addresses.values().any(|a| a.ip == ip) || world.instances.values().any(|i| i.own_public_ip == Some(ip))
}

fn meets(peer: &Peer, ip: Ipv4Addr, groups: &[String]) -> bool {
    match peer {
        Peer::V4(net) => net.contains(&ip),
        Peer::V6(_) => false,
        Peer::Group(id) => groups.contains(id),
    }
}

/// True when one of the instance's groups has a rule for TCP to this port with such a peer.
pub(super) fn admits(
    world: &World,
    instance: &Instance,
    egress: bool,
    port: u16,
    peer: impl Fn(&Peer) -> bool,
) -> bool {
    admits_to(world, instance, egress, ("tcp", i64::from(port)), peer)
}

/// The same for another protocol; pings have no port.
fn admits_to(
    world: &World,
    instance: &Instance,
    egress: bool,
    door: (&str, i64),
    peer: impl Fn(&Peer) -> bool,
) -> bool {
    admits_by(world, &instance.groups, egress, door, peer)
}

fn admits_by(
    world: &World,
    groups: &[String],
    egress: bool,
    (protocol, port): (&str, i64),
    peer: impl Fn(&Peer) -> bool,
) -> bool {
    let fits = |rule: &Rule| match (rule.protocol.as_str(), rule.ports) {
        ("-1", _) => true,
        (own, _) if own != protocol => false,
        (_, Some((from, to))) => (from == -1 && to == -1) || (from..=to).contains(&port),
        ("icmp", None) => true,
        _ => false,
    };
    let own = world.rules.values().filter(|rule| groups.contains(&rule.group) && rule.egress == egress);
    own.into_iter().any(|rule| fits(rule) && peer(&rule.peer))
}

/// The most specific route of the subnet to the address, when its target is alive.
pub(super) fn target(world: &World, subnet: &str, to: Ipv4Addr) -> Option<String> {
    let table = routes::table_of(world, subnet)?;
    let own = table.routes.iter().map(|route| (route.destination, route.target.clone()));
    // A route of the table's own comes before a learnt one of the same length: the sort is stable.
    let learnt = table
        .propagating
        .iter()
        .flat_map(|gateway| world.propagated(gateway).into_iter().map(move |prefix| (prefix, gateway.clone())));
    let mut fitting: Vec<_> = own.chain(learnt).filter(|(destination, _)| destination.contains(&to)).collect();
    fitting.sort_by_key(|(destination, _)| std::cmp::Reverse(destination.prefix_len()));
    let (_, best) = fitting.into_iter().next()?;
    routes::alive(world, &table.vpc, &best).then_some(best)
}

fn way_out(world: &World, subnet: &str, to: Ipv4Addr) -> Option<Kind> {
    let target = target(world, subnet, to)?;
    match Kind::of(&target)? {
        Kind::NatGateway => {
            let nat = world.nats.get(&target).filter(|nat| world.nat_state(nat) == "available")?;
            // The gateway's own subnet must lead to the Internet.
            (way_out(world, &nat.subnet, to) == Some(Kind::InternetGateway)).then_some(Kind::NatGateway)
        }
        kind => Some(kind),
    }
}

fn nat_ip(world: &World, subnet: &str, to: Ipv4Addr) -> Option<Ipv4Addr> {
    world.nats.get(&target(world, subnet, to)?)?.public_ip
}
