//! The program as its users meet it: the real binary, in a folder of its own, against practice, moto's server and real
//! hosts. What a machine cannot run is said loudly and counted as skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends there"
)]

mod access;
mod bad_input;
mod bit_flips;
mod canary;
mod crash;
mod diagnose;
mod endpoint;
mod evil;
mod handover;
mod headless;
mod hosts_fail;
mod inputs;
mod lease;
mod names;
mod on_hosts;
mod on_the_way;
mod power_cut;
mod questionnaire;
mod relay;
mod scenarios;
mod secrets;
mod set_up;
mod shim;
mod stage;
mod taking_back;
mod terminal;
mod time;
mod trouble;
mod weeks;
