//! What a host is: its distribution, its firewall, how much of its disks is free. Asked once for each host and run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;

use super::super::arguments::Arguments;
use super::super::check::Question;
use super::super::world::Subject;
use super::super::{Found, Trouble, Verified, World};
use super::Place;
use crate::engagement::Failure;

const LOOK: &str = include_str!("facts.sh");
const PATIENCE: Duration = Duration::from_secs(30);
/// A disk with less than this is as good as full, in MiB.
const FULL: u64 = 64;

/// What one host said of itself, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Lines of `name=value`; anything else is no fact.
    fn read(said: &str) -> Facts {
        let line = |line: &str| {
            line.split_once('=').map(|(name, value)| (name.to_owned(), crate::text::clean(value.as_bytes())))
        };
        Facts(said.lines().filter_map(line).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Would sudo ask for a password?
    pub(in super::super) fn sudo_asks(&self) -> bool {
        self.get("sudo") == "password"
    }

    /// The disks that are as good as full, and what is left of each.
    pub(in super::super) fn full_disks(&self) -> Vec<String> {
        let places = [("free_mib_root", "/"), ("free_mib_var", "/var"), ("free_mib_tmp", "/tmp")];
        let free = places.into_iter().filter_map(|(name, place)| Some((place, self.get(name).parse::<u64>().ok()?)));
        free.filter(|(_, free)| *free < FULL).map(|(place, free)| format!("{free} MiB on {place}")).collect()
    }

    fn output(&self) -> BTreeMap<String, Json> {
        let value = |name: &str, text: &str| match text.parse::<u64>() {
            Ok(number) if name.starts_with("free_mib_") => json!(number),
            _ => json!(text),
        };
        let named = NAMES.iter().map(|(name, _)| ((*name).to_owned(), value(name, self.get(name))));
        named.collect()
    }

    fn said(&self) -> String {
        let system = [self.get("distribution"), self.get("version")].join(" ");
        let system = if system.trim().is_empty() { "of an unknown distribution" } else { system.trim() };
        let part = |name: &str| if self.get(name).is_empty() { "unknown" } else { self.get(name) };
        let [architecture, selinux, firewall] = ["architecture", "selinux", "firewall"].map(part);
        format!("{system}, {architecture}; SELinux {selinux}, firewall {firewall}")
    }
}

/// The results of `os/facts`.
pub(in super::super) const NAMES: &[(&str, &str)] = &[
    ("distribution", "such as debian, ubuntu, rhel, rocky"),
    ("version", "such as 12 or 9.4"),
    ("family", "debian, redhat, suse or other"),
    ("kernel", "as uname -r says it"),
    ("architecture", "x86_64 or aarch64"),
    ("boot", "the kernel's number of this boot"),
    ("init", "systemd or other"),
    ("selinux", "enforcing, permissive, disabled or none"),
    ("firewall", "firewalld, ufw, nftables or none"),
    ("sudo", "root, free (no password), password or none"),
    ("free_mib_root", "free on /"),
    ("free_mib_var", "free on /var"),
    ("free_mib_tmp", "free on /tmp"),
];

/// The facts of every host that was asked since the run began.
#[derive(Clone, Default)]
pub(in super::super) struct Known(Arc<Mutex<BTreeMap<String, Arc<OnceCell<Facts>>>>>);

impl Known {
    /// They may be others by now.
    pub(in super::super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The facts of a host; asked for once, whoever wants them at the same time.
    ///
    /// # Errors
    /// It could not be asked.
    pub(in super::super) async fn of(&self, world: &World, host: &str) -> Result<Facts, Trouble> {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(host.to_owned()).or_default().clone();
        cell.get_or_try_init(|| ask(world, host)).await.cloned()
    }
}

async fn ask(world: &World, host: &str) -> Result<Facts, Trouble> {
    let place = Place { host: host.to_owned(), sudo: false, store: String::new(), limit: PATIENCE };
    let said = place.look(world, LOOK).await?.well(host)?;
    Ok(Facts::read(&String::from_utf8_lossy(&said)))
}

/// `os/facts`
pub(in super::super) struct TheFacts {
    host: String,
}

impl TheFacts {
    pub(in super::super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheFacts { host: arguments.text("host")? })
    }
}

#[async_trait]
impl Question for TheFacts {
    async fn ask(&self, world: &World) -> Verified {
        match world.facts(&self.host).await {
            Ok(facts) => Verified::So(Found { said: facts.said(), output: facts.output(), ..Found::default() }),
            Err(trouble) => Verified::Unknown(trouble),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_lines_and_a_small_disk_is_named() {
        let facts =
            Facts::read("distribution=debian\nversion=12\nnoise\nsudo=password\nfree_mib_var=12\nfree_mib_root=9000\n");
        assert_eq!(facts.full_disks(), ["12 MiB on /var"]);
        assert!(facts.sudo_asks());
        assert_eq!(facts.output()["free_mib_var"], json!(12));
        assert_eq!(facts.output()["selinux"], json!(""), "what a host does not say is empty, so that `saves` finds it");
    }
}
