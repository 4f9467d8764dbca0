//! The output of a step over the whole screen: a window on as many lines as there are.

use std::collections::BTreeSet;

use super::stage::{Stage, address};
use crate::engagement::{Address, DoneHow, Event as Fact, Evidence, Kept};
use crate::engine::{Find, Found, Hit, Notice, Page};
use crate::ui::facts::Said;

/// A step that was cut off, whose output is not here.
fn stopped() -> (Stage, Address) {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    stage.fact(Fact::Stopped { step: step.clone(), attempt: 1, why: "onramp ended".to_owned() });
    stage.state.facts.open.as_mut().unwrap().forget_output(&step);
    stage.state.board.jump(&step);
    (stage, step)
}

#[test]
fn the_output_of_an_earlier_attempt_is_asked_for_and_paged() {
    let (mut stage, step) = stopped();
    stage.wished();
    stage.press(&["L"]);
    assert!(stage.wished()[0].contains("Page"), "the output is not here: it is asked for");
    let lines = (0..2_000).map(|number| format!("line {number}")).collect();
    stage.notice(Notice::Page(Page { step, attempt: 1, from: 0, lines, total: 2_000 }));
    assert!(stage.screen(80, 24).contains("line 1999"));
    stage.press(&["g"]);
    assert!(stage.screen(80, 24).contains("line 0"));
    stage.press(&["/"]).write("line 1234").press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("in line 1235"));
    stage.press(&["F"]);
    assert!(stage.screen(80, 24).contains("FOLLOW"));
}

/// A step whose output has a million lines, of which some are here.
fn of_a_million(from: usize, here: usize) -> (Stage, Address) {
    let (mut stage, step) = stopped();
    stage.press(&["L"]);
    stage.notice(Notice::Page(lines_of_a_million(&step, from, here)));
    stage.screen(80, 24);
    stage.wished();
    (stage, step)
}

fn lines_of_a_million(step: &Address, from: usize, count: usize) -> Page {
    let lines = (from..from + count).map(|number| format!("line {number} of many")).collect();
    Page { step: step.clone(), attempt: 1, from, lines, total: 1_000_000 }
}

#[test]
fn a_million_lines_are_walked_page_by_page() {
    let (mut stage, step) = of_a_million(999_000, 1_000);
    assert!(stage.screen(80, 24).contains("line 999999 of many"));
    assert!(stage.screen(80, 24).contains("FOLLOW  1000000 lines"), "{}", stage.screen(80, 24));
    stage.press(&["PgUp"]);
    assert!(stage.wished().is_empty(), "all that is near is here");
    stage.press(&["g"]);
    assert!(stage.wished()[0].contains("at: From(0)"));
    stage.press(&["Down"]);
    assert!(stage.wished().is_empty(), "it is asked for once");
    assert!(stage.screen(80, 24).contains("It is read from the state file"), "{}", stage.screen(80, 24));
    stage.notice(Notice::Page(lines_of_a_million(&step, 0, 1_000)));
    assert!(stage.screen(80, 24).contains("lines 2-20 of 1000000"), "{}", stage.screen(80, 24));
    assert!(stage.screen(80, 24).contains("line 1 of many"));
    // What comes meanwhile is counted, and moves nothing.
    stage.notice(Notice::Output { step: step.clone(), attempt: 1, from: 1_000_000, text: "new\n".to_owned() });
    assert!(stage.screen(80, 24).contains("lines 2-20 of 1000001"), "{}", stage.screen(80, 24));
    stage.press(&["G"]);
    assert!(stage.wished()[0].contains("at: Last"));
    let mut last = lines_of_a_million(&step, 999_001, 999);
    last.lines.push("new".to_owned());
    stage.notice(Notice::Page(Page { total: 1_000_001, ..last }));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("new") && screen.contains("FOLLOW"), "{screen}");
    // Back on the board, the small pane reads on where the large one was.
    stage.press(&["PgUp", "Esc"]);
    assert!(!stage.screen(80, 24).contains("FOLLOW"), "{}", stage.screen(80, 24));
    stage.press(&["F"]);
    assert!(stage.screen(80, 24).contains("FOLLOW"));
}

#[test]
fn what_is_not_here_is_looked_for_in_all_of_the_output() {
    let (mut stage, step) = of_a_million(999_000, 1_000);
    stage.press(&["/"]).write("line 5 of").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("Find") && wished[0].contains("from: 1000000, down: true"), "{wished:?}");
    let find = Find { step: step.clone(), attempt: 1, wanted: "line 5 of".to_owned(), from: 1_000_000, down: true };
    assert!(stage.screen(80, 24).contains("Esc stops"));
    let page = lines_of_a_million(&step, 0, 1_000);
    let hit = Some(Hit { line: 5, around: true, page });
    stage.notice(Notice::Found(Found { find: find.clone(), hit }));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("\"line 5 of\" in line 6, from the other end"), "{screen}");
    assert!(screen.contains("lines 6-24 of 1000000") && screen.contains("line 5 of many"), "{screen}");
    assert!(stage.wished().is_empty(), "it came with the lines around it");
    // Nowhere at all.
    stage.press(&["n"]);
    let from = 1_000;
    assert!(stage.wished()[0].contains("from: 1000, down: true"));
    stage.notice(Notice::Found(Found { find: Find { from, ..find.clone() }, hit: None }));
    assert!(stage.screen(80, 24).contains("\"line 5 of\" is not in this output"), "{}", stage.screen(80, 24));
    // Esc leaves the search and not the screen; a late answer changes nothing.
    stage.press(&["N"]);
    stage.wished();
    stage.press(&["Esc"]);
    assert_eq!(stage.wished(), ["Send(StopFinding)"]);
    stage.notice(Notice::Found(Found { find: Find { from: 0, down: false, ..find }, hit: None }));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Stopped looking") && screen.contains("output of"), "{screen}");
}

/// A step that printed nothing and keeps a text.
fn keeps(sheet: &str) -> Stage {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    let value = serde_json::Value::String(sheet.to_owned());
    let evidence = Evidence { facts: [("sheet".to_owned(), value.clone())].into(), ..Evidence::said("written") };
    let kept = vec![Kept { name: "network.sheet".to_owned(), key: None, value }];
    stage.fact(Fact::Done { step: step.clone(), attempt: 1, how: DoneHow::Applied, evidence, kept });
    stage.state.facts.open.as_mut().unwrap().forget_output(&step);
    stage.state.board.jump(&step);
    stage
}

#[test]
fn of_a_text_with_long_lines_every_row_is_reached_and_no_word_is_cut() {
    let words: Vec<String> = (0..700).map(|number| format!("word{number:03}")).collect();
    let lines: Vec<String> = words.chunks(70).map(|line| line.join(" ")).collect();
    let read = |(width, height), key: &str, news: &str| {
        let mut stage = keeps(&lines.join("\n"));
        stage.screen(width, height);
        stage.press(&["L"]);
        stage.state.say(Said::bad(news));
        let mut seen = vec![stage.screen(width, height)];
        loop {
            let next = stage.press(&[key]).screen(width, height);
            if seen.last() == Some(&next) {
                break seen;
            }
            seen.push(next);
        }
    };
    for size in [(80, 24), (120, 40)] {
        for (key, news) in [("PgDn", String::new()), ("PgDn", "bad news ".repeat(30)), ("Down", String::new())] {
            let seen = read(size, key, &news).join("\n");
            let seen: BTreeSet<&str> = seen.split(|c: char| c.is_whitespace() || c == '│').collect();
            let missing: Vec<&String> = words.iter().filter(|word| !seen.contains(word.as_str())).collect();
            assert!(missing.is_empty(), "{size:?} {key}: {missing:?}");
        }
    }
}

/// A step that printed these lines, over the whole screen.
fn printed(lines: &[String]) -> Stage {
    let (mut stage, step) = stopped();
    stage.screen(80, 24);
    stage.press(&["L"]);
    let (lines, total) = (lines.to_vec(), lines.len());
    stage.notice(Notice::Page(Page { step, attempt: 1, from: 0, lines, total }));
    stage
}

#[test]
fn a_long_line_is_read_to_its_last_word_and_found_in_its_middle() {
    let words: Vec<String> = (0..6_000).map(|number| format!("word{number:04}")).collect();
    let mut stage = printed(&["first".to_owned(), words.join(" "), "last".to_owned()]);
    stage.press(&["g"]);
    let mut seen = vec![stage.screen(80, 24)];
    while !seen.last().is_some_and(|screen| screen.contains("FOLLOW")) {
        seen.push(stage.press(&["PgDn"]).screen(80, 24));
    }
    let seen = seen.join("\n");
    let seen: BTreeSet<&str> = seen.split(|c: char| c.is_whitespace() || c == '│').collect();
    let missing: Vec<&String> = words.iter().filter(|word| !seen.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "{} words are missing: {:?}", missing.len(), missing.first());
    stage.press(&["g", "/"]).write("word5432").press(&["Enter"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("\"word5432\" in line 2") && screen.matches("word5432").count() > 1, "{screen}");
}

#[test]
fn a_line_that_is_longer_than_any_view_says_how_much_of_it_is_elsewhere() {
    let mut stage = printed(&["x".repeat(200_000)]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("[and 68928 more bytes, which the state file"), "{screen}");
}

#[test]
fn the_next_place_is_offered_once_something_was_looked_for() {
    let mut stage = printed(&["one".to_owned(), "two".to_owned()]);
    let footer = |stage: &mut Stage| stage.screen(120, 24).lines().last().unwrap_or_default().to_owned();
    assert!(!footer(&mut stage).contains("n next"), "{}", footer(&mut stage));
    stage.press(&["n"]);
    assert!(stage.screen(80, 24).contains("next: / finds text first"), "{}", stage.screen(80, 24));
    stage.press(&["/"]).write("two").press(&["Enter"]);
    assert!(footer(&mut stage).contains("n next"), "{}", footer(&mut stage));
}

#[test]
fn a_text_that_a_step_keeps_is_shown_as_it_is_and_how_it_becomes_a_file() {
    let rows = (1..=40).map(|number| format!("  row {number:<16} tunnel 1             tunnel 2\n"));
    let mut stage = keeps(&format!("The sheet\n\n{}", rows.collect::<String>()));
    let beside = stage.screen(120, 40);
    assert!(beside.contains("sheet: 42 lines, which L shows") && beside.contains("--value network.sheet"), "{beside}");
    stage.press(&["L"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("onramp status acme-prod --value network.sheet > FILE"), "from its beginning: {screen}");
    assert!(screen.contains("  row 1                tunnel 1             tunnel 2"), "in its columns: {screen}");
    stage.press(&["G"]);
    assert!(stage.screen(80, 24).contains("row 40"));
    stage.press(&["/"]).write("row 12 ").press(&["Enter"]);
    let found = stage.screen(80, 24);
    assert!(found.contains("\"row 12\" in line 16"), "the line of the shown text: {found}");
}

#[test]
fn where_there_is_no_output_nothing_of_it_is_offered() {
    let footer = |stage: &mut Stage| stage.screen(120, 24).lines().last().unwrap_or_default().to_owned();
    let mut stage = Stage::open();
    stage.state.board.jump(&address("start/who"));
    assert!(!footer(&mut stage).contains("L output"), "{}", footer(&mut stage));
    stage.press(&["L"]);
    assert!(stage.screen(80, 24).contains("output: a form has no output"), "{}", stage.screen(80, 24));
    let mut stage = Stage::answered();
    stage.state.board.jump(&address("network/vpc"));
    stage.press(&["L"]);
    assert!(!footer(&mut stage).contains("/ find"), "{}", footer(&mut stage));
}
