//! The keyring of this machine's user: the Secret Service (GNOME Keyring, KWallet, KeePassXC), or the Keychain.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use secrecy::{ExposeSecret, SecretString};

/// Is there a keyring, and does it answer?
///
/// # Errors
/// Why not, in words.
pub fn keyring_works() -> Result<String, String> {
    let store = store()?;
    // Making the connection opens a session with whoever serves it.
    Ok(store.vendor().split(',').next().unwrap_or("keyring").to_owned())
}

pub(super) fn read(service: &str, name: &str) -> Result<SecretString, String> {
    entry(service, name)?.get_password().map(SecretString::from).map_err(|error| match error {
        Error::NoEntry => format!("the keyring has no {name} of {service}"),
        error => said(&error),
    })
}

pub(super) fn write(service: &str, name: &str, text: &SecretString) -> Result<(), String> {
    entry(service, name)?.set_password(text.expose_secret()).map_err(|error| said(&error))
}

pub(super) fn remove(service: &str, name: &str) -> Result<(), String> {
    match entry(service, name)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(said(&error)),
    }
}

fn entry(service: &str, name: &str) -> Result<Entry, String> {
    store()?.build(service, name, None).map_err(|error| said(&error))
}

#[cfg(target_os = "macos")]
fn store() -> Result<Arc<CredentialStore>, String> {
    let store = apple_native_keyring_store::keychain::Store::new().map_err(|error| said(&error))?;
    Ok(store)
}

#[cfg(not(target_os = "macos"))]
fn store() -> Result<Arc<CredentialStore>, String> {
    let store = dbus_secret_service_keyring_store::Store::new().map_err(|error| said(&error))?;
    Ok(store)
}

/// Never the bytes that some of the errors carry: they are a secret that could not be read as text.
fn said(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the keyring's entry is no text".to_owned(),
        Error::Ambiguous(_) => "the keyring has several entries of that name".to_owned(),
        error => format!("this machine's keyring cannot be used ({error})"),
    }
}
