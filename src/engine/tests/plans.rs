//! What a plan says of steps that wait for an earlier one, and of those that a person does.

use super::*;

const HANDED: &str = r#"
runbook: handed
title: Handed
phase: net
inputs:
  - {id: a.mail, label: Mail, kind: email}
steps:
  - {id: ask, title: Ask, form: [a.mail]}
  - id: records
    title: The records are known
    needs: [ask]
    probe: tcp
    with: {address: 127.0.0.1, port: "1"}
    saves: {doors: a.records}
  - id: seen
    title: Somebody has seen it
    owner: customer
    who: "{{ a.mail }}"
    due: 5 days
    needs: [records]
    manual: Please look at it.
  - id: published
    title: The records are in your DNS
    owner: customer
    who: "{{ a.mail }}"
    manual: "Please publish {% for one in a.records %}{{ one.name }} {% endfor %}."
  - id: open
    title: The door is open
    needs: [records]
    waits_on: customer
    who: "{{ a.mail }}"
    ask: Please open it.
    due: 2 days
    probe: tcp
    with: {address: 127.0.0.1, port: "1"}
"#;

#[tokio::test]
async fn what_a_person_does_says_who_is_asked_and_never_an_error_of_the_engine() {
    let stage = Stage::new(HANDED, Faults::none());
    let mut desk = stage.open().await;
    desk.give("a.mail", "net@acme.example");
    let plan = desk.plan().await;
    let entry = |step: &str| plan.entries.iter().find(|entry| entry.step == at(step)).unwrap();
    let seen = entry("net/seen");
    assert_eq!(seen.asks.as_deref(), Some("net@acme.example, within 5 d: Please look at it."));
    assert_eq!(seen.said, "after net/records");
    let published = entry("net/published");
    assert_eq!(published.said, "after net/records; what it is about is known then");
    let asks = published.asks.as_deref().unwrap();
    assert!(asks.starts_with("net@acme.example: The records are in your DNS."), "{asks}");
    // What can be seen is asked for only where it is not so.
    let open = entry("net/open").asks.as_deref();
    assert_eq!(open, Some("net@acme.example, within 2 d, unless it is so by then: Please open it."));
    desk.close().await;
}
