//! Reading along: the same notices from the file alone, while somebody else writes it.

use super::super::{Following, follow};
use super::*;

impl Stage {
    pub(super) fn follow(&self) -> Desk {
        let reader = Reader::open(&self.folder()).unwrap();
        let engagement = reader.engagement().unwrap();
        let runbook = self.runbook.clone();
        Desk::new(follow(Following { folder: self.folder(), reader, engagement, runbook }))
    }
}

fn held_by(notice: &Notice) -> Option<Option<String>> {
    match notice {
        Notice::HeldBy(holder) => Some(holder.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn whoever_reads_along_sees_what_the_holder_does_and_changes_nothing() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    let mut along = stage.follow();
    let holder = along.hear("who holds it", held_by).await.unwrap();
    assert!(holder.contains("jane@desk"), "{holder}");
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Until(at("net/vpc"))).await;
    let made = at("net/vpc");
    along.event("the VPC", |event| matches!(event, Event::Done { step, .. } if step == &made).then_some(())).await;
    assert_eq!(along.engagement, desk.engagement, "what is read is what is true");

    along.handle.send(Request::Run(RunScope::All));
    let refusal = along.refusal().await;
    assert!(refusal.contains("reading along") && refusal.contains("jane@desk"), "{refusal}");
    along.give("net.vpc_cidr", "10.41.0.0/16");
    along.refusal().await;
    let before = stage.events().len();
    let sent = stage.sent();

    desk.close().await;
    assert_eq!(along.hear("that they let go", held_by).await, None);
    // The next one is followed, too.
    let desk = stage.open().await;
    assert!(along.hear("who holds it now", held_by).await.is_some());
    desk.close().await;
    along.close().await;
    assert_eq!((stage.events().len(), stage.sent()), (before, sent));
}

#[tokio::test]
async fn output_is_read_along_while_it_grows() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let mut along = stage.follow();
    let step = at("net/vpc");
    let actor = "jane@desk".to_owned();
    writer.append(At(2_000), &actor, vec![Event::AttemptStarted { step: step.clone(), attempt: 1 }]).unwrap();
    let mut told = String::new();
    for line in ["one\n", "two\n\u{1b}[2J three\n"] {
        writer.output(&[(step.clone(), 1, line.as_bytes().to_vec())]).unwrap();
        let grown = |notice: &Notice| match notice {
            Notice::Output { text, .. } => Some(text.clone()),
            _ => None,
        };
        told += &along.hear("the output", grown).await;
    }
    assert!(told.starts_with("one\ntwo\n") && told.ends_with("three\n"), "{told:?}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
    along.handle.send(Request::Page { step, attempt: 1, at: PageAt::From(1), lines: 10 });
    let page = |notice: &Notice| match notice {
        Notice::Page(page) => Some(page.clone()),
        _ => None,
    };
    let page = along.hear("the page", page).await;
    assert_eq!((page.lines[0].as_str(), page.total), ("two", 3));
    along.close().await;
}

#[tokio::test]
async fn a_folder_that_is_gone_is_said() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut along = stage.follow();
    std::fs::remove_dir_all(stage.folder()).unwrap();
    let why = along.hear("that it is gone", |notice| match notice {
        Notice::Broken(broken) => Some(broken.why.clone()),
        _ => None,
    });
    assert!(why.await.contains("is gone"));
}
