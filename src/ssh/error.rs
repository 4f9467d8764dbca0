//! What can go wrong on the way to a host: which hop, which stage, what, and what to try.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::text;

/// Who expects a key that was pinned.
pub(super) const PINNED: &str = "the pinned fingerprint";

/// A failure on a route. The display says which hop and which stage; [`SshError::advice`] says what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{hop} ({at}), {stage}: {problem}")]
pub struct SshError {
    /// The name of the hop that failed. When a bastion refuses to go on, it is the bastion.
    pub hop: String,
    /// Its `address:port`.
    pub at: String,
    /// How far it got.
    pub stage: Stage,
    /// What went wrong.
    pub problem: Problem,
}

/// The stages of a hop, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Resolving the name on this machine.
    Name,
    /// TCP connect, or the bastion's connect on our behalf.
    Connect,
    /// Waiting for the line `SSH-2.0-…`.
    Banner,
    /// Agreeing on keys.
    KeyExchange,
    /// Judging the server's key.
    HostKey,
    /// Logging in.
    Authentication,
    /// Opening a channel.
    Channel,
    /// Starting and running the command.
    Command,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name lookup",
            Self::Connect => "connect",
            Self::Banner => "banner",
            Self::KeyExchange => "key exchange",
            Self::HostKey => "host key",
            Self::Authentication => "authentication",
            Self::Channel => "channel",
            Self::Command => "command",
        })
    }
}

/// The key that a server showed, in every form a person may want to compare or record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedKey {
    /// The hop's name: what [`super::Trusted::accept`] wants.
    pub host: String,
    /// The hop's address.
    pub address: String,
    /// The hop's port.
    pub port: u16,
    /// Such as `ssh-ed25519`.
    pub algorithm: String,
    /// `SHA256:` and 43 characters, as `ssh-keygen -l` prints it.
    pub fingerprint_sha256: String,
    /// The public key line, without a comment.
    pub openssh: String,
}

/// Who was refused, with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The account.
    pub user: String,
    /// What the server would still accept.
    pub methods_left: Vec<String>,
    /// Fingerprints of the keys that were offered, and in words what else was tried.
    pub tried: Vec<String>,
    /// How many keys of the agent were not offered, to stay below the server's limit.
    pub untried: usize,
    /// A key was accepted, but the server wants a second factor as well.
    pub partial: bool,
    /// The server's last words, when it hung up.
    pub said: Option<String>,
}

/// Why a key file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileTrouble {
    /// It is not there.
    #[error("there is no such file")]
    Missing,
    /// Other people can read it; the mode is given.
    #[error("others can read it (mode {0:04o})")]
    Mode(u32),
    /// It needs a passphrase, no agent holds the key, and nobody gave the passphrase.
    #[error("it is protected by a passphrase, and the SSH agent does not hold this key")]
    Encrypted,
    /// What was given is not its passphrase.
    #[error("none of the passphrases given opens it")]
    WrongPassphrase,
    /// It lives in hardware, and no agent holds it.
    #[error("the key lives in a security device, and the SSH agent does not hold it")]
    Hardware,
    /// Anything else.
    #[error("{0}")]
    Unusable(String),
}

/// What went wrong at a stage. Text that came from a server is made printable before it gets in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No answer in time.
    #[error("no answer within {}", seconds(*.0))]
    Timeout(Duration),
    /// The operating system said no.
    #[error("{0}")]
    Io(String),
    /// Something answers there, but not an SSH server.
    #[error("this is not an SSH server; it said: {0}")]
    NotSsh(String),
    /// Too many others are logging in to it.
    #[error("the server takes no more logins at once (MaxStartups)")]
    Busy,
    /// Logins from our address failed too often.
    #[error("the server refuses this address for a while, because logins from it failed (PerSourcePenalties)")]
    Penalty,
    /// The two sides have no algorithm in common, or the other side broke the protocol.
    #[error("{0}")]
    Protocol(String),
    /// Nobody vouches for this key yet.
    #[error("the {} key {} is not known for {}", .0.algorithm, .0.fingerprint_sha256, .0.address)]
    UnknownHostKey(Box<OfferedKey>),
    /// Another key is expected.
    #[error("the key has CHANGED: the server shows {} {}, but {from} says {}", .offered.algorithm, .offered.fingerprint_sha256, .expected.join(" or "))]
    ChangedHostKey {
        /// What the server showed.
        offered: Box<OfferedKey>,
        /// Fingerprints that would have been accepted.
        expected: Vec<String>,
        /// Who expects them: `file:line`, `the pinned fingerprint`, ….
        from: String,
    },
    /// This key is marked as stolen or retired.
    #[error("the {} key {} is revoked by {from}", .offered.algorithm, .offered.fingerprint_sha256)]
    RevokedHostKey {
        /// What the server showed.
        offered: Box<OfferedKey>,
        /// `file:line`.
        from: String,
    },
    /// A trusted authority signed the server's certificate, but it does not hold for this host now.
    #[error("the host certificate of {} does not hold: {why}", .offered.address)]
    HostCertificate {
        /// The key inside the certificate.
        offered: Box<OfferedKey>,
        /// Expired, another name, ….
        why: String,
    },
    /// A known_hosts file that cannot be read is not an empty one.
    #[error("{}: {why}", path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A pin that is not a fingerprint.
    #[error("the pinned fingerprint \"{0}\" is not of the form SHA256:…")]
    BadPin(String),
    /// None of the keys was accepted.
    #[error("{}", denied(.0))]
    Denied(Box<Denial>),
    /// The key file cannot be used.
    #[error("key file {}: {why}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: KeyFileTrouble,
    },
    /// The SSH agent cannot be asked.
    #[error("the SSH agent cannot be asked: {0}")]
    NoAgent(String),
    /// The agent holds nothing.
    #[error("the SSH agent holds no keys")]
    NoKeys,
    /// The bastion does not forward, or not to there.
    #[error("forwarding to {to} is refused: {reason}")]
    ForwardingRefused {
        /// `address:port`.
        to: String,
        /// The server's words.
        reason: String,
    },
    /// The bastion tried and could not connect.
    #[error("{via} could not connect to it: {reason}")]
    ConnectFailed {
        /// The name of the bastion.
        via: String,
        /// The server's words.
        reason: String,
    },
    /// The server opens no session.
    #[error("the server opens no session: {0}")]
    ChannelRefused(String),
    /// The server does not run commands for this user.
    #[error("the server does not run commands for this user")]
    CommandRefused,
    /// `sudo -n` would have to ask for a password.
    #[error("sudo asks for a password")]
    PasswordNeededForSudo,
    /// What sudo was given is not the user's password.
    #[error("sudo does not accept the password that it was given")]
    WrongPasswordForSudo,
    /// sudo refused for another reason.
    #[error("sudo refused: {0}")]
    SudoRefused(String),
    /// The script or its input cannot be sent.
    #[error("the script cannot be sent: {0}")]
    BadScript(String),
    /// The engineer's own SSH set-up cannot be used.
    #[error("your SSH set-up: {0}")]
    Setup(String),
    /// The command that was to make the connection ended.
    #[error("the ProxyCommand `{command}` made no connection: {said}")]
    Command {
        /// As it was given to the shell.
        command: String,
        /// How it ended, and its last words.
        said: String,
    },
    /// A person was asked something, and did not answer.
    #[error("{0}")]
    Unanswered(String),
    /// Nobody was there, and a person has to log in, or put right why it does not go without one.
    #[error("a person has to log in there: {0}")]
    TakesPerson(Box<Problem>),
    /// The hops make no route.
    #[error("{0}")]
    BadRoute(String),
    /// The connection broke.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The caller gave up.
    #[error("cancelled")]
    Cancelled,
}

impl SshError {
    /// True when the command may have been started: what it did is unknown. False: nothing has run on the host.
    pub fn may_have_run(&self) -> bool {
        let before = [Problem::CommandRefused, Problem::PasswordNeededForSudo, Problem::WrongPasswordForSudo];
        self.stage == Stage::Command
            && !before.contains(&self.problem)
            && !matches!(self.problem, Problem::BadScript(_) | Problem::SudoRefused(_))
    }

    /// What to try next, in plain words. One or two sentences.
    pub fn advice(&self) -> String {
        match &self.problem {
            Problem::Timeout(_) => self.silence(),
            Problem::Denied(denial) => denial.advice(&self.hop),
            Problem::KeyFile { path, why } => key_file_advice(&path.display().to_string(), why),
            Problem::NoAgent(_) => {
                "Start one (eval \"$(ssh-agent)\") and add the key with ssh-add, or name a key file.".to_owned()
            }
            Problem::NoKeys => "Add the key with ssh-add, or name a key file.".to_owned(),
            Problem::UnknownHostKey(_)
            | Problem::ChangedHostKey { .. }
            | Problem::RevokedHostKey { .. }
            | Problem::HostCertificate { .. }
            | Problem::KnownHosts { .. }
            | Problem::BadPin(_) => self.about_the_host_key(),
            Problem::ChannelRefused(_)
            | Problem::CommandRefused
            | Problem::PasswordNeededForSudo
            | Problem::WrongPasswordForSudo
            | Problem::SudoRefused(_) => self.about_the_host(),
            Problem::Lost(_) | Problem::Cancelled if self.may_have_run() => {
                "What the script did is unknown: probe before trying again.".to_owned()
            }
            Problem::Setup(_) => {
                "Try `ssh -G` on it, and correct your ssh config; or name another file with --ssh-config.".to_owned()
            }
            Problem::Command { .. } => "Run the command by hand: what it needs may not be there.".to_owned(),
            Problem::Unanswered(_) => format!(
                "Run it where somebody can answer: onramp open, or onramp run on a terminal. Or let {} accept a key alone.",
                self.hop
            ),
            Problem::TakesPerson(_) => {
                "Look at the step yourself, and answer what the login asks: Enter on it, or onramp run on a terminal."
                    .to_owned()
            }
            Problem::Io(_)
            | Problem::NotSsh(_)
            | Problem::Busy
            | Problem::Penalty
            | Problem::Protocol(_)
            | Problem::ForwardingRefused { .. }
            | Problem::ConnectFailed { .. }
            | Problem::Lost(_) => self.about_the_way(),
            Problem::Cancelled => "Nothing was run.".to_owned(),
            Problem::BadScript(_) | Problem::BadRoute(_) => {
                "This is a mistake in the runbook or the list of hosts.".to_owned()
            }
        }
    }

    fn about_the_way(&self) -> String {
        let (hop, at) = (&self.hop, &self.at);
        match &self.problem {
            Problem::Io(_) if self.stage == Stage::Name => {
                format!("Check the spelling of the address of {hop}, and this machine's DNS.")
            }
            Problem::Io(text) if text.contains("refused") => {
                format!("The machine answers but nothing listens on {at}: check the port, and that sshd runs on {hop}.")
            }
            Problem::NotSsh(_) => format!("Another service listens on {at}: check the port of {hop}."),
            Problem::Busy => {
                format!("Others log in to {hop} at the same time: try again, or raise MaxStartups in its sshd_config.")
            }
            Problem::Penalty => format!(
                "Wait some minutes: every try makes it longer, for everybody who comes from the same address. Look in the \
                 log of sshd on {hop} whose logins failed, and mend that first."
            ),
            Problem::Protocol(_) => {
                format!("Compare the algorithms that sshd on {hop} allows (sshd -T) with those named above.")
            }
            Problem::ForwardingRefused { .. } => {
                format!("Set `AllowTcpForwarding local` on {hop}, and allow the target in PermitOpen if that is used.")
            }
            Problem::ConnectFailed { via, .. } if self.stage == Stage::Name => {
                format!("{via} looks the name up: check the spelling of the address of {hop}, and the DNS of {via}.")
            }
            Problem::ConnectFailed { via, .. } => format!(
                "Check from {via}: is {hop} running, does sshd listen on {at}, does its security group let {via} in?"
            ),
            Problem::Lost(_) => format!(
                "Try again. If it happens again, look at the log of sshd on {hop} (MaxStartups, PerSourcePenalties)."
            ),
            _ => format!("Check the network between this machine and {hop} (VPN, route, security group)."),
        }
    }

    fn about_the_host_key(&self) -> String {
        let hop = &self.hop;
        match &self.problem {
            Problem::UnknownHostKey(key) => format!(
                "Compare the fingerprint with one from a second source: the instance's console output, or its owner, who \
                 runs ssh-keygen -lf on /etc/ssh/ssh_host_*_key.pub. If {} is the same, accept it.",
                key.fingerprint_sha256
            ),
            Problem::RevokedHostKey { .. } => {
                format!("Somebody declared this key stolen or retired. Ask the owner of {hop}; do not connect.")
            }
            Problem::HostCertificate { .. } => {
                format!("Ask the owner of {hop} for a new host certificate, or for the fingerprint of its key.")
            }
            Problem::KnownHosts { path, .. } => {
                format!("Make {} readable or repair it; until then no host can be verified.", path.display())
            }
            Problem::BadPin(_) => "Give the fingerprint as `ssh-keygen -l` prints it, such as SHA256:AbC….".to_owned(),
            Problem::ChangedHostKey { from, .. } if from == PINNED => format!(
                "Do not go on until the owner of {hop} says why the key is another. If the host was rebuilt, or the fingerprint \
                 was copied wrongly, get the right one by another way than SSH and give it where the old one stands: as \
                 \"Fingerprint of its host key\" for the customer's bastion, behind fingerprint= for a host that exists already."
            ),
            _ => format!(
                "Do not go on until the owner of {hop} says why the key changed. If the host was rebuilt, remove the old \
                 key from the place named above and compare the new one."
            ),
        }
    }

    fn about_the_host(&self) -> String {
        let hop = &self.hop;
        match &self.problem {
            Problem::ChannelRefused(_) => {
                format!("Check MaxSessions in sshd_config on {hop}, and how many sessions are open.")
            }
            Problem::CommandRefused => {
                format!("Check the login shell of the user on {hop}, and ForceCommand or command= for its key.")
            }
            Problem::PasswordNeededForSudo => format!(
                "Give the password: onramp asks for it where somebody can answer, and `sudo` of {hop} in the runbook's hosts \
                 may name the secret. Or let the user run sudo without one (NOPASSWD in /etc/sudoers.d)."
            ),
            Problem::WrongPasswordForSudo => {
                format!(
                    "Give the password of the user on {hop} again. Beware: some hosts lock a user after a few tries."
                )
            }
            _ => {
                format!("Check /etc/sudoers on {hop}: the user must be allowed to run sh as root, without a terminal.")
            }
        }
    }

    fn silence(&self) -> String {
        let hop = &self.hop;
        match self.stage {
            Stage::Name => format!("No name server answers for {}: check the DNS of this machine (VPN).", self.at),
            Stage::Connect => {
                let address = self.at.rsplit_once(':').map_or(self.at.as_str(), |(address, _)| address);
                let is_name = address.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err();
                let name =
                    if is_name { " Or the machine before it cannot look the name up: check its DNS." } else { "" };
                format!(
                    "Packets to {} get no answer: check its security group, the network ACL, the route, and that {hop} is \
                     running.{name}",
                    self.at
                )
            }
            Stage::Banner => format!(
                "The port is open but silent: a load balancer or another service may sit there, or {hop} is overloaded."
            ),
            Stage::KeyExchange | Stage::HostKey => {
                format!("{hop} is overloaded, or large packets are lost on the way (MTU).")
            }
            Stage::Authentication => {
                format!("Is the SSH agent waiting for you? Otherwise look at the log of sshd on {hop}.")
            }
            Stage::Channel => format!("{hop} stopped answering. Try again; look at its load."),
            Stage::Command => {
                "What the script did is unknown: probe before trying again, and give the step a longer limit."
                    .to_owned()
            }
        }
    }
}

impl Denial {
    fn advice(&self, hop: &str) -> String {
        if self.partial {
            return format!(
                "{hop} wants a second factor ({}). Is it the right one, and is somebody there to give it? Otherwise use \
                 a user that needs a key only.",
                self.methods_left.join(", ")
            );
        }
        if !self.methods_left.is_empty() && !self.methods_left.iter().any(|m| m == "publickey") {
            return format!(
                "{hop} accepts {} only. Allow public keys for {}.",
                self.methods_left.join(", "),
                self.user
            );
        }
        let more = if self.untried > 0 {
            format!(" The agent holds {} more keys that were not offered: name the key file.", self.untried)
        } else {
            String::new()
        };
        format!(
            "Check the user name, and that one of these keys is in ~{}/.ssh/authorized_keys on {hop}.{more}",
            self.user
        )
    }
}

fn denied(denial: &Denial) -> String {
    let user = &denial.user;
    if denial.partial {
        return format!(
            "the key of {user} was accepted, but the server wants {} as well",
            denial.methods_left.join(", ")
        );
    }
    let tried = if denial.tried.is_empty() { "no key".to_owned() } else { denial.tried.join(", ") };
    let said = denial.said.as_ref().map(|words| format!(" (it said: {words})")).unwrap_or_default();
    format!("the server does not let {user} in with {tried}{said}")
}

fn key_file_advice(path: &str, why: &KeyFileTrouble) -> String {
    match why {
        KeyFileTrouble::Missing => "Check the path, or use the SSH agent.".to_owned(),
        KeyFileTrouble::Mode(_) => format!("chmod 600 {path}"),
        KeyFileTrouble::Encrypted | KeyFileTrouble::WrongPassphrase | KeyFileTrouble::Hardware => {
            format!("ssh-add {path}")
        }
        KeyFileTrouble::Unusable(_) => "Use an ed25519, ECDSA or RSA key as ssh-keygen makes it.".to_owned(),
    }
}

fn seconds(limit: Duration) -> String {
    if limit < Duration::from_secs(10) {
        format!("{:.1} s", limit.as_secs_f64())
    } else {
        format!("{} s", limit.as_secs())
    }
}

/// Makes text of a server fit for a message: one short line, without control or direction characters.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let shown = |c: char| if text::is_hostile(c) { '\u{fffd}' } else { c };
    let mut line: String = text.trim().chars().take(LONGEST).map(shown).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(stage: Stage, problem: Problem) -> SshError {
        SshError { hop: "bastion".to_owned(), at: "203.0.113.5:2222".to_owned(), stage, problem }
    }

    #[test]
    fn the_message_names_hop_stage_and_limit() {
        let text = error(Stage::Banner, Problem::Timeout(Duration::from_secs(10))).to_string();
        assert_eq!(text, "bastion (203.0.113.5:2222), banner: no answer within 10 s");
    }

    #[test]
    fn text_of_a_server_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}]52;c;AAAA\u{7}b\u{202e}c\r\n"), "a\u{fffd}]52;c;AAAA\u{fffd}b\u{fffd}c");
        assert_eq!(printable(&"x".repeat(1000)).chars().count(), 201);
    }

    #[test]
    fn only_a_started_command_may_have_run() {
        assert!(error(Stage::Command, Problem::Lost("reset".to_owned())).may_have_run());
        assert!(!error(Stage::Channel, Problem::Lost("reset".to_owned())).may_have_run());
        assert!(!error(Stage::Command, Problem::PasswordNeededForSudo).may_have_run());
    }

    #[test]
    fn a_key_that_was_pinned_says_where_its_fingerprint_is_given() {
        let word = |text: &str| text.to_owned();
        let key = OfferedKey {
            host: word("bastion"),
            address: word("203.0.113.5"),
            port: 22,
            algorithm: word("ssh-ed25519"),
            fingerprint_sha256: word("SHA256:new"),
            openssh: word("ssh-ed25519 AAAA"),
        };
        let changed = |from: &str| Problem::ChangedHostKey {
            offered: Box::new(key.clone()),
            expected: vec!["SHA256:old".to_owned()],
            from: from.to_owned(),
        };
        let pinned = error(Stage::HostKey, changed(PINNED)).advice();
        assert!(pinned.contains("\"Fingerprint of its host key\"") && !pinned.contains("named above"), "{pinned}");
        assert!(error(Stage::HostKey, changed("known_hosts:3")).advice().contains("the place named above"));
    }

    #[test]
    fn errors_stay_small() {
        assert!(size_of::<SshError>() <= 128, "{}", size_of::<SshError>());
    }
}
