//! What steps need of these credentials, as their arguments tell.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::action::{needs, operations};
use crate::aws::{Needs, Operation, Service};
use crate::engagement::ChosenKind;

const HOME: &str = "eu-west-1";

fn of(kind: &str, with: &Json, untold: &[&str]) -> Needs {
    let chosen = ChosenKind {
        kind: kind.to_owned(),
        with: with.as_object().cloned().unwrap(),
        untold: untold.iter().map(|name| (*name).to_owned()).collect(),
        saves: Vec::new(),
        looks: false,
    };
    needs(&chosen, HOME)
}

/// Where an operation is used; nowhere, when it is not.
fn regions(needs: &Needs, operation: Operation) -> Vec<&str> {
    let of = needs.uses.iter().filter(|one| one.operation == operation);
    of.flat_map(|one| &one.regions).map(String::as_str).collect()
}

fn resource(with: Json, untold: &[&str]) -> Needs {
    of("aws/resource", &with, untold)
}

#[test]
fn a_policy_knows_the_permissions_of_the_types() {
    let topic = resource(json!({ "type": "AWS::SNS::Topic", "properties": {} }), &[]);
    assert_eq!(topic.regions, BTreeSet::from([HOME.to_owned()]));
    assert!(topic.permissions.contains(&"sns:CreateTopic".to_owned()));
    assert!(topic.permissions.contains(&"sns:DeleteTopic".to_owned()));
    let other =
        json!({ "type": "AWS::Glue::Database", "permissions": ["glue:CreateDatabase"], "region": "eu-central-1" });
    let other = resource(other, &[]);
    assert_eq!(other.permissions, ["glue:CreateDatabase"]);
    assert_eq!(other.regions, BTreeSet::from(["eu-central-1".to_owned()]), "and not in the engagement's");
    assert_eq!(regions(&other, Operation::CreateResource), ["eu-central-1"]);
    // What nobody can tell yet may be anything: the policy is wider, and lacks nothing.
    let bucket = json!({ "type": "AWS::S3::Bucket", "properties": {} });
    let untold = resource(bucket, &["properties", "region"]);
    assert!(untold.permissions.contains(&"s3:CreateBucket".to_owned()), "{untold:?}");
    assert_eq!(untold.regions, BTreeSet::from(["*".to_owned()]));
    let any_type = resource(json!({ "properties": {} }), &["type"]).permissions;
    assert!(any_type.contains(&"s3:CreateBucket".to_owned()) && any_type.contains(&"sns:CreateTopic".to_owned()));
}

#[test]
fn a_trail_is_asked_for_in_the_region_that_it_is_about() {
    let away = of("aws/trail", &json!({ "region": "eu-central-1" }), &[]);
    for operation in [Operation::DescribeTrails, Operation::GetTrailStatus, Operation::GetEventSelectors] {
        assert_eq!(regions(&away, operation), ["eu-central-1"], "{operation:?}");
    }
    assert_eq!(regions(&of("aws/trail", &json!({}), &[]), Operation::DescribeTrails), [HOME]);
}

/// A copy is asked for where it is to be; where its source is, no more than is sent or looked at there.
#[test]
fn a_copy_uses_the_other_region_for_no_more_than_it_does_there() {
    let vault = json!({ "to": "arn:aws:backup:eu-central-1:111122223333:backup-vault:away", "source": "drill" });
    let copy = of("aws/backup-copy", &vault, &[]);
    assert_eq!(regions(&copy, Operation::StartCopyJob), [HOME]);
    assert_eq!(regions(&copy, Operation::ListRecoveryPointsByBackupVault), ["eu-central-1", HOME]);
    let untold = of("aws/backup-copy", &json!({ "region": "\u{2039}net.region\u{203a}" }), &["to"]);
    assert_eq!(regions(&untold, Operation::ListRecoveryPointsByBackupVault), ["*"]);
    let source = json!({ "source_region": "eu-north-1", "region": "eu-central-1" });
    let copy = of("aws/ebs-snapshot-copy", &source, &[]);
    assert_eq!(regions(&copy, Operation::CopySnapshot), ["eu-central-1", "eu-north-1"]);
    assert_eq!(regions(&copy, Operation::DeleteSnapshot), ["eu-central-1"]);
    let source = json!({ "source": "arn:aws:rds:eu-north-1:111122223333:snapshot:a", "region": "eu-central-1" });
    let copy = of("aws/rds-snapshot-copy", &source, &[]);
    assert_eq!(regions(&copy, Operation::DescribeDBSnapshots), ["eu-central-1", "eu-north-1"]);
    assert_eq!(regions(&copy, Operation::DeleteDBSnapshot), ["eu-central-1"]);
}

#[test]
fn a_step_needs_what_its_arguments_ask_for_and_not_all_of_its_kind() {
    let spared = |with: Json, untold: &[&str]| of("aws/vpn-connection", &with, untold).uses[0].spared.clone();
    assert_eq!(spared(json!({ "gateway": "vgw-1", "transit": "" }), &[]), ["transit-gateway", "logs:", "iam:"]);
    let stored = |storage: &str| json!({ "transit": "tgw-1", "log_group": "arn:x", "key_storage": storage });
    assert_eq!(spared(stored("standard"), &[]), ["vpn-gateway", "iam:"]);
    assert_eq!(spared(stored("secrets_manager"), &[]), ["vpn-gateway"], "the service makes the secret under its role");
    let untold = ["gateway", "transit", "log_group", "key_storage"];
    assert!(spared(json!({}), &untold).is_empty(), "either may be meant");
    for (kind, with, sent, never) in [
        ("aws/ebs-snapshot", json!({ "volume": "vol-1" }), Operation::CreateSnapshot, Operation::CreateSnapshots),
        ("aws/ebs-snapshot", json!({ "instance": "i-1" }), Operation::CreateSnapshots, Operation::CreateSnapshot),
        (
            "aws/rds-restore",
            json!({ "snapshot": "a" }),
            Operation::RestoreDBInstanceFromDBSnapshot,
            Operation::RestoreDBInstanceToPointInTime,
        ),
        (
            "aws/rds-restore",
            json!({ "source": "orders" }),
            Operation::RestoreDBInstanceToPointInTime,
            Operation::RestoreDBInstanceFromDBSnapshot,
        ),
        (
            "aws/dx-interface",
            json!({}),
            Operation::CreatePrivateVirtualInterface,
            Operation::CreateTransitVirtualInterface,
        ),
        (
            "aws/dx-interface",
            json!({ "type": "transit" }),
            Operation::CreateTransitVirtualInterface,
            Operation::CreatePrivateVirtualInterface,
        ),
        (
            "aws/resource",
            json!({ "type": "AWS::SNS::Topic" }),
            Operation::CreateResource,
            Operation::ListRecoveryPointsByBackupVault,
        ),
    ] {
        let needs = of(kind, &with, &[]);
        assert_eq!(regions(&needs, sent), [HOME], "{kind} {with}");
        assert!(regions(&needs, never).is_empty(), "{kind} {with}");
    }
    let vault = resource(json!({ "type": "AWS::Backup::BackupVault" }), &[]);
    assert_eq!(regions(&vault, Operation::ListRecoveryPointsByBackupVault), [HOME]);
}

/// A policy names regions: one that a kind is sent to and does not tell of would be missing in it.
#[test]
fn of_every_kind_that_takes_a_region_it_is_told() {
    for (kind, spec) in crate::action::catalog().kinds {
        if operations(&kind).is_empty() || !spec.args.iter().any(|one| one.name == "region") {
            continue;
        }
        let told = of(&kind, &json!({ "region": "eu-central-1" }), &[]);
        // Whether it is enabled is asked in the engagement's, and the password for its server is kept there.
        let only_about = ["aws/region", "aws/mail-smtp-credentials"].contains(&kind.as_str());
        let wanted = if only_about { HOME } else { "eu-central-1" };
        assert_eq!(told.regions, BTreeSet::from([wanted.to_owned()]), "{kind}");
    }
}

/// A policy names buckets: one that a step asks about and does not tell of would be missing in it.
#[test]
fn of_every_kind_that_asks_s3_the_bucket_is_told() {
    let mut found = 0;
    for kind in crate::action::catalog().kinds.into_keys() {
        if operations(&kind).iter().all(|one| one.row().service != Service::S3) {
            continue;
        }
        found += 1;
        assert_eq!(of(&kind, &json!({ "bucket": "acme-logs" }), &[]).buckets, ["acme-logs"], "{kind}");
    }
    assert!(found >= 3, "{found}");
}

#[test]
fn what_is_taken_away_and_whose_mail_is_sent_is_told_by_name() {
    let on = |needs: Needs| needs.named.into_iter().map(|one| (one.action, one.on.join(" "))).collect::<Vec<_>>();
    let typed = |of: &str, properties: Json| on(resource(json!({ "type": of, "properties": properties }), &[]));
    let groups = typed("AWS::Logs::LogGroup", json!({ "LogGroupName": "/acme/vpn" }));
    assert_eq!(groups, [("logs:DeleteLogGroup", "log-group:/acme/vpn:*".to_owned())]);
    assert_eq!(typed("AWS::SNS::Topic", json!({ "TopicName": "acme" })), [("sns:DeleteTopic", "acme".to_owned())]);
    let alarm = typed("AWS::CloudWatch::Alarm", json!({ "AlarmName": "\u{2039}a.b\u{203a}" }));
    assert_eq!(alarm, [("cloudwatch:DeleteAlarms", "alarm:*".to_owned())], "it is not known yet");
    let own = json!({ "type": "AWS::SNS::Topic", "properties": {}, "permissions": ["sns:DeleteTopic"] });
    assert!(on(resource(own, &[])).is_empty(), "what the step itself names may be about any");
    let mail = |with: Json, untold: &[&str]| of("aws/mail-test", &with, untold).named[0].on.join(" ");
    let told = mail(json!({ "from": "ops@acme.com", "to": "it@example.org", "configuration_set": "onramp" }), &[]);
    for identity in ["configuration-set/onramp", "identity/acme.com", "identity/it@example.org"] {
        assert!(told.contains(identity), "{told}");
    }
    assert!(!told.contains('*'), "{told}");
    let untold = mail(json!({ "from": "ops@acme.com" }), &["to"]);
    assert_eq!(untold, "identity/* configuration-set/*");
    let links = resource(json!({ "type": "AWS::EC2::FlowLog" }), &[]).links;
    assert_eq!(links, ["delivery.logs"]);
    let own = json!({ "type": "AWS::EC2::FlowLog", "permissions": ["iam:CreateServiceLinkedRole"] });
    assert!(resource(own, &[]).links.is_empty());
}

/// The language of runbooks has to know it of each kind without its help.
#[test]
fn a_kind_that_takes_a_host_says_whether_it_is_one_of_the_engagement() {
    let catalog = crate::action::catalog();
    for (name, kind) in &catalog.kinds {
        let host = kind.args.iter().find(|argument| argument.name == "host");
        if let Some(host) = host {
            let of_the_engagement = host.summary.contains("host of the engagement");
            assert_eq!(crate::runbook::names_a_host(name), of_the_engagement, "{name}: {}", host.summary);
        }
    }
}
