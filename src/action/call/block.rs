//! What is asked of S3 Control about all buckets of an account.

use serde::{Deserialize, Serialize};

use crate::aws::Operation;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum BlockRequest {
    PutPublicAccessBlock { account_id: String, public_access_block_configuration: Flags },
    DeletePublicAccessBlock { account_id: String },
}

/// The four parts of the block, each under AWS's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Flags {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl Flags {
    pub(in crate::action) const ALL: Flags = Flags {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

impl BlockRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            BlockRequest::PutPublicAccessBlock { .. } => Operation::PutPublicAccessBlock,
            BlockRequest::DeletePublicAccessBlock { .. } => Operation::DeletePublicAccessBlock,
        }
    }
}
