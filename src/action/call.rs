//! Every mutating call that onramp sends to AWS, as a value: what is shown in the plan is this value, and what is sent
//! is this value, so that they cannot differ.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::engagement::Change;
use crate::input::SecretRef;

pub(super) mod backup;
pub(super) mod block;
pub(super) mod dns;
pub(super) mod dx;
pub(super) mod ebs;
mod elsewhere;
mod launch;
pub(super) mod mail;
pub(super) mod objects;
pub(super) mod rds;
pub(super) mod resource;
pub(super) mod vpn;

use backup::BackupRequest;
use block::BlockRequest;
use dns::DnsRequest;
use dx::DxRequest;
use ebs::EbsRequest;
pub(super) use elsewhere::Elsewhere;
pub(super) use launch::{Ebs, Launch, MetadataOptions, RootVolume};
use mail::MailRequest;
use objects::ObjectRequest;
use rds::RdsRequest;
use resource::ResourceRequest;
use vpn::VpnRequest;

/// Stands for the id that the first call of an action brings back.
pub(super) const ITSELF: &str = "\u{2039}id\u{203a}";

/// One call with its arguments, under the names of the SDK.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(super) enum Call {
    CreateVpc {
        cidr_block: String,
        tag_specifications: Label,
    },
    /// AWS takes one attribute a call.
    ModifyVpcAttribute {
        vpc_id: String,
        #[serde(flatten)]
        attribute: VpcAttribute,
    },
    DeleteVpc {
        vpc_id: String,
    },
    CreateSubnet {
        vpc_id: String,
        cidr_block: String,
        availability_zone: String,
        tag_specifications: Label,
    },
    DeleteSubnet {
        subnet_id: String,
    },
    CreateInternetGateway {
        tag_specifications: Label,
    },
    AttachInternetGateway {
        internet_gateway_id: String,
        vpc_id: String,
    },
    DetachInternetGateway {
        internet_gateway_id: String,
        vpc_id: String,
    },
    DeleteInternetGateway {
        internet_gateway_id: String,
    },
    AllocateAddress {
        domain: &'static str,
        tag_specifications: Label,
    },
    ReleaseAddress {
        allocation_id: String,
    },
    CreateNatGateway {
        subnet_id: String,
        allocation_id: String,
        client_token: Token,
        tag_specifications: Label,
    },
    DeleteNatGateway {
        nat_gateway_id: String,
    },
    CreateRouteTable {
        vpc_id: String,
        client_token: Token,
        tag_specifications: Label,
    },
    CreateRoute {
        route_table_id: String,
        destination_cidr_block: String,
        #[serde(flatten)]
        target: RouteTarget,
    },
    DeleteRoute {
        route_table_id: String,
        destination_cidr_block: String,
    },
    CreateVpcPeeringConnection {
        vpc_id: String,
        peer_vpc_id: String,
        peer_owner_id: String,
        /// Absent where it is our own.
        #[serde(skip_serializing_if = "Option::is_none")]
        peer_region: Option<String>,
        tag_specifications: Label,
    },
    DeleteVpcPeeringConnection {
        vpc_peering_connection_id: String,
    },
    /// Of the requester's side, which is ours.
    ModifyVpcPeeringConnectionOptions {
        vpc_peering_connection_id: String,
        allow_dns_resolution_from_remote_vpc: bool,
    },
    AssociateRouteTable {
        route_table_id: String,
        subnet_id: String,
    },
    DisassociateRouteTable {
        association_id: String,
    },
    DeleteRouteTable {
        route_table_id: String,
    },
    CreateSecurityGroup {
        vpc_id: String,
        group_name: String,
        description: String,
        tag_specifications: Label,
    },
    /// One rule a call: one duplicate would fail a whole batch.
    AuthorizeSecurityGroupIngress {
        group_id: String,
        ip_permissions: Rule,
        tag_specifications: Label,
    },
    RevokeSecurityGroupIngress {
        group_id: String,
        security_group_rule_ids: Vec<String>,
    },
    DeleteSecurityGroup {
        group_id: String,
    },
    ImportKeyPair {
        key_name: String,
        public_key_material: String,
        tag_specifications: Label,
    },
    DeleteKeyPair {
        key_name: String,
    },
    CreateCustomerGateway {
        r#type: &'static str,
        ip_address: String,
        #[serde(flatten)]
        asn: Asn,
        #[serde(skip_serializing_if = "Option::is_none")]
        device_name: Option<String>,
        tag_specifications: Label,
    },
    DeleteCustomerGateway {
        customer_gateway_id: String,
    },
    CreateVpnGateway {
        r#type: &'static str,
        amazon_side_asn: i64,
        tag_specifications: Label,
    },
    AttachVpnGateway {
        vpn_gateway_id: String,
        vpc_id: String,
    },
    DetachVpnGateway {
        vpn_gateway_id: String,
        vpc_id: String,
    },
    DeleteVpnGateway {
        vpn_gateway_id: String,
    },
    EnableVgwRoutePropagation {
        gateway_id: String,
        route_table_id: String,
    },
    DisableVgwRoutePropagation {
        gateway_id: String,
        route_table_id: String,
    },
    CreateVpnConnection(Box<VpnRequest>),
    DeleteVpnConnection {
        vpn_connection_id: String,
    },
    CreateVpnConnectionRoute {
        vpn_connection_id: String,
        destination_cidr_block: String,
    },
    DeleteVpnConnectionRoute {
        vpn_connection_id: String,
        destination_cidr_block: String,
    },
    /// What the VPC had before goes on the new set's tags.
    CreateDhcpOptions {
        dhcp_configurations: Vec<DhcpConfiguration>,
        #[serde(rename = "onramp:former")]
        former: String,
        tag_specifications: Label,
    },
    AssociateDhcpOptions {
        dhcp_options_id: String,
        vpc_id: String,
    },
    DeleteDhcpOptions {
        dhcp_options_id: String,
    },
    RunInstances(Box<Launch>),
    TerminateInstances {
        instance_ids: [String; 1],
    },
    /// AWS takes one attribute a call.
    ModifyInstanceAttribute {
        instance_id: String,
        disable_api_termination: Flag,
    },
    AssociateAddress {
        allocation_id: String,
        instance_id: String,
        allow_reassociation: bool,
    },
    DisassociateAddress {
        association_id: String,
    },
    RequestServiceQuotaIncrease {
        service_code: String,
        quota_code: String,
        desired_value: f64,
    },
    CreateTransitGateway {
        description: String,
        options: TransitOptions,
        tag_specifications: Label,
    },
    DeleteTransitGateway {
        transit_gateway_id: String,
    },
    CreateTransitGatewayVpcAttachment {
        transit_gateway_id: String,
        vpc_id: String,
        subnet_ids: Vec<String>,
        tag_specifications: Label,
    },
    DeleteTransitGatewayVpcAttachment {
        transit_gateway_attachment_id: String,
    },
    CreateTransitGatewayRoute {
        destination_cidr_block: String,
        transit_gateway_route_table_id: String,
        transit_gateway_attachment_id: String,
    },
    DeleteTransitGatewayRoute {
        destination_cidr_block: String,
        transit_gateway_route_table_id: String,
    },
    /// Those of other services are shown under their own names.
    #[serde(untagged)]
    Backup(BackupRequest),
    #[serde(untagged)]
    Block(BlockRequest),
    #[serde(untagged)]
    Dns(DnsRequest),
    #[serde(untagged)]
    Dx(DxRequest),
    #[serde(untagged)]
    Ebs(EbsRequest),
    #[serde(untagged)]
    Mail(MailRequest),
    #[serde(untagged)]
    Objects(ObjectRequest),
    #[serde(untagged)]
    Rds(RdsRequest),
    #[serde(untagged)]
    Resource(ResourceRequest),
    /// Whichever of them, in another region.
    #[serde(untagged)]
    Elsewhere(Elsewhere),
}

/// The customer's AS number: AWS takes one that needs all 32 bits in a field of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Asn {
    #[serde(rename = "BgpAsn")]
    Short(i32),
    #[serde(rename = "BgpAsnExtended")]
    Long(i64),
}

impl From<i64> for Asn {
    fn from(asn: i64) -> Self {
        i32::try_from(asn).map_or(Asn::Long(asn), Asn::Short)
    }
}

/// The number of Amazon's side; the rest is AWS's default, by which attachments find each other by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransitOptions {
    pub amazon_side_asn: i64,
}

/// One DHCP option: `domain-name-servers` and its addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DhcpConfiguration {
    pub key: &'static str,
    pub values: Vec<String>,
}

/// What is written on a new object: its logical name, and what the console shows. The rest is the same for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub key: String,
    pub name: String,
}

impl Serialize for Label {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!(
            "Name={}, onramp:key={}, and what every object of this engagement carries",
            self.name, self.key
        ))
    }
}

/// The idempotency token; which one is known when the intent is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token;

impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("\u{2039}token of this step\u{203a}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum VpcAttribute {
    EnableDnsSupport(Flag),
    EnableDnsHostnames(Flag),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Flag {
    pub value: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) enum RouteTarget {
    #[serde(rename = "GatewayId")]
    Gateway(String),
    #[serde(rename = "NatGatewayId")]
    Nat(String),
    #[serde(rename = "TransitGatewayId")]
    Transit(String),
    #[serde(rename = "VpcPeeringConnectionId")]
    Peering(String),
}

impl RouteTarget {
    pub(super) fn id(&self) -> &str {
        match self {
            RouteTarget::Gateway(id) | RouteTarget::Nat(id) | RouteTarget::Transit(id) | RouteTarget::Peering(id) => id,
        }
    }
}

/// One ingress rule: a protocol, ports, and one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// `tcp`, `udp`, `icmp`, or `-1` for everything.
    pub protocol: String,
    /// Ports, or ICMP type and code; -1 for all.
    pub from_port: i32,
    pub to_port: i32,
    pub source: Source,
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    V4(String),
    V6(String),
    Group(String),
    /// Only ever read: onramp makes no such rule.
    PrefixList(String),
}

impl Source {
    pub(super) fn of_cidr(cidr: &str) -> Source {
        if cidr.contains(':') { Source::V6(cidr.to_owned()) } else { Source::V4(cidr.to_owned()) }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Source::V4(text) | Source::V6(text) | Source::Group(text) | Source::PrefixList(text) => text,
        }
    }
}

impl Rule {
    /// The same door for the same people, whatever is written on it.
    pub(super) fn opens_the_same(&self, other: &Rule) -> bool {
        (&self.protocol, self.from_port, self.to_port, &self.source)
            == (&other.protocol, other.from_port, other.to_port, &other.source)
    }

    pub(super) fn said(&self) -> String {
        let ports: Cow<'_, str> = match (self.protocol.as_str(), self.from_port, self.to_port) {
            ("-1", _, _) => "everything".into(),
            (protocol, -1, _) => protocol.to_owned().into(),
            (protocol, from, to) if from == to => format!("{protocol} {from}").into(),
            (protocol, from, to) => format!("{protocol} {from}-{to}").into(),
        };
        format!("{ports} from {}", self.source.text())
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rule = json!({ "IpProtocol": self.protocol, "FromPort": self.from_port, "ToPort": self.to_port });
        let (list, name) = match &self.source {
            Source::V4(_) => ("IpRanges", "CidrIp"),
            Source::V6(_) => ("Ipv6Ranges", "CidrIpv6"),
            Source::Group(_) => ("UserIdGroupPairs", "GroupId"),
            Source::PrefixList(_) => ("PrefixListIds", "PrefixListId"),
        };
        rule[list] = json!([{ name: self.source.text(), "Description": self.description }]);
        json!([rule]).serialize(serializer)
    }
}

impl Call {
    /// As the plan shows it.
    pub(super) fn change(&self) -> Change {
        let (operation, arguments) = match serde_json::to_value(self) {
            Ok(Json::Object(call)) => call.into_iter().next().unwrap_or_default(),
            _ => Default::default(),
        };
        Change::new(self.operation().row().service.prefix(), &operation, arguments)
    }

    /// The same in that region, where one is named.
    pub(super) fn sent_in(self, region: Option<&str>) -> Call {
        match region {
            Some(region) => Call::Elsewhere(Elsewhere { region: region.to_owned(), call: Box::new(self) }),
            None => self,
        }
    }

    /// Where the secrets live that it is sent with.
    pub(super) fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Call::CreateVpnConnection(request) => request.secrets().collect(),
            Call::Dx(request) => request.secret().into_iter().collect(),
            Call::Resource(request) => request.secret().into_iter().collect(),
            Call::Elsewhere(there) => there.call.secrets(),
            _ => Vec::new(),
        }
    }

    /// Puts the id that an earlier call brought back where it belongs.
    pub(super) fn about(mut self, itself: &str) -> Call {
        let place = match &mut self {
            Call::ModifyVpcAttribute { vpc_id, .. } => vpc_id,
            Call::AttachInternetGateway { internet_gateway_id, .. } => internet_gateway_id,
            Call::CreateRoute { route_table_id, .. } | Call::AssociateRouteTable { route_table_id, .. } => {
                route_table_id
            }
            Call::AuthorizeSecurityGroupIngress { group_id, .. } => group_id,
            Call::AttachVpnGateway { vpn_gateway_id, .. } => vpn_gateway_id,
            Call::AssociateDhcpOptions { dhcp_options_id, .. } => dhcp_options_id,
            Call::Dns(request) => {
                request.about(itself);
                return self;
            }
            Call::Elsewhere(there) => {
                *there.call = there.call.clone().about(itself);
                return self;
            }
            Call::Dx(request) => {
                request.about(itself);
                return self;
            }
            _ => return self,
        };
        if place == ITSELF {
            itself.clone_into(place);
        }
        self
    }
}

/// The plan's form of a list of calls.
pub(super) fn changes(calls: &[Call]) -> Vec<Change> {
    calls.iter().map(Call::change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_shown_under_its_own_names() {
        let call = Call::ModifyVpcAttribute {
            vpc_id: ITSELF.to_owned(),
            attribute: VpcAttribute::EnableDnsSupport(Flag { value: true }),
        };
        let change = call.about("vpc-1").change();
        assert_eq!(change.operation, "ModifyVpcAttribute");
        assert_eq!(change.arguments, json!({ "VpcId": "vpc-1", "EnableDnsSupport": { "Value": true } }));
    }

    #[test]
    fn a_rule_is_shown_as_the_sdk_takes_it() {
        let rule = Rule {
            protocol: "tcp".to_owned(),
            from_port: 22022,
            to_port: 22022,
            source: Source::of_cidr("198.51.100.16/29"),
            description: "onramp:sg/bastion operator".to_owned(),
        };
        assert_eq!(rule.said(), "tcp 22022 from 198.51.100.16/29");
        let range = json!({ "CidrIp": "198.51.100.16/29", "Description": "onramp:sg/bastion operator" });
        let wanted = json!([{ "IpProtocol": "tcp", "FromPort": 22022, "ToPort": 22022, "IpRanges": [range] }]);
        assert_eq!(serde_json::to_value(&rule).unwrap(), wanted);
    }
}
