//! What stands in name servers outside of the account: what the customer was asked to publish, and the keys that belong to
//! what SES signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Names, Record, Said, View, whole, within};
use crate::practice::fidelity::Layer;
use crate::practice::fidelity::mail_post::key_of;
use crate::practice::fidelity::pace::Wait;
use crate::practice::fidelity::services::EVERYWHERE;

/// Where SES keeps the public halves of its keys.
const KEYS: &str = "dkim.amazonses.com.";
const TTL: i64 = 300;

/// The records of the customer's, each with when it was published.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::practice::fidelity) struct Published(Vec<(i64, Record)>);

impl Published {
    /// The customer's people write it down; what stands there already stays as it is.
    pub fn add(&mut self, record: Record, when: i64) {
        let record = Record { name: whole(&record.name), kind: record.kind.to_uppercase(), ..record };
        let same =
            |there: &Record| (&there.name, &there.kind, &there.value) == (&record.name, &record.kind, &record.value);
        if !self.0.iter().any(|(_, there)| same(there)) {
            self.0.push((when, record));
        }
    }

    /// The records of a name that can be seen by now, each with since when; none where the name is not there.
    pub fn of(&self, name: &str, now: i64) -> Option<Vec<&(i64, Record)>> {
        let name = whole(name);
        let of_name: Vec<_> = self.0.iter().filter(|(when, record)| *when <= now && record.name == name).collect();
        (!of_name.is_empty()).then_some(of_name)
    }
}

impl Layer {
    /// Somebody at the customer's was asked for these records.
    pub(crate) async fn customer_publishes(&mut self, now: i64, records: Vec<Record>) {
        // What is one for all regions has no default VPC, whose making alone could fail.
        if self.open(EVERYWHERE, now).await.is_ok() {
            let world = self.world(EVERYWHERE);
            let when = now + world.pace.millis(Wait::CustomerNames);
            records.into_iter().for_each(|record| world.published.add(record, when));
        }
    }
}

impl Names<'_> {
    /// A name of which none of the account's zones speaks.
    pub(super) fn beyond(&self, view: &View, name: &str, kind: &str, depth: usize) -> Said {
        if within(name, KEYS) {
            let token = name.strip_suffix(&format!(".{KEYS}")).unwrap_or_default();
            let Some(key) = key_of(token) else { return Said::NoSuchName };
            let value = format!("\"v=DKIM1; k=ed25519; p={}\"", STANDARD.encode(key.public_key()));
            let record = Record { name: name.to_owned(), kind: kind.to_owned(), ttl: TTL, value };
            return Said::Records(if kind == "TXT" { vec![record] } else { Vec::new() });
        }
        let Some(there) = self.zones.and_then(|world| world.published.of(name, world.now)) else {
            return Said::Outside;
        };
        let of = |wanted: &str| -> Vec<Record> {
            there.iter().map(|(_, record)| record).filter(|record| record.kind == wanted).cloned().collect()
        };
        let found = of(kind);
        let aliases = of("CNAME");
        if found.is_empty() && !aliases.is_empty() {
            self.led(view, aliases, kind, depth)
        } else {
            Said::Records(found)
        }
    }
}
