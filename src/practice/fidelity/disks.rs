//! Snapshots of disks, copies of them from other regions, and what holds for all new disks and hosts of a region.
//!
//! Rules: "Amazon EC2 API Reference", the page of each call; "Amazon EBS User Guide", copying a snapshot. A copy with a key
//! that cannot be used, or of an encrypted snapshot without leave of the other region, fails only later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::request::Request;
use super::tags;
use super::world::{Tags, World, stamp};
use super::xml::Xml;

/// Amazon EBS endpoints and quotas: copies at once to one region.
const MOST_COPIES: usize = 20;

/// What is set for a whole region of the account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Defaults {
    pub encrypted: bool,
    /// Nobody has set them.
    pub http_tokens: Option<String>,
    pub hop_limit: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DiskSnapshot {
    pub volume: String,
    pub description: String,
    pub encrypted: bool,
    pub kms_key: Option<String>,
    /// It came from another one.
    pub copied: bool,
    /// Why it never is whole.
    pub failure: Option<String>,
    pub created: i64,
}

/// What is copied, as it is in its own region.
pub(super) enum Abroad {
    Snapshot { is: DiskSnapshot, state: &'static str },
    Image { state: &'static str, disks: Vec<DiskSnapshot> },
}

/// The source of a copy.
pub(super) fn abroad(worlds: &BTreeMap<String, World>, ask: &Request) -> Option<Abroad> {
    let world = worlds.get(ask.get("SourceRegion")?)?;
    if let Some(id) = ask.get("SourceSnapshotId") {
        let is = world.disk_snapshots.get(id)?.clone();
        return Some(Abroad::Snapshot { state: state(world, &is), is });
    }
    let is = world.own_images.get(ask.get("SourceImageId")?)?;
    let disks = is.snapshots.iter().filter_map(|id| world.disk_snapshots.get(id).cloned()).collect();
    Some(Abroad::Image { state: super::own_images::state(world, is), disks })
}

pub(super) fn state(world: &World, one: &DiskSnapshot) -> &'static str {
    let wait = if one.copied { Wait::DiskCopy } else { Wait::DiskSnapshot };
    match (world.now >= one.created + world.pace.millis(wait), &one.failure) {
        (false, _) => "pending",
        (true, Some(_)) => "error",
        (true, None) => "completed",
    }
}

/// `status` it is called where it is described, and `state` where several are made.
fn item(world: &World, id: &str, one: &DiskSnapshot, called: &str) -> Xml {
    let state = state(world, one);
    let head = Xml::new().text("snapshotId", id).text("volumeId", &one.volume).text(called, state);
    let head = head.maybe("statusMessage", one.failure.as_ref().filter(|_| state == "error"));
    let head =
        head.text("startTime", stamp(one.created)).text("progress", if state == "completed" { "100%" } else { "0%" });
    let head = head.text("ownerId", &world.account).text("volumeSize", 20).text("description", &one.description);
    head.text("encrypted", one.encrypted).maybe("kmsKeyId", one.kms_key.as_ref()).set("tagSet", world.tag_set(id))
}

pub(super) fn born(world: &mut World, one: DiskSnapshot, tags: Tags) -> String {
    let id = world.mint("snap");
    world.born(&id, tags);
    world.disk_snapshots.insert(id.clone(), one);
    id
}

/// A snapshot of a disk as it is now.
pub(super) fn of_volume(world: &World, volume: &str, description: &str) -> Result<DiskSnapshot, Refusal> {
    Kind::Volume.check_shape(volume)?;
    let host = world.instances.values().find(|one| one.volume == volume && one.terminated.is_none());
    let host = host.ok_or_else(|| Kind::Volume.not_found(volume))?;
    Ok(DiskSnapshot {
        volume: volume.to_owned(),
        description: description.to_owned(),
        encrypted: host.encrypted,
        kms_key: host.encrypted.then(|| own_key(world)),
        copied: false,
        failure: None,
        created: world.now,
    })
}

/// The key that AWS makes for an account's disks.
fn own_key(world: &World) -> String {
    format!("arn:aws:kms:{}:{}:key/aws-ebs", world.region, world.account)
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::Snapshot)?;
    let volume = call.ask.need("VolumeId")?;
    let one = of_volume(call.world, volume, call.ask.get("Description").unwrap_or_default())?;
    let id = born(call.world, one.clone(), tags);
    Ok(item(call.world, &id, &one, "status"))
}

pub(super) fn create_all(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::Snapshot)?;
    let instance = call.world.instance(call.ask.need("InstanceSpecification.InstanceId")?)?;
    let volume = instance.volume.clone();
    if call.ask.yes("InstanceSpecification.ExcludeBootVolume") {
        return Err(Refusal::value("The instance has no volume beside the one that it boots from."));
    }
    let one = of_volume(call.world, &volume, call.ask.get("Description").unwrap_or_default())?;
    let id = born(call.world, one.clone(), tags);
    Ok(Xml::new().set("snapshotSet", [item(call.world, &id, &one, "state")]))
}

/// A copy in this region, with the key that is asked for.
pub(super) fn copy_of(world: &World, source: &DiskSnapshot, ask: &Request, description: &str) -> DiskSnapshot {
    let encrypted = source.encrypted || ask.yes("Encrypted") || world.defaults.encrypted;
    let key = ask.get("KmsKeyId").map(str::to_owned);
    let unusable = key.as_ref().is_some_and(|key| super::rds::usable(world, key).is_err());
    DiskSnapshot {
        // AWS shows a volume that there never was.
        volume: "vol-ffffffff".to_owned(),
        description: description.to_owned(),
        encrypted,
        kms_key: encrypted.then(|| key.unwrap_or_else(|| own_key(world))),
        copied: true,
        failure: unusable.then(|| "Given key ID is not accessible".to_owned()),
        created: world.now,
    }
}

pub(super) fn copy(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::Snapshot)?;
    let (id, _) = (call.ask.need("SourceSnapshotId")?, call.ask.need("SourceRegion")?);
    Kind::Snapshot.check_shape(id)?;
    let Some(Abroad::Snapshot { is, state }) = &call.abroad else { return Err(Kind::Snapshot.not_found(id)) };
    if *state != "completed" {
        return Err(Refusal::new("IncorrectState", format!("The snapshot {id} is {state}, and must be completed.")));
    }
    let world = &*call.world;
    let on_their_way = world.disk_snapshots.values().filter(|one| one.copied && self::state(world, one) == "pending");
    if on_their_way.count() >= MOST_COPIES {
        return Err(Refusal::new("ResourceLimitExceeded", "Too many snapshot copies are in progress."));
    }
    let mut made = copy_of(world, is, call.ask, call.ask.get("Description").unwrap_or_default());
    let leave = call.ask.get("PresignedUrl").unwrap_or_default();
    let signed = leave.contains(&format!("SourceSnapshotId={id}")) && leave.contains("X-Amz-Signature=");
    if is.encrypted && !(signed && leave.contains(&format!("DestinationRegion={}", world.region))) {
        made.failure = Some("The pre-signed URL does not allow this copy".to_owned());
    }
    let id = born(call.world, made, tags);
    Ok(Xml::new().text("snapshotId", &id).set("tagSet", call.world.tag_set(&id)))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("SnapshotId", Kind::Snapshot, &world.disk_snapshots)?;
    let items = ids.iter().filter_map(|id| Some(item(world, id, world.disk_snapshots.get(id)?, "status")));
    let filters = &[
        ("snapshot-id", "snapshotId"),
        ("volume-id", "volumeId"),
        ("status", "status"),
        ("owner-id", "ownerId"),
        ("description", "description"),
        ("encrypted", "encrypted"),
    ];
    describe(call.ask, "snapshotSet", items.collect(), filters)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("SnapshotId")?.to_owned();
    call.world.find(Kind::Snapshot, &call.world.disk_snapshots, &id)?;
    if let Some((image, _)) = call.world.own_images.iter().find(|(_, image)| image.snapshots.contains(&id)) {
        return Err(Refusal::new("InvalidSnapshot.InUse", format!("The snapshot {id} is currently in use by {image}")));
    }
    call.world.disk_snapshots.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true))
}

pub(super) fn encryption(call: &mut Call<'_>, set: Option<bool>) -> Xml {
    if let Some(on) = set {
        call.world.defaults.encrypted = on;
    }
    Xml::new().text("ebsEncryptionByDefault", call.world.defaults.encrypted)
}

pub(super) fn metadata(call: &Call<'_>) -> Xml {
    let Defaults { http_tokens, hop_limit, .. } = &call.world.defaults;
    let set = Xml::new().maybe("httpTokens", http_tokens.as_ref()).maybe("httpPutResponseHopLimit", *hop_limit);
    Xml::new().tree("accountLevel", set.text("managedBy", "account"))
}

pub(super) fn set_metadata(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tokens = call.ask.get("HttpTokens").map(str::to_owned);
    if tokens.as_deref().is_some_and(|tokens| !["required", "optional", "no-preference"].contains(&tokens)) {
        return Err(Refusal::value("The value for HttpTokens must be optional, required or no-preference."));
    }
    let hops = call.ask.number("HttpPutResponseHopLimit")?;
    if hops.is_some_and(|hops| hops != -1 && !(1..=64).contains(&hops)) {
        return Err(Refusal::value("The value for HttpPutResponseHopLimit must be -1, or from 1 to 64."));
    }
    let defaults = &mut call.world.defaults;
    if let Some(tokens) = tokens {
        defaults.http_tokens = Some(tokens).filter(|tokens| tokens != "no-preference");
    }
    if let Some(hops) = hops {
        defaults.hop_limit = Some(hops).filter(|hops| *hops != -1);
    }
    Ok(Xml::new().text("return", true))
}
