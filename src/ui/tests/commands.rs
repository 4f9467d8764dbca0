//! The one table: nothing twice, nothing without words, nothing that cannot be pressed.

use std::collections::BTreeSet;

use super::stage::Stage;
use crate::ui::command::{TABLE, keys_markdown};
use crate::ui::keys;
use crate::ui::state::Where;

const PLACES: [Where; 9] = [
    Where::Home,
    Where::Board,
    Where::Output,
    Where::Form,
    Where::Plan,
    Where::Undo,
    Where::Edition,
    Where::Palette,
    Where::Prompt,
];

#[test]
fn ids_are_there_once() {
    let ids: BTreeSet<&str> = TABLE.iter().map(|command| command.id).collect();
    assert_eq!(ids.len(), TABLE.len());
}

#[test]
fn no_key_means_two_things_in_one_place() {
    for place in PLACES {
        let mut seen = BTreeSet::new();
        for command in TABLE.iter().filter(|command| command.is_at(place)) {
            for key in command.keys {
                assert!(seen.insert(*key), "{key} is there twice at {place:?}, again in {}", command.id);
            }
        }
    }
}

#[test]
fn every_key_has_a_name_that_is_understood() {
    for command in TABLE {
        assert!(!command.keys.is_empty() && !command.at.is_empty(), "{}", command.id);
        assert!(!command.label.is_empty() && !command.help.is_empty(), "{}", command.id);
        for key in command.keys {
            assert!(keys::parse(key).is_some(), "{key} of {}", command.id);
        }
    }
}

#[test]
fn every_command_is_in_the_manual() {
    let page = keys_markdown();
    for command in
        TABLE.iter().filter(|command| command.at.iter().any(|place| !matches!(place, Where::Palette | Where::Prompt)))
    {
        assert!(page.contains(command.id), "{}", command.id);
    }
}

#[test]
fn the_page_of_keys_in_docs_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    if std::env::var_os("ONRAMP_WRITE_DOCS").is_some() {
        std::fs::write(path, keys_markdown()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == keys_markdown(), "write docs/keys.md anew: ONRAMP_WRITE_DOCS=1 cargo test --lib page_of_keys");
}

#[test]
fn help_is_always_in_the_footer() {
    let keys: [&[&str]; 5] = [&[], &["p"], &["L"], &["H"], &["Enter"]];
    for keys in keys {
        for width in [60, 80, 120] {
            let mut stage = Stage::answered();
            stage.press(keys);
            let screen = stage.screen(width, 24);
            let footer = screen.lines().last().unwrap_or_default();
            assert!(footer.contains("help"), "{keys:?}: {footer}");
        }
    }
}

#[test]
fn what_is_off_is_not_in_the_footer_and_does_nothing() {
    let mut stage = Stage::open();
    assert!(!stage.screen(120, 24).lines().last().unwrap_or_default().contains("run all"));
    stage.press(&["R"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(120, 24).contains("run all: nothing is ready"));
}

/// Keys pressed at random change nothing outside without a typed word. A run may begin: the engine holds every change
/// that nobody has approved.
#[test]
fn no_accident_writes() {
    let all: Vec<&str> =
        TABLE.iter().flat_map(|command| command.keys.iter().copied()).filter(|key| *key != "H").collect();
    let mut random: u64 = 42;
    let mut stage = Stage::answered();
    stage.press(&["n", "p"]);
    stage.planned();
    for _ in 0..4_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key = all[usize::try_from(random >> 33).unwrap() % all.len()];
        stage.press(&[key]);
    }
    for wish in stage.wished() {
        let writes = ["Undo(", "Approve", "TrustHostKey"].iter().any(|word| wish.contains(word));
        assert!(!writes, "{wish}");
    }
}
