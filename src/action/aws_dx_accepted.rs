//! A virtual interface on the line of another account. Its owner allocates it with VLAN, numbers and addresses to this
//! account, which accepts it and says where it leads ("Create a hosted private virtual interface", Direct Connect user guide).

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Failure;
use super::account::Account;
use super::arguments::Arguments;
use super::aws_dx_interface::{interface, interfaces, leads_to, told};
use super::aws_network::label;
use super::call::dx::{DxRequest, LeadsTo, LineArn};
use super::call::{Call, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found};
use super::tagged::{Tagged, holder, left, otherwise, ours};
use super::world::Subject;
use crate::aws::direct_connect::types::VirtualInterfaceState as State;
use crate::aws::{AwsFailure, Holder};

/// Under this it is written down which interface a step accepts: its tags follow by a call of their own.
const ACCEPTED: &str = "accepted";

/// `aws/dx-allocated-interface`: from when it is accepted. One that somebody else accepted is used as it is: it gets no tag
/// of ours, and no undo deletes it.
pub(super) struct TheAllocated {
    interface: String,
    is_transit: bool,
    leads_to: LeadsTo,
    label: Label,
}

impl TheAllocated {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let is_transit = arguments.one_of("type", &["private", "transit"])? == "transit";
        Ok(TheAllocated {
            interface: arguments.text("interface")?,
            is_transit,
            leads_to: leads_to(arguments, is_transit)?,
            label: label(subject, arguments)?,
        })
    }

    fn kind(&self) -> &'static str {
        if self.is_transit { "transit" } else { "private" }
    }

    fn tag(&self) -> Call {
        let resource_arn = LineArn { id: self.interface.clone() };
        Call::Dx(DxRequest::TagResource { resource_arn, tags: self.label.clone() })
    }

    fn is_accepted_here(&self, written: &BTreeMap<String, Json>) -> bool {
        written.get(ACCEPTED).and_then(Json::as_str) == Some(&self.interface)
    }
}

#[async_trait]
impl Thing for TheAllocated {
    fn noun(&self) -> String {
        format!("allocated {} virtual interface {}", self.kind(), self.interface)
    }

    fn calls(&self) -> Vec<Call> {
        let (virtual_interface_id, leads_to) = (self.interface.clone(), self.leads_to.clone());
        let confirm = if self.is_transit {
            DxRequest::ConfirmTransitVirtualInterface { virtual_interface_id, leads_to }
        } else {
            DxRequest::ConfirmPrivateVirtualInterface { virtual_interface_id, leads_to }
        };
        vec![Call::Dx(confirm), self.tag()]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let id = self.interface.as_str();
        let Some(one) = interfaces(at.cloud, None).await?.into_iter().find(|one| one.id == id) else {
            let advice = "Compare the id with what the owner of the line wrote, and the region and account that it was allocated for.";
            return Ok(Sight::Broken(Failure::new(
                format!("there is no virtual interface {id} in this region"),
                advice,
            )));
        };
        let (there, holder) = (&one.thing, one.holder(at));
        let differences = differing(&[("type", self.kind(), there.virtual_interface_type())]);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), id, differences));
        }
        let state = there.virtual_interface_state().map_or("unknown", State::as_str);
        let said = format!("{id}, VLAN {} on {}: {state}", there.vlan(), there.connection_id().unwrap_or("a line"));
        match there.virtual_interface_state() {
            Some(State::Confirming) => {
                return Ok(Sight::Nothing { said: format!("{said}, not accepted yet") });
            }
            Some(State::Deleting | State::Rejected) => {
                let advice = "Ask the owner of the line to allocate another one, and give its id.";
                return Ok(Sight::Broken(Failure::new(said, advice)));
            }
            _ => {}
        }
        let leads = match &self.leads_to {
            LeadsTo::Gateway(id) => ("Direct Connect gateway", id.as_str(), there.direct_connect_gateway_id()),
            LeadsTo::Vpc(id) => ("virtual private gateway", id.as_str(), there.virtual_gateway_id()),
        };
        let differences = differing(&[leads]);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), id, differences));
        }
        let mut accepted = found(said, told(there));
        match holder {
            Holder::Us { .. } => {}
            Holder::Engagement(_) => {
                return Ok(at.taken_by(&self.noun(), "the allocated interface", (id, &holder)));
            }
            Holder::Stranger if self.is_accepted_here(&at.subject.made) => {
                return Ok(Sight::Partial(Partial {
                    said: format!("{} is accepted, and carries no tag of ours", self.noun()),
                    differences: vec![difference("tags", "ours", "none")],
                    missing: vec![self.tag()],
                    keep: self.keeps(),
                }));
            }
            Holder::Stranger => {
                accepted.said.push_str(", accepted by somebody else");
                accepted.foreign = true;
            }
        }
        Ok(match there.virtual_interface_state() {
            Some(State::Pending | State::Verifying) => Sight::Coming(accepted),
            _ => Sight::Ready(accepted),
        })
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        ["id", ACCEPTED].map(|name| (name.to_owned(), json!(self.interface))).into()
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let all = interfaces(at.cloud, None).await?;
        Ok(ours(at, &self.label.key, all).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteVirtualInterface { virtual_interface_id: self.interface.clone() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &interfaces(at.cloud, None).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let id = self.interface.as_str();
        let there = interface(at.cloud, id).await?;
        match there.as_ref().and_then(|one| one.virtual_interface_state()) {
            None | Some(State::Confirming | State::Deleted | State::Rejected) => return Ok(Remains::Gone),
            Some(State::Deleting) => {
                return Ok(Remains::Going { said: format!("{} is being deleted", self.noun()) });
            }
            Some(_) => {}
        }
        let all: Vec<Tagged<_>> = interfaces(at.cloud, None).await?;
        Ok(match holder(at, id, &all) {
            Holder::Stranger if self.is_accepted_here(made.0) => Remains::Takes(self.inverse(id, made)),
            _ => left(at, id, &all, self.inverse(id, made)),
        })
    }
}
