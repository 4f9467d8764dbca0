//! `os/restart`: a host has been restarted for this step, and is back.
//!
//! The kernel numbers its boots. The step writes down in which one it asked for a restart, on the host and before it goes
//! down; it is so when the number is another. So no interruption restarts a host twice.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use super::super::arguments::Arguments;
use super::super::shell::{Doing, Shell};
use super::super::world::Subject;
use super::super::{Action, Found, Probe, Recalled, Trouble, Verified, World};
use super::{Place, in_own_words};
use crate::engagement::{Change, Failure, Intent, Outcome, Purpose, Question, RepeatClass};
use crate::journal::DurableIntent;
use crate::ssh::Fate;
use crate::text::duration;

const RESTART: &str = include_str!("restart.sh");
/// Between two looks whether it is back.
const PAUSE: Duration = Duration::from_secs(2);

/// `os/restart`
pub(in super::super) struct Restart {
    place: Place,
    only_if_needed: bool,
    shell: Shell,
    look: String,
}

/// What a look came to.
enum Seen {
    /// It was restarted for this step, or needs no restart; in which boot it is.
    So {
        said: &'static str,
        boot: String,
    },
    NotYet {
        said: String,
    },
}

impl Restart {
    pub(in super::super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let place = Place::new(&arguments, subject)?;
        let needed = arguments.one_of("if", &["always", "when_required"])?;
        let script = |call: &str| place.script(&[("needed", needed)], RESTART, call);
        let (look, run) = (script("look")?, script("restart")?);
        Ok(Restart { shell: place.shell(run, None), place, only_if_needed: needed == "when_required", look })
    }

    async fn look(&self, world: &World) -> Result<Seen, Trouble> {
        let seen = self.place.look(world, &self.look).await?;
        if seen.exit.code == Some(1) {
            return Ok(Seen::NotYet { said: seen.said().unwrap_or("it has not been restarted").to_owned() });
        }
        let said = String::from_utf8_lossy(&seen.well(&self.place.host)?).into_owned();
        let (word, boot) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
        let said = if word == "unneeded" { "no restart is needed" } else { "it has been restarted for this step" };
        Ok(Seen::So { said, boot: boot.to_owned() })
    }

    /// Waits until it is back in another boot. A host that goes down is expected to be unreachable.
    async fn back(&self, world: &World) -> Outcome {
        let began = Instant::now();
        loop {
            let why = match self.look(world).await {
                Ok(Seen::So { boot, .. }) => return self.restarted(began.elapsed(), boot),
                Ok(Seen::NotYet { said }) => said,
                Err(Trouble::Failure(failure)) => failure.what,
                // It shows a key that nobody knows, say: the check asks a person.
                Err(Trouble::Question(_)) => return self.restarted(began.elapsed(), String::new()),
            };
            if began.elapsed() >= self.place.limit {
                return Outcome::Failed { failure: self.stays_away(&why) };
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = world.cancel.cancelled() => {
                    return Outcome::Failed { failure: self.stays_away("a person stopped the wait for it") };
                }
            }
        }
    }

    fn restarted(&self, took: Duration, boot: String) -> Outcome {
        Outcome::Changed {
            said: format!("{} is back after {}", self.place.host, duration(took)),
            // There is nothing to take back.
            created: false,
            operations: vec![format!("ssh {}", self.place.host)],
            output: BTreeMap::from([("boot".to_owned(), json!(boot))]),
        }
    }

    fn stays_away(&self, why: &str) -> Failure {
        Failure {
            what: format!("{} was told to restart, and is not back: {why}", self.place.host),
            meaning: "It may be starting still, or its boot may have stopped.".to_owned(),
            advice: "Look at its console. Once it is back, run the step again: it is not restarted a second time."
                .to_owned(),
            ..Failure::default()
        }
    }

    async fn outcome(&self, world: &World, fate: Fate, said: &super::super::shell::Said) -> Outcome {
        match fate {
            // It went down before the script could say its end, or hear it.
            Fate::Ended { code: 0 } | Fate::CutOff { .. } | Fate::Unknown { .. } => self.back(world).await,
            fate => in_own_words(self.shell.outcome(Doing::Run, fate, said), &self.place.host),
        }
    }
}

#[async_trait]
impl Action for Restart {
    fn changes(&self) -> Vec<Change> {
        let if_needed = if self.only_if_needed { ", where one is required" } else { "" };
        let does = format!("restarts{if_needed}, and is waited for up to {}", duration(self.place.limit));
        vec![Change::new("ssh", &self.place.host, json!({ "does": does, "sudo": self.place.sudo }))]
    }

    fn class(&self) -> RepeatClass {
        RepeatClass::Token
    }

    async fn at_hand(&self, world: &World) -> Result<(), Question> {
        self.shell.at_hand(world).await
    }

    async fn probe(&self, world: &World) -> Probe {
        match self.look(world).await {
            Ok(Seen::So { said, boot }) => Probe::Same(found(said, boot)),
            Ok(Seen::NotYet { said }) => Probe::Absent { said },
            Err(trouble) => Probe::Unknown(trouble),
        }
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        let text = self.shell.run.as_deref().unwrap_or_default();
        match self.shell.started(world, text, intent, None).await {
            Ok((fate, said)) => self.outcome(world, fate, &said).await,
            Err(failure) => Outcome::Failed { failure },
        }
    }

    async fn let_go(&self, world: &World, token: &str) {
        self.shell.let_go(world, token).await;
    }

    async fn recall(&self, world: &World, intent: &Intent) -> Recalled {
        if intent.purpose == Purpose::Undo {
            return Recalled::Nothing;
        }
        let text = self.shell.run.as_deref().unwrap_or_default();
        match self.shell.found_again(world, text, intent).await {
            Ok(None) => Recalled::Nothing,
            Ok(Some((fate, said))) => Recalled::Ended(self.outcome(world, fate, &said).await),
            Err(trouble) => Recalled::Trouble(trouble),
        }
    }

    async fn verify(&self, world: &World) -> Verified {
        match self.look(world).await {
            Ok(Seen::So { said, boot }) => Verified::So(found(said, boot)),
            Ok(Seen::NotYet { said }) => Verified::NotYet { said },
            Err(trouble) => Verified::Unknown(trouble),
        }
    }

    async fn undo(&self, _world: &World, _intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        Outcome::AlreadySo { said: "a restart leaves nothing to take back".to_owned(), output: BTreeMap::new() }
    }
}

fn found(said: &str, boot: String) -> Found {
    let output = BTreeMap::from([("boot".to_owned(), json!(boot))]);
    Found { said: said.to_owned(), output, ..Found::default() }
}

#[cfg(test)]
#[path = "../tests/restarts.rs"]
mod tests;
