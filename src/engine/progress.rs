//! What holds a running attempt up at the moment. No fact: only the latest counts, and nothing of it is kept.

use std::time::Duration;

use tokio::time::Instant;

use crate::action::Holdup;
use crate::engagement::At;
use crate::text::{self, Masker};

/// From so far away on, a time of day alone does not say which day is meant.
const FAR: Duration = Duration::from_secs(12 * 60 * 60);

/// What a running attempt waits for before it goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Why it does not go on yet, in plain words.
    pub why: String,
    /// AWS's code, where it gave one.
    pub code: Option<String>,
    /// AWS's own words; may be empty.
    pub raw: String,
    /// How often it was tried; 0 where it is only looked at.
    pub tries: u32,
    pub since: At,
    /// When it is given up.
    pub until: At,
}

impl Progress {
    /// Something that is only looked at until it is so.
    pub(super) fn looking(why: String, since: At, until: At) -> Self {
        Progress { why, code: None, raw: String::new(), tries: 0, since, until }
    }

    pub(super) fn of(holdup: Holdup, now: At) -> Self {
        let Holdup { why, code, raw, tries, since, until } = holdup;
        let since = now.before(since.elapsed());
        Progress { why, code, raw, tries, since, until: now.after(until.saturating_duration_since(Instant::now())) }
    }

    /// Why, for how long now, and until when: `AWS says … Tried 4 times in 12 s, goes on until 14:32:10`. `utc_offset` is
    /// that of the clock on the reader's wall, in minutes.
    pub fn said(&self, now: At, utc_offset: i32) -> String {
        let passed = text::duration(Duration::from_secs(now.since(self.since).as_secs()));
        let until = match self.until.since(now) {
            // It waits for its turn by now, and others are before it.
            Duration::ZERO => "goes on when its turn comes".to_owned(),
            left if left >= FAR => {
                format!("goes on until {} {}", self.until.day(utc_offset), self.until.time_of_day(utc_offset))
            }
            _ => format!("goes on until {}", self.until.time_of_day(utc_offset)),
        };
        match self.tries {
            0 => format!("{}; {passed} so far, {until}", self.why),
            1 => format!("{} Tried once, {passed} so far; {until}", self.why),
            tries => format!("{} Tried {tries} times in {passed}; {until}", self.why),
        }
    }

    pub(super) fn masked(self, masker: &Masker) -> Self {
        Progress { why: masker.mask(&self.why), raw: masker.mask(&self.raw), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_often_it_was_tried_how_long_that_took_and_when_it_is_given_up() {
        let noon = At(1_795_608_000_000);
        assert_eq!(noon.to_string(), "2026-11-25T12:00:00Z");
        let seen = Progress {
            why: "AWS says IncorrectState. It is on its way.".to_owned(),
            code: Some("IncorrectState".to_owned()),
            raw: "not valid".to_owned(),
            tries: 4,
            since: noon,
            until: noon.after(Duration::from_secs(60)),
        };
        let later = noon.after(Duration::from_secs(12));
        assert_eq!(
            seen.said(later, 60),
            "AWS says IncorrectState. It is on its way. Tried 4 times in 12 s; goes on until 13:01:00"
        );
        assert_eq!(
            seen.said(noon.after(Duration::from_secs(90)), 60),
            "AWS says IncorrectState. It is on its way. Tried 4 times in 1 min 30 s; goes on when its turn comes",
            "a time that has passed is no limit"
        );
        let looked = Progress::looking("nat-1 is pending".to_owned(), noon, noon.after(FAR * 3));
        assert_eq!(
            looked.said(later, 0),
            "nat-1 is pending; 12 s so far, goes on until 2026-11-27 00:00:00",
            "a time of day alone would be taken for today's"
        );
    }
}
