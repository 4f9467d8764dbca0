//! The blocks of a VPC: what AWS takes beside what (VPC user guide, "IPv4 CIDR block association restrictions").

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::super::range::{Purpose, overlap, special_range_around};
use super::super::refusal::Refusal;
use super::{Answers, Disagreement, Rule, VPC_BLOCKS, free, report, warn};

pub(super) const RULES: &[Rule] = &[blocks_are_ordinary, secondary_blocks_fit, private_blocks_come_first];

const fn range(a: u8, b: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), bits)
}

/// What AWS uses inside some of its services.
const AWS_INTERNAL: Ipv4Net = range(198, 19, 16);

/// Ranges that AWS takes for a VPC, and that hurt later.
fn blocks_are_ordinary(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    for (id, net) in answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]) {
        let why = if overlap(net, range(172, 17, 16)) {
            "172.17.0.0/16 is the default network of containers, also in some AWS services; hosts there cannot be reached"
        } else if overlap(net, AWS_INTERNAL) {
            "AWS uses 198.19.0.0/16 inside some of its services"
        } else {
            match special_range_around(net).map(|special| special.purpose) {
                Some(Purpose::Private) => continue,
                Some(Purpose::Shared) => "100.64.0.0/10 is shared by carriers; not every device routes it",
                Some(Purpose::Documentation) => "it is a range for documentation, good for practice only",
                _ => "it is not private (RFC 1918): the real owner of these addresses cannot be reached from the VPC",
            }
        };
        let refusal = Refusal::new(format!("{net} of {id} may hurt later"), why, VPC_BLOCKS).suggest("10.40.0.0/16");
        warn(found, &[id], refusal);
    }
}

/// The private range (RFC 1918) that a block is from.
fn family(net: Ipv4Net) -> Option<Ipv4Net> {
    special_range_around(net).filter(|special| special.purpose == Purpose::Private).map(|special| special.net)
}

/// Why AWS takes this block beside no other, or not beside one of these.
fn refused_beside(net: Ipv4Net, others: impl Iterator<Item = Ipv4Net> + Clone) -> Option<&'static str> {
    let beside =
        |part: Ipv4Net, whole: Ipv4Net| overlap(net, part) && others.clone().any(|other| whole.contains(&other));
    if overlap(net, AWS_INTERNAL) {
        Some("AWS takes no further block from 198.19.0.0/16, which it uses itself")
    } else if beside(range(10, 0, 16), range(10, 0, 15)) {
        Some("beside a block from 10.0.0.0/15 AWS takes none from 10.0.0.0/16")
    } else if beside(range(172, 31, 16), range(172, 16, 12)) {
        Some("beside a block from 172.16.0.0/12 AWS takes none from 172.31.0.0/16")
    } else {
        None
    }
}

/// At most five blocks; the private ones from one family, and none beside a first one that is public or from 100.64.0.0/10.
fn secondary_blocks_fit(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let secondary = answers.blocks(&["net.secondary_cidrs"]);
    let (Some((vpc_id, vpc)), Some((id, _))) =
        (answers.blocks(&["net.vpc_cidr"]).first().copied(), secondary.first().copied())
    else {
        return;
    };
    if secondary.len() > 4 {
        let what = format!("{id} has {} ranges", secondary.len());
        let four: Vec<String> = secondary.iter().take(4).map(|(_, net)| net.to_string()).collect();
        let why = "a VPC has five blocks at most, the primary one counted";
        report(found, &[id], Refusal::new(what, why, VPC_BLOCKS).suggest(four.join(", ")));
    }
    for (_, net) in &secondary {
        let others = std::iter::once(vpc).chain(secondary.iter().map(|(_, other)| *other)).filter(|other| other != net);
        if let Some(why) = refused_beside(*net, others) {
            let what = format!("{net} of {id} cannot be a block beside {vpc} of {vpc_id}");
            report(found, &[id, vpc_id], Refusal::new(what, why, VPC_BLOCKS).suggest(free::range(answers, |_| true)));
        }
        let Some(private) = family(*net) else { continue };
        let (what, why, fitting) = match family(vpc) {
            Some(primary) if primary == private => continue,
            Some(primary) => (
                format!("{net} of {id} is from {private}, and {vpc} of {vpc_id} from {primary}"),
                "AWS refuses blocks of two private ranges in one VPC",
                primary,
            ),
            None => (
                format!("{net} of {id} is private, and {vpc} of {vpc_id} is not"),
                "AWS takes a private block first, with the VPC, and beside it others; not the other way round",
                private,
            ),
        };
        let proposal = free::range(answers, |net| fitting.contains(&net));
        report(found, &[vpc_id, id], Refusal::new(what, why, VPC_BLOCKS).suggest(proposal));
    }
}

/// They are added one after the other, as they stand.
fn private_blocks_come_first(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let secondary = answers.blocks(&["net.secondary_cidrs"]);
    let (private, others): (Vec<_>, Vec<_>) = secondary.iter().partition(|(_, net)| family(*net).is_some());
    let sorted: Vec<_> = private.into_iter().chain(others).copied().collect();
    if let (true, Some((id, _))) = (sorted != secondary, secondary.first()) {
        let sorted: Vec<String> = sorted.iter().map(|(_, net)| net.to_string()).collect();
        let why = "AWS may refuse a private block once the VPC has one that is not";
        let what = format!("{id} does not begin with its private ranges");
        warn(found, &[id], Refusal::new(what, why, VPC_BLOCKS).suggest(sorted.join(", ")));
    }
}
