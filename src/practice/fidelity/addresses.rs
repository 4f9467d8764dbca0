//! Elastic addresses.

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::quotas::allowed;
use super::refusal::Refusal;
use super::tags;
use super::world::{Address, AddressAssociation, World};
use super::xml::Xml;

pub(super) async fn allocate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::Address)?;
    let full = || Refusal::new("AddressLimitExceeded", "The maximum number of addresses has been reached.");
    if call.world.addresses.len() >= allowed(call.world, "L-0263D0A3") {
        return Err(full());
    }
    let ip = call.world.free_public().ok_or_else(full)?;
    let id = call.pass_for("allocationId", &[]).await?;
    call.world.born(&id, tags);
    call.world.addresses.insert(id.clone(), Address { ip, association: None });
    let head = Xml::new().text("publicIp", ip).text("allocationId", &id).text("publicIpv4Pool", "amazon");
    Ok(head.text("networkBorderGroup", &call.world.region).text("domain", "vpc"))
}

fn item(world: &World, id: &str) -> Xml {
    let Some(address) = world.addresses.get(id) else { return Xml::new() };
    let head = Xml::new().text("publicIp", address.ip).text("allocationId", id).text("domain", "vpc");
    let head = head.text("publicIpv4Pool", "amazon").text("networkBorderGroup", &world.region);
    let head = head.set("tagSet", world.tag_set(id));
    let Some(association) = &address.association else { return head };
    let head = head.text("associationId", &association.id).text("networkInterfaceOwnerId", &world.account);
    if let Some(instance) = world.instances.get(&association.user) {
        let head = head.text("instanceId", &association.user).text("networkInterfaceId", &instance.interface);
        return head.text("privateIpAddress", instance.private_ip);
    }
    match world.nats.get(&association.user) {
        Some(nat) => head.text("networkInterfaceId", &nat.interface).text("privateIpAddress", nat.private_ip),
        None => head,
    }
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let mut ids = call.wanted("AllocationId", Kind::Address, &world.addresses)?;
    for ip in call.ask.list("PublicIp") {
        let known = ids.iter().any(|id| world.addresses[id].ip.to_string() == ip);
        if !known {
            return Err(Refusal::new("InvalidAddress.NotFound", format!("Address '{ip}' not found.")));
        }
    }
    let wanted = call.ask.list("PublicIp");
    ids.retain(|id| wanted.is_empty() || wanted.contains(&world.addresses[id].ip.to_string().as_str()));
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("allocation-id", "allocationId"),
        ("association-id", "associationId"),
        ("instance-id", "instanceId"),
        ("network-interface-id", "networkInterfaceId"),
        ("private-ip-address", "privateIpAddress"),
        ("public-ip", "publicIp"),
        ("network-border-group", "networkBorderGroup"),
        ("domain", "domain"),
    ];
    describe(call.ask, "addressesSet", items.collect(), filters)
}

/// Reassociation is automatic, unless it is forbidden (docs of AssociateAddress, `AllowReassociation`).
pub(super) async fn associate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("AllocationId")?.to_string();
    let address = call.world.find(Kind::Address, &call.world.addresses, &id)?;
    let user = target(call)?;
    let instance = call.world.instance(&user)?;
    let state = call.world.instance_state(instance);
    if state != "running" {
        let message = format!("The {state} instance '{user}' is not in a valid state for this operation.");
        return Err(Refusal::new("IncorrectInstanceState", message));
    }
    if !call.world.has_internet(&instance.vpc) {
        let message = format!("Network {} is not attached to any internet gateway", instance.vpc);
        return Err(Refusal::new("Gateway.NotAttached", message));
    }
    if let Some(association) = &address.association {
        if association.user == user {
            return Ok(Xml::new().text("return", true).text("associationId", &association.id));
        }
        if call.ask.get("AllowReassociation") == Some("false") || call.world.nats.contains_key(&association.user) {
            let message = format!("resource {id} is already associated with associate-id {}", association.id);
            return Err(Refusal::new("Resource.AlreadyAssociated", message));
        }
    }
    let other = call.world.address_of(&user).map(|(id, _)| id.to_string());
    if other.is_some() && call.ask.get("AllowReassociation") == Some("false") {
        let message = format!("resource {} is already associated with another address", instance.interface);
        return Err(Refusal::new("Resource.AlreadyAssociated", message));
    }
    let association = call.pass_for("associationId", &[]).await?;
    if let Some(other) = other.and_then(|id| call.world.addresses.get_mut(&id)) {
        other.association = None;
    }
    if let Some(instance) = call.world.instances.get_mut(&user) {
        // An elastic address takes the place of the one that the instance was born with, for good.
        instance.own_public_ip = None;
    }
    if let Some(address) = call.world.addresses.get_mut(&id) {
        address.association = Some(AddressAssociation { id: association.clone(), user });
    }
    Ok(Xml::new().text("return", true).text("associationId", association))
}

/// The instance, given by itself or by its network interface.
fn target(call: &Call<'_>) -> Result<String, Refusal> {
    if let Some(interface) = call.ask.get("NetworkInterfaceId") {
        let mut all = call.world.instances.iter();
        let found = all.find(|(_, instance)| instance.interface == interface).map(|(id, _)| id.clone());
        return found.ok_or_else(|| Kind::Interface.not_found(interface));
    }
    call.ask.need("InstanceId").map(str::to_string)
}

pub(super) async fn disassociate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let asked = call.ask.need("AssociationId")?.to_string();
    let none = || Refusal::new("InvalidAssociationID.NotFound", format!("The association ID '{asked}' does not exist"));
    let mut all = call.world.addresses.iter().filter_map(|(id, a)| Some((id, a.association.as_ref()?)));
    let (id, association) = all.find(|(_, association)| association.id == asked).ok_or_else(none)?;
    if call.world.nats.contains_key(&association.user) {
        let message = "You do not have permission to access the specified resource.";
        return Err(Refusal::new("AuthFailure", message));
    }
    let id = id.clone();
    call.pass().await?;
    if let Some(address) = call.world.addresses.get_mut(&id) {
        address.association = None;
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn release(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("AllocationId")?.to_string();
    let address = call.world.find(Kind::Address, &call.world.addresses, &id)?;
    if address.association.is_some() {
        return Err(Refusal::new("InvalidIPAddress.InUse", format!("Address {} is in use.", address.ip)));
    }
    call.pass().await?;
    call.world.addresses.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true))
}
