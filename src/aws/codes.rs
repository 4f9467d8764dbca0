//! One table: what an error code means here, and what to do about it (domain specification, 1.4).
//!
//! EC2 models no errors at all, so codes are matched as text. The first row that fits counts; `*` stands for anything.

use super::error::Kind;

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub codes: &'static [&'static str],
    pub kind: Kind,
    pub meaning: &'static str,
    pub advice: &'static str,
}

/// The row of a code.
pub(super) fn row(code: &str) -> Option<&'static Row> {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    ROWS.iter().find(|row| row.codes.iter().any(|pattern| fits(pattern, code)))
}

/// `pattern` has at most one `*`.
fn fits(pattern: &str, code: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == code,
        Some((head, tail)) => code.len() >= head.len() + tail.len() && code.starts_with(head) && code.ends_with(tail),
    }
}

const fn row_of(kind: Kind, codes: &'static [&'static str], meaning: &'static str, advice: &'static str) -> Row {
    Row { codes, kind, meaning, advice }
}

pub(super) const ROWS: &[Row] = &[
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
    row_of(
        Kind::Capacity,
        &["InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity*", "Unsupported"],
        "This availability zone has none of that instance type now, or never has it.",
        "Choose another instance type or another zone; onramp does not move a host by itself. Or try again later.",
    ),
    row_of(
        Kind::Exists,
        &["VpnGatewayAttachmentLimitExceeded", "VpcPeeringConnectionAlreadyExists", "FlowLogAlreadyExists"],
        "There is one already, so a second one cannot be made.",
        "Look whether it is the one that is wanted; if so, it can be used as it is.",
    ),
    row_of(
        Kind::Quota,
        &["VcpuLimitExceeded", "InstanceLimitExceeded", "InstanceLimitExceeded*"],
        "The account may not run that many processors of this family.",
        "Ask for more of the quota 'Running On-Demand Standard instances' (L-1216C47A) in Service Quotas, or choose a \
         smaller type. Minutes to days.",
    ),
    row_of(
        Kind::Quota,
        &["VpcLimitExceeded"],
        "The region has as many VPCs as the account may have (5 unless raised; the default VPC counts).",
        "Ask for more of quota L-F678F1CE, or let the customer delete a VPC that nobody uses, such as the default one.",
    ),
    row_of(
        Kind::Quota,
        &["AddressLimitExceeded"],
        "The account has as many elastic addresses as it may have (5 in a region unless raised).",
        "Ask for more of quota L-0263D0A3, or let the customer release an address that nothing uses.",
    ),
    row_of(
        Kind::Quota,
        &["RulesPerSecurityGroupLimitExceeded", "SecurityGroupsPerInterfaceLimitExceeded"],
        "A security group holds 60 rules in each direction, an interface five groups, unless raised.",
        "Put neighbouring ranges together into one larger range, or ask for more of quota L-0EA8095F.",
    ),
    row_of(
        Kind::Quota,
        &["RouteLimitExceeded"],
        "A route table holds 50 routes, 100 when they are propagated, unless raised.",
        "Put neighbouring ranges together, or ask for more of quota L-93826ACB.",
    ),
    row_of(
        Kind::Quota,
        &[
            "InternetGatewayLimitExceeded",
            "NatGatewayLimitExceeded",
            "VpnGatewayLimitExceeded",
            "CustomerGatewayLimitExceeded",
            "VpnConnectionLimitExceeded",
            "SubnetLimitExceeded",
            "DhcpOptionsLimitExceeded",
            "VpcEndpointLimitExceeded",
            "ResourceCountLimitExceeded",
            "*LimitExceeded",
            "LimitExceededException",
            "*QuotaExceeded*",
        ],
        "The account has as many of these as it may have in this region.",
        "Ask for more in the Service Quotas console, or reuse or delete what is no longer needed.",
    ),
    row_of(
        Kind::InUse,
        &["DependencyViolation", "InvalidIPAddress.InUse", "Resource.InUse", "InvalidGroup.InUse"],
        "Something still hangs on it, so AWS will not let it go.",
        "Undo the later steps first, newest first. What onramp did not make, its owner must take away.",
    ),
    row_of(
        Kind::NotReady,
        &["IncorrectState", "IncorrectInstanceState", "InvalidNatGatewayState", "IncorrectSpotRequestState"],
        "It is on its way from one state to another and cannot do this now.",
        "onramp has waited a minute for it. Look at its state in the console, and try again.",
    ),
    row_of(
        Kind::Image,
        &["InvalidAMIID.Unavailable", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed"],
        "The image was withdrawn, or belongs to another region.",
        "Undo the step that chose the image and run it again, so that a current one is chosen.",
    ),
    row_of(
        Kind::Key,
        &["KMSKeyNotAccessibleFault", "InvalidKMSKey.*", "KMSAccessDeniedException", "KMS*Exception"],
        "The encryption key cannot be used: its policy does not allow it, it is disabled, or it is of another region.",
        "Let the key's owner allow it for EBS in this account and region, then try again.",
    ),
    row_of(
        Kind::AddressPlan,
        &[
            "InvalidSubnet.Conflict",
            "InvalidVpc.Range",
            "InvalidVpcRange",
            "InvalidSubnet.Range",
            "CidrConflict",
            "InvalidCidrBlock*",
        ],
        "The range overlaps another one, or lies outside the VPC, or is of a size that AWS does not take (/16 to /28).",
        "Compare the address plan with the ranges that are there, and change the plan.",
    ),
    row_of(
        Kind::Conflict,
        &["AsnConflict"],
        "The customer's and Amazon's side have the same BGP AS number.",
        "Change one of them. The customer's side can still be changed later, Amazon's cannot.",
    ),
    row_of(
        Kind::Invalid,
        &["InvalidVpnConnection.InvalidType"],
        "The connection learns its routes by BGP, so it takes no static ones.",
        "Leave the static routes out, or make the connection anew with static routing: it cannot be changed later, and a \
         new one has new addresses.",
    ),
    row_of(
        Kind::Exists,
        &["InvalidCustomerGateway.DuplicateIpAddress"],
        "A customer gateway with this address is there already, perhaps in another account.",
        "Ask whether another account already connects this device. Use that gateway, or a second address.",
    ),
    row_of(
        Kind::Exists,
        &["InvalidPermission.Duplicate", "InvalidGroup.Duplicate", "InvalidKeyPair.Duplicate"],
        "One of that name or content is there already.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Exists,
        &["Resource.AlreadyAssociated", "RouteAlreadyExists", "InvalidIPAddress.AlreadyAssociated", "*AlreadyExists*"],
        "It is there already, perhaps pointing somewhere else.",
        "Compare where it points with what is wanted. onramp does not turn it round by itself.",
    ),
    row_of(
        Kind::Gone,
        &["InvalidPermission.NotFound"],
        "The rule is not there any more.",
        "Nothing needs to be done where the rule was to be removed.",
    ),
    row_of(
        Kind::Token,
        &["IdempotentParameterMismatch", "IdempotentInstanceTerminated"],
        "This step sent the same token before, with other values, or for an instance that was terminated since. AWS made \
         nothing this time.",
        "onramp has looked for the earlier object and did not find it. Run the step again: it takes a new token.",
    ),
    row_of(
        Kind::NotFound,
        &["ResourceNotFoundException"],
        "Secrets Manager has no secret of that name in this account and region.",
        "Compare the name, the account and the region; or store it anew: onramp secret NAME set ID.",
    ),
    row_of(
        Kind::Exists,
        &["ResourceExistsException"],
        "Secrets Manager has a secret of that name already.",
        "onramp looks whose it is. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Conflict,
        &["InvalidRequestException"],
        "The secret is scheduled for deletion, or another service manages it.",
        "Look at it in the console: cancel its deletion, or choose another name.",
    ),
    row_of(
        Kind::Denied,
        &["DecryptionFailure", "EncryptionFailure"],
        "These credentials may read the secret's entry, but not use the KMS key that it is encrypted with.",
        "Ask for kms:Decrypt (to store: kms:GenerateDataKey) on that key.",
    ),
    row_of(
        Kind::NotFound,
        &["Invalid*.NotFound", "NatGatewayNotFound", "Gateway.NotAttached", "InvalidAssociationID.NotFound"],
        "AWS does not know this id: it was deleted, is of another region, or was made so recently that not all of \
         AWS has heard of it.",
        "Run the check of the step that made it. If it was deleted by hand, undo and run that step again.",
    ),
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
