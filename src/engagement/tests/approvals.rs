//! An approval covers what was shown: no more, no less, and no longer than it is what would be done.

use super::*;

#[test]
fn an_approval_covers_the_steps_of_its_plan_with_their_arguments() {
    let mut walk = Walk::filled();
    assert!(!walk.covers("net/vpc"));
    walk.wishes(walk.approve()).unwrap();
    for step in ["net/vpc", "net/subnets[eu-west-1a]", "net/subnets[eu-west-1b]", "net/port"] {
        assert!(walk.covers(step), "{step}");
    }
}

#[test]
fn it_covers_a_step_after_the_steps_before_it_have_run() {
    let mut walk = Walk::filled();
    walk.wishes(walk.approve()).unwrap();
    walk.happens([done_keeping("net/caller", "net.caller", json!("arn"))]);
    walk.makes("net/vpc", "net.vpc_id", "vpc-1");
    assert!(walk.covers("net/subnets[eu-west-1a]"), "the id of the VPC was not known when it was approved");
}

#[test]
fn other_arguments_another_account_or_region_are_not_covered() {
    for (id, text) in
        [("net.vpc_cidr", "10.41.0.0/16"), ("aws.account_id", "444455556666"), ("aws.region_primary", "eu-central-1")]
    {
        let mut walk = Walk::filled();
        walk.wishes(walk.approve()).unwrap();
        walk.gives(id, text).unwrap();
        assert!(!walk.covers("net/vpc"), "{id}");
    }
    // A script on a host does not care for the account.
    let mut walk = Walk::filled();
    walk.wishes(walk.approve()).unwrap();
    walk.gives("aws.account_id", "444455556666").unwrap();
    assert!(walk.covers("net/port"));
}

#[test]
fn what_hangs_on_something_that_was_undone_is_a_new_change_under_a_new_approval() {
    let mut walk = Walk::filled();
    walk.wishes(walk.approve()).unwrap();
    walk.makes("net/port", "net.port", "p-1");
    walk.happens([Event::reopened(at("net/port"))]);
    assert!(walk.covers("net/port"), "to try it again is no other change");
    let before = walk.engagement.record(&at("net/port")).unwrap().clone();
    walk.happens([Event::Reopened { step: at("net/port"), undone: Some(at("net/vpc")) }]);
    assert!(!walk.covers("net/port"));
    let record = walk.engagement.record(&at("net/port")).unwrap();
    assert!(record.generation > before.generation, "another token");
    let made = record.made.as_ref().unwrap();
    assert!(made.created, "what has no way back stays in the ledger");
    assert_eq!(
        (before.made.unwrap().output.is_empty(), made.output.is_empty()),
        (false, true),
        "and tells nothing of itself"
    );
}

#[test]
fn a_plan_that_is_no_longer_true_is_not_approved() {
    let mut walk = Walk::filled();
    let shown = walk.approve();
    walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap();
    let refusal = walk.wishes(shown).unwrap_err();
    assert!(refusal.why.contains("net/port") && refusal.why.contains("changed since"), "{refusal}");
    assert_eq!(walk.engagement.approved.len(), 0);
}

#[test]
fn a_digest_that_is_not_the_plan_s_is_refused() {
    let mut walk = Walk::filled();
    let Command::Approve { mut steps, digest } = walk.approve() else { panic!("no approval") };
    steps.remove(&at("net/vpc"));
    assert!(
        walk.wishes(Command::Approve { digest: digest.clone(), steps }).is_err(),
        "fewer steps than its digest says"
    );
    let strange = BTreeMap::from([(at("net/nothing"), "0".repeat(32))]);
    assert!(walk.wishes(Command::Approve { digest, steps: strange }).is_err());
}

#[test]
fn a_newer_approval_replaces_an_older_one_and_lets_go_what_was_held() {
    let mut walk = Walk::filled();
    walk.happens([done_keeping("net/caller", "net.caller", json!("arn"))]);
    walk.happens([started("net/vpc", 1), Event::Held { step: at("net/vpc"), attempt: 1 }]);
    assert_eq!(walk.status("net/vpc"), Status::NeedsApproval);
    walk.wishes(walk.approve()).unwrap();
    assert_eq!(walk.status("net/vpc"), Status::Ready);
    let only_vpc: BTreeMap<_, _> =
        walk.engagement.approved.clone().into_iter().filter(|(step, _)| step == &at("net/vpc")).collect();
    let digest = super::super::digest_of(&json!(only_vpc));
    walk.wishes(Command::Approve { digest, steps: only_vpc }).unwrap();
    assert!(walk.covers("net/vpc") && !walk.covers("net/port"));
}

#[test]
fn the_plan_s_digest_is_that_of_its_changes_alone() {
    let walk = Walk::filled();
    let plan = walk.plan();
    let mut said_otherwise = plan.entries.clone();
    said_otherwise[0].said = "other words".to_owned();
    assert_eq!(Plan::new(said_otherwise).digest, plan.digest);
    let mut without = plan.entries.clone();
    let gone = without.iter().position(|entry| entry.step == at("net/vpc")).unwrap();
    without[gone].verdict = Verdict::Nothing;
    assert_ne!(Plan::new(without.clone()).digest, plan.digest);
    assert!(!Plan::new(without).approval().contains_key(&at("net/vpc")));
}

#[test]
fn the_arguments_of_a_call_are_told_value_by_value() {
    let values = |arguments: serde_json::Value| crate::engagement::Change::new("ec2", "Do", arguments).values();
    assert_eq!(values(serde_json::json!({})), [], "it takes none");
    let given =
        values(serde_json::json!({ "Id": "vpc-1", "Options": { "On": true, "Groups": ["a", "b"], "None": {} } }));
    let told: Vec<String> = given.into_iter().map(|(way, value)| format!("{way}: {value}")).collect();
    assert_eq!(told, ["Id: vpc-1", "Options.Groups: a, b", "Options.None: nothing", "Options.On: true"]);
}
