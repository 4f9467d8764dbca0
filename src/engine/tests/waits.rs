//! Steps that wait on somebody outside, for weeks if need be.

use std::net::TcpListener;

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use secrecy::SecretString;

use super::hosts::{Hosts, stage_of_steps};
use super::*;
use crate::action::Desk as LoginDesk;
use crate::engagement::{LoginQuestion, WaitOrder};
use crate::runbook::Party;

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
        Status::Waiting(wait) => (wait.ask, wait.since),
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

#[tokio::test]
async fn what_waits_is_looked_at_soon_after_the_engine_is_opened_and_without_a_run() {
    let (yaml, port) = door();
    let stage = Stage::new(&yaml, Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.who", "Jane");
    desk.run(RunScope::All).await;
    waits(&desk);
    desk.close().await;

    let _open = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut desk = stage.open_with(Clock::default()).await;
    desk.event("the door to be found open", |event| {
        matches!(event, Event::Done { step, .. } if step == &at("net/door")).then_some(())
    })
    .await;
    assert_eq!(desk.engagement.record(&at("net/door")).unwrap().waited.len(), 1);
    desk.close().await;
}

#[tokio::test]
async fn a_look_on_demand_starts_nothing_else() {
    let (yaml, port) = door();
    let more =
        "  - {id: later, title: Later, waits_on: aws, ask: x, probe: tcp, with: {address: 127.0.0.1, port: 1}}\n";
    let stage = Stage::new(&format!("{yaml}{more}"), Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.who", "Jane");
    desk.run(RunScope::Only(at("net/door"))).await;
    let _open = TcpListener::bind(("127.0.0.1", port)).unwrap();
    desk.run(RunScope::Waits).await;
    assert!(matches!(desk.status("net/door"), Status::Done { .. }));
    assert_eq!(desk.status("net/later"), Status::Ready, "it was not started");
    desk.close().await;
}

#[tokio::test]
async fn a_step_that_a_person_put_on_waiting_is_left_alone_until_they_end_it() {
    let (yaml, _) = door();
    let stage = Stage::new(&yaml, Faults::none());
    let mut desk = stage.open().await;
    desk.give("net.who", "Jane");
    let order = WaitOrder { on: Some(Party::ThirdParty), note: Some("the carrier".to_owned()), ..WaitOrder::default() };
    desk.handle.command(Command::Wait { step: at("net/door"), order });
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/door"), Status::Waiting(wait) if wait.by_hand), "{:?}", desk.status("net/door"));
    assert!(!attempts(&stage.events()).contains_key("net/door"));
    desk.handle.command(Command::EndWait { step: at("net/door"), note: String::new() });
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/door"), Status::Waiting(wait) if !wait.by_hand && wait.party == Party::Customer));
    desk.close().await;
}

/// What the customer has to do, and we sign off.
const SHOWN: &str = r#"
runbook: shown
title: Shown
phase: net
inputs:
  - {id: net.who, label: Who, kind: text}
steps:
  - {id: who, title: Who, form: [net.who]}
  - id: shown
    title: Seen
    owner: customer
    who: "{{ net.who }}"
    due: 3 days
    manual: Please look at it, {{ net.who }}.
  - {id: after, title: After, needs: [shown], manual: Go on.}
"#;

#[tokio::test]
async fn a_sign_off_by_somebody_else_waits_on_them_from_when_its_turn_has_come() {
    let stage = Stage::new(SHOWN, Faults::none());
    let mut desk = stage.open().await;
    let asked = |wanted: &'static str| {
        move |event: &Event| matches!(event, Event::Waiting { ask, .. } if ask.contains(wanted)).then_some(())
    };
    desk.give("net.who", "Jane");
    desk.event("Jane to be asked", asked("Jane")).await;
    let Status::Waiting(first) = desk.status("net/shown") else { panic!("{:?}", desk.status("net/shown")) };
    assert_eq!(
        (first.party, first.who.as_str(), first.due),
        (Party::Customer, "Jane", Some(At(first.since.0 + 259_200_000)))
    );
    let events = stage.events().len();
    desk.run(RunScope::All).await;
    assert_eq!(stage.events().len(), events, "nothing to look at, and nothing new");
    desk.give("net.who", "Joe");
    desk.event("Joe to be asked", asked("Joe")).await;
    let Status::Waiting(now) = desk.status("net/shown") else { panic!() };
    assert_eq!((now.who.as_str(), now.since), ("Joe", first.since));
    desk.sign("net/shown").await;
    assert_eq!(desk.status("net/after"), Status::SignOff);
    desk.close().await;
}

/// The customer makes a file on a host, which onramp looks for.
const FILE: &str = "
steps:
  - id: one
    title: One
    host: app
    sudo: false
    waits_on: customer
    ask: Please make it.
    shell: {check: test -e /tmp/one}
";

/// The step waits, as the state file says, since another process looked. Since when.
fn begins_to_wait(stage: &Stage) -> At {
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let step = at("net/one");
    let (party, who) = (Party::Customer, String::new());
    let (ask, said) = ("Please make it.".to_owned(), "not so on app".to_owned());
    let waits = Event::Waiting { step: step.clone(), attempt: 1, party, ask, said, who, due_in: None };
    let since = Clock::default().now();
    writer.append(since, &"jane@desk".to_owned(), vec![Event::AttemptStarted { step, attempt: 1 }, waits]).unwrap();
    since
}

/// Until the engine has had the time to look twice: it looks at the latest after three seconds, and six later.
async fn looked_at_twice() {
    tokio::time::sleep(Duration::from_secs(10)).await;
}

async fn is_found_made(desk: &mut Desk, hosts: &Hosts) {
    hosts.at_console("app", "touch /tmp/one").await.expect("the host");
    desk.event("it to be found", |event| matches!(event, Event::Done { .. }).then_some(())).await;
}

#[tokio::test]
async fn a_look_that_meets_a_key_that_nobody_knows_asks_once_and_the_wait_goes_on_with_the_answer() {
    let (stage, hosts) = stage_of_steps(FILE).await;
    let since = begins_to_wait(&stage);
    let mut desk = stage.open_with(Clock::default()).await;
    desk.event("the question", |event| matches!(event, Event::Asked { .. }).then_some(())).await;
    looked_at_twice().await;
    let asked = |event: &Event| matches!(event, Event::Asked { .. });
    assert_eq!(count(&stage.events(), asked), 1);
    desk.handle.command(Command::TrustHostKey(at("net/one")));
    desk.event("the answer", |event| matches!(event, Event::Reopened { .. }).then_some(())).await;
    let Status::Waiting(wait) = desk.status("net/one") else { panic!("{:?}", desk.status("net/one")) };
    assert_eq!(wait.since, since);
    is_found_made(&mut desk, &hosts).await;
    assert_eq!(count(&stage.events(), asked), 1);
    desk.close().await;
}

fn login_question(notice: &Notice) -> Option<LoginQuestion> {
    match notice {
        Notice::LoginAsks(question) => Some(question.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn a_look_that_nobody_asked_for_asks_nobody_to_log_in_and_says_once_what_it_takes() {
    let (mut stage, hosts) = stage_of_steps(FILE).await;
    let Some(ssh::Identity::Key(key)) = stage.identity.take() else { panic!("the key") };
    let file = stage.home.path().join("sealed");
    let sealed = key.encrypt(&mut safe_rng(), "correct horse").unwrap();
    std::fs::write(&file, sealed.to_openssh(LineEnding::LF).unwrap()).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let since = begins_to_wait(&stage);
    let person = LoginDesk::new(stage.worlds().await.vault().masks().clone());
    let mut settings = ssh::Settings::new(stage.dial.clone(), Vec::new(), None);
    settings.person = Some(person.clone());
    let worlds = Worlds::new(Err(Failure::new("no account", "")), ssh::Pool::new(settings)).with_desk(person);
    let mut desk = stage.open_over(worlds.with_identity(ssh::Identity::File(file)), Clock::default());
    desk.event("the key to be unknown", |event| matches!(event, Event::Asked { .. }).then_some(())).await;
    desk.handle.command(Command::TrustHostKey(at("net/one")));
    let said = |event: &Event| match event {
        Event::Waiting { said, .. } => Some(said.clone()),
        _ => None,
    };
    let takes = desk.event("what a login takes", said).await;
    assert!(takes.contains("protected by a passphrase"), "{takes}");
    looked_at_twice().await;
    let waits = |event: &Event| matches!(event, Event::Waiting { .. });
    assert_eq!(count(&stage.events(), waits), 2, "the first, and what it takes");

    // Somebody is there now.
    desk.handle.send(Request::Run(RunScope::Waits));
    let question = desk.hear("the question", login_question).await;
    assert!(question.asks.contains("sealed"), "{question:?}");
    assert_eq!(desk.heard.iter().filter_map(login_question).count(), 1, "no look by itself asked");
    let answers = Some(vec![SecretString::from("correct horse")]);
    desk.handle.send(Request::LoginAnswers { number: question.number, answers });
    desk.idle().await;
    let Status::Waiting(wait) = desk.status("net/one") else { panic!("{:?}", desk.status("net/one")) };
    assert_eq!((wait.since, wait.said.contains("not so")), (since, true), "{wait:?}");
    is_found_made(&mut desk, &hosts).await;
    assert_eq!(desk.heard.iter().filter_map(login_question).count(), 1);
    desk.close().await;
}

/// One step that says how long it looks at most, and one that does not.
const SLOW: &str = r#"
runbook: slow
title: Slow
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: gateway
    title: The gateway
    aws: transit-gateway
    with: {asn: 64620, key: tgw/main}
  - id: other
    title: Another
    aws: transit-gateway
    with: {asn: 64621, key: tgw/other}
    within: 2m
"#;

/// What is never ready in an account whose clock stands still.
#[tokio::test]
async fn a_step_that_says_no_limit_looks_three_times_as_long_as_aws_usually_takes_and_says_so_in_the_end() {
    let stage = Stage::paced(SLOW, Faults::none(), Pace::Stopped);
    let began = At(stage.engagement().at.0 + 86_400_000);
    let mut desk = stage.open_with(Clock::lapsing(began)).await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.approve().await;
    desk.run(RunScope::Only(at("net/gateway"))).await;
    let Status::Failed(failure) = desk.status("net/gateway") else { panic!("{:?}", desk.status("net/gateway")) };
    let what = (failure.what.as_str(), "transit gateway tgw/main is not ready yet: ", "it usually takes about 4 min");
    assert!(what.0.starts_with(what.1) && what.0.ends_with(what.2), "{failure:?}");
    assert_eq!(failure.meaning, "still so after 12 min");
    assert_eq!(failure.advice, "Look at what the other side says, then try the step again");
    let looked = desk.heard.iter().filter_map(|notice| match notice {
        Notice::Progress { now: Some(now), .. } if now.tries == 0 => Some(now.until.since(now.since)),
        _ => None,
    });
    let looked: Vec<Duration> = looked.collect();
    assert!(looked.len() > 60, "{}", looked.len());
    assert!(looked.iter().all(|limit| *limit == Duration::from_secs(720)), "meanwhile it said until when: {looked:?}");
    assert_eq!(stage.changes(), ["CreateTransitGateway"], "it is made once");
    desk.run(RunScope::Only(at("net/other"))).await;
    let Status::Failed(failure) = desk.status("net/other") else { panic!("{:?}", desk.status("net/other")) };
    assert_eq!(failure.meaning, "still so after 2 min");
    desk.close().await;
}
