//! The wire to hosts: hops, host keys, sessions, commands.
//!
//! Uses: text.
//!
//! A [`Route`] is walked hop by hop: each hop is an SSH server with its own user, key, port and host key, and each is
//! verified under its own name. A [`Pool`] keeps one connection to each hop and runs many commands over it; looks that
//! follow each other run in one shell that stays. Scripts that change something run [`Detached`] from their connection.
//!
//! Invariant: no byte is sent to a server after the key exchange unless `hostkey` has accepted its key. There is no
//! setting that turns this off.
//!
//! Deliberately absent: what a command means, retries of a command that is not detached, agent forwarding, writing known_hosts,
//! keeping what a person typed.

mod auth;
mod carry;
mod config;
mod connect;
mod detached;
pub mod dial;
mod error;
mod exec;
mod hostkey;
mod kept;
mod keys;
mod known_hosts;
mod pace;
mod pool;
mod spool;
mod sudo;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

pub use russh::keys::PrivateKey;
use secrecy::SecretString;

pub use self::auth::{About, Line, Person, Prompt, Unlocked};
pub use self::carry::{carried, words};
pub use self::config::{Asked, Config, Jump, Setup, usual_known_hosts};
pub use self::detached::{Detached, Fate, Heard, Reason};
pub use self::dial::Dial;
pub use self::error::{Denial, KeyFileTrouble, OfferedKey, Problem, SshError, Stage};
pub use self::keys::{agent_keys, new_key_file};
pub use self::pool::Pool;
pub use self::sudo::SudoPasswords;

/// One SSH server on the way to a host. A bastion is a hop.
#[derive(Debug, Clone)]
pub struct Hop {
    /// What the engagement calls it, unique within a route. A person's trust in a key is recorded under this name,
    /// because addresses are given out again after a drill.
    pub name: String,
    /// An IP address, or a name that the hop before it (for the first: this machine) can resolve.
    pub address: String,
    /// TCP port of its SSH server.
    pub port: u16,
    /// The account to log in to.
    pub user: String,
    /// The key to log in with.
    pub identity: Identity,
    /// `SHA256:…` fingerprints from a second source (console output, a letter). When there are any, one of them must
    /// match and nothing else counts. A whole line of `ssh-keygen -l` is understood.
    pub pins: Vec<String>,
    /// What the engineer's own set-up adds.
    pub extra: Extra,
}

/// What the engineer's set-up may say of a hop, beyond where it is and who logs in. By default: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Extra {
    /// Another agent than the usual one; the inner nothing means none at all.
    pub agent: Option<Option<PathBuf>>,
    /// User certificates for the keys, beside those that lie next to a key file.
    pub certificates: Vec<PathBuf>,
    /// A command whose standard input and output are the connection, instead of TCP. Only for the first hop.
    pub command: Option<String>,
    /// known_hosts files instead of the usual ones.
    pub known_hosts: Option<Vec<PathBuf>>,
    /// The name under which known_hosts and host certificates know it, instead of its address.
    pub known_as: Option<String>,
    /// A file of host keys that must never be accepted.
    pub revoked: Option<PathBuf>,
    /// How long connecting may take.
    pub connect: Option<Duration>,
    /// How a dead connection is noticed.
    pub alive: Option<Alive>,
    /// What old servers have nothing better than, for a host of which the set-up asks for it by name.
    pub sha1: Sha1,
}

/// SHA-1, where a server of before 2016 has nothing else. Each is offered last, and only to the host that it is set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sha1 {
    /// HostKeyAlgorithms +ssh-rsa
    pub host_key: bool,
    /// PubkeyAcceptedAlgorithms +ssh-rsa
    pub login: bool,
    /// KexAlgorithms +diffie-hellman-group14-sha1
    pub key_exchange: bool,
}

/// A question now and then whether the other side is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alive {
    /// Time between two questions.
    pub interval: Duration,
    /// After so many without an answer the connection is dead.
    pub unanswered: usize,
}

/// Where the key to log in with comes from.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The keys of the SSH agent, in its order, at most four of them.
    Agent,
    /// This key file and no other key. When it is encrypted, the agent's copy of it will do, or its passphrase is asked for.
    File(PathBuf),
    /// As ssh does it: the agent's copies of these files, then the agent's other keys (unless `only` these files
    /// count), then the files themselves; at most four in all.
    Usual {
        /// Key files, in the order in which they are offered.
        files: Vec<PathBuf>,
        /// No key of the agent counts that is not in one of the files.
        only: bool,
    },
    /// A key in memory, for practice.
    Key(Arc<PrivateKey>),
}

/// The hops to a host: the last one is the host, the ones before it are bastions.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// In the order in which they are connected.
    pub hops: Vec<Hop>,
    /// What the engineer's set-up says and onramp does not honour, a line for each.
    pub remarks: Vec<String>,
}

/// What a [`Pool`] needs to know about the world.
#[derive(Clone)]
pub struct Settings {
    /// How bytes reach the first hop.
    pub dial: Arc<dyn Dial>,
    /// known_hosts files, as they are at the time of each connection. A missing one is empty, an unreadable one is an error.
    pub known_hosts: Vec<PathBuf>,
    /// The socket of the SSH agent (`SSH_AUTH_SOCK`).
    pub agent_socket: Option<PathBuf>,
    /// Keys that a person accepted earlier in this engagement.
    pub trusted: Arc<RwLock<Trusted>>,
    /// Passwords that sudo may be told.
    pub sudo: SudoPasswords,
    /// The engineer's own set-up.
    pub config: Arc<Config>,
    /// Who answers what a server or a key file asks. Without anybody, what asks is refused.
    pub person: Option<Arc<dyn Person>>,
    /// Key files that a person has unlocked.
    pub unlocked: Unlocked,
    /// Time limits.
    pub limits: Limits,
    /// Seconds since 1970, for the validity of host certificates.
    pub now: fn() -> u64,
}

impl Settings {
    /// Settings with the default limits, nobody trusted yet, and this machine's clock.
    pub fn new(dial: Arc<dyn Dial>, known_hosts: Vec<PathBuf>, agent_socket: Option<PathBuf>) -> Self {
        let now = || u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
        Self {
            dial,
            known_hosts,
            agent_socket,
            trusted: Arc::default(),
            sudo: SudoPasswords::default(),
            config: Arc::new(Config::none()),
            person: None,
            unlocked: Unlocked::default(),
            limits: Limits::default(),
            now,
        }
    }
}

/// Host keys that a person looked at and accepted, by hop name and port.
#[derive(Debug, Clone, Default)]
pub struct Trusted(BTreeMap<(String, u16), BTreeSet<String>>);

impl Trusted {
    /// Records that a person accepted `fingerprint` (`SHA256:…`) for the hop called `host` on `port`:
    /// the fields of [`OfferedKey`].
    pub fn accept(&mut self, host: &str, port: u16, fingerprint: &str) {
        self.0.entry((host.to_owned(), port)).or_default().insert(fingerprint.to_owned());
    }

    /// What was accepted for exactly this port.
    fn here(&self, host: &str, port: u16) -> Vec<String> {
        self.0.get(&(host.to_owned(), port)).into_iter().flatten().cloned().collect()
    }

    /// What was accepted for the same hop on other ports, for a server that has moved.
    fn elsewhere(&self, host: &str, port: u16) -> Vec<String> {
        let others = self.0.iter().filter(|((name, at), _)| name == host && *at != port);
        others.flat_map(|(_, prints)| prints).cloned().collect()
    }
}

/// How long each stage may take. Every one is named in the error when it runs out. And how much a bastion carries.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Name lookup and TCP connect, or the bastion's connect on our behalf.
    pub connect: Duration,
    /// From the connection to the server's identification line.
    pub banner: Duration,
    /// The key exchange.
    pub handshake: Duration,
    /// Each answer of the server or the agent while logging in. An agent may have to ask a person.
    pub auth: Duration,
    /// How long a person may think about a question. Servers hang up after two minutes, by default.
    pub person: Duration,
    /// Opening a session channel, and the server's answer to the command.
    pub channel: Duration,
    /// How long a connection that seems dead may take to prove that it is not.
    pub ping: Duration,
    /// Between TERM and the closing of the channel.
    pub grace: Duration,
    /// Hosts that are reached through one connection to a bastion. Its sshd holds one open file for each, and on many
    /// machines may hold 1,024.
    pub streams: usize,
    /// How long a shell stays on a host after a look, for the next one. Zero: none stays.
    pub stays: Duration,
    /// So long may a new one take to begin with its first look. Then it is taken for one that reads all of its input first.
    pub silence: Duration,
    /// For so long after its last answer it is trusted to be there; then it is asked first.
    pub fresh: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            banner: Duration::from_secs(10),
            handshake: Duration::from_secs(15),
            auth: Duration::from_secs(45),
            person: Duration::from_secs(300),
            channel: Duration::from_secs(15),
            ping: Duration::from_secs(5),
            grace: Duration::from_secs(3),
            streams: 250,
            stays: Duration::from_secs(60),
            silence: Duration::from_secs(1),
            fresh: Duration::from_secs(5),
        }
    }
}

/// A POSIX shell script to run on a host. It goes to `sh -s` on standard input; nothing is written to the host's disk.
#[derive(Debug, Clone)]
pub struct Script {
    /// The text. It runs after `set -eu`, `umask 022`, `LC_ALL=C` and a fixed `PATH`, and only if all of it arrived.
    pub text: String,
    /// Run as root by `sudo -n` (plainly when the user is root; by `sudo -S` where a password was given for it).
    pub sudo: bool,
    /// How long the script may run, from the server's answer to the command.
    pub limit: Duration,
    /// What the script reads on its standard input, followed by one newline. Without it, standard input is empty.
    pub stdin_after: Option<SecretString>,
}

/// Which of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A piece of output, as it came. The bytes are not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it was written.
    pub stream: Stream,
    /// What was written.
    pub bytes: Vec<u8>,
    /// Bytes of either stream that were lost just before this piece, because nobody took the output in time.
    pub missed: u64,
}

/// How a script ended. With neither code nor signal it is not known whether it succeeded: never a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The exit code.
    pub code: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
    /// Bytes of output that were lost in all.
    pub missed: u64,
}

impl Exit {
    /// True when the script said so itself.
    pub fn is_success(&self) -> bool {
        self.code == Some(0) && self.signal.is_none()
    }
}
