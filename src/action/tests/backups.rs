//! What is kept of databases and disks, here and in another region: each from nothing to nothing, what AWS takes its time
//! for, what it refuses, and what is never touched.

use std::time::Duration;

use serde_json::json;

use super::super::call::ebs::{Disks, EbsRequest};
use super::super::call::rds::{History, Keeps, Moment, RdsRequest, Surroundings};
use super::super::call::{Call, Label, Token};
use super::life::{PUBLIC_KEY, ground, lives, lives_once};
use super::rungs::tried_here;
use super::*;
use crate::action::Undoes;
use crate::aws::rds;

/// The region for disaster recovery.
const AWAY: &str = "eu-central-1";

/// Every call about databases, disks and images that changes something.
pub(super) fn one_of_each() -> Vec<Call> {
    let id = || "x-1".to_owned();
    let label = || Label { key: "a/b".to_owned(), name: "n".to_owned() };
    let place = || Surroundings {
        subnet_group: id(),
        groups: vec![id()],
        parameter_group: id(),
        option_group: None,
        class: None,
        multi_az: false,
        public: false,
        protected: false,
        tags: label(),
        region: None,
    };
    let databases = [
        RdsRequest::CreateDBSnapshot { instance: id(), snapshot: id(), tags: label(), region: None },
        RdsRequest::CopyDBSnapshot { source: id(), snapshot: id(), kms_key_id: None, tags: label(), region: id() },
        RdsRequest::DeleteDBSnapshot { snapshot: id(), region: None },
        RdsRequest::StartDBInstanceAutomatedBackupsReplication {
            source: id(),
            kms_key_id: None,
            backup_retention_period: 7,
            tags: label(),
            region: id(),
        },
        RdsRequest::StopDBInstanceAutomatedBackupsReplication { source: id(), region: id() },
        RdsRequest::RestoreDBInstanceFromDBSnapshot { snapshot: id(), instance: id(), place: place() },
        RdsRequest::RestoreDBInstanceToPointInTime {
            source: History::Instance(id()),
            moment: Moment::Latest(true),
            instance: id(),
            place: place(),
        },
        RdsRequest::DeleteDBInstance { instance: id(), keeps: Keeps::Nothing(true), region: None },
        RdsRequest::StartExportTask {
            task: id(),
            source_arn: id(),
            s3_bucket_name: id(),
            s3_prefix: None,
            iam_role_arn: id(),
            kms_key_id: id(),
            export_only: Vec::new(),
            region: None,
        },
        RdsRequest::CancelExportTask { task: id(), region: None },
    ];
    let disks = [
        EbsRequest::EnableEbsEncryptionByDefault { region: None },
        EbsRequest::DisableEbsEncryptionByDefault { region: None },
        EbsRequest::ModifyInstanceMetadataDefaults { http_tokens: id(), http_put_response_hop_limit: 2, region: None },
        EbsRequest::CreateSnapshot { volume_id: id(), description: id(), tag_specifications: label() },
        EbsRequest::CreateSnapshots {
            instance_specification: Disks { instance_id: id(), exclude_boot_volume: false },
            description: id(),
            tag_specifications: label(),
        },
        EbsRequest::CopySnapshot {
            source_region: REGION.to_owned(),
            source_snapshot_id: id(),
            destination_region: AWAY.to_owned(),
            description: id(),
            encrypted: true,
            kms_key_id: None,
            tag_specifications: label(),
        },
        EbsRequest::DeleteSnapshot { snapshot_id: id(), region: None },
        EbsRequest::CreateImage { instance_id: id(), name: id(), no_reboot: true, tag_specifications: label() },
        EbsRequest::CopyImage {
            source_region: REGION.to_owned(),
            source_image_id: id(),
            name: id(),
            encrypted: true,
            kms_key_id: None,
            client_token: Token,
            tag_specifications: label(),
            region: AWAY.to_owned(),
        },
        EbsRequest::DeregisterImage { image_id: id(), region: None },
    ];
    databases.into_iter().map(Call::Rds).chain(disks.into_iter().map(Call::Ebs)).collect()
}

/// The kinds of EC2, as far as the rung knows them.
pub(super) async fn disks_and_images_live(stage: &Stage, instance: &str, id: &str) {
    // They hold for a whole region, and a lent cloud is used again.
    lives_once(stage, "aws/ebs-encryption", json!({})).await;
    lives_once(stage, "aws/ebs-encryption", json!({ "region": AWAY })).await;
    if tried_here(stage, "aws/metadata-defaults") {
        lives_once(stage, "aws/metadata-defaults", json!({})).await;
        lives_once(stage, "aws/metadata-defaults", json!({ "region": AWAY, "hops": 1 })).await;
    }
    let all = lives(stage, "aws/ebs-snapshot", json!({ "instance": instance, "key": "snapshot/host" })).await;
    let volume = all["volumes"][0].clone();
    let one = lives(stage, "aws/ebs-snapshot", json!({ "volume": volume, "key": "snapshot/disk" })).await;
    let copy = json!({ "source": one["id"], "source_region": REGION, "region": AWAY, "key": "snapshot/disk/away" });
    lives(stage, "aws/ebs-snapshot-copy", copy).await;
    if tried_here(stage, "aws/instance-image") {
        let image = json!({ "instance": instance, "name": format!("golden {id}"), "key": "image/app" });
        let image = lives(stage, "aws/instance-image", image).await;
        let copy = json!({
            "source": image["id"], "source_region": REGION, "region": AWAY, "name": format!("golden {id}"),
            "key": "image/app/away",
        });
        lives(stage, "aws/image-copy", copy).await;
    }
}

/// A database, made past onramp where there is no Cloud Control.
async fn a_database(stage: &Stage, [a, b]: [&str; 2], group: &str, id: &str) -> String {
    let name = format!("ledger-{id}");
    if stage.practice.is_some() {
        let subnets = json!({ "DBSubnetGroupName": name, "DBSubnetGroupDescription": "data", "SubnetIds": [a, b] });
        stage.make("aws/resource", resource("AWS::RDS::DBSubnetGroup", "rds/subnets/backups", subnets)).await;
        let database = json!({
            "DBInstanceIdentifier": name, "Engine": "postgres", "DBInstanceClass": "db.t4g.small",
            "AllocatedStorage": "20", "StorageEncrypted": true, "DBSubnetGroupName": name,
            "ManageMasterUserPassword": true, "MasterUsername": "orders",
        });
        let made = resource("AWS::RDS::DBInstance", "rds/backups", database);
        stage.make("aws/resource", made).await;
        return name;
    }
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(REGION))
        .endpoint_url(stage.wiring.endpoint_url.clone().unwrap())
        .credentials_provider(aws_credential_types::Credentials::for_tests())
        .load()
        .await;
    let rds = rds::Client::new(&config);
    let subnets = rds.create_db_subnet_group().db_subnet_group_name(&name).db_subnet_group_description("data");
    subnets.subnet_ids(a).subnet_ids(b).send().await.unwrap();
    let database =
        rds.create_db_instance().db_instance_identifier(&name).engine("postgres").db_instance_class("db.t4g.small");
    let database = database.allocated_storage(20).master_username("orders").master_user_password("not-a-secret");
    database.db_subnet_group_name(&name).vpc_security_group_ids(group).send().await.unwrap();
    name
}

fn resource(kind: &str, key: &str, properties: Json) -> Json {
    json!({ "type": kind, "properties": properties, "key": key })
}

/// A key in the region for disaster recovery; none where there is no Cloud Control.
async fn a_key_away(stage: &Stage) -> Json {
    if stage.practice.is_none() {
        return Json::Null;
    }
    let mut key = resource("AWS::KMS::Key", "kms/away", json!({ "Description": "copies", "PendingWindowInDays": 7 }));
    key["region"] = json!(AWAY);
    stage.make("aws/resource", key).await["arn"].clone()
}

/// The kinds of RDS, as far as the rung knows them.
pub(super) async fn databases_live(stage: &Stage, subnets: [&str; 2], group: &str, id: &str) {
    let name = a_database(stage, subnets, group, id).await;
    let key = a_key_away(stage).await;
    let snapshot = json!({ "instance": name, "snapshot": format!("before-{id}"), "key": "rds/snapshot" });
    let snapshot = lives(stage, "aws/rds-snapshot", snapshot).await;
    let copy = json!({
        "source": snapshot["arn"], "snapshot": format!("away-{id}"), "region": AWAY, "kms_key": key, "key": "rds/away",
    });
    lives(stage, "aws/rds-snapshot-copy", copy).await;
    if tried_here(stage, "aws/rds-backup-replication") {
        let source = format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}");
        let copies = json!({ "source": source, "region": AWAY, "kms_key": key, "days": 14, "key": "rds/replication" });
        lives(stage, "aws/rds-backup-replication", copies).await;
    }
    // moto knows these default parameters alone.
    let parameters = if stage.practice.is_some() { "default.postgres16" } else { "default.postgres9.3" };
    let mut drill = json!({
        "instance": format!("drill-{id}"), "snapshot": snapshot["id"], "subnet_group": name, "groups": [group],
        "parameter_group": parameters, "key": "rds/drill",
    });
    lives_once(stage, "aws/rds-restore", drill.clone()).await;
    drill["snapshot"] = Json::Null;
    (drill["source"], drill["instance"]) = (json!(name), json!(format!("past-{id}")));
    lives_once(stage, "aws/rds-restore", drill).await;
    exports(stage, &text(&snapshot, "arn"), id).await;
}

/// A name is taken once, so that an export lives once.
async fn exports(stage: &Stage, source: &str, id: &str) {
    let mut with = json!({
        "source": source, "task": format!("handover-{id}"), "bucket": format!("acme-export-{id}"),
        "role": format!("arn:aws:iam::{ACCOUNT}:role/onramp-export-{id}"), "kms_key": "alias/aws/rds", "prefix": "orders",
    });
    if stage.practice.is_some() {
        let bucket = json!({ "BucketName": with["bucket"] });
        stage.make("aws/resource", resource("AWS::S3::Bucket", "bucket/export", bucket)).await;
        let role = json!({ "RoleName": format!("onramp-export-{id}"), "AssumeRolePolicyDocument": {} });
        stage.make("aws/resource", resource("AWS::IAM::Role", "iam/export", role)).await;
    }
    let action = stage.action("aws/rds-export", &with);
    assert!(is_absent(&action.probe(&stage.world).await));
    let outcome = action.apply(&stage.world, &stage.intent("aws/rds-export", &with)).await;
    let Outcome::Changed { created: true, output: made, .. } = outcome else { panic!("{outcome:?}") };
    let calls = stage.calls();
    let again = action.apply(&stage.world, &stage.intent("aws/rds-export", &with)).await;
    assert!(matches!(again, Outcome::AlreadySo { .. }), "{again:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    if stage.practice.is_none() {
        // There it is complete at once; nothing takes it back.
        let kept = stage.proved(&*action).await;
        assert_eq!(kept["lies"], json!(format!("s3://acme-export-{id}/orders/handover-{id}")));
        assert!(matches!(action.undoes(&stage.world, &made).await, Undoes::Keeps { .. }));
        return;
    }
    let undone = action.undo(&stage.world, &stage.intent("aws/rds-export", &with), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    let Verified::NotSo(failure) = action.verify(&stage.world).await else { panic!("it was cancelled") };
    assert!(failure.advice.contains("another `task`"), "{failure:?}");
    with["task"] = json!(format!("handover2-{id}"));
    let action = stage.action("aws/rds-export", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/rds-export", &with)).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    stage.practice.as_ref().unwrap().advance(Duration::from_secs(60));
    let kept = stage.proved(&*action).await;
    assert!(text(&kept, "lies").ends_with(&format!("handover2-{id}")), "{kept:?}");
    let Undoes::Keeps { said } = action.undoes(&stage.world, &kept).await else { panic!("it is complete") };
    assert!(said.contains("cannot be cancelled") && said.contains("s3://"), "{said}");
}

/// A host, a database, and nothing else.
async fn scene(pace: Pace) -> (Stage, String, String, super::life::Ground) {
    let stage = Stage::with(pace, Faults::none()).await;
    let ground = ground(&stage).await;
    let zone = format!("{REGION}b");
    let second = json!({ "vpc": ground.vpc, "cidr": "10.40.1.0/24", "zone": zone, "key": "subnet/public/b" });
    let second = text(&stage.make("aws/subnet", second).await, "id");
    stage.make("aws/key-pair", json!({ "name": "ops", "public_key": PUBLIC_KEY, "key": "key/operator" })).await;
    let image = stage.make("aws/image", json!({ "family": "ubuntu-22.04" })).await;
    let host = json!({
        "image": image["id"], "root_device": image["root_device"], "type": "t3.micro", "subnet": ground.public,
        "groups": [ground.group], "key_pair": "ops", "key": "instance/app",
    });
    let host = text(&stage.make("aws/instance", host).await, "id");
    let name = a_database(&stage, [&ground.public, &second], &ground.group, "t1").await;
    (stage, host, name, ground)
}

async fn said_of(stage: &Stage, kind: &str, with: &Json) -> crate::engagement::Failure {
    let outcome = stage.action(kind, with).apply(&stage.world, &stage.intent(kind, with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{kind}: {outcome:?}") };
    failure
}

#[tokio::test]
async fn disks_images_and_databases_live() {
    let (stage, host, _, ground) = scene(Pace::Instant).await;
    disks_and_images_live(&stage, &host, "t1").await;
    let zone = format!("{REGION}c");
    let third = json!({ "vpc": ground.vpc, "cidr": "10.40.2.0/24", "zone": zone, "key": "subnet/public/c" });
    let third = text(&stage.make("aws/subnet", third).await, "id");
    databases_live(&stage, [&ground.public, &third], &ground.group, "t2").await;
}

#[tokio::test]
async fn what_takes_hours_is_followed_and_a_second_run_sends_nothing() {
    let (stage, ..) = scene(Pace::Human).await;
    let snapshot = json!({ "instance": "ledger-t1", "snapshot": "before-upgrade", "key": "rds/snapshot" });
    let action = stage.action("aws/rds-snapshot", &snapshot);
    let outcome = action.apply(&stage.world, &stage.intent("aws/rds-snapshot", &snapshot)).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    let Verified::NotYet { said } = action.verify(&stage.world).await else { panic!("AWS is still at it") };
    assert!(said.contains("snapshot before-upgrade is creating"), "{said}");
    let away = json!({
        "source": format!("arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:before-upgrade"), "snapshot": "away",
        "region": AWAY, "kms_key": "alias/aws/rds", "key": "rds/away",
    });
    let kept = stage.proved(&*action).await;
    let calls = stage.calls();
    let again = action.apply(&stage.world, &stage.intent("aws/rds-snapshot", &snapshot)).await;
    assert!(matches!(again, Outcome::AlreadySo { .. }), "{again:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    let copy = stage.action("aws/rds-snapshot-copy", &away);
    let outcome = copy.apply(&stage.world, &stage.intent("aws/rds-snapshot-copy", &away)).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    let Verified::NotYet { said } = copy.verify(&stage.world).await else { panic!("AWS is still at it") };
    assert!(said.contains("in eu-central-1 is copying"), "{said}");
    stage.practice.as_ref().unwrap().advance(Duration::from_secs(5));
    let copied = stage.proved(&*copy).await;
    assert_ne!(copied["arn"], kept["arn"]);
    assert_eq!(copied["encrypted"], json!(true));
}

#[tokio::test]
async fn a_copy_needs_a_key_of_its_own_region_and_nothing_is_sent_without() {
    let (stage, _, name, _) = scene(Pace::Instant).await;
    let snapshot = json!({ "instance": name, "snapshot": "before", "key": "rds/snapshot" });
    let source = stage.make("aws/rds-snapshot", snapshot).await["arn"].clone();
    let calls = stage.calls();
    let bare = json!({ "source": source, "snapshot": "away", "region": AWAY, "key": "rds/away" });
    let failure = said_of(&stage, "aws/rds-snapshot-copy", &bare).await;
    assert!(failure.what.contains("is encrypted, and the copy has no key in eu-central-1"), "{failure:?}");
    let gone = json!({
        "source": format!("arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:never"), "snapshot": "away", "region": AWAY,
        "key": "rds/away",
    });
    let failure = said_of(&stage, "aws/rds-snapshot-copy", &gone).await;
    assert!(failure.what.contains("is not there, so it cannot be copied"), "{failure:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    // A key of the wrong region is said before AWS is asked, one that is not there by AWS.
    let wrong = json!({
        "source": source, "snapshot": "away", "region": AWAY, "key": "rds/away",
        "kms_key": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/1"),
    });
    let built = build(
        &crate::engagement::Call::Kind {
            kind: "aws/rds-snapshot-copy".to_owned(),
            with: wrong.as_object().cloned().unwrap(),
        },
        &stage.world.subject,
    );
    let Err(failure) = built else { panic!("a key of another region") };
    assert!(failure.what.contains("is a key of eu-west-1, and the copy is made in eu-central-1"), "{failure:?}");
    let none =
        json!({ "source": source, "snapshot": "away", "region": AWAY, "key": "rds/away", "kms_key": "alias/nobody" });
    let failure = said_of(&stage, "aws/rds-snapshot-copy", &none).await;
    assert!(failure.meaning.contains("The encryption key cannot be used"), "{failure:?}");
    assert!(
        stage
            .practice
            .as_ref()
            .unwrap()
            .calls()
            .iter()
            .any(|call| call.region == AWAY && call.operation == "CopyDBSnapshot")
    );
}

#[tokio::test]
async fn a_restore_says_where_it_stands_and_is_refused_without() {
    let stage = Stage::new().await;
    let whole = json!({
        "instance": "drill", "snapshot": "before", "subnet_group": "data", "groups": ["sg-1"], "parameter_group": "pg",
        "key": "rds/drill",
    });
    let refused = |without: &str, more: Json| {
        let mut with = whole.as_object().cloned().unwrap();
        with.remove(without);
        with.extend(more.as_object().cloned().unwrap());
        let built =
            build(&crate::engagement::Call::Kind { kind: "aws/rds-restore".to_owned(), with }, &stage.world.subject);
        let Err(failure) = built else { panic!("without {without}") };
        format!("{} {}", failure.what, failure.advice)
    };
    assert!(refused("subnet_group", json!({})).contains("`subnet_group`"));
    assert!(refused("groups", json!({})).contains("default group, whose rules nobody chose"));
    assert!(refused("parameter_group", json!({})).contains("`parameter_group`"));
    assert!(refused("snapshot", json!({})).contains("one of `snapshot`, `source` and `backups`"));
    assert!(refused("", json!({ "at": "latest" })).contains("both `snapshot` and `at`"));
    assert!(refused("snapshot", json!({ "source": "orders", "at": "yesterday" })).contains("no moment"));
    assert!(refused("instance", json!({ "instance": "Drill" })).contains("which RDS does not take for a name"));
}

#[tokio::test]
async fn a_restored_database_is_private_and_goes_with_or_without_a_last_snapshot() {
    let (stage, _, name, ground) = scene(Pace::Instant).await;
    let snapshot = json!({ "instance": name, "snapshot": "before", "key": "rds/snapshot" });
    stage.make("aws/rds-snapshot", snapshot).await;
    let drill = json!({
        "instance": "drill", "snapshot": "before", "subnet_group": name, "groups": [ground.group],
        "parameter_group": "default.postgres16", "final_snapshot": "drill-last", "key": "rds/drill",
    });
    let kept = stage.make("aws/rds-restore", drill.clone()).await;
    assert!(text(&kept, "address").starts_with("drill."), "{kept:?}");
    let rds = stage.world.cloud.as_ref().unwrap().databases();
    let seen = rds.describe_db_instances().db_instance_identifier("drill").send().await.unwrap();
    assert_eq!(seen.db_instances()[0].publicly_accessible(), Some(false));
    let action = stage.action("aws/rds-restore", &drill);
    let undone = action.undo(&stage.world, &stage.intent("aws/rds-restore", &drill), &kept).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    let last = rds.describe_db_snapshots().db_snapshot_identifier("drill-last").send().await.unwrap();
    assert_eq!(last.db_snapshots()[0].db_instance_identifier(), Some("drill"));
    // Once more: the name of the last snapshot is taken now. It stays, and AWS's reason is told.
    let kept = stage.make("aws/rds-restore", drill.clone()).await;
    let undone = action.undo(&stage.world, &stage.intent("aws/rds-restore", &drill), &kept).await;
    assert!(format!("{undone:?}").contains("DBSnapshotAlreadyExists"), "{undone:?}");
    assert!(!matches!(undone, Outcome::Changed { .. } | Outcome::AlreadySo { .. }), "{undone:?}");
    // One that Cloud Control has made leaves a last snapshot of itself.
    let before = rds.describe_db_snapshots().send().await.unwrap().db_snapshots().len();
    let bare = json!({
        "DBInstanceIdentifier": "bare", "Engine": "postgres", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20",
    });
    let bare = resource("AWS::RDS::DBInstance", "rds/bare", bare);
    let made = stage.make("aws/resource", bare.clone()).await;
    stage.action("aws/resource", &bare).undo(&stage.world, &stage.intent("aws/resource", &bare), &made).await;
    let snapshots = rds.describe_db_snapshots().send().await.unwrap().db_snapshots.unwrap();
    assert_eq!(snapshots.len(), before + 1);
    assert!(snapshots.iter().any(|one| one.db_instance_identifier() == Some("bare")), "{snapshots:?}");
    // The engagement's own database is neither taken for it nor taken away.
    let mut theirs = drill.clone();
    theirs["instance"] = json!(name);
    let probe = stage.action("aws/rds-restore", &theirs).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
}

#[tokio::test]
async fn backups_in_another_region_are_of_their_engagement_alone() {
    let (stage, _, name, _) = scene(Pace::Instant).await;
    let key = a_key_away(&stage).await;
    let source = format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}");
    let with = json!({ "source": source, "region": AWAY, "kms_key": key, "key": "rds/replication" });
    let made = stage.make("aws/rds-backup-replication", with.clone()).await;
    let other = stage.as_engagement("e2");
    let action = action("aws/rds-backup-replication", &with, &other.subject);
    let probe = action.probe(&other).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    let undoes = action.undoes(&other, &made).await;
    assert!(matches!(undoes, Undoes::Leaves { .. }), "{undoes:?}");
    // Of what was replicated a database is made there.
    let backups = json!({
        "instance": "drill", "backups": made["id"], "subnet_group": "default", "groups": ["sg-00000000000000000"],
        "parameter_group": "default.postgres16", "region": AWAY, "key": "rds/drill",
    });
    let failure = said_of(&stage, "aws/rds-restore", &backups).await;
    assert!(failure.raw.contains("Invalid security group"), "groups of that region are asked for: {failure:?}");
}

#[tokio::test]
async fn an_encrypted_disk_is_copied_with_leave_of_its_region_and_a_key_that_is_there() {
    let (stage, host, ..) = scene(Pace::Instant).await;
    let snapshot = stage.make("aws/ebs-snapshot", json!({ "instance": host, "key": "snapshot/host" })).await;
    let copy = json!({
        "source": snapshot["id"], "source_region": REGION, "region": AWAY, "key": "snapshot/away",
        "kms_key": a_key_away(&stage).await,
    });
    let made = stage.make("aws/ebs-snapshot-copy", copy.clone()).await;
    let away = stage.world.cloud.as_ref().unwrap().in_region(AWAY);
    let seen = away.ec2().describe_snapshots().snapshot_ids(text(&made, "id")).send().await.unwrap();
    assert_eq!(seen.snapshots()[0].encrypted(), Some(true));
    // Without such leave AWS takes the call, and the copy comes to nothing.
    let bare = away.ec2().copy_snapshot().source_region(REGION).source_snapshot_id(text(&snapshot, "id"));
    let bare = bare.send().await.unwrap();
    let seen = away.ec2().describe_snapshots().snapshot_ids(bare.snapshot_id().unwrap()).send().await.unwrap();
    assert_eq!(seen.snapshots()[0].state().map(|state| state.as_str()), Some("error"));
    let mut wrong = copy;
    (wrong["kms_key"], wrong["key"]) = (json!("alias/nobody"), json!("snapshot/wrong"));
    let action = stage.action("aws/ebs-snapshot-copy", &wrong);
    action.apply(&stage.world, &stage.intent("aws/ebs-snapshot-copy", &wrong)).await;
    let Verified::NotSo(failure) = action.verify(&stage.world).await else { panic!("the key is not there") };
    assert!(failure.what.contains("Given key ID is not accessible"), "{failure:?}");
}

#[tokio::test]
async fn what_was_set_before_is_put_back_and_what_somebody_has_set_since_stays() {
    let stage = Stage::new().await;
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let optional = crate::aws::ec2::types::MetadataDefaultHttpTokensState::Optional;
    ec2.modify_instance_metadata_defaults()
        .http_tokens(optional.clone())
        .http_put_response_hop_limit(3)
        .send()
        .await
        .unwrap();
    let with = json!({});
    let action = stage.action("aws/metadata-defaults", &with);
    let Probe::Different { differences, mend, .. } = action.probe(&stage.world).await else { panic!("set otherwise") };
    assert_eq!((differences.len(), mend.len()), (2, 1));
    let outcome = action.apply(&stage.world, &stage.intent("aws/metadata-defaults", &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(made["former"], json!({ "tokens": "optional", "hops": 3 }));
    let undone = action.undo(&stage.world, &stage.intent("aws/metadata-defaults", &with), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    let now = ec2.get_instance_metadata_defaults().send().await.unwrap().account_level.unwrap();
    assert_eq!(
        (now.http_tokens().map(|one| one.as_str()), now.http_put_response_hop_limit()),
        (Some("optional"), Some(3))
    );
    stage.next_generation();
    let outcome = action.apply(&stage.world, &stage.intent("aws/metadata-defaults", &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    ec2.modify_instance_metadata_defaults().http_tokens(optional).http_put_response_hop_limit(64).send().await.unwrap();
    let Undoes::Leaves { said } = action.undoes(&stage.world, &made).await else { panic!("somebody has set it since") };
    assert!(said.contains("since"), "{said}");
    // Encryption that was on already is nobody's change.
    ec2.enable_ebs_encryption_by_default().send().await.unwrap();
    let action = stage.action("aws/ebs-encryption", &json!({}));
    let outcome = action.apply(&stage.world, &stage.intent("aws/ebs-encryption", &json!({}))).await;
    assert!(matches!(outcome, Outcome::AlreadySo { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_image_takes_its_snapshots_along_when_it_goes() {
    let (stage, host, ..) = scene(Pace::Instant).await;
    let with = json!({ "instance": host, "name": "golden", "key": "image/app" });
    let made = stage.make("aws/instance-image", with.clone()).await;
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    assert_eq!(ec2.describe_snapshots().send().await.unwrap().snapshots().len(), 1);
    // A name is taken once, by whomever.
    let other = stage.as_engagement("e2");
    let probe = action("aws/instance-image", &with, &other.subject).probe(&other).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    let action = stage.action("aws/instance-image", &with);
    let Undoes::Sends(calls) = action.undoes(&stage.world, &made).await else { panic!("it is ours") };
    let names: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(names, ["DeregisterImage", "DeleteSnapshot"]);
    let undone = action.undo(&stage.world, &stage.intent("aws/instance-image", &with), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    assert_eq!(ec2.describe_snapshots().send().await.unwrap().snapshots().len(), 0);
}
