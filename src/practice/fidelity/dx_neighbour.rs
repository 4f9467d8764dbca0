//! Another account of the customer's, with a line and a Direct Connect gateway of its own. It allocates four virtual
//! interfaces to this one, again and again, and accepts a proposal after a while; one with a range wider than a /8 it leaves
//! unanswered. It cannot be asked anything.
//!
//! Rules: "Associate an AWS Direct Connect virtual private gateway across accounts" of the user guide, and the pages of
//! CreateDirectConnectGatewayAssociationProposal and of the states of a proposal in the API reference.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::dx::{Ask, is_gone, missing, passed, refused};
use super::dx_gateways::{end, go_together, ranges, tied};
use super::dx_interfaces::allocate;
use super::pace::Wait;
use super::refusal::Refusal;
use super::world::World;

pub(super) const ACCOUNT: &str = "444455556666";
/// Its lines, and where they end.
const LINES: [(&str, &str); 2] = [("dxcon-fgneighb", "EqDC2"), ("dxcon-fgneighc", "EqSe2")];
const GATEWAY: &str = "7a1bd8c2-51f0-4c57-a3d1-0f5a2c9e7b64";
const GATEWAY_ASN: i64 = 64_700;
/// What gets through to the data centre over its line.
const GATEWAY_MTU: u32 = 1_500;
/// Each with its line and VLAN; two private ones, two transit ones.
const ALLOCATED: [(&str, &str, i64, bool); 4] = [
    ("dxvif-fgneigh1", LINES[0].0, 101, false),
    ("dxvif-fgneigh2", LINES[1].0, 102, false),
    ("dxvif-fgneigh3", LINES[0].0, 103, true),
    ("dxvif-fgneigh4", LINES[1].0, 104, true),
];
const WIDEST: u8 = 8;
/// A proposal is good for seven days; one that was accepted is shown as long as what came of it is there.
const HOLDS: i64 = 7 * 24 * 60 * 60 * 1_000;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proposal {
    to: String,
    #[serde(default)]
    region: String,
    ranges: BTreeSet<Ipv4Net>,
    created: i64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Requested,
    Accepted,
    Deleted,
}

/// Whose a Direct Connect gateway is.
pub(super) fn owner<'w>(world: &'w World, gateway: &str) -> &'w str {
    if gateway == GATEWAY { ACCOUNT } else { &world.account }
}

/// Where one of its lines ends.
pub(super) fn location(line: &str) -> Option<&'static str> {
    LINES.iter().find(|(id, _)| *id == line).map(|(_, location)| *location)
}

/// The largest packet that its gateway carries to the data centre.
pub(super) fn carries(gateway: &str) -> Option<u32> {
    (gateway == GATEWAY).then_some(GATEWAY_MTU)
}

/// It accepts what was proposed, and allocates anew what is gone.
pub(super) fn settle(world: &mut World) {
    for (id, line, vlan, is_transit) in ALLOCATED {
        if world.lines.interfaces.get(id).is_none_or(|one| is_gone(world, one.deleted) && world.is_here(&one.region)) {
            allocate(world, id, (line, vlan), is_transit);
        }
    }
    let due = |one: &Proposal| {
        one.state == State::Requested
            && (one.region.is_empty() || one.region == world.region)
            && passed(world, one.created, Wait::PeeringAccepted)
            && one.ranges.iter().all(|range| range.prefix_len() >= WIDEST)
    };
    let due: Vec<String> = world.lines.proposals.iter().filter(|(_, one)| due(one)).map(|(id, _)| id.clone()).collect();
    for id in due {
        let Some(one) = world.lines.proposals.get_mut(&id) else { continue };
        one.state = State::Accepted;
        let (to, ranges) = (one.to.clone(), one.ranges.clone());
        // What does not go together any more it cannot accept.
        if go_together(world, (GATEWAY, GATEWAY_ASN), &to).is_ok() {
            tied(world, GATEWAY.to_owned(), to, ranges);
        }
    }
}

pub(super) fn propose(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (gateway, owner) = (ask.need("directConnectGatewayId")?, ask.need("directConnectGatewayOwnerAccount")?);
    if gateway != GATEWAY || owner != ACCOUNT {
        return Err(missing("Direct Connect Gateway", &format!("{gateway} of account {owner}")));
    }
    let to = ask.need("gatewayId")?.to_owned();
    go_together(world, (GATEWAY, GATEWAY_ASN), &to)?;
    if open(world).any(|(_, one)| one.to == to) {
        return Err(refused(format!("There is a proposal for {to} and Direct Connect Gateway {GATEWAY} already.")));
    }
    let ranges = ranges(world, ask, &to)?;
    let id = world.mint("dxprop");
    world.appears(&id);
    let region = world.region.clone();
    let proposal = Proposal { to, region, ranges, created: world.now, state: State::Requested };
    world.lines.proposals.insert(id.clone(), proposal);
    Ok(json!({ "directConnectGatewayAssociationProposal": shown(world, &id) }))
}

fn open(world: &World) -> impl Iterator<Item = (&String, &Proposal)> {
    let holds = |one: &Proposal| one.state == State::Requested && world.now < one.created + HOLDS;
    world.lines.proposals.iter().filter(move |(_, one)| holds(one))
}

fn is_tied(world: &World, proposal: &Proposal) -> bool {
    world.lines.associations.values().any(|tie| tie.gateway == GATEWAY && tie.to == proposal.to)
}

fn shown(world: &World, id: &str) -> Json {
    let Some(one) = world.lines.proposals.get(id) else { return Json::Null };
    let ranges = one.ranges.iter().map(|range| json!({ "cidr": range.to_string() }));
    json!({
        "proposalId": id, "directConnectGatewayId": GATEWAY, "directConnectGatewayOwnerAccount": ACCOUNT,
        "proposalState": one.state, "associatedGateway": end(world, &one.to, &one.region),
        "existingAllowedPrefixesToDirectConnectGateway": [],
        "requestedAllowedPrefixesToDirectConnectGateway": ranges.collect::<Vec<_>>(),
    })
}

pub(super) fn proposals(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let fits = |name: &str, has: &str| ask.text(name).is_none_or(|wanted| wanted == has);
    let accepted = world.lines.proposals.iter().filter(|(_, one)| one.state == State::Accepted && is_tied(world, one));
    let all = open(world).chain(accepted).filter(|(id, one)| {
        world.visible(id)
            && fits("proposalId", id)
            && fits("directConnectGatewayId", GATEWAY)
            && fits("associatedGatewayId", &one.to)
    });
    let all: Vec<Json> = all.map(|(id, _)| shown(world, id)).collect();
    Ok(json!({ "directConnectGatewayAssociationProposals": all }))
}

pub(super) fn withdraw(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("proposalId")?;
    if !open(world).any(|(open, _)| open == id) {
        return Err(missing("Proposal", id));
    }
    if let Some(one) = world.lines.proposals.get_mut(id) {
        one.state = State::Deleted;
    }
    Ok(json!({ "directConnectGatewayAssociationProposal": shown(world, id) }))
}
