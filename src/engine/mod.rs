//! One loop that owns the truth; attempts; the feed that everybody reads.
//!
//! Uses: action, journal, engagement, runbook, input, text.
