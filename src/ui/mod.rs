//! Events in, effects out, `draw(&State)`.
//!
//! Uses: engine, engagement, runbook, input, text.
