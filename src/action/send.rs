//! Sends a call of EC2. Everything here is translation; which call, when and why is decided elsewhere.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::SecretString;
use tokio::time::Instant;

use super::World;
use super::aws_resource::in_region;
use super::call::backup::BackupRequest;
use super::call::dx::DxRequest;
use super::call::{Call, Label, Launch, RouteTarget, Rule, Source, VpcAttribute};
use crate::aws::ec2::primitives::Blob;
use crate::aws::ec2::types::{
    AttributeBooleanValue, BlockDeviceMapping, DomainType, EbsBlockDevice, HttpTokensState,
    InstanceMetadataOptionsRequest, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, TagSpecification,
    UserIdGroupPair, VolumeType,
};
use crate::aws::{AwsFailure, Cloud, Fate, Kind, Operation, Repeat, Resend, Stamp};
use crate::engagement::RepeatClass;
use crate::input::SecretRef;

/// Under whose name, and under which token, calls are sent.
pub(super) struct Sender<'a> {
    pub world: &'a World,
    pub cloud: &'a Cloud,
    /// On everything that is made.
    pub marks: &'a BTreeMap<String, String>,
    pub token: &'a str,
    /// No call that may not be repeated starts later than this.
    pub until: Instant,
    /// Texts of the secrets that calls are sent with; a call without its text lets AWS choose one.
    pub secrets: &'a BTreeMap<SecretRef, SecretString>,
    /// Only asked, not made.
    pub rehearsal: bool,
}

/// Sends a finished request under the call's rules of repeating. A macro, because every request is a type of its own. Of
/// those few that AWS does not take as a rehearsal, `send` sends none in one.
macro_rules! sent {
    ($self:ident, $call:ident, $request:expr) => {
        sent!($self, $call, never a rehearsal: $request.set_dry_run($self.rehearsal.then_some(true)))
    };
    ($self:ident, $call:ident, never a rehearsal: $request:expr) => {{
        let request = $request;
        // In one place for both: for the compiler each place where a request is sent is dear.
        let resend = (!$self.rehearsal).then(|| $call.resend($self.until));
        $self.cloud.change($call.operation(), resend, || request.clone().send()).await?
    }};
}

pub(in crate::action) mod backup;
mod block;
mod dns;
mod dx;
mod ebs;
mod mail;
mod objects;
mod quotas;
mod rds;
mod resource;
mod transit;
mod vpn;

impl Call {
    /// Its row in the table of operations: how it may be repeated, what takes it back, which permission it needs.
    pub(super) fn operation(&self) -> Operation {
        match self {
            Call::CreateVpc { .. } => Operation::CreateVpc,
            Call::ModifyVpcAttribute { .. } => Operation::ModifyVpcAttribute,
            Call::DeleteVpc { .. } => Operation::DeleteVpc,
            Call::CreateSubnet { .. } => Operation::CreateSubnet,
            Call::DeleteSubnet { .. } => Operation::DeleteSubnet,
            Call::CreateInternetGateway { .. } => Operation::CreateInternetGateway,
            Call::AttachInternetGateway { .. } => Operation::AttachInternetGateway,
            Call::DetachInternetGateway { .. } => Operation::DetachInternetGateway,
            Call::DeleteInternetGateway { .. } => Operation::DeleteInternetGateway,
            Call::AllocateAddress { .. } => Operation::AllocateAddress,
            Call::ReleaseAddress { .. } => Operation::ReleaseAddress,
            Call::CreateNatGateway { .. } => Operation::CreateNatGateway,
            Call::DeleteNatGateway { .. } => Operation::DeleteNatGateway,
            Call::CreateRouteTable { .. } => Operation::CreateRouteTable,
            Call::CreateRoute { .. } => Operation::CreateRoute,
            Call::DeleteRoute { .. } => Operation::DeleteRoute,
            Call::CreateVpcPeeringConnection { .. } => Operation::CreateVpcPeeringConnection,
            Call::DeleteVpcPeeringConnection { .. } => Operation::DeleteVpcPeeringConnection,
            Call::ModifyVpcPeeringConnectionOptions { .. } => Operation::ModifyVpcPeeringConnectionOptions,
            Call::AssociateRouteTable { .. } => Operation::AssociateRouteTable,
            Call::DisassociateRouteTable { .. } => Operation::DisassociateRouteTable,
            Call::DeleteRouteTable { .. } => Operation::DeleteRouteTable,
            Call::CreateSecurityGroup { .. } => Operation::CreateSecurityGroup,
            Call::AuthorizeSecurityGroupIngress { .. } => Operation::AuthorizeSecurityGroupIngress,
            Call::RevokeSecurityGroupIngress { .. } => Operation::RevokeSecurityGroupIngress,
            Call::DeleteSecurityGroup { .. } => Operation::DeleteSecurityGroup,
            Call::ImportKeyPair { .. } => Operation::ImportKeyPair,
            Call::DeleteKeyPair { .. } => Operation::DeleteKeyPair,
            Call::CreateCustomerGateway { .. } => Operation::CreateCustomerGateway,
            Call::DeleteCustomerGateway { .. } => Operation::DeleteCustomerGateway,
            Call::CreateVpnGateway { .. } => Operation::CreateVpnGateway,
            Call::AttachVpnGateway { .. } => Operation::AttachVpnGateway,
            Call::DetachVpnGateway { .. } => Operation::DetachVpnGateway,
            Call::DeleteVpnGateway { .. } => Operation::DeleteVpnGateway,
            Call::EnableVgwRoutePropagation { .. } => Operation::EnableVgwRoutePropagation,
            Call::DisableVgwRoutePropagation { .. } => Operation::DisableVgwRoutePropagation,
            Call::CreateVpnConnection(_) => Operation::CreateVpnConnection,
            Call::DeleteVpnConnection { .. } => Operation::DeleteVpnConnection,
            Call::CreateVpnConnectionRoute { .. } => Operation::CreateVpnConnectionRoute,
            Call::DeleteVpnConnectionRoute { .. } => Operation::DeleteVpnConnectionRoute,
            Call::CreateDhcpOptions { .. } => Operation::CreateDhcpOptions,
            Call::AssociateDhcpOptions { .. } => Operation::AssociateDhcpOptions,
            Call::DeleteDhcpOptions { .. } => Operation::DeleteDhcpOptions,
            Call::RunInstances(_) => Operation::RunInstances,
            Call::TerminateInstances { .. } => Operation::TerminateInstances,
            Call::ModifyInstanceAttribute { .. } => Operation::ModifyInstanceAttribute,
            Call::AssociateAddress { .. } => Operation::AssociateAddress,
            Call::DisassociateAddress { .. } => Operation::DisassociateAddress,
            Call::RequestServiceQuotaIncrease { .. } => Operation::RequestServiceQuotaIncrease,
            Call::CreateTransitGateway { .. } => Operation::CreateTransitGateway,
            Call::DeleteTransitGateway { .. } => Operation::DeleteTransitGateway,
            Call::CreateTransitGatewayVpcAttachment { .. } => Operation::CreateTransitGatewayVpcAttachment,
            Call::DeleteTransitGatewayVpcAttachment { .. } => Operation::DeleteTransitGatewayVpcAttachment,
            Call::Backup(request) => request.operation(),
            Call::Block(request) => request.operation(),
            Call::CreateTransitGatewayRoute { .. } => Operation::CreateTransitGatewayRoute,
            Call::DeleteTransitGatewayRoute { .. } => Operation::DeleteTransitGatewayRoute,
            Call::Mail(request) => request.operation(),
            Call::Objects(request) => request.operation(),
            Call::Dx(request) => request.operation(),
            Call::Dns(request) => request.operation(),
            Call::Ebs(request) => request.operation(),
            Call::Rds(request) => request.operation(),
            Call::Resource(request) => request.operation(),
            Call::Elsewhere(there) => there.call.operation(),
        }
    }

    pub(super) fn class(&self) -> RepeatClass {
        match self {
            Call::Mail(request) if request.is_harmless_twice() => RepeatClass::Natural,
            Call::Elsewhere(there) => there.call.class(),
            _ => class_of(self.operation()),
        }
    }

    fn resend(&self, until: Instant) -> Resend {
        // A second time these are refused, and the refusal would hide that the first was heeded.
        let heeded_once = match self {
            Call::Dns(request) => request.deletes_records(),
            Call::Dx(request) => matches!(
                request,
                DxRequest::ConfirmConnection { .. }
                    | DxRequest::AssociateMacSecKey { .. }
                    | DxRequest::ConfirmPrivateVirtualInterface { .. }
                    | DxRequest::ConfirmTransitVirtualInterface { .. }
            ),
            Call::Backup(request) => matches!(request, BackupRequest::StopBackupJob { .. }),
            Call::Elsewhere(there) => return there.call.resend(until),
            _ => false,
        };
        if heeded_once {
            return Resend::OnlyUnsent { until };
        }
        match self.class() {
            RepeatClass::Token | RepeatClass::Natural => Resend::Freely,
            RepeatClass::Tag | RepeatClass::Person => Resend::OnlyUnsent { until },
        }
    }
}

/// How a step that begins with this call may be repeated.
pub(super) fn class_of(operation: Operation) -> RepeatClass {
    match operation.row().repeat {
        Repeat::Token => RepeatClass::Token,
        Repeat::Reads | Repeat::Natural => RepeatClass::Natural,
        Repeat::Tag => RepeatClass::Tag,
        Repeat::Person => RepeatClass::Person,
    }
}

impl Sender<'_> {
    fn tags(&self, label: &Label, kind: ResourceType) -> TagSpecification {
        Stamp { marks: self.marks, key: &label.key, name: &label.name }.on(kind)
    }

    /// Sends the call; the answer is the id of what it made, if it made something that has one.
    ///
    /// # Errors
    /// See `aws::send`.
    pub(super) async fn send(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        if self.rehearsal && !call.operation().row().dry_run {
            return Err(unsent(call));
        }
        match call {
            Call::CreateVpc { .. }
            | Call::CreateSubnet { .. }
            | Call::CreateInternetGateway { .. }
            | Call::CreateNatGateway { .. }
            | Call::CreateRouteTable { .. }
            | Call::CreateSecurityGroup { .. } => self.create(call).await,
            Call::RunInstances(_)
            | Call::TerminateInstances { .. }
            | Call::ModifyInstanceAttribute { .. }
            | Call::ImportKeyPair { .. }
            | Call::AllocateAddress { .. }
            | Call::ReleaseAddress { .. }
            | Call::AssociateAddress { .. }
            | Call::DisassociateAddress { .. } => self.compute(call).await,
            Call::ModifyVpcAttribute { .. }
            | Call::AttachInternetGateway { .. }
            | Call::DetachInternetGateway { .. }
            | Call::CreateRoute { .. }
            | Call::DeleteRoute { .. }
            | Call::AssociateRouteTable { .. }
            | Call::DisassociateRouteTable { .. }
            | Call::AuthorizeSecurityGroupIngress { .. }
            | Call::RevokeSecurityGroupIngress { .. } => self.arrange(call).await.map(|()| None),
            Call::CreateCustomerGateway { .. }
            | Call::DeleteCustomerGateway { .. }
            | Call::CreateVpnGateway { .. }
            | Call::AttachVpnGateway { .. }
            | Call::DetachVpnGateway { .. }
            | Call::DeleteVpnGateway { .. }
            | Call::EnableVgwRoutePropagation { .. }
            | Call::DisableVgwRoutePropagation { .. } => self.gateways(call).await,
            Call::CreateVpnConnection(_)
            | Call::DeleteVpnConnection { .. }
            | Call::CreateVpnConnectionRoute { .. }
            | Call::DeleteVpnConnectionRoute { .. } => self.vpn(call).await,
            Call::CreateDhcpOptions { .. } | Call::AssociateDhcpOptions { .. } | Call::DeleteDhcpOptions { .. } => {
                self.dhcp(call).await
            }
            Call::CreateVpcPeeringConnection { .. }
            | Call::DeleteVpcPeeringConnection { .. }
            | Call::ModifyVpcPeeringConnectionOptions { .. } => self.peering(call).await,
            Call::RequestServiceQuotaIncrease { .. } => self.quotas(call).await,
            Call::CreateTransitGateway { .. }
            | Call::DeleteTransitGateway { .. }
            | Call::CreateTransitGatewayVpcAttachment { .. }
            | Call::DeleteTransitGatewayVpcAttachment { .. }
            | Call::CreateTransitGatewayRoute { .. }
            | Call::DeleteTransitGatewayRoute { .. } => self.transit_gateways(call).await,
            Call::Backup(request) => self.backup(call, request).await,
            Call::Block(request) => self.block(call, request).await,
            Call::Mail(_) => self.mail(call).await,
            Call::Objects(request) => self.objects(call, request).await,
            Call::Dx(request) => self.dx(call, request).await,
            Call::Dns(request) => self.dns(call, request).await,
            Call::Ebs(request) => self.disks(call, request).await,
            Call::Rds(request) => self.databases(call, request).await,
            Call::Resource(request) => self.resource(call, request).await,
            Call::Elsewhere(there) => {
                let cloud = in_region(self.cloud, Some(&there.region));
                // A call that sends a call.
                Box::pin(Sender { cloud: &cloud, ..*self }.send(&there.call)).await
            }
            Call::DeleteVpc { .. }
            | Call::DeleteSubnet { .. }
            | Call::DeleteInternetGateway { .. }
            | Call::DeleteNatGateway { .. }
            | Call::DeleteRouteTable { .. }
            | Call::DeleteSecurityGroup { .. }
            | Call::DeleteKeyPair { .. } => self.delete(call).await.map(|()| None),
        }
    }

    async fn create(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        Ok(match call {
            Call::CreateVpc { cidr_block, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::Vpc);
                sent!(self, call, ec2.create_vpc().cidr_block(cidr_block).tag_specifications(tags))
                    .vpc
                    .and_then(|vpc| vpc.vpc_id)
            }
            Call::CreateSubnet { vpc_id, cidr_block, availability_zone, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::Subnet);
                let request = ec2.create_subnet().vpc_id(vpc_id).cidr_block(cidr_block).tag_specifications(tags);
                sent!(self, call, request.availability_zone(availability_zone))
                    .subnet
                    .and_then(|subnet| subnet.subnet_id)
            }
            Call::CreateInternetGateway { tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::InternetGateway);
                sent!(self, call, ec2.create_internet_gateway().tag_specifications(tags))
                    .internet_gateway
                    .and_then(|gateway| gateway.internet_gateway_id)
            }
            Call::CreateNatGateway { subnet_id, allocation_id, tag_specifications, .. } => {
                let tags = self.tags(tag_specifications, ResourceType::Natgateway);
                let request = ec2.create_nat_gateway().subnet_id(subnet_id).allocation_id(allocation_id);
                sent!(self, call, request.tag_specifications(tags).client_token(self.token))
                    .nat_gateway
                    .and_then(|gateway| gateway.nat_gateway_id)
            }
            Call::CreateRouteTable { vpc_id, tag_specifications, .. } => {
                let tags = self.tags(tag_specifications, ResourceType::RouteTable);
                let request = ec2.create_route_table().vpc_id(vpc_id).tag_specifications(tags);
                sent!(self, call, request.client_token(self.token)).route_table.and_then(|table| table.route_table_id)
            }
            Call::CreateSecurityGroup { vpc_id, group_name, description, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::SecurityGroup);
                let request = ec2.create_security_group().vpc_id(vpc_id).group_name(group_name);
                sent!(self, call, request.description(description).tag_specifications(tags)).group_id
            }
            _ => return Err(unsent(call)),
        })
    }

    async fn compute(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        Ok(match call {
            Call::RunInstances(launch) => self.run_instances(call, launch).await?,
            Call::TerminateInstances { instance_ids: [id] } => {
                sent!(self, call, ec2.terminate_instances().instance_ids(id));
                None
            }
            Call::ModifyInstanceAttribute { instance_id, disable_api_termination } => {
                let protection = AttributeBooleanValue::builder().value(disable_api_termination.value).build();
                let request = ec2.modify_instance_attribute().instance_id(instance_id);
                sent!(self, call, request.disable_api_termination(protection));
                None
            }
            Call::ImportKeyPair { key_name, public_key_material, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::KeyPair);
                let key = Blob::new(public_key_material.as_bytes());
                let request = ec2.import_key_pair().key_name(key_name).public_key_material(key);
                sent!(self, call, request.tag_specifications(tags)).key_pair_id
            }
            Call::AllocateAddress { domain, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::ElasticIp);
                let request = ec2.allocate_address().domain(DomainType::from(*domain));
                sent!(self, call, request.tag_specifications(tags)).allocation_id
            }
            Call::ReleaseAddress { allocation_id } => {
                sent!(self, call, ec2.release_address().allocation_id(allocation_id));
                None
            }
            Call::AssociateAddress { allocation_id, instance_id, allow_reassociation } => {
                let request = ec2.associate_address().allocation_id(allocation_id).instance_id(instance_id);
                sent!(self, call, request.allow_reassociation(*allow_reassociation)).association_id
            }
            Call::DisassociateAddress { association_id } => {
                sent!(self, call, ec2.disassociate_address().association_id(association_id));
                None
            }
            _ => return Err(unsent(call)),
        })
    }

    async fn arrange(&self, call: &Call) -> Result<(), AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::ModifyVpcAttribute { vpc_id, attribute } => {
                let request = ec2.modify_vpc_attribute().vpc_id(vpc_id);
                let on = |value: bool| AttributeBooleanValue::builder().value(value).build();
                sent!(
                    self,
                    call,
                    never a rehearsal: match attribute {
                        VpcAttribute::EnableDnsSupport(flag) => request.enable_dns_support(on(flag.value)),
                        VpcAttribute::EnableDnsHostnames(flag) => request.enable_dns_hostnames(on(flag.value)),
                    }
                );
            }
            Call::AttachInternetGateway { internet_gateway_id, vpc_id } => {
                let request = ec2.attach_internet_gateway().internet_gateway_id(internet_gateway_id);
                sent!(self, call, request.vpc_id(vpc_id));
            }
            Call::DetachInternetGateway { internet_gateway_id, vpc_id } => {
                let request = ec2.detach_internet_gateway().internet_gateway_id(internet_gateway_id);
                sent!(self, call, request.vpc_id(vpc_id));
            }
            Call::CreateRoute { route_table_id, destination_cidr_block, target } => {
                let request = ec2.create_route().route_table_id(route_table_id);
                let request = request.destination_cidr_block(destination_cidr_block);
                sent!(
                    self,
                    call,
                    match target {
                        RouteTarget::Gateway(id) => request.gateway_id(id),
                        RouteTarget::Nat(id) => request.nat_gateway_id(id),
                        RouteTarget::Transit(id) => request.transit_gateway_id(id),
                        RouteTarget::Peering(id) => request.vpc_peering_connection_id(id),
                    }
                );
            }
            Call::DeleteRoute { route_table_id, destination_cidr_block } => {
                let request = ec2.delete_route().route_table_id(route_table_id);
                sent!(self, call, request.destination_cidr_block(destination_cidr_block));
            }
            Call::AssociateRouteTable { route_table_id, subnet_id } => {
                let request = ec2.associate_route_table().route_table_id(route_table_id);
                sent!(self, call, request.subnet_id(subnet_id));
            }
            Call::DisassociateRouteTable { association_id } => {
                sent!(self, call, ec2.disassociate_route_table().association_id(association_id));
            }
            Call::AuthorizeSecurityGroupIngress { group_id, ip_permissions, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::SecurityGroupRule);
                let request = ec2.authorize_security_group_ingress().group_id(group_id);
                let request = request.ip_permissions(permission(ip_permissions)).tag_specifications(tags);
                sent!(self, call, request);
            }
            Call::RevokeSecurityGroupIngress { group_id, security_group_rule_ids } => {
                let request = ec2.revoke_security_group_ingress().group_id(group_id);
                let ids = security_group_rule_ids.clone();
                sent!(self, call, request.set_security_group_rule_ids(Some(ids)));
            }
            _ => return Err(unsent(call)),
        }
        Ok(())
    }

    async fn delete(&self, call: &Call) -> Result<(), AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::DeleteVpc { vpc_id } => {
                sent!(self, call, ec2.delete_vpc().vpc_id(vpc_id));
            }
            Call::DeleteSubnet { subnet_id } => {
                sent!(self, call, ec2.delete_subnet().subnet_id(subnet_id));
            }
            Call::DeleteInternetGateway { internet_gateway_id } => {
                sent!(self, call, ec2.delete_internet_gateway().internet_gateway_id(internet_gateway_id));
            }
            Call::DeleteNatGateway { nat_gateway_id } => {
                sent!(self, call, ec2.delete_nat_gateway().nat_gateway_id(nat_gateway_id));
            }
            Call::DeleteRouteTable { route_table_id } => {
                sent!(self, call, ec2.delete_route_table().route_table_id(route_table_id));
            }
            Call::DeleteSecurityGroup { group_id } => {
                sent!(self, call, ec2.delete_security_group().group_id(group_id));
            }
            Call::DeleteKeyPair { key_name } => {
                sent!(self, call, ec2.delete_key_pair().key_name(key_name));
            }
            _ => return Err(unsent(call)),
        }
        Ok(())
    }

    async fn run_instances(&self, call: &Call, launch: &Launch) -> Result<Option<String>, AwsFailure> {
        let tags = |kind| self.tags(&launch.tag_specifications, kind);
        let metadata = InstanceMetadataOptionsRequest::builder()
            .http_tokens(HttpTokensState::from(launch.metadata_options.http_tokens))
            .build();
        let [root] = &launch.block_device_mappings;
        let disk = EbsBlockDevice::builder()
            .volume_size(root.ebs.volume_size)
            .volume_type(VolumeType::from(root.ebs.volume_type))
            .encrypted(root.ebs.encrypted)
            .delete_on_termination(root.ebs.delete_on_termination)
            .build();
        let request = self
            .cloud
            .ec2()
            .run_instances()
            .image_id(&launch.image_id)
            .instance_type(launch.instance_type.as_str().into())
            .subnet_id(&launch.subnet_id)
            .set_security_group_ids(Some(launch.security_group_ids.clone()))
            .key_name(&launch.key_name)
            .min_count(launch.min_count)
            .max_count(launch.max_count)
            .metadata_options(metadata)
            .block_device_mappings(BlockDeviceMapping::builder().device_name(&root.device_name).ebs(disk).build())
            .set_user_data(launch.user_data.as_ref().map(|text| BASE64.encode(text)))
            .set_disable_api_termination(launch.disable_api_termination.then_some(true))
            .client_token(self.token)
            .tag_specifications(tags(ResourceType::Instance))
            .tag_specifications(tags(ResourceType::Volume))
            .tag_specifications(tags(ResourceType::NetworkInterface));
        let answer = sent!(self, call, request);
        Ok(answer.instances.into_iter().flatten().next().and_then(|instance| instance.instance_id))
    }
}

/// A call that was sorted wrongly is an error, never a silence that looks like success.
fn unsent(call: &Call) -> AwsFailure {
    let operation = call.operation().name().to_owned();
    AwsFailure {
        what: format!("{operation} was not sent"),
        meaning: "onramp does not know how to send it.".to_owned(),
        advice: "Report this as a bug.".to_owned(),
        kind: Kind::Other,
        fate: Fate::NotExecuted,
        code: None,
        raw: String::new(),
        spent: false,
        advised: false,
        operation,
    }
}

/// A rule in the SDK's shape.
fn permission(rule: &Rule) -> IpPermission {
    let permission =
        IpPermission::builder().ip_protocol(&rule.protocol).from_port(rule.from_port).to_port(rule.to_port);
    let why = &rule.description;
    match &rule.source {
        Source::V4(cidr) => permission.ip_ranges(IpRange::builder().cidr_ip(cidr).description(why).build()),
        Source::V6(cidr) => permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).description(why).build()),
        Source::Group(id) => {
            permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(id).description(why).build())
        }
        Source::PrefixList(id) => {
            permission.prefix_list_ids(PrefixListId::builder().prefix_list_id(id).description(why).build())
        }
    }
    .build()
}
