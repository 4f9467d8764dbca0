//! What a person may ask for, and what is refused with a reason.

use super::super::{Question, Settlement, State};
use super::*;

fn refused(result: Result<Vec<Event>, Refusal>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn an_input_is_stored_once_and_a_wrong_id_is_answered_with_the_nearest() {
    let mut walk = Walk::new();
    assert_eq!(walk.gives("net.mode", "vpn").unwrap().len(), 1);
    assert_eq!(walk.gives("net.mode", "vpn").unwrap(), [], "the same again is nothing new");
    let (_, value) = walk.value("net.mode", "vpn");
    let wrong = Command::GiveInputs(vec![("net.mod".parse().unwrap(), value)]);
    assert!(refused(walk.wishes(wrong)).contains("Did you mean net.mode?"));
}

#[test]
fn of_several_inputs_all_are_stored_or_none() {
    let mut walk = Walk::new();
    let good = walk.value("net.mode", "vpn");
    let bad = ("net.nothing".parse().unwrap(), good.1.clone());
    assert!(walk.wishes(Command::GiveInputs(vec![good, bad])).is_err());
    assert_eq!(walk.engagement.inputs.len(), 0);
}

#[test]
fn a_sign_off_is_for_a_person_s_step_whose_turn_has_come() {
    let mut walk = Walk::made();
    let sign = |step: &str| Command::SignOff { step: at(step), note: "seen".to_owned() };
    assert!(refused(walk.wishes(sign("net/vpc"))).contains("not for a person"));
    assert!(refused(walk.wishes(sign("net/shown"))).contains("comes after net/port"));
    assert!(refused(walk.wishes(sign("net/line"))).contains("not needed"));
    assert!(refused(walk.wishes(sign("net/shown[x]"))).contains("no step"));
    assert!(refused(walk.wishes(sign("net/showm"))).contains("Did you mean net/shown?"));
    walk.happens([
        done("net/subnets[eu-west-1a]", DoneHow::AlreadySo),
        done("net/subnets[eu-west-1b]", DoneHow::AlreadySo),
        done("net/port", DoneHow::AlreadySo),
    ]);
    for empty in ["", " \t\n"] {
        let nothing = Command::SignOff { step: at("net/shown"), note: empty.to_owned() };
        assert!(refused(walk.wishes(nothing)).contains("needs a note"), "{empty:?}");
    }
    assert_eq!(walk.status("net/shown"), Status::SignOff, "nothing was signed");
    walk.wishes(sign("net/shown")).unwrap();
    assert!(matches!(walk.status("net/shown"), Status::Done { how: DoneHow::SignedOff, .. }));
    let right = Command::SignOff { step: at("net/shown"), note: "seen by Jane".to_owned() };
    walk.wishes(right).unwrap();
    let said = walk.engagement.state(&at("net/shown"));
    assert!(matches!(said, State::Done { evidence, .. } if evidence.said == "seen by Jane"), "the later one counts");
    walk.wishes(Command::Reopen(at("net/shown"))).unwrap();
    assert_eq!(walk.status("net/shown"), Status::SignOff, "a signature can be taken back");
}

/// Nobody signs what nobody can read.
#[test]
fn a_text_that_cannot_be_filled_in_is_not_signed_off() {
    let mut walk = Walk::made();
    walk.runbook = runbook(&SMALL.replace("manual: Show {{ net.vpc_cidr }}.", "manual: \"Show {{ net.zones[7] }}.\""));
    let round = ["net/subnets[eu-west-1a]", "net/subnets[eu-west-1b]", "net/port"];
    walk.happens(round.map(|step| done(step, DoneHow::AlreadySo)));
    assert!(matches!(walk.status("net/shown"), Status::Unclear(_)), "{:?}", walk.status("net/shown"));
    let sign = Command::SignOff { step: at("net/shown"), note: "seen".to_owned() };
    assert!(refused(walk.wishes(sign)).contains("cannot be signed off"));
}

#[test]
fn a_skip_wants_a_reason_and_something_that_is_not_done() {
    let mut walk = Walk::made();
    let skip = |step: &str, reason: &str| Command::Skip { step: at(step), reason: reason.to_owned() };
    assert!(refused(walk.wishes(skip("net/tunnel", "  "))).contains("reason"));
    assert!(refused(walk.wishes(skip("net/vpc", "no time"))).contains("Undo it"));
    assert!(refused(walk.wishes(skip("net/subnets[mars]", "no time"))).contains("no step"));
    walk.wishes(skip("net/tunnel", " later ")).unwrap();
    assert_eq!(walk.status("net/tunnel"), Status::Skipped { reason: "later".to_owned() });
    walk.happens([started("net/port", 1)]);
    assert!(refused(walk.wishes(skip("net/port", "no time"))).contains("running"));
}

#[test]
fn done_things_are_undone_and_looked_at_things_looked_at_again() {
    let mut walk = Walk::made();
    assert!(refused(walk.wishes(Command::Reopen(at("net/vpc")))).contains("Undo it"));
    walk.wishes(Command::Reopen(at("net/caller"))).unwrap();
    assert_eq!(walk.status("net/caller"), Status::Ready);
    walk.happens([started("net/tunnel", 1), failed("net/tunnel", 1)]);
    walk.wishes(Command::Reopen(at("net/tunnel"))).unwrap();
    assert!(walk.wishes(Command::Reopen(at("net/tunnel"))).unwrap().is_empty(), "nothing to do the second time");
    assert!(walk.wishes(Command::Reopen(at("net/tunel"))).is_err());
}

fn asks_for_key(step: &str, openssh: &str) -> Event {
    let question = Question::HostKey {
        hop: "bastion".to_owned(),
        host: "203.0.113.9".to_owned(),
        port: 22022,
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: format!("SHA256:{openssh}"),
        openssh: openssh.to_owned(),
    };
    Event::Asked { step: at(step), attempt: 1, question }
}

#[test]
fn one_accepted_key_answers_every_step_that_asks_for_it_and_no_other() {
    let mut walk = Walk::made();
    walk.happens([
        asks_for_key("net/tunnel", "one"),
        asks_for_key("net/port", "one"),
        asks_for_key("net/subnets[eu-west-1a]", "two"),
    ]);
    walk.wishes(Command::TrustHostKey(at("net/tunnel"))).unwrap();
    assert_eq!(walk.engagement.trusted.len(), 1);
    assert_eq!(walk.engagement.state(&at("net/tunnel")), &State::Idle);
    assert_eq!(walk.engagement.state(&at("net/port")), &State::Idle);
    assert!(matches!(walk.engagement.state(&at("net/subnets[eu-west-1a]")), State::Asked { .. }));
    assert!(refused(walk.wishes(Command::TrustHostKey(at("net/tunnel")))).contains("does not ask"));
}

fn in_doubt(purpose: Purpose, step: &str) -> Walk {
    let mut walk = Walk::made();
    let intent = Event::Intended { step: at(step), intent: intent(3, purpose) };
    walk.happens([intent, stopped(step, 3)]);
    walk
}

fn settle(step: &str, how: Settlement, reason: &str) -> Command {
    Command::Settle { step: at(step), how, reason: reason.to_owned() }
}

#[test]
fn a_doubt_is_settled_by_a_person_with_a_reason() {
    let mut walk = in_doubt(Purpose::Apply, "net/port");
    assert!(refused(walk.wishes(settle("net/port", Settlement::Done, " "))).contains("reason"));
    walk.wishes(settle("net/port", Settlement::Done, "I saw it")).unwrap();
    let record = walk.engagement.record(&at("net/port")).unwrap();
    assert!(matches!(record.state, State::Done { how: DoneHow::SignedOff, .. }));
    assert!(record.pending.is_none() && record.made.is_some());
    assert!(refused(walk.wishes(settle("net/port", Settlement::Retry, ""))).contains("not in doubt"));
}

#[test]
fn a_step_that_finds_values_cannot_be_marked_done_without_them() {
    let mut walk = in_doubt(Purpose::Apply, "net/subnets[eu-west-1a]");
    let said = refused(walk.wishes(settle("net/subnets[eu-west-1a]", Settlement::Done, "I saw it")));
    assert!(said.contains("net.subnet_ids") && said.contains("adopt what is there"), "{said}");
    walk.wishes(settle("net/subnets[eu-west-1a]", Settlement::Retry, "")).unwrap();
    assert_eq!(walk.status("net/subnets[eu-west-1a]"), Status::Ready);
}

#[test]
fn what_no_later_step_needs_can_be_marked_done_without_its_values() {
    let mut walk = in_doubt(Purpose::Apply, "net/subnets[eu-west-1a]");
    walk.runbook = runbook(&SMALL.replace("    needs: [subnets]\n", ""));
    walk.wishes(settle("net/subnets[eu-west-1a]", Settlement::Done, "I saw it")).unwrap();
    assert!(matches!(walk.status("net/subnets[eu-west-1a]"), Status::Done { .. }));
}

#[test]
fn a_doubtful_undo_is_undone_again_or_declared_undone_and_never_done() {
    let mut walk = in_doubt(Purpose::Undo, "net/vpc");
    assert!(refused(walk.wishes(settle("net/vpc", Settlement::Retry, ""))).contains("Undo it again"));
    assert_eq!(walk.engagement.ledger().len(), 1, "it can be undone again");
    walk.wishes(settle("net/vpc", Settlement::Done, "it is gone")).unwrap();
    assert_eq!(walk.status("net/vpc"), Status::Undone);
    assert_eq!(walk.engagement.ledger(), []);
}
