//! What a step needs beside the permissions of its operations, as far as its arguments tell. What is not told yet may be
//! anything: more is named then, and nothing is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::arguments::{Arguments, known};
use super::registry::{RESOURCE, operations};
use crate::aws::{
    ANY, Named, Needs, Operation, Passed, ResourceType, Service, TO_BACKUP, TO_EXPORT, Use, deleting, linked_by,
    sending, taken_by,
};
use crate::engagement::ChosenKind;

const PASS: &str = "iam:PassRole";
const LINK: &str = "iam:CreateServiceLinkedRole";
const ROLE: &str = "AWS::IAM::Role";

/// What these steps need, in an engagement of that region. Of what an earlier one makes, among `all`, the name may be known
/// before it is made.
pub fn needs_of(chosen: Vec<ChosenKind>, all: &[ChosenKind], region: &str) -> Vec<Needs> {
    let names = names_of(all);
    let told = |value: Json| named(value, &names);
    let told = |with: Map<String, Json>| with.into_iter().map(|(name, value)| (name, told(value))).collect();
    chosen.into_iter().map(|one| needs(&ChosenKind { with: told(one.with), ..one }, region)).collect()
}

/// What a step needs.
pub fn needs(chosen: &ChosenKind, region: &str) -> Needs {
    let arguments = Arguments { kind: &chosen.kind, given: &chosen.with };
    let step = Told { arguments, untold: &chosen.untold, looks: chosen.looks };
    let sent = BTreeSet::from([step.region().unwrap_or_else(|| region.to_owned())]);
    let uses = step.sends().into_iter().map(|operation| {
        let elsewhere = step.elsewhere(operation);
        Use { operation, regions: sent.iter().cloned().chain(elsewhere).collect(), spared: step.spared() }
    });
    let needs = Needs { uses: uses.collect(), regions: sent.clone(), ..Needs::default() };
    match chosen.kind.as_str() {
        RESOURCE => step.of_resource(needs),
        _ => step.given_on(needs),
    }
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

/// What is told of a step.
struct Told<'a> {
    arguments: Arguments<'a>,
    /// Arguments that are given, and whose value is missing yet.
    untold: &'a BTreeSet<String>,
    /// Nothing but its probe is asked.
    looks: bool,
}

impl Told<'_> {
    /// The text of an argument, where it is known.
    fn text(&self, name: &str) -> Option<String> {
        self.arguments.optional(name).ok().flatten().filter(|text| known(text))
    }

    fn is_given(&self, name: &str) -> bool {
        self.arguments.optional(name).is_ok_and(|text| text.is_some()) || self.untold.contains(name)
    }

    fn region_in(&self, name: &str) -> Option<String> {
        self.text(name).or_else(|| self.is_given(name).then(|| ANY.to_owned()))
    }

    /// Where it is sent, if that is not the engagement's region.
    fn region(&self) -> Option<String> {
        // These ask here about another region: whether it is enabled, and for the password of its server.
        let only_about = ["aws/region", "aws/mail-smtp-credentials"].contains(&self.arguments.kind);
        self.region_in("region").filter(|_| !only_about)
    }

    /// The region of an ARN. One that only a step can find out is of a step that says its own region.
    fn region_of_arn(&self, name: &str) -> Option<String> {
        match self.text(name) {
            Some(arn) => arn.strip_prefix("arn:")?.split(':').nth(2).filter(|at| !at.is_empty()).map(str::to_owned),
            None => self.untold.contains(name).then(|| ANY.to_owned()),
        }
    }

    /// Where an operation is used beside there: a copy is made of what is elsewhere, or goes elsewhere.
    fn elsewhere(&self, operation: Operation) -> Option<String> {
        match operation {
            Operation::CopySnapshot | Operation::CopyImage => self.region_in("source_region"),
            Operation::CopyDBSnapshot | Operation::StartDBInstanceAutomatedBackupsReplication => {
                self.region_of_arn("source")
            }
            Operation::DescribeDBSnapshots if self.arguments.kind == "aws/rds-snapshot-copy" => {
                self.region_of_arn("source")
            }
            Operation::ListRecoveryPointsByBackupVault => self.region_of_arn("to"),
            _ => None,
        }
    }

    /// The operations of its kind without those that its arguments rule out.
    fn sends(&self) -> Vec<Operation> {
        let is = |name: &str, value: &str| self.text(name).is_some_and(|text| text == value);
        let vault = || !self.is_given("type") || self.text("type").is_none_or(|one| one == "AWS::Backup::BackupVault");
        let wanted = |operation: &Operation| match operation {
            Operation::CreateSnapshot => self.is_given("volume") || !self.is_given("instance"),
            Operation::CreateSnapshots => self.is_given("instance"),
            Operation::RestoreDBInstanceFromDBSnapshot => self.is_given("snapshot"),
            Operation::RestoreDBInstanceToPointInTime => self.is_given("source") || self.is_given("backups"),
            Operation::CreatePrivateVirtualInterface => !is("type", "transit"),
            Operation::CreateTransitVirtualInterface => self.is_given("type") && !is("type", "private"),
            Operation::PutEmailIdentityConfigurationSetAttributes => self.is_given("configuration_set"),
            Operation::ListRecoveryPointsByBackupVault if self.arguments.kind == RESOURCE => vault(),
            _ => true,
        };
        let allowed = |operation: &Operation| !(self.looks && operation.changes());
        operations(self.arguments.kind).iter().copied().filter(wanted).filter(allowed).collect()
    }

    /// What its operations may be about, and this step is not.
    fn spared(&self) -> Vec<&'static str> {
        let of_vpn: &[(&str, &'static str)] =
            &[("gateway", "vpn-gateway"), ("transit", "transit-gateway"), ("log_group", "logs:")];
        if self.arguments.kind != "aws/vpn-connection" {
            return Vec::new();
        }
        let itself = self.text("key_storage").is_some_and(|said| said == "standard");
        // Only keys in Secrets Manager need the role of the service.
        let no_role = (itself || !self.is_given("key_storage")).then_some("iam:");
        let unasked = of_vpn.iter().filter(|(argument, _)| !self.is_given(argument)).map(|(_, what)| *what);
        unasked.chain(no_role).collect()
    }

    /// Of `aws: resource`.
    fn of_resource(&self, needs: Needs) -> Needs {
        let given: Vec<String> = self.arguments.list("permissions").unwrap_or_default();
        let given: Vec<String> = given.into_iter().filter(|one| known(one)).collect();
        let type_name = self.text("type");
        let is_meant = |one: &&ResourceType| type_name.as_deref().is_none_or(|name| one.name == name);
        let types: Vec<&ResourceType> = ResourceType::ALL.iter().filter(is_meant).collect();
        let properties = self.arguments.given.get("properties").and_then(Json::as_object);
        let properties = properties.filter(|_| !self.untold.contains("properties"));
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
        let named = types.iter().filter_map(|one| deleted(one, properties));
        let named = named.filter(|one| !given.iter().any(|given| given == one.action)).collect();
        let linked = if given.iter().any(|one| one == LINK) { &[] } else { types.as_slice() };
        let links = linked.iter().flat_map(|one| linked_by(one.name)).copied().collect();
        let permissions = of_types.map(str::to_owned).chain(given).collect();
        Needs { permissions, roles, identities, buckets, named, links, ..needs }
    }

    /// Of a kind whose service works under its `role`, or which is about what is in its `bucket`.
    fn given_on(&self, needs: Needs) -> Needs {
        let sends = |service| operations(self.arguments.kind).iter().any(|one| one.row().service == service);
        let to = if sends(Service::Rds) { TO_EXPORT } else { TO_BACKUP };
        let takes = self.is_given("role") && (sends(Service::Rds) || sends(Service::Backup));
        let role = takes.then(|| Passed { to, role: self.text("role") });
        // The bucket of an export is written in by the service, with its role.
        let bucket = (self.is_given("bucket") && sends(Service::S3))
            .then(|| self.text("bucket").unwrap_or_else(|| ANY.to_owned()));
        let named = self.message().into_iter().collect();
        Needs { roles: role.into_iter().collect(), buckets: bucket.into_iter().collect(), named, ..needs }
    }

    /// Under whose names its message is sent.
    fn message(&self) -> Option<Named> {
        if !operations(self.arguments.kind).contains(&Operation::SendEmail) {
            return None;
        }
        let to = self.arguments.list("to").ok().filter(|to| !to.is_empty() && to.iter().all(|one| known(one)));
        let addresses = self.text("from").zip(to).map(|(from, to)| [vec![from], to].concat());
        let set = self.text("configuration_set");
        Some(sending(addresses.as_deref(), set.as_deref()))
    }
}

/// What takes it away, by its name.
fn deleted(of: &ResourceType, properties: Option<&Map<String, Json>>) -> Option<Named> {
    let name = match of.arn_of {
        "" => of.identifier()?,
        property => property,
    };
    deleting(of.name, properties.and_then(|all| all.get(name)?.as_str()).filter(|name| known(name)))
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
