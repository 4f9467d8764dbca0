//! The rows of a state file, as they are written: an event, the step drawn from it, the seal.

use rusqlite::{Connection, params};

use super::chain::{Hash, Link};
use crate::engagement::{Engagement, State};

pub(super) fn event(connection: &Connection, link: &Link<'_>, hash: &Hash) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO events (seq, at, actor, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![number(link.seq), link.at, link.actor, link.body, hash.as_slice()])?;
    Ok(())
}

/// Draws the steps that are not as they were `before`, and moves the seal to the last event.
pub(super) fn drawn(
    connection: &Connection,
    before: &Engagement,
    after: &Engagement,
    head: &Hash,
) -> Result<(), rusqlite::Error> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO steps (address, state, seq) VALUES (?1, ?2, ?3)")?;
    for (step, record) in &after.steps {
        if before.steps.get(step).is_none_or(|before| before != record) {
            statement.execute(params![step.to_string(), state_word(&record.state), number(after.seq)])?;
        }
    }
    connection
        .prepare_cached("UPDATE seal SET seq = ?1, head = ?2")?
        .execute(params![number(after.seq), head.as_slice()])?;
    Ok(())
}

/// As SQLite counts.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
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
        State::Undone { stays: Some(_), .. } => "stays",
        State::Undone { stays: None, .. } => "undone",
    }
}
