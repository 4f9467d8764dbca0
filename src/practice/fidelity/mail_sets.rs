//! SES: configuration sets and the destinations of their events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::control::Resource;
use super::mail::{Ask, bad, tags_of, unknown};
use super::refusal::Refusal;
use super::services::Visit;
use super::world::World;

/// "Event destinations: 10 per configuration set" (Amazon SES quotas).
const MOST_DESTINATIONS: usize = 10;
const REASONS: [&str; 2] = ["BOUNCE", "COMPLAINT"];
/// As policies call it.
const SES: &str = "ses.amazonaws.com";
/// The kinds of destination, of which one has exactly one.
const KINDS: [&str; 5] = [
    "SnsDestination",
    "CloudWatchDestination",
    "KinesisFirehoseDestination",
    "EventBridgeDestination",
    "PinpointDestination",
];

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Set {
    tls: String,
    counts: bool,
    suppressed: Vec<String>,
    /// By name, as they were given.
    destinations: BTreeMap<String, Json>,
}

pub(super) fn answer(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let name = visit.ask.get("ConfigurationSetName").unwrap_or_default().to_owned();
    let destination = visit.ask.get("EventDestinationName").unwrap_or_default().to_owned();
    let action = visit.ask.action().to_owned();
    let world = visit.world();
    match action.as_str() {
        "CreateConfigurationSet" => create(world, ask),
        "GetConfigurationSet" => get(world, &name),
        "DeleteConfigurationSet" => {
            find(world, &name)?;
            world.mail.sets.remove(&name);
            world.forget(&tagged(&name));
            Ok(json!({}))
        }
        "PutConfigurationSetDeliveryOptions" => {
            find(world, &name)?.tls = ask.text(&["TlsPolicy"]).unwrap_or("OPTIONAL").to_owned();
            Ok(json!({}))
        }
        "PutConfigurationSetReputationOptions" => {
            find(world, &name)?.counts = yes(ask, &["ReputationMetricsEnabled"]);
            Ok(json!({}))
        }
        "PutConfigurationSetSuppressionOptions" => {
            find(world, &name)?.suppressed = reasons(ask)?;
            Ok(json!({}))
        }
        "GetConfigurationSetEventDestinations" => {
            let shown = |(name, given): (&String, &Json)| {
                let mut shown = given.clone();
                shown["Name"] = json!(name);
                shown
            };
            let all: Vec<Json> = find(world, &name)?.destinations.iter().map(shown).collect();
            Ok(json!({ "EventDestinations": all }))
        }
        "CreateConfigurationSetEventDestination" => {
            let destination = ask.text(&["EventDestinationName"]).unwrap_or_default().to_owned();
            put(world, &name, &destination, ask, true)
        }
        "UpdateConfigurationSetEventDestination" => put(world, &name, &destination, ask, false),
        "DeleteConfigurationSetEventDestination" => {
            let gone = || unknown(format!("Event destination <{destination}> doesn't exist."));
            find(world, &name)?.destinations.remove(&destination).ok_or_else(gone)?;
            Ok(json!({}))
        }
        other => Err(Refusal::new("UnknownOperationException", format!("The practice cloud does not know {other}"))),
    }
}

fn tagged(name: &str) -> String {
    format!("mailset/{name}")
}

fn yes(ask: &Ask, path: &[&str]) -> bool {
    ask.at(path).and_then(Json::as_bool).unwrap_or(false)
}

/// What puts a recipient on the list of those who get no more mail.
pub(super) fn reasons(ask: &Ask) -> Result<Vec<String>, Refusal> {
    known_reasons(ask.texts(&["SuppressedReasons"]))
}

fn known_reasons(given: Vec<String>) -> Result<Vec<String>, Refusal> {
    match given.iter().find(|reason| !REASONS.contains(&reason.as_str())) {
        None => Ok(given),
        Some(wrong) => Err(bad(format!("{wrong} is not a reason for suppression."))),
    }
}

fn find<'w>(world: &'w mut World, name: &str) -> Result<&'w mut Set, Refusal> {
    let gone = || unknown(format!("Configuration set <{name}> does not exist."));
    if !world.visible(&tagged(name)) {
        return Err(gone());
    }
    world.mail.sets.get_mut(name).ok_or_else(gone)
}

pub(super) fn must_be_there(world: &mut World, name: &str) -> Result<(), Refusal> {
    find(world, name).map(drop)
}

fn create(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let name = ask.text(&["ConfigurationSetName"]).unwrap_or_default().to_owned();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        return Err(bad(format!("Invalid configuration set name <{name}>.")));
    }
    if world.mail.sets.contains_key(&name) {
        return Err(Refusal::new("AlreadyExistsException", format!("Configuration set <{name}> already exists.")));
    }
    let set = Set {
        tls: ask.text(&["DeliveryOptions", "TlsPolicy"]).unwrap_or("OPTIONAL").to_owned(),
        counts: yes(ask, &["ReputationOptions", "ReputationMetricsEnabled"]),
        suppressed: known_reasons(ask.texts(&["SuppressionOptions", "SuppressedReasons"]))?,
        destinations: BTreeMap::new(),
    };
    world.born(&tagged(&name), ask.tags());
    world.mail.sets.insert(name, set);
    Ok(json!({}))
}

fn get(world: &mut World, name: &str) -> Result<Json, Refusal> {
    let tags = tags_of(world, &tagged(name));
    let set = find(world, name)?;
    Ok(json!({
        "ConfigurationSetName": name,
        "DeliveryOptions": { "TlsPolicy": set.tls },
        "ReputationOptions": { "ReputationMetricsEnabled": set.counts },
        "SendingOptions": { "SendingEnabled": true },
        "SuppressionOptions": { "SuppressedReasons": set.suppressed },
        "Tags": tags,
    }))
}

/// A topic of this account by whose policy SES may not publish to it; of those of others nothing is known here.
fn is_closed(world: &World, arn: &str) -> bool {
    let of = |kind: &str| world.control.of_kind(kind, world.now).find(|one| one.id == arn);
    let lets_in =
        |policy: &Resource| policy.model.get("PolicyDocument").is_some_and(|all| all.to_string().contains(SES));
    of("AWS::SNS::Topic").is_some() && !of("AWS::SNS::TopicInlinePolicy").is_some_and(lets_in)
}

fn put(world: &mut World, set: &str, name: &str, ask: &Ask, new: bool) -> Result<Json, Refusal> {
    let given = ask.at(&["EventDestination"]).cloned().unwrap_or_default();
    let (region, account) = (world.region.clone(), world.account.clone());
    let arn = given.pointer("/SnsDestination/TopicArn").and_then(Json::as_str).unwrap_or_default().to_owned();
    let closed = is_closed(world, &arn);
    let destinations = &mut find(world, set)?.destinations;
    match (new, destinations.contains_key(name)) {
        (true, true) => {
            return Err(Refusal::new("AlreadyExistsException", format!("Event destination <{name}> already exists.")));
        }
        (false, false) => return Err(unknown(format!("Event destination <{name}> doesn't exist."))),
        _ => {}
    }
    if new && destinations.len() >= MOST_DESTINATIONS {
        let message = format!("A configuration set takes {MOST_DESTINATIONS} event destinations.");
        return Err(Refusal::new("LimitExceededException", message));
    }
    if KINDS.iter().filter(|kind| given.get(**kind).is_some()).count() != 1 {
        return Err(bad("An event destination has exactly one destination."));
    }
    if given.get("MatchingEventTypes").and_then(Json::as_array).is_none_or(Vec::is_empty) {
        return Err(bad("An event destination has at least one type of event."));
    }
    if given.get("SnsDestination").is_some() {
        if closed {
            return Err(bad(format!("Could not publish to SNS topic <{arn}>.")));
        }
        if !arn.starts_with(&format!("arn:aws:sns:{region}:{account}:")) {
            return Err(bad(format!("SNS topic <{arn}> not found.")));
        }
    }
    destinations.insert(name.to_owned(), given);
    Ok(json!({}))
}
