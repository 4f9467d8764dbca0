//! `os/packages`: packages of the distribution are installed, on Debian, Ubuntu, Red Hat and their like.
//!
//! Another package manager that is at work (unattended upgrades, cloud-init) is waited for and named.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::super::arguments::{Arguments, known};
use super::super::shell::Shell;
use super::super::world::Subject;
use super::super::{Action, Found, Probe, Recalled, Verified, World};
use super::{Place, in_own_words, own_words, word};
use crate::engagement::{Change, Failure, Intent, Outcome, Question, RepeatClass};
use crate::journal::DurableIntent;

const PACKAGES: &str = include_str!("packages.sh");

/// `os/packages`
pub(in super::super) struct Packages {
    place: Place,
    names: Vec<String>,
    patience: u64,
    shell: Shell,
}

impl Packages {
    pub(in super::super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let place = Place::new(&arguments, subject)?;
        let names = arguments.list("names")?;
        if let Some(bad) = names.iter().find(|name| known(name) && !is_name(name)) {
            let what = format!("\"{bad}\" in the argument `names` of {} names no package", arguments.kind);
            return Err(Failure::new(what, "Write the names as the distribution does, such as [chrony]."));
        }
        if names.is_empty() {
            let what = format!("the argument `names` of {} names no package", arguments.kind);
            return Err(Failure::new(what, "Name one, or leave the step out."));
        }
        // The rest of the time is for the package manager itself.
        let patience = place.limit.as_secs() / 2;
        let words = names.iter().map(|name| word(name)).collect::<Result<Vec<_>, _>>()?.join(" ");
        let waits = patience.to_string();
        let script = |call: &str| place.script(&[("patience", &waits)], PACKAGES, call);
        let check = format!(
            "lack=$(missing {words})\n[ -n \"$lack\" ] || {{ echo 'all of them are installed'; exit 0; }}\n\
             say \"not installed:$lack\"; exit 1"
        );
        let shell = Shell {
            check: Some(script(&check)?),
            ..place.shell(script(&format!("install_them {words}"))?, Some(script("remove_them")?))
        };
        Ok(Packages { place, names, patience, shell })
    }

    fn change(&self, does: &str) -> Change {
        let said = json!({ "packages": self.names.join(" "), "does": does, "sudo": self.place.sudo });
        Change::new("ssh", &self.place.host, said)
    }
}

/// What Debian and Red Hat allow in a name, and nothing that could be an option.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+-_:".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

#[async_trait]
impl Action for Packages {
    fn changes(&self) -> Vec<Change> {
        let waits = crate::text::duration(std::time::Duration::from_secs(self.patience));
        vec![self.change(&format!("installs those that are missing; waits up to {waits} for another package manager"))]
    }

    fn class(&self) -> RepeatClass {
        self.shell.class()
    }

    async fn at_hand(&self, world: &World) -> Result<(), Question> {
        self.shell.at_hand(world).await
    }

    async fn probe(&self, world: &World) -> Probe {
        match self.shell.probe(world).await {
            Probe::Absent { said } => Probe::Absent { said: plain(said) },
            probe => probe,
        }
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        in_own_words(self.shell.apply(world, intent).await, &self.place.host)
    }

    async fn let_go(&self, world: &World, token: &str) {
        self.shell.let_go(world, token).await;
    }

    async fn recall(&self, world: &World, intent: &Intent) -> Recalled {
        match self.shell.recall(world, intent).await {
            Recalled::Ended(outcome) => Recalled::Ended(in_own_words(outcome, &self.place.host)),
            recalled => recalled,
        }
    }

    async fn verify(&self, world: &World) -> Verified {
        match self.shell.verify(world).await {
            Verified::So(found) => Verified::So(Found { output: BTreeMap::new(), ..found }),
            Verified::NotYet { said } => Verified::NotYet { said: plain(said) },
            verified => verified,
        }
    }

    async fn undo(&self, world: &World, intent: &DurableIntent, made: &BTreeMap<String, Json>) -> Outcome {
        in_own_words(self.shell.undo(world, intent, made).await, &self.place.host)
    }

    fn inverse(&self, _made: &BTreeMap<String, Json>) -> Vec<Change> {
        vec![self.change("removes those of them that this step installed, unless something else needs them")]
    }
}

fn plain(said: String) -> String {
    own_words(&said).map_or(said.clone(), str::to_owned)
}

#[cfg(test)]
#[path = "../tests/packages.rs"]
mod tests;
