//! SES: what it refuses, what it finds in the DNS, and what it lets the account do.

use std::time::Duration;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use aws_sdk_sesv2::types::{
    BehaviorOnMxFailure, Body, Content, Destination, EmailContent, EventDestinationDefinition, EventType, MailType,
    Message, SnsDestination, Tag,
};
use aws_sdk_sesv2::{Client as Mail, Config as MailConfig};

use super::names::names;
use super::*;
use crate::practice::cloud::{Letter, Record};

const DOMAIN: &str = "mc.acme.example";

fn mail(cloud: &Cloud) -> Mail {
    let config = MailConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Mail::from_conf(config.build())
}

fn sns(topic: &str) -> EventDestinationDefinition {
    EventDestinationDefinition::builder()
        .enabled(true)
        .matching_event_types(EventType::Bounce)
        .sns_destination(SnsDestination::builder().topic_arn(topic).build().unwrap())
        .build()
}

fn message() -> EmailContent {
    let text = |data: &str| Content::builder().data(data).build().unwrap();
    let body = Body::builder().text(text("hello")).build();
    EmailContent::builder().simple(Message::builder().subject(text("hello")).body(body).build()).build()
}

#[tokio::test]
async fn mail_is_checked_as_aws_checks_it() {
    let mail = mail(&cloud(Pace::Instant));
    let identity = |name: &str| mail.create_email_identity().email_identity(name);
    let from =
        |domain: &str| mail.put_email_identity_mail_from_attributes().email_identity(DOMAIN).mail_from_domain(domain);
    let set = |name: &str| mail.create_configuration_set().configuration_set_name(name);
    let event = |name: &str, topic: &str| {
        let request = mail.create_configuration_set_event_destination().configuration_set_name("mail");
        request.event_destination_name(name).event_destination(sns(topic))
    };
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:mail");
    let nothing = EventDestinationDefinition::builder().enabled(true).matching_event_types(EventType::Send).build();
    rows! {
        mail.get_email_identity().email_identity(DOMAIN) => "NotFoundException",
        mail.delete_email_identity().email_identity(DOMAIN) => "NotFoundException",
        from("bounce.mc.acme.example") => "NotFoundException",
        identity("no domain") => "BadRequestException",
        identity("anna@@acme.example") => "BadRequestException",
        identity(DOMAIN).configuration_set_name("mail") => "NotFoundException",
        identity(DOMAIN) => "ok",
        identity("MC.acme.example") => "AlreadyExistsException",
        from("bounce.acme.example") => "BadRequestException",
        from("bounce.mc.acme.example") => "ok",
        event("sns", &topic) => "NotFoundException",
        set("no name") => "BadRequestException",
        set("mail") => "ok",
        set("mail") => "AlreadyExistsException",
        event("sns", "arn:aws:sns:us-east-1:1:mail") => "BadRequestException",
        event("sns", &topic).event_destination(nothing) => "BadRequestException",
        event("sns", &topic) => "ok",
        event("sns", &topic) => "AlreadyExistsException",
        mail.delete_configuration_set_event_destination().configuration_set_name("mail").event_destination_name("x") => "NotFoundException",
        mail.delete_configuration_set().configuration_set_name("other") => "NotFoundException",
        mail.get_configuration_set().configuration_set_name("other") => "NotFoundException",
    }
    for n in 0..9 {
        assert_eq!(code(event(&format!("more-{n}"), &topic).send().await), "ok");
    }
    assert_eq!(code(event("eleventh", &topic).send().await), "LimitExceededException");
}

/// One change of a zone's records.
async fn publish(cloud: &Cloud, zone: &str, name: &str, kind: &str, values: &[&str]) {
    let record = |value: &&str| ResourceRecord::builder().value(*value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(60);
    let set = set.set_resource_records(Some(values.iter().map(record).collect())).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    cloud.advance(Duration::from_secs(5));
    names(cloud).change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

/// The customer writes the records of the domain into their own name servers.
async fn customer_publishes(cloud: &Cloud, tokens: &[String]) {
    let record = |token: &String| Record {
        name: format!("{token}._domainkey.{DOMAIN}"),
        kind: "CNAME".to_owned(),
        ttl: 60,
        value: format!("{token}.dkim.amazonses.com."),
    };
    cloud.customer_publishes(tokens.iter().map(record).collect()).await;
}

async fn status(mail: &Mail) -> (String, bool, String) {
    let seen = mail.get_email_identity().email_identity(DOMAIN).send().await.unwrap();
    let dkim = seen.dkim_attributes().unwrap().status().unwrap().as_str().to_owned();
    let error = seen.verification_info().and_then(|info| info.error_type()).map_or("none", |error| error.as_str());
    (dkim, seen.verified_for_sending_status(), error.to_owned())
}

#[tokio::test]
async fn a_domain_is_found_when_its_records_stand_in_the_accounts_zone() {
    let cloud = cloud(Pace::Stopped);
    let mail = mail(&cloud);
    let made = names(&cloud).create_hosted_zone().name("acme.example").caller_reference("one").send().await.unwrap();
    let zone = made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
    let tag = Tag::builder().key("onramp:key").value("mail/domain").build().unwrap();
    let made = mail.create_email_identity().email_identity(DOMAIN).tags(tag).send().await.unwrap();
    let tokens = made.dkim_attributes().unwrap().tokens().to_vec();
    assert_eq!(tokens.len(), 3);
    cloud.advance(Duration::from_secs(60));
    assert_eq!(status(&mail).await, ("PENDING".to_owned(), false, "HOST_NOT_FOUND".to_owned()));
    for token in &tokens {
        publish(&cloud, &zone, &format!("{token}._domainkey.{DOMAIN}"), "CNAME", &["elsewhere.example"]).await;
    }
    assert_eq!(status(&mail).await.2, "INVALID_VALUE");
    for token in &tokens {
        let value = format!("{token}.dkim.amazonses.com");
        publish(&cloud, &zone, &format!("{token}._domainkey.{DOMAIN}"), "CNAME", &[&value]).await;
    }
    assert_eq!(status(&mail).await, ("PENDING".to_owned(), false, "none".to_owned()));
    cloud.advance(Duration::from_secs(10));
    assert_eq!(status(&mail).await, ("SUCCESS".to_owned(), true, "none".to_owned()));

    // Exactly one MX record: with a second one AWS does not use the domain.
    let from = mail.put_email_identity_mail_from_attributes().email_identity(DOMAIN);
    from.mail_from_domain("bounce.mc.acme.example").send().await.unwrap();
    let found = async || {
        let seen = mail.get_email_identity().email_identity(DOMAIN).send().await.unwrap();
        seen.mail_from_attributes().unwrap().mail_from_domain_status().as_str().to_owned()
    };
    let ours = "10 feedback-smtp.eu-west-1.amazonses.com";
    publish(&cloud, &zone, "bounce.mc.acme.example", "MX", &[ours, "20 mx.acme.example"]).await;
    cloud.advance(Duration::from_secs(10));
    assert_eq!(found().await, "PENDING");
    publish(&cloud, &zone, "bounce.mc.acme.example", "MX", &[ours]).await;
    cloud.advance(Duration::from_secs(10));
    assert_eq!(found().await, "SUCCESS");
}

#[tokio::test]
async fn a_search_is_given_up_after_three_days_and_begun_anew() {
    let cloud = cloud(Pace::Stopped);
    let mail = mail(&cloud);
    names(&cloud).create_hosted_zone().name("acme.example").caller_reference("one").send().await.unwrap();
    mail.create_email_identity().email_identity(DOMAIN).send().await.unwrap();
    cloud.advance(Duration::from_secs(73 * 3_600));
    assert_eq!(status(&mail).await.0, "FAILED");
    let again = mail.put_email_identity_dkim_signing_attributes().email_identity(DOMAIN);
    again.signing_attributes_origin("AWS_SES".into()).send().await.unwrap();
    assert_eq!(status(&mail).await.0, "PENDING");
}

#[tokio::test]
async fn the_sandbox_takes_mail_of_and_for_verified_addresses_only() {
    let cloud = cloud(Pace::Stopped);
    let mail = mail(&cloud);
    let send = |from: &str, to: &str| {
        let to = Destination::builder().to_addresses(to).build();
        mail.send_email().from_email_address(from).destination(to).content(message())
    };
    let (us, them) = ("no-reply@mc.acme.example", "anna@elsewhere.example");
    let made = mail.create_email_identity().email_identity(DOMAIN).send().await.unwrap();
    cloud.advance(Duration::from_secs(600));
    rows! {
        send(us, "success@simulator.amazonses.com") => "MessageRejected",
    }
    customer_publishes(&cloud, made.dkim_attributes().unwrap().tokens()).await;
    cloud.advance(Duration::from_secs(10));
    rows! {
        send(us, "success@simulator.amazonses.com") => "ok",
        send("a@deeper.mc.acme.example", "success@simulator.amazonses.com") => "ok",
        send("a@other.example", "success@simulator.amazonses.com") => "MessageRejected",
        send(us, them) => "MessageRejected",
        send(us, "success@simulator.amazonses.com").configuration_set_name("none") => "NotFoundException",
        mail.create_email_identity().email_identity(them) => "ok",
        send(us, them) => "MessageRejected",
    }
    cloud.advance(Duration::from_secs(10));
    assert_eq!(code(send(us, them).send().await), "ok");
    for _ in 3..200 {
        assert_eq!(code(send(us, them).send().await), "ok");
    }
    assert_eq!(code(send(us, them).send().await), "TooManyRequestsException");
    let account = mail.get_account().send().await.unwrap();
    assert_eq!(account.send_quota.unwrap().sent_last24_hours(), 200.0);
    cloud.advance(Duration::from_secs(90_000));
    assert_eq!(code(send(us, them).send().await), "ok");
    let from = mail.put_email_identity_mail_from_attributes().email_identity(DOMAIN);
    let strict =
        from.mail_from_domain("bounce.mc.acme.example").behavior_on_mx_failure(BehaviorOnMxFailure::RejectMessage);
    strict.send().await.unwrap();
    assert_eq!(code(send(us, them).send().await), "MailFromDomainNotVerifiedException");
}

#[tokio::test]
async fn production_access_is_read_by_somebody_and_asked_for_once() {
    let cloud = cloud(Pace::Stopped);
    let mail = mail(&cloud);
    let ask = |use_case: &str| {
        let request = mail.put_account_details().mail_type(MailType::Transactional).website_url("https://acme.example");
        request.use_case_description(use_case).production_access_enabled(true)
    };
    assert_eq!(code(ask("alerts").send().await), "ok");
    cloud.advance(Duration::from_secs(2));
    assert_eq!(code(ask("alerts").send().await), "ConflictException");
    cloud.advance(Duration::from_secs(10));
    let account = mail.get_account().send().await.unwrap();
    let review = account.details().unwrap().review_details().unwrap();
    assert_eq!(review.status().unwrap().as_str(), "DENIED", "a use case of one line");
    assert!(review.case_id().is_some() && !account.production_access_enabled());
    assert_eq!(code(ask(&"x".repeat(80)).send().await), "ConflictException", "only the support case goes on");
}

#[tokio::test]
async fn mail_settings_are_changed_once_a_second_and_kept_over_a_restart() {
    let first = cloud(Pace::Stopped);
    let mail_of = mail(&first);
    let set = |name: &str| mail_of.create_configuration_set().configuration_set_name(name);
    rows! {
        set("one") => "ok",
        set("two") => "TooManyRequestsException",
        mail_of.get_configuration_set().configuration_set_name("one") => "ok",
        mail_of.get_configuration_set().configuration_set_name("two") => "NotFoundException",
    }
    first.advance(Duration::from_secs(1));
    assert_eq!(code(set("two").send().await), "ok");
    let second = cloud(Pace::Stopped);
    second.restore(&first.snapshot().await.unwrap()).await.unwrap();
    assert_eq!(code(mail(&second).get_configuration_set().configuration_set_name("two").send().await), "ok");
}

#[tokio::test]
async fn a_domain_is_found_when_the_customer_has_published_all_of_its_records() {
    let cloud = cloud(Pace::Stopped);
    let mail = mail(&cloud);
    let made = mail.create_email_identity().email_identity(DOMAIN).send().await.unwrap();
    let tokens = made.dkim_attributes().unwrap().tokens().to_vec();
    cloud.advance(Duration::from_secs(3_600));
    assert_eq!(status(&mail).await, ("PENDING".to_owned(), false, "HOST_NOT_FOUND".to_owned()));
    customer_publishes(&cloud, &tokens[..2]).await;
    cloud.advance(Duration::from_secs(3_600));
    assert_eq!(status(&mail).await, ("PENDING".to_owned(), false, "HOST_NOT_FOUND".to_owned()), "one is missing");
    customer_publishes(&cloud, &tokens).await;
    assert_eq!(status(&mail).await.0, "PENDING", "it takes them a while");
    cloud.advance(Duration::from_secs(10));
    assert_eq!(status(&mail).await, ("SUCCESS".to_owned(), true, "none".to_owned()));
}

#[tokio::test]
async fn mail_arrives_signed_whichever_way_ses_got_it() {
    let cloud = cloud(Pace::Instant);
    let mail = mail(&cloud);
    let made = mail.create_email_identity().email_identity(DOMAIN).send().await.unwrap();
    let (us, them) = ("no-reply@mc.acme.example", "success@simulator.amazonses.com");
    let letter = Letter {
        from: us.to_owned(),
        to: vec![them.to_owned()],
        text: format!("From: {us}\r\nTo: {them}\r\nSubject: by SMTP\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"),
    };
    let endpoint = "email-smtp.eu-west-1.amazonaws.com";
    let refused = cloud.post(endpoint, &letter).await.unwrap_err();
    assert!(refused.starts_with("554 Email address is not verified"), "{refused}");
    assert_eq!(cloud.mailbox(them).await, None);
    customer_publishes(&cloud, made.dkim_attributes().unwrap().tokens()).await;
    let taken = cloud.post(endpoint, &letter).await.unwrap();
    let arrived = cloud.mailbox(them).await.unwrap();
    assert!(taken.starts_with("250 Ok ") && arrived.starts_with("DKIM-Signature:"), "{taken}\n{arrived}");
    assert!(arrived.contains("d=mc.acme.example") && arrived.ends_with(&letter.text), "{arrived}");
    let to = Destination::builder().to_addresses(them).build();
    mail.send_email().from_email_address(us).destination(to).content(message()).send().await.unwrap();
    let arrived = cloud.mailbox(them).await.unwrap();
    assert!(arrived.starts_with("DKIM-Signature:") && arrived.contains("Subject: hello\r\n"), "{arrived}");
    // A server of the customer's signs nothing here.
    cloud.post("smtp.acme.example", &letter).await.unwrap();
    assert_eq!(cloud.mailbox(them).await.unwrap(), letter.text);
    let second = self::cloud(Pace::Instant);
    second.restore(&cloud.snapshot().await.unwrap()).await.unwrap();
    assert_eq!(second.mailbox(them).await.unwrap(), letter.text);
}
