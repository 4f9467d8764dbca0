//! `aws/permissions`: may these credentials make what is still to be made?

use async_trait::async_trait;
use serde_json::json;

use super::arguments::Arguments;
use super::check::Question;
use super::object::found;
use super::world::Subject;
use super::{Trouble, Verified, World};
use crate::engagement::{Failure, Plan};

/// Whoever knows what is still to be made, and has AWS asked for it by rehearsal.
#[async_trait]
pub trait Rehearsing: Send + Sync {
    /// What is still to be made of one phase, or of all, each call rehearsed as far as its values are known. Changes nothing.
    async fn rehearsed(&self, phase: Option<&str>) -> Plan;
}

/// EC2 answers a rehearsal (`DryRun`) with `DryRunOperation` where the call is allowed, and with `UnauthorizedOperation`
/// where it is not (EC2 API reference, "Common parameters for dry run"). Of other services nothing is told.
pub(super) struct MayMake {
    phase: Option<String>,
}

impl MayMake {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(MayMake { phase: arguments.optional("phase")? })
    }
}

#[async_trait]
impl Question for MayMake {
    fn asks_for_rehearsals(&self) -> bool {
        true
    }

    async fn ask(&self, world: &World) -> Verified {
        let cloud = match world.cloud() {
            Ok(cloud) => cloud,
            Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
        };
        // moto makes a VPC that is only to be rehearsed.
        if !cloud.is_aws() {
            let said = "nothing is rehearsed at an endpoint that AWS does not run: it may make what it is asked for";
            return Verified::So(found(said, json!({ "allowed": [], "untold": [] })));
        }
        let Some(rehearsing) = &world.rehearsing else {
            return Verified::NotYet { said: "AWS is asked for each call when the step runs".to_owned() };
        };
        let plan = rehearsing.rehearsed(self.phase.as_deref()).await;
        let known = plan.permissions();
        // Whoever wants to read it later finds it with the step; a reader that is gone wants nothing.
        let _ = world.output.send(known.page().into_bytes()).await;
        if let Some(lacking) = known.lacking() {
            let advice =
                format!("A policy with what the steps need, and no more: onramp plan {} --policy", world.subject.name);
            return Verified::NotSo(Failure::new(lacking, advice));
        }
        let said = match (known.allowed.len(), known.untold.len()) {
            (0, 0) => "there is nothing left to make, for which AWS would have to allow something".to_owned(),
            (allowed, 0) => format!("AWS allows all {allowed}"),
            (allowed, untold) => format!("AWS allows {allowed}, and of {untold} it tells nothing by a rehearsal"),
        };
        let output = json!({
            "allowed": known.allowed,
            "untold": known.untold.keys().collect::<Vec<_>>(),
        });
        Verified::So(found(said, output))
    }
}
