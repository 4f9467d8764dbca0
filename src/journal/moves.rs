//! Exports and imports: which machine an engagement is worked on. Two must never be.

use rusqlite::{Connection, OptionalExtension, params};

use crate::engagement::{Actor, At};

/// This engagement was handed to somebody and is worked on elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    pub at: At,
    pub by: Actor,
    /// The file it was handed over in.
    pub file: String,
}

impl std::fmt::Display for Away {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} handed it over in {} at {}", self.by, self.file, self.at)
    }
}

/// What became of an engagement here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Handed over.
    Out,
    /// Taken back: the file it was handed over in is not used.
    Back,
    /// Came from another machine.
    In,
}

impl Move {
    fn word(self) -> &'static str {
        match self {
            Move::Out => "out",
            Move::Back => "back",
            Move::In => "in",
        }
    }
}

pub(super) fn record(
    connection: &Connection,
    what: Move,
    at: At,
    actor: &Actor,
    said: &str,
) -> Result<(), rusqlite::Error> {
    connection.execute(
        "INSERT INTO moves (at, actor, what, said) VALUES (?1, ?2, ?3, ?4)",
        params![at.0, actor, what.word(), said],
    )?;
    Ok(())
}

/// The last move decides.
pub(super) fn away(connection: &Connection) -> Result<Option<Away>, rusqlite::Error> {
    let last =
        connection.query_row("SELECT what, at, actor, said FROM moves ORDER BY number DESC LIMIT 1", [], |row| {
            let away = Away { at: At(row.get(1)?), by: row.get(2)?, file: row.get(3)? };
            Ok((row.get::<_, String>(0)?, away))
        });
    Ok(last.optional()?.filter(|(what, _)| what == Move::Out.word()).map(|(_, away)| away))
}
