//! RDS: snapshots of databases and their copies in other regions. What Cloud Control has made is a database here as well.
//!
//! Rules: "Amazon RDS API Reference", the page of each action and its errors; "Amazon RDS User Guide", copying a DB snapshot
//! for keys of other regions. The answers are written by winterbaume, from its own model of each object; it answers alone
//! what does not depend on the account. Of a database only the entry is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use winterbaume_core::MockResponse;
use winterbaume_rds::model;
use winterbaume_rds::wire;

use super::control::{self, DATABASE, Resource};
use super::pace::Wait;
use super::refusal::Refusal;
use super::request::Request;
use super::services::{Answer, Visit};
use super::world::{Tags, World, stamp};
use super::{rds_exports, rds_restores};

/// What is the same for every account.
const CATALOGUE: [&str; 3] =
    ["DescribeDBEngineVersions", "DescribeOrderableDBInstanceOptions", "DescribeSourceRegions"];
/// Amazon RDS user guide, quotas: manual snapshots of a region.
const MOST_SNAPSHOTS: usize = 100;

/// One thing, from when it is there, and until when.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Timed<T> {
    pub is: T,
    pub since: i64,
    pub until: Option<i64>,
}

/// What RDS itself knows in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Databases {
    pub restored: BTreeMap<String, Timed<model::DBInstance>>,
    pub snapshots: BTreeMap<String, Timed<model::DBSnapshot>>,
    /// Backups of databases of other regions, by the ARN of the database.
    pub backups: BTreeMap<String, Timed<model::DBInstanceAutomatedBackup>>,
    pub exports: BTreeMap<String, Timed<model::ExportTask>>,
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    rds_restores::settle(visit.world());
    let answered = match visit.ask.action() {
        "DescribeDBInstances" => rds_restores::list(visit),
        "DescribeDBSnapshots" => list(visit),
        "CreateDBSnapshot" => create(visit),
        "CopyDBSnapshot" => copy(visit),
        "DeleteDBSnapshot" => delete(visit),
        "RestoreDBInstanceFromDBSnapshot" => rds_restores::of_snapshot(visit),
        "RestoreDBInstanceToPointInTime" => rds_restores::of_the_past(visit),
        "DeleteDBInstance" => rds_restores::delete(visit),
        "DescribeDBInstanceAutomatedBackups" => rds_restores::list_backups(visit),
        "StartDBInstanceAutomatedBackupsReplication" => rds_restores::replicate(visit),
        "StopDBInstanceAutomatedBackupsReplication" => rds_restores::stop(visit),
        "DescribeExportTasks" => rds_exports::list(visit),
        "StartExportTask" => rds_exports::start(visit),
        "CancelExportTask" => rds_exports::cancel(visit),
        other if CATALOGUE.contains(&other) => return Ok(None),
        other => return Err(Refusal::new("InvalidAction", format!("The practice cloud does not do {other}."))),
    };
    answered.map(|answer| Some(String::from_utf8_lossy(&answer.body).into_owned()))
}

/// Under which its tags stand.
pub(super) fn place(of: &str, id: &str) -> String {
    format!("rds/{of}/{id}")
}

pub(super) fn tags(ask: &Request) -> Tags {
    let pair = |prefix: String| {
        let text = |name: &str| ask.get(&format!("{prefix}{name}")).unwrap_or_default().to_owned();
        (text("Key"), text("Value"))
    };
    ask.prefixes("Tags.Tag").into_iter().map(pair).collect()
}

pub(super) fn tag_list(world: &World, place: &str) -> Option<model::TagList> {
    let tag = |(key, value): (&String, &String)| model::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    Some(model::TagList { items: world.tags.get(place).into_iter().flatten().map(tag).collect() })
}

pub(super) fn need(ask: &Request, name: &str) -> Result<String, Refusal> {
    let missing = || Refusal::new("MissingParameter", format!("The request must contain the parameter {name}"));
    ask.get(name).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(missing)
}

/// RDS keeps names in small letters.
pub(super) fn new_name(ask: &Request, parameter: &str, most: usize) -> Result<String, Refusal> {
    let name = need(ask, parameter)?.to_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let shaped = name.chars().all(good) && !name.contains("--") && !name.ends_with('-') && name.len() <= most;
    if shaped && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(name);
    }
    let message = format!(
        "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII \
         letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    );
    Err(Refusal::value(message))
}

pub(super) fn arn(world: &World, of: &str, id: &str) -> String {
    format!("arn:aws:rds:{}:{}:{of}:{id}", world.region, world.account)
}

/// May what is made in this region be encrypted with that key?
pub(super) fn usable(world: &World, key: &str) -> Result<(), Refusal> {
    let at_home = !key.starts_with("arn:") || key.split(':').nth(3) == Some(&world.region);
    let id = key.rsplit([':', '/']).next().unwrap_or_default();
    let alias = key.find("alias/").map_or("", |at| &key[at..]);
    let there = |kind: &str, id: &str| world.control.of_kind(kind, world.now).any(|one| one.id == id);
    let known = alias.starts_with("alias/aws/") || there("AWS::KMS::Alias", alias) || there("AWS::KMS::Key", id);
    if at_home && known {
        return Ok(());
    }
    let message = format!(
        "The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it."
    );
    Err(Refusal::new("KMSKeyNotAccessibleFault", message))
}

fn text(model: &serde_json::Map<String, Json>, name: &str) -> Option<String> {
    model.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// One that Cloud Control has made.
fn made_elsewhere(world: &World, one: &Resource) -> model::DBInstance {
    let yes = |name: &str| one.model.get(name) == Some(&Json::Bool(true));
    let status = if world.control.is_going_on(DATABASE, &one.id, world.now) { "creating" } else { "available" };
    model::DBInstance {
        d_b_instance_identifier: Some(one.id.clone()),
        d_b_instance_arn: text(&one.model, "DBInstanceArn"),
        d_b_instance_class: text(&one.model, "DBInstanceClass"),
        d_b_instance_status: Some(status.to_owned()),
        engine: text(&one.model, "Engine"),
        backup_retention_period: Some(
            one.model.get("BackupRetentionPeriod").and_then(Json::as_i64).map_or(1, |days| days as i32),
        ),
        storage_encrypted: Some(yes("StorageEncrypted")),
        kms_key_id: text(&one.model, "KmsKeyId"),
        deletion_protection: Some(yes("DeletionProtection")),
        tag_list: tag_list(world, &control::place(DATABASE, &one.id)),
        ..model::DBInstance::default()
    }
}

/// All that are there, whoever made them.
pub(super) fn instances(world: &World) -> Vec<model::DBInstance> {
    let made = world.control.of_kind(DATABASE, world.now).map(|one| made_elsewhere(world, one));
    let restored = world.databases.restored.iter().filter(|(id, _)| world.visible(&place("db", id)));
    made.chain(restored.map(|(id, one)| rds_restores::shown(world, id, one))).collect()
}

pub(super) fn instance(world: &World, id: &str) -> Result<model::DBInstance, Refusal> {
    let found = instances(world).into_iter().find(|one| one.d_b_instance_identifier.as_deref() == Some(id));
    found.ok_or_else(|| Refusal::new("DBInstanceNotFound", format!("DBInstance {id} not found.")))
}

pub(super) fn available(instance: &model::DBInstance) -> Result<(), Refusal> {
    if instance.d_b_instance_status.as_deref() == Some("available") {
        return Ok(());
    }
    let id = instance.d_b_instance_identifier.as_deref().unwrap_or_default();
    let message = format!("Instance {id} is not currently in the available state.");
    Err(Refusal::new("InvalidDBInstanceState", message))
}

/// A snapshot as it is described now.
pub(super) fn shown(world: &World, id: &str, one: &Timed<model::DBSnapshot>) -> model::DBSnapshot {
    let wait =
        world.pace.millis(if one.is.source_region.is_some() { Wait::DatabaseCopy } else { Wait::DatabaseSnapshot });
    let (passed, done) = (world.now - one.since, world.now >= one.since + wait);
    let percent = if done { 100 } else { passed * 100 / wait.max(1) };
    let status = match (done, &one.is.source_region) {
        (true, _) => "available",
        (false, Some(_)) => "copying",
        (false, None) => "creating",
    };
    model::DBSnapshot {
        status: Some(status.to_owned()),
        percent_progress: Some(percent as i32),
        tag_list: tag_list(world, &place("snapshot", id)),
        ..one.is.clone()
    }
}

/// By its name, or by its ARN.
pub(super) fn snapshot(world: &World, id: &str) -> Result<model::DBSnapshot, Refusal> {
    let name = id.rsplit_once(":snapshot:").map_or(id, |(_, name)| name);
    let seen = world.databases.snapshots.get(name).filter(|_| world.visible(&place("snapshot", name)));
    let none = || Refusal::new("DBSnapshotNotFound", format!("DBSnapshot {id} not found."));
    seen.map(|one| shown(world, name, one)).ok_or_else(none)
}

pub(super) fn whole(snapshot: &model::DBSnapshot) -> Result<(), Refusal> {
    match snapshot.status.as_deref() {
        Some("available") => Ok(()),
        status => {
            let message = format!("The snapshot is in {} state, and must be available.", status.unwrap_or_default());
            Err(Refusal::new("InvalidDBSnapshotState", message))
        }
    }
}

fn list(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let world = visit.world();
    let items = match ask.get("DBSnapshotIdentifier") {
        Some(id) => vec![snapshot(world, id)?],
        None => {
            let seen = world.databases.snapshots.iter().filter(|(id, _)| world.visible(&place("snapshot", id)));
            let of = ask.get("DBInstanceIdentifier");
            let fits = |one: &model::DBSnapshot| of.is_none_or(|of| one.d_b_instance_identifier.as_deref() == Some(of));
            seen.map(|(id, one)| shown(world, id, one)).filter(fits).collect()
        }
    };
    let found = model::DBSnapshotMessage { d_b_snapshots: Some(model::DBSnapshotList { items }), marker: None };
    Ok(wire::serialize_describe_d_b_snapshots_response(&found))
}

/// Is the name free, and is there room?
pub(super) fn room(world: &World, id: &str) -> Result<(), Refusal> {
    if world.databases.snapshots.contains_key(id) {
        let message = format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
        return Err(Refusal::new("DBSnapshotAlreadyExists", message));
    }
    if world.databases.snapshots.len() >= MOST_SNAPSHOTS {
        return Err(Refusal::new("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots"));
    }
    Ok(())
}

/// The last one of a database that goes is made in the same way.
pub(super) fn keep(world: &mut World, of: &model::DBInstance, id: &str, tags: Tags) -> model::DBSnapshot {
    let is = model::DBSnapshot {
        d_b_snapshot_identifier: Some(id.to_owned()),
        d_b_snapshot_arn: Some(arn(world, "snapshot", id)),
        d_b_instance_identifier: of.d_b_instance_identifier.clone(),
        engine: of.engine.clone(),
        encrypted: of.storage_encrypted,
        kms_key_id: of.kms_key_id.clone(),
        snapshot_create_time: Some(stamp(world.now)),
        snapshot_type: Some("manual".to_owned()),
        allocated_storage: of.allocated_storage,
        ..model::DBSnapshot::default()
    };
    born(world, id, is, tags)
}

/// The handler behind Cloud Control takes a last snapshot of a database that goes, under a name of its own (AWS's handlers
/// of RDS are public: a request that does not say whether one is wanted is taken for yes).
pub(super) fn last_snapshot(world: &mut World, id: &str) {
    let Ok(of) = instance(world, id) else { return };
    let name = world.mint(&format!("snapshot-{id}"));
    keep(world, &of, &name, Tags::new());
}

fn born(world: &mut World, id: &str, is: model::DBSnapshot, tags: Tags) -> model::DBSnapshot {
    world.born(&place("snapshot", id), tags);
    let made = Timed { is, since: world.now, until: None };
    let answer = shown(world, id, &made);
    world.databases.snapshots.insert(id.to_owned(), made);
    answer
}

fn create(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let (id, of) = (new_name(ask, "DBSnapshotIdentifier", 255)?, need(ask, "DBInstanceIdentifier")?);
    let world = visit.world();
    let of = instance(world, &of)?;
    room(world, &id)?;
    available(&of)?;
    let made = keep(world, &of, &id, tags(ask));
    Ok(wire::serialize_create_d_b_snapshot_response(&model::CreateDBSnapshotResult { d_b_snapshot: Some(made) }))
}

fn copy(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let (id, source) = (new_name(ask, "TargetDBSnapshotIdentifier", 255)?, need(ask, "SourceDBSnapshotIdentifier")?);
    let region = source.split(':').nth(3).unwrap_or_default().to_owned();
    let elsewhere = visit.elsewhere(&region);
    let of = match elsewhere {
        Some(there) => snapshot(there, &source)?,
        None => snapshot(visit.world(), &source)?,
    };
    let world = visit.world();
    room(world, &id)?;
    whole(&of)?;
    let abroad = !region.is_empty() && region != world.region;
    let (encrypted, key) = (of.encrypted == Some(true), ask.get("KmsKeyId"));
    if let Some(key) = key {
        usable(world, key)?;
    }
    if abroad && encrypted && key.is_none() {
        let message =
            "The source snapshot is encrypted with a KMS key of another region. Specify a KMS key of this region.";
        return Err(Refusal::new("KMSKeyNotAccessibleFault", message));
    }
    let is = model::DBSnapshot {
        d_b_snapshot_identifier: Some(id.clone()),
        d_b_snapshot_arn: Some(arn(world, "snapshot", &id)),
        source_d_b_snapshot_identifier: Some(source),
        source_region: abroad.then_some(region),
        encrypted: Some(encrypted || key.is_some()),
        kms_key_id: key.map(str::to_owned).or(of.kms_key_id.clone()),
        original_snapshot_create_time: of.snapshot_create_time.clone(),
        snapshot_create_time: Some(stamp(world.now)),
        ..of
    };
    let made = born(world, &id, is, tags(ask));
    Ok(wire::serialize_copy_d_b_snapshot_response(&model::CopyDBSnapshotResult { d_b_snapshot: Some(made) }))
}

fn delete(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let id = need(visit.ask, "DBSnapshotIdentifier")?;
    let world = visit.world();
    let gone = snapshot(world, &id)?;
    whole(&gone)?;
    world.databases.snapshots.remove(&id);
    world.forget(&place("snapshot", &id));
    Ok(wire::serialize_delete_d_b_snapshot_response(&model::DeleteDBSnapshotResult { d_b_snapshot: Some(gone) }))
}
