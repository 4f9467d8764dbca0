//! Copies of a state file: one is kept before its format changes.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::JournalError;
use super::ground::{self, unwritable};

/// How many are kept; each is a whole copy.
const KEPT: usize = 3;
const PREFIX: &str = "journal-v";
const ENDING: &str = ".db";

/// Keeps a copy beside the file, `journal-v1-2026-11-23T08-15-00Z.db`, and lets the oldest ones go. `now` is RFC 3339.
pub(super) fn keep(connection: &Connection, folder: &Path, version: i64, now: &str) -> Result<PathBuf, JournalError> {
    let path = folder.join(format!("{PREFIX}{version}-{}{ENDING}", now.replace(':', "-")));
    ground::remove(&path)?;
    ground::make_private_file(&path)?;
    copy(connection, &path)?;
    ground::sync_folder(folder)?;
    let kept = all(folder);
    for old in kept.iter().take(kept.len().saturating_sub(KEPT)) {
        ground::remove(old)?;
    }
    Ok(path)
}

/// All copies, the oldest first: a newer format and a later time sort behind.
pub(super) fn all(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_copy = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(PREFIX) && name.ends_with(ENDING)
    };
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_copy).collect();
    found.sort();
    found
}

/// A whole and consistent copy, on the disk when this returns. The file at `path` is there and empty: so it is its
/// owner's only from the first byte on.
pub(super) fn copy(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let name = path.to_str().ok_or_else(|| unwritable(path, &"its name is not UTF-8"))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| unwritable(path, &error))?;
    let sync = || fs::File::open(path)?.sync_all();
    sync().map_err(|error| unwritable(path, &error))
}
