//! Who holds an engagement. The operating system lets go of a dead process's lock by itself.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::ground::{Identity, make_private_folder, unwritable};

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

/// What stands in the lock file: who holds it, and which file it is, so that a copy of it is told from the file itself.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    holder: Holder,
    /// Missing in a lock of an earlier onramp.
    #[serde(default)]
    place: Option<Place>,
}

/// A file keeps its number when its folder is renamed, and after a restart; the number of its device need not.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    folder: PathBuf,
    inode: u64,
}

/// What a holder left behind who did not let go.
#[derive(Debug)]
pub(super) enum Left {
    /// It ended: the system has let go of its lock.
    Ended(Holder),
    /// It held the folder that this one was copied from, and may hold it still.
    Copied { holder: Holder, from: Option<PathBuf>, lives: bool },
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Left::Ended(holder) => write!(f, "{holder} ended without letting go; it was taken over"),
            Left::Copied { holder, from, lives } => {
                let from = from.as_ref().map_or_else(|| "another folder".to_owned(), |from| from.display().to_string());
                let holds = if *lives { "holds" } else { "held" };
                write!(
                    f,
                    "this folder is a copy of {from}, which {holder} {holds}: go on in one of the two only, because neither \
                     knows what is changed from the other"
                )
            }
        }
    }
}

impl Entry {
    /// Nobody has the lock of the file that it stands in.
    fn left(self, here: &Identity) -> Left {
        let Entry { holder, place } = self;
        let lives = lives(&holder);
        match place {
            Some(place) if place.inode != here.inode => Left::Copied { holder, from: Some(place.folder), lives },
            // A living holder has its lock.
            None if lives => Left::Copied { holder, from: None, lives },
            _ => Left::Ended(holder),
        }
    }
}

/// Is a process of that number running here?
fn lives(holder: &Holder) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        use rustix::process::{Pid, test_kill_process};
        let here = rustix::system::uname().nodename().to_string_lossy() == holder.host;
        let process = i32::try_from(holder.process).ok().and_then(Pid::from_raw);
        here && process.is_some_and(|process| matches!(test_kill_process(process), Ok(()) | Err(Errno::PERM)))
    }
    #[cfg(not(unix))]
    {
        let _ = holder;
        false
    }
}

/// Held for as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    left: Option<Left>,
}

impl Lock {
    pub fn left(&self) -> Option<&Left> {
        self.left.as_ref()
    }
}

impl Drop for Lock {
    /// Whoever lets go in order leaves no name behind.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

pub(super) const NAME: &str = "journal.lock";
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
        Err(TryLockError::WouldBlock) => return Err(JournalError::Held(held_by(&mut file))),
        // A file system without locks cannot keep two writers apart: refused rather than ignored.
        Err(TryLockError::Error(error)) => return Err(unwritable(format!("this file system has no locks ({error})"))),
    }
    let here = Identity::of(&path).map_err(|error| unwritable(error.to_string()))?;
    let left = read(&mut file).map(|entry| entry.left(&here));
    let place = Place { folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()), inode: here.inode };
    let text = serde_json::to_string(&Entry { holder: holder.clone(), place: Some(place) })?;
    let write = |file: &mut File| -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write(&mut file).map_err(|error| unwritable(error.to_string()))?;
    Ok(Lock { file, left })
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
        Err(TryLockError::WouldBlock) => Some(held_by(&mut file)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn held_by(file: &mut File) -> Holder {
    read(file).map_or_else(nobody_known, |entry| entry.holder)
}

fn read(file: &mut File) -> Option<Entry> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    serde_json::from_str(&text).ok()
}

fn nobody_known() -> Holder {
    let unknown = |what: &str| what.to_owned();
    Holder { user: unknown("somebody"), host: unknown("unknown host"), process: 0, since: unknown("unknown") }
}
