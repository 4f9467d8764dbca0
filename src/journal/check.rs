//! Is a state file whole? Every way to find out, and what it says when it is not.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::JournalError;
use super::chain::{self, Hash, Link};
use super::ground::unreadable;
use super::mark::{self, Marked};
use super::reader::recorded;
use super::rows::state_word;
use crate::engagement::{Engagement, Recorded, fold};

/// What the events add up to.
#[derive(Debug)]
pub(super) struct Told {
    pub engagement: Engagement,
    pub head: Hash,
}

/// Walks all events once: chain, mark, and what is true.
///
/// # Errors
/// The chain is broken, an event cannot be read, or the end is missing.
pub(super) fn replay(connection: &Connection, path: &Path, marked: Option<Marked>) -> Result<Told, JournalError> {
    let mut engagement = Engagement::default();
    let mut at_mark = None;
    let head = walk(connection, path, |_, one, hash| {
        if marked.is_some_and(|marked| marked.seq == one.seq) {
            at_mark = Some(*hash);
        }
        fold(&mut engagement, one);
    })?;
    if let Some(marked) = marked {
        against_mark(path, marked, engagement.seq, at_mark)?;
    }
    Ok(Told { engagement, head })
}

fn against_mark(path: &Path, marked: Marked, last: u64, at_mark: Option<Hash>) -> Result<(), JournalError> {
    let damaged = |what: String| Err(JournalError::Damaged { path: path.to_owned(), what });
    let mark = || mark::path(path.parent().unwrap_or(Path::new(""))).display().to_string();
    match at_mark {
        _ if marked.seq > last => damaged(format!(
            "events up to {} were recorded, the file ends at {last}: it lost its end, or is an older copy. If you put \
             an older copy there on purpose, remove {} and open it again",
            marked.seq,
            mark()
        )),
        Some(hash) if hash != marked.head => damaged(format!(
            "event {} is not the one that was recorded: the file is another one. If that is on purpose, remove {} and \
             open it again",
            marked.seq,
            mark()
        )),
        _ => Ok(()),
    }
}

/// Walks all events in order, checking numbers and hashes, and returns the last hash.
pub(super) fn walk(
    connection: &Connection,
    path: &Path,
    mut each: impl FnMut(&Link<'_>, &Recorded, &Hash),
) -> Result<Hash, JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let read = |error: rusqlite::Error| unreadable(path, error);
    let mut statement =
        connection.prepare("SELECT seq, at, actor, body, hash FROM events ORDER BY seq").map_err(read)?;
    let mut rows = statement.query([]).map_err(read)?;
    let mut head = chain::ROOT;
    let mut expected = 1_i64;
    while let Some(row) = rows.next().map_err(read)? {
        let seq: i64 = row.get(0).map_err(read)?;
        if seq != expected {
            return Err(damaged(format!("event {expected} is missing")));
        }
        let at: i64 = row.get(1).map_err(read)?;
        let text = |column: usize| row.get_ref(column).map_err(read)?.as_str().map_err(|error| read(error.into()));
        let (actor, body) = (text(2)?, text(3)?);
        let hash = row.get_ref(4).map_err(read)?.as_blob().map_err(|error| read(error.into()))?;
        let link = Link { seq: u64::try_from(seq).unwrap_or(0), at, actor, body };
        head = chain::link(&head, &link);
        if head.as_slice() != hash {
            return Err(damaged(format!("event {seq} or the one before it was changed after it was written")));
        }
        each(&link, &recorded(seq, at, actor.to_owned(), body, path)?, &head);
        expected += 1;
    }
    Ok(head)
}

/// The pages of the file hang together, every value is of its column's type, and what is found through an index is what
/// is there.
pub(super) fn pages(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let said: Result<String, _> = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    match said {
        Ok(ok) if ok == "ok" => Ok(()),
        Ok(what) => Err(JournalError::Damaged { path: path.to_owned(), what }),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// The chain ends where the last commit said that it ends.
pub(super) fn seal(connection: &Connection, path: &Path, told: &Told) -> Result<(), JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let sealed: (i64, Vec<u8>) = connection
        .query_row("SELECT seq, head FROM seal", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|error| unreadable(path, error))?;
    let last = told.engagement.seq;
    match sealed {
        (seq, head) if u64::try_from(seq) == Ok(last) && head == told.head => Ok(()),
        (seq, _) => Err(damaged(format!("it was sealed at event {seq}, and its events end at {last} or were changed"))),
    }
}

/// The drawn tables must say what the events say: a mismatch is reported, never repaired in silence.
pub(super) fn projection(connection: &Connection, path: &Path, engagement: &Engagement) -> Result<(), JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), what };
    let read = |error: rusqlite::Error| unreadable(path, error);
    let mut statement = connection.prepare("SELECT address, state FROM steps ORDER BY address").map_err(read)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).map_err(read)?;
    let drawn: BTreeMap<String, String> = rows.collect::<Result<_, _>>().map_err(read)?;
    let told: BTreeMap<String, String> = engagement
        .steps
        .iter()
        .map(|(step, record)| (step.to_string(), state_word(&record.state).to_owned()))
        .collect();
    if drawn == told { Ok(()) } else { Err(damaged("its tables do not say what its events say".to_owned())) }
}
