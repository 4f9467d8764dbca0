//! Scripts on a host: `check`, `run`, `verify` and `undo` of a step.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::failure::of_ssh;
use super::{Action, Found, Probe, Recalled, Trouble, Verified, World};
use crate::engagement::{Change, Failure, Intent, Outcome, Purpose, Question, RepeatClass};
use crate::input::SecretRef;
use crate::journal::DurableIntent;
use crate::ssh::{Chunk, Detached, Exit, Fate, Heard, Reason, Route, Script, SshError, Stream};
use crate::text::{Cleaner, clip, duration};

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
    /// After `run` has ended well, over a login that is made anew.
    pub then: Option<String>,
    pub verify: Option<String>,
    pub undo: Option<String>,
    /// Where the secret lives that `run` reads on its standard input; `check`, where nothing is run.
    pub stdin: Option<String>,
    pub limit: Duration,
}

/// How a script that only looks ended, and the last it said.
struct Ended {
    exit: Exit,
    said: Said,
}

/// Why a script has no end to tell of.
enum NotEnded {
    /// There is no way to the host in the runbook's hosts.
    NoRoute(Failure),
    Trouble(Trouble),
    NeedsSecret(Question),
}

impl NotEnded {
    fn trouble(&self) -> Trouble {
        match self {
            NotEnded::NoRoute(failure) => Trouble::Failure(failure.clone()),
            NotEnded::Trouble(trouble) => trouble.clone(),
            NotEnded::NeedsSecret(question) => Trouble::Question(question.clone()),
        }
    }
}

/// The two scripts that change something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doing {
    Run,
    Undo,
}

impl Doing {
    pub(super) fn what(self) -> &'static str {
        match self {
            Doing::Run => "the script",
            Doing::Undo => "the undo script",
        }
    }

    /// What it may have changed when it did not end well, so that an undo knows of it.
    fn in_part(self, host: &str) -> Vec<String> {
        vec![format!("what {} did on {host} until then", self.what())]
    }
}

impl Shell {
    fn to_send(&self, text: &str, stdin: Option<SecretString>) -> Script {
        let text = if self.library.is_empty() { text.to_owned() } else { format!("{}\n{text}", self.library) };
        Script { text, sudo: self.sudo, limit: self.limit, stdin_after: stdin }
    }

    /// Where the secret lives, if the step reads one.
    fn reference(&self) -> Result<Option<SecretRef>, NotEnded> {
        let Some(said) = &self.stdin else { return Ok(None) };
        said.parse().map(Some).map_err(|_| {
            let what = "`stdin` of this step does not say where a secret lives";
            NotEnded::NoRoute(Failure::new(what, "Correct the step in the runbook: it names a secret input."))
        })
    }

    /// The text of the secret, if the step reads one.
    ///
    /// # Errors
    /// It is not at hand, or nothing says where it lives.
    pub(super) async fn secret_at_hand(&self, world: &World) -> Result<Option<SecretString>, Trouble> {
        self.secret(world).await.map_err(|not_ended| not_ended.trouble())
    }

    async fn secret(&self, world: &World) -> Result<Option<SecretString>, NotEnded> {
        match self.reference()? {
            Some(reference) => world.secret(&reference).await.map(Some).map_err(NotEnded::NeedsSecret),
            None => Ok(None),
        }
    }

    /// A script that only looks: whatever becomes of it, it can be run again. It reads the secret only where the step has
    /// no script that does.
    async fn look(&self, world: &World, text: &str) -> Result<Ended, NotEnded> {
        let secret = if self.run.is_none() { self.secret(world).await? } else { None };
        let route = world.way(&self.host).await.map_err(NotEnded::NoRoute)?;
        match run_script(world, &route, &self.to_send(text, secret)).await {
            Ok(ended) => Ok(ended),
            Err(error) => Err(NotEnded::Trouble(world.trouble_at(&self.host, &error).await)),
        }
    }

    fn failed(&self, what: &str, ended: &str, said: &Said) -> Failure {
        Failure {
            what: format!("{what} on {} ended with {ended}", self.host),
            meaning: "The script says so itself; what it did before that is in its output.".to_owned(),
            advice: "Read its last lines below, put right what they name, and run the step again.".to_owned(),
            raw: said.last_lines(),
            ..Failure::default()
        }
    }

    /// Runs a script that changes something, or goes on with the one that was started under the same token.
    async fn change(
        &self,
        world: &World,
        doing: Doing,
        text: &str,
        intent: &DurableIntent,
        stdin: Option<SecretString>,
    ) -> Outcome {
        match self.started(world, text, intent, stdin).await {
            Ok((fate, said)) => self.outcome(doing, fate, &said),
            Err(failure) => Outcome::Failed { failure },
        }
    }

    /// What became of a script that changes something, once it has ended.
    ///
    /// # Errors
    /// The host could not be asked: nothing was started.
    pub(super) async fn started(
        &self,
        world: &World,
        text: &str,
        intent: &DurableIntent,
        stdin: Option<SecretString>,
    ) -> Result<(Fate, Said), Failure> {
        let route = world.way(&self.host).await?;
        world.mind_the_disk(&self.host).await;
        let work = Detached { script: self.to_send(text, stdin), token: intent.token().to_owned() };
        let (fate, said) =
            with_output(world, async |sink| world.ssh.run_detached(&route, &work, &sink, &world.cancel).await).await;
        fate.map(|fate| (fate, said)).map_err(|error| of_ssh(&error))
    }

    /// What became of a script that was started earlier; none when no script was.
    ///
    /// # Errors
    /// The host could not be asked.
    pub(super) async fn found_again(
        &self,
        world: &World,
        text: &str,
        intent: &Intent,
    ) -> Result<Option<(Fate, Said)>, Trouble> {
        let route = world.way(&self.host).await.map_err(Trouble::Failure)?;
        // A look for it sends no script, and so no secret.
        let work = Detached { script: self.to_send(text, None), token: intent.token.clone() };
        let (fate, said) =
            with_output(world, async |sink| world.ssh.find_detached(&route, &work, &sink, &world.cancel).await).await;
        match fate {
            Ok(fate) => Ok(fate.map(|fate| (fate, said))),
            Err(error) => Err(world.trouble_at(&self.host, &error).await),
        }
    }

    /// What became of a script is what becomes of the step's change.
    pub(super) fn outcome(&self, doing: Doing, fate: Fate, said: &Said) -> Outcome {
        let (what, host) = (doing.what(), &self.host);
        match fate {
            Fate::Ended { code: 0 } => Outcome::Changed {
                said: format!("{what} on {host} ended well"),
                created: matches!(doing, Doing::Run),
                operations: vec![format!("ssh {host}")],
                output: BTreeMap::from([("stdout".to_owned(), json!(said.result()))]),
            },
            Fate::Ended { code } => Outcome::Failed {
                failure: Failure { changed: doing.in_part(host), ..self.failed(what, &format!("code {code}"), said) },
            },
            Fate::Stopped { reason, signal } => Outcome::Failed {
                failure: Failure { changed: doing.in_part(host), ..self.stopped(what, reason, &signal, said) },
            },
            Fate::NotStarted { why } => Outcome::Failed {
                failure: Failure {
                    what: format!("{what} on {host} was not started: {why}"),
                    meaning: "Nothing was run on the host.".to_owned(),
                    advice: "Put right what it names, and run the step again.".to_owned(),
                    ..Failure::default()
                },
            },
            Fate::CutOff { claim } => Outcome::InDoubt { why: self.cut_off(what, &claim) },
            Fate::Unknown { why, claim } => {
                let place = claim.map(|claim| format!("; what it writes is in {claim}")).unwrap_or_default();
                Outcome::InDoubt { why: format!("{what} may be running on {host}{place}: {why}") }
            }
        }
    }

    /// After a change that may have locked everybody out: the rest of it runs only for whoever gets in anew.
    async fn proved(&self, world: &World, ran: Outcome) -> Outcome {
        let (Some(then), Outcome::Changed { .. }) = (&self.then, &ran) else { return ran };
        let route = match world.way(&self.host).await {
            Ok(route) => route,
            Err(failure) => return Outcome::Failed { failure },
        };
        if let Some(host) = route.hops.last() {
            world.ssh.forget(&host.name).await;
        }
        match run_script(world, &route, &self.to_send(then, None)).await {
            Ok(ended) if ended.exit.is_success() => ran,
            Ok(ended) => {
                let what = "what follows the script, over a new login,";
                let failure = self.failed(what, &code_of(&ended.exit), &ended.said);
                Outcome::Failed { failure: Failure { changed: Doing::Run.in_part(&self.host), ..failure } }
            }
            Err(error) => Outcome::Failed { failure: self.shut_out(&error) },
        }
    }

    fn shut_out(&self, error: &SshError) -> Failure {
        let failure = of_ssh(error);
        Failure {
            what: format!("after the script a new login to {} does not work: {}", self.host, failure.what),
            meaning: "What the script did stands until it takes itself back, if it says that it does.".to_owned(),
            changed: Doing::Run.in_part(&self.host),
            ..failure
        }
    }

    fn stopped(&self, what: &str, reason: Reason, signal: &str, said: &Said) -> Failure {
        let host = &self.host;
        let (why, advice) = match reason {
            Reason::Person => ("was stopped by a person".to_owned(), "Look at what it did until then"),
            Reason::Limit => (
                format!("did not end within {} and was stopped", duration(self.limit)),
                "Look at what it was waiting for, give the step a longer limit if it needs one",
            ),
        };
        Failure {
            what: format!("{what} on {host} {why}; its processes are gone ({signal})"),
            meaning: "It ended in the middle: what it did before that stands.".to_owned(),
            advice: format!("{advice}, and run the step again."),
            raw: said.last_lines(),
            ..Failure::default()
        }
    }

    fn cut_off(&self, what: &str, claim: &str) -> String {
        format!(
            "{what} was started on {} and ended in the middle: it was killed, or the host restarted. What it wrote is in \
             {claim}",
            self.host
        )
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
            if let Some(stdin) = &self.stdin {
                arguments["stdin"] = json!(format!("the secret {stdin}"));
            }
            if let Some(then) = &self.then {
                arguments["then, logged in anew"] = json!(then);
            }
            Change::new("ssh", &self.host, arguments)
        };
        self.run.iter().map(change).collect()
    }

    fn class(&self) -> RepeatClass {
        // The host runs a token once.
        RepeatClass::Token
    }

    async fn at_hand(&self, world: &World) -> Result<(), Question> {
        if let Err(NotEnded::NeedsSecret(question)) = self.secret(world).await {
            return Err(question);
        }
        // What else is wrong, the script says for itself.
        if self.sudo { world.sudo_at_hand(&self.host).await } else { Ok(()) }
    }

    async fn probe(&self, world: &World) -> Probe {
        // Without a check of its own, what proves it afterwards can tell now as well that it is so; not that it is not.
        let (text, only_so) = match (&self.check, &self.verify) {
            (Some(check), _) => (check, false),
            (None, Some(verify)) => (verify, true),
            (None, None) => return Probe::Absent { said: "the step has no check, so its script will run".to_owned() },
        };
        match self.look(world, text).await {
            Err(not_ended) => Probe::Unknown(not_ended.trouble()),
            Ok(ended) if ended.exit.is_success() => Probe::Same(self.found(&ended)),
            Ok(ended) if ended.exit.code == Some(1) || (only_so && ended.exit.code.is_some()) => {
                Probe::Absent { said: ended.said.short(&format!("not so on {}", self.host)) }
            }
            Ok(ended) => Probe::Unknown(Trouble::Failure(self.failed("the check", &code_of(&ended.exit), &ended.said))),
        }
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        match &self.run {
            Some(run) => match self.secret(world).await {
                Ok(secret) => {
                    let ran = self.change(world, Doing::Run, run, intent, secret).await;
                    self.proved(world, ran).await
                }
                Err(NotEnded::NoRoute(failure)) => Outcome::Failed { failure },
                // It was at hand a moment ago.
                Err(_) => Outcome::Failed { failure: no_secret() },
            },
            None => Outcome::AlreadySo { said: "this step only looks".to_owned(), output: BTreeMap::new() },
        }
    }

    async fn recall(&self, world: &World, intent: &Intent) -> Recalled {
        let (doing, text) = match intent.purpose {
            Purpose::Apply => (Doing::Run, &self.run),
            Purpose::Undo => (Doing::Undo, &self.undo),
        };
        let Some(text) = text else { return Recalled::Nothing };
        match self.found_again(world, text, intent).await {
            Ok(None) => Recalled::Nothing,
            Ok(Some((Fate::CutOff { claim }, _))) => Recalled::CutOff { why: self.cut_off(doing.what(), &claim) },
            Ok(Some((fate, said))) => {
                let ran = self.outcome(doing, fate, &said);
                Recalled::Ended(if matches!(doing, Doing::Run) { self.proved(world, ran).await } else { ran })
            }
            Err(trouble) => Recalled::Trouble(trouble),
        }
    }

    async fn let_go(&self, world: &World, token: &str) {
        let Ok(route) = world.way(&self.host).await else { return };
        if let Err(error) = world.ssh.forget_detached(&route, token, self.sudo).await {
            tracing::debug!(host = self.host, %error, "what a script wrote stays on its host for two weeks");
        }
    }

    async fn verify(&self, world: &World) -> Verified {
        let Some(text) = self.verify.as_ref().or(self.check.as_ref()) else {
            // Lint warns of such a step; its script's own exit code is all the proof there is.
            return Verified::So(Found { said: "the step has no check of its own".to_owned(), ..Found::default() });
        };
        match self.look(world, text).await {
            Err(not_ended) => Verified::Unknown(not_ended.trouble()),
            Ok(ended) if ended.exit.is_success() => Verified::So(self.found(&ended)),
            Ok(ended) => {
                let said = format!("the check on {} ended with {}", self.host, code_of(&ended.exit));
                Verified::NotYet { said: ended.said.short(&said) }
            }
        }
    }

    async fn undo(&self, world: &World, intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        match &self.undo {
            Some(undo) => self.change(world, Doing::Undo, undo, intent, None).await,
            None => Outcome::Failed {
                failure: Failure::new("this step has no undo script", "Take it back by hand, then skip the step."),
            },
        }
    }

    fn inverse(&self, _made: &BTreeMap<String, Json>) -> Vec<Change> {
        let change = |script| Change::new("ssh", &self.host, json!({ "script": script, "sudo": self.sudo }));
        self.undo.iter().map(change).collect()
    }
}

impl Shell {
    fn found(&self, ended: &Ended) -> Found {
        let output = BTreeMap::from([("stdout".to_owned(), json!(ended.said.result()))]);
        Found { said: ended.said.short(&format!("so on {}", self.host)), output, ..Found::default() }
    }
}

fn no_secret() -> Failure {
    Failure::new("the secret that the script reads is not at hand", "Run the step again: it asks for the secret first.")
}

fn code_of(exit: &Exit) -> String {
    match (exit.code, &exit.signal) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no code".to_owned(),
    }
}

/// Runs a script that only looks, shows its output as it comes, and keeps the end of it.
async fn run_script(world: &World, route: &Route, script: &Script) -> Result<Ended, SshError> {
    let (exit, said) = with_output(world, async |heard| {
        let (sink, mut pieces) = mpsc::channel::<Chunk>(UNDER_WAY);
        let running = async move { world.ssh.run(route, script, &sink, &world.cancel).await };
        let handing_on = async {
            while let Some(piece) = pieces.recv().await {
                let _ = heard.send(Heard::Output(piece)).await;
            }
        };
        tokio::join!(running, handing_on).0
    })
    .await;
    Ok(Ended { exit: exit?, said })
}

/// Does what is heard through a channel, shows it as it comes, and keeps the end of it.
async fn with_output<T>(world: &World, work: impl AsyncFnOnce(mpsc::Sender<Heard>) -> T) -> (T, Said) {
    let (sink, mut heard) = mpsc::channel(UNDER_WAY);
    let watching = async {
        let mut said = Said::default();
        let masks = world.vault.masks();
        let mut masked = masks.now().lanes();
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::Output(piece) => {
                    if piece.missed > 0 {
                        world.say(&format!("({} bytes of output were lost here)", piece.missed)).await;
                    }
                    let pieces = masked.push(lane(piece.stream), &piece.bytes, masks.now());
                    said.show(world, pieces).await;
                }
                Heard::Found(claim) => {
                    world
                        .say(&format!("(reattached: it was started earlier; all it wrote, from {claim}, follows)"))
                        .await;
                }
                Heard::Lost(error) => {
                    world.say(&format!("({error}; the script goes on, and is looked for again)")).await
                }
            }
        }
        said.show(world, masked.finish()).await;
        said.finish()
    };
    tokio::join!(work(sink), watching)
}

fn lane(stream: Stream) -> u8 {
    match stream {
        Stream::Out => 0,
        Stream::Err => 1,
    }
}

/// What a script wrote, masked and made printable, the end of it only.
#[derive(Debug, Default)]
pub(super) struct Said {
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
    /// Keeps what was heard, each piece with the lane of its stream, and shows it.
    async fn show(&mut self, world: &World, pieces: Vec<(u8, Vec<u8>)>) {
        for (of, bytes) in pieces {
            let tail = if of == lane(Stream::Out) { &mut self.out } else { &mut self.err };
            tail.push(&bytes);
            // A watcher who has gone away does not stop the script.
            let _ = world.output.send(bytes).await;
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

    pub(super) fn result(&self) -> &str {
        self.out.text.trim_end()
    }
}
