//! Questions that come up while logging in: they go to whoever reads the feed, and an answer goes back.

use std::collections::BTreeMap;

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};

use super::Dispatcher;
use crate::action::{LoginCall, Worlds};
use crate::engagement::LoginQuestion;
use crate::engine::handle::Notice;

/// The way back; nothing where nobody answers.
type Answers = oneshot::Sender<Option<Vec<SecretString>>>;

/// What is asked, and who waits for the answer.
pub(super) struct Logins {
    calls: Option<mpsc::UnboundedReceiver<LoginCall>>,
    open: BTreeMap<u64, (LoginQuestion, Answers)>,
}

impl Logins {
    pub fn of(worlds: &Worlds) -> Self {
        Logins { calls: worlds.attend_logins(), open: BTreeMap::new() }
    }

    /// The next question; for ever when there can be none.
    pub async fn next(&mut self) -> LoginCall {
        match &mut self.calls {
            Some(calls) => match calls.recv().await {
                Some(call) => call,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Nothing is typed: nobody answers.
    pub fn answer(&mut self, number: u64, answers: Option<Vec<SecretString>>) {
        if let Some((_, open)) = self.open.remove(&number) {
            // Whoever asked may have gone away meanwhile.
            let _ = open.send(answers);
        }
    }

    /// What is still to be answered, for a reader who was not there when it was asked.
    pub fn open(&self) -> impl Iterator<Item = Notice> {
        self.open.values().map(|(question, _)| Notice::LoginAsks(question.clone()))
    }
}

impl Dispatcher {
    pub(super) fn take_login(&mut self, call: LoginCall) {
        match call {
            LoginCall::Asks(question, answer) => {
                self.logins.open.insert(question.number, (question.clone(), answer));
                self.book.tell(&Notice::LoginAsks(question));
            }
            LoginCall::Withdrawn(number) => {
                self.logins.open.remove(&number);
                self.book.tell(&Notice::LoginWithdrawn(number));
            }
        }
    }
}
