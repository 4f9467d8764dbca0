//! The wire to AWS: clients, identity, tags, errors in plain words.
//!
//! Uses: text.
