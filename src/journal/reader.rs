//! Reads a state file, also while somebody else writes it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::check;
use super::ground::{self, Ground, check_private};
use super::moves::{self, Away};
use super::output::{Lines, Output, PageAt};
use super::{FILE, Holder, JournalError, lock, mark, schema};
use crate::engagement::{Address, At, Engagement, Event, Recorded};

/// A read-only view; never takes the lock.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    version: i64,
    ground: Ground,
    /// Whether output can be found, if it is there: asked once, before the first of it is shown.
    whole: OnceCell<()>,
}

/// What the home screen needs of one engagement.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    pub engagement: Engagement,
    pub holder: Option<Holder>,
    pub away: Option<Away>,
}

impl Reader {
    /// Opens a state file read-only. An older format is read as it is.
    ///
    /// # Errors
    /// It is missing, newer, damaged, or open to others.
    pub fn open(folder: &Path) -> Result<Reader, JournalError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(JournalError::Missing(folder.to_owned()));
        }
        check_private(&path, 0o600)?;
        let connection =
            connect(&path).map_err(|error| JournalError::Unreadable { path: path.clone(), why: error.to_string() })?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        let version = schema::version(&connection, &path)?;
        if version == schema::VERSION {
            schema::check_tables(&connection, &path)?;
        }
        let ground = Ground::of([path.clone()])?;
        Ok(Reader { connection, path, version, ground, whole: OnceCell::new() })
    }

    /// What is true, with the chain and the end of the file checked on the way.
    ///
    /// # Errors
    /// The chain is broken, an event cannot be read, or the end is missing.
    pub fn engagement(&self) -> Result<Engagement, JournalError> {
        // The mark first: whoever writes meanwhile is ahead of it, never behind.
        let marked = self.path.parent().and_then(mark::read);
        Ok(check::replay(&self.connection, &self.path, marked)?.engagement)
    }

    /// Events after `seq`, in order.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn since(&self, seq: u64) -> Result<Vec<Recorded>, JournalError> {
        since(&self.connection, &self.path, seq)
    }

    /// At most `count` lines of an attempt's output.
    ///
    /// # Errors
    /// They cannot be read, or were changed after they were written.
    pub fn page(&self, step: &Address, attempt: u32, at: PageAt, count: usize) -> Result<Lines, JournalError> {
        self.output(step, attempt)?.page(at, count)
    }

    /// A line of an attempt's output, with those around it that were written together with it; none past the end. So an
    /// output of any size is walked from either side in little memory.
    ///
    /// # Errors
    /// As `page`.
    pub fn around(&self, step: &Address, attempt: u32, line: usize) -> Result<Lines, JournalError> {
        self.output(step, attempt)?.around(line)
    }

    fn output<'a>(&'a self, step: &'a Address, attempt: u32) -> Result<Output<'a>, JournalError> {
        if self.whole.get().is_none() {
            check::pages(&self.connection, &self.path)?;
            let _ = self.whole.set(());
        }
        let sums = self.version >= schema::WITH_SUMS;
        Ok(Output { connection: &self.connection, path: &self.path, sums, step, attempt })
    }

    /// # Errors
    /// The file was removed or replaced: what is read now is not what stands in its place.
    pub fn holds(&self) -> Result<(), JournalError> {
        self.ground.holds()
    }

    /// A number that changes whenever somebody else has written.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn data_version(&self) -> Result<i64, JournalError> {
        Ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// The living process that may write, if there is one.
    pub fn holder(folder: &Path) -> Option<Holder> {
        lock::holder(folder)
    }

    /// What the home screen shows.
    ///
    /// # Errors
    /// As `open` and `engagement`.
    pub fn glance(folder: &Path) -> Result<Glance, JournalError> {
        let reader = Reader::open(folder)?;
        let engagement = reader.engagement()?;
        reader.glanced(engagement, folder)
    }

    /// As `glance`, after every check that opening it for writing makes. It reads the whole file.
    ///
    /// # Errors
    /// As `glance`, and whatever else of the file is damaged.
    pub fn inspect(folder: &Path) -> Result<Glance, JournalError> {
        let reader = Reader::open(folder)?;
        let marked = mark::read(folder);
        // One view of it, whoever writes meanwhile.
        let view = reader.connection.unchecked_transaction()?;
        check::pages(&view, &reader.path)?;
        let told = check::replay(&view, &reader.path, marked)?;
        if reader.version == schema::VERSION {
            check::seal(&view, &reader.path, &told)?;
            check::projection(&view, &reader.path, &told.engagement)?;
        }
        view.finish()?;
        reader.glanced(told.engagement, folder)
    }

    fn glanced(&self, engagement: Engagement, folder: &Path) -> Result<Glance, JournalError> {
        let away = if self.version >= schema::WITH_SUMS { moves::away(&self.connection)? } else { None };
        Ok(Glance { engagement, holder: lock::holder(folder), away })
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let is_whole = || ground::beside(path, "-wal").metadata().map_or(true, |ahead| ahead.len() == 0);
    let as_it_is = || {
        let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        Connection::open_with_flags(format!("file:{name}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)
    };
    // SQLite would want to make its -shm beside it.
    if ground::never_changes(path) && is_whole() {
        return as_it_is();
    }
    let connection = Connection::open_with_flags(path, flags)?;
    match connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0)) {
        // On a full disk there is no room for it, and nobody can write either.
        Err(error) if ground::lacks_room(&error) && is_whole() => as_it_is(),
        // Whatever else is wrong is said by who asks for something.
        _ => Ok(connection),
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

pub(super) fn recorded(seq: i64, at: i64, actor: String, body: &str, path: &Path) -> Result<Recorded, JournalError> {
    let event: Event = serde_json::from_str(body)
        .map_err(|error| JournalError::Damaged { path: path.to_owned(), what: format!("event {seq}: {error}") })?;
    Ok(Recorded { seq: u64::try_from(seq).unwrap_or(0), at: At(at), actor, event })
}
