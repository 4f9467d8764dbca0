//! The lost-reply matrix for mail: what has a name is there once, what is set is set, and taken back it is as it was.

use std::collections::BTreeSet;

use super::matrix::{WAYS, assert_struck, made, take_all_back, take_place, undone_in_spite_of};
use super::*;
use crate::engagement::Purpose;

/// Every kind of mail that is made and taken back, each once.
const MAIL: &str = r#"
runbook: mail
title: Mail
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: set
    title: The configuration set
    aws: mail-configuration-set
    with: {name: mail, key: mail/set}
    saves: {name: net.set}
  - id: events
    title: Its events
    aws: mail-events
    with: {set: "{{ net.set }}", name: topic, topic: "arn:aws:sns:{{ aws.region_primary }}:{{ aws.account_id }}:mail"}
  - id: domain
    title: The domain
    aws: mail-domain
    with: {domain: mc.acme.example, configuration_set: "{{ net.set }}", key: mail/domain}
    saves: {domain: net.domain}
  - id: from
    title: Where bounces go
    aws: mail-from
    with: {identity: "{{ net.domain }}", domain: bounce.mc.acme.example}
  - id: suppressed
    title: Who gets no more
    aws: mail-suppression
    with: {reasons: COMPLAINT}
  - id: closed
    title: The account may send
    needs: [events, from, suppressed]
    aws: mail-account
    with: {per_day: 200}
"#;

/// Which step sends it first.
pub(super) const MAKES: [(&str, &str); 5] = [
    ("CreateConfigurationSet", "set"),
    ("CreateConfigurationSetEventDestination", "events"),
    ("CreateEmailIdentity", "domain"),
    ("PutEmailIdentityMailFromAttributes", "from"),
    ("PutAccountSuppressionAttributes", "suppressed"),
];

/// What an undo of everything sends.
pub(super) const TAKES: [&str; 5] = [
    "PutAccountSuppressionAttributes",
    "PutEmailIdentityMailFromAttributes",
    "DeleteEmailIdentity",
    "DeleteConfigurationSetEventDestination",
    "DeleteConfigurationSet",
];

/// Tried where they are sent: what somebody changed is put right, production and more of a quota are asked for once, and a
/// message is for a person to repeat (`action/tests/mail.rs`, `action/tests/quotas.rs`, and below).
pub(super) const ELSEWHERE: [&str; 10] = [
    "PutEmailIdentityDkimAttributes",
    "PutEmailIdentityDkimSigningAttributes",
    "PutEmailIdentityConfigurationSetAttributes",
    "PutConfigurationSetDeliveryOptions",
    "PutConfigurationSetReputationOptions",
    "PutConfigurationSetSuppressionOptions",
    "UpdateConfigurationSetEventDestination",
    "PutAccountDetails",
    "RequestServiceQuotaIncrease",
    "SendEmail",
];

const OURS: [&str; 2] = ["identity 0123456789abcdef mail/domain", "mailset 0123456789abcdef mail/set"];

/// What has no tags: where bounces go, where events go, and who gets no more mail.
async fn settings(stage: &Stage) -> String {
    let mail = Cloud::connect(stage.wiring()).await.unwrap().mail();
    let domain = mail.get_email_identity().email_identity("mc.acme.example").send().await;
    let from = domain.ok().and_then(|domain| domain.mail_from_attributes.map(|from| from.mail_from_domain));
    let events = mail.get_configuration_set_event_destinations().configuration_set_name("mail").send().await;
    let events = events.map(|there| there.event_destinations().len()).unwrap_or_default();
    let account = mail.get_account().send().await.unwrap();
    let suppressed = account.suppression_attributes.unwrap().suppressed_reasons().len();
    format!("{from:?} {events} {suppressed}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_and_as_wanted_whatever_becomes_of_the_answer() {
    let cells = MAKES.iter().flat_map(|(operation, step)| WAYS.map(|way| (*operation, *step, way)));
    let is_seen = |operation: &str| ["CreateConfigurationSet", "CreateEmailIdentity"].contains(&operation);
    let asked: Vec<_> = cells
        .filter(|(operation, _, way)| *way != Fault::Invisible || is_seen(operation))
        .map(|(operation, step, way)| async move {
            let stage = Stage::new(MAIL, Faults::none().aim(way, operation, 1));
            let what = format!("{operation} × {}", way.name());
            let until_step = made(&stage, Some(step)).await;
            assert!(until_step.iter().all(|object| OURS.contains(&object.as_str())), "{what}: {until_step:?}");
            assert_eq!(made(&stage, None).await, OURS, "{what}: each once");
            assert_struck(&stage, &what);
            assert_eq!(settings(&stage).await, "Some(\"bounce.mc.acme.example\") 1 1", "{what}");
            assert_one_token(&stage, step, &what);
            take_all_back(&stage, &what).await;
            assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}: nothing is left behind");
            assert_eq!(settings(&stage).await, "None 0 2", "{what}: as it was");
            (operation, way)
        })
        .collect();
    take_place("mail made", &MAKES.map(|(operation, _)| operation), asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_and_as_it_was_whatever_becomes_of_the_answer() {
    let built = Stage::new(MAIL, Faults::none());
    made(&built, None).await;
    let kept = built.home.path().join("account.json");
    built.account.save(&kept).await.unwrap();
    let (built, kept) = (&built, &kept);
    let cells = TAKES.iter().flat_map(|operation| WAYS.map(|way| (*operation, way)));
    let asked: Vec<_> = cells
        .filter(|(_, way)| *way != Fault::Invisible)
        .map(|(operation, way)| async move {
            let (stage, what) = undone_in_spite_of(way, operation, built, kept).await;
            assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}");
            assert_eq!(settings(&stage).await, "None 0 2", "{what}: as it was");
            (operation, way)
        })
        .collect();
    take_place("mail taken back", &TAKES, asked).await;
}

/// However often it was said.
fn assert_one_token(stage: &Stage, step: &str, what: &str) {
    let tokens: BTreeSet<String> = stage
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Intended { step: intended, intent } if intended == at(&format!("net/{step}")) => {
                (intent.purpose == Purpose::Apply).then_some(intent.token)
            }
            _ => None,
        })
        .collect();
    assert_eq!(tokens.len(), 1, "{what}");
}

/// Production access is waited for as what AWS has to give, and a message is sent once.
const REQUESTS: &str = r#"
runbook: requests
title: Requests
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: production
    title: Out of the sandbox
    aws: mail-production
    waits_on: aws
    ask: AWS reads the request.
    with:
      website: https://www.acme.example
      use_case: >-
        Alerts to about twenty named operators of acme, who are employees. Bounces and complaints go to a topic that the
        operators read; whoever complains is taken off the list.
  - id: sender
    title: The sender
    aws: mail-address
    with: {address: no-reply@mc.acme.example, key: mail/sender}
    saves: {address: net.sender}
  - id: closed
    title: A test message
    aws: mail-test
    with: {from: "{{ net.sender }}", to: success@simulator.amazonses.com}
    saves: {message_id: net.message}
"#;

#[tokio::test]
async fn production_is_asked_for_once_whatever_becomes_of_the_answer() {
    for way in [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle] {
        let faults = Faults::none().aim(way, "PutAccountDetails", 1);
        let stage = Stage::paced(REQUESTS, faults, Pace::Stopped);
        let mut desk = stage.open().await;
        desk.give("aws.account_id", ACCOUNT);
        desk.give("aws.region_primary", REGION);
        desk.approve().await;
        desk.run(RunScope::Until(at("net/production"))).await;
        let row = desk.row("net/production");
        assert!(matches!(row.status, Status::Waiting(_)), "{}: {row:#?}", way.name());
        stage.account.cloud().advance(Duration::from_secs(86_400));
        desk.run(RunScope::Until(at("net/production"))).await;
        let row = desk.row("net/production");
        assert!(matches!(row.status, Status::Done { .. }), "{}: {row:#?}", way.name());
        desk.close().await;
        let taken = stage.account.cloud().calls();
        let taken = taken.iter().filter(|call| call.operation == "PutAccountDetails" && call.code.is_none());
        assert_eq!(taken.count(), 1, "{}", way.name());
    }
}

#[tokio::test]
async fn a_message_is_sent_once_and_its_id_is_kept() {
    let stage = Stage::new(REQUESTS, Faults::none());
    made(&stage, None).await;
    let mut desk = stage.open().await;
    let made = desk.engagement.record(&at("net/closed")).unwrap().made.clone().unwrap();
    let id = made.output["message_id"].as_str().unwrap().to_owned();
    let plan = desk.plan().await;
    let entry = plan.entries.iter().find(|entry| entry.step == at("net/closed")).unwrap();
    assert!(entry.changes.is_empty() && entry.said.contains(&id), "{entry:#?}");
    desk.close().await;
    let sent = stage.account.cloud().calls();
    assert_eq!(sent.iter().filter(|call| call.operation == "SendEmail").count(), 1);
}

#[tokio::test]
async fn a_message_to_amazons_simulator_is_sent_again_by_itself() {
    for way in [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter] {
        let stage = Stage::new(REQUESTS, Faults::none().aim(way, "SendEmail", 1));
        let mut desk = stage.open().await;
        desk.give("aws.account_id", ACCOUNT);
        desk.give("aws.region_primary", REGION);
        desk.approve().await;
        desk.run(RunScope::All).await;
        let row = desk.row("net/closed");
        assert!(matches!(row.status, Status::Done { .. }), "{}: {row:#?}", way.name());
        desk.close().await;
        let sent = stage.account.cloud().calls();
        assert_eq!(sent.iter().filter(|call| call.operation == "SendEmail").count(), 2, "{}", way.name());
    }
}

#[tokio::test]
async fn a_message_that_may_have_been_sent_to_a_person_is_for_a_person() {
    let to_a_person = REQUESTS.replace("success@simulator.amazonses.com", "no-reply@mc.acme.example");
    for way in [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter] {
        let stage = Stage::new(&to_a_person, Faults::none().aim(way, "SendEmail", 1));
        for _ in 0..2 {
            let mut desk = stage.open().await;
            desk.give("aws.account_id", ACCOUNT);
            desk.give("aws.region_primary", REGION);
            desk.approve().await;
            desk.run(RunScope::All).await;
            let row = desk.row("net/closed");
            assert!(matches!(row.status, Status::InDoubt { .. }), "{}: {row:#?}", way.name());
            desk.close().await;
        }
        let sent = stage.account.cloud().calls();
        assert_eq!(sent.iter().filter(|call| call.operation == "SendEmail").count(), 1, "{}", way.name());
    }
}
