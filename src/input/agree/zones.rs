//! What the zones of names, and what SES has in a region, ask of the other answers.

use ipnet::Ipv4Net;

use super::super::domain::within;
use super::super::refusal::Refusal;
use super::super::value::cell;
use super::super::{InputId, cloud};
use super::{Answers, Disagreement, Rule, free, report};

const PRIVATE: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html";
const REVERSE: &str = "docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html";
const SES: &str = "docs.aws.amazon.com/general/latest/gr/ses.html";

pub(super) const RULES: &[Rule] = &[reverse_names_have_a_zone, nothing_needed_is_hidden, mail_server_is_in_the_region];

/// The zone of reverse names that the runbook makes: that of the first range's /16.
fn reverse_zone(range: Ipv4Net) -> String {
    let [first, second, ..] = range.network().octets();
    format!("{second}.{first}.in-addr.arpa")
}

/// Reverse names stand in a zone of their own, and a record elsewhere would be refused when the others are there already.
fn reverse_names_have_a_zone(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if !answers.is("dns.mode", "route53") || answers.is("net.access_path", "onprem_customer_vpn") {
        return;
    }
    let (Some((id, records)), Some((range_id, range))) =
        (answers.get("dns.records"), answers.blocks(&["net.vpc_cidr"]).first().copied())
    else {
        return;
    };
    let zone = reverse_zone(range);
    for row in records.rows().iter().filter(|row| cell(row, "type") == "PTR") {
        let name = cell(row, "name");
        if !within(name, &zone) {
            let what = format!("{name} of {id} is not in the zone {zone}");
            let why = format!(
                "that is the one zone of reverse names here, made of {range}; names of other addresses belong to whoever has \
                 their ranges"
            );
            let octets: Vec<u8> = free::inside(range).split('.').filter_map(|part| part.parse().ok()).collect();
            let inside = octets.iter().rev().map(u8::to_string).collect::<Vec<_>>().join(".");
            let proposal = format!("{inside}.in-addr.arpa PTR {}", cell(row, "value"));
            report(found, &[id, range_id], Refusal::new(what, why, REVERSE).suggest(proposal));
        }
    }
}

/// Is there a zone that hosts of the VPC see in the place of the public one?
fn private_zone<'a>(answers: &Answers<'a>) -> Option<(&'a InputId, &'a str)> {
    let is_private = ["private", "split"].iter().any(|way| answers.is("dns.visibility", way));
    answers.text("dns.zone_name").filter(|_| answers.is("dns.mode", "route53") && is_private)
}

/// Is that name among those that the zone is given?
fn is_given(answers: &Answers<'_>, name: &str, zone: &str) -> bool {
    let listed = |id: &str, column: &str, whole: fn(&str, &str) -> String| {
        let rows = answers.get(id).map(|(_, value)| value.rows()).unwrap_or_default();
        rows.iter().any(|row| whole(cell(row, column), zone) == name)
    };
    listed("dns.records", "name", |name, _| name.to_owned())
        || listed("hosts.launch", "name", |name, zone| format!("{name}.{zone}"))
}

/// A private zone answers for all names below it, also for those that it does not have.
fn nothing_needed_is_hidden(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((zone_id, zone)) = private_zone(answers) else { return };
    let mut needed: Vec<(&InputId, &str)> = Vec::new();
    needed.extend(answers.text("smtp.host").filter(|_| answers.is("smtp.mode", "own_server")));
    if answers.is("ntp.mode", "customer_ntp")
        && let Some((id, servers)) = answers.texts("ntp.servers")
    {
        needed.extend(servers.into_iter().map(|server| (id, server)));
    }
    for (id, name) in needed.into_iter().filter(|(_, name)| within(name, zone) && !is_given(answers, name, zone)) {
        let what = format!("{name} of {id} would not be found: the private zone {zone} hides it and does not have it");
        let why = "inside the VPC nothing below the zone's name is asked for elsewhere; add it to dns.records, or take a zone \
                   that is a part of its own";
        report(found, &[zone_id, id], Refusal::new(what, why, PRIVATE).suggest(format!("cloud.{zone}")));
    }
}

/// Where SES is only by its API, or not at all: AWS General Reference, "Amazon SES endpoints and quotas", SMTP endpoints.
const NO_SMTP: [&str; 6] = ["af-south-1", "ap-southeast-3", "cn-north-1", "cn-northwest-1", "eu-south-1", "me-south-1"];

/// AWS general reference, "Amazon Simple Email Service endpoints".
fn mail_server_is_in_the_region(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((mode_id, "amazon_ses")), Some((id, region))) = (answers.text("smtp.mode"), answers.text("ses.region"))
    else {
        return;
    };
    // By the API it is reached wherever it is.
    let by_the_web = answers.is("mail.relay", "web") && cloud::partition(region) != "aws-cn";
    if NO_SMTP.contains(&region) && !by_the_web {
        let what = format!("Amazon SES has no mail server in {region}");
        let why = match cloud::partition(region) {
            "aws-cn" => "it is not in China; the hosts send through a mail server of the customer's",
            _ => {
                "it is reached by its API only there, and hosts and products send by SMTP; take a server of the customer's"
            }
        };
        report(found, &[mode_id, id], Refusal::new(what, why, SES).suggest("own_server"));
    }
}
