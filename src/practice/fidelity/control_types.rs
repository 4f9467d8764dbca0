//! What the handlers of the types do behind Cloud Control: which properties they take, what they add, and when they refuse.
//!
//! Rules: the schemas of the CloudFormation registry, and the user guides of the services for names, for what must be there
//! first, and for what holds something back. Of a database, a key or a certificate only the entry is made.

use serde_json::{Map, Value as Json, json};

use super::control::{Resource, invalid, place};
use super::refusal::Refusal;
use super::world::World;
use super::{backup, control_network, control_zones, s3};
use crate::aws::ResourceType;

pub(super) type Model = Map<String, Json>;
/// Handler error code and message.
pub(super) type Failed = (&'static str, String);

/// Names that a handler takes: type, property, shortest, longest, and beside letters and digits; small letters only?
const NAMES: &[(&str, &str, usize, usize, &str, bool)] = &[
    ("AWS::S3::Bucket", "BucketName", 3, 63, "-.", true),
    ("AWS::SNS::Topic", "TopicName", 1, 256, "-_", false),
    ("AWS::Logs::LogGroup", "LogGroupName", 1, 512, ".-_/#", false),
    ("AWS::KMS::Alias", "AliasName", 7, 256, ":/_-", false),
    ("AWS::Backup::BackupVault", "BackupVaultName", 2, 50, "-_", false),
    // No hyphens in these two.
    ("AWS::Backup::RestoreTestingPlan", "RestoreTestingPlanName", 1, 50, "_", false),
    ("AWS::Backup::ReportPlan", "ReportPlanName", 1, 256, "_", false),
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier", 1, 63, "-", false),
    ("AWS::RDS::DBParameterGroup", "DBParameterGroupName", 1, 255, "-", false),
    ("AWS::IAM::User", "UserName", 1, 64, "+=,.@-_", false),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", 1, 32, "-", false),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "Name", 1, 32, "-", false),
    ("AWS::IAM::Role", "RoleName", 1, 64, "+=,.@-_", false),
    ("AWS::IAM::InstanceProfile", "InstanceProfileName", 1, 128, "+=,.@-_", false),
    ("AWS::SSM::Parameter", "Name", 1, 1011, ".-_/", false),
    ("AWS::SSM::PatchBaseline", "Name", 3, 128, "_-.", false),
    ("AWS::CloudWatch::Dashboard", "DashboardName", 1, 255, "-_", false),
];

/// Properties that are numbers, and text is none: Cloud Control checks the model against the schema.
const NUMBERS: &[(&str, &str)] = &[
    ("AWS::Logs::LogGroup", "RetentionInDays"),
    ("AWS::CloudWatch::Alarm", "EvaluationPeriods"),
    ("AWS::CloudWatch::Alarm", "Threshold"),
    ("AWS::CloudWatch::Alarm", "Period"),
    ("AWS::KMS::Key", "PendingWindowInDays"),
    ("AWS::RDS::DBInstance", "BackupRetentionPeriod"),
    ("AWS::IAM::Role", "MaxSessionDuration"),
    ("AWS::SSM::MaintenanceWindow", "Cutoff"),
    ("AWS::SSM::MaintenanceWindow", "Duration"),
];

const RETENTION: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Against the schema, as Cloud Control does before it asks a handler.
pub(super) fn check(kind: &ResourceType, state: &Model) -> Result<(), Refusal> {
    let known = kind.properties();
    if let Some(other) = state.keys().find(|name| !known.contains(name.as_str())) {
        return Err(invalid(format!("Model validation failed (#: extraneous key [{other}] is not permitted)")));
    }
    if let Some(read) = state.keys().find(|name| kind.read_only().any(|one| one == *name)) {
        return Err(invalid(format!("Encountered unsupported property {read}: it is read-only")));
    }
    if let Some(missing) = kind.required().find(|name| !state.contains_key(*name)) {
        return Err(invalid(format!("Model validation failed (#: required key [{missing}] not found)")));
    }
    for (_, name) in NUMBERS.iter().filter(|(of, _)| *of == kind.name) {
        if state.get(*name).is_some_and(|value| !value.is_number()) {
            return Err(invalid(format!("Model validation failed (#/{name}: expected type: Number, found: String)")));
        }
    }
    let no_text = |name: &&str| state.get(*name).is_some_and(|value| !value.is_string());
    if let Some(name) = kind.texts().chain(kind.identifiers()).find(no_text) {
        return Err(invalid(format!("Model validation failed (#/{name}: expected type: String)")));
    }
    Ok(())
}

/// The first property that can never be changed and would be.
pub(super) fn fixed(kind: &ResourceType, before: &Json, after: &Json) -> Option<&'static str> {
    let shown = kind.create_only().chain(kind.read_only()).filter(|one| !one.contains('*'));
    let hidden = |one: &&str| kind.write_only().any(|other| other == *one);
    let at = |model: &Json, one: &str| model.pointer(&format!("/{one}")).cloned();
    shown.filter(|one| !hidden(one)).find(|one| at(before, one) != at(after, one))
}

pub(super) fn text<'m>(model: &'m Model, name: &str) -> &'m str {
    model.get(name).and_then(Json::as_str).unwrap_or_default()
}

pub(super) fn refused(message: impl Into<String>) -> Result<(), Failed> {
    Err(("InvalidRequest", message.into()))
}

/// Would the handler make it?
pub(super) fn may_make(world: &World, kind: &ResourceType, state: &Model) -> Result<(), Failed> {
    for (_, name, least, most, marks, small) in NAMES.iter().filter(|(of, ..)| *of == kind.name) {
        let Some(value) = state.get(*name).and_then(Json::as_str) else { continue };
        let good = |c: char| match *small {
            true => c.is_ascii_lowercase() || c.is_ascii_digit() || marks.contains(c),
            false => c.is_ascii_alphanumeric() || marks.contains(c),
        };
        if !(*least..=*most).contains(&value.len()) || !value.chars().all(good) {
            return refused(format!("Invalid {name}: {value}"));
        }
    }
    if kind.name == "AWS::KMS::Alias" && !text(state, "AliasName").starts_with("alias/") {
        return refused("Alias must start with the prefix \"alias/\".");
    }
    may_be(world, kind, state)
}

/// Would the handler leave it so?
pub(super) fn may_be(world: &World, kind: &ResourceType, model: &Model) -> Result<(), Failed> {
    let there = |of: &str, id: &str| world.control.seen(world, of, id).is_some();
    let arn_is = |of: &str, arn: &str| {
        world.control.of_kind(of, world.now).any(|one| one.model.values().any(|value| value.as_str() == Some(arn)))
    };
    match kind.name {
        "AWS::Logs::LogGroup" => match model.get("RetentionInDays").and_then(Json::as_i64) {
            Some(days) if !RETENTION.contains(&days) => refused(format!("{days} is not a valid value for retention")),
            _ => Ok(()),
        },
        "AWS::KMS::Alias" => {
            let target = text(model, "TargetKeyId");
            let key = target.rsplit('/').next().unwrap_or(target);
            if there("AWS::KMS::Key", key) {
                Ok(())
            } else {
                Err(("NotFound", format!("Key '{target}' does not exist")))
            }
        }
        "AWS::SNS::Subscription" | "AWS::SNS::TopicInlinePolicy" => match text(model, "TopicArn") {
            topic if there("AWS::SNS::Topic", topic) => Ok(()),
            _ => Err(("NotFound", "Topic does not exist".to_owned())),
        },
        "AWS::Backup::BackupSelection" => match text(model, "BackupPlanId") {
            plan if there("AWS::Backup::BackupPlan", plan) => Ok(()),
            plan => refused(format!("Cannot find Backup plan with ID {plan}")),
        },
        "AWS::Backup::RestoreTestingSelection" => match text(model, "RestoreTestingPlanName") {
            plan if there("AWS::Backup::RestoreTestingPlan", plan) => Ok(()),
            plan => Err(("NotFound", format!("Cannot find the restore testing plan {plan}"))),
        },
        "AWS::S3::BucketPolicy" => match text(model, "Bucket") {
            bucket if there("AWS::S3::Bucket", bucket) => Ok(()),
            _ => Err(("NotFound", "The specified bucket does not exist".to_owned())),
        },
        "AWS::KMS::ReplicaKey" => match text(model, "PrimaryKeyArn").split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "kms", region, _, key] if region != world.region && key.starts_with("key/mrk-") => Ok(()),
            _ => refused("PrimaryKeyArn must be a multi-Region primary key of another Region"),
        },
        "AWS::Logs::SubscriptionFilter" => match text(model, "LogGroupName") {
            group if there("AWS::Logs::LogGroup", group) => Ok(()),
            _ => Err(("NotFound", "The specified log group does not exist.".to_owned())),
        },
        "AWS::CloudWatch::CompositeAlarm" => match named_in(text(model, "AlarmRule"))
            .into_iter()
            .find(|name| !there("AWS::CloudWatch::Alarm", name) && !there("AWS::CloudWatch::CompositeAlarm", name))
        {
            Some(name) => refused(format!("Could not save the composite alarm as alarms [{name}] do not exist")),
            None => Ok(()),
        },
        "AWS::Backup::BackupPlan" => {
            let plan = model.get("BackupPlan").and_then(|plan| plan.get("BackupPlanRule"));
            let rules = plan.and_then(Json::as_array).into_iter().flatten();
            let vault = |rule: &Json| rule["TargetBackupVault"].as_str().unwrap_or_default().to_owned();
            match rules.map(vault).find(|vault| !there("AWS::Backup::BackupVault", vault)) {
                Some(vault) => refused(format!("Cannot find Backup vault {vault}")),
                None => Ok(()),
            }
        }
        "AWS::RDS::DBSubnetGroup" => subnets(world, model),
        "AWS::RDS::DBInstance" => database(model, |group| there("AWS::RDS::DBSubnetGroup", group)),
        "AWS::IAM::InstanceProfile" => {
            let roles = model.get("Roles").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
            let one = roles.clone().count() == 1;
            match roles.into_iter().find(|role| !there("AWS::IAM::Role", role)) {
                _ if !one => refused("An instance profile has exactly one role"),
                Some(role) => Err(("NotFound", format!("The role with name {role} cannot be found."))),
                None => Ok(()),
            }
        }
        "AWS::CloudWatch::Alarm" => alarm(model, |arn| !arn.contains(":sns:") || arn_is("AWS::SNS::Topic", arn)),
        "AWS::S3::Bucket" => lifecycle(model),
        control_zones::ZONE => control_zones::may_be(model),
        "AWS::SSM::MaintenanceWindow" => {
            let hours = |name: &str| model.get(name).and_then(Json::as_i64).unwrap_or_default();
            match (1..=24).contains(&hours("Duration")) && hours("Cutoff") < hours("Duration") {
                true => Ok(()),
                false => refused("The window lasts 1 to 24 hours, and the cutoff is less than that"),
            }
        }
        _ => control_network::may_be(world, kind, model),
    }
}

/// The alarms of a rule: `ALARM("disk") OR OK(cpu)`.
fn named_in(rule: &str) -> Vec<String> {
    let states = rule.split('(').skip(1).filter_map(|rest| rest.split_once(')')).map(|(name, _)| name.trim());
    states.map(|name| name.trim_matches(['"', '\'']).to_owned()).filter(|name| !name.is_empty()).collect()
}

fn subnets(world: &World, model: &Model) -> Result<(), Failed> {
    let ids: Vec<&str> =
        model.get("SubnetIds").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    if let Some(unknown) = ids.iter().find(|id| !world.subnets.contains_key(**id)) {
        return refused(format!("Some input subnets in :[{unknown}] are invalid."));
    }
    let mut zones: Vec<&str> = ids.iter().filter_map(|id| Some(world.subnets.get(*id)?.zone.as_str())).collect();
    zones.sort_unstable();
    zones.dedup();
    match zones.len() {
        0 | 1 => {
            refused("The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Add at least 2.")
        }
        _ => Ok(()),
    }
}

fn database(model: &Model, has_group: impl Fn(&str) -> bool) -> Result<(), Failed> {
    for needed in ["Engine", "DBInstanceClass", "AllocatedStorage"] {
        if !model.contains_key(needed) {
            return refused(format!("The parameter {needed} must be provided and must not be blank."));
        }
    }
    if !text(model, "DBInstanceClass").starts_with("db.") {
        return refused(format!("Invalid DB Instance class: {}", text(model, "DBInstanceClass")));
    }
    match text(model, "DBSubnetGroupName") {
        "" => Ok(()),
        group if has_group(group) => Ok(()),
        group => Err(("NotFound", format!("DB subnet group '{group}' does not exist."))),
    }
}

/// CloudWatch takes an alarm whose topic is not there, and rings nobody: practice is stricter, so that it is found.
fn alarm(model: &Model, is_there: impl Fn(&str) -> bool) -> Result<(), Failed> {
    let actions = ["AlarmActions", "OKActions"].iter().filter_map(|name| model.get(*name)?.as_array()).flatten();
    match actions.filter_map(Json::as_str).find(|arn| !is_there(arn)) {
        Some(arn) => refused(format!("Invalid arn for an action: {arn} is no topic of this account")),
        None => Ok(()),
    }
}

/// Amazon S3 user guide, "Managing your storage lifecycle": Glacier classes, and later ones later.
fn lifecycle(model: &Model) -> Result<(), Failed> {
    const CLASSES: [&str; 6] =
        ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
    let rules = model.get("LifecycleConfiguration").and_then(|all| all.get("Rules"));
    for rule in rules.and_then(Json::as_array).into_iter().flatten() {
        if !["Enabled", "Disabled"].contains(&rule["Status"].as_str().unwrap_or_default()) {
            return refused("A lifecycle rule has the Status Enabled or Disabled");
        }
        let mut last = -1;
        for step in rule["Transitions"].as_array().into_iter().flatten() {
            let (class, days) = (step["StorageClass"].as_str().unwrap_or_default(), step["TransitionInDays"].as_i64());
            let Some(days) = days.filter(|days| CLASSES.contains(&class) && *days > last) else {
                return refused(format!("'Days' in the Transition action for StorageClass '{class}' is invalid"));
            };
            last = days;
        }
    }
    Ok(())
}

/// Does anything hold it back?
pub(super) fn may_go(world: &World, one: &Resource) -> Result<(), Failed> {
    let of = |kind: &str| world.control.of_kind(kind, world.now).map(|other| &other.model).collect::<Vec<_>>();
    let conflict = |message: &str| Err(("ResourceConflict", message.to_owned()));
    match one.kind.as_str() {
        "AWS::S3::Bucket" if one.full || s3::is_full(world, &one.id) => {
            conflict("The bucket you tried to delete is not empty")
        }
        "AWS::Backup::BackupVault" if backup::is_full(world, &one.id) => {
            refused("Backup vault cannot be deleted because it contains recovery points.")
        }
        "AWS::RDS::DBInstance" if one.model.get("DeletionProtection") == Some(&json!(true)) => {
            refused("Cannot delete protected DB Instance, please disable deletion protection and try again.")
        }
        "AWS::RDS::DBSubnetGroup"
            if of("AWS::RDS::DBInstance").iter().any(|model| text(model, "DBSubnetGroupName") == one.id) =>
        {
            conflict("Cannot delete the subnet group because at least one database instance is still using it.")
        }
        "AWS::Backup::BackupPlan"
            if of("AWS::Backup::BackupSelection").iter().any(|model| text(model, "BackupPlanId") == one.id) =>
        {
            refused("Related backup plan selections must be deleted prior to backup plan deletion")
        }
        "AWS::Backup::RestoreTestingPlan"
            if of("AWS::Backup::RestoreTestingSelection")
                .iter()
                .any(|model| text(model, "RestoreTestingPlanName") == one.id) =>
        {
            refused("Related restore testing selections must be deleted prior to restore testing plan deletion")
        }
        "AWS::RDS::DBParameterGroup"
            if of("AWS::RDS::DBInstance").iter().any(|model| text(model, "DBParameterGroupName") == one.id) =>
        {
            conflict("One or more database instances are still members of this parameter group.")
        }
        "AWS::CloudWatch::Alarm"
            if of("AWS::CloudWatch::CompositeAlarm")
                .iter()
                .any(|model| named_in(text(model, "AlarmRule")).contains(&one.id)) =>
        {
            refused(format!("Cannot delete {} as there are composite alarm(s) depending on it.", one.id))
        }
        "AWS::IAM::Role"
            if of("AWS::IAM::InstanceProfile").iter().any(|model| model.get("Roles") == Some(&json!([one.id]))) =>
        {
            conflict("Cannot delete entity, must remove roles from instance profile first.")
        }
        _ => control_network::may_go(world, one),
    }
}

/// The identifier that was asked for; none where AWS is to make one.
pub(super) fn named(kind: &ResourceType, state: &Model) -> Option<String> {
    let parts = kind.identifiers().map(|name| Some(state.get(name)?.as_str()?.to_owned()));
    Some(parts.collect::<Option<Vec<_>>>()?.join("|"))
}

/// Its identifier, and what the handler and the service add to what was asked.
pub(super) fn made(world: &mut World, kind: &ResourceType, state: Model) -> (String, Model) {
    let (account, region) = (world.account.clone(), world.region.clone());
    let service = kind.name.split("::").nth(1).unwrap_or_default().to_lowercase();
    if let Some(made) = control_network::made(world, kind, &state) {
        return whole(kind, made, state);
    }
    let named = named(kind, &state).unwrap_or_default();
    let mut new = |prefix: &str| world.mint(prefix);
    let arn = |rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}");
    let (id, added) = match kind.name {
        "AWS::S3::Bucket" => {
            let id = if named.is_empty() { new("bucket") } else { named };
            let own = json!({
                "Arn": format!("arn:aws:s3:::{id}"), "DomainName": format!("{id}.s3.amazonaws.com"),
                "RegionalDomainName": format!("{id}.s3.{region}.amazonaws.com"),
                "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                    { "BucketKeyEnabled": false, "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
                ] },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true,
                    "RestrictPublicBuckets": true,
                },
                "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
            });
            (id, own)
        }
        "AWS::SNS::Topic" => {
            let name = match text(&state, "TopicName") {
                "" => new("topic"),
                name => name.to_owned(),
            };
            let id = arn(&name);
            (id.clone(), json!({ "TopicArn": id, "TopicName": name, "FifoTopic": false }))
        }
        "AWS::SNS::Subscription" => {
            let id = format!("{}:{}", text(&state, "TopicArn"), new("sub"));
            (id.clone(), json!({ "Arn": id, "RawMessageDelivery": false }))
        }
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            let id = if named.is_empty() { new("alarm") } else { named };
            let own = json!({ "Arn": arn(&format!("alarm:{id}")), "AlarmName": id, "ActionsEnabled": true });
            (id, own)
        }
        "AWS::Logs::LogGroup" => {
            let id = if named.is_empty() { new("group") } else { named };
            let own = json!({
                "Arn": arn(&format!("log-group:{id}:*")), "LogGroupName": id, "LogGroupClass": "STANDARD",
            });
            (id, own)
        }
        "AWS::KMS::Key" => {
            let everywhere = state.get("MultiRegion") == Some(&json!(true));
            let id = uuid(&new("key"));
            let id = if everywhere { format!("mrk-{}", id.replace('-', "")) } else { id };
            let own = json!({
                "KeyId": id, "Arn": arn(&format!("key/{id}")), "Enabled": true, "EnableKeyRotation": false,
                "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": false,
            });
            (id, own)
        }
        "AWS::KMS::ReplicaKey" => {
            let id = text(&state, "PrimaryKeyArn").rsplit('/').next().unwrap_or_default().to_owned();
            (id.clone(), json!({ "KeyId": id, "Arn": arn(&format!("key/{id}")), "Enabled": true }))
        }
        "AWS::Backup::RestoreTestingPlan" => {
            let of = arn(&format!("restore-testing-plan:{named}-{}", uuid(&new("testing"))));
            (named, json!({ "RestoreTestingPlanArn": of, "StartWindowHours": 24 }))
        }
        "AWS::Backup::ReportPlan" => {
            let name = match text(&state, "ReportPlanName") {
                "" => new("report").replace('-', "_"),
                name => name.to_owned(),
            };
            let id = arn(&format!("report-plan:{name}-{}", uuid(&new("report"))));
            (id.clone(), json!({ "ReportPlanArn": id, "ReportPlanName": name }))
        }
        "AWS::Backup::BackupVault" => {
            let own = json!({
                "BackupVaultArn": arn(&format!("backup-vault:{named}")), "EncryptionKeyArn": format!("arn:aws:kms:{region}:{account}:key/aws-backup"),
            });
            (named, own)
        }
        "AWS::Backup::BackupPlan" => {
            let id = uuid(&new("plan"));
            let own = json!({
                "BackupPlanId": id, "BackupPlanArn": arn(&format!("backup-plan:{id}")), "VersionId": new("v"),
            });
            (id, own)
        }
        "AWS::Backup::BackupSelection" => {
            let (plan, selection) = (text(&state, "BackupPlanId").to_owned(), uuid(&new("selection")));
            let id = format!("{plan}_{selection}");
            (id.clone(), json!({ "Id": id, "SelectionId": selection }))
        }
        "AWS::RDS::DBInstance" => {
            let id = if named.is_empty() { new("db") } else { named.to_lowercase() };
            let port = if text(&state, "Engine").contains("postgres") { "5432" } else { "3306" };
            let own = json!({
                "DBInstanceIdentifier": id, "DBInstanceArn": arn(&format!("db:{id}")), "DbiResourceId": new("db"),
                "DBInstanceStatus": "available", "StorageType": "gp2", "MultiAZ": false, "DeletionProtection": false,
                "Endpoint": { "Address": format!("{id}.c0practice.{region}.rds.amazonaws.com"), "Port": port },
            });
            (id, own)
        }
        "AWS::RDS::DBSubnetGroup" => {
            let id = if named.is_empty() { new("group") } else { named.to_lowercase() };
            let own = json!({ "DBSubnetGroupName": id, "DBSubnetGroupArn": arn(&format!("subgrp:{id}")) });
            (id, own)
        }
        "AWS::IAM::Role" | "AWS::IAM::InstanceProfile" | "AWS::IAM::User" => {
            let (kind, identifier) = match kind.name {
                "AWS::IAM::Role" => ("role", "RoleName"),
                "AWS::IAM::User" => ("user", "UserName"),
                _ => ("instance-profile", "InstanceProfileName"),
            };
            let id = if named.is_empty() { new(kind) } else { named };
            let own = json!({ identifier: id, "Arn": format!("arn:aws:iam::{account}:{kind}/{id}"), "Path": "/" });
            (id, own)
        }
        "AWS::CertificateManager::Certificate" => {
            let id = format!("arn:aws:acm:{region}:{account}:certificate/{}", uuid(&new("certificate")));
            let own = json!({ "CertificateArn": id, "KeyAlgorithm": "RSA_2048", "CertificateExport": "DISABLED" });
            (id, own)
        }
        "AWS::SSM::Parameter" => {
            let id = if named.is_empty() { new("parameter") } else { named };
            let own = json!({ "Name": id, "Arn": arn(&format!("parameter/{}", id.trim_start_matches('/'))), "DataType": "text" });
            (id, own)
        }
        "AWS::SSM::PatchBaseline" => {
            let id = new("pb");
            let own = json!({ "Id": id, "DefaultBaseline": false, "OperatingSystem": "WINDOWS" });
            (id, own)
        }
        control_zones::ZONE => {
            let id = new("Z").to_uppercase().replace('-', "");
            (id.clone(), json!({ "Id": id, "NameServers": [] }))
        }
        "AWS::SSM::MaintenanceWindow" => {
            let id = new("mw");
            (id.clone(), json!({ "WindowId": id }))
        }
        // Its name is all there is of it.
        _ => (if named.is_empty() { new("name") } else { named }, json!({})),
    };
    whole(kind, (id, added), state)
}

fn whole(kind: &ResourceType, (id, added): (String, Json), state: Model) -> (String, Model) {
    let Json::Object(mut model) = added else { return (id, state) };
    model.extend(state);
    if let Some(name) = kind.identifier() {
        // As the service writes it, where it changes what was asked.
        model.insert(name.to_owned(), json!(id));
    }
    (id, model)
}

pub(super) fn uuid(minted: &str) -> String {
    let hex = blake3::hash(minted.as_bytes()).to_hex();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

/// Puts something into a bucket, or takes it all out; nothing where there is no such bucket.
pub(super) fn fill(world: &mut World, bucket: &str, full: bool) {
    if let Some(there) = world.control.resources.get_mut(&place("AWS::S3::Bucket", bucket)) {
        there.full = full;
    }
}
