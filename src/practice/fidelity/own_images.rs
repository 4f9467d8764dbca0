//! Images that the account makes of its hosts, and copies of them from other regions. What an image stands on stays when it
//! goes.
//!
//! Rules: "Amazon EC2 API Reference", CreateImage, CopyImage and DeregisterImage.

use serde::{Deserialize, Serialize};

use super::Call;
use super::disks::{self, Abroad};
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::tags;
use super::tokens;
use super::world::{World, stamp};
use super::xml::Xml;

const TAGGABLE: [Kind; 2] = [Kind::Image, Kind::Snapshot];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OwnImage {
    pub name: String,
    /// The host that it was made of.
    pub instance: Option<String>,
    /// The image that it was copied of, and where that is.
    pub source: Option<(String, String)>,
    pub snapshots: Vec<String>,
    pub created: i64,
}

pub(super) fn state(world: &World, one: &OwnImage) -> &'static str {
    match world.now >= one.created + world.pace.millis(Wait::Image) {
        _ if one.snapshots.iter().any(|id| failed(world, id)) => "failed",
        true => "available",
        false => "pending",
    }
}

fn failed(world: &World, snapshot: &str) -> bool {
    world.disk_snapshots.get(snapshot).is_some_and(|one| disks::state(world, one) == "error")
}

pub(super) fn item(world: &World, id: &str, one: &OwnImage) -> Xml {
    let disk = |snapshot: &String| {
        let encrypted = world.disk_snapshots.get(snapshot).is_some_and(|one| one.encrypted);
        let disk = Xml::new().text("snapshotId", snapshot).text("volumeSize", 20).text("encrypted", encrypted);
        Xml::new().text("deviceName", "/dev/sda1").tree("ebs", disk.text("volumeType", "gp3"))
    };
    let head =
        Xml::new().text("imageId", id).text("imageState", state(world, one)).text("imageOwnerId", &world.account);
    let head = head.text("name", &one.name).text("creationDate", stamp(one.created)).text("isPublic", false);
    let head = head.text("imageType", "machine").text("rootDeviceType", "ebs").text("rootDeviceName", "/dev/sda1");
    let head = head.maybe("sourceInstanceId", one.instance.as_ref());
    let head = head.maybe("sourceImageId", one.source.as_ref().map(|(id, _)| id));
    let head = head.maybe("sourceImageRegion", one.source.as_ref().map(|(_, region)| region));
    head.set("blockDeviceMapping", one.snapshots.iter().map(disk)).set("tagSet", world.tag_set(id))
}

fn born(call: &mut Call<'_>, one: OwnImage, tags: super::world::Tags) -> String {
    let id = call.world.mint("ami");
    call.world.born(&id, tags);
    call.world.own_images.insert(id.clone(), one);
    id
}

fn name(call: &Call<'_>) -> Result<String, Refusal> {
    let name = call.ask.need("Name")?;
    let good = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if (3..=128).contains(&name.len()) && name.chars().all(good) {
        return Ok(name.to_owned());
    }
    Err(Refusal::new(
        "InvalidAMIName.Malformed",
        format!("AMI name '{name}' is invalid: it must have 3 to 128 characters."),
    ))
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (of_image, of_disks) =
        (tags::given(call.ask, Kind::Image, &TAGGABLE)?, tags::given(call.ask, Kind::Snapshot, &TAGGABLE)?);
    let (name, instance) = (name(call)?, call.ask.need("InstanceId")?.to_owned());
    let host = call.world.instance(&instance)?;
    if call.world.instance_state(host) != "running" {
        let message = format!("The instance '{instance}' is not in a state from which an image can be made.");
        return Err(Refusal::new("IncorrectState", message));
    }
    if let Some((other, _)) = call.world.own_images.iter().find(|(_, image)| image.name == name) {
        let message = format!("AMI name {name} is already in use by AMI {other}");
        return Err(Refusal::new("InvalidAMIName.Duplicate", message));
    }
    let volume = host.volume.clone();
    let disk = disks::of_volume(call.world, &volume, &format!("Created by CreateImage({instance})"))?;
    let disk = disks::born(call.world, disk, of_disks);
    let (snapshots, created) = (vec![disk], call.world.now);
    let id = born(call, OwnImage { name, instance: Some(instance), source: None, snapshots, created }, of_image);
    Ok(Xml::new().text("imageId", id))
}

pub(super) fn copy(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (of_image, of_disks) =
        (tags::given(call.ask, Kind::Image, &TAGGABLE)?, tags::given(call.ask, Kind::Snapshot, &TAGGABLE)?);
    if let Some(ids) = tokens::made_before(call)? {
        return Ok(Xml::new().text("imageId", ids.first().map_or("", String::as_str)));
    }
    let (name, region) = (name(call)?, call.ask.need("SourceRegion")?.to_owned());
    let source = call.ask.need("SourceImageId")?.to_owned();
    let Some(Abroad::Image { state, disks, .. }) = call.abroad.take() else {
        return Err(Refusal::new("InvalidAMIID.NotFound", format!("The image id '[{source}]' does not exist")));
    };
    if state != "available" {
        return Err(Refusal::new("InvalidAMIID.Unavailable", format!("The image {source} is {state}.")));
    }
    let described = format!("Copied for DestinationAmi from SourceAmi {source}");
    let copies: Vec<_> = disks.iter().map(|disk| disks::copy_of(call.world, disk, call.ask, &described)).collect();
    let snapshots = copies.into_iter().map(|disk| disks::born(call.world, disk, of_disks.clone())).collect();
    let created = call.world.now;
    let made = OwnImage { name, instance: None, source: Some((source, region)), snapshots, created };
    let id = born(call, made, of_image);
    tokens::remember(call, vec![id.clone()]);
    Ok(Xml::new().text("imageId", id))
}

pub(super) fn deregister(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("ImageId")?.to_owned();
    let there = call.world.own_images.contains_key(&id) && call.world.visible(&id);
    if !there {
        return Err(Refusal::new("InvalidAMIID.Unavailable", format!("The image id '[{id}]' is no longer available")));
    }
    let gone = call.world.own_images.remove(&id);
    call.world.forget(&id);
    if call.ask.yes("DeleteAssociatedSnapshots") {
        for snapshot in gone.into_iter().flat_map(|image| image.snapshots) {
            call.world.disk_snapshots.remove(&snapshot);
            call.world.forget(&snapshot);
        }
    }
    Ok(Xml::new().text("return", true))
}
