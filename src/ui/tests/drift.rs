//! What became of what was done, as a second look finds it.

use super::stage::{Stage, address};
use crate::engagement::{Address, Event as Fact, Finding, FindingKind};
use crate::engine::Notice;

#[test]
fn checking_again_counts_and_names_what_drifted() {
    let mut stage = Stage::answered();
    let drift = |step: &str, kind, said: &str| found(&address(step), kind, said);
    stage.notice(drift("network/vpc", FindingKind::Same, "it is so"));
    assert!(stage.screen(80, 24).contains("Checked again: matches 1"));
    stage.notice(drift("network/gateway", FindingKind::Absent, "it is gone"));
    stage.notice(drift("handover/firewall", FindingKind::Unknown, "no answer"));
    let said = "matches 1, absent 1, unknown 1: The customer opens their firewall; The gateway to the Internet";
    assert!(stage.screen(160, 24).contains(said), "{}", stage.screen(160, 24));
}

#[test]
fn what_nobody_can_tell_is_not_said_to_have_changed() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    let (evidence, how) = (crate::engagement::Evidence::said("made"), crate::engagement::DoneHow::Applied);
    stage.fact(Fact::Done { step: step.clone(), attempt: 1, how, evidence, kept: Vec::new() });
    stage.state.board.jump(&step);
    stage.notice(found(&step, FindingKind::Unknown, "no answer"));
    let screen = stage.screen(120, 40);
    assert!(screen.contains("it could not be looked at again") && !screen.contains("no longer"), "{screen}");
    stage.notice(found(&step, FindingKind::Absent, "it is gone"));
    assert!(stage.screen(120, 40).contains("it is no longer as it was made"), "{}", stage.screen(120, 40));
}

#[test]
fn while_it_is_checked_the_news_say_how_far_it_is() {
    let mut stage = Stage::answered();
    for step in ["network/vpc", "network/gateway"] {
        let (evidence, how) = (crate::engagement::Evidence::said("made"), crate::engagement::DoneHow::Applied);
        stage.fact(Fact::Done { step: address(step), attempt: 1, how, evidence, kept: Vec::new() });
    }
    stage.notice(found(&address("network/vpc"), FindingKind::Same, "it is so"));
    assert!(stage.screen(80, 24).contains("Checked again 1 of 2: matches 1"), "{}", stage.screen(80, 24));
    stage.notice(found(&address("network/gateway"), FindingKind::Same, "it is so"));
    assert!(stage.screen(80, 24).contains("Checked again: matches 2"), "{}", stage.screen(80, 24));
}

fn found(step: &Address, kind: FindingKind, said: &str) -> Notice {
    let finding = Finding { kind, said: said.to_owned(), differences: Vec::new() };
    Notice::Drift { step: step.clone(), finding }
}

#[test]
fn what_drifted_is_marked_in_the_tree_until_it_is_tried_again() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    let evidence = crate::engagement::Evidence::said("made");
    let how = crate::engagement::DoneHow::Applied;
    stage.fact(Fact::Done { step: step.clone(), attempt: 1, how, evidence, kept: Vec::new() });
    assert!(!stage.screen(80, 24).contains("drifted"));
    stage.notice(found(&step, FindingKind::Unknown, "no answer"));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("unknown") && !screen.contains("drifted"), "not to know is no drift: {screen}");
    stage.notice(found(&step, FindingKind::Absent, "it is gone"));
    assert!(stage.screen(80, 24).contains("drifted"), "{}", stage.screen(80, 24));
    assert!(stage.screen(80, 24).contains("done  1 drifted"), "the counts say so, too: {}", stage.screen(80, 24));
    stage.fact(Fact::AttemptStarted { step, attempt: 2 });
    assert!(!stage.screen(80, 24).contains("drifted"));
}
