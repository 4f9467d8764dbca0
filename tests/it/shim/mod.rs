//! The disk of `disk.c`: built once, put under a program, and what it wrote down.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A compiled shim, for as long as this value lives.
pub struct Shim {
    folder: TempDir,
}

/// One thing that the program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Made,
    Written { place: usize, data: Vec<u8> },
    Cut { length: usize },
    Synced,
    FolderSynced,
    Renamed { to: PathBuf },
    Removed,
    FolderMade,
    Said(Vec<u8>),
}

impl Shim {
    /// None, loudly, on a machine without a C compiler.
    pub fn new() -> Option<Shim> {
        let shim = Shim { folder: TempDir::new().expect("a folder") };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/shim/disk.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(shim.library()).arg(source).arg("-ldl");
        if compiler.status().is_ok_and(|status| status.success()) {
            return Some(shim);
        }
        eprintln!("SKIPPED: there is no C compiler (cc), so no disk can be put under the program");
        None
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("disk.so")
    }

    /// Writes down what `command` does to `folder`, until `read`.
    pub fn watch(&self, command: &mut Command, folder: &Path) {
        command.env("LD_PRELOAD", self.library()).env("ONRAMP_SHIM_DIR", folder).env("ONRAMP_SHIM_LOG", self.log());
    }

    /// From the `k`-th deed on, from 1, the disk fails with this error (`ENOSPC`, `EIO`, `EROFS`).
    pub fn fail(&self, command: &mut Command, folder: &Path, k: u64, error: &str) {
        self.watch(command, folder);
        command.env("ONRAMP_SHIM_AT", k.to_string()).env("ONRAMP_SHIM_DO", error);
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Everything that was written down, of all commands that were watched since the last call.
    pub fn read(&self) -> Vec<(PathBuf, Deed)> {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let _ = std::fs::remove_file(self.log());
        let mut rest = log.as_slice();
        let mut deeds = Vec::new();
        while let Some(deed) = next(&mut rest) {
            deeds.push(deed);
        }
        assert!(rest.is_empty(), "the log of the shim ends in the middle of an entry");
        deeds
    }
}

fn next(rest: &mut &[u8]) -> Option<(PathBuf, Deed)> {
    let kind = *take(rest, 1)?.first()?;
    let length = number(take(rest, 4)?);
    let path = text(take(rest, length)?);
    let place = number(take(rest, 8)?);
    let length = number(take(rest, 8)?);
    let data = take(rest, length)?;
    let deed = match kind {
        b'C' => Deed::Made,
        b'W' => Deed::Written { place, data: data.to_vec() },
        b'T' => Deed::Cut { length: place },
        b'S' => Deed::Synced,
        b'D' => Deed::FolderSynced,
        b'R' => Deed::Renamed { to: text(data) },
        b'U' => Deed::Removed,
        b'M' => Deed::FolderMade,
        b'A' => Deed::Said(data.to_vec()),
        other => panic!("the shim wrote an entry of kind {other}"),
    };
    Some((path, deed))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn text(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes.to_vec()).expect("paths of tests are plain"))
}
