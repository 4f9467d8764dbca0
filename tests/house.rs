//! The rules of the house, as a test: rooms use only what their door plates say, pure rooms stay pure, files stay short.
//!
//! Links nothing of onramp: it reads the source as text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on ends there"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const LONGEST: usize = 600;

/// Crates that reach for the world, forbidden in pure rooms.
const EFFECTS: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::net::ToSocketAddrs",
    "std::thread",
    "std::process",
    "std::env",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "ratatui",
    "crossterm",
    "rusqlite",
    "russh",
    "aws_sdk",
    "aws_config",
    "aws_smithy",
    "getrandom",
    "rustix",
    "directories",
];

/// What else a room may never name, beside what its plate leaves out.
const NEVER: &[(&str, &[&str])] = &[
    ("journal", &["tokio", "russh", "aws_sdk", "aws_config", "aws_smithy", "ratatui"]),
    ("ssh", &["aws_sdk", "aws_config", "aws_smithy", "ratatui", "rusqlite"]),
    ("aws", &["russh", "ratatui", "rusqlite"]),
    ("action", &["ratatui", "rusqlite"]),
    ("engine", &["russh", "aws_sdk", "aws_config", "aws_smithy", "ratatui", "rusqlite"]),
    ("ui", &["tokio", "russh", "aws_sdk", "aws_config", "aws_smithy", "rusqlite", "std::fs", "std::net::Tcp"]),
];

struct File {
    path: PathBuf,
    room: String,
    code: String,
    lines: usize,
    first: String,
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut todo = vec![root.clone()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let inside = path.strip_prefix(&root).unwrap();
                let room = if inside.components().count() > 1 {
                    inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned()
                } else {
                    String::new()
                };
                found.push(File {
                    room,
                    code: without_comments_and_tests(&text),
                    lines: text.lines().count(),
                    first: text.lines().next().unwrap_or_default().to_owned(),
                    path,
                });
            }
        }
    }
    assert!(found.len() > 40, "the walk found only {} files", found.len());
    found
}

/// Code that ships: line comments and everything from `#[cfg(test)]` on a `mod` taken out. Tests may reach further.
fn without_comments_and_tests(text: &str) -> String {
    let body = match text.find("#[cfg(test)]\nmod tests {") {
        Some(at) => &text[..at],
        None => text,
    };
    body.lines().map(|line| line.find("//").map_or(line, |at| &line[..at])).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

/// What each room's plate says it uses.
fn plates(files: &[File]) -> BTreeMap<String, BTreeSet<String>> {
    let mut plates = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in files.iter().map(|file| &file.room).filter(|room| !room.is_empty()).collect::<BTreeSet<_>>() {
        let text = fs::read_to_string(root.join(room).join("mod.rs")).unwrap();
        let uses = text
            .lines()
            .find_map(|line| line.strip_prefix("//! Uses: "))
            .unwrap_or_else(|| panic!("the door plate of {room} has no line \"Uses:\""));
        let uses = uses.split('.').next().unwrap();
        plates.insert(
            room.clone(),
            uses.split([',', ' ']).map(str::trim).filter(|u| !u.is_empty()).map(str::to_owned).collect(),
        );
    }
    plates
}

fn mentions(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn arrows_go_down() {
    let files = sources();
    let plates = plates(&files);
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| !file.room.is_empty() && !is_test(&file.path)) {
        let allowed = &plates[&file.room];
        for other in plates.keys().filter(|other| **other != file.room) {
            if allowed.contains(other) || allowed.contains("everything") {
                continue;
            }
            for (number, line) in file.code.lines().enumerate() {
                if mentions(line, &format!("crate::{other}")) {
                    broken.push(format!("{}:{}: {} may not use {other}", file.path.display(), number + 1, file.room));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_cli_knows_practice_and_nobody_uses_cli() {
    for (room, uses) in plates(&sources()) {
        assert!(room == "cli" || !uses.contains("practice"), "{room} names practice");
        assert!(!uses.contains("cli"), "{room} names cli");
    }
}

#[test]
fn the_plates_have_no_circle() {
    let plates = plates(&sources());
    for start in plates.keys() {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<&String> = plates[start].iter().collect();
        while let Some(room) = todo.pop() {
            assert!(room != start, "{start} uses itself through others");
            if seen.insert(room) {
                todo.extend(plates.get(room).into_iter().flatten());
            }
        }
    }
}

#[test]
fn pure_rooms_are_pure_and_others_keep_to_their_wires() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| !is_test(&file.path)) {
        let pure = ["text", "input", "runbook", "engagement"].contains(&file.room.as_str());
        let never = NEVER.iter().find(|(room, _)| *room == file.room).map_or(&[][..], |(_, never)| never);
        let forbidden = if pure { EFFECTS } else { never };
        for name in forbidden {
            for (number, line) in file.code.lines().enumerate() {
                if mentions(line, name) && (line.contains("::") || line.contains("use ")) {
                    broken.push(format!("{}:{}: {} names {name}", file.path.display(), number + 1, file.room));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// From `journal`, `action` may use one name.
#[test]
fn action_uses_one_name_of_the_journal() {
    for file in sources().iter().filter(|file| file.room == "action" && !is_test(&file.path)) {
        for line in file.code.lines().filter(|line| line.contains("crate::journal")) {
            assert!(line.contains("crate::journal::DurableIntent"), "{}: {line}", file.path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut broken = Vec::new();
    for file in sources() {
        if !file.first.starts_with("//!") {
            broken.push(format!("{}: the first line does not say what it is (//!)", file.path.display()));
        }
        if file.lines > LONGEST {
            broken.push(format!("{}: {} lines", file.path.display(), file.lines));
        }
        let name = file.path.file_stem().unwrap().to_str().unwrap();
        if ["imp", "util", "utils", "helpers", "common", "types", "misc"].contains(&name) {
            broken.push(format!("{}: a name that attracts everything", file.path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whoever is told what to do is told by which step or command: nobody is sent to look for it on a page of AWS.
#[test]
fn nobody_is_sent_to_the_console() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = sources().into_iter().filter(|file| !is_test(&file.path)).map(|file| (file.path, file.code));
    let mut runbooks = Vec::new();
    let mut todo = vec![root.join("runbooks")];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => todo.push(path),
                false => runbooks.push((path.clone(), fs::read_to_string(path).unwrap())),
            }
        }
    }
    assert!(runbooks.len() > 20, "{}", runbooks.len());
    let sends = |line: &str| {
        let said = ["in the console", "AWS console", "Quotas console", "SES console", "Backup console", "IAM console"];
        said.iter().any(|said| line.contains(said))
    };
    let mut broken = Vec::new();
    for (path, text) in code.chain(runbooks) {
        let lines = text.lines().enumerate().filter(|(_, line)| sends(line));
        broken.extend(lines.map(|(at, line)| format!("{}:{}: {line}", path.display(), at + 1)));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every call that changes something in EC2 is sent from one place, under its row in the table of operations.
#[test]
fn one_place_changes_things_in_ec2() {
    const VERBS: [&str; 18] = [
        ".create_",
        ".delete_",
        ".run_instances",
        ".terminate_",
        ".modify_",
        ".attach_",
        ".detach_",
        ".associate_",
        ".disassociate_",
        ".allocate_",
        ".release_",
        ".authorize_",
        ".revoke_",
        ".import_",
        ".replace_",
        ".reboot_",
        ".copy_",
        ".deregister_",
    ];
    let mut sending = BTreeSet::new();
    for file in sources().iter().filter(|file| ["action", "aws", "engine"].contains(&file.room.as_str())) {
        let calls = |line: &&str| VERBS.iter().any(|verb| line.contains(verb)) && !line.contains("_secret");
        if !is_test(&file.path) && file.code.contains("ec2") && file.code.lines().any(|line| calls(&line)) {
            sending.insert(file.path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap().to_owned());
        }
    }
    let one_place =
        ["src/action/send/ebs.rs", "src/action/send/transit.rs", "src/action/send/vpn.rs", "src/action/send.rs"];
    let one_place = one_place.map(PathBuf::from);
    assert_eq!(sending.into_iter().collect::<Vec<_>>(), one_place);
}

/// Every row of the interoperability table names a test that is there.
#[test]
fn what_the_docs_say_of_ssh_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/ssh.md")).unwrap();
    let (_, table) = text.split_once("## Interoperability").expect("the table");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    let (mut tested, mut broken) = (0, Vec::new());
    for row in rows.filter(|row| !row.starts_with("| **") && !row.starts_with("| what |")) {
        let named = row.rsplit('|').nth(1).unwrap_or_default().trim().trim_matches('`');
        let (file, test) = named.split_once("::").unwrap_or_default();
        let places = ["src/ssh/tests", "tests/it"].map(|place| root.join(place).join(format!("{file}.rs")));
        let code = places.iter().filter_map(|place| fs::read_to_string(place).ok()).collect::<String>();
        let at = code.find(&format!("fn {test}("));
        let is_test = at.is_some_and(|at| code[..at].trim_end_matches("async ").trim_end().ends_with("test]"));
        tested += 1;
        if !is_test {
            broken.push(row.to_string());
        }
    }
    assert!(tested > 40, "only {tested} rows");
    assert!(broken.is_empty(), "no such test:\n{}", broken.join("\n"));
}

/// Every behaviour that the documentation says practice has names tests that are there.
#[test]
fn what_the_docs_say_of_aws_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/aws.md")).unwrap();
    let (_, table) = text.split_once("## What practice does as AWS does").expect("the table");
    let mut tested = 0;
    // Types of resources are written with colons as well.
    let names = |word: &&str| !word.starts_with("AWS::") && (word.contains("::") || word.ends_with(".rs"));
    // What stands between the marks, and nothing of the text around them.
    for named in table.split('`').skip(1).step_by(2).filter(names) {
        let (file, test) = named.split_once("::").unwrap_or((named, ""));
        let path = if test.is_empty() { file.to_owned() } else { format!("src/practice/fidelity/tests/{file}.rs") };
        let code = fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(test.is_empty() || code.contains(&format!("async fn {test}()")), "no such test: {named}");
        tested += 1;
    }
    assert!(tested > 6, "only {tested} tests");
}
