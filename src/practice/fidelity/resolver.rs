//! Route 53 Resolver: endpoints, rules, their VPCs, and query logs.
//!
//! Rules: "Amazon Route 53 API Reference", the pages route53resolver_… of each operation and their section Errors; default
//! quotas: docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html. That a creator request id which was used
//! is refused, and not answered with what it made, is what users report (aws/aws-cdk issue 5012).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::naming::within;
use super::pace::Wait;
use super::reach;
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tags, World, stamp};

const MOST_ENDPOINTS: usize = 4;
const MOST_ADDRESSES: usize = 6;

/// What the Resolver knows in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Resolver {
    pub endpoints: BTreeMap<String, Endpoint>,
    rules: BTreeMap<String, Rule>,
    /// Rules at VPCs.
    rules_at: BTreeMap<String, Tie>,
    logs: BTreeMap<String, Log>,
    /// Query logs at VPCs.
    logs_at: BTreeMap<String, Tie>,
    /// Creator request ids that were used.
    used: BTreeSet<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Endpoint {
    name: String,
    reference: String,
    inbound: bool,
    pub vpc: String,
    pub groups: Vec<String>,
    /// Subnet and address.
    pub addresses: Vec<(String, Ipv4Addr)>,
    created: i64,
    deleted: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Rule {
    name: String,
    reference: String,
    pub domain: String,
    pub forward: bool,
    endpoint: Option<String>,
    targets: Vec<(Ipv4Addr, i64)>,
    created: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Log {
    name: String,
    reference: String,
    destination: String,
    created: i64,
}

/// A rule or a query log at a VPC.
#[derive(Debug, Serialize, Deserialize)]
struct Tie {
    of: String,
    vpc: String,
    name: String,
    created: i64,
    deleted: Option<i64>,
}

impl Resolver {
    fn working(&self, world: &World, inbound: bool) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.values().filter(move |one| one.inbound == inbound && is_working(world, one))
    }

    /// The inbound endpoint that answers at an address.
    pub fn asked_at(&self, world: &World, ip: Ipv4Addr) -> Option<&Endpoint> {
        self.working(world, true).find(|one| one.addresses.iter().any(|(_, own)| *own == ip))
    }

    /// The inbound endpoint that a name server of the customer's is pointed at, once somebody there has done so: its groups
    /// let that one ask, and there is a way back.
    pub fn lets_ask(&self, world: &World, server: Ipv4Addr) -> Option<&Endpoint> {
        let told = world.pace.millis(Wait::ResolverEndpoint) + world.pace.millis(Wait::CustomerNames);
        self.working(world, true).find(|one| {
            world.now >= one.created.saturating_add(told)
                && reach::admits_names(world, &one.groups, false, server)
                && one.addresses.iter().any(|(subnet, _)| reach::carries(world, subnet, server))
        })
    }

    /// The rule that holds in a VPC for a name: the one with the longest domain.
    pub fn rule_for(&self, world: &World, vpc: &str, name: &str) -> Option<&Rule> {
        let holds = |tie: &&Tie| tie.vpc == vpc && status(world, tie, "COMPLETE") == "COMPLETE";
        let rules = self.rules_at.values().filter(holds).filter_map(|tie| self.rules.get(&tie.of));
        rules.filter(|rule| within(name, &rule.domain)).max_by_key(|rule| rule.domain.len())
    }

    /// The first of a rule's servers to which there is a way from its endpoint.
    pub fn reached_by(&self, world: &World, rule: &Rule) -> Option<Ipv4Addr> {
        let endpoint = self.endpoints.get(rule.endpoint.as_ref()?).filter(|one| is_working(world, one))?;
        let reached = |to: &Ipv4Addr| {
            reach::admits_names(world, &endpoint.groups, true, *to)
                && endpoint.addresses.iter().any(|(subnet, _)| reach::carries(world, subnet, *to))
        };
        rule.targets.iter().map(|(ip, _)| *ip).find(reached)
    }
}

fn is_working(world: &World, endpoint: &Endpoint) -> bool {
    endpoint_status(world, endpoint) == "OPERATIONAL"
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let action = visit.ask.action();
    let ask = serde_json::from_str(&visit.ask.body).map_err(|_| Refusal::new("SerializationException", ""))?;
    let ask = Ask(ask);
    let world = visit.world();
    settle(world);
    let answered = match action {
        "CreateResolverEndpoint" => create_endpoint(world, &ask),
        "GetResolverEndpoint" => endpoint(world, &ask, "ResolverEndpointId")
            .map(|id| json!({ "ResolverEndpoint": endpoint_json(world, &id) })),
        "ListResolverEndpoints" => {
            Ok(json!({ "ResolverEndpoints": list(world, world.resolver.endpoints.keys(), endpoint_json) }))
        }
        "ListResolverEndpointIpAddresses" => addresses(world, &ask),
        "DeleteResolverEndpoint" => delete_endpoint(world, &ask),
        "CreateResolverRule" => create_rule(world, &ask),
        "GetResolverRule" => rule(world, &ask).map(|id| json!({ "ResolverRule": rule_json(world, &id) })),
        "ListResolverRules" => Ok(json!({ "ResolverRules": list(world, world.resolver.rules.keys(), rule_json) })),
        "DeleteResolverRule" => delete_rule(world, &ask),
        "AssociateResolverRule" => associate_rule(world, &ask),
        "DisassociateResolverRule" => disassociate_rule(world, &ask),
        "ListResolverRuleAssociations" => {
            Ok(json!({ "ResolverRuleAssociations": list(world, world.resolver.rules_at.keys(), rule_at_json) }))
        }
        "CreateResolverQueryLogConfig" => create_log(world, &ask),
        "ListResolverQueryLogConfigs" => {
            Ok(json!({ "ResolverQueryLogConfigs": list(world, world.resolver.logs.keys(), log_json) }))
        }
        "DeleteResolverQueryLogConfig" => delete_log(world, &ask),
        "AssociateResolverQueryLogConfig" => associate_log(world, &ask),
        "DisassociateResolverQueryLogConfig" => disassociate_log(world, &ask),
        "ListResolverQueryLogConfigAssociations" => {
            Ok(json!({ "ResolverQueryLogConfigAssociations": list(world, world.resolver.logs_at.keys(), log_at_json) }))
        }
        "ListTagsForResource" => tags(world, &ask),
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
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| parameter(&format!("{name} is required")))
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let all = self.0.get(name).and_then(Json::as_array).into_iter().flatten();
        all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    }

    fn maps(&self, name: &str) -> Vec<&Map<String, Json>> {
        self.0.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object).collect()
    }

    /// Letters, digits, hyphens, underscores and blanks, at most 64, and not digits alone.
    fn name(&self) -> Result<String, Refusal> {
        let name = self.text("Name").unwrap_or_default();
        let good = |c: char| c.is_ascii_alphanumeric() || "-_ '".contains(c);
        let digits = !name.is_empty() && name.chars().all(|c| c.is_ascii_digit());
        if name.len() > 64 || digits || !name.chars().all(good) {
            return Err(parameter("Name must match (?!^[0-9]+$)([a-zA-Z0-9\\-_' ']+) and have at most 64 characters"));
        }
        Ok(name.to_owned())
    }

    fn tags(&self) -> Tags {
        let tag = |tag: &Map<String, Json>| {
            Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.as_str()?.to_owned()))
        };
        self.maps("Tags").into_iter().filter_map(tag).collect()
    }
}

fn parameter(message: &str) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

fn request(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidRequestException", message)
}

fn missing(what: &str, id: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", format!("{what} with the ID '{id}' doesn't exist"))
}

fn exists(message: impl Into<String>) -> Refusal {
    Refusal::new("ResourceExistsException", message)
}

/// What was to go is gone when its time has come.
fn settle(world: &mut World) {
    let (now, gone) = (world.now, world.pace.millis(Wait::ResolverGone));
    let over = |deleted: Option<i64>| deleted.is_some_and(|at| now >= at + gone);
    let resolver = &mut world.resolver;
    let endpoints = resolver.endpoints.iter().filter(|(_, one)| over(one.deleted)).map(|(id, _)| id.clone());
    let ids: Vec<String> = endpoints.collect();
    resolver.endpoints.retain(|_, one| !over(one.deleted));
    resolver.rules_at.retain(|_, one| !over(one.deleted));
    resolver.logs_at.retain(|_, one| !over(one.deleted));
    for id in ids {
        world.forget(&id);
    }
}

fn list<'w>(world: &'w World, ids: impl Iterator<Item = &'w String>, shown: fn(&World, &str) -> Json) -> Vec<Json> {
    ids.filter(|id| world.visible(id)).map(|id| shown(world, id)).collect()
}

fn arn(world: &World, kind: &str, id: &str) -> String {
    format!("arn:aws:route53resolver:{}:{}:{kind}/{id}", world.region, world.account)
}

/// Notes that the id was used; the same once more is refused.
fn once(world: &mut World, ask: &Ask, what: &str) -> Result<String, Refusal> {
    let reference = ask.need("CreatorRequestId")?.to_owned();
    if reference.len() > 255 {
        return Err(parameter("CreatorRequestId must have at most 255 characters"));
    }
    if world.resolver.used.contains(&format!("{what} {reference}")) {
        return Err(exists(format!("{what} with creator request id {reference} already exists")));
    }
    Ok(reference)
}

/// A new thing, with its tags.
fn born(world: &mut World, prefix: &str, what: &str, reference: &str, ask: &Ask) -> String {
    let id = world.mint(prefix);
    world.born(&id, ask.tags());
    world.resolver.used.insert(format!("{what} {reference}"));
    id
}

const ENDPOINT: &str = "Resolver Endpoint";
const RULE: &str = "Resolver Rule";
const LOG: &str = "Resolver Query Log Config";

fn create_endpoint(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (name, reference) = (ask.name()?, once(world, ask, ENDPOINT)?);
    let inbound = match ask.need("Direction")? {
        "INBOUND" => true,
        "OUTBOUND" => false,
        _ => return Err(parameter("Direction must be INBOUND or OUTBOUND")),
    };
    let groups = ask.texts("SecurityGroupIds");
    if groups.is_empty() {
        return Err(parameter("SecurityGroupIds is required"));
    }
    let asked = ask.maps("IpAddresses");
    if !(2..=MOST_ADDRESSES).contains(&asked.len()) {
        return Err(request("Resolver endpoint needs to have at least 2 and at most 6 IP addresses"));
    }
    let live = world.resolver.endpoints.values().filter(|one| one.deleted.is_none()).count();
    if live >= MOST_ENDPOINTS {
        return Err(Refusal::new("LimitExceededException", "Account exceeded the number of resolver endpoints: 4"));
    }
    let mut addresses: Vec<(String, Ipv4Addr)> = Vec::new();
    let (mut vpcs, mut zones) = (BTreeSet::new(), BTreeSet::new());
    for one in asked {
        let text = |name: &str| one.get(name).and_then(Json::as_str);
        let id = text("SubnetId").unwrap_or_default().to_owned();
        let subnet = world.subnet(&id).map_err(|_| request(format!("The subnet ID '{id}' does not exist")))?;
        let taken = world.taken(&id);
        let free = |ip: &Ipv4Addr| !taken.contains(ip) && !addresses.iter().any(|(_, other)| other == ip);
        let ip = match text("Ip") {
            Some(ip) => ip.parse::<Ipv4Addr>().ok().filter(|ip| subnet.cidr.contains(ip) && free(ip)),
            None => subnet.cidr.hosts().skip(3).find(free),
        };
        let ip = ip.ok_or_else(|| request(format!("The subnet '{id}' doesn't have a valid IP address for it")))?;
        vpcs.insert(subnet.vpc.clone());
        zones.insert(subnet.zone.clone());
        addresses.push((id, ip));
    }
    let vpc = vpcs.pop_first().unwrap_or_default();
    if !vpcs.is_empty() {
        return Err(request("The subnets must be in the same VPC"));
    }
    if world.vpcs.get(&vpc).is_some_and(|vpc| vpc.tenancy == "dedicated") {
        return Err(request(format!(
            "The VPC '{vpc}' has dedicated instance tenancy, in which there are no endpoints"
        )));
    }
    if zones.len() < 2 {
        return Err(request("The IP addresses must be in at least two different Availability Zones"));
    }
    if let Some(group) = groups.iter().find(|id| world.group(id).map_or(true, |group| group.vpc != vpc)) {
        return Err(request(format!("The security group '{group}' does not exist in VPC '{vpc}'")));
    }
    let id = born(world, if inbound { "rslvr-in" } else { "rslvr-out" }, ENDPOINT, &reference, ask);
    let created = world.now;
    let endpoint = Endpoint { name, reference, inbound, vpc, groups, addresses, created, deleted: None };
    world.resolver.endpoints.insert(id.clone(), endpoint);
    Ok(json!({ "ResolverEndpoint": endpoint_json(world, &id) }))
}

fn endpoint_status(world: &World, endpoint: &Endpoint) -> &'static str {
    let ready = world.now >= endpoint.created + world.pace.millis(Wait::ResolverEndpoint);
    match (endpoint.deleted, ready) {
        (Some(_), _) => "DELETING",
        (None, true) => "OPERATIONAL",
        (None, false) => "CREATING",
    }
}

fn endpoint_json(world: &World, id: &str) -> Json {
    let Some(one) = world.resolver.endpoints.get(id) else { return Json::Null };
    json!({
        "Id": id, "Arn": arn(world, "resolver-endpoint", id), "Name": one.name, "CreatorRequestId": one.reference,
        "Direction": if one.inbound { "INBOUND" } else { "OUTBOUND" }, "HostVPCId": one.vpc,
        "SecurityGroupIds": one.groups, "IpAddressCount": one.addresses.len(), "Status": endpoint_status(world, one),
        "ResolverEndpointType": "IPV4", "Protocols": ["Do53"], "CreationTime": stamp(one.created),
    })
}

/// The live thing that is meant.
fn endpoint(world: &World, ask: &Ask, name: &str) -> Result<String, Refusal> {
    let id = ask.need(name)?;
    let there = world.resolver.endpoints.contains_key(id) && world.visible(id);
    if there { Ok(id.to_owned()) } else { Err(missing(ENDPOINT, id)) }
}

fn addresses(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let id = endpoint(world, ask, "ResolverEndpointId")?;
    let Some(one) = world.resolver.endpoints.get(&id) else { return Ok(Json::Null) };
    let status = if endpoint_status(world, one) == "OPERATIONAL" { "ATTACHED" } else { "CREATING" };
    let shown = |(n, (subnet, ip)): (usize, &(String, Ipv4Addr))| json!({ "IpId": format!("rni-{}{n}", id.rsplit('-').next().unwrap_or_default()), "SubnetId": subnet, "Ip": ip, "Status": status });
    Ok(json!({ "IpAddresses": one.addresses.iter().enumerate().map(shown).collect::<Vec<_>>() }))
}

fn delete_endpoint(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = endpoint(world, ask, "ResolverEndpointId")?;
    if world.resolver.rules.values().any(|rule| rule.endpoint.as_deref() == Some(&*id)) {
        let message = format!("Resolver endpoint '{id}' is used by a resolver rule");
        return Err(request(message));
    }
    let now = world.now;
    if let Some(one) = world.resolver.endpoints.get_mut(&id) {
        one.deleted.get_or_insert(now);
    }
    Ok(json!({ "ResolverEndpoint": endpoint_json(world, &id) }))
}

fn create_rule(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (name, reference) = (ask.name()?, once(world, ask, RULE)?);
    let domain = format!("{}.", ask.need("DomainName")?.trim_end_matches('.').to_ascii_lowercase());
    let forward = match ask.need("RuleType")? {
        "FORWARD" => true,
        "SYSTEM" => false,
        _ => return Err(parameter("RuleType must be FORWARD or SYSTEM")),
    };
    let target = |one: &Map<String, Json>| {
        let ip = one.get("Ip").and_then(Json::as_str).and_then(|ip| ip.parse().ok());
        ip.map(|ip| (ip, one.get("Port").and_then(Json::as_i64).unwrap_or(53)))
    };
    let targets: Option<Vec<_>> = ask.maps("TargetIps").into_iter().map(target).collect();
    let targets = targets.ok_or_else(|| parameter("TargetIps must have IPv4 addresses"))?;
    let endpoint =
        ask.text("ResolverEndpointId").map(|_| self::endpoint(world, ask, "ResolverEndpointId")).transpose()?;
    if forward != (endpoint.is_some() && !targets.is_empty()) || targets.len() > MOST_ADDRESSES {
        return Err(request(
            "A forwarding rule has an endpoint and 1 to 6 target addresses, a system rule has neither",
        ));
    }
    let outbound = |id: &String| world.resolver.endpoints.get(id).is_some_and(|one| !one.inbound);
    if endpoint.as_ref().is_some_and(|id| !outbound(id)) {
        return Err(request("Cannot create a resolver rule with an inbound endpoint"));
    }
    let id = born(world, "rslvr-rr", RULE, &reference, ask);
    let rule = Rule { name, reference, domain, forward, endpoint, targets, created: world.now };
    world.resolver.rules.insert(id.clone(), rule);
    Ok(json!({ "ResolverRule": rule_json(world, &id) }))
}

fn rule_json(world: &World, id: &str) -> Json {
    let Some(one) = world.resolver.rules.get(id) else { return Json::Null };
    let targets: Vec<Json> = one.targets.iter().map(|(ip, port)| json!({ "Ip": ip, "Port": port })).collect();
    let mut shown = json!({
        "Id": id, "Arn": arn(world, "resolver-rule", id), "Name": one.name, "CreatorRequestId": one.reference,
        "DomainName": one.domain, "RuleType": if one.forward { "FORWARD" } else { "SYSTEM" }, "Status": "COMPLETE",
        "OwnerId": world.account, "ShareStatus": "NOT_SHARED", "CreationTime": stamp(one.created),
    });
    if let Some(endpoint) = &one.endpoint {
        shown["ResolverEndpointId"] = json!(endpoint);
        shown["TargetIps"] = json!(targets);
    }
    shown
}

fn rule(world: &World, ask: &Ask) -> Result<String, Refusal> {
    let id = ask.need("ResolverRuleId")?;
    let there = world.resolver.rules.contains_key(id) && world.visible(id);
    if there { Ok(id.to_owned()) } else { Err(missing(RULE, id)) }
}

fn delete_rule(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = rule(world, ask)?;
    if world.resolver.rules_at.values().any(|tie| tie.of == id) {
        let message = format!("Please disassociate this resolver rule from VPCs first before deleting: {id}");
        return Err(Refusal::new("ResourceInUseException", message));
    }
    let mut shown = rule_json(world, &id);
    shown["Status"] = json!("DELETING");
    world.resolver.rules.remove(&id);
    world.forget(&id);
    Ok(json!({ "ResolverRule": shown }))
}

fn status(world: &World, tie: &Tie, there: &'static str) -> &'static str {
    let ready = world.now >= tie.created + world.pace.millis(Wait::ResolverTie);
    match (tie.deleted, ready) {
        (Some(_), _) => "DELETING",
        (None, true) => there,
        (None, false) => "CREATING",
    }
}

fn tie(world: &mut World, prefix: &str, ask: &Ask, of: String, vpc: &str) -> Result<(String, Tie), Refusal> {
    if !world.vpcs.contains_key(vpc) {
        return Err(missing("VPC", vpc));
    }
    let name = ask.name()?;
    let id = world.mint(prefix);
    world.appears(&id);
    Ok((id, Tie { of, vpc: vpc.to_owned(), name, created: world.now, deleted: None }))
}

fn associate_rule(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (of, vpc) = (rule(world, ask)?, ask.need("VPCId")?.to_owned());
    let domain = |id: &str| world.resolver.rules.get(id).map(|rule| rule.domain.clone());
    let wanted = domain(&of);
    let mut ties = world.resolver.rules_at.values().filter(|tie| tie.vpc == vpc);
    if ties.any(|tie| tie.of == of || domain(&tie.of) == wanted) {
        let message = format!("Cannot associate rules with same domain name with same VPC. VPC '{vpc}'");
        return Err(exists(message));
    }
    let (id, tie) = tie(world, "rslvr-rrassoc", ask, of, &vpc)?;
    world.resolver.rules_at.insert(id.clone(), tie);
    Ok(json!({ "ResolverRuleAssociation": rule_at_json(world, &id) }))
}

fn rule_at_json(world: &World, id: &str) -> Json {
    let Some(tie) = world.resolver.rules_at.get(id) else { return Json::Null };
    let status = status(world, tie, "COMPLETE");
    json!({ "Id": id, "ResolverRuleId": tie.of, "VPCId": tie.vpc, "Name": tie.name, "Status": status })
}

fn disassociate_rule(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (of, vpc) = (ask.need("ResolverRuleId")?, ask.need("VPCId")?);
    let found = world.resolver.rules_at.iter().find(|(_, tie)| tie.of == of && tie.vpc == vpc);
    let id = found.map(|(id, _)| id.clone()).ok_or_else(|| missing("Resolver Rule Association", of))?;
    let now = world.now;
    if let Some(tie) = world.resolver.rules_at.get_mut(&id) {
        tie.deleted.get_or_insert(now);
    }
    Ok(json!({ "ResolverRuleAssociation": rule_at_json(world, &id) }))
}

fn create_log(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (name, reference) = (ask.name()?, once(world, ask, LOG)?);
    if name.is_empty() {
        return Err(parameter("Name is required"));
    }
    let destination = ask.need("DestinationArn")?.to_owned();
    if !["arn:aws:logs:", "arn:aws:s3:", "arn:aws:firehose:"].iter().any(|of| destination.starts_with(of)) {
        return Err(parameter("DestinationArn must be of an S3 bucket, a log group or a delivery stream"));
    }
    let id = born(world, "rqlc", LOG, &reference, ask);
    let log = Log { name, reference, destination, created: world.now };
    world.resolver.logs.insert(id.clone(), log);
    Ok(json!({ "ResolverQueryLogConfig": log_json(world, &id) }))
}

fn log_json(world: &World, id: &str) -> Json {
    let Some(one) = world.resolver.logs.get(id) else { return Json::Null };
    let ties = world.resolver.logs_at.values().filter(|tie| tie.of == id).count();
    json!({
        "Id": id, "Arn": arn(world, "resolver-query-log-config", id), "Name": one.name, "OwnerId": world.account,
        "CreatorRequestId": one.reference, "DestinationArn": one.destination, "Status": "CREATED",
        "AssociationCount": ties, "ShareStatus": "NOT_SHARED", "CreationTime": stamp(one.created),
    })
}

fn log(world: &World, ask: &Ask) -> Result<String, Refusal> {
    let id = ask.need("ResolverQueryLogConfigId")?;
    let there = world.resolver.logs.contains_key(id) && world.visible(id);
    if there { Ok(id.to_owned()) } else { Err(missing(LOG, id)) }
}

fn delete_log(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = log(world, ask)?;
    if world.resolver.logs_at.values().any(|tie| tie.of == id) {
        let message = format!("Please disassociate the query logging config '{id}' from all VPCs before deleting it");
        return Err(request(message));
    }
    let shown = log_json(world, &id);
    world.resolver.logs.remove(&id);
    world.forget(&id);
    Ok(json!({ "ResolverQueryLogConfig": shown }))
}

fn associate_log(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (of, vpc) = (log(world, ask)?, ask.need("ResourceId")?.to_owned());
    if world.resolver.logs_at.values().any(|tie| tie.of == of && tie.vpc == vpc) {
        return Err(exists(format!("The query logging config '{of}' is already associated with '{vpc}'")));
    }
    let (id, tie) = tie(world, "rqlca", ask, of, &vpc)?;
    world.resolver.logs_at.insert(id.clone(), tie);
    Ok(json!({ "ResolverQueryLogConfigAssociation": log_at_json(world, &id) }))
}

fn log_at_json(world: &World, id: &str) -> Json {
    let Some(tie) = world.resolver.logs_at.get(id) else { return Json::Null };
    let status = status(world, tie, "ACTIVE");
    json!({ "Id": id, "ResolverQueryLogConfigId": tie.of, "ResourceId": tie.vpc, "Status": status, "Error": "NONE" })
}

fn disassociate_log(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (of, vpc) = (ask.need("ResolverQueryLogConfigId")?, ask.need("ResourceId")?);
    let found = world.resolver.logs_at.iter().find(|(_, tie)| tie.of == of && tie.vpc == vpc);
    let id = found.map(|(id, _)| id.clone()).ok_or_else(|| missing("Resolver Query Log Config Association", of))?;
    let now = world.now;
    if let Some(tie) = world.resolver.logs_at.get_mut(&id) {
        tie.deleted.get_or_insert(now);
    }
    Ok(json!({ "ResolverQueryLogConfigAssociation": log_at_json(world, &id) }))
}

fn tags(world: &World, ask: &Ask) -> Result<Json, Refusal> {
    let arn = ask.need("ResourceArn")?;
    let id = arn.rsplit('/').next().unwrap_or_default();
    let tags = world.tags.get(id).filter(|_| world.visible(id)).ok_or_else(|| missing("Resource", arn))?;
    Ok(json!({ "Tags": tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect::<Vec<_>>() }))
}
