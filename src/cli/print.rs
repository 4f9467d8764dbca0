//! What goes where: data on standard output, words for people on standard error. Nothing that hosts, AWS or files said moves
//! a cursor: in words it is made visible, in JSON escaped.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::failure::Failure;
use crate::text;

/// How a command's answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// How a run's events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stream {
    Text,
    Jsonl,
}

/// Writes to standard output. A reader that went away (`| head`) is not an error.
///
/// # Errors
/// The output cannot be written for another reason, e.g. a full disk.
pub fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(harmless(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

pub fn line(text: &str) -> Result<(), Failure> {
    out(&format!("{text}\n"))
}

/// One line of JSON.
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::usage(error.to_string()))?;
    line(&escaped(text))
}

/// JSON for people to read, too.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::usage(error.to_string()))?;
    line(&escaped(text))
}

/// Words for people; lost when standard error is gone.
pub fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{}", harmless(text));
}

/// A question on standard error; the answer stands behind it.
pub fn ask(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{}", harmless(text)).and_then(|()| stderr.flush());
}

fn harmless(text: &str) -> Cow<'_, str> {
    if text::is_clean(text) { Cow::Borrowed(text) } else { Cow::Owned(text::clean(text.as_bytes())) }
}

/// The same JSON, with what a terminal would obey as `\u…`: it stands in strings only. (The line ends of pretty JSON are
/// between them.)
fn escaped(json: String) -> String {
    if json.is_ascii() && !json.contains('\x7f') {
        return json;
    }
    let mut units = [0; 2];
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && text::is_hostile(character) {
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_value_and_moves_no_cursor() {
        let evil = "\u{1b}[2J\u{7f}\u{9b}31m\u{202e}abc\u{e0041}\n\ttab é 🦀";
        for json in [serde_json::to_string(evil).unwrap(), serde_json::to_string_pretty(&[evil]).unwrap()] {
            let safe = escaped(json.clone());
            assert!(!safe.chars().any(|c| c != '\n' && text::is_hostile(c)), "{safe:?}");
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&safe), value(&json));
            assert!(safe.contains("é 🦀"));
        }
    }
}
