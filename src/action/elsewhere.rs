//! What is made in another region of the account than the engagement's.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;

use super::account::Account;
use super::arguments::Arguments;
use super::aws_resource::{given_region, in_region};
use super::call::Call;
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing};
use super::world::World;
use super::{Failure, Verified};
use crate::aws::{AwsFailure, Cloud, Holder};

/// Of the region that the argument `region` names, or of the engagement's where none is.
pub(super) struct Elsewhere<T> {
    region: Option<String>,
    thing: T,
}

impl<T> Elsewhere<T> {
    pub(super) fn of(arguments: Arguments<'_>, thing: T) -> Result<Self, Failure> {
        Ok(Elsewhere { region: given_region(arguments, "region")?, thing })
    }

    fn cloud(&self, cloud: &Cloud) -> Cloud {
        in_region(cloud, self.region.as_deref())
    }

    fn there(&self, calls: Vec<Call>) -> Vec<Call> {
        calls.into_iter().map(|call| call.sent_in(self.region.as_deref())).collect()
    }

    fn named(&self, noun: String) -> String {
        match &self.region {
            Some(region) => format!("{noun} in {region}"),
            None => noun,
        }
    }
}

#[async_trait]
impl<T: Thing> Thing for Elsewhere<T> {
    const TAGGED: bool = T::TAGGED;

    fn noun(&self) -> String {
        self.named(self.thing.noun())
    }

    fn calls(&self) -> Vec<Call> {
        self.there(self.thing.calls())
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        self.thing.keeps()
    }

    fn id_name(&self) -> &'static str {
        self.thing.id_name()
    }

    fn takes_what_is_there(&self) -> bool {
        self.thing.takes_what_is_there()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let cloud = self.cloud(at.cloud);
        let place = Account::new(&cloud, at.subject);
        let sight = self.thing.look(&place).await?;
        at.also_there(place.duplicates().into_iter());
        Ok(match sight {
            Sight::Replaces { said, calls } => Sight::Replaces { said, calls: self.there(calls) },
            Sight::Partial(partial) => Sight::Partial(Partial { missing: self.there(partial.missing), ..partial }),
            Sight::Failed { failure, again } => Sight::Failed { failure, again: self.there(again) },
            other => other,
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let cloud = self.cloud(at.cloud);
        self.thing.ours(&Account::new(&cloud, at.subject)).await
    }

    fn inverse(&self, id: &str, made: &Made<'_>) -> Vec<Call> {
        self.there(self.thing.inverse(id, made))
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        let cloud = self.cloud(at.cloud);
        self.thing.holder(&Account::new(&cloud, at.subject), id).await
    }

    fn serves_several(&self) -> bool {
        self.thing.serves_several()
    }

    async fn dependents(&self, at: &Account<'_>, id: &str) -> Result<Vec<String>, AwsFailure> {
        let cloud = self.cloud(at.cloud);
        self.thing.dependents(&Account::new(&cloud, at.subject), id).await
    }

    async fn in_the_way(&self, at: &Account<'_>, refused: &Failure) -> Result<Vec<String>, AwsFailure> {
        let cloud = self.cloud(at.cloud);
        self.thing.in_the_way(&Account::new(&cloud, at.subject), refused).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let cloud = self.cloud(at.cloud);
        Ok(match self.thing.remains(&Account::new(&cloud, at.subject), made).await? {
            Remains::Takes(calls) => Remains::Takes(self.there(calls)),
            Remains::InTurn(first, then) => Remains::InTurn(self.there(first), self.there(then)),
            other => other,
        })
    }

    fn goes(&self, made: &Made<'_>) -> String {
        self.named(self.thing.goes(made))
    }

    fn going_looks(&self) -> u32 {
        self.thing.going_looks()
    }
}

#[async_trait]
impl<Q: Question> Question for Elsewhere<Q> {
    async fn ask(&self, world: &World) -> Verified {
        let there = world.cloud.as_ref().map(|cloud| Arc::new(self.cloud(cloud))).map_err(Clone::clone);
        let answer = self.thing.ask(&World { cloud: there, ..world.clone() }).await;
        // Whoever reads that something is not there would look for it in the usual region.
        let region = self.region.as_deref();
        let region = region.filter(|region| world.cloud.as_ref().is_ok_and(|cloud| cloud.region() != *region));
        match (answer, region) {
            (Verified::NotYet { said }, Some(region)) => Verified::NotYet { said: format!("{said} (in {region})") },
            (Verified::NotSo(failure), Some(region)) => {
                Verified::NotSo(Failure { what: format!("{} (in {region})", failure.what), ..failure })
            }
            (answer, _) => answer,
        }
    }
}
