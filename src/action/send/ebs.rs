//! The calls about disks, their snapshots and images.

use super::{Sender, unsent};
use crate::action::aws_resource::in_region;
use crate::action::call::Call;
use crate::action::call::ebs::EbsRequest;
use crate::aws::AwsFailure;
use crate::aws::ec2::types::{InstanceSpecification, MetadataDefaultHttpTokensState, ResourceType};

impl Sender<'_> {
    pub(super) async fn disks(&self, call: &Call, request: &EbsRequest) -> Result<Option<String>, AwsFailure> {
        match request {
            EbsRequest::EnableEbsEncryptionByDefault { .. }
            | EbsRequest::DisableEbsEncryptionByDefault { .. }
            | EbsRequest::ModifyInstanceMetadataDefaults { .. } => self.settings(call, request).await.map(|()| None),
            EbsRequest::CreateSnapshot { .. }
            | EbsRequest::CreateSnapshots { .. }
            | EbsRequest::CopySnapshot { .. }
            | EbsRequest::DeleteSnapshot { .. } => self.snapshots(call, request).await,
            EbsRequest::CreateImage { .. } | EbsRequest::CopyImage { .. } | EbsRequest::DeregisterImage { .. } => {
                self.images(call, request).await
            }
        }
    }

    async fn settings(&self, call: &Call, request: &EbsRequest) -> Result<(), AwsFailure> {
        let place = in_region(self.cloud, request.region());
        let ec2 = place.ec2();
        match request {
            EbsRequest::EnableEbsEncryptionByDefault { .. } => {
                sent!(self, call, ec2.enable_ebs_encryption_by_default());
            }
            EbsRequest::DisableEbsEncryptionByDefault { .. } => {
                sent!(self, call, ec2.disable_ebs_encryption_by_default());
            }
            EbsRequest::ModifyInstanceMetadataDefaults { http_tokens, http_put_response_hop_limit, .. } => {
                let request = ec2
                    .modify_instance_metadata_defaults()
                    .http_tokens(MetadataDefaultHttpTokensState::from(http_tokens.as_str()))
                    .http_put_response_hop_limit(*http_put_response_hop_limit);
                sent!(self, call, request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(())
    }

    async fn snapshots(&self, call: &Call, request: &EbsRequest) -> Result<Option<String>, AwsFailure> {
        let place = in_region(self.cloud, request.region());
        let ec2 = place.ec2();
        Ok(match request {
            EbsRequest::CreateSnapshot { volume_id, description, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::Snapshot);
                let request = ec2.create_snapshot().volume_id(volume_id).description(description);
                sent!(self, call, request.tag_specifications(tags)).snapshot_id
            }
            EbsRequest::CreateSnapshots { instance_specification: disks, description, tag_specifications } => {
                let tags = self.tags(tag_specifications, ResourceType::Snapshot);
                let of = InstanceSpecification::builder()
                    .instance_id(&disks.instance_id)
                    .exclude_boot_volume(disks.exclude_boot_volume)
                    .build();
                let request = ec2.create_snapshots().instance_specification(of).description(description);
                let made = sent!(self, call, request.tag_specifications(tags)).snapshots.unwrap_or_default();
                made.into_iter().filter_map(|one| one.snapshot_id).min()
            }
            EbsRequest::CopySnapshot {
                source_region,
                source_snapshot_id,
                destination_region,
                description,
                encrypted,
                kms_key_id,
                tag_specifications,
            } => {
                // The other region must be told that we may read there, or the copy of an encrypted one fails later.
                let leave = place.leave_to_copy(source_region, source_snapshot_id).await?;
                let request = ec2
                    .copy_snapshot()
                    .source_region(source_region)
                    .source_snapshot_id(source_snapshot_id)
                    .destination_region(destination_region)
                    .description(description)
                    .encrypted(*encrypted)
                    .set_kms_key_id(kms_key_id.clone())
                    .presigned_url(leave)
                    .tag_specifications(self.tags(tag_specifications, ResourceType::Snapshot));
                sent!(self, call, request).snapshot_id
            }
            EbsRequest::DeleteSnapshot { snapshot_id, .. } => {
                sent!(self, call, ec2.delete_snapshot().snapshot_id(snapshot_id));
                None
            }
            _ => return Err(unsent(call)),
        })
    }

    async fn images(&self, call: &Call, request: &EbsRequest) -> Result<Option<String>, AwsFailure> {
        let place = in_region(self.cloud, request.region());
        let ec2 = place.ec2();
        Ok(match request {
            EbsRequest::CreateImage { instance_id, name, no_reboot, tag_specifications } => {
                let request = ec2.create_image().instance_id(instance_id).name(name).no_reboot(*no_reboot);
                let request = request
                    .tag_specifications(self.tags(tag_specifications, ResourceType::Image))
                    .tag_specifications(self.tags(tag_specifications, ResourceType::Snapshot));
                sent!(self, call, request).image_id
            }
            EbsRequest::CopyImage {
                source_region,
                source_image_id,
                name,
                encrypted,
                kms_key_id,
                tag_specifications,
                ..
            } => {
                let request = ec2
                    .copy_image()
                    .source_region(source_region)
                    .source_image_id(source_image_id)
                    .name(name)
                    .encrypted(*encrypted)
                    .set_kms_key_id(kms_key_id.clone())
                    .client_token(self.token)
                    .tag_specifications(self.tags(tag_specifications, ResourceType::Image))
                    .tag_specifications(self.tags(tag_specifications, ResourceType::Snapshot));
                sent!(self, call, request).image_id
            }
            EbsRequest::DeregisterImage { image_id, .. } => {
                sent!(self, call, ec2.deregister_image().image_id(image_id));
                None
            }
            _ => return Err(unsent(call)),
        })
    }
}
