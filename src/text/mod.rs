//! The corridor: what two or more rooms need to treat text as text.
//!
//! Uses: nothing. Outside crates: age, base64, unicode-width, zeroize. Pure: no clock, no I/O.
//!
//! What comes from a host, a file or AWS passes `escape` before a person sees it; what a person or a file sees passes
//! `mask` first, so that a secret never leaves memory. What must leave it all the same is sealed (`seal`).

pub mod diff;
pub mod escape;
pub mod fingerprint;
pub mod mask;
pub mod nearest;
pub mod say;
pub mod seal;

pub use diff::unified;
pub use escape::{Cleaner, clean, is_clean, is_hostile, lines};
pub use mask::{MaskLanes, MaskStream, Masker, Masks};
pub use nearest::{nearest, nearest_release, release};
pub use say::{about, ago, clip, count, duration, either, list, read_duration, some};
