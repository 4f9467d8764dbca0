//! What AWS Backup and S3 say.
//!
//! Codes: "AWS Backup API Reference" and "Amazon S3 API Reference" (error responses). S3 answers a look without a body, so
//! that a missing object is a mere `NotFound`.

use super::{Row, row_of};
use crate::aws::error::Kind;

/// The codes under which a vault is refused, by AWS Backup and by the handler of the type.
const REFUSED: &[&str] = &["InvalidRequest*", "InvalidParameterValue*", "GeneralServiceException", "ResourceConflict"];

/// What AWS Backup says of a vault, in its words ("DeleteBackupVault" and "AWS Backup Vault Lock"): of any of these, all.
pub(super) const VAULTS: &[(&[&str], Row)] = &[
    (
        &["recovery point cannot be deleted", "vault not empty"],
        row_of(
            Kind::InUse,
            REFUSED,
            "The vault holds backups, and AWS deletes a vault only when it is empty.",
            "onramp deletes no backup. Delete the vault's recovery points by hand, or let the time for which they are kept pass; then undo again. Or leave the vault: it costs nothing, what it holds does.",
        ),
    ),
    (
        &["vault lock", "vault immutable"],
        row_of(
            Kind::Conflict,
            REFUSED,
            "The vault is locked: nobody can delete a backup in it, or keep one for a shorter time, before its time has passed.",
            "In governance mode whoever has backup:DeleteBackupVaultLockConfiguration can take the lock away first. In compliance mode nobody can once its days of grace are over, AWS neither: wait.",
        ),
    ),
];

/// AWS Backup.
pub(super) const BACKUP: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["ResourceNotFoundException"],
        "AWS Backup does not know this vault, job or recovery point in this account and region; jobs are shown for 30 days.",
        "Compare names and region: a vault and its recovery points are of one region. Run the step that makes the vault.",
    ),
    row_of(
        Kind::Exists,
        &["AlreadyExistsException"],
        "There is one of that name already.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidRequestException"],
        "AWS Backup does not do this as things stand: the region leaves this type of resource out, or the job has ended.",
        "Read AWS's own words below. `aws: backup-region` switches a type of resource on.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidParameterValueException", "MissingParameterValueException", "InvalidResourceStateException"],
        "AWS Backup does not take one of the values: there is no such resource, the role is none, or a time is out of its bounds.",
        "Read AWS's own words below. Cold storage takes 90 days at least, and databases never go there.",
    ),
    row_of(
        Kind::Quota,
        &["LimitExceededException"],
        "The account has as many vaults, plans or jobs as it may have in this region.",
        "Wait until jobs have ended, or ask for more in Service Quotas (AWS Backup).",
    ),
    row_of(
        Kind::LostReply,
        &["DependencyFailureException"],
        "A service that AWS Backup needs for this failed. Whether the job was started cannot be told from the answer.",
        "onramp asks again under the same token, which starts no second job.",
    ),
];

/// S3: objects.
pub(super) const S3: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["NotFound", "NoSuchKey", "NoSuchBucket", "NoSuchVersion"],
        "There is no such object or bucket in this account and region.",
        "Compare bucket, name and region; the step that makes the bucket comes first.",
    ),
    row_of(
        Kind::Exists,
        &["RestoreAlreadyInProgress", "PreconditionFailed", "ObjectAlreadyInActiveTierError"],
        "It is so already: it is being fetched from the archive, or somebody has put an object of that name there meanwhile.",
        "onramp looks at what is there, and waits or says whose it is.",
    ),
    row_of(
        Kind::NotReady,
        &["InvalidObjectState"],
        "The object is archived, and cannot be read before it is fetched; or it is not archived, and there is nothing to fetch.",
        "Fetch it with `aws: s3-restore`, which takes minutes to two days, and read it then.",
    ),
    row_of(
        Kind::Capacity,
        &["GlacierExpeditedRetrievalNotAvailable"],
        "The archive has no room for expedited retrievals at this moment.",
        "Ask for it with `tier: Standard`, or try again later.",
    ),
    row_of(
        Kind::Conflict,
        &["ConditionalRequestConflict", "OperationAborted"],
        "Somebody else is changing the same object at this moment.",
        "Wait a minute and try again; find out who else writes into this bucket.",
    ),
    row_of(
        Kind::Invalid,
        &["PermanentRedirect", "AuthorizationHeaderMalformed", "BadDigest", "InvalidStorageClass", "EntityTooLarge"],
        "The bucket is of another region, or the content did not arrive as it was sent.",
        "Give the step the bucket's `region`; otherwise run it again.",
    ),
];

/// S3 Control: what holds for a whole account ("Amazon S3 API Reference", S3 Control).
pub(super) const S3_CONTROL: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["NoSuchPublicAccessBlockConfiguration"],
        "Nobody has set for the account whether its buckets can be made public: each bucket decides for itself.",
        "Run the step that sets it.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidRequest", "MalformedXML", "InvalidAccountId"],
        "S3 does not take the account's number or the setting as it was sent.",
        "Compare the account id of the step with the engagement's: twelve digits.",
    ),
];
