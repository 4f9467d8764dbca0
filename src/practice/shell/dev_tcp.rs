//! bash's `/dev/tcp/HOST/PORT`: opening it connects (bash(1), REDIRECTION).

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bashkit::{DirEntry, FileSystem, FileSystemExt, FileType, Metadata};

use super::Session;

/// Mounted at `/dev/tcp`. It knows its session only while that lives: the session's shell holds it.
pub struct DevTcp(pub std::sync::Weak<Session>);

impl DevTcp {
    /// Connects, and hangs up at once: what bash would do with an open socket, bashkit cannot.
    async fn connect(&self, path: &Path) -> bashkit::Result<()> {
        let parts: Vec<&str> = path.to_str().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
        let [host, port] = parts.as_slice() else { return Err(not_here()) };
        let Some(port) = port.parse().ok() else {
            return Err(IoError::new(ErrorKind::InvalidInput, "Invalid argument").into());
        };
        let session = self.0.upgrade().ok_or_else(not_here)?;
        let reach = session.reach.clone().ok_or_else(|| IoError::other("Network is unreachable"))?;
        let why = |error: IoError| match error.kind() {
            ErrorKind::ConnectionRefused => IoError::new(error.kind(), "Connection refused"),
            ErrorKind::HostUnreachable => IoError::new(error.kind(), "No route to host"),
            _ => error,
        };
        reach.dial(&session.machine, host, port).await.map(drop).map_err(|error| why(error).into())
    }
}

fn not_here() -> bashkit::Error {
    IoError::new(ErrorKind::NotFound, "No such file or directory").into()
}

fn refused<T>() -> bashkit::Result<T> {
    Err(IoError::new(ErrorKind::PermissionDenied, "Operation not permitted").into())
}

#[async_trait::async_trait]
impl FileSystem for DevTcp {
    async fn read_file(&self, path: &Path) -> bashkit::Result<Vec<u8>> {
        self.connect(path).await.map(|()| Vec::new())
    }

    async fn write_file(&self, path: &Path, _: &[u8]) -> bashkit::Result<()> {
        self.connect(path).await
    }

    async fn append_file(&self, path: &Path, _: &[u8]) -> bashkit::Result<()> {
        self.connect(path).await
    }

    async fn mkdir(&self, _: &Path, _: bool) -> bashkit::Result<()> {
        refused()
    }

    async fn remove(&self, _: &Path, _: bool) -> bashkit::Result<()> {
        refused()
    }

    async fn stat(&self, path: &Path) -> bashkit::Result<Metadata> {
        let file_type = if path.components().count() > 2 { FileType::File } else { FileType::Directory };
        Ok(Metadata {
            file_type,
            size: 0,
            mode: 0o666,
            modified: bashkit::time::UNIX_EPOCH,
            created: bashkit::time::UNIX_EPOCH,
        })
    }

    async fn read_dir(&self, _: &Path) -> bashkit::Result<Vec<DirEntry>> {
        Ok(Vec::new())
    }

    async fn exists(&self, _: &Path) -> bashkit::Result<bool> {
        Ok(true)
    }

    async fn rename(&self, _: &Path, _: &Path) -> bashkit::Result<()> {
        refused()
    }

    async fn copy(&self, _: &Path, _: &Path) -> bashkit::Result<()> {
        refused()
    }

    async fn symlink(&self, _: &Path, _: &Path) -> bashkit::Result<()> {
        refused()
    }

    async fn read_link(&self, _: &Path) -> bashkit::Result<PathBuf> {
        Err(not_here())
    }

    async fn chmod(&self, _: &Path, _: u32) -> bashkit::Result<()> {
        refused()
    }
}

impl FileSystemExt for DevTcp {}

/// The mount for one session.
pub fn of(session: &Arc<Session>) -> Arc<dyn FileSystem> {
    Arc::new(DevTcp(Arc::downgrade(session)))
}
