//! What names and time ask of each other and of the network.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::super::domain::within;
use super::super::refusal::Refusal;
use super::super::routing;
use super::super::value::{Row, cell};
use super::super::{InputId, Value};
use super::{Answers, Disagreement, Rule, free, report, warn};
use crate::text::count;

const ZONES: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html";
const ENDPOINTS: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-forwarding-inbound-queries.html";
const OUTBOUND: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-forwarding-outbound-queries.html";
const DHCP: &str = "docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html";

pub(super) const RULES: &[Rule] = &[
    records_are_in_the_zone,
    record_addresses_are_known,
    resolvers_are_on_premises,
    dhcp_has_room,
    inbound_addresses_are_free,
    askers_are_on_premises,
    name_servers_may_ask,
    zone_is_not_forwarded,
    answers_are_forgotten_soon,
    private_servers_are_reached,
    aws_is_found_in_the_vpc,
    time_has_a_majority,
    nobody_asks_over_nothing,
];

/// Route 53 takes records of the zone only, and no CNAME at its top (RFC 1034 section 3.6.2: the SOA stands there).
fn records_are_in_the_zone(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, records)), Some((zone_id, zone))) = (answers.get("dns.records"), answers.text("dns.zone_name"))
    else {
        return;
    };
    for row in records.rows() {
        let (name, kind) = (cell(row, "name"), cell(row, "type"));
        let is_reverse = kind == "PTR" && name.ends_with(".arpa");
        if !within(name, zone) && !is_reverse {
            let what = format!("{name} of {id} is not in the zone {zone}");
            let proposal = format!("{}.{zone}", name.split('.').next().unwrap_or("gw"));
            report(
                found,
                &[id, zone_id],
                Refusal::new(what, "a zone has names that end in it", ZONES).suggest(proposal),
            );
        } else if name == zone && kind == "CNAME" {
            let what = format!("{name} would be a CNAME at the top of the zone");
            let why = "the zone's own records stand there, and a CNAME has none beside it";
            let refusal = Refusal::new(what, why, "RFC 1034 section 3.6.2");
            report(found, &[id, zone_id], refusal.suggest(format!("www.{zone}")));
        }
    }
}

/// onramp's own: a record that leads nowhere is most often a mistyped one.
fn record_addresses_are_known(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let known = answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs", "net.onprem_cidrs", "net.other_vpc_cidrs"]);
    let (Some((id, records)), false) = (answers.get("dns.records"), known.is_empty()) else { return };
    for row in records.rows().iter().filter(|row| cell(row, "type") == "A") {
        let Ok(address) = cell(row, "value").parse::<std::net::Ipv4Addr>() else { continue };
        if routing::is_inside(address) && !known.iter().any(|(_, net)| net.contains(&address)) {
            let what = format!("{} of {id} is {address}, which is in none of the known ranges", cell(row, "name"));
            warn(found, &[id], Refusal::new(what, "nobody could reach it", "RFC 1918"));
        }
    }
}

/// The address of an endpoint, without its port.
fn host_address(text: &str) -> Option<IpAddr> {
    let bare = match text.rsplit_once(':') {
        Some((bare, _)) if !bare.contains(':') || bare.ends_with(']') => bare,
        _ => text,
    };
    bare.trim_matches(['[', ']']).parse().ok()
}

/// Servers of the customer's stand in the customer's ranges: the rest is not reached over the private link. A public time
/// server may be anybody's.
fn resolvers_are_on_premises(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let premises = answers.blocks(&["net.onprem_cidrs"]);
    let Some((premises_id, range)) = premises.first() else { return };
    for list in ["dns.onprem_resolvers", "ntp.servers"] {
        let Some((id, servers)) = answers.texts(list) else { continue };
        for address in servers.iter().filter_map(|server| host_address(server)) {
            let IpAddr::V4(four) = address else { continue };
            let is_ours = premises.iter().any(|(_, net)| net.contains(&four));
            let outside = format!("{four} of {id} is in none of the ranges of {premises_id}");
            if routing::is_inside(four) && !is_ours {
                let why = "it is private, so the VPC must have a route to it";
                report(found, &[id, premises_id], Refusal::new(outside, why, "onramp").suggest(free::inside(*range)));
            } else if list == "dns.onprem_resolvers" && !is_ours {
                public_resolver(answers, [id, premises_id], outside, found);
            }
        }
    }
}

/// A public name server outside of the customer's ranges: refused where the Resolver asks it on the hosts' behalf.
fn public_resolver(
    answers: &Answers<'_>,
    [id, premises_id]: [&InputId; 2],
    outside: String,
    found: &mut Vec<Disagreement>,
) {
    let what = format!("{outside}, and public");
    if is_asked_by_rules(answers) {
        let why = "it would be asked outside of the private connection, where anybody may read the questions and answer \
                   them; if it is the customer's own, add its range to those";
        let inside = answers.blocks(&["net.onprem_cidrs"]).first().map(|(_, net)| free::inside(*net));
        report(found, &[id, premises_id], Refusal::new(what, why, OUTBOUND).suggest(inside.unwrap_or_default()));
    } else {
        let why = "is it one of the customer's own? Somebody else's would be told the names that are asked for";
        warn(found, &[id, premises_id], Refusal::new(what, why, "onramp"));
    }
}

/// Do rules of the Resolver send questions to the data centre?
fn is_asked_by_rules(answers: &Answers<'_>) -> bool {
    !answers.is("conn.mode", "none") && ["outbound", "both"].iter().any(|way| answers.is("dns.hybrid", way))
}

/// Are the customer's name servers told to the hosts themselves, and not asked by rules of the Resolver?
fn are_told(answers: &Answers<'_>) -> bool {
    answers.is("dns.mode", "customer_dns") && !is_asked_by_rules(answers)
}

/// A set of DHCP options has four name servers, as addresses, and names that fit into one answer.
fn dhcp_has_room(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, servers)), Some((mode_id, _)), true) =
        (answers.texts("dns.onprem_resolvers"), answers.text("dns.mode"), are_told(answers))
    {
        if servers.len() > 4 {
            let what = format!("{} are to be told to the hosts", count(servers.len(), "name server"));
            let refusal = Refusal::new(what, "a set of DHCP options has four at most", DHCP);
            report(found, &[id, mode_id], refusal.suggest(servers[..4].join(", ")));
        }
        if let Some(server) = servers.iter().find(|server| server.parse::<IpAddr>().is_err()) {
            let what = format!("{server} of {id} has a port");
            let why = "hosts that are told of a name server ask it at port 53";
            let bare = host_address(server).map(|address| address.to_string()).unwrap_or_default();
            report(found, &[id, mode_id], Refusal::new(what, why, DHCP).suggest(bare));
        }
    }
    if let Some((id, domains)) = answers.texts("dns.search_domains") {
        let length: usize = domains.iter().map(|domain| domain.len() + 1).sum();
        if length > 256 {
            let what = format!("the search list has {length} characters");
            let refusal = Refusal::new(what, "resolvers read 256 at most", "resolv.conf(5)");
            report(found, &[id], refusal.suggest(domains.first().copied().unwrap_or_default()));
        } else if let Some(first) = domains.first().filter(|_| domains.len() > 1) {
            let what = format!("of {} the hosts are told {first} alone", count(domains.len(), "ending"));
            let why =
                "of several that a VPC tells, systemd-networkd makes one name; a person gives the hosts the others";
            warn(found, &[id], Refusal::new(what, why, DHCP).suggest(first));
        }
    }
}

/// Each stands in a subnet of its own, in different zones, and is none of the five that AWS keeps in a subnet.
fn inbound_addresses_are_free(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, inbound)), Some((plan_id, plan))) = (answers.get("dns.inbound_ips"), answers.subnets()) else {
        return;
    };
    let mut zones: Vec<&str> = Vec::new();
    let mut taken: BTreeMap<Ipv4Net, Ipv4Addr> = BTreeMap::new();
    for address in inbound.items() {
        let Value::Address(IpAddr::V4(address)) = address else { continue };
        let holds = |net: &Ipv4Net| net.contains(address);
        let home = plan.iter().find(|row| row.get("cidr").and_then(Value::cidr).is_some_and(|net| holds(&net)));
        let Some((row, net)) = home.and_then(|row| Some((row, row.get("cidr")?.cidr()?))) else {
            let what = format!("{address} of {id} is in no subnet of {plan_id}");
            let free = plan.first().and_then(|row| row.get("cidr")?.cidr()).map(free::inside).unwrap_or_default();
            let refusal = Refusal::new(what, "an endpoint stands in a subnet of the VPC", ENDPOINTS);
            report(found, &[id, plan_id], refusal.suggest(free));
            continue;
        };
        let offset = u32::from(*address) - u32::from(net.network());
        if offset < 4 || *address == net.broadcast() {
            let what = format!("{address} of {id} is kept by AWS in {net}");
            let why = "the first four addresses of a subnet and its last one are not free";
            let free = std::net::Ipv4Addr::from(u32::from(net.network()) + 10);
            report(found, &[id, plan_id], Refusal::new(what, why, ENDPOINTS).suggest(free.to_string()));
        }
        if let Some(other) = taken.insert(net, *address) {
            let what = format!("{address} and {other} of {id} are both in {net}");
            let elsewhere = plan.iter().filter_map(|row| row.get("cidr")?.cidr()).find(|net| !taken.contains_key(net));
            let refusal = Refusal::new(what, "each stands in a subnet of its own", ENDPOINTS);
            report(found, &[id, plan_id], refusal.suggest(elsewhere.map(free::inside).unwrap_or_default()));
        }
        zones.push(cell(row, "zone"));
    }
    let first = zones.first().copied();
    if zones.len() > 1 && zones.iter().all(|zone| Some(*zone) == first) {
        let what = format!("all addresses of {id} are in {}", first.unwrap_or_default());
        let elsewhere = plan.iter().find(|row| Some(cell(row, "zone")) != first);
        let free = elsewhere.and_then(|row| row.get("cidr")?.cidr()).map(free::inside).unwrap_or_default();
        let refusal = Refusal::new(what, "they stand in at least two zones, so that one may fail", ENDPOINTS);
        report(found, &[id, plan_id], refusal.suggest(free));
    }
}

/// Only the data centre asks the inbound addresses, and it comes over the private connection.
fn askers_are_on_premises(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let premises = answers.blocks(&["net.onprem_cidrs"]);
    let Some((premises_id, range)) = premises.first() else { return };
    let asks_from = free::inside(*range);
    for (id, net) in answers.blocks(&["dns.query_sources"]) {
        if !premises.iter().any(|(_, around)| around.contains(&net)) {
            let what = format!("{net} of {id} is in none of the ranges of {premises_id}");
            let why = "the VPC has no route back to it over the private connection";
            report(found, &[id, premises_id], Refusal::new(what, why, ENDPOINTS).suggest(format!("{asks_from}/32")));
        }
    }
}

/// Name servers that forward our zone ask our inbound addresses, and only who is let in gets an answer. Others than those
/// that we ask may do it, so it is a warning.
fn name_servers_may_ask(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let forwarded = matches!(answers.text("dns.hybrid"), Some((_, "both")));
    let (Some((id, servers)), true) = (answers.texts("dns.onprem_resolvers"), forwarded) else { return };
    let askers = answers.blocks(&["dns.query_sources"]);
    let Some((askers_id, _)) = askers.first() else { return };
    let let_in = |server: &&str| match server.split(':').next().unwrap_or(server).parse::<Ipv4Addr>() {
        Ok(address) => askers.iter().any(|(_, net)| net.contains(&address)),
        Err(_) => true,
    };
    for server in servers.iter().filter(|server| !let_in(server)) {
        let what = format!("{server} is asked by us, and may not ask us");
        let why = "a name server that forwards our zone has to be among those that may ask; if it forwards nothing, all is well";
        warn(found, &[askers_id, id], Refusal::new(what, why, ENDPOINTS).suggest(format!("{server}/32")));
    }
}

/// A rule for our own zone would send our own names to the data centre.
fn zone_is_not_forwarded(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, domains)), Some((zone_id, zone))) =
        (answers.texts("dns.forward_domains"), answers.text("dns.zone_name"))
    else {
        return;
    };
    if let Some(domain) = domains.iter().find(|domain| within(domain, zone)) {
        let what = format!("{domain} of {id} lies in our own zone {zone}");
        let why = "hosts would ask the data centre for names that it would ask us for";
        let beside = format!("corp.{}", zone.split_once('.').map_or(zone, |(_, parent)| parent));
        report(found, &[id, zone_id], Refusal::new(what, why, ENDPOINTS).suggest(beside));
    }
}

/// onramp's own, for a drill: 30 to 300 s, as inputs of the runbook have it. Below, every request asks anew.
fn answers_are_forgotten_soon(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if answers.flag("dr.requested") != Some(true) {
        return;
    }
    let late = "for so long they lead to the region that is away";
    if let Some((id, ttl)) = answers.number("dns.ttl") {
        let what = format!("names are remembered for {ttl} s");
        match ttl {
            301.. => warn(found, &[id], Refusal::new(what, late, "onramp").suggest("60")),
            ..30 => {
                let why = "nearly every request asks the name servers anew, which is slow, and billed by the million";
                warn(found, &[id], Refusal::new(what, why, "onramp").suggest("60"));
            }
            _ => {}
        }
    }
    let Some((id, records)) = answers.get("dns.records") else { return };
    let ttl = |row: &Row| row.get("ttl").and_then(Value::number).unwrap_or_default();
    if let Some(row) =
        records.rows().iter().find(|row| ["A", "AAAA", "CNAME"].contains(&cell(row, "type")) && ttl(row) > 300)
    {
        let what = format!("{} is remembered for {} s", cell(row, "name"), ttl(row));
        warn(found, &[id], Refusal::new(what, late, "onramp").suggest("60 s, or none of its own"));
    }
}

/// A private server of the customer's needs a private connection, unless the hosts stand beside it.
fn private_servers_are_reached(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if answers.is("net.access_path", "onprem_customer_vpn") {
        return;
    }
    let Some((conn_id, "none")) = answers.text("conn.mode") else { return };
    let ours = answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]);
    let unreached = |address: IpAddr| match address {
        IpAddr::V4(four) => routing::is_inside(four) && !ours.iter().any(|(_, net)| net.contains(&four)),
        IpAddr::V6(_) => false,
    };
    let mut servers: Vec<(&InputId, &str)> = Vec::new();
    if answers.is("smtp.mode", "own_server") {
        servers.extend(answers.text("smtp.host"));
    }
    if answers.is("ntp.mode", "customer_ntp")
        && let Some((id, list)) = answers.texts("ntp.servers")
    {
        servers.extend(list.into_iter().map(|server| (id, server)));
    }
    if answers.is("dns.mode", "customer_dns")
        && let Some((id, list)) = answers.texts("dns.onprem_resolvers")
    {
        servers.extend(list.into_iter().map(|server| (id, server)));
    }
    for (id, server) in servers {
        if host_address(server).is_some_and(unreached) {
            let what = format!("{server} of {id} is private, and there is no private connection");
            let refusal = Refusal::new(what, "hosts in the VPC could not reach it", "RFC 1918");
            report(found, &[id, conn_id], refusal.suggest("ipsec_vpn"));
        }
    }
}

/// Endpoints have their names in the VPC's own resolver, which hosts do not ask where they are told of others.
fn aws_is_found_in_the_vpc(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let asked = answers.text("dns.hybrid").or(answers.text("conn.mode").filter(|(_, mode)| *mode == "none"));
    let (Some((nat_id, way)), Some((asked_id, _)), true) = (answers.text("net.nat_mode"), asked, are_told(answers))
    else {
        return;
    };
    let by_smtp = !answers.is("mail.relay", "web");
    let mail =
        answers.text("smtp.mode").filter(|(_, mode)| *mode == "amazon_ses" && by_smtp && way.starts_with("none"));
    let what = match (way, &mail) {
        ("none_private_link", _) => "services of AWS are",
        (_, Some(_)) => "Amazon SES is",
        _ => return,
    };
    let what =
        format!("the hosts would ask the customer's name servers where {what}, and have no way to what those answer");
    let why = "the endpoints that onramp puts into the VPC are known to the VPC's own resolver only; let that one ask the customer's \
               name servers (dns.hybrid), or give the hosts a way out";
    let instead = if asked_id.as_str() == "dns.hybrid" { "outbound" } else { "per_az" };
    let ids: Vec<_> = [asked_id, nat_id].into_iter().chain(mail.map(|(id, _)| id)).collect();
    report(found, &ids, Refusal::new(what, why, DHCP).suggest(instead));
}

/// With two clocks nobody can tell which is wrong (RFC 8633 section 3.2); DHCP tells addresses only.
fn time_has_a_majority(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, servers)) = answers.texts("ntp.servers") else { return };
    if servers.len() == 2 {
        let why = "when they disagree, nobody can tell which of them is wrong; name one, three or four";
        let refusal = Refusal::new("there are two time servers", why, "RFC 8633 section 3.2");
        report(found, &[id], refusal.suggest(servers.first().copied().unwrap_or_default()));
    }
    if let Some(name) = servers.iter().find(|server| host_address(server).is_none()) {
        let what = format!("{name} of {id} is a name");
        warn(found, &[id], Refusal::new(what, "the VPC can tell its hosts addresses only", DHCP));
    }
}

/// Where nothing connects the two sides, nothing of it is made.
fn nobody_asks_over_nothing(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, way)), Some((conn_id, "none"))) = (answers.text("dns.hybrid"), answers.text("conn.mode")) else {
        return;
    };
    if way != "none" && !answers.is("net.access_path", "onprem_customer_vpn") {
        let what = format!("{id} is {way}, and there is no private connection");
        let why = "neither side reaches the other's name servers, so the steps for it are left out";
        warn(found, &[id, conn_id], Refusal::new(what, why, "onramp").suggest("none"));
    }
}
