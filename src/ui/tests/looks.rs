//! Every theme once, ASCII once, and no colour at all.

use insta::{assert_debug_snapshot, assert_snapshot};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::stage::{Stage, address, text_of};
use crate::engagement::{Event as Fact, Failure};
use crate::runbook::Party;
use crate::ui::look::{Depth, Look};

/// One step of every colour: done, running, waiting, failed, blocked.
fn colourful(look: Look) -> Buffer {
    let mut stage = Stage::with(look, true);
    stage.enter(true);
    for (id, text) in [("eng.customer_name", "Acme"), ("eng.customer_slug", "acme")] {
        stage.give(id, text);
    }
    stage.fact(Fact::AttemptStarted { step: address("network/vpc"), attempt: 1 });
    stage.fact(Fact::Failed {
        step: address("network/gateway"),
        attempt: 1,
        failure: Failure::new("the gateway was refused", "try again"),
    });
    stage.fact(Fact::Waiting {
        step: address("handover/firewall"),
        attempt: 1,
        party: Party::Customer,
        ask: "please".to_owned(),
        said: "not yet".to_owned(),
        who: String::new(),
        due_in: None,
    });
    stage.state.board.jump(&address("network/gateway"));
    stage.buffer(80, 24)
}

fn look(theme: &str) -> Look {
    Look::named(theme, Depth::True, false).unwrap()
}

#[test]
fn dark() {
    assert_debug_snapshot!(colourful(look("dark")));
}

#[test]
fn light() {
    assert_debug_snapshot!(colourful(look("light")));
}

#[test]
fn high_contrast() {
    assert_debug_snapshot!(colourful(look("high-contrast")));
}

#[test]
fn colour_blind() {
    assert_debug_snapshot!(colourful(look("colour-blind")));
}

#[test]
fn ascii() {
    let buffer = colourful(Look::named("dark", Depth::True, true).unwrap());
    let text = text_of(&buffer);
    assert!(text.is_ascii(), "{text}");
    assert_snapshot!(text);
}

#[test]
fn ascii_takes_the_same_cells() {
    let unicode = text_of(&colourful(look("dark")));
    let ascii = text_of(&colourful(Look::named("dark", Depth::True, true).unwrap()));
    let cells = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
    assert_eq!(cells(&unicode), cells(&ascii));
}

#[test]
fn without_colour_no_cell_has_one_and_the_meaning_stays() {
    let buffer = colourful(Look::named("dark", Depth::Without, false).unwrap());
    for cell in buffer.content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
    let has = |modifier| buffer.content().iter().any(|cell| cell.modifier.contains(modifier));
    assert!(has(Modifier::REVERSED) && has(Modifier::UNDERLINED) && has(Modifier::BOLD));
    assert_debug_snapshot!(buffer);
}
