//! What every service may say: who calls, how often, and with what.

use super::{Row, row_of};
use crate::aws::error::Kind;

/// Who calls, and how often.
pub(super) const ACCESS: &[Row] = &[
    row_of(
        Kind::Denied,
        &["UnauthorizedOperation", "AccessDenied*"],
        "These credentials may not do this: a policy, a permission boundary, a session policy or a rule of the \
         customer's organisation forbids it.",
        "Ask whoever gives these rights to allow the operation that stands above. onramp plan NAME --policy prints the least \
         policy for all that is planned, and --permissions says what else is missing. What AWS encodes, onramp decodes where \
         it may (sts:DecodeAuthorizationMessage).",
    ),
    row_of(
        Kind::Credentials,
        &["AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "MissingAuthenticationToken"],
        "AWS does not know these credentials.",
        "Check which profile and keys are in use, renew the session, and try again. If they are right, compare this \
         machine's clock with the time: more than five minutes off is refused as well.",
    ),
    row_of(
        Kind::Credentials,
        &["ExpiredToken*", "RequestExpired", "TokenRefreshRequired"],
        "The session has ended, or this machine's clock is more than five minutes off.",
        "Renew the session (with single sign-on: aws sso login), check the clock, and try again. Nothing is lost.",
    ),
    row_of(
        Kind::Credentials,
        &["SignatureDoesNotMatch", "IncompleteSignature", "InvalidSignatureException"],
        "The secret key is not the one of this access key, or this machine's clock is more than five minutes off.",
        "Enter the keys again without blanks around them, check the clock, and try again.",
    ),
    row_of(
        Kind::Activation,
        &["OptInRequired"],
        "The service or the region is not switched on for this account, or the terms of a Marketplace image were not \
         accepted.",
        "Read AWS's own words below. A region is enabled by aws account enable-region --region-name REGION (minutes to \
         hours); Marketplace terms are accepted by a person on the product's page.",
    ),
    row_of(
        Kind::Activation,
        &["PendingVerification", "Blocked", "AccountDisabled"],
        "AWS is still checking this account, or has closed it.",
        "Wait for the mail from AWS, or let the account's owner open a support case. It cannot be hurried from here.",
    ),
    row_of(
        Kind::Throttled,
        &[
            "RequestLimitExceeded",
            "Throttl*",
            "TooManyRequestsException",
            "SlowDown",
            "EC2ThrottledException",
            "BandwidthLimitExceeded",
            "RequestThrottled*",
        ],
        "More calls than AWS takes from this account in a second; others in the account count as well.",
        "onramp has slowed down and tried again. If it persists, find out what else calls AWS in this account.",
    ),
];

/// A role that was made a moment ago: IAM takes some seconds to tell everybody (IAM user guide, "Changes that I make are not
/// always immediately visible"), and who does not know it says that the value is wrong.
pub(super) const NEW_ROLE: Row = row_of(
    Kind::NotReady,
    &[],
    "The role or instance profile is so new that not all of AWS knows it, or its trust policy does not let this service \
     take it.",
    "onramp has tried for a minute. Run the step again; if AWS says the same then, compare the role's trust policy with \
     the service that is to take it.",
);

/// AWS has no code of its own for it: only its words tell.
pub(super) fn is_of_a_new_role(code: &str, message: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &str| message.contains(words);
    let wrong_value = ["InvalidParameter", "InvalidRequest", "Validation"].iter().any(|start| code.starts_with(start));
    wrong_value && (says("instance profile") || (says("role") && (says("assume") || says("required permissions"))))
}

/// What is wrong with the call, or with AWS.
pub(super) const SHAPES: &[Row] = &[
    row_of(
        Kind::Invalid,
        &[
            "InvalidParameter*",
            "ValidationError",
            "ValidationException",
            "MissingParameter",
            "UnknownParameter",
            "Invalid*.Malformed",
            "InvalidKey.Format",
            "InvalidRequest",
            "MalformedQueryString",
        ],
        "AWS does not take one of the values. onramp's own check of the form should have said so first.",
        "Read AWS's own words below, correct the input, and report the value so that the check learns it.",
    ),
    row_of(
        Kind::Busy,
        &["ConcurrentModification*", "ConflictException", "PriorRequestNotComplete"],
        "Somebody else is changing the same thing at this moment.",
        "onramp has tried for a minute. Try the step again; if AWS says the same then, find out who else works in this \
         account.",
    ),
    row_of(
        Kind::Conflict,
        &["OperationNotPermitted"],
        "It is protected, or its owner does not allow this.",
        "Read AWS's own words below. What protects it (such as termination protection) must be lifted first.",
    ),
    row_of(
        Kind::LostReply,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServiceError",
            "ServiceUnavailable*",
            "Unavailable",
            "InternalServerError",
        ],
        "AWS had an error of its own. Whether it did what was asked cannot be told from the answer.",
        "Wait a minute. onramp looks what is there before it asks again.",
    ),
];
