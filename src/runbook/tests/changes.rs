//! What is said to be different between two editions, edit by edit.

use super::catalog;
use crate::runbook::{Changes, InputDifference, Runbook, StepDifference, StepId, changes, does, load};

const BOOK: &str = r#"
runbook: book
title: Book
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: net.cidr, label: Range, kind: vpc-cidr}
  - {id: net.port, label: Port, kind: port, optional: true}
hosts:
  - {name: box, address: 192.0.2.1, user: ops}
steps:
  - {id: plan, title: Plan, form: [net.cidr, net.port]}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {cidr: "{{ net.cidr }}", key: vpc/main}
    saves: {id: net.vpc_id}
  - id: open
    title: Open
    needs: [vpc]
    host: box
    shell: {check: "true", run: "echo {{ net.cidr }}", undo: "true"}
  - {id: seen, title: Seen, needs: [open], manual: Show it.}
  - {id: account, title: Account, form: [aws.account_id]}
"#;

fn edition(edits: &[(&str, &str)]) -> Runbook {
    let mut text = BOOK.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let (runbook, problems) = load(&[("book.yaml".to_owned(), text)], &catalog());
    runbook.unwrap_or_else(|| panic!("{problems:#?}"))
}

/// A name, the edits that make the newer edition, and what is said of it.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// Every difference as `step: what (keys)`.
fn said(changes: &Changes) -> Vec<String> {
    let steps = changes.steps.iter().map(|change| {
        let how = match &change.how {
            StepDifference::Renamed(was) => format!("was {was}"),
            StepDifference::Changed(keys) => format!("changed {}", keys.join(" ")),
            StepDifference::Reworded(keys) => format!("reworded {}", keys.join(" ")),
            other => format!("{other:?}").to_lowercase(),
        };
        format!("{}: {how}", change.id)
    });
    let inputs = changes.inputs.iter().map(|change| {
        let how = match &change.how {
            InputDifference::Kind(was, is) => format!("{was} -> {is}"),
            InputDifference::Asked(keys) => format!("asked {}", keys.join(" ")),
            other => format!("{other:?}").to_lowercase(),
        };
        format!("{}: {how}", change.id)
    });
    steps.chain(inputs).chain(changes.hosts.iter().map(|host| format!("host {host}"))).collect()
}

#[test]
fn each_edit_is_said_as_what_it_is() {
    let seen = "  - {id: seen, title: Seen, needs: [open], manual: Show it.}\n";
    let table: [Case<'_>; 15] = [
        ("nothing", &[], &[]),
        ("a comment", &[("title: Book", "title: Book # the book")], &[]),
        ("a title", &[("title: The VPC", "title: The network")], &["net/vpc: reworded title"]),
        (
            "a reason and a time",
            &[("aws: vpc", "why: So.\n    within: 5m\n    aws: vpc")],
            &["net/vpc: reworded why within"],
        ),
        ("the way back", &[("undo: \"true\"", "undo: \"false\"")], &["net/open: reworded undo"]),
        ("a script", &[("echo {{", "printf %s {{")], &["net/open: changed run"]),
        ("a condition", &[("    aws: vpc", "    when: net.port > 1\n    aws: vpc")], &["net/vpc: changed when"]),
        ("an argument", &[("vpc/main", "vpc/core")], &["net/vpc: changed with"]),
        (
            "the order of arguments",
            &[("{cidr: \"{{ net.cidr }}\", key: vpc/main}", "{key: vpc/main, cidr: \"{{ net.cidr }}\"}")],
            &[],
        ),
        ("a need", &[("needs: [open]", "needs: [open, plan]")], &["net/seen: changed needs"]),
        (
            "a step more and one less",
            &[(seen, "  - {id: new, title: New, manual: Do.}\n")],
            &["net/new: added", "net/seen: removed"],
        ),
        (
            "a name",
            &[("id: vpc\n", "id: network\n    was: net/vpc\n"), ("[vpc]", "[network]")],
            &["net/network: was net/vpc"],
        ),
        ("another kind", &[("kind: port,", "kind: text,")], &["net.port: port -> text"]),
        ("when it is asked", &[("optional: true}", "when: net.cidr is defined}")], &["net.port: asked optional when"]),
        ("a way to a host", &[("user: ops", "user: admin")], &["host box"]),
    ];
    for (what, edits, expected) in table {
        assert_eq!(said(&changes(&edition(&[]), &edition(edits))), expected, "{what}");
    }
}

#[test]
fn the_fewest_steps_are_said_to_have_moved() {
    let vpc = BOOK[BOOK.find("  - id: vpc").unwrap()..BOOK.find("  - id: open").unwrap()].to_owned();
    let last = edition(&[(&vpc, ""), ("manual: Show it.}\n", &format!("manual: Show it.}}\n{vpc}"))]);
    assert_eq!(said(&changes(&edition(&[]), &last)), ["net/vpc: moved"]);
}

#[test]
fn a_former_name_counts_only_where_it_is_free() {
    let (vpc, plan) = (StepId::new("net", "vpc"), StepId::new("net", "plan"));
    let named = edition(&[("id: vpc\n", "id: network\n    was: [net/never, net/vpc]\n"), ("[vpc]", "[network]")]);
    let first = edition(&[]);
    let there = changes(&first, &named).renamed;
    assert_eq!(there.into_iter().collect::<Vec<_>>(), [(vpc.clone(), StepId::new("net", "network"))]);
    let back = changes(&named, &first).renamed;
    assert_eq!(back.into_iter().collect::<Vec<_>>(), [(StepId::new("net", "network"), vpc)], "and back again");
    assert!(changes(&first, &first).renamed.is_empty());
    assert!(!changes(&first, &named).renamed.contains_key(&plan));
}

#[test]
fn what_a_step_does_is_told_from_how_it_is_called() {
    let step = |edits: &[(&str, &str)]| does(edition(edits).step(&StepId::new("net", "vpc")).unwrap());
    assert_eq!(step(&[]), step(&[("title: The VPC", "title: The network")]));
    assert_ne!(step(&[]), step(&[("vpc/main", "vpc/core")]));
}
