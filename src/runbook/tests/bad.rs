//! One wrong runbook for each rule, in `tests/fixtures/bad`, with what is said about it beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::catalog;
use crate::runbook::{Problem, RULES, load};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad")
}

/// The fixtures: the rule, and its file, or the files of its folder.
fn fixtures() -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let rule = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut files = match path.extension() {
            None => fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect(),
            Some(ending) if ending == "yaml" => vec![path],
            Some(_) => continue,
        };
        files.sort();
        let read = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(file).unwrap())
        };
        found.push((rule, files.iter().map(read).collect()));
    }
    found.sort();
    found
}

fn said(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn every_rule_says_what_its_fixture_expects() {
    let mut wrong = String::new();
    for (rule, files) in fixtures() {
        let (runbook, problems) = load(&files, &catalog());
        let expected = fs::read_to_string(folder().join(format!("{rule}.txt"))).unwrap_or_default();
        let found = said(&problems);
        if found != expected {
            wrong.push_str(&format!("── {rule}: expected\n{expected}── found\n{found}"));
        }
        assert!(problems.iter().any(|problem| problem.rule == rule), "{rule} is not among\n{found}");
        let errors = found.contains(": error: ");
        assert_eq!(runbook.is_none(), errors, "{rule}: a runbook with errors must not be used");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_editors_leave_in_a_file_is_said_or_borne() {
    let good = "runbook: r\ntitle: R\nphase: p\nsteps:\n  - {id: a, title: A, manual: Do it.}\n";
    let read = |text: &str| load(&[("r.yaml".to_owned(), text.to_owned())], &catalog());
    assert!(read(&format!("\u{feff}{good}")).0.is_some(), "the mark of an editor in front");
    assert!(read(&format!("# mine\n---\n{good}")).0.is_some(), "one document, which says that it begins");
    for (text, wanted) in [
        ("# nothing yet\n\n", "r.yaml:1:1: error: nothing stands in this file"),
        (&format!("{good}---\n{good}"), "r.yaml:6:1: error: `---` begins a second document"),
        (&good.replace("Do it.", "{{ x }}"), "a text that begins with `{` stands in quotes"),
        (&good.replace("title: R", "title: R: S"), "a text with `: ` in it stands in quotes"),
    ] {
        let found = said(&read(text).1);
        assert!(found.contains(wanted), "{text}: {found}");
    }
}

/// What a type has is known before anybody is asked: a slip is found where it stands, and not when the step runs.
#[test]
fn a_property_that_the_type_does_not_have_or_take_or_that_is_missing_is_found() {
    let with = |of: &str, properties: &str| {
        let text = format!(
            "runbook: one\ntitle: One\nphase: net\ninputs:\n  - {{id: aws.account_id, label: Account, kind: account-id}}\n\
             steps:\n  - {{id: where, title: Where, form: [aws.account_id]}}\n  - id: made\n    title: Made\n    aws: resource\n    \
             with: {{type: \"{of}\", key: one/a, properties: {properties}}}\n"
        );
        let (_, problems) = load(&[("one.yaml".to_owned(), text)], &crate::action::catalog());
        said(&problems)
    };
    let right = "{ResourceId: vpc-1, ResourceType: VPC, TrafficType: ALL}";
    assert_eq!(with("AWS::EC2::FlowLog", right), "");
    for (properties, wanted) in [
        (
            "{ResourceID: vpc-1, ResourceId: vpc-1, ResourceType: VPC}",
            "`ResourceID` is no property of AWS::EC2::FlowLog",
        ),
        ("{ResourceId: vpc-1, ResourceType: VPC, Id: fl-1}", "`Id` of AWS::EC2::FlowLog is said by AWS"),
        ("{ResourceId: vpc-1}", "AWS::EC2::FlowLog needs the property `ResourceType`"),
    ] {
        let found = with("AWS::EC2::FlowLog", properties);
        assert!(found.contains(wanted) && found.contains("one.yaml:11:"), "{properties}: {found}");
    }
    assert!(with("AWS::EC2::FlowLog", "{ResourceID: a, ResourceId: b, ResourceType: VPC}").contains("ResourceId"));
    let slip = with("AWS::Logs::LogGrop", "{LogGroupName: acme}");
    assert!(
        slip.contains("11:") && slip.contains("warning") && slip.contains("did you mean `AWS::Logs::LogGroup`?"),
        "{slip}"
    );
    for other in ["AWS::Logs::LogStream", "AWS::EC2::NatGateway", "AWS::EC2::Instance", "AWS::RDS::DBCluster"] {
        assert_eq!(with(other, "{Anything: 1}"), "", "{other} is another");
    }
    assert_eq!(with("AWS::Made::Up", "{Anything: 1}"), "", "of a type that is not known nothing is said");
}

#[test]
fn every_rule_has_a_fixture_and_every_problem_a_rule() {
    let fixtures = fixtures();
    let shown: BTreeSet<&str> = fixtures.iter().map(|(rule, _)| rule.as_str()).collect();
    // A file of more than a megabyte has no place in a repository; it has a test of its own.
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).filter(|id| *id != "too-big").collect();
    assert_eq!(shown, rules);
    assert_eq!(rules.len() + 1, RULES.len(), "an id is there twice");
    for (_, files) in &fixtures {
        for problem in load(files, &catalog()).1 {
            assert!(rules.contains(problem.rule), "{}", problem.rule);
        }
    }
}

#[test]
fn reading_is_bounded() {
    let one = |text: String| {
        let (runbook, problems) = load(&[("big.yaml".to_owned(), text)], &catalog());
        assert!(runbook.is_none());
        said(&problems)
    };
    assert_eq!(
        one(format!("title: {}", "x".repeat(1024 * 1024))),
        "big.yaml:1:1: error: the file is larger than 1 MiB\n"
    );
    assert!(one(format!("title: {}", "[".repeat(500_000))).contains("error"));
    assert!(one(format!("title: {}{}", "[".repeat(100_000), "]".repeat(100_000))).contains("error"));
    assert!(one("- ".repeat(400_000)).contains("error"));
    assert!(one("a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c]\n".into()).contains("anchor"));
}

#[test]
fn nothing_at_all_is_no_runbook() {
    let (runbook, problems) = load(&[], &catalog());
    assert!(runbook.is_none());
    assert_eq!(said(&problems), "runbook: error: no file says which runbook this is: `runbook: its-id`\n");
}

/// Text that is nearly a runbook.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "runbook: a\n",
        "title: A\n",
        "phase: p\n",
        "phases: [x]\n",
        "inputs:\n",
        "hosts:\n",
        "steps:\n",
        "  - ",
        "    ",
        "id: a\n",
        "title: B\n",
        "form: [net.cidr]\n",
        "kind: text\n",
        "label: L\n",
        "when: a.b == 'c'\n",
        "for_each: hosts.all\n",
        "shell:\n",
        "      run: |\n",
        "        echo {{ a.b }}\n",
        "manual: x {{ a.b }}\n",
        "needs: [a, p/a]\n",
        "aws: vpc\n",
        "with: {cidr: [1, {a: b}]}\n",
        "saves: {id: a.b}\n",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a ",
        "!t ",
        "|\n",
        ">\n",
        "'",
        "\"",
        "#",
        "\n",
        "---\n",
        "...\n",
        "? ",
        "~",
        "null",
        "{{",
        "}}",
        "{%",
        "\t",
        "é",
        "\u{0}",
        "\u{feff}",
        "%YAML 1.2\n",
        "<<: *a\n",
        "name: h\n",
        "address: 1\n",
        "user: u\n",
        "via: h\n",
        "within: 9s\n",
        "choices: [a, {value: b}]\n",
        "min: -9\n",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_loader_panic(text in prop_oneof![nearly(), any::<String>()]) {
        let (runbook, problems) = load(&[("any.yaml".to_owned(), text)], &catalog());
        prop_assert!(runbook.is_some() || !problems.is_empty());
    }

    #[test]
    fn no_change_of_a_good_runbook_makes_the_loader_panic(at in any::<prop::sample::Index>(), to in any::<char>(), cut in any::<bool>()) {
        let mut text: Vec<char> = super::good::WHOLE.chars().collect();
        let at = at.index(text.len());
        if cut { text.truncate(at); } else { text[at] = to; }
        load(&[("any.yaml".to_owned(), text.into_iter().collect())], &catalog());
    }
}
