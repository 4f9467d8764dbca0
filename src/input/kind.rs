//! The table of kinds: what each is called in a runbook, what it expects, and which parameters it takes.

use std::fmt;

use super::choice::{self, Choice};
use super::refusal::Refusal;
use super::secret::SecretRule;
use crate::text::{count, list, nearest};

/// Inclusive bounds of a number, a length or a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest allowed.
    pub min: i64,
    /// The largest allowed.
    pub max: i64,
}

impl Bounds {
    pub(super) fn hold(self, number: i64) -> bool {
        (self.min..=self.max).contains(&number)
    }

    /// Refuses a list with too few or too many entries.
    pub(super) fn check(self, entries: usize, thing: &str) -> Result<(), Refusal> {
        if i64::try_from(entries).is_ok_and(|entries| self.hold(entries)) {
            return Ok(());
        }
        let what = format!("{} given", count(entries, thing));
        Err(Refusal::new(what, format!("the number of entries is {self}"), "onramp"))
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, max) if min == max => write!(f, "{min}"),
            (i64::MIN, i64::MAX) => f.write_str("any whole number"),
            (i64::MIN, max) => write!(f, "at most {max}"),
            (min, i64::MAX) => write!(f, "at least {min}"),
            (min, max) => write!(f, "{min} to {max}"),
        }
    }
}

/// What an answer must be. Closed: a new kind is a new variant, a row in the table and a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One line of text, of so many characters.
    Text(Bounds),
    /// The customer's short name.
    Slug,
    /// The key of the engagement's ticket.
    Ticket,
    /// An e-mail address.
    Email,
    /// An AWS account id.
    AccountId,
    /// An AWS region.
    Region,
    /// So many availability zones of one region.
    Zones(Bounds),
    /// The range of a VPC.
    VpcCidr,
    /// A range with so many fixed bits.
    Cidr(Bounds),
    /// So many ranges with so many fixed bits.
    CidrList(Bounds, Bounds),
    /// So many ranges of operators.
    ProviderCidrs(Bounds),
    /// The subnet plan, of so many rows.
    Subnets(Bounds),
    /// A TCP or UDP port.
    Port,
    /// The bastion's SSH port.
    SshPort,
    /// A login name on Linux.
    UnixName,
    /// A login name on a host that somebody else runs.
    Login,
    /// An OpenSSH public key.
    PublicKey,
    /// Where a private key is.
    KeyRef,
    /// The address of one host.
    Address,
    /// An address or a full name.
    Host,
    /// The fingerprint of a host key.
    Fingerprint,
    /// One of these.
    Choice(Vec<Choice>),
    /// So many of these.
    Choices(Vec<Choice>, Bounds),
    /// Yes or no.
    YesNo,
    /// A whole number.
    Number(Bounds),
    /// An EC2 instance type.
    InstanceType,
    /// Tags for everything that is created.
    Tags,
    /// So many hosts that exist already.
    Hosts(Bounds),
    /// So many hosts to launch.
    Launch(Bounds),
    /// Where a secret lives, and the rules for its text.
    Secret(SecretRule),
}

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
    /// For `secret`: what it is used as.
    pub used_as: Option<String>,
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
    bounds: Bounds,
    /// Bounds of the prefix when the runbook gives none.
    prefix: Bounds,
}

const NONE: &[&str] = &[];
const SIZE: &[&str] = &["min", "max"];
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

const ROWS: [KindRow; 30] = [
    row("text", "One line of text.", "Acme Insurance PLC").takes(SIZE, 1, 200),
    row(
        "slug",
        "A short name: 3 to 20 lower-case letters, digits and single hyphens, beginning with a letter.",
        "acme",
    ),
    row("ticket", "The key of a ticket, or up to 40 characters.", "ACMEMC-1"),
    row("email", "An e-mail address.", "ops@acme.example"),
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
    .takes(&["min", "max", "min_prefix", "max_prefix"], 0, 100),
    row("provider-cidrs", "Public IPv4 ranges from /24 to /32 that operators come from.", "198.51.100.16/29")
        .takes(SIZE, 1, 20),
    row("subnets", "One subnet per line: range, tier and zone.", "10.40.0.0/24 public eu-west-1a").takes(SIZE, 1, 200),
    row("port", "A port from 1 to 65535.", "8080"),
    row("ssh-port", "A port from 1024 to 32767 that no product uses.", "22022"),
    row("unix-name", "A login name: lower-case letters, digits, _ and -.", "ubuntu"),
    row("login", "A login name on a host of the customer, also DOMAIN\\user or user@realm.", "wso2-ops"),
    row("public-key", "An OpenSSH public key on one line: ssh-ed25519, or ssh-rsa of 3072 bits or more.", PUBLIC_KEY),
    row("key-ref", "Where the private key is: agent, or the path of a file.", "~/.ssh/acme_ed25519"),
    row("address", "The IP address of one host.", "10.40.10.20"),
    row("host", "An IP address or a full host name.", "jump.acme.example"),
    row(
        "fingerprint",
        "The SHA-256 fingerprint of a host key, as ssh-keygen -l shows it.",
        "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
    ),
    row("choice", "One of the choices.", "").takes(&["choices"], 0, 0),
    row("choices", "Some of the choices, with commas.", "").takes(&["choices", "min", "max"], 0, 50),
    row("yes-no", "Yes or no.", "yes"),
    row("number", "A whole number.", "30").takes(SIZE, i64::MIN, i64::MAX),
    row("instance-type", "An EC2 instance type of a Nitro family.", "t3.small"),
    row("tags", "Tags, one key=value per line.", "CostCentre=4711"),
    row(
        "hosts",
        "One host per line: name, address, user; then via=, role=, fingerprint= and identity= as needed.",
        "app-1 10.40.10.20 ubuntu",
    )
    .takes(SIZE, 1, 200),
    row("launch", "One host per line: name, key of its subnet, instance type.", "app-1 app/a t3.small")
        .takes(SIZE, 0, 50),
    row("secret", "A secret: where it lives is kept, and never its text.", "prompt").takes(
        &["use", "min", "max"],
        1,
        256,
    ),
];

const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILqXexDaRWx3fBUDy5MrW0msiiZYawF/aftr7KNR1ccF";

impl Kind {
    /// The kind of that name. The error is a sentence for whoever writes the runbook.
    pub fn named(name: &str, params: &KindParams) -> Result<Self, String> {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            let near = nearest(name, ROWS.iter().map(|row| row.name));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(format!("there is no kind of input called {name}{hint}"));
        };
        params.only_those_of(row)?;
        let bounds = params.bounds(row)?;
        let prefix = params.prefix(row)?;
        let kind = match row.name {
            "text" => Self::Text(bounds),
            "slug" => Self::Slug,
            "ticket" => Self::Ticket,
            "email" => Self::Email,
            "account-id" => Self::AccountId,
            "region" => Self::Region,
            "zones" => Self::Zones(bounds),
            "vpc-cidr" => Self::VpcCidr,
            "cidr" => Self::Cidr(prefix),
            "cidr-list" => Self::CidrList(bounds, prefix),
            "provider-cidrs" => Self::ProviderCidrs(bounds),
            "subnets" => Self::Subnets(bounds),
            "port" => Self::Port,
            "ssh-port" => Self::SshPort,
            "unix-name" => Self::UnixName,
            "login" => Self::Login,
            "public-key" => Self::PublicKey,
            "key-ref" => Self::KeyRef,
            "address" => Self::Address,
            "host" => Self::Host,
            "fingerprint" => Self::Fingerprint,
            "choice" => Self::Choice(choice::checked(&params.choices)?),
            "choices" => Self::Choices(choice::checked(&params.choices)?, bounds),
            "yes-no" => Self::YesNo,
            "number" => Self::Number(bounds),
            "instance-type" => Self::InstanceType,
            "tags" => Self::Tags,
            "hosts" => Self::Hosts(bounds),
            "launch" => Self::Launch(bounds),
            "secret" => Self::Secret(SecretRule::named(params.used_as.as_deref(), bounds)?),
            other => return Err(format!("the kind {other} has no rule")),
        };
        Ok(kind)
    }

    /// The name in a runbook.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Slug => "slug",
            Self::Ticket => "ticket",
            Self::Email => "email",
            Self::AccountId => "account-id",
            Self::Region => "region",
            Self::Zones(_) => "zones",
            Self::VpcCidr => "vpc-cidr",
            Self::Cidr(_) => "cidr",
            Self::CidrList(..) => "cidr-list",
            Self::ProviderCidrs(_) => "provider-cidrs",
            Self::Subnets(_) => "subnets",
            Self::Port => "port",
            Self::SshPort => "ssh-port",
            Self::UnixName => "unix-name",
            Self::Login => "login",
            Self::PublicKey => "public-key",
            Self::KeyRef => "key-ref",
            Self::Address => "address",
            Self::Host => "host",
            Self::Fingerprint => "fingerprint",
            Self::Choice(_) => "choice",
            Self::Choices(..) => "choices",
            Self::YesNo => "yes-no",
            Self::Number(_) => "number",
            Self::InstanceType => "instance-type",
            Self::Tags => "tags",
            Self::Hosts(_) => "hosts",
            Self::Launch(_) => "launch",
            Self::Secret(_) => "secret",
        }
    }

    /// What is expected, in one line.
    pub fn describe(&self) -> &'static str {
        self.row().map_or("", |row| row.summary)
    }

    /// An answer that is accepted, in practice at least. Empty for choices, which have their own.
    pub fn example(&self) -> &'static str {
        self.row().map_or("", |row| row.example)
    }

    /// The example to put into a refusal: for choices, the first of them.
    pub(super) fn own_example(&self) -> &str {
        match self {
            Self::Choice(choices) | Self::Choices(choices, _) => choices.first().map_or("", |choice| &choice.value),
            _ => self.example(),
        }
    }

    /// Every kind there is.
    pub fn all() -> &'static [KindRow] {
        &ROWS
    }

    fn row(&self) -> Option<&'static KindRow> {
        ROWS.iter().find(|row| row.name == self.name())
    }
}

impl KindParams {
    fn only_those_of(&self, row: &KindRow) -> Result<(), String> {
        let given = [
            ("choices", !self.choices.is_empty()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("min_prefix", self.min_prefix.is_some()),
            ("max_prefix", self.max_prefix.is_some()),
            ("use", self.used_as.is_some()),
        ];
        match given.iter().find(|(name, there)| *there && !row.takes.contains(name)) {
            None => Ok(()),
            Some((name, _)) if row.takes.is_empty() => Err(format!("the kind {} takes no {name}", row.name)),
            Some((name, _)) => Err(format!("the kind {} takes no {name}, only {}", row.name, list(row.takes))),
        }
    }

    fn bounds(&self, row: &KindRow) -> Result<Bounds, String> {
        let bounds = Bounds { min: self.min.unwrap_or(row.bounds.min), max: self.max.unwrap_or(row.bounds.max) };
        // Only a number can be negative; the rest are counts and lengths.
        let negative = row.name != "number" && row.takes.contains(&"min") && bounds.min < 0;
        if bounds.min > bounds.max || negative {
            return Err(format!("min {} and max {} of the kind {} leave nothing", bounds.min, bounds.max, row.name));
        }
        Ok(bounds)
    }

    fn prefix(&self, row: &KindRow) -> Result<Bounds, String> {
        let prefix =
            Bounds { min: self.min_prefix.unwrap_or(row.prefix.min), max: self.max_prefix.unwrap_or(row.prefix.max) };
        if prefix.min > prefix.max || prefix.min < 0 || prefix.max > 32 {
            return Err(format!("min_prefix {} and max_prefix {} are not within 0 to 32", prefix.min, prefix.max));
        }
        Ok(prefix)
    }
}
