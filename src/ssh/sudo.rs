//! Passwords that sudo asks for: in memory only, and on a host's standard input only.
//!
//! A password is tried alone first, with nothing behind it, so that a wrong one is one failed try and no part of a script
//! is ever taken for a password.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use super::error::{Problem, SshError, Stage, printable};
use super::exec::{self, Prepared};
use super::pool::{failed, no_hops};
use super::{Chunk, Hop, Pool, Stream};

/// sudo waits a moment after a wrong password.
const PATIENCE: Duration = Duration::from_secs(30);

/// What people said sudo may be told, by the name of the hop and the user there. Wiped when it goes.
#[derive(Clone, Default)]
pub struct SudoPasswords(Arc<Mutex<Entries>>);

type Entries = BTreeMap<(String, String), Arc<Entry>>;

struct Entry {
    text: SecretString,
    /// What came of trying it.
    tried: OnceCell<Result<(), SshError>>,
}

impl SudoPasswords {
    /// From now on sudo is told this on that hop. What was given before is forgotten.
    pub fn give(&self, hop: &str, user: &str, text: &SecretString) {
        let mut all = self.lock();
        let key = (hop.to_owned(), user.to_owned());
        let same = |entry: &Arc<Entry>| entry.text.expose_secret() == text.expose_secret();
        if !all.get(&key).is_some_and(same) {
            all.insert(key, Arc::new(Entry { text: text.clone(), tried: OnceCell::new() }));
        }
    }

    fn get(&self, hop: &Hop) -> Option<Arc<Entry>> {
        self.lock().get(&(hop.name.clone(), hop.user.clone())).cloned()
    }

    fn forget(&self, hop: &Hop) {
        self.lock().remove(&(hop.name.clone(), hop.user.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// The passwords for sudo: to be added to as people give them.
    pub fn sudo_passwords(&self) -> &SudoPasswords {
        &self.settings.sudo
    }

    /// What sudo is to be told on the last of `hops`, tried once; nothing where nobody gave anything.
    pub(super) async fn sudo_password(&self, hops: &[Hop], sudo: bool) -> Result<Option<SecretString>, SshError> {
        let [.., target] = hops else { return Err(no_hops()) };
        let entry = self.settings.sudo.get(target).filter(|_| sudo && target.user != "root");
        let Some(entry) = entry else { return Ok(None) };
        let tried = entry.tried.get_or_init(|| Box::pin(self.try_password(hops, &entry.text))).await;
        if let Err(error) = tried {
            // It is given again: a wrong one by a person, a right one by whoever wants the next script run.
            self.settings.sudo.forget(target);
            return Err(error.clone());
        }
        Ok(Some(entry.text.clone()))
    }

    async fn try_password(&self, hops: &[Hop], text: &SecretString) -> Result<(), SshError> {
        let [.., target] = hops else { return Err(no_hops()) };
        let (sink, mut pieces) = mpsc::channel::<Chunk>(16);
        let session = self.session(hops).await?;
        let (prepared, never) = (Prepared::trial(text, PATIENCE), CancellationToken::new());
        let limits = self.settings.limits;
        let running = async move { exec::run_alone(session, &prepared, &sink, &never, &limits).await };
        let taking = async {
            let mut said = Vec::new();
            while let Some(piece) = pieces.recv().await {
                said.extend(piece.bytes.into_iter().filter(|_| piece.stream == Stream::Err));
            }
            String::from_utf8_lossy(&said).into_owned()
        };
        let (exit, said) = tokio::join!(running, taking);
        match exit {
            Ok(exit) if exit.is_success() => Ok(()),
            Ok(_) => Err(failed(target, Stage::Command, refusal(&said))),
            Err((stage, problem)) => Err(failed(target, stage, problem)),
        }
    }
}

/// Why sudo would not run anything with the password it was given.
fn refusal(said: &str) -> Problem {
    let signs = ["incorrect password", "incorrect authentication", "no password was provided", "Sorry, try again"];
    match signs.iter().any(|sign| said.contains(sign)) {
        true => Problem::WrongPasswordForSudo,
        false => {
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            Problem::SudoRefused(printable(last.unwrap_or("it says nothing")))
        }
    }
}
