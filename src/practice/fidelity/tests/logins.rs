//! Who calls, seen from the SDK: roles, codes of devices, sessions that end, and what a denial says.

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::*;

fn sts(cloud: &Cloud, credentials: SharedCredentialsProvider) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(credentials)
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    aws_sdk_sts::Client::from_conf(config.build())
}

fn role() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/OnboardingOperator")
}

#[tokio::test]
async fn a_role_is_taken_for_as_long_as_is_asked_and_its_device_is_asked_for_a_code() {
    let cloud = cloud(Pace::Instant);
    let sts_of = |credentials| sts(&cloud, credentials);
    let caller = sts_of(cloud.credentials());
    let asked = || caller.assume_role().role_arn(role()).role_session_name("jane");
    let device = || asked().serial_number("arn:aws:iam::111122223333:mfa/jane");
    rows! {
        asked().duration_seconds(899) => "ValidationError",
        asked().duration_seconds(43_201) => "ValidationError",
        device() => "AccessDenied",
        device().token_code("12345") => "AccessDenied",
        device().token_code("000000") => "AccessDenied",
        device().token_code("123456") => "ok",
        caller.assume_role().role_arn("OnboardingOperator").role_session_name("jane") => "ValidationError",
    }
    let given = asked().duration_seconds(900).send().await.unwrap().credentials.unwrap();
    let keys = Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), None, "test");
    let role = sts_of(SharedCredentialsProvider::new(keys)).get_caller_identity().send().await.unwrap();
    assert_eq!(role.arn(), Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/OnboardingOperator/jane").as_str()));
    assert_eq!(role.account(), Some(ACCOUNT));
}

#[tokio::test]
async fn sessions_end_all_at_once_and_somebody_needs_a_moment_to_sign_in_again() {
    let cloud = cloud(Pace::Human);
    let first = cloud.credentials().provide_credentials().await.unwrap();
    assert!(first.expiry().is_some());
    let caller = sts(&cloud, SharedCredentialsProvider::new(first.clone()));
    rows! { caller.get_caller_identity() => "ok", }
    cloud.end_sessions();
    rows! { caller.get_caller_identity() => "ExpiredToken", }
    let at_once = cloud.credentials().provide_credentials().await.unwrap();
    assert_eq!(at_once.access_key_id(), first.access_key_id(), "nobody has signed in yet");
    cloud.advance(std::time::Duration::from_secs(30));
    let later = cloud.credentials().provide_credentials().await.unwrap();
    let caller = sts(&cloud, SharedCredentialsProvider::new(later));
    rows! { caller.get_caller_identity() => "ok", }
}

#[tokio::test]
async fn a_denial_says_encoded_what_was_asked_and_nothing_else_can_be_decoded() {
    let cloud = Cloud::new(ACCOUNT, REGION, Pace::Instant, Faults::new(7, []).deny("CreateVpc"));
    let refused = client(&cloud).create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap_err();
    let said = refused.into_service_error().message().unwrap_or_default().to_owned();
    let encoded = said.rsplit(' ').next().unwrap_or_default();
    let caller = sts(&cloud, cloud.credentials());
    let decoded = caller.decode_authorization_message().encoded_message(encoded).send().await.unwrap();
    let told = decoded.decoded_message().unwrap_or_default();
    assert!(told.contains("\"ec2:CreateVpc\"") && told.contains(ACCOUNT), "{told}");
    rows! { caller.decode_authorization_message().encoded_message("?") => "InvalidAuthorizationMessageException", }
}
