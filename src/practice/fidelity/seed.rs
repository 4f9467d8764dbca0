//! What every new AWS account has: a default VPC in each region, which counts towards the quotas. And what the customer of
//! practice has made there before.

use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Layer;
use super::refusal::Refusal;
use super::request::Request;
use super::xml::{Xml, text_of};
use super::{Call, Consoles, answer, images, places};

const CIDR: &str = "172.31.0.0/16";
/// The public address of the customer's own bastion: none that the account gives out before hundreds of others.
const GATE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 49);
/// The first two numbers of each range of the customer's own VPC.
const THEIRS: &str = "10.60";

/// Makes the default VPC of a region, by the same calls that a person would make.
pub(super) async fn default_vpc(layer: &mut Layer, region: &str) -> Result<(), Refusal> {
    let vpc = ask(layer, region, "CreateVpc", &[("CidrBlock", CIDR)], "vpcId").await?;
    if let Some(vpc) = layer.world(region).vpcs.get_mut(&vpc) {
        vpc.is_default = true;
        vpc.dns_hostnames = true;
    }
    let account = layer.world(region).account.clone();
    for (n, (zone, _)) in places::zones(&account, region).into_iter().enumerate() {
        let cidr = format!("172.31.{}.0/20", 16 * n);
        let asked = [("VpcId", vpc.as_str()), ("CidrBlock", &cidr), ("AvailabilityZone", &zone)];
        let id = ask(layer, region, "CreateSubnet", &asked, "subnetId").await?;
        if let Some(subnet) = layer.world(region).subnets.get_mut(&id) {
            subnet.map_public = true;
            subnet.default_for_zone = true;
        }
    }
    let gateway = gateway(layer, region, &vpc).await?;
    let tables = &layer.world(region).route_tables;
    let table = tables.iter().find(|(_, table)| table.vpc == vpc).map(|(id, _)| id.clone()).unwrap_or_default();
    let out = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0"), ("GatewayId", &gateway)];
    ask(layer, region, "CreateRoute", &out, "return").await?;
    // They are as old as the account: nothing hides them.
    layer.world(region).born.values_mut().for_each(|born| *born = 0);
    Ok(())
}

/// A VPC of the customer's: a public subnet with a table of its own, a private one in the main table, and no names for
/// hosts, as AWS leaves it.
pub(super) async fn customers_vpc(layer: &mut Layer, region: &str) -> Result<(), Refusal> {
    let vpc = ask(layer, region, "CreateVpc", &[("CidrBlock", &format!("{THEIRS}.0.0/16"))], "vpcId").await?;
    let zone = places::zones(&layer.world(region).account.clone(), region).into_iter().next().unwrap_or_default().0;
    let mut named = vec![(vpc.clone(), "customer")];
    let mut subnets = Vec::new();
    for (number, name) in [(0, "customer public"), (10, "customer apps")] {
        let cidr = format!("{THEIRS}.{number}.0/24");
        let asked = [("VpcId", vpc.as_str()), ("CidrBlock", &cidr), ("AvailabilityZone", &zone)];
        let subnet = ask(layer, region, "CreateSubnet", &asked, "subnetId").await?;
        named.push((subnet.clone(), name));
        subnets.push(subnet);
    }
    let gateway = gateway(layer, region, &vpc).await?;
    let table = ask(layer, region, "CreateRouteTable", &[("VpcId", vpc.as_str())], "routeTableId").await?;
    let out = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0"), ("GatewayId", &gateway)];
    ask(layer, region, "CreateRoute", &out, "return").await?;
    let inside = [("RouteTableId", table.as_str()), ("SubnetId", &subnets[0])];
    ask(layer, region, "AssociateRouteTable", &inside, "associationId").await?;
    let own = ask(layer, region, "CreateRouteTable", &[("VpcId", vpc.as_str())], "routeTableId").await?;
    let inside = [("RouteTableId", own.as_str()), ("SubnetId", &subnets[1])];
    ask(layer, region, "AssociateRouteTable", &inside, "associationId").await?;
    named.extend([(gateway, "customer"), (table, "customer public"), (own, "customer apps")]);
    for (id, name) in named {
        let tag = [("ResourceId.1", id.as_str()), ("Tag.1.Key", "Name"), ("Tag.1.Value", name)];
        ask(layer, region, "CreateTags", &tag, "return").await?;
    }
    layer.world(region).born.values_mut().for_each(|born| *born = 0);
    Ok(())
}

/// What the customer's two hosts in that VPC are: one in the public subnet that is reached from outside, and one behind it.
struct Theirs {
    name: &'static str,
    subnet: &'static str,
    last: &'static str,
    /// The port, and who is let in.
    doors: [(&'static str, &'static str); 2],
}

const HOSTS: [Theirs; 2] = [
    Theirs {
        name: "customer gate",
        subnet: "customer public",
        last: "0.10",
        doors: [("22", OPERATOR), ("22022", OPERATOR)],
    },
    Theirs {
        name: "customer shop",
        subnet: "customer apps",
        last: "10.20",
        doors: [("22", "10.60.0.10/32"), ("443", "10.60.0.0/16")],
    },
];
/// From where the operator of practice comes.
const OPERATOR: &str = "198.51.100.16/29";

/// Hosts of the customer's in their VPC, for whoever has this key: a bastion with an address of its own, and one behind it.
pub(super) async fn customers_hosts(layer: &mut Layer, region: &str, operator: &str) -> Result<(), Refusal> {
    let material = STANDARD.encode(operator);
    let key = [("KeyName", "customer"), ("PublicKeyMaterial", material.as_str())];
    ask(layer, region, "ImportKeyPair", &key, "keyPairId").await?;
    for Theirs { name, subnet, last, doors } in HOSTS {
        let world = layer.world(region);
        let named =
            |id: &&String| world.tags.get(*id).and_then(|tags| tags.get("Name")).is_some_and(|tag| tag == subnet);
        let Some(place) = world.subnets.keys().find(named).cloned() else { continue };
        let vpc = world.subnet(&place)?.vpc.clone();
        let asked = [("GroupName", name), ("GroupDescription", name), ("VpcId", vpc.as_str())];
        let group = ask(layer, region, "CreateSecurityGroup", &asked, "groupId").await?;
        for (port, from) in doors {
            let rule = [
                ("GroupId", group.as_str()),
                ("IpPermissions.1.IpProtocol", "tcp"),
                ("IpPermissions.1.FromPort", port),
                ("IpPermissions.1.ToPort", port),
                ("IpPermissions.1.IpRanges.1.CidrIp", from),
            ];
            ask(layer, region, "AuthorizeSecurityGroupIngress", &rule, "return").await?;
        }
        let address = format!("{THEIRS}.{last}");
        let image = images::noble(region);
        let host = [
            ("ImageId", image.as_str()),
            ("InstanceType", "t3.micro"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
            ("SubnetId", &place),
            ("SecurityGroupId.1", &group),
            ("PrivateIpAddress", &address),
            ("KeyName", "customer"),
        ];
        let id = ask(layer, region, "RunInstances", &host, "instanceId").await?;
        let tag = [("ResourceId.1", id.as_str()), ("Tag.1.Key", "Name"), ("Tag.1.Value", name)];
        ask(layer, region, "CreateTags", &tag, "return").await?;
        if let Some(instance) = layer.world(region).instances.get_mut(&id).filter(|_| subnet == "customer public") {
            instance.own_public_ip = Some(GATE);
        }
    }
    layer.world(region).born.values_mut().for_each(|born| *born = 0);
    Ok(())
}

/// The number that the host key of one of the customer's own hosts is made of, which stays the same in every practice.
pub fn host_key_number(address: Ipv4Addr) -> Option<u8> {
    HOSTS
        .iter()
        .zip(31..)
        .find(|(host, _)| address.to_string() == format!("{THEIRS}.{}", host.last))
        .map(|(_, number)| number)
}

/// An Internet gateway at a VPC.
async fn gateway(layer: &mut Layer, region: &str, vpc: &str) -> Result<String, Refusal> {
    let gateway = ask(layer, region, "CreateInternetGateway", &[], "internetGatewayId").await?;
    let attach = [("InternetGatewayId", gateway.as_str()), ("VpcId", vpc)];
    ask(layer, region, "AttachInternetGateway", &attach, "return").await?;
    Ok(gateway)
}

async fn ask(
    layer: &mut Layer,
    region: &str,
    action: &str,
    with: &[(&str, &str)],
    read: &str,
) -> Result<String, Refusal> {
    let request = Request::own(region, action, with);
    let consoles = Consoles::new();
    let (base, world) = layer.parts(region);
    let answer = answer(&mut Call { ask: &request, world, base, consoles: &consoles, abroad: None }).await?;
    let document = answer.unwrap_or_else(Xml::new).document(action, "");
    Ok(text_of(&document, read).unwrap_or_default().to_string())
}
