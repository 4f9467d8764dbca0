//! `install`, `stat`, `chown`, `chgrp`: what bashkit does without owners.

use std::path::{Path, PathBuf};

use bashkit::{FileSystem, Metadata};
use futures_util::future::BoxFuture;

use super::super::account::{Account, groups};
use super::super::disk::Owner;
use super::super::program::{Answer, Call, reason};

/// `install [-D] [-m MODE] [-o OWNER] [-g GROUP] SOURCE… DEST`, `install -d DIRECTORY…`
pub fn install(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        match Install::parse(&call.arguments) {
            Ok(asked) => {
                asked.run(&call).await.unwrap_or_else(|problem| Answer::fail(1, format!("install: {problem}\n")))
            }
            Err(problem) => Answer::fail(1, format!("install: {problem}\n")),
        }
    })
}

struct Install {
    mode: u32,
    owner: Option<String>,
    group: Option<String>,
    directories: bool,
    leading: bool,
    target: Option<String>,
    plain_target: bool,
    operands: Vec<String>,
}

impl Install {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut asked = Self {
            mode: 0o755,
            owner: None,
            group: None,
            directories: false,
            leading: false,
            target: None,
            plain_target: false,
            operands: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let (flag, joined) = split_option(word);
            let mut value = || {
                joined
                    .clone()
                    .or_else(|| rest.next().cloned())
                    .ok_or_else(|| format!("option requires an argument -- '{flag}'"))
            };
            match flag.as_str() {
                "-m" | "--mode" => asked.mode = mode(&value()?)?,
                "-o" | "--owner" => asked.owner = Some(value()?),
                "-g" | "--group" => asked.group = Some(value()?),
                "-t" | "--target-directory" => asked.target = Some(value()?),
                "-d" | "--directory" => asked.directories = true,
                "-D" => asked.leading = true,
                "-T" | "--no-target-directory" => asked.plain_target = true,
                "-p" | "-c" | "-C" | "-v" | "-b" | "--compare" | "--verbose" => {}
                "--" => asked.operands.extend(rest.by_ref().cloned()),
                flag if flag.starts_with('-') && flag.len() > 1 => {
                    return Err(format!("invalid option -- '{}'", &flag[1..]));
                }
                _ => asked.operands.push(word.clone()),
            }
        }
        Ok(asked)
    }

    async fn run(mut self, call: &Call) -> Result<Answer, String> {
        let files = call.files();
        if self.directories {
            for operand in &self.operands {
                let path = call.path(operand);
                files
                    .mkdir(&path, true)
                    .await
                    .map_err(|error| format!("cannot create directory '{operand}': {}", reason(&error)))?;
                self.finish(call, &path, operand).await?;
            }
            return Ok(Answer::ok(""));
        }
        let target = match self.target.take() {
            Some(target) => target,
            None if self.operands.len() >= 2 => self.operands.pop().unwrap_or_default(),
            None => return Err("missing file operand".to_string()),
        };
        let is_directory =
            !self.plain_target && files.stat(&call.path(&target)).await.is_ok_and(|meta| meta.file_type.is_dir());
        if self.operands.len() > 1 && !is_directory {
            return Err(format!("target '{target}' is not a directory"));
        }
        for source in &self.operands {
            let name = Path::new(source).file_name().unwrap_or_default();
            let path = if is_directory { call.path(&target).join(name) } else { call.path(&target) };
            let content = call.read(source).await.map_err(|why| format!("cannot stat '{source}': {why}"))?;
            if self.leading
                && let Some(parent) = path.parent()
            {
                files
                    .mkdir(parent, true)
                    .await
                    .map_err(|error| format!("cannot create directory '{}': {}", parent.display(), reason(&error)))?;
            }
            // install(1) makes a new file, it does not write into the old one.
            let _ = files.remove(&path, false).await;
            let cannot = |error| format!("cannot create regular file '{target}': {}", reason(&error));
            files.write_file(&path, &content).await.map_err(cannot)?;
            self.finish(call, &path, &target).await?;
        }
        Ok(Answer::ok(""))
    }

    async fn finish(&self, call: &Call, path: &Path, shown: &str) -> Result<(), String> {
        let files = call.files();
        files
            .chmod(path, self.mode)
            .await
            .map_err(|error| format!("cannot change permissions of '{shown}': {}", reason(&error)))?;
        if self.owner.is_none() && self.group.is_none() {
            return Ok(());
        }
        let spec =
            format!("{}:{}", self.owner.as_deref().unwrap_or_default(), self.group.as_deref().unwrap_or_default());
        change(call, path, &spec).await.map_err(|why| format!("cannot change ownership of '{shown}': {why}"))
    }
}

/// `-m0600` is `-m 0600`, `--mode=0600` is `--mode 0600`; `-Dm 644` is `-D -m 644` for the last letter only.
fn split_option(word: &str) -> (String, Option<String>) {
    if let Some((flag, value)) = word.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
        return (flag.to_string(), Some(value.to_string()));
    }
    let takes_value = ["-m", "-o", "-g", "-t"].iter().any(|flag| word.starts_with(flag));
    if takes_value && word.len() > 2 {
        return (word[..2].to_string(), Some(word[2..].to_string()));
    }
    (word.to_string(), None)
}

fn mode(text: &str) -> Result<u32, String> {
    if let Some(mode) = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777) {
        return Ok(mode);
    }
    symbolic(text).ok_or_else(|| format!("invalid mode '{text}'"))
}

/// `u=rw,go=r`, from nothing.
fn symbolic(text: &str) -> Option<u32> {
    let mut mode = 0;
    for clause in text.split(',') {
        let (who, bits) = clause.split_once(['=', '+'])?;
        let bits = bits.chars().try_fold(0, |bits, letter| {
            Some(
                bits | match letter {
                    'r' => 4,
                    'w' => 2,
                    'x' => 1,
                    _ => return None,
                },
            )
        })?;
        for class in if who.is_empty() { "a" } else { who }.chars() {
            mode |= match class {
                'u' => bits << 6,
                'g' => bits << 3,
                'o' => bits,
                'a' => bits << 6 | bits << 3 | bits,
                _ => return None,
            };
        }
    }
    Some(mode)
}

pub fn chown(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move { change_all(&call, "chown", |spec| spec.to_string()).await })
}

pub fn chgrp(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move { change_all(&call, "chgrp", |spec| format!(":{spec}")).await })
}

async fn change_all(call: &Call, name: &str, spec: fn(&str) -> String) -> Answer {
    let words = call.words();
    let recursive = words.iter().any(|word| ["-R", "--recursive"].contains(word));
    let operands: Vec<&str> = words.into_iter().filter(|word| !word.starts_with('-')).collect();
    let Some((owner, paths)) = operands.split_first().filter(|(_, paths)| !paths.is_empty()) else {
        return Answer::fail(1, format!("{name}: missing operand\nTry '{name} --help' for more information.\n"));
    };
    let mut answer = Answer::default();
    for shown in paths {
        let path = call.path(shown);
        if !call.exists(&path).await {
            answer.err += &format!("{name}: cannot access '{shown}': No such file or directory\n");
            answer.code = 1;
            continue;
        }
        let below = if recursive { tree(call, &path).await } else { vec![path] };
        for path in below {
            if let Err(why) = change(call, &path, &spec(owner)).await {
                answer.err += &format!("{name}: changing ownership of '{shown}': {why}\n");
                answer.code = 1;
            }
        }
    }
    answer
}

async fn tree(call: &Call, top: &Path) -> Vec<PathBuf> {
    let mut found = vec![top.to_path_buf()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        let names = call.session.machine.disk.names(&path).await;
        found.extend(names.iter().map(|name| path.join(name)));
        at += 1;
    }
    found
}

/// `user`, `user:group`, `:group`, by name or number. Only root may (POSIX chown() with _POSIX_CHOWN_RESTRICTED).
async fn change(call: &Call, path: &Path, spec: &str) -> Result<(), String> {
    if !call.is_root() {
        return Err("Operation not permitted".to_string());
    }
    let disk = &call.session.machine.disk;
    let (user, group) = spec.split_once([':', '.']).map_or((spec, None), |(user, group)| (user, Some(group)));
    let mut owner = disk.owner(path);
    if !user.is_empty() {
        let account = Account::find(disk, user).await.ok_or_else(|| format!("invalid user: '{user}'"))?;
        owner.user = account.name;
        if group == Some("") {
            owner.group = account.group;
        }
    }
    if let Some(group) = group.filter(|group| !group.is_empty()) {
        let known = groups(disk).await;
        let found = known.iter().find(|known| known.name == group || known.gid.to_string() == group);
        owner.group = found.map(|found| found.name.clone()).ok_or_else(|| format!("invalid group: '{group}'"))?;
    }
    disk.set_owner(path, owner);
    Ok(())
}

/// `stat [-c FORMAT] FILE…`
pub fn stat(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let mut format = None;
        let mut paths = Vec::new();
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-c" | "--format" => format = rest.next().map(|format| format!("{format}\n")),
                "-L" | "-t" => {}
                word if word.starts_with("--format=") => {
                    format = word.strip_prefix("--format=").map(|format| format!("{format}\n"))
                }
                word if word.starts_with("--printf=") => {
                    format = word.strip_prefix("--printf=").map(|f| f.replace("\\n", "\n").replace("\\t", "\t"))
                }
                path => paths.push(path.to_string()),
            }
        }
        if paths.is_empty() {
            return Answer::fail(1, "stat: missing operand\nTry 'stat --help' for more information.\n");
        }
        let format = format.unwrap_or_else(|| {
            "  File: %n\n  Size: %s\t%F\nAccess: (%a/%A)  Uid: (%u/%U)   Gid: (%g/%G)\n".to_string()
        });
        let mut answer = Answer::default();
        for shown in paths {
            let path = call.path(&shown);
            match call.files().stat(&path).await {
                Ok(meta) => answer.out += &fill(&call, &format, &shown, &path, &meta).await,
                Err(error) => {
                    answer.err += &format!("stat: cannot statx '{shown}': {}\n", reason(&error));
                    answer.code = 1;
                }
            }
        }
        answer
    })
}

async fn fill(call: &Call, format: &str, shown: &str, path: &Path, meta: &Metadata) -> String {
    let disk = &call.session.machine.disk;
    let Owner { user, group } = disk.owner(path);
    let uid = Account::find(disk, &user).await.map_or(0, |account| account.uid);
    let gid = groups(disk).await.iter().find(|known| known.name == group).map_or(0, |known| known.gid);
    let kind = if meta.file_type.is_dir() {
        "directory"
    } else if meta.file_type.is_symlink() {
        "symbolic link"
    } else if meta.size == 0 {
        "regular empty file"
    } else {
        "regular file"
    };
    let seconds = meta.modified.duration_since(bashkit::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('a') => text += &format!("{:o}", meta.mode & 0o7777),
            Some('A') => text += &rwx(meta),
            Some('U') => text += &user,
            Some('G') => text += &group,
            Some('u') => text += &uid.to_string(),
            Some('g') => text += &gid.to_string(),
            Some('s') => text += &meta.size.to_string(),
            Some('n') => text += shown,
            Some('F') => text += kind,
            Some('Y') => text += &seconds.to_string(),
            Some('%') => text.push('%'),
            other => text.extend(['?'].into_iter().chain(other)),
        }
    }
    text
}

fn rwx(meta: &Metadata) -> String {
    let kind = if meta.file_type.is_dir() {
        'd'
    } else if meta.file_type.is_symlink() {
        'l'
    } else {
        '-'
    };
    let bits = (0..9).rev().map(|bit| if meta.mode >> bit & 1 == 1 { ['x', 'w', 'r'][bit % 3] } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_or_symbolic() {
        assert_eq!(mode("0600"), Ok(0o600));
        assert_eq!(mode("u=rw,go=r"), Ok(0o644));
        assert_eq!(mode("a+rx"), Ok(0o555));
        assert!(mode("999").is_err() && mode("u~w").is_err());
    }
}
