//! Cloud Control: requests that are taken at once and carried out by and by.
//!
//! Rules: "Cloud Control API User Guide" (resource operations, ensuring that requests are unique) and "API Reference", the
//! page of each operation. A request that is sent again under its token is answered with how it stands, for 36 hours; a
//! resource takes one request at a time. What the handlers of the types do is in `control_types`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::control_types::{self, Model};
use super::control_zones;
use super::pace::Wait;
use super::rds;
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tags, World};
use crate::aws::{ResourceType, TagStyle};

pub(super) const DATABASE: &str = "AWS::RDS::DBInstance";
const HOUR: i64 = 3_600_000;
/// Client tokens are forgotten after that.
const TOKENS: i64 = 36 * HOUR;
/// Requests can be asked about for so long.
const REQUESTS: i64 = 7 * 24 * HOUR;

/// What Cloud Control knows in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Control {
    /// By type and identifier, as [`place`] writes them.
    pub resources: BTreeMap<String, Resource>,
    /// The oldest first.
    requests: Vec<Request>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Resource {
    pub kind: String,
    pub id: String,
    /// What can be read back.
    pub model: Model,
    /// From when it can be seen, and until when.
    from: i64,
    until: Option<i64>,
    /// Objects in a bucket.
    #[serde(default)]
    pub full: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    token: String,
    client_token: String,
    /// What was asked, so that the same can be told from another.
    asked: String,
    operation: String,
    kind: String,
    id: Option<String>,
    at: i64,
    ends: i64,
    /// Handler error code and message.
    failure: Option<(String, String)>,
}

/// Under which it stands, and its tags do.
pub(super) fn place(kind: &str, id: &str) -> String {
    format!("{kind}/{id}")
}

impl Control {
    /// One that can be seen now.
    pub fn seen<'w>(&'w self, world: &World, kind: &str, id: &str) -> Option<&'w Resource> {
        let place = place(kind, id);
        self.resources.get(&place).filter(|one| one.is_there(world.now) && world.visible(&place))
    }

    /// Is a request about it on its way?
    pub fn is_going_on(&self, kind: &str, id: &str, now: i64) -> bool {
        self.requests.iter().any(|one| one.kind == kind && one.id.as_deref() == Some(id) && one.ends > now)
    }

    /// All of a type that are there, seen or not.
    pub fn of_kind(&self, kind: &str, now: i64) -> impl Iterator<Item = &Resource> {
        self.resources.values().filter(move |one| one.kind == kind && one.is_there(now))
    }
}

impl Resource {
    fn is_there(&self, now: i64) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask = serde_json::from_str(&visit.ask.body).map_err(|_| Refusal::new("SerializationException", ""))?;
    let (ask, action) = (Ask(ask), visit.ask.action().to_owned());
    if ask.text("TypeName") == control_zones::ZONE {
        control_zones::mirror(visit);
    }
    let world = visit.world();
    settle(world);
    let answered = match action.as_str() {
        "GetResource" => get(world, &ask),
        "ListResources" => list(world, &ask),
        "CreateResource" | "UpdateResource" | "DeleteResource" => request(world, &ask, &action),
        "GetResourceRequestStatus" => status(world, &ask),
        "ListResourceRequests" => Ok(requests(world, &ask)),
        other => Err(Refusal::new("UnknownOperationException", format!("The practice cloud does not know {other}"))),
    };
    answered.map(|json| Some(json.to_string()))
}

/// What has ended has its effect; what is long past is forgotten.
fn settle(world: &mut World) {
    let now = world.now;
    let gone = |one: &Resource| one.until.is_some_and(|until| until <= now);
    let places: Vec<String> =
        world.control.resources.iter().filter(|(_, one)| gone(one)).map(|(place, _)| place.clone()).collect();
    for place in places {
        world.control.resources.remove(&place);
        world.forget(&place);
    }
    world.control.requests.retain(|one| one.at + REQUESTS > now);
}

struct Ask(Map<String, Json>);

impl Ask {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    fn kind(&self) -> Result<&'static ResourceType, Refusal> {
        let name = self.text("TypeName");
        let unknown = || Refusal::new("TypeNotFoundException", format!("The type '{name}' cannot be found here."));
        ResourceType::named(name).ok_or_else(unknown)
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationException", message)
}

fn not_found(kind: &str, id: &str) -> Refusal {
    let message = format!("Resource of type '{kind}' with identifier '{id}' was not found.");
    Refusal::new("ResourceNotFoundException", message)
}

fn get(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let (kind, id) = (ask.kind()?, ask.text("Identifier"));
    let seen = world.control.seen(world, kind.name, id).ok_or_else(|| not_found(kind.name, id))?;
    let properties = Json::Object(seen.model.clone()).to_string();
    Ok(json!({ "TypeName": kind.name, "ResourceDescription": { "Identifier": id, "Properties": properties } }))
}

/// Of each only the identifier: the handlers of most types list no more.
fn list(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let kind = ask.kind()?;
    let within: Model = serde_json::from_str(ask.text("ResourceModel")).unwrap_or_default();
    if let Some(missing) = kind.listed_in().find(|name| !within.contains_key(*name)) {
        let message = format!(
            "Missing or invalid ResourceModel property in {} list handler request input. Required property: [{missing}]",
            kind.name
        );
        return Err(Refusal::new("InvalidRequestException", message));
    }
    let described = |one: &Resource| {
        let own = kind.identifiers().filter_map(|name| Some((name.to_owned(), one.model.get(name)?.clone())));
        let properties = Json::Object(own.collect()).to_string();
        json!({ "Identifier": one.id, "Properties": properties })
    };
    let is_within = |one: &&Resource| kind.listed_in().all(|name| one.model.get(name) == within.get(name));
    let seen = world.control.of_kind(kind.name, world.now).filter(is_within);
    let seen = seen.filter(|one| world.visible(&place(kind.name, &one.id)));
    Ok(json!({ "TypeName": kind.name, "ResourceDescriptions": seen.map(described).collect::<Vec<_>>() }))
}

/// One that another service makes; false where there is one of that name already.
pub(super) fn put(world: &mut World, kind: &str, id: &str, model: Model) -> bool {
    let place = place(kind, id);
    if id.is_empty() || world.control.resources.contains_key(&place) {
        return false;
    }
    world.appears(&place);
    let from = world.now;
    let made = Resource { kind: kind.to_owned(), id: id.to_owned(), model, from, until: None, full: false };
    world.control.resources.insert(place, made);
    true
}

/// Takes a request: what is wrong with it as such is said at once, what its handler says at its end.
fn request(world: &mut World, ask: &Ask, action: &str) -> Result<Json, Refusal> {
    let kind = ask.kind()?;
    let operation = action.trim_end_matches("Resource").to_uppercase();
    let client_token = client_token(world, ask)?;
    let mut asked = ask.0.clone();
    asked.remove("ClientToken");
    let asked = blake3::hash(format!("{action} {}", Json::Object(asked)).as_bytes()).to_hex().to_string();
    let now = world.now;
    let before = world.control.requests.iter().find(|one| one.client_token == client_token && one.at + TOKENS > now);
    if let Some(before) = before {
        if before.asked != asked {
            let message = format!("Client token {client_token} was used in another resource request.");
            return Err(Refusal::new("ClientTokenConflictException", message));
        }
        return Ok(json!({ "ProgressEvent": event(before, now) }));
    }
    let wait = if kind.name == DATABASE { Wait::Database } else { Wait::Resource };
    let ends = now + world.pace.millis(wait);
    let (id, failure) = match operation.as_str() {
        "CREATE" => create(world, kind, ask, ends)?,
        "UPDATE" => update(world, kind, ask)?,
        _ => delete(world, kind, ask, ends)?,
    };
    let token = world.mint("request");
    let made =
        Request { token, client_token, asked, operation, kind: kind.name.to_owned(), id, at: now, ends, failure };
    // AWS never says at once how it ended.
    let taken = json!({ "ProgressEvent": event_as(&made, "IN_PROGRESS") });
    world.control.requests.push(made);
    Ok(taken)
}

fn client_token(world: &mut World, ask: &Ask) -> Result<String, Refusal> {
    let given = ask.text("ClientToken");
    let good = |c: char| c.is_ascii_alphanumeric() || "-+/=".contains(c);
    if given.len() > 128 || !given.chars().all(good) {
        return Err(invalid("ClientToken must match [-A-Za-z0-9+/=]+ and have at most 128 characters"));
    }
    Ok(if given.is_empty() { world.mint("token") } else { given.to_owned() })
}

type Taken = (Option<String>, Option<(String, String)>);

fn failed(id: Option<String>, (code, message): (&str, String)) -> Taken {
    (id, Some((code.to_owned(), message)))
}

fn busy(world: &World, kind: &str, id: &str) -> Result<(), Refusal> {
    let going = |one: &&Request| one.kind == kind && one.id.as_deref() == Some(id) && one.ends > world.now;
    match world.control.requests.iter().find(going) {
        Some(other) => {
            let message = format!("A {} of {kind} '{id}' is still in progress.", other.operation);
            Err(Refusal::new("ConcurrentOperationException", message))
        }
        None => Ok(()),
    }
}

fn create(world: &mut World, kind: &'static ResourceType, ask: &Ask, from: i64) -> Result<Taken, Refusal> {
    let state: Json =
        serde_json::from_str(ask.text("DesiredState")).map_err(|_| invalid("DesiredState is not JSON"))?;
    let Json::Object(state) = state else { return Err(invalid("DesiredState is not a JSON object")) };
    control_types::check(kind, &state)?;
    let named = control_types::named(kind, &state);
    if let Some(id) = &named {
        busy(world, kind.name, id)?;
    }
    if let Err(failure) = control_types::may_make(world, kind, &state) {
        return Ok(failed(named, failure));
    }
    let (id, mut model) = control_types::made(world, kind, state);
    let place = place(kind.name, &id);
    if world.control.resources.contains_key(&place) {
        let message = format!("Resource of type '{}' with identifier '{id}' already exists.", kind.name);
        return Ok(failed(Some(id), ("AlreadyExists", message)));
    }
    forget_what_is_not_shown(kind, &mut model);
    world.born(&place, tags(kind, &model));
    // A database is shown while it is being made.
    let from = if kind.name == DATABASE { world.now } else { from };
    let made = Resource { kind: kind.name.to_owned(), id: id.clone(), model, from, until: None, full: false };
    world.control.resources.insert(place, made);
    Ok((Some(id), None))
}

fn update(world: &mut World, kind: &'static ResourceType, ask: &Ask) -> Result<Taken, Refusal> {
    let id = ask.text("Identifier").to_owned();
    busy(world, kind.name, &id)?;
    let seen = world.control.seen(world, kind.name, &id).ok_or_else(|| not_found(kind.name, &id))?;
    let before = Json::Object(seen.model.clone());
    let patch: Vec<Json> =
        serde_json::from_str(ask.text("PatchDocument")).map_err(|_| invalid("PatchDocument is not a list"))?;
    let mut after = before.clone();
    for step in &patch {
        apply(&mut after, step)?;
    }
    let Json::Object(mut model) = after else { return Err(invalid("The patch leaves no object")) };
    if let Some(fixed) = control_types::fixed(kind, &before, &Json::Object(model.clone())) {
        let message = format!("Invalid patch update: createOnlyProperties [/properties/{fixed}] cannot be updated");
        return Ok(failed(Some(id), ("NotUpdatable", message)));
    }
    let mut asked = model.clone();
    asked.retain(|name, _| kind.read_only().all(|one| one != name));
    control_types::check(kind, &asked)?;
    if let Err(failure) = control_types::may_be(world, kind, &model) {
        return Ok(failed(Some(id), failure));
    }
    forget_what_is_not_shown(kind, &mut model);
    let place = place(kind.name, &id);
    world.tags.insert(place.clone(), tags(kind, &model));
    if let Some(there) = world.control.resources.get_mut(&place) {
        there.model = model;
    }
    Ok((Some(id), None))
}

fn delete(world: &mut World, kind: &'static ResourceType, ask: &Ask, until: i64) -> Result<Taken, Refusal> {
    let id = ask.text("Identifier").to_owned();
    busy(world, kind.name, &id)?;
    let Some(there) = world.control.resources.get(&place(kind.name, &id)) else {
        let message = format!("Resource of type '{}' with identifier '{id}' was not found.", kind.name);
        return Ok(failed(Some(id), ("NotFound", message)));
    };
    if let Err(failure) = control_types::may_go(world, there) {
        return Ok(failed(Some(id), failure));
    }
    if kind.name == DATABASE {
        rds::last_snapshot(world, &id);
    }
    if let Some(there) = world.control.resources.get_mut(&place(kind.name, &id)) {
        there.until = Some(until);
    }
    settle(world);
    Ok((Some(id), None))
}

fn forget_what_is_not_shown(kind: &ResourceType, model: &mut Model) {
    model.retain(|name, _| kind.write_only().all(|one| one != name));
}

fn tags(kind: &ResourceType, model: &Model) -> Tags {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    match (kind.tags, kind.tags.property().and_then(|property| model.get(property))) {
        (TagStyle::Map(_), Some(Json::Object(map))) => map.iter().map(|(k, v)| (k.clone(), text(v))).collect(),
        (TagStyle::List(_), Some(Json::Array(all))) => {
            all.iter().map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
        }
        _ => Tags::new(),
    }
}

/// One step of a JSON patch (RFC 6902).
fn apply(model: &mut Json, step: &Json) -> Result<(), Refusal> {
    let text = |name: &str| step.get(name).and_then(Json::as_str).unwrap_or_default();
    let (op, path) = (text("op"), text("path"));
    let lost = || invalid(format!("The path {path} of the patch is not there"));
    let (parent, last) = path.rsplit_once('/').ok_or_else(lost)?;
    let last = last.replace("~1", "/").replace("~0", "~");
    let parent = if parent.is_empty() { Some(model) } else { model.pointer_mut(parent) };
    let Some(Json::Object(parent)) = parent else { return Err(lost()) };
    let value = || step.get("value").cloned().ok_or_else(|| invalid(format!("The step for {path} has no value")));
    match op {
        "add" => drop(parent.insert(last, value()?)),
        "replace" if parent.contains_key(&last) => drop(parent.insert(last, value()?)),
        "remove" if parent.remove(&last).is_some() => {}
        "replace" | "remove" => return Err(lost()),
        other => return Err(invalid(format!("The practice cloud does not do the operation {other} of a patch"))),
    }
    Ok(())
}

fn status(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let token = ask.text("RequestToken");
    let unknown =
        || Refusal::new("RequestTokenNotFoundException", format!("Request with token {token} was not found."));
    let found = world.control.requests.iter().find(|one| one.token == token).ok_or_else(unknown)?;
    Ok(json!({ "ProgressEvent": event(found, world.now) }))
}

fn requests(world: &World, ask: &Ask) -> Json {
    let wanted = |list: &str, value: &str| {
        let asked = ask.0.get("ResourceRequestStatusFilter").and_then(|filter| filter.get(list));
        asked.and_then(Json::as_array).is_none_or(|asked| asked.is_empty() || asked.iter().any(|one| one == value))
    };
    let all = world.control.requests.iter().map(|one| event(one, world.now));
    let fits = |event: &Json| {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        wanted("Operations", &text("Operation")) && wanted("OperationStatuses", &text("OperationStatus"))
    };
    json!({ "ResourceRequestStatusSummaries": all.filter(fits).collect::<Vec<_>>() })
}

fn event(request: &Request, now: i64) -> Json {
    event_as(
        request,
        match &request.failure {
            _ if now < request.ends => "IN_PROGRESS",
            Some(_) => "FAILED",
            None => "SUCCESS",
        },
    )
}

fn event_as(request: &Request, status: &str) -> Json {
    let mut event = json!({
        "TypeName": request.kind, "RequestToken": request.token, "Operation": request.operation,
        "OperationStatus": status, "EventTime": request.at / 1_000,
    });
    if let Some(id) = &request.id {
        event["Identifier"] = json!(id);
    }
    if let Some((code, message)) = request.failure.as_ref().filter(|_| status == "FAILED") {
        (event["ErrorCode"], event["StatusMessage"]) = (json!(code), json!(message));
    }
    event
}
