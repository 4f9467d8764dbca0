//! What hosts, AWS and colleagues may say to take a terminal over, on every way to one: nothing of it is obeyed, and all of it
//! is kept as it came.

use onramp::engagement::{Address, At, Difference, DoneHow, Event, Evidence, Failure, Question};
use onramp::journal::{Holder, PageAt, Reader, Writer};
use onramp::runbook::Party;

use crate::stage::Stage;
use crate::terminal::Terminal;

/// Each would do something: a clipboard, a link, a title, a query that types an answer, a screen, a printer, a reset; with
/// seven bits, with eight, and as text; text that runs backwards or cannot be seen; sequences without an end.
const CORPUS: &[&[u8]] = &[
    b"\x1b]52;c;ZXZpbA==\x07",
    b"\x1b]52;c;ZXZpbA==\x1b\\",
    b"\x1b]8;;http://evil.example/\x1b\\here\x1b]8;;\x1b\\",
    b"\x1b]0;title\x07\x1b]2;title\x07\x1b]1337;File=:\x07",
    b"\x1b[6n\x1b[c\x1b[>c\x1b[=c\x1b[?15n\x1b[21t\x1bZ",
    b"\x1bPq#0;2;0;0;0\x1b\\\x1bP$qm\x1b\\\x1bP+q544e\x1b\\",
    b"\x1b_Gf=100;AAAA\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
    b"\x1b[2J\x1b[H\x1b[10A\x1b[999;1H\x1b[3J\x1b[?1049l\x1b[?25l\x1b[!p\x1bc",
    b"\x1b[5i\x1b[4i\x1b(0lqqk\x1b(B\x0e\x0f\x08\x08\x08\x0b\x0c\x7f\x05\x00",
    b"\x9b2J\x9d52;c;ZXZpbA==\x9c\x90q\x9c\x84\x85\x8d",
    "\u{9b}2J\u{9d}52;c;ZXZpbA==\u{9c}\u{90}q\u{9c}\u{85}".as_bytes(),
    "\u{202e}txt.exe\u{202c}\u{2066}a\u{2069}\u{200f}\u{61c}\u{200b}\u{2060}\u{feff}\u{ad}\u{e0041}\u{2028}".as_bytes(),
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
    b"over\rwritten\r\x1b[K\xff\xfe\xc0\xaf\xed\xa0\x80\xe2\x82",
    b"\x1b]52;c;",
    b"\x1b[",
    b"\x1b",
];

/// Where what an event says begins and ends, so that it is known to have come.
const HEAD: &str = "HEAD-OF-IT ";

fn bytes() -> Vec<u8> {
    CORPUS.iter().flat_map(|piece| [HEAD.as_bytes(), piece, b"\n"].concat()).collect()
}

/// The same in one line of text, as far as it is text.
fn words() -> String {
    let text: Vec<String> = CORPUS.iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect();
    format!("{HEAD}{}", text.concat())
}

const RUNBOOK: &str = "
runbook: evil
title: Evil
phase: evil
steps:
  - {id: failed, title: It failed, manual: Look at it.}
  - {id: waits, title: It waits, manual: Look at it.}
  - {id: asked, title: It asks, manual: Look at it.}
  - {id: other, title: It asks more, manual: Look at it.}
  - {id: done, title: It is done, manual: Look at it.}
";

fn step(name: &str) -> Address {
    format!("evil/{name}").parse().unwrap()
}

/// An engagement in which everybody said it.
fn engagement() -> Stage {
    let stage = Stage::new().with_credentials().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let file = stage.file("evil.yaml", RUNBOOK);
    stage.run(&["new", "acme", "--runbook", file.to_str().unwrap()]).expect(0);
    let holder = Holder { user: words(), host: words(), process: 1, since: words() };
    let mut writer = Writer::open(&stage.data().join("engagements/acme"), &holder).unwrap();
    let said = words;
    let failure = Failure {
        what: said(),
        meaning: said(),
        advice: said(),
        code: Some(said()),
        raw: said(),
        changed: vec![said()],
        ..Failure::default()
    };
    let difference = Difference { what: said(), wanted: said(), found: said(), diff: said() };
    let evidence = Evidence { said: said(), facts: [("stdout".to_owned(), said().into())].into() };
    let key = Question::HostKey {
        hop: said(),
        host: said(),
        port: 22,
        algorithm: said(),
        fingerprint: said(),
        openssh: said(),
    };
    let mut events: Vec<Event> = ["failed", "waits", "asked", "other", "done"]
        .map(|name| Event::AttemptStarted { step: step(name), attempt: 1 })
        .into();
    events.extend([
        Event::Failed { step: step("failed"), attempt: 1, failure },
        Event::Waiting {
            step: step("waits"),
            attempt: 1,
            party: Party::Customer,
            ask: said(),
            said: said(),
            who: said(),
            due_in: Some(1),
        },
        Event::Asked { step: step("asked"), attempt: 1, question: key },
        Event::Asked {
            step: step("other"),
            attempt: 1,
            question: Question::Different { said: said(), differences: vec![difference] },
        },
        Event::Done { step: step("done"), attempt: 1, how: DoneHow::Applied, evidence, kept: Vec::new() },
    ]);
    writer.append(At(1_000), &words(), events).unwrap();
    for piece in bytes().chunks(7) {
        writer.output(&[(step("failed"), 1, piece.to_vec())]).unwrap();
    }
    writer.finish_output(&step("failed"), 1).unwrap();
    stage
}

/// Nothing that a terminal would obey but line ends.
#[track_caller]
fn assert_plain(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let hostile = |c: char| !matches!(c, '\n' | '\r' | '\t') && onramp::text::is_hostile(c);
    let found = text.chars().find(|c| hostile(*c));
    assert_eq!(found, None, "{what}: {text:?}");
    assert!(text.contains(HEAD), "{what} says nothing of it: {text:?}");
}

/// What a screen program itself sends, by ECMA-48: places, colours, modes of the terminal. Whatever else is escaped came from
/// elsewhere.
#[track_caller]
fn assert_own(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| !matches!(c, '\n' | '\r') && onramp::text::is_hostile(c)) {
        rest = &rest[at..];
        let own = ["\x1b]11;?\x1b\\", "\x1b[c", "\x1b[H", "\x1b[2J"].iter().find(|own| rest.starts_with(**own));
        let taken = match (own, rest.strip_prefix("\x1b[")) {
            (Some(own), _) => own.len(),
            (None, Some(sequence)) => {
                let end = sequence.find(|c: char| !matches!(c, '0'..='9' | ';' | '?')).unwrap_or(sequence.len());
                let (parameters, last) = (&sequence[..end], sequence[end..].chars().next());
                // Cursor to a place, colours, modes (2026, 2004, 1049, 25), erase.
                let good = match last {
                    Some('m' | 'H') => !parameters.contains('?'),
                    Some('h' | 'l') => ["?2026", "?2004", "?1049", "?25"].contains(&parameters),
                    Some('J' | 'K') => ["", "0", "2"].contains(&parameters),
                    _ => false,
                };
                assert!(good, "{what}: {:?}", &rest[..rest.len().min(40)]);
                2 + end + 1
            }
            (None, None) => panic!("{what}: {:?}", rest.chars().take(40).collect::<String>()),
        };
        rest = &rest[taken..];
    }
}

/// All that a program wrote which has ended: the last of it may still be on its way.
fn all_of(terminal: &Terminal) -> String {
    loop {
        let before = terminal.all();
        std::thread::sleep(std::time::Duration::from_millis(300));
        if terminal.all() == before {
            return before;
        }
    }
}

#[test]
fn no_command_obeys_it_or_hands_it_on() {
    let stage = engagement();
    for arguments in [
        &["status", "acme"][..],
        &["status", "acme", "--format", "json"],
        &["plan", "acme"],
        &["plan", "acme", "--format", "json"],
        &["wait", "acme"],
        &["run", "acme", "--yes"],
        &["run", "acme", "--yes", "--format", "jsonl"],
        &["undo", "acme", "--all"],
    ] {
        let mut terminal = Terminal::start(&stage, arguments, 24, 80);
        terminal.ended();
        let all = all_of(&terminal);
        if all.contains(HEAD) {
            assert_plain(&arguments.join(" "), all.as_bytes());
        } else {
            let hostile = all.chars().find(|c| !matches!(c, '\n' | '\r' | '\t') && onramp::text::is_hostile(*c));
            assert_eq!(hostile, None, "{arguments:?}: {all:?}");
            assert!(!arguments.contains(&"status"), "{arguments:?} says nothing of it: {all:?}");
        }
    }
    for format in ["text", "jsonl"] {
        let mut terminal = Terminal::start(&stage, &["watch", "acme", "--format", format], 24, 80);
        terminal.wait("HEAD-OF-IT");
        terminal.press("\x03");
        terminal.ended();
        assert_plain(format, all_of(&terminal).as_bytes());
    }
}

#[test]
fn no_screen_obeys_it() {
    let stage = engagement();
    let mut terminal = Terminal::start(&stage, &["open", "acme"], 40, 120);
    terminal.wait("It failed");
    // Every step, its details, its output, and the questions.
    for keys in ["g", "j", "j", "j", "j", "j", "j", "\t", "j", "j", "\t", "\t", "g", "j", "L", "G", "g"] {
        terminal.press(keys);
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    terminal.wait("output of It failed");
    terminal.wait("HEAD-OF-IT ^[]52;c;ZXZpbA==^G");
    terminal.wait("<202e>txt.exe<202c>");
    terminal.press("q");
    terminal.wait("It asks");
    for keys in ["g", "j", "j", "j", "\r"] {
        terminal.press(keys);
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    terminal.wait("Is this the right host?");
    terminal.press("\x03");
    terminal.press("\x03");
    terminal.ended();
    assert_own("the screen", all_of(&terminal).as_bytes());
}

#[test]
fn all_of_it_is_kept_as_it_came() {
    let stage = engagement();
    let reader = Reader::open(&stage.data().join("engagements/acme")).unwrap();
    let page = reader.page(&step("failed"), 1, PageAt::From(0), 1_000).unwrap();
    let kept: Vec<u8> = onramp::text::lines(&bytes()).flat_map(|line| [line, b"\n"].concat()).collect();
    let lines: Vec<u8> = page.lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
    assert_eq!(lines, kept);
    let failed = reader.since(0).unwrap().into_iter().find_map(|one| match one.event {
        Event::Failed { failure, .. } => Some(failure.raw),
        _ => None,
    });
    assert_eq!(failed, Some(words()));
}
