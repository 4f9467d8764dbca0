//! Route 53: record sets. A batch is carried out whole or not at all, and AWS says everything that is wrong with it.
//!
//! Rules: "Amazon Route 53 API Reference", ChangeResourceRecordSets, ListResourceRecordSets and TestDNSAnswer; the words in
//! which AWS refuses a batch are its own, collected from the issues of the tools that print them.

use std::net::{Ipv4Addr, Ipv6Addr};

use winterbaume_route53::wire::{self, ResourceRecord, ResourceRecordSet};

use super::pace::Wait;
use super::refusal::Refusal;
use super::route53::{Zone, body, changed, document, invalid, zone};
use super::services::Visit;

/// "A request cannot contain more than 1,000 ResourceRecord elements"; an UPSERT counts twice.
const MOST_RECORDS: usize = 1000;
/// "The sum of the number of characters in all Value elements cannot exceed 32,000"; an UPSERT counts twice.
const MOST_CHARACTERS: usize = 32_000;
/// A page of ListResourceRecordSets.
const PAGE: usize = 300;
const TYPES: [&str; 12] = ["SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA"];

/// The records that AWS makes with a zone.
pub(super) fn first(name: &str, servers: &[String]) -> Vec<ResourceRecordSet> {
    let set = |kind: &str, ttl: i64, values: Vec<String>| ResourceRecordSet {
        name: name.to_owned(),
        r#type: kind.to_owned(),
        t_t_l: Some(ttl),
        resource_records: Some(values.into_iter().map(|value| ResourceRecord { value }).collect()),
        ..ResourceRecordSet::default()
    };
    let servers: Vec<String> = servers.iter().map(|server| format!("{server}.")).collect();
    let first = servers.first().cloned().unwrap_or_default();
    let soa = format!("{first} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400");
    vec![set("NS", 172_800, servers), set("SOA", 900, vec![soa])]
}

/// One of those.
pub(super) fn of_the_zone(zone: &Zone, record: &ResourceRecordSet) -> bool {
    record.name == zone.name && ["NS", "SOA"].contains(&record.r#type.as_str())
}

/// Names are ordered by their labels from the last ("ListResourceRecordSets", Sort order).
pub(super) fn from_the_last(name: &str) -> Vec<String> {
    name.trim_end_matches('.').rsplit('.').map(str::to_owned).collect()
}

/// What tells one set from another: name, type, and for weighted and other sets their identifier.
fn place(set: &ResourceRecordSet) -> (Vec<String>, String, String) {
    (from_the_last(&set.name), set.r#type.clone(), set.set_identifier.clone().unwrap_or_default())
}

fn said(set: &ResourceRecordSet) -> String {
    let identifier = set.set_identifier.as_ref().map(|one| format!(", set-identifier='{one}'")).unwrap_or_default();
    format!("[name='{}', type='{}'{identifier}]", set.name, set.r#type)
}

fn values(set: &ResourceRecordSet) -> impl Iterator<Item = &str> {
    set.resource_records.iter().flat_map(|records| &records.items).map(|record| record.value.as_str())
}

pub(super) fn change(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_change_resource_record_sets_request)?;
    let id = visit.ask.need("Id")?.to_owned();
    let world = visit.world();
    let (now, busy) = (world.now, world.pace.millis(Wait::ZoneBusy));
    let (_, zone) = zone(world, &id)?;
    if now < zone.changed.saturating_add(busy) {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(Refusal::new("PriorRequestNotComplete", message));
    }
    let changes = asked.change_batch.changes.items;
    let mut wrong = too_many(&changes);
    let mut records = zone.records.clone();
    for change in changes {
        if let Err(why) = apply(zone, &mut records, change) {
            wrong.push(why);
        }
    }
    for record in &records {
        if record.r#type == "CNAME" && records.iter().any(|other| other.name == record.name && other.r#type != "CNAME")
        {
            wrong.push(format!(
                "RRSet of type CNAME with DNS name {} is not permitted as it conflicts with other records with the same \
                 DNS name in zone {}",
                record.name, zone.name
            ));
        }
    }
    for kind in ["NS", "SOA"] {
        if !records.iter().any(|record| record.name == zone.name && record.r#type == kind) {
            wrong.push(format!("A HostedZone must contain at least one {kind} record for the zone itself."));
        }
    }
    if !wrong.is_empty() {
        return Err(Refusal::new("InvalidChangeBatch", format!("[{}]", wrong.join(", "))));
    }
    records.sort_by_key(place);
    (zone.records, zone.changed) = (records, now);
    let answer = wire::ChangeResourceRecordSetsResponse { change_info: Some(changed(world)) };
    Ok(document(wire::serialize_change_resource_record_sets_response(&answer)))
}

fn too_many(changes: &[wire::Change]) -> Vec<String> {
    let times = |change: &wire::Change| if change.action == "UPSERT" { 2 } else { 1 };
    let records: usize = changes.iter().map(|change| times(change) * values(&change.resource_record_set).count()).sum();
    let text =
        |change: &wire::Change| values(&change.resource_record_set).map(|value| value.chars().count()).sum::<usize>();
    let characters: usize = changes.iter().map(|change| times(change) * text(change)).sum();
    let mut wrong = Vec::new();
    if changes.is_empty() {
        wrong.push("The ChangeBatch must contain at least one change".to_owned());
    }
    if records > MOST_RECORDS {
        wrong.push(format!("Number of records limit of {MOST_RECORDS} exceeded."));
    }
    if characters > MOST_CHARACTERS {
        wrong.push(format!("Number of characters in the records limit of {MOST_CHARACTERS} exceeded."));
    }
    wrong
}

/// One change of a batch, in the records as the earlier ones left them.
fn apply(zone: &Zone, records: &mut Vec<ResourceRecordSet>, change: wire::Change) -> Result<(), String> {
    let mut set = change.resource_record_set;
    set.name = format!("{}.", set.name.trim_end_matches('.').to_ascii_lowercase());
    check(zone, &set)?;
    let at = records.iter().position(|other| place(other) == place(&set));
    match (change.action.as_str(), at) {
        ("CREATE", Some(_)) => {
            return Err(format!("Tried to create resource record set {} but it already exists", said(&set)));
        }
        ("CREATE" | "UPSERT", None) => records.push(set),
        ("UPSERT", Some(at)) => records[at] = set,
        ("DELETE", None) => {
            return Err(format!("Tried to delete resource record set {} but it was not found", said(&set)));
        }
        ("DELETE", Some(at)) if same(&records[at], &set) => drop(records.remove(at)),
        ("DELETE", Some(_)) => {
            return Err(format!(
                "Tried to delete resource record set {} but the values provided do not match the current values",
                said(&set)
            ));
        }
        (other, _) => return Err(format!("Invalid action: {other}")),
    }
    Ok(())
}

/// The order of the values does not count.
fn same(one: &ResourceRecordSet, other: &ResourceRecordSet) -> bool {
    let shown = |set: &ResourceRecordSet| {
        let mut values: Vec<String> = values(set).map(str::to_owned).collect();
        values.sort_unstable();
        let alias = set.alias_target.as_ref();
        let alias = alias.map(|alias| (alias.d_n_s_name.to_ascii_lowercase(), alias.hosted_zone_id.clone()));
        (set.t_t_l, values, alias, set.weight)
    };
    shown(one) == shown(other)
}

fn check(zone: &Zone, set: &ResourceRecordSet) -> Result<(), String> {
    let kind = set.r#type.as_str();
    if set.name != zone.name && !set.name.ends_with(&format!(".{}", zone.name)) {
        return Err(format!("RRSet with DNS name {} is not permitted in zone {}", set.name, zone.name));
    }
    if !TYPES.contains(&kind) {
        return Err(format!("Value '{kind}' at 'type' failed to satisfy constraint"));
    }
    if kind == "CNAME" && set.name == zone.name {
        let name = &set.name;
        return Err(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}", zone.name));
    }
    let given: Vec<&str> = values(set).collect();
    let whole = match &set.alias_target {
        Some(_) => given.is_empty() && set.t_t_l.is_none(),
        None => !given.is_empty() && set.t_t_l.is_some_and(|ttl| (0..=2_147_483_647).contains(&ttl)),
    };
    if !whole {
        return Err("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
                    TrafficPolicyInstanceId], but found none in Change with ["
            .to_owned()
            + &said(set)
            + "]");
    }
    if kind == "CNAME" && given.len() > 1 {
        return Err(format!("CNAME record sets must have exactly one record: {}", said(set)));
    }
    for (n, value) in given.iter().enumerate() {
        if given[..n].contains(value) {
            return Err(format!("Duplicate Resource Record: '{value}'"));
        }
        if let Some((problem, why)) = problem(kind, value) {
            return Err(format!(
                "Invalid Resource Record: 'FATAL problem: {problem} ({why}) encountered with '{value}''"
            ));
        }
    }
    Ok(())
}

/// What is wrong with one value.
fn problem(kind: &str, value: &str) -> Option<(&'static str, &'static str)> {
    let fields = value.split_whitespace().count();
    match kind {
        "A" if value.parse::<Ipv4Addr>().is_err() => {
            Some(("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address"))
        }
        "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
            Some(("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address"))
        }
        "TXT" | "SPF" if !(value.len() >= 2 && value.starts_with('"') && value.ends_with('"')) => {
            Some(("InvalidCharacterString", "Value should be enclosed in quotation marks"))
        }
        "TXT" | "SPF" if value.split("\" \"").any(|part| part.trim_matches('"').len() > 255) => {
            Some(("CharacterStringTooLong", "Value is too long"))
        }
        "MX" if fields != 2 => Some(("MXRRDATANotTwoFields", "MX record doesn't have 2 fields")),
        "SRV" if fields != 4 => Some(("SRVRRDATANotFourFields", "SRV record doesn't have 4 fields")),
        "CNAME" | "PTR" | "NS" if fields != 1 || value.contains("..") => {
            Some(("DomainLabelEmpty", "Domain label is empty"))
        }
        _ => None,
    }
}

pub(super) fn list(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let ask = visit.ask;
    let most = ask.number("maxitems").map_err(|_| invalid("maxitems must be a number"))?.unwrap_or(300);
    let most = usize::try_from(most).unwrap_or_default().clamp(1, PAGE);
    if ask.get("type").is_some() && ask.get("name").is_none() {
        return Err(invalid("type needs a name"));
    }
    let (name, kind) = (ask.get("name").map(from_the_last), ask.get("type").unwrap_or_default().to_owned());
    let identifier = ask.get("identifier").unwrap_or_default().to_owned();
    let start = name.map(|name| (name, kind, identifier));
    let id = ask.need("Id")?.to_owned();
    let (_, zone) = zone(visit.world(), &id)?;
    let mut records: Vec<&ResourceRecordSet> = zone.records.iter().collect();
    records.sort_by_key(|record| place(record));
    if let Some(start) = &start {
        records.retain(|record| place(record) >= *start);
    }
    let next = records.get(most);
    let answer = wire::ListResourceRecordSetsResponse {
        is_truncated: Some(next.is_some()),
        max_items: i32::try_from(most).ok(),
        next_record_identifier: next.and_then(|record| record.set_identifier.clone()),
        next_record_name: next.map(|record| record.name.clone()),
        next_record_type: next.map(|record| record.r#type.clone()),
        resource_record_sets: Some(records.into_iter().take(most).cloned().collect()),
    };
    Ok(document(wire::serialize_list_resource_record_sets_response(&answer)))
}

/// What the zone's own name server says. It answers for public zones only.
pub(super) fn test(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let ask = visit.ask;
    let (id, kind) = (ask.need("hostedzoneid")?.to_owned(), ask.need("recordtype")?.to_owned());
    let name = format!("{}.", ask.need("recordname")?.trim_end_matches('.').to_ascii_lowercase());
    let (_, zone) = zone(visit.world(), &id)?;
    if zone.is_private() {
        return Err(invalid("TestDNSAnswer supports public hosted zones only"));
    }
    let of_name: Vec<&ResourceRecordSet> = zone.records.iter().filter(|record| record.name == name).collect();
    let found = of_name.iter().find(|record| record.r#type == kind || record.r#type == "CNAME");
    let code = if of_name.is_empty() { "NXDOMAIN" } else { "NOERROR" };
    let answer = wire::TestDNSAnswerResponse {
        nameserver: zone.name_servers.first().cloned(),
        protocol: Some("UDP".to_owned()),
        record_data: Some(found.map(|record| values(record).map(str::to_owned).collect()).unwrap_or_default()),
        record_name: Some(name),
        record_type: Some(kind),
        response_code: Some(code.to_owned()),
    };
    Ok(document(wire::serialize_test_d_n_s_answer_response(&answer)))
}
