//! The last event that was made durable, beside the state file: so that a file that lost its end is known from a short
//! one. It is written after each commit and never waited for; a power cut may leave an older one, never a newer one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::chain::Hash;
use super::ground;

const NAME: &str = "journal.mark";
/// Number, hash, and a sum over both.
const LENGTH: usize = 8 + 32 + 16;

/// What the mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marked {
    pub seq: u64,
    pub head: Hash,
}

/// The open mark of a writer. One that cannot be written is merely older: nothing is lost but a warning.
#[derive(Debug)]
pub(super) struct Mark {
    file: Option<File>,
}

impl Mark {
    pub fn open(folder: &Path) -> Mark {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Mark { file: options.open(path(folder)).ok() }
    }

    pub fn set(&mut self, marked: Marked) {
        let Some(file) = &mut self.file else { return };
        if file.rewind().and_then(|()| file.write_all(&bytes(marked))).is_err() {
            self.file = None;
        }
    }
}

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

/// Nothing, where there is none, or none that can be believed.
pub(super) fn read(folder: &Path) -> Option<Marked> {
    let mut found = Vec::new();
    File::open(path(folder)).ok()?.take(LENGTH as u64).read_to_end(&mut found).ok()?;
    let marked =
        Marked { seq: u64::from_le_bytes(found.get(..8)?.try_into().ok()?), head: found.get(8..40)?.try_into().ok()? };
    (found == bytes(marked)).then_some(marked)
}

/// For a state file that begins anew under this name.
pub(super) fn forget(folder: &Path) -> Result<(), JournalError> {
    ground::remove(&path(folder))
}

fn bytes(marked: Marked) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let (said, sum) = bytes.split_at_mut(40);
    let (seq, head) = said.split_at_mut(8);
    seq.copy_from_slice(&marked.seq.to_le_bytes());
    head.copy_from_slice(&marked.head);
    let whole = blake3::hash(said);
    sum.copy_from_slice(whole.as_bytes().split_at(16).0);
    bytes
}
