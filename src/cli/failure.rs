//! Why a command ended without success: a kind, a message, hints, and the exit code in one match.

use std::fmt;
use std::path::{Path, PathBuf};

use super::reach::Reach;
use crate::engagement::Address;
use crate::engine::Broken;
use crate::journal::{BundleError, JournalError};

/// The kinds a caller's script can tell apart by exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    StepFailed,
    /// Bad usage, bad input, bad runbook.
    Usage,
    /// A person, a customer or AWS must move first.
    Waiting,
    Held,
    /// The state file is damaged or newer.
    StateFile,
    Interrupted,
}

#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    pub hints: Vec<String>,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), hints: Vec::new() }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(Kind::Usage, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Its commands reach the engagement that it is about.
    #[must_use]
    pub fn within(mut self, reach: &Reach) -> Self {
        self.message = reach.put(&self.message);
        self.hints = self.hints.iter().map(|hint| reach.put(hint)).collect();
        self
    }

    /// Nothing could be recorded any more: names what nobody knows now, and what to do.
    pub fn cut_off<'a>(broken: Broken, doubts: impl IntoIterator<Item = &'a Address>, reach: &Reach) -> Self {
        let doubts: Vec<&Address> = doubts.into_iter().collect();
        let failure = Failure::from(broken).hint("nothing was sent after the state file could not be written");
        let failure = match doubts.is_empty() {
            true => failure.hint("nothing is in doubt: no change was under way"),
            false => failure.hint(format!(
                "in doubt, because it was under way: {}. Whoever goes on looks first what became of it",
                Address::list(doubts)
            )),
        };
        failure.hint(reach.put("once that is mended: onramp open NAME, or onramp run NAME"))
    }

    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::StepFailed => 1,
            Kind::Usage => 2,
            Kind::Waiting => 3,
            Kind::Held => 4,
            Kind::StateFile => 5,
            Kind::Interrupted => 130,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "onramp: {}", self.message)?;
        for hint in &self.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let message = error.to_string();
        match error {
            JournalError::Held(_) => Failure::new(Kind::Held, message)
                .hint("you can read along: onramp watch NAME, or wait until they are done"),
            JournalError::Away(_) => Failure::new(Kind::Held, message)
                .hint("two machines must never work on one engagement: their changes would not know of each other")
                .hint("if nobody uses that file: onramp export NAME --take-back"),
            JournalError::Damaged { .. } => Failure::new(Kind::StateFile, message)
                .hint("nothing was changed. Keep a copy of its folder before anything else")
                .hint("what can still be read is saved by: onramp export NAME FILE --salvage"),
            JournalError::Lost { backups, path, .. } => lost(Failure::new(Kind::StateFile, message), &path, &backups),
            JournalError::Gone { .. } => Failure::new(Kind::StateFile, message)
                .hint("nothing was done that is not recorded in it. Bring it back, and open it again"),
            JournalError::Newer { .. } => Failure::new(Kind::StateFile, message),
            JournalError::Missing(_) => {
                Failure::usage(message).hint("onramp status lists the engagements that there are")
            }
            JournalError::Exists(_) => Failure::usage(message).hint("onramp open NAME goes on with it"),
            JournalError::Unwritable { .. } | JournalError::Unreadable { .. } => Failure::usage(message)
                .hint("is the folder writable? Another one is chosen with --data-dir or ONRAMP_DATA_DIR"),
            JournalError::Exposed { .. } => Failure::usage(message),
            JournalError::Sql(_) | JournalError::Encoding(_) => Failure::new(Kind::StateFile, message),
        }
    }
}

/// What is left to do when a file holds nothing any more: bring a copy back.
fn lost(failure: Failure, path: &Path, backups: &[PathBuf]) -> Failure {
    let folder = path.parent().unwrap_or(path).display();
    let failure = match backups.last() {
        Some(copy) => failure.hint(format!(
            "a whole copy from before its format changed is {}: move it to {}, remove journal.mark beside it, and open \
             the engagement",
            copy.display(),
            path.display()
        )),
        None => failure.hint(format!("there is no copy of it in {folder}")),
    };
    failure
        .hint(format!("a backup of this machine may hold {folder}: put the whole folder back, and open the engagement"))
        .hint("a file that was exported of it is taken up by: onramp import FILE")
        .hint("what it made in AWS stands, and carries tags that begin with onramp:")
}

impl From<Broken> for Failure {
    /// What fails under a run is no usage error, and no damage either: the run failed, and goes on once that is mended.
    fn from(broken: Broken) -> Self {
        let kind = if broken.damaged { Kind::StateFile } else { Kind::StepFailed };
        Failure::new(kind, broken.why).hint(broken.advice)
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let message = error.to_string();
        match error {
            BundleError::Journal(error) => error.into(),
            BundleError::Damaged { .. } => {
                Failure::new(Kind::StateFile, message).hint("nothing was imported. Ask for the file once more")
            }
            BundleError::WrongKey(_) => {
                Failure::usage(message).hint("nothing was imported. Ask whoever sent it how it is locked")
            }
            BundleError::Apart { .. } => Failure::usage(message)
                .hint("nothing was changed. Ask for the newest file; or go on here: onramp export NAME --take-back"),
            BundleError::Exists(_) => Failure::usage(message).hint("name another file"),
            BundleError::Unreadable { .. }
            | BundleError::Foreign(_)
            | BundleError::NoRecipient(_)
            | BundleError::NoIdentity
            | BundleError::Practice => Failure::usage(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reach::Options;
    use super::*;

    #[test]
    fn what_was_under_way_on_a_full_disk_is_named_and_the_file_is_not_called_damaged() {
        let reach = Reach::new("acme", Options::default(), None);
        let full = || Broken { why: "the disk is full".to_owned(), advice: "Make room", damaged: false };
        let (vpc, nat): (Address, Address) = ("net/vpc".parse().unwrap(), "net/nat".parse().unwrap());
        let failure = Failure::cut_off(full(), [&vpc, &nat], &reach);
        assert_eq!(failure.exit_code(), 1);
        let said = failure.to_string();
        for words in [
            "the disk is full",
            "Make room",
            "in doubt, because it was under way: net/vpc",
            "net/nat",
            "onramp run acme",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let nothing = Failure::cut_off(full(), [], &reach).to_string();
        assert!(nothing.contains("nothing is in doubt"), "{nothing}");
        let damaged = Failure::cut_off(Broken { damaged: true, ..full() }, [], &reach);
        assert_eq!(damaged.exit_code(), 5);
    }
}
