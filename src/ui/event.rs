//! Everything that can wake the terminal UI.

use ratatui::crossterm::event::KeyEvent;

use crate::engagement::At;
use crate::engine::Notice;

/// One thing that happened. `update` folds it into the state; nothing else does.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "an event is taken apart as soon as it is there; none is kept")]
pub enum Event {
    Key(KeyEvent),
    /// Pasted text, as one piece: it is data and never runs a command.
    Paste(String),
    /// Columns and rows.
    Resize(u16, u16),
    /// From the engine of the engagement that is open.
    Notice(Notice),
    /// The time of day, about once a second.
    Tick(At),
    /// Somebody outside wants the program to end (SIGTERM, a closed terminal).
    Terminated,
}
