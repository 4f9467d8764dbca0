//! The lost-reply matrix of Cloud Control: a resource with a name, one that AWS names, one without tags, and one that was
//! there before and is only changed × every way in which an answer can go astray, as in `matrix`.

use serde_json::json;

use super::matrix::{WAYS, assert_all_is_shown, assert_struck, made, take_all_back, take_place, undone_in_spite_of};
use super::*;

const RESOURCES: &str = r#"
runbook: resources
title: Resources
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: theirs
    title: Their log group keeps more
    aws: resource
    with:
      type: AWS::Logs::LogGroup
      key: logs/theirs
      existing: change
      properties: {LogGroupName: /theirs, RetentionInDays: 90}
    within: 2m
  - id: bucket
    title: The archive
    needs: [theirs]
    aws: resource
    with:
      type: AWS::S3::Bucket
      key: bucket/archive
      properties: {BucketName: acme-archive, VersioningConfiguration: {Status: Enabled}}
    within: 2m
  - id: topic
    title: The topic
    needs: [bucket]
    aws: resource
    with: {type: "AWS::SNS::Topic", key: topic/alerts, properties: {TopicName: alerts}}
    saves: {arn: net.topic}
    within: 2m
  - id: mail
    title: Who reads it
    aws: resource
    with:
      type: AWS::SNS::Subscription
      key: topic/alerts/mail
      properties: {TopicArn: "{{ net.topic }}", Protocol: email, Endpoint: ops@acme.example}
    within: 2m
  - id: key
    title: The key
    needs: [mail]
    aws: resource
    with: {type: "AWS::KMS::Key", key: kms/main, properties: {Description: backups}}
    within: 2m
"#;

/// Which step sends it, on the way there; the first create is that of the bucket.
pub(super) const MAKES: [(&str, &str); 2] = [("UpdateResource", "theirs"), ("CreateResource", "key")];

/// What an undo of everything sends.
pub(super) const TAKES: [&str; 2] = ["DeleteResource", "UpdateResource"];

const TYPES: [&str; 5] =
    ["AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::KMS::Key"];

/// What there is of each type, theirs among them.
async fn there(stage: &Stage) -> Vec<(&'static str, usize)> {
    let control = Cloud::connect(stage.wiring()).await.unwrap().cloud_control();
    let mut all = Vec::new();
    for kind in TYPES {
        let listed = control.list_resources().type_name(kind).send().await.unwrap();
        all.push((kind, listed.resource_descriptions().len()));
    }
    all
}

async fn retention(stage: &Stage) -> Option<i64> {
    let control = Cloud::connect(stage.wiring()).await.unwrap().cloud_control();
    let seen = control.get_resource().type_name("AWS::Logs::LogGroup").identifier("/theirs").send().await.unwrap();
    let properties = seen.resource_description().and_then(|described| described.properties()).unwrap();
    serde_json::from_str::<serde_json::Value>(properties).unwrap()["RetentionInDays"].as_i64()
}

/// An account in which somebody has a log group, kept in a file.
async fn with_theirs() -> (Stage, std::path::PathBuf) {
    let stage = Stage::new(RESOURCES, Faults::none());
    let control = Cloud::connect(stage.wiring()).await.unwrap().cloud_control();
    let state = json!({ "LogGroupName": "/theirs", "RetentionInDays": 7 }).to_string();
    control.create_resource().type_name("AWS::Logs::LogGroup").desired_state(state).send().await.unwrap();
    let kept = stage.home.path().join("account.json");
    stage.account.save(&kept).await.unwrap();
    (stage, kept)
}

fn all_of(one: usize) -> Vec<(&'static str, usize)> {
    TYPES.iter().map(|kind| (*kind, if *kind == "AWS::Logs::LogGroup" { 1 } else { one })).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_resource_whatever_becomes_of_the_answer() {
    let (empty, kept) = with_theirs().await;
    let (empty, kept) = (&empty, &kept);
    // The creates one after the other: with a name, named by AWS, without tags, without any name.
    let creates = (1..=4).map(|nth| ("CreateResource", nth));
    let cells =
        creates.chain([("UpdateResource", 1)]).flat_map(|(operation, nth)| WAYS.map(|way| (operation, nth, way)));
    let cells = cells.filter(|(operation, _, way)| *way != Fault::Invisible || *operation == "CreateResource");
    let asked: Vec<_> = cells
        .map(|(operation, nth, way)| async move {
            let stage = empty.again(Faults::none().aim(way, operation, nth), kept).await;
            let what = format!("{operation} {nth} × {}", way.name());
            made(&stage, Some("key")).await;
            assert_struck(&stage, &what);
            assert_eq!(there(&stage).await, all_of(1), "{what}: each once");
            assert_eq!(retention(&stage).await, Some(90), "{what}");
            take_all_back(&stage, &what).await;
            assert_eq!(there(&stage).await, all_of(0), "{what}: ours are gone, and theirs is there");
            assert_eq!(retention(&stage).await, Some(7), "{what}: as it was");
            (operation, way)
        })
        .collect();
    take_place("resources made", &MAKES.map(|(operation, _)| operation), asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resources_are_gone_whatever_becomes_of_the_answer() {
    let (empty, theirs) = with_theirs().await;
    let built = empty.again(Faults::none(), &theirs).await;
    made(&built, Some("key")).await;
    let kept = built.home.path().join("built.json");
    built.account.save(&kept).await.unwrap();
    assert_all_is_shown(&built, &kept).await;
    let (built, kept) = (&built, &kept);
    let cells = TAKES.iter().flat_map(|operation| WAYS.map(|way| (*operation, way)));
    let asked: Vec<_> = cells
        .filter(|(_, way)| *way != Fault::Invisible)
        .map(|(operation, way)| async move {
            let (stage, what) = undone_in_spite_of(way, operation, built, kept).await;
            assert_eq!(there(&stage).await, all_of(0), "{what}");
            assert_eq!(retention(&stage).await, Some(7), "{what}");
            (operation, way)
        })
        .collect();
    take_place("resources taken back", &TAKES, asked).await;
}

#[tokio::test]
async fn what_it_was_before_is_known_although_the_process_died_in_the_middle() {
    for run_first in [true, false] {
        let (stage, _) = with_theirs().await;
        let mut desk = stage.open().await;
        desk.give("aws.account_id", ACCOUNT);
        desk.give("aws.region_primary", REGION);
        desk.approve().await;
        let full = refuse_events(&stage.file(), "concluded");
        desk.handle.send(Request::Run(RunScope::Only(at("net/theirs"))));
        desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
        desk.close().await;
        full.execute_batch("DROP TRIGGER full").unwrap();
        drop(full);
        assert_eq!(retention(&stage).await, Some(90), "it was sent, and nobody wrote down what came of it");

        let mut desk = stage.open().await;
        assert!(matches!(desk.status("net/theirs"), Status::InDoubt { .. }));
        if run_first {
            desk.run(RunScope::Only(at("net/theirs"))).await;
            assert!(matches!(desk.status("net/theirs"), Status::Done { .. }), "{:?}", desk.status("net/theirs"));
        }
        desk.undo(&[]).await;
        assert_eq!(desk.engagement.ledger(), [], "{:#?}", desk.heard);
        desk.close().await;
        assert_eq!(retention(&stage).await, Some(7), "as it was");
    }
}

/// Where the end of a request cannot be asked for, a look tells what it came to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_end_cannot_be_asked_for_is_looked_for() {
    let (empty, kept) = with_theirs().await;
    let stage = empty.again(Faults::none().deny("GetResourceRequestStatus"), &kept).await;
    made(&stage, Some("key")).await;
    assert_eq!(there(&stage).await, all_of(1));
    assert_eq!(retention(&stage).await, Some(90));
}
