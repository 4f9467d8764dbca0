//! What is true, and everybody who is told: the one place that appends, always first to the disk and then to the readers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use super::clock::Clock;
use super::handle::{Broken, Notice, Page};
use super::sight::Sight;
use crate::engagement::{
    Actor, Address, Board, Engagement, Event, Refusal, board_within, changes_values, loosened, mask_finding, masked,
    overtaken,
};
use crate::journal::{DurableIntent, JournalError, PageAt, Placed, Writer};
use crate::runbook::Runbook;
use crate::text::{Masker, Masks};

pub(super) struct Recorder {
    writer: Writer,
    runbook: Arc<Runbook>,
    actor: Actor,
    clock: Clock,
    /// Where every step stands; none when something happened since it was worked out.
    board: Option<Arc<Board>>,
    /// What templates see; none when a value changed since.
    sight: Option<Arc<Sight>>,
    readers: Vec<std_mpsc::Sender<Notice>>,
    /// The last event that the handle's snapshot knows.
    begins_after: u64,
    /// For readers who come later: who the caller is, and the edition of the runbook, where it is no longer the handle's.
    identity: Option<Notice>,
    edition: Option<Notice>,
    /// Known secrets: none of them goes to the disk or to a reader.
    masks: Masks,
    /// Why the state file could not be written: nothing is done any more.
    broken: Option<Broken>,
}

impl Recorder {
    pub fn new(writer: Writer, runbook: Arc<Runbook>, actor: Actor, clock: Clock, masks: Masks) -> Self {
        let begins_after = writer.engagement().seq;
        let (board, sight, readers, identity, edition, broken) = (None, None, Vec::new(), None, None, None);
        Recorder {
            writer,
            runbook,
            actor,
            clock,
            board,
            sight,
            readers,
            begins_after,
            identity,
            edition,
            masks,
            broken,
        }
    }

    pub fn engagement(&self) -> &Engagement {
        self.writer.engagement()
    }

    pub fn board(&mut self) -> Arc<Board> {
        let sight = self.sight();
        let board = || Arc::new(board_within(self.writer.engagement(), &self.runbook, &sight.real.scope));
        self.board.get_or_insert_with(board).clone()
    }

    pub fn sight(&mut self) -> Arc<Sight> {
        let sight = || Arc::new(Sight::new(self.writer.engagement(), self.runbook.clone()));
        self.sight.get_or_insert_with(sight).clone()
    }

    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Makes events durable and tells everybody; false when the state file can no longer be written.
    pub fn append(&mut self, events: Vec<Event>) -> bool {
        self.commit(events).is_some()
    }

    /// Makes events durable, with what follows from them, all or none, in one go; answers with the intents among them, in
    /// their order. None when the state file can no longer be written.
    pub fn commit(&mut self, mut events: Vec<Event>) -> Option<Vec<DurableIntent>> {
        if self.is_broken() {
            return None;
        }
        if events.is_empty() {
            return Some(Vec::new());
        }
        events.extend(loosened(self.writer.engagement(), &self.runbook, &events));
        events.extend(overtaken(self.writer.engagement(), &self.runbook, &events));
        let masker = self.masks.now();
        let events: Vec<Event> = events.into_iter().map(|event| masked(event, &masker)).collect();
        if events.iter().any(|event| changes_values(self.writer.engagement(), event)) {
            self.sight = None;
        }
        match self.writer.commit(self.clock.now(), &self.actor, events) {
            Ok((recorded, intents)) => {
                self.board = None;
                for one in recorded {
                    self.tell(&Notice::Recorded(one));
                }
                Some(intents)
            }
            Err(error) => {
                self.fall_silent(&error);
                None
            }
        }
    }

    /// Keeps output of attempts: step, attempt, bytes. Answers where each piece stands, of those that could be kept.
    pub fn output(&mut self, pieces: &[(Address, u32, Vec<u8>)]) -> Vec<Placed> {
        if self.is_broken() || pieces.is_empty() {
            return Vec::new();
        }
        self.writer.output(pieces).unwrap_or_else(|error| {
            self.fall_silent(&error);
            Vec::new()
        })
    }

    /// Keeps the last line, which has no end. Answers its number.
    pub fn finish_output(&mut self, step: &Address, attempt: u32) -> usize {
        if self.is_broken() {
            return 0;
        }
        self.writer.finish_output(step, attempt).unwrap_or_else(|error| {
            self.fall_silent(&error);
            0
        })
    }

    pub fn page(&mut self, step: Address, attempt: u32, at: PageAt, lines: usize) {
        match self.writer.page(&self.named_at(&step, attempt), attempt, at, lines) {
            Ok(found) => self.tell(&Notice::Page(Page::of(step, attempt, found))),
            Err(error) => self.tell(&Notice::Refused(Refusal::new(error.to_string(), ""))),
        }
    }

    /// What the step was called when that attempt was made: its output is kept under that name.
    pub fn named_at(&self, step: &Address, attempt: u32) -> Address {
        let formerly = self.engagement().record(step).map(|record| record.formerly.as_slice()).unwrap_or_default();
        let has_output =
            |name: &&Address| self.writer.page(name, attempt, PageAt::Last, 0).is_ok_and(|page| page.total > 0);
        std::iter::once(step).chain(formerly.iter().rev()).find(has_output).unwrap_or(step).clone()
    }

    /// Where the state file is, for those who read it beside this.
    pub fn folder(&self) -> PathBuf {
        self.writer.folder().to_owned()
    }

    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    /// From now on this edition of the runbook is walked.
    pub fn turn_to(&mut self, edition: Arc<Runbook>) {
        (self.board, self.sight) = (None, None);
        self.runbook = edition.clone();
        self.tell(&Notice::Runbook(edition));
    }

    /// A new reader first gets what happened since the handle's snapshot, and what is `open` still.
    pub fn subscribe(&mut self, reader: std_mpsc::Sender<Notice>, open: impl Iterator<Item = Notice>) {
        let missed = match self.writer.since(self.begins_after) {
            Ok(missed) => missed,
            Err(error) => return self.fall_silent(&error),
        };
        let masks = self.masks.now();
        let open = open.map(|notice| hushed(notice, &masks));
        let later = self.edition.clone().into_iter().chain(self.identity.clone()).chain(open);
        let notices = missed.into_iter().map(Notice::Recorded).chain(later);
        let broken = self.broken.clone().map(Notice::Broken);
        if notices.chain(broken).all(|notice| reader.send(notice).is_ok()) {
            self.readers.push(reader);
        }
    }

    pub fn tell(&mut self, notice: &Notice) {
        match notice {
            Notice::Identity(_) => self.identity = Some(notice.clone()),
            Notice::Runbook(_) => self.edition = Some(notice.clone()),
            _ => {}
        }
        let notice = hushed(notice.clone(), &self.masks.now());
        self.readers.retain(|reader| reader.send(notice.clone()).is_ok());
    }

    /// Says once more why nothing is done.
    pub fn tell_broken(&mut self) {
        if let Some(broken) = self.broken.clone() {
            self.tell(&Notice::Broken(broken));
        }
    }

    /// A folder that vanishes is noticed before the next write, too: who works on what cannot be recorded stops.
    pub fn look_where_it_stands(&mut self) {
        if !self.is_broken()
            && let Err(error) = self.writer.stands()
        {
            self.fall_silent(&error);
        }
    }

    fn fall_silent(&mut self, error: &JournalError) {
        self.broken = Some(error.into());
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

/// What readers see of it: events are masked already, output in its stream.
fn hushed(mut notice: Notice, masker: &Masker) -> Notice {
    match &mut notice {
        Notice::Progress { now, .. } => *now = now.take().map(|progress| progress.masked(masker)),
        Notice::Drift { finding, .. } => mask_finding(finding, masker),
        Notice::Broken(broken) => broken.why = masker.mask(&broken.why),
        Notice::Refused(refusal) | Notice::Undiagnosed(_, refusal) => refusal.why = masker.mask(&refusal.why),
        Notice::Diagnosed(diagnosed) => **diagnosed = diagnosed.as_ref().clone().masked(masker),
        // Output that was written before its secret was known.
        Notice::Page(page) => hush_page(page, masker),
        Notice::Found(found) => found.hit.iter_mut().for_each(|hit| hush_page(&mut hit.page, masker)),
        _ => {}
    }
    notice
}

fn hush_page(page: &mut Page, masker: &Masker) {
    page.lines.iter_mut().for_each(|line| *line = masker.mask(line));
}
