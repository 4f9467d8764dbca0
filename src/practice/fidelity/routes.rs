//! Route tables, their routes, and the subnets that use them.

use ipnet::Ipv4Net;

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::refusal::Refusal;
use super::tags;
use super::tokens;
use super::vpn;
use super::world::{Route, RouteTable, TableAssociation, World};
use super::xml::Xml;

const MOST_TABLES: usize = 200;
const MOST_ROUTES: usize = 50;

/// The route that every table has and none can lose.
pub(super) fn local(cidr: Ipv4Net) -> Vec<Route> {
    vec![Route { destination: cidr, target: "local".into() }]
}

pub(super) fn is_main(table: &RouteTable) -> bool {
    table.associations.iter().any(|association| association.subnet.is_none())
}

/// The table that a subnet uses: its own, or the VPC's main one.
pub(super) fn table_of<'w>(world: &'w World, subnet: &str) -> Option<&'w RouteTable> {
    let vpc = &world.subnets.get(subnet)?.vpc;
    let own = |table: &&RouteTable| table.associations.iter().any(|a| a.subnet.as_deref() == Some(subnet));
    let main = |table: &&RouteTable| table.vpc == *vpc && is_main(table);
    world.route_tables.values().find(own).or_else(|| world.route_tables.values().find(main))
}

/// A route whose target went away stays in the table and swallows what it gets.
pub(super) fn alive(world: &World, vpc: &str, target: &str) -> bool {
    match Kind::of(target) {
        Some(Kind::InternetGateway) => world.gateways.get(target).is_some_and(|g| g.vpc.as_deref() == Some(vpc)),
        Some(Kind::NatGateway) => world.nats.get(target).is_some_and(|nat| world.holds(nat)),
        Some(Kind::Instance) => world.instances.get(target).is_some_and(|i| i.terminated.is_none()),
        Some(Kind::VpnGateway) => vpn::is_attached(world, target, vpc),
        Some(Kind::TransitGateway) => world.is_at_transit(vpc, target),
        Some(Kind::Peering) => world.is_joined(target),
        _ => true,
    }
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let vpc = call.ask.need("VpcId")?.to_string();
    let tags = tags::of(call.ask, Kind::RouteTable)?;
    let before = tokens::made_before(call)?.and_then(|ids| ids.into_iter().next());
    if let Some(id) = before.filter(|id| call.world.route_tables.contains_key(id)) {
        return Ok(created(call, &id));
    }
    let cidr = call.world.vpc(&vpc)?.cidr;
    if call.world.route_tables.values().filter(|table| table.vpc == vpc).count() >= MOST_TABLES {
        return Err(Refusal::new("RouteTableLimitExceeded", "The maximum number of route tables has been reached."));
    }
    let id = call.pass_for("routeTableId", &[]).await?;
    call.world.born(&id, tags);
    call.world
        .route_tables
        .insert(id.clone(), RouteTable { vpc, routes: local(cidr), associations: vec![], propagating: vec![] });
    tokens::remember(call, vec![id.clone()]);
    Ok(created(call, &id))
}

fn created(call: &Call<'_>, id: &str) -> Xml {
    Xml::new().tree("routeTable", item(call.world, id)).maybe("clientToken", call.ask.get("ClientToken"))
}

fn item(world: &World, id: &str) -> Xml {
    let Some(table) = world.route_tables.get(id) else { return Xml::new() };
    let routes = table.routes.iter().map(|route| {
        let state = if alive(world, &table.vpc, &route.target) { "active" } else { "blackhole" };
        let origin = if route.target == "local" { "CreateRouteTable" } else { "CreateRoute" };
        let field = match Kind::of(&route.target) {
            Some(Kind::NatGateway) => "natGatewayId",
            Some(Kind::TransitGateway) => "transitGatewayId",
            Some(Kind::Instance) => "instanceId",
            Some(Kind::Interface) => "networkInterfaceId",
            _ => target_field(&route.target),
        };
        let route = Xml::new().text("destinationCidrBlock", route.destination).text(field, &route.target);
        route.text("state", state).text("origin", origin)
    });
    let associations = table.associations.iter().map(|association| {
        let head = Xml::new().text("routeTableAssociationId", &association.id).text("routeTableId", id);
        let head = head.maybe("subnetId", association.subnet.as_ref()).text("main", association.subnet.is_none());
        head.tree("associationState", Xml::new().text("state", "associated"))
    });
    let head = Xml::new().text("routeTableId", id).text("vpcId", &table.vpc).text("ownerId", &world.account);
    let learnt = table.propagating.iter().flat_map(|gateway| {
        let own = |prefix: &Ipv4Net| table.routes.iter().any(|route| route.destination == *prefix);
        let prefixes = world.propagated(gateway).into_iter().filter(move |prefix| !own(prefix));
        prefixes.map(move |prefix| {
            let route = Xml::new().text("destinationCidrBlock", prefix).text("gatewayId", gateway);
            route.text("state", "active").text("origin", "EnableVgwRoutePropagation")
        })
    });
    let propagating = table.propagating.iter().map(|gateway| Xml::new().text("gatewayId", gateway));
    let head = head.set("propagatingVgwSet", propagating);
    head.set("routeSet", routes.chain(learnt)).set("associationSet", associations).set("tagSet", world.tag_set(id))
}

/// The field in which AWS shows a target of a kind that this layer does not keep.
fn target_field(target: &str) -> &'static str {
    match target.split_once('-').map(|(prefix, _)| prefix) {
        Some("pcx") => "vpcPeeringConnectionId",
        _ => "gatewayId",
    }
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("RouteTableId", Kind::RouteTable, &world.route_tables)?;
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("route-table-id", "routeTableId"),
        ("vpc-id", "vpcId"),
        ("owner-id", "ownerId"),
        ("association.main", "associationSet/item/main"),
        ("association.subnet-id", "associationSet/item/subnetId"),
        ("association.route-table-association-id", "associationSet/item/routeTableAssociationId"),
        ("association.route-table-id", "associationSet/item/routeTableId"),
        ("route.destination-cidr-block", "routeSet/item/destinationCidrBlock"),
        ("route.gateway-id", "routeSet/item/gatewayId"),
        ("route.nat-gateway-id", "routeSet/item/natGatewayId"),
        ("route.state", "routeSet/item/state"),
        ("route.origin", "routeSet/item/origin"),
    ];
    describe(call.ask, "routeTableSet", items.collect(), filters)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("RouteTableId")?.to_string();
    if !call.world.route_table(&id)?.associations.is_empty() {
        return Err(Refusal::depends("routeTable", &id));
    }
    call.pass().await?;
    call.world.route_tables.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true))
}

fn destination(call: &Call<'_>) -> Result<Ipv4Net, Refusal> {
    let text = call.ask.need("DestinationCidrBlock")?;
    let message =
        format!("Value ({text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.");
    text.parse().map(|net: Ipv4Net| net.trunc()).map_err(|_| Refusal::value(message))
}

const TARGETS: [&str; 6] =
    ["GatewayId", "NatGatewayId", "InstanceId", "NetworkInterfaceId", "TransitGatewayId", "VpcPeeringConnectionId"];

/// The one target of a route, of the VPC of its table.
fn target(call: &Call<'_>, table: &str, vpc: &str) -> Result<String, Refusal> {
    let given: Vec<(&str, &str)> = TARGETS.iter().filter_map(|name| Some((*name, call.ask.get(name)?))).collect();
    let (name, id) = match given.as_slice() {
        [one] => *one,
        [] => return Err(Refusal::missing("gatewayId")),
        _ => return Err(Refusal::new("InvalidParameterCombination", "Only one target may be given for a route")),
    };
    let world = &*call.world;
    let same_network = match (name, Kind::of(id)) {
        ("GatewayId", Some(Kind::InternetGateway)) => world.gateway(id)?.vpc.as_deref() == Some(vpc),
        ("GatewayId", Some(Kind::VpnGateway)) => {
            vpn::live(world, id)?;
            vpn::is_attached(world, id, vpc)
        }
        ("TransitGatewayId", _) if !world.is_at_transit(vpc, id) => {
            return Err(Kind::TransitGateway.not_found(id));
        }
        ("GatewayId", Some(Kind::NatGateway)) => {
            return Err(Refusal::new("InvalidGatewayID.NotFound", format!("The gateway ID '{id}' does not exist")));
        }
        ("NatGatewayId", _) => {
            let gone =
                || Refusal::new("InvalidNatGatewayID.NotFound", format!("The natGateway ID '{id}' does not exist"));
            let nat = world.find(Kind::NatGateway, &world.nats, id).map_err(|_| gone())?;
            if !world.holds(nat) {
                return Err(gone());
            }
            nat.vpc == vpc
        }
        ("InstanceId", _) => world.instance(id)?.vpc == vpc,
        ("VpcPeeringConnectionId", _) => {
            let peering = world.find(Kind::Peering, &world.peerings, id)?;
            peering.deleted.is_none() && (peering.vpc == vpc || peering.peer_vpc == vpc)
        }
        _ => true,
    };
    let message = format!("route table {table} and network gateway {id} belong to different networks");
    if same_network { Ok(id.to_string()) } else { Err(Refusal::value(message)) }
}

pub(super) async fn create_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("RouteTableId")?.to_string();
    let destination = destination(call)?;
    let table = call.world.route_table(&id)?;
    let target = target(call, &id, &table.vpc)?;
    if table.routes.iter().any(|route| route.destination == destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(Refusal::new("RouteAlreadyExists", message));
    }
    if table.routes.len() > MOST_ROUTES {
        return Err(Refusal::new("RouteLimitExceeded", "The maximum number of routes has been reached."));
    }
    // winterbaume knows nothing of transit gateways.
    if Kind::of(&target) != Some(Kind::TransitGateway) {
        call.pass_as(&[("DestinationCidrBlock", &destination.to_string())]).await?;
    }
    if let Some(table) = call.world.route_tables.get_mut(&id) {
        table.routes.push(Route { destination, target });
    }
    Ok(Xml::new().text("return", true))
}

fn no_route(table: &str, destination: Ipv4Net) -> Refusal {
    let message = format!("no route with destination-cidr-block {destination} in route table {table}");
    Refusal::new("InvalidRoute.NotFound", message)
}

pub(super) async fn replace_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("RouteTableId")?.to_string();
    let destination = destination(call)?;
    let table = call.world.route_table(&id)?;
    let target = target(call, &id, &table.vpc)?;
    let at = table.routes.iter().position(|route| route.destination == destination);
    let at = at.ok_or_else(|| no_route(&id, destination))?;
    call.pass_as(&[("DestinationCidrBlock", &destination.to_string())]).await?;
    if let Some(table) = call.world.route_tables.get_mut(&id) {
        table.routes[at].target = target;
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn delete_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("RouteTableId")?.to_string();
    let destination = destination(call)?;
    let table = call.world.route_table(&id)?;
    let is_transit = match table.routes.iter().find(|route| route.destination == destination) {
        None => return Err(no_route(&id, destination)),
        Some(route) if route.target == "local" => {
            let message = format!("cannot remove local route {destination} in route table {id}");
            return Err(Refusal::value(message));
        }
        Some(route) => Kind::of(&route.target) == Some(Kind::TransitGateway),
    };
    if !is_transit {
        call.pass_as(&[("DestinationCidrBlock", &destination.to_string())]).await?;
    }
    if let Some(table) = call.world.route_tables.get_mut(&id) {
        table.routes.retain(|route| route.destination != destination);
    }
    Ok(Xml::new().text("return", true))
}

pub(super) async fn associate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, subnet) = (call.ask.need("RouteTableId")?.to_string(), call.ask.need("SubnetId")?.to_string());
    let vpc = call.world.route_table(&id)?.vpc.clone();
    if call.world.subnet(&subnet)?.vpc != vpc {
        let message = format!("Route table {id} and subnet {subnet} belong to different networks");
        return Err(Refusal::value(message));
    }
    let mut all = call.world.route_tables.values().flat_map(|table| &table.associations);
    if all.any(|association| association.subnet.as_deref() == Some(&*subnet)) {
        let message = format!("the specified association for route table {id} conflicts with an existing association");
        return Err(Refusal::new("Resource.AlreadyAssociated", message));
    }
    let association = call.pass_for("associationId", &[]).await?;
    if let Some(table) = call.world.route_tables.get_mut(&id) {
        table.associations.push(TableAssociation { id: association.clone(), subnet: Some(subnet) });
    }
    let state = Xml::new().text("state", "associated");
    Ok(Xml::new().text("associationId", association).tree("associationState", state))
}

pub(super) async fn disassociate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("AssociationId")?.to_string();
    let mut all = call.world.route_tables.values().flat_map(|table| &table.associations);
    let none = || Refusal::new("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"));
    let found = all.find(|association| association.id == id).ok_or_else(none)?;
    if found.subnet.is_none() {
        return Err(Refusal::value(format!("cannot disassociate the main route table association {id}")));
    }
    call.pass().await?;
    for table in call.world.route_tables.values_mut() {
        table.associations.retain(|association| association.id != id);
    }
    Ok(Xml::new().text("return", true))
}
