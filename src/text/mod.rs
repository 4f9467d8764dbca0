//! The corridor: what two or more rooms need to treat text as text.
//!
//! Uses: nothing. Pure: no clock, no I/O.
