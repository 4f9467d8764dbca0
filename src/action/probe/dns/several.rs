//! `probe/dns-records`: many names at once, each asked as `probe/dns` asks one.

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};

use super::super::super::arguments::Arguments;
use super::super::super::object::found;
use super::super::super::records::sets;
use super::super::super::{Failure, Found, World};
use super::super::{Asks, Miss, Origin};
use super::{Dns, PORT, RecordType, Trust, Wanted, Way, record, servers_in};
use crate::text::count;

/// What is said of one that fails; the rest is in the step's output.
const SAID: usize = 3;

/// `probe/dns-records`
pub(in super::super::super) struct DnsRecords {
    all: Vec<Dns>,
    /// Where they are published: some providers put its name behind whatever they are given.
    zone: Option<String>,
}

impl DnsRecords {
    pub(in super::super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let servers = servers_in(arguments)?;
        let question = |name: &str, kind: RecordType, values: &[String]| Dns {
            name: name.trim_end_matches('.').to_owned(),
            kind,
            servers: servers.clone(),
            port: PORT,
            way: Way::Udp,
            wanted: Wanted::Exactly(values.iter().map(|value| record::plain(kind, value)).collect()),
            trust: Trust::No,
        };
        let mut all = Vec::new();
        for set in sets(arguments)? {
            // Every type that a set may have is one of the library's; nothing is asked while it is not known.
            let kind = set.r#type.parse::<RecordType>().unwrap_or(RecordType::A);
            all.push(question(&set.name, kind, &set.values));
        }
        if all.is_empty() {
            let what = "probe/dns-records is given neither `records` nor `hosts`";
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        let zone = arguments.optional("zone")?.map(|zone| zone.trim_end_matches('.').to_lowercase());
        Ok(DnsRecords { all, zone })
    }

    /// Where the same record stands under its name and a zone's once more: that of `zone`, or of one above it.
    async fn stands_behind(&self, world: &World, from: &Origin, one: &Dns) -> Option<String> {
        let mut zone = self.zone.as_deref()?;
        loop {
            let (name, wanted, servers) = (format!("{}.{zone}", one.name), one.wanted.clone(), one.servers.clone());
            let doubled =
                Dns { name, kind: one.kind, servers, port: one.port, way: Way::Udp, wanted, trust: Trust::No };
            if doubled.ask(world, from).await.is_ok() {
                let Dns { name, kind, .. } = &doubled;
                return Some(format!(
                    "{} {kind} stands at {name}: the zone's name was put behind it once more",
                    one.name
                ));
            }
            zone = zone.split_once('.').map(|(_, above)| above).filter(|above| above.contains('.'))?;
        }
    }
}

#[async_trait]
impl Asks for DnsRecords {
    fn whom(&self) -> String {
        self.all.first().map(Dns::whom).unwrap_or_default()
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let (mut misses, mut answers) = (Vec::new(), Map::new());
        for one in &self.all {
            match one.ask(world, from).await {
                Ok(found) => {
                    let values = found.output.get("answers").cloned().unwrap_or(Json::Null);
                    answers.insert(format!("{} {}", one.name, one.kind), values);
                }
                Err(Miss::NotSo(said)) => misses.push(self.stands_behind(world, from, one).await.unwrap_or(said)),
                Err(other) => return Err(other),
            }
        }
        if misses.is_empty() {
            let said = format!("{} as agreed, from {} to {from}", count(self.all.len(), "record"), self.whom());
            let servers = self.all.first().map(|one| one.servers.clone()).unwrap_or_default();
            return Ok(found(said, json!({ "answers": answers, "servers": servers })));
        }
        let more = misses.len().saturating_sub(SAID);
        misses.truncate(SAID);
        let more = if more > 0 { format!("; and {} more", count(more, "record")) } else { String::new() };
        Err(Miss::NotSo(format!("{}{more}", misses.join("; "))))
    }
}
