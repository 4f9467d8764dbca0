//! Scripts on a host: `check`, `run`, `verify` and `undo` of a step.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::failure::of_ssh;
use super::world::trouble_of_ssh;
use super::{Action, Found, Probe, Trouble, Verified, World};
use crate::engagement::{Change, Failure, Outcome, RepeatClass};
use crate::journal::DurableIntent;
use crate::ssh::{Chunk, Exit, Route, Script, SshError, Stream};
use crate::text::{Cleaner, clip};

/// Pieces of output under way between the wire and the watcher; more than that waits on the wire, which drops and counts.
const UNDER_WAY: usize = 64;
/// Lines of the end of the output that a failure shows.
const LAST_LINES: usize = 12;
/// Bytes of standard output that become the result `stdout`.
const RESULT: usize = 16 * 1024;

/// One step of scripts, filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shell {
    pub host: String,
    /// Functions that come before each script.
    pub library: String,
    pub sudo: bool,
    pub check: Option<String>,
    pub run: Option<String>,
    pub verify: Option<String>,
    pub undo: Option<String>,
    pub limit: Duration,
}

/// How a script ended, and the last it said.
struct Ended {
    exit: Exit,
    said: Said,
}

/// Why a script has no end to tell of.
enum NotEnded {
    /// There is no way to the host in the runbook's hosts.
    NoRoute(Failure),
    Ssh(SshError),
}

impl NotEnded {
    fn trouble(&self) -> Trouble {
        match self {
            NotEnded::NoRoute(failure) => Trouble::Failure(failure.clone()),
            NotEnded::Ssh(error) => trouble_of_ssh(error),
        }
    }
}

impl Shell {
    async fn script(&self, world: &World, text: &str) -> Result<Ended, NotEnded> {
        let route = world.routes.to(&self.host).map_err(NotEnded::NoRoute)?;
        let text = if self.library.is_empty() { text.to_owned() } else { format!("{}\n{text}", self.library) };
        let script = Script { text, sudo: self.sudo, limit: self.limit, stdin_after: None };
        run_script(world, &route, &script).await.map_err(NotEnded::Ssh)
    }

    fn failed(&self, what: &str, ended: &Ended) -> Failure {
        Failure {
            what: format!("{what} on {} ended with {}", self.host, code_of(&ended.exit)),
            meaning: "The script says so itself; what it did before that is in its output.".to_owned(),
            advice: "Read its last lines below, put right what they name, and run the step again.".to_owned(),
            raw: ended.said.last_lines(),
            ..Failure::default()
        }
    }

    /// Runs a script that changes something.
    async fn change(&self, world: &World, what: &str, text: &str, created: bool) -> Outcome {
        match self.script(world, text).await {
            Ok(ended) if ended.exit.is_success() => Outcome::Changed {
                said: format!("{what} on {} ended well", self.host),
                created,
                operations: vec![format!("ssh {}", self.host)],
                output: BTreeMap::from([("stdout".to_owned(), json!(ended.said.result()))]),
            },
            Ok(ended) if ended.exit.code.is_none() && ended.exit.signal.is_none() => {
                Outcome::InDoubt { why: format!("{what} on {} ended without saying how", self.host) }
            }
            Ok(ended) => Outcome::Failed { failure: self.failed(what, &ended) },
            Err(NotEnded::Ssh(error)) if error.may_have_run() => Outcome::InDoubt { why: error.to_string() },
            Err(NotEnded::Ssh(error)) => Outcome::Failed { failure: of_ssh(&error) },
            Err(NotEnded::NoRoute(failure)) => Outcome::Failed { failure },
        }
    }
}

#[async_trait]
impl Action for Shell {
    fn changes(&self) -> Vec<Change> {
        let change = |script: &String| {
            let mut arguments = json!({ "script": script, "sudo": self.sudo });
            if !self.library.is_empty() {
                arguments["library"] = json!(self.library);
            }
            Change::new("ssh", &self.host, arguments)
        };
        self.run.iter().map(change).collect()
    }

    fn class(&self) -> RepeatClass {
        RepeatClass::Person
    }

    async fn probe(&self, world: &World) -> Probe {
        // Without a check of its own, what proves it afterwards can tell now as well that it is so; not that it is not.
        let (text, only_so) = match (&self.check, &self.verify) {
            (Some(check), _) => (check, false),
            (None, Some(verify)) => (verify, true),
            (None, None) => return Probe::Absent { said: "the step has no check, so its script will run".to_owned() },
        };
        match self.script(world, text).await {
            Err(not_ended) => Probe::Unknown(not_ended.trouble()),
            Ok(ended) if ended.exit.is_success() => Probe::Same(self.found(&ended)),
            Ok(ended) if ended.exit.code == Some(1) || (only_so && ended.exit.code.is_some()) => {
                Probe::Absent { said: ended.said.short(&format!("not so on {}", self.host)) }
            }
            Ok(ended) => Probe::Unknown(Trouble::Failure(self.failed("the check", &ended))),
        }
    }

    async fn apply(&self, world: &World, _intent: &DurableIntent) -> Outcome {
        match &self.run {
            Some(run) => self.change(world, "the script", run, true).await,
            None => Outcome::AlreadySo { said: "this step only looks".to_owned(), output: BTreeMap::new() },
        }
    }

    async fn verify(&self, world: &World) -> Verified {
        let Some(text) = self.verify.as_ref().or(self.check.as_ref()) else {
            // Lint warns of such a step; its script's own exit code is all the proof there is.
            return Verified::So(Found {
                said: "the step has no check of its own".to_owned(),
                output: BTreeMap::new(),
            });
        };
        match self.script(world, text).await {
            Err(not_ended) => Verified::Unknown(not_ended.trouble()),
            Ok(ended) if ended.exit.is_success() => Verified::So(self.found(&ended)),
            Ok(ended) => {
                let said = format!("the check on {} ended with {}", self.host, code_of(&ended.exit));
                Verified::NotYet { said: ended.said.short(&said) }
            }
        }
    }

    async fn undo(&self, world: &World, _intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        match &self.undo {
            Some(undo) => self.change(world, "the undo script", undo, false).await,
            None => Outcome::Failed {
                failure: Failure::new("this step has no undo script", "Take it back by hand, then skip the step."),
            },
        }
    }
}

impl Shell {
    fn found(&self, ended: &Ended) -> Found {
        let output = BTreeMap::from([("stdout".to_owned(), json!(ended.said.result()))]);
        Found { said: ended.said.short(&format!("so on {}", self.host)), output }
    }
}

fn code_of(exit: &Exit) -> String {
    match (exit.code, &exit.signal) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no code".to_owned(),
    }
}

/// Runs a script, shows its output as it comes, and keeps the end of it.
async fn run_script(world: &World, route: &Route, script: &Script) -> Result<Ended, SshError> {
    let (sink, mut pieces) = mpsc::channel::<Chunk>(UNDER_WAY);
    let running = async {
        let exit = world.ssh.run(route, script, &sink, &world.cancel).await;
        drop(sink);
        exit
    };
    let watching = async {
        let mut said = Said::default();
        while let Some(piece) = pieces.recv().await {
            said.heard(&piece);
            if piece.missed > 0 {
                world.say(&format!("({} bytes of output were lost here)", piece.missed)).await;
            }
            // A watcher who has gone away does not stop the script.
            let _ = world.output.send(piece.bytes).await;
        }
        said.finish()
    };
    let (exit, said) = tokio::join!(running, watching);
    Ok(Ended { exit: exit?, said })
}

/// What a script wrote, made printable, the end of it only.
#[derive(Debug, Default)]
struct Said {
    out: Tail,
    err: Tail,
}

#[derive(Debug, Default)]
struct Tail {
    cleaner: Cleaner,
    text: String,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        let text = self.cleaner.push(bytes);
        self.text.push_str(&text);
        if self.text.len() > 2 * RESULT {
            let from = self.text.char_indices().map(|(at, _)| at).find(|at| *at >= self.text.len() - RESULT);
            self.text.drain(..from.unwrap_or(0));
        }
    }

    fn lines(&self) -> Vec<&str> {
        self.text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
    }
}

impl Said {
    fn heard(&mut self, piece: &Chunk) {
        match piece.stream {
            Stream::Out => self.out.push(&piece.bytes),
            Stream::Err => self.err.push(&piece.bytes),
        }
    }

    fn finish(mut self) -> Said {
        for tail in [&mut self.out, &mut self.err] {
            let rest = tail.cleaner.finish();
            tail.text.push_str(&rest);
        }
        self
    }

    /// The last line of standard error, or of standard output, or this.
    fn short(&self, otherwise: &str) -> String {
        let last = self.err.lines().last().copied().or(self.out.lines().last().copied());
        last.map_or_else(|| otherwise.to_owned(), |line| clip(line, 200))
    }

    /// The last lines of standard error; of standard output when there are none.
    fn last_lines(&self) -> String {
        let lines = if self.err.lines().is_empty() { self.out.lines() } else { self.err.lines() };
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    fn result(&self) -> &str {
        self.out.text.trim_end()
    }
}
