//! AWS Secrets Manager, as far as onramp uses it: JSON in, JSON out.
//!
//! Rules: "AWS Secrets Manager API Reference", the pages of the seven operations below. A token that was used with
//! another text is refused, a name that is scheduled for deletion is taken, and what is scheduled cannot be read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tags, World};

impl Secret {
    /// As an object of an engagement: its engagement and key; none while it is scheduled for deletion.
    pub(super) fn keyed(&self) -> Option<(&String, &String)> {
        let tagged = self.tags.get("onramp:engagement").zip(self.tags.get("onramp:key"));
        tagged.filter(|_| self.going.is_none())
    }
}

/// One secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    arn: String,
    name: String,
    description: String,
    tags: Tags,
    created: i64,
    /// When it will be gone.
    going: Option<i64>,
    /// Texts by the token under which each was stored.
    versions: BTreeMap<String, String>,
    current: String,
}

const DAY: i64 = 86_400_000;

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let action = visit.ask.action();
    let ask = serde_json::from_str(&visit.ask.body).map_err(|_| Refusal::new("SerializationException", ""))?;
    let ask = Ask(ask);
    let world = visit.world();
    let now = world.now;
    world.secrets.retain(|_, secret| secret.going.is_none_or(|going| going > now));
    let answered = match action {
        "CreateSecret" => create(world, &ask),
        "DescribeSecret" => describe(world, &ask),
        "GetSecretValue" => get(world, &ask),
        "PutSecretValue" => put(world, &ask),
        "DeleteSecret" => delete(world, &ask),
        "RestoreSecret" => restore(world, &ask),
        "ListSecrets" => Ok(list(world)),
        other => Err(Refusal::new("UnknownOperationException", format!("The practice cloud does not know {other}"))),
    };
    answered.map(|json| Some(json.to_string()))
}

struct Ask(Map<String, Json>);

impl Ask {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Json::as_str)
    }

    fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| invalid(&format!("You must provide {name}.")))
    }

    fn token(&self) -> Result<&str, Refusal> {
        let token = self.need("ClientRequestToken")?;
        let fits = (32..=64).contains(&token.len());
        if fits { Ok(token) } else { Err(invalid("ClientRequestToken must have 32 to 64 characters.")) }
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

fn request(message: &str) -> Refusal {
    Refusal::new("InvalidRequestException", message)
}

fn find<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Secret, Refusal> {
    let id = ask.need("SecretId")?;
    let unknown = || Refusal::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    let named = world.secrets.values().find(|secret| secret.name == id || secret.arn == id);
    let name = named.filter(|secret| world.visible(&secret.arn)).map(|secret| secret.name.clone());
    name.and_then(|name| world.secrets.get_mut(&name)).ok_or_else(unknown)
}

fn readable<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Secret, Refusal> {
    let secret = find(world, ask)?;
    let going = "You can't perform this operation on the secret because it was marked for deletion.";
    if secret.going.is_some() { Err(request(going)) } else { Ok(secret) }
}

fn create(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (name, token, text) = (ask.need("Name")?, ask.token()?, ask.need("SecretString")?);
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c)) || name.len() > 512 {
        return Err(invalid(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of: -/_+=.@!",
        ));
    }
    if let Some(secret) = world.secrets.get(name) {
        if secret.going.is_some() {
            let message =
                "You can't create this secret because a secret with this name is already scheduled for deletion.";
            return Err(request(message));
        }
        if secret.versions.get(token).is_some_and(|stored| stored == text) {
            return Ok(json!({ "ARN": secret.arn, "Name": name, "VersionId": token }));
        }
        let message = format!("The operation failed because the secret {name} already exists.");
        return Err(Refusal::new("ResourceExistsException", message));
    }
    let tag = |tag: &Json| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.as_str()?.to_owned()));
    let tags = ask.0.get("Tags").and_then(Json::as_array).into_iter().flatten().filter_map(tag).collect();
    let arn = keep(world, name, tags, (token, text));
    if let Some(secret) = world.secrets.get_mut(name) {
        secret.description = ask.text("Description").unwrap_or_default().to_owned();
    }
    Ok(json!({ "ARN": arn, "Name": name, "VersionId": token }))
}

/// A new one with its first version, a text under a token; gives its ARN.
fn keep(world: &mut World, name: &str, tags: Tags, (token, text): (&str, &str)) -> String {
    world.minted += 1;
    let ending = &blake3::hash(format!("{name}{}", world.minted).as_bytes()).to_hex()[..6];
    let arn = format!("arn:aws:secretsmanager:{}:{}:secret:{name}-{ending}", world.region, world.account);
    world.appears(&arn);
    let secret = Secret {
        arn: arn.clone(),
        name: name.to_owned(),
        description: String::new(),
        tags,
        created: world.now,
        going: None,
        versions: BTreeMap::from([(token.to_owned(), text.to_owned())]),
        current: token.to_owned(),
    };
    world.secrets.insert(name.to_owned(), secret);
    arn
}

/// One that a service of AWS makes under its own role, by a name that nobody else may give, and takes away again ("Secrets
/// managed by other AWS services"). Gives its ARN.
pub(super) fn made_by(world: &mut World, service: &str, name: &str, text: &str) -> String {
    let tags = Tags::from([("aws:secretsmanager:owningService".to_owned(), service.to_owned())]);
    keep(world, &format!("{service}!{name}"), tags, ("1", text))
}

/// Its service takes it away, at once.
pub(super) fn taken_by_its_service(world: &mut World, arn: &str) {
    world.secrets.retain(|_, secret| secret.arn != arn);
}

/// What Direct Connect begins the names of its own secrets with ("Managed secrets", Secrets Manager user guide).
const OF_LINES: &str = "directconnect!";

/// A key for MACsec, as Direct Connect keeps it: name and text in a secret of its own. Gives its ARN.
pub(super) fn keep_key(world: &mut World, ckn: &str, cak: &str) -> String {
    world.minted += 1;
    let name = format!("{OF_LINES}{}/{ckn}", world.region);
    let ending = &blake3::hash(format!("{name}{}", world.minted).as_bytes()).to_hex()[..6];
    let arn = format!("arn:aws:secretsmanager:{}:{}:secret:{name}-{ending}", world.region, world.account);
    let token = format!("onramp-practice-{:032}", world.minted);
    let secret = Secret {
        arn: arn.clone(),
        name: name.clone(),
        description: String::new(),
        tags: Tags::new(),
        created: world.now,
        going: None,
        versions: BTreeMap::from([(token.clone(), json!({ "ckn": ckn, "cak": cak }).to_string())]),
        current: token,
    };
    world.secrets.insert(name, secret);
    arn
}

/// The name of the key in one of those.
pub(super) fn key_name(world: &World, arn: &str) -> Option<String> {
    let secret = world.secrets.values().find(|secret| secret.arn == arn && secret.going.is_none())?;
    let ckn = secret.name.strip_prefix(OF_LINES)?.rsplit_once('/')?.1;
    Some(ckn.to_owned())
}

fn describe(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let secret = find(world, ask)?;
    let tags: Vec<Json> = secret.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let stages = |version: &String| if *version == secret.current { vec!["AWSCURRENT"] } else { Vec::new() };
    let versions: Map<String, Json> =
        secret.versions.keys().map(|version| (version.clone(), json!(stages(version)))).collect();
    let mut seen = json!({
        "ARN": secret.arn, "Name": secret.name, "Description": secret.description, "Tags": tags,
        "CreatedDate": seconds(secret.created), "VersionIdsToStages": versions,
    });
    if let Some(going) = secret.going {
        seen["DeletedDate"] = json!(seconds(going));
    }
    Ok(seen)
}

fn seconds(millis: i64) -> f64 {
    std::time::Duration::from_millis(millis.unsigned_abs()).as_secs_f64()
}

fn get(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let secret = readable(world, ask)?;
    Ok(json!({
        "ARN": secret.arn, "Name": secret.name, "VersionId": secret.current, "VersionStages": ["AWSCURRENT"],
        "SecretString": secret.versions.get(&secret.current), "CreatedDate": seconds(secret.created),
    }))
}

fn put(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (token, text) = (ask.token()?.to_owned(), ask.need("SecretString")?.to_owned());
    let secret = readable(world, ask)?;
    if secret.versions.get(&token).is_some_and(|stored| *stored != text) {
        let message = "You can't modify the value of an existing version, you can only create a new version.";
        return Err(Refusal::new("ResourceExistsException", message));
    }
    secret.versions.insert(token.clone(), text);
    secret.current.clone_from(&token);
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": ["AWSCURRENT"] }))
}

fn delete(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let days = ask.0.get("RecoveryWindowInDays").and_then(Json::as_i64).unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let now = world.now;
    let secret = readable(world, ask)?;
    let going = *secret.going.get_or_insert(now + days * DAY);
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": seconds(going) }))
}

fn restore(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let secret = find(world, ask)?;
    secret.going = None;
    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
}

fn list(world: &World) -> Json {
    let seen = world.secrets.values().filter(|secret| secret.going.is_none());
    json!({ "SecretList": seen.map(|secret| json!({ "ARN": secret.arn, "Name": secret.name })).collect::<Vec<_>>() })
}
