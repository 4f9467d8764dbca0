//! Tests of the whole room against real OpenSSH servers on the loopback interface.

mod asking;
mod claims;
mod commands;
mod fanout;
mod kept;
mod keys;
mod lab;
mod logins;
mod openssh;
mod setup;
mod stages;
mod sudo;
mod swapped;
