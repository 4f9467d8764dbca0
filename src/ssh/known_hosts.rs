//! known_hosts files, as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" describes them.

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use russh::keys::{HashAlg, PublicKey};
use sha1::Sha1;
use tokio::sync::Mutex;

use super::Hop;
use super::error::Problem;

/// More than any honest file has; a guard against a device or a log given by mistake.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;

/// The port that is left out of a host's name in these files.
pub(super) const USUAL_PORT: u16 = 22;

/// All entries of all files, in order.
#[derive(Debug, Default, Clone)]
pub(super) struct KnownHosts(Vec<Arc<File>>);

/// The files that were read, each until it is another one: a thousand hosts behind one bastion ask for the same lines.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<HashMap<PathBuf, (Stamp, Arc<File>)>>);

/// What shows that a file is still the one that was read.
type Stamp = (u64, u64, i64, i64);

/// The entries of one file, in order. Most lines name their hosts plainly: these are found without looking at the others.
#[derive(Debug, Default)]
struct File {
    entries: Vec<Arc<Entry>>,
    plain: HashMap<String, Vec<usize>>,
    other: Vec<usize>,
}

/// One line: these hosts have this key.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) marker: Option<Marker>,
    hosts: Hosts,
    pub(super) key: PublicKey,
    /// `file:line`.
    pub(super) at: String,
}

/// What the key of a line is, when it is not simply the host's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It signs host certificates.
    CertAuthority,
    /// It must never be accepted.
    Revoked,
}

#[derive(Debug)]
enum Hosts {
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    Patterns(Vec<Pattern>),
}

#[derive(Debug)]
struct Pattern {
    negated: bool,
    glob: String,
}

impl Shelf {
    /// What is written that concerns this hop.
    pub(super) async fn for_hop(&self, hop: &Hop, usual: &[PathBuf]) -> Result<KnownHosts, Problem> {
        let mut known = self.read(hop.extra.known_hosts.as_deref().unwrap_or(usual)).await?;
        if let Some(path) = &hop.extra.revoked {
            known.0.push(Arc::new(revoked(path).await?));
        }
        Ok(known)
    }

    /// All files, as they are now. A missing file is an empty one; any other failure to read is an error, because an
    /// unread file may hold the revocation or the other key that would have stopped us.
    pub(super) async fn read(&self, files: &[PathBuf]) -> Result<KnownHosts, Problem> {
        // Whoever comes meanwhile waits for what is being read.
        let mut shelf = self.0.lock().await;
        let mut all = Vec::new();
        for path in files {
            let trouble = |why: String| Problem::KnownHosts { path: path.clone(), why };
            let stamp = match tokio::fs::metadata(path).await {
                Ok(facts) => stamp(&facts),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(trouble(error.to_string())),
            };
            if let Some((_, file)) = shelf.get(path).filter(|(read, _)| *read == stamp) {
                all.push(Arc::clone(file));
                continue;
            }
            let bytes = match read_bounded(path).await {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(trouble(error.to_string())),
            };
            let entries = parse(&bytes, &path.display().to_string()).map_err(trouble)?;
            let file = Arc::new(File::new(entries));
            shelf.insert(path.clone(), (stamp, Arc::clone(&file)));
            all.push(file);
        }
        Ok(KnownHosts(all))
    }
}

/// The keys of a RevokedHostKeys file, one a line: they count for every host.
async fn revoked(path: &Path) -> Result<File, Problem> {
    let trouble = |why: String| Problem::KnownHosts { path: path.to_owned(), why };
    let bytes = read_bounded(path).await.map_err(|error| trouble(error.to_string()))?;
    if bytes.starts_with(b"SSHKRL") {
        return Err(trouble("this is a binary revocation list (KRL), which onramp cannot read".to_owned()));
    }
    let mut entries = Vec::new();
    for (index, line) in String::from_utf8_lossy(&bytes).lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = Entry::parse(&format!("@revoked * {line}"), &format!("{}:{}", path.display(), index + 1));
        entries.push(entry.ok_or_else(|| trouble(format!("line {}: this is no public key", index + 1)))?);
    }
    Ok(File::new(entries))
}

fn stamp(facts: &Metadata) -> Stamp {
    (facts.ino(), facts.len(), facts.ctime(), facts.ctime_nsec())
}

impl KnownHosts {
    /// Entries for a host as it is written in these files (see [`written`]).
    pub(super) fn of(&self, name: &str) -> Vec<Arc<Entry>> {
        self.0.iter().flat_map(|file| file.of(name)).collect()
    }
}

impl File {
    fn new(entries: Vec<Entry>) -> Self {
        let (mut plain, mut other) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            match entry.hosts.plain() {
                Some(names) => names.for_each(|name| plain.entry(name.to_owned()).or_default().push(index)),
                None => other.push(index),
            }
        }
        Self { entries: entries.into_iter().map(Arc::new).collect(), plain, other }
    }

    fn of(&self, name: &str) -> Vec<Arc<Entry>> {
        let fits = |index: &&usize| self.entries.get(**index).is_some_and(|entry| entry.hosts.matches(name));
        let plain = self.plain.get(name).into_iter().flatten();
        let found: BTreeSet<&usize> = plain.chain(self.other.iter().filter(fits)).collect();
        found.into_iter().filter_map(|index| self.entries.get(*index).cloned()).collect()
    }
}

/// How a host is written in these files: `host`, or `[host]:port` for an unusual port; in lower case.
pub(super) fn written(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == USUAL_PORT { host } else { format!("[{host}]:{port}") }
}

async fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let size = tokio::fs::metadata(path).await?.len();
    if size > LARGEST_FILE {
        return Err(io::Error::other(format!("{size} bytes are too many for a known_hosts file")));
    }
    tokio::fs::read(path).await
}

/// Lines that make no sense are passed over, as ssh does: they can only make a host less known. The exception is a
/// revocation, which must not get lost.
fn parse(bytes: &[u8], file: &str) -> Result<Vec<Entry>, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = format!("{file}:{}", index + 1);
        match Entry::parse(line, &at) {
            Some(entry) => entries.push(entry),
            None if line.starts_with("@revoked") => {
                return Err(format!("line {}: this @revoked line cannot be understood", index + 1));
            }
            None => tracing::warn!(%at, "a line of known_hosts cannot be understood and is passed over"),
        }
    }
    Ok(entries)
}

impl Entry {
    fn parse(line: &str, at: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().peekable();
        let marker = match fields.next_if(|field| field.starts_with('@')) {
            None => None,
            Some("@cert-authority") => Some(Marker::CertAuthority),
            Some("@revoked") => Some(Marker::Revoked),
            Some(_) => return None,
        };
        let hosts = Hosts::parse(fields.next()?)?;
        let (kind, blob) = (fields.next()?, fields.next()?);
        let key = PublicKey::from_openssh(&format!("{kind} {blob}")).ok()?;
        Some(Self { marker, hosts, key, at: at.to_owned() })
    }

    /// `SHA256:…`.
    pub(super) fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }
}

impl Hosts {
    fn parse(field: &str) -> Option<Self> {
        if let Some(hashed) = field.strip_prefix("|1|") {
            let (salt, hash) = hashed.split_once('|')?;
            return Some(Self::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? });
        }
        if field.starts_with('|') {
            return None;
        }
        let pattern = |text: &str| match text.strip_prefix('!') {
            Some(rest) => Pattern { negated: true, glob: rest.to_ascii_lowercase() },
            None => Pattern { negated: false, glob: text.to_ascii_lowercase() },
        };
        Some(Self::Patterns(field.split(',').map(pattern).collect()))
    }

    /// The names, when they are no more than names.
    fn plain(&self) -> Option<impl Iterator<Item = &str>> {
        let Self::Patterns(patterns) = self else { return None };
        let plain = |pattern: &Pattern| !pattern.negated && !pattern.glob.contains(['*', '?']);
        patterns.iter().all(plain).then(|| patterns.iter().map(|pattern| pattern.glob.as_str()))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => hashed_name_matches(salt, hash, name),
            Self::Patterns(patterns) => {
                let hit = |negated: bool| patterns.iter().any(|p| p.negated == negated && glob_matches(&p.glob, name));
                hit(false) && !hit(true)
            }
        }
    }
}

fn hashed_name_matches(salt: &[u8], hash: &[u8], name: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
    mac.update(name.as_bytes());
    mac.verify_slice(hash).is_ok()
}

/// `*` is any number of characters, `?` is one; everything else, brackets too, is itself.
pub(super) fn glob_matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                last_star = Some((g, n));
                g += 1;
            }
            Some(&c) if c == '?' || Some(&c) == name.get(n) => (g, n) = (g + 1, n + 1),
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    (g, n) = (star + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    glob.iter().skip(g).all(|c| *c == '*')
}

#[cfg(test)]
impl KnownHosts {
    /// The entries of one text, for tests.
    pub(super) fn from_text(text: &str) -> Self {
        Self(vec![Arc::new(File::new(parse(text.as_bytes(), "kh").expect("a good file")))])
    }
}

#[cfg(test)]
#[path = "tests/known_hosts.rs"]
mod tests;
