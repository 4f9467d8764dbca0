//! Where questions wait that come up while logging in to a host, until a person answers: one after the other.
//!
//! What is asked and answered here stands in no event. What is not shown while it is typed is known to the masks.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot};

use crate::aws::Codes;
use crate::engagement::{LoginLine, LoginQuestion};
use crate::ssh::{About, Person, Prompt};
use crate::text::Masks;

/// Digits that an app or a token shows are worth nothing a minute later, and may stand anywhere by chance.
const LONGEST_CODE: usize = 8;

/// What comes over the desk.
#[derive(Debug)]
pub enum LoginCall {
    Asks(LoginQuestion, oneshot::Sender<Option<Vec<SecretString>>>),
    /// Nobody waits for the answer to the question of that number any more.
    Withdrawn(u64),
}

/// The desk of one engagement.
pub struct Desk {
    number: AtomicU64,
    /// Whoever has it may ask.
    turn: tokio::sync::Mutex<()>,
    calls: mpsc::UnboundedSender<LoginCall>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<LoginCall>>>,
    masks: Masks,
}

impl Desk {
    pub fn new(masks: Masks) -> Arc<Desk> {
        let (calls, waiting) = mpsc::unbounded_channel();
        let (number, turn) = (AtomicU64::new(1), tokio::sync::Mutex::default());
        Arc::new(Desk { number, turn, calls, waiting: Mutex::new(Some(waiting)), masks })
    }

    /// The questions, for the one who sees to it that they are answered. Until somebody does, none is asked.
    pub fn attend(&self) -> Option<mpsc::UnboundedReceiver<LoginCall>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_attended(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// Takes the question back when whoever asked has gone away.
struct Open<'a> {
    number: u64,
    calls: &'a mpsc::UnboundedSender<LoginCall>,
    answered: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.calls.send(LoginCall::Withdrawn(self.number));
        }
    }
}

impl Desk {
    async fn put(&self, asks: String, said: Vec<String>, lines: Vec<LoginLine>) -> Option<Vec<SecretString>> {
        if !self.is_attended() {
            return None;
        }
        let _turn = self.turn.lock().await;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let question = LoginQuestion { number, asks, said, lines: lines.clone() };
        let (answer, answered) = oneshot::channel();
        self.calls.send(LoginCall::Asks(question, answer)).ok()?;
        let mut open = Open { number, calls: &self.calls, answered: false };
        let answers = answered.await;
        open.answered = true;
        let answers = answers.ok().flatten()?;
        for (answer, _) in answers.iter().zip(&lines).filter(|(_, line)| !line.shown) {
            let text = answer.expose_secret();
            if text.len() > LONGEST_CODE || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                self.masks.learn(text);
            }
        }
        Some(answers)
    }
}

#[async_trait]
impl Person for Desk {
    async fn ask(&self, prompt: Prompt) -> Option<Vec<SecretString>> {
        let line = |line: &crate::ssh::Line| LoginLine { label: line.label.clone(), shown: line.shown };
        let lines = prompt.lines.iter().map(line).collect();
        self.put(asks(&prompt), prompt.said, lines).await
    }
}

#[async_trait]
impl Codes for Desk {
    async fn code(&self, device: &str, remark: Option<&str>) -> Option<SecretString> {
        let said = remark.map(str::to_owned).into_iter().collect();
        let asks = format!("AWS gives the role with a code of the device {device}");
        let code = LoginLine { label: "Code".to_owned(), shown: true };
        self.put(asks, said, vec![code]).await?.pop()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

/// Who asks, of whom.
fn asks(prompt: &Prompt) -> String {
    let Prompt { hop, at, user, about, .. } = prompt;
    match about {
        About::Passphrase(path) => format!("{hop} ({at}) lets {user} in with {}, which is sealed", path.display()),
        About::Password => format!("{hop} ({at}) takes nothing but a password of {user}"),
        About::Interactive => format!("{hop} ({at}) asks {user}"),
    }
}

#[cfg(test)]
#[path = "tests/desk.rs"]
mod tests;
