//! What SES looks for in the DNS, and what it has found by now.

use super::pace::Wait;
use super::services::{EVERYWHERE, Visit};

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
    /// Where the account has a public zone for the name, the record has to stand in it. Otherwise somebody publishes it
    /// after a while.
    pub fn of(visit: &mut Visit<'_>, wanted: Vec<Wanted>, since: i64) -> Search {
        let world = visit.world();
        let (now, wait) = (world.now, world.pace.millis(Wait::MailRecords));
        let (mut from, mut trouble) = (since, None);
        for one in &wanted {
            let Some(zone) = visit.elsewhere(EVERYWHERE).and_then(|names| names.zones.public(&one.name)) else {
                continue;
            };
            match zone.values(&one.name, one.kind) {
                None => trouble = Some(("HOST_NOT_FOUND", zone)),
                Some(values) if values.is_empty() => trouble = Some(("TYPE_NOT_FOUND", zone)),
                Some(values) => {
                    let right = |value: &String| value.trim_end_matches('.').eq_ignore_ascii_case(&one.value);
                    if !values.iter().any(right) || (one.alone && values.len() > 1) {
                        trouble = Some(("INVALID_VALUE", zone));
                    }
                    from = from.max(zone.changed);
                }
            }
        }
        let trouble = trouble.map(|(error, zone)| (error, zone.name_servers.first().cloned().unwrap_or_default()));
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
