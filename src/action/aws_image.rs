//! The images that hosts are launched from: the newest of a family, as its publisher makes it or as CIS hardens it, or one that
//! was chosen; and whether this account may launch it.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_compute::TheInstance;
use super::call::Call;
use super::check::Question;
use super::object::{Thing, found};
use super::sending::{Rehearsed, rehearsed};
use super::world::Subject;
use super::{Failure, Trouble, Verified, World};
use crate::aws::ec2::types::{Image, ImageState};
use crate::aws::{AwsFailure, Cloud, Operation, filter};

/// By which account one publisher's images are known: there is one in each part of AWS, and whose name a stranger can take.
struct Owners {
    world: &'static str,
    us_government: Option<&'static str>,
    china: Option<&'static str>,
}

impl Owners {
    /// None where the publisher's account is not known.
    fn of(&self, region: &str) -> Option<&'static str> {
        match region.split('-').collect::<Vec<_>>().as_slice() {
            ["us", "gov", ..] => self.us_government,
            ["cn", ..] => self.china,
            ["eusc", ..] => None,
            _ => Some(self.world),
        }
    }
}

/// The publishers' own pages on finding their images name these, Debian's those of the Marketplace outside of the world's part.
const CANONICAL: Owners =
    Owners { world: "099720109477", us_government: Some("513442679011"), china: Some("837727238323") };
const RED_HAT: Owners =
    Owners { world: "309956199498", us_government: Some("219670896067"), china: Some("841258680906") };
const DEBIAN: Owners = Owners { world: "136693071363", us_government: None, china: None };
const AMAZON: Owners =
    Owners { world: "137112412989", us_government: Some("045324592363"), china: Some("141808717104") };

/// The owner of every image on the Marketplace, as DescribeImages takes it (EC2 API reference). China has a Marketplace of its
/// own, and nobody has seen CIS in it.
const MARKETPLACE: Owners = Owners { world: "aws-marketplace", us_government: Some("aws-marketplace"), china: None };

/// One family of images: who publishes it, how its names look, and the user it comes with.
struct Family {
    name: &'static str,
    owners: Owners,
    /// `{}` is the architecture in the publisher's own spelling.
    pattern: &'static str,
    x86_64: &'static str,
    arm64: &'static str,
    user: &'static str,
    /// What CIS calls it in the names of its own images, if CIS has any.
    at_cis: Option<&'static str>,
}

const fn ubuntu(name: &'static str, pattern: &'static str, at_cis: &'static str) -> Family {
    let (owners, at_cis) = (CANONICAL, Some(at_cis));
    Family { name, owners, pattern, x86_64: "amd64", arm64: "arm64", user: "ubuntu", at_cis }
}

const fn rhel(name: &'static str, pattern: &'static str, at_cis: &'static str) -> Family {
    let (owners, at_cis) = (RED_HAT, Some(at_cis));
    Family { name, owners, pattern, x86_64: "x86_64", arm64: "arm64", user: "ec2-user", at_cis }
}

const fn debian(name: &'static str, pattern: &'static str) -> Family {
    Family { name, owners: DEBIAN, pattern, x86_64: "amd64", arm64: "arm64", user: "admin", at_cis: None }
}

/// The first image of a minor release of Red Hat's is called `_HVM_GA-`, those after it `_HVM-`; `Hourly2` has the subscription in its price.
const FAMILIES: [Family; 8] = [
    ubuntu("ubuntu-22.04", "ubuntu/images/hvm-ssd*/ubuntu-jammy-22.04-{}-server-*", "Ubuntu Linux 22.04"),
    ubuntu("ubuntu-24.04", "ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-{}-server-*", "Ubuntu Linux 24.04"),
    rhel("rhel-8", "RHEL-8.*_HVM*-{}-*-Hourly2-GP*", "Red Hat Enterprise Linux 8"),
    rhel("rhel-9", "RHEL-9.*_HVM*-{}-*-Hourly2-GP*", "Red Hat Enterprise Linux 9"),
    rhel("rhel-10", "RHEL-10.*_HVM*-{}-*-Hourly2-GP*", "Red Hat Enterprise Linux 10"),
    debian("debian-12", "debian-12-{}-*"),
    debian("debian-13", "debian-13-{}-*"),
    Family {
        name: "amazon-linux-2023",
        owners: AMAZON,
        pattern: "al2023-ami-2023.*-kernel-*-{}",
        x86_64: "x86_64",
        arm64: "arm64",
        user: "ec2-user",
        at_cis: None,
    },
];

/// Words in the names of images that the patterns find as well, and that are something else.
const OTHERS: [&str; 5] = ["BETA", "STIG", "DOCKER", "CONTAINER", "EKS"];

/// `aws/image`: the newest image of a family, by its publisher, or the one that was chosen. The journal keeps which one it was.
pub(super) struct TheImage {
    family: &'static Family,
    architecture: &'static str,
    /// CIS's name of the family, and the level of its benchmark.
    hardened: Option<(&'static str, char)>,
    chosen: Option<Chosen>,
}

/// One image and no other, and the accounts besides our own, the publisher's and the Marketplace that it may be of.
struct Chosen {
    id: String,
    owners: Vec<String>,
}

impl TheImage {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let names = FAMILIES.each_ref().map(|family| family.name);
        arguments.text("family")?;
        let wanted = arguments.one_of("family", &names)?;
        let architecture = arguments.one_of("architecture", &["x86_64", "arm64"])?;
        let family = FAMILIES.iter().find(|family| family.name == wanted).unwrap_or(&FAMILIES[0]);
        let level = match arguments.one_of("hardening", &["none", "cis_l1", "cis_l2"])? {
            "cis_l1" => Some('1'),
            "cis_l2" => Some('2'),
            _ => None,
        };
        let hardened = match (level, family.at_cis) {
            (None, _) => None,
            (Some(level), Some(product)) => Some((product, level)),
            (Some(_), None) => {
                let what = format!("onramp knows no image of {wanted} that CIS has hardened");
                return Err(Failure::new(what, "Choose Ubuntu or Red Hat, or the image as it is."));
            }
        };
        let owners = arguments.list("owners")?;
        let chosen = arguments.optional("id")?.map(|id| Chosen { id, owners });
        Ok(TheImage { family, architecture, hardened, chosen })
    }

    fn owner(&self, region: &str) -> Option<&'static str> {
        if self.hardened.is_some() { MARKETPLACE.of(region) } else { self.family.owners.of(region) }
    }

    /// Which names; the architecture is not in those of CIS.
    fn pattern(&self) -> String {
        let word = if self.architecture == "arm64" { self.family.arm64 } else { self.family.x86_64 };
        match self.hardened {
            Some((product, level)) => format!("CIS {product}*Level {level}*"),
            None => self.family.pattern.replace("{}", word),
        }
    }

    fn called(&self) -> String {
        match self.hardened {
            Some((_, level)) => format!("{} by CIS, level {level},", self.family.name),
            None => self.family.name.to_owned(),
        }
    }
}

fn is_meant(image: &Image) -> bool {
    let name = image.name().unwrap_or_default().to_uppercase();
    image.state().is_none_or(|state| *state == ImageState::Available) && !OTHERS.iter().any(|word| name.contains(word))
}

#[async_trait]
impl Question for TheImage {
    async fn ask(&self, world: &World) -> Verified {
        if let Some(chosen) = &self.chosen {
            return asked(world, async |cloud| self.ask_for(chosen, &cloud).await).await;
        }
        asked(world, async |cloud| {
            let pattern = self.pattern();
            let Some(owner) = self.owner(cloud.region()) else {
                return Ok(Verified::NotSo(self.unpublished(cloud.region())));
            };
            // Deprecated ones are not shown to anybody but their owner.
            let request = cloud
                .ec2()
                .describe_images()
                .owners(owner)
                .filters(filter("name", [pattern.as_str()]))
                .filters(filter("architecture", [self.architecture]))
                .filters(filter("state", ["available"]));
            let images =
                cloud.read(Operation::DescribeImages, || request.clone().send()).await?.images.unwrap_or_default();
            let newest = images
                .iter()
                .filter(|image| is_meant(image))
                .max_by_key(|image| image.creation_date().unwrap_or_default());
            Ok(match newest {
                Some(image) => Verified::So(self.found(image)),
                None => Verified::NotSo(self.missing(cloud.region(), &pattern, owner)),
            })
        })
        .await
    }
}

impl TheImage {
    async fn ask_for(&self, chosen: &Chosen, cloud: &Cloud) -> Result<Verified, AwsFailure> {
        // Of one that is deprecated EC2 tells only its owner, and whoever asks for it by id.
        let request = cloud.ec2().describe_images().image_ids(&chosen.id).include_deprecated(true);
        let images = match cloud.read(Operation::DescribeImages, || request.clone().send()).await {
            Ok(answer) => answer.images.unwrap_or_default(),
            Err(failure) if failure.code.as_deref() == Some("InvalidAMIID.NotFound") => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let Some(image) = images.first() else {
            let what = format!("there is no image {} in {}, or this account may not use it", chosen.id, cloud.region());
            let advice = "An image is of one region: correct the id, or let its owner share it with this account (and the key of its disk).";
            return Ok(Verified::NotSo(Failure::new(what, advice)));
        };
        let account = cloud.identity().await?.account;
        Ok(match self.unfit(chosen, image, &account, cloud.region(), Timestamp::now()) {
            None => Verified::So(self.found(image)),
            Some(failure) => Verified::NotSo(failure),
        })
    }

    /// Why the chosen image is not launched, if it is not.
    fn unfit(&self, chosen: &Chosen, image: &Image, account: &str, region: &str, now: Timestamp) -> Option<Failure> {
        let id = &chosen.id;
        let owner = image.owner_id().unwrap_or_default();
        let is_known = owner == account
            || image.image_owner_alias() == Some("aws-marketplace")
            || self.family.owners.of(region) == Some(owner)
            || chosen.owners.iter().any(|one| one == owner);
        if !is_known {
            let what = format!("{id} belongs to account {owner}, and nobody has said that its images are used");
            return Some(Failure::new(
                what,
                "Name that account as an owner, if it is the customer's; an image runs whatever its maker put in it.",
            ));
        }
        let architecture = image.architecture().map_or("", |one| one.as_str());
        if architecture != self.architecture {
            let what = format!("{id} is for {architecture}, and the hosts are {}", self.architecture);
            return Some(Failure::new(what, "Choose an image for the processors of the instance types."));
        }
        if image.platform().is_some() {
            return Some(Failure::new(format!("{id} is of Windows"), "The hosts are Linux: choose another image."));
        }
        if let Some(state) = image.state().filter(|state| **state != ImageState::Available) {
            let what = format!("{id} is {}, not available", state.as_str());
            return Some(Failure::new(what, "Wait until it is, or choose another one."));
        }
        let until =
            image.deprecation_time().filter(|until| until.parse().is_ok_and(|until: Timestamp| until <= now))?;
        let what = format!("{id} is deprecated since {}", until.get(..10).unwrap_or(until));
        Some(Failure::new(what, "It gets no updates any more and can go at any time. Choose its successor."))
    }

    fn unpublished(&self, region: &str) -> Failure {
        let what = format!("onramp does not know who publishes images of {} in {region}", self.called());
        let advice = "Publishers have another account in each part of AWS, and an image of the same name can be anybody's. Choose \
                      another family, or launch the hosts yourselves and list them as existing.";
        Failure::new(what, advice)
    }

    fn missing(&self, region: &str, pattern: &str, owner: &str) -> Failure {
        let what = format!("there is no image of {} for {} in {region}", self.called(), self.architecture);
        let advice = format!("It was looked for as \"{pattern}\" of {owner}. Choose another family, or none of CIS.");
        Failure::new(what, advice)
    }

    fn found(&self, image: &Image) -> super::Found {
        let (id, name) = (image.image_id().unwrap_or_default(), image.name().unwrap_or_default());
        let root = image.root_device_name().unwrap_or("/dev/sda1");
        let until = image.deprecation_time().and_then(|time| time.get(..10));
        let until = until.map(|day| format!(", offered until {day}")).unwrap_or_default();
        let output = json!({ "id": id, "name": name, "user": self.family.user, "root_device": root });
        found(format!("{id}, {name}{until}"), output)
    }
}

/// `aws/launch-allowed`: this account may launch the image. EC2 is asked by a rehearsal of the launch, and launches nothing;
/// terms of the Marketplace that nobody has accepted are waited for.
pub(super) struct LaunchAllowed {
    image: String,
    launch: TheInstance,
}

impl LaunchAllowed {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(LaunchAllowed { image: arguments.text("image")?, launch: TheInstance::new(arguments, subject)? })
    }
}

/// What the launch builds on that only an earlier step can tell.
fn is_whole(call: &Call) -> bool {
    let Call::RunInstances(launch) = call else { return false };
    [&launch.image_id, &launch.subnet_id, &launch.key_name]
        .into_iter()
        .chain(&launch.security_group_ids)
        .all(|id| known(id))
}

#[async_trait]
impl Question for LaunchAllowed {
    async fn ask(&self, world: &World) -> Verified {
        let calls = self.launch.calls();
        let Some(call) = calls.first().filter(|call| is_whole(call)) else {
            return Verified::NotYet { said: "what it is launched from and into is not there yet".to_owned() };
        };
        let cloud = match world.cloud() {
            Ok(cloud) => cloud.rehearsing(),
            Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
        };
        match rehearsed(world, &cloud, call).await {
            Rehearsed::Allowed => Verified::So(found(format!("AWS would launch {}", self.image), json!({}))),
            Rehearsed::Refused(failure) if failure.code.as_deref() == Some("OptInRequired") => {
                Verified::NotYet { said: failure.raw.trim().to_owned() }
            }
            Rehearsed::Refused(failure) => Verified::Unknown(Trouble::Failure(failure.into())),
            Rehearsed::Made => Verified::NotSo(Failure::new(
                "the endpoint launched a host that was only to be rehearsed",
                "Look for it there, and use an endpoint that knows DryRun.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, level: Option<char>) -> TheImage {
        let family = FAMILIES.iter().find(|family| family.name == name).unwrap();
        let hardened = level.map(|level| (family.at_cis.unwrap(), level));
        TheImage { family, architecture: "x86_64", hardened, chosen: None }
    }

    #[test]
    fn a_publisher_has_another_account_in_each_part_of_aws() {
        let owners = |family: &str, level: Option<char>| {
            ["eu-west-1", "us-gov-west-1", "cn-north-1"].map(|region| image(family, level).owner(region))
        };
        let all = |owners: [&'static str; 3]| owners.map(Some);
        assert_eq!(owners("ubuntu-24.04", None), all(["099720109477", "513442679011", "837727238323"]));
        assert_eq!(owners("rhel-9", None), all(["309956199498", "219670896067", "841258680906"]));
        assert_eq!(owners("amazon-linux-2023", None), all(["137112412989", "045324592363", "141808717104"]));
        assert_eq!(owners("debian-12", None), [Some("136693071363"), None, None]);
        assert_eq!(owners("rhel-9", Some('1')), [Some("aws-marketplace"), Some("aws-marketplace"), None]);
        let refused = image("ubuntu-24.04", Some('2')).unpublished("cn-north-1");
        assert!(refused.what.contains("ubuntu-24.04 by CIS, level 2, in cn-north-1"), "{refused:?}");
    }

    #[test]
    fn a_chosen_image_is_of_somebody_who_was_named_and_can_run() {
        use crate::aws::ec2::types::{ArchitectureValues, PlatformValues};
        let chosen = Chosen { id: "ami-0abcdef1234567890".to_owned(), owners: vec!["222233334444".to_owned()] };
        let good = || {
            let one = Image::builder().image_id("ami-0abcdef1234567890").owner_id("222233334444");
            one.architecture(ArchitectureValues::X8664)
                .state(ImageState::Available)
                .deprecation_time("2027-01-01T00:00:00.000Z")
        };
        let at: Timestamp = "2026-11-28T00:00:00Z".parse().unwrap();
        let image_of_family = self::image("ubuntu-24.04", None);
        let why = |image: Image| {
            image_of_family.unfit(&chosen, &image, "123456789012", "eu-west-1", at).map(|failure| failure.what)
        };
        assert_eq!(why(good().build()), None);
        for owner in ["123456789012", "099720109477"] {
            assert_eq!(why(good().owner_id(owner).build()), None, "ours, and the publisher of the family");
        }
        assert_eq!(why(good().owner_id("679593333241").image_owner_alias("aws-marketplace").build()), None);
        let refused = [
            (good().owner_id("309956199498"), "belongs to account 309956199498"),
            (good().architecture(ArchitectureValues::Arm64), "is for arm64, and the hosts are x86_64"),
            (good().platform(PlatformValues::Windows), "is of Windows"),
            (good().state(ImageState::Pending), "is pending, not available"),
            (good().deprecation_time("2026-11-27T23:59:00.000Z"), "is deprecated since 2026-11-27"),
        ];
        for (image, says) in refused {
            let what = why(image.build()).unwrap();
            assert!(what.contains(says), "{what}");
        }
    }
}
