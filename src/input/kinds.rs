//! The table of kinds: what each is called in a runbook, what it expects, and which parameters it takes.

use super::choice::Choice;
use super::kind::Bounds;
use super::table::Column;
use crate::text::list;

/// What a runbook may say beside the name of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindParams {
    /// For `choice` and `choices`: what can be chosen.
    pub choices: Vec<Choice>,
    /// Smallest number, length or count of entries.
    pub min: Option<i64>,
    /// Largest number, length or count of entries.
    pub max: Option<i64>,
    /// Fewest fixed bits of a range.
    pub min_prefix: Option<i64>,
    /// Most fixed bits of a range.
    pub max_prefix: Option<i64>,
    /// For kinds with several varieties: which one is meant.
    pub used_as: Option<String>,
    /// For `list`: the kind of its entries.
    pub of: Option<String>,
    /// For `table`: its columns.
    pub columns: Vec<Column>,
}

/// A row of the table of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRow {
    /// The name in a runbook.
    pub name: &'static str,
    /// What is expected, in one line.
    pub summary: &'static str,
    /// An answer that is accepted, in practice at least.
    pub example: &'static str,
    /// Which fields of [`KindParams`] it takes.
    pub takes: &'static [&'static str],
    /// Bounds when the runbook gives none.
    pub(super) bounds: Bounds,
    /// Bounds of the prefix when the runbook gives none.
    prefix: Bounds,
}

const NONE: &[&str] = &[];
const SIZE: &[&str] = &["min", "max"];
const USE: &[&str] = &["use"];
const RANGE: &[&str] = &["min_prefix", "max_prefix"];
const ANY: Bounds = Bounds { min: i64::MIN, max: i64::MAX };
const PREFIX: Bounds = Bounds { min: 8, max: 32 };

const fn row(name: &'static str, summary: &'static str, example: &'static str) -> KindRow {
    KindRow { name, summary, example, takes: NONE, bounds: ANY, prefix: PREFIX }
}

impl KindRow {
    const fn takes(self, takes: &'static [&'static str], min: i64, max: i64) -> Self {
        Self { takes, bounds: Bounds { min, max }, ..self }
    }
}

pub(super) const ROWS: [KindRow; 51] = [
    row("text", "One line of text.", "Acme Insurance PLC").takes(&["min", "max", "use"], 1, 200),
    row(
        "slug",
        "A short name: 3 to 20 lower-case letters, digits and single hyphens, beginning with a letter.",
        "acme",
    ),
    row("ticket", "The key of a ticket, or up to 40 characters.", "ACMEMC-1"),
    row("email", "An e-mail address.", "ops@acme.example").takes(SIZE, 3, 254),
    row("phone", "An international telephone number, with + and the code of the country.", "+442071234567"),
    row("name", "A name or an id, as AWS or the product writes it.", "prod").takes(USE, 0, 0),
    row("account-id", "The 12 digits of an AWS account.", "012345678901"),
    row("region", "The code of an AWS region.", "eu-west-1"),
    row("zones", "Availability zones of one region, by name.", "eu-west-1a, eu-west-1b").takes(SIZE, 2, 3),
    row("vpc-cidr", "The VPC's IPv4 range: a private range from /16 to /28.", "10.40.0.0/16"),
    row("cidr", "An IPv4 range: its first address, a slash and the prefix.", "10.20.0.0/16").takes(RANGE, 0, 0),
    row(
        "cidr-list",
        "IPv4 ranges, of which none lies in another; one per line, or with commas.",
        "192.168.0.0/16, 10.20.0.0/16",
    )
    .takes(&["min", "max", "min_prefix", "max_prefix", "use"], 0, 100),
    row("provider-cidrs", "Public IPv4 ranges from /24 to /32 that operators come from.", "198.51.100.16/29")
        .takes(SIZE, 1, 20),
    row("subnets", "One subnet per line: range, tier and zone.", "10.40.0.0/24 public eu-west-1a").takes(SIZE, 1, 200),
    row("port", "A port from 1 to 65535.", "8080"),
    row("ssh-port", "A port from 1024 to 32767 that no product uses.", "22022"),
    row("unix-name", "A login name: lower-case letters, digits, _ and -.", "ubuntu"),
    row("login", "A login name on a host of the customer, also DOMAIN\\user or user@realm.", "wso2-ops"),
    row("public-key", "An OpenSSH public key on one line: ssh-ed25519, or ssh-rsa of 3072 bits or more.", PUBLIC_KEY),
    row("key-ref", "Where the private key is: agent, or the path of a file.", "~/.ssh/acme_ed25519"),
    row("address", "The IP address of one host.", "10.40.10.20").takes(USE, 0, 0),
    row("interface", "The private address of one of two peers, with /30 or /31.", "169.254.100.1/30"),
    row("tunnel-range", "The inside of a VPN tunnel: a /30 of 169.254.0.0/16.", "169.254.44.0/30"),
    row("asn", "The number of an autonomous system, of 16 or 32 bits.", "65010").takes(USE, 0, 0),
    row("host", "An IP address or a full host name.", "jump.acme.example").takes(USE, 0, 0),
    row("endpoint", "An IP address or a full host name, and perhaps a port behind a colon.", "siem.acme.example:6514")
        .takes(USE, 0, 0),
    row("domain", "A full domain name.", "mc.acme.example").takes(USE, 0, 0),
    row("records", "One DNS record per line: name, type and value.", "gw.mc.acme.example A 10.40.10.20")
        .takes(SIZE, 0, 500),
    row("url", "A URL.", "https://www.acme.example").takes(USE, 0, 0),
    row("path", "A path of letters, digits, dots, hyphens and underscores.", "/opt/wso2").takes(USE, 0, 0),
    row("dmarc", "A DMARC policy, and perhaps where reports go.", "none; rua=mailto:dmarc@acme.example"),
    row(
        "fingerprint",
        "The SHA-256 fingerprint of a host key, as ssh-keygen -l shows it.",
        "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
    ),
    row("choice", "One of the choices.", "").takes(&["choices"], 0, 0),
    row("choices", "Some of the choices, with commas.", "").takes(&["choices", "min", "max"], 0, 50),
    row("yes-no", "Yes or no.", "yes"),
    row("number", "A whole number.", "30").takes(SIZE, i64::MIN, i64::MAX),
    row("window", "Days, hours and a time zone that come back every week.", "Sat 22:00-02:00 Europe/London").takes(
        &["min"],
        60,
        24 * 60,
    ),
    row("timezone", "A time zone of the IANA database.", "Europe/London"),
    row("moment", "A day, an hour and the difference to UTC.", "2099-10-03T22:00Z").takes(USE, 0, 0),
    row("date", "A day.", "2099-10-03").takes(USE, 0, 0),
    row("schedule", "A cron expression of AWS with a time zone, at least once a day.", "cron(0 2 ? * * *) UTC"),
    row("instance-type", "An instance type of a Nitro family, of EC2 or for a database.", "t3.small").takes(USE, 0, 0),
    row("tags", "Tags, one key=value per line.", "CostCentre=4711"),
    row(
        "hosts",
        "One host per line: name, address, user; then via=, role=, fingerprint= and identity= as needed.",
        "app-1 10.40.10.20 ubuntu",
    )
    .takes(SIZE, 1, 200),
    row("launch", "One host per line: name, key of its subnet, instance type.", "app-1 app/a t3.small")
        .takes(SIZE, 0, 50),
    row("prose", "A text of several lines.", "Authorised use only.").takes(&["min", "max", "use"], 1, 5000),
    row("certificates", "Certificates in PEM.", CERTIFICATE).takes(USE, 0, 0),
    row("pgp-key", "An OpenPGP public key in ASCII armour.", PGP_KEY),
    row("list", "Entries of one kind; one per line, or with commas.", "").takes(&["of", "use", "min", "max"], 0, 100),
    row("table", "One row per line, its cells with commas between.", "").takes(&["columns", "min", "max"], 0, 200),
    row("secret", "A secret: where it lives is kept, and never its text.", "prompt").takes(
        &["use", "min", "max"],
        1,
        16_384,
    ),
];

const CERTIFICATE: &str = include_str!("examples/authority.pem");
const PGP_KEY: &str = include_str!("examples/openpgp.asc");
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILqXexDaRWx3fBUDy5MrW0msiiZYawF/aftr7KNR1ccF";

impl KindParams {
    pub(super) fn only_those_of(&self, row: &KindRow) -> Result<(), String> {
        let given = [
            ("choices", !self.choices.is_empty()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("min_prefix", self.min_prefix.is_some()),
            ("max_prefix", self.max_prefix.is_some()),
            ("use", self.used_as.is_some()),
            ("of", self.of.is_some()),
            ("columns", !self.columns.is_empty()),
        ];
        match given.iter().find(|(name, there)| *there && !row.takes.contains(name)) {
            None => Ok(()),
            Some((name, _)) if row.takes.is_empty() => Err(format!("the kind {} takes no {name}", row.name)),
            Some((name, _)) => Err(format!("the kind {} takes no {name}, only {}", row.name, list(row.takes))),
        }
    }

    pub(super) fn bounds(&self, row: &KindRow) -> Result<Bounds, String> {
        let bounds = Bounds { min: self.min.unwrap_or(row.bounds.min), max: self.max.unwrap_or(row.bounds.max) };
        // Only a number can be negative; the rest are counts and lengths.
        let negative = row.name != "number" && row.takes.contains(&"min") && bounds.min < 0;
        if bounds.min > bounds.max || negative {
            return Err(format!("min {} and max {} of the kind {} leave nothing", bounds.min, bounds.max, row.name));
        }
        Ok(bounds)
    }

    pub(super) fn prefix(&self, row: &KindRow) -> Result<Bounds, String> {
        let prefix =
            Bounds { min: self.min_prefix.unwrap_or(row.prefix.min), max: self.max_prefix.unwrap_or(row.prefix.max) };
        if prefix.min > prefix.max || prefix.min < 0 || prefix.max > 32 {
            return Err(format!("min_prefix {} and max_prefix {} are not within 0 to 32", prefix.min, prefix.max));
        }
        Ok(prefix)
    }
}
