//! The list of engagements.

use insta::assert_snapshot;

use super::stage::{NOW, Stage};
use crate::engagement::{At, Wait};
use crate::runbook::Party;

#[test]
fn the_list_at_80() {
    assert_snapshot!(Stage::home().screen(80, 24));
}

#[test]
fn the_list_at_120() {
    assert_snapshot!(Stage::home().screen(120, 40));
}

#[test]
fn hundreds_of_steps_are_read_whole() {
    let mut stage = Stage::home();
    let tally = &mut stage.state.facts.cards[0].tally;
    (tally.done, tally.total) = (216, 256);
    assert!(stage.screen(80, 24).contains(" 216/256 "), "{}", stage.screen(80, 24));
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

const DAY: i64 = 86_400_000;

fn wait(party: Party, days: i64, due: Option<i64>) -> Wait {
    Wait {
        party,
        who: String::new(),
        since: At(NOW.0 - days * DAY),
        due: due.map(|days| At(NOW.0 + days * DAY)),
        ask: String::new(),
        said: String::new(),
        note: String::new(),
        by_hand: false,
        set: false,
    }
}

fn with_waits() -> Stage {
    let mut stage = Stage::home();
    let cards = &mut stage.state.facts.cards;
    cards[0].waits = vec![("Quota for addresses".to_owned(), wait(Party::Aws, 3, None))];
    cards[1].waits = vec![
        ("Both tunnels are up".to_owned(), wait(Party::Customer, 12, Some(-2))),
        ("The peering is accepted".to_owned(), wait(Party::Customer, 1, Some(9))),
    ];
    stage
}

#[test]
fn waits_are_shown_by_who_must_move_and_what_is_overdue_comes_first() {
    assert_snapshot!(with_waits().screen(80, 24));
}

#[test]
fn the_home_screen_says_who_must_move_since_when_until_when_and_what_they_were_asked() {
    let mut stage = with_waits();
    let tunnels = &mut stage.state.facts.cards[1].waits[0].1;
    tunnels.who = "Jane Doe".to_owned();
    tunnels.ask = "\nPlease load the device configuration that we sent you.\nThen tell us.\n".to_owned();
    let screen = stage.screen(120, 40);
    for said in [
        "Both tunnels are up: customer (Jane Doe), since 2026-11-11 (12 d)",
        "overdue by 2 d",
        "asked: Please load the device configuration that we sent you.",
        "The peering is accepted: customer, since 2026-11-22 (1 d), due in 9 d",
    ] {
        assert!(screen.contains(said), "{said:?} is not in:\n{screen}");
    }
}

#[test]
fn more_waits_than_there_is_room_for_are_counted() {
    let mut stage = with_waits();
    let many = (0..20).map(|number| (format!("Peering {number}"), wait(Party::Customer, 3, Some(4))));
    stage.state.facts.cards[1].waits.extend(many);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("and 18 waits more: Enter shows them") && screen.contains("lund-prod"), "{screen}");
}

#[test]
fn the_list_can_be_narrowed_to_who_must_move() {
    let mut stage = with_waits();
    let mut seen = Vec::new();
    for _ in 0..4 {
        stage.press(&["w"]);
        let screen = stage.screen(120, 40);
        let named = ["acme-prod", "northwind-dr", "lund-prod"];
        let shown = |name: &&str| screen.lines().skip(3).take(4).any(|line| line.contains(*name));
        seen.push(named.into_iter().filter(shown).collect::<Vec<_>>());
    }
    assert_eq!(
        seen,
        [
            vec!["acme-prod", "northwind-dr"],
            vec!["northwind-dr"],
            vec!["acme-prod"],
            vec!["acme-prod", "northwind-dr", "lund-prod"],
        ],
        "us, the customer, AWS, everybody"
    );
    stage.press(&["w", "w", "Enter"]);
    assert_eq!(stage.wished(), ["OpenEngagement(\"northwind-dr\")"], "the cursor is on what is shown");
}
