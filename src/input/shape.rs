//! Names and ids of one word whose form somebody else has fixed: AWS, a database, a registry.

use self::ids::{connection_id, dx_location, image_id, interface_id, key_name, line_gateway_id, vpc_id};
use super::Value;
use super::refusal::{Refusal, quoted};

mod ids;

const BUCKETS: &str = "docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html";
const RDS: &str = "docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html";
const IDS: &str = "docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html";
const ROLES: &str = "docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html";
const ASSUME: &str = "docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html";
const KEYS: &str = "docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html";
const TOPICS: &str = "docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html";
const UNITS: &str = "docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html";
const CONNECTIONS: &str = "docs.aws.amazon.com/directconnect/latest/APIReference/API_Connection.html";
const INTERFACES: &str = "docs.aws.amazon.com/directconnect/latest/APIReference/API_VirtualInterface.html";
const LINE_GATEWAYS: &str = "docs.aws.amazon.com/directconnect/latest/APIReference/API_DirectConnectGateway.html";
const MACSEC: &str = "docs.aws.amazon.com/directconnect/latest/APIReference/API_AssociateMacSecKey.html";
const LOCATIONS: &str = "docs.aws.amazon.com/directconnect/latest/APIReference/API_Location.html";

/// One form that a name can have; in a runbook the kind `name` takes it as `use`.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    name: &'static str,
    /// What it is, with its article.
    thing: &'static str,
    /// What it looks like, for somebody who has to write one.
    form: &'static str,
    example: &'static str,
    /// The name as it is stored, or what is wrong with it.
    rule: fn(&str) -> Result<String, Wrong>,
    source: &'static str,
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Shape {}

/// Why a name does not have the form, and what would.
struct Wrong {
    why: String,
    instead: String,
}

fn wrong<T>(why: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { why: why.into(), instead: String::new() })
}

const fn shape(
    name: &'static str,
    (thing, form): (&'static str, &'static str),
    example: &'static str,
    rule: fn(&str) -> Result<String, Wrong>,
    source: &'static str,
) -> Shape {
    Shape { name, thing, form, example, rule, source }
}

const SHAPES: [Shape; 25] = [
    shape("role", ("a role", "2 to 32 lower-case letters, digits and hyphens, a letter first"), "gw", role, "onramp"),
    shape(
        "engine-version",
        ("a version of a database", "a number, and parts with dots between, as RDS lists it"),
        "8.0",
        engine_version,
        "docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html",
    ),
    shape(
        "environment",
        ("an environment's name", "2 to 12 lower-case letters and digits, a letter first"),
        "prod",
        environment,
        "onramp",
    ),
    shape(
        "bucket",
        ("a bucket's name", "3 to 63 lower-case letters, digits, hyphens and dots"),
        "acme-audit-012345678901",
        bucket,
        BUCKETS,
    ),
    shape(
        "db-identifier",
        ("an identifier of a DB instance", "up to 63 lower-case letters, digits and single hyphens, a letter first"),
        "acme-prod-db",
        db_identifier,
        RDS,
    ),
    shape(
        "db-user",
        ("a database's user", "up to 16 letters, digits and underscores, a letter first"),
        "wso2master",
        db_user,
        RDS,
    ),
    shape(
        "db-schema",
        ("a schema's name", "up to 63 lower-case letters, digits and underscores, a letter first"),
        "apim_db",
        db_schema,
        "docs of MySQL and PostgreSQL, identifiers",
    ),
    shape(
        "admin-user",
        ("an administrator's name", "3 to 30 letters, digits, dots, hyphens and underscores"),
        "svc-admin",
        admin_user,
        "the product's user store, UsernameJavaRegEx",
    ),
    shape(
        "role-arn",
        ("the ARN of a role", "arn:aws:iam::ACCOUNT:role/NAME"),
        "arn:aws:iam::012345678901:role/OnboardingOperator",
        role_arn,
        ROLES,
    ),
    shape(
        "mfa-serial",
        (
            "the serial number of an MFA device",
            "arn:aws:iam::ACCOUNT:mfa/NAME, or what is printed on a hardware device",
        ),
        "arn:aws:iam::111122223333:mfa/jane",
        mfa_serial,
        ASSUME,
    ),
    shape(
        "access-key",
        ("the id of an access key", "AKIA and 12 to 124 more capitals and digits"),
        "AKIAIOSFODNN7EXAMPLE",
        access_key,
        KEYS,
    ),
    shape(
        "topic-arn",
        ("the ARN of an SNS topic", "arn:aws:sns:REGION:ACCOUNT:NAME"),
        "arn:aws:sns:eu-west-1:111122223333:mail-trouble",
        topic_arn,
        TOPICS,
    ),
    shape(
        "external-id",
        ("an external id", "2 to 1224 letters, digits and + = , . @ : / _ -"),
        "7f1c9f0a-5d1b-4a55-9d0d-2f6a8f0f9f11",
        external_id,
        ASSUME,
    ),
    shape(
        "organizational-unit",
        ("the id of an organizational unit", "it must begin with ou-, or with r- for the root"),
        "ou-ab12-11112222",
        unit,
        UNITS,
    ),
    shape("vpc-id", ("the id of a VPC", "vpc- and 8 or 17 hexadecimal digits"), "vpc-0123456789abcdef0", vpc_id, IDS),
    shape(
        "image-id",
        ("the id of an image", "ami- and 8 or 17 hexadecimal digits"),
        "ami-0abcdef1234567890",
        image_id,
        IDS,
    ),
    shape(
        "connection-id",
        ("the id of a Direct Connect connection", "dxcon- and eight or more letters and digits"),
        "dxcon-ffabc123",
        connection_id,
        CONNECTIONS,
    ),
    shape(
        "interface-id",
        ("the id of a virtual interface of Direct Connect", "dxvif- and eight or more letters and digits"),
        "dxvif-ffabc123",
        interface_id,
        INTERFACES,
    ),
    shape(
        "dx-gateway-id",
        ("the id of a Direct Connect gateway", "32 hexadecimal digits with four hyphens, 8-4-4-4-12"),
        "7a1bd8c2-51f0-4c57-a3d1-0f5a2c9e7b64",
        line_gateway_id,
        LINE_GATEWAYS,
    ),
    shape(
        "macsec-key-name",
        ("the name of a MACsec key (CKN)", "64 hexadecimal digits"),
        "5f3a0c91d2b84e67a1f09c3d7be24586902f6ad3c1e8b57440d96f1b2ca37e08",
        key_name,
        MACSEC,
    ),
    shape(
        "dx-location",
        ("the code of a Direct Connect location", "2 to 20 letters, digits and hyphens"),
        "EqDC2",
        dx_location,
        LOCATIONS,
    ),
    shape(
        "version",
        ("a version", "two to four numbers with dots between"),
        "4.3.0",
        version,
        "semver.org, numbers between dots",
    ),
    shape(
        "sha256",
        ("a SHA-256 digest", "64 hexadecimal digits, as sha256sum prints them"),
        DIGEST,
        sha256,
        "FIPS 180-4",
    ),
    shape(
        "rhsm-org",
        ("the number of a Red Hat organization", "1 to 12 digits"),
        "1234567",
        rhsm_org,
        "subscription-manager(8), --org",
    ),
    shape(
        "rule-id",
        ("the id of a rule of the benchmark", "lower-case letters, digits and underscores"),
        "sshd_disable_forwarding",
        rule_id,
        "ComplianceAsCode, rule ids",
    ),
];

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Shape {
    /// The shape of that name. The error is a sentence for whoever writes the runbook.
    pub(super) fn named(name: Option<&str>) -> Result<Self, String> {
        let known: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
        let Some(name) = name else {
            return Err(format!("the kind name needs `use`: {}", crate::text::either(&known)));
        };
        let found = SHAPES.into_iter().find(|shape| shape.name == name);
        found.ok_or_else(|| format!("the kind name is used as {}, not as {name}", crate::text::either(&known)))
    }

    /// What is wanted, as a sentence.
    pub(super) fn said(self) -> String {
        let mut thing = self.thing.chars();
        let first: String = thing.next().into_iter().flat_map(char::to_uppercase).collect();
        format!("{first}{}: {}.", thing.as_str(), self.form)
    }

    pub(super) fn example(self) -> &'static str {
        self.example
    }

    pub(super) fn check(self, text: &str) -> Result<Value, Refusal> {
        (self.rule)(text).map(Value::Text).map_err(|wrong| {
            let instead = if wrong.instead.is_empty() { self.example.to_owned() } else { wrong.instead };
            Refusal::new(format!("{} is not {}", quoted(text), self.thing), wrong.why, self.source).suggest(instead)
        })
    }
}

fn only(text: &str, good: impl Fn(char) -> bool, why: &str) -> Result<(), Wrong> {
    match text.chars().find(|c| !good(*c)) {
        None => Ok(()),
        Some(c) => wrong(format!("{} is not allowed: {why}", quoted(&c.to_string()))),
    }
}

fn long(text: &str, min: usize, max: usize) -> Result<(), Wrong> {
    let length = text.chars().count();
    if (min..=max).contains(&length) {
        Ok(())
    } else {
        wrong(format!("it has {min} to {max} characters, this has {length}"))
    }
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// It becomes part of the names of databases, volumes and alarms, so it is shorter than any of them.
fn environment(text: &str) -> Result<String, Wrong> {
    long(text, 2, 12)?;
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return wrong("it must begin with a lower-case letter");
    }
    only(text, lower, "it has lower-case letters and digits only")?;
    Ok(text.to_owned())
}

/// What a host is for, or a host's name: short ones, as gw, and long ones, as control-plane.
fn role(text: &str) -> Result<String, Wrong> {
    long(text, 2, 32)?;
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) || text.ends_with('-') {
        return wrong("it must begin with a lower-case letter, and end with a letter or a digit");
    }
    only(text, |c| lower(c) || c == '-', "it has lower-case letters, digits and hyphens only")?;
    Ok(text.to_owned())
}

/// As RDS lists them: 16, 8.0.35, 19.0.0.0.ru-2024-07.rur-2024-07.r1, 15.00.4415.2.v1 (DescribeDBEngineVersions, EngineVersion).
fn engine_version(text: &str) -> Result<String, Wrong> {
    long(text, 1, 64)?;
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| lower(c) || c == '-' || c == '_');
    if number(parts[0]) && parts.iter().all(word) {
        return Ok(text.to_owned());
    }
    wrong("it begins with a number, and goes on with parts between dots, as RDS lists it")
}

/// The rules for general purpose buckets (Amazon S3 user guide, "Bucket naming rules").
fn bucket(text: &str) -> Result<String, Wrong> {
    long(text, 3, 63)?;
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(Wrong { why: "it has no upper-case letters".into(), instead: text.to_lowercase() });
    }
    only(text, |c| lower(c) || c == '-' || c == '.', "it has lower-case letters, digits, hyphens and dots")?;
    if !text.starts_with(lower) || !text.ends_with(lower) {
        return wrong("it must begin and end with a letter or a digit");
    }
    if text.contains("..") {
        return wrong("two dots do not stand side by side");
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return wrong("it does not look like an IP address");
    }
    let begins = ["xn--", "sthree-", "amzn-s3-demo-"].into_iter().find(|begin| text.starts_with(begin));
    let ends = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].into_iter().find(|end| text.ends_with(end));
    match (begins, ends) {
        (Some(begin), _) => wrong(format!("names that begin with {begin} are kept by AWS")),
        (_, Some(end)) => wrong(format!("names that end in {end} are kept by AWS")),
        _ => Ok(text.to_owned()),
    }
}

/// RDS, CreateDBInstance, `DBInstanceIdentifier`; it is stored in lower case there.
fn db_identifier(text: &str) -> Result<String, Wrong> {
    long(text, 1, 63)?;
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(Wrong { why: "RDS stores it in lower case".into(), instead: text.to_lowercase() });
    }
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return wrong("its first character is a letter");
    }
    only(text, |c| lower(c) || c == '-', "it has letters, digits and hyphens")?;
    if text.contains("--") || text.ends_with('-') {
        return wrong("it has no two hyphens side by side, and does not end with one");
    }
    Ok(text.to_owned())
}

/// Words that RDS or one of its engines keeps for itself.
const RESERVED_USERS: [&str; 20] = [
    "rdsadmin",
    "rdsrepladmin",
    "rds_superuser",
    "rds_replication",
    "rds_password",
    "rds_iam",
    "rdsproxyadmin",
    "mysql",
    "public",
    "user",
    "select",
    "table",
    "root",
    "sa",
    "sys",
    "system",
    "master",
    "guest",
    "dbo",
    "none",
];

/// RDS, CreateDBInstance, `MasterUsername`, within the limits of every engine: 16 characters for MySQL.
fn db_user(text: &str) -> Result<String, Wrong> {
    long(text, 1, 16)?;
    if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return wrong("its first character is a letter");
    }
    only(text, |c| c.is_ascii_alphanumeric() || c == '_', "it has letters, digits and _")?;
    if RESERVED_USERS.contains(&text.to_lowercase().as_str()) {
        return wrong("it is a reserved word of RDS or of a database engine");
    }
    Ok(text.to_owned())
}

/// Lower case, because MySQL on Linux tells cases apart and PostgreSQL folds them.
fn db_schema(text: &str) -> Result<String, Wrong> {
    long(text, 1, 63)?;
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return wrong("its first character is a lower-case letter");
    }
    only(text, |c| lower(c) || c == '_', "it has lower-case letters, digits and _")?;
    Ok(text.to_owned())
}

/// `@`, `{` and `}` break the files that the product makes of it.
fn admin_user(text: &str) -> Result<String, Wrong> {
    long(text, 3, 30)?;
    only(text, |c| c.is_ascii_alphanumeric() || "._-".contains(c), "it has letters, digits, dots, hyphens and _")?;
    if text.eq_ignore_ascii_case("admin") {
        return wrong("admin is the name that everybody tries first");
    }
    Ok(text.to_owned())
}

/// Service, region, account and resource of `arn:partition:service:region:account:resource` (IAM user guide, "IAM ARNs").
fn arn<'a>(text: &'a str, form: &str) -> Result<[&'a str; 4], Wrong> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts[..] else {
        return wrong(format!("an ARN has six parts with colons between: {form}"));
    };
    if !["aws", "aws-cn", "aws-us-gov", "aws-eusc"].contains(&partition) {
        return wrong(format!(
            "there is no partition {}; it is aws, aws-cn, aws-us-gov or aws-eusc",
            quoted(partition)
        ));
    }
    Ok([service, region, account, resource])
}

fn has_twelve_digits(account: &str) -> Result<(), Wrong> {
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong("its account has 12 digits");
    }
    Ok(())
}

/// SNS, CreateTopic, `Name`; SES publishes to no FIFO topic (SES developer guide, "Set up an Amazon SNS event destination").
fn topic_arn(text: &str) -> Result<String, Wrong> {
    let [service, region, account, name] = arn(text, "arn:aws:sns:REGION:ACCOUNT:NAME")?;
    if service != "sns" || region.is_empty() {
        return wrong("its service is sns, and it names a region");
    }
    has_twelve_digits(account)?;
    if name.contains(':') {
        return wrong("this is the ARN of a subscription; that of its topic ends with the topic's name");
    }
    if name.ends_with(".fifo") {
        return wrong("Amazon SES publishes to no FIFO topic");
    }
    long(name, 1, 256)?;
    only(name, |c| c.is_ascii_alphanumeric() || "_-".contains(c), "a topic's name has letters, digits, _ and -")?;
    Ok(text.to_owned())
}

/// IAM, AccessKey, `AccessKeyId`. Those of temporary credentials begin otherwise ("Unique identifiers"), and no SMTP password
/// can be made of them.
fn access_key(text: &str) -> Result<String, Wrong> {
    long(text, 16, 128)?;
    if text.starts_with("ASIA") {
        return wrong("it is one of temporary credentials, of which no SMTP password can be made");
    }
    if !text.starts_with("AKIA") {
        return wrong("that of a user's access key begins with AKIA");
    }
    only(text, |c| c.is_ascii_uppercase() || c.is_ascii_digit(), "it has capitals and digits only")?;
    Ok(text.to_owned())
}

fn iam_arn<'a>(text: &'a str, wanted: &str) -> Result<&'a str, Wrong> {
    let [service, region, account, resource] = arn(text, &format!("arn:aws:iam::ACCOUNT:{wanted}/NAME"))?;
    if service == "sts" {
        return wrong("this is the ARN of a session; the ARN of what it comes from begins with arn:aws:iam:");
    }
    if service != "iam" || !region.is_empty() {
        return wrong("its service is iam, and it names no region");
    }
    has_twelve_digits(account)?;
    match resource.split_once('/') {
        Some((kind, rest)) if kind == wanted => {
            let good = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
            long(rest, 1, 512)?;
            only(rest, good, "names in IAM have letters, digits and + = , . @ _ -")?;
            Ok(rest)
        }
        Some((kind, _)) => wrong(format!("it is the ARN of a {kind}, and that of a {wanted} is wanted")),
        None => wrong(format!("its last part is {wanted}/NAME")),
    }
}

fn role_arn(text: &str) -> Result<String, Wrong> {
    iam_arn(text, "role").map(|_| text.to_owned())
}

/// STS, AssumeRole, `SerialNumber`: the ARN of a virtual device, or what is printed on a hardware device.
fn mfa_serial(text: &str) -> Result<String, Wrong> {
    if text.starts_with("arn:") {
        return iam_arn(text, "mfa").map(|_| text.to_owned());
    }
    long(text, 9, 256)?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c),
        "it has letters, digits and + = / : , . @ _ -",
    )?;
    Ok(text.to_owned())
}

/// STS, AssumeRole, `ExternalId`.
fn external_id(text: &str) -> Result<String, Wrong> {
    long(text, 2, 1224)?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c),
        "it has letters, digits and + = , . @ : / _ -",
    )?;
    Ok(text.to_owned())
}

/// Organizations, MoveAccount, `DestinationParentId`: a root or a unit.
fn unit(text: &str) -> Result<String, Wrong> {
    let part =
        |part: &str, lengths: std::ops::RangeInclusive<usize>| lengths.contains(&part.len()) && part.chars().all(lower);
    let good = match text.split('-').collect::<Vec<_>>()[..] {
        ["r", root] => part(root, 4..=32),
        ["ou", root, unit] => part(root, 4..=32) && part(unit, 8..=32),
        _ => false,
    };
    if good {
        return Ok(text.to_owned());
    }
    wrong("it is r- and 4 to 32 characters for the root, or ou-, the root's and 8 to 32 of its own, in lower case")
}

/// Two to four numbers; `8.latest` is the newest 8.
fn version(text: &str) -> Result<String, Wrong> {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = match parts.split_last() {
        Some((&"latest", before)) => before,
        _ => &parts[..],
    };
    if (2..=4).contains(&parts.len()) && !numbers.is_empty() && numbers.iter().all(number) {
        return Ok(text.to_owned());
    }
    if let Some(rest) = text.strip_prefix('v').filter(|rest| version(rest).is_ok()) {
        return Err(Wrong { why: "it has no v before the numbers".into(), instead: rest.to_owned() });
    }
    wrong("it is two to four numbers with dots between")
}

fn sha256(text: &str) -> Result<String, Wrong> {
    let digits = text.to_lowercase();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    let which = match digits.len() {
        32 => "this looks like MD5, which can be forged",
        40 => "this looks like SHA-1, which can be forged",
        128 => "this looks like SHA-512",
        _ => "part of it may be missing",
    };
    wrong(format!("it has 64 hexadecimal digits, as sha256sum prints them; {which}"))
}

fn rhsm_org(text: &str) -> Result<String, Wrong> {
    long(text, 1, 12)?;
    only(text, |c| c.is_ascii_digit(), "it has digits only; it is not the name that one logs in with")?;
    Ok(text.to_owned())
}

fn rule_id(text: &str) -> Result<String, Wrong> {
    long(text, 3, 120)?;
    let short = text.rsplit("content_rule_").next().unwrap_or(text);
    only(short, |c| lower(c) || c == '_', "it has lower-case letters, digits and _")?;
    Ok(short.to_owned())
}

/// The account in an ARN of IAM.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_takes_its_own_example() {
        for shape in SHAPES {
            assert_eq!(shape.check(shape.example), Ok(Value::Text(shape.example.into())), "{}", shape.name);
            assert_eq!(Shape::named(Some(shape.name)), Ok(shape));
        }
        assert!(Shape::named(None).unwrap_err().contains("db-identifier"));
        assert!(Shape::named(Some("buket")).unwrap_err().contains("not as buket"));
    }
}
