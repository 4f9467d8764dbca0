//! A copy of a recovery point in another vault, in another region as a rule. A copy that a plan made is as good as one of
//! ours; nothing stops one that is under way, and it is kept as its original is.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_backup::{kept, place, points};
use super::aws_backup_job::lifecycle;
use super::aws_resource::in_region;
use super::call::backup::{BackupRequest, Lifecycle, Place};
use super::call::{Call, Token};
use super::object::{Made, Remains, Sight, Thing, found};
use super::send::backup::Started;
use super::world::Subject;
use super::{Failure, Found};
use crate::aws::backup::types::{CopyJob as Job, CopyJobState as State, RecoveryPointStatus};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};

/// How the job stands that was just started, or was there before under its token.
pub(super) async fn started(cloud: &Cloud, id: &str) -> Result<Started, AwsFailure> {
    Ok(match described(cloud, id).await? {
        Some(Job { state: Some(State::Failed | State::Partial), status_message: said, .. }) => {
            Started::Failed(said.unwrap_or_default())
        }
        _ => Started::Alive,
    })
}

async fn described(cloud: &Cloud, id: &str) -> Result<Option<Job>, AwsFailure> {
    let request = cloud.backup().describe_copy_job().copy_job_id(id);
    match cloud.read(Operation::DescribeCopyJob, || request.clone().send()).await {
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        seen => Ok(seen?.copy_job),
    }
}

/// Region and name of a vault, as its ARN has them.
fn vault_of(arn: &str) -> Option<(&str, &str)> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "backup", region, _, "backup-vault", name] => Some((region, name)),
        _ => None,
    }
}

/// `aws/backup-copy`
pub(super) struct TheCopy {
    point: String,
    from: String,
    to: String,
    role: String,
    lifecycle: Option<Lifecycle>,
    place: Place,
}

impl TheCopy {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let to = arguments.text("to")?;
        if known(&to) && vault_of(&to).is_none() {
            let what = format!("\"{to}\" is not the ARN of a backup vault");
            let advice = "It looks like arn:aws:backup:eu-central-1:123456789012:backup-vault:main.";
            return Err(Failure::new(what, advice));
        }
        Ok(TheCopy {
            point: arguments.text("point")?,
            from: arguments.text("vault")?,
            to,
            role: arguments.text("role")?,
            lifecycle: lifecycle(arguments)?,
            place: place(arguments)?,
        })
    }

    fn cloud(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.place.region.as_deref())
    }

    /// Jobs of the last 30 days that copied it there: what was done first, then what is under way, then what failed.
    async fn jobs(&self, at: &Account<'_>) -> Result<Vec<Job>, AwsFailure> {
        let mut all = Vec::new();
        if !known(&self.point) || !known(&self.to) {
            return Ok(all);
        }
        let cloud = self.cloud(at);
        let mut next: Option<String> = None;
        loop {
            let request = cloud.backup().list_copy_jobs().by_destination_vault_arn(&self.to);
            let request = request.by_source_recovery_point_arn(&self.point).set_next_token(next);
            let page = cloud.read(Operation::ListCopyJobs, || request.clone().send()).await?;
            let jobs = page.copy_jobs.unwrap_or_default();
            all.extend(jobs.into_iter().filter(|job| job.source_recovery_point_arn() == Some(&self.point)));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        all.sort_by_key(|job| match job.state() {
            Some(State::Completed) => 0,
            Some(State::Created | State::Running) => 1,
            _ => 2,
        });
        Ok(all)
    }

    /// Is it whole in the vault to which it went?
    async fn is_there(&self, at: &Account<'_>, copy: &str) -> Result<bool, AwsFailure> {
        let Some((region, name)) = vault_of(&self.to) else { return Ok(false) };
        let there = points(&in_region(at.cloud, Some(region)), name, None).await?;
        let whole = |status: Option<&RecoveryPointStatus>| status == Some(&RecoveryPointStatus::Completed);
        Ok(there.iter().any(|point| point.recovery_point_arn() == Some(copy) && whole(point.status())))
    }

    fn done(&self, id: Option<&str>, copy: &str) -> Sight {
        let said = format!("{} is whole: {copy}", self.noun());
        Sight::Ready(found(said, json!({ "id": id, "point": copy })))
    }

    fn judge(&self, job: &Job) -> Sight {
        let id = job.copy_job_id().unwrap_or_default();
        let state = job.state().map_or("UNKNOWN", State::as_str);
        let under_way = || -> Found { found(format!("{} is under way: {state}", self.noun()), json!({ "id": id })) };
        match job.state() {
            Some(State::Created | State::Running) => Sight::Awaited(under_way()),
            Some(State::Completed) => {
                Sight::Nothing { said: format!("{} was made, and is there no more", self.noun()) }
            }
            _ => Sight::Failed {
                failure: Failure {
                    raw: job.status_message().unwrap_or_default().to_owned(),
                    meaning: "There is no whole copy of it.".to_owned(),
                    ..Failure::new(
                        format!("{} ended as {state}", self.noun()),
                        "Read AWS's own words below: the key of the other vault, or the role, is the usual reason. Then run \
                         the step again, which starts another job.",
                    )
                },
                again: self.calls(),
            },
        }
    }
}

#[async_trait]
impl Thing for TheCopy {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("copy of {} in {}", self.point, self.to)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Backup(BackupRequest::StartCopyJob {
            recovery_point_arn: self.point.clone(),
            source_backup_vault_name: self.from.clone(),
            destination_backup_vault_arn: self.to.clone(),
            iam_role_arn: self.role.clone(),
            lifecycle: self.lifecycle,
            idempotency_token: Token,
            place: self.place.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let jobs = self.jobs(at).await?;
        for job in jobs.iter().filter(|job| job.state() == Some(&State::Completed)) {
            let Some(copy) = job.destination_recovery_point_arn() else { continue };
            if self.is_there(at, copy).await? {
                return Ok(self.done(job.copy_job_id(), copy));
            }
        }
        let made = |name: &str| at.subject.made.get(name).and_then(Json::as_str);
        if let (Some(id), Some(copy)) = (made("id"), made("point"))
            && self.is_there(at, copy).await?
        {
            return Ok(self.done(Some(id), copy));
        }
        let last = match jobs.into_iter().next() {
            Some(job) => Some(job),
            None => match made("id") {
                Some(id) => described(&self.cloud(at), id).await?,
                None => None,
            },
        };
        Ok(match last {
            Some(job) => self.judge(&job),
            None => Sight::Nothing { said: format!("there is no {}", self.noun()) },
        })
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let (Some(copy), Some((region, vault))) = (made.text("point"), vault_of(&self.to)) else {
            let said = format!("a copy runs to its end, and then is kept in {}", self.to);
            return Ok(Remains::Kept { said });
        };
        let said = kept(&in_region(at.cloud, Some(region)), vault, None, copy).await?;
        Ok(said.map_or(Remains::Gone, |said| Remains::Kept { said }))
    }
}
