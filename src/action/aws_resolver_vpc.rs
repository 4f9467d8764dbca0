//! What of the Resolver holds in a VPC: which rules, and whether a log is kept of what its hosts ask.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::aws_resolver::{resolver_name, tagged};
use super::call::dns::DnsRequest;
use super::call::{Call, ITSELF, Label, Token};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::tagged::{Tagged, holder, left, otherwise, ours, the_one};
use super::world::Subject;
use crate::aws::resolver::types::{
    Filter, ResolverQueryLogConfig, ResolverQueryLogConfigAssociation,
    ResolverQueryLogConfigAssociationStatus as LogAt, ResolverRuleAssociation, ResolverRuleAssociationStatus as RuleAt,
};
use crate::aws::{AwsFailure, Holder, Operation};
use crate::engagement::Failure;

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// `aws/resolver-rule-association`
pub(super) struct RuleAssociation {
    rule: String,
    vpc: String,
}

impl RuleAssociation {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(RuleAssociation { rule: arguments.text("rule")?, vpc: arguments.text("vpc")? })
    }

    async fn there(&self, at: &Account<'_>) -> Result<Option<ResolverRuleAssociation>, AwsFailure> {
        if !known(&self.rule) || !known(&self.vpc) {
            return Ok(None);
        }
        let request = at.cloud.resolver().list_resolver_rule_associations();
        let request = request.filters(filter("ResolverRuleId", &self.rule)).filters(filter("VPCId", &self.vpc));
        let listed = at.cloud.read(Operation::ListResolverRuleAssociations, || request.clone().send()).await?;
        // Not every endpoint heeds every filter.
        let mut all = listed.resolver_rule_associations.unwrap_or_default().into_iter();
        Ok(all.find(|one| one.resolver_rule_id() == Some(&self.rule) && one.vpc_id() == Some(&self.vpc)))
    }
}

#[async_trait]
impl Thing for RuleAssociation {
    fn noun(&self) -> String {
        format!("{} in {}", self.rule, self.vpc)
    }

    fn calls(&self) -> Vec<Call> {
        let (resolver_rule_id, vpc_id) = (self.rule.clone(), self.vpc.clone());
        vec![Call::Dns(DnsRequest::AssociateResolverRule { resolver_rule_id, vpc_id })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let there = self.there(at).await?;
        let found = || found(self.noun(), json!({}));
        Ok(match there.as_ref().map(|one| (one.status(), one.status_message())) {
            None | Some((Some(RuleAt::Deleting), _)) => {
                Sight::Nothing { said: format!("{} does not hold", self.noun()) }
            }
            Some((Some(RuleAt::Creating), _)) => Sight::Coming(found()),
            Some((Some(RuleAt::Failed | RuleAt::Overridden), message)) => Sight::Broken(Failure {
                raw: message.unwrap_or_default().to_owned(),
                ..Failure::new(
                    format!("{} was refused or is overridden by another rule", self.noun()),
                    format!(
                        "Two rules of the VPC may be for the same domain. aws route53resolver \
                         list-resolver-rule-associations --filters Name=VPCId,Values={} lists them; end the other one \
                         with aws route53resolver disassociate-resolver-rule, or choose another domain.",
                        self.vpc
                    ),
                )
            }),
            Some(_) => Sight::Ready(found()),
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        let (resolver_rule_id, vpc_id) = (self.rule.clone(), self.vpc.clone());
        vec![Call::Dns(DnsRequest::DisassociateResolverRule { resolver_rule_id, vpc_id })]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match self.there(at).await?.as_ref().map(|one| one.status()) {
            None => Remains::Gone,
            Some(Some(RuleAt::Deleting)) => Remains::Going { said: format!("{} is ending", self.noun()) },
            Some(_) => Remains::Takes(self.inverse("", made)),
        })
    }
}

/// `aws/resolver-query-log`
pub(super) struct TheQueryLog {
    destination: String,
    vpcs: Vec<String>,
    label: Label,
}

impl TheQueryLog {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (destination, vpcs) = (arguments.text("destination")?, arguments.list("vpcs")?);
        Ok(TheQueryLog { destination, vpcs, label: label(subject, arguments)? })
    }

    async fn there(&self, at: &Account<'_>) -> Result<Vec<Tagged<ResolverQueryLogConfig>>, AwsFailure> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.resolver().list_resolver_query_log_configs().set_next_token(next);
            let page = at.cloud.read(Operation::ListResolverQueryLogConfigs, || request.clone().send()).await?;
            all.extend(page.resolver_query_log_configs.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return tagged(at, all, |one| (one.id(), one.arn())).await;
            }
        }
    }

    /// Its VPCs.
    async fn ties(&self, at: &Account<'_>, id: &str) -> Result<Vec<ResolverQueryLogConfigAssociation>, AwsFailure> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.resolver().list_resolver_query_log_config_associations().set_next_token(next);
            let request = request.filters(filter("ResolverQueryLogConfigId", id));
            let page =
                at.cloud.read(Operation::ListResolverQueryLogConfigAssociations, || request.clone().send()).await?;
            let of_it = page.resolver_query_log_config_associations.unwrap_or_default().into_iter();
            all.extend(of_it.filter(|one| one.resolver_query_log_config_id() == Some(id)));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    fn associate(&self, id: &str, vpc: &str) -> Call {
        let (resolver_query_log_config_id, resource_id) = (id.to_owned(), vpc.to_owned());
        Call::Dns(DnsRequest::AssociateResolverQueryLogConfig { resolver_query_log_config_id, resource_id })
    }
}

fn leave(id: &str, vpc: &str) -> Call {
    let (resolver_query_log_config_id, resource_id) = (id.to_owned(), vpc.to_owned());
    Call::Dns(DnsRequest::DisassociateResolverQueryLogConfig { resolver_query_log_config_id, resource_id })
}

#[async_trait]
impl Thing for TheQueryLog {
    fn noun(&self) -> String {
        format!("query log {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let create = Call::Dns(DnsRequest::CreateResolverQueryLogConfig {
            name: resolver_name(&self.label),
            destination_arn: self.destination.clone(),
            creator_request_id: Token,
            tags: self.label.clone(),
        });
        std::iter::once(create).chain(self.vpcs.iter().map(|vpc| self.associate(ITSELF, vpc))).collect()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label.key, self.there(at).await?) else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let has = thing.destination_arn().unwrap_or_default();
        if known(&self.destination) && has != self.destination {
            return Ok(otherwise(&self.noun(), &id, vec![difference("destination", &self.destination, has)]));
        }
        let ties = self.ties(at, &id).await?;
        let of = |vpc: &String| ties.iter().find(|tie| tie.resource_id() == Some(vpc)).and_then(|tie| tie.status());
        let mut missing = Vec::new();
        let mut coming = false;
        for vpc in &self.vpcs {
            match of(vpc) {
                None | Some(LogAt::Deleting) => missing.push(vpc.clone()),
                Some(LogAt::Creating) => coming = true,
                Some(LogAt::Failed | LogAt::ActionNeeded) => {
                    let what = format!("{} does not work in {vpc}: AWS may not write to {has}", self.noun());
                    return Ok(Sight::Broken(Failure::new(what, "Check the policy of the bucket or the log group.")));
                }
                Some(_) => {}
            }
        }
        if !missing.is_empty() {
            let said = format!("{} is there as {id}, but not in {}", self.noun(), crate::text::list(&missing));
            let differences = missing.iter().map(|vpc| difference("VPC", vpc, "not logged")).collect();
            let missing = missing.iter().map(|vpc| self.associate(&id, vpc)).collect();
            let keep = [("id".to_owned(), json!(id))].into_iter().collect();
            return Ok(Sight::Partial(Partial { said, differences, missing, keep }));
        }
        let there = found(format!("{id} to {has}"), json!({ "id": id }));
        Ok(if coming { Sight::Coming(there) } else { Sight::Ready(there) })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ours(at, &self.label.key, self.there(at).await?).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        let delete = DnsRequest::DeleteResolverQueryLogConfig { resolver_query_log_config_id: id.to_owned() };
        self.vpcs.iter().map(|vpc| leave(id, vpc)).chain([Call::Dns(delete)]).collect()
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &self.there(at).await?))
    }

    /// First out of its VPCs, which takes its time; then it goes itself.
    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let ties = self.ties(at, id).await?;
        let (going, there): (Vec<_>, Vec<_>) = ties.iter().partition(|tie| tie.status() == Some(&LogAt::Deleting));
        let leaves: Vec<Call> = there.iter().filter_map(|tie| tie.resource_id()).map(|vpc| leave(id, vpc)).collect();
        if leaves.is_empty() && !going.is_empty() {
            return Ok(Remains::Going { said: format!("{} is leaving its VPCs", self.noun()) });
        }
        let delete = DnsRequest::DeleteResolverQueryLogConfig { resolver_query_log_config_id: id.to_owned() };
        Ok(match left(at, id, &self.there(at).await?, vec![Call::Dns(delete)]) {
            Remains::Takes(delete) if !leaves.is_empty() => Remains::InTurn(leaves, delete),
            other => other,
        })
    }
}
