//! The way out: elastic addresses, NAT gateways, route tables.

mod taken;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::{label, takes};
use super::call::{Call, ITSELF, Label, RouteTarget, Token};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found, ids};
use super::world::Subject;
use crate::aws::ec2::types::{
    Address, Filter, NatGateway, NatGatewayState, Route, RouteOrigin, RouteState, RouteTable,
};
use crate::aws::{AwsFailure, Operation, filter};
use crate::engagement::{Difference, Failure};

/// Elastic addresses by filter.
pub(super) async fn addresses(at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<Address>, AwsFailure> {
    let request = at.ec2().describe_addresses().set_filters(Some(filters));
    Ok(at
        .cloud
        .read_together(Operation::DescribeAddresses, format!("{:?}", request.as_input()), move || {
            request.clone().send()
        })
        .await?
        .addresses
        .unwrap_or_default())
}

/// `aws/elastic-address`
pub(super) struct ElasticAddress {
    label: Label,
}

impl ElasticAddress {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(ElasticAddress { label: label(subject, arguments)? })
    }
}

#[async_trait]
impl Thing for ElasticAddress {
    fn noun(&self) -> String {
        format!("elastic address {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::AllocateAddress { domain: "vpc", tag_specifications: self.label.clone() }]
    }

    fn id_name(&self) -> &'static str {
        "allocation"
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = addresses(at, at.ours("allocation-id")).await?;
        Ok(match at.only_one(&self.label.key, ours, Address::allocation_id, Address::tags) {
            None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
            Some(address) => {
                let (allocation, ip) =
                    (address.allocation_id.unwrap_or_default(), address.public_ip.unwrap_or_default());
                Sight::Ready(found(format!("{ip} ({allocation})"), json!({ "allocation": allocation, "address": ip })))
            }
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = addresses(at, at.ours("allocation-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, Address::tags), Address::allocation_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::ReleaseAddress { allocation_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("allocation") else { return Ok(Remains::Gone) };
        let there = addresses(at, vec![filter("allocation-id", [id])]).await?;
        let tags = there.first().map(|address| address.tags.as_deref());
        Ok(at.remains(id, tags, vec![Call::ReleaseAddress { allocation_id: id.to_owned() }]))
    }
}

/// `aws/nat-gateway`
pub(super) struct TheNatGateway {
    subnet: String,
    allocation: String,
    label: Label,
}

impl TheNatGateway {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (subnet, allocation) = (arguments.text("subnet")?, arguments.text("allocation")?);
        Ok(TheNatGateway { subnet, allocation, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<NatGateway>, AwsFailure> {
        let request = at.ec2().describe_nat_gateways().set_filter(Some(filters));
        Ok(at
            .cloud
            .read_together(Operation::DescribeNatGateways, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?
            .nat_gateways
            .unwrap_or_default())
    }

    /// While it is pending the gateway does not show its address; the elastic address always does.
    async fn address(&self, at: &Account<'_>, gateway: &NatGateway) -> Result<String, AwsFailure> {
        let shown = gateway.nat_gateway_addresses().iter().find_map(|address| address.public_ip());
        if let Some(shown) = shown {
            return Ok(shown.to_owned());
        }
        let there = addresses(at, vec![filter("allocation-id", [self.allocation.as_str()])]).await?;
        Ok(there.into_iter().find_map(|address| address.public_ip).unwrap_or_default())
    }

    fn broken(&self, gateway: &NatGateway) -> Failure {
        Failure {
            what: format!("{} could not be made", self.noun()),
            meaning: gateway.failure_message().unwrap_or("AWS gives no reason").to_owned(),
            advice: "Put right what AWS names, undo this step, and run it again.".to_owned(),
            code: gateway.failure_code.clone(),
            ..Failure::default()
        }
    }
}

#[async_trait]
impl Thing for TheNatGateway {
    fn noun(&self) -> String {
        format!("NAT gateway {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateNatGateway {
            subnet_id: self.subnet.clone(),
            allocation_id: self.allocation.clone(),
            client_token: Token,
            tag_specifications: self.label.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let mut filters = at.ours("nat-gateway-id");
        // Deleted ones stay visible for about an hour, and so do failed ones, with the reason.
        filters.push(filter("state", ["pending", "available", "failed"]));
        let ours = at.of_ours(&self.label.key, self.describe(at, filters).await?, NatGateway::tags);
        let gone = |gateway: &NatGateway| {
            matches!(gateway.state(), Some(NatGatewayState::Deleted | NatGatewayState::Deleting))
        };
        let (failed, ours): (Vec<_>, Vec<_>) = ours
            .into_iter()
            .filter(|gateway| !gone(gateway))
            .partition(|gateway| gateway.state() == Some(&NatGatewayState::Failed));
        let gateway =
            match (at.only_one(&self.label.key, ours, NatGateway::nat_gateway_id, NatGateway::tags), failed.first()) {
                (Some(gateway), _) => gateway,
                (None, Some(failed)) => return Ok(Sight::Broken(self.broken(failed))),
                (None, None) => return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) }),
            };
        let id = gateway.nat_gateway_id().unwrap_or_default();
        let allocation = gateway.nat_gateway_addresses().iter().find_map(|address| address.allocation_id());
        let compared =
            [("subnet", self.subnet.as_str(), gateway.subnet_id()), ("address", &self.allocation, allocation)];
        let differences = differing(&compared);
        if !differences.is_empty() {
            return Ok(Sight::Foreign {
                said: format!("{} is there as {id}, but elsewhere", self.noun()),
                differences,
            });
        }
        let address = self.address(at, &gateway).await?;
        let output = json!({ "id": id, "address": address });
        Ok(match gateway.state() {
            Some(NatGatewayState::Available) => Sight::Ready(found(format!("{id} at {address}"), output)),
            _ => Sight::Coming(found(format!("{id} is pending"), output)),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let mut filters = at.ours("nat-gateway-id");
        filters.push(filter("state", ["pending", "available", "failed", "deleting"]));
        let there = self.describe(at, filters).await?;
        Ok(ids(at.of_ours(&self.label.key, there, NatGateway::tags), NatGateway::nat_gateway_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteNatGateway { nat_gateway_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("nat-gateway-id", [id])]).await?;
        let live = there.first().filter(|gateway| gateway.state() != Some(&NatGatewayState::Deleted));
        // Its elastic address is free only when it is gone for good.
        if live.is_some_and(|gateway| gateway.state() == Some(&NatGatewayState::Deleting)) {
            return Ok(Remains::Going { said: format!("{id} is being deleted") });
        }
        let tags = live.map(|gateway| gateway.tags.as_deref());
        Ok(at.remains(id, tags, vec![Call::DeleteNatGateway { nat_gateway_id: id.to_owned() }]))
    }
}

/// Where a route leads: one of the three.
pub(super) fn route_target(route: Arguments<'_>) -> Result<RouteTarget, Failure> {
    match (route.optional("gateway")?, route.optional("nat")?, route.optional("peering")?) {
        (Some(gateway), None, None) => Ok(RouteTarget::Gateway(gateway)),
        (None, Some(nat), None) => Ok(RouteTarget::Nat(nat)),
        (None, None, Some(peering)) => Ok(RouteTarget::Peering(peering)),
        _ => {
            let what = format!("a route of {} needs one of `gateway`, `nat` and `peering`", route.kind);
            Err(Failure::new(what, "Correct the step in the runbook."))
        }
    }
}

/// `aws/route-table`
pub(super) struct TheRouteTable {
    vpc: String,
    routes: Vec<(String, RouteTarget)>,
    subnets: Vec<String>,
    takes: bool,
    label: Label,
}

impl TheRouteTable {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let route = |route: Arguments<'_>| {
            route.only(&["to", "gateway", "nat", "peering"])?;
            Ok((route.text("to")?, route_target(route)?))
        };
        Ok(TheRouteTable {
            vpc: arguments.text("vpc")?,
            routes: arguments.maps("routes")?.into_iter().map(route).collect::<Result<_, Failure>>()?,
            subnets: arguments.list("subnets")?,
            takes: takes(arguments)?,
            label: label(subject, arguments)?,
        })
    }

    async fn describe(&self, at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<RouteTable>, AwsFailure> {
        let request = at.ec2().describe_route_tables().set_filters(Some(filters));
        Ok(at
            .cloud
            .read_together(Operation::DescribeRouteTables, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?
            .route_tables
            .unwrap_or_default())
    }

    fn route(&self, table: &str, to: &str, target: &RouteTarget) -> Call {
        Call::CreateRoute {
            route_table_id: table.to_owned(),
            destination_cidr_block: to.to_owned(),
            target: target.clone(),
        }
    }

    fn associate(&self, table: &str, subnet: &str) -> Call {
        Call::AssociateRouteTable { route_table_id: table.to_owned(), subnet_id: subnet.to_owned() }
    }

    /// Subnets of ours that are in another table, with that table.
    async fn taken(&self, at: &Account<'_>, ours: Option<&str>) -> Result<Vec<(String, RouteTable)>, AwsFailure> {
        let subnets: Vec<&str> = self.subnets.iter().map(String::as_str).filter(|subnet| known(subnet)).collect();
        if subnets.is_empty() {
            return Ok(Vec::new());
        }
        let tables = self.describe(at, vec![filter("association.subnet-id", subnets.iter().copied())]).await?;
        let mut taken = Vec::new();
        for table in tables.into_iter().filter(|table| table.route_table_id() != ours) {
            let inside = table.associations().iter().filter_map(|one| one.subnet_id());
            let inside: Vec<String> = inside.filter(|subnet| subnets.contains(subnet)).map(str::to_owned).collect();
            taken.extend(inside.into_iter().map(|subnet| (subnet, table.clone())));
        }
        Ok(taken)
    }

    /// Compares the routes: what is missing, and what leads somewhere else.
    fn routes(&self, table: &RouteTable) -> (Vec<Call>, Vec<Difference>) {
        let (mut missing, mut wrong) = (Vec::new(), Vec::new());
        let id = table.route_table_id().unwrap_or_default();
        for (to, target) in &self.routes {
            match own_route(table, to) {
                None => missing.push(self.route(id, to, target)),
                Some(route) if !leads_to(route, target) => {
                    let found =
                        format!("{} ({})", next_hop(route), if is_black_hole(route) { "dead" } else { "in use" });
                    wrong.push(difference(&format!("the route to {to}"), target.id(), found));
                }
                Some(_) => {}
            }
        }
        (missing, wrong)
    }
}

pub(super) fn next_hop(route: &Route) -> &str {
    let hops = [route.gateway_id(), route.nat_gateway_id(), route.transit_gateway_id(), route.network_interface_id()];
    hops.into_iter().flatten().next().or(route.vpc_peering_connection_id()).unwrap_or("something else")
}

/// The table's own route to exactly that range. One that it has learnt of a gateway counts for less: AWS prefers its own
/// (VPC user guide, "Route priority").
pub(super) fn own_route<'t>(table: &'t RouteTable, to: &str) -> Option<&'t Route> {
    table.routes().iter().find(|route| route.destination_cidr_block() == Some(to) && !is_learnt(route))
}

pub(super) fn is_learnt(route: &Route) -> bool {
    route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation)
}

pub(super) fn is_black_hole(route: &Route) -> bool {
    route.state() == Some(&RouteState::Blackhole)
}

fn leads_to(route: &Route, target: &RouteTarget) -> bool {
    !known(target.id()) || (next_hop(route) == target.id() && !is_black_hole(route))
}

#[async_trait]
impl Thing for TheRouteTable {
    fn noun(&self) -> String {
        format!("route table {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let (vpc_id, tag_specifications) = (self.vpc.clone(), self.label.clone());
        let create = Call::CreateRouteTable { vpc_id, client_token: Token, tag_specifications };
        let routes = self.routes.iter().map(|(to, target)| self.route(ITSELF, to, target));
        let associations = self.subnets.iter().map(|subnet| self.associate(ITSELF, subnet));
        std::iter::once(create).chain(routes).chain(associations).collect()
    }

    fn takes_what_is_there(&self) -> bool {
        self.takes && known(&self.vpc)
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("route-table-id")).await?;
        let table = at.only_one(&self.label.key, ours, RouteTable::route_table_id, RouteTable::tags);
        if let Some(sight) = self.take(at, table.as_ref()).await? {
            return Ok(sight);
        }
        let taken = self.taken(at, table.as_ref().and_then(|table| table.route_table_id())).await?;
        let Some(table) = table else {
            return Ok(match taken.first() {
                Some((subnet, other)) => {
                    let by = (other.route_table_id().unwrap_or_default(), other.tags.as_deref());
                    at.taken(&self.noun(), &self.label.key, &format!("the route table of {subnet}"), by)
                }
                None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
            });
        };
        let id = table.route_table_id().unwrap_or_default();
        let (mut missing, mut wrong) = self.routes(&table);
        wrong.extend(differing(&[("VPC", &self.vpc, table.vpc_id())]));
        wrong.extend(taken.iter().map(|(subnet, other)| {
            let whose = at.whose(other.route_table_id().unwrap_or_default(), other.tags.as_deref());
            difference(&format!("the route table of {subnet}"), self.noun(), whose)
        }));
        if !wrong.is_empty() {
            return Ok(Sight::Foreign { said: format!("{} leads elsewhere", self.noun()), differences: wrong });
        }
        let associated = |subnet: &String| table.associations().iter().any(|one| one.subnet_id() == Some(subnet));
        let apart = self.subnets.iter().filter(|subnet| known(subnet) && !associated(subnet));
        missing.extend(apart.map(|subnet| self.associate(id, subnet)));
        if missing.is_empty() {
            let said = format!("{id} with {}", crate::text::count(self.routes.len(), "route"));
            return Ok(Sight::Ready(found(said, json!({ "id": id }))));
        }
        let differences = missing.iter().map(|call| difference(call.operation().name(), "done", "not done")).collect();
        let said = format!("{} is there as {id}, but not complete", self.noun());
        Ok(Sight::Partial(Partial { said, differences, missing, keep: [("id".to_owned(), json!(id))].into() }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("route-table-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, RouteTable::tags), RouteTable::route_table_id))
    }

    fn inverse(&self, id: &str, made: &Made<'_>) -> Vec<Call> {
        let leave = |subnet: &String| {
            let association_id = format!("\u{2039}the association of {subnet}\u{203a}");
            Call::DisassociateRouteTable { association_id }
        };
        if let Some(added) = taken::added(made) {
            let routes = added.routes.iter().map(|to| taken::delete_route(id, to));
            return routes.chain(added.subnets.iter().map(leave)).collect();
        }
        let delete = Call::DeleteRouteTable { route_table_id: id.to_owned() };
        self.subnets.iter().map(leave).chain([delete]).collect()
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("route-table-id", [id])]).await?;
        if let Some(added) = taken::added(made) {
            return Ok(self.left_of(&added, there.first()));
        }
        let associations = there.iter().flat_map(|table| table.associations()).filter(|one| one.main() != Some(true));
        let mut calls: Vec<Call> = associations
            .filter_map(|one| one.route_table_association_id())
            .map(|association| Call::DisassociateRouteTable { association_id: association.to_owned() })
            .collect();
        calls.push(Call::DeleteRouteTable { route_table_id: id.to_owned() });
        Ok(at.remains(id, there.first().map(|table| table.tags.as_deref()), calls))
    }

    fn goes(&self, made: &Made<'_>) -> String {
        match (taken::added(made), made.text("id")) {
            (Some(_), Some(id)) => format!("what was put into {id}"),
            _ => self.noun(),
        }
    }
}
