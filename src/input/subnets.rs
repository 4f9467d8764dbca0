//! The subnet plan: which range belongs to which tier in which zone, given by a person or laid out by onramp.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use super::given::{Given, RawRow, RowForm, every_row};
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use super::value::{Row, cell};
use super::{Setting, Value, cloud, network};
use crate::text::{count, either, list, nearest};

/// What a subnet is for. The route table and the security groups follow from it.
pub const TIERS: [&str; 5] = ["public", "app", "data", "mgmt", "resolver"];

/// AWS keeps the first four addresses and the last one, and takes /16 to /28.
const SIZES: &str = "docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html";

/// A /24 has 251 addresses to give: enough for a tier in a zone, and easy to read.
const USUAL_PREFIX: u8 = 24;
const SMALLEST_PREFIX: u8 = 28;

/// Room that a tier gets in a large VPC: sixteen /24, which are one /20 in a firewall's rule.
const MOST_PER_TIER: u64 = 16;

const FORM: RowForm = RowForm {
    thing: "subnet",
    needed: &["cidr", "tier", "zone"],
    places: &["cidr", "tier", "zone"],
    optional: &["key"],
    computed: &["name"],
};

struct Subnet {
    place: String,
    cidr: Ipv4Net,
    tier: String,
    zone: String,
    key: String,
}

/// A plan whose subnets do not touch, lie in one region and have keys of their own.
pub(super) fn plan(given: &Given<'_>, rows_allowed: Bounds, setting: &Setting) -> Result<Value, Refusal> {
    let rows = given.rows(&FORM, |row| subnet(row, setting))?;
    checked(rows.into_iter().map(|(_, subnet)| subnet).collect(), rows_allowed)
}

fn subnet(row: &RawRow, setting: &Setting) -> Result<Subnet, Refusal> {
    let cidr = network::cidr(row.cell("cidr"), Bounds { min: 16, max: 28 }, setting).map_err(|refusal| {
        if refusal.what.contains(" is too ") { Refusal { source: SIZES, ..refusal } } else { refusal }
    })?;
    let tier = tier(row.cell("tier"))?;
    let zone = cloud::zone(row.cell("zone"))?;
    let key = match row.cell("key") {
        "" => usual_key(&tier, &zone),
        given => own_key(given, &tier)?,
    };
    Ok(Subnet { place: row.place.clone(), cidr, tier, zone, key })
}

fn tier(text: &str) -> Result<String, Refusal> {
    let tier = text.to_lowercase();
    if TIERS.contains(&tier.as_str()) {
        return Ok(tier);
    }
    let near = nearest(&tier, TIERS).unwrap_or("app");
    let what = format!("{} is no tier", quoted(text));
    Err(Refusal::new(what, format!("a tier is {}", either(&TIERS)), "onramp").suggest(near))
}

/// `public/a` for the public subnet in zone `eu-west-1a`.
fn usual_key(tier: &str, zone: &str) -> String {
    format!("{tier}/{}", zone.chars().last().unwrap_or('a'))
}

/// A key that was chosen because a tier has two subnets in one zone.
fn own_key(key: &str, tier: &str) -> Result<String, Refusal> {
    let good = key.strip_prefix(tier).and_then(|rest| rest.strip_prefix('/')).is_some_and(|name| {
        (1..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if good {
        return Ok(key.to_owned());
    }
    let why = "a key is the tier, a slash, and up to 20 lower-case letters and digits";
    Err(Refusal::new(format!("{} is no key for a subnet", quoted(key)), why, "onramp").suggest(format!("{tier}/a2")))
}

fn checked(subnets: Vec<Subnet>, rows_allowed: Bounds) -> Result<Value, Refusal> {
    rows_allowed.check(subnets.len(), "subnet")?;
    let nets: Vec<_> = subnets.iter().map(|subnet| (subnet.place.clone(), subnet.cidr)).collect();
    network::disjoint(&nets)?;
    let mut keys = BTreeSet::new();
    every_row(subnets.iter().map(|subnet| match keys.insert(&subnet.key) {
        true => Ok(()),
        false => {
            let what = format!("{}: there is a second subnet {}", subnet.place, subnet.key);
            let why = "two subnets of one tier in one zone need keys of their own";
            let example = format!("{} {} {} key={}2", subnet.cidr, subnet.tier, subnet.zone, subnet.key);
            Err(Refusal::new(what, why, "onramp").suggest(example))
        }
    }))?;
    let regions: BTreeSet<&str> = subnets.iter().filter_map(|subnet| cloud::region_of_zone(&subnet.zone)).collect();
    if regions.len() > 1 {
        let what = format!("the zones are in {}", list(&regions.into_iter().collect::<Vec<_>>()));
        return Err(Refusal::new(what, "a VPC lies in one region", SIZES));
    }
    Ok(Value::Rows(subnets.into_iter().map(row).collect()))
}

fn row(subnet: Subnet) -> Row {
    Row::from([
        ("name".into(), Value::Text(subnet.key.replace('/', "-"))),
        ("key".into(), Value::Text(subnet.key)),
        ("cidr".into(), Value::Cidr(subnet.cidr)),
        ("tier".into(), Value::Text(subnet.tier)),
        ("zone".into(), Value::Text(subnet.zone)),
    ])
}

/// A subnet as it is typed; its key only where it is not the usual one.
pub(super) fn line(row: &Row) -> String {
    let cidr = row.get("cidr").map(Value::shown).unwrap_or_default();
    let (tier, zone, key) = (cell(row, "tier"), cell(row, "zone"), cell(row, "key"));
    if key == usual_key(tier, zone) {
        format!("{cidr} {tier} {zone}")
    } else {
        format!("{cidr} {tier} {zone} key={key}")
    }
}

/// A plan for `vpc` with one subnet for each tier and zone: /24 where they fit, smaller ones in a small VPC.
///
/// Tiers lie one after the other, each with the same room to grow, so that a firewall can name a tier by one range.
/// Refused when not even /28 fit, or when a tier or a zone is unknown or there twice.
pub fn suggest_subnets(vpc: Ipv4Net, tiers: &[&str], zones: &[String]) -> Result<Value, Refusal> {
    let wanted = (tiers.len() * zones.len()) as u64;
    if wanted == 0 {
        return Err(Refusal::new("there is nothing to plan", "a plan needs a tier and a zone at least", "onramp"));
    }
    let cells = |prefix: u8| 1_u64 << prefix.saturating_sub(vpc.prefix_len());
    let fits = |prefix: &u8| *prefix >= vpc.prefix_len() && cells(*prefix) >= wanted;
    let Some(prefix) = (USUAL_PREFIX..=SMALLEST_PREFIX).find(fits) else {
        let what = format!("{vpc} has no room for {}", count(tiers.len() * zones.len(), "subnet"));
        let why = format!(
            "the smallest subnet is a /28, and one is needed for each of {} in each of {}",
            list(tiers),
            list(zones)
        );
        let refusal = Refusal::new(what, why, SIZES);
        let bits = u8::try_from(wanted.next_power_of_two().trailing_zeros()).unwrap_or(12);
        let larger = Ipv4Net::new(vpc.addr(), SMALLEST_PREFIX.saturating_sub(bits)).ok();
        return Err(larger.map_or(refusal.clone(), |larger| refusal.suggest(larger.trunc().to_string())));
    };
    let zone_count = zones.len() as u64;
    let even_share = cells(prefix) / tiers.len() as u64;
    let share = if even_share == 0 { 0 } else { 1_u64 << even_share.ilog2() };
    let stride = if share >= zone_count { share.min(MOST_PER_TIER).max(zone_count) } else { zone_count };
    let mut subnets = Vec::new();
    for (t, name) in tiers.iter().enumerate() {
        for (z, zone) in zones.iter().enumerate() {
            let (tier, zone) = (tier(name)?, cloud::zone(zone)?);
            let offset = (t as u64 * stride + z as u64) << (32 - prefix);
            let address = u64::from(u32::from(vpc.network())) + offset;
            let cidr = u32::try_from(address).ok().and_then(|address| Ipv4Net::new(address.into(), prefix).ok());
            let Some(cidr) = cidr.filter(|cidr| vpc.contains(cidr)) else {
                return Err(Refusal::new(
                    format!("{vpc} has no room for {tier} in {zone}"),
                    "the plan does not fit",
                    SIZES,
                ));
            };
            subnets.push(Subnet { place: format!("{tier} in {zone}"), cidr, key: usual_key(&tier, &zone), tier, zone });
        }
    }
    checked(subnets, Bounds { min: 1, max: 200 })
}
