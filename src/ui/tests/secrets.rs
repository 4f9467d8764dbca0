//! A secret is typed, kept and asked for, and the screen never shows it.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::stage::{NOW, Stage, address};
use crate::engagement::{Engagement, Event as Fact, MissingSecret, Recorded, RunScope, fold};
use crate::engine::{AheadOf, Notice, Request};
use crate::input::{SecretRef, SecretStore};
use crate::ui::effect::Effect;
use crate::ui::facts::Opened;
use crate::ui::screen::prompt::Ask;
use crate::ui::state::Popup;

const CANARY: &str = "Kx7canary.Qf93zW";

const RUNBOOK: &str = r#"
runbook: vpn
title: VPN
phase: vpn
inputs:
  - {id: vpn.name, label: Name, kind: text}
  - {id: vpn.t1_psk, label: Tunnel 1 pre-shared key, kind: secret, use: psk}
steps:
  - {id: keys, title: The keys, form: [vpn.t1_psk, vpn.name]}
"#;

fn form() -> Stage {
    let files = [("vpn.yaml".to_owned(), RUNBOOK.to_owned())];
    let (runbook, problems) = crate::runbook::load(&files, &crate::action::catalog());
    let runbook = Arc::new(runbook.unwrap_or_else(|| panic!("{problems:?}")));
    let mut engagement = Engagement::default();
    let event = Fact::Began { name: "acme-prod".to_owned(), id: "00c0ffee".to_owned(), practice: false };
    fold(&mut engagement, &Recorded { seq: 0, at: NOW, actor: "mk@laptop".to_owned(), event });
    let mut stage = Stage::home();
    stage.state.enter(Opened::new(runbook, engagement));
    stage.state.board.jump(&address("vpn/keys"));
    stage.press(&["Enter"]);
    stage
}

fn unseen(stage: &mut Stage) -> String {
    for (width, height) in [(80, 24), (120, 40)] {
        let screen = stage.screen(width, height);
        assert!(!screen.contains("Kx7") && !screen.contains("Qf93"), "{screen}");
    }
    let state = format!("{:?}", stage.state);
    assert!(!state.contains("Kx7") && !state.contains("Qf93"), "a debug print shows it");
    stage.screen(80, 24)
}

#[test]
fn a_typed_secret_is_not_seen_and_goes_where_a_person_says() {
    let mut stage = form();
    stage.write(CANARY);
    let screen = unseen(&mut stage);
    assert!(screen.contains("[************"), "{screen}");
    stage.press(&["Tab"]);
    assert!(unseen(&mut stage).contains("typed, not kept yet"));
    stage.press(&["Shift-Tab", "Enter"]);
    let screen = unseen(&mut stage);
    assert!(screen.contains("Where is this secret to be kept?") && screen.contains("Secrets Manager"), "{screen}");
    stage.effects.clear();
    stage.press(&["Down", "Enter"]);
    unseen(&mut stage);
    let Some(Effect::Send(Request::KeepSecret { input, store, text })) = stage.effects.pop() else {
        panic!("{:?}", stage.effects)
    };
    assert_eq!((input.as_str(), store), ("vpn.t1_psk", SecretStore::Keyring));
    assert_eq!(text.expose_secret(), CANARY);
    assert!(!format!("{text:?}").contains("Kx7"));
    stage.give_reference("keyring:onramp-acme-prod/vpn.t1_psk");
    assert!(unseen(&mut stage).contains("vpn.t1_psk of onramp-acme-prod in the keyring"));
}

#[test]
fn a_wrong_secret_is_refused_without_being_shown_and_a_reference_is_taken_as_one() {
    let mut stage = form();
    stage.write("Kx7+Qf93 is no key").press(&["Enter"]);
    let screen = unseen(&mut stage);
    assert!(screen.contains("letters, digits"), "{screen}");
    stage.press(&["Ctrl-U"]).paste("age:secrets.age#vpn.t1_psk\n").press(&["Enter"]);
    let open = stage.state.facts.open.as_ref().unwrap();
    assert_eq!(open.engagement.input("vpn.t1_psk").unwrap().shown(), "age:secrets.age#vpn.t1_psk");
}

fn missing(reference: &str, chosen_now: bool) -> MissingSecret {
    MissingSecret { reference: reference.parse().unwrap(), why: "it is wanted".to_owned(), chosen_now }
}

#[test]
fn all_that_is_missing_is_asked_for_in_one_box() {
    let mut stage = form();
    let list =
        vec![missing("passphrase:secrets.age", true), missing("prompt:a.b", false), missing("prompt:c.d", false)];
    stage.notice(Notice::NeedsSecrets { missing: list, ahead_of: AheadOf::Run(RunScope::All) });
    let screen = unseen(&mut stage);
    assert!(screen.contains("3 secrets missing") && screen.contains("the passphrase of secrets.age"), "{screen}");
    stage.effects.clear();
    // A new passphrase is typed twice, and a slip is noticed.
    stage.paste(CANARY).press(&["Enter"]).paste("Kx7 slip").press(&["Enter"]);
    assert!(unseen(&mut stage).contains("not the same"));
    stage.paste(CANARY).press(&["Enter"]).paste(CANARY).press(&["Enter"]);
    stage.paste("Qf93 second").press(&["Enter"]);
    unseen(&mut stage);
    assert!(stage.effects.is_empty(), "nothing is sent before the last is answered");
    stage.press(&["Enter"]);
    assert!(stage.state.popup.is_none());
    let Effect::Send(Request::Secrets(said)) = &stage.effects[0] else { panic!("{:?}", stage.effects) };
    let told: Vec<(String, Option<&str>)> = said
        .iter()
        .map(|(reference, text): &(SecretRef, _)| {
            (reference.to_string(), text.as_ref().map(|text: &secrecy::SecretString| text.expose_secret()))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("passphrase:secrets.age".to_owned(), Some(CANARY)),
            ("prompt:a.b".to_owned(), Some("Qf93 second")),
            ("prompt:c.d".to_owned(), None)
        ]
    );
    assert!(matches!(&stage.effects[1], Effect::Send(Request::Run(RunScope::All))), "{:?}", stage.effects);
    assert!(!format!("{:?}", stage.effects).contains("Kx7"));
}

#[test]
fn a_second_look_goes_on_once_its_secrets_are_said() {
    let mut stage = form();
    let list = vec![missing("passphrase:secrets.age", false)];
    stage.notice(Notice::NeedsSecrets { missing: list, ahead_of: AheadOf::Checks });
    let screen = unseen(&mut stage);
    assert!(screen.contains("The checks of what is done need these"), "{screen}");
    stage.effects.clear();
    stage.paste(CANARY).press(&["Enter"]);
    assert!(matches!(&stage.effects[..], [Effect::Send(Request::Secrets(_)), Effect::Send(Request::Verify)]));
}

#[test]
fn nobody_approves_a_plan_before_its_secrets_are_there() {
    let mut stage = Stage::answered();
    stage.missing = vec![missing("prompt:a.b", false)];
    stage.press(&["n", "p"]);
    stage.planned();
    stage.effects.clear();
    stage.press(&["a"]);
    let Some(Popup::Prompt(prompt)) = &stage.state.popup else { panic!("{:?}", stage.state.popup) };
    let Ask::Secrets { ahead_of: AheadOf::Approval(RunScope::These(steps)), .. } = &prompt.ask else {
        panic!("{prompt:?}")
    };
    assert_eq!(*steps, [address("network/gateway"), address("network/vpc")], "those of the plan, and of no other step");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("1 secret missing") && !screen.contains("Approve the plan"), "{screen}");
    // Whoever meant to approve has typed its word into the wrong box: no secret is called so.
    let word = stage.state.facts.approval_word();
    stage.paste(&word).press(&["Enter"]);
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
    assert!(stage.screen(80, 24).contains("and no secret"), "{}", stage.screen(80, 24));
    stage.paste(CANARY).press(&["Enter"]);
    let [Effect::Send(Request::Secrets(said))] = &stage.effects[..] else { panic!("{:?}", stage.effects) };
    assert!(said[0].1.is_some());
    assert!(unseen(&mut stage).contains("Approve the plan"));
}

#[test]
fn a_plan_that_a_secret_made_old_is_made_anew_before_it_is_approved() {
    let mut stage = Stage::answered();
    stage.missing = vec![missing("prompt:a.b", false)];
    stage.press(&["n", "p"]);
    stage.planned();
    stage.press(&["a"]).paste(CANARY);
    // Meanwhile something is known that the plan did not know.
    stage.give("net.vpc_cidr", "10.60.0.0/16");
    stage.effects.clear();
    stage.press(&["Enter"]);
    assert_eq!(stage.effects.len(), 2, "{:?}", stage.effects);
    assert!(matches!(&stage.effects[1], Effect::Send(Request::Plan)), "{:?}", stage.effects);
    assert!(unseen(&mut stage).contains("made anew"));
}

#[test]
fn esc_leaves_the_box_and_runs_nothing() {
    let mut stage = form();
    stage.effects.clear();
    stage.notice(Notice::NeedsSecrets {
        missing: vec![missing("prompt:a.b", false)],
        ahead_of: AheadOf::Run(RunScope::All),
    });
    stage.paste(CANARY).press(&["Esc"]);
    assert!(!matches!(stage.state.popup, Some(Popup::Prompt(_))));
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
    unseen(&mut stage);
}

#[test]
fn a_known_secret_is_hidden_in_the_frame_whatever_drew_it() {
    let mut stage = form();
    stage.state.say(crate::ui::facts::Said::plain(format!("the host says {CANARY}!")));
    assert!(stage.screen(80, 24).contains(CANARY));
    stage.state.facts.open.as_ref().unwrap().masks.learn(CANARY);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("the host says ****************!"), "{screen}");
}

#[test]
fn a_secret_that_breaks_its_rule_is_refused_where_it_is_typed() {
    let mut stage = form();
    stage.give_reference("prompt");
    stage.effects.clear();
    let missing = vec![missing("prompt:vpn.t1_psk", false)];
    stage.notice(Notice::NeedsSecrets { missing, ahead_of: AheadOf::Run(RunScope::All) });
    stage.paste("Kx7+Qf93 is no key").press(&["Enter"]);
    assert!(unseen(&mut stage).contains("letters, digits"), "{}", stage.screen(80, 24));
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
    stage.paste(CANARY).press(&["Enter"]);
    let Effect::Send(Request::Secrets(said)) = &stage.effects[0] else { panic!("{:?}", stage.effects) };
    assert_eq!(said[0].1.as_ref().map(|text| text.expose_secret()), Some(CANARY));
}

/// What was typed and not kept is not dropped in silence, whichever way one leaves.
#[test]
fn a_typed_secret_that_no_store_has_is_told_to_whoever_leaves() {
    let mut stage = form();
    stage.write(CANARY);
    stage.press(&["Esc"]);
    let screen = unseen(&mut stage);
    assert!(screen.contains("Typed, and kept nowhere yet: Tunnel 1 pre-shared key"), "{screen}");
    let mut stage = form();
    stage.write("abc");
    for _ in 0..8 {
        stage.press(&["Tab"]);
    }
    assert!(!unseen(&mut stage).contains("All answers of this form are given"));
}
