//! What is wrong with an answer, why, what would be right, and who says so.

use std::fmt;

use serde::Serialize;

use super::Kind;
use crate::text::{clean, clip};

/// The answer to a wrong answer. Printed, it is one or two sentences that name the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// What is wrong; names the value and, in a list, its place.
    pub what: String,
    /// The rule, in words.
    pub why: String,
    /// Something that would be accepted: where possible the answer itself, put right.
    pub example: String,
    /// Where the rule comes from: an RFC, an AWS page, or onramp itself.
    pub source: &'static str,
}

impl Refusal {
    pub(super) fn new(what: impl Into<String>, why: impl Into<String>, source: &'static str) -> Self {
        Self { what: what.into(), why: why.into(), example: String::new(), source }
    }

    /// With something that would be accepted. Without it the example of the kind is used.
    pub(super) fn suggest(mut self, example: impl AsRef<str>) -> Self {
        self.example = one_line(example.as_ref());
        self
    }

    /// With the kind's own example where no other is there.
    pub(super) fn or_suggest(self, kind: &Kind) -> Self {
        if self.example.is_empty() { self.suggest(kind.own_example()) } else { self }
    }

    /// Of several entries, each with what is wrong with it. It proposes something only where each of them did.
    /// Behind `looked_at` wrong ones nobody looked for more.
    pub(super) fn together(mut refusals: Vec<Refusal>, looked_at: usize) -> Option<Refusal> {
        const SAID: usize = 6;
        let count = refusals.len();
        let examples: Vec<String> = refusals.iter().map(|one| one.example.clone()).collect();
        refusals.truncate(SAID);
        let last = refusals.pop()?;
        let Some(first) = refusals.first() else { return Some(last) };
        let source = first.source;
        let mut what: Vec<String> = refusals.iter().map(|one| format!("{}: {}", one.what, one.why)).collect();
        what.push(last.what);
        let more = match count.saturating_sub(SAID) {
            0 => String::new(),
            more if count >= looked_at => format!("; and at least {more} more are wrong"),
            1 => "; and 1 more is wrong".to_owned(),
            more => format!("; and {more} more are wrong"),
        };
        let example = if examples.iter().any(String::is_empty) { String::new() } else { examples.join(", ") };
        Some(Refusal { what: what.join("; "), why: last.why + &more, example, source })
    }

    /// With the place in a list or table where it is: `line 3`.
    pub(super) fn at(mut self, place: &str) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.what, self.why, if self.why.ends_with('?') { "" } else { "." })?;
        if self.example.is_empty() { Ok(()) } else { write!(f, " For example: {}", self.example) }
    }
}

impl std::error::Error for Refusal {}

/// What somebody typed, fit to stand in a message: printable, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", clip(&one_line(text), 60))
}

fn one_line(text: &str) -> String {
    clean(text.as_bytes()).replace(['\n', '\t'], " ")
}
