//! Everything an attempt needs, worked out from what is true before it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::attempt::{Job, Report};
use crate::action::{Action, Subject, World, Worlds, build};
use crate::engagement::{
    Address, Call, Engagement, Failure, Intent, Purpose, ScopeMode, State, ask_of, call, expand, item_of, plan_digest,
    scope, token,
};
use crate::runbook::{Party, Runbook, Save, Scope, Step, Unrendered, Work};

pub(super) struct Prepared {
    pub action: Box<dyn Action>,
    pub world: World,
    pub intent: Intent,
    pub covered: bool,
    pub account: Option<String>,
    pub waits_on: Option<(Party, String)>,
    pub within: Duration,
    pub saves: Vec<Save>,
    pub job: Job,
}

/// Resolves a step's work and the way to the world it touches.
///
/// # Errors
/// A value is missing or does not fit; the failure names it.
pub(super) fn prepare(
    engagement: &Engagement,
    runbook: &Runbook,
    worlds: &Worlds,
    address: &Address,
    job: Option<Job>,
    reports: mpsc::Sender<(Address, Report)>,
    cancel: CancellationToken,
) -> Result<Prepared, Failure> {
    let real = scope(engagement, runbook, ScopeMode::Real);
    let (step, call, ask) = resolve(runbook, address, &real)?;
    let job = job.unwrap_or_else(|| job_for(engagement, address));
    let subject = subject(engagement, address);
    let action = build(&call, &subject)?;
    let generation = engagement.record(address).map_or(0, |record| record.generation);
    let digest = call.digest();
    let purpose = if matches!(job, Job::Undo { .. }) { Purpose::Undo } else { Purpose::Apply };
    let intent = Intent {
        attempt: engagement.record(address).map_or(0, |record| record.attempts) + 1,
        purpose,
        generation,
        token: token(&engagement.identity.id, address, &digest, generation),
        digest,
        class: action.class(),
        operations: action.changes().into_iter().map(|change| change.operation).collect(),
    };
    let planned = plan_digest(runbook, address, &scope(engagement, runbook, ScopeMode::Plan));
    let covered = planned.is_some_and(|digest| engagement.covers(address, &digest));
    Ok(Prepared {
        action,
        world: worlds.world(engagement, runbook, &real, subject, forward_output(address, reports), cancel),
        intent,
        covered,
        account: engagement.account(),
        waits_on: step.waits_on.as_ref().map(|wait| (wait.party, ask)),
        within: step.within,
        saves: step.saves.clone(),
        job,
    })
}

fn resolve<'a>(runbook: &'a Runbook, address: &Address, scope: &Scope) -> Result<(&'a Step, Call, String), Failure> {
    let unrendered = |why: Unrendered| Failure::new(why.to_string(), "Give the missing input, or run the step that finds it");
    let gone = || Failure::new(format!("{address} is not in the runbook"), "");
    let step = runbook.step(&address.step).ok_or_else(gone)?;
    let item = item_of(step, address, scope).map_err(unrendered)?.ok_or_else(gone)?;
    let call = call(step, item.as_ref(), scope).map_err(unrendered)?;
    let ask = ask_of(step, item.as_ref(), scope).map_err(unrendered)?;
    Ok((step, call, ask))
}

fn job_for(engagement: &Engagement, address: &Address) -> Job {
    match engagement.state(address) {
        State::Applied { .. } => Job::Verify,
        State::InDoubt { intent, since, .. } => Job::Recover { intent: intent.clone(), since: *since },
        _ => Job::Full,
    }
}

/// Who the change is for: what goes into tags and names.
pub(super) fn subject(engagement: &Engagement, address: &Address) -> Subject {
    let shown = |id: &str| engagement.input(id).map(crate::input::Value::shown);
    Subject {
        engagement: engagement.identity.id.clone(),
        name: engagement.identity.name.clone(),
        customer: shown("eng.customer_slug").unwrap_or_else(|| engagement.identity.name.clone()),
        address: address.clone(),
        cost_tags: engagement.input("aws.cost_tags").map(crate::input::Value::plain).unwrap_or_default(),
    }
}

/// Output goes through the dispatcher, which alone writes.
fn forward_output(address: &Address, reports: mpsc::Sender<(Address, Report)>) -> mpsc::Sender<Vec<u8>> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(256);
    let address = address.clone();
    tokio::spawn(async move {
        while let Some(bytes) = receiver.recv().await {
            if reports.send((address.clone(), Report::Output(bytes))).await.is_err() {
                return;
            }
        }
    });
    sender
}

/// Which host a step's script runs on, for steps that run scripts.
pub(super) fn hosts_of(engagement: &Engagement, runbook: &Runbook) -> BTreeMap<Address, String> {
    let scope = scope(engagement, runbook, ScopeMode::Real);
    let mut hosts = BTreeMap::new();
    for step in runbook.steps() {
        if !matches!(step.work, Work::Shell(_)) {
            continue;
        }
        for item in expand(step, &scope).unwrap_or_default() {
            if let Ok(Call::Shell { host, .. }) = call(step, item.as_ref(), &scope) {
                hosts.insert(Address::new(step.id.clone(), item.map(|item| item.key)), host);
            }
        }
    }
    hosts
}

/// The first of `queue` that a made step outside of `queue` still needs.
pub(super) fn still_used(
    engagement: &Engagement,
    runbook: &Runbook,
    queue: &[Address],
) -> Option<(Address, Address)> {
    let made: Vec<Address> = engagement.ledger().into_iter().map(|(step, _)| step.clone()).collect();
    for step in queue {
        let user = made.iter().find(|other| {
            !queue.contains(other)
                && runbook.step(&other.step).is_some_and(|other| other.needs.contains(&step.step))
        });
        if let Some(user) = user {
            return Some((step.clone(), user.clone()));
        }
    }
    None
}
