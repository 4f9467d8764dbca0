//! The terminal: events in, effects out, `draw(&State)`.
//!
//! Uses: engine, engagement, runbook, input, text.
//!
//! Reading order: `event` and `effect` (both ends of the loop), `facts` (what is known), `state` (where the person is),
//! `command` (THE table of keys), `screen`, `widget`, `look`; `app`, `term` and
//! `background` touch the world.
//! Invariant: screens read `Facts` and answer with effects; only `state::update` changes anything, and the same state
//! always draws the same frame. From `engine` this room uses the handle and what it says.
//! Deliberately absent: reading files, talking to AWS or hosts, deciding what may happen. See `engagement::decide`.

mod acts;
mod app;
mod background;
pub mod command;
mod diagnosed;
mod effect;
mod event;
mod facts;
mod keys;
mod look;
mod next;
mod runs;
mod said;
mod screen;
mod state;
mod term;
mod widget;
mod words;

pub use app::{Desk, Doors, Exit, Options, UiError, run};
pub use background::{Background, background};
pub use command::keys_markdown;
pub use effect::Effect;
pub use event::Event;
pub use facts::{Edition, EngagementCard, Facts, Opened};
pub use look::{Depth, Look, LookError, THEMES, theme_schema};
pub use screen::draw;
pub use state::{State, update};
pub use term::give_back;

#[cfg(test)]
mod tests;
