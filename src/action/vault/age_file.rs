//! One sealed file: a map from name to text, encrypted with age. Replaced as a whole or not at all, readable by its
//! owner only.
//!
//! An entry can be taken out while the file stays sealed: its name is written down beside it, counts as gone from then
//! on, and goes when the file is opened next. The list says of which bytes it speaks: of a file that was sealed anew it
//! says nothing, so that an entry of the same name that came later is never hidden.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::action::papers::replace;
use crate::text::seal::{self, SealError, SealKey, Work};

pub(super) struct AgeFile {
    pub path: PathBuf,
    /// As the reference names it.
    pub shown: String,
    /// Opens it without a passphrase.
    pub identity: Option<PathBuf>,
    pub work: Work,
}

/// Why it cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    WantsPassphrase { new: bool },
    WrongPassphrase,
    Unreadable(String),
    Unwritable(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Trouble::Unreadable(why)
    }
}

type Entries = BTreeMap<String, SecretString>;

/// What was taken out while the file was sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct TakenOut {
    /// Hash of the sealed bytes (hexadecimal).
    of: String,
    names: BTreeSet<String>,
}

impl AgeFile {
    /// Everything that is in it.
    pub fn read(&self, passphrase: Option<&SecretString>) -> Result<Entries, Trouble> {
        match self.bytes()? {
            None => Err(Trouble::Unreadable(format!("there is no file {}", self.path.display()))),
            Some(sealed) => {
                let (entries, key) = self.opened(&sealed, passphrase)?;
                if !self.taken_out(&sealed).names.is_empty() {
                    // Where it cannot be written, it counts as gone all the same.
                    let _ = self.write(&entries, &key);
                }
                Ok(entries)
            }
        }
    }

    /// Takes an entry out without opening the file.
    pub fn take_out_sealed(&self, name: &str) -> Result<(), Trouble> {
        let Some(sealed) = self.bytes()? else { return Ok(()) };
        let mut list = self.taken_out(&sealed);
        list.of = hash(&sealed);
        list.names.insert(name.to_owned());
        let list = serde_json::to_vec(&list).map_err(|error| self.unwritable(&error))?;
        replace(&self.list(), &list).map_err(|error| self.unwritable(&error))
    }

    /// Was it taken out while the file was sealed, as it still is?
    pub fn is_taken_out(&self, name: &str) -> Result<bool, Trouble> {
        Ok(self.bytes()?.is_some_and(|sealed| self.taken_out(&sealed).names.contains(name)))
    }

    fn taken_out(&self, sealed: &[u8]) -> TakenOut {
        let read = fs::read(self.list()).ok().and_then(|bytes| serde_json::from_slice::<TakenOut>(&bytes).ok());
        read.filter(|list| list.of == hash(sealed)).unwrap_or_default()
    }

    fn list(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".out");
        self.path.with_file_name(name)
    }

    /// Is the key to it at hand?
    pub fn ready(&self, passphrase: Option<&SecretString>) -> Result<(), Trouble> {
        match self.bytes()? {
            Some(sealed) => self.opened(&sealed, passphrase).map(drop),
            None => self.new_key(passphrase).map(drop),
        }
    }

    /// Puts an entry in, or takes it out.
    pub fn change(
        &self,
        passphrase: Option<&SecretString>,
        name: &str,
        text: Option<SecretString>,
    ) -> Result<(), Trouble> {
        let sealed = self.bytes()?;
        let (mut entries, key) = match &sealed {
            Some(sealed) => self.opened(sealed, passphrase)?,
            None if text.is_none() => return Ok(()),
            None => (Entries::new(), self.new_key(passphrase)?),
        };
        match text {
            Some(text) => entries.insert(name.to_owned(), text),
            None => entries.remove(name),
        };
        self.write(&entries, &key)
    }

    fn write(&self, entries: &Entries, key: &SealKey) -> Result<(), Trouble> {
        let plain: BTreeMap<&str, &str> =
            entries.iter().map(|(name, text)| (name.as_str(), text.expose_secret())).collect();
        let plain = serde_json::to_vec_pretty(&plain).map(Zeroizing::new);
        let plain = plain.map_err(|_| Trouble::Unwritable("the entries cannot be written down".to_owned()))?;
        let sealed = seal::seal(&plain, key, self.work).map_err(|error| self.unwritable(&error))?;
        replace(&self.path, &sealed).map_err(|error| self.unwritable(&error))?;
        // The list spoke of the bytes that are gone.
        let _ = fs::remove_file(self.list());
        Ok(())
    }

    fn opened(&self, sealed: &[u8], passphrase: Option<&SecretString>) -> Result<(Entries, SealKey), Trouble> {
        let by_passphrase = seal::wants_passphrase(sealed).map_err(|error| self.unreadable(&error))?;
        let key = match (by_passphrase, passphrase) {
            (true, Some(passphrase)) => SealKey::Passphrase(passphrase.clone()),
            (true, None) => return Err(Trouble::WantsPassphrase { new: false }),
            (false, _) => self.identities()?.ok_or_else(|| {
                let why = "it is sealed for a key; name the identity file in ONRAMP_AGE_IDENTITY";
                Trouble::Unreadable(format!("{} cannot be opened: {why}", self.shown))
            })?,
        };
        let plain = seal::open(sealed, &key).map_err(|error| match error {
            SealError::WrongKey if by_passphrase => Trouble::WrongPassphrase,
            error => self.unreadable(&error),
        })?;
        // What the parser would say of a mistake could be a secret.
        let entries: BTreeMap<String, String> = serde_yaml::from_slice(&plain)
            .map_err(|_| self.unreadable(&"what is sealed in it is not a map of names and texts"))?;
        let gone = self.taken_out(sealed).names;
        let there = entries.into_iter().filter(|(name, _)| !gone.contains(name));
        Ok((there.map(|(name, text)| (name, SecretString::from(text))).collect(), key))
    }

    /// A file that is made now is sealed for the identity where there is one.
    fn new_key(&self, passphrase: Option<&SecretString>) -> Result<SealKey, Trouble> {
        if let Some(identities) = self.identities()? {
            return Ok(identities);
        }
        passphrase.map(|text| SealKey::Passphrase(text.clone())).ok_or(Trouble::WantsPassphrase { new: true })
    }

    fn identities(&self) -> Result<Option<SealKey>, Trouble> {
        let Some(path) = &self.identity else { return Ok(None) };
        let text = fs::read_to_string(path)
            .map_err(|error| Trouble::Unreadable(format!("{} cannot be read: {error}", path.display())))?;
        Ok(Some(SealKey::Identities(SecretString::from(text))))
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, Trouble> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Trouble {
        Trouble::Unreadable(format!("{} cannot be opened: {error}", self.shown))
    }

    fn unwritable(&self, error: &dyn std::fmt::Display) -> Trouble {
        Trouble::Unwritable(format!("{} cannot be written: {error}", self.shown))
    }
}

fn hash(sealed: &[u8]) -> String {
    blake3::hash(sealed).to_hex().to_string()
}
