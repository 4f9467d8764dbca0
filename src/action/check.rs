//! Kinds that only look: their probe and their verify are one question, and nothing is ever sent.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value as Json;

use super::{Action, Probe, Verified, World};
use crate::engagement::{Change, Outcome, RepeatClass};
use crate::journal::DurableIntent;

/// One question about the world.
#[async_trait]
pub(super) trait Question: Send + Sync {
    async fn ask(&self, world: &World) -> Verified;

    /// See `Action::asks_for_rehearsals`.
    fn asks_for_rehearsals(&self) -> bool {
        false
    }
}

/// A question as an action that changes nothing.
pub(super) struct Check<Q>(pub Q);

#[async_trait]
impl<Q: Question> Action for Check<Q> {
    fn changes(&self) -> Vec<Change> {
        Vec::new()
    }

    fn class(&self) -> RepeatClass {
        RepeatClass::Natural
    }

    fn asks_for_rehearsals(&self) -> bool {
        self.0.asks_for_rehearsals()
    }

    async fn probe(&self, world: &World) -> Probe {
        match self.0.ask(world).await {
            Verified::So(found) => Probe::Same(found),
            Verified::NotYet { said } => Probe::Absent { said },
            Verified::NotSo(failure) => Probe::Absent { said: failure.whole() },
            Verified::Unknown(trouble) => Probe::Unknown(trouble),
        }
    }

    async fn apply(&self, _world: &World, _intent: &DurableIntent) -> Outcome {
        Outcome::AlreadySo { said: "this step only looks".to_owned(), output: BTreeMap::new() }
    }

    async fn verify(&self, world: &World) -> Verified {
        self.0.ask(world).await
    }

    async fn undo(&self, _world: &World, _intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        Outcome::AlreadySo { said: "this step changed nothing".to_owned(), output: BTreeMap::new() }
    }
}
