//! Waiting on others: who, since when, until when, and what a person says of it.

use super::super::{Question, State, Wait, WaitOrder, by_party, due, waiting};
use super::*;
use crate::runbook::Party;

const DAY: i64 = 86_400_000;

/// The check of the tunnel found that the customer has not moved yet.
fn found_waiting(said: &str, due_in: Option<u64>) -> Event {
    Event::Waiting {
        step: at("net/tunnel"),
        attempt: 1,
        party: Party::Customer,
        ask: "Please load it.".to_owned(),
        said: said.to_owned(),
        who: "Network team".to_owned(),
        due_in,
    }
}

fn wait_of(walk: &Walk, step: &str) -> Wait {
    match walk.status(step) {
        Status::Waiting(wait) => wait,
        other => panic!("{step}: {other:?}"),
    }
}

fn order(on: Option<Party>, note: &str) -> WaitOrder {
    WaitOrder { on, note: (!note.is_empty()).then(|| note.to_owned()), ..WaitOrder::default() }
}

fn puts(walk: &mut Walk, step: &str, on: Party, note: &str) -> Result<Vec<Event>, Refusal> {
    walk.wishes(Command::Wait { step: at(step), order: order(Some(on), note) })
}

#[test]
fn a_wait_is_due_so_long_after_it_began_however_often_it_is_looked_at() {
    let mut walk = Walk::made();
    walk.happens([started("net/tunnel", 1), found_waiting("no answer", Some(864_000))]);
    let first = wait_of(&walk, "net/tunnel");
    assert_eq!((first.who.as_str(), first.due), ("Network team", Some(At(first.since.0 + 10 * DAY))));
    walk.happens([found_waiting("one tunnel of two", Some(864_000))]);
    let again = wait_of(&walk, "net/tunnel");
    assert_eq!((again.since, again.due, again.said.as_str()), (first.since, first.due, "one tunnel of two"));
}

#[test]
fn what_a_person_says_of_a_wait_stays_when_it_is_looked_at_again() {
    let mut walk = Walk::made();
    walk.happens([started("net/tunnel", 1), found_waiting("no answer", Some(864_000))]);
    let since = wait_of(&walk, "net/tunnel").since;
    let said = WaitOrder {
        who: Some("Jane Doe".to_owned()),
        due: Some(Some(At(5 * DAY))),
        note: Some("change board on Thursday".to_owned()),
        on: None,
    };
    walk.wishes(Command::Wait { step: at("net/tunnel"), order: said.clone() }).unwrap();
    assert!(walk.wishes(Command::Wait { step: at("net/tunnel"), order: said }).unwrap().is_empty(), "nothing new");
    walk.happens([found_waiting("still no answer", Some(864_000))]);
    let wait = wait_of(&walk, "net/tunnel");
    assert_eq!((wait.who.as_str(), wait.due, wait.since), ("Jane Doe", Some(At(5 * DAY)), since));
    assert_eq!((wait.note.as_str(), wait.said.as_str()), ("change board on Thursday", "still no answer"));
    assert!(!wait.by_hand, "its check ends it");
    let other = walk.wishes(Command::Wait { step: at("net/tunnel"), order: order(Some(Party::Aws), "") });
    assert!(other.unwrap_err().to_string().contains("as the runbook says"));
    let ended = walk.wishes(Command::EndWait { step: at("net/tunnel"), note: String::new() });
    assert!(ended.unwrap_err().to_string().contains("until its check says"));
    walk.wishes(Command::Wait { step: at("net/tunnel"), order: WaitOrder { due: Some(None), ..WaitOrder::default() } })
        .unwrap();
    assert_eq!(wait_of(&walk, "net/tunnel").due, None);
}

#[test]
fn a_wait_that_a_look_ended_with_a_question_goes_on_with_the_answer() {
    let mut walk = Walk::made();
    walk.happens([started("net/tunnel", 1), found_waiting("no answer", Some(864_000))]);
    puts(&mut walk, "net/tunnel", Party::Customer, "change board on Thursday").unwrap();
    let wait = wait_of(&walk, "net/tunnel");
    let asks = || Event::Asked {
        step: at("net/tunnel"),
        attempt: 2,
        question: Question::Different { said: "x".to_owned(), differences: Vec::new() },
    };
    for _ in 0..2 {
        walk.happens([asks()]);
        assert!(matches!(walk.status("net/tunnel"), Status::Asked(_)));
        walk.wishes(Command::Reopen(at("net/tunnel"))).unwrap();
        assert_eq!(wait_of(&walk, "net/tunnel"), wait, "since the same day, and with what a person said of it");
    }
    assert!(walk.engagement.record(&at("net/tunnel")).unwrap().waited.is_empty());
    // One that was asked before it waited begins anew.
    walk.happens([failed("net/tunnel", 2), started("net/tunnel", 3), asks()]);
    walk.wishes(Command::Reopen(at("net/tunnel"))).unwrap();
    assert_eq!(walk.status("net/tunnel"), Status::Ready);
}

#[test]
fn a_ready_step_can_be_put_on_waiting_and_other_branches_go_on() {
    let mut walk = Walk::made();
    assert_eq!(walk.status("net/subnets[eu-west-1a]"), Status::Ready);
    assert!(puts(&mut walk, "net/subnets[eu-west-1a]", Party::Aws, " ").unwrap_err().to_string().contains("why"));
    puts(&mut walk, "net/subnets[eu-west-1a]", Party::Aws, "quota case 4711").unwrap();
    let board = walk.board();
    let row = board.row(&at("net/subnets[eu-west-1a]")).unwrap();
    assert!(!row.can_be_looked_at() && !row.status.runnable(), "nothing touches it");
    assert_eq!(walk.status("net/subnets[eu-west-1b]"), Status::Ready);
    walk.wishes(Command::EndWait { step: at("net/subnets[eu-west-1a]"), note: "granted".to_owned() }).unwrap();
    assert_eq!(walk.status("net/subnets[eu-west-1a]"), Status::Ready);
    let waited = &walk.engagement.record(&at("net/subnets[eu-west-1a]")).unwrap().waited;
    assert_eq!(waited.len(), 1);
    assert_eq!((waited[0].wait.party, waited[0].wait.note.as_str()), (Party::Aws, "quota case 4711"));
    assert_eq!(waited[0].lasted(), std::time::Duration::from_secs(1));
}

#[test]
fn what_cannot_wait_says_why() {
    let mut walk = Walk::made();
    walk.happens([started("net/tunnel", 1)]);
    for (step, why) in [
        ("net/vpc", "it is done"),
        ("net/tunnel", "it is probing"),
        ("net/port", "it is blocked"),
        ("net/line", "it is not needed"),
        ("net/nothing", "no step"),
    ] {
        let refusal = puts(&mut walk, step, Party::Customer, "x").unwrap_err().to_string();
        assert!(refusal.contains(why), "{step}: {refusal}");
    }
    let ended = walk.wishes(Command::EndWait { step: at("net/vpc"), note: String::new() });
    assert!(ended.unwrap_err().to_string().contains("does not wait"));
}

#[test]
fn a_form_waits_on_the_customer_until_its_answers_are_there() {
    let mut walk = Walk::new();
    puts(&mut walk, "net/plan", Party::Customer, "the questionnaire was sent").unwrap();
    assert_eq!(wait_of(&walk, "net/plan").party, Party::Customer);
    assert_eq!(walk.board().tally.waiting, 1);
    walk.gives("net.vpc_cidr", "10.40.0.0/16").unwrap();
    assert_eq!(walk.status("net/plan"), Status::Ready, "the answer ends the wait");
    walk.happens([done("net/plan", DoneHow::Given)]);
    assert_eq!(walk.engagement.record(&at("net/plan")).unwrap().waited.len(), 1);
}

#[test]
fn a_failed_step_can_wait_on_who_must_mend_it_and_is_tried_again_then() {
    let mut walk = Walk::made();
    walk.happens([started("net/tunnel", 1), failed("net/tunnel", 1)]);
    puts(&mut walk, "net/tunnel", Party::ThirdParty, "the carrier looks at the line").unwrap();
    assert_eq!(walk.board().tally.failed, 0);
    walk.wishes(Command::EndWait { step: at("net/tunnel"), note: String::new() }).unwrap();
    assert_eq!(walk.status("net/tunnel"), Status::Ready);
}

#[test]
fn a_sign_off_ends_the_wait_of_a_step_that_somebody_else_does() {
    let mut walk = Walk::filled();
    walk.runbook =
        runbook(&SMALL.replace("    manual: Show", "    owner: customer\n    due: 2 weeks\n    manual: Show"));
    for step in ["net/caller", "net/vpc", "net/subnets[eu-west-1a]", "net/subnets[eu-west-1b]", "net/port"] {
        walk.happens([done(step, DoneHow::AlreadySo)]);
    }
    let step = walk.runbook.step(&at("net/shown").step).unwrap();
    let values = scope(&walk.engagement, &walk.runbook, ScopeMode::Real);
    let asking = super::super::asking(step, None, &values).unwrap().unwrap();
    assert_eq!((asking.party, asking.ask.as_str()), (Party::Customer, "Show 10.40.0.0/16."));
    walk.happens([asking.waiting(at("net/shown"), 0, "not signed off yet".to_owned())]);
    let wait = wait_of(&walk, "net/shown");
    assert_eq!(wait.due, Some(At(wait.since.0 + 14 * DAY)));
    assert!(!walk.board().row(&at("net/shown")).unwrap().can_be_looked_at());
    walk.wishes(Command::SignOff { step: at("net/shown"), note: "J. Doe".to_owned() }).unwrap();
    assert!(matches!(walk.status("net/shown"), Status::Done { .. }));
    assert_eq!(walk.engagement.record(&at("net/shown")).unwrap().waited.len(), 1);
}

/// Nobody signs what was asked about before what it comes after is done again.
#[test]
fn what_a_person_was_asked_waits_for_its_turn_again() {
    let mut walk = Walk::filled();
    for step in ["net/caller", "net/vpc", "net/subnets[eu-west-1a]", "net/subnets[eu-west-1b]", "net/port"] {
        walk.happens([done(step, DoneHow::AlreadySo)]);
    }
    let (step, party, ask) = (at("net/shown"), Party::Customer, "Show 10.40.0.0/16.".to_owned());
    let (said, who) = ("not signed off yet".to_owned(), String::new());
    let asked = Event::Waiting { step: step.clone(), attempt: 0, party, ask, said, who, due_in: None };
    walk.happens([asked]);
    assert!(matches!(walk.status("net/shown"), Status::Waiting(_)));
    walk.happens([Event::reopened(at("net/port"))]);
    assert!(matches!(walk.status("net/shown"), Status::Blocked(_)), "{:?}", walk.status("net/shown"));
    let refusal = walk.wishes(Command::SignOff { step, note: "J. Doe".to_owned() }).unwrap_err();
    assert!(refusal.why.contains("comes after net/port"), "{refusal}");
    walk.happens([done("net/port", DoneHow::AlreadySo)]);
    assert!(matches!(walk.status("net/shown"), Status::Waiting(_)));
}

#[test]
fn a_wait_of_an_earlier_version_is_read() {
    let old = r#"{"event":"waiting","step":"net/tunnel","attempt":1,"party":"customer","ask":"a","said":"b"}"#;
    let mut walk = Walk::made();
    walk.happens([serde_json::from_str::<Event>(old).unwrap()]);
    let wait = wait_of(&walk, "net/tunnel");
    assert_eq!((wait.who.as_str(), wait.due), ("", None));
    let State::Waiting { attempt, .. } = walk.engagement.state(&at("net/tunnel")) else { panic!() };
    assert_eq!(*attempt, 1);
}

fn some(party: Party, since: i64, due: Option<i64>) -> Wait {
    Wait {
        party,
        who: String::new(),
        since: At(since * DAY),
        due: due.map(|days| At(days * DAY)),
        ask: "Please open the door.".to_owned(),
        said: String::new(),
        note: String::new(),
        by_hand: false,
        set: false,
    }
}

#[test]
fn waits_add_up_by_who_must_move() {
    let now = At(20 * DAY);
    let waits = [
        some(Party::Aws, 17, None),
        some(Party::Customer, 8, Some(18)),
        some(Party::Customer, 19, Some(30)),
        some(Party::Colocation, 1, None),
    ];
    let said: Vec<String> = by_party(&waits, now).iter().map(|sum| sum.said(now)).collect();
    assert_eq!(said, ["customer 2 (1 overdue, oldest 12 d)", "colocation 1 (oldest 19 d)", "AWS 1 (oldest 3 d)"]);
}

#[test]
fn what_is_due_first_comes_first() {
    let mut walk = Walk::made();
    for (step, party) in [("net/subnets[eu-west-1a]", Party::Aws), ("net/subnets[eu-west-1b]", Party::Customer)] {
        puts(&mut walk, step, party, "x").unwrap();
    }
    walk.happens([started("net/tunnel", 1), found_waiting("no answer", Some(10))]);
    let board = walk.board();
    let order: Vec<String> = waiting(&board).iter().map(|(row, _)| row.address.to_string()).collect();
    assert_eq!(order, ["net/tunnel", "net/subnets[eu-west-1a]", "net/subnets[eu-west-1b]"]);
}

#[test]
fn dates_are_read_as_people_write_them() {
    let now = At(1_795_442_520_000); // 2026-11-23T14:02:00Z
    for (text, minutes, expected) in [
        ("2026-12-05", 0, "2026-12-05T23:59:59Z"),
        ("2026-12-05", 60, "2026-12-05T22:59:59Z"),
        (" 2026-12-05 ", -300, "2026-12-06T04:59:59Z"),
        ("10 days", 60, "2026-12-03T14:02:00Z"),
        ("36h", 0, "2026-11-25T02:02:00Z"),
    ] {
        assert_eq!(due(text, now, minutes).unwrap().to_string(), expected, "{text}");
    }
    for text in ["", "tomorrow", "5.12.2026", "2026-13-01", "10", "2026-02-30"] {
        assert!(due(text, now, 0).unwrap_err().contains("write 2026-12-05"), "{text}");
    }
}

#[test]
fn a_reminder_says_since_when() {
    let wait = some(Party::Customer, 8, Some(18));
    let text = wait.reminder(At(20 * DAY + 3_600_000));
    assert_eq!(text, "Please open the door.\n\n(Asked 1970-01-09, 12 days ago, due 1970-01-19.)\n");
    assert_eq!(wait.due_in(At(20 * DAY)), "overdue by 2 d");
    assert_eq!(wait.due_in(At(15 * DAY)), "due in 3 d");
}

#[test]
fn nearly_two_days_are_not_called_one() {
    let wait = some(Party::Customer, 8, Some(18));
    let minutes = |days: i64, minutes: i64| At(days * DAY + minutes * 60_000);
    assert_eq!(wait.due_in(minutes(16, 1)), "due in 1 d 23 h");
    assert_eq!(wait.due_in(minutes(17, 1)), "due in 23 h 59 min");
    assert_eq!(wait.due_in(At(18 * DAY)), "due in 0 s", "to the moment it is not over its time");
    assert_eq!(wait.due_in(At(18 * DAY + 1_000)), "overdue by 1 s");
    assert_eq!(wait.due_in(minutes(19, 23 * 60)), "overdue by 1 d 23 h");
}
