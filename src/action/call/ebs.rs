//! What is asked of EC2 about disks, their snapshots and images, and about what holds for all new ones.

use serde::Serialize;

use super::{Label, Token};
use crate::aws::Operation;

/// One call, and in which region it is made where that is another than the engagement's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum EbsRequest {
    EnableEbsEncryptionByDefault {
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    DisableEbsEncryptionByDefault {
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    ModifyInstanceMetadataDefaults {
        http_tokens: String,
        http_put_response_hop_limit: i32,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    CreateSnapshot {
        volume_id: String,
        description: String,
        tag_specifications: Label,
    },
    /// Of all disks of a host at one moment.
    CreateSnapshots {
        instance_specification: Disks,
        description: String,
        tag_specifications: Label,
    },
    /// Sent where the copy is to be.
    CopySnapshot {
        source_region: String,
        source_snapshot_id: String,
        destination_region: String,
        description: String,
        encrypted: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        kms_key_id: Option<String>,
        tag_specifications: Label,
    },
    DeleteSnapshot {
        snapshot_id: String,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    /// On the image and on the snapshots that it is made of.
    CreateImage {
        instance_id: String,
        name: String,
        no_reboot: bool,
        tag_specifications: Label,
    },
    /// Sent where the copy is to be.
    CopyImage {
        source_region: String,
        source_image_id: String,
        name: String,
        encrypted: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        kms_key_id: Option<String>,
        client_token: Token,
        tag_specifications: Label,
        #[serde(rename = "onramp:region")]
        region: String,
    },
    DeregisterImage {
        image_id: String,
        #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Disks {
    pub instance_id: String,
    pub exclude_boot_volume: bool,
}

impl EbsRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            EbsRequest::EnableEbsEncryptionByDefault { .. } => Operation::EnableEbsEncryptionByDefault,
            EbsRequest::DisableEbsEncryptionByDefault { .. } => Operation::DisableEbsEncryptionByDefault,
            EbsRequest::ModifyInstanceMetadataDefaults { .. } => Operation::ModifyInstanceMetadataDefaults,
            EbsRequest::CreateSnapshot { .. } => Operation::CreateSnapshot,
            EbsRequest::CreateSnapshots { .. } => Operation::CreateSnapshots,
            EbsRequest::CopySnapshot { .. } => Operation::CopySnapshot,
            EbsRequest::DeleteSnapshot { .. } => Operation::DeleteSnapshot,
            EbsRequest::CreateImage { .. } => Operation::CreateImage,
            EbsRequest::CopyImage { .. } => Operation::CopyImage,
            EbsRequest::DeregisterImage { .. } => Operation::DeregisterImage,
        }
    }

    /// Where it is sent, if that is another region than the engagement's.
    pub(in crate::action) fn region(&self) -> Option<&str> {
        match self {
            EbsRequest::CopySnapshot { destination_region: region, .. } | EbsRequest::CopyImage { region, .. } => {
                Some(region)
            }
            EbsRequest::EnableEbsEncryptionByDefault { region }
            | EbsRequest::DisableEbsEncryptionByDefault { region }
            | EbsRequest::ModifyInstanceMetadataDefaults { region, .. }
            | EbsRequest::DeleteSnapshot { region, .. }
            | EbsRequest::DeregisterImage { region, .. } => region.as_deref(),
            EbsRequest::CreateSnapshot { .. } | EbsRequest::CreateSnapshots { .. } | EbsRequest::CreateImage { .. } => {
                None
            }
        }
    }
}
