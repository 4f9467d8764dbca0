//! An engagement in one encrypted file, to hand to a colleague: age around a header and a copy of the state file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{DecryptError, Decryptor, EncryptError, Encryptor, scrypt, x25519};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::chain::Hash;
use super::ground::{self, beside, unwritable};
use super::moves::Move;
use super::salvage::salvage;
use super::{FILE, Holder, JournalError, Writer, check, mark, schema};
use crate::engagement::{Actor, At, Engagement};

/// The first line inside; the number grows when an older onramp could not read it.
const MAGIC: &str = "onramp bundle 1";
/// A header is a few hundred bytes.
const LONGEST_HEADER: u64 = 64 * 1024;

/// What is in the file, before the copy of the state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    /// The engagement's own; it stays the same on every machine, and so do tags and tokens.
    pub id: String,
    /// Number and hash (hexadecimal) of the last event.
    pub seq: u64,
    pub head: String,
    pub at: At,
    pub by: Actor,
    /// What could be saved of a damaged file, in words.
    #[serde(default)]
    pub salvaged: Option<String>,
}

/// What can go wrong with the file that is handed over.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{0} is there already")]
    Exists(PathBuf),
    #[error("cannot read {path}: {why}")]
    Unreadable { path: PathBuf, why: String },
    #[error("{0} is not a file that onramp export made")]
    Foreign(PathBuf),
    #[error("that passphrase or key does not open {0}")]
    WrongKey(PathBuf),
    #[error("{path} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("\"{0}\" is not the public key of a person (age1…)")]
    NoRecipient(String),
    #[error("there is no key (AGE-SECRET-KEY-1…) in that file")]
    NoIdentity,
    #[error("{path} is not what became of the copy here: {what}")]
    Apart { path: PathBuf, what: String },
    #[error("practice engagements stay where they are: their cloud is in this machine's folder")]
    Practice,
}

/// Who can open the file.
pub enum Locking {
    Passphrase(SecretString),
    Recipients(Vec<x25519::Recipient>),
}

/// What opens the file.
pub enum Unlocking {
    Passphrase(SecretString),
    Identities(Vec<x25519::Identity>),
}

impl Locking {
    /// Public keys of age, one for each person.
    ///
    /// # Errors
    /// One of them is none.
    pub fn recipients(named: &[String]) -> Result<Locking, BundleError> {
        let parse = |one: &String| one.trim().parse().map_err(|_| BundleError::NoRecipient(one.clone()));
        named.iter().map(parse).collect::<Result<_, _>>().map(Locking::Recipients)
    }
}

impl Unlocking {
    /// The text of an age identity file: a secret key a line, comments with `#`.
    ///
    /// # Errors
    /// There is no key in it.
    pub fn identities(text: &str) -> Result<Unlocking, BundleError> {
        let keys: Vec<x25519::Identity> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
        if keys.is_empty() { Err(BundleError::NoIdentity) } else { Ok(Unlocking::Identities(keys)) }
    }
}

/// Writes the engagement into `file`, whole or not at all. With `hand_over`, this machine's copy is marked as handed
/// over before the file has its name: there is never one that can be opened beside an engagement that goes on here.
///
/// # Errors
/// `file` is there, or cannot be written.
pub fn export(
    writer: &Writer,
    file: &Path,
    locking: Locking,
    (at, by): (At, &Actor),
    hand_over: bool,
) -> Result<Header, BundleError> {
    if writer.engagement().identity.practice {
        return Err(BundleError::Practice);
    }
    let scratch = Scratch::beside(file)?;
    let copy = scratch.file(FILE);
    drop(ground::make_private_file(&copy)?);
    writer.snapshot(&copy)?;
    let header = header(writer.engagement(), writer.head(), (at, by), None);
    let sealed = scratch.seal(&copy, &header, locking)?;
    if hand_over {
        let said = file.canonicalize().unwrap_or_else(|_| absolute(file)).display().to_string();
        writer.moved(Move::Out, at, by, &said)?;
    }
    publish(&sealed, file)?;
    Ok(header)
}

/// As `export`, of what can still be read of a damaged state file; that file is not changed.
///
/// # Errors
/// Nothing of it can be read, or `file` cannot be written.
pub fn export_salvaged(
    folder: &Path,
    file: &Path,
    locking: Locking,
    (at, by): (At, &Actor),
) -> Result<Header, BundleError> {
    let scratch = Scratch::beside(file)?;
    let copy = scratch.file(FILE);
    let saved = salvage(folder, &scratch.path, &copy)?;
    let header = header(&saved.engagement, &saved.head, (at, by), Some(saved.said));
    let sealed = scratch.seal(&copy, &header, locking)?;
    publish(&sealed, file)?;
    Ok(header)
}

fn header(engagement: &Engagement, head: &Hash, (at, by): (At, &Actor), salvaged: Option<String>) -> Header {
    let identity = &engagement.identity;
    Header {
        name: identity.name.clone(),
        id: identity.id.clone(),
        seq: engagement.seq,
        head: hex(head),
        at,
        by: by.clone(),
        salvaged,
    }
}

fn hex(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

fn absolute(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

/// A folder for its owner only beside the file that is to be made, and gone when it is made.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn beside(file: &Path) -> Result<Scratch, BundleError> {
        if file.exists() {
            return Err(BundleError::Exists(file.to_owned()));
        }
        let path = beside(file, ".part");
        let _ = fs::remove_dir_all(&path);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| unwritable(file, &error))?;
        Ok(Scratch { path })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn seal(&self, copy: &Path, header: &Header, locking: Locking) -> Result<PathBuf, BundleError> {
        let sealed = self.file("sealed");
        let write = |out: File| -> io::Result<()> {
            let mut out = encryptor(locking)?.wrap_output(out)?;
            writeln!(out, "{MAGIC}\n{}", serde_json::to_string(header)?)?;
            io::copy(&mut File::open(copy)?, &mut out)?;
            out.finish()?.sync_all()
        };
        write(ground::make_private_file(&sealed)?).map_err(|error| unwritable(&sealed, &error))?;
        Ok(sealed)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn encryptor(locking: Locking) -> io::Result<Encryptor> {
    match locking {
        Locking::Passphrase(passphrase) => Ok(Encryptor::with_user_passphrase(passphrase)),
        Locking::Recipients(all) => Encryptor::with_recipients(all.iter().map(|one| one as &dyn age::Recipient))
            .map_err(|error: EncryptError| io::Error::other(error.to_string())),
    }
}

/// Gives the finished file its name.
fn publish(sealed: &Path, file: &Path) -> Result<(), BundleError> {
    if file.exists() {
        return Err(BundleError::Exists(file.to_owned()));
    }
    fs::rename(sealed, file).map_err(|error| unwritable(file, &error))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(ground::sync_folder(folder)?)
}

/// A file that was handed over, unlocked.
pub struct Bundle {
    path: PathBuf,
    header: Header,
    rest: BufReader<StreamReader<BufReader<File>>>,
}

impl Bundle {
    /// Unlocks a file that `export` made, and reads its header.
    ///
    /// # Errors
    /// It is none, is damaged, or the key is not the right one.
    pub fn open(path: &Path, unlocking: &Unlocking) -> Result<Bundle, BundleError> {
        let unreadable = |error: io::Error| BundleError::Unreadable { path: path.to_owned(), why: error.to_string() };
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        let locked = Decryptor::new_buffered(file).map_err(|error| wrong(path, error))?;
        let stream = match unlocking {
            Unlocking::Passphrase(passphrase) => {
                let identity = scrypt::Identity::new(passphrase.clone());
                locked.decrypt(std::iter::once(&identity as &dyn age::Identity))
            }
            Unlocking::Identities(all) => locked.decrypt(all.iter().map(|one| one as &dyn age::Identity)),
        };
        let mut rest = BufReader::new(stream.map_err(|error| wrong(path, error))?);
        let damaged = |error: io::Error| BundleError::Damaged { path: path.to_owned(), what: error.to_string() };
        let mut lines = rest.by_ref().take(LONGEST_HEADER);
        let (mut magic, mut header) = (String::new(), String::new());
        lines.read_line(&mut magic).map_err(damaged)?;
        if magic.trim_end() != MAGIC {
            return Err(BundleError::Foreign(path.to_owned()));
        }
        lines.read_line(&mut header).map_err(damaged)?;
        let header = serde_json::from_str(&header)
            .map_err(|error| BundleError::Damaged { path: path.to_owned(), what: format!("its header: {error}") })?;
        Ok(Bundle { path: path.to_owned(), header, rest })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Makes the engagement's folder here, whole or not at all; it is the same engagement, at the same place.
    ///
    /// # Errors
    /// An engagement is in `folder` already, the copy is not the one the header tells of, or the disk is full.
    pub fn import(mut self, folder: &Path, holder: &Holder, (at, by): (At, &Actor)) -> Result<(), BundleError> {
        let path = folder.join(FILE);
        if path.exists() {
            return Err(JournalError::Exists(folder.to_owned()).into());
        }
        let made = !folder.exists();
        ground::make_private_folder(folder)?;
        let part = Part(beside(&path, ".part"));
        if let Err(error) = self.unpack(&part.0, None).and_then(|()| take_name(&part.0, &path)) {
            drop(part);
            if made {
                let _ = fs::remove_dir(folder);
            }
            return Err(error);
        }
        self.arrived(folder, holder, (at, by))
    }

    /// Puts what became of an engagement elsewhere in the place of the copy that was handed over from here, of which a
    /// backup is kept. What is in the file must go on from that copy.
    ///
    /// # Errors
    /// The copy was not handed over, is held or read by somebody, or knows what the file does not; or as `import`.
    pub fn bring_back(mut self, folder: &Path, holder: &Holder, (at, by): (At, &Actor)) -> Result<(), BundleError> {
        let path = folder.join(FILE);
        let old = Writer::open_handed_over(folder, holder)?;
        let part = Part(beside(&path, ".part"));
        self.unpack(&part.0, Some((old.engagement().seq, *old.head())))?;
        let lock = old.retire(&holder.since)?;
        take_name(&part.0, &path)?;
        drop(lock);
        self.arrived(folder, holder, (at, by))
    }

    fn arrived(&self, folder: &Path, holder: &Holder, (at, by): (At, &Actor)) -> Result<(), BundleError> {
        let writer = Writer::open(folder, holder)?;
        let said = format!("from {} by {} of {}", self.path.display(), self.header.by, self.header.at);
        Ok(writer.moved(Move::In, at, by, &said)?)
    }

    /// Writes the copy to `part` and checks it; it must hold the event with that number and hash, where one is given.
    fn unpack(&mut self, part: &Path, known: Option<(u64, Hash)>) -> Result<(), BundleError> {
        let damaged = |what: String| BundleError::Damaged { path: self.path.clone(), what };
        ground::remove(part)?;
        let mut file = ground::make_private_file(part)?;
        copy(&mut self.rest, &mut file, part).map_err(|error| match error {
            Copying::Reading(error) => damaged(error.to_string()),
            Copying::Writing(error) => error.into(),
        })?;
        file.sync_all().map_err(|error| unwritable(part, &error))?;
        let connection = Connection::open(part).map_err(JournalError::from)?;
        schema::version(&connection, part)?;
        check::pages(&connection, part)?;
        let told = check::replay(&connection, part, None)?;
        if let Some((seq, head)) = known {
            self.goes_on_from(&connection, seq, &head)?;
        }
        drop(connection);
        if told.engagement.seq != self.header.seq || hex(&told.head) != self.header.head {
            return Err(damaged("its events are not the ones that its header tells of".to_owned()));
        }
        Ok(())
    }

    fn goes_on_from(&self, connection: &Connection, seq: u64, head: &Hash) -> Result<(), BundleError> {
        let apart = |what: String| BundleError::Apart { path: self.path.clone(), what };
        if self.header.seq < seq {
            return Err(apart(format!("it ends at event {}, the copy goes on to event {seq}", self.header.seq)));
        }
        let number = i64::try_from(seq).unwrap_or(i64::MAX);
        let there: Option<Vec<u8>> = connection
            .query_row("SELECT hash FROM events WHERE seq = ?1", [number], |row| row.get(0))
            .optional()
            .map_err(JournalError::from)?;
        match there.is_none_or(|there| there == head) {
            true => Ok(()),
            false => Err(apart(format!("its events up to {seq} are others"))),
        }
    }
}

/// A copy that has not its name yet; what is left of it goes with this.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}

/// Gives the finished copy the state file's name.
fn take_name(part: &Path, path: &Path) -> Result<(), BundleError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    mark::forget(folder)?;
    fs::rename(part, path).map_err(|error| unwritable(path, &error))?;
    Ok(ground::sync_folder(folder)?)
}

enum Copying {
    Reading(io::Error),
    Writing(JournalError),
}

/// As `io::copy`, but it tells a file that cannot be read from a disk that is full.
fn copy(from: &mut impl Read, to: &mut File, path: &Path) -> Result<(), Copying> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).map_err(Copying::Reading)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { return Ok(()) };
        to.write_all(read).map_err(|error| Copying::Writing(unwritable(path, &error)))?;
    }
}

fn wrong(path: &Path, error: DecryptError) -> BundleError {
    let path = path.to_owned();
    match error {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            BundleError::WrongKey(path)
        }
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => BundleError::Foreign(path),
        DecryptError::InvalidMac => BundleError::Damaged { path, what: "its first lines were changed".to_owned() },
        other => BundleError::Damaged { path, what: other.to_string() },
    }
}
