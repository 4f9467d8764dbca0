//! What both sides of a line of Direct Connect have to agree on, and two lines with each other.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::super::cloud;
use super::super::refusal::Refusal;
use super::connection::{one_secret, whole};
use super::{Answers, Block, Disagreement, Rule, overlap, report};

const LINES: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/WorkingWithConnections.html";
const INTERFACES: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/WorkingWithVirtualInterfaces.html";
const INTERFACE: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/create-vif.html";
const LIMITS: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/limits.html";
const ACROSS: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/multi-account-associate-vgw.html";
const PREFIXES: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/allowed-to-prefixes.html";
const GATEWAYS: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/direct-connect-gateways-intro.html";
const RESILIENCE: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/resiliency_toolkit.html";
const ROUTES: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html";
const MACSEC: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/direct-connect-mac-sec-getting-started.html";

pub(super) const RULES: &[Rule] = &[
    lines_differ,
    owner_is_another,
    a_gateway_leads_to_another_region,
    speeds_fit_the_lines,
    peers_are_whole,
    peers_share_a_range,
    lines_have_ranges_of_their_own,
    macsec_takes_a_fast_port,
    macsec_keys_differ,
    our_range_is_announced,
    the_line_is_as_narrow_as_its_backup,
    the_backup_is_no_narrower,
];

/// What makes a second line one of its own.
struct Pair {
    first: &'static str,
    second: &'static str,
    noun: &'static str,
    why: &'static str,
    source: &'static str,
    /// Two that would do.
    others: [&'static str; 2],
}

const PAIRS: [Pair; 4] = [
    Pair {
        first: "dx.location",
        second: "dx.second_location",
        noun: "locations",
        why: "the second one is for the day when the first has no power",
        source: RESILIENCE,
        others: ["EqDC2", "TCSH"],
    },
    Pair {
        first: "dx.interface_id",
        second: "dx.second_interface_id",
        noun: "interfaces",
        why: "the second one is for the day when the line of the first fails",
        source: INTERFACES,
        others: ["dxvif-ffabc124", "dxvif-ffabc125"],
    },
    Pair {
        first: "dx.hosted_id",
        second: "dx.second_hosted_id",
        noun: "connections",
        why: "the second one is for the day when the first fails, and a partner's connection takes one interface",
        source: LINES,
        others: ["dxcon-ffabc124", "dxcon-ffabc125"],
    },
    Pair {
        first: "dx.ckn",
        second: "dx.second_ckn",
        noun: "names of MACsec keys",
        why: "each line has a key of its own, and AWS keeps one text under one name",
        source: MACSEC,
        others: [
            "5f3a0c91d2b84e67a1f09c3d7be24586902f6ad3c1e8b57440d96f1b2ca37e08",
            "c07e4b18a95d3f62e81b7c40d2956fa3318e6c5d09f7b24ae6d1830c5b9f7a42",
        ],
    },
];

/// Direct Connect user guide, "Resiliency Toolkit": a second line that is the first one protects from nothing.
fn lines_differ(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    for pair in PAIRS {
        let (Some((id, first)), Some((other_id, second))) = (answers.text(pair.first), answers.text(pair.second))
        else {
            continue;
        };
        if first.eq_ignore_ascii_case(second) {
            let [one, other] = pair.others;
            let another = if first.eq_ignore_ascii_case(one) { other } else { one };
            let what = format!("both {} are {first}", pair.noun);
            report(found, &[other_id, id], Refusal::new(what, pair.why, pair.source).suggest(another));
        }
    }
}

/// A proposal goes from the account with the network to the account with the gateway; inside of one, there is nothing to propose.
fn owner_is_another(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (true, Some((id, owner)), Some((other_id, ours))) =
        (answers.is("dx.kind", "gateway"), answers.text("dx.owner_account"), answers.text("aws.account_id"))
        && owner == ours
    {
        let what = format!("{owner} of {id} is the account that is set up");
        let why = "a gateway of the same account is not asked for; choose another kind of Direct Connect";
        let another = if ours == "444455556666" { "777788889999" } else { "444455556666" };
        report(found, &[id, other_id], Refusal::new(what, why, ACROSS).suggest(another));
    }
}

/// From the region of a line a Direct Connect gateway leads to any other, but for China and from one part of AWS to another.
/// Straight to a virtual private gateway it stays where it is.
fn a_gateway_leads_to_another_region(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, line)), Some((primary_id, primary))) =
        (answers.text("dx.region"), answers.text("aws.region_primary"))
    else {
        return;
    };
    if line == primary {
        return;
    }
    let from = cloud::partition(line);
    if from != cloud::partition(primary) || from == "aws-cn" {
        let what = format!("no line leads from {line} to {primary}");
        let why = "a Direct Connect gateway leads to other regions, but not in China, nor to another part of AWS";
        report(found, &[id, primary_id], Refusal::new(what, why, GATEWAYS).suggest(primary));
    } else if let Some((attach_id, "vgw")) = answers.text("dx.attach") {
        let what = format!("the line is in {line}, and the virtual private gateway in {primary}");
        let why = "a line leads to another region over a Direct Connect gateway only";
        report(found, &[attach_id, id], Refusal::new(what, why, GATEWAYS).suggest("gateway"));
    }
}

/// Speeds that AWS's own ports have (Direct Connect user guide, dedicated connections).
const PORTS: [&str; 4] = ["1Gbps", "10Gbps", "100Gbps", "400Gbps"];
/// Speeds that partners do not sell (hosted connections: 50 Mbit/s to 25 Gbit/s), and of which a LAG has two ports at most.
const TOO_FAST: [&str; 2] = ["100Gbps", "400Gbps"];
/// Of each line.
const SPEEDS: [&str; 2] = ["dx.bandwidth", "dx.second_bandwidth"];

/// Direct Connect user guide, "Dedicated and hosted connections": which speeds each kind has.
fn speeds_fit_the_lines(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((kind_id, kind)) = answers.text("dx.kind") else { return };
    for (id, speed) in SPEEDS.into_iter().filter_map(|id| answers.text(id)) {
        let why = match kind {
            "hosted" if TOO_FAST.contains(&speed) => "partners sell 50 Mbit/s to 25 Gbit/s",
            "dedicated" | "lag" if !PORTS.contains(&speed) => "a port has 1, 10, 100 or 400 Gbit/s",
            _ => {
                if let (true, "lag", Some((ports_id, ports @ 3..))) =
                    (TOO_FAST.contains(&speed), kind, answers.number("dx.lag_ports"))
                {
                    let what = format!("a LAG of {ports} ports with {speed} each");
                    let refusal = Refusal::new(what, "two ports of that speed are the most", LIMITS);
                    report(found, &[ports_id, id], refusal.suggest("2"));
                }
                continue;
            }
        };
        let what = format!("{speed} is no speed of a {kind} connection");
        report(found, &[id, kind_id], Refusal::new(what, why, LINES).suggest("1Gbps"));
    }
}

/// Amazon's address and the customer's, of each line.
const PEERS: [[&str; 2]; 2] = [["dx.amazon_ip", "dx.customer_ip"], ["dx.second_amazon_ip", "dx.second_customer_ip"]];

/// The ranges of the peers on the lines, where they were given.
pub(super) fn peers<'a>(answers: &Answers<'a>) -> Vec<Block<'a>> {
    PEERS.iter().flatten().filter_map(|id| peer(answers, id)).map(|(id, net)| (id, net.trunc())).collect()
}

/// With its own address.
fn peer<'a>(answers: &Answers<'a>, id: &str) -> Option<Block<'a>> {
    answers.text(id).and_then(|(id, text)| Some((id, text.parse::<Ipv4Net>().ok()?)))
}

/// Direct Connect user guide, "Create a virtual interface": both peers' addresses, or neither.
fn peers_are_whole(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    PEERS.into_iter().for_each(|pair| whole(answers, pair, INTERFACES, found));
}

/// Direct Connect user guide, "Create a virtual interface": both peers' addresses are of one range.
fn peers_share_a_range(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    for [amazon, customer] in PEERS {
        let (Some((id, amazon)), Some((other_id, customer))) = (peer(answers, amazon), peer(answers, customer)) else {
            continue;
        };
        let other = |net: Ipv4Net| {
            let mut hosts = net.trunc().hosts();
            hosts.find(|host| *host != net.addr()).unwrap_or(Ipv4Addr::UNSPECIFIED)
        };
        let proposal = format!("{}/{}", other(amazon), amazon.prefix_len());
        if amazon.addr() == customer.addr() {
            let what = format!("both peers have the address {}", amazon.addr());
            report(found, &[other_id, id], Refusal::new(what, "each has its own", INTERFACE).suggest(proposal));
        } else if amazon.trunc() != customer.trunc() {
            let what = format!("{amazon} of {id} and {customer} of {other_id} are in different ranges");
            let why = "peers speak with each other directly, inside of one /30 or /31";
            report(found, &[other_id, id], Refusal::new(what, why, INTERFACE).suggest(proposal));
        }
    }
}

/// The customer's routers tell the two lines apart by these.
fn lines_have_ranges_of_their_own(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let of = |ids: [&'static str; 2]| {
        ids.into_iter().enumerate().filter_map(move |(side, id)| Some((side, peer(answers, id)?)))
    };
    let [first, second] = PEERS;
    for (side, (id, net)) in of(second) {
        if let Some((_, (other_id, other))) = of(first).find(|(_, (_, other))| overlap(net.trunc(), other.trunc())) {
            let what = format!("{net} of {id} is on the range of the first line, {other} of {other_id}");
            let why = "each line has a range of its own, or the customer's router could not tell one from the other";
            let refusal = Refusal::new(what, why, INTERFACE).suggest(beside(other, net.prefix_len(), side));
            report(found, &[id, other_id], refusal);
        }
    }
}

/// The first or second host of the range behind that one.
fn beside(other: Ipv4Net, prefix: u8, side: usize) -> String {
    let behind = u32::from(other.broadcast()).checked_add(1).map(Ipv4Addr::from);
    let behind = behind.and_then(|first| Ipv4Net::new(first, prefix).ok());
    let host = behind.and_then(|net| net.trunc().hosts().nth(side));
    host.map(|host| format!("{host}/{prefix}")).unwrap_or_default()
}

fn wants_macsec<'a>(answers: &Answers<'a>) -> Option<(&'a super::InputId, &'a str)> {
    answers.text("dx.macsec").filter(|(_, mode)| *mode != "no")
}

/// Ports of 10, 100 and 400 Gbit/s can encrypt, in some buildings; a look at AWS's list of them follows.
fn macsec_takes_a_fast_port(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, _)) = wants_macsec(answers) else { return };
    for (speed_id, speed) in SPEEDS.into_iter().filter_map(|id| answers.text(id)) {
        if !PORTS[1..].contains(&speed) {
            let what = format!("a line of {speed} is to be encrypted");
            let why = "ports of 10, 100 and 400 Gbit/s have MACsec, and no others";
            report(found, &[speed_id, id], Refusal::new(what, why, MACSEC).suggest("10Gbps"));
        }
    }
}

/// Direct Connect user guide, "MAC Security": each line has a pair of its own.
fn macsec_keys_differ(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let Some([id, other_id]) = one_secret(answers, ["dx.cak", "dx.second_cak"]) {
        let why = "who learns the key of one line must not know that of the other; leave both empty and two are made";
        let refusal = Refusal::new("both lines have one MACsec key", why, MACSEC);
        report(found, &[id, other_id], refusal.suggest("age:secrets.age#LINE_2"));
    }
}

/// Over the VPN the VPC's own ranges are heard. Where the line announces wider ones only, the narrower way wins, whatever the preference.
fn the_line_is_as_narrow_as_its_backup(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let with_backup = answers.is("conn.mode", "direct_connect_with_vpn_backup");
    let allowed = answers.blocks(&["dx.allowed_prefixes"]);
    let (true, true, Some((id, _))) = (with_backup, answers.is("conn.gateway", "tgw"), allowed.first().copied()) else {
        return;
    };
    for (vpc_id, vpc) in answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]) {
        if let Some((_, wider)) = allowed.iter().find(|(_, net)| net.contains(&vpc) && *net != vpc) {
            let what = format!("the line tells the customer's routers of {wider}, and its backup of {vpc} of {vpc_id}");
            let why = "the narrower range wins, so everything they send would go over the VPN while the line is up";
            report(found, &[id, vpc_id], Refusal::new(what, why, PREFIXES).suggest(vpc.to_string()));
        }
    }
}

/// What the customer sends is told over the line as `net.onprem_cidrs`. A narrower range on the VPN wins over it at Amazon, before
/// any preference ("Site-to-Site VPN route priority": the longest prefix first), so the VPN would carry while the line is up.
fn the_backup_is_no_narrower(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if !answers.is("conn.mode", "direct_connect_with_vpn_backup") {
        return;
    }
    let premises = answers.blocks(&["net.onprem_cidrs"]);
    for (id, backup) in answers.blocks(&["vpn.static_prefixes", "vpn.advertised_prefixes"]) {
        if premises.iter().any(|(_, net)| *net == backup) {
            continue;
        }
        if let Some((premises_id, wider)) = premises.iter().find(|(_, net)| net.contains(&backup)) {
            let what = format!("the backup leads to {backup} of {id}, and the line to {wider} of {premises_id}");
            let why = "the narrower range wins, so everything for it would go over the VPN while the line is up";
            report(found, &[id, premises_id], Refusal::new(what, why, ROUTES).suggest(wider.to_string()));
        }
    }
}

/// On a virtual private gateway the allowed prefixes are a filter: one that is narrower than the VPC lets nothing through. On a
/// transit gateway they are announced as they stand, whatever the VPC has, and together they have to hold it.
fn our_range_is_announced(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let allowed = answers.blocks(&["dx.allowed_prefixes"]);
    let Some((id, _)) = allowed.first().copied() else { return };
    let mut heard: Vec<Ipv4Net> = allowed.iter().map(|(_, net)| *net).collect();
    let as_they_stand = answers.is("conn.gateway", "tgw");
    if as_they_stand {
        heard = Ipv4Net::aggregate(&heard);
    }
    for (vpc_id, vpc) in answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]) {
        if !heard.iter().any(|net| net.contains(&vpc)) {
            let what = format!("none of {id} holds {vpc} of {vpc_id}");
            let why = match as_they_stand {
                true => {
                    "a transit gateway announces these and nothing else, so the customer's routers would not know the way to it"
                }
                false => "a range that is narrower than the VPC's announces nothing at all",
            };
            report(found, &[id, vpc_id], Refusal::new(what, why, PREFIXES).suggest(vpc.to_string()));
        }
    }
}
