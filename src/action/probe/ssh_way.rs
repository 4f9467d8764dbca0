//! `probe/ssh-way`: how far a login gets on the way to a host, hop by hop, in words that conditions can read.

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::mpsc;

use super::super::arguments::Arguments;
use super::super::check::Question;
use super::super::object::found;
use super::super::world::Subject;
use super::super::{Failure, Trouble, Verified, World};
use super::LIMIT;
use crate::ssh::{Hop, Problem, Script, SshError, Stage};

/// `probe/ssh-way`
pub(in super::super) struct SshWay {
    host: String,
}

impl SshWay {
    pub(in super::super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(SshWay { host: arguments.text("host")? })
    }
}

#[async_trait]
impl Question for SshWay {
    async fn ask(&self, world: &World) -> Verified {
        let route = match world.route(&self.host).await {
            Ok(route) => route,
            Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
        };
        // A host that is reached in two ways has two entries, and its own name in each.
        let named = |hop: Option<&Hop>| hop.map_or(self.host.clone(), |hop| hop.name.clone());
        let ends = (named(route.hops.first()), named(route.hops.last()));
        let script = Script { text: ":".to_owned(), sudo: false, limit: LIMIT, stdin_after: None };
        let (sink, mut pieces) = mpsc::channel(16);
        let running = async move { world.ssh.run(&route, &script, &sink, &world.cancel).await };
        let taking = async { while pieces.recv().await.is_some() {} };
        let (ran, ()) = tokio::join!(running, taking);
        let (said, stands) = match ran {
            Ok(_) => (format!("{} lets us in and runs commands", self.host), Stands::default()),
            Err(error) => (error.to_string(), Stands::at(&error, &ends)),
        };
        let Stands { hop, at, first, last, stage, why, advice } = stands;
        let results = json!({
            "works": why.is_empty(), "hop": hop, "at": at, "first": first, "last": last, "stage": stage, "why": why,
            "advice": advice,
        });
        Verified::So(found(said, results))
    }
}

/// Where it stands still; empty where it does not.
#[derive(Default)]
struct Stands {
    hop: String,
    at: String,
    first: bool,
    last: bool,
    stage: String,
    why: &'static str,
    advice: String,
}

impl Stands {
    fn at(error: &SshError, (first, last): &(String, String)) -> Self {
        Stands {
            first: error.hop == *first,
            last: error.hop == *last,
            hop: error.hop.clone(),
            at: error.at.clone(),
            stage: error.stage.to_string(),
            why: why(error.stage, &error.problem),
            advice: error.advice(),
        }
    }
}

/// One word for what went wrong, the same for a hop that we reach and for one that a hop reaches for us.
fn why(stage: Stage, problem: &Problem) -> &'static str {
    let unconnected = |said: &str| {
        let said = said.to_lowercase();
        match stage {
            Stage::Name => "no-such-name",
            _ if said.contains("refused") => "refused",
            _ if said.contains("timed out") => "silent",
            _ => "unreachable",
        }
    };
    match problem {
        Problem::Timeout(_) => "silent",
        Problem::Io(said) | Problem::ConnectFailed { reason: said, .. } => unconnected(said),
        Problem::NotSsh(_) => "not-ssh",
        Problem::Busy | Problem::Penalty => "turned-away",
        Problem::Protocol(_) => "no-common-algorithm",
        Problem::UnknownHostKey(_) => "new-key",
        Problem::ChangedHostKey { .. } | Problem::RevokedHostKey { .. } | Problem::HostCertificate { .. } => {
            "wrong-key"
        }
        Problem::Denied(denial) if denial.partial => "second-factor",
        Problem::Denied(_) => "denied",
        Problem::KeyFile { .. } | Problem::NoAgent(_) | Problem::NoKeys => "no-key-of-ours",
        Problem::ForwardingRefused { .. } => "forwarding-refused",
        Problem::ChannelRefused(_) | Problem::CommandRefused => "no-commands",
        Problem::Setup(_) | Problem::Command { .. } | Problem::KnownHosts { .. } | Problem::BadPin(_) => "our-set-up",
        Problem::TakesPerson(problem) => why(stage, problem),
        Problem::Unanswered(_) => "second-factor",
        Problem::Lost(_) => "lost",
        Problem::PasswordNeededForSudo
        | Problem::WrongPasswordForSudo
        | Problem::SudoRefused(_)
        | Problem::BadScript(_)
        | Problem::BadRoute(_)
        | Problem::Cancelled => "other",
    }
}
