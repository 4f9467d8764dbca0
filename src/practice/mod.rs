//! The cloud and the hosts inside the binary, and their faults.
//!
//! Uses: ssh, aws, text.

pub mod hosts;
pub mod net;
mod shell;
