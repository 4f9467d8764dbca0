//! Where every step stands, and who waits for whom.

use super::super::waiting;
use super::*;
use crate::runbook::{Party, StepId};

#[test]
fn an_empty_engagement_asks_for_its_forms_and_blocks_the_rest() {
    let walk = Walk::new();
    let board = walk.board();
    assert_eq!(
        rows(&board),
        [
            "net/where needs input",
            "net/plan needs input",
            "net/how needs input",
            "net/peer blocked",
            "net/caller blocked",
            "net/vpc blocked",
            "net/subnets blocked",
            "net/tunnel blocked",
            "net/line blocked",
            "net/port blocked",
            "net/shown blocked",
        ]
    );
    assert_eq!(board.next().unwrap().address, at("net/where"));
    assert_eq!((board.tally.total, board.tally.person, board.tally.blocked, board.tally.done), (11, 3, 8, 0));
}

#[test]
fn a_form_waits_for_what_its_inputs_want_and_not_for_what_they_do_not() {
    let mut walk = Walk::new();
    walk.gives("net.vpc_cidr", "10.40.0.0/16").unwrap();
    assert_eq!(walk.status("net/plan"), Status::Ready, "what is optional is not waited for");
    walk.gives("net.mode", "dx").unwrap();
    walk.happens([done("net/how", DoneHow::Given)]);
    assert_eq!(walk.status("net/peer"), Status::NotNeeded);
    walk.gives("net.mode", "vpn").unwrap();
    let Status::NeedsInput(ids) = walk.status("net/peer") else { panic!("{:?}", walk.status("net/peer")) };
    assert_eq!(ids.iter().map(InputId::as_str).collect::<Vec<_>>(), ["net.peer"]);
}

#[test]
fn what_may_be_left_out_is_asked_for_once_another_answer_wants_it() {
    let wanted = "id: net.note, label: Note, kind: text, required_when: net.mode == \"vpn\"}";
    let yaml = SMALL.replace("id: net.note, label: Note, kind: text, optional: true}", wanted);
    let mut walk = Walk { runbook: runbook(&yaml), ..Walk::new() };
    walk.gives("net.vpc_cidr", "10.40.0.0/16").unwrap();
    assert_eq!(walk.status("net/plan"), Status::Ready, "nobody can tell yet whether it is wanted");
    walk.happens([done("net/plan", DoneHow::Given)]);
    walk.gives("net.mode", "dx").unwrap();
    assert!(matches!(walk.status("net/plan"), Status::Done { .. }));
    walk.gives("net.mode", "vpn").unwrap();
    let Status::NeedsInput(ids) = walk.status("net/plan") else { panic!("{:?}", walk.status("net/plan")) };
    assert_eq!(ids.iter().map(InputId::as_str).collect::<Vec<_>>(), ["net.note"]);
    assert!(walk.wishes(Command::AcceptForm(at("net/plan"))).is_err(), "it may not stay empty now");
    walk.gives("net.note", "anything").unwrap();
    assert!(matches!(walk.status("net/plan"), Status::Done { .. }));
}

#[test]
fn a_form_of_which_nothing_is_needed_stays_open_until_somebody_has_seen_it() {
    let yaml = SMALL.replace("form: [net.vpc_cidr, net.note, net.public]}", "form: [net.vpc_cidr]}");
    let yaml =
        yaml.replace("  - {id: how,", "  - {id: extras, title: Extras, form: [net.note, net.public]}\n  - {id: how,");
    let opened = || Walk { runbook: runbook(&yaml), ..Walk::new() };
    let mut walk = opened();
    assert!(matches!(walk.status("net/extras"), Status::NeedsInput(ids) if ids.len() == 2));
    let refused = walk.wishes(Command::AcceptForm(at("net/where"))).unwrap_err();
    assert!(refused.why.contains("net/where"), "{refused}");
    walk.wishes(Command::AcceptForm(at("net/extras"))).unwrap();
    assert!(matches!(walk.status("net/extras"), Status::Done { .. }));
    let done = walk.engagement.seq;
    walk.wishes(Command::AcceptForm(at("net/extras"))).unwrap();
    assert_eq!(walk.engagement.seq, done, "once is enough");

    let mut walk = opened();
    walk.gives("net.note", "a note").unwrap();
    assert_eq!(walk.status("net/extras"), Status::Ready, "whoever gave one of them has seen it");
}

#[test]
fn a_form_that_loses_an_answer_is_open_again() {
    let mut walk = Walk::filled();
    walk.wishes(Command::ForgetInput(walk.value("net.peer", "x").0)).unwrap();
    assert!(matches!(walk.status("net/peer"), Status::NeedsInput(_)));
}

#[test]
fn a_step_that_is_not_needed_holds_nobody_up_and_is_not_counted() {
    let walk = Walk::made();
    assert_eq!(walk.status("net/line"), Status::NotNeeded);
    assert_eq!(walk.status("net/tunnel"), Status::Ready);
    assert_eq!(walk.board().tally.total, 11, "two subnets, and no line");
}

#[test]
fn a_step_whose_condition_cannot_be_told_is_blocked_by_who_tells_it() {
    let walk = Walk::new();
    let Status::Blocked(by) = walk.status("net/line") else { panic!("{:?}", walk.status("net/line")) };
    assert_eq!(by, [StepId::new("net", "how"), StepId::new("net", "plan"), StepId::new("net", "vpc")]);
}

#[test]
fn repeated_steps_stand_one_by_one_and_the_next_waits_for_all() {
    let mut walk = Walk::made();
    assert_eq!(walk.status("net/subnets[eu-west-1a]"), Status::Ready);
    walk.makes("net/subnets[eu-west-1a]", "net.subnet_ids", "subnet-1");
    assert_eq!(walk.status("net/port"), Status::Blocked(vec![StepId::new("net", "subnets")]));
    walk.makes("net/subnets[eu-west-1b]", "net.subnet_ids", "subnet-2");
    assert_eq!(walk.status("net/port"), Status::Ready);
    let values = scope(&walk.engagement, &walk.runbook, ScopeMode::Real);
    let ids = values.get_dotted("net.subnet_ids").unwrap();
    assert_eq!(ids, &json!({ "eu-west-1a": "subnet-1", "eu-west-1b": "subnet-2" }));
}

#[test]
fn what_waits_does_not_block_other_branches() {
    let mut walk = Walk::made();
    let step = at("net/tunnel");
    let (party, ask, said) = (Party::Customer, "please".to_owned(), "no answer".to_owned());
    let (who, due_in) = (String::new(), None);
    walk.happens([started("net/tunnel", 1), Event::Waiting { step, attempt: 1, party, ask, said, who, due_in }]);
    let board = walk.board();
    assert_eq!(waiting(&board).len(), 1);
    assert_eq!(board.tally.waiting, 1);
    assert_eq!(walk.status("net/subnets[eu-west-1a]"), Status::Ready);
    assert_eq!(board.next().unwrap().address, at("net/subnets[eu-west-1a]"));
}

#[test]
fn what_is_over_its_time_comes_before_the_work_that_goes_on_anyway() {
    let mut walk = Walk::made();
    let step = at("net/tunnel");
    let (party, ask, said, who) = (Party::Customer, "please".to_owned(), "no answer".to_owned(), String::new());
    let due_in = Some(60);
    walk.happens([started("net/tunnel", 1), Event::Waiting { step, attempt: 1, party, ask, said, who, due_in }]);
    let board = walk.board();
    let Status::Waiting(wait) = &board.row(&at("net/tunnel")).unwrap().status else { panic!() };
    let due = wait.due.unwrap();
    let first = |now: At| board.agenda(now).first().map(|row| row.address.to_string()).unwrap();
    assert_eq!(first(due), "net/subnets[eu-west-1a]", "to the moment it is in time");
    assert_eq!(first(At(due.0 + 1)), "net/tunnel");
    assert_eq!(board.agenda(due).last().unwrap().address, at("net/tunnel"), "other waits come last");
    assert_eq!(
        board.next().unwrap().address,
        at("net/subnets[eu-west-1a]"),
        "where the work goes on is another question"
    );
}

#[test]
fn trouble_comes_before_work() {
    let mut walk = Walk::made();
    walk.happens([started("net/tunnel", 1), failed("net/tunnel", 1)]);
    assert_eq!(walk.board().next().unwrap().address, at("net/tunnel"));
}

#[test]
fn a_list_that_is_no_list_is_said_and_nothing_panics() {
    let yaml = SMALL.replace("for_each: net.zones", "for_each: net.vpc_cidr");
    let mut walk = Walk::filled();
    walk.runbook = runbook(&yaml);
    walk.happens([done_keeping("net/caller", "net.caller", json!("arn")), done("net/vpc", DoneHow::AlreadySo)]);
    let Status::Unclear(why) = walk.status("net/subnets") else { panic!("{:?}", walk.status("net/subnets")) };
    assert!(why.contains("not a list"), "{why}");
    assert_eq!(walk.status("net/port"), Status::Blocked(vec![StepId::new("net", "subnets")]));
}

#[test]
fn everything_done_is_all_done() {
    let mut walk = Walk::made();
    for zone in ["eu-west-1a", "eu-west-1b"] {
        walk.makes(&format!("net/subnets[{zone}]"), "net.subnet_ids", "subnet-1");
    }
    for step in ["net/tunnel", "net/port", "net/shown"] {
        assert!(!walk.board().tally.all_done());
        walk.happens([done(step, DoneHow::SignedOff)]);
    }
    assert!(walk.board().tally.all_done(), "{:?}", rows(&walk.board()));
    assert_eq!(walk.board().next(), None);
}
