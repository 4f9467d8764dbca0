//! What the services beside EC2 say, each in its own words; one code means different things in two of them.
//!
//! Codes: the API reference of each service; of RDS as they are on the wire, without the word Fault.

use super::{Row, row_of};
use crate::aws::error::Kind;

/// AWS Secrets Manager.
pub(super) const SECRETS_MANAGER: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["ResourceNotFoundException"],
        "Secrets Manager has no secret of that name in this account and region.",
        "Compare the name, the account and the region; or store it anew: onramp secret NAME set ID.",
    ),
    row_of(
        Kind::Exists,
        &["ResourceExistsException"],
        "Secrets Manager has a secret of that name already.",
        "onramp looks whose it is. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Conflict,
        &["InvalidRequestException"],
        "The secret is scheduled for deletion, or another service manages it.",
        "Let its owner cancel the deletion (aws secretsmanager restore-secret --secret-id NAME), or choose another name.",
    ),
    row_of(
        Kind::Denied,
        &["DecryptionFailure", "EncryptionFailure"],
        "These credentials may read the secret's entry, but not use the KMS key that it is encrypted with.",
        "Ask for kms:Decrypt (to store: kms:GenerateDataKey) on that key.",
    ),
];

/// CloudTrail ("AWS CloudTrail API Reference").
pub(super) const CLOUD_TRAIL: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["TrailNotFoundException"],
        "CloudTrail does not know this trail in this region: it was deleted, or is of another region and called by its name alone.",
        "Look again: aws cloudtrail describe-trails shows those that are there, each with its region.",
    ),
    row_of(
        Kind::Denied,
        &["OperationNotPermittedException", "NoManagementAccountSLRExistsException"],
        "The trail is the organisation's, and its management account does not let this account do this.",
        "Ask whoever runs the organisation; or skip the step, and say in the note who watches the trail.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidTrailNameException", "CloudTrailARNInvalidException", "UnsupportedOperationException"],
        "CloudTrail does not take the name of the trail, or does not do this in this region.",
        "Read AWS's own words below, and correct the step.",
    ),
];

/// Route 53: hosted zones and records.
pub(super) const ROUTE53: &[Row] = &[
    row_of(
        Kind::NotFound,
        &[
            "NoSuchHostedZone",
            "NoSuchChange",
            "VPCAssociationNotFound",
            "VPCAssociationAuthorizationNotFound",
            "NoSuchDelegationSet",
        ],
        "Route 53 does not know this zone, change or association: it was deleted, or is of another account.",
        "Run the check of the step that made it. If it was deleted by hand, undo and run that step again.",
    ),
    row_of(
        Kind::Exists,
        &["HostedZoneAlreadyExists", "VPCAlreadyAssociated*", "ConflictingDomainExists"],
        "This call was sent before and made its zone, or the VPC has a zone of that name already.",
        "onramp looks for the zone by the reference of the earlier call. If it is somebody else's, compare the two zones with the customer.",
    ),
    row_of(
        Kind::InUse,
        &["HostedZoneNotEmpty", "LastVPCAssociation"],
        "The zone still holds records beside its own, or it is the last VPC of a private zone.",
        "Undo the steps that made the records first. What onramp did not make, its owner must take away.",
    ),
    row_of(
        Kind::Throttled,
        &["PriorRequestNotComplete"],
        "Route 53 is still working on an earlier change of the same zone, and takes one at a time.",
        "onramp has tried again. If it persists, find out who else changes this zone.",
    ),
    row_of(
        Kind::Busy,
        &["ConcurrentModification", "ConflictingTypes"],
        "Somebody else is changing the same zone at this moment.",
        "onramp has tried for a minute. Try the step again; if AWS says the same then, find out who else changes this zone.",
    ),
    row_of(
        Kind::Denied,
        &["NotAuthorizedException"],
        "The VPC is of another account, which has not allowed this zone.",
        "Let the account of the VPC authorize the association first (CreateVPCAssociationAuthorization), then try again.",
    ),
    row_of(
        Kind::Quota,
        &["TooManyHostedZones", "DelegationSetNotAvailable", "LimitsExceeded", "TooManyVPCAssociationAuthorizations"],
        "The account has as many zones or associations as it may have (500 zones unless raised).",
        "Ask for more in Service Quotas (Route 53), or let the customer delete zones that nobody uses.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidChangeBatch", "InvalidInput", "InvalidDomainName", "InvalidVPCId", "PublicZoneVPCAssociation"],
        "Route 53 does not take the name or one of the records; nothing of the whole batch was done.",
        "Read AWS's own words below: they name the record. Correct the input and try again.",
    ),
];

/// Route 53 Resolver: endpoints, rules and logs between the VPC and the data centre.
pub(super) const RESOLVER: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["ResourceNotFoundException", "UnknownResourceException"],
        "The Resolver does not know this endpoint, rule or association in this region.",
        "Run the check of the step that made it. If it was deleted by hand, undo and run that step again.",
    ),
    row_of(
        Kind::Exists,
        &["ResourceExistsException"],
        "There is one already: a rule for this domain, or an association of this VPC.",
        "Compare it with what is wanted. A VPC takes one rule for a domain: whoever made the other one must let it go.",
    ),
    row_of(
        Kind::InUse,
        &["ResourceInUseException"],
        "Something still uses it: a rule its endpoint, or a VPC its rule.",
        "Undo the associations and rules first, newest first.",
    ),
    row_of(
        Kind::NotReady,
        &["ResourceUnavailableException"],
        "It is being made or changed and cannot do this now.",
        "Wait until it is OPERATIONAL or COMPLETE, and try again.",
    ),
    row_of(
        Kind::Quota,
        &["LimitExceededException"],
        "The region has as many of these as the account may have (4 endpoints with 6 addresses each, unless raised).",
        "Ask for more in Service Quotas (Route 53 Resolver), or reuse an endpoint that is there.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidRequestException", "InvalidParameterException", "InvalidPolicyDocument", "InvalidTagException"],
        "The Resolver does not take one of the values, such as an address outside its subnet or a domain that is no domain.",
        "Read AWS's own words below, and correct the input.",
    ),
];

/// SES: identities, configuration sets and sending.
pub(super) const MAIL: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["NotFoundException"],
        "SES does not know this identity or configuration set in this region.",
        "Compare the region: identities are regional. If it was deleted by hand, undo and run the step again.",
    ),
    row_of(
        Kind::Exists,
        &["AlreadyExistsException"],
        "SES has an identity or a configuration set of that name already.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Denied,
        &["MailFromDomainNotVerifiedException"],
        "The sender's domain is not verified yet, so SES sends nothing for it.",
        "Look whether the customer has published the DKIM and MAIL FROM records; SES looks again for 72 hours.",
    ),
    row_of(
        Kind::Activation,
        &["AccountSuspendedException", "SendingPausedException"],
        "AWS has stopped this account from sending mail, because of bounces or complaints.",
        "Read the mail that AWS sent to the account's owner; only they can answer it. onramp cannot lift it.",
    ),
    row_of(
        Kind::Invalid,
        &["MessageRejected", "BadRequestException"],
        "SES did not take the message or the value. In the sandbox it sends to verified addresses only.",
        "Read AWS's own words below. For other recipients, ask for production access first.",
    ),
    row_of(
        Kind::Busy,
        &["ConflictException", "ConcurrentModificationException"],
        "Somebody else changes the same identity at this moment, or it is still used.",
        "onramp has tried for a minute. Try the step again; if AWS says the same then, find out what still uses it.",
    ),
    row_of(
        Kind::Quota,
        &["LimitExceededException"],
        "The account has as many identities or configuration sets as it may have, or has sent what it may send today.",
        "In the sandbox that is 200 mails a day and one a second: ask for production access, or for more in Service Quotas.",
    ),
];

/// Direct Connect: lines to the data centre.
pub(super) const DIRECT_CONNECT: &[Row] = &[
    row_of(
        Kind::Invalid,
        &["DuplicateTagKeysException"],
        "A tag is named twice.",
        "Correct the cost tags: each key once.",
    ),
    row_of(
        Kind::Quota,
        &["TooManyTagsException"],
        "The object would carry more tags than AWS takes (50).",
        "Take away some of the cost tags.",
    ),
    row_of(
        Kind::Invalid,
        &["DirectConnectClientException"],
        "Direct Connect refuses the call; it has this one code for almost everything.",
        "Read AWS's own words below: they are the reason. Nothing was ordered by this call.",
    ),
    row_of(
        Kind::LostReply,
        &["DirectConnectServerException"],
        "Direct Connect had an error of its own. Whether it did what was asked cannot be told from the answer.",
        "onramp looks for what was asked for before it says anything again. A port is ordered again by a person only, because \
         each one is billed.",
    ),
];

/// Cloud Control: any type of resource.
pub(super) const CLOUD_CONTROL: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["ResourceNotFoundException", "RequestTokenNotFoundException"],
        "There is no resource of that type and identifier, or the request is older than seven days.",
        "Compare type, identifier, account and region.",
    ),
    row_of(
        Kind::Exists,
        &["AlreadyExistsException"],
        "There is one with that identifier already.",
        "Compare it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Conflict,
        &["ConcurrentOperationException", "ConcurrentModificationException", "ResourceConflictException"],
        "Another operation on the same resource is still going on.",
        "Wait until it has ended, and try again.",
    ),
    row_of(
        Kind::Token,
        &["ClientTokenConflictException"],
        "This step sent the same token before, with other values. Nothing was made this time.",
        "onramp has looked for the earlier object and did not find it. Run the step again: it takes a new token.",
    ),
    row_of(
        Kind::Invalid,
        &[
            "InvalidRequestException",
            "NotUpdatableException",
            "TypeNotFoundException",
            "UnsupportedActionException",
            "PrivateTypeException",
        ],
        "The type of resource, or one of its properties, is not one that AWS takes here.",
        "Compare the properties with the type's schema in the CloudFormation reference; a property that cannot be changed needs a new resource.",
    ),
    row_of(
        Kind::Denied,
        &["InvalidCredentialsException"],
        "Cloud Control may not do this for these credentials: it calls the service itself in their name.",
        "Ask for the permissions of the service behind the type as well, and not only those of Cloud Control.",
    ),
    row_of(
        Kind::Quota,
        &["ServiceLimitExceededException"],
        "The account has as many of these as it may have in this region.",
        "Ask Service Quotas for more: AWS's own words name what of, and aws service-quotas list-service-quotas --service-code \
         SERVICE its code (L-…); aws service-quotas request-service-quota-increase asks, as `aws: quota-increase` does. Or let \
         the customer delete what nobody uses.",
    ),
    row_of(
        Kind::NotReady,
        &["NotStabilizedException"],
        "It did not come to rest in the time that AWS gives it.",
        "Run the step again: it looks what is there. Its state is also what aws cloudcontrol get-resource --type-name TYPE \
         --identifier ID says.",
    ),
    row_of(
        Kind::LostReply,
        &[
            "GeneralServiceException",
            "HandlerFailureException",
            "HandlerInternalFailureException",
            "NetworkFailureException",
            "ServiceInternalErrorException",
        ],
        "The service behind the type failed. Whether it did what was asked cannot be told from the answer.",
        "onramp looks what is there before it asks again; AWS's own words are below.",
    ),
];

/// Service Quotas.
pub(super) const SERVICE_QUOTAS: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["NoSuchResourceException"],
        "There is no such quota or request, or the quota has AWS's own value and was never changed.",
        "Compare the codes of service and quota.",
    ),
    row_of(
        Kind::Exists,
        &["ResourceAlreadyExistsException"],
        "A request for this quota is open already.",
        "Wait for its answer: aws service-quotas list-requested-service-quota-change-history says how it stands.",
    ),
    row_of(
        Kind::Quota,
        &["QuotaExceededException", "TooManyRequestsForQuota"],
        "As many requests are open as the account may have.",
        "Wait until some are answered.",
    ),
    row_of(
        Kind::Denied,
        &["DependencyAccessDeniedException"],
        "Service Quotas may not read the quota from the service that it belongs to.",
        "Ask for the read permissions of that service as well.",
    ),
    row_of(
        Kind::Invalid,
        &["IllegalArgumentException", "InvalidPaginationTokenException"],
        "Service Quotas does not take the value: it may be lower than the one that holds now.",
        "Compare it with the value that holds now.",
    ),
    row_of(
        Kind::NotReady,
        &["InvalidResourceStateException"],
        "The request is in a state in which this cannot be done.",
        "See how it stands: aws service-quotas list-requested-service-quota-change-history.",
    ),
];

/// CloudWatch: what services measure.
pub(super) const METRICS: &[Row] = &[row_of(
    Kind::Invalid,
    &["InvalidParameterValue", "InvalidParameterCombination", "ValidationError", "MissingParameter"],
    "CloudWatch does not take the metric or the time.",
    "That is a mistake of onramp: please report it, with the message.",
)];

/// CloudWatch Logs: what services write down.
pub(super) const LOGS: &[Row] = &[
    row_of(
        Kind::NotFound,
        &["ResourceNotFoundException"],
        "The log group is not there, or nothing has been written into it yet.",
        "Compare its name and region: aws logs describe-log-groups lists what is there.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidParameterException"],
        "CloudWatch Logs does not take the name or the time.",
        "Compare the name with those that aws logs describe-log-groups lists.",
    ),
    row_of(
        Kind::LostReply,
        &["ServiceUnavailableException"],
        "CloudWatch Logs could not answer just now.",
        "Nothing was changed. Ask again in a minute.",
    ),
];

/// STS: who calls, and roles.
pub(super) const STS: &[Row] = &[
    row_of(
        Kind::Activation,
        &["RegionDisabledException"],
        "STS is switched off for this region in the account.",
        "Let the account's owner switch it on (IAM, account settings), or choose a region that is on.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidAuthorizationMessageException", "MalformedPolicyDocument", "PackedPolicyTooLarge"],
        "STS does not take what was sent.",
        "Report it as a bug, with AWS's own words below.",
    ),
];

/// RDS, IAM, Organizations, S3, KMS, Backup, ACM, SSM and others: their codes are their own.
pub(super) const OTHERS: &[Row] = &[
    row_of(
        Kind::Exists,
        &[
            "DBInstanceAlreadyExists*",
            "DBSnapshotAlreadyExists*",
            "DBSubnetGroupAlreadyExists*",
            "EntityAlreadyExists*",
            "BucketAlreadyOwnedByYou",
        ],
        "One of that name is there already in this account.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Conflict,
        &["BucketAlreadyExists"],
        "Somebody else in the world has a bucket of that name: names of buckets are shared by all accounts.",
        "Choose another name, such as one with the customer's short name and the account in it.",
    ),
    row_of(
        Kind::Quota,
        &[
            "InstanceQuotaExceeded*",
            "StorageQuotaExceeded*",
            "SnapshotQuotaExceeded*",
            "DBSubnetGroupQuotaExceeded*",
            "DBSubnetQuotaExceeded*",
            "LimitExceeded",
            "SubscriptionLimitExceeded*",
            "TopicLimitExceeded*",
            "TooManyBuckets",
        ],
        "The account has as many of these as it may have in this region.",
        "Ask Service Quotas for more: AWS's own words name what of, and aws service-quotas list-service-quotas --service-code \
         SERVICE its code (L-…); aws service-quotas request-service-quota-increase asks, as `aws: quota-increase` does. Or let \
         the customer delete what nobody uses.",
    ),
    row_of(
        Kind::NotReady,
        &[
            "InvalidDBInstanceState*",
            "InvalidDBSnapshotState*",
            "InvalidDBSubnetGroupStateFault",
            "EntityTemporarilyUnmodifiable*",
            "KMSInvalidStateException",
            "RequestInProgressException",
            "InvalidResourceStateException",
        ],
        "It is on its way from one state to another and cannot do this now.",
        "Wait until it is available, and try again. Multi-AZ databases and restores take half an hour and more.",
    ),
    row_of(
        Kind::NotFound,
        &[
            "DBInstanceNotFound*",
            "DBSnapshotNotFound*",
            "DBSubnetGroupNotFound*",
            "NoSuchEntity*",
            "NoSuchBucket",
            "NoSuchKey",
            "InvocationDoesNotExist",
            "NotFoundException",
        ],
        "AWS does not know it in this account and region: it was deleted, or never made.",
        "Run the check of the step that made it. If it was deleted by hand, undo and run that step again.",
    ),
    row_of(
        Kind::Capacity,
        &["InsufficientDBInstanceCapacity*", "ProvisionedIopsNotAvailableInAZ*", "InsufficientStorageClusterCapacity*"],
        "The zone has none of that database class or storage now.",
        "Choose another class or another zone, or try again later.",
    ),
    row_of(
        Kind::InUse,
        &["DeleteConflict*", "BucketNotEmpty", "ResourceInUseException"],
        "Something still hangs on it, so AWS will not let it go.",
        "What hangs on it goes first: what onramp made by undo (U shows the order), and what it did not make by its owner. Then \
         undo this once more.",
    ),
    row_of(
        Kind::Key,
        &["KMSKeyNotAccessible*", "InvalidKMSKey.*", "KMSAccessDeniedException", "DisabledException", "KMS*Exception"],
        "The encryption key cannot be used: it is not there, its policy does not allow it, it is disabled, or it is of \
         another region than what it is to encrypt.",
        "aws kms describe-key --key-id KEY --region REGION shows its state; REGION is where the encrypted thing lies, for a \
         copy the one it goes to. Let the key's owner allow kms:DescribeKey, kms:CreateGrant, kms:Decrypt and \
         kms:GenerateDataKey* to these credentials, or to the service's role where a service acts; then try again.",
    ),
    row_of(
        Kind::Activation,
        &[
            "ConstraintViolationException",
            "FinalizingOrganizationException",
            "AWSOrganizationsNotInUseException",
            "AWSServiceAccessNotEnabledException",
        ],
        "The organisation does not allow this, is still being set up, or there is none.",
        "Read AWS's own words below, and ask whoever owns the organisation.",
    ),
    row_of(
        Kind::Busy,
        &["OperationAborted"],
        "Somebody else is changing the same thing at this moment.",
        "onramp has tried for a minute. Try the step again; if AWS says the same then, find out who else works in this \
         account.",
    ),
    row_of(
        Kind::Conflict,
        &["DuplicateAccountException"],
        "There is an account with this mail address already.",
        "Use that account, or give another mail address: AWS takes each for one account only.",
    ),
    row_of(
        Kind::Invalid,
        &[
            "MalformedPolicyDocument*",
            "InvalidBucketName",
            "InvalidDomainValidationOptionsException",
            "MissingParameterValueException",
            "InvalidParameterValueException",
            "InvalidParameterException",
        ],
        "AWS does not take one of the values. onramp's own check of the form should have said so first.",
        "Read AWS's own words below, correct the input, and report the value so that the check learns it.",
    ),
    row_of(
        Kind::LostReply,
        &["DependencyFailureException"],
        "A service that AWS itself needs for this failed. Whether it did what was asked cannot be told from the answer.",
        "Wait a minute. onramp looks what is there before it asks again.",
    ),
];
