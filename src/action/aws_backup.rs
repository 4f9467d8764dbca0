//! AWS Backup in a region: which types of resource it backs up at all, and which recovery points there are.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_resource::{given_region, in_region};
use super::call::Call;
use super::call::backup::{BackupRequest, Place};
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::backup::types::{RecoveryPointByBackupVault as Point, RecoveryPointStatus};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};
use crate::engagement::At;
use crate::text;

/// The region in which the step is at work, where it is not the engagement's.
pub(super) fn place(arguments: Arguments<'_>) -> Result<Place, Failure> {
    Ok(Place { region: given_region(arguments, "region")? })
}

/// Recovery points in a vault, the newest first; none where there is no such vault.
pub(super) async fn points(cloud: &Cloud, vault: &str, of: Option<&str>) -> Result<Vec<Point>, AwsFailure> {
    let mut all = Vec::new();
    if !known(vault) || of.is_some_and(|of| !known(of)) {
        return Ok(all);
    }
    let mut next: Option<String> = None;
    loop {
        let request = cloud.backup().list_recovery_points_by_backup_vault().backup_vault_name(vault);
        let request = request.set_by_resource_arn(of.map(str::to_owned)).set_next_token(next);
        let page = match cloud.read(Operation::ListRecoveryPointsByBackupVault, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => break,
            page => page?,
        };
        all.extend(page.recovery_points.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    all.sort_by_key(|point| std::cmp::Reverse(point.creation_date().map(|at| at.secs())));
    Ok(all)
}

/// Why a recovery point stays, and until when; nothing where it is not there any more.
pub(super) async fn kept(
    cloud: &Cloud,
    vault: &str,
    of: Option<&str>,
    arn: &str,
) -> Result<Option<String>, AwsFailure> {
    let all = points(cloud, vault, of).await?;
    Ok(all.iter().find(|point| point.recovery_point_arn() == Some(arn)).map(|point| {
        let until = point.calculated_lifecycle().and_then(|lifecycle| lifecycle.delete_at);
        match until {
            Some(at) => {
                let until = At(at.secs().saturating_mul(1_000)).date();
                format!("{arn} is a backup: AWS Backup keeps it until {until}, and deletes it then")
            }
            None => format!("{arn} is a backup: it is kept until a person deletes it"),
        }
    }))
}

/// `aws/recovery-points`: a vault has recovery points that are whole, and young enough.
pub(super) struct RecoveryPoints {
    vault: String,
    resource: Option<String>,
    most_hours: Option<i32>,
    least: i32,
    place: Place,
}

impl RecoveryPoints {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(RecoveryPoints {
            vault: arguments.text("vault")?,
            resource: arguments.optional("resource")?,
            most_hours: arguments.number("most_hours", 1, 24 * 366)?,
            least: arguments.number("least", 1, 100_000)?.unwrap_or(1),
            place: place(arguments)?,
        })
    }

    fn judge(&self, all: &[Point], now: i64) -> Verified {
        let whole: Vec<&Point> =
            all.iter().filter(|point| point.status() == Some(&RecoveryPointStatus::Completed)).collect();
        let of = self.resource.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        let vault = &self.vault;
        let Some(newest) = whole.first() else {
            let said = format!("the vault {vault} has no whole recovery point{of}");
            return Verified::NotYet { said };
        };
        let made = newest.creation_date().map_or(0, |at| at.secs());
        let hours = (now - made).max(0) / 3600;
        let said = format!(
            "the vault {vault} has {}{of}; the newest is {} old",
            text::count(whole.len(), "recovery point"),
            text::count(usize::try_from(hours).unwrap_or_default(), "hour")
        );
        if whole.len() < usize::try_from(self.least).unwrap_or_default() {
            return Verified::NotYet { said: format!("{said}, and {} are wanted", self.least) };
        }
        if self.most_hours.is_some_and(|most| hours >= i64::from(most)) {
            let most = self.most_hours.unwrap_or_default();
            return Verified::NotYet { said: format!("{said}, and no more than {most} hours are wanted") };
        }
        let output = json!({
            "count": whole.len(),
            "newest": newest.recovery_point_arn(),
            "resource": newest.resource_arn(),
            "made": newest.creation_date().map(ToString::to_string),
            "hours": hours,
        });
        Verified::So(found(said, output))
    }
}

#[async_trait]
impl Question for RecoveryPoints {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let cloud = in_region(&cloud, self.place.region.as_deref());
            let all = points(&cloud, &self.vault, self.resource.as_deref()).await?;
            Ok(self.judge(&all, jiff::Timestamp::now().as_second()))
        })
        .await
    }
}

/// Types that AWS Backup leaves out of the setting, or names so; a wrong one would be opted in to nothing.
const TYPES: [&str; 17] = [
    "Aurora",
    "CloudFormation",
    "DocumentDB",
    "DSQL",
    "DynamoDB",
    "EBS",
    "EC2",
    "EFS",
    "FSx",
    "Neptune",
    "RDS",
    "Redshift",
    "Redshift Serverless",
    "S3",
    "SAP HANA on Amazon EC2",
    "Storage Gateway",
    "VirtualMachine",
];

/// `aws/backup-region`: without it a plan runs and protects nothing. An undo puts back what was set before.
pub(super) struct OptIn {
    types: Vec<String>,
    place: Place,
}

type Settings = BTreeMap<String, bool>;

impl OptIn {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let types = arguments.list("types")?;
        if types.is_empty() {
            return Err(Failure::new("no type of resource is named", "Say which, such as [RDS, EBS, EC2]."));
        }
        if let Some(other) = types.iter().find(|one| known(one) && !TYPES.contains(&one.as_str())) {
            let near = text::nearest(other, TYPES.iter().copied());
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let what = format!("\"{other}\" is not a type of resource as AWS Backup calls them{hint}");
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        Ok(OptIn { types, place: place(arguments)? })
    }

    async fn now(&self, at: &Account<'_>) -> Result<Settings, AwsFailure> {
        let cloud = in_region(at.cloud, self.place.region.as_deref());
        let request = cloud.backup().describe_region_settings();
        let seen = cloud.read(Operation::DescribeRegionSettings, || request.clone().send()).await?;
        Ok(seen.resource_type_opt_in_preference.unwrap_or_default().into_iter().collect())
    }

    fn call(&self, wanted: Settings) -> Call {
        let place = self.place.clone();
        Call::Backup(BackupRequest::UpdateRegionSettings { resource_type_opt_in_preference: wanted, place })
    }

    fn wanted(&self) -> Settings {
        self.types.iter().map(|of| (of.clone(), true)).collect()
    }

    /// What it is with these in it: the call takes the whole.
    fn whole(now: &Settings, with: Settings) -> Settings {
        now.clone().into_iter().chain(with).collect()
    }

    fn region(&self, at: &Account<'_>) -> String {
        self.place.region.clone().unwrap_or_else(|| at.cloud.region().to_owned())
    }
}

/// What was set before, of the types that were switched on.
fn former(made: &Made<'_>) -> Option<Settings> {
    serde_json::from_value(made.0.get("former")?.clone()).ok()
}

#[async_trait]
impl Thing for OptIn {
    fn noun(&self) -> String {
        format!("backup of {}", text::list(&self.types))
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.call(self.wanted())]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let now = self.now(at).await?;
        let is_on = |of: &&String| now.get(of.as_str()) == Some(&true);
        let off: Vec<String> = self.types.iter().filter(|of| !is_on(of)).cloned().collect();
        let region = self.region(at);
        if off.is_empty() {
            let said = format!("{region} backs up {}", text::list(&self.types));
            return Ok(Sight::Ready(found(said, json!({ "types": self.types }))));
        }
        let former: Settings = off.iter().map(|of| (of.clone(), false)).collect();
        Ok(Sight::Partial(Partial {
            said: format!("{region} does not back up {}", text::list(&off)),
            differences: off.iter().map(|of| difference(of, "backed up", "left out")).collect(),
            missing: vec![self.call(OptIn::whole(&now, self.wanted()))],
            keep: [("former".to_owned(), json!(former))].into(),
        }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        former(made).map(|former| self.call(former)).into_iter().collect()
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let now = self.now(at).await?;
        let Some(former) = former(made) else {
            return Ok(Remains::NotOurs { said: "nobody wrote down what was set before".to_owned() });
        };
        if former.iter().all(|(of, on)| now.get(of).copied().unwrap_or_default() == *on) {
            return Ok(Remains::Gone);
        }
        Ok(Remains::Takes(vec![self.call(OptIn::whole(&now, former))]))
    }
}
