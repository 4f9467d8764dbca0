//! Any size, any screen: no panic, and a clear message where there is no room.

use insta::assert_snapshot;

use super::stage::Stage;
use crate::engagement::Question;

fn stages() -> Vec<Stage> {
    let mut list = vec![Stage::home(), Stage::practice(), Stage::answered()];
    let mut form = Stage::open();
    form.press(&["Enter"]).write("Acme").press(&["Enter", "Enter"]);
    let mut plan = Stage::answered();
    plan.press(&["n", "p"]);
    plan.planned();
    plan.press(&["o", "a"]);
    let mut help = Stage::open();
    help.press(&["?"]);
    let mut output = Stage::answered();
    output.press(&["L"]);
    let mut key = Stage::answered();
    let question = Question::HostKey {
        hop: "bastion".to_owned(),
        host: "203.0.113.7".to_owned(),
        port: 22,
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8".to_owned(),
        openssh: "ssh-ed25519 AAAA".to_owned(),
    };
    let step = super::stage::address("network/vpc");
    key.fact(crate::engagement::Event::Asked { step, attempt: 1, question });
    key.press(&["n", "Enter"]);
    let mut wait = Stage::answered();
    wait.press(&["n", "w"]);
    let mut edition = Stage::answered();
    let runbook = super::stage::edition("Nothing is billed before that.", "Nothing is billed before.");
    edition.state.found_edition(crate::ui::facts::Edition { files: Vec::new(), runbook });
    edition.press(&["B"]);
    list.extend([form, plan, help, output, key, wait, edition]);
    list
}

#[test]
fn too_small_is_said_in_words() {
    assert_snapshot!(Stage::open().screen(40, 10));
}

#[test]
fn nothing_is_done_blindly_where_there_is_no_room() {
    let mut stage = Stage::open();
    stage.screen(40, 10);
    stage.press(&["Enter"]).write("blind").paste("blind");
    assert_eq!(stage.state.place, crate::ui::state::Place::Board);
    stage.press(&["Ctrl-C", "Ctrl-C"]);
    assert!(stage.state.leaving, "but it can be left");
    let mut stage = Stage::open();
    stage.screen(40, 10);
    stage.screen(80, 24);
    stage.press(&["Enter"]);
    assert_eq!(stage.state.place, crate::ui::state::Place::Form);
}

#[test]
fn a_title_that_its_line_would_cut_stands_whole_beside_the_tree() {
    let title = "The second router of the data centre takes over within a minute";
    let mut stage = Stage::on(&format!(
        "runbook: long\ntitle: Long\nphase: one\nsteps:\n  - {{id: over, title: {title}, manual: Look.}}\n  \
         - {{id: short, title: Short, manual: Look.}}\n"
    ));
    let beside = |stage: &mut Stage, width, height| {
        let screen = stage.screen(width, height);
        let pane = screen.lines().filter_map(|line| line.split('│').nth(3)).collect::<Vec<_>>().join(" ");
        pane.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    stage.state.board.jump(&super::stage::address("one/over"));
    for (width, height) in [(80, 24), (120, 40)] {
        let pane = beside(&mut stage, width, height);
        assert!(pane.starts_with(title), "{width}: {pane}");
    }
    stage.state.board.jump(&super::stage::address("one/short"));
    let pane = beside(&mut stage, 80, 24);
    assert!(!pane.contains("Short"), "what fits is said once: {pane}");
}

#[test]
fn no_size_breaks_any_screen() {
    for mut stage in stages() {
        for width in (1..=140).step_by(9) {
            for height in (1..=50).step_by(5) {
                stage.buffer(width, height);
            }
        }
    }
}

#[test]
fn the_badge_is_on_every_screen_in_practice() {
    let keys: [&[&str]; 6] = [&[], &["?"], &["p"], &["Enter"], &["L"], &["H"]];
    for keys in keys {
        let mut stage = Stage::practice();
        stage.press(keys);
        for (width, height) in [(60, 16), (80, 24), (120, 40)] {
            let screen = stage.screen(width, height);
            assert!(screen.lines().next().unwrap_or_default().contains("PRACTICE"), "{keys:?}\n{screen}");
        }
    }
}

#[test]
fn moving_about_at_any_size_never_breaks() {
    for mut stage in stages() {
        for (width, height) in [(60, 16), (80, 24), (200, 60)] {
            stage.buffer(width, height);
            for key in ["Down", "PgDn", "Tab", "End", "PgUp", "Up", "Home", "Shift-Tab", "Left", "Right", "Space"] {
                stage.press(&[key]);
                stage.buffer(width, height);
            }
        }
    }
}
