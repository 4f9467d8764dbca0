//! Secrets before a run: those that the steps ahead need are looked for first, and what is missing is asked for
//! together. What a person says stays in the vault's memory; no event holds it.

use std::collections::BTreeSet;

use secrecy::SecretString;
use tokio::task::JoinSet;

use super::{Dispatcher, Going};
use crate::action::NotKept;
use crate::engagement::{Address, Command, MissingSecret, RunScope, asking_for_secrets, secrets_ahead, secrets_behind};
use crate::engine::handle::{AheadOf, Notice};
use crate::engine::schedule::Run;
use crate::engine::start::subject;
use crate::input::{InputId, SecretRef, SecretStore, Value};

/// What is under way, and what was said.
#[derive(Default)]
pub(super) struct Secrets {
    errands: JoinSet<Errand>,
    /// A person would rather be asked for these when their step comes.
    declined: BTreeSet<SecretRef>,
    /// Typed, and not kept yet: the store wants its passphrase first.
    waiting: Vec<Typed>,
}

pub(super) struct Typed {
    input: InputId,
    store: SecretStore,
    text: SecretString,
}

/// What came of a way to the stores.
pub(super) enum Errand {
    Looked(AheadOf, Vec<MissingSecret>),
    Kept(Typed, Result<SecretRef, NotKept>),
}

impl Secrets {
    /// Waits for the next errand; for ever when none is under way.
    pub async fn errand_done(&mut self) -> Option<Errand> {
        loop {
            match self.errands.join_next().await {
                Some(Ok(done)) => return Some(done),
                Some(Err(error)) => tracing::error!(%error, "a way to a store of secrets ended unexpectedly"),
                None => std::future::pending().await,
            }
        }
    }
}

impl Dispatcher {
    /// What it is ahead of goes on at once where every secret is known, and with `take_errand` else.
    pub(super) fn seek_secrets(&mut self, scope: &RunScope, ahead_of: AheadOf) {
        let run = Run::new(scope, &self.runbook);
        let ahead = secrets_ahead(self.book.engagement(), &self.runbook, |step| run.wants(step));
        self.seek(ahead, ahead_of);
    }

    /// The same before a second look at what is done: without its secret a step could only be said to be unknown.
    pub(super) fn seek_secrets_for_checks(&mut self) {
        let behind = secrets_behind(self.book.engagement(), &self.runbook);
        self.seek(behind, AheadOf::Checks);
    }

    fn seek(&mut self, ahead: BTreeSet<SecretRef>, ahead_of: AheadOf) {
        self.worlds.look_anew();
        let vault = self.worlds.vault();
        let open = |reference: &SecretRef| !vault.knows(reference) && !self.secrets.declined.contains(reference);
        let unknown: Vec<SecretRef> = ahead.into_iter().filter(open).collect();
        if unknown.is_empty() {
            return self.secrets_at_hand(&ahead_of);
        }
        let worlds = self.worlds.clone();
        self.secrets.errands.spawn(async move { Errand::Looked(ahead_of, worlds.missing_secrets(unknown).await) });
    }

    fn secrets_at_hand(&mut self, ahead_of: &AheadOf) {
        match ahead_of {
            AheadOf::Run(scope) => {
                self.reopen_answered();
                self.begin_run(scope);
            }
            AheadOf::Approval(_) => self.book.tell(&Notice::SecretsAtHand),
            AheadOf::Checks => {
                // Left empty for this look alone: whoever looks once more may have it by then.
                let behind = secrets_behind(self.book.engagement(), &self.runbook);
                self.secrets.declined.retain(|reference| !behind.contains(reference));
                self.verify();
            }
            AheadOf::Keeping => {}
        }
    }

    pub(super) fn take_errand(&mut self, done: Errand) {
        match done {
            Errand::Looked(ahead_of, mut missing) => {
                missing.retain(|one| !self.secrets.declined.contains(&one.reference));
                let begins = matches!(self.going, Going::Nothing | Going::Run(_));
                match (missing.is_empty(), &ahead_of) {
                    (false, _) => self.book.tell(&Notice::NeedsSecrets { missing, ahead_of }),
                    // Stopped meanwhile.
                    (true, AheadOf::Run(_)) if !begins => {}
                    (true, _) => self.secrets_at_hand(&ahead_of),
                }
            }
            Errand::Kept(typed, Ok(reference)) => {
                self.command(&Command::GiveInputs(vec![(typed.input, Value::Secret(reference))]));
            }
            Errand::Kept(typed, Err(NotKept::Missing(missing))) => {
                self.secrets.waiting.push(typed);
                self.book.tell(&Notice::NeedsSecrets { missing: vec![missing], ahead_of: AheadOf::Keeping });
            }
            Errand::Kept(_, Err(NotKept::Failure(failure))) => self.refuse_for(failure),
        }
    }

    pub(super) fn take_secrets(&mut self, said: Vec<(SecretRef, Option<SecretString>)>) {
        if said.iter().all(|(_, text)| text.is_none()) {
            // What was typed is not kept without the passphrase that a person does not give.
            self.secrets.waiting.clear();
        }
        for (reference, text) in said {
            match text {
                Some(text) => self.worlds.vault().remember(&reference, text),
                None => {
                    self.secrets.declined.insert(reference);
                }
            }
        }
        self.reopen_answered();
        for Typed { input, store, text } in std::mem::take(&mut self.secrets.waiting) {
            self.keep_secret(input, store, text);
        }
    }

    pub(super) fn keep_secret(&mut self, input: InputId, store: SecretStore, text: SecretString) {
        let asked_in = self.runbook.asked_in(&input).map(|step| Address::new(step.id.clone(), None));
        let Some(address) = asked_in else {
            return self.refuse(format!("no step asks for {input}"), "onramp secret NAME set keeps it all the same");
        };
        let subject = subject(self.book.engagement(), &address);
        let worlds = self.worlds.clone();
        self.secrets.errands.spawn(async move {
            let kept = worlds.keep_secret(&subject, &input, store, text.clone()).await;
            Errand::Kept(Typed { input, store, text }, kept)
        });
    }

    /// Steps that asked for a secret which is at hand now may be tried again.
    fn reopen_answered(&mut self) {
        let vault = self.worlds.vault();
        let asking = asking_for_secrets(self.book.engagement());
        let answered: Vec<Address> =
            asking.filter(|(_, reference)| vault.knows(reference)).map(|(step, _)| step.clone()).collect();
        for step in answered {
            self.command(&Command::Reopen(step));
        }
    }
}
