//! Everything an attempt needs, worked out from what is true before it starts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::attempt::{Job, Report};
use super::clock::Clock;
use super::planner::StillToMake;
use super::progress::Progress;
use super::sight::Sight;
use crate::action::{Action, Papers, Subject, Teller, World, Worlds, build};
use crate::engagement::{
    Address, Asking, Call, Change, DoneHow, Engagement, Failure, Intent, Made, Purpose, State, StepRecord, asking,
    call, digest_of, token,
};
use crate::runbook::{Runbook, Save, Step, UndoUntil, Unrendered};
use crate::text::Masks;

/// A check that says "not yet" is asked again for half a minute: AWS is seldom slower to agree with itself.
const WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Prepared {
    pub action: Box<dyn Action>,
    pub world: World,
    pub intent: Intent,
    /// What an approval has to say of this step to cover it.
    pub planned: Option<String>,
    pub account: Option<String>,
    pub waits_on: Option<Asking>,
    pub within: Duration,
    pub saves: Vec<Save>,
    pub found_how: DoneHow,
    pub undo_until: UndoUntil,
}

/// Resolves a step's work and the way to the world it touches.
///
/// # Errors
/// A value is missing or does not fit; the failure names it.
pub(super) fn prepare(
    engagement: &Engagement,
    sight: &Arc<Sight>,
    worlds: &Worlds,
    address: &Address,
    job: &Job,
    output: mpsc::Sender<Vec<u8>>,
    cancel: CancellationToken,
) -> Result<Prepared, Failure> {
    let (step, call, waits_on) = resolve(sight, address)?;
    let mut subject = subject(engagement, address);
    if let Job::Adopt { id, .. } = job {
        subject.adopted.clone_from(id);
    }
    let action = build(&call, &subject)?;
    let unattended = matches!(job, Job::Poll { unasked: true, .. }).then(|| worlds.unattended());
    let worlds = unattended.as_ref().unwrap_or(worlds);
    let made = engagement.record(address).and_then(|record| record.made.as_ref());
    let intent = intent(engagement, address, job, &call, action.as_ref(), &subject);
    let mut world = worlds.world(engagement, sight.routes(worlds), subject, output, cancel);
    if action.asks_for_rehearsals() {
        world.rehearsing = Some(Arc::new(StillToMake::new(engagement, sight, worlds)));
    }
    Ok(Prepared {
        intent,
        world,
        planned: sight.planned(engagement, address),
        account: engagement.account(),
        waits_on,
        within: within(step, action.as_ref()),
        saves: step.saves.clone(),
        found_how: if made.is_some_and(|made| made.created) { DoneHow::Applied } else { DoneHow::AlreadySo },
        undo_until: step.undo_until,
        action,
    })
}

/// How long to look: what the step says, or what AWS usually takes, three times over.
fn within(step: &Step, action: &dyn Action) -> Duration {
    step.within.unwrap_or_else(|| WITHIN.max(action.usually_takes().unwrap_or_default() * 3))
}

/// What the attempt would send. An undo says another token than the apply: on a host it is another script.
fn intent(
    engagement: &Engagement,
    address: &Address,
    job: &Job,
    call: &Call,
    action: &dyn Action,
    subject: &Subject,
) -> Intent {
    let record = engagement.record(address);
    let generation = record.map_or(0, |record| record.generation);
    let digest = call.digest();
    let changes = action.changes();
    // Only what AWS makes can carry tags.
    let marked = changes.iter().any(|change| change.service != "ssh");
    let operations = || changes.iter().map(Change::named).collect();
    let taken_back = |made: &Made| made.operations.iter().map(|operation| format!("undo {operation}")).collect();
    let purpose = match job {
        Job::Undo { .. } | Job::UndoAgain { .. } => Purpose::Undo,
        Job::Recover { intent, .. } | Job::LookFor { intent, .. } => intent.purpose,
        Job::Full | Job::Verify | Job::Poll { .. } | Job::Adopt { .. } => Purpose::Apply,
    };
    let (said, operations) = match purpose {
        Purpose::Apply => (digest.clone(), operations()),
        Purpose::Undo => {
            let made = record.and_then(|record| record.made.as_ref());
            (digest_of(&json!({ "undo": digest })), made.map(taken_back).unwrap_or_default())
        }
    };
    let attempt = next_attempt(engagement, address);
    // A host runs a token once, and after a failure a script may be run again: each try has its own.
    let said = match call.script_host() {
        Some(_) => digest_of(&json!({ "attempt": attempt, "of": said })),
        None => said,
    };
    let token = token(&engagement.identity.id, &engagement.first_name(address), &said, generation);
    let tags = if marked && purpose == Purpose::Apply { subject.marks(&token, attempt) } else { BTreeMap::new() };
    // It is worked out when the intent is written down, and what was there before is what the look just then shows.
    let deadline = None;
    let before = BTreeMap::new();
    Intent { attempt, purpose, generation, token, digest, class: action.class(), operations, tags, deadline, before }
}

pub(super) fn next_attempt(engagement: &Engagement, address: &Address) -> u32 {
    engagement.record(address).map_or(1, StepRecord::next_attempt)
}

/// How a step that stands there is taken up.
pub(super) fn job_for(engagement: &Engagement, address: &Address) -> Job {
    let made = || engagement.record(address).and_then(|record| record.made.as_ref());
    match engagement.state(address) {
        State::Applied { .. } => Job::Verify,
        State::Waiting { wait, .. } => Job::Poll { wait: Box::new(wait.clone()), unasked: false },
        State::InDoubt { intent, since, .. } => Job::Recover {
            intent: intent.clone(),
            since: *since,
            made: made().map(|made| made.output.clone()).unwrap_or_default(),
        },
        _ => Job::Full,
    }
}

fn resolve<'a>(sight: &'a Sight, address: &Address) -> Result<(&'a Step, Call, Option<Asking>), Failure> {
    let unrendered = |why: Unrendered| Failure::new(why.to_string(), advice(&sight.runbook, &why));
    let gone = || Failure::new(format!("{address} is not in the runbook"), "");
    let step = sight.runbook.step(&address.step).ok_or_else(gone)?;
    let item = sight.real.item(step, address).map_err(unrendered)?.ok_or_else(gone)?;
    let call = call(step, item.as_ref(), &sight.real.scope).map_err(unrendered)?;
    let asking = asking(step, item.as_ref(), &sight.real.scope).map_err(unrendered)?;
    Ok((step, call, asking))
}

fn advice(runbook: &Runbook, why: &Unrendered) -> String {
    let Unrendered::Missing { name } = why else {
        return "Correct the runbook, or the answers that it reads".to_owned();
    };
    match runbook.fields.get(name.as_str()) {
        Some(field) if field.optional || field.when.is_some() => format!(
            "Give {name}, if it is asked. It may be missing: then the runbook has to read it with `| default(…)`, or under `when: {name} is defined`"
        ),
        Some(_) => format!("Give {name}"),
        None if ["item", "key"].iter().any(|given| name == given || name.starts_with(&format!("{given}."))) => {
            "Correct the runbook: what the step is repeated over has no such part".to_owned()
        }
        None => format!(
            "Run the step that finds {name}. If that is skipped or not needed, the runbook has to read it with `| default(…)`"
        ),
    }
}

/// Who the change is for: what goes into tags and names.
pub fn subject(engagement: &Engagement, address: &Address) -> Subject {
    let shown = |id: &str| engagement.input(id).map(crate::input::Value::shown);
    Subject {
        engagement: engagement.identity.id.clone(),
        name: engagement.identity.name.clone(),
        customer: shown("eng.customer_slug").unwrap_or_else(|| engagement.identity.name.clone()),
        address: engagement.first_name(address),
        cost_tags: engagement.input("aws.cost_tags").map(crate::input::Value::plain).unwrap_or_default(),
        adopted: engagement.record(address).and_then(|record| record.adopted.clone()),
        made: engagement.record(address).map(StepRecord::written_down).unwrap_or_default(),
        papers: Papers::default(),
    }
}

/// Output goes through the dispatcher, which alone writes; secrets in it are masked on the way there. The task ends when all of it was handed over.
pub(super) fn forward_output(
    address: &Address,
    reports: mpsc::Sender<(Address, Report)>,
    masks: Masks,
) -> (mpsc::Sender<Vec<u8>>, JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(256);
    let address = address.clone();
    let forwarding = tokio::spawn(async move {
        let mut masked = masks.now().stream();
        while let Some(bytes) = receiver.recv().await {
            let bytes = masked.push(&bytes, masks.now());
            if reports.send((address.clone(), Report::Output(bytes))).await.is_err() {
                return;
            }
        }
        // A dispatcher that is gone keeps nothing any more.
        let _ = reports.send((address, Report::Output(masked.finish()))).await;
    });
    (sender, forwarding)
}

/// Tells what holds an attempt up, as it comes and goes. Why, is a line of its output, too, for whoever reads it later.
pub(super) fn forward_holdups(
    address: &Address,
    reports: mpsc::Sender<(Address, Report)>,
    clock: Clock,
    output: mpsc::Sender<Vec<u8>>,
) -> (Teller, JoinHandle<()>) {
    let (teller, mut heard) = Teller::new();
    let address = address.clone();
    let forwarding = tokio::spawn(async move {
        let mut written = String::new();
        while heard.changed().await.is_ok() {
            let now = heard.borrow_and_update().clone();
            if let Some(holdup) = now.as_ref().filter(|holdup| holdup.why != written) {
                written.clone_from(&holdup.why);
                let raw = if holdup.raw.is_empty() { String::new() } else { format!(" ({})", holdup.raw) };
                let _ = output.send(format!("{written}{raw}\n").into_bytes()).await;
            }
            let progress = now.map(|holdup| Progress::of(holdup, clock.peek()));
            if reports.send((address.clone(), Report::Progress(progress))).await.is_err() {
                return;
            }
        }
    });
    (teller, forwarding)
}

/// Output that nobody keeps is taken all the same, so that whoever writes it is not held up.
pub(super) fn drop_output() -> mpsc::Sender<Vec<u8>> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(16);
    tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    sender
}
