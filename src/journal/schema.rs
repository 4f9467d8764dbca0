//! Tables of the state file, and how an older one is brought forward.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::JournalError;
use super::ground::unreadable;

/// The newest format this program writes (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 2;

/// Each brings a file one format further; the first makes it. A released one is never changed.
const MIGRATIONS: [&str; VERSION as usize] = [EVENTS, SEAL];

/// From this format on, output carries a sum over its bytes.
pub(super) const WITH_SUMS: i64 = 2;

const EVENTS: &str = "
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

/// `seal` is the last event's number and hash, written together with it: without it, a chain that lost its end would
/// look like a shorter one. `moves` tells of exports and imports.
const SEAL: &str = "
CREATE TABLE seal (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    head BLOB    NOT NULL
) STRICT;
INSERT INTO seal SELECT 1, COALESCE(MAX(seq), 0),
    COALESCE((SELECT hash FROM events ORDER BY seq DESC LIMIT 1), zeroblob(32)) FROM events;
ALTER TABLE output ADD COLUMN sum BLOB;
CREATE TABLE moves (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    what   TEXT    NOT NULL CHECK (what IN ('out', 'back', 'in')),
    said   TEXT    NOT NULL
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
    write_ahead(connection)?;
    bring_forward(connection, 0)
}

/// Readers go on while somebody writes, and a commit is one sync. A copy made by SQLite comes without it.
pub(super) fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")
}

/// Brings a file of format `from` to the newest, all or nothing.
pub(super) fn bring_forward(connection: &Connection, from: i64) -> Result<(), rusqlite::Error> {
    let still: String = MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)).copied().collect();
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {still} PRAGMA user_version={VERSION}; COMMIT;")).inspect_err(
        |_| {
            // What cannot be taken back now is when the file is opened next.
            let _ = connection.execute_batch("ROLLBACK");
        },
    )
}

/// The format of a file; refuses a newer or foreign one.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<i64, JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| unreadable(path, error))?;
    match version {
        1..=VERSION => Ok(version),
        found if found > VERSION => Err(JournalError::Newer { path: path.to_owned(), found, known: VERSION }),
        _ => Err(damaged("it is not a state file of onramp".to_owned())),
    }
}

/// Every table and trigger of the newest format is there, letter for letter.
pub(super) fn check_tables(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let model = Connection::open_in_memory()?;
    bring_forward(&model, 0)?;
    let mut wanted = model.prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")?;
    let wanted = wanted.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for one in wanted {
        let (name, sql) = one?;
        let found: Option<String> = connection
            .query_row("SELECT sql FROM sqlite_master WHERE name = ?1", [&name], |row| row.get(0))
            .optional()
            .map_err(|error| unreadable(path, error))?;
        if found.as_deref() != Some(sql.as_str()) {
            return Err(JournalError::Damaged {
                path: path.to_owned(),
                what: format!("its table or trigger \"{name}\" is missing or was changed"),
            });
        }
    }
    Ok(())
}
