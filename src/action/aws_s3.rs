//! Objects in buckets: a text that is there, one that is fetched back from the archive, and how young the newest is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_backup::place;
use super::aws_network::label;
use super::aws_resource::in_region;
use super::call::backup::Place;
use super::call::objects::{Body, ObjectRequest};
use super::call::{Call, Label};
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::s3::operation::head_object::HeadObjectOutput as Head;
use crate::aws::s3::types::{ChecksumMode, Object, StorageClass};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation, holder_by};
use crate::text;

/// In the metadata of an object: whose it is, and which of theirs.
pub(super) const ENGAGEMENT: &str = "onramp-engagement";
pub(super) const KEY: &str = "onramp-key";
/// As it was sent: S3 checks it then, and not every endpoint shows it again.
pub(super) const CHECKSUM: &str = "onramp-sha256";

/// Longest text. What is longer goes there by a host's own tools.
const LONGEST: usize = 256 * 1024;
/// Of a key, in bytes.
const LONGEST_KEY: usize = 1024;

/// As a header takes it.
pub(super) fn stamped(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '.' }).collect()
}

/// One place in a bucket.
struct At {
    bucket: String,
    key: String,
    place: Place,
}

impl At {
    fn new(arguments: Arguments<'_>) -> Result<At, Failure> {
        let key = arguments.text("object")?;
        if known(&key) && (key.len() > LONGEST_KEY || key.starts_with('/')) {
            let what = format!("\"{key}\" is no name for an object");
            let advice = "It has no more than 1024 bytes, and no slash at its beginning: backup/2026/08/a.tgz.";
            return Err(Failure::new(what, advice));
        }
        Ok(At { bucket: arguments.text("bucket")?, key, place: place(arguments)? })
    }

    fn cloud(&self, cloud: &Cloud) -> Cloud {
        in_region(cloud, self.place.region.as_deref())
    }

    fn said(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// What S3 says of it without its content; none where there is none.
    async fn head(&self, cloud: &Cloud) -> Result<Option<Head>, AwsFailure> {
        if !known(&self.bucket) || !known(&self.key) {
            return Ok(None);
        }
        let request = self.cloud(cloud).s3().head_object().bucket(&self.bucket).key(&self.key);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        match cloud.read(Operation::HeadObject, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => Ok(None),
            seen => seen.map(Some),
        }
    }

    async fn content(&self, cloud: &Cloud) -> Result<Vec<u8>, AwsFailure> {
        let request = self.cloud(cloud).s3().get_object().bucket(&self.bucket).key(&self.key);
        let seen = cloud.read(Operation::GetObject, || request.clone().send()).await?;
        let all = seen.body.collect().await;
        Ok(all.map_err(|error| AwsFailure::unread(Operation::GetObject, &self.said(), &error))?.to_vec())
    }
}

/// `aws/s3-object`
pub(super) struct TheObject {
    at: At,
    body: Body,
    content_type: Option<String>,
    /// Where it is kept; STANDARD when none is said.
    class: Option<&'static str>,
    label: Label,
}

/// STANDARD first: it is what S3 takes where nothing is said.
const CLASSES: [&str; 5] = ["STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];

impl TheObject {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let body = Body(arguments.verbatim("content")?);
        if body.0.len() > LONGEST {
            let what = format!("the content has {} bytes, and {LONGEST} are the most", body.0.len());
            return Err(Failure::new(what, "Let a host send it: `aws s3 cp` in a `shell` step."));
        }
        let content_type = arguments.optional("content_type")?;
        let class = Some(arguments.one_of("class", &CLASSES)?).filter(|class| *class != CLASSES[0]);
        Ok(TheObject { at: At::new(arguments)?, body, content_type, class, label: label(subject, arguments)? })
    }

    fn put(&self, if_none_match: Option<&'static str>) -> Call {
        Call::Objects(ObjectRequest::PutObject {
            bucket: self.at.bucket.clone(),
            key: self.at.key.clone(),
            checksum: self.body.sha256(),
            body: self.body.clone(),
            content_type: self.content_type.clone(),
            storage_class: self.class,
            if_none_match,
            metadata: self.label.clone(),
            place: self.at.place.clone(),
        })
    }

    fn holder(&self, at: &Account<'_>, head: &Head) -> Holder {
        let value = |name: &str| head.metadata().and_then(|all| all.get(name)).map(String::as_str);
        let held: BTreeMap<&str, Option<&str>> =
            [(crate::aws::ENGAGEMENT, value(ENGAGEMENT)), ("onramp:key", value(KEY))].into();
        holder_by(&at.subject.engagement, |wanted| held.get(wanted).copied().flatten())
    }

    /// Is its content what is wanted? By its checksum where S3 has one, else by the bytes.
    async fn is_same(&self, at: &Account<'_>, head: &Head) -> Result<bool, AwsFailure> {
        if !known(&self.body.0) {
            return Ok(true);
        }
        let sent = head.metadata().and_then(|all| all.get(CHECKSUM)).map(String::as_str);
        if let Some(checksum) = head.checksum_sha256().or(sent) {
            return Ok(checksum == self.body.sha256());
        }
        if head.content_length() != i64::try_from(self.body.0.len()).ok() {
            return Ok(false);
        }
        Ok(self.at.content(at.cloud).await? == self.body.0.as_bytes())
    }
}

#[async_trait]
impl Thing for TheObject {
    fn noun(&self) -> String {
        self.at.said()
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.put(Some("*"))]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.noun();
        let Some(head) = self.at.head(at.cloud).await? else {
            return Ok(Sight::Nothing { said: format!("there is no {noun}") });
        };
        let (holder, same) = (self.holder(at, &head), self.is_same(at, &head).await?);
        let ours = holder == Holder::Us { key: stamped(&self.label.key) };
        if same {
            let output = json!({ "id": noun, "sha256": self.body.sha256(), "version": head.version_id() });
            let mut there = found(format!("{noun} has the content that is wanted"), output);
            there.foreign = !ours;
            return Ok(Sight::Ready(there));
        }
        let length = head.content_length().unwrap_or_default();
        let found = format!("{length} bytes of {}", head.last_modified().map(ToString::to_string).unwrap_or_default());
        let differences = vec![difference("content", format!("{} bytes", self.body.0.len()), found)];
        if !ours {
            let said = format!("{noun} has another content, and is {}", at.said_of(&noun, &holder));
            return Ok(Sight::Foreign { said, differences });
        }
        let said = format!("{noun} has another content");
        Ok(Sight::Partial(Partial { said, differences, missing: vec![self.put(None)], keep: BTreeMap::new() }))
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        let place = self.at.place.clone();
        let (bucket, key) = (self.at.bucket.clone(), self.at.key.clone());
        vec![Call::Objects(ObjectRequest::DeleteObject { bucket, key, place })]
    }

    async fn holder(&self, at: &Account<'_>, _id: &str) -> Result<Holder, AwsFailure> {
        let head = self.at.head(at.cloud).await?;
        Ok(head.map_or(Holder::Stranger, |head| TheObject::holder(self, at, &head)))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(head) = self.at.head(at.cloud).await? else { return Ok(Remains::Gone) };
        Ok(match TheObject::holder(self, at, &head) {
            Holder::Us { .. } => Remains::Takes(self.inverse("", made)),
            holder => Remains::NotOurs { said: at.said_of(&self.noun(), &holder) },
        })
    }
}

/// `aws/s3-restore`: a copy of an archived object that can be read for some days. It goes by itself.
pub(super) struct Thawed {
    at: At,
    days: i32,
    tier: &'static str,
}

impl Thawed {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Thawed {
            at: At::new(arguments)?,
            days: arguments.number("days", 1, 365)?.unwrap_or(7),
            tier: arguments.one_of("tier", &["Standard", "Bulk", "Expedited"])?,
        })
    }

    /// Hours that it may take (domain specification, 11.5).
    fn hours(&self, class: &StorageClass) -> &'static str {
        match (class, self.tier) {
            (StorageClass::DeepArchive, "Bulk") => "48 hours",
            (StorageClass::DeepArchive, _) => "12 hours",
            (_, "Expedited") => "5 minutes",
            (_, "Bulk") => "12 hours",
            _ => "5 hours",
        }
    }
}

#[async_trait]
impl Thing for Thawed {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("readable copy of {}", self.at.said())
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Objects(ObjectRequest::RestoreObject {
            bucket: self.at.bucket.clone(),
            key: self.at.key.clone(),
            days: self.days,
            tier: self.tier,
            place: self.at.place.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let said = self.at.said();
        let Some(head) = self.at.head(at.cloud).await? else {
            let advice = "Compare bucket, name and region; a list shows what there is (aws: s3-objects).";
            return Ok(Sight::Broken(Failure::new(format!("there is no {said}"), advice)));
        };
        let class = head.storage_class().cloned().unwrap_or(StorageClass::Standard);
        if !matches!(class, StorageClass::Glacier | StorageClass::DeepArchive) {
            let mut there =
                found(format!("{said} is not archived ({class}): it can be read"), json!({ "until": null }));
            there.foreign = true;
            return Ok(Sight::Ready(there));
        }
        Ok(match head.restore() {
            None => Sight::Nothing { said: format!("{said} is archived ({class}), and cannot be read") },
            Some(header) if header.contains("ongoing-request=\"true\"") => {
                let said =
                    format!("{said} is being fetched from the archive, which takes up to {}", self.hours(&class));
                Sight::Awaited(found(said, json!({ "until": null })))
            }
            Some(header) => {
                let until = header.split("expiry-date=\"").nth(1).and_then(|rest| rest.split('"').next());
                let said = format!("{said} can be read until {}", until.unwrap_or("S3 takes the copy away again"));
                Sight::Ready(found(said, json!({ "until": until })))
            }
        })
    }

    async fn remains(&self, _at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let goes = match made.text("until") {
            Some(until) => format!("the copy goes by itself ({until})"),
            None => format!("the copy goes by itself after {} days", self.days),
        };
        Ok(Remains::Kept { said: format!("{goes}; the archived object stays") })
    }
}

/// `aws/s3-objects`
pub(super) struct Objects {
    bucket: String,
    prefix: Option<String>,
    most_hours: Option<i32>,
    least: i32,
    place: Place,
}

impl Objects {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Objects {
            bucket: arguments.text("bucket")?,
            prefix: arguments.optional("prefix")?,
            most_hours: arguments.number("most_hours", 1, 24 * 366)?,
            least: arguments.number("least", 1, i32::MAX)?.unwrap_or(1),
            place: place(arguments)?,
        })
    }

    async fn all(&self, cloud: &Cloud) -> Result<Vec<Object>, AwsFailure> {
        let there = in_region(cloud, self.place.region.as_deref());
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = there.s3().list_objects_v2().bucket(&self.bucket).set_prefix(self.prefix.clone());
            let request = request.set_continuation_token(next);
            let page = cloud.read(Operation::ListObjectsV2, || request.clone().send()).await?;
            all.extend(page.contents.unwrap_or_default());
            next = page.next_continuation_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    fn judge(&self, all: &[Object], now: i64) -> Verified {
        let place = format!("s3://{}/{}", self.bucket, self.prefix.as_deref().unwrap_or_default());
        let age = |one: &Object| one.last_modified().map(|at| at.secs());
        let Some(newest) = all.iter().max_by_key(|one| age(one)) else {
            return Verified::NotYet { said: format!("{place} is empty") };
        };
        let hours = (now - age(newest).unwrap_or_default()).max(0) / 3600;
        let bytes: i64 = all.iter().filter_map(Object::size).sum();
        let said = format!(
            "{place} has {} of {bytes} bytes; the newest is {} old",
            text::count(all.len(), "object"),
            text::count(usize::try_from(hours).unwrap_or_default(), "hour")
        );
        if all.len() < usize::try_from(self.least).unwrap_or_default() {
            return Verified::NotYet { said: format!("{said}, and {} are wanted", self.least) };
        }
        if let Some(most) = self.most_hours.filter(|most| hours >= i64::from(*most)) {
            return Verified::NotYet { said: format!("{said}, and less than {most} hours are wanted") };
        }
        let output = json!({
            "count": all.len(), "newest": newest.key(), "hours": hours, "bytes": bytes,
            "made": newest.last_modified().map(ToString::to_string),
        });
        Verified::So(found(said, output))
    }
}

#[async_trait]
impl Question for Objects {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let all = self.all(&cloud).await?;
            Ok(self.judge(&all, jiff::Timestamp::now().as_second()))
        })
        .await
    }
}
