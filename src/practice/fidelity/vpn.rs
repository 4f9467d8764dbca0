//! Customer gateways and virtual private gateways, as the API reference has them: an identical customer gateway is given
//! back, a VPC has one virtual private gateway, and attaching takes its time.

use std::net::Ipv4Addr;

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::pace::Wait;
use super::quotas::allowed;
use super::refusal::Refusal;
use super::tags;
use super::world::{Attachment, CustomerGateway, VpnGateway, World};
use super::xml::Xml;

/// Amazon's side when nothing is said.
const AMAZON: i64 = 64_512;
/// AWS keeps these to itself ("Customer gateway options for your Site-to-Site VPN connection").
const RESERVED: [(&str, i64); 4] =
    [("", 7224), ("eu-west-1", 9059), ("ap-northeast-1", 10_124), ("ap-southeast-1", 17_943)];

/// The one type that there is.
pub(super) fn check_type(call: &Call<'_>) -> Result<(), Refusal> {
    match call.ask.need("Type")? {
        "ipsec.1" => Ok(()),
        other => Err(Refusal::value(format!("Value ({other}) for parameter type is invalid."))),
    }
}

pub(super) fn create_customer(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    check_type(call)?;
    let tags = tags::of(call.ask, Kind::CustomerGateway)?;
    let text = call.ask.get("IpAddress").or(call.ask.get("PublicIp")).ok_or_else(|| Refusal::missing("ipAddress"))?;
    let invalid = || Refusal::value(format!("Value ({text}) for parameter ipAddress is invalid. Invalid IPv4 address"));
    let ip: Ipv4Addr = text.parse().map_err(|_| invalid())?;
    if ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || ip.is_link_local() || ip.is_broadcast() {
        return Err(invalid());
    }
    let asn = call.ask.number("BgpAsnExtended")?.or(call.ask.number("BgpAsn")?).unwrap_or(65_000);
    let kept = RESERVED.iter().any(|(region, kept)| *kept == asn && (region.is_empty() || *region == call.ask.region));
    if !(1..=4_294_967_294).contains(&asn) || kept {
        return Err(Refusal::value(format!("Value ({asn}) for parameter bgpAsn is invalid.")));
    }
    let device = call.ask.get("DeviceName").map(str::to_string);
    let same = |(_, other): &(&String, &CustomerGateway)| {
        other.deleted.is_none() && (other.ip, other.asn, &other.device) == (ip, asn, &device)
    };
    if let Some((id, _)) = call.world.customer_gateways.iter().find(same) {
        return Ok(Xml::new().tree("customerGateway", customer_item(call.world, id)));
    }
    let live = call.world.customer_gateways.values().filter(|other| other.deleted.is_none()).count();
    if live >= allowed(call.world, "L-4FB7FF5D") {
        let message = "The maximum number of customer gateways has been reached.";
        return Err(Refusal::new("CustomerGatewayLimitExceeded", message));
    }
    let id = call.world.mint("cgw");
    call.world.born(&id, tags);
    call.world.customer_gateways.insert(id.clone(), CustomerGateway { ip, asn, device, deleted: None });
    Ok(Xml::new().tree("customerGateway", customer_item(call.world, &id)))
}

fn customer_item(world: &World, id: &str) -> Xml {
    let Some(gateway) = world.customer_gateways.get(id) else { return Xml::new() };
    let state = if gateway.deleted.is_some() { "deleted" } else { "available" };
    let head = Xml::new().text("customerGatewayId", id).text("state", state).text("type", "ipsec.1");
    let head = head.text("ipAddress", gateway.ip).maybe("deviceName", gateway.device.as_ref());
    // Above what fits a signed number of 32 bits, the other field has it.
    let field = if gateway.asn > i64::from(i32::MAX) { "bgpAsnExtended" } else { "bgpAsn" };
    head.text(field, gateway.asn).set("tagSet", world.tag_set(id))
}

pub(super) fn list_customers(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("CustomerGatewayId", Kind::CustomerGateway, &world.customer_gateways)?;
    let items = ids.iter().map(|id| customer_item(world, id));
    let filters = &[
        ("customer-gateway-id", "customerGatewayId"),
        ("state", "state"),
        ("ip-address", "ipAddress"),
        ("bgp-asn", "bgpAsn"),
        ("type", "type"),
    ];
    describe(call.ask, "customerGatewaySet", items.collect(), filters)
}

pub(super) fn delete_customer(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("CustomerGatewayId")?.to_string();
    let gateway = call.world.find(Kind::CustomerGateway, &call.world.customer_gateways, &id)?;
    if gateway.deleted.is_some() {
        return Err(Kind::CustomerGateway.not_found(&id));
    }
    let world = &*call.world;
    if world.vpn_connections.values().any(|one| one.customer_gateway == id && world.vpn_state(one) != "deleted") {
        return Err(Refusal::new("IncorrectState", "The customer gateway is in use."));
    }
    let now = call.world.now;
    if let Some(gateway) = call.world.customer_gateways.get_mut(&id) {
        gateway.deleted = Some(now);
    }
    Ok(Xml::new().text("return", true))
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    check_type(call)?;
    let tags = tags::of(call.ask, Kind::VpnGateway)?;
    let asn = call.ask.number("AmazonSideAsn")?.unwrap_or(AMAZON);
    if !(64_512..=65_534).contains(&asn) && !(4_200_000_000..=4_294_967_294).contains(&asn) {
        let message = format!("Value ({asn}) for parameter amazonSideAsn is invalid. It must be a private ASN.");
        return Err(Refusal::value(message));
    }
    if call.world.vpn_gateways.values().filter(|gateway| gateway.deleted.is_none()).count()
        >= allowed(call.world, "L-7029FAB6")
    {
        let message = "The maximum number of virtual private gateways has been reached.";
        return Err(Refusal::new("VpnGatewayLimitExceeded", message));
    }
    let id = call.world.mint("vgw");
    call.world.born(&id, tags);
    call.world.vpn_gateways.insert(id.clone(), VpnGateway { asn, attachment: None, deleted: None });
    Ok(Xml::new().tree("vpnGateway", item(call.world, &id)))
}

fn item(world: &World, id: &str) -> Xml {
    let Some(gateway) = world.vpn_gateways.get(id) else { return Xml::new() };
    let attachment = gateway.attachment.as_ref().map(|one| attachment_item(world, one));
    let state = if gateway.deleted.is_some() { "deleted" } else { "available" };
    let head = Xml::new().text("vpnGatewayId", id).text("state", state).text("type", "ipsec.1");
    head.text("amazonSideAsn", gateway.asn).set("attachments", attachment).set("tagSet", world.tag_set(id))
}

fn attachment_item(world: &World, attachment: &Attachment) -> Xml {
    Xml::new().text("vpcId", &attachment.vpc).text("state", state_of(world, attachment))
}

/// Attaching and detaching take their time.
pub(super) fn state_of(world: &World, attachment: &Attachment) -> &'static str {
    match attachment.left {
        Some(at) if world.now >= at + world.pace.millis(Wait::VpnGatewayDetached) => "detached",
        Some(_) => "detaching",
        None if world.now >= attachment.since + world.pace.millis(Wait::VpnGatewayAttached) => "attached",
        None => "attaching",
    }
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("VpnGatewayId", Kind::VpnGateway, &world.vpn_gateways)?;
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("vpn-gateway-id", "vpnGatewayId"),
        ("state", "state"),
        ("type", "type"),
        ("amazon-side-asn", "amazonSideAsn"),
        ("attachment.vpc-id", "attachments/item/vpcId"),
        ("attachment.state", "attachments/item/state"),
    ];
    describe(call.ask, "vpnGatewaySet", items.collect(), filters)
}

/// The gateway of that id; one that is deleted is shown for an hour, and is not found by anything else.
pub(super) fn live<'w>(world: &'w World, id: &str) -> Result<&'w VpnGateway, Refusal> {
    let gateway = world.find(Kind::VpnGateway, &world.vpn_gateways, id)?;
    if gateway.deleted.is_some() { Err(Kind::VpnGateway.not_found(id)) } else { Ok(gateway) }
}

/// Is it attached to that VPC, or on its way there or away?
pub(super) fn holds(world: &World, gateway: &str, vpc: &str) -> bool {
    let attachment = world.vpn_gateways.get(gateway).and_then(|gateway| gateway.attachment.as_ref());
    attachment.is_some_and(|one| one.vpc == vpc && state_of(world, one) != "detached")
}

/// Is it attached to that VPC, as far as routes care?
pub(super) fn is_attached(world: &World, gateway: &str, vpc: &str) -> bool {
    let attachment = world.vpn_gateways.get(gateway).and_then(|gateway| gateway.attachment.as_ref());
    attachment.is_some_and(|one| one.vpc == vpc && state_of(world, one) == "attached")
}

pub(super) fn attach(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, vpc) = (call.ask.need("VpnGatewayId")?.to_string(), call.ask.need("VpcId")?.to_string());
    let world = &*call.world;
    live(world, &id)?;
    world.vpc(&vpc)?;
    let held = |gateway: &VpnGateway| {
        gateway.attachment.as_ref().filter(|one| state_of(world, one) != "detached").map(|one| one.vpc.clone())
    };
    if world.vpn_gateways.values().any(|gateway| held(gateway).as_deref() == Some(&*vpc)) {
        let message = format!("The network {vpc} has a virtual private gateway already.");
        return Err(Refusal::new("VpnGatewayAttachmentLimitExceeded", message));
    }
    if world.vpn_gateways.get(&id).and_then(held).is_some() {
        return Err(Refusal::new("IncorrectState", format!("The vpnGateway '{id}' is attached to another network.")));
    }
    let attachment = Attachment { vpc, since: world.now, left: None };
    let shown = attachment_item(world, &attachment);
    if let Some(gateway) = call.world.vpn_gateways.get_mut(&id) {
        gateway.attachment = Some(attachment);
    }
    Ok(Xml::new().tree("attachment", shown))
}

pub(super) fn detach(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, vpc) = (call.ask.need("VpnGatewayId")?.to_string(), call.ask.need("VpcId")?.to_string());
    let world = &*call.world;
    let attachment = live(world, &id)?.attachment.as_ref().filter(|one| one.vpc == vpc && one.left.is_none());
    if attachment.is_none() {
        let message = format!("The attachment with vpn gateway ID '{id}' and vpc ID '{vpc}' does not exist");
        return Err(Refusal::new("InvalidVpnGatewayAttachment.NotFound", message));
    }
    let now = world.now;
    if let Some(attachment) = call.world.vpn_gateways.get_mut(&id).and_then(|gateway| gateway.attachment.as_mut()) {
        attachment.left = Some(now);
    }
    for table in call.world.route_tables.values_mut() {
        table.propagating.retain(|gateway| *gateway != id);
    }
    Ok(Xml::new().text("return", true))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpnGatewayId")?.to_string();
    let world = &*call.world;
    let attached = live(world, &id)?.attachment.as_ref().is_some_and(|one| state_of(world, one) != "detached");
    let used = world.vpn_connections.values().any(|one| one.gateway == id && world.vpn_state(one) != "deleted");
    let at_it = |one: &super::dx_interfaces::Interface| one.gateway == id && one.deleted.is_none();
    if attached || used || world.lines.interfaces.values().any(at_it) {
        let message = format!("The vpnGateway ID '{id}' is in use and cannot be deleted.");
        return Err(Refusal::new("IncorrectState", message));
    }
    let now = world.now;
    if let Some(gateway) = call.world.vpn_gateways.get_mut(&id) {
        (gateway.deleted, gateway.attachment) = (Some(now), None);
    }
    Ok(Xml::new().text("return", true))
}

/// Turns propagation on or off. The gateway must be attached to the table's VPC.
pub(super) fn propagate(call: &mut Call<'_>, on: bool) -> Result<Xml, Refusal> {
    let (gateway, table) = (call.ask.need("GatewayId")?.to_string(), call.ask.need("RouteTableId")?.to_string());
    let world = &*call.world;
    live(world, &gateway)?;
    let vpc = &world.route_table(&table)?.vpc;
    if on && !is_attached(world, &gateway, vpc) {
        let message = format!("Virtual private gateway {gateway} is not attached to the network {vpc}");
        return Err(Refusal::new("Gateway.NotAttached", message));
    }
    if let Some(table) = call.world.route_tables.get_mut(&table) {
        table.propagating.retain(|one| *one != gateway);
        if on {
            table.propagating.push(gateway);
        }
    }
    Ok(Xml::new().text("return", true))
}
