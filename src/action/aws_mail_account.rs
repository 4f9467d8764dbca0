//! What holds for all mail of the account in this region: sandbox or production, how much in a day, and who gets no more.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_mail_events::{listed, reasons, suppression};
use super::call::Call;
use super::call::mail::{Details, MailRequest, Suppression};
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::mail::operation::get_account::GetAccountOutput as Settings;
use crate::aws::mail::types::{ReviewDetails, ReviewStatus};
use crate::aws::{AwsFailure, Cloud, Operation};

async fn settings(cloud: &Cloud) -> Result<Settings, AwsFailure> {
    let request = cloud.mail().get_account();
    cloud.read(Operation::GetAccount, || request.clone().send()).await
}

fn review(settings: &Settings) -> Option<&ReviewDetails> {
    settings.details()?.review_details()
}

/// `case 1234567890`, where AWS has opened one.
fn case(review: Option<&ReviewDetails>) -> String {
    review.and_then(ReviewDetails::case_id).map(|id| format!(", case {id}")).unwrap_or_default()
}

/// `aws/mail-account`: to whom, and how much, the account may send.
pub(super) struct TheMailAccount {
    production: bool,
    per_day: i32,
    per_second: i32,
}

impl TheMailAccount {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheMailAccount {
            production: arguments.one_of("production", &["false", "true"])? == "true",
            per_day: arguments.number("per_day", 0, i32::MAX)?.unwrap_or(0),
            per_second: arguments.number("per_second", 0, i32::MAX)?.unwrap_or(0),
        })
    }

    fn judge(&self, settings: &Settings) -> Verified {
        let production = settings.production_access_enabled();
        let quota = settings.send_quota.as_ref();
        // AWS writes -1 for no limit.
        let unlimited = |limit: f64| if limit < 0.0 { f64::INFINITY } else { limit };
        let per_day = unlimited(quota.map_or(0.0, |quota| quota.max24_hour_send()));
        let per_second = unlimited(quota.map_or(0.0, |quota| quota.max_send_rate()));
        let sent = quota.map_or(0.0, |quota| quota.sent_last24_hours());
        let place = if production { "production" } else { "the sandbox" };
        let said = format!("{place}: {per_day} messages a day ({sent} in the last), {per_second} a second");
        if !settings.sending_enabled() || settings.enforcement_status() == Some("SHUTDOWN") {
            let advice = "AWS has written to the account's owner why: answer there. When mail goes again, aws sesv2 get-account \
                          says HEALTHY under EnforcementStatus.";
            return Verified::NotSo(Failure::new("AWS has stopped all mail of this account", advice));
        }
        if self.production && !production {
            return Verified::NotYet {
                said: format!("{said}; only verified addresses get mail{}", under_review(settings)),
            };
        }
        if per_day < f64::from(self.per_day) || per_second < f64::from(self.per_second) {
            let wanted = format!("{} a day and {} a second are wanted", self.per_day, self.per_second);
            return Verified::NotYet { said: format!("{said}; {wanted}") };
        }
        let limit = |limit: f64| if limit.is_finite() { json!(limit) } else { json!(-1) };
        let output = json!({
            "production": production,
            "per_day": limit(per_day),
            "per_second": limit(per_second),
            "sent": sent,
            "review": review(settings).and_then(ReviewDetails::status).map_or("none", ReviewStatus::as_str),
            "suppressed": reasons(settings.suppression_attributes().map(|one| one.suppressed_reasons()).unwrap_or_default()),
        });
        Verified::So(found(said, output))
    }
}

fn under_review(settings: &Settings) -> String {
    match review(settings).and_then(ReviewDetails::status) {
        Some(status) => format!("; the request for production is {}{}", status.as_str(), case(review(settings))),
        None => String::new(),
    }
}

#[async_trait]
impl Question for TheMailAccount {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| Ok(self.judge(&settings(&cloud).await?))).await
    }
}

/// `aws/mail-production`: AWS is asked to let the account write to everybody. It can be asked once: while a person at AWS
/// reads it nothing can be changed, and after a refusal only the support case goes on.
pub(super) struct ProductionAccess {
    details: Details,
}

/// AWS refuses a use case of one line (domain specification, P03: seen).
const LEAST_USE_CASE: usize = 80;
const MOST_USE_CASE: usize = 5_000;
const MOST_CONTACTS: usize = 4;

impl ProductionAccess {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let use_case = arguments.text("use_case")?;
        let length = use_case.chars().count();
        if known(&use_case) && !(LEAST_USE_CASE..=MOST_USE_CASE).contains(&length) {
            let what =
                format!("the use case has {length} characters, and {LEAST_USE_CASE} to {MOST_USE_CASE} are wanted");
            let advice = "Say who gets the mail and how you know them, what happens with bounces and complaints, how one \
                          is taken off the list, and how much mail there is.";
            return Err(Failure::new(what, advice));
        }
        let contacts = arguments.list("contacts")?;
        if contacts.len() > MOST_CONTACTS {
            let what = format!("AWS takes up to {MOST_CONTACTS} further contacts, not {}", contacts.len());
            return Err(Failure::new(what, "Leave some of them away."));
        }
        let details = Details {
            mail_type: arguments.one_of("mail_type", &["TRANSACTIONAL", "MARKETING"])?,
            website_url: arguments.text("website")?,
            use_case_description: use_case,
            contact_language: arguments.one_of("language", &["EN", "JA"])?,
            additional_contact_email_addresses: contacts,
            production_access_enabled: true,
        };
        Ok(ProductionAccess { details })
    }
}

#[async_trait]
impl Thing for ProductionAccess {
    fn noun(&self) -> String {
        "production access to SES".to_owned()
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Mail(MailRequest::PutAccountDetails(self.details.clone()))]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let settings = settings(at.cloud).await?;
        let review = review(&settings);
        let status = review.and_then(ReviewDetails::status);
        let output = json!({
            "review": status.map_or("none", ReviewStatus::as_str),
            "case": review.and_then(ReviewDetails::case_id),
        });
        if settings.production_access_enabled() {
            return Ok(Sight::Ready(found("the account may write to everybody", output)));
        }
        Ok(match status {
            None => Sight::Nothing { said: "the account is in the sandbox".to_owned() },
            Some(ReviewStatus::Denied | ReviewStatus::Failed) => Sight::Broken(Failure::new(
                format!("AWS did not grant production access{}", case(review)),
                "Answer in that support case: it cannot be asked for once more. When AWS has granted it, run the step again.",
            )),
            Some(status) => {
                let said = format!("AWS reads the request: {}{}", status.as_str(), case(review));
                Sight::Awaited(found(said, output))
            }
        })
    }

    async fn remains(&self, _at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(Remains::NotOurs { said: "AWS has no call that takes production access back".to_owned() })
    }
}

/// `aws/mail-suppression`: one setting for the whole account; an undo puts back what was there.
pub(super) struct TheSuppression {
    wanted: Suppression,
}

impl TheSuppression {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheSuppression { wanted: suppression(arguments, "reasons")? })
    }

    async fn now(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let settings = settings(at.cloud).await?;
        let attributes = settings.suppression_attributes();
        Ok(reasons(attributes.map(|attributes| attributes.suppressed_reasons()).unwrap_or_default()))
    }

    fn put(options: Suppression) -> Call {
        Call::Mail(MailRequest::PutAccountSuppressionAttributes { options })
    }
}

/// What it was before, where that was written down.
fn former(made: &Made<'_>) -> Option<Suppression> {
    let former = made.0.get("former")?.as_array()?;
    Some(Suppression { suppressed_reasons: former.iter().filter_map(Json::as_str).map(str::to_owned).collect() })
}

#[async_trait]
impl Thing for TheSuppression {
    fn noun(&self) -> String {
        "suppression list of the account".to_owned()
    }

    fn calls(&self) -> Vec<Call> {
        vec![TheSuppression::put(self.wanted.clone())]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let now = self.now(at).await?;
        let wanted = &self.wanted.suppressed_reasons;
        if &now == wanted {
            let said = format!("recipients are suppressed after {}", listed(&now));
            return Ok(Sight::Ready(found(said, json!({ "reasons": now }))));
        }
        Ok(Sight::Partial(Partial {
            said: format!("recipients are suppressed after {}", listed(&now)),
            differences: vec![difference("suppressed after", listed(wanted), listed(&now))],
            missing: self.calls(),
            keep: [("former".to_owned(), json!(now))].into(),
        }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        former(made).map(TheSuppression::put).into_iter().collect()
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let now = self.now(at).await?;
        Ok(match former(made) {
            _ if now != self.wanted.suppressed_reasons => Remains::Gone,
            Some(former) if former.suppressed_reasons == now => Remains::Gone,
            Some(former) => Remains::Takes(vec![TheSuppression::put(former)]),
            None => Remains::NotOurs { said: "nobody wrote down what was set before".to_owned() },
        })
    }
}
