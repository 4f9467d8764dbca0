//! The wire against a server of our own making, and against nothing at all.

mod codes;
mod faults;
mod together;
