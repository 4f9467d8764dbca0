//! chronyd as a service: the configuration it was started with, and which of its sources it follows.
//!
//! Rules: chrony.conf(5), chronyc(1), and what chrony 4.3 prints.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Session;
use super::disk::{Disk, Owner};
use super::image::Image;
use super::machine::Machine;
use crate::practice::net::{Service, Source as From};

/// Amazon Time Sync, which every host of EC2 reaches without a route or a rule.
pub const AMAZON: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 123);
/// Stands for whatever a name of the public pool leads to (RFC 5737).
const POOL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 123);
const PUBLIC: [&str; 3] = [".pool.ntp.org", "ntp.ubuntu.com", "time.aws.com"];

/// What chronyd read when it was started, whatever its files say by now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chronyd {
    pub sources: Vec<Source>,
    /// The stratum that `local` lets it claim when it follows nobody.
    pub local: Option<u8>,
    /// On the hosts' clock.
    pub started: Duration,
    key_file: Option<String>,
    /// The numbers of the keys in it.
    keys: BTreeSet<u32>,
}

/// A `server`, `peer` or `pool` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    iburst: bool,
    key: Option<u32>,
}

/// One source as `chronyc sources` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub address: Option<Ipv4Addr>,
    /// How many exchanges there have been, from which its register is made.
    pub exchanges: u32,
    pub answers: bool,
}

/// What the clock follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    Nobody,
    /// Itself, at this stratum.
    Itself(u8),
    Server(Ipv4Addr),
}

/// With `iburst` four exchanges, two seconds apart; a little quicker here, for whoever waits. Otherwise one a minute.
const BURST: Duration = Duration::from_millis(700);
const POLL: Duration = Duration::from_secs(64);
/// Exchanges before the clock is set by a source.
const ENOUGH: u32 = 3;

/// Directives, and how many words each needs.
const DIRECTIVES: &[(&str, usize)] = &[
    ("allow", 0),
    ("bindcmdaddress", 1),
    ("cmdport", 1),
    ("deny", 0),
    ("driftfile", 1),
    ("dumpdir", 1),
    ("hwtimestamp", 1),
    ("leapsectz", 1),
    ("local", 0),
    ("log", 1),
    ("logdir", 1),
    ("makestep", 2),
    ("maxdistance", 1),
    ("maxupdateskew", 1),
    ("minsources", 1),
    ("ntsdumpdir", 1),
    ("port", 1),
    ("rtcsync", 0),
];
/// Options of a source, and whether each has a value.
const OPTIONS: &[(&str, bool)] = &[
    ("auto_offline", false),
    ("burst", false),
    ("iburst", false),
    ("key", true),
    ("maxpoll", true),
    ("maxsamples", true),
    ("maxsources", true),
    ("minpoll", true),
    ("minsamples", true),
    ("noselect", false),
    ("nts", false),
    ("offline", false),
    ("polltarget", true),
    ("port", true),
    ("prefer", false),
    ("require", false),
    ("trust", false),
    ("version", true),
    ("xleave", false),
];

/// Where this distribution has the file.
pub fn file_of(image: Image) -> &'static str {
    if image.is_rhel() { "/etc/chrony.conf" } else { "/etc/chrony/chrony.conf" }
}

/// The unit that runs it.
pub fn unit_of(image: Image) -> &'static str {
    if image.is_rhel() { "chronyd.service" } else { "chrony.service" }
}

/// The line of /etc/group that the package adds.
pub fn group_of(image: Image) -> String {
    if image.is_rhel() { "chrony:x:992:\n".to_owned() } else { "_chrony:x:121:\n".to_owned() }
}

/// What the package, and on EC2 the image's maker, put on the disk.
pub fn lay_out(disk: &Disk, image: Image) {
    let amazon = "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4\n";
    let pools = match image {
        Image::Ubuntu2204 | Image::Ubuntu2404 => {
            "pool ntp.ubuntu.com        iburst maxsources 4\npool 0.ubuntu.pool.ntp.org iburst maxsources 1\n"
        }
        Image::Debian12 => "pool 2.debian.pool.ntp.org iburst\n",
        Image::Rhel8 | Image::Rhel9 | Image::Rhel10 => "",
    };
    let text = if image.is_rhel() {
        format!(
            "# These servers were defined in the installation:\n{amazon}# Use NTP servers from DHCP.\nsourcedir /run/chrony-dhcp\n\
             driftfile /var/lib/chrony/drift\nmakestep 1.0 3\nrtcsync\nkeyfile /etc/chrony.keys\n\
             ntsdumpdir /var/lib/chrony\nleapsectz right/UTC\nlogdir /var/log/chrony\n"
        )
    } else {
        let amazon = if image == Image::Debian12 { "" } else { amazon };
        format!(
            "# Include configuration files found in /etc/chrony/conf.d.\nconfdir /etc/chrony/conf.d\n\n{amazon}{pools}\n\
             # Use time sources from DHCP.\nsourcedir /run/chrony-dhcp\nsourcedir /etc/chrony/sources.d\n\
             keyfile /etc/chrony/chrony.keys\ndriftfile /var/lib/chrony/chrony.drift\nntsdumpdir /var/lib/chrony\n\
             logdir /var/log/chrony\nmaxupdateskew 100.0\nrtcsync\nmakestep 1 3\nleapsectz right/UTC\n"
        )
    };
    disk.put(file_of(image), &text, 0o644, Owner::root());
    if !image.is_rhel() {
        disk.dir("/etc/chrony/conf.d", 0o755, Owner::root());
        disk.dir("/etc/chrony/sources.d", 0o755, Owner::root());
    }
}

impl Chronyd {
    /// Reads the configuration as a start does. The error is what chronyd says and ends with.
    pub async fn read(disk: &Disk, path: &str) -> Result<Self, String> {
        let mut read = Chronyd::default();
        read.file(disk, path, 0).await?;
        read.learn_keys(disk).await;
        Ok(read)
    }

    async fn learn_keys(&mut self, disk: &Disk) {
        let Some(path) = &self.key_file else { return };
        let text = disk.text(path).await.unwrap_or_default();
        self.keys = text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    }

    /// Directives from the command line, as `chronyd -Q` takes them.
    pub async fn of_lines(disk: &Disk, lines: &[String]) -> Result<Self, String> {
        let mut read = Chronyd::default();
        for line in lines {
            read.line(line).map_err(|why| why.said("", 0))?;
        }
        read.learn_keys(disk).await;
        Ok(read)
    }

    async fn file(&mut self, disk: &Disk, path: &str, depth: usize) -> Result<(), String> {
        let text = disk.text(path).await.ok_or_else(|| format!("Could not open {path} : No such file or directory"))?;
        if depth > 4 {
            return Err(format!("Maximum include level reached in file {path}"));
        }
        for (number, line) in text.lines().enumerate() {
            let found = self.line(line).map_err(|why| why.said(path, number + 1))?;
            if let Some(elsewhere) = found {
                self.elsewhere(disk, elsewhere, depth).await?;
            }
        }
        Ok(())
    }

    async fn elsewhere(&mut self, disk: &Disk, elsewhere: Elsewhere, depth: usize) -> Result<(), String> {
        match elsewhere {
            Elsewhere::File(path) => Box::pin(self.file(disk, &path, depth + 1)).await?,
            Elsewhere::Folder(folder) => {
                for name in disk.names(&folder).await.into_iter().filter(|name| name.ends_with(".conf")) {
                    Box::pin(self.file(disk, &format!("{folder}/{name}"), depth + 1)).await?;
                }
            }
            // A line of these that cannot be read is passed over.
            Elsewhere::Sources(folder) => {
                for name in disk.names(&folder).await.into_iter().filter(|name| name.ends_with(".sources")) {
                    let text = disk.text(Path::new(&folder).join(name)).await.unwrap_or_default();
                    self.sources.extend(text.lines().filter_map(|line| source(&words(line)).ok().flatten()));
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<Option<Elsewhere>, Unread> {
        let words = words(line);
        let Some((name, rest)) = words.split_first() else { return Ok(None) };
        if let Some(source) = source(&words)? {
            self.sources.push(source);
            return Ok(None);
        }
        let one = || rest.first().map(ToString::to_string).ok_or_else(|| Unread::Missing(name.to_string()));
        match name.to_ascii_lowercase().as_str() {
            "confdir" => return Ok(Some(Elsewhere::Folder(one()?))),
            "sourcedir" => return Ok(Some(Elsewhere::Sources(one()?))),
            "include" => return Ok(Some(Elsewhere::File(one()?))),
            "keyfile" => self.key_file = Some(one()?),
            known => {
                let Some((_, needs)) = DIRECTIVES.iter().find(|(directive, _)| *directive == known) else {
                    return Err(Unread::Invalid);
                };
                if rest.len() < *needs {
                    return Err(Unread::Missing(known.to_owned()));
                }
                if known == "local" {
                    let stratum = rest.iter().position(|word| *word == "stratum").and_then(|at| rest.get(at + 1));
                    self.local = Some(stratum.and_then(|stratum| stratum.parse().ok()).unwrap_or(10));
                }
            }
        }
        Ok(None)
    }
}

enum Elsewhere {
    File(String),
    Folder(String),
    Sources(String),
}

/// Why a line is none.
enum Unread {
    Invalid,
    Missing(String),
    Garbled(String),
}

impl Unread {
    fn said(&self, path: &str, line: usize) -> String {
        let place = if path.is_empty() { String::new() } else { format!(" in file {path}") };
        let what = match self {
            Unread::Invalid => "Invalid directive".to_owned(),
            Unread::Missing(name) => format!("Missing arguments for {name} directive"),
            Unread::Garbled(name) => format!("Could not parse {name} directive"),
        };
        format!("{what} at line {line}{place}")
    }
}

/// Comments begin a line with one of `!;#%`.
fn words(line: &str) -> Vec<&str> {
    let line = line.trim();
    if line.starts_with(['!', ';', '#', '%']) { Vec::new() } else { line.split_whitespace().collect() }
}

fn source(words: &[&str]) -> Result<Option<Source>, Unread> {
    let Some(kind) = words.first().map(|word| word.to_ascii_lowercase()) else { return Ok(None) };
    if !["server", "peer", "pool"].contains(&kind.as_str()) {
        return Ok(None);
    }
    let garbled = || Unread::Garbled(kind.clone());
    let name = words.get(1).ok_or_else(garbled)?;
    let mut source = Source { name: name.to_string(), iburst: false, key: None };
    let mut rest = words[2..].iter();
    while let Some(word) = rest.next() {
        let (_, takes) = OPTIONS.iter().find(|(option, _)| option == word).ok_or_else(garbled)?;
        let value: Option<i64> = if *takes { rest.next().and_then(|value| value.parse().ok()) } else { Some(0) };
        let value = value.ok_or_else(garbled)?;
        match *word {
            "iburst" => source.iburst = true,
            "key" => source.key = Some(u32::try_from(value).ok().filter(|key| *key > 0).ok_or_else(garbled)?),
            _ => {}
        }
    }
    Ok(Some(source))
}

impl Machine {
    /// Starts chronyd: with the configuration as it is now, or not at all.
    pub async fn start_chrony(&self) -> Result<(), String> {
        let path = file_of(self.image);
        let read = Chronyd::read(&self.disk, path).await.map_err(|why| format!("Fatal error : {why}\n"))?;
        let started = self.clock.now();
        self.with(|state| state.chrony = Some(Chronyd { started, ..read }));
        Ok(())
    }
}

/// What each source has answered by now, asked from this session's host.
pub async fn seen(session: &Session, running: &Chronyd) -> Vec<Seen> {
    let up = session.machine.clock.now().saturating_sub(running.started);
    let mut all = Vec::new();
    for source in &running.sources {
        let address = resolve(&source.name);
        let trusted = source.key.is_none_or(|key| running.keys.contains(&key));
        let answers = trusted && answers(session, address).await;
        let burst = if source.iburst { (up.as_millis() / BURST.as_millis()).min(4) as u32 } else { 0 };
        let exchanges = 1 + burst + (up.as_secs() / POLL.as_secs()) as u32;
        all.push(Seen { name: source.name.clone(), address, exchanges, answers });
    }
    all
}

/// A literal address, or one of the public pool. Other names are in no name server that a host of practice has.
fn resolve(name: &str) -> Option<Ipv4Addr> {
    let public = PUBLIC.iter().any(|public| name.ends_with(public));
    name.parse().ok().or(public.then_some(POOL))
}

async fn answers(session: &Session, address: Option<Ipv4Addr>) -> bool {
    let Some(address) = address else { return false };
    if address == AMAZON {
        return true;
    }
    let (Some(reach), Some(own)) = (&session.reach, session.machine.address()) else { return false };
    reach.gate.answers(From::Host(own), IpAddr::V4(address), Service::Time).await.is_some()
}

/// The first source that has answered often enough; else itself, where it may.
pub fn follows(running: &Chronyd, seen: &[Seen]) -> Follows {
    let chosen = seen.iter().find(|one| one.answers && one.exchanges >= ENOUGH).and_then(|one| one.address);
    chosen.map(Follows::Server).or(running.local.map(Follows::Itself)).unwrap_or(Follows::Nobody)
}

/// How far a server is from a clock of its own, as practice has it.
pub fn stratum_of(server: Ipv4Addr) -> u8 {
    if server == AMAZON { 3 } else { 2 }
}
