//! The state file: the only memory.
//!
//! Uses: engagement, text.
//!
//! One SQLite file per engagement, append-only, each event holding the hash of the one before it; events and the
//! tables drawn from them change in one transaction. Invariant: what was acknowledged is found again after any crash
//! and any power cut, and a file that is not whole is never taken for one. Deliberately absent: secrets (events hold
//! references only), tokio, and any other way to make a `DurableIntent` than to have committed one.
//!
//! In an engagement's folder: `journal.db` and SQLite's `-wal` and `-shm`; `journal.lock`, who holds it; `journal.mark`,
//! the last event that was made durable; `journal-v1-….db`, a copy from before the format changed.

mod backup;
mod bundle;
mod chain;
mod check;
mod ground;
mod lock;
mod mark;
mod moves;
mod output;
mod reader;
mod rows;
mod salvage;
mod schema;
mod shared;
mod writer;

use std::path::{Path, PathBuf};

pub use bundle::{Bundle, BundleError, Header, Locking, Unlocking, export, export_salvaged};
pub use ground::never_changes;
pub use lock::{Holder, turn};
pub use moves::Away;
pub use output::{Lines, PageAt, Stream};
pub use reader::{Glance, Reader};
pub use shared::shared;
pub use writer::{DurableIntent, Placed, Writer};

/// What can be wrong with a state file.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("there is no engagement at {0}")]
    Missing(PathBuf),
    #[error("an engagement is already at {0}")]
    Exists(PathBuf),
    #[error("{0} holds this engagement")]
    Held(Holder),
    #[error("this engagement is worked on elsewhere: {0}")]
    Away(Away),
    #[error("{path} has format {found}; this onramp knows up to {known}. Use a newer onramp")]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{path} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("nothing of {path} can be saved: {what}")]
    Lost {
        path: PathBuf,
        what: String,
        /// Whole copies of it from before its format changed, the oldest first.
        backups: Vec<PathBuf>,
    },
    #[error("{path} may be read by others (mode {mode:o}); run: chmod {wanted:o} {path}", path = path.display())]
    Exposed { path: PathBuf, mode: u32, wanted: u32 },
    #[error("{path} is gone: {what}")]
    Gone { path: PathBuf, what: String },
    #[error("cannot write {path}: {why}")]
    Unwritable { path: PathBuf, why: String },
    #[error("cannot read {path}: {why}")]
    Unreadable { path: PathBuf, why: String },
    #[error("the state file could not be changed: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("an event could not be written: {0}")]
    Encoding(#[from] serde_json::Error),
}

/// The name of the state file in an engagement's folder.
pub const FILE: &str = "journal.db";

/// What the engagement in `folder` is called on this machine. It began under another name where it was imported so.
pub fn name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
