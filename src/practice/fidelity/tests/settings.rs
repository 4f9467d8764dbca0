//! What holds for a whole account: the block of public access, and who writes down what is done.

use aws_sdk_s3control::types::PublicAccessBlockConfiguration;

use super::*;

/// A client of a service, in a region of that cloud.
macro_rules! client_of {
    ($sdk:ident, $cloud:expr, $region:expr) => {{
        let config = $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client($cloud.http_client())
            .credentials_provider($cloud.credentials())
            .region(Region::new($region))
            .timeout_config(TimeoutConfig::disabled())
            .retry_config(RetryConfig::disabled());
        $sdk::Client::from_conf(config.build())
    }};
}

#[tokio::test]
async fn the_block_is_one_for_all_regions_and_outlives_the_program() {
    let first = cloud(Pace::Instant);
    let (here, away) =
        (client_of!(aws_sdk_s3control, first, REGION), client_of!(aws_sdk_s3control, first, "eu-central-1"));
    let some = PublicAccessBlockConfiguration::builder().block_public_acls(true).restrict_public_buckets(true);
    let put = |account: &str| {
        here.put_public_access_block().account_id(account).public_access_block_configuration(some.clone().build())
    };
    rows! {
        here.get_public_access_block().account_id(ACCOUNT) => "NoSuchPublicAccessBlockConfiguration",
        here.delete_public_access_block().account_id(ACCOUNT) => "ok",
        here.get_public_access_block().account_id("012345678901") => "AccessDenied",
        put("012345678901") => "AccessDenied",
        put(ACCOUNT) => "ok",
    }
    // Objects of S3 are asked for elsewhere, though both are signed under one name.
    let objects = client_of!(aws_sdk_s3, first, REGION);
    rows! { objects.list_objects_v2().bucket("v20180820") => "NoSuchBucket", }
    let seen = away.get_public_access_block().account_id(ACCOUNT).send().await.unwrap();
    let seen = seen.public_access_block_configuration().unwrap();
    let parts = [seen.block_public_acls(), seen.ignore_public_acls(), seen.block_public_policy()];
    assert_eq!(parts, [Some(true), Some(false), Some(false)]);
    assert_eq!(seen.restrict_public_buckets(), Some(true));

    let later = cloud(Pace::Instant);
    later.restore(&first.snapshot().await.unwrap()).await.unwrap();
    let later = client_of!(aws_sdk_s3control, later, REGION);
    rows! {
        later.get_public_access_block().account_id(ACCOUNT) => "ok",
        later.delete_public_access_block().account_id(ACCOUNT) => "ok",
        later.get_public_access_block().account_id(ACCOUNT) => "NoSuchPublicAccessBlockConfiguration",
    }
}

#[tokio::test]
async fn a_trail_is_seen_where_it_writes_and_known_by_its_name_at_home_alone() {
    let first = cloud(Pace::Instant);
    let trails = client_of!(aws_sdk_cloudtrail, first, REGION);
    let theirs = format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/customer-audit");
    let make = |name: &str| trails.create_trail().name(name).s3_bucket_name("audit");
    rows! {
        trails.get_trail_status().name(&theirs) => "ok",
        trails.get_trail_status().name("customer-audit") => "TrailNotFoundException",
        trails.get_event_selectors().trail_name(&theirs) => "ok",
        trails.put_event_selectors().trail_name(&theirs) => "InvalidEventSelectorsException",
        make("no") => "InvalidTrailNameException",
        make("here") => "ok",
        make("here") => "TrailAlreadyExistsException",
        trails.get_trail_status().name("here") => "ok",
        trails.lookup_events() => "UnsupportedOperationException",
    }
    let status = trails.get_trail_status().name("here").send().await.unwrap();
    assert_eq!(status.is_logging(), Some(false), "until somebody switches it on");
    let names = async |cloud: &Cloud, region: &'static str, shadows: bool| {
        let trails = client_of!(aws_sdk_cloudtrail, cloud, region);
        let seen = trails.describe_trails().include_shadow_trails(shadows).send().await.unwrap();
        seen.trail_list().iter().filter_map(|one| one.name().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(names(&first, REGION, true).await, ["customer-audit", "here"]);
    assert_eq!(names(&first, REGION, false).await, ["here"]);
    assert_eq!(names(&first, "eu-central-1", true).await, ["customer-audit"]);
    let home = client_of!(aws_sdk_cloudtrail, first, "us-east-1");
    rows! { home.delete_trail().name("customer-audit") => "ok", }

    let later = cloud(Pace::Instant);
    later.restore(&first.snapshot().await.unwrap()).await.unwrap();
    assert_eq!(names(&later, REGION, true).await, ["here"], "what was deleted stays so");
    assert_eq!(names(&cloud(Pace::Instant), "eu-central-1", true).await, ["customer-audit"]);
}
