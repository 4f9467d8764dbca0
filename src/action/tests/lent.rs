//! The same life in a cloud that nobody here wrote: moto's server, when ONRAMP_MOTO_URL names one.

use super::*;

/// A fresh engagement in the lent cloud.
pub(super) async fn lent() -> Option<Stage> {
    #[expect(clippy::disallowed_methods, reason = "only a test asks whether a cloud is lent to it")]
    let Ok(url) = std::env::var("ONRAMP_MOTO_URL") else {
        eprintln!("SKIPPED: no cloud is lent; tests/lab/moto up prints the URL for ONRAMP_MOTO_URL");
        return None;
    };
    let wiring = Wiring {
        region: REGION.to_owned(),
        endpoint_url: Some(url),
        credentials: Some(aws_credential_types::provider::SharedCredentialsProvider::new(
            aws_credential_types::Credentials::for_tests(),
        )),
        hurry: 100,
        ..Wiring::default()
    };
    let mut seed = [0u8; 8];
    getrandom::fill(&mut seed).unwrap();
    Some(Stage::over(wiring, None, &format!("{:016x}", u64::from_le_bytes(seed))).await)
}

#[tokio::test]
async fn what_is_taken_over_and_what_is_found_by_its_tags_in_a_lent_cloud() {
    let Some(stage) = lent().await else { return };
    super::taken_over::somebody_elses_is_taken_and_never_taken_away(&stage).await;
    super::taken_over::ours_is_found_by_its_tags_alone(&stage).await;
}
