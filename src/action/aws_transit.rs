//! A transit gateway, the VPC that is attached to it, and the routes to it in the VPC's tables.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_dx_gateway::amazon_asn;
use super::aws_network::label;
use super::aws_outbound::{is_black_hole, next_hop, own_route};
use super::call::{Call, Label, RouteTarget, TransitOptions};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found, ids};
use super::own_ranges;
use super::world::Subject;
use crate::aws::ec2::types::{
    Filter, Route, RouteTable, TransitGateway, TransitGatewayAttachmentState as Attached, TransitGatewayState,
    TransitGatewayVpcAttachment as Attachment,
};
use crate::aws::{AwsFailure, Operation, filter};
use crate::engagement::Difference;
use crate::text::list;

/// Deleted ones stay visible for a while.
const LIVE: [&str; 2] = ["pending", "available"];
/// Attachments that are on their way, wait for another account, or are there.
const LIVE_ATTACHMENTS: [&str; 5] = ["initiating", "initiatingRequest", "pending", "pendingAcceptance", "available"];

/// `aws/transit-gateway`
pub(super) struct TheTransitGateway {
    asn: i64,
    label: Label,
}

impl TheTransitGateway {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheTransitGateway { asn: amazon_asn(arguments)?, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, by: Vec<Filter>) -> Result<Vec<TransitGateway>, AwsFailure> {
        let request = at.ec2().describe_transit_gateways().set_filters(Some(by));
        let answer = at.cloud.read(Operation::DescribeTransitGateways, || request.clone().send()).await?;
        let live = answer.transit_gateways.unwrap_or_default().into_iter();
        Ok(live.filter(|one| one.state() != Some(&TransitGatewayState::Deleted)).collect())
    }
}

#[async_trait]
impl Thing for TheTransitGateway {
    fn noun(&self) -> String {
        format!("transit gateway {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateTransitGateway {
            description: self.label.name.clone(),
            options: TransitOptions { amazon_side_asn: self.asn },
            tag_specifications: self.label.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let mut by = at.ours("transit-gateway-id");
        by.push(filter("state", LIVE));
        let live = self.describe(at, by).await?;
        let live = live.into_iter().filter(|one| one.state() != Some(&TransitGatewayState::Deleting)).collect();
        let gateway = at.only_one(&self.label.key, live, TransitGateway::transit_gateway_id, TransitGateway::tags);
        let Some(gateway) = gateway else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let id = gateway.transit_gateway_id().unwrap_or_default();
        let asn = gateway.options().and_then(|options| options.amazon_side_asn()).map(|asn| asn.to_string());
        let wanted = self.asn.to_string();
        let differences = differing(&[("Amazon's AS number", wanted.as_str(), asn.as_deref())]);
        if !differences.is_empty() {
            let said = format!("{} is there as {id}, but otherwise", self.noun());
            return Ok(Sight::Foreign { said, differences });
        }
        let there = found(format!("{id}, AS {}", self.asn), json!({ "id": id }));
        Ok(match gateway.state() {
            Some(TransitGatewayState::Pending | TransitGatewayState::Modifying) => Sight::Coming(there),
            _ => Sight::Ready(there),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("transit-gateway-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, TransitGateway::tags), TransitGateway::transit_gateway_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteTransitGateway { transit_gateway_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("transit-gateway-id", [id])]).await?;
        let gateway = there.first();
        if gateway.is_some_and(|one| one.state() == Some(&TransitGatewayState::Deleting)) {
            return Ok(Remains::Going { said: format!("{id} is being deleted") });
        }
        Ok(at.remains(id, gateway.map(|one| one.tags.as_deref()), self.inverse(id, made)))
    }
}

/// `aws/transit-attachment`: a VPC at a transit gateway, with a foot in one subnet of each zone.
pub(super) struct TheAttachment {
    gateway: String,
    vpc: String,
    subnets: Vec<String>,
    label: Label,
}

impl TheAttachment {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let subnets = arguments.list("subnets")?;
        if subnets.is_empty() {
            let what = "aws/transit-attachment needs `subnets`: one of each zone whose hosts use the gateway";
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        let (gateway, vpc) = (arguments.text("gateway")?, arguments.text("vpc")?);
        Ok(TheAttachment { gateway, vpc, subnets, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, by: Vec<Filter>) -> Result<Vec<Attachment>, AwsFailure> {
        let request = at.ec2().describe_transit_gateway_vpc_attachments().set_filters(Some(by));
        let operation = Operation::DescribeTransitGatewayVpcAttachments;
        let answer = at.cloud.read(operation, || request.clone().send()).await?;
        let live = answer.transit_gateway_vpc_attachments.unwrap_or_default().into_iter();
        Ok(live.filter(|one| one.state() != Some(&Attached::Deleted)).collect())
    }

    fn differences(&self, there: &Attachment) -> Vec<Difference> {
        let compared = [
            ("transit gateway", self.gateway.as_str(), there.transit_gateway_id()),
            ("VPC", &self.vpc, there.vpc_id()),
        ];
        let mut differences = differing(&compared);
        let sorted = |subnets: &[String]| {
            let mut subnets = subnets.to_vec();
            subnets.sort_unstable();
            subnets
        };
        let (wanted, has) = (sorted(&self.subnets), sorted(there.subnet_ids()));
        if wanted.iter().all(|id| known(id)) && wanted != has {
            differences.push(difference("subnets", list(&wanted), list(&has)));
        }
        differences
    }
}

#[async_trait]
impl Thing for TheAttachment {
    fn noun(&self) -> String {
        format!("attachment of {} to {}", self.vpc, self.gateway)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateTransitGatewayVpcAttachment {
            transit_gateway_id: self.gateway.clone(),
            vpc_id: self.vpc.clone(),
            subnet_ids: self.subnets.clone(),
            tag_specifications: self.label.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let mut by = at.ours("transit-gateway-attachment-id");
        by.push(filter("state", LIVE_ATTACHMENTS));
        let live = self.describe(at, by).await?;
        let live = live.into_iter().filter(|one| one.state() != Some(&Attached::Deleting)).collect();
        let there = at.only_one(&self.label.key, live, Attachment::transit_gateway_attachment_id, Attachment::tags);
        let Some(there) = there else {
            return Ok(Sight::Nothing { said: format!("there is no {}", self.noun()) });
        };
        let id = there.transit_gateway_attachment_id().unwrap_or_default();
        let differences = self.differences(&there);
        if !differences.is_empty() {
            return Ok(Sight::Foreign { said: format!("{id} is there, but otherwise"), differences });
        }
        let output = json!({ "id": id });
        Ok(match there.state() {
            Some(Attached::Available) => Sight::Ready(found(format!("{id}: {} at {}", self.vpc, self.gateway), output)),
            Some(Attached::PendingAcceptance) => {
                Sight::Awaited(found(format!("{id} waits for the gateway's owner to accept it"), output))
            }
            _ => Sight::Coming(found(format!("{id} is being made"), output)),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("transit-gateway-attachment-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, Attachment::tags), Attachment::transit_gateway_attachment_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteTransitGatewayVpcAttachment { transit_gateway_attachment_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("transit-gateway-attachment-id", [id])]).await?;
        let attachment = there.first();
        if attachment.is_some_and(|one| one.state() == Some(&Attached::Deleting)) {
            return Ok(Remains::Going { said: format!("{id} is being deleted") });
        }
        Ok(at.remains(id, attachment.map(|one| one.tags.as_deref()), self.inverse(id, made)))
    }
}

/// `aws/transit-routes`: the ranges behind a transit gateway, in one table. A table of the VPC learns nothing of them.
pub(super) struct TheRoutes {
    table: String,
    gateway: String,
    to: Vec<String>,
}

impl TheRoutes {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let to = arguments.list("to")?;
        if to.is_empty() {
            let what = "aws/transit-routes needs `to`: the ranges behind the gateway";
            return Err(Failure::new(what, "Correct the step in the runbook, or give the input."));
        }
        Ok(TheRoutes { table: arguments.text("table")?, gateway: arguments.text("gateway")?, to })
    }

    async fn table(&self, at: &Account<'_>) -> Result<Option<RouteTable>, AwsFailure> {
        if !known(&self.table) {
            return Ok(None);
        }
        let request = at.ec2().describe_route_tables().filters(filter("route-table-id", [self.table.as_str()]));
        let answer = at.cloud.read(Operation::DescribeRouteTables, || request.clone().send()).await?;
        Ok(answer.route_tables.unwrap_or_default().into_iter().next())
    }

    fn make(&self, to: &str) -> Call {
        Call::CreateRoute {
            route_table_id: self.table.clone(),
            destination_cidr_block: to.to_owned(),
            target: RouteTarget::Transit(self.gateway.clone()),
        }
    }

    fn take(&self, to: &str) -> Call {
        Call::DeleteRoute { route_table_id: self.table.clone(), destination_cidr_block: to.to_owned() }
    }

    fn is_ours(&self, route: &Route) -> bool {
        !known(&self.gateway) || route.transit_gateway_id() == Some(&self.gateway)
    }
}

#[async_trait]
impl Thing for TheRoutes {
    fn noun(&self) -> String {
        format!("routes of {} to {}", self.table, self.gateway)
    }

    fn calls(&self) -> Vec<Call> {
        self.to.iter().map(|to| self.make(to)).collect()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let nothing = || Sight::Nothing { said: format!("there are no {}", self.noun()) };
        let Some(table) = self.table(at).await? else { return Ok(nothing()) };
        let (mut missing, mut wrong) = (Vec::new(), Vec::new());
        for to in &self.to {
            match own_route(&table, to) {
                None => missing.push(to.clone()),
                Some(route) if !self.is_ours(route) => {
                    wrong.push(difference(&format!("the route to {to}"), &self.gateway, next_hop(route)));
                }
                Some(route) if is_black_hole(route) => {
                    wrong.push(difference(&format!("the route to {to}"), "in use", "dead"));
                }
                Some(_) => {}
            }
        }
        if !wrong.is_empty() {
            return Ok(Sight::Foreign { said: format!("{} lead elsewhere", self.noun()), differences: wrong });
        }
        if missing.len() == self.to.len() {
            return Ok(nothing());
        }
        if missing.is_empty() {
            let said = format!("{} leads to {} through {}", self.table, list(&self.to), self.gateway);
            return Ok(Sight::Ready(found(said, json!({}))));
        }
        let keep = own_ranges::written_too(&at.subject.made, &missing);
        let differences = missing.iter().map(|to| difference(&format!("the route to {to}"), "there", "missing"));
        let (said, differences) = (format!("of the {}, some are missing", self.noun()), differences.collect());
        let missing = missing.iter().map(|to| self.make(to)).collect();
        Ok(Sight::Partial(Partial { said, differences, missing, keep }))
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        own_ranges::written(&self.to)
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        own_ranges::of(made).unwrap_or_default().iter().map(|to| self.take(to)).collect()
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(table) = self.table(at).await? else { return Ok(Remains::Gone) };
        let own = own_ranges::of(made);
        let ranges = own.as_ref().unwrap_or(&self.to).iter();
        let there = ranges.filter(|to| own_route(&table, to).is_some_and(|route| self.is_ours(route)));
        let calls: Vec<Call> = there.map(|to| self.take(to)).collect();
        Ok(match own {
            _ if calls.is_empty() => Remains::Gone,
            Some(_) => Remains::Takes(calls),
            None => own_ranges::nobody_knows(&self.noun()),
        })
    }
}
