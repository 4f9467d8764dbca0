//! What is asked of AWS Backup beyond vaults and plans: jobs out of turn, and what a region backs up at all.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Label, Token};
use crate::aws::Operation;

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum BackupRequest {
    UpdateRegionSettings {
        resource_type_opt_in_preference: BTreeMap<String, bool>,
        #[serde(flatten)]
        place: Place,
    },
    StartBackupJob {
        backup_vault_name: String,
        resource_arn: String,
        iam_role_arn: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        lifecycle: Option<Lifecycle>,
        idempotency_token: Token,
        /// On the recovery point, by which it is found again.
        recovery_point_tags: Label,
        #[serde(flatten)]
        place: Place,
    },
    StopBackupJob {
        backup_job_id: String,
        #[serde(flatten)]
        place: Place,
    },
    StartCopyJob {
        recovery_point_arn: String,
        source_backup_vault_name: String,
        destination_backup_vault_arn: String,
        iam_role_arn: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        lifecycle: Option<Lifecycle>,
        idempotency_token: Token,
        #[serde(flatten)]
        place: Place,
    },
    /// To the metadata that stand here comes what the recovery point itself says; these win.
    StartRestoreJob {
        recovery_point_arn: String,
        metadata: BTreeMap<String, String>,
        iam_role_arn: String,
        idempotency_token: Token,
        /// Where the recovery point is, which the call itself does not ask.
        #[serde(rename = "onramp:vault")]
        vault: String,
        #[serde(flatten)]
        place: Place,
    },
}

/// For how long a recovery point is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Lifecycle {
    pub delete_after_days: i32,
}

/// Where it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::action) struct Place {
    /// Another region than the engagement's.
    #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl BackupRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            BackupRequest::UpdateRegionSettings { .. } => Operation::UpdateRegionSettings,
            BackupRequest::StartBackupJob { .. } => Operation::StartBackupJob,
            BackupRequest::StopBackupJob { .. } => Operation::StopBackupJob,
            BackupRequest::StartCopyJob { .. } => Operation::StartCopyJob,
            BackupRequest::StartRestoreJob { .. } => Operation::StartRestoreJob,
        }
    }

    pub(in crate::action) fn region(&self) -> Option<&str> {
        let (BackupRequest::UpdateRegionSettings { place, .. }
        | BackupRequest::StartBackupJob { place, .. }
        | BackupRequest::StopBackupJob { place, .. }
        | BackupRequest::StartCopyJob { place, .. }
        | BackupRequest::StartRestoreJob { place, .. }) = self;
        place.region.as_deref()
    }
}
