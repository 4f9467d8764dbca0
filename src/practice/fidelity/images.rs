//! The machine images that exist: Canonical's Ubuntu and Red Hat's RHEL as their owners name them, and what CIS sells of
//! both on the Marketplace. What stands behind the level in CIS's names is not known for every image; here it is a version.

use super::describe::describe;
use super::own_images;
use super::pace::Wait;
use super::refusal::Refusal;
use super::world::World;
use super::xml::Xml;
use super::{Call, Layer};

/// Owner ids: documentation.ubuntu.com/aws (Canonical), access.redhat.com/solutions/15356 (Red Hat).
const CANONICAL: &str = "099720109477";
const RED_HAT: &str = "309956199498";
/// The account of every image on the AWS Marketplace.
const MARKETPLACE: &str = "679593333241";

/// One image. Its id depends on the region, as on AWS.
#[derive(Debug)]
pub(super) struct Image {
    pub name: &'static str,
    pub architecture: &'static str,
    /// The user that its cloud-init makes.
    pub user: &'static str,
    /// Of the disk that it is made of, in GiB.
    pub size: u32,
    /// What it is sold as on the Marketplace.
    pub product: Option<&'static str>,
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
    let (owner, user) = (CANONICAL, "ubuntu");
    Image { name, architecture, user, size: 8, product: None, owner, description, created: day[0], deprecated: day[1] }
}

const fn rhel(name: &'static str, architecture: &'static str, day: [&'static str; 2]) -> Image {
    let (owner, user, description) = (RED_HAT, "ec2-user", "Provided by Red Hat, Inc.");
    Image { name, architecture, user, size: 10, product: None, owner, description, created: day[0], deprecated: day[1] }
}

const fn cis(name: &'static str, user: &'static str, product: &'static str, day: [&'static str; 2]) -> Image {
    let (owner, architecture, description) = (MARKETPLACE, "x86_64", name);
    let product = Some(product);
    Image { name, architecture, user, size: 30, product, owner, description, created: day[0], deprecated: day[1] }
}

const JAMMY: &str = "Canonical, Ubuntu, 22.04, amd64 jammy image";
const JAMMY_ARM: &str = "Canonical, Ubuntu, 22.04, arm64 jammy image";
const NOBLE: &str = "Canonical, Ubuntu, 24.04, amd64 noble image";
const NOBLE_ARM: &str = "Canonical, Ubuntu, 24.04, arm64 noble image";

const CIS_DAYS: [&str; 2] = ["2026-05-06T14:20:11.000Z", "2028-05-06T14:20:11.000Z"];
const STIG_DAYS: [&str; 2] = ["2026-07-02T09:41:37.000Z", "2028-07-02T09:41:37.000Z"];

const IMAGES: [Image; 25] = [
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
        "RHEL-10.1.0_HVM_GA-20251031-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2025-10-31T16:02:51.000Z", "2027-10-31T16:02:51.000Z"],
    ),
    rhel(
        "RHEL-10.1.0_HVM-20260616-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2026-06-16T18:13:04.000Z", "2028-06-16T18:13:04.000Z"],
    ),
    rhel(
        "RHEL-10.2.0_HVM_BETA-20260701-x86_64-0-Hourly2-GP3",
        "x86_64",
        ["2026-07-01T12:00:09.000Z", "2028-07-01T12:00:09.000Z"],
    ),
    cis("CIS Ubuntu Linux 22.04 LTS Benchmark - Level 1 - v11", "ubuntu", "2practice01cislevel1", CIS_DAYS),
    cis("CIS Ubuntu Linux 22.04 LTS Benchmark - Level 2 - v11", "ubuntu", "2practice02cislevel2", CIS_DAYS),
    cis("CIS Ubuntu Linux 24.04 LTS Benchmark - Level 1 - v11", "ubuntu", "2practice03cislevel1", CIS_DAYS),
    cis("CIS Ubuntu Linux 24.04 LTS Benchmark - Level 2 - v11", "ubuntu", "2practice04cislevel2", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 8 Benchmark - Level 1 - v11", "ec2-user", "2practice05cislevel1", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 8 Benchmark - Level 2 - v11", "ec2-user", "2practice06cislevel2", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 9 Benchmark - Level 1 - v11", "ec2-user", "2practice07cislevel1", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 9 Benchmark - Level 2 - v11", "ec2-user", "2practice08cislevel2", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 10 Benchmark - Level 1 - v11", "ec2-user", "2practice09cislevel1", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 10 Benchmark - Level 2 - v11", "ec2-user", "2practice10cislevel2", CIS_DAYS),
    cis("CIS Red Hat Enterprise Linux 9 STIG Benchmark - Level 2 - v04", "ec2-user", "2practice90stig", STIG_DAYS),
];

fn id(region: &str, image: &Image) -> String {
    format!("ami-0{}", &blake3::hash(format!("{region}/{}", image.name).as_bytes()).to_hex()[..16])
}

/// Ubuntu 24.04 in this region, as somebody who launches a host by hand takes it.
pub(super) fn noble(region: &str) -> String {
    let noble = |image: &&Image| image.description == NOBLE;
    IMAGES.iter().rfind(noble).map(|image| id(region, image)).unwrap_or_default()
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

impl Image {
    /// The word that DescribeImages takes for its owner too.
    fn alias(&self) -> &'static str {
        if self.product.is_some() { "aws-marketplace" } else { "amazon" }
    }

    /// Where its terms are accepted, as RunInstances says it (no image of ours leads to a page).
    pub fn terms(&self, product: &str) -> Refusal {
        let message = format!(
            "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please visit \
             https://aws.amazon.com/marketplace/pp?sku={product}"
        );
        Refusal::new("OptInRequired", message)
    }
}

impl World {
    /// Has somebody accepted the terms of this product?
    pub fn accepted(&self, product: &str) -> bool {
        self.terms.get(product).is_some_and(|when| *when <= self.now)
    }
}

impl Layer {
    /// Somebody at the customer's who may buy was asked to accept the terms of the images that this text names.
    pub(crate) fn customer_buys(&mut self, region: &str, now: i64, text: &str) {
        let world = self.world(region);
        let when = now + world.pace.millis(Wait::CustomerBuys);
        let named = IMAGES.iter().filter(|image| text.contains(image.name)).filter_map(|image| image.product);
        for product in named {
            world.terms.entry(product.to_owned()).or_insert(when);
        }
    }
}

fn item(region: &str, image: &Image) -> Xml {
    let id = id(region, image);
    let snapshot = id.replace("ami-", "snap-");
    let disk = Xml::new().text("snapshotId", snapshot).text("volumeSize", image.size);
    let disk = disk.text("deleteOnTermination", true).text("volumeType", "gp3").text("encrypted", false);
    let head = Xml::new().text("imageId", id).text("imageLocation", format!("{}/{}", image.alias(), image.name));
    let head = head.text("imageState", "available").text("imageOwnerId", image.owner);
    let head = head.text("imageOwnerAlias", image.alias());
    let head =
        head.text("creationDate", image.created).text("deprecationTime", image.deprecated).text("isPublic", true);
    let head = head.text("architecture", image.architecture).text("imageType", "machine").text("name", image.name);
    let platform = if image.user == "ec2-user" { "Red Hat Enterprise Linux" } else { "Linux/UNIX" };
    let sold = |code| Xml::new().text("productCode", code).text("type", "marketplace");
    let head = head.set("productCodes", image.product.map(sold));
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
            && (owners.is_empty() || owners.iter().any(|owner| [image.owner, image.alias()].contains(owner)))
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
