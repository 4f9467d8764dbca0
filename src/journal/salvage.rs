//! What can still be read of a damaged state file, up to the first event that is not as it was written.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::chain::{self, Hash};
use super::output::Written;
use super::{FILE, JournalError, backup, check, ground, mark, output, rows, schema};
use crate::engagement::{Address, Engagement, fold};

/// What was saved.
#[derive(Debug)]
pub(super) struct Saved {
    pub engagement: Engagement,
    pub head: Hash,
    /// What is there and what is missing, in words.
    pub said: String,
}

/// Makes a new state file at `new` of what can be read in `folder`, which stays untouched: the work is done on a copy in
/// `scratch`, an empty folder.
///
/// # Errors
/// `Lost`: not even the runbook that it walks is there. Or nothing can be written.
pub(super) fn salvage(folder: &Path, scratch: &Path, new: &Path) -> Result<Saved, JournalError> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Err(JournalError::Missing(folder.to_owned()));
    }
    let copy = scratch.join("damaged.db");
    for ending in ["", "-wal"] {
        let (from, to) = (ground::beside(&path, ending), ground::beside(&copy, ending));
        if from.exists() {
            fs::copy(&from, &to).map_err(|error| ground::unwritable(&to, &error))?;
        }
    }
    let lost = |what: String| JournalError::Lost { path: path.clone(), what, backups: backup::all(folder) };
    let damaged = open(&copy).map_err(|error| lost(error.to_string()))?;
    ground::make_private_file(new)?;
    let mut whole = Connection::open(new)?;
    schema::settle(&whole)?;
    schema::create(&whole)?;
    let transaction = whole.transaction()?;
    let (engagement, head, stopped) = copy_events(&damaged, &path, &transaction)?;
    if engagement.runbook.is_empty() {
        let why = match stopped {
            Some(JournalError::Damaged { what, .. }) => what,
            Some(other) => other.to_string(),
            None => "it ends".to_owned(),
        };
        return Err(lost(format!("before the runbook that it walks, {why}")));
    }
    rows::drawn(&transaction, &Engagement::default(), &engagement, &head)?;
    let lost_output = copy_output(&damaged, &transaction)?;
    transaction.commit()?;
    let recorded = mark::read(folder).map(|marked| marked.seq).filter(|recorded| *recorded > engagement.seq);
    let mut said = vec![format!("events 1 to {} are whole and saved", engagement.seq)];
    if let Some(JournalError::Damaged { what, .. }) = stopped {
        said.push(format!("then {what}"));
    }
    if let Some(recorded) = recorded {
        said.push(format!("events up to {recorded} were recorded, so {} are lost", recorded - engagement.seq));
    }
    if lost_output {
        said.push("some output of attempts is lost".to_owned());
    }
    Ok(Saved { engagement, head, said: said.join("; ") })
}

/// Opens a copy of a damaged file so that as much of it can be read as is there.
fn open(copy: &Path) -> rusqlite::Result<Connection> {
    // SQLite throws away what was written ahead beside an empty file; a page of nothing keeps it.
    if fs::metadata(copy).is_ok_and(|about| about.len() == 0)
        && let Ok(file) = fs::OpenOptions::new().write(true).open(copy)
    {
        let _ = file.set_len(4096);
    }
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Without it, a file that is shorter than its head says is not read at all.
    connection.pragma_update(None, "writable_schema", true)?;
    Ok(connection)
}

type Events = (Engagement, Hash, Option<JournalError>);

fn copy_events(damaged: &Connection, path: &Path, whole: &Connection) -> Result<Events, JournalError> {
    let mut engagement = Engagement::default();
    let mut head = chain::ROOT;
    let mut stored = Ok(());
    let walked = check::walk(damaged, path, |link, one, hash| {
        if stored.is_ok() {
            stored = rows::event(whole, link, hash);
            fold(&mut engagement, one);
            head = *hash;
        }
    });
    stored?;
    Ok((engagement, head, walked.err()))
}

/// True when not all of it could be copied.
fn copy_output(damaged: &Connection, whole: &Connection) -> Result<bool, JournalError> {
    let pieces = |sum: &str| {
        damaged.prepare(&format!("SELECT step, attempt, chunk, first, lines, bytes, {sum} FROM output ORDER BY rowid"))
    };
    let Ok(mut pieces) = pieces("sum").or_else(|_| pieces("NULL")) else { return Ok(true) };
    let Ok(mut pieces) = pieces.query([]) else { return Ok(true) };
    let mut lost = false;
    loop {
        match pieces.next().and_then(|row| row.map(piece).transpose()) {
            Ok(Some(Some((step, attempt, bytes)))) => output::store(whole, &step, attempt, &bytes)?,
            Ok(Some(None)) => lost = true,
            Ok(None) => return Ok(lost),
            Err(_) => return Ok(true),
        }
    }
}

/// One piece of output; none, if it is not as it was written.
fn piece(row: &Row<'_>) -> rusqlite::Result<Option<(Address, u32, Vec<u8>)>> {
    let (step, attempt): (String, u32) = (row.get(0)?, row.get(1)?);
    let (chunk, first, lines): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let (bytes, sum): (Vec<u8>, Option<Vec<u8>>) = (row.get(5)?, row.get(6)?);
    let written = Written { step: &step, attempt, chunk, first, lines, bytes: &bytes };
    let as_written = sum.is_none_or(|sum| written.holds(&sum));
    Ok(step.parse().ok().filter(|_| as_written).map(|step| (step, attempt, bytes)))
}
