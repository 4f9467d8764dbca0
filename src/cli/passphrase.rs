//! A passphrase, from a file or typed without showing it.

use std::io::IsTerminal;
use std::path::Path;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use secrecy::{ExposeSecret, SecretString};

use super::failure::{Failure, Kind};
use super::print;

/// A new passphrase: the first line of `file`, or typed twice.
///
/// # Errors
/// There is no terminal, it is empty, or the two are not the same.
pub fn new(file: Option<&Path>) -> Result<SecretString, Failure> {
    let typed = match file {
        Some(file) => from_file(file)?,
        None => {
            let first = ask("Passphrase: ")?;
            let second = ask("The same once more: ")?;
            if first.expose_secret() != second.expose_secret() {
                return Err(Failure::usage("the two passphrases are not the same; nothing was written"));
            }
            first
        }
    };
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
        None => ask("Passphrase: "),
    }
}

fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path)
        .map(SecretString::from)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    Ok(text.expose_secret().lines().next().unwrap_or_default().to_owned().into())
}

fn ask(prompt: &str) -> Result<SecretString, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage("there is no terminal to type a passphrase on")
            .hint("name a file that holds it: --passphrase-file"));
    }
    print::ask(prompt);
    let failed = |error: std::io::Error| Failure::usage(format!("the terminal cannot be read: {error}"));
    enable_raw_mode().map_err(failed)?;
    let typed = type_unseen();
    disable_raw_mode().map_err(failed)?;
    print::say("");
    typed.map_err(failed)?.ok_or_else(|| Failure::new(Kind::Interrupted, "interrupted; nothing was written"))
}

/// Until Enter; nothing after Ctrl-C.
fn type_unseen() -> std::io::Result<Option<SecretString>> {
    let mut typed = String::new();
    loop {
        let Event::Key(key) = read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(typed.into())),
            KeyCode::Char('c' | 'd') if control => return Ok(None),
            KeyCode::Char('u') if control => typed.clear(),
            KeyCode::Char(letter) => typed.push(letter),
            KeyCode::Backspace => {
                typed.pop();
            }
            _ => {}
        }
    }
}
