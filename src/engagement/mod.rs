//! What is true of one engagement, what may happen next, and what would change.
//!
//! Uses: runbook, input, text. Pure: no clock, no I/O.
