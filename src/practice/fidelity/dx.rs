//! Direct Connect: what is asked, and lines. A port is allotted after a while; the practice building lays the cross connect
//! some time after the letter was issued; a partner offers two hosted connections, again and again.
//!
//! Rules: "AWS Direct Connect API Reference" (the page of each operation, and of each state), "AWS Direct Connect quotas" and
//! "LOA-CFA" of the user guide. AWS has one code for nearly everything, and prose.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use winterbaume_directconnect::DirectConnectState;

use super::dx_gateways::{Association, Gateway};
use super::dx_interfaces::{Interface, Test};
use super::dx_letter::letter;
use super::dx_macsec::Secured;
use super::dx_neighbour::Proposal;
use super::pace::Wait;
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tags, World};
use super::{dx_gateways, dx_interfaces, dx_macsec, dx_neighbour};

const MOST_CONNECTIONS: usize = 10;
const MOST_TAGS: usize = 50;
/// What the partner has made for the account: id, building, VLAN, speed.
const HOSTED: [(&str, &str, i64, &str); 2] =
    [("dxcon-ffabc123", "EqDC2", 101, "1Gbps"), ("dxcon-ffabc124", "EqSe2", 102, "500Mbps")];
const PARTNER: &str = "Practice Carrier";

/// What Direct Connect knows of the account: gateways are one for all regions, lines and interfaces are seen in their own.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Lines {
    connections: BTreeMap<String, Line>,
    lags: BTreeMap<String, Lag>,
    pub gateways: BTreeMap<String, Gateway>,
    pub associations: BTreeMap<String, Association>,
    #[serde(default)]
    pub proposals: BTreeMap<String, Proposal>,
    pub interfaces: BTreeMap<String, Interface>,
    pub tests: Vec<Test>,
    /// What all lines bring to Amazon's ports, in dBm, where it is not as it should be; no number where nobody measures it.
    #[serde(default)]
    pub light: Option<f64>,
}

/// What optics say where there is no light, in dBm (SFF-8472), and what they say of a good cross connect.
pub(super) const NO_LIGHT: f64 = -40.0;
const GOOD_LIGHT: f64 = -4.2;
/// Below this, in dBm, no link comes up.
const TOO_DARK: f64 = -30.0;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// Where AWS lists its building. A partner's is offered wherever it is looked for, and stays where it was accepted.
    #[serde(default)]
    pub region: Option<String>,
    name: String,
    pub location: String,
    bandwidth: String,
    provider: Option<String>,
    /// A partner's, from when it was accepted.
    pub hosted: Option<Hosted>,
    created: i64,
    /// Whose port it is, among others.
    pub lag: Option<String>,
    /// It was ordered with MACsec.
    #[serde(default)]
    pub secured: Option<Secured>,
    /// The first letter, with which the building connects it, and the last.
    letters: Option<(i64, i64)>,
    deleted: Option<i64>,
}

/// Ports that work as one; what holds for the first holds for all.
#[derive(Debug, Serialize, Deserialize)]
struct Lag {
    name: String,
    ports: Vec<String>,
    deleted: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hosted {
    pub vlan: i64,
    accepted: Option<i64>,
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let action = visit.ask.action();
    let ask = Ask(serde_json::from_str(&visit.ask.body).map_err(|_| Refusal::new("SerializationException", ""))?);
    let world = visit.world();
    settle(world);
    let answered = match action {
        // winterbaume knows some.
        "DescribeLocations" => return Ok(None),
        "DescribeConnections" => connections(world, &ask),
        "CreateConnection" => create(world, &ask),
        "DescribeLags" => lags(world, &ask),
        "CreateLag" => create_lag(world, &ask),
        "DeleteLag" => delete_lag(world, &ask),
        "ConfirmConnection" => confirm(world, &ask),
        "DeleteConnection" => delete(world, &ask),
        "AssociateMacSecKey" => dx_macsec::associate(world, &ask),
        "DisassociateMacSecKey" => dx_macsec::disassociate(world, &ask),
        "UpdateConnection" => dx_macsec::update(world, &ask, "connectionId").map(|id| shown(world, &id)),
        "UpdateLag" => dx_macsec::update(world, &ask, "lagId").map(|id| shown_lag(world, &id)),
        "DescribeLoa" => issue(world, &ask),
        "TagResource" => tag(world, &ask),
        "CreateDirectConnectGateway" => dx_gateways::create(world, &ask),
        "DescribeDirectConnectGateways" => dx_gateways::list(world, &ask),
        "DeleteDirectConnectGateway" => dx_gateways::delete(world, &ask),
        "CreateDirectConnectGatewayAssociation" => dx_gateways::associate(world, &ask),
        "DescribeDirectConnectGatewayAssociations" => dx_gateways::associations(world, &ask),
        "DeleteDirectConnectGatewayAssociation" => dx_gateways::disassociate(world, &ask),
        "CreateDirectConnectGatewayAssociationProposal" => dx_neighbour::propose(world, &ask),
        "DescribeDirectConnectGatewayAssociationProposals" => dx_neighbour::proposals(world, &ask),
        "DeleteDirectConnectGatewayAssociationProposal" => dx_neighbour::withdraw(world, &ask),
        "ConfirmPrivateVirtualInterface" => dx_interfaces::confirm(world, &ask, false),
        "ConfirmTransitVirtualInterface" => dx_interfaces::confirm(world, &ask, true),
        "CreatePrivateVirtualInterface" => dx_interfaces::create(world, &ask, false),
        "CreateTransitVirtualInterface" => dx_interfaces::create(world, &ask, true),
        "DescribeVirtualInterfaces" => dx_interfaces::list(world, &ask),
        "DeleteVirtualInterface" => dx_interfaces::delete(world, &ask),
        "DescribeRouterConfiguration" => dx_interfaces::router(world, &ask),
        "StartBgpFailoverTest" => dx_interfaces::start_test(world, &ask),
        "StopBgpFailoverTest" => dx_interfaces::stop_test(world, &ask),
        "ListVirtualInterfaceTestHistory" => dx_interfaces::tests(world, &ask),
        other => Err(Refusal::new("UnknownOperationException", format!("The practice cloud does not know {other}"))),
    };
    answered.map(|json| Some(json.to_string()))
}

/// What was asked.
pub(super) struct Ask(pub Map<String, Json>);

impl Ask {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| refused(format!("{name} must be given.")))
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Json::as_i64)
    }

    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Json::as_bool).unwrap_or_default()
    }

    pub fn maps(&self, name: &str) -> impl Iterator<Item = &Map<String, Json>> {
        self.0.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object)
    }

    /// Letters, digits, blanks and `_.:/=+-@`, each key once.
    pub fn tags(&self) -> Result<Tags, Refusal> {
        let good = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
        let mut tags = Tags::new();
        for tag in self.maps("tags") {
            let text = |name: &str| tag.get(name).and_then(Json::as_str).unwrap_or_default();
            let (key, value) = (text("key"), text("value"));
            if key.is_empty() || key.len() > 128 || value.len() > 256 || !good(key) || !good(value) {
                return Err(refused(format!("The tag {key} is not valid.")));
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                let message = format!("The tag key {key} was given more than once.");
                return Err(Refusal::new("DuplicateTagKeysException", message));
            }
        }
        enough(&tags)?;
        Ok(tags)
    }
}

fn enough(tags: &Tags) -> Result<(), Refusal> {
    let message = "You have reached the limit on the number of tags that can be assigned.";
    if tags.len() > MOST_TAGS { Err(Refusal::new("TooManyTagsException", message)) } else { Ok(()) }
}

/// AWS's one code.
pub(super) fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new("DirectConnectClientException", message)
}

pub(super) fn missing(what: &str, id: &str) -> Refusal {
    refused(format!("{what} {id} does not exist."))
}

/// Has so much time passed since then?
pub(super) fn passed(world: &World, since: i64, wait: Wait) -> bool {
    world.now >= since + world.pace.millis(wait)
}

pub(super) fn is_gone(world: &World, deleted: Option<i64>) -> bool {
    deleted.is_some_and(|at| passed(world, at, Wait::LineGone))
}

/// The partner's offers are there from the start, and again when they were given back; what was to go goes.
fn settle(world: &mut World) {
    for (id, location, vlan, speed) in HOSTED {
        let there = world.lines.connections.get(id);
        if there.is_some_and(|line| !is_gone(world, line.deleted) || !world.is_here(&line.region)) {
            continue;
        }
        let offer = Line {
            region: None,
            name: format!("{PARTNER} {vlan}"),
            location: location.into(),
            bandwidth: speed.into(),
            provider: None,
            hosted: Some(Hosted { vlan, accepted: None }),
            lag: None,
            secured: None,
            created: world.now,
            letters: None,
            deleted: None,
        };
        world.forget(id);
        world.lines.connections.insert(id.into(), offer);
    }
    dx_neighbour::settle(world);
    let gone = |deleted: Option<i64>| is_gone(world, deleted);
    let lines = &world.lines;
    let gateways = lines.gateways.iter().filter(|(_, one)| gone(one.deleted)).map(|(id, _)| id.clone());
    let associations = lines.associations.iter().filter(|(_, one)| gone(one.deleted)).map(|(id, _)| id.clone());
    let ids: Vec<String> = gateways.chain(associations).collect();
    for id in ids {
        world.lines.gateways.remove(&id);
        world.lines.associations.remove(&id);
        world.forget(&id);
    }
}

/// The line of that id in this region that is not gone; of a LAG its first port.
pub(super) fn line<'w>(world: &'w World, id: &str) -> Result<&'w Line, Refusal> {
    let there = anywhere(world, id).filter(|line| world.is_here(&line.region));
    there.ok_or_else(|| missing(if world.lines.lags.contains_key(id) { "LAG" } else { "Connection" }, id))
}

/// As `line`, in whichever region.
fn anywhere<'w>(world: &'w World, id: &str) -> Option<&'w Line> {
    let port = match world.lines.lags.get(id) {
        Some(lag) if is_gone(world, lag.deleted) => None,
        Some(lag) => lag.ports.first().map(String::as_str),
        None => Some(id),
    };
    let line = world.lines.connections.get(port?)?;
    (world.visible(id) && !is_gone(world, line.deleted)).then_some(line)
}

impl World {
    pub fn line_state(&self, line: &Line) -> &'static str {
        match self.state_in_good_light(line) {
            "available" if self.is_dark() => "down",
            state => state,
        }
    }

    fn is_dark(&self) -> bool {
        self.lines.light.is_some_and(|level| level < TOO_DARK)
    }

    /// What Amazon's port of a line receives, in dBm: of a partner's line AWS does not tell it.
    pub fn light_of(&self, id: &str) -> Option<f64> {
        let line = line(self, id).ok().filter(|line| line.hosted.is_none())?;
        match self.state_in_good_light(line) {
            "available" | "down" => Some(self.lines.light.unwrap_or(GOOD_LIGHT)).filter(|level| level.is_finite()),
            "pending" => Some(NO_LIGHT),
            _ => None,
        }
    }

    fn state_in_good_light(&self, line: &Line) -> &'static str {
        match (line.deleted, &line.hosted, line.letters) {
            (Some(at), _, _) if passed(self, at, Wait::LineGone) => "deleted",
            (Some(_), _, _) => "deleting",
            (None, Some(Hosted { accepted: None, .. }), _) => "ordering",
            (None, Some(Hosted { accepted: Some(at), .. }), _) if passed(self, *at, Wait::CrossConnect) => "available",
            (None, Some(_), _) => "pending",
            (None, None, Some((first, _))) if passed(self, first, Wait::CrossConnect) => match &line.secured {
                Some(secured) if secured.cuts(self) => "down",
                _ => "available",
            },
            (None, None, Some(_)) => "pending",
            (None, None, None) if passed(self, line.created, Wait::PortReview) => "pending",
            (None, None, None) => "requested",
        }
    }

    /// A line of that id that carries, in whichever region.
    pub fn line_is_up(&self, id: &str) -> bool {
        anywhere(self, id).is_some_and(|line| self.line_state(line) == "available")
    }

    /// A line that was up and gets no light any more, in whichever region.
    pub fn lost_its_light(&self, id: &str) -> bool {
        self.is_dark() && anywhere(self, id).is_some_and(|line| self.state_in_good_light(line) == "available")
    }

    /// Is a line or an interface of that region seen from here? One of none is seen from everywhere.
    pub fn is_here(&self, region: &Option<String>) -> bool {
        region.as_ref().is_none_or(|region| *region == self.region)
    }

    pub fn is_port_of_a_lag(&self, id: &str) -> bool {
        self.lines.connections.get(id).is_some_and(|line| line.lag.is_some())
    }

    /// Is it a line, or what is on or behind one, that is gone or going?
    pub fn line_thing_is_gone(&self, id: &str) -> bool {
        let lines = &self.lines;
        lines.connections.get(id).is_some_and(|one| one.deleted.is_some())
            || lines.lags.get(id).is_some_and(|one| one.deleted.is_some())
            || lines.gateways.get(id).is_some_and(|one| one.deleted.is_some())
            || lines.interfaces.get(id).is_some_and(|one| one.deleted.is_some())
    }
}

/// The lines of that id: one, or the ports of a LAG.
pub(super) fn ports(world: &World, id: &str) -> Result<Vec<String>, Refusal> {
    match world.lines.lags.contains_key(id) {
        true => Ok(lag(world, id)?.ports.clone()),
        false => line(world, id).map(|_| vec![id.to_owned()]),
    }
}

impl Lines {
    /// Has anybody asked for them yet?
    pub fn are_known(&self) -> bool {
        !self.connections.is_empty()
    }

    pub fn line_mut(&mut self, id: &str) -> Option<&mut Line> {
        self.connections.get_mut(id)
    }
}

pub(super) fn shown_tags(world: &World, id: &str) -> Vec<Json> {
    let tags = world.tags.get(id).into_iter().flatten();
    tags.map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// Seconds since 1970, as JSON services write a time.
pub(super) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

fn shown(world: &World, id: &str) -> Json {
    let Some(line) = world.lines.connections.get(id) else { return Json::Null };
    let (vlan, partner) = line.hosted.as_ref().map_or((0, None), |hosted| (hosted.vlan, Some(PARTNER)));
    let mut shown = json!({
        "ownerAccount": world.account, "connectionId": id, "connectionName": line.name,
        "connectionState": world.line_state(line), "region": world.region, "location": line.location,
        "bandwidth": line.bandwidth, "vlan": vlan, "partnerName": partner, "providerName": line.provider,
        "loaIssueTime": line.letters.map(|(_, last)| seconds(last)), "awsDeviceV2": device(&line.location),
        "awsLogicalDeviceId": device(&line.location), "jumboFrameCapable": true, "hasLogicalRedundancy": "unknown",
        "lagId": line.lag, "tags": shown_tags(world, id),
    });
    dx_macsec::show(world, line, &mut shown);
    shown
}

/// Amazon's router there.
pub(super) fn device(location: &str) -> String {
    format!("{location}-practice1")
}

fn connections(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    if let Some(id) = ask.text("connectionId") {
        line(world, id).map_err(|_| missing("Connection", id))?;
        return Ok(json!({ "connections": [shown(world, id)] }));
    }
    let all = world.lines.connections.iter().filter(|(id, line)| world.visible(id) && world.is_here(&line.region));
    Ok(json!({ "connections": all.map(|(id, _)| shown(world, id)).collect::<Vec<_>>() }))
}

fn create(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (location, bandwidth, name) = (ask.need("location")?, ask.need("bandwidth")?, ask.need("connectionName")?);
    let tags = ask.tags()?;
    let locations = DirectConnectState::default().describe_locations(&world.region);
    let there = locations.iter().find(|one| one.location_code == location);
    let there = there.ok_or_else(|| refused(format!("Location {location} is not valid for this region.")))?;
    if !there.available_port_speeds.iter().any(|speed| speed == bandwidth) {
        return Err(refused(format!("Bandwidth {bandwidth} is not supported at location {location}.")));
    }
    let wants = ask.flag("requestMACSec");
    if wants && !there.available_mac_sec_port_speeds.iter().any(|speed| speed == bandwidth) {
        return Err(refused(format!("MACsec is not supported on {bandwidth} connections at location {location}.")));
    }
    if own_lines(world) >= MOST_CONNECTIONS {
        return Err(refused("You have reached the maximum number of connections for this region."));
    }
    let new = Line {
        region: Some(world.region.clone()),
        name: name.into(),
        location: location.into(),
        bandwidth: bandwidth.into(),
        provider: ask.text("providerName").map(str::to_owned),
        hosted: None,
        lag: None,
        secured: wants.then(Secured::default),
        created: world.now,
        letters: None,
        deleted: None,
    };
    let id = world.mint("dxcon");
    world.born(&id, tags);
    world.lines.connections.insert(id.clone(), new);
    Ok(shown(world, &id))
}

/// Ports that were ordered from AWS in this region.
fn own_lines(world: &World) -> usize {
    let own = |line: &&Line| line.deleted.is_none() && line.hosted.is_none() && world.is_here(&line.region);
    world.lines.connections.values().filter(own).count()
}

/// The live LAG of that id in this region.
fn lag<'w>(world: &'w World, id: &str) -> Result<&'w Lag, Refusal> {
    line(world, id).map_err(|_| missing("LAG", id))?;
    world.lines.lags.get(id).ok_or_else(|| missing("LAG", id))
}

fn shown_lag(world: &World, id: &str) -> Json {
    let Some(lag) = world.lines.lags.get(id) else { return Json::Null };
    let first = lag.ports.first().and_then(|port| world.lines.connections.get(port));
    let (location, bandwidth) = first.map_or(("", ""), |port| (&*port.location, &*port.bandwidth));
    let state = match (lag.deleted, first) {
        (Some(_), _) => "deleting",
        (None, Some(port)) => world.line_state(port),
        (None, None) => "unknown",
    };
    let ports: Vec<Json> = lag.ports.iter().map(|port| shown(world, port)).collect();
    let mut shown = json!({
        "lagId": id, "lagName": lag.name, "lagState": state, "location": location, "region": world.region,
        "connectionsBandwidth": bandwidth, "numberOfConnections": ports.len(), "minimumLinks": 0,
        "ownerAccount": world.account, "connections": ports, "allowsHostedConnections": false,
        "jumboFrameCapable": true, "awsDeviceV2": device(location), "tags": shown_tags(world, id),
    });
    if let Some(port) = first {
        dx_macsec::show(world, port, &mut shown);
        shown["requestsMacSec"] = json!(port.secured.is_some());
    }
    shown
}

fn lags(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    if let Some(id) = ask.text("lagId") {
        lag(world, id)?;
        return Ok(json!({ "lags": [shown_lag(world, id)] }));
    }
    let all = world.lines.lags.keys().filter(|id| lag(world, id).is_ok());
    Ok(json!({ "lags": all.map(|id| shown_lag(world, id)).collect::<Vec<_>>() }))
}

/// All ports or none.
fn create_lag(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (name, tags) = (ask.need("lagName")?.to_owned(), ask.tags()?);
    let (location, bandwidth) = (ask.need("location")?, ask.need("connectionsBandwidth")?);
    let most = if ["100Gbps", "400Gbps"].contains(&bandwidth) { 2 } else { 4 };
    let many = ask.number("numberOfConnections").filter(|many| (1..=most).contains(many));
    let many = many.ok_or_else(|| refused(format!("A LAG of {bandwidth} has 1 to {most} connections.")))?;
    if own_lines(world) + usize::try_from(many).unwrap_or(MOST_CONNECTIONS) > MOST_CONNECTIONS {
        return Err(refused("You have reached the maximum number of connections for this region."));
    }
    let of_port = |number: i64| {
        Ask(json!({
            "location": location, "bandwidth": bandwidth, "connectionName": format!("{name} {number}"),
            "providerName": ask.text("providerName"), "tags": ask.0.get("childConnectionTags"),
            "requestMACSec": ask.flag("requestMACSec"),
        })
        .as_object()
        .cloned()
        .unwrap_or_default())
    };
    let mut ports = Vec::new();
    for number in 1..=many {
        let made = create(world, &of_port(number))?;
        ports.extend(made["connectionId"].as_str().map(str::to_owned));
    }
    let id = world.mint("dxlag");
    for port in &ports {
        if let Some(line) = world.lines.connections.get_mut(port) {
            line.lag = Some(id.clone());
        }
    }
    world.born(&id, tags);
    world.lines.lags.insert(id.clone(), Lag { name, ports, deleted: None });
    Ok(shown_lag(world, &id))
}

/// Its ports stay, each by itself.
fn delete_lag(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("lagId")?;
    lag(world, id)?;
    if world.lines.interfaces.values().any(|one| one.connection == id && !is_gone(world, one.deleted)) {
        return Err(refused(format!("LAG {id} is not in a state that allows deletion: it has virtual interfaces.")));
    }
    let now = world.now;
    if let Some(lag) = world.lines.lags.get_mut(id) {
        lag.deleted.get_or_insert(now);
    }
    for line in world.lines.connections.values_mut().filter(|line| line.lag.as_deref() == Some(id)) {
        line.lag = None;
    }
    Ok(shown_lag(world, id))
}

fn confirm(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("connectionId")?;
    let state = world.line_state(line(world, id)?);
    if state != "ordering" {
        return Err(refused(format!("Connection {id} cannot be confirmed in the state {state}.")));
    }
    let (now, region) = (world.now, world.region.clone());
    if let Some(line) = world.lines.connections.get_mut(id) {
        line.region = Some(region);
        line.hosted.iter_mut().for_each(|hosted| hosted.accepted = Some(now));
    }
    Ok(json!({ "connectionState": "pending" }))
}

fn delete(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("connectionId")?;
    if line(world, id)?.lag.is_some() {
        return Err(refused(format!("Connection {id} is not in a state that allows deletion: it is part of a LAG.")));
    }
    if world.lines.interfaces.values().any(|one| one.connection == id && !is_gone(world, one.deleted)) {
        let message = format!("Connection {id} is not in a state that allows deletion: it has virtual interfaces.");
        return Err(refused(message));
    }
    let now = world.now;
    if let Some(line) = world.lines.connections.get_mut(id) {
        line.deleted.get_or_insert(now);
    }
    Ok(shown(world, id))
}

fn issue(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("connectionId")?;
    let there = line(world, id)?;
    let state = world.line_state(there);
    if there.hosted.is_some() || !["pending", "available", "down"].contains(&state) {
        return Err(refused(format!("There is no LOA-CFA for connection {id} in the state {state}.")));
    }
    let provider = ask.text("providerName").or(there.provider.as_deref()).unwrap_or("-");
    let lines = [
        "Letter of Authorization and Connecting Facility Assignment (practice)".to_owned(),
        format!("Connection: {id}, {}", there.bandwidth),
        format!("Location: {}", there.location),
        format!("Provider: {provider}"),
        format!("Device: {}, panel 1, port {}", device(&there.location), 1 + world.minted % 48),
        format!("Account: {}", world.account),
    ];
    let now = world.now;
    let is_meant = |(of, line): &(&String, &mut Line)| *of == id || line.lag.as_deref() == Some(id);
    for (_, line) in world.lines.connections.iter_mut().filter(is_meant) {
        let first = line.letters.map_or(now, |(first, _)| first);
        line.letters = Some((first, now));
    }
    Ok(json!({ "loaContent": BASE64.encode(letter(&lines)), "loaContentType": "application/pdf" }))
}

fn tag(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (arn, tags) = (ask.need("resourceArn")?, ask.tags()?);
    let wrong = || refused(format!("{arn} is not a valid resource ARN."));
    let id = arn.strip_prefix(&format!("arn:aws:directconnect:{}:{}:", world.region, world.account));
    let id = match id.and_then(|rest| rest.split_once('/')).ok_or_else(wrong)? {
        ("dxcon", id) => line(world, id).map(|_| id.to_owned())?,
        ("dxvif", id) => dx_interfaces::there(world, id).map(|_| id.to_owned())?,
        _ => return Err(wrong()),
    };
    let mut all = world.tags.get(&id).cloned().unwrap_or_default();
    all.extend(tags);
    enough(&all)?;
    world.tags.insert(id, all);
    Ok(json!({}))
}
