//! The types of the network behind Cloud Control: load balancers, endpoints of services, flow logs, further ranges of VPCs.
//!
//! Rules: "Elastic Load Balancing API Reference, version 2015-12-01" and "Amazon EC2 API Reference", the pages of the calls
//! that the handlers make. Nothing is balanced, and nothing is logged.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde_json::{Value as Json, json};

use super::control::Resource;
use super::control_types::{Failed, Model, refused, text};
use super::places;
use super::vpc;
use super::world::World;
use crate::aws::ResourceType;

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const LISTENER: &str = "AWS::ElasticLoadBalancingV2::Listener";
const TARGETS: &str = "AWS::ElasticLoadBalancingV2::TargetGroup";

fn list<'m>(model: &'m Model, name: &str) -> Vec<&'m str> {
    model.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

/// The target groups to which a listener sends what comes.
fn target_groups(listener: &Model) -> Vec<&str> {
    let actions = listener.get("DefaultActions").and_then(Json::as_array).into_iter().flatten();
    actions.filter_map(|action| action["TargetGroupArn"].as_str()).collect()
}

/// Would the handler leave it so?
pub(super) fn may_be(world: &World, kind: &ResourceType, model: &Model) -> Result<(), Failed> {
    let there = |of: &str, id: &str| world.control.seen(world, of, id).is_some();
    let there_is_vpc = || match text(model, "VpcId") {
        "" => Ok(()),
        vpc if world.vpcs.contains_key(vpc) => Ok(()),
        vpc => Err(("NotFound", format!("The vpc ID '{vpc}' does not exist"))),
    };
    match kind.name {
        TARGETS => there_is_vpc(),
        BALANCER => balancer(world, model),
        LISTENER => {
            if !there(BALANCER, text(model, "LoadBalancerArn")) {
                return Err(("NotFound", "One or more load balancers not found".to_owned()));
            }
            match target_groups(model).into_iter().find(|group| !there(TARGETS, group)) {
                Some(group) => Err(("NotFound", format!("Target group '{group}' not found"))),
                None => Ok(()),
            }
        }
        "AWS::EC2::VPCEndpoint" => {
            there_is_vpc()?;
            if !text(model, "ServiceName").starts_with("com.amazonaws.") {
                return refused(format!("The Vpc Endpoint Service '{}' does not exist", text(model, "ServiceName")));
            }
            endpoint_stands(world, model)
        }
        vpc::BLOCK => {
            there_is_vpc()?;
            more_range(world, model)
        }
        "AWS::EC2::FlowLog" => {
            let of = text(model, "ResourceId");
            if !(world.vpcs.contains_key(of) || world.subnets.contains_key(of)) {
                return Err(("NotFound", format!("The resource '{of}' does not exist")));
            }
            let (group, role) = (text(model, "LogGroupName"), text(model, "DeliverLogsPermissionArn"));
            match text(model, "LogDestinationType") {
                "" | "cloud-watch-logs" if role.is_empty() => {
                    refused("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs")
                }
                "" | "cloud-watch-logs" if group.is_empty() && text(model, "LogDestination").is_empty() => {
                    refused("LogDestination can't be empty if LogGroupName is not provided.")
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// AWS PrivateLink, "Access an AWS service using an interface VPC endpoint": one subnet of a zone, and of zones only in which
/// the service is.
fn endpoint_stands(world: &World, model: &Model) -> Result<(), Failed> {
    let (service, mut zones) = (text(model, "ServiceName"), BTreeSet::new());
    for id in list(model, "SubnetIds") {
        let Some(subnet) = world.subnets.get(id) else {
            return Err(("NotFound", format!("The subnet ID '{id}' does not exist")));
        };
        if !places::has_endpoints(&world.account, &world.region, service, &subnet.zone) {
            return refused(format!(
                "The VPC endpoint service {service} does not support the availability zone of the subnet: {id}."
            ));
        }
        if !zones.insert(subnet.zone.as_str()) {
            return refused(format!(
                "DuplicateSubnetsInSameZone: Found another VPC endpoint subnet in the availability zone of {id}. VPC endpoint \
                 subnets should be in different availability zones supported by the VPC endpoint service."
            ));
        }
    }
    Ok(())
}

/// VPC user guide, "VPC CIDR blocks": five in all, none that overlaps another, and "IPv4 CIDR block association restrictions".
fn more_range(world: &World, model: &Model) -> Result<(), Failed> {
    let (vpc, asked) = (text(model, "VpcId"), text(model, "CidrBlock"));
    let Ok(cidr) = vpc::block(asked, "InvalidVpc.Range") else {
        return refused(format!("The CIDR '{asked}' is invalid."));
    };
    let first = world.vpcs.get(vpc).map(|vpc| vpc.cidr);
    let there: Vec<_> =
        first.into_iter().chain(vpc::associations(world, vpc).into_iter().map(|(net, _)| net)).collect();
    if there.iter().any(|other| other.contains(&cidr) || cidr.contains(other)) {
        return refused(format!("The CIDR '{asked}' conflicts with an existing CIDR block of the VPC"));
    }
    if is_restricted(&there, cidr) {
        return refused(format!(
            "The CIDR '{asked}' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a \
             publicly-routable CIDR."
        ));
    }
    if there.len() >= 5 {
        return Err((
            "ServiceLimitExceeded",
            "The limit for the number of CIDR blocks per VPC has been reached".to_owned(),
        ));
    }
    Ok(())
}

/// The first block counts for the family; what stands beside it, for the ranges that AWS itself is in.
fn is_restricted(there: &[Ipv4Net], asked: Ipv4Net) -> bool {
    let range = |a, b, bits| Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, 0, 0), bits);
    let has = |whole: Ipv4Net| there.iter().any(|one| whole.contains(one));
    let private = [range(10, 0, 8), range(172, 16, 12), range(192, 168, 16)];
    let family = |net: &Ipv4Net| private.iter().position(|whole| whole.contains(net));
    let other_family = family(&asked).is_some() && there.first().and_then(family) != family(&asked);
    other_family
        || range(198, 19, 16).contains(&asked)
        || (range(10, 0, 16).contains(&asked) && has(range(10, 0, 15)))
        || (range(172, 31, 16).contains(&asked) && has(range(172, 16, 12)))
}

fn balancer(world: &World, model: &Model) -> Result<(), Failed> {
    let mapped = model.get("SubnetMappings").and_then(Json::as_array).into_iter().flatten();
    let mapped = mapped.filter_map(|one| one["SubnetId"].as_str());
    let subnets: Vec<&str> = list(model, "Subnets").into_iter().chain(mapped).collect();
    if let Some(unknown) = subnets.iter().find(|id| !world.subnets.contains_key(**id)) {
        return Err(("NotFound", format!("The subnet ID '{unknown}' does not exist")));
    }
    let zones: BTreeSet<&str> = subnets.iter().filter_map(|id| Some(world.subnets.get(*id)?.zone.as_str())).collect();
    if zones.len() < 2 && ["", "application"].contains(&text(model, "Type")) {
        return refused("At least two subnets in two different Availability Zones must be specified");
    }
    Ok(())
}

/// Does anything hold it back?
pub(super) fn may_go(world: &World, one: &Resource) -> Result<(), Failed> {
    if one.kind == vpc::BLOCK
        && let Ok(range) = text(&one.model, "CidrBlock").parse::<Ipv4Net>()
        && world.subnets.values().any(|subnet| subnet.vpc == text(&one.model, "VpcId") && range.contains(&subnet.cidr))
    {
        return refused(format!("The CIDR block {range} is in use by subnets of the VPC"));
    }
    let mut listeners = world.control.of_kind(LISTENER, world.now);
    if one.kind == TARGETS && listeners.any(|listener| target_groups(&listener.model).contains(&one.id.as_str())) {
        let message = format!("Target group '{}' is currently in use by a listener or a rule", one.id);
        return Err(("ResourceConflict", message));
    }
    Ok(())
}

/// Its identifier, and what is added to what was asked; none where the type is another one's.
pub(super) fn made(world: &mut World, kind: &ResourceType, state: &Model) -> Option<(String, Json)> {
    let mut new = |prefix: &str| world.mint(prefix);
    let name = |new: &mut dyn FnMut(&str) -> String, of: &str| match text(state, "Name") {
        "" => new(of),
        name => name.to_owned(),
    };
    let (id, added) = match kind.name {
        TARGETS => {
            let name = name(&mut new, "targets");
            let full = format!("targetgroup/{name}/{}", hash(&new("targets")));
            let own = json!({
                "TargetGroupName": name, "TargetGroupFullName": full, "TargetType": "instance",
                "HealthCheckEnabled": true, "LoadBalancerArns": [],
            });
            (full, own)
        }
        BALANCER => {
            let name = name(&mut new, "balancer");
            let (family, number) = match text(state, "Type") {
                "network" => ("net", hash(&new("balancer"))),
                _ => ("app", hash(&new("balancer"))),
            };
            let full = format!("{family}/{name}/{number}");
            let address = format!("{name}-{number}.{}.elb.amazonaws.com", world.region);
            let own = json!({
                "LoadBalancerName": name, "LoadBalancerFullName": full, "DNSName": address,
                "CanonicalHostedZoneID": "Z32O12XQLNTSW2", "Type": "application", "Scheme": "internet-facing",
            });
            (format!("loadbalancer/{full}"), own)
        }
        LISTENER => {
            let of = text(state, "LoadBalancerArn").replace(":loadbalancer/", ":listener/");
            return Some((format!("{of}/{}", hash(&new("listener"))), json!({})));
        }
        "AWS::EC2::VPCEndpoint" => {
            let id = new("vpce");
            return Some((id.clone(), json!({ "Id": id, "VpcEndpointType": "Gateway", "PrivateDnsEnabled": false })));
        }
        vpc::BLOCK => {
            let id = new("vpc-cidr-assoc");
            return Some((format!("{id}|{}", text(state, "VpcId")), json!({ "Id": id })));
        }
        "AWS::EC2::FlowLog" => {
            let id = new("fl");
            return Some((id.clone(), json!({ "Id": id, "MaxAggregationInterval": 600 })));
        }
        _ => return None,
    };
    Some((format!("arn:aws:elasticloadbalancing:{}:{}:{id}", world.region, world.account), added))
}

fn hash(minted: &str) -> String {
    blake3::hash(minted.as_bytes()).to_hex()[..16].to_owned()
}
