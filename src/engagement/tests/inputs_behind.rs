//! Inputs that change after steps have used them.

use super::super::{State, WaitOrder};
use super::*;
use crate::runbook::Party;

#[test]
fn what_onramp_made_keeps_its_values() {
    let mut walk = Walk::made();
    for (id, text) in
        [("net.vpc_cidr", "10.41.0.0/16"), ("aws.account_id", "444455556666"), ("aws.region_primary", "eu-central-1")]
    {
        let refusal = walk.gives(id, text).unwrap_err();
        assert!(refusal.why.contains("net/vpc") && refusal.advice.contains("Undo"), "{id}: {refusal}");
    }
    assert!(walk.wishes(Command::ForgetInput(walk.value("net.vpc_cidr", "10.41.0.0/16").0)).is_err());
    walk.gives("net.note", "anything").unwrap();
    walk.gives("net.peer", "198.51.100.8").unwrap();
}

/// A message that was sent to the old server must not keep anybody from naming the new one.
#[test]
fn what_cannot_be_taken_back_is_looked_at_again() {
    let mut walk = Walk::made();
    let vpc = "    saves: {id: net.vpc_id}\n";
    walk.runbook = runbook(&SMALL.replace(vpc, &format!("{vpc}    no_undo: It stays.\n")));
    let events = walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap();
    assert!(events.contains(&Event::reopened(at("net/vpc"))), "{events:?}");
    assert_eq!(walk.status("net/vpc"), Status::Ready);
    walk.happens([started("net/vpc", 2), intended("net/vpc", 2), stopped("net/vpc", 2)]);
    assert!(walk.gives("net.vpc_cidr", "10.42.0.0/16").is_err(), "nobody knows yet what becomes of it");
}

/// What was made waits for somebody, made as it was before: a poll would only look, and make nothing.
#[test]
fn what_cannot_be_taken_back_and_waits_is_looked_at_again_unless_a_person_put_it_on_waiting() {
    let mut walk = Walk::made();
    let vpc = "    saves: {id: net.vpc_id}\n";
    walk.runbook = runbook(&SMALL.replace(vpc, &format!("{vpc}    no_undo: It stays.\n")));
    let (step, party, said) = (at("net/vpc"), Party::Customer, "not yet".to_owned());
    let (ask, who, due_in) = (String::new(), String::new(), None);
    walk.happens([Event::Waiting { step, attempt: 1, party, ask, said, who, due_in }]);
    assert!(matches!(walk.status("net/vpc"), Status::Waiting(_)));
    let events = walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap();
    assert!(events.contains(&Event::reopened(at("net/vpc"))), "{events:?}");
    assert_eq!(walk.status("net/vpc"), Status::Ready);

    let order = WaitOrder { on: Some(Party::Customer), note: Some("holidays".to_owned()), ..WaitOrder::default() };
    walk.wishes(Command::Wait { step: at("net/vpc"), order }).unwrap();
    let events = walk.gives("net.vpc_cidr", "10.42.0.0/16").unwrap();
    assert!(!events.contains(&Event::reopened(at("net/vpc"))), "{events:?}");
    assert!(matches!(walk.status("net/vpc"), Status::Waiting(_)));
}

#[test]
fn what_may_have_been_made_or_failed_half_way_keeps_them_too() {
    let mut walk = Walk::filled();
    walk.happens([started("net/vpc", 1), intended("net/vpc", 1), stopped("net/vpc", 1)]);
    assert!(walk.gives("net.vpc_cidr", "10.41.0.0/16").is_err());
    let failure = Failure { changed: vec!["CreateVpc: vpc-1".to_owned()], ..Failure::default() };
    walk.happens([concluded("net/vpc", 1, Outcome::Failed { failure })]);
    assert!(walk.gives("net.vpc_cidr", "10.41.0.0/16").is_err());
    walk.happens([undone("net/vpc", 2)]);
    walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap();
}

#[test]
fn a_running_step_keeps_its_values_until_it_ends() {
    let mut walk = Walk::filled();
    walk.happens([started("net/vpc", 1)]);
    let refusal = walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap_err();
    assert!(refusal.why.contains("running"), "{refusal}");
    walk.happens([stopped("net/vpc", 1)]);
    walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap();
}

#[test]
fn an_item_that_was_made_cannot_be_taken_from_its_list() {
    let mut walk = Walk::made();
    walk.gives("net.zones", "eu-west-1a, eu-west-1b, eu-west-1c").unwrap();
    assert_eq!(walk.status("net/subnets[eu-west-1c]"), Status::Ready);
    walk.makes("net/subnets[eu-west-1b]", "net.subnet_ids", "subnet-2");
    assert!(walk.gives("net.zones", "eu-west-1a, eu-west-1c").is_err());
    walk.gives("net.zones", "eu-west-1a, eu-west-1b").unwrap();
}

#[test]
fn what_was_only_looked_at_or_signed_off_is_looked_at_again() {
    let mut walk = Walk::filled();
    walk.happens([done_keeping("net/caller", "net.caller", json!("arn")), done("net/shown", DoneHow::SignedOff)]);
    walk.happens([done("net/vpc", DoneHow::AlreadySo)]);
    let events = walk.gives("aws.account_id", "444455556666").unwrap();
    let reopened: Vec<_> = events.iter().filter(|event| matches!(event, Event::Reopened { .. })).collect();
    assert_eq!(reopened.len(), 2, "{events:?}");
    assert_eq!(walk.engagement.state(&at("net/caller")), &State::Idle);
    assert_eq!(walk.engagement.state(&at("net/vpc")), &State::Idle, "another account has another VPC, or none");
    assert!(matches!(walk.engagement.state(&at("net/shown")), State::Done { .. }));
    walk.gives("net.vpc_cidr", "10.41.0.0/16").unwrap();
    assert_eq!(walk.engagement.state(&at("net/shown")), &State::Idle, "it was shown with another range");
}
