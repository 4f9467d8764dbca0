//! Who AWS takes us for, and until when.

use std::time::UNIX_EPOCH;

use aws_credential_types::provider::ProvideCredentials;

use super::clients::Cloud;
use super::error::AwsFailure;
use super::operations::Operation;
use super::retry::{Patience, Resend, send};

/// The caller as `sts:GetCallerIdentity` sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// `arn:aws:sts::123456789012:assumed-role/onramp/anna`
    pub arn: String,
    /// When the credentials end, in milliseconds since 1970 in UTC; none for those that do not end, or do not say so.
    pub expires: Option<i64>,
}

impl Identity {
    /// The part of the ARN a person knows: `assumed-role/onramp/anna`, `user/anna`, `root`.
    pub fn caller(&self) -> &str {
        self.arn.splitn(6, ':').nth(5).unwrap_or(&self.arn)
    }
}

impl Cloud {
    /// Asks AWS who we are. Needs no permission at all.
    ///
    /// # Errors
    /// No credentials, refused credentials, or no answer.
    pub async fn identity(&self) -> Result<Identity, AwsFailure> {
        let sts = self.sts();
        let answer = send(Operation::GetCallerIdentity, Resend::Freely, Patience::NONE, self.limiter(), || {
            sts.get_caller_identity().send()
        })
        .await;
        let answer = self.noted(answer)?;
        Ok(Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
            expires: self.expiry().await,
        })
    }

    async fn expiry(&self) -> Option<i64> {
        let credentials = self.credentials()?.provide_credentials().await.ok()?;
        let since_epoch = credentials.expiry()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since_epoch.as_millis()).ok()
    }
}
