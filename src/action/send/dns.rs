//! The calls of Route 53 and its Resolver.

use std::time::Duration;

use super::Sender;
use crate::action::call::dns::{DnsRequest, RecordChange, RecordSet, Reference, ZoneConfig, ZoneVpc};
use crate::action::call::{Call, Label};
use crate::action::vigil::Vigil;
use crate::aws::resolver::types as resolver;
use crate::aws::route53::error::BuildError;
use crate::aws::route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeInfo, ChangeStatus, HostedZoneConfig, ResourceRecord, ResourceRecordSet,
    RrType, Tag, TagResourceType, Vpc, VpcRegion,
};
use crate::aws::{AwsFailure, ENGAGEMENT, Operation, Stamp};

/// ChangeTagsForResource takes no more of them at once.
const TAGS: usize = 10;
/// Looks whether every name server knows a change: "typically within 60 seconds".
const LOOKS: u32 = 24;
const BETWEEN: Duration = Duration::from_secs(5);

impl Sender<'_> {
    pub(super) async fn dns(&self, call: &Call, request: &DnsRequest) -> Result<Option<String>, AwsFailure> {
        match request {
            DnsRequest::CreateHostedZone { .. }
            | DnsRequest::DeleteHostedZone { .. }
            | DnsRequest::ChangeTagsForResource { .. }
            | DnsRequest::AssociateVPCWithHostedZone { .. }
            | DnsRequest::DisassociateVPCFromHostedZone { .. }
            | DnsRequest::CreateVPCAssociationAuthorization { .. }
            | DnsRequest::DeleteVPCAssociationAuthorization { .. }
            | DnsRequest::ChangeResourceRecordSets { .. } => self.route53(call, request).await,
            _ => self.resolver(call, request).await,
        }
    }

    async fn route53(&self, call: &Call, request: &DnsRequest) -> Result<Option<String>, AwsFailure> {
        let names = self.cloud.route53();
        match request {
            DnsRequest::CreateHostedZone { name, caller_reference: Reference { key }, hosted_zone_config, vpc } => {
                let stamp = Stamp { marks: self.marks, key, name };
                let reference = Reference::beginning(stamp.engagement(), key) + self.token;
                let ZoneConfig { comment, private_zone } = hosted_zone_config;
                let config = HostedZoneConfig::builder().set_comment(comment.clone()).private_zone(*private_zone);
                let config = (!hosted_zone_config.says_nothing()).then(|| config.build());
                let request = names.create_hosted_zone().name(name).caller_reference(reference);
                let request = request.set_hosted_zone_config(config).set_vpc(vpc.as_ref().map(of_vpc));
                let made = sent!(self, call, never a rehearsal: request);
                self.in_sync(made.change_info()).await;
                return Ok(made.hosted_zone().map(|zone| zone.id().trim_start_matches("/hostedzone/").to_owned()));
            }
            DnsRequest::ChangeTagsForResource { resource_type, resource_id, add_tags } => {
                for tags in self.tags_in_portions(add_tags) {
                    let request = names.change_tags_for_resource().resource_id(resource_id).set_add_tags(Some(tags));
                    let request = request.resource_type(TagResourceType::from(*resource_type));
                    sent!(self, call, never a rehearsal: request);
                }
            }
            DnsRequest::DeleteHostedZone { id } => {
                sent!(self, call, never a rehearsal: names.delete_hosted_zone().id(id));
            }
            DnsRequest::AssociateVPCWithHostedZone { hosted_zone_id, vpc } => {
                let request = names.associate_vpc_with_hosted_zone().hosted_zone_id(hosted_zone_id).vpc(of_vpc(vpc));
                let made = sent!(self, call, never a rehearsal: request);
                self.in_sync(made.change_info()).await;
            }
            DnsRequest::DisassociateVPCFromHostedZone { hosted_zone_id, vpc } => {
                let request = names.disassociate_vpc_from_hosted_zone().hosted_zone_id(hosted_zone_id);
                sent!(self, call, never a rehearsal: request.vpc(of_vpc(vpc)));
            }
            DnsRequest::CreateVPCAssociationAuthorization { hosted_zone_id, vpc } => {
                let request = names.create_vpc_association_authorization().hosted_zone_id(hosted_zone_id);
                sent!(self, call, never a rehearsal: request.vpc(of_vpc(vpc)));
            }
            DnsRequest::DeleteVPCAssociationAuthorization { hosted_zone_id, vpc } => {
                let request = names.delete_vpc_association_authorization().hosted_zone_id(hosted_zone_id);
                sent!(self, call, never a rehearsal: request.vpc(of_vpc(vpc)));
            }
            DnsRequest::ChangeResourceRecordSets { hosted_zone_id, changes } => {
                let batch = batch(changes).map_err(|error| AwsFailure::unbuilt(call.operation(), &error))?;
                let request = names.change_resource_record_sets().hosted_zone_id(hosted_zone_id).change_batch(batch);
                let made = sent!(self, call, never a rehearsal: request);
                self.in_sync(made.change_info()).await;
            }
            _ => return Err(super::unsent(call)),
        }
        Ok(None)
    }

    /// Waits until every name server knows the change. It is made, whatever the waiting brings: the look afterwards counts.
    async fn in_sync(&self, change: Option<&ChangeInfo>) {
        let Some(change) = change else { return };
        let vigil = Vigil::new(self.world, self.cloud, BETWEEN * LOOKS);
        for _ in 0..LOOKS {
            let request = self.cloud.route53().get_change().id(change.id());
            let Ok(seen) = self.cloud.read(Operation::GetChange, || request.clone().send()).await else { return };
            if seen.change_info().is_none_or(|seen| *seen.status() == ChangeStatus::Insync) {
                return;
            }
            let holdup = vigil.waits_for("not every name server of AWS knows it yet");
            if !vigil.rest(holdup, BETWEEN).await {
                return;
            }
        }
    }

    /// The engagement comes last: where it stands, all the others do.
    fn tags_in_portions(&self, label: &Label) -> Vec<Vec<Tag>> {
        let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
        let mut pairs: Vec<(&str, &str)> = stamp.pairs().into_iter().collect();
        pairs.sort_by_key(|(key, _)| *key == ENGAGEMENT);
        let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
        pairs.chunks(TAGS).map(|portion| portion.iter().map(tag).collect()).collect()
    }

    fn resolver_tags(&self, label: &Label) -> Result<Vec<resolver::Tag>, BuildTag> {
        let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
        let tag = |(key, value)| resolver::Tag::builder().key(key).value(value).build();
        stamp.plain_pairs().into_iter().map(tag).collect()
    }

    async fn resolver(&self, call: &Call, request: &DnsRequest) -> Result<Option<String>, AwsFailure> {
        let resolver = self.cloud.resolver();
        let unbuilt = |error: BuildTag| AwsFailure::unbuilt(call.operation(), &error);
        match request {
            DnsRequest::CreateResolverEndpoint { name, direction, security_group_ids, ip_addresses, tags, .. } => {
                let address = |one: &crate::action::call::dns::EndpointAddress| {
                    resolver::IpAddressRequest::builder().subnet_id(&one.subnet_id).set_ip(one.ip.clone()).build()
                };
                let addresses: Result<Vec<_>, _> = ip_addresses.iter().map(address).collect();
                let request = resolver
                    .create_resolver_endpoint()
                    .name(name)
                    .direction(resolver::ResolverEndpointDirection::from(*direction))
                    .set_security_group_ids(Some(security_group_ids.clone()))
                    .set_ip_addresses(Some(addresses.map_err(unbuilt)?))
                    .creator_request_id(self.token)
                    .set_tags(Some(self.resolver_tags(tags).map_err(unbuilt)?));
                return Ok(sent!(self, call, never a rehearsal: request).resolver_endpoint.and_then(|one| one.id));
            }
            DnsRequest::CreateResolverRule {
                name,
                rule_type,
                domain_name,
                resolver_endpoint_id,
                target_ips,
                tags,
                ..
            } => {
                let target = |one: &crate::action::call::dns::TargetAddress| {
                    resolver::TargetAddress::builder().ip(&one.ip).port(one.port).build()
                };
                let targets: Vec<_> = target_ips.iter().map(target).collect();
                let request = resolver
                    .create_resolver_rule()
                    .name(name)
                    .rule_type(resolver::RuleTypeOption::from(*rule_type))
                    .domain_name(domain_name)
                    .set_resolver_endpoint_id(resolver_endpoint_id.clone())
                    .set_target_ips((!targets.is_empty()).then_some(targets))
                    .creator_request_id(self.token)
                    .set_tags(Some(self.resolver_tags(tags).map_err(unbuilt)?));
                return Ok(sent!(self, call, never a rehearsal: request).resolver_rule.and_then(|one| one.id));
            }
            DnsRequest::CreateResolverQueryLogConfig { name, destination_arn, tags, .. } => {
                let request = resolver
                    .create_resolver_query_log_config()
                    .name(name)
                    .destination_arn(destination_arn)
                    .creator_request_id(self.token)
                    .set_tags(Some(self.resolver_tags(tags).map_err(unbuilt)?));
                let made = sent!(self, call, never a rehearsal: request);
                return Ok(made.resolver_query_log_config.and_then(|one| one.id));
            }
            _ => self.resolver_ties(call, request).await?,
        }
        Ok(None)
    }

    async fn resolver_ties(&self, call: &Call, request: &DnsRequest) -> Result<(), AwsFailure> {
        let resolver = self.cloud.resolver();
        match request {
            DnsRequest::DeleteResolverEndpoint { resolver_endpoint_id } => {
                let request = resolver.delete_resolver_endpoint().resolver_endpoint_id(resolver_endpoint_id);
                sent!(self, call, never a rehearsal: request);
            }
            DnsRequest::DeleteResolverRule { resolver_rule_id } => {
                sent!(self, call, never a rehearsal: resolver.delete_resolver_rule().resolver_rule_id(resolver_rule_id));
            }
            DnsRequest::AssociateResolverRule { resolver_rule_id, vpc_id } => {
                // Lists sort by it, and one without a name says nothing in a console.
                let request = resolver.associate_resolver_rule().name(format!("onramp-{vpc_id}"));
                let request = request.resolver_rule_id(resolver_rule_id).vpc_id(vpc_id);
                sent!(self, call, never a rehearsal: request);
            }
            DnsRequest::DisassociateResolverRule { resolver_rule_id, vpc_id } => {
                let request = resolver.disassociate_resolver_rule().resolver_rule_id(resolver_rule_id).vpc_id(vpc_id);
                sent!(self, call, never a rehearsal: request);
            }
            DnsRequest::DeleteResolverQueryLogConfig { resolver_query_log_config_id: id } => {
                let request = resolver.delete_resolver_query_log_config().resolver_query_log_config_id(id);
                sent!(self, call, never a rehearsal: request);
            }
            DnsRequest::AssociateResolverQueryLogConfig { resolver_query_log_config_id: id, resource_id } => {
                let request = resolver.associate_resolver_query_log_config().resolver_query_log_config_id(id);
                sent!(self, call, never a rehearsal: request.resource_id(resource_id));
            }
            DnsRequest::DisassociateResolverQueryLogConfig { resolver_query_log_config_id: id, resource_id } => {
                let request = resolver.disassociate_resolver_query_log_config().resolver_query_log_config_id(id);
                sent!(self, call, never a rehearsal: request.resource_id(resource_id));
            }
            _ => return Err(super::unsent(call)),
        }
        Ok(())
    }
}

type BuildTag = crate::aws::resolver::error::BuildError;

fn of_vpc(vpc: &ZoneVpc) -> Vpc {
    Vpc::builder().vpc_id(&vpc.id).vpc_region(VpcRegion::from(vpc.region.as_str())).build()
}

fn batch(changes: &[RecordChange]) -> Result<ChangeBatch, BuildError> {
    let one = |change: &RecordChange| {
        let (action, set) = match change {
            RecordChange::Upsert(set) => (ChangeAction::Upsert, set),
            RecordChange::Delete(set) => (ChangeAction::Delete, set),
        };
        Change::builder().action(action).resource_record_set(record_set(set)?).build()
    };
    let changes: Result<Vec<_>, _> = changes.iter().map(one).collect();
    ChangeBatch::builder().set_changes(Some(changes?)).build()
}

fn record_set(set: &RecordSet) -> Result<ResourceRecordSet, BuildError> {
    let record = |value: &String| ResourceRecord::builder().value(value).build();
    let records: Result<Vec<_>, _> = set.values.iter().map(record).collect();
    let built = ResourceRecordSet::builder().name(&set.name).r#type(RrType::from(set.r#type.as_str())).ttl(set.ttl);
    built.set_resource_records(Some(records?)).build()
}
