//! Actions against the practice cloud, through the real SDK; and against any other cloud that is lent.

mod acls;
mod backups;
mod calls;
mod dns;
mod dx;
mod dx_calls;
mod dx_elsewhere;
mod dx_macsec;
mod dx_neighbours;
mod existing_vpc;
mod faults;
mod foreign;
mod guards;
mod half_made;
mod hosts;
mod lent;
mod life;
mod looks;
mod mail;
mod mail_elsewhere;
mod mail_proof;
mod needs;
mod os;
mod peerings;
mod probes;
mod quotas;
mod rehearsals;
mod resources;
mod resources_beside;
mod rungs;
mod secrets;
mod settings;
mod taken_over;
mod vaults;
mod vpn;
mod vpn_log;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Action, Probe, Routes, Subject, Verified, World, build};
use crate::aws::{self, Operation, Wiring};
use crate::engagement::{Address, Call, Outcome};
use crate::journal::DurableIntent;
use crate::practice::cloud::{Cloud as PracticeCloud, Pace};
use crate::practice::fault::Faults;
use crate::ssh;

pub use calls::every_operation;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

/// An account, and one engagement at work in it.
struct Stage {
    practice: Option<PracticeCloud>,
    world: World,
    /// How to connect to the same account again.
    wiring: Wiring,
    generation: std::sync::atomic::AtomicU32,
    _folder: tempfile::TempDir,
    _output: mpsc::Receiver<Vec<u8>>,
}

/// Made on the way, by the name that later steps use.
type Kept = BTreeMap<String, Json>;

impl Stage {
    async fn new() -> Stage {
        Stage::with(Pace::Instant, Faults::none()).await
    }

    async fn with(pace: Pace, faults: Faults) -> Stage {
        let practice = PracticeCloud::new(ACCOUNT, REGION, pace, faults);
        let wiring = Wiring {
            region: REGION.to_owned(),
            http_client: Some(practice.http_client()),
            credentials: Some(practice.credentials()),
            hurry: 100,
            ..Wiring::default()
        };
        Stage::over(wiring, Some(practice), "e1").await
    }

    async fn over(wiring: Wiring, practice: Option<PracticeCloud>, engagement: &str) -> Stage {
        let cloud = aws::Cloud::connect(wiring.clone()).await.unwrap();
        let (output, receiver) = mpsc::channel(10_000);
        let dial = Arc::new(ssh::dial::Tcp);
        let folder = tempfile::tempdir().unwrap();
        let world = World {
            facts: crate::action::os::facts::Known::default(),
            cloud: Ok(Arc::new(cloud)),
            ssh: Arc::new(ssh::Pool::new(ssh::Settings::new(dial, Vec::new(), None))),
            net: Arc::new(crate::net::Here),
            routes: Arc::new(Routes::default()),
            vault: super::Vault::default(),
            output,
            cancel: CancellationToken::new(),
            subject: Subject { papers: super::Papers::beside(folder.path()), ..subject(engagement) },
            shows_at_once: false,
            teller: crate::aws::Teller::default(),
            rehearsing: None,
        };
        Stage { practice, world, wiring, generation: 0.into(), _folder: folder, _output: receiver }
    }

    /// The same account, another engagement.
    fn as_engagement(&self, engagement: &str) -> World {
        World { subject: subject(engagement), ..self.world.clone() }
    }

    fn action(&self, kind: &str, with: &Json) -> Box<dyn Action> {
        action(kind, with, &self.world.subject)
    }

    /// A token that was never used for anything else, as the engine makes them.
    fn intent(&self, kind: &str, with: &Json) -> DurableIntent {
        let generation = self.generation.load(std::sync::atomic::Ordering::SeqCst);
        let seed = format!("{kind} {with} {generation} {}", self.world.subject.engagement);
        let token = crate::engagement::digest_of(&Json::String(seed));
        DurableIntent::for_tests(&self.world.subject.address, &token)
    }

    /// As the engine does after an undo.
    fn next_generation(&self) {
        self.generation.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }

    /// Names of the changes that were sent since `from`.
    fn sent_since(&self, from: usize) -> Vec<String> {
        let calls = self.world.cloud.as_ref().unwrap().calls();
        calls[from..].iter().filter(|call| call.mutating).map(|call| call.operation.clone()).collect()
    }

    /// Every operation that was sent since `from`; each stands in the table.
    fn operations_since(&self, from: usize) -> BTreeSet<Operation> {
        let calls = self.world.cloud.as_ref().unwrap().calls();
        calls[from..].iter().map(|call| call.listed.unwrap_or_else(|| panic!("{call:?} is not listed"))).collect()
    }

    fn calls(&self) -> usize {
        self.world.cloud.as_ref().unwrap().calls().len()
    }

    /// Makes it and proves it; the answer is what later steps use.
    async fn make(&self, kind: &str, with: Json) -> Kept {
        let action = self.action(kind, &with);
        let intent = self.intent(kind, &with);
        if !action.changes().is_empty() {
            let outcome = action.apply(&self.world, &intent).await;
            assert!(
                matches!(outcome, Outcome::Changed { .. } | Outcome::AlreadySo { .. }),
                "{kind} {with}: {outcome:?}"
            );
        }
        self.proved(&*action).await
    }

    async fn proved(&self, action: &dyn Action) -> Kept {
        for _ in 0..600 {
            match action.verify(&self.world).await {
                Verified::So(found) => return found.output,
                Verified::NotYet { .. } => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                other => panic!("{other:?}"),
            }
        }
        panic!("never so: {:?}", action.verify(&self.world).await)
    }
}

pub(super) fn subject(engagement: &str) -> Subject {
    Subject {
        engagement: engagement.to_owned(),
        name: "acme-prod".to_owned(),
        customer: "acme".to_owned(),
        address: "access/thing[a]".parse::<Address>().unwrap(),
        cost_tags: serde_json::json!({ "CostCentre": "4711" }),
        adopted: None,
        made: BTreeMap::new(),
        papers: super::Papers::default(),
    }
}

fn action(kind: &str, with: &Json, subject: &Subject) -> Box<dyn Action> {
    let with: Map<String, Json> = with.as_object().cloned().unwrap();
    build(&Call::Kind { kind: kind.to_owned(), with }, subject).unwrap_or_else(|failure| panic!("{kind}: {failure:?}"))
}

fn text(kept: &Kept, name: &str) -> String {
    kept.get(name).and_then(Json::as_str).unwrap_or_else(|| panic!("no {name} in {kept:?}")).to_owned()
}

fn is_absent(probe: &Probe) -> bool {
    matches!(probe, Probe::Absent { .. })
}
