//! Hosts: those that exist and how SSH reaches them, and those that are to be launched.

use std::collections::BTreeSet;

use super::given::{Given, RawRow, RowForm, every_row};
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use super::value::{Row, cell};
use super::{Setting, Value, cloud, key, name, network, number};
use crate::text::{list, nearest};

const JUMPS: &str = "ssh_config(5), ProxyJump";

const FORM: RowForm = RowForm {
    thing: "host",
    needed: &["name", "address"],
    places: &["name", "address", "user"],
    optional: &["user", "port", "via", "role", "fingerprint", "identity"],
    computed: &[],
};

const LAUNCH_FORM: RowForm = RowForm {
    thing: "host to launch",
    needed: &["name", "subnet", "type"],
    places: &["name", "subnet", "type"],
    optional: &[],
    computed: &[],
};

/// What a host is in the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A way to other hosts.
    Bastion,
    /// Reached through a bastion, or directly from where onramp runs.
    Private,
}

/// A host that exists, as a row of a table of kind `hosts` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in this engagement, a DNS label.
    pub name: String,
    /// An IP address, a full name, or an alias of the engineer's SSH set-up.
    pub address: String,
    /// Where its sshd listens; not given, the SSH set-up says it, or it is 22.
    pub port: Option<u16>,
    /// Who logs in; not given, the SSH set-up says it, or it is whoever runs onramp.
    pub user: String,
    /// Names of the hosts before it, the outermost first; empty when it is reached directly.
    pub via: Vec<String>,
    /// What it is.
    pub role: Role,
    /// The host key's fingerprint, obtained on another way than SSH.
    pub fingerprint: Option<String>,
    /// Where its private key is, when it differs from the engagement's.
    pub key: Option<String>,
}

/// The hosts of a value of kind `hosts`, in its order; empty for any other value.
pub fn hosts(value: &Value) -> Vec<Host> {
    value.rows().iter().filter_map(from_row).collect()
}

/// The hosts that SSH passes on the way to `name`, the outermost first and `name` itself last.
///
/// The first of its `via` may have hosts before it in turn. Nothing when a name is unknown or the way is a circle.
pub fn path<'a>(hosts: &'a [Host], name: &str) -> Option<Vec<&'a Host>> {
    let mut back = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next {
        let host = hosts.iter().find(|host| host.name == name)?;
        back.push(host);
        let mut before = host.via.iter();
        next = before.next().map(String::as_str);
        let inner: Option<Vec<&Host>> = before.rev().map(|name| hosts.iter().find(|host| host.name == *name)).collect();
        back.extend(inner?);
        let names: BTreeSet<&str> = back.iter().map(|host| host.name.as_str()).collect();
        if names.len() < back.len() {
            return None;
        }
    }
    back.reverse();
    Some(back)
}

/// Hosts with names of their own, each reachable on exactly one way.
pub(super) fn existing(given: &Given<'_>, rows_allowed: Bounds, setting: &Setting) -> Result<Value, Refusal> {
    let (rows, mut hosts): (Vec<RawRow>, Vec<Host>) = given.rows(&FORM, |row| host(row, setting))?.into_iter().unzip();
    rows_allowed.check(hosts.len(), "host")?;
    let ways: BTreeSet<String> = hosts.iter().flat_map(|host| host.via.clone()).collect();
    for host in hosts.iter_mut().filter(|host| ways.contains(&host.name)) {
        host.role = Role::Bastion;
    }
    every_row(rows.iter().zip(&hosts).enumerate().map(|(index, (row, host))| {
        role_agrees(row, host)
            .and_then(|()| one_of_a_kind(host, &hosts[..index]))
            .and_then(|()| one_way(host, &hosts))
            .map_err(|refusal| refusal.at(&row.place))
    }))?;
    Ok(Value::Rows(hosts.into_iter().map(to_row).collect()))
}

/// Other hosts are reached through a bastion, whatever its row says.
fn role_agrees(row: &RawRow, host: &Host) -> Result<(), Refusal> {
    if host.role == Role::Private || row.cell("role") != "private" {
        return Ok(());
    }
    let why = "other hosts are reached through it, which makes it a bastion";
    Err(Refusal::new(format!("{} cannot be private", host.name), why, "onramp"))
}

fn host(row: &RawRow, setting: &Setting) -> Result<Host, Refusal> {
    let (address, port) = address_and_port(row.cell("address"), row.cell("port"), setting)?;
    let given = |column: &str| Some(row.cell(column)).filter(|text| !text.is_empty());
    Ok(Host {
        name: name::label(row.cell("name"))?,
        address,
        port,
        user: match row.cell("user") {
            "" => String::new(),
            user => name::login(user)?,
        },
        via: row.cell("via").split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        role: role(row.cell("role"))?,
        fingerprint: given("fingerprint").map(key::fingerprint).transpose()?,
        key: given("identity").map(one_word_key).transpose()?,
    })
}

fn address_and_port(address: &str, column: &str, setting: &Setting) -> Result<(String, Option<u16>), Refusal> {
    let (bare, behind) = match address.rsplit_once(':') {
        // Of the addresses without brackets only an IPv6 one has more than one colon.
        Some((bare, port)) if !bare.contains(':') || bare.ends_with(']') => (bare, port),
        _ => (address, ""),
    };
    let port = match (behind, column) {
        ("", "") => None,
        ("", port) | (port, "") => Some(number::port(port)?),
        (behind, column) if behind == column => Some(number::port(column)?),
        _ => {
            let what = format!("the port is {behind} behind the address and {column} in its own field");
            return Err(Refusal::new(what, "give it once", "onramp").suggest(format!("{bare}:{column}")));
        }
    };
    // A name without a dot means nothing but what the engineer's SSH set-up makes of it.
    let host = name::label(bare).or_else(|_| network::host(bare, setting))?;
    Ok((host, port.and_then(|port| u16::try_from(port).ok())))
}

fn role(text: &str) -> Result<Role, Refusal> {
    match text {
        "" | "private" => Ok(Role::Private),
        "bastion" => Ok(Role::Bastion),
        _ => {
            let near = nearest(text, ["bastion", "private"]).unwrap_or("private");
            let why = "a host is a bastion or private";
            Err(Refusal::new(format!("{} is no role", quoted(text)), why, "onramp").suggest(format!("role={near}")))
        }
    }
}

/// In a line, a blank ends the path.
fn one_word_key(text: &str) -> Result<String, Refusal> {
    if text.contains(|c: char| c.is_whitespace() || c == ';') {
        let why = "the path of a host's key has no blanks and no semicolons here; a link without them will do";
        return Err(
            Refusal::new(format!("{} has blanks", quoted(text)), why, "onramp").suggest("identity=~/.ssh/acme_ed25519")
        );
    }
    key::key_ref(text)
}

fn one_of_a_kind(host: &Host, earlier: &[Host]) -> Result<(), Refusal> {
    if earlier.iter().any(|other| other.name == host.name) {
        let what = format!("there is a second host {}", host.name);
        return Err(Refusal::new(what, "a host is found by its name", "onramp").suggest(format!("{}-2", host.name)));
    }
    let same = |other: &&Host| (&other.address, other.port, &other.via) == (&host.address, host.port, &host.via);
    match earlier.iter().find(same) {
        Some(other) => {
            let what = format!("{} is the same host as {}", host.name, other.name);
            Err(Refusal::new(what, "both have one address and port, on one way", "onramp"))
        }
        None => Ok(()),
    }
}

/// Refuses a way with an unknown host or a circle, and one that contradicts what a host on it says of itself.
fn one_way(host: &Host, hosts: &[Host]) -> Result<(), Refusal> {
    for hop in &host.via {
        if !hosts.iter().any(|other| other.name == *hop) {
            let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
            let why = match nearest(hop, names.iter().copied()) {
                Some(near) => format!("did you mean {near}? the way leads over hosts of this table"),
                None => format!("the way leads over hosts of this table: {}", list(&names)),
            };
            return Err(Refusal::new(format!("{} goes via {}, which is not here", host.name, quoted(hop)), why, JUMPS));
        }
    }
    let Some(way) = path(hosts, &host.name) else {
        let what = format!("the way to {} goes in a circle", host.name);
        return Err(Refusal::new(what, "each host on it can be passed once", JUMPS));
    };
    for (index, hop) in way.iter().enumerate() {
        let agrees = hop.via.is_empty() || path(hosts, &hop.name).is_some_and(|own| own[..] == way[..=index]);
        if !agrees {
            let what = format!(
                "{} goes via {}, but {} itself goes via {}",
                host.name,
                list(&host.via),
                hop.name,
                list(&hop.via)
            );
            let why = "a host is reached on one way; name only the last one before it";
            return Err(Refusal::new(what, why, JUMPS).suggest(format!("via={}", host.via.last().unwrap_or(&hop.name))));
        }
    }
    Ok(())
}

fn to_row(host: Host) -> Row {
    let role = match host.role {
        Role::Bastion => "bastion",
        Role::Private => "private",
    };
    Row::from([
        ("name".into(), Value::Text(host.name)),
        ("address".into(), Value::Text(host.address)),
        ("port".into(), host.port.map_or_else(|| Value::Text(String::new()), |port| Value::Number(port.into()))),
        ("user".into(), Value::Text(host.user)),
        ("via".into(), Value::List(host.via.into_iter().map(Value::Text).collect())),
        ("role".into(), Value::Text(role.into())),
        // Templates are strict about what is undefined, so every row has every column.
        ("fingerprint".into(), Value::Text(host.fingerprint.unwrap_or_default())),
        ("identity".into(), Value::Text(host.key.unwrap_or_default())),
    ])
}

fn from_row(row: &Row) -> Option<Host> {
    let text = |column: &str| row.get(column).and_then(Value::text).map(str::to_owned);
    let given = |column: &str| text(column).filter(|text| !text.is_empty());
    Some(Host {
        name: text("name")?,
        address: text("address")?,
        port: row.get("port")?.number().and_then(|port| u16::try_from(port).ok()),
        user: text("user")?,
        via: row.get("via")?.items().iter().filter_map(Value::text).map(str::to_owned).collect(),
        role: if cell(row, "role") == "bastion" { Role::Bastion } else { Role::Private },
        fingerprint: given("fingerprint"),
        key: given("identity"),
    })
}

/// A host as it is typed.
pub(super) fn line(row: &Row) -> String {
    let Some(host) = from_row(row) else { return String::new() };
    let address = match (host.port, host.address.contains(':')) {
        (None, _) => host.address,
        (Some(port), true) => format!("[{}]:{port}", host.address),
        (Some(port), false) => format!("{}:{port}", host.address),
    };
    let mut words = vec![host.name, address];
    words.extend(Some(host.user).filter(|user| !user.is_empty()));
    if !host.via.is_empty() {
        words.push(format!("via={}", host.via.join(",")));
    }
    if host.role == Role::Bastion {
        words.push("role=bastion".to_owned());
    }
    words.extend(host.fingerprint.map(|fingerprint| format!("fingerprint={fingerprint}")));
    words.extend(host.key.map(|key| format!("identity={key}")));
    words.join(" ")
}

/// Hosts to launch; that their subnets exist is for the rules between answers to say.
pub(super) fn launch(given: &Given<'_>, rows_allowed: Bounds) -> Result<Value, Refusal> {
    let (rows, launched): (Vec<RawRow>, Vec<Row>) = given.rows(&LAUNCH_FORM, launched_host)?.into_iter().unzip();
    rows_allowed.check(launched.len(), "host")?;
    let mut names = BTreeSet::new();
    every_row(rows.iter().zip(&launched).map(|(row, host)| match names.insert(cell(host, "name")) {
        true => Ok(()),
        false => {
            let name = cell(host, "name");
            let refusal =
                Refusal::new(format!("there is a second host {name}"), "a host is found by its name", "onramp");
            Err(refusal.at(&row.place).suggest(format!("{name}-2")))
        }
    }))?;
    Ok(Value::Rows(launched))
}

fn launched_host(row: &RawRow) -> Result<Row, Refusal> {
    let subnet = row.cell("subnet");
    let shape =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !subnet.split_once('/').is_some_and(|(tier, name)| shape(tier) && shape(name)) {
        let why = "the key of a subnet is its tier, a slash and the letter of its zone";
        return Err(Refusal::new(format!("{} is no key of a subnet", quoted(subnet)), why, "onramp").suggest("app/a"));
    }
    Ok(Row::from([
        ("name".into(), Value::Text(name::label(row.cell("name"))?)),
        ("subnet".into(), Value::Text(subnet.to_owned())),
        ("type".into(), cloud::instance_type(row.cell("type"))?),
    ]))
}

/// A host to launch as it is typed.
pub(super) fn launch_line(row: &Row) -> String {
    format!("{} {} {}", cell(row, "name"), cell(row, "subnet"), cell(row, "type"))
}
