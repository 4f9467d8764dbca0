//! Record sets of a zone: what was there before is put back by an undo.
//!
//! Records carry no tags, and a change of them leaves no trace. So every step that changes some writes, in the same batch,
//! one TXT record beside them: whose they are, which ones, and what each was before. AWS carries out a batch whole or not
//! at all, so the note is there exactly when the change is, whatever happened to the answer. What is too much for one batch
//! goes in several, each with a note of its own, and stays in the one that it began in.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_trait::async_trait;
use serde_json::json;

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_zone::{Zone, said_name};
use super::call::Call;
use super::call::dns::{DnsRequest, RecordChange, RecordSet, Reference};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::records::{TTL, quoted, sets, unquoted};
use super::world::Subject;
use crate::aws::route53::types::{ResourceRecordSet, RrType};
use crate::aws::{AwsFailure, Holder, Kind, Operation};
use crate::engagement::Difference;

/// The first label of the note; after it comes a digest of engagement and key.
const NOTE: &str = "_onramp-";
/// Of a batch: a request takes 1,000 values and 32,000 characters, an UPSERT counts twice, and the note is part of it; a
/// record set, such as the note, has 400 values at most.
const MOST_VALUES: usize = 200;
const MOST_CHARACTERS: usize = 6_000;

/// Every record set of a zone; none where there is no such zone.
pub(super) async fn sets_of(at: &Account<'_>, zone: &str) -> Result<Vec<ResourceRecordSet>, AwsFailure> {
    let mut all = Vec::new();
    let mut next: (Option<String>, Option<RrType>, Option<String>) = (None, None, None);
    loop {
        let (name, kind, identifier) = next;
        let request = at.cloud.route53().list_resource_record_sets().hosted_zone_id(zone).set_start_record_name(name);
        let request = request.set_start_record_type(kind).set_start_record_identifier(identifier);
        let page = match at.cloud.read(Operation::ListResourceRecordSets, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => return Ok(Vec::new()),
            page => page?,
        };
        all.extend(page.resource_record_sets);
        if !page.is_truncated || page.next_record_name.is_none() {
            return Ok(all);
        }
        next = (page.next_record_name, page.next_record_type, page.next_record_identifier);
    }
}

/// Name and type.
type Place = (String, String);

fn place(set: &RecordSet) -> Place {
    (set.name.clone(), set.r#type.clone())
}

/// A set of plain values; none for an alias or one of several with identifiers, which onramp neither makes nor replaces.
fn plain(set: &ResourceRecordSet) -> Option<RecordSet> {
    let values: Vec<String> = set.resource_records().iter().map(|record| record.value().to_owned()).collect();
    (set.set_identifier().is_none() && !values.is_empty()).then(|| RecordSet {
        // AWS writes what is no letter, digit or hyphen as \ooo.
        name: set.name().replace("\\052", "*"),
        r#type: set.r#type().as_str().to_owned(),
        ttl: set.ttl().unwrap_or_default(),
        values,
    })
}

fn same(one: &RecordSet, other: &RecordSet) -> bool {
    let sorted = |set: &RecordSet| {
        let mut values = set.values.clone();
        values.sort_unstable();
        values
    };
    one.ttl == other.ttl && sorted(one) == sorted(other)
}

fn said(set: &RecordSet) -> String {
    format!("{} for {} s", crate::text::list(&set.values), set.ttl)
}

/// What a step wrote down beside its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Note {
    /// Name and type of each set that it made, with what was there before.
    made: BTreeMap<Place, Option<(i64, Vec<String>)>>,
}

impl Note {
    /// As values of a TXT record: `NAME TYPE` or `NAME TYPE TTL VALUE,VALUE`, after a first one that says whose they are.
    fn values(&self, engagement: &str, key: &str) -> Vec<String> {
        let head = format!("onramp engagement={engagement} key={}", plainly(key));
        let line = |((name, kind), before): (&Place, &Option<(i64, Vec<String>)>)| match before {
            None => format!("{name} {kind}"),
            Some((ttl, values)) => {
                let values: Vec<String> = values.iter().map(|value| plainly(value)).collect();
                format!("{name} {kind} {ttl} {}", values.join(","))
            }
        };
        std::iter::once(head).chain(self.made.iter().map(line)).map(|text| quoted(&text)).collect()
    }

    /// Reads one back, with whose it is.
    fn of(set: &RecordSet) -> Option<(String, String, Note)> {
        if set.r#type != "TXT" || !set.name.starts_with(NOTE) {
            return None;
        }
        let (mut whose, mut note) = (None, Note::default());
        for text in set.values.iter().map(|value| unquoted(value)) {
            let words: Vec<&str> = text.split(' ').collect();
            match words.as_slice() {
                ["onramp", engagement, key] => {
                    whose = engagement
                        .strip_prefix("engagement=")
                        .zip(key.strip_prefix("key="))
                        .map(|(engagement, key)| (engagement.to_owned(), deciphered(key)));
                }
                [name, kind] => drop(note.made.insert(((*name).to_owned(), (*kind).to_owned()), None)),
                [name, kind, ttl, values] => {
                    let before = (ttl.parse().ok()?, values.split(',').map(deciphered).collect());
                    note.made.insert(((*name).to_owned(), (*kind).to_owned()), Some(before));
                }
                _ => {}
            }
        }
        whose.map(|(engagement, key)| (engagement, key, note))
    }
}

/// Whatever is no letter, digit or one of `.:/_-` as %XX.
fn plainly(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn deciphered(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16)).unwrap_or_default() as u8;
        out.push(if byte == b'%' { digit() * 16 + digit() } else { byte });
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `aws/dns-records`
pub(super) struct TheRecords {
    zone: String,
    wanted: Vec<RecordSet>,
    key: String,
    engagement: String,
}

impl TheRecords {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let wanted = sets(&arguments)?;
        let advice = "Correct the step in the runbook, or the inputs that it is made of.";
        if wanted.is_empty() {
            return Err(Failure::new("aws/dns-records is given neither `records` nor `hosts`", advice));
        }
        if let Some(set) = wanted.iter().find(|set| !Load::default().has_room_for(set)) {
            let (name, kind, load) = (said_name(&set.name), &set.r#type, Load::of(set));
            let what = format!(
                "{name} {kind} has {} values of {} characters; one name and type takes {MOST_VALUES} of \
                 {MOST_CHARACTERS} in all",
                load.values, load.characters
            );
            return Err(Failure::new(what, advice));
        }
        let (zone, key) = (arguments.text("zone")?, arguments.text("key")?);
        Ok(TheRecords { zone, wanted, key, engagement: subject.engagement.clone() })
    }

    /// What the names of the notes begin with.
    fn note_label(&self) -> String {
        let digest = crate::engagement::digest_of(&json!(Reference::beginning(&self.engagement, &self.key)));
        format!("{NOTE}{}", &digest[..16])
    }

    /// Beside the first record; it stays where it is when the records are others later.
    fn note_name(&self, batch: usize) -> String {
        let beside = self.wanted.first().map_or("", |set| set.name.trim_start_matches("*."));
        let number = if batch == 0 { String::new() } else { format!("-{}", batch + 1) };
        format!("{}{number}.{beside}", self.note_label())
    }

    /// Of which batch a note of that name is.
    fn batch_of(&self, note: &str) -> Option<usize> {
        let (number, _) = note.strip_prefix(&self.note_label())?.split_once('.')?;
        match number.strip_prefix('-') {
            None => number.is_empty().then_some(0),
            Some(number) => number.parse::<usize>().ok()?.checked_sub(1),
        }
    }

    fn note_set(&self, name: String, note: &Note) -> RecordSet {
        RecordSet { name, r#type: "TXT".to_owned(), ttl: TTL.into(), values: note.values(&self.engagement, &self.key) }
    }

    fn call(&self, changes: Vec<RecordChange>) -> Call {
        Call::Dns(DnsRequest::ChangeResourceRecordSets { hosted_zone_id: self.zone.clone(), changes })
    }

    async fn there(&self, at: &Account<'_>) -> Result<There, AwsFailure> {
        let mut there = There::default();
        if !known(&self.zone) {
            return Ok(there);
        }
        for set in sets_of(at, &self.zone).await? {
            let Some(set_is) = plain(&set) else {
                there.other.push((set.name().to_owned(), set.r#type().as_str().to_owned()));
                continue;
            };
            if let Some((engagement, key, note)) = Note::of(&set_is) {
                match self.batch_of(&set_is.name).filter(|_| engagement == self.engagement) {
                    Some(batch) => drop(there.ours.insert(batch, (set_is.clone(), note))),
                    None => there.notes.push((engagement, key, note)),
                }
            }
            there.sets.insert(place(&set_is), set_is);
        }
        Ok(there)
    }
}

/// What a zone holds.
#[derive(Default)]
struct There {
    sets: BTreeMap<Place, RecordSet>,
    /// Aliases, and sets with identifiers.
    other: Vec<Place>,
    /// Notes of ours, by batch.
    ours: BTreeMap<usize, (RecordSet, Note)>,
    /// Those of other steps and engagements.
    notes: Vec<(String, String, Note)>,
}

impl There {
    fn id(&self) -> Option<String> {
        self.ours.values().next().map(|(set, _)| set.name.clone())
    }
}

/// How much a batch carries already.
#[derive(Default, Clone, Copy)]
struct Load {
    values: usize,
    characters: usize,
}

impl Load {
    fn of(set: &RecordSet) -> Load {
        let characters = set.name.len() + set.values.iter().map(String::len).sum::<usize>();
        Load { values: set.values.len(), characters }
    }

    fn and(self, other: Load) -> Load {
        Load { values: self.values + other.values, characters: self.characters + other.characters }
    }

    fn has_room_for(self, set: &RecordSet) -> bool {
        let Load { values, characters } = self.and(Load::of(set));
        values <= MOST_VALUES && characters <= MOST_CHARACTERS
    }
}

/// What has to be done to the records.
#[derive(Default)]
struct Plan {
    /// A batch each.
    changes: Vec<Vec<RecordChange>>,
    differences: Vec<Difference>,
    /// Something that is not ours has the place of one.
    replaces: bool,
}

impl TheRecords {
    /// Why onramp will not touch a record by itself.
    fn forbidden(&self, there: &There, zone: &Zone) -> Option<Sight> {
        let foreign = |said: String, wanted: &RecordSet, found: String| {
            Some(Sight::Foreign {
                said,
                differences: vec![difference(said_name(&wanted.name), said_of(wanted), found)],
            })
        };
        for set in &self.wanted {
            let (name, kind) = (said_name(&set.name), &set.r#type);
            if set.name == zone.name() && kind == "NS" {
                return foreign(
                    format!("the name servers of {name} itself are AWS's"),
                    set,
                    "those of the zone".to_owned(),
                );
            }
            if set.name != zone.name() && !set.name.ends_with(&format!(".{}", zone.name())) {
                return foreign(
                    format!("{name} is not in the zone {}", said_name(zone.name())),
                    set,
                    "another zone's".to_owned(),
                );
            }
            if there.other.contains(&place(set)) {
                return foreign(
                    format!("{name} {kind} is an alias, or one of several sets"),
                    set,
                    "an alias".to_owned(),
                );
            }
            let owner = there.notes.iter().find(|(_, _, note)| note.made.contains_key(&place(set)));
            if let Some((engagement, key, _)) = owner {
                let whose = if *engagement == self.engagement {
                    format!("ours as {key}")
                } else {
                    format!("the engagement {engagement}'s")
                };
                return foreign(format!("{name} {kind} is made by somebody else"), set, whose);
            }
        }
        None
    }

    /// Which records go with which note: where they stand in one already, with that; the others where there is room.
    fn batches(&self, there: &There) -> BTreeMap<usize, Vec<&RecordSet>> {
        let mut batches: BTreeMap<usize, (Load, Vec<&RecordSet>)> = BTreeMap::new();
        for (number, (_, note)) in &there.ours {
            let given_up = note.made.keys().filter(|place| !self.wanted.iter().any(|set| self::place(set) == **place));
            let back = given_up.filter_map(|place| there.sets.get(place)).map(Load::of);
            batches.insert(*number, (back.fold(Load::default(), Load::and), Vec::new()));
        }
        let stands_in = |set: &RecordSet| there.ours.iter().find(|(_, (_, note))| note.made.contains_key(&place(set)));
        let (old, new): (Vec<_>, Vec<_>) = self.wanted.iter().partition(|set| stands_in(set).is_some());
        let mut room = 0;
        for set in old.into_iter().chain(new) {
            let number = stands_in(set).map(|(number, _)| *number).unwrap_or_else(|| {
                while batches.get(&room).is_some_and(|(load, _)| !load.has_room_for(set)) {
                    room += 1;
                }
                room
            });
            let (load, sets) = batches.entry(number).or_default();
            *load = load.and(Load::of(set));
            sets.push(set);
        }
        batches.into_iter().map(|(number, (_, sets))| (number, sets)).collect()
    }

    fn plan(&self, there: &There) -> Plan {
        let mut plan = Plan::default();
        for (number, wanted) in self.batches(there) {
            let changes = self.changes_of(there, number, &wanted, &mut plan);
            if !changes.is_empty() {
                plan.changes.push(changes);
            }
        }
        plan
    }

    /// What one batch has to change; what differs goes into the plan.
    fn changes_of(&self, there: &There, number: usize, wanted: &[&RecordSet], plan: &mut Plan) -> Vec<RecordChange> {
        let mut changes = Vec::new();
        let (name, old) = match there.ours.get(&number) {
            Some((set, note)) => (set.name.clone(), note.clone()),
            None => (self.note_name(number), Note::default()),
        };
        let mut note = Note::default();
        for &set in wanted {
            let now = there.sets.get(&place(set));
            let ours = old.made.get(&place(set));
            if let Some(before) = ours {
                note.made.insert(place(set), before.clone());
            }
            if now.is_some_and(|now| same(now, set)) {
                continue;
            }
            if ours.is_none() {
                plan.replaces |= now.is_some();
                note.made.insert(place(set), now.map(|now| (now.ttl, now.values.clone())));
            }
            changes.push(RecordChange::Upsert(set.clone()));
            let what = format!("{} {}", said_name(&set.name), set.r#type);
            plan.differences.push(difference(&what, said(set), now.map_or_else(|| "nothing".to_owned(), said)));
        }
        for (place, before) in old.made.iter().filter(|(place, _)| !note.made.contains_key(*place)) {
            changes.extend(back(there, place, before.as_ref()));
            let what = format!("{} {}", said_name(&place.0), place.1);
            let now = there.sets.get(place).map_or_else(|| "nothing".to_owned(), said);
            plan.differences.push(difference(&what, "as it was before", now));
        }
        match (there.ours.get(&number), note == old, note.made.is_empty()) {
            (_, true, _) | (None, _, true) => {}
            (Some((set, _)), _, true) => changes.push(RecordChange::Delete(set.clone())),
            (_, _, false) => changes.push(RecordChange::Upsert(self.note_set(name, &note))),
        }
        changes
    }

    /// All of them with their notes, as from nothing.
    fn all(&self, id: Option<&str>, change: fn(RecordSet) -> RecordChange) -> Vec<Call> {
        let batch = |(number, sets): (usize, Vec<&RecordSet>)| {
            let note = Note { made: sets.iter().map(|set| (place(set), None)).collect() };
            let name = id.filter(|_| number == 0).map_or_else(|| self.note_name(number), str::to_owned);
            let sets = sets.into_iter().cloned().chain([self.note_set(name, &note)]);
            self.call(sets.map(change).collect())
        };
        self.batches(&There::default()).into_iter().map(batch).collect()
    }
}

fn said_of(set: &RecordSet) -> String {
    format!("{} {}", set.r#type, said(set))
}

/// What puts a record back to what it was before; nothing where it is gone already.
fn back(there: &There, place: &Place, before: Option<&(i64, Vec<String>)>) -> Option<RecordChange> {
    let now = there.sets.get(place);
    match before {
        Some((ttl, values)) => {
            let set = RecordSet { name: place.0.clone(), r#type: place.1.clone(), ttl: *ttl, values: values.clone() };
            Some(RecordChange::Upsert(set))
        }
        None => now.map(|now| RecordChange::Delete(now.clone())),
    }
}

#[async_trait]
impl Thing for TheRecords {
    fn noun(&self) -> String {
        format!("{} {}", crate::text::count(self.wanted.len(), "record"), self.key)
    }

    fn calls(&self) -> Vec<Call> {
        self.all(None, RecordChange::Upsert)
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let nothing = |why: &str| Sight::Nothing { said: format!("{} not there: {why}", self.noun()) };
        if !known(&self.zone) || self.wanted.iter().any(|set| !known(&set.name)) {
            return Ok(nothing("they or their zone are not known yet"));
        }
        let Some(zone) = Zone::of_id(at, &self.zone).await? else { return Ok(nothing("their zone is not there")) };
        let there = self.there(at).await?;
        if let Some(forbidden) = self.forbidden(&there, &zone) {
            return Ok(forbidden);
        }
        let plan = self.plan(&there);
        let id = there.id();
        if plan.changes.is_empty() {
            let lines: Vec<String> =
                self.wanted.iter().map(|set| format!("{} {}", said_name(&set.name), said_of(set))).collect();
            let names: Vec<&str> = self.wanted.iter().map(|set| said_name(&set.name)).collect();
            let mut found = found(lines.join("; "), json!({ "id": id.clone().unwrap_or_default(), "names": names }));
            found.foreign = id.is_none();
            return Ok(Sight::Ready(found));
        }
        let none = self.wanted.iter().all(|set| !there.sets.contains_key(&place(set)));
        if none && there.ours.is_empty() {
            return Ok(nothing("the zone has no records of these names and types"));
        }
        let lines: Vec<String> = plan.differences.iter().map(|one| format!("{}: {}", one.what, one.found)).collect();
        let calls = plan.changes.into_iter().map(|changes| self.call(changes)).collect();
        if plan.replaces && there.ours.is_empty() {
            let said = format!("others have the place of {}: {}", self.noun(), lines.join("; "));
            return Ok(Sight::Replaces { said, calls });
        }
        let said = format!("{} are there, but not as wanted", self.noun());
        let keep = id.map(|id| ("id".to_owned(), json!(id))).into_iter().collect();
        Ok(Sight::Partial(Partial { said, differences: plan.differences, missing: calls, keep }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(self.there(at).await?.id().into_iter().collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        self.all(Some(id).filter(|id| known(id)), RecordChange::Delete)
    }

    async fn holder(&self, at: &Account<'_>, _id: &str) -> Result<Holder, AwsFailure> {
        let id = self.there(at).await?.id();
        Ok(id.map_or(Holder::Stranger, |_| Holder::Us { key: self.key.clone() }))
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let there = self.there(at).await?;
        let taken = |(set, note): &(RecordSet, Note)| {
            let back = note.made.iter().filter_map(|(place, before)| back(&there, place, before.as_ref()));
            self.call(back.chain([RecordChange::Delete(set.clone())]).collect())
        };
        let calls: Vec<Call> = there.ours.values().map(taken).collect();
        Ok(if calls.is_empty() { Remains::Gone } else { Remains::Takes(calls) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_as_it_was_written_whatever_stood_there_before() {
        let place = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        let text = format!("\"v=spf1 include:x, y {}\"", "z".repeat(300));
        let made = BTreeMap::from([
            (place("gw.mc.acme.example.", "A"), None),
            (place("mail.mc.acme.example.", "TXT"), Some((60, vec![text, "\"a \\\" quote\"".to_owned()]))),
        ]);
        let note = Note { made };
        let values = note.values("e1", "dns/hosts of it");
        assert!(values.iter().all(|value| value.split("\" \"").all(|part| part.trim_matches('"').len() <= 255)));
        let set = RecordSet { name: format!("{NOTE}0.x."), r#type: "TXT".to_owned(), ttl: 300, values };
        assert_eq!(Note::of(&set), Some(("e1".to_owned(), "dns/hosts of it".to_owned(), note)));
    }
}
