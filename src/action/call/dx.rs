//! What is asked of Direct Connect. None of its creates knows a token: what one made is looked for by its tags and by what
//! there can be only one of, before anything is said again.

use serde::Serialize;

use super::vpn::where_it_lives;
use super::{ITSELF, Label};
use crate::aws::Operation;
use crate::input::SecretRef;

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum DxRequest {
    /// Orders a port, which is billed.
    CreateConnection {
        location: String,
        bandwidth: String,
        connection_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_name: Option<String>,
        #[serde(rename = "RequestMACSec", skip_serializing_if = "std::ops::Not::not")]
        request_mac_sec: bool,
        tags: Label,
    },
    /// Orders several ports that work as one. Each of them carries the same tags.
    CreateLag {
        number_of_connections: i32,
        location: String,
        connections_bandwidth: String,
        lag_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_name: Option<String>,
        #[serde(rename = "RequestMACSec", skip_serializing_if = "std::ops::Not::not")]
        request_mac_sec: bool,
        tags: Label,
    },
    DeleteLag {
        lag_id: String,
    },
    /// Accepts what a partner made.
    ConfirmConnection {
        connection_id: String,
    },
    /// What a partner or another account made carries our tags from then on.
    TagResource {
        resource_arn: LineArn,
        tags: Label,
    },
    DeleteConnection {
        connection_id: String,
    },
    /// Gives a line, or each port of a LAG, a key for MACsec.
    AssociateMacSecKey {
        connection_id: String,
        ckn: String,
        /// Where the key lives; the text is put in when it is sent.
        #[serde(serialize_with = "where_it_lives")]
        cak: Option<SecretRef>,
    },
    DisassociateMacSecKey {
        connection_id: String,
        #[serde(rename = "SecretARN")]
        secret_arn: String,
    },
    UpdateConnection {
        connection_id: String,
        encryption_mode: String,
    },
    UpdateLag {
        lag_id: String,
        encryption_mode: String,
    },
    /// No mere look: each letter begins its 90 days anew. It is kept as a file of the engagement.
    DescribeLoa {
        connection_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_name: Option<String>,
        loa_content_type: &'static str,
    },
    CreateDirectConnectGateway {
        direct_connect_gateway_name: String,
        amazon_side_asn: i64,
        tags: Label,
    },
    DeleteDirectConnectGateway {
        direct_connect_gateway_id: String,
    },
    CreateDirectConnectGatewayAssociation {
        direct_connect_gateway_id: String,
        gateway_id: String,
        add_allowed_prefixes_to_direct_connect_gateway: Vec<String>,
    },
    DeleteDirectConnectGatewayAssociation {
        association_id: String,
    },
    /// Asks the account that has the gateway to associate it.
    CreateDirectConnectGatewayAssociationProposal {
        direct_connect_gateway_id: String,
        direct_connect_gateway_owner_account: String,
        gateway_id: String,
        add_allowed_prefixes_to_direct_connect_gateway: Vec<String>,
    },
    DeleteDirectConnectGatewayAssociationProposal {
        proposal_id: String,
    },
    CreatePrivateVirtualInterface {
        connection_id: String,
        new_private_virtual_interface: Box<NewInterface>,
    },
    CreateTransitVirtualInterface {
        connection_id: String,
        new_transit_virtual_interface: Box<NewInterface>,
    },
    /// Accepts what the account that has the line allocated to this one.
    ConfirmPrivateVirtualInterface {
        virtual_interface_id: String,
        #[serde(flatten)]
        leads_to: LeadsTo,
    },
    ConfirmTransitVirtualInterface {
        virtual_interface_id: String,
        #[serde(flatten)]
        leads_to: LeadsTo,
    },
    DeleteVirtualInterface {
        virtual_interface_id: String,
    },
    StartBgpFailoverTest {
        virtual_interface_id: String,
        test_duration_in_minutes: i32,
    },
    StopBgpFailoverTest {
        virtual_interface_id: String,
    },
}

/// A virtual interface, private or transit. What is not said AWS chooses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct NewInterface {
    pub virtual_interface_name: String,
    pub vlan: i32,
    /// Takes numbers of 16 and of 32 bits.
    pub asn_long: i64,
    pub mtu: i32,
    /// Where the key lives. Nobody sees it: what is shown says where, and the text is put in when it is sent.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "where_it_lives")]
    pub auth_key: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amazon_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_address: Option<String>,
    pub address_family: &'static str,
    #[serde(flatten)]
    pub leads_to: LeadsTo,
    pub tags: Label,
}

/// Where a virtual interface ends on Amazon's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) enum LeadsTo {
    #[serde(rename = "DirectConnectGatewayId")]
    Gateway(String),
    /// At one VPC of this region, a private one only.
    #[serde(rename = "VirtualGatewayId")]
    Vpc(String),
}

impl LeadsTo {
    pub(in crate::action) fn gateway(&self) -> Option<&str> {
        match self {
            LeadsTo::Gateway(id) => Some(id),
            LeadsTo::Vpc(_) => None,
        }
    }

    pub(in crate::action) fn vpc(&self) -> Option<&str> {
        match self {
            LeadsTo::Vpc(id) => Some(id),
            LeadsTo::Gateway(_) => None,
        }
    }
}

/// The ARN of a connection or of a virtual interface; the account in it is known when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::action) struct LineArn {
    pub id: String,
}

impl Serialize for LineArn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("\u{2039}the ARN of {}\u{203a}", self.id))
    }
}

impl DxRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            DxRequest::CreateConnection { .. } => Operation::CreateConnection,
            DxRequest::CreateLag { .. } => Operation::CreateLag,
            DxRequest::DeleteLag { .. } => Operation::DeleteLag,
            DxRequest::ConfirmConnection { .. } => Operation::ConfirmConnection,
            DxRequest::TagResource { .. } => Operation::TagConnection,
            DxRequest::DeleteConnection { .. } => Operation::DeleteConnection,
            DxRequest::AssociateMacSecKey { .. } => Operation::AssociateMacSecKey,
            DxRequest::DisassociateMacSecKey { .. } => Operation::DisassociateMacSecKey,
            DxRequest::UpdateConnection { .. } => Operation::UpdateConnection,
            DxRequest::UpdateLag { .. } => Operation::UpdateLag,
            DxRequest::DescribeLoa { .. } => Operation::DescribeLoa,
            DxRequest::CreateDirectConnectGateway { .. } => Operation::CreateDirectConnectGateway,
            DxRequest::DeleteDirectConnectGateway { .. } => Operation::DeleteDirectConnectGateway,
            DxRequest::CreateDirectConnectGatewayAssociation { .. } => Operation::CreateDirectConnectGatewayAssociation,
            DxRequest::DeleteDirectConnectGatewayAssociation { .. } => Operation::DeleteDirectConnectGatewayAssociation,
            DxRequest::CreateDirectConnectGatewayAssociationProposal { .. } => {
                Operation::CreateDirectConnectGatewayAssociationProposal
            }
            DxRequest::DeleteDirectConnectGatewayAssociationProposal { .. } => {
                Operation::DeleteDirectConnectGatewayAssociationProposal
            }
            DxRequest::ConfirmPrivateVirtualInterface { .. } => Operation::ConfirmPrivateVirtualInterface,
            DxRequest::ConfirmTransitVirtualInterface { .. } => Operation::ConfirmTransitVirtualInterface,
            DxRequest::CreatePrivateVirtualInterface { .. } => Operation::CreatePrivateVirtualInterface,
            DxRequest::CreateTransitVirtualInterface { .. } => Operation::CreateTransitVirtualInterface,
            DxRequest::DeleteVirtualInterface { .. } => Operation::DeleteVirtualInterface,
            DxRequest::StartBgpFailoverTest { .. } => Operation::StartBgpFailoverTest,
            DxRequest::StopBgpFailoverTest { .. } => Operation::StopBgpFailoverTest,
        }
    }

    /// Where the secret lives that it is sent with.
    pub(in crate::action) fn secret(&self) -> Option<&SecretRef> {
        match self {
            DxRequest::CreatePrivateVirtualInterface { new_private_virtual_interface: new, .. }
            | DxRequest::CreateTransitVirtualInterface { new_transit_virtual_interface: new, .. } => {
                new.auth_key.as_ref()
            }
            DxRequest::AssociateMacSecKey { cak, .. } => cak.as_ref(),
            _ => None,
        }
    }

    /// Puts the id that an earlier call brought back where it belongs.
    pub(super) fn about(&mut self, itself: &str) {
        if let DxRequest::TagResource { resource_arn: LineArn { id }, .. } = self
            && id == ITSELF
        {
            itself.clone_into(id);
        }
    }
}
