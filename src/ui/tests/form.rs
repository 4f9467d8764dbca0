//! Forms: nothing typed is ever lost, and what is wrong is said in words under its field.

use insta::assert_snapshot;

use super::stage::{Stage, address};
use crate::engine::Notice;
use crate::ui::state::Place;

/// The form of the address plan.
fn ranges() -> Stage {
    let mut stage = Stage::open();
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter"]);
    assert_eq!(stage.state.place, Place::Form);
    stage
}

fn given(stage: &Stage, id: &str) -> Option<String> {
    stage.state.facts.open.as_ref().unwrap().engagement.input(id).map(crate::input::Value::shown)
}

#[test]
fn the_form_at_80() {
    assert_snapshot!(ranges().screen(80, 24));
}

#[test]
fn the_form_at_120() {
    assert_snapshot!(ranges().screen(120, 40));
}

#[test]
fn a_wrong_answer_stays_and_says_what_why_and_an_example() {
    let mut stage = ranges();
    stage.write("10.0.0.0/8").press(&["Enter"]);
    assert_snapshot!(stage.screen(80, 24));
    assert_eq!(given(&stage, "net.vpc_cidr"), None);
    stage.press(&["Tab"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("10.0.0.0/8"), "the draft stays when the field is left: {screen}");
    stage.press(&["Esc"]);
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("10.0.0.0/8"), "and when the form is left");
}

#[test]
fn what_is_wrong_is_said_while_typing_and_quietly() {
    let mut stage = ranges();
    stage.write("10.0.0.0/8");
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Backspace"]).write("16");
    assert!(!stage.screen(80, 24).contains("is too large"), "{}", stage.screen(80, 24));
    stage.press(&["Enter"]).write("10.0.8.0/24");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("overlap"), "with what was given elsewhere, too: {screen}");
    assert_eq!(given(&stage, "net.onprem_cidrs"), None, "nothing is stored by typing");
}

#[test]
fn a_refused_answer_stays_refused_until_it_is_right() {
    let mut stage = ranges();
    let refused = |stage: &mut Stage| stage.screen(80, 24).lines().any(|line| line.contains('✗'));
    stage.write("10.0.0.0/8").press(&["Enter"]);
    assert!(refused(&mut stage), "{}", stage.screen(80, 24));
    stage.press(&["Backspace"]).write("9");
    assert!(refused(&mut stage), "{}", stage.screen(80, 24));
    stage.press(&["Backspace"]).write("16");
    assert!(!refused(&mut stage), "{}", stage.screen(80, 24));
}

#[test]
fn what_is_offered_is_taken_by_enter_only() {
    let mut stage = ranges();
    stage.press(&["Tab"]);
    assert_eq!(given(&stage, "net.vpc_cidr"), None, "Tab takes nothing");
    stage.press(&["Shift-Tab", "Enter"]);
    assert_eq!(given(&stage, "net.vpc_cidr"), Some("10.40.0.0/16".to_owned()));
}

#[test]
fn what_is_offered_can_be_changed() {
    let mut stage = ranges();
    stage.press(&["Right", "Backspace", "Backspace"]).write("20").press(&["Enter"]);
    assert_eq!(given(&stage, "net.vpc_cidr"), Some("10.40.0.0/20".to_owned()));
}

#[test]
fn a_field_is_saved_as_it_is_left() {
    let mut stage = ranges();
    stage.write("10.50.0.0/16").press(&["Tab"]);
    assert_eq!(given(&stage, "net.vpc_cidr"), Some("10.50.0.0/16".to_owned()));
    stage.write("192.168.0.0/16").press(&["Enter"]).write("172.16.0.0/16").press(&["Esc"]);
    assert_eq!(given(&stage, "net.onprem_cidrs"), Some("192.168.0.0/16, 172.16.0.0/16".to_owned()));
    assert_eq!(stage.state.place, Place::Board);
}

#[test]
fn answers_that_do_not_fit_together_are_refused_at_the_field() {
    let mut stage = ranges();
    stage.write("10.40.0.0/16").press(&["Enter"]).write("10.40.8.0/24").press(&["Tab"]);
    let screen = stage.screen(80, 24);
    assert_eq!(given(&stage, "net.onprem_cidrs"), None);
    assert!(screen.contains("overlap") && screen.contains("VPC range"), "{screen}");
}

#[test]
fn a_dependent_field_comes_and_goes_and_keeps_its_draft() {
    let mut stage = ranges();
    assert!(!stage.screen(80, 24).contains("How many gateways"));
    stage.give("net.nat_mode", "per_az");
    assert!(stage.screen(80, 24).contains("How many gateways"));
    stage.press(&["Tab", "Tab", "Tab"]).write("9").press(&["Shift-Tab"]);
    assert!(stage.screen(80, 24).contains("✗ How many gateways"));
    stage.give("net.nat_mode", "none");
    assert!(!stage.screen(80, 24).contains("How many gateways"));
    stage.give("net.nat_mode", "per_az");
    assert!(stage.screen(80, 24).contains("✗ How many gateways"));
}

#[test]
fn a_choice_is_made_with_arrows_and_enter() {
    let mut stage = ranges();
    stage.press(&["Enter", "Tab"]);
    assert_snapshot!(stage.screen(80, 24));
    stage.press(&["Down", "Enter"]);
    assert_eq!(given(&stage, "net.nat_mode"), Some("none".to_owned()));
}

#[test]
fn a_complete_form_leads_back_to_the_next_thing() {
    let mut stage = Stage::open();
    stage.press(&["Enter"]).write("Acme").press(&["Enter"]).write("acme").press(&["Enter"]);
    assert_eq!(stage.state.place, Place::Board);
    assert_eq!(stage.state.board.address(&stage.state.facts), Some(address("start/where")));
}

#[test]
fn tab_leaves_a_field_of_many_lines_and_at_the_end_the_form() {
    let mut stage = Stage::on(
        "runbook: small\ntitle: Small\nphase: network\n\
         inputs:\n  - {id: net.ranges, label: Ranges, kind: cidr-list}\n\
         steps:\n  - {id: ask, title: Ask, form: [net.ranges]}\n  - {id: shown, title: Shown, manual: \"Show {{ net.ranges }}.\"}\n",
    );
    stage.press(&["Enter", "Tab"]);
    assert_eq!(stage.state.place, Place::Form, "nothing is given yet");
    stage.write("192.168.0.0/16").press(&["Enter"]).write("172.16.0.0/12");
    assert!(stage.screen(80, 24).contains("Tab done"), "{}", stage.screen(80, 24));
    stage.press(&["Tab"]);
    assert_eq!(stage.state.place, Place::Board);
    assert_eq!(given(&stage, "net.ranges"), Some("192.168.0.0/16, 172.16.0.0/12".to_owned()));
}

#[test]
fn a_form_that_ends_with_an_optional_field_leads_on_too() {
    let mut stage = Stage::open();
    stage.give("net.vpc_cidr", "10.40.0.0/16");
    stage.give("net.nat_mode", "none");
    stage.state.board.jump(&address("network/ranges"));
    stage.press(&["Enter", "Tab", "Tab", "Enter"]);
    assert_eq!(stage.state.place, Place::Board);
    assert_eq!(stage.state.board.address(&stage.state.facts), Some(address("start/who")));
}

#[test]
fn a_form_of_which_nothing_is_needed_closes_when_it_was_gone_through() {
    let mut stage = Stage::on(
        "runbook: small\ntitle: Small\nphase: network\n\
         inputs:\n  - {id: net.note, label: Note, kind: text, optional: true}\n\
         steps:\n  - {id: extras, title: Extras, form: [net.note]}\n  - {id: shown, title: Shown, manual: \"Show {{ net.note | default('it') }}.\"}\n",
    );
    let status = |stage: &Stage| {
        let open = stage.state.facts.open.as_ref().unwrap();
        open.row(&address("network/extras")).unwrap().status.word()
    };
    stage.state.board.jump(&address("network/extras"));
    assert!(stage.screen(80, 24).contains("Asks    Note"), "{}", stage.screen(80, 24));
    stage.press(&["Enter", "Esc"]);
    assert_eq!(status(&stage), "needs input", "to look at it is not to accept it");
    stage.press(&["Enter", "Enter"]);
    assert_eq!((status(&stage), stage.state.place), ("done", Place::Board));
}

#[test]
fn a_refusal_of_the_engine_goes_to_its_field() {
    let mut stage = ranges();
    stage.press(&["Enter"]);
    stage
        .state
        .form
        .expect_answer("net.vpc_cidr".parse().unwrap(), crate::input::Value::Text("10.50.0.0/16".to_owned()));
    let why = "network/vpc already ran with the value that stands now";
    let refusal = crate::engagement::Refusal::new(why, "Undo that step first");
    stage.notice(Notice::Refused(refusal));
    assert!(stage.screen(80, 24).contains("already ran with the value"));
}

#[test]
fn letters_are_text_and_f1_is_help() {
    let mut stage = Stage::open();
    stage.press(&["Enter"]).write("q?:x");
    assert!(stage.screen(80, 24).contains("q?:x"));
    stage.press(&["F1"]);
    assert!(stage.screen(80, 24).contains("Help:"));
    stage.press(&["Esc"]);
    assert!(stage.screen(80, 24).contains("q?:x"));
}

#[test]
fn a_paste_is_text_and_never_a_command() {
    let mut stage = ranges();
    stage.press(&["Tab"]).paste("192.168.0.0/16\r\n172.16.0.0/16\x1b[201~\rq");
    assert!(stage.state.form.takes_answer_of("net.onprem_cidrs", "192.168.0.0/16\n172.16.0.0/16[201~\nq"));
    stage.press(&["Ctrl-7"]);
    assert!(stage.state.form.takes_answer_of("net.onprem_cidrs", ""), "undo takes the paste back");
}

#[test]
fn a_cleared_answer_is_forgotten() {
    let mut stage = ranges();
    stage.press(&["Enter", "Shift-Tab", "Ctrl-U", "Tab"]);
    assert_eq!(given(&stage, "net.vpc_cidr"), None);
}

/// What the tunnels agree on, in short: many of many, a label that is too long, and a field that an answer brings up.
const TUNNEL: &str = r#"
runbook: tunnel
title: Tunnel
phase: tunnel
inputs:
  - id: vpn.crypto
    label: Algorithms
    kind: choices
    optional: true
    choices: [AES256, AES128, SHA2-256, DH14]
    default: AES256, SHA2-256, DH14
  - id: vpn.mode
    label: Mode
    kind: choice
    choices: [one, two]
    default: one
  - {id: vpn.second, label: A second router, kind: text, optional: true, when: vpn.mode == "two"}
  - {id: vpn.address, label: Outside address of the customer's router in the data centre, kind: text, default: here}
steps:
  - {id: tunnel, title: What the tunnel agrees on, form: [vpn.crypto, vpn.mode, vpn.second, vpn.address]}
"#;

/// A form whose first answer says what else is asked.
const KIND_OF_LINE: &str = r#"
runbook: line
title: Line
phase: line
inputs:
  - {id: dx.kind, label: Kind, kind: choice, choices: [hosted, dedicated]}
  - {id: dx.place, label: Place, kind: text, when: dx.kind == "dedicated"}
steps:
  - {id: line, title: Which line, form: [dx.kind, dx.place]}
"#;

#[test]
fn a_form_stays_open_for_what_its_last_answer_brings_up() {
    let typed = KIND_OF_LINE.replace("kind: choice, choices: [hosted, dedicated]", "kind: text");
    for (runbook, key) in [(KIND_OF_LINE, "Enter"), (typed.as_str(), "Tab")] {
        let mut stage = Stage::on(runbook);
        stage.state.board.jump(&address("line/line"));
        stage.press(&["Enter"]);
        match key {
            "Enter" => stage.press(&["Down"]),
            _ => stage.write("dedicated"),
        };
        stage.press(&[key]);
        assert_eq!(given(&stage, "dx.kind"), Some("dedicated".to_owned()), "{key}");
        assert_eq!(stage.state.place, Place::Form, "{key}");
        stage.write("EqDC2");
        assert!(stage.screen(80, 24).contains("EqDC2"), "{key}: {}", stage.screen(80, 24));
        stage.press(&[key]);
        assert_eq!(stage.state.place, Place::Board, "{key}: it is complete");
    }
    let mut stage = Stage::on(KIND_OF_LINE);
    stage.state.board.jump(&address("line/line"));
    stage.press(&["Enter", "Enter"]);
    assert_eq!((stage.state.place, given(&stage, "dx.kind").as_deref()), (Place::Board, Some("hosted")));
}

fn tunnel() -> Stage {
    let mut stage = Stage::on(TUNNEL);
    stage.state.board.jump(&address("tunnel/tunnel"));
    // It opens on the first field that wants something.
    stage.press(&["Enter", "Shift-Tab"]);
    stage
}

#[test]
fn of_many_what_is_offered_is_seen_and_taken_whole() {
    let mut stage = tunnel();
    let screen = stage.screen(80, 24);
    for words in
        ["[ ] AES256  (offered)", "[ ] AES128 ", "[ ] DH14  (offered)", "Enter take what is offered  Space mark"]
    {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    stage.press(&["Enter"]);
    assert_eq!(given(&stage, "vpn.crypto"), Some("AES256, SHA2-256, DH14".to_owned()));
    stage.press(&["Shift-Tab", "Down", "Space"]);
    assert!(stage.screen(80, 24).contains("Enter take what is marked"), "{}", stage.screen(80, 24));
    stage.press(&["Enter"]);
    assert_eq!(given(&stage, "vpn.crypto"), Some("AES256, AES128, SHA2-256, DH14".to_owned()));
}

#[test]
fn a_label_that_does_not_fit_is_whole_where_one_writes() {
    let mut stage = tunnel();
    stage.press(&["Enter", "Enter"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("> » Outside address of the customer's router in the data centre"), "{screen}");
    stage.write("there");
    let screen = stage.screen(80, 24);
    let (_, below) = screen.split_once("router in the data centre").expect("the label is still whole");
    assert!(below.contains("[there"), "{screen}");
    stage.press(&["Enter"]);
    assert_eq!(given(&stage, "vpn.address"), Some("there".to_owned()));
}

#[test]
fn what_an_answer_brings_up_comes_next() {
    let mut stage = tunnel();
    stage.press(&["Enter", "Down", "Enter"]);
    stage.write("192.0.2.1").press(&["Enter"]);
    assert_eq!(given(&stage, "vpn.second"), Some("192.0.2.1".to_owned()), "{}", stage.screen(80, 24));
}

#[test]
fn what_does_not_fit_together_is_refused_with_an_example_that_does() {
    let refused = |vpc: &str, own: &str| {
        let mut stage = ranges();
        stage.write(vpc).press(&["Enter"]).write(own).press(&["Tab"]);
        let screen = stage.screen(80, 24).replace('│', " ");
        let words: Vec<&str> = screen.split_whitespace().collect();
        let (_, problem) = words.join(" ").split_once("overlap").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        problem.split_once("(together with: VPC range)").expect("whose it is").0.to_owned()
    };
    let said = refused("10.40.0.0/16", "10.40.8.0/24");
    assert!(said.contains("For example: 10.41.0.0/16"), "{said}");
    // The field's own example would be refused here.
    let said = refused("192.168.0.0/16", "192.168.8.0/24");
    assert!(said.contains("For example: 10.40.0.0/16"), "{said}");
}

#[test]
fn what_is_known_to_be_answered_is_shown_and_a_typing_error_is_told() {
    let yaml = "runbook: small\ntitle: Small\nphase: one\n\
        inputs:\n  - id: vpn.vendor\n    label: Maker of the router\n    kind: text\n    known: \"{{ '' | vpn_devices | pluck('vendor') | unique }}\"\n\
        steps:\n  - {id: router, title: Router, form: [vpn.vendor]}\n";
    let mut stage = Stage::on(yaml);
    stage.state.board.jump(&address("one/router"));
    stage.press(&["Enter"]);
    let screen = stage.screen(80, 24);
    assert!(
        screen.contains("Known: Barracuda; Checkpoint; ") && screen.contains("more, which typing finds"),
        "{screen}"
    );
    stage.write("fort");
    assert!(stage.screen(80, 24).contains("Known: Fortinet"), "{}", stage.screen(80, 24));
    stage.press(&["Backspace", "Backspace", "Backspace", "Backspace"]).write("Fortinett");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("did you mean Fortinet?"), "{screen}");
    stage.press(&["Enter"]);
    assert_eq!(given(&stage, "vpn.vendor").as_deref(), Some("Fortinett"), "it is no limit");
}

/// Answers that AWS may ask about, or that fit together only with others.
const LINE: &str = r#"
runbook: line
title: Line
phase: line
inputs:
  - {id: vpn.customer_asn, label: AS number, kind: asn}
  - id: dx.kind
    label: Kind
    kind: choice
    choices: [{value: hosted, label: hosted}, {value: dedicated, label: a port of its own}]
  - id: dx.bandwidth
    label: Speed
    kind: choice
    choices: [{value: 100Gbps, label: 100 Gbit/s}, {value: 1Gbps, label: 1 Gbit/s}]
steps:
  - {id: line, title: The line, form: [vpn.customer_asn, dx.kind, dx.bandwidth]}
"#;

#[test]
fn what_is_strange_about_an_answer_is_said_as_long_as_it_stands() {
    let mut stage = Stage::on(LINE);
    stage.press(&["Enter"]).write("3356");
    let warned = |stage: &mut Stage| {
        let screen = stage.screen(80, 24);
        let line = screen.lines().find(|line| line.contains("AS number  ")).unwrap_or_default().to_owned();
        assert!(screen.contains("is a public AS number"), "{screen}");
        line
    };
    warned(&mut stage);
    stage.press(&["Enter"]);
    assert_eq!(given(&stage, "vpn.customer_asn").as_deref(), Some("3356"));
    assert!(!warned(&mut stage).contains('✓'), "{}", stage.screen(80, 24));
    stage.press(&["Shift-Tab", "Tab"]);
    warned(&mut stage);
    stage.press(&["Esc"]);
    stage.state.board.jump(&address("line/line"));
    stage.press(&["Enter"]);
    warned(&mut stage);
    stage.press(&["Shift-Tab", "Ctrl-U"]).write("65010").press(&["Tab"]);
    let screen = stage.screen(80, 24);
    assert!(!screen.contains("public AS number") && screen.contains("✓ AS number"), "{screen}");
}

#[test]
fn a_refusal_goes_with_what_it_was_about() {
    let mut stage = Stage::on(LINE);
    let refused = |stage: &mut Stage| stage.screen(80, 24).contains("is no speed of a hosted connection");
    stage.press(&["Enter", "Tab", "Enter", "Enter"]);
    assert!(refused(&mut stage), "{}", stage.screen(80, 24));
    stage.press(&["Shift-Tab"]);
    assert!(refused(&mut stage), "it is still so");
    stage.press(&["Down", "Enter"]);
    assert_eq!(given(&stage, "dx.kind").as_deref(), Some("dedicated"));
    assert!(!refused(&mut stage), "{}", stage.screen(80, 24));
    stage.press(&["Shift-Tab", "Up", "Enter", "Enter"]);
    assert!(refused(&mut stage), "{}", stage.screen(80, 24));
    stage.press(&["Down"]);
    assert!(!refused(&mut stage), "another choice was not refused: {}", stage.screen(80, 24));
}

#[test]
fn of_many_the_refusal_follows_the_marks() {
    let mut stage = tunnel();
    stage.press(&["Space", "Enter"]);
    let said = |stage: &mut Stage| stage.screen(80, 24).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said(&mut stage).contains("no algorithm for integrity and key exchange"), "{}", said(&mut stage));
    stage.press(&["Down", "Down", "Space"]);
    assert!(said(&mut stage).contains("no algorithm for key exchange"), "{}", said(&mut stage));
    stage.press(&["Down", "Space"]);
    assert!(!said(&mut stage).contains("no algorithm"), "{}", said(&mut stage));
}

#[test]
fn a_draft_that_fits_by_now_says_that_it_is_not_taken_yet() {
    let mut stage = ranges();
    stage.write("10.40.0.0/16").press(&["Enter"]).write("10.40.8.0/24").press(&["Tab"]);
    assert!(stage.screen(80, 24).contains("together with"));
    stage.give("net.vpc_cidr", "10.50.0.0/16");
    let screen = stage.screen(80, 24);
    assert!(!screen.contains("together with") && screen.contains("This fits now"), "{screen}");
    stage.press(&["Shift-Tab", "Tab"]);
    assert_eq!(given(&stage, "net.onprem_cidrs").as_deref(), Some("10.40.8.0/24"));
    assert!(!stage.screen(80, 24).contains("This fits now"), "{}", stage.screen(80, 24));
}

#[test]
fn the_bar_names_no_key_that_does_nothing() {
    let bar = |stage: &mut Stage| stage.screen(120, 24).lines().last().unwrap_or_default().to_owned();
    let one = |field: &str| {
        let mut stage = Stage::on(&format!(
            "runbook: small\ntitle: Small\nphase: one\ninputs:\n  - {{id: net.one, label: One, {field}}}\n\
             steps:\n  - {{id: ask, title: Ask, form: [net.one]}}\n  - {{id: look, title: Look, manual: Look.}}\n"
        ));
        stage.state.board.jump(&address("one/ask"));
        stage.press(&["Enter"]);
        assert_eq!(stage.state.place, Place::Form);
        stage
    };
    for field in ["kind: choice, choices: [a, b]", "kind: text, optional: true", "kind: text"] {
        let mut stage = one(field);
        assert!(!bar(&mut stage).contains("Tab"), "{field}: {}", bar(&mut stage));
        stage.press(&["Tab"]);
        assert!(stage.screen(80, 24).contains("there is no other field"), "{}", stage.screen(80, 24));
    }
    let mut stage = one("kind: text");
    stage.write("it");
    assert!(bar(&mut stage).contains("Tab done"), "{}", bar(&mut stage));
    stage.press(&["Tab"]);
    assert_eq!(stage.state.place, Place::Board);
    let mut stage = ranges();
    assert!(!bar(&mut stage).contains("Shift-Tab"), "there is no field before: {}", bar(&mut stage));
    stage.press(&["Enter", "Tab"]);
    assert!(bar(&mut stage).contains("Tab next  Shift-Tab back"), "{}", bar(&mut stage));
    stage.give("net.nat_mode", "none");
    assert!(bar(&mut stage).contains("Tab done"), "{}", bar(&mut stage));
}

/// What Amazon reads once: longer than any line.
fn long_text() -> (Vec<String>, String) {
    let words: Vec<String> = (0..160).map(|number| format!("word{number:03}")).collect();
    let yaml = format!(
        "runbook: small\ntitle: Small\nphase: mail\n\
         inputs:\n  - {{id: ses.use_case, label: What the mail is for, kind: prose, default: \"{}\"}}\n  \
         - {{id: ses.website, label: Website, kind: text, default: \"{}\"}}\n\
         steps:\n  - {{id: ask, title: Ask, form: [ses.use_case, ses.website]}}\n",
        words.join(" "),
        words[..12].join(" "),
    );
    (words, yaml)
}

fn missing<'w>(words: &'w [String], shown: &str) -> Vec<&'w String> {
    words
        .iter()
        .filter(|word| !shown.split(|c: char| !c.is_alphanumeric()).any(|there| there == word.as_str()))
        .collect()
}

#[test]
fn a_long_text_is_read_whole_in_its_field() {
    let (words, yaml) = long_text();
    for (width, height) in [(80, 24), (120, 40)] {
        let mut stage = Stage::on(&yaml);
        stage.screen(width, height);
        stage.press(&["Enter"]);
        let mut offered = stage.screen(width, height);
        for _ in 0..20 {
            offered.push_str(&stage.press(&["PgDn"]).screen(width, height));
        }
        assert_eq!(missing(&words, &offered), Vec::<&String>::new(), "{offered}");
        // Right puts it into the field, with the cursor at its end; Up goes through it row by row.
        stage.press(&["Right"]);
        let mut seen = vec![stage.screen(width, height)];
        for _ in 0..60 {
            seen.push(stage.press(&["Up"]).screen(width, height));
        }
        assert_eq!(missing(&words, &seen.join("\n")), Vec::<&String>::new(), "{width}: {}", seen[0]);
        assert!(stage.screen(width, height).contains("word000"), "it stays in the field's first row");
        // A line that is too long for its field has more rows, too.
        stage.press(&["Tab"]);
        let offered = stage.screen(width, height);
        assert_eq!(missing(&words[..12], &offered), Vec::<&String>::new(), "{offered}");
        stage.press(&["Enter"]);
        stage.state.board.jump(&address("mail/ask"));
        stage.press(&["Enter", "Shift-Tab", "Shift-Tab", "Tab"]);
        let saved = stage.screen(width, height);
        assert_eq!(missing(&words[..12], &saved), Vec::<&String>::new(), "{saved}");
    }
}

#[test]
fn yes_and_no_are_answered_by_their_letters() {
    let yaml = "runbook: small\ntitle: Small\nphase: one\n\
        inputs:\n  - {id: net.nat, label: Behind NAT, kind: yes-no, default: \"yes\"}\n\
        steps:\n  - {id: nat, title: NAT, form: [net.nat]}\n";
    for (typed, stored) in [("no", "no"), ("yes", "yes"), ("N", "no")] {
        let mut stage = Stage::on(yaml);
        stage.state.board.jump(&address("one/nat"));
        stage.press(&["Enter"]).write(typed).press(&["Enter"]);
        assert_eq!(given(&stage, "net.nat").as_deref(), Some(stored), "{typed}");
    }
}

#[test]
fn a_part_of_a_name_finds_the_names_that_hold_it() {
    let known = ["Barracuda", "Cisco Systems, Inc.", "Fortinet"].map(str::to_owned);
    let said = |answer: &str| crate::engagement::unheard_of(&known, answer).unwrap();
    assert!(said("Cisc").ends_with("did you mean Cisco Systems, Inc.?"), "{}", said("Cisc"));
    assert!(said("Fortinett").ends_with("did you mean Fortinet?"), "{}", said("Fortinett"));
    assert!(said("zzz").contains("known are Barracuda"), "{}", said("zzz"));
}

const OFFERED: &str = "
runbook: one
title: One
phase: p
inputs:
  - {id: a.bucket, label: Bucket, kind: text, optional: true, default: acme-audit}
steps:
  - {id: asks, title: Asks, form: [a.bucket]}
  - {id: agreed, title: It is agreed, gate: true, manual: 'Agree to {{ a.bucket | default(\"nothing\") }}.'}
";

/// Enter takes the offer; so another key has to leave the only answer of a form empty.
#[test]
fn an_offer_that_nobody_wants_is_left_by_tab() {
    let mut stage = Stage::on(OFFERED);
    stage.state.board.jump(&address("p/asks"));
    stage.press(&["Enter"]);
    assert_eq!(stage.state.place, Place::Form);
    assert!(stage.screen(80, 24).contains("Tab leave it empty"), "{}", stage.screen(80, 24));
    stage.press(&["Tab"]);
    assert_eq!((stage.state.place, given(&stage, "a.bucket")), (Place::Board, None));
    let row = stage.state.facts.open.as_ref().unwrap().row(&address("p/asks")).unwrap().status.clone();
    assert!(row.settled(), "{row:?}");
}

/// What a person is to do or to hand on is copied, whoever it waits on.
#[test]
fn the_text_of_a_sign_off_can_be_copied() {
    let mut stage = Stage::on(OFFERED);
    stage.state.board.jump(&address("p/agreed"));
    stage.wished();
    stage.press(&["y"]);
    assert!(stage.wished().iter().any(|wish| wish.contains("Agree to nothing.")));
}
