//! Looking for a text in the whole output of an attempt, in the state file, beside whoever writes it.
//!
//! A chunk at a time, so that memory stays small whatever the output's size, and a search that nobody waits for ends soon.

use std::ops::Range;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::handle::{Find, Found, Hit, Notice, Page, clean_line};
use crate::engagement::{Address, Refusal};
use crate::journal::{JournalError, PageAt, Reader};
use crate::text::Masks;

/// Lines shown around what was found.
const PAGE_LINES: usize = 1_000;

/// Searches until the nearest line is found, all was searched, or nobody waits any more: then there is no answer. Blocks.
/// The output is kept under the name that the step had when the attempt was made, `named`.
pub(super) fn find(
    folder: &Path,
    named: &Address,
    find: Find,
    masks: &Masks,
    stop: &CancellationToken,
) -> Option<Notice> {
    let found = Reader::open(folder).and_then(|reader| Search { reader, named, find: &find, masks, stop }.run());
    if stop.is_cancelled() {
        return None;
    }
    Some(match found {
        Ok(hit) => Notice::Found(Found { find, hit }),
        Err(error) => Notice::Refused(Refusal::new(error.to_string(), "")),
    })
}

struct Search<'a> {
    reader: Reader,
    named: &'a Address,
    find: &'a Find,
    masks: &'a Masks,
    stop: &'a CancellationToken,
}

impl Search<'_> {
    fn run(&self) -> Result<Option<Hit>, JournalError> {
        let Find { step, attempt, from, down, .. } = self.find;
        let total = self.reader.page(self.named, *attempt, PageAt::From(0), 0)?.total;
        let from = (*from).min(total);
        let (ahead, behind) = if *down { (from..total, 0..from) } else { (0..from, from..total) };
        let ahead = self.nearest(ahead)?.map(|line| (line, false));
        let found = match ahead {
            Some(found) => Some(found),
            None => self.nearest(behind)?.map(|line| (line, true)),
        };
        let Some((line, around)) = found else { return Ok(None) };
        let at = PageAt::From(line.saturating_sub(PAGE_LINES / 2));
        let page = Page::of(step.clone(), *attempt, self.reader.page(self.named, *attempt, at, PAGE_LINES)?);
        Ok(Some(Hit { line, around, page }))
    }

    /// The first line in this part of the output that holds what is wanted; going up, the last.
    fn nearest(&self, mut part: Range<usize>) -> Result<Option<usize>, JournalError> {
        let wanted = self.find.wanted.to_lowercase();
        while !part.is_empty() && !self.stop.is_cancelled() {
            let at = if self.find.down { part.start } else { part.end - 1 };
            let chunk = self.reader.around(self.named, self.find.attempt, at)?;
            let numbered = (chunk.from..).zip(&chunk.lines).filter(|(number, _)| part.contains(number));
            let mut holding = numbered.filter(|(_, line)| self.holds(line, &wanted)).map(|(number, _)| number);
            let found = if self.find.down { holding.next() } else { holding.last() };
            if found.is_some() {
                return Ok(found);
            }
            if self.find.down {
                part.start = (chunk.from + chunk.lines.len()).max(at + 1);
            } else {
                part.end = chunk.from.min(at);
            }
        }
        Ok(None)
    }

    /// As a person would read it: cleaned, and no secret in it.
    fn holds(&self, line: &[u8], wanted: &str) -> bool {
        let line = clean_line(line);
        line.to_lowercase().contains(wanted) && self.masks.now().mask(&line).to_lowercase().contains(wanted)
    }
}
