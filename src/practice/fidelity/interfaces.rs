//! Network interfaces: those of instances, NAT gateways and endpoints. Nobody makes one by itself here.

use std::net::Ipv4Addr;

use super::Call;
use super::describe::describe;
use super::endpoints;
use super::refusal::Refusal;
use super::world::World;
use super::xml::Xml;

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let filters = &[
        ("network-interface-id", "networkInterfaceId"),
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("group-id", "groupSet/item/groupId"),
        ("attachment.instance-id", "attachment/instanceId"),
        ("interface-type", "interfaceType"),
        ("description", "description"),
        ("status", "status"),
    ];
    let items = of_instances(world).chain(of_gateways(world)).chain(of_endpoints(world));
    describe(call.ask, "networkInterfaceSet", items.collect(), filters)
}

fn item(id: &str, kind: &str, subnet: &str, vpc: &str, groups: &[String]) -> Xml {
    let groups = groups.iter().map(|group| Xml::new().text("groupId", group));
    let head = Xml::new().text("networkInterfaceId", id).text("subnetId", subnet).text("vpcId", vpc);
    head.text("interfaceType", kind).text("status", "in-use").set("groupSet", groups)
}

/// The public address that stands for it outside.
fn seen_as(head: Xml, public: Option<Ipv4Addr>) -> Xml {
    match public {
        Some(address) => head.tree("association", Xml::new().text("publicIp", address)),
        None => head,
    }
}

fn of_instances(world: &World) -> impl Iterator<Item = Xml> {
    world.instances.iter().filter(|(_, one)| one.terminated.is_none()).map(|(id, one)| {
        let head = item(&one.interface, "interface", &one.subnet, &one.vpc, &one.groups);
        let head = seen_as(head, world.public_ip(id, one));
        head.text("description", "").tree("attachment", Xml::new().text("instanceId", id))
    })
}

fn of_gateways(world: &World) -> impl Iterator<Item = Xml> {
    world.nats.iter().filter(|(_, one)| world.holds(one)).map(|(id, one)| {
        let head = seen_as(item(&one.interface, "nat_gateway", &one.subnet, &one.vpc, &[]), one.public_ip);
        head.text("description", format!("Interface for NAT Gateway {id}"))
    })
}

fn of_endpoints(world: &World) -> impl Iterator<Item = Xml> {
    endpoints::interfaces(world).map(|one| {
        let head = item(&one.interface, "vpc_endpoint", one.subnet, one.vpc, &one.groups);
        head.text("description", format!("VPC Endpoint Interface {}", one.endpoint))
    })
}
