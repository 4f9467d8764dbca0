//! Kinds of input and their rules: text in, a typed value or a refusal out.
//!
//! Uses: text. Pure: no clock, no I/O.
