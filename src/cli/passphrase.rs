//! A passphrase, from a file or typed without showing it.

use std::io::IsTerminal;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::unseen::Unseen;

/// A new passphrase: the first line of `file`, or typed twice.
///
/// # Errors
/// There is no terminal, or the file's is empty.
pub fn new(file: Option<&Path>) -> Result<SecretString, Failure> {
    let Some(file) = file else { return terminal()?.twice("Passphrase: ") };
    let typed = from_file(file)?;
    if typed.expose_secret().is_empty() {
        return Err(Failure::usage("an empty passphrase locks nothing"));
    }
    Ok(typed)
}

/// The passphrase of a file that is there: the first line of `file`, or typed.
///
/// # Errors
/// There is no terminal, or the file cannot be read.
pub fn existing(file: Option<&Path>) -> Result<SecretString, Failure> {
    match file {
        Some(file) => from_file(file),
        None => terminal()?.line("Passphrase: "),
    }
}

fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path)
        .map(SecretString::from)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    Ok(text.expose_secret().lines().next().unwrap_or_default().to_owned().into())
}

fn terminal() -> Result<Unseen, Failure> {
    let nobody = || {
        Failure::usage("there is no terminal to type a passphrase on")
            .hint("name a file that holds it: --passphrase-file")
    };
    Unseen::begin()?.filter(|_| std::io::stderr().is_terminal()).ok_or_else(nobody)
}
