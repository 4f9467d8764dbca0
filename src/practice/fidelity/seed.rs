//! What every new AWS account has: a default VPC in each region, which counts towards the quotas. And what the customer of
//! practice has made there before.

use super::Layer;
use super::refusal::Refusal;
use super::request::Request;
use super::xml::{Xml, text_of};
use super::{Call, Consoles, answer, places};

const CIDR: &str = "172.31.0.0/16";
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
