//! Route 53 Resolver: the way of names between the VPC and the customer's data centre, and a log of what is asked.
//!
//! What is listed comes without tags, so each is asked for its own. The names that the Resolver takes have no slashes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use async_trait::async_trait;
use ipnet::Ipv4Net;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::{label, vpcs};
use super::aws_zone::{said_name, whole_name};
use super::call::dns::{DnsRequest, EndpointAddress, TargetAddress};
use super::call::{Call, Label, Token};
use super::object::{Made, Remains, Sight, Thing, difference, found};
use super::tagged::{Tagged, holder, left, otherwise, ours, the_one};
use super::world::Subject;
use crate::aws::ec2::types::Tenancy;
use crate::aws::resolver::types::{ResolverEndpoint, ResolverEndpointStatus, ResolverRule};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation, filter};
use crate::engagement::{Difference, Failure};

/// Letters, digits, hyphens, underscores and blanks, 64 at most (API reference, Name).
pub(super) fn resolver_name(label: &Label) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || "-_ ".contains(c) { c } else { '-' };
    label.name.chars().map(good).take(64).collect()
}

/// Asks each for its tags; what went meanwhile is left out.
pub(super) async fn tagged<T>(
    at: &Account<'_>,
    things: Vec<T>,
    named: fn(&T) -> (Option<&str>, Option<&str>),
) -> Result<Vec<Tagged<T>>, AwsFailure> {
    let mut all = Vec::new();
    for thing in things {
        let (Some(id), Some(arn)) = named(&thing) else { continue };
        let id = id.to_owned();
        let Some(tags) = tags_of(at.cloud, arn).await? else { continue };
        all.push(Tagged::new(thing, id, tags));
    }
    Ok(all)
}

/// The tags of a thing of the resolver; nothing where it is gone.
pub(super) async fn tags_of(cloud: &Cloud, arn: &str) -> Result<Option<Vec<(String, String)>>, AwsFailure> {
    let request = cloud.resolver().list_tags_for_resource().resource_arn(arn);
    match cloud.read(Operation::ResolverTags, || request.clone().send()).await {
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        answer => Ok(Some(answer?.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())),
    }
}

/// `aws/resolver-endpoint`
pub(super) struct TheEndpoint {
    inbound: bool,
    /// Where it is to be, as far as that is said.
    vpc: Option<String>,
    groups: Vec<String>,
    addresses: Vec<EndpointAddress>,
    label: Label,
}

/// The id of the subnet of the plan that holds an address.
fn home_of(ip: &str, arguments: &Arguments<'_>) -> Result<String, Failure> {
    let address: Option<Ipv4Addr> = ip.parse().ok();
    let holds = |cidr: &str| cidr.parse::<Ipv4Net>().is_ok_and(|net| address.is_some_and(|ip| net.contains(&ip)));
    let mut key = None;
    for row in arguments.maps("plan")? {
        if holds(&row.text("cidr")?) {
            key = Some(row.text("key")?);
        }
    }
    let ids = arguments.pairs("ids")?;
    let id = key.and_then(|key| ids.into_iter().find(|(own, _)| *own == key)).map(|(_, id)| id);
    id.ok_or_else(|| {
        let what = format!("the address {ip} is in no subnet of the plan");
        Failure::new(what, "Correct the step in the runbook, or the inputs that it is made of.")
    })
}

impl TheEndpoint {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let inbound = arguments.one_of("direction", &["inbound", "outbound"])? == "inbound";
        let mut addresses: Vec<EndpointAddress> = Vec::new();
        for one in arguments.maps("addresses")? {
            one.only(&["subnet", "ip"])?;
            addresses.push(EndpointAddress { subnet_id: one.text("subnet")?, ip: one.optional("ip")? });
        }
        for ip in arguments.list("ips")? {
            addresses.push(EndpointAddress { subnet_id: home_of(&ip, &arguments)?, ip: Some(ip) });
        }
        let bare = arguments.list("subnets")?.into_iter();
        addresses.extend(bare.map(|subnet_id| EndpointAddress { subnet_id, ip: None }));
        let subnets: BTreeSet<&String> = addresses.iter().map(|one| &one.subnet_id).collect();
        if !(2..=6).contains(&addresses.len()) || (subnets.len() < 2 && subnets.iter().all(|id| known(id))) {
            let what = "aws/resolver-endpoint needs 2 to 6 addresses, in subnets of at least two zones: give `subnets`, \
                        `addresses` or `ips`";
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        let (vpc, groups) = (arguments.optional("vpc")?, arguments.list("groups")?);
        Ok(TheEndpoint { inbound, vpc, groups, addresses, label: label(subject, arguments)? })
    }

    fn direction(&self) -> &'static str {
        if self.inbound { "INBOUND" } else { "OUTBOUND" }
    }

    /// AWS makes none in a VPC whose hosts have machines of their own (Developer Guide, "Considerations when creating inbound
    /// and outbound endpoints").
    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        if let Some(id) = self.vpc.as_deref().filter(|id| known(id)) {
            let there = vpcs(at, vec![filter("vpc-id", [id])]).await?;
            if there.first().and_then(|vpc| vpc.instance_tenancy()) == Some(&Tenancy::Dedicated) {
                let what = format!("{} cannot be in {id}, whose tenancy is dedicated", self.noun());
                let advice = format!(
                    "AWS makes no resolver endpoint in such a VPC. Its owner can change that for hosts to come: aws ec2 \
                     modify-vpc-tenancy --vpc-id {id} --instance-tenancy default. Or take another VPC, or none of the ways \
                     of names that need an endpoint."
                );
                return Ok(Sight::Broken(Failure::new(what, advice)));
            }
        }
        Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) })
    }

    async fn there(&self, at: &Account<'_>) -> Result<Vec<Tagged<ResolverEndpoint>>, AwsFailure> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.resolver().list_resolver_endpoints().set_next_token(next);
            let page = at.cloud.read(Operation::ListResolverEndpoints, || request.clone().send()).await?;
            all.extend(page.resolver_endpoints.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return tagged(at, all, |one| (one.id(), one.arn())).await;
            }
        }
    }

    async fn addresses(&self, at: &Account<'_>, id: &str) -> Result<Vec<(String, String)>, AwsFailure> {
        let request = at.cloud.resolver().list_resolver_endpoint_ip_addresses().resolver_endpoint_id(id);
        let listed = at.cloud.read(Operation::ListResolverEndpointIpAddresses, || request.clone().send()).await?;
        let pair = |one: crate::aws::resolver::types::IpAddressResponse| Some((one.subnet_id?, one.ip?));
        Ok(listed.ip_addresses.unwrap_or_default().into_iter().filter_map(pair).collect())
    }

    fn differences(&self, endpoint: &ResolverEndpoint, addresses: &[(String, String)]) -> Vec<Difference> {
        let mut differences = Vec::new();
        let direction = endpoint.direction().map_or("", |direction| direction.as_str());
        if direction != self.direction() {
            differences.push(difference("direction", self.direction(), direction));
        }
        for wanted in &self.addresses {
            let fits = |(subnet, ip): &(String, String)| {
                *subnet == wanted.subnet_id && wanted.ip.as_ref().is_none_or(|wanted| wanted == ip)
            };
            if known(&wanted.subnet_id) && !addresses.iter().any(fits) {
                let wanted = format!("{} in {}", wanted.ip.as_deref().unwrap_or("an address"), wanted.subnet_id);
                let found: Vec<String> = addresses.iter().map(|(subnet, ip)| format!("{ip} in {subnet}")).collect();
                differences.push(difference("address", wanted, crate::text::list(&found)));
            }
        }
        let has: BTreeSet<&String> = endpoint.security_group_ids().iter().collect();
        let wanted: BTreeSet<&String> = self.groups.iter().collect();
        if self.groups.iter().all(|id| known(id)) && has != wanted {
            let text = |groups: BTreeSet<&String>| crate::text::list(&groups.into_iter().collect::<Vec<_>>());
            differences.push(difference("security groups", text(wanted), text(has)));
        }
        differences
    }
}

#[async_trait]
impl Thing for TheEndpoint {
    fn noun(&self) -> String {
        format!("{} resolver endpoint {}", self.direction().to_ascii_lowercase(), self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dns(DnsRequest::CreateResolverEndpoint {
            name: resolver_name(&self.label),
            direction: self.direction(),
            security_group_ids: self.groups.clone(),
            ip_addresses: self.addresses.clone(),
            creator_request_id: Token,
            tags: self.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label.key, self.there(at).await?) else {
            return self.nothing_of_ours(at).await;
        };
        let addresses = self.addresses(at, &id).await?;
        let ips: Vec<&str> = addresses.iter().map(|(_, ip)| ip.as_str()).collect();
        let there = || {
            let said = format!("{id} at {}", crate::text::list(&ips));
            found(said, json!({ "id": id, "addresses": ips, "vpc": thing.host_vpc_id() }))
        };
        use ResolverEndpointStatus::{ActionNeeded, Deleting, Operational};
        match thing.status() {
            Some(Deleting) => return Ok(Sight::Nothing { said: format!("{} is being taken away", self.noun()) }),
            Some(ActionNeeded) => {
                let mut failure = Failure::new(
                    format!("{} needs somebody: an address of it does not work", self.noun()),
                    "Was a network interface or a subnet deleted? Which address it is, aws route53resolver \
                     list-resolver-endpoint-ip-addresses --resolver-endpoint-id ID says.",
                );
                failure.raw = thing.status_message().unwrap_or_default().to_owned();
                return Ok(Sight::Broken(failure));
            }
            _ => {}
        }
        let differences = self.differences(&thing, &addresses);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), &id, differences));
        }
        Ok(if thing.status() == Some(&Operational) { Sight::Ready(there()) } else { Sight::Coming(there()) })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ours(at, &self.label.key, self.there(at).await?).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dns(DnsRequest::DeleteResolverEndpoint { resolver_endpoint_id: id.to_owned() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &self.there(at).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let all = self.there(at).await?;
        let going = all.iter().find(|one| one.id == id).and_then(|one| one.thing.status());
        if going == Some(&ResolverEndpointStatus::Deleting) {
            return Ok(Remains::Going { said: format!("{} is being taken away", self.noun()) });
        }
        Ok(left(at, id, &all, self.inverse(id, made)))
    }
}

/// `aws/resolver-rule`
pub(super) struct TheRule {
    domain: String,
    endpoint: Option<String>,
    targets: Vec<TargetAddress>,
    label: Label,
}

impl TheRule {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let forward = arguments.one_of("type", &["forward", "system"])? == "forward";
        let refused =
            |what: String| Failure::new(what, "Correct the step in the runbook, or the inputs that it is made of.");
        let mut targets = Vec::new();
        for text in arguments.list("targets")? {
            let (ip, port) = match text.split_once(':') {
                Some((ip, port)) => (ip.to_owned(), port.parse().ok()),
                None => (text.clone(), Some(53)),
            };
            let port = port.filter(|port| (1..=65_535).contains(port));
            let Some(port) = port.filter(|_| !known(&ip) || ip.parse::<std::net::Ipv4Addr>().is_ok()) else {
                return Err(refused(format!("the target \"{text}\" is no IPv4 address, with or without a port")));
            };
            targets.push(TargetAddress { ip, port });
        }
        let endpoint = arguments.optional("endpoint")?;
        if forward != endpoint.is_some() || forward == targets.is_empty() || targets.len() > 6 {
            let what = "a rule that forwards has an `endpoint` and 1 to 6 `targets`; one of type system has neither";
            return Err(refused(what.to_owned()));
        }
        let domain = whole_name(&arguments.text("domain")?);
        Ok(TheRule { domain, endpoint, targets, label: label(subject, arguments)? })
    }

    async fn there(&self, at: &Account<'_>) -> Result<Vec<Tagged<ResolverRule>>, AwsFailure> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.resolver().list_resolver_rules().set_next_token(next);
            let page = at.cloud.read(Operation::ListResolverRules, || request.clone().send()).await?;
            all.extend(page.resolver_rules.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        // AWS's own rule for everything belongs to nobody, and has no tags.
        all.retain(|rule| rule.owner_id() != Some("Route 53 Resolver"));
        tagged(at, all, |one| (one.id(), one.arn())).await
    }

    fn differences(&self, rule: &ResolverRule) -> Vec<Difference> {
        let mut differences = Vec::new();
        let domain = whole_name(rule.domain_name().unwrap_or_default());
        if known(&self.domain) && domain != self.domain {
            differences.push(difference("domain", said_name(&self.domain), said_name(&domain)));
        }
        let target = |one: &crate::aws::resolver::types::TargetAddress| {
            Some(TargetAddress { ip: one.ip.clone()?, port: one.port().unwrap_or(53) })
        };
        let mut has: Vec<TargetAddress> = rule.target_ips().iter().filter_map(target).collect();
        let mut wanted = self.targets.clone();
        has.sort_unstable();
        wanted.sort_unstable();
        if wanted.iter().all(|one| known(&one.ip)) && has != wanted {
            let said = |targets: &[TargetAddress]| {
                let lines: Vec<String> = targets.iter().map(|one| format!("{}:{}", one.ip, one.port)).collect();
                if lines.is_empty() { "nothing".to_owned() } else { crate::text::list(&lines) }
            };
            differences.push(difference("targets", said(&wanted), said(&has)));
        }
        let endpoint = self.endpoint.as_deref().filter(|id| known(id));
        if endpoint.is_some() && rule.resolver_endpoint_id() != endpoint {
            let has = rule.resolver_endpoint_id().unwrap_or("none");
            differences.push(difference("endpoint", endpoint.unwrap_or_default(), has));
        }
        differences
    }
}

#[async_trait]
impl Thing for TheRule {
    fn noun(&self) -> String {
        format!("resolver rule for {}", said_name(&self.domain))
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dns(DnsRequest::CreateResolverRule {
            name: resolver_name(&self.label),
            rule_type: if self.endpoint.is_some() { "FORWARD" } else { "SYSTEM" },
            domain_name: self.domain.clone(),
            resolver_endpoint_id: self.endpoint.clone(),
            target_ips: self.targets.clone(),
            creator_request_id: Token,
            tags: self.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label.key, self.there(at).await?) else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let differences = self.differences(&thing);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), &id, differences));
        }
        Ok(Sight::Ready(found(format!("{id} for {}", said_name(&self.domain)), json!({ "id": id }))))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ours(at, &self.label.key, self.there(at).await?).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dns(DnsRequest::DeleteResolverRule { resolver_rule_id: id.to_owned() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &self.there(at).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        Ok(left(at, id, &self.there(at).await?, self.inverse(id, made)))
    }
}
