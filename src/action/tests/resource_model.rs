//! What is compared, what is sent, and which mistakes are said: without a cloud.

use super::*;

fn wanted(with: Json) -> Wanted {
    let Json::Object(given) = with else { panic!("no map") };
    Wanted::new(Arguments { kind: "aws/resource", given: &given }).unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn refused(with: Json) -> String {
    let Json::Object(given) = with else { panic!("no map") };
    let failure = Wanted::new(Arguments { kind: "aws/resource", given: &given }).err();
    failure.unwrap_or_else(|| panic!("it is taken")).what
}

fn bucket(properties: Json) -> Wanted {
    wanted(json!({ "type": "AWS::S3::Bucket", "properties": properties }))
}

fn paths(gaps: &[Gap]) -> Vec<&str> {
    gaps.iter().map(|gap| gap.path.as_str()).collect()
}

#[test]
fn only_what_is_named_is_compared_however_deep_it_stands() {
    let wanted = bucket(json!({
        "BucketName": "acme-archive",
        "VersioningConfiguration": { "Status": "Enabled" },
        "PublicAccessBlockConfiguration": { "BlockPublicAcls": true },
        "LifecycleConfiguration": { "Rules": [{ "Id": "a", "Status": "Enabled" }, { "Id": "b", "Status": "Enabled" }] },
    }));
    let so = json!({
        "BucketName": "acme-archive",
        "Arn": "arn:aws:s3:::acme-archive",
        "VersioningConfiguration": { "Status": "Enabled" },
        "PublicAccessBlockConfiguration": { "BlockPublicAcls": true, "RestrictPublicBuckets": true },
        // AWS keeps the order that it likes, and fills in what was left out.
        "LifecycleConfiguration": { "Rules": [
            { "Id": "b", "Status": "Enabled", "Prefix": "" }, { "Id": "a", "Status": "Enabled", "Prefix": "" },
        ] },
    });
    assert_eq!(wanted.gaps(&so), []);
    let mut otherwise = so.clone();
    otherwise["PublicAccessBlockConfiguration"]["BlockPublicAcls"] = json!(false);
    otherwise["LifecycleConfiguration"]["Rules"][0]["Status"] = json!("Disabled");
    otherwise.as_object_mut().unwrap().remove("VersioningConfiguration");
    let gaps = wanted.gaps(&otherwise);
    assert_eq!(
        paths(&gaps),
        [
            "/LifecycleConfiguration/Rules",
            "/PublicAccessBlockConfiguration/BlockPublicAcls",
            "/VersioningConfiguration"
        ]
    );
    let patch = wanted.patch(&gaps, &otherwise);
    assert_eq!(
        patch[1],
        json!({ "op": "replace", "path": "/PublicAccessBlockConfiguration/BlockPublicAcls", "value": true })
    );
    assert_eq!(patch[2], json!({ "op": "add", "path": "/VersioningConfiguration", "value": { "Status": "Enabled" } }));
    let back = back(&gaps);
    assert_eq!(
        back[1],
        json!({ "op": "add", "path": "/PublicAccessBlockConfiguration/BlockPublicAcls", "value": false })
    );
    assert_eq!(back[2], json!({ "op": "remove", "path": "/VersioningConfiguration" }));
    assert_eq!(still_to_go(&back, &otherwise), Vec::<Json>::new());
    assert_eq!(still_to_go(&back, &so).len(), 3);
    let said = differences(&gaps);
    assert_eq!(said[1].what, "PublicAccessBlockConfiguration \u{203a} BlockPublicAcls");
    assert_eq!((said[1].wanted.as_str(), said[1].found.as_str()), ("true", "false"));
    assert!(
        said[0].diff.contains("-    \"Status\": \"Disabled\"") && said[0].diff.contains("+    \"Status\": \"Enabled\"")
    );
}

#[test]
fn numbers_texts_and_policies_are_the_same_however_they_are_written() {
    let alarm =
        wanted(json!({ "type": "AWS::CloudWatch::Alarm", "properties": { "AlarmName": "a", "Threshold": "80" } }));
    assert_eq!(alarm.gaps(&json!({ "AlarmName": "a", "Threshold": 80.0 })).len(), 1, "80 and 80.0 as texts differ");
    let alarm =
        wanted(json!({ "type": "AWS::CloudWatch::Alarm", "properties": { "AlarmName": "a", "Threshold": 80 } }));
    assert_eq!(alarm.gaps(&json!({ "AlarmName": "a", "Threshold": 80.0 })), []);
    let policy = json!({ "Version": "2012-10-17", "Statement": [] });
    let role = wanted(json!({ "type": "AWS::IAM::Role", "properties": { "AssumeRolePolicyDocument": policy } }));
    assert_eq!(role.gaps(&json!({ "AssumeRolePolicyDocument": policy.to_string() })), []);
    let dashboard =
        wanted(json!({ "type": "AWS::CloudWatch::Dashboard", "properties": { "DashboardBody": { "widgets": [] } } }));
    assert_eq!(dashboard.properties["DashboardBody"], json!("{\"widgets\":[]}"), "it is text when it is sent");
    assert_eq!(dashboard.gaps(&json!({ "DashboardBody": "{ \"widgets\": [] }" })), []);
    assert_eq!(paths(&dashboard.gaps(&json!({ "DashboardBody": "{\"widgets\":[1]}" }))), ["/DashboardBody"]);
}

#[test]
fn what_cannot_be_read_back_is_not_compared_but_said_again_with_every_change() {
    let database = |class: &str| {
        wanted(json!({ "type": "AWS::RDS::DBInstance", "properties": {
            "DBInstanceIdentifier": "orders", "DBInstanceClass": class, "MasterUserPassword": MARK, "SourceRegion": "eu-west-2",
        } }))
    };
    let there = json!({ "DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t4g.small" });
    assert_eq!(database("db.t4g.small").gaps(&there), []);
    let wanted = database("db.t4g.large");
    let patch = wanted.patch(&wanted.gaps(&there), &there);
    let said: Vec<&str> = patch.iter().map(|step| step["path"].as_str().unwrap()).collect();
    // What can be set only at first is not said again.
    assert_eq!(said, ["/DBInstanceClass", "/MasterUserPassword"]);
    let rules = json!([{ "Id": "a", "Status": "Enabled", "Transition": { "StorageClass": "GLACIER" } }]);
    let bucket = bucket(json!({ "BucketName": "abc", "LifecycleConfiguration": { "Rules": rules } }));
    let shown =
        json!({ "BucketName": "abc", "LifecycleConfiguration": { "Rules": [{ "Id": "a", "Status": "Enabled" }] } });
    assert_eq!(bucket.gaps(&shown), []);
}

#[test]
fn what_cannot_be_read_back_is_said_again_however_deep_it_stands() {
    let oidc = |secret: &str| json!({ "Type": "authenticate-oidc", "AuthenticateOidcConfig": { "ClientId": "c", "ClientSecret": secret } });
    let listener = wanted(json!({ "type": "AWS::ElasticLoadBalancingV2::Listener", "properties": {
        "LoadBalancerArn": "arn:a", "Port": 443, "DefaultActions": [{ "Type": "forward", "Order": 2 }, oidc(MARK)],
    } }));
    // AWS keeps them in another order, and fills in what was left out.
    let there = json!({ "LoadBalancerArn": "arn:a", "Port": 80, "DefaultActions": [
        { "Type": "authenticate-oidc", "AuthenticateOidcConfig": { "ClientId": "c", "Scope": "openid" } },
        { "Type": "forward", "Order": 2 },
    ] });
    let gaps = listener.gaps(&there);
    assert_eq!(paths(&gaps), ["/Port"]);
    let again = json!({ "op": "add", "path": "/DefaultActions/0/AuthenticateOidcConfig/ClientSecret", "value": MARK });
    assert_eq!(listener.patch(&gaps, &there), [json!({ "op": "replace", "path": "/Port", "value": 443 }), again]);
    // What is replaced whole has it in it already.
    let fewer =
        json!({ "LoadBalancerArn": "arn:a", "Port": 443, "DefaultActions": [{ "Type": "forward", "Order": 2 }] });
    let patch = listener.patch(&listener.gaps(&fewer), &fewer);
    assert_eq!(patch.iter().map(|step| &step["path"]).collect::<Vec<_>>(), ["/DefaultActions"]);
    // And so where AWS shows nothing of it at all: that is as wanted, and said again.
    let user = |groups: Json| {
        wanted(json!({ "type": "AWS::IAM::User", "properties": {
            "UserName": "ops", "LoginProfile": { "Password": MARK }, "Groups": groups,
        } }))
    };
    let shown = json!({ "UserName": "ops", "Groups": ["a"] });
    assert_eq!(user(json!(["a"])).gaps(&shown), []);
    let wanted = user(json!(["a", "b"]));
    let patch = wanted.patch(&wanted.gaps(&shown), &shown);
    assert_eq!(patch[1], json!({ "op": "add", "path": "/LoginProfile", "value": { "Password": MARK } }));
}

#[test]
fn what_somebody_else_has_set_and_aws_hides_is_not_written_over() {
    let vault = |lock: Option<Json>| {
        let mut properties = json!({ "BackupVaultName": "main", "AccessPolicy": { "Statement": [] } });
        if let Some(lock) = lock {
            properties["LockConfiguration"] = lock;
        }
        wanted(json!({ "type": "AWS::Backup::BackupVault", "properties": properties, "irrevocable": "main" }))
    };
    let locked = json!({ "BackupVaultName": "main", "LockConfiguration": { "MinRetentionDays": 30 } });
    let lock = |days: Option<i64>| match days {
        Some(days) => json!({ "MinRetentionDays": 30, "ChangeableForDays": days }),
        None => json!({ "MinRetentionDays": 30 }),
    };
    for (named, ours, hides) in [
        // Somebody has locked it, and nobody can read for how long that can be changed.
        (None, true, true),
        (None, false, true),
        (Some(lock(None)), false, true),
        // Ours has none that the step does not say.
        (Some(lock(None)), true, false),
        (Some(lock(Some(3))), false, false),
    ] {
        let hiding = vault(named.clone()).hiding(&locked, ours);
        assert_eq!(!hiding.is_empty(), hides, "{named:?}, ours: {ours}: {hiding:?}");
    }
    assert!(vault(None).hiding(&json!({ "BackupVaultName": "main" }), false).is_empty(), "it has no lock");
    // A list that the step names it names whole.
    let rules = json!({ "Rules": [{ "Id": "a", "Status": "Enabled" }] });
    let theirs = json!({ "BucketName": "abc", "LifecycleConfiguration": rules });
    let named = bucket(json!({ "BucketName": "abc", "LifecycleConfiguration": rules }));
    assert!(named.hiding(&theirs, false).is_empty());
    let other = bucket(json!({ "BucketName": "abc", "VersioningConfiguration": { "Status": "Enabled" } }));
    assert_eq!(other.hiding(&theirs, false).into_iter().collect::<Vec<_>>(), ["LifecycleConfiguration"]);
}

#[test]
fn what_stays_as_it_was_at_first_is_told_from_what_can_change() {
    let wanted = wanted(json!({ "type": "AWS::Backup::BackupVault", "properties": {
        "BackupVaultName": "main", "EncryptionKeyArn": "arn:a", "AccessPolicy": { "Statement": [] },
    } }));
    let gaps = wanted.gaps(&json!({ "BackupVaultName": "main", "EncryptionKeyArn": "arn:b" }));
    assert_eq!(paths(&gaps), ["/AccessPolicy", "/EncryptionKeyArn"]);
    assert_eq!(wanted.for_ever(&gaps), ["/EncryptionKeyArn"]);
}

#[test]
fn tags_that_the_step_names_are_added_to_those_that_are_there() {
    let wanted = bucket(json!({ "BucketName": "abc", "Tags": [{ "Key": "team", "Value": "ops" }] }));
    let there = |team: &str| {
        json!({ "BucketName": "abc", "Tags": [
            { "Key": "aws:cloudformation:stack-name", "Value": "x" }, { "Key": "theirs", "Value": "1" },
            { "Key": "team", "Value": team },
        ] })
    };
    assert_eq!(wanted.gaps(&there("ops")), []);
    let gaps = wanted.gaps(&there("dev"));
    let step = wanted.patch(&gaps, &there("dev")).remove(0);
    assert_eq!(step["value"], json!([{ "Key": "team", "Value": "ops" }, { "Key": "theirs", "Value": "1" }]));
}

#[test]
fn what_only_an_earlier_step_can_tell_is_taken_to_be_right_and_null_is_not_given() {
    let alarm = wanted(json!({ "type": "AWS::CloudWatch::Alarm", "properties": {
        "AlarmName": "a", "AlarmActions": ["\u{2039}monitoring.topic\u{203a}"], "Unit": null,
    } }));
    assert!(!alarm.properties.contains_key("Unit"));
    assert_eq!(alarm.gaps(&json!({ "AlarmName": "a", "AlarmActions": ["arn:aws:sns:x"] })), []);
}

#[test]
fn a_mistake_is_said_by_name_before_anything_is_asked() {
    let of = |kind: &str, properties: Json| refused(json!({ "type": kind, "properties": properties }));
    for (said, part) in [
        (of("AWS::S3", json!({})), "is not a type of resource"),
        (of("AWS::S3::Bucket", json!({ "BuketName": "abc" })), "did you mean BucketName?"),
        (of("AWS::S3::Bucket", json!({ "Arn": "arn" })), "nobody can set it"),
        (of("AWS::S3::Bucket", json!({ "BucketName": "Acme_Archive" })), "BucketName of AWS::S3::Bucket"),
        (of("AWS::SNS::Subscription", json!({ "Protocol": "email" })), "needs the property TopicArn"),
        (refused(json!({ "type": "AWS::S3::Bucket", "properties": "abc" })), "needs `properties`, a map"),
        (
            refused(json!({ "type": "AWS::Glue::Database", "properties": {}, "tags": "none" })),
            "nothing would tell this AWS::Glue::Database from another",
        ),
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn it_is_found_by_what_tells_it_from_others() {
    let topic = wanted(json!({ "type": "AWS::SNS::Topic", "properties": { "TopicName": "alerts" } }));
    assert_eq!(topic.identifier(), None);
    assert_eq!(topic.arn_ends_with().as_deref(), Some(":alerts"));
    assert_eq!(topic.noun(), "AWS::SNS::Topic alerts");
    let selection = wanted(json!({ "type": "AWS::Backup::BackupSelection", "properties": {
        "BackupPlanId": "p", "BackupSelection": { "SelectionName": "all", "IamRoleArn": "r" },
    } }));
    let there = |name: &str| json!({ "BackupPlanId": "p", "BackupSelection": { "SelectionName": name } });
    assert!(selection.is_known_in(&there("all")) && !selection.is_known_in(&there("some")));
    let unknown =
        wanted(json!({ "type": "AWS::Glue::Database", "properties": {}, "identifier": "a|b", "tags": "none" }));
    assert_eq!(unknown.identifier().as_deref(), Some("a|b"));
}

#[test]
fn one_with_several_names_is_known_by_all_of_them() {
    let named = |filter: Json| {
        wanted(json!({ "type": "AWS::Logs::SubscriptionFilter", "properties": {
            "FilterName": filter, "LogGroupName": "/app", "FilterPattern": "", "DestinationArn": "d",
        } }))
    };
    assert_eq!(named(json!("errors")).identifier().as_deref(), Some("errors|/app"));
    let by_content = named(Json::Null);
    assert_eq!(by_content.identifier(), None);
    assert_eq!(Json::Object(by_content.listed_in().unwrap()), json!({ "LogGroupName": "/app" }));
    // As long as an earlier step must tell where, nobody asks.
    let listener = wanted(json!({ "type": "AWS::ElasticLoadBalancingV2::Listener", "properties": {
        "LoadBalancerArn": "\u{2039}elb\u{203a}", "DefaultActions": [],
    } }));
    assert_eq!(listener.listed_in(), None);
    assert_eq!(listener.for_ever(&listener.gaps(&json!({ "LoadBalancerArn": "other" }))), Vec::<&str>::new());
}

#[test]
fn a_lock_that_nobody_can_ever_lift_is_said_twice() {
    let vault = |lock: Json, said: Json| {
        json!({ "type": "AWS::Backup::BackupVault", "irrevocable": said, "properties": {
            "BackupVaultName": "main", "LockConfiguration": lock,
        } })
    };
    let forever = json!({ "MinRetentionDays": 30, "ChangeableForDays": 3 });
    for said in [Json::Null, json!("yes"), json!("other")] {
        let what = refused(vault(forever.clone(), said));
        assert!(what.contains("the vault main") && what.contains("never be lifted"), "{what}");
    }
    wanted(vault(forever, json!("main")));
    wanted(vault(json!({ "MinRetentionDays": 30 }), Json::Null));
}
