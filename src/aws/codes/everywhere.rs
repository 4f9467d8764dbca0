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
        "Give the customer the name of the operation and ask for it to be allowed. An encoded message can be read \
         with: aws sts decode-authorization-message (needs its own permission).",
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
        "Read AWS's own words below. Regions are enabled under Account in the console; Marketplace terms are accepted \
         by a person on the product's page.",
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
        Kind::Conflict,
        &["ConcurrentModification*", "ConflictException", "PriorRequestNotComplete", "OperationNotPermitted"],
        "Somebody else is changing the same thing at this moment, or it is protected.",
        "Wait a minute and try again; find out who else works in this account.",
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
