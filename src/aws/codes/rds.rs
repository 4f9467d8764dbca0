//! What RDS says. Its codes on the wire are without the word Fault, but for some: a star stands for either.

use super::{Row, row_of};
use crate::aws::error::Kind;

/// What of a database is kept on purpose, in RDS's words ("DeleteDBInstance").
pub(super) const PROTECTED: &[(&[&str], Row)] = &[(
    &["delete protected", "deletion protection"],
    row_of(
        Kind::Conflict,
        &["InvalidParameterCombination*", "InvalidRequest*", "GeneralServiceException", "ResourceConflict"],
        "The database is protected against deletion.",
        "Ask whoever protected it. Then turn the protection off (DeletionProtection) in the step or by hand, and undo again.",
    ),
)];

/// Databases, their snapshots, copies and exports ("Amazon RDS API reference", the errors of each action).
pub(super) const RDS: &[Row] = &[
    row_of(
        Kind::Exists,
        &["DBInstanceAlreadyExists*", "DBSnapshotAlreadyExists*", "ExportTaskAlreadyExists*"],
        "There is one of that name already in this account and region.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Exists,
        &["InvalidDBInstanceAutomatedBackupState*"],
        "The backups of this database are replicated to this region already, or that is just being begun or stopped.",
        "onramp looks whose it is. If it is somebody else's, they must stop it first.",
    ),
    row_of(
        Kind::NotFound,
        &[
            "DBInstanceNotFound*",
            "DBSnapshotNotFound*",
            "ExportTaskNotFound*",
            "DBInstanceAutomatedBackupNotFound*",
            "DBSubnetGroupNotFound*",
            "DBParameterGroupNotFound*",
            "OptionGroupNotFound*",
        ],
        "RDS does not know it in this account and region: it was deleted, never made, or is of another region.",
        "Run the check of the step that makes it, and compare the region. Another region knows a snapshot by its ARN alone.",
    ),
    row_of(
        Kind::NotReady,
        &["InvalidDBInstanceState*", "InvalidDBSnapshotState*", "InvalidExportSourceState*", "InvalidExportTaskState*"],
        "It is on its way from one state to another and cannot do this now: a database must be available, a snapshot whole.",
        "Wait until it is available, and try again. Multi-AZ databases, copies and restores take half an hour and more.",
    ),
    row_of(
        Kind::Quota,
        &["DBInstanceAutomatedBackupQuotaExceeded*"],
        "The region holds copies of the backups of as many databases as it may (20 unless raised).",
        "Ask for more in Service Quotas (RDS) of that region, or stop a replication that nobody needs.",
    ),
    row_of(
        Kind::Quota,
        &["SnapshotQuotaExceeded*"],
        "The account has as many snapshots as it may have in this region, or 20 copies are on their way there already.",
        "Wait until other copies are there, delete snapshots that nobody needs, or ask for more in Service Quotas (RDS).",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidRestore*", "PointInTimeRestoreNotEnabled*"],
        "The database cannot be restored so: its backups are off, or the moment lies outside of what they hold.",
        "Choose a moment between the earliest and the latest that can be restored, or turn the backups on (retention above 0).",
    ),
    row_of(
        Kind::Denied,
        &["IamRoleMissingPermissions*", "IamRoleNotFound*"],
        "The role of the export is not there, or may not write into the bucket or use the key.",
        "The role must trust export.rds.amazonaws.com, write to the bucket and be allowed the key (Encrypt, Decrypt, DescribeKey).",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidS3Bucket*", "InvalidExportOnly*"],
        "RDS cannot write into that bucket, or what is to be exported is not in the snapshot.",
        "The bucket must be in the snapshot's region; write tables as database.schema.table.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidVPCNetworkState*", "InvalidSubnet", "DBSubnetGroupDoesNotCoverEnoughAZs*"],
        "The subnet group does not fit: it lies in another VPC than the security groups, or in too few zones.",
        "Take a subnet group of at least two zones, in the VPC of the security groups.",
    ),
    row_of(
        Kind::Invalid,
        &["StorageTypeNotSupported*", "NetworkTypeNotSupported*", "InvalidParameterCombination"],
        "RDS does not take these values together, or not for this engine or class.",
        "Read AWS's own words below: they name the value. Correct the step and try again.",
    ),
];
