//! `apt-get`, `dnf` and what lists packages: they bring the programs of `commands::optional`.

use std::path::Path;

use bashkit::FileSystem;
use futures_util::future::BoxFuture;

use super::super::chrony;
use super::super::disk::Owner;
use super::super::image::{link_programs, path_of};
use super::super::machine::Machine;
use super::super::postfix;
use super::super::program::{Answer, Call, Program};
use super::super::systemd::{AtBoot, Role, Unit};
use super::archives;

/// Stands for "every Debian or Ubuntu": apt itself.
pub const DEBIAN: &str = "apt";
const AUDITD: &str = "auditd.service";
const TIMESYNCD: &str = "systemd-timesyncd.service";
/// What `apt-get update` leaves behind; an image comes without it.
const LISTS: &str = "/var/lib/apt/lists/archive_dists_main_Packages";
/// Stands for "every RHEL": dnf itself.
pub const RED_HAT: &str = "dnf";

/// What the archives of practice hold.
const ARCHIVE: &[(&str, &str)] = &[
    ("audit", "3.1.5"),
    ("auditd", "3.1.2"),
    ("bind-utils", "9.18.29"),
    ("bind9-dnsutils", "9.18.28"),
    ("chrony", "4.5"),
    ("cyrus-sasl-md5", "2.1.27"),
    ("cyrus-sasl-plain", "2.1.27"),
    ("firewalld", "1.3.4"),
    ("libsasl2-modules", "2.1.28"),
    ("nftables", "1.0.9"),
    ("policycoreutils-python-utils", "3.6"),
    ("postfix", "3.7.11"),
    ("ufw", "0.36.2"),
];

/// These come with every image.
const BASE: &[&str] =
    &["openssh-server", "sudo", "bash", "ca-certificates", "coreutils", "systemd", "iproute2", "iproute"];

fn version(machine: &Machine, package: &str) -> Option<String> {
    let brought = ARCHIVE.iter().find(|(name, _)| *name == package && machine.installed(package));
    let base = BASE.contains(&package).then(|| "1.0".to_string());
    brought.map(|(_, version)| (*version).to_string()).or(base)
}

/// The first package that no archive has, or nothing.
fn unknown<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.iter().copied().find(|name| !BASE.contains(name) && !ARCHIVE.iter().any(|(known, _)| known == name))
}

/// The first of those that are not there, where apt has no lists yet in which it could stand.
async fn unlisted<'a>(call: &Call, names: &[&'a str]) -> Option<&'a str> {
    let machine = &call.session.machine;
    let listed = machine.disk.text(LISTS).await.is_some();
    names.iter().copied().find(|name| !listed && version(machine, name).is_none())
}

/// Why those of them that are not there cannot be fetched.
async fn wanting(call: &Call, names: &[&str]) -> Option<String> {
    let there = names.iter().all(|name| version(&call.session.machine, name).is_some());
    if there { None } else { archives::trouble(call).await }
}

async fn bring(call: &Call, names: &[&str]) {
    let machine = &call.session.machine;
    let brings_time = names.contains(&"chrony") && !machine.installed("chrony");
    if brings_time {
        if machine.disk.text(chrony::file_of(machine.image)).await.is_none() {
            chrony::lay_out(&machine.disk, machine.image);
            let groups = machine.disk.text("/etc/group").await.unwrap_or_default();
            let groups = groups + &chrony::group_of(machine.image);
            machine.disk.put("/etc/group", &groups, 0o644, Owner::root());
        }
        // Both provide time-daemon, of which Debian has one.
        if !machine.image.is_rhel() {
            machine.stop(TIMESYNCD).await;
            machine.with(|state| state.units.remove(TIMESYNCD));
        }
    }
    let brings_mail = names.contains(&"postfix") && !machine.installed("postfix");
    if brings_mail && machine.disk.text(postfix::MAIN).await.is_none() {
        postfix::lay_out(&machine.disk, machine.image);
    }
    // Debian enables what it installs, Red Hat does not.
    let at_boot = |role: &Role| match role {
        Role::Postfix if machine.image.is_rhel() => AtBoot::Off,
        _ => AtBoot::On,
    };
    machine.with(|state| {
        for name in names {
            state.packages.insert((*name).to_string());
            let (unit, role) = match *name {
                "firewalld" => ("firewalld.service", Role::Firewalld),
                "chrony" => (chrony::unit_of(machine.image), Role::Chrony),
                "postfix" => (postfix::UNIT, Role::Postfix),
                "ufw" => ("ufw.service", Role::Plain),
                "audit" | "auditd" => (AUDITD, Role::Plain),
                _ => continue,
            };
            let unit_now = Unit::new(name, at_boot(&role), role);
            state.units.entry(unit.to_string()).or_insert(unit_now);
        }
    });
    let programs: Vec<_> =
        super::optional().iter().filter(|p| p.package.is_some_and(|p| names.contains(&p))).copied().collect();
    link_programs(&machine.disk, &programs);
    call.session.learn();
    // Debian starts what it installs, Red Hat does not.
    if brings_time && !machine.image.is_rhel() {
        let _ = machine.start(chrony::unit_of(machine.image)).await;
    }
    if names.contains(&"auditd") {
        let _ = machine.start(AUDITD).await;
    }
    if brings_mail && !machine.image.is_rhel() {
        let _ = machine.start(postfix::UNIT).await;
    }
}

/// The configuration stays on the disk, as with `remove`.
async fn take(call: &Call, names: &[&str]) {
    let machine = &call.session.machine;
    if names.contains(&"chrony") {
        let unit = chrony::unit_of(machine.image);
        machine.stop(unit).await;
        machine.with(|state| state.units.remove(unit));
    }
    if names.contains(&"postfix") {
        machine.stop(postfix::UNIT).await;
        machine.with(|state| state.units.remove(postfix::UNIT));
    }
    let brought = |one: &&Program| one.package.is_some_and(|package| names.contains(&package));
    for program in super::optional().iter().filter(brought) {
        // What is not there is gone already.
        let _ = machine.disk.raw().remove(Path::new(&path_of(program)), false).await;
    }
    machine.with(|state| state.packages.retain(|package| !names.contains(&package.as_str())));
}

fn operands<'a>(words: &[&'a str]) -> (Option<&'a str>, Vec<&'a str>) {
    // A file of settings, and a setting: `-c FILE`, `-o NAME::OF=VALUE`.
    let file = |at: usize| at.checked_sub(1).is_some_and(|before| words[before] == "-c");
    let named =
        words.iter().enumerate().filter(|(at, word)| !file(*at) && !word.starts_with('-') && !word.contains("::"));
    let mut plain = named.map(|(_, word)| *word);
    (plain.next(), plain.collect())
}

pub fn apt_get(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let (verb, names) = operands(&words);
        if !call.is_root() && verb != Some("--version") {
            return Answer::fail(
                100,
                "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n",
            );
        }
        match verb {
            Some("update") => match archives::trouble(&call).await {
                None => {
                    // The diagnosis keeps its own elsewhere.
                    if !words.iter().any(|word| word.starts_with("Dir::State::Lists=")) {
                        call.session.machine.disk.put(LISTS, "", 0o644, Owner::root());
                    }
                    Answer::ok("Reading package lists...\n")
                }
                Some(why) => {
                    let said = format!(
                        "{why}E: Some index files failed to download. They have been ignored, or old ones used instead.\n"
                    );
                    // Without it, old lists do, and the end is a good one (apt-get(8)).
                    let strict = words.contains(&"APT::Update::Error-Mode=any");
                    Answer { err: said, code: if strict { 100 } else { 0 }, ..Answer::default() }
                }
            },
            Some("install") => {
                match (unlisted(&call, &names).await.or(unknown(&names)), wanting(&call, &names).await) {
                    (Some(name), _) => Answer::fail(100, format!("E: Unable to locate package {name}\n")),
                    (None, Some(why)) => Answer::fail(
                        100,
                        format!(
                            "{why}E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n"
                        ),
                    ),
                    (None, None) => {
                        bring(&call, &names).await;
                        let set_up = names.iter().map(|name| format!("Setting up {name} ...\n")).collect::<String>();
                        Answer::ok(format!("Reading package lists...\nBuilding dependency tree...\n{set_up}"))
                    }
                }
            }
            Some("remove" | "purge") => {
                take(&call, &names).await;
                Answer::ok(names.iter().map(|name| format!("Removing {name} ...\n")).collect::<String>())
            }
            _ => Answer::fail(100, "E: Invalid operation\n"),
        }
    })
}

pub fn dpkg(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        match call.words().as_slice() {
            ["-r" | "--remove", names @ ..] if call.is_root() => {
                take(&call, names).await;
                Answer::ok(names.iter().map(|name| format!("Removing {name} ...\n")).collect::<String>())
            }
            ["-r" | "--remove", ..] => {
                Answer::fail(2, "dpkg: error: requested operation requires superuser privilege\n")
            }
            _ => Answer::fail(2, "dpkg: error: need an action option\n"),
        }
    })
}

pub fn dnf(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let (verb, names) = operands(&words);
        let root_only =
            "Error: This command has to be run with superuser privileges (under the root user on most systems).\n";
        match verb {
            Some("install" | "remove") if !call.is_root() => Answer::fail(1, root_only),
            Some("install") => match unknown(&names) {
                Some(name) => {
                    Answer::fail(1, format!("No match for argument: {name}\nError: Unable to find a match: {name}\n"))
                }
                None if names.iter().all(|name| version(&call.session.machine, name).is_some()) => {
                    Answer::ok("Nothing to do.\nComplete!\n")
                }
                None => {
                    if let Some(why) = archives::trouble(&call).await {
                        return Answer::fail(1, why);
                    }
                    bring(&call, &names).await;
                    Answer::ok(format!("Installed:\n  {}\n\nComplete!\n", names.join("\n  ")))
                }
            },
            Some("remove") => {
                take(&call, &names).await;
                Answer::ok("Complete!\n")
            }
            Some("makecache") => match archives::trouble(&call).await {
                None => Answer::ok("Metadata cache created.\n"),
                Some(why) => Answer::fail(1, why),
            },
            _ => Answer::fail(1, "usage: dnf [options] COMMAND\n"),
        }
    })
}

pub fn rpm(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let names = words.iter().filter(|word| !word.starts_with('-'));
        if words.first() == Some(&"-e") {
            let names: Vec<&str> = names.copied().collect();
            take(&call, &names).await;
            return Answer::ok("");
        }
        let mut answer = Answer::default();
        for name in names {
            match version(&call.session.machine, name) {
                Some(version) => answer.out += &format!("{name}-{version}-1.el9.x86_64\n"),
                None => {
                    answer.out += &format!("package {name} is not installed\n");
                    answer.code += 1;
                }
            }
        }
        answer
    })
}

pub fn dpkg_query(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let format = words.iter().find_map(|word| word.strip_prefix("-f=").or(word.strip_prefix("--showformat=")));
        let names = words.iter().filter(|word| !word.starts_with('-'));
        let mut answer = Answer::default();
        for name in names {
            match version(&call.session.machine, name) {
                Some(version) => {
                    let format = format.unwrap_or("${Package}\\t${Version}\\n");
                    let status = [
                        ("${Package}", *name),
                        ("${Version}", &version),
                        ("${Status}", "install ok installed"),
                        ("${db:Status-Status}", "installed"),
                    ];
                    let line = status.iter().fold(format.to_string(), |line, (key, value)| line.replace(key, value));
                    answer.out += &line.replace("\\n", "\n").replace("\\t", "\t");
                }
                None => {
                    answer.err += &format!("dpkg-query: no packages found matching {name}\n");
                    answer.code = 1;
                }
            }
        }
        answer
    })
}
