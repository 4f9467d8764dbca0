//! What is loaded into the real program: a disk on which deeds are counted, and a clock that is ahead.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::trap::{Boundary, Point};

/// The compiled shims.
pub struct Shim {
    folder: TempDir,
}

const SOURCES: [&str; 2] = ["disk", "clock"];

impl Shim {
    /// None, loudly, on a machine without a C compiler.
    pub fn new() -> Option<Shim> {
        let shim = Shim { folder: TempDir::new().expect("a folder") };
        for name in SOURCES {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/shim/{name}.c"));
            let mut compiler = Command::new("cc");
            compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(shim.library(name)).arg(source).arg("-ldl");
            if !compiler.status().is_ok_and(|status| status.success()) {
                eprintln!("SKIPPED: there is no C compiler (cc), so no death at a durable write can be arranged");
                return None;
            }
        }
        Some(shim)
    }

    fn library(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.so"))
    }

    /// Starts the program some time later than it is.
    pub fn later(&self, command: &mut Command, by: Duration) {
        command.env("ONRAMP_SHIM_LATER", by.as_secs().to_string());
        command.env("LD_PRELOAD", SOURCES.map(|name| self.library(name).display().to_string()).join(":"));
    }
}

/// Deeds in one folder, over as many processes as it takes.
#[derive(Debug)]
pub struct Deeds {
    folder: PathBuf,
    log: PathBuf,
    /// Deeds of processes that have ended.
    pub done: u64,
}

impl Deeds {
    pub fn new(folder: PathBuf, log: PathBuf) -> Self {
        Deeds { folder, log, done: 0 }
    }

    /// Watches the next process, and arranges its death where the point is a deed of it.
    pub fn watch(&self, command: &mut Command, point: Option<Point>) {
        command.env("ONRAMP_SHIM_DIR", &self.folder).env("ONRAMP_SHIM_LOG", &self.log);
        let deed = point.and_then(|point| match point.boundary {
            Boundary::DeedBefore => Some(("kill-before", point.k)),
            Boundary::DeedAfter => Some(("kill-after", point.k)),
            _ => None,
        });
        if let Some((what, k)) = deed.filter(|(_, k)| *k > self.done) {
            command.env("ONRAMP_SHIM_DO", what).env("ONRAMP_SHIM_AT", (k - self.done).to_string());
        }
    }

    /// The process has ended. The deed before which it died counts, so that the next one does not die of it again.
    pub fn ended(&mut self, died: bool) {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let _ = std::fs::remove_file(&self.log);
        self.done += deeds_in(&log) + u64::from(died);
    }
}

/// Counts the entries of a log (its format is in `disk.c`), without what was said on standard output.
fn deeds_in(mut log: &[u8]) -> u64 {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    let mut deeds = 0;
    while let Some((kind, rest)) = log.split_first() {
        let Some((length, rest)) = rest.split_at_checked(4) else { break };
        let Some((head, rest)) = rest.split_at_checked(number(length) + 8 + 8) else { break };
        let data = number(&head[head.len() - 8..]);
        deeds += u64::from(*kind != b'A');
        log = rest.get(data..).unwrap_or_default();
    }
    deeds
}
