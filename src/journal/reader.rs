//! Reads a state file, also while somebody else writes it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::chain::{self, Hash, Link};
use super::writer::{check_private, state_word};
use super::{FILE, Holder, JournalError, lock, output, schema};
use crate::engagement::{Address, At, Engagement, Event, Recorded, fold};

/// A read-only view; never takes the lock.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// What the home screen needs of one engagement.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    pub engagement: Engagement,
    pub holder: Option<Holder>,
}

impl Reader {
    /// Opens a state file read-only.
    ///
    /// # Errors
    /// It is missing, newer, damaged, or open to others.
    pub fn open(folder: &Path) -> Result<Reader, JournalError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(JournalError::Missing(folder.to_owned()));
        }
        check_private(&path, 0o600)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)
            .map_err(|error| JournalError::Unreadable { path: path.clone(), why: error.to_string() })?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        schema::check(&connection, &path)?;
        Ok(Reader { connection, path })
    }

    /// What is true, with the chain checked on the way.
    ///
    /// # Errors
    /// The chain is broken or an event cannot be read.
    pub fn engagement(&self) -> Result<Engagement, JournalError> {
        let mut engagement = Engagement::default();
        replay(&self.connection, &self.path, |recorded| fold(&mut engagement, recorded))?;
        Ok(engagement)
    }

    /// Events after `seq`, in order.
    pub fn since(&self, seq: u64) -> Result<Vec<Recorded>, JournalError> {
        since(&self.connection, &self.path, seq)
    }

    pub fn page(&self, step: &Address, attempt: u32, from: usize, count: usize) -> Result<output::Lines, JournalError> {
        Ok(output::page(&self.connection, step, attempt, from, count)?)
    }

    /// What the home screen shows.
    ///
    /// # Errors
    /// As `open` and `engagement`.
    pub fn glance(folder: &Path) -> Result<Glance, JournalError> {
        let engagement = Reader::open(folder)?.engagement()?;
        Ok(Glance { engagement, holder: lock::holder(folder) })
    }
}

pub(super) fn since(connection: &Connection, path: &Path, seq: u64) -> Result<Vec<Recorded>, JournalError> {
    let mut statement =
        connection.prepare_cached("SELECT seq, at, actor, body FROM events WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = statement.query(params![i64::try_from(seq).unwrap_or(i64::MAX)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(3)?;
        events.push(recorded(row.get(0)?, row.get(1)?, row.get(2)?, &body, path)?);
    }
    Ok(events)
}

fn recorded(seq: i64, at: i64, actor: String, body: &str, path: &Path) -> Result<Recorded, JournalError> {
    let event: Event = serde_json::from_str(body)
        .map_err(|error| JournalError::Damaged { path: path.to_owned(), what: format!("event {seq}: {error}") })?;
    Ok(Recorded { seq: u64::try_from(seq).unwrap_or(0), at: At(at), actor, event })
}

/// Walks all events in order, checking numbers and hashes, and returns the last hash.
pub(super) fn replay(
    connection: &Connection,
    path: &Path,
    mut each: impl FnMut(&Recorded),
) -> Result<Hash, JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let read = |error: rusqlite::Error| damaged(error.to_string());
    let mut statement =
        connection.prepare("SELECT seq, at, actor, body, hash FROM events ORDER BY seq").map_err(read)?;
    let mut rows = statement.query([]).map_err(read)?;
    let mut head = chain::ROOT;
    let mut expected = 1_i64;
    while let Some(row) = rows.next().map_err(read)? {
        let seq: i64 = row.get(0).map_err(read)?;
        let (at, actor): (i64, String) = (row.get(1).map_err(read)?, row.get(2).map_err(read)?);
        let (body, hash): (String, Vec<u8>) = (row.get(3).map_err(read)?, row.get(4).map_err(read)?);
        if seq != expected {
            return Err(damaged(format!("event {expected} is missing")));
        }
        let link = Link { seq: u64::try_from(seq).unwrap_or(0), at, actor: &actor, body: &body };
        head = chain::link(&head, &link);
        if head.as_slice() != hash.as_slice() {
            return Err(damaged(format!("event {seq} or the one before it was changed after it was written")));
        }
        each(&recorded(seq, at, actor, &body, path)?);
        expected += 1;
    }
    Ok(head)
}

pub(super) fn check_integrity(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let said: Result<String, _> = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match said {
        Ok(ok) if ok == "ok" => Ok(()),
        Ok(what) => Err(JournalError::Damaged { path: path.to_owned(), what }),
        Err(error) => Err(JournalError::Damaged { path: path.to_owned(), what: error.to_string() }),
    }
}

/// The drawn tables must say what the events say: a mismatch is reported, never repaired in silence.
pub(super) fn check_projection(
    connection: &Connection,
    path: &Path,
    engagement: &Engagement,
) -> Result<(), JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let mut statement = connection.prepare("SELECT address, state FROM steps ORDER BY address")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let drawn: Result<std::collections::BTreeMap<_, _>, _> = rows.collect();
    let told: std::collections::BTreeMap<String, String> = engagement
        .steps
        .iter()
        .map(|(step, record)| (step.to_string(), state_word(&record.state).to_owned()))
        .collect();
    if drawn? == told { Ok(()) } else { Err(damaged("its tables do not say what its events say".to_owned())) }
}
