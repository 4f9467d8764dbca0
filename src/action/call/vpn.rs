//! What a VPN connection is asked for with: two tunnels, their keys by reference, and what each may negotiate.

use serde::{Serialize, Serializer};
use serde_json::json;

use super::Label;
use crate::action::arguments::known;
use crate::input::SecretRef;

/// The one type that there is.
pub(in crate::action) const IPSEC: &str = "ipsec.1";
/// AWS keeps the keys in a secret of its own, and shows them nowhere else.
pub(in crate::action) const IN_SECRETS_MANAGER: &str = "SecretsManager";

/// One connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct VpnRequest {
    pub r#type: &'static str,
    pub customer_gateway_id: String,
    #[serde(flatten)]
    pub ends_on: End,
    /// Where AWS keeps the keys; its own service where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_shared_key_storage: Option<&'static str>,
    pub options: VpnOptions,
    pub tag_specifications: Label,
}

/// Where it ends on Amazon's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) enum End {
    #[serde(rename = "VpnGatewayId")]
    Vpc(String),
    #[serde(rename = "TransitGatewayId")]
    Transit(String),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct VpnOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_acceleration: Option<bool>,
    pub static_routes_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_ipv4_network_cidr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_ipv4_network_cidr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel_bandwidth: Option<String>,
    pub tunnel_options: [TunnelOptions; 2],
}

/// What is not said is AWS's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct TunnelOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel_inside_cidr: Option<String>,
    /// Where the key lives. Nobody sees it: what is shown says where, and the text is put in when it is sent.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "where_it_lives")]
    pub pre_shared_key: Option<SecretRef>,
    #[serde(rename = "IKEVersions", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub ike_versions: Vec<String>,
    #[serde(rename = "Phase1EncryptionAlgorithms", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub phase_one_encryption: Vec<String>,
    #[serde(rename = "Phase2EncryptionAlgorithms", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub phase_two_encryption: Vec<String>,
    #[serde(rename = "Phase1IntegrityAlgorithms", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub phase_one_integrity: Vec<String>,
    #[serde(rename = "Phase2IntegrityAlgorithms", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub phase_two_integrity: Vec<String>,
    #[serde(rename = "Phase1DHGroupNumbers", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub phase_one_groups: Vec<i32>,
    #[serde(rename = "Phase2DHGroupNumbers", skip_serializing_if = "Vec::is_empty", serialize_with = "values")]
    pub phase_two_groups: Vec<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_action: Option<String>,
    #[serde(rename = "Phase1LifetimeSeconds", skip_serializing_if = "Option::is_none")]
    pub phase_one_seconds: Option<i32>,
    #[serde(rename = "Phase2LifetimeSeconds", skip_serializing_if = "Option::is_none")]
    pub phase_two_seconds: Option<i32>,
    #[serde(rename = "DPDTimeoutSeconds", skip_serializing_if = "Option::is_none")]
    pub dpd_timeout_seconds: Option<i32>,
    #[serde(rename = "DPDTimeoutAction", skip_serializing_if = "Option::is_none")]
    pub dpd_timeout_action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_options: Option<LogOptions>,
}

/// What a tunnel writes into a log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct LogOptions {
    pub cloud_watch_log_options: CloudWatchLogOptions,
}

/// The negotiation, and with BGP its session too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct CloudWatchLogOptions {
    pub log_enabled: bool,
    pub log_group_arn: String,
    pub log_output_format: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub bgp: Option<BgpLogOptions>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct BgpLogOptions {
    pub bgp_log_enabled: bool,
    pub bgp_log_group_arn: String,
    pub bgp_log_output_format: &'static str,
}

impl LogOptions {
    /// Into this group, line by line as JSON.
    pub(in crate::action) fn new(group_arn: &str, with_bgp: bool) -> Self {
        let bgp = with_bgp.then(|| BgpLogOptions {
            bgp_log_enabled: true,
            bgp_log_group_arn: group_arn.to_owned(),
            bgp_log_output_format: JSON,
        });
        let cloud_watch_log_options = CloudWatchLogOptions {
            log_enabled: true,
            log_group_arn: group_arn.to_owned(),
            log_output_format: JSON,
            bgp,
        };
        LogOptions { cloud_watch_log_options }
    }
}

const JSON: &str = "json";

impl VpnRequest {
    /// Where the keys live that it is sent with.
    pub(in crate::action) fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        self.options.tunnel_options.iter().filter_map(|tunnel| tunnel.pre_shared_key.as_ref())
    }
}

pub(super) fn where_it_lives<S: Serializer>(reference: &Option<SecretRef>, serializer: S) -> Result<S::Ok, S::Error> {
    match reference {
        // What only an earlier step can tell is shown by name.
        Some(SecretRef::Prompt { what_for }) if !known(what_for) => {
            let name = what_for.replace(['\u{2039}', '\u{203a}'], "");
            serializer.collect_str(&format_args!("\u{2039}the secret of {name}\u{203a}"))
        }
        Some(reference) => serializer.collect_str(&format_args!("\u{2039}the secret {reference}\u{203a}")),
        None => serializer.serialize_none(),
    }
}

fn values<S: Serializer, T: Serialize>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(|value| json!({ "Value": value })))
}
