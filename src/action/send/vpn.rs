//! The calls about VPNs, peering and DHCP option sets.

use secrecy::ExposeSecret;

use super::{Sender, unsent};
use crate::action::call::vpn::{End, LogOptions, TunnelOptions, VpnRequest};
use crate::action::call::{Asn, Call};
use crate::aws::ec2::types::{
    CloudWatchLogOptionsSpecification, GatewayType, IkeVersionsRequestListValue, NewDhcpConfiguration,
    PeeringConnectionOptionsRequest, Phase1DhGroupNumbersRequestListValue, Phase1EncryptionAlgorithmsRequestListValue,
    Phase1IntegrityAlgorithmsRequestListValue, Phase2DhGroupNumbersRequestListValue,
    Phase2EncryptionAlgorithmsRequestListValue, Phase2IntegrityAlgorithmsRequestListValue, ResourceType, Tag,
    TagSpecification, VpnConnectionOptionsSpecification, VpnTunnelBandwidth, VpnTunnelLogOptionsSpecification,
    VpnTunnelOptionsSpecification,
};
use crate::aws::{AwsFailure, FORMER};

fn logs(wanted: &LogOptions) -> VpnTunnelLogOptionsSpecification {
    let (wanted, bgp) = (&wanted.cloud_watch_log_options, wanted.cloud_watch_log_options.bgp.as_ref());
    let options = CloudWatchLogOptionsSpecification::builder()
        .log_enabled(wanted.log_enabled)
        .log_group_arn(&wanted.log_group_arn)
        .log_output_format(wanted.log_output_format)
        .set_bgp_log_enabled(bgp.map(|bgp| bgp.bgp_log_enabled))
        .set_bgp_log_group_arn(bgp.map(|bgp| bgp.bgp_log_group_arn.clone()))
        .set_bgp_log_output_format(bgp.map(|bgp| bgp.bgp_log_output_format.to_owned()));
    VpnTunnelLogOptionsSpecification::builder().cloud_watch_log_options(options.build()).build()
}

impl Sender<'_> {
    pub(super) async fn gateways(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::CreateCustomerGateway { r#type, ip_address, asn, device_name, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::CustomerGateway);
                let request = ec2.create_customer_gateway().r#type(GatewayType::from(*r#type)).ip_address(ip_address);
                let request = match asn {
                    Asn::Short(asn) => request.bgp_asn(*asn),
                    Asn::Long(asn) => request.bgp_asn_extended(*asn),
                };
                let request = request.set_device_name(device_name.clone()).tag_specifications(tags);
                let made = sent!(self, call, request);
                return Ok(made.customer_gateway.and_then(|gateway| gateway.customer_gateway_id));
            }
            Call::DeleteCustomerGateway { customer_gateway_id } => {
                sent!(self, call, ec2.delete_customer_gateway().customer_gateway_id(customer_gateway_id));
            }
            Call::CreateVpnGateway { r#type, amazon_side_asn, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::VpnGateway);
                let request = ec2.create_vpn_gateway().r#type(GatewayType::from(*r#type));
                let made = sent!(self, call, request.amazon_side_asn(*amazon_side_asn).tag_specifications(tags));
                return Ok(made.vpn_gateway.and_then(|gateway| gateway.vpn_gateway_id));
            }
            Call::AttachVpnGateway { vpn_gateway_id, vpc_id } => {
                sent!(self, call, ec2.attach_vpn_gateway().vpn_gateway_id(vpn_gateway_id).vpc_id(vpc_id));
            }
            Call::DetachVpnGateway { vpn_gateway_id, vpc_id } => {
                sent!(self, call, ec2.detach_vpn_gateway().vpn_gateway_id(vpn_gateway_id).vpc_id(vpc_id));
            }
            Call::DeleteVpnGateway { vpn_gateway_id } => {
                sent!(self, call, ec2.delete_vpn_gateway().vpn_gateway_id(vpn_gateway_id));
            }
            Call::EnableVgwRoutePropagation { gateway_id, route_table_id } => {
                let request = ec2.enable_vgw_route_propagation().gateway_id(gateway_id);
                sent!(self, call, request.route_table_id(route_table_id));
            }
            Call::DisableVgwRoutePropagation { gateway_id, route_table_id } => {
                let request = ec2.disable_vgw_route_propagation().gateway_id(gateway_id);
                sent!(self, call, request.route_table_id(route_table_id));
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    pub(super) async fn vpn(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::CreateVpnConnection(wanted) => {
                let tags = self.tags(&wanted.tag_specifications, ResourceType::VpnConnection);
                let request = ec2
                    .create_vpn_connection()
                    .r#type(wanted.r#type)
                    .customer_gateway_id(&wanted.customer_gateway_id)
                    .set_pre_shared_key_storage(wanted.pre_shared_key_storage.map(str::to_owned))
                    .options(self.options(wanted));
                let request = match &wanted.ends_on {
                    End::Vpc(id) => request.vpn_gateway_id(id),
                    End::Transit(id) => request.transit_gateway_id(id),
                };
                let made = sent!(self, call, request.tag_specifications(tags));
                return Ok(made.vpn_connection.and_then(|connection| connection.vpn_connection_id));
            }
            Call::DeleteVpnConnection { vpn_connection_id } => {
                sent!(self, call, ec2.delete_vpn_connection().vpn_connection_id(vpn_connection_id));
            }
            Call::CreateVpnConnectionRoute { vpn_connection_id, destination_cidr_block } => {
                let request = ec2.create_vpn_connection_route().vpn_connection_id(vpn_connection_id);
                sent!(self, call, never a rehearsal: request.destination_cidr_block(destination_cidr_block));
            }
            Call::DeleteVpnConnectionRoute { vpn_connection_id, destination_cidr_block } => {
                let request = ec2.delete_vpn_connection_route().vpn_connection_id(vpn_connection_id);
                sent!(self, call, never a rehearsal: request.destination_cidr_block(destination_cidr_block));
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    pub(super) async fn peering(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::CreateVpcPeeringConnection {
                vpc_id,
                peer_vpc_id,
                peer_owner_id,
                peer_region,
                tag_specifications,
            } => {
                let tags = self.tags(tag_specifications, ResourceType::VpcPeeringConnection);
                let request = ec2.create_vpc_peering_connection().vpc_id(vpc_id).peer_vpc_id(peer_vpc_id);
                let request = request.peer_owner_id(peer_owner_id).set_peer_region(peer_region.clone());
                let made = sent!(self, call, request.tag_specifications(tags));
                return Ok(made.vpc_peering_connection.and_then(|peering| peering.vpc_peering_connection_id));
            }
            Call::DeleteVpcPeeringConnection { vpc_peering_connection_id } => {
                let request = ec2.delete_vpc_peering_connection();
                sent!(self, call, request.vpc_peering_connection_id(vpc_peering_connection_id));
            }
            Call::ModifyVpcPeeringConnectionOptions {
                vpc_peering_connection_id,
                allow_dns_resolution_from_remote_vpc: open,
            } => {
                let options = PeeringConnectionOptionsRequest::builder().allow_dns_resolution_from_remote_vpc(*open);
                let request = ec2.modify_vpc_peering_connection_options();
                let request = request.vpc_peering_connection_id(vpc_peering_connection_id);
                sent!(self, call, request.requester_peering_connection_options(options.build()));
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    fn options(&self, wanted: &VpnRequest) -> VpnConnectionOptionsSpecification {
        let options = &wanted.options;
        VpnConnectionOptionsSpecification::builder()
            .set_enable_acceleration(options.enable_acceleration)
            .static_routes_only(options.static_routes_only)
            .set_local_ipv4_network_cidr(options.local_ipv4_network_cidr.clone())
            .set_remote_ipv4_network_cidr(options.remote_ipv4_network_cidr.clone())
            .set_tunnel_bandwidth(options.tunnel_bandwidth.as_deref().map(VpnTunnelBandwidth::from))
            .set_tunnel_options(Some(options.tunnel_options.iter().map(|one| self.tunnel(one)).collect()))
            .build()
    }

    fn tunnel(&self, wanted: &TunnelOptions) -> VpnTunnelOptionsSpecification {
        let key = wanted.pre_shared_key.as_ref().and_then(|reference| self.secrets.get(reference));
        let mut tunnel = VpnTunnelOptionsSpecification::builder()
            .set_tunnel_inside_cidr(wanted.tunnel_inside_cidr.clone())
            .set_pre_shared_key(key.map(|key| key.expose_secret().to_owned()))
            .set_startup_action(wanted.startup_action.clone())
            .set_phase1_lifetime_seconds(wanted.phase_one_seconds)
            .set_phase2_lifetime_seconds(wanted.phase_two_seconds)
            .set_dpd_timeout_seconds(wanted.dpd_timeout_seconds)
            .set_dpd_timeout_action(wanted.dpd_timeout_action.clone())
            .set_log_options(wanted.log_options.as_ref().map(logs));
        for version in &wanted.ike_versions {
            tunnel = tunnel.ike_versions(IkeVersionsRequestListValue::builder().value(version).build());
        }
        for name in &wanted.phase_one_encryption {
            tunnel = tunnel.phase1_encryption_algorithms(
                Phase1EncryptionAlgorithmsRequestListValue::builder().value(name).build(),
            );
        }
        for name in &wanted.phase_two_encryption {
            tunnel = tunnel.phase2_encryption_algorithms(
                Phase2EncryptionAlgorithmsRequestListValue::builder().value(name).build(),
            );
        }
        for name in &wanted.phase_one_integrity {
            tunnel = tunnel
                .phase1_integrity_algorithms(Phase1IntegrityAlgorithmsRequestListValue::builder().value(name).build());
        }
        for name in &wanted.phase_two_integrity {
            tunnel = tunnel
                .phase2_integrity_algorithms(Phase2IntegrityAlgorithmsRequestListValue::builder().value(name).build());
        }
        for group in &wanted.phase_one_groups {
            tunnel =
                tunnel.phase1_dh_group_numbers(Phase1DhGroupNumbersRequestListValue::builder().value(*group).build());
        }
        for group in &wanted.phase_two_groups {
            tunnel =
                tunnel.phase2_dh_group_numbers(Phase2DhGroupNumbersRequestListValue::builder().value(*group).build());
        }
        tunnel.build()
    }

    pub(super) async fn dhcp(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::CreateDhcpOptions { dhcp_configurations, former, tag_specifications } => {
                let ours = self.tags(tag_specifications, ResourceType::DhcpOptions).tags;
                let former = Tag::builder().key(FORMER).value(former).build();
                let tags = TagSpecification::builder().resource_type(ResourceType::DhcpOptions);
                let tags = tags.set_tags(ours).tags(former).build();
                let one = |key: &str, values: &[String]| {
                    NewDhcpConfiguration::builder().key(key).set_values(Some(values.to_vec())).build()
                };
                let options = dhcp_configurations.iter().map(|option| one(option.key, &option.values)).collect();
                let request = ec2.create_dhcp_options().set_dhcp_configurations(Some(options));
                let made = sent!(self, call, request.tag_specifications(tags));
                return Ok(made.dhcp_options.and_then(|set| set.dhcp_options_id));
            }
            Call::AssociateDhcpOptions { dhcp_options_id, vpc_id } => {
                sent!(self, call, ec2.associate_dhcp_options().dhcp_options_id(dhcp_options_id).vpc_id(vpc_id));
            }
            Call::DeleteDhcpOptions { dhcp_options_id } => {
                sent!(self, call, ec2.delete_dhcp_options().dhcp_options_id(dhcp_options_id));
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }
}
