//! Route 53: hosted zones, their VPCs, and what is tagged. Records are in `route53_records`.
//!
//! Rules: "Amazon Route 53 API Reference", the page of each operation and its section Errors. winterbaume reads the
//! requests and writes the answers; it keeps too little of a zone to answer as AWS does, so the zones are here.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use winterbaume_core::{MockRequest, MockResponse};
use winterbaume_route53::wire;

use super::kind::Kind;
use super::naming::within;
use super::pace::Wait;
use super::refusal::Refusal;
use super::request::Request;
use super::route53_records as records;
use super::services::{Answer, Visit};
use super::world::{Tags, World, stamp};

/// Method, path and operation.
pub(super) const PATHS: &[(&str, &str, &str)] = &[
    ("POST", "/2013-04-01/hostedzone", "CreateHostedZone"),
    ("GET", "/2013-04-01/hostedzone", "ListHostedZones"),
    ("GET", "/2013-04-01/hostedzonesbyname", "ListHostedZonesByName"),
    ("GET", "/2013-04-01/hostedzonesbyvpc", "ListHostedZonesByVPC"),
    ("GET", "/2013-04-01/hostedzone/{Id}", "GetHostedZone"),
    ("DELETE", "/2013-04-01/hostedzone/{Id}", "DeleteHostedZone"),
    ("POST", "/2013-04-01/hostedzone/{Id}/rrset", "ChangeResourceRecordSets"),
    ("GET", "/2013-04-01/hostedzone/{Id}/rrset", "ListResourceRecordSets"),
    ("POST", "/2013-04-01/hostedzone/{Id}/associatevpc", "AssociateVPCWithHostedZone"),
    ("POST", "/2013-04-01/hostedzone/{Id}/disassociatevpc", "DisassociateVPCFromHostedZone"),
    ("POST", "/2013-04-01/hostedzone/{Id}/authorizevpcassociation", "CreateVPCAssociationAuthorization"),
    ("POST", "/2013-04-01/hostedzone/{Id}/deauthorizevpcassociation", "DeleteVPCAssociationAuthorization"),
    ("GET", "/2013-04-01/hostedzone/{Id}/authorizevpcassociation", "ListVPCAssociationAuthorizations"),
    ("GET", "/2013-04-01/change/{Id}", "GetChange"),
    ("POST", "/2013-04-01/tags/{ResourceType}/{ResourceId}", "ChangeTagsForResource"),
    ("GET", "/2013-04-01/tags/{ResourceType}/{ResourceId}", "ListTagsForResource"),
    ("GET", "/2013-04-01/testdnsanswer", "TestDNSAnswer"),
];

/// Default quota: docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html.
const MOST_ZONES: usize = 500;
/// ChangeTagsForResource: "Array Members: Maximum number of 10 items".
const MOST_TAGS: usize = 10;

/// Every zone of the account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Zones {
    zones: BTreeMap<String, Zone>,
    /// When each change was sent.
    changes: BTreeMap<String, i64>,
    /// Caller references that were used, with what they made.
    references: BTreeMap<String, String>,
}

/// One hosted zone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Zone {
    /// With the dot at its end.
    pub name: String,
    reference: String,
    comment: Option<String>,
    private: bool,
    /// Region and id.
    vpcs: Vec<(String, String)>,
    /// Those of other accounts that may be associated, and since when.
    #[serde(default)]
    allowed: Vec<(String, String, i64)>,
    pub name_servers: Vec<String>,
    pub records: Vec<wire::ResourceRecordSet>,
    /// When its records were changed last.
    pub changed: i64,
}

impl Zones {
    /// The public zone that answers for a name, if the account has it.
    pub fn public(&self, name: &str) -> Option<&Zone> {
        self.public_with_id(name).map(|(_, zone)| zone)
    }

    pub fn public_with_id(&self, name: &str) -> Option<(&String, &Zone)> {
        self.holding(name).filter(|(_, zone)| !zone.private).max_by_key(|(_, zone)| zone.name.len())
    }

    /// The private zone for a name, of those that are asked.
    pub fn private(&self, name: &str, asked: impl Fn(&Zone) -> bool) -> Option<&Zone> {
        let fits = self.holding(name).map(|(_, zone)| zone).filter(|zone| zone.private && asked(zone));
        fits.max_by_key(|zone| zone.name.len())
    }

    pub fn all(&self) -> impl Iterator<Item = (&String, &Zone)> {
        self.zones.iter()
    }

    /// The zones that the name is in.
    pub fn holding(&self, name: &str) -> impl Iterator<Item = (&String, &Zone)> {
        let name = format!("{}.", name.trim_end_matches('.').to_ascii_lowercase());
        self.zones.iter().filter(move |(_, zone)| within(&name, &zone.name))
    }
}

impl Zone {
    /// The values of that name and type; none where the zone has no such name.
    pub fn values(&self, name: &str, kind: &str) -> Option<Vec<String>> {
        let name = format!("{}.", name.trim_end_matches('.').to_ascii_lowercase());
        let of_name: Vec<_> = self.records.iter().filter(|record| record.name == name).collect();
        let of_kind = of_name.iter().filter(|record| record.r#type == kind);
        let values = of_kind.flat_map(|record| &record.resource_records).flat_map(|records| &records.items);
        (!of_name.is_empty()).then(|| values.map(|record| record.value.clone()).collect())
    }

    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Region and id of each VPC in which it is asked.
    pub fn vpcs(&self) -> impl Iterator<Item = &(String, String)> {
        self.vpcs.iter()
    }

    /// In the other account somebody is quick: what was allowed before then is done.
    fn take_up(&mut self, then: i64) {
        for (region, vpc, since) in &self.allowed {
            let vpc = (region.clone(), vpc.clone());
            if *since <= then && !self.vpcs.contains(&vpc) {
                self.vpcs.push(vpc);
            }
        }
    }

    pub fn is_asked_from(&self, region: &str, vpc: &str) -> bool {
        self.vpcs.iter().any(|(own_region, own)| own_region == region && own == vpc)
    }

    /// The sets of a name; where it has none, those of the wildcard that stands for it (RFC 4592).
    pub fn sets_of(&self, name: &str) -> Vec<&wire::ResourceRecordSet> {
        let called = |wanted: &str| -> Vec<_> {
            self.records.iter().filter(|set| set.name.replace("\\052", "*") == wanted).collect()
        };
        let own = called(name);
        if !own.is_empty() || self.records.iter().any(|set| within(&set.name, name)) {
            return own;
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.').filter(|(_, parent)| within(parent, &self.name)) {
            if self.records.iter().any(|set| within(&set.name, parent)) {
                return called(&format!("*.{parent}"));
            }
            rest = parent;
        }
        Vec::new()
    }
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let document = match visit.ask.action() {
        "CreateHostedZone" => create(visit)?,
        "ListHostedZones" => list(visit)?,
        "ListHostedZonesByName" => list_by_name(visit)?,
        "ListHostedZonesByVPC" => list_by_vpc(visit)?,
        "GetHostedZone" => get(visit)?,
        "DeleteHostedZone" => delete(visit)?,
        "AssociateVPCWithHostedZone" => associate(visit)?,
        "DisassociateVPCFromHostedZone" => disassociate(visit)?,
        "CreateVPCAssociationAuthorization" => allow(visit)?,
        "DeleteVPCAssociationAuthorization" => forbid(visit)?,
        "ListVPCAssociationAuthorizations" => list_allowed(visit)?,
        "ChangeResourceRecordSets" => records::change(visit)?,
        "ListResourceRecordSets" => records::list(visit)?,
        "TestDNSAnswer" => records::test(visit)?,
        "GetChange" => get_change(visit)?,
        "ChangeTagsForResource" => change_tags(visit)?,
        "ListTagsForResource" => list_tags(visit)?,
        other => return Err(invalid(format!("The practice cloud does not know {other}"))),
    };
    Ok(Some(document))
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidInput", message)
}

/// How winterbaume reads a request.
type Reads<T> = fn(&MockRequest, &[(&str, &str)], &HashMap<String, String>) -> Result<T, String>;

/// The request as winterbaume reads it.
pub(super) fn body<T>(ask: &Request, read: Reads<T>) -> Result<T, Refusal> {
    let request = MockRequest {
        method: String::new(),
        uri: String::new(),
        headers: http::HeaderMap::new(),
        body: Bytes::from(ask.body.clone()),
    };
    read(&request, &[], &HashMap::new()).map_err(|why| Refusal::new("MalformedInput", why))
}

pub(super) fn document(answer: MockResponse) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// An id with or without what may stand before it.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// As the tags and what is seen of it are kept.
pub(super) fn tagged(id: &str) -> String {
    format!("hostedzone/{id}")
}

/// The zone that is asked about.
pub(super) fn zone<'w>(world: &'w mut World, id: &str) -> Result<(String, &'w mut Zone), Refusal> {
    let id = bare(id).to_owned();
    let unknown = || Refusal::new("NoSuchHostedZone", format!("No hosted zone found with ID: {id}"));
    if !world.visible(&tagged(&id)) {
        return Err(unknown());
    }
    let taken_up = world.now - world.pace.millis(Wait::PeeringAccepted);
    let zone = world.zones.zones.get_mut(&id).ok_or_else(unknown)?;
    zone.take_up(taken_up);
    Ok((id, zone))
}

/// Something was changed; its number, which is not in sync at first.
pub(super) fn changed(world: &mut World) -> wire::ChangeInfo {
    let id = world.mint("C").to_uppercase().replace('-', "");
    let now = world.now;
    world.zones.changes.insert(id.clone(), now);
    info(world, &id, now)
}

fn info(world: &World, id: &str, since: i64) -> wire::ChangeInfo {
    let done = world.now >= since + world.pace.millis(Wait::NamesInSync);
    wire::ChangeInfo {
        comment: None,
        id: Some(format!("/change/{id}")),
        status: Some(if done { "INSYNC" } else { "PENDING" }.to_owned()),
        submitted_at: Some(stamp(since)),
    }
}

fn get_change(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let id = bare(visit.ask.need("Id")?).to_owned();
    let world = visit.world();
    let since = world.zones.changes.get(&id).copied();
    let since = since.ok_or_else(|| Refusal::new("NoSuchChange", format!("Could not find resource with ID: {id}")))?;
    let answer = wire::GetChangeResponse { change_info: Some(info(world, &id, since)) };
    Ok(document(wire::serialize_get_change_response(&answer)))
}

/// Labels of 1 to 63 characters, 255 in all; with the dot at the end.
fn whole_name(given: &str) -> Result<String, Refusal> {
    let name = format!("{}.", given.trim_end_matches('.').to_ascii_lowercase());
    let good = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*".contains(&b))
    };
    if name.len() <= 255 && name.trim_end_matches('.').split('.').all(good) {
        return Ok(name);
    }
    Err(Refusal::new("InvalidDomainName", format!("{given} is not a valid domain name")))
}

/// The VPC that is meant must be there, in its region.
fn vpc_of(visit: &Visit<'_>, given: &wire::VPC) -> Result<(String, String), Refusal> {
    let unknown = |id: &str| Refusal::new("InvalidVPCId", format!("The VPC: {id} you provided does not exist."));
    let id = given.v_p_c_id.clone().unwrap_or_default();
    let region = given.v_p_c_region.clone().ok_or_else(|| invalid("VPCRegion is required with VPCId"))?;
    let there = visit.elsewhere(&region).is_some_and(|world| world.vpcs.contains_key(&id) && world.visible(&id));
    if there { Ok((region, id)) } else { Err(unknown(&id)) }
}

/// No VPC may be in two private zones of one name.
fn conflict(world: &World, name: &str, vpc: &(String, String)) -> Result<(), Refusal> {
    let taken = world.zones.zones.iter().find(|(_, zone)| zone.name == name && zone.vpcs.contains(vpc));
    let Some((id, _)) = taken else { return Ok(()) };
    let message = format!(
        "The VPC {} in region {} has already been associated with the hosted zone {id} with the same domain name.",
        vpc.1, vpc.0
    );
    Err(Refusal::new("ConflictingDomainExists", message))
}

fn create(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_create_hosted_zone_request)?;
    let name = whole_name(&asked.name)?;
    let reference = asked.caller_reference.clone();
    if reference.is_empty() || reference.len() > 128 {
        return Err(invalid("CallerReference must have 1 to 128 characters"));
    }
    let config = asked.hosted_zone_config.unwrap_or_default();
    let vpc = asked.v_p_c.as_ref().map(|vpc| vpc_of(visit, vpc)).transpose()?;
    if config.private_zone == Some(true) && vpc.is_none() {
        return Err(invalid("When you're creating a private hosted zone, you must specify VPCId and VPCRegion."));
    }
    let world = visit.world();
    if let Some(id) = world.zones.references.get(&reference) {
        let message = format!("A hosted zone has already been created with the specified caller reference: {id}");
        return Err(Refusal::new("HostedZoneAlreadyExists", message));
    }
    if let Some(vpc) = &vpc {
        conflict(world, &name, vpc)?;
    }
    if world.zones.zones.len() >= MOST_ZONES {
        return Err(Refusal::new("TooManyHostedZones", "This operation can't be completed: too many hosted zones."));
    }
    let id = world.mint("Z").to_uppercase().replace('-', "");
    let name_servers = name_servers(&id, vpc.is_some());
    let zone = Zone {
        records: records::first(&name, &name_servers),
        name,
        reference: reference.clone(),
        comment: config.comment.filter(|comment| !comment.is_empty()),
        private: vpc.is_some(),
        vpcs: vpc.into_iter().collect(),
        allowed: Vec::new(),
        name_servers,
        changed: i64::MIN,
    };
    world.born(&tagged(&id), Tags::new());
    world.zones.references.insert(reference, id.clone());
    let answer = wire::CreateHostedZoneResponse {
        change_info: Some(changed(world)),
        delegation_set: delegation(&zone),
        hosted_zone: Some(shown(&id, &zone)),
        v_p_c: zone.vpcs.first().map(vpc_shown),
    };
    world.zones.zones.insert(id, zone);
    Ok(document(wire::serialize_create_hosted_zone_response(&answer)))
}

/// Four, of four domains; those of a private zone are the same for all.
fn name_servers(id: &str, private: bool) -> Vec<String> {
    let digest = blake3::hash(id.as_bytes());
    let number = |n: usize| if private { 0 } else { u32::from(digest.as_bytes()[n]) };
    let one = |(n, (domain, base)): (usize, (&str, u32))| {
        format!("ns-{}.awsdns-{:02}.{domain}", base + number(n), number(n) % 64)
    };
    [("co.uk", 1536), ("com", 0), ("org", 1024), ("net", 512)].into_iter().enumerate().map(one).collect()
}

/// A private zone has none to give.
fn delegation(zone: &Zone) -> Option<wire::DelegationSet> {
    let name_servers = Some(zone.name_servers.iter().cloned().collect());
    (!zone.private).then_some(wire::DelegationSet { caller_reference: None, id: None, name_servers })
}

fn shown(id: &str, zone: &Zone) -> wire::HostedZone {
    wire::HostedZone {
        caller_reference: Some(zone.reference.clone()),
        config: Some(wire::HostedZoneConfig { comment: zone.comment.clone(), private_zone: Some(zone.private) }),
        id: Some(format!("/hostedzone/{id}")),
        name: Some(zone.name.clone()),
        resource_record_set_count: i64::try_from(zone.records.len()).ok(),
        ..wire::HostedZone::default()
    }
}

fn vpc_shown((region, id): &(String, String)) -> wire::VPC {
    wire::VPC { v_p_c_id: Some(id.clone()), v_p_c_region: Some(region.clone()) }
}

fn get(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = visit.ask.need("Id")?.to_owned();
    let (id, zone) = zone(visit.world(), &asked)?;
    let answer = wire::GetHostedZoneResponse {
        delegation_set: delegation(zone),
        hosted_zone: Some(shown(&id, zone)),
        v_p_cs: zone.private.then(|| zone.vpcs.iter().map(vpc_shown).collect()),
    };
    Ok(document(wire::serialize_get_hosted_zone_response(&answer)))
}

fn most(ask: &Request) -> Result<usize, Refusal> {
    let most = ask.number("maxitems").map_err(|_| invalid("maxitems must be a number"))?.unwrap_or(100);
    usize::try_from(most).ok().filter(|most| *most > 0).map(|most| most.min(100)).ok_or_else(|| invalid("maxitems"))
}

/// Those that can be seen, in the order in which AWS lists them: by the labels of the name from the last, then by id.
fn visible(world: &World) -> Vec<(&String, &Zone)> {
    let mut zones: Vec<_> = world.zones.zones.iter().filter(|(id, _)| world.visible(&tagged(id))).collect();
    zones.sort_by_key(|(id, zone)| (records::from_the_last(&zone.name), (*id).clone()));
    zones
}

fn list(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let (most, marker) = (most(visit.ask)?, visit.ask.get("marker").map(str::to_owned));
    let world = visit.world();
    let mut zones = visible(world);
    if let Some(marker) = &marker {
        let at = zones.iter().position(|(id, _)| *id == bare(marker));
        zones.drain(..at.ok_or_else(|| invalid("The marker is not the id of a hosted zone"))?);
    }
    let next = zones.get(most).map(|(id, _)| (*id).clone());
    let answer = wire::ListHostedZonesResponse {
        hosted_zones: Some(zones.iter().take(most).map(|(id, zone)| shown(id, zone)).collect()),
        is_truncated: Some(next.is_some()),
        marker,
        max_items: i32::try_from(most).ok(),
        next_marker: next,
    };
    Ok(document(wire::serialize_list_hosted_zones_response(&answer)))
}

fn list_by_name(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let most = most(visit.ask)?;
    let from = visit.ask.get("dnsname").map(whole_name).transpose()?;
    let from_id = visit.ask.get("hostedzoneid").map(|id| bare(id).to_owned());
    let start = from.as_deref().map(|name| (records::from_the_last(name), from_id.clone().unwrap_or_default()));
    let world = visit.world();
    let mut zones = visible(world);
    if let Some(start) = &start {
        zones.retain(|(id, zone)| (records::from_the_last(&zone.name), (*id).clone()) >= *start);
    }
    let next = zones.get(most);
    let answer = wire::ListHostedZonesByNameResponse {
        d_n_s_name: from,
        hosted_zone_id: from_id,
        hosted_zones: Some(zones.iter().take(most).map(|(id, zone)| shown(id, zone)).collect()),
        is_truncated: Some(next.is_some()),
        max_items: i32::try_from(most).ok(),
        next_d_n_s_name: next.map(|(_, zone)| zone.name.clone()),
        next_hosted_zone_id: next.map(|(id, _)| (*id).clone()),
    };
    Ok(document(wire::serialize_list_hosted_zones_by_name_response(&answer)))
}

fn list_by_vpc(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let given = wire::VPC {
        v_p_c_id: Some(visit.ask.need("vpcid")?.to_owned()),
        v_p_c_region: Some(visit.ask.need("vpcregion")?.to_owned()),
    };
    let vpc = vpc_of(visit, &given)?;
    let world = visit.world();
    let owner = wire::HostedZoneOwner { owning_account: Some(world.account.clone()), owning_service: None };
    let summary = |(id, zone): (&String, &Zone)| wire::HostedZoneSummary {
        hosted_zone_id: Some(id.clone()),
        name: Some(zone.name.clone()),
        owner: Some(owner.clone()),
    };
    let zones = visible(world).into_iter().filter(|(_, zone)| zone.vpcs.contains(&vpc)).map(summary);
    let answer = wire::ListHostedZonesByVPCResponse {
        hosted_zone_summaries: Some(zones.collect()),
        max_items: Some(100),
        next_token: None,
    };
    Ok(document(wire::serialize_list_hosted_zones_by_v_p_c_response(&answer)))
}

fn delete(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = visit.ask.need("Id")?.to_owned();
    let world = visit.world();
    let (id, zone) = zone(world, &asked)?;
    if zone.records.iter().any(|record| !records::of_the_zone(zone, record)) {
        let message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
        return Err(Refusal::new("HostedZoneNotEmpty", message));
    }
    world.zones.zones.remove(&id);
    world.forget(&tagged(&id));
    let answer = wire::DeleteHostedZoneResponse { change_info: Some(changed(world)) };
    Ok(document(wire::serialize_delete_hosted_zone_response(&answer)))
}

fn associate(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_associate_v_p_c_with_hosted_zone_request)?;
    let id = visit.ask.need("Id")?.to_owned();
    let (_, there) = zone(visit.world(), &id)?;
    if !there.private {
        let message = "You're trying to associate a VPC with a public hosted zone.";
        return Err(Refusal::new("PublicZoneVPCAssociation", message));
    }
    let name = there.name.clone();
    let vpc = vpc_of(visit, &asked.v_p_c)?;
    let world = visit.world();
    conflict(world, &name, &vpc)?;
    zone(world, &id)?.1.vpcs.push(vpc);
    let answer = wire::AssociateVPCWithHostedZoneResponse { change_info: Some(changed(world)) };
    Ok(document(wire::serialize_associate_v_p_c_with_hosted_zone_response(&answer)))
}

fn disassociate(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_disassociate_v_p_c_from_hosted_zone_request)?;
    let id = visit.ask.need("Id")?.to_owned();
    let vpc = (asked.v_p_c.v_p_c_region.unwrap_or_default(), asked.v_p_c.v_p_c_id.unwrap_or_default());
    let world = visit.world();
    let (_, zone) = zone(world, &id)?;
    if !zone.vpcs.contains(&vpc) {
        let message = format!("The VPC {} is not associated with the hosted zone {}.", vpc.1, bare(&id));
        return Err(Refusal::new("VPCAssociationNotFound", message));
    }
    if zone.vpcs.len() == 1 {
        let message = "The VPC that you are trying to disassociate is the last one of the private hosted zone.";
        return Err(Refusal::new("LastVPCAssociation", message));
    }
    zone.vpcs.retain(|other| *other != vpc);
    let answer = wire::DisassociateVPCFromHostedZoneResponse { change_info: Some(changed(world)) };
    Ok(document(wire::serialize_disassociate_v_p_c_from_hosted_zone_response(&answer)))
}

/// A VPC of another account, which is not seen from here.
fn vpc_elsewhere(given: wire::VPC) -> Result<(String, String), Refusal> {
    let (region, id) = (given.v_p_c_region.unwrap_or_default(), given.v_p_c_id.unwrap_or_default());
    let unknown = || Refusal::new("InvalidVPCId", format!("The VPC ID {id} isn't a valid ID."));
    Kind::Vpc.check_shape(&id).map_err(|_| unknown())?;
    if region.is_empty() { Err(invalid("VPCRegion is required with VPCId")) } else { Ok((region, id)) }
}

fn allow(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_create_v_p_c_association_authorization_request)?;
    let id = visit.ask.need("Id")?.to_owned();
    let (region, vpc) = vpc_elsewhere(asked.v_p_c)?;
    let world = visit.world();
    let now = world.now;
    let (id, zone) = zone(world, &id)?;
    if !zone.private {
        return Err(invalid("You can't authorize the association of a VPC with a public hosted zone."));
    }
    if !zone.allowed.iter().any(|(_, there, _)| *there == vpc) {
        zone.allowed.push((region.clone(), vpc.clone(), now));
    }
    let answer = wire::CreateVPCAssociationAuthorizationResponse {
        hosted_zone_id: Some(id),
        v_p_c: Some(vpc_shown(&(region, vpc))),
    };
    Ok(document(wire::serialize_create_v_p_c_association_authorization_response(&answer)))
}

fn forbid(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_delete_v_p_c_association_authorization_request)?;
    let id = visit.ask.need("Id")?.to_owned();
    let (_, vpc) = vpc_elsewhere(asked.v_p_c)?;
    let (id, zone) = zone(visit.world(), &id)?;
    let before = zone.allowed.len();
    zone.allowed.retain(|(_, there, _)| *there != vpc);
    if zone.allowed.len() == before {
        let message = format!("The VPC {vpc} is not authorized to be associated with the hosted zone {id}.");
        return Err(Refusal::new("VPCAssociationAuthorizationNotFound", message));
    }
    Ok(document(wire::serialize_delete_v_p_c_association_authorization_response()))
}

fn list_allowed(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let id = visit.ask.need("Id")?.to_owned();
    let (id, zone) = zone(visit.world(), &id)?;
    let vpcs = zone.allowed.iter().map(|(region, vpc, _)| vpc_shown(&(region.clone(), vpc.clone())));
    let answer = wire::ListVPCAssociationAuthorizationsResponse {
        hosted_zone_id: Some(id),
        next_token: None,
        v_p_cs: Some(vpcs.collect()),
    };
    Ok(document(wire::serialize_list_v_p_c_association_authorizations_response(&answer)))
}

/// The zone whose tags are meant; health checks are not kept here.
fn tags_of(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    if visit.ask.need("ResourceType")? != "hostedzone" {
        return Err(invalid("The practice cloud tags hosted zones only"));
    }
    let id = visit.ask.need("ResourceId")?.to_owned();
    Ok(tagged(&zone(visit.world(), &id)?.0))
}

fn change_tags(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let asked = body(visit.ask, wire::deserialize_change_tags_for_resource_request)?;
    let of = tags_of(visit)?;
    let (add, remove) = (asked.add_tags.unwrap_or_default().items, asked.remove_tag_keys.unwrap_or_default().items);
    if add.len() > MOST_TAGS || remove.len() > MOST_TAGS || (add.is_empty() && remove.is_empty()) {
        return Err(invalid("One request adds and removes 1 to 10 tags each"));
    }
    let tags = visit.world().tags.entry(of).or_default();
    for tag in add {
        tags.insert(tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
    }
    for key in remove {
        tags.remove(&key);
    }
    Ok(document(wire::serialize_change_tags_for_resource_response()))
}

fn list_tags(visit: &mut Visit<'_>) -> Result<String, Refusal> {
    let of = tags_of(visit)?;
    let tags = visit.world().tags.get(&of).into_iter().flatten();
    let tag = |(key, value): (&String, &String)| wire::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    let set = wire::ResourceTagSet {
        resource_id: Some(bare(&of).to_owned()),
        resource_type: Some("hostedzone".to_owned()),
        tags: Some(tags.map(tag).collect()),
    };
    let answer = wire::ListTagsForResourceResponse { resource_tag_set: Some(set) };
    Ok(document(wire::serialize_list_tags_for_resource_response(&answer)))
}
