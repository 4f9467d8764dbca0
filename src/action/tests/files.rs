//! The file that a step writes: its arguments, what it makes of a look, and the scripts themselves in real shells.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::super::arguments::Arguments;
use super::super::super::tests::subject;
use super::*;

fn arguments(more: &Json) -> Result<TheFile, Failure> {
    let mut given = Map::from_iter([("host".to_owned(), json!("app")), ("path".to_owned(), json!("/etc/motd"))]);
    given.insert("content".to_owned(), json!("hello"));
    given.extend(more.as_object().cloned().unwrap_or_default());
    TheFile::new(Arguments { kind: "os/file", given: &given }, &subject("e1"))
}

fn wanted(more: &Json) -> Wanted {
    arguments(more).unwrap_or_else(|failure| panic!("{}", failure.what)).wanted
}

fn there(mode: u32, content: &str) -> State {
    let root = || ["root".to_owned(), "0".to_owned()];
    let (owner, group) = (root(), root());
    State { unfinished: false, mode, owner, group, size: content.len(), bytes: content.into() }
}

#[test]
fn what_cannot_be_a_file_is_refused_by_name() {
    for (wrong, why) in [
        (json!({ "path": "etc/motd" }), "whole path"),
        (json!({ "path": "/etc/../motd" }), "whole path"),
        (json!({ "path": "/etc/" }), "whole path"),
        (json!({ "mode": "rw" }), "octal"),
        (json!({ "mode": "0999" }), "octal"),
        (json!({ "mode": 420 }), "others may do what the owner may not"),
        (json!({ "owner": "-R" }), "names nobody"),
        (json!({ "content": "a\u{0}b" }), "NUL"),
        (json!({ "content": "x".repeat(MOST + 1) }), "may have"),
        (json!({ "limit": "soon" }), "no time"),
    ] {
        let Err(failure) = arguments(&wrong) else { panic!("{wrong}") };
        assert!(failure.what.contains(why), "{wrong}: {}", failure.what);
    }
    assert!(arguments(&json!({ "path": "\u{2039}a.path\u{203a}" })).is_ok(), "a plan knows not all yet");
}

#[test]
fn the_plan_says_what_is_written_and_not_how() {
    let file = arguments(&json!({ "mode": "640", "owner": "root", "after": "systemctl reload x" }))
        .unwrap_or_else(|_| panic!());
    let [change] = file.changes().try_into().unwrap();
    let said = json!({
        "file": "/etc/motd", "content": "hello\n", "mode": "0640", "owner": "root", "after": "systemctl reload x", "sudo": true
    });
    assert_eq!((change.operation.as_str(), change.arguments), ("app", said));
}

#[test]
fn only_what_is_asked_for_is_compared() {
    let state = there(0o600, "hello\n");
    assert_eq!(wanted(&json!({})).differences(&state, None), []);
    let found = wanted(&json!({ "mode": "0644", "owner": "app", "group": "0" })).differences(&state, None);
    assert_eq!(found, [difference("mode", "0644", "0600"), difference("owner", "app", "root")]);
}

#[test]
fn lines_that_differ_are_shown_but_not_those_of_a_file_that_not_everybody_may_read() {
    let open = wanted(&json!({ "content": "a\nb" })).differences(&there(0o644, "a\nsecret\n"), None);
    assert_eq!(open[0].diff, "@@ -1,2 +1,2 @@\n a\n-secret\n+b");
    let closed = wanted(&json!({ "content": "a\nb" })).differences(&there(0o640, "a\nsecret\n"), None);
    assert!(closed[0].diff.contains("not shown") && closed[0].diff.contains("+b"), "{}", closed[0].diff);
    assert!(!closed[0].diff.contains("secret"));
    let binary = wanted(&json!({ "content": "a" })).differences(&there(0o644, "\u{0}\u{1}"), None);
    assert!(binary[0].diff.is_empty() && binary[0].found.contains("no text"), "{binary:?}");
}

const REFERENCE: &str = "age:secrets.age#smtp.password";

#[test]
fn a_secret_has_its_place_and_is_shown_nowhere() {
    let given = json!({ "content": "user onramp\npassword @secret@", "secret": REFERENCE });
    let file = arguments(&given).unwrap_or_else(|failure| panic!("{}", failure.what));
    let [change] = file.changes().try_into().unwrap();
    assert_eq!(change.arguments["secret"], json!(format!("\u{2039}the secret {REFERENCE}\u{203a}")));
    assert_eq!(change.arguments["content"], json!("user onramp\npassword @secret@\n"));
    let wanted = &file.wanted;
    let secret = Some("hunter2");
    assert_eq!(wanted.differences(&there(0o644, "user onramp\npassword hunter2\n"), secret), []);
    let found = |old: &str| wanted.differences(&there(0o644, old), secret).remove(0);
    assert_eq!(
        found("user ann\npassword hunter2\n").diff,
        "@@ -1,2 +1,2 @@\n-(not shown: it may hold a secret)\n+user onramp\n password @secret@"
    );
    let found = found("user onramp\npassword hunter1\n");
    assert_eq!(found.diff, "@@ -1,2 +1,2 @@\n user onramp\n-(not shown: it may hold a secret)\n+password @secret@");
    assert!(!format!("{found:?}").contains("hunter") && !format!("{found:?}").contains("27"), "{found:?}");
    for (wrong, why) in [
        (json!({ "secret": REFERENCE }), "@secret@ nowhere"),
        (json!({ "content": "@secret@", "secret": "hunter2" }), "where a secret lives"),
    ] {
        let Err(failure) = arguments(&wrong) else { panic!("{wrong}") };
        assert!(failure.what.contains(why) && !failure.what.contains("hunter2"), "{}", failure.what);
    }
}

#[test]
fn a_secret_is_written_from_standard_input_whatever_it_holds() {
    for far in Far::all() {
        let given = json!({ "content": "a @secret@ and @secret@\n", "mode": "0600", "secret": REFERENCE });
        let file = far.new_file(&given);
        let secret = "it's \\n %s *\n@secret@ `id`\n";
        let wrote = far.run_with(run_of(&file), secret);
        assert!(wrote.status.success(), "{}: {}", far.shell, said(&wrote));
        let wanted = secret.trim_end();
        assert_eq!(fs::read_to_string(far.path()).unwrap(), format!("a {wanted} and {wanted}\n"));
        let There::File(state) = far.look(&file) else { panic!() };
        assert_eq!(file.wanted.differences(&state, Some(wanted)), []);
        assert!(!format!("{wrote:?}").contains("`id`"), "{wrote:?}");
    }
}

#[test]
fn a_look_is_understood_or_refused() {
    assert_eq!(There::read(b"absent\n"), Some(There::Nothing { folder: true }));
    assert_eq!(There::read(b"file yes 644 root 0 root 0 3\nab\n"), {
        let state = State { unfinished: true, ..there(0o644, "ab\n") };
        Some(There::File(state))
    });
    for odd in [&b"file yes 644 root\n"[..], b"", b"file no 9 root 0 root 0 3\nabc", b"nonsense\n"] {
        assert_eq!(There::read(odd), None);
    }
}

/// A folder, and a shell that takes it for the host.
struct Far {
    shell: &'static str,
    dir: tempfile::TempDir,
}

impl Far {
    fn all() -> Vec<Far> {
        let shells = [("/bin/dash", "dash"), ("/bin/bash", "bash")].into_iter().filter(|(path, name)| {
            let there = Path::new(path).exists();
            if !there {
                eprintln!("SKIPPED for {name}: it is not installed");
            }
            there
        });
        shells.map(|(shell, _)| Far { shell, dir: tempfile::tempdir().unwrap() }).collect()
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("etc/app.conf")
    }

    fn new_file(&self, more: &Json) -> TheFile {
        fs::create_dir_all(self.dir.path().join("etc")).unwrap();
        let mut given = json!({ "path": self.path() });
        given.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        arguments(&given).unwrap_or_else(|failure| panic!("{}", failure.what))
    }

    /// Runs a script as a host does; what is kept, is kept in the folder.
    fn run(&self, text: &str) -> Output {
        let text = text.replace("/var/lib/onramp-kept", &self.dir.path().join("kept").display().to_string());
        let mut command = Command::new(self.shell);
        command.env("HOME", self.dir.path()).args(["-euc", &format!("umask 027\n{text}")]);
        command.output().unwrap()
    }

    /// The same with this on its standard input.
    fn run_with(&self, text: &str, stdin: &str) -> Output {
        let input = self.dir.path().join("stdin");
        fs::write(&input, stdin).unwrap();
        self.run(&format!("exec <{}\n{text}", input.display()))
    }

    fn look(&self, file: &TheFile) -> There {
        let seen = self.run(&file.look);
        There::read(&seen.stdout).unwrap_or_else(|| panic!("{seen:?}"))
    }

    fn leftovers(&self) -> Vec<String> {
        let all = fs::read_dir(self.dir.path().join("etc")).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".onramp")).collect()
    }
}

fn run_of(file: &TheFile) -> &str {
    file.shell.run.as_deref().unwrap()
}

fn undo_of(file: &TheFile) -> &str {
    file.shell.undo.as_deref().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_file_is_written_whole_and_taken_away_again() {
    for far in Far::all() {
        let odd = "it's $HOME `id` \\ \"x\"\n\n\ttab \u{e9}\n";
        let file = far.new_file(&json!({ "content": odd, "mode": "0640" }));
        assert_eq!(far.look(&file), There::Nothing { folder: true });
        let wrote = far.run(run_of(&file));
        assert!(wrote.status.success(), "{}: {}", far.shell, said(&wrote));
        assert_eq!(fs::read_to_string(far.path()).unwrap(), odd);
        assert_eq!(fs::metadata(far.path()).unwrap().permissions().mode() & 0o7777, 0o640, "whatever the umask is");
        assert!(far.leftovers().is_empty());
        let There::File(state) = far.look(&file) else { panic!() };
        assert_eq!(file.wanted.differences(&state, None), []);

        let back = far.run(undo_of(&file));
        assert!(back.status.success(), "{}: {}", far.shell, said(&back));
        assert!(!far.path().exists());
        assert_eq!(fs::read_dir(far.dir.path().join("kept")).unwrap().count(), 0, "nothing is kept any more");
    }
}

#[test]
fn what_was_there_comes_back_with_its_mode_and_owner_after_several_writes() {
    for far in Far::all() {
        let first = far.new_file(&json!({ "content": "one" }));
        fs::write(far.path(), "theirs\n").unwrap();
        fs::set_permissions(far.path(), fs::Permissions::from_mode(0o604)).unwrap();
        let owner = fs::metadata(far.path()).unwrap().uid();
        assert!(far.run(run_of(&first)).status.success());
        assert_eq!(
            fs::metadata(far.path()).unwrap().permissions().mode() & 0o7777,
            0o604,
            "what is not asked for stays"
        );
        let second = far.new_file(&json!({ "content": "two", "mode": "0600" }));
        assert!(far.run(run_of(&second)).status.success());
        assert_eq!(fs::read_to_string(far.path()).unwrap(), "two\n");
        let back = far.run(undo_of(&second));
        assert!(back.status.success(), "{}", said(&back));
        let now = fs::metadata(far.path()).unwrap();
        assert_eq!(fs::read_to_string(far.path()).unwrap(), "theirs\n");
        assert_eq!((now.permissions().mode() & 0o7777, now.uid()), (0o604, owner));
    }
}

#[test]
fn a_file_that_somebody_changed_since_is_left_alone() {
    for far in Far::all() {
        let file = far.new_file(&json!({ "content": "ours" }));
        fs::write(far.path(), "before\n").unwrap();
        assert!(far.run(run_of(&file)).status.success());
        for meddle in [
            Box::new(|path: &Path| fs::write(path, "somebody else\n").unwrap()) as Box<dyn Fn(&Path)>,
            Box::new(|path: &Path| {
                fs::write(path, "ours\n").unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
            }),
            Box::new(|path: &Path| fs::remove_file(path).unwrap()),
        ] {
            meddle(&far.path());
            let before = fs::read_to_string(far.path()).ok();
            let back = far.run(undo_of(&file));
            assert_eq!(back.status.code(), Some(7), "{}", said(&back));
            assert!(said(&back).contains("somebody has changed it since"), "{}", said(&back));
            assert_eq!(fs::read_to_string(far.path()).ok(), before);
        }
    }
}

#[test]
fn a_file_that_is_not_accepted_changes_nothing() {
    for far in Far::all() {
        let file = far.new_file(&json!({ "content": "bad", "validate": "grep -q good \"$1\"" }));
        fs::write(far.path(), "before\n").unwrap();
        let refused = far.run(run_of(&file));
        assert_eq!(refused.status.code(), Some(4));
        assert!(said(&refused).contains("is as it was"), "{}", said(&refused));
        assert_eq!(fs::read_to_string(far.path()).unwrap(), "before\n");
        assert!(far.leftovers().is_empty());
        let good = far.new_file(&json!({ "content": "good", "validate": "grep -q good \"$1\"" }));
        assert!(far.run(run_of(&good)).status.success());
    }
}

/// Were it forgotten, a service would go on with the old file for ever: the next look would find the file as wanted.
#[test]
fn what_comes_after_is_made_up_for_when_it_failed() {
    for far in Far::all() {
        let after = format!(
            "echo \"$1\" >>{}; test -e {}",
            far.dir.path().join("ran").display(),
            far.dir.path().join("ready").display()
        );
        let file = far.new_file(&json!({ "content": "x", "after": after }));
        let failed = far.run(run_of(&file));
        assert_eq!(failed.status.code(), Some(5));
        assert!(said(&failed).contains("what comes after it ended with code 1"), "{}", said(&failed));
        let There::File(state) = far.look(&file) else { panic!() };
        assert!(state.unfinished && file.wanted.differences(&state, None).is_empty());

        fs::write(far.dir.path().join("ready"), "").unwrap();
        assert!(far.run(run_of(&file)).status.success());
        let There::File(state) = far.look(&file) else { panic!() };
        assert!(!state.unfinished);
        assert!(far.run(undo_of(&file)).status.success(), "it follows the undo, too");
    }
}

#[test]
fn links_folders_and_places_that_are_not_there_are_refused() {
    for far in Far::all() {
        let file = far.new_file(&json!({}));
        std::os::unix::fs::symlink("/dev/null", far.path()).unwrap();
        assert!(matches!(far.look(&file), There::NoFile { what } if what.contains("/dev/null")));
        assert_eq!(far.run(run_of(&file)).status.code(), Some(3));
        fs::remove_file(far.path()).unwrap();
        fs::create_dir(far.path()).unwrap();
        assert_eq!(far.look(&file), There::NoFile { what: "no file".to_owned() });
        assert_eq!(far.run(run_of(&file)).status.code(), Some(3));
        fs::remove_dir_all(far.dir.path().join("etc")).unwrap();
        assert_eq!(far.look(&file), There::Nothing { folder: false });
        let refused = far.run(run_of(&file));
        assert!(said(&refused).contains("is not there"), "{}", said(&refused));
    }
}

/// Somebody else's link of the name that the new file has for a moment is not written through.
#[test]
fn a_planted_link_is_not_followed() {
    for far in Far::all() {
        let file = far.new_file(&json!({ "content": "x" }));
        let victim = far.dir.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let planted = far.dir.path().join(format!("etc/.onramp-new-{}", file.place.store));
        std::os::unix::fs::symlink(&victim, &planted).unwrap();
        assert!(far.run(run_of(&file)).status.success());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }
}
