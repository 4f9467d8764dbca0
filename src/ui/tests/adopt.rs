//! A step that failed is given what is there already, by the rules of `onramp settle NAME STEP adopt`.

use insta::assert_snapshot;

use super::board::failed;
use super::stage::{Stage, address};
use crate::engagement::{Event as Fact, LoginLine, LoginQuestion, Refusal};
use crate::engine::Notice;

fn footer(stage: &mut Stage) -> String {
    stage.screen(80, 24).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_failed_step_is_given_what_is_there_by_its_id_and_with_a_reason() {
    let mut stage = failed();
    assert!(footer(&mut stage).contains("A adopt.."), "{}", footer(&mut stage));
    stage.wished();
    stage.press(&["A"]).write("vpc-0a1b").press(&["Enter", "Enter"]);
    assert!(stage.wished().is_empty(), "a reason is needed");
    assert_snapshot!(stage.screen(80, 24));
    stage.write("the customer made it").press(&["Enter"]);
    let wished = stage.wished();
    let said = r#"id: Some("vpc-0a1b"), reason: "the customer made it""#;
    assert!(wished.len() == 1 && wished[0].contains(said), "{wished:?}");
    stage.press(&["Enter"]);
    assert!(stage.wished().is_empty(), "it is asked once");
    assert!(stage.screen(80, 24).contains("onramp looks at it"), "{}", stage.screen(80, 24));
    stage.fact(Fact::Adopted {
        step: address("network/vpc"),
        attempt: 2,
        id: "vpc-0a1b".to_owned(),
        ours: false,
        reason: "the customer made it".to_owned(),
        output: Default::default(),
    });
    assert!(stage.state.popup.is_none(), "it is taken");
    stage.press(&["A"]);
    assert!(stage.state.popup.is_none(), "it has not failed any more");
}

#[test]
fn a_refusal_stands_in_the_box_and_the_id_can_be_mended() {
    let mut stage = failed();
    stage.press(&["A"]).write("vpc-0000").press(&["Enter"]).write("it is ours").press(&["Enter"]);
    let (why, advice) = ("there is no vpc-0000 that could be a VPC".to_owned(), "Give another id".to_owned());
    stage.notice(Notice::Refused(Refusal::new(why, advice)));
    let screen = stage.screen(80, 24);
    assert_eq!(screen.matches("there is no vpc-0000 that could be a VPC. Give another id").count(), 1, "{screen}");
    assert!(screen.contains("ours): vpc-0000"), "{screen}");
    stage.wished();
    stage.press(&["Ctrl-U"]).write("vpc-1111").press(&["Enter", "Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("vpc-1111") && wished[0].contains("it is ours"), "{wished:?}");
}

#[test]
fn without_an_id_it_is_the_one_that_is_ours() {
    let mut stage = failed();
    stage.wished();
    stage.press(&["A", "Enter"]).write("it was there").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("id: None"), "{wished:?}");
}

#[test]
fn what_has_not_failed_cannot_be_given_anything() {
    let mut stage = Stage::answered();
    stage.state.board.jump(&address("network/vpc"));
    assert!(!footer(&mut stage).contains("adopt"), "{}", footer(&mut stage));
    stage.press(&["A"]);
    assert!(stage.state.popup.is_none());
    assert!(stage.screen(80, 24).contains("adopt: this step has not failed"), "{}", stage.screen(80, 24));
}

#[test]
fn a_login_that_asks_meanwhile_does_not_wait_behind_the_box() {
    let mut stage = failed();
    stage.press(&["A", "Enter"]).write("it was there").press(&["Enter"]);
    stage.notice(Notice::LoginAsks(LoginQuestion {
        number: 1,
        asks: "bastion asks ops".to_owned(),
        said: Vec::new(),
        lines: vec![LoginLine { label: "Code".to_owned(), shown: true }],
    }));
    assert!(stage.screen(80, 24).contains("A login asks you"), "{}", stage.screen(80, 24));
}
