//! Key files: what is in them, who may read them, and what opens them.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::SendError;
use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Certificate, HashAlg, PrivateKey, PublicKey, decode_secret_key};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::offers::is_hardware;
use super::person::{self, About, Line};
use crate::ssh::error::KeyFileTrouble;
use crate::ssh::{Hop, Settings};

/// No private key is larger; a guard against a device or a log given by mistake.
const LARGEST_KEY_FILE: u64 = 64 * 1024;

/// How often a passphrase may be mistyped.
const MOST_PASSPHRASES: usize = 3;

/// A person who gave no passphrase is not asked again for each of a hundred hosts.
const REST: Duration = Duration::from_secs(30);

/// Keys that a person has unlocked, kept until the program ends.
#[derive(Clone, Default)]
pub struct Unlocked(Arc<Mutex<HashMap<PathBuf, Opened>>>);

#[derive(Clone)]
enum Opened {
    Key(Arc<PrivateKey>),
    /// Nobody opened it, at that time.
    Refused(Instant, KeyFileTrouble),
}

/// What a file holds.
pub(super) enum Loaded {
    Open(Arc<PrivateKey>),
    /// It needs a passphrase; the public half, where that can be read without.
    Locked(Option<PublicKey>),
    /// It is a handle of a security device.
    Hardware(Option<PublicKey>),
    Trouble(KeyFileTrouble),
}

/// A key whose passphrase was not given yet.
#[derive(Clone)]
pub(super) struct Locked {
    pub(super) path: PathBuf,
    pub(super) public: PublicKey,
    pub(super) certificate: Option<Box<Certificate>>,
}

/// Reads a file, or remembers what a person has unlocked.
pub(super) async fn load(path: &Path, settings: &Settings) -> Loaded {
    if let Some(Opened::Key(key)) = settings.unlocked.0.lock().await.get(path) {
        return Loaded::Open(Arc::clone(key));
    }
    match read(path) {
        Ok(key) if is_hardware(&key.algorithm()) => Loaded::Hardware(Some(key.public_key().clone())),
        Ok(key) => Loaded::Open(Arc::new(key)),
        Err(KeyFileTrouble::Encrypted) => Loaded::Locked(public_part(path)),
        Err(why) => Loaded::Trouble(why),
    }
}

/// Reads a private key that only its owner can read.
fn read(path: &Path) -> Result<PrivateKey, KeyFileTrouble> {
    let secret = read_private(path)?;
    let text = secret.expose_secret();
    match decode_secret_key(text, None) {
        Ok(key) if key.is_encrypted() => Err(KeyFileTrouble::Encrypted),
        Ok(key) => Ok(key),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(KeyFileTrouble::Encrypted),
        Err(_) if text.contains("ENCRYPTED") => Err(KeyFileTrouble::Encrypted),
        Err(_) if text.contains("PUBLIC KEY") || text.starts_with("ssh-") => {
            Err(KeyFileTrouble::Unusable("this is the public half; the private key is needed".to_owned()))
        }
        Err(error) => Err(KeyFileTrouble::Unusable(error.to_string())),
    }
}

fn read_private(path: &Path) -> Result<SecretString, KeyFileTrouble> {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileTrouble::Missing,
        _ => KeyFileTrouble::Unusable(error.to_string()),
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() || facts.len() > LARGEST_KEY_FILE {
        return Err(KeyFileTrouble::Unusable("this is not a key file".to_owned()));
    }
    let mode = facts.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileTrouble::Mode(mode));
    }
    let mut text = String::new();
    file.take(LARGEST_KEY_FILE).read_to_string(&mut text).map_err(failed)?;
    Ok(SecretString::from(text))
}

/// The public half of a key: in the same file, or beside it with `.pub`. A file may hold nothing but the public half,
/// where the agent has the private one.
pub(super) fn public_part(path: &Path) -> Option<PublicKey> {
    let inside = read_private(path).ok().and_then(|text| PrivateKey::from_openssh(text.expose_secret()).ok());
    if let Some(key) = inside {
        return Some(key.public_key().clone());
    }
    russh::keys::load_public_key(beside(path, ".pub")).or_else(|_| russh::keys::load_public_key(path)).ok()
}

/// The certificate that ssh-keygen puts beside a key: `KEY-cert.pub`.
pub(super) fn certificate_beside(path: &Path) -> Option<Certificate> {
    Certificate::read_file(&beside(path, "-cert.pub")).ok()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

/// Asks a person for the passphrase, once for all who need the key.
pub(super) async fn unlock(path: &Path, hop: &Hop, settings: &Settings) -> Result<Arc<PrivateKey>, KeyFileTrouble> {
    // Held while a person is asked: whoever else needs it gets the answer, too.
    let mut known = settings.unlocked.0.lock().await;
    match known.get(path) {
        Some(Opened::Key(key)) => return Ok(Arc::clone(key)),
        Some(Opened::Refused(at, why)) if at.elapsed() < REST => return Err(why.clone()),
        _ => {}
    }
    let opened = ask_and_open(path, hop, settings).await;
    known.insert(
        path.to_owned(),
        match &opened {
            Ok(key) => Opened::Key(Arc::clone(key)),
            Err(why) => Opened::Refused(Instant::now(), why.clone()),
        },
    );
    opened
}

async fn ask_and_open(path: &Path, hop: &Hop, settings: &Settings) -> Result<Arc<PrivateKey>, KeyFileTrouble> {
    for turn in 0..MOST_PASSPHRASES {
        let said = if turn == 0 { "" } else { "That passphrase does not open it." };
        let line = Line { label: format!("Passphrase of {}", path.display()), shown: false };
        let answers = person::answers(settings, hop, About::Passphrase(path.to_owned()), said, vec![line]).await;
        let Some(passphrase) = answers.ok().and_then(|mut answers| answers.pop()) else {
            return Err(KeyFileTrouble::Encrypted);
        };
        if passphrase.expose_secret().is_empty() {
            return Err(KeyFileTrouble::Encrypted);
        }
        let text = read_private(path)?;
        // Deriving the key is made slow on purpose.
        let opening = move || decode_secret_key(text.expose_secret(), Some(passphrase.expose_secret()));
        if let Ok(Ok(key)) = tokio::task::spawn_blocking(opening).await {
            return Ok(Arc::new(key));
        }
    }
    Err(KeyFileTrouble::WrongPassphrase)
}

/// Signs with a key of ours, which a person unlocks first if need be.
pub(super) struct Unlocking<'a> {
    key: Option<Arc<PrivateKey>>,
    locked: Option<(PathBuf, &'a Hop, &'a Settings)>,
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum CannotSign {
    /// The connection is gone.
    Gone,
    /// The key cannot do it.
    Key(String),
    /// The file was not unlocked.
    File(KeyFileTrouble),
}

impl From<SendError> for CannotSign {
    fn from(_: SendError) -> Self {
        Self::Gone
    }
}

impl<'a> Unlocking<'a> {
    pub(super) fn open(key: Arc<PrivateKey>) -> Self {
        Self { key: Some(key), locked: None }
    }

    pub(super) fn locked(locked: Locked, hop: &'a Hop, settings: &'a Settings) -> Self {
        Self { key: None, locked: Some((locked.path, hop, settings)) }
    }

    async fn key(&self) -> Result<Arc<PrivateKey>, CannotSign> {
        match (&self.key, &self.locked) {
            (Some(key), _) => Ok(Arc::clone(key)),
            (None, Some((path, hop, settings))) => unlock(path, hop, settings).await.map_err(CannotSign::File),
            (None, None) => Err(CannotSign::Key("there is no key".to_owned())),
        }
    }
}

impl Signer for Unlocking<'_> {
    type Error = CannotSign;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, CannotSign> {
        let key = self.key().await?;
        let failed = |error: String| CannotSign::Key(format!("the key cannot sign: {error}"));
        let signature: Signature = match key.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&to_sign),
            pair => pair.try_sign(&to_sign),
        }
        .map_err(|error| failed(error.to_string()))?;
        let mut encoded = Vec::new();
        signature.encode(&mut encoded).map_err(|error| failed(error.to_string()))?;
        encoded.as_slice().encode(&mut to_sign).map_err(|error| failed(error.to_string()))?;
        Ok(to_sign)
    }
}

#[cfg(test)]
#[path = "../tests/key_files.rs"]
mod tests;
