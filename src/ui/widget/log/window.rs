//! A window on the output of an attempt: some lines of it, next to each other, bounded whatever the output's size.
//!
//! Lines are numbered from 0 in all of the output. Those before and after the window are in the state file, and asked for
//! when a reader comes near them.

use std::collections::VecDeque;

use super::View;
use crate::engine::{Page, PageAt};

/// Lines kept here, and about how many bytes of them.
pub const KEPT_LINES: usize = 20_000;
const KEPT_BYTES: usize = 2 * PAGE_LINES * (LONGEST_LINE + 128);

/// Lines asked for at once. Two pages of the longest lines have room here, so that one does not drive out what was just
/// asked for.
pub const PAGE_LINES: usize = 128;

/// A page is asked for when a reader comes this near to its lines.
const NEAR: usize = 64;

/// A line longer than this is cut in the view, and says so; the journal has all of it. It breaks off lines before that, but
/// signs that would move a cursor are longer when they are written out.
pub const LONGEST_LINE: usize = 128 * 1024;

/// Some lines of one attempt's output, and how many there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    pub attempt: u32,
    /// Number of the first line here.
    first: usize,
    lines: VecDeque<String>,
    bytes: usize,
    /// Lines there are in all, those without an end not counted.
    ended: usize,
    /// What came after the last line end.
    open: String,
    /// Bytes of it that are not here.
    left_out: usize,
    /// A line here is longer than what is kept of it.
    cut: bool,
    /// Somebody reads in the middle: new lines are counted, and drive nothing out.
    pub held: bool,
}

impl Output {
    pub fn new(attempt: u32) -> Self {
        Output { attempt, ..Output::default() }
    }

    pub fn of(page: Page) -> Self {
        let mut output = Output::new(page.attempt);
        output.take(page);
        output
    }

    /// Adds what just came, which begins or goes on with line `from`. Lines that are known already are passed over.
    pub fn push(&mut self, from: usize, text: &str) {
        if from > self.ended {
            if self.lines.is_empty() {
                self.first = from;
            }
            self.ended = from;
            self.forget_open();
        }
        let known = self.ended - from;
        for piece in text.split_inclusive('\n').skip(known) {
            let body = piece.strip_suffix('\n');
            let more = body.unwrap_or(piece);
            let kept = clipped(more, LONGEST_LINE.saturating_sub(self.open.len()));
            self.left_out += more.len() - kept.len();
            self.open.push_str(kept);
            if body.is_some() {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.open);
        let left_out = std::mem::take(&mut self.left_out);
        let was_at_end = self.is_at_end();
        self.ended += 1;
        if was_at_end && !(self.held && self.is_full()) {
            let line = self.shown(line, left_out);
            self.bytes += line.len();
            self.lines.push_back(line);
            self.forget_first();
        }
    }

    fn forget_open(&mut self) {
        (self.open, self.left_out) = (String::new(), 0);
    }

    /// Takes in lines that the engine sent: beside those here, where they fit, and in their place otherwise. What is too
    /// many then is forgotten at the other end.
    pub fn take(&mut self, page: Page) {
        if page.total > self.ended {
            self.forget_open();
        }
        let page_end = page.from + page.lines.len();
        let (first, end) = (self.first, self.end());
        let has_all_of_it = page.from <= first && page_end >= end;
        if has_all_of_it || page_end < first || page.from > end {
            self.lines.clear();
            (self.first, self.bytes) = (page.from, 0);
            page.lines.into_iter().for_each(|line| self.append(line));
        } else if page.from < first {
            page.lines.into_iter().take(first - page.from).rev().for_each(|line| self.prepend(line));
            self.forget_last();
        } else {
            page.lines.into_iter().skip(end - page.from).for_each(|line| self.append(line));
            self.forget_first();
        }
        self.ended = page.total.max(self.end());
    }

    fn append(&mut self, line: String) {
        let line = self.shortened(line);
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    fn prepend(&mut self, line: String) {
        let line = self.shortened(line);
        self.bytes += line.len();
        self.lines.push_front(line);
        self.first -= 1;
    }

    fn shortened(&mut self, line: String) -> String {
        let kept = clipped(&line, LONGEST_LINE);
        let left_out = line.len() - kept.len();
        if left_out == 0 { line } else { self.shown(kept.to_owned(), left_out) }
    }

    /// The line with a word on what is not here of it.
    fn shown(&mut self, line: String, left_out: usize) -> String {
        if left_out == 0 {
            return line;
        }
        self.cut = true;
        format!("{line} [and {}, which the state file has]", crate::text::count(left_out, "more byte"))
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= KEPT_LINES || self.bytes >= KEPT_BYTES
    }

    fn is_overfull(&self) -> bool {
        self.lines.len() > KEPT_LINES || self.bytes > KEPT_BYTES
    }

    fn forget_first(&mut self) {
        while self.is_overfull() {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.len());
            self.first += 1;
        }
    }

    fn forget_last(&mut self) {
        while self.is_overfull() {
            self.bytes -= self.lines.pop_back().map_or(0, |line| line.len());
        }
    }

    /// Is there nothing, here or elsewhere?
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// Lines there are, here or elsewhere.
    pub fn total(&self) -> usize {
        self.ended + usize::from(!self.open.is_empty())
    }

    /// Lines that are kept here.
    pub fn kept(&self) -> usize {
        self.lines.len()
    }

    /// The number after the last line here that has an end.
    fn end(&self) -> usize {
        self.first + self.lines.len()
    }

    /// Are the newest lines here?
    pub fn is_at_end(&self) -> bool {
        self.end() == self.ended
    }

    /// One line, when it is here.
    pub fn line(&self, number: usize) -> Option<&str> {
        let open = Some(&self.open).filter(|open| number == self.ended && self.is_at_end() && !open.is_empty());
        self.lines.get(number.checked_sub(self.first)?).or(open).map(String::as_str)
    }

    /// Lines from this one on, as far as they are here; none, when it is not.
    pub fn from(&self, line: usize) -> impl Iterator<Item = &str> {
        let here = (self.first..=self.end()).contains(&line);
        let skipped = if here { line - self.first } else { self.lines.len() };
        let open = Some(self.open.as_str()).filter(|open| here && self.is_at_end() && !open.is_empty());
        self.lines.iter().skip(skipped).map(String::as_str).chain(open)
    }

    /// The newest lines, the last one first; none, when they are not here.
    pub fn newest_first(&self) -> impl Iterator<Item = &str> {
        let at_end = self.is_at_end();
        let open = Some(self.open.as_str()).filter(|open| !open.is_empty());
        open.into_iter().chain(self.lines.iter().rev().map(String::as_str)).take_while(move |_| at_end)
    }

    /// What this reader will want to see and is not here; nothing, when all of it is.
    pub fn lacks(&self, view: &View, height: usize) -> Option<PageAt> {
        let (first, end) = (self.first, self.end());
        if view.follow {
            return (!self.is_at_end()).then_some(PageAt::Last);
        }
        let bottom = view.top.saturating_add(height);
        if view.top + PAGE_LINES < first || view.top > end {
            Some(PageAt::From(view.top.saturating_sub(PAGE_LINES / 2)))
        } else if first > 0 && view.top < first + NEAR {
            Some(PageAt::From(first.saturating_sub(PAGE_LINES)))
        } else if !self.is_at_end() && bottom + NEAR > end {
            Some(PageAt::From(end))
        } else {
            None
        }
    }

    /// Looks in the lines that are here, from `start` on: down, it is the first one looked at; up, the one after it.
    pub fn find(&self, wanted: &str, start: usize, down: bool) -> Seen {
        let wanted = wanted.to_lowercase();
        let start = start.min(self.total());
        let open = Some(self.open.as_str()).filter(|open| self.is_at_end() && !open.is_empty());
        let lines = self.lines.iter().map(String::as_str).chain(open);
        let holds = |(number, line): (usize, &str)| line.to_lowercase().contains(&wanted).then_some(number);
        if !(self.first..=self.total()).contains(&start) {
            return Seen::No { on: start };
        }
        if down {
            match (self.first..).zip(lines).skip(start - self.first).find_map(holds) {
                Some(line) => Seen::At(line),
                None => Seen::No { on: start.max(self.end()) },
            }
        } else {
            let before: Vec<(usize, &str)> = (self.first..start).zip(lines).collect();
            let all_here = self.first + before.len() == start;
            match before.into_iter().rev().find_map(holds).filter(|_| all_here) {
                Some(line) => Seen::At(line),
                None => Seen::No { on: if all_here { self.first } else { start } },
            }
        }
    }

    /// The line that has no end yet, when it holds this.
    pub fn find_in_open(&self, wanted: &str) -> Option<usize> {
        self.open.to_lowercase().contains(&wanted.to_lowercase()).then_some(self.ended)
    }

    /// Is every line here, whole?
    pub fn is_whole(&self) -> bool {
        self.first == 0 && self.is_at_end() && !self.cut && self.left_out == 0
    }
}

/// What a look at the lines that are here found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    At(usize),
    /// From this line on, or before it, others have to look.
    No {
        on: usize,
    },
}

/// The beginning of `text`, at most so many bytes.
fn clipped(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;

    fn page(from: usize, lines: &[&str], total: usize) -> Page {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Page { step: "net/vpc".parse().unwrap(), attempt: 1, from, lines, total }
    }

    fn numbers(from: usize, to: usize, total: usize) -> Page {
        Page { lines: (from..to).map(|number| number.to_string()).collect(), ..page(from, &[], total) }
    }

    fn flood(output: &mut Output, from: usize, to: usize) {
        (from..to).for_each(|number| output.push(number, &format!("{number}\n")));
    }

    fn at(top: usize) -> View {
        View { follow: false, top, ..View::default() }
    }

    #[test]
    fn pieces_become_lines() {
        let mut output = Output::new(1);
        output.push(0, "one\ntw");
        output.push(1, "o\nthree");
        assert_eq!(output.from(0).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(output.newest_first().next(), Some("three"));
        assert_eq!((output.total(), output.is_whole()), (3, true));
    }

    #[test]
    fn memory_is_bounded_and_what_was_forgotten_is_counted() {
        let mut output = Output::new(1);
        flood(&mut output, 0, KEPT_LINES + 10);
        assert_eq!((output.kept(), output.first, output.total()), (KEPT_LINES, 10, KEPT_LINES + 10));
        let mut long = Output::new(1);
        let line = format!("{}\n", "é".repeat(LONGEST_LINE));
        (0..1_000).for_each(|number| long.push(number, &line));
        assert!(long.bytes <= KEPT_BYTES && long.kept() >= 2 * PAGE_LINES, "{} in {}", long.kept(), long.bytes);
        let mut endless = Output::new(1);
        (0..20_000).for_each(|_| endless.push(0, "xxxxxxxxxx"));
        assert!(endless.open.len() <= LONGEST_LINE);
        assert!(!endless.is_whole() && !long.is_whole(), "others have to look in what was cut");
    }

    #[test]
    fn what_comes_while_somebody_reads_is_only_counted() {
        let mut output = Output::new(1);
        flood(&mut output, 0, KEPT_LINES);
        output.held = true;
        flood(&mut output, KEPT_LINES, KEPT_LINES + 500);
        assert_eq!(output.from(0).next(), Some("0"));
        assert_eq!((output.kept(), output.total(), output.is_at_end()), (KEPT_LINES, KEPT_LINES + 500, false));
        assert_eq!(output.newest_first().next(), None, "the newest lines are not here");
        assert_eq!(output.lacks(&View::default(), 10), Some(PageAt::Last));
        output.push(KEPT_LINES + 500, "half");
        output.take(numbers(KEPT_LINES - 500, KEPT_LINES + 500, KEPT_LINES + 500));
        assert_eq!(output.newest_first().next(), Some("half"));
        assert_eq!((output.kept(), output.first), (KEPT_LINES, 500));
    }

    #[test]
    fn lines_that_a_page_brought_already_are_passed_over_and_a_gap_is_known() {
        let mut output = Output::of(page(0, &["a", "b"], 2));
        output.push(1, "b\nc\n");
        assert_eq!(output.from(0).collect::<String>(), "abc");
        output.push(10, "k\n");
        assert_eq!((output.total(), output.is_at_end()), (11, false));
        assert_eq!(output.lacks(&at(0), 20), Some(PageAt::From(3)));
    }

    #[test]
    fn pages_join_on_both_sides_and_others_take_the_place() {
        let total = 1_000_000;
        let mut output = Output::of(numbers(500_000, 501_000, total));
        assert_eq!(output.lacks(&at(500_500), 20), None);
        assert_eq!(output.lacks(&at(500_030), 20), Some(PageAt::From(500_000 - PAGE_LINES)));
        output.take(numbers(499_000, 500_000, total));
        assert_eq!(output.lacks(&at(500_950), 20), Some(PageAt::From(501_000)));
        output.take(numbers(500_900, 502_000, total));
        let here: Vec<&str> = output.from(499_000).collect();
        assert_eq!((here.len(), here[0], here[2_999]), (3_000, "499000", "501999"));
        assert_eq!(output.lacks(&at(10), 20), Some(PageAt::From(0)));
        output.take(numbers(0, 1_000, total));
        assert_eq!((output.from(10).next(), output.kept()), (Some("10"), 1_000));
        assert_eq!(output.from(999_999).next(), None, "what is not here is not shown");
    }

    #[test]
    fn walking_through_a_million_lines_keeps_few_of_them() {
        let total = 1_000_000;
        let mut output = Output::of(numbers(0, 1_000, total));
        let mut view = at(0);
        for _ in 0..5_000 {
            view.scroll(200, &output, Size::new(80, 40));
            while let Some(PageAt::From(from)) = output.lacks(&view, 40) {
                output.take(numbers(from, (from + PAGE_LINES).min(total), total));
            }
            assert_eq!(output.from(view.top).next(), Some(view.top.to_string().as_str()));
            assert!(output.kept() <= KEPT_LINES);
        }
        assert!(view.follow, "it came to the end");
        view.scroll(-1, &output, Size::new(80, 40));
        for _ in 0..5_000 {
            view.scroll(-200, &output, Size::new(80, 40));
            while let Some(PageAt::From(from)) = output.lacks(&view, 40) {
                output.take(numbers(from, (from + PAGE_LINES).min(total), total));
            }
            assert!(output.kept() <= KEPT_LINES);
        }
        assert_eq!((view.top, output.from(0).next()), (0, Some("0")));
    }

    #[test]
    fn finding_goes_both_ways_and_says_where_others_have_to_look() {
        let output = Output::of(page(0, &["Alpha", "beta", "ALPHA"], 3));
        assert_eq!(output.find("alpha", 1, true), Seen::At(2));
        assert_eq!(output.find("alpha", 2, false), Seen::At(0));
        assert_eq!(output.find("gamma", 0, true), Seen::No { on: 3 });
        let part = Output::of(page(10, &["Alpha", "beta"], 100));
        assert_eq!(part.find("alpha", 11, true), Seen::No { on: 12 });
        assert_eq!(part.find("beta", 11, false), Seen::No { on: 10 });
        assert_eq!(part.find("alpha", 12, false), Seen::At(10));
        assert_eq!(part.find("alpha", 50, true), Seen::No { on: 50 }, "what is not here is not passed over");
        assert_eq!(part.find("alpha", 50, false), Seen::No { on: 50 });
    }
}
