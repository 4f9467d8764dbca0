//! The one writer of a state file, and the only maker of a `DurableIntent`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::backup;
use super::chain::{self, Hash, Link};
use super::check::{self, Told};
use super::ground::{self, Ground, unwritable, wrong};
use super::mark::{self, Mark, Marked};
use super::moves::{self, Move};
use super::output::{self, Lines, Output, PageAt};
use super::shared::shared;
use super::{FILE, Holder, JournalError, lock, reader, rows, schema};
use crate::engagement::{Actor, Address, At, Engagement, Event, Intent, Recorded, draft, fold};
use crate::text;

/// Appends events; holds the lock for as long as it lives.
#[derive(Debug)]
pub struct Writer {
    connection: Connection,
    path: PathBuf,
    engagement: Engagement,
    head: Hash,
    /// Output that does not end in a line end yet, by attempt.
    unfinished: BTreeMap<(Address, u32), Unfinished>,
    ground: Ground,
    mark: Mark,
    /// The copy that was kept of an older format.
    backup: Option<PathBuf>,
    lock: lock::Lock,
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
            tags: BTreeMap::new(),
            deadline: None,
            before: BTreeMap::new(),
        };
        DurableIntent { step: step.clone(), intent, at: At(0) }
    }
}

/// Longest piece of output without a line end that is kept waiting for one.
const LONGEST_LINE: usize = 64 * 1024;

/// Where a piece of output stands among the lines of all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The line that its first byte is in, counted from 0.
    pub from: usize,
    /// It ends a line that was too long to wait for its end.
    pub broken: bool,
}

/// The end of an attempt's output, which waits for a line end.
#[derive(Debug)]
struct Unfinished {
    /// The line that it begins.
    first: usize,
    bytes: Vec<u8>,
}

impl Unfinished {
    /// The line that the next byte is in. A CR at the end may be half of a line end.
    fn line(&self) -> usize {
        self.first + text::lines(&self.bytes).count().saturating_sub(1)
    }

    /// Takes more in; gives the whole lines, and whether the last of them was ended because it is too long.
    fn take(&mut self, more: &[u8]) -> (Vec<u8>, bool) {
        self.bytes.extend_from_slice(more);
        let (end, broken) = match self.bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => (end + 1, false),
            None if self.bytes.len() > LONGEST_LINE => (self.bytes.len(), true),
            None => return (Vec::new(), false),
        };
        let rest = self.bytes.split_off(end);
        let whole = std::mem::replace(&mut self.bytes, rest);
        self.first += text::lines(&whole).count();
        (whole, broken)
    }
}

impl Writer {
    /// Makes a new state file in `folder`, which is made too, for its owner only.
    ///
    /// # Errors
    /// One is there already, or the folder cannot be written.
    pub fn create(folder: &Path, holder: &Holder) -> Result<Writer, JournalError> {
        let path = folder.join(FILE);
        let taken = || path.exists() && has_begun(&path);
        if taken() {
            return Err(JournalError::Exists(folder.to_owned()));
        }
        ground::make_private_folder(folder)?;
        let lock = lock::take(folder, holder)?;
        // Somebody may have begun and let go meanwhile.
        if taken() {
            return Err(JournalError::Exists(folder.to_owned()));
        }
        for ending in ["", "-wal", "-shm", "-journal"] {
            ground::remove(&ground::beside(&path, ending))?;
        }
        mark::forget(folder)?;
        ground::make_private_file(&path)?;
        let connection = connect(&path)?;
        schema::create(&connection).map_err(|error| wrong(&path, error))?;
        ground::sync_folder(folder)?;
        let told = Told { engagement: Engagement::default(), head: chain::ROOT };
        Writer::over(connection, path, told, None, lock)
    }

    /// Opens a state file for writing: takes the lock, checks the file, its chain and the tables drawn from it, and
    /// brings an older format forward after a backup.
    ///
    /// # Errors
    /// Somebody else holds it; it was handed over; it is damaged, newer, open to others, or cannot be written.
    pub fn open(folder: &Path, holder: &Holder) -> Result<Writer, JournalError> {
        let writer = Writer::open_anyhow(folder, holder)?;
        match moves::away(&writer.connection)? {
            Some(away) => Err(JournalError::Away(away)),
            None => Ok(writer),
        }
    }

    /// Opens a state file that was handed over, because the file it was handed over in is not used after all.
    ///
    /// # Errors
    /// As `open`.
    pub fn take_back(folder: &Path, holder: &Holder, at: At, actor: &Actor) -> Result<Writer, JournalError> {
        let writer = Writer::open_anyhow(folder, holder)?;
        if moves::away(&writer.connection)?.is_some() {
            writer.moved(Move::Back, at, actor, "")?;
        }
        Ok(writer)
    }

    /// Opens a state file that was handed over, because what became of it comes back.
    ///
    /// # Errors
    /// It was not handed over; or as `open`.
    pub(super) fn open_handed_over(folder: &Path, holder: &Holder) -> Result<Writer, JournalError> {
        let writer = Writer::open_anyhow(folder, holder)?;
        match moves::away(&writer.connection)? {
            Some(_) => Ok(writer),
            None => Err(JournalError::Exists(folder.to_owned())),
        }
    }

    /// Makes room for another file under this name: a backup is kept, and nothing of this one is left in files that
    /// SQLite would take for the other's. The lock is still held.
    ///
    /// # Errors
    /// Somebody reads along, or the backup cannot be written.
    pub(super) fn retire(self, now: &str) -> Result<lock::Lock, JournalError> {
        let Writer { connection, path, lock, .. } = self;
        backup::keep(&connection, path.parent().unwrap_or(Path::new("")), schema::VERSION, now)?;
        let busy: bool = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| wrong(&path, e))?;
        if busy {
            return Err(unwritable(&path, &"somebody reads along: let them end first"));
        }
        drop(connection);
        for ending in ["-wal", "-shm"] {
            ground::remove(&ground::beside(&path, ending))?;
        }
        Ok(lock)
    }

    fn open_anyhow(folder: &Path, holder: &Holder) -> Result<Writer, JournalError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(JournalError::Missing(folder.to_owned()));
        }
        ground::check_private(&path, 0o600)?;
        let lock = lock::take(folder, holder)?;
        let connection = connect(&path)?;
        // A damaged file stays as it is, to the last byte of what was written ahead.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let version = schema::version(&connection, &path)?;
        check::pages(&connection, &path)?;
        let told = check::replay(&connection, &path, mark::read(folder))?;
        let backup = if version < schema::VERSION {
            let backup = backup::keep(&connection, folder, version, &holder.since)?;
            schema::bring_forward(&connection, version).map_err(|error| wrong(&path, error))?;
            Some(backup)
        } else {
            None
        };
        check::seal(&connection, &path, &told)?;
        check::projection(&connection, &path, &told.engagement)?;
        schema::check_tables(&connection, &path)?;
        schema::write_ahead(&connection).map_err(|error| wrong(&path, error))?;
        check_writable(&connection, &path)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Writer::over(connection, path, told, backup, lock)
    }

    fn over(
        connection: Connection,
        path: PathBuf,
        told: Told,
        backup: Option<PathBuf>,
        lock: lock::Lock,
    ) -> Result<Writer, JournalError> {
        let Told { engagement, head } = told;
        // Whoever comes where the lock was removed finds it free: then this one may not go on.
        let ground = Ground::of([path.clone(), ground::beside(&path, "-wal"), path.with_file_name(lock::NAME)])?;
        let mark = Mark::open(path.parent().unwrap_or(Path::new("")));
        Ok(Writer { connection, path, engagement, head, unfinished: BTreeMap::new(), ground, mark, backup, lock })
    }

    /// What is true now.
    pub fn engagement(&self) -> &Engagement {
        &self.engagement
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// What the engagement is called on this machine.
    pub fn name(&self) -> String {
        super::name(self.folder())
    }

    /// What a person should know who opened it: that somebody left it without letting go (a crash, a power cut), that
    /// its format was brought forward, that its folder is no place for it.
    pub fn greeting(&self) -> Option<String> {
        let left = self.lock.left().map(ToString::to_string);
        let copied = self.backup.as_ref().map(|copy| {
            format!("it had an older format and was brought forward; a copy of it as it was is {}", copy.display())
        });
        let said: Vec<String> = [left, copied, self.path.parent().and_then(shared)].into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join(". "))
    }

    /// # Errors
    /// The folder or the file was removed, unmounted or replaced: nothing can be recorded any more.
    pub fn stands(&self) -> Result<(), JournalError> {
        self.ground.holds()
    }

    /// Makes events durable, all or none, in one transaction with the tables drawn from them.
    ///
    /// # Errors
    /// The disk is full, read-only or gone. Nothing was recorded then, and nothing may be done that depends on it.
    pub fn append(&mut self, at: At, actor: &Actor, events: Vec<Event>) -> Result<Vec<Recorded>, JournalError> {
        self.commit(at, actor, events).map(|(recorded, _)| recorded)
    }

    /// The same, with proof of the intents among them, in their order.
    ///
    /// # Errors
    /// As `append`.
    pub fn commit(
        &mut self,
        at: At,
        actor: &Actor,
        events: Vec<Event>,
    ) -> Result<(Vec<Recorded>, Vec<DurableIntent>), JournalError> {
        self.ground.holds()?;
        let wrong = |error| wrong(&self.path, error);
        let mut after = draft(&self.engagement, &events);
        let mut head = self.head;
        let mut recorded = Vec::with_capacity(events.len());
        let transaction = self.connection.transaction().map_err(wrong)?;
        for (event, seq) in events.into_iter().zip(self.engagement.seq + 1..) {
            let body = serde_json::to_string(&event)?;
            let link = Link { seq, at: at.0, actor, body: &body };
            head = chain::link(&head, &link);
            rows::event(&transaction, &link, &head).map_err(wrong)?;
            let one = Recorded { seq, at, actor: actor.clone(), event };
            fold(&mut after, &one);
            recorded.push(one);
        }
        rows::drawn(&transaction, &self.engagement, &after, &head).map_err(wrong)?;
        transaction.commit().map_err(wrong)?;
        // A commit into a folder that vanished meanwhile is none.
        self.ground.holds()?;
        for one in &recorded {
            fold(&mut self.engagement, one);
        }
        self.head = head;
        self.mark.set(Marked { seq: self.engagement.seq, head });
        let intents = recorded.iter().filter_map(|one| match &one.event {
            Event::Intended { step, intent } => Some(DurableIntent { step: step.clone(), intent: intent.clone(), at }),
            _ => None,
        });
        let intents = intents.collect();
        Ok((recorded, intents))
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
        let (mut recorded, mut intents) =
            self.commit(at, actor, vec![Event::Intended { step: step.clone(), intent }])?;
        recorded
            .pop()
            .zip(intents.pop())
            .ok_or_else(|| JournalError::Damaged { path: self.path.clone(), what: "an intent vanished".to_owned() })
    }

    /// Keeps output of attempts beside the events, in one transaction. Whole lines are stored at once, the rest when its
    /// line ends or with `finish_output`. Answers where each piece stands among the lines.
    ///
    /// # Errors
    /// As `append`.
    pub fn output(&mut self, pieces: &[(Address, u32, Vec<u8>)]) -> Result<Vec<Placed>, JournalError> {
        self.ground.holds()?;
        let wrong = |error| wrong(&self.path, error);
        let mut placed = Vec::with_capacity(pieces.len());
        let transaction = self.connection.transaction().map_err(wrong)?;
        for (step, attempt, bytes) in pieces {
            let waiting = match self.unfinished.entry((step.clone(), *attempt)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let first = output::total(&transaction, step, *attempt).map_err(wrong)?;
                    new.insert(Unfinished { first, bytes: Vec::new() })
                }
            };
            let from = waiting.line();
            let (whole, broken) = waiting.take(bytes);
            placed.push(Placed { from, broken });
            if !whole.is_empty() {
                output::store(&transaction, step, *attempt, &whole).map_err(wrong)?;
            }
        }
        transaction.commit().map_err(wrong)?;
        Ok(placed)
    }

    /// Stores what is left of an attempt's output. Answers which line it goes on with.
    pub fn finish_output(&mut self, step: &Address, attempt: u32) -> Result<usize, JournalError> {
        let Some(rest) = self.unfinished.remove(&(step.clone(), attempt)) else { return Ok(0) };
        if !rest.bytes.is_empty() {
            self.ground.holds()?;
            output::store(&self.connection, step, attempt, &rest.bytes).map_err(|error| wrong(&self.path, error))?;
        }
        Ok(rest.line())
    }

    /// Events after `seq`, in order.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn since(&self, seq: u64) -> Result<Vec<Recorded>, JournalError> {
        reader::since(&self.connection, &self.path, seq)
    }

    /// At most `count` lines of an attempt's output.
    pub fn page(&self, step: &Address, attempt: u32, at: PageAt, count: usize) -> Result<Lines, JournalError> {
        let output = Output { connection: &self.connection, path: &self.path, sums: true, step, attempt };
        output.page(at, count)
    }

    /// A copy of the whole file at `path`, where an empty one may be; durable, but not its name.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn snapshot(&self, path: &Path) -> Result<(), JournalError> {
        backup::copy(&self.connection, path)
    }

    /// Records that the engagement was handed over, taken back, or came here.
    pub(super) fn moved(&self, what: Move, at: At, actor: &Actor, said: &str) -> Result<(), JournalError> {
        self.ground.holds()?;
        moves::record(&self.connection, what, at, actor, said).map_err(|error| wrong(&self.path, error))
    }

    pub(super) fn head(&self) -> &Hash {
        &self.head
    }
}

/// False for what is left of a creation that was cut off before its first event. What cannot be read counts as begun.
fn has_begun(path: &Path) -> bool {
    // Not read-only: SQLite may have to take back what it was about to do when the power went.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(connection) = Connection::open_with_flags(path, flags) else { return true };
    let yes = |question: &str| connection.query_row(question, [], |row| row.get(0)).unwrap_or(true);
    yes("SELECT EXISTS (SELECT 1 FROM sqlite_master)") && yes("SELECT EXISTS (SELECT 1 FROM events)")
}

fn check_writable(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    if connection.is_readonly("main")? {
        return Err(unwritable(path, &"it is read-only"));
    }
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK;").map_err(|error| wrong(path, error))
}

fn connect(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| unwritable(path, &error))?;
    schema::settle(&connection).map_err(|error| match wrong(path, error) {
        JournalError::Sql(error) => unwritable(path, &error),
        told => told,
    })?;
    Ok(connection)
}
