//! The kinds of disks and images, and of what holds for all new ones and for all buckets.

use super::super::aws_ebs::{TheSnapshot, TheSnapshotCopy};
use super::super::aws_ec2_settings::{EncryptionByDefault, MetadataDefaults};
use super::super::aws_images::{TheImageCopy, TheInstanceImage};
use super::super::aws_public_block::PublicBlock;
use super::super::object::Object;
use super::rds::REGION;
use super::{KEY, NAME, Row, may, must};
use crate::aws::Operation::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/ebs-encryption",
        summary: "Every new disk of a region is encrypted, whoever makes it; its undo puts back what was set before",
        arguments: &[REGION],
        results: &[("enabled", "true")],
        sends: &[GetEbsEncryptionByDefault, EnableEbsEncryptionByDefault, DisableEbsEncryptionByDefault],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(EncryptionByDefault::new(arguments, subject)?))),
    },
    Row {
        name: "aws/metadata-defaults",
        summary: "How new hosts of a region give out their metadata; its undo puts back what was set before",
        arguments: &[
            may("tokens", "required or optional: whether only a session token opens it; required when not given"),
            may("hops", "how far an answer goes, 1 to 64; 2 when not given, as for containers"),
            REGION,
        ],
        results: &[("tokens", "as set"), ("hops", "as set")],
        sends: &[GetInstanceMetadataDefaults, ModifyInstanceMetadataDefaults],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(MetadataDefaults::new(arguments, subject)?))),
    },
    Row {
        name: "aws/account-public-block",
        summary: "No bucket of the account can be made public, in whatever region; its undo puts back what was set before",
        arguments: &[must("account", "twelve digits")],
        results: &[("blocked", "true")],
        sends: &[GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(PublicBlock::new(arguments, subject)?))),
    },
    Row {
        name: "aws/ebs-snapshot",
        summary: "A snapshot of a disk, or of all disks of a host at one moment; give it `within: 3h`",
        arguments: &[
            may("volume", "vol-…"),
            may("instance", "or i-…"),
            may("boot", "false to leave out the disk that a host starts from; true when not given"),
            KEY,
            NAME,
        ],
        results: &[
            ("id", "snap-…, the first one"),
            ("ids", "list of all of them"),
            ("volumes", "list of the ids of the disks that they are of, in the same order"),
        ],
        sends: &[DescribeSnapshots, CreateSnapshot, CreateSnapshots, DeleteSnapshot],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheSnapshot::new(arguments, subject)?))),
    },
    Row {
        name: "aws/ebs-snapshot-copy",
        summary: "A copy of a disk's snapshot in another region, encrypted there; give it `within: 6h`",
        arguments: &[
            must("source", "snap-…"),
            must("source_region", "where it is"),
            must("region", "where the copy is"),
            may("kms_key", "a key of that region; the account's own for disks when not given"),
            KEY,
            NAME,
        ],
        results: &[("id", "snap-…")],
        sends: &[DescribeSnapshots, CopySnapshot, DeleteSnapshot],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheSnapshotCopy::new(arguments, subject)?))),
    },
    Row {
        name: "aws/instance-image",
        summary: "An image of a host, of which others like it are made; give it `within: 1h`",
        arguments: &[
            must("instance", "i-…"),
            must("name", "unique among the account's images of the region"),
            may(
                "reboot",
                "true to stop the host for it, so that its files are as one moment left them; false when not given",
            ),
            KEY,
        ],
        results: &[("id", "ami-…"), ("name", "its name")],
        sends: &[DescribeImages, DescribeSnapshots, CreateImage, DeregisterImage, DeleteSnapshot],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheInstanceImage::new(arguments, subject)?))),
    },
    Row {
        name: "aws/image-copy",
        summary: "A copy of an image in another region, encrypted there; give it `within: 2h`",
        arguments: &[
            must("source", "ami-…"),
            must("source_region", "where it is"),
            must("region", "where the copy is"),
            must("name", "unique among the account's images of that region"),
            may("kms_key", "a key of that region; the account's own for disks when not given"),
            KEY,
        ],
        results: &[("id", "ami-…"), ("name", "its name")],
        sends: &[DescribeImages, DescribeSnapshots, CopyImage, DeregisterImage, DeleteSnapshot],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheImageCopy::new(arguments, subject)?))),
    },
];
