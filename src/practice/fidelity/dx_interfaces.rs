//! Virtual interfaces, their BGP sessions and the tests of those. Nobody is at the other end: a session comes up by itself
//! after a while, when its line is up.
//!
//! Rules: "API Reference", NewPrivateVirtualInterface and NewTransitVirtualInterface (VLAN, numbers, addresses, MTU, key);
//! "Prerequisites for virtual interfaces" and "Quotas" of the user guide. The configuration is the document of
//! DescribeRouterConfiguration.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::dx::{Ask, device, is_gone, line, missing, passed, refused, seconds, shown_tags};
use super::dx_gateways::live;
use super::dx_neighbour;
use super::pace::Wait;
use super::refusal::Refusal;
use super::world::World;

const MOST_PRIVATE: usize = 50;
const MOST_TRANSIT: usize = 4;
const LONGEST_TEST: i64 = 4_320;
/// Some of the routers that AWS has a template for.
const ROUTERS: [(&str, &str, &str, &str); 3] = [
    ("CiscoSystemsInc-2900SeriesRouters-IOS124", "Cisco Systems, Inc.", "2900 Series Routers", "IOS 12.4+"),
    ("JuniperNetworksInc-MMXSeriesRouters-JunOS95", "Juniper Networks, Inc.", "M/MX Series Routers", "JunOS 9.5+"),
    (
        "PaloAltoNetworks-PA3000and5000series-PANOS803",
        "Palo Alto Networks",
        "PA 3000+ and 5000+ series",
        "PANOS 8.0.3+",
    ),
];

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Interface {
    /// That of its line. One that another account allocated is offered wherever it is looked for, and stays where it was
    /// accepted.
    #[serde(default)]
    pub region: Option<String>,
    pub connection: String,
    pub gateway: String,
    pub is_transit: bool,
    name: String,
    vlan: i64,
    asn: i64,
    mtu: i64,
    key: String,
    amazon: Ipv4Net,
    customer: Ipv4Net,
    created: i64,
    pub deleted: Option<i64>,
    /// It is on the line of another account, which allocated it.
    #[serde(default)]
    allocated: Option<Allocated>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Allocated {
    is_accepted: bool,
}

/// One failover test.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Test {
    id: String,
    interface: String,
    minutes: i64,
    started: i64,
    stopped: Option<i64>,
}

pub(super) fn create(world: &mut World, ask: &Ask, is_transit: bool) -> Result<Json, Refusal> {
    let connection = ask.need("connectionId")?.to_owned();
    let name = if is_transit { "newTransitVirtualInterface" } else { "newPrivateVirtualInterface" };
    let new = ask.0.get(name).and_then(Json::as_object).cloned();
    let new = Ask(new.ok_or_else(|| refused(format!("{name} must be given.")))?);
    let there = line(world, &connection)?;
    let state = world.line_state(there);
    if !["pending", "available", "down"].contains(&state) {
        return Err(refused(format!("Connection {connection} is in the state {state}.")));
    }
    let on_it = world.lines.interfaces.values().filter(|one| one.connection == connection && one.deleted.is_none());
    let vlan = new.number("vlan").filter(|vlan| (1..=4_094).contains(vlan));
    let vlan = vlan.ok_or_else(|| refused("VLAN must be a number from 1 to 4094."))?;
    if on_it.clone().any(|one| one.vlan == vlan) {
        return Err(refused(format!("VLAN {vlan} is already in use on connection {connection}.")));
    }
    if let Some(hosted) = &there.hosted {
        if hosted.vlan != vlan {
            return Err(refused(format!("VLAN {vlan} is not the one of hosted connection {connection}.")));
        }
        if on_it.clone().count() > 0 {
            return Err(refused("You have reached the maximum number of virtual interfaces of a hosted connection."));
        }
    }
    let most = if is_transit { MOST_TRANSIT } else { MOST_PRIVATE };
    if on_it.filter(|one| one.is_transit == is_transit).count() >= most {
        return Err(refused(format!("You have reached the maximum number of virtual interfaces ({most}).")));
    }
    let (gateway, amazon_asn) = end(world, &new, is_transit)?;
    let asn = new.number("asnLong").or(new.number("asn")).unwrap_or_default();
    if !(1..=4_294_967_294).contains(&asn) || asn == amazon_asn {
        return Err(refused(format!("ASN {asn} is not valid for this virtual interface.")));
    }
    let mtu = new.number("mtu").unwrap_or(1_500);
    if ![1_500, 8_500].contains(&mtu) {
        return Err(refused(format!("MTU {mtu} is not valid: it must be 1500 or 8500.")));
    }
    let key = match new.text("authKey") {
        Some(key) if !(6..=80).contains(&key.len()) => {
            return Err(refused("The BGP authentication key must have 6 to 80 characters."));
        }
        Some(key) => key.to_owned(),
        None => blake3::hash(format!("{connection}/{vlan}/{}", world.minted).as_bytes()).to_hex()[..24].to_owned(),
    };
    let (amazon, customer) = addresses(world, &new)?;
    let (name, tags) = (new.need("virtualInterfaceName")?.to_owned(), new.tags()?);
    let id = world.mint("dxvif");
    world.born(&id, tags);
    let (created, region) = (world.now, Some(world.region.clone()));
    let interface = Interface {
        region,
        connection,
        gateway,
        is_transit,
        name,
        vlan,
        asn,
        mtu,
        key,
        amazon,
        customer,
        created,
        deleted: None,
        allocated: None,
    };
    world.lines.interfaces.insert(id.clone(), interface);
    let made = shown(world, &id);
    Ok(if is_transit { json!({ "virtualInterface": made }) } else { made })
}

/// Where it leads, and the AS number there: a Direct Connect gateway, or for a private one the virtual private gateway of one
/// VPC ("Create a private virtual interface").
fn end(world: &World, new: &Ask, is_transit: bool) -> Result<(String, i64), Refusal> {
    let (gateway, asn) = named_end(world, new, is_transit)?;
    let of_vpcs = |to: &str| to.starts_with("vgw-");
    if world.lines.associations.values().any(|one| one.gateway == gateway && of_vpcs(&one.to) == is_transit) {
        let kind = if is_transit { "transit" } else { "private" };
        return Err(refused(format!("Direct Connect Gateway {gateway} takes no {kind} virtual interfaces.")));
    }
    Ok((gateway, asn))
}

fn named_end(world: &World, new: &Ask, is_transit: bool) -> Result<(String, i64), Refusal> {
    match (new.text("directConnectGatewayId"), new.text("virtualGatewayId")) {
        (Some(id), None) => Ok((id.to_owned(), live(world, id)?.asn)),
        (None, Some(id)) if !is_transit => {
            let there = world.vpn_gateways.get(id).filter(|one| one.deleted.is_none());
            let there = there.ok_or_else(|| missing("Virtual private gateway", id))?;
            Ok((id.to_owned(), there.asn))
        }
        _ => Err(refused("Either a Direct Connect gateway or a virtual private gateway must be given.")),
    }
}

/// Both, of one /30 or /31; or the next ones that are free.
fn addresses(world: &World, new: &Ask) -> Result<(Ipv4Net, Ipv4Net), Refusal> {
    let given = |name: &str| {
        let read = |text: &str| text.parse::<Ipv4Net>().map_err(|_| refused(format!("{text} is not a valid address.")));
        new.text(name).map(read).transpose()
    };
    match (given("amazonAddress")?, given("customerAddress")?) {
        (Some(amazon), Some(customer)) => {
            let fits = (30..=31).contains(&amazon.prefix_len())
                && amazon.trunc() == customer.trunc()
                && amazon.addr() != customer.addr()
                && [amazon, customer].iter().all(|one| one.hosts().any(|host| host == one.addr()));
            let message = format!("{amazon} and {customer} are not the two hosts of one /30 or /31.");
            if fits { Ok((amazon, customer)) } else { Err(refused(message)) }
        }
        (None, None) => {
            let taken = |net: &Ipv4Net| world.lines.interfaces.values().any(|one| one.amazon.trunc() == *net);
            let free = (0..=255_u8).map(|last| Ipv4Net::new_assert([169, 254, 255, last & !3].into(), 30));
            let none = || refused("There is no address left.");
            let net = free.into_iter().find(|net| !taken(net)).ok_or_else(none)?;
            let mut hosts = net.hosts().filter_map(|host| Ipv4Net::new(host, 30).ok());
            hosts.next().zip(hosts.next()).ok_or_else(none)
        }
        _ => Err(refused("Both addresses must be given, or none.")),
    }
}

impl World {
    fn test_of(&self, interface: &str) -> Option<&Test> {
        let runs = |test: &&Test| {
            test.interface == interface && test.stopped.is_none() && !passed(self, test.started, Wait::FailoverTest)
        };
        self.lines.tests.iter().find(runs)
    }

    fn interface_state(&self, id: &str, interface: &Interface) -> &'static str {
        match interface.deleted {
            Some(at) if passed(self, at, Wait::LineGone) => "deleted",
            Some(_) => "deleting",
            None if interface.allocated.as_ref().is_some_and(|of_another| !of_another.is_accepted) => "confirming",
            None if interface.allocated.is_none() && self.lost_its_light(&interface.connection) => "down",
            None if interface.allocated.is_none() && !self.line_is_up(&interface.connection) => "pending",
            None if !passed(self, interface.created, Wait::LineTie) => "pending",
            None if self.test_of(id).is_some() => "testing",
            None => "available",
        }
    }

    fn bgp_is_up(&self, id: &str, interface: &Interface) -> bool {
        let since = interface.created + self.pace.millis(Wait::LineTie);
        self.interface_state(id, interface) == "available" && passed(self, since, Wait::Bgp)
    }

    /// The largest packet over an interface at that Direct Connect gateway whose session is up.
    pub fn carrying_interface(&self, gateway: &str) -> Option<u32> {
        let at_it = self.lines.interfaces.iter().filter(|(_, one)| one.gateway == gateway);
        let up = at_it.filter(|(id, one)| self.bgp_is_up(id, one));
        up.filter_map(|(_, one)| u32::try_from(one.mtu).ok()).max()
    }
}

fn shown(world: &World, id: &str) -> Json {
    let Some(one) = world.lines.interfaces.get(id) else { return Json::Null };
    let amazon_asn = amazon_asn(world, one);
    let end = if one.gateway.starts_with("vgw-") { "virtualGatewayId" } else { "directConnectGatewayId" };
    let leads_to = Some(&one.gateway).filter(|gateway| !gateway.is_empty());
    // A number of 32 bits does not fit the old field.
    let short = if one.asn <= i64::from(i32::MAX) { one.asn } else { 0 };
    let location = match dx_neighbour::location(&one.connection) {
        Some(location) => location.to_owned(),
        None => line(world, &one.connection).map(|line| line.location.clone()).unwrap_or_default(),
    };
    let up = world.bgp_is_up(id, one);
    let peer = json!({
        "bgpPeerId": id.replace("dxvif", "dxpeer"), "asn": short, "asnLong": one.asn, "authKey": one.key,
        "addressFamily": "ipv4", "amazonAddress": one.amazon.to_string(), "customerAddress": one.customer.to_string(),
        "bgpPeerState": "available", "bgpStatus": if up { "up" } else { "down" }, "awsDeviceV2": device(&location),
    });
    let mut shown = json!({
        "ownerAccount": world.account, "virtualInterfaceId": id, "location": location, "connectionId": one.connection,
        "virtualInterfaceType": if one.is_transit { "transit" } else { "private" }, "virtualInterfaceName": one.name,
        "vlan": one.vlan, "asn": short, "asnLong": one.asn, "amazonSideAsn": amazon_asn, "authKey": one.key,
        "amazonAddress": one.amazon.to_string(), "customerAddress": one.customer.to_string(), "addressFamily": "ipv4",
        "virtualInterfaceState": world.interface_state(id, one), "customerRouterConfig": configuration(world, id, one),
        "mtu": one.mtu, "jumboFrameCapable": true, "region": world.region,
        "awsDeviceV2": device(&location), "bgpPeers": [peer], "tags": shown_tags(world, id),
    });
    shown[end] = json!(leads_to);
    shown
}

fn amazon_asn(world: &World, one: &Interface) -> Option<i64> {
    let direct = world.vpn_gateways.get(&one.gateway).map(|gateway| gateway.asn);
    world.lines.gateways.get(&one.gateway).map(|gateway| gateway.asn).or(direct)
}

/// The document that a router's configuration is made of: it has the key.
fn configuration(world: &World, id: &str, one: &Interface) -> String {
    let amazon_asn = amazon_asn(world, one).unwrap_or(0);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<logical_connection id=\"{id}\">\n  <vlan>{}</vlan>\n  \
         <customer_address>{}</customer_address>\n  <amazon_address>{}</amazon_address>\n  <bgp_asn>{}</bgp_asn>\n  \
         <bgp_auth_key>{}</bgp_auth_key>\n  <amazon_bgp_asn>{amazon_asn}</amazon_bgp_asn>\n  \
         <connection_type>{}</connection_type>\n</logical_connection>\n",
        one.vlan,
        one.customer,
        one.amazon,
        one.asn,
        one.key,
        if one.is_transit { "transit" } else { "private" }
    )
}

/// One that is there, or is on its way out.
pub(super) fn there<'w>(world: &'w World, id: &str) -> Result<&'w Interface, Refusal> {
    let is_seen = |one: &&Interface| world.visible(id) && !is_gone(world, one.deleted) && world.is_here(&one.region);
    let one = world.lines.interfaces.get(id).filter(is_seen);
    one.ok_or_else(|| missing("Virtual interface", id))
}

pub(super) fn list(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    if let Some(id) = ask.text("virtualInterfaceId") {
        there(world, id)?;
        return Ok(json!({ "virtualInterfaces": [shown(world, id)] }));
    }
    let wanted = ask.text("connectionId");
    if let Some(connection) = wanted {
        line(world, connection)?;
    }
    let all = world.lines.interfaces.iter().filter(|(id, one)| {
        world.visible(id)
            && !is_gone(world, one.deleted)
            && world.is_here(&one.region)
            && wanted.is_none_or(|connection| connection == one.connection)
    });
    Ok(json!({ "virtualInterfaces": all.map(|(id, _)| shown(world, id)).collect::<Vec<_>>() }))
}

/// What another account allocates: VLAN 101 or one beside it, the customer's usual number, and addresses that are free.
pub(super) fn allocate(world: &mut World, id: &str, (connection, vlan): (&str, i64), is_transit: bool) {
    let Ok((amazon, customer)) = addresses(world, &Ask(serde_json::Map::new())) else { return };
    let key = blake3::hash(id.as_bytes()).to_hex()[..24].to_owned();
    let interface = Interface {
        region: None,
        connection: connection.into(),
        gateway: String::new(),
        is_transit,
        name: format!("from {}", dx_neighbour::ACCOUNT),
        vlan,
        asn: 65_010,
        mtu: 1_500,
        key,
        amazon,
        customer,
        created: world.now,
        deleted: None,
        allocated: Some(Allocated { is_accepted: false }),
    };
    world.forget(id);
    world.lines.interfaces.insert(id.to_owned(), interface);
}

pub(super) fn confirm(world: &mut World, ask: &Ask, is_transit: bool) -> Result<Json, Refusal> {
    let id = ask.need("virtualInterfaceId")?;
    let one = there(world, id)?;
    let state = world.interface_state(id, one);
    if one.is_transit != is_transit {
        let kind = if one.is_transit { "transit" } else { "private" };
        return Err(refused(format!("Virtual interface {id} is a {kind} virtual interface.")));
    }
    if state != "confirming" {
        return Err(refused(format!("Virtual interface {id} cannot be confirmed in the state {state}.")));
    }
    let (gateway, asn) = end(world, ask, is_transit)?;
    if asn == one.asn {
        return Err(refused(format!("ASN {asn} is not valid for this virtual interface.")));
    }
    let (now, region) = (world.now, Some(world.region.clone()));
    if let Some(one) = world.lines.interfaces.get_mut(id) {
        (one.gateway, one.created, one.region) = (gateway, now, region);
        one.allocated = Some(Allocated { is_accepted: true });
    }
    Ok(json!({ "virtualInterfaceState": "pending" }))
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("virtualInterfaceId")?;
    there(world, id)?;
    let now = world.now;
    if let Some(one) = world.lines.interfaces.get_mut(id) {
        one.deleted.get_or_insert(now);
    }
    Ok(json!({ "virtualInterfaceState": "deleting" }))
}

pub(super) fn router(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("virtualInterfaceId")?;
    let one = there(world, id)?;
    let wanted = ask.text("routerTypeIdentifier").unwrap_or(ROUTERS[0].0);
    let found = ROUTERS.iter().find(|(identifier, ..)| *identifier == wanted);
    let (identifier, vendor, platform, software) =
        *found.ok_or_else(|| refused(format!("Router type {wanted} is not valid.")))?;
    Ok(json!({
        "customerRouterConfig": configuration(world, id, one), "virtualInterfaceId": id,
        "virtualInterfaceName": one.name,
        "router": {
            "vendor": vendor, "platform": platform, "software": software, "routerTypeIdentifier": identifier,
        },
    }))
}

fn shown_test(world: &World, test: &Test) -> Json {
    let is_over = test.stopped.is_some() || passed(world, test.started, Wait::FailoverTest);
    let status = match (test.stopped, is_over) {
        (Some(_), _) => "STOPPED",
        (None, true) => "COMPLETED",
        (None, false) => "IN_PROGRESS",
    };
    let end = test.stopped.unwrap_or(test.started + world.pace.millis(Wait::FailoverTest));
    json!({
        "testId": test.id, "virtualInterfaceId": test.interface, "status": status,
        "bgpPeers": [test.interface.replace("dxvif", "dxpeer")], "ownerAccount": world.account,
        "testDurationInMinutes": test.minutes, "startTime": seconds(test.started), "endTime": seconds(end),
    })
}

pub(super) fn start_test(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("virtualInterfaceId")?.to_owned();
    let state = world.interface_state(&id, there(world, &id)?);
    let minutes = ask.number("testDurationInMinutes").unwrap_or(180);
    if !(1..=LONGEST_TEST).contains(&minutes) {
        return Err(refused(format!("A test of {minutes} minutes is longer than the limit of {LONGEST_TEST}.")));
    }
    if state == "testing" {
        return Err(refused(format!("A test of virtual interface {id} is already in progress.")));
    }
    if state != "available" {
        return Err(refused(format!("Virtual interface {id} is in the state {state}.")));
    }
    let test = Test { id: world.mint("dxtest"), interface: id, minutes, started: world.now, stopped: None };
    let shown = shown_test(world, &test);
    world.lines.tests.push(test);
    Ok(json!({ "virtualInterfaceTest": shown }))
}

pub(super) fn stop_test(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("virtualInterfaceId")?;
    there(world, id)?;
    let running = world.test_of(id).map(|test| test.id.clone());
    let running = running.ok_or_else(|| missing("A running test of", id))?;
    let now = world.now;
    if let Some(test) = world.lines.tests.iter_mut().find(|test| test.id == running) {
        test.stopped = Some(now);
    }
    let stopped = world.lines.tests.iter().find(|test| test.id == running);
    Ok(json!({ "virtualInterfaceTest": stopped.map(|test| shown_test(world, test)) }))
}

pub(super) fn tests(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let wanted = ask.text("virtualInterfaceId");
    let all = world.lines.tests.iter().filter(|test| wanted.is_none_or(|id| id == test.interface));
    let all: Vec<Json> = all.map(|test| shown_test(world, test)).collect();
    Ok(json!({ "virtualInterfaceTestHistory": all }))
}
