//! The runbook is edited in mid-engagement: nothing runs twice by that, and what was made can still be taken back.

use super::*;
use crate::engagement::Question;

const VPC: &str = "  - id: vpc\n    title: The VPC\n";
const RENAMED: &str = "  - id: network\n    was: net/vpc\n    title: The network\n";
const GATEWAY: &str = "  - id: gateway\n    title: The gateway\n    aws: internet-gateway\n    with: {vpc: \"{{ net.vpc_id }}\", key: igw/main}\n    saves: {id: net.gateway_id}\n";

fn edited(edits: &[(&str, &str)]) -> String {
    let mut text = NETWORK.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

fn edition(yaml: &str) -> (Arc<Runbook>, Vec<RunbookFile>) {
    let (runbook, problems) = load(&[("network.yaml".to_owned(), yaml.to_owned())], &crate::action::catalog());
    let files = vec![RunbookFile { path: "network.yaml".to_owned(), text: yaml.to_owned() }];
    (Arc::new(runbook.unwrap_or_else(|| panic!("{problems:#?}"))), files)
}

impl Desk {
    async fn update(&mut self, yaml: &str) {
        let (edition, files) = edition(yaml);
        self.handle.send(Request::Update { edition, files });
        let taken = |notice: &Notice| match notice {
            Notice::Runbook(edition) => Some(Ok(edition.clone())),
            Notice::Refused(refusal) => Some(Err(refusal.to_string())),
            _ => None,
        };
        let edition = self.hear("the edition to be taken", taken).await.unwrap_or_else(|why| panic!("{why}"));
        self.edition = Some(edition);
    }
}

/// A network that is made, and the runbook it was made with.
async fn made() -> Stage {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.takes(NETWORK);
    stage.to_the_end().await;
    stage.assert_each_once(6).await;
    stage
}

#[tokio::test]
async fn nothing_runs_by_an_update_and_what_is_the_same_stays_done() {
    let stage = made().await;
    let sent = stage.sent();
    let mut desk = stage.open().await;
    let text = edited(&[
        (VPC, RENAMED),
        ("needs: [caller, how]\n    aws: vpc", "why: So.\n    needs: [caller, how]\n    aws: vpc"),
    ]);
    desk.update(&text).await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/network"), Status::Done { .. }), "{:?}", desk.status("net/network"));
    assert!(desk.board().tally.all_done() && desk.board().tally.outdated == 0, "{:#?}", desk.board().tally);
    assert_eq!(stage.sent(), sent);
    desk.close().await;
    // The file holds together, and another process walks the new edition from it.
    let engagement = stage.engagement();
    assert_eq!(engagement.runbook_digest, edition(&text).0.digest);
    assert_eq!(engagement.editions.len(), 2);
}

#[tokio::test]
async fn what_a_removed_and_a_renamed_step_made_is_taken_back_as_it_was_made() {
    let stage = made().await;
    let mut desk = stage.open().await;
    let nothing_on_it = edited(&[
        (VPC, RENAMED),
        (GATEWAY, ""),
        ("    needs: [gateway]\n    aws: elastic-address", "    aws: elastic-address"),
    ]);
    desk.update(&nothing_on_it).await;
    assert!(desk.board().row(&at("net/gateway")).is_none());
    assert!(desk.engagement.ledger().iter().any(|(step, _)| **step == at("net/gateway")));
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    stage.assert_each_once(0).await;
    desk.close().await;
}

#[tokio::test]
async fn a_done_step_that_means_another_object_now_is_not_made_a_second_time() {
    let stage = made().await;
    let mut desk = stage.open().await;
    desk.update(&edited(&[("key: eip/nat", "key: eip/other")])).await;
    assert!(matches!(desk.status("net/address"), Status::Done { .. }));
    assert_eq!(desk.board().tally.outdated, 1);
    desk.handle.command(Command::Reopen(at("net/address")));
    desk.approve().await;
    desk.run(RunScope::All).await;
    let Status::Asked(Question::Different { said, .. }) = desk.status("net/address") else {
        panic!("{:?}", desk.status("net/address"))
    };
    assert!(said.contains("earlier edition"), "{said}");
    stage.assert_each_once(6).await;
    // Taken back by the edition that made it; then the other one is made.
    desk.undo(&["net/nat", "net/address"]).await;
    stage.assert_each_once(4).await;
    for step in ["net/address", "net/nat"] {
        desk.handle.command(Command::Reopen(at(step)));
    }
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/nat"), Status::Done { .. }), "{:?}", desk.status("net/nat"));
    stage.assert_each_once(6).await;
    desk.close().await;
}

#[tokio::test]
async fn a_changed_step_is_looked_at_again_and_found_as_it_is() {
    let stage = made().await;
    let sent = stage.sent();
    let mut desk = stage.open().await;
    let text = edited(&[(
        "    needs: [gateway]\n    aws: elastic-address",
        "    needs: [gateway, vpc]\n    aws: elastic-address",
    )]);
    desk.update(&text).await;
    assert_eq!(desk.board().tally.outdated, 1);
    desk.handle.command(Command::Reopen(at("net/address")));
    // What is done and stands on it stays done: the plan shows nothing that would be sent.
    let plan = desk.plan().await;
    assert_eq!(plan.changes().count(), 0, "{plan:#?}");
    assert!(plan.approval().is_empty());
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/address"), Status::Done { .. }), "{:?}", desk.status("net/address"));
    assert_eq!((desk.board().tally.outdated, stage.sent()), (0, sent), "it was so already");
    desk.close().await;
}

#[tokio::test]
async fn an_update_waits_until_nothing_runs() {
    let stage = Stage::paced(NETWORK, Faults::none(), Pace::Human);
    stage.takes(NETWORK);
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.event("a change to begin", |event| matches!(event, Event::Intended { .. }).then_some(())).await;
    let (edition, files) = edition(&edited(&[(VPC, RENAMED)]));
    desk.handle.send(Request::Update { edition, files });
    assert!(desk.refusal().await.contains("running"));
    desk.handle.send(Request::Stop);
    desk.idle().await;
    desk.close().await;
}
