//! What is set for one host, sorted: what is honoured, what concerns nothing that onramp does, and the rest, which is said.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tokens::{Names, below_home};
use super::{Asked, Entry};
use crate::ssh::{Alive, Sha1, error::printable};

/// What the set-up says of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// HostName: where it really is.
    pub address: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// IdentityFile, in their order.
    pub identities: Vec<PathBuf>,
    /// IdentitiesOnly: of the agent's keys only those that are named.
    pub identities_only: bool,
    /// IdentityAgent; the inner nothing means that there is to be none.
    pub agent: Option<Option<PathBuf>>,
    /// CertificateFile.
    pub certificates: Vec<PathBuf>,
    /// ProxyJump, the outermost first.
    pub jumps: Vec<Jump>,
    /// ProxyCommand, ready for a shell.
    pub command: Option<String>,
    /// UserKnownHostsFile, without those that switch checking off.
    pub user_known_hosts: Option<Vec<PathBuf>>,
    /// GlobalKnownHostsFile.
    pub global_known_hosts: Option<Vec<PathBuf>>,
    /// RevokedHostKeys.
    pub revoked: Option<PathBuf>,
    /// HostKeyAlias.
    pub key_alias: Option<String>,
    /// ConnectTimeout.
    pub connect: Option<Duration>,
    /// ServerAliveInterval and ServerAliveCountMax.
    pub alive: Option<Alive>,
    /// HostKeyAlgorithms, PubkeyAcceptedAlgorithms and KexAlgorithms, as far as they name what is old.
    pub sha1: Sha1,
    /// What is set and not honoured, each with what that means.
    pub remarks: Vec<String>,
    /// Keywords that concern nothing that onramp does.
    pub moot: Vec<String>,
}

/// One host of a ProxyJump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// As it is written: an alias, a name, or an address.
    pub alias: String,
    /// Before the `@`.
    pub user: Option<String>,
    /// Behind the `:`.
    pub port: Option<u16>,
}

/// Keywords of terminals, forwardings for people, logs, shared connections, the writing of known_hosts, and those that
/// ssh has evaluated already. In lower case.
const MOOT: &[&str] = &[
    "addkeystoagent",
    "batchmode",
    "canonicaldomains",
    "canonicalizefallbacklocal",
    "canonicalizehostname",
    "canonicalizemaxdots",
    "canonicalizepermittedcnames",
    "channeltimeout",
    "checkhostip",
    "clearallforwardings",
    "compression",
    "connectionattempts",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "dynamicforward",
    "enableescapecommandline",
    "escapechar",
    "exitonforwardfailure",
    "fingerprinthash",
    "forkafterauthentication",
    "forwardagent",
    "forwardx11",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    "gssapiauthentication",
    "gssapidelegatecredentials",
    "hashknownhosts",
    "ignoreunknown",
    "ipqos",
    "localcommand",
    "localforward",
    "loglevel",
    "logverbose",
    "nohostauthenticationforlocalhost",
    "numberofpasswordprompts",
    "obscurekeystroketiming",
    "permitlocalcommand",
    "permitremoteopen",
    "remotecommand",
    "remoteforward",
    "requesttty",
    "sendenv",
    "sessiontype",
    "setenv",
    "stdinnull",
    "streamlocalbindmask",
    "streamlocalbindunlink",
    "syslogfacility",
    "tag",
    "tcpkeepalive",
    "tunnel",
    "tunneldevice",
    "usekeychain",
    "visualhostkey",
    "xauthlocation",
];

/// The lines of `ssh -G`. Where a value may have blanks, the whole line is one argument.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let lists = ["userknownhostsfile", "globalknownhostsfile"];
    let entry = |line: &str| {
        let (keyword, rest) = line.split_once(' ')?;
        let keyword = keyword.to_ascii_lowercase();
        let whole = !lists.contains(&keyword.as_str());
        let arguments =
            if whole { vec![rest.to_owned()] } else { rest.split_ascii_whitespace().map(str::to_owned).collect() };
        Some((keyword, arguments))
    };
    text.lines().filter_map(entry).collect()
}

/// Those of `all` that differ from what ssh takes without any set-up. A host is called by its own name by default.
pub(super) fn set(all: Vec<Entry>, defaults: &[Entry], alias: &str) -> Vec<Entry> {
    let own_name = |value: &[String]| value.iter().all(|value| value.eq_ignore_ascii_case(alias));
    let is_default = |entry: &Entry| match entry.0.as_str() {
        "host" | "originalhost" => true,
        // Who that is without any set-up, ssh knows better than the environment.
        "user" => false,
        "hostname" => own_name(&entry.1),
        _ => defaults.contains(entry),
    };
    all.into_iter().filter(|entry| !is_default(entry)).collect()
}

/// Does a list of algorithms have this one? `-` takes it out of ssh's own list.
fn names_it(list: &str, algorithm: &str) -> bool {
    !list.starts_with('-') && list.trim_start_matches(['+', '^']).split(',').any(|one| one == algorithm)
}

impl Setup {
    /// Sorts what is set. Of a keyword that is no list the first counts.
    pub(super) fn of(entries: &[Entry], mut names: Names) -> Self {
        let mut setup = Self::default();
        let first = |keyword: &str| {
            let found = entries.iter().find(|(known, _)| known == keyword);
            found.and_then(|(_, arguments)| arguments.first()).cloned()
        };
        names.key_alias = first("hostkeyalias");
        names.jump = first("proxyjump").filter(|jump| jump != "none");
        setup.address = first("hostname").map(|name| names.in_host_name(&name));
        names.host = setup.address.clone().unwrap_or_else(|| names.alias.clone());
        setup.user = first("user");
        setup.port = first("port").and_then(|port| port.parse().ok());
        names.settle(setup.port, setup.user.as_deref());
        let mut interval = None;
        let mut most = None;
        for (keyword, arguments) in entries {
            let value = arguments.first().map(String::as_str).unwrap_or_default();
            match keyword.as_str() {
                "hostname" | "user" | "port" => {}
                "identityfile" if value != "none" => {
                    setup.identities.extend(setup_path(value, &names, &mut setup.remarks))
                }
                "identityfile" => {}
                "identitiesonly" => setup.identities_only = is_yes(value),
                "identityagent" => setup.agent = agent(value, &names),
                "certificatefile" if value != "none" => {
                    setup.certificates.extend(setup_path(value, &names, &mut setup.remarks));
                }
                "certificatefile" => {}
                "proxyjump" if value != "none" => setup.take_jumps(value),
                "proxyjump" => {}
                "proxycommand" if value != "none" => setup.take_command(&arguments.join(" "), &names),
                "proxycommand" => {}
                "userknownhostsfile" => setup.user_known_hosts = setup.known_files(arguments, &names),
                "globalknownhostsfile" => {
                    let named = arguments.iter().filter(|file| !is_nothing(file));
                    let files = named.filter_map(|file| setup_path(file, &names, &mut setup.remarks)).collect();
                    setup.global_known_hosts = Some(files);
                }
                "revokedhostkeys" if value != "none" => {
                    setup.revoked = setup_path(value, &names, &mut setup.remarks);
                }
                "revokedhostkeys" => {}
                "hostkeyalias" => setup.key_alias = Some(value.to_owned()),
                "connecttimeout" => setup.connect = value.parse().ok().filter(|s| *s > 0).map(Duration::from_secs),
                "serveraliveinterval" => interval = value.parse().ok(),
                "serveralivecountmax" => most = value.parse().ok(),
                "stricthostkeychecking" if value == "accept-new" => setup.remarks.push(
                    "StrictHostKeyChecking accept-new is not honoured: a new host key is shown to a person".to_owned(),
                ),
                "stricthostkeychecking" if matches!(value, "no" | "off" | "false") => setup.remarks.push(
                    "StrictHostKeyChecking is off, which is not honoured: host keys are verified all the same"
                        .to_owned(),
                ),
                "hostkeyalgorithms" if names_it(value, "ssh-rsa") => setup.sha1.host_key = true,
                "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" if names_it(value, "ssh-rsa") => {
                    setup.sha1.login = true;
                }
                "kexalgorithms" if names_it(value, "diffie-hellman-group14-sha1") => setup.sha1.key_exchange = true,
                // ssh turns the second off by itself where known_hosts is set.
                "stricthostkeychecking" | "updatehostkeys" => {}
                _ if MOOT.contains(&keyword.as_str()) || keyword.starts_with("gssapi") => {
                    if !setup.moot.contains(keyword) {
                        setup.moot.push(keyword.clone());
                    }
                }
                _ => setup.remarks.push(format!("{keyword} is not honoured")),
            }
        }
        setup.alive = interval
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Alive { interval: Duration::from_secs(seconds), unanswered: most.unwrap_or(3) });
        setup.remarks.sort();
        setup.remarks.dedup();
        setup
    }

    fn take_jumps(&mut self, value: &str) {
        let jumps: Option<Vec<Jump>> = value.split(',').map(|one| Jump::read(one.trim())).collect();
        match jumps {
            Some(jumps) => self.jumps = jumps,
            None => self.remarks.push(format!("ProxyJump {} cannot be understood", printable(value))),
        }
    }

    fn take_command(&mut self, value: &str, names: &Names) {
        match names.expand(value) {
            Ok(command) => self.command = Some(command),
            Err(why) => self.remarks.push(format!("ProxyCommand is not honoured: {why}")),
        }
    }

    /// The user's own files. One that can only hold nothing switches checking off in ssh; here, the usual files count.
    fn known_files(&mut self, arguments: &[String], names: &Names) -> Option<Vec<PathBuf>> {
        let (off, files): (Vec<_>, Vec<_>) = arguments.iter().partition(|file| is_nothing(file));
        if !off.is_empty() {
            self.remarks
                .push("a UserKnownHostsFile that holds nothing does not switch the verification off".to_owned());
        }
        let files: Vec<PathBuf> =
            files.into_iter().filter_map(|file| setup_path(file, names, &mut self.remarks)).collect();
        (!files.is_empty()).then_some(files)
    }

    /// The known_hosts files for this host, `named` ones first; nothing where the usual ones do.
    pub(super) fn known_hosts(&self, named: &[PathBuf], home: &Path) -> Option<Vec<PathBuf>> {
        if self.user_known_hosts.is_none() && self.global_known_hosts.is_none() {
            return None;
        }
        let [user, global] = usual_known_hosts(home);
        let user = self.user_known_hosts.clone().unwrap_or(user);
        let global = self.global_known_hosts.clone().unwrap_or(global);
        Some([named.to_vec(), user, global].concat())
    }
}

/// The known_hosts files of the user and of the system, where nothing else is said.
pub fn usual_known_hosts(home: &Path) -> [Vec<PathBuf>; 2] {
    let user = ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name));
    let global = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from);
    [user.to_vec(), global.to_vec()]
}

impl Jump {
    /// `[user@]host[:port]`, or the same as a URL.
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, text),
        };
        let (alias, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => (address, rest.strip_prefix(':')),
            // More than one colon: an IPv6 address without a port.
            None if place.matches(':').count() > 1 => (place, None),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse).transpose().ok()?;
        (!alias.is_empty()).then(|| Self { alias: alias.to_owned(), user, port })
    }

    /// Its name says where it comes from: a hop of the runbook may be called the same.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            name: format!("{} of your ssh config", self.alias),
            address: self.alias.clone(),
            port: self.port,
            user: self.user.clone(),
            identity: None,
            pins: Vec::new(),
        }
    }
}

/// No file, or one in which nothing can be.
fn is_nothing(file: &str) -> bool {
    matches!(file, "none" | "/dev/null")
}

fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "yes" | "true")
}

/// `none`, `SSH_AUTH_SOCK`, `$VARIABLE`, or a path.
fn agent(value: &str, names: &Names) -> Option<Option<PathBuf>> {
    let variable = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match value {
        "none" => Some(None),
        "SSH_AUTH_SOCK" => None,
        value => Some(match value.strip_prefix('$').filter(|rest| !rest.starts_with('{')) {
            Some(name) => variable(name),
            None => names.expand(value).ok().map(|path| below_home(Path::new(&path), &names.home)),
        }),
    }
}

fn setup_path(value: &str, names: &Names, remarks: &mut Vec<String>) -> Option<PathBuf> {
    match names.expand(value) {
        Ok(path) => Some(below_home(Path::new(&path), &names.home)),
        Err(why) => {
            remarks.push(format!("{} is not honoured: {why}", printable(value)));
            None
        }
    }
}
