//! What both sides of the private connection have to agree on.

use std::net::{IpAddr, Ipv4Addr};

use super::super::refusal::Refusal;
use super::super::{InputId, SecretRef, Value, routing};
use super::{Answers, Disagreement, Rule, free, lines, overlap, report, warn};
use crate::text::list;

const GATEWAY: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/cgw-options.html";
const ASSOCIATE: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/direct-connect-transit-gateways.html";
const DEVICES: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/your-cgw.html";
const QUOTAS: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/vpn-limits.html";
const TUNNEL: &str = "docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpnTunnelOptionsSpecification.html";
const TUNNELS: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html";
const BEGINS: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/initiate-vpn-tunnels.html";
const ACCELERATED: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/accelerated-vpn.html";
const ACCELERATOR: &str =
    "docs.aws.amazon.com/global-accelerator/latest/dg/preserve-client-ip-address.regions.html, AWS Region availability";
const ROUTES: &str = "docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html";
const TABLES: &str = "docs.aws.amazon.com/vpc/latest/tgw/tgw-route-tables.html";

pub(super) const RULES: &[Rule] = &[
    numbers_differ,
    numbers_are_free_in_the_region,
    gateways_have_numbers_of_their_own,
    routers_differ,
    a_named_maker_has_a_model,
    insides_differ,
    keys_differ,
    default_route_leads_one_way,
    pairs_are_whole,
    lifetimes_fit,
    somebody_begins,
    somebody_begins_again,
    a_router_renews_accelerated_tunnels,
    acceleration_needs_a_transit_gateway,
    acceleration_has_regions,
    algorithms_suffice,
    large_tunnels_need_a_transit_gateway,
    two_routers_at_a_transit_gateway_need_bgp,
    a_backup_at_a_transit_gateway_needs_bgp,
    selectors_are_the_right_way_round,
    selectors_cover_both_sides,
    announced_ranges_are_theirs,
    announced_ranges_fit_the_gateway,
    ping_target_is_on_premises,
    the_data_centre_is_routed_to,
];

/// EC2 answers `AsnConflict` where both sides of a BGP session have one number.
fn numbers_differ(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let pairs = [
        ("vpn.customer_asn", "conn.amazon_asn"),
        ("dx.customer_asn", "conn.amazon_asn"),
        ("dx.customer_asn", "dx.gateway_asn"),
    ];
    for (customer, amazon) in pairs {
        if let (Some((id, ours)), Some((other_id, theirs))) = (answers.number(customer), answers.number(amazon))
            && ours == theirs
        {
            let what = format!("{id} and {other_id} are both {ours}");
            let why = "the two sides of a BGP session are told apart by their AS numbers";
            let free = if ours == 65_010 { "65011" } else { "65010" };
            report(found, &[id, other_id], Refusal::new(what, why, GATEWAY).suggest(free));
        }
    }
}

/// Numbers that AWS takes nowhere but in other regions (Site-to-Site VPN user guide, customer gateway options).
const TAKEN: [(i64, &str); 3] = [(9059, "eu-west-1"), (10_124, "ap-northeast-1"), (17_943, "ap-southeast-1")];

/// AWS keeps some AS numbers for itself, each in a region (Site-to-Site VPN user guide, "Customer gateway options").
fn numbers_are_free_in_the_region(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let region = answers.text("aws.region_primary");
    for (id, asn) in ["vpn.customer_asn", "dx.customer_asn"].iter().filter_map(|id| answers.number(id)) {
        match region {
            Some((region_id, region)) if TAKEN.contains(&(asn, region)) => {
                let what = format!("{asn} of {id} belongs to Amazon in {region}");
                let why = "AWS refuses it for a customer's router there";
                report(found, &[id, region_id], Refusal::new(what, why, GATEWAY).suggest("65010"));
                continue;
            }
            Some((region_id, "ap-southeast-1")) if asn == 17_493 => {
                let what = format!("{asn} of {id} may be refused in ap-southeast-1");
                let why = "the guide has named it among the numbers of Amazon";
                warn(found, &[id, region_id], Refusal::new(what, why, GATEWAY).suggest("65010"));
                continue;
            }
            _ => {}
        }
        if !routing::is_private_asn(asn) {
            let what = format!("{asn} of {id} is a public AS number");
            let why = "AWS may ask for a proof that it is the customer's";
            warn(found, &[id], Refusal::new(what, why, GATEWAY).suggest("65010"));
        }
    }
}

/// A transit gateway and a Direct Connect gateway with one number cannot be associated.
fn gateways_have_numbers_of_their_own(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (true, Some((id, transit)), Some((other_id, direct))) =
        (answers.is("conn.gateway", "tgw"), answers.number("conn.amazon_asn"), answers.number("dx.gateway_asn"))
        && transit == direct
    {
        let what = format!("the transit gateway and the Direct Connect gateway both have the number {transit}");
        let why = "AWS refuses to associate two gateways with one AS number";
        let free = if transit == 64_513 { "64514" } else { "64513" };
        report(found, &[id, other_id], Refusal::new(what, why, ASSOCIATE).suggest(free));
    }
}

/// Two customer gateways are two devices (Site-to-Site VPN user guide, "Customer gateway options").
fn routers_differ(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let address = |id| {
        answers.get(id).and_then(|(id, value)| match value {
            Value::Address(address) => Some((id, *address)),
            _ => None,
        })
    };
    if let (Some((id, first)), Some((other_id, second))) = (address("vpn.cgw_ip"), address("vpn.second_cgw_ip"))
        && first == second
    {
        let what = format!("both routers have the address {first}");
        let why = "two customer gateways with one address are one; leave the second empty, or give its own";
        let next = match first {
            IpAddr::V4(four) => IpAddr::from(Ipv4Addr::from(u32::from(four).wrapping_add(1))),
            IpAddr::V6(six) => IpAddr::from(std::net::Ipv6Addr::from(u128::from(six).wrapping_add(1))),
        };
        report(found, &[other_id, id], Refusal::new(what, why, GATEWAY).suggest(next.to_string()));
    }
}

/// AWS's list has words for a router that nobody knows; under the name of a maker they are those of no model.
fn a_named_maker_has_a_model(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((maker_id, maker)) = answers.text("vpn.vendor").filter(|(_, maker)| *maker != "Generic") else { return };
    for (id, word, what) in [("vpn.platform", "Generic", "model"), ("vpn.software", "Vendor Agnostic", "software")] {
        if let Some((id, given)) = answers.text(id).filter(|(_, given)| given.eq_ignore_ascii_case(word)) {
            let what = format!("{given} is no {what} of {maker}");
            let why = "AWS's sample would be for any of that maker's; name what really stands there";
            warn(found, &[id, maker_id], Refusal::new(what, why, DEVICES));
        }
    }
}

/// The insides of tunnels do not overlap with each other, nor with the addresses on a line.
fn insides_differ(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let insides = answers.blocks(&["vpn.t1_inside", "vpn.t2_inside"]);
    if let [(id, first), (other_id, second)] = insides[..]
        && first == second
    {
        let what = format!("both tunnels have {first} inside");
        let why = "each tunnel of a router has a range of its own";
        report(found, &[id, other_id], Refusal::new(what, why, TUNNEL).suggest(free::tunnel(answers)));
    }
    for (id, inside) in insides {
        for (other_id, line) in lines::peers(answers).into_iter().filter(|(_, line)| overlap(inside, *line)) {
            let what = format!("{inside} of {id} and {line} of {other_id} overlap");
            let why = "the router could not tell the tunnel from the line";
            report(found, &[id, other_id], Refusal::new(what, why, TUNNEL).suggest(free::tunnel(answers)));
        }
    }
}

/// What is given for one side only is not used. The runbook asks for the other side then; until it is there, it is said.
fn pairs_are_whole(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    whole(answers, ["vpn.t1_inside", "vpn.t2_inside"], TUNNEL, found);
}

pub(super) fn whole(
    answers: &Answers<'_>,
    [one, other]: [&str; 2],
    source: &'static str,
    found: &mut Vec<Disagreement>,
) {
    for (given, missing) in [(one, other), (other, one)] {
        if let (Some((id, _)), None) = (answers.get(given), answers.get(missing)) {
            let what = format!("{given} is given, and {missing} is not");
            let why = "both are given or none; with none of them AWS chooses";
            warn(found, &[id], Refusal::new(what, why, source));
        }
    }
}

/// A route of the table itself comes before one that a gateway tells ("Route priority", VPC user guide).
fn default_route_leads_one_way(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    // A transit gateway is led to by routes of the table itself, which name the data centre's ranges.
    let learnt: &[&str] = if answers.is("conn.gateway", "vgw") {
        &["vpn.static_prefixes", "vpn.advertised_prefixes"]
    } else {
        &["vpn.static_prefixes"]
    };
    let everywhere = answers.blocks(learnt).into_iter().find(|(_, net)| net.prefix_len() == 0);
    if let (Some((id, _)), Some((nat_id, "per_az" | "single"))) = (everywhere, answers.text("net.nat_mode")) {
        let what = "0.0.0.0/0 is to go into the tunnels, and out through NAT gateways as well";
        let why = "the way through the NAT gateway wins, and nothing ever goes into the tunnels; name the data centre's ranges, or \
                   plan the VPC without a way out of its own";
        report(found, &[id, nat_id], Refusal::new(what, why, ROUTES).suggest("192.168.0.0/16"));
    }
}

/// Two answers that name one secret.
pub(super) fn one_secret<'a>(answers: &Answers<'a>, pair: [&str; 2]) -> Option<[&'a InputId; 2]> {
    let secret = |id| answers.get(id).and_then(|(id, value)| value.secret().map(|reference| (id, reference)));
    let ((id, first), (other_id, second)) = (secret(pair[0])?, secret(pair[1])?);
    // What is asked for each time is asked for one by one.
    (first == second && !matches!(first, SecretRef::Prompt { .. })).then_some([id, other_id])
}

/// Each tunnel has a key of its own (Site-to-Site VPN user guide, "Tunnel options").
fn keys_differ(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let Some([id, other_id]) = one_secret(answers, ["vpn.t1_psk", "vpn.t2_psk"]) {
        let why =
            "who learns the key of one tunnel must not know that of the other; leave both empty and AWS makes two";
        let refusal = Refusal::new("both tunnels have one pre-shared key", why, TUNNELS);
        report(found, &[id, other_id], refusal.suggest("age:secrets.age#TUNNEL_2"));
    }
}

/// Phase 2 is renewed inside of phase 1, and lives 900 to 3,600 s, 3,600 where nothing is said (EC2 API reference, VpnTunnelOptionsSpecification).
fn lifetimes_fit(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    match (answers.number("vpn.p1_life"), answers.number("vpn.p2_life")) {
        (Some((id, first)), _) if first <= 900 => {
            let what = format!("phase 1 lives {first} s");
            let why = "phase 2 has to live less long, and AWS takes no less than 900 s for it";
            return report(found, &[id], Refusal::new(what, why, TUNNEL).suggest("28800"));
        }
        (Some((id, first)), None) if first <= 3_600 => {
            let what = format!("phase 1 lives {first} s, and phase 2 3600 s where nothing is said of it");
            let why = "phase 2 has to live less long; say how long, too";
            warn(found, &[id], Refusal::new(what, why, TUNNEL).suggest("28800"));
        }
        _ => {}
    }
    if let (Some((id, first)), Some((other_id, second))) =
        (answers.number("vpn.p1_life"), answers.number("vpn.p2_life"))
        && second >= first
    {
        let what = format!("phase 2 lives {second} s and phase 1 {first} s");
        let why = "phase 2 is renewed inside of phase 1, so it lives less long";
        let instead = match first {
            3_601.. => "3600",
            901.. => "900",
            _ => "28800 s for phase 1",
        };
        report(found, &[other_id, id], Refusal::new(what, why, TUNNEL).suggest(instead));
    }
}

/// AWS begins the negotiation by IKEv2 only (Site-to-Site VPN user guide, "Tunnel initiation options").
fn somebody_begins(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, "start")), Some((other_id, "ikev1"))) = (answers.text("vpn.startup"), answers.text("vpn.ike")) {
        let why = "AWS begins the negotiation in IKEv2 only; let the customer's router begin";
        report(
            found,
            &[id, other_id],
            Refusal::new("AWS is to begin, and IKEv1 is chosen", why, TUNNEL).suggest("add"),
        );
    }
}

/// "Site-to-Site VPN tunnel initiation options": AWS begins a tunnel that is new or was changed. After a silence it begins again only
/// where the DPD action says so.
fn somebody_begins_again(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, action @ ("clear" | "none"))), Some((other_id, "start"))) =
        (answers.text("vpn.dpd_action"), answers.text("vpn.startup"))
    {
        let what = format!("AWS begins a tunnel once, and with {action} it does not begin again after a silence");
        let why =
            "a tunnel that went down comes back only when the router begins it; let it do so, or let AWS begin anew";
        warn(found, &[id, other_id], Refusal::new(what, why, BEGINS).suggest("restart"));
    }
}

/// The answer that asks for acceleration.
fn accelerated<'a>(answers: &Answers<'a>) -> Option<&'a InputId> {
    answers.get("vpn.acceleration").filter(|(_, value)| value.flag() == Some(true)).map(|(id, _)| id)
}

/// "IKE rekeys for accelerated VPN tunnels must be initiated from the customer gateway device to keep the tunnels up."
fn a_router_renews_accelerated_tunnels(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some(other_id), Some((id, "start"))) = (accelerated(answers), answers.text("vpn.startup")) {
        let what = "AWS is to begin the negotiation of accelerated tunnels";
        let why = "the customer's router has to renew them, or they go down; let it begin them as well";
        warn(found, &[id, other_id], Refusal::new(what, why, ACCELERATED).suggest("add"));
    }
}

/// Site-to-Site VPN user guide, "Accelerated Site-to-Site VPN connections".
fn acceleration_needs_a_transit_gateway(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some(id), Some((other_id, "vgw"))) = (accelerated(answers), answers.text("conn.gateway")) {
        let why = "a virtual private gateway takes no accelerated connection";
        let what = "accelerated tunnels end on a virtual private gateway";
        report(found, &[id, other_id], Refusal::new(what, why, ACCELERATED).suggest("no"));
    }
}

/// Those that the guide named when it named them; it refers to a list elsewhere now, which may be longer.
const ACCELERATED_IN: [&str; 13] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "eu-west-2",
    "eu-west-3",
    "ap-southeast-1",
    "ap-northeast-1",
    "ap-southeast-2",
    "ap-northeast-2",
    "ap-south-1",
];

/// Global Accelerator is in no region of GovCloud or China.
fn acceleration_has_regions(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some(id), Some((region_id, region))) = (accelerated(answers), answers.text("aws.region_primary")) else {
        return;
    };
    if region.starts_with("us-gov-") || region.starts_with("cn-") {
        let what = format!("tunnels are to be accelerated in {region}");
        let why = "AWS Global Accelerator, which carries them, is not there";
        report(found, &[id, region_id], Refusal::new(what, why, ACCELERATOR).suggest("no"));
    } else if !ACCELERATED_IN.contains(&region) {
        let what = format!("AWS may have no accelerated tunnels in {region}");
        let why = "it was not among the regions that the guide named; where it is none, the connection is refused";
        warn(found, &[id, region_id], Refusal::new(what, why, ACCELERATED).suggest("no"));
    }
}

/// One of each: encryption, integrity, key exchange for both phases. Group 5 is for phase 2 only.
fn algorithms_suffice(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, chosen)) = answers.texts("vpn.crypto") else { return };
    let any = |good: fn(&str) -> bool| chosen.iter().any(|one| good(one));
    let lacking = [
        ("encryption", any(|one| one.starts_with("AES"))),
        ("integrity", any(|one| one.starts_with("SHA"))),
        ("key exchange in phase 1", any(|one| one.starts_with("DH") && one != "DH5")),
    ];
    let lacking: Vec<&str> = lacking.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    if !lacking.is_empty() {
        let what = format!("there is no algorithm for {}", list(&lacking));
        let why = "a tunnel needs one of each";
        report(found, &[id], Refusal::new(what, why, TUNNEL).suggest("AES256, SHA2-256, DH20"));
    }
    let weak: Vec<&str> = chosen.into_iter().filter(|one| ["SHA1", "DH2", "DH5"].contains(one)).collect();
    if !weak.is_empty() {
        let what = format!("{} can be broken", list(&weak));
        let why = "allow it only for a router that knows nothing better";
        warn(found, &[id], Refusal::new(what, why, "RFC 8247 section 2").suggest("AES256, SHA2-256, DH20"));
    }
}

/// Site-to-Site VPN user guide, "Tunnel options": tunnel bandwidth.
fn large_tunnels_need_a_transit_gateway(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, "large")), Some((other_id, "vgw"))) =
        (answers.text("vpn.bandwidth"), answers.text("conn.gateway"))
    {
        let why = "a virtual private gateway has tunnels of up to 1.25 Gbit/s only";
        let refusal = Refusal::new("large tunnels end on a virtual private gateway", why, TUNNELS).suggest("standard");
        report(found, &[id, other_id], refusal);
    }
}

/// A table of a transit gateway has one static route for a range, so nothing would ever lead to the second router.
fn two_routers_at_a_transit_gateway_need_bgp(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, "static")), Some((gateway_id, "tgw")), Some((second_id, _))) =
        (answers.text("vpn.routing"), answers.text("conn.gateway"), answers.get("vpn.second_cgw_ip"))
    else {
        return;
    };
    let why = "a transit gateway has one static route for a range, and none would lead to the second router";
    let refusal = Refusal::new("two routers share static routes of a transit gateway", why, TABLES).suggest("bgp");
    report(found, &[id, gateway_id, second_id], refusal);
}

/// A transit gateway prefers a static route to the same range that it learns over the line (VPC user guide, "Route evaluation
/// order" of transit gateways).
fn a_backup_at_a_transit_gateway_needs_bgp(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, "static")), Some((gateway_id, "tgw")), Some((mode_id, "direct_connect_with_vpn_backup"))) =
        (answers.text("vpn.routing"), answers.text("conn.gateway"), answers.text("conn.mode"))
    else {
        return;
    };
    let why = "a transit gateway prefers static routes, so the traffic would go over the VPN and never over the line";
    let refusal = Refusal::new("a VPN with static routes is no backup of a line", why, TABLES).suggest("bgp");
    report(found, &[id, gateway_id, mode_id], refusal);
}

/// Whose side is whose: a tunnel whose selectors are swapped comes up and carries nothing.
fn selectors_are_the_right_way_round(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let ours = ["net.vpc_cidr", "net.secondary_cidrs"];
    let theirs = ["net.onprem_cidrs", "vpn.static_prefixes", "vpn.advertised_prefixes"];
    for (selector, side, others) in
        [("vpn.local_cidr", "the customer's", &ours[..]), ("vpn.remote_cidr", "our", &theirs[..])]
    {
        let given = answers.blocks(&[selector]);
        for (id, net) in given.into_iter().filter(|(_, net)| net.prefix_len() > 0) {
            let there = answers.blocks(others).into_iter().filter(|(_, other)| other.prefix_len() > 0);
            if let Some((other_id, other)) = there.into_iter().find(|(_, other)| overlap(net, *other)) {
                let what = format!("{net} of {id} is to be {side} side, and {other} of {other_id} is the other one");
                let why = "the two selectors seem to be swapped";
                report(found, &[id, other_id], Refusal::new(what, why, TUNNEL).suggest("0.0.0.0/0"));
            }
        }
    }
}

/// What a selector leaves out goes through no tunnel, although the tunnel is up.
fn selectors_cover_both_sides(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    for (selector, sides) in [
        ("vpn.remote_cidr", &["net.vpc_cidr", "net.secondary_cidrs"][..]),
        ("vpn.local_cidr", &["net.onprem_cidrs"][..]),
    ] {
        let Some((id, selector)) = answers.blocks(&[selector]).into_iter().next() else { continue };
        let ranges = answers.blocks(sides);
        let outside: Vec<_> = ranges.iter().filter(|(_, net)| !selector.contains(net)).collect();
        let Some((side_id, range)) = outside.first() else { continue };
        let what = format!("{range} of {side_id} is not in {selector} of {id}");
        if ranges.iter().any(|(_, net)| overlap(selector, *net)) {
            let why = "what is outside of the selectors goes through no tunnel; let it be so only where that is meant";
            warn(found, &[id, side_id], Refusal::new(what, why, TUNNEL).suggest("0.0.0.0/0"));
        } else {
            let why = "the tunnels would come up and carry nothing";
            let whole = if ranges.len() == 1 { range.to_string() } else { "0.0.0.0/0".to_owned() };
            report(found, &[id, side_id], Refusal::new(what, why, TUNNEL).suggest(whole));
        }
    }
}

/// What is announced leads to the customer's router: ranges that are not known as theirs may belong to somebody else.
fn announced_ranges_are_theirs(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let known = answers.blocks(&["net.onprem_cidrs"]);
    let Some((known_id, first)) = known.first() else { return };
    let announced = answers.blocks(&["vpn.static_prefixes", "vpn.advertised_prefixes"]);
    for (id, net) in announced.into_iter().filter(|(_, net)| net.prefix_len() > 0) {
        if !known.iter().any(|(_, around)| around.contains(&net)) {
            let what = format!("{net} of {id} is in none of the ranges of {known_id}");
            let why = "hosts would be sent there, and nothing else would let them: add it to those, or leave it out";
            warn(found, &[id, known_id], Refusal::new(what, why, "onramp").suggest(first.to_string()));
        }
    }
}

/// Above that the session is ended (Site-to-Site VPN quotas, dynamic routes from the customer's router).
const MOST_OF_A_VPC: usize = 100;

/// Site-to-Site VPN quotas, "Routes".
fn announced_ranges_fit_the_gateway(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let announced = answers.blocks(&["vpn.advertised_prefixes"]);
    if let (Some((id, _)), Some((gateway_id, "vgw"))) = (announced.first(), answers.text("conn.gateway"))
        && announced.len() > MOST_OF_A_VPC
    {
        let what = format!("{} ranges are announced to a virtual private gateway", announced.len());
        let why = "it takes 100, and ends the session above that: announce wider ranges, or take a transit gateway";
        report(found, &[id, gateway_id], Refusal::new(what, why, QUOTAS).suggest("192.168.0.0/16"));
    }
}

/// Which answer says where AWS sends what is for the data centre, with a VPN alone.
fn routed(answers: &Answers<'_>) -> Option<&'static str> {
    let ranges = match answers.text("vpn.routing") {
        _ if !answers.is("conn.mode", "ipsec_vpn") => return None,
        Some((_, "static")) => "vpn.static_prefixes",
        Some((_, "bgp")) => "vpn.advertised_prefixes",
        _ => return None,
    };
    answers.get(ranges).map(|_| ranges)
}

/// What is in the data centre and AWS is told nothing of, it sends elsewhere.
fn the_data_centre_is_routed_to(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some(ranges) = routed(answers) else { return };
    let all = answers.blocks(&[ranges]);
    let Some((id, _)) = all.first().copied() else { return };
    let all = ipnet::Ipv4Net::aggregate(&all.iter().map(|(_, net)| *net).collect());
    for (premises_id, net) in answers.blocks(&["net.onprem_cidrs"]) {
        if !all.iter().any(|routed| routed.contains(&net)) {
            let what = format!("{net} of {premises_id} is in none of the ranges of {id}");
            let why = "AWS sends nothing there through the tunnels; what stands there is not reached";
            warn(found, &[id, premises_id], Refusal::new(what, why, ROUTES).suggest(net.to_string()));
        }
    }
}

/// onramp's own: the proof is a host behind the customer's router.
fn ping_target_is_on_premises(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let premises = answers.blocks(&[routed(answers).unwrap_or("net.onprem_cidrs")]);
    let (Some((id, Value::Address(IpAddr::V4(address)))), Some((premises_id, range))) =
        (answers.get("vpn.ping_target"), premises.first())
    else {
        return;
    };
    if !premises.iter().any(|(_, net)| net.contains(address)) {
        let what = format!("{address} of {id} is in none of the ranges of {premises_id}");
        let why = "it would answer over another way than the one that is to be proved";
        report(found, &[id, premises_id], Refusal::new(what, why, "onramp").suggest(free::inside(*range)));
    }
}
