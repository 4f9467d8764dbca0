//! The way back through a transit gateway: what comes in from a data centre is looked up in a table of the gateway, which need
//! not know the VPC. Then tunnels and lines are up, packets leave, and no answer comes.

use async_trait::async_trait;
use ipnet::IpNet;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_transit_ways::{attachment, leads_to, table};
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::ec2::types::{
    TransitGatewayRoute as Route, TransitGatewayRouteState as State, TransitGatewayRouteType as Type,
};
use crate::aws::{AwsFailure, Cloud, Operation, filter};
use crate::text::list;

/// `aws/transit-back`
pub(super) struct Back {
    from: Vec<String>,
    through: String,
    to: Vec<IpNet>,
}

impl Back {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let range = |text: &String| {
            text.parse().map_err(|_| {
                let what = format!("the argument `to` of aws/transit-back has \"{text}\", which is no range");
                Failure::new(what, "Correct the runbook, or the input that the argument is made of.")
            })
        };
        let to = arguments.list("to")?.iter().filter(|text| known(text)).map(range).collect::<Result<_, _>>()?;
        Ok(Back { from: arguments.list("from")?, through: arguments.text("through")?, to })
    }

    /// What is wrong with the way to a range; nothing where it leads to the VPC.
    fn fault(&self, routes: &[Route], to: &IpNet) -> Option<String> {
        let fitting =
            routes.iter().filter_map(|route| Some((route.destination_cidr_block()?.parse::<IpNet>().ok()?, route)));
        let best = fitting
            .filter(|(range, _)| range.contains(to))
            .max_by_key(|(range, route)| (range.prefix_len(), route.r#type() == Some(&Type::Static)));
        let Some((_, route)) = best else { return Some(format!("knows no way to {to}")) };
        let hops: Vec<&str> = leads_to(route).collect();
        if route.state() == Some(&State::Blackhole) {
            return Some(format!("drops what is for {to}"));
        }
        (!hops.contains(&&*self.through)).then(|| format!("sends {to} to {}", list(&hops)))
    }
}

/// What is asked of one way in.
enum Way {
    Leads(String),
    Not(String),
}

impl Back {
    async fn way(&self, cloud: &Cloud, from: &str) -> Result<Way, AwsFailure> {
        let Some(comes) = attachment(cloud, "resource-id", from).await? else {
            return Ok(Way::Not(format!("{from} is not attached to a transit gateway")));
        };
        let Some(table) = table(&comes) else {
            return Ok(Way::Not(format!("what comes from {from} is looked up in no table of the gateway")));
        };
        let states = [State::Active.as_str(), State::Blackhole.as_str()];
        let request = cloud.ec2().search_transit_gateway_routes().transit_gateway_route_table_id(table);
        let request = request.filters(filter("state", states));
        let answer = cloud.read(Operation::SearchTransitGatewayRoutes, || request.clone().send()).await?;
        let routes = answer.routes.unwrap_or_default();
        let faults: Vec<String> = self.to.iter().filter_map(|to| self.fault(&routes, to)).collect();
        if faults.is_empty() {
            return Ok(Way::Leads(format!("{table} leads what comes from {from} to {}", self.through)));
        }
        let said = format!("{table}, which counts for what comes from {from}, {}", list(&faults));
        Ok(Way::Not(format!("{said}; it should lead to {}", self.through)))
    }
}

#[async_trait]
impl Question for Back {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            if !known(&self.through) || !self.from.iter().all(|from| known(from)) {
                let said = "the connection, or the VPC's attachment, is not there yet".to_owned();
                return Ok(Verified::NotYet { said });
            }
            let mut good = Vec::new();
            for from in &self.from {
                match self.way(&cloud, from).await? {
                    Way::Leads(said) => good.push(said),
                    Way::Not(said) => return Ok(Verified::NotYet { said }),
                }
            }
            Ok(Verified::So(found(good.join("; "), json!({}))))
        })
        .await
    }
}
