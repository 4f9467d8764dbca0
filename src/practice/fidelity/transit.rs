//! Transit gateways and the VPCs at them. The gateway's own table is the default one: whoever is attached learns of the
//! others by itself, so that only the VPC's tables have to lead to the gateway.
//!
//! Rules: "Amazon EC2 API Reference", CreateTransitGateway and CreateTransitGatewayVpcAttachment; "Transit gateway quotas".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::tags;
use super::world::{World, stamp};
use super::xml::Xml;

const MOST_GATEWAYS: usize = 5;
/// Amazon's side when nothing is said.
const AMAZON: i64 = 64_512;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TransitGateway {
    pub asn: i64,
    description: String,
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

    /// Is the VPC attached to it, as far as routes care?
    pub fn is_at_transit(&self, vpc: &str, gateway: &str) -> bool {
        let mut all = self.transit_attachments.values();
        all.any(|one| one.vpc == vpc && one.gateway == gateway && self.attachment_state(one) == "available")
    }
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
    call.world.transit_gateways.insert(id.clone(), TransitGateway { asn, description, created, deleted: None });
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
