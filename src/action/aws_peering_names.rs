//! Names over a peering: a name of a host of this VPC leads whoever asks on the other side to its private address.
//!
//! Each side opens its own, in its own account; what the other one has set is seen here (VPC peering guide, "Enable DNS
//! resolution for a VPC peering connection").

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_peering::the_peering;
use super::call::Call;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::Subject;
use crate::aws::AwsFailure;
use crate::aws::ec2::types::VpcPeeringConnectionVpcInfo as Side;
use crate::engagement::Failure;

/// Under which what was set before is kept.
const FORMER: &str = "former";

/// Does that side let its names lead to private addresses?
pub(super) fn is_open(side: Option<&Side>) -> bool {
    let options = side.and_then(Side::peering_options);
    options.and_then(|options| options.allow_dns_resolution_from_remote_vpc()).unwrap_or(false)
}

/// `aws/peering-names`
pub(super) struct PeeringNames {
    peering: String,
}

impl PeeringNames {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(PeeringNames { peering: arguments.text("peering")? })
    }

    fn set(&self, open: bool) -> Call {
        Call::ModifyVpcPeeringConnectionOptions {
            vpc_peering_connection_id: self.peering.clone(),
            allow_dns_resolution_from_remote_vpc: open,
        }
    }

    /// Nothing where there is no such peering.
    async fn open(&self, at: &Account<'_>) -> Result<Option<bool>, AwsFailure> {
        if !known(&self.peering) {
            return Ok(None);
        }
        let there = the_peering(at, &self.peering).await?;
        Ok(there.map(|there| is_open(there.requester_vpc_info())))
    }
}

#[async_trait]
impl Thing for PeeringNames {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("names over {}", self.peering)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.set(true)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.noun();
        Ok(match self.open(at).await? {
            None => Sight::Nothing { said: format!("{} is not there yet", self.peering) },
            Some(true) => Sight::Ready(found(format!("{noun} lead to private addresses"), json!({ "names": true }))),
            Some(false) => Sight::Partial(Partial {
                said: format!("{noun} lead to public addresses, or nowhere"),
                differences: vec![difference(
                    "names of this VPC, asked from the other",
                    "private addresses",
                    "public ones",
                )],
                missing: self.calls(),
                keep: BTreeMap::from([(FORMER.to_owned(), json!(false))]),
            }),
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.set(false)]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match (self.open(at).await?, made.0.get(FORMER)) {
            (None | Some(false), _) => Remains::Gone,
            (Some(true), Some(_)) => Remains::Takes(vec![self.set(false)]),
            (Some(true), None) => {
                let said = format!("whether {} was open before is not known", self.noun());
                Remains::NotOurs { said }
            }
        })
    }
}
