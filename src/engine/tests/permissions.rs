//! What a plan would need is asked by rehearsal, and what is missing is named with the step that needs it.

use super::matrix::EVERYTHING;
use super::*;
use crate::engagement::{Leave, Verdict, chosen_actions};

#[tokio::test]
async fn a_plan_names_what_these_credentials_may_not_do_and_makes_nothing() {
    let stage = Stage::new(EVERYTHING, Faults::none().deny("CreateNatGateway"));
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    let plan = desk.rehearse().await;
    let denied: Vec<_> = plan
        .entries
        .iter()
        .flat_map(|entry| entry.rehearsals.iter().map(|one| (entry.step.to_string(), one)))
        .filter(|(_, one)| matches!(one.answer, Leave::Denied { .. }))
        .map(|(step, one)| (step, one.permission.clone()))
        .collect();
    assert_eq!(denied, [("net/nat".to_owned(), "ec2:CreateNatGateway".to_owned())]);
    let asked = plan.entries.iter().flat_map(|entry| &entry.rehearsals).count();
    assert!(asked > 12, "{asked}");
    assert_eq!(stage.account.cloud().calls().iter().filter(|call| call.mutating).count(), 0);
    // Without being asked for, nothing is rehearsed, and the same is approved.
    let quiet = desk.plan().await;
    assert!(quiet.entries.iter().all(|entry| entry.rehearsals.is_empty()));
    assert_eq!(quiet.digest, plan.digest);
    let chosen = |phase| chosen_actions(&desk.engagement, &stage.runbook, phase);
    let has_gateway = |phase| chosen(phase).iter().any(|one| one.kind == "aws/nat-gateway");
    assert!(has_gateway(None) && has_gateway(Some("net")));
    assert!(chosen(Some("elsewhere")).is_empty(), "a policy for one phase has nothing of another");
    desk.close().await;
}

/// The VPC waits for a look at the account, so the plan comes to it twice.
#[tokio::test]
async fn each_change_is_rehearsed_once_however_often_a_plan_comes_to_it() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    let plan = desk.rehearse().await;
    let vpc = plan.entries.iter().find(|entry| entry.step == at("net/vpc")).unwrap();
    assert!(vpc.finding.is_some(), "it was asked in the second round");
    let calls = stage.account.cloud().calls();
    let rehearsed = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    for operation in ["CreateVpc", "CreateInternetGateway", "CreateNatGateway"] {
        assert_eq!(rehearsed(operation), 1, "{operation}");
        let permission = format!("ec2:{operation}");
        let said = plan.entries.iter().flat_map(|entry| &entry.rehearsals);
        assert_eq!(said.filter(|one| one.permission == permission).count(), 1, "{operation}");
    }
    desk.close().await;
}

/// The step that looks for it stands first, knows no other step, and asks the customer for what is missing.
#[tokio::test]
async fn what_is_missing_is_found_by_a_step_of_the_runbook_before_anything_is_made() {
    let look = r#"
  - id: permissions
    title: Our rights
    needs: [where]
    waits_on: customer
    ask: Please give us what is missing.
    aws: permissions
    saves: {allowed: net.allowed, untold: net.untold}
  - id: others
    title: Of a phase that makes nothing
    needs: [where]
    aws: permissions
    with: {phase: elsewhere}
"#;
    let runbook = format!("{}{look}", EVERYTHING.trim_end());
    let denied = Stage::new(&runbook, Faults::none().deny("CreateNatGateway"));
    let mut desk = denied.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.run(RunScope::All).await;
    match desk.status("net/permissions") {
        Status::Waiting(wait) => {
            assert!(wait.said.contains("these credentials lack ec2:CreateNatGateway (net/nat)"), "{}", wait.said);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(desk.status("net/others"), Status::Done { .. }), "{:?}", desk.status("net/others"));
    assert_eq!(denied.changes(), Vec::<String>::new());
    desk.close().await;

    let stage = Stage::new(&runbook, Faults::none());
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/permissions"), Status::Done { .. }), "{:?}", desk.status("net/permissions"));
    let kept = |name: &str| {
        let all = desk.engagement.kept.values().flatten();
        all.filter(|kept| kept.name == name).map(|kept| kept.value.to_string()).collect::<String>()
    };
    assert!(kept("net.allowed").contains("ec2:CreateVpc"), "{}", kept("net.allowed"));
    assert!(kept("net.untold").contains("ec2:ModifyVpcAttribute"), "{}", kept("net.untold"));
    assert_eq!(stage.changes(), Vec::<String>::new());
    // What was rehearsed once is done, and a plan neither asks for it again nor calls it open.
    let rehearsed = || stage.account.cloud().calls().iter().filter(|call| call.operation == "CreateVpc").count();
    assert_eq!(rehearsed(), 1);
    let plan = desk.plan().await;
    assert_eq!(rehearsed(), 1);
    let entry = plan.entries.iter().find(|entry| entry.step == at("net/permissions")).unwrap();
    assert_eq!((entry.verdict, entry.said.as_str()), (Verdict::Nothing, "it is done"));
    desk.close().await;
}

const BUCKETS: &str = r#"
runbook: buckets
title: Buckets
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: dr.region, label: The other region, kind: region}
  - {id: dr.names, label: Names, kind: list, of: unix-name}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary, dr.region, dr.names]}
  - id: away
    title: A bucket in the other region
    aws: resource
    with:
      type: AWS::S3::Bucket
      key: bucket/away
      region: "{{ dr.region }}"
      properties: {BucketName: acme-away}
  - id: each
    title: A topic for each name
    for_each: dr.names
    aws: resource
    with: {type: "AWS::SNS::Topic", key: "topic/{{ item }}", properties: {TopicName: "{{ item }}"}}
"#;

const ROLES: &str = r#"
runbook: roles
title: Roles
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: own.role, label: Role, kind: text}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary, own.role]}
  - id: user
    title: A user
    aws: resource
    with: {type: "AWS::IAM::User", key: user/a, properties: {UserName: onramp-a, Groups: [senders]}}
  - id: bucket
    title: A bucket that is not copied
    aws: resource
    with: {type: "AWS::S3::Bucket", key: bucket/a, properties: {BucketName: acme-a}}
    saves: {id: net.bucket}
  - id: backup
    title: A backup
    aws: backup-job
    with: {vault: main, resource: "arn:aws:rds:eu-west-1:123456789012:db:a", role: "{{ own.role }}", key: backup/a}
  - id: role
    title: A role
    aws: resource
    with: {type: "AWS::IAM::Role", key: role/a, properties: {RoleName: flows, AssumeRolePolicyDocument: {}}}
    saves: {arn: net.flows}
  - id: log
    title: A flow log
    aws: resource
    with: {type: "AWS::EC2::FlowLog", key: log/a, properties: {DeliverLogsPermissionArn: "{{ net.flows }}", ResourceId: x, ResourceType: VPC}}
  - id: object
    title: An object
    aws: s3-object
    with: {bucket: "{{ net.bucket }}", object: a.txt, content: hello, key: object/a}
"#;

/// A role goes to the service of the step, by its ARN or name where a step tells it; where none is given, none may be.
#[tokio::test]
async fn roles_and_identities_are_those_of_the_steps() {
    let stage = Stage::new(ROLES, Faults::none());
    let needs = || -> Vec<_> {
        let chosen = |phase| chosen_actions(&stage.engagement(), &stage.runbook, phase);
        crate::action::needs_of(chosen(None), &chosen(None), REGION)
    };
    let roles = |needs: &[crate::aws::Needs]| -> Vec<(Vec<&str>, Option<String>)> {
        needs.iter().flat_map(|one| &one.roles).map(|one| (one.to.to_vec(), one.role.clone())).collect()
    };
    let before = needs();
    // Its name is known before an earlier step has made it.
    assert_eq!(roles(&before), [(vec!["backup"], None), (vec!["vpc-flow-logs"], Some("flows".to_owned()))]);
    let buckets: Vec<&String> = before.iter().flat_map(|one| &one.buckets).collect();
    assert_eq!(buckets, ["acme-a", "acme-a"], "a flow log to a log group has none");
    let of_bucket = |one: &crate::aws::Needs| one.permissions.iter().any(|permission| permission.starts_with("s3:"));
    assert_eq!(before.iter().filter(|one| of_bucket(one)).count(), 1);
    let identities: Vec<&String> = before.iter().flat_map(|one| &one.identities).collect();
    assert_eq!(identities, ["user/onramp-a", "group/senders", "role/flows"]);
    assert!(before.iter().all(|one| !one.permissions.iter().any(|permission| permission == "iam:PassRole")));
    let mut desk = stage.open().await;
    desk.give("own.role", "arn:aws:iam::123456789012:role/backup");
    desk.event("the answer", |event| matches!(event, Event::InputGiven { .. }).then_some(())).await;
    desk.close().await;
    let known = Some("arn:aws:iam::123456789012:role/backup".to_owned());
    assert_eq!(roles(&needs())[0], (vec!["backup"], known));
}

/// A diagnosis only looks, and a look is denied as well where nobody may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_diagnoses_ask_is_in_the_policy_and_changes_nothing() {
    for name in ["03-vpn-bgp.yaml", "10-access-datacentre.yaml"] {
        asked_of(&super::diagnoses::scenario(name).await);
    }
}

fn asked_of(stage: &Stage) {
    let needs = |phase| {
        let chosen = |phase| chosen_actions(&stage.engagement(), &stage.runbook, phase);
        crate::action::needs_of(chosen(phase), &chosen(None), REGION)
    };
    let used = |phase| -> BTreeSet<crate::aws::Operation> {
        needs(phase).iter().flat_map(|one| &one.uses).map(|one| one.operation).collect()
    };
    use crate::aws::Operation::{DescribeNetworkAcls, FilterLogEvents};
    assert!(used(None).is_superset(&BTreeSet::from([DescribeNetworkAcls, FilterLogEvents])));
    assert!(!used(Some("time")).contains(&FilterLogEvents), "no step of that phase asks the tunnels");
    let looks: Vec<_> =
        chosen_actions(&stage.engagement(), &stage.runbook, None).into_iter().filter(|one| one.looks).collect();
    let uses: Vec<_> = looks.iter().flat_map(|one| crate::action::needs(one, REGION).uses).collect();
    let anywhere: Vec<_> = uses.iter().filter(|one| one.regions.contains("*")).collect();
    assert!(anywhere.is_empty(), "who asks tells the region: {anywhere:?}");
    let changes = uses.iter().filter(|one| one.operation.changes());
    assert!(looks.len() > 5 && changes.count() == 0, "{looks:?}");
}

/// A policy may be wider than it has to be, where inputs are missing; it lacks nothing.
#[tokio::test]
async fn a_policy_lacks_nothing_although_inputs_are_missing() {
    let stage = Stage::new(BUCKETS, Faults::none());
    let further = || {
        let chosen = chosen_actions(&stage.engagement(), &stage.runbook, None);
        let needs: Vec<_> = chosen.iter().map(|one| crate::action::needs(one, REGION)).collect();
        let permissions: BTreeSet<String> = needs.iter().flat_map(|one| one.permissions.clone()).collect();
        let regions: BTreeSet<String> = needs.into_iter().flat_map(|one| one.regions).collect();
        (permissions, regions)
    };
    let (permissions, regions) = further();
    for wanted in ["s3:CreateBucket", "sns:CreateTopic"] {
        assert!(permissions.contains(wanted), "{wanted}: {permissions:?}");
    }
    assert!(regions.contains("*"), "{regions:?}");
    let mut desk = stage.open().await;
    desk.give("dr.region", "eu-central-1");
    desk.event("the answer", |event| matches!(event, Event::InputGiven { .. }).then_some(())).await;
    desk.close().await;
    assert_eq!(further().1, BTreeSet::from(["eu-central-1", REGION].map(str::to_owned)));
}
