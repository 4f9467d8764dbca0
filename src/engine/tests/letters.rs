//! A letter of authorization that nobody used in time.

use super::*;
use crate::engagement::{Finding, FindingKind};

const LETTER: &str = r#"
runbook: line
title: A line
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: account, title: Whose account, form: [aws.account_id, aws.region_primary]}
  - id: line
    title: The line
    aws: dx-connection
    with: {location: EqDC2, bandwidth: 1Gbps, key: dx/line}
    saves: {id: net.line_id}
  - id: letter
    title: Its letter
    aws: dx-letter
    with: {connection: "{{ net.line_id }}"}
    saves: {file: net.letter}
"#;

/// Long ago.
const ISSUED: (&str, &str) = ("\"loaIssueTime\":", "\"loaIssueTime\":1000000000.0,\"issuedInPractice\":");

async fn finding(stage: &Stage) -> Finding {
    let mut desk = stage.open().await;
    desk.handle.send(Request::Verify);
    let of_the_letter = |notice: &Notice| match notice {
        Notice::Drift { step, finding } if *step == at("net/letter") => Some(finding.clone()),
        _ => None,
    };
    let found = desk.hear("the letter's line", of_the_letter).await;
    desk.close().await;
    found
}

#[tokio::test]
async fn a_letter_that_lapsed_before_the_cable_lay_is_asked_for_again() {
    let mut stage = Stage::new(LETTER, Faults::none());
    let mut desk = stage.open().await;
    [("aws.account_id", ACCOUNT), ("aws.region_primary", REGION)].iter().for_each(|(id, text)| desk.give(id, text));
    desk.approve().await;
    desk.run(RunScope::All).await;
    desk.close().await;
    assert_eq!(finding(&stage).await.kind, FindingKind::Same);
    stage.aws_says = &[ISSUED];
    assert_eq!(finding(&stage).await.kind, FindingKind::Same, "the cable lies, and needs no letter any more");

    stage.aws_says = &[ISSUED, ("\"connectionState\":\"available\"", "\"connectionState\":\"pending\"")];
    let lapsed = finding(&stage).await;
    assert_eq!(lapsed.kind, FindingKind::Different);
    for words in ["lapsed on 2001-12-08", "onramp undo acme net/letter", "onramp run acme --only net/letter"] {
        assert!(lapsed.said.contains(words), "{words}: {lapsed:?}");
    }
    let mut desk = stage.open().await;
    desk.undo(&["net/letter"]).await;
    desk.handle.command(Command::Reopen(at("net/letter")));
    let plan = desk.plan().await;
    let calls: Vec<String> = plan.changes().map(|change| format!("{change:?}")).collect();
    assert!(calls.iter().any(|call| call.contains("DescribeLoa")), "{calls:?}");
    desk.close().await;
}
