//! Sealing with age: bytes that only the holder of a passphrase or of a key reads again. The crypto is age's own
//! (age-encryption.org, v1), and so is the format: what is sealed here `age -d` opens, and the other way round.

use std::io::{Read, Write};
use std::iter;

use age::secrecy::SecretString;
use age::{Decryptor, EncryptError, Encryptor, Identity, IdentityFile, Recipient, scrypt};
use zeroize::Zeroizing;

/// What opens something sealed.
#[derive(Clone)]
pub enum SealKey {
    Passphrase(SecretString),
    /// The text of an identity file, as `age-keygen` writes it.
    Identities(SecretString),
}

/// Why something cannot be sealed or opened. Never says anything of what is inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("this is no age file, or it is cut off")]
    NotSealed,
    #[error("it was changed since it was sealed")]
    Changed,
    #[error("the passphrase or the key does not open it")]
    WrongKey,
    #[error("the identity file holds no key of the kind AGE-SECRET-KEY-1…")]
    NoIdentity,
    #[error("it asks for more work than a passphrase on this machine may take")]
    TooMuchWork,
    #[error("{0}")]
    Other(String),
}

/// How hard a passphrase is to guess: age's own choice (a second on this machine), or a power of two for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work(pub Option<u8>);

/// Seals `plain`.
///
/// # Errors
/// The identity file holds no key.
pub fn seal(plain: &[u8], key: &SealKey, work: Work) -> Result<Vec<u8>, SealError> {
    match key {
        SealKey::Passphrase(passphrase) => {
            let mut recipient = scrypt::Recipient::new(passphrase.clone());
            if let Some(factor) = work.0 {
                recipient.set_work_factor(factor);
            }
            write(plain, iter::once(&recipient as &dyn Recipient))
        }
        SealKey::Identities(text) => {
            let recipients = identity_file(text)?.to_recipients().map_err(|_| SealError::NoIdentity)?;
            write(plain, recipients.iter().map(|recipient| recipient.as_ref() as &dyn Recipient))
        }
    }
}

fn write<'a>(plain: &[u8], to: impl Iterator<Item = &'a dyn Recipient>) -> Result<Vec<u8>, SealError> {
    let encryptor = Encryptor::with_recipients(to).map_err(|error| match error {
        EncryptError::MissingRecipients => SealError::NoIdentity,
        other => SealError::Other(other.to_string()),
    })?;
    let mut sealed = Vec::new();
    let written = || {
        let mut writer = encryptor.wrap_output(&mut sealed)?;
        writer.write_all(plain)?;
        writer.finish().map(|_| ())
    };
    written().map_err(|error: std::io::Error| SealError::Other(error.to_string()))?;
    Ok(sealed)
}

/// Does a passphrase open it, rather than a key?
///
/// # Errors
/// It is no age file.
pub fn wants_passphrase(sealed: &[u8]) -> Result<bool, SealError> {
    Decryptor::new(sealed).map(|decryptor| decryptor.is_scrypt()).map_err(|_| SealError::NotSealed)
}

/// Opens what was sealed.
///
/// # Errors
/// The key is another one, or the file is damaged or no age file at all.
pub fn open(sealed: &[u8], key: &SealKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
    match key {
        SealKey::Passphrase(passphrase) => {
            let identity = scrypt::Identity::new(passphrase.clone());
            read(sealed, iter::once(&identity as &dyn Identity))
        }
        SealKey::Identities(text) => {
            let identities = identity_file(text)?.into_identities().map_err(|_| SealError::NoIdentity)?;
            read(sealed, identities.iter().map(|identity| identity.as_ref() as &dyn Identity))
        }
    }
}

fn read<'a>(sealed: &[u8], with: impl Iterator<Item = &'a dyn Identity>) -> Result<Zeroizing<Vec<u8>>, SealError> {
    use age::DecryptError;
    let decryptor = Decryptor::new(sealed).map_err(|_| SealError::NotSealed)?;
    let mut reader = decryptor.decrypt(with).map_err(|error| match error {
        DecryptError::ExcessiveWork { .. } => SealError::TooMuchWork,
        DecryptError::InvalidMac => SealError::Changed,
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            SealError::WrongKey
        }
        _ => SealError::NotSealed,
    })?;
    let mut plain = Zeroizing::new(Vec::new());
    reader.read_to_end(&mut plain).map_err(|_| SealError::Changed)?;
    Ok(plain)
}

fn identity_file(text: &SecretString) -> Result<IdentityFile<age::NoCallbacks>, SealError> {
    use age::secrecy::ExposeSecret;
    IdentityFile::from_buffer(text.expose_secret().as_bytes()).map_err(|_| SealError::NoIdentity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Work = Work(Some(2));

    fn passphrase(text: &str) -> SealKey {
        SealKey::Passphrase(SecretString::from(text))
    }

    fn identity() -> SealKey {
        use age::secrecy::ExposeSecret;
        let text = age::x25519::Identity::generate().to_string();
        SealKey::Identities(SecretString::from(format!("# made by a test\n{}\n", text.expose_secret())))
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_only() {
        for (key, other) in [(passphrase("correct"), passphrase("wrong")), (identity(), identity())] {
            let sealed = seal(b"a secret", &key, QUICK).unwrap();
            assert!(!sealed.windows(8).any(|piece| piece == b"a secret"));
            assert_eq!(open(&sealed, &key).unwrap().as_slice(), b"a secret");
            assert_eq!(open(&sealed, &other), Err(SealError::WrongKey));
            assert_eq!(wants_passphrase(&sealed), Ok(matches!(key, SealKey::Passphrase(_))));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = identity();
        let sealed = seal(b"a secret", &key, QUICK).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &key).is_err(), "byte {at}");
            assert!(open(&sealed[..at], &key).is_err(), "cut at {at}");
        }
        assert_eq!(wants_passphrase(b"no age file"), Err(SealError::NotSealed));
    }
}
