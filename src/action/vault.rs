//! Finds a secret by the reference that the journal holds, and keeps secrets where a person chose.
//!
//! What was found stays in memory until the program ends, wiped when it goes; every secret that passes here is known to
//! the masks from then on. What cannot be found is not a failure but a question, because somebody has it.

mod age_file;
mod keyring;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use super::papers::Papers;
use crate::aws::{Cloud, Stamp};
use crate::engagement::{Failure, MissingSecret as Missing};
use crate::input::{InputId, SecretRef, SecretStore};
use crate::text::Masks;
use crate::text::seal::Work;
use age_file::AgeFile;

pub use keyring::keyring_works;

/// Why a secret could not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotKept {
    /// A person must say something first: the passphrase of the file.
    Missing(Missing),
    Failure(Failure),
}

/// When a secret leaves the sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenOut {
    Now,
    /// Nobody opened it: the secret counts as gone, and goes when the file is opened next.
    WhenOpened,
}

/// The file that secrets of an engagement are sealed in, beside its state file.
pub const SEALED: &str = "secrets.age";

/// For one engagement, shared by all who need secrets.
#[derive(Clone, Default)]
pub struct Vault(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Of the engagement: sealed files without a folder lie here.
    folder: PathBuf,
    home: PathBuf,
    /// An identity file of age that opens sealed files without a passphrase.
    identity: Option<PathBuf>,
    work: Work,
    known: Mutex<BTreeMap<SecretRef, SecretString>>,
    masks: Masks,
}

/// What is kept for whom: names in the stores are made of it.
#[derive(Debug, Clone)]
pub struct Keep<'a> {
    pub store: SecretStore,
    /// The engagement's name.
    pub engagement: &'a str,
    pub input: &'a InputId,
    /// For Secrets Manager: what is written on it.
    pub stamp: Stamp<'a>,
}

/// The way to AWS, or why there is none.
pub type Way = Result<Arc<Cloud>, Failure>;

impl Vault {
    /// A vault for the engagement in `folder`. `identity` is a file of age keys.
    pub fn new(folder: &Path, home: &Path, identity: Option<PathBuf>) -> Self {
        let (folder, home) = (folder.to_owned(), home.to_owned());
        Vault(Arc::new(Inner { folder, home, identity, ..Inner::default() }))
    }

    /// A passphrase that takes no second to check: for tests only.
    #[cfg(test)]
    pub fn for_tests(folder: &Path, identity: Option<PathBuf>) -> Self {
        let work = Work(Some(2));
        Vault(Arc::new(Inner { folder: folder.to_owned(), identity, work, ..Inner::default() }))
    }

    /// The engagement's folder: nowhere without an engagement on disk.
    pub(super) fn papers(&self) -> Papers {
        Papers::beside(&self.0.folder)
    }

    /// What hides every secret that passed here.
    pub fn masks(&self) -> &Masks {
        &self.0.masks
    }

    /// A person said it, or it was made: it is known until the program ends.
    pub fn remember(&self, reference: &SecretRef, text: SecretString) {
        self.0.masks.learn(text.expose_secret());
        self.known().insert(reference.clone(), text);
    }

    /// It was not what it should have been: it is asked for again. The masks go on hiding it.
    pub fn unlearn(&self, reference: &SecretRef) {
        self.known().remove(reference);
    }

    /// Does this process know it already?
    pub fn knows(&self, reference: &SecretRef) -> bool {
        self.known().contains_key(reference)
    }

    /// The secret.
    ///
    /// # Errors
    /// What to ask a person for, and why.
    pub async fn find(&self, reference: &SecretRef, way: &Way) -> Result<SecretString, Missing> {
        if let Some(known) = self.known().get(reference) {
            return Ok(known.clone());
        }
        let missing = |why: String| Missing { reference: reference.clone(), why, chosen_now: false };
        let found = match reference {
            SecretRef::Keyring { service, name } => {
                let (service, name) = (service.clone(), name.clone());
                blocking(move || keyring::read(&service, &name)).await.map_err(missing)?
            }
            SecretRef::Age { file, name } => self.unseal(file, name).await?,
            SecretRef::Aws { secret, key } => {
                let cloud = way.as_ref().map_err(|failure| missing(failure.what.clone()))?;
                let text = cloud.read_secret(secret).await.map_err(|failure| missing(failure.to_string()))?;
                match key {
                    None => text,
                    Some(key) => entry(&text, key).ok_or_else(|| missing(format!("the secret has no entry {key}")))?,
                }
            }
            SecretRef::Prompt { .. } => return Err(missing("it is kept nowhere, so a person gives it".to_owned())),
            SecretRef::Passphrase { file } => {
                let trouble = age_file::Trouble::WantsPassphrase { new: !self.age_file(file).path.exists() };
                return Err(self.trouble_of_file(file, "", trouble));
            }
        };
        self.remember(reference, found.clone());
        Ok(found)
    }

    /// Those of `references` that cannot be found, each with what to ask for; asked for once.
    pub async fn missing(&self, references: impl IntoIterator<Item = SecretRef>, way: &Way) -> Vec<Missing> {
        let mut missing: Vec<Missing> = Vec::new();
        for reference in references {
            if let Err(one) = self.find(&reference, way).await
                && !missing.iter().any(|other| other.reference == one.reference)
            {
                missing.push(one);
            }
        }
        missing
    }

    /// Keeps a secret where a person chose; gives the reference that the journal may hold.
    ///
    /// # Errors
    /// The store cannot be used, or a person must give its passphrase first.
    pub async fn keep(&self, keep: Keep<'_>, text: SecretString, way: &Way) -> Result<SecretRef, NotKept> {
        let name = keep.input.to_string();
        // Masked before it goes anywhere, so that not even an error can show it.
        self.0.masks.learn(text.expose_secret());
        let reference = match keep.store {
            SecretStore::Prompt => SecretRef::Prompt { what_for: name },
            SecretStore::Keyring => {
                // Two engagements of one name may be on this machine: one began here, one came from elsewhere.
                let service = format!("onramp-{}-{}", keep.engagement, keep.stamp.engagement());
                let (to, user, secret) = (service.clone(), name.clone(), text.clone());
                blocking(move || keyring::write(&to, &user, &secret)).await.map_err(|why| {
                    NotKept::Failure(Failure::new(why, "Choose another store; onramp doctor says which ones work."))
                })?;
                SecretRef::Keyring { service, name }
            }
            SecretStore::Age => {
                let file = SEALED.to_owned();
                self.seal(&file, name.clone(), Some(text.clone())).await?;
                SecretRef::Age { file, name }
            }
            SecretStore::SecretsManager => {
                let cloud = way.as_ref().map_err(|failure| NotKept::Failure(failure.clone()))?;
                let secret = store_in_aws(cloud, &keep, &text).await.map_err(|f| NotKept::Failure(f.into()))?;
                SecretRef::Aws { secret, key: None }
            }
        };
        self.remember(&reference, text);
        Ok(reference)
    }

    /// Seals a secret that onramp made into `secrets.age`.
    ///
    /// # Errors
    /// As `keep`.
    pub async fn keep_sealed(&self, name: &str, text: SecretString) -> Result<SecretRef, NotKept> {
        let (file, name) = (SEALED.to_owned(), name.to_owned());
        self.0.masks.learn(text.expose_secret());
        self.seal(&file, name.clone(), Some(text.clone())).await?;
        let reference = SecretRef::Age { file, name };
        self.remember(&reference, text);
        Ok(reference)
    }

    /// Could something be sealed into `secrets.age` now?
    ///
    /// # Errors
    /// What to ask a person for first.
    pub async fn can_seal(&self) -> Result<(), Missing> {
        let sealed = self.age_file(SEALED);
        let passphrase = self.known().get(&SecretRef::Passphrase { file: SEALED.to_owned() }).cloned();
        let ready = blocking(move || sealed.ready(passphrase.as_ref())).await;
        ready.map_err(|trouble| self.trouble_of_file(SEALED, "secrets", trouble))
    }

    /// Takes a secret out of the store that onramp put it into. One that somebody else keeps is only forgotten.
    ///
    /// # Errors
    /// As `keep`.
    pub async fn forget(&self, reference: &SecretRef) -> Result<(), NotKept> {
        self.known().remove(reference);
        match reference {
            SecretRef::Age { file, name } if file == SEALED => self.seal(file, name.clone(), None).await,
            SecretRef::Keyring { service, name } if service.starts_with("onramp-") => {
                let (service, name) = (service.clone(), name.clone());
                let gone = blocking(move || keyring::remove(&service, &name)).await;
                gone.map_err(|why| NotKept::Failure(Failure::new(why, "Remove it with the keyring's own program.")))
            }
            _ => Ok(()),
        }
    }

    /// Takes a secret out of `secrets.age`, also while nobody opens it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn take_out(&self, name: &str) -> Result<TakenOut, Failure> {
        let (file, name) = (SEALED.to_owned(), name.to_owned());
        self.known().remove(&SecretRef::Age { file: file.clone(), name: name.clone() });
        let passphrase = self.known().get(&SecretRef::Passphrase { file }).cloned();
        let sealed = self.age_file(SEALED);
        let taken = blocking(move || match sealed.change(passphrase.as_ref(), &name, None) {
            Ok(()) => Ok(TakenOut::Now),
            Err(age_file::Trouble::Unwritable(why)) => Err(why),
            Err(_) => match sealed.take_out_sealed(&name) {
                Ok(()) => Ok(TakenOut::WhenOpened),
                Err(age_file::Trouble::Unwritable(why) | age_file::Trouble::Unreadable(why)) => Err(why),
                Err(_) => Err("the file cannot be read".to_owned()),
            },
        });
        taken.await.map_err(|why: String| Failure::new(why, "Look at the folder and the disk, and undo it again."))
    }

    /// Opens a sealed file; all that is in it is known from then on.
    async fn unseal(&self, file: &str, name: &str) -> Result<SecretString, Missing> {
        let sealed = self.age_file(file);
        let key = SecretRef::Passphrase { file: file.to_owned() };
        let passphrase = self.known().get(&key).cloned();
        let wanted = name.to_owned();
        let opened = blocking(move || match sealed.is_taken_out(&wanted)? {
            true => Ok(BTreeMap::new()),
            false => sealed.read(passphrase.as_ref()),
        });
        let opened = opened.await.map_err(|trouble| self.trouble_of_file(file, name, trouble))?;
        let found = opened.get(name).cloned();
        for (name, text) in opened {
            self.remember(&SecretRef::Age { file: file.to_owned(), name }, text);
        }
        found.ok_or_else(|| Missing {
            reference: SecretRef::Age { file: file.to_owned(), name: name.to_owned() },
            why: format!("{file} holds no {name}"),
            chosen_now: false,
        })
    }

    async fn seal(&self, file: &str, name: String, text: Option<SecretString>) -> Result<(), NotKept> {
        let sealed = self.age_file(file);
        let key = SecretRef::Passphrase { file: file.to_owned() };
        let passphrase = self.known().get(&key).cloned();
        let about = name.clone();
        let written = blocking(move || sealed.change(passphrase.as_ref(), &name, text)).await;
        written.map_err(|trouble| match trouble {
            age_file::Trouble::Unwritable(why) | age_file::Trouble::Unreadable(why) => {
                NotKept::Failure(Failure::new(why, "Look at the folder and the disk, or choose another store."))
            }
            other => NotKept::Missing(self.trouble_of_file(file, &about, other)),
        })
    }

    /// A wrong passphrase is forgotten, so that it is asked for again.
    fn trouble_of_file(&self, file: &str, name: &str, trouble: age_file::Trouble) -> Missing {
        let passphrase = SecretRef::Passphrase { file: file.to_owned() };
        let secret = SecretRef::Age { file: file.to_owned(), name: name.to_owned() };
        let ask = |reference, why, chosen_now| Missing { reference, why, chosen_now };
        match trouble {
            age_file::Trouble::WantsPassphrase { new: true } => {
                ask(passphrase, format!("{file} is made now; choose a passphrase for it"), true)
            }
            age_file::Trouble::WantsPassphrase { new: false } => {
                ask(passphrase, format!("{file} is sealed with it"), false)
            }
            age_file::Trouble::WrongPassphrase => {
                self.known().remove(&passphrase);
                ask(passphrase, format!("what was given does not open {file}"), false)
            }
            age_file::Trouble::Unreadable(why) | age_file::Trouble::Unwritable(why) => ask(secret, why, false),
        }
    }

    fn age_file(&self, file: &str) -> AgeFile {
        let path = match file.strip_prefix("~/") {
            Some(below) => self.0.home.join(below),
            None => self.0.folder.join(file),
        };
        AgeFile { path, shown: file.to_owned(), identity: self.0.identity.clone(), work: self.0.work }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<SecretRef, SecretString>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One entry of a secret that is a JSON object.
fn entry(text: &SecretString, key: &str) -> Option<SecretString> {
    let mut entries: BTreeMap<String, serde_json::Value> = serde_json::from_str(text.expose_secret()).ok()?;
    match entries.remove(key)? {
        serde_json::Value::String(text) => Some(SecretString::from(text)),
        serde_json::Value::Number(number) => Some(SecretString::from(number.to_string())),
        _ => None,
    }
}

/// Makes the secret, or gives the one that is ours another text; the token is of the text, so that a second try is the
/// same call.
async fn store_in_aws(cloud: &Cloud, keep: &Keep<'_>, text: &SecretString) -> Result<String, crate::aws::AwsFailure> {
    let name = format!("onramp/{}/{}", keep.engagement, keep.input);
    let mut hash = blake3::Hasher::new_derive_key("onramp 2026-11 token of a stored secret");
    [keep.stamp.engagement(), "\0", &name, "\0", text.expose_secret()].iter().for_each(|part| {
        hash.update(part.as_bytes());
    });
    let token = hash.finalize().to_hex()[..32].to_owned();
    let seen = cloud.look_at_secret(&name).await?;
    let Some(seen) = seen else {
        cloud.create_secret(&name, text, &token, "Stored by onramp for an engagement", &keep.stamp).await?;
        return Ok(name);
    };
    if !matches!(seen.holder(keep.stamp.engagement()), crate::aws::Holder::Us { .. }) {
        return Err(crate::aws::AwsFailure::taken("CreateSecret", &name));
    }
    if seen.going {
        cloud.restore_secret(&name).await?;
    }
    cloud.put_secret(&name, text, &token).await?;
    Ok(name)
}

/// Runs what waits for a disk, for the work of a passphrase, or for the keyring's own window.
async fn blocking<T: Send + 'static, E: Send + 'static + From<String>>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(E::from("the store failed unexpectedly".to_owned())),
    }
}

#[cfg(test)]
mod tests;
