//! What goes where: data on standard output, words for people on standard error.

use std::io::{self, Write};

use serde::Serialize;

use super::failure::Failure;

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
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
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
    line(&text)
}

/// JSON for people to read, too.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::usage(error.to_string()))?;
    line(&text)
}

/// Words for people; lost when standard error is gone.
pub fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// A question on standard error; the answer stands behind it.
pub fn ask(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}
