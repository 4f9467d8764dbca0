//! VPN connections: two tunnels with their options, minutes of `pending`, static routes, and what is said of the tunnels.
//!
//! Rules: "Tunnel options for your Site-to-Site VPN connection" (inside ranges, reserved blocks, pre-shared keys, start-up),
//! and the API reference of CreateVpnConnection and CreateVpnConnectionRoute. Acceleration: "Accelerated Site-to-Site VPN
//! connections". Keys in Secrets Manager: the policy of the role of Site-to-Site VPN for the secret's name, and what people
//! saw (hashicorp/terraform-provider-aws, pull request 42819) for the word in the place of a key. There is no device at the other end: a tunnel
//! comes up by itself after a while, unless it was told to stay down.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::secrets;
use super::tags;
use super::transit;
use super::vpn::{check_type, live};
use super::world::{Tunnel, VpnConnection, World, stamp};
use super::xml::Xml;

const MOST_CONNECTIONS: usize = 50;
const MOST_OF_ONE_GATEWAY: usize = 10;
/// Blocks of 169.254.0.0/16 that AWS needs itself.
const RESERVED: [&str; 7] = [
    "169.254.0.0/30",
    "169.254.1.0/30",
    "169.254.2.0/30",
    "169.254.3.0/30",
    "169.254.4.0/30",
    "169.254.5.0/30",
    "169.254.169.252/30",
];
/// Numbers that a tunnel may be given: as asked for, as described, and their bounds.
const NUMBERS: [(&str, &str, i64, i64); 3] = [
    ("Phase1LifetimeSeconds", "phase1LifetimeSeconds", 900, 28_800),
    ("Phase2LifetimeSeconds", "phase2LifetimeSeconds", 900, 3_600),
    ("DPDTimeoutSeconds", "dpdTimeoutSeconds", 30, i64::MAX),
];
/// What the customer of practice announces by BGP, over tunnels and lines.
pub(super) const ANNOUNCED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16);
/// Lists that a tunnel may be limited to: as asked for, and as described.
const LISTS: [(&str, &str); 7] = [
    ("IKEVersion", "ikeVersionSet"),
    ("Phase1EncryptionAlgorithm", "phase1EncryptionAlgorithmSet"),
    ("Phase2EncryptionAlgorithm", "phase2EncryptionAlgorithmSet"),
    ("Phase1IntegrityAlgorithm", "phase1IntegrityAlgorithmSet"),
    ("Phase2IntegrityAlgorithm", "phase2IntegrityAlgorithmSet"),
    ("Phase1DHGroupNumber", "phase1DHGroupNumberSet"),
    ("Phase2DHGroupNumber", "phase2DHGroupNumberSet"),
];

const GROUPS: [&str; 12] = ["2", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24"];
const CIPHERS: [&str; 4] = ["AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"];
const HASHES: [&str; 4] = ["SHA1", "SHA2-256", "SHA2-384", "SHA2-512"];

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    check_type(call)?;
    let tags = tags::of(call.ask, Kind::VpnConnection)?;
    let customer_gateway = call.ask.need("CustomerGatewayId")?.to_string();
    let world = &*call.world;
    let (gateway, asn) = match call.ask.get("TransitGatewayId") {
        Some(id) => (id.to_string(), transit::live(world, id)?.asn),
        None => {
            let id = call.ask.need("VpnGatewayId")?;
            (id.to_string(), live(world, id)?.asn)
        }
    };
    let customer = world.find(Kind::CustomerGateway, &world.customer_gateways, &customer_gateway)?;
    if customer.deleted.is_some() {
        return Err(Kind::CustomerGateway.not_found(&customer_gateway));
    }
    if asn == customer.asn {
        return Err(Refusal::new("AsnConflict", "The customer gateway and the gateway have the same ASN."));
    }
    let others: Vec<&VpnConnection> =
        world.vpn_connections.values().filter(|one| world.vpn_state(one) != "deleted").collect();
    let of_the_gateway = others.iter().filter(|one| one.gateway == gateway).count();
    if others.len() >= MOST_CONNECTIONS || of_the_gateway >= MOST_OF_ONE_GATEWAY {
        let message = "The maximum number of VPN connections has been reached.";
        return Err(Refusal::new("VpnConnectionLimitExceeded", message));
    }
    let address_of = |id: &str| world.customer_gateways.get(id).map(|other| other.ip);
    let taken = |one: &&VpnConnection| {
        one.customer_gateway != customer_gateway && address_of(&one.customer_gateway) == Some(customer.ip)
    };
    if others.iter().any(taken) {
        let message = format!("Conflict among chosen gateway IP addresses: {}", customer.ip);
        return Err(Refusal::new("InvalidCustomerGateway.DuplicateIpAddress", message));
    }
    let bandwidth = call.ask.get("Options.TunnelBandwidth").unwrap_or("standard").to_string();
    if bandwidth == "large" && Kind::of(&gateway) != Some(Kind::TransitGateway) {
        let message = "Large bandwidth tunnels are supported for VPN connections on a transit gateway only.";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    let accelerated = call.ask.yes("Options.EnableAcceleration");
    if accelerated && Kind::of(&gateway) != Some(Kind::TransitGateway) {
        let message = "Acceleration is supported for VPN connections on a transit gateway only.";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    let in_secret = match call.ask.get("PreSharedKeyStorage").unwrap_or("Standard") {
        "Standard" => false,
        "SecretsManager" => true,
        other => {
            let message = format!("Value ({other}) for parameter PreSharedKeyStorage is invalid.");
            return Err(Refusal::value(message));
        }
    };
    let used = others.iter().filter(|one| one.gateway == gateway).flat_map(|one| &one.tunnels).map(|one| one.inside);
    let mut used: Vec<Ipv4Net> = used.collect();
    let (mut tunnels, number) = (Vec::new(), world.vpn_connections.len());
    for (at, prefix) in ["Options.TunnelOptions.1.", "Options.TunnelOptions.2."].into_iter().enumerate() {
        let mut tunnel = tunnel(call, prefix, &used, (number, at))?;
        if accelerated {
            tunnel.outside = of_an_accelerator(number, at);
        }
        used.push(tunnel.inside);
        tunnels.push(tunnel);
    }
    if call.ask.prefixes("Options.TunnelOptions").len() > 2 {
        return Err(Refusal::value("A VPN connection has two tunnels."));
    }
    let id = call.world.mint("vpn");
    call.world.born(&id, tags);
    let keys: BTreeMap<Ipv4Addr, &String> = tunnels.iter().map(|one| (one.outside, &one.key)).collect();
    let keys = serde_json::json!(keys).to_string();
    let keys_secret = in_secret.then(|| secrets::made_by(call.world, "s2svpn", &id, &keys));
    let connection = VpnConnection {
        customer_gateway,
        gateway,
        is_static: call.ask.yes("Options.StaticRoutesOnly"),
        local: call.ask.get("Options.LocalIpv4NetworkCidr").unwrap_or("0.0.0.0/0").to_string(),
        remote: call.ask.get("Options.RemoteIpv4NetworkCidr").unwrap_or("0.0.0.0/0").to_string(),
        bandwidth,
        accelerated,
        keys_secret,
        tunnels,
        routes: Default::default(),
        created: call.world.now,
        deleted: None,
    };
    call.world.vpn_connections.insert(id.clone(), connection);
    Ok(Xml::new().tree("vpnConnection", item(call.world, &id, true)))
}

fn tunnel(call: &Call<'_>, prefix: &str, used: &[Ipv4Net], (number, at): (usize, usize)) -> Result<Tunnel, Refusal> {
    let given = |name: &str| call.ask.get(&format!("{prefix}{name}"));
    let invalid = |name: &str, text: &str, why: &str| {
        Err(Refusal::value(format!("Value ({text}) for parameter {name} is invalid. {why}")))
    };
    let inside = match given("TunnelInsideCidr") {
        Some(text) => inside(text, used)?,
        None => {
            let free = (6..=250_u8).map(|third| Ipv4Net::new_assert(Ipv4Addr::new(169, 254, third, 0), 30));
            let mut free = free.filter(|net| !used.contains(net));
            free.next().ok_or_else(|| Refusal::value("No tunnel range is free"))?
        }
    };
    let hash = || blake3::hash(format!("{}/{number}/{at}", call.world.account).as_bytes()).to_hex().to_string();
    let key = match given("PreSharedKey") {
        // AWS's own words say what is allowed and do not repeat the key.
        Some(text) if !is_key(text) => {
            let why = "The pre-shared key must have 8 to 64 characters of A-Z, a-z, 0-9, period and underscore, and not \
                       begin with zero.";
            return Err(Refusal::value(format!("Invalid pre-shared key. {why}")));
        }
        Some(text) => text.to_string(),
        None => format!("k{}", &hash()[..31]),
    };
    let mut lists = BTreeMap::new();
    for (asked, described) in LISTS {
        let values: Vec<String> = call
            .ask
            .prefixes(&format!("{prefix}{asked}"))
            .iter()
            .filter_map(|one| call.ask.get(&format!("{one}Value")).map(str::to_string))
            .collect();
        if asked == "IKEVersion" && values.iter().any(|one| !["ikev1", "ikev2"].contains(&one.as_str())) {
            return invalid("IKEVersions", &values.join(","), "It must be ikev1 or ikev2.");
        }
        // API_VpnTunnelOptionsSpecification, valid values.
        let takes = |value: &str| match asked {
            "Phase1DHGroupNumber" => GROUPS.contains(&value),
            "Phase2DHGroupNumber" => value == "5" || GROUPS.contains(&value),
            "Phase1EncryptionAlgorithm" | "Phase2EncryptionAlgorithm" => CIPHERS.contains(&value),
            "Phase1IntegrityAlgorithm" | "Phase2IntegrityAlgorithm" => HASHES.contains(&value),
            _ => true,
        };
        if let Some(other) = values.iter().find(|value| !takes(value)) {
            return invalid(asked, other, "It is none of the valid values.");
        }
        lists.insert(described.to_string(), values);
    }
    let startup = given("StartupAction").unwrap_or("add");
    if !["add", "start"].contains(&startup) {
        return invalid("StartupAction", startup, "It must be add or start.");
    }
    if startup == "start" && lists["ikeVersionSet"] != ["ikev2"] {
        return invalid("StartupAction", startup, "It is supported with IKEv2 only.");
    }
    let mut numbers = BTreeMap::new();
    for (asked, described, least, most) in NUMBERS {
        let Some(text) = given(asked) else { continue };
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => drop(numbers.insert(described.to_string(), number)),
            _ => return invalid(asked, text, &format!("It must be a number from {least} to {most}.")),
        }
    }
    let life = |described: &str, default: i64| numbers.get(described).copied().unwrap_or(default);
    if life("phase2LifetimeSeconds", 3_600) > life("phase1LifetimeSeconds", 28_800) {
        let why = "It must be less than the phase 1 lifetime.";
        return invalid("Phase2LifetimeSeconds", &life("phase2LifetimeSeconds", 3_600).to_string(), why);
    }
    let dpd = given("DPDTimeoutAction").unwrap_or("clear");
    if !["clear", "none", "restart"].contains(&dpd) {
        return invalid("DPDTimeoutAction", dpd, "It must be clear, none or restart.");
    }
    let logs = logs(call, &format!("{prefix}LogOptions.CloudWatchLogOptions."))?;
    // RFC 5737: addresses that documents may use.
    let outside = Ipv4Addr::new(192, 0, 2, u8::try_from(10 + (number * 2 + at) % 240).unwrap_or(10));
    Ok(Tunnel {
        outside,
        inside,
        key,
        lists,
        startup: startup.into(),
        dpd: dpd.into(),
        numbers,
        logs,
        down: false,
        said: None,
        writes: None,
    })
}

/// "A separate pool of IP addresses", of which each tunnel has one in another zone; RFC 5737 here, too.
fn of_an_accelerator(number: usize, at: usize) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, u8::try_from(128 + 64 * at + number % 64).unwrap_or(128))
}

/// What stands in the place of a key that is in Secrets Manager.
const REDACTED: &str = "REDACTED";

impl VpnConnection {
    /// A tunnel's key as anybody is told it.
    fn key_of<'a>(&self, tunnel: &'a Tunnel) -> &'a str {
        if self.keys_secret.is_some() { REDACTED } else { &tunnel.key }
    }
}

/// Where a tunnel's log goes: as asked for, and as described.
const LOGS: [(&str, &str); 6] = [
    ("LogEnabled", "logEnabled"),
    ("LogGroupArn", "logGroupArn"),
    ("LogOutputFormat", "logOutputFormat"),
    ("BgpLogEnabled", "bgpLogEnabled"),
    ("BgpLogGroupArn", "bgpLogGroupArn"),
    ("BgpLogOutputFormat", "bgpLogOutputFormat"),
];

/// A log group that is not there is refused, as "Publish Site-to-Site VPN logs" says: AWS makes none.
fn logs(call: &Call<'_>, prefix: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let given = |name: &str| call.ask.get(&format!("{prefix}{name}"));
    let mut logs = BTreeMap::new();
    for (enabled, group, format) in
        [("LogEnabled", "LogGroupArn", "LogOutputFormat"), ("BgpLogEnabled", "BgpLogGroupArn", "BgpLogOutputFormat")]
    {
        let invalid = |name: &str, text: &str, why: &str| {
            Err(Refusal::value(format!("Value ({text}) for parameter {name} is invalid. {why}")))
        };
        match given(format).unwrap_or("json") {
            "json" | "text" => {}
            other => return invalid(format, other, "It must be json or text."),
        }
        if given(enabled) != Some("true") {
            continue;
        }
        let arn = given(group).unwrap_or_default();
        let named = arn.split_once(":log-group:").map_or("", |(_, name)| name.trim_end_matches(":*"));
        if !call.world.control.of_kind("AWS::Logs::LogGroup", call.world.now).any(|group| group.id == named) {
            return invalid(group, arn, "The log group does not exist.");
        }
    }
    for (asked, described) in LOGS {
        logs.extend(given(asked).map(|value| (described.to_owned(), value.to_owned())));
    }
    Ok(logs)
}

fn inside(text: &str, used: &[Ipv4Net]) -> Result<Ipv4Net, Refusal> {
    let invalid =
        |why: &str| Refusal::value(format!("Value ({text}) for parameter TunnelInsideCidr is invalid. {why}"));
    let net: Ipv4Net = text.parse().map_err(|_| invalid("It is not a CIDR block."))?;
    if net.prefix_len() != 30 || !net.addr().is_link_local() || net.trunc() != net {
        return Err(invalid("It must be a /30 block of 169.254.0.0/16."));
    }
    if RESERVED.contains(&net.to_string().as_str()) {
        return Err(invalid("The block is reserved."));
    }
    if used.contains(&net) {
        return Err(invalid("The block is used by another tunnel."));
    }
    Ok(net)
}

fn is_key(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

impl World {
    pub fn vpn_state(&self, connection: &VpnConnection) -> &'static str {
        match connection.deleted {
            Some(at) if self.now >= at + self.pace.millis(Wait::VpnConnectionGone) => "deleted",
            Some(_) => "deleting",
            None if self.now >= connection.created + self.pace.millis(Wait::VpnConnection) => "available",
            None => "pending",
        }
    }

    /// When the tunnel came up, if it is up.
    pub fn up_since(&self, connection: &VpnConnection, tunnel: &Tunnel) -> Option<i64> {
        let at = connection.created + self.pace.millis(Wait::VpnConnection) + self.pace.millis(Wait::VpnTunnel);
        (self.vpn_state(connection) == "available" && !tunnel.down && self.now >= at).then_some(at)
    }

    /// Prefixes that a gateway brings into tables where it propagates.
    pub fn propagated(&self, gateway: &str) -> Vec<Ipv4Net> {
        let connections = self.vpn_connections.iter().filter(|(_, one)| one.gateway == gateway);
        let all = connections.flat_map(|(id, one)| self.brings(id, one));
        let all: std::collections::BTreeSet<Ipv4Net> =
            all.chain(self.line_behind(gateway).map(|_| ANNOUNCED)).collect();
        all.into_iter().collect()
    }

    /// What lies behind a connection: its static routes, or what the customer announces while a session is up.
    fn brings(&self, id: &str, connection: &VpnConnection) -> Vec<Ipv4Net> {
        if self.vpn_state(connection) != "available" {
            return Vec::new();
        }
        if connection.is_static {
            let own = connection.routes.keys().filter_map(|prefix| prefix.parse().ok());
            return own.chain(self.written_to(&connection.gateway, id)).collect();
        }
        if self.carries(connection) { vec![ANNOUNCED] } else { Vec::new() }
    }

    /// What is learnt of it by BGP.
    pub fn announced_over(&self, id: &str) -> Vec<Ipv4Net> {
        let connection = self.vpn_connections.get(id).filter(|one| !one.is_static);
        connection.map(|one| self.brings(id, one)).unwrap_or_default()
    }

    fn carries(&self, connection: &VpnConnection) -> bool {
        connection.tunnels.iter().any(|tunnel| self.up_since(connection, tunnel).is_some())
    }

    /// Is that address in the data centre, behind a tunnel of this gateway that is up?
    pub fn is_behind(&self, gateway: &str, to: Ipv4Addr) -> bool {
        let mut carrying = self.vpn_connections.iter().filter(|(_, one)| one.gateway == gateway && self.carries(one));
        carrying.any(|(id, one)| self.brings(id, one).iter().any(|prefix| prefix.contains(&to)))
    }
}

fn item(world: &World, id: &str, just_made: bool) -> Xml {
    let Some(connection) = world.vpn_connections.get(id) else { return Xml::new() };
    let state = if just_made { "pending" } else { world.vpn_state(connection) };
    let head = Xml::new().text("vpnConnectionId", id).text("state", state).text("type", "ipsec.1");
    let head = head.text("category", "VPN").text("customerGatewayId", &connection.customer_gateway);
    let end = match Kind::of(&connection.gateway) {
        Some(Kind::TransitGateway) => "transitGatewayId",
        _ => "vpnGatewayId",
    };
    let head = head.text(end, &connection.gateway).set("tagSet", world.tag_set(id));
    if state.starts_with("delet") {
        return head;
    }
    let tunnels = connection.tunnels.iter().map(|tunnel| {
        let lists = tunnel.lists.iter().filter(|(_, values)| !values.is_empty());
        let shown = Xml::new().text("outsideIpAddress", tunnel.outside).text("tunnelInsideCidr", tunnel.inside);
        let shown = shown.text("preSharedKey", connection.key_of(tunnel)).text("startupAction", &tunnel.startup);
        let shown = shown.text("dpdTimeoutAction", &tunnel.dpd);
        let logs = tunnel.logs.iter().fold(Xml::new(), |shown, (name, value)| shown.text(name, value));
        let shown = match tunnel.logs.is_empty() {
            true => shown,
            false => shown.tree("logOptions", Xml::new().tree("cloudWatchLogOptions", logs)),
        };
        let shown = tunnel.numbers.iter().fold(shown, |shown, (name, number)| shown.text(name, number));
        lists.fold(shown, |shown, (name, values)| {
            shown.set(name, values.iter().map(|value| Xml::new().text("value", value)))
        })
    });
    let options = Xml::new().text("staticRoutesOnly", connection.is_static);
    let options = options.text("localIpv4NetworkCidr", &connection.local);
    let options = options.text("tunnelBandwidth", &connection.bandwidth);
    let options = options.text("enableAcceleration", connection.accelerated);
    let options = options.text("remoteIpv4NetworkCidr", &connection.remote).set("tunnelOptionSet", tunnels);
    let routes = connection.routes.keys().map(|prefix| {
        Xml::new().text("destinationCidrBlock", prefix).text("source", "Static").text("state", "available")
    });
    let telemetry = connection.tunnels.iter().map(|tunnel| {
        let up = world.up_since(connection, tunnel);
        let count = if up.is_none() { 0 } else { connection.routes.len().max(usize::from(!connection.is_static)) };
        let said = match (up, connection.is_static) {
            (Some(_), true) => String::new(),
            (Some(_), false) => format!("{count} BGP ROUTES"),
            (None, _) => tunnel.said.clone().unwrap_or_else(|| "IPSEC IS DOWN".to_string()),
        };
        let shown = Xml::new().text("outsideIpAddress", tunnel.outside);
        let shown = shown.text("status", if up.is_some() { "UP" } else { "DOWN" }).text("statusMessage", said);
        shown.text("acceptedRouteCount", count).text("lastStatusChange", stamp(up.unwrap_or(connection.created)))
    });
    let head = match &connection.keys_secret {
        Some(arn) => head.text("preSharedKeyArn", arn),
        None => head,
    };
    head.text("customerGatewayConfiguration", configuration(world, id, connection))
        .tree("options", options)
        .set("routes", routes)
        .set("vgwTelemetry", telemetry)
}

/// The document that a device's configuration is made of: it has both keys, as far as they are told.
fn configuration(world: &World, id: &str, connection: &VpnConnection) -> String {
    let customer = world.customer_gateways.get(&connection.customer_gateway);
    let (ip, asn) = customer.map_or((Ipv4Addr::UNSPECIFIED, 0), |one| (one.ip, one.asn));
    let amazon = world.vpn_gateways.get(&connection.gateway).map(|gateway| gateway.asn);
    let amazon = amazon.or(world.transit_gateways.get(&connection.gateway).map(|gateway| gateway.asn)).unwrap_or(0);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vpn_connection id=\"{id}\">\n  <customer_gateway_id>{}\
         </customer_gateway_id>\n  <vpn_gateway_id>{}</vpn_gateway_id>\n  <vpn_connection_type>ipsec.1\
         </vpn_connection_type>\n",
        connection.customer_gateway, connection.gateway
    );
    if connection.is_static {
        out.push_str("  <vpn_connection_attributes>NoBGPVPNConnection</vpn_connection_attributes>\n");
    }
    let end = |name: &str, outside: Ipv4Addr, inside: Ipv4Addr, asn: i64| {
        let bgp = match connection.is_static {
            true => String::new(),
            false => format!("<bgp><asn>{asn}</asn><hold_time>30</hold_time></bgp>"),
        };
        format!(
            "    <{name}><tunnel_outside_address><ip_address>{outside}</ip_address></tunnel_outside_address>\
             <tunnel_inside_address><ip_address>{inside}</ip_address><network_mask>255.255.255.252</network_mask>\
             <network_cidr>30</network_cidr></tunnel_inside_address>{bgp}</{name}>\n"
        )
    };
    for tunnel in &connection.tunnels {
        let mut hosts = tunnel.inside.hosts();
        let (theirs, ours) = (hosts.next().unwrap_or(tunnel.outside), hosts.next().unwrap_or(tunnel.outside));
        out.push_str("  <ipsec_tunnel>\n");
        out.push_str(&end("customer_gateway", ip, ours, asn));
        out.push_str(&end("vpn_gateway", tunnel.outside, theirs, amazon));
        out.push_str(&format!(
            "    <ike><authentication_protocol>sha1</authentication_protocol><encryption_protocol>aes-128-cbc\
             </encryption_protocol><lifetime>28800</lifetime><perfect_forward_secrecy>group2</perfect_forward_secrecy>\
             <mode>main</mode><pre_shared_key>{}</pre_shared_key></ike>\n    <ipsec><protocol>esp</protocol>\
             <lifetime>3600</lifetime><tcp_mss_adjustment>1379</tcp_mss_adjustment></ipsec>\n  </ipsec_tunnel>\n",
            connection.key_of(tunnel)
        ));
    }
    out.push_str("</vpn_connection>\n");
    out
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("VpnConnectionId", Kind::VpnConnection, &world.vpn_connections)?;
    let items = ids.iter().map(|id| item(world, id, false));
    let filters = &[
        ("vpn-connection-id", "vpnConnectionId"),
        ("state", "state"),
        ("type", "type"),
        ("customer-gateway-id", "customerGatewayId"),
        ("vpn-gateway-id", "vpnGatewayId"),
        ("transit-gateway-id", "transitGatewayId"),
        ("option.static-routes-only", "options/staticRoutesOnly"),
        ("route.destination-cidr-block", "routes/item/destinationCidrBlock"),
    ];
    describe(call.ask, "vpnConnectionSet", items.collect(), filters)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("VpnConnectionId")?.to_string();
    let connection = call.world.find(Kind::VpnConnection, &call.world.vpn_connections, &id)?;
    let now = call.world.now;
    if connection.deleted.is_none()
        && let Some(connection) = call.world.vpn_connections.get_mut(&id)
    {
        (connection.deleted, connection.routes) = (Some(now), Default::default());
        if let Some(arn) = connection.keys_secret.take() {
            secrets::taken_by_its_service(call.world, &arn);
        }
    }
    Ok(Xml::new().text("return", true))
}

fn prefix(call: &Call<'_>) -> Result<String, Refusal> {
    let text = call.ask.need("DestinationCidrBlock")?;
    let net: Ipv4Net = text.parse().map_err(|_| {
        Refusal::value(format!("Value ({text}) for parameter destinationCidrBlock is invalid. It is no CIDR block."))
    })?;
    Ok(net.trunc().to_string())
}

pub(super) fn create_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, prefix) = (call.ask.need("VpnConnectionId")?.to_string(), prefix(call)?);
    let world = &*call.world;
    let connection = world.find(Kind::VpnConnection, &world.vpn_connections, &id)?;
    if Kind::of(&connection.gateway) == Some(Kind::TransitGateway) {
        // Its routes stand in the gateway's own table.
        let message = "The specified VPN connection is not on a virtual private gateway.";
        return Err(Refusal::new("InvalidVpnConnection.InvalidType", message));
    }
    if world.vpn_state(connection) != "available" {
        return Err(Refusal::new("IncorrectState", format!("The vpnConnection ID '{id}' is not available.")));
    }
    if !connection.is_static {
        let message = "The specified VPN connection does not support static routes.";
        return Err(Refusal::new("InvalidVpnConnection.InvalidType", message));
    }
    let now = world.now;
    if let Some(connection) = call.world.vpn_connections.get_mut(&id) {
        connection.routes.entry(prefix).or_insert(now);
    }
    Ok(Xml::new().text("return", true))
}

pub(super) fn delete_route(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, prefix) = (call.ask.need("VpnConnectionId")?.to_string(), prefix(call)?);
    let connection = call.world.find(Kind::VpnConnection, &call.world.vpn_connections, &id)?;
    if !connection.routes.contains_key(&prefix) {
        let message = format!("no route with destination-cidr-block {prefix} in VPN connection {id}");
        return Err(Refusal::new("InvalidRoute.NotFound", message));
    }
    if let Some(connection) = call.world.vpn_connections.get_mut(&id) {
        connection.routes.remove(&prefix);
    }
    Ok(Xml::new().text("return", true))
}

/// Some of the devices that AWS has a sample for (domain specification, 7.3).
const DEVICES: [(&str, &str, &str, &str); 8] = [
    ("9005b6c1", "Generic", "Generic", "Vendor Agnostic"),
    ("b556dcd1", "Cisco Systems, Inc.", "ASA 5500 Series", "ASA 9.7+ VTI"),
    ("7125681a", "Fortinet", "Fortigate 40+ Series", "FortiOS 6.4.4+ (GUI)"),
    ("9d9470de", "Fortinet", "Fortigate 40+ Series", "FortiOS 5.0+"),
    ("1361227b", "Juniper Networks, Inc.", "SRX Routers", "JunOS 11.0+"),
    ("5fb390ba", "Palo Alto Networks", "PA Series", "PANOS 7.0+"),
    ("74671aaa", "pfSense", "pfSense", "pfsense 2.2.5+(GUI)"),
    ("51cb26fd", "Strongswan", "Ubuntu 16.04", "Strongswan 5.5.1+"),
];

pub(super) fn device_types(call: &Call<'_>) -> Result<Xml, Refusal> {
    let items = DEVICES.iter().map(|(id, vendor, platform, software)| {
        let head = Xml::new().text("vpnConnectionDeviceTypeId", id).text("vendor", vendor);
        head.text("platform", platform).text("software", software)
    });
    describe(call.ask, "vpnConnectionDeviceTypeSet", items.collect(), &[])
}

pub(super) fn sample(call: &Call<'_>) -> Result<Xml, Refusal> {
    let (id, device) = (call.ask.need("VpnConnectionId")?, call.ask.need("VpnConnectionDeviceTypeId")?);
    let connection = call.world.find(Kind::VpnConnection, &call.world.vpn_connections, id)?;
    let Some((_, vendor, platform, _)) = DEVICES.iter().find(|(known, ..)| *known == device) else {
        return Err(Refusal::value(format!("Value ({device}) for parameter VpnConnectionDeviceTypeId is invalid.")));
    };
    let ike = call.ask.get("InternetKeyExchangeVersion").unwrap_or("ikev2");
    let mut text = format!("! {vendor} {platform}: sample configuration of {id}, {ike}\n");
    for (number, tunnel) in connection.tunnels.iter().enumerate() {
        text.push_str(&format!(
            "! tunnel {}\npeer {}\n  inside {}\n  pre-shared-key {}\n  aes-128 sha1 group 2\n",
            number + 1,
            tunnel.outside,
            tunnel.inside,
            connection.key_of(tunnel)
        ));
    }
    Ok(Xml::new().text("vpnConnectionDeviceSampleConfiguration", text))
}
