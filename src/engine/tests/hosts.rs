//! Scripts on hosts in the process: a key that nobody knows, output, one script at a time, an undo.

use russh::keys::{Algorithm, PrivateKey, key::safe_rng};

use super::*;
use crate::engagement::{Intent, Purpose, RepeatClass};
pub(super) use crate::practice::hosts::Hosts;
use crate::practice::hosts::{HostSpec, Image};
use crate::practice::net::{Gate, Source, Verdict};

/// A runbook over one host called `app`, but for its steps.
const APP: &str = "runbook: hosts
title: Hosts
phase: net
hosts:
  - {name: app, address: 203.0.113.50, user: admin}";

const HOSTS: &str = r#"
steps:
  - id: one
    title: One
    host: app
    shell:
      check: test -e /etc/one
      run: "echo begin one; sleep 0.2; echo one >/etc/one; echo end one"
      undo: rm -f /etc/one
  - id: two
    title: Two
    host: app
    shell:
      check: test -e /etc/two
      run: "echo begin two; sleep 0.2; echo two >/etc/two; printf 'end two'"
    no_undo: It is only a file.
"#;

pub(super) struct Open;

#[async_trait::async_trait]
impl Gate for Open {
    async fn allows(&self, _from: Source, _to: std::net::IpAddr, _port: u16) -> Verdict {
        Verdict::Open
    }
}

async fn stage() -> (Stage, Hosts) {
    stage_of_steps(HOSTS).await
}

/// These steps over a host called `app`.
pub(super) async fn stage_of_steps(steps: &str) -> (Stage, Hosts) {
    stage_of(&format!("{APP}{steps}")).await
}

/// An engine over these steps, of which `net/one` has met the host's key, which a person trusts, and the plan is approved.
pub(super) async fn approved(stage: &Stage) -> Desk {
    introduced(stage.open().await).await
}

/// As `approved`, over an engine that is open already.
pub(super) async fn introduced(mut desk: Desk) -> Desk {
    desk.run(RunScope::All).await;
    desk.handle.command(Command::TrustHostKey(at("net/one")));
    desk.approve().await;
    desk
}

/// A runbook over one host called `app`, to which everybody has the key.
pub(super) async fn stage_of(yaml: &str) -> (Stage, Hosts) {
    let key = Arc::new(PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap());
    let hosts = Hosts::new();
    let spec = HostSpec {
        name: "app".to_owned(),
        image: Image::Debian12,
        hardened: None,
        addresses: vec!["10.40.0.10".parse().unwrap(), "203.0.113.50".parse().unwrap()],
        user: "admin".to_owned(),
        authorized_keys: vec![key.public_key().to_openssh().unwrap()],
    };
    hosts.add(spec).await.unwrap();
    let mut stage = Stage::new(yaml, Faults::none());
    stage.dial = hosts.dialer(Source::ENGINEER, Arc::new(Open));
    stage.identity = Some(ssh::Identity::Key(key));
    (stage, hosts)
}

fn lines(desk: &Desk) -> Vec<String> {
    let text = |notice: &Notice| match notice {
        Notice::Output { text, .. } => Some(text.clone()),
        _ => None,
    };
    let all: String = desk.heard.iter().filter_map(text).collect();
    all.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn scripts_run_one_after_the_other_on_a_host_whose_key_a_person_accepted_once() {
    let (stage, _hosts) = stage().await;
    let mut desk = stage.open().await;
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Asked(_)), "{:?}", desk.status("net/one"));
    desk.handle.command(Command::TrustHostKey(at("net/one")));
    desk.approve().await;
    desk.run(RunScope::All).await;
    let states = (desk.status("net/one"), desk.status("net/two"));
    assert!(matches!(states, (Status::Done { .. }, Status::Done { .. })), "{states:?}");
    let said = lines(&desk);
    let place = |wanted: &str| {
        said.iter().position(|line| line.contains(wanted)).unwrap_or_else(|| panic!("{wanted} in {said:?}"))
    };
    let (one, two) = ((place("begin one"), place("end one")), (place("begin two"), place("end two")));
    assert!(one.1 < two.0 || two.1 < one.0, "they do not overlap: {said:?}");

    // All of the output is kept, the line without an end too.
    let attempt = desk.engagement.record(&at("net/two")).unwrap().attempts;
    desk.handle.send(Request::Page { step: at("net/two"), attempt, at: PageAt::From(0), lines: 100 });
    let page = |notice: &Notice| match notice {
        Notice::Page(page) => Some(page.lines.clone()),
        _ => None,
    };
    let page = desk.hear("the page", page).await;
    assert_eq!(page.last().map(String::as_str), Some("end two"), "{page:?}");

    desk.undo(&[]).await;
    assert_eq!(desk.status("net/one"), Status::Undone);
    assert!(
        matches!(desk.status("net/two"), Status::Done { .. }),
        "it has no undo, and holds the others up in nothing"
    );
    desk.handle.send(Request::Undo(vec![at("net/two").into()]));
    assert!(desk.refusal().await.contains("has no undo"));
    desk.close().await;
}

#[tokio::test]
async fn a_script_that_may_have_run_is_looked_for_and_otherwise_a_person_is_asked() {
    let (stage, hosts) = stage().await;
    let mut desk = approved(&stage).await;
    let full = refuse_events(&stage.file(), "concluded");
    desk.handle.send(Request::Run(RunScope::Only(at("net/one"))));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    drop(full);

    // Its check says that it is so: no question is left, and it is not run again.
    let mut desk = stage.open().await;
    assert!(matches!(desk.status("net/one"), Status::InDoubt { .. }));
    desk.run(RunScope::Only(at("net/one"))).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    assert_eq!(desk.engagement.ledger().len(), 1);
    let intents = |events: &[Event]| count(events, |event| matches!(event, Event::Intended { .. }));
    assert_eq!(intents(&stage.events()), 1);
    desk.close().await;

    // Its check says no, and it left no exit code: its host knows that it was cut off.
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let Some(Event::Intended { intent, .. }) =
        stage.events().into_iter().find(|event| matches!(event, Event::Intended { .. }))
    else {
        panic!("no intent")
    };
    let token = "cafe".repeat(8);
    let claim = format!("/var/lib/onramp-claims/{token}/run");
    let made = hosts.at_console("app", &format!("mkdir -p {claim}")).await.unwrap();
    assert_eq!(made.code, 0, "{made:?}");
    let cut = Event::Intended { step: at("net/two"), intent: Intent { token, ..intent } };
    writer.append(At(1_000_000), &"jane@desk".to_owned(), vec![cut]).unwrap();
    drop(writer);
    let mut desk = stage.open().await;
    desk.run(RunScope::All).await;
    let Status::InDoubt { why, .. } = desk.status("net/two") else { panic!("{:?}", desk.status("net/two")) };
    assert!(why.contains("in the middle") && why.contains("/var/lib/onramp-claims"), "{why}");
    assert_eq!(intents(&stage.events()), 2, "it was not sent again");
    let how = crate::engagement::Settlement::Retry;
    desk.handle.command(Command::Settle { step: at("net/two"), how, reason: String::new() });
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/two"), Status::Done { .. }), "{:?}", desk.status("net/two"));
    desk.close().await;
}

#[tokio::test]
async fn a_script_that_never_reached_its_host_is_started_under_the_same_token() {
    let (stage, hosts) = stage().await;
    let desk = approved(&stage).await;
    desk.close().await;
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let intent = Intent {
        attempt: 2,
        purpose: Purpose::Apply,
        generation: 0,
        token: "beef".repeat(8),
        digest: String::new(),
        class: RepeatClass::Token,
        operations: Vec::new(),
        tags: BTreeMap::new(),
        deadline: None,
        before: BTreeMap::new(),
    };
    let cut = Event::Intended { step: at("net/one"), intent: intent.clone() };
    writer.append(At(1_000_000), &"jane@desk".to_owned(), vec![cut]).unwrap();
    drop(writer);
    let mut desk = stage.open().await;
    desk.run(RunScope::Only(at("net/one"))).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    let tokens = stage.events().into_iter().filter_map(|event| match event {
        Event::Intended { intent, .. } => Some(intent.token),
        _ => None,
    });
    assert_eq!(tokens.collect::<Vec<_>>(), [intent.token.clone(), intent.token.clone()]);
    let ended = hosts.at_console("app", &format!("cat /var/lib/onramp-claims/{}/rc", intent.token)).await.unwrap();
    assert_eq!(ended.out, "0\n", "{ended:?}");
    desk.close().await;
}

const FLAKY: &str = r#"
steps:
  - id: one
    title: One
    host: app
    shell:
      check: test -e /etc/one
      run: echo tried >>/etc/tries; test -e /etc/ready; echo one >/etc/one
      undo: rm -f /etc/one
"#;

#[tokio::test]
async fn a_script_that_failed_is_started_again_when_it_is_tried_again() {
    let (stage, hosts) = stage_of_steps(FLAKY).await;
    let mut desk = approved(&stage).await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Failed { .. }), "{:?}", desk.status("net/one"));
    hosts.at_console("app", "touch /etc/ready").await.unwrap();
    desk.handle.command(Command::Reopen(at("net/one")));
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    desk.undo(&[]).await;
    desk.handle.command(Command::Reopen(at("net/one")));
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    let tries = hosts.at_console("app", "cat /etc/tries").await.unwrap();
    assert_eq!(tries.out, "tried\ntried\ntried\n", "once for each time that it was asked for");
    desk.close().await;
}

const HALF: &str = r#"
steps:
  - id: one
    title: One
    host: app
    shell:
      check: test -e /etc/one -a -e /etc/two
      run: touch /etc/one; exit 3
      undo: rm -f /etc/one /etc/two; echo undone >>/etc/undone
"#;

#[tokio::test]
async fn what_a_failed_script_did_until_then_can_be_taken_back() {
    let (stage, hosts) = stage_of_steps(HALF).await;
    let mut desk = approved(&stage).await;
    desk.run(RunScope::All).await;
    let Status::Failed(failure) = desk.status("net/one") else { panic!("{:?}", desk.status("net/one")) };
    assert_eq!(failure.changed, ["what the script did on app until then"]);
    desk.undo(&[]).await;
    assert_eq!(desk.status("net/one"), Status::Undone);
    let left = hosts.at_console("app", "ls /etc/one; cat /etc/undone").await.unwrap();
    assert_eq!(left.out, "undone\n", "{left:?}");
    desk.close().await;
}

const SLOW: &str = r#"
steps:
  - id: one
    title: One
    host: app
    shell:
      check: test -e /etc/one
      run: echo started >>/etc/starts; echo begun; while ! test -e /etc/go; do sleep 0.05; done; echo one >/etc/one
      undo: rm -f /etc/one
"#;

#[tokio::test]
async fn a_script_goes_on_when_the_disk_is_full_here_and_is_found_again() {
    let (stage, hosts) = stage_of_steps(SLOW).await;
    let mut desk = approved(&stage).await;
    let full = rusqlite::Connection::open(stage.file()).unwrap();
    full.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON output BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END;",
    )
    .unwrap();
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    drop(full);
    hosts.at_console("app", "touch /etc/go").await.unwrap();

    let mut desk = stage.open().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    let starts = hosts.at_console("app", "cat /etc/starts").await.unwrap();
    assert_eq!(starts.out, "started\n", "once");
    desk.close().await;
}
