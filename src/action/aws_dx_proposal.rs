//! What one account proposes to another: that its Direct Connect gateway leads on to a gateway of the network here. Whoever
//! has the Direct Connect gateway says yes or no within seven days; what was not answered until then is gone ("Associate an
//! AWS Direct Connect virtual private gateway across accounts", Direct Connect user guide).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_dx_gateway::{TheAssociation, announced};
use super::call::Call;
use super::call::dx::DxRequest;
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, difference, found};
use super::tagged::otherwise;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::direct_connect::types::{
    DirectConnectGatewayAssociationProposal as Proposal, DirectConnectGatewayAssociationProposalState as Proposed,
    DirectConnectGatewayAssociationState as Associated,
};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};
use crate::text::list;

/// The association, where an undo is written down before there is one.
const CAME_OF_IT: &str = "\u{2039}the association that came of it\u{203a}";

/// `aws/dx-association-proposal`
pub(super) struct TheProposal {
    wanted: TheAssociation,
    owner: String,
}

/// The proposals for a pair of gateways; AWS shows one that was answered for some days.
async fn proposals(cloud: &Cloud, pair: &TheAssociation) -> Result<Vec<Proposal>, AwsFailure> {
    if !known(&pair.gateway) || !known(&pair.to) {
        return Ok(Vec::new());
    }
    let request = cloud.direct_connect().describe_direct_connect_gateway_association_proposals();
    let request = request.direct_connect_gateway_id(&pair.gateway).associated_gateway_id(&pair.to);
    let operation = Operation::DescribeDirectConnectGatewayAssociationProposals;
    let answer = match cloud.read(operation, || request.clone().send()).await {
        Err(failure) if failure.kind == Kind::NotFound => return Ok(Vec::new()),
        answer => answer?,
    };
    Ok(answer.direct_connect_gateway_association_proposals.unwrap_or_default())
}

/// The one that waits for an answer.
async fn open(cloud: &Cloud, pair: &TheAssociation) -> Result<Option<Proposal>, AwsFailure> {
    let waits = |one: &Proposal| one.proposal_state() == Some(&Proposed::Requested);
    Ok(proposals(cloud, pair).await?.into_iter().find(waits))
}

impl TheProposal {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let owner = arguments.text("owner")?;
        Ok(TheProposal { wanted: TheAssociation::new(arguments, subject)?, owner })
    }

    fn withdrawn(&self, id: &str) -> Call {
        Call::Dx(DxRequest::DeleteDirectConnectGatewayAssociationProposal { proposal_id: id.to_owned() })
    }

    fn end(&self, association: &str) -> Call {
        let association_id = association.to_owned();
        Call::Dx(DxRequest::DeleteDirectConnectGatewayAssociation { association_id })
    }
}

#[async_trait]
impl Thing for TheProposal {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("proposal of an {}", self.wanted.noun())
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::CreateDirectConnectGatewayAssociationProposal {
            direct_connect_gateway_id: self.wanted.gateway.clone(),
            direct_connect_gateway_owner_account: self.owner.clone(),
            gateway_id: self.wanted.to.clone(),
            add_allowed_prefixes_to_direct_connect_gateway: self.wanted.prefixes.clone(),
        })]
    }

    /// One that was accepted is seen by what came of it.
    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let accepted = self.wanted.there(at.cloud).await?;
        if let Some(there) = accepted.filter(|one| one.association_state() != Some(&Associated::Disassociating)) {
            let all = proposals(at.cloud, &self.wanted).await?;
            let accepted = all.iter().find(|one| one.proposal_state() == Some(&Proposed::Accepted));
            let made = Made(&at.subject.made);
            let id = made.text("id").or(accepted.and_then(|one| one.proposal_id())).or(there.association_id());
            return Ok(Sight::Ready(found(format!("{} was accepted", self.noun()), json!({ "id": id }))));
        }
        let Some(there) = open(at.cloud, &self.wanted).await? else {
            return Ok(Sight::Nothing { said: format!("there is no {} that waits for an answer", self.noun()) });
        };
        let id = there.proposal_id().unwrap_or_default();
        let asked = announced(there.requested_allowed_prefixes_to_direct_connect_gateway());
        let wanted: BTreeSet<&str> = self.wanted.prefixes.iter().map(String::as_str).collect();
        if wanted.iter().all(|one| known(one)) && asked != wanted {
            let said = |prefixes: BTreeSet<&str>| list(&prefixes.into_iter().collect::<Vec<_>>());
            let differences = vec![difference("ranges that the customer hears of", said(wanted), said(asked))];
            return Ok(otherwise(&self.noun(), id, differences));
        }
        Ok(Sight::Ready(found(format!("{id} waits for an answer from account {}", self.owner), json!({ "id": id }))))
    }

    /// Which of the two an undo takes depends on the answer.
    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.withdrawn(id), self.end(CAME_OF_IT)]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        if let Some(there) = self.wanted.there(at.cloud).await? {
            if there.association_state() == Some(&Associated::Disassociating) {
                return Ok(Remains::Going { said: format!("the {} is being taken away", self.wanted.noun()) });
            }
            return Ok(Remains::Takes(vec![self.end(there.association_id().unwrap_or_default())]));
        }
        Ok(match open(at.cloud, &self.wanted).await? {
            Some(there) if there.proposal_id() == Some(id) => Remains::Takes(vec![self.withdrawn(id)]),
            Some(there) => {
                let now = there.proposal_id().unwrap_or("unnamed");
                Remains::NotOurs { said: format!("it is another one now, {now}") }
            }
            None => Remains::Gone,
        })
    }
}

/// `aws/dx-association-state`: the other account has said yes, and to the ranges that were asked for.
pub(super) struct Accepted(TheAssociation);

impl Accepted {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        TheAssociation::new(arguments, subject).map(Accepted)
    }
}

#[async_trait]
impl Question for Accepted {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let Some(there) = self.0.there(&cloud).await? else {
                let said = match open(&cloud, &self.0).await? {
                    Some(open) => {
                        let (id, owner) = (open.proposal_id(), open.direct_connect_gateway_owner_account());
                        let owner = owner.unwrap_or("that has the gateway");
                        format!("proposal {} waits for an answer from account {owner}", id.unwrap_or_default())
                    }
                    None => format!(
                        "there is no {}, and no proposal of one: it was refused, or nobody answered within seven days",
                        self.0.noun()
                    ),
                };
                return Ok(Verified::NotYet { said });
            };
            let state = there.association_state().map_or("unknown", Associated::as_str);
            let allowed = announced(there.allowed_prefixes_to_direct_connect_gateway());
            let ranges = list(&allowed.iter().copied().collect::<Vec<_>>());
            let said = format!("{} is {state}, and announces {ranges}", self.0.noun());
            if there.association_state() != Some(&Associated::Associated) {
                return Ok(Verified::NotYet { said });
            }
            if self.0.prefixes.iter().any(|one| !allowed.contains(one.as_str())) {
                // Whoever accepts may write other ranges.
                return Ok(Verified::NotYet { said: format!("{said}, and not {}", list(&self.0.prefixes)) });
            }
            Ok(Verified::So(found(said, json!({ "id": there.association_id(), "state": state }))))
        })
        .await
    }
}
