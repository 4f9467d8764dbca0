//! Exports of databases' snapshots to a bucket. A name is taken for ever.
//!
//! Rules: "Amazon RDS API Reference", StartExportTask, CancelExportTask and DescribeExportTasks.

use winterbaume_core::MockResponse;
use winterbaume_rds::model;
use winterbaume_rds::wire;

use super::pace::Wait;
use super::rds::{Timed, need, new_name, snapshot, usable};
use super::refusal::Refusal;
use super::services::Visit;
use super::world::{World, stamp};

/// A task as it is described now.
fn shown(world: &World, one: &Timed<model::ExportTask>) -> model::ExportTask {
    let wait = world.pace.millis(Wait::DatabaseExport);
    let passed = world.now - one.since;
    let (status, percent) = match one.until {
        Some(_) => ("CANCELED", 0),
        None if passed >= wait => ("COMPLETE", 100),
        None if passed * 4 < wait => ("STARTING", 0),
        None => ("IN_PROGRESS", passed * 100 / wait),
    };
    model::ExportTask { status: Some(status.to_owned()), percent_progress: Some(percent as i32), ..one.is.clone() }
}

fn task<'w>(world: &'w World, id: &str) -> Result<&'w Timed<model::ExportTask>, Refusal> {
    let none = || Refusal::new("ExportTaskNotFound", format!("The specified export task {id} was not found."));
    let place = super::rds::place("export", id);
    world.databases.exports.get(id).filter(|_| world.visible(&place)).ok_or_else(none)
}

pub(super) fn list(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let world = visit.world();
    let items = match ask.get("ExportTaskIdentifier") {
        Some(id) => vec![shown(world, task(world, id)?)],
        None => world.databases.exports.values().map(|one| shown(world, one)).collect(),
    };
    let found = model::ExportTasksMessage { export_tasks: Some(model::ExportTasksList { items }), marker: None };
    Ok(wire::serialize_describe_export_tasks_response(&found))
}

pub(super) fn start(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let ask = visit.ask;
    let (id, source) = (new_name(ask, "ExportTaskIdentifier", 60)?, need(ask, "SourceArn")?);
    let (bucket, role, key) = (need(ask, "S3BucketName")?, need(ask, "IamRoleArn")?, need(ask, "KmsKeyId")?);
    let world = visit.world();
    if world.databases.exports.contains_key(&id) {
        let message = format!("Cannot start the export: a task with the identifier {id} already exists.");
        return Err(Refusal::new("ExportTaskAlreadyExists", message));
    }
    let of = snapshot(world, &source)?;
    if of.status.as_deref() != Some("available") {
        return Err(Refusal::new("InvalidExportSourceState", "The snapshot must be available to be exported."));
    }
    let there = |kind: &str, id: &str| world.control.of_kind(kind, world.now).any(|one| one.id == id);
    if !there("AWS::S3::Bucket", &bucket) {
        return Err(Refusal::new("InvalidS3BucketFault", format!("The S3 bucket {bucket} doesn't exist.")));
    }
    if !role.starts_with("arn:") || !there("AWS::IAM::Role", role.rsplit('/').next().unwrap_or_default()) {
        return Err(Refusal::new("IamRoleNotFound", format!("The IAM role {role} doesn't exist.")));
    }
    usable(world, &key)?;
    let only = ask.list("ExportOnly.member").into_iter().map(str::to_owned).collect::<Vec<_>>();
    let is = model::ExportTask {
        export_task_identifier: Some(id.clone()),
        source_arn: Some(source),
        source_type: Some("SNAPSHOT".to_owned()),
        s3_bucket: Some(bucket),
        s3_prefix: ask.get("S3Prefix").map(str::to_owned),
        iam_role_arn: Some(role),
        kms_key_id: Some(key),
        export_only: (!only.is_empty()).then_some(model::StringList { items: only }),
        snapshot_time: of.snapshot_create_time,
        task_start_time: Some(stamp(world.now)),
        ..model::ExportTask::default()
    };
    let made = Timed { is, since: world.now, until: None };
    let answer = shown(world, &made);
    world.appears(&super::rds::place("export", &id));
    world.databases.exports.insert(id, made);
    Ok(wire::serialize_start_export_task_response(&answer))
}

pub(super) fn cancel(visit: &mut Visit<'_>) -> Result<MockResponse, Refusal> {
    let id = need(visit.ask, "ExportTaskIdentifier")?;
    let world = visit.world();
    let (now, status) = (world.now, shown(world, task(world, &id)?).status.unwrap_or_default());
    if !["STARTING", "IN_PROGRESS"].contains(&status.as_str()) {
        let message = format!("You can't cancel an export task that is {status}.");
        return Err(Refusal::new("InvalidExportTaskStateFault", message));
    }
    if let Some(one) = world.databases.exports.get_mut(&id) {
        one.until = Some(now);
    }
    let answer = shown(world, task(world, &id)?);
    Ok(wire::serialize_cancel_export_task_response(&answer))
}
