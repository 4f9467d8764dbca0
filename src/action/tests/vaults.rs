//! AWS Backup and objects in S3: what is done out of turn, and what became of it.

use std::time::Duration;

use serde_json::json;

use super::super::call::backup::{BackupRequest, Place};
use super::super::call::objects::{Body, ObjectRequest};
use super::super::call::{Call, Label, Token};
use super::life::{lives, lives_once};
use super::rungs::tried_here;
use super::*;
use crate::action::Undoes;
use crate::aws::s3::config::Builder;
use crate::aws::s3::types::StorageClass;
use crate::practice::fault::Fault;

/// Every call of theirs that changes something.
pub(super) fn one_of_each() -> Vec<Call> {
    let x = || "x-1".to_owned();
    let label = || Label { key: "a/b".to_owned(), name: "n".to_owned() };
    let place = Place::default;
    let requests = [
        BackupRequest::UpdateRegionSettings { resource_type_opt_in_preference: BTreeMap::new(), place: place() },
        BackupRequest::StartBackupJob {
            backup_vault_name: x(),
            resource_arn: x(),
            iam_role_arn: x(),
            lifecycle: None,
            idempotency_token: Token,
            recovery_point_tags: label(),
            place: place(),
        },
        BackupRequest::StopBackupJob { backup_job_id: x(), place: place() },
        BackupRequest::StartCopyJob {
            recovery_point_arn: x(),
            source_backup_vault_name: x(),
            destination_backup_vault_arn: x(),
            iam_role_arn: x(),
            lifecycle: None,
            idempotency_token: Token,
            place: place(),
        },
        BackupRequest::StartRestoreJob {
            recovery_point_arn: x(),
            metadata: BTreeMap::new(),
            iam_role_arn: x(),
            idempotency_token: Token,
            vault: x(),
            place: place(),
        },
    ];
    let objects = [
        ObjectRequest::PutObject {
            bucket: x(),
            key: x(),
            body: Body(x()),
            checksum: x(),
            content_type: None,
            storage_class: None,
            if_none_match: Some("*"),
            metadata: label(),
            place: place(),
        },
        ObjectRequest::DeleteObject { bucket: x(), key: x(), place: place() },
        ObjectRequest::RestoreObject { bucket: x(), key: x(), days: 1, tier: "Bulk", place: place() },
    ];
    requests.into_iter().map(Call::Backup).chain(objects.into_iter().map(Call::Objects)).collect()
}

const ROLE: &str = "arn:aws:iam::123456789012:role/onramp-backup";
const ELSEWHERE: &str = "eu-central-1";

fn database(id: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:orders-{id}")
}

fn job(id: &str) -> Json {
    json!({ "vault": format!("vault-{id}"), "resource": database(id), "role": ROLE, "keep_days": 35, "key": "backup/first" })
}

/// A vault here and one elsewhere, and a database.
async fn ground(stage: &Stage, id: &str) {
    let of = |kind: &str, key: &str, properties: Json| json!({ "type": kind, "key": key, "properties": properties });
    let vault = of("AWS::Backup::BackupVault", "backup/vault", json!({ "BackupVaultName": format!("vault-{id}") }));
    stage.make("aws/resource", vault.clone()).await;
    elsewhere(stage, id).await;
    let database = json!({
        "DBInstanceIdentifier": format!("orders-{id}"), "Engine": "postgres", "DBInstanceClass": "db.t4g.small",
        "AllocatedStorage": "20",
    });
    stage.make("aws/resource", of("AWS::RDS::DBInstance", "rds/orders", database)).await;
}

async fn elsewhere(stage: &Stage, id: &str) {
    let vault = json!({
        "type": "AWS::Backup::BackupVault", "key": "backup/vault/dr", "region": ELSEWHERE,
        "properties": { "BackupVaultName": format!("vault-{id}") },
    });
    stage.make("aws/resource", vault).await;
}

/// It is there, and a second run sends nothing.
async fn stays(stage: &Stage, kind: &str, with: Json) -> Kept {
    let kept = stage.make(kind, with.clone()).await;
    let calls = stage.calls();
    let action = stage.action(kind, &with);
    let again = action.probe(&stage.world).await;
    assert!(matches!(&again, Probe::Same(found) if found.output == kept), "{kind}: {again:?}");
    let repeated = action.apply(&stage.world, &stage.intent(kind, &with)).await;
    assert!(matches!(repeated, Outcome::AlreadySo { .. }), "{kind}: {repeated:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new(), "{kind}: a second run sends nothing");
    let left = action.undoes(&stage.world, &kept).await;
    assert!(matches!(left, Undoes::Keeps { .. }), "{kind}: {left:?}");
    // An undo of everything goes on after it, and says why it stays.
    let undone = action.undo(&stage.world, &stage.intent(kind, &with), &kept).await;
    assert!(matches!(&undone, Outcome::Stays { said } if said.len() > 20), "{kind}: {undone:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new(), "{kind}: nothing takes it back");
    kept
}

/// As long as it is there it stays, until the day that was asked for; what somebody has deleted does not.
async fn stays_until(stage: &Stage, id: &str, made: &Kept) {
    let action = stage.action("aws/backup-job", &job(id));
    let Undoes::Keeps { said } = action.undoes(&stage.world, made).await else { panic!("it is there") };
    let day = said.split("keeps it until ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or(&said);
    assert!(day.parse::<jiff::civil::Date>().is_ok(), "{said}");
    let mut deleted = made.clone();
    deleted.insert("point".to_owned(), json!("arn:aws:rds:eu-west-1:123456789012:snapshot:awsbackup:job-none"));
    assert_eq!(action.undoes(&stage.world, &deleted).await, Undoes::Nothing);
}

/// Each kind; vault and database are there where the rung has Cloud Control.
pub(super) async fn every_kind_lives(stage: &Stage, id: &str) {
    objects_live(stage, id).await;
    if !tried_here(stage, "aws/backup-job") {
        return;
    }
    elsewhere(stage, id).await;
    lives(stage, "aws/backup-region", json!({ "types": ["RDS", "EBS"] })).await;
    let stopped =
        json!({ "vault": format!("vault-{id}"), "resource": database(id), "role": ROLE, "key": "backup/stopped" });
    lives_until_stopped(stage, stopped).await;
    let made = stays(stage, "aws/backup-job", job(id)).await;
    stays_until(stage, id, &made).await;
    let points = json!({ "vault": format!("vault-{id}"), "resource": database(id), "most_hours": 24 });
    let seen = stage.make("aws/recovery-points", points).await;
    assert_eq!((&seen["count"], &seen["newest"], &seen["hours"]), (&json!(1), &made["point"], &json!(0)));
    let to = format!("arn:aws:backup:{ELSEWHERE}:{ACCOUNT}:backup-vault:vault-{id}");
    let copy = json!({ "point": made["point"], "vault": format!("vault-{id}"), "to": to, "role": ROLE });
    let copy = stays(stage, "aws/backup-copy", copy).await;
    let there = json!({ "vault": format!("vault-{id}"), "region": ELSEWHERE });
    assert_eq!(stage.make("aws/recovery-points", there).await["newest"], copy["point"]);
    let drill = json!({
        "vault": format!("vault-{id}"), "point": copy["point"], "role": ROLE, "region": ELSEWHERE,
        "metadata": { "DBInstanceIdentifier": format!("drill-{id}") },
    });
    let drill = stays(stage, "aws/restore-job", drill).await;
    assert_eq!(text(&drill, "resource"), format!("arn:aws:rds:{ELSEWHERE}:{ACCOUNT}:db:drill-{id}"));
}

/// One that is under way is stopped, and counts as not made.
async fn lives_until_stopped(stage: &Stage, with: Json) {
    let action = stage.action("aws/backup-job", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/backup-job", &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    let world = stage.world.having_made(&made);
    let intent = stage.intent("aws/backup-job", &with);
    let undone = action.undo(&world, &intent, &made).await;
    // Where the answer was lost, it is seen to be stopped.
    assert!(matches!(undone, Outcome::Changed { .. } | Outcome::AlreadySo { .. }), "{undone:?}");
    assert!(matches!(action.undoes(&world, &made).await, Undoes::Nothing));
    stage.next_generation();
}

/// A client of nobody's, whose calls are not counted.
fn somebody(stage: &Stage) -> aws::s3::Client {
    let mut config = Builder::new()
        .behavior_version(aws::s3::config::BehaviorVersion::latest())
        .region(aws::s3::config::Region::new(REGION))
        .force_path_style(true);
    config.set_credentials_provider(stage.wiring.credentials.clone());
    config.set_http_client(stage.wiring.http_client.clone());
    config.set_endpoint_url(stage.wiring.endpoint_url.clone());
    aws::s3::Client::from_conf(config.build())
}

async fn bucket(stage: &Stage, id: &str) -> String {
    let name = format!("onramp-objects-{id}");
    if stage.practice.is_some() {
        let with = json!({ "type": "AWS::S3::Bucket", "key": "bucket/objects", "properties": { "BucketName": name } });
        stage.make("aws/resource", with).await;
    } else {
        use crate::aws::s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let place = BucketLocationConstraint::from(REGION);
        let place = CreateBucketConfiguration::builder().location_constraint(place).build();
        let request = somebody(stage).create_bucket().bucket(&name).create_bucket_configuration(place);
        request.send().await.unwrap();
    }
    name
}

async fn objects_live(stage: &Stage, id: &str) {
    let bucket = bucket(stage, id).await;
    let of = |object: &str, content: &str| json!({ "bucket": bucket, "object": object, "content": content, "key": "s3/script" });
    let kept = lives(stage, "aws/s3-object", of("dr/restore.sh", "#!/bin/sh\necho ready\n")).await;
    assert_eq!(text(&kept, "id"), format!("s3://{bucket}/dr/restore.sh"));
    // Ours is brought up to date.
    let newer = of("dr/restore.sh", "#!/bin/sh\necho more\n");
    let action = stage.action("aws/s3-object", &newer);
    let Probe::Different { mend, .. } = action.probe(&stage.world).await else { panic!("it has another content") };
    assert_eq!((mend[0].operation.as_str(), &mend[0].arguments["Body"]), ("PutObject", &json!("20 bytes")));
    assert_eq!(mend[0].arguments.get("IfNoneMatch"), None);
    stage.make("aws/s3-object", newer).await;
    // Somebody else's is as wanted, or left alone.
    let put = somebody(stage).put_object().bucket(&bucket).key("theirs").body(b"abc".to_vec().into());
    put.send().await.unwrap();
    let same = stage.action("aws/s3-object", &of("theirs", "abc")).probe(&stage.world).await;
    assert!(matches!(&same, Probe::Same(found) if found.foreign), "{same:?}");
    let calls = stage.calls();
    for content in ["xyz", "longer"] {
        let with = of("theirs", content);
        let action = stage.action("aws/s3-object", &with);
        let Probe::Different { mend, said, .. } = action.probe(&stage.world).await else { panic!("it is theirs") };
        assert!(mend.is_empty() && said.contains("onramp did not make"), "{said}");
        let outcome = action.apply(&stage.world, &stage.intent("aws/s3-object", &with)).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    let seen = stage.make("aws/s3-objects", json!({ "bucket": bucket, "prefix": "dr/", "most_hours": 24 })).await;
    assert_eq!((&seen["count"], &seen["newest"]), (&json!(1), &json!("dr/restore.sh")));
    let archived =
        json!({ "bucket": bucket, "object": "old", "content": "old", "class": "GLACIER", "key": "s3/archived" });
    stage.make("aws/s3-object", archived).await;
    let thaw = json!({ "bucket": bucket, "object": "old", "days": 3 });
    let kept = stays(stage, "aws/s3-restore", thaw).await;
    assert!(kept["until"].as_str().is_some_and(|until| until.ends_with("GMT")), "{kept:?}");
    // What was never archived can be read as it is.
    let read = stage.make("aws/s3-restore", json!({ "bucket": bucket, "object": "dr/restore.sh" })).await;
    assert_eq!(read["until"], Json::Null);
}

#[tokio::test]
async fn every_kind_of_backup_and_objects_lives() {
    let stage = Stage::new().await;
    ground(&stage, "t1").await;
    every_kind_lives(&stage, "t1").await;
}

#[tokio::test]
async fn what_the_region_leaves_out_is_not_backed_up_and_the_setting_is_put_back() {
    let stage = Stage::new().await;
    ground(&stage, "r").await;
    let action = stage.action("aws/backup-job", &job("r"));
    let outcome = action.apply(&stage.world, &stage.intent("aws/backup-job", &job("r"))).await;
    let Outcome::Failed { failure } = outcome else { panic!("databases are left out: {outcome:?}") };
    assert!(failure.advice.contains("aws: backup-region") && failure.raw.contains("RDS"), "{failure:?}");
    // Of what was on already nothing is taken away.
    let with = json!({ "types": ["RDS", "EBS"] });
    let made = stage.make("aws/backup-region", with.clone()).await;
    let region = stage.action("aws/backup-region", &with);
    assert_eq!(made["types"], json!(["RDS", "EBS"]));
    let former = BTreeMap::from([("former".to_owned(), json!({ "RDS": false }))]);
    let Undoes::Sends(changes) = region.undoes(&stage.world, &former).await else { panic!("it is put back") };
    let sent = &changes[0].arguments["ResourceTypeOptInPreference"];
    assert_eq!((&sent["RDS"], &sent["EBS"], &sent["S3"]), (&json!(false), &json!(true), &json!(false)));
    let nothing = stage.world.having_made(&BTreeMap::new());
    let left = region.undoes(&nothing, &BTreeMap::new()).await;
    assert!(matches!(left, Undoes::Leaves { .. }), "what it was before is not known");
}

#[tokio::test]
async fn a_backup_is_waited_for_and_one_that_failed_is_started_anew() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let practice = stage.practice.as_ref().unwrap();
    let tick = || practice.advance(Duration::from_secs(10));
    // Whatever is asked of Cloud Control takes its time, too.
    let ask = async |kind: &str, with: Json| {
        let action = stage.action(kind, &with);
        let outcome = action.apply(&stage.world, &stage.intent(kind, &with)).await;
        tick();
        outcome
    };
    let make = async |kind: &str, properties: Json| {
        let control = stage.world.cloud.as_ref().unwrap().cloud_control();
        control.create_resource().type_name(kind).desired_state(properties.to_string()).send().await.unwrap();
        tick();
    };
    let orders = json!({
        "DBInstanceIdentifier": "orders-f", "Engine": "mysql", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20",
    });
    make("AWS::Backup::BackupVault", json!({ "BackupVaultName": "vault-f" })).await;
    make("AWS::RDS::DBInstance", orders.clone()).await;
    ask("aws/backup-region", json!({ "types": ["RDS"] })).await;

    let action = stage.action("aws/backup-job", &job("f"));
    let outcome = action.apply(&stage.world, &stage.intent("aws/backup-job", &job("f"))).await;
    let Outcome::Changed { output: first, .. } = outcome else { panic!("{outcome:?}") };
    let world = stage.world.having_made(&first);
    let action = super::action("aws/backup-job", &job("f"), &world.subject);
    let Verified::NotYet { said } = action.verify(&world).await else { panic!("it is under way") };
    assert!(said.contains("under way: CREATED"), "{said}");
    assert!(matches!(action.probe(&world).await, Probe::Same(_)), "nothing more is to be sent");
    // The database goes while it is backed up.
    let control = stage.world.cloud.as_ref().unwrap().cloud_control();
    control.delete_resource().type_name("AWS::RDS::DBInstance").identifier("orders-f").send().await.unwrap();
    tick();
    let Verified::NotSo(failure) = action.verify(&world).await else { panic!("it came to nothing") };
    assert!(failure.what.contains("ended as FAILED") && failure.raw.contains("orders-f"), "{failure:?}");
    let Probe::Different { mend, .. } = action.probe(&world).await else { panic!("it can be started anew") };
    assert_eq!(mend[0].operation, "StartBackupJob");
    // Under the same intent it is another job, and only one more, whoever says it again.
    make("AWS::RDS::DBInstance", orders).await;
    let again = action.apply(&world, &stage.intent("aws/backup-job", &job("f"))).await;
    let Outcome::Changed { output: second, .. } = again else { panic!("{again:?}") };
    assert_ne!(first["id"], second["id"]);
    let world = stage.world.having_made(&second);
    let action = super::action("aws/backup-job", &job("f"), &world.subject);
    tick();
    let Verified::So(found) = action.verify(&world).await else { panic!("it is whole") };
    assert_eq!(found.output["id"], second["id"]);
    // Two months later its recovery point is there, and the job is shown no more.
    practice.advance(Duration::from_secs(60 * 24 * 3600));
    let Verified::So(later) = action.verify(&world).await else { panic!("it is kept") };
    assert_eq!(later.output["point"], found.output["point"]);
    let old = json!({ "vault": "vault-f", "most_hours": 24, "least": 2 });
    let Verified::NotYet { said } = stage.action("aws/recovery-points", &old).verify(&stage.world).await else {
        panic!("there is one")
    };
    assert!(said.contains("1 recovery point"), "{said}");
}

#[tokio::test]
async fn a_job_is_started_once_whatever_becomes_of_the_answer() {
    for way in [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle] {
        let stage = Stage::with(Pace::Instant, Faults::none().aim(way, "StopBackupJob", 1)).await;
        ground(&stage, "s").await;
        stage.make("aws/backup-region", json!({ "types": ["RDS"] })).await;
        lives_until_stopped(&stage, job("s")).await;
        let listed = stage.world.cloud.as_ref().unwrap().backup().list_backup_jobs().send().await.unwrap();
        let states: Vec<&str> = listed.backup_jobs().iter().filter_map(|job| Some(job.state()?.as_str())).collect();
        assert_eq!(states.len(), 1, "{way:?}: {states:?}");
        assert!(["ABORTING", "ABORTED"].contains(&states[0]), "{way:?}: {states:?}");
    }
}

#[tokio::test]
async fn an_archived_object_is_waited_for_and_fetched_once() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let practice = stage.practice.as_ref().unwrap();
    let control = stage.world.cloud.as_ref().unwrap().cloud_control();
    let state = json!({ "BucketName": "acme-archive" }).to_string();
    control.create_resource().type_name("AWS::S3::Bucket").desired_state(state).send().await.unwrap();
    practice.advance(Duration::from_secs(10));
    let s3 = somebody(&stage);
    let old = s3.put_object().bucket("acme-archive").key("a/old.tgz").storage_class(StorageClass::DeepArchive);
    old.body(b"old".to_vec().into()).send().await.unwrap();
    let with = json!({ "bucket": "acme-archive", "object": "a/old.tgz", "tier": "Bulk" });
    let action = stage.action("aws/s3-restore", &with);
    let Probe::Absent { said } = action.probe(&stage.world).await else { panic!("it is archived") };
    assert!(said.contains("DEEP_ARCHIVE"), "{said}");
    // Somebody asks for it in the same moment: it is in progress, and that is what is wanted.
    let asked = action.apply(&stage.world, &stage.intent("aws/s3-restore", &with)).await;
    assert!(matches!(asked, Outcome::Changed { .. }), "{asked:?}");
    let Verified::NotYet { said } = action.verify(&stage.world).await else { panic!("it takes up to two days") };
    assert!(said.contains("up to 48 hours"), "{said}");
    let calls = stage.calls();
    let again = action.apply(&stage.world, &stage.intent("aws/s3-restore", &with)).await;
    assert!(matches!(again, Outcome::AlreadySo { .. }), "{again:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    practice.advance(Duration::from_secs(10));
    let Verified::So(found) = action.verify(&stage.world).await else { panic!("it can be read") };
    assert!(found.output["until"].as_str().unwrap().ends_with("00:00:00 GMT"), "{found:?}");
    let nowhere = json!({ "bucket": "acme-archive", "object": "none" });
    let Verified::NotSo(failure) = stage.action("aws/s3-restore", &nowhere).verify(&stage.world).await else {
        panic!("there is none")
    };
    assert!(failure.what.contains("s3://acme-archive/none"), "{failure:?}");
}

#[tokio::test]
async fn two_engagements_never_touch_each_others_objects() {
    let stage = Stage::new().await;
    let bucket = bucket(&stage, "two").await;
    let with = |content: &str| json!({ "bucket": bucket, "object": "a", "content": content, "key": "s3/a" });
    let made = stage.make("aws/s3-object", with("ours")).await;
    let other = stage.as_engagement("e2");
    let action = super::action("aws/s3-object", &with("theirs"), &other.subject);
    let Probe::Different { mend, said, .. } = action.probe(&other).await else { panic!("it is taken") };
    assert!(mend.is_empty() && said.contains("of the engagement e1"), "{said}");
    assert!(matches!(action.undoes(&other, &made).await, Undoes::Leaves { .. }));
    lives_once(&stage, "aws/s3-object", json!({ "bucket": bucket, "object": "b", "content": "", "key": "s3/b" })).await;
}
