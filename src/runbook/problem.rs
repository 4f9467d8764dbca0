//! What is wrong with a runbook, where, and what was probably meant.

use std::fmt;

use super::place::Place;
use crate::text;

/// An error keeps a runbook from being used; a warning asks its author to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One thing wrong. Displays as `file:line:column: error: message (hint)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 when the problem has no line, as of a file that is missing.
    pub line: usize,
    /// From 1, in characters; 0 when there is no line.
    pub column: usize,
    pub severity: Severity,
    /// Id of a row of the table of rules.
    pub rule: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

impl Problem {
    pub fn error(place: &Place, rule: &'static str, message: impl Into<String>) -> Self {
        Problem {
            file: text::clean(place.file.as_bytes()),
            line: place.line,
            column: place.column,
            severity: Severity::Error,
            rule,
            // Messages quote the file, which may hold anything.
            message: text::clean(message.into().as_bytes()),
            hint: None,
        }
    }

    pub fn warning(place: &Place, rule: &'static str, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::error(place, rule, message) }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Problem { hint: Some(text::clean(hint.into().as_bytes())), ..self }
    }

    /// Adds "did you mean …?" when one of the candidates is near to what was written.
    pub fn nearest<'a>(self, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match text::nearest(written, candidates) {
            Some(meant) => self.hint(format!("did you mean `{meant}`?")),
            None => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}: {}", self.severity, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}
