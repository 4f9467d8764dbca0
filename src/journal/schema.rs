//! Tables of the state file, and how an older one is brought forward.

use std::path::Path;

use rusqlite::Connection;

use super::JournalError;

/// The newest format this program writes (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE events (
    seq   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    actor TEXT    NOT NULL,
    body  TEXT    NOT NULL,
    hash  BLOB    NOT NULL
) STRICT;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_keep BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TABLE steps (
    address TEXT PRIMARY KEY,
    state   TEXT    NOT NULL,
    seq     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE output (
    step    TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    chunk   INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    lines   INTEGER NOT NULL,
    bytes   BLOB    NOT NULL,
    PRIMARY KEY (step, attempt, chunk)
) STRICT;
";

/// Settings of every connection. A commit is on the disk before it returns (`synchronous=FULL`), also on macOS.
pub(super) fn settle(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch(
        "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON;
         PRAGMA checkpoint_fullfsync=ON; PRAGMA mmap_size=0;",
    )
}

pub(super) fn create(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version={VERSION}; COMMIT;"))
}

/// Refuses a newer or foreign file. There is no older format yet.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    match version {
        VERSION => Ok(()),
        found if found > VERSION => Err(JournalError::Newer { path: path.to_owned(), found, known: VERSION }),
        _ => Err(damaged("it is not a state file of onramp".to_owned())),
    }
}
