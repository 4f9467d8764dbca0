//! The kinds of databases: what is kept of them, in which region, and what is made of that again.

use super::super::aws_rds::{TheDatabaseSnapshot, TheDatabaseSnapshotCopy};
use super::super::aws_rds_export::TheExport;
use super::super::aws_rds_replication::TheReplication;
use super::super::aws_rds_restore::TheRestored;
use super::super::object::Object;
use super::{Argument, KEY, NAME, Row, may, must};
use crate::aws::Operation::*;

pub(super) const REGION: Argument =
    may("region", "another region of the account, such as the one for disaster recovery");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/rds-snapshot",
        summary: "A snapshot of a database, which must be available; give it `within: 3h`",
        arguments: &[
            must("instance", "identifier of the database"),
            must("snapshot", "identifier of the snapshot, unique in the region"),
            REGION,
            KEY,
            NAME,
        ],
        results: &[
            ("id", "its identifier"),
            ("arn", "by which another region knows it"),
            ("encrypted", "true or false"),
        ],
        sends: &[DescribeDBSnapshots, CreateDBSnapshot, DeleteDBSnapshot],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheDatabaseSnapshot::new(arguments, subject)?))),
    },
    Row {
        name: "aws/rds-snapshot-copy",
        summary: "A copy of a database's snapshot in another region; give it `within: 6h`",
        arguments: &[
            must("source", "ARN of the snapshot"),
            must("snapshot", "identifier of the copy, unique in its region"),
            must("region", "where the copy is"),
            may("kms_key", "a key of that region; an encrypted snapshot cannot be copied without"),
            KEY,
            NAME,
        ],
        results: &[("id", "its identifier"), ("arn", "its ARN"), ("encrypted", "true or false")],
        sends: &[DescribeDBSnapshots, CopyDBSnapshot, DeleteDBSnapshot],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheDatabaseSnapshotCopy::new(arguments, subject)?))),
    },
    Row {
        name: "aws/rds-backup-replication",
        summary: "The automated backups of a database are kept in another region as well; give it `within: 6h`",
        arguments: &[
            must("source", "ARN of the database, whose backups must be on"),
            must("region", "where the copies are"),
            may("kms_key", "a key of that region; those of an encrypted database cannot be copied without"),
            may("days", "how long they are kept, 1 to 35; 7 when not given"),
            KEY,
            NAME,
        ],
        results: &[("id", "ARN of the copies, of which `aws: rds-restore` makes a database")],
        sends: &[
            DescribeDBInstanceAutomatedBackups,
            StartDBInstanceAutomatedBackupsReplication,
            StopDBInstanceAutomatedBackupsReplication,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheReplication::new(arguments, subject)?))),
    },
    Row {
        name: "aws/rds-restore",
        summary: "A new database of a snapshot, or of what another was at a moment; never public; give it `within: 90m`",
        arguments: &[
            must("instance", "identifier of the new database"),
            may("snapshot", "identifier or ARN of the snapshot"),
            may("source", "or the database whose past it is"),
            may("backups", "or the ARN of backups that were replicated here"),
            may("at", "with these two: latest, or a moment such as 2026-08-01T12:00:00Z; latest when not given"),
            must("subnet_group", "name of its DB subnet group"),
            must("groups", "ids of its security groups"),
            must("parameter_group", "name of its parameter group"),
            may("option_group", "name of its option group"),
            may("class", "such as db.t4g.small; that of the source when not given"),
            may("multi_az", "true for a second one in another zone; false when not given"),
            may("final_snapshot", "identifier of the snapshot that its undo leaves; none when not given"),
            REGION,
            KEY,
            NAME,
        ],
        results: &[
            ("id", "its identifier"),
            ("arn", "its ARN"),
            ("address", "its name in DNS, another than the source's"),
            ("port", "where it listens"),
        ],
        sends: &[
            DescribeDBInstances,
            RestoreDBInstanceFromDBSnapshot,
            RestoreDBInstanceToPointInTime,
            DeleteDBInstance,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRestored::new(arguments, subject)?))),
    },
    Row {
        name: "aws/rds-export",
        summary: "The tables of a database's snapshot as Parquet files in a bucket, for reading only; give it `within: 1 day`",
        arguments: &[
            must("source", "ARN of the snapshot"),
            must("task", "name of the export, which AWS takes once"),
            must("bucket", "bucket in the snapshot's region"),
            may("prefix", "folder in it"),
            must("role", "ARN of the role that export.rds.amazonaws.com takes to write there"),
            must("kms_key", "key that the files are encrypted with"),
            may("only", "list of databases, schemas or tables; all when not given"),
            REGION,
        ],
        results: &[("id", "its name"), ("lies", "where the files are: s3://…")],
        sends: &[DescribeExportTasks, StartExportTask, CancelExportTask],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheExport::new(arguments, subject)?))),
    },
];
