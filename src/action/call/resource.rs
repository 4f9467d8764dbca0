//! What is asked of Cloud Control: any type of resource, by its properties.

use serde::Serialize;
use serde_json::Value as Json;

use super::{Label, Token};
use crate::aws::{Operation, TagStyle};
use crate::engagement::digest_of;
use crate::input::SecretRef;

/// Where the step's secret stands in a property.
pub(in crate::action) const MARK: &str = "@secret@";

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
#[expect(clippy::enum_variant_names, reason = "they are called as AWS calls them")]
pub(in crate::action) enum ResourceRequest {
    CreateResource {
        type_name: String,
        /// As the step says it; the tags go into it.
        desired_state: Json,
        #[serde(skip_serializing_if = "Option::is_none")]
        tags: Option<Label>,
        client_token: Token,
        #[serde(flatten)]
        more: More,
    },
    UpdateResource {
        type_name: String,
        identifier: String,
        /// RFC 6902.
        patch_document: Vec<Json>,
        client_token: Token,
        #[serde(flatten)]
        more: More,
    },
    DeleteResource {
        type_name: String,
        identifier: String,
        client_token: Token,
        #[serde(flatten)]
        more: More,
    },
}

/// What is needed to send it, and not a part of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::action) struct More {
    /// Another than the engagement's.
    #[serde(rename = "onramp:region", skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip)]
    pub tags_in: TagStyle,
    /// Stands where the properties say [`MARK`].
    #[serde(skip)]
    pub secret: Option<SecretRef>,
    /// How long it usually takes.
    #[serde(skip)]
    pub minutes: u64,
}

impl ResourceRequest {
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            ResourceRequest::CreateResource { .. } => Operation::CreateResource,
            ResourceRequest::UpdateResource { .. } => Operation::UpdateResource,
            ResourceRequest::DeleteResource { .. } => Operation::DeleteResource,
        }
    }

    pub(in crate::action) fn more(&self) -> &More {
        match self {
            ResourceRequest::CreateResource { more, .. }
            | ResourceRequest::UpdateResource { more, .. }
            | ResourceRequest::DeleteResource { more, .. } => more,
        }
    }

    /// `AWS::S3::Bucket`
    pub(in crate::action) fn type_name(&self) -> &str {
        match self {
            ResourceRequest::CreateResource { type_name, .. }
            | ResourceRequest::UpdateResource { type_name, .. }
            | ResourceRequest::DeleteResource { type_name, .. } => type_name,
        }
    }

    pub(super) fn secret(&self) -> Option<&SecretRef> {
        let marked = match self {
            ResourceRequest::CreateResource { desired_state, .. } => desired_state.to_string().contains(MARK),
            ResourceRequest::UpdateResource { patch_document, .. } => {
                patch_document.iter().any(|step| step.to_string().contains(MARK))
            }
            ResourceRequest::DeleteResource { .. } => false,
        };
        self.more().secret.as_ref().filter(|_| marked)
    }

    /// The client token. A create says the intent's own, whoever says it again and whenever. What changes or takes away
    /// says another for each attempt, and for each further try within one: AWS keeps how a request ended under its token,
    /// and an undo that found a bucket full must not be told so for a day after somebody has emptied it.
    pub(in crate::action) fn client_token(&self, intent: &str, attempt: &str, further: u32) -> String {
        match self {
            ResourceRequest::CreateResource { .. } => intent.to_owned(),
            _ => {
                let request = serde_json::to_value(self).unwrap_or_default();
                digest_of(&serde_json::json!({ "of": intent, "attempt": attempt, "try": further, "asks": request }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn delete(identifier: &str) -> ResourceRequest {
        ResourceRequest::DeleteResource {
            type_name: "AWS::S3::Bucket".to_owned(),
            identifier: identifier.to_owned(),
            client_token: Token,
            more: More { region: None, tags_in: TagStyle::None, secret: None, minutes: 1 },
        }
    }

    #[test]
    fn the_same_request_of_the_same_attempt_says_the_same_token_and_no_other_does() {
        let token = delete("a").client_token("t", "3", 0);
        assert_eq!(token, delete("a").client_token("t", "3", 0));
        assert_eq!(token.len(), 32);
        for other in [
            delete("b").client_token("t", "3", 0),
            delete("a").client_token("t", "4", 0),
            delete("a").client_token("t", "3", 1),
            delete("a").client_token("u", "3", 0),
        ] {
            assert_ne!(token, other);
        }
    }

    #[test]
    fn a_create_says_the_token_of_its_intent_and_reads_a_secret_only_where_it_stands() {
        let create = |state: Json| ResourceRequest::CreateResource {
            type_name: "AWS::RDS::DBInstance".to_owned(),
            desired_state: state,
            tags: None,
            client_token: Token,
            more: More {
                region: None,
                tags_in: TagStyle::None,
                secret: Some(SecretRef::Prompt { what_for: "rds".to_owned() }),
                minutes: 1,
            },
        };
        assert_eq!(create(json!({})).client_token("t", "7", 2), "t");
        assert!(create(json!({})).secret().is_none());
        assert!(create(json!({ "MasterUserPassword": MARK })).secret().is_some());
    }
}
