//! Service Quotas.

use std::time::Duration;

use aws_sdk_servicequotas::{Client as Quotas, Config as QuotasConfig};

use super::*;

#[tokio::test]
async fn one_request_for_more_at_a_time_is_read_and_granted() {
    let cloud = cloud(Pace::Stopped);
    let config = QuotasConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    let quotas = Quotas::from_conf(config.build());
    let get = |code: &str| quotas.get_service_quota().service_code("vpc").quota_code(code);
    let more = |code: &str, wanted: f64| {
        quotas.request_service_quota_increase().service_code("vpc").quota_code(code).desired_value(wanted)
    };
    rows! {
        get("L-F678F1CE") => "ok",
        get("L-A4707A72") => "NoSuchResourceException",
        get("L-00000000") => "NoSuchResourceException",
        quotas.list_aws_default_service_quotas().service_code("vpc") => "ok",
        quotas.list_aws_default_service_quotas().service_code("none") => "NoSuchResourceException",
        more("L-F678F1CE", 5.0) => "IllegalArgumentException",
        more("L-3248932A", 30_000.0) => "IllegalArgumentException",
        more("L-F678F1CE", 8.0) => "ok",
        more("L-F678F1CE", 9.0) => "ResourceAlreadyExistsException",
    }
    let history = quotas.list_requested_service_quota_change_history_by_quota().service_code("vpc");
    let history = async || history.clone().quota_code("L-F678F1CE").send().await.unwrap().requested_quotas.unwrap();
    assert_eq!(history().await[0].status().unwrap().as_str(), "PENDING");
    let value = async || get("L-F678F1CE").send().await.unwrap().quota.unwrap().value().unwrap();
    assert_eq!(value().await, 5.0);
    cloud.advance(Duration::from_secs(60));
    assert_eq!((history().await[0].status().unwrap().as_str(), value().await), ("APPROVED", 8.0));
    assert_eq!(code(more("L-F678F1CE", 9.0).send().await), "ok");
}
