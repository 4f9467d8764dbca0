//! `onramp secret NAME list|set ID|forget ID`: where the secrets of an engagement live. Never prints one.

use std::io::{self, Read};
use std::process::ExitCode;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::context::{Context, runbook_of};
use super::failure::{Failure, Kind};
use super::session::Session;
use super::unseen::Unseen;
use super::{Everywhere, print, session};
use crate::action::{Access, NotKept, Subject, Worlds};
use crate::engagement::{Address, Command, Engagement, MissingSecret, decide, secret_rule};
use crate::engine::{AheadOf, Clock, Request};
use crate::input::{self, InputId, SecretRef, SecretRule, SecretStore, Value};
use crate::journal::Writer;
use crate::runbook::Runbook;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Say where each secret lives, and whether it is found there
    List,
    /// Read a secret from the terminal, unseen, or from standard input, and keep it
    Set {
        id: String,
        /// Where to keep it
        #[arg(long, value_enum, default_value = "age")]
        store: Place,
    },
    /// Take a secret out of its store, and the answer back
    Forget { id: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Place {
    /// secrets.age beside the state file, sealed with a passphrase, or for the key of ONRAMP_AGE_IDENTITY
    Age,
    /// The keyring of this machine's user
    Keyring,
    /// AWS Secrets Manager, in the engagement's account
    Aws,
    /// Nowhere: it is asked for each time it is needed
    Prompt,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let name = &arguments.name;
    match &arguments.what {
        What::List => list(context, everywhere, name),
        What::Set { id, store } => Open::new(context, everywhere, name)?.set(id, *store),
        What::Forget { id } => Open::new(context, everywhere, name)?.forget(id),
    }
}

fn list(context: &Context, everywhere: &Everywhere, name: &str) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    session::real(context, name, &engagement)?;
    let folder = context.folder(name)?;
    let runtime = session::runtime()?;
    let worlds = session::real_worlds(context, everywhere, &engagement, &folder);
    if engagement.secrets().any(|(_, reference)| matches!(reference, SecretRef::Aws { .. })) {
        // Whoever cannot sign in is told at the secret that is not found.
        let _ = runtime.block_on(worlds.connect(&Access::of(&engagement)));
    }
    for field in runbook.fields.values().filter(|field| matches!(field.kind, input::Kind::Secret(_))) {
        let given = engagement.secrets().find(|(id, _)| **id == field.id).map(|(_, reference)| reference);
        if given.is_none() && runbook.is_to_come(field) {
            continue;
        }
        let said = match &given {
            None => "not given".to_owned(),
            Some(SecretRef::Prompt { .. }) => "asked for when it is needed".to_owned(),
            Some(reference) => match runtime.block_on(worlds.missing_secrets(vec![reference.clone()])).pop() {
                None => "found".to_owned(),
                Some(missing) => missing.why,
            },
        };
        let place = given.map_or_else(|| "-".to_owned(), |reference| reference.to_string());
        print::line(&format!("{:<28} {place:<50} {said}", field.id.as_str()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An engagement that is held for writing.
struct Open {
    writer: Writer,
    runbook: std::sync::Arc<Runbook>,
    runtime: std::sync::Arc<tokio::runtime::Runtime>,
    worlds: Worlds,
    actor: String,
}

impl Open {
    fn new(context: &Context, everywhere: &Everywhere, name: &str) -> Result<Open, Failure> {
        let folder = context.folder(name)?;
        let writer = Writer::open(&folder, &context.holder())?;
        session::real(context, name, writer.engagement())?;
        let runbook = runbook_of(writer.engagement())?;
        let runtime = session::runtime()?;
        let worlds = session::real_worlds(context, everywhere, writer.engagement(), &folder);
        super::panics::hide(worlds.vault().masks());
        Ok(Open { writer, runbook, runtime, worlds, actor: context.actor() })
    }

    fn set(mut self, id: &str, store: Place) -> Result<ExitCode, Failure> {
        let (id, rule) = secret_input(&self.runbook, id)?;
        let rule = rule.beside(&self.writer.engagement().given());
        let store = match store {
            Place::Age => SecretStore::Age,
            Place::Keyring => SecretStore::Keyring,
            Place::Aws => SecretStore::SecretsManager,
            Place::Prompt => SecretStore::Prompt,
        };
        if store == SecretStore::SecretsManager {
            let connected = self.runtime.block_on(self.worlds.connect(&Access::of(self.writer.engagement())));
            connected.map_err(|not| Failure::usage(not.failure.what).hint(not.failure.advice))?;
        }
        let reference = match store {
            SecretStore::Prompt => SecretRef::Prompt { what_for: String::new() },
            store => self.keep(&id, rule, store)?,
        };
        let said = format!("{id}: {}", reference.said());
        session::give(&mut self.writer, &self.runbook, &self.actor, vec![(id, Value::Secret(reference))])?;
        print::line(&said)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The answer must be one that the engagement takes before the secret goes anywhere.
    fn keep(&self, id: &InputId, rule: SecretRule, store: SecretStore) -> Result<SecretRef, Failure> {
        let probe =
            Command::GiveInputs(vec![(id.clone(), Value::Secret(SecretRef::Prompt { what_for: id.to_string() }))]);
        decide(self.writer.engagement(), &self.runbook, &probe)
            .map_err(|refusal| Failure::usage(refusal.to_string()))?;
        let unseen = Unseen::begin()?;
        let text = typed(unseen.as_ref(), &format!("{id} (it is not shown): "))?;
        rule.check(text.expose_secret()).map_err(|refusal| Failure::usage(format!("{id}: {refusal}")))?;
        let subject = subject(self.writer.engagement(), &self.runbook, id);
        loop {
            match self.runtime.block_on(self.worlds.keep_secret(&subject, id, store, text.clone())) {
                Ok(reference) => return Ok(reference),
                Err(NotKept::Failure(failure)) => {
                    return Err(Failure::usage(failure.what).hint(failure.advice));
                }
                Err(NotKept::Missing(missing)) => self.passphrase(unseen.as_ref(), &missing)?,
            }
        }
    }

    fn passphrase(&self, unseen: Option<&Unseen>, missing: &MissingSecret) -> Result<(), Failure> {
        let Some(unseen) = unseen else {
            let failure = Failure::new(Kind::Waiting, format!("{}: {}", missing.reference.said(), missing.why));
            return Err(failure.hint("type it on a terminal, or name an identity file of age in ONRAMP_AGE_IDENTITY"));
        };
        print::say(&missing.why);
        let prompt = format!("{}: ", missing.reference.said());
        let text = if missing.chosen_now { unseen.twice(&prompt)? } else { unseen.line(&prompt)? };
        if text.expose_secret().is_empty() {
            return Err(Failure::usage("an empty passphrase opens and locks nothing; nothing was changed"));
        }
        self.worlds.vault().remember(&missing.reference, text);
        Ok(())
    }

    fn forget(mut self, id: &str) -> Result<ExitCode, Failure> {
        let (id, _) = secret_input(&self.runbook, id)?;
        let command = Command::ForgetInput(id.clone());
        let events = decide(self.writer.engagement(), &self.runbook, &command)
            .map_err(|refusal| Failure::usage(refusal.to_string()))?;
        let reference = self.writer.engagement().secrets().find(|(other, _)| **other == id).map(|(_, found)| found);
        if let Some(reference) = &reference {
            self.take_out(reference)?;
        }
        self.writer.append(Clock::default().now(), &self.actor, events)?;
        print::line(&format!("{id} is forgotten"))?;
        if let Some(SecretRef::Aws { secret, .. }) = reference {
            print::say(&format!("{secret} stays in AWS Secrets Manager: others may read it, too"));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn take_out(&self, reference: &SecretRef) -> Result<(), Failure> {
        let unseen = Unseen::begin()?;
        loop {
            match self.runtime.block_on(self.worlds.vault().forget(reference)) {
                Ok(()) => return Ok(()),
                Err(NotKept::Failure(failure)) => return Err(Failure::usage(failure.what).hint(failure.advice)),
                Err(NotKept::Missing(missing)) => self.passphrase(unseen.as_ref(), &missing)?,
            }
        }
    }
}

fn secret_input(runbook: &Runbook, id: &str) -> Result<(InputId, SecretRule), Failure> {
    let secret = |field: &crate::runbook::Field| match &field.kind {
        input::Kind::Secret(rule) => Some((field.id.clone(), *rule)),
        _ => None,
    };
    let all: Vec<(InputId, SecretRule)> = runbook.fields.values().filter_map(secret).collect();
    if let Some(found) = all.iter().find(|(known, _)| known.as_str() == id) {
        return Ok(found.clone());
    }
    let names: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
    let failure = Failure::usage(format!("this runbook has no secret input called {id}"));
    Err(match text::nearest(id, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None if names.is_empty() => failure.hint("it has no secrets at all"),
        None => failure.hint(format!("there are {}", text::list(&names))),
    })
}

/// For whom it is kept: what is written on it in AWS.
fn subject(engagement: &Engagement, runbook: &Runbook, id: &InputId) -> Subject {
    let step = runbook.asked_in(id).or_else(|| runbook.steps().next()).map(|step| step.id.clone());
    let address = Address::new(step.unwrap_or_else(|| crate::runbook::StepId::new("inputs", "secret")), None);
    crate::engine::subject(engagement, &address)
}

/// Asks for what is missing on the terminal; then what it is needed for is asked of the engine again.
///
/// # Errors
/// Nobody is there to be asked: exit code 3, and what to do about each.
pub fn give(session: &Session, missing: &[MissingSecret], ahead_of: AheadOf) -> Result<(), Failure> {
    let said = ask(session, missing).map_err(|failure| failure.within(&session.reach))?;
    session.handle.send(Request::Secrets(said));
    let then = match ahead_of {
        AheadOf::Run(scope) => Request::Run(scope),
        AheadOf::Approval(scope) => Request::SeekSecrets(scope),
        AheadOf::Checks => Request::Verify,
        AheadOf::Keeping => return Ok(()),
    };
    session.handle.send(then);
    Ok(())
}

/// One after the other; an empty answer leaves one for later.
fn ask(session: &Session, missing: &[MissingSecret]) -> Result<Vec<(SecretRef, Option<SecretString>)>, Failure> {
    let Some(unseen) = Unseen::begin()? else {
        let said = format!("{} missing, and nobody is here to be asked", text::count(missing.len(), "secret"));
        let list = missing.iter().fold(Failure::new(Kind::Waiting, said), |failure, one| {
            failure.hint(format!("{}: {} ({})", one.reference.said(), one.why, what_to_do(&one.reference)))
        });
        return Err(list);
    };
    print::say("These secrets will be needed. An empty answer leaves one for when its step comes.");
    let mut said = Vec::new();
    for one in missing {
        print::say(&one.why);
        let prompt = format!("{}: ", one.reference.said());
        let rule = secret_rule(session.handle.engagement(), session.handle.runbook(), &one.reference);
        let text = loop {
            let text = if one.chosen_now { unseen.twice(&prompt)? } else { unseen.line(&prompt)? };
            let fits = rule.map_or(Ok(()), |rule| rule.check(text.expose_secret()));
            match fits {
                Err(refusal) if !text.expose_secret().is_empty() => print::say(&refusal.to_string()),
                _ => break text,
            }
        };
        let empty = text.expose_secret().is_empty();
        said.push((one.reference.clone(), (!empty).then_some(text)));
    }
    Ok(said)
}

fn what_to_do(reference: &SecretRef) -> String {
    match reference {
        SecretRef::Passphrase { .. } => {
            "run it on a terminal, or name an identity file in ONRAMP_AGE_IDENTITY".to_owned()
        }
        reference if reference.is_for_sudo() => {
            "run it on a terminal, or say where it lives: `sudo` of the host, in the runbook's hosts".to_owned()
        }
        SecretRef::Prompt { what_for } => {
            format!("run it on a terminal, or keep it: onramp secret NAME set {what_for}")
        }
        _ => "put it there, or say where it lives: onramp secret NAME list".to_owned(),
    }
}

/// A secret from the terminal, unseen; or all of standard input, without the line end that `echo` adds.
fn typed(unseen: Option<&Unseen>, prompt: &str) -> Result<SecretString, Failure> {
    if let Some(unseen) = unseen {
        return unseen.line(prompt);
    }
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().read_to_string(&mut text).map_err(|error| Failure::usage(error.to_string()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(SecretString::from(line.strip_suffix('\r').unwrap_or(line)))
}
