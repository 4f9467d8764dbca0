//! What names, mail and time ask of each other and of the network.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::super::refusal::Refusal;
use super::super::value::cell;
use super::super::{InputId, Value};
use super::{Answers, Disagreement, Rule, free, report, warn};
use crate::text::count;

const ZONES: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html";
const ENDPOINTS: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-forwarding-inbound-queries.html";
const DHCP: &str = "docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html";
const MAIL_FROM: &str = "docs.aws.amazon.com/ses/latest/dg/mail-from.html";
const IDENTITIES: &str = "docs.aws.amazon.com/ses/latest/dg/creating-identities.html";
const TOPICS: &str = "docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html";
const NAT: &str = "docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html";
const SIMULATOR: &str = "docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html";
const PORT_25: &str = "docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html";

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
    public_mail_server_is_reached,
    mail_can_be_proved,
    port_25_is_private,
    mail_is_handed_in_there,
    mail_is_encrypted,
    certificates_are_for_names,
    mail_is_in_the_region,
    topic_is_in_reach,
    records_go_where_the_zone_is,
    sender_is_verified,
    mail_from_is_below,
    records_can_be_written,
    ses_has_a_way_out,
    ses_is_found_in_the_vpc,
    time_has_a_majority,
    the_test_message_is_read,
    nobody_asks_over_nothing,
];

/// Is `name` the zone or below it?
pub(super) fn within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

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

fn record_addresses_are_known(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let known = answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs", "net.onprem_cidrs", "net.other_vpc_cidrs"]);
    let (Some((id, records)), false) = (answers.get("dns.records"), known.is_empty()) else { return };
    for row in records.rows().iter().filter(|row| cell(row, "type") == "A") {
        let Ok(address) = cell(row, "value").parse::<std::net::Ipv4Addr>() else { continue };
        if address.is_private() && !known.iter().any(|(_, net)| net.contains(&address)) {
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

/// Servers with a private address stand in the customer's ranges: the rest is not reached over the private link.
fn resolvers_are_on_premises(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let premises = answers.blocks(&["net.onprem_cidrs"]);
    let Some((premises_id, range)) = premises.first() else { return };
    for list in ["dns.onprem_resolvers", "ntp.servers"] {
        let Some((id, servers)) = answers.texts(list) else { continue };
        for address in servers.iter().filter_map(|server| host_address(server)) {
            let IpAddr::V4(four) = address else { continue };
            if four.is_private() && !premises.iter().any(|(_, net)| net.contains(&four)) {
                let what = format!("{four} of {id} is in none of the ranges of {premises_id}");
                let why = "it is private, so the VPC must have a route to it";
                report(found, &[id, premises_id], Refusal::new(what, why, "onramp").suggest(free::inside(*range)));
            }
            if !four.is_private()
                && list == "dns.onprem_resolvers"
                && !premises.iter().any(|(_, net)| net.contains(&four))
            {
                let what = format!("{four} of {id} is in none of the ranges of {premises_id}, and public");
                let why = "is it one of the customer's own? Somebody else's would be told the names that are asked for";
                warn(found, &[id, premises_id], Refusal::new(what, why, "onramp"));
            }
        }
    }
}

/// Are the customer's name servers told to the hosts themselves, and not asked by rules of the Resolver?
fn are_told(answers: &Answers<'_>) -> bool {
    answers.is("dns.mode", "customer_dns")
        && (answers.is("conn.mode", "none") || !["outbound", "both"].iter().any(|way| answers.is("dns.hybrid", way)))
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

fn askers_are_on_premises(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let premises = answers.blocks(&["net.onprem_cidrs"]);
    let Some((premises_id, range)) = premises.first() else { return };
    for (id, net) in answers.blocks(&["dns.query_sources"]) {
        if net.addr().is_private() && !premises.iter().any(|(_, around)| around.contains(&net)) {
            let what = format!("{net} of {id} is in none of the ranges of {premises_id}");
            let refusal = Refusal::new(what, "the VPC has no route back to it", "onramp");
            report(found, &[id, premises_id], refusal.suggest(range.to_string()));
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

fn answers_are_forgotten_soon(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, ttl)), Some(true)) = (answers.number("dns.ttl"), answers.flag("dr.requested"))
        && ttl > 300
    {
        let what = format!("names are remembered for {ttl} s");
        let why = "for so long they lead to the region that is away";
        warn(found, &[id], Refusal::new(what, why, "onramp").suggest("60"));
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
        IpAddr::V4(four) => four.is_private() && !ours.iter().any(|(_, net)| net.contains(&four)),
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

/// Without a NAT gateway and without a connection nothing outside the VPC is reached, and an HTTP proxy does not carry mail. A
/// name may still be that of a server in the VPC.
fn public_mail_server_is_reached(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let shut_in = answers.is("conn.mode", "none") && !answers.is("net.access_path", "onprem_customer_vpn");
    let (true, true, Some((id, host)), Some((nat_id, way))) = (
        shut_in,
        answers.is("smtp.mode", "own_server"),
        answers.text("smtp.host"),
        answers.text("net.nat_mode").filter(|(_, way)| way.starts_with("none")),
    ) else {
        return;
    };
    let why = "there is no NAT gateway and no private connection, and an HTTP proxy does not carry mail";
    let refusal = |what| Refusal::new(what, why, NAT).suggest("per_az");
    match host.parse::<IpAddr>() {
        // Of a private one, another rule speaks.
        Ok(IpAddr::V4(four)) if four.is_private() => {}
        Ok(_) => report(
            found,
            &[id, nat_id],
            refusal(format!("{host} of {id} is public: with {nat_id} = {way} no host reaches it")),
        ),
        Err(_) => {
            let what =
                format!("with {nat_id} = {way} the hosts reach {host} of {id} only where it stands in the VPC itself");
            warn(found, &[id, nat_id], refusal(what));
        }
    }
}

/// Certificate, login and a message are tried from a host, except for a login that onramp does not speak.
fn mail_can_be_proved(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (true, Some((id, "direct")), Some((auth_id, "cram-md5"))) =
        (answers.is("smtp.mode", "own_server"), answers.text("mail.relay"), answers.text("smtp.auth"))
    else {
        return;
    };
    let what = "nothing proves that the mail server lets the hosts in";
    let why = "onramp itself logs in by PLAIN and LOGIN only; postfix on each host tries the whole way with a message";
    warn(found, &[id, auth_id], Refusal::new(what, why, "onramp").suggest("postfix"));
}

/// EC2 lets nothing out to port 25 of a public address.
fn port_25_is_private(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, 25)), Some((host_id, host))) = (answers.number("smtp.port"), answers.text("smtp.host")) else {
        return;
    };
    let why = "AWS lets no mail out to port 25 of a public address";
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(four)) if four.is_private() || (four.octets()[0] == 100 && four.octets()[1] & 0xc0 == 64) => {}
        Ok(_) => report(
            found,
            &[id, host_id],
            Refusal::new(format!("port 25 of {host} cannot be reached"), why, PORT_25).suggest("587"),
        ),
        Err(_) => {
            let what = format!("port 25 of {host} is reached only where that is a private address");
            warn(found, &[id, host_id], Refusal::new(what, why, PORT_25).suggest("587"));
        }
    }
}

/// Where mail servers take mail in (RFC 6409, RFC 8314), and the ports that providers have beside those.
const SUBMISSION: [i64; 6] = [25, 465, 587, 2465, 2525, 2587];

/// A port that is well known for something else is a slip; a high one may be what the customer chose.
fn mail_is_handed_in_there(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, port)) = answers.number("smtp.port").filter(|(_, port)| !SUBMISSION.contains(port)) else { return };
    let what = format!("port {port} of {id} is none that mail is handed in at");
    let why = "587 and 465 are, also 2587, 2465 and 2525, and 25 of a private address";
    let refusal = Refusal::new(what, why, "RFC 8314 section 3.3").suggest("587");
    if port < 1024 { report(found, &[id], refusal) } else { warn(found, &[id], refusal) }
}

fn mail_is_encrypted(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((tls_id, tls)) = answers.text("smtp.tls") else { return };
    if let (Some((id, auth)), "none") = (answers.text("smtp.auth"), tls)
        && auth != "none"
        && answers.is("smtp.mode", "own_server")
    {
        let what = "a password would go over the network in clear text";
        let why = "who logs in encrypts first";
        report(found, &[tls_id, id], Refusal::new(what, why, "RFC 8314 section 3").suggest("starttls"));
    } else if tls == "none" {
        let why = "an exception in writing is needed";
        warn(
            found,
            &[tls_id],
            Refusal::new("mail goes over the network in clear text", why, "RFC 8314 section 3").suggest("starttls"),
        );
    }
    if let Some((id, port)) = answers.number("smtp.port") {
        let (odd, usual) = match (tls, port) {
            ("implicit", 587 | 2587 | 25) => (true, "465"),
            ("starttls", 465 | 2465) => (true, "587"),
            _ => (false, ""),
        };
        if odd {
            let what = format!("port {port} is not where servers speak {tls}");
            let why = "465 is encrypted from the first byte, 587 changes over";
            warn(found, &[id, tls_id], Refusal::new(what, why, "RFC 8314 section 3.3").suggest(usual));
        }
    }
}

/// A certificate can be for an address (RFC 9525, 6.5), and hardly any is.
fn certificates_are_for_names(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (true, Some((id, host)), Some((tls_id, tls))) =
        (answers.is("smtp.mode", "own_server"), answers.text("smtp.host"), answers.text("smtp.tls"))
    else {
        return;
    };
    if tls == "none" || host.parse::<IpAddr>().is_err() {
        return;
    }
    let what = format!("with {tls_id} = {tls} the server's certificate must be for the address {host} of {id}");
    let why =
        "a certificate is for a name, and hardly any for an address; give the name that stands in it and leads there";
    warn(found, &[id, tls_id], Refusal::new(what, why, "RFC 9525 section 6").suggest("smtp.acme.example"));
}

/// Identities, the sandbox and SMTP passwords are those of one region, and an engagement calls one.
fn mail_is_in_the_region(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (true, Some((id, mail)), Some((region_id, region))) =
        (answers.is("smtp.mode", "amazon_ses"), answers.text("ses.region"), answers.text("aws.region_primary"))
        && mail != region
    {
        let what = format!("{mail} of {id} is not {region}, where this engagement works");
        let why = "a domain is verified, and an account let out of the sandbox, for one region; another is an engagement of its own";
        let source = "docs.aws.amazon.com/ses/latest/dg/regions.html";
        report(found, &[id, region_id], Refusal::new(what, why, source).suggest(region));
    }
}

/// A verified domain covers what is below it, and nothing else.
fn sender_is_verified(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (true, Some((id, from)), Some((domain_id, domain))) =
        (answers.is("smtp.mode", "amazon_ses"), answers.text("smtp.from"), answers.text("ses.domain"))
    else {
        return;
    };
    let sender = from.rsplit('@').next().unwrap_or_default();
    if !within(sender, domain) {
        let what = format!("{from} of {id} is not of the domain {domain} that is verified");
        let local = from.split('@').next().unwrap_or("no-reply");
        let refusal = Refusal::new(what, "Amazon SES sends for verified domains only", IDENTITIES);
        report(found, &[id, domain_id], refusal.suggest(format!("{local}@{domain}")));
    }
    // Where both domains are one, another rule speaks, and nobody of that domain could be named here.
    if let Some((mail_from_id, mail_from)) = answers.text("ses.mail_from")
        && sender == mail_from
        && mail_from != domain
    {
        let what = format!("{from} of {id} is of the MAIL FROM domain itself");
        let why = "nothing but bounces comes to that domain";
        report(found, &[id, mail_from_id], Refusal::new(what, why, MAIL_FROM).suggest(format!("no-reply@{domain}")));
    }
}

fn mail_from_is_below(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, mail_from)), Some((domain_id, domain))) =
        (answers.text("ses.mail_from"), answers.text("ses.domain"))
    else {
        return;
    };
    if mail_from == domain || !within(mail_from, domain) {
        let what = format!("{mail_from} of {id} is not below {domain}");
        let why = "the MAIL FROM domain is a part of the verified domain, and not that itself";
        report(found, &[id, domain_id], Refusal::new(what, why, MAIL_FROM).suggest(format!("bounce.{domain}")));
    }
}

/// Receivers look the records up in the public DNS.
fn records_can_be_written(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, "route53_here")) = answers.text("ses.dns_owner") else { return };
    let why = "onramp can write the records only into a public zone in Route 53";
    let elsewhere = match (answers.text("dns.mode"), answers.text("dns.visibility")) {
        (Some((mode_id, "customer_dns")), _) => Some(("the customer's own name servers have the zone", mode_id)),
        (_, Some((visibility_id, "private"))) => {
            Some(("the zone is private, and receivers of mail could not look into it", visibility_id))
        }
        _ => None,
    };
    if let Some((what, other)) = elsewhere {
        report(found, &[id, other], Refusal::new(what, why, IDENTITIES).suggest("customer"));
    }
    if let (Some((domain_id, domain)), Some((zone_id, zone))) =
        (answers.text("ses.domain"), answers.text("dns.zone_name"))
        && !within(domain, zone)
    {
        let what = format!("{domain} of {domain_id} is not in the zone {zone}");
        report(found, &[id, domain_id, zone_id], Refusal::new(what, why, IDENTITIES).suggest("customer"));
    }
}

/// The records that prove a mail domain stand in its zone, and whoever has the zone writes them.
fn records_go_where_the_zone_is(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, "customer")), Some((domain_id, domain)), Some((zone_id, zone))) =
        (answers.text("ses.dns_owner"), answers.text("ses.domain"), answers.text("dns.zone_name"))
    else {
        return;
    };
    let public = matches!(answers.text("dns.visibility"), Some((_, "public" | "split")));
    if answers.is("dns.mode", "route53") && public && within(domain, zone) {
        let what = format!("{domain} is in the public zone {zone}, which onramp keeps");
        let why = "the customer cannot write records there; let onramp write them";
        report(found, &[id, domain_id, zone_id], Refusal::new(what, why, IDENTITIES).suggest("route53_here"));
    }
}

/// Amazon SES publishes to topics of its own region and account.
fn topic_is_in_reach(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, topic)) = answers.text("ses.topic") else { return };
    let mut parts = topic.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for (other, own, what) in [("ses.region", region, "region"), ("aws.account_id", account, "account")] {
        let Some((other_id, wanted)) = answers.text(other) else { continue };
        if own != wanted {
            let said = format!("the topic is in the {what} {own}, and not in {wanted}");
            let why = "Amazon SES publishes to a topic of its own region and account only";
            report(found, &[id, other_id], Refusal::new(said, why, TOPICS).suggest(topic.replacen(own, wanted, 1)));
        }
    }
}

/// Without a way to the Internet, SES is reached through an endpoint in the VPC; an HTTP proxy carries no SMTP.
fn ses_has_a_way_out(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, "amazon_ses")), Some((nat_id, way))) = (answers.text("smtp.mode"), answers.text("net.nat_mode"))
        && way.starts_with("none")
    {
        let why = "an HTTP proxy does not carry mail; onramp puts an endpoint of SES into the VPC, in its own region only, billed by \
                   the hour";
        let source = "docs.aws.amazon.com/ses/latest/dg/send-email-set-up-vpc-endpoints.html";
        warn(found, &[id, nat_id], Refusal::new("the hosts have no way out to Amazon SES", why, source));
    }
}

/// The endpoint of SES has its name in the VPC's own resolver, which hosts do not ask where they are told of others.
fn ses_is_found_in_the_vpc(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let asked = answers.text("dns.hybrid").or(answers.text("conn.mode").filter(|(_, mode)| *mode == "none"));
    let (Some((id, "amazon_ses")), Some((nat_id, way)), Some((asked_id, _)), true) =
        (answers.text("smtp.mode"), answers.text("net.nat_mode"), asked, are_told(answers))
    else {
        return;
    };
    if way.starts_with("none") {
        let what =
            "the hosts would ask the customer's name servers where Amazon SES is, and have no way to what those answer";
        let why = "the endpoint that onramp puts into the VPC is known to the VPC's own resolver only; let that one ask the customer's \
                   name servers (dns.hybrid), or give the hosts a way out";
        let instead = if asked_id.as_str() == "dns.hybrid" { "outbound" } else { "per_az" };
        report(found, &[asked_id, nat_id, id], Refusal::new(what, why, DHCP).suggest(instead));
    }
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

/// Amazon's simulator swallows what Amazon SES hands it; another server would send the message to nobody.
fn the_test_message_is_read(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, reader)), Some((mode_id, "own_server"))) = (answers.text("mail.test_to"), answers.text("smtp.mode"))
    else {
        return;
    };
    if reader.to_lowercase().ends_with("@simulator.amazonses.com") {
        let what =
            format!("{reader} of {id} is Amazon's simulator, and the mail goes through the customer's own server");
        let why = "the simulator is for Amazon SES, and nobody reads what comes there; first name somebody who does";
        let somebody = answers.text("eng.primary_contact_email").map_or("ops@acme.example", |(_, email)| email);
        report(found, &[id, mode_id], Refusal::new(what, why, SIMULATOR).suggest(somebody));
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
