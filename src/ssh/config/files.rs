//! Reads ssh_config(5) files where there is no `ssh` to ask: Host, Include, quotes, and the rule that the first value
//! counts. A Match other than `Match all` is not understood, and said.

use std::io;
use std::path::{Path, PathBuf};

use super::Entry;
use crate::ssh::known_hosts::glob_matches;

/// Keywords that may be set several times, each time adding to the list.
const LISTS: &[&str] =
    &["identityfile", "certificatefile", "localforward", "remoteforward", "dynamicforward", "sendenv"];

const DEEPEST_INCLUDE: usize = 16;
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// What these files, in their order, set for `alias`.
///
/// # Errors
/// A file that is there and cannot be read, or a line that makes no sense.
pub(super) fn read(files: &[PathBuf], home: &Path, alias: &str) -> Result<Vec<Entry>, String> {
    let mut reading = Reading { home, alias, found: Vec::new(), matches: true };
    for file in files {
        reading.matches = true;
        reading.file(file, 0)?;
    }
    Ok(reading.found)
}

struct Reading<'a> {
    home: &'a Path,
    alias: &'a str,
    found: Vec<Entry>,
    /// Do the lines count that come now?
    matches: bool,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<(), String> {
        let said = |error: io::Error| format!("{}: {error}", path.display());
        let size = match std::fs::metadata(path) {
            Ok(facts) => facts.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(said(error)),
        };
        if size > LARGEST_FILE {
            return Err(format!("{}: this is no ssh config, it is too large", path.display()));
        }
        let text = std::fs::read(path).map_err(said)?;
        for (number, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            self.line(line, path, depth).map_err(|why| format!("{}:{}: {why}", path.display(), number + 1))?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str, file: &Path, depth: usize) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(line.len());
        let (keyword, rest) = line.split_at(end);
        let keyword = keyword.to_ascii_lowercase();
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
        // A command goes to a shell as it stands.
        let arguments = match keyword.as_str() {
            "proxycommand" | "localcommand" | "remotecommand" => vec![rest.to_owned()],
            _ => words(rest)?,
        };
        let Some(first) = arguments.first() else { return Err(format!("{keyword} without a value")) };
        match keyword.as_str() {
            "host" => self.matches = is_meant(&arguments, self.alias),
            "match" if *first == "all" => self.matches = true,
            "match" => {
                self.matches = false;
                self.found.push((format!("match {}", arguments.join(" ")), arguments));
            }
            "include" if self.matches => self.include(&arguments, file, depth)?,
            "include" => {}
            _ if self.matches => self.take(keyword, arguments),
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, keyword: String, arguments: Vec<String>) {
        // ProxyJump and ProxyCommand are one setting: the first of the two counts.
        let same = |known: &str| {
            known == keyword || (known.starts_with("proxy") && matches!(keyword.as_str(), "proxyjump" | "proxycommand"))
        };
        if LISTS.contains(&keyword.as_str()) || !self.found.iter().any(|(known, _)| same(known)) {
            self.found.push((keyword, arguments));
        }
    }

    /// Included files begin under the condition that holds here, and it holds again after them.
    fn include(&mut self, patterns: &[String], file: &Path, depth: usize) -> Result<(), String> {
        if depth == DEEPEST_INCLUDE {
            return Err("Include goes too deep, or in a circle".to_owned());
        }
        let system = Path::new("/etc/ssh");
        let beside = if file.starts_with(system) { system.to_owned() } else { self.home.join(".ssh") };
        for pattern in patterns {
            let path = match pattern.strip_prefix("~/") {
                Some(below) => self.home.join(below),
                None => beside.join(pattern),
            };
            for found in globbed(&path) {
                self.matches = true;
                self.file(&found, depth + 1)?;
            }
        }
        self.matches = true;
        Ok(())
    }
}

/// One of the patterns fits, and none that begins with `!`. Case counts, as in ssh.
fn is_meant(patterns: &[String], alias: &str) -> bool {
    let fits = |pattern: &str| glob_matches(pattern, alias);
    let (mut some, mut never) = (false, false);
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) => never |= fits(pattern),
            None => some |= fits(pattern),
        }
    }
    some && !never
}

/// The files that a path with `*` and `?` in its last part stands for, in order.
fn globbed(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !name.contains(['*', '?']) {
        return vec![path.to_owned()];
    }
    let folder = path.parent().map(std::fs::read_dir);
    let entries = folder.and_then(Result::ok).into_iter().flatten().filter_map(Result::ok);
    let fits = |entry: &std::fs::DirEntry| {
        let own = entry.file_name().to_string_lossy().into_owned();
        glob_matches(&name, &own) && (!own.starts_with('.') || name.starts_with('.'))
    };
    let mut found: Vec<PathBuf> = entries.filter(fits).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Words with blanks between them; in double quotes a blank is part of the word. A comment may stand at the end.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, after) = quoted.split_once('"').ok_or("a quote is not closed")?;
            words.push(word.to_owned());
            rest = after.trim_start();
        } else {
            let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            words.push(word.to_owned());
            rest = after.trim_start();
        }
    }
    Ok(words)
}
