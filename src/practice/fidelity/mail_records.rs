//! What SES looks for in the DNS, and what it has found by now.

use super::pace::Wait;
use super::services::{EVERYWHERE, Visit};
use super::world::World;

/// AWS stops to look after three days.
const GIVES_UP: i64 = 72 * 3_600_000;

/// One record.
pub(super) struct Wanted {
    pub name: String,
    pub kind: &'static str,
    pub value: String,
    /// It may have no neighbour.
    pub alone: bool,
}

impl Wanted {
    /// What AWS calls what is wrong with the values of the name, if something is.
    fn fault(&self, values: Option<&[String]>) -> Option<&'static str> {
        let right = |value: &String| value.trim_end_matches('.').eq_ignore_ascii_case(&self.value);
        match values {
            None => Some("HOST_NOT_FOUND"),
            Some([]) => Some("TYPE_NOT_FOUND"),
            Some(values) if !values.iter().any(right) || (self.alone && values.len() > 1) => Some("INVALID_VALUE"),
            Some(_) => None,
        }
    }
}

/// What a name server says of a record.
struct Seen {
    /// None where there is no such name.
    values: Option<Vec<String>>,
    since: i64,
    server: String,
}

impl Seen {
    fn of(names: Option<&World>, wanted: &Wanted, now: i64) -> Seen {
        if let Some(zone) = names.and_then(|names| names.zones.public(&wanted.name)) {
            let server = zone.name_servers.first().cloned().unwrap_or_default();
            return Seen { values: zone.values(&wanted.name, wanted.kind), since: zone.changed, server };
        }
        let there = names.and_then(|names| names.published.of(&wanted.name, now));
        let of_kind = || there.iter().flatten().filter(|(_, record)| record.kind == wanted.kind);
        Seen {
            since: of_kind().map(|(when, _)| *when).max().unwrap_or(now),
            values: there.as_ref().map(|_| of_kind().map(|(_, record)| record.value.clone()).collect()),
            server: format!(
                "ns1.{}",
                wanted.name.split_once("_domainkey.").map_or(&*wanted.name, |(_, domain)| domain)
            ),
        }
    }
}

/// How far it is.
pub(super) struct Search {
    /// From when on it is known to be right.
    found: Option<i64>,
    since: i64,
    now: i64,
    /// What is wrong, and the server that said so.
    pub trouble: Option<(&'static str, String)>,
}

impl Search {
    /// The record has to stand in the account's public zone for its name; where there is none, in the customer's.
    pub fn of(visit: &mut Visit<'_>, wanted: Vec<Wanted>, since: i64) -> Search {
        let world = visit.world();
        let (now, wait) = (world.now, world.pace.millis(Wait::MailRecords));
        let (mut from, mut trouble) = (since, None);
        for one in &wanted {
            let seen = Seen::of(visit.elsewhere(EVERYWHERE), one, now);
            match one.fault(seen.values.as_deref()) {
                Some(fault) => trouble = Some((fault, seen.server)),
                None => from = from.max(seen.since),
            }
        }
        Search { found: trouble.is_none().then_some(from + wait), since, now, trouble }
    }

    /// In AWS's words.
    pub fn status(&self) -> &'static str {
        match self.found {
            Some(found) if self.now >= found => "SUCCESS",
            _ if self.now - self.since > GIVES_UP => "FAILED",
            _ => "PENDING",
        }
    }
}
