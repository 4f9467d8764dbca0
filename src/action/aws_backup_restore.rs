//! A restore out of a recovery point: what comes of it is a resource of its own, beside the one that was backed up.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_backup::place;
use super::aws_resource::in_region;
use super::call::backup::{BackupRequest, Place};
use super::call::{Call, Token};
use super::object::{Made, Remains, Sight, Thing, found};
use super::send::backup::Started;
use super::world::Subject;
use crate::aws::backup::types::{RestoreJobStatus as State, RestoreJobsListMember as Job};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};

/// What the recovery point says of what it was made of.
pub(super) async fn metadata(cloud: &Cloud, vault: &str, point: &str) -> Result<BTreeMap<String, String>, AwsFailure> {
    let request = cloud.backup().get_recovery_point_restore_metadata();
    let request = request.backup_vault_name(vault).recovery_point_arn(point);
    let seen = cloud.read(Operation::GetRecoveryPointRestoreMetadata, || request.clone().send()).await?;
    Ok(seen.restore_metadata.unwrap_or_default().into_iter().collect())
}

/// How the job stands that was just started, or was there before under its token.
pub(super) async fn started(cloud: &Cloud, id: &str) -> Result<Started, AwsFailure> {
    let request = cloud.backup().describe_restore_job().restore_job_id(id);
    let seen = cloud.read(Operation::DescribeRestoreJob, || request.clone().send()).await?;
    Ok(match seen.status() {
        Some(State::Failed | State::Aborted) => Started::Failed(seen.status_message.unwrap_or_default()),
        _ => Started::Alive,
    })
}

/// `aws/restore-job`
pub(super) struct TheRestore {
    vault: String,
    point: String,
    role: String,
    metadata: BTreeMap<String, String>,
    place: Place,
}

impl TheRestore {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let metadata: BTreeMap<String, String> = arguments.pairs("metadata")?.into_iter().collect();
        if metadata.is_empty() {
            let advice = "Say at least what the new one is called, such as {DBInstanceIdentifier: drill-orders}.";
            return Err(Failure::new("a restore without `metadata` would ask for the name of the original", advice));
        }
        Ok(TheRestore {
            vault: arguments.text("vault")?,
            point: arguments.text("point")?,
            role: arguments.text("role")?,
            metadata,
            place: place(arguments)?,
        })
    }

    fn cloud(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.place.region.as_deref())
    }

    /// Was it asked with what this step says?
    async fn is_meant(&self, cloud: &Cloud, id: &str) -> Result<bool, AwsFailure> {
        let request = cloud.backup().get_restore_job_metadata().restore_job_id(id);
        let seen = match cloud.read(Operation::GetRestoreJobMetadata, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => return Ok(false),
            seen => seen?.metadata.unwrap_or_default(),
        };
        Ok(self.metadata.iter().all(|(name, value)| !known(value) || seen.get(name) == Some(value)))
    }

    /// The job of this step, by what it was asked: what was done first, then what is under way, then what failed.
    async fn job(&self, at: &Account<'_>) -> Result<Option<Job>, AwsFailure> {
        if !known(&self.point) {
            return Ok(None);
        }
        let cloud = self.cloud(at);
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = cloud.backup().list_restore_jobs().set_next_token(next);
            let page = cloud.read(Operation::ListRestoreJobs, || request.clone().send()).await?;
            let jobs = page.restore_jobs.unwrap_or_default();
            all.extend(jobs.into_iter().filter(|job| job.recovery_point_arn() == Some(&self.point)));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        all.sort_by_key(|job| match job.status() {
            Some(State::Completed) => 0,
            Some(State::Pending | State::Running) => 1,
            _ => 2,
        });
        for job in all {
            if self.is_meant(&cloud, job.restore_job_id().unwrap_or_default()).await? {
                return Ok(Some(job));
            }
        }
        Ok(None)
    }

    fn judge(&self, job: &Job) -> Sight {
        let id = job.restore_job_id();
        let state = job.status().map_or("UNKNOWN", State::as_str);
        let percent = job.percent_done().map(|percent| format!(", {percent}")).unwrap_or_default();
        let resource = job.created_resource_arn();
        match job.status() {
            Some(State::Completed) => {
                let said =
                    format!("{} is done: {}", self.noun(), resource.unwrap_or("AWS does not say what came of it"));
                Sight::Ready(found(said, json!({ "id": id, "resource": resource })))
            }
            Some(State::Pending | State::Running) => {
                let said = format!("{} is under way: {state}{percent}", self.noun());
                Sight::Awaited(found(said, json!({ "id": id, "resource": Json::Null })))
            }
            _ => Sight::Failed {
                failure: Failure {
                    raw: job.status_message().unwrap_or_default().to_owned(),
                    meaning: "Nothing was restored.".to_owned(),
                    ..Failure::new(
                        format!("{} ended as {state}", self.noun()),
                        "Read AWS's own words below; then run the step again, which starts another job.",
                    )
                },
                again: self.calls(),
            },
        }
    }
}

#[async_trait]
impl Thing for TheRestore {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        let named: Vec<&str> = self.metadata.values().map(String::as_str).take(1).collect();
        format!("restore of {} as {}", self.point, crate::text::list(&named))
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Backup(BackupRequest::StartRestoreJob {
            recovery_point_arn: self.point.clone(),
            metadata: self.metadata.clone(),
            iam_role_arn: self.role.clone(),
            idempotency_token: Token,
            vault: self.vault.clone(),
            place: self.place.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        Ok(match self.job(at).await? {
            Some(job) => self.judge(&job),
            None => Sight::Nothing { said: format!("there is no {}; AWS shows those of 30 days", self.noun()) },
        })
    }

    async fn remains(&self, _at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let what = made.text("resource").unwrap_or("what came of it");
        let said = format!("nothing stops a restore: {what} is there until a person takes it away, and costs as such");
        Ok(Remains::Kept { said })
    }
}
