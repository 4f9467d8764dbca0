//! The two ends of a VPN, and the tables that learn its routes.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::call::vpn::IPSEC;
use super::call::{Call, ITSELF, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found, ids};
use super::world::Subject;
use crate::aws::ec2::types::{AttachmentStatus, CustomerGateway, Filter, RouteTable, VpnGateway};
use crate::aws::{AwsFailure, Operation, filter};
use crate::engagement::Failure;

/// Deleted gateways stay visible for about an hour.
const LIVE: [&str; 2] = ["pending", "available"];
/// Sent for a gateway with static routes, where AWS wants some number and nobody uses it.
const NO_BGP: &str = "65000";
/// Amazon's side when nothing is said: always sent, because AWS's own defaults for the two sides can be the same.
const AMAZON: &str = "64512";

/// An AS number as the input writes it.
fn asn(arguments: Arguments<'_>, usual: &str) -> Result<i64, Failure> {
    let text = arguments.optional("asn")?.unwrap_or_else(|| usual.to_owned());
    match text.parse::<u32>() {
        Ok(asn) if asn > 0 && asn < u32::MAX => Ok(i64::from(asn)),
        _ => Err(Failure::new(
            format!("the argument `asn` of {} is \"{text}\", which is no AS number", arguments.kind),
            "Correct the step in the runbook, or the input that the argument is made of.",
        )),
    }
}

/// `aws/customer-gateway`
pub(super) struct TheCustomerGateway {
    address: String,
    asn: i64,
    device: Option<String>,
    label: Label,
}

impl TheCustomerGateway {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheCustomerGateway {
            address: arguments.text("address")?,
            asn: asn(arguments, NO_BGP)?,
            device: arguments.optional("device")?,
            label: label(subject, arguments)?,
        })
    }

    async fn describe(&self, at: &Account<'_>, mut by: Vec<Filter>) -> Result<Vec<CustomerGateway>, AwsFailure> {
        by.push(filter("state", LIVE));
        let request = at.ec2().describe_customer_gateways().set_filters(Some(by));
        let answer = at
            .cloud
            .read_together(Operation::DescribeCustomerGateways, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?;
        // Not every endpoint heeds every filter.
        let live = answer.customer_gateways.unwrap_or_default().into_iter();
        Ok(live.filter(|one| one.state().is_none_or(|state| LIVE.contains(&state))).collect())
    }

    /// AWS would give an identical one back, whoever made it.
    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        if known(&self.address) {
            let there = self.describe(at, vec![filter("ip-address", [self.address.as_str()])]).await?;
            let same = |one: &&CustomerGateway| {
                one.ip_address() == Some(&self.address)
                    && asn_of(one) == Some(self.asn)
                    && (one.device_name() == self.device.as_deref())
            };
            if let Some(other) = there.iter().find(same) {
                let by = (other.customer_gateway_id().unwrap_or_default(), other.tags.as_deref());
                let place = format!("the device at {} with AS {}", self.address, self.asn);
                return Ok(at.taken(&self.noun(), &self.label.key, &place, by));
            }
        }
        Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) })
    }
}

/// A number that needs all 32 bits stands in a field of its own.
fn asn_of(gateway: &CustomerGateway) -> Option<i64> {
    gateway.bgp_asn_extended().or(gateway.bgp_asn())?.parse().ok()
}

#[async_trait]
impl Thing for TheCustomerGateway {
    fn noun(&self) -> String {
        format!("customer gateway {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateCustomerGateway {
            r#type: IPSEC,
            ip_address: self.address.clone(),
            asn: self.asn.into(),
            device_name: self.device.clone(),
            tag_specifications: self.label.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("customer-gateway-id")).await?;
        let id = CustomerGateway::customer_gateway_id;
        let Some(gateway) = at.only_one(&self.label.key, ours, id, CustomerGateway::tags) else {
            return self.nothing_of_ours(at).await;
        };
        let id = gateway.customer_gateway_id().unwrap_or_default();
        let asn = asn_of(&gateway).map(|asn| asn.to_string());
        let wanted = self.asn.to_string();
        let compared =
            [("address", self.address.as_str(), gateway.ip_address()), ("AS number", &wanted, asn.as_deref())];
        let differences = differing(&compared);
        if !differences.is_empty() {
            return Ok(Sight::Foreign {
                said: format!("{} is there as {id}, for another device", self.noun()),
                differences,
            });
        }
        let there = found(format!("{id} for {}, AS {}", self.address, self.asn), json!({ "id": id }));
        Ok(if gateway.state() == Some("pending") { Sight::Coming(there) } else { Sight::Ready(there) })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("customer-gateway-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, CustomerGateway::tags), CustomerGateway::customer_gateway_id))
    }

    /// It stands for one device of the customer's, and AWS deletes none that a connection uses.
    fn serves_several(&self) -> bool {
        true
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteCustomerGateway { customer_gateway_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("customer-gateway-id", [id])]).await?;
        let tags = there.first().map(|gateway| gateway.tags.as_deref());
        Ok(at.remains(id, tags, self.inverse(id, made)))
    }
}

/// `aws/vpn-gateway`
pub(super) struct TheVpnGateway {
    vpc: String,
    asn: i64,
    label: Label,
}

impl TheVpnGateway {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (vpc, asn) = (arguments.text("vpc")?, asn(arguments, AMAZON)?);
        Ok(TheVpnGateway { vpc, asn, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, mut by: Vec<Filter>) -> Result<Vec<VpnGateway>, AwsFailure> {
        by.push(filter("state", LIVE));
        let request = at.ec2().describe_vpn_gateways().set_filters(Some(by));
        let answer = at
            .cloud
            .read_together(Operation::DescribeVpnGateways, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?;
        let live = answer.vpn_gateways.unwrap_or_default().into_iter();
        Ok(live.filter(|one| one.state().is_none_or(|state| LIVE.contains(&state.as_str()))).collect())
    }

    fn attach(&self, gateway: &str) -> Call {
        Call::AttachVpnGateway { vpn_gateway_id: gateway.to_owned(), vpc_id: self.vpc.clone() }
    }

    /// A VPC has one virtual private gateway at most.
    async fn of_the_vpc(&self, at: &Account<'_>) -> Result<Option<VpnGateway>, AwsFailure> {
        if !known(&self.vpc) {
            return Ok(None);
        }
        let there = self.describe(at, vec![filter("attachment.vpc-id", [self.vpc.as_str()])]).await?;
        Ok(there.into_iter().find(|one| attachment(one).is_some_and(|(vpc, _)| vpc == self.vpc)))
    }
}

/// The VPC that it is attached to, and whether that is under way.
fn attachment(gateway: &VpnGateway) -> Option<(&str, bool)> {
    let here = gateway.vpc_attachments().iter().find(|one| one.state() != Some(&AttachmentStatus::Detached))?;
    let under_way = matches!(here.state(), Some(AttachmentStatus::Attaching | AttachmentStatus::Detaching));
    Some((here.vpc_id()?, under_way))
}

fn is_detaching(gateway: &VpnGateway) -> bool {
    gateway.vpc_attachments().iter().any(|one| one.state() == Some(&AttachmentStatus::Detaching))
}

#[async_trait]
impl Thing for TheVpnGateway {
    fn noun(&self) -> String {
        format!("virtual private gateway {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let create =
            Call::CreateVpnGateway { r#type: IPSEC, amazon_side_asn: self.asn, tag_specifications: self.label.clone() };
        vec![create, self.attach(ITSELF)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("vpn-gateway-id")).await?;
        let gateway = at.only_one(&self.label.key, ours, VpnGateway::vpn_gateway_id, VpnGateway::tags);
        let Some(gateway) = gateway else {
            let other = self.of_the_vpc(at).await?;
            return Ok(match other {
                Some(other) => {
                    let by = (other.vpn_gateway_id().unwrap_or_default(), other.tags.as_deref());
                    at.taken(&self.noun(), &self.label.key, &format!("the gateway of {}", self.vpc), by)
                }
                None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
            });
        };
        let id = gateway.vpn_gateway_id().unwrap_or_default();
        let (wanted, asn) = (self.asn.to_string(), gateway.amazon_side_asn().map(|asn| asn.to_string()));
        let vpc = attachment(&gateway);
        let mut compared = vec![("Amazon's AS number", wanted.as_str(), asn.as_deref())];
        if let Some((vpc, _)) = vpc {
            compared.push(("VPC", &self.vpc, Some(vpc)));
        }
        let differences = differing(&compared);
        if !differences.is_empty() {
            return Ok(Sight::Foreign {
                said: format!("{} is there as {id}, but otherwise", self.noun()),
                differences,
            });
        }
        let output = json!({ "id": id });
        Ok(match vpc {
            Some((vpc, true)) => Sight::Coming(found(format!("{id} is being attached to {vpc}"), output)),
            Some((vpc, false)) => Sight::Ready(found(format!("{id} at {vpc}, AS {}", self.asn), output)),
            None => match self.of_the_vpc(at).await? {
                Some(other) => {
                    let by = (other.vpn_gateway_id().unwrap_or_default(), other.tags.as_deref());
                    at.taken(&self.noun(), &self.label.key, &format!("the gateway of {}", self.vpc), by)
                }
                None => Sight::Partial(Partial {
                    said: format!("{} is there as {id}, but not attached", self.noun()),
                    differences: vec![difference("VPC", &self.vpc, "none")],
                    missing: vec![self.attach(id)],
                    keep: [("id".to_owned(), json!(id))].into(),
                }),
            },
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("vpn-gateway-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, VpnGateway::tags), VpnGateway::vpn_gateway_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        let gateway = id.to_owned();
        let detach = Call::DetachVpnGateway { vpn_gateway_id: gateway.clone(), vpc_id: self.vpc.clone() };
        vec![detach, Call::DeleteVpnGateway { vpn_gateway_id: gateway }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("vpn-gateway-id", [id])]).await?;
        let gateway = there.first();
        if gateway.is_some_and(is_detaching) {
            return Ok(Remains::Going { said: format!("{id} is being detached") });
        }
        let detach = gateway
            .and_then(attachment)
            .map(|(vpc, _)| Call::DetachVpnGateway { vpn_gateway_id: id.to_owned(), vpc_id: vpc.to_owned() });
        let delete = vec![Call::DeleteVpnGateway { vpn_gateway_id: id.to_owned() }];
        let tags = gateway.map(|gateway| gateway.tags.as_deref());
        // While it is being detached AWS refuses to delete it.
        Ok(match (at.remains(id, tags, delete), detach) {
            (Remains::Takes(delete), Some(detach)) => Remains::InTurn(vec![detach], delete),
            (other, _) => other,
        })
    }
}

/// `aws/route-propagation`: one table learns the routes of a gateway.
pub(super) struct Propagation {
    gateway: String,
    table: String,
}

impl Propagation {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Propagation { gateway: arguments.text("gateway")?, table: arguments.text("table")? })
    }

    /// The table, if it is there.
    async fn table(&self, at: &Account<'_>) -> Result<Option<RouteTable>, AwsFailure> {
        if !known(&self.table) {
            return Ok(None);
        }
        let request = at.ec2().describe_route_tables().filters(filter("route-table-id", [self.table.as_str()]));
        let answer = at.cloud.read(Operation::DescribeRouteTables, || request.clone().send()).await?;
        Ok(answer.route_tables.unwrap_or_default().into_iter().next())
    }

    fn learns(&self, table: &RouteTable) -> bool {
        table.propagating_vgws().iter().any(|one| one.gateway_id() == Some(&self.gateway))
    }
}

#[async_trait]
impl Thing for Propagation {
    fn noun(&self) -> String {
        format!("propagation of {} into {}", self.gateway, self.table)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::EnableVgwRoutePropagation { gateway_id: self.gateway.clone(), route_table_id: self.table.clone() }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let table = self.table(at).await?;
        Ok(match table {
            Some(table) if self.learns(&table) => {
                let said = format!("{} learns the routes of {}", self.table, self.gateway);
                Sight::Ready(found(said, json!({})))
            }
            _ => Sight::Nothing { said: format!("{} does not learn the routes of {}", self.table, self.gateway) },
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DisableVgwRoutePropagation { gateway_id: self.gateway.clone(), route_table_id: self.table.clone() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match self.table(at).await? {
            Some(table) if self.learns(&table) => Remains::Takes(self.inverse("", made)),
            _ => Remains::Gone,
        })
    }
}
