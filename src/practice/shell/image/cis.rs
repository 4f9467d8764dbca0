//! What CIS changes in its images of Ubuntu and Red Hat, as far as a runbook meets it here: sshd, firewalls, and mounts from
//! which nothing is executed.
//!
//! Source: the remediations of the CIS benchmarks for RHEL 8, 9 and 10 and for Ubuntu 22.04 and 24.04, which write what they
//! want of sshd above any Include. How CIS builds its images in truth was not seen.

use super::super::machine::Machine;
use super::super::systemd::{AtBoot, Role, Unit};

/// The level of the benchmark, for servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cis {
    Level1,
    Level2,
}

const LEVEL_1: &str = "Banner /etc/issue.net\nClientAliveCountMax 3\nClientAliveInterval 15\nHostbasedAuthentication no\n\
                       IgnoreRhosts yes\nLogLevel INFO\nLoginGraceTime 60\nMaxAuthTries 4\nMaxSessions 10\nMaxStartups 10:30:60\n\
                       PermitEmptyPasswords no\nPermitRootLogin no\nPermitUserEnvironment no\n";
const LEVEL_2: &str = "AllowTcpForwarding no\nDisableForwarding yes\nGSSAPIAuthentication no\nX11Forwarding no\n";

/// Section 1.1 of each benchmark: partitions of their own.
pub(super) const MOUNTS: &str = "tmpfs /tmp tmpfs defaults,rw,nosuid,nodev,noexec,relatime,size=2G 0 0\n\
                                 LABEL=var-tmp /var/tmp xfs defaults,rw,nosuid,nodev,noexec,relatime 0 0\n\
                                 tmpfs /dev/shm tmpfs defaults,rw,nosuid,nodev,noexec,relatime 0 0\n";

impl Cis {
    /// The hardening of an image of CIS's, by its name.
    pub fn named(ami: &str) -> Option<Self> {
        match ami.starts_with("CIS ") {
            true if ami.contains("Level 1") => Some(Self::Level1),
            true if ami.contains("Level 2") => Some(Self::Level2),
            _ => None,
        }
    }

    /// What stands at the top of sshd_config.
    pub(super) fn above_all_else(self) -> String {
        format!("{LEVEL_1}{}", if self == Self::Level2 { LEVEL_2 } else { "" })
    }
}

/// The firewall is on before anybody has logged in, and lets SSH in at its own port.
pub fn shut(machine: &Machine) {
    machine.with(|state| {
        if machine.image.is_rhel() {
            state.packages.insert("firewalld".to_owned());
            let unit = Unit::new("firewalld", AtBoot::On, Role::Firewalld);
            state.units.insert("firewalld.service".to_owned(), unit);
        } else {
            for rule in ["allow 22/tcp", "enable"] {
                let words: Vec<String> = rule.split(' ').map(str::to_owned).collect();
                state.firewall.ufw.command(&words, true);
            }
        }
    });
}
