//! `probe/mail-domains`: can mail be delivered to the domains of these addresses, as far as DNS tells?

use std::collections::BTreeMap;

use async_trait::async_trait;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use serde_json::{Map, Value as Json, json};

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, World};
use super::dns::{Here, PORT};
use super::{Asks, Miss, Origin, wrong};
use crate::text::list;

/// `probe/mail-domains`
pub(in super::super) struct MailDomains {
    /// The addresses of each domain.
    domains: BTreeMap<String, Vec<String>>,
    server: Option<String>,
    port: u16,
}

impl MailDomains {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let mut domains: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for address in arguments.list("addresses")?.into_iter().filter(|address| !address.trim().is_empty()) {
            match address.rsplit_once('@') {
                Some((_, domain)) => domains.entry(domain.trim().to_lowercase()).or_default().push(address),
                None if known(&address) => return Err(wrong(arguments, "addresses", &address, "no e-mail address")),
                None => {}
            }
        }
        let port = arguments.port("port")?.unwrap_or(PORT);
        Ok(MailDomains { domains, server: arguments.optional("server")?, port })
    }
}

/// Where mail for a domain goes.
enum Takes {
    /// To these mail servers, or to the domain's own address, as it has no MX record.
    At(Vec<String>),
    /// To nobody, with why.
    Nobody(String),
}

/// As a mail server looks for the next one (RFC 5321 section 5.1); a lone `.` takes nothing (RFC 7505).
async fn delivered(here: &Here<'_>, domain: &str) -> Result<Takes, Miss> {
    let exchanges = here.look_up(domain, RecordType::MX).await?;
    if exchanges.code() == ResponseCode::NXDomain {
        return Ok(Takes::Nobody(format!("there is no domain {domain}")));
    }
    let servers: Vec<String> =
        exchanges.values().iter().filter_map(|value| value.split_once(' ')).map(|(_, host)| host.to_owned()).collect();
    if servers.iter().any(|host| host == ".") {
        return Ok(Takes::Nobody(format!("{domain} says that it takes none (its MX record is a dot)")));
    }
    if !servers.is_empty() {
        return Ok(Takes::At(servers));
    }
    for kind in [RecordType::A, RecordType::AAAA] {
        if let Some(address) = here.look_up(domain, kind).await?.values().into_iter().next() {
            return Ok(Takes::At(vec![address]));
        }
    }
    Ok(Takes::Nobody(format!("{domain} has no MX record and no address")))
}

#[async_trait]
impl Asks for MailDomains {
    fn whom(&self) -> String {
        self.server.clone().unwrap_or_else(|| "the name server".to_owned())
    }

    async fn ask(&self, world: &World, _from: &Origin) -> Result<Found, Miss> {
        let here = Here::new(world, self.server.as_deref(), self.port)?;
        let (mut misses, mut takes) = (Vec::new(), Map::new());
        for (domain, addresses) in &self.domains {
            match delivered(&here, domain).await? {
                Takes::At(hosts) => drop(takes.insert(domain.clone(), Json::from(hosts))),
                Takes::Nobody(why) => misses.push(format!("mail to {} arrives nowhere: {why}", list(addresses))),
            }
        }
        if !misses.is_empty() {
            return Err(Miss::NotSo(misses.join("; ")));
        }
        let domains: Vec<&String> = self.domains.keys().collect();
        Ok(found(format!("mail to {} has somewhere to go", list(&domains)), json!({ "domains": takes })))
    }
}
