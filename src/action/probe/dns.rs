//! `probe/dns`: what name servers answer. Each is asked by itself, so that one that differs is seen.

mod dig;
mod here;
mod query;
mod record;
mod several;
mod validate;

use std::net::IpAddr;

use async_trait::async_trait;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use serde_json::{Map, Value as Json, json};

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, World};
use super::tcp::{is_plain, place};
use super::{Asks, Miss, Origin, wrong};
pub(super) use here::Here;
use here::own_servers;
use query::Server;
pub(super) use query::{Answer, Asker, NoAnswer};
pub(in super::super) use several::DnsRecords;
use validate::Anchor;

/// Where DNS is answered (RFC 1035, 4.2).
pub(super) const PORT: u16 = 53;

/// `probe/dns`
pub(in super::super) struct Dns {
    name: String,
    kind: RecordType,
    /// Who is asked; nobody named means the name servers that this machine, or the host, asks by itself.
    servers: Vec<String>,
    port: u16,
    way: Way,
    wanted: Wanted,
    trust: Trust,
}

/// How the question travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By UDP, and again by TCP where the answer does not fit.
    Udp,
    Tcp,
}

/// What must come back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Anything,
    /// Exactly these, in any order.
    Exactly(Vec<String>),
    /// These, and others are no matter.
    Among(Vec<String>),
    /// One that begins so, and one only; others are no matter.
    Begins(String),
    /// No such name, or none of that type.
    Nothing,
}

/// How the answer is known to be genuine (RFC 4035).
enum Trust {
    No,
    /// The server says that it has validated it.
    Server,
    /// Validated here, from the keys of the root or from these.
    Own(Option<Anchor>),
}

impl Dns {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let kind = arguments.optional("type")?.unwrap_or_else(|| "A".to_owned());
        let kind = match kind.to_uppercase().parse::<RecordType>() {
            Ok(parsed) => parsed,
            Err(_) if !known(&kind) => RecordType::A,
            Err(_) => return Err(wrong(arguments, "type", &kind, "no type of record, such as A, MX or TXT")),
        };
        let name = name_of(arguments, kind)?;
        let servers = servers_in(arguments)?;
        let way = if arguments.one_of("transport", &["udp", "tcp"])? == "tcp" { Way::Tcp } else { Way::Udp };
        let trust = match arguments.one_of("dnssec", &["no", "authenticated", "validated"])? {
            "authenticated" => Trust::Server,
            "validated" => Trust::Own(arguments.optional("anchor")?.map(|text| Anchor::read(&text)).transpose()?),
            _ => Trust::No,
        };
        let wanted = Wanted::new(arguments, kind)?;
        let port = arguments.port("port")?.unwrap_or(PORT);
        Ok(Dns { name, kind, servers, port, way, wanted, trust })
    }
}

/// Addresses or names, each with a port where it is not the usual one.
fn servers_in(arguments: &Arguments<'_>) -> Result<Vec<String>, Failure> {
    let servers = arguments.list("server")?;
    match servers.iter().find(|server| !is_plain(server)) {
        Some(bad) => Err(wrong(arguments, "server", bad, "no address and no name")),
        None => Ok(servers),
    }
}

/// The name that is asked for; of an address, the name that its reverse has.
fn name_of(arguments: &Arguments<'_>, kind: RecordType) -> Result<String, Failure> {
    let text = arguments.text("name")?;
    if let (RecordType::PTR, Ok(address)) = (kind, text.parse::<IpAddr>()) {
        return Ok(Name::from(address).to_ascii());
    }
    match Name::from_str_relaxed(&text) {
        Ok(_) if known(&text) && !is_plain(&text.replace('*', "")) => Err(wrong(arguments, "name", &text, "no name")),
        Err(_) if known(&text) => Err(wrong(arguments, "name", &text, "no name")),
        _ => Ok(text.trim_end_matches('.').to_owned()),
    }
}

impl Wanted {
    fn new(arguments: &Arguments<'_>, kind: RecordType) -> Result<Wanted, Failure> {
        let [exactly, among] = ["expect", "contains"].map(|name| arguments.list(name));
        let plain = |texts: Vec<String>| texts.iter().map(|text| record::plain(kind, text)).collect::<Vec<_>>();
        let (exactly, among) = (plain(exactly?), plain(among?));
        let begins = arguments.optional("begins")?;
        let absent = arguments.one_of("absent", &["false", "true"])? == "true";
        match (exactly.is_empty(), among.is_empty(), begins, absent) {
            (true, true, None, true) => Ok(Wanted::Nothing),
            (true, true, None, false) => Ok(Wanted::Anything),
            (false, true, None, false) => Ok(Wanted::Exactly(exactly)),
            (true, false, None, false) => Ok(Wanted::Among(among)),
            (true, true, Some(begins), false) => Ok(Wanted::Begins(begins)),
            _ => Err(Failure::new(
                "probe/dns takes one of `expect`, `contains`, `begins` and `absent`",
                "Correct the step in the runbook, or the input that the argument is made of.",
            )),
        }
    }

    /// What of an answer another server has to answer alike. Of a zone's SOA each may say its own: the domain controllers of
    /// Active Directory each name themselves, and one that fetches the zone has an older number for a while.
    fn agreed_upon(&self, kind: RecordType, answer: &Answer) -> Vec<String> {
        let mut values = match (self, kind) {
            (Wanted::Anything, RecordType::SOA) => return Vec::new(),
            (Wanted::Anything, _) => answer.values(),
            (Wanted::Begins(begins), _) => answer.values().into_iter().filter(|one| one.starts_with(begins)).collect(),
            (Wanted::Exactly(_) | Wanted::Among(_) | Wanted::Nothing, _) => return Vec::new(),
        };
        values.sort();
        values
    }

    /// What is wrong with an answer, if something is.
    fn fault(&self, kind: RecordType, answer: &Answer) -> Option<String> {
        let values = answer.values();
        if *self == Wanted::Nothing {
            return match answer.code {
                ResponseCode::NXDomain => None,
                ResponseCode::NoError if values.is_empty() => None,
                ResponseCode::NoError => Some(format!("still answers {}", values.join(", "))),
                code => Some(said_of_code(code)),
            };
        }
        if answer.code != ResponseCode::NoError {
            return Some(said_of_code(answer.code));
        }
        if values.is_empty() {
            return Some(format!("knows the name, but no {kind} record of it"));
        }
        let (wanted, more) = match self {
            Wanted::Exactly(wanted) => (wanted, false),
            Wanted::Among(wanted) => (wanted, true),
            Wanted::Begins(begins) => {
                return match values.iter().filter(|one| one.starts_with(begins)).count() {
                    1 => None,
                    0 => Some(format!("answers {}, and nothing that begins with {begins}", values.join(", "))),
                    _ => Some(format!("answers {}, of which one alone may begin with {begins}", values.join(", "))),
                };
            }
            Wanted::Anything | Wanted::Nothing => return None,
        };
        let missing = wanted.iter().any(|one| !values.contains(one));
        let other = !more && values.iter().any(|one| !wanted.contains(one));
        (missing || other).then(|| format!("answers {}, not {}", values.join(", "), wanted.join(", ")))
    }
}

/// What an answer without records means, and where to look (RFC 1035, 4.1.1).
fn said_of_code(code: ResponseCode) -> String {
    match code {
        ResponseCode::NXDomain => "says that there is no such name (NXDOMAIN)".to_owned(),
        ResponseCode::ServFail => {
            "fails (SERVFAIL): what it forwards to does not answer, or a signature does not hold".to_owned()
        }
        ResponseCode::Refused => "refuses to answer us (REFUSED): its access list does not have our address".to_owned(),
        other => format!("answers {other}"),
    }
}

#[async_trait]
impl Asks for Dns {
    fn whom(&self) -> String {
        match self.servers.as_slice() {
            [] => "the name server".to_owned(),
            servers => crate::text::list(servers),
        }
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let servers = self.servers_of(world, from)?;
        let (mut faults, mut good) = (Vec::new(), Vec::new());
        for server in &servers {
            let who = server.said();
            let answered = self.ask_one(world, from, server).await?;
            match answered {
                Ok(answer) => {
                    world.say(&format!("{who} to {from}: {}", answer.said())).await;
                    match self.fault(&answer) {
                        Some(fault) => faults.push(format!("{who} {fault}")),
                        None => good.push((who, answer)),
                    }
                }
                Err(no) => {
                    world.say(&format!("{who} to {from}: {no}")).await;
                    // The next one is asked, as a resolver does; silence proves nothing about a name.
                    faults.push(format!("{who} {no}"));
                    if self.wanted == Wanted::Nothing && !self.servers.is_empty() {
                        let advice = "Look at the name server first: whether a name is gone, only an answer tells.";
                        return Err(Miss::unknown(format!("{who} {no}"), advice));
                    }
                    continue;
                }
            }
            if self.servers.is_empty() {
                break;
            }
        }
        let own = self.servers.is_empty();
        if faults.is_empty() {
            faults.extend(self.dispute(&good));
        }
        match (faults.is_empty(), good.is_empty()) {
            (true, false) => Ok(self.found(from, &good)),
            (false, false) if own => Ok(self.found(from, &good)),
            _ => Err(Miss::NotSo(format!("{} {} asked from {from}: {}", self.name, self.kind, faults.join("; ")))),
        }
    }
}

impl Dns {
    /// Who is asked. From a host without a server named, its own resolver is, whoever that is.
    fn servers_of(&self, world: &World, from: &Origin) -> Result<Vec<Server>, Miss> {
        let one = |name: &String| {
            let (server, port) = place(name).unwrap_or_else(|| (name.clone(), self.port));
            Server::At(server, port)
        };
        let named = |names: &[String]| names.iter().map(one).collect();
        if !self.servers.is_empty() {
            return Ok(named(&self.servers));
        }
        if from.host().is_some() {
            return Ok(vec![Server::Own]);
        }
        own_servers(world).map(|servers| named(&servers))
    }

    async fn ask_one(&self, world: &World, from: &Origin, server: &Server) -> Result<Result<Answer, NoAnswer>, Miss> {
        if from.host().is_some() && (self.way == Way::Udp || *server == Server::Own) {
            if matches!(self.trust, Trust::Own(_)) {
                let what = "a host cannot validate by itself what comes by UDP";
                return Err(Miss::unknown(what, "Ask by TCP (transport: tcp), from here, or for `authenticated`."));
            }
            return dig::ask(world, from, server, &self.name, self.kind, self.way).await;
        }
        let Server::At(server, port) = server else { return Ok(Err(NoAnswer::Silent)) };
        let asker = match Asker::new(world, from, server, *port, self.way).await {
            // A host that forwards nothing asks by itself.
            Err(_) if from.host().is_some() && !matches!(self.trust, Trust::Own(_)) => {
                return dig::ask(world, from, &Server::At(server.clone(), *port), &self.name, self.kind, self.way)
                    .await;
            }
            asker => asker?,
        };
        let name = Name::from_str_relaxed(&self.name).map(|mut name| {
            name.set_fqdn(true);
            name
        });
        let Ok(name) = name else { return Err(Miss::unknown("the name is none", "Correct it.")) };
        Ok(match &self.trust {
            Trust::Own(anchor) => validate::ask(asker, name, self.kind, anchor.as_ref()).await,
            Trust::No | Trust::Server => asker.ask(name, self.kind).await,
        })
    }

    fn fault(&self, answer: &Answer) -> Option<String> {
        if let Some(fault) = self.wanted.fault(self.kind, answer) {
            return Some(fault);
        }
        match (&self.trust, answer.genuine) {
            (Trust::Server, false) => Some(
                "answers, but not as authenticated (no AD): the zone is not signed, or it does not validate".to_owned(),
            ),
            (Trust::Own(_), false) => Some(format!("answers what cannot be validated: {}", answer.doubt())),
            _ => None,
        }
    }

    /// Who says what, where they do not say the same.
    fn dispute(&self, good: &[(String, Answer)]) -> Option<String> {
        let said: Vec<Vec<String>> =
            good.iter().map(|(_, answer)| self.wanted.agreed_upon(self.kind, answer)).collect();
        if said.windows(2).all(|two| two[0] == two[1]) {
            return None;
        }
        let each = good.iter().zip(&said).map(|((who, _), values)| format!("{who} answers {}", values.join(", ")));
        Some(format!("they do not agree: {}", each.collect::<Vec<_>>().join(" and ")))
    }

    fn found(&self, from: &Origin, good: &[(String, Answer)]) -> Found {
        let values = good.first().map(|(_, answer)| answer.values()).unwrap_or_default();
        let who: Vec<&str> = good.iter().map(|(who, _)| who.as_str()).collect();
        let what = if values.is_empty() { "nothing, as it should".to_owned() } else { values.join(", ") };
        let genuine = good.iter().all(|(_, answer)| answer.genuine);
        let signed = if genuine && !matches!(self.trust, Trust::No) { ", signed" } else { "" };
        let said = format!("{} {}{signed}: {what}, from {} to {from}", self.name, self.kind, crate::text::list(&who));
        let each: Map<String, Json> = good
            .iter()
            .map(|(who, answer)| {
                let of_one = json!({
                    "answers": answer.values(),
                    "code": answer.code.to_string(),
                    "over": answer.over,
                    "authenticated": answer.genuine,
                    "authoritative": answer.authoritative,
                });
                (who.clone(), of_one)
            })
            .collect();
        let ttl = good.iter().filter_map(|(_, answer)| answer.ttl()).min();
        found(said, json!({ "answers": values, "ttl": ttl, "authenticated": genuine, "servers": each }))
    }
}
