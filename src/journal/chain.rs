//! The hash chain: each event's hash covers the one before it, so an edit in the middle is found.

/// What one link covers.
pub(super) struct Link<'a> {
    pub seq: u64,
    pub at: i64,
    pub actor: &'a str,
    pub body: &'a str,
}

pub(super) type Hash = [u8; 32];

pub(super) const ROOT: Hash = [0; 32];

/// BLAKE3 over the previous hash and the event's fields, each with its length, so that no two events can read the same.
pub(super) fn link(previous: &Hash, event: &Link<'_>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&event.seq.to_le_bytes());
    hasher.update(&event.at.to_le_bytes());
    for part in [event.actor, event.body] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}
