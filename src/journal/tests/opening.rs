//! What is done, found and said when a state file is opened: older formats, missing ends, dead holders.

use super::*;

/// Made by the first version of onramp: the whole practice engagement, 234 events.
const FIRST: &[u8] = include_bytes!("../../../tests/fixtures/journals/v1.db");

fn first_format() -> (TempDir, std::path::PathBuf) {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("practice");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(FILE), FIRST).unwrap();
    fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    (home, folder)
}

fn backups(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    super::super::backup::all(folder)
}

#[test]
fn the_first_format_is_read_as_it_is() {
    let (_home, folder) = first_format();
    let reader = Reader::open(&folder).unwrap();
    let engagement = reader.engagement().unwrap();
    assert_eq!((engagement.seq, engagement.identity.name.as_str()), (234, "practice"));
    let done = engagement.steps.values().filter(|record| matches!(record.state, State::Done { .. })).count();
    assert_eq!(done, 55);
    let step: Address = "access/new-port[bastion]".parse().unwrap();
    assert!(reader.page(&step, 1, PageAt::From(0), 10).unwrap().total > 0);
    assert_eq!(fs::read(folder.join(FILE)).unwrap(), FIRST, "reading changes nothing");
}

#[test]
fn the_first_format_is_brought_forward_after_a_copy_was_kept() {
    let (_home, folder) = first_format();
    let before = Reader::open(&folder).unwrap().engagement().unwrap();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    assert!(writer.greeting().unwrap().contains("older format"), "{:?}", writer.greeting());
    assert_eq!(writer.engagement(), &before);
    writer.append(At(5000), &"jane@desk".to_owned(), vec![began()]).unwrap();
    drop(writer);
    let [copy] = &backups(&folder)[..] else { panic!("{:?}", backups(&folder)) };
    assert!(copy.ends_with("journal-v1-2026-11-23T00-00-00Z.db"), "{}", copy.display());
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    // The copy is a state file of the first format, and tells the same.
    let old = rusqlite::Connection::open(copy).unwrap();
    assert_eq!(old.query_row("SELECT count(*) FROM events", [], |row| row.get(0)), Ok(234));
    assert_eq!(old.pragma_query_value(None, "user_version", |row| row.get(0)), Ok(1));
    let again = Writer::open(&folder, &holder("jane")).unwrap();
    assert_eq!((again.engagement().seq, again.greeting()), (235, None));
    assert_eq!(backups(&folder).len(), 1);
}

#[test]
fn a_copy_put_back_in_its_place_goes_on() {
    let (_home, folder) = first_format();
    drop(Writer::open(&folder, &holder("jane")).unwrap());
    fs::copy(&backups(&folder)[0], folder.join(FILE)).unwrap();
    assert_eq!(Writer::open(&folder, &holder("jane")).unwrap().engagement().seq, 234);
}

#[test]
fn a_damaged_file_of_the_first_format_is_not_brought_forward() {
    let (_home, folder) = first_format();
    let edit = "DROP TRIGGER events_stay; UPDATE events SET actor = 'eve' WHERE seq = 200";
    rusqlite::Connection::open(folder.join(FILE)).unwrap().execute_batch(edit).unwrap();
    let before = fs::read(folder.join(FILE)).unwrap();
    assert!(matches!(Writer::open(&folder, &holder("jane")).unwrap_err(), JournalError::Damaged { .. }));
    assert_eq!(fs::read(folder.join(FILE)).unwrap(), before);
    assert!(backups(&folder).is_empty());
}

#[test]
fn only_the_newest_copies_are_kept() {
    let (_home, folder) = first_format();
    for day in 1..=5 {
        fs::write(folder.join(FILE), FIRST).unwrap();
        let _ = fs::remove_file(folder.join("journal.mark"));
        let holder = Holder { since: format!("2026-12-0{day}T00:00:00Z"), ..holder("jane") };
        drop(Writer::open(&folder, &holder).unwrap());
    }
    let kept = backups(&folder);
    assert_eq!(kept.len(), 3);
    assert!(kept[0].ends_with("journal-v1-2026-12-03T00-00-00Z.db"), "{}", kept[0].display());
}

/// Everything that can go missing at the end of a file, done to a copy of what a crash leaves.
#[test]
fn a_file_that_lost_its_end_is_known() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    let started = Event::AttemptStarted { step: step(), attempt: 2 };
    writer.append(At(3000), &"jane@desk".to_owned(), vec![started]).unwrap();
    let ahead = folder.join("journal.db-wal");
    let length = fs::metadata(&ahead).unwrap().len();
    for kept in [0, 32, length / 2, length - 1] {
        let home = TempDir::new().unwrap();
        let copy = home.path().join("acme");
        fs::create_dir(&copy).unwrap();
        for name in [FILE, "journal.db-wal", "journal.mark"] {
            fs::copy(folder.join(name), copy.join(name)).unwrap();
        }
        assert_eq!(Reader::open(&copy).unwrap().engagement().unwrap().seq, 3, "the copy is whole");
        fs::remove_file(copy.join("journal.db-shm")).unwrap();
        fs::OpenOptions::new().write(true).open(copy.join("journal.db-wal")).unwrap().set_len(kept).unwrap();
        let refused = Writer::open(&copy, &holder("jane")).unwrap_err().to_string();
        assert!(refused.contains("events up to 3 were recorded, the file ends at 2"), "{kept} bytes: {refused}");
        let read = Reader::open(&copy).unwrap().engagement().unwrap_err();
        assert!(matches!(read, JournalError::Damaged { .. }), "{kept} bytes: {read}");
        assert_eq!(fs::metadata(copy.join("journal.db-wal")).unwrap().len(), kept, "what is left is left alone");
    }
}

#[test]
fn events_taken_off_the_end_are_missed_even_without_the_mark() {
    let (_home, folder) = filled();
    fs::remove_file(folder.join("journal.mark")).unwrap();
    let edit = "DROP TRIGGER events_keep; DELETE FROM events WHERE seq = 2; DELETE FROM steps;
                CREATE TRIGGER events_keep BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;";
    rusqlite::Connection::open(folder.join(FILE)).unwrap().execute_batch(edit).unwrap();
    let refused = Writer::open(&folder, &holder("jane")).unwrap_err().to_string();
    assert!(refused.contains("sealed at event 2, and its events end at 1"), "{refused}");
}

#[test]
fn another_engagement_in_its_place_is_known() {
    let (_home, folder) = filled();
    let home = TempDir::new().unwrap();
    let other = home.path().join("acme");
    let mut writer = Writer::create(&other, &holder("jane")).unwrap();
    let began = Event::Began { name: "acme".to_owned(), id: "8899aabbccddeeff".to_owned(), practice: false };
    let started = Event::AttemptStarted { step: step(), attempt: 1 };
    writer.append(At(1000), &"jane@desk".to_owned(), vec![began, started]).unwrap();
    drop(writer);
    fs::copy(other.join(FILE), folder.join(FILE)).unwrap();
    let refused = Writer::open(&folder, &holder("jane")).unwrap_err().to_string();
    assert!(refused.contains("the file is another one"), "{refused}");
}

#[test]
fn tables_and_triggers_are_those_of_onramp() {
    for edit in
        ["DROP TRIGGER events_stay", "ALTER TABLE output RENAME TO outputs", "DROP TABLE moves; CREATE TABLE moves (x)"]
    {
        let (_home, folder) = filled();
        rusqlite::Connection::open(folder.join(FILE)).unwrap().execute_batch(edit).unwrap();
        let refused = Writer::open(&folder, &holder("jane")).unwrap_err();
        assert!(matches!(refused, JournalError::Damaged { .. }), "{edit}: {refused}");
    }
}

#[test]
fn output_that_was_changed_is_not_shown() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    writer.output(&[(step(), 1, b"all is well\n".to_vec())]).unwrap();
    drop(writer);
    let edits = [
        // There would be none of it.
        ("first = first - 9", "first = first + 9"),
        ("bytes = CAST(replace(CAST(bytes AS TEXT), 'well', 'lost') AS BLOB)", "bytes = bytes"),
    ];
    for (edit, back) in edits {
        let update = |what: &str| {
            let connection = rusqlite::Connection::open(folder.join(FILE)).unwrap();
            connection.execute_batch(&format!("UPDATE output SET {what}")).unwrap();
        };
        update(edit);
        let writer = Writer::open(&folder, &holder("jane")).unwrap();
        let refused = writer.page(&step(), 1, PageAt::From(0), 10).unwrap_err().to_string();
        assert!(refused.contains("output of access/vpc, attempt 1"), "{edit}: {refused}");
        drop(writer);
        update(back);
    }
}

#[test]
fn whoever_lets_go_leaves_no_name_and_whoever_is_killed_does() {
    let (_home, folder) = filled();
    assert_eq!(Writer::open(&folder, &holder("jane")).unwrap().greeting(), None);
    // As a kill leaves it: the name stands there, and the system let go of the lock.
    fs::write(folder.join("journal.lock"), serde_json::to_string(&holder("joe")).unwrap()).unwrap();
    let greeting = Writer::open(&folder, &holder("jane")).unwrap().greeting().unwrap();
    assert!(
        greeting.contains("joe@desk (process 7, since 2026-11-23T00:00:00Z) ended without letting go"),
        "{greeting}"
    );
    assert_eq!(Writer::open(&folder, &holder("jane")).unwrap().greeting(), None);
}

/// As `cp -a` makes one.
fn copied(folder: &std::path::Path) -> std::path::PathBuf {
    let copy = folder.with_file_name("copy");
    fs::create_dir(&copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn a_copy_says_that_it_is_one_and_whether_its_original_is_held() {
    let (_home, folder) = filled();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let living = Holder { process: std::process::id(), host, ..holder("joe") };
    let _original = Writer::open(&folder, &living).unwrap();
    let copy = copied(&folder);
    let greeting = Writer::open(&copy, &holder("jane")).unwrap().greeting().unwrap();
    let original = folder.canonicalize().unwrap();
    let said =
        format!("this folder is a copy of {}, which {living} holds: go on in one of the two", original.display());
    assert!(greeting.contains(&said) && !greeting.contains("taken over"), "{greeting}");
    assert_eq!(Writer::open(&copy, &holder("jane")).unwrap().greeting(), None, "it is its own from now on");
    assert!(
        matches!(Writer::open(&folder, &holder("jane")), Err(JournalError::Held(_))),
        "the original is not touched"
    );
}

#[test]
fn a_folder_that_was_only_moved_is_no_copy() {
    let (_home, folder) = filled();
    let lock = folder.join("journal.lock");
    let writer = Writer::open(&folder, &holder("joe")).unwrap();
    let left = fs::read(&lock).unwrap();
    drop(writer);
    fs::write(&lock, left).unwrap();
    let moved = folder.with_file_name("moved");
    fs::rename(&folder, &moved).unwrap();
    let greeting = Writer::open(&moved, &holder("jane")).unwrap().greeting().unwrap();
    assert!(greeting.contains("joe@desk") && greeting.contains("ended without letting go"), "{greeting}");
}

#[test]
fn a_lock_of_an_earlier_onramp_whose_process_lives_is_that_of_another_folder() {
    let (_home, folder) = filled();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let living = Holder { process: std::process::id(), host, ..holder("joe") };
    fs::write(folder.join("journal.lock"), serde_json::to_string(&living).unwrap()).unwrap();
    let greeting = Writer::open(&folder, &holder("jane")).unwrap().greeting().unwrap();
    assert!(greeting.contains("a copy of another folder") && !greeting.contains("taken over"), "{greeting}");
}

#[test]
fn whoever_lost_its_lock_does_not_go_on() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    fs::remove_file(folder.join("journal.lock")).unwrap();
    let started = vec![Event::AttemptStarted { step: step(), attempt: 2 }];
    let refused = writer.append(At(3000), &"jane@desk".to_owned(), started).unwrap_err();
    assert!(matches!(refused, JournalError::Gone { .. }), "{refused}");
}

#[test]
fn nothing_is_recorded_into_a_folder_that_is_gone() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    let started = || vec![Event::AttemptStarted { step: step(), attempt: 2 }];
    fs::rename(&folder, folder.with_file_name("elsewhere")).unwrap();
    let refused = writer.append(At(3000), &"jane@desk".to_owned(), started()).unwrap_err();
    assert!(matches!(refused, JournalError::Gone { .. }), "{refused}");
    assert!(writer.output(&[(step(), 1, b"line\n".to_vec())]).is_err());
    fs::rename(folder.with_file_name("elsewhere"), &folder).unwrap();
    writer.append(At(3000), &"jane@desk".to_owned(), started()).unwrap();
    // Another file of the same name is another file.
    fs::rename(folder.join(FILE), folder.join("old.db")).unwrap();
    fs::copy(folder.join("old.db"), folder.join(FILE)).unwrap();
    let refused = writer.append(At(3000), &"jane@desk".to_owned(), started()).unwrap_err();
    assert!(refused.to_string().contains("another file is in its place"), "{refused}");
}

/// An append folds events into a draft, to draw the steps before they are true: it holds all that they change.
#[test]
fn a_draft_holds_every_step_that_an_event_changes() {
    use crate::engagement::{Engagement, draft, fold};
    let (_home, folder) = first_format();
    let mut engagement = Engagement::default();
    for one in Reader::open(&folder).unwrap().since(0).unwrap() {
        let before = engagement.clone();
        let mut part = draft(&engagement, std::slice::from_ref(&one.event));
        fold(&mut part, &one);
        fold(&mut engagement, &one);
        let changed = engagement.steps.iter().filter(|(step, record)| before.steps.get(step) != Some(record));
        for (step, record) in changed {
            assert_eq!(part.steps.get(step), Some(record), "event {}", one.seq);
        }
    }
    assert_eq!(engagement.seq, 234);
}

#[test]
fn whoever_only_asks_where_it_stands_learns_of_the_same_damage() {
    type Damage = fn(&rusqlite::Connection);
    let damages: [(&str, Damage); 2] = [
        ("a page that nobody reads for the events", |connection| {
            connection
                .execute_batch(
                    "PRAGMA writable_schema = ON;
                UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'events')
                WHERE name = 'steps' AND type = 'table';",
                )
                .unwrap();
        }),
        ("a drawn table", |connection| {
            connection.execute_batch("UPDATE steps SET state = 'done'").unwrap();
        }),
    ];
    for (what, damage) in damages {
        let (_home, folder) = filled();
        assert!(Reader::inspect(&folder).is_ok(), "{what}");
        let connection = rusqlite::Connection::open(folder.join(FILE)).unwrap();
        damage(&connection);
        drop(connection);
        let refused = Writer::open(&folder, &holder("jane")).unwrap_err();
        assert!(matches!(refused, JournalError::Damaged { .. }), "{what}: {refused:?}");
        let told = Reader::inspect(&folder).unwrap_err();
        assert!(matches!(told, JournalError::Damaged { .. }), "{what}: {told:?}");
    }
}
