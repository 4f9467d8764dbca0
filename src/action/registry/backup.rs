//! The kinds of AWS Backup and of objects in S3: what is done out of turn, or once. Vaults, plans, selections, tests of
//! restores and buckets are resources: `aws: resource`.

use super::super::aws_backup::{OptIn, RecoveryPoints};
use super::super::aws_backup_copy::TheCopy;
use super::super::aws_backup_job::TheBackup;
use super::super::aws_backup_restore::TheRestore;
use super::super::aws_s3::{Objects, Thawed, TheObject};
use super::super::check::Check;
use super::super::object::Object;
use super::{Argument, KEY, NAME, Row, may, must};
use crate::aws::Operation::*;

const VAULT: Argument = must("vault", "name of the backup vault");
const ROLE: Argument = must("role", "ARN of the role under which AWS Backup works");
const REGION: Argument = may("region", "another region of the account, such as the one for disaster recovery");
const KEEP: Argument = may("keep_days", "after how many days it is deleted; never when not given");
const BUCKET: Argument = must("bucket", "name of the bucket");
const OBJECT: Argument = must("object", "its name in the bucket, such as backup/2026/08/a.tgz");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/backup-region",
        summary: "AWS Backup backs up these types of resource in the region; without it a plan runs and protects nothing",
        arguments: &[must("types", "list, as AWS Backup calls them: RDS, EBS, EC2, S3, …"), REGION],
        results: &[("types", "list of them")],
        sends: &[DescribeRegionSettings, UpdateRegionSettings],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(OptIn::new(arguments, subject)?))),
    },
    Row {
        name: "aws/backup-job",
        summary: "A backup of one resource now, beside those of the plan; goes well with `waits_on: aws`, for it takes minutes to hours. \
                  An undo stops one that is under way, and keeps what is whole",
        arguments: &[VAULT, must("resource", "ARN of what is backed up"), ROLE, KEEP, REGION, KEY, NAME],
        results: &[("id", "id of the job; null when AWS shows it no more"), ("point", "ARN of the recovery point")],
        sends: &[
            ListRecoveryPointsByBackupVault,
            BackupTags,
            ListBackupJobs,
            DescribeBackupJob,
            StartBackupJob,
            StopBackupJob,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheBackup::new(arguments, subject)?))),
    },
    Row {
        name: "aws/backup-copy",
        summary: "A recovery point has a copy in another vault, in another region as a rule; one that a plan made is as good",
        arguments: &[
            must("point", "ARN of the recovery point"),
            VAULT,
            must("to", "ARN of the vault that it goes into"),
            ROLE,
            KEEP,
            may("region", "the region in which the recovery point is, where it is not the engagement's"),
        ],
        results: &[("id", "id of the job; null when AWS shows it no more"), ("point", "ARN of the copy")],
        sends: &[ListCopyJobs, DescribeCopyJob, ListRecoveryPointsByBackupVault, StartCopyJob],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheCopy::new(arguments, subject)?))),
    },
    Row {
        name: "aws/restore-job",
        summary: "What was backed up is there once more beside the original, as in a drill; goes well with `waits_on: aws`",
        arguments: &[
            VAULT,
            must("point", "ARN of the recovery point"),
            ROLE,
            must(
                "metadata",
                "map of what is to be otherwise than it was, as AWS Backup's guide has it for each type: \
                 {DBInstanceIdentifier: drill-orders, DBSubnetGroupName: drill}; the rest is as the recovery point says",
            ),
            REGION,
        ],
        results: &[("id", "id of the job"), ("resource", "ARN of what came of it")],
        sends: &[
            ListRestoreJobs,
            GetRestoreJobMetadata,
            DescribeRestoreJob,
            GetRecoveryPointRestoreMetadata,
            StartRestoreJob,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRestore::new(arguments, subject)?))),
    },
    Row {
        name: "aws/recovery-points",
        summary: "A vault has whole recovery points, young enough: the backups are made",
        arguments: &[
            VAULT,
            may("resource", "ARN of what they are of; of anything when not given"),
            may("most_hours", "how old the newest may be; any age when not given"),
            may("least", "how many there must be; 1 when not given"),
            REGION,
        ],
        results: &[
            ("count", "how many there are"),
            ("newest", "ARN of the newest"),
            ("resource", "ARN of what the newest is of"),
            ("made", "when it was made"),
            ("hours", "how old it is, in hours"),
        ],
        sends: &[ListRecoveryPointsByBackupVault],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(RecoveryPoints::new(arguments, subject)?))),
    },
    Row {
        name: "aws/s3-object",
        summary: "A text is an object in a bucket, with its checksum; nobody else's is ever written over or deleted",
        arguments: &[
            BUCKET,
            OBJECT,
            must("content", "its text, 256 KiB at the most"),
            may("content_type", "such as text/x-shellscript"),
            may(
                "class",
                "STANDARD, STANDARD_IA, GLACIER_IR, GLACIER or DEEP_ARCHIVE; STANDARD when not given. The last two cannot be read \
                 at once, and are good for a test of the archive",
            ),
            REGION,
            KEY,
            NAME,
        ],
        results: &[
            ("id", "s3://bucket/object"),
            ("sha256", "of the content, in base 64"),
            ("version", "its version, in a bucket that keeps them"),
        ],
        sends: &[HeadObject, GetObject, PutObject, DeleteObject],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheObject::new(arguments, subject)?))),
    },
    Row {
        name: "aws/s3-restore",
        summary: "An archived object (Glacier, Deep Archive) can be read for some days; goes well with `waits_on: aws`, for it takes \
                  minutes to two days",
        arguments: &[
            BUCKET,
            OBJECT,
            may("days", "for how long it can be read; 7 when not given"),
            may("tier", "Standard, Bulk (slower, and the cheapest) or Expedited; Standard when not given"),
            REGION,
        ],
        results: &[("until", "until when it can be read; null for one that was never archived")],
        sends: &[HeadObject, RestoreObject],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Thawed::new(arguments, subject)?))),
    },
    Row {
        name: "aws/s3-objects",
        summary: "A bucket has objects, young enough: what is to be written there every day is",
        arguments: &[
            BUCKET,
            may("prefix", "with which their names begin; all when not given"),
            may("most_hours", "how old the newest may be; any age when not given"),
            may("least", "how many there must be; 1 when not given"),
            REGION,
        ],
        results: &[
            ("count", "how many there are"),
            ("newest", "name of the newest"),
            ("made", "when it was written"),
            ("hours", "how old it is, in hours"),
            ("bytes", "how long they are together"),
        ],
        sends: &[ListObjectsV2],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Objects::new(arguments, subject)?))),
    },
];
