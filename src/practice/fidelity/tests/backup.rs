//! AWS Backup, and objects in buckets.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_backup::types::BackupJobState;
use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest, StorageClass, Tier};

use super::*;

const ROLE: &str = "arn:aws:iam::210987654321:role/backup";

/// A client of one of the services.
macro_rules! client_of {
    ($sdk:ident, $cloud:ident $(, $also:ident)?) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client($cloud.http_client())
                .credentials_provider($cloud.credentials())
                .region(Region::new(REGION))
                .timeout_config(TimeoutConfig::disabled())
                .retry_config(RetryConfig::disabled())
                $(.$also(true))?
                .build(),
        )
    };
}

async fn made(cloud: &Cloud, kind: &str, state: &str) {
    let control = client_of!(aws_sdk_cloudcontrol, cloud);
    control.create_resource().type_name(kind).desired_state(state).send().await.unwrap();
}

const DATABASE: &str = r#"{"DBInstanceIdentifier": "orders", "Engine": "mysql", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20"}"#;

fn orders() -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:orders")
}

#[tokio::test]
async fn a_job_needs_a_vault_something_to_back_up_and_a_region_that_does() {
    let cloud = cloud(Pace::Instant);
    let backup = client_of!(aws_sdk_backup, cloud);
    made(&cloud, "AWS::Backup::BackupVault", r#"{"BackupVaultName": "main"}"#).await;
    made(&cloud, "AWS::RDS::DBInstance", DATABASE).await;
    let orders = orders();
    let start = |vault: &str, of: &str, token: &str| {
        backup.start_backup_job().backup_vault_name(vault).resource_arn(of).iam_role_arn(ROLE).idempotency_token(token)
    };
    rows! {
        start("none", &orders, "a") => "ResourceNotFoundException",
        start("main", "arn:aws:rds:eu-west-1:210987654321:db:none", "a") => "InvalidParameterValueException",
        start("main", &orders, "a").iam_role_arn("backup") => "InvalidParameterValueException",
        start("main", &orders, "a") => "InvalidRequestException",
    }
    let on = HashMap::from([("RDS".to_owned(), true)]);
    backup.update_region_settings().set_resource_type_opt_in_preference(Some(on)).send().await.unwrap();
    let settings = backup.describe_region_settings().send().await.unwrap();
    let settings = settings.resource_type_opt_in_preference().unwrap();
    assert_eq!((settings["RDS"], settings["EBS"], settings["EC2"]), (true, true, false), "the others are as they were");
    let first = start("main", &orders, "a").send().await.unwrap().backup_job_id.unwrap();
    let again = start("main", &orders, "a").send().await.unwrap().backup_job_id.unwrap();
    assert_eq!(first, again, "a token starts one job");
    rows! {
        start("main", &orders, "a").lifecycle(aws_sdk_backup::types::Lifecycle::builder().delete_after_days(7).build())
            => "InvalidParameterValueException",
        backup.describe_backup_job().backup_job_id("none") => "ResourceNotFoundException",
        backup.stop_backup_job().backup_job_id("none") => "ResourceNotFoundException",
        backup.list_recovery_points_by_backup_vault().backup_vault_name("none") => "ResourceNotFoundException",
    }
}

#[tokio::test]
async fn a_job_comes_along_can_be_stopped_and_leaves_a_recovery_point_that_holds_its_vault() {
    let cloud = cloud(Pace::Stopped);
    let backup = client_of!(aws_sdk_backup, cloud);
    made(&cloud, "AWS::Backup::BackupVault", r#"{"BackupVaultName": "main"}"#).await;
    made(&cloud, "AWS::RDS::DBInstance", DATABASE).await;
    cloud.advance(Duration::from_secs(10));
    let on = HashMap::from([("RDS".to_owned(), true)]);
    backup.update_region_settings().set_resource_type_opt_in_preference(Some(on)).send().await.unwrap();
    let start = || backup.start_backup_job().backup_vault_name("main").resource_arn(orders()).iam_role_arn(ROLE);
    let tags = HashMap::from([("onramp:key".to_owned(), "backup/first".to_owned())]);
    let whole = start().set_recovery_point_tags(Some(tags.clone())).send().await.unwrap().backup_job_id.unwrap();
    let stopped = start().send().await.unwrap().backup_job_id.unwrap();
    let state = async |id: &str| backup.describe_backup_job().backup_job_id(id).send().await.unwrap().state.unwrap();
    assert_eq!(state(&whole).await, BackupJobState::Created);
    cloud.advance(Duration::from_millis(600));
    assert_eq!(state(&whole).await, BackupJobState::Running);
    backup.stop_backup_job().backup_job_id(&stopped).send().await.unwrap();
    assert_eq!(state(&stopped).await, BackupJobState::Aborting);
    let points = async || {
        let all = backup.list_recovery_points_by_backup_vault().backup_vault_name("main").send().await.unwrap();
        all.recovery_points.unwrap_or_default()
    };
    assert!(points().await.is_empty());
    cloud.advance(Duration::from_secs(10));
    assert_eq!((state(&whole).await, state(&stopped).await), (BackupJobState::Completed, BackupJobState::Aborted));
    rows! { backup.stop_backup_job().backup_job_id(&whole) => "InvalidRequestException", }
    let points = points().await;
    assert_eq!(points.len(), 1);
    let point = points[0].recovery_point_arn().unwrap();
    let seen = backup.list_tags().resource_arn(point).send().await.unwrap();
    assert_eq!(seen.tags(), Some(&tags));
    // With a recovery point in it the vault does not go.
    let control = client_of!(aws_sdk_cloudcontrol, cloud);
    let asked =
        control.delete_resource().type_name("AWS::Backup::BackupVault").identifier("main").send().await.unwrap();
    cloud.advance(Duration::from_secs(10));
    let token = asked.progress_event().unwrap().request_token().unwrap();
    let ended = control.get_resource_request_status().request_token(token).send().await.unwrap();
    let said = ended.progress_event().unwrap().status_message().unwrap();
    assert!(said.contains("recovery points"), "{said}");
    cloud.advance(Duration::from_secs(31 * 24 * 3600));
    rows! { backup.describe_backup_job().backup_job_id(&whole) => "ResourceNotFoundException", }
    // All of it is kept on disk.
    let later = self::cloud(Pace::Stopped);
    later.restore(&cloud.snapshot().await.unwrap()).await.unwrap();
    let backup = client_of!(aws_sdk_backup, later);
    let kept = backup.list_recovery_points_by_backup_vault().backup_vault_name("main").send().await.unwrap();
    assert_eq!(kept.recovery_points().len(), 1);
}

#[tokio::test]
async fn an_object_has_its_checksum_is_written_once_if_so_asked_and_is_fetched_from_the_archive() {
    let cloud = cloud(Pace::Stopped);
    let s3 = client_of!(aws_sdk_s3, cloud, force_path_style);
    let put = |key: &str, class: StorageClass| {
        let body = b"text".to_vec().into();
        s3.put_object().bucket("acme").key(key).storage_class(class).body(body)
    };
    rows! { put("a", StorageClass::Standard) => "NoSuchBucket", }
    made(&cloud, "AWS::S3::Bucket", r#"{"BucketName": "acme"}"#).await;
    cloud.advance(Duration::from_secs(10));
    rows! {
        s3.head_object().bucket("acme").key("a/b c.txt") => "NotFound",
        s3.get_object().bucket("acme").key("a/b c.txt") => "NoSuchKey",
        put("a/b c.txt", StorageClass::Standard).checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") => "BadDigest",
        put("a/b c.txt", StorageClass::Standard).if_none_match("*") => "ok",
        put("a/b c.txt", StorageClass::Standard).if_none_match("*") => "PreconditionFailed",
        put("old", StorageClass::DeepArchive) => "ok",
        s3.get_object().bucket("acme").key("old") => "InvalidObjectState",
    }
    let read = s3.get_object().bucket("acme").key("a/b c.txt").send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"text");
    let restore = |key: &str, tier: Tier| {
        let job = GlacierJobParameters::builder().tier(tier).build().unwrap();
        let wanted = RestoreRequest::builder().days(1).glacier_job_parameters(job).build();
        s3.restore_object().bucket("acme").key(key).restore_request(wanted)
    };
    let head = async || s3.head_object().bucket("acme").key("old").send().await.unwrap().restore;
    assert_eq!(head().await, None);
    rows! {
        restore("none", Tier::Bulk) => "NoSuchKey",
        restore("a/b c.txt", Tier::Bulk) => "InvalidObjectState",
        restore("old", Tier::Expedited) => "InvalidArgument",
        restore("old", Tier::Bulk) => "ok",
        restore("old", Tier::Bulk) => "RestoreAlreadyInProgress",
    }
    assert_eq!(head().await.as_deref(), Some("ongoing-request=\"true\""));
    cloud.advance(Duration::from_secs(10));
    let said = head().await.unwrap();
    assert!(
        said.starts_with("ongoing-request=\"false\", expiry-date=\"") && said.ends_with("00:00:00 GMT\""),
        "{said}"
    );
    let listed = s3.list_objects_v2().bucket("acme").prefix("a/").send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some("a/b c.txt"));
    assert_eq!((listed.contents().len(), listed.contents()[0].size()), (1, Some(4)));
    s3.delete_object().bucket("acme").key("old").send().await.unwrap();
    rows! { s3.head_object().bucket("acme").key("old") => "NotFound", }
}
