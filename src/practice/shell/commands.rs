//! The programs of a virtual host that bashkit lacks, or that must tell the truth about this host.

mod archives;
pub mod audit;
pub mod chrony;
pub mod curl;
pub mod files;
pub mod firewall;
pub mod identity;
pub mod lease;
pub mod names;
pub mod network;
pub mod packages;
pub mod ping;
pub mod postfix;
pub mod process;
pub mod selinux;
pub mod sshd;
pub mod sudo;
pub mod system;
pub mod systemctl;
pub mod systemd_run;
mod trust;
pub mod users;

use super::power;
use super::program::{Program, Run};

const fn every(name: &'static str, run: Run) -> Program {
    Program { name, package: None, run }
}

const fn of(package: &'static str, name: &'static str, run: Run) -> Program {
    Program { name, package: Some(package), run }
}

const ALWAYS: &[Program] = &[
    every("chgrp", files::chgrp),
    every("chown", files::chown),
    every("install", files::install),
    every("stat", files::stat),
    every("getent", names::getent),
    every("groups", identity::groups),
    every("hostname", identity::hostname),
    every("id", identity::id),
    every("uname", identity::uname),
    every("whoami", identity::whoami),
    every("chpasswd", identity::chpasswd),
    every("useradd", users::useradd),
    every("userdel", users::userdel),
    every("curl", curl::curl),
    every("ip", network::ip),
    every("nc", network::nc),
    every("ping", ping::ping),
    every("ss", network::ss),
    every("kill", process::kill),
    every("ssh", sshd::ssh),
    every("ssh-keyscan", network::ssh_keyscan),
    every("sshd", sshd::sshd),
    every("cloud-init", system::cloud_init),
    every("journalctl", system::journalctl),
    every("logger", system::logger),
    every("timedatectl", system::timedatectl),
    every("df", system::df),
    every("systemctl", systemctl::systemctl),
    every("reboot", power::reboot),
    every("shutdown", power::shutdown),
    every("systemd-run", systemd_run::systemd_run),
];

const OPTIONAL: &[Program] = &[
    of("audit", "auditctl", audit::auditctl),
    of("audit", "augenrules", audit::augenrules),
    of("auditd", "auditctl", audit::auditctl),
    of("auditd", "augenrules", audit::augenrules),
    of("nftables", "nft", firewall::nft),
    of("ufw", "ufw", firewall::ufw),
    of("firewalld", "firewall-cmd", firewall::firewall_cmd),
    of("bind-utils", "dig", names::dig),
    of("bind9-dnsutils", "dig", names::dig),
    of("chrony", "chronyc", chrony::chronyc),
    of("chrony", "chronyd", chrony::chronyd),
    of("systemd", "networkctl", lease::networkctl),
    of("NetworkManager", "nmcli", lease::nmcli),
    of("policycoreutils-python-utils", "semanage", selinux::semanage),
    of("postfix", "postconf", postfix::postconf),
    of("postfix", "postfix", postfix::postfix),
    of("postfix", "postqueue", postfix::postqueue),
    of("postfix", "postsuper", postfix::postsuper),
    of("postfix", "sendmail", postfix::sendmail),
    of(packages::DEBIAN, "apt-get", packages::apt_get),
    of(packages::DEBIAN, "dpkg", packages::dpkg),
    of(packages::DEBIAN, "dpkg-query", packages::dpkg_query),
    of(packages::DEBIAN, "update-ca-certificates", trust::update_ca_certificates),
    of(packages::RED_HAT, "update-ca-trust", trust::update_ca_trust),
    of(packages::RED_HAT, "dnf", packages::dnf),
    of(packages::RED_HAT, "rpm", packages::rpm),
    of(packages::RED_HAT, "getenforce", selinux::getenforce),
    of(packages::RED_HAT, "setenforce", selinux::setenforce),
    of(packages::RED_HAT, "restorecon", selinux::restorecon),
];

/// What every image has.
pub fn always() -> &'static [Program] {
    ALWAYS
}

/// What comes with a package.
pub fn optional() -> &'static [Program] {
    OPTIONAL
}
