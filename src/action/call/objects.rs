//! What is asked of S3 about objects; buckets are made by `aws: resource`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Label;
use super::backup::Place;
use crate::aws::Operation;

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
#[expect(clippy::enum_variant_names, reason = "they are called as AWS calls them")]
pub(in crate::action) enum ObjectRequest {
    PutObject {
        bucket: String,
        key: String,
        body: Body,
        #[serde(rename = "ChecksumSHA256")]
        checksum: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        storage_class: Option<&'static str>,
        /// `*`: only where there is none of that name.
        #[serde(skip_serializing_if = "Option::is_none")]
        if_none_match: Option<&'static str>,
        /// S3 takes ten tags of an object, which are fewer than ours: whose it is stands in its metadata.
        metadata: Label,
        #[serde(flatten)]
        place: Place,
    },
    DeleteObject {
        bucket: String,
        key: String,
        #[serde(flatten)]
        place: Place,
    },
    RestoreObject {
        bucket: String,
        key: String,
        days: i32,
        tier: &'static str,
        #[serde(flatten)]
        place: Place,
    },
}

/// A text; what is shown of it is how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::action) struct Body(pub String);

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} bytes", self.0.len()))
    }
}

impl Body {
    /// As S3 writes it: base 64.
    pub(in crate::action) fn sha256(&self) -> String {
        BASE64.encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl ObjectRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            ObjectRequest::PutObject { .. } => Operation::PutObject,
            ObjectRequest::DeleteObject { .. } => Operation::DeleteObject,
            ObjectRequest::RestoreObject { .. } => Operation::RestoreObject,
        }
    }

    pub(in crate::action) fn region(&self) -> Option<&str> {
        let (ObjectRequest::PutObject { place, .. }
        | ObjectRequest::DeleteObject { place, .. }
        | ObjectRequest::RestoreObject { place, .. }) = self;
        place.region.as_deref()
    }
}
