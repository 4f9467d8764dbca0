//! The wiring, one file a command.
//!
//! Uses: everything.
