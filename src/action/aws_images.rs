//! Images of our own hosts: made of one, and copied to another region. A name is taken once in an account and region.
//!
//! An image stands on snapshots of the host's disks, which AWS leaves behind when the image goes. They carry our tags
//! under the same key, so that they can be found and taken away after it.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_ebs::snapshots;
use super::aws_network::label;
use super::aws_rds::key_for;
use super::aws_resource::{given_region, in_region};
use super::call::ebs::EbsRequest;
use super::call::{Call, Label, Token};
use super::object::{Made, Remains, Sight, Thing, differing, ids};
use super::standing::{self, Stage, Standing};
use super::world::Subject;
use crate::aws::ec2::types::{Filter, Image, ImageState, Snapshot};
use crate::aws::{AwsFailure, Cloud, Holder, Operation, filter};
use crate::engagement::{Difference, Failure};

/// A name as EC2 takes it for an image (API reference, CreateImage).
fn name(arguments: Arguments<'_>) -> Result<String, Failure> {
    let given = arguments.text("name")?;
    let good = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if !known(&given) || ((3..=128).contains(&given.len()) && given.chars().all(good)) {
        return Ok(given);
    }
    Err(Failure::new(
        format!(
            "the argument `name` of {} is \"{given}\", which EC2 does not take for the name of an image",
            arguments.kind
        ),
        "Write 3 to 128 letters, digits, blanks and ()[]./-'@_.",
    ))
}

/// Where an image is, and under which name.
struct Spot {
    name: String,
    region: Option<String>,
    label: Label,
}

impl Spot {
    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.region.as_deref())
    }

    async fn images(&self, at: &Account<'_>, by: Vec<Filter>) -> Result<Vec<Image>, AwsFailure> {
        let place = self.place(at);
        let request = place.ec2().describe_images().owners("self").set_filters(Some(by));
        Ok(place.read(Operation::DescribeImages, || request.clone().send()).await?.images.unwrap_or_default())
    }

    /// Ours by its tags; else the one that has its name.
    async fn seen(&self, at: &Account<'_>) -> Result<Option<Image>, AwsFailure> {
        let ours = self.images(at, at.ours("image-id")).await?;
        match at.only_one(&self.label.key, ours, Image::image_id, Image::tags) {
            Some(image) => Ok(Some(image)),
            None if at.subject.adopted.is_some() || !known(&self.name) => Ok(None),
            None => Ok(self.images(at, vec![filter("name", [self.name.as_str()])]).await?.into_iter().next()),
        }
    }

    fn standing(&self, at: &Account<'_>, seen: &Image, differences: Vec<Difference>) -> Standing {
        let state = seen.state().map_or("pending", ImageState::as_str);
        let why = seen.state_reason().and_then(|reason| reason.message()).unwrap_or_default();
        let id = seen.image_id().unwrap_or_default();
        let mut all = differing(&[("name", &self.name, seen.name())]);
        all.extend(differences);
        Standing {
            id: id.to_owned(),
            holder: at.holder(seen.tags.as_deref()),
            stage: match seen.state() {
                Some(ImageState::Available) => Stage::Ready,
                None | Some(ImageState::Pending | ImageState::Transient) => Stage::Coming,
                Some(ImageState::Deregistered) => Stage::Going,
                Some(_) => Stage::Broken,
            },
            state: if why.is_empty() { format!("{state} ({id})") } else { format!("{state} ({id}): {why}") },
            differences: all,
            output: json!({ "id": id, "name": seen.name() }),
        }
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.images(at, at.ours("image-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, Image::tags), Image::image_id))
    }

    fn deregister(&self, id: &str) -> Call {
        Call::Ebs(EbsRequest::DeregisterImage { image_id: id.to_owned(), region: self.region.clone() })
    }

    fn delete(&self, snapshot: String) -> Call {
        Call::Ebs(EbsRequest::DeleteSnapshot { snapshot_id: snapshot, region: self.region.clone() })
    }

    fn inverse(&self, id: &str) -> Vec<Call> {
        vec![self.deregister(id), self.delete("\u{2039}what it is made of\u{203a}".to_owned())]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        let seen = self.images(at, vec![filter("image-id", [id])]).await?;
        Ok(at.holder(seen.first().and_then(|image| image.tags.as_deref())))
    }

    /// The image first, then what it stands on: AWS lets no snapshot go that an image is made of.
    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let image = self.images(at, vec![filter("image-id", [id])]).await?.into_iter().next();
        if let Some(image) = &image
            && !at.is_ours(image.tags.as_deref())
        {
            return Ok(Remains::NotOurs { said: at.whose(id, image.tags.as_deref()) });
        }
        let below = snapshots(&self.place(at), vec![crate::aws::lookup(&at.subject.engagement)]).await?;
        let ours = Holder::Us { key: self.label.key.clone() };
        let below = below.into_iter().filter(|one| at.holder(one.tags.as_deref()) == ours);
        let below = below.filter_map(|one: Snapshot| one.snapshot_id).map(|id| self.delete(id));
        let calls: Vec<Call> = image.iter().map(|_| self.deregister(id)).chain(below).collect();
        Ok(if calls.is_empty() { Remains::Gone } else { Remains::Takes(calls) })
    }
}

/// `aws/instance-image`
pub(super) struct TheInstanceImage {
    instance: String,
    reboots: bool,
    spot: Spot,
}

impl TheInstanceImage {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let label = Label { name: name(arguments)?, ..label(subject, arguments)? };
        let spot = Spot { name: label.name.clone(), region: None, label };
        let reboots = arguments.one_of("reboot", &["false", "true"])? == "true";
        Ok(TheInstanceImage { instance: arguments.text("instance")?, reboots, spot })
    }
}

#[async_trait]
impl Thing for TheInstanceImage {
    fn noun(&self) -> String {
        format!("image {}", self.spot.name)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Ebs(EbsRequest::CreateImage {
            instance_id: self.instance.clone(),
            name: self.spot.name.clone(),
            no_reboot: !self.reboots,
            tag_specifications: self.spot.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let seen = self.spot.seen(at).await?.map(|seen| {
            // Not every endpoint says of which host an image is.
            let from = seen.source_instance_id().or(Some(self.instance.as_str()));
            self.spot.standing(at, &seen, differing(&[("host", &self.instance, from)]))
        });
        Ok(standing::sight(at, (&self.noun(), &self.spot.label.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        self.spot.ours(at).await
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        self.spot.inverse(id)
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        self.spot.holder(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        self.spot.remains(at, made).await
    }
}

/// `aws/image-copy`
pub(super) struct TheImageCopy {
    source: String,
    source_region: String,
    region: String,
    kms_key: Option<String>,
    spot: Spot,
}

impl TheImageCopy {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (region, source_region) = (arguments.text("region")?, arguments.text("source_region")?);
        given_region(arguments, "source_region")?;
        let label = Label { name: name(arguments)?, ..label(subject, arguments)? };
        Ok(TheImageCopy {
            source: arguments.text("source")?,
            source_region,
            kms_key: key_for(arguments, "kms_key", Some(&region))?,
            spot: Spot { name: label.name.clone(), region: given_region(arguments, "region")?, label },
            region,
        })
    }
}

#[async_trait]
impl Thing for TheImageCopy {
    fn noun(&self) -> String {
        format!("image {} in {}", self.spot.name, self.region)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Ebs(EbsRequest::CopyImage {
            source_region: self.source_region.clone(),
            source_image_id: self.source.clone(),
            name: self.spot.name.clone(),
            encrypted: true,
            kms_key_id: self.kms_key.clone(),
            client_token: Token,
            tag_specifications: self.spot.label.clone(),
            region: self.region.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let seen = self.spot.seen(at).await?.map(|seen| {
            let from = seen.source_image_id().or(Some(self.source.as_str()));
            self.spot.standing(at, &seen, differing(&[("copied from", &self.source, from)]))
        });
        Ok(standing::sight(at, (&self.noun(), &self.spot.label.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        self.spot.ours(at).await
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        self.spot.inverse(id)
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        self.spot.holder(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        self.spot.remains(at, made).await
    }
}
