//! Resources of any type: each from nothing to nothing, drift and how it is mended, and what is never touched.

use serde_json::json;

use super::super::call::resource::{MARK, More, ResourceRequest};
use super::super::call::{Call, Label, Token};
use super::life::lives;
use super::*;
use crate::action::{Trouble, Undoes};
use crate::aws::{ResourceType, TagStyle};
use crate::practice::fault::Fault;

/// Every call of Cloud Control that changes something.
pub(super) fn one_of_each() -> Vec<Call> {
    let (type_name, identifier) = ("AWS::S3::Bucket".to_owned(), "x-1".to_owned());
    let more = || More { region: None, tags_in: TagStyle::List("Tags"), secret: None, minutes: 1 };
    let tags = Some(Label { key: "a/b".to_owned(), name: "n".to_owned() });
    let requests = vec![
        ResourceRequest::CreateResource {
            type_name: type_name.clone(),
            desired_state: json!({ "BucketName": "x-1" }),
            tags,
            client_token: Token,
            more: more(),
        },
        ResourceRequest::UpdateResource {
            type_name: type_name.clone(),
            identifier: identifier.clone(),
            patch_document: vec![json!({ "op": "add", "path": "/Tags", "value": [] })],
            client_token: Token,
            more: more(),
        },
        ResourceRequest::DeleteResource { type_name, identifier, client_token: Token, more: more() },
    ];
    requests.into_iter().map(Call::Resource).collect()
}

pub(super) fn of(kind: &str, key: &str, properties: Json) -> Json {
    json!({ "type": kind, "properties": properties, "key": key })
}

fn archive(id: &str) -> Json {
    of(
        "AWS::S3::Bucket",
        "bucket/archive",
        json!({
            "BucketName": format!("acme-archive-{id}"),
            "VersioningConfiguration": { "Status": "Enabled" },
            "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" } },
            ] },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
            },
            "LifecycleConfiguration": { "Rules": [{
                "Id": "archive", "Status": "Enabled",
                "Transitions": [
                    { "StorageClass": "GLACIER", "TransitionInDays": 30 },
                    { "StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 180 },
                ],
            }] },
        }),
    )
}

/// Where the questions to a zone are written to.
pub(super) fn questions() -> Json {
    json!({ "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/route53/mc" })
}

async fn lives_as(stage: &Stage, with: Json) -> Kept {
    lives(stage, "aws/resource", with).await
}

/// Every type of the table, in an order in which each finds what it stands on.
pub(super) async fn every_kind_lives(stage: &Stage, vpc: &str, subnets: [&str; 2], id: &str) {
    let mut tried: BTreeSet<String> = BTreeSet::new();
    let mut live = async |with: Json| {
        tried.insert(with["type"].as_str().unwrap().to_owned());
        lives_as(stage, with).await
    };
    let bucket = live(archive(id)).await;
    assert_eq!(text(&bucket, "arn"), format!("arn:aws:s3:::acme-archive-{id}"));
    let policy = json!({ "Version": "2012-10-17", "Statement": [] });
    let policy = json!({ "Bucket": bucket["id"], "PolicyDocument": policy });
    live(of("AWS::S3::BucketPolicy", "bucket/archive/policy", policy)).await;
    let topic = live(of("AWS::SNS::Topic", "topic/alerts", json!({ "TopicName": format!("alerts-{id}") }))).await;
    let topic = text(&topic, "arn");
    let policy = json!({ "Version": "2012-10-17", "Statement": [] });
    let policy = json!({ "TopicArn": topic, "PolicyDocument": policy });
    live(of("AWS::SNS::TopicInlinePolicy", "topic/alerts/policy", policy)).await;
    live(of(
        "AWS::SNS::Subscription",
        "topic/alerts/mail",
        json!({
            "TopicArn": topic, "Protocol": "email", "Endpoint": "ops@acme.example",
        }),
    ))
    .await;
    live(of("AWS::CloudWatch::Alarm", "alarm/cpu", json!({
        "AlarmName": format!("cpu-{id}"), "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Statistic": "Average",
        "Period": 300, "EvaluationPeriods": 3, "Threshold": 80, "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [topic],
    })))
    .await;
    let rule = json!({ "AlarmName": format!("any-{id}"), "AlarmRule": format!("ALARM(\"cpu-{id}\")") });
    live(of("AWS::CloudWatch::CompositeAlarm", "alarm/any", rule)).await;
    let dashboard = json!({ "DashboardName": format!("platform-{id}"), "DashboardBody": { "widgets": [] } });
    live(of("AWS::CloudWatch::Dashboard", "dashboard/platform", dashboard)).await;
    let group = json!({ "LogGroupName": format!("/onramp/{id}"), "RetentionInDays": 90 });
    live(of("AWS::Logs::LogGroup", "logs/platform", group)).await;
    let policy =
        json!({ "PolicyName": format!("names-{id}"), "PolicyDocument": { "Version": "2012-10-17", "Statement": [] } });
    live(of("AWS::Logs::ResourcePolicy", "logs/policy", policy)).await;
    let zone = json!({ "Name": format!("mc-{id}.acme.example"), "QueryLoggingConfig": questions() });
    live(of("AWS::Route53::HostedZone", "zone/public", zone)).await;
    live(of(
        "AWS::Logs::SubscriptionFilter",
        "logs/platform/errors",
        json!({
            "FilterName": "errors", "LogGroupName": format!("/onramp/{id}"), "FilterPattern": "ERROR",
            "DestinationArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/errors",
        }),
    ))
    .await;
    let key = live(of("AWS::KMS::Key", "kms/main", json!({
        "Description": "backups", "EnableKeyRotation": true, "KeyPolicy": { "Version": "2012-10-17", "Statement": [] },
        "PendingWindowInDays": 7, "MultiRegion": true,
    })))
    .await;
    let replica = json!({ "PrimaryKeyArn": key["arn"], "KeyPolicy": { "Version": "2012-10-17", "Statement": [] } });
    let mut replica = of("AWS::KMS::ReplicaKey", "kms/replica", replica);
    replica["region"] = json!("eu-central-1");
    let replica = live(replica).await;
    assert_eq!(replica["id"], key["id"], "it is the same key in another region");
    let alias = json!({ "AliasName": format!("alias/onramp-{id}"), "TargetKeyId": key["id"] });
    live(of("AWS::KMS::Alias", "kms/main/alias", alias)).await;
    let vault = format!("vault-{id}");
    live(of(
        "AWS::Backup::BackupVault",
        "backup/vault",
        json!({
            "BackupVaultName": vault, "EncryptionKeyArn": key["arn"], "BackupVaultTags": { "tier": "gold" },
        }),
    ))
    .await;
    let plan = live(of("AWS::Backup::BackupPlan", "backup/plan", json!({ "BackupPlan": {
        "BackupPlanName": "daily",
        "BackupPlanRule": [{ "RuleName": "daily", "TargetBackupVault": vault, "ScheduleExpression": "cron(0 2 * * ? *)" }],
    } })))
    .await;
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "backup.amazonaws.com" }, "Action": "sts:AssumeRole" },
    ] });
    let name = format!("onramp-backup-{id}");
    let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
    let role = live(of("AWS::IAM::Role", "iam/backup", role)).await;
    live(of(
        "AWS::Backup::BackupSelection",
        "backup/selection",
        json!({
            "BackupPlanId": plan["id"], "BackupSelection": { "SelectionName": "tagged", "IamRoleArn": role["arn"] },
        }),
    ))
    .await;
    live(of(
        "AWS::Backup::RestoreTestingPlan",
        "backup/tests",
        json!({
            "RestoreTestingPlanName": "monthly", "ScheduleExpression": "cron(0 5 1 * ? *)", "RecoveryPointSelection": {
                "Algorithm": "LATEST_WITHIN_WINDOW", "IncludeVaults": ["*"], "RecoveryPointTypes": ["SNAPSHOT"],
            },
        }),
    ))
    .await;
    let tested = live(of("AWS::Backup::RestoreTestingSelection", "backup/tests/databases", json!({
        "RestoreTestingPlanName": "monthly", "RestoreTestingSelectionName": "databases", "ProtectedResourceType": "RDS",
        "IamRoleArn": role["arn"], "ProtectedResourceArns": ["*"],
    })))
    .await;
    assert_eq!(text(&tested, "id"), "monthly|databases", "both of its names tell which it is");
    live(of(
        "AWS::Backup::ReportPlan",
        "backup/report",
        json!({
            "ReportPlanName": "jobs", "ReportSetting": { "ReportTemplate": "BACKUP_JOB_REPORT" },
            "ReportDeliveryChannel": { "S3BucketName": bucket["id"], "Formats": ["CSV"] },
        }),
    ))
    .await;
    let user =
        json!({ "UserName": format!("smtp-{id}"), "Policies": [{ "PolicyName": "send", "PolicyDocument": {} }] });
    live(of("AWS::IAM::User", "iam/smtp", user)).await;
    let profile = json!({ "InstanceProfileName": name, "Roles": [name] });
    live(of("AWS::IAM::InstanceProfile", "iam/profile", profile)).await;
    in_the_network(&mut live, vpc, subnets, id).await;
    let group = format!("data-{id}");
    let parameters = json!({
        "DBParameterGroupName": group, "Family": "postgres16", "Description": "orders", "Parameters": { "log_statement": "ddl" },
    });
    live(of("AWS::RDS::DBParameterGroup", "rds/parameters", parameters)).await;
    live(of(
        "AWS::RDS::DBSubnetGroup",
        "rds/subnets",
        json!({
            "DBSubnetGroupName": group, "DBSubnetGroupDescription": "data", "SubnetIds": subnets,
        }),
    ))
    .await;
    let mut database = of(
        "AWS::RDS::DBInstance",
        "rds/main",
        json!({
            "DBInstanceIdentifier": format!("orders-{id}"), "Engine": "postgres", "DBInstanceClass": "db.t4g.small",
            "AllocatedStorage": "20", "StorageEncrypted": true, "DBSubnetGroupName": group, "ManageMasterUserPassword": true,
            "MasterUsername": "orders",
        }),
    );
    database["read"] = json!("Endpoint/Address");
    let database = live(database).await;
    assert!(text(&database, "value").ends_with("rds.amazonaws.com"), "{database:?}");
    let certificate = json!({ "DomainName": "mc.acme.example", "ValidationMethod": "DNS" });
    live(of("AWS::CertificateManager::Certificate", "acm/main", certificate)).await;
    let parameter = json!({ "Name": format!("/onramp/{id}/edition"), "Type": "String", "Value": "1" });
    live(of("AWS::SSM::Parameter", "ssm/edition", parameter)).await;
    let baseline = json!({ "Name": format!("security-{id}"), "OperatingSystem": "UBUNTU" });
    live(of("AWS::SSM::PatchBaseline", "ssm/baseline", baseline)).await;
    live(of("AWS::SSM::MaintenanceWindow", "ssm/window", json!({
        "Name": "sunday", "Schedule": "cron(0 2 ? * SUN *)", "Duration": 3, "Cutoff": 1, "AllowUnassociatedTargets": false,
    })))
    .await;
    let table: BTreeSet<String> = ResourceType::ALL.iter().map(|one| one.name.to_owned()).collect();
    assert_eq!(tried, table, "every type of the table is tried");
    // A change that somebody made outside is mended, which is the third call.
    let mut retention = of("AWS::Logs::LogGroup", "logs/platform", json!({ "LogGroupName": format!("/onramp/{id}") }));
    retention["properties"]["RetentionInDays"] = json!(30);
    stage.make("aws/resource", retention).await;
}

/// What the nodes stand behind, the services that they reach without the Internet, and who talks to whom.
async fn in_the_network(live: &mut impl AsyncFnMut(Json) -> Kept, vpc: &str, subnets: [&str; 2], id: &str) {
    let targets = json!({ "Name": format!("nodes-{id}"), "VpcId": vpc, "Port": 9443, "Protocol": "HTTPS" });
    let targets = live(of("AWS::ElasticLoadBalancingV2::TargetGroup", "elb/nodes", targets)).await;
    let balancer = json!({ "Name": format!("front-{id}"), "Subnets": subnets, "Scheme": "internal" });
    let balancer = live(of("AWS::ElasticLoadBalancingV2::LoadBalancer", "elb/front", balancer)).await;
    let listener = json!({
        "LoadBalancerArn": balancer["arn"], "Port": 443, "Protocol": "HTTPS",
        "DefaultActions": [{ "Type": "forward", "TargetGroupArn": targets["arn"] }],
    });
    live(of("AWS::ElasticLoadBalancingV2::Listener", "elb/front/443", listener)).await;
    let endpoint = json!({ "VpcId": vpc, "ServiceName": "com.amazonaws.eu-west-1.s3" });
    live(of("AWS::EC2::VPCEndpoint", "endpoint/s3", endpoint)).await;
    let more = json!({ "VpcId": vpc, "CidrBlock": "10.41.0.0/20" });
    live(of("AWS::EC2::VPCCidrBlock", "vpc/range", more)).await;
    live(of(
        "AWS::EC2::FlowLog",
        "flow/vpc",
        json!({
            "ResourceType": "VPC", "ResourceId": vpc, "TrafficType": "ALL", "LogDestinationType": "s3",
            "LogDestination": format!("arn:aws:s3:::acme-archive-{id}"),
        }),
    ))
    .await;
}

pub(super) async fn stage_with_subnets() -> (Stage, String, [String; 2]) {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let mut subnets = Vec::new();
    for (n, zone) in ["a", "b"].iter().enumerate() {
        let with = json!({ "vpc": vpc, "cidr": format!("10.40.{n}.0/24"), "zone": format!("{REGION}{zone}"), "key": format!("subnet/{zone}") });
        subnets.push(text(&stage.make("aws/subnet", with).await, "id"));
    }
    (stage, vpc, subnets.try_into().unwrap())
}

#[tokio::test]
async fn every_type_of_the_table_lives() {
    let (stage, vpc, [a, b]) = stage_with_subnets().await;
    every_kind_lives(&stage, &vpc, [&a, &b], "t1").await;
}

#[tokio::test]
async fn a_request_that_takes_its_time_is_followed_to_its_end() {
    let stage = Stage::with(Pace::Human, Faults::none()).await;
    let with = of("AWS::SNS::Topic", "topic/a", json!({ "TopicName": "alerts" }));
    let action = stage.action("aws/resource", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &with)).await;
    assert!(matches!(outcome, Outcome::Changed { created: true, .. }), "{outcome:?}");
    assert!(matches!(action.verify(&stage.world).await, Verified::So(_)), "its end is the end of the step");
    let calls = stage.practice.as_ref().unwrap().calls();
    let looks = calls.iter().filter(|call| call.operation == "GetResourceRequestStatus").count();
    assert!((2..300).contains(&looks), "{looks} looks");
}

#[tokio::test]
async fn what_is_shown_before_it_is_whole_is_on_its_way() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let properties = json!({
        "DBInstanceIdentifier": "orders", "Engine": "postgres", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20",
    });
    made_by_somebody(&stage, "AWS::RDS::DBInstance", properties.clone()).await;
    let action = stage.action("aws/resource", &of("AWS::RDS::DBInstance", "rds/main", properties));
    let Verified::NotYet { said } = action.verify(&stage.world).await else { panic!("AWS is at it") };
    assert!(said.contains("still at it"), "{said}");
    stage.practice.as_ref().unwrap().advance(std::time::Duration::from_secs(5));
    assert!(matches!(action.verify(&stage.world).await, Verified::So(_)));
}

/// Somebody changes one of its properties.
async fn changed_by_somebody(stage: &Stage, kind: &str, id: &str, patch: Json) {
    let control = stage.world.cloud.as_ref().unwrap().cloud_control();
    let request = control.update_resource().type_name(kind).identifier(id).patch_document(patch.to_string());
    request.send().await.unwrap();
}

async fn made_by_somebody(stage: &Stage, kind: &str, state: Json) {
    let control = stage.world.cloud.as_ref().unwrap().cloud_control();
    control.create_resource().type_name(kind).desired_state(state.to_string()).send().await.unwrap();
}

async fn model(stage: &Stage, kind: &str, id: &str) -> Option<Json> {
    super::super::aws_resource::model_of(stage.world.cloud.as_ref().unwrap(), kind, id).await.unwrap()
}

#[tokio::test]
async fn drift_is_shown_by_property_and_only_that_is_sent() {
    let stage = Stage::new().await;
    let with = archive("d");
    stage.make("aws/resource", with.clone()).await;
    let (kind, id) = ("AWS::S3::Bucket", "acme-archive-d");
    let patch = json!([
        { "op": "replace", "path": "/VersioningConfiguration/Status", "value": "Suspended" },
        { "op": "add", "path": "/AccelerateConfiguration", "value": { "AccelerationStatus": "Enabled" } },
    ]);
    changed_by_somebody(&stage, kind, id, patch).await;
    let action = stage.action("aws/resource", &with);
    let Probe::Different { differences, mend, .. } = action.probe(&stage.world).await else { panic!("drift") };
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].what, "VersioningConfiguration \u{203a} Status");
    assert_eq!((differences[0].wanted.as_str(), differences[0].found.as_str()), ("Enabled", "Suspended"));
    let step = json!({ "op": "replace", "path": "/VersioningConfiguration/Status", "value": "Enabled" });
    assert_eq!(mend[0].arguments["PatchDocument"], json!([step]));
    let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    assert!(!output.contains_key("former"), "it is ours: an undo takes it away");
    let there = model(&stage, kind, id).await.unwrap();
    assert_eq!(
        there["AccelerateConfiguration"]["AccelerationStatus"],
        json!("Enabled"),
        "what the step does not name stays"
    );
}

#[tokio::test]
async fn what_somebody_else_made_is_left_or_changed_and_put_back_and_never_deleted() {
    let stage = Stage::new().await;
    let (kind, id) = ("AWS::Logs::LogGroup", "/theirs");
    made_by_somebody(&stage, kind, json!({ "LogGroupName": id, "RetentionInDays": 7 })).await;
    let with = |days: i64| of(kind, "logs/theirs", json!({ "LogGroupName": id, "RetentionInDays": days }));
    // As wanted: it is taken as it is, and is not ours.
    let same = stage.action("aws/resource", &with(7));
    assert!(matches!(same.probe(&stage.world).await, Probe::Same(found) if found.foreign));
    // Otherwise: a person decides.
    let calls = stage.calls();
    let left = stage.action("aws/resource", &with(90));
    let Probe::Different { mend, said, .. } = left.probe(&stage.world).await else { panic!("differs") };
    assert!(mend.is_empty() && said.contains("onramp did not make it"), "{said}");
    let outcome = left.apply(&stage.world, &stage.intent("aws/resource", &with(90))).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    // The step says that it may.
    let mut with = with(90);
    with["existing"] = json!("change");
    let action = stage.action("aws/resource", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &with)).await;
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(model(&stage, kind, id).await.unwrap()["RetentionInDays"], json!(90));
    let world = stage.world.having_made(&made);
    let Undoes::Sends(changes) = action.undoes(&world, &made).await else { panic!("it can be put back") };
    assert_eq!(changes[0].operation, "UpdateResource");
    // Nobody undoes what somebody has changed since.
    let since = |days: i64| json!([{ "op": "replace", "path": "/RetentionInDays", "value": days }]);
    changed_by_somebody(&stage, kind, id, since(365)).await;
    assert!(matches!(action.undoes(&world, &made).await, Undoes::Leaves { said } if said.contains("since")));
    changed_by_somebody(&stage, kind, id, since(90)).await;
    let undone = action.undo(&world, &stage.intent("aws/resource", &with), &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    assert_eq!(model(&stage, kind, id).await.unwrap()["RetentionInDays"], json!(7), "as it was");
    assert_eq!(action.undoes(&world, &made).await, Undoes::Nothing);
}

#[tokio::test]
async fn two_engagements_never_touch_each_others_resources() {
    let stage = Stage::new().await;
    let mut with = of("AWS::SNS::Topic", "topic/a", json!({ "TopicName": "alerts", "DisplayName": "A" }));
    with["existing"] = json!("change");
    let made = stage.make("aws/resource", with.clone()).await;
    let other = stage.as_engagement("e2");
    with["properties"]["DisplayName"] = json!("B");
    let action = super::action("aws/resource", &with, &other.subject);
    let Probe::Different { mend, differences, .. } = action.probe(&other).await else { panic!("it is taken") };
    assert!(mend.is_empty() && differences[0].found.contains("of the engagement e1"), "{differences:?}");
    assert!(matches!(action.undoes(&other, &made).await, Undoes::Leaves { .. }));
    // A key has no name: theirs and ours live side by side.
    let key = of("AWS::KMS::Key", "kms/main", json!({ "Description": "backups" }));
    let theirs = super::action("aws/resource", &key, &other.subject);
    let outcome = theirs.apply(&other, &DurableIntent::for_tests(&other.subject.address, "theirs")).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    let ours = stage.action("aws/resource", &key);
    assert!(matches!(ours.probe(&stage.world).await, Probe::Absent { .. }));
}

#[tokio::test]
async fn another_region_has_its_own() {
    let stage = Stage::new().await;
    let mut with = of("AWS::Backup::BackupVault", "backup/vault/dr", json!({ "BackupVaultName": "main" }));
    with["region"] = json!("eu-central-1");
    let action = stage.action("aws/resource", &with);
    assert_eq!(action.changes()[0].arguments["onramp:region"], json!("eu-central-1"), "the plan says where");
    let made = lives_as(&stage, with).await;
    assert!(text(&made, "arn").contains(":eu-central-1:"), "{made:?}");
    assert_eq!(model(&stage, "AWS::Backup::BackupVault", "main").await, None, "it is not in the engagement's region");
}

#[tokio::test]
async fn what_can_never_be_changed_is_for_a_person() {
    let stage = Stage::new().await;
    let with = |path: &str| {
        of("AWS::IAM::Role", "iam/a", json!({ "RoleName": "a", "Path": path, "AssumeRolePolicyDocument": {} }))
    };
    stage.make("aws/resource", with("/one/")).await;
    let action = stage.action("aws/resource", &with("/two/"));
    let Probe::Different { said, mend, .. } = action.probe(&stage.world).await else { panic!("differs") };
    assert!(mend.is_empty() && said.contains("Path can never be changed"), "{said}");
}

#[tokio::test]
async fn a_full_bucket_is_not_taken_away_and_an_emptied_one_is_at_once() {
    let stage = Stage::new().await;
    let with = archive("f");
    stage.make("aws/resource", with.clone()).await;
    let practice = stage.practice.as_ref().unwrap();
    practice.set_bucket("acme-archive-f", true).await;
    let action = stage.action("aws/resource", &with);
    let made = BTreeMap::from([("id".to_owned(), json!("acme-archive-f"))]);
    let intent = stage.intent("aws/resource", &with);
    let Outcome::Failed { failure } = action.undo(&stage.world, &intent, &made).await else { panic!("it is full") };
    assert!(failure.advice.contains("A bucket must be empty") && failure.raw.contains("not empty"), "{failure:?}");
    practice.set_bucket("acme-archive-f", false).await;
    // The same intent, as after a crash: the earlier answer is not the last word.
    let undone = action.undo(&stage.world, &intent, &made).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
}

#[tokio::test]
async fn a_token_that_made_what_is_gone_since_is_told_as_spent() {
    let stage = Stage::new().await;
    let with = of("AWS::Logs::LogGroup", "logs/a", json!({ "LogGroupName": "/a" }));
    stage.make("aws/resource", with.clone()).await;
    let control = stage.world.cloud.as_ref().unwrap().cloud_control();
    control.delete_resource().type_name("AWS::Logs::LogGroup").identifier("/a").send().await.unwrap();
    let action = stage.action("aws/resource", &with);
    assert!(matches!(action.probe(&stage.world).await, Probe::Absent { .. }));
    let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.token_spent, "{failure:?}");
    stage.next_generation();
    stage.make("aws/resource", with).await;
}

#[tokio::test]
async fn a_request_that_failed_says_why_and_takes_a_new_token_next_time() {
    let stage = Stage::new().await;
    let with = of("AWS::Logs::LogGroup", "logs/a", json!({ "LogGroupName": "/a", "RetentionInDays": 31 }));
    let action = stage.action("aws/resource", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/resource", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.code.as_deref(), failure.token_spent), (Some("InvalidRequest"), true), "{failure:?}");
    assert!(failure.what.contains("AWS::Logs::LogGroup") && failure.raw.contains("31"), "{failure:?}");
    assert!(matches!(action.probe(&stage.world).await, Probe::Absent { .. }));
}

#[tokio::test]
async fn only_not_found_is_absence() {
    let stage = Stage::with(Pace::Instant, Faults::none().deny("GetResource")).await;
    let with = of("AWS::Logs::LogGroup", "logs/a", json!({ "LogGroupName": "/a" }));
    let probe = stage.action("aws/resource", &with).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Unknown(Trouble::Failure(_))), "{probe:?}");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_token() {
    for way in [Fault::LostReply, Fault::ServerErrorAfter] {
        let stage = Stage::with(Pace::Instant, Faults::none().aim(way, "CreateResource", 1)).await;
        let with = of("AWS::KMS::Key", "kms/main", json!({ "Description": "backups" }));
        stage.make("aws/resource", with).await;
        let control = stage.world.cloud.as_ref().unwrap().cloud_control();
        let all = control.list_resources().type_name("AWS::KMS::Key").send().await.unwrap();
        assert_eq!(all.resource_descriptions().len(), 1, "{way:?}: one key");
    }
}

#[tokio::test]
async fn a_secret_is_in_what_is_sent_and_in_nothing_that_is_shown() {
    let stage = Stage::new().await;
    let mut with = of(
        "AWS::RDS::DBInstance",
        "rds/main",
        json!({
            "DBInstanceIdentifier": "orders", "Engine": "postgres", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": "20",
            "MasterUsername": "orders", "MasterUserPassword": MARK,
        }),
    );
    with["secret"] = json!("prompt");
    let action = stage.action("aws/resource", &with);
    let shown = serde_json::to_string(&action.changes()).unwrap();
    assert!(shown.contains(MARK) && !shown.contains("\"secret\""), "{shown}");
    assert!(action.at_hand(&stage.world).await.is_err(), "a person is asked for it first");
    with["properties"]["MasterUserPassword"] = json!("written-here");
    let call =
        crate::engagement::Call::Kind { kind: "aws/resource".to_owned(), with: with.as_object().cloned().unwrap() };
    let refused = build(&call, &subject("e1")).err().unwrap();
    assert!(refused.what.contains("has no place"), "{refused:?}");
}
