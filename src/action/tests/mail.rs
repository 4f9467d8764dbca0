//! Mail: the lives of its kinds, what is put right, what is asked for once, and what is sent once.

use std::sync::Mutex;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use super::super::call::mail::{
    Content, DeliveryOptions, Details, EasyDkim, Events, MailRequest, Message, Recipients, ReputationOptions,
    Suppression, Target,
};
use super::super::call::{Call, Label, Token};
use super::super::send::Sender;
use super::life::lives;
use super::*;
use crate::aws::mail::Client;
use crate::aws::mail::types::{
    DkimSigningAttributes, DkimSigningKeyLength, MailType, SuppressionListReason, TlsPolicy,
};
use crate::practice::cloud::Record;
use crate::practice::fault::Fault;

/// Every request to SES, once.
pub(super) fn one_of_each() -> Vec<Call> {
    let id = || "x-1".to_owned();
    let label = || Label { key: "a/b".to_owned(), name: "n".to_owned() };
    let dkim = EasyDkim { next_signing_key_length: "RSA_2048_BIT" };
    let delivery = DeliveryOptions { tls_policy: "REQUIRE" };
    let reputation = ReputationOptions { reputation_metrics_enabled: true };
    let suppression = || Suppression { suppressed_reasons: vec!["BOUNCE".to_owned()] };
    let events = || Events {
        enabled: true,
        matching_event_types: vec!["BOUNCE".to_owned()],
        target: Target::Topic { topic_arn: id() },
    };
    let details = Details {
        mail_type: "TRANSACTIONAL",
        website_url: id(),
        use_case_description: id(),
        contact_language: "EN",
        additional_contact_email_addresses: Vec::new(),
        production_access_enabled: true,
    };
    let message = Message {
        from_email_address: id(),
        destination: Recipients { to_addresses: vec![id()] },
        content: Content { subject: id(), text: id() },
        configuration_set_name: None,
        email_tags: Token,
    };
    [
        MailRequest::CreateEmailIdentity {
            email_identity: id(),
            dkim_signing_attributes: Some(dkim),
            configuration_set_name: None,
            tags: label(),
        },
        MailRequest::PutEmailIdentityDkimAttributes { email_identity: id(), signing_enabled: true },
        MailRequest::PutEmailIdentityDkimSigningAttributes {
            email_identity: id(),
            signing_attributes_origin: "AWS_SES",
            signing_attributes: dkim,
        },
        MailRequest::PutEmailIdentityConfigurationSetAttributes { email_identity: id(), configuration_set_name: id() },
        MailRequest::PutEmailIdentityMailFromAttributes {
            email_identity: id(),
            mail_from_domain: None,
            behavior_on_mx_failure: id(),
        },
        MailRequest::DeleteEmailIdentity { email_identity: id() },
        MailRequest::CreateConfigurationSet {
            configuration_set_name: id(),
            delivery_options: delivery,
            reputation_options: reputation,
            suppression_options: suppression(),
            tags: label(),
        },
        MailRequest::PutConfigurationSetDeliveryOptions { configuration_set_name: id(), options: delivery },
        MailRequest::PutConfigurationSetReputationOptions { configuration_set_name: id(), options: reputation },
        MailRequest::PutConfigurationSetSuppressionOptions { configuration_set_name: id(), options: suppression() },
        MailRequest::DeleteConfigurationSet { configuration_set_name: id() },
        MailRequest::CreateConfigurationSetEventDestination {
            configuration_set_name: id(),
            event_destination_name: id(),
            event_destination: events(),
        },
        MailRequest::UpdateConfigurationSetEventDestination {
            configuration_set_name: id(),
            event_destination_name: id(),
            event_destination: events(),
        },
        MailRequest::DeleteConfigurationSetEventDestination {
            configuration_set_name: id(),
            event_destination_name: id(),
        },
        MailRequest::PutAccountSuppressionAttributes { options: suppression() },
        MailRequest::PutAccountDetails(details),
        MailRequest::SendEmail(Box::new(message)),
    ]
    .map(Call::Mail)
    .into()
}

/// Path and body.
type Heard = (String, Vec<u8>);

/// Hears what is sent, and answers with nothing.
#[derive(Debug, Clone, Default)]
struct Ears(Arc<Mutex<Vec<Heard>>>);

impl HttpClient for Ears {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Ears {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default().to_vec();
        self.0.lock().unwrap().push((request.uri().to_owned(), body));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from("{}"))))
    }
}

#[tokio::test]
async fn what_is_shown_of_a_request_is_what_is_sent() {
    let ears = Ears::default();
    let keys = aws_credential_types::Credentials::for_tests();
    let wiring = Wiring {
        region: REGION.to_owned(),
        http_client: Some(SharedHttpClient::new(ears.clone())),
        credentials: Some(aws_credential_types::provider::SharedCredentialsProvider::new(keys)),
        hurry: 1_000,
        ..Wiring::default()
    };
    let cloud = aws::Cloud::connect(wiring).await.unwrap();
    let stage = Stage::new().await;
    let (world, marks, secrets) = (&stage.world, subject("e1").marks("token-1", 1), BTreeMap::new());
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    let sender =
        Sender { world, cloud: &cloud, marks: &marks, token: "token-1", until, secrets: &secrets, rehearsal: false };
    for call in one_of_each() {
        sender.send(&call).await.unwrap();
        let (path, body) = ears.0.lock().unwrap().pop().unwrap();
        sender.send(&call.clone().sent_in(Some("eu-central-1"))).await.unwrap();
        let (there, same) = ears.0.lock().unwrap().pop().unwrap();
        assert_eq!((there, same), (path.replacen(REGION, "eu-central-1", 1), body.clone()), "{call:?}");
        let mut sent: Map<String, Json> = serde_json::from_slice(&body).unwrap_or_default();
        let Json::Object(mut shown) = call.change().arguments else { panic!("no arguments") };
        let tags = sent.remove("Tags");
        assert_eq!(tags.is_some(), shown.remove("Tags").is_some(), "{call:?}");
        assert!(tags.is_none_or(|tags| tags.to_string().contains("token-1")), "{call:?}");
        let token = json!([{ "Name": "onramp-token", "Value": "token-1" }]);
        if shown.remove("EmailTags").is_some() {
            assert_eq!(sent.remove("EmailTags"), Some(token), "{call:?}");
        }
        for name in ["EmailIdentity", "ConfigurationSetName", "EventDestinationName"] {
            if !sent.contains_key(name) && shown.remove(name).is_some() {
                assert!(path.contains("/x-1"), "{call:?}: {path}");
            }
        }
        assert_eq!(sent, shown, "{call:?}");
    }
}

fn client(stage: &Stage) -> Client {
    stage.world.cloud.as_ref().unwrap().mail()
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mail";

pub(super) fn use_case() -> String {
    "Alerts and password mails to about twenty named operators of acme, who are employees. Bounces and complaints go to a \
     topic that the operators read; whoever complains is taken off the list the same day. Less than 500 messages a day."
        .to_owned()
}

fn production() -> Json {
    json!({ "website": "https://www.acme.example", "use_case": use_case(), "contacts": ["ops@acme.example"] })
}

/// Each kind of mail, from nothing to nothing where it can be; in a lent cloud, those that it knows.
pub(super) async fn every_kind_lives(stage: &Stage, id: &str) {
    let us = format!("ops@{id}.example");
    lives(stage, "aws/mail-address", json!({ "address": us, "key": "mail/ops" })).await;
    sent(stage, &json!({ "from": us, "to": "success@simulator.amazonses.com" })).await;
    // moto writes a time into a domain's answers that this SDK does not read.
    if stage.practice.is_none() {
        return;
    }
    let domain = format!("{id}.acme.example");
    let kept = lives(stage, "aws/mail-domain", json!({ "domain": domain, "key": "mail/domain" })).await;
    assert_eq!(kept["domain"], json!(domain));
    let set = json!({ "name": "mail", "key": "mail/set" });
    lives(stage, "aws/mail-configuration-set", set).await;
    lives(stage, "aws/mail-events", json!({ "set": "mail", "name": "topic", "topic": TOPIC })).await;
    let counted = json!({ "set": "mail", "name": "metrics", "dimension": "system", "events": ["SEND", "DELIVERY"] });
    lives(stage, "aws/mail-events", counted).await;
    published(stage, &kept).await;
    let from = json!({ "identity": domain, "domain": format!("bounce.{domain}") });
    published(stage, &lives(stage, "aws/mail-from", from).await).await;
    stage.make("aws/mail-verified", json!({ "identity": domain, "mail_from": format!("bounce.{domain}") })).await;
    lives(stage, "aws/mail-suppression", json!({ "reasons": "COMPLAINT" })).await;
    stage.make("aws/mail-account", json!({ "per_day": 200 })).await;
    stage.make("aws/mail-production", production()).await;
    stage.make("aws/mail-account", json!({ "production": true, "per_day": 50_000 })).await;
    put_right(stage, &domain).await;
}

/// The customer writes the records of a step into their own name servers.
pub(super) async fn published(stage: &Stage, kept: &Kept) {
    let record = |one: &Json| Record {
        name: one["name"].as_str().unwrap().to_owned(),
        kind: one["type"].as_str().unwrap().to_owned(),
        ttl: 300,
        value: one["values"][0].as_str().unwrap().to_owned(),
    };
    let records = kept["records"].as_array().unwrap().iter().map(record).collect();
    stage.practice.as_ref().unwrap().customer_publishes(records).await;
}

/// A domain that may send.
async fn sending_domain(stage: &Stage) {
    published(
        stage,
        &stage.make("aws/mail-domain", json!({ "domain": "mc.acme.example", "key": "mail/domain" })).await,
    )
    .await;
}

/// Sends it, and says what was written down.
pub(super) async fn sent(stage: &Stage, message: &Json) -> Kept {
    let action = stage.action("aws/mail-test", message);
    assert!(is_absent(&action.probe(&stage.world).await));
    let outcome = action.apply(&stage.world, &stage.intent("aws/mail-test", message)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let Verified::So(found) = action.verify(&stage.world.having_made(&output)).await else { panic!("it was sent") };
    assert_eq!(found.output["message_id"], output["message_id"]);
    output
}

/// What somebody has changed in our set, our domain and our destination.
async fn spoil(stage: &Stage, domain: &str) {
    let mail = client(stage);
    mail.put_email_identity_dkim_attributes().email_identity(domain).signing_enabled(false).send().await.unwrap();
    let short = DkimSigningAttributes::builder().next_signing_key_length(DkimSigningKeyLength::Rsa1024Bit).build();
    let keys = mail.put_email_identity_dkim_signing_attributes().email_identity(domain).signing_attributes(short);
    keys.signing_attributes_origin("AWS_SES".into()).send().await.unwrap();
    let delivery = mail.put_configuration_set_delivery_options().configuration_set_name("mail");
    delivery.tls_policy(TlsPolicy::Optional).send().await.unwrap();
    mail.put_configuration_set_reputation_options().configuration_set_name("mail").send().await.unwrap();
    mail.put_configuration_set_suppression_options().configuration_set_name("mail").send().await.unwrap();
}

/// What is ours is put right with the calls that were shown.
async fn put_right(stage: &Stage, domain: &str) {
    spoil(stage, domain).await;
    let domain = json!({ "domain": domain, "configuration_set": "mail", "key": "mail/domain" });
    mended(
        stage,
        "aws/mail-domain",
        &domain,
        &[
            "PutEmailIdentityDkimSigningAttributes",
            "PutEmailIdentityDkimAttributes",
            "PutEmailIdentityConfigurationSetAttributes",
        ],
    )
    .await;
    mended(
        stage,
        "aws/mail-configuration-set",
        &json!({ "name": "mail", "key": "mail/set" }),
        &[
            "PutConfigurationSetDeliveryOptions",
            "PutConfigurationSetReputationOptions",
            "PutConfigurationSetSuppressionOptions",
        ],
    )
    .await;
    let more = json!({ "set": "mail", "name": "topic", "topic": TOPIC, "events": ["BOUNCE", "DELIVERY"] });
    mended(stage, "aws/mail-events", &more, &["UpdateConfigurationSetEventDestination"]).await;
}

async fn mended(stage: &Stage, kind: &str, with: &Json, calls: &[&str]) {
    let action = stage.action(kind, with);
    let Probe::Different { mend, .. } = action.probe(&stage.world).await else { panic!("{kind}: it is otherwise") };
    let planned: Vec<&str> = mend.iter().map(|change| change.operation.as_str()).collect();
    assert_eq!(planned, calls);
    let before = stage.calls();
    let outcome = action.apply(&stage.world, &stage.intent(kind, with)).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{kind}: {outcome:?}");
    assert_eq!(stage.sent_since(before), calls);
    let after = action.probe(&stage.world).await;
    assert!(matches!(after, Probe::Same(_)), "{kind}: {after:?}");
}

/// A set, a domain in it, and a destination of its events.
async fn site(stage: &Stage) {
    stage.make("aws/mail-configuration-set", json!({ "name": "mail", "key": "mail/set" })).await;
    stage.make("aws/mail-domain", json!({ "domain": "mc.acme.example", "key": "mail/domain" })).await;
    stage.make("aws/mail-events", json!({ "set": "mail", "name": "topic", "topic": TOPIC })).await;
}

#[tokio::test]
async fn what_is_ours_is_put_right_whatever_becomes_of_the_answer() {
    let mends = [
        "PutEmailIdentityDkimSigningAttributes",
        "PutEmailIdentityDkimAttributes",
        "PutEmailIdentityConfigurationSetAttributes",
        "PutConfigurationSetDeliveryOptions",
        "PutConfigurationSetReputationOptions",
        "PutConfigurationSetSuppressionOptions",
        "UpdateConfigurationSetEventDestination",
    ];
    // Of most of them the first call is the one that spoils; its own repetition would not be seen.
    let nth =
        |operation: &str| if operation.ends_with("SetAttributes") || operation.starts_with("Update") { 1 } else { 2 };
    for operation in mends {
        for way in [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle] {
            let faults = Faults::none().aim(way, operation, nth(operation));
            let stage = Stage::with(Pace::Instant, faults).await;
            site(&stage).await;
            spoil(&stage, "mc.acme.example").await;
            let steps = [
                (
                    "aws/mail-domain",
                    json!({ "domain": "mc.acme.example", "configuration_set": "mail", "key": "mail/domain" }),
                ),
                ("aws/mail-configuration-set", json!({ "name": "mail", "key": "mail/set" })),
                ("aws/mail-events", json!({ "set": "mail", "name": "topic", "topic": TOPIC, "events": "BOUNCE" })),
            ];
            for (kind, with) in steps {
                let action = stage.action(kind, &with);
                let outcome = action.apply(&stage.world, &stage.intent(kind, &with)).await;
                assert!(matches!(outcome, Outcome::Changed { .. }), "{operation} × {}: {outcome:?}", way.name());
                let after = action.probe(&stage.world).await;
                assert!(matches!(after, Probe::Same(_)), "{operation} × {}: {after:?}", way.name());
            }
            assert_eq!(stage.practice.as_ref().unwrap().struck().len(), 1, "{operation} × {}", way.name());
        }
    }
}

#[tokio::test]
async fn a_domains_records_are_told_at_once_and_found_later() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let practice = stage.practice.as_ref().unwrap();
    let kept = stage.make("aws/mail-domain", json!({ "domain": "MC.acme.example", "key": "mail/domain" })).await;
    assert_eq!((&kept["status"], &kept["verified"]), (&json!("PENDING"), &json!(false)));
    let records = kept["records"].as_array().unwrap();
    assert_eq!(records.len(), 3);
    let token = kept["tokens"][0].as_str().unwrap();
    let first = json!({
        "name": format!("{token}._domainkey.mc.acme.example"), "type": "CNAME",
        "values": [format!("{token}.dkim.amazonses.com")],
    });
    assert_eq!(records[0], first);
    let from = json!({ "identity": "mc.acme.example", "domain": "bounce.mc.acme.example" });
    let from = stage.make("aws/mail-from", from).await;
    assert_eq!(from["mx"], json!("10 feedback-smtp.eu-west-1.amazonses.com"));
    assert_eq!(from["records"][1]["values"], json!(["v=spf1 include:amazonses.com ~all"]));

    let asked = json!({ "identity": "mc.acme.example", "mail_from": "bounce.mc.acme.example" });
    let found = stage.action("aws/mail-verified", &asked);
    let Verified::NotYet { said } = found.verify(&stage.world).await else { panic!("not yet") };
    let wanted =
        "mc.acme.example: DKIM PENDING, MAIL FROM PENDING; AWS asked ns1.mc.acme.example: there is no such name";
    assert!(said.starts_with(wanted), "{said}");
    published(&stage, &kept).await;
    published(&stage, &from).await;
    practice.advance(std::time::Duration::from_secs(60));
    let Verified::So(seen) = found.verify(&stage.world).await else { panic!("found") };
    assert_eq!(seen.output["mail_from"], json!("SUCCESS"));
    let other = json!({ "identity": "mc.acme.example", "mail_from": "mail.mc.acme.example" });
    let other = stage.action("aws/mail-verified", &other).verify(&stage.world).await;
    assert!(matches!(other, Verified::NotYet { .. }), "{other:?}");
}

#[tokio::test]
async fn bounces_go_where_they_went_before_when_it_is_undone() {
    let stage = Stage::new().await;
    stage.make("aws/mail-domain", json!({ "domain": "mc.acme.example", "key": "mail/domain" })).await;
    let from = |domain: &str| json!({ "identity": "mc.acme.example", "domain": domain });
    stage.make("aws/mail-from", from("old.mc.acme.example")).await;
    let with = from("bounce.mc.acme.example");
    let action = stage.action("aws/mail-from", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/mail-from", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let undone = action.undo(&stage.world, &stage.intent("aws/mail-from", &with), &output).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    let there = client(&stage).get_email_identity().email_identity("mc.acme.example").send().await.unwrap();
    assert_eq!(there.mail_from_attributes().unwrap().mail_from_domain(), "old.mc.acme.example");
}

#[tokio::test]
async fn what_somebody_else_made_is_neither_changed_nor_taken_away() {
    let stage = Stage::new().await;
    let mail = client(&stage);
    mail.create_email_identity().email_identity("mc.acme.example").send().await.unwrap();
    mail.create_configuration_set().configuration_set_name("mail").send().await.unwrap();
    for (kind, with) in [
        ("aws/mail-domain", json!({ "domain": "mc.acme.example", "key": "mail/domain" })),
        ("aws/mail-configuration-set", json!({ "name": "mail", "key": "mail/set" })),
    ] {
        let calls = stage.calls();
        let action = stage.action(kind, &with);
        let Probe::Different { mend, differences, .. } = action.probe(&stage.world).await else {
            panic!("{kind}: taken")
        };
        assert!(mend.is_empty() && differences[0].found.contains("onramp did not make"), "{differences:?}");
        let outcome = action.apply(&stage.world, &stage.intent(kind, &with)).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
        let made =
            Kept::from([("domain".to_owned(), with["domain"].clone()), ("name".to_owned(), with["name"].clone())]);
        let undone = action.undo(&stage.world, &stage.intent(kind, &with), &made).await;
        assert!(matches!(undone, Outcome::Failed { .. }), "{undone:?}");
        assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    }
    // A person says that it is the one: it is used as it is, and stays.
    let chosen = Subject { adopted: Some("mc.acme.example".to_owned()), ..stage.world.subject.clone() };
    let world = World { subject: chosen, ..stage.world.clone() };
    let action = stage.action("aws/mail-domain", &json!({ "domain": "mc.acme.example", "key": "mail/domain" }));
    let adopted = action.adopt(&world).await.unwrap();
    assert!(!adopted.ours && adopted.found.output["records"].as_array().unwrap().len() == 3, "{adopted:?}");
}

#[tokio::test]
async fn production_is_asked_for_once_and_waited_for() {
    let stage = Stage::with(Pace::Stopped, Faults::none()).await;
    let practice = stage.practice.as_ref().unwrap();
    let with = production();
    let action = stage.action("aws/mail-production", &with);
    assert!(is_absent(&action.probe(&stage.world).await));
    let outcome = action.apply(&stage.world, &stage.intent("aws/mail-production", &with)).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    let Verified::NotYet { said } = action.verify(&stage.world).await else { panic!("somebody reads it") };
    assert!(said.contains("AWS reads the request: PENDING, case "), "{said}");
    // Another run sends nothing, and does not wait for it either.
    let calls = stage.calls();
    assert!(matches!(action.probe(&stage.world).await, Probe::Same(_)));
    let again = action.apply(&stage.world, &stage.intent("aws/mail-production", &with)).await;
    assert!(matches!(again, Outcome::AlreadySo { .. }), "{again:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    let limits = stage.action("aws/mail-account", &json!({ "production": true }));
    let Verified::NotYet { said } = limits.verify(&stage.world).await else { panic!("the sandbox") };
    assert!(said.contains("the sandbox") && said.contains("PENDING"), "{said}");
    practice.advance(std::time::Duration::from_secs(86_400));
    let Verified::So(found) = action.verify(&stage.world).await else { panic!("granted") };
    assert_eq!(found.output["review"], json!("GRANTED"));
    assert!(matches!(limits.verify(&stage.world).await, Verified::So(_)));
}

#[tokio::test]
async fn a_refusal_of_production_is_for_a_person() {
    let stage = Stage::new().await;
    let short =
        client(&stage).put_account_details().mail_type(MailType::Transactional).website_url("https://acme.example");
    short.use_case_description("alerts").production_access_enabled(true).send().await.unwrap();
    let action = stage.action("aws/mail-production", &production());
    let Probe::Different { said, mend, .. } = action.probe(&stage.world).await else { panic!("denied") };
    assert!(mend.is_empty() && said.contains("did not grant"), "{said}");
    let calls = stage.calls();
    let outcome = action.apply(&stage.world, &stage.intent("aws/mail-production", &production())).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.advice.contains("support case"), "{failure:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
}

#[test]
fn a_use_case_of_one_line_is_refused_before_aws_does() {
    let with = json!({ "website": "https://www.acme.example", "use_case": "alerts" });
    let call = crate::engagement::Call::Kind {
        kind: "aws/mail-production".to_owned(),
        with: with.as_object().cloned().unwrap(),
    };
    let Err(failure) = build(&call, &subject("e1")) else { panic!("too short") };
    assert!(failure.what.contains("6 characters"), "{failure:?}");
}

#[tokio::test]
async fn the_suppression_list_is_set_back_as_it_was() {
    let stage = Stage::new().await;
    let with = json!({ "reasons": "none" });
    let action = stage.action("aws/mail-suppression", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/mail-suppression", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let now = async || client(&stage).get_account().send().await.unwrap().suppression_attributes.unwrap();
    assert!(now().await.suppressed_reasons().is_empty());
    let undone = action.undo(&stage.world, &stage.intent("aws/mail-suppression", &with), &output).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    let both = [SuppressionListReason::Bounce, SuppressionListReason::Complaint];
    assert_eq!(now().await.suppressed_reasons(), both);
}

#[tokio::test]
async fn in_the_sandbox_only_verified_addresses_get_mail() {
    let stage = Stage::new().await;
    sending_domain(&stage).await;
    let message = json!({ "from": "no-reply@mc.acme.example", "to": "anna@elsewhere.example" });
    let action = stage.action("aws/mail-test", &message);
    let outcome = action.apply(&stage.world, &stage.intent("aws/mail-test", &message)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.meaning.contains("sandbox") && failure.raw.contains("anna@elsewhere.example"), "{failure:?}");
    assert!(matches!(action.verify(&stage.world).await, Verified::NotYet { .. }));
    stage.make("aws/mail-address", json!({ "address": "anna@elsewhere.example", "key": "mail/anna" })).await;
    let output = sent(&stage, &message).await;
    // It was sent: a look finds it written down, and nothing is sent again. Another recipient is another message.
    let world = stage.world.having_made(&output);
    assert!(matches!(action.probe(&world).await, Probe::Same(_)));
    let other = json!({ "from": "no-reply@mc.acme.example", "to": "bounce@simulator.amazonses.com" });
    assert!(is_absent(&stage.action("aws/mail-test", &other).probe(&world).await));
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_not_sent_again() {
    for way in [Fault::LostReply, Fault::ServerErrorAfter, Fault::ServerErrorBefore] {
        let stage = Stage::with(Pace::Instant, Faults::none().aim(way, "SendEmail", 1)).await;
        sending_domain(&stage).await;
        let message = json!({ "from": "no-reply@mc.acme.example", "to": "someone@mc.acme.example" });
        let action = stage.action("aws/mail-test", &message);
        assert_eq!(action.class(), crate::engagement::RepeatClass::Person);
        let outcome = action.apply(&stage.world, &stage.intent("aws/mail-test", &message)).await;
        assert!(matches!(outcome, Outcome::InDoubt { .. }), "{}: {outcome:?}", way.name());
        let arrived = stage.practice.as_ref().unwrap().calls();
        assert_eq!(arrived.iter().filter(|call| call.operation == "SendEmail").count(), 1, "{}", way.name());
    }
    // A throttled one certainly was not taken.
    let stage = Stage::with(Pace::Instant, Faults::none().aim(Fault::Throttle, "SendEmail", 1)).await;
    sending_domain(&stage).await;
    sent(&stage, &json!({ "from": "no-reply@mc.acme.example", "to": "success@simulator.amazonses.com" })).await;
}

#[tokio::test]
async fn only_what_goes_to_the_simulator_alone_may_go_twice() {
    let stage = Stage::new().await;
    let class = |to: serde_json::Value| {
        stage.action("aws/mail-test", &json!({ "from": "no-reply@mc.acme.example", "to": to })).class()
    };
    use crate::engagement::RepeatClass::{Natural, Person};
    assert_eq!(class(json!("success@simulator.amazonses.com")), Natural);
    assert_eq!(
        class(json!(["Bounce <bounce+a@Simulator.amazonses.com>", "complaint@simulator.amazonses.com"])),
        Natural
    );
    assert_eq!(class(json!(["success@simulator.amazonses.com", "anna@acme.example"])), Person);
    assert_eq!(class(json!("simulator.amazonses.com@acme.example")), Person);
    assert_eq!(class(json!("anna@not-simulator.amazonses.com")), Person);
}

#[tokio::test]
async fn the_smtp_password_is_worked_out_and_nobody_sees_it() {
    let stage = Stage::new().await;
    let given = text(&stage.make("aws/secret", json!({ "key": "iam/smtp", "use": "password" })).await, "reference");
    let with = json!({ "access_key": "AKIAEXAMPLE", "secret_key": given, "region": "eu-west-1", "key": "smtp/main" });
    let made = stage.make("aws/mail-smtp-credentials", with.clone()).await;
    assert_eq!((&made["user"], &made["host"]), (&json!("AKIAEXAMPLE"), &json!("email-smtp.eu-west-1.amazonaws.com")));
    let cloud = stage.world.cloud.as_ref().unwrap();
    let read = async |name: &str| cloud.read_secret(name).await.unwrap();
    let (key, password) = (read("onramp/acme-prod/iam/smtp").await, read("onramp/acme-prod/smtp/main").await);
    assert_eq!(password.expose_secret(), crate::aws::smtp_password(&key, "eu-west-1").expose_secret());
    let action = stage.action("aws/mail-smtp-credentials", &with);
    let shown = format!("{:?} {made:?} {:?}", action.changes(), action.probe(&stage.world).await);
    assert!(!shown.contains(password.expose_secret()) && !shown.contains(key.expose_secret()));
    let masked = stage.world.vault.masks().now().mask(&format!("x {} y", password.expose_secret()));
    assert!(!masked.contains(password.expose_secret()), "it would not be masked");
    let temporary =
        json!({ "access_key": "ASIAEXAMPLE", "secret_key": given, "region": "eu-west-1", "key": "smtp/main" });
    let call = crate::engagement::Call::Kind {
        kind: "aws/mail-smtp-credentials".to_owned(),
        with: temporary.as_object().cloned().unwrap(),
    };
    assert!(build(&call, &subject("e1")).is_err());
}
