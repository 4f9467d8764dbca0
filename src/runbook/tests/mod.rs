//! Tests too long to stand beside what they test.

mod shells;
mod templates;
