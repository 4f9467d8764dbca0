//! The specification's table of errors (domain specification, 1.4), and what the other services say: each code as the
//! service itself writes it on the wire, read by its own client.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::aws::Kind::*;
use crate::aws::{AwsFailure, Cloud, Fate, Kind, Operation, Service, Wiring, explain};

/// Refuses everything, in the protocol of whoever asks.
#[derive(Debug, Clone)]
struct Refusing {
    code: &'static str,
    message: &'static str,
    status: u16,
}

impl HttpClient for Refusing {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Refusing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Refusing { code, message, status } = self;
        let form = request.body().bytes().is_some_and(|body| body.starts_with(b"Action="));
        let rest_xml = request.uri().contains("/2013-04-01/") || request.uri().contains("/v20180820/");
        let sts = request.uri().contains("sts.") || request.uri().contains("rds.");
        let bare = request.uri().contains("s3.");
        let body = match () {
            () if rest_xml || sts => format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>r-1</RequestId></ErrorResponse>"
            ),
            () if bare => format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
            () if form => format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
                 <RequestID>r-1</RequestID></Response>"
            ),
            () => format!("{{\"__type\":\"com.amazonaws#{code}\",\"message\":\"{message}\"}}"),
        };
        let mut response = HttpResponse::new(StatusCode::try_from(*status).unwrap(), SdkBody::from(body));
        response.headers_mut().insert("x-amzn-errortype", code.to_string());
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// What a code means when this service says it.
async fn said(service: Service, code: &'static str, message: &'static str) -> AwsFailure {
    let status = match code {
        "RequestLimitExceeded" | "SlowDown" | "ServiceUnavailable" => 503,
        _ => 400,
    };
    let wiring = Wiring {
        region: "eu-west-1".to_owned(),
        http_client: Some(SharedHttpClient::new(Refusing { code, message, status })),
        credentials: Some(SharedCredentialsProvider::new(Credentials::for_tests())),
        hurry: 1_000,
        ..Wiring::default()
    };
    let cloud = Cloud::connect(wiring).await.unwrap();
    macro_rules! refused {
        ($call:expr) => {
            explain(service, "Asked", &$call.send().await.unwrap_err())
        };
    }
    match service {
        Service::Ec2 => refused!(cloud.ec2().create_vpc().cidr_block("10.0.0.0/16")),
        Service::Sts => refused!(cloud.sts().get_caller_identity()),
        Service::SecretsManager => refused!(cloud.secrets_manager().describe_secret().secret_id("psk")),
        Service::Route53 => refused!(cloud.route53().get_hosted_zone().id("Z1")),
        Service::Resolver => refused!(cloud.resolver().get_resolver_endpoint().resolver_endpoint_id("rslvr-1")),
        Service::Mail => refused!(cloud.mail().get_email_identity().email_identity("acme.example")),
        Service::DirectConnect => refused!(cloud.direct_connect().describe_connections()),
        Service::Backup => refused!(cloud.backup().describe_region_settings()),
        Service::S3 => refused!(cloud.s3().list_objects_v2().bucket("b")),
        Service::S3Control => refused!(cloud.s3_control().get_public_access_block().account_id("123456789012")),
        Service::CloudTrail => refused!(cloud.trails().describe_trails()),
        Service::CloudControl => refused!(cloud.cloud_control().get_resource().type_name("T").identifier("i")),
        Service::Rds => refused!(cloud.databases().describe_db_instances()),
        Service::Metrics => refused!(cloud.metrics().get_metric_data()),
        Service::Logs => refused!(cloud.logs().filter_log_events().log_group_name("/aws/vendedlogs/vpn")),
        Service::ServiceQuotas => {
            refused!(cloud.service_quotas().get_service_quota().service_code("vpc").quota_code("L-F678F1CE"))
        }
    }
}

async fn assert_table(service: Service, table: &[(&'static str, Kind)]) {
    for &(code, kind) in table {
        let failure = said(service, code, "in AWS's words").await;
        assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code)), "{service:?}: {failure:?}");
        assert_eq!(failure.raw, "in AWS's words", "{service:?} {code}");
        assert!(failure.meaning.len() > 20 && failure.advice.len() > 20, "{failure:?}");
        assert!(!failure.advice.contains("L-") || failure.advice.contains("Service Quotas"), "where? {failure:?}");
        let fate = match kind {
            Throttled => Fate::NotExecuted,
            LostReply => Fate::Unknown,
            _ => Fate::Refused,
        };
        assert_eq!(failure.fate, fate, "{service:?} {code}");
    }
}

#[tokio::test]
async fn what_any_service_says_of_who_calls_and_how_often_is_understood_in_all_of_them() {
    let table = [
        ("AccessDenied", Denied),
        ("AccessDeniedException", Denied),
        ("InvalidClientTokenId", Kind::Credentials),
        ("UnrecognizedClientException", Kind::Credentials),
        ("ExpiredToken", Kind::Credentials),
        ("ExpiredTokenException", Kind::Credentials),
        ("SignatureDoesNotMatch", Kind::Credentials),
        ("RequestExpired", Kind::Credentials),
        ("OptInRequired", Activation),
        ("Throttling", Throttled),
        ("ThrottlingException", Throttled),
        ("TooManyRequestsException", Throttled),
        ("RequestLimitExceeded", Throttled),
        ("InternalFailure", LostReply),
    ];
    for service in [
        Service::Ec2,
        Service::Sts,
        Service::SecretsManager,
        Service::Route53,
        Service::Resolver,
        Service::Mail,
        Service::DirectConnect,
        Service::CloudControl,
        Service::Rds,
        Service::Logs,
        Service::ServiceQuotas,
        Service::Backup,
        Service::S3Control,
        Service::CloudTrail,
    ] {
        assert_table(service, &table).await;
    }
}

#[tokio::test]
async fn storage_has_words_for_its_own_codes() {
    let backup = [
        ("ResourceNotFoundException", NotFound),
        ("AlreadyExistsException", Exists),
        ("InvalidRequestException", Invalid),
        ("InvalidParameterValueException", Invalid),
        ("MissingParameterValueException", Invalid),
        ("LimitExceededException", Quota),
        ("DependencyFailureException", LostReply),
    ];
    assert_table(Service::Backup, &backup).await;
    let objects = [
        ("NoSuchKey", NotFound),
        ("NoSuchBucket", NotFound),
        ("RestoreAlreadyInProgress", Exists),
        ("PreconditionFailed", Exists),
        ("InvalidObjectState", NotReady),
        ("GlacierExpeditedRetrievalNotAvailable", Capacity),
        ("ConditionalRequestConflict", Kind::Conflict),
        ("PermanentRedirect", Invalid),
        ("SlowDown", Throttled),
        ("AccessDenied", Denied),
    ];
    assert_table(Service::S3, &objects).await;
    let account = [
        ("NoSuchPublicAccessBlockConfiguration", NotFound),
        ("InvalidRequest", Invalid),
        ("MalformedXML", Invalid),
        ("AccessDenied", Denied),
    ];
    assert_table(Service::S3Control, &account).await;
}

#[tokio::test]
async fn each_service_has_words_for_its_own_codes() {
    assert_table(
        Service::Route53,
        &[
            ("NoSuchHostedZone", NotFound),
            ("HostedZoneAlreadyExists", Exists),
            ("HostedZoneNotEmpty", InUse),
            ("PriorRequestNotComplete", Throttled),
            ("ConcurrentModification", Busy),
            ("NotAuthorizedException", Denied),
            ("TooManyHostedZones", Quota),
            ("InvalidChangeBatch", Invalid),
            ("InvalidInput", Invalid),
        ],
    )
    .await;
    assert_table(
        Service::Resolver,
        &[
            ("ResourceNotFoundException", NotFound),
            ("ResourceExistsException", Exists),
            ("ResourceInUseException", InUse),
            ("ResourceUnavailableException", NotReady),
            ("LimitExceededException", Quota),
            ("InvalidRequestException", Invalid),
        ],
    )
    .await;
    assert_table(
        Service::Mail,
        &[
            ("NotFoundException", NotFound),
            ("AlreadyExistsException", Exists),
            ("MailFromDomainNotVerifiedException", Denied),
            ("AccountSuspendedException", Activation),
            ("SendingPausedException", Activation),
            ("MessageRejected", Invalid),
            ("ConflictException", Busy),
            ("ConcurrentModificationException", Busy),
            ("LimitExceededException", Quota),
        ],
    )
    .await;
    assert_table(
        Service::CloudControl,
        &[
            ("ResourceNotFoundException", NotFound),
            ("AlreadyExistsException", Exists),
            ("ConcurrentOperationException", Conflict),
            ("ClientTokenConflictException", Token),
            ("UnsupportedActionException", Invalid),
            ("ServiceLimitExceededException", Quota),
            ("NotStabilizedException", NotReady),
            ("HandlerFailureException", LostReply),
        ],
    )
    .await;
    assert_table(
        Service::Logs,
        &[
            ("ResourceNotFoundException", NotFound),
            ("InvalidParameterException", Invalid),
            ("ServiceUnavailableException", LostReply),
        ],
    )
    .await;
    assert_table(
        Service::ServiceQuotas,
        &[
            ("NoSuchResourceException", NotFound),
            ("ResourceAlreadyExistsException", Exists),
            ("QuotaExceededException", Quota),
            ("DependencyAccessDeniedException", Denied),
            ("IllegalArgumentException", Invalid),
            ("InvalidResourceStateException", NotReady),
        ],
    )
    .await;
    assert_table(
        Service::Rds,
        &[
            ("DBInstanceAlreadyExists", Exists),
            ("DBSnapshotAlreadyExists", Exists),
            ("ExportTaskAlreadyExists", Exists),
            ("DBInstanceNotFound", NotFound),
            ("DBSnapshotNotFound", NotFound),
            ("ExportTaskNotFound", NotFound),
            ("DBInstanceAutomatedBackupNotFound", NotFound),
            ("DBSubnetGroupNotFoundFault", NotFound),
            ("DBParameterGroupNotFound", NotFound),
            ("InvalidDBInstanceState", NotReady),
            ("InvalidDBSnapshotState", NotReady),
            ("InvalidDBInstanceAutomatedBackupState", Exists),
            ("InvalidExportSourceState", NotReady),
            ("InvalidExportTaskStateFault", NotReady),
            ("InstanceQuotaExceeded", Quota),
            ("SnapshotQuotaExceeded", Quota),
            ("StorageQuotaExceeded", Quota),
            ("DBInstanceAutomatedBackupQuotaExceeded", Quota),
            ("InvalidRestoreFault", Invalid),
            ("PointInTimeRestoreNotEnabled", Invalid),
            ("InvalidS3BucketFault", Invalid),
            ("InvalidExportOnly", Invalid),
            ("InvalidVPCNetworkStateFault", Invalid),
            ("InvalidSubnet", Invalid),
            ("DBSubnetGroupDoesNotCoverEnoughAZs", Invalid),
            ("StorageTypeNotSupported", Invalid),
            ("InvalidParameterCombination", Invalid),
            ("IamRoleNotFound", Denied),
            ("IamRoleMissingPermissions", Denied),
            ("KMSKeyNotAccessibleFault", Key),
            ("InsufficientDBInstanceCapacity", Capacity),
        ],
    )
    .await;
    assert_table(
        Service::Ec2,
        &[
            ("SnapshotLimitExceeded", Quota),
            ("ConcurrentSnapshotLimitExceeded", Quota),
            ("SnapshotCreationPerVolumeRateExceeded", Quota),
            ("ResourceLimitExceeded", Quota),
            ("InvalidSnapshot.InUse", InUse),
            ("InvalidSnapshot.NotFound", NotFound),
            ("InvalidAMIName.Duplicate", Exists),
        ],
    )
    .await;
    assert_table(
        Service::SecretsManager,
        &[
            ("ResourceNotFoundException", NotFound),
            ("ResourceExistsException", Exists),
            ("InvalidRequestException", Conflict),
            ("DecryptionFailure", Denied),
        ],
    )
    .await;
    let trails = [
        ("TrailNotFoundException", NotFound),
        ("OperationNotPermittedException", Denied),
        ("InvalidTrailNameException", Invalid),
        ("CloudTrailARNInvalidException", Invalid),
        ("UnsupportedOperationException", Invalid),
    ];
    assert_table(Service::CloudTrail, &trails).await;
    let sts = [("RegionDisabledException", Activation), ("InvalidAuthorizationMessageException", Invalid)];
    assert_table(Service::Sts, &sts).await;
}

/// The services that have no client here yet say their codes in words that are their own, whoever is asked.
#[tokio::test]
async fn databases_roles_buckets_keys_and_organisations_are_understood_by_their_codes() {
    assert_table(
        Service::Ec2,
        &[
            ("DBInstanceAlreadyExists", Exists),
            ("InstanceQuotaExceeded", Quota),
            ("InvalidDBInstanceState", NotReady),
            ("DBInstanceNotFound", NotFound),
            ("KMSKeyNotAccessibleFault", Key),
            ("InsufficientDBInstanceCapacity", Capacity),
            ("EntityAlreadyExists", Exists),
            ("NoSuchEntity", NotFound),
            ("DeleteConflict", InUse),
            ("EntityTemporarilyUnmodifiable", NotReady),
            ("BucketAlreadyOwnedByYou", Exists),
            ("BucketAlreadyExists", Conflict),
            ("NoSuchBucket", NotFound),
            ("OperationAborted", Busy),
            ("ConstraintViolationException", Activation),
            ("DependencyFailureException", LostReply),
        ],
    )
    .await;
}

#[tokio::test]
async fn direct_connect_has_one_code_and_its_prose_tells_them_apart() {
    for (message, kind) in [
        ("Connection dxcon-1 does not exist.", NotFound),
        ("You have reached the maximum number of virtual interfaces.", Quota),
        ("The VLAN is already in use.", Exists),
        ("The connection is not in a state that allows this.", NotReady),
        ("Invalid bandwidth.", Invalid),
    ] {
        let failure = said(Service::DirectConnect, "DirectConnectClientException", message).await;
        assert_eq!((failure.kind, failure.fate), (kind, Fate::Refused), "{message}");
        assert!(failure.raw == message && failure.advice.contains("AWS's own words"), "{failure:?}");
    }
    for (code, kind, fate) in [
        ("DuplicateTagKeysException", Invalid, Fate::Refused),
        ("TooManyTagsException", Quota, Fate::Refused),
        // Whether a port was ordered is not known.
        ("DirectConnectServerException", LostReply, Fate::Unknown),
    ] {
        let failure = said(Service::DirectConnect, code, "").await;
        assert_eq!((failure.kind, failure.fate), (kind, fate), "{code}");
    }
}

#[tokio::test]
async fn the_same_code_means_what_the_service_means_by_it() {
    for (service, word) in
        [(Service::SecretsManager, "secret"), (Service::Resolver, "Resolver"), (Service::CloudControl, "type")]
    {
        let failure = said(service, "ResourceNotFoundException", "").await;
        assert!(failure.meaning.contains(word), "{service:?}: {failure:?}");
    }
}

#[tokio::test]
async fn a_value_that_aws_only_does_not_know_yet_is_not_called_wrong() {
    for message in [
        "Value (web) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        "The role defined for the function cannot be assumed by Lambda.",
        "IAM Role arn:aws:iam::1:role/backup cannot be assumed by AWS Backup",
    ] {
        let failure = said(Service::Ec2, "InvalidParameterValue", message).await;
        assert_eq!((failure.kind, failure.fate, failure.raw.as_str()), (NotReady, Fate::Refused, message));
        assert!(failure.advice.contains("trust policy"), "{failure:?}");
    }
    let failure = said(Service::Ec2, "InvalidParameterValue", "Value (10.0.0.0/33) for cidrBlock is invalid.").await;
    assert_eq!(failure.kind, Invalid, "a wrong value is wrong at once");
}

#[tokio::test]
async fn a_code_that_nobody_knows_is_shown_as_it_is() {
    let failure = said(Service::Route53, "NeverHeardOf", "in AWS's words").await;
    assert_eq!((failure.kind, failure.fate, failure.raw.as_str()), (Other, Fate::Refused, "in AWS's words"));
}

#[tokio::test]
async fn a_vault_that_is_full_or_locked_is_no_wrong_property() {
    for (words, kind, meaning, advice) in [
        ("Backup vault cannot be deleted because it contains recovery points.", InUse, "when it is empty", "by hand"),
        ("Backup vault cannot be deleted (contains 1 recovery points)", InUse, "when it is empty", "by hand"),
        ("Vault lock configuration is immutable and cannot be deleted", Kind::Conflict, "is locked", "wait"),
        ("The backup vault is locked", Kind::Conflict, "is locked", "wait"),
    ] {
        let direct = said(Service::Backup, "InvalidRequestException", words).await;
        let behind = |code| AwsFailure::of_handler(Operation::DeleteResource, "AWS::Backup::BackupVault", code, words);
        for failure in [direct, behind("InvalidRequest"), behind("GeneralServiceException")] {
            assert_eq!((failure.kind, failure.fate, failure.raw.as_str()), (kind, Fate::Refused, words), "{failure:?}");
            assert!(failure.meaning.contains(meaning) && failure.advice.contains(advice), "{failure:?}");
        }
        let of_a_topic = AwsFailure::of_handler(Operation::DeleteResource, "AWS::SNS::Topic", "InvalidRequest", words);
        assert_eq!(of_a_topic.kind, Invalid, "what a word means is said by its service");
    }
    let closed = said(Service::Backup, "InvalidRequestException", "The resource type RDS is not opted in").await;
    assert!(closed.kind == Invalid && closed.advice.contains("aws: backup-region"), "{closed:?}");
    let denied = "User is not authorized to perform backup:DeleteBackupVault: vault lock";
    let denied = AwsFailure::of_handler(Operation::DeleteResource, "AWS::Backup::BackupVault", "AccessDenied", denied);
    assert_eq!(denied.kind, Denied);
    let words = "Cannot delete protected DB Instance, please disable deletion protection and try again.";
    let database = AwsFailure::of_handler(Operation::DeleteResource, "AWS::RDS::DBInstance", "InvalidRequest", words);
    assert!(database.kind == Kind::Conflict && database.meaning.contains("protected against"), "{database:?}");
}

#[test]
fn every_way_in_which_a_request_to_cloud_control_fails_says_what_to_do() {
    use crate::aws::cloud_control::types::HandlerErrorCode;
    let wanted = [
        ("AlreadyExists", Exists, "another name"),
        ("NotFound", NotFound, "run it again"),
        ("AccessDenied", Denied, "--policy"),
        ("UnauthorizedTaggingOperation", Denied, "tag"),
        ("InvalidCredentials", Kind::Credentials, "aws sso login"),
        ("InvalidRequest", Invalid, "CloudFormation reference"),
        ("NotUpdatable", Invalid, "undo the step"),
        ("ResourceConflict", InUse, "A bucket must be empty"),
        ("Throttling", Throttled, "Wait a minute"),
        ("ServiceLimitExceeded", Quota, "Service Quotas"),
        ("NotStabilized", NotReady, "goes on with that"),
        ("ServiceTimeout", NotReady, "goes on with that"),
        ("GeneralServiceException", Other, "AWS support"),
        ("ServiceInternalError", Other, "AWS support"),
        ("InternalFailure", Other, "AWS support"),
        ("NetworkFailure", Other, "AWS support"),
    ];
    for code in HandlerErrorCode::values() {
        assert!(wanted.iter().any(|(known, ..)| known == code), "{code} has no words");
    }
    for (code, kind, advice) in wanted {
        let failure = AwsFailure::of_handler(Operation::CreateResource, "AWS::S3::Bucket", code, "in AWS's words");
        assert_eq!(
            (failure.kind, failure.fate, failure.raw.as_str()),
            (kind, Fate::Refused, "in AWS's words"),
            "{code}"
        );
        assert!(failure.what.contains("CreateResource of AWS::S3::Bucket") && failure.spent, "{failure:?}");
        assert!(failure.meaning.len() > 20 && failure.advice.contains(advice), "{failure:?}");
    }
}
