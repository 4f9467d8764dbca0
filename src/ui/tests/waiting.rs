//! The form that says on whom a step waits; and what is shown of a step that AWS makes wait.

use std::time::Duration;

use insta::assert_snapshot;

use super::stage::{NOW, Stage, address};
use crate::engagement::{At, Event as Fact, Status, Wait};
use crate::engine::{Notice, Progress};
use crate::runbook::Party;

fn at_firewall(waits: bool) -> Stage {
    let mut stage = Stage::answered();
    if waits {
        stage.fact(Fact::Waiting {
            step: address("handover/firewall"),
            attempt: 1,
            party: Party::Customer,
            ask: "Please open TCP 22022 to our addresses.".to_owned(),
            said: "no answer".to_owned(),
            who: String::new(),
            due_in: None,
        });
    }
    let step = if waits { "handover/firewall" } else { "network/vpc" };
    stage.state.board.jump(&address(step));
    // What it said is asked for when it is seen.
    stage.screen(80, 24);
    stage.wished();
    stage
}

fn wait(stage: &Stage, step: &str) -> Wait {
    match &stage.state.facts.open.as_ref().unwrap().row(&address(step)).unwrap().status {
        Status::Waiting(wait) => wait.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_says_who_until_when_and_why() {
    let mut stage = at_firewall(true);
    stage.press(&["w"]).write("Jane Doe").press(&["Enter"]).write("never").press(&["Enter"]);
    assert!(stage.wished().is_empty() && stage.state.popup.is_some(), "Enter goes to the next line and sends nothing");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("\"never\" is no date") && screen.contains("Enter next line"), "{screen}");
    stage.press(&["Ctrl-U"]).write("2026-12-05").press(&["Enter"]).write("change board");
    assert!(stage.screen(80, 24).contains("Enter save"), "{}", stage.screen(80, 24));
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Enter"]);
    let found = wait(&stage, "handover/firewall");
    assert_eq!((found.who.as_str(), found.note.as_str()), ("Jane Doe", "change board"));
    assert_eq!(found.due.unwrap().to_string(), "2026-12-05T23:59:59Z");
    stage.press(&["w", "Enter", "Enter", "Enter"]);
    assert!(stage.state.popup.is_none());
    assert_eq!(wait(&stage, "handover/firewall"), found, "what is left alone stays as it is");
}

#[test]
fn a_ready_step_is_put_on_waiting_and_taken_off_again() {
    let mut stage = at_firewall(false);
    stage.press(&["w", "Right", "Right", "Enter", "Enter", "Enter", "Enter"]);
    assert!(stage.screen(80, 24).contains("say why it waits"));
    stage.write("cross connect").press(&["Enter"]);
    let found = wait(&stage, "network/vpc");
    assert_eq!((found.party, found.by_hand), (Party::Colocation, true));
    assert!(stage.screen(120, 40).contains("Enter lets you say that the wait is over"));
    stage.press(&["Enter"]);
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Enter"]);
    let open = stage.state.facts.open.as_ref().unwrap();
    assert_eq!(open.row(&address("network/vpc")).unwrap().status, Status::Ready);
    assert!(stage.screen(80, 24).contains("Waited"), "{}", stage.screen(80, 24));
}

#[test]
fn what_was_asked_is_copied_with_the_days_since() {
    let mut stage = at_firewall(true);
    stage.state.facts.now = At(NOW.0 + 12 * 86_400_000);
    stage.press(&["y"]);
    let wished = stage.wished().concat();
    assert!(wished.contains("Please open TCP 22022 to our addresses."), "{wished}");
    assert!(wished.contains("Asked 2026-11-23, 12 days ago"), "{wished}");
}

#[test]
fn overdue_is_said_in_the_tree() {
    let mut stage = at_firewall(true);
    stage.press(&["w", "Tab"]).write("1 day").press(&["Enter", "Enter"]);
    assert!(!stage.screen(120, 40).contains("overdue"));
    stage.press(&["n"]);
    let here = |stage: &Stage| stage.state.board.address(&stage.state.facts).unwrap().to_string();
    assert_eq!(here(&stage), "network/vpc", "while there is time, the work comes first");
    stage.state.facts.now = At(NOW.0 + 3 * 86_400_000);
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["n"]);
    assert_eq!(here(&stage), "handover/firewall", "then who is late comes before the work");
    stage.press(&["n"]);
    assert_eq!(here(&stage), "network/vpc", "and n goes on from there");
    stage.press(&["n"]);
    assert_eq!(here(&stage), "handover/firewall");
    let screen = stage.screen(120, 40);
    assert!(screen.contains("overdue") && screen.contains("overdue by 2 d"), "{screen}");
}

#[test]
fn a_look_now_is_one_key() {
    let mut stage = at_firewall(true);
    stage.press(&["W"]);
    assert_eq!(stage.wished(), ["Send(Run(Waits))"]);
}

#[test]
fn what_aws_does_not_take_yet_says_why_how_often_it_was_tried_and_until_when_it_goes_on() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    let progress = Progress {
        why: "AWS says IncorrectState. It is on its way from one state to another and cannot do this now.".to_owned(),
        code: Some("IncorrectState".to_owned()),
        raw: "The vpn gateway is not in a valid state.".to_owned(),
        tries: 4,
        since: NOW,
        until: NOW.after(Duration::from_secs(60)),
    };
    stage.notice(Notice::Progress { step: step.clone(), now: Some(progress) });
    stage.press(&["n"]);
    stage.state.facts.now = At(NOW.0 + 12_000);
    assert_snapshot!(stage.screen(80, 24));

    // It went through: nothing of it stays, neither beside the step nor in its row.
    stage.notice(Notice::Progress { step, now: None });
    let screen = stage.screen(80, 24);
    assert!(!screen.contains("IncorrectState") && !screen.contains("Tried"), "{screen}");
}
