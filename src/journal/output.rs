//! Full output of attempts, in chunks of whole lines, paged and never loaded whole.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::JournalError;
use crate::engagement::Address;

/// Which stream of a command a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
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
    let step = step.to_string();
    let (chunk, first): (i64, i64) = connection
        .query_row(
            "SELECT chunk + 1, first + lines FROM output WHERE step = ?1 AND attempt = ?2 ORDER BY chunk DESC LIMIT 1",
            params![step, attempt],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?
        .unwrap_or((0, 0));
    let lines = split(bytes).count();
    connection.execute(
        "INSERT INTO output (step, attempt, chunk, first, lines, bytes, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![step, attempt, chunk, first, i64::try_from(lines).unwrap_or(i64::MAX), bytes, sum(bytes).as_slice()],
    )?;
    Ok(())
}

pub(super) fn sum(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// Which lines are wanted: at most `count`, from line `from` on.
pub(super) struct Which<'a> {
    pub step: &'a Address,
    pub attempt: u32,
    pub from: usize,
    pub count: usize,
}

/// Reads lines; with `sums`, checks that they are as they were written.
pub(super) fn page(connection: &Connection, path: &Path, sums: bool, which: &Which<'_>) -> Result<Lines, JournalError> {
    let Which { step, attempt, from, count } = *which;
    let name = step.to_string();
    let total: i64 = connection.query_row(
        "SELECT COALESCE(MAX(first + lines), 0) FROM output WHERE step = ?1 AND attempt = ?2",
        params![name, attempt],
        |row| row.get(0),
    )?;
    let sum_column = if sums { "sum" } else { "NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT first, bytes, {sum_column} FROM output
         WHERE step = ?1 AND attempt = ?2 AND first + lines > ?3 AND first < ?4 ORDER BY chunk",
    ))?;
    let (low, high) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(from + count).unwrap_or(i64::MAX));
    let mut rows = statement.query(params![name, attempt, low, high])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let (bytes, written): (Vec<u8>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
        if written.is_some_and(|written| written != sum(&bytes)) {
            let what = format!("the output of {step}, attempt {attempt}, was changed after it was written");
            return Err(JournalError::Damaged { path: path.to_owned(), what });
        }
        let first = usize::try_from(first).unwrap_or(0);
        for (offset, line) in split(&bytes).enumerate() {
            if (from..from + count).contains(&(first + offset)) {
                lines.push(line.to_vec());
            }
        }
    }
    Ok(Lines { from, lines, total: usize::try_from(total).unwrap_or(0) })
}

fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let empty = bytes.is_empty();
    body.split(|byte| *byte == b'\n').filter(move |_| !empty)
}
