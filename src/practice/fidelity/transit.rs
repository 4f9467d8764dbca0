//! Transit gateways, and the VPCs and VPN connections at them. The gateway's own table is the default one: whoever is attached
//! is associated with it and learnt there by itself, but for what lies behind a VPN without BGP: that has static routes.
//!
//! Rules: "Amazon EC2 API Reference", CreateTransitGateway, CreateTransitGatewayVpcAttachment, CreateTransitGatewayRoute and
//! DisableTransitGatewayRouteTablePropagation; "Transit gateway quotas".

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::Call;
use super::describe::describe;
use super::dx_gateways::{Association, association_state};
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::tags;
use super::vpc::blocks;
use super::vpn_connections::ANNOUNCED;
use super::world::{World, stamp};
use super::xml::Xml;

const MOST_GATEWAYS: usize = 5;
/// Amazon's side when nothing is said.
const AMAZON: i64 = 64_512;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct TransitGateway {
    pub asn: i64,
    description: String,
    /// Static routes of its table: where each leads.
    #[serde(default)]
    routes: BTreeMap<Ipv4Net, String>,
    /// Attachments that its table does not learn from any more.
    #[serde(default)]
    unlearnt: BTreeSet<String>,
    created: i64,
    pub deleted: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TransitAttachment {
    gateway: String,
    vpc: String,
    subnets: Vec<String>,
    created: i64,
    pub deleted: Option<i64>,
}

impl World {
    fn transit_state(&self, created: i64, deleted: Option<i64>, coming: Wait) -> &'static str {
        match deleted {
            Some(at) if self.now >= at + self.pace.millis(Wait::TransitGone) => "deleted",
            Some(_) => "deleting",
            None if self.now >= created + self.pace.millis(coming) => "available",
            None => "pending",
        }
    }

    fn attachment_state(&self, one: &TransitAttachment) -> &'static str {
        self.transit_state(one.created, one.deleted, Wait::TransitTie)
    }

    /// Ranges behind a VPN connection that stand in the table of its transit gateway.
    pub fn written_to(&self, gateway: &str, vpn: &str) -> Vec<Ipv4Net> {
        let there = self.transit_gateways.get(gateway);
        let routes = there.into_iter().flat_map(|gateway| &gateway.routes);
        routes.filter(|(_, to)| **to == place_of(vpn)).map(|(range, _)| *range).collect()
    }

    /// Is the VPC attached to it, as far as routes care?
    pub fn is_at_transit(&self, vpc: &str, gateway: &str) -> bool {
        let mut all = self.transit_attachments.values();
        all.any(|one| one.vpc == vpc && one.gateway == gateway && self.attachment_state(one) == "available")
    }

    /// Does what comes from the data centre find an address of the VPC? The gateway looks it up in its own table: the longest
    /// prefix counts, and of two alike the static one.
    pub fn comes_back(&self, gateway: &str, vpc: &str, to: Ipv4Addr) -> bool {
        let written = self.transit_gateways.get(gateway).into_iter().flat_map(|one| &one.routes);
        let written = written.map(|(range, to)| (*range, true, to.clone()));
        let learnt = learnt(self, gateway).into_iter().map(|(range, to)| (range, false, to));
        let fitting = written.chain(learnt).filter(|(range, ..)| range.contains(&to));
        let best = fitting.max_by_key(|(range, is_static, _)| (range.prefix_len(), *is_static));
        best.is_some_and(|(.., to)| {
            let there = self.transit_attachments.get(&to);
            there.is_some_and(|one| one.vpc == vpc && self.attachment_state(one) == "available")
        })
    }
}

/// The one table that a gateway has.
fn table_of(gateway: &str) -> String {
    gateway.replacen("tgw-", "tgw-rtb-", 1)
}

/// How a VPN connection is attached, which it is from the beginning.
fn place_of(vpn: &str) -> String {
    vpn.replacen("vpn-", "tgw-attach-", 1)
}

/// How the gateway of a line is attached, which its association makes it.
fn line_of(association: &str) -> String {
    let digits: String = association.chars().filter(char::is_ascii_hexdigit).take(17).collect();
    format!("tgw-attach-{digits:0>17}")
}

/// The gateway of that id; one that is deleted is shown for a while, and is not found by anything else.
pub(super) fn live<'w>(world: &'w World, id: &str) -> Result<&'w TransitGateway, Refusal> {
    let gateway = world.find(Kind::TransitGateway, &world.transit_gateways, id)?;
    if gateway.deleted.is_some() { Err(Kind::TransitGateway.not_found(id)) } else { Ok(gateway) }
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::TransitGateway)?;
    let asn = call.ask.number("Options.AmazonSideAsn")?.unwrap_or(AMAZON);
    if !(64_512..=65_534).contains(&asn) && !(4_200_000_000..=4_294_967_294).contains(&asn) {
        let message = format!("Value ({asn}) for parameter AmazonSideAsn is invalid. It must be a private ASN.");
        return Err(Refusal::value(message));
    }
    if call.world.transit_gateways.values().filter(|one| one.deleted.is_none()).count() >= MOST_GATEWAYS {
        let message = "The maximum number of transit gateways has been reached.";
        return Err(Refusal::new("TransitGatewayLimitExceeded", message));
    }
    let (id, created) = (call.world.mint("tgw"), call.world.now);
    let description = call.ask.get("Description").unwrap_or_default().to_string();
    call.world.born(&id, tags);
    call.world
        .transit_gateways
        .insert(id.clone(), TransitGateway { asn, description, created, ..TransitGateway::default() });
    Ok(Xml::new().tree("transitGateway", item(call.world, &id)))
}

fn item(world: &World, id: &str) -> Xml {
    let Some(gateway) = world.transit_gateways.get(id) else { return Xml::new() };
    let options = Xml::new().text("amazonSideAsn", gateway.asn).text("defaultRouteTableAssociation", "enable");
    let options = options.text("defaultRouteTablePropagation", "enable").text("vpnEcmpSupport", "enable");
    let state = world.transit_state(gateway.created, gateway.deleted, Wait::TransitGateway);
    let head = Xml::new().text("transitGatewayId", id).text("state", state).text("ownerId", &world.account);
    let head = head.text("description", &gateway.description).text("creationTime", stamp(gateway.created));
    head.tree("options", options).set("tagSet", world.tag_set(id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("TransitGatewayIds", Kind::TransitGateway, &world.transit_gateways)?;
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("transit-gateway-id", "transitGatewayId"),
        ("state", "state"),
        ("owner-id", "ownerId"),
        ("options.amazon-side-asn", "options/amazonSideAsn"),
    ];
    describe(call.ask, "transitGatewaySet", items.collect(), filters)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("TransitGatewayId")?.to_string();
    let world = &*call.world;
    live(world, &id)?;
    let attached = |one: &TransitAttachment| one.gateway == id && world.attachment_state(one) != "deleted";
    let associated = world.lines.associations.values().any(|one| one.to == id);
    let tunnels = world.vpn_connections.values().any(|one| one.gateway == id && world.vpn_state(one) != "deleted");
    if world.transit_attachments.values().any(attached) || associated || tunnels {
        let message = format!("{id} has non-deleted attachments.");
        return Err(Refusal::new("IncorrectState", message));
    }
    let now = world.now;
    if let Some(gateway) = call.world.transit_gateways.get_mut(&id) {
        gateway.deleted = Some(now);
    }
    Ok(Xml::new().tree("transitGateway", item(call.world, &id)))
}

pub(super) fn attach(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::TransitAttachment)?;
    let (gateway, vpc) = (call.ask.need("TransitGatewayId")?.to_string(), call.ask.need("VpcId")?.to_string());
    let world = &*call.world;
    let of = live(world, &gateway)?;
    world.vpc(&vpc)?;
    if world.transit_state(of.created, of.deleted, Wait::TransitGateway) != "available" {
        return Err(Refusal::new("IncorrectState", format!("{gateway} is in invalid state")));
    }
    let subnets: Vec<String> = call.ask.list("SubnetIds").into_iter().map(str::to_string).collect();
    if subnets.is_empty() {
        return Err(Refusal::missing("SubnetIds"));
    }
    let mut zones = BTreeSet::new();
    for id in &subnets {
        let subnet = world.subnet(id)?;
        if subnet.vpc != vpc {
            let message = format!("The subnet ID '{id}' does not exist in {vpc}");
            return Err(Refusal::new("InvalidSubnetID.NotFound", message));
        }
        if !zones.insert(subnet.zone.clone()) {
            let message = "Duplicate Subnets for same AZ";
            return Err(Refusal::new("DuplicateSubnetsInSameZone", message));
        }
    }
    let same =
        |one: &TransitAttachment| one.gateway == gateway && one.vpc == vpc && world.attachment_state(one) != "deleted";
    if world.transit_attachments.values().any(same) {
        let message = format!("{gateway} has non-deleted Transit Gateway Attachments with same VPC ID.");
        return Err(Refusal::new("DuplicateTransitGatewayAttachment", message));
    }
    let (id, created) = (call.world.mint("tgw-attach"), call.world.now);
    call.world.born(&id, tags);
    let attachment = TransitAttachment { gateway, vpc, subnets, created, deleted: None };
    call.world.transit_attachments.insert(id.clone(), attachment);
    Ok(Xml::new().tree("transitGatewayVpcAttachment", attachment_item(call.world, &id)))
}

fn attachment_item(world: &World, id: &str) -> Xml {
    let Some(one) = world.transit_attachments.get(id) else { return Xml::new() };
    let head = Xml::new().text("transitGatewayAttachmentId", id).text("transitGatewayId", &one.gateway);
    let head = head.text("vpcId", &one.vpc).text("vpcOwnerId", &world.account);
    // A list of bare texts: the SDK reads `item` as the value.
    let subnets = one.subnets.iter().fold(Xml::new(), |list, subnet| list.text("item", subnet));
    let head = head.text("state", world.attachment_state(one)).tree("subnetIds", subnets);
    head.text("creationTime", stamp(one.created)).set("tagSet", world.tag_set(id))
}

pub(super) fn list_attachments(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("TransitGatewayAttachmentIds", Kind::TransitAttachment, &world.transit_attachments)?;
    let items = ids.iter().map(|id| attachment_item(world, id));
    let filters = &[
        ("transit-gateway-attachment-id", "transitGatewayAttachmentId"),
        ("transit-gateway-id", "transitGatewayId"),
        ("vpc-id", "vpcId"),
        ("state", "state"),
    ];
    describe(call.ask, "transitGatewayVpcAttachments", items.collect(), filters)
}

pub(super) fn detach(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("TransitGatewayAttachmentId")?.to_string();
    let there = call.world.find(Kind::TransitAttachment, &call.world.transit_attachments, &id)?;
    if there.deleted.is_some() {
        return Err(Kind::TransitAttachment.not_found(&id));
    }
    let now = call.world.now;
    if let Some(one) = call.world.transit_attachments.get_mut(&id) {
        one.deleted = Some(now);
    }
    Ok(Xml::new().tree("transitGatewayVpcAttachment", attachment_item(call.world, &id)))
}

/// Whatever is attached, VPC, VPN connection or gateway of a line: its id, its gateway, its kind, what it is, and its state.
fn places(world: &World) -> Vec<(String, &str, &'static str, &str, &'static str)> {
    let vpcs = world.transit_attachments.iter();
    let vpcs = vpcs.map(|(id, one)| (id.clone(), &*one.gateway, "vpc", &*one.vpc, world.attachment_state(one)));
    let tunnels = world.vpn_connections.iter().filter(|(_, one)| Kind::of(&one.gateway) == Some(Kind::TransitGateway));
    let tunnels = tunnels.map(|(id, one)| (place_of(id), &*one.gateway, "vpn", &**id, world.vpn_state(one)));
    let lines = world.lines.associations.iter().filter(|(_, one)| Kind::of(&one.to) == Some(Kind::TransitGateway));
    let here = |one: &Association| one.deleted.is_none() && world.transit_gateways.contains_key(&one.to);
    let lines = lines.filter(|(_, one)| here(one)).map(|(id, one)| {
        let state = if association_state(world, one) == "associated" { "available" } else { "pending" };
        (line_of(id), &*one.to, "direct-connect-gateway", &*one.gateway, state)
    });
    vpcs.chain(tunnels).chain(lines).collect()
}

/// What the table of a gateway has learnt: the ranges, and the attachment that each leads to.
fn learnt(world: &World, gateway: &str) -> Vec<(Ipv4Net, String)> {
    let unlearnt = world.transit_gateways.get(gateway).map(|one| &one.unlearnt);
    let learns = |id: &String| unlearnt.is_none_or(|unlearnt| !unlearnt.contains(id));
    let at =
        places(world).into_iter().filter(|(id, at, .., state)| *at == gateway && *state == "available" && learns(id));
    at.flat_map(|(id, _, kind, what, _)| {
        let ranges = match kind {
            "vpc" => blocks(world, what),
            "vpn" => world.announced_over(what),
            _ => world.line_behind(gateway).map(|_| ANNOUNCED).into_iter().collect(),
        };
        ranges.into_iter().map(move |range| (range, id.clone()))
    })
    .collect()
}

/// Turns on or off that the table learns from an attachment.
fn propagate(call: &mut Call<'_>, on: bool) -> Result<Xml, Refusal> {
    let gateway = of_table(call)?;
    let id = call.ask.need("TransitGatewayAttachmentId")?.to_string();
    let there = places(call.world).into_iter().find(|(one, at, ..)| *one == id && *at == gateway);
    let (_, _, kind, what, _) = there.ok_or_else(|| Kind::TransitAttachment.not_found(&id))?;
    let head = Xml::new().text("transitGatewayAttachmentId", &id).text("resourceId", what).text("resourceType", kind);
    let head = head.text("transitGatewayRouteTableId", table_of(&gateway));
    let Some(one) = call.world.transit_gateways.get_mut(&gateway) else { return Ok(Xml::new()) };
    let was = if on { one.unlearnt.remove(&id) } else { one.unlearnt.insert(id.clone()) };
    if !was {
        let word = if on { "already" } else { "not" };
        let message = format!("Propagation of {id} is {word} enabled for {}", table_of(&gateway));
        let code = if on {
            "TransitGatewayRouteTablePropagation.Duplicate"
        } else {
            "TransitGatewayRouteTablePropagation.NotFound"
        };
        return Err(Refusal::new(code, message));
    }
    Ok(Xml::new().tree("propagation", head.text("state", if on { "enabled" } else { "disabled" })))
}

pub(super) fn learn(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    propagate(call, true)
}

pub(super) fn unlearn(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    propagate(call, false)
}

pub(super) fn list_all_attachments(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let items = places(world).into_iter().map(|(id, gateway, kind, what, state)| {
        let head = Xml::new().text("transitGatewayAttachmentId", &id).text("transitGatewayId", gateway);
        let head = head.text("transitGatewayOwnerId", &world.account).text("resourceOwnerId", &world.account);
        let head = head.text("resourceType", kind).text("resourceId", what).text("state", state);
        let associated = Xml::new().text("transitGatewayRouteTableId", table_of(gateway)).text("state", "associated");
        let head = if state == "available" { head.tree("association", associated) } else { head };
        head.set("tagSet", world.tag_set(&id))
    });
    let filters = &[
        ("transit-gateway-attachment-id", "transitGatewayAttachmentId"),
        ("transit-gateway-id", "transitGatewayId"),
        ("resource-type", "resourceType"),
        ("resource-id", "resourceId"),
        ("state", "state"),
    ];
    describe(call.ask, "transitGatewayAttachments", items.collect(), filters)
}

/// The gateway whose table is asked about.
fn of_table(call: &Call<'_>) -> Result<String, Refusal> {
    let table = call.ask.need("TransitGatewayRouteTableId")?;
    let mut live = call.world.transit_gateways.iter().filter(|(_, one)| one.deleted.is_none());
    live.find(|(id, _)| table_of(id) == table).map(|(id, _)| id.clone()).ok_or_else(|| {
        let message = format!("Transit Gateway Route Table {table} was deleted or does not exist.");
        Refusal::new("InvalidRouteTableID.NotFound", message)
    })
}

fn range(call: &Call<'_>) -> Result<Ipv4Net, Refusal> {
    let text = call.ask.need("DestinationCidrBlock")?;
    let net: Result<Ipv4Net, _> = text.parse();
    net.map(|net| net.trunc()).map_err(|_| {
        Refusal::value(format!("Value ({text}) for parameter destinationCidrBlock is invalid. It is no CIDR block."))
    })
}

fn route_item(world: &World, (to, leads_to): (&Ipv4Net, &String), origin: &str) -> Xml {
    let at = places(world).into_iter().find(|(id, ..)| id == leads_to);
    let state = if at.as_ref().is_some_and(|(.., state)| *state == "available") { "active" } else { "blackhole" };
    let (kind, what) = at.as_ref().map_or(("", ""), |(_, _, kind, what, _)| (*kind, *what));
    let hop =
        Xml::new().text("transitGatewayAttachmentId", leads_to).text("resourceType", kind).text("resourceId", what);
    let head = Xml::new().text("destinationCidrBlock", to).set("transitGatewayAttachments", [hop]);
    head.text("type", origin).text("state", state)
}

pub(super) fn search_routes(call: &Call<'_>) -> Result<Xml, Refusal> {
    let gateway = of_table(call)?;
    if call.ask.prefixes("Filter").is_empty() {
        return Err(Refusal::missing("Filters"));
    }
    let world = &*call.world;
    let written = world.transit_gateways.get(&gateway).into_iter().flat_map(|one| &one.routes);
    let mut items: Vec<Xml> = written.map(|route| route_item(world, route, "static")).collect();
    let learnt = learnt(world, &gateway);
    items.extend(learnt.iter().map(|(range, to)| route_item(world, (range, to), "propagated")));
    let filters = &[
        ("type", "type"),
        ("state", "state"),
        ("route-search.exact-match", "destinationCidrBlock"),
        ("attachment.transit-gateway-attachment-id", "transitGatewayAttachments/item/transitGatewayAttachmentId"),
    ];
    Ok(describe(call.ask, "routeSet", items, filters)?.text("additionalRoutesAvailable", false))
}

pub(super) fn create_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (gateway, range) = (of_table(call)?, range(call)?);
    let to = call.ask.need("TransitGatewayAttachmentId")?.to_string();
    let there = places(call.world).into_iter().find(|(id, at, ..)| *id == to && *at == gateway);
    let (.., state) = there.ok_or_else(|| Kind::TransitAttachment.not_found(&to))?;
    if state != "available" {
        return Err(Refusal::new("IncorrectState", format!("{to} is in invalid state")));
    }
    if let Some(one) = call.world.transit_gateways.get_mut(&gateway) {
        if one.routes.contains_key(&range) {
            let message = format!("There is already a static route for {range} in {}", table_of(&gateway));
            return Err(Refusal::new("RouteAlreadyExists", message));
        }
        one.routes.insert(range, to.clone());
    }
    Ok(Xml::new().tree("route", route_item(call.world, (&range, &to), "static")))
}

pub(super) fn delete_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (gateway, range) = (of_table(call)?, range(call)?);
    let taken = call.world.transit_gateways.get_mut(&gateway).and_then(|one| one.routes.remove(&range));
    let Some(to) = taken else {
        let message = format!("There is no static route for {range} in {}", table_of(&gateway));
        return Err(Refusal::new("InvalidRoute.NotFound", message));
    };
    Ok(Xml::new().tree("route", route_item(call.world, (&range, &to), "static")))
}
