//! The Direct Connect gateway, to which virtual interfaces lead, and the gateways of the network that are associated with it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_dx::tagged;
use super::aws_network::label;
use super::call::dx::DxRequest;
use super::call::{Call, Label};
use super::object::{Made, Remains, Sight, Thing, difference, differing, found};
use super::tagged::{Tagged, holder, left, otherwise, ours, the_one};
use super::world::Subject;
use crate::aws::direct_connect::types::{
    DirectConnectGateway, DirectConnectGatewayAssociation as Association,
    DirectConnectGatewayAssociationState as Associated, DirectConnectGatewayState, RouteFilterPrefix,
};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::input::is_private_asn;
use crate::text::list;

/// The number of Amazon's side, a private one (Direct Connect API reference, amazonSideAsn; EC2 API reference,
/// TransitGatewayRequestOptions); 0 where an earlier step has to tell.
pub(super) fn amazon_asn(arguments: Arguments<'_>) -> Result<i64, Failure> {
    let text = arguments.text("asn")?;
    match text.parse::<i64>() {
        _ if !known(&text) => Ok(0),
        Ok(asn) if is_private_asn(asn) => Ok(asn),
        _ => Err(Failure::new(
            format!("the argument `asn` of {} is \"{text}\", which is no private AS number", arguments.kind),
            "Give one of 64512 to 65534, or of 4200000000 to 4294967294.",
        )),
    }
}

/// `aws/dx-gateway`
pub(super) struct TheGateway {
    asn: i64,
    label: Label,
}

impl TheGateway {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheGateway { asn: amazon_asn(arguments)?, label: label(subject, arguments)? })
    }

    async fn there(&self, at: &Account<'_>) -> Result<Vec<Tagged<DirectConnectGateway>>, AwsFailure> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.direct_connect().describe_direct_connect_gateways().set_next_token(next);
            let page = at.cloud.read(Operation::DescribeDirectConnectGateways, || request.clone().send()).await?;
            all.extend(page.direct_connect_gateways.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        all.retain(|one| one.direct_connect_gateway_state() != Some(&DirectConnectGatewayState::Deleted));
        let one =
            |mut one: DirectConnectGateway| Some(tagged(one.direct_connect_gateway_id.clone()?, one.tags.take(), one));
        Ok(all.into_iter().filter_map(one).collect())
    }
}

#[async_trait]
impl Thing for TheGateway {
    fn noun(&self) -> String {
        format!("Direct Connect gateway {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::CreateDirectConnectGateway {
            direct_connect_gateway_name: self.label.name.clone(),
            amazon_side_asn: self.asn,
            tags: self.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let all = self.there(at).await?;
        let is_going = |state: Option<&DirectConnectGatewayState>| state == Some(&DirectConnectGatewayState::Deleting);
        let live = all.into_iter().filter(|one| !is_going(one.thing.direct_connect_gateway_state())).collect();
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label.key, live) else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let (wanted, asn) = (self.asn.to_string(), thing.amazon_side_asn().map(|asn| asn.to_string()));
        let differences = differing(&[("AS number", wanted.as_str(), asn.as_deref())]);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), &id, differences));
        }
        let there = found(format!("{id}, AS {}", self.asn), json!({ "id": id, "asn": self.asn }));
        Ok(match thing.direct_connect_gateway_state() {
            Some(DirectConnectGatewayState::Pending) => Sight::Coming(there),
            _ => Sight::Ready(there),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ours(at, &self.label.key, self.there(at).await?).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteDirectConnectGateway { direct_connect_gateway_id: id.to_owned() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &self.there(at).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let all = self.there(at).await?;
        let state = all.iter().find(|one| one.id == id).and_then(|one| one.thing.direct_connect_gateway_state());
        if state == Some(&DirectConnectGatewayState::Deleting) {
            return Ok(Remains::Going { said: format!("{} is being deleted", self.noun()) });
        }
        Ok(left(at, id, &all, self.inverse(id, made)))
    }
}

/// `aws/dx-association`: a virtual private gateway or a transit gateway, and the ranges that the customer hears of.
pub(super) struct TheAssociation {
    pub gateway: String,
    pub to: String,
    pub prefixes: Vec<String>,
}

/// The ranges of a filter.
pub(super) fn announced(prefixes: &[RouteFilterPrefix]) -> BTreeSet<&str> {
    prefixes.iter().filter_map(|one| one.cidr()).collect()
}

impl TheAssociation {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let prefixes = arguments.list("prefixes")?;
        if prefixes.is_empty() {
            let what = format!("{} needs `prefixes`: the ranges that the customer's routers hear of", arguments.kind);
            return Err(Failure::new(what, "Correct the step in the runbook, or give the input."));
        }
        Ok(TheAssociation { gateway: arguments.text("gateway")?, to: arguments.text("to")?, prefixes })
    }

    /// There is one at most for a pair of gateways.
    pub async fn there(&self, cloud: &Cloud) -> Result<Option<Association>, AwsFailure> {
        if !known(&self.gateway) || !known(&self.to) {
            return Ok(None);
        }
        let request = cloud.direct_connect().describe_direct_connect_gateway_associations();
        let request = request.direct_connect_gateway_id(&self.gateway).associated_gateway_id(&self.to);
        let operation = Operation::DescribeDirectConnectGatewayAssociations;
        let answer = match cloud.read(operation, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
            answer => answer?,
        };
        let all = answer.direct_connect_gateway_associations.unwrap_or_default().into_iter();
        let mut live = all.filter(|one| one.association_state() != Some(&Associated::Disassociated));
        let ours = |one: &Association| {
            one.direct_connect_gateway_id() == Some(&self.gateway)
                && one.associated_gateway().and_then(|gateway| gateway.id()) == Some(&self.to)
        };
        Ok(live.find(ours))
    }
}

#[async_trait]
impl Thing for TheAssociation {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("association of {} with {}", self.gateway, self.to)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::CreateDirectConnectGatewayAssociation {
            direct_connect_gateway_id: self.gateway.clone(),
            gateway_id: self.to.clone(),
            add_allowed_prefixes_to_direct_connect_gateway: self.prefixes.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let nothing = || Sight::Nothing { said: format!("there is no {}", self.noun()) };
        let Some(there) = self.there(at.cloud).await? else { return Ok(nothing()) };
        if there.association_state() == Some(&Associated::Disassociating) {
            return Ok(nothing());
        }
        let id = there.association_id().unwrap_or_default();
        let allowed = announced(there.allowed_prefixes_to_direct_connect_gateway());
        let wanted: BTreeSet<&str> = self.prefixes.iter().map(String::as_str).collect();
        if wanted.iter().all(|one| known(one)) && allowed != wanted {
            let said = |prefixes: BTreeSet<&str>| list(&prefixes.into_iter().collect::<Vec<_>>());
            let differences = vec![difference("ranges that the customer hears of", said(wanted), said(allowed))];
            return Ok(otherwise(&self.noun(), id, differences));
        }
        if let Some(error) = there.state_change_error().filter(|error| !error.is_empty()) {
            let mut failure = Failure::new(format!("{} does not come about", self.noun()), "Read AWS's own words.");
            failure.raw = error.to_owned();
            return Ok(Sight::Broken(failure));
        }
        let said = format!("{} announces {}", self.noun(), list(&self.prefixes));
        let there_it_is = found(said, json!({ "id": id }));
        Ok(match there.association_state() {
            Some(Associated::Associating | Associated::Updating) => Sight::Coming(there_it_is),
            _ => Sight::Ready(there_it_is),
        })
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteDirectConnectGatewayAssociation { association_id: id.to_owned() })]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match self.there(at.cloud).await? {
            None => Remains::Gone,
            Some(there) if there.association_state() == Some(&Associated::Disassociating) => {
                Remains::Going { said: format!("{} is being taken away", self.noun()) }
            }
            Some(there) => match (made.text("id"), there.association_id()) {
                (Some(id), Some(now)) if id == now => Remains::Takes(self.inverse(id, made)),
                // Made anew since, by somebody else.
                (Some(_), now) => {
                    Remains::NotOurs { said: format!("it is another one now, {}", now.unwrap_or("unnamed")) }
                }
                (None, now) => {
                    let said = format!("nobody wrote down that this step made {}", now.unwrap_or("it"));
                    Remains::NotOurs { said }
                }
            },
        })
    }
}
