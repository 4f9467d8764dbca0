//! The records that a verdict on a message needs, looked up before it is given.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::net::Ipv4Addr;
use std::time::Instant;

use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use mail_auth::common::cache::NoCache;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::spf::Spf;
use mail_auth::{DnsError, DnssecStatus, Error, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache, Txt};

use super::super::super::World;
use super::super::Miss;
use super::super::dns::Here;

/// Names that SPF may lead to (RFC 7208, 4.6.4).
const MOST_LOOKUPS: usize = 10;

/// A judge that knows nobody to ask: what is not among the records cannot be looked up.
pub(super) fn judge() -> Result<MessageAuthenticator, Miss> {
    let nobody = ResolverConfig::from_name_servers(Vec::new());
    MessageAuthenticator::new(nobody, ResolverOpts::default())
        .map_err(|error| Miss::unknown(format!("messages cannot be judged here: {error}"), "Try again."))
}

/// What is known, by name with a dot at its end.
pub(super) struct Known<V>(HashMap<Box<str>, V>);

impl<V: Clone> ResolverCache<Box<str>, V> for Known<V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _name: &Q) -> Option<V>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _name: Box<str>, _value: V, _until: Instant) {}
}

/// The records, and who is asked for them.
pub(super) struct Records<'w> {
    here: Here<'w>,
    texts: Known<Txt>,
    addresses: Known<RecordSet<Ipv4Addr>>,
    exchanges: Known<RecordSet<MX>>,
}

type With<'a, P> = Parameters<
    'a,
    P,
    Known<Txt>,
    Known<RecordSet<MX>>,
    Known<RecordSet<Ipv4Addr>>,
    NoCache<Box<str>, RecordSet<std::net::Ipv6Addr>>,
    NoCache<std::net::IpAddr, RecordSet<Box<str>>>,
>;

impl<'w> Records<'w> {
    /// Asks this name server, or those that this machine asks.
    ///
    /// # Errors
    /// This machine asks none.
    pub(super) fn new(world: &'w World, server: Option<&str>, port: u16) -> Result<Records<'w>, Miss> {
        Ok(Records {
            here: Here::new(world, server, port)?,
            texts: Known(HashMap::new()),
            addresses: Known(HashMap::new()),
            exchanges: Known(HashMap::new()),
        })
    }

    /// A question to the judge, with all that is known.
    pub(super) fn with<P>(&self, question: P) -> With<'_, P> {
        Parameters::new(question)
            .with_txt_cache(&self.texts)
            .with_mx_cache(&self.exchanges)
            .with_ipv4_cache(&self.addresses)
    }

    /// What there is not, or cannot be a name, is an empty list.
    async fn look_up(&self, name: &str, kind: RecordType) -> Result<Vec<String>, Miss> {
        match Name::from_str_relaxed(name) {
            Ok(_) => Ok(self.here.look_up(name, kind).await?.values()),
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn text<T: TxtRecordParser + Into<Txt>>(&mut self, name: &str) -> Result<Vec<String>, Miss> {
        let values = self.look_up(name, RecordType::TXT).await?;
        let none = || Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)));
        let parsed = values.iter().map(|value| T::parse(value.as_bytes()));
        let mut failed = None;
        let mut good = None;
        for one in parsed {
            match one {
                Ok(record) => good = good.or(Some(record.into())),
                Err(error) => failed = Some(error),
            }
        }
        let known = good.unwrap_or_else(|| failed.map_or_else(none, Txt::Error));
        self.texts.0.insert(dotted(name), known);
        Ok(values)
    }

    /// The key of a signature.
    pub(super) async fn key(&mut self, selector: &str, domain: &str) -> Result<(), Miss> {
        self.text::<DomainKey>(&format!("{selector}._domainkey.{domain}")).await.map(drop)
    }

    /// The DMARC policies of a domain and of those above it.
    pub(super) async fn policies(&mut self, domain: &str) -> Result<(), Miss> {
        let mut rest = Some(domain.trim_end_matches('.'));
        while let Some(domain) = rest {
            self.text::<Dmarc>(&format!("_dmarc.{domain}")).await?;
            rest = domain.split_once('.').map(|(_, above)| above);
        }
        Ok(())
    }

    /// Who may send for a domain: its SPF record and all that it leads to. Macros are not followed.
    pub(super) async fn senders(&mut self, domain: &str) -> Result<(), Miss> {
        let (mut todo, mut seen) = (vec![domain.to_owned()], BTreeSet::new());
        while let Some(domain) = todo.pop() {
            if seen.len() > MOST_LOOKUPS || !seen.insert(domain.clone()) {
                continue;
            }
            let texts = self.text::<Spf>(&domain).await?;
            let Some(record) = texts.into_iter().find(|text| text.to_lowercase().starts_with("v=spf1")) else {
                continue;
            };
            for term in record.split_whitespace().map(str::to_lowercase).filter(|term| !term.contains('%')) {
                let term = term.trim_start_matches(['+', '-', '~', '?']);
                let (what, of) = term.split_once([':', '=']).unwrap_or((term, &domain));
                let of = of.split('/').next().unwrap_or_default().to_owned();
                match what.split('/').next().unwrap_or_default() {
                    "include" | "redirect" => todo.push(of),
                    "a" => self.address(&of).await?,
                    "mx" => self.exchange(&of).await?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn address(&mut self, name: &str) -> Result<(), Miss> {
        let found = self.look_up(name, RecordType::A).await?;
        let found = found.iter().filter_map(|text| text.parse().ok()).collect();
        let set = RecordSet { rrset: found, dnssec_status: DnssecStatus::Indeterminate };
        self.addresses.0.insert(dotted(name), set);
        Ok(())
    }

    async fn exchange(&mut self, name: &str) -> Result<(), Miss> {
        let mut all = Vec::new();
        for value in self.look_up(name, RecordType::MX).await? {
            let Some((preference, exchange)) = value.split_once(' ') else { continue };
            self.address(exchange).await?;
            let preference = preference.parse().unwrap_or(0);
            all.push(MX { exchanges: vec![dotted(exchange)].into(), preference });
        }
        let set = RecordSet { rrset: all.into(), dnssec_status: DnssecStatus::Indeterminate };
        self.exchanges.0.insert(dotted(name), set);
        Ok(())
    }
}

/// As the judge asks for it.
fn dotted(name: &str) -> Box<str> {
    format!("{}.", name.trim_end_matches('.').to_lowercase()).into()
}
