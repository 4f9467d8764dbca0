//! What is asked of RDS. Everything there is known by its name, which there can be only one of in a region.

use serde::Serialize;

use super::Label;
use crate::aws::Operation;

/// One call, and in which region it is made where that is another than the engagement's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum RdsRequest {
    CreateDBSnapshot {
        #[serde(rename = "DBInstanceIdentifier")]
        instance: String,
        #[serde(rename = "DBSnapshotIdentifier")]
        snapshot: String,
        tags: Label,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    /// Sent where the copy is to be.
    CopyDBSnapshot {
        /// An ARN, which says the region.
        #[serde(rename = "SourceDBSnapshotIdentifier")]
        source: String,
        #[serde(rename = "TargetDBSnapshotIdentifier")]
        snapshot: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        kms_key_id: Option<String>,
        tags: Label,
        #[serde(rename = "onramp:region")]
        region: String,
    },
    DeleteDBSnapshot {
        #[serde(rename = "DBSnapshotIdentifier")]
        snapshot: String,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    /// Sent where the copies are to be.
    StartDBInstanceAutomatedBackupsReplication {
        #[serde(rename = "SourceDBInstanceArn")]
        source: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        kms_key_id: Option<String>,
        backup_retention_period: i32,
        tags: Label,
        #[serde(rename = "onramp:region")]
        region: String,
    },
    StopDBInstanceAutomatedBackupsReplication {
        #[serde(rename = "SourceDBInstanceArn")]
        source: String,
        #[serde(rename = "onramp:region")]
        region: String,
    },
    RestoreDBInstanceFromDBSnapshot {
        #[serde(rename = "DBSnapshotIdentifier")]
        snapshot: String,
        #[serde(rename = "DBInstanceIdentifier")]
        instance: String,
        #[serde(flatten)]
        place: Surroundings,
    },
    RestoreDBInstanceToPointInTime {
        #[serde(flatten)]
        source: History,
        #[serde(flatten)]
        moment: Moment,
        #[serde(rename = "TargetDBInstanceIdentifier")]
        instance: String,
        #[serde(flatten)]
        place: Surroundings,
    },
    /// Of one that was restored: what was backed up is elsewhere.
    DeleteDBInstance {
        #[serde(rename = "DBInstanceIdentifier")]
        instance: String,
        #[serde(flatten)]
        keeps: Keeps,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    StartExportTask {
        #[serde(rename = "ExportTaskIdentifier")]
        task: String,
        source_arn: String,
        s3_bucket_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        s3_prefix: Option<String>,
        iam_role_arn: String,
        kms_key_id: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        export_only: Vec<String>,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    CancelExportTask {
        #[serde(rename = "ExportTaskIdentifier")]
        task: String,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
}

/// What a restored database stands in. AWS's defaults are the default security group, the default parameters and one
/// zone, so that nothing of this is left to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) struct Surroundings {
    #[serde(rename = "DBSubnetGroupName")]
    pub subnet_group: String,
    #[serde(rename = "VpcSecurityGroupIds")]
    pub groups: Vec<String>,
    #[serde(rename = "DBParameterGroupName")]
    pub parameter_group: String,
    #[serde(rename = "OptionGroupName", skip_serializing_if = "Option::is_none")]
    pub option_group: Option<String>,
    #[serde(rename = "DBInstanceClass", skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    #[serde(rename = "MultiAZ")]
    pub multi_az: bool,
    #[serde(rename = "PubliclyAccessible")]
    pub public: bool,
    #[serde(rename = "DeletionProtection")]
    pub protected: bool,
    #[serde(rename = "Tags")]
    pub tags: Label,
    #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Whose past is restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) enum History {
    #[serde(rename = "SourceDBInstanceIdentifier")]
    Instance(String),
    /// Backups that were replicated from another region.
    #[serde(rename = "SourceDBInstanceAutomatedBackupsArn")]
    Backups(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) enum Moment {
    /// Always true.
    #[serde(rename = "UseLatestRestorableTime")]
    Latest(bool),
    #[serde(rename = "RestoreTime")]
    At(String),
}

/// What is left of a database that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) enum Keeps {
    /// Always true.
    #[serde(rename = "SkipFinalSnapshot")]
    Nothing(bool),
    #[serde(rename = "FinalDBSnapshotIdentifier")]
    Snapshot(String),
}

impl RdsRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            RdsRequest::CreateDBSnapshot { .. } => Operation::CreateDBSnapshot,
            RdsRequest::CopyDBSnapshot { .. } => Operation::CopyDBSnapshot,
            RdsRequest::DeleteDBSnapshot { .. } => Operation::DeleteDBSnapshot,
            RdsRequest::StartDBInstanceAutomatedBackupsReplication { .. } => {
                Operation::StartDBInstanceAutomatedBackupsReplication
            }
            RdsRequest::StopDBInstanceAutomatedBackupsReplication { .. } => {
                Operation::StopDBInstanceAutomatedBackupsReplication
            }
            RdsRequest::RestoreDBInstanceFromDBSnapshot { .. } => Operation::RestoreDBInstanceFromDBSnapshot,
            RdsRequest::RestoreDBInstanceToPointInTime { .. } => Operation::RestoreDBInstanceToPointInTime,
            RdsRequest::DeleteDBInstance { .. } => Operation::DeleteDBInstance,
            RdsRequest::StartExportTask { .. } => Operation::StartExportTask,
            RdsRequest::CancelExportTask { .. } => Operation::CancelExportTask,
        }
    }

    /// Where it is sent, if that is another region than the engagement's.
    pub(in crate::action) fn region(&self) -> Option<&str> {
        match self {
            RdsRequest::CopyDBSnapshot { region, .. }
            | RdsRequest::StartDBInstanceAutomatedBackupsReplication { region, .. }
            | RdsRequest::StopDBInstanceAutomatedBackupsReplication { region, .. } => Some(region),
            RdsRequest::RestoreDBInstanceFromDBSnapshot { place, .. }
            | RdsRequest::RestoreDBInstanceToPointInTime { place, .. } => place.region.as_deref(),
            RdsRequest::CreateDBSnapshot { region, .. }
            | RdsRequest::DeleteDBSnapshot { region, .. }
            | RdsRequest::DeleteDBInstance { region, .. }
            | RdsRequest::StartExportTask { region, .. }
            | RdsRequest::CancelExportTask { region, .. } => region.as_deref(),
        }
    }
}
