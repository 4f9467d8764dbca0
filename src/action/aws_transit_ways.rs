//! A VPN without BGP at a transit gateway: where it hangs, and the static routes to it in the gateway's own table. A gateway
//! learns nothing of what lies behind such a connection.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::call::Call;
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified, own_ranges};
use crate::aws::ec2::types::{
    TransitGatewayAttachment as Attachment, TransitGatewayAttachmentState as State, TransitGatewayRoute as Route,
    TransitGatewayRouteState as RouteState,
};
use crate::aws::{AwsFailure, Cloud, Operation, filter};
use crate::text::list;

/// `aws/transit-vpn`: how a VPN connection hangs at its transit gateway, and the table in which the gateway looks up where the
/// packets of a VPC go.
pub(super) struct Place {
    vpn: String,
    attachment: String,
}

impl Place {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Place { vpn: arguments.text("vpn")?, attachment: arguments.text("attachment")? })
    }
}

/// The one attachment of that kind that is there; deleted ones stay visible for a while.
pub(super) async fn attachment(cloud: &Cloud, by: &'static str, id: &str) -> Result<Option<Attachment>, AwsFailure> {
    let request = cloud.ec2().describe_transit_gateway_attachments().filters(filter(by, [id]));
    let answer = cloud.read(Operation::DescribeTransitGatewayAttachments, || request.clone().send()).await?;
    let mut all = answer.transit_gateway_attachments.unwrap_or_default().into_iter();
    Ok(all.find(|one| !matches!(one.state(), Some(State::Deleted | State::Deleting))))
}

/// The table in which the gateway looks up where packets go that come from there.
pub(super) fn table(attachment: &Attachment) -> Option<&str> {
    attachment.association()?.transit_gateway_route_table_id()
}

#[async_trait]
impl Question for Place {
    async fn ask(&self, world: &World) -> Verified {
        let not_yet = |said: String| Ok(Verified::NotYet { said });
        asked(world, async |cloud| {
            if !known(&self.vpn) || !known(&self.attachment) {
                return not_yet("the connection, or the VPC's attachment, is not there yet".to_owned());
            }
            let Some(tunnels) = attachment(&cloud, "resource-id", &self.vpn).await? else {
                return not_yet(format!("{} is not attached to a transit gateway", self.vpn));
            };
            let Some(vpc) = attachment(&cloud, "transit-gateway-attachment-id", &self.attachment).await? else {
                return not_yet(format!("{} is not there", self.attachment));
            };
            let id = tunnels.transit_gateway_attachment_id().unwrap_or_default();
            let lost = [(id, &tunnels), (&self.attachment, &vpc)].into_iter().find(|(_, one)| table(one).is_none());
            if let Some((id, _)) = lost {
                return not_yet(format!(
                    "{id} is associated with no route table of the gateway, so that what comes from there goes nowhere"
                ));
            }
            let table = table(&vpc).unwrap_or_default();
            let said = format!("{} hangs at {id}; what comes from the VPC is looked up in {table}", self.vpn);
            Ok(Verified::So(found(said, json!({ "attachment": id, "table": table }))))
        })
        .await
    }
}

/// `aws/transit-static-routes`: ranges behind an attachment, in a table of the transit gateway.
pub(super) struct TheStaticRoutes {
    table: String,
    attachment: String,
    to: Vec<String>,
}

impl TheStaticRoutes {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let to = arguments.list("to")?;
        if to.is_empty() {
            let what = "aws/transit-static-routes needs `to`: the ranges behind the attachment";
            return Err(Failure::new(what, "Correct the step in the runbook, or give the input."));
        }
        Ok(TheStaticRoutes { table: arguments.text("table")?, attachment: arguments.text("attachment")?, to })
    }

    /// The static route to exactly that range. One that was learnt counts for less, and does not stand in its way.
    async fn route(&self, at: &Account<'_>, to: &str) -> Result<Option<Route>, AwsFailure> {
        if !known(&self.table) {
            return Ok(None);
        }
        let request = at.ec2().search_transit_gateway_routes().transit_gateway_route_table_id(&self.table);
        let request = request.filters(filter("type", ["static"])).filters(filter("route-search.exact-match", [to]));
        let answer = at.cloud.read(Operation::SearchTransitGatewayRoutes, || request.clone().send()).await?;
        let gone = |route: &Route| matches!(route.state(), Some(RouteState::Deleted | RouteState::Deleting));
        let mut routes = answer.routes.unwrap_or_default().into_iter();
        Ok(routes.find(|route| route.destination_cidr_block() == Some(to) && !gone(route)))
    }

    fn make(&self, to: &str) -> Call {
        Call::CreateTransitGatewayRoute {
            destination_cidr_block: to.to_owned(),
            transit_gateway_route_table_id: self.table.clone(),
            transit_gateway_attachment_id: self.attachment.clone(),
        }
    }

    fn take(&self, to: &str) -> Call {
        Call::DeleteTransitGatewayRoute {
            destination_cidr_block: to.to_owned(),
            transit_gateway_route_table_id: self.table.clone(),
        }
    }

    fn is_ours(&self, route: &Route) -> bool {
        !known(&self.attachment) || leads_to(route).any(|id| id == self.attachment)
    }
}

/// Where it leads; nowhere, where packets are to be dropped.
pub(super) fn leads_to(route: &Route) -> impl Iterator<Item = &str> {
    route.transit_gateway_attachments().iter().filter_map(|one| one.transit_gateway_attachment_id())
}

#[async_trait]
impl Thing for TheStaticRoutes {
    fn noun(&self) -> String {
        format!("static routes of {} to {}", self.table, self.attachment)
    }

    fn calls(&self) -> Vec<Call> {
        self.to.iter().map(|to| self.make(to)).collect()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let (mut missing, mut wrong) = (Vec::new(), Vec::new());
        for to in &self.to {
            match self.route(at, to).await? {
                None => missing.push(to.clone()),
                Some(route) if !self.is_ours(&route) => {
                    let hops: Vec<&str> = leads_to(&route).collect();
                    let hop = if hops.is_empty() { "nowhere".to_owned() } else { list(&hops) };
                    wrong.push(difference(&format!("the route to {to}"), &self.attachment, hop));
                }
                Some(route) if route.state() == Some(&RouteState::Blackhole) => {
                    wrong.push(difference(&format!("the route to {to}"), "in use", "dead"));
                }
                Some(_) => {}
            }
        }
        if !wrong.is_empty() {
            return Ok(Sight::Foreign { said: format!("{} lead elsewhere", self.noun()), differences: wrong });
        }
        if missing.is_empty() {
            let said = format!("{} leads to {} through {}", self.table, list(&self.to), self.attachment);
            return Ok(Sight::Ready(found(said, json!({}))));
        }
        if missing.len() == self.to.len() {
            return Ok(Sight::Nothing { said: format!("there are no {}", self.noun()) });
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
        let own = own_ranges::of(made);
        let mut calls = Vec::new();
        for to in own.as_ref().unwrap_or(&self.to) {
            if self.route(at, to).await?.is_some_and(|route| self.is_ours(&route)) {
                calls.push(self.take(to));
            }
        }
        Ok(match own {
            _ if calls.is_empty() => Remains::Gone,
            Some(_) => Remains::Takes(calls),
            None => own_ranges::nobody_knows(&self.noun()),
        })
    }
}
