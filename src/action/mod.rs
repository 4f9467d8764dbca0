//! What steps can do, one file a family, one registry.
//!
//! Uses: ssh, aws, net, journal, engagement, runbook, input, text.
//!
//! Every action, of whatever kind, answers four questions: *probe* (is it already so?), *apply* (make it so), *verify*
//! (is it so now, as a customer would see it?) and *undo* (make it not so). Only `apply` and `undo` may change the
//! world, and only with a `DurableIntent` in hand, which the journal alone can make.
//! From `journal` this room may use that one name.

mod access;
mod account;
mod arguments;
mod aws_account;
mod aws_acl;
mod aws_backup;
mod aws_backup_copy;
mod aws_backup_job;
mod aws_backup_restore;
mod aws_compute;
mod aws_dhcp;
mod aws_dns_answer;
mod aws_dx;
mod aws_dx_accepted;
mod aws_dx_apart;
mod aws_dx_gateway;
mod aws_dx_interface;
mod aws_dx_lag;
mod aws_dx_light;
mod aws_dx_macsec;
mod aws_dx_proposal;
mod aws_dx_test;
mod aws_ebs;
mod aws_ec2_settings;
mod aws_endpoint;
mod aws_exposure;
mod aws_groups;
mod aws_image;
mod aws_images;
mod aws_mail;
mod aws_mail_account;
mod aws_mail_events;
mod aws_mail_from;
mod aws_mail_test;
mod aws_network;
mod aws_outbound;
mod aws_peering;
mod aws_peering_names;
mod aws_permissions;
mod aws_public_block;
mod aws_quota;
mod aws_rds;
mod aws_rds_export;
mod aws_rds_replication;
mod aws_rds_restore;
mod aws_records;
mod aws_resolver;
mod aws_resolver_vpc;
mod aws_resource;
mod aws_resource_model;
mod aws_s3;
mod aws_secret;
mod aws_smtp;
mod aws_trail;
mod aws_transit;
mod aws_transit_back;
mod aws_transit_ways;
mod aws_vpn;
mod aws_vpn_connection;
mod aws_vpn_device;
mod aws_vpn_handout;
mod aws_vpn_log;
mod aws_ways;
mod aws_zone;
mod aws_zone_elsewhere;
mod call;
mod check;
mod coverage;
mod dependents;
mod desk;
mod dns_handout;
mod elsewhere;
mod failure;
mod object;
mod os;
mod own_ranges;
mod pages;
mod papers;
mod probe;
mod reached;
mod records;
mod registry;
mod room;
mod send;
mod sending;
mod shell;
mod sight;
mod standing;
mod step_needs;
mod tagged;
mod vault;
mod vigil;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;

pub use crate::aws::{Holdup, Teller};
pub use crate::engagement::Failure;
use crate::engagement::{Change, Difference, Intent, Outcome, Question, Rehearsal, RepeatClass};
use crate::journal::DurableIntent;

pub use access::{Access, NotConnected};
pub use aws_permissions::Rehearsing;
pub use coverage::coverage;
pub use desk::{Desk, LoginCall};
pub use papers::Papers;
pub use registry::{build, catalog, operations};
pub use room::counted_by;
pub use step_needs::{needs, needs_of};
pub use vault::{NotKept, SEALED, Vault, keyring_works};
pub use world::{Routes, Subject, World, Worlds};

/// One resolved step, ready to be asked.
#[async_trait]
pub trait Action: Send + Sync {
    /// Every call or script that making it from nothing would send, in order, with its arguments. Pure.
    /// What `apply` sends is exactly this after `Probe::Absent`, and exactly `mend` after `Probe::Different`.
    fn changes(&self) -> Vec<Change>;

    /// How the first of these may be repeated after a lost answer.
    fn class(&self) -> RepeatClass;

    /// What is written down with the intent after `Probe::Absent`: what an undo has to know. After `Probe::Different` it is
    /// what that keeps.
    fn keeps(&self) -> BTreeMap<String, Json> {
        BTreeMap::new()
    }

    /// Is everything at hand that making it so needs of a person? Asked before the intent is recorded.
    ///
    /// # Errors
    /// The question for what is missing.
    async fn at_hand(&self, _world: &World) -> Result<(), Question> {
        Ok(())
    }

    /// Is what is in its place already, before any step of ours, counted as it? Then a look tells something before the steps
    /// are done that it needs, also where not all of its values are known yet. Pure.
    fn takes_what_is_there(&self) -> bool {
        false
    }

    /// Is it already so? Never changes the world. A question that could not be answered is `Unknown`, never `Absent`.
    async fn probe(&self, world: &World) -> Probe;

    /// What AWS says when the calls that make it from nothing are only rehearsed: which permissions are missing. Changes
    /// nothing; the way to AWS refuses whatever is no rehearsal.
    async fn rehearse(&self, _world: &World) -> Vec<Rehearsal> {
        Vec::new()
    }

    /// Does it look at what other steps are still to make? Then it is given `World::rehearsing`. Pure.
    fn asks_for_rehearsals(&self) -> bool {
        false
    }

    /// How long what it makes usually takes until it can be used, where that is known.
    fn usually_takes(&self) -> Option<Duration> {
        None
    }

    /// Make it so. Looks again itself where it must know what is there, so that a half-made thing is completed.
    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome;

    /// What became of a change that was cut off, as the far side itself has written it down. Waits for the end of one
    /// that is still going on. Starts nothing.
    async fn recall(&self, _world: &World, _intent: &Intent) -> Recalled {
        Recalled::Nothing
    }

    /// The outcome under this token is recorded for good: what the far side kept for whoever asks again can go.
    async fn let_go(&self, _world: &World, _token: &str) {}

    /// Is it so now? Its output is what later steps use.
    async fn verify(&self, world: &World) -> Verified;

    /// Make it not so: deletes only what this engagement created, as `made` and the tags say.
    async fn undo(&self, world: &World, intent: &DurableIntent, made: &BTreeMap<String, Json>) -> Outcome;

    /// What takes back a change with this result, as far as can be said without a look. Pure.
    fn inverse(&self, _made: &BTreeMap<String, Json>) -> Vec<Change> {
        Vec::new()
    }

    /// What `undo` would send now. Never changes the world.
    async fn undoes(&self, _world: &World, made: &BTreeMap<String, Json>) -> Undoes {
        Undoes::Sends(self.inverse(made))
    }

    /// The id of what is there, when its tags say that this engagement made it for this step.
    ///
    /// # Errors
    /// It could not be looked at.
    async fn made_by_us(&self, _world: &World, _found: &Found) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// The object that stands for this step: the one of `Subject::adopted`, or the one that is ours. It must be as wanted,
    /// or ours and half made.
    ///
    /// # Errors
    /// It is not there, is another, or could not be looked at.
    async fn adopt(&self, world: &World) -> Result<Chosen, Failure> {
        if let Some(id) = &world.subject.adopted {
            let advice = "Leave the id away: onramp looks by itself whether it is so.";
            return Err(Failure::new(format!("this step makes nothing that is called {id}"), advice));
        }
        match self.probe(world).await {
            Probe::Same(found) => Ok(Chosen { id: String::new(), ours: !found.foreign, whole: true, found }),
            Probe::Absent { said } | Probe::Different { said, .. } => {
                Err(Failure::new(format!("it is not so: {said}"), "Look again, or put it right by hand first."))
            }
            Probe::Unknown(Trouble::Failure(failure)) => Err(failure),
            Probe::Unknown(Trouble::Question(_)) => {
                Err(Failure::new("a host key must be accepted first", "Run the step: it shows the key."))
            }
        }
    }
}

/// The answer to "what would an undo send?".
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Undoes {
    Sends(Vec<Change>),
    /// It is not there any more.
    Nothing,
    /// It stays: it is not ours (any more), or it cannot go now. The undo fails.
    Leaves {
        said: String,
    },
    /// It stays, as it is meant to.
    Keeps {
        said: String,
    },
    Unknown(Trouble),
}

/// The object that a person chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Empty where it has none.
    pub id: String,
    /// Its tags say that this engagement made it.
    pub ours: bool,
    /// It is as wanted. Only what is ours may be taken without: what is missing is sent then.
    pub whole: bool,
    pub found: Found,
}

/// The answer to "is it already so?".
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Probe {
    Absent {
        said: String,
    },
    Same(Found),
    /// Something is there but not as wanted. `mend` is what `apply` would send to put it right; empty when onramp will
    /// not touch it by itself and a person must decide.
    Different {
        said: String,
        differences: Vec<Difference>,
        mend: Vec<Change>,
        /// What an undo of that will have to know of how it is now.
        keep: BTreeMap<String, Json>,
    },
    Unknown(Trouble),
}

impl Probe {
    /// Something is there that onramp leaves as it is: a person must decide.
    pub(crate) fn left(said: String, differences: Vec<Difference>) -> Self {
        Probe::mended(said, differences, Vec::new())
    }

    /// These changes put it right, and an undo of them has to know nothing of how it is now.
    pub(crate) fn mended(said: String, differences: Vec<Difference>, mend: Vec<Change>) -> Self {
        Probe::Different { said, differences, mend, keep: BTreeMap::new() }
    }
}

/// The answer to "is it so now?".
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Verified {
    So(Found),
    /// On its way: ask again later.
    NotYet {
        said: String,
    },
    NotSo(Failure),
    Unknown(Trouble),
}

/// What the far side knows of a change that was cut off.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Recalled {
    /// It keeps no record, or the change never reached it: probing and repeating, as the class allows, tell the rest.
    Nothing,
    Ended(Outcome),
    /// It had begun and will not end: part of it may have been done, and it must not be repeated.
    CutOff {
        why: String,
    },
    /// It could not be asked.
    Trouble(Trouble),
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    pub said: String,
    /// All the results that the kind promises in the catalog, by name.
    pub output: BTreeMap<String, Json>,
    /// Its tags say that this engagement did not make it.
    pub foreign: bool,
}

/// Why a question could not be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    Failure(Failure),
    /// A person must answer first, e.g. accept a host key.
    Question(Question),
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::every_operation;
