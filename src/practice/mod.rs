//! The cloud and the hosts inside the binary, and their faults.
//!
//! Uses: ssh, aws, text.

pub mod cloud;
pub mod fault;
mod fidelity;
