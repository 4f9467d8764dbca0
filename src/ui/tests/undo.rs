//! What was taken back, and what stays for all that.

use super::stage::{NOW, Stage, address};
use crate::engagement::{
    Change, DoneHow, Event as Fact, Evidence, Failure, Refusal, TakeBack, UndoEntry, UndoPlan, Until,
};
use crate::engine::{Notice, Summary};
use crate::ui::runs;

#[test]
fn what_an_undo_lets_be_says_that_it_stays_and_until_when() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    let evidence = Evidence::said("snap-1 is a backup: it is kept until 2027-01-01");
    stage.fact(Fact::Undone { step: step.clone(), attempt: 2, evidence, stays: true });
    stage.state.board.jump(&step);
    let screen = stage.screen(120, 40);
    assert!(screen.contains("kept until 2027-01-01") && screen.contains(" stays"), "{screen}");
    assert!(!screen.contains("undone"), "{screen}");
}

#[test]
fn what_failed_while_it_was_taken_back_is_not_made_again_by_the_way() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.makes_a_vpc(&step);
    stage.fact(Fact::UndoBegan { steps: vec![step.clone()], all: false });
    let failure = Failure { what: "AWS refused DeleteVpc".to_owned(), ..Failure::default() };
    stage.fact(Fact::Failed { step: step.clone(), attempt: 2, failure });
    stage.state.board.jump(&step);
    stage.wished();
    stage.press(&["R"]);
    assert!(stage.wished().is_empty(), "it is taken back, and R goes forward");
    assert!(stage.screen(80, 24).contains("undo half done, 1 step left: u goes on"), "{}", stage.screen(80, 24));

    stage.press(&["Enter"]);
    insta::assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished.len() == 1 && wished[0].starts_with("Send(UndoPlan([Step(Address"), "{wished:?}");
    stage.press(&["Esc", "Enter", "Down", "Enter"]);
    let wished = stage.wished();
    assert!(wished.iter().any(|wish| wish.contains("Reopen(")), "{wished:?}");
}

/// What could go on beside it must not be built upon what is on its way out.
#[test]
fn nothing_goes_forward_while_an_undo_is_half_done() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.makes_a_vpc(&step);
    assert!(runs::can_run_all(&stage.state).is_ok(), "something is ready");
    stage.fact(Fact::UndoBegan { steps: vec![step.clone()], all: false });
    stage.wished();
    stage.press(&["R"]);
    assert!(stage.wished().is_empty(), "R would build on it");
    assert!(stage.screen(80, 24).contains("undo half done, 1 step left: u goes on"), "{}", stage.screen(80, 24));
}

/// Whoever stands on what is undone already is led to the rest.
#[test]
fn an_undo_that_was_cut_off_goes_on_from_wherever_one_stands() {
    let mut stage = Stage::answered();
    let (vpc, gateway) = (address("network/vpc"), address("network/gateway"));
    stage.makes_a_vpc(&vpc);
    stage.fact(Fact::UndoBegan { steps: vec![vpc.clone(), gateway.clone()], all: false });
    stage.fact(Fact::Undone { step: gateway.clone(), attempt: 2, evidence: Evidence::said("gone"), stays: false });
    for step in [&gateway, &vpc] {
        stage.state.board.jump(step);
        stage.wished();
        stage.press(&["u"]);
        let wished = stage.wished();
        assert!(
            wished.len() == 1 && wished[0].contains("\"network/vpc\"") && !wished[0].contains("gateway"),
            "{wished:?}"
        );
        stage.press(&["Esc"]);
    }
}

#[test]
fn whoever_saw_that_it_was_so_has_not_made_it() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    let evidence = Evidence::said("vpc-0a1b is there");
    stage.fact(Fact::Done { step: step.clone(), attempt: 1, how: DoneHow::AlreadySo, evidence, kept: Vec::new() });
    stage.state.board.jump(&step);
    let screen = stage.screen(120, 40);
    assert!(screen.contains("found so by"), "{screen}");
}

#[test]
fn all_that_was_undone_is_wanted_again_with_one_key() {
    let mut stage = Stage::answered();
    stage.wished();
    stage.press(&["Ctrl-R"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(120, 24).contains("redo: nothing was undone"), "{}", stage.screen(120, 24));
    for step in ["network/vpc", "network/gateway"] {
        let evidence = Evidence::said("gone");
        stage.fact(Fact::Undone { step: address(step), attempt: 2, evidence, stays: false });
    }
    stage.press(&["Ctrl-R"]);
    let wished = stage.wished();
    let reopened = wished.iter().filter(|wish| wish.contains("Reopen(")).count();
    assert!(reopened == 2 && wished.last().is_some_and(|wish| wish.contains("Run(All)")), "{wished:?}");
    assert!(stage.screen(120, 24).contains("Again: 2 steps"), "{}", stage.screen(120, 24));
}

#[test]
fn a_phase_is_taken_back_as_a_whole() {
    let mut stage = Stage::answered();
    stage.press(&["2", "u"]);
    assert!(stage.screen(120, 24).contains("it has changed nothing"), "{}", stage.screen(120, 24));
    stage.makes_a_vpc(&address("network/vpc"));
    stage.wished();
    stage.press(&["2", "u"]);
    let wished = stage.wished();
    assert_eq!(wished, ["Send(UndoPlan([Phase(\"network\")]))"], "its steps in their order, in one review");
}

#[test]
fn an_answer_that_something_was_made_with_says_which_key_shows_what_has_to_go() {
    let mut stage = Stage::answered();
    stage.makes_a_vpc(&address("network/vpc"));
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter", "Ctrl-U"]).write("10.50.0.0/16").press(&["Enter"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("network/vpc already ran") && screen.contains("Ctrl-X"), "{screen}");
    stage.wished();
    stage.press(&["Esc"]);
    assert_eq!(
        stage.wished(),
        Vec::<String>::new(),
        "what was refused is not sent again: it would open the form again"
    );
    assert_eq!(stage.state.place, crate::ui::state::Place::Board);
    stage.press(&["Enter"]);
    stage.wished();
    stage.press(&["Ctrl-X"]);
    assert_eq!(stage.wished(), ["Send(UndoPlan([Phase(\"network\")]))"], "all that has to go, in one review");
}

/// The engine answers after a form has closed behind its last answer.
#[test]
fn a_form_that_closed_before_its_answer_was_refused_is_there_again_with_the_key() {
    let mut stage = Stage::answered();
    stage.makes_a_vpc(&address("network/vpc"));
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter"]);
    let value = crate::input::Value::Text("10.50.0.0/16".to_owned());
    stage.state.form.expect_answer("net.vpc_cidr".parse().unwrap(), value);
    stage.press(&["Esc"]);
    assert!(!stage.screen(80, 24).contains("Ctrl-X"), "{}", stage.screen(80, 24));
    let undo = vec!["network".parse().unwrap()];
    let refusal = Refusal { undo, ..Refusal::new("network/vpc already ran with the value that stands now", "Undo it") };
    stage.notice(Notice::Refused(refusal));
    let screen = stage.screen(80, 24);
    assert!(
        screen.contains("network/vpc already ran") && screen.contains("Ctrl-X undo what is in the way"),
        "{screen}"
    );
    stage.wished();
    stage.press(&["Ctrl-X"]);
    assert_eq!(stage.wished(), ["Send(UndoPlan([Phase(\"network\")]))"]);

    // It is approved, and comes to its end: the answer is asked for again, or it would be made anew with the old one.
    stage.state.show(crate::ui::state::Place::Board);
    stage.state.facts.open.as_mut().unwrap().running = true;
    let evidence = Evidence::said("gone");
    stage.fact(Fact::Undone { step: address("network/vpc"), attempt: 2, evidence, stays: false });
    let tally = stage.state.facts.open.as_ref().unwrap().board.tally;
    stage.notice(Notice::Idle(Summary { tally, stopped: false }));
    let screen = stage.screen(80, 24);
    assert_eq!(stage.state.place, crate::ui::state::Place::Form);
    assert!(screen.contains("What was in the way is taken back") && !screen.contains("already ran"), "{screen}");
}

#[test]
fn what_an_undo_loses_for_good_is_said_in_its_row_and_before_it_is_approved() {
    let mut stage = Stage::answered();
    let entry = UndoEntry {
        step: address("network/vpc"),
        title: "The hosts".to_owned(),
        made: NOW,
        doubt: false,
        found: false,
        until: Until::Unused,
        does: TakeBack::Send(vec![Change {
            service: "ec2".to_owned(),
            operation: "TerminateInstances".to_owned(),
            arguments: serde_json::json!({ "InstanceIds": ["i-1"] }),
        }]),
    };
    stage.state.board.jump(&address("network/vpc"));
    stage.state.undo.begin(&mut stage.state.facts, vec![address("network/vpc").into()]);
    stage.state.show(crate::ui::state::Place::Undo);
    let plan = UndoPlan { entries: vec![entry], stays: Vec::new() };
    stage.notice(Notice::UndoPlanned(vec![address("network/vpc").into()], std::sync::Arc::new(plan)));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Care  the host goes, with what is on its disks"), "{screen}");
    stage.press(&["a"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Care   the host goes, with what is on its disks: The hosts"), "{screen}");
}

/// What a run had held before is not laid before somebody who has just stopped an undo: to approve it would build on that.
#[test]
fn an_undo_that_was_stopped_leads_to_no_plan() {
    let held_after = |undoes: bool| {
        let mut stage = Stage::answered();
        let step = address("network/vpc");
        stage.makes_a_vpc(&step);
        let firewall = address("handover/firewall");
        stage.fact(Fact::AttemptStarted { step: firewall.clone(), attempt: 1 });
        stage.fact(Fact::Held { step: firewall, attempt: 1 });
        if undoes {
            stage.fact(Fact::UndoBegan { steps: vec![step], all: false });
        }
        stage.state.show(crate::ui::state::Place::Board);
        stage.state.board.go_along();
        stage.state.facts.open.as_mut().unwrap().running = true;
        let tally = stage.state.facts.open.as_ref().unwrap().board.tally;
        stage.notice(Notice::Idle(Summary { tally, stopped: undoes }));
        stage.state.place
    };
    assert_eq!(held_after(false), crate::ui::state::Place::Plan);
    assert_eq!(held_after(true), crate::ui::state::Place::Board);
}
