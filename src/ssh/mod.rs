//! The wire to hosts: hops, host keys, sessions, commands.
//!
//! Uses: text.

pub mod dial;
