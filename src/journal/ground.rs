//! What a state file stands on: a folder and files for their owner only, still the same ones as when it was opened.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::JournalError;

/// The files that were opened. SQLite would go on writing into a file that was removed or replaced, and nobody would
/// ever see it again.
#[derive(Debug)]
pub(super) struct Ground {
    files: Vec<(PathBuf, Identity)>,
}

/// Which file it is, whatever its name. Nothing is known of that elsewhere than on Unix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    pub inode: u64,
}

impl Ground {
    pub fn of<const N: usize>(paths: [PathBuf; N]) -> Result<Ground, JournalError> {
        let files = paths.into_iter().map(|path| {
            let identity = Identity::of(&path).map_err(|error| gone(&path, &error))?;
            Ok((path, identity))
        });
        Ok(Ground { files: files.collect::<Result<_, JournalError>>()? })
    }

    /// # Errors
    /// The folder or a file of it was removed, unmounted or replaced.
    pub fn holds(&self) -> Result<(), JournalError> {
        for (path, before) in &self.files {
            let now = Identity::of(path).map_err(|error| gone(path, &error))?;
            if now != *before {
                return Err(JournalError::Gone { path: path.clone(), what: "another file is in its place".to_owned() });
            }
        }
        Ok(())
    }
}

fn gone(path: &Path, error: &std::io::Error) -> JournalError {
    let what = match error.kind() {
        std::io::ErrorKind::NotFound => "it or its folder was removed, moved or unmounted".to_owned(),
        _ => error.to_string(),
    };
    JournalError::Gone { path: path.to_owned(), what }
}

impl Identity {
    #[cfg(unix)]
    pub fn of(path: &Path) -> std::io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        let about = fs::metadata(path)?;
        Ok(Identity { device: about.dev(), inode: about.ino() })
    }

    #[cfg(not(unix))]
    pub fn of(path: &Path) -> std::io::Result<Identity> {
        fs::metadata(path).map(|_| Identity { device: 0, inode: 0 })
    }
}

/// Is `path` on a file system that is read-only?
pub fn never_changes(path: &Path) -> bool {
    #[cfg(unix)]
    let fixed =
        rustix::fs::statvfs(path).is_ok_and(|about| about.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    #[cfg(not(unix))]
    let fixed = false;
    fixed
}

/// The name of a file that belongs to another: `journal.db-wal`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> JournalError {
    JournalError::Unwritable { path: path.to_owned(), why: error.to_string() }
}

/// What SQLite could not do, in words for whoever has to make room or mend something.
pub(super) fn wrong(path: &Path, error: rusqlite::Error) -> JournalError {
    let no_room = lacks_room(&error);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => unwritable(path, &"the disk is full"),
        _ if no_room => unwritable(path, &"the disk is full"),
        Some(ErrorCode::ReadOnly) => unwritable(path, &"it is read-only"),
        Some(ErrorCode::SystemIoFailure) => unwritable(path, &format!("the disk fails ({error})")),
        Some(ErrorCode::CannotOpen) => unwritable(path, &error),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            JournalError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
        _ => JournalError::Sql(error),
    }
}

/// It could not make room for its -shm.
pub(super) fn lacks_room(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// The same for reading, where whatever is not the disk's fault is the file's.
pub(super) fn unreadable(path: &Path, error: rusqlite::Error) -> JournalError {
    match wrong(path, error) {
        JournalError::Sql(error) if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
            JournalError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
        told => told,
    }
}

/// Makes a folder for its owner only. Its name outlives a power cut, and so do those of the folders made on the way.
pub(super) fn make_private_folder(folder: &Path) -> Result<(), JournalError> {
    let mut made = Vec::new();
    let mut above = Some(folder);
    while let Some(one) = above.filter(|one| !one.exists()) {
        made.push(one);
        above = one.parent();
    }
    make_folder(folder).map_err(|error| unwritable(folder, &error))?;
    for one in made {
        let above = one.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(above)?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// New names in this folder outlive a power cut. Elsewhere than on Unix the file system sees to that.
pub(super) fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unwritable(folder, &error))?;
    Ok(())
}

/// A new file for its owner only.
pub(super) fn make_private_file(path: &Path) -> Result<fs::File, JournalError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| unwritable(path, &error))
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), JournalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(path, &error)),
        _ => Ok(()),
    }
}

/// Refuses a file that others may read or write: it names the customer's network.
#[cfg(unix)]
pub(super) fn check_private(path: &Path, wanted: u32) -> Result<(), JournalError> {
    use std::os::unix::fs::PermissionsExt;
    let meta = fs::metadata(path)
        .map_err(|error| JournalError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(JournalError::Exposed { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn check_private(_path: &Path, _wanted: u32) -> Result<(), JournalError> {
    Ok(())
}
