//! Snapshots of disks: of one disk or of all disks of a host at one moment, and copies in another region.
//!
//! The calls know no token and no name, so what one made is found by its tags. Several snapshots come of one call about a
//! host: they carry the same tags, and go together.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::Arguments;
use super::aws_network::label;
use super::aws_rds::key_for;
use super::aws_resource::{given_region, in_region};
use super::call::ebs::{Disks, EbsRequest};
use super::call::{Call, Label};
use super::object::{Made, Remains, Sight, Thing, differing, ids};
use super::standing::{self, Stage, Standing};
use super::world::Subject;
use crate::aws::ec2::types::{Filter, Snapshot, SnapshotState};
use crate::aws::{AwsFailure, Cloud, Holder, Operation, filter, run};
use crate::engagement::Failure;

/// Snapshots of this account's.
///
/// # Errors
/// They could not be asked for.
pub(super) async fn snapshots(place: &Cloud, by: Vec<Filter>) -> Result<Vec<Snapshot>, AwsFailure> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let request = place.ec2().describe_snapshots().owner_ids("self").set_filters(Some(by.clone()));
        let request = request.set_next_token(next);
        let page = place.read(Operation::DescribeSnapshots, || request.clone().send()).await?;
        all.extend(page.snapshots.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(all);
        }
    }
}

fn id_of(snapshot: &Snapshot) -> &str {
    snapshot.snapshot_id().unwrap_or_default()
}

fn stage(snapshot: &Snapshot) -> Stage {
    match snapshot.state() {
        Some(SnapshotState::Completed) => Stage::Ready,
        Some(SnapshotState::Error) => Stage::Broken,
        _ => Stage::Coming,
    }
}

fn state(snapshot: &Snapshot) -> String {
    let state = snapshot.state().map_or("pending", SnapshotState::as_str);
    let why = snapshot.state_message().map(|why| format!(": {why}")).unwrap_or_default();
    match snapshot.progress().filter(|_| stage(snapshot) == Stage::Coming) {
        Some(progress) => format!("{state}, {progress}{why}"),
        None => format!("{state}{why}"),
    }
}

/// Where snapshots are, and under which key.
struct Spot {
    region: Option<String>,
    label: Label,
}

impl Spot {
    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.region.as_deref())
    }

    /// Ours, the oldest first.
    async fn ours(&self, at: &Account<'_>) -> Result<Vec<Snapshot>, AwsFailure> {
        let there = snapshots(&self.place(at), at.ours("snapshot-id")).await?;
        let mut ours = at.of_ours(&self.label.key, there, Snapshot::tags);
        ours.sort_by_cached_key(|one| (run(one.tags()), id_of(one).to_owned()));
        Ok(ours)
    }

    fn delete(&self, id: &str) -> Call {
        Call::Ebs(EbsRequest::DeleteSnapshot { snapshot_id: id.to_owned(), region: self.region.clone() })
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        let seen = snapshots(&self.place(at), vec![filter("snapshot-id", [id])]).await?;
        Ok(at.holder(seen.first().and_then(|one| one.tags.as_deref())))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let seen = snapshots(&self.place(at), vec![filter("snapshot-id", [id])]).await?;
        Ok(at.remains(id, seen.first().map(|one| one.tags.as_deref()), vec![self.delete(id)]))
    }
}

/// What is kept: one disk, or all disks of a host.
enum Of {
    Volume(String),
    Instance(Disks),
}

/// `aws/ebs-snapshot`
pub(super) struct TheSnapshot {
    of: Of,
    spot: Spot,
}

impl TheSnapshot {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let of = match (arguments.optional("volume")?, arguments.optional("instance")?) {
            (Some(volume), None) => Of::Volume(volume),
            (None, Some(instance_id)) => {
                let exclude_boot_volume = arguments.one_of("boot", &["true", "false"])? == "false";
                Of::Instance(Disks { instance_id, exclude_boot_volume })
            }
            _ => {
                let what = "aws/ebs-snapshot has to be given either `volume` or `instance`";
                return Err(Failure::new(what, "Name one disk, or a host whose disks are kept at one moment."));
            }
        };
        Ok(TheSnapshot { of, spot: Spot { region: None, label: label(subject, arguments)? } })
    }

    fn standing(&self, at: &Account<'_>, ours: &[Snapshot]) -> Option<Standing> {
        let first = ours.first()?;
        // The one that is furthest from being ready says how all of them stand.
        let slowest = ours.iter().max_by_key(|one| stage(one) as u8).unwrap_or(first);
        let volumes: Vec<&str> = ours.iter().filter_map(Snapshot::volume_id).collect();
        let differences = match &self.of {
            Of::Volume(volume) => differing(&[("disk", volume, first.volume_id())]),
            Of::Instance(_) => Vec::new(),
        };
        let all: Vec<&str> = ours.iter().map(id_of).collect();
        Some(Standing {
            id: id_of(first).to_owned(),
            holder: at.holder(first.tags.as_deref()),
            stage: stage(slowest),
            state: format!("{} ({})", state(slowest), crate::text::list(&all)),
            differences,
            output: json!({ "id": id_of(first), "ids": all, "volumes": volumes }),
        })
    }
}

#[async_trait]
impl Thing for TheSnapshot {
    fn noun(&self) -> String {
        format!("snapshot {}", self.spot.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let tag_specifications = self.spot.label.clone();
        vec![Call::Ebs(match &self.of {
            Of::Volume(volume) => EbsRequest::CreateSnapshot {
                volume_id: volume.clone(),
                description: tag_specifications.name.clone(),
                tag_specifications,
            },
            Of::Instance(disks) => EbsRequest::CreateSnapshots {
                instance_specification: disks.clone(),
                description: tag_specifications.name.clone(),
                tag_specifications,
            },
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let all = self.spot.ours(at).await?;
        // What one call made has the same moment; a second snapshot of a disk is a duplicate.
        let mut ours: Vec<Snapshot> = Vec::new();
        let mut twice = Vec::new();
        for one in all {
            match ours.iter().any(|other| other.volume_id() == one.volume_id()) {
                true => twice.push(id_of(&one).to_owned()),
                false => ours.push(one),
            }
        }
        ours.sort_by(|one, other| id_of(one).cmp(id_of(other)));
        at.also_there(twice.into_iter());
        Ok(standing::sight(at, (&self.noun(), &self.spot.label.key), self.standing(at, &ours)))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ids(self.spot.ours(at).await?, Snapshot::snapshot_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.spot.delete(id)]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        self.spot.holder(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        self.spot.remains(at, made).await
    }
}

/// `aws/ebs-snapshot-copy`
pub(super) struct TheSnapshotCopy {
    source: String,
    source_region: String,
    region: String,
    kms_key: Option<String>,
    spot: Spot,
}

impl TheSnapshotCopy {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (region, source_region) = (arguments.text("region")?, arguments.text("source_region")?);
        given_region(arguments, "source_region")?;
        Ok(TheSnapshotCopy {
            source: arguments.text("source")?,
            source_region,
            kms_key: key_for(arguments, "kms_key", Some(&region))?,
            spot: Spot { region: given_region(arguments, "region")?, label: label(subject, arguments)? },
            region,
        })
    }

    /// What is written on the copy says what it is a copy of; AWS shows that nowhere else.
    fn description(&self) -> String {
        format!("copy of {}", self.source)
    }

    fn standing(&self, at: &Account<'_>, seen: &Snapshot) -> Standing {
        Standing {
            id: id_of(seen).to_owned(),
            holder: at.holder(seen.tags.as_deref()),
            stage: stage(seen),
            state: format!("{} ({})", state(seen), id_of(seen)),
            differences: differing(&[("what it is", &self.description(), seen.description())]),
            output: json!({ "id": id_of(seen) }),
        }
    }
}

#[async_trait]
impl Thing for TheSnapshotCopy {
    fn noun(&self) -> String {
        format!("snapshot copy {} in {}", self.spot.label.key, self.region)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Ebs(EbsRequest::CopySnapshot {
            source_region: self.source_region.clone(),
            source_snapshot_id: self.source.clone(),
            destination_region: self.region.clone(),
            description: self.description(),
            encrypted: true,
            kms_key_id: self.kms_key.clone(),
            tag_specifications: self.spot.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let there = snapshots(&self.spot.place(at), at.ours("snapshot-id")).await?;
        let seen = at.only_one(&self.spot.label.key, there, Snapshot::snapshot_id, Snapshot::tags);
        let seen = seen.map(|seen| self.standing(at, &seen));
        Ok(standing::sight(at, (&self.noun(), &self.spot.label.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ids(self.spot.ours(at).await?, Snapshot::snapshot_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.spot.delete(id)]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        self.spot.holder(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        self.spot.remains(at, made).await
    }
}
