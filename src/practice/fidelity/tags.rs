//! Tags: inside the create calls, and by themselves.

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::refusal::Refusal;
use super::request::Request;
use super::world::Tags;
use super::xml::Xml;

/// Restrictions: docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions.
const MOST_TAGS: usize = 50;

/// The tags that a create call gives to the objects of one kind; `allowed` are the kinds that this call can make.
pub(super) fn given(ask: &Request, kind: Kind, allowed: &[Kind]) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    // One call of EC2 names them otherwise.
    for prefix in ask.prefixes("TagSpecification").into_iter().chain(ask.prefixes("TagSpecifications")) {
        let resource_type = ask.need(&format!("{prefix}ResourceType"))?;
        if !allowed.iter().any(|kind| kind.resource_type() == resource_type) {
            let message = format!("'{resource_type}' is not a valid taggable resource type for this operation.");
            return Err(Refusal::value(message));
        }
        let read = read(ask, &prefix)?;
        if resource_type == kind.resource_type() {
            tags.extend(read);
        }
    }
    Ok(tags)
}

/// The same for the calls that make objects of one kind only.
pub(super) fn of(ask: &Request, kind: Kind) -> Result<Tags, Refusal> {
    given(ask, kind, &[kind])
}

fn read(ask: &Request, prefix: &str) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for tag in ask.prefixes(&format!("{prefix}Tag")) {
        let key = ask.need(&format!("{tag}Key"))?;
        let value = ask.get(&format!("{tag}Value")).unwrap_or_default();
        check(key, value)?;
        if tags.insert(key.to_string(), value.to_string()).is_some() {
            return Err(Refusal::value(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(tags)
}

fn check(key: &str, value: &str) -> Result<(), Refusal> {
    let invalid = |what: &str, text: &str, why: &str| {
        Err(Refusal::value(format!("Value ( {text} ) for parameter {what} is invalid. {why}")))
    };
    match (key, value) {
        (key, _) if key.to_ascii_lowercase().starts_with("aws:") => {
            invalid("key", key, "Tag keys starting with 'aws:' are reserved for internal use")
        }
        (key, _) if key.chars().count() > 128 => {
            invalid("key", key, "Tag key exceeds the maximum length of 128 characters")
        }
        (_, value) if value.chars().count() > 256 => {
            invalid("value", value, "Tag value exceeds the maximum length of 256 characters")
        }
        _ => Ok(()),
    }
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let ids = resources(call)?;
    let tags = read(call.ask, "")?;
    if tags.is_empty() {
        return Err(Refusal::missing("Tag"));
    }
    for id in &ids {
        let mut all = call.world.tags.get(id).cloned().unwrap_or_default();
        all.extend(tags.clone());
        if all.len() > MOST_TAGS {
            let message = format!("The maximum number of Tags for a resource has been reached: {id}");
            return Err(Refusal::new("TagLimitExceeded", message));
        }
    }
    call.pass().await?;
    for id in ids {
        call.world.tags.entry(id).or_default().extend(tags.clone());
    }
    Ok(Xml::new().text("return", true))
}

/// A tag with a value is removed only when the value is the same; without one, whatever its value.
pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let ids = resources(call)?;
    call.pass().await?;
    for id in ids {
        let Some(tags) = call.world.tags.get_mut(&id) else { continue };
        let wanted = call.ask.prefixes("Tag");
        if wanted.is_empty() {
            tags.clear();
        }
        for tag in wanted {
            let key = call.ask.need(&format!("{tag}Key"))?;
            let value = call.ask.get(&format!("{tag}Value"));
            if value.is_none_or(|value| tags.get(key).is_some_and(|has| has == value)) {
                tags.remove(key);
            }
        }
    }
    Ok(Xml::new().text("return", true))
}

fn resources(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let ids = call.ask.list("ResourceId");
    if ids.is_empty() {
        return Err(Refusal::missing("ResourceId"));
    }
    for id in &ids {
        let unknown = || Refusal::new("InvalidID", format!("The ID '{id}' is not valid"));
        let kind = Kind::of(id).ok_or_else(unknown)?;
        kind.check_shape(id)?;
        if !call.world.exists(kind, id) || !call.world.visible(id) {
            return Err(kind.not_found(id));
        }
    }
    Ok(ids.into_iter().map(str::to_string).collect())
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let item = |(id, key, value): (&String, &String, &String)| {
        let kind = Kind::of(id).map(Kind::resource_type).unwrap_or_default();
        // The tag itself, so that `tag:KEY` filters find it; the SDK does not read it.
        let tag = Xml::new().text("key", key).text("value", value);
        Xml::new()
            .text("resourceId", id)
            .text("resourceType", kind)
            .text("key", key)
            .text("value", value)
            .set("tagSet", [tag])
    };
    let of_ec2 = |id: &str| Kind::of(id).is_some();
    let tags = call.world.tags.iter().filter(|(id, _)| call.world.visible(id) && of_ec2(id));
    let items = tags.flat_map(|(id, tags)| tags.iter().map(move |(key, value)| (id, key, value))).map(item);
    let filters =
        &[("key", "key"), ("value", "value"), ("resource-id", "resourceId"), ("resource-type", "resourceType")];
    describe(call.ask, "tagSet", items.collect(), filters)
}
