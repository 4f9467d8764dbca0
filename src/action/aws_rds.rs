//! Snapshots of databases, in their own region and in another one.
//!
//! A name is all that tells one from another, in an account and region. A copy is asked for where it is to be, and one of
//! an encrypted snapshot needs a key of that region (domain specification, 11.3 and 11.8).

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::aws_resource::{given_region, in_region};
use super::call::rds::RdsRequest;
use super::call::{Call, Label};
use super::object::{Made, Remains, Sight, Thing, differing};
use super::standing::{self, Stage, Standing, with_progress};
use super::world::Subject;
use crate::aws::rds::types::{DbSnapshot, Tag};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::Failure;

/// The tags of a thing of RDS, by key.
pub(super) fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// A name as RDS takes it: letters, digits and single hyphens, with a letter in front. RDS keeps it in small letters.
///
/// # Errors
/// It is another text.
pub(super) fn name(arguments: Arguments<'_>, argument: &str, most: usize) -> Result<String, Failure> {
    let given = arguments.text(argument)?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let shaped = given.chars().all(good) && !given.contains("--") && !given.ends_with('-') && given.len() <= most;
    if !known(&given) || (shaped && given.starts_with(|c: char| c.is_ascii_lowercase())) {
        return Ok(given);
    }
    Err(Failure::new(
        format!("the argument `{argument}` of {} is \"{given}\", which RDS does not take for a name", arguments.kind),
        format!(
            "Write a small letter, then small letters, digits and single hyphens, {most} characters at most: \
             orders-before-upgrade."
        ),
    ))
}

/// An ARN of RDS of this kind, such as `db` or `snapshot`.
///
/// # Errors
/// It is another text.
pub(super) fn arn(arguments: Arguments<'_>, argument: &str, of: &str) -> Result<String, Failure> {
    let given = arguments.text(argument)?;
    let parts: Vec<&str> = given.splitn(7, ':').collect();
    let fits = matches!(parts.as_slice(), ["arn", _, "rds", region, _, kind, _] if !region.is_empty() && *kind == of);
    if !known(&given) || fits {
        return Ok(given);
    }
    Err(Failure::new(
        format!("the argument `{argument}` of {} is \"{given}\", not the ARN of a {of} of RDS", arguments.kind),
        format!(
            "Write all of it: arn:aws:rds:eu-west-1:123456789012:{of}:orders. Another region knows it by that alone."
        ),
    ))
}

/// The region of an ARN; none of what is no ARN, or is not known yet.
pub(super) fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| known(arn) && !region.is_empty())
}

/// A KMS key for what is made in a region: its id, its alias, or an ARN of that region.
///
/// # Errors
/// It is a key of another region, which cannot encrypt anything there.
pub(super) fn key_for(
    arguments: Arguments<'_>,
    argument: &str,
    region: Option<&str>,
) -> Result<Option<String>, Failure> {
    let given = arguments.optional(argument)?;
    let (Some(key), Some(region)) = (&given, region.filter(|region| known(region))) else { return Ok(given) };
    match region_of(key).filter(|_| key.starts_with("arn:")) {
        Some(other) if other != region => Err(Failure::new(
            format!(
                "the argument `{argument}` of {} is a key of {other}, and the copy is made in {region}",
                arguments.kind
            ),
            format!("Give a key of {region}; a key encrypts nothing in another region."),
        )),
        _ => Ok(given),
    }
}

/// The snapshot of that name; none where there is none.
///
/// # Errors
/// It could not be asked: that says nothing of whether it is there.
pub(super) async fn snapshot(place: &Cloud, id: &str) -> Result<Option<DbSnapshot>, AwsFailure> {
    if !known(id) {
        return Ok(None);
    }
    let request = place.databases().describe_db_snapshots().db_snapshot_identifier(id);
    match place.read(Operation::DescribeDBSnapshots, || request.clone().send()).await {
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        seen => Ok(seen?.db_snapshots.unwrap_or_default().into_iter().next()),
    }
}

fn stage(status: &str) -> Stage {
    match status {
        "available" => Stage::Ready,
        "failed" => Stage::Broken,
        "deleting" => Stage::Going,
        _ => Stage::Coming,
    }
}

fn standing(at: &Account<'_>, seen: &DbSnapshot) -> Standing {
    let status = seen.status().unwrap_or("creating");
    let id = seen.db_snapshot_identifier().unwrap_or_default();
    let encrypted = seen.encrypted().unwrap_or(false);
    Standing {
        id: id.to_owned(),
        holder: at.holder_by_tags(&tags_of(seen.tag_list())),
        stage: stage(status),
        state: with_progress(status, seen.percent_progress()),
        differences: Vec::new(),
        output: json!({ "id": id, "arn": seen.db_snapshot_arn(), "encrypted": encrypted }),
    }
}

/// Where a snapshot is, and under which name.
struct Spot {
    id: String,
    region: Option<String>,
    label: Label,
}

impl Spot {
    /// Which one counts: that of this name, or the one that a person chose.
    fn id<'s>(&'s self, at: &'s Account<'_>) -> &'s str {
        at.subject.adopted.as_deref().unwrap_or(&self.id)
    }

    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.region.as_deref())
    }

    async fn seen(&self, at: &Account<'_>, id: &str) -> Result<Option<DbSnapshot>, AwsFailure> {
        snapshot(&self.place(at), id).await
    }

    fn delete(&self, id: &str) -> Call {
        Call::Rds(RdsRequest::DeleteDBSnapshot { snapshot: id.to_owned(), region: self.region.clone() })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let seen = self.seen(at, self.id(at)).await?;
        let ours = Holder::Us { key: self.label.key.clone() };
        Ok(seen
            .map(|seen| standing(at, &seen))
            .filter(|seen| seen.holder == ours)
            .map(|seen| seen.id)
            .into_iter()
            .collect())
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        let seen = self.seen(at, id).await?;
        Ok(seen.map_or(Holder::Stranger, |seen| standing(at, &seen).holder))
    }

    async fn remains(&self, at: &Account<'_>, noun: &str, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let seen = self.seen(at, id).await?.map(|seen| standing(at, &seen));
        Ok(standing::remains(at, noun, seen, vec![self.delete(id)]))
    }
}

/// `aws/rds-snapshot`
pub(super) struct TheDatabaseSnapshot {
    instance: String,
    spot: Spot,
}

impl TheDatabaseSnapshot {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (id, region) = (name(arguments, "snapshot", 255)?, given_region(arguments, "region")?);
        let spot = Spot { id, region, label: label(subject, arguments)? };
        Ok(TheDatabaseSnapshot { instance: arguments.text("instance")?, spot })
    }
}

#[async_trait]
impl Thing for TheDatabaseSnapshot {
    fn noun(&self) -> String {
        format!("snapshot {}", self.spot.id)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Rds(RdsRequest::CreateDBSnapshot {
            instance: self.instance.clone(),
            snapshot: self.spot.id.clone(),
            tags: self.spot.label.clone(),
            region: self.spot.region.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let seen = self.spot.seen(at, self.spot.id(at)).await?.map(|seen| {
            let differences = differing(&[("database", &self.instance, seen.db_instance_identifier())]);
            Standing { differences, ..standing(at, &seen) }
        });
        Ok(standing::sight(at, (&self.noun(), &self.spot.label.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        self.spot.ours(at).await
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.spot.delete(id)]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        self.spot.holder(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        self.spot.remains(at, &self.noun(), made).await
    }
}

/// `aws/rds-snapshot-copy`
pub(super) struct TheDatabaseSnapshotCopy {
    source: String,
    region: String,
    kms_key: Option<String>,
    spot: Spot,
}

impl TheDatabaseSnapshotCopy {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let region = arguments.text("region")?;
        let spot = Spot {
            id: name(arguments, "snapshot", 255)?,
            region: given_region(arguments, "region")?,
            label: label(subject, arguments)?,
        };
        let kms_key = key_for(arguments, "kms_key", Some(&region))?;
        Ok(TheDatabaseSnapshotCopy { source: arn(arguments, "source", "snapshot")?, region, kms_key, spot })
    }

    /// What the copy is made of is looked at before anything is sent: the copy of one that lacks a key fails only later.
    async fn hindrance(&self, at: &Account<'_>) -> Result<Option<Failure>, AwsFailure> {
        let Some(from) = region_of(&self.source) else { return Ok(None) };
        let id = self.source.rsplit_once(":snapshot:").map_or("", |(_, id)| id);
        let Some(source) = snapshot(&in_region(at.cloud, Some(from)), id).await? else {
            let what = format!("{} is not there, so it cannot be copied", self.source);
            return Ok(Some(Failure::new(what, "Run the step that makes the snapshot first, or correct the ARN.")));
        };
        if source.encrypted().unwrap_or(false) && self.kms_key.is_none() && from != self.region {
            let what = format!("{} is encrypted, and the copy has no key in {}", self.source, self.region);
            let advice = format!("Give the step `kms_key`: a key of {}. Nothing was sent.", self.region);
            return Ok(Some(Failure::new(what, advice)));
        }
        Ok(None)
    }
}

#[async_trait]
impl Thing for TheDatabaseSnapshotCopy {
    fn noun(&self) -> String {
        format!("snapshot copy {} in {}", self.spot.id, self.region)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Rds(RdsRequest::CopyDBSnapshot {
            source: self.source.clone(),
            snapshot: self.spot.id.clone(),
            kms_key_id: self.kms_key.clone(),
            tags: self.spot.label.clone(),
            region: self.region.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let seen = self.spot.seen(at, self.spot.id(at)).await?.map(|seen| {
            // Not every endpoint says where a copy is from; one that does must say the same.
            let from = seen.source_db_snapshot_identifier().or(Some(self.source.as_str()));
            Standing { differences: differing(&[("copied from", &self.source, from)]), ..standing(at, &seen) }
        });
        if seen.is_none()
            && let Some(failure) = self.hindrance(at).await?
        {
            return Ok(Sight::Broken(failure));
        }
        Ok(standing::sight(at, (&self.noun(), &self.spot.label.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        self.spot.ours(at).await
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.spot.delete(id)]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        self.spot.holder(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        self.spot.remains(at, &self.noun(), made).await
    }
}
