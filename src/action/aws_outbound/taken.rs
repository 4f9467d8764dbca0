//! A route table that was there before: that of the subnets which are taken as they are. A subnet has one table, its own or
//! the VPC's main one, and is never moved to another. Routes that the table lacks are added where only the step's subnets use
//! it, and never one to the Internet; subnets of ours join it. What it has stays, and an undo takes out what was put in, and
//! nothing else.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{TheRouteTable, next_hop, own_route};
use crate::action::account::Account;
use crate::action::arguments::known;
use crate::action::call::{Call, RouteTarget};
use crate::action::object::{Made, Partial, Remains, Sight, Thing, difference, there_before};
use crate::aws::ec2::types::{RouteTable, Subnet};
use crate::aws::{AwsFailure, Operation, filter};
use crate::engagement::Difference;
use crate::text::list;

/// Under which it is kept what was put into a table: ranges of routes, and subnets.
const ROUTES: &str = "routes_added";
const SUBNETS: &str = "subnets_added";
const EVERYWHERE: &str = "0.0.0.0/0";

/// What the step has put into a table that stays.
#[derive(Default)]
pub(super) struct Added {
    pub routes: Vec<String>,
    pub subnets: Vec<String>,
}

/// None for a table that the step made itself.
pub(super) fn added(made: &Made<'_>) -> Option<Added> {
    read(made.0)
}

fn read(made: &BTreeMap<String, Json>) -> Option<Added> {
    let texts = |name: &str| {
        let all = made.get(name)?.as_array()?;
        Some(all.iter().filter_map(Json::as_str).map(str::to_owned).collect())
    };
    Some(Added { routes: texts(ROUTES)?, subnets: texts(SUBNETS)? })
}

pub(super) fn delete_route(table: &str, to: &str) -> Call {
    Call::DeleteRoute { route_table_id: table.to_owned(), destination_cidr_block: to.to_owned() }
}

/// The step's subnets: those that were there before, each with the table that it uses, and ours.
struct Sides {
    theirs: Vec<(String, RouteTable)>,
    ours: Vec<String>,
}

impl TheRouteTable {
    /// Where a subnet of the step was there before: its table, as the step would have it. `own` is a table that the step
    /// has made.
    pub(super) async fn take(&self, at: &Account<'_>, own: Option<&RouteTable>) -> Result<Option<Sight>, AwsFailure> {
        if !self.takes || at.subject.adopted.is_some() {
            return Ok(None);
        }
        let sides = self.sides(at).await?;
        let Some((_, table)) = sides.theirs.first() else { return Ok(None) };
        let mut tables: Vec<&str> = sides.theirs.iter().filter_map(|(_, table)| table.route_table_id()).collect();
        tables.dedup();
        let several = tables.iter().any(|one| *one != tables[0]);
        if own.is_some() || several || !at.is_nobodys(table.tags.as_deref()) {
            let said =
                format!("the subnets of {} that were there before do not all use one table of theirs", self.noun());
            let used = |(subnet, table): &(String, RouteTable)| {
                let whose = at.whose(table.route_table_id().unwrap_or_default(), table.tags.as_deref());
                difference(&format!("the route table of {subnet}"), "one for all of them", whose)
            };
            return Ok(Some(Sight::Foreign { said, differences: sides.theirs.iter().map(used).collect() }));
        }
        Ok(Some(self.taken_table(at, table, &sides.ours)))
    }

    fn taken_table(&self, at: &Account<'_>, table: &RouteTable, ours: &[String]) -> Sight {
        let id = table.route_table_id().unwrap_or_default();
        let (mut missing, wrong) = self.routes(table);
        if !wrong.is_empty() {
            let said = format!("{id} was there before, and leads elsewhere; it is not changed");
            return Sight::Foreign { said, differences: wrong };
        }
        let apart: Vec<&String> = ours.iter().filter(|subnet| association(table, subnet).is_none()).collect();
        missing.extend(apart.iter().map(|subnet| self.associate(id, subnet)));
        if missing.is_empty() {
            let way = own_route(table, EVERYWHERE).map(|way| format!("{EVERYWHERE} to {}", next_hop(way)));
            return Sight::Ready(there_before(id, way.as_deref().unwrap_or("no way to the Internet")));
        }
        let lacking: Vec<&(String, RouteTarget)> =
            self.routes.iter().filter(|(to, _)| own_route(table, to).is_none()).collect();
        let why_not = self.why_not(table, &lacking);
        if !why_not.is_empty() {
            let said = format!("{id} was there before, and what it lacks is for whoever looks after it to add");
            return Sight::Foreign { said, differences: why_not };
        }
        let lacking: Vec<&str> = lacking.into_iter().map(|(to, _)| to.as_str()).collect();
        // An earlier try may have come half way.
        let mut added = read(&at.subject.made).unwrap_or_default();
        added.routes.extend(lacking.iter().map(|to| (*to).to_owned()));
        added.subnets.extend(apart.iter().map(|subnet| (*subnet).clone()));
        let routes = lacking.iter().map(|to| difference(&format!("the route to {to}"), "there", "nothing"));
        let joins = apart.iter().map(|subnet| difference(&format!("the route table of {subnet}"), id, "the main one"));
        let differences: Vec<Difference> = routes.chain(joins).collect();
        let keep = [("id", json!(id)), (ROUTES, json!(added.routes)), (SUBNETS, json!(added.subnets))];
        Sight::Partial(Partial {
            said: format!("{id} was there before and is taken; something is added to it"),
            differences,
            missing,
            keep: keep.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
    }

    /// Why routes that a table lacks are not added to it: others use it too, or a subnet would face the Internet that did not.
    fn why_not(&self, table: &RouteTable, lacking: &[&(String, RouteTarget)]) -> Vec<Difference> {
        let id = table.route_table_id().unwrap_or_default();
        let used = table.associations().iter().map(|one| match one.subnet_id() {
            None => "every subnet of the VPC without a table of its own".to_owned(),
            Some(subnet) => subnet.to_owned(),
        });
        let others: Vec<String> = used.filter(|one| !self.subnets.contains(one)).collect();
        let is_refused = |target: &RouteTarget| !others.is_empty() || matches!(target, RouteTarget::Gateway(_));
        let refused = lacking.iter().filter(|(_, target)| is_refused(target));
        let mut why: Vec<Difference> =
            refused.map(|(to, target)| difference(&format!("the route to {to}"), target.id(), "nothing")).collect();
        if !why.is_empty() && !others.is_empty() {
            why.push(difference(&format!("who uses {id}"), "the subnets of this step alone", list(&others)));
        }
        why
    }

    /// What is left in a table that stays of what the step has put into it.
    pub(super) fn left_of(&self, added: &Added, table: Option<&RouteTable>) -> Remains {
        let Some(table) = table else { return Remains::Gone };
        let id = table.route_table_id().unwrap_or_default();
        let is_ours = |to: &String| {
            let target = self.routes.iter().find(|(ours, _)| ours == to).map(|(_, target)| target);
            let there = own_route(table, to);
            there.zip(target).is_some_and(|(route, target)| !known(target.id()) || next_hop(route) == target.id())
        };
        let routes = added.routes.iter().filter(|to| is_ours(to)).map(|to| delete_route(id, to));
        let joined = added.subnets.iter().filter_map(|subnet| association(table, subnet));
        let leave = joined.map(|association_id| Call::DisassociateRouteTable { association_id });
        let calls: Vec<Call> = routes.chain(leave).collect();
        if calls.is_empty() { Remains::Gone } else { Remains::Takes(calls) }
    }

    async fn sides(&self, at: &Account<'_>) -> Result<Sides, AwsFailure> {
        let subnets: Vec<&str> = self.subnets.iter().map(String::as_str).filter(|subnet| known(subnet)).collect();
        if subnets.is_empty() {
            return Ok(Sides { theirs: Vec::new(), ours: Vec::new() });
        }
        let request = at.ec2().describe_subnets().filters(filter("subnet-id", subnets));
        let there = at.cloud.read(Operation::DescribeSubnets, || request.clone().send()).await?;
        let (ours, theirs): (Vec<&Subnet>, Vec<&Subnet>) =
            there.subnets().iter().partition(|subnet| at.is_ours(subnet.tags.as_deref()));
        let id = |subnet: &&Subnet| subnet.subnet_id().unwrap_or_default().to_owned();
        let theirs: Vec<String> = theirs.iter().map(id).collect();
        let theirs = if theirs.is_empty() { Vec::new() } else { self.used_by(at, theirs).await? };
        // One that a plan cannot name yet is made by us.
        let to_come = self.subnets.iter().filter(|subnet| !known(subnet)).cloned();
        Ok(Sides { theirs, ours: ours.iter().map(id).chain(to_come).collect() })
    }

    /// The table that each of them uses: its own, or the main one of the VPC.
    async fn used_by(&self, at: &Account<'_>, subnets: Vec<String>) -> Result<Vec<(String, RouteTable)>, AwsFailure> {
        let all = self.describe(at, vec![filter("vpc-id", [self.vpc.as_str()])]).await?;
        let main = all.iter().find(|table| table.associations().iter().any(|one| one.main() == Some(true)));
        let of = |subnet: String| {
            let own = all.iter().find(|table| association(table, &subnet).is_some());
            own.or(main).map(|table| (subnet, table.clone()))
        };
        Ok(subnets.into_iter().filter_map(of).collect())
    }
}

/// By which a subnet is in a table.
fn association(table: &RouteTable, subnet: &str) -> Option<String> {
    let one = table.associations().iter().find(|one| one.subnet_id() == Some(subnet))?;
    Some(one.route_table_association_id().unwrap_or_default().to_owned())
}
