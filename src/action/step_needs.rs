//! What a step needs beside the permissions of its operations, as far as its arguments tell. What is not told yet may be
//! anything: more is named then, and nothing is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::arguments::{Arguments, known};
use super::registry::{RESOURCE, needs};
use crate::aws::{ANY, Passed, ResourceType, TO_BACKUP, TO_EXPORT, taken_by};
use crate::engagement::ChosenKind;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Of the services behind the types.
    pub permissions: Vec<String>,
    /// Where it is sent or looks beside the engagement's region; `*` where nobody can tell yet.
    pub regions: Vec<String>,
    /// Roles that it gives to a service.
    pub roles: Vec<Passed>,
    /// What it makes in IAM, as ARNs end; `*` where nobody can tell.
    pub identities: Vec<String>,
    /// Buckets that it makes, or reads and writes in; `*` where nobody can tell.
    pub buckets: Vec<String>,
}

const PASS: &str = "iam:PassRole";
const ROLE: &str = "AWS::IAM::Role";

/// What these steps need. Of what an earlier one makes, among `all`, the name may be known before it is made.
pub fn needs_of(chosen: Vec<ChosenKind>, all: &[ChosenKind]) -> Vec<Needs> {
    let names = names_of(all);
    let told = |value: Json| named(value, &names);
    let told = |with: Map<String, Json>| with.into_iter().map(|(name, value)| (name, told(value))).collect();
    chosen.into_iter().map(|one| needs(&ChosenKind { with: told(one.with), ..one })).collect()
}

/// The names that resources are made with, by the placeholder under which later steps have their ids or, of a role, its ARN.
/// Where a step is repeated, one placeholder may stand for several.
fn names_of(all: &[ChosenKind]) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, Option<String>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.kind == RESOURCE) {
        let Some(of) = one.with.get("type").and_then(Json::as_str).and_then(ResourceType::named) else { continue };
        let name = of.identifier().and_then(|property| one.with.get("properties")?.get(property)?.as_str());
        for save in one.saves.iter().filter(|save| save.from == "id" || (save.from == "arn" && of.name == ROLE)) {
            let name = name.filter(|name| known(name)).map(str::to_owned);
            let placeholder = format!("\u{2039}{}\u{203a}", save.to);
            names.entry(placeholder).and_modify(|other| *other = None).or_insert(name);
        }
    }
    names.into_iter().filter_map(|(placeholder, name)| Some((placeholder, name?))).collect()
}

fn named(value: Json, names: &BTreeMap<String, String>) -> Json {
    match value {
        Json::String(text) => Json::String(names.get(&text).cloned().unwrap_or(text)),
        Json::Array(all) => all.into_iter().map(|one| named(one, names)).collect(),
        Json::Object(all) => all.into_iter().map(|(name, one)| (name, named(one, names))).collect(),
        other => other,
    }
}

impl Needs {
    /// Of `aws: resource`.
    pub(super) fn of(arguments: Arguments<'_>, untold: &BTreeSet<String>) -> Needs {
        let given: Vec<String> = arguments.list("permissions").unwrap_or_default();
        let given: Vec<String> = given.into_iter().filter(|one| known(one)).collect();
        let type_name = told(arguments, "type");
        let is_meant = |one: &&ResourceType| type_name.as_deref().is_none_or(|name| one.name == name);
        let types: Vec<&ResourceType> = ResourceType::ALL.iter().filter(is_meant).collect();
        let properties = arguments.given.get("properties").and_then(Json::as_object);
        let properties = properties.filter(|_| !untold.contains("properties"));
        let mut roles: Vec<Passed> = types.iter().flat_map(|one| passed(one, properties)).collect();
        // To whom, and about whom, a permission is that the step itself names, nobody can tell.
        roles.extend(given.iter().any(|one| one == PASS).then_some(Passed { to: &[], role: None }));
        let anybody = given.iter().any(|one| one.starts_with("iam:")).then(|| ANY.to_owned());
        let identities = types.iter().flat_map(|one| identities(one, properties)).chain(anybody).collect();
        let any_bucket = given.iter().any(|one| one.starts_with("s3:")).then(|| ANY.to_owned());
        let buckets = types.iter().filter_map(|one| bucket(one, properties)).chain(any_bucket).collect();
        let wanted = |of: &ResourceType, permission: &str| {
            permission != PASS && (bucket(of, properties).is_some() || !permission.starts_with("s3:"))
        };
        let of_types = types.iter().flat_map(|of| of.permissions().filter(move |one| wanted(of, one)));
        let permissions = of_types.map(str::to_owned).chain(given).collect();
        let regions = region_of(arguments, untold).into_iter().collect();
        Needs { permissions, regions, roles, identities, buckets }
    }

    /// Of a kind whose argument `region` says where it is sent, whose ARNs where it looks, and whose `role` under which the
    /// service works. An ARN that only a step can find out is one of a step that says its own region.
    pub(super) fn abroad(kind: &str, arguments: Arguments<'_>, untold: &BTreeSet<String>) -> Needs {
        let of_arn = |name: &str| match told(arguments, name) {
            Some(arn) => arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2)).map(str::to_owned),
            None => untold.contains(name).then(|| ANY.to_owned()),
        };
        let regions = region_of(arguments, untold).into_iter().chain(["to", "source"].into_iter().filter_map(of_arn));
        let to = if kind.starts_with("aws/rds-") { TO_EXPORT } else { TO_BACKUP };
        let role = is_given(arguments, untold, "role").then(|| Passed { to, role: told(arguments, "role") });
        // The bucket of an export is written in by the service, with its role.
        let bucket = (to == TO_BACKUP && is_given(arguments, untold, "bucket"))
            .then(|| told(arguments, "bucket").unwrap_or_else(|| ANY.to_owned()));
        Needs {
            regions: regions.filter(|region| !region.is_empty()).collect(),
            roles: role.into_iter().collect(),
            buckets: bucket.into_iter().collect(),
            ..Needs::default()
        }
    }
}

/// The text of an argument, where it is known.
fn told(arguments: Arguments<'_>, name: &str) -> Option<String> {
    arguments.optional(name).ok().flatten().filter(|text| known(text))
}

fn is_given(arguments: Arguments<'_>, untold: &BTreeSet<String>, name: &str) -> bool {
    arguments.optional(name).is_ok_and(|text| text.is_some()) || untold.contains(name)
}

/// Where it is sent, if that is not the engagement's region.
fn region_of(arguments: Arguments<'_>, untold: &BTreeSet<String>) -> Option<String> {
    told(arguments, "region").or_else(|| is_given(arguments, untold, "region").then(|| ANY.to_owned()))
}

/// The roles that a resource is made with.
fn passed(of: &ResourceType, properties: Option<&Map<String, Json>>) -> Vec<Passed> {
    let to = taken_by(of.name);
    let mut roles = Vec::new();
    match properties {
        _ if to.is_empty() => {}
        Some(properties) => roles_in(properties, &mut roles),
        None => roles.push(String::new()),
    }
    let told = |role: &String| !role.is_empty() && known(role);
    roles.into_iter().map(|role| Passed { to, role: Some(role).filter(told) }).collect()
}

/// Every text under a property that is called after a role.
fn roles_in(properties: &Map<String, Json>, roles: &mut Vec<String>) {
    for (name, value) in properties {
        match name.contains("Role") || name == "DeliverLogsPermissionArn" {
            true => texts_in(value, roles),
            false => below(value).into_iter().for_each(|inner| roles_in(inner, roles)),
        }
    }
}

fn below(value: &Json) -> Vec<&Map<String, Json>> {
    match value {
        Json::Object(inner) => vec![inner],
        Json::Array(all) => all.iter().flat_map(below).collect(),
        _ => Vec::new(),
    }
}

fn texts_in(value: &Json, texts: &mut Vec<String>) {
    match value {
        Json::String(text) => texts.push(text.clone()),
        Json::Array(all) => all.iter().for_each(|one| texts_in(one, texts)),
        Json::Object(inner) => inner.values().for_each(|one| texts_in(one, texts)),
        _ => {}
    }
}

/// The bucket that such a resource is, or belongs to; none where it has to do with none.
fn bucket(of: &ResourceType, properties: Option<&Map<String, Json>>) -> Option<String> {
    let text = |name: &str| properties?.get(name)?.as_str().filter(|text| known(text));
    let name = match of.name {
        "AWS::S3::Bucket" => text("BucketName"),
        "AWS::S3::BucketPolicy" => text("Bucket"),
        // Without a word of it, it goes to a log group.
        "AWS::EC2::FlowLog" => {
            let to = properties.map(|properties| properties.get("LogDestinationType").and_then(Json::as_str));
            let to = to.map(|to| to.unwrap_or("cloud-watch-logs"));
            if to.is_some_and(|to| known(to) && to != "s3") {
                return None;
            }
            text("LogDestination").and_then(|arn| arn.split(":::").nth(1)).and_then(|path| path.split('/').next())
        }
        _ if !of.permissions().any(|permission| permission.starts_with("s3:")) => return None,
        _ => None,
    };
    Some(name.unwrap_or(ANY).to_owned())
}

/// `user/onramp-acme-smtp`, and the groups that a user is put into.
fn identities(of: &ResourceType, properties: Option<&Map<String, Json>>) -> Vec<String> {
    let Some((what, named_by)) = of.identity() else { return Vec::new() };
    let text = |name: &str| properties?.get(name)?.as_str().filter(|text| known(text));
    let path = properties.is_some_and(|all| all.contains_key("Path"));
    let own = match (text(named_by), path, text("Path")) {
        (Some(name), false, _) => format!("{what}/{name}"),
        (Some(name), true, Some(path)) => format!("{what}{path}{name}"),
        _ => format!("{what}/{ANY}"),
    };
    let mut groups = Vec::new();
    match properties {
        Some(properties) => properties.get("Groups").into_iter().for_each(|all| texts_in(all, &mut groups)),
        None => groups.push(ANY.to_owned()),
    }
    let groups = groups.iter().map(|name| format!("group/{}", if known(name) { name } else { ANY }));
    std::iter::once(own).chain(groups.filter(|_| what == "user")).collect()
}
