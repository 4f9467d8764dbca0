//! The one writer of a state file, and the only maker of a `DurableIntent`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::chain::{self, Hash, Link};
use super::{FILE, Holder, JournalError, lock, output, reader, schema};
use crate::engagement::{Actor, Address, At, Engagement, Event, Intent, Recorded, State, fold};

/// Appends events; holds the lock for as long as it lives.
#[derive(Debug)]
pub struct Writer {
    connection: Connection,
    path: PathBuf,
    engagement: Engagement,
    head: Hash,
    /// Output that does not end in a line end yet, by attempt.
    unfinished: BTreeMap<(Address, u32), Vec<u8>>,
    _lock: lock::Lock,
}

/// Proof that an intent is on the disk. Only `Writer::intend` makes one, after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableIntent {
    step: Address,
    intent: Intent,
    at: At,
}

impl DurableIntent {
    pub fn step(&self) -> &Address {
        &self.step
    }

    pub fn token(&self) -> &str {
        &self.intent.token
    }

    pub fn generation(&self) -> u32 {
        self.intent.generation
    }

    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// When it became durable.
    pub fn at(&self) -> At {
        self.at
    }

    /// For tests of actions, which have no journal at hand.
    #[cfg(test)]
    pub fn for_tests(step: &Address, token: &str) -> Self {
        use crate::engagement::{Purpose, RepeatClass};
        let intent = Intent {
            attempt: 1,
            purpose: Purpose::Apply,
            generation: 0,
            token: token.to_owned(),
            digest: String::new(),
            class: RepeatClass::Tag,
            operations: Vec::new(),
        };
        DurableIntent { step: step.clone(), intent, at: At(0) }
    }
}

/// Longest piece of output without a line end that is kept waiting for one.
const LONGEST_LINE: usize = 64 * 1024;

impl Writer {
    /// Makes a new state file in `folder`, which is made too, for its owner only.
    ///
    /// # Errors
    /// One is there already, or the folder cannot be written.
    pub fn create(folder: &Path, holder: &Holder) -> Result<Writer, JournalError> {
        let path = folder.join(FILE);
        if path.exists() && has_begun(&path) {
            return Err(JournalError::Exists(folder.to_owned()));
        }
        make_private_folder(folder)?;
        let lock = lock::take(folder, holder)?;
        remove_unbegun(&path)?;
        make_private_file(&path)?;
        let connection = connect(&path)?;
        schema::create(&connection).map_err(|error| unwritable(&path, &error))?;
        Ok(Writer {
            connection,
            path,
            engagement: Engagement::default(),
            head: chain::ROOT,
            unfinished: BTreeMap::new(),
            _lock: lock,
        })
    }

    /// Opens a state file for writing: takes the lock, checks the file, its chain and the tables drawn from it.
    ///
    /// # Errors
    /// Somebody else holds it; it is damaged, newer, open to others, or cannot be written.
    pub fn open(folder: &Path, holder: &Holder) -> Result<Writer, JournalError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(JournalError::Missing(folder.to_owned()));
        }
        check_private(&path, 0o600)?;
        let lock = lock::take(folder, holder)?;
        let connection = connect(&path)?;
        schema::check(&connection, &path)?;
        reader::check_integrity(&connection, &path)?;
        let mut engagement = Engagement::default();
        let head = reader::replay(&connection, &path, |recorded| fold(&mut engagement, recorded))?;
        reader::check_projection(&connection, &path, &engagement)?;
        let writer = Writer { connection, path, engagement, head, unfinished: BTreeMap::new(), _lock: lock };
        writer.check_writable()?;
        Ok(writer)
    }

    /// What is true now.
    pub fn engagement(&self) -> &Engagement {
        &self.engagement
    }

    /// Makes events durable, all or none, in one transaction with the tables drawn from them.
    ///
    /// # Errors
    /// The disk is full, read-only or gone. Nothing was recorded then, and nothing may be done that depends on it.
    pub fn append(&mut self, at: At, actor: &Actor, events: Vec<Event>) -> Result<Vec<Recorded>, JournalError> {
        let mut after = self.engagement.clone();
        let mut head = self.head;
        let mut recorded = Vec::with_capacity(events.len());
        let transaction = self.connection.transaction()?;
        for event in events {
            let seq = after.seq + 1;
            let body = serde_json::to_string(&event)?;
            head = chain::link(&head, &Link { seq, at: at.0, actor, body: &body });
            transaction
                .prepare_cached("INSERT INTO events (seq, at, actor, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![i64::try_from(seq).unwrap_or(i64::MAX), at.0, actor, body, head.as_slice()])?;
            let one = Recorded { seq, at, actor: actor.clone(), event };
            fold(&mut after, &one);
            recorded.push(one);
        }
        for (step, record) in &after.steps {
            if self.engagement.steps.get(step).is_none_or(|before| before != record) {
                let seq = i64::try_from(after.seq).unwrap_or(i64::MAX);
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO steps (address, state, seq) VALUES (?1, ?2, ?3)")?
                    .execute(params![step.to_string(), state_word(&record.state), seq])?;
            }
        }
        transaction.commit()?;
        self.engagement = after;
        self.head = head;
        Ok(recorded)
    }

    /// Makes an intent durable. Without one, no action can change anything.
    ///
    /// # Errors
    /// As `append`.
    pub fn intend(
        &mut self,
        at: At,
        actor: &Actor,
        step: &Address,
        intent: Intent,
    ) -> Result<(Recorded, DurableIntent), JournalError> {
        let event = Event::Intended { step: step.clone(), intent: intent.clone() };
        let mut recorded = self.append(at, actor, vec![event])?;
        let recorded = recorded
            .pop()
            .ok_or_else(|| JournalError::Damaged { path: self.path.clone(), what: "an intent vanished".to_owned() })?;
        Ok((recorded, DurableIntent { step: step.clone(), intent, at }))
    }

    /// Keeps output of attempts beside the events, in one transaction. Whole lines are stored at once, the rest when its
    /// line ends or with `finish_output`.
    ///
    /// # Errors
    /// As `append`.
    pub fn output(&mut self, pieces: &[(Address, u32, Vec<u8>)]) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        for (step, attempt, bytes) in pieces {
            let waiting = self.unfinished.entry((step.clone(), *attempt)).or_default();
            waiting.extend_from_slice(bytes);
            let whole = match waiting.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if waiting.len() > LONGEST_LINE => waiting.len(),
                None => continue,
            };
            let rest = waiting.split_off(whole);
            let lines = std::mem::replace(waiting, rest);
            output::store(&transaction, step, *attempt, &lines)?;
        }
        Ok(transaction.commit()?)
    }

    /// Stores what is left of an attempt's output.
    pub fn finish_output(&mut self, step: &Address, attempt: u32) -> Result<(), JournalError> {
        if let Some(rest) = self.unfinished.remove(&(step.clone(), attempt)).filter(|rest| !rest.is_empty()) {
            output::store(&self.connection, step, attempt, &rest)?;
        }
        Ok(())
    }

    /// Events after `seq`, in order.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn since(&self, seq: u64) -> Result<Vec<Recorded>, JournalError> {
        reader::since(&self.connection, &self.path, seq)
    }

    /// Lines of an attempt's output.
    pub fn page(&self, step: &Address, attempt: u32, from: usize, count: usize) -> Result<output::Lines, JournalError> {
        Ok(output::page(&self.connection, step, attempt, from, count)?)
    }

    fn check_writable(&self) -> Result<(), JournalError> {
        self.connection
            .execute_batch("BEGIN IMMEDIATE; ROLLBACK;")
            .and_then(|()| match self.connection.is_readonly("main")? {
                true => Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(8), Some("read-only".to_owned()))),
                false => Ok(()),
            })
            .map_err(|error| unwritable(&self.path, &error))
    }
}

/// False for what is left of a creation that was cut off before its first event. What cannot be read counts as begun.
fn has_begun(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(connection) = Connection::open_with_flags(path, flags) else { return true };
    let yes = |question: &str| connection.query_row(question, [], |row| row.get(0)).unwrap_or(true);
    yes("SELECT EXISTS (SELECT 1 FROM sqlite_master)") && yes("SELECT EXISTS (SELECT 1 FROM events)")
}

fn remove_unbegun(path: &Path) -> Result<(), JournalError> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// The word under which a step's state stands in the tables drawn from the events.
pub(super) fn state_word(state: &State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Running { .. } => "running",
        State::Applied { .. } => "applied",
        State::Held { .. } => "held",
        State::Waiting { .. } => "waiting",
        State::Asked { .. } => "asked",
        State::InDoubt { .. } => "in doubt",
        State::Done { .. } => "done",
        State::Failed { .. } => "failed",
        State::Skipped { .. } => "skipped",
        State::Undone { .. } => "undone",
    }
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> JournalError {
    JournalError::Unwritable { path: path.to_owned(), why: error.to_string() }
}

fn connect(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| unwritable(path, &error))?;
    schema::settle(&connection).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            JournalError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
        _ => unwritable(path, &error),
    })?;
    Ok(connection)
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| unwritable(folder, &error))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(|error| unwritable(folder, &error))
}

#[cfg(unix)]
fn make_private_file(path: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map(|_| ()).map_err(|error| unwritable(path, &error))
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
fn make_private_folder(folder: &Path) -> Result<(), JournalError> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

#[cfg(not(unix))]
fn make_private_file(path: &Path) -> Result<(), JournalError> {
    fs::File::create_new(path).map(|_| ()).map_err(|error| unwritable(path, &error))
}

#[cfg(not(unix))]
pub(super) fn check_private(_path: &Path, _wanted: u32) -> Result<(), JournalError> {
    Ok(())
}
