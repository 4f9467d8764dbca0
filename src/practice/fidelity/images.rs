//! The machine images that exist: Canonical's Ubuntu and Red Hat's RHEL, as their owners name them.

use super::Call;
use super::describe::describe;
use super::own_images;
use super::refusal::Refusal;
use super::xml::Xml;

/// Owner ids: documentation.ubuntu.com/aws (Canonical), access.redhat.com/solutions/15356 (Red Hat).
const CANONICAL: &str = "099720109477";
const RED_HAT: &str = "309956199498";

/// One image. Its id depends on the region, as on AWS.
#[derive(Debug)]
pub(super) struct Image {
    pub name: &'static str,
    pub architecture: &'static str,
    /// The user that its cloud-init makes.
    pub user: &'static str,
    owner: &'static str,
    description: &'static str,
    created: &'static str,
    deprecated: &'static str,
}

const fn ubuntu(
    name: &'static str,
    architecture: &'static str,
    description: &'static str,
    day: [&'static str; 2],
) -> Image {
    Image { name, architecture, user: "ubuntu", owner: CANONICAL, description, created: day[0], deprecated: day[1] }
}

const fn rhel(name: &'static str, architecture: &'static str, day: [&'static str; 2]) -> Image {
    let description = "Provided by Red Hat, Inc.";
    Image { name, architecture, user: "ec2-user", owner: RED_HAT, description, created: day[0], deprecated: day[1] }
}

const JAMMY: &str = "Canonical, Ubuntu, 22.04, amd64 jammy image";
const JAMMY_ARM: &str = "Canonical, Ubuntu, 22.04, arm64 jammy image";
const NOBLE: &str = "Canonical, Ubuntu, 24.04, amd64 noble image";
const NOBLE_ARM: &str = "Canonical, Ubuntu, 24.04, arm64 noble image";

const IMAGES: [Image; 12] = [
    ubuntu(
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260415",
        "x86_64",
        JAMMY,
        ["2026-04-15T04:51:22.000Z", "2028-04-15T04:51:22.000Z"],
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260712",
        "x86_64",
        JAMMY,
        ["2026-07-12T05:07:41.000Z", "2028-07-12T05:07:41.000Z"],
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-20260712",
        "arm64",
        JAMMY_ARM,
        ["2026-07-12T05:11:03.000Z", "2028-07-12T05:11:03.000Z"],
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260321",
        "x86_64",
        NOBLE,
        ["2026-03-21T06:30:12.000Z", "2028-03-21T06:30:12.000Z"],
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260518",
        "x86_64",
        NOBLE,
        ["2026-05-18T06:22:55.000Z", "2028-05-18T06:22:55.000Z"],
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260714",
        "x86_64",
        NOBLE,
        ["2026-07-14T06:18:36.000Z", "2028-07-14T06:18:36.000Z"],
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260714",
        "arm64",
        NOBLE_ARM,
        ["2026-07-14T06:20:09.000Z", "2028-07-14T06:20:09.000Z"],
    ),
    rhel(
        "RHEL-8.10.0_HVM-20260210-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2026-02-10T19:02:48.000Z", "2028-02-10T19:02:48.000Z"],
    ),
    rhel(
        "RHEL-9.6.0_HVM-20260114-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2026-01-14T20:11:57.000Z", "2028-01-14T20:11:57.000Z"],
    ),
    rhel(
        "RHEL-9.7.0_HVM-20260609-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2026-06-09T18:40:31.000Z", "2028-06-09T18:40:31.000Z"],
    ),
    rhel(
        "RHEL-9.7.0_HVM-20260609-arm64-0-Hourly2-GP3",
        "arm64",
        ["2026-06-09T18:44:12.000Z", "2028-06-09T18:44:12.000Z"],
    ),
    rhel(
        "RHEL-10.1.0_HVM-20260616-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2026-06-16T18:13:04.000Z", "2028-06-16T18:13:04.000Z"],
    ),
];

fn id(region: &str, image: &Image) -> String {
    format!("ami-0{}", &blake3::hash(format!("{region}/{}", image.name).as_bytes()).to_hex()[..16])
}

/// The image with this id in this region.
pub(super) fn find(region: &str, wanted: &str) -> Result<&'static Image, Refusal> {
    let digits = wanted.strip_prefix("ami-").unwrap_or_default();
    if ![8, 17].contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = format!("Invalid id: \"{wanted}\" (expecting \"ami-...\")");
        return Err(Refusal::new("InvalidAMIID.Malformed", message));
    }
    let none = || Refusal::new("InvalidAMIID.NotFound", format!("The image id '[{wanted}]' does not exist"));
    IMAGES.iter().find(|image| id(region, image) == wanted).ok_or_else(none)
}

fn item(region: &str, image: &Image) -> Xml {
    let id = id(region, image);
    let snapshot = id.replace("ami-", "snap-");
    let disk = Xml::new().text("snapshotId", snapshot).text("volumeSize", if image.owner == RED_HAT { 10 } else { 8 });
    let disk = disk.text("deleteOnTermination", true).text("volumeType", "gp3").text("encrypted", false);
    let head = Xml::new().text("imageId", id).text("imageLocation", format!("amazon/{}", image.name));
    let head = head.text("imageState", "available").text("imageOwnerId", image.owner).text("imageOwnerAlias", "amazon");
    let head =
        head.text("creationDate", image.created).text("deprecationTime", image.deprecated).text("isPublic", true);
    let head = head.text("architecture", image.architecture).text("imageType", "machine").text("name", image.name);
    let platform = if image.owner == RED_HAT { "Red Hat Enterprise Linux" } else { "Linux/UNIX" };
    let head = head.text("platformDetails", platform).text("description", image.description).text("enaSupport", true);
    let head = head.text("rootDeviceType", "ebs").text("rootDeviceName", "/dev/sda1").text("virtualizationType", "hvm");
    let head = head.text("hypervisor", "xen").text("sriovNetSupport", "simple").text("bootMode", "uefi-preferred");
    head.set("blockDeviceMapping", [Xml::new().text("deviceName", "/dev/sda1").tree("ebs", disk)])
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let region = &call.world.region;
    let ids = call.ask.list("ImageId");
    let world = &*call.world;
    let own = |id: &str| world.own_images.contains_key(id) && world.visible(id);
    for wanted in ids.iter().filter(|id| !own(id)) {
        find(region, wanted)?;
    }
    let owners = call.ask.list("Owner");
    let account = |owner: &&&str| owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit());
    let known = |owner: &&&str| ["self", "amazon", "aws-marketplace"].contains(*owner) || account(owner);
    if let Some(wrong) = owners.iter().find(|owner| !known(owner)) {
        return Err(Refusal::new("InvalidUserID.Malformed", format!("Invalid user id: \"{wrong}\"")));
    }
    let wanted = IMAGES.iter().filter(|image| {
        (ids.is_empty() || ids.contains(&id(region, image).as_str()))
            && (owners.is_empty() || owners.iter().any(|owner| *owner == image.owner || *owner == "amazon"))
    });
    let mine = |owner: &&str| *owner == "self" || *owner == world.account;
    let of_ours = world.own_images.iter().filter(|(id, _)| {
        world.visible(id)
            && (ids.is_empty() || ids.contains(&id.as_str()))
            && (owners.is_empty() || owners.iter().any(mine))
    });
    let of_ours = of_ours.map(|(id, image)| own_images::item(world, id, image));
    let items = wanted.map(|image| item(region, image)).chain(of_ours);
    let filters = &[
        ("name", "name"),
        ("image-id", "imageId"),
        ("owner-id", "imageOwnerId"),
        ("owner-alias", "imageOwnerAlias"),
        ("architecture", "architecture"),
        ("state", "imageState"),
        ("is-public", "isPublic"),
        ("image-type", "imageType"),
        ("description", "description"),
        ("creation-date", "creationDate"),
        ("platform-details", "platformDetails"),
        ("root-device-type", "rootDeviceType"),
        ("virtualization-type", "virtualizationType"),
        ("ena-support", "enaSupport"),
    ];
    describe(call.ask, "imagesSet", items.collect(), filters)
}
