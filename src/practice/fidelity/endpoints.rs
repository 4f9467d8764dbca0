//! Interface endpoints: a service of AWS under an address inside the VPC, and under its usual name where private DNS is on.
//!
//! Rules: "AWS PrivateLink", Access an AWS service using an interface VPC endpoint; for mail "Amazon SES Developer Guide",
//! Setting up VPC endpoints with Amazon SES.

use std::net::Ipv4Addr;

use serde_json::Value as Json;

use super::control::Resource;
use super::world::World;

const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";

/// The door of a service in a VPC.
pub(super) struct Door<'w> {
    pub address: Ipv4Addr,
    pub groups: Vec<String>,
    vpc: &'w str,
    /// `email-smtp`
    service: &'w str,
}

/// The one that a name of AWS's leads to from that VPC.
pub(super) fn called<'w>(world: &'w World, vpc: &str, name: &str) -> Option<Door<'w>> {
    let domain = format!(".{}.amazonaws.com.", world.region);
    let service = name.strip_suffix(&domain)?;
    doors(world).find(|door| door.vpc == vpc && door.service == service)
}

/// The one at that address.
pub(super) fn at<'w>(world: &'w World, vpc: &str, address: Ipv4Addr) -> Option<Door<'w>> {
    doors(world).find(|door| door.vpc == vpc && door.address == address)
}

fn doors(world: &World) -> impl Iterator<Item = Door<'_>> {
    (1..).zip(world.control.of_kind(ENDPOINT, world.now)).filter_map(|(number, one)| door(world, one, number))
}

fn door<'w>(world: &'w World, endpoint: &'w Resource, number: u32) -> Option<Door<'w>> {
    let text = |name: &str| endpoint.model.get(name).and_then(Json::as_str);
    let named = endpoint.model.get("PrivateDnsEnabled").and_then(Json::as_bool) == Some(true);
    if text("VpcEndpointType") != Some("Interface") || !named {
        return None;
    }
    let subnet = world.subnets.get(listed(endpoint, "SubnetIds").next()?)?;
    // Hosts get theirs from the beginning of the subnet, endpoints from its end, before the one that is AWS's own.
    let address = Ipv4Addr::from(u32::from(subnet.cidr.broadcast()) - number);
    let service = text("ServiceName")?.strip_prefix(&format!("com.amazonaws.{}.", world.region))?;
    Some(Door {
        address,
        groups: listed(endpoint, "SecurityGroupIds").map(str::to_owned).collect(),
        vpc: text("VpcId")?,
        service,
    })
}

/// Where an endpoint stands in the VPC.
pub(super) struct Interface<'w> {
    pub endpoint: &'w str,
    pub interface: String,
    pub subnet: &'w str,
    pub vpc: &'w str,
    pub groups: Vec<String>,
}

/// One of each endpoint in each of its subnets.
pub(super) fn interfaces(world: &World) -> impl Iterator<Item = Interface<'_>> {
    world.control.of_kind(ENDPOINT, world.now).flat_map(|one| {
        let groups: Vec<String> = listed(one, "SecurityGroupIds").map(str::to_owned).collect();
        listed(one, "SubnetIds").enumerate().filter_map(move |(number, subnet)| {
            Some(Interface {
                endpoint: &one.id,
                interface: format!("eni-{number}{}", one.id.trim_start_matches("vpce-").get(1..)?),
                subnet,
                vpc: one.model.get("VpcId")?.as_str()?,
                groups: groups.clone(),
            })
        })
    })
}

fn listed<'w>(endpoint: &'w Resource, name: &str) -> impl Iterator<Item = &'w str> {
    endpoint.model.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}
