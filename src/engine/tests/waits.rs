//! Steps that wait on somebody outside, for weeks if need be.

use std::net::TcpListener;

use super::*;

/// The door's port is free: nobody else listens there.
fn door() -> (String, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let yaml = format!(
        r#"
runbook: door
title: Door
phase: net
inputs:
  - {{id: net.who, label: Who, kind: text}}
steps:
  - {{id: who, title: Who, form: [net.who]}}
  - id: door
    title: The door is open
    waits_on: customer
    ask: "Dear {{{{ net.who }}}}, please open the door."
    probe: tcp
    with: {{address: 127.0.0.1, port: {port}}}
  - {{id: other, title: Another branch, manual: Do it.}}
  - {{id: shown, title: Shown, needs: [door], manual: Show it.}}
"#
    );
    (yaml, port)
}

fn waits(desk: &Desk) -> (String, At) {
    match desk.status("net/door") {
        Status::Waiting { ask, since, .. } => (ask, since),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_waits_without_growing_the_journal_and_holds_nobody_else_up() {
    let (yaml, port) = door();
    let stage = Stage::new(&yaml, Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.who", "Jane");
    desk.run(RunScope::All).await;
    let (ask, since) = waits(&desk);
    assert_eq!(ask, "Dear Jane, please open the door.");
    desk.sign("net/other").await;
    let events = stage.events().len();
    for _ in 0..3 {
        desk.run(RunScope::All).await;
    }
    assert_eq!(stage.events().len(), events, "nothing new is known");
    desk.close().await;

    // Weeks later, another process.
    let mut desk = stage.open().await;
    desk.run(RunScope::All).await;
    assert_eq!(waits(&desk).1, since, "it waits since the first day");
    let _open = TcpListener::bind(("127.0.0.1", port)).unwrap();
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/door"), Status::Done { .. }), "{:?}", desk.status("net/door"));
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    desk.close().await;
}

#[tokio::test]
async fn what_is_asked_is_said_anew_when_it_changes() {
    let (yaml, _) = door();
    let stage = Stage::new(&yaml, Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.who", "Jane");
    desk.run(RunScope::All).await;
    let since = waits(&desk).1;
    desk.give("net.who", "Joe");
    desk.run(RunScope::All).await;
    assert_eq!(waits(&desk), ("Dear Joe, please open the door.".to_owned(), since));
    desk.close().await;
}

#[tokio::test]
async fn a_waiting_step_can_be_skipped_while_it_is_looked_at() {
    let (yaml, _) = door();
    let stage = Stage::new(&yaml, Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.who", "Jane");
    desk.run(RunScope::All).await;
    for _ in 0..20 {
        desk.handle.send(Request::Run(RunScope::All));
        desk.handle.command(Command::Skip { step: at("net/door"), reason: "not needed any more".to_owned() });
        desk.idle().await;
        let skipped = Status::Skipped { reason: "not needed any more".to_owned() };
        assert_eq!(desk.status("net/door"), skipped);
        desk.handle.command(Command::Reopen(at("net/door")));
        desk.run(RunScope::All).await;
        waits(&desk);
    }
    desk.close().await;
}
