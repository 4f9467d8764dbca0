//! The state file seen from outside: what is durable, what is found, who may write.

mod opening;
mod salvaging;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{FILE, Holder, JournalError, PageAt, Placed, Reader, Writer};
use crate::engagement::{Address, At, Event, Evidence, Intent, Outcome, Purpose, RepeatClass, State};

fn holder(user: &str) -> Holder {
    Holder { user: user.to_owned(), host: "desk".to_owned(), process: 7, since: "2026-11-23T00:00:00Z".to_owned() }
}

fn began() -> Event {
    Event::Began { name: "acme".to_owned(), id: "0011223344556677".to_owned(), practice: false }
}

fn step() -> Address {
    "access/vpc".parse().unwrap()
}

fn intent() -> Intent {
    Intent {
        attempt: 1,
        purpose: Purpose::Apply,
        generation: 0,
        token: "t".repeat(32),
        digest: "d".repeat(32),
        class: RepeatClass::Tag,
        operations: vec!["CreateVpc".to_owned()],
        tags: [("onramp:step".to_owned(), "net/vpc".to_owned())].into(),
        deadline: Some(At(120_000)),
        before: std::collections::BTreeMap::new(),
    }
}

/// A state file with a few events in it; the folder lives as long as the first value.
fn filled() -> (TempDir, std::path::PathBuf) {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("acme");
    let mut writer = Writer::create(&folder, &holder("jane")).unwrap();
    writer.append(At(1000), &"jane@desk".to_owned(), vec![began()]).unwrap();
    let started = Event::AttemptStarted { step: step(), attempt: 1 };
    writer.append(At(2000), &"jane@desk".to_owned(), vec![started]).unwrap();
    (home, folder)
}

#[test]
fn what_was_written_is_read_back_in_order() {
    let (_home, folder) = filled();
    let events = Reader::open(&folder).unwrap().since(0).unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(events[0].event, began());
    let reopened = Writer::open(&folder, &holder("jane")).unwrap();
    assert_eq!(reopened.engagement().identity.name, "acme");
    assert!(matches!(reopened.engagement().state(&step()), State::Running { .. }));
}

#[test]
fn only_the_owner_may_read_it() {
    let (_home, folder) = filled();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(FILE)), 0o600);
    fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Writer::open(&folder, &holder("jane")).unwrap_err();
    assert!(matches!(refused, JournalError::Exposed { mode: 0o644, .. }), "{refused}");
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
}

#[test]
fn a_living_holder_keeps_others_out_and_readers_in() {
    let (_home, folder) = filled();
    let first = Writer::open(&folder, &holder("jane")).unwrap();
    let refused = Writer::open(&folder, &holder("joe")).unwrap_err();
    let JournalError::Held(by) = refused else { panic!("{refused}") };
    assert_eq!(by.user, "jane");
    assert_eq!(Reader::glance(&folder).unwrap().holder.unwrap().user, "jane");
    drop(first);
    assert!(Reader::glance(&folder).unwrap().holder.is_none());
    Writer::open(&folder, &holder("joe")).unwrap();
}

#[test]
fn an_intent_is_on_the_disk_before_anybody_holds_it() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    let (recorded, durable) = writer.intend(At(3000), &"jane@desk".to_owned(), &step(), intent()).unwrap();
    let seen = Reader::open(&folder).unwrap().since(recorded.seq - 1).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(durable.token(), "t".repeat(32));
    drop(writer);
    // Whoever opens it after a crash finds the step in doubt, not idle.
    let mut engagement = Reader::open(&folder).unwrap().engagement().unwrap();
    engagement.interrupt();
    assert!(matches!(engagement.state(&step()), State::InDoubt { .. }));
}

#[test]
fn a_recorded_outcome_ends_the_doubt() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    let actor = "jane@desk".to_owned();
    writer.intend(At(3000), &actor, &step(), intent()).unwrap();
    let outcome = Outcome::Changed {
        said: "made vpc-1".to_owned(),
        created: true,
        operations: vec!["CreateVpc".to_owned()],
        output: [("id".to_owned(), "vpc-1".into())].into(),
    };
    let concluded = Event::Concluded { step: step(), attempt: 1, purpose: Purpose::Apply, outcome };
    writer.append(At(4000), &actor, vec![concluded]).unwrap();
    let mut engagement = writer.engagement().clone();
    engagement.interrupt();
    assert!(matches!(engagement.state(&step()), State::Applied { .. }));
    assert_eq!(engagement.ledger().len(), 1);
    let undone = Event::Undone { step: step(), attempt: 2, evidence: Evidence::said("gone"), stays: false };
    writer.append(At(5000), &actor, vec![undone]).unwrap();
    assert!(writer.engagement().ledger().is_empty());
    assert_eq!(writer.engagement().record(&step()).unwrap().generation, 1);
}

/// Edits behind onramp's back, each with what the refusal says.
#[test]
fn an_edit_in_the_middle_is_found() {
    let edits = [
        ("DROP TRIGGER events_stay; UPDATE events SET body = replace(body, 'acme', 'evil') WHERE seq = 1", "event 1"),
        ("DROP TRIGGER events_stay; UPDATE events SET at = 1 WHERE seq = 2", "event 2"),
        ("DROP TRIGGER events_stay; UPDATE events SET actor = 'eve' WHERE seq = 2", "event 2"),
        ("DROP TRIGGER events_keep; DELETE FROM events WHERE seq = 1", "event 1 is missing"),
        ("UPDATE steps SET state = 'done'", "tables do not say"),
    ];
    for (edit, said) in edits {
        let (_home, folder) = filled();
        rusqlite::Connection::open(folder.join(FILE)).unwrap().execute_batch(edit).unwrap();
        let refused = Writer::open(&folder, &holder("jane")).unwrap_err();
        assert!(matches!(refused, JournalError::Damaged { .. }), "{edit}: {refused}");
        assert!(refused.to_string().contains(said), "{edit}: {refused}");
    }
}

#[test]
fn events_cannot_be_changed_or_deleted_through_the_file_itself() {
    let (_home, folder) = filled();
    let connection = rusqlite::Connection::open(folder.join(FILE)).unwrap();
    assert!(connection.execute("UPDATE events SET at = 0", []).is_err());
    assert!(connection.execute("DELETE FROM events", []).is_err());
}

#[test]
fn a_newer_file_and_a_foreign_one_are_refused() {
    let (_home, folder) = filled();
    rusqlite::Connection::open(folder.join(FILE)).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = Writer::open(&folder, &holder("jane")).unwrap_err();
    assert!(matches!(refused, JournalError::Newer { found: 99, .. }), "{refused}");
    fs::write(folder.join(FILE), b"not a database, but long enough to look at for a moment").unwrap();
    let _ = fs::remove_file(folder.join("journal.db-wal"));
    let refused = Writer::open(&folder, &holder("jane")).unwrap_err();
    assert!(matches!(refused, JournalError::Damaged { .. } | JournalError::Sql(_)), "{refused}");
}

#[test]
fn output_is_paged_by_line_whatever_the_chunks_were() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    for piece in ["one\ntw", "o\nthree\nfo", "ur"] {
        writer.output(&[(step(), 1, piece.as_bytes().to_vec())]).unwrap();
    }
    writer.finish_output(&step(), 1).unwrap();
    let last = writer.page(&step(), 1, PageAt::Last, 2).unwrap();
    assert_eq!((last.from, last.lines), (2, vec![b"three".to_vec(), b"four".to_vec()]));
    let page = writer.page(&step(), 1, PageAt::From(1), 2).unwrap();
    assert_eq!((page.total, page.lines), (4, vec![b"two".to_vec(), b"three".to_vec()]));
    assert_eq!(writer.page(&step(), 1, PageAt::From(3), 10).unwrap().lines, vec![b"four".to_vec()]);
    assert_eq!(writer.page(&step(), 2, PageAt::From(0), 10).unwrap().total, 0);
    let reader = Reader::open(&folder).unwrap();
    assert_eq!(reader.page(&step(), 1, PageAt::From(0), 1).unwrap().lines, vec![b"one".to_vec()]);
}

#[test]
fn any_line_is_found_among_many_chunks() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    for chunk in 0..100 {
        let lines: String = (0..7).map(|line| format!("{}\n", chunk * 7 + line)).collect();
        writer.output(&[(step(), 1, lines.into_bytes())]).unwrap();
    }
    let reader = Reader::open(&folder).unwrap();
    for line in 0..700 {
        let page = writer.page(&step(), 1, PageAt::From(line), 1).unwrap();
        assert_eq!((page.from, page.lines, page.total), (line, vec![line.to_string().into_bytes()], 700));
        let around = reader.around(&step(), 1, line).unwrap();
        assert_eq!((around.from, around.lines.len(), around.total), (line / 7 * 7, 7, 700));
    }
    assert!(writer.page(&step(), 1, PageAt::From(700), 9).unwrap().lines.is_empty());
    assert!(reader.around(&step(), 1, 700).unwrap().lines.is_empty());
    assert_eq!(writer.page(&step(), 1, PageAt::Last, 10_000).unwrap().lines.len(), 700);
}

#[test]
fn whoever_writes_output_is_told_where_it_stands() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    let mut output = |bytes: &[u8]| writer.output(&[(step(), 1, bytes.to_vec())]).unwrap()[0];
    let whole = |from| Placed { from, broken: false };
    assert_eq!(output(b"one\ntw"), whole(0));
    assert_eq!(output(b"o\n10%\r"), whole(1));
    assert_eq!(output(b"20%\r"), whole(2), "a CR may be half of a line end");
    assert_eq!(output(b"30%"), whole(3));
    assert_eq!(output(b"\r\n"), whole(4));
    // A line that never ends is not waited for for ever.
    assert_eq!(output(&[b'x'; 70_000]), Placed { from: 5, broken: true });
    assert_eq!(output(b"y\nz"), whole(6));
    assert_eq!(writer.finish_output(&step(), 1).unwrap(), 7);
    let lines = writer.page(&step(), 1, PageAt::From(0), 100).unwrap().lines;
    let short: Vec<String> =
        lines.iter().map(|line| String::from_utf8_lossy(&line[..line.len().min(3)]).into()).collect();
    assert_eq!(short, ["one", "two", "10%", "20%", "30%", "xxx", "y", "z"]);
    // More of the same attempt goes on behind it.
    assert_eq!(writer.output(&[(step(), 1, b"more\n".to_vec())]).unwrap()[0], whole(8));
}

#[test]
fn lines_are_counted_as_they_were_when_only_lf_ended_one() {
    let (_home, folder) = filled();
    drop(Writer::open(&folder, &holder("jane")).unwrap());
    let bytes = b"10%\r20%\nrest\n".as_slice();
    let sum = blake3::hash(bytes);
    rusqlite::Connection::open(folder.join(FILE))
        .unwrap()
        .execute(
            "INSERT INTO output (step, attempt, chunk, first, lines, bytes, sum) VALUES (?1, 1, 0, 0, 2, ?2, ?3)",
            rusqlite::params![step().to_string(), bytes, sum.as_bytes().as_slice()],
        )
        .unwrap();
    let page = Reader::open(&folder).unwrap().page(&step(), 1, PageAt::From(0), 10).unwrap();
    assert_eq!((page.total, page.lines), (2, vec![b"10%\r20%".to_vec(), b"rest".to_vec()]));
}

#[test]
fn a_folder_that_cannot_be_written_is_said_so() {
    let home = TempDir::new().unwrap();
    let blocked = home.path().join("file");
    fs::write(&blocked, b"").unwrap();
    let refused = Writer::create(&blocked.join("acme"), &holder("jane")).unwrap_err();
    assert!(matches!(refused, JournalError::Unwritable { .. }), "{refused}");
    assert!(matches!(Writer::open(home.path(), &holder("jane")).unwrap_err(), JournalError::Missing(_)));
}

#[test]
fn a_creation_that_was_cut_off_is_begun_anew_and_nothing_else_is() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("acme");
    drop(Writer::create(&folder, &holder("jane")).unwrap());
    // No event was written: the name is still free.
    let mut writer = Writer::create(&folder, &holder("jane")).unwrap();
    writer.append(At(1), &"jane@desk".to_owned(), vec![began()]).unwrap();
    drop(writer);
    assert!(matches!(Writer::create(&folder, &holder("jane")).unwrap_err(), JournalError::Exists(_)));
    assert_eq!(Writer::open(&folder, &holder("jane")).unwrap().engagement().identity.name, "acme");
    let other = home.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join(FILE), b"").unwrap();
    Writer::create(&other, &holder("jane")).unwrap();
    let foreign = home.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join(FILE), b"somebody else's file of more than a hundred bytes: it is never removed, whatever it is, because nobody asked for it").unwrap();
    assert!(matches!(Writer::create(&foreign, &holder("jane")).unwrap_err(), JournalError::Exists(_)));
}

#[test]
fn looking_who_holds_it_does_not_keep_a_writer_out() {
    let (_home, folder) = filled();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                Reader::glance(&folder).unwrap();
            }
        });
        for _ in 0..30 {
            let opened = Writer::open(&folder, &holder("jane"));
            assert!(opened.is_ok(), "{:?}", opened.err());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        looker.join().unwrap();
    });
}

#[test]
fn a_failed_append_leaves_everything_as_it_was() {
    let (_home, folder) = filled();
    let mut writer = Writer::open(&folder, &holder("jane")).unwrap();
    let other = rusqlite::Connection::open(folder.join(FILE)).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.seq = 4 BEGIN SELECT RAISE(ABORT, 'full'); END";
    other.execute_batch(full).unwrap();
    let before = writer.engagement().clone();
    let started = |attempt| Event::AttemptStarted { step: step(), attempt };
    assert!(writer.append(At(3000), &"jane@desk".to_owned(), vec![started(2), started(3)]).is_err(), "all or none");
    assert_eq!(writer.engagement(), &before);
    assert_eq!(Reader::open(&folder).unwrap().since(2).unwrap(), []);
    other.execute_batch("DROP TRIGGER full").unwrap();
    writer.append(At(4000), &"jane@desk".to_owned(), vec![started(2), started(3)]).unwrap();
    drop(writer);
    assert_eq!(Writer::open(&folder, &holder("jane")).unwrap().engagement().seq, 4, "the chain goes on without a gap");
}

#[test]
fn a_writer_and_a_reader_tell_the_same_events() {
    let (_home, folder) = filled();
    let writer = Writer::open(&folder, &holder("jane")).unwrap();
    let reader = Reader::open(&folder).unwrap();
    for seq in 0..3 {
        assert_eq!(writer.since(seq).unwrap(), reader.since(seq).unwrap());
    }
}
