//! What another made for this account, and a step accepts: a line that a partner made ("Hosted connections", Direct Connect
//! user guide), or a virtual interface that the owner of a line allocated, with VLAN, numbers and addresses ("Create a hosted
//! private virtual interface", the same). Who accepts it says where it leads.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::Arguments;
use super::aws_dx::{holdup, line, lines, state};
use super::aws_dx_interface::{interface, interfaces, leads_to, told};
use super::aws_network::label;
use super::call::dx::{DxRequest, LeadsTo, LineArn};
use super::call::{Call, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found};
use super::tagged::{Tagged, holder, left, otherwise, ours};
use super::world::Subject;
use super::{Failure, Found};
use crate::aws::direct_connect::types::{ConnectionState, VirtualInterfaceState as State};
use crate::aws::{AwsFailure, Holder};

/// Under this it is written down which offer a step accepts: its tags follow by a call of their own.
const ACCEPTED: &str = "accepted";

/// Something that is ours from when it is accepted. One that somebody else accepted is used as it is: it gets no tag of ours,
/// and no undo gives it back.
struct Offer {
    id: String,
    label: Label,
}

impl Offer {
    fn new(arguments: Arguments<'_>, subject: &Subject, name: &str) -> Result<Self, Failure> {
        Ok(Offer { id: arguments.text(name)?, label: label(subject, arguments)? })
    }

    fn tag(&self) -> Call {
        let resource_arn = LineArn { id: self.id.clone() };
        Call::Dx(DxRequest::TagResource { resource_arn, tags: self.label.clone() })
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        ["id", ACCEPTED].map(|name| (name.to_owned(), json!(self.id))).into()
    }

    fn is_accepted_here(&self, written: &BTreeMap<String, Json>) -> bool {
        written.get(ACCEPTED).and_then(Json::as_str) == Some(&self.id)
    }

    /// What is to be seen of it once it is accepted, by anybody.
    fn seen(&self, at: &Account<'_>, holder: &Holder, (noun, place): (&str, &str), mut there: Found) -> Sight {
        match holder {
            Holder::Us { .. } => Sight::Ready(there),
            Holder::Engagement(_) => at.taken_by(noun, place, (&self.id, holder)),
            Holder::Stranger if self.is_accepted_here(&at.subject.made) => Sight::Partial(Partial {
                said: format!("{noun} is accepted, and carries no tag of ours"),
                differences: vec![difference("tags", "ours", "none")],
                missing: vec![self.tag()],
                keep: self.keeps(),
            }),
            Holder::Stranger => {
                there.said.push_str(", accepted by somebody else");
                there.foreign = true;
                Sight::Ready(there)
            }
        }
    }

    /// Without tags it is ours where that is written down.
    fn goes<T>(&self, at: &Account<'_>, all: &[Tagged<T>], made: &Made<'_>, by: Vec<Call>) -> Remains {
        match holder(at, &self.id, all) {
            Holder::Stranger if self.is_accepted_here(made.0) => Remains::Takes(by),
            _ => left(at, &self.id, all, by),
        }
    }
}

/// `aws/dx-hosted-connection`
pub(super) struct TheHostedLine {
    offer: Offer,
    vlan: Option<i32>,
    bandwidth: Option<String>,
}

impl TheHostedLine {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheHostedLine {
            offer: Offer::new(arguments, subject, "connection")?,
            vlan: arguments.number("vlan", 1, 4_094)?,
            bandwidth: arguments.optional("bandwidth")?,
        })
    }
}

#[async_trait]
impl Thing for TheHostedLine {
    fn noun(&self) -> String {
        format!("hosted connection {}", self.offer.id)
    }

    fn calls(&self) -> Vec<Call> {
        let connection_id = self.offer.id.clone();
        vec![Call::Dx(DxRequest::ConfirmConnection { connection_id }), self.offer.tag()]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let id = self.offer.id.as_str();
        let Some(one) = lines(at.cloud).await?.into_iter().find(|one| one.id == id) else {
            let advice = "Compare the id with what the partner wrote, and the region and account that it was made for.";
            return Ok(Sight::Broken(Failure::new(
                format!("there is no connection {id} in {}", at.cloud.region()),
                advice,
            )));
        };
        let (line, holder) = (&one.thing, one.holder(at));
        // It has the one VLAN that the partner chose, and the speed that was bought from them.
        let vlan = self.vlan.filter(|_| line.vlan() > 0).map(|vlan| vlan.to_string());
        let has_vlan = line.vlan().to_string();
        let compared = [("VLAN", &vlan, Some(&*has_vlan)), ("speed", &self.bandwidth, line.bandwidth())];
        let compared = compared.into_iter().filter_map(|(what, wanted, has)| Some((what, wanted.as_deref()?, has)));
        let differences = differing(&compared.collect::<Vec<_>>());
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), id, differences));
        }
        let said = format!("{id} from {}: {}", line.partner_name().unwrap_or("the partner"), state(line));
        if line.connection_state() == Some(&ConnectionState::Ordering) {
            return Ok(Sight::Nothing { said: format!("{said}, not accepted yet") });
        }
        let there = found(said, json!({ "id": id, "vlan": line.vlan(), "bandwidth": line.bandwidth() }));
        Ok(self.offer.seen(at, &holder, (&self.noun(), "the partner's connection"), there))
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        self.offer.keeps()
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let all = lines(at.cloud).await?;
        Ok(ours(at, &self.offer.label.key, all).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteConnection { connection_id: self.offer.id.clone() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &lines(at.cloud).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let id = self.offer.id.as_str();
        let there = line(at.cloud, id).await?;
        if there.is_some_and(|one| one.connection_state() == Some(&ConnectionState::Ordering)) {
            return Ok(Remains::Gone);
        }
        Ok(match holdup(at, id, &self.noun()).await? {
            Some(held) => held,
            None => self.offer.goes(at, &lines(at.cloud).await?, made, self.inverse(id, made)),
        })
    }
}

/// `aws/dx-allocated-interface`
pub(super) struct TheAllocated {
    offer: Offer,
    is_transit: bool,
    leads_to: LeadsTo,
}

impl TheAllocated {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let is_transit = arguments.one_of("type", &["private", "transit"])? == "transit";
        Ok(TheAllocated {
            offer: Offer::new(arguments, subject, "interface")?,
            is_transit,
            leads_to: leads_to(arguments, is_transit)?,
        })
    }

    fn kind(&self) -> &'static str {
        if self.is_transit { "transit" } else { "private" }
    }
}

#[async_trait]
impl Thing for TheAllocated {
    fn noun(&self) -> String {
        format!("allocated {} virtual interface {}", self.kind(), self.offer.id)
    }

    fn calls(&self) -> Vec<Call> {
        let (virtual_interface_id, leads_to) = (self.offer.id.clone(), self.leads_to.clone());
        let confirm = if self.is_transit {
            DxRequest::ConfirmTransitVirtualInterface { virtual_interface_id, leads_to }
        } else {
            DxRequest::ConfirmPrivateVirtualInterface { virtual_interface_id, leads_to }
        };
        vec![Call::Dx(confirm), self.offer.tag()]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let id = self.offer.id.as_str();
        let Some(one) = interfaces(at.cloud, None).await?.into_iter().find(|one| one.id == id) else {
            let advice = "Compare the id with what the owner of the line wrote, and the region and account that it was allocated for.";
            return Ok(Sight::Broken(Failure::new(
                format!("there is no virtual interface {id} in {}", at.cloud.region()),
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
        let sight = self.offer.seen(at, &holder, (&self.noun(), "the allocated interface"), found(said, told(there)));
        Ok(match (sight, there.virtual_interface_state()) {
            (Sight::Ready(accepted), Some(State::Pending | State::Verifying)) => Sight::Coming(accepted),
            (sight, _) => sight,
        })
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        self.offer.keeps()
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let all = interfaces(at.cloud, None).await?;
        Ok(ours(at, &self.offer.label.key, all).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteVirtualInterface { virtual_interface_id: self.offer.id.clone() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &interfaces(at.cloud, None).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let id = self.offer.id.as_str();
        let there = interface(at.cloud, id).await?;
        match there.as_ref().and_then(|one| one.virtual_interface_state()) {
            None | Some(State::Confirming | State::Deleted | State::Rejected) => return Ok(Remains::Gone),
            Some(State::Deleting) => {
                return Ok(Remains::Going { said: format!("{} is being deleted", self.noun()) });
            }
            Some(_) => {}
        }
        Ok(self.offer.goes(at, &interfaces(at.cloud, None).await?, made, self.inverse(id, made)))
    }
}
