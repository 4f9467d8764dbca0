//! Internet gateways.

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::quotas::allowed;
use super::refusal::Refusal;
use super::tags;
use super::world::{InternetGateway, World};
use super::xml::Xml;

pub(super) async fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::InternetGateway)?;
    if call.world.gateways.len() >= allowed(call.world, "L-A4707A72").max(allowed(call.world, "L-F678F1CE")) {
        let message = "The maximum number of internet gateways has been reached.";
        return Err(Refusal::new("InternetGatewayLimitExceeded", message));
    }
    let id = call.pass_for("internetGatewayId", &[]).await?;
    call.world.born(&id, tags);
    call.world.gateways.insert(id.clone(), InternetGateway::default());
    Ok(Xml::new().tree("internetGateway", item(call.world, &id)))
}

fn item(world: &World, id: &str) -> Xml {
    let vpc = world.gateways.get(id).and_then(|gateway| gateway.vpc.as_ref());
    let attached = vpc.map(|vpc| Xml::new().text("vpcId", vpc).text("state", "available"));
    let head = Xml::new().text("internetGatewayId", id).text("ownerId", &world.account);
    head.set("attachmentSet", attached).set("tagSet", world.tag_set(id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("InternetGatewayId", Kind::InternetGateway, &world.gateways)?;
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("internet-gateway-id", "internetGatewayId"),
        ("attachment.vpc-id", "attachmentSet/item/vpcId"),
        ("attachment.state", "attachmentSet/item/state"),
        ("owner-id", "ownerId"),
    ];
    describe(call.ask, "internetGatewaySet", items.collect(), filters)
}

pub(super) async fn attach(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, vpc) = both(call)?;
    if let Some(other) = &call.world.gateway(&id)?.vpc {
        let message = format!("resource {id} is already attached to network {other}");
        return Err(Refusal::new("Resource.AlreadyAssociated", message));
    }
    if call.world.has_internet(&vpc) {
        let message = format!("Network {vpc} already has an internet gateway attached");
        return Err(Refusal::value(message));
    }
    call.pass().await?;
    set(call.world, &id, Some(vpc))
}

pub(super) async fn detach(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, vpc) = both(call)?;
    if call.world.gateway(&id)?.vpc.as_deref() != Some(&*vpc) {
        let message = format!("resource {id} is not attached to network {vpc}");
        return Err(Refusal::new("Gateway.NotAttached", message));
    }
    let world = &*call.world;
    let instance = |(id, i): (&String, &super::world::Instance)| {
        i.vpc == vpc && world.public_ip(id, i).is_some() && i.terminated.is_none()
    };
    let nat = |n: &super::world::NatGateway| n.vpc == vpc && n.public && world.holds(n);
    if world.instances.iter().any(instance) || world.nats.values().any(nat) {
        let message = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        return Err(Refusal::new("DependencyViolation", message));
    }
    call.pass().await?;
    set(call.world, &id, None)
}

fn both(call: &Call<'_>) -> Result<(String, String), Refusal> {
    let (id, vpc) = (call.ask.need("InternetGatewayId")?, call.ask.need("VpcId")?);
    call.world.gateway(id)?;
    call.world.vpc(vpc)?;
    Ok((id.into(), vpc.into()))
}

fn set(world: &mut World, id: &str, vpc: Option<String>) -> Result<Xml, Refusal> {
    if let Some(gateway) = world.gateways.get_mut(id) {
        gateway.vpc = vpc;
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("InternetGatewayId")?.to_string();
    if call.world.gateway(&id)?.vpc.is_some() {
        return Err(Refusal::depends("internetGateway", &id));
    }
    call.pass().await?;
    call.world.gateways.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true))
}
