//! What onramp itself does on hosts, beyond the scripts of a runbook: files, packages, restarts, facts.
//!
//! Each is a pair of scripts of onramp's own with the step's values before them, every value quoted. They run as the
//! scripts of a step do: under a claim, once for a token, and are found again after an interruption.

pub(super) mod facts;
pub(super) mod file;
pub(super) mod packages;
pub(super) mod restart;

use std::time::Duration;

use tokio::sync::mpsc;

use super::arguments::{Arguments, known};
use super::shell::Shell;
use super::world::Subject;
use super::{Trouble, World};
use crate::engagement::{Failure, Outcome, digest_of};
use crate::runbook::quoted;
use crate::ssh::{Exit, Script, Stream};
use crate::text::{clean, read_duration};

/// Where onramp keeps on a host what was there before.
const KEPT: &str = include_str!("os/kept.sh");
/// How a script of ours begins the line that says why it could not do it.
const OWN_WORDS: &str = "onramp: ";
/// Long enough for a package to be installed.
const LIMIT: Duration = Duration::from_secs(600);
/// A look takes no longer than this.
const LOOK: Duration = Duration::from_secs(60);

/// Where something is done, and as whom.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    host: String,
    sudo: bool,
    /// The step's own name in what is kept on the host.
    store: String,
    /// How long the script may run that changes something.
    limit: Duration,
}

impl Place {
    fn new(arguments: &Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let limit = match arguments.optional("limit")? {
            None => LIMIT,
            Some(said) => read_duration(&said).ok_or_else(|| {
                let what = format!("the argument `limit` of {} is \"{said}\", which is no time", arguments.kind);
                Failure::new(what, "Write 90s, 10m or 1h.")
            })?,
        };
        let sudo = arguments.one_of("sudo", &["true", "false"])? == "true";
        let of = serde_json::json!([subject.engagement, subject.address.to_string()]);
        let store = digest_of(&of).chars().take(32).collect();
        Ok(Place { host: arguments.text("host")?, sudo, store, limit })
    }

    /// A script of ours: what is given, as variables, then the functions, then what is called.
    fn script(&self, given: &[(&str, &str)], functions: &str, call: &str) -> Result<String, Failure> {
        let mut text = format!("store={}\n", word(&self.store)?);
        for (name, value) in given {
            text += &format!("{name}={}\n", word(value)?);
        }
        Ok(format!("{text}{KEPT}\n{functions}\n{call}\n"))
    }

    fn shell(&self, run: String, undo: Option<String>) -> Shell {
        Shell {
            host: self.host.clone(),
            library: String::new(),
            sudo: self.sudo,
            check: None,
            run: Some(run),
            then: None,
            verify: None,
            undo,
            stdin: None,
            limit: self.limit,
        }
    }

    /// Runs a script that only looks, without showing what it says.
    async fn look(&self, world: &World, text: &str) -> Result<Seen, Trouble> {
        let route = world.way(&self.host).await.map_err(Trouble::Failure)?;
        let script = Script { text: text.to_owned(), sudo: self.sudo, limit: LOOK, stdin_after: None };
        let (sink, mut pieces) = mpsc::channel(16);
        let running = async move { world.ssh.run(&route, &script, &sink, &world.cancel).await };
        let taking = async {
            let (mut out, mut err, mut lost) = (Vec::new(), Vec::new(), false);
            while let Some(piece) = pieces.recv().await {
                lost |= piece.missed > 0;
                match piece.stream {
                    Stream::Out => out.extend(piece.bytes),
                    Stream::Err => err.extend(piece.bytes),
                }
            }
            (out, err, lost)
        };
        let (exit, (out, err, lost)) = tokio::join!(running, taking);
        let exit = match exit {
            Ok(exit) => exit,
            Err(error) => return Err(world.trouble_at(&self.host, &error).await),
        };
        if lost {
            let what = format!("some of what {} said was lost", self.host);
            return Err(Trouble::Failure(Failure::new(what, "Look again.")));
        }
        Ok(Seen { exit, out, err: clean(&err) })
    }
}

/// Runs a script on a host that only looks, without showing what it says.
pub(super) async fn look(world: &World, host: &str, sudo: bool, text: &str) -> Result<Seen, Trouble> {
    let place = Place { host: host.to_owned(), sudo, store: String::new(), limit: LOOK };
    place.look(world, text).await
}

/// What a look came to.
pub(super) struct Seen {
    pub(super) exit: Exit,
    pub(super) out: Vec<u8>,
    /// Made printable.
    pub(super) err: String,
}

impl Seen {
    /// Its standard output, where it ended well.
    fn well(self, host: &str) -> Result<Vec<u8>, Trouble> {
        if self.exit.is_success() { Ok(self.out) } else { Err(Trouble::Failure(self.failure(host))) }
    }

    fn failure(&self, host: &str) -> Failure {
        let said = self.said().unwrap_or("the look at it did not end well");
        Failure {
            what: format!("{host}: {said}"),
            meaning: "Nothing was changed.".to_owned(),
            raw: self.err.clone(),
            ..Failure::new("", "Put right what it says, and try again.")
        }
    }

    /// What the script said of it itself, or the last it said at all.
    fn said(&self) -> Option<&str> {
        own_words(&self.err).or_else(|| self.err.lines().rev().find(|line| !line.trim().is_empty()))
    }
}

/// The last line in which a script of ours says why.
fn own_words(said: &str) -> Option<&str> {
    said.lines().rev().find_map(|line| line.strip_prefix(OWN_WORDS))
}

/// A failure of a script of ours is called what the script itself says of it.
fn in_own_words(outcome: Outcome, host: &str) -> Outcome {
    match outcome {
        Outcome::Failed { failure } => {
            // Our own scripts know: what they make they keep note of first, and it is whole or not there.
            let failure = Failure { changed: Vec::new(), ..failure };
            let what = own_words(&failure.raw).map_or(failure.what.clone(), |said| format!("{host}: {said}"));
            Outcome::Failed { failure: Failure { what, ..failure } }
        }
        outcome => outcome,
    }
}

fn word(text: &str) -> Result<String, Failure> {
    quoted(text).map_err(|why| Failure::new(format!("a value {why}"), "Correct the step, or the input it is made of."))
}

/// The name of a user or a group, or its number; or a placeholder.
fn account(arguments: &Arguments<'_>, name: &str) -> Result<Option<String>, Failure> {
    let given = arguments.optional(name)?;
    let good = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-$".contains(c);
        !text.starts_with('-') && text.len() <= 64 && text.chars().all(plain)
    };
    match given {
        Some(text) if known(&text) && !good(&text) => {
            let what = format!("the argument `{name}` of {} is \"{text}\", which names nobody", arguments.kind);
            Err(Failure::new(what, "Give a name or a number."))
        }
        given => Ok(given),
    }
}
