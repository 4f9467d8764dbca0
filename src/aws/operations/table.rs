//! The rows.

use serde::Serialize;

use self::Operation::*;
use super::Repeat::{Natural, Person, Tag, Token};
use super::Service::{
    Backup, CloudControl, CloudTrail, DirectConnect, Ec2, Logs, Mail, Metrics, Rds, Resolver, Route53, S3, S3Control,
    SecretsManager, ServiceQuotas, Sts,
};
use super::moto::{
    AT_ONCE, IMAGES, LACKS, NO_CONTROL, NO_COPIES, NO_LOGS, NO_POINTS, NOTHING_ON_IT, OTHERWISE, UNREADABLE, UNTAGGED,
};
use super::{Row, Scope, arranges, makes, reads, takes};

/// For a log of its own kind that AWS delivers: "Logs sent to CloudWatch Logs" and "Publish Site-to-Site VPN logs".
const DELIVERS_LOGS: &[&str] = &[
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
];
/// The same, and the first connection with its keys in Secrets Manager makes the role under which Site-to-Site VPN makes the
/// secret (AWSServiceRoleForVPCS2SVPN: its managed policy makes, reads and deletes secrets called `s2svpn!…`, so whoever
/// makes the connection needs no permission for one).
const DELIVERS_LOGS_AND_LINKS: &[&str] = &[
    "iam:CreateServiceLinkedRole",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
];
/// The first in an account makes the role under which the service works: "Service-linked roles" of transit gateways and of
/// the Resolver, and the managed policy ServiceQuotasFullAccess.
const LINKS: &[&str] = &["iam:CreateServiceLinkedRole"];
/// Of an account it is one permission that sets the block and takes it away.
const PUT_BLOCK: &str = "s3:PutAccountPublicAccessBlock";
const BARE: &str = "moto shows an attachment without its tags, by which ours is found";

macro_rules! called {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $called:literal) => {
        $called
    };
}

macro_rules! operations {
    ($($name:ident $(as $called:literal)? = $row:expr,)*) => {
        /// An operation of AWS that onramp may send.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Operation {
            $($name,)*
        }

        impl Operation {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Operation] = &[$($name,)*];

            /// `CreateVpc`. Services have operations of the same name.
            pub fn name(self) -> &'static str {
                match self {
                    $($name => called!($name $($called)?),)*
                }
            }

            pub const fn row(self) -> Row {
                match self {
                    $($name => $row,)*
                }
            }
        }
    };
}

operations! {
    GetCallerIdentity = Row { scope: Scope::Free, ..reads(Sts) },
    // What it takes stands with whoever signs in, and in the trust policy of the role.
    AssumeRole = Row { scope: Scope::Free, ..reads(Sts) },
    DecodeAuthorizationMessage = reads(Sts).not_in_moto(LACKS),

    DescribeRegions = reads(Ec2),
    DescribeAvailabilityZones = reads(Ec2),
    DescribeInstanceTypeOfferings = reads(Ec2),
    DescribeVpcEndpointServices = reads(Ec2),
    DescribeTags = reads(Ec2),

    DescribeVpcs = reads(Ec2),
    DescribeVpcAttribute = reads(Ec2),
    CreateVpc = makes(Ec2, Tag, &[DescribeVpcs], &["vpc"]).undone_by(DeleteVpc),
    ModifyVpcAttribute = arranges(Ec2, &[DescribeVpcAttribute]).stays("it goes with the VPC").without_dry_run(),
    DeleteVpc = takes(Ec2, &[DescribeVpcs]).of_ours("vpc"),

    DescribeSubnets = reads(Ec2),
    CreateSubnet = makes(Ec2, Tag, &[DescribeSubnets], &["subnet"]).on(&["vpc"]).undone_by(DeleteSubnet),
    DeleteSubnet = takes(Ec2, &[DescribeSubnets]).of_ours("subnet"),

    DescribeNetworkAcls = reads(Ec2),

    DescribeInternetGateways = reads(Ec2),
    CreateInternetGateway =
        makes(Ec2, Tag, &[DescribeInternetGateways], &["internet-gateway"]).undone_by(DeleteInternetGateway),
    AttachInternetGateway = arranges(Ec2, &[DescribeInternetGateways]).undone_by(DetachInternetGateway),
    DetachInternetGateway = takes(Ec2, &[DescribeInternetGateways]).of_ours("internet-gateway").on(&["vpc"]),
    DeleteInternetGateway = takes(Ec2, &[DescribeInternetGateways]).of_ours("internet-gateway"),

    DescribeNetworkInterfaces = reads(Ec2),
    DescribeAddresses = reads(Ec2),
    AllocateAddress = makes(Ec2, Tag, &[DescribeAddresses], &["elastic-ip"]).undone_by(ReleaseAddress),
    AssociateAddress = arranges(Ec2, &[DescribeAddresses]).undone_by(DisassociateAddress),
    DisassociateAddress = takes(Ec2, &[DescribeAddresses]),
    ReleaseAddress = takes(Ec2, &[DescribeAddresses]).of_ours("elastic-ip"),

    DescribeNatGateways = reads(Ec2),
    CreateNatGateway = makes(Ec2, Token, &[DescribeNatGateways], &["natgateway"])
            .on(&["elastic-ip", "subnet"])
            .undone_by(DeleteNatGateway),
    DeleteNatGateway = takes(Ec2, &[DescribeNatGateways]).of_ours("natgateway"),

    DescribeRouteTables = reads(Ec2),
    CreateRouteTable = makes(Ec2, Token, &[DescribeRouteTables], &["route-table"])
            .on(&["vpc"])
            .undone_by(DeleteRouteTable),
    CreateRoute = arranges(Ec2, &[DescribeRouteTables]).undone_by(DeleteRoute),
    DeleteRoute = takes(Ec2, &[DescribeRouteTables]),
    AssociateRouteTable = arranges(Ec2, &[DescribeRouteTables]).undone_by(DisassociateRouteTable),
    DisassociateRouteTable = takes(Ec2, &[DescribeRouteTables]),
    DeleteRouteTable = takes(Ec2, &[DescribeRouteTables]).of_ours("route-table"),

    DescribeVpcPeeringConnections = reads(Ec2),
    CreateVpcPeeringConnection =
        makes(Ec2, Tag, &[DescribeVpcPeeringConnections], &["vpc-peering-connection"])
            .on(&["vpc"])
            .undone_by(DeleteVpcPeeringConnection),
    DeleteVpcPeeringConnection = takes(Ec2, &[DescribeVpcPeeringConnections]).of_ours("vpc-peering-connection"),
    ModifyVpcPeeringConnectionOptions =
        arranges(Ec2, &[DescribeVpcPeeringConnections]).undone_by(ModifyVpcPeeringConnectionOptions),

    DescribeSecurityGroups = reads(Ec2),
    DescribeSecurityGroupRules = reads(Ec2),
    CreateSecurityGroup =
        makes(Ec2, Natural, &[DescribeSecurityGroups], &["security-group"])
            .on(&["vpc"])
            .undone_by(DeleteSecurityGroup),
    AuthorizeSecurityGroupIngress =
        makes(Ec2, Natural, &[DescribeSecurityGroupRules], &["security-group-rule"])
            .on(&["security-group"])
            .undone_by(RevokeSecurityGroupIngress),
    RevokeSecurityGroupIngress =
        takes(Ec2, &[DescribeSecurityGroupRules]).undone_by(AuthorizeSecurityGroupIngress),
    DeleteSecurityGroup = takes(Ec2, &[DescribeSecurityGroups]).of_ours("security-group"),

    DescribeKeyPairs = reads(Ec2),
    ImportKeyPair = makes(Ec2, Natural, &[DescribeKeyPairs], &["key-pair"]).undone_by(DeleteKeyPair),
    DeleteKeyPair = takes(Ec2, &[DescribeKeyPairs]).of_ours("key-pair"),

    DescribeCustomerGateways = reads(Ec2),
    CreateCustomerGateway =
        makes(Ec2, Natural, &[DescribeCustomerGateways], &["customer-gateway"]).undone_by(DeleteCustomerGateway),
    DeleteCustomerGateway = takes(Ec2, &[DescribeCustomerGateways]).of_ours("customer-gateway"),

    DescribeVpnGateways = reads(Ec2),
    CreateVpnGateway = makes(Ec2, Tag, &[DescribeVpnGateways], &["vpn-gateway"]).undone_by(DeleteVpnGateway),
    AttachVpnGateway = arranges(Ec2, &[DescribeVpnGateways]).undone_by(DetachVpnGateway),
    DetachVpnGateway = takes(Ec2, &[DescribeVpnGateways]),
    DeleteVpnGateway = takes(Ec2, &[DescribeVpnGateways]).of_ours("vpn-gateway"),
    EnableVgwRoutePropagation =
        arranges(Ec2, &[DescribeRouteTables]).undone_by(DisableVgwRoutePropagation).not_in_moto(LACKS),
    DisableVgwRoutePropagation = takes(Ec2, &[DescribeRouteTables]).not_in_moto(LACKS),

    DescribeVpnConnections = reads(Ec2),
    CreateVpnConnection =
        makes(Ec2, Tag, &[DescribeVpnConnections], &["vpn-connection"])
            .on(&["customer-gateway", "transit-gateway", "vpn-gateway"])
            .undone_by(DeleteVpnConnection)
            .acting_by(DELIVERS_LOGS_AND_LINKS),
    DeleteVpnConnection =
        takes(Ec2, &[DescribeVpnConnections]).of_ours("vpn-connection").acting_by(&["logs:DeleteLogDelivery"]),
    CreateVpnConnectionRoute =
        arranges(Ec2, &[DescribeVpnConnections])
            .undone_by(DeleteVpnConnectionRoute)
            .without_dry_run()
            .not_in_moto(LACKS),
    DeleteVpnConnectionRoute = takes(Ec2, &[DescribeVpnConnections]).without_dry_run().not_in_moto(LACKS),
    GetVpnConnectionDeviceTypes = reads(Ec2).not_in_moto(LACKS),
    GetVpnConnectionDeviceSampleConfiguration = reads(Ec2).not_in_moto(LACKS),

    DescribeTransitGateways = reads(Ec2),
    CreateTransitGateway =
        makes(Ec2, Tag, &[DescribeTransitGateways], &["transit-gateway"]).undone_by(DeleteTransitGateway),
    DeleteTransitGateway = takes(Ec2, &[DescribeTransitGateways]).of_ours("transit-gateway"),
    DescribeTransitGatewayVpcAttachments = reads(Ec2).not_in_moto(BARE),
    CreateTransitGatewayVpcAttachment =
        makes(Ec2, Tag, &[DescribeTransitGatewayVpcAttachments], &["transit-gateway-attachment"])
            .on(&["subnet", "transit-gateway", "vpc"])
            .undone_by(DeleteTransitGatewayVpcAttachment)
            .acting_by(LINKS)
            .not_in_moto(BARE),
    DeleteTransitGatewayVpcAttachment =
        takes(Ec2, &[DescribeTransitGatewayVpcAttachments]).of_ours("transit-gateway-attachment").not_in_moto(BARE),
    DescribeTransitGatewayAttachments = reads(Ec2).not_in_moto(BARE),
    SearchTransitGatewayRoutes = reads(Ec2).not_in_moto(BARE),
    CreateTransitGatewayRoute =
        arranges(Ec2, &[SearchTransitGatewayRoutes]).undone_by(DeleteTransitGatewayRoute).not_in_moto(BARE),
    DeleteTransitGatewayRoute = takes(Ec2, &[SearchTransitGatewayRoutes]).not_in_moto(BARE),

    DescribeDhcpOptions = reads(Ec2).not_in_moto(UNTAGGED),
    CreateDhcpOptions =
        makes(Ec2, Tag, &[DescribeDhcpOptions], &["dhcp-options"])
            .undone_by(DeleteDhcpOptions)
            .not_in_moto(UNTAGGED),
    AssociateDhcpOptions =
        arranges(Ec2, &[DescribeVpcs]).undone_by(AssociateDhcpOptions).not_in_moto(UNTAGGED),
    DeleteDhcpOptions = takes(Ec2, &[DescribeDhcpOptions]).of_ours("dhcp-options").not_in_moto(UNTAGGED),

    DescribeImages = reads(Ec2),
    DescribeInstances = reads(Ec2),
    DescribeInstanceStatus = reads(Ec2),
    GetConsoleOutput = reads(Ec2),
    RunInstances =
        makes(Ec2, Token, &[DescribeInstances], &["instance", "volume", "network-interface"])
            .on(&["image", "key-pair", "security-group", "subnet"])
            .undone_by(TerminateInstances),
    TerminateInstances = takes(Ec2, &[DescribeInstances]).of_ours("instance"),
    DescribeInstanceAttribute = reads(Ec2),
    ModifyInstanceAttribute =
        arranges(Ec2, &[DescribeInstanceAttribute]).of_ours("instance").undone_by(ModifyInstanceAttribute),

    DescribeLocations = reads(DirectConnect).not_in_moto(LACKS),
    DescribeConnections = reads(DirectConnect).not_in_moto(NOTHING_ON_IT),
    // Each one more is a port that is billed.
    CreateConnection =
        makes(DirectConnect, Person, &[DescribeConnections], &[])
            .undone_by(DeleteConnection)
            .not_in_moto(NOTHING_ON_IT),
    DescribeLags = reads(DirectConnect).not_in_moto(NOTHING_ON_IT),
    CreateLag =
        makes(DirectConnect, Person, &[DescribeLags], &[]).undone_by(DeleteLag).not_in_moto(NOTHING_ON_IT),
    DeleteLag =
        takes(DirectConnect, &[DescribeLags, DescribeVirtualInterfaces]).of_ours("dxlag").not_in_moto(NOTHING_ON_IT),
    ConfirmConnection =
        arranges(DirectConnect, &[DescribeConnections]).undone_by(DeleteConnection).not_in_moto(LACKS),
    TagConnection as "TagResource" =
        arranges(DirectConnect, &[DescribeConnections, DescribeVirtualInterfaces])
            .stays("the tags go with the connection, or with the virtual interface").not_in_moto(NOTHING_ON_IT),
    DeleteConnection =
        takes(DirectConnect, &[DescribeConnections, DescribeVirtualInterfaces])
            .of_ours("dxcon")
            .not_in_moto(NOTHING_ON_IT),
    // The first key in an account makes the role by which Direct Connect reads it ("Service-linked roles", user guide).
    AssociateMacSecKey =
        arranges(DirectConnect, &[DescribeConnections, DescribeLags])
            .undone_by(DisassociateMacSecKey)
            .acting_by(LINKS)
            .not_in_moto(LACKS),
    DisassociateMacSecKey = takes(DirectConnect, &[DescribeConnections, DescribeLags]).not_in_moto(LACKS),
    UpdateConnection =
        arranges(DirectConnect, &[DescribeConnections]).undone_by(UpdateConnection).not_in_moto(NOTHING_ON_IT),
    UpdateLag = arranges(DirectConnect, &[DescribeLags]).undone_by(UpdateLag).not_in_moto(NOTHING_ON_IT),
    // Named like a look, and none: it sets the day from which the letter holds. It is natural by its description (API
    // reference, Connection, loaIssueTime: "the time of the most recent call to DescribeLoa"): the letter of a line is the
    // same each time, and one whose answer was lost nobody has.
    DescribeLoa =
        arranges(DirectConnect, &[DescribeConnections])
            .stays("a letter that was issued lapses by itself after 90 days")
            .not_in_moto(LACKS),
    // What is made of Direct Connect is never made again by itself: the other end is configured for the first one. A gateway
    // is one for all regions, and its ARN has none.
    DescribeDirectConnectGateways = reads(DirectConnect).not_in_moto(LACKS),
    CreateDirectConnectGateway =
        Row { scope: Scope::Any, ..makes(DirectConnect, Person, &[DescribeDirectConnectGateways], &[]) }
            .undone_by(DeleteDirectConnectGateway)
            .not_in_moto(LACKS),
    DeleteDirectConnectGateway = takes(DirectConnect, &[DescribeDirectConnectGateways]).not_in_moto(LACKS),
    DescribeDirectConnectGatewayAssociations = reads(DirectConnect).not_in_moto(LACKS),
    CreateDirectConnectGatewayAssociation =
        Row { repeat: Person, ..arranges(DirectConnect, &[DescribeDirectConnectGatewayAssociations]) }
            .undone_by(DeleteDirectConnectGatewayAssociation)
            .not_in_moto(LACKS),
    DeleteDirectConnectGatewayAssociation =
        takes(DirectConnect, &[DescribeDirectConnectGatewayAssociations]).not_in_moto(LACKS),
    // The account that has the gateway says yes or no, within seven days.
    DescribeDirectConnectGatewayAssociationProposals = reads(DirectConnect).not_in_moto(LACKS),
    CreateDirectConnectGatewayAssociationProposal =
        Row { repeat: Person, ..arranges(DirectConnect, &[DescribeDirectConnectGatewayAssociationProposals]) }
            .undone_by(DeleteDirectConnectGatewayAssociationProposal)
            .not_in_moto(LACKS),
    DeleteDirectConnectGatewayAssociationProposal =
        takes(DirectConnect, &[DescribeDirectConnectGatewayAssociationProposals]).not_in_moto(LACKS),
    DescribeVirtualInterfaces = reads(DirectConnect).not_in_moto(LACKS),
    ConfirmPrivateVirtualInterface =
        arranges(DirectConnect, &[DescribeVirtualInterfaces]).undone_by(DeleteVirtualInterface).not_in_moto(LACKS),
    ConfirmTransitVirtualInterface =
        arranges(DirectConnect, &[DescribeVirtualInterfaces]).undone_by(DeleteVirtualInterface).not_in_moto(LACKS),
    CreatePrivateVirtualInterface =
        makes(DirectConnect, Person, &[DescribeVirtualInterfaces], &[])
            .undone_by(DeleteVirtualInterface)
            .not_in_moto(LACKS),
    CreateTransitVirtualInterface =
        makes(DirectConnect, Person, &[DescribeVirtualInterfaces], &[])
            .undone_by(DeleteVirtualInterface)
            .not_in_moto(LACKS),
    DeleteVirtualInterface =
        takes(DirectConnect, &[DescribeVirtualInterfaces]).of_ours("dxvif").not_in_moto(LACKS),
    DescribeRouterConfiguration = reads(DirectConnect).not_in_moto(LACKS),
    ListVirtualInterfaceTestHistory = reads(DirectConnect).not_in_moto(LACKS),
    // Each one more is an outage more.
    StartBgpFailoverTest =
        Row { repeat: Person, ..arranges(DirectConnect, &[DescribeVirtualInterfaces, ListVirtualInterfaceTestHistory]) }
            .of_ours("dxvif")
            .undone_by(StopBgpFailoverTest)
            .not_in_moto(LACKS),
    StopBgpFailoverTest =
        takes(DirectConnect, &[ListVirtualInterfaceTestHistory]).of_ours("dxvif").not_in_moto(LACKS),

    GetEbsEncryptionByDefault = reads(Ec2),
    EnableEbsEncryptionByDefault =
        arranges(Ec2, &[GetEbsEncryptionByDefault]).undone_by(DisableEbsEncryptionByDefault),
    DisableEbsEncryptionByDefault = takes(Ec2, &[GetEbsEncryptionByDefault]),
    GetInstanceMetadataDefaults = reads(Ec2).not_in_moto(LACKS),
    ModifyInstanceMetadataDefaults =
        arranges(Ec2, &[GetInstanceMetadataDefaults]).undone_by(ModifyInstanceMetadataDefaults).not_in_moto(LACKS),
    GetPublicAccessBlock = reads(S3Control).permitted_by("s3:GetAccountPublicAccessBlock"),
    PutPublicAccessBlock =
        arranges(S3Control, &[GetPublicAccessBlock])
            .permitted_by(PUT_BLOCK)
            .undone_by(DeletePublicAccessBlock),
    DeletePublicAccessBlock = takes(S3Control, &[GetPublicAccessBlock]).permitted_by(PUT_BLOCK),
    DescribeTrails = reads(CloudTrail),
    GetTrailStatus = reads(CloudTrail),
    GetEventSelectors = reads(CloudTrail),
    DescribeSnapshots = reads(Ec2),
    CreateSnapshot =
        makes(Ec2, Tag, &[DescribeSnapshots], &["snapshot"]).on(&["volume"]).undone_by(DeleteSnapshot),
    CreateSnapshots =
        makes(Ec2, Tag, &[DescribeSnapshots], &["snapshot"]).on(&["instance", "volume"]).undone_by(DeleteSnapshot),
    CopySnapshot =
        makes(Ec2, Tag, &[DescribeSnapshots], &["snapshot"])
            .on(&["snapshot"])
            .undone_by(DeleteSnapshot)
            .acting_by(&["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"]),
    DeleteSnapshot = takes(Ec2, &[DescribeSnapshots]).of_ours("snapshot"),
    CreateImage =
        makes(Ec2, Natural, &[DescribeImages], &["image", "snapshot"])
            .on(&["instance"])
            .undone_by(DeregisterImage)
            .not_in_moto(IMAGES),
    CopyImage =
        makes(Ec2, Token, &[DescribeImages], &["image", "snapshot"])
            .on(&["image", "snapshot"])
            .undone_by(DeregisterImage)
            .acting_by(&["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"])
            .not_in_moto(IMAGES),
    DeregisterImage = takes(Ec2, &[DescribeImages]).of_ours("image").not_in_moto(IMAGES),

    // Names guard each of them: a second one of a name is refused.
    DescribeDBInstances = reads(Rds),
    DescribeDBSnapshots = reads(Rds),
    CreateDBSnapshot = makes(Rds, Natural, &[DescribeDBSnapshots], &[]).undone_by(DeleteDBSnapshot),
    CopyDBSnapshot =
        makes(Rds, Natural, &[DescribeDBSnapshots], &[])
            .undone_by(DeleteDBSnapshot)
            .acting_by(&["kms:CreateGrant", "kms:DescribeKey"]),
    DeleteDBSnapshot = takes(Rds, &[DescribeDBSnapshots]).of_ours("snapshot"),
    DescribeDBInstanceAutomatedBackups = reads(Rds).not_in_moto(NO_COPIES),
    StartDBInstanceAutomatedBackupsReplication =
        Row { scope: Scope::Any, ..makes(Rds, Natural, &[DescribeDBInstanceAutomatedBackups], &[]) }
            .undone_by(StopDBInstanceAutomatedBackupsReplication)
            .acting_by(&["kms:CreateGrant", "kms:DescribeKey"])
            .not_in_moto(LACKS),
    StopDBInstanceAutomatedBackupsReplication =
        takes(Rds, &[DescribeDBInstanceAutomatedBackups]).not_in_moto(LACKS),
    RestoreDBInstanceFromDBSnapshot =
        makes(Rds, Natural, &[DescribeDBInstances], &[])
            .undone_by(DeleteDBInstance)
            .acting_by(&["kms:CreateGrant", "kms:DescribeKey"]),
    RestoreDBInstanceToPointInTime =
        makes(Rds, Natural, &[DescribeDBInstances], &[])
            .undone_by(DeleteDBInstance)
            .acting_by(&["kms:CreateGrant", "kms:DescribeKey"]),
    DeleteDBInstance = takes(Rds, &[DescribeDBInstances]).of_ours("db"),
    DescribeExportTasks = reads(Rds),
    // A task carries no tags.
    StartExportTask =
        Row { scope: Scope::Any, also: &[], ..makes(Rds, Natural, &[DescribeExportTasks], &[]) }
            .undone_by(CancelExportTask)
            .acting_by(&["iam:PassRole", "kms:CreateGrant", "kms:DescribeKey"]),
    CancelExportTask = takes(Rds, &[DescribeExportTasks]).not_in_moto(AT_ONCE),

    DescribeSecret = reads(SecretsManager),
    GetSecretValue = reads(SecretsManager).of_ours("secret"),
    CreateSecret = makes(SecretsManager, Token, &[DescribeSecret], &["secret"]).undone_by(DeleteSecret),
    PutSecretValue =
        Row { repeat: Token, ..arranges(SecretsManager, &[DescribeSecret, GetSecretValue]) }
            .of_ours("secret")
            .stays("the text goes with the secret"),
    RestoreSecret = arranges(SecretsManager, &[DescribeSecret]).of_ours("secret").undone_by(DeleteSecret),
    DeleteSecret = takes(SecretsManager, &[DescribeSecret]).of_ours("secret").undone_by(RestoreSecret),

    GetMetricData = reads(Metrics).not_in_moto(OTHERWISE),
    FilterLogEvents = reads(Logs).of_ours("log-group"),

    GetServiceQuota = reads(ServiceQuotas),
    ListAWSDefaultServiceQuotas = reads(ServiceQuotas),
    ListRequestedServiceQuotaChangeHistoryByQuota = reads(ServiceQuotas).not_in_moto(LACKS),
    RequestServiceQuotaIncrease =
        arranges(ServiceQuotas, &[GetServiceQuota, ListRequestedServiceQuotaChangeHistoryByQuota])
            .stays("a request cannot be withdrawn, and a quota that was raised stays")
            .acting_by(LINKS)
            .not_in_moto(LACKS),

    GetEmailIdentity = reads(Mail),
    CreateEmailIdentity = makes(Mail, Natural, &[GetEmailIdentity], &[]).undone_by(DeleteEmailIdentity),
    PutEmailIdentityDkimAttributes =
        arranges(Mail, &[GetEmailIdentity]).of_ours("identity").stays("it goes with the domain").not_in_moto(LACKS),
    PutEmailIdentityDkimSigningAttributes =
        arranges(Mail, &[GetEmailIdentity]).of_ours("identity").stays("it goes with the domain").not_in_moto(LACKS),
    PutEmailIdentityConfigurationSetAttributes =
        arranges(Mail, &[GetEmailIdentity]).of_ours("identity").stays("it goes with the identity").not_in_moto(LACKS),
    PutEmailIdentityMailFromAttributes =
        arranges(Mail, &[GetEmailIdentity]).undone_by(PutEmailIdentityMailFromAttributes).not_in_moto(LACKS),
    DeleteEmailIdentity = takes(Mail, &[GetEmailIdentity]).of_ours("identity"),
    GetConfigurationSet = reads(Mail).not_in_moto(UNREADABLE),
    CreateConfigurationSet =
        makes(Mail, Natural, &[GetConfigurationSet], &[]).undone_by(DeleteConfigurationSet).not_in_moto(UNREADABLE),
    PutConfigurationSetDeliveryOptions =
        arranges(Mail, &[GetConfigurationSet]).of_ours("configuration-set").stays("it goes with the set").not_in_moto(LACKS),
    PutConfigurationSetReputationOptions =
        arranges(Mail, &[GetConfigurationSet]).of_ours("configuration-set").stays("it goes with the set").not_in_moto(LACKS),
    PutConfigurationSetSuppressionOptions =
        arranges(Mail, &[GetConfigurationSet]).of_ours("configuration-set").stays("it goes with the set").not_in_moto(LACKS),
    DeleteConfigurationSet =
        takes(Mail, &[GetConfigurationSet]).of_ours("configuration-set").not_in_moto(UNREADABLE),
    GetConfigurationSetEventDestinations = reads(Mail).not_in_moto(LACKS),
    CreateConfigurationSetEventDestination =
        arranges(Mail, &[GetConfigurationSetEventDestinations])
            .undone_by(DeleteConfigurationSetEventDestination)
            .not_in_moto(LACKS),
    UpdateConfigurationSetEventDestination =
        arranges(Mail, &[GetConfigurationSetEventDestinations])
            .of_ours("configuration-set")
            .stays("it goes with the destination")
            .not_in_moto(LACKS),
    DeleteConfigurationSetEventDestination =
        takes(Mail, &[GetConfigurationSetEventDestinations]).not_in_moto(LACKS),
    GetAccount = reads(Mail).not_in_moto(LACKS),
    PutAccountSuppressionAttributes =
        arranges(Mail, &[GetAccount]).undone_by(PutAccountSuppressionAttributes).not_in_moto(LACKS),
    PutAccountDetails =
        arranges(Mail, &[GetAccount]).stays("AWS has no call that takes production access back").not_in_moto(LACKS),
    SendEmail =
        Row { repeat: Person, ..arranges(Mail, &[]) }.stays("a message that was sent cannot be called back"),
    ListHostedZonesByName = reads(Route53),
    GetHostedZone = reads(Route53),
    ZoneTags as "ListTagsForResource" = reads(Route53),
    GetChange = reads(Route53),
    // Zones know no conditions on tags (service authorization reference of Route 53), and are tagged by a call of its own.
    CreateHostedZone =
        Row { scope: Scope::Any, ..makes(Route53, Token, &[ListHostedZonesByName, GetHostedZone], &[]) }
            .undone_by(DeleteHostedZone)
            .acting_by(&["ec2:DescribeVpcs"]),
    ChangeTagsForResource = arranges(Route53, &[ZoneTags]).stays("the tags go with the zone"),
    DeleteHostedZone = takes(Route53, &[GetHostedZone]),
    AssociateVPCWithHostedZone =
        arranges(Route53, &[GetHostedZone])
            .undone_by(DisassociateVPCFromHostedZone)
            .acting_by(&["ec2:DescribeVpcs"]),
    DisassociateVPCFromHostedZone = takes(Route53, &[GetHostedZone]).acting_by(&["ec2:DescribeVpcs"]),
    ListVPCAssociationAuthorizations = reads(Route53).not_in_moto(LACKS),
    CreateVPCAssociationAuthorization =
        arranges(Route53, &[ListVPCAssociationAuthorizations])
            .undone_by(DeleteVPCAssociationAuthorization)
            .not_in_moto(LACKS),
    DeleteVPCAssociationAuthorization =
        takes(Route53, &[ListVPCAssociationAuthorizations]).not_in_moto(LACKS),
    ListResourceRecordSets = reads(Route53),
    ChangeResourceRecordSets = arranges(Route53, &[ListResourceRecordSets]).undone_by(ChangeResourceRecordSets),
    TestDNSAnswer = reads(Route53).not_in_moto(LACKS),

    ResolverTags as "ListTagsForResource" = reads(Resolver),
    ListResolverEndpoints = reads(Resolver),
    ListResolverEndpointIpAddresses = reads(Resolver),
    CreateResolverEndpoint =
        makes(Resolver, Token, &[ListResolverEndpoints], &["resolver-endpoint"])
            .undone_by(DeleteResolverEndpoint)
            .acting_by(&[
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ec2:ModifyNetworkInterfaceAttribute",
            ]),
    DeleteResolverEndpoint =
        takes(Resolver, &[ListResolverEndpoints])
            .of_ours("resolver-endpoint")
            .acting_by(&["ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"]),
    ListResolverRules = reads(Resolver),
    CreateResolverRule =
        makes(Resolver, Token, &[ListResolverRules], &["resolver-rule"]).undone_by(DeleteResolverRule),
    DeleteResolverRule = takes(Resolver, &[ListResolverRules]).of_ours("resolver-rule"),
    ListResolverRuleAssociations = reads(Resolver),
    AssociateResolverRule =
        arranges(Resolver, &[ListResolverRuleAssociations])
            .undone_by(DisassociateResolverRule)
            .acting_by(&["ec2:DescribeVpcs"]),
    DisassociateResolverRule = takes(Resolver, &[ListResolverRuleAssociations]),
    ListResolverQueryLogConfigs = reads(Resolver).not_in_moto(NO_LOGS),
    CreateResolverQueryLogConfig =
        makes(Resolver, Token, &[ListResolverQueryLogConfigs], &["resolver-query-log-config"])
            .undone_by(DeleteResolverQueryLogConfig)
            .acting_by(DELIVERS_LOGS)
            .not_in_moto(NO_LOGS),
    DeleteResolverQueryLogConfig =
        takes(Resolver, &[ListResolverQueryLogConfigs])
            .of_ours("resolver-query-log-config")
            .acting_by(&["logs:DeleteLogDelivery"])
            .not_in_moto(NO_LOGS),
    ListResolverQueryLogConfigAssociations = reads(Resolver).not_in_moto(NO_LOGS),
    AssociateResolverQueryLogConfig =
        arranges(Resolver, &[ListResolverQueryLogConfigAssociations])
            .undone_by(DisassociateResolverQueryLogConfig)
            .acting_by(&["ec2:DescribeVpcs", "iam:CreateServiceLinkedRole"])
            .not_in_moto(NO_LOGS),
    DisassociateResolverQueryLogConfig =
        takes(Resolver, &[ListResolverQueryLogConfigAssociations]).not_in_moto(NO_LOGS),

    // A token guards each of the three: the same request again answers with what became of the first (Cloud Control user
    // guide, "Ensuring resource operation requests are unique"). They know no conditions on tags.
    GetResource = reads(CloudControl).not_in_moto(NO_CONTROL),
    ListResources = reads(CloudControl).not_in_moto(NO_CONTROL),
    GetResourceRequestStatus = reads(CloudControl).not_in_moto(NO_CONTROL),
    ListResourceRequests = reads(CloudControl).not_in_moto(NO_CONTROL),
    CreateResource =
        Row { scope: Scope::Any, ..makes(CloudControl, Token, &[GetResource, ListResources, ListResourceRequests], &[]) }
            .undone_by(DeleteResource)
            .not_in_moto(NO_CONTROL),
    UpdateResource =
        Row { repeat: Token, ..arranges(CloudControl, &[GetResource]) }.undone_by(UpdateResource).not_in_moto(NO_CONTROL),
    DeleteResource = Row { repeat: Token, ..takes(CloudControl, &[GetResource]) }.not_in_moto(NO_CONTROL),

    DescribeRegionSettings = reads(Backup).not_in_moto(LACKS),
    UpdateRegionSettings =
        arranges(Backup, &[DescribeRegionSettings]).undone_by(UpdateRegionSettings).not_in_moto(LACKS),
    ListRecoveryPointsByBackupVault = reads(Backup).not_in_moto(LACKS),
    BackupTags as "ListTags" = reads(Backup).not_in_moto(NO_POINTS),
    DescribeBackupJob = reads(Backup).not_in_moto(LACKS),
    ListBackupJobs = reads(Backup).not_in_moto(LACKS),
    StartBackupJob =
        Row { repeat: Token, ..arranges(Backup, &[DescribeBackupJob, ListRecoveryPointsByBackupVault, BackupTags]) }
            .undone_by(StopBackupJob)
            .acting_by(&["backup:TagResource", "iam:PassRole"])
            .not_in_moto(LACKS),
    StopBackupJob = takes(Backup, &[DescribeBackupJob]).not_in_moto(LACKS),
    DescribeCopyJob = reads(Backup).not_in_moto(LACKS),
    ListCopyJobs = reads(Backup).not_in_moto(LACKS),
    StartCopyJob =
        Row { repeat: Token, ..arranges(Backup, &[ListCopyJobs, DescribeCopyJob, ListRecoveryPointsByBackupVault]) }
            .stays("nothing stops a copy, and it is kept as the recovery point is that it was made of")
            .acting_by(&["backup:TagResource", "iam:PassRole"])
            .not_in_moto(LACKS),
    GetRecoveryPointRestoreMetadata = reads(Backup).not_in_moto(LACKS),
    DescribeRestoreJob = reads(Backup).not_in_moto(LACKS),
    ListRestoreJobs = reads(Backup).not_in_moto(LACKS),
    GetRestoreJobMetadata = reads(Backup).not_in_moto(LACKS),
    StartRestoreJob =
        Row { repeat: Token, ..arranges(Backup, &[ListRestoreJobs, GetRestoreJobMetadata, DescribeRestoreJob]) }
            .stays("nothing stops a restore, and what came of it is a resource of its own")
            .acting_by(&["iam:PassRole"])
            .not_in_moto(LACKS),

    // S3 has no permission of their own for these looks.
    HeadObject = reads(S3).permitted_by("s3:GetObject"),
    GetObject = reads(S3),
    ListObjectsV2 = reads(S3).permitted_by("s3:ListBucket"),
    PutObject = arranges(S3, &[HeadObject, GetObject]).undone_by(DeleteObject),
    DeleteObject = takes(S3, &[HeadObject]),
    RestoreObject =
        arranges(S3, &[HeadObject]).stays("the copy goes by itself after its days; the archived object stays"),
}
