//! What a plan would need is asked by rehearsal, and what is missing is named with the step that needs it.

use super::matrix::EVERYTHING;
use super::*;
use crate::engagement::{Leave, chosen_kinds};

#[tokio::test]
async fn a_plan_names_what_these_credentials_may_not_do_and_makes_nothing() {
    let stage = Stage::new(EVERYTHING, Faults::none().deny("CreateNatGateway"));
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    let plan = desk.rehearse().await;
    let denied: Vec<_> = plan
        .entries
        .iter()
        .flat_map(|entry| entry.rehearsals.iter().map(|one| (entry.step.to_string(), one)))
        .filter(|(_, one)| matches!(one.answer, Leave::Denied { .. }))
        .map(|(step, one)| (step, one.permission.clone()))
        .collect();
    assert_eq!(denied, [("net/nat".to_owned(), "ec2:CreateNatGateway".to_owned())]);
    let asked = plan.entries.iter().flat_map(|entry| &entry.rehearsals).count();
    assert!(asked > 12, "{asked}");
    assert_eq!(stage.account.cloud().calls().iter().filter(|call| call.mutating).count(), 0);
    // Without being asked for, nothing is rehearsed, and the same is approved.
    let quiet = desk.plan().await;
    assert!(quiet.entries.iter().all(|entry| entry.rehearsals.is_empty()));
    assert_eq!(quiet.digest, plan.digest);
    assert!(chosen_kinds(&desk.engagement, &stage.runbook).contains("aws/nat-gateway"));
    desk.close().await;
}
