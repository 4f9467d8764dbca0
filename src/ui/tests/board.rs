//! The runbook: where things stand, and what Enter does with each state of a step.

use std::time::Duration;

use insta::assert_snapshot;

use super::stage::{NOW, Stage, address};
use crate::engagement::{
    At, Change, Difference, DoneHow, Event as Fact, Evidence, Failure, Outcome, Purpose, Question, Stays, TakeBack,
    Tally, UndoEntry, UndoPlan, Until,
};
use crate::engine::{Broken, Notice, Progress, Summary};
use crate::runbook::Party;
use crate::ui::event::Event;
use crate::ui::facts::Opened;
use crate::ui::state::Place;

pub fn failed() -> Stage {
    let mut stage = Stage::answered();
    let failure = Failure {
        what: "AWS refused CreateVpc".to_owned(),
        meaning: "the account has five VPCs already".to_owned(),
        advice: "Delete a VPC that nobody uses, or ask for a higher quota; then try again.".to_owned(),
        code: Some("VpcLimitExceeded".to_owned()),
        raw: "The maximum number of VPCs has been reached.".to_owned(),
        changed: Vec::new(),
        ..Failure::default()
    };
    stage.fact(Fact::AttemptStarted { step: address("network/vpc"), attempt: 1 });
    stage.fact(Fact::Failed { step: address("network/vpc"), attempt: 1, failure });
    stage.press(&["n"]);
    stage
}

fn asks_about_a_key() -> Stage {
    let mut stage = Stage::answered();
    let question = Question::HostKey {
        hop: "bastion".to_owned(),
        host: "203.0.113.7".to_owned(),
        port: 22,
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:uR41b8uiEAMjqkaA/0HYhhmRmo2AocWZW82QbpcqEYk".to_owned(),
        openssh: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMFTDVsR2a0tMuA0tR+nFoFT6rb+xle22HH0lnvAkg5h".to_owned(),
    };
    stage.fact(Fact::Asked { step: address("network/vpc"), attempt: 1, question });
    stage.press(&["n"]);
    stage
}

#[test]
fn a_new_engagement_at_80() {
    assert_snapshot!(Stage::practice().screen(80, 24));
}

#[test]
fn a_new_engagement_at_120() {
    assert_snapshot!(Stage::practice().screen(120, 40));
}

#[test]
fn one_pane_at_60() {
    let mut stage = Stage::open();
    let tree = stage.screen(60, 16);
    stage.press(&["Tab"]);
    assert_snapshot!(format!("{tree}\n\n{}", stage.screen(60, 16)));
}

#[test]
fn a_failure_says_what_it_means_and_what_to_do_at_80() {
    assert_snapshot!(failed().screen(80, 24));
}

#[test]
fn a_failure_at_120() {
    assert_snapshot!(failed().screen(120, 40));
}

#[test]
fn a_running_step_shows_its_output() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.press(&["n", "p"]);
    stage.planned();
    stage.press(&["a"]).write("acme").press(&["Enter"]);
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    stage.notice(Notice::Output {
        step: step.clone(),
        attempt: 1,
        from: 0,
        text: "CreateVpc sent\nvpc-0a1b is pending\n".to_owned(),
    });
    let progress = Progress {
        why: "vpc-0a1b is pending".to_owned(),
        code: None,
        raw: String::new(),
        tries: 0,
        since: NOW.after(Duration::from_secs(30)),
        until: NOW.after(Duration::from_secs(630)),
    };
    stage.notice(Notice::Progress { step, now: Some(progress) });
    stage.state.facts.now = At(NOW.0 + 72_000);
    assert_snapshot!(stage.screen(80, 24));
}

#[test]
fn a_wait_says_on_whom_and_since_when() {
    let mut stage = Stage::answered();
    stage.fact(Fact::Waiting {
        step: address("handover/firewall"),
        attempt: 1,
        party: Party::Customer,
        ask: "Please open TCP 22022 to our addresses.".to_owned(),
        said: "192.0.2.10 does not answer on port 22022".to_owned(),
        who: "Network team".to_owned(),
        due_in: Some(864_000),
    });
    stage.state.facts.now = At(NOW.0 + 3_600_000);
    stage.state.board.jump(&address("handover/firewall"));
    assert_snapshot!(stage.screen(80, 24));
    stage.wished();
    stage.press(&["Enter"]);
    assert_eq!(stage.wished().len(), 1, "a step that waits is looked at again, not opened again");
}

#[test]
fn the_next_thing_to_do_is_one_key_away() {
    let mut stage = Stage::open();
    stage.press(&["G", "n"]);
    assert_eq!(stage.state.board.address(&stage.state.facts), Some(address("start/who")));
    stage.press(&["Enter"]);
    assert_eq!(stage.state.place, Place::Form);
}

#[test]
fn what_a_run_may_not_change_yet_leads_to_the_plan() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.wished();
    stage.press(&["n", "Enter"]);
    let wished = stage.wished();
    assert!(wished.len() == 1 && wished[0].contains("Run(Only"), "{wished:?}");
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    stage.fact(Fact::Held { step: step.clone(), attempt: 1 });
    let tally = stage.state.facts.open.as_ref().unwrap().board.tally;
    stage.notice(Notice::Idle(Summary { tally, stopped: false }));
    assert_eq!(stage.state.place, Place::Plan);
    assert_eq!(stage.wished(), ["Send(Plan)"]);
}

#[test]
fn a_person_who_looks_elsewhere_is_not_taken_to_the_plan() {
    let mut stage = Stage::answered();
    stage.press(&["n", "Enter", "G"]);
    stage.fact(Fact::Held { step: address("network/vpc"), attempt: 1 });
    let tally = stage.state.facts.open.as_ref().unwrap().board.tally;
    stage.notice(Notice::Idle(Summary { tally, stopped: false }));
    assert_eq!(stage.state.place, Place::Board);
}

#[test]
fn a_blocked_step_leads_to_what_blocks_it() {
    let mut stage = Stage::answered();
    stage.state.board.jump(&address("network/gateway"));
    stage.press(&["Enter"]);
    assert_eq!(stage.state.board.address(&stage.state.facts), Some(address("network/vpc")));
}

#[test]
fn a_failed_step_is_opened_again_and_run_again() {
    let mut stage = failed();
    stage.wished();
    stage.press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("Reopen"), "{wished:?}");
    assert!(wished[1].contains("Run(Only"), "{wished:?}");
}

#[test]
fn a_host_key_is_trusted_only_by_typing_yes() {
    let mut stage = asks_about_a_key();
    stage.wished();
    stage.press(&["Enter"]);
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Enter"]).paste("yes").press(&["Enter"]);
    assert!(stage.wished().is_empty(), "neither Enter nor a paste is an answer");
    assert!(stage.screen(80, 24).contains("type yes to go on"));
    stage.write("yes").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("TrustHostKey"), "{wished:?}");
    assert!(wished[1].contains("Run(Only"), "{wished:?}");
}

#[test]
fn the_fingerprint_from_a_second_source_is_compared_in_either_form() {
    let mut stage = asks_about_a_key();
    stage.wished();
    stage.press(&["Enter"]).paste("SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8").press(&["Enter"]);
    assert!(stage.wished().is_empty(), "that is another key");
    assert!(stage.screen(80, 24).contains("this is NOT the key that bastion shows"), "{}", stage.screen(80, 24));
    let md5 = "MD5:d7:52:92:20:fb:ca:0f:6b:bf:24:f3:40:01:e2:58:e5";
    for same in [md5, "256 SHA256:uR41b8uiEAMjqkaA/0HYhhmRmo2AocWZW82QbpcqEYk root@app-1 (ED25519)"] {
        let mut stage = asks_about_a_key();
        stage.wished();
        stage.press(&["Enter"]).paste(same).press(&["Enter"]);
        assert!(stage.wished()[0].contains("TrustHostKey"), "{same}");
    }
}

#[test]
fn a_doubt_is_settled_by_looking_or_by_a_reason() {
    let mut stage = Stage::answered();
    in_doubt(&mut stage, "network/vpc");
    stage.press(&["n", "Enter"]);
    assert_snapshot!(stage.screen(80, 24));
    assert!(!stage.screen(80, 24).contains('~'), "each choice is told whole, in a line or more");
    stage.wished();
    stage.press(&["Enter"]);
    assert!(stage.wished()[0].contains("Run(Only"));
    stage.press(&["Enter", "Down"]).write("vpc-0a1b").press(&["Enter"]);
    assert!(stage.wished()[0].contains("Adopt") && stage.state.popup.is_none(), "an id can be given");
    stage.press(&["Enter", "Down", "Down", "Down", "Down", "Enter"]);
    assert!(
        stage.wished()[0].contains("UndoPlan"),
        "taking it back is looked at first, and is the last that is offered"
    );
    let unclear = UndoEntry {
        step: address("network/vpc"),
        title: "The VPC".to_owned(),
        made: At(0),
        doubt: true,
        found: false,
        until: Until::Unused,
        does: TakeBack::Unclear { why: "AWS does not answer".to_owned() },
    };
    let plan = UndoPlan { entries: vec![unclear], stays: Vec::new() };
    stage.notice(Notice::UndoPlanned(vec![address("network/vpc").into()], std::sync::Arc::new(plan)));
    stage.press(&["a"]);
    assert!(stage.state.popup.is_none(), "what nobody can tell is not agreed to");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("AWS does not answer") && screen.contains("nobody can tell"), "{screen}");
}

#[test]
fn the_time_that_is_left_to_look_runs_on_while_the_undo_is_read() {
    let mut stage = Stage::answered();
    stage.state.board.jump(&address("network/vpc"));
    let entry = UndoEntry {
        step: address("network/vpc"),
        title: "The VPC".to_owned(),
        made: NOW,
        doubt: true,
        found: false,
        until: Until::Unused,
        does: TakeBack::NotSeenYet { seconds: 59, changes: Vec::new() },
    };
    stage.state.undo.begin(&mut stage.state.facts, vec![address("network/vpc").into()]);
    stage.state.show(Place::Undo);
    let plan = UndoPlan { entries: vec![entry], stays: Vec::new() };
    stage.notice(Notice::UndoPlanned(vec![address("network/vpc").into()], std::sync::Arc::new(plan)));
    let at = |stage: &mut Stage, seconds: i64| {
        crate::ui::state::update(&mut stage.state, Event::Tick(At(NOW.0 + seconds * 1_000)));
        stage.screen(120, 24)
    };
    let screen = at(&mut stage, 0);
    assert!(screen.contains("looked for for 59 s more"), "{screen}");
    assert!(at(&mut stage, 40).contains("looked for for 19 s more"));
    let screen = at(&mut stage, 60);
    assert!(!screen.contains(" s more") && screen.contains("d looks again"), "{screen}");
}

#[test]
fn done_is_offered_where_nothing_has_to_be_found_out() {
    let mut stage = Stage::answered();
    let found = |stage: &mut Stage, step: &str| {
        stage.fact(Fact::Done {
            step: address(step),
            attempt: 1,
            how: DoneHow::Applied,
            evidence: Evidence::default(),
            kept: Vec::new(),
        });
    };
    stage.give("net.nat_mode", "per_az");
    found(&mut stage, "network/vpc");
    found(&mut stage, "network/gateway");
    in_doubt(&mut stage, "network/addresses[one]");
    stage.state.board.jump(&address("network/addresses[one]"));
    stage.press(&["Enter", "Down", "Down", "Down", "Down"]);
    stage.wished();
    stage.press(&["Enter"]);
    assert!(stage.wished().is_empty(), "done needs a reason");
    assert!(stage.screen(80, 24).contains("What did you see? "), "{}", stage.screen(80, 24));
    stage.write("seen in the console").press(&["Enter"]);
    assert!(stage.wished()[0].contains("seen in the console"));
}

#[test]
fn what_is_in_doubt_is_said_on_opening_whatever_else_is() {
    let mut stage = Stage::answered();
    in_doubt(&mut stage, "network/vpc");
    let open = stage.state.facts.open.as_ref().unwrap();
    let again = Opened::new(open.runbook.clone(), open.engagement.clone());
    stage.state.enter(again);
    stage.state.greet("mk@laptop ended without letting go; it was taken over");
    let screen = stage.screen(160, 24);
    assert!(screen.contains("1 change in doubt: The VPC") && screen.contains("it was taken over"), "{screen}");
}

/// A change was sent, and nobody knows what became of it.
fn in_doubt(stage: &mut Stage, step: &str) {
    let step = address(step);
    let intent = crate::engagement::Intent {
        attempt: 1,
        purpose: Purpose::Apply,
        generation: 0,
        token: "t".to_owned(),
        digest: "d".to_owned(),
        class: crate::engagement::RepeatClass::Token,
        operations: vec!["CreateVpc".to_owned()],
        tags: std::collections::BTreeMap::new(),
        deadline: Some(crate::engagement::At(120_000)),
        before: std::collections::BTreeMap::new(),
    };
    stage.fact(Fact::Intended { step: step.clone(), intent });
    let outcome = Outcome::InDoubt { why: "the connection broke before AWS answered".to_owned() };
    stage.fact(Fact::Concluded { step, attempt: 1, purpose: Purpose::Apply, outcome });
}

#[test]
fn something_else_is_there_shows_both() {
    let mut stage = Stage::answered();
    let differences = vec![Difference {
        what: "range".to_owned(),
        wanted: "10.40.0.0/16".to_owned(),
        found: "10.50.0.0/16".to_owned(),
        diff: String::new(),
    }];
    let question = Question::Different { said: "a VPC of that name has another range".to_owned(), differences };
    stage.fact(Fact::Asked { step: address("network/vpc"), attempt: 1, question });
    stage.press(&["n", "Enter"]);
    assert_snapshot!(stage.screen(80, 24));
}

#[test]
fn a_sign_off_shows_what_is_asked_and_keeps_the_note() {
    let mut stage = Stage::answered();
    let done = Fact::Done {
        step: address("network/vpc"),
        attempt: 1,
        how: DoneHow::Applied,
        evidence: Evidence::said("vpc-0a1b is available"),
        kept: Vec::new(),
    };
    stage.fact(done);
    stage.state.board.jump(&address("handover/sign"));
    stage.press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("report of Acme Insurance PLC"));
    stage.wished();
    stage.press(&["Space", "Enter"]);
    assert!(stage.wished().is_empty() && stage.screen(80, 24).contains("say who saw or did what"), "a note is needed");
    stage.press(&["Ctrl-U"]).write("signed by M. Ruiz").press(&["Enter"]);
    assert!(stage.wished()[0].contains("signed by M. Ruiz"));
    assert!(stage.state.popup.is_none());
    assert!(stage.screen(80, 24).contains("signed off"));
}

#[test]
fn skipping_needs_a_reason() {
    let mut stage = Stage::answered();
    stage.press(&["n", "s", "Enter"]);
    assert!(stage.screen(80, 24).contains("a skipped step needs a reason"));
    stage.write("the customer made it").press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("skipped: the customer made it"));
}

#[test]
fn undo_lists_what_it_takes_back_and_wants_a_word() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.makes_a_vpc(&step);
    stage.state.board.jump(&step);
    stage.wished();
    stage.press(&["u"]);
    assert!(stage.wished()[0].starts_with("Send(UndoPlan([Step(Address"), "it is looked first");
    stage.press(&["a"]);
    assert!(stage.screen(80, 24).contains("onramp still looks"), "nothing is agreed to unseen");
    let call = Change::new("ec2", "DeleteVpc", serde_json::json!({ "VpcId": "vpc-0a1b" }));
    let entry = UndoEntry {
        step: step.clone(),
        title: "The VPC".to_owned(),
        made: At(0),
        until: Until::Unused,
        doubt: false,
        found: false,
        does: TakeBack::Send(vec![call]),
    };
    let stays = vec![(address("network/key"), "The key".to_owned(), Stays::Adopted("key-1".to_owned()))];
    let plan = UndoPlan { entries: vec![entry], stays };
    stage.notice(Notice::UndoPlanned(vec![step.clone().into()], std::sync::Arc::new(plan)));
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["a", "Enter"]);
    assert!(stage.wished().is_empty(), "Enter alone takes nothing back");
    stage.write("acme").press(&["Enter"]);
    assert!(stage.wished()[0].starts_with("Send(Undo([Step(Address"));
}

#[test]
fn ctrl_c_stops_and_pressed_twice_leaves() {
    let mut stage = Stage::answered();
    stage.fact(Fact::AttemptStarted { step: address("network/vpc"), attempt: 1 });
    stage.wished();
    stage.press(&["Ctrl-C"]);
    assert_eq!(stage.wished(), ["Send(Stop)"]);
    stage.press(&["Ctrl-C"]);
    assert_eq!(stage.wished(), ["Quit"]);
    stage.press(&["Ctrl-C"]);
    assert_eq!(stage.wished(), ["QuitAtOnce"]);
}

#[test]
fn leaving_while_steps_run_asks_first() {
    let mut stage = Stage::answered();
    stage.fact(Fact::AttemptStarted { step: address("network/vpc"), attempt: 1 });
    stage.wished();
    stage.press(&["q", "Esc"]);
    assert!(stage.wished().is_empty());
    stage.press(&["q"]).write("yes").press(&["Enter"]);
    assert_eq!(stage.wished(), ["Quit"]);
    stage.notice(Notice::Closed);
    assert_eq!(stage.wished(), ["QuitAtOnce"]);
}

#[test]
fn repeated_steps_fold_under_their_step() {
    let mut stage = Stage::answered();
    stage.give("net.nat_mode", "per_az");
    stage.give("net.nat_count", "2");
    let folded = stage.screen(80, 24);
    assert!(folded.contains("0/2") && !folded.contains(" two "), "{folded}");
    stage.state.board.jump(&address("network/addresses[two]"));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("two"), "{screen}");
    stage.press(&["Space"]);
    let screen = stage.screen(80, 24);
    assert!(!screen.contains(" two "), "{screen}");
}

#[test]
fn watching_a_run_unfolds_nothing() {
    let mut stage = Stage::answered();
    stage.give("net.nat_mode", "per_az");
    stage.give("net.nat_count", "2");
    stage.press(&["R"]);
    let step = address("network/addresses[two]");
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    stage.notice(Notice::Output { step, attempt: 1, from: 0, text: "AllocateAddress\n".to_owned() });
    let screen = stage.screen(80, 24);
    assert!(screen.contains(">▸  ◓ An address") && screen.contains("AllocateAddress"), "{screen}");
}

#[test]
fn an_engagement_that_is_taken_up_again_asks_for_the_output_it_left() {
    let mut stage = failed();
    let open = stage.state.facts.open.clone().unwrap();
    let effects = stage.state.enter(Opened::new(open.runbook, open.engagement));
    assert!(format!("{effects:?}").contains("Page"), "{effects:?}");
}

#[test]
fn no_way_to_aws_is_no_news_before_the_region_is_given() {
    let nowhere = || Notice::Identity(Err("no region is given".to_owned()));
    let mut stage = Stage::open();
    stage.notice(nowhere());
    assert!(!stage.screen(80, 24).contains("No way to AWS"));
    stage.give("aws.region_primary", "eu-west-1");
    stage.notice(nowhere());
    assert!(stage.screen(80, 24).contains("No way to AWS yet: no region is given"));
}

#[test]
fn the_end_of_everything_is_said() {
    let mut stage = Stage::answered();
    let rows = stage.state.facts.open.as_ref().unwrap().board.rows.clone();
    for row in rows.iter().filter(|row| !row.status.settled()) {
        stage.fact(Fact::Skipped { step: row.address.clone(), reason: "not today".to_owned() });
    }
    assert!(stage.screen(80, 24).contains("All 7 steps are done"));
}

#[test]
fn the_end_of_a_run_is_said() {
    let mut stage = Stage::answered();
    let tally = Tally { total: 7, done: 3, person: 1, failed: 1, ..Tally::default() };
    stage.notice(Notice::Idle(Summary { tally, stopped: false }));
    assert!(stage.screen(120, 24).contains("1 step failed; R tries again"));
}

#[test]
fn an_engine_that_cannot_go_on_says_so() {
    let mut stage = Stage::answered();
    stage.fact(Fact::AttemptStarted { step: address("network/vpc"), attempt: 1 });
    assert!(stage.screen(140, 24).contains("1 running"));
    let (why, advice) = ("the folder is gone".to_owned(), "Bring it back, leave, and open it again");
    stage.notice(Notice::Broken(Broken { why, advice, damaged: false }));
    stage.wished();
    for key in ["R", "p", "U", "V", "n", "Ctrl-C"] {
        stage.press(&[key]);
        let screen = stage.screen(140, 24);
        assert!(
            screen.contains("STOPPED") && screen.contains("onramp cannot go on: the folder is gone"),
            "{key}: {screen}"
        );
        assert!(screen.contains("Bring it back, leave, and open it again"), "{key}: {screen}");
        assert!(!screen.contains("1 running"), "{key}: what ran was ended: {screen}");
    }
    assert!(stage.wished().is_empty(), "nothing is asked of an engine that cannot go on");
    stage.state.interrupted = None;
    stage.press(&["q"]);
    assert_eq!(stage.wished(), ["Quit"], "nothing runs that leaving would have to wait for");
}

#[test]
fn what_could_not_go_on_is_opened_anew() {
    let mut stage = Stage::answered();
    stage.notice(Notice::Broken(Broken { why: "the disk is full".to_owned(), advice: "", damaged: false }));
    stage.press(&["Esc"]);
    stage.wished();
    stage.press(&["Enter"]);
    assert_eq!(stage.wished(), ["OpenEngagement(\"acme-prod\")"]);
}

#[test]
fn whoever_reads_along_sees_who_holds_it_and_cannot_change_anything() {
    let mut stage = Stage::answered();
    stage.notice(Notice::HeldBy(Some("joe@sofa (process 7, since today)".to_owned())));
    let screen = stage.screen(100, 24);
    assert!(screen.contains("READING ALONG: joe@sofa holds it") && screen.contains("joe@sofa"), "{screen}");
    stage.wished();
    for key in ["R", "p", "s", "u", "U", "V", "x", "X", "Enter"] {
        stage.press(&[key]);
        assert!(stage.wished().is_empty(), "{key}");
        let screen = stage.screen(100, 24);
        assert!(screen.contains("you are reading along"), "{key}: {screen}");
    }
    // What Enter would do for the holder is not offered to whoever reads along.
    stage.fact(Fact::Failed { step: address("network/vpc"), attempt: 1, failure: Default::default() });
    stage.state.board.jump(&address("network/vpc"));
    let screen = stage.screen(100, 24);
    assert!(!screen.contains("tries it again") && screen.contains("Next    you are reading"), "{screen}");
    // What the holder does is seen.
    stage.fact(Fact::AttemptStarted { step: address("network/vpc"), attempt: 1 });
    assert!(stage.screen(100, 24).contains("1 running"), "{}", stage.screen(100, 24));
    // Their steps are not ours to wait for.
    stage.wished();
    stage.press(&["q"]);
    assert_eq!(stage.wished(), ["Quit"]);
    stage.state.leaving = false;
    stage.notice(Notice::HeldBy(None));
    let screen = stage.screen(100, 24);
    assert!(screen.contains("nobody holds it now") && !screen.contains("1 running"), "{screen}");
}

#[test]
fn news_go_after_five_seconds_and_problems_stay() {
    let mut stage = Stage::answered();
    let at = |seconds: i64| Event::Tick(At(NOW.0 + seconds * 1_000));
    let tick = |stage: &mut Stage, seconds: i64| drop(crate::ui::state::update(&mut stage.state, at(seconds)));
    stage.press(&["V"]);
    assert!(stage.screen(80, 24).contains("Checking every finished step"));
    tick(&mut stage, 4);
    assert!(stage.screen(80, 24).contains("Checking every finished step"));
    tick(&mut stage, 5);
    assert!(!stage.screen(80, 24).contains("Checking every finished step"), "{}", stage.screen(80, 24));
    stage.notice(Notice::Refused(crate::engagement::Refusal::new("no", "Ask")));
    tick(&mut stage, 60);
    assert!(stage.screen(80, 24).contains("no. Ask"), "a problem is not to be missed");
}

#[test]
fn advice_names_this_engagement_and_this_step() {
    let mut stage = failed();
    let failure = Failure {
        what: "AWS refused CreateVpc".to_owned(),
        advice: "onramp settle NAME STEP adopt ID. Or onramp plan NAME --policy.".to_owned(),
        ..Failure::default()
    };
    stage.fact(Fact::Failed { step: address("network/vpc"), attempt: 2, failure });
    let screen = stage.screen(200, 40);
    assert!(screen.contains("onramp settle acme-prod network/vpc adopt ID"), "{screen}");
    assert!(screen.contains("onramp plan acme-prod --policy"), "{screen}");
}
