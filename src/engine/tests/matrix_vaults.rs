//! The lost-reply matrix of AWS Backup and of objects in S3: every call that changes something × every way in which its
//! answer can go astray, as in `matrix`. One run meets the fault at each of its calls.

use std::collections::BTreeSet;

use super::matrix::{WAYS, print_matrix};
use super::*;

const BACKUP: &str = r#"
runbook: backup
title: Backup
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: bucket
    title: The bucket
    aws: resource
    with: {type: "AWS::S3::Bucket", key: bucket/dr, properties: {BucketName: acme-dr}}
    saves: {id: net.bucket}
  - id: script
    title: The script of the recovery
    aws: s3-object
    with: {bucket: "{{ net.bucket }}", object: old.sh, content: "exit 0", class: GLACIER, key: s3/script}
    undo_until: always
  - id: readable
    title: It can be read
    needs: [script]
    aws: s3-restore
    with: {bucket: "{{ net.bucket }}", object: old.sh}
  - id: opted-in
    title: Databases are backed up
    aws: backup-region
    with: {types: [RDS]}
    undo_until: always
  - id: database
    title: The database
    aws: resource
    with:
      type: AWS::RDS::DBInstance
      key: rds/orders
      properties: {DBInstanceIdentifier: orders, Engine: mysql, DBInstanceClass: db.t4g.small, AllocatedStorage: "20"}
    saves: {arn: net.database}
  - id: vault
    title: The vault
    aws: resource
    with: {type: "AWS::Backup::BackupVault", key: backup/vault, properties: {BackupVaultName: main}}
    saves: {id: net.vault}
  - id: second
    title: A second vault
    aws: resource
    with: {type: "AWS::Backup::BackupVault", key: backup/second, properties: {BackupVaultName: second}}
    saves: {arn: net.second_arn}
  - id: backup
    title: A backup now
    needs: [opted-in]
    aws: backup-job
    with: {vault: "{{ net.vault }}", resource: "{{ net.database }}", role: "arn:aws:iam::123456789012:role/backup", key: backup/first}
    saves: {point: net.point}
    within: 2m
  - id: copy
    title: A copy of it
    aws: backup-copy
    with: {point: "{{ net.point }}", vault: "{{ net.vault }}", to: "{{ net.second_arn }}", role: "arn:aws:iam::123456789012:role/backup"}
    within: 2m
  - id: closed
    title: A restore of it
    needs: [copy, readable]
    aws: restore-job
    with:
      vault: "{{ net.vault }}"
      point: "{{ net.point }}"
      role: arn:aws:iam::123456789012:role/backup
      metadata: {DBInstanceIdentifier: drill}
    within: 2m
"#;

/// Calls that make it so.
pub(super) const MAKES: [&str; 6] =
    ["UpdateRegionSettings", "PutObject", "RestoreObject", "StartBackupJob", "StartCopyJob", "StartRestoreJob"];

/// Calls that take it back, as far as it is taken back. What is whole is kept.
pub(super) const TAKES: [&str; 2] = ["UpdateRegionSettings", "DeleteObject"];

/// What is taken back; AWS does not let a vault go that has backups in it.
const BACK: [&str; 6] = ["net/closed", "net/copy", "net/backup", "net/readable", "net/script", "net/opted-in"];

/// A job that is under way is stopped: `action/tests/vaults.rs`.
pub(super) const ELSEWHERE: [&str; 1] = ["StopBackupJob"];

/// Jobs, copies, restores, objects, and whether databases are backed up.
async fn there(stage: &Stage) -> (usize, usize, usize, usize, bool) {
    let cloud = Cloud::connect(stage.wiring()).await.unwrap();
    let (backup, s3) = (cloud.backup(), cloud.s3());
    let jobs = backup.list_backup_jobs().send().await.unwrap().backup_jobs().len();
    let copies = backup.list_copy_jobs().send().await.unwrap().copy_jobs().len();
    let restores = backup.list_restore_jobs().send().await.unwrap().restore_jobs().len();
    let objects = s3.list_objects_v2().bucket("acme-dr").send().await;
    let settings = backup.describe_region_settings().send().await.unwrap();
    let on = settings.resource_type_opt_in_preference().is_some_and(|all| all.get("RDS") == Some(&true));
    (jobs, copies, restores, objects.map_or(0, |all| all.contents().len()), on)
}

/// Everything else is taken back, and it is said beforehand and at the end why these stay; answers what is left.
async fn vaults_stay(desk: &mut Desk) -> Vec<String> {
    let plan = desk.undo_plan().await;
    for vault in ["net/vault", "net/second"] {
        let stays = plan.stays.iter().find(|(step, ..)| step == &at(vault)).map(|(.., why)| why.to_string());
        let why = stays.unwrap_or_else(|| panic!("{plan:#?}"));
        assert!(why.contains("holds 1 backup"), "{why}");
        assert!(why.contains("aws backup delete-recovery-point --region eu-"), "{why}");
    }
    desk.undo(&[]).await;
    let mut left: Vec<String> = desk.engagement.ledger().iter().map(|(step, _)| step.to_string()).collect();
    left.sort();
    for step in &left {
        assert!(
            matches!(desk.status(step), Status::Failed(failure) if failure.what.contains("holds 1 backup")),
            "{step}"
        );
    }
    left
}

/// It is not gone, and nothing says so; who names it once more is told why, and what else was named goes on.
async fn what_is_kept_is_said(desk: &mut Desk) {
    for (step, why) in [
        ("net/backup", "is a backup: it is kept until a person deletes it"),
        ("net/copy", "is a backup: it is kept until a person deletes it"),
        ("net/closed", ":db:drill is there until a person takes it away"),
        ("net/readable", "the copy goes by itself"),
    ] {
        let status = desk.status(step);
        assert!(matches!(&status, Status::Stays { said } if said.contains(why)), "{step}: {status:?}");
        let plan = desk.undo_plan().await;
        assert!(plan.stays.iter().any(|(stays, _, said)| stays == &at(step) && said.to_string().contains(why)));
    }
    assert_eq!(desk.status("net/opted-in"), Status::Undone);
    desk.undo(&BACK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_job_of_each_and_taken_back_what_can_be_whatever_becomes_of_the_answer() {
    let mut passed = BTreeSet::new();
    let runs = WAYS.iter().filter(|way| **way != Fault::Invisible).map(|way| async move {
        let faults = MAKES.iter().fold(Faults::none(), |faults, operation| faults.aim(*way, operation, 1));
        let stage = Stage::new(BACKUP, faults);
        super::matrix::made(&stage, None).await;
        assert_eq!(stage.account.cloud().struck().len(), MAKES.len(), "{}: the fault struck each call", way.name());
        assert_eq!(there(&stage).await, (1, 1, 1, 1, true), "{}: each once", way.name());

        let sent = || stage.account.cloud().calls().iter().filter(|call| call.mutating).count();
        let before = sent();
        super::matrix::made(&stage, None).await;
        assert_eq!(sent(), before, "{}: a second run sends nothing", way.name());

        let kept = stage.home.path().join("account.json");
        stage.account.save(&kept).await.unwrap();
        let faults = TAKES.iter().fold(Faults::none(), |faults, operation| faults.aim(*way, operation, 1));
        let stage = stage.again(faults, &kept).await;
        let mut desk = stage.open().await;
        desk.undo(&BACK).await;
        assert_eq!(stage.account.cloud().struck().len(), TAKES.len(), "{}: {:#?}", way.name(), desk.heard);
        assert_eq!(desk.engagement.steps.values().filter(|record| record.pending.is_some()).count(), 0);
        what_is_kept_is_said(&mut desk).await;
        let mut left: Vec<String> = desk.engagement.ledger().iter().map(|(step, _)| step.to_string()).collect();
        left.sort();
        let stay = vaults_stay(&mut desk).await;
        desk.close().await;
        assert_eq!(stay, ["net/second", "net/vault"], "{}: the rest goes", way.name());
        assert_eq!(there(&stage).await, (1, 1, 1, 0, false), "{}: what is whole is kept", way.name());
        (*way, left)
    });
    for (way, left) in futures_util::future::join_all(runs).await {
        assert_eq!(left, ["net/bucket", "net/database", "net/second", "net/vault"], "{}", way.name());
        passed.extend(MAKES.iter().chain(&TAKES).map(|operation| (*operation, way)));
    }
    print_matrix("backup", &MAKES, &passed);
}
