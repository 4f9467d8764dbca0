//! What a step is after each thing that can happen to it, and above all that nothing which may have been made is forgotten.

use super::super::{Question, Stage, State, Stays};
use super::*;
use crate::runbook::Party;

const VPC: &str = "net/vpc";

fn state(walk: &Walk) -> State {
    walk.engagement.state(&at(VPC)).clone()
}

fn walked(events: impl IntoIterator<Item = Event>) -> Walk {
    let mut walk = Walk::filled();
    walk.happens(events);
    walk
}

fn waiting(attempt: u32, said: &str) -> Event {
    let (party, ask, said) = (Party::Customer, "please".to_owned(), said.to_owned());
    Event::Waiting { step: at(VPC), attempt, party, ask, said, who: String::new(), due_in: None }
}

#[test]
fn a_cut_attempt_is_idle_before_its_intent_in_doubt_after_it_and_applied_after_its_outcome() {
    assert_eq!(state(&walked([started(VPC, 1), stopped(VPC, 1)])), State::Idle);
    let doubt = walked([started(VPC, 1), intended(VPC, 1), stopped(VPC, 1)]);
    assert!(matches!(state(&doubt), State::InDoubt { .. }), "{:?}", state(&doubt));
    let applied = walked([started(VPC, 1), intended(VPC, 1), changed(VPC, 1, "vpc-1"), stopped(VPC, 1)]);
    assert!(matches!(state(&applied), State::Applied { .. }), "{:?}", state(&applied));
}

#[test]
fn an_attempt_that_takes_up_an_earlier_one_and_is_cut_again_leaves_it_as_it_was() {
    let mut doubt = walked([started(VPC, 1), intended(VPC, 1), stopped(VPC, 1)]);
    let before = state(&doubt);
    doubt.happens([started(VPC, 2)]);
    assert!(matches!(state(&doubt), State::Running { stage: Stage::Resuming, .. }));
    assert_eq!(doubt.status(VPC).word(), "resuming", "it is not probed for the first time");
    doubt.happens([stopped(VPC, 2)]);
    let State::InDoubt { intent, since, .. } = state(&doubt) else { panic!("{:?}", state(&doubt)) };
    let State::InDoubt { intent: first, since: then, .. } = before else { panic!("{before:?}") };
    assert_eq!(intent, first);
    assert!(since <= At(then.0 + 2000), "looking once more does not begin the quiet time anew");

    let mut applied = walked([started(VPC, 1), intended(VPC, 1), changed(VPC, 1, "vpc-1"), stopped(VPC, 1)]);
    applied.happens([started(VPC, 2)]);
    assert!(matches!(state(&applied), State::Running { stage: Stage::Verifying, .. }));
    applied.happens([stopped(VPC, 2)]);
    assert!(matches!(state(&applied), State::Applied { .. }));
}

#[test]
fn nothing_but_an_outcome_or_a_person_ends_a_doubt() {
    let asked = Question::Different { said: "x".to_owned(), differences: Vec::new() };
    let ends = [
        failed(VPC, 2),
        waiting(2, "not yet"),
        Event::Held { step: at(VPC), attempt: 2 },
        stopped(VPC, 2),
        Event::Skipped { step: at(VPC), reason: "no time".to_owned() },
        Event::reopened(at(VPC)),
        concluded(VPC, 2, Outcome::InDoubt { why: "no answer".to_owned() }),
    ];
    for end in ends {
        let walk = walked([started(VPC, 1), intended(VPC, 1), stopped(VPC, 1), started(VPC, 2), end.clone()]);
        assert!(matches!(state(&walk), State::InDoubt { .. }), "{end:?}: {:?}", state(&walk));
    }
    // A question may be answered first; then it is in doubt again.
    let mut walk = walked([intended(VPC, 1), stopped(VPC, 1), started(VPC, 2)]);
    walk.happens([Event::Asked { step: at(VPC), attempt: 2, question: asked }]);
    assert!(matches!(state(&walk), State::Asked { .. }));
    let skip = walk.wishes(Command::Skip { step: at(VPC), reason: "no".to_owned() });
    assert!(skip.unwrap_err().why.contains("in doubt"));
    walk.wishes(Command::Reopen(at(VPC))).unwrap();
    assert!(matches!(state(&walk), State::InDoubt { .. }));
}

#[test]
fn the_time_that_onramp_was_not_running_counts_for_the_quiet_time() {
    let mut walk = walked([started(VPC, 1), intended(VPC, 1)]);
    let intended_at = walk.engagement.at;
    let event = stopped(VPC, 1);
    let (seq, next_day) = (walk.engagement.seq + 1, At(intended_at.0 + 86_400_000));
    fold(&mut walk.engagement, &Recorded { seq, at: next_day, actor: String::new(), event });
    let State::InDoubt { since, .. } = state(&walk) else { panic!("{:?}", state(&walk)) };
    assert_eq!(since, At(intended_at.0 + 120_000), "it had arrived two minutes after the intent, or never");
}

#[test]
fn attempt_numbers_are_never_used_twice_whatever_the_attempt_was_for() {
    let numbers = |walk: &Walk| walk.engagement.record(&at(VPC)).unwrap().attempts;
    let ends: [Event; 6] = [
        failed(VPC, 7),
        stopped(VPC, 7),
        waiting(7, "not yet"),
        undone(VPC, 7),
        changed(VPC, 7, "vpc-1"),
        Event::Held { step: at(VPC), attempt: 7 },
    ];
    for end in ends {
        assert_eq!(numbers(&walked([started(VPC, 1), end.clone()])), 7, "{end:?}");
        assert_eq!(numbers(&walked([started(VPC, 9), end.clone()])), 9, "{end:?}");
    }
}

#[test]
fn waiting_keeps_its_first_moment_through_every_look() {
    let walk = walked([started(VPC, 1), waiting(1, "no answer"), waiting(1, "one of two"), waiting(1, "no answer")]);
    let State::Waiting { wait, .. } = state(&walk) else { panic!("{:?}", state(&walk)) };
    assert_eq!((wait.since, wait.said.as_str()), (At(walk.engagement.at.0 - 2000), "no answer"));
}

#[test]
fn what_was_mended_stays_ours_keeps_its_place_and_its_first_results() {
    let mut walk = walked([started(VPC, 1), intended(VPC, 1), changed(VPC, 1, "vpc-1"), failed(VPC, 1)]);
    walk.makes("net/subnets[eu-west-1a]", "net.subnet_ids", "subnet-1");
    let mend = Outcome::Changed {
        said: "mended".to_owned(),
        created: false,
        operations: vec!["ModifyThing".to_owned()],
        output: BTreeMap::new(),
    };
    walk.happens([Event::reopened(at(VPC)), started(VPC, 2), intended(VPC, 2), concluded(VPC, 2, mend)]);
    let ledger = walk.engagement.ledger();
    let order: Vec<String> = ledger.iter().map(|(step, _)| step.to_string()).collect();
    assert_eq!(order, ["net/subnets[eu-west-1a]", VPC], "what stands on it is undone first, mended or not");
    assert_eq!(ledger[1].1.output["id"], json!("vpc-1"));
    assert_eq!(ledger[1].1.operations, ["CreateThing", "ModifyThing"]);
}

#[test]
fn what_failed_half_way_can_be_undone() {
    let failure = Failure {
        changed: vec!["CreateVpc: vpc-1".to_owned()],
        made: BTreeMap::from([("id".to_owned(), json!("vpc-1"))]),
        ..Failure::new("ModifyVpcAttribute was refused", "ask for the permission")
    };
    let walk = walked([started(VPC, 1), intended(VPC, 1), concluded(VPC, 1, Outcome::Failed { failure })]);
    assert!(matches!(state(&walk), State::Failed { .. }));
    assert_eq!(walk.engagement.ledger()[0].1.output["id"], json!("vpc-1"));
    let nothing = Outcome::Failed { failure: Failure::new("refused", "") };
    let walk = walked([started(VPC, 1), intended(VPC, 1), concluded(VPC, 1, nothing)]);
    assert_eq!(walk.engagement.ledger(), []);
}

#[test]
fn what_was_found_is_not_said_to_be_made() {
    let found = Event::Adopted {
        step: at(VPC),
        attempt: 1,
        id: "vpc-1".to_owned(),
        ours: true,
        reason: "its tags say so".to_owned(),
        output: BTreeMap::new(),
    };
    let mut walk = walked([started(VPC, 1), found, done(VPC, DoneHow::Applied)]);
    assert!(walk.engagement.ledger()[0].1.was_found());
    // Mended by a change of ours, it is no longer only found.
    walk.happens([Event::reopened(at(VPC)), started(VPC, 2), intended(VPC, 2), changed(VPC, 2, "vpc-1")]);
    assert!(!walk.engagement.ledger()[0].1.was_found());
    let made = walked([started(VPC, 1), intended(VPC, 1), changed(VPC, 1, "vpc-1")]);
    assert!(!made.engagement.ledger()[0].1.was_found());
}

#[test]
fn a_failure_says_why_in_one_line() {
    let mut failure = Failure::new("CreateSubnet was refused", "choose another range");
    assert_eq!(failure.why(), "CreateSubnet was refused");
    failure.meaning = "The range overlaps another.".to_owned();
    failure.code = Some("InvalidSubnet.Conflict".to_owned());
    failure.raw = "The CIDR '10.40.0.0/24'\nconflicts".to_owned();
    assert_eq!(
        failure.why(),
        "CreateSubnet was refused: The range overlaps another (InvalidSubnet.Conflict: The CIDR '10.40.0.0/24' conflicts)"
    );
}

#[test]
fn what_was_there_before_us_is_not_in_the_ledger() {
    let there = Outcome::AlreadySo { said: "there".to_owned(), output: BTreeMap::new() };
    let walk = walked([started(VPC, 1), intended(VPC, 1), concluded(VPC, 1, there), done(VPC, DoneHow::Applied)]);
    assert_eq!(walk.engagement.ledger(), []);
    let kept =
        Outcome::Changed { said: String::new(), created: false, operations: Vec::new(), output: BTreeMap::new() };
    let walk = walked([started(VPC, 1), intended(VPC, 1), concluded(VPC, 1, kept)]);
    assert_eq!(walk.engagement.ledger(), []);
}

#[test]
fn an_undo_ends_approval_and_kept_values_and_begins_a_generation() {
    let mut walk = Walk::filled();
    walk.wishes(walk.approve()).unwrap();
    walk.makes(VPC, "net.vpc_id", "vpc-1");
    assert!(walk.covers(VPC));
    let undo = Event::Intended { step: at(VPC), intent: intent(2, Purpose::Undo) };
    let gone =
        Outcome::Changed { said: "gone".to_owned(), created: false, operations: Vec::new(), output: BTreeMap::new() };
    let concluded = Event::Concluded { step: at(VPC), attempt: 2, purpose: Purpose::Undo, outcome: gone };
    walk.happens([undo, concluded, undone(VPC, 2)]);
    let record = walk.engagement.record(&at(VPC)).unwrap();
    assert_eq!((record.generation, &record.made, &record.pending), (1, &None, &None));
    assert!(!walk.covers(VPC), "to make it again is a new change");
    assert!(walk.covers("net/subnets[eu-west-1a]"));
    assert!(!walk.engagement.kept.contains_key(&at(VPC)));
    assert_eq!(walk.status(VPC), Status::Undone);
}

#[test]
fn what_an_undo_lets_be_is_said_to_stay_and_an_older_journal_is_read_as_before() {
    let mut walk = Walk::filled();
    walk.makes(VPC, "net.vpc_id", "vpc-1");
    let before = serde_json::to_value(undone(VPC, 2)).unwrap();
    assert_eq!(before.get("stays"), None, "as it was written before");
    let said = "it is a backup, kept until 2027-01-01";
    let mut event = before.clone();
    event["evidence"]["said"] = json!(said);
    event["stays"] = json!(true);
    let outcome = Outcome::Stays { said: said.to_owned() };
    walk.happens([
        Event::Intended { step: at(VPC), intent: intent(2, Purpose::Undo) },
        Event::Concluded { step: at(VPC), attempt: 2, purpose: Purpose::Undo, outcome },
        serde_json::from_value(event).unwrap(),
    ]);
    assert_eq!(walk.status(VPC), Status::Stays { said: said.to_owned() });
    assert_eq!((walk.status(VPC).word(), walk.status(VPC).settled()), ("stays", false));
    let reach = crate::engagement::reach(&walk.engagement, &walk.runbook, &[], At(0));
    assert_eq!((reach.order, reach.stays), (Vec::new(), vec![(at(VPC), Stays::Kept(said.to_owned()))]));
    walk.happens([serde_json::from_value(before).unwrap()]);
    assert_eq!(walk.status(VPC), Status::Undone);
}

#[test]
fn a_settled_doubt_stays_in_the_ledger_until_an_undo_looked_for_it() {
    let mut walk = walked([started(VPC, 1), intended(VPC, 1), stopped(VPC, 1)]);
    let how = crate::engagement::Settlement::Retry;
    walk.wishes(Command::Settle { step: at(VPC), how, reason: String::new() }).unwrap();
    assert_eq!(state(&walk), State::Idle);
    assert_eq!(walk.engagement.ledger().len(), 1);
    // Found again, it is known in full.
    walk.happens([started(VPC, 2), done_keeping(VPC, "net.vpc_id", json!("vpc-1"))]);
    assert_eq!(walk.engagement.ledger()[0].1.output["id"], json!("vpc-1"));
}
