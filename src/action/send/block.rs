//! The calls about all buckets of an account.

use super::Sender;
use crate::action::call::Call;
use crate::action::call::block::BlockRequest;
use crate::aws::AwsFailure;
use crate::aws::s3_control::types::PublicAccessBlockConfiguration;

impl Sender<'_> {
    pub(super) async fn block(&self, call: &Call, request: &BlockRequest) -> Result<Option<String>, AwsFailure> {
        let s3 = self.cloud.s3_control();
        match request {
            BlockRequest::PutPublicAccessBlock { account_id, public_access_block_configuration: flags } => {
                let flags = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(flags.block_public_acls)
                    .ignore_public_acls(flags.ignore_public_acls)
                    .block_public_policy(flags.block_public_policy)
                    .restrict_public_buckets(flags.restrict_public_buckets)
                    .build();
                let request = s3.put_public_access_block().account_id(account_id);
                sent!(self, call, never a rehearsal: request.public_access_block_configuration(flags));
            }
            BlockRequest::DeletePublicAccessBlock { account_id } => {
                sent!(self, call, never a rehearsal: s3.delete_public_access_block().account_id(account_id));
            }
        }
        Ok(None)
    }
}
