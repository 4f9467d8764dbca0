//! One row for every kind of action: its name, what it is for, what it takes, what it gives, and how it is made.

use super::Action;
use super::arguments::Arguments;
use super::aws_account::{ConsoleHostKeys, InstanceReady, TheAccount, TheImage, TheRegion};
use super::aws_compute::{InstanceAddress, KeyPair, TheInstance};
use super::aws_exposure::Exposure;
use super::aws_groups::{Closed, ExtraRules, TheSecurityGroup};
use super::aws_network::{TheInternetGateway, TheSubnet, TheVpc};
use super::aws_outbound::{ElasticAddress, TheNatGateway, TheRouteTable};
use super::aws_secret::TheSecret;
use super::check::Check;
use super::object::Object;
use super::os::facts::{self, TheFacts};
use super::os::file::TheFile;
use super::os::packages::Packages;
use super::os::restart::Restart;
use super::reach::{Banner, Tcp};
use super::shell::Shell;
use super::world::Subject;
use crate::engagement::{Call, Failure};
use crate::runbook::{ArgSpec, Catalog, KindSpec};

type Made = Result<Box<dyn Action>, Failure>;

/// One kind.
struct Row {
    name: &'static str,
    summary: &'static str,
    arguments: &'static [Argument],
    /// Name and meaning.
    results: &'static [(&'static str, &'static str)],
    /// False for a kind that only looks.
    mutates: bool,
    make: fn(Arguments<'_>, &Subject) -> Made,
}

struct Argument {
    name: &'static str,
    required: bool,
    /// It says where a secret lives; the action reads the text for the call, and nobody else does.
    secret: bool,
    /// It is a shell script.
    script: bool,
    help: &'static str,
}

const fn must(name: &'static str, help: &'static str) -> Argument {
    Argument { name, required: true, secret: false, script: false, help }
}

const fn may(name: &'static str, help: &'static str) -> Argument {
    Argument { name, required: false, secret: false, script: false, help }
}

/// One that may be given, and is a secret: `Arguments::secret` takes it out.
const fn secret(name: &'static str, help: &'static str) -> Argument {
    Argument { secret: true, ..may(name, help) }
}

/// A script that may be given: its values are quoted.
const fn script(name: &'static str, help: &'static str) -> Argument {
    Argument { script: true, ..may(name, help) }
}

const KEY: Argument = must("key", "stable logical name, such as vpc/main; on the object's tags");
const HOST: Argument = must("host", "name of a host of the engagement");
const SUDO: Argument = may("sudo", "as root through sudo; true when not given");
const NAME: Argument = may("name", "what the console shows; customer and key when not given");

const ROWS: &[Row] = &[
    Row {
        name: "aws/account",
        summary: "The credentials belong to the engagement's account",
        arguments: &[must("account", "twelve digits")],
        results: &[("arn", "who we are"), ("account", "twelve digits")],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(TheAccount::new(arguments, subject)?))),
    },
    Row {
        name: "aws/region",
        summary: "The region is enabled and its zones can be used",
        arguments: &[must("region", "such as eu-west-1"), must("zones", "list of zone names")],
        results: &[("zone_ids", "map from zone name to zone id, which is the same in every account")],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(TheRegion::new(arguments, subject)?))),
    },
    Row {
        name: "aws/vpc",
        summary: "A VPC with DNS resolution and DNS host names",
        arguments: &[must("cidr", "its range"), KEY, NAME],
        results: &[("id", "vpc-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheVpc::new(arguments, subject)?))),
    },
    Row {
        name: "aws/subnet",
        summary: "A subnet in one zone",
        arguments: &[
            must("vpc", "id of the VPC"),
            must("cidr", "its range"),
            must("zone", "zone name"),
            may("tier", "public, app, data, …; part of the name"),
            KEY,
            NAME,
        ],
        results: &[("id", "subnet-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheSubnet::new(arguments, subject)?))),
    },
    Row {
        name: "aws/internet-gateway",
        summary: "An internet gateway, attached to the VPC",
        arguments: &[must("vpc", "id of the VPC"), KEY, NAME],
        results: &[("id", "igw-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheInternetGateway::new(arguments, subject)?))),
    },
    Row {
        name: "aws/elastic-address",
        summary: "A public address that stays",
        arguments: &[KEY, NAME],
        results: &[("allocation", "eipalloc-…"), ("address", "the public address")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(ElasticAddress::new(arguments, subject)?))),
    },
    Row {
        name: "aws/nat-gateway",
        summary: "A NAT gateway in a public subnet",
        arguments: &[must("subnet", "id of a public subnet"), must("allocation", "eipalloc-…"), KEY, NAME],
        results: &[("id", "nat-…"), ("address", "the public address")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheNatGateway::new(arguments, subject)?))),
    },
    Row {
        name: "aws/route-table",
        summary: "A route table with its routes and subnets",
        arguments: &[
            must("vpc", "id of the VPC"),
            may("routes", "list of {to, gateway} or {to, nat}"),
            may("subnets", "ids of the subnets that use it"),
            KEY,
            NAME,
        ],
        results: &[("id", "rtb-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRouteTable::new(arguments, subject)?))),
    },
    Row {
        name: "aws/security-group",
        summary: "A security group with its ingress rules",
        arguments: &[
            must("vpc", "id of the VPC"),
            must("name", "unique in the VPC"),
            may("description", "cannot be changed later"),
            may("ingress", "list of {port, or from_port and to_port; protocol; cidrs, or group; why}"),
            KEY,
        ],
        results: &[("id", "sg-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheSecurityGroup::new(arguments, subject)?))),
    },
    Row {
        name: "aws/security-group-rule",
        summary: "One more door in a security group",
        arguments: &[
            must("group", "id of the group that is opened"),
            may("port", "or from_port and to_port"),
            may("from_port", "first port"),
            may("to_port", "last port"),
            may("protocol", "tcp, udp, icmp, or -1 for all; tcp when not given"),
            may("cidrs", "ranges that may come in"),
            may("source_group", "id of the group that may come in"),
            may("why", "written on the rule"),
            KEY,
            NAME,
        ],
        results: &[("ids", "list of sgr-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(ExtraRules::new(arguments, subject)?))),
    },
    Row {
        name: "aws/security-group-closed",
        summary: "Nobody comes in by this TCP port of a security group any more",
        arguments: &[must("group", "id of the group"), must("port", "the port to close"), may("key", "logical name")],
        results: &[],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Closed::new(arguments, subject)?))),
    },
    Row {
        name: "aws/key-pair",
        summary: "The public key that new instances let in",
        arguments: &[must("name", "unique in the region"), must("public_key", "the line of a .pub file"), KEY],
        results: &[("id", "key-…"), ("name", "its name"), ("fingerprint", "as AWS shows it")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(KeyPair::new(arguments, subject)?))),
    },
    Row {
        name: "aws/image",
        summary: "The newest image of a family, by its publisher",
        arguments: &[
            must("family", "ubuntu-22.04, ubuntu-24.04, rhel-8, rhel-9, debian-12, debian-13 or amazon-linux-2023"),
            may("architecture", "x86_64 or arm64; x86_64 when not given"),
        ],
        results: &[
            ("id", "ami-…"),
            ("name", "the publisher's name for it"),
            ("user", "the user it comes with"),
            ("root_device", "name of its root disk"),
        ],
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
        ],
        results: &[("id", "i-…"), ("private_address", "its address in the VPC")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheInstance::new(arguments, subject)?))),
    },
    Row {
        name: "aws/instance-address",
        summary: "An elastic address at an instance; never taken away from another one",
        arguments: &[must("instance", "i-…"), must("allocation", "eipalloc-…")],
        results: &[("address", "the public address"), ("association", "eipassoc-…")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(InstanceAddress::new(arguments, subject)?))),
    },
    Row {
        name: "aws/instance-ready",
        summary: "Both status checks of an instance are passed",
        arguments: &[must("instance", "i-…")],
        results: &[],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(InstanceReady::new(arguments, subject)?))),
    },
    Row {
        name: "aws/console-host-keys",
        summary: "The SSH host keys that an instance printed on its console",
        arguments: &[must("instance", "i-…")],
        results: &[("fingerprints", "list of SHA256:…")],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(ConsoleHostKeys::new(arguments, subject)?))),
    },
    Row {
        name: "aws/exposure",
        summary: "What the Internet can reach in the VPC is what was agreed",
        arguments: &[
            must("vpc", "id of the VPC"),
            must("ssh_port", "the only SSH port that may be open"),
            must("allowed", "ranges that may reach it"),
            may("public", "ids of the instances that may have a public address; one of them at most when not given"),
        ],
        results: &[("report", "one row for each rule and each public instance")],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Exposure::new(arguments, subject)?))),
    },
    Row {
        name: "aws/secret",
        summary: "A secret that onramp makes and nobody sees, or that was given, in Secrets Manager; or one in the sealed file",
        arguments: &[
            KEY,
            may("use", "psk or password; psk when not given"),
            may("length", "characters, 16 to 64; 32 when not given"),
            may("store", "aws or age; aws when not given"),
            may("name", "in the store; engagement and key when not given"),
            secret("value", "the text that is kept, as a secret input; a new one is made when not given"),
        ],
        results: &[("reference", "where it lives; a script's `stdin` reads the secret by it")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(TheSecret::new(arguments, subject)?)),
    },
    Row {
        name: "os/file",
        summary: "A file on a host has this content, mode and owner; what was there before is kept for the undo",
        arguments: &[
            HOST,
            must("path", "whole path of the file; its folder must be there"),
            must("content", "its text"),
            may("mode", "octal, such as \"0644\"; as it is when not given, and 0644 for a new file"),
            may("owner", "user, by name or number; as it is when not given"),
            may("group", "group, by name or number; as it is when not given"),
            script("validate", "tells by its exit code whether the new file, `$1`, is good; before it takes its place"),
            script(
                "after",
                "what has to follow when the file was written or taken back, such as a reload; `$1` is the file",
            ),
            SUDO,
            may("limit", "how long writing it may take, `after` included; 10m when not given"),
        ],
        results: &[("path", "the file")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(TheFile::new(arguments, subject)?)),
    },
    Row {
        name: "os/packages",
        summary: "Packages of the distribution are installed, on Debian, Ubuntu and Red Hat; waits for other package managers",
        arguments: &[
            HOST,
            must("names", "list of packages"),
            SUDO,
            may("limit", "how long it may take; half of it may be spent on waiting for the lock; 10m when not given"),
        ],
        results: &[],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Packages::new(arguments, subject)?)),
    },
    Row {
        name: "os/restart",
        summary: "A host was restarted for this step and is back; never twice, whatever interrupts it",
        arguments: &[
            HOST,
            may("if", "always, or when_required (as the distribution says it); always when not given"),
            SUDO,
            may("limit", "how long it is waited for; 10m when not given"),
        ],
        results: &[("boot", "the kernel's number of the boot it is in")],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Restart::new(arguments, subject)?)),
    },
    Row {
        name: "os/facts",
        summary: "What a host is: distribution, SELinux, firewall, free disk; asked once in a run",
        arguments: &[HOST],
        results: facts::NAMES,
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(TheFacts::new(arguments, subject)?))),
    },
    Row {
        name: "probe/tcp",
        summary: "A TCP port is open, or closed, as seen from here or from a host",
        arguments: &[
            may("host", "name of a host of the engagement"),
            may("address", "or any address, with `port`"),
            may("port", "the host's own SSH port when not given"),
            may("from", "here, or the name of a host that tries"),
            may("expect", "open or closed; open when not given"),
        ],
        results: &[("open", "true or false"), ("from", "who tried"), ("to", "address and port")],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Tcp::new(arguments, subject)?))),
    },
    Row {
        name: "probe/ssh-banner",
        summary: "An SSH server answers at a host, through its hops",
        arguments: &[must("host", "name of a host of the engagement")],
        results: &[("banner", "such as SSH-2.0-OpenSSH_9.2p1")],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Banner::new(arguments, subject)?))),
    },
];

/// What the language of runbooks knows of the kinds: enough to check a runbook without them.
pub fn catalog() -> Catalog {
    let spec = |row: &Row| KindSpec {
        name: row.name,
        summary: row.summary,
        args: row
            .arguments
            .iter()
            .map(|one| ArgSpec {
                name: one.name,
                required: one.required,
                secret: one.secret,
                script: one.script,
                summary: one.help,
            })
            .collect(),
        results: row.results.iter().map(|(name, _)| *name).collect(),
        mutates: row.mutates,
        has_undo: row.mutates && no_undo(row.name).is_none(),
        undo_reason: no_undo(row.name).or((!row.mutates).then_some("it changes nothing")),
    };
    Catalog { kinds: ROWS.iter().map(|row| (row.name.to_owned(), spec(row))).collect() }
}

/// Why a change of this kind cannot be taken back.
fn no_undo(kind: &str) -> Option<&'static str> {
    (kind == "os/restart").then_some("a restart leaves nothing to take back")
}

/// The action of a resolved step.
///
/// # Errors
/// An unknown kind, an unknown argument, or one that does not fit; and steps that a person does.
pub fn build(call: &Call, subject: &Subject) -> Made {
    match call {
        Call::Shell { host, library, sudo, check, run, verify, undo, stdin, limit } => Ok(Box::new(Shell {
            library: library.clone(),
            host: host.clone(),
            sudo: *sudo,
            check: check.clone(),
            run: run.clone(),
            verify: verify.clone(),
            undo: undo.clone(),
            stdin: stdin.clone(),
            limit: *limit,
        })),
        Call::Kind { kind, with } => {
            let row = row(kind)?;
            let arguments = Arguments { kind: row.name, given: with };
            let known: Vec<&str> = row.arguments.iter().map(|argument| argument.name).collect();
            arguments.only(&known)?;
            (row.make)(arguments, subject)
        }
        Call::Form(_) | Call::Manual { .. } => {
            Err(Failure::new("a person does this step, not onramp", "Fill the form in, or sign the step off."))
        }
    }
}

fn row(kind: &str) -> Result<&'static Row, Failure> {
    ROWS.iter().find(|row| row.name == kind).ok_or_else(|| {
        let near = crate::text::nearest(kind, ROWS.iter().map(|row| row.name));
        let advice = match near {
            Some(near) => format!("Did you mean {near}?"),
            None => "Correct the step in the runbook; `onramp check` lists the kinds.".to_owned(),
        };
        Failure::new(format!("there is no kind of action called \"{kind}\""), advice)
    })
}
