//! Is there room in the account for what a plan would make? Read from Service Quotas and counted, never guessed.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::aws_quota::Quota;
use super::aws_rds::tags_of;
use super::aws_resolver::tags_of as endpoint_tags;
use super::pages::all_pages;
use super::world::Worlds;
use crate::aws::ec2::types::{Instance, InstanceStateName, NatGatewayState, Tag, VpnState};
use crate::aws::{self, AwsFailure, Cloud, Holder, Operation};
use crate::engagement::{Known, Limited, Room, in_order};
use crate::input::processors;

/// Which reads tell how much of it is used.
pub fn counted_by(limited: Limited) -> &'static [Operation] {
    match limited {
        Limited::Vpcs => &[Operation::DescribeVpcs],
        Limited::InternetGateways => &[Operation::DescribeInternetGateways],
        Limited::NatGateways => &[Operation::DescribeNatGateways, Operation::DescribeSubnets],
        Limited::Addresses => &[Operation::DescribeAddresses],
        Limited::SecurityGroups => &[Operation::DescribeSecurityGroups],
        Limited::Processors => &[Operation::DescribeInstances],
        Limited::CustomerGateways => &[Operation::DescribeCustomerGateways],
        Limited::VpnGateways => &[Operation::DescribeVpnGateways],
        Limited::VpnConnections => &[Operation::DescribeVpnConnections],
        Limited::ResolverEndpoints => &[Operation::ListResolverEndpoints, Operation::ResolverTags],
        Limited::Databases => &[Operation::DescribeDBInstances],
    }
}

impl Worlds {
    /// What the account has room for, beside what is planned; nothing where there is no way to the account.
    pub async fn room(&self, planned: BTreeMap<Limited, u64>) -> Vec<Room> {
        let Ok(cloud) = self.cloud() else { return Vec::new() };
        let cloud = &cloud;
        let rooms =
            planned.into_iter().map(|(of, planned)| async move { Room::new(of, planned, known(cloud, of).await) });
        in_order(join_all(rooms).await)
    }
}

async fn known(cloud: &Cloud, limited: Limited) -> Known {
    match counted(cloud, limited).await {
        Ok(Some(known)) => known,
        Ok(None) => Known::Untold { why: "AWS shows no such quota here".to_owned() },
        Err(failure) => Known::Untold { why: failure.to_string() },
    }
}

async fn counted(cloud: &Cloud, limited: Limited) -> Result<Option<Known>, AwsFailure> {
    let Some(quota) = Quota::of(limited).now(cloud).await? else { return Ok(None) };
    // Quotas that are counted are whole numbers.
    let allowed = quota.value().unwrap_or_default().max(0.0) as u64;
    Ok(Some(Known::Counted { allowed, used: used(cloud, limited, None).await?, adjustable: quota.adjustable() }))
}

/// How much of it there is in the region, without what an engagement has of its own, where one is named.
///
/// # Errors
/// AWS does not tell.
pub(super) async fn used(cloud: &Cloud, limited: Limited, beside: Option<&str>) -> Result<u64, AwsFailure> {
    let ec2 = cloud.ec2();
    let counts = |tags: &[Tag]| beside.is_none_or(|ours| !matches!(aws::holder(tags, ours), Holder::Us { .. }));
    let many = match limited {
        Limited::Vpcs => {
            let all = all_pages!(cloud, DescribeVpcs, ec2.describe_vpcs() => set_next_token, vpcs, next_token);
            all.iter().filter(|one| counts(one.tags())).count()
        }
        Limited::InternetGateways => {
            let all = all_pages!(cloud, DescribeInternetGateways, ec2.describe_internet_gateways() => set_next_token, internet_gateways, next_token);
            all.iter().filter(|one| counts(one.tags())).count()
        }
        Limited::SecurityGroups => {
            let all = all_pages!(cloud, DescribeSecurityGroups, ec2.describe_security_groups() => set_next_token, security_groups, next_token);
            all.iter().filter(|one| counts(one.tags())).count()
        }
        Limited::NatGateways => return fullest_zone(cloud, counts).await,
        Limited::Processors => return running_processors(cloud, counts).await,
        Limited::Addresses => {
            let request = ec2.describe_addresses();
            let answer = cloud.read(Operation::DescribeAddresses, || request.clone().send()).await?;
            answer.addresses().iter().filter(|one| counts(one.tags())).count()
        }
        Limited::CustomerGateways => {
            let request = ec2.describe_customer_gateways();
            let answer = cloud.read(Operation::DescribeCustomerGateways, || request.clone().send()).await?;
            answer.customer_gateways().iter().filter(|one| !is_gone(one.state()) && counts(one.tags())).count()
        }
        Limited::VpnGateways => {
            let request = ec2.describe_vpn_gateways();
            let answer = cloud.read(Operation::DescribeVpnGateways, || request.clone().send()).await?;
            let there = answer.vpn_gateways().iter().filter(|one| one.state() != Some(&VpnState::Deleted));
            there.filter(|one| counts(one.tags())).count()
        }
        Limited::VpnConnections => {
            let request = ec2.describe_vpn_connections();
            let answer = cloud.read(Operation::DescribeVpnConnections, || request.clone().send()).await?;
            let there = answer.vpn_connections().iter().filter(|one| one.state() != Some(&VpnState::Deleted));
            there.filter(|one| counts(one.tags())).count()
        }
        Limited::ResolverEndpoints => return resolver_endpoints(cloud, beside).await,
        Limited::Databases => {
            let all = all_pages!(cloud, DescribeDBInstances, cloud.databases().describe_db_instances() => set_marker, db_instances, marker);
            all.iter().filter(|one| beside.is_none_or(|ours| !is_of(ours, &tags_of(one.tag_list())))).count()
        }
    };
    Ok(many as u64)
}

fn is_gone(state: Option<&str>) -> bool {
    state == Some("deleted")
}

fn is_of(engagement: &str, tags: &BTreeMap<String, String>) -> bool {
    matches!(aws::holder_by(engagement, |wanted| tags.get(wanted).map(String::as_str)), Holder::Us { .. })
}

/// Route 53 Resolver tells the tags of each endpoint by itself.
async fn resolver_endpoints(cloud: &Cloud, beside: Option<&str>) -> Result<u64, AwsFailure> {
    let all = all_pages!(cloud, ListResolverEndpoints, cloud.resolver().list_resolver_endpoints() => set_next_token, resolver_endpoints, next_token);
    let Some(ours) = beside else { return Ok(all.len() as u64) };
    let mut many = 0;
    for arn in all.iter().filter_map(|one| one.arn()) {
        let tags = endpoint_tags(cloud, arn).await?.map(BTreeMap::from_iter);
        many += u64::from(tags.is_some_and(|tags| !is_of(ours, &tags)));
    }
    Ok(many)
}

/// NAT gateways in the zone that has most of them.
async fn fullest_zone(cloud: &Cloud, counts: impl Fn(&[Tag]) -> bool) -> Result<u64, AwsFailure> {
    let ec2 = cloud.ec2();
    let gateways =
        all_pages!(cloud, DescribeNatGateways, ec2.describe_nat_gateways() => set_next_token, nat_gateways, next_token);
    let there =
        gateways.iter().filter(|one| !matches!(one.state(), Some(NatGatewayState::Deleted | NatGatewayState::Failed)));
    let subnets: Vec<&str> = there.filter(|one| counts(one.tags())).filter_map(|one| one.subnet_id()).collect();
    if subnets.is_empty() {
        return Ok(0);
    }
    let zones: BTreeMap<String, String> =
        all_pages!(cloud, DescribeSubnets, ec2.describe_subnets() => set_next_token, subnets, next_token)
            .into_iter()
            .filter_map(|subnet| Some((subnet.subnet_id?, subnet.availability_zone?)))
            .collect();
    let mut many: BTreeMap<&str, u64> = BTreeMap::new();
    for subnet in subnets {
        *many.entry(zones.get(subnet).map_or("", String::as_str)).or_default() += 1;
    }
    Ok(many.into_values().max().unwrap_or_default())
}

/// Processors of standard instances that run or are about to: what is stopped does not count, and spot instances have a quota
/// of their own.
async fn running_processors(cloud: &Cloud, counts: impl Fn(&[Tag]) -> bool) -> Result<u64, AwsFailure> {
    let reservations = all_pages!(cloud, DescribeInstances, cloud.ec2().describe_instances() => set_next_token, reservations, next_token);
    let instances = reservations.iter().flat_map(|reservation| reservation.instances());
    let on_demand = instances.filter(|one| runs(one) && one.instance_lifecycle().is_none() && counts(one.tags()));
    Ok(on_demand.filter_map(|one| processors(one.instance_type()?.as_str())).sum())
}

fn runs(instance: &Instance) -> bool {
    let state = instance.state().and_then(|state| state.name());
    matches!(state, Some(InstanceStateName::Pending | InstanceStateName::Running))
}
