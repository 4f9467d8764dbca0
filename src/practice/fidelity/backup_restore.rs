//! Restores of AWS Backup: each makes a resource beside the one that was backed up, or says why not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::backup::{Ask, invalid, is_shown, not_found, point};
use super::control::{self, DATABASE};
use super::control_types::{Model, uuid};
use super::pace::Wait;
use super::refusal::Refusal;
use super::services::Answer;
use super::world::World;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Restore {
    point: String,
    resource: String,
    role: String,
    metadata: BTreeMap<String, String>,
    begun: i64,
    runs: i64,
    ends: i64,
    /// What came of it.
    made: Option<String>,
    failure: Option<String>,
}

impl Restore {
    fn state(&self, now: i64) -> &'static str {
        match () {
            () if now < self.runs => "PENDING",
            () if now < self.ends => "RUNNING",
            () if self.failure.is_some() => "FAILED",
            () => "COMPLETED",
        }
    }
}

pub(super) fn answer(world: &mut World, action: &str, ask: &Ask, id: &str) -> Answer {
    let answer = match action {
        "StartRestoreJob" => start(world, ask)?,
        "DescribeRestoreJob" => told(world, id, find(world, id)?),
        "GetRestoreJobMetadata" => json!({ "RestoreJobId": id, "Metadata": find(world, id)?.metadata }),
        "ListRestoreJobs" => {
            let all = world.backup.restores.iter().filter(|(id, one)| world.visible(id) && is_shown(world, one.begun));
            json!({ "RestoreJobs": all.map(|(id, one)| told(world, id, one)).collect::<Vec<_>>() })
        }
        other => {
            let message = format!("The practice cloud does not know {other} of AWS Backup");
            return Err(Refusal::new("UnknownOperationException", message));
        }
    };
    Ok(Some(answer.to_string()))
}

fn find<'w>(world: &'w World, id: &str) -> Result<&'w Restore, Refusal> {
    let found = world.backup.restores.get(id).filter(|one| world.visible(id) && is_shown(world, one.begun));
    found.ok_or_else(|| not_found(format!("The restore job {id} could not be found")))
}

fn start(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (arn, role, metadata) = (ask.text("RecoveryPointArn"), ask.role()?, ask.texts("Metadata"));
    if let Some(id) = ask.before(world)? {
        return Ok(json!({ "RestoreJobId": id }));
    }
    let resource = point(world, arn)?.resource.clone();
    if metadata.is_empty() {
        return Err(invalid("Metadata must not be empty"));
    }
    let id = uuid(&world.mint("restore"));
    let runs = world.now + world.pace.millis(Wait::BackupBegins);
    let ends = runs + world.pace.millis(Wait::Restore);
    let (point, role, begun) = (arn.to_owned(), role.to_owned(), world.now);
    let restore = Restore { point, resource, role, metadata, begun, runs, ends, made: None, failure: None };
    world.backup.restores.insert(id.clone(), restore);
    world.appears(&id);
    ask.remember(world, &id);
    settle(world);
    Ok(json!({ "RestoreJobId": id }))
}

/// Restores that have ended made something, or failed.
pub(super) fn settle(world: &mut World) {
    let open = |one: &Restore| one.ends <= world.now && one.made.is_none() && one.failure.is_none();
    let ended: Vec<String> =
        world.backup.restores.iter().filter(|(_, one)| open(one)).map(|(id, _)| id.clone()).collect();
    for id in ended {
        let Some(one) = world.backup.restores.get(&id) else { continue };
        let (of, metadata) = (one.resource.clone(), one.metadata.clone());
        let outcome = if of.contains(":rds:") { database(world, &metadata) } else { Ok(volume(world, &of)) };
        let Some(one) = world.backup.restores.get_mut(&id) else { continue };
        match outcome {
            Ok(made) => one.made = Some(made),
            Err(why) => one.failure = Some(why),
        }
    }
}

fn database(world: &mut World, metadata: &BTreeMap<String, String>) -> Result<String, String> {
    let name = metadata.get("DBInstanceIdentifier").cloned().unwrap_or_default();
    let arn = format!("arn:aws:rds:{}:{}:db:{name}", world.region, world.account);
    let mut model: Model = metadata.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    model.insert("DBInstanceArn".to_owned(), json!(arn));
    match control::put(world, DATABASE, &name, model) {
        true => Ok(arn),
        false => Err(format!("DB instance already exists: {name}")),
    }
}

fn volume(world: &mut World, of: &str) -> String {
    let kind = if of.contains(":instance/") { "instance" } else { "volume" };
    let id = world.mint(if kind == "instance" { "i" } else { "vol" });
    format!("arn:aws:ec2:{}:{}:{kind}/{id}", world.region, world.account)
}

fn told(world: &World, id: &str, one: &Restore) -> Json {
    let state = one.state(world.now);
    let done = (state == "COMPLETED").then_some(&one.made);
    json!({
        "AccountId": world.account, "RestoreJobId": id, "RecoveryPointArn": one.point, "Status": state,
        "SourceResourceArn": one.resource, "IamRoleArn": one.role, "CreationDate": one.begun / 1_000,
        "StatusMessage": one.failure, "CreatedResourceArn": done, "PercentDone": if done.is_some() { "100.00%" } else { "0.00%" },
    })
}
