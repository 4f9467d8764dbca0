//! Tests of the whole room against real OpenSSH servers on the loopback interface.

mod claims;
mod commands;
mod fanout;
mod lab;
mod logins;
mod openssh;
mod sudo;
