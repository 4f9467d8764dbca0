//! Pieces that screens are made of. None of them knows an engagement.

pub mod badge;
pub mod diff;
pub mod field;
pub mod log;
pub mod popup;
pub mod prose;
pub mod secret_line;
pub mod tree;
