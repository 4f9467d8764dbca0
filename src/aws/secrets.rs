//! AWS Secrets Manager: look, read, store, take away. A secret's text is in the call and in its answer, and nowhere else.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::Tag;
use secrecy::{ExposeSecret, SecretString};

use super::clients::Cloud;
use super::error::{AwsFailure, Kind};
use super::operations::Operation;
use super::retry::{Patience, Resend};
use super::tags::{Holder, Stamp, holder_by};

/// Days in which a deletion can be taken back: the least that AWS allows (API reference, DeleteSecret).
pub const RECOVERY_DAYS: i64 = 7;

/// What Secrets Manager shows of a secret without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSeen {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    /// It is scheduled for deletion: nobody can read it, and its name is taken.
    pub going: bool,
    /// Tokens under which its text was stored.
    pub versions: Vec<String>,
}

impl SecretSeen {
    /// Whose it is, as its tags say.
    pub fn holder(&self, engagement: &str) -> Holder {
        holder_by(engagement, |wanted| self.tags.get(wanted).map(String::as_str))
    }
}

impl Cloud {
    /// The secret of that name or ARN; none when there is none.
    ///
    /// # Errors
    /// See `send`.
    pub async fn look_at_secret(&self, id: &str) -> Result<Option<SecretSeen>, AwsFailure> {
        let request = self.secrets_manager().describe_secret().secret_id(id);
        let sent = self.ask(Operation::DescribeSecret, Resend::Freely, Patience::NONE, || request.clone().send()).await;
        let seen = match sent {
            Ok(seen) => seen,
            Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let tag = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
        Ok(Some(SecretSeen {
            arn: seen.arn.unwrap_or_default(),
            name: seen.name.unwrap_or_default(),
            tags: seen.tags.unwrap_or_default().into_iter().filter_map(tag).collect(),
            going: seen.deleted_date.is_some(),
            versions: seen.version_ids_to_stages.unwrap_or_default().into_keys().collect(),
        }))
    }

    /// The text of the secret of that name or ARN, as it is now.
    ///
    /// # Errors
    /// See `send`; also when it has bytes and no text.
    pub async fn read_secret(&self, id: &str) -> Result<SecretString, AwsFailure> {
        let request = self.secrets_manager().get_secret_value().secret_id(id);
        let answer =
            self.ask(Operation::GetSecretValue, Resend::Freely, Patience::NONE, || request.clone().send()).await?;
        let no_text = || AwsFailure::wiring("the secret has bytes and no text", "Store it as text.");
        answer.secret_string.map(SecretString::from).ok_or_else(no_text)
    }

    /// Makes a secret; gives its ARN. Two calls with one token and one text make one secret.
    ///
    /// # Errors
    /// See `send`; `Kind::Exists` when the name is taken.
    pub async fn create_secret(
        &self,
        name: &str,
        text: &SecretString,
        token: &str,
        description: &str,
        stamp: &Stamp<'_>,
    ) -> Result<String, AwsFailure> {
        let tags = stamp.pairs().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = self
            .secrets_manager()
            .create_secret()
            .name(name)
            .secret_string(text.expose_secret())
            .client_request_token(token)
            .description(description)
            .set_tags(Some(tags.collect()));
        let made =
            self.ask(Operation::CreateSecret, Resend::Freely, Patience::SETTLING, || request.clone().send()).await?;
        Ok(made.arn.unwrap_or_default())
    }

    /// Gives a secret another text. The same token with another text is refused by AWS.
    ///
    /// # Errors
    /// See `send`.
    pub async fn put_secret(&self, id: &str, text: &SecretString, token: &str) -> Result<(), AwsFailure> {
        let client = self.secrets_manager();
        let request =
            client.put_secret_value().secret_id(id).secret_string(text.expose_secret()).client_request_token(token);
        self.ask(Operation::PutSecretValue, Resend::Freely, Patience::SETTLING, || request.clone().send())
            .await
            .map(drop)
    }

    /// Takes its deletion back.
    ///
    /// # Errors
    /// See `send`.
    pub async fn restore_secret(&self, id: &str) -> Result<(), AwsFailure> {
        let request = self.secrets_manager().restore_secret().secret_id(id);
        self.ask(Operation::RestoreSecret, Resend::Freely, Patience::SETTLING, || request.clone().send())
            .await
            .map(drop)
    }

    /// Schedules its deletion: nobody reads it from then on, and a person can take it back for a week.
    ///
    /// # Errors
    /// See `send`.
    pub async fn schedule_deletion(&self, id: &str) -> Result<(), AwsFailure> {
        let request = self.secrets_manager().delete_secret().secret_id(id).recovery_window_in_days(RECOVERY_DAYS);
        self.ask(Operation::DeleteSecret, Resend::Freely, Patience::SETTLING, || request.clone().send()).await.map(drop)
    }
}
