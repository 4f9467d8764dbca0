//! The cloud and the hosts inside the binary, and their faults.
//!
//! Uses: ssh, aws, net, text.
//!
//! `account` joins the two: an instance that runs in the cloud is a host that answers, and security groups are walls.
//! Deliberately absent: anything that leaves the process.

mod account;
mod cbor;
pub mod cloud;
mod customer;
mod datacentre;
pub mod fault;
mod fidelity;
pub mod hosts;
mod keeper;
mod mishap;
pub mod net;
mod outside;
mod shell;

pub use account::{Account, AccountError};
pub use cloud::Pace;
pub use fault::{Fault, Faults};
pub use mishap::Mishap;
