//! Tests of the whole room against real OpenSSH servers on the loopback interface.

mod lab;
mod openssh;
