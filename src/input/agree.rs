//! Rules between answers: each is right alone, and together they may still be wrong. Those of the network stand here.

mod blocks;
mod connection;
mod environments;
mod free;
mod lines;
mod mail;
mod names;
mod packages;
mod promises;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::range::overlap;
use super::refusal::Refusal;
use super::value::{Row, cell};
use super::{InputId, Value, cloud, hosts, routing, subnets};
use crate::text::{list, nearest};

const VPC_BLOCKS: &str = "docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html";
const PEERING: &str = "docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html";
const NAT: &str = "docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html";
const BALANCERS: &str = "docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html";
const TYPES: &str = "docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html";
const REGIONS: &str = "docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html";

/// Answers that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// Whose answers they are; a form shows the message at each of them.
    pub ids: Vec<InputId>,
    /// What is wrong.
    pub refusal: Refusal,
    /// It may be meant so: shown, and it stops nothing.
    pub warning: bool,
}

/// One rule: looks at the answers and adds what it finds.
type Rule = fn(&Answers<'_>, &mut Vec<Disagreement>);

const NETWORK: [Rule; 15] = [
    blocks_are_disjoint,
    subnets_are_inside,
    subnets_hold_balancers,
    subnets_are_in_our_zones,
    public_subnets_are_there,
    plan_has_room,
    regions_fit,
    peers_fit,
    bastion_is_on_premises,
    bastion_may_pass_us_on,
    path_leads_to_the_hosts,
    hosts_have_a_place,
    processors_fit_the_image,
    nobody_logs_in_as_root,
    hosts_are_in_the_vpc,
];

/// Everything in which these answers do not fit together. An answer that is not there yet disagrees with nothing. A warning
/// that has a day in it counts from `now`, and is told without the day where that is not given.
pub fn agree(values: &BTreeMap<InputId, Value>, now: Option<Timestamp>) -> Vec<Disagreement> {
    let answers = Answers { values, now };
    let mut found = Vec::new();
    let rules = NETWORK
        .iter()
        .chain(blocks::RULES)
        .chain(connection::RULES)
        .chain(lines::RULES)
        .chain(names::RULES)
        .chain(mail::RULES);
    let rules = rules.chain(zones::RULES).chain(promises::RULES).chain(environments::RULES).chain(packages::RULES);
    rules.for_each(|rule| rule(&answers, &mut found));
    found
}

/// The answers, by the ids of the shipped runbook.
struct Answers<'a> {
    values: &'a BTreeMap<InputId, Value>,
    now: Option<Timestamp>,
}

/// A range and the answer that it is from.
type Block<'a> = (&'a InputId, Ipv4Net);

impl<'a> Answers<'a> {
    fn get(&self, id: &str) -> Option<(&'a InputId, &'a Value)> {
        self.values.get_key_value(id)
    }

    fn text(&self, id: &str) -> Option<(&'a InputId, &'a str)> {
        self.get(id).and_then(|(id, value)| value.text().map(|text| (id, text)))
    }

    fn is(&self, id: &str, text: &str) -> bool {
        self.text(id).is_some_and(|(_, given)| given == text)
    }

    fn number(&self, id: &str) -> Option<(&'a InputId, i64)> {
        self.get(id).and_then(|(id, value)| value.number().map(|number| (id, number)))
    }

    fn flag(&self, id: &str) -> Option<bool> {
        self.get(id).and_then(|(_, value)| value.flag())
    }

    /// The texts of a list.
    fn texts(&self, id: &str) -> Option<(&'a InputId, Vec<&'a str>)> {
        self.get(id).map(|(id, value)| (id, value.items().iter().filter_map(Value::text).collect()))
    }

    /// The ranges of these answers, be they single or in lists.
    fn blocks(&self, ids: &[&str]) -> Vec<Block<'a>> {
        let of = |(id, value): (&'a InputId, &'a Value)| {
            value.cidr().into_iter().chain(value.items().iter().filter_map(Value::cidr)).map(move |net| (id, net))
        };
        ids.iter().filter_map(|id| self.get(id)).flat_map(of).collect()
    }

    fn subnets(&self) -> Option<(&'a InputId, &'a [Row])> {
        self.get("net.subnets").map(|(id, value)| (id, value.rows()))
    }

    fn zones(&self) -> Option<(&'a InputId, Vec<&'a str>)> {
        self.get("aws.azs").map(|(id, value)| (id, value.items().iter().filter_map(Value::text).collect()))
    }
}

fn report(found: &mut Vec<Disagreement>, ids: &[&InputId], refusal: Refusal) {
    found.push(Disagreement { ids: distinct(ids), refusal, warning: false });
}

fn warn(found: &mut Vec<Disagreement>, ids: &[&InputId], refusal: Refusal) {
    found.push(Disagreement { ids: distinct(ids), refusal, warning: true });
}

fn distinct(ids: &[&InputId]) -> Vec<InputId> {
    let mut out: Vec<InputId> = Vec::new();
    for id in ids {
        if !out.contains(id) {
            out.push((*id).clone());
        }
    }
    out
}

/// Blocks of VPCs share no address with each other (peering refuses it) nor with what is on premises (routing breaks).
fn blocks_are_disjoint(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let vpcs =
        answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs", "net.other_vpc_cidrs", "peer.provider_vpc_cidr"]);
    let mut premises = answers.blocks(&["net.onprem_cidrs", "vpn.static_prefixes", "vpn.advertised_prefixes"]);
    premises.extend(lines::peers(answers));
    for (index, vpc) in vpcs.iter().enumerate() {
        for other in &vpcs[index + 1..] {
            let of_one = |(id, _): &Block<'_>| ["net.vpc_cidr", "net.secondary_cidrs"].contains(&id.as_str());
            match of_one(vpc) && of_one(other) {
                true => {
                    overlapping(answers, (*vpc, *other), "the ranges of one VPC share no address", VPC_BLOCKS, found);
                }
                false => {
                    let why = "two VPCs that share addresses cannot be connected, by peering or otherwise";
                    overlapping(answers, (*vpc, *other), why, PEERING, found);
                }
            }
        }
        // A default route on premises is a route, not a network.
        for other in premises.iter().filter(|(_, net)| net.prefix_len() > 0) {
            let why = "an address on both sides of the private link is reached on one side only";
            overlapping(answers, (*vpc, *other), why, PEERING, found);
        }
    }
}

fn overlapping(
    answers: &Answers<'_>,
    ((id, net), (other_id, other)): (Block<'_>, Block<'_>),
    why: &str,
    source: &'static str,
    found: &mut Vec<Disagreement>,
) {
    if overlap(net, other) {
        let what = format!("{net} of {id} and {other} of {other_id} overlap");
        let proposal = free::range(answers, |_| true);
        report(found, &[id, other_id], Refusal::new(what, why, source).suggest(proposal));
    }
}

/// Every subnet lies in one block of the VPC.
fn subnets_are_inside(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let blocks = answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]);
    let (Some((id, rows)), Some((vpc_id, vpc))) = (answers.subnets(), blocks.first()) else { return };
    for row in rows {
        let Some(net) = row.get("cidr").and_then(Value::cidr) else { continue };
        if !blocks.iter().any(|(_, block)| block.contains(&net)) {
            let what = format!("subnet {} ({net}) lies outside of {vpc}", cell(row, "key"));
            let why = "a subnet is a part of the VPC's range";
            let refusal = Refusal::new(what, why, "docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html");
            report(found, &[id, vpc_id], refusal.suggest(free::subnet(*vpc, row, rows)));
        }
    }
}

/// A load balancer wants eight free addresses in its subnet, and a /27 at least.
fn subnets_hold_balancers(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, rows)) = answers.subnets() else { return };
    for row in rows {
        let small = row.get("cidr").and_then(Value::cidr).filter(|net| net.prefix_len() > 27);
        if let (Some(net), "public" | "app") = (small, cell(row, "tier")) {
            let what = format!("subnet {} ({net}) is too small for a load balancer", cell(row, "key"));
            warn(found, &[id], Refusal::new(what, "a load balancer wants a /27 with eight free addresses", BALANCERS));
        }
    }
}

/// Subnets lie in the zones that were chosen, and those in the region.
fn subnets_are_in_our_zones(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, rows)), Some((zones_id, zones))) = (answers.subnets(), answers.zones()) {
        for row in rows.iter().filter(|row| !zones.contains(&cell(row, "zone"))) {
            let what = format!(
                "subnet {} is in {}, which is not among the zones {}",
                cell(row, "key"),
                cell(row, "zone"),
                list(&zones)
            );
            let refusal = Refusal::new(what, "the platform uses the chosen zones only", "onramp");
            report(found, &[id, zones_id], refusal.suggest(zones.first().copied().unwrap_or_default()));
        }
    }
    let Some((region_id, region)) = answers.text("aws.region_primary") else { return };
    let mut foreign: Vec<(&InputId, &str)> = Vec::new();
    if let Some((id, zones)) = answers.zones() {
        foreign.extend(zones.into_iter().map(|zone| (id, zone)));
    } else if let Some((id, rows)) = answers.subnets() {
        foreign.extend(rows.iter().map(|row| (id, cell(row, "zone"))));
    }
    for (id, zone) in foreign.into_iter().filter(|(_, zone)| cloud::region_of_zone(zone) != Some(region)) {
        let what = format!("{zone} of {id} is not in {region}");
        report(
            found,
            &[id, region_id],
            Refusal::new(what, "a zone belongs to one region", REGIONS).suggest(format!("{region}a")),
        );
    }
}

/// A bastion and a NAT gateway stand in public subnets: one somewhere, or one in each zone.
fn public_subnets_are_there(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, rows)) = answers.subnets() else { return };
    let public: BTreeSet<&str> =
        rows.iter().filter(|row| cell(row, "tier") == "public").map(|row| cell(row, "zone")).collect();
    if let (true, Some((zones_id, zones)), Some((nat_id, _))) =
        (answers.is("net.nat_mode", "per_az"), answers.zones(), answers.get("net.nat_mode"))
    {
        for zone in zones.iter().filter(|zone| !public.contains(*zone)) {
            let what = format!("{zone} has no public subnet");
            let why = "a NAT gateway in each zone needs a public subnet in each";
            report(
                found,
                &[id, nat_id, zones_id],
                Refusal::new(what, why, NAT).suggest(format!("10.40.0.0/24 public {zone}")),
            );
        }
    }
    let needs = [("net.access_path", "bastion_in_vpc", "the bastion"), ("net.nat_mode", "single", "the NAT gateway")];
    for (needing, answer, who) in needs.iter().filter(|(id, answer, _)| public.is_empty() && answers.is(id, answer)) {
        let Some((needing_id, _)) = answers.get(needing) else { continue };
        let what = "there is no public subnet";
        let why = format!("with {needing} = {answer}, {who} needs one");
        report(found, &[id, needing_id], Refusal::new(what, why, NAT).suggest("10.40.0.0/24 public eu-west-1a"));
    }
}

/// A VPC that holds not even the two tiers without which nothing works is too small, before a plan is made.
fn plan_has_room(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (None, Some((zones_id, zones)), Some((vpc_id, vpc))) =
        (answers.subnets(), answers.zones(), answers.blocks(&["net.vpc_cidr"]).first().copied())
    else {
        return;
    };
    let zones: Vec<String> = zones.into_iter().map(str::to_owned).collect();
    if let Err(refusal) = subnets::suggest_subnets(vpc, &["public", "app"], &zones) {
        report(found, &[vpc_id, zones_id], refusal);
    }
}

/// The second region is another one, of the same partition.
fn regions_fit(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((primary_id, primary)), Some((id, dr))) =
        (answers.text("aws.region_primary"), answers.text("aws.region_dr"))
    else {
        return;
    };
    let why = if primary == dr {
        "disaster recovery is for the day when the whole region is away"
    } else if cloud::partition(primary) != cloud::partition(dr) {
        "nothing can be copied from one partition of AWS to another"
    } else {
        return;
    };
    let refusal = Refusal::new(format!("{dr} cannot stand in for {primary}"), why, REGIONS);
    report(
        found,
        &[id, primary_id],
        refusal.suggest(if primary == "eu-central-1" { "eu-west-1" } else { "eu-central-1" }),
    );
}

/// VPCs are joined within one partition, and none with itself.
fn peers_fit(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((primary_id, primary)), Some((id, peer))) =
        (answers.text("aws.region_primary"), answers.text("peer.provider_vpc_region"))
        && cloud::partition(primary) != cloud::partition(peer)
    {
        let what = format!("a VPC in {peer} cannot be joined with one in {primary}");
        let why = "nothing crosses from one partition of AWS to another";
        report(found, &[id, primary_id], Refusal::new(what, why, PEERING).suggest(primary));
    }
    if let (Some((own_id, ours)), Some((id, theirs))) =
        (answers.text("peer.provider_vpc_id"), answers.texts("peer.customer_vpc_ids"))
        && theirs.contains(&ours)
    {
        let what = format!("{ours} of {own_id} is ours, and not one of the customer's");
        let why = "each VPC is joined once";
        report(found, &[id, own_id], Refusal::new(what, why, PEERING).suggest("vpc-0a1b2c3d4e5f60718"));
    }
    let Some((own_id, own)) = answers.text("net.existing_vpc") else { return };
    let why = "the VPC that we work in is joined with ours in any case, and no VPC with itself";
    for other in ["peer.provider_vpc_id", "peer.customer_vpc_ids"] {
        let named = answers.text(other).map(|(id, text)| (id, vec![text])).or_else(|| answers.texts(other));
        if let Some((id, _)) = named.filter(|(_, ids)| ids.contains(&own)) {
            let what = format!("{own} is named twice");
            report(found, &[id, own_id], Refusal::new(what, why, PEERING).suggest("vpc-0a1b2c3d4e5f60718"));
        }
    }
}

/// The customer's bastion comes with an IPv4 address, since the VPC has no other; a private one is one of those on premises.
fn bastion_is_on_premises(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let premises = answers.blocks(&["net.onprem_cidrs"]);
    let Some((id, Value::Address(address))) = answers.get("dc.bastion_egress_ip") else { return };
    let std::net::IpAddr::V4(address) = address else { return };
    // Carriers' shared range (RFC 6598) is routed on the Internet as little as a private one.
    let is_inside = routing::is_inside(*address);
    if !is_inside {
        let what = format!("{address} of {id} is a public address");
        let why = "no host is reached over the Internet: the private connection has to lead back to this address too, so it \
                   has to be among the customer's ranges; ask the firewall team over which way it comes";
        warn(found, &[id], Refusal::new(what, why, "onramp"));
    }
    let Some((premises_id, range)) = premises.first() else { return };
    if is_inside && !premises.iter().any(|(_, net)| net.contains(address)) {
        let what = format!("{address} of {id} is in none of the ranges of {premises_id}");
        let why = "nobody routes it on the Internet, so the VPC must have a route to it";
        report(found, &[id, premises_id], Refusal::new(what, why, "onramp").suggest(free::inside(*range)));
    }
}

/// What a bastion does not forward does not reach the hosts behind it.
fn bastion_may_pass_us_on(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some(false), Some((id, _))) = (answers.flag("dc.tcp_forwarding"), answers.get("dc.tcp_forwarding")) else {
        return;
    };
    let what = "the customer's bastion forwards nothing".to_owned();
    let why = "no host behind it is reached until the customer has made an exception for our account: AllowTcpForwarding local";
    warn(found, &[id], Refusal::new(what, why, "onramp").suggest("yes"));
}

/// Hosts outside AWS are there already, have no clock of Amazon's and no VPC; a bastion in the data centre reaches the VPC
/// over the private connection alone, and is not ours to change.
fn path_leads_to_the_hosts(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((path_id, path)) = answers.text("net.access_path") else { return };
    let (what, other, why, instead) = match path {
        "onprem_customer_vpn" if answers.is("hosts.source", "create") => {
            ("hosts that are not in AWS cannot be launched", "hosts.source", "they are the customer's", "existing")
        }
        "onprem_customer_vpn" if answers.is("ntp.mode", "amazon_time_sync") => {
            let why = "Amazon's clock answers in AWS only";
            ("hosts that are not in AWS do not reach Amazon's clock", "ntp.mode", why, "customer_ntp")
        }
        "onprem_customer_vpn" if answers.text("conn.mode").is_some_and(|(_, mode)| mode != "none") => {
            ("there is no VPC that a connection could lead to", "conn.mode", "the hosts are not in AWS", "none")
        }
        "onprem_customer_vpn"
            if answers.is("dns.mode", "route53")
                && answers.text("dns.visibility").is_some_and(|(_, seen)| seen != "public") =>
        {
            let why = "a private zone is asked from a VPC, and the hosts are in none";
            ("nobody could ask a private zone", "dns.visibility", why, "public")
        }
        "bastion_in_customer_dc" if answers.is("hosts.source", "existing") => {
            let why = "a bastion in a list of hosts is taken for ours: its port is moved and its sshd hardened";
            ("the customer's bastion stays as it is", "hosts.source", why, "create")
        }
        "bastion_in_customer_dc" if answers.is("conn.mode", "none") => {
            let why = "no host has a public address that it could come to over the Internet, allow-listed or not";
            ("a bastion in the data centre needs a private connection", "conn.mode", why, "ipsec_vpn")
        }
        _ => return,
    };
    if let Some((other_id, _)) = answers.get(other) {
        report(found, &[path_id, other_id], Refusal::new(what, why, "onramp").suggest(instead));
    }
}

/// Hosts to launch have a subnet that is not public and a name that is free; private hosts have a way through the bastion.
fn hosts_have_a_place(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let mut names: BTreeMap<String, &InputId> = BTreeMap::new();
    for (id, value) in answers.values {
        let there = hosts(value);
        let bastion = there.iter().find(|host| host.role == hosts::Role::Bastion);
        for host in &there {
            names.insert(host.name.clone(), id);
            if let (Some(bastion), hosts::Role::Private, true) = (bastion, host.role, host.via.is_empty()) {
                let what = format!("{} of {id} is reached directly", host.name);
                let why = format!("hosts will accept SSH from the bastion {} only", bastion.name);
                warn(found, &[id], Refusal::new(what, why, "onramp").suggest(format!("via={}", bastion.name)));
            }
        }
    }
    let launched = answers.values.iter().flat_map(|(id, value)| value.rows().iter().map(move |row| (id, row)));
    for (id, row) in launched.filter(|(_, row)| row.contains_key("subnet") && row.contains_key("type")) {
        let name = cell(row, "name");
        if let Some(other) = names.get(name) {
            let what = format!("{name} of {id} is already a host of {other}");
            report(
                found,
                &[id, other],
                Refusal::new(what, "a host is found by its name", "onramp").suggest(format!("{name}-2")),
            );
        }
        launched_host_has_a_subnet(answers, id, row, found);
    }
}

/// The VPC's doors, names and clock are for who stands in it.
fn hosts_are_in_the_vpc(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let blocks = answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]);
    let (Some((id, there)), Some((vpc_id, _)), false) =
        (answers.get("hosts.existing"), blocks.first(), answers.is("net.access_path", "onprem_customer_vpn"))
    else {
        return;
    };
    let inside = |address: std::net::Ipv4Addr| blocks.iter().any(|(_, net)| net.contains(&address));
    let outside = |host: &hosts::Host| {
        let address = host.address.parse::<std::net::Ipv4Addr>();
        host.role == hosts::Role::Private && address.is_ok_and(|address| address.is_private() && !inside(address))
    };
    let names: Vec<String> = hosts(there).into_iter().filter(outside).map(|host| host.name).collect();
    if !names.is_empty() {
        let what = format!("outside of the VPC: {} of {id}", list(&names));
        let why = "a private zone, rules of the Resolver and Amazon's clock are for hosts in the VPC; these do without";
        warn(found, &[id, vpc_id], Refusal::new(what, why, "onramp"));
    }
}

fn launched_host_has_a_subnet(answers: &Answers<'_>, id: &InputId, row: &Row, found: &mut Vec<Disagreement>) {
    let Some((plan_id, plan)) = answers.subnets() else { return };
    let (name, key) = (cell(row, "name"), cell(row, "subnet"));
    let keys: Vec<&str> = plan.iter().map(|subnet| cell(subnet, "key")).collect();
    match plan.iter().find(|subnet| cell(subnet, "key") == key) {
        Some(subnet) if cell(subnet, "tier") == "public" => {
            let what = format!("{name} of {id} would stand in the public subnet {key}");
            let private = plan.iter().find(|subnet| cell(subnet, "tier") != "public");
            let refusal = Refusal::new(what, "private hosts have no way to them from the Internet", "onramp");
            report(found, &[id, plan_id], refusal.suggest(private.map_or("app/a", |subnet| cell(subnet, "key"))));
        }
        Some(_) => {}
        None => {
            let what = format!("{name} of {id} has the subnet {key}, which is not in the plan");
            let refusal = Refusal::new(what, format!("the plan has {}", list(&keys)), "onramp");
            let near = nearest(key, keys.iter().copied()).or(keys.first().copied()).unwrap_or_default();
            report(found, &[id, plan_id], refusal.suggest(near));
        }
    }
}

/// The images of the runbook are for x86_64, and EC2 launches none of them on another processor.
fn processors_fit_the_image(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let single = ["net.bastion_instance_type", "env.instance_type"].iter().filter_map(|id| answers.text(id));
    let launched = answers.get("hosts.launch").into_iter();
    let launched = launched.flat_map(|(id, value)| value.rows().iter().map(move |row| (id, cell(row, "type"))));
    for (id, kind) in single.chain(launched).filter(|(_, kind)| cloud::is_arm(kind)) {
        let what = format!("{kind} of {id} has an ARM processor");
        let why = "the images are for x86_64, and AWS launches none of them there";
        let near = kind.strip_prefix("t4g.").map_or_else(|| "m7i.large".to_owned(), |size| format!("t3.{size}"));
        report(found, &[id], Refusal::new(what, why, TYPES).suggest(near));
    }
}

/// sshd is told to let no root in, and who was root before is locked out by it.
fn nobody_logs_in_as_root(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let refusal =
        |what: String, why| Refusal::new(what, why, "CIS benchmarks, Ensure sshd PermitRootLogin is disabled");
    let why = "sshd will let no root in any more; take a user of its own that may use sudo";
    if let Some((id, "root")) = answers.text("net.ssh_user") {
        report(found, &[id], refusal(format!("{id} is root"), why).suggest("ops"));
    }
    if let Some((id, value)) = answers.get("hosts.existing") {
        for host in hosts(value).iter().filter(|host| host.user == "root") {
            report(found, &[id], refusal(format!("we are root on {} of {id}", host.name), why).suggest("ops"));
        }
    }
    if let Some((id, "root")) = answers.text("dc.bastion_user") {
        let why = "nobody passes through a machine of somebody else's with all rights on it; ask for a user that may forward only";
        warn(found, &[id], refusal(format!("{id} is root"), why).suggest("wso2-ops"));
    }
}
