//! What is saved of a state file that lost its end.

use super::*;
use crate::journal::salvage::salvage;

fn taken() -> Event {
    let (moved, outdated, unfit) = Default::default();
    let (id, digest) = ("small".to_owned(), "d".repeat(32));
    Event::RunbookTaken { id, digest, files: Vec::new(), moved, outdated, unfit }
}

/// Enough events and output for many pages.
fn long() -> (TempDir, std::path::PathBuf) {
    let (home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    writer.append(At(2000), &"jane@desk".to_owned(), vec![taken()]).unwrap();
    let evidence = Evidence::said("x".repeat(500));
    for attempt in 2..60 {
        let events = vec![Event::AttemptStarted { step: step(), attempt }];
        writer.append(At(3000), &"jane@desk".to_owned(), events).unwrap();
        let finding = Event::Undone { step: step(), attempt, evidence: evidence.clone(), stays: false };
        writer.append(At(3000), &"jane@desk".to_owned(), vec![finding]).unwrap();
        writer.output(&[(step(), attempt, b"a line\n".repeat(40))]).unwrap();
    }
    (home, folder)
}

#[test]
fn whatever_is_left_of_a_file_that_lost_its_end_is_saved() {
    let (_home, folder) = long();
    let path = folder.join(FILE);
    let bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 20, "{pages}");
    let whole = Reader::open(&folder).unwrap().since(0).unwrap();
    let mut saved_of = Vec::new();
    for left in (0..pages).flat_map(|pages| [pages * 4096, pages * 4096 + 1000]) {
        fs::write(&path, &bytes[..left]).unwrap();
        let scratch = TempDir::new().unwrap();
        let new = TempDir::new().unwrap();
        let refused = Writer::open(&folder, &holder("jane")).map(drop).unwrap_err();
        assert!(!matches!(refused, JournalError::Lost { .. }), "{left}: {refused}");
        match salvage(&folder, scratch.path(), &new.path().join(FILE)) {
            Ok(saved) => {
                let taken = Reader::open(new.path()).unwrap().since(0).unwrap();
                let count = usize::try_from(saved.engagement.seq).unwrap();
                assert_eq!(taken[..], whole[..count], "{left}");
                assert!(saved.said.contains("events 1 to"), "{left}: {}", saved.said);
                saved_of.push(count);
            }
            Err(JournalError::Lost { backups, .. }) => assert!(backups.is_empty()),
            Err(other) => panic!("{left}: {other}"),
        }
        assert_eq!(fs::read(&path).unwrap(), &bytes[..left], "the damaged file stays as it is");
    }
    // The longer the rest, the more of it.
    assert!(saved_of.is_sorted(), "{saved_of:?}");
    assert!(saved_of.len() > pages && saved_of.last().is_some_and(|most| *most > whole.len() / 2), "{saved_of:?}");
}

#[test]
fn where_nothing_is_left_the_copies_are_named() {
    let (_home, folder) = filled();
    let copy = folder.join("journal-v1-2026-11-23T00-00-00Z.db");
    fs::copy(folder.join(FILE), &copy).unwrap();
    fs::write(folder.join(FILE), b"nothing of it").unwrap();
    let (scratch, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    match salvage(&folder, scratch.path(), &new.path().join(FILE)) {
        Err(JournalError::Lost { backups, .. }) => assert_eq!(backups, [copy]),
        other => panic!("{other:?}"),
    }
}
