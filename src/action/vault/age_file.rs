//! One sealed file: a map from name to text, encrypted with age. Replaced as a whole or not at all, readable by its
//! owner only.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

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

impl AgeFile {
    /// Everything that is in it.
    pub fn read(&self, passphrase: Option<&SecretString>) -> Result<Entries, Trouble> {
        match self.bytes()? {
            None => Err(Trouble::Unreadable(format!("there is no file {}", self.path.display()))),
            Some(sealed) => self.opened(&sealed, passphrase).map(|(entries, _)| entries),
        }
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
        let plain: BTreeMap<&str, &str> =
            entries.iter().map(|(name, text)| (name.as_str(), text.expose_secret())).collect();
        let plain = serde_json::to_vec_pretty(&plain).map(Zeroizing::new);
        let plain = plain.map_err(|_| Trouble::Unwritable("the entries cannot be written down".to_owned()))?;
        let sealed = seal::seal(&plain, &key, self.work).map_err(|error| self.unwritable(&error))?;
        replace(&self.path, &sealed).map_err(|error| self.unwritable(&error))
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
        Ok((entries.into_iter().map(|(name, text)| (name, SecretString::from(text))).collect(), key))
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

/// Writes beside it first, so that a power cut leaves the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The old file stands as it was.
        let _ = fs::remove_file(&beside);
        return written;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
