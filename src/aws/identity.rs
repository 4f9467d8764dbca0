//! Who AWS takes us for, and until when.

use std::time::Duration;

use super::clients::Cloud;
use super::error::AwsFailure;
use super::operations::Operation;
use super::retry::{Patience, Resend};

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
        let (operation, freely) = (Operation::GetCallerIdentity, Resend::Freely);
        let answer = self.ask(operation, freely, Patience::NONE, || sts.get_caller_identity().send()).await?;
        self.is_of(answer.account().unwrap_or_default());
        Ok(Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
            expires: self.expires(),
        })
    }

    /// When the credentials end, in milliseconds since 1970; none for those that do not end, or do not say so.
    pub fn expires(&self) -> Option<i64> {
        self.session().end()
    }

    /// For how long they held when they were first read; none for those that do not end, or do not say so.
    pub fn lasts(&self) -> Option<Duration> {
        self.session().lasts()
    }

    /// Are they made anew without a person, as often as it takes?
    pub fn renews(&self) -> bool {
        self.session().renews()
    }
}
