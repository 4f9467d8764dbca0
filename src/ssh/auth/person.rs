//! Asking a person while logging in: passphrases, passwords, and whatever a server asks for.

use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::ssh::error::{Problem, printable};
use crate::ssh::pool::at;
use crate::ssh::{Hop, Settings};

/// Lines of a server's text that are shown.
const MOST_LINES: usize = 12;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The name of the hop.
    pub hop: String,
    /// Its `address:port`.
    pub at: String,
    /// The account that logs in.
    pub user: String,
    /// What it is for.
    pub about: About,
    /// What the server said, made printable; lines of text, or nothing.
    pub said: Vec<String>,
    /// What to answer: an answer for each line.
    pub lines: Vec<Line>,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// It opens this key file.
    Passphrase(PathBuf),
    /// It is the account's password.
    Password,
    /// The server asks (a code, a token, a second password): its own words say what for.
    Interactive,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its words, made printable.
    pub label: String,
    /// May the answer be seen while it is typed?
    pub shown: bool,
}

/// Somebody who answers.
#[async_trait]
pub trait Person: Send + Sync {
    /// An answer for each line, or nothing when nobody answers. The caller sets the time limit; a prompt whose future
    /// is dropped needs no answer any more.
    async fn ask(&self, prompt: Prompt) -> Option<Vec<SecretString>>;
}

/// Asks, and waits for as long as a person may take.
pub(super) async fn answers(
    settings: &Settings,
    hop: &Hop,
    about: About,
    said: &str,
    lines: Vec<Line>,
) -> Result<Vec<SecretString>, Problem> {
    let wanted = lines.len();
    let what = match (&about, lines.first()) {
        (About::Interactive, Some(line)) => format!("{} asks \"{}\"", hop.name, line.label),
        (About::Password, _) => format!("{} asks for a password", hop.name),
        _ => "a passphrase is asked for".to_owned(),
    };
    let prompt = Prompt {
        hop: hop.name.clone(),
        at: at(&hop.address, hop.port),
        user: hop.user.clone(),
        about,
        said: said.lines().map(printable).filter(|line| !line.is_empty()).take(MOST_LINES).collect(),
        lines,
    };
    let unanswered = || Problem::Unanswered(format!("{what}, and nobody answered"));
    let person = settings.person.as_ref().ok_or_else(unanswered)?;
    let answered = tokio::time::timeout(settings.limits.person, person.ask(prompt)).await;
    answered.ok().flatten().filter(|answers| answers.len() == wanted).ok_or_else(unanswered)
}
