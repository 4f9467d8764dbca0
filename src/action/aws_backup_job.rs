//! A backup out of turn. Its recovery point carries our tags, by which it is found again for as long as it is kept; a job
//! that is under way is known by its id. What came to nothing is started anew.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_backup::{kept, place, points};
use super::aws_network::label;
use super::aws_resource::in_region;
use super::call::backup::{BackupRequest, Lifecycle, Place};
use super::call::{Call, Label, Token};
use super::object::{Made, Remains, Sight, Thing, found};
use super::send::backup::Started;
use super::world::Subject;
use crate::aws::backup::types::{BackupJob as Job, BackupJobState as State, RecoveryPointStatus};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};

/// What AWS takes.
const LONGEST_DAYS: i32 = 36_500;

/// `delete_after`: for how many days the recovery point is kept.
pub(super) fn lifecycle(arguments: Arguments<'_>) -> Result<Option<Lifecycle>, Failure> {
    Ok(arguments.number("keep_days", 1, LONGEST_DAYS)?.map(|delete_after_days| Lifecycle { delete_after_days }))
}

/// How the job stands that was just started, or was there before under its token.
pub(super) async fn started(cloud: &Cloud, id: &str) -> Result<Started, AwsFailure> {
    Ok(match described(cloud, id).await? {
        Some(Job {
            state: Some(State::Failed | State::Expired | State::Aborting | State::Aborted | State::Partial),
            status_message: said,
            ..
        }) => Started::Failed(said.unwrap_or_default()),
        _ => Started::Alive,
    })
}

async fn described(cloud: &Cloud, id: &str) -> Result<Option<Job>, AwsFailure> {
    let request = cloud.backup().describe_backup_job().backup_job_id(id);
    let seen = match cloud.read(Operation::DescribeBackupJob, || request.clone().send()).await {
        Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
        seen => seen?,
    };
    Ok(Some(
        Job::builder()
            .set_backup_job_id(seen.backup_job_id)
            .set_backup_vault_name(seen.backup_vault_name)
            .set_resource_arn(seen.resource_arn)
            .set_recovery_point_arn(seen.recovery_point_arn)
            .set_state(seen.state)
            .set_status_message(seen.status_message)
            .set_percent_done(seen.percent_done)
            .set_creation_date(seen.creation_date)
            .set_completion_date(seen.completion_date)
            .build(),
    ))
}

/// `aws/backup-job`
pub(super) struct TheBackup {
    vault: String,
    resource: String,
    role: String,
    lifecycle: Option<Lifecycle>,
    place: Place,
    label: Label,
}

impl TheBackup {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheBackup {
            vault: arguments.text("vault")?,
            resource: arguments.text("resource")?,
            role: arguments.text("role")?,
            lifecycle: lifecycle(arguments)?,
            place: place(arguments)?,
            label: label(subject, arguments)?,
        })
    }

    fn cloud(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.place.region.as_deref())
    }

    async fn tags(&self, cloud: &Cloud, point: &str) -> Result<BTreeMap<String, String>, AwsFailure> {
        let request = cloud.backup().list_tags().resource_arn(point);
        match cloud.read(Operation::BackupTags, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => Ok(BTreeMap::new()),
            seen => Ok(seen?.tags.unwrap_or_default().into_iter().collect()),
        }
    }

    /// The recovery point that this step made. Those of a plan are not asked for their tags: there are hundreds of them.
    async fn point(&self, at: &Account<'_>) -> Result<Option<String>, AwsFailure> {
        let cloud = self.cloud(at);
        let ours = Holder::Us { key: self.label.key.clone() };
        for point in points(&cloud, &self.vault, Some(&self.resource)).await? {
            // A copy carries the tags of its original.
            let own = point.created_by().is_none() && point.source_backup_vault_arn().is_none();
            let whole = own && point.status() == Some(&RecoveryPointStatus::Completed);
            let Some(arn) = point.recovery_point_arn().filter(|_| whole) else { continue };
            if at.holder_by_tags(&self.tags(&cloud, arn).await?) == ours {
                return Ok(Some(arn.to_owned()));
            }
        }
        Ok(None)
    }

    /// The job that made it; AWS shows jobs of the last 30 days.
    async fn job_of(&self, at: &Account<'_>, point: &str) -> Result<Option<Job>, AwsFailure> {
        let cloud = self.cloud(at);
        let mut next: Option<String> = None;
        loop {
            let request = cloud.backup().list_backup_jobs().by_resource_arn(&self.resource).set_next_token(next);
            let page = cloud.read(Operation::ListBackupJobs, || request.clone().send()).await?;
            let jobs = page.backup_jobs.unwrap_or_default();
            if let Some(job) = jobs.into_iter().find(|job| job.recovery_point_arn() == Some(point)) {
                return Ok(Some(job));
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    async fn made_before(&self, at: &Account<'_>) -> Result<Option<Job>, AwsFailure> {
        match at.subject.made.get("id").and_then(Json::as_str) {
            Some(id) => described(&self.cloud(at), id).await,
            None => Ok(None),
        }
    }

    fn judge(&self, job: &Job) -> Sight {
        let id = job.backup_job_id().unwrap_or_default();
        let state = job.state().map_or("UNKNOWN", State::as_str);
        let said = match job.percent_done() {
            Some(percent) => format!("{} is under way: {state}, {percent}%", self.noun()),
            None => format!("{} is under way: {state}", self.noun()),
        };
        match job.state() {
            Some(State::Created | State::Pending | State::Running) => Sight::Awaited(found(said, json!({ "id": id }))),
            // It is whole, and the vault does not show its recovery point yet.
            Some(State::Completed) => Sight::Coming(found(said, json!({ "id": id }))),
            _ => Sight::Failed {
                failure: Failure {
                    raw: job.status_message().unwrap_or_default().to_owned(),
                    meaning: "There is no whole recovery point of it.".to_owned(),
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
impl Thing for TheBackup {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("backup {} of {}", self.label.key, self.resource)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Backup(BackupRequest::StartBackupJob {
            backup_vault_name: self.vault.clone(),
            resource_arn: self.resource.clone(),
            iam_role_arn: self.role.clone(),
            lifecycle: self.lifecycle,
            idempotency_token: Token,
            recovery_point_tags: self.label.clone(),
            place: self.place.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        if let Some(point) = self.point(at).await? {
            let job = self.job_of(at, &point).await?;
            let id = job.as_ref().and_then(Job::backup_job_id).map(str::to_owned);
            let id = id.or_else(|| at.subject.made.get("id").and_then(Json::as_str).map(str::to_owned));
            let said = format!("{} is whole: {point}", self.noun());
            return Ok(Sight::Ready(found(said, json!({ "id": id, "point": point }))));
        }
        Ok(match self.made_before(at).await? {
            Some(job) => self.judge(&job),
            None => Sight::Nothing { said: format!("there is no {}", self.noun()) },
        })
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        let place = self.place.clone();
        vec![Call::Backup(BackupRequest::StopBackupJob { backup_job_id: id.to_owned(), place })]
    }

    /// A job that runs is stopped. What is whole is a backup, and no undo takes a backup away.
    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let cloud = self.cloud(at);
        // AWS shows jobs of the last 30 days, and what they made for as long as it is there.
        let seen = made.text("point");
        if let Some(point) = seen
            && let Some(said) = kept(&cloud, &self.vault, Some(&self.resource), point).await?
        {
            return Ok(Remains::Kept { said });
        }
        let Some(id) = made.text("id").filter(|id| known(id)) else { return Ok(Remains::Gone) };
        let Some(job) = described(&cloud, id).await? else { return Ok(Remains::Gone) };
        Ok(match job.state() {
            Some(State::Created | State::Pending | State::Running) => Remains::Takes(self.inverse(id, made)),
            Some(State::Aborting) => Remains::Going { said: format!("{} is being stopped", self.noun()) },
            // The vault may not show it yet.
            Some(State::Completed) if seen.is_none() => {
                let point = job.recovery_point_arn().unwrap_or("its recovery point");
                let said = match self.lifecycle {
                    Some(Lifecycle { delete_after_days: days }) => format!("AWS Backup keeps it for {days} days"),
                    None => "it is kept until a person deletes it".to_owned(),
                };
                Remains::Kept { said: format!("{point} is a backup: {said}") }
            }
            _ => Remains::Gone,
        })
    }
}
