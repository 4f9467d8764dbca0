//! Regions, zones and the instance types that each of them offers.

use super::Call;
use super::describe::describe;
use super::refusal::Refusal;
use super::xml::Xml;

/// Name, zones, and whether the account must first ask for the region.
const REGIONS: [(&str, &str, bool); 21] = [
    ("af-south-1", "abc", true),
    ("ap-east-1", "abc", true),
    ("ap-northeast-1", "acd", false),
    ("ap-northeast-2", "abcd", false),
    ("ap-northeast-3", "abc", false),
    ("ap-south-1", "abc", false),
    ("ap-southeast-1", "abc", false),
    ("ap-southeast-2", "abc", false),
    ("ca-central-1", "abd", false),
    ("eu-central-1", "abc", false),
    ("eu-north-1", "abc", false),
    ("eu-south-1", "abc", true),
    ("eu-west-1", "abc", false),
    ("eu-west-2", "abc", false),
    ("eu-west-3", "abc", false),
    ("me-south-1", "abc", true),
    ("sa-east-1", "abc", false),
    ("us-east-1", "abcdf", false),
    ("us-east-2", "abc", false),
    ("us-west-1", "ac", false),
    ("us-west-2", "abcd", false),
];

/// Type, architecture, and the zone (counted from the region's last) that lacks it.
const TYPES: [(&str, &str, Option<usize>); 20] = [
    ("t2.micro", "x86_64", None),
    ("t3.nano", "x86_64", None),
    ("t3.micro", "x86_64", None),
    ("t3.small", "x86_64", None),
    ("t3.medium", "x86_64", None),
    ("t3.large", "x86_64", None),
    ("t3.xlarge", "x86_64", None),
    ("t3a.micro", "x86_64", None),
    ("t3a.small", "x86_64", None),
    ("t4g.micro", "arm64", None),
    ("t4g.small", "arm64", None),
    ("m5.large", "x86_64", None),
    ("m5.xlarge", "x86_64", None),
    ("m6i.large", "x86_64", None),
    ("m6i.xlarge", "x86_64", None),
    ("m7i.large", "x86_64", Some(0)),
    ("m6g.large", "arm64", None),
    ("c5.large", "x86_64", None),
    ("r5.large", "x86_64", None),
    ("r6i.large", "x86_64", None),
];

/// Virtual processors of one of these types: all are of the standard families.
pub(super) fn processors(kind: &str) -> usize {
    match kind {
        "t2.micro" => 1,
        kind if kind.ends_with(".xlarge") => 4,
        _ => 2,
    }
}

/// True for a region whose end point answers this account.
pub(super) fn open(region: &str) -> Option<bool> {
    REGIONS.iter().find(|(name, _, _)| *name == region).map(|(_, _, opt_in)| !opt_in)
}

pub(super) fn regions(call: &Call<'_>) -> Result<Xml, Refusal> {
    let ask = call.ask;
    let asked = ask.list("RegionName");
    if let Some(unknown) = asked.iter().find(|name| open(name).is_none()) {
        return Err(Refusal::value(format!("Invalid region name: {unknown}")));
    }
    let all = ask.yes("AllRegions") || !asked.is_empty();
    let wanted =
        REGIONS.iter().filter(|(name, _, opt_in)| (all || !opt_in) && (asked.is_empty() || asked.contains(name)));
    let items = wanted.map(|(name, _, opt_in)| {
        let status = if *opt_in { "not-opted-in" } else { "opt-in-not-required" };
        let endpoint = format!("ec2.{name}.amazonaws.com");
        Xml::new().text("regionName", name).text("regionEndpoint", endpoint).text("optInStatus", status)
    });
    let filters = &[("region-name", "regionName"), ("endpoint", "regionEndpoint"), ("opt-in-status", "optInStatus")];
    describe(ask, "regionInfo", items.collect(), filters)
}

/// The zones of a region: name and id. The ids are shuffled against the names, differently for every account, as AWS does.
pub(super) fn zones(account: &str, region: &str) -> Vec<(String, String)> {
    let letters = REGIONS.iter().find(|(name, _, _)| *name == region).map_or("abc", |(_, zones, _)| zones);
    let shift = account.bytes().map(usize::from).sum::<usize>();
    let id = |n: usize| format!("{}-az{}", short(region), (n + shift) % letters.len() + 1);
    letters.chars().enumerate().map(|(n, letter)| (format!("{region}{letter}"), id(n))).collect()
}

/// `eu-west-1` is `euw1`, `ap-southeast-2` is `apse2`.
fn short(region: &str) -> String {
    let words: Vec<&str> = region.split('-').collect();
    let directions = [("north", "n"), ("south", "s"), ("east", "e"), ("west", "w"), ("central", "c")];
    let middle = directions
        .iter()
        .fold(words.get(1).unwrap_or(&"").to_string(), |text, (long, short)| text.replace(long, short));
    format!("{}{middle}{}", words[0], words.last().unwrap_or(&""))
}

/// The zone's name, from its name or its id.
pub(super) fn zone(call: &Call<'_>, name: Option<&str>, id: Option<&str>) -> Result<String, Refusal> {
    let zones = zones(&call.world.account, &call.world.region);
    let found = match (name, id) {
        (Some(_), Some(_)) => {
            let message = "Only one of availabilityZone and availabilityZoneId may be specified";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
        (None, None) => zones.first(),
        (name, id) => zones.iter().find(|zone| Some(zone.0.as_str()) == name || Some(zone.1.as_str()) == id),
    };
    let names: Vec<&str> = zones.iter().map(|(name, _)| name.as_str()).collect();
    let asked = name.or(id).unwrap_or_default();
    let message = format!(
        "Value ({asked}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following \
         availability zones: {}.",
        names.join(", ")
    );
    found.map(|zone| zone.0.clone()).ok_or_else(|| Refusal::value(message))
}

pub(super) fn zone_id(account: &str, zone: &str) -> String {
    let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let found = zones(account, region).into_iter().find(|(name, _)| name == zone);
    found.map(|(_, id)| id).unwrap_or_default()
}

pub(super) fn availability_zones(call: &Call<'_>) -> Result<Xml, Refusal> {
    let (ask, region) = (call.ask, &call.world.region);
    let known = zones(&call.world.account, region);
    for (asked, what) in [(ask.list("ZoneName"), "zone name"), (ask.list("ZoneId"), "zone id")] {
        if let Some(unknown) = asked.iter().find(|text| !known.iter().any(|(name, id)| name == *text || id == *text)) {
            return Err(Refusal::value(format!("Invalid availability {what}: [{unknown}]")));
        }
    }
    let asked: Vec<&str> = ask.list("ZoneName").into_iter().chain(ask.list("ZoneId")).collect();
    let wanted =
        known.iter().filter(|(name, id)| asked.is_empty() || asked.contains(&&**name) || asked.contains(&&**id));
    let items = wanted.map(|(name, id)| {
        let names = Xml::new().text("zoneName", name).text("zoneId", id).text("zoneState", "available");
        let place = names.text("regionName", region).text("groupName", region).text("networkBorderGroup", region);
        place.text("optInStatus", "opt-in-not-required").text("zoneType", "availability-zone")
    });
    let filters = &[
        ("zone-name", "zoneName"),
        ("zone-id", "zoneId"),
        ("state", "zoneState"),
        ("region-name", "regionName"),
        ("zone-type", "zoneType"),
        ("opt-in-status", "optInStatus"),
        ("group-name", "groupName"),
    ];
    describe(ask, "availabilityZoneInfo", items.collect(), filters)
}

/// The architecture of a type, or why it cannot run in the zone.
pub(super) fn architecture(call: &Call<'_>, kind: &str, zone: &str) -> Result<&'static str, Refusal> {
    let unknown = || Refusal::value(format!("Invalid value '{kind}' for InstanceType."));
    let (_, architecture, _) = TYPES.iter().find(|(name, _, _)| *name == kind).ok_or_else(unknown)?;
    let zones = zones(&call.world.account, &call.world.region);
    let offered: Vec<&str> =
        zones.iter().map(|(name, _)| name.as_str()).filter(|name| offers(&zones, kind, name)).collect();
    if offered.contains(&zone) {
        return Ok(architecture);
    }
    let message = format!(
        "Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}). Please retry \
         your request by not specifying an Availability Zone or choosing {}.",
        offered.join(", ")
    );
    Err(Refusal::new("Unsupported", message))
}

fn offers(zones: &[(String, String)], kind: &str, zone: &str) -> bool {
    let lacking = TYPES.iter().find(|(name, _, _)| *name == kind).and_then(|(_, _, lacking)| *lacking);
    lacking.and_then(|n| zones.iter().rev().nth(n)).is_none_or(|(name, _)| name != zone)
}

pub(super) fn type_offerings(call: &Call<'_>) -> Result<Xml, Refusal> {
    let (ask, region) = (call.ask, &call.world.region);
    let zones = zones(&call.world.account, region);
    let by = ask.get("LocationType").unwrap_or("region");
    let places: Vec<(String, String)> = match by {
        "region" => vec![(region.clone(), String::new())],
        "availability-zone" => zones.iter().map(|(name, _)| (name.clone(), name.clone())).collect(),
        "availability-zone-id" => zones.iter().map(|(name, id)| (id.clone(), name.clone())).collect(),
        other => return Err(Refusal::value(format!("Invalid value '{other}' for LocationType"))),
    };
    let item = |kind: &str, place: &str| {
        Xml::new().text("instanceType", kind).text("locationType", by).text("location", place)
    };
    let pairs = TYPES.iter().flat_map(|(kind, _, _)| places.iter().map(move |place| (kind, place)));
    let offered = pairs.filter(|(kind, (_, zone))| offers(&zones, kind, zone));
    let items = offered.map(|(kind, (place, _))| item(kind, place));
    let filters = &[("instance-type", "instanceType"), ("location", "location")];
    describe(ask, "instanceTypeOfferingSet", items.collect(), filters)
}

/// Services that can be put into a VPC.
const SERVICES: [&str; 14] = [
    "ec2",
    "ec2messages",
    "email-smtp",
    "events",
    "kms",
    "logs",
    "monitoring",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "sts",
];

/// Whether a service can have an address in a zone. SES's mail server is not in the last of a region's (Amazon SES Developer
/// Guide, Setting up VPC endpoints with Amazon SES: some zones have none).
pub(super) fn has_endpoints(account: &str, region: &str, service: &str, zone: &str) -> bool {
    let zones = zones(account, region);
    let last = zones.last().is_some_and(|(name, _)| name == zone) && zones.len() > 2;
    !(last && service == format!("com.amazonaws.{region}.email-smtp"))
}

pub(super) fn endpoint_services(call: &Call<'_>) -> Result<Xml, Refusal> {
    let (ask, region, account) = (call.ask, &call.world.region, &call.world.account);
    let asked = ask.list("ServiceName");
    let names = SERVICES.iter().map(|service| format!("com.amazonaws.{region}.{service}"));
    let names: Vec<String> = names.filter(|name| asked.is_empty() || asked.contains(&name.as_str())).collect();
    if let Some(unknown) = asked.iter().find(|one| !names.iter().any(|name| name == *one)) {
        let message = format!("The Vpc Endpoint Service '{unknown}' does not exist");
        return Err(Refusal::new("InvalidServiceName", message));
    }
    let detail = |name: &String| {
        let there = zones(account, region).into_iter().filter(|(zone, _)| has_endpoints(account, region, name, zone));
        let kind = Xml::new().text("serviceType", "Interface");
        let places = there.fold(Xml::new(), |all, (zone, _)| all.text("item", zone));
        Xml::new().text("serviceName", name).set("serviceType", [kind]).tree("availabilityZoneSet", places)
    };
    describe(ask, "serviceDetailSet", names.iter().map(detail).collect(), &[("service-name", "serviceName")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_ids_are_named_as_aws_names_them() {
        assert_eq!(
            ["eu-west-1", "ap-southeast-2", "us-east-1", "ca-central-1"].map(short),
            ["euw1", "apse2", "use1", "cac1"]
        );
        let mut ids: Vec<String> = zones("123456789012", "eu-west-1").into_iter().map(|(_, id)| id).collect();
        ids.sort();
        assert_eq!(ids, ["euw1-az1", "euw1-az2", "euw1-az3"]);
        assert_eq!(zone_id("123456789012", "eu-west-1a"), zones("123456789012", "eu-west-1")[0].1);
    }
}
