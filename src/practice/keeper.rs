//! Keeps an account in a file while it lives: what was answered is in the file before the answer goes out, so that a
//! practice that is killed goes on where it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::account::AccountError;

/// Writes the whole account as it is now.
pub(super) type Write = Arc<dyn Fn() -> BoxFuture<'static, Result<(), AccountError>> + Send + Sync>;

/// The cloud and the hosts share one.
pub(super) struct Keeper {
    write: Write,
    /// Changes so far, each counted before it begins and again when it is made.
    changes: AtomicU64,
    /// How many of them the file holds.
    kept: Mutex<u64>,
}

impl Keeper {
    pub fn new(write: Write) -> Arc<Self> {
        Arc::new(Self { write, changes: AtomicU64::new(0), kept: Mutex::new(0) })
    }

    /// From here on, whoever is answered may have seen a change that the file does not hold yet.
    pub fn about_to_change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Comes back when the file holds everything that the answer may speak of. Several wait for one writing.
    ///
    /// # Errors
    /// The file cannot be written: then the answer must not be given.
    pub async fn before_answer(&self, changed: bool) -> Result<(), AccountError> {
        if changed {
            self.about_to_change();
        }
        let wanted = self.changes.load(Ordering::SeqCst);
        let mut kept = self.kept.lock().await;
        if *kept >= wanted {
            return Ok(());
        }
        let holds = self.changes.load(Ordering::SeqCst);
        (self.write)().await?;
        *kept = holds;
        Ok(())
    }
}
