//! NAT gateways: minutes of `pending`, and failures that come afterwards and only in the description.

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::quotas::allowed;
use super::refusal::Refusal;
use super::tags;
use super::tokens;
use super::world::{AddressAssociation, NatGateway, World, stamp};
use super::xml::Xml;

pub(super) async fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::NatGateway)?;
    if let Some(id) = tokens::made_before(call)?.and_then(|ids| ids.into_iter().next()) {
        return Ok(created(call, &id));
    }
    let subnet_id = call.ask.need("SubnetId")?.to_string();
    // This call alone has its own words for an unknown subnet and an unknown address.
    let subnet = call.world.subnet(&subnet_id).map_err(|refusal| match refusal.code.as_str() {
        "InvalidSubnetID.NotFound" => Refusal::new("InvalidSubnet", refusal.message),
        _ => refusal,
    })?;
    let public = call.ask.get("ConnectivityType") != Some("private");
    let allocation = address(call, public)?;
    let zone = |id: &str| call.world.subnets.get(id).map(|subnet| &subnet.zone);
    let same_zone = |nat: &&NatGateway| zone(&nat.subnet) == Some(&subnet.zone) && call.world.holds(nat);
    if call.world.nats.values().filter(same_zone).count() >= allowed(call.world, "L-FE5A380F") {
        let message = format!("The maximum number of NAT gateways has been reached for the zone {}.", subnet.zone);
        return Err(Refusal::new("NatGatewayLimitExceeded", message));
    }
    let vpc = subnet.vpc.clone();
    let private_ip = call.world.free_address(&subnet_id, subnet);
    let failure = failure(call.world, &vpc, private_ip.is_none(), allocation.as_deref());
    let private_ip = private_ip.unwrap_or(subnet.cidr.addr());
    let id = call.pass_for("natGatewayId", &[]).await?;
    let world = &mut *call.world;
    world.born(&id, tags);
    let public_ip = allocation.as_ref().and_then(|allocation| world.addresses.get(allocation)).map(|a| a.ip);
    let (interface, association) = (world.mint("eni"), world.mint("eipassoc"));
    if let Some(address) = allocation.as_ref().filter(|_| failure.is_none()).and_then(|a| world.addresses.get_mut(a)) {
        address.association = Some(AddressAssociation { id: association, user: id.clone() });
    }
    let (subnet, created_at) = (subnet_id, world.now);
    let nat = NatGateway {
        vpc,
        subnet,
        public,
        allocation,
        public_ip,
        private_ip,
        interface,
        created: created_at,
        deleted: None,
        failure,
    };
    world.nats.insert(id.clone(), nat);
    tokens::remember(call, vec![id.clone()]);
    Ok(created(call, &id))
}

fn address(call: &Call<'_>, public: bool) -> Result<Option<String>, Refusal> {
    if !public {
        return Ok(None);
    }
    let id = call.ask.need("AllocationId")?;
    let wrong = |code: &str, why: &str| Refusal::new(code, format!("The elastic-ip ID '{id}' {why}"));
    Kind::Address.check_shape(id).map_err(|_| wrong("InvalidElasticIpID.Malformed", "is malformed"))?;
    let unknown = |_| wrong("InvalidElasticIpID.NotFound", "does not exist");
    call.world.find(Kind::Address, &call.world.addresses, id).map_err(unknown)?;
    Ok(Some(id.to_string()))
}

/// What makes a gateway fail after it was accepted (docs of the type NatGateway, `FailureMessage`).
fn failure(world: &World, vpc: &str, full: bool, allocation: Option<&str>) -> Option<(String, String)> {
    let failed = |code: &str, message: String| Some((code.to_string(), message));
    let used = allocation.and_then(|id| world.addresses.get(id)).is_some_and(|a| a.association.is_some());
    match allocation {
        Some(id) if used => {
            failed("Resource.AlreadyAssociated", format!("Elastic IP address {id} is already associated"))
        }
        Some(_) if !world.has_internet(vpc) => {
            failed("Gateway.NotAttached", format!("Network {vpc} has no Internet gateway attached"))
        }
        _ if full => {
            let message = "Subnet has insufficient free addresses to create this NAT gateway";
            failed("InsufficientFreeAddressesInSubnet", message.into())
        }
        _ => None,
    }
}

fn created(call: &Call<'_>, id: &str) -> Xml {
    Xml::new().maybe("clientToken", call.ask.get("ClientToken")).tree("natGateway", item(call.world, id, true))
}

fn item(world: &World, id: &str, just_made: bool) -> Xml {
    let Some(nat) = world.nats.get(id) else { return Xml::new().text("natGatewayId", id) };
    let state = if just_made && nat.deleted.is_none() { "pending" } else { world.nat_state(nat) };
    let failure = nat.failure.as_ref().filter(|_| state == "failed");
    let association = nat.allocation.as_ref().and_then(|id| world.addresses.get(id)?.association.as_ref());
    let address = Xml::new().maybe("allocationId", nat.allocation.as_ref()).text("networkInterfaceId", &nat.interface);
    let address = address.text("privateIp", nat.private_ip).maybe("publicIp", nat.public_ip).text("isPrimary", true);
    let address = address.maybe("associationId", association.filter(|a| a.user == id).map(|a| &a.id));
    let address = address.text("status", if state == "failed" { "failed" } else { "succeeded" });
    let head =
        Xml::new().text("natGatewayId", id).text("vpcId", &nat.vpc).text("subnetId", &nat.subnet).text("state", state);
    let head = head.text("connectivityType", if nat.public { "public" } else { "private" });
    let head = head.text("createTime", stamp(nat.created)).maybe("deleteTime", nat.deleted.map(stamp));
    let head = head.maybe("failureCode", failure.map(|f| &f.0)).maybe("failureMessage", failure.map(|f| &f.1));
    head.set("natGatewayAddressSet", [address]).set("tagSet", world.tag_set(id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("NatGatewayId", Kind::NatGateway, &world.nats)?;
    let items = ids.iter().map(|id| item(world, id, false));
    let filters =
        &[("nat-gateway-id", "natGatewayId"), ("state", "state"), ("subnet-id", "subnetId"), ("vpc-id", "vpcId")];
    describe(call.ask, "natGatewaySet", items.collect(), filters)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("NatGatewayId")?.to_string();
    let nat = call.world.find(Kind::NatGateway, &call.world.nats, &id)?;
    if nat.deleted.is_none() {
        call.pass().await?;
        let now = call.world.now;
        if let Some(nat) = call.world.nats.get_mut(&id) {
            nat.deleted = Some(now);
        }
    }
    Ok(Xml::new().text("natGatewayId", id))
}
