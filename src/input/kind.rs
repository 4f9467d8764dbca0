//! Kinds of input: what an answer must be.

use std::fmt;

use serde_json::{Value as Json, json};

use super::calendar::{WHEN_USES, WhenUse};
use super::choice::{self, Choice};
use super::cloud::{TYPE_USES, TypeUse};
use super::document::{PEM_USES, PROSE_USES, PemUse, ProseUse};
use super::domain::{DOMAIN_USES, DomainUse, ENDPOINT_USES, EndpointUse, PATH_USES, PathUse, URL_USES, UrlUse};
use super::kinds::{KindParams, KindRow, ROWS};
use super::name::{TEXT_USES, TextUse};
use super::network::{HOST_USES, HostUse, RANGES_USES, RangesUse};
use super::refusal::Refusal;
use super::routing::{ADDRESS_USES, ASN_USES, AddressUse, AsnUse};
use super::secret::SecretRule;
use super::shape::Shape;
use super::table::{self, Column};
use crate::text::{count, either, list, nearest};

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
    Text(Bounds, TextUse),
    /// The customer's short name.
    Slug,
    /// The key of the engagement's ticket.
    Ticket,
    /// An e-mail address of so many characters.
    Email(Bounds),
    /// A telephone number.
    Phone,
    /// A name or an id of a fixed form.
    Name(Shape),
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
    CidrList(Bounds, Bounds, RangesUse),
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
    Address(AddressUse),
    /// The address of a peer, with the prefix of both.
    Interface,
    /// The inside of a VPN tunnel.
    TunnelRange,
    /// The number of an autonomous system.
    Asn(AsnUse),
    /// An address or a full name.
    Host(HostUse),
    /// A host, perhaps with a port.
    Endpoint(EndpointUse),
    /// A full name in the DNS.
    Domain(DomainUse),
    /// So many records of the DNS.
    Records(Bounds),
    /// A URL.
    Url(UrlUse),
    /// A path.
    Path(PathUse),
    /// A DMARC policy.
    Dmarc,
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
    /// A weekly window of so many minutes at least.
    Window(i64),
    /// A time zone.
    Timezone,
    /// A moment.
    Moment(WhenUse),
    /// A day.
    Date(WhenUse),
    /// When something is done again and again.
    Schedule,
    /// An instance type of EC2 or RDS.
    InstanceType(TypeUse),
    /// Tags for everything that is created.
    Tags,
    /// So many hosts that exist already.
    Hosts(Bounds),
    /// So many hosts to launch.
    Launch(Bounds),
    /// Text of several lines, of so many characters.
    Prose(Bounds, ProseUse),
    /// Certificates in PEM.
    Certificates(PemUse),
    /// An OpenPGP public key.
    PgpKey,
    /// So many entries of one kind.
    List(Box<Kind>, Bounds),
    /// So many rows of these columns.
    Table(Vec<Column>, Bounds),
    /// Where a secret lives, and the rules for its text.
    Secret(SecretRule),
}

/// The variety of a kind that `use` names; the first where it names none.
fn variety<T: Copy>(kind: &str, used_as: Option<&str>, known: &[(&str, T)]) -> Result<T, String> {
    let found = match used_as {
        None => known.first(),
        Some(wanted) => known.iter().find(|(name, _)| *name == wanted),
    };
    let names = || either(&known.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let wanted = used_as.unwrap_or_default();
    found.map(|(_, use_)| *use_).ok_or_else(|| format!("the kind {kind} is used as {}, not as {wanted}", names()))
}

impl Kind {
    /// The kind of that name. The error is a sentence for whoever writes the runbook.
    pub fn named(name: &str, params: &KindParams) -> Result<Self, String> {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            let near = nearest(name, ROWS.iter().map(|row| row.name));
            let all = || format!("; there are {}", list(&ROWS.map(|row| row.name)));
            let hint = near.map_or_else(all, |near| format!("; did you mean {near}?"));
            return Err(format!("there is no kind of input called {name}{hint}"));
        };
        params.only_those_of(row)?;
        let bounds = params.bounds(row)?;
        let prefix = params.prefix(row)?;
        let used_as = params.used_as.as_deref();
        let kind = match row.name {
            "text" => Self::Text(bounds, variety(name, used_as, &TEXT_USES)?),
            "slug" => Self::Slug,
            "ticket" => Self::Ticket,
            "email" => Self::Email(bounds),
            "phone" => Self::Phone,
            "name" => Self::Name(Shape::named(used_as)?),
            "account-id" => Self::AccountId,
            "region" => Self::Region,
            "zones" => Self::Zones(bounds),
            "vpc-cidr" => Self::VpcCidr,
            "cidr" => Self::Cidr(prefix),
            "cidr-list" => Self::CidrList(bounds, prefix, variety(name, used_as, &RANGES_USES)?),
            "provider-cidrs" => Self::ProviderCidrs(bounds),
            "subnets" => Self::Subnets(bounds),
            "port" => Self::Port,
            "ssh-port" => Self::SshPort,
            "unix-name" => Self::UnixName,
            "login" => Self::Login,
            "public-key" => Self::PublicKey,
            "key-ref" => Self::KeyRef,
            "address" => Self::Address(variety(name, used_as, &ADDRESS_USES)?),
            "interface" => Self::Interface,
            "tunnel-range" => Self::TunnelRange,
            "asn" => Self::Asn(variety(name, used_as, &ASN_USES)?),
            "host" => Self::Host(variety(name, used_as, &HOST_USES)?),
            "endpoint" => Self::Endpoint(variety(name, used_as, &ENDPOINT_USES)?),
            "domain" => Self::Domain(variety(name, used_as, &DOMAIN_USES)?),
            "records" => Self::Records(bounds),
            "url" => Self::Url(variety(name, used_as, &URL_USES)?),
            "path" => Self::Path(variety(name, used_as, &PATH_USES)?),
            "dmarc" => Self::Dmarc,
            "fingerprint" => Self::Fingerprint,
            "choice" => Self::Choice(choice::checked(&params.choices)?),
            "choices" => Self::Choices(choice::checked(&params.choices)?, bounds),
            "yes-no" => Self::YesNo,
            "number" => Self::Number(bounds),
            "window" => Self::Window(bounds.min),
            "timezone" => Self::Timezone,
            "moment" => Self::Moment(variety(name, used_as, &WHEN_USES)?),
            "date" => Self::Date(variety(name, used_as, &WHEN_USES)?),
            "schedule" => Self::Schedule,
            "instance-type" => Self::InstanceType(variety(name, used_as, &TYPE_USES)?),
            "tags" => Self::Tags,
            "hosts" => Self::Hosts(bounds),
            "launch" => Self::Launch(bounds),
            "prose" => Self::Prose(bounds, variety(name, used_as, &PROSE_USES)?),
            "certificates" => Self::Certificates(variety(name, used_as, &PEM_USES)?),
            "pgp-key" => Self::PgpKey,
            "list" => {
                let entry = KindParams { used_as: params.used_as.clone(), ..KindParams::default() };
                let of = params.of.as_deref().ok_or("the kind list needs `of`: the kind of its entries")?;
                Self::List(table::entry_kind(Kind::named(of, &entry)?)?, bounds)
            }
            "table" => Self::Table(table::checked(params.columns.clone())?, bounds),
            "secret" => Self::Secret(SecretRule::named(used_as, params.min, params.max)?),
            other => return Err(format!("the kind {other} has no rule")),
        };
        Ok(kind)
    }

    /// The name in a runbook.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(..) => "text",
            Self::Slug => "slug",
            Self::Ticket => "ticket",
            Self::Email(_) => "email",
            Self::Phone => "phone",
            Self::Name(_) => "name",
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
            Self::Address(_) => "address",
            Self::Interface => "interface",
            Self::TunnelRange => "tunnel-range",
            Self::Asn(_) => "asn",
            Self::Host(_) => "host",
            Self::Endpoint(_) => "endpoint",
            Self::Domain(_) => "domain",
            Self::Records(_) => "records",
            Self::Url(_) => "url",
            Self::Path(_) => "path",
            Self::Dmarc => "dmarc",
            Self::Fingerprint => "fingerprint",
            Self::Choice(_) => "choice",
            Self::Choices(..) => "choices",
            Self::YesNo => "yes-no",
            Self::Number(_) => "number",
            Self::Window(_) => "window",
            Self::Timezone => "timezone",
            Self::Moment(_) => "moment",
            Self::Date(_) => "date",
            Self::Schedule => "schedule",
            Self::InstanceType(_) => "instance-type",
            Self::Tags => "tags",
            Self::Hosts(_) => "hosts",
            Self::Launch(_) => "launch",
            Self::Prose(..) => "prose",
            Self::Certificates(_) => "certificates",
            Self::PgpKey => "pgp-key",
            Self::List(..) => "list",
            Self::Table(..) => "table",
            Self::Secret(_) => "secret",
        }
    }

    /// What is expected, in one line.
    pub fn describe(&self) -> &'static str {
        self.row().map_or("", |row| row.summary)
    }

    /// What is expected with these parameters, for somebody without onramp: a sentence or two, and for choices a line each.
    pub fn rule(&self) -> String {
        let plain = self.describe().trim_end_matches('.');
        let offered = |choices: &[Choice]| {
            let line = |choice: &Choice| match choice.value == choice.label {
                true => format!("\n  {}", choice.value),
                false => format!("\n  {} - {}", choice.value, choice.label),
            };
            choices.iter().map(line).collect::<String>()
        };
        match self {
            Self::Choice(choices) => format!("One of:{}", offered(choices)),
            Self::Choices(choices, count) => format!("{count} of these, with commas between:{}", offered(choices)),
            Self::Name(shape) => shape.said(),
            Self::Asn(AsnUse::Amazon) => format!("{plain}: 64512 to 65534, or 4200000000 to 4294967294."),
            Self::Address(AddressUse::Public) => "An IPv4 address that the Internet routes.".to_owned(),
            Self::Address(AddressUse::Ipv4) => "The IPv4 address of one host.".to_owned(),
            Self::Host(HostUse::Ipv4) => "An IPv4 address or a full host name.".to_owned(),
            Self::Endpoint(EndpointUse::Address) => "An IPv4 address, and perhaps a port behind a colon.".to_owned(),
            Self::Endpoint(EndpointUse::Door) => {
                "An IPv4 address or a full host name, a colon and the port.".to_owned()
            }
            Self::InstanceType(TypeUse::Database) => "A class of RDS, which begins with db.".to_owned(),
            Self::Number(bounds) => format!("{plain}: {bounds}."),
            Self::Text(length, _) | Self::Prose(length, _) => format!("{plain}, of {length} characters."),
            Self::List(of, count) => {
                format!("{count} entries, one a line or with commas. Each is {}", lower_first(&of.rule()))
            }
            Self::CidrList(count, prefix, used_as) => {
                let plain = match used_as {
                    RangesUse::Apart => plain,
                    RangesUse::Routes => "IPv4 ranges as a router announces them; one per line, or with commas",
                };
                format!("{plain}. {count} of them, each /{} to /{}.", prefix.min, prefix.max)
            }
            Self::Cidr(prefix) => format!("{plain}, /{} to /{}.", prefix.min, prefix.max),
            Self::Window(least) => format!("{plain}, at least {least} minutes."),
            Self::Moment(WhenUse::Ahead) | Self::Date(WhenUse::Ahead) => format!("{plain}, which lies ahead."),
            Self::Table(columns, _) => {
                let lines = columns.iter().map(|column| format!("\n  {}", cell_rule(column)));
                format!("One row a line, with commas between:{}", lines.collect::<String>())
            }
            _ => format!("{plain}."),
        }
    }

    /// An answer that is accepted, in practice at least. Empty for choices and tables, which have their own.
    pub fn example(&self) -> &'static str {
        match self {
            Self::Name(shape) => shape.example(),
            Self::List(of, _) => of.example(),
            Self::Asn(AsnUse::Amazon) => "64512",
            Self::Address(AddressUse::Public) => "203.0.113.12",
            Self::InstanceType(TypeUse::Database) => "db.m6i.large",
            _ => self.row().map_or("", |row| row.example),
        }
    }

    /// Every answer that there can be, as templates read it, where those are few.
    pub fn offers(&self) -> Vec<Json> {
        match self {
            Self::Choice(choices) => choices.iter().map(|choice| Json::String(choice.value.clone())).collect(),
            Self::Choices(choices, _) => choices.iter().map(|choice| json!([choice.value])).collect(),
            Self::YesNo => vec![Json::Bool(true), Json::Bool(false)],
            _ => Vec::new(),
        }
    }

    /// The example to put into a refusal: for choices, the first of them.
    pub(super) fn own_example(&self) -> String {
        match self {
            Self::Choice(choices) => choices.first().map_or_else(String::new, |choice| choice.label.clone()),
            Self::Choices(choices, _) => choices.first().map_or_else(String::new, |choice| choice.value.clone()),
            Self::Table(columns, _) => table::example(columns),
            Self::List(of, _) => of.own_example(),
            Self::Number(bounds) => 30.max(bounds.min).min(bounds.max).to_string(),
            // A place, and nothing that looks like the secret itself.
            Self::Secret(_) => "age:secrets.age#NAME".to_owned(),
            // A message has one line; of a certificate it shows how it begins.
            _ => self.example().lines().next().unwrap_or_default().to_owned(),
        }
    }

    /// How an answer looks, in words, where any real one would be somebody else's or no line.
    pub(super) fn form(&self) -> &'static str {
        match self {
            Self::Address(AddressUse::Public) => "the address that https://checkip.amazonaws.com shows from behind it",
            Self::ProviderCidrs(_) => "the address that https://checkip.amazonaws.com shows to operators, with /32",
            Self::Certificates(_) => "-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----",
            Self::PgpKey => "-----BEGIN PGP PUBLIC KEY BLOCK----- mDME... -----END PGP PUBLIC KEY BLOCK-----",
            _ => "",
        }
    }

    /// An answer as a person reads it: of a choice its label.
    pub fn in_words(&self, answer: &str) -> String {
        let Self::Choice(choices) = self else { return answer.to_owned() };
        choices.iter().find(|choice| choice.value == answer).map_or(answer, |choice| &choice.label).to_owned()
    }

    /// Is an answer a table, of which a refusal is about one cell?
    pub(super) fn is_rows(&self) -> bool {
        matches!(
            self,
            Self::Subnets(_) | Self::Tags | Self::Hosts(_) | Self::Launch(_) | Self::Records(_) | Self::Table(..)
        )
    }

    /// Is an answer a text of several lines, of which every line is the text's?
    pub fn is_prose(&self) -> bool {
        matches!(self, Self::Prose(..))
    }

    /// Is an answer a list of entries, which may as well stand one on a line?
    pub fn is_list(&self) -> bool {
        matches!(self, Self::CidrList(..) | Self::ProviderCidrs(_) | Self::List(..))
    }

    /// May an answer be called `none` and mean something?
    pub(super) fn has_words_of_its_own(&self) -> bool {
        match self {
            Self::Choice(_) | Self::Choices(..) | Self::Dmarc | Self::YesNo | Self::Number(_) => true,
            Self::List(of, _) => of.has_words_of_its_own(),
            _ => false,
        }
    }

    /// Does an answer take several lines: a list, a table, or one long text?
    pub fn has_many_lines(&self) -> bool {
        self.is_rows() || self.is_list() || matches!(self, Self::Prose(..) | Self::Certificates(_) | Self::PgpKey)
    }

    /// Every kind there is.
    pub fn all() -> &'static [KindRow] {
        &ROWS
    }

    fn row(&self) -> Option<&'static KindRow> {
        ROWS.iter().find(|row| row.name == self.name())
    }
}

fn lower_first(sentence: &str) -> String {
    // "IP address" and "DNS record" stay as they are.
    let keeps = sentence.chars().nth(1).is_some_and(|second| second.is_ascii_uppercase());
    match sentence.chars().next() {
        Some(first) if !keeps => first.to_lowercase().chain(sentence.chars().skip(1)).collect(),
        _ => sentence.to_owned(),
    }
}

fn cell_rule(column: &Column) -> String {
    let optional = if column.optional { " (may be left out)" } else { "" };
    let rule = match &column.kind {
        Kind::Choice(choices) => either(&choices.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>()),
        kind => lower_first(&kind.rule()).trim_end_matches('.').to_owned(),
    };
    format!("{}{optional} - {rule}", column.name)
}
