//! The kinds of hosts: their images and keys, and how they come up.

use super::super::aws_account::{ConsoleHostKeys, ConsoleLogins, InstanceReady};
use super::super::aws_compute::{InstanceAddress, KeyPair, TheInstance};
use super::super::aws_image::{LaunchAllowed, TheImage};
use super::super::check::Check;
use super::super::object::Object;
use super::{KEY, NAME, Row, may, must};
use crate::aws::Operation::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/key-pair",
        summary: "The public key that new instances let in",
        arguments: &[must("name", "unique in the region"), must("public_key", "the line of a .pub file"), KEY],
        results: &[("id", "key-…"), ("name", "its name"), ("fingerprint", "as AWS shows it")],
        sends: &[DescribeKeyPairs, DescribeTags, ImportKeyPair, DeleteKeyPair],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(KeyPair::new(arguments, subject)?))),
    },
    Row {
        name: "aws/image",
        summary: "The newest image of a family, by its publisher; or one that was chosen",
        arguments: &[
            must(
                "family",
                "ubuntu-22.04, ubuntu-24.04, rhel-8, rhel-9, rhel-10, debian-12, debian-13 or amazon-linux-2023",
            ),
            may("architecture", "x86_64 or arm64; x86_64 when not given"),
            may("hardening", "none, cis_l1 or cis_l2: CIS's own images of Ubuntu and Red Hat, from the Marketplace"),
            may("id", "ami-…: this one instead of the newest; what kind of image it is, the others say"),
            may("owners", "accounts whose images may be chosen, besides our own, the publisher's and the Marketplace"),
        ],
        results: &[
            ("id", "ami-…"),
            ("name", "the publisher's name for it"),
            ("user", "the user it comes with"),
            ("root_device", "name of its root disk"),
        ],
        sends: &[DescribeImages],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(TheImage::new(arguments, subject)?))),
    },
    Row {
        name: "aws/instance",
        summary: "A running instance: encrypted gp3 disk, session tokens for metadata",
        arguments: &[
            must("image", "ami-…"),
            must("type", "instance type"),
            must("subnet", "id of the subnet"),
            must("groups", "ids of its security groups"),
            must("key_pair", "name of the key pair"),
            KEY,
            NAME,
            may("volume_gib", "size of the root disk; 20 when not given"),
            may("root_device", "the image's root_device; /dev/sda1 when not given"),
            may(
                "user_data",
                "cloud-init text without secrets: everybody with ec2:DescribeInstanceAttribute can read it",
            ),
            may(
                "protected",
                "from being terminated by a slip of the hand, which an undo lifts first: true or false; false when not given",
            ),
        ],
        results: &[("id", "i-…"), ("private_address", "its address in the VPC")],
        sends: &[
            DescribeInstances,
            DescribeImages,
            DescribeTags,
            DescribeInstanceAttribute,
            RunInstances,
            ModifyInstanceAttribute,
            TerminateInstances,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheInstance::new(arguments, subject)?))),
    },
    Row {
        name: "aws/launch-allowed",
        summary: "The account may launch an instance of this image: permissions, and the terms of the Marketplace",
        arguments: &[
            must("image", "ami-…"),
            must("type", "instance type"),
            must("subnet", "id of the subnet"),
            must("groups", "ids of its security groups"),
            must("key_pair", "name of the key pair"),
            KEY,
            NAME,
            may("volume_gib", "size of the root disk; 20 when not given"),
            may("root_device", "the image's root_device; /dev/sda1 when not given"),
        ],
        results: &[],
        sends: &[RunInstances],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(LaunchAllowed::new(arguments, subject)?))),
    },
    Row {
        name: "aws/instance-address",
        summary: "An elastic address at an instance; never taken away from another one",
        arguments: &[must("instance", "i-…"), must("allocation", "eipalloc-…")],
        results: &[("address", "the public address"), ("association", "eipassoc-…")],
        sends: &[DescribeAddresses, DescribeTags, AssociateAddress, DisassociateAddress],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(InstanceAddress::new(arguments, subject)?))),
    },
    Row {
        name: "aws/instance-ready",
        summary: "Both status checks of an instance are passed",
        arguments: &[must("instance", "i-…")],
        results: &[],
        sends: &[DescribeInstanceStatus],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(InstanceReady::new(arguments, subject)?))),
    },
    Row {
        name: "aws/console-host-keys",
        summary: "The SSH host keys that an instance printed on its console",
        arguments: &[must("instance", "i-…")],
        results: &[("fingerprints", "list of SHA256:…")],
        sends: &[GetConsoleOutput],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(ConsoleHostKeys::new(arguments, subject)?))),
    },
    Row {
        name: "aws/console-logins",
        summary: "An instance said on its console whom it lets in, or what went wrong with that",
        arguments: &[must("instance", "i-…")],
        results: &[("lines", "list of the lines that are about keys and logins, the last six")],
        sends: &[GetConsoleOutput],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(ConsoleLogins::new(arguments, subject)?))),
    },
];
