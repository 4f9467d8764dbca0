//! The state file: the only memory.
//!
//! Uses: engagement, text.
