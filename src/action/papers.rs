//! Files of an engagement that people need as files: they lie in its folder, for their owner's eyes only.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The folder of one engagement; none where there is no engagement on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Papers(PathBuf);

/// One file there.
pub(super) struct Paper(PathBuf);

/// The file of a line's letter of authorization.
pub(super) fn letter(connection: &str) -> String {
    format!("letter-{connection}.pdf")
}

impl Papers {
    pub(super) fn beside(folder: &Path) -> Papers {
        Papers(folder.to_owned())
    }

    /// The file of that name; what is no part of a plain name becomes a hyphen.
    pub(super) fn of(&self, name: &str) -> Paper {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '-' };
        let name: String = name.chars().map(plain).collect();
        Paper(if self.0.as_os_str().is_empty() { PathBuf::new() } else { self.0.join(name) })
    }
}

impl Paper {
    /// Where it lies, as a person is told.
    pub(super) fn path(&self) -> String {
        self.0.display().to_string()
    }

    /// What is in it; none when it is not there.
    pub(super) async fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let path = self.0.clone();
        let read = move || match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }

    /// Writes it, whole or not at all; gives where it lies.
    pub(super) async fn keep(&self, bytes: Vec<u8>) -> io::Result<String> {
        if self.0.as_os_str().is_empty() {
            return Err(io::Error::other("this engagement has no folder"));
        }
        let path = self.0.clone();
        tokio::task::spawn_blocking(move || replace(&path, &bytes)).await.map_err(io::Error::other)??;
        Ok(self.path())
    }
}

/// Writes beside it first, so that a power cut leaves the old file or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The old file stands as it was.
        let _ = fs::remove_file(&beside);
        return written;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_paper_is_kept_for_its_owner_and_stays_in_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let papers = Papers::beside(home.path());
        let paper = papers.of("../letter of dxcon-1.pdf");
        assert_eq!(paper.read().await.unwrap(), None);
        let kept = paper.keep(b"first".to_vec()).await.unwrap();
        assert_eq!(Path::new(&kept), home.path().join("..-letter-of-dxcon-1.pdf"));
        paper.keep(b"second".to_vec()).await.unwrap();
        assert_eq!(paper.read().await.unwrap().as_deref(), Some(&b"second"[..]));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(Papers::default().of("letter").keep(Vec::new()).await.is_err(), "never into the working folder");
    }
}
