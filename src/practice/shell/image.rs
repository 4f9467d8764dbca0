//! What the images hold when a host is made from them: files, users, services, packages.

mod cis;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey};
use serde::{Deserialize, Serialize};

use super::chrony;
use super::disk::{Disk, Owner};
use super::program::Program;
use super::systemd::{AtBoot, Role, Unit};

pub use cis::{Cis, shut};

/// The operating systems that practice knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    Ubuntu2204,
    Ubuntu2404,
    Rhel8,
    Rhel9,
    Rhel10,
    Debian12,
}

/// What `/etc/os-release`, `uname -r` and `ssh -V` say.
struct Release {
    os_release: &'static str,
    kernel: &'static str,
    openssh: &'static str,
}

impl Image {
    /// The image behind an AMI's name, as its owner names it. Nothing if practice has no such image.
    pub fn named(ami: &str) -> Option<Self> {
        let known = [
            ("ubuntu-jammy-22.04", Self::Ubuntu2204),
            ("ubuntu-noble-24.04", Self::Ubuntu2404),
            ("RHEL-8.", Self::Rhel8),
            ("RHEL-9.", Self::Rhel9),
            ("RHEL-10.", Self::Rhel10),
            ("Ubuntu Linux 22.04", Self::Ubuntu2204),
            ("Ubuntu Linux 24.04", Self::Ubuntu2404),
            ("Enterprise Linux 8 ", Self::Rhel8),
            ("Enterprise Linux 9 ", Self::Rhel9),
            ("Enterprise Linux 10 ", Self::Rhel10),
            ("debian-12-", Self::Debian12),
        ];
        known.into_iter().find(|(part, _)| ami.contains(part)).map(|(_, image)| image)
    }

    pub fn is_rhel(self) -> bool {
        matches!(self, Self::Rhel8 | Self::Rhel9 | Self::Rhel10)
    }

    /// Does its sshd know Include (OpenSSH since 8.2)?
    pub fn sshd_includes(self) -> bool {
        self != Self::Rhel8
    }

    /// Does systemd hold sshd's port (Ubuntu since 22.10)?
    pub fn socket_activated(self) -> bool {
        self == Self::Ubuntu2404
    }

    /// The unit that runs sshd.
    pub fn sshd_unit(self) -> &'static str {
        if self.is_rhel() { "sshd.service" } else { "ssh.service" }
    }

    /// Does systemd-resolved ask the name servers for everybody on the host?
    pub fn has_resolved(self) -> bool {
        matches!(self, Self::Ubuntu2204 | Self::Ubuntu2404)
    }

    /// The unit that can hold sshd's port.
    pub fn socket_unit(self) -> &'static str {
        if self.is_rhel() { "sshd.socket" } else { "ssh.socket" }
    }

    pub fn kernel(self) -> &'static str {
        self.release().kernel
    }

    /// The software version in SSH's first line (RFC 4253 section 4.2) and in `ssh -V`.
    pub fn openssh(self) -> &'static str {
        self.release().openssh
    }

    fn release(self) -> Release {
        match self {
            Self::Ubuntu2204 => Release {
                os_release: include_str!("image/os-release.ubuntu2204"),
                kernel: "6.8.0-1021-aws",
                openssh: "OpenSSH_8.9p1 Ubuntu-3ubuntu0.10",
            },
            Self::Ubuntu2404 => Release {
                os_release: include_str!("image/os-release.ubuntu2404"),
                kernel: "6.8.0-1021-aws",
                openssh: "OpenSSH_9.6p1 Ubuntu-3ubuntu13.5",
            },
            Self::Rhel8 => Release {
                os_release: include_str!("image/os-release.rhel8"),
                kernel: "4.18.0-553.el8_10.x86_64",
                openssh: "OpenSSH_8.0",
            },
            Self::Rhel10 => Release {
                os_release: include_str!("image/os-release.rhel10"),
                kernel: "6.12.0-124.8.1.el10_1.x86_64",
                openssh: "OpenSSH_9.9",
            },
            Self::Rhel9 => Release {
                os_release: include_str!("image/os-release.rhel9"),
                kernel: "5.14.0-503.15.1.el9_5.x86_64",
                openssh: "OpenSSH_8.7",
            },
            Self::Debian12 => Release {
                os_release: include_str!("image/os-release.debian12"),
                kernel: "6.1.0-28-cloud-amd64",
                openssh: "OpenSSH_9.2p1 Debian-2+deb12u3",
            },
        }
    }
}

/// As cloud-init names EC2 hosts: by the private IPv4 address.
pub fn hostname(name: &str, addresses: &[IpAddr]) -> String {
    match addresses.first() {
        Some(IpAddr::V4(v4)) => format!("ip-{}", v4.to_string().replace('.', "-")),
        _ => name.to_string(),
    }
}

/// Who may log in to a new host.
pub struct Login<'a> {
    pub user: &'a str,
    pub authorized_keys: &'a [String],
}

/// Lays out a new disk: the image's files, then what cloud-init adds.
pub fn lay_out(
    image: Image,
    hardened: Option<Cis>,
    hostname: &str,
    login: &Login<'_>,
) -> Result<Disk, russh::keys::Error> {
    let disk = Disk::new();
    let root = Owner::root;
    disk.put("/etc/os-release", image.release().os_release, 0o644, root());
    disk.put("/etc/hostname", &format!("{hostname}\n"), 0o644, root());
    disk.put("/etc/hosts", &format!("127.0.0.1 localhost\n127.0.1.1 {hostname}\n"), 0o644, root());
    disk.put("/etc/timezone", "Etc/UTC\n", 0o644, root());
    disk.put("/etc/issue.net", image.release().os_release.split('"').nth(1).unwrap_or("Linux"), 0o644, root());
    disk.put("/etc/nftables.conf", NFTABLES_CONF, 0o755, root());
    for directory in
        ["/etc/systemd/system", "/etc/default", "/var/lib", "/var/log", "/usr/local/bin", "/usr/local/sbin"]
    {
        disk.dir(directory, 0o755, root());
    }
    if packages(image).contains("chrony") {
        chrony::lay_out(&disk, image);
    }
    if image.is_rhel() {
        disk.put("/etc/sysconfig/nftables.conf", "# include \"/etc/nftables/main.nft\"\n", 0o600, root());
    } else {
        disk.dir("/etc/apt/apt.conf.d", 0o755, root());
    }
    accounts(&disk, image, login.user);
    if hardened.is_some() {
        disk.put("/etc/fstab", cis::MOUNTS, 0o644, root());
    }
    ssh_files(&disk, image, hardened);
    host_keys(&disk, hostname)?;
    home(&disk, login);
    Ok(disk)
}

const NFTABLES_CONF: &str = include_str!("image/nftables.conf");

fn accounts(disk: &Disk, image: Image, user: &str) {
    let (nogroup, admins) = if image.is_rhel() { ("nobody", "wheel:x:10") } else { ("nogroup", "sudo:x:27") };
    let mut passwd = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n".to_string();
    let mut group = format!("root:x:0:\ndaemon:x:1:\nadm:x:4:{user}\n{admins}:{user}\n");
    let mut shadow = "root:*:20000:0:99999:7:::\n".to_string();
    if user != "root" {
        passwd += &format!("{user}:x:1000:1000:{user}:/home/{user}:/bin/bash\n");
        group += &format!("{user}:x:1000:\n");
        shadow += &format!("{user}:!:20000:0:99999:7:::\n");
    }
    passwd += "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
    group += &format!("{nogroup}:x:65534:\n");
    if packages(image).contains("chrony") {
        group += &chrony::group_of(image);
    }
    disk.put("/etc/passwd", &passwd, 0o644, Owner::root());
    disk.put("/etc/group", &group, 0o644, Owner::root());
    disk.put("/etc/shadow", &shadow, 0o640, Owner::root());
    let sudoers = format!("# Created by cloud-init\n{user} ALL=(ALL) NOPASSWD:ALL\n");
    disk.put("/etc/sudoers.d/90-cloud-init-users", &sudoers, 0o440, Owner::root());
    disk.put(
        "/etc/sudoers",
        "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
        0o440,
        Owner::root(),
    );
}

fn ssh_files(disk: &Disk, image: Image, hardened: Option<Cis>) {
    let main = match image {
        _ if !image.is_rhel() => include_str!("image/sshd_config.debian"),
        Image::Rhel8 => include_str!("image/sshd_config.rhel8"),
        _ => include_str!("image/sshd_config.rhel"),
    };
    let main = format!("{}{main}", hardened.map(Cis::above_all_else).unwrap_or_default());
    disk.put("/etc/ssh/sshd_config", &main, if image.is_rhel() { 0o600 } else { 0o644 }, Owner::root());
    if !image.sshd_includes() {
        return;
    }
    disk.dir("/etc/ssh/sshd_config.d", if image.is_rhel() { 0o700 } else { 0o755 }, Owner::root());
    disk.put("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication no\n", 0o600, Owner::root());
    if image.is_rhel() {
        disk.put("/etc/ssh/sshd_config.d/50-redhat.conf", include_str!("image/50-redhat.conf"), 0o600, Owner::root());
    }
    if image.socket_activated() {
        let cloudimg = "PasswordAuthentication no\n";
        disk.put("/etc/ssh/sshd_config.d/60-cloudimg-settings.conf", cloudimg, 0o644, Owner::root());
    }
}

/// The kinds of host keys that a new host makes.
const KEY_KINDS: &[(&str, Algorithm)] =
    &[("ecdsa", Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }), ("ed25519", Algorithm::Ed25519)];

fn host_keys(disk: &Disk, hostname: &str) -> Result<(), russh::keys::Error> {
    for (kind, algorithm) in KEY_KINDS {
        let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm.clone())?;
        put_host_key(disk, hostname, kind, key)?;
    }
    Ok(())
}

/// Puts an ed25519 key there that is made of a number, where the random one was.
pub fn known_host_key(disk: &Disk, hostname: &str, number: u8) -> Result<(), russh::keys::Error> {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[number; 32]));
    put_host_key(disk, hostname, "ed25519", key)
}

fn put_host_key(disk: &Disk, hostname: &str, kind: &str, mut key: PrivateKey) -> Result<(), russh::keys::Error> {
    key.set_comment(format!("root@{hostname}"));
    let path = format!("/etc/ssh/ssh_host_{kind}_key");
    disk.put(&path, &key.to_openssh(LineEnding::LF)?, 0o600, Owner::root());
    disk.put(&format!("{path}.pub"), &format!("{}\n", key.public_key().to_openssh()?), 0o644, Owner::root());
    Ok(())
}

fn home(disk: &Disk, login: &Login<'_>) {
    let user = login.user;
    let home = if user == "root" { "/root".to_string() } else { format!("/home/{user}") };
    disk.dir(&home, 0o750, Owner::of(user));
    disk.dir(&format!("{home}/.ssh"), 0o700, Owner::of(user));
    let keys: String = login.authorized_keys.iter().map(|key| format!("{}\n", key.trim())).collect();
    disk.put(&format!("{home}/.ssh/authorized_keys"), &keys, 0o600, Owner::of(user));
}

/// The host's private keys as its disk holds them now, by the file names that sshd looks for.
pub async fn read_host_keys(disk: &Disk) -> Vec<PrivateKey> {
    let mut keys = Vec::new();
    for (kind, _) in KEY_KINDS {
        let text = disk.text(format!("/etc/ssh/ssh_host_{kind}_key")).await;
        keys.extend(text.and_then(|text| PrivateKey::from_openssh(text).ok()));
    }
    keys
}

/// The fingerprints of the host keys, `SHA256:…`, as `ssh-keygen -l` prints them.
pub fn fingerprints(keys: &[PrivateKey]) -> Vec<String> {
    keys.iter().map(|key| key.public_key().fingerprint(HashAlg::Sha256).to_string()).collect()
}

/// The end of the first boot on the serial console, as cloud-init writes it (cc_ssh_authkey_fingerprints and
/// cc_keys_to_console).
pub fn console(image: Image, hostname: &str, user: &str, keys: &[PrivateKey]) -> String {
    let pretty = image.release().os_release.split("PRETTY_NAME=\"").nth(1).and_then(|rest| rest.split('"').next());
    let stamp = "<14>Jan  1 00:00:21 ec2: ";
    let rule = format!("{stamp}{}\n", "#".repeat(61));
    let mut text = format!("{} {hostname} ttyS0\n\n{hostname} login: ", pretty.unwrap_or("Linux"));
    text += "[   20.918273] cloud-init[812]: Cloud-init v. 24.4 running 'modules:final'\n";
    text += &format!("{stamp}\n{rule}{stamp}-----BEGIN SSH HOST KEY FINGERPRINTS-----\n");
    for key in keys {
        let public = key.public_key();
        let kind = if public.algorithm().is_ecdsa() { "ECDSA" } else { "ED25519" };
        text += &format!("{stamp}256 {} root@{hostname} ({kind})\n", public.fingerprint(HashAlg::Sha256));
    }
    text += &format!("{stamp}-----END SSH HOST KEY FINGERPRINTS-----\n{rule}-----BEGIN SSH HOST KEY KEYS-----\n");
    for key in keys {
        text += &format!("{}\n", key.public_key().to_openssh().unwrap_or_default());
    }
    let home = format!("/home/{user}/.ssh/authorized_keys");
    text += &format!("ci-info: ++++++++++Authorized keys from {home} for user {user}++++++++++\n");
    text + "-----END SSH HOST KEY KEYS-----\n[   21.004512] cloud-init[812]: Cloud-init finished. Datasource DataSourceEc2Local.\n"
}

/// The services of a fresh host.
pub fn units(image: Image) -> BTreeMap<String, Unit> {
    use AtBoot::{Off, On, Static};
    let sshd = if image.socket_activated() { Off } else { On };
    let socket = if image.socket_activated() { On } else { Off };
    let mut units = vec![
        (image.sshd_unit(), "OpenBSD Secure Shell server", sshd, Role::Sshd),
        (image.socket_unit(), "OpenBSD Secure Shell server socket", socket, Role::SshSocket),
        ("nftables.service", "nftables", Off, Role::Nftables),
        ("cloud-init.service", "Cloud-init: Network Stage", On, Role::Plain),
        ("systemd-journald.service", "Journal Service", Static, Role::Plain),
    ];
    match image {
        Image::Debian12 => units.push(("systemd-timesyncd.service", "Network Time Synchronization", On, Role::Plain)),
        _ => units.push((chrony::unit_of(image), "chrony, an NTP client/server", On, Role::Chrony)),
    }
    if image.is_rhel() {
        units.push(("crond.service", "Command Scheduler", On, Role::Plain));
        units.push(("auditd.service", "Security Auditing Service", On, Role::Plain));
    } else {
        units.push(("cron.service", "Regular background program processing daemon", On, Role::Plain));
        units.push(("systemd-resolved.service", "Network Name Resolution", On, Role::Plain));
        units.push((
            "ufw.service",
            "Uncomplicated firewall",
            if image == Image::Debian12 { Off } else { On },
            Role::Plain,
        ));
    }
    if image == Image::Debian12 {
        units.retain(|(name, ..)| !["ufw.service", "systemd-resolved.service"].contains(name));
    }
    units.into_iter().map(|(name, about, enabled, role)| (name.to_string(), Unit::new(about, enabled, role))).collect()
}

/// The packages of a fresh host that bring optional programs.
pub fn packages(image: Image) -> BTreeSet<String> {
    let names: &[&str] = match image {
        Image::Ubuntu2204 | Image::Ubuntu2404 => &["apt", "systemd", "ufw", "nftables", "chrony", "bind9-dnsutils"],
        Image::Debian12 => &["apt", "systemd", "nftables"],
        Image::Rhel8 | Image::Rhel9 | Image::Rhel10 => &["dnf", "NetworkManager", "nftables", "chrony", "audit"],
    };
    names.iter().map(|name| (*name).to_string()).collect()
}

/// Puts a file at `/usr/sbin/NAME` for each program, so that full paths work as they do in unit files.
pub fn link_programs(disk: &Disk, programs: &[Program]) {
    for program in programs {
        let stub = format!("#!/bin/sh\n# bashkit builtin: {name}\nexec {name} \"$@\"\n", name = program.name);
        disk.put(&path_of(program), &stub, 0o755, Owner::root());
    }
}

/// Where a program lies.
pub fn path_of(program: &Program) -> String {
    format!("/usr/sbin/{}", program.name)
}
