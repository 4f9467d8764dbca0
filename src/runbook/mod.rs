//! What the YAML looks like, what the program uses, and everything that can be wrong with it.
//!
//! Uses: input, text. Pure: no clock, no I/O.
