//! What holds for a whole account: no bucket can be made public, and a trail writes down what is done.

use serde_json::json;

use super::super::call::Call as Sent;
use super::super::call::block::{BlockRequest, Flags};
use super::life::lives_once;
use super::*;
use crate::action::Undoes;
use crate::aws::cloud_trail::Client as Trails;
use crate::aws::cloud_trail::types::{AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType};
use crate::aws::s3_control::types::PublicAccessBlockConfiguration;
use crate::aws::{Kind, s3, s3_control};

const BLOCK: &str = "aws/account-public-block";
const AWAY: &str = "eu-central-1";

/// Every call about the account's buckets that changes something.
pub(super) fn one_of_each() -> Vec<Sent> {
    let account_id = || ACCOUNT.to_owned();
    let put =
        BlockRequest::PutPublicAccessBlock { account_id: account_id(), public_access_block_configuration: Flags::ALL };
    [put, BlockRequest::DeletePublicAccessBlock { account_id: account_id() }].map(Sent::Block).to_vec()
}

fn block() -> Json {
    json!({ "account": ACCOUNT })
}

/// Past onramp, as somebody at the console.
async fn console(stage: &Stage) -> aws_config::SdkConfig {
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(REGION))
        .credentials_provider(stage.wiring.credentials.clone().unwrap());
    if let Some(url) = &stage.wiring.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(client) = &stage.wiring.http_client {
        loader = loader.http_client(client.clone());
    }
    loader.load().await
}

/// Both kinds, wherever.
pub(super) async fn every_kind_lives(stage: &Stage, id: &str) {
    // A lent cloud is used again.
    lives_once(stage, BLOCK, block()).await;
    if stage.practice.is_some() {
        // The customer's own, of all regions.
        for region in [REGION, AWAY] {
            let seen = stage.make("aws/trail", json!({ "region": region })).await;
            assert!(text(&seen, "arn").ends_with(":trail/customer-audit"), "{seen:?}");
        }
    }
    a_trail_lives(stage, id).await;
}

async fn lacks(stage: &Stage, with: Json) -> (String, String) {
    match stage.action("aws/trail", &with).verify(&stage.world).await {
        Verified::NotSo(failure) => (failure.what, failure.advice),
        other => panic!("nothing is written down: {other:?}"),
    }
}

/// None, one that is off, one that is on, one that leaves out what counts, none.
async fn a_trail_lives(stage: &Stage, id: &str) {
    let console = console(stage).await;
    let (trails, name, bucket) = (Trails::new(&console), format!("audit-{id}"), format!("onramp-audit-{id}"));
    let there = trails.describe_trails().send().await.unwrap();
    for theirs in there.trail_list() {
        let home = crate::aws::cloud_trail::config::Builder::from(&console)
            .region(aws_config::Region::new(theirs.home_region().unwrap().to_owned()))
            .build();
        Trails::from_conf(home).delete_trail().name(theirs.name().unwrap()).send().await.unwrap();
    }
    let (what, advice) = lacks(stage, json!({})).await;
    assert!(what == format!("no trail writes down what is done in {REGION}"), "{what}");
    assert!(advice.contains("create-trail --name NAME --s3-bucket-name BUCKET --is-multi-region-trail"), "{advice}");
    let probe = stage.action("aws/trail", &json!({})).probe(&stage.world).await;
    assert!(is_absent(&probe), "{probe:?}");

    if stage.practice.is_none() {
        // moto looks for it.
        let s3 = s3::Client::from_conf(s3::config::Builder::from(&console).force_path_style(true).build());
        let place = s3::types::CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
        s3.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
    }
    let made = trails.create_trail().name(&name).s3_bucket_name(&bucket).is_multi_region_trail(true);
    let arn = made.send().await.unwrap().trail_arn.unwrap();
    let (what, advice) = lacks(stage, json!({})).await;
    assert!(what.contains(&arn) && what.contains("is switched off"), "{what}");
    assert!(advice.ends_with(&format!("aws cloudtrail start-logging --name {arn}")), "{advice}");

    trails.start_logging().name(&name).send().await.unwrap();
    assert_eq!(stage.make("aws/trail", json!({})).await["arn"], json!(arn));
    let basic = |reads: ReadWriteType, management: bool| {
        let selector = EventSelector::builder().read_write_type(reads).include_management_events(management).build();
        trails.put_event_selectors().trail_name(&name).event_selectors(selector)
    };
    for (reads, management, writes) in [
        (ReadWriteType::ReadOnly, true, false),
        (ReadWriteType::WriteOnly, true, true),
        (ReadWriteType::All, false, false),
        (ReadWriteType::All, true, true),
    ] {
        let what = format!("{reads} {management}");
        basic(reads, management).send().await.unwrap();
        tells(stage, &arn, writes, &what).await;
    }
    let field = |name: &str, value: &str| AdvancedFieldSelector::builder().field(name).equals(value).build().unwrap();
    for (fields, writes) in [
        (vec![field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object")], false),
        (vec![field("eventCategory", "Management"), field("readOnly", "true")], false),
        (vec![field("eventCategory", "Management"), field("readOnly", "false")], true),
        (vec![field("eventCategory", "Management")], true),
    ] {
        let what = format!("{fields:?}");
        let selector = AdvancedEventSelector::builder().set_field_selectors(Some(fields)).build().unwrap();
        trails.put_event_selectors().trail_name(&name).advanced_event_selectors(selector).send().await.unwrap();
        tells(stage, &arn, writes, &what).await;
    }
    trails.stop_logging().name(&name).send().await.unwrap();
    assert!(lacks(stage, json!({})).await.0.contains("is switched off"));
    trails.delete_trail().name(&name).send().await.unwrap();
    assert!(lacks(stage, json!({})).await.0.starts_with("no trail"));
}

async fn tells(stage: &Stage, arn: &str, writes: bool, said: &str) {
    let verified = stage.action("aws/trail", &json!({})).verify(&stage.world).await;
    match verified {
        Verified::So(found) => assert!(writes && found.output["arn"] == json!(arn), "{said}"),
        Verified::NotSo(failure) => {
            assert!(
                !writes && failure.what.ends_with(&format!("the trail {arn} leaves it out")),
                "{said}: {failure:?}"
            );
            assert!(failure.advice.contains("put-event-selectors"), "{said}: {failure:?}");
        }
        other => panic!("{said}: {other:?}"),
    }
}

#[tokio::test]
async fn a_trail_of_one_region_tells_nothing_of_another() {
    let stage = Stage::new().await;
    let trails = Trails::new(&console(&stage).await);
    trails.create_trail().name("here").s3_bucket_name("audit").send().await.unwrap();
    trails.start_logging().name("here").send().await.unwrap();
    let all = crate::aws::cloud_trail::config::Builder::from(&console(&stage).await);
    let home = Trails::from_conf(all.region(aws_config::Region::new("us-east-1")).build());
    home.delete_trail().name("customer-audit").send().await.unwrap();
    stage.make("aws/trail", json!({})).await;
    let (what, _) = lacks(&stage, json!({ "region": AWAY })).await;
    assert_eq!(what, format!("no trail writes down what is done in {AWAY}"));
}

fn flags([acls, ignored, policy, restricted]: [bool; 4]) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(acls)
        .ignore_public_acls(ignored)
        .block_public_policy(policy)
        .restrict_public_buckets(restricted)
        .build()
}

#[tokio::test]
async fn what_the_account_had_set_before_is_put_back_and_what_somebody_has_set_since_stays() {
    let stage = Stage::new().await;
    let buckets = s3_control::Client::new(&console(&stage).await);
    let set = async |all: [bool; 4]| {
        let put = buckets.put_public_access_block().account_id(ACCOUNT);
        put.public_access_block_configuration(flags(all)).send().await.unwrap();
    };
    let now = async || {
        let seen = buckets.get_public_access_block().account_id(ACCOUNT).send().await;
        seen.ok().and_then(|seen| seen.public_access_block_configuration)
    };
    set([true, true, false, false]).await;
    let action = stage.action(BLOCK, &block());
    let Probe::Different { differences, mend, keep, .. } = action.probe(&stage.world).await else { panic!("gaps") };
    assert_eq!((differences.len(), mend.len()), (2, 1), "{differences:?}");
    assert_eq!(keep["former"]["BlockPublicPolicy"], json!(false));
    let outcome = action.apply(&stage.world, &stage.intent(BLOCK, &block())).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(now().await, Some(flags([true; 4])));
    let undone = action.undo(&stage.world, &stage.intent(BLOCK, &block()), &made).await;
    let Outcome::Changed { said, .. } = undone else { panic!("{undone:?}") };
    assert!(said.starts_with("what was added to the block"), "{said}");
    assert_eq!(now().await, Some(flags([true, true, false, false])), "what was there before, part by part");

    buckets.delete_public_access_block().account_id(ACCOUNT).send().await.unwrap();
    stage.next_generation();
    let made = stage.make_and_note(&*action).await;
    assert_eq!(made["former"], json!("nothing"));
    set([true, true, true, false]).await;
    let Undoes::Leaves { said } = action.undoes(&stage.world, &made).await else { panic!("somebody has set it since") };
    assert!(said.contains("since: buckets with a public policy for everybody"), "{said}");
    set([true; 4]).await;
    let undone = action.undo(&stage.world, &stage.intent(BLOCK, &block()), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }) && now().await.is_none(), "{undone:?}");

    // What was blocked already is nobody's change, and what was before an interrupted one is not guessed.
    set([true; 4]).await;
    stage.next_generation();
    let outcome = action.apply(&stage.world, &stage.intent(BLOCK, &block())).await;
    assert!(matches!(outcome, Outcome::AlreadySo { .. }), "{outcome:?}");
    let Undoes::Leaves { said } = action.undoes(&stage.world, &Kept::new()).await else { panic!("not known") };
    assert!(said.contains("before is not known"), "{said}");
}

impl Stage {
    /// Made; the answer is what is written down of it.
    async fn make_and_note(&self, action: &dyn Action) -> Kept {
        match action.apply(&self.world, &self.intent(BLOCK, &block())).await {
            Outcome::Changed { output, .. } => output,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn another_account_is_refused_and_a_wrong_number_is_never_sent() {
    let stage = Stage::new().await;
    let elsewhere = json!({ "account": "210987654321" });
    let Probe::Unknown(trouble) = stage.action(BLOCK, &elsewhere).probe(&stage.world).await else { panic!("not ours") };
    assert!(format!("{trouble:?}").contains("AccessDenied"), "{trouble:?}");
    let cloud = stage.world.cloud.as_ref().unwrap();
    let request = cloud.s3_control().get_public_access_block().account_id(ACCOUNT);
    let failure = cloud.read(Operation::GetPublicAccessBlock, || request.clone().send()).await.unwrap_err();
    assert_eq!(failure.kind, Kind::NotFound, "{failure:?}");
    let wrong = Call::Kind { kind: BLOCK.to_owned(), with: json!({ "account": "12" }).as_object().cloned().unwrap() };
    let Err(refused) = build(&wrong, &stage.world.subject) else { panic!("it is no account") };
    assert!(refused.what.contains("twelve digits"), "{refused:?}");
}
