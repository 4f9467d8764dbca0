//! One of each call about lines and transit gateways.

use super::super::call::dx::{DxRequest, LeadsTo, LineArn, NewInterface};
use super::super::call::{Call, Label, TransitOptions};

/// Every call about them that changes something.
pub(super) fn one_of_each() -> Vec<Call> {
    let id = || "x-1".to_owned();
    let label = || Label { key: "a/b".to_owned(), name: "n".to_owned() };
    let new = || {
        Box::new(NewInterface {
            virtual_interface_name: id(),
            vlan: 101,
            asn_long: 65_010,
            mtu: 1_500,
            auth_key: None,
            amazon_address: None,
            customer_address: None,
            address_family: "ipv4",
            leads_to: LeadsTo::Gateway(id()),
            tags: label(),
        })
    };
    let lines = [
        DxRequest::CreateConnection {
            location: id(),
            bandwidth: id(),
            connection_name: id(),
            provider_name: None,
            request_mac_sec: true,
            tags: label(),
        },
        DxRequest::CreateLag {
            number_of_connections: 2,
            location: id(),
            connections_bandwidth: id(),
            lag_name: id(),
            provider_name: None,
            request_mac_sec: true,
            tags: label(),
        },
        DxRequest::DeleteLag { lag_id: id() },
        DxRequest::ConfirmConnection { connection_id: id() },
        DxRequest::TagResource { resource_arn: LineArn { id: id() }, tags: label() },
        DxRequest::DeleteConnection { connection_id: id() },
        DxRequest::AssociateMacSecKey { connection_id: id(), ckn: id(), cak: None },
        DxRequest::DisassociateMacSecKey { connection_id: id(), secret_arn: id() },
        DxRequest::UpdateConnection { connection_id: id(), encryption_mode: id() },
        DxRequest::UpdateLag { lag_id: id(), encryption_mode: id() },
        DxRequest::DescribeLoa { connection_id: id(), provider_name: None, loa_content_type: "application/pdf" },
        DxRequest::CreateDirectConnectGateway {
            direct_connect_gateway_name: id(),
            amazon_side_asn: 64_512,
            tags: label(),
        },
        DxRequest::DeleteDirectConnectGateway { direct_connect_gateway_id: id() },
        DxRequest::CreateDirectConnectGatewayAssociation {
            direct_connect_gateway_id: id(),
            gateway_id: id(),
            add_allowed_prefixes_to_direct_connect_gateway: Vec::new(),
        },
        DxRequest::DeleteDirectConnectGatewayAssociation { association_id: id() },
        DxRequest::CreateDirectConnectGatewayAssociationProposal {
            direct_connect_gateway_id: id(),
            direct_connect_gateway_owner_account: id(),
            gateway_id: id(),
            add_allowed_prefixes_to_direct_connect_gateway: Vec::new(),
        },
        DxRequest::DeleteDirectConnectGatewayAssociationProposal { proposal_id: id() },
        DxRequest::ConfirmPrivateVirtualInterface { virtual_interface_id: id(), leads_to: LeadsTo::Gateway(id()) },
        DxRequest::ConfirmTransitVirtualInterface { virtual_interface_id: id(), leads_to: LeadsTo::Gateway(id()) },
        DxRequest::CreatePrivateVirtualInterface { connection_id: id(), new_private_virtual_interface: new() },
        DxRequest::CreateTransitVirtualInterface { connection_id: id(), new_transit_virtual_interface: new() },
        DxRequest::DeleteVirtualInterface { virtual_interface_id: id() },
        DxRequest::StartBgpFailoverTest { virtual_interface_id: id(), test_duration_in_minutes: 10 },
        DxRequest::StopBgpFailoverTest { virtual_interface_id: id() },
    ];
    let transit = [
        Call::CreateTransitGateway {
            description: id(),
            options: TransitOptions { amazon_side_asn: 64_512 },
            tag_specifications: label(),
        },
        Call::DeleteTransitGateway { transit_gateway_id: id() },
        Call::CreateTransitGatewayVpcAttachment {
            transit_gateway_id: id(),
            vpc_id: id(),
            subnet_ids: Vec::new(),
            tag_specifications: label(),
        },
        Call::DeleteTransitGatewayVpcAttachment { transit_gateway_attachment_id: id() },
        Call::CreateTransitGatewayRoute {
            destination_cidr_block: id(),
            transit_gateway_route_table_id: id(),
            transit_gateway_attachment_id: id(),
        },
        Call::DeleteTransitGatewayRoute { destination_cidr_block: id(), transit_gateway_route_table_id: id() },
    ];
    lines.into_iter().map(Call::Dx).chain(transit).collect()
}
