//! The password of SES's SMTP server: worked out from an IAM user's secret key, and kept where secrets live.

use secrecy::SecretString;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_secret::TheSecret;
use super::world::Subject;
use crate::aws::smtp_password;
use crate::engagement::Failure;
use crate::input::{SecretRule, SecretUse};

/// As many characters as every such password has.
const LENGTH: usize = 44;

impl TheSecret {
    /// `aws/mail-smtp-credentials`
    pub(super) fn of_smtp(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (user, region) = (arguments.text("access_key")?, arguments.text("region")?);
        if known(&user) && user.starts_with("ASIA") {
            let what = format!("{user} is a temporary access key, and SMTP takes none");
            return Err(Failure::new(what, "Make an access key for an IAM user that may ses:SendRawEmail."));
        }
        let missing = || Failure::new("the argument `secret_key` is missing", "Give it as a secret input.");
        let key = arguments.text("key")?;
        let own_name = format!("onramp/{}/{key}", subject.name);
        let host = format!("email-smtp.{region}.amazonaws.com");
        Ok(TheSecret {
            name: arguments.optional("name")?.unwrap_or(own_name),
            key,
            rule: SecretRule { used_as: SecretUse::Password, ..SecretRule::PSK },
            length: LENGTH,
            sealed: false,
            given: Some(arguments.secret("secret_key")?.ok_or_else(missing)?),
            beside: json!({ "user": user, "host": host }),
            smtp_region: Some(region),
        })
    }

    /// What is kept of a text that was given.
    pub(super) fn kept_of(&self, given: SecretString) -> SecretString {
        match &self.smtp_region {
            Some(region) => smtp_password(&given, region),
            None => given,
        }
    }
}
