//! The index, in the order of the specification.

use super::By::{Instead, Kind, Onramp, Person, Type};
use super::{By, Row};

const fn row(service: &'static str, operations: &'static str, by: By) -> Row {
    Row { service, operations, by }
}

const ANOTHER_ACCOUNT: &str =
    "the management account makes accounts, and onramp has the credentials of the engagement's account only";
const LIVE_TUNNEL: &str = "to change or to watch a tunnel that carries traffic takes a window with the customer, and AWS's own \
     advice; another answer for a tunnel is taken, and the step says the call";
const OTHER_OWNER: &str = "the owner of the other account does it, with that account's credentials";

pub(super) const ROWS: &[Row] = &[
    row("sts", "AssumeRole", Onramp("it signs in with the engagement's role")),
    row("sts", "GetCallerIdentity", Kind),
    row("sts", "DecodeAuthorizationMessage", Onramp("a denial is decoded where these credentials may")),
    row(
        "organizations",
        "DescribeOrganization ListRoots ListAccounts CreateAccount DescribeCreateAccountStatus MoveAccount TagResource",
        Person(ANOTHER_ACCOUNT),
    ),
    row(
        "servicequotas",
        "GetServiceQuota RequestServiceQuotaIncrease ListRequestedServiceQuotaChangeHistoryByQuota",
        Kind,
    ),
    row("iam", "CreateRole GetRole PutRolePolicy AttachRolePolicy", Type("AWS::IAM::Role")),
    row("iam", "CreateInstanceProfile AddRoleToInstanceProfile", Type("AWS::IAM::InstanceProfile")),
    row("iam", "CreateServiceLinkedRole", Type("AWS::IAM::ServiceLinkedRole")),
    row("iam", "CreateUser GetUser PutUserPolicy DeleteUserPolicy DeleteUser", Type("AWS::IAM::User")),
    row(
        "iam",
        "CreateAccessKey ListAccessKeys DeleteAccessKey",
        Person(
            "AWS shows a secret key once, and Cloud Control makes none: a person makes it for the user and gives it as a \
             secret input, of which `aws: mail-smtp-credentials` makes the password",
        ),
    ),
    row(
        "iam",
        "GetAccountSummary GenerateCredentialReport GetCredentialReport GetAccountPasswordPolicy",
        Person(
            "root user, its device and old keys are the account owner's to look at, with `aws iam get-account-summary` and \
             `aws iam get-credential-report`: no step asks for it before the phase of security, which is not there yet",
        ),
    ),
    row(
        "iam",
        "SimulatePrincipalPolicy",
        Instead(
            "it judges an action on a resource, which most that a plan makes do not have yet, and on any resource it \
             denies what a narrow policy allows; `onramp plan NAME --permissions` rehearses each call to EC2 (`P` in the \
             terminal) and says of which AWS takes no rehearsal, and `--policy` prints what the steps need",
        ),
    ),
    row("kms", "CreateKey DescribeKey EnableKeyRotation GetKeyRotationStatus", Type("AWS::KMS::Key")),
    row(
        "kms",
        "ScheduleKeyDeletion",
        Person(
            "what a key has encrypted is lost with it: nothing takes one away by itself, whoever owns the data does",
        ),
    ),
    row(
        "kms",
        "CreateGrant",
        Instead("the service that uses the key asks for the grant itself, by the permission that `--policy` names"),
    ),
    row("kms", "CreateAlias ListAliases", Type("AWS::KMS::Alias")),
    row("kms", "ReplicateKey", Type("AWS::KMS::ReplicaKey")),
    row("secretsmanager", "CreateSecret GetSecretValue", Kind),
    row("cloudtrail", "DescribeTrails GetTrailStatus GetEventSelectors", Kind),
    row("s3control", "GetPublicAccessBlock PutPublicAccessBlock DeletePublicAccessBlock", Kind),
    row(
        "ec2",
        "CreateVpc ModifyVpcAttribute DescribeVpcAttribute DescribeVpcs DeleteVpc CreateSubnet DescribeSubnets \
         DescribeNetworkAcls DeleteSubnet CreateInternetGateway AttachInternetGateway DescribeInternetGateways DetachInternetGateway \
         DeleteInternetGateway CreateRouteTable CreateRoute AssociateRouteTable DescribeRouteTables DeleteRoute \
         DisassociateRouteTable DeleteRouteTable AllocateAddress AssociateAddress DescribeAddresses DisassociateAddress \
         ReleaseAddress CreateNatGateway DescribeNatGateways DeleteNatGateway CreateSecurityGroup \
         AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DescribeSecurityGroupRules DescribeSecurityGroups \
         DeleteSecurityGroup CreateDhcpOptions AssociateDhcpOptions DescribeDhcpOptions DeleteDhcpOptions \
         CreateVpcPeeringConnection DescribeVpcPeeringConnections DeleteVpcPeeringConnection",
        Kind,
    ),
    row(
        "ec2",
        "ModifySubnetAttribute",
        Instead(
            "no subnet of onramp's gives out public addresses by itself; a host gets one by `aws: instance-address`",
        ),
    ),
    row(
        "ec2",
        "ReplaceRoute",
        Person(
            "a route that is there and leads elsewhere carries somebody's traffic: the plan shows it, and nothing is sent",
        ),
    ),
    row("ec2", "AuthorizeSecurityGroupEgress", Type("AWS::EC2::SecurityGroupEgress")),
    row("ec2", "CreateFlowLogs DescribeFlowLogs DeleteFlowLogs", Type("AWS::EC2::FlowLog")),
    row("ec2", "CreateVpcEndpoint DescribeVpcEndpoints DeleteVpcEndpoints", Type("AWS::EC2::VPCEndpoint")),
    row("ec2", "AcceptVpcPeeringConnection", Person(OTHER_OWNER)),
    row("ec2", "ModifyVpcPeeringConnectionOptions", Kind),
    row("ec2", "CreateTags", Instead("tags go into the call that makes the object, so that none is ever without")),
    row(
        "ec2",
        "ImportKeyPair DescribeImages RunInstances DescribeInstances DescribeInstanceStatus GetConsoleOutput \
         ModifyInstanceAttribute TerminateInstances DescribeRegions DescribeAvailabilityZones DescribeInstanceTypeOfferings DescribeKeyPairs \
         DeleteKeyPair",
        Kind,
    ),
    row("ec2", "CreateVolume DescribeVolumes", Type("AWS::EC2::Volume")),
    row(
        "ec2",
        "DescribeAccountAttributes",
        Instead("what of an account counts here are its quotas, which `aws: quota` and the plan read"),
    ),
    row("ec2", "AttachVolume", Type("AWS::EC2::VolumeAttachment")),
    row("ec2", "CreateSnapshot CreateSnapshots CopySnapshot CreateImage CopyImage", Kind),
    row(
        "ec2",
        "EnableEbsEncryptionByDefault GetEbsEncryptionByDefault ModifyInstanceMetadataDefaults GetInstanceMetadataDefaults",
        Kind,
    ),
    row(
        "ec2",
        "CreateVpnGateway AttachVpnGateway DescribeVpnGateways DetachVpnGateway DeleteVpnGateway CreateCustomerGateway \
         DescribeCustomerGateways DeleteCustomerGateway CreateVpnConnection DescribeVpnConnections DeleteVpnConnection \
         CreateVpnConnectionRoute DeleteVpnConnectionRoute EnableVgwRoutePropagation DisableVgwRoutePropagation \
         GetVpnConnectionDeviceTypes GetVpnConnectionDeviceSampleConfiguration",
        Kind,
    ),
    row(
        "ec2",
        "CreateTransitGateway DescribeTransitGateways DeleteTransitGateway CreateTransitGatewayVpcAttachment \
         DescribeTransitGatewayVpcAttachments DeleteTransitGatewayVpcAttachment",
        Kind,
    ),
    row("ec2", "ModifyVpnTunnelOptions ModifyVpnConnectionOptions GetVpnTunnelReplacementStatus", Person(LIVE_TUNNEL)),
    row(
        "route53",
        "CreateHostedZone GetHostedZone ListHostedZonesByName ListResourceRecordSets ChangeResourceRecordSets GetChange \
         AssociateVPCWithHostedZone DisassociateVPCFromHostedZone TestDNSAnswer ChangeTagsForResource DeleteHostedZone",
        Kind,
    ),
    row(
        "route53",
        "ListHostedZonesByVPC",
        Instead("zones of the wanted name are read with their VPCs, and a VPC that is in two of one name is refused"),
    ),
    row("route53", "CreateVPCAssociationAuthorization DeleteVPCAssociationAuthorization", Kind),
    row("route53", "CreateQueryLoggingConfig", Type("AWS::Route53::HostedZone")),
    row(
        "route53resolver",
        "CreateResolverEndpoint ListResolverEndpoints DeleteResolverEndpoint CreateResolverRule DeleteResolverRule \
         AssociateResolverRule ListResolverRuleAssociations DisassociateResolverRule CreateResolverQueryLogConfig \
         DeleteResolverQueryLogConfig AssociateResolverQueryLogConfig DisassociateResolverQueryLogConfig",
        Kind,
    ),
    row(
        "ses",
        "CreateEmailIdentity GetEmailIdentity PutEmailIdentityMailFromAttributes PutEmailIdentityDkimAttributes \
         PutEmailIdentityDkimSigningAttributes PutAccountDetails GetAccount PutAccountSuppressionAttributes \
         CreateConfigurationSet CreateConfigurationSetEventDestination SendEmail DeleteEmailIdentity",
        Kind,
    ),
    row(
        "directconnect",
        "DescribeLocations CreateConnection CreateLag ConfirmConnection DescribeConnections DescribeLags DescribeLoa \
         AssociateMacSecKey DisassociateMacSecKey UpdateConnection UpdateLag \
         CreateDirectConnectGateway CreateDirectConnectGatewayAssociation DescribeDirectConnectGateways \
         DescribeDirectConnectGatewayAssociations CreateDirectConnectGatewayAssociationProposal \
         DescribeDirectConnectGatewayAssociationProposals DeleteDirectConnectGatewayAssociationProposal \
         CreatePrivateVirtualInterface CreateTransitVirtualInterface ConfirmPrivateVirtualInterface \
         ConfirmTransitVirtualInterface \
         DescribeVirtualInterfaces DescribeRouterConfiguration StartBgpFailoverTest StopBgpFailoverTest \
         ListVirtualInterfaceTestHistory DeleteVirtualInterface DeleteConnection DeleteLag TagResource",
        Kind,
    ),
    row("directconnect", "CreateBGPPeer", Instead("a virtual interface is made with its BGP session in the same call")),
    row(
        "directconnect",
        "UpdateVirtualInterfaceAttributes",
        Person("another packet size takes the line down for a moment: in a window, with the customer"),
    ),
    row("rds", "CreateDBSubnetGroup", Type("AWS::RDS::DBSubnetGroup")),
    row("rds", "CreateDBParameterGroup ModifyDBParameterGroup", Type("AWS::RDS::DBParameterGroup")),
    row("rds", "CreateDBInstance ModifyDBInstance", Type("AWS::RDS::DBInstance")),
    row("rds", "DescribeDBInstances DeleteDBInstance", Kind),
    row(
        "rds",
        "StartDBInstanceAutomatedBackupsReplication StopDBInstanceAutomatedBackupsReplication \
         DescribeDBInstanceAutomatedBackups",
        Kind,
    ),
    row(
        "rds",
        "DescribeDBEngineVersions DescribeOrderableDBInstanceOptions DescribeSourceRegions",
        Person("a choice that is made with the customer, from AWS's lists; AWS refuses what it does not have"),
    ),
    row(
        "rds",
        "CreateDBSnapshot CopyDBSnapshot DescribeDBSnapshots RestoreDBInstanceFromDBSnapshot \
         RestoreDBInstanceToPointInTime StartExportTask DescribeExportTasks CancelExportTask",
        Kind,
    ),
    row(
        "backup",
        "CreateBackupVault DescribeBackupVault PutBackupVaultNotifications PutBackupVaultLockConfiguration",
        Type("AWS::Backup::BackupVault"),
    ),
    row("backup", "CreateBackupPlan UpdateBackupPlan", Type("AWS::Backup::BackupPlan")),
    row("backup", "CreateBackupSelection", Type("AWS::Backup::BackupSelection")),
    row(
        "backup",
        "UpdateRegionSettings DescribeRegionSettings StartBackupJob DescribeBackupJob StopBackupJob StartCopyJob \
         DescribeCopyJob ListRecoveryPointsByBackupVault GetRecoveryPointRestoreMetadata StartRestoreJob DescribeRestoreJob",
        Kind,
    ),
    row("backup", "CreateRestoreTestingPlan", Type("AWS::Backup::RestoreTestingPlan")),
    row("backup", "CreateRestoreTestingSelection", Type("AWS::Backup::RestoreTestingSelection")),
    row(
        "backup",
        "PutRestoreValidationResult",
        Person("whether what was restored is right is judged by who knows the data, and said to AWS by them"),
    ),
    row("backup", "CreateReportPlan", Type("AWS::Backup::ReportPlan")),
    row("backup", "StartReportJob", Instead("a report plan writes its report every day by itself")),
    row(
        "dlm",
        "CreateLifecyclePolicy",
        Instead(
            "volumes are backed up by the plan of AWS Backup (AWS::Backup::BackupPlan, by tag); Cloud Control does not \
                 make AWS::DLM::LifecyclePolicy",
        ),
    ),
    row(
        "s3",
        "CreateBucket HeadBucket PutBucketVersioning PutBucketEncryption PutPublicAccessBlock PutBucketOwnershipControls \
         PutBucketLifecycleConfiguration PutBucketReplication",
        Type("AWS::S3::Bucket"),
    ),
    row("s3", "PutBucketPolicy", Type("AWS::S3::BucketPolicy")),
    row("s3", "PutObject GetObject HeadObject RestoreObject ListObjectsV2", Kind),
    row("cloudwatch", "PutMetricAlarm DescribeAlarms DeleteAlarms", Type("AWS::CloudWatch::Alarm")),
    row("cloudwatch", "PutCompositeAlarm", Type("AWS::CloudWatch::CompositeAlarm")),
    row("cloudwatch", "PutDashboard GetDashboard", Type("AWS::CloudWatch::Dashboard")),
    row(
        "cloudwatch",
        "SetAlarmState",
        Person("a drill that calls people: it is announced, and whoever is called says when it rang"),
    ),
    row("cloudwatch", "GetMetricData", Kind),
    row(
        "cloudwatch",
        "ListMetrics GetMetricWidgetImage",
        Person("numbers and pictures for the hand-over are looked at on the dashboard, and judged there"),
    ),
    row("logs", "CreateLogGroup PutRetentionPolicy DescribeLogGroups", Type("AWS::Logs::LogGroup")),
    row("logs", "PutSubscriptionFilter", Type("AWS::Logs::SubscriptionFilter")),
    row(
        "logs",
        "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries PutResourcePolicy \
         DescribeResourcePolicies",
        Instead(
            "AWS calls them in our name when a connection is made with a log: `log_group` of `aws: vpn-connection`",
        ),
    ),
    row("sns", "CreateTopic SetTopicAttributes ListSubscriptionsByTopic", Type("AWS::SNS::Topic")),
    row("sns", "Subscribe GetSubscriptionAttributes", Type("AWS::SNS::Subscription")),
    row("sns", "Publish", Person("a message to everybody who is subscribed; a drill, like setting an alarm off")),
    row(
        "sns",
        "GetSMSSandboxAccountStatus CreateSMSSandboxPhoneNumber",
        Person("AWS sends a code to the telephone, and its owner tells it"),
    ),
    row("ssm", "PutParameter", Type("AWS::SSM::Parameter")),
    row(
        "ssm",
        "GetParameter",
        Instead(
            "the public parameters name the newest image of a family, and `aws: image` finds the same by the publisher's own \
             account, with its architecture and the day it is withdrawn",
        ),
    ),
    row(
        "ssm",
        "SendCommand GetCommandInvocation DescribeInstanceInformation",
        Instead(
            "hosts are worked on over SSH, through the bastion: `shell`, `os: file`, `os: packages`, `os: restart`",
        ),
    ),
    row("ssm", "CreatePatchBaseline RegisterPatchBaselineForPatchGroup", Type("AWS::SSM::PatchBaseline")),
    row("ssm", "CreateMaintenanceWindow", Type("AWS::SSM::MaintenanceWindow")),
    row(
        "ssm",
        "DescribeInstancePatchStates",
        Instead("each host is asked over SSH what it still lacks, by a `shell` step with a `check`"),
    ),
    row("elasticloadbalancing", "CreateTargetGroup RegisterTargets", Type("AWS::ElasticLoadBalancingV2::TargetGroup")),
    row("elasticloadbalancing", "CreateLoadBalancer", Type("AWS::ElasticLoadBalancingV2::LoadBalancer")),
    row("elasticloadbalancing", "CreateListener", Type("AWS::ElasticLoadBalancingV2::Listener")),
    row(
        "elasticloadbalancing",
        "DescribeTargetHealth",
        Instead("the nodes and the balancer are asked as a user asks them: `probe: http` and `probe: tls`"),
    ),
    row("acm", "RequestCertificate DescribeCertificate", Type("AWS::CertificateManager::Certificate")),
    row(
        "acm",
        "ImportCertificate",
        Person("the private key of a certificate from elsewhere is the customer's, and passes through no tool of ours"),
    ),
    row(
        "directconnect",
        "AllocatePrivateVirtualInterface AllocateTransitVirtualInterface AcceptDirectConnectGatewayAssociationProposal",
        Person(OTHER_OWNER),
    ),
    row(
        "guardduty",
        "ListDetectors",
        Person(
            "whether it watches the account is the security contact's to say, with `aws guardduty list-detectors`: no step asks \
             for it before the phase of security, which is not there yet",
        ),
    ),
    row(
        "config",
        "DescribeConfigurationRecorders",
        Person(
            "the recorder is the organisation's: signed off with `aws configservice describe-configuration-recorders`",
        ),
    ),
    row(
        "securityhub",
        "DescribeHub",
        Person("its standards are the security contact's choice: signed off with `aws securityhub describe-hub`"),
    ),
    row(
        "access-analyzer",
        "ListFindings",
        Person("findings are judged, one by one, by whoever owns the resource: `aws accessanalyzer list-findings-v2`"),
    ),
];
