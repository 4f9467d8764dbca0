//! One loop that owns the truth; attempts; the feed that everybody reads.
//!
//! Uses: action, journal, engagement, runbook, input, text.
//!
//! Invariant: only `dispatch`, through its `recorder`, appends to the journal. Readers see recorded events in their order, each once; progress
//! and output are coalesced. The one clock of the program is `clock`.

mod attempt;
mod clock;
mod diagnosis;
mod dispatch;
mod doubt;
mod feed;
mod find;
mod handle;
mod library;
mod planner;
mod polling;
mod progress;
mod recorder;
mod schedule;
mod sight;
mod start;
mod unasked;
mod undoing;

pub use clock::Clock;
pub use dispatch::{Settings, start};
pub use feed::{Following, follow};
pub use handle::{AheadOf, Broken, Find, Found, Handle, Hit, Notice, Page, Request, Summary};
pub use progress::Progress;
pub use start::subject;

pub use crate::journal::PageAt;

#[cfg(test)]
mod tests;
