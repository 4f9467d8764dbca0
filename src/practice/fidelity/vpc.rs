//! VPCs and subnets.

use ipnet::Ipv4Net;
use serde_json::Value as Json;

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::places;
use super::quotas::allowed;
use super::refusal::Refusal;
use super::tags;
use super::world::{RouteTable, Subnet, TableAssociation, Tags, Vpc, World};
use super::xml::Xml;
use super::{dhcp, endpoints, groups, routes, vpn};

/// docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
const MOST_SUBNETS: usize = 200;

/// The type of a further range, which Cloud Control keeps.
pub(super) const BLOCK: &str = "AWS::EC2::VPCCidrBlock";

/// A block as AWS reads it: brought to its canonical form, between /16 and /28, and not of the blocks that mean
/// something else (docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html).
pub(super) fn block(text: &str, code: &str) -> Result<Ipv4Net, Refusal> {
    let malformed = || {
        Refusal::value(format!("Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."))
    };
    let given: Ipv4Net = text.parse().map_err(|_| malformed())?;
    let block = given.trunc();
    let special = [[0, 8], [127, 8]].iter().any(|[first, _]| block.addr().octets()[0] == *first)
        || block.addr().is_link_local()
        || block.addr().octets()[0] >= 224;
    if special || !(16..=28).contains(&block.prefix_len()) {
        return Err(Refusal::new(code, format!("The CIDR '{text}' is invalid.")));
    }
    Ok(block)
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let cidr = block(call.ask.need("CidrBlock")?, "InvalidVpc.Range")?;
    let tags = tags::of(call.ask, Kind::Vpc)?;
    let tenancy = call.ask.get("InstanceTenancy").unwrap_or("default").to_string();
    if !["default", "dedicated"].contains(&tenancy.as_str()) {
        return Err(Refusal::value(format!("Value ({tenancy}) for parameter instanceTenancy is invalid.")));
    }
    if call.world.vpcs.len() >= allowed(call.world, "L-F678F1CE") {
        return Err(Refusal::new("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
    }
    let id = call.pass_for("vpcId", &[("CidrBlock", &cidr.to_string())]).await?;
    call.world.born(&id, tags);
    let vpc =
        Vpc { cidr, is_default: false, tenancy, dns_support: true, dns_hostnames: false, dhcp: dhcp::FIRST.into() };
    call.world.vpcs.insert(id.clone(), vpc);
    let main = call.make("CreateRouteTable", &[("VpcId", &id)], "routeTableId").await?;
    call.world.born(&main, Tags::new());
    let association = TableAssociation { id: call.world.mint("rtbassoc"), subnet: None };
    let table = RouteTable {
        vpc: id.clone(),
        routes: routes::local(cidr),
        associations: vec![association],
        propagating: vec![],
    };
    call.world.route_tables.insert(main, table);
    groups::make_default(call, &id).await?;
    Ok(Xml::new().tree("vpc", vpc_item(call.world, &id, "pending")))
}

/// The ranges that were added to a VPC, with the identifier that Cloud Control has for each.
pub(super) fn associations(world: &World, vpc: &str) -> Vec<(Ipv4Net, String)> {
    let all = world.control.of_kind(BLOCK, world.now);
    let of_vpc = all.filter(|one| one.model.get("VpcId").and_then(Json::as_str) == Some(vpc));
    of_vpc.filter_map(|one| Some((one.model.get("CidrBlock")?.as_str()?.parse().ok()?, one.id.clone()))).collect()
}

/// Every range of a VPC.
pub(super) fn blocks(world: &World, vpc: &str) -> Vec<Ipv4Net> {
    let first = world.vpcs.get(vpc).map(|one| one.cidr);
    first.into_iter().chain(more_blocks(world, vpc)).collect()
}

fn more_blocks(world: &World, vpc: &str) -> Vec<Ipv4Net> {
    associations(world, vpc).into_iter().map(|(cidr, _)| cidr).collect()
}

fn vpc_item(world: &World, id: &str, state: &str) -> Xml {
    let Some(vpc) = world.vpcs.get(id) else { return Xml::new() };
    let block = |(cidr, association): (Ipv4Net, String)| {
        let block = Xml::new().text("cidrBlock", cidr).text("associationId", association);
        block.tree("cidrBlockState", Xml::new().text("state", "associated"))
    };
    let first = (vpc.cidr, id.replace("vpc-", "vpc-cidr-assoc-"));
    let more =
        associations(world, id).into_iter().filter_map(|(cidr, id)| Some((cidr, id.split('|').next()?.to_owned())));
    let blocks: Vec<Xml> = [first].into_iter().chain(more).map(block).collect();
    let head =
        Xml::new().text("vpcId", id).text("ownerId", &world.account).text("state", state).text("cidrBlock", vpc.cidr);
    let head = head.set("cidrBlockAssociationSet", blocks).text("dhcpOptionsId", &vpc.dhcp);
    head.text("instanceTenancy", &vpc.tenancy).text("isDefault", vpc.is_default).set("tagSet", world.tag_set(id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("VpcId", Kind::Vpc, &world.vpcs)?;
    let items = ids.iter().map(|id| vpc_item(world, id, "available"));
    let filters = &[
        ("vpc-id", "vpcId"),
        ("cidr", "cidrBlock"),
        ("cidr-block-association.cidr-block", "cidrBlockAssociationSet/item/cidrBlock"),
        ("state", "state"),
        ("is-default", "isDefault"),
        ("owner-id", "ownerId"),
        ("dhcp-options-id", "dhcpOptionsId"),
    ];
    describe(call.ask, "vpcSet", items.collect(), filters)
}

pub(super) fn attribute(call: &Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpcId")?;
    let vpc = call.world.vpc(id)?;
    let value = match call.ask.need("Attribute")? {
        "enableDnsSupport" => vpc.dns_support,
        "enableDnsHostnames" => vpc.dns_hostnames,
        "enableNetworkAddressUsageMetrics" => false,
        other => {
            return Err(Refusal::value(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    };
    let name = call.ask.need("Attribute")?;
    Ok(Xml::new().text("vpcId", id).tree(name, Xml::new().text("value", value)))
}

/// One attribute in each call (docs of ModifyVpcAttribute: "You cannot modify the DNS resolution and DNS hostnames
/// attributes in the same request").
pub(super) async fn modify_attribute(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpcId")?.to_string();
    let vpc = call.world.vpc(&id)?;
    let names = ["EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"];
    let given: Vec<(&str, bool)> = names.iter().filter_map(|name| Some((*name, call.ask.switch(name)?))).collect();
    let (name, value) = match given.as_slice() {
        [one] => *one,
        [] => return Err(Refusal::missing("enableDnsSupport")),
        _ => return Err(Refusal::new("InvalidParameterCombination", "Fields for multiple attribute types specified")),
    };
    if name == "EnableDnsHostnames" && value && !vpc.dns_support {
        let message = "DNS hostnames can only be enabled when DNS support is enabled";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    call.pass().await?;
    if let Some(vpc) = call.world.vpcs.get_mut(&id) {
        match name {
            "EnableDnsSupport" => vpc.dns_support = value,
            "EnableDnsHostnames" => vpc.dns_hostnames = value,
            _ => {}
        }
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpcId")?.to_string();
    call.world.vpc(&id)?;
    let world = &*call.world;
    let used = world.subnets.values().any(|subnet| subnet.vpc == id)
        || world.gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(&*id))
        || world.groups.values().any(|group| group.vpc == id && group.name != "default")
        || world.route_tables.values().any(|table| table.vpc == id && !routes::is_main(table))
        || world.vpn_gateways.keys().any(|gateway| vpn::holds(world, gateway, &id));
    if used {
        return Err(Refusal::depends("vpc", &id));
    }
    call.pass().await?;
    let world = &mut *call.world;
    let tables = world.route_tables.iter().filter(|(_, table)| table.vpc == id).map(|(id, _)| id.clone());
    let groups = world.groups.iter().filter(|(_, group)| group.vpc == id).map(|(id, _)| id.clone());
    let gone: Vec<String> = tables.chain(groups).chain([id.clone()]).collect();
    world.rules.retain(|_, rule| !gone.contains(&rule.group));
    for id in gone {
        world.vpcs.remove(&id);
        world.route_tables.remove(&id);
        world.groups.remove(&id);
        world.forget(&id);
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn create_subnet(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let vpc = call.ask.need("VpcId")?.to_string();
    let text = call.ask.need("CidrBlock")?;
    let cidr = block(text, "InvalidSubnet.Range")?;
    let tags = tags::of(call.ask, Kind::Subnet)?;
    let primary = call.world.vpc(&vpc)?.cidr;
    if ![primary].into_iter().chain(more_blocks(call.world, &vpc)).any(|block| block.contains(&cidr)) {
        return Err(Refusal::new("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
    }
    let zone = places::zone(call, call.ask.get("AvailabilityZone"), call.ask.get("AvailabilityZoneId"))?;
    let mut siblings = call.world.subnets.values().filter(|subnet| subnet.vpc == vpc);
    if siblings.any(|other| other.cidr.contains(&cidr) || cidr.contains(&other.cidr)) {
        let message = format!("The CIDR '{text}' conflicts with another subnet");
        return Err(Refusal::new("InvalidSubnet.Conflict", message));
    }
    if call.world.subnets.values().filter(|subnet| subnet.vpc == vpc).count() >= MOST_SUBNETS {
        return Err(Refusal::new("SubnetLimitExceeded", "The maximum number of subnets has been reached."));
    }
    let id = call.pass_for("subnetId", &[("CidrBlock", &cidr.to_string()), ("AvailabilityZone", &zone)]).await?;
    call.world.born(&id, tags);
    let subnet = Subnet { vpc, cidr, zone, map_public: false, default_for_zone: false };
    call.world.subnets.insert(id.clone(), subnet);
    Ok(Xml::new().tree("subnet", subnet_item(call.world, &id, "available")))
}

fn subnet_item(world: &World, id: &str, state: &str) -> Xml {
    let Some(subnet) = world.subnets.get(id) else { return Xml::new() };
    let size = (1_i64 << (32 - subnet.cidr.prefix_len())) - 5;
    let free = size - world.taken(id).len() as i64;
    let arn = format!("arn:aws:ec2:{}:{}:subnet/{id}", world.region, world.account);
    let head =
        Xml::new().text("subnetId", id).text("subnetArn", arn).text("state", state).text("ownerId", &world.account);
    let place = head.text("vpcId", &subnet.vpc).text("cidrBlock", subnet.cidr).text("availabilityZone", &subnet.zone);
    let place = place.text("availabilityZoneId", places::zone_id(&world.account, &subnet.zone));
    let rest = place.text("availableIpAddressCount", free).text("defaultForAz", subnet.default_for_zone);
    let rest = rest.text("mapPublicIpOnLaunch", subnet.map_public).text("assignIpv6AddressOnCreation", false);
    rest.set("tagSet", world.tag_set(id))
}

pub(super) fn list_subnets(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("SubnetId", Kind::Subnet, &world.subnets)?;
    let items = ids.iter().map(|id| subnet_item(world, id, "available"));
    let filters = &[
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("cidr-block", "cidrBlock"),
        ("cidr", "cidrBlock"),
        ("cidrBlock", "cidrBlock"),
        ("availability-zone", "availabilityZone"),
        ("availabilityZone", "availabilityZone"),
        ("availability-zone-id", "availabilityZoneId"),
        ("state", "state"),
        ("owner-id", "ownerId"),
        ("default-for-az", "defaultForAz"),
        ("map-public-ip-on-launch", "mapPublicIpOnLaunch"),
    ];
    describe(call.ask, "subnetSet", items.collect(), filters)
}

pub(super) async fn modify_subnet(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("SubnetId")?.to_string();
    call.world.subnet(&id)?;
    let known = call.ask.switch("MapPublicIpOnLaunch");
    call.pass().await?;
    if let (Some(value), Some(subnet)) = (known, call.world.subnets.get_mut(&id)) {
        subnet.map_public = value;
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn delete_subnet(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("SubnetId")?.to_string();
    call.world.subnet(&id)?;
    let endpoint = endpoints::interfaces(call.world).any(|one| one.subnet == id);
    if endpoint || !call.world.taken(&id).is_empty() {
        return Err(Refusal::depends("subnet", &id));
    }
    call.pass().await?;
    for table in call.world.route_tables.values_mut() {
        table.associations.retain(|association| association.subnet.as_deref() != Some(&*id));
    }
    call.world.subnets.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true))
}
