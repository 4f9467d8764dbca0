//! Who calls, and for how long: credentials, roles that are taken, and what a denial says when it is decoded.
//!
//! API reference of STS: AssumeRole, GetCallerIdentity, DecodeAuthorizationMessage.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use winterbaume_core::xml_escape;

use super::{Cloud, Pace};
use crate::practice::fault::Fault;
use crate::practice::fidelity::refusal::Refusal;
use crate::practice::fidelity::request::Request;

/// How long somebody needs to sign in anew, in milliseconds.
const SIGNS_IN: i64 = 20_000;
/// How long credentials last, and how long those do that are to end in the middle.
const SESSION: Duration = Duration::from_secs(3_600);
const SHORT_SESSION: Duration = Duration::from_secs(14 * 60);

/// What is known of logins.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Logins {
    /// How often credentials were fetched; the newest ones carry this number.
    pub login: u64,
    /// Credentials up to this number have expired.
    pub expired: u64,
    /// When they did, in milliseconds since 1970.
    #[serde(default)]
    expired_at: i64,
    /// Who calls with the credentials of this number, where that is a role.
    #[serde(default)]
    roles: BTreeMap<u64, String>,
    /// By the role's ARN.
    #[serde(default)]
    external_ids: BTreeMap<String, String>,
}

impl Logins {
    /// All credentials that were handed out until now have ended.
    pub fn end(&mut self, now: i64) {
        (self.expired, self.expired_at) = (self.login, now);
    }

    /// Have the credentials that carry this access key ended?
    pub fn has_ended(&self, access_key: &str) -> bool {
        self.expired > 0 && number(access_key) <= self.expired
    }
}

/// The number that an access key ends with; 0 for one that is not of here.
fn number(access_key: &str) -> u64 {
    access_key.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_default()
}

fn key(login: u64) -> String {
    format!("ASIAPRACTICE{login:08}")
}

impl Cloud {
    /// New credentials. Where time passes as in life, somebody needs a moment to sign in anew, and they last an hour; the
    /// first ones less, where they are to end in the middle.
    fn log_in(&self) -> Credentials {
        let (human, now) = (self.0.pace == Pace::Human, self.now());
        let short = self.0.faults.has(Fault::ExpiredCredentials);
        let mut notes = self.notes();
        let logins = &mut notes.kept.logins;
        let nobody_came =
            human && logins.login > 0 && logins.login <= logins.expired && now < logins.expired_at + SIGNS_IN;
        if !nobody_came {
            logins.login += 1;
        }
        let lasts = if short && logins.expired == 0 { SHORT_SESSION } else { SESSION };
        let expiry = human.then(|| SystemTime::from(jiff::Timestamp::now()) + lasts);
        Credentials::new(key(logins.login), "practice", Some("practice".to_owned()), expiry, "onramp practice")
    }

    /// All credentials that were handed out until now have ended.
    pub fn end_sessions(&self) {
        let now = self.now();
        self.notes().kept.logins.end(now);
    }

    /// What STS answers by the memory of logins; none for a call that it has no part in.
    pub(super) fn sts(&self, ask: &Request) -> Result<Option<String>, Refusal> {
        match ask.action() {
            "AssumeRole" => self.assume(ask).map(Some),
            "DecodeAuthorizationMessage" => decode(ask.need("EncodedMessage")?).map(Some),
            "GetCallerIdentity" => Ok(Some(self.caller(ask))),
            _ => Ok(None),
        }
    }

    fn assume(&self, ask: &Request) -> Result<String, Refusal> {
        let (role, session) = (ask.need("RoleArn")?, ask.need("RoleSessionName")?);
        let seconds = ask.number("DurationSeconds")?.unwrap_or(3_600);
        if !(900..=43_200).contains(&seconds) {
            let message =
                format!("The requested DurationSeconds exceeds the MaxSessionDuration set for this role: {seconds}");
            return Err(Refusal::new("ValidationError", message));
        }
        let denied = |why: &str| Refusal::new("AccessDenied", why);
        let name = role.rsplit('/').next().unwrap_or_default();
        // The id that a role is taken with first is the one that the customer has written into its trust policy.
        let given = ask.get("ExternalId");
        let agreed = match given {
            Some(id) => {
                Some(self.notes().kept.logins.external_ids.entry(role.to_owned()).or_insert(id.to_owned()).clone())
            }
            None => self.notes().kept.logins.external_ids.get(role).cloned(),
        };
        // One is as no role should be.
        if agreed.as_deref() != given && name != "Open" {
            return Err(denied(&format!("User is not authorized to perform: sts:AssumeRole on resource: {role}")));
        }
        if ask.get("SerialNumber").is_some() {
            let code = ask.get("TokenCode").unwrap_or_default();
            if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) || code == "000000" {
                return Err(denied("MultiFactorAuthentication failed with invalid MFA one time pass code."));
            }
        }
        let Some((account, _)) =
            role.split_once(":role/").and_then(|(head, name)| Some((head.rsplit(':').next()?, name)))
        else {
            return Err(Refusal::new("ValidationError", format!("{role} is invalid")));
        };
        let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
        let mut notes = self.notes();
        let logins = &mut notes.kept.logins;
        logins.login += 1;
        let login = logins.login;
        logins.roles.insert(login, arn.clone());
        let end = jiff::Timestamp::now() + Duration::from_secs(seconds.unsigned_abs());
        Ok(format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{}</AccessKeyId><SecretAccessKey>practice</SecretAccessKey><SessionToken>practice</SessionToken>\
             <Expiration>{}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROAPRACTICE:{}</AssumedRoleId>\
             <Arn>{}</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>",
            key(login),
            end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            xml_escape(session),
            xml_escape(&arn),
        ))
    }

    fn caller(&self, ask: &Request) -> String {
        let role = self.notes().kept.logins.roles.get(&number(&ask.access_key)).cloned();
        let arn = role.unwrap_or_else(|| format!("arn:aws:iam::{}:user/practice", self.0.account));
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>{}</Arn><UserId>AROAPRACTICE</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             </GetCallerIdentityResponse>",
            xml_escape(&arn),
        )
    }

    /// As EC2 refuses what no policy allows: what exactly, it says encoded.
    pub(super) fn denied(&self, ask: &Request) -> Refusal {
        let (service, action, account) = (&ask.service, ask.action(), &self.0.account);
        let told = serde_json::json!({
            "allowed": false,
            "explicitDeny": false,
            "matchedStatements": { "items": [] },
            "context": {
                "principal": { "arn": format!("arn:aws:sts::{account}:assumed-role/practice/engineer") },
                "action": format!("{service}:{action}"),
                "resource": format!("arn:aws:{service}:{}:{account}:*", ask.region),
            },
        });
        let message = format!(
            "You are not authorized to perform this operation. Encoded authorization failure message: {}",
            BASE64.encode(told.to_string())
        );
        Refusal::new("UnauthorizedOperation", message)
    }
}

fn decode(encoded: &str) -> Result<String, Refusal> {
    let told = BASE64.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(told) = told else {
        return Err(Refusal::new("InvalidAuthorizationMessageException", "The message is not one of AWS."));
    };
    Ok(format!(
        "<DecodeAuthorizationMessageResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <DecodeAuthorizationMessageResult><DecodedMessage>{}</DecodedMessage></DecodeAuthorizationMessageResult>\
         </DecodeAuthorizationMessageResponse>",
        xml_escape(&told)
    ))
}

impl ProvideCredentials for Cloud {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(self.log_in()))
    }
}
