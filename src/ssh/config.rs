//! The engineer's own SSH set-up, `~/.ssh/config` and the system's: what it says of a host, and the way it makes.
//!
//! Where OpenSSH is there, `ssh -G` is asked, which evaluates Include, Match and everything else as ssh does. Where it
//! is not, the files are read here, as far as `files` understands them. What is set and not honoured is said, never
//! skipped; and nothing that is set there turns the verification of host keys off.

mod files;
mod setup;
mod tokens;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{OnceCell, Semaphore};

pub use self::setup::{Jump, Setup, usual_known_hosts};
use self::tokens::Names;
use super::error::{Problem, SshError, Stage, printable};
use super::pool::{at, checked};
use super::{Extra, Hop, Identity, Route};

/// `Match exec` may run anything.
const LONGEST_QUESTION: Duration = Duration::from_secs(10);

/// How many questions are put to `ssh -G` at once.
const TOGETHER: usize = 8;

/// How many times a jump host may have a jump host of its own.
const LONGEST_WAY: usize = 8;

/// The port of SSH.
const USUAL_PORT: u16 = 22;

/// What counts for every user of this machine.
const SYSTEM: &str = "/etc/ssh/ssh_config";

/// A host whose set-up nobody writes: what ssh says of it without any file are its defaults.
const NOBODY: &str = "onramp-defaults.invalid";

/// One keyword and its arguments, as they are set for a host.
pub(super) type Entry = (String, Vec<String>);

/// A hop as the runbook or the inputs ask for it. What they do not say is for the set-up to say.
#[derive(Debug, Clone)]
pub struct Asked {
    /// See [`Hop::name`].
    pub name: String,
    /// An IP address, a name, or an alias of the set-up.
    pub address: String,
    /// Without it: Port of the set-up, or 22.
    pub port: Option<u16>,
    /// Without it: User of the set-up, or whoever runs onramp.
    pub user: Option<String>,
    /// Without it: what ssh would log in with, the agent and the key files of the set-up.
    pub identity: Option<Identity>,
    /// See [`Hop::pins`].
    pub pins: Vec<String>,
}

/// What is known of the engineer's set-up. Every host is asked about once, until all is forgotten.
#[derive(Debug)]
pub struct Config {
    source: Source,
    home: PathBuf,
    /// Whoever runs onramp: the user where nobody says another.
    local_user: String,
    /// known_hosts files that the command line names: they count for every host.
    named: Vec<PathBuf>,
    defaults: OnceCell<Vec<Entry>>,
    known: Mutex<HashMap<Question, Arc<OnceCell<Answer>>>>,
    asking: Semaphore,
}

/// The alias, and the port and the user that are asked for explicitly.
type Question = (String, Option<u16>, Option<String>);

/// What is set, or the mistake that whoever read it names.
type Answer = Result<Arc<Setup>, String>;

/// Where the set-up is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// Nowhere: nothing is set.
    Nothing,
    /// By the `ssh` of this machine; from one file instead of the usual ones, where it is given.
    OpenSsh { program: PathBuf, file: Option<PathBuf> },
    /// From these files, by us.
    Files(Vec<PathBuf>),
}

impl Config {
    /// No set-up at all: for practice, and for tests.
    pub fn none() -> Self {
        Self {
            source: Source::Nothing,
            home: PathBuf::new(),
            local_user: String::new(),
            named: Vec::new(),
            defaults: OnceCell::new(),
            known: Mutex::default(),
            asking: Semaphore::new(TOGETHER),
        }
    }

    /// The set-up of the user whose home this is. `file` is read instead of the usual files (`ssh -F`; `none` for none
    /// of them); `path` is where programs are looked for; `named` are known_hosts files that count beside those of the
    /// set-up.
    pub fn of(home: &Path, user: &str, file: Option<&Path>, path: &str, named: Vec<PathBuf>) -> Self {
        let program = std::env::split_paths(path).map(|folder| folder.join("ssh")).find(|program| program.is_file());
        let usual = || vec![home.join(".ssh/config"), PathBuf::from(SYSTEM)];
        let source = match (file, program) {
            (Some(file), _) if file == Path::new("none") => Source::Nothing,
            (file, Some(program)) => Source::OpenSsh { program, file: file.map(Path::to_owned) },
            (file, None) => Source::Files(file.map_or_else(usual, |file| vec![file.to_owned()])),
        };
        Self { source, home: home.to_owned(), local_user: user.to_owned(), named, ..Self::none() }
    }

    /// In words: who reads the set-up, and where.
    pub fn said(&self) -> String {
        match &self.source {
            Source::Nothing => "none is read".to_owned(),
            Source::OpenSsh { program, file: None } => format!("as {} -G says", program.display()),
            Source::OpenSsh { program, file: Some(file) } => {
                format!("{}, as {} -G says", file.display(), program.display())
            }
            Source::Files(files) => {
                let there: Vec<String> =
                    files.iter().filter(|file| file.is_file()).map(|file| file.display().to_string()).collect();
                let files = if there.is_empty() { "there is none".to_owned() } else { there.join(", ") };
                format!("{files} (there is no ssh here that could be asked, so Match is not understood)")
            }
        }
    }

    /// What is set for every host.
    ///
    /// # Errors
    /// As [`Config::setup`].
    pub async fn general(&self) -> Result<Arc<Setup>, String> {
        self.setup(NOBODY, None, None).await
    }

    /// Keywords that are set for every host and concern nothing that onramp does, but for those that this machine's own
    /// file sets: every user of a distribution has them.
    ///
    /// # Errors
    /// As [`Config::setup`].
    pub async fn moot(&self) -> Result<Vec<String>, String> {
        let system = match &self.source {
            Source::OpenSsh { program, file: None } => {
                Source::OpenSsh { program: program.clone(), file: Some(SYSTEM.into()) }
            }
            Source::Files(files) if files.len() > 1 => Source::Files(vec![SYSTEM.into()]),
            _ => Source::Nothing,
        };
        let of_the_system = Self { source: system, home: self.home.clone(), ..Self::none() }.general().await;
        // Where it is not there or has a mistake, it sets nothing; the other question says the mistake.
        let known = of_the_system.map(|setup| setup.moot.clone()).unwrap_or_default();
        Ok(self.general().await?.moot.iter().filter(|keyword| !known.contains(keyword)).cloned().collect())
    }

    /// What is set for the host that a person calls `alias`. Port and user are those that are asked for explicitly.
    ///
    /// # Errors
    /// The set-up has a mistake, in the words of ssh.
    pub async fn setup(&self, alias: &str, port: Option<u16>, user: Option<&str>) -> Result<Arc<Setup>, String> {
        if self.source == Source::Nothing {
            return Ok(Arc::default());
        }
        let known = {
            let key = (alias.to_owned(), port, user.map(str::to_owned));
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key).or_default())
        };
        known.get_or_init(|| self.look(alias, port, user)).await.clone()
    }

    /// A person may have changed it meanwhile: what is asked from now on is asked anew.
    pub(super) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn look(&self, alias: &str, port: Option<u16>, user: Option<&str>) -> Answer {
        if !is_plain(alias, "") || user.is_some_and(|user| !is_plain(user, "\\$")) {
            let remarks = vec![format!("{} is no name that ssh could be asked about", printable(alias))];
            return Ok(Arc::new(Setup { remarks, ..Setup::default() }));
        }
        let _turn = self.asking.acquire().await;
        let entries = match &self.source {
            Source::Nothing => Vec::new(),
            Source::OpenSsh { program, file } => {
                let none = Some(Path::new("none"));
                let defaults = self.defaults.get_or_try_init(|| ask(program, none, NOBODY, None, None)).await?;
                setup::set(ask(program, file.as_deref(), alias, port, user).await?, defaults, alias)
            }
            Source::Files(files) => {
                let (files, home, alias) = (files.clone(), self.home.clone(), alias.to_owned());
                let read = move || files::read(&files, &home, &alias);
                tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())??
            }
        };
        let names = Names::new(alias, port, user, &self.home, &self.local_user);
        Ok(Arc::new(Setup::of(&entries, names)))
    }

    /// The way to the last of `asked`, which are in the order in which they are connected. Jump hosts of the set-up
    /// come before the first of them; between those that are asked for, the runbook says the way.
    ///
    /// # Errors
    /// The set-up has a mistake, its jump hosts make a circle, or a hop comes twice.
    pub async fn route(&self, asked: &[Asked]) -> Result<Route, SshError> {
        let mut route = Route::default();
        let mut before = Vec::new();
        for (index, hop) in asked.iter().enumerate() {
            let setup = self.setup_of(hop).await?;
            let hop = self.hop(hop, &setup, index == 0, &mut route.remarks);
            if index == 0 {
                before.clone_from(&setup.jumps);
            }
            route.hops.push(hop);
        }
        self.go_before(&mut route, before).await?;
        checked(&route)?;
        Ok(route)
    }

    /// Puts the jump hosts before the route, and before those the jump hosts of the outermost, as ssh does.
    async fn go_before(&self, route: &mut Route, mut jumps: Vec<Jump>) -> Result<(), SshError> {
        let mut times = 0;
        while !jumps.is_empty() {
            times += 1;
            if times > LONGEST_WAY {
                let problem = Problem::Setup("ProxyJump leads in a circle, or over too many hosts".to_owned());
                return Err(failed(&jumps[0].asked(), problem));
            }
            let mut hops = Vec::new();
            let mut next = Vec::new();
            for (index, jump) in jumps.iter().enumerate() {
                let asked = jump.asked();
                let setup = self.setup_of(&asked).await?;
                hops.push(self.hop(&asked, &setup, index == 0, &mut route.remarks));
                if index == 0 {
                    next.clone_from(&setup.jumps);
                }
            }
            hops.append(&mut route.hops);
            route.hops = hops;
            jumps = next;
        }
        Ok(())
    }

    async fn setup_of(&self, asked: &Asked) -> Result<Arc<Setup>, SshError> {
        let setup = self.setup(&asked.address, asked.port, asked.user.as_deref()).await;
        setup.map_err(|why| failed(asked, Problem::Setup(why)))
    }

    /// One hop. What is asked for beats what is set. The `outermost` may be reached by a command.
    fn hop(&self, asked: &Asked, setup: &Setup, outermost: bool, remarks: &mut Vec<String>) -> Hop {
        let said = |remark: &String| format!("your ssh config, for {}: {remark}", asked.address);
        remarks.extend(setup.remarks.iter().map(said));
        if !outermost && (setup.command.is_some() || !setup.jumps.is_empty()) {
            remarks
                .push(said(&"ProxyJump or ProxyCommand is not used, since the way to it is said elsewhere".to_owned()));
        }
        let user = || setup.user.clone().unwrap_or_else(|| self.local_user.clone());
        Hop {
            name: asked.name.clone(),
            address: setup.address.clone().unwrap_or_else(|| asked.address.clone()),
            port: asked.port.or(setup.port).unwrap_or(USUAL_PORT),
            user: asked.user.clone().unwrap_or_else(user),
            identity: self.identity(asked, setup),
            pins: asked.pins.clone(),
            extra: Extra {
                agent: setup.agent.clone(),
                certificates: if asked.identity.is_none() { setup.certificates.clone() } else { Vec::new() },
                command: setup.command.clone().filter(|_| outermost),
                known_hosts: setup.known_hosts(&self.named, &self.home),
                known_as: setup.key_alias.clone(),
                revoked: setup.revoked.clone(),
                connect: setup.connect,
                alive: setup.alive,
                sha1: setup.sha1,
            },
        }
    }

    fn identity(&self, asked: &Asked, setup: &Setup) -> Identity {
        match &asked.identity {
            Some(Identity::File(path)) => Identity::File(tokens::below_home(path, &self.home)),
            Some(identity) => identity.clone(),
            None if !setup.identities.is_empty() => {
                Identity::Usual { files: setup.identities.clone(), only: setup.identities_only }
            }
            None => {
                let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| self.home.join(".ssh").join(name));
                let files = usual.into_iter().filter(|file| self.home.is_absolute() && file.exists()).collect();
                Identity::Usual { files, only: setup.identities_only }
            }
        }
    }
}

/// Letters, digits and what else stands in names: nothing that a shell or `ssh` itself could take for something else.
fn is_plain(name: &str, too: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || "._-:%@+".contains(c) || too.contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(good)
}

fn failed(asked: &Asked, problem: Problem) -> SshError {
    let at = at(&asked.address, asked.port.unwrap_or(USUAL_PORT));
    SshError { hop: asked.name.clone(), at, stage: Stage::Name, problem }
}

/// Everything that `ssh -G` says of a host, defaults and all.
async fn ask(
    program: &Path,
    file: Option<&Path>,
    alias: &str,
    port: Option<u16>,
    user: Option<&str>,
) -> Result<Vec<Entry>, String> {
    let mut command = Command::new(program);
    if let Some(file) = file {
        command.arg("-F").arg(file);
    }
    if let Some(port) = port {
        command.args(["-p", &port.to_string()]);
    }
    if let Some(user) = user {
        command.args(["-l", user]);
    }
    command.args(["-G", "--", alias]).stdin(Stdio::null()).kill_on_drop(true);
    let answer = tokio::time::timeout(LONGEST_QUESTION, command.output()).await;
    let answer = answer.map_err(|_| format!("ssh -G {alias} does not end (a Match exec in your ssh config?)"))?;
    let answer = answer.map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("Pseudo-terminal")).collect();
        return Err(printable(&lines.join("; ")));
    }
    Ok(setup::entries(&String::from_utf8_lossy(&answer.stdout)))
}

#[cfg(test)]
#[path = "tests/config.rs"]
mod tests;
