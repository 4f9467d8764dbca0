//! Two VPCs joined by peering: the request, whether the other side has accepted it, and one route in a table.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_network::label;
use super::aws_outbound::{is_black_hole, next_hop, own_route, route_target};
use super::aws_peering_names::is_open;
use super::call::{Call, Label, RouteTarget};
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, difference, differing, found, ids};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::ec2::types::{
    Filter, Route, VpcPeeringConnection, VpcPeeringConnectionStateReasonCode as Code,
    VpcPeeringConnectionVpcInfo as Side,
};
use crate::aws::{AwsFailure, Operation, filter};

/// Others stay visible for some hours, and join nothing.
fn is_live(peering: &VpcPeeringConnection) -> bool {
    matches!(
        code(peering),
        None | Some(Code::InitiatingRequest | Code::PendingAcceptance | Code::Provisioning | Code::Active)
    )
}

fn code(peering: &VpcPeeringConnection) -> Option<&Code> {
    peering.status().and_then(|status| status.code())
}

/// The other side: its VPC, its account and its region.
fn peer(peering: &VpcPeeringConnection) -> (Option<&str>, Option<&str>, Option<&str>) {
    let accepter = peering.accepter_vpc_info();
    let text = |of: fn(&Side) -> Option<&str>| accepter.and_then(of);
    (text(Side::vpc_id), text(Side::owner_id), text(Side::region))
}

async fn describe(at: &Account<'_>, by: Vec<Filter>) -> Result<Vec<VpcPeeringConnection>, AwsFailure> {
    let request = at.ec2().describe_vpc_peering_connections().set_filters(Some(by));
    let answer = at.cloud.read(Operation::DescribeVpcPeeringConnections, || request.clone().send()).await?;
    Ok(answer.vpc_peering_connections.unwrap_or_default())
}

/// The one of that id; none where there is none that joins anything.
pub(super) async fn the_peering(at: &Account<'_>, id: &str) -> Result<Option<VpcPeeringConnection>, AwsFailure> {
    let there = describe(at, vec![filter("vpc-peering-connection-id", [id])]).await?;
    Ok(there.into_iter().find(|one| one.vpc_peering_connection_id() == Some(id) && is_live(one)))
}

/// `aws/peering-connection`
pub(super) struct ThePeering {
    vpc: String,
    peer_vpc: String,
    peer_account: String,
    peer_region: Option<String>,
    label: Label,
}

impl ThePeering {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(ThePeering {
            vpc: arguments.text("vpc")?,
            peer_vpc: arguments.text("peer_vpc")?,
            peer_account: arguments.text("peer_account")?,
            peer_region: arguments.optional("peer_region")?,
            label: label(subject, arguments)?,
        })
    }

    async fn live(&self, at: &Account<'_>, by: Vec<Filter>) -> Result<Vec<VpcPeeringConnection>, AwsFailure> {
        Ok(describe(at, by).await?.into_iter().filter(is_live).collect())
    }

    /// Two VPCs are joined once at most.
    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        if known(&self.vpc) {
            let there = self.live(at, vec![filter("requester-vpc-info.vpc-id", [self.vpc.as_str()])]).await?;
            let same = |one: &&VpcPeeringConnection| {
                let ours = one.requester_vpc_info().and_then(|one| one.vpc_id());
                ours == Some(&self.vpc) && peer(one).0 == Some(&self.peer_vpc)
            };
            if let Some(other) = there.iter().find(same) {
                let by = (other.vpc_peering_connection_id().unwrap_or_default(), other.tags.as_deref());
                let place = format!("the peering of {} with {}", self.vpc, self.peer_vpc);
                return Ok(at.taken(&self.noun(), &self.label.key, &place, by));
            }
        }
        Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) })
    }
}

#[async_trait]
impl Thing for ThePeering {
    fn noun(&self) -> String {
        format!("peering connection {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateVpcPeeringConnection {
            vpc_id: self.vpc.clone(),
            peer_vpc_id: self.peer_vpc.clone(),
            peer_owner_id: self.peer_account.clone(),
            peer_region: self.peer_region.clone(),
            tag_specifications: self.label.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.live(at, at.ours("vpc-peering-connection-id")).await?;
        let id = VpcPeeringConnection::vpc_peering_connection_id;
        let Some(peering) = at.only_one(&self.label.key, ours, id, VpcPeeringConnection::tags) else {
            return self.nothing_of_ours(at).await;
        };
        let id = peering.vpc_peering_connection_id().unwrap_or_default();
        let ours = peering.requester_vpc_info().and_then(|one| one.vpc_id());
        let (vpc, account, region) = peer(&peering);
        let wanted = self.peer_region.as_deref().unwrap_or(at.cloud.region());
        let compared = [
            ("VPC", self.vpc.as_str(), ours),
            ("other VPC", &self.peer_vpc, vpc),
            ("its account", &self.peer_account, account),
            ("its region", wanted, region.or(Some(wanted))),
        ];
        let differences = differing(&compared);
        if !differences.is_empty() {
            return Ok(Sight::Foreign {
                said: format!("{} is there as {id}, with another VPC", self.noun()),
                differences,
            });
        }
        let there = |said: &str| found(format!("{id} with {} {said}", self.peer_vpc), json!({ "id": id }));
        Ok(match code(&peering) {
            Some(Code::InitiatingRequest | Code::Provisioning) => Sight::Coming(there("is being made")),
            Some(Code::PendingAcceptance) => Sight::Ready(there("waits to be accepted")),
            _ => Sight::Ready(there("is active")),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.live(at, at.ours("vpc-peering-connection-id")).await?;
        let ours = at.of_ours(&self.label.key, there, VpcPeeringConnection::tags);
        Ok(ids(ours, VpcPeeringConnection::vpc_peering_connection_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteVpcPeeringConnection { vpc_peering_connection_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.live(at, vec![filter("vpc-peering-connection-id", [id])]).await?;
        let there = there.iter().find(|one| one.vpc_peering_connection_id() == Some(id));
        Ok(at.remains(id, there.map(|one| one.tags.as_deref()), self.inverse(id, made)))
    }
}

/// `aws/peering-accepted`
pub(super) struct PeeringAccepted {
    peering: String,
    /// The other side answers for names, too.
    names: bool,
}

impl PeeringAccepted {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let names = arguments.one_of("names", &["false", "true"])? == "true";
        Ok(PeeringAccepted { peering: arguments.text("peering")?, names })
    }
}

#[async_trait]
impl Question for PeeringAccepted {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.peering) {
            return Verified::NotYet { said: "the peering connection is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let at = Account::new(&cloud, &world.subject);
            let there = describe(&at, vec![filter("vpc-peering-connection-id", [self.peering.as_str()])]).await?;
            let there = there.iter().find(|one| one.vpc_peering_connection_id() == Some(&self.peering));
            let Some(there) = there else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.peering) });
            };
            let status = code(there).map_or("unknown", Code::as_str);
            let said = format!("{} is {status}", self.peering);
            Ok(match code(there) {
                Some(Code::Active) if self.names && !is_open(there.accepter_vpc_info()) => Verified::NotYet {
                    said: format!("{said}, and names of the other side do not lead to private addresses"),
                },
                Some(Code::Active) => Verified::So(found(said, json!({ "status": status }))),
                _ if is_live(there) => {
                    let until = there.expiration_time().map(|until| format!(", until {until}")).unwrap_or_default();
                    Verified::NotYet { said: format!("{said}{until}") }
                }
                _ => {
                    let why = there.status().and_then(|status| status.message()).unwrap_or("AWS gives no reason");
                    let advice = "Ask whoever owns the other account, undo the request, and run it again.";
                    Verified::NotSo(Failure { meaning: why.to_owned(), ..Failure::new(said, advice) })
                }
            })
        })
        .await
    }
}

/// `aws/route`: one route in a table that is there.
pub(super) struct TheRoute {
    table: String,
    to: String,
    target: RouteTarget,
}

impl TheRoute {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheRoute { table: arguments.text("table")?, to: arguments.text("to")?, target: route_target(arguments)? })
    }

    /// The route to that range, if the table has one of its own.
    async fn route(&self, at: &Account<'_>) -> Result<Option<Route>, AwsFailure> {
        if !known(&self.table) {
            return Ok(None);
        }
        let request = at.ec2().describe_route_tables().filters(filter("route-table-id", [self.table.as_str()]));
        let answer = at.cloud.read(Operation::DescribeRouteTables, || request.clone().send()).await?;
        let table = answer.route_tables.unwrap_or_default().into_iter().next();
        Ok(table.and_then(|table| own_route(&table, &self.to).cloned()))
    }
}

#[async_trait]
impl Thing for TheRoute {
    fn noun(&self) -> String {
        format!("route to {} in {}", self.to, self.table)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateRoute {
            route_table_id: self.table.clone(),
            destination_cidr_block: self.to.clone(),
            target: self.target.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(route) = self.route(at).await? else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let hop = next_hop(&route);
        if known(self.target.id()) && (hop != self.target.id() || is_black_hole(&route)) {
            let dead = if is_black_hole(&route) { " (dead)" } else { "" };
            let differences = vec![difference("where it leads", self.target.id(), format!("{hop}{dead}"))];
            return Ok(Sight::Foreign { said: format!("{} leads elsewhere", self.noun()), differences });
        }
        Ok(Sight::Ready(found(format!("{} goes to {hop}", self.noun()), json!({}))))
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteRoute { route_table_id: self.table.clone(), destination_cidr_block: self.to.clone() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match self.route(at).await? {
            Some(route) if next_hop(&route) == self.target.id() => Remains::Takes(self.inverse("", made)),
            _ => Remains::Gone,
        })
    }
}
