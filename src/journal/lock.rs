//! Who holds an engagement. The operating system lets go of a dead process's lock by itself.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::ground::{make_private_folder, unwritable};

/// The process that may write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub user: String,
    pub host: String,
    pub process: u32,
    /// RFC 3339.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (process {}, since {})", self.user, self.host, self.process, self.since)
    }
}

/// Held for as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Who had it before, and ended without letting go.
    left_by: Option<Holder>,
}

impl Lock {
    pub fn left_by(&self) -> Option<&Holder> {
        self.left_by.as_ref()
    }
}

impl Drop for Lock {
    /// Whoever lets go in order leaves no name behind.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

const NAME: &str = "journal.lock";
/// How often a lock that is taken is tried again.
const LOOKERS: u32 = 10;

pub(super) fn take(folder: &Path, holder: &Holder) -> Result<Lock, JournalError> {
    let path = folder.join(NAME);
    let unwritable = |why: String| JournalError::Unwritable { path: path.clone(), why };
    let mut file = open(&path).map_err(|error| unwritable(error.to_string()))?;
    let mut tries = 0;
    let locked = loop {
        match file.try_lock() {
            // Somebody who only asks who holds it has it for a moment.
            Err(TryLockError::WouldBlock) if tries < LOOKERS => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            locked => break locked,
        }
    };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalError::Held(who(&mut file).unwrap_or_else(nobody_known))),
        // A file system without locks cannot keep two writers apart: refused rather than ignored.
        Err(TryLockError::Error(error)) => return Err(unwritable(format!("this file system has no locks ({error})"))),
    }
    let left_by = who(&mut file);
    let text = serde_json::to_string(holder)?;
    let write = |file: &mut File| -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write(&mut file).map_err(|error| unwritable(error.to_string()))?;
    Ok(Lock { file, left_by })
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The right to add engagements to this folder, waited for, until the file is dropped or its process has ended.
///
/// # Errors
/// The folder cannot be made or written, or its file system has no locks.
pub fn turn(engagements: &Path) -> Result<File, JournalError> {
    make_private_folder(engagements)?;
    let path = engagements.join(".turn");
    let locked = open(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| unwritable(&path, &error))
}

/// The living holder, if there is one.
pub(super) fn holder(folder: &Path) -> Option<Holder> {
    let mut file = OpenOptions::new().read(true).open(folder.join(NAME)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(who(&mut file).unwrap_or_else(nobody_known)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn who(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    serde_json::from_str(&text).ok()
}

fn nobody_known() -> Holder {
    let unknown = |what: &str| what.to_owned();
    Holder { user: unknown("somebody"), host: unknown("unknown host"), process: 0, since: unknown("unknown") }
}
