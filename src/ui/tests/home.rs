//! The list of engagements.

use insta::assert_snapshot;

use super::stage::Stage;

#[test]
fn the_list_at_80() {
    assert_snapshot!(Stage::home().screen(80, 24));
}

#[test]
fn the_list_at_120() {
    assert_snapshot!(Stage::home().screen(120, 40));
}

#[test]
fn a_newcomer_is_told_what_to_press() {
    let mut stage = Stage::home();
    stage.state.facts.cards.clear();
    assert_snapshot!(stage.screen(80, 24));
}

#[test]
fn enter_opens_the_one_that_is_marked() {
    let mut stage = Stage::home();
    stage.press(&["Down", "Enter"]);
    assert_eq!(stage.wished(), ["OpenEngagement(\"northwind-dr\")"]);
}

#[test]
fn a_damaged_one_is_not_opened_and_says_why() {
    let mut stage = Stage::home();
    stage.state.facts.cards[0].trouble = Some("the state file is damaged".to_owned());
    stage.press(&["Enter"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(80, 24).contains("open: the state file is damaged"));
}

#[test]
fn a_new_one_needs_a_fitting_name() {
    let mut stage = Stage::home();
    stage.press(&["n"]).write("Acme Prod").press(&["Enter"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(80, 24).contains("small letters, digits and hyphens"));
    stage.press(&["Ctrl-U"]).write("lund-prod").press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("there is an engagement lund-prod already"));
    stage.press(&["Ctrl-U"]).write("lund-test").press(&["Enter"]);
    assert_eq!(stage.wished(), ["CreateEngagement(\"lund-test\")"]);
}

#[test]
fn esc_at_the_top_only_says_how_to_leave() {
    let mut stage = Stage::home();
    stage.press(&["Esc", "Esc"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(80, 24).contains("q quits"));
    stage.press(&["q"]);
    assert_eq!(stage.wished(), ["Quit"]);
}
