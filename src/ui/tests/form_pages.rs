//! What a form keeps in reach: what is long is read by pages, and what is wrong is kept.

use super::stage::{Stage, address};

/// A form that offers forty lines.
fn offers() -> (Stage, Vec<String>) {
    let lines: Vec<String> = (0..40).map(|number| format!("offered row {number:02}")).collect();
    let text: String = lines.iter().map(|line| format!("      {line}\n")).collect();
    let mut stage = Stage::on(&format!(
        "runbook: small\ntitle: Small\nphase: network\n\
         inputs:\n  - id: net.note\n    label: Note\n    kind: prose\n    default: |\n{text}\
         steps:\n  - {{id: ask, title: Ask, form: [net.note]}}\n  - {{id: shown, title: Shown, manual: \"Show {{{{ net.note }}}}.\"}}\n"
    ));
    stage.screen(80, 24);
    stage.press(&["Enter"]);
    (stage, lines)
}

fn read(stage: &mut Stage, size: (u16, u16), key: &str) -> String {
    let mut seen = vec![stage.screen(size.0, size.1)];
    for _ in 0..20 {
        seen.push(stage.press(&[key]).screen(size.0, size.1));
    }
    seen.join("\n")
}

#[test]
fn all_of_a_long_offer_is_read_by_pages() {
    let (mut stage, lines) = offers();
    let first = stage.screen(80, 24);
    assert!(first.contains("below: PgDn"), "{first}");
    let seen = read(&mut stage, (80, 24), "PgDn");
    let missing: Vec<&String> = lines.iter().filter(|line| !seen.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let last = stage.screen(80, 24);
    assert!(last.contains("offered row 39") && last.contains("above: PgUp"), "{last}");
    read(&mut stage, (80, 24), "PgUp");
    assert_eq!(stage.screen(80, 24), first, "and back");
}

#[test]
fn all_of_a_long_text_is_read_by_pages() {
    let (mut stage, lines) = offers();
    stage.press(&["Right"]);
    assert!(stage.screen(80, 24).contains("offered row 39"), "the cursor is at its end");
    let seen = read(&mut stage, (80, 24), "PgUp");
    let missing: Vec<&String> = lines.iter().filter(|line| !seen.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_wrong_draft_is_named_when_its_form_is_left_and_stays_while_another_is_filled() {
    let mut stage = Stage::open();
    stage.press(&["Enter"]).write("Acme").press(&["Tab"]).write("Wrong Name").press(&["Tab", "Esc"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Not taken as it stands"), "{screen}");
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter", "Esc"]);
    stage.state.board.jump(&address("start/who"));
    stage.press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("Wrong Name"), "{}", stage.screen(80, 24));
}

#[test]
fn beside_the_form_a_choice_is_named_as_in_the_form() {
    let mut stage = Stage::open();
    stage.give("net.vpc_cidr", "10.40.0.0/16");
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter", "Down"]);
    let screen = stage.screen(120, 40);
    assert!(screen.contains("Offered  a NAT gateway in each zone") && !screen.contains("per_az"), "{screen}");
}
