//! What sshd reads in sshd_config: Include, first value wins, Port accumulates, Match (sshd_config(5)).

use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::sshd_keywords::{Kind, keyword};

/// Where sshd starts to read.
pub const MAIN: &str = "/etc/ssh/sshd_config";

/// sshd_config(5) does not say how deep Include may nest; OpenSSH's servconf.c stops at 16.
const MAX_INCLUDE_DEPTH: usize = 16;

/// A line that counts, and the Match conditions it stands under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    keyword: String,
    arguments: Vec<String>,
    conditions: Option<Vec<(String, String)>>,
}

/// A configuration that `sshd -t` accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshdConfig {
    lines: Vec<Line>,
}

/// What sshd prints on standard error when it refuses a configuration; it exits 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

/// Whom and what Match looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    pub user: String,
    pub groups: Vec<String>,
    pub host: String,
    pub address: Option<IpAddr>,
    pub local_port: Option<u16>,
}

impl SshdConfig {
    /// Reads `/etc/ssh/sshd_config` and what it includes.
    pub async fn read(disk: &Disk) -> Result<Self, Refusal> {
        let Some(text) = disk.text(MAIN).await else {
            return Err(Refusal(format!("{MAIN}: No such file or directory\n")));
        };
        // OpenSSH 8.0, which Red Hat 8 has, is from before Include (8.2).
        let old = disk.text("/etc/os-release").await.is_some_and(|text| text.contains("platform:el8"));
        let mut reader = Reader { includes: !old, config: Self::default(), bad: Vec::new() };
        Box::pin(reader.file(disk, MAIN, &text, 0, &mut None)).await?;
        if reader.bad.is_empty() {
            return Ok(reader.config);
        }
        let count = reader.bad.len();
        let problems = reader.bad.concat();
        Err(Refusal(format!("{problems}{MAIN}: terminating, {count} bad configuration options\n")))
    }

    /// The arguments of the first line that counts for `subject`.
    fn first(&self, name: &str, subject: Option<&Subject>) -> Option<&[String]> {
        self.lines
            .iter()
            .find(|line| line.keyword == name && line.counts(subject))
            .map(|line| line.arguments.as_slice())
    }

    /// Every argument of every line that counts: for keywords that accumulate.
    pub fn every(&self, name: &str, subject: Option<&Subject>) -> Vec<&str> {
        let lines = self.lines.iter().filter(|line| line.keyword == name && line.counts(subject));
        lines.flat_map(|line| line.arguments.iter().map(String::as_str)).collect()
    }

    /// The first value, or sshd's default, as `sshd -T` prints it.
    pub fn value(&self, name: &str, subject: Option<&Subject>) -> String {
        let Some(known) = keyword(name) else { return String::new() };
        match self.first(known.name, subject) {
            Some(arguments) => known.kind.print(arguments),
            None => known.default.to_string(),
        }
    }

    /// Is a yes-or-no keyword on?
    pub fn on(&self, name: &str, subject: Option<&Subject>) -> bool {
        self.value(name, subject) == "yes"
    }

    /// A number, or sshd's default.
    pub fn number(&self, name: &str, subject: Option<&Subject>) -> usize {
        self.value(name, subject).parse().unwrap_or_default()
    }

    /// The ports to listen on, in the order given; 22 if none is.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.every("port", None).iter().filter_map(|port| port.parse().ok()).collect();
        if ports.is_empty() {
            ports.push(22);
        }
        ports.dedup();
        ports
    }

    /// The `address:port` pairs to listen on: ListenAddress, else all addresses on every port.
    pub fn listen(&self) -> Vec<String> {
        let ports = self.ports();
        let addresses = self.every("listenaddress", None);
        if addresses.is_empty() {
            return ports.iter().flat_map(|port| [format!("0.0.0.0:{port}"), format!("[::]:{port}")]).collect();
        }
        addresses.iter().flat_map(|address| listen_on(address, &ports)).collect()
    }
}

fn listen_on(address: &str, ports: &[u16]) -> Vec<String> {
    if address.parse::<std::net::SocketAddr>().is_ok() {
        return vec![address.to_string()];
    }
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => ports.iter().map(|port| format!("[{v6}]:{port}")).collect(),
        _ => ports.iter().map(|port| format!("{bare}:{port}")).collect(),
    }
}

impl Line {
    fn counts(&self, subject: Option<&Subject>) -> bool {
        match (&self.conditions, subject) {
            (None, _) => true,
            (Some(conditions), Some(subject)) => conditions.iter().all(|(what, value)| matches(what, value, subject)),
            (Some(conditions), None) => conditions.iter().all(|(what, _)| what == "all"),
        }
    }
}

fn matches(what: &str, value: &str, subject: &Subject) -> bool {
    match what {
        "all" => true,
        "user" => listed(value, &subject.user),
        "group" => subject.groups.iter().any(|group| listed(value, group)),
        "host" => listed(value, &subject.host),
        "address" => subject.address.is_some_and(|address| address_listed(value, address)),
        "localport" => subject.local_port.is_some_and(|port| value.split(',').any(|one| one == port.to_string())),
        _ => false,
    }
}

/// PATTERNS of ssh_config(5): a comma-separated list of `*` and `?` patterns; a `!` match refuses.
pub fn listed(patterns: &str, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(not) if glob(not, name) => return false,
            None if glob(pattern, name) => found = true,
            _ => {}
        }
    }
    found
}

fn address_listed(patterns: &str, address: IpAddr) -> bool {
    patterns.split(',').any(|pattern| match pattern.parse::<ipnet::IpNet>() {
        Ok(range) => range.contains(&address),
        Err(_) => glob(pattern, &address.to_string()),
    })
}

/// `*` and `?` as in a shell pattern, over the whole name.
pub fn glob(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*') => {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| glob(rest.as_str(), &name[at..]))
        }
        Some(wanted) => {
            let mut name = name.chars();
            name.next().is_some_and(|found| wanted == '?' || wanted == found) && glob(rest.as_str(), name.as_str())
        }
    }
}

type Conditions = Option<Vec<(String, String)>>;

struct Reader {
    /// Does it know Include?
    includes: bool,
    config: SshdConfig,
    bad: Vec<String>,
}

impl Reader {
    async fn file(
        &mut self,
        disk: &Disk,
        path: &str,
        text: &str,
        depth: usize,
        conditions: &mut Conditions,
    ) -> Result<(), Refusal> {
        if depth > MAX_INCLUDE_DEPTH {
            return Err(Refusal(format!("Too many recursive configuration includes in {path}\n")));
        }
        for (number, raw) in text.lines().enumerate() {
            let place = format!("{path} line {}", number + 1);
            let words = words(raw).ok_or_else(|| Refusal(format!("{place}: unbalanced quotes\n")))?;
            let Some((name, arguments)) = words.split_first() else { continue };
            match name.to_ascii_lowercase().as_str() {
                "include" if self.includes => Box::pin(self.include(disk, arguments, depth, conditions)).await?,
                "match" => *conditions = Some(match_conditions(&place, arguments)?),
                _ => self.line(&place, name, arguments, conditions)?,
            }
        }
        Ok(())
    }

    /// An included file's Match ends with that file.
    async fn include(
        &mut self,
        disk: &Disk,
        patterns: &[String],
        depth: usize,
        conditions: &Conditions,
    ) -> Result<(), Refusal> {
        for pattern in patterns {
            let full = if pattern.starts_with('/') { pattern.clone() } else { format!("/etc/ssh/{pattern}") };
            for path in expand(disk, &full).await {
                let text = disk.text(&path).await.unwrap_or_default();
                let mut own = conditions.clone();
                Box::pin(self.file(disk, &path, &text, depth + 1, &mut own)).await?;
            }
        }
        Ok(())
    }

    fn line(&mut self, place: &str, name: &str, arguments: &[String], conditions: &Conditions) -> Result<(), Refusal> {
        let Some(known) = keyword(&name.to_ascii_lowercase()) else {
            self.bad.push(format!("{}: Bad configuration option: {name}\n", place.replace(" line ", ": line ")));
            return Ok(());
        };
        if arguments.is_empty() {
            return Err(Refusal(format!("{place}: no argument after keyword \"{name}\"\n")));
        }
        known.kind.check(arguments).map_err(|problem| Refusal(format!("{place}: {problem}\n")))?;
        if known.kind != Kind::Words && arguments.len() > 1 {
            return Err(Refusal(format!("{place}: keyword {name} extra arguments at end of line\n")));
        }
        if conditions.is_some() && !known.in_match {
            return Err(Refusal(format!("{place}: Directive '{name}' is not allowed within a Match block\n")));
        }
        let conditions = conditions.clone();
        self.config.lines.push(Line { keyword: known.name.to_string(), arguments: arguments.to_vec(), conditions });
        Ok(())
    }
}

fn match_conditions(place: &str, arguments: &[String]) -> Result<Vec<(String, String)>, Refusal> {
    let mut conditions = Vec::new();
    let mut rest = arguments.iter();
    while let Some(what) = rest.next() {
        let what = what.to_ascii_lowercase();
        match what.as_str() {
            "all" => conditions.push((what, String::new())),
            "user" | "group" | "host" | "address" | "localport" | "localaddress" => match rest.next() {
                Some(value) => conditions.push((what, value.clone())),
                None => return Err(Refusal(format!("{place}: missing argument for Match {what}\n"))),
            },
            _ => return Err(Refusal(format!("{place}: Unsupported Match attribute {what}\n"))),
        }
    }
    if conditions.is_empty() {
        return Err(Refusal(format!("{place}: no criteria for Match\n")));
    }
    Ok(conditions)
}

/// The paths that a glob in the last component stands for, sorted; a plain path stands for itself if it exists.
async fn expand(disk: &Disk, pattern: &str) -> Vec<String> {
    let (directory, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let directory = if directory.is_empty() { "/" } else { directory };
    let names = disk.names(Path::new(directory)).await;
    let hidden = last.starts_with('.');
    let found = names.iter().filter(|name| glob(last, name) && (hidden || !name.starts_with('.')));
    found.map(|name| format!("{}/{name}", directory.trim_end_matches('/'))).collect()
}

/// Splits a line as sshd does: `key value`, `key=value`, quotes, `#` comments. Nothing if a quote is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut current: Option<String> = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                current.get_or_insert_default();
            }
            '#' if !quoted && current.is_none() => break,
            '=' if !quoted && words.is_empty() && current.is_some() => words.extend(current.take()),
            ' ' | '\t' | '\r' | '\u{c}' if !quoted => words.extend(current.take()),
            other => current.get_or_insert_default().push(other),
        }
    }
    words.extend(current);
    (!quoted).then_some(words)
}

#[cfg(test)]
#[path = "../tests/sshd_config.rs"]
mod tests;
