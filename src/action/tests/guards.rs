//! Who is let in: the role, and by what it is guarded.

use serde_json::json;

use super::*;
use crate::aws::Role;

#[tokio::test]
async fn a_role_that_aws_gives_without_its_external_id_is_found_out() {
    let stage = Stage::new().await;
    let role = |external_id: Option<&str>, name: &str| Role {
        arn: format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        external_id: external_id.map(str::to_owned),
        seconds: 3_600,
        mfa_serial: None,
        session: "onramp".to_owned(),
    };
    let guard = async |role: Role| {
        let wiring = Wiring { role: Some(role), ..stage.wiring.clone() };
        let cloud = aws::Cloud::connect(wiring).await.map_err(Into::into);
        let world = World { cloud: cloud.map(Arc::new), ..stage.world.clone() };
        stage.action("aws/role-guard", &json!({})).verify(&world).await
    };
    let Verified::So(found) = guard(role(Some("7f1c9f0a"), "Guarded")).await else { panic!("the id is wanted") };
    assert_eq!(found.said, "without the external id AWS does not give the role");
    let Verified::NotSo(failure) = guard(role(Some("7f1c9f0a"), "Open")).await else { panic!("anybody gets it") };
    assert!(failure.what.contains("also to one who does not say the external id"), "{failure:?}");
    let Verified::NotSo(failure) = guard(role(None, "Open")).await else { panic!("there is no id") };
    assert!(
        failure.what.contains("without an external id") && failure.advice.contains("sts:ExternalId"),
        "{failure:?}"
    );
}
