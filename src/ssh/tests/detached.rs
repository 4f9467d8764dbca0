//! The texts of a detached script, run by the shells that hosts have. No connection takes part.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tempfile::TempDir;

use super::words::{Word, Words};
use super::{Detached, Reason, as_watched};
use crate::ssh::{Script, Stream};

/// A host of which all that matters is its shell, and where claims are made.
struct Far {
    name: &'static str,
    dir: TempDir,
    /// Without setsid and /proc, as on a host that has nothing beyond POSIX.
    bare: bool,
}

/// What one watcher said.
#[derive(Debug, Default)]
struct Said {
    words: Vec<Word>,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Said {
    fn end(&self) -> &Word {
        self.words.last().expect("a word")
    }

    fn found(&self) -> Option<bool> {
        self.words.iter().find_map(|word| match word {
            Word::Claim { found, .. } => Some(*found),
            _ => None,
        })
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// Every shell that is here; those that are not are named.
fn hosts() -> Vec<Far> {
    let shells = [("dash", "/usr/bin/dash"), ("bash", "/usr/bin/bash"), ("busybox", "/usr/bin/busybox")];
    let there = shells.into_iter().filter(|(name, path)| {
        let there = Path::new(path).exists();
        if !there {
            eprintln!("SKIPPED for {name}: it is not installed");
        }
        there
    });
    there.map(|(name, path)| Far::new(name, path)).collect()
}

impl Far {
    fn new(name: &'static str, path: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("bin")).expect("a folder");
        std::os::unix::fs::symlink(path, dir.path().join("bin/sh")).expect("a link");
        Self { name, dir, bare: false }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn claim(&self, token: &str) -> PathBuf {
        self.path("claims").join(token)
    }

    /// The text that a watcher gets, with the places of this host.
    fn text(&self, mode: &str, work: &Detached, at: (u64, u64)) -> String {
        let (claims, bin) = (self.path("claims").display().to_string(), self.path("bin").display().to_string());
        let text = as_watched(work, mode, &format!("n{}", work.token), at);
        let text = text.replace("/var/lib/onramp-claims", &claims).replace("/var/tmp/onramp-claims-$me", &claims);
        let text =
            text.replace("~root/.onramp-claims", "/proc/nowhere").replace("${HOME-}/.onramp-claims", "/proc/nowhere");
        let text = text
            .replace("PATH=/usr/sbin", &format!("PATH={bin}:/usr/sbin"))
            .replace("/bin/sh -s", &format!("{bin}/sh -s"));
        if self.bare { text.replace("command -v setsid", "false").replace("/proc/", "/no-proc/") } else { text }
    }

    fn begin(&self, mode: &str, work: &Detached, at: (u64, u64)) -> Watcher {
        self.begin_text(&self.text(mode, work, at), &work.token)
    }

    fn begin_text(&self, text: &str, token: &str) -> Watcher {
        let input = self.path(&format!("input-{}", rand()));
        fs::write(&input, text).expect("a file");
        // As sshd does, in a session of its own.
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(self.path("bin/sh")).arg("-s").stdin(fs::File::open(&input).expect("a file"));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
        Watcher { child, words: Words::new(&format!("n{token}")) }
    }

    fn run(&self, mode: &str, work: &Detached) -> Said {
        self.begin(mode, work, (0, 0)).said()
    }

    /// Waits until a file is there.
    fn wait_for(&self, path: &Path) {
        for _ in 0..400 {
            if path.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("{}: {} did not come", self.name, path.display());
    }

    /// How often scripts began that write a line into `count`.
    fn count(&self) -> usize {
        fs::read_to_string(self.path("count")).unwrap_or_default().lines().count()
    }

    /// A script that says that it began, and then does something.
    fn counted(&self, then: &str) -> Detached {
        work(&format!("echo began >>{}\n{then}", self.path("count").display()))
    }

    fn pid(&self, token: &str) -> String {
        let path = self.claim(token).join("pid");
        self.wait_for(&path);
        fs::read_to_string(path).expect("pid").lines().next().expect("a line").to_owned()
    }
}

struct Watcher {
    child: Child,
    words: Words,
}

impl Watcher {
    /// Everything it says until it ends.
    fn said(mut self) -> Said {
        let output = self.child.wait_with_output().expect("output");
        let mut said = Said::default();
        for word in self.words.push(&output.stdout) {
            match word {
                Word::Data(Stream::Out, bytes) => said.out.extend(bytes),
                Word::Data(Stream::Err, bytes) => said.err.extend(bytes),
                word => said.words.push(word),
            }
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.words.is_empty(), "it said nothing: {complaint}");
        said
    }

    /// KILL for the watcher's whole session, as when its host loses sight of us in the worst way.
    fn kill(mut self) {
        let session = self.child.id().to_string();
        let _ = Command::new("pkill").args(["-KILL", "-s", &session]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rand() -> String {
    crate::ssh::exec::nonce().expect("a number")
}

fn work(text: &str) -> Detached {
    let script = Script { text: text.to_owned(), sudo: false, limit: Duration::from_secs(60), stdin_after: None };
    Detached { script, token: format!("test{}", rand()) }
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn a_token_is_started_once_however_many_ask_for_it() {
    for far in hosts() {
        let work = far.counted("echo out; echo err >&2; sleep 0.3; exit 7");
        let all: Vec<Watcher> = (0..8).map(|_| far.begin("start", &work, (0, 0))).collect();
        for said in all.into_iter().map(Watcher::said) {
            assert_eq!(said.end(), &Word::Ended { code: 7 }, "{}: {said:?}", far.name);
            assert_eq!((said.out.as_slice(), said.err.as_slice()), (&b"out\n"[..], &b"err\n"[..]), "{}", far.name);
        }
        let later = far.run("start", &work);
        assert_eq!(
            (later.found(), later.end(), later.out()),
            (Some(true), &Word::Ended { code: 7 }, "out\n".to_owned())
        );
        assert_eq!(far.count(), 1, "{}", far.name);
    }
}

#[test]
fn a_killed_watcher_takes_nothing_with_it_and_the_next_goes_on_where_it_was() {
    for far in hosts() {
        let work = far.counted("echo first; sleep 1.5; echo second; exit 3");
        let watcher = far.begin("start", &work, (0, 0));
        far.pid(&work.token);
        std::thread::sleep(Duration::from_millis(300));
        watcher.kill();
        let said = far.begin("start", &work, ("first\n".len() as u64, 0)).said();
        assert_eq!((said.found(), said.out().as_str()), (Some(true), "second\n"), "{}", far.name);
        assert_eq!(said.end(), &Word::Ended { code: 3 }, "{}", far.name);
        assert_eq!(far.run("find", &work).out(), "first\nsecond\n", "{}: from the beginning", far.name);
        assert_eq!(far.count(), 1, "{}", far.name);
    }
}

#[test]
fn what_was_killed_with_its_whole_group_is_known_to_be_cut_off() {
    for far in hosts() {
        let work = far.counted("echo first; sleep 600");
        let watcher = far.begin("start", &work, (0, 0));
        let pid = far.pid(&work.token);
        far.wait_for(&far.path("count"));
        let group = format!("-{pid}");
        assert!(Command::new("kill").args(["-KILL", "--", &group]).status().expect("kill").success());
        assert_eq!(watcher.said().end(), &Word::Gone, "{}", far.name);
        for mode in ["start", "find"] {
            assert_eq!(far.run(mode, &work).end(), &Word::Gone, "{} {mode}", far.name);
        }
        assert_eq!(far.count(), 1, "{}", far.name);
    }
}

#[test]
fn a_group_that_gets_term_still_says_how_it_ended() {
    for far in hosts() {
        let said = far.run("start", &far.counted("kill -TERM 0; sleep 600"));
        assert_eq!(said.end(), &Word::Ended { code: 143 }, "{}", far.name);
    }
}

#[test]
fn stopping_ends_everything_that_it_started() {
    for bare in [false, true] {
        for mut far in hosts() {
            far.bare = bare;
            let children = "sleep 600 & echo $! >CHILD; (sleep 601 & echo $! >>CHILD; sleep 602); sleep 603";
            let text = children.replace("CHILD", &far.path("children").display().to_string());
            let work = far.counted(&format!("echo first\n{text}"));
            let watcher = far.begin("start", &work, (0, 0));
            let pid = far.pid(&work.token);
            while fs::read_to_string(far.path("children")).unwrap_or_default().lines().count() < 2 {
                std::thread::sleep(Duration::from_millis(20));
            }
            let said = far.run("stop", &work);
            let expected = Word::Stopped { signal: "TERM".to_owned(), reason: Reason::Person };
            assert_eq!((said.end(), said.out().as_str()), (&expected, "first\n"), "{} bare {bare}", far.name);
            for pid in fs::read_to_string(far.path("children")).expect("children").lines().chain([pid.as_str()]) {
                assert!(!is_alive(pid), "{} bare {bare}: {pid}", far.name);
            }
            assert_eq!(watcher.said().end(), &expected, "{}: whoever else looks on hears of it", far.name);
            assert_eq!(far.run("start", &work).end(), &expected, "{}", far.name);
            assert_eq!(far.count(), 1, "{}", far.name);
        }
    }
}

#[test]
fn one_that_does_not_listen_to_term_is_killed() {
    for far in hosts() {
        let work = far.counted("trap '' TERM; echo first; while :; do sleep 1; done");
        let watcher = far.begin("start", &work, (0, 0));
        let pid = far.pid(&work.token);
        far.wait_for(&far.path("count"));
        std::thread::sleep(Duration::from_millis(200));
        let text = far.text("stop", &work, (0, 0)).replace("grace=10", "grace=1");
        let said = far.begin_text(&text, &work.token).said();
        let expected = Word::Stopped { signal: "KILL".to_owned(), reason: Reason::Person };
        assert_eq!(said.end(), &expected, "{}", far.name);
        assert!(!is_alive(&pid), "{}", far.name);
        assert_eq!(watcher.said().end(), &expected, "{}", far.name);
    }
}

#[test]
fn what_was_stopped_before_it_began_never_begins() {
    for far in hosts() {
        let work = far.counted("exit 0");
        assert_eq!(far.run("find", &work).end(), &Word::Nothing, "{}", far.name);
        assert_eq!(far.run("stop", &work).end(), &Word::Never, "{}", far.name);
        assert_eq!(far.run("start", &work).end(), &Word::Never, "{}", far.name);
        assert_eq!(far.count(), 0, "{}", far.name);
    }
}

#[test]
fn the_script_has_its_usual_surroundings_and_its_claim_is_private() {
    for far in hosts() {
        let text = "umask; echo $LC_ALL; set -- a b; echo $#; cat; echo $undefined";
        let work = work(text);
        let said = far.run("start", &work);
        assert_eq!(said.out(), "0022\nC\n2\n", "{}: {said:?}", far.name);
        assert!(matches!(said.end(), Word::Ended { code: 1 | 2 | 127 }), "{}: {said:?}", far.name);
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        let claim = far.claim(&work.token);
        assert_eq!((mode(&far.path("claims")), mode(&claim)), (0o700, 0o700), "{}", far.name);
        for file in ["out", "err", "rc", "pid"] {
            assert_eq!(mode(&claim.join(file)), 0o600, "{} {file}", far.name);
        }
    }
}

#[test]
fn what_it_wrote_is_forgotten_once_it_has_ended_and_it_is_not_started_again() {
    for far in hosts() {
        let work = far.counted("echo secret; echo secret >&2; sleep 0.5; exit 3");
        let watcher = far.begin("start", &work, (0, 0));
        far.pid(&work.token);
        let (out, err) = (far.claim(&work.token).join("out"), far.claim(&work.token).join("err"));
        // As long as it runs, somebody still wants it.
        assert_eq!(far.run("forget", &work).end(), &Word::Nothing, "{}", far.name);
        assert!(out.exists() && err.exists(), "{}", far.name);
        assert_eq!(watcher.said().out(), "secret\n", "{}", far.name);
        assert_eq!(far.run("forget", &work).end(), &Word::Nothing, "{}", far.name);
        assert!(!out.exists() && !err.exists(), "{}", far.name);
        for mode in ["start", "find"] {
            assert_eq!(far.run(mode, &work).end(), &Word::Ended { code: 3 }, "{} {mode}", far.name);
        }
        assert_eq!(far.count(), 1, "{}", far.name);
        // Of a token that nobody used nothing is made.
        let other = self::work("true");
        assert_eq!(far.run("forget", &other).end(), &Word::Nothing, "{}", far.name);
        assert!(!far.claim(&other.token).exists(), "{}", far.name);
    }
}

#[test]
fn large_and_binary_output_arrives_byte_for_byte() {
    for far in hosts() {
        let source = far.path("source");
        let bytes: Vec<u8> = (0..50 * 1024 * 1024_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::write(&source, &bytes).expect("a file");
        let text = format!("cat {}; printf 'a\\000b' >&2", source.display());
        let said = far.run("start", &work(&text));
        assert_eq!(said.end(), &Word::Ended { code: 0 }, "{}", far.name);
        assert!(said.out == bytes, "{}: {} bytes", far.name, said.out.len());
        assert_eq!(said.err, b"a\0b", "{}", far.name);
    }
}

#[test]
fn a_child_in_the_background_does_not_hold_the_end_up() {
    for far in hosts() {
        let gate = far.path("gate");
        let text = format!("(while [ ! -e {0} ]; do sleep 0.1; done; echo child >>{0}) & echo done", gate.display());
        let said = far.run("start", &work(&text));
        assert_eq!((said.end(), said.out().as_str()), (&Word::Ended { code: 0 }, "done\n"), "{}", far.name);
        fs::write(&gate, "").expect("a file");
        for _ in 0..200 {
            if fs::read_to_string(&gate).unwrap_or_default() == "child\n" {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        assert_eq!(fs::read_to_string(&gate).expect("the gate"), "child\n", "{}: it lived on", far.name);
    }
}

#[test]
fn what_a_script_is_given_to_read_is_in_no_file_and_no_argument() {
    for far in hosts() {
        let secret = "pa$$'\"`%s\\n word\\";
        let text = "tr '\\000' ' ' </proc/$$/cmdline; echo; read -r line; printf '%s\\n' \"$line\"; cat; sleep 0.5";
        let mut work = work(text);
        work.script.stdin_after = Some(SecretString::from(secret));
        let watcher = far.begin("start", &work, (0, 0));
        let pid = far.pid(&work.token);
        let group = Command::new("pgrep").args(["-a", "-g", &pid]).output().expect("pgrep").stdout;
        assert!(!String::from_utf8_lossy(&group).contains("word"), "{}", far.name);
        let said = watcher.said();
        assert_eq!(said.out().lines().nth(1), Some(secret), "{}: {said:?}", far.name);
        for entry in fs::read_dir(far.claim(&work.token)).expect("the claim").flatten() {
            let is_output = entry.file_name() == "out";
            let text = fs::read(entry.path()).unwrap_or_default();
            assert!(is_output || !String::from_utf8_lossy(&text).contains("word"), "{}: {entry:?}", far.name);
        }
    }
}

/// bash before 5.1 (RHEL 8) writes a here-document to /tmp, which may be full or read by others.
#[test]
fn nothing_that_is_sent_needs_a_file_of_the_shell() {
    let mut work = work("cat");
    work.script.stdin_after = Some(SecretString::from("pa$$word"));
    for mode in ["start", "find", "stop"] {
        assert!(!as_watched(&work, mode, "n", (0, 0)).contains("<<"), "{mode}");
    }
}

#[test]
fn a_process_with_the_same_number_is_not_taken_for_it_and_nothing_outlives_a_boot() {
    for far in hosts() {
        for line in [2, 3] {
            let work = far.counted("sleep 30");
            let watcher = far.begin("start", &work, (0, 0));
            let pid = far.pid(&work.token);
            std::thread::sleep(Duration::from_millis(300));
            watcher.kill();
            let file = far.claim(&work.token).join("pid");
            let before = fs::read_to_string(&file).expect("pid");
            let mut lines: Vec<&str> = before.lines().collect();
            lines[line] = "1";
            fs::write(&file, lines.join("\n") + "\n").expect("written");
            assert_eq!(far.run("find", &work).end(), &Word::Gone, "{} line {line}", far.name);
            assert_eq!(far.run("stop", &work).end(), &Word::Gone, "{} line {line}", far.name);
            assert!(is_alive(&pid), "{}: a stranger is not stopped", far.name);
            fs::write(&file, &before).expect("written");
            assert!(matches!(far.run("stop", &work).end(), Word::Stopped { .. }), "{} line {line}", far.name);
        }
    }
}

#[test]
fn a_text_that_is_cut_off_anywhere_starts_nothing() {
    for far in hosts() {
        let work = far.counted("exit 0");
        let whole = far.text("start", &work, (0, 0));
        let end = whole.trim_end().len() - " </dev/null".len();
        for length in (0..end).step_by(211).chain(end.saturating_sub(3)..end) {
            let Some(part) = whole.get(..length) else { continue };
            let mut watcher = far.begin_text(part, &work.token);
            watcher.child.wait().expect("an end");
        }
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!((far.count(), far.claim(&work.token).exists()), (0, false), "{}", far.name);
    }
}

#[test]
fn without_a_place_of_its_own_it_is_not_started_and_says_why() {
    for far in hosts() {
        let work = far.counted("exit 0");
        fs::write(far.path("claims"), "not a folder").expect("a file");
        assert!(matches!(far.run("start", &work).end(), Word::Refused(_)), "{}", far.name);
        fs::remove_file(far.path("claims")).expect("removed");
        fs::create_dir(far.path("claims")).expect("a folder");
        fs::set_permissions(far.path("claims"), fs::Permissions::from_mode(0o755)).expect("a mode");
        let said = far.run("start", &work);
        let Word::Refused(why) = said.end() else { panic!("{}: {said:?}", far.name) };
        assert!(why.contains("private folder"), "{}: {why}", far.name);
        assert_eq!(far.count(), 0, "{}", far.name);
    }
}

#[test]
fn nothing_is_executed_from_where_claims_are() {
    for far in hosts() {
        let claims = far.path("claims");
        fs::create_dir(&claims).expect("a folder");
        let mount = ["-t", "tmpfs", "-o", "noexec,nosuid,mode=0700", "onramp-test"];
        if !Command::new("mount").args(mount).arg(&claims).status().is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: this test needs the right to mount");
            return;
        }
        let said = far.run("start", &far.counted("echo out; exit 5"));
        assert!(Command::new("umount").arg("-l").arg(&claims).status().is_ok_and(|status| status.success()));
        assert_eq!((said.end(), said.out().as_str()), (&Word::Ended { code: 5 }, "out\n"), "{}", far.name);
    }
}

#[test]
fn a_full_disk_is_said_before_anything_is_started() {
    for far in hosts() {
        let claims = far.path("claims");
        fs::create_dir(&claims).expect("a folder");
        // Room for one folder, and not for what is written into it.
        let mount = ["-t", "tmpfs", "-o", "nr_inodes=2,mode=0700", "onramp-test"];
        if !Command::new("mount").args(mount).arg(&claims).status().is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: this test needs the right to mount");
            return;
        }
        let said = far.run("start", &far.counted("exit 0"));
        assert!(Command::new("umount").arg("-l").arg(&claims).status().is_ok_and(|status| status.success()));
        assert!(matches!(said.end(), Word::Refused(_)), "{}: {said:?}", far.name);
        assert_eq!(far.count(), 0, "{}", far.name);
    }
}

#[test]
fn old_claims_are_tidied_and_never_one_that_has_not_ended() {
    for far in hosts() {
        let ended = far.counted("echo old");
        far.run("start", &ended);
        let (old, open) = (far.claim(&ended.token), far.claim("testopen"));
        fs::create_dir(&open).expect("a folder");
        for file in ["out", "err", "pid"] {
            fs::write(open.join(file), "").expect("a file");
        }
        let age = |claim: &Path, days: &str| {
            let files = fs::read_dir(claim).expect("a claim").flatten().map(|entry| entry.path());
            let touch = Command::new("touch").arg("-d").arg(format!("{days} days ago")).args(files).status();
            assert!(touch.expect("touch").success());
        };
        age(&old, "20");
        age(&open, "500");
        far.run("start", &far.counted("exit 0"));
        assert!(!old.join("out").exists() && old.join("rc").exists(), "{}", far.name);
        assert!(open.join("out").exists(), "{}", far.name);
        let again = far.run("start", &ended);
        assert_eq!(
            (again.end(), again.out().as_str()),
            (&Word::Ended { code: 0 }, ""),
            "{}: it still counts",
            far.name
        );
        age(&old, "400");
        far.run("start", &far.counted("exit 0"));
        assert!(!old.exists() && open.exists(), "{}", far.name);
        assert_eq!(far.count(), 3, "{}", far.name);
    }
}
