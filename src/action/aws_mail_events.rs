//! Configuration sets, and where the events of their messages go. A set is known by its name, and so is a destination of
//! its events.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_mail::{Place, marks, otherwise, place, ready};
use super::call::mail::{DeliveryOptions, Dimension, Events, MailRequest, ReputationOptions, Suppression, Target};
use super::call::{Call, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::Subject;
use crate::aws::ec2::types::Tag;
use crate::aws::mail::operation::get_configuration_set::GetConfigurationSetOutput as Set;
use crate::aws::mail::types::{
    CloudWatchDimensionConfiguration, EventDestination, EventType, SuppressionListReason, TlsPolicy,
};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::{Difference, Failure};

const REASONS: [&str; 2] = ["BOUNCE", "COMPLAINT"];
/// What somebody must hear of (domain specification, P03.13).
const TROUBLE: [&str; 3] = ["BOUNCE", "COMPLAINT", "REJECT"];
const EVENTS: [&str; 9] =
    ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT", "DELIVERY_DELAY", "RENDERING_FAILURE", "OPEN", "CLICK"];

/// Words of a list, each one of these; all of `usual` when none is given, and none at all for `none`.
pub(super) fn words(
    arguments: Arguments<'_>,
    name: &str,
    all: &[&str],
    usual: &[&str],
) -> Result<Vec<String>, Failure> {
    let mut given = arguments.list(name)?;
    if given.is_empty() {
        given = usual.iter().map(|&word| word.to_owned()).collect();
    }
    if given == ["none"] {
        return Ok(Vec::new());
    }
    given.sort_unstable();
    given.dedup();
    match given.iter().find(|word| known(word) && !all.contains(&word.as_str())) {
        None => Ok(given),
        Some(wrong) => {
            let what = format!("the argument `{name}` has \"{wrong}\", which is not {}", crate::text::either(all));
            Err(Failure::new(what, "Correct the step in the runbook, or the input that it is made of."))
        }
    }
}

/// What puts a recipient on the list of those who get no more mail.
pub(super) fn suppression(arguments: Arguments<'_>, name: &str) -> Result<Suppression, Failure> {
    Ok(Suppression { suppressed_reasons: words(arguments, name, &REASONS, &REASONS)? })
}

/// In our order.
pub(super) fn reasons(found: &[SuppressionListReason]) -> Vec<String> {
    let mut found: Vec<String> = found.iter().map(|reason| reason.as_str().to_owned()).collect();
    found.sort_unstable();
    found
}

pub(super) fn listed(words: &[String]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { crate::text::list(words) }
}

async fn set(cloud: &Cloud, name: &str) -> Result<Option<Set>, AwsFailure> {
    if !known(name) {
        return Ok(None);
    }
    let request = cloud.mail().get_configuration_set().configuration_set_name(name);
    match cloud.read(Operation::GetConfigurationSet, || request.clone().send()).await {
        Ok(set) => Ok(Some(set)),
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// `aws/mail-configuration-set`
pub(super) struct TheConfigurationSet {
    name: String,
    delivery: DeliveryOptions,
    reputation: ReputationOptions,
    suppression: Suppression,
    label: Label,
}

impl TheConfigurationSet {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let name = arguments.text("name")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if known(&name) && !(name.len() <= 64 && name.chars().all(fits)) {
            let what = format!("the name of a configuration set cannot be \"{name}\"");
            return Err(Failure::new(what, "Use up to 64 letters, digits, - and _."));
        }
        let tls_policy =
            if arguments.one_of("tls", &["required", "optional"])? == "required" { "REQUIRE" } else { "OPTIONAL" };
        Ok(TheConfigurationSet {
            delivery: DeliveryOptions { tls_policy },
            reputation: ReputationOptions {
                reputation_metrics_enabled: arguments.one_of("reputation", &["true", "false"])? == "true",
            },
            suppression: suppression(arguments, "suppress")?,
            label: Label { key: arguments.text("key")?, name: name.clone() },
            name,
        })
    }

    /// What is not as wanted, and what mends it.
    fn amiss(&self, found: &Set) -> (Vec<Difference>, Vec<Call>) {
        let (mut differences, mut missing) = (Vec::new(), Vec::new());
        let configuration_set_name = || self.name.clone();
        let tls =
            found.delivery_options().and_then(|options| options.tls_policy()).map_or("OPTIONAL", TlsPolicy::as_str);
        if tls != self.delivery.tls_policy {
            differences.push(difference("TLS", self.delivery.tls_policy, tls));
            let options = self.delivery;
            missing.push(MailRequest::PutConfigurationSetDeliveryOptions {
                configuration_set_name: configuration_set_name(),
                options,
            });
        }
        let counts = found.reputation_options().is_some_and(|options| options.reputation_metrics_enabled());
        let wanted = self.reputation.reputation_metrics_enabled;
        if counts != wanted {
            let said = |on: bool| if on { "on" } else { "off" };
            differences.push(difference("reputation metrics", said(wanted), said(counts)));
            let options = self.reputation;
            missing.push(MailRequest::PutConfigurationSetReputationOptions {
                configuration_set_name: configuration_set_name(),
                options,
            });
        }
        let suppressed =
            reasons(found.suppression_options().map(|options| options.suppressed_reasons()).unwrap_or_default());
        if suppressed != self.suppression.suppressed_reasons {
            differences.push(difference(
                "suppressed after",
                listed(&self.suppression.suppressed_reasons),
                listed(&suppressed),
            ));
            let options = self.suppression.clone();
            missing.push(MailRequest::PutConfigurationSetSuppressionOptions {
                configuration_set_name: configuration_set_name(),
                options,
            });
        }
        (differences, missing.into_iter().map(Call::Mail).collect())
    }

    async fn tags(&self, at: &Account<'_>) -> Result<Option<Vec<Tag>>, AwsFailure> {
        Ok(set(at.cloud, &self.name).await?.map(|set| marks(set.tags())))
    }

    fn delete(&self) -> Call {
        Call::Mail(MailRequest::DeleteConfigurationSet { configuration_set_name: self.name.clone() })
    }
}

#[async_trait]
impl Thing for TheConfigurationSet {
    fn noun(&self) -> String {
        format!("configuration set {}", self.name)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Mail(MailRequest::CreateConfigurationSet {
            configuration_set_name: self.name.clone(),
            delivery_options: self.delivery,
            reputation_options: self.reputation,
            suppression_options: self.suppression.clone(),
            tags: self.label.clone(),
        })]
    }

    fn id_name(&self) -> &'static str {
        "name"
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let there = set(at.cloud, &self.name).await?;
        let tags = there.as_ref().map(|set| marks(set.tags()));
        let ours = match place(at, &self.noun(), &self.label, &self.name, tags.as_deref()) {
            Place::Usable { ours } => ours,
            Place::Not(sight) => return Ok(sight),
        };
        let Some(there) = there else { return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) }) };
        let (differences, missing) = self.amiss(&there);
        if differences.is_empty() {
            return Ok(ready(ours, format!("{} is there", self.noun()), json!({ "name": self.name })));
        }
        let said = format!("{} is there, but otherwise", self.noun());
        let keep = [("name".to_owned(), json!(self.name))].into();
        Ok(otherwise(ours, Partial { said, differences, missing, keep }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let ours = Holder::Us { key: self.label.key.clone() };
        let tags = self.tags(at).await?;
        Ok(tags.filter(|tags| at.holder(Some(tags)) == ours).map(|_| self.name.clone()).into_iter().collect())
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.delete()]
    }

    async fn holder(&self, at: &Account<'_>, _id: &str) -> Result<Holder, AwsFailure> {
        Ok(at.holder(self.tags(at).await?.as_deref()))
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let tags = self.tags(at).await?;
        Ok(at.remains(&self.name, tags.as_deref().map(Some), vec![self.delete()]))
    }
}

/// `aws/mail-events`: a destination goes with its set, and carries no tags of its own.
pub(super) struct TheEvents {
    set: String,
    name: String,
    events: Events,
}

impl TheEvents {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let (set, name) = (arguments.text("set")?, arguments.text("name")?);
        let target = match (arguments.optional("topic")?, arguments.optional("dimension")?) {
            (Some(topic_arn), None) => Target::Topic { topic_arn },
            (None, Some(dimension_name)) => {
                let default = arguments.optional("default")?.unwrap_or_else(|| set.clone());
                Target::Metrics {
                    dimension_configurations: [Dimension {
                        dimension_name,
                        dimension_value_source: "MESSAGE_TAG",
                        default_dimension_value: default,
                    }],
                }
            }
            _ => {
                let what = "aws/mail-events takes either `topic` or `dimension`";
                return Err(Failure::new(what, "Correct the step in the runbook."));
            }
        };
        let matching_event_types = words(arguments, "events", &EVENTS, &TROUBLE)?;
        Ok(TheEvents { set, name, events: Events { enabled: true, matching_event_types, target } })
    }

    async fn destination(&self, at: &Account<'_>) -> Result<Option<EventDestination>, AwsFailure> {
        if !known(&self.set) {
            return Ok(None);
        }
        let request = at.cloud.mail().get_configuration_set_event_destinations().configuration_set_name(&self.set);
        let answer = at.cloud.read(Operation::GetConfigurationSetEventDestinations, || request.clone().send()).await;
        match answer {
            Ok(there) => {
                let all = there.event_destinations.unwrap_or_default();
                Ok(all.into_iter().find(|one| one.name() == self.name))
            }
            Err(failure) if failure.kind == Kind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn differences(&self, there: &EventDestination) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut types: Vec<String> =
            there.matching_event_types().iter().map(EventType::as_str).map(str::to_owned).collect();
        types.sort_unstable();
        if types != self.events.matching_event_types {
            differences.push(difference("events", listed(&self.events.matching_event_types), listed(&types)));
        }
        if !there.enabled() {
            differences.push(difference("state", "on", "off"));
        }
        let (wanted, now) =
            (self.events.target.said(), target(there).map_or("another service".to_owned(), |one| one.said()));
        if known(&wanted) && wanted != now {
            differences.push(difference("where they go", wanted, now));
        }
        differences
    }

    fn put(&self, update: bool) -> Call {
        let (configuration_set_name, event_destination_name) = (self.set.clone(), self.name.clone());
        let event_destination = self.events.clone();
        Call::Mail(match update {
            true => MailRequest::UpdateConfigurationSetEventDestination {
                configuration_set_name,
                event_destination_name,
                event_destination,
            },
            false => MailRequest::CreateConfigurationSetEventDestination {
                configuration_set_name,
                event_destination_name,
                event_destination,
            },
        })
    }
}

impl Target {
    fn said(&self) -> String {
        match self {
            Target::Topic { topic_arn } => format!("the topic {topic_arn}"),
            Target::Metrics { dimension_configurations: [one] } => {
                format!("CloudWatch, by {} or {}", one.dimension_name, one.default_dimension_value)
            }
        }
    }
}

/// Where a destination of AWS leads; none where to a service that onramp does not use.
fn target(there: &EventDestination) -> Option<Target> {
    if let Some(topic) = there.sns_destination() {
        return Some(Target::Topic { topic_arn: topic.topic_arn().to_owned() });
    }
    let dimension = |one: &CloudWatchDimensionConfiguration| Dimension {
        dimension_name: one.dimension_name().to_owned(),
        dimension_value_source: "MESSAGE_TAG",
        default_dimension_value: one.default_dimension_value().to_owned(),
    };
    match there.cloud_watch_destination()?.dimension_configurations() {
        [one] => Some(Target::Metrics { dimension_configurations: [dimension(one)] }),
        _ => None,
    }
}

#[async_trait]
impl Thing for TheEvents {
    fn noun(&self) -> String {
        format!("event destination {} of {}", self.name, self.set)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.put(false)]
    }

    fn id_name(&self) -> &'static str {
        "name"
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(there) = self.destination(at).await? else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let differences = self.differences(&there);
        if differences.is_empty() {
            let said = format!("{} go to {}", listed(&self.events.matching_event_types), self.events.target.said());
            return Ok(Sight::Ready(found(said, json!({ "name": self.name }))));
        }
        // What is in our set is ours to change.
        let tags = set(at.cloud, &self.set).await?.map(|set| marks(set.tags()));
        let said = format!("{} is there, but otherwise", self.noun());
        let keep = [("name".to_owned(), json!(self.name))].into();
        let partial = Partial { said, differences, missing: vec![self.put(true)], keep };
        Ok(otherwise(at.is_ours(tags.as_deref()), partial))
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Mail(MailRequest::DeleteConfigurationSetEventDestination {
            configuration_set_name: self.set.clone(),
            event_destination_name: self.name.clone(),
        })]
    }

    async fn holder(&self, at: &Account<'_>, _id: &str) -> Result<Holder, AwsFailure> {
        Ok(at.holder(set(at.cloud, &self.set).await?.map(|set| marks(set.tags())).as_deref()))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match self.destination(at).await? {
            Some(_) => Remains::Takes(self.inverse("", made)),
            None => Remains::Gone,
        })
    }
}
