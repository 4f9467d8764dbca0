//! Whether two lines can fail one by one.

use async_trait::async_trait;
use serde_json::json;

use super::arguments::Arguments;
use super::aws_account::asked;
use super::aws_dx_interface::interface;
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::direct_connect::types::VirtualInterface;

/// `aws/dx-apart`: two virtual interfaces end on two routers of Amazon's. AWS asks for two buildings where a failure of one
/// must not be felt (Direct Connect Resiliency Recommendations); whether these are two is told, and is for people to weigh.
pub(super) struct Apart {
    interfaces: [String; 2],
}

impl Apart {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Apart { interfaces: [arguments.text("first")?, arguments.text("second")?] })
    }
}

/// The router that the line ends on, which may be another than the one that speaks BGP over it.
fn router(of: &VirtualInterface) -> Option<&str> {
    of.aws_device_v2().or(of.aws_logical_device_id()).filter(|name| !name.is_empty())
}

#[async_trait]
impl Question for Apart {
    async fn ask(&self, world: &World) -> Verified {
        let [first_id, second_id] = &self.interfaces;
        asked(world, async |cloud| {
            let pair = (interface(&cloud, first_id).await?, interface(&cloud, second_id).await?);
            let (Some(first), Some(second)) = &pair else {
                let missing = if pair.0.is_none() { first_id } else { second_id };
                return Ok(Verified::NotYet { said: format!("{missing} is not there yet") });
            };
            let (Some(one), Some(other)) = (router(first), router(second)) else {
                return Ok(Verified::NotYet { said: "AWS does not say yet on which routers they end".to_owned() });
            };
            let places = [first, second].map(|one| one.location().unwrap_or_default());
            if one == other {
                let what = format!("{first_id} and {second_id} both end on Amazon's router {one}");
                let advice = "Nothing is gained by a second line there: it fails with the first one, and is worked on in the \
                              same hour. Ask whoever sells or lends the line for one that ends in another building.";
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            }
            let said = if places[0] == places[1] {
                let place = places[0];
                format!("they end on {one} and {other}, in one building, {place}: what takes the building takes both")
            } else {
                format!("they end on {one} in {} and on {other} in {}", places[0], places[1])
            };
            Ok(Verified::So(found(said, json!({ "routers": [one, other], "locations": places }))))
        })
        .await
    }
}
