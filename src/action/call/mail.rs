//! The requests to SES: mail domains and addresses, configuration sets and their events, the account's own settings, and
//! a message.

use serde::{Serialize, Serializer};
use serde_json::json;

use super::Label;
use crate::aws::Operation;

/// Of subject and text.
pub(in crate::action) const CHARSET: &str = "UTF-8";

/// One request with its arguments, under the names of the SDK.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all_fields = "PascalCase")]
pub(in crate::action) enum MailRequest {
    CreateEmailIdentity {
        email_identity: String,
        /// Of a domain only.
        #[serde(skip_serializing_if = "Option::is_none")]
        dkim_signing_attributes: Option<EasyDkim>,
        #[serde(skip_serializing_if = "Option::is_none")]
        configuration_set_name: Option<String>,
        tags: Label,
    },
    PutEmailIdentityDkimAttributes {
        email_identity: String,
        signing_enabled: bool,
    },
    PutEmailIdentityDkimSigningAttributes {
        email_identity: String,
        signing_attributes_origin: &'static str,
        signing_attributes: EasyDkim,
    },
    PutEmailIdentityConfigurationSetAttributes {
        email_identity: String,
        configuration_set_name: String,
    },
    /// Without a domain it goes back to Amazon's own.
    PutEmailIdentityMailFromAttributes {
        email_identity: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        mail_from_domain: Option<String>,
        behavior_on_mx_failure: String,
    },
    DeleteEmailIdentity {
        email_identity: String,
    },
    CreateConfigurationSet {
        configuration_set_name: String,
        delivery_options: DeliveryOptions,
        reputation_options: ReputationOptions,
        suppression_options: Suppression,
        tags: Label,
    },
    PutConfigurationSetDeliveryOptions {
        configuration_set_name: String,
        #[serde(flatten)]
        options: DeliveryOptions,
    },
    PutConfigurationSetReputationOptions {
        configuration_set_name: String,
        #[serde(flatten)]
        options: ReputationOptions,
    },
    PutConfigurationSetSuppressionOptions {
        configuration_set_name: String,
        #[serde(flatten)]
        options: Suppression,
    },
    DeleteConfigurationSet {
        configuration_set_name: String,
    },
    CreateConfigurationSetEventDestination {
        configuration_set_name: String,
        event_destination_name: String,
        event_destination: Events,
    },
    UpdateConfigurationSetEventDestination {
        configuration_set_name: String,
        event_destination_name: String,
        event_destination: Events,
    },
    DeleteConfigurationSetEventDestination {
        configuration_set_name: String,
        event_destination_name: String,
    },
    PutAccountSuppressionAttributes {
        #[serde(flatten)]
        options: Suppression,
    },
    PutAccountDetails(Details),
    SendEmail(Box<Message>),
}

/// AWS makes the keys, and their public halves stand in the domain's DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct EasyDkim {
    pub next_signing_key_length: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct DeliveryOptions {
    pub tls_policy: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct ReputationOptions {
    pub reputation_metrics_enabled: bool,
}

/// What puts a recipient on the list of those who get no more mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Suppression {
    pub suppressed_reasons: Vec<String>,
}

/// Which events go where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Events {
    pub enabled: bool,
    pub matching_event_types: Vec<String>,
    #[serde(flatten)]
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::action) enum Target {
    #[serde(rename = "SnsDestination", rename_all = "PascalCase")]
    Topic { topic_arn: String },
    #[serde(rename = "CloudWatchDestination", rename_all = "PascalCase")]
    Metrics { dimension_configurations: [Dimension; 1] },
}

/// What CloudWatch counts by: the value of this tag of a message, or this one where a message has no such tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Dimension {
    pub dimension_name: String,
    pub dimension_value_source: &'static str,
    pub default_dimension_value: String,
}

/// What AWS's reviewer reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Details {
    pub mail_type: &'static str,
    #[serde(rename = "WebsiteURL")]
    pub website_url: String,
    pub use_case_description: String,
    pub contact_language: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_contact_email_addresses: Vec<String>,
    pub production_access_enabled: bool,
}

/// One message of plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Message {
    pub from_email_address: String,
    pub destination: Recipients,
    pub content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_set_name: Option<String>,
    /// The token, by which its events are told from those of other messages.
    pub email_tags: super::Token,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Recipients {
    pub to_addresses: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::action) struct Content {
    pub subject: String,
    pub text: String,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |data: &str| json!({ "Data": data, "Charset": CHARSET });
        let simple = json!({ "Subject": text(&self.subject), "Body": { "Text": text(&self.text) } });
        json!({ "Simple": simple }).serialize(serializer)
    }
}

impl MailRequest {
    /// Its row in the table of operations.
    pub(in crate::action) fn operation(&self) -> Operation {
        match self {
            MailRequest::CreateEmailIdentity { .. } => Operation::CreateEmailIdentity,
            MailRequest::PutEmailIdentityDkimAttributes { .. } => Operation::PutEmailIdentityDkimAttributes,
            MailRequest::PutEmailIdentityDkimSigningAttributes { .. } => {
                Operation::PutEmailIdentityDkimSigningAttributes
            }
            MailRequest::PutEmailIdentityConfigurationSetAttributes { .. } => {
                Operation::PutEmailIdentityConfigurationSetAttributes
            }
            MailRequest::PutEmailIdentityMailFromAttributes { .. } => Operation::PutEmailIdentityMailFromAttributes,
            MailRequest::DeleteEmailIdentity { .. } => Operation::DeleteEmailIdentity,
            MailRequest::CreateConfigurationSet { .. } => Operation::CreateConfigurationSet,
            MailRequest::PutConfigurationSetDeliveryOptions { .. } => Operation::PutConfigurationSetDeliveryOptions,
            MailRequest::PutConfigurationSetReputationOptions { .. } => Operation::PutConfigurationSetReputationOptions,
            MailRequest::PutConfigurationSetSuppressionOptions { .. } => {
                Operation::PutConfigurationSetSuppressionOptions
            }
            MailRequest::DeleteConfigurationSet { .. } => Operation::DeleteConfigurationSet,
            MailRequest::CreateConfigurationSetEventDestination { .. } => {
                Operation::CreateConfigurationSetEventDestination
            }
            MailRequest::UpdateConfigurationSetEventDestination { .. } => {
                Operation::UpdateConfigurationSetEventDestination
            }
            MailRequest::DeleteConfigurationSetEventDestination { .. } => {
                Operation::DeleteConfigurationSetEventDestination
            }
            MailRequest::PutAccountSuppressionAttributes { .. } => Operation::PutAccountSuppressionAttributes,
            MailRequest::PutAccountDetails(_) => Operation::PutAccountDetails,
            MailRequest::SendEmail(_) => Operation::SendEmail,
        }
    }

    /// May it be made twice without harm, although nothing guards against that? A message to Amazon's mailbox simulator
    /// comes to nobody, and counts for no rate of bounces or complaints (SES developer guide, "Using the mailbox simulator").
    pub(in crate::action) fn is_harmless_twice(&self) -> bool {
        match self {
            MailRequest::SendEmail(message) => message.destination.to_addresses.iter().all(|to| is_simulator(to)),
            _ => false,
        }
    }
}

/// `success@simulator.amazonses.com`, also with a label or in angle brackets.
fn is_simulator(address: &str) -> bool {
    let address = address.trim().trim_end_matches('>').to_ascii_lowercase();
    address.rsplit_once('@').is_some_and(|(_, domain)| domain == "simulator.amazonses.com")
}
