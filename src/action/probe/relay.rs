//! A connection that was opened elsewhere, handed to a client that opens its own: over a socket in a folder that nobody
//! else may enter, for as long as it is asked for.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ssh::dial::Wire;

/// The place where the connection can be taken, once.
pub(super) struct Relay {
    folder: PathBuf,
    socket: PathBuf,
    /// What is under way ends with it.
    _end: DropGuard,
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Relay {
    /// # Errors
    /// There is no room for the socket in the folder for temporary files.
    pub(super) fn new(mut wire: Box<dyn Wire>) -> io::Result<Relay> {
        let mut name = [0_u8; 8];
        getrandom::fill(&mut name).map_err(|error| io::Error::other(error.to_string()))?;
        let folder = std::env::temp_dir().join(format!("onramp-{:016x}", u64::from_le_bytes(name)));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let end = CancellationToken::new();
        let relay = Relay { socket: folder.join("s"), folder, _end: end.clone().drop_guard() };
        let listener = UnixListener::bind(&relay.socket)?;
        tokio::spawn(async move {
            let carry = async {
                if let Ok((mut near, _)) = listener.accept().await {
                    // How it ends, the client sees by itself.
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut wire).await;
                }
            };
            tokio::select! {
                () = carry => {}
                () = end.cancelled() => {}
            }
        });
        Ok(relay)
    }

    pub(super) fn path(&self) -> &Path {
        &self.socket
    }
}
