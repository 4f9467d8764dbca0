//! Full output of attempts, in chunks of whole lines, paged and never loaded whole.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::JournalError;
use crate::engagement::Address;
use crate::text;

/// Which stream of a command a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// Which lines of an output a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageAt {
    /// From this line on, counted from 0.
    From(usize),
    /// The last ones.
    Last,
}

/// A piece of an attempt's output, as bytes: what a terminal may see of it is for the reader to decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    pub from: usize,
    pub lines: Vec<Vec<u8>>,
    /// Lines stored in all.
    pub total: usize,
}

/// Stores bytes as the next chunk. `bytes` should end at a line end, except the last of an attempt.
pub(super) fn store(connection: &Connection, step: &Address, attempt: u32, bytes: &[u8]) -> rusqlite::Result<()> {
    let (chunk, first) = match last_chunk(connection, &step.to_string(), attempt)? {
        Some(last) => (last.number + 1, last.first + last.lines),
        None => (0, 0),
    };
    let lines = i64::try_from(text::lines(bytes).count()).unwrap_or(i64::MAX);
    let step = step.to_string();
    let sum = Written { step: &step, attempt, chunk, first, lines, bytes }.sum();
    connection
        .prepare_cached(
            "INSERT INTO output (step, attempt, chunk, first, lines, bytes, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![step, attempt, chunk, first, lines, bytes, sum.as_slice()])?;
    Ok(())
}

/// A chunk as it stands in its row.
pub(super) struct Written<'a> {
    pub step: &'a str,
    pub attempt: u32,
    pub chunk: i64,
    pub first: i64,
    pub lines: i64,
    pub bytes: &'a [u8],
}

impl Written<'_> {
    fn sum(&self) -> [u8; 32] {
        let mut sum = blake3::Hasher::new();
        sum.update(self.step.as_bytes()).update(b"\0");
        for number in [i64::from(self.attempt), self.chunk, self.first, self.lines] {
            sum.update(&number.to_le_bytes());
        }
        *sum.update(self.bytes).finalize().as_bytes()
    }

    /// Is it as it was written? The sums of the first files were over the bytes alone.
    pub(super) fn holds(&self, sum: &[u8]) -> bool {
        sum == self.sum() || sum == blake3::hash(self.bytes).as_bytes()
    }
}

/// Where a chunk stands among the lines of its output.
struct Chunk {
    number: i64,
    first: i64,
    lines: i64,
}

fn last_chunk(connection: &Connection, step: &str, attempt: u32) -> rusqlite::Result<Option<Chunk>> {
    connection
        .prepare_cached(
            "SELECT chunk, first, lines FROM output WHERE step = ?1 AND attempt = ?2 ORDER BY chunk DESC LIMIT 1",
        )?
        .query_row(params![step, attempt], |row| {
            Ok(Chunk { number: row.get(0)?, first: row.get(1)?, lines: row.get(2)? })
        })
        .optional()
}

/// Lines stored of an attempt's output.
pub(super) fn total(connection: &Connection, step: &Address, attempt: u32) -> rusqlite::Result<usize> {
    let last = last_chunk(connection, &step.to_string(), attempt)?;
    Ok(last.map_or(0, |last| number(last.first + last.lines)))
}

/// One attempt's output in a state file. With `sums`, it is checked that it is as it was written.
pub(super) struct Output<'a> {
    pub connection: &'a Connection,
    pub path: &'a Path,
    pub sums: bool,
    pub step: &'a Address,
    pub attempt: u32,
}

impl Output<'_> {
    /// At most `count` lines.
    pub fn page(&self, at: PageAt, count: usize) -> Result<Lines, JournalError> {
        let Some(last) = self.last()? else { return Ok(Lines::default()) };
        let total = number(last.first + last.lines);
        let from = match at {
            PageAt::From(from) => from,
            PageAt::Last => total.saturating_sub(count),
        };
        let mut lines = Vec::new();
        if from < total && count > 0 {
            self.chunks(self.chunk_of(from, last.number)?, |first, chunk| {
                for (place, line) in (first..).zip(chunk) {
                    if (from..from.saturating_add(count)).contains(&place) {
                        lines.push(line.to_vec());
                    }
                }
                lines.len() < count
            })?;
        }
        Ok(Lines { from, lines, total })
    }

    /// All lines that were written together with this one: as much as is read at once in any case.
    pub fn around(&self, line: usize) -> Result<Lines, JournalError> {
        let Some(last) = self.last()? else { return Ok(Lines::default()) };
        let mut found = Lines { from: line, lines: Vec::new(), total: number(last.first + last.lines) };
        if line < found.total {
            self.chunks(self.chunk_of(line, last.number)?, |first, chunk| {
                found.from = first;
                found.lines = chunk.into_iter().map(<[u8]>::to_vec).collect();
                false
            })?;
        }
        Ok(found)
    }

    /// The last chunk, as it was written: how many lines there are hangs on it.
    fn last(&self) -> Result<Option<Chunk>, JournalError> {
        let last = last_chunk(self.connection, &self.step.to_string(), self.attempt)?;
        if let Some(last) = &last {
            self.chunks(last.number, |_, _| false)?;
        }
        Ok(last)
    }

    /// The chunk that a line is in, by halves: each chunk knows its first line.
    fn chunk_of(&self, line: usize, last: i64) -> Result<i64, JournalError> {
        let mut first_of = self.connection.prepare_cached(
            "SELECT first FROM output WHERE step = ?1 AND attempt = ?2 AND chunk <= ?3 ORDER BY chunk DESC LIMIT 1",
        )?;
        let step = self.step.to_string();
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low + 1) / 2;
            let first: Option<i64> =
                first_of.query_row(params![step, self.attempt, middle], |row| row.get(0)).optional()?;
            if first.is_some_and(|first| number(first) > line) {
                high = middle - 1;
            } else {
                low = middle;
            }
        }
        Ok(low)
    }

    /// Shows chunks to `take`, with the number of their first line, for as long as it wants more.
    fn chunks(&self, from: i64, mut take: impl FnMut(usize, Vec<&[u8]>) -> bool) -> Result<(), JournalError> {
        let sum_column = if self.sums { "sum" } else { "NULL" };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT chunk, first, lines, bytes, {sum_column} FROM output WHERE step = ?1 AND attempt = ?2 AND chunk >= ?3
             ORDER BY chunk",
        ))?;
        let step = self.step.to_string();
        let mut rows = statement.query(params![step, self.attempt, from])?;
        while let Some(row) = rows.next()? {
            let (chunk, first, lines): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (bytes, sum): (Vec<u8>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
            let written = Written { step: &step, attempt: self.attempt, chunk, first, lines, bytes: &bytes };
            if sum.is_some_and(|sum| !written.holds(&sum)) {
                let what =
                    format!("the output of {}, attempt {}, was changed after it was written", self.step, self.attempt);
                return Err(JournalError::Damaged { path: self.path.to_owned(), what });
            }
            if !take(number(first), as_counted(&bytes, number(lines))) {
                break;
            }
        }
        Ok(())
    }
}

/// The lines of a chunk, as they were counted when it was written: once only LF ended one.
fn as_counted(bytes: &[u8], count: usize) -> Vec<&[u8]> {
    let lines: Vec<&[u8]> = text::lines(bytes).collect();
    if lines.len() == count {
        return lines;
    }
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n').collect()
}

/// From SQLite's numbers, which have a sign.
fn number(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
