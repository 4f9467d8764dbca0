//! `/proc`, as far as scripts look into it: `/proc/NUMBER/stat`, `/proc/self`, and the number of the boot (proc(5)).

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use bashkit::{DirEntry, FileSystem, FileSystemExt, FileType, Metadata};

use super::Session;

/// Mounted at `/proc`. It knows its session only while that lives: the session's shell holds it.
pub struct ProcFs {
    session: Weak<Session>,
    /// The process that looks.
    own: u32,
}

/// What a path below `/proc` names.
enum Node {
    Directory(Vec<String>),
    File(String),
}

const BOOT_ID: [&str; 4] = ["sys", "kernel", "random", "boot_id"];

impl ProcFs {
    fn node(&self, path: &Path) -> Option<Node> {
        let session = self.session.upgrade()?;
        let processes = &session.machine.processes;
        let parts: Vec<&str> = path.to_str()?.split('/').filter(|part| !part.is_empty()).collect();
        let number = |name: &str| if name == "self" { Some(self.own) } else { name.parse().ok() };
        let directory = |names: &[&str]| Node::Directory(names.iter().map(|name| (*name).to_string()).collect());
        match parts.as_slice() {
            [] => {
                let numbers = processes.numbers().into_iter().map(|number| number.to_string());
                Some(Node::Directory(numbers.chain(["self".to_string(), "sys".to_string()]).collect()))
            }
            above if above.len() < BOOT_ID.len() && BOOT_ID.starts_with(above) => {
                Some(directory(&[BOOT_ID[above.len()]]))
            }
            whole if *whole == BOOT_ID => Some(Node::File(format!("{}\n", processes.boot))),
            [name] => processes.find(number(name)?).map(|_| directory(&["stat"])),
            [name, "stat"] => {
                let (number, process) = (number(name)?, processes.find(number(name)?)?);
                let (group, born) = (process.group, process.born.as_millis() / 10);
                // In clock ticks, of which there are 100 in a second.
                let rest = format!("0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 {born} 0 0");
                Some(Node::File(format!("{number} (sh) S 1 {group} {group} {rest}\n")))
            }
            _ => None,
        }
    }
}

fn not_here() -> bashkit::Error {
    IoError::new(ErrorKind::NotFound, "No such file or directory").into()
}

fn refused<T>() -> bashkit::Result<T> {
    Err(IoError::new(ErrorKind::PermissionDenied, "Operation not permitted").into())
}

fn metadata(node: &Node) -> Metadata {
    let (file_type, mode) = match node {
        Node::Directory(_) => (FileType::Directory, 0o555),
        Node::File(_) => (FileType::File, 0o444),
    };
    let never = bashkit::time::UNIX_EPOCH;
    Metadata { file_type, size: 0, mode, modified: never, created: never }
}

#[async_trait::async_trait]
impl FileSystem for ProcFs {
    async fn read_file(&self, path: &Path) -> bashkit::Result<Vec<u8>> {
        match self.node(path) {
            Some(Node::File(text)) => Ok(text.into_bytes()),
            Some(Node::Directory(_)) => Err(IoError::new(ErrorKind::IsADirectory, "Is a directory").into()),
            None => Err(not_here()),
        }
    }

    async fn write_file(&self, _: &Path, _: &[u8]) -> bashkit::Result<()> {
        refused()
    }

    async fn append_file(&self, _: &Path, _: &[u8]) -> bashkit::Result<()> {
        refused()
    }

    async fn mkdir(&self, _: &Path, _: bool) -> bashkit::Result<()> {
        refused()
    }

    async fn remove(&self, _: &Path, _: bool) -> bashkit::Result<()> {
        refused()
    }

    async fn stat(&self, path: &Path) -> bashkit::Result<Metadata> {
        self.node(path).map(|node| metadata(&node)).ok_or_else(not_here)
    }

    async fn read_dir(&self, path: &Path) -> bashkit::Result<Vec<DirEntry>> {
        let Some(Node::Directory(names)) = self.node(path) else { return Err(not_here()) };
        let entry = |name: String| {
            let node = self.node(&path.join(&name))?;
            Some(DirEntry { name, metadata: metadata(&node) })
        };
        Ok(names.into_iter().filter_map(entry).collect())
    }

    async fn exists(&self, path: &Path) -> bashkit::Result<bool> {
        Ok(self.node(path).is_some())
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

impl FileSystemExt for ProcFs {}

/// The mount for the process `own` of a session.
pub fn of(session: &Arc<Session>, own: u32) -> Arc<dyn FileSystem> {
    Arc::new(ProcFs { session: Arc::downgrade(session), own })
}
