//! Keys as a person handles them: what the agent holds, and a new one in a file.

use std::io::{self, Write};
use std::path::Path;

use russh::keys::agent::client::AgentClient;
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKeyBase64};

/// The keys that the agent behind `socket` offers, one line each: algorithm, fingerprint, comment.
///
/// # Errors
/// Nobody listens there, or it does not speak the agent protocol.
pub async fn agent_keys(socket: &Path) -> Result<Vec<String>, String> {
    let mut agent = AgentClient::connect_uds(socket).await.map_err(|error| error.to_string())?;
    let held = agent.request_identities().await.map_err(|error| error.to_string())?;
    let line = |key: &russh::keys::agent::AgentIdentity| {
        let public = key.public_key();
        format!("{} {} {}", public.algorithm(), public.fingerprint(HashAlg::Sha256), key.comment())
    };
    Ok(held.iter().map(line).collect())
}

/// Makes an Ed25519 key in a new file that only its owner can read, and gives the public line.
///
/// # Errors
/// The file exists or cannot be written.
pub fn new_key_file(path: &Path) -> io::Result<String> {
    use std::os::unix::fs::OpenOptionsExt;
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(io::Error::other)?;
    let text = key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(format!("ssh-ed25519 {}", key.public_key().public_key_base64()))
}
