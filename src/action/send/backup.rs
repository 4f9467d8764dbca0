//! The calls of AWS Backup.
//!
//! A token guards each job: AWS answers the same token with the same job. A job that has failed stays failed under it, so a
//! further try counts on from there: the same number under the same intent is always the same token.

use std::collections::HashMap;

use serde_json::json;

use super::{Sender, unsent};
use crate::action::aws_resource::in_region;
use crate::action::call::Call;
use crate::action::call::backup::{BackupRequest, Lifecycle};
use crate::action::{aws_backup_copy, aws_backup_job, aws_backup_restore};
use crate::aws::backup::types::Lifecycle as Kept;
use crate::aws::{AwsFailure, Cloud, Operation, Stamp};
use crate::engagement::digest_of;

/// Jobs of one intent: the first, and those after failures.
const TRIES: u32 = 4;

/// How a job stands that was started, or was there under its token.
pub(in crate::action) enum Started {
    Alive,
    /// In AWS's own words.
    Failed(String),
}

impl Sender<'_> {
    pub(super) async fn backup(&self, call: &Call, request: &BackupRequest) -> Result<Option<String>, AwsFailure> {
        let place = in_region(self.cloud, request.region());
        match request {
            BackupRequest::UpdateRegionSettings { resource_type_opt_in_preference: wanted, .. } => {
                let wanted = wanted.iter().map(|(kind, on)| (kind.clone(), *on)).collect();
                let request = place.backup().update_region_settings();
                sent!(self, call, never a rehearsal: request.set_resource_type_opt_in_preference(Some(wanted)));
                Ok(None)
            }
            BackupRequest::StopBackupJob { backup_job_id, .. } => {
                sent!(self, call, never a rehearsal: place.backup().stop_backup_job().backup_job_id(backup_job_id));
                Ok(None)
            }
            _ => self.job(call, request, &place).await.map(Some),
        }
    }

    /// Starts it, and another one where those before have failed.
    async fn job(&self, call: &Call, request: &BackupRequest, place: &Cloud) -> Result<String, AwsFailure> {
        let mut last = None;
        for number in 0..TRIES {
            let token = self.numbered(number);
            let id = self.started(call, request, place, token).await?;
            let stands = match request.operation() {
                Operation::StartBackupJob => aws_backup_job::started(place, &id).await,
                Operation::StartCopyJob => aws_backup_copy::started(place, &id).await,
                _ => aws_backup_restore::started(place, &id).await,
            };
            match stands {
                Ok(Started::Failed(said)) => last = Some(AwsFailure::ended(request.operation(), &id, &said)),
                // That it was started is certain; how it stands the next look tells.
                Ok(Started::Alive) | Err(_) => return Ok(id),
            }
        }
        Err(last.unwrap_or_else(|| unsent(call)))
    }

    fn numbered(&self, number: u32) -> String {
        match number {
            0 => self.token.to_owned(),
            number => digest_of(&json!({ "of": self.token, "try": number })),
        }
    }

    async fn started(
        &self,
        call: &Call,
        request: &BackupRequest,
        place: &Cloud,
        token: String,
    ) -> Result<String, AwsFailure> {
        let backup = place.backup();
        let id = match request {
            BackupRequest::StartBackupJob {
                backup_vault_name,
                resource_arn,
                iam_role_arn,
                lifecycle,
                recovery_point_tags: label,
                ..
            } => {
                let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
                let tags: HashMap<String, String> = stamp.plain_pairs().into_iter().collect();
                let request = backup
                    .start_backup_job()
                    .backup_vault_name(backup_vault_name)
                    .resource_arn(resource_arn)
                    .iam_role_arn(iam_role_arn)
                    .set_lifecycle(lifecycle.map(kept))
                    .set_recovery_point_tags(Some(tags))
                    .idempotency_token(token);
                sent!(self, call, never a rehearsal: request).backup_job_id
            }
            BackupRequest::StartCopyJob {
                recovery_point_arn,
                source_backup_vault_name,
                destination_backup_vault_arn,
                iam_role_arn,
                lifecycle,
                ..
            } => {
                let request = backup
                    .start_copy_job()
                    .recovery_point_arn(recovery_point_arn)
                    .source_backup_vault_name(source_backup_vault_name)
                    .destination_backup_vault_arn(destination_backup_vault_arn)
                    .iam_role_arn(iam_role_arn)
                    .set_lifecycle(lifecycle.map(kept))
                    .idempotency_token(token);
                sent!(self, call, never a rehearsal: request).copy_job_id
            }
            BackupRequest::StartRestoreJob { recovery_point_arn, metadata, iam_role_arn, vault, .. } => {
                let own = aws_backup_restore::metadata(place, vault, recovery_point_arn).await?;
                let wanted = own.into_iter().chain(metadata.clone()).collect();
                let request = backup
                    .start_restore_job()
                    .recovery_point_arn(recovery_point_arn)
                    .set_metadata(Some(wanted))
                    .iam_role_arn(iam_role_arn)
                    .idempotency_token(token);
                sent!(self, call, never a rehearsal: request).restore_job_id
            }
            _ => return Err(unsent(call)),
        };
        let nothing =
            || AwsFailure::unfinished(request.operation(), "a job was taken without its id", "nobody can follow it");
        id.ok_or_else(nothing)
    }
}

fn kept(lifecycle: Lifecycle) -> Kept {
    Kept::builder().delete_after_days(i64::from(lifecycle.delete_after_days)).build()
}
