//! What still hangs on something that AWS does not let go. Said to a person, and taken for nothing else.

use super::account::Account;
use super::aws_compute::instances;
use crate::aws::ec2::types::{Filter, NetworkInterface, NetworkInterfaceType};
use crate::aws::{AwsFailure, Operation, filter};

const LIVE: [&str; 5] = ["pending", "running", "stopping", "stopped", "shutting-down"];

pub(super) async fn of_vpc(at: &Account<'_>, vpc: &str) -> Result<Vec<String>, AwsFailure> {
    let mut by = inside(at, "vpc-id", vpc).await?;
    let request = at.ec2().describe_subnets().filters(filter("vpc-id", [vpc]));
    let answer = at.cloud.read(Operation::DescribeSubnets, || request.clone().send()).await?;
    by.extend(answer.subnets().iter().filter_map(|one| one.subnet_id()).map(|id| format!("subnet {id}")));
    let request = at.ec2().describe_internet_gateways().filters(filter("attachment.vpc-id", [vpc]));
    let answer = at.cloud.read(Operation::DescribeInternetGateways, || request.clone().send()).await?;
    let gateways = answer.internet_gateways().iter().filter_map(|one| one.internet_gateway_id());
    by.extend(gateways.map(|id| format!("internet gateway {id}")));
    let request = at.ec2().describe_security_groups().filters(filter("vpc-id", [vpc]));
    let answer = at.cloud.read(Operation::DescribeSecurityGroups, || request.clone().send()).await?;
    // Every VPC has one of that name, which goes with it.
    let groups = answer.security_groups().iter().filter(|one| one.group_name() != Some("default"));
    by.extend(groups.filter_map(|one| one.group_id()).map(|id| format!("security group {id}")));
    let request = at.ec2().describe_route_tables().filters(filter("vpc-id", [vpc]));
    let answer = at.cloud.read(Operation::DescribeRouteTables, || request.clone().send()).await?;
    let tables =
        answer.route_tables().iter().filter(|one| !one.associations().iter().any(|one| one.main() == Some(true)));
    by.extend(tables.filter_map(|one| one.route_table_id()).map(|id| format!("route table {id}")));
    Ok(by)
}

pub(super) async fn of_subnet(at: &Account<'_>, subnet: &str) -> Result<Vec<String>, AwsFailure> {
    inside(at, "subnet-id", subnet).await
}

/// Public addresses of the VPC, which lead nowhere without its way out.
pub(super) async fn of_way_out(at: &Account<'_>, vpc: &str) -> Result<Vec<String>, AwsFailure> {
    let request = at.ec2().describe_network_interfaces().filters(filter("vpc-id", [vpc]));
    let answer = at.cloud.read(Operation::DescribeNetworkInterfaces, || request.clone().send()).await?;
    let said = |one: &NetworkInterface| {
        let address = one.association()?.public_ip()?;
        let instance = one.attachment().and_then(|attachment| attachment.instance_id());
        let what = instance.map(|id| format!("instance {id}")).or(one.description().map(str::to_owned));
        let what = what.filter(|what| !what.is_empty()).or(one.network_interface_id().map(str::to_owned))?;
        Some(format!("public address {address} ({what})"))
    };
    Ok(answer.network_interfaces().iter().filter_map(said).collect())
}

/// Interfaces that are no instance's and no NAT gateway's: a load balancer's, a database's, an endpoint's, a function's. Whose
/// they are, their description says.
async fn interfaces(at: &Account<'_>, by: &str, id: &str) -> Result<Vec<String>, AwsFailure> {
    let request = at.ec2().describe_network_interfaces().filters(filter(by, [id]));
    let answer = at.cloud.read(Operation::DescribeNetworkInterfaces, || request.clone().send()).await?;
    let others = answer.network_interfaces().iter().filter(|one| {
        let of_instance = one.attachment().is_some_and(|attachment| attachment.instance_id().is_some());
        !of_instance && one.interface_type() != Some(&NetworkInterfaceType::NatGateway)
    });
    let said = |one: &NetworkInterface| {
        let id = one.network_interface_id()?;
        let what = one.description().filter(|text| !text.is_empty()).or(one.interface_type().map(|kind| kind.as_str()));
        let whose = one.requester_id().map(|who| format!(", made by {who}")).unwrap_or_default();
        Some(format!("network interface {id} ({}{whose})", what.unwrap_or("no description")))
    };
    Ok(others.filter_map(said).collect())
}

pub(super) async fn of_group(at: &Account<'_>, group: &str) -> Result<Vec<String>, AwsFailure> {
    let mut by = hosts(at, vec![filter("instance.group-id", [group])]).await?;
    by.extend(interfaces(at, "group-id", group).await?);
    let request = at.ec2().describe_security_groups().filters(filter("ip-permission.group-id", [group]));
    let answer = at.cloud.read(Operation::DescribeSecurityGroups, || request.clone().send()).await?;
    let others = answer.security_groups().iter().filter_map(|one| one.group_id()).filter(|id| *id != group);
    by.extend(others.map(|id| format!("a rule of security group {id}")));
    Ok(by)
}

/// Instances and NAT gateways, wherever that is.
async fn inside(at: &Account<'_>, by: &str, id: &str) -> Result<Vec<String>, AwsFailure> {
    let mut found = hosts(at, vec![filter(by, [id])]).await?;
    let filters = vec![filter(by, [id]), filter("state", ["pending", "available", "deleting"])];
    let request = at.ec2().describe_nat_gateways().set_filter(Some(filters));
    let answer = at.cloud.read(Operation::DescribeNatGateways, || request.clone().send()).await?;
    let gateways = answer.nat_gateways().iter().filter_map(|one| one.nat_gateway_id());
    found.extend(gateways.map(|id| format!("NAT gateway {id}")));
    found.extend(interfaces(at, by, id).await?);
    Ok(found)
}

async fn hosts(at: &Account<'_>, mut filters: Vec<Filter>) -> Result<Vec<String>, AwsFailure> {
    filters.push(filter("instance-state-name", LIVE));
    let there = instances(at, filters).await?;
    Ok(there.iter().filter_map(|one| one.instance_id()).map(|id| format!("instance {id}")).collect())
}
