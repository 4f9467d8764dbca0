//! The calls to SES.

use super::{Sender, unsent};
use crate::action::call::mail::{CHARSET, Content, Details, Dimension, EasyDkim, Events, MailRequest, Message, Target};
use crate::action::call::{Call, Label};
use crate::aws::mail::error::BuildError;
use crate::aws::mail::types::{
    BehaviorOnMxFailure, Body, CloudWatchDestination, CloudWatchDimensionConfiguration, ContactLanguage,
    Content as Text, DeliveryOptions, Destination, DimensionValueSource, DkimSigningAttributes,
    DkimSigningAttributesOrigin, DkimSigningKeyLength, EmailContent, EventDestinationDefinition, EventType, MailType,
    Message as Simple, MessageTag, ReputationOptions, SnsDestination, SuppressionListReason, SuppressionOptions, Tag,
    TlsPolicy,
};
use crate::aws::{AwsFailure, Fate, Kind, Stamp};

/// What a message's events carry, so that they are told from those of other messages.
const TOKEN_TAG: &str = "onramp-token";

impl Sender<'_> {
    pub(super) async fn mail(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let Call::Mail(request) = call else { return Err(unsent(call)) };
        match request {
            MailRequest::CreateEmailIdentity { .. }
            | MailRequest::PutEmailIdentityDkimAttributes { .. }
            | MailRequest::PutEmailIdentityDkimSigningAttributes { .. }
            | MailRequest::PutEmailIdentityConfigurationSetAttributes { .. }
            | MailRequest::PutEmailIdentityMailFromAttributes { .. }
            | MailRequest::DeleteEmailIdentity { .. } => self.mail_identity(call, request).await,
            MailRequest::CreateConfigurationSet { .. }
            | MailRequest::PutConfigurationSetDeliveryOptions { .. }
            | MailRequest::PutConfigurationSetReputationOptions { .. }
            | MailRequest::PutConfigurationSetSuppressionOptions { .. }
            | MailRequest::DeleteConfigurationSet { .. } => self.mail_set(call, request).await,
            MailRequest::CreateConfigurationSetEventDestination { .. }
            | MailRequest::UpdateConfigurationSetEventDestination { .. }
            | MailRequest::DeleteConfigurationSetEventDestination { .. } => self.mail_events(call, request).await,
            MailRequest::PutAccountSuppressionAttributes { options } => {
                let reasons = reasons(&options.suppressed_reasons);
                let request = self.cloud.mail().put_account_suppression_attributes();
                sent!(self, call, never a rehearsal: request.set_suppressed_reasons(Some(reasons)));
                Ok(None)
            }
            MailRequest::PutAccountDetails(details) => self.mail_details(call, details).await,
            MailRequest::SendEmail(message) => self.message(call, message).await,
        }
    }

    /// The answer to the one that makes it is its name, by which it is known.
    async fn mail_identity(&self, call: &Call, request: &MailRequest) -> Result<Option<String>, AwsFailure> {
        let mail = self.cloud.mail();
        match request {
            MailRequest::CreateEmailIdentity {
                email_identity,
                dkim_signing_attributes,
                configuration_set_name,
                tags,
            } => {
                let request = mail.create_email_identity().email_identity(email_identity);
                let request = request
                    .set_dkim_signing_attributes(dkim_signing_attributes.map(easy_dkim))
                    .set_configuration_set_name(configuration_set_name.clone())
                    .set_tags(Some(self.mail_tags(call, tags)?));
                sent!(self, call, never a rehearsal: request);
                return Ok(Some(email_identity.clone()));
            }
            MailRequest::PutEmailIdentityDkimAttributes { email_identity, signing_enabled } => {
                let request = mail.put_email_identity_dkim_attributes().email_identity(email_identity);
                sent!(self, call, never a rehearsal: request.signing_enabled(*signing_enabled));
            }
            MailRequest::PutEmailIdentityDkimSigningAttributes {
                email_identity,
                signing_attributes_origin,
                signing_attributes,
            } => {
                let request = mail.put_email_identity_dkim_signing_attributes().email_identity(email_identity);
                let request = request
                    .signing_attributes_origin(DkimSigningAttributesOrigin::from(*signing_attributes_origin))
                    .signing_attributes(easy_dkim(*signing_attributes));
                sent!(self, call, never a rehearsal: request);
            }
            MailRequest::PutEmailIdentityConfigurationSetAttributes { email_identity, configuration_set_name } => {
                let request = mail.put_email_identity_configuration_set_attributes().email_identity(email_identity);
                sent!(self, call, never a rehearsal: request.configuration_set_name(configuration_set_name));
            }
            MailRequest::PutEmailIdentityMailFromAttributes {
                email_identity,
                mail_from_domain,
                behavior_on_mx_failure,
            } => {
                let request = mail.put_email_identity_mail_from_attributes().email_identity(email_identity);
                let request = request
                    .set_mail_from_domain(mail_from_domain.clone())
                    .behavior_on_mx_failure(BehaviorOnMxFailure::from(behavior_on_mx_failure.as_str()));
                sent!(self, call, never a rehearsal: request);
            }
            MailRequest::DeleteEmailIdentity { email_identity } => {
                sent!(self, call, never a rehearsal: mail.delete_email_identity().email_identity(email_identity));
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    async fn mail_set(&self, call: &Call, request: &MailRequest) -> Result<Option<String>, AwsFailure> {
        let mail = self.cloud.mail();
        match request {
            MailRequest::CreateConfigurationSet {
                configuration_set_name,
                delivery_options,
                reputation_options,
                suppression_options,
                tags,
            } => {
                let delivery =
                    DeliveryOptions::builder().tls_policy(TlsPolicy::from(delivery_options.tls_policy)).build();
                let reputation = ReputationOptions::builder()
                    .reputation_metrics_enabled(reputation_options.reputation_metrics_enabled)
                    .build();
                let suppression = SuppressionOptions::builder()
                    .set_suppressed_reasons(Some(reasons(&suppression_options.suppressed_reasons)))
                    .build();
                let request = mail
                    .create_configuration_set()
                    .configuration_set_name(configuration_set_name)
                    .delivery_options(delivery)
                    .reputation_options(reputation)
                    .suppression_options(suppression)
                    .set_tags(Some(self.mail_tags(call, tags)?));
                sent!(self, call, never a rehearsal: request);
                return Ok(Some(configuration_set_name.clone()));
            }
            MailRequest::PutConfigurationSetDeliveryOptions { configuration_set_name, options } => {
                let request =
                    mail.put_configuration_set_delivery_options().configuration_set_name(configuration_set_name);
                sent!(self, call, never a rehearsal: request.tls_policy(TlsPolicy::from(options.tls_policy)));
            }
            MailRequest::PutConfigurationSetReputationOptions { configuration_set_name, options } => {
                let request =
                    mail.put_configuration_set_reputation_options().configuration_set_name(configuration_set_name);
                let on = options.reputation_metrics_enabled;
                sent!(self, call, never a rehearsal: request.reputation_metrics_enabled(on));
            }
            MailRequest::PutConfigurationSetSuppressionOptions { configuration_set_name, options } => {
                let reasons = reasons(&options.suppressed_reasons);
                let request =
                    mail.put_configuration_set_suppression_options().configuration_set_name(configuration_set_name);
                sent!(self, call, never a rehearsal: request.set_suppressed_reasons(Some(reasons)));
            }
            MailRequest::DeleteConfigurationSet { configuration_set_name } => {
                let request = mail.delete_configuration_set().configuration_set_name(configuration_set_name);
                sent!(self, call, never a rehearsal: request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    async fn mail_events(&self, call: &Call, request: &MailRequest) -> Result<Option<String>, AwsFailure> {
        let mail = self.cloud.mail();
        match request {
            MailRequest::CreateConfigurationSetEventDestination {
                configuration_set_name,
                event_destination_name,
                event_destination,
            } => {
                let request = mail
                    .create_configuration_set_event_destination()
                    .configuration_set_name(configuration_set_name)
                    .event_destination_name(event_destination_name)
                    .event_destination(whole(call, definition(event_destination))?);
                sent!(self, call, never a rehearsal: request);
                return Ok(Some(event_destination_name.clone()));
            }
            MailRequest::UpdateConfigurationSetEventDestination {
                configuration_set_name,
                event_destination_name,
                event_destination,
            } => {
                let request = mail
                    .update_configuration_set_event_destination()
                    .configuration_set_name(configuration_set_name)
                    .event_destination_name(event_destination_name)
                    .event_destination(whole(call, definition(event_destination))?);
                sent!(self, call, never a rehearsal: request);
            }
            MailRequest::DeleteConfigurationSetEventDestination { configuration_set_name, event_destination_name } => {
                let request = mail
                    .delete_configuration_set_event_destination()
                    .configuration_set_name(configuration_set_name)
                    .event_destination_name(event_destination_name);
                sent!(self, call, never a rehearsal: request);
            }
            _ => return Err(unsent(call)),
        }
        Ok(None)
    }

    async fn mail_details(&self, call: &Call, details: &Details) -> Result<Option<String>, AwsFailure> {
        let contacts = &details.additional_contact_email_addresses;
        let request = self
            .cloud
            .mail()
            .put_account_details()
            .mail_type(MailType::from(details.mail_type))
            .website_url(&details.website_url)
            .use_case_description(&details.use_case_description)
            .contact_language(ContactLanguage::from(details.contact_language))
            .set_additional_contact_email_addresses((!contacts.is_empty()).then(|| contacts.clone()))
            .production_access_enabled(details.production_access_enabled);
        sent!(self, call, never a rehearsal: request);
        Ok(None)
    }

    /// The answer is the message's id.
    async fn message(&self, call: &Call, message: &Message) -> Result<Option<String>, AwsFailure> {
        let recipients = Destination::builder().set_to_addresses(Some(message.destination.to_addresses.clone()));
        let token = whole(call, MessageTag::builder().name(TOKEN_TAG).value(self.token).build())?;
        let request = self
            .cloud
            .mail()
            .send_email()
            .from_email_address(&message.from_email_address)
            .destination(recipients.build())
            .content(whole(call, content(&message.content))?)
            .set_configuration_set_name(message.configuration_set_name.clone())
            .email_tags(token);
        Ok(sent!(self, call, never a rehearsal: request).message_id)
    }

    fn mail_tags(&self, call: &Call, label: &Label) -> Result<Vec<Tag>, AwsFailure> {
        let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
        let tag = |(key, value): (&str, &str)| Tag::builder().key(key).value(value).build();
        whole(call, stamp.pairs().into_iter().map(tag).collect())
    }
}

/// The SDK takes no request that lacks what AWS requires.
fn whole<T>(call: &Call, built: Result<T, BuildError>) -> Result<T, AwsFailure> {
    built.map_err(|error| AwsFailure {
        meaning: "It lacks something that AWS requires.".to_owned(),
        advice: "Correct the step's values, or report this as a bug.".to_owned(),
        kind: Kind::Invalid,
        fate: Fate::NotExecuted,
        raw: error.to_string(),
        ..unsent(call)
    })
}

fn easy_dkim(wanted: EasyDkim) -> DkimSigningAttributes {
    DkimSigningAttributes::builder()
        .next_signing_key_length(DkimSigningKeyLength::from(wanted.next_signing_key_length))
        .build()
}

fn reasons(names: &[String]) -> Vec<SuppressionListReason> {
    names.iter().map(|name| SuppressionListReason::from(name.as_str())).collect()
}

fn definition(events: &Events) -> Result<EventDestinationDefinition, BuildError> {
    let types = events.matching_event_types.iter().map(|name| EventType::from(name.as_str())).collect();
    let definition =
        EventDestinationDefinition::builder().enabled(events.enabled).set_matching_event_types(Some(types));
    Ok(match &events.target {
        Target::Topic { topic_arn } => {
            definition.sns_destination(SnsDestination::builder().topic_arn(topic_arn).build()?)
        }
        Target::Metrics { dimension_configurations: [one] } => definition.cloud_watch_destination(
            CloudWatchDestination::builder().dimension_configurations(dimension(one)?).build()?,
        ),
    }
    .build())
}

fn dimension(wanted: &Dimension) -> Result<CloudWatchDimensionConfiguration, BuildError> {
    CloudWatchDimensionConfiguration::builder()
        .dimension_name(&wanted.dimension_name)
        .dimension_value_source(DimensionValueSource::from(wanted.dimension_value_source))
        .default_dimension_value(&wanted.default_dimension_value)
        .build()
}

fn content(wanted: &Content) -> Result<EmailContent, BuildError> {
    let text = |data: &str| Text::builder().data(data).charset(CHARSET).build();
    let body = Body::builder().text(text(&wanted.text)?).build();
    let message = Simple::builder().subject(text(&wanted.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}
