//! Hosted zones of Route 53, public and private, and the further VPCs of a private one.
//!
//! A zone is made by one call and tagged by another. Its caller reference says meanwhile whose it is, so that no moment
//! exists in which it is nobody's. Several zones may share a name: each public one has name servers of its own, so a
//! second one beside a customer's would never be asked.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::call::dns::{DnsRequest, Reference, ZoneConfig, ZoneVpc};
use super::call::{Call, ITSELF, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::Subject;
use crate::aws::route53::operation::get_hosted_zone::GetHostedZoneOutput;
use crate::aws::route53::types::{HostedZone, TagResourceType};
use crate::aws::{AwsFailure, Holder, Kind, Operation, run_of};
use crate::engagement::{Difference, Failure};

/// `MC.acme.example` is `mc.acme.example.`
pub(super) fn whole_name(name: &str) -> String {
    if known(name) { format!("{}.", name.trim_end_matches('.').to_ascii_lowercase()) } else { name.to_owned() }
}

/// As people write it. The root has no other name than its dot.
pub(super) fn said_name(name: &str) -> &str {
    match name.trim_end_matches('.') {
        "" => name,
        short => short,
    }
}

pub(super) fn zone_id(id: &str) -> &str {
    id.trim_start_matches("/hostedzone/")
}

/// A zone as AWS shows it, with its tags.
pub(super) struct Zone {
    pub id: String,
    zone: HostedZone,
    servers: Vec<String>,
    pub vpcs: Vec<ZoneVpc>,
    tags: BTreeMap<String, String>,
}

impl Zone {
    /// None where there is none of that id.
    pub(super) async fn of_id(at: &Account<'_>, id: &str) -> Result<Option<Zone>, AwsFailure> {
        let request = at.cloud.route53().get_hosted_zone().id(id);
        let seen = match at.cloud.read(Operation::GetHostedZone, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
            seen => seen?,
        };
        let tags = at.cloud.route53().list_tags_for_resource().resource_type(TagResourceType::Hostedzone);
        let tags = tags.resource_id(zone_id(id));
        let tags = match at.cloud.read(Operation::ZoneTags, || tags.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
            tags => tags?.resource_tag_set.and_then(|set| set.tags).unwrap_or_default(),
        };
        let GetHostedZoneOutput { hosted_zone: Some(zone), delegation_set, vpcs, .. } = seen else { return Ok(None) };
        let vpc = |vpc: crate::aws::route53::types::Vpc| {
            Some(ZoneVpc { id: vpc.vpc_id?, region: vpc.vpc_region?.as_str().to_owned() })
        };
        let servers = delegation_set.map(|set| set.name_servers).unwrap_or_default();
        let mut servers: Vec<String> = servers.iter().map(|name| said_name(name).to_owned()).collect();
        servers.sort_unstable();
        Ok(Some(Zone {
            id: zone_id(zone.id()).to_owned(),
            servers,
            vpcs: vpcs.unwrap_or_default().into_iter().filter_map(vpc).collect(),
            tags: tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect(),
            zone,
        }))
    }

    pub(super) fn name(&self) -> &str {
        self.zone.name()
    }

    pub(super) fn is_private(&self) -> bool {
        self.zone.config().is_some_and(|config| config.private_zone())
    }

    /// By its tags; and by its caller reference, where `key` is the one that is looked for.
    pub(super) fn holder(&self, at: &Account<'_>, key: Option<&str>) -> Holder {
        let tagged = at.holder_by_tags(&self.tags);
        let referred =
            |key: &&str| self.zone.caller_reference().starts_with(&Reference::beginning(&at.subject.engagement, key));
        match (tagged, key.filter(referred)) {
            (Holder::Stranger, Some(key)) => Holder::Us { key: key.to_owned() },
            (tagged, _) => tagged,
        }
    }
}

/// `aws/hosted-zone`
pub(super) struct TheHostedZone {
    name: String,
    comment: Option<String>,
    vpc: Option<ZoneVpc>,
    label: Label,
}

impl TheHostedZone {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let vpc = match (arguments.optional("vpc")?, arguments.optional("region")?) {
            (Some(id), Some(region)) => Some(ZoneVpc { id, region }),
            (None, _) => None,
            (Some(_), None) => {
                let what = "aws/hosted-zone is given a `vpc` without its `region`";
                return Err(Failure::new(what, "Correct the step in the runbook."));
            }
        };
        Ok(TheHostedZone {
            name: whole_name(&arguments.text("name")?),
            comment: arguments.optional("comment")?,
            vpc,
            label: label(subject, arguments)?,
        })
    }

    /// Zones of this name that are as public or as private, or the one that a person chose.
    async fn candidates(&self, at: &Account<'_>) -> Result<Vec<Zone>, AwsFailure> {
        if let Some(id) = &at.subject.adopted {
            return Ok(Zone::of_id(at, id).await?.into_iter().collect());
        }
        let mut there = Vec::new();
        if !known(&self.name) {
            return Ok(there);
        }
        let request = at.cloud.route53().list_hosted_zones_by_name().dns_name(&self.name);
        let listed = at.cloud.read(Operation::ListHostedZonesByName, || request.clone().send()).await?;
        // The list begins at the name and goes on to others.
        for one in listed.hosted_zones().iter().filter(|one| one.name() == self.name) {
            let seen = Zone::of_id(at, one.id()).await?;
            there.extend(seen.filter(|zone| zone.is_private() == self.vpc.is_some()));
        }
        Ok(there)
    }

    /// Ours, the oldest first.
    async fn sorted(&self, at: &Account<'_>) -> Result<(Vec<Zone>, Vec<Zone>), AwsFailure> {
        let ours = Holder::Us { key: self.label.key.clone() };
        let chosen = at.subject.adopted.is_some();
        let all = self.candidates(at).await?.into_iter();
        let (mut ours, others): (Vec<Zone>, Vec<Zone>) =
            all.partition(|zone| chosen || zone.holder(at, Some(&self.label.key)) == ours);
        ours.sort_by_cached_key(|zone| (run_of(&zone.tags), zone.id.clone()));
        Ok((ours, others))
    }

    fn tagging(&self, id: &str) -> Call {
        Call::Dns(DnsRequest::ChangeTagsForResource {
            resource_type: "hostedzone",
            resource_id: id.to_owned(),
            add_tags: self.label.clone(),
        })
    }

    fn differences(&self, zone: &Zone) -> Vec<Difference> {
        let mut differences = Vec::new();
        if known(&self.name) && zone.name() != self.name {
            differences.push(difference("name", &self.name, zone.name()));
        }
        let word = |private: bool| if private { "private" } else { "public" };
        if zone.is_private() != self.vpc.is_some() {
            differences.push(difference("kind", word(self.vpc.is_some()), word(zone.is_private())));
        }
        differences
    }
}

#[async_trait]
impl Thing for TheHostedZone {
    fn noun(&self) -> String {
        let kind = if self.vpc.is_some() { "private" } else { "public" };
        format!("{kind} zone {}", said_name(&self.name))
    }

    fn calls(&self) -> Vec<Call> {
        let create = DnsRequest::CreateHostedZone {
            name: self.name.clone(),
            caller_reference: Reference { key: self.label.key.clone() },
            hosted_zone_config: ZoneConfig { comment: self.comment.clone(), private_zone: self.vpc.is_some() },
            vpc: self.vpc.clone(),
        };
        vec![Call::Dns(create), self.tagging(ITSELF)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let (ours, others) = self.sorted(at).await?;
        let mut ours = ours.into_iter();
        let Some(zone) = ours.next() else {
            let takes_our_place = |zone: &&Zone| match &self.vpc {
                // Private zones of one name live side by side, but not in one VPC.
                Some(vpc) => zone.vpcs.contains(vpc),
                None => true,
            };
            return Ok(match others.iter().find(takes_our_place) {
                Some(other) => at.taken_by(&self.noun(), &self.noun(), (&other.id, &other.holder(at, None))),
                None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
            });
        };
        at.also_there(ours.map(|zone| zone.id));
        let differences = self.differences(&zone);
        if !differences.is_empty() {
            let said = format!("{} is {}, and not what is wanted", zone.id, said_name(zone.name()));
            return Ok(Sight::Foreign { said, differences });
        }
        let whose = zone.holder(at, Some(&self.label.key));
        let mut missing = Vec::new();
        let mut differences = Vec::new();
        if at.subject.adopted.is_none() && at.holder_by_tags(&zone.tags) != whose {
            missing.push(self.tagging(&zone.id));
            differences.push(difference("tags", "those of this step", "none of ours"));
        }
        if let Some(vpc) = self.vpc.as_ref().filter(|vpc| known(&vpc.id) && !zone.vpcs.contains(vpc)) {
            let request = DnsRequest::AssociateVPCWithHostedZone { hosted_zone_id: zone.id.clone(), vpc: vpc.clone() };
            missing.push(Call::Dns(request));
            let vpcs: Vec<&str> = zone.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
            differences.push(difference("VPC", &vpc.id, crate::text::list(&vpcs)));
        }
        let output = json!({ "id": zone.id, "name": said_name(zone.name()), "name_servers": zone.servers });
        if missing.is_empty() {
            let servers = if zone.servers.is_empty() {
                String::new()
            } else {
                format!(", answered by {}", crate::text::list(&zone.servers))
            };
            let mut there = found(format!("{} for {}{servers}", zone.id, said_name(zone.name())), output);
            there.foreign = !matches!(whose, Holder::Us { .. });
            return Ok(Sight::Ready(there));
        }
        let said = format!("{} is there as {}, but not complete", self.noun(), zone.id);
        let keep = [("id".to_owned(), json!(zone.id))].into_iter().collect();
        Ok(Sight::Partial(Partial { said, differences, missing, keep }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(self.sorted(at).await?.0.into_iter().map(|zone| zone.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dns(DnsRequest::DeleteHostedZone { id: id.to_owned() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        let zone = Zone::of_id(at, id).await?;
        Ok(zone.map_or(Holder::Stranger, |zone| zone.holder(at, Some(&self.label.key))))
    }

    async fn dependents(&self, at: &Account<'_>, id: &str) -> Result<Vec<String>, AwsFailure> {
        let Some(zone) = Zone::of_id(at, id).await? else { return Ok(Vec::new()) };
        let sets = super::aws_records::sets_of(at, id).await?;
        let own = |name: &str, kind: &str| name == zone.name() && ["NS", "SOA"].contains(&kind);
        let left = sets.iter().filter(|set| !own(set.name(), set.r#type().as_str()));
        Ok(left.map(|set| format!("{} {}", said_name(set.name()), set.r#type().as_str())).collect())
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let Some(zone) = Zone::of_id(at, id).await? else { return Ok(Remains::Gone) };
        Ok(match zone.holder(at, Some(&self.label.key)) {
            Holder::Us { .. } => Remains::Takes(self.inverse(id, made)),
            other => Remains::NotOurs { said: at.said_of(id, &other) },
        })
    }
}

/// `aws/zone-association`
pub(super) struct ZoneAssociation {
    zone: String,
    vpc: ZoneVpc,
}

impl ZoneAssociation {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(ZoneAssociation {
            zone: arguments.text("zone")?,
            vpc: ZoneVpc { id: arguments.text("vpc")?, region: arguments.text("region")? },
        })
    }

    /// The zone, if this VPC is one of its.
    async fn zone(&self, at: &Account<'_>) -> Result<Option<Zone>, AwsFailure> {
        if !known(&self.zone) || !known(&self.vpc.id) {
            return Ok(None);
        }
        Zone::of_id(at, &self.zone).await
    }
}

#[async_trait]
impl Thing for ZoneAssociation {
    fn noun(&self) -> String {
        format!("zone {} in {}", self.zone, self.vpc.id)
    }

    fn calls(&self) -> Vec<Call> {
        let (hosted_zone_id, vpc) = (self.zone.clone(), self.vpc.clone());
        vec![Call::Dns(DnsRequest::AssociateVPCWithHostedZone { hosted_zone_id, vpc })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let zone = self.zone(at).await?;
        Ok(match zone {
            Some(zone) if !zone.is_private() => Sight::Foreign {
                said: format!("{} is public: everybody can ask it", self.zone),
                differences: vec![difference("kind", "private", "public")],
            },
            Some(zone) if zone.vpcs.contains(&self.vpc) => Sight::Ready(found(self.noun(), json!({}))),
            _ => Sight::Nothing { said: format!("{} is not asked from {}", self.zone, self.vpc.id) },
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        let (hosted_zone_id, vpc) = (self.zone.clone(), self.vpc.clone());
        vec![Call::Dns(DnsRequest::DisassociateVPCFromHostedZone { hosted_zone_id, vpc })]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let there = self.zone(at).await?.is_some_and(|zone| zone.vpcs.contains(&self.vpc));
        Ok(if there { Remains::Takes(self.inverse("", made)) } else { Remains::Gone })
    }
}
