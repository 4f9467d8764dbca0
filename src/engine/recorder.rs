//! What is true, and everybody who is told: the one place that appends, always first to the disk and then to the readers.

use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use super::clock::Clock;
use super::handle::{Notice, Page};
use crate::engagement::{Actor, Address, Board, Engagement, Event, Intent, Refusal, board};
use crate::journal::{DurableIntent, JournalError, Writer};
use crate::runbook::Runbook;

pub(super) struct Recorder {
    writer: Writer,
    runbook: Arc<Runbook>,
    actor: Actor,
    clock: Clock,
    /// Where every step stands; none when something happened since it was worked out.
    board: Option<Arc<Board>>,
    readers: Vec<std_mpsc::Sender<Notice>>,
    /// The last event that the handle's snapshot knows.
    begins_after: u64,
    /// For readers who come later.
    identity: Option<Notice>,
    /// Why the state file could not be written: nothing is done any more.
    broken: Option<String>,
}

impl Recorder {
    pub fn new(writer: Writer, runbook: Arc<Runbook>, actor: Actor, clock: Clock) -> Self {
        let begins_after = writer.engagement().seq;
        let (board, readers, identity, broken) = (None, Vec::new(), None, None);
        Recorder { writer, runbook, actor, clock, board, readers, begins_after, identity, broken }
    }

    pub fn engagement(&self) -> &Engagement {
        self.writer.engagement()
    }

    pub fn board(&mut self) -> Arc<Board> {
        self.board.get_or_insert_with(|| Arc::new(board(self.writer.engagement(), &self.runbook))).clone()
    }

    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Makes events durable and tells everybody; false when the state file can no longer be written.
    pub fn append(&mut self, events: Vec<Event>) -> bool {
        if self.is_broken() {
            return false;
        }
        if events.is_empty() {
            return true;
        }
        match self.writer.append(self.clock.now(), &self.actor, events) {
            Ok(recorded) => {
                self.board = None;
                for one in recorded {
                    self.tell(&Notice::Recorded(one));
                }
                true
            }
            Err(error) => {
                self.fall_silent(&error);
                false
            }
        }
    }

    /// Makes an intent durable; none when the state file can no longer be written.
    pub fn intend(&mut self, step: &Address, intent: Intent) -> Option<DurableIntent> {
        if self.is_broken() {
            return None;
        }
        match self.writer.intend(self.clock.now(), &self.actor, step, intent) {
            Ok((recorded, intent)) => {
                self.board = None;
                self.tell(&Notice::Recorded(recorded));
                Some(intent)
            }
            Err(error) => {
                self.fall_silent(&error);
                None
            }
        }
    }

    /// Keeps output of attempts: step, attempt, bytes.
    pub fn output(&mut self, pieces: &[(Address, u32, Vec<u8>)]) {
        if self.is_broken() || pieces.is_empty() {
            return;
        }
        if let Err(error) = self.writer.output(pieces) {
            self.fall_silent(&error);
        }
    }

    pub fn finish_output(&mut self, step: &Address, attempt: u32) {
        if self.is_broken() {
            return;
        }
        if let Err(error) = self.writer.finish_output(step, attempt) {
            self.fall_silent(&error);
        }
    }

    pub fn page(&mut self, step: Address, attempt: u32, from: usize, lines: usize) {
        match self.writer.page(&step, attempt, from, lines) {
            Ok(found) => self.tell(&Notice::Page(Page::of(step, attempt, found))),
            Err(error) => self.tell(&Notice::Refused(Refusal { why: error.to_string(), advice: String::new() })),
        }
    }

    /// A new reader first gets what happened since the handle's snapshot.
    pub fn subscribe(&mut self, reader: std_mpsc::Sender<Notice>) {
        let missed = match self.writer.since(self.begins_after) {
            Ok(missed) => missed,
            Err(error) => return self.fall_silent(&error),
        };
        let notices = missed.into_iter().map(Notice::Recorded).chain(self.identity.clone());
        let broken = self.broken.clone().map(Notice::Broken);
        if notices.chain(broken).all(|notice| reader.send(notice).is_ok()) {
            self.readers.push(reader);
        }
    }

    pub fn tell(&mut self, notice: &Notice) {
        if matches!(notice, Notice::Identity(_)) {
            self.identity = Some(notice.clone());
        }
        self.readers.retain(|reader| reader.send(notice.clone()).is_ok());
    }

    /// Says once more why nothing is done.
    pub fn tell_broken(&mut self) {
        if let Some(why) = self.broken.clone() {
            self.tell(&Notice::Broken(why));
        }
    }

    fn fall_silent(&mut self, error: &JournalError) {
        self.broken = Some(error.to_string());
        self.tell_broken();
    }

    /// Lets go of the state file first, so that whoever hears of it can take it.
    pub fn close(self) {
        let Recorder { writer, readers, .. } = self;
        drop(writer);
        for reader in readers {
            // A reader who is gone needs no goodbye.
            let _ = reader.send(Notice::Closed);
        }
    }
}
