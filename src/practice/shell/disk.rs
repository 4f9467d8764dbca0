//! A virtual host's file system: files in memory, who owns them, and what a user who is not root may do with them.

use std::collections::BTreeMap;
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bashkit::{
    DirEntry, FileSystem, FileSystemExt, FsUsage, InMemoryFs, Metadata, VfsEntry, VfsEntryKind, VfsSnapshot,
};
use serde::{Deserialize, Serialize};

use super::account::Account;

/// User and group of a file, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user: String,
    pub group: String,
}

impl Owner {
    pub fn of(name: &str) -> Self {
        Self { user: name.to_string(), group: name.to_string() }
    }

    pub fn root() -> Self {
        Self::of("root")
    }
}

/// The files of one host. What no entry of `owners` names belongs to root.
pub struct Disk {
    files: InMemoryFs,
    owners: Mutex<BTreeMap<PathBuf, Owner>>,
}

/// What is written down of a disk when practice is left.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedDisk {
    files: Vec<SavedFile>,
    owners: BTreeMap<PathBuf, Owner>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedFile {
    path: PathBuf,
    mode: u32,
    #[serde(flatten)]
    kind: SavedKind,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum SavedKind {
    /// Base64: files are bytes, JSON is not.
    File {
        content: String,
    },
    Directory,
    Symlink {
        target: PathBuf,
    },
    Fifo,
}

impl Disk {
    pub fn new() -> Self {
        let disk = Self { files: InMemoryFs::new(), owners: Mutex::default() };
        for (path, mode) in [("/etc", 0o755), ("/root", 0o700), ("/run", 0o755), ("/tmp", 0o1777), ("/var/tmp", 0o1777)]
        {
            disk.dir(path, mode, Owner::root());
        }
        disk
    }

    /// Writes a file while an image is laid out; directories above it are made.
    pub fn put(&self, path: &str, content: &str, mode: u32, owner: Owner) {
        self.files.add_file(path, content, mode);
        self.set_owner(Path::new(path), owner);
    }

    /// Makes a directory while an image is laid out.
    pub fn dir(&self, path: &str, mode: u32, owner: Owner) {
        self.files.add_dir(path, mode);
        self.set_owner(Path::new(path), owner);
    }

    /// The text of a file, or nothing if there is no such file. Invalid UTF-8 is replaced.
    pub async fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = self.files.read_file(path.as_ref()).await.ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a directory, sorted as `glob(3)` sorts them; empty if it does not exist.
    pub async fn names(&self, directory: impl AsRef<Path>) -> Vec<String> {
        let entries = self.files.read_dir(directory.as_ref()).await.unwrap_or_default();
        let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        names.sort();
        names
    }

    pub fn owner(&self, path: &Path) -> Owner {
        self.lock().get(path).cloned().unwrap_or_else(Owner::root)
    }

    pub fn set_owner(&self, path: &Path, owner: Owner) {
        if owner == Owner::root() {
            self.lock().remove(path);
        } else {
            self.lock().insert(path.to_path_buf(), owner);
        }
    }

    /// The file system as root, without any check.
    pub fn raw(&self) -> &InMemoryFs {
        &self.files
    }

    pub fn save(&self) -> SavedDisk {
        let snapshot = self.files.snapshot();
        let mut files: Vec<SavedFile> = snapshot.entries().iter().map(SavedFile::of).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        SavedDisk { files, owners: self.lock().clone() }
    }

    /// Puts back what [`Disk::save`] gave. The error says what about it cannot be read.
    pub fn load(saved: SavedDisk) -> Result<Self, String> {
        let entries = saved.files.into_iter().map(SavedFile::entry).collect::<Result<Vec<_>, _>>()?;
        let files = InMemoryFs::new();
        files.restore(&VfsSnapshot::from_entries(entries)).map_err(|error| error.to_string())?;
        Ok(Self { files, owners: Mutex::new(saved.owners) })
    }

    /// Does it lie on a mount from which nothing is executed (fstab(5), noexec)?
    async fn is_noexec(&self, path: &Path) -> bool {
        let around = |line: &str| {
            let mut fields = line.split_whitespace().skip(1);
            let at = fields.next().is_some_and(|at| path.starts_with(at));
            at && fields.nth(1).is_some_and(|options| options.split(',').any(|one| one == "noexec"))
        };
        FOR_EVERYBODY.iter().any(|at| path.starts_with(at))
            && self.text("/etc/fstab").await.is_some_and(|mounts| mounts.lines().any(around))
    }

    fn forget_owner(&self, path: &Path) {
        self.lock().retain(|owned, _| !owned.starts_with(path));
    }

    fn move_owners(&self, from: &Path, to: &Path) {
        let mut owners = self.lock();
        let moved: Vec<PathBuf> = owners.keys().filter(|path| path.starts_with(from)).cloned().collect();
        owners.retain(|path, _| !path.starts_with(to));
        for path in moved {
            if let (Some(owner), Ok(rest)) = (owners.remove(&path), path.strip_prefix(from)) {
                let new = if rest.as_os_str().is_empty() { to.to_path_buf() } else { to.join(rest) };
                owners.insert(new, owner);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SavedFile {
    fn of(entry: &VfsEntry) -> Self {
        let kind = match &entry.kind {
            VfsEntryKind::File { content } => SavedKind::File { content: STANDARD.encode(content) },
            VfsEntryKind::Directory => SavedKind::Directory,
            VfsEntryKind::Symlink { target } => SavedKind::Symlink { target: target.clone() },
            VfsEntryKind::Fifo => SavedKind::Fifo,
        };
        Self { path: entry.path.clone(), mode: entry.mode, kind }
    }

    fn entry(self) -> Result<VfsEntry, String> {
        let kind = match self.kind {
            SavedKind::File { content } => VfsEntryKind::File {
                content: STANDARD.decode(content).map_err(|error| format!("{}: {error}", self.path.display()))?,
            },
            SavedKind::Directory => VfsEntryKind::Directory,
            SavedKind::Symlink { target } => VfsEntryKind::Symlink { target },
            SavedKind::Fifo => VfsEntryKind::Fifo,
        };
        Ok(VfsEntry { path: self.path, kind, mode: self.mode })
    }
}

/// Where everybody may write.
const FOR_EVERYBODY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

const EXECUTE: u32 = 0o111;
const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const ENTER: u32 = 0o1;
const STICKY: u32 = 0o1000;

/// The disk as one user sees it: the permission bits decide, and new files belong to that user.
#[derive(Clone)]
pub struct UserView {
    disk: Arc<Disk>,
    user: Account,
}

impl UserView {
    pub fn new(disk: Arc<Disk>, user: Account) -> Self {
        Self { disk, user }
    }

    fn denied() -> bashkit::Error {
        IoError::new(ErrorKind::PermissionDenied, "Permission denied").into()
    }

    async fn bits(&self, path: &Path) -> Option<u32> {
        let meta = self.disk.files.stat(path).await.ok()?;
        let owner = self.disk.owner(path);
        let shift = if owner.user == self.user.name {
            6
        } else if self.user.groups.contains(&owner.group) {
            3
        } else {
            0
        };
        Some((meta.mode >> shift) & 0o7)
    }

    /// Every directory above `path` must be open to the user, as the kernel's path walk demands.
    async fn reach(&self, path: &Path) -> bashkit::Result<()> {
        if self.user.is_root() {
            return Ok(());
        }
        for above in path.ancestors().skip(1) {
            if self.bits(above).await.is_some_and(|bits| bits & ENTER == 0) {
                return Err(Self::denied());
            }
        }
        Ok(())
    }

    async fn may(&self, path: &Path, want: u32) -> bashkit::Result<()> {
        self.reach(path).await?;
        let allowed = self.user.is_root() || self.bits(path).await.is_none_or(|bits| bits & want == want);
        if allowed { Ok(()) } else { Err(Self::denied()) }
    }

    /// May the user add or take away the name `path` in its directory?
    async fn may_link(&self, path: &Path) -> bashkit::Result<()> {
        let Some(parent) = path.ancestors().skip(1).find(|above| above.parent().is_none() || self.known(above)) else {
            return Ok(());
        };
        self.may(parent, WRITE | ENTER).await?;
        let sticky = self.disk.files.stat(parent).await.is_ok_and(|meta| meta.mode & STICKY != 0);
        let stranger = self.disk.files.stat(path).await.is_ok() && self.disk.owner(path).user != self.user.name;
        if sticky && stranger && !self.user.is_root() { Err(Self::denied()) } else { Ok(()) }
    }

    fn known(&self, path: &Path) -> bool {
        use futures_util::FutureExt;
        self.disk.files.stat(path).now_or_never().is_some_and(|found| found.is_ok())
    }

    async fn may_write(&self, path: &Path) -> bashkit::Result<bool> {
        let exists = self.disk.files.stat(path).await.is_ok();
        if exists {
            self.may(path, WRITE).await?;
        } else {
            self.may_link(path).await?;
        }
        Ok(exists)
    }

    fn mine(&self, path: &Path) {
        self.disk.set_owner(path, Owner { user: self.user.name.clone(), group: self.user.group.clone() });
    }

    fn owns(&self, path: &Path) -> bashkit::Result<()> {
        let owns = self.user.is_root() || self.disk.owner(path).user == self.user.name;
        if owns { Ok(()) } else { Err(IoError::new(ErrorKind::PermissionDenied, "Operation not permitted").into()) }
    }
}

#[async_trait::async_trait]
impl FileSystem for UserView {
    async fn read_file(&self, path: &Path) -> bashkit::Result<Vec<u8>> {
        self.may(path, READ).await?;
        self.disk.files.read_file(path).await
    }

    async fn write_file(&self, path: &Path, content: &[u8]) -> bashkit::Result<()> {
        let existed = self.may_write(path).await?;
        self.disk.files.write_file(path, content).await?;
        if !existed {
            self.mine(path);
        }
        Ok(())
    }

    async fn append_file(&self, path: &Path, content: &[u8]) -> bashkit::Result<()> {
        let existed = self.may_write(path).await?;
        self.disk.files.append_file(path, content).await?;
        if !existed {
            self.mine(path);
        }
        Ok(())
    }

    async fn mkdir(&self, path: &Path, recursive: bool) -> bashkit::Result<()> {
        if self.disk.files.stat(path).await.is_ok() {
            return self.disk.files.mkdir(path, recursive).await;
        }
        self.may_link(path).await?;
        let new: Vec<PathBuf> =
            path.ancestors().take_while(|above| !self.known(above)).map(Path::to_path_buf).collect();
        self.disk.files.mkdir(path, recursive).await?;
        new.iter().for_each(|made| self.mine(made));
        Ok(())
    }

    async fn remove(&self, path: &Path, recursive: bool) -> bashkit::Result<()> {
        self.may_link(path).await?;
        self.disk.files.remove(path, recursive).await?;
        self.disk.forget_owner(path);
        Ok(())
    }

    async fn stat(&self, path: &Path) -> bashkit::Result<Metadata> {
        self.reach(path).await?;
        let mut meta = self.disk.files.stat(path).await?;
        if meta.file_type.is_file() && meta.mode & EXECUTE != 0 && self.disk.is_noexec(path).await {
            meta.mode &= !EXECUTE;
        }
        Ok(meta)
    }

    async fn read_dir(&self, path: &Path) -> bashkit::Result<Vec<DirEntry>> {
        self.may(path, READ).await?;
        self.disk.files.read_dir(path).await
    }

    async fn exists(&self, path: &Path) -> bashkit::Result<bool> {
        self.reach(path).await?;
        self.disk.files.exists(path).await
    }

    async fn rename(&self, from: &Path, to: &Path) -> bashkit::Result<()> {
        self.may_link(from).await?;
        self.may_link(to).await?;
        self.disk.files.rename(from, to).await?;
        self.disk.move_owners(from, to);
        Ok(())
    }

    async fn copy(&self, from: &Path, to: &Path) -> bashkit::Result<()> {
        self.may(from, READ).await?;
        let existed = self.may_write(to).await?;
        self.disk.files.copy(from, to).await?;
        if !existed {
            self.mine(to);
        }
        Ok(())
    }

    async fn symlink(&self, target: &Path, link: &Path) -> bashkit::Result<()> {
        self.may_link(link).await?;
        self.disk.files.symlink(target, link).await?;
        self.mine(link);
        Ok(())
    }

    async fn read_link(&self, path: &Path) -> bashkit::Result<PathBuf> {
        self.reach(path).await?;
        self.disk.files.read_link(path).await
    }

    async fn chmod(&self, path: &Path, mode: u32) -> bashkit::Result<()> {
        self.owns(path)?;
        self.disk.files.chmod(path, mode).await
    }

    async fn set_modified_time(&self, path: &Path, time: bashkit::time::SystemTime) -> bashkit::Result<()> {
        self.may(path, WRITE).await?;
        self.disk.files.set_modified_time(path, time).await
    }
}

#[async_trait::async_trait]
impl FileSystemExt for UserView {
    fn usage(&self) -> FsUsage {
        self.disk.files.usage()
    }

    async fn mkfifo(&self, path: &Path, mode: u32) -> bashkit::Result<()> {
        self.may_link(path).await?;
        self.disk.files.mkfifo(path, mode).await?;
        self.mine(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ubuntu() -> Account {
        Account::plain("ubuntu", 1000)
    }

    #[tokio::test]
    async fn a_user_reads_what_the_bits_allow_and_writes_only_what_is_theirs() {
        let disk = Arc::new(Disk::new());
        disk.put("/etc/secret", "s", 0o600, Owner::root());
        disk.put("/etc/public", "p", 0o644, Owner::root());
        disk.dir("/home/ubuntu", 0o750, Owner::of("ubuntu"));
        let view = UserView::new(disk.clone(), ubuntu());
        assert!(view.read_file(Path::new("/etc/secret")).await.is_err());
        assert!(view.read_file(Path::new("/etc/public")).await.is_ok());
        assert!(view.write_file(Path::new("/etc/public"), b"x").await.is_err());
        assert!(view.write_file(Path::new("/etc/new"), b"x").await.is_err());
        assert!(view.remove(Path::new("/etc/public"), false).await.is_err());
        assert!(view.write_file(Path::new("/home/ubuntu/new"), b"x").await.is_ok());
        assert_eq!(disk.owner(Path::new("/home/ubuntu/new")), Owner::of("ubuntu"));
    }

    #[tokio::test]
    async fn in_a_sticky_directory_only_the_owner_removes() {
        let disk = Arc::new(Disk::new());
        disk.put("/tmp/root-file", "r", 0o666, Owner::root());
        let view = UserView::new(disk.clone(), ubuntu());
        assert!(view.remove(Path::new("/tmp/root-file"), false).await.is_err());
        view.write_file(Path::new("/tmp/mine"), b"m").await.unwrap();
        view.remove(Path::new("/tmp/mine"), false).await.unwrap();
    }

    #[tokio::test]
    async fn a_disk_comes_back_from_its_saved_form() {
        let disk = Disk::new();
        disk.put("/etc/a", "text", 0o640, Owner::root());
        disk.put("/home/u/b", "more", 0o600, Owner::of("u"));
        let json = serde_json::to_string(&disk.save()).unwrap();
        let again = Disk::load(serde_json::from_str(&json).unwrap()).unwrap();
        assert_eq!(again.text("/etc/a").await.as_deref(), Some("text"));
        assert_eq!(again.owner(Path::new("/home/u/b")), Owner::of("u"));
        assert_eq!(again.raw().stat(Path::new("/etc/a")).await.unwrap().mode & 0o777, 0o640);
    }
}
