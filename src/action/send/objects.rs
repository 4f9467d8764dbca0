//! The calls about objects of S3.

use super::Sender;
use crate::action::aws_resource::in_region;
use crate::action::aws_s3::{CHECKSUM, ENGAGEMENT, KEY, stamped};
use crate::action::call::Call;
use crate::action::call::objects::ObjectRequest;
use crate::aws::s3::primitives::ByteStream;
use crate::aws::s3::types::{GlacierJobParameters, RestoreRequest, StorageClass, Tier};
use crate::aws::{AwsFailure, Stamp};

impl Sender<'_> {
    pub(super) async fn objects(&self, call: &Call, request: &ObjectRequest) -> Result<Option<String>, AwsFailure> {
        let s3 = in_region(self.cloud, request.region()).s3();
        match request {
            ObjectRequest::PutObject {
                bucket,
                key,
                body,
                checksum,
                content_type,
                storage_class,
                if_none_match,
                metadata: label,
                ..
            } => {
                let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
                // A body is sent once: the request is put together anew for each try.
                let send = || {
                    s3.put_object()
                        .bucket(bucket)
                        .key(key)
                        .body(ByteStream::from(body.0.as_bytes().to_vec()))
                        .checksum_sha256(checksum)
                        .set_content_type(content_type.clone())
                        .set_storage_class(storage_class.map(StorageClass::from))
                        .set_if_none_match(if_none_match.map(str::to_owned))
                        .metadata(ENGAGEMENT, stamped(stamp.engagement()))
                        .metadata(KEY, stamped(&label.key))
                        .metadata(CHECKSUM, checksum)
                        .send()
                };
                let resend = (!self.rehearsal).then(|| call.resend(self.until));
                self.cloud.change(call.operation(), resend, send).await?;
            }
            ObjectRequest::DeleteObject { bucket, key, .. } => {
                sent!(self, call, never a rehearsal: s3.delete_object().bucket(bucket).key(key));
            }
            ObjectRequest::RestoreObject { bucket, key, days, tier, .. } => {
                let job = GlacierJobParameters::builder().tier(Tier::from(*tier)).build();
                let job = job.map_err(|error| AwsFailure::unbuilt(call.operation(), &error))?;
                let wanted = RestoreRequest::builder().days(*days).glacier_job_parameters(job).build();
                sent!(self, call, never a rehearsal: s3.restore_object().bucket(bucket).key(key).restore_request(wanted));
            }
        }
        Ok(None)
    }
}
