//! What EC2 says ("Error codes for the Amazon EC2 API"), and others that say it alike.

use super::{Row, row_of};
use crate::aws::error::Kind;

/// Networks, hosts and what hangs on them.
pub(super) const ROWS: &[Row] = &[
    row_of(
        Kind::Capacity,
        &["InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity*", "Unsupported"],
        "This availability zone has none of that instance type now, or never has it.",
        "Choose another instance type or another zone; onramp does not move a host by itself. Or try again later.",
    ),
    row_of(
        Kind::Exists,
        &["VpnGatewayAttachmentLimitExceeded"],
        "The VPC has a virtual private gateway already, and takes no second one.",
        "Run the step again: it shows the one that is there, and asks whether to use it. Or let its owner detach it first.",
    ),
    row_of(
        Kind::Exists,
        &["VpcPeeringConnectionAlreadyExists"],
        "These two VPCs have a peering already, or one that waits to be accepted, and take no second one.",
        "aws ec2 describe-vpc-peering-connections lists it. If it is as wanted, A on the step uses it by its pcx-… (onramp \
         settle NAME STEP adopt ID); or let its owner delete it, and try again.",
    ),
    row_of(
        Kind::Exists,
        &["FlowLogAlreadyExists"],
        "The VPC has a flow log of the same traffic to the same place already, and takes no second one.",
        "aws ec2 describe-flow-logs --filter Name=resource-id,Values=VPC lists it. If it is as wanted, A on the step uses it by its \
         fl-… (onramp settle NAME STEP adopt ID); or let its owner delete it, and try again.",
    ),
    row_of(
        Kind::Quota,
        &["VcpuLimitExceeded", "InstanceLimitExceeded", "InstanceLimitExceeded*"],
        "The account may not run that many processors of this family.",
        "Ask Service Quotas for more of 'Running On-Demand Standard instances' (ec2, L-1216C47A), or choose a \
         smaller type. Minutes to days.",
    ),
    row_of(
        Kind::Quota,
        &["VpcLimitExceeded"],
        "The region has as many VPCs as the account may have (5 unless raised; the default VPC counts).",
        "Ask Service Quotas for more (vpc, L-F678F1CE), or let the customer delete a VPC that nobody uses, such as the default one.",
    ),
    row_of(
        Kind::Quota,
        &["AddressLimitExceeded"],
        "The account has as many elastic addresses as it may have (5 in a region unless raised).",
        "Ask Service Quotas for more (ec2, L-0263D0A3), or let the customer release an address that nothing uses.",
    ),
    row_of(
        Kind::Quota,
        &["RulesPerSecurityGroupLimitExceeded", "SecurityGroupsPerInterfaceLimitExceeded"],
        "A security group holds 60 rules in each direction, an interface five groups, unless raised.",
        "Put neighbouring ranges together into one larger range, or ask Service Quotas for more (vpc, L-0EA8095F).",
    ),
    row_of(
        Kind::Quota,
        &["RouteLimitExceeded"],
        "A route table holds 50 routes, 100 when they are propagated, unless raised.",
        "Put neighbouring ranges together, or ask Service Quotas for more (vpc, L-93826ACB).",
    ),
    row_of(
        Kind::Quota,
        &["ConcurrentSnapshotLimitExceeded", "SnapshotCreationPerVolumeRateExceeded", "ResourceLimitExceeded"],
        "As many snapshots or copies are on their way as AWS takes at once: 5 to 20 in a region, and one of a disk in 15 s.",
        "Wait until others are there (aws ec2 describe-snapshots --owner-ids self --filters Name=status,Values=pending lists \
         them), and run the step again.",
    ),
    row_of(
        Kind::Quota,
        &["InternetGatewayLimitExceeded"],
        "The region has as many internet gateways as the account may have (5 unless raised, as many as VPCs).",
        "Ask Service Quotas for more (vpc, L-A4707A72; raising that of VPCs, L-F678F1CE, raises both), or let the customer delete a \
         VPC that nobody uses.",
    ),
    row_of(
        Kind::Quota,
        &["NatGatewayLimitExceeded"],
        "The zone has as many NAT gateways as the account may have (5 in each unless raised).",
        "Ask Service Quotas for more (vpc, L-FE5A380F), or let the customer delete a NAT gateway that nothing goes through.",
    ),
    row_of(
        Kind::Quota,
        &["VpnGatewayLimitExceeded"],
        "The region has as many virtual private gateways as the account may have (5 unless raised).",
        "Ask Service Quotas for more (ec2, L-7029FAB6), or let the customer delete one that is attached to no VPC.",
    ),
    row_of(
        Kind::Quota,
        &["CustomerGatewayLimitExceeded"],
        "The region has as many customer gateways as the account may have (50 unless raised).",
        "Ask Service Quotas for more (ec2, L-4FB7FF5D), or let the customer delete one without a VPN connection.",
    ),
    row_of(
        Kind::Quota,
        &["VpnConnectionLimitExceeded"],
        "There are as many VPN connections as there may be: 50 in a region, 10 on one virtual private gateway, unless raised.",
        "Ask Service Quotas for more (ec2, L-3E6EC3A3 for the region, L-B91E5754 for the gateway), or let the customer delete one that is down \
         for good.",
    ),
    row_of(
        Kind::Quota,
        &["SubnetLimitExceeded"],
        "The VPC has as many subnets as it may have (200 unless raised).",
        "Ask Service Quotas for more (vpc, L-407747CB), or plan with fewer tiers.",
    ),
    row_of(
        Kind::Quota,
        &["VpcEndpointLimitExceeded"],
        "There are as many endpoints as there may be: 50 interface endpoints in a VPC, 20 gateway endpoints in a region, \
         unless raised.",
        "Ask Service Quotas for more (vpc, L-29B6F2EB for interfaces, L-1B52E74A for gateways), or let the customer delete one that \
         nothing uses.",
    ),
    row_of(
        Kind::Quota,
        &[
            "DhcpOptionsLimitExceeded",
            "ResourceCountLimitExceeded",
            "*LimitExceeded",
            "LimitExceededException",
            "*QuotaExceeded*",
        ],
        "The account has as many of these as it may have here.",
        "AWS's own words name what it is of. Ask for more of its quota (aws service-quotas list-service-quotas --service-code \
         SERVICE shows them, with ec2, vpc, secretsmanager… for SERVICE), or let the customer delete what nobody uses.",
    ),
    row_of(
        Kind::InUse,
        &[
            "DependencyViolation",
            "InvalidIPAddress.InUse",
            "Resource.InUse",
            "InvalidGroup.InUse",
            "InvalidSnapshot.InUse",
            "VolumeInUse",
        ],
        "Something still hangs on it, so AWS will not let it go.",
        "What hangs on it goes first: what onramp made by undo (U shows the order), and what it did not make by its owner. Then \
         undo this once more.",
    ),
    row_of(
        Kind::NotReady,
        &["IncorrectState", "IncorrectInstanceState", "InvalidNatGatewayState", "IncorrectSpotRequestState"],
        "It is on its way from one state to another and cannot do this now.",
        "onramp has tried for a minute. Try the step again: it looks first how far it is. If AWS says the same then, find \
         out who else works on it in this account.",
    ),
    row_of(
        Kind::Image,
        &["InvalidAMIID.Unavailable", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed"],
        "The image was withdrawn, or belongs to another region.",
        "Undo the step that chose the image and run it again, so that a current one is chosen; or correct the image, where it \
         was an answer.",
    ),
    row_of(
        Kind::Exists,
        &["InvalidAMIName.Duplicate"],
        "The account has an image of that name in this region already.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
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
        Kind::Conflict,
        &["InvalidCustomerGateway.DuplicateIpAddress"],
        "Another customer gateway with the device's public address is connected already, in this account or in another \
         one, and AWS does not take the address twice.",
        "Ask the customer which account connects this device. Use the gateway and the connection that are there (onramp \
         settle NAME STEP adopt ID), or let them give a second public address.",
    ),
    row_of(
        Kind::Exists,
        &["InvalidPermission.Duplicate"],
        "The security group has a rule of the same protocol, ports and range already, under another id.",
        "aws ec2 describe-security-group-rules --filters Name=group-id,Values=GROUP lists its rules. If that one is as wanted, \
         A on the step uses it by its sgr-… (onramp settle NAME STEP adopt ID); or let its owner delete it, and try again.",
    ),
    row_of(
        Kind::Exists,
        &["InvalidGroup.Duplicate", "InvalidKeyPair.Duplicate"],
        "One of that name or content is there already.",
        "onramp compares it with what is wanted. If it is somebody else's, choose another name.",
    ),
    row_of(
        Kind::Exists,
        &["Resource.AlreadyAssociated", "RouteAlreadyExists", "InvalidIPAddress.AlreadyAssociated", "*AlreadyExists*"],
        "It is there already, perhaps pointing somewhere else.",
        "Run the step again: where AWS shows it by then, the step says where it points, beside what is wanted (for routes and \
         subnets, aws ec2 describe-route-tables does). onramp does not turn it round by itself: its owner must, or the plan \
         changes.",
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
        &["Invalid*.NotFound", "NatGatewayNotFound", "Gateway.NotAttached", "InvalidAssociationID.NotFound"],
        "AWS does not know this id: it was deleted, is of another region, or was made so recently that not all of \
         AWS has heard of it.",
        "Run the check of the step that made it. If it was deleted by hand, undo and run that step again.",
    ),
];
