//! A secret that onramp makes: generated here, kept in Secrets Manager or in the sealed file at once, and saved only as
//! where it lives. Nobody reads it before the step that needs it does. Or one that was given as an input: its text is
//! read where it lives for the call and for the comparison, and for nothing else.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::arguments::Arguments;
use super::object::{difference, found};
use super::send::class_of;
use super::vault::{NotKept, SEALED, TakenOut};
use super::world::{Subject, World};
use super::{Action, Found, Probe, Trouble, Undoes, Verified};
use crate::aws::{AwsFailure, Cloud, Fate, Holder, Kind, Operation, RECOVERY_DAYS, SecretSeen, Stamp};
use crate::engagement::{Change, Failure, MissingSecret, Outcome, Question, RepeatClass};
use crate::input::{SecretRef, SecretRule, SecretUse};
use crate::journal::DurableIntent;

/// Letters, digits, `.` and `_`: every kind of secret takes them, and 64 of them are six bits each, so none is likelier.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
/// A key of 256 bits is written with these.
const DIGITS: &[u8] = b"0123456789abcdef";
/// 192 bits.
const LENGTH: i32 = 32;
/// Looks at it: before, and after AWS said that the name is taken or the answer was lost.
const ROUNDS: usize = 3;

/// `aws/secret`
pub(super) struct TheSecret {
    pub(super) key: String,
    /// In Secrets Manager, or in the sealed file.
    pub(super) name: String,
    pub(super) rule: SecretRule,
    pub(super) length: usize,
    pub(super) sealed: bool,
    /// Where the text lives that is to be kept; a new one is made where there is none.
    pub(super) given: Option<SecretRef>,
    /// Of the given text not itself is kept, but the SMTP password that belongs to it in this region.
    pub(super) smtp_region: Option<String>,
    /// Results beside the reference.
    pub(super) beside: Json,
}

impl TheSecret {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let key = arguments.text("key")?;
        let sealed = arguments.one_of("store", &["aws", "age"])? == "age";
        let own_name = if sealed { key.clone() } else { format!("onramp/{}/{key}", subject.name) };
        let rule = match arguments.one_of("use", &["psk", "password", "bgp", "key256"])? {
            "psk" => SecretRule::PSK,
            "bgp" => SecretRule::BGP,
            "key256" => SecretRule::KEY256,
            _ => SecretRule::PASSWORD,
        };
        let length = match rule {
            SecretRule::KEY256 => 64,
            _ => arguments.number("length", 16, 64)?.unwrap_or(LENGTH),
        };
        let given = arguments.secret("value")?;
        if sealed && given.is_some() {
            let what = "a secret that is given is not copied into the sealed file: `value` goes with `store: aws`";
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        Ok(TheSecret {
            name: arguments.optional("name")?.unwrap_or(own_name),
            key,
            rule,
            length: usize::try_from(length).unwrap_or_default(),
            sealed,
            given,
            smtp_region: None,
            beside: json!({}),
        })
    }

    fn noun(&self) -> String {
        format!("secret {}", self.key)
    }

    /// In the sealed file.
    fn in_file(&self) -> SecretRef {
        SecretRef::Age { file: SEALED.to_owned(), name: self.name.clone() }
    }

    fn there(&self, reference: &SecretRef) -> Found {
        let mut output = self.beside.clone();
        output["reference"] = json!(reference.to_string());
        found(format!("{} is kept: {}", self.noun(), reference.said()), output)
    }

    /// A new text. The first character of a pre-shared key is not 0; the digits of a key are each as likely as the other.
    fn generate(&self) -> Result<SecretString, Failure> {
        let trouble = |error: getrandom::Error| {
            Failure::new(
                format!("this machine gives no random numbers: {error}"),
                "Look at the machine; nothing was sent.",
            )
        };
        let is_key = self.rule.used_as == SecretUse::Key256;
        let alphabet = if is_key { DIGITS } else { ALPHABET };
        let mut text = Zeroizing::new(String::with_capacity(self.length));
        while text.len() < self.length {
            let mut byte = [0_u8; 1];
            getrandom::fill(&mut byte).map_err(trouble)?;
            let character = char::from(alphabet[usize::from(byte[0]) % alphabet.len()]);
            if is_key || !(text.is_empty() && character == '0') {
                text.push(character);
            }
        }
        Ok(SecretString::from(text.as_str()))
    }

    fn made(&self, reference: &SecretRef, operations: Vec<String>) -> Outcome {
        let Found { said, output, .. } = self.there(reference);
        Outcome::Changed { said, created: true, operations, output }
    }

    fn foreign(&self, seen: &SecretSeen) -> String {
        format!("there is a secret called {} already, which this step did not make", seen.name)
    }

    fn is_ours(&self, seen: &SecretSeen, subject: &Subject) -> bool {
        seen.holder(&subject.engagement) == (Holder::Us { key: self.key.clone() })
    }

    fn change(&self, operation: &str) -> Change {
        Change::new(
            "secretsmanager",
            operation,
            json!({
                "Name": self.name,
                "SecretString": match (&self.given, &self.smtp_region) {
                    (Some(reference), Some(region)) => {
                        format!("\u{2039}the SMTP password in {region} of the secret {reference}\u{203a}")
                    }
                    (Some(reference), None) => format!("\u{2039}the secret {reference}\u{203a}"),
                    (None, _) => format!("\u{2039}{} characters, generated; nobody sees them\u{203a}", self.length),
                },
                "ClientRequestToken": "\u{2039}token of this step\u{203a}",
                "Tags": format!("onramp:key={}, and what every object of this engagement carries", self.key),
            }),
        )
    }

    async fn probe_manager(&self, world: &World) -> Result<Probe, Failure> {
        let cloud = world.cloud()?;
        Ok(match cloud.look_at_secret(&self.name).await? {
            None => Probe::Absent { said: format!("{} is not there", self.noun()) },
            Some(seen) if !self.is_ours(&seen, &world.subject) => {
                Probe::left(self.foreign(&seen), vec![difference("whose it is", "this step's", seen.arn)])
            }
            Some(seen) if seen.going => Probe::mended(
                format!("{} is scheduled for deletion", self.noun()),
                vec![difference("state", "in use", "scheduled for deletion")],
                vec![
                    Change::new("secretsmanager", "RestoreSecret", json!({ "SecretId": self.name })),
                    self.change("PutSecretValue"),
                ],
            ),
            Some(seen) => match self.given(world).await {
                Err(question) => Probe::Unknown(Trouble::Question(question)),
                Ok(Some(text)) if !self.holds(world, cloud, &text).await? => Probe::mended(
                    format!("{} has another text than the one that was given", self.noun()),
                    vec![difference("text", "the given one", "another")],
                    vec![self.change("PutSecretValue")],
                ),
                Ok(_) => Probe::Same(self.there(&SecretRef::Aws { secret: seen.arn, key: None })),
            },
        })
    }

    /// The text that was given, if one was, or the question for it.
    async fn given(&self, world: &World) -> Result<Option<SecretString>, Question> {
        match &self.given {
            Some(reference) => world.secret(reference).await.map(|text| Some(self.kept_of(text))),
            None => Ok(None),
        }
    }

    /// Is this the text that is read in Secrets Manager now?
    async fn holds(&self, world: &World, cloud: &Cloud, text: &SecretString) -> Result<bool, AwsFailure> {
        let there = cloud.read_secret(&self.name).await?;
        world.vault.masks().learn(there.expose_secret());
        Ok(there.expose_secret() == text.expose_secret())
    }

    /// What is to be kept: the text that was given, which must fit its use, or a new one.
    async fn text(&self, world: &World) -> Result<SecretString, Failure> {
        let Some(text) = self.given(world).await.map_err(missing)? else { return self.generate() };
        match self.rule.check(text.expose_secret()) {
            Ok(()) => Ok(text),
            Err(refusal) => {
                self.given.iter().for_each(|reference| world.forget_secret(reference));
                Err(Failure::new(
                    format!("what was given for {} does not fit its use: {}", self.noun(), refusal.what),
                    "Give another one, or correct `use` in the runbook; nothing was sent.",
                ))
            }
        }
    }

    /// Under which token a text is stored. AWS takes one token for one text: that of a given one is made of the intent's,
    /// of what stands there already and, by a hash with a key of its own, of the text, which can be another next time.
    fn token(&self, intent: &DurableIntent, seen: Option<&SecretSeen>, text: &SecretString) -> String {
        if self.given.is_none() {
            return intent.token().to_owned();
        }
        let mut hash = blake3::Hasher::new_derive_key("onramp 2026-11 token of a given secret");
        let mut versions: Vec<&str> = seen.iter().flat_map(|seen| &seen.versions).map(String::as_str).collect();
        versions.sort_unstable();
        for part in [intent.token(), &versions.join(","), text.expose_secret()] {
            hash.update(part.as_bytes()).update(b"\0");
        }
        hash.finalize().to_hex()[..32].to_owned()
    }

    async fn probe_file(&self, world: &World) -> Probe {
        match world.secret(&self.in_file()).await {
            Ok(_) => Probe::Same(self.there(&self.in_file())),
            Err(Question::NeedsSecret { reference: SecretRef::Age { .. }, why }) => Probe::Absent { said: why },
            Err(question) => Probe::Unknown(Trouble::Question(question)),
        }
    }

    async fn apply_manager(&self, world: &World, intent: &DurableIntent) -> Outcome {
        let cloud = match world.cloud() {
            Ok(cloud) => cloud,
            Err(failure) => return Outcome::Failed { failure },
        };
        let text = match self.text(world).await {
            Ok(text) => text,
            Err(failure) => return Outcome::Failed { failure },
        };
        world.vault.masks().learn(text.expose_secret());
        let mut last = None;
        for _ in 0..ROUNDS {
            match self.round(world, cloud, intent, &text).await {
                Ok(outcome) => return outcome,
                // Somebody has the name, or it was made and the answer was lost: a look tells.
                Err(failure) if failure.kind == Kind::Exists || failure.fate == Fate::Unknown => last = Some(failure),
                Err(failure) => return Outcome::Failed { failure: failure.into() },
            }
        }
        match last {
            Some(failure) if failure.fate == Fate::Unknown => Outcome::InDoubt { why: failure.to_string() },
            Some(failure) => Outcome::Failed { failure: failure.into() },
            None => Outcome::InDoubt { why: "nothing came of it".to_owned() },
        }
    }

    /// One look, and what it asks for.
    async fn round(
        &self,
        world: &World,
        cloud: &Cloud,
        intent: &DurableIntent,
        text: &SecretString,
    ) -> Result<Outcome, AwsFailure> {
        let subject = &world.subject;
        let Some(seen) = cloud.look_at_secret(&self.name).await? else {
            let marks = subject.marks(intent.token(), intent.intent().attempt);
            let stamp = Stamp { marks: &marks, key: &self.key, name: &self.name };
            world.say("CreateSecret").await;
            let about = format!("Made by onramp: {}", self.key);
            let token = self.token(intent, None, text);
            let arn = cloud.create_secret(&self.name, text, &token, &about, &stamp).await?;
            let reference = SecretRef::Aws { secret: arn, key: None };
            return Ok(self.made(&reference, vec!["CreateSecret".to_owned()]));
        };
        if !self.is_ours(&seen, subject) {
            let advice = "Choose another name, or delete that secret if nobody needs it.";
            return Ok(Outcome::Failed { failure: Failure::new(self.foreign(&seen), advice) });
        }
        let reference = SecretRef::Aws { secret: seen.arn.clone(), key: None };
        let token = self.token(intent, Some(&seen), text);
        if seen.going {
            world.say("RestoreSecret, PutSecretValue").await;
            cloud.restore_secret(&self.name).await?;
            cloud.put_secret(&self.name, text, &token).await?;
            return Ok(self.made(&reference, vec!["RestoreSecret".to_owned(), "PutSecretValue".to_owned()]));
        }
        if self.given.is_some() && !self.holds(world, cloud, text).await? {
            world.say("PutSecretValue").await;
            cloud.put_secret(&self.name, text, &token).await?;
            return Ok(self.made(&reference, vec!["PutSecretValue".to_owned()]));
        }
        let first = self.token(intent, None, text);
        if seen.versions.contains(&first) {
            return Ok(self.made(&reference, vec!["CreateSecret".to_owned()]));
        }
        let Found { said, output, .. } = self.there(&reference);
        Ok(Outcome::AlreadySo { said, output })
    }

    async fn apply_file(&self, world: &World) -> Outcome {
        if world.secret(&self.in_file()).await.is_ok() {
            let Found { said, output, .. } = self.there(&self.in_file());
            return Outcome::AlreadySo { said, output };
        }
        let text = match self.generate() {
            Ok(text) => text,
            Err(failure) => return Outcome::Failed { failure },
        };
        match world.vault.keep_sealed(&self.name, text).await {
            Ok(reference) => self.made(&reference, vec!["seal".to_owned()]),
            Err(not_kept) => Outcome::Failed { failure: sealed(not_kept) },
        }
    }

    /// As whoever uses it would find it: it can be read, and fits its use.
    async fn verify_manager(&self, world: &World) -> Result<Verified, Failure> {
        let cloud = world.cloud()?;
        let seen = match cloud.look_at_secret(&self.name).await? {
            Some(seen) if self.is_ours(&seen, &world.subject) && !seen.going => seen,
            Some(seen) if seen.going => {
                return Ok(Verified::NotYet { said: format!("{} is scheduled for deletion", self.noun()) });
            }
            Some(seen) => return Ok(Verified::NotSo(Failure::new(self.foreign(&seen), "Choose another name."))),
            None => return Ok(Verified::NotYet { said: format!("{} is not there", self.noun()) }),
        };
        let reference = SecretRef::Aws { secret: seen.arn, key: None };
        let text = cloud.read_secret(&self.name).await?;
        match self.given(world).await {
            Err(question) => Ok(Verified::Unknown(Trouble::Question(question))),
            Ok(Some(wanted)) if wanted.expose_secret() != text.expose_secret() => {
                world.vault.masks().learn(text.expose_secret());
                Ok(Verified::NotYet { said: format!("{} has another text than the one that was given", self.noun()) })
            }
            Ok(_) => Ok(self.fits(world, &reference, text)),
        }
    }

    fn fits(&self, world: &World, reference: &SecretRef, text: SecretString) -> Verified {
        world.vault.masks().learn(text.expose_secret());
        match self.rule.check(text.expose_secret()) {
            Ok(()) => Verified::So(self.there(reference)),
            Err(refusal) => Verified::NotSo(Failure::new(
                format!("{} does not fit its use: {}", self.noun(), refusal.what),
                "Undo the step and run it again: it takes a new one.",
            )),
        }
    }

    async fn undo_manager(&self, world: &World) -> Result<Outcome, Failure> {
        let cloud = world.cloud()?;
        let gone = |said: String| Outcome::AlreadySo { said, output: BTreeMap::new() };
        let Some(seen) = cloud.look_at_secret(&self.name).await? else {
            return Ok(gone(format!("{} is not there any more", self.noun())));
        };
        if !self.is_ours(&seen, &world.subject) {
            return Err(Failure::new(format!("{} is left alone: {}", self.noun(), self.foreign(&seen)), ""));
        }
        if seen.going {
            return Ok(gone(format!("{} is scheduled for deletion already", self.noun())));
        }
        world.say("DeleteSecret").await;
        match cloud.schedule_deletion(&self.name).await {
            Ok(()) => Ok(self.let_go()),
            // The first of two answers was lost: a look tells.
            Err(failure) if failure.kind == Kind::Conflict || failure.fate == Fate::Unknown => {
                match cloud.look_at_secret(&self.name).await {
                    Ok(Some(seen)) if seen.going => Ok(self.let_go()),
                    _ if failure.fate == Fate::Unknown => Ok(Outcome::InDoubt { why: failure.to_string() }),
                    _ => Err(failure.into()),
                }
            }
            Err(failure) => Err(failure.into()),
        }
    }

    fn let_go(&self) -> Outcome {
        Outcome::Changed {
            said: format!("{} can no longer be read, and is deleted in a week", self.noun()),
            created: false,
            operations: vec!["DeleteSecret".to_owned()],
            output: BTreeMap::new(),
        }
    }

    async fn undo_file(&self, world: &World) -> Result<Outcome, Failure> {
        let said = match world.vault.take_out(&self.name).await? {
            TakenOut::Now => format!("{} is taken out of {SEALED}", self.noun()),
            TakenOut::WhenOpened => {
                format!("{} is not used any more, and leaves {SEALED} when that is opened next", self.noun())
            }
        };
        Ok(Outcome::Changed { said, created: false, operations: vec!["seal".to_owned()], output: BTreeMap::new() })
    }
}

fn sealed(not_kept: NotKept) -> Failure {
    match not_kept {
        NotKept::Failure(failure) => failure,
        NotKept::Missing(MissingSecret { reference, why, .. }) => missing(Question::NeedsSecret { reference, why }),
    }
}

fn missing(question: Question) -> Failure {
    let what = match question {
        Question::NeedsSecret { reference, why } => format!("{}: {why}", reference.said()),
        _ => "a person must answer a question first".to_owned(),
    };
    Failure::new(what, "Start a run, which asks for it first; or name an identity file in ONRAMP_AGE_IDENTITY.")
}

#[async_trait]
impl Action for TheSecret {
    fn changes(&self) -> Vec<Change> {
        match self.sealed {
            true => vec![Change::new("age", "seal", json!({ "file": SEALED, "name": self.name }))],
            false => vec![self.change("CreateSecret")],
        }
    }

    fn class(&self) -> RepeatClass {
        if self.sealed { RepeatClass::Natural } else { class_of(Operation::CreateSecret) }
    }

    async fn at_hand(&self, world: &World) -> Result<(), Question> {
        if !self.sealed {
            return self.given(world).await.map(drop);
        }
        let ready = world.vault.can_seal().await;
        ready.map_err(|MissingSecret { reference, why, .. }| Question::NeedsSecret { reference, why })
    }

    async fn probe(&self, world: &World) -> Probe {
        if self.sealed {
            return self.probe_file(world).await;
        }
        self.probe_manager(world).await.unwrap_or_else(|failure| Probe::Unknown(Trouble::Failure(failure)))
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        if self.sealed { self.apply_file(world).await } else { self.apply_manager(world, intent).await }
    }

    async fn verify(&self, world: &World) -> Verified {
        if !self.sealed {
            return self.verify_manager(world).await.unwrap_or_else(|f| Verified::Unknown(Trouble::Failure(f)));
        }
        match world.secret(&self.in_file()).await {
            Ok(text) => self.fits(world, &self.in_file(), text),
            Err(Question::NeedsSecret { reference: SecretRef::Age { .. }, why }) => Verified::NotYet { said: why },
            Err(question) => Verified::Unknown(Trouble::Question(question)),
        }
    }

    async fn undo(&self, world: &World, _intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        let undone = if self.sealed { self.undo_file(world).await } else { self.undo_manager(world).await };
        undone.unwrap_or_else(|failure| Outcome::Failed { failure })
    }

    fn inverse(&self, _made: &BTreeMap<String, Json>) -> Vec<Change> {
        vec![match self.sealed {
            true => Change::new("age", "seal", json!({ "file": SEALED, "without": self.name })),
            false => Change::new(
                "secretsmanager",
                "DeleteSecret",
                json!({ "SecretId": self.name, "RecoveryWindowInDays": RECOVERY_DAYS }),
            ),
        }]
    }

    async fn undoes(&self, world: &World, made: &BTreeMap<String, Json>) -> Undoes {
        if self.sealed {
            return Undoes::Sends(self.inverse(made));
        }
        let look = async { Ok::<_, Failure>(world.cloud()?.look_at_secret(&self.name).await?) };
        match look.await {
            Ok(None) => Undoes::Nothing,
            Ok(Some(seen)) if !self.is_ours(&seen, &world.subject) => Undoes::Leaves { said: self.foreign(&seen) },
            Ok(Some(seen)) if seen.going => Undoes::Nothing,
            Ok(Some(_)) => Undoes::Sends(self.inverse(made)),
            Err(failure) => Undoes::Unknown(Trouble::Failure(failure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_fits_its_use_and_is_never_the_same() {
        let secret = TheSecret {
            key: "psk".to_owned(),
            name: "psk".to_owned(),
            rule: SecretRule::PSK,
            length: 32,
            sealed: true,
            given: None,
            smtp_region: None,
            beside: json!({}),
        };
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            let text = secret.generate().unwrap();
            assert_eq!(SecretRule::PSK.check(text.expose_secret()), Ok(()));
            assert_eq!(text.expose_secret().len(), 32);
            assert!(seen.insert(text.expose_secret().to_owned()));
        }
        let used: std::collections::BTreeSet<char> = seen.iter().flat_map(|text| text.chars()).collect();
        assert_eq!(used.len(), 64, "every character comes");
        let key = TheSecret { rule: SecretRule::KEY256, length: 64, ..secret };
        let keys: Vec<SecretString> = (0..100).map(|_| key.generate().unwrap()).collect();
        assert!(keys.iter().all(|text| SecretRule::KEY256.check(text.expose_secret()).is_ok()));
        assert!(keys.iter().any(|text| text.expose_secret().starts_with('0')), "each digit is as likely in each place");
    }
}
