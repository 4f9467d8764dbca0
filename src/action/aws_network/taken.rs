//! A VPC that was there before: a person gave its id. It is never made and never deleted; only its two DNS attributes are
//! switched on where they are off, and back again by an undo.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{DNS, switch, switched_off, vpcs};
use crate::action::account::Account;
use crate::action::arguments::Arguments;
use crate::action::call::Call;
use crate::action::object::{Made, Partial, Remains, Sight, Thing, difference, there_before};
use crate::aws::ec2::types::{Tenancy, Vpc};
use crate::aws::{AwsFailure, filter};
use crate::engagement::{Difference, Failure};

/// Under which it is kept what the step has switched on.
const SWITCHED: &str = "switched";

pub(in crate::action) struct TakenVpc {
    id: String,
    cidr: String,
}

impl TakenVpc {
    pub(in crate::action) fn new(id: String, arguments: Arguments<'_>) -> Result<Self, Failure> {
        Ok(TakenVpc { id, cidr: arguments.text("cidr")? })
    }

    async fn vpc(&self, at: &Account<'_>) -> Result<Option<Vpc>, AwsFailure> {
        Ok(vpcs(at, vec![filter("vpc-id", [self.id.as_str()])]).await?.into_iter().next())
    }

    /// Why it cannot be taken, if so.
    fn differences(&self, at: &Account<'_>, vpc: &Vpc) -> Vec<Difference> {
        let range = vpc.cidr_block().unwrap_or_default();
        let mut differences = Vec::new();
        if range != self.cidr {
            differences.push(difference("range", &self.cidr, range));
        }
        if !at.is_nobodys(vpc.tags.as_deref()) {
            differences.push(difference("whose it is", "the customer's", at.whose(&self.id, vpc.tags.as_deref())));
        }
        differences
    }

    fn back(&self, made: &Made<'_>) -> Vec<(&'static str, Call)> {
        let switched = switched(made.0);
        // The names go off before the resolution, without which they cannot be on.
        let ours = DNS.into_iter().rev().filter(|(what, _)| switched.contains(&json!(what)));
        ours.map(|(what, attribute)| (what, switch(&self.id, attribute, false))).collect()
    }
}

fn switched(made: &BTreeMap<String, Json>) -> Vec<Json> {
    made.get(SWITCHED).and_then(Json::as_array).cloned().unwrap_or_default()
}

#[async_trait]
impl Thing for TakenVpc {
    fn noun(&self) -> String {
        format!("VPC {}", self.id)
    }

    fn calls(&self) -> Vec<Call> {
        DNS.map(|(_, attribute)| switch(&self.id, attribute, true)).into()
    }

    fn takes_what_is_there(&self) -> bool {
        true
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(vpc) = self.vpc(at).await? else {
            let what = format!("there is no {} in {}", self.id, at.cloud.region());
            return Ok(Sight::Broken(Failure::new(what, "Give the id of the VPC that is meant.")));
        };
        let differences = self.differences(at, &vpc);
        if !differences.is_empty() {
            return Ok(Sight::Foreign { said: format!("{} is not the one that was described", self.id), differences });
        }
        let dedicated = match vpc.instance_tenancy() {
            Some(Tenancy::Dedicated) => {
                ". Its tenancy is dedicated: hosts cost more there, and it can have no resolver endpoints"
            }
            _ => "",
        };
        let off = switched_off(at, &self.id).await?;
        if !off.is_empty() {
            // An earlier try may have come half way.
            let mut all = switched(&at.subject.made);
            all.extend(off.iter().map(|(what, _)| json!(what)));
            return Ok(Sight::Partial(Partial {
                said: format!("{} is there and is taken; not all of its DNS is on{dedicated}", self.id),
                differences: off.iter().map(|(what, _)| difference(what, "on", "off")).collect(),
                missing: off.iter().map(|(_, attribute)| switch(&self.id, *attribute, true)).collect(),
                keep: [("id".to_owned(), json!(self.id)), (SWITCHED.to_owned(), json!(all))].into(),
            }));
        }
        Ok(Sight::Ready(there_before(&self.id, &format!("{}, DNS on{dedicated}", self.cidr))))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        self.back(made).into_iter().map(|(_, call)| call).collect()
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let mut back = self.back(made);
        if back.is_empty() || self.vpc(at).await?.is_none() {
            return Ok(Remains::Gone);
        }
        let off = switched_off(at, &self.id).await?;
        back.retain(|(what, _)| off.iter().all(|(off, _)| off != what));
        Ok(match back.is_empty() {
            true => Remains::Gone,
            false => Remains::Takes(back.into_iter().map(|(_, call)| call).collect()),
        })
    }

    fn goes(&self, _made: &Made<'_>) -> String {
        format!("what was set in {}", self.id)
    }
}
