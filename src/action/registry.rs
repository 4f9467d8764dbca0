//! One row for every kind of action: its name, what it is for, what it takes, what it gives, and how it is made.

mod aws;
mod backup;
mod dns;
mod dx;
mod ebs;
mod hosts;
mod mail;
mod probe;
mod rds;
mod resource;
mod ways;

use super::Action;
use super::arguments::Arguments;
use super::check::Check;
use super::os::facts::{self, TheFacts};
use super::os::file::TheFile;
use super::os::packages::Packages;
use super::os::restart::Restart;
use super::shell::Shell;
use super::world::Subject;
use crate::aws::{Operation, ResourceType};
use crate::engagement::{Call, Failure};
use crate::runbook::{ArgSpec, Catalog, KindSpec, ResultSpec, TypeSpec};

type Made = Result<Box<dyn Action>, Failure>;

/// One kind.
struct Row {
    name: &'static str,
    summary: &'static str,
    arguments: &'static [Argument],
    /// Name and meaning.
    results: &'static [(&'static str, &'static str)],
    /// Every operation of AWS that it may send, its undo and what tells why that is held included.
    sends: &'static [Operation],
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
    /// It is taken when the thing is made: no look compares it, and no change corrects it.
    once: bool,
    /// A person can change it where the thing stands, and a look compares it.
    by_hand: bool,
    help: &'static str,
}

const fn must(name: &'static str, help: &'static str) -> Argument {
    Argument { name, required: true, secret: false, script: false, once: false, by_hand: false, help }
}

const fn may(name: &'static str, help: &'static str) -> Argument {
    Argument { name, required: false, secret: false, script: false, once: false, by_hand: false, help }
}

/// One that may be given, and is taken when the thing is made.
const fn once(name: &'static str, help: &'static str) -> Argument {
    Argument { once: true, ..may(name, help) }
}

/// One that may be given, and that a person can change later.
const fn by_hand(name: &'static str, help: &'static str) -> Argument {
    Argument { by_hand: true, ..may(name, help) }
}

/// One that may be given, and is a secret: `Arguments::secret` takes it out.
const fn secret(name: &'static str, help: &'static str) -> Argument {
    Argument { secret: true, ..may(name, help) }
}

/// One that must be given, and is a secret.
const fn must_secret(name: &'static str, help: &'static str) -> Argument {
    Argument { required: true, ..secret(name, help) }
}

/// A script that may be given: its values are quoted.
const fn script(name: &'static str, help: &'static str) -> Argument {
    Argument { script: true, ..may(name, help) }
}

const KEY: Argument = must("key", "stable logical name, such as vpc/main; on the object's tags");
const HOST: Argument = must("host", "name of a host of the engagement");
const SUDO: Argument = may("sudo", "as root through sudo; true when not given");
const NAME: Argument = may("name", "what the console shows; customer and key when not given");
const EXISTING: Argument = may(
    "existing",
    "take: what is in its place already, and no engagement made, counts as it and is never deleted; leave, when not given: \
     a person is asked",
);

/// Those of AWS and those that probe services stand in files of their own.
fn rows() -> impl Iterator<Item = &'static Row> {
    let compute = [aws::ROWS, hosts::ROWS, ebs::ROWS, rds::ROWS, backup::ROWS];
    let network = [ways::ROWS, dns::ROWS, dx::ROWS, mail::ROWS];
    compute.into_iter().chain(network).chain([resource::ROWS, ROWS, probe::ROWS]).flatten()
}

/// The operations of AWS that a kind of action may send; none for one that is not there.
pub fn operations(kind: &str) -> &'static [Operation] {
    rows().find(|row| row.name == kind).map_or(&[], |row| row.sends)
}

/// The kinds that may send an operation.
pub(super) fn senders(operation: Operation) -> Vec<&'static str> {
    rows().filter(|row| row.sends.contains(&operation)).map(|row| row.name).collect()
}

/// The kind for any type of resource.
pub(super) const RESOURCE: &str = resource::KIND;

const ROWS: &[Row] = &[
    Row {
        name: "os/file",
        summary: "A file on a host has this content, mode and owner; what was there before is kept for the undo",
        arguments: &[
            HOST,
            must("path", "whole path of the file; its folder must be there"),
            must("content", "its text; where it says @secret@, the secret stands"),
            secret(
                "secret",
                "what stands in `content` as @secret@, as a secret input; no plan, log or state file has it",
            ),
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
        sends: &[],
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
        sends: &[],
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
        sends: &[],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Restart::new(arguments, subject)?)),
    },
    Row {
        name: "os/facts",
        summary: "What a host is: distribution, SELinux, firewall, free disk; asked once in a run",
        arguments: &[HOST],
        results: facts::NAMES,
        sends: &[],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(TheFacts::new(arguments, subject)?))),
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
                once: one.once,
                by_hand: one.by_hand,
                summary: one.help,
            })
            .collect(),
        results: row.results.iter().map(|(name, summary)| ResultSpec { name, summary }).collect(),
        mutates: row.mutates,
        has_undo: row.mutates && no_undo(row.name).is_none(),
        undo_reason: no_undo(row.name).or((!row.mutates).then_some("it changes nothing")),
    };
    let typed = |of: &'static ResourceType| TypeSpec {
        properties: of.properties(),
        required: of.required().collect(),
        read_only: of.read_only().collect(),
    };
    Catalog {
        kinds: rows().map(|row| (row.name.to_owned(), spec(row))).collect(),
        types: ResourceType::ALL.iter().map(|of| (of.name, typed(of))).collect(),
    }
}

/// Why a change of this kind cannot be taken back.
fn no_undo(kind: &str) -> Option<&'static str> {
    match kind {
        "os/restart" => Some("a restart leaves nothing to take back"),
        "probe/message" => Some("a message that was sent cannot be taken back"),
        "aws/quota-increase" => Some("a request cannot be withdrawn, and a quota that was raised stays"),
        "aws/backup-copy" => Some("nothing stops a copy, and it is kept as the recovery point is that it was made of"),
        "aws/restore-job" => Some("nothing stops a restore, and what came of it is a resource of its own"),
        "aws/s3-restore" => Some("the copy goes by itself after its days; the archived object stays"),
        "aws/mail-production" => Some("AWS has no call that takes production access back"),
        "aws/dx-letter" => Some("a letter that was issued lapses by itself after 90 days"),
        "aws/mail-test" => Some("a message that was sent cannot be called back"),
        _ => None,
    }
}

/// The action of a resolved step.
///
/// # Errors
/// An unknown kind, an unknown argument, or one that does not fit; and steps that a person does.
pub fn build(call: &Call, subject: &Subject) -> Made {
    match call {
        Call::Shell { host, library, sudo, check, run, then, verify, undo, stdin, limit } => Ok(Box::new(Shell {
            library: library.clone(),
            host: host.clone(),
            sudo: *sudo,
            check: check.clone(),
            run: run.clone(),
            then: then.clone(),
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
    rows().find(|row| row.name == kind).ok_or_else(|| {
        let near = crate::text::nearest(kind, rows().map(|row| row.name));
        let advice = match near {
            Some(near) => format!("Did you mean {near}?"),
            None => "Correct the step in the runbook; `onramp check` lists the kinds.".to_owned(),
        };
        Failure::new(format!("there is no kind of action called \"{kind}\""), advice)
    })
}
