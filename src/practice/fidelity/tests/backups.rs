//! Databases, disks and images: what is kept of them, here and in another region.

use std::time::Duration;

use aws_sdk_cloudcontrol::{Client as Control, Config as ControlConfig};
use aws_sdk_rds::{Client as Rds, Config as RdsConfig};
use serde_json::json;

use super::*;

const AWAY: &str = "eu-central-1";

fn rds(cloud: &Cloud, region: &'static str) -> Rds {
    let config = RdsConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(region))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Rds::from_conf(config.build())
}

async fn resource(cloud: &Cloud, region: &'static str, kind: &str, state: serde_json::Value) {
    let config = ControlConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(region))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    let made = Control::from_conf(config.build()).create_resource().type_name(kind).desired_state(state.to_string());
    made.send().await.unwrap();
}

/// An encrypted database, which is made.
async fn a_database(cloud: &Cloud) {
    let database = json!({
        "DBInstanceIdentifier": "ledger", "Engine": "postgres", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20",
        "StorageEncrypted": true,
    });
    resource(cloud, REGION, "AWS::RDS::DBInstance", database).await;
    cloud.advance(Duration::from_secs(10));
}

fn arn(of: &str, id: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:{of}:{id}")
}

#[tokio::test]
async fn a_snapshot_is_of_a_database_that_is_available_and_its_name_is_taken_once() {
    let cloud = cloud(Pace::Stopped);
    let database = json!({
        "DBInstanceIdentifier": "ledger", "Engine": "postgres", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20",
    });
    resource(&cloud, REGION, "AWS::RDS::DBInstance", database).await;
    let rds = rds(&cloud, REGION);
    let snapshot = |of: &str, id: &str| rds.create_db_snapshot().db_instance_identifier(of).db_snapshot_identifier(id);
    let state = async |id: &str| {
        let seen = rds.describe_db_snapshots().db_snapshot_identifier(id).send().await.unwrap();
        seen.db_snapshots()[0].status().unwrap().to_owned()
    };
    rows! {
        snapshot("ledger", "before") => "InvalidDBInstanceState",
        snapshot("nobody", "before") => "DBInstanceNotFound",
        snapshot("ledger", "-before") => "InvalidParameterValue",
        rds.describe_db_snapshots().db_snapshot_identifier("before") => "DBSnapshotNotFound",
        rds.create_db_cluster().db_cluster_identifier("c").engine("aurora-postgresql") => "InvalidAction",
        rds.describe_db_engine_versions().engine("postgres") => "ok",
    }
    cloud.advance(Duration::from_secs(10));
    rows! {
        snapshot("ledger", "before") => "ok",
        snapshot("ledger", "before") => "DBSnapshotAlreadyExists",
        rds.delete_db_snapshot().db_snapshot_identifier("before") => "InvalidDBSnapshotState",
    }
    assert_eq!(state("before").await, "creating");
    cloud.advance(Duration::from_secs(10));
    assert_eq!(state("before").await, "available");
    rows! {
        rds.delete_db_snapshot().db_snapshot_identifier("before") => "ok",
        rds.delete_db_snapshot().db_snapshot_identifier("before") => "DBSnapshotNotFound",
    }
}

#[tokio::test]
async fn what_is_copied_to_another_region_needs_a_key_of_that_region_and_takes_its_time() {
    let cloud = cloud(Pace::Stopped);
    a_database(&cloud).await;
    let (here, away) = (rds(&cloud, REGION), rds(&cloud, AWAY));
    let snapshot = here.create_db_snapshot().db_instance_identifier("ledger").db_snapshot_identifier("before");
    snapshot.send().await.unwrap();
    let copy = |source: String| {
        away.copy_db_snapshot().source_db_snapshot_identifier(source).target_db_snapshot_identifier("away")
    };
    let backups = || away.start_db_instance_automated_backups_replication().source_db_instance_arn(arn("db", "ledger"));
    rows! { copy(arn("snapshot", "before")).kms_key_id("alias/aws/rds") => "InvalidDBSnapshotState", }
    cloud.advance(Duration::from_secs(10));
    here.describe_db_snapshots().send().await.unwrap();
    rows! {
        copy(arn("snapshot", "never")) => "DBSnapshotNotFound",
        copy(arn("snapshot", "before")) => "KMSKeyNotAccessibleFault",
        copy(arn("snapshot", "before")).kms_key_id("alias/nobody") => "KMSKeyNotAccessibleFault",
        copy(arn("snapshot", "before")).kms_key_id(format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/rds")) => "KMSKeyNotAccessibleFault",
        copy(arn("snapshot", "before")).kms_key_id("alias/aws/rds") => "ok",
        copy(arn("snapshot", "before")).kms_key_id("alias/aws/rds") => "DBSnapshotAlreadyExists",
        backups() => "KMSKeyNotAccessibleFault",
        backups().kms_key_id("alias/aws/rds") => "ok",
        backups().kms_key_id("alias/aws/rds") => "InvalidDBInstanceAutomatedBackupState",
        here.start_db_instance_automated_backups_replication().source_db_instance_arn(arn("db", "ledger")) => "InvalidParameterValue",
    }
    let seen = async || {
        let copy = away.describe_db_snapshots().db_snapshot_identifier("away").send().await.unwrap();
        let backups = away.describe_db_instance_automated_backups().send().await.unwrap();
        let backups = &backups.db_instance_automated_backups()[0];
        let copy = copy.db_snapshots()[0].status().unwrap().to_owned();
        (copy, backups.status().unwrap().to_owned(), backups.restore_window().is_some())
    };
    assert_eq!(seen().await, ("copying".to_owned(), "pending".to_owned(), false));
    cloud.advance(Duration::from_secs(10));
    assert_eq!(seen().await, ("available".to_owned(), "replicating".to_owned(), true));
    let stop = || away.stop_db_instance_automated_backups_replication().source_db_instance_arn(arn("db", "ledger"));
    rows! {
        stop() => "ok",
        stop() => "DBInstanceNotFound",
    }
    // What was copied is kept until its days are over.
    assert_eq!(seen().await.1, "retained");
}

#[tokio::test]
async fn a_restored_database_has_aws_defaults_where_nothing_is_said_and_leaves_a_snapshot_when_asked() {
    let cloud = cloud(Pace::Stopped);
    a_database(&cloud).await;
    let rds = rds(&cloud, REGION);
    let snapshot = rds.create_db_snapshot().db_instance_identifier("ledger").db_snapshot_identifier("before");
    snapshot.send().await.unwrap();
    let restore = |id: &str| {
        rds.restore_db_instance_from_db_snapshot().db_snapshot_identifier("before").db_instance_identifier(id)
    };
    let past = |id: &str| rds.restore_db_instance_to_point_in_time().target_db_instance_identifier(id);
    rows! { restore("drill") => "InvalidDBSnapshotState", }
    cloud.advance(Duration::from_secs(10));
    rows! {
        restore("ledger") => "DBInstanceAlreadyExists",
        restore("drill").db_subnet_group_name("never") => "DBSubnetGroupNotFoundFault",
        restore("drill").db_parameter_group_name("never") => "DBParameterGroupNotFound",
        restore("drill").vpc_security_group_ids("sg-00000000") => "InvalidParameterValue",
        restore("drill") => "ok",
        past("past").source_db_instance_identifier("ledger") => "InvalidParameterCombination",
        past("past").source_db_instance_identifier("never").use_latest_restorable_time(true) => "DBInstanceNotFound",
        past("past").source_db_instance_automated_backups_arn("never").use_latest_restorable_time(true) => "DBInstanceAutomatedBackupNotFound",
        past("past").source_db_instance_identifier("ledger").use_latest_restorable_time(true) => "ok",
        rds.delete_db_instance().db_instance_identifier("drill").skip_final_snapshot(true) => "InvalidDBInstanceState",
    }
    let seen = rds.describe_db_instances().db_instance_identifier("drill").send().await.unwrap();
    let drill = &seen.db_instances()[0];
    assert_eq!(
        (drill.db_instance_status(), drill.publicly_accessible(), drill.multi_az()),
        (Some("creating"), Some(true), Some(false))
    );
    assert!(drill.endpoint().is_none() && drill.vpc_security_groups().len() == 1);
    assert_eq!(drill.db_parameter_groups()[0].db_parameter_group_name(), Some("default.postgres16"));
    cloud.advance(Duration::from_secs(10));
    let delete = |id: &str| rds.delete_db_instance().db_instance_identifier(id);
    rows! {
        delete("drill") => "InvalidParameterCombination",
        delete("drill").skip_final_snapshot(true).final_db_snapshot_identifier("last") => "InvalidParameterCombination",
        delete("drill").final_db_snapshot_identifier("before") => "DBSnapshotAlreadyExists",
        delete("drill").final_db_snapshot_identifier("last") => "ok",
        delete("drill").skip_final_snapshot(true) => "InvalidDBInstanceState",
        rds.describe_db_snapshots().db_snapshot_identifier("last") => "ok",
    }
    cloud.advance(Duration::from_secs(10));
    rows! { rds.describe_db_instances().db_instance_identifier("drill") => "DBInstanceNotFound", }
}

#[tokio::test]
async fn an_export_is_named_once_and_cancelled_only_while_it_runs() {
    let cloud = cloud(Pace::Stopped);
    a_database(&cloud).await;
    resource(&cloud, REGION, "AWS::S3::Bucket", json!({ "BucketName": "acme-export" })).await;
    resource(&cloud, REGION, "AWS::IAM::Role", json!({ "RoleName": "export", "AssumeRolePolicyDocument": {} })).await;
    let rds = rds(&cloud, REGION);
    let snapshot = rds.create_db_snapshot().db_instance_identifier("ledger").db_snapshot_identifier("before");
    snapshot.send().await.unwrap();
    let export = |task: &str, bucket: &str, role: &str| {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let export = rds.start_export_task().export_task_identifier(task).source_arn(arn("snapshot", "before"));
        export.s3_bucket_name(bucket).iam_role_arn(role).kms_key_id("alias/aws/rds")
    };
    rows! { export("tables", "acme-export", "export") => "InvalidExportSourceState", }
    cloud.advance(Duration::from_secs(10));
    rows! {
        export("tables", "nobodys", "export") => "InvalidS3BucketFault",
        export("tables", "acme-export", "nobody") => "IamRoleNotFound",
        export("tables", "acme-export", "export").kms_key_id("alias/nobody") => "KMSKeyNotAccessibleFault",
        export("tables", "acme-export", "export") => "ok",
        export("tables", "acme-export", "export") => "ExportTaskAlreadyExists",
        rds.cancel_export_task().export_task_identifier("never") => "ExportTaskNotFound",
        rds.cancel_export_task().export_task_identifier("tables") => "ok",
        rds.cancel_export_task().export_task_identifier("tables") => "InvalidExportTaskStateFault",
        export("tables", "acme-export", "export") => "ExportTaskAlreadyExists",
        export("more", "acme-export", "export") => "ok",
    }
    cloud.advance(Duration::from_secs(60));
    let seen = rds.describe_export_tasks().export_task_identifier("more").send().await.unwrap();
    assert_eq!(seen.export_tasks()[0].status(), Some("COMPLETE"));
    rows! { rds.cancel_export_task().export_task_identifier("more") => "InvalidExportTaskStateFault", }
}

/// A host, with its disk.
async fn host(ec2: &Client) -> (String, String) {
    let run = ec2.run_instances().image_id(image(ec2).await).instance_type("t3.micro".into()).min_count(1).max_count(1);
    let id = run.send().await.unwrap().instances.unwrap()[0].instance_id().unwrap().to_owned();
    let seen = ec2.describe_instances().instance_ids(&id).send().await.unwrap();
    let disk =
        seen.reservations()[0].instances()[0].block_device_mappings()[0].ebs().unwrap().volume_id().unwrap().to_owned();
    (id, disk)
}

#[tokio::test]
async fn what_is_set_for_a_region_holds_for_what_is_made_afterwards() {
    let ec2 = ec2();
    let (_, before) = host(&ec2).await;
    ec2.enable_ebs_encryption_by_default().send().await.unwrap();
    let set = ec2.modify_instance_metadata_defaults();
    rows! {
        set.clone().http_put_response_hop_limit(65) => "InvalidParameterValue",
        set.clone().http_tokens("sometimes".into()) => "InvalidParameterValue",
        set.clone().http_tokens("required".into()).http_put_response_hop_limit(2) => "ok",
    }
    let (after, disk) = host(&ec2).await;
    let seen = ec2.describe_instances().instance_ids(&after).send().await.unwrap();
    let options = seen.reservations()[0].instances()[0].metadata_options().unwrap();
    assert_eq!((options.http_tokens().unwrap().as_str(), options.http_put_response_hop_limit()), ("required", Some(2)));
    for (disk, encrypted) in [(before, false), (disk, true)] {
        assert_eq!(ec2.create_snapshot().volume_id(disk).send().await.unwrap().encrypted(), Some(encrypted));
    }
    set.http_tokens("no-preference".into()).http_put_response_hop_limit(-1).send().await.unwrap();
    let now = ec2.get_instance_metadata_defaults().send().await.unwrap().account_level.unwrap();
    assert!(now.http_tokens().is_none() && now.http_put_response_hop_limit().is_none(), "{now:?}");
}

#[tokio::test]
async fn snapshots_are_held_by_their_images_and_copied_when_they_are_whole() {
    let cloud = cloud(Pace::Stopped);
    let (here, away) = (client(&cloud), client_in(&cloud, AWAY));
    let (host, disk) = host(&here).await;
    rows! {
        here.create_image().instance_id(&host).name("golden") => "IncorrectState",
        here.create_snapshot().volume_id("vol-00000000") => "InvalidVolume.NotFound",
    }
    cloud.advance(Duration::from_secs(10));
    let snapshot = here.create_snapshot().volume_id(&disk).send().await.unwrap().snapshot_id.unwrap();
    let copy = away.copy_snapshot().source_region(REGION);
    let image = here.create_image().instance_id(&host).name("golden");
    let golden = image.clone().send().await.unwrap().image_id.unwrap();
    let copied = away.copy_image().source_region(REGION).source_image_id(&golden).name("golden");
    rows! {
        copy.clone().source_snapshot_id(&snapshot) => "IncorrectState",
        copy.clone().source_snapshot_id("snap-00000000") => "InvalidSnapshot.NotFound",
        image.clone() => "InvalidAMIName.Duplicate",
        image.clone().name("?") => "InvalidAMIName.Malformed",
        copied.clone() => "InvalidAMIID.Unavailable",
        copied.clone().source_image_id("ami-00000000") => "InvalidAMIID.NotFound",
    }
    cloud.advance(Duration::from_secs(10));
    let seen = here.describe_images().image_ids(&golden).send().await.unwrap().images.unwrap().remove(0);
    assert_eq!((seen.state().unwrap().as_str(), seen.source_instance_id()), ("available", Some(host.as_str())));
    let below = seen.block_device_mappings()[0].ebs().unwrap().snapshot_id().unwrap();
    let twice = copied.clone().client_token("t-1");
    let [one, other] = [twice.clone().send().await.unwrap(), twice.send().await.unwrap()];
    assert_eq!(one.image_id(), other.image_id(), "once under its token");
    rows! {
        copy.clone().source_snapshot_id(&snapshot) => "ok",
        here.delete_snapshot().snapshot_id(below) => "InvalidSnapshot.InUse",
        here.deregister_image().image_id(&golden) => "ok",
        here.deregister_image().image_id(&golden) => "InvalidAMIID.Unavailable",
        here.delete_snapshot().snapshot_id(below) => "ok",
        here.delete_snapshot().snapshot_id(below) => "InvalidSnapshot.NotFound",
    }
}
