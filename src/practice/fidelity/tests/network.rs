//! VPCs, subnets, gateways, routes, addresses, NAT gateways, tags.

use aws_sdk_ec2::types::{AttributeBooleanValue as Bool, ResourceType, VpcAttributeName};

use super::*;

fn yes() -> Bool {
    Bool::builder().value(true).build()
}

#[tokio::test]
async fn blocks_are_checked_as_aws_checks_them() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    subnet(&ec2, &vpc, "10.40.0.0/24").await;
    rows! {
        ec2.create_vpc().cidr_block("10.0.0.0/8") => "InvalidVpc.Range",
        ec2.create_vpc().cidr_block("10.0.0.0/29") => "InvalidVpc.Range",
        ec2.create_vpc().cidr_block("127.0.0.0/16") => "InvalidVpc.Range",
        ec2.create_vpc().cidr_block("169.254.0.0/16") => "InvalidVpc.Range",
        ec2.create_vpc().cidr_block("224.0.0.0/16") => "InvalidVpc.Range",
        ec2.create_vpc().cidr_block("10.0.0.300/16") => "InvalidParameterValue",
        ec2.create_vpc() => "MissingParameter",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.1.0/29") => "InvalidSubnet.Range",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.41.0.0/24") => "InvalidSubnet.Range",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.0.0/23") => "InvalidSubnet.Conflict",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.0.128/25") => "InvalidSubnet.Conflict",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.1.0/24").availability_zone("eu-west-1x") => "InvalidParameterValue",
        ec2.create_subnet().vpc_id("vpc-0a1b2c3d").cidr_block("10.40.1.0/24") => "InvalidVpcID.NotFound",
        ec2.create_subnet().vpc_id("my-vpc").cidr_block("10.40.1.0/24") => "InvalidVpcId.Malformed",
    }
    let made = ec2.create_vpc().cidr_block("10.50.7.9/16").send().await.unwrap();
    assert_eq!(made.vpc().unwrap().cidr_block(), Some("10.50.0.0/16"));
}

#[tokio::test]
async fn unknown_and_malformed_ids_have_each_its_code() {
    let ec2 = ec2();
    rows! {
        ec2.describe_vpcs().vpc_ids("vpc-0a1b2c3d4e5f67890") => "InvalidVpcID.NotFound",
        ec2.describe_vpcs().vpc_ids("vpc-XYZ") => "InvalidVpcId.Malformed",
        ec2.describe_vpc_attribute().vpc_id("vpc-0a1b2c3d").attribute(VpcAttributeName::EnableDnsSupport) => "InvalidVpcID.NotFound",
        ec2.delete_vpc().vpc_id("vpc-0a1b2c3d") => "InvalidVpcID.NotFound",
        ec2.describe_subnets().subnet_ids("subnet-0a1b2c3d") => "InvalidSubnetID.NotFound",
        ec2.delete_subnet().subnet_id("subnet-0a1b2c3d") => "InvalidSubnetID.NotFound",
        ec2.modify_subnet_attribute().subnet_id("nonsense").map_public_ip_on_launch(yes()) => "InvalidSubnetID.Malformed",
        ec2.describe_internet_gateways().internet_gateway_ids("igw-0a1b2c3d") => "InvalidInternetGatewayID.NotFound",
        ec2.delete_internet_gateway().internet_gateway_id("igw-1") => "InvalidInternetGatewayId.Malformed",
        ec2.describe_route_tables().route_table_ids("rtb-0a1b2c3d") => "InvalidRouteTableID.NotFound",
        ec2.delete_route_table().route_table_id("rtb-1") => "InvalidRouteTableId.Malformed",
        ec2.disassociate_route_table().association_id("rtbassoc-0a1b2c3d") => "InvalidAssociationID.NotFound",
        ec2.describe_addresses().allocation_ids("eipalloc-0a1b2c3d") => "InvalidAllocationID.NotFound",
        ec2.release_address().allocation_id("eipalloc-0a1b2c3d") => "InvalidAllocationID.NotFound",
        ec2.disassociate_address().association_id("eipassoc-0a1b2c3d") => "InvalidAssociationID.NotFound",
        ec2.describe_nat_gateways().nat_gateway_ids("nat-0a1b2c3d") => "NatGatewayNotFound",
        ec2.delete_nat_gateway().nat_gateway_id("nat-1") => "NatGatewayMalformed",
        ec2.create_tags().resources("vpc-0a1b2c3d").tags(tag("a", "b")) => "InvalidVpcID.NotFound",
        ec2.create_tags().resources("thing").tags(tag("a", "b")) => "InvalidID",
    }
}

#[tokio::test]
async fn one_vpc_attribute_in_each_call() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let no = || Bool::builder().value(false).build();
    rows! {
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_support(yes()).enable_dns_hostnames(yes()) => "InvalidParameterCombination",
        ec2.modify_vpc_attribute().vpc_id(&vpc) => "MissingParameter",
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_support(no()) => "ok",
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(yes()) => "InvalidParameterCombination",
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_support(yes()) => "ok",
        ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(yes()) => "ok",
    }
    let ask = ec2.describe_vpc_attribute().vpc_id(&vpc).attribute(VpcAttributeName::EnableDnsHostnames);
    assert_eq!(ask.send().await.unwrap().enable_dns_hostnames().unwrap().value(), Some(true));
}

#[tokio::test]
async fn quotas() {
    let ec2 = ec2();
    for n in 0..4 {
        vpc(&ec2, &format!("10.{n}.0.0/16")).await;
        ec2.create_internet_gateway().send().await.unwrap();
    }
    for _ in 0..5 {
        address(&ec2).await;
    }
    rows! {
        ec2.create_vpc().cidr_block("10.9.0.0/16") => "VpcLimitExceeded",
        ec2.create_internet_gateway() => "InternetGatewayLimitExceeded",
        ec2.allocate_address() => "AddressLimitExceeded",
    }
    let all = ec2.describe_vpcs().send().await.unwrap();
    let vpc = all.vpcs().iter().find(|vpc| vpc.is_default() == Some(false)).unwrap().vpc_id().unwrap();
    let net: ipnet::Ipv4Net =
        all.vpcs().iter().find(|v| v.vpc_id() == Some(vpc)).unwrap().cidr_block().unwrap().parse().unwrap();
    for block in net.subnets(26).unwrap().take(200) {
        subnet(&ec2, vpc, &block.to_string()).await;
    }
    let more = net.subnets(26).unwrap().nth(200).unwrap().to_string();
    rows! { ec2.create_subnet().vpc_id(vpc).cidr_block(more) => "SubnetLimitExceeded", }
}

#[tokio::test]
async fn five_nat_gateways_in_a_zone() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    let private = || ec2.create_nat_gateway().subnet_id(&subnet).connectivity_type("private".into());
    for _ in 0..5 {
        private().send().await.unwrap();
    }
    rows! { private() => "NatGatewayLimitExceeded", }
}

#[tokio::test]
async fn gateways_are_attached_once_and_routes_stay_in_their_network() {
    let ec2 = ec2();
    let (one, two) = (vpc(&ec2, "10.40.0.0/16").await, vpc(&ec2, "10.41.0.0/16").await);
    let igw = gateway(&ec2, &one).await;
    let other = ec2.create_internet_gateway().send().await.unwrap();
    let other = other.internet_gateway().unwrap().internet_gateway_id().unwrap();
    let (rtb, foreign) = (table(&ec2, &one).await, table(&ec2, &two).await);
    let near = subnet(&ec2, &one, "10.40.0.0/24").await;
    let all = "0.0.0.0/0";
    rows! {
        ec2.attach_internet_gateway().internet_gateway_id(&igw).vpc_id(&two) => "Resource.AlreadyAssociated",
        ec2.attach_internet_gateway().internet_gateway_id(other).vpc_id(&one) => "InvalidParameterValue",
        ec2.detach_internet_gateway().internet_gateway_id(&igw).vpc_id(&two) => "Gateway.NotAttached",
        ec2.create_route().route_table_id(&foreign).destination_cidr_block(all).gateway_id(&igw) => "InvalidParameterValue",
        ec2.create_route().route_table_id(&rtb).destination_cidr_block(all).gateway_id("igw-0a1b2c3d") => "InvalidInternetGatewayID.NotFound",
        ec2.create_route().route_table_id(&rtb).destination_cidr_block(all).nat_gateway_id("nat-0a1b2c3d") => "InvalidNatGatewayID.NotFound",
        ec2.create_route().route_table_id(&rtb).destination_cidr_block("any").gateway_id(&igw) => "InvalidParameterValue",
        ec2.create_route().route_table_id(&rtb).destination_cidr_block(all) => "MissingParameter",
        ec2.create_route().route_table_id(&rtb).destination_cidr_block(all).gateway_id(&igw) => "ok",
        ec2.create_route().route_table_id(&rtb).destination_cidr_block(all).gateway_id(&igw) => "RouteAlreadyExists",
        ec2.replace_route().route_table_id(&rtb).destination_cidr_block("10.9.0.0/16").gateway_id(&igw) => "InvalidRoute.NotFound",
        ec2.replace_route().route_table_id(&rtb).destination_cidr_block(all).gateway_id(&igw) => "ok",
        ec2.delete_route().route_table_id(&rtb).destination_cidr_block("10.40.0.0/16") => "InvalidParameterValue",
        ec2.delete_route().route_table_id(&rtb).destination_cidr_block("10.9.0.0/16") => "InvalidRoute.NotFound",
        ec2.associate_route_table().route_table_id(&foreign).subnet_id(&near) => "InvalidParameterValue",
        ec2.associate_route_table().route_table_id(&rtb).subnet_id(&near) => "ok",
        ec2.associate_route_table().route_table_id(&rtb).subnet_id(&near) => "Resource.AlreadyAssociated",
        ec2.delete_route_table().route_table_id(&rtb) => "DependencyViolation",
    }
    let tables = ec2.describe_route_tables().filters(filter("association.subnet-id", &near)).send().await.unwrap();
    let routes = tables.route_tables()[0].routes();
    assert_eq!(routes.iter().filter_map(|route| route.gateway_id()).collect::<Vec<_>>(), ["local", igw.as_str()]);
    ec2.detach_internet_gateway().internet_gateway_id(&igw).vpc_id(&one).send().await.unwrap();
    let tables = ec2.describe_route_tables().route_table_ids(&rtb).send().await.unwrap();
    assert_eq!(tables.route_tables()[0].routes()[1].state().unwrap().as_str(), "blackhole");
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    let igw = gateway(&ec2, &vpc).await;
    let rtb = table(&ec2, &vpc).await;
    let sg = group(&ec2, &vpc, "sg one").await;
    let eip = address(&ec2).await;
    let nat = ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&eip).send().await.unwrap();
    let nat = nat.nat_gateway().unwrap().nat_gateway_id().unwrap().to_string();
    let main = ec2.describe_route_tables().filters(filter("vpc-id", &vpc)).filters(filter("association.main", "true"));
    let main = main.send().await.unwrap().route_tables()[0].route_table_id().unwrap().to_string();
    let default =
        ec2.describe_security_groups().filters(filter("vpc-id", &vpc)).filters(filter("group-name", "default"));
    let default = default.send().await.unwrap().security_groups()[0].group_id().unwrap().to_string();
    rows! {
        ec2.delete_vpc().vpc_id(&vpc) => "DependencyViolation",
        ec2.delete_subnet().subnet_id(&subnet) => "DependencyViolation",
        ec2.delete_internet_gateway().internet_gateway_id(&igw) => "DependencyViolation",
        ec2.detach_internet_gateway().internet_gateway_id(&igw).vpc_id(&vpc) => "DependencyViolation",
        ec2.delete_route_table().route_table_id(&main) => "DependencyViolation",
        ec2.delete_security_group().group_id(&default) => "CannotDelete",
        ec2.release_address().allocation_id(&eip) => "InvalidIPAddress.InUse",
        ec2.delete_nat_gateway().nat_gateway_id(&nat) => "ok",
        ec2.delete_nat_gateway().nat_gateway_id(&nat) => "ok",
        ec2.release_address().allocation_id(&eip) => "ok",
        ec2.detach_internet_gateway().internet_gateway_id(&igw).vpc_id(&vpc) => "ok",
        ec2.delete_internet_gateway().internet_gateway_id(&igw) => "ok",
        ec2.delete_subnet().subnet_id(&subnet) => "ok",
        ec2.delete_vpc().vpc_id(&vpc) => "DependencyViolation",
        ec2.delete_route_table().route_table_id(&rtb) => "ok",
        ec2.delete_security_group().group_id(&sg) => "ok",
        ec2.delete_vpc().vpc_id(&vpc) => "ok",
        ec2.delete_vpc().vpc_id(&vpc) => "InvalidVpcID.NotFound",
    }
    let left = ec2.describe_route_tables().filters(filter("vpc-id", &vpc)).send().await.unwrap();
    assert!(left.route_tables().is_empty());
}

#[tokio::test]
async fn nat_gateways_are_refused_at_once_or_fail_later() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    let eip = address(&ec2).await;
    rows! {
        ec2.create_nat_gateway().subnet_id("subnet-0a1b2c3d").allocation_id(&eip) => "InvalidSubnet",
        ec2.create_nat_gateway().subnet_id(&subnet).allocation_id("eipalloc-0a1b2c3d") => "InvalidElasticIpID.NotFound",
        ec2.create_nat_gateway().subnet_id(&subnet).allocation_id("10.1.2.3") => "InvalidElasticIpID.Malformed",
        ec2.create_nat_gateway().subnet_id(&subnet) => "MissingParameter",
        ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&eip) => "ok",
    }
    let failed = ec2.describe_nat_gateways().filter(filter("state", "failed")).send().await.unwrap();
    assert_eq!(failed.nat_gateways()[0].failure_code(), Some("Gateway.NotAttached"));
    assert_eq!(
        failed.nat_gateways()[0].failure_message(),
        Some(&*format!("Network {vpc} has no Internet gateway attached"))
    );
    gateway(&ec2, &vpc).await;
    ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&eip).send().await.unwrap();
    ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&eip).send().await.unwrap();
    let failed = ec2.describe_nat_gateways().filter(filter("state", "failed")).send().await.unwrap();
    assert!(failed.nat_gateways().iter().any(|nat| nat.failure_code() == Some("Resource.AlreadyAssociated")));
    let good = ec2.describe_nat_gateways().filter(filter("state", "available")).send().await.unwrap();
    let good = &good.nat_gateways()[0].nat_gateway_addresses()[0];
    assert_eq!((good.private_ip(), good.public_ip()), (Some("10.40.0.4"), Some("203.0.113.50")));
}

#[tokio::test]
async fn tags_are_made_with_the_object_and_every_kind_is_found_by_them() {
    let ec2 = ec2();
    let own = |kind| tags(kind, &[("onramp:key", "main"), ("Name", "x y/z+ü")]);
    let vpc =
        ec2.create_vpc().cidr_block("10.40.0.0/16").tag_specifications(own(ResourceType::Vpc)).send().await.unwrap();
    let vpc = vpc.vpc().unwrap();
    assert_eq!(vpc.tags()[0].value(), Some("x y/z+ü"));
    let vpc = vpc.vpc_id().unwrap();
    let subnet =
        ec2.create_subnet().vpc_id(vpc).cidr_block("10.40.0.0/24").tag_specifications(own(ResourceType::Subnet));
    let subnet = subnet.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_string();
    let nat = ec2.create_nat_gateway().subnet_id(subnet).connectivity_type("private".into());
    rows! {
        ec2.create_internet_gateway().tag_specifications(own(ResourceType::InternetGateway)) => "ok",
        ec2.create_route_table().vpc_id(vpc).tag_specifications(own(ResourceType::RouteTable)) => "ok",
        ec2.allocate_address().tag_specifications(own(ResourceType::ElasticIp)) => "ok",
        nat.tag_specifications(own(ResourceType::Natgateway)) => "ok",
        ec2.create_vpc().cidr_block("10.41.0.0/16").tag_specifications(own(ResourceType::Subnet)) => "InvalidParameterValue",
        ec2.create_vpc().cidr_block("10.41.0.0/16").tag_specifications(tags(ResourceType::Vpc, &[("aws:x", "y")])) => "InvalidParameterValue",
        ec2.create_vpc().cidr_block("10.41.0.0/16").tag_specifications(tags(ResourceType::Vpc, &[("a", "1"), ("a", "2")])) => "InvalidParameterValue",
    }
    let by = || filter("tag:onramp:key", "main");
    assert_eq!(ec2.describe_vpcs().filters(by()).send().await.unwrap().vpcs().len(), 1);
    assert_eq!(ec2.describe_subnets().filters(by()).send().await.unwrap().subnets().len(), 1);
    assert_eq!(ec2.describe_internet_gateways().filters(by()).send().await.unwrap().internet_gateways().len(), 1);
    assert_eq!(ec2.describe_route_tables().filters(by()).send().await.unwrap().route_tables().len(), 1);
    assert_eq!(ec2.describe_addresses().filters(by()).send().await.unwrap().addresses().len(), 1);
    assert_eq!(ec2.describe_nat_gateways().filter(by()).send().await.unwrap().nat_gateways().len(), 1);
    assert_eq!(ec2.describe_tags().filters(filter("key", "onramp:key")).send().await.unwrap().tags().len(), 6);
    ec2.create_tags().resources(vpc).tags(tag("onramp:key", "other")).send().await.unwrap();
    assert!(ec2.describe_vpcs().filters(by()).send().await.unwrap().vpcs().is_empty());
    ec2.delete_tags().resources(vpc).tags(tag("onramp:key", "not this")).send().await.unwrap();
    assert_eq!(ec2.describe_vpcs().filters(filter("tag-key", "onramp:key")).send().await.unwrap().vpcs().len(), 1);
    ec2.delete_tags().resources(vpc).tags(Tag::builder().key("onramp:key").build()).send().await.unwrap();
    assert!(ec2.describe_vpcs().filters(filter("tag-key", "onramp:key")).send().await.unwrap().vpcs().is_empty());
}

#[tokio::test]
async fn regions_zones_and_types() {
    let cloud = cloud(Pace::Instant);
    let ec2 = client(&cloud);
    assert_eq!(ec2.describe_regions().send().await.unwrap().regions().len(), 17);
    let all =
        ec2.describe_regions().all_regions(true).filters(filter("opt-in-status", "not-opted-in")).send().await.unwrap();
    assert!(all.regions().iter().any(|region| region.region_name() == Some("af-south-1")));
    let zones = ec2.describe_availability_zones().filters(filter("state", "available")).send().await.unwrap();
    let id = zones.availability_zones()[1].zone_id().unwrap();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let made =
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.0.0/24").availability_zone_id(id).send().await.unwrap();
    assert_eq!(made.subnet().unwrap().availability_zone(), Some("eu-west-1b"));
    assert_eq!(made.subnet().unwrap().available_ip_address_count(), Some(251));
    let offered = ec2.describe_instance_type_offerings().location_type("availability-zone".into());
    let offered = offered.filters(filter("instance-type", "m7i.large")).send().await.unwrap();
    let places: Vec<&str> = offered.instance_type_offerings().iter().filter_map(|offer| offer.location()).collect();
    assert_eq!(places, ["eu-west-1a", "eu-west-1b"]);
    rows! {
        ec2.describe_regions().region_names("mars-1") => "InvalidParameterValue",
        ec2.describe_vpcs().filters(filter("colour", "red")) => "InvalidParameterValue",
        ec2.describe_vpcs().max_results(2) => "InvalidParameterValue",
        ec2.create_vpc().cidr_block("10.9.0.0/16").dry_run(true) => "DryRunOperation",
        client_in(&cloud, "af-south-1").describe_vpcs() => "AuthFailure",
        client_in(&cloud, "mars-1").describe_vpcs() => "dispatch failure",
        client_in(&cloud, "eu-central-1").describe_vpcs().vpc_ids(&vpc) => "InvalidVpcID.NotFound",
    }
}
