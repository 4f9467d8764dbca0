//! Practice without a screen: the whole of remote access, unattended.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::stage::Stage;
use crate::terminal::Terminal;

#[test]
fn practice_walks_to_the_end_unattended_and_a_second_time_changes_nothing() {
    let stage = Stage::new();
    let first = stage.run(&["practice", "--headless", "--pace", "instant"]).expect(0);
    first.says("access/exposure");
    let status = stage.run(&["practice", "--status"]).expect(0);
    assert!(!status.out.contains("blocked") && !status.out.contains("failed"), "{}", status.out);
    // sshd has left the port that was looked at first: a report of today looks where it is now.
    let report = stage.run(&["practice", "--verify"]).expect(0);
    let others: Vec<&str> = report.out.lines().filter(|line| !line.starts_with("matches ")).collect();
    assert!(others.is_empty() && report.out.lines().count() > 40, "{}", report.out);
    report.says("access/first-contact[bastion]");
    let again = stage.run(&["practice", "--headless", "--pace", "instant", "--format", "jsonl"]).expect(0);
    assert!(!again.out.contains("\"event\":\"intended\""), "the second run intended a change:\n{}", again.out);
}

#[test]
fn resources_of_any_type_are_made_and_taken_back_to_nothing() {
    let stage = Stage::new();
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/examples/archive-and-alarm.yaml");
    let answers = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/example-answers/archive-and-alarm.yaml");
    let walk = ["practice", "--headless", "--pace", "instant", "--runbook", runbook, "--answers", answers];
    stage.run(&walk).expect(0).says("archive/grows");
    let report = stage.run(&["practice", "--verify"]).expect(0);
    assert!(report.out.lines().all(|line| line.starts_with("matches ")), "{}", report.out);
    let again = stage.run(&[&walk[..], &["--format", "jsonl"]].concat()).expect(0);
    assert!(!again.out.contains("\"event\":\"intended\""), "the second run intended a change:\n{}", again.out);
    stage.run(&["practice", "--undo"]).expect(0).says("nothing is left");
}

#[test]
fn every_example_is_walked_to_its_end_with_its_own_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/examples");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let examples: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    assert!(examples.len() >= 4, "{examples:?}");
    for example in examples {
        let answers = folder.with_file_name("example-answers").join(example.file_name().unwrap());
        let stage = Stage::new();
        let practice = ["practice", "--headless", "--pace", "instant", "--runbook", example.to_str().unwrap()];
        stage.run(&[&practice[..], &["--answers", answers.to_str().unwrap()]].concat()).expect(0);
        stage.run(&["practice", "--undo"]).expect(0).says("nothing is left");
    }
}

#[test]
fn a_runbook_is_not_given_answers_that_it_does_not_ask_for() {
    let stage = Stage::new();
    let runbook = stage.file(
        "small.yaml",
        "runbook: small\ntitle: Small\nphase: one\n\
         inputs:\n  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}\n\
         steps:\n  - {id: range, title: Range, form: [net.vpc_cidr]}\n",
    );
    stage.run(&["practice", "--headless", "--pace", "instant", "--runbook", runbook.to_str().unwrap()]).expect(0);
}

/// Whoever writes a runbook tries it again and again.
#[test]
fn a_practice_is_not_lost_to_a_runbook_that_cannot_be_read_and_walks_no_other_in_silence() {
    let stage = Stage::new();
    let file = stage.home().join("mine.yaml");
    let text = "runbook: mine\ntitle: Mine\nphase: p\nsteps:\n  - {id: seen, title: Seen, manual: Look.}\n";
    let path = file.to_str().unwrap();
    let walk = |more: &[&str]| {
        stage.run(&[&["practice", "--headless", "--pace", "instant", "--runbook", path], more].concat())
    };
    std::fs::write(&file, text).unwrap();
    // A person has to look: that much is open.
    walk(&[]).expect(3);
    std::fs::write(&file, text.replace("manual", "manuel")).unwrap();
    assert_ne!(walk(&["--fresh"]).code, 0);
    stage.run(&["practice", "--status"]).expect(0).says("seen");
    std::fs::write(&file, text.replace("Look.", "Look twice.")).unwrap();
    let said = walk(&[]).expect(2);
    said.says("says something else by now");
    said.says("--fresh");
    walk(&["--fresh"]).expect(3);
    stage.run(&["practice", "--fault", "help"]).expect(0).says("lost-reply");
}

#[test]
fn practice_survives_what_the_cloud_does_to_it() {
    for fault in ["lost-reply", "invisible"] {
        let stage = Stage::new();
        // Without a message that only a person may send again, and that would stay in doubt.
        let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/03-vpn-bgp.yaml");
        let arguments =
            ["practice", "--headless", "--pace", "instant", "--answers", scenario, "--fault", fault, "--seed", "7"];
        // Lost answers are made up for within the run: it ends well, and not by luck of a second one.
        stage.run(&arguments).expect(0);
        let doubles = stage.run(&["practice", "--doubles"]).expect(0);
        assert_eq!(doubles.out.trim(), "none", "{fault}");
    }
}

#[test]
fn a_text_of_several_lines_stands_below_its_step_in_a_plan() {
    let stage = Stage::new();
    let runbook = stage.file(
        "lines.yaml",
        "runbook: lines\ntitle: Lines\nphase: one\n\
         steps:\n  - id: told\n    title: Told\n    manual: |\n      Hand it over:\n\n      - this\n        and that\n",
    );
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap()]).expect(0);
    let plan = stage.run(&["plan", "acme"]).expect(0);
    plan.says("one/told  Told\n    Hand it over:\n\n      - this\n        and that\n");
}

#[test]
fn a_form_of_which_nothing_is_needed_waits_for_a_run() {
    let stage = Stage::new();
    let runbook = stage.file(
        "small.yaml",
        "runbook: small\ntitle: Small\nphase: one\n\
         inputs:\n  - {id: net.note, label: Note, kind: text, optional: true}\n\
         steps:\n  - {id: extras, title: Extras, form: [net.note]}\n  - {id: shown, title: Shown, manual: \"Show {{ net.note | default('it') }}.\"}\n",
    );
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap()]).expect(0);
    stage.run(&["plan", "acme"]).expect(0);
    stage.run(&["plan", "acme", "--phase", "one"]).expect(0).says("one/extras");
    stage.run(&["plan", "acme", "--phase", "onee"]).expect(2).says("did you mean one?");
    stage.run(&["status", "acme"]).expect(0).says("needs input    one/extras");
    stage.run(&["run", "acme"]).expect(3);
    stage.run(&["status", "acme"]).expect(0).says("done           one/extras");
}

/// A person says of the first change in doubt: nothing was made, try it again.
fn settle_as_not_done(stage: &Stage) {
    stage.run(&["practice", "--status"]).expect(0).says("in doubt");
    let mut terminal = Terminal::start(stage, &["practice", "--pace", "instant"], 24, 80);
    terminal.wait("in doubt");
    terminal.press("n");
    terminal.wait("Enter settle");
    terminal.press("\r");
    terminal.wait("> look");
    terminal.press("\x1b[B\x1b[B");
    terminal.wait("> retry");
    terminal.press("\r");
    // As it stands with the steps that are left.
    terminal.wait_any(&[
        "Nothing more can start",
        "Others must move",
        "step for you",
        "steps for you",
        "are done",
        // What is next is ready, and nobody is waited for.
        "Enter run  ",
    ]);
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn practice_that_is_killed_goes_on_where_it_was() {
    let stage = Stage::new();
    let arguments = ["practice", "--headless", "--pace", "instant", "--format", "jsonl"];
    let mut kills = 0;
    // Each time it may say a few lines more or less before it dies.
    for lines in [5, 80, 12, 60, 3, 90, 50, 9, 120, 60].iter().cycle() {
        let mut child = stage.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let heard: Vec<String> = said.by_ref().take(*lines).collect();
        if heard.len() < *lines {
            match child.wait().unwrap().code() {
                Some(0) => break,
                // The hosts are inside the program: a script that was killed with its host is for a person to settle.
                Some(3) => settle_as_not_done(&stage),
                code => panic!("{code:?} after {kills} kills: {:?}", heard.last()),
            }
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills < 120, "it goes on: {heard:?}");
    }
    assert!(kills > 5, "{kills}");
    stage.run(&["practice", "--doubles"]).expect(0).says("none");
    stage.run(&["practice", "--verify"]).expect(0);
    let status = stage.run(&["practice", "--status"]).expect(0).out;
    let (done, of) = status.split_once(" of ").unwrap();
    assert_eq!(done.rsplit(' ').next(), of.split(' ').next(), "{status}");
}
