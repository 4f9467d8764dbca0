//! What a person says is the one, and what is found by its tags alone: nothing is taken away that is not ours, and
//! nothing that is ours is forgotten.

use serde_json::json;

use super::*;
use crate::aws::ec2::types::DomainType;

/// The same account; a person said that the step stands for this object.
fn adopting(stage: &Stage, id: &str) -> World {
    let subject = Subject { adopted: Some(id.to_owned()), ..stage.world.subject.clone() };
    World { subject, ..stage.world.clone() }
}

pub(super) async fn somebody_elses_is_taken_and_never_taken_away(stage: &Stage) {
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let theirs = ec2.allocate_address().domain(DomainType::Vpc).send().await.unwrap().allocation_id.unwrap();
    let with = json!({ "key": "eip/adopted" });
    let action = stage.action("aws/elastic-address", &with);
    let world = adopting(stage, &theirs);
    let chosen = action.adopt(&world).await.unwrap();
    assert_eq!((chosen.id.as_str(), chosen.ours), (theirs.as_str(), false));
    assert!(matches!(action.probe(&world).await, Probe::Same(_)), "it stands for the step, whatever its tags say");
    assert!(matches!(action.verify(&world).await, Verified::So(_)));
    let undone = action.undo(&world, &stage.intent("aws/elastic-address", &with), &chosen.found.output).await;
    assert!(matches!(undone, Outcome::Failed { .. }), "{undone:?}");
    let there = ec2.describe_addresses().allocation_ids(&theirs).send().await.unwrap();
    assert_eq!(there.addresses().len(), 1, "it was there before");
    ec2.release_address().allocation_id(&theirs).send().await.unwrap();
}

pub(super) async fn ours_is_found_by_its_tags_alone(stage: &Stage) {
    let with = json!({ "key": "eip/lost" });
    let made = stage.make("aws/elastic-address", with.clone()).await;
    let action = stage.action("aws/elastic-address", &with);
    // As after a crash before the outcome was written: nobody knows the id.
    let undone = action.undo(&stage.world, &stage.intent("aws/elastic-address", &with), &Kept::new()).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?} of {made:?}");
    assert!(is_absent(&action.probe(&stage.world).await));
}

#[tokio::test]
async fn in_the_practice_cloud() {
    let stage = Stage::new().await;
    somebody_elses_is_taken_and_never_taken_away(&stage).await;
    ours_is_found_by_its_tags_alone(&stage).await;
}

#[tokio::test]
async fn an_object_of_another_engagement_or_kind_is_not_taken() {
    let stage = Stage::new().await;
    let with = json!({ "key": "eip/a" });
    let other = stage.as_engagement("e2");
    let action = action("aws/elastic-address", &with, &other.subject);
    let outcome = action.apply(&other, &stage.intent("aws/elastic-address", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let refused = action.adopt(&adopting(&stage, &text(&output, "allocation"))).await.unwrap_err();
    assert!(refused.what.contains("engagement e2"), "{refused:?}");
    assert!(action.adopt(&adopting(&stage, "vpc-0123456789abcdef0")).await.is_err());
    let vpc = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let wrong = ec2.create_vpc().cidr_block("10.50.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let refused = stage.action("aws/vpc", &vpc).adopt(&adopting(&stage, &wrong)).await.unwrap_err();
    assert!(refused.meaning.contains("10.50.0.0/16"), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_somebody_else_brought_serves_when_a_person_says_so_and_is_not_ours() {
    let stage = Stage::new().await;
    let key = super::life::PUBLIC_KEY;
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let blob = crate::aws::ec2::primitives::Blob::new(key.as_bytes());
    let theirs = ec2.import_key_pair().key_name("ops").public_key_material(blob).send().await.unwrap();
    let id = theirs.key_pair_id.unwrap();
    let with = json!({ "name": "ops", "public_key": key, "key": "key/operator" });
    let action = stage.action("aws/key-pair", &with);
    let refused = action.adopt(&stage.world).await.unwrap_err();
    assert!(refused.meaning.contains(&format!("{id}, which onramp did not make")), "{refused:?}");
    let world = adopting(&stage, &id);
    let chosen = action.adopt(&world).await.unwrap();
    assert_eq!((chosen.id.as_str(), chosen.ours), (id.as_str(), false));
    let undone = action.undo(&world, &stage.intent("aws/key-pair", &with), &chosen.found.output).await;
    assert!(matches!(undone, Outcome::Failed { .. }), "{undone:?}");
    assert_eq!(ec2.describe_key_pairs().key_pair_ids(&id).send().await.unwrap().key_pairs().len(), 1);
}

#[tokio::test]
async fn a_key_of_another_engagement_is_not_taken_over() {
    let stage = Stage::new().await;
    let with = json!({ "name": "ops", "public_key": super::life::PUBLIC_KEY, "key": "key/operator" });
    let other = stage.as_engagement("e2");
    let outcome =
        action("aws/key-pair", &with, &other.subject).apply(&other, &stage.intent("aws/key-pair", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let id = text(&output, "id");
    let refused = stage.action("aws/key-pair", &with).adopt(&adopting(&stage, &id)).await.unwrap_err();
    assert!(refused.what.contains("belongs to the engagement e2"), "{refused:?}");
}

/// The same router for two engagements, such as production and recovery: AWS knows a device of an address and a number once.
#[tokio::test]
async fn a_customer_gateway_of_another_engagement_is_used_and_left_to_it() {
    let stage = Stage::new().await;
    let with = json!({ "address": "52.95.110.7", "asn": 65010, "key": "cgw/main" });
    let other = stage.as_engagement("e2");
    let kind = "aws/customer-gateway";
    let outcome = action(kind, &with, &other.subject).apply(&other, &stage.intent(kind, &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let chosen = stage.action(kind, &with).adopt(&adopting(&stage, &text(&output, "id"))).await.unwrap();
    assert_eq!((chosen.id, chosen.ours), (text(&output, "id"), false));
}
