//! Digest of the arguments, and the idempotency token made of it. Never random: a second try says the same token.

use serde_json::Value as Json;

use super::Address;

/// BLAKE3 of a JSON value in canonical form (serde_json keeps object keys sorted), as 32 hexadecimal digits.
pub fn digest_of(value: &Json) -> String {
    blake3::hash(value.to_string().as_bytes()).to_hex()[..32].to_owned()
}

/// The token of one change: 32 characters of `[0-9a-f]`, valid as a client token of every AWS service used here
/// (EC2 allows 64 ASCII characters) and as a file name on a host.
///
/// `generation` grows after an undo, because RunInstances answers `IdempotentInstanceTerminated` to a token whose
/// instance was terminated.
pub fn token(engagement: &str, step: &Address, digest: &str, generation: u32) -> String {
    let said = format!("onramp\0{engagement}\0{step}\0{digest}\0{generation}");
    blake3::hash(said.as_bytes()).to_hex()[..32].to_owned()
}
