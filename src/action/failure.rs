//! Failures of the wires in the words of the engagement.

use crate::aws::AwsFailure;
use crate::engagement::Failure;
use crate::ssh::SshError;

impl From<AwsFailure> for Failure {
    fn from(failure: AwsFailure) -> Self {
        let sign_in = failure.ends_with_sign_in();
        let AwsFailure { what, meaning, advice, code, raw, spent, .. } = failure;
        Failure { what, meaning, advice, code, raw, sign_in, token_spent: spent, ..Failure::default() }
    }
}

/// What happened on the way to a host. A changed key shows both fingerprints.
pub(super) fn of_ssh(error: &SshError) -> Failure {
    Failure {
        what: error.to_string(),
        meaning: if error.may_have_run() {
            "The script was started, and what it did is not known.".to_owned()
        } else {
            "Nothing was run on the host.".to_owned()
        },
        advice: error.advice(),
        ..Failure::default()
    }
}
