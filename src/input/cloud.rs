//! What AWS has names for: accounts, regions, zones, instance types, tags.

use std::collections::BTreeSet;

use super::Value;
use super::given::{Item, every, every_row};
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use super::value::{Row, cell};
use crate::text::{list, nearest};

const ACCOUNTS: &str = "docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html";
const ZONES: &str = "docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html";
const TYPES: &str = "docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html";
const NITRO: &str = "docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html";
const TAGS: &str = "docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html";

/// Every region in the endpoint data of the SDK, without those of the intelligence community.
const REGIONS: [&str; 39] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Families on the Xen hypervisor: their console output is not fresh, and host keys are pinned from it. `i3.metal` alone
/// is on Nitro, and nobody wants it here.
const XEN_FAMILIES: [&str; 27] = [
    "c1", "c3", "c4", "cc2", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1", "hs1", "i2", "i3", "m1", "m2", "m3", "m4",
    "p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e", "cg1",
];

/// Families with Nitro that AWS names (EC2 API, InstanceType), those of ARM processors among them.
const FAMILIES: &str = "a1 \
    c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6id c6in c7a c7g c7gd c7gn c7i c7i-flex c8a c8g c8gb c8gd c8gn c8i c8i-flex \
    c8ib c8id c8in c8ine c9g c9gd d3 d3en dl1 dl2q f2 g4ad g4dn g5 g5g g6 g6e g6f g7 g7e gr6 gr6f hpc6a hpc6id hpc7a hpc7g \
    hpc8a i3en i4g i4i i7i i7ie i8g i8ge im4gn inf1 inf2 is4gen mac-m3ultra mac-m4 mac-m4max mac-m4pro mac1 mac2 mac2-m1ultra \
    mac2-m2 mac2-m2pro m5 m5a m5ad m5d m5dn m5n m5zn m6a m6g m6gd m6i m6id m6idn \
    m6in m7a m7g m7gd m7i m7i-flex m8a m8azn m8g m8gb m8gd m8gn m8i m8i-flex m8ib m8id m8idb m8idn m8in m8ine m9g m9gd p3dn \
    p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200 r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r6idn r6in r7a r7g \
    r7gd r7i r7iz r8a r8g r8gb r8gd r8gn r8i r8i-flex r8ib r8id r8idb r8idn r8in r9g r9gd t3 t3a t4g t8i trn1 trn1n trn2 \
    trn2u u-12tb1 u-18tb1 u-24tb1 u-3tb1 u-6tb1 u-9tb1 u7i-12tb u7i-6tb u7i-8tb u7ib-12tb u7in-16tb u7in-24tb u7in-32tb \
    u7inh-32tb vt1 x2gd x2idn x2iedn x2iezn x8aedz x8g x8i z1d";

const SIZES: [&str; 17] = [
    "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "3xlarge", "4xlarge", "6xlarge", "8xlarge",
    "9xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge", "metal",
];

/// An account id stays text: it may begin with zeros. The console shows it with hyphens.
pub(super) fn account_id(text: &str) -> Result<Value, Refusal> {
    let digits = text.replace('-', "");
    if digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Value::Text(digits));
    }
    let what = format!("{} is no AWS account id", quoted(text));
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let why = match digits.len() {
        length if all_digits && length < 12 => {
            format!("it has 12 digits, this has {length}; in a file, put it in quotes, or leading zeros are lost")
        }
        length if all_digits => format!("it has 12 digits, this has {length}"),
        _ => "it has 12 digits and nothing else; an alias is not enough".to_owned(),
    };
    Err(Refusal::new(what, why, ACCOUNTS))
}

/// A region that AWS has. Whether the account may use it is for a check to find out.
pub(super) fn region(text: &str) -> Result<Value, Refusal> {
    let code = text.to_lowercase();
    if REGIONS.contains(&code.as_str()) {
        return Ok(Value::Text(code));
    }
    let refusal = |what: &str, why: String| Err(Refusal::new(format!("{} {what}", quoted(text)), why, ZONES));
    if let Some(region) = region_of_zone(&code) {
        return refusal("is a zone", format!("its region is {region}")).map_err(|refusal| refusal.suggest(region));
    }
    match nearest(&code, REGIONS) {
        Some(near) => refusal("is no region that AWS has", format!("did you mean {near}?"))
            .map_err(|refusal| refusal.suggest(near)),
        None => refusal("is no region that AWS has", "a region is written as a code, not as a place".to_owned()),
    }
}

/// The region of a zone's name, if both exist: `eu-west-1a` is in `eu-west-1`.
pub(super) fn region_of_zone(zone: &str) -> Option<&str> {
    let region = zone.strip_suffix(|letter: char| letter.is_ascii_lowercase())?;
    REGIONS.contains(&region).then_some(region)
}

/// The part of AWS that a region belongs to. Nothing crosses its border.
pub(super) fn partition(region: &str) -> &'static str {
    match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => "aws-cn",
        ["us", "gov", ..] => "aws-us-gov",
        ["eusc", ..] => "aws-eusc",
        _ => "aws",
    }
}

/// One availability zone by its name.
pub(super) fn zone(text: &str) -> Result<String, Refusal> {
    let name = text.to_lowercase();
    if region_of_zone(&name).is_some() {
        return Ok(name);
    }
    let what = format!("{} is no availability zone", quoted(text));
    let refuse = |why: &str| Err(Refusal::new(what.clone(), why, ZONES));
    if REGIONS.contains(&name.as_str()) {
        return refuse("it is a region; a zone has a letter behind it")
            .map_err(|refusal| refusal.suggest(format!("{name}a")));
    }
    if name.contains("-az") {
        return refuse("it is a zone id; give the name, onramp looks up the id in the customer's account");
    }
    let letter = name.chars().last().filter(char::is_ascii_lowercase);
    let region = name.strip_suffix(|letter: char| letter.is_ascii_lowercase()).unwrap_or(&name);
    match nearest(region, REGIONS) {
        Some(near) => refuse(&format!("its region {} does not exist; did you mean {near}?", quoted(region)))
            .map_err(|refusal| refusal.suggest(format!("{near}{}", letter.unwrap_or('a')))),
        None => {
            refuse("a zone is the code of a region and a letter; local and wavelength zones cannot hold the platform")
        }
    }
}

/// Zones of one region, none twice.
pub(super) fn zones(items: &[Item], count: Bounds) -> Result<Value, Refusal> {
    let mut names: Vec<String> = Vec::new();
    for (item, name) in items.iter().zip(every(items, |item| zone(&item.text))?) {
        if names.contains(&name) {
            return Err(Refusal::new(format!("{name} is there twice"), "a zone counts once", ZONES).at(&item.place));
        }
        names.push(name);
    }
    let why = "a second zone keeps the platform up when the first is down, and more than three cost without need";
    count.check(names.len(), "zone").map_err(|refusal| Refusal {
        why: format!("{}; {why}", refusal.why),
        source: ZONES,
        ..refusal
    })?;
    let regions: BTreeSet<&str> = names.iter().filter_map(|name| region_of_zone(name)).collect();
    if regions.len() > 1 {
        let what = format!("the zones are in {}", list(&regions.into_iter().collect::<Vec<_>>()));
        return Err(Refusal::new(what, "a VPC lies in one region", ZONES));
    }
    Ok(Value::List(names.into_iter().map(Value::Text).collect()))
}

/// Where the machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeUse {
    /// In EC2.
    Host,
    /// In RDS, whose names begin with `db.`.
    Database,
}

pub(super) const TYPE_USES: [(&str, TypeUse); 2] = [("host", TypeUse::Host), ("database", TypeUse::Database)];

const CLASSES: &str = "docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.html";

/// An instance type of EC2, or a class of RDS: the same with `db.` before it.
pub(super) fn instance_type_for(text: &str, used_as: TypeUse) -> Result<Value, Refusal> {
    let lower = text.to_lowercase();
    match (used_as, lower.strip_prefix("db.")) {
        (TypeUse::Host, Some(bare)) => {
            let what = format!("{} is a class for databases", quoted(text));
            Err(Refusal::new(what, "an instance of EC2 has no db. before its type", TYPES).suggest(bare))
        }
        (TypeUse::Host, None) => instance_type(text),
        (TypeUse::Database, None) => {
            let what = format!("{} is no class for databases", quoted(text));
            Err(Refusal::new(what, "it must begin with db.", CLASSES).suggest(format!("db.{lower}")))
        }
        (TypeUse::Database, Some(bare)) => match instance_type(bare)? {
            Value::Text(bare) => Ok(Value::Text(format!("db.{bare}"))),
            other => Ok(other),
        },
    }
}

/// A family and a size: `m7i.large`. Families before Nitro are refused; whether a zone offers it, AWS must tell.
pub(super) fn instance_type(text: &str) -> Result<Value, Refusal> {
    let name = text.to_lowercase();
    let refuse = |why: &str, source| {
        Err(Refusal::new(format!("{} is no instance type for the platform", quoted(text)), why, source))
    };
    let Some((family, size)) = name.split_once('.') else {
        return refuse("a type is a family, a dot and a size", TYPES);
    };
    let family_letters = family.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !family_letters
        || !family.starts_with(|c: char| c.is_ascii_lowercase())
        || !family.contains(|c: char| c.is_ascii_digit())
        || family.len() > 20
    {
        return refuse("a family is letters, a generation and perhaps letters again", TYPES);
    }
    if XEN_FAMILIES.contains(&family) {
        return refuse("its family is older than Nitro, which fresh console output and encrypted traffic need", NITRO);
    }
    if !FAMILIES.split_whitespace().any(|known| known == family) {
        let near = nearest(family, FAMILIES.split_whitespace()).unwrap_or("t3");
        return refuse(&format!("AWS names no family {}; did you mean {near}?", quoted(family)), TYPES)
            .map_err(|refusal| refusal.suggest(format!("{near}.{size}")));
    }
    if !is_size(size) {
        let near = nearest(size, SIZES).unwrap_or("large");
        return refuse(&format!("there is no size {}; did you mean {near}?", quoted(size)), TYPES)
            .map_err(|refusal| refusal.suggest(format!("{family}.{near}")));
    }
    Ok(Value::Text(name))
}

/// Has it an ARM processor? Behind the generation a g says so, with a few names from before that rule ("Instance type naming
/// conventions").
pub(super) fn is_arm(name: &str) -> bool {
    let family = name.split('.').next().unwrap_or_default();
    let behind = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let options = behind.trim_start_matches(|c: char| c.is_ascii_digit()).split('-').next().unwrap_or_default();
    let apple = family.starts_with("mac") && family != "mac1";
    apple || ["a1", "p6e-gb200"].contains(&family) || options.contains('g')
}

/// Families whose processors AWS counts together, as "standard": their letters before the generation.
const STANDARD: [&str; 11] = ["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"];

/// Virtual processors of an instance of a standard family, as EC2's quota counts them; nothing for another family, or for a
/// size that does not say it.
pub fn processors(name: &str) -> Option<u64> {
    let (family, size) = name.split_once('.')?;
    let letters = family.split(|c: char| c.is_ascii_digit()).next()?;
    if !STANDARD.contains(&letters) {
        return None;
    }
    Some(match (letters, size) {
        ("t", "nano" | "micro" | "small") if family == "t2" => 1,
        ("t", "nano" | "micro" | "small" | "medium") => 2,
        (_, "medium") => 1,
        (_, "large") => 2,
        (_, "xlarge") => 4,
        (_, size) => 4 * size.strip_suffix("xlarge")?.parse::<u64>().ok()?,
    })
}

/// The memory of an instance in MiB, of families whose name tells it ("Amazon EC2 instance types", general purpose, compute
/// and memory optimised); nothing for another one.
pub(super) fn memory(name: &str) -> Option<i64> {
    let (family, size) = name.split_once('.')?;
    let letters = family.split(|c: char| c.is_ascii_digit()).next()?;
    // Of a c5n.large it is not twice two.
    if family == "c5n" {
        return None;
    }
    let large = match letters {
        "t" | "m" => 8,
        "c" => 4,
        "r" => 16,
        _ => return None,
    };
    let gib = match size {
        "nano" => return Some(large * 1024 / 16),
        "micro" => large / 8,
        "small" => large / 4,
        "medium" => large / 2,
        "large" => large,
        "xlarge" => large * 2,
        size => large * 2 * size.strip_suffix("xlarge")?.parse::<i64>().ok()?,
    };
    Some(gib * 1024)
}

fn is_size(size: &str) -> bool {
    let number = |text: &str| {
        (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
    };
    SIZES.contains(&size)
        || size.strip_suffix("xlarge").is_some_and(number)
        || size.strip_prefix("metal-").and_then(|rest| rest.strip_suffix("xl")).is_some_and(number)
}

/// Tags for everything that is created. AWS takes 50 on a resource; 40 leave room for those of onramp.
pub(super) fn tags(pairs: &[(String, String)]) -> Result<Value, Refusal> {
    let mut seen = BTreeSet::new();
    every_row(pairs.iter().map(|(key, value)| {
        tag(key, value)?;
        match seen.insert(key) {
            true => Ok(()),
            false => Err(Refusal::new(format!("the tag {} is there twice", quoted(key)), "a key has one value", TAGS)),
        }
    }))?;
    if pairs.len() > 40 {
        let what = format!("{} tags were given", pairs.len());
        return Err(Refusal::new(
            what,
            "at most 40: AWS takes 50 on a resource, and onramp needs ten for its own",
            TAGS,
        ));
    }
    let row = |(key, value): &(String, String)| {
        Row::from([("key".into(), Value::Text(key.clone())), ("value".into(), Value::Text(value.clone()))])
    };
    Ok(Value::Rows(pairs.iter().map(row).collect()))
}

fn tag(key: &str, value: &str) -> Result<(), Refusal> {
    let refuse = |what: String, why: &str| Err(Refusal::new(what, why, TAGS));
    if !(1..=128).contains(&key.chars().count()) {
        return refuse(format!("the key {} has a wrong length", quoted(key)), "a key has 1 to 128 characters");
    }
    if value.chars().count() > 256 {
        return refuse(format!("the value of {} is too long", quoted(key)), "a value has up to 256 characters");
    }
    let lower = key.to_lowercase();
    if lower.starts_with("aws:") {
        return refuse(format!("the tag {} cannot be set", quoted(key)), "keys that begin with aws: belong to AWS");
    }
    if lower.starts_with("onramp:") {
        return refuse(
            format!("the tag {} cannot be set", quoted(key)),
            "keys that begin with onramp: are how onramp finds what it made",
        );
    }
    if key == "Name" {
        return refuse(
            "the tag \"Name\" cannot be set".to_owned(),
            "onramp gives each resource a name of its own there",
        );
    }
    let good = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    if key.contains('=') || !key.chars().chain(value.chars()).all(good) {
        let why = "letters, digits, blanks and + - . _ : / @ work with every service, and = in the value";
        return refuse(format!("the tag {} has other characters", quoted(&format!("{key}={value}"))), why);
    }
    Ok(())
}

/// A tag as it is typed.
pub(super) fn tag_line(row: &Row) -> String {
    format!("{}={}", cell(row, "key"), cell(row, "value"))
}
