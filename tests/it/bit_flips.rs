//! One bit of the state file is another one than was written: that is found when it is opened, or it does not matter.
//! Never does it change what is shown as done.
//!
//! `cargo test` takes some bytes by a stride, `ONRAMP_SWEEP=full` every bit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use onramp::engagement::{Address, At, Engagement, Event, Evidence};
use onramp::journal::{FILE, Holder, JournalError, Lines, PageAt, Reader, Writer};
use tempfile::TempDir;

/// Bytes that the short form takes, of each file.
const SOME: usize = 700;

fn holder() -> Holder {
    Holder { user: "jane".to_owned(), host: "desk".to_owned(), process: 7, since: "2026-11-23T00:00:00Z".to_owned() }
}

fn step() -> Address {
    "one/first".parse().unwrap()
}

/// The files of an engagement's folder, by name.
type Folder = BTreeMap<String, Vec<u8>>;

fn read(folder: &Path) -> Folder {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    // SQLite's -shm is memory: nobody finds it again after a crash.
    let kept = entries.filter(|entry| !entry.file_name().to_string_lossy().ends_with("-shm"));
    kept.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

fn write(files: &Folder, folder: &Path) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).unwrap();
    for (name, bytes) in files {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name)).unwrap();
        file.write_all(bytes).unwrap();
    }
}

/// A small engagement with every kind of row in its file.
fn filled(folder: &Path) -> Writer {
    let mut writer = Writer::create(folder, &holder()).unwrap();
    let actor = "jane@desk".to_owned();
    let began = Event::Began { name: "acme".to_owned(), id: "0011223344556677".to_owned(), practice: false };
    writer.append(At(1), &actor, vec![began]).unwrap();
    for (attempt, name) in (1..).zip(["one/first", "one/second", "one/third[a]"]) {
        let step: Address = name.parse().unwrap();
        writer.append(At(2), &actor, vec![Event::AttemptStarted { step: step.clone(), attempt }]).unwrap();
        writer.output(&[(step.clone(), attempt, b"first line\nsecond line\n".to_vec())]).unwrap();
        let how = onramp::engagement::DoneHow::Applied;
        let evidence = Evidence::said(format!("{name} is as it should be"));
        writer.append(At(3), &actor, vec![Event::Done { step, attempt, how, evidence, kept: Vec::new() }]).unwrap();
    }
    writer
}

/// What a person is shown.
#[derive(Debug, PartialEq)]
struct Shown {
    engagement: Engagement,
    /// None, when it is said that it was changed.
    output: Option<Lines>,
}

fn shown_to_writer(folder: &Path) -> Result<Shown, JournalError> {
    let writer = Writer::open(folder, &holder())?;
    Ok(Shown { engagement: writer.engagement().clone(), output: writer.page(&step(), 1, PageAt::From(0), 10).ok() })
}

fn shown_to_reader(folder: &Path) -> Result<Shown, JournalError> {
    let reader = Reader::open(folder)?;
    Ok(Shown { engagement: reader.engagement()?, output: reader.page(&step(), 1, PageAt::From(0), 10).ok() })
}

/// What came of flips.
#[derive(Default)]
struct Tally {
    found: usize,
    harmless: usize,
    /// What was shown as another, or not shown without a word.
    wrong: Vec<String>,
}

/// Flips bits of one file and opens it, for writing and for reading.
fn flip_all(files: &Folder, name: &str, reference: &Shown) {
    let whole = std::env::var("ONRAMP_SWEEP").is_ok_and(|asked| asked == "full");
    let length = files[name].len();
    let stride = if whole { 1 } else { (length / SOME).max(1) };
    let flips: Vec<(usize, usize)> = (0..length)
        .step_by(stride)
        .flat_map(|byte| {
            if whole { 0..8 } else { byte / stride % 8..byte / stride % 8 + 1 }.map(move |bit| (byte, bit))
        })
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let parts = flips.chunks(flips.len().div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(|| flip_some(files, name, part, reference))).collect();
        for part in parts {
            let Tally { found, harmless, wrong } = part.join().unwrap();
            tally.found += found;
            tally.harmless += harmless;
            tally.wrong.extend(wrong);
        }
    });
    let Tally { found, harmless, wrong } = tally;
    eprintln!("{name}, {length} bytes: {found} flips found, {harmless} without effect");
    assert!(found + harmless > 50);
    assert!(wrong.is_empty(), "{} of {name}, {wrong:#?}", wrong.len());
}

fn flip_some(files: &Folder, name: &str, flips: &[(usize, usize)], reference: &Shown) -> Tally {
    let memory = Path::new("/dev/shm");
    let home = if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() };
    let folder = home.path().join("acme");
    let mut tally = Tally::default();
    for (byte, bit) in flips {
        let mut flipped = files.clone();
        flipped.get_mut(name).unwrap()[*byte] ^= 1 << bit;
        for (who, open) in [("reader", shown_to_reader as fn(&Path) -> _), ("writer", shown_to_writer)] {
            write(&flipped, &folder);
            match open(&folder) {
                Err(_) => tally.found += 1,
                Ok(Shown { engagement, output }) => {
                    tally.harmless += 1;
                    let same = engagement == reference.engagement;
                    let same_output = output.is_none() || output == reference.output;
                    if !same || !same_output {
                        tally.wrong.push(format!("bit {bit} of byte {byte}, {who}: same {same}, {output:?}"));
                    }
                }
            }
        }
    }
    tally
}

#[test]
fn a_closed_file_with_a_flipped_bit_is_refused_or_says_the_same() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("acme");
    drop(filled(&folder));
    let reference = shown_to_writer(&folder).unwrap();
    let files = read(&folder);
    assert!(!files.contains_key("journal.db-wal"), "it was closed");
    flip_all(&files, FILE, &reference);
    flip_all(&files, "journal.mark", &reference);
}

#[test]
fn a_file_with_something_written_ahead_and_a_flipped_bit_is_refused_or_says_the_same() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("acme");
    let writer = filled(&folder);
    // As a crash leaves it: nothing was carried over into the file itself.
    let files = read(&folder);
    let output = writer.page(&step(), 1, PageAt::From(0), 10).ok();
    let reference = Shown { engagement: writer.engagement().clone(), output };
    drop(writer);
    assert!(files["journal.db-wal"].len() > 10_000);
    flip_all(&files, "journal.db-wal", &reference);
    flip_all(&files, FILE, &reference);
    flip_all(&files, "journal.lock", &reference);
}
