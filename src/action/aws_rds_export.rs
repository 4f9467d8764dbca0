//! A snapshot's tables, written into a bucket as Parquet. They can be read, and never be restored into a database (domain
//! specification, 11.7). A task has no tags: it is known by its name, which AWS takes once.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_rds::{arn, key_for, name, region_of};
use super::aws_resource::{given_region, in_region};
use super::call::Call;
use super::call::rds::RdsRequest;
use super::object::{Made, Remains, Sight, Thing, differing, found};
use super::standing::with_progress;
use super::world::Subject;
use crate::aws::rds::types::ExportTask;
use crate::aws::{AwsFailure, Cloud, Kind, Operation};
use crate::engagement::Failure;

/// `aws/rds-export`
pub(super) struct TheExport {
    task: String,
    source: String,
    bucket: String,
    prefix: Option<String>,
    role: String,
    kms_key: String,
    only: Vec<String>,
    region: Option<String>,
}

impl TheExport {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let (source, region) = (arn(arguments, "source", "snapshot")?, given_region(arguments, "region")?);
        let kms_key = arguments.text("kms_key")?;
        key_for(arguments, "kms_key", region.as_deref().or(region_of(&source)))?;
        Ok(TheExport {
            task: name(arguments, "task", 60)?,
            source,
            bucket: arguments.text("bucket")?,
            prefix: arguments.optional("prefix")?,
            role: arguments.text("role")?,
            kms_key,
            only: arguments.list("only")?,
            region,
        })
    }

    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.region.as_deref())
    }

    async fn seen(&self, at: &Account<'_>) -> Result<Option<ExportTask>, AwsFailure> {
        let id = at.subject.adopted.as_deref().unwrap_or(&self.task);
        if !known(id) {
            return Ok(None);
        }
        let place = self.place(at);
        let request = place.databases().describe_export_tasks().export_task_identifier(id);
        match place.read(Operation::DescribeExportTasks, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => Ok(None),
            seen => Ok(seen?.export_tasks.unwrap_or_default().into_iter().next()),
        }
    }

    fn lies(&self) -> String {
        match &self.prefix {
            Some(prefix) => format!("s3://{}/{prefix}/{}", self.bucket, self.task),
            None => format!("s3://{}/{}", self.bucket, self.task),
        }
    }

    fn cancel(&self) -> Call {
        Call::Rds(RdsRequest::CancelExportTask { task: self.task.clone(), region: self.region.clone() })
    }
}

fn status(task: &ExportTask) -> String {
    task.status().unwrap_or_default().to_uppercase()
}

#[async_trait]
impl Thing for TheExport {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("export {}", self.task)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Rds(RdsRequest::StartExportTask {
            task: self.task.clone(),
            source_arn: self.source.clone(),
            s3_bucket_name: self.bucket.clone(),
            s3_prefix: self.prefix.clone(),
            iam_role_arn: self.role.clone(),
            kms_key_id: self.kms_key.clone(),
            export_only: self.only.clone(),
            region: self.region.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.noun();
        let Some(seen) = self.seen(at).await? else {
            return Ok(Sight::Nothing { said: format!("{noun} is not there") });
        };
        let differences =
            differing(&[("snapshot", &self.source, seen.source_arn()), ("bucket", &self.bucket, seen.s3_bucket())]);
        if !differences.is_empty() {
            let said = format!("the name of {noun} is taken, and AWS takes a name once");
            return Ok(Sight::Foreign { said, differences });
        }
        let said = format!("{noun} is {}", with_progress(&status(&seen), seen.percent_progress()));
        let output = json!({ "id": self.task, "lies": self.lies() });
        Ok(match status(&seen).as_str() {
            "COMPLETE" => Sight::Ready(found(format!("{noun} is complete: {}", self.lies()), output)),
            "FAILED" => Sight::Broken(Failure {
                meaning: seen.failure_cause().unwrap_or_default().to_owned(),
                ..Failure::new(said, "Mend what AWS names, and give the step another `task`: AWS takes a name once.")
            }),
            "CANCELED" | "CANCELING" => Sight::Broken(Failure::new(
                said,
                "It was cancelled. Give the step another `task` to export once more: AWS takes a name once.",
            )),
            _ => Sight::Coming(found(said, output)),
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.cancel()]
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(seen) = self.seen(at).await? else { return Ok(Remains::Gone) };
        let stay = |what: &str| Remains::Kept { said: format!("{what}; delete its files in {} by hand", self.lies()) };
        Ok(match status(&seen).as_str() {
            "CANCELED" | "FAILED" => Remains::Gone,
            "CANCELING" => Remains::Going { said: format!("{} is being cancelled", self.noun()) },
            "COMPLETE" => stay("an export that is complete cannot be cancelled"),
            _ => Remains::Takes(vec![self.cancel()]),
        })
    }
}
