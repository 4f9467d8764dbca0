//! A login asks: in a box, with the server's words as text, unseen where it wants that, and never anywhere else.

use secrecy::ExposeSecret;

use super::stage::Stage;
use crate::engagement::{LoginLine, LoginQuestion};
use crate::engine::{Notice, Request};
use crate::ui::effect::Effect;

const CANARY: &str = "Kx7canary.Qf93zW";

fn question(number: u64, lines: &[(&str, bool)]) -> LoginQuestion {
    LoginQuestion {
        number,
        asks: "bastion (203.0.113.5:22) asks ops".to_owned(),
        said: vec!["Acme: authorised use only".to_owned()],
        lines: lines.iter().map(|(label, shown)| LoginLine { label: (*label).to_owned(), shown: *shown }).collect(),
    }
}

/// What was answered last: the number, and the texts.
fn answered(stage: &mut Stage) -> Option<(u64, Option<Vec<String>>)> {
    let sent = stage.effects.drain(..).rev().find_map(|effect| match effect {
        Effect::Send(Request::LoginAnswers { number, answers }) => Some((number, answers)),
        _ => None,
    })?;
    let texts =
        |answers: Vec<secrecy::SecretString>| answers.iter().map(|one| one.expose_secret().to_owned()).collect();
    Some((sent.0, sent.1.map(texts)))
}

#[test]
fn several_lines_are_asked_one_after_the_other_and_what_is_unseen_is_never_shown() {
    let mut stage = Stage::answered();
    stage.notice(Notice::LoginAsks(question(7, &[("Password", false), ("Code", true)])));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("A login asks you") && screen.contains("bastion (203.0.113.5:22) asks ops"), "{screen}");
    assert!(screen.contains("Acme: authorised use only") && screen.contains("Password (not shown):"), "{screen}");
    stage.write(CANARY);
    for (width, height) in [(80, 24), (120, 40)] {
        let screen = stage.screen(width, height);
        assert!(!screen.contains("Kx7"), "{screen}");
    }
    assert!(!format!("{:?}", stage.state).contains("Kx7"), "a debug print shows it");
    stage.press(&["Enter"]).write("428915");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Code: 428915") && !screen.contains("Kx7"), "{screen}");
    stage.press(&["Enter"]);
    assert_eq!(answered(&mut stage), Some((7, Some(vec![CANARY.to_owned(), "428915".to_owned()]))));
    assert!(stage.state.popup.is_none());
}

#[test]
fn esc_answers_nothing_and_says_so() {
    let mut stage = Stage::answered();
    stage.notice(Notice::LoginAsks(question(7, &[("Code", false)])));
    stage.write("12").press(&["Esc"]);
    assert_eq!(answered(&mut stage), Some((7, None)));
    assert!(stage.state.popup.is_none());
}

#[test]
fn a_question_waits_for_the_box_that_is_open_and_is_withdrawn_with_its_asker() {
    let mut stage = Stage::answered();
    stage.press(&["?"]);
    stage.notice(Notice::LoginAsks(question(7, &[("Code", false)])));
    assert!(!stage.screen(80, 24).contains("A login asks you"), "help stays open");
    assert!(stage.state.facts.said.text.contains("close this box"), "{}", stage.state.facts.said.text);
    stage.press(&["Esc"]);
    assert!(stage.screen(80, 24).contains("A login asks you"));
    assert_eq!(answered(&mut stage), None, "closing the help was no answer");
    stage.notice(Notice::LoginWithdrawn(6));
    assert!(stage.screen(80, 24).contains("A login asks you"), "another one's");
    stage.notice(Notice::LoginWithdrawn(7));
    assert!(stage.state.popup.is_none());
    assert_eq!(answered(&mut stage), None);
}
