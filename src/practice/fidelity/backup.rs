//! AWS Backup: what a region backs up, jobs and how they come along, and the recovery points that they leave behind.
//!
//! Rules: "AWS Backup API Reference", the page of each operation and its section Errors; states of the domain specification
//! (14). Vaults, databases and keys are entries of Cloud Control. Nothing is copied: a recovery point is an entry as well.
//! A new account is stricter than AWS's: databases and instances are opted in to by nobody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::backup_restore as restore;
use super::control;
use super::control_types::uuid;
use super::pace::Wait;
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tags, World};

/// Method, path and operation.
pub(super) const PATHS: &[(&str, &str, &str)] = &[
    ("GET", "/account-settings", "DescribeRegionSettings"),
    ("PUT", "/account-settings", "UpdateRegionSettings"),
    ("PUT", "/backup-jobs", "StartBackupJob"),
    ("GET", "/backup-jobs", "ListBackupJobs"),
    ("GET", "/backup-jobs/{Id}", "DescribeBackupJob"),
    ("POST", "/backup-jobs/{Id}", "StopBackupJob"),
    ("PUT", "/copy-jobs", "StartCopyJob"),
    ("GET", "/copy-jobs", "ListCopyJobs"),
    ("GET", "/copy-jobs/{Id}", "DescribeCopyJob"),
    ("PUT", "/restore-jobs", "StartRestoreJob"),
    ("GET", "/restore-jobs", "ListRestoreJobs"),
    ("GET", "/restore-jobs/{Id}", "DescribeRestoreJob"),
    ("GET", "/restore-jobs/{Id}/metadata", "GetRestoreJobMetadata"),
    ("GET", "/backup-vaults/{Vault}/recovery-points", "ListRecoveryPointsByBackupVault"),
    ("GET", "/backup-vaults/{Vault}/recovery-points/{Point}/restore-metadata", "GetRecoveryPointRestoreMetadata"),
    ("GET", "/tags/{Arn}", "ListTags"),
];

/// What a new account backs up, and what it does not.
const OPTED_IN: [(&str, bool); 6] =
    [("DynamoDB", true), ("EBS", true), ("EC2", false), ("EFS", true), ("RDS", false), ("S3", false)];
/// Jobs are shown for so long.
const SHOWN: i64 = 30 * 24 * 3_600_000;

/// What AWS Backup knows in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Backups {
    settings: BTreeMap<String, bool>,
    jobs: BTreeMap<String, Job>,
    pub restores: BTreeMap<String, restore::Restore>,
    points: BTreeMap<String, Point>,
    /// By token: what was asked, and the id of the job.
    pub tokens: BTreeMap<String, (String, String)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    #[default]
    Backup,
    Copy,
}

/// A backup, or a copy of one.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Job {
    what: What,
    /// Name of the vault that it goes into, and its region.
    vault: String,
    region: String,
    resource: String,
    role: String,
    /// The recovery point that is copied.
    source: Option<String>,
    point: String,
    tags: Tags,
    metadata: BTreeMap<String, String>,
    /// For so many days its recovery point is kept; for ever when nobody says.
    keep_days: Option<i64>,
    begun: i64,
    runs: i64,
    ends: i64,
    stopped: Option<i64>,
    failure: Option<String>,
}

/// A recovery point that is whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Point {
    pub vault: String,
    pub resource: String,
    made: i64,
    tags: Tags,
    pub metadata: BTreeMap<String, String>,
    keep_days: Option<i64>,
}

impl Job {
    fn state(&self, now: i64) -> &'static str {
        match self.stopped {
            Some(at) if now > at => return "ABORTED",
            Some(_) => return "ABORTING",
            None => {}
        }
        match () {
            () if now < self.runs => "CREATED",
            () if now < self.ends => "RUNNING",
            () if self.failure.is_some() => "FAILED",
            () => "COMPLETED",
        }
    }
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let body = match visit.ask.body.as_str() {
        "" => Map::new(),
        body => serde_json::from_str(body).map_err(|_| Refusal::new("SerializationException", ""))?,
    };
    let ask = Ask(body);
    let request = visit.ask;
    let now = visit.world().now;
    let copies: Vec<(String, Point)> = visit.everywhere().flat_map(|world| arrived(world, now)).collect();
    let (action, id) = (request.action().to_owned(), request.get("Id").unwrap_or_default().to_owned());
    let asked = |name: &str| request.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let (of, into, source) = (asked("resourceArn"), asked("destinationVaultArn"), asked("sourceRecoveryPointArn"));
    let (vault, arn) = (asked("Vault").unwrap_or_default(), asked("Point").or(asked("Arn")).unwrap_or_default());
    let there = match action.as_str() {
        "StartCopyJob" => {
            let to = ask.text("DestinationBackupVaultArn");
            vault_of(to)
                .is_some_and(|(region, name)| visit.elsewhere(region).is_some_and(|world| has_vault(world, name)))
        }
        _ => false,
    };
    let world = visit.world();
    settle(world, copies);
    let answer = match action.as_str() {
        "DescribeRegionSettings" => json!({ "ResourceTypeOptInPreference": settings(world) }),
        "UpdateRegionSettings" => update(world, &ask)?,
        "StartBackupJob" => start(world, &ask)?,
        "StopBackupJob" => stop(world, &id)?,
        "DescribeBackupJob" => told(world, What::Backup, &id)?,
        "ListBackupJobs" => {
            let fits = |job: &Job| of.as_ref().is_none_or(|of| job.resource == *of);
            json!({ "BackupJobs": listed(world, What::Backup, fits) })
        }
        "StartCopyJob" => copy(world, &ask, there)?,
        "DescribeCopyJob" => json!({ "CopyJob": told(world, What::Copy, &id)? }),
        "ListCopyJobs" => {
            let arn = |job: &Job| vault_arn(&world.account, &job.region, &job.vault);
            let fits = |job: &Job| {
                into.as_ref().is_none_or(|into| arn(job) == *into) && (source.is_none() || job.source == source)
            };
            json!({ "CopyJobs": listed(world, What::Copy, fits) })
        }
        "ListRecoveryPointsByBackupVault" => points(world, &vault, of.as_deref())?,
        "ListTags" => json!({ "Tags": point(world, &arn)?.tags }),
        "GetRecoveryPointRestoreMetadata" => {
            let metadata = &point(world, &arn)?.metadata;
            json!({ "RecoveryPointArn": arn, "RestoreMetadata": metadata })
        }
        _ => return restore::answer(world, &action, &ask, &id),
    };
    Ok(Some(answer.to_string()))
}

pub(super) struct Ask(pub Map<String, Json>);

impl Ask {
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    pub fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let map = self.0.get(name).and_then(Json::as_object).into_iter().flatten();
        map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    fn keep_days(&self) -> Option<i64> {
        self.0.get("Lifecycle")?.get("DeleteAfterDays")?.as_i64()
    }

    /// What makes two calls the same call: everything but the token.
    fn digest(&self) -> String {
        let told: Map<String, Json> = self
            .0
            .iter()
            .filter(|(name, _)| *name != "IdempotencyToken")
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        blake3::hash(Json::Object(told).to_string().as_bytes()).to_hex().to_string()
    }

    /// The job that this token has started already, if any.
    pub fn before(&self, world: &World) -> Result<Option<String>, Refusal> {
        match world.backup.tokens.get(self.text("IdempotencyToken")) {
            Some((asked, id)) if *asked == self.digest() => Ok(Some(id.clone())),
            Some(_) => Err(invalid("The idempotency token was used with other parameters")),
            None => Ok(None),
        }
    }

    pub fn remember(&self, world: &mut World, id: &str) {
        let token = self.text("IdempotencyToken");
        if !token.is_empty() {
            world.backup.tokens.insert(token.to_owned(), (self.digest(), id.to_owned()));
        }
    }

    pub fn role(&self) -> Result<&str, Refusal> {
        let role = self.text("IamRoleArn");
        if role.starts_with("arn:aws:iam::") && role.contains(":role/") {
            Ok(role)
        } else {
            Err(invalid("Invalid role ARN"))
        }
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterValueException", message)
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}

fn has_vault(world: &World, name: &str) -> bool {
    world.control.seen(world, "AWS::Backup::BackupVault", name).is_some()
}

fn vault_arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:backup:{region}:{account}:backup-vault:{name}")
}

/// Region and name.
fn vault_of(arn: &str) -> Option<(&str, &str)> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "backup", region, _, "backup-vault", name] => Some((region, name)),
        _ => None,
    }
}

fn settings(world: &World) -> BTreeMap<String, bool> {
    let new = OPTED_IN.iter().map(|(of, on)| ((*of).to_owned(), *on));
    new.chain(world.backup.settings.clone()).collect()
}

fn update(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let wanted = ask.0.get("ResourceTypeOptInPreference").and_then(Json::as_object).into_iter().flatten();
    for (of, on) in wanted {
        let on = on.as_bool().ok_or_else(|| invalid(format!("{of} is neither on nor off")))?;
        world.backup.settings.insert(of.clone(), on);
    }
    Ok(json!({}))
}

/// What it is, as AWS Backup calls it, and what a restore has to be told of it; none where nothing of that ARN is there.
fn resource(world: &World, arn: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    match parts[..] {
        ["arn", _, "rds", _, _, rest] => {
            let id = rest.strip_prefix("db:")?;
            let database = world.control.seen(world, control::DATABASE, id)?;
            let mut metadata: BTreeMap<String, String> = text(&[("DBInstanceIdentifier", id)]);
            for name in ["DBInstanceClass", "Engine", "DBSubnetGroupName", "MultiAZ", "Port"] {
                if let Some(value) = database.model.get(name) {
                    metadata.insert(name.to_owned(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                }
            }
            Some(("RDS", metadata))
        }
        ["arn", _, "ec2", _, _, rest] => {
            let (of, id) = rest.split_once('/')?;
            match of {
                "volume" if world.exists(super::kind::Kind::Volume, id) => Some(("EBS", text(&[("volumeId", id)]))),
                "instance" if world.instances.get(id).is_some_and(|one| one.terminated.is_none()) => {
                    Some(("EC2", text(&[("InstanceId", id)])))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn start(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let vault = ask.text("BackupVaultName");
    if !has_vault(world, vault) {
        return Err(not_found(format!("Backup vault {vault} could not be found")));
    }
    let (of, role) = (ask.text("ResourceArn"), ask.role()?);
    if let Some(id) = ask.before(world)? {
        return Ok(started(world, &id));
    }
    let (kind, metadata) = resource(world, of).ok_or_else(|| invalid(format!("Resource not found: {of}")))?;
    if settings(world).get(kind) != Some(&true) {
        let message = format!("The resource type {kind} is not opted in for this Region");
        return Err(Refusal::new("InvalidRequestException", message));
    }
    let id = uuid(&world.mint("job"));
    let (account, region) = (world.account.clone(), world.region.clone());
    let point = match kind {
        "EBS" => format!("arn:aws:ec2:{region}::snapshot/{}", world.mint("snap")),
        "RDS" => format!("arn:aws:rds:{region}:{account}:snapshot:awsbackup:job-{id}"),
        _ => format!("arn:aws:ec2:{region}::image/{}", world.mint("ami")),
    };
    let job = Job {
        what: What::Backup,
        vault: vault.to_owned(),
        region,
        resource: of.to_owned(),
        role: role.to_owned(),
        point,
        tags: ask.texts("RecoveryPointTags"),
        metadata,
        keep_days: ask.keep_days(),
        ..Job::default()
    };
    begin(world, ask, &id, job);
    Ok(started(world, &id))
}

fn begin(world: &mut World, ask: &Ask, id: &str, mut job: Job) {
    job.begun = world.now;
    job.runs = job.begun + world.pace.millis(Wait::BackupBegins);
    job.ends = job.runs + world.pace.millis(Wait::Backup);
    world.backup.jobs.insert(id.to_owned(), job);
    world.appears(id);
    ask.remember(world, id);
    // What is ready at once is whole at once.
    settle(world, Vec::new());
}

fn started(world: &World, id: &str) -> Json {
    let begun = world.backup.jobs.get(id).map_or(world.now, |job| job.begun);
    json!({ "BackupJobId": id, "CopyJobId": id, "CreationDate": begun / 1_000, "IsParent": false })
}

fn stop(world: &mut World, id: &str) -> Result<Json, Refusal> {
    let now = world.now;
    let job = world.backup.jobs.get_mut(id).ok_or_else(|| not_found(format!("Backup job {id} could not be found")))?;
    if !["CREATED", "RUNNING"].contains(&job.state(now)) {
        return Err(Refusal::new(
            "InvalidRequestException",
            format!("The job is {} and cannot be stopped", job.state(now)),
        ));
    }
    job.stopped = Some(now);
    Ok(json!({}))
}

fn copy(world: &mut World, ask: &Ask, there: bool) -> Result<Json, Refusal> {
    let (arn, vault, to) =
        (ask.text("RecoveryPointArn"), ask.text("SourceBackupVaultName"), ask.text("DestinationBackupVaultArn"));
    let role = ask.role()?;
    if let Some(id) = ask.before(world)? {
        return Ok(started(world, &id));
    }
    let source = point(world, arn)?.clone();
    if source.vault != vault {
        return Err(not_found(format!("The recovery point is not in the vault {vault}")));
    }
    let (region, name) = vault_of(to).ok_or_else(|| invalid("Invalid destination vault ARN"))?;
    if !there {
        return Err(not_found(format!("Backup vault {name} could not be found in {region}")));
    }
    let id = uuid(&world.mint("copy"));
    let number = uuid(&world.mint("point"));
    let copy = format!("arn:aws:backup:{region}:{}:recovery-point:{number}", world.account);
    let job = Job {
        what: What::Copy,
        vault: name.to_owned(),
        region: region.to_owned(),
        resource: source.resource,
        role: role.to_owned(),
        source: Some(arn.to_owned()),
        point: copy,
        tags: source.tags,
        metadata: source.metadata,
        // As its original, where nothing else is asked for.
        keep_days: ask.keep_days().or(source.keep_days),
        ..Job::default()
    };
    begin(world, ask, &id, job);
    Ok(started(world, &id))
}

/// Jobs that have ended leave a recovery point behind, or none; `copies` are those that came from other regions.
fn settle(world: &mut World, copies: Vec<(String, Point)>) {
    let now = world.now;
    let done = |job: &Job| job.ends <= now && job.stopped.is_none() && job.failure.is_none();
    let ended: Vec<String> = world
        .backup
        .jobs
        .iter()
        .filter(|(_, job)| job.what == What::Backup && done(job))
        .map(|(id, _)| id.clone())
        .collect();
    for id in ended {
        let Some(job) = world.backup.jobs.get(&id) else { continue };
        if world.backup.points.contains_key(&job.point) {
            continue;
        }
        let is_there = resource(world, &job.resource).is_some();
        let whole = made_of(job);
        let Some(job) = world.backup.jobs.get_mut(&id) else { continue };
        if is_there {
            world.backup.points.insert(whole.0, whole.1);
        } else {
            job.failure = Some(format!("{} could not be found", job.resource));
        }
    }
    let here = world.region.clone();
    let into_here = copies.into_iter().filter(|(arn, _)| arn.split(':').nth(3) == Some(&here));
    world.backup.points.extend(into_here);
    restore::settle(world);
}

fn made_of(job: &Job) -> (String, Point) {
    let point = Point {
        vault: job.vault.clone(),
        resource: job.resource.clone(),
        made: job.ends,
        tags: job.tags.clone(),
        metadata: job.metadata.clone(),
        keep_days: job.keep_days,
    };
    (job.point.clone(), point)
}

/// Copies that jobs of that region have made by now, wherever they went.
fn arrived(world: &World, now: i64) -> Vec<(String, Point)> {
    let done = |job: &&Job| job.what == What::Copy && job.ends <= now;
    world.backup.jobs.values().filter(done).map(made_of).collect()
}

pub(super) fn point<'w>(world: &'w World, arn: &str) -> Result<&'w Point, Refusal> {
    world.backup.points.get(arn).ok_or_else(|| not_found(format!("Recovery point {arn} could not be found")))
}

fn job(world: &World, id: &str, job: &Job) -> Json {
    let state = job.state(world.now);
    let ended = !["CREATED", "RUNNING", "ABORTING"].contains(&state);
    let here = vault_arn(&world.account, &job.region, &job.vault);
    let mut told = json!({
        "AccountId": world.account, "ResourceArn": job.resource, "IamRoleArn": job.role, "State": state,
        "CreationDate": job.begun / 1_000, "StatusMessage": job.failure,
    });
    if ended {
        told["CompletionDate"] = json!(job.ends / 1_000);
    }
    match job.what {
        What::Backup => {
            told["BackupJobId"] = json!(id);
            told["BackupVaultName"] = json!(job.vault);
            told["BackupVaultArn"] = json!(here);
            told["RecoveryPointArn"] = json!((state != "CREATED").then_some(&job.point));
            told["PercentDone"] = json!(if state == "COMPLETED" { "100.0" } else { "0.0" });
        }
        What::Copy => {
            told["CopyJobId"] = json!(id);
            told["SourceRecoveryPointArn"] = json!(job.source);
            told["DestinationBackupVaultArn"] = json!(here);
            told["DestinationRecoveryPointArn"] = json!((state == "COMPLETED").then_some(&job.point));
        }
    }
    told
}

fn told(world: &World, what: What, id: &str) -> Result<Json, Refusal> {
    let found =
        world.backup.jobs.get(id).filter(|job| job.what == what && world.visible(id) && is_shown(world, job.begun));
    found.map(|one| job(world, id, one)).ok_or_else(|| not_found(format!("The job {id} could not be found")))
}

/// Are there recovery points in a vault?
pub(super) fn is_full(world: &World, vault: &str) -> bool {
    world.backup.points.values().any(|point| point.vault == vault)
}

pub(super) fn is_shown(world: &World, begun: i64) -> bool {
    world.now < begun + SHOWN
}

fn listed(world: &World, what: What, fits: impl Fn(&Job) -> bool) -> Vec<Json> {
    let all = world.backup.jobs.iter().filter(|(id, job)| job.what == what && fits(job) && world.visible(id));
    all.filter(|(_, job)| is_shown(world, job.begun)).map(|(id, one)| job(world, id, one)).collect()
}

fn points(world: &World, vault: &str, of: Option<&str>) -> Result<Json, Refusal> {
    if !has_vault(world, vault) {
        return Err(not_found(format!("Backup vault {vault} could not be found")));
    }
    let fits = |point: &Point| point.vault == vault && of.is_none_or(|of| point.resource == of);
    let all = world.backup.points.iter().filter(|(_, point)| fits(point)).map(|(arn, point)| {
        let delete_at = point.keep_days.map(|days| point.made / 1_000 + days * 86_400);
        json!({
            "RecoveryPointArn": arn, "BackupVaultName": vault, "ResourceArn": point.resource, "Status": "COMPLETED",
            "Lifecycle": point.keep_days.map(|days| json!({ "DeleteAfterDays": days })),
            "CalculatedLifecycle": delete_at.map(|at| json!({ "DeleteAt": at })),
            "CreationDate": point.made / 1_000, "BackupVaultArn": vault_arn(&world.account, &world.region, vault),
        })
    });
    Ok(json!({ "RecoveryPoints": all.collect::<Vec<_>>() }))
}
