//! Security groups and their rules, which are objects of their own.

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::refusal::Refusal;
use super::rules;
use super::tags;
use super::world::{Group, Peer, Rule, Tags, World};
use super::xml::Xml;

const MOST_GROUPS: usize = 2500;
const TEXT: &str = "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*";

/// The characters of names and descriptions in a VPC (docs of CreateSecurityGroup).
pub(super) fn plain(text: &str) -> bool {
    text.chars().count() <= 255
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c))
}

/// The group `default` that every VPC has: everything among its members, everything out.
pub(super) async fn make_default(call: &mut Call<'_>, vpc: &str) -> Result<(), Refusal> {
    let description = "default VPC security group";
    let asked = [("GroupName", "default"), ("GroupDescription", description), ("VpcId", vpc)];
    let id = call.make("CreateSecurityGroup", &asked, "groupId").await?;
    insert(call.world, &id, vpc, "default", description, Tags::new());
    let among = Rule {
        group: id.clone(),
        egress: false,
        protocol: "-1".into(),
        ports: None,
        peer: Peer::Group(id),
        description: None,
    };
    rules::insert(call.world, among, Tags::new());
    Ok(())
}

fn insert(world: &mut World, id: &str, vpc: &str, name: &str, description: &str, tags: Tags) {
    world.born(id, tags);
    let group = Group { vpc: vpc.into(), name: name.into(), description: description.into() };
    world.groups.insert(id.into(), group);
    let everywhere = Peer::V4(ipnet::Ipv4Net::default());
    let out = Rule {
        group: id.into(),
        egress: true,
        protocol: "-1".into(),
        ports: None,
        peer: everywhere,
        description: None,
    };
    rules::insert(world, out, Tags::new());
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (name, description) = (call.ask.need("GroupName")?, call.ask.need("GroupDescription")?);
    let tags = tags::of(call.ask, Kind::Group)?;
    let vpc = call.ask.get("VpcId").map_or_else(|| call.world.default_vpc(), Ok)?.to_string();
    call.world.vpc(&vpc)?;
    if name.starts_with("sg-") {
        let message = format!("Invalid value '{name}' for groupName. It may not be in the format sg-*");
        return Err(Refusal::value(message));
    }
    if name.eq_ignore_ascii_case("default") {
        return Err(Refusal::value(format!("Cannot use reserved security group name: {name}")));
    }
    for (what, text) in [("groupName", name), ("groupDescription", description)] {
        if !plain(text) {
            let message =
                format!("Invalid value '{text}' for {what}. Must be at most 255 characters from the set: {TEXT}");
            return Err(Refusal::value(message));
        }
    }
    if call.world.groups.values().any(|group| group.vpc == vpc && group.name == name) {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return Err(Refusal::new("InvalidGroup.Duplicate", message));
    }
    if call.world.groups.len() >= MOST_GROUPS {
        let message = "The maximum number of security groups has been reached.";
        return Err(Refusal::new("SecurityGroupLimitExceeded", message));
    }
    let (name, description) = (name.to_string(), description.to_string());
    let id = call.pass_for("groupId", &[("VpcId", &vpc)]).await?;
    insert(call.world, &id, &vpc, &name, &description, tags);
    let arn = format!("arn:aws:ec2:{}:{}:security-group/{id}", call.world.region, call.world.account);
    let head = Xml::new().text("return", true).text("groupId", &id);
    Ok(head.set("tagSet", call.world.tag_set(&id)).text("securityGroupArn", arn))
}

fn item(world: &World, id: &str) -> Xml {
    let Some(group) = world.groups.get(id) else { return Xml::new() };
    let arn = format!("arn:aws:ec2:{}:{}:security-group/{id}", world.region, world.account);
    let head = Xml::new().text("ownerId", &world.account).text("groupId", id).text("groupName", &group.name);
    let head =
        head.text("groupDescription", &group.description).text("vpcId", &group.vpc).text("securityGroupArn", arn);
    let head = head.set("ipPermissions", rules::permissions(world, id, false));
    head.set("ipPermissionsEgress", rules::permissions(world, id, true)).set("tagSet", world.tag_set(id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let mut ids = call.wanted("GroupId", Kind::Group, &world.groups)?;
    let names = call.ask.list("GroupName");
    if let Some(unknown) = names.iter().find(|name| !world.groups.values().any(|group| group.name == **name)) {
        let message = format!("The security group '{unknown}' does not exist");
        return Err(Refusal::new("InvalidGroup.NotFound", message));
    }
    ids.retain(|id| names.is_empty() || names.contains(&world.groups[id].name.as_str()));
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("group-id", "groupId"),
        ("group-name", "groupName"),
        ("vpc-id", "vpcId"),
        ("owner-id", "ownerId"),
        ("description", "groupDescription"),
        ("ip-permission.cidr", "ipPermissions/item/ipRanges/item/cidrIp"),
        ("ip-permission.from-port", "ipPermissions/item/fromPort"),
        ("ip-permission.to-port", "ipPermissions/item/toPort"),
        ("ip-permission.protocol", "ipPermissions/item/ipProtocol"),
        ("ip-permission.group-id", "ipPermissions/item/groups/item/groupId"),
        ("egress.ip-permission.cidr", "ipPermissionsEgress/item/ipRanges/item/cidrIp"),
    ];
    describe(call.ask, "securityGroupInfo", items.collect(), filters)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("GroupId")?.to_string();
    if call.world.group(&id)?.name == "default" {
        let message = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(Refusal::new("CannotDelete", message));
    }
    let world = &*call.world;
    let worn = world.instances.values().any(|i| i.groups.contains(&id) && world.instance_state(i) != "terminated");
    let named = world.rules.values().any(|rule| rule.group != id && rule.peer == Peer::Group(id.clone()));
    if worn || named {
        let message = format!("resource {id} has a dependent object");
        return Err(Refusal::new("DependencyViolation", message));
    }
    call.pass().await?;
    let rules: Vec<String> = call.world.rules.iter().filter(|(_, r)| r.group == id).map(|(id, _)| id.clone()).collect();
    for rule in rules {
        call.world.rules.remove(&rule);
        call.world.forget(&rule);
    }
    call.world.groups.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true).text("groupId", id))
}
