//! The lost-reply matrix of what is kept of disks and databases, here and in another region: every call that changes
//! something × every way in which its answer can go astray, as in `matrix`. The host and the database that are kept were
//! there before, so that a cell is short.

use std::collections::BTreeMap;

use serde_json::json;

use super::matrix::{WAYS, assert_struck, made, take_all_back, take_place, undone_in_spite_of};
use super::*;

const AWAY: &str = "eu-central-1";

/// What stands for the ids of the host and of its security group.
const KEPT: &str = r#"
runbook: kept
title: Kept
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - {id: encryption, title: New disks are encrypted, aws: ebs-encryption}
  - {id: metadata, title: Metadata want a token, aws: metadata-defaults, with: {tokens: required}}
  - {id: block, title: No bucket is public, aws: account-public-block, with: {account: "@account@"}}
  - id: disk
    title: One disk
    aws: ebs-snapshot
    with: {volume: @volume@, key: snapshot/disk}
    saves: {id: net.disk}
    within: 2m
  - id: host
    title: All disks of the host
    aws: ebs-snapshot
    with: {instance: @instance@, key: snapshot/host}
    within: 2m
  - id: disk-away
    title: The disk's snapshot in the other region
    aws: ebs-snapshot-copy
    with: {source: "{{ net.disk }}", source_region: eu-west-1, region: eu-central-1, key: snapshot/disk/away}
    within: 2m
  - id: image
    title: An image of the host
    aws: instance-image
    with: {instance: @instance@, name: golden, key: image/app}
    saves: {id: net.image}
    within: 2m
  - id: image-away
    title: The image in the other region
    aws: image-copy
    with: {source: "{{ net.image }}", source_region: eu-west-1, region: eu-central-1, name: golden, key: image/app/away}
    within: 2m
  - id: snapshot
    title: The database
    aws: rds-snapshot
    with: {instance: ledger, snapshot: before-upgrade, key: rds/snapshot}
    saves: {arn: net.snapshot}
    within: 2m
  - id: snapshot-away
    title: Its snapshot in the other region
    aws: rds-snapshot-copy
    with: {source: "{{ net.snapshot }}", snapshot: away, region: eu-central-1, key: rds/away}
    within: 2m
  - id: replication
    title: Its backups in the other region
    aws: rds-backup-replication
    with: {source: "arn:aws:rds:eu-west-1:@account@:db:ledger", region: eu-central-1, key: rds/replication}
    within: 2m
  - id: drill
    title: Restored
    needs: [snapshot]
    aws: rds-restore
    with:
      instance: drill
      snapshot: before-upgrade
      subnet_group: default
      groups: [@group@]
      parameter_group: default.postgres16
      key: rds/drill
    within: 2m
  - id: past
    title: As it was a moment ago
    needs: [encryption, metadata, block, host, disk-away, image-away, snapshot-away, replication, drill]
    aws: rds-restore
    with:
      instance: past
      source: ledger
      subnet_group: default
      groups: [@group@]
      parameter_group: default.postgres16
      key: rds/past
    within: 2m
"#;

/// An export that nobody waits for: its undo cancels it.
const EXPORT: &str = r#"
runbook: export
title: Export
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: export
    title: The customer's tables
    aws: rds-export
    with:
      source: "arn:aws:rds:eu-west-1:@account@:snapshot:theirs"
      task: handover
      bucket: acme-export
      role: "arn:aws:iam::@account@:role/onramp-export"
      kms_key: alias/aws/rds
    within: 1s
"#;

const LAST: &str = "past";

/// Which step sends it first, on the way there.
pub(super) const MAKES: [(&str, &str); 12] = [
    ("EnableEbsEncryptionByDefault", "encryption"),
    ("ModifyInstanceMetadataDefaults", "metadata"),
    ("PutPublicAccessBlock", "block"),
    ("CreateSnapshot", "disk"),
    ("CreateSnapshots", "host"),
    ("CopySnapshot", "disk-away"),
    ("CreateImage", "image"),
    ("CopyImage", "image-away"),
    ("CreateDBSnapshot", "snapshot"),
    ("CopyDBSnapshot", "snapshot-away"),
    ("StartDBInstanceAutomatedBackupsReplication", "replication"),
    ("RestoreDBInstanceFromDBSnapshot", "drill"),
];

/// The last one, and the exports', which have cells of their own.
pub(super) const ELSEWHERE: [&str; 3] = ["RestoreDBInstanceToPointInTime", "StartExportTask", "CancelExportTask"];

/// What an undo of everything sends.
pub(super) const TAKES: [&str; 8] = [
    "DisableEbsEncryptionByDefault",
    "ModifyInstanceMetadataDefaults",
    "DeletePublicAccessBlock",
    "DeleteSnapshot",
    "DeregisterImage",
    "DeleteDBSnapshot",
    "StopDBInstanceAutomatedBackupsReplication",
    "DeleteDBInstance",
];

/// Calls that make nothing that could be out of sight.
fn makes_nothing(operation: &str) -> bool {
    ["Enable", "Modify", "Put"].iter().any(|verb| operation.starts_with(verb))
}

/// An account with a host and a database in it, kept in a file, and the runbook about them.
async fn kept(runbook: &str) -> (Stage, std::path::PathBuf) {
    let empty = Stage::new(NOTHING, Faults::none());
    let cloud = Cloud::connect(empty.wiring()).await.unwrap();
    let ec2 = cloud.ec2();
    let images = ec2.describe_images().owners("099720109477").send().await.unwrap().images.unwrap();
    let x86 = images.into_iter().find(|one| one.architecture().is_some_and(|kind| kind.as_str() == "x86_64")).unwrap();
    let host = ec2.run_instances().image_id(x86.image_id().unwrap()).instance_type("t3.micro".into());
    let host = host.min_count(1).max_count(1).send().await.unwrap().instances.unwrap().remove(0);
    let instance = host.instance_id().unwrap().to_owned();
    let seen = ec2.describe_instances().instance_ids(&instance).send().await.unwrap();
    let seen = &seen.reservations()[0].instances()[0];
    let volume = seen.block_device_mappings()[0].ebs().unwrap().volume_id().unwrap().to_owned();
    let group = seen.security_groups()[0].group_id().unwrap().to_owned();
    let control = cloud.cloud_control();
    let trust = json!({});
    for (kind, state) in [
        (
            "AWS::RDS::DBInstance",
            json!({
                "DBInstanceIdentifier": "ledger", "Engine": "postgres", "DBInstanceClass": "db.t4g.small",
                "AllocatedStorage": "20",
            }),
        ),
        ("AWS::S3::Bucket", json!({ "BucketName": "acme-export" })),
        ("AWS::IAM::Role", json!({ "RoleName": "onramp-export", "AssumeRolePolicyDocument": trust })),
    ] {
        control.create_resource().type_name(kind).desired_state(state.to_string()).send().await.unwrap();
    }
    let theirs = cloud.databases().create_db_snapshot().db_instance_identifier("ledger");
    theirs.db_snapshot_identifier("theirs").send().await.unwrap();
    let account = empty.home.path().join("account.json");
    empty.account.save(&account).await.unwrap();
    let said = [("@instance@", instance.as_str()), ("@volume@", &volume), ("@group@", &group), ("@account@", ACCOUNT)];
    let runbook = said.iter().fold(runbook.to_owned(), |text, (mark, value)| text.replace(mark, value));
    let stage = Stage::new(&runbook, Faults::none());
    stage.account.load(&account).await.unwrap();
    let account = stage.home.path().join("account.json");
    stage.account.save(&account).await.unwrap();
    (stage, account)
}

/// For an account alone.
const NOTHING: &str = r#"
runbook: nothing
title: Nothing
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
steps:
  - {id: where, title: Where, form: [aws.account_id]}
"#;

/// What there is of each kind, here and there, theirs among it.
async fn there(stage: &Stage) -> Vec<(&'static str, usize)> {
    let here = Cloud::connect(stage.wiring()).await.unwrap();
    let away = here.in_region(AWAY);
    let mut all = Vec::new();
    for (at, cloud) in [("here", &here), ("away", &away)] {
        let (ec2, rds) = (cloud.ec2(), cloud.databases());
        let disks = ec2.describe_snapshots().owner_ids("self").send().await.unwrap();
        let images = ec2.describe_images().owners("self").send().await.unwrap();
        let snapshots = rds.describe_db_snapshots().send().await.unwrap();
        let databases = rds.describe_db_instances().send().await.unwrap();
        let backups = rds.describe_db_instance_automated_backups().send().await.unwrap();
        let growing = backups.db_instance_automated_backups().iter().filter(|one| one.status() != Some("retained"));
        let encrypted = ec2.get_ebs_encryption_by_default().send().await.unwrap();
        let metadata = ec2.get_instance_metadata_defaults().send().await.unwrap().account_level;
        let blocked = cloud.s3_control().get_public_access_block().account_id(ACCOUNT).send().await.is_ok();
        let found = [
            disks.snapshots().len(),
            images.images().len(),
            snapshots.db_snapshots().len(),
            databases.db_instances().len(),
            growing.count(),
            usize::from(encrypted.ebs_encryption_by_default() == Some(true)),
            usize::from(metadata.is_some_and(|level| level.http_tokens().is_some())),
            usize::from(blocked),
        ];
        all.extend(found.map(|count| (at, count)));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_that_is_kept_whatever_becomes_of_the_answer() {
    let (built, account) = kept(KEPT).await;
    let (built, account) = (&built, &account);
    let before = &there(built).await;
    let last = [("RestoreDBInstanceToPointInTime", LAST)];
    let cells = MAKES.into_iter().chain(last).flat_map(|(operation, step)| WAYS.map(|way| (operation, step, way)));
    let cells = cells.filter(|(operation, _, way)| *way != Fault::Invisible || !makes_nothing(operation));
    let mut usual = BTreeMap::new();
    for (_, step) in MAKES.into_iter().chain(last) {
        let clean = built.again(Faults::none(), account).await;
        made(&clean, Some(step)).await;
        usual.insert(step, there(&clean).await);
    }
    let usual = &usual;
    let asked: Vec<_> = cells
        .map(|(operation, step, way)| async move {
            let stage = built.again(Faults::none().aim(way, operation, 1), account).await;
            let what = format!("{operation} × {}", way.name());
            made(&stage, Some(step)).await;
            assert_struck(&stage, &what);
            assert_eq!(there(&stage).await, usual[step], "{what}: each once");
            take_all_back(&stage, &what).await;
            assert_eq!(&there(&stage).await, before, "{what}: ours are gone, and theirs are there");
            (operation, way)
        })
        .collect();
    take_place("kept", &MAKES.map(|(operation, _)| operation), asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_is_gone_whatever_becomes_of_the_answer() {
    let (built, account) = kept(KEPT).await;
    let before = there(&built).await;
    let built = built.again(Faults::none(), &account).await;
    made(&built, Some(LAST)).await;
    let account = built.home.path().join("built.json");
    built.account.save(&account).await.unwrap();
    let (built, account, before) = (&built, &account, &before);
    let cells = TAKES.iter().flat_map(|operation| WAYS.map(|way| (*operation, way)));
    let asked: Vec<_> = cells
        .filter(|(_, way)| *way != Fault::Invisible)
        .map(|(operation, way)| async move {
            let (stage, what) = undone_in_spite_of(way, operation, built, account).await;
            assert_eq!(&there(&stage).await, before, "{what}");
            (operation, way)
        })
        .collect();
    take_place("kept, taken back", &TAKES, asked).await;
}

/// Whoever has lost the state file finds all of it again by tags and names, and sends nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_found_again_and_nothing_is_sent_twice() {
    let (untouched, account) = kept(KEPT).await;
    let built = untouched.again(Faults::none(), &account).await;
    made(&built, Some(LAST)).await;
    let account = built.home.path().join("built.json");
    built.account.save(&account).await.unwrap();
    let fresh = untouched.again(Faults::none(), &account).await;
    made(&fresh, Some(LAST)).await;
    assert_eq!(there(&fresh).await, there(&built).await);
    let sent: Vec<String> =
        fresh.account.cloud().calls().into_iter().filter(|call| call.mutating).map(|call| call.operation).collect();
    assert_eq!(sent, Vec::<String>::new());
}

/// How many exports there are, and how they stand.
async fn exports(stage: &Stage) -> Vec<String> {
    let rds = Cloud::connect(stage.wiring()).await.unwrap().databases();
    let seen = rds.describe_export_tasks().send().await.unwrap();
    seen.export_tasks().iter().filter_map(|one| one.status().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_begun_once_and_cancelled_whatever_becomes_of_the_answer() {
    let (built, account) = kept(EXPORT).await;
    let (built, account) = (&built, &account);
    let cells = ["StartExportTask", "CancelExportTask"].into_iter().flat_map(|one| WAYS.map(|way| (one, way)));
    let cells = cells.filter(|(operation, way)| *way != Fault::Invisible || *operation == "StartExportTask");
    let asked: Vec<_> = cells
        .map(|(operation, way)| async move {
            let stage = built.again(Faults::none().aim(way, operation, 1), account).await;
            let what = format!("{operation} × {}", way.name());
            let mut desk = stage.open().await;
            let given = [("aws.account_id", ACCOUNT), ("aws.region_primary", REGION)];
            let given = given.iter().map(|(id, text)| desk.value(id, text)).collect();
            desk.handle.command(Command::GiveInputs(given));
            desk.approve().await;
            desk.run(RunScope::All).await;
            assert_eq!(exports(&stage).await.len(), 1, "{what}: begun once");
            desk.undo(&[]).await;
            assert_eq!(desk.engagement.ledger(), [], "{what}: {:#?}", desk.heard);
            desk.close().await;
            assert_struck(&stage, &what);
            assert_eq!(exports(&stage).await, ["CANCELED"], "{what}");
            (operation, way)
        })
        .collect();
    take_place("exports", &["StartExportTask", "CancelExportTask"], asked).await;
}
