//! Direct Connect gateways, and the gateways of the network that are associated with them.
//!
//! Rules: "Direct Connect gateways" of the user guide (which gateways go together, allowed prefixes), and the quotas.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::dx::{Ask, is_gone, missing, passed, refused, shown_tags};
use super::dx_neighbour;
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::vpn;
use super::world::World;

/// On one Direct Connect gateway; and ranges for one association.
const MOST_OF_VPCS: usize = 20;
const MOST_TRANSIT: usize = 6;
const MOST_RANGES_OF_A_VPC: usize = 20;
const MOST_RANGES_OF_TRANSIT: usize = 200;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Gateway {
    name: String,
    pub asn: i64,
    created: i64,
    pub deleted: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Association {
    pub gateway: String,
    /// A virtual private gateway or a transit gateway.
    pub to: String,
    /// Where that is.
    #[serde(default)]
    region: String,
    ranges: BTreeSet<Ipv4Net>,
    created: i64,
    pub deleted: Option<i64>,
}

fn is_transit(id: &str) -> bool {
    Kind::of(id) == Some(Kind::TransitGateway)
}

pub(super) fn create(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (name, tags) = (ask.need("directConnectGatewayName")?.to_owned(), ask.tags()?);
    let asn = ask.number("amazonSideAsn").unwrap_or(64_512);
    if !(64_512..=65_534).contains(&asn) && !(4_200_000_000..=4_294_967_294).contains(&asn) {
        return Err(refused(format!("Amazon side ASN {asn} is not a private ASN.")));
    }
    // Their ids have no prefix, and look like a UUID.
    let minted = world.mint("dxgw");
    let hex = blake3::hash(minted.as_bytes()).to_hex();
    let id = format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30]);
    world.born(&id, tags);
    let created = world.now;
    world.lines.gateways.insert(id.clone(), Gateway { name, asn, created, deleted: None });
    Ok(json!({ "directConnectGateway": shown(world, &id) }))
}

/// The live gateway of that id.
pub(super) fn live<'w>(world: &'w World, id: &str) -> Result<&'w Gateway, Refusal> {
    let there = world.lines.gateways.get(id).filter(|one| world.visible(id) && one.deleted.is_none());
    there.ok_or_else(|| missing("Direct Connect Gateway", id))
}

fn shown(world: &World, id: &str) -> Json {
    let Some(gateway) = world.lines.gateways.get(id) else { return Json::Null };
    let state = match gateway.deleted {
        Some(_) => "deleting",
        None if passed(world, gateway.created, Wait::LineGateway) => "available",
        None => "pending",
    };
    json!({
        "directConnectGatewayId": id, "directConnectGatewayName": gateway.name, "amazonSideAsn": gateway.asn,
        "ownerAccount": world.account, "directConnectGatewayState": state, "tags": shown_tags(world, id),
    })
}

pub(super) fn list(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let wanted = ask.text("directConnectGatewayId");
    let all = world.lines.gateways.keys().filter(|id| world.visible(id) && wanted.is_none_or(|wanted| wanted == *id));
    Ok(json!({ "directConnectGateways": all.map(|id| shown(world, id)).collect::<Vec<_>>() }))
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("directConnectGatewayId")?;
    live(world, id)?;
    let lines = &world.lines;
    let interfaces = lines.interfaces.values().any(|one| one.gateway == id && !is_gone(world, one.deleted));
    if interfaces || lines.associations.values().any(|one| one.gateway == id) {
        let message = format!(
            "Direct Connect Gateway {id} is not in a state that allows deletion: it has virtual interfaces or gateways."
        );
        return Err(refused(message));
    }
    let now = world.now;
    if let Some(gateway) = world.lines.gateways.get_mut(id) {
        gateway.deleted = Some(now);
    }
    Ok(json!({ "directConnectGateway": shown(world, id) }))
}

pub(super) fn associate(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (gateway, to) = (ask.need("directConnectGatewayId")?.to_owned(), ask.need("gatewayId")?.to_owned());
    let asn = live(world, &gateway)?.asn;
    go_together(world, (&gateway, asn), &to)?;
    let ranges = ranges(world, ask, &to)?;
    let id = tied(world, gateway, to, ranges);
    Ok(json!({ "directConnectGatewayAssociation": association(world, &id) }))
}

/// A new association, and its id.
pub(super) fn tied(world: &mut World, gateway: String, to: String, ranges: BTreeSet<Ipv4Net>) -> String {
    let id = world.mint("dxassoc");
    world.appears(&id);
    let (created, region) = (world.now, world.region.clone());
    world.lines.associations.insert(id.clone(), Association { gateway, to, region, ranges, created, deleted: None });
    id
}

/// May a Direct Connect gateway lead on to that one? With its AS number.
pub(super) fn go_together(world: &World, (gateway, asn): (&str, i64), to: &str) -> Result<(), Refusal> {
    let transit = is_transit(to);
    if transit {
        let there = world.transit_gateways.get(to).filter(|one| one.deleted.is_none());
        if there.ok_or_else(|| missing("Transit Gateway", to))?.asn == asn {
            return Err(refused(format!("Transit Gateway {to} has the same ASN as Direct Connect Gateway {gateway}.")));
        }
    } else {
        let there = vpn::live(world, to).map_err(|_| missing("Virtual Gateway", to))?;
        if there.attachment.as_ref().is_none_or(|at| vpn::state_of(world, at) != "attached") {
            return Err(refused(format!("Virtual Gateway {to} is not attached to a VPC.")));
        }
    }
    let others: Vec<&Association> = world.lines.associations.values().collect();
    if others.iter().any(|one| one.gateway == gateway && one.to == to) {
        return Err(refused(format!("Direct Connect Gateway {gateway} is already associated with {to}.")));
    }
    if !transit && others.iter().any(|one| one.to == to) {
        return Err(refused(format!("Virtual Gateway {to} is already associated with a Direct Connect Gateway.")));
    }
    let mut of_it = others.iter().filter(|one| one.gateway == gateway);
    let other_interfaces = world
        .lines
        .interfaces
        .values()
        .any(|one| one.gateway == gateway && one.is_transit != transit && one.deleted.is_none());
    if of_it.clone().any(|one| is_transit(&one.to) != transit) || other_interfaces {
        let message = "A Direct Connect Gateway cannot serve virtual private gateways and transit gateways.";
        return Err(refused(message));
    }
    let most = if transit { MOST_TRANSIT } else { MOST_OF_VPCS };
    if of_it.by_ref().count() >= most {
        return Err(refused(format!("You have reached the maximum number of gateways ({most}) for {gateway}.")));
    }
    Ok(())
}

/// Without any, a virtual private gateway tells of its VPC; for a transit gateway they must be given.
pub(super) fn ranges(world: &World, ask: &Ask, to: &str) -> Result<BTreeSet<Ipv4Net>, Refusal> {
    let mut ranges = BTreeSet::new();
    for one in ask.maps("addAllowedPrefixesToDirectConnectGateway") {
        let text = one.get("cidr").and_then(Json::as_str).unwrap_or_default();
        let range = text.parse::<Ipv4Net>().ok().filter(|range| range.trunc() == *range);
        ranges.insert(range.ok_or_else(|| refused(format!("{text} is not a valid CIDR.")))?);
    }
    let most = if is_transit(to) { MOST_RANGES_OF_TRANSIT } else { MOST_RANGES_OF_A_VPC };
    if ranges.len() > most {
        return Err(refused(format!("You have reached the maximum number of allowed prefixes ({most}).")));
    }
    if ranges.is_empty() {
        if is_transit(to) {
            return Err(refused("Allowed prefixes must be given for a Transit Gateway."));
        }
        let vpc = world.vpn_gateways.get(to).and_then(|gateway| gateway.attachment.as_ref()).map(|at| &at.vpc);
        ranges.extend(vpc.and_then(|id| world.vpcs.get(id)).map(|vpc| vpc.cidr));
    }
    Ok(ranges)
}

pub(super) fn association_state(world: &World, association: &Association) -> &'static str {
    match association.deleted {
        Some(_) => "disassociating",
        None if passed(world, association.created, Wait::LineTie) => "associated",
        None => "associating",
    }
}

/// A gateway of the network, as an association shows it.
pub(super) fn end(world: &World, to: &str, region: &str) -> Json {
    let kind = if is_transit(to) { "transitGateway" } else { "virtualPrivateGateway" };
    json!({ "id": to, "type": kind, "ownerAccount": world.account, "region": region })
}

fn association(world: &World, id: &str) -> Json {
    let Some(one) = world.lines.associations.get(id) else { return Json::Null };
    let ranges = one.ranges.iter().map(|range| json!({ "cidr": range.to_string() }));
    json!({
        "associationId": id, "directConnectGatewayId": one.gateway,
        "directConnectGatewayOwnerAccount": dx_neighbour::owner(world, &one.gateway),
        "associationState": association_state(world, one), "associatedGateway": end(world, &one.to, &one.region),
        "allowedPrefixesToDirectConnectGateway": ranges.collect::<Vec<_>>(),
        "virtualGatewayId": (!is_transit(&one.to)).then_some(&one.to),
    })
}

pub(super) fn associations(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let fits = |name: &str, has: &str| ask.text(name).is_none_or(|wanted| wanted == has);
    let all = world.lines.associations.iter().filter(|(id, one)| {
        world.visible(id)
            && fits("associationId", id)
            && fits("directConnectGatewayId", &one.gateway)
            && fits("associatedGatewayId", &one.to)
            && fits("virtualGatewayId", &one.to)
    });
    let all: Vec<Json> = all.map(|(id, _)| association(world, id)).collect();
    Ok(json!({ "directConnectGatewayAssociations": all }))
}

pub(super) fn disassociate(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = match ask.text("associationId") {
        Some(id) => id.to_owned(),
        None => {
            let (gateway, to) = (ask.need("directConnectGatewayId")?, ask.need("virtualGatewayId")?);
            let mut all = world.lines.associations.iter();
            let found = all.find(|(_, one)| one.gateway == gateway && one.to == to).map(|(id, _)| id.clone());
            found.ok_or_else(|| missing("Association with", to))?
        }
    };
    let now = world.now;
    let there = world.lines.associations.get_mut(&id).ok_or_else(|| missing("Association", &id))?;
    there.deleted.get_or_insert(now);
    Ok(json!({ "directConnectGatewayAssociation": association(world, &id) }))
}

impl World {
    /// The largest packet to the data centre over a line that leads to this gateway of the network, if one carries.
    pub fn line_behind(&self, to: &str) -> Option<u32> {
        let associated = |one: &&Association| one.to == to && association_state(self, one) == "associated";
        let ties = self.lines.associations.values().filter(associated);
        ties.filter_map(|tie| dx_neighbour::carries(&tie.gateway).or(self.carrying_interface(&tie.gateway)))
            .max()
            .max(self.carrying_interface(to))
    }
}
