//! What is asked of Route 53 and its Resolver.

use serde::{Serialize, Serializer};

use super::{ITSELF, Label, Token};
use crate::aws::Operation;
use crate::engagement::digest_of;

/// One call of either.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum DnsRequest {
    CreateHostedZone {
        name: String,
        caller_reference: Reference,
        #[serde(skip_serializing_if = "ZoneConfig::says_nothing")]
        hosted_zone_config: ZoneConfig,
        /// A zone with one is private.
        #[serde(rename = "VPC", skip_serializing_if = "Option::is_none")]
        vpc: Option<ZoneVpc>,
    },
    /// Ten tags a request, so one or two of them.
    ChangeTagsForResource {
        resource_type: &'static str,
        resource_id: String,
        add_tags: Label,
    },
    DeleteHostedZone {
        id: String,
    },
    AssociateVPCWithHostedZone {
        hosted_zone_id: String,
        #[serde(rename = "VPC")]
        vpc: ZoneVpc,
    },
    DisassociateVPCFromHostedZone {
        hosted_zone_id: String,
        #[serde(rename = "VPC")]
        vpc: ZoneVpc,
    },
    CreateVPCAssociationAuthorization {
        hosted_zone_id: String,
        #[serde(rename = "VPC")]
        vpc: ZoneVpc,
    },
    DeleteVPCAssociationAuthorization {
        hosted_zone_id: String,
        #[serde(rename = "VPC")]
        vpc: ZoneVpc,
    },
    ChangeResourceRecordSets {
        hosted_zone_id: String,
        changes: Vec<RecordChange>,
    },
    CreateResolverEndpoint {
        name: String,
        direction: &'static str,
        security_group_ids: Vec<String>,
        ip_addresses: Vec<EndpointAddress>,
        creator_request_id: Token,
        tags: Label,
    },
    DeleteResolverEndpoint {
        resolver_endpoint_id: String,
    },
    CreateResolverRule {
        name: String,
        rule_type: &'static str,
        domain_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        resolver_endpoint_id: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        target_ips: Vec<TargetAddress>,
        creator_request_id: Token,
        tags: Label,
    },
    DeleteResolverRule {
        resolver_rule_id: String,
    },
    AssociateResolverRule {
        resolver_rule_id: String,
        #[serde(rename = "VPCId")]
        vpc_id: String,
    },
    DisassociateResolverRule {
        resolver_rule_id: String,
        #[serde(rename = "VPCId")]
        vpc_id: String,
    },
    CreateResolverQueryLogConfig {
        name: String,
        destination_arn: String,
        creator_request_id: Token,
        tags: Label,
    },
    DeleteResolverQueryLogConfig {
        resolver_query_log_config_id: String,
    },
    AssociateResolverQueryLogConfig {
        resolver_query_log_config_id: String,
        resource_id: String,
    },
    DisassociateResolverQueryLogConfig {
        resolver_query_log_config_id: String,
        resource_id: String,
    },
}

/// The caller reference of a zone. A zone is tagged by a second call; until then this says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::action) struct Reference {
    pub key: String,
}

impl Reference {
    /// What every reference for this object begins with: the engagement and a digest of the key.
    pub(in crate::action) fn beginning(engagement: &str, key: &str) -> String {
        let digest = digest_of(&serde_json::Value::String(key.to_owned()));
        format!("{engagement}/{}/", &digest[..16])
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("\u{2039}this engagement/{}/token of this step\u{203a}", self.key))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct ZoneConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub private_zone: bool,
}

impl ZoneConfig {
    pub(in crate::action) fn says_nothing(&self) -> bool {
        self.comment.is_none() && !self.private_zone
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) struct ZoneVpc {
    #[serde(rename = "VPCRegion")]
    pub region: String,
    #[serde(rename = "VPCId")]
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::action) enum RecordChange {
    Upsert(RecordSet),
    Delete(RecordSet),
}

/// All values of one name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct RecordSet {
    /// With the dot at its end.
    pub name: String,
    pub r#type: String,
    #[serde(rename = "TTL")]
    pub ttl: i64,
    pub values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct EndpointAddress {
    pub subnet_id: String,
    /// AWS chooses one when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct TargetAddress {
    pub ip: String,
    pub port: i32,
}

impl DnsRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            DnsRequest::CreateHostedZone { .. } => Operation::CreateHostedZone,
            DnsRequest::ChangeTagsForResource { .. } => Operation::ChangeTagsForResource,
            DnsRequest::DeleteHostedZone { .. } => Operation::DeleteHostedZone,
            DnsRequest::AssociateVPCWithHostedZone { .. } => Operation::AssociateVPCWithHostedZone,
            DnsRequest::DisassociateVPCFromHostedZone { .. } => Operation::DisassociateVPCFromHostedZone,
            DnsRequest::CreateVPCAssociationAuthorization { .. } => Operation::CreateVPCAssociationAuthorization,
            DnsRequest::DeleteVPCAssociationAuthorization { .. } => Operation::DeleteVPCAssociationAuthorization,
            DnsRequest::ChangeResourceRecordSets { .. } => Operation::ChangeResourceRecordSets,
            DnsRequest::CreateResolverEndpoint { .. } => Operation::CreateResolverEndpoint,
            DnsRequest::DeleteResolverEndpoint { .. } => Operation::DeleteResolverEndpoint,
            DnsRequest::CreateResolverRule { .. } => Operation::CreateResolverRule,
            DnsRequest::DeleteResolverRule { .. } => Operation::DeleteResolverRule,
            DnsRequest::AssociateResolverRule { .. } => Operation::AssociateResolverRule,
            DnsRequest::DisassociateResolverRule { .. } => Operation::DisassociateResolverRule,
            DnsRequest::CreateResolverQueryLogConfig { .. } => Operation::CreateResolverQueryLogConfig,
            DnsRequest::DeleteResolverQueryLogConfig { .. } => Operation::DeleteResolverQueryLogConfig,
            DnsRequest::AssociateResolverQueryLogConfig { .. } => Operation::AssociateResolverQueryLogConfig,
            DnsRequest::DisassociateResolverQueryLogConfig { .. } => Operation::DisassociateResolverQueryLogConfig,
        }
    }

    /// A record that is gone is not deleted twice: the whole batch would be refused.
    pub(in crate::action) fn deletes_records(&self) -> bool {
        let deletes = |change: &RecordChange| matches!(change, RecordChange::Delete(_));
        matches!(self, DnsRequest::ChangeResourceRecordSets { changes, .. } if changes.iter().any(deletes))
    }

    /// Puts the id that an earlier call brought back where it belongs.
    pub(super) fn about(&mut self, itself: &str) {
        let place = match self {
            DnsRequest::ChangeTagsForResource { resource_id, .. } => resource_id,
            DnsRequest::AssociateResolverQueryLogConfig { resolver_query_log_config_id, .. } => {
                resolver_query_log_config_id
            }
            _ => return,
        };
        if place == ITSELF {
            itself.clone_into(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_fits_whatever_the_key_and_is_told_from_anothers() {
        let key = format!("zone/{}", "x".repeat(200));
        let beginning = Reference::beginning("0123456789abcdef", &key);
        assert!(beginning.len() + 64 <= 128, "{beginning}");
        assert_ne!(beginning, Reference::beginning("0123456789abcdef", "zone/y"));
    }
}
