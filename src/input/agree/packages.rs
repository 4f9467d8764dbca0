//! Where hosts without a way to the Internet get what they need: the proxy and what goes past it, and the packages.

use ipnet::Ipv4Net;

use super::super::refusal::Refusal;
use super::{Answers, Disagreement, Rule, report, warn};
use crate::text::list;

const METADATA: &str = "docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html";
const PRIVATE: &str = "docs.aws.amazon.com/vpc/latest/privatelink/what-is-privatelink.html";

pub(super) const RULES: &[Rule] = &[proxy_is_not_in_the_way, packages_come_from_somewhere, packages_come_by_the_proxy];

/// Neither AWS's own addresses nor what stands in the VPC is reached through a proxy in the data centre.
fn proxy_is_not_in_the_way(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, text)) = answers.text("mon.no_proxy") else { return };
    let entries: Vec<&str> = text.split([',', ' ']).filter(|entry| !entry.is_empty()).collect();
    let own = ["169.254.169.254", "169.254.169.253", "169.254.169.123", "localhost", "127.0.0.1"];
    let mut missing: Vec<String> =
        own.into_iter().filter(|one| !entries.contains(one)).map(ToOwned::to_owned).collect();
    let mut ids = vec![id];
    let ranges: Vec<Ipv4Net> = entries.iter().filter_map(|entry| entry.parse().ok()).collect();
    for (of, block) in answers.blocks(&["net.vpc_cidr", "net.secondary_cidrs"]) {
        if !ranges.iter().any(|range| range.contains(&block)) {
            ids.push(of);
            missing.push(block.to_string());
        }
    }
    if let Some((of, zone)) = answers.text("dns.zone_name")
        && !entries.iter().any(|entry| entry.trim_start_matches('*').trim_start_matches('.') == zone)
    {
        ids.push(of);
        missing.push(format!(".{zone}"));
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(String::as_str).collect();
        let what = format!("{} would go through the proxy", list(&names));
        let why = "hosts ask AWS, themselves and each other there, and a proxy knows none of it";
        report(found, &ids, Refusal::new(what, why, METADATA).suggest(format!("{text},{}", missing.join(","))));
    }
}

/// Without a NAT gateway and a proxy no archive of packages is reached: an endpoint of PrivateLink leads to one service of AWS.
fn packages_come_from_somewhere(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((nat_id, "none" | "none_private_link")) = answers.text("net.nat_mode") else { return };
    let Some((id, "public")) = answers.text("sec.patch_source") else { return };
    if !answers.is("hosts.source", "create") {
        return;
    }
    let what = "no package of the distribution reaches hosts that have no way out to the Internet";
    let why = "what the image does not have, such as chrony or postfix, cannot be installed; name a mirror of yours, or take an \
               image that has it all";
    warn(found, &[id, nat_id], Refusal::new(what, why, PRIVATE).suggest("mirror"));
}

/// onramp's own: a host whose way out is a proxy fetches its packages by it, or from a mirror inside.
fn packages_come_by_the_proxy(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, "proxy")), Some((nat_id, nat))) = (answers.text("sec.patch_source"), answers.text("net.nat_mode"))
    else {
        return;
    };
    if nat != "none_proxy" {
        let what = "hosts leave by no proxy, and packages cannot come through one";
        let why = "only with net.nat_mode none_proxy are they told of one; with a NAT gateway they ask the distribution directly";
        report(found, &[id, nat_id], Refusal::new(what, why, "onramp").suggest("public"));
    }
}
