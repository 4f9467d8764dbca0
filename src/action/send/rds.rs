//! The calls of RDS.

use super::{Sender, unsent};
use crate::action::aws_resource::in_region;
use crate::action::call::rds::{History, Keeps, Moment, RdsRequest, Surroundings};
use crate::action::call::{Call, Label};
use crate::aws::rds::primitives::{DateTime, DateTimeFormat};
use crate::aws::rds::types::Tag;
use crate::aws::{AwsFailure, Stamp};

impl Sender<'_> {
    pub(super) async fn databases(&self, call: &Call, request: &RdsRequest) -> Result<Option<String>, AwsFailure> {
        match request {
            RdsRequest::CreateDBSnapshot { .. }
            | RdsRequest::CopyDBSnapshot { .. }
            | RdsRequest::DeleteDBSnapshot { .. } => self.snapshots_of_databases(call, request).await,
            RdsRequest::StartDBInstanceAutomatedBackupsReplication { .. }
            | RdsRequest::StopDBInstanceAutomatedBackupsReplication { .. } => self.replication(call, request).await,
            RdsRequest::RestoreDBInstanceFromDBSnapshot { .. }
            | RdsRequest::RestoreDBInstanceToPointInTime { .. }
            | RdsRequest::DeleteDBInstance { .. } => self.restored(call, request).await,
            RdsRequest::StartExportTask { .. } | RdsRequest::CancelExportTask { .. } => {
                self.exports(call, request).await
            }
        }
    }

    fn database_tags(&self, label: &Label) -> Vec<Tag> {
        let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
        stamp.plain_pairs().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    async fn snapshots_of_databases(&self, call: &Call, request: &RdsRequest) -> Result<Option<String>, AwsFailure> {
        let rds = in_region(self.cloud, request.region()).databases();
        let made = match request {
            RdsRequest::CreateDBSnapshot { instance, snapshot, tags, .. } => {
                let request = rds
                    .create_db_snapshot()
                    .db_instance_identifier(instance)
                    .db_snapshot_identifier(snapshot)
                    .set_tags(Some(self.database_tags(tags)));
                sent!(self, call, never a rehearsal: request).db_snapshot
            }
            RdsRequest::CopyDBSnapshot { source, snapshot, kms_key_id, tags, .. } => {
                let request = rds
                    .copy_db_snapshot()
                    .source_db_snapshot_identifier(source)
                    .target_db_snapshot_identifier(snapshot)
                    .set_kms_key_id(kms_key_id.clone())
                    .set_tags(Some(self.database_tags(tags)));
                sent!(self, call, never a rehearsal: request).db_snapshot
            }
            RdsRequest::DeleteDBSnapshot { snapshot, .. } => {
                let request = rds.delete_db_snapshot().db_snapshot_identifier(snapshot);
                sent!(self, call, never a rehearsal: request);
                None
            }
            _ => return Err(unsent(call)),
        };
        Ok(made.and_then(|snapshot| snapshot.db_snapshot_identifier))
    }

    async fn replication(&self, call: &Call, request: &RdsRequest) -> Result<Option<String>, AwsFailure> {
        let rds = in_region(self.cloud, request.region()).databases();
        match request {
            RdsRequest::StartDBInstanceAutomatedBackupsReplication {
                source,
                kms_key_id,
                backup_retention_period,
                tags,
                ..
            } => {
                let request = rds
                    .start_db_instance_automated_backups_replication()
                    .source_db_instance_arn(source)
                    .set_kms_key_id(kms_key_id.clone())
                    .backup_retention_period(*backup_retention_period)
                    .set_tags(Some(self.database_tags(tags)));
                let made = sent!(self, call, never a rehearsal: request).db_instance_automated_backup;
                Ok(made.and_then(|backup| backup.db_instance_automated_backups_arn))
            }
            RdsRequest::StopDBInstanceAutomatedBackupsReplication { source, .. } => {
                let request = rds.stop_db_instance_automated_backups_replication().source_db_instance_arn(source);
                sent!(self, call, never a rehearsal: request);
                Ok(None)
            }
            _ => Err(unsent(call)),
        }
    }

    async fn restored(&self, call: &Call, request: &RdsRequest) -> Result<Option<String>, AwsFailure> {
        let rds = in_region(self.cloud, request.region()).databases();
        let made = match request {
            RdsRequest::RestoreDBInstanceFromDBSnapshot { snapshot, instance, place } => {
                let Surroundings { subnet_group, groups, parameter_group, .. } = place;
                let request = rds
                    .restore_db_instance_from_db_snapshot()
                    .db_snapshot_identifier(snapshot)
                    .db_instance_identifier(instance)
                    .db_subnet_group_name(subnet_group)
                    .set_vpc_security_group_ids(Some(groups.clone()))
                    .db_parameter_group_name(parameter_group)
                    .set_option_group_name(place.option_group.clone())
                    .set_db_instance_class(place.class.clone())
                    .multi_az(place.multi_az)
                    .publicly_accessible(place.public)
                    .deletion_protection(place.protected)
                    .set_tags(Some(self.database_tags(&place.tags)));
                sent!(self, call, never a rehearsal: request).db_instance
            }
            RdsRequest::RestoreDBInstanceToPointInTime { source, moment, instance, place } => {
                let Surroundings { subnet_group, groups, parameter_group, .. } = place;
                let request = rds
                    .restore_db_instance_to_point_in_time()
                    .target_db_instance_identifier(instance)
                    .db_subnet_group_name(subnet_group)
                    .set_vpc_security_group_ids(Some(groups.clone()))
                    .db_parameter_group_name(parameter_group)
                    .set_option_group_name(place.option_group.clone())
                    .set_db_instance_class(place.class.clone())
                    .multi_az(place.multi_az)
                    .publicly_accessible(place.public)
                    .deletion_protection(place.protected)
                    .set_tags(Some(self.database_tags(&place.tags)));
                let request = match source {
                    History::Instance(id) => request.source_db_instance_identifier(id),
                    History::Backups(arn) => request.source_db_instance_automated_backups_arn(arn),
                };
                let request = match moment {
                    Moment::Latest(latest) => request.use_latest_restorable_time(*latest),
                    Moment::At(at) => {
                        let at = DateTime::from_str(at, DateTimeFormat::DateTimeWithOffset);
                        request.restore_time(at.map_err(|error| AwsFailure::unbuilt(call.operation(), &error))?)
                    }
                };
                sent!(self, call, never a rehearsal: request).db_instance
            }
            RdsRequest::DeleteDBInstance { instance, keeps, .. } => {
                let request = rds.delete_db_instance().db_instance_identifier(instance);
                let request = match keeps {
                    Keeps::Nothing(nothing) => request.skip_final_snapshot(*nothing),
                    Keeps::Snapshot(name) => request.final_db_snapshot_identifier(name),
                };
                sent!(self, call, never a rehearsal: request);
                None
            }
            _ => return Err(unsent(call)),
        };
        Ok(made.and_then(|instance| instance.db_instance_identifier))
    }

    async fn exports(&self, call: &Call, request: &RdsRequest) -> Result<Option<String>, AwsFailure> {
        let rds = in_region(self.cloud, request.region()).databases();
        match request {
            RdsRequest::StartExportTask {
                task,
                source_arn,
                s3_bucket_name,
                s3_prefix,
                iam_role_arn,
                kms_key_id,
                export_only,
                ..
            } => {
                let request = rds
                    .start_export_task()
                    .export_task_identifier(task)
                    .source_arn(source_arn)
                    .s3_bucket_name(s3_bucket_name)
                    .set_s3_prefix(s3_prefix.clone())
                    .iam_role_arn(iam_role_arn)
                    .kms_key_id(kms_key_id)
                    .set_export_only(Some(export_only.clone()).filter(|only| !only.is_empty()));
                Ok(sent!(self, call, never a rehearsal: request).export_task_identifier)
            }
            RdsRequest::CancelExportTask { task, .. } => {
                sent!(self, call, never a rehearsal: rds.cancel_export_task().export_task_identifier(task));
                Ok(None)
            }
            _ => Err(unsent(call)),
        }
    }
}
