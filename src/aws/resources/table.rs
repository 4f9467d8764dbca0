//! The types, in the order of their services.

use super::{ResourceType, Tags};

/// What a row leaves out.
const NONE: ResourceType = ResourceType {
    name: "",
    identifier: "",
    required: "",
    read_only: "",
    write_only: "",
    create_only: "",
    others: "",
    tags: Tags::None,
    known_by: "",
    listed_in: "",
    arn_of: "",
    texts: "",
    minutes: 1,
    permissions: "",
};

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::S3::Bucket",
        identifier: "BucketName",
        read_only: "Arn DomainName DualStackDomainName RegionalDomainName WebsiteURL",
        write_only: "AccessControl BucketNamePrefix BucketNamespace \
            LifecycleConfiguration/Rules/*/NoncurrentVersionExpirationInDays \
            LifecycleConfiguration/Rules/*/NoncurrentVersionTransition LifecycleConfiguration/Rules/*/Transition \
            ReplicationConfiguration/Rules/*/Prefix LifecycleConfiguration/Rules/*/ExpiredObjectDeleteMarker",
        create_only: "BucketName BucketNamePrefix BucketNamespace",
        others: "AbacStatus AccelerateConfiguration AnalyticsConfigurations BucketEncryption CorsConfiguration \
            IntelligentTieringConfigurations InventoryConfigurations LifecycleConfiguration LoggingConfiguration \
            MetadataConfiguration MetadataTableConfiguration MetricsConfigurations NotificationConfiguration \
            ObjectLockConfiguration ObjectLockEnabled OwnershipControls PublicAccessBlockConfiguration \
            ReplicationConfiguration VersioningConfiguration WebsiteConfiguration",
        tags: Tags::List("Tags"),
        minutes: 2,
        permissions: "iam:PassRole s3:CreateBucket s3:DeleteBucket s3:DeleteBucketWebsite \
            s3:GetAccelerateConfiguration s3:GetAnalyticsConfiguration s3:GetBucketAbac s3:GetBucketAcl \
            s3:GetBucketCORS s3:GetBucketLogging s3:GetBucketMetadataTableConfiguration s3:GetBucketNotification \
            s3:GetBucketObjectLockConfiguration s3:GetBucketOwnershipControls s3:GetBucketPublicAccessBlock \
            s3:GetBucketTagging s3:GetBucketVersioning s3:GetBucketWebsite s3:GetEncryptionConfiguration \
            s3:GetIntelligentTieringConfiguration s3:GetInventoryConfiguration s3:GetLifecycleConfiguration \
            s3:GetMetricsConfiguration s3:GetReplicationConfiguration s3:ListAllMyBuckets s3:ListBucket \
            s3:ListTagsForResource s3:PutAccelerateConfiguration s3:PutAnalyticsConfiguration s3:PutBucketAbac \
            s3:PutBucketAcl s3:PutBucketCORS s3:PutBucketLogging s3:PutBucketNotification \
            s3:PutBucketObjectLockConfiguration s3:PutBucketOwnershipControls s3:PutBucketPublicAccessBlock \
            s3:PutBucketTagging s3:PutBucketVersioning s3:PutBucketWebsite \
            s3:PutEncryptionConfiguration s3:PutIntelligentTieringConfiguration s3:PutInventoryConfiguration \
            s3:PutLifecycleConfiguration s3:PutMetricsConfiguration \
            s3:PutReplicationConfiguration s3:TagResource s3:UntagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::S3::BucketPolicy",
        identifier: "Bucket",
        required: "Bucket PolicyDocument",
        create_only: "Bucket",
        permissions: "s3:DeleteBucketPolicy s3:GetBucketPolicy s3:ListAllMyBuckets s3:PutBucketPolicy",
        ..NONE
    },
    ResourceType {
        name: "AWS::SNS::Topic",
        identifier: "TopicArn",
        read_only: "TopicArn",
        create_only: "TopicName FifoTopic",
        others: "ArchivePolicy ContentBasedDeduplication DataProtectionPolicy DeliveryStatusLogging DisplayName \
            FifoThroughputScope KmsMasterKeyId SignatureVersion Subscription TracingConfig",
        tags: Tags::List("Tags"),
        arn_of: "TopicName",
        permissions: "iam:GetRole iam:PassRole sns:CreateTopic sns:DeleteTopic sns:GetDataProtectionPolicy \
            sns:GetTopicAttributes sns:ListSubscriptionsByTopic sns:ListTagsForResource sns:ListTopics \
            sns:PutDataProtectionPolicy sns:SetTopicAttributes sns:Subscribe sns:TagResource sns:Unsubscribe \
            sns:UntagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::SNS::TopicInlinePolicy",
        identifier: "TopicArn",
        required: "TopicArn PolicyDocument",
        create_only: "TopicArn",
        permissions: "sns:GetTopicAttributes sns:SetTopicAttributes",
        ..NONE
    },
    ResourceType {
        name: "AWS::SNS::Subscription",
        identifier: "Arn",
        required: "TopicArn Protocol",
        read_only: "Arn",
        write_only: "Region",
        create_only: "Endpoint Protocol TopicArn",
        others: "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy ReplayPolicy \
            SubscriptionRoleArn",
        known_by: "TopicArn Protocol Endpoint",
        permissions: "iam:GetRole iam:PassRole sns:GetSubscriptionAttributes sns:ListSubscriptions \
            sns:SetSubscriptionAttributes sns:Subscribe sns:Unsubscribe",
        ..NONE
    },
    ResourceType {
        name: "AWS::CloudWatch::Alarm",
        identifier: "AlarmName",
        read_only: "Arn",
        create_only: "AlarmName",
        others: "ActionsEnabled AlarmActions AlarmDescription ComparisonOperator DatapointsToAlarm Dimensions \
            EvaluateLowSampleCountPercentile EvaluationCriteria EvaluationInterval EvaluationPeriods \
            EvaluationWindow ExtendedStatistic InsufficientDataActions MetricName Metrics Namespace OKActions Period \
            Statistic Threshold ThresholdMetricId TreatMissingData Unit",
        tags: Tags::List("Tags"),
        permissions: "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource \
            cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:UntagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::CloudWatch::CompositeAlarm",
        identifier: "AlarmName",
        required: "AlarmRule",
        read_only: "Arn",
        create_only: "AlarmName",
        others: "ActionsEnabled ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod \
            AlarmActions AlarmDescription InsufficientDataActions OKActions",
        tags: Tags::List("Tags"),
        permissions: "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource \
            cloudwatch:PutCompositeAlarm cloudwatch:TagResource cloudwatch:UntagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::CloudWatch::Dashboard",
        identifier: "DashboardName",
        required: "DashboardBody",
        create_only: "DashboardName",
        tags: Tags::List("Tags"),
        texts: "DashboardBody",
        permissions: "cloudwatch:DeleteDashboards cloudwatch:GetDashboard cloudwatch:ListDashboards \
            cloudwatch:ListTagsForResource cloudwatch:PutDashboard cloudwatch:TagResource cloudwatch:UntagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::Logs::LogGroup",
        identifier: "LogGroupName",
        read_only: "Arn",
        create_only: "LogGroupName",
        others: "BearerTokenAuthenticationEnabled DataProtectionPolicy DeletionProtectionEnabled FieldIndexPolicies \
            KmsKeyId LogGroupClass ResourcePolicyDocument RetentionInDays",
        tags: Tags::List("Tags"),
        permissions: "logs:AssociateKmsKey logs:CreateLogGroup logs:DeleteDataProtectionPolicy \
            logs:DeleteIndexPolicy logs:DeleteLogGroup logs:DeleteResourcePolicy logs:DeleteRetentionPolicy \
            logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies logs:DisassociateKmsKey \
            logs:GetDataProtectionPolicy logs:ListTagsForResource logs:PutBearerTokenAuthentication \
            logs:PutDataProtectionPolicy logs:PutIndexPolicy logs:PutLogGroupDeletionProtection \
            logs:PutResourcePolicy logs:PutRetentionPolicy logs:TagResource logs:UntagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::Logs::ResourcePolicy",
        identifier: "PolicyName",
        required: "PolicyName PolicyDocument",
        create_only: "PolicyName",
        texts: "PolicyDocument",
        permissions: "logs:DeleteResourcePolicy logs:DescribeResourcePolicies logs:PutResourcePolicy",
        ..NONE
    },
    ResourceType {
        name: "AWS::Logs::SubscriptionFilter",
        identifier: "FilterName LogGroupName",
        required: "DestinationArn FilterPattern LogGroupName",
        create_only: "FilterName LogGroupName",
        others: "ApplyOnTransformedLogs Distribution EmitSystemFields FieldSelectionCriteria RoleArn",
        known_by: "LogGroupName DestinationArn FilterPattern",
        listed_in: "LogGroupName",
        permissions: "iam:PassRole logs:DeleteSubscriptionFilter logs:DescribeSubscriptionFilters \
            logs:PutSubscriptionFilter",
        ..NONE
    },
    ResourceType {
        name: "AWS::KMS::Key",
        identifier: "KeyId",
        read_only: "Arn KeyId",
        write_only: "PendingWindowInDays BypassPolicyLockoutSafetyCheck RotationPeriodInDays",
        others: "Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage MultiRegion Origin",
        tags: Tags::List("Tags"),
        permissions: "kms:CreateKey kms:DescribeKey kms:DisableKey kms:DisableKeyRotation kms:EnableKey \
            kms:EnableKeyRotation kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListKeys kms:ListResourceTags \
            kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:TagResource kms:UntagResource kms:UpdateKeyDescription",
        ..NONE
    },
    ResourceType {
        name: "AWS::KMS::ReplicaKey",
        identifier: "KeyId",
        required: "PrimaryKeyArn KeyPolicy",
        read_only: "Arn KeyId",
        write_only: "PendingWindowInDays",
        create_only: "PrimaryKeyArn",
        others: "Description Enabled",
        tags: Tags::List("Tags"),
        minutes: 2,
        permissions: "kms:CreateKey kms:DescribeKey kms:DisableKey kms:EnableKey kms:GetKeyPolicy kms:ListKeys \
            kms:ListResourceTags kms:PutKeyPolicy kms:ReplicateKey kms:ScheduleKeyDeletion kms:TagResource \
            kms:UntagResource kms:UpdateKeyDescription",
        ..NONE
    },
    ResourceType {
        name: "AWS::KMS::Alias",
        identifier: "AliasName",
        required: "AliasName TargetKeyId",
        create_only: "AliasName",
        permissions: "kms:CreateAlias kms:DeleteAlias kms:ListAliases kms:UpdateAlias",
        ..NONE
    },
    ResourceType {
        name: "AWS::Backup::BackupVault",
        identifier: "BackupVaultName",
        required: "BackupVaultName",
        read_only: "BackupVaultArn",
        write_only: "LockConfiguration/ChangeableForDays",
        create_only: "BackupVaultName EncryptionKeyArn",
        others: "AccessPolicy LockConfiguration Notifications",
        tags: Tags::Map("BackupVaultTags"),
        permissions: "backup-storage:MountCapsule backup:CreateBackupVault backup:DeleteBackupVault \
            backup:DeleteBackupVaultAccessPolicy backup:DeleteBackupVaultLockConfiguration \
            backup:DeleteBackupVaultNotifications backup:DescribeBackupVault backup:GetBackupVaultAccessPolicy \
            backup:GetBackupVaultNotifications backup:ListBackupVaults backup:ListTags \
            backup:PutBackupVaultAccessPolicy backup:PutBackupVaultLockConfiguration \
            backup:PutBackupVaultNotifications backup:TagResource backup:UntagResource kms:CreateGrant kms:Decrypt \
            kms:DescribeKey kms:GenerateDataKey kms:RetireGrant",
        ..NONE
    },
    ResourceType {
        name: "AWS::Backup::BackupPlan",
        identifier: "BackupPlanId",
        required: "BackupPlan",
        read_only: "BackupPlanId VersionId BackupPlanArn",
        tags: Tags::Map("BackupPlanTags"),
        permissions: "backup:CreateBackupPlan backup:DeleteBackupPlan backup:GetBackupPlan backup:ListBackupPlans \
            backup:ListTags backup:TagResource backup:UntagResource backup:UpdateBackupPlan iam:PassRole",
        ..NONE
    },
    ResourceType {
        name: "AWS::Backup::BackupSelection",
        identifier: "Id",
        required: "BackupSelection BackupPlanId",
        read_only: "SelectionId Id",
        create_only: "BackupSelection BackupPlanId",
        known_by: "BackupPlanId BackupSelection/SelectionName",
        permissions: "backup:CreateBackupSelection backup:DeleteBackupSelection backup:GetBackupSelection \
            backup:ListBackupPlans backup:ListBackupSelections iam:CreateServiceLinkedRole iam:GetRole iam:PassRole",
        ..NONE
    },
    ResourceType {
        name: "AWS::Backup::RestoreTestingPlan",
        identifier: "RestoreTestingPlanName",
        required: "RecoveryPointSelection ScheduleExpression RestoreTestingPlanName",
        read_only: "RestoreTestingPlanArn",
        create_only: "RestoreTestingPlanName",
        others: "ScheduleExpressionTimezone StartWindowHours",
        tags: Tags::List("Tags"),
        permissions: "backup:CreateRestoreTestingPlan backup:DeleteRestoreTestingPlan backup:GetRestoreTestingPlan \
            backup:ListRestoreTestingPlans backup:ListTags backup:TagResource backup:UntagResource \
            backup:UpdateRestoreTestingPlan iam:CreateServiceLinkedRole",
        ..NONE
    },
    ResourceType {
        name: "AWS::Backup::RestoreTestingSelection",
        identifier: "RestoreTestingPlanName RestoreTestingSelectionName",
        required: "IamRoleArn ProtectedResourceType RestoreTestingPlanName RestoreTestingSelectionName",
        create_only: "ProtectedResourceType RestoreTestingPlanName RestoreTestingSelectionName",
        others: "ProtectedResourceArns ProtectedResourceConditions RestoreMetadataOverrides ValidationWindowHours",
        permissions: "backup:CreateRestoreTestingSelection backup:DeleteRestoreTestingSelection \
            backup:GetRestoreTestingSelection backup:ListRestoreTestingPlans backup:ListRestoreTestingSelections \
            backup:UpdateRestoreTestingSelection iam:PassRole",
        ..NONE
    },
    ResourceType {
        name: "AWS::Backup::ReportPlan",
        identifier: "ReportPlanArn",
        required: "ReportDeliveryChannel ReportSetting",
        read_only: "ReportPlanArn",
        create_only: "ReportPlanName",
        others: "ReportPlanDescription",
        tags: Tags::List("ReportPlanTags"),
        permissions: "backup:CreateReportPlan backup:DeleteReportPlan backup:DescribeReportPlan backup:ListReportPlans \
            backup:ListTags backup:TagResource backup:UntagResource backup:UpdateReportPlan \
            iam:CreateServiceLinkedRole",
        ..NONE
    },
    ResourceType {
        name: "AWS::RDS::DBInstance",
        identifier: "DBInstanceIdentifier",
        read_only: "AutomaticRestartTime CertificateDetails CertificateDetails/CAIdentifier \
            CertificateDetails/ValidTill Endpoint Endpoint/Address Endpoint/Port Endpoint/HostedZoneId DbiResourceId \
            DBInstanceArn DBInstanceStatus InstanceCreateTime IsStorageConfigUpgradeAvailable LatestRestorableTime \
            ListenerEndpoint ListenerEndpoint/Address ListenerEndpoint/Port ListenerEndpoint/HostedZoneId \
            MasterUserSecret/SecretArn PercentProgress ReadReplicaDBClusterIdentifiers \
            ReadReplicaDBInstanceIdentifiers ResumeFullAutomationModeTime SecondaryAvailabilityZone StatusInfos",
        write_only: "AllowMajorVersionUpgrade AutomaticBackupReplicationKmsKeyId CertificateRotationRestart \
            DBSnapshotIdentifier DeleteAutomatedBackups MasterUserAuthenticationType MasterUserPassword RestoreTime \
            SourceDBInstanceAutomatedBackupsArn SourceDBInstanceIdentifier SourceDbiResourceId SourceRegion \
            TdeCredentialPassword UseDefaultProcessorFeatures UseLatestRestorableTime ApplyImmediately",
        create_only: "BackupTarget CharacterSetName CustomIAMInstanceProfile DBClusterIdentifier \
            DBInstanceIdentifier DBName DBSubnetGroupName DBSystemId KmsKeyId MasterUsername NcharCharacterSetName \
            SourceRegion StorageEncrypted Timezone",
        others: "AdditionalStorageVolumes AllocatedStorage AssociatedRoles AutoMinorVersionUpgrade \
            AutomaticBackupReplicationRegion AutomaticBackupReplicationRetentionPeriod AvailabilityZone \
            BackupRetentionPeriod CACertificateIdentifier CopyTagsToSnapshot DBClusterSnapshotIdentifier \
            DBInstanceClass DBParameterGroupName DBSecurityGroups DatabaseInsightsMode DedicatedLogVolume \
            DeletionProtection Domain DomainAuthSecretArn DomainDnsIps DomainFqdn DomainIAMRoleName DomainOu \
            EnableCloudwatchLogsExports EnableIAMDatabaseAuthentication EnablePerformanceInsights Engine \
            EngineLifecycleSupport EngineVersion Iops LicenseModel ManageMasterUserPassword MasterUserSecret \
            MaxAllocatedStorage MonitoringInterval MonitoringRoleArn MultiAZ NetworkType OptionGroupName \
            PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod Port PreferredBackupWindow \
            PreferredMaintenanceWindow ProcessorFeatures PromotionTier PubliclyAccessible ReplicaMode \
            SourceDBClusterIdentifier StorageThroughput StorageType TdeCredentialArn VPCSecurityGroups",
        tags: Tags::List("Tags"),
        minutes: 15,
        permissions: "ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones ec2:DescribeInternetGateways \
            ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcAttribute ec2:DescribeVpcs \
            iam:CreateServiceLinkedRole iam:GetRole iam:ListRoles iam:PassRole kms:CreateGrant kms:DescribeKey \
            rds:AddRoleToDBInstance rds:AddTagsToResource rds:CreateDBInstance rds:CreateDBInstanceReadReplica \
            rds:CreateDBSnapshot rds:DeleteDBInstance rds:DescribeDBClusterSnapshots rds:DescribeDBClusters \
            rds:DescribeDBEngineVersions rds:DescribeDBInstanceAutomatedBackups rds:DescribeDBInstances \
            rds:DescribeDBParameterGroups rds:DescribeDBSnapshots rds:DescribeEvents rds:ModifyDBInstance \
            rds:PromoteReadReplica rds:RebootDBInstance rds:RemoveRoleFromDBInstance rds:RemoveTagsFromResource \
            rds:RestoreDBInstanceFromDBSnapshot rds:RestoreDBInstanceToPointInTime \
            rds:StartDBInstanceAutomatedBackupsReplication rds:StopDBInstanceAutomatedBackupsReplication \
            secretsmanager:CreateSecret secretsmanager:TagResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::RDS::DBSubnetGroup",
        identifier: "DBSubnetGroupName",
        required: "DBSubnetGroupDescription SubnetIds",
        read_only: "DBSubnetGroupArn",
        create_only: "DBSubnetGroupName",
        tags: Tags::List("Tags"),
        permissions: "iam:CreateServiceLinkedRole rds:AddTagsToResource rds:CreateDBSubnetGroup \
            rds:DeleteDBSubnetGroup rds:DescribeDBSubnetGroups rds:ListTagsForResource rds:ModifyDBSubnetGroup \
            rds:RemoveTagsFromResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::RDS::DBParameterGroup",
        identifier: "DBParameterGroupName",
        required: "Family Description",
        create_only: "DBParameterGroupName Description Family",
        others: "Parameters",
        tags: Tags::List("Tags"),
        permissions: "iam:CreateServiceLinkedRole rds:AddTagsToResource rds:CreateDBParameterGroup \
            rds:DeleteDBParameterGroup rds:DescribeDBParameterGroups rds:DescribeDBParameters \
            rds:DescribeEngineDefaultParameters rds:ListTagsForResource rds:ModifyDBParameterGroup \
            rds:RemoveTagsFromResource rds:ResetDBParameterGroup",
        ..NONE
    },
    ResourceType {
        name: "AWS::IAM::Role",
        identifier: "RoleName",
        required: "AssumeRolePolicyDocument",
        read_only: "Arn RoleId",
        create_only: "Path RoleName",
        others: "Description ManagedPolicyArns MaxSessionDuration PermissionsBoundary Policies",
        tags: Tags::List("Tags"),
        permissions: "iam:AttachRolePolicy iam:CreateRole iam:DeleteRole iam:DeleteRolePermissionsBoundary \
            iam:DeleteRolePolicy iam:DetachRolePolicy iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies \
            iam:ListRolePolicies iam:ListRoles iam:PutRolePermissionsBoundary iam:PutRolePolicy iam:TagRole \
            iam:UntagRole iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription",
        ..NONE
    },
    ResourceType {
        name: "AWS::IAM::InstanceProfile",
        identifier: "InstanceProfileName",
        required: "Roles",
        read_only: "Arn",
        create_only: "InstanceProfileName Path",
        minutes: 3,
        permissions: "iam:AddRoleToInstanceProfile iam:CreateInstanceProfile iam:DeleteInstanceProfile \
            iam:GetInstanceProfile iam:ListInstanceProfiles iam:PassRole iam:RemoveRoleFromInstanceProfile",
        ..NONE
    },
    ResourceType {
        name: "AWS::IAM::User",
        identifier: "UserName",
        read_only: "Arn",
        write_only: "LoginProfile/Password",
        create_only: "UserName",
        others: "Groups LoginProfile ManagedPolicyArns Path PermissionsBoundary Policies",
        tags: Tags::List("Tags"),
        permissions: "iam:AddUserToGroup iam:AttachUserPolicy iam:CreateLoginProfile iam:CreateUser \
            iam:DeleteAccessKey iam:DeleteLoginProfile iam:DeleteUser iam:DeleteUserPermissionsBoundary \
            iam:DeleteUserPolicy iam:DetachUserPolicy iam:GetLoginProfile iam:GetUser iam:GetUserPolicy \
            iam:ListAccessKeys iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:ListUserPolicies \
            iam:ListUserTags iam:ListUsers iam:PutUserPermissionsBoundary iam:PutUserPolicy iam:RemoveUserFromGroup \
            iam:TagUser iam:UntagUser iam:UpdateLoginProfile iam:UpdateUser",
        ..NONE
    },
    ResourceType {
        name: "AWS::CertificateManager::Certificate",
        identifier: "CertificateArn",
        required: "DomainName",
        read_only: "CertificateArn",
        write_only: "DomainValidationOptions/*/HostedZoneId ValidationMethod",
        create_only: "SubjectAlternativeNames DomainValidationOptions ValidationMethod KeyAlgorithm DomainName \
            CertificateAuthorityArn CertificateExport",
        others: "CertificateTransparencyLoggingPreference",
        tags: Tags::List("Tags"),
        minutes: 10,
        permissions: "acm:AddTagsToCertificate acm:DeleteCertificate acm:DescribeCertificate acm:ListCertificates \
            acm:ListTagsForCertificate acm:RemoveTagsFromCertificate acm:RequestCertificate \
            acm:UpdateCertificateOptions route53:ChangeResourceRecordSets",
        ..NONE
    },
    ResourceType {
        name: "AWS::SSM::Parameter",
        identifier: "Name",
        required: "Value Type",
        read_only: "Arn",
        write_only: "Description Tier AllowedPattern Policies",
        create_only: "Name",
        others: "DataType",
        tags: Tags::Map("Tags"),
        permissions: "ssm:AddTagsToResource ssm:DeleteParameter ssm:DescribeParameters ssm:GetParameters \
            ssm:ListTagsForResource ssm:PutParameter ssm:RemoveTagsFromResource",
        ..NONE
    },
    ResourceType {
        name: "AWS::SSM::PatchBaseline",
        identifier: "Id",
        required: "Name",
        read_only: "Id",
        create_only: "OperatingSystem",
        others: "ApprovalRules ApprovedPatches ApprovedPatchesComplianceLevel ApprovedPatchesEnableNonSecurity \
            AvailableSecurityUpdatesComplianceStatus DefaultBaseline Description GlobalFilters PatchGroups \
            RejectedPatches RejectedPatchesAction Sources",
        tags: Tags::List("Tags"),
        permissions: "ssm:AddTagsToResource ssm:CreatePatchBaseline ssm:DeletePatchBaseline \
            ssm:DeregisterPatchBaselineForPatchGroup ssm:DescribePatchBaselines ssm:GetDefaultPatchBaseline \
            ssm:GetPatchBaseline ssm:ListTagsForResource ssm:RegisterDefaultPatchBaseline \
            ssm:RegisterPatchBaselineForPatchGroup ssm:RemoveTagsFromResource ssm:UpdatePatchBaseline",
        ..NONE
    },
    ResourceType {
        name: "AWS::SSM::MaintenanceWindow",
        identifier: "WindowId",
        required: "AllowUnassociatedTargets Cutoff Schedule Duration Name",
        read_only: "WindowId",
        others: "Description EndDate ScheduleOffset ScheduleTimezone StartDate",
        tags: Tags::List("Tags"),
        permissions: "ssm:AddTagsToResource ssm:CreateMaintenanceWindow ssm:DeleteMaintenanceWindow \
            ssm:DescribeMaintenanceWindows ssm:GetMaintenanceWindow ssm:ListTagsForResource \
            ssm:RemoveTagsFromResource ssm:UpdateMaintenanceWindow",
        ..NONE
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::TargetGroup",
        identifier: "TargetGroupArn",
        read_only: "LoadBalancerArns TargetGroupArn TargetGroupName TargetGroupFullName",
        create_only: "TargetType ProtocolVersion Port Name VpcId Protocol IpAddressType",
        others: "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol \
            HealthCheckTimeoutSeconds HealthyThresholdCount Matcher TargetControlPort TargetGroupAttributes Targets \
            UnhealthyThresholdCount",
        tags: Tags::List("Tags"),
        permissions: "elasticloadbalancing:AddTags elasticloadbalancing:CreateTargetGroup \
            elasticloadbalancing:DeleteTargetGroup elasticloadbalancing:DeregisterTargets \
            elasticloadbalancing:DescribeTags elasticloadbalancing:DescribeTargetGroupAttributes \
            elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth \
            elasticloadbalancing:ModifyTargetGroup elasticloadbalancing:ModifyTargetGroupAttributes \
            elasticloadbalancing:RegisterTargets elasticloadbalancing:RemoveTags",
        ..NONE
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        identifier: "LoadBalancerArn",
        read_only: "LoadBalancerName LoadBalancerFullName CanonicalHostedZoneID LoadBalancerArn DNSName",
        write_only: "EnableCapacityReservationProvisionStabilize",
        create_only: "Name Type Scheme",
        others: "EnablePrefixForIpv6SourceNat EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic IpAddressType \
            Ipv4IpamPoolId LoadBalancerAttributes MinimumLoadBalancerCapacity SecurityGroups SubnetMappings Subnets",
        tags: Tags::List("Tags"),
        minutes: 4,
        permissions: "ec2:DescribeIpamPools elasticloadbalancing:AddTags elasticloadbalancing:CreateLoadBalancer \
            elasticloadbalancing:DeleteLoadBalancer elasticloadbalancing:DescribeCapacityReservation \
            elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:DescribeLoadBalancers \
            elasticloadbalancing:DescribeTags elasticloadbalancing:ModifyCapacityReservation \
            elasticloadbalancing:ModifyIpPools elasticloadbalancing:ModifyLoadBalancerAttributes \
            elasticloadbalancing:RemoveTags elasticloadbalancing:SetIpAddressType \
            elasticloadbalancing:SetSecurityGroups elasticloadbalancing:SetSubnets",
        ..NONE
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::Listener",
        identifier: "ListenerArn",
        required: "LoadBalancerArn DefaultActions",
        read_only: "ListenerArn",
        write_only: "DefaultActions/*/AuthenticateOidcConfig/ClientSecret",
        create_only: "LoadBalancerArn",
        others: "AlpnPolicy Certificates ListenerAttributes MutualAuthentication Port Protocol SslPolicy",
        tags: Tags::List("Tags"),
        listed_in: "LoadBalancerArn",
        permissions: "cognito-idp:DescribeUserPoolClient elasticloadbalancing:AddTags \
            elasticloadbalancing:CreateListener elasticloadbalancing:DeleteListener \
            elasticloadbalancing:DescribeListenerAttributes elasticloadbalancing:DescribeListeners \
            elasticloadbalancing:DescribeTags elasticloadbalancing:ModifyListener \
            elasticloadbalancing:ModifyListenerAttributes elasticloadbalancing:RemoveTags",
        ..NONE
    },
    ResourceType {
        name: "AWS::EC2::VPCEndpoint",
        identifier: "Id",
        required: "VpcId",
        read_only: "NetworkInterfaceIds CreationTimestamp DnsEntries Id",
        create_only: "ServiceName VpcEndpointType VpcId ServiceNetworkArn ResourceConfigurationArn ServiceRegion \
            DnsOptions/PrivateDnsPreference DnsOptions/PrivateDnsSpecifiedDomains",
        others: "DnsOptions IpAddressType PolicyDocument PrivateDnsEnabled RouteTableIds SecurityGroupIds SubnetIds",
        tags: Tags::List("Tags"),
        minutes: 3,
        permissions: "ec2:CreateTags ec2:CreateVpcEndpoint ec2:DeleteTags ec2:DeleteVpcEndpoints \
            ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcEndpoints ec2:DescribeVpcs \
            ec2:ModifyVpcEndpoint vpc-lattice:CreateServiceNetworkVpcEndpointAssociation vpce:AllowMultiRegion",
        ..NONE
    },
    ResourceType {
        name: "AWS::EC2::FlowLog",
        identifier: "Id",
        required: "ResourceType ResourceId",
        read_only: "Id",
        create_only: "DeliverCrossAccountRole DeliverLogsPermissionArn LogGroupName LogDestination ResourceId \
            TrafficType LogDestinationType ResourceType LogFormat MaxAggregationInterval DestinationOptions \
            TagFieldSpecifications",
        tags: Tags::List("Tags"),
        permissions: "autoscaling:DescribeTags ec2:CreateFlowLogs ec2:CreateTags ec2:DeleteFlowLogs ec2:DeleteTags \
            ec2:DescribeFlowLogs ec2:DescribeTags iam:CreateServiceLinkedRole iam:PassRole logs:CreateLogDelivery \
            logs:DeleteLogDelivery s3:GetBucketPolicy s3:PutBucketPolicy",
        ..NONE
    },
    ResourceType {
        name: "AWS::EC2::VPCCidrBlock",
        identifier: "Id VpcId",
        required: "VpcId",
        read_only: "Id",
        write_only: "Ipv4IpamPoolId Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength",
        create_only: "AmazonProvidedIpv6CidrBlock CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength Ipv6CidrBlock \
            Ipv6IpamPoolId Ipv6NetmaskLength Ipv6Pool VpcId",
        known_by: "VpcId CidrBlock",
        listed_in: "VpcId",
        permissions: "ec2:AllocateIpamPoolCidr ec2:AssociateVpcCidrBlock ec2:DescribeVpcs ec2:DisassociateVpcCidrBlock",
        ..NONE
    },
    ResourceType {
        name: "AWS::Route53::HostedZone",
        identifier: "Id",
        read_only: "Id NameServers",
        create_only: "Name",
        others: "HostedZoneConfig QueryLoggingConfig VPCs",
        tags: Tags::List("HostedZoneTags"),
        minutes: 2,
        permissions: "ec2:DescribeVpcs route53:AssociateVPCWithHostedZone route53:ChangeTagsForResource \
            route53:CreateHostedZone route53:CreateQueryLoggingConfig route53:DeleteHostedZone \
            route53:DeleteQueryLoggingConfig route53:DisassociateVPCFromHostedZone route53:GetChange \
            route53:GetHostedZone route53:ListHostedZones route53:ListHostedZonesByName \
            route53:ListQueryLoggingConfigs route53:ListTagsForResource route53:UpdateHostedZoneComment",
        ..NONE
    },
];
