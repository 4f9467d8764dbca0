//! Peering connections: asked for here, accepted in another account, where somebody is quick in practice.
//!
//! Rules: "VPC peering basics" and the API reference of CreateVpcPeeringConnection: ranges that overlap make it fail, two
//! VPCs are joined once, and one that ended stays visible for a while.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::pace::Wait;
use super::reach;
use super::refusal::Refusal;
use super::tags;
use super::world::{Peer, Peering, World, stamp};
use super::xml::Xml;

/// The range of the operator's VPC, and the engineer in the network that it is part of: what practice knows of the other
/// side, whatever its id is.
pub(super) const OPERATOR: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 99, 0, 0), 20);
const ENGINEER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 18);
/// A request that nobody accepts expires after seven days, in milliseconds.
const EXPIRES: i64 = 7 * 24 * 3_600_000;

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::Peering)?;
    let (vpc, peer_vpc) = (call.ask.need("VpcId")?.to_string(), call.ask.need("PeerVpcId")?.to_string());
    let cidr = call.world.vpc(&vpc)?.cidr;
    Kind::Vpc.check_shape(&peer_vpc)?;
    let world = &*call.world;
    let joined =
        |one: &Peering| (one.vpc == vpc && one.peer_vpc == peer_vpc) || (one.vpc == peer_vpc && one.peer_vpc == vpc);
    if vpc == peer_vpc
        || world.peerings.values().any(|one| one.deleted.is_none() && one.failed.is_none() && joined(one))
    {
        let message = format!("A VPC peering connection between {vpc} and {peer_vpc} already exists");
        return Err(Refusal::new("VpcPeeringConnectionAlreadyExists", message));
    }
    let there = world.vpcs.get(&peer_vpc).map_or(OPERATOR, |peer| peer.cidr);
    let overlap = there.contains(&cidr) || cidr.contains(&there);
    let failed = overlap.then(|| "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range".to_string());
    let peering = Peering {
        vpc,
        peer_vpc,
        peer_owner: call.ask.get("PeerOwnerId").unwrap_or(&world.account).to_string(),
        peer_region: call.ask.get("PeerRegion").unwrap_or(&world.region).to_string(),
        peer_cidr: there,
        names: false,
        names_asked: None,
        created: world.now,
        failed,
        deleted: None,
    };
    let id = call.world.mint("pcx");
    call.world.born(&id, tags);
    call.world.peerings.insert(id.clone(), peering);
    Ok(Xml::new().tree("vpcPeeringConnection", item(call.world, &id)))
}

impl World {
    pub fn peering_state(&self, peering: &Peering) -> &'static str {
        match (peering.deleted, &peering.failed) {
            (Some(_), _) => "deleted",
            (None, Some(_)) => "failed",
            (None, None) if self.now >= peering.created + self.pace.millis(Wait::PeeringAccepted) => "active",
            (None, None) => "pending-acceptance",
        }
    }

    pub fn is_joined(&self, id: &str) -> bool {
        self.peerings.get(id).is_some_and(|peering| self.peering_state(peering) == "active")
    }
}

/// The engineer, as a host in the VPC sees them that the operator's network is joined with; none where it is not, or where
/// the host's subnet knows no way back.
pub(super) fn engineer(world: &World, to: Ipv4Addr) -> Option<Ipv4Addr> {
    let (_, host) = reach::running(world).find(|(_, instance)| instance.private_ip == to)?;
    let back = reach::target(world, &host.subnet, ENGINEER)?;
    (Kind::of(&back) == Some(Kind::Peering)).then_some(ENGINEER)
}

/// Does the host let the engineer in there, over the peering?
pub(super) fn lets_in(world: &World, to: Ipv4Addr, port: u16) -> bool {
    let host = reach::running(world).find(|(_, instance)| instance.private_ip == to);
    let by_range = |peer: &Peer| matches!(peer, Peer::V4(net) if net.contains(&ENGINEER));
    host.is_some_and(|(_, host)| engineer(world, to).is_some() && reach::admits(world, host, false, port, by_range))
}

fn item(world: &World, id: &str) -> Xml {
    let Some(peering) = world.peerings.get(id) else { return Xml::new() };
    let state = world.peering_state(peering);
    let message = match &peering.failed {
        Some(why) => why.clone(),
        None if state == "pending-acceptance" => format!("Pending Acceptance by {}", peering.peer_owner),
        None => state.to_string(),
    };
    let side = |vpc: &str, owner: &str, region: &str, cidr: Option<Ipv4Net>, names: bool| {
        let side = Xml::new().text("ownerId", owner).text("vpcId", vpc).text("region", region);
        side.maybe("cidrBlock", cidr.as_ref()).tree("peeringOptions", options(names))
    };
    // In the other account somebody is quick.
    let answered = |since: i64| world.now >= since + world.pace.millis(Wait::PeeringAccepted);
    let cidr = world.vpcs.get(&peering.vpc).map(|vpc| vpc.cidr);
    let there = (state == "active").then_some(peering.peer_cidr);
    let head = Xml::new().text("vpcPeeringConnectionId", id);
    let head = head.tree("requesterVpcInfo", side(&peering.vpc, &world.account, &world.region, cidr, peering.names));
    let theirs = peering.names_asked.is_some_and(answered);
    let accepter = side(&peering.peer_vpc, &peering.peer_owner, &peering.peer_region, there, theirs);
    let head = head.tree("accepterVpcInfo", accepter);
    let head = head.tree("status", Xml::new().text("code", state).text("message", message));
    let head = match state {
        "pending-acceptance" => head.text("expirationTime", stamp(peering.created + EXPIRES)),
        _ => head,
    };
    head.set("tagSet", world.tag_set(id))
}

fn options(names: bool) -> Xml {
    let off = ["allowEgressFromLocalClassicLinkToRemoteVpc", "allowEgressFromLocalVpcToRemoteClassicLink"];
    off.into_iter().fold(Xml::new().text("allowDnsResolutionFromRemoteVpc", names), |xml, name| xml.text(name, false))
}

/// Each account sets its own side, once the connection is active.
pub(super) fn modify(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpcPeeringConnectionId")?.to_string();
    let peering = call.world.find(Kind::Peering, &call.world.peerings, &id)?;
    if call.world.peering_state(peering) != "active" {
        let message = format!("The VPC peering connection {id} is not in the active state");
        return Err(Refusal::new("OperationNotPermitted", message));
    }
    if call.ask.switch("AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc").is_some()
        && peering.peer_owner != call.world.account
    {
        let message = format!("You cannot modify the options of the accepter of {id}");
        return Err(Refusal::new("OperationNotPermitted", message));
    }
    let wanted = call.ask.switch("RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc");
    let wanted = wanted.ok_or_else(|| Refusal::missing("requesterPeeringConnectionOptions"))?;
    let now = call.world.now;
    if let Some(peering) = call.world.peerings.get_mut(&id) {
        peering.names = wanted;
        if wanted {
            peering.names_asked.get_or_insert(now);
        }
    }
    Ok(Xml::new().tree("requesterPeeringConnectionOptions", options(wanted)))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("VpcPeeringConnectionId", Kind::Peering, &world.peerings)?;
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("vpc-peering-connection-id", "vpcPeeringConnectionId"),
        ("requester-vpc-info.vpc-id", "requesterVpcInfo/vpcId"),
        ("requester-vpc-info.owner-id", "requesterVpcInfo/ownerId"),
        ("accepter-vpc-info.vpc-id", "accepterVpcInfo/vpcId"),
        ("accepter-vpc-info.owner-id", "accepterVpcInfo/ownerId"),
        ("status-code", "status/code"),
    ];
    describe(call.ask, "vpcPeeringConnectionSet", items.collect(), filters)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpcPeeringConnectionId")?.to_string();
    let peering = call.world.find(Kind::Peering, &call.world.peerings, &id)?;
    let state = call.world.peering_state(peering);
    if state == "deleted" || state == "failed" {
        let message = format!("The vpcPeeringConnection '{id}' is in the state {state}");
        return Err(Refusal::new("InvalidStateTransition", message));
    }
    let now = call.world.now;
    if let Some(peering) = call.world.peerings.get_mut(&id) {
        peering.deleted = Some(now);
    }
    Ok(Xml::new().text("return", true))
}
