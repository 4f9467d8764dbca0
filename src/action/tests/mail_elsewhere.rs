//! Mail of another region than the engagement's: it lives there, and nothing of it is here.

use serde_json::json;

use super::life::lives;
use super::mail::{published, sent, use_case};
use super::*;
use crate::action::Undoes;

const AWAY: &str = "eu-central-1";

fn there(mut with: Json) -> Json {
    with["region"] = json!(AWAY);
    with
}

#[tokio::test]
async fn all_of_mail_lives_in_the_region_that_is_named() {
    let stage = Stage::new().await;
    let set = there(json!({ "name": "mail", "key": "mail/set" }));
    lives(&stage, "aws/mail-configuration-set", set).await;
    let topic = json!({ "set": "mail", "name": "told", "topic": format!("arn:aws:sns:{AWAY}:{ACCOUNT}:mail") });
    lives(&stage, "aws/mail-events", there(topic)).await;
    lives(&stage, "aws/mail-suppression", there(json!({ "reasons": "COMPLAINT" }))).await;
    let domain = there(json!({ "domain": "mc.acme.example", "configuration_set": "mail", "key": "mail/domain" }));
    published(&stage, &lives(&stage, "aws/mail-domain", domain).await).await;
    let from = lives(
        &stage,
        "aws/mail-from",
        there(json!({ "identity": "mc.acme.example", "domain": "bounce.mc.acme.example" })),
    )
    .await;
    assert_eq!(from["mx"], json!("10 feedback-smtp.eu-central-1.amazonses.com"));
    published(&stage, &from).await;
    let verified = json!({ "identity": "mc.acme.example", "mail_from": "bounce.mc.acme.example" });
    stage.make("aws/mail-verified", there(verified.clone())).await;
    let wish = json!({ "website": "https://www.acme.example", "use_case": use_case() });
    stage.make("aws/mail-production", there(wish)).await;
    stage.make("aws/mail-account", there(json!({ "production": true }))).await;
    let message = json!({ "from": "no-reply@mc.acme.example", "to": "ops@acme.example", "configuration_set": "mail" });
    sent(&stage, &there(message)).await;

    let here = stage.world.cloud.as_ref().unwrap().mail();
    assert!(here.get_email_identity().email_identity("mc.acme.example").send().await.is_err());
    assert!(!here.get_account().send().await.unwrap().production_access_enabled());
    let asked = stage.action("aws/mail-verified", &verified).verify(&stage.world).await;
    assert!(matches!(&asked, Verified::NotYet { said } if said.contains("is not there yet")), "{asked:?}");
}

#[tokio::test]
async fn what_is_taken_away_elsewhere_is_looked_for_and_asked_for_elsewhere() {
    let stage = Stage::new().await;
    let with = there(json!({ "domain": "mc.acme.example", "key": "mail/domain" }));
    let made = stage.make("aws/mail-domain", with.clone()).await;
    let action = stage.action("aws/mail-domain", &with);
    let Undoes::Sends(calls) = action.undoes(&stage.world, &made).await else { panic!("it is there") };
    assert_eq!(calls[0].arguments, json!({ "EmailIdentity": "mc.acme.example", "onramp:region": AWAY }));
    assert_eq!(calls, action.inverse(&made));
    let elsewhere = json!({ "domain": "mc.acme.example", "key": "mail/domain" });
    assert!(is_absent(&stage.action("aws/mail-domain", &elsewhere).probe(&stage.world).await));
}
