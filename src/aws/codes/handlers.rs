//! What the handler of a type says when a request to Cloud Control has failed: one list for all types ("Handler error
//! codes", CloudFormation CLI user guide). AWS has ended the request then, so its fate is certain.

use super::{Row, row_of};
use crate::aws::error::Kind;

pub(super) const HANDLERS: &[Row] = &[
    row_of(
        Kind::Exists,
        &["AlreadyExists"],
        "There is one of that name already: of this account, or, for a name that is one for all of AWS as a bucket's is, of anybody's.",
        "aws cloudcontrol list-resources --type-name TYPE lists those that are there. If it is the one that is wanted, A on the \
         step uses it by its identifier (onramp settle NAME STEP adopt ID); if it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::NotFound,
        &["NotFound"],
        "There is none of that identifier in this account and region.",
        "Run the check of the step. If it was deleted by hand, undo the step and run it again.",
    ),
    row_of(
        Kind::Denied,
        &["AccessDenied"],
        "Cloud Control acts in the name of these credentials, and they may not do what the service behind the type asks for.",
        "Ask for the permissions of that service as well: onramp plan NAME --policy lists them; for a type that onramp does not know, the step's `permissions` names them.",
    ),
    row_of(
        Kind::Denied,
        &["UnauthorizedTaggingOperation"],
        "These credentials may make it, but not put tags on it, and onramp makes nothing that it could not find again.",
        "Ask for the permission to tag: onramp plan NAME --policy lists it.",
    ),
    row_of(
        Kind::Credentials,
        &["InvalidCredentials"],
        "The service behind the type does not take these credentials: they are at their end, or of another account.",
        "Renew the session (with single sign-on: aws sso login), and run the step again.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidRequest"],
        "The service behind the type does not take one of the properties, or two of them together.",
        "AWS's own words below name it. Compare it with the type's page in the CloudFormation reference, and correct the step or its input.",
    ),
    row_of(
        Kind::Invalid,
        &["NotUpdatable"],
        "One of the properties that differ can never be changed: only a new resource can have it otherwise.",
        "Put the property back as it was; or undo the step, which takes the resource away, and run it again.",
    ),
    row_of(
        Kind::InUse,
        &["ResourceConflict"],
        "Something still uses it or is in it, or the service is changing it at this moment.",
        "AWS's own words below say what. A bucket must be empty; take away what stands on it, then try again.",
    ),
    row_of(
        Kind::Throttled,
        &["Throttling"],
        "The service behind the type was asked more often than it takes, and Cloud Control gave up.",
        "Wait a minute and run the step again.",
    ),
    row_of(
        Kind::Quota,
        &["ServiceLimitExceeded"],
        "The account has as many of these as it may have in this region.",
        "Ask Service Quotas for more: AWS's own words name what of, and aws service-quotas list-service-quotas --service-code \
         SERVICE its code (L-…); aws service-quotas request-service-quota-increase asks, as `aws: quota-increase` does. Or let \
         the customer delete what nobody uses.",
    ),
    row_of(
        Kind::NotReady,
        &["NotStabilized", "ServiceTimeout"],
        "It was asked for, but did not come to rest in the time that AWS gives it.",
        "Run the step again: it looks what is there and goes on with that. If it stays so, its owner sees its state with \
         aws cloudcontrol get-resource --type-name TYPE --identifier ID.",
    ),
    row_of(
        Kind::Other,
        &["GeneralServiceException", "ServiceInternalError", "InternalFailure", "NetworkFailure"],
        "The service behind the type, or its handler, had an error of its own. Part of it may have been done.",
        "Run the step again: it looks what is there first. If it stays so, AWS's own words below are for AWS support.",
    ),
];
