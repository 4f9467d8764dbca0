//! What is the matter with a step: one key on what failed or waits, and the answer beside it.

use insta::assert_snapshot;

use super::stage::{NOW, Stage, address};
use crate::engagement::{Answered, Asked, At, Diagnosed, Event as Fact, Failure, Placed, Refusal, So};
use crate::engine::Notice;
use crate::runbook::Party;
use crate::ui::event::Event;
use crate::ui::state::update;

const RUNBOOK: &str = "runbook: tunnels
title: Tunnels
phase: line
steps:
  - {id: up, title: Both tunnels are up, probe: tcp, with: {address: 192.0.2.1, port: 22}, diagnosis: tunnel}
  - {id: other, title: Something else, probe: tcp, with: {address: 192.0.2.1, port: 22}}
diagnosis: tunnel
questions:
  - id: door
    ask: Is the door open?
    probe: tcp
    with: {address: 192.0.2.1, port: 22}
    answers:
      - {branch: shut, what: Shut., seen: No light., do: Knock., who: customer}
";

fn failed(step: &str) -> Stage {
    let mut stage = Stage::on(RUNBOOK);
    let step = address(step);
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    let failure = Failure::new("192.0.2.1:22 is silent", "Look at the firewall.");
    stage.fact(Fact::Failed { step: step.clone(), attempt: 1, failure });
    stage.state.board.jump(&step);
    stage.wished();
    stage
}

fn answer(branch: Option<Placed>) -> Notice {
    let answered = Answered { so: So::No, said: "0 of 2 tunnels up".to_owned(), results: Default::default() };
    let asked = Asked { question: "door".to_owned(), ask: "Is the door open?".to_owned(), answered };
    Notice::Diagnosed(Box::new(Diagnosed {
        step: address("line/up"),
        diagnosis: "tunnel".to_owned(),
        title: "Tunnels".to_owned(),
        asked: vec![asked],
        branch,
    }))
}

fn placed() -> Placed {
    Placed {
        branch: "pre-shared-key".to_owned(),
        what: "The pre-shared keys are not the same on both sides.".to_owned(),
        seen: "AWS says: Phase 1: pre-shared key mismatch.".to_owned(),
        todo: "Hand over both keys once more, each with the outside address of its tunnel.".to_owned(),
        who: Party::Customer,
    }
}

#[test]
fn it_is_offered_on_what_failed_and_told_beside_the_step() {
    let mut stage = failed("line/up");
    assert!(stage.screen(80, 24).lines().last().unwrap_or_default().contains("d what is wrong"));
    stage.press(&["d"]);
    assert_eq!(stage.wished(), ["Send(Diagnose(Address { step: StepId(\"line/up\"), key: None }))"]);
    assert!(stage.screen(80, 24).contains("nothing is changed"));
    stage.press(&["d"]);
    assert!(stage.wished().is_empty(), "it is asked once");
    stage.notice(answer(Some(placed())));
    assert_snapshot!(stage.screen(80, 24));
    let top = stage.screen(80, 24);
    stage.press(&["PgDn"]);
    assert_ne!(stage.screen(80, 24), top, "it can be scrolled");
    assert!(stage.screen(80, 24).contains("0 of 2 tunnels up"));
}

#[test]
fn what_was_seen_is_told_and_no_yes_before_it_says_otherwise() {
    let mut stage = failed("line/up");
    stage.press(&["d"]);
    let Notice::Diagnosed(mut diagnosed) = answer(None) else { unreachable!() };
    let told = |so, said: &str| Answered { so, said: said.to_owned(), results: Default::default() };
    let asked = |answered| Asked { question: "port".to_owned(), ask: "Is the port open?".to_owned(), answered };
    diagnosed.asked = vec![
        asked(told(So::Yes, "mail.acme.example:587 is closed")),
        asked(told(So::Unknown, "app-1 does not answer")),
        asked(told(So::No, "")),
    ];
    stage.notice(Notice::Diagnosed(diagnosed));
    let screen = stage.screen(120, 40);
    assert!(screen.contains(" mail.acme.example:587 is closed") && !screen.contains("yes:"), "{screen}");
    assert!(screen.contains("cannot be told: app-1 does not answer"), "{screen}");
    assert!(screen.contains(" no "), "{screen}");
}

#[test]
fn only_its_own_refusal_ends_the_asking() {
    let mut stage = failed("line/up");
    stage.press(&["d"]);
    stage.wished();
    let refusal = Refusal::new("app-1 has no lines", "");
    stage.notice(Notice::Refused(refusal.clone()));
    assert!(stage.screen(120, 24).contains("the matter; nothing is changed"), "something else was refused");
    stage.press(&["d"]);
    assert!(stage.wished().is_empty(), "it is still being asked");
    stage.notice(Notice::Undiagnosed(address("line/up"), refusal));
    stage.press(&["d"]);
    assert_eq!(stage.wished().len(), 1, "it can be asked again");
}

#[test]
fn where_no_branch_fits_nothing_is_guessed() {
    let mut stage = failed("line/up");
    stage.press(&["d"]);
    stage.notice(answer(None));
    let screen = stage.screen(100, 30);
    assert!(screen.contains("nothing is guessed") && screen.contains("0 of 2 tunnels up"), "{screen}");
    stage.fact(Fact::AttemptStarted { step: address("line/up"), attempt: 2 });
    assert!(!stage.screen(100, 30).contains("nothing is guessed"), "another try makes it old");
}

#[test]
fn it_is_not_offered_where_there_is_none() {
    let mut stage = failed("line/other");
    assert!(!stage.screen(80, 24).lines().last().unwrap_or_default().contains("what is wrong"));
    stage.press(&["d"]);
    assert!(stage.wished().is_empty());
    let screen = stage.screen(60, 24);
    let news: Vec<&str> = screen.lines().rev().skip(1).take(2).collect();
    assert!(news[1].contains("what is wrong: the runbook has no"), "{screen}");
    assert!(news[0].contains("diagnosis for this step"), "it is read whole on a small screen, too: {screen}");
    assert!(stage.screen(100, 24).contains("the runbook has no diagnosis for this step"));
    // It answers a key, and would be wrong of the next step.
    update(&mut stage.state, Event::Tick(At(NOW.0 + 5_000)));
    assert!(!stage.screen(100, 24).contains("no diagnosis"));
}
