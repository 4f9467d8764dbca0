//! The calls about transit gateways.

use super::{Sender, unsent};
use crate::action::call::Call;
use crate::aws::AwsFailure;
use crate::aws::ec2::types::{ResourceType, TransitGatewayRequestOptions};

impl Sender<'_> {
    pub(super) async fn transit_gateways(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let ec2 = self.cloud.ec2();
        match call {
            Call::CreateTransitGateway { description, options, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::TransitGateway);
                let options = TransitGatewayRequestOptions::builder().amazon_side_asn(options.amazon_side_asn).build();
                let request = ec2.create_transit_gateway().description(description).options(options);
                let made = sent!(self, call, request.tag_specifications(tags));
                return Ok(made.transit_gateway.and_then(|gateway| gateway.transit_gateway_id));
            }
            Call::DeleteTransitGateway { transit_gateway_id } => {
                sent!(self, call, ec2.delete_transit_gateway().transit_gateway_id(transit_gateway_id));
            }
            Call::CreateTransitGatewayVpcAttachment { transit_gateway_id, vpc_id, subnet_ids, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::TransitGatewayAttachment);
                let request = ec2
                    .create_transit_gateway_vpc_attachment()
                    .transit_gateway_id(transit_gateway_id)
                    .vpc_id(vpc_id)
                    .set_subnet_ids(Some(subnet_ids.clone()));
                let made = sent!(self, call, request.tag_specifications(tags)).transit_gateway_vpc_attachment;
                return Ok(made.and_then(|attachment| attachment.transit_gateway_attachment_id));
            }
            Call::DeleteTransitGatewayVpcAttachment { transit_gateway_attachment_id: id } => {
                let request = ec2.delete_transit_gateway_vpc_attachment();
                sent!(self, call, request.transit_gateway_attachment_id(id));
            }
            Call::CreateTransitGatewayRoute {
                destination_cidr_block,
                transit_gateway_route_table_id,
                transit_gateway_attachment_id,
            } => {
                let request = ec2
                    .create_transit_gateway_route()
                    .destination_cidr_block(destination_cidr_block)
                    .transit_gateway_route_table_id(transit_gateway_route_table_id)
                    .transit_gateway_attachment_id(transit_gateway_attachment_id);
                sent!(self, call, request);
            }
            Call::DeleteTransitGatewayRoute { destination_cidr_block, transit_gateway_route_table_id } => {
                let request = ec2.delete_transit_gateway_route().destination_cidr_block(destination_cidr_block);
                sent!(self, call, request.transit_gateway_route_table_id(transit_gateway_route_table_id));
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }
}
