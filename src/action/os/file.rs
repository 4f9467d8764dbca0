//! `os/file`: a file on a host with this content, mode and owner.
//!
//! The new file is made beside the old one, checked, and takes its place in one step. What was there before onramp came
//! is kept on the host for the undo, which refuses when somebody has changed the file since.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json, json};
use zeroize::Zeroizing;

use super::super::arguments::{Arguments, known};
use super::super::object::difference;
use super::super::shell::{Doing, Shell};
use super::super::world::Subject;
use super::super::{Action, Found, Probe, Recalled, Trouble, Verified, World};
use super::{Place, account, in_own_words};
use crate::engagement::{Change, Difference, Failure, Intent, Outcome, Purpose, RepeatClass};
use crate::journal::DurableIntent;
use crate::ssh::Fate;
use crate::text::{clean, count, unified};

const LOOK: &str = include_str!("file_look.sh");
const WRITE: &str = include_str!("file.sh");
/// Longest file that onramp writes or compares, in bytes.
const MOST: usize = 256 * 1024;
/// Longest difference that is shown, in lines.
const SHOWN: usize = 200;
/// Where the secret stands in `content`.
const MARK: &str = "@secret@";
/// The bit of a mode that lets everybody read.
const ALL_READ: u32 = 0o004;

/// `os/file`
pub(in super::super) struct TheFile {
    place: Place,
    wanted: Wanted,
    shell: Shell,
    look: String,
}

/// What is not given stays as it is; of a new file, mode 0644 and whoever writes it.
struct Wanted {
    path: String,
    /// With a secret in it: as it is written in the runbook, and so is all that is shown.
    content: String,
    /// Where the secret lives that stands in it.
    secret: Option<String>,
    mode: Option<u32>,
    owner: Option<String>,
    group: Option<String>,
    validate: Option<String>,
    after: Option<String>,
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum There {
    Nothing { folder: bool },
    NoFile { what: String },
    File(State),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// Written by onramp, but what comes after it has not ended well.
    unfinished: bool,
    mode: u32,
    /// Name and number.
    owner: [String; 2],
    group: [String; 2],
    size: usize,
    /// The first of them, up to a little more than are compared.
    bytes: Vec<u8>,
}

impl TheFile {
    pub(in super::super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let place = Place::new(&arguments, subject)?;
        let wanted = Wanted {
            path: path(&arguments)?,
            content: content(&arguments)?,
            secret: secret(&arguments)?,
            mode: mode(&arguments)?,
            owner: account(&arguments, "owner")?,
            group: account(&arguments, "group")?,
            validate: arguments.script("validate")?,
            after: arguments.script("after")?,
        };
        let mode = wanted.mode.map(|mode| format!("{mode:04o}")).unwrap_or_default();
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        let given = [
            ("path", wanted.path.as_str()),
            ("mode", &mode),
            ("owner", &text(&wanted.owner)),
            ("group", &text(&wanted.group)),
            ("content", &wanted.content),
            ("with_secret", if wanted.secret.is_some() { "yes" } else { "" }),
            ("validate", &text(&wanted.validate)),
            ("after", &text(&wanted.after)),
        ];
        let run = place.script(&given, WRITE, "write_it")?;
        let undo = place.script(&given, WRITE, "take_back")?;
        let most = (MOST + 1).to_string();
        let look = place.script(&[("path", &wanted.path), ("most", &most)], "", LOOK)?;
        let shell = Shell { stdin: wanted.secret.clone(), ..place.shell(run, Some(undo)) };
        Ok(TheFile { shell, place, wanted, look })
    }

    async fn look(&self, world: &World) -> Result<There, Trouble> {
        let said = self.place.look(world, &self.look).await?.well(&self.place.host)?;
        There::read(&said).ok_or_else(|| {
            let what = format!("{} says nothing that could be understood of {}", self.place.host, self.wanted.path);
            Trouble::Failure(Failure::new(what, "Look at the file by hand: does the host have GNU stat?"))
        })
    }

    fn so(&self) -> Found {
        let output = BTreeMap::from([("path".to_owned(), json!(self.wanted.path))]);
        Found { said: format!("{} is as wanted", self.wanted.path), output, ..Found::default() }
    }

    /// The outcome of a script that may have been cut off: it does no harm to run it again, so that is not for a person
    /// to settle.
    fn outcome(&self, doing: Doing, fate: Fate, said: &super::super::shell::Said) -> Outcome {
        let Fate::CutOff { .. } = fate else {
            return in_own_words(self.shell.outcome(doing, fate, said), &self.place.host);
        };
        Outcome::Failed {
            failure: Failure {
                what: format!("{}: {} was cut off in the middle", self.place.host, doing.what()),
                meaning: "The file is whole all the same: it is the old one or the new one.".to_owned(),
                advice: "Run the step again: it goes on from what is there.".to_owned(),
                changed: vec![format!("{} may have been written", self.wanted.path)],
                ..Failure::default()
            },
        }
    }

    async fn change(
        &self,
        world: &World,
        doing: Doing,
        text: &Option<String>,
        intent: &DurableIntent,
        secret: Option<SecretString>,
    ) -> Outcome {
        let text = text.as_deref().unwrap_or_default();
        match self.shell.started(world, text, intent, secret).await {
            Ok((fate, said)) => self.outcome(doing, fate, &said),
            Err(failure) => Outcome::Failed { failure },
        }
    }
}

#[async_trait]
impl Action for TheFile {
    fn changes(&self) -> Vec<Change> {
        let Wanted { path, content, secret, mode, owner, group, validate, after } = &self.wanted;
        let mut arguments = Map::from_iter([
            ("file".to_owned(), json!(path)),
            ("content".to_owned(), json!(content)),
            ("sudo".to_owned(), json!(self.place.sudo)),
        ]);
        let given = [
            ("mode", mode.map(|mode| format!("{mode:04o}"))),
            ("owner", owner.clone()),
            ("group", group.clone()),
            ("validate", validate.clone()),
            ("after", after.clone()),
            ("secret", secret.as_ref().map(|reference| format!("\u{2039}the secret {reference}\u{203a}"))),
        ];
        arguments.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
        vec![Change::new("ssh", &self.place.host, Json::Object(arguments))]
    }

    fn class(&self) -> RepeatClass {
        RepeatClass::Token
    }

    async fn at_hand(&self, world: &World) -> Result<(), crate::engagement::Question> {
        self.shell.at_hand(world).await
    }

    async fn probe(&self, world: &World) -> Probe {
        let path = &self.wanted.path;
        let found = match self.look(world).await {
            Ok(found) => found,
            Err(trouble) => return Probe::Unknown(trouble),
        };
        match found {
            There::Nothing { folder: true } => Probe::Absent { said: format!("{path} is not there") },
            There::Nothing { folder: false } => {
                Probe::Absent { said: format!("{path} is not there, nor is its folder") }
            }
            There::NoFile { what } => Probe::left(format!("{path} is {what}"), Vec::new()),
            There::File(state) => {
                let secret = match self.shell.secret_at_hand(world).await {
                    Ok(secret) => secret,
                    Err(trouble) => return Probe::Unknown(trouble),
                };
                let secret = secret.as_ref().map(|secret| secret.expose_secret().trim_end_matches('\n'));
                let differences = self.wanted.differences(&state, secret);
                match differences.is_empty() {
                    true if !state.unfinished => Probe::Same(self.so()),
                    true => {
                        let said = format!("{path} is written, but what comes after it has not ended well");
                        Probe::mended(said, differences, self.changes())
                    }
                    false => {
                        let said = format!("{path} has {}", said_of(&differences));
                        Probe::mended(said, differences, self.changes())
                    }
                }
            }
        }
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        match self.shell.secret_at_hand(world).await {
            Ok(secret) => self.change(world, Doing::Run, &self.shell.run, intent, secret).await,
            Err(Trouble::Failure(failure)) => Outcome::Failed { failure },
            // It was at hand a moment ago.
            Err(Trouble::Question(_)) => {
                let what = format!("the secret in {} is not at hand", self.wanted.path);
                Outcome::Failed { failure: Failure::new(what, "Run the step again: it asks for the secret first.") }
            }
        }
    }

    async fn let_go(&self, world: &World, token: &str) {
        self.shell.let_go(world, token).await;
    }

    async fn recall(&self, world: &World, intent: &Intent) -> Recalled {
        let (doing, text) = match intent.purpose {
            Purpose::Apply => (Doing::Run, &self.shell.run),
            Purpose::Undo => (Doing::Undo, &self.shell.undo),
        };
        match self.shell.found_again(world, text.as_deref().unwrap_or_default(), intent).await {
            Ok(None) => Recalled::Nothing,
            Ok(Some((fate, said))) => Recalled::Ended(self.outcome(doing, fate, &said)),
            Err(trouble) => Recalled::Trouble(trouble),
        }
    }

    async fn verify(&self, world: &World) -> Verified {
        match self.probe(world).await {
            Probe::Same(found) => Verified::So(found),
            Probe::Absent { said } | Probe::Different { said, .. } => Verified::NotYet { said },
            Probe::Unknown(trouble) => Verified::Unknown(trouble),
        }
    }

    async fn undo(&self, world: &World, intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        self.change(world, Doing::Undo, &self.shell.undo, intent, None).await
    }

    fn inverse(&self, _made: &BTreeMap<String, Json>) -> Vec<Change> {
        let said = json!({
            "file": self.wanted.path,
            "becomes": "what it was before onramp wrote it, unless somebody has changed it since",
            "after": self.wanted.after,
            "sudo": self.place.sudo,
        });
        vec![Change::new("ssh", &self.place.host, said)]
    }
}

impl Wanted {
    /// The content with the secret in its place.
    fn filled(&self, secret: Option<&str>) -> Zeroizing<String> {
        Zeroizing::new(secret.map_or_else(|| self.content.clone(), |secret| self.content.replace(MARK, secret)))
    }

    fn differences(&self, state: &State, secret: Option<&str>) -> Vec<Difference> {
        let mut found = Vec::new();
        if let Some(mode) = self.mode.filter(|mode| *mode != state.mode) {
            found.push(difference("mode", format!("{mode:04o}"), format!("{:04o}", state.mode)));
        }
        for (what, wanted, is) in [("owner", &self.owner, &state.owner), ("group", &self.group, &state.group)] {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| !is.contains(wanted)) {
                found.push(difference(what, wanted, is[0].as_str()));
            }
        }
        let content = self.filled(secret);
        if state.size != content.len() || state.bytes != content.as_bytes() {
            found.push(self.of_content(state, secret));
        }
        found
    }

    /// The lines that differ. Those of a file that not everybody may read are not shown, nor is any that may hold an earlier
    /// secret: nobody knows what is in them. Not even how long the secret is, is said.
    fn of_content(&self, state: &State, secret: Option<&str>) -> Difference {
        let (is, wanted) = match self.secret {
            Some(_) => ("another text".to_owned(), "as below, with the secret in it".to_owned()),
            None => (format!("{} bytes", state.size), format!("{} bytes", self.content.len())),
        };
        let old = std::str::from_utf8(&state.bytes).ok().filter(|text| !text.contains('\0'));
        let Some(old) = old.filter(|_| state.size <= MOST) else {
            return difference("content", wanted, format!("{is}, which are no text that could be shown"));
        };
        let old = secret.map_or_else(|| old.to_owned(), |secret| old.replace(secret, MARK));
        let all = unified(&old, &self.content, SHOWN);
        let why = match (&self.secret, state.mode & ALL_READ) {
            (Some(_), _) => "it may hold a secret",
            (None, 0) => "not everybody may read it",
            (None, _) => "",
        };
        let hidden = format!("-(not shown: {why})");
        let diff = match why {
            "" => all,
            _ => all
                .lines()
                .map(|line| if line.starts_with('-') { &hidden } else { line })
                .collect::<Vec<_>>()
                .join("\n"),
        };
        Difference { diff: clean(diff.as_bytes()), ..difference("content", wanted, is) }
    }
}

fn said_of(differences: &[Difference]) -> String {
    let what: Vec<&str> = differences.iter().map(|one| one.what.as_str()).collect();
    format!("another {}", crate::text::list(&what))
}

impl There {
    /// What `file_look.sh` says.
    fn read(said: &[u8]) -> Option<There> {
        let end = said.iter().position(|byte| *byte == b'\n')?;
        let (line, bytes) = (std::str::from_utf8(&said[..end]).ok()?, &said[end + 1..]);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "absent" => There::Nothing { folder: true },
            "adrift" => There::Nothing { folder: false },
            "link" => There::NoFile { what: format!("a link to {}: name that file", clean(rest.as_bytes())) },
            "other" => There::NoFile { what: "no file".to_owned() },
            "file" => {
                let [unfinished, mode, user, uid, group, gid, size] =
                    rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
                There::File(State {
                    unfinished: unfinished == "yes",
                    mode: u32::from_str_radix(mode, 8).ok()?,
                    owner: [user.to_owned(), uid.to_owned()],
                    group: [group.to_owned(), gid.to_owned()],
                    size: size.parse().ok()?,
                    bytes: bytes.to_vec(),
                })
            }
            _ => return None,
        })
    }
}

fn wrong(arguments: &Arguments<'_>, name: &str, why: &str) -> Failure {
    let what = format!("the argument `{name}` of {} {why}", arguments.kind);
    Failure::new(what, "Correct the step in the runbook, or the input that the argument is made of.")
}

fn path(arguments: &Arguments<'_>) -> Result<String, Failure> {
    let path = arguments.text("path")?;
    let parts = || path.split('/').skip(1);
    let good = path.starts_with('/')
        && !path.contains(char::is_control)
        && parts().all(|part| !part.is_empty() && part != "." && part != "..");
    if good || !known(&path) {
        Ok(path)
    } else {
        Err(wrong(arguments, "path", "is no whole path of a file, such as /etc/motd"))
    }
}

/// A text of lines: one that is not empty ends in a line break, written or not.
fn content(arguments: &Arguments<'_>) -> Result<String, Failure> {
    let mut content = arguments.verbatim("content")?;
    if content.contains('\0') {
        return Err(wrong(arguments, "content", "holds a NUL byte, and onramp writes texts only"));
    }
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    if content.len() > MOST {
        let why = format!("has {}, and may have {MOST}", count(content.len(), "byte"));
        return Err(wrong(arguments, "content", &why));
    }
    Ok(content)
}

/// Where the secret lives that stands in the content, or a placeholder of it; and only together with the place for it.
fn secret(arguments: &Arguments<'_>) -> Result<Option<String>, Failure> {
    let Some(text) = arguments.optional("secret")? else {
        let marked = arguments.optional("content")?.is_some_and(|content| content.contains(MARK));
        let why = format!("says {MARK}, and no `secret` is given to stand there");
        return if marked { Err(wrong(arguments, "content", &why)) } else { Ok(None) };
    };
    if known(&text) {
        arguments.secret("secret")?;
    }
    match arguments.verbatim("content")?.contains(MARK) {
        true => Ok(Some(text)),
        false => Err(wrong(arguments, "secret", &format!("has no place in `content`, which says {MARK} nowhere"))),
    }
}

/// Octal, as chmod(1) takes it.
fn mode(arguments: &Arguments<'_>) -> Result<Option<u32>, Failure> {
    let Some(text) = arguments.optional("mode")? else { return Ok(None) };
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    match u32::from_str_radix(&text, 8) {
        // YAML reads 0o644 as 420, and 420 is a mode as well, one that nobody wants.
        Ok(mode) if digits && (mode >> 3 | mode) & 0o7 & !(mode >> 6) != 0 => {
            let what =
                format!("is \"{text}\": others may do what the owner may not; write it in quotes, as in \"0644\"");
            Err(wrong(arguments, "mode", &what))
        }
        Ok(mode) if digits => Ok(Some(mode)),
        _ => Err(wrong(arguments, "mode", &format!("is \"{text}\", not an octal mode such as \"0644\""))),
    }
}

#[cfg(test)]
#[path = "../tests/files.rs"]
mod tests;
