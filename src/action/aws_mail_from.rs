//! Where bounces go, and whether AWS has found the records that a domain needs.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_mail::{identity, marks, otherwise};
use super::call::Call;
use super::call::mail::MailRequest;
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::AwsFailure;
use crate::aws::mail::operation::get_email_identity::GetEmailIdentityOutput as Identity;
use crate::aws::mail::types::{
    DkimStatus, IdentityType, MailFromAttributes, MailFromDomainStatus, VerificationError, VerificationInfo,
};

/// AWS's default: where the MX record is not found, the message goes out from Amazon's own domain.
const USE_DEFAULT: &str = "USE_DEFAULT_VALUE";
/// Priority and server: the only MX record that the domain may have (SES developer guide, custom MAIL FROM domain).
const MX: &str = "10 feedback-smtp";
const SPF: &str = "v=spf1 include:amazonses.com ~all";

/// `aws/mail-from`: bounces go to a subdomain of ours, so that SPF passes for the sender's own domain.
pub(super) struct MailFrom {
    identity: String,
    domain: String,
    on_mx_failure: &'static str,
}

impl MailFrom {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let of = |name| Ok::<_, Failure>(arguments.text(name)?.to_lowercase());
        let (identity, domain) = (of("identity")?, of("domain")?);
        if known(&identity)
            && known(&domain)
            && !domain.strip_suffix(&identity).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
        {
            let what = format!("{domain} is not a subdomain of {identity}");
            return Err(Failure::new(
                what,
                format!("Give one that nothing else receives mail for, such as bounce.{identity}."),
            ));
        }
        Ok(MailFrom {
            identity,
            domain,
            on_mx_failure: arguments.one_of("on_mx_failure", &[USE_DEFAULT, "REJECT_MESSAGE"])?,
        })
    }

    fn put(&self, domain: Option<&str>, on_mx_failure: &str) -> Call {
        Call::Mail(MailRequest::PutEmailIdentityMailFromAttributes {
            email_identity: self.identity.clone(),
            mail_from_domain: domain.map(str::to_owned),
            behavior_on_mx_failure: on_mx_failure.to_owned(),
        })
    }

    /// The two records that the subdomain needs.
    fn output(&self, region: &str, now: &MailFromAttributes) -> Json {
        let mx = format!("{MX}.{region}.amazonses.com");
        let record = |kind: &str, value: &str| json!({ "name": self.domain, "type": kind, "values": [value] });
        json!({
            "domain": self.domain,
            "mx": mx,
            "txt": SPF,
            "records": [record("MX", &mx), record("TXT", SPF)],
            "status": now.mail_from_domain_status().as_str(),
        })
    }
}

#[async_trait]
impl Thing for MailFrom {
    fn noun(&self) -> String {
        format!("MAIL FROM domain of {}", self.identity)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.put(Some(&self.domain), self.on_mx_failure)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(there) = identity(at.cloud, &self.identity).await? else {
            return Ok(Sight::Nothing { said: format!("there is no mail domain {} yet", self.identity) });
        };
        let Some(now) = there.mail_from_attributes() else {
            return Ok(Sight::Nothing { said: format!("{} uses Amazon's own MAIL FROM domain", self.identity) });
        };
        let (domain, on_mx_failure) = (now.mail_from_domain(), now.behavior_on_mx_failure().as_str());
        let mut differences = Vec::new();
        if domain != self.domain {
            differences.push(difference("MAIL FROM domain", &self.domain, domain));
        }
        if on_mx_failure != self.on_mx_failure {
            differences.push(difference("when its MX record is not found", self.on_mx_failure, on_mx_failure));
        }
        // AWS stopped to look after three days; the same call makes it begin anew.
        if now.mail_from_domain_status() == &MailFromDomainStatus::Failed {
            differences.push(difference("search for the MX record", "going on, or successful", "FAILED"));
        }
        if differences.is_empty() {
            let said = format!("{domain}, {}", now.mail_from_domain_status().as_str());
            return Ok(Sight::Ready(found(said, self.output(at.cloud.region(), now))));
        }
        let former = json!({ "domain": domain, "on_mx_failure": on_mx_failure });
        let keep = if domain == self.domain { Default::default() } else { [("former".to_owned(), former)].into() };
        let said = format!("the {} is otherwise", self.noun());
        let ours = at.is_ours(Some(&marks(there.tags())));
        Ok(otherwise(ours, Partial { said, differences, missing: self.calls(), keep }))
    }

    /// What it was before comes back.
    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        let former = made.0.get("former");
        let text = |name: &str| former.and_then(|former| former.get(name)).and_then(Json::as_str);
        vec![self.put(text("domain"), text("on_mx_failure").unwrap_or(USE_DEFAULT))]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let there = identity(at.cloud, &self.identity).await?;
        let now = there.as_ref().and_then(Identity::mail_from_attributes);
        Ok(match now {
            Some(now) if now.mail_from_domain() == self.domain => Remains::Takes(self.inverse("", made)),
            _ => Remains::Gone,
        })
    }
}

/// `aws/mail-verified`: AWS has found what it looks for, or the owner of an address has followed the link.
pub(super) struct TheVerification {
    identity: String,
    mail_from: Option<String>,
}

impl TheVerification {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let mail_from = arguments.optional("mail_from")?.map(|domain| domain.to_lowercase());
        Ok(TheVerification { identity: arguments.text("identity")?, mail_from })
    }

    fn judge(&self, there: &Identity) -> Verified {
        if there.identity_type() == Some(&IdentityType::EmailAddress) {
            return self.judge_address(there);
        }
        let dkim = there.dkim_attributes().and_then(|dkim| dkim.status()).unwrap_or(&DkimStatus::NotStarted);
        if dkim == &DkimStatus::Failed {
            let what =
                format!("AWS has not found the DKIM records of {}, and stopped looking after 72 hours", self.identity);
            return Verified::NotSo(given_up(what, there));
        }
        let (from, from_found) = match (&self.mail_from, there.mail_from_attributes()) {
            (None, _) => (None, true),
            (Some(wanted), Some(now)) if now.mail_from_domain() == wanted => {
                let status = now.mail_from_domain_status();
                (Some(status.as_str().to_owned()), status == &MailFromDomainStatus::Success)
            }
            (Some(_), _) => (Some("not set".to_owned()), false),
        };
        if from.as_deref() == Some(MailFromDomainStatus::Failed.as_str()) {
            let domain = self.mail_from.clone().unwrap_or_default();
            return Verified::NotSo(given_up(
                format!("AWS has not found exactly one MX record of {domain}, and stopped looking"),
                there,
            ));
        }
        let mut said = format!("{}: DKIM {}", self.identity, dkim.as_str());
        if let Some(from) = &from {
            said = format!("{said}, MAIL FROM {from}");
        }
        if !there.verified_for_sending_status() || dkim != &DkimStatus::Success || !from_found {
            let why = there.verification_info().and_then(why).map(|why| format!("; {why}")).unwrap_or_default();
            return Verified::NotYet { said: format!("{said}{why}") };
        }
        Verified::So(found(said, json!({ "dkim": dkim.as_str(), "mail_from": from })))
    }

    fn judge_address(&self, there: &Identity) -> Verified {
        if there.verified_for_sending_status() {
            let output = json!({ "dkim": Json::Null, "mail_from": Json::Null });
            return Verified::So(found(format!("{} is verified", self.identity), output));
        }
        Verified::NotYet { said: format!("nobody has followed the link that AWS sent to {} yet", self.identity) }
    }
}

fn given_up(what: String, there: &Identity) -> Failure {
    let advice = "Compare the records with those of the step that made it, letter by letter, as seen from outside; then \
                  run that step again, which makes AWS look anew.";
    let why = there.verification_info().and_then(why).unwrap_or_default();
    Failure { meaning: why, ..Failure::new(what, advice) }
}

/// What AWS met when it looked last, in words.
fn why(info: &VerificationInfo) -> Option<String> {
    let met = match info.error_type()? {
        VerificationError::HostNotFound => {
            "there is no such name in the zone (some providers put the zone's name behind what they are given once more)"
        }
        VerificationError::TypeNotFound => "the name is there, but has no record of this type",
        VerificationError::InvalidValue => "the record is there, but with another value",
        VerificationError::DnsServerError => "the zone's servers answered with an error",
        VerificationError::ServiceError => "AWS could not look, and tries again",
        other => return Some(format!("AWS says {}", other.as_str())),
    };
    let server = info.soa_record().and_then(|soa| soa.primary_name_server());
    Some(match server {
        Some(server) => format!("AWS asked {server}: {met}"),
        None => met.to_owned(),
    })
}

#[async_trait]
impl Question for TheVerification {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            Ok(match identity(&cloud, &self.identity).await? {
                Some(there) => self.judge(&there),
                None => Verified::NotYet { said: format!("{} is not there yet", self.identity) },
            })
        })
        .await
    }
}
