//! The calls of Direct Connect.

use secrecy::ExposeSecret;

use super::{Sender, unsent};
use crate::action::call::dx::{DxRequest, LineArn, NewInterface};
use crate::action::call::{Call, Label};
use crate::aws::direct_connect::error::BuildError;
use crate::aws::direct_connect::types::{
    AddressFamily, LoaContentType, NewPrivateVirtualInterface, NewTransitVirtualInterface, RouteFilterPrefix, Tag,
};
use crate::aws::{AwsFailure, Fate, Kind, Stamp};

/// The ranges that the customer's routers may hear of.
fn filter(prefixes: &[String]) -> Vec<RouteFilterPrefix> {
    prefixes.iter().map(|cidr| RouteFilterPrefix::builder().cidr(cidr).build()).collect()
}

impl Sender<'_> {
    pub(super) async fn dx(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        match request {
            DxRequest::CreateConnection { .. }
            | DxRequest::ConfirmConnection { .. }
            | DxRequest::TagResource { .. }
            | DxRequest::DeleteConnection { .. }
            | DxRequest::DescribeLoa { .. } => self.line(call, request).await,
            DxRequest::CreateLag { .. } | DxRequest::DeleteLag { .. } => self.lag(call, request).await,
            DxRequest::AssociateMacSecKey { .. }
            | DxRequest::DisassociateMacSecKey { .. }
            | DxRequest::UpdateConnection { .. }
            | DxRequest::UpdateLag { .. } => self.encryption(call, request).await,
            DxRequest::CreateDirectConnectGateway { .. }
            | DxRequest::DeleteDirectConnectGateway { .. }
            | DxRequest::CreateDirectConnectGatewayAssociation { .. }
            | DxRequest::DeleteDirectConnectGatewayAssociation { .. } => self.line_gateway(call, request).await,
            DxRequest::CreateDirectConnectGatewayAssociationProposal { .. }
            | DxRequest::DeleteDirectConnectGatewayAssociationProposal { .. }
            | DxRequest::ConfirmPrivateVirtualInterface { .. }
            | DxRequest::ConfirmTransitVirtualInterface { .. } => self.between_accounts(call, request).await,
            DxRequest::CreatePrivateVirtualInterface { .. }
            | DxRequest::CreateTransitVirtualInterface { .. }
            | DxRequest::DeleteVirtualInterface { .. }
            | DxRequest::StartBgpFailoverTest { .. }
            | DxRequest::StopBgpFailoverTest { .. } => self.interface(call, request).await,
        }
    }

    fn line_tags(&self, label: &Label) -> Result<Vec<Tag>, BuildError> {
        let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
        stamp.plain_pairs().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    async fn line(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        let lines = self.cloud.direct_connect();
        let unbuilt = |error: BuildError| AwsFailure::unbuilt(call.operation(), &error);
        match request {
            DxRequest::CreateConnection {
                location,
                bandwidth,
                connection_name,
                provider_name,
                request_mac_sec,
                tags,
            } => {
                let request = lines
                    .create_connection()
                    .location(location)
                    .bandwidth(bandwidth)
                    .connection_name(connection_name)
                    .set_provider_name(provider_name.clone())
                    .set_request_mac_sec(request_mac_sec.then_some(true))
                    .set_tags(Some(self.line_tags(tags).map_err(unbuilt)?));
                return Ok(sent!(self, call, never a rehearsal: request).connection_id);
            }
            DxRequest::ConfirmConnection { connection_id } => {
                sent!(self, call, never a rehearsal: lines.confirm_connection().connection_id(connection_id));
            }
            DxRequest::TagResource { resource_arn, tags } => {
                let request = lines.tag_resource().resource_arn(self.arn(resource_arn).await?);
                let tags = self.line_tags(tags).map_err(unbuilt)?;
                sent!(self, call, never a rehearsal: request.set_tags(Some(tags)));
            }
            DxRequest::DeleteConnection { connection_id } => {
                sent!(self, call, never a rehearsal: lines.delete_connection().connection_id(connection_id));
            }
            DxRequest::DescribeLoa { connection_id, provider_name, loa_content_type } => {
                let request = lines.describe_loa().connection_id(connection_id);
                let request = request.set_provider_name(provider_name.clone());
                let request = request.loa_content_type(LoaContentType::from(*loa_content_type));
                let letter = sent!(self, call, never a rehearsal: request);
                let bytes = letter.loa_content.map(|content| content.into_inner()).unwrap_or_default();
                return self.kept(call, connection_id, bytes).await.map(Some);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    async fn lag(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        let lines = self.cloud.direct_connect();
        match request {
            DxRequest::CreateLag {
                number_of_connections,
                location,
                connections_bandwidth,
                lag_name,
                provider_name,
                request_mac_sec,
                tags,
            } => {
                let tags = self.line_tags(tags).map_err(|error| AwsFailure::unbuilt(call.operation(), &error))?;
                let request = lines
                    .create_lag()
                    .number_of_connections(*number_of_connections)
                    .location(location)
                    .connections_bandwidth(connections_bandwidth)
                    .lag_name(lag_name)
                    .set_provider_name(provider_name.clone())
                    .set_request_mac_sec(request_mac_sec.then_some(true))
                    .set_child_connection_tags(Some(tags.clone()))
                    .set_tags(Some(tags));
                Ok(sent!(self, call, never a rehearsal: request).lag_id)
            }
            DxRequest::DeleteLag { lag_id } => {
                sent!(self, call, never a rehearsal: lines.delete_lag().lag_id(lag_id));
                Ok(None)
            }
            _ => Err(unsent(call)),
        }
    }

    /// The answer to a key has its name and the secret in which AWS keeps it, and no text of it.
    async fn encryption(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        let lines = self.cloud.direct_connect();
        match request {
            DxRequest::AssociateMacSecKey { connection_id, ckn, cak } => {
                let text = cak.as_ref().and_then(|reference| self.secrets.get(reference));
                let request = lines.associate_mac_sec_key().connection_id(connection_id).ckn(ckn);
                let request = request.set_cak(text.map(|text| text.expose_secret().to_owned()));
                let keys = sent!(self, call, never a rehearsal: request).mac_sec_keys.unwrap_or_default();
                let made = keys.into_iter().find(|key| key.ckn().is_some_and(|name| name.eq_ignore_ascii_case(ckn)));
                return Ok(made.and_then(|key| key.secret_arn));
            }
            DxRequest::DisassociateMacSecKey { connection_id, secret_arn } => {
                let request = lines.disassociate_mac_sec_key().connection_id(connection_id).secret_arn(secret_arn);
                sent!(self, call, never a rehearsal: request);
            }
            DxRequest::UpdateConnection { connection_id, encryption_mode } => {
                let request = lines.update_connection().connection_id(connection_id);
                sent!(self, call, never a rehearsal: request.encryption_mode(encryption_mode));
            }
            DxRequest::UpdateLag { lag_id, encryption_mode } => {
                let request = lines.update_lag().lag_id(lag_id).encryption_mode(encryption_mode);
                sent!(self, call, never a rehearsal: request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    /// A letter is of use only as a file. That it was issued is true whatever becomes of the file.
    async fn kept(&self, call: &Call, connection: &str, bytes: Vec<u8>) -> Result<String, AwsFailure> {
        let unkept = |what: String| AwsFailure {
            what,
            meaning: "AWS has issued the letter, and it is not on this machine.".to_owned(),
            advice: "Make room, or see to the folder's permissions, and run the step again: AWS issues another one."
                .to_owned(),
            kind: Kind::Other,
            fate: Fate::Refused,
            spent: false,
            advised: false,
            code: None,
            raw: String::new(),
            operation: call.operation().name().to_owned(),
        };
        if !bytes.starts_with(b"%PDF") {
            return Err(unkept(format!("what AWS answered is no PDF ({} bytes)", bytes.len())));
        }
        let paper = self.world.subject.papers.of(&crate::action::papers::letter(connection));
        paper.keep(bytes).await.map_err(|why| unkept(format!("the letter could not be written: {why}")))
    }

    async fn arn(&self, of: &LineArn) -> Result<String, AwsFailure> {
        let caller = self.cloud.identity().await?;
        let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
        let (region, account) = (self.cloud.region(), &caller.account);
        let kind = of.id.split('-').next().unwrap_or_default();
        Ok(format!("arn:{partition}:directconnect:{region}:{account}:{kind}/{}", of.id))
    }

    async fn line_gateway(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        let lines = self.cloud.direct_connect();
        match request {
            DxRequest::CreateDirectConnectGateway { direct_connect_gateway_name, amazon_side_asn, tags } => {
                let tags = self.line_tags(tags).map_err(|error| AwsFailure::unbuilt(call.operation(), &error))?;
                let request = lines
                    .create_direct_connect_gateway()
                    .direct_connect_gateway_name(direct_connect_gateway_name)
                    .amazon_side_asn(*amazon_side_asn)
                    .set_tags(Some(tags));
                let made = sent!(self, call, never a rehearsal: request);
                return Ok(made.direct_connect_gateway.and_then(|gateway| gateway.direct_connect_gateway_id));
            }
            DxRequest::DeleteDirectConnectGateway { direct_connect_gateway_id } => {
                let request = lines.delete_direct_connect_gateway();
                sent!(self, call, never a rehearsal: request.direct_connect_gateway_id(direct_connect_gateway_id));
            }
            DxRequest::CreateDirectConnectGatewayAssociation {
                direct_connect_gateway_id,
                gateway_id,
                add_allowed_prefixes_to_direct_connect_gateway: prefixes,
            } => {
                let request = lines
                    .create_direct_connect_gateway_association()
                    .direct_connect_gateway_id(direct_connect_gateway_id)
                    .gateway_id(gateway_id)
                    .set_add_allowed_prefixes_to_direct_connect_gateway(Some(filter(prefixes)));
                let made = sent!(self, call, never a rehearsal: request);
                return Ok(made.direct_connect_gateway_association.and_then(|one| one.association_id));
            }
            DxRequest::DeleteDirectConnectGatewayAssociation { association_id } => {
                let request = lines.delete_direct_connect_gateway_association().association_id(association_id);
                sent!(self, call, never a rehearsal: request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    /// What one account asks of another, and what it takes from one.
    async fn between_accounts(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        let lines = self.cloud.direct_connect();
        match request {
            DxRequest::CreateDirectConnectGatewayAssociationProposal {
                direct_connect_gateway_id,
                direct_connect_gateway_owner_account,
                gateway_id,
                add_allowed_prefixes_to_direct_connect_gateway: prefixes,
            } => {
                let request = lines
                    .create_direct_connect_gateway_association_proposal()
                    .direct_connect_gateway_id(direct_connect_gateway_id)
                    .direct_connect_gateway_owner_account(direct_connect_gateway_owner_account)
                    .gateway_id(gateway_id)
                    .set_add_allowed_prefixes_to_direct_connect_gateway(Some(filter(prefixes)));
                let made = sent!(self, call, never a rehearsal: request);
                return Ok(made.direct_connect_gateway_association_proposal.and_then(|one| one.proposal_id));
            }
            DxRequest::DeleteDirectConnectGatewayAssociationProposal { proposal_id } => {
                let request = lines.delete_direct_connect_gateway_association_proposal().proposal_id(proposal_id);
                sent!(self, call, never a rehearsal: request);
            }
            DxRequest::ConfirmPrivateVirtualInterface { virtual_interface_id, leads_to } => {
                let request = lines
                    .confirm_private_virtual_interface()
                    .virtual_interface_id(virtual_interface_id)
                    .set_direct_connect_gateway_id(leads_to.gateway().map(str::to_owned))
                    .set_virtual_gateway_id(leads_to.vpc().map(str::to_owned));
                sent!(self, call, never a rehearsal: request);
            }
            DxRequest::ConfirmTransitVirtualInterface { virtual_interface_id, leads_to } => {
                let request = lines
                    .confirm_transit_virtual_interface()
                    .virtual_interface_id(virtual_interface_id)
                    .set_direct_connect_gateway_id(leads_to.gateway().map(str::to_owned));
                sent!(self, call, never a rehearsal: request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    async fn interface(&self, call: &Call, request: &DxRequest) -> Result<Option<String>, AwsFailure> {
        let lines = self.cloud.direct_connect();
        let unbuilt = |error: BuildError| AwsFailure::unbuilt(call.operation(), &error);
        match request {
            DxRequest::CreatePrivateVirtualInterface { connection_id, new_private_virtual_interface: new } => {
                let request = lines.create_private_virtual_interface().connection_id(connection_id);
                let request = request.new_private_virtual_interface(self.private(new).map_err(unbuilt)?);
                return Ok(sent!(self, call, never a rehearsal: request).virtual_interface_id);
            }
            DxRequest::CreateTransitVirtualInterface { connection_id, new_transit_virtual_interface: new } => {
                let request = lines.create_transit_virtual_interface().connection_id(connection_id);
                let request = request.new_transit_virtual_interface(self.transit(new).map_err(unbuilt)?);
                let made = sent!(self, call, never a rehearsal: request);
                return Ok(made.virtual_interface.and_then(|interface| interface.virtual_interface_id));
            }
            DxRequest::DeleteVirtualInterface { virtual_interface_id } => {
                let request = lines.delete_virtual_interface().virtual_interface_id(virtual_interface_id);
                sent!(self, call, never a rehearsal: request);
            }
            DxRequest::StartBgpFailoverTest { virtual_interface_id, test_duration_in_minutes } => {
                let request = lines.start_bgp_failover_test().virtual_interface_id(virtual_interface_id);
                let request = request.test_duration_in_minutes(*test_duration_in_minutes);
                let begun = sent!(self, call, never a rehearsal: request);
                return Ok(begun.virtual_interface_test.and_then(|test| test.test_id));
            }
            DxRequest::StopBgpFailoverTest { virtual_interface_id } => {
                let request = lines.stop_bgp_failover_test().virtual_interface_id(virtual_interface_id);
                sent!(self, call, never a rehearsal: request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    /// The text of the MD5 key; without one AWS makes a key.
    fn auth_key(&self, new: &NewInterface) -> Option<String> {
        let key = new.auth_key.as_ref().and_then(|reference| self.secrets.get(reference));
        key.map(|key| key.expose_secret().to_owned())
    }

    fn private(&self, new: &NewInterface) -> Result<NewPrivateVirtualInterface, BuildError> {
        NewPrivateVirtualInterface::builder()
            .virtual_interface_name(&new.virtual_interface_name)
            .vlan(new.vlan)
            .asn_long(new.asn_long)
            .mtu(new.mtu)
            .set_auth_key(self.auth_key(new))
            .set_amazon_address(new.amazon_address.clone())
            .set_customer_address(new.customer_address.clone())
            .address_family(AddressFamily::from(new.address_family))
            .set_direct_connect_gateway_id(new.leads_to.gateway().map(str::to_owned))
            .set_virtual_gateway_id(new.leads_to.vpc().map(str::to_owned))
            .set_tags(Some(self.line_tags(&new.tags)?))
            .build()
    }

    fn transit(&self, new: &NewInterface) -> Result<NewTransitVirtualInterface, BuildError> {
        Ok(NewTransitVirtualInterface::builder()
            .virtual_interface_name(&new.virtual_interface_name)
            .vlan(new.vlan)
            .asn_long(new.asn_long)
            .mtu(new.mtu)
            .set_auth_key(self.auth_key(new))
            .set_amazon_address(new.amazon_address.clone())
            .set_customer_address(new.customer_address.clone())
            .address_family(AddressFamily::from(new.address_family))
            .set_direct_connect_gateway_id(new.leads_to.gateway().map(str::to_owned))
            .set_tags(Some(self.line_tags(&new.tags)?))
            .build())
    }
}
