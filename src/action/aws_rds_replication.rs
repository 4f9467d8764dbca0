//! The automated backups of a database, kept in another region as well: snapshots and the log between them, so that it can
//! be restored there to a moment some minutes ago (domain specification, 11.2 and 11.3).
//!
//! When it is stopped, what was copied so far is kept by AWS until its days are over, and no more comes.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::aws_rds::{arn, key_for, region_of, tags_of};
use super::aws_resource::{given_region, in_region};
use super::call::rds::RdsRequest;
use super::call::{Call, Label};
use super::object::{Made, Remains, Sight, Thing, difference};
use super::standing::{self, Stage, Standing};
use super::world::Subject;
use crate::aws::rds::types::DbInstanceAutomatedBackup;
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::Failure;

/// As many days as AWS keeps when nothing is said.
const DAYS: i32 = 7;

/// `aws/rds-backup-replication`
pub(super) struct TheReplication {
    source: String,
    region: String,
    kms_key: Option<String>,
    days: i32,
    label: Label,
}

impl TheReplication {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (source, region) = (arn(arguments, "source", "db")?, arguments.text("region")?);
        given_region(arguments, "region")?;
        if known(&region) && region_of(&source) == Some(&region) {
            let what =
                format!("the argument `region` of aws/rds-backup-replication is {region}, where the database is");
            return Err(Failure::new(what, "Give another region: a copy beside the database survives nothing."));
        }
        let kms_key = key_for(arguments, "kms_key", Some(&region))?;
        let days = arguments.number("days", 1, 35)?.unwrap_or(DAYS);
        Ok(TheReplication { source, region, kms_key, days, label: label(subject, arguments)? })
    }

    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, Some(&self.region))
    }

    /// The copies that still grow, or will.
    async fn seen(&self, at: &Account<'_>) -> Result<Option<DbInstanceAutomatedBackup>, AwsFailure> {
        if !known(&self.source) || !known(&self.region) {
            return Ok(None);
        }
        let place = self.place(at);
        let mut next: Option<String> = None;
        loop {
            let request = place.databases().describe_db_instance_automated_backups().set_marker(next);
            let seen = place.read(Operation::DescribeDBInstanceAutomatedBackups, || request.clone().send()).await;
            let page = match seen {
                Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
                page => page?,
            };
            let mut all = page.db_instance_automated_backups.unwrap_or_default().into_iter();
            if let Some(found) =
                all.find(|one| one.db_instance_arn() == Some(&self.source) && one.status() != Some("retained"))
            {
                return Ok(Some(found));
            }
            next = page.marker.filter(|marker| !marker.is_empty());
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    fn standing(&self, at: &Account<'_>, seen: &DbInstanceAutomatedBackup) -> Standing {
        let status = seen.status().unwrap_or("pending");
        let days = seen.backup_retention_period().unwrap_or(self.days);
        let id = seen.db_instance_automated_backups_arn().unwrap_or_default();
        let latest = seen.restore_window().and_then(|window| window.latest_time()).map(ToString::to_string);
        Standing {
            id: id.to_owned(),
            holder: at.holder_by_tags(&tags_of(seen.tag_list())),
            stage: match status {
                "replicating" | "active" => Stage::Ready,
                "deleting" => Stage::Going,
                "failed" | "error" => Stage::Broken,
                _ => Stage::Coming,
            },
            state: match latest {
                Some(latest) => format!("{status}; the latest moment that can be restored is {latest}"),
                None => status.to_owned(),
            },
            differences: if days == self.days {
                Vec::new()
            } else {
                vec![difference("days that backups are kept", self.days.to_string(), days.to_string())]
            },
            output: json!({ "id": id }),
        }
    }

    fn stop(&self) -> Call {
        Call::Rds(RdsRequest::StopDBInstanceAutomatedBackupsReplication {
            source: self.source.clone(),
            region: self.region.clone(),
        })
    }
}

#[async_trait]
impl Thing for TheReplication {
    fn noun(&self) -> String {
        format!("replication of backups to {}", self.region)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Rds(RdsRequest::StartDBInstanceAutomatedBackupsReplication {
            source: self.source.clone(),
            kms_key_id: self.kms_key.clone(),
            backup_retention_period: self.days,
            tags: self.label.clone(),
            region: self.region.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let seen = self.seen(at).await?.map(|seen| self.standing(at, &seen));
        Ok(standing::sight(at, (&self.noun(), &self.label.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let seen = self.seen(at).await?.map(|seen| self.standing(at, &seen));
        Ok(seen.filter(|seen| matches!(seen.holder, Holder::Us { .. })).map(|seen| seen.id).into_iter().collect())
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.stop()]
    }

    async fn holder(&self, at: &Account<'_>, _id: &str) -> Result<Holder, AwsFailure> {
        Ok(self.seen(at).await?.map_or(Holder::Stranger, |seen| self.standing(at, &seen).holder))
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let seen = self.seen(at).await?.map(|seen| self.standing(at, &seen));
        Ok(standing::remains(at, &self.noun(), seen, vec![self.stop()]))
    }
}
