//! Databases that are made of snapshots and of backups, and backups that are kept in another region as well.
//!
//! Rules: "Amazon RDS API Reference", the page of each action; "Amazon RDS User Guide", replicating automated backups. What
//! a restore does not say is filled in as AWS does: the default security group and parameters, and one zone.

use winterbaume_core::MockResponse;
use winterbaume_rds::model;
use winterbaume_rds::wire;

use super::pace::Wait;
use super::rds::{Timed, arn, available, instance, instances, keep, need, new_name, place, room, snapshot};
use super::rds::{tag_list, tags, usable, whole};
use super::refusal::Refusal;
use super::request::Request;
use super::services::Visit;
use super::world::{World, stamp};

/// Amazon RDS user guide, quotas: databases whose backups a region holds copies of.
const MOST_BACKUPS: usize = 20;

/// What is gone is forgotten.
pub(super) fn settle(world: &mut World) {
    let gone = world.databases.restored.iter().filter(|(_, one)| one.until.is_some_and(|until| until <= world.now));
    let gone: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
    for id in gone {
        world.databases.restored.remove(&id);
        world.forget(&place("db", &id));
    }
}

/// A restored database as it is described now.
pub(super) fn shown(world: &World, id: &str, one: &Timed<model::DBInstance>) -> model::DBInstance {
    let ready = world.now >= one.since + world.pace.millis(Wait::Database);
    let status = match (one.until, ready) {
        (Some(_), _) => "deleting",
        (None, true) => "available",
        (None, false) => "creating",
    };
    let endpoint = model::Endpoint {
        address: Some(format!("{id}.c0practice.{}.rds.amazonaws.com", world.region)),
        port: Some(if one.is.engine.as_deref().is_some_and(|engine| engine.contains("postgres")) {
            5432
        } else {
            3306
        }),
        hosted_zone_id: None,
    };
    model::DBInstance {
        d_b_instance_status: Some(status.to_owned()),
        endpoint: ready.then_some(endpoint),
        tag_list: tag_list(world, &place("db", id)),
        ..one.is.clone()
    }
}

pub(super) fn list(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let world = visit.world();
    let items = match ask.get("DBInstanceIdentifier") {
        Some(id) => vec![instance(world, id)?],
        None => instances(world),
    };
    let found = model::DBInstanceMessage { d_b_instances: Some(model::DBInstanceList { items }), marker: None };
    Ok(wire::serialize_describe_d_b_instances_response(&found))
}

/// What the new one is a copy of.
struct Source {
    engine: Option<String>,
    class: Option<String>,
    encrypted: Option<bool>,
    kms_key: Option<String>,
}

fn restore(world: &mut World, ask: &Request, id: &str, of: Source) -> Result<model::DBInstance, Refusal> {
    if instances(world).iter().any(|one| one.d_b_instance_identifier.as_deref() == Some(id)) {
        return Err(Refusal::new("DBInstanceAlreadyExists", "DB instance already exists"));
    }
    let there = |kind: &str, id: &str| world.control.of_kind(kind, world.now).any(|one| one.id == id);
    let subnets = ask.get("DBSubnetGroupName").unwrap_or("default");
    if subnets != "default" && !there("AWS::RDS::DBSubnetGroup", subnets) {
        let message = format!("DB subnet group '{subnets}' does not exist.");
        return Err(Refusal::new("DBSubnetGroupNotFoundFault", message));
    }
    let parameters = ask.get("DBParameterGroupName").unwrap_or("default.postgres16");
    if !parameters.starts_with("default.") && !there("AWS::RDS::DBParameterGroup", parameters) {
        let message = format!("DBParameterGroup not found: {parameters}");
        return Err(Refusal::new("DBParameterGroupNotFound", message));
    }
    let mut groups: Vec<String> =
        ask.list("VpcSecurityGroupIds.VpcSecurityGroupId").into_iter().map(str::to_owned).collect();
    if let Some(unknown) = groups.iter().find(|id| !world.groups.contains_key(*id)) {
        let message = format!("Invalid security group , groupId= {unknown}, groupName=.");
        return Err(Refusal::value(message));
    }
    if groups.is_empty() {
        groups
            .extend(world.groups.iter().filter(|(_, group)| group.name == "default").map(|(id, _)| id.clone()).take(1));
    }
    let member = |id: String| model::VpcSecurityGroupMembership {
        vpc_security_group_id: Some(id),
        status: Some("active".to_owned()),
    };
    let parameters = model::DBParameterGroupStatus {
        d_b_parameter_group_name: Some(parameters.to_owned()),
        parameter_apply_status: Some("in-sync".to_owned()),
    };
    let subnets = model::DBSubnetGroup {
        d_b_subnet_group_name: Some(subnets.to_owned()),
        subnet_group_status: Some("Complete".to_owned()),
        ..model::DBSubnetGroup::default()
    };
    let is = model::DBInstance {
        d_b_instance_identifier: Some(id.to_owned()),
        d_b_instance_arn: Some(arn(world, "db", id)),
        d_b_instance_class: ask.get("DBInstanceClass").map(str::to_owned).or(of.class),
        engine: of.engine,
        storage_encrypted: of.encrypted,
        kms_key_id: of.kms_key,
        multi_a_z: Some(ask.yes("MultiAZ")),
        // Where nothing is said AWS looks at the subnets.
        publicly_accessible: Some(ask.get("PubliclyAccessible") != Some("false")),
        deletion_protection: Some(ask.yes("DeletionProtection")),
        backup_retention_period: Some(1),
        d_b_subnet_group: Some(subnets),
        d_b_parameter_groups: Some(model::DBParameterGroupStatusList { items: vec![parameters] }),
        vpc_security_groups: Some(model::VpcSecurityGroupMembershipList {
            items: groups.into_iter().map(member).collect(),
        }),
        ..model::DBInstance::default()
    };
    world.born(&place("db", id), tags(ask));
    let made = Timed { is, since: world.now, until: None };
    // It is never said to be available in the answer itself.
    let answer = model::DBInstance { d_b_instance_status: Some("creating".to_owned()), ..shown(world, id, &made) };
    world.databases.restored.insert(id.to_owned(), made);
    Ok(answer)
}

pub(super) fn of_snapshot(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let (id, source) = (new_name(ask, "DBInstanceIdentifier", 63)?, need(ask, "DBSnapshotIdentifier")?);
    let world = visit.world();
    let of = snapshot(world, &source)?;
    whole(&of)?;
    let of = Source {
        engine: of.engine,
        class: Some("db.t4g.small".to_owned()),
        encrypted: of.encrypted,
        kms_key: of.kms_key_id,
    };
    let made = restore(world, ask, &id, of)?;
    let made = model::RestoreDBInstanceFromDBSnapshotResult { d_b_instance: Some(made) };
    Ok(wire::serialize_restore_d_b_instance_from_d_b_snapshot_response(&made))
}

pub(super) fn of_the_past(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let id = new_name(ask, "TargetDBInstanceIdentifier", 63)?;
    let world = visit.world();
    if ask.yes("UseLatestRestorableTime") == ask.get("RestoreTime").is_some() {
        let message = "You must specify either RestoreTime or UseLatestRestorableTime.";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    let (of, since) = match (ask.get("SourceDBInstanceIdentifier"), ask.get("SourceDBInstanceAutomatedBackupsArn")) {
        (Some(source), _) => {
            let of = instance(world, source)?;
            available(&of)?;
            if of.backup_retention_period == Some(0) {
                let message = format!("Point in time restore is not enabled for {source}.");
                return Err(Refusal::new("PointInTimeRestoreNotEnabled", message));
            }
            let class = of.d_b_instance_class;
            let of = Source { engine: of.engine, class, encrypted: of.storage_encrypted, kms_key: of.kms_key_id };
            (of, 0)
        }
        (None, Some(backups)) => {
            let mut all = world.databases.backups.values();
            let found = all.find(|one| one.is.d_b_instance_automated_backups_arn.as_deref() == Some(backups));
            let none = || Refusal::new("DBInstanceAutomatedBackupNotFound", format!("{backups} not found."));
            let one = found.ok_or_else(none)?;
            let of = &one.is;
            let (engine, key) = (of.engine.clone(), of.kms_key_id.clone());
            let class = Some("db.t4g.small".to_owned());
            (Source { engine, class, encrypted: of.encrypted, kms_key: key }, one.since)
        }
        (None, None) => return Err(Refusal::missing("SourceDBInstanceIdentifier")),
    };
    if let Some(wanted) = ask.get("RestoreTime").and_then(|text| text.parse::<jiff::Timestamp>().ok())
        && !(since..=world.now).contains(&wanted.as_millisecond())
    {
        let message = format!("The specified time {wanted} lies outside of what can be restored.");
        return Err(Refusal::new("InvalidRestoreFault", message));
    }
    let made = restore(world, ask, &id, of)?;
    let made = model::RestoreDBInstanceToPointInTimeResult { d_b_instance: Some(made) };
    Ok(wire::serialize_restore_d_b_instance_to_point_in_time_response(&made))
}

pub(super) fn delete(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let id = need(ask, "DBInstanceIdentifier")?;
    let world = visit.world();
    let of = instance(world, &id)?;
    if !world.databases.restored.contains_key(&id) {
        let message = "The practice cloud takes away what Cloud Control has made through Cloud Control alone.";
        return Err(Refusal::new("UnsupportedOperation", message));
    }
    available(&of)?;
    if of.deletion_protection == Some(true) {
        let message = "Cannot delete protected DB Instance, please disable deletion protection and try again.";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    match (ask.yes("SkipFinalSnapshot"), ask.get("FinalDBSnapshotIdentifier")) {
        (false, None) => {
            let message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
        (true, Some(_)) => {
            let message = "FinalDBSnapshotIdentifier cannot be specified when deleting with SkipFinalSnapshot.";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
        (true, None) => {}
        (false, Some(last)) => {
            room(world, last)?;
            keep(world, &of, last, Default::default());
        }
    }
    let until = world.now + world.pace.millis(Wait::DatabaseGone);
    if let Some(one) = world.databases.restored.get_mut(&id) {
        one.until = Some(until);
    }
    let going = model::DBInstance { d_b_instance_status: Some("deleting".to_owned()), ..of };
    Ok(wire::serialize_delete_d_b_instance_response(&model::DeleteDBInstanceResult { d_b_instance: Some(going) }))
}

/// Backups as they are described now.
fn shown_backups(
    world: &World,
    source: &str,
    one: &Timed<model::DBInstanceAutomatedBackup>,
) -> model::DBInstanceAutomatedBackup {
    let ready = world.now >= one.since + world.pace.millis(Wait::DatabaseCopy);
    let status = match (one.until, ready) {
        (Some(_), _) => "retained",
        (None, true) => "replicating",
        (None, false) => "pending",
    };
    let window = model::RestoreWindow {
        earliest_time: Some(stamp(one.since)),
        latest_time: Some(stamp(one.until.unwrap_or(world.now))),
    };
    model::DBInstanceAutomatedBackup {
        status: Some(status.to_owned()),
        restore_window: ready.then_some(window),
        tag_list: tag_list(world, &place("auto-backup", source)),
        ..one.is.clone()
    }
}

pub(super) fn list_backups(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let world = visit.world();
    let seen = world.databases.backups.iter().filter(|(source, _)| world.visible(&place("auto-backup", source)));
    let items = seen.map(|(source, one)| shown_backups(world, source, one)).collect();
    let found = model::DBInstanceAutomatedBackupMessage {
        d_b_instance_automated_backups: Some(model::DBInstanceAutomatedBackupList { items }),
        marker: None,
    };
    Ok(wire::serialize_describe_d_b_instance_automated_backups_response(&found))
}

pub(super) fn replicate(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let source = need(ask, "SourceDBInstanceArn")?;
    let region = source.split(':').nth(3).unwrap_or_default().to_owned();
    let id = source.rsplit(':').next().unwrap_or_default().to_owned();
    if region == visit.world().region {
        return Err(Refusal::value("The source DB instance must be in another AWS Region."));
    }
    let none = || Refusal::new("DBInstanceNotFound", format!("DBInstance {source} not found."));
    let of = instance(visit.elsewhere(&region).ok_or_else(none)?, &id)?;
    available(&of)?;
    if of.backup_retention_period == Some(0) {
        let message = format!("Automated backups are not enabled for {id}.");
        return Err(Refusal::new("InvalidDBInstanceState", message));
    }
    let world = visit.world();
    if world.databases.backups.get(&source).is_some_and(|one| one.until.is_none()) {
        let message = "Automated backups of this DB instance are replicated to this AWS Region already.";
        return Err(Refusal::new("InvalidDBInstanceAutomatedBackupState", message));
    }
    if world.databases.backups.values().filter(|one| one.until.is_none()).count() >= MOST_BACKUPS {
        let message = "The quota for retained automated backups was exceeded.";
        return Err(Refusal::new("DBInstanceAutomatedBackupQuotaExceeded", message));
    }
    let (encrypted, key) = (of.storage_encrypted == Some(true), ask.get("KmsKeyId"));
    match key {
        Some(key) => usable(world, key)?,
        None if encrypted => {
            let message = "The source DB instance is encrypted. Specify a KMS key of this region.";
            return Err(Refusal::new("KMSKeyNotAccessibleFault", message));
        }
        None => {}
    }
    let minted = world.mint("ab");
    let is = model::DBInstanceAutomatedBackup {
        d_b_instance_arn: Some(source.clone()),
        d_b_instance_identifier: Some(id),
        d_b_instance_automated_backups_arn: Some(arn(world, "auto-backup", &minted)),
        region: Some(region),
        engine: of.engine,
        encrypted: Some(encrypted),
        kms_key_id: key.map(str::to_owned),
        backup_retention_period: Some(ask.number("BackupRetentionPeriod")?.unwrap_or(7) as i32),
        ..model::DBInstanceAutomatedBackup::default()
    };
    world.born(&place("auto-backup", &source), tags(ask));
    let made = Timed { is, since: world.now, until: None };
    let answer =
        model::DBInstanceAutomatedBackup { status: Some("pending".to_owned()), ..shown_backups(world, &source, &made) };
    world.databases.backups.insert(source, made);
    let answer =
        model::StartDBInstanceAutomatedBackupsReplicationResult { d_b_instance_automated_backup: Some(answer) };
    Ok(wire::serialize_start_d_b_instance_automated_backups_replication_response(&answer))
}

/// What was copied so far stays until its days are over.
pub(super) fn stop(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let source = need(visit.ask, "SourceDBInstanceArn")?;
    let world = visit.world();
    let now = world.now;
    let going = world.databases.backups.get_mut(&source).filter(|one| one.until.is_none());
    let none =
        || Refusal::new("DBInstanceNotFound", format!("No backups of {source} are replicated to this AWS Region."));
    going.ok_or_else(none)?.until = Some(now);
    world.tags.remove(&place("auto-backup", &source));
    let one = world.databases.backups.get(&source).ok_or_else(none)?;
    let answer = shown_backups(world, &source, one);
    let answer = model::StopDBInstanceAutomatedBackupsReplicationResult { d_b_instance_automated_backup: Some(answer) };
    Ok(wire::serialize_stop_d_b_instance_automated_backups_replication_response(&answer))
}
